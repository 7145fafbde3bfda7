# SPDX-License-Identifier: BSD-3-Clause
"""Multicast Listener Discovery version 1. KAME netinet/icmp6.h (mld_hdr). RFC 2710."""

from __future__ import annotations

from typing import Final

from construct import Struct

from kame_py.wire.decl.base import Addr, Decl, dec8, dec16, hex16

DECLS: Final = (
    Decl(
        "MldHdr",
        "RFC 2710 s.3; mld_maxdelay in milliseconds",
        Struct(
            "mld_type" / dec8(),
            "mld_code" / dec8(),
            "mld_cksum" / hex16(),
            "mld_maxdelay" / dec16(),
            "mld_reserved" / hex16(),
            "mld_addr" / Addr,
        ),
    ),
)
