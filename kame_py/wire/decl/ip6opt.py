# SPDX-License-Identifier: BSD-3-Clause
"""Hop-by-hop and destination options. KAME netinet/ip6.h, netinet6/ip6_mip6.h. RFC 2460 s.4.2."""

from __future__ import annotations

from typing import Final

from construct import Struct

from kame_py.wire.decl.base import Addr, Decl, dec8, dec16, dec32, hex8, hex16

DECLS: Final = (
    Decl("Ip6Opt", "RFC 2460 s.4.2", Struct("ip6o_type" / hex8(), "ip6o_len" / dec8())),
    Decl("Ip6OptPadn", "RFC 2460 s.4.2", Struct("ip6opn_type" / hex8(1), "ip6opn_len" / dec8())),
    Decl(
        "Ip6OptJumbo",
        "RFC 2675 s.2",
        Struct("ip6oj_type" / hex8(0xC2), "ip6oj_len" / dec8(4), "ip6oj_jumbo_len" / dec32()),
    ),
    Decl(
        "Ip6OptRtalert",
        "RFC 2711 s.2.1",
        Struct("ip6or_type" / hex8(0x05), "ip6or_len" / dec8(2), "ip6or_value" / dec16()),
    ),
    Decl(
        "Ip6OptTunnelLimit",
        "RFC 2473 s.4.1.1",
        Struct("ip6otl_type" / hex8(0x04), "ip6otl_len" / dec8(1), "ip6otl_limit" / dec8(4)),
    ),
    Decl(
        "Ip6OptHomeAddress",
        "RFC 6275 s.6.3; the drafts s.5.4 have the same fixed part",
        Struct("ip6oh_type" / hex8(0xC9), "ip6oh_len" / dec8(16), "ip6oh_addr" / Addr),
    ),
    Decl(
        "Ip6OptBindingRequest",
        "mobility drafts s.5.3",
        Struct("ip6or_type" / hex8(0x08), "ip6or_len" / dec8()),
    ),
    Decl("Ip6SubOpt", "mobility drafts s.5.5", Struct("type" / dec8(), "len" / dec8())),
    Decl(
        "Ip6SubOptUniqid",
        "mobility drafts s.5.5",
        Struct("type" / dec8(2), "len" / dec8(2), "id" / hex16()),
    ),
)
