# SPDX-License-Identifier: BSD-3-Clause
"""Mobile IPv6 as in draft-ietf-mobileip-ipv6-15. KAME netinet6/ip6_mip6.h, netinet/icmp6.h."""

from __future__ import annotations

from typing import Final

from construct import Struct

from kame_py.wire.decl.base import Addr, Decl, dec8, dec16, dec32, hex8, hex16, hex32, raw

DECLS: Final = (
    Decl(
        "Ip6OptBindingUpdate",
        "draft-15 s.5.1; lifetime in seconds; align 4n+2",
        Struct(
            "ip6ou_type" / hex8(0xC6),
            "ip6ou_len" / dec8(8),
            "ip6ou_flags" / hex8(),
            "ip6ou_reserved" / hex16(),
            "ip6ou_seqno" / dec8(),
            "ip6ou_lifetime" / dec32(),
        ),
    ),
    Decl(
        "Ip6OptBindingAck",
        "draft-15 s.5.2; times in seconds; align 4n+3",
        Struct(
            "ip6oa_type" / hex8(0x07),
            "ip6oa_len" / dec8(11),
            "ip6oa_status" / dec8(),
            "ip6oa_reserved" / hex8(),
            "ip6oa_seqno" / dec8(),
            "ip6oa_lifetime" / dec32(),
            "ip6oa_refresh" / dec32(),
        ),
    ),
    Decl(
        "Ip6SubOptAltCoa",
        "draft-15 s.5.5; align 8n+6",
        Struct("type" / dec8(3), "len" / dec8(16), "coa" / Addr),
    ),
    Decl(
        "Ip6SubOptAuthData",
        "draft-15 s.5.5, fixed part before the MAC; align 8n+6",
        Struct("type" / dec8(4), "len" / dec8(4), "spi" / hex32()),
    ),
    Decl(
        "HaDiscovReq",
        "draft-15 s.5.6",
        Struct(
            "ha_dreq_type" / dec8(150),
            "ha_dreq_code" / dec8(),
            "ha_dreq_cksum" / hex16(),
            "ha_dreq_id" / dec16(),
            "ha_dreq_reserved" / hex16(),
        ),
    ),
    Decl(
        "HaDiscovRep",
        "draft-15 s.5.7, fixed part; home agent addresses follow",
        Struct(
            "ha_drep_type" / dec8(151),
            "ha_drep_code" / dec8(),
            "ha_drep_cksum" / hex16(),
            "ha_drep_id" / dec16(),
            "ha_drep_reserved" / raw(10),
        ),
    ),
    Decl(
        "MpSolicit",
        "draft-15 s.5.8",
        Struct(
            "mp_sol_type" / dec8(152),
            "mp_sol_code" / dec8(),
            "mp_sol_cksum" / hex16(),
            "mp_sol_reserved" / hex32(),
        ),
    ),
    Decl(
        "MpAdvert",
        "draft-15 s.5.9; options follow at once",
        Struct("mp_adv_type" / dec8(153), "mp_adv_code" / dec8(), "mp_adv_cksum" / hex16()),
    ),
)
