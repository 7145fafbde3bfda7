# SPDX-License-Identifier: BSD-3-Clause
"""The IPv6 header and the fixed parts of its extension headers. KAME netinet/ip6.h. RFC 2460."""

from __future__ import annotations

from typing import Final

from construct import Struct

from kame_py.wire.decl.base import Addr, Decl, dec8, dec16, hex16, hex32

DECLS: Final = (
    Decl(
        "Ip6Hdr",
        "RFC 2460 s.3",
        Struct(
            "ip6_flow" / hex32(0x60000000),
            "ip6_plen" / dec16(),
            "ip6_nxt" / dec8(59),
            "ip6_hlim" / dec8(64),
            "ip6_src" / Addr,
            "ip6_dst" / Addr,
        ),
    ),
    Decl("Ip6Ext", "RFC 2460 s.4", Struct("ip6e_nxt" / dec8(), "ip6e_len" / dec8())),
    Decl("Ip6Hbh", "RFC 2460 s.4.3", Struct("ip6h_nxt" / dec8(), "ip6h_len" / dec8())),
    Decl("Ip6Dest", "RFC 2460 s.4.6", Struct("ip6d_nxt" / dec8(), "ip6d_len" / dec8())),
    Decl(
        "Ip6Rthdr",
        "RFC 2460 s.4.4",
        Struct(
            "ip6r_nxt" / dec8(),
            "ip6r_len" / dec8(),
            "ip6r_type" / dec8(),
            "ip6r_segleft" / dec8(),
        ),
    ),
    Decl(
        "Ip6Rthdr0",
        "RFC 2460 s.4.4",
        Struct(
            "ip6r0_nxt" / dec8(),
            "ip6r0_len" / dec8(),
            "ip6r0_type" / dec8(),
            "ip6r0_segleft" / dec8(),
            "ip6r0_reserved" / hex32(),
        ),
    ),
    Decl(
        "Ip6Frag",
        "RFC 2460 s.4.5",
        Struct(
            "ip6f_nxt" / dec8(),
            "ip6f_reserved" / dec8(),
            "ip6f_offlg" / hex16(),
            "ip6f_ident" / hex32(),
        ),
    ),
)
