# SPDX-License-Identifier: BSD-3-Clause
"""Mobile IPv6 as in draft-ietf-mobileip-ipv6-13, where it differs. KAME option MIP6_DRAFT13."""

from __future__ import annotations

from typing import Final

from construct import Struct

from kame_py.wire.decl.base import Addr, Decl, dec8, dec16, dec32, hex8, hex16, raw

DECLS: Final = (
    Decl(
        "Ip6OptBindingUpdateD13",
        "draft-13 s.5.1; lifetime in seconds; align 4n+2",
        Struct(
            "ip6ou_type" / hex8(0xC6),
            "ip6ou_len" / dec8(8),
            "ip6ou_flags" / hex8(),
            "ip6ou_prefixlen" / dec8(),
            "ip6ou_seqno" / dec16(),
            "ip6ou_lifetime" / dec32(),
        ),
    ),
    Decl(
        "Ip6OptBindingAckD13",
        "draft-13 s.5.2; times in seconds; align 4n+3",
        Struct(
            "ip6oa_type" / hex8(0x07),
            "ip6oa_len" / dec8(11),
            "ip6oa_status" / dec8(),
            "ip6oa_seqno" / dec16(),
            "ip6oa_lifetime" / dec32(),
            "ip6oa_refresh" / dec32(),
        ),
    ),
    Decl(
        "Ip6SubOptAltCoaD13",
        "draft-13 s.5.5; align 8n+6",
        Struct("type" / dec8(4), "len" / dec8(16), "coa" / Addr),
    ),
    Decl(
        "HaDiscovReqD13",
        "draft-13 s.5.6",
        Struct(
            "ha_dreq_type" / dec8(150),
            "ha_dreq_code" / dec8(),
            "ha_dreq_cksum" / hex16(),
            "ha_dreq_id" / dec16(),
            "ha_dreq_reserved" / raw(10),
            "ha_dreq_home" / Addr,
        ),
    ),
)
