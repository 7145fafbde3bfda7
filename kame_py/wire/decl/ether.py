# SPDX-License-Identifier: BSD-3-Clause
"""Ethernet. KAME net/ethernet.h. RFC 894, RFC 2464."""

from __future__ import annotations

from typing import Final

from construct import Struct

from kame_py.wire.decl.base import Decl, Mac, hex16

DECLS: Final = (
    Decl(
        "EtherHeader",
        "RFC 2464 s.3",
        Struct("ether_dhost" / Mac, "ether_shost" / Mac, "ether_type" / hex16(0x86DD)),
    ),
)
