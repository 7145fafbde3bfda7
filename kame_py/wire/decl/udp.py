# SPDX-License-Identifier: BSD-3-Clause
"""UDP. KAME netinet/udp.h. RFC 768."""

from __future__ import annotations

from typing import Final

from construct import Struct

from kame_py.wire.decl.base import Decl, dec16, hex16

DECLS: Final = (
    Decl(
        "Udphdr",
        "RFC 768",
        Struct(
            "uh_sport" / dec16(),
            "uh_dport" / dec16(),
            "uh_ulen" / dec16(8),
            "uh_sum" / hex16(),
        ),
    ),
)
