# SPDX-License-Identifier: BSD-3-Clause
"""TCP. KAME netinet/tcp.h. RFC 793. The data offset nibble stays in its octet, th_off_x2."""

from __future__ import annotations

from typing import Final

from construct import Struct

from kame_py.wire.decl.base import Decl, dec16, dec32, hex8, hex16

DECLS: Final = (
    Decl(
        "Tcphdr",
        "RFC 793 s.3.1; th_off_x2 = data offset in 4-octet words << 4",
        Struct(
            "th_sport" / dec16(),
            "th_dport" / dec16(),
            "th_seq" / dec32(),
            "th_ack" / dec32(),
            "th_off_x2" / hex8(0x50),
            "th_flags" / hex8(),
            "th_win" / dec16(),
            "th_sum" / hex16(),
            "th_urp" / dec16(),
        ),
    ),
)
