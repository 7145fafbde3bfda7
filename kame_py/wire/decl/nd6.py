# SPDX-License-Identifier: BSD-3-Clause
"""Neighbor Discovery. KAME netinet/icmp6.h. RFC 2461 s.4, RFC 6275 s.7, RFC 4191."""

from __future__ import annotations

from typing import Final

from construct import Default, Int16sb, Struct

from kame_py.wire.decl.base import Addr, Decl, dec8, dec16, dec32, hex8, hex16, hex32

MESSAGES: Final = (
    Decl(
        "NdRouterSolicit",
        "RFC 2461 s.4.1",
        Struct(
            "nd_rs_type" / dec8(133),
            "nd_rs_code" / dec8(),
            "nd_rs_cksum" / hex16(),
            "nd_rs_reserved" / hex32(),
        ),
    ),
    Decl(
        "NdRouterAdvert",
        "RFC 2461 s.4.2; lifetime in seconds, reachable and retransmit in milliseconds",
        Struct(
            "nd_ra_type" / dec8(134),
            "nd_ra_code" / dec8(),
            "nd_ra_cksum" / hex16(),
            "nd_ra_curhoplimit" / dec8(),
            "nd_ra_flags_reserved" / hex8(),
            "nd_ra_router_lifetime" / dec16(),
            "nd_ra_reachable" / dec32(),
            "nd_ra_retransmit" / dec32(),
        ),
    ),
    Decl(
        "NdNeighborSolicit",
        "RFC 2461 s.4.3",
        Struct(
            "nd_ns_type" / dec8(135),
            "nd_ns_code" / dec8(),
            "nd_ns_cksum" / hex16(),
            "nd_ns_reserved" / hex32(),
            "nd_ns_target" / Addr,
        ),
    ),
    Decl(
        "NdNeighborAdvert",
        "RFC 2461 s.4.4",
        Struct(
            "nd_na_type" / dec8(136),
            "nd_na_code" / dec8(),
            "nd_na_cksum" / hex16(),
            "nd_na_flags_reserved" / hex32(),
            "nd_na_target" / Addr,
        ),
    ),
    Decl(
        "NdRedirect",
        "RFC 2461 s.4.5",
        Struct(
            "nd_rd_type" / dec8(137),
            "nd_rd_code" / dec8(),
            "nd_rd_cksum" / hex16(),
            "nd_rd_reserved" / hex32(),
            "nd_rd_target" / Addr,
            "nd_rd_dst" / Addr,
        ),
    ),
)

# Option lengths on the wire count 8 octets (RFC 2461 s.4.6).
OPTIONS: Final = (
    Decl("NdOptHdr", "RFC 2461 s.4.6", Struct("nd_opt_type" / dec8(), "nd_opt_len" / dec8(1))),
    Decl(
        "NdOptPrefixInfo",
        "RFC 2461 s.4.6.2, RFC 6275 s.7.2; times in seconds",
        Struct(
            "nd_opt_pi_type" / dec8(3),
            "nd_opt_pi_len" / dec8(4),
            "nd_opt_pi_prefix_len" / dec8(),
            "nd_opt_pi_flags_reserved" / hex8(),
            "nd_opt_pi_valid_time" / dec32(),
            "nd_opt_pi_preferred_time" / dec32(),
            "nd_opt_pi_reserved2" / hex32(),
            "nd_opt_pi_prefix" / Addr,
        ),
    ),
    Decl(
        "NdOptRdHdr",
        "RFC 2461 s.4.6.3",
        Struct(
            "nd_opt_rh_type" / dec8(4),
            "nd_opt_rh_len" / dec8(1),
            "nd_opt_rh_reserved1" / hex16(),
            "nd_opt_rh_reserved2" / hex32(),
        ),
    ),
    Decl(
        "NdOptMtu",
        "RFC 2461 s.4.6.4",
        Struct(
            "nd_opt_mtu_type" / dec8(5),
            "nd_opt_mtu_len" / dec8(1),
            "nd_opt_mtu_reserved" / hex16(),
            "nd_opt_mtu_mtu" / dec32(),
        ),
    ),
    Decl(
        "NdOptAdvInterval",
        "RFC 6275 s.7.3; interval in milliseconds",
        Struct(
            "nd_opt_ai_type" / dec8(7),
            "nd_opt_ai_len" / dec8(1),
            "nd_opt_ai_reserved" / hex16(),
            "nd_opt_ai_interval" / dec32(),
        ),
    ),
    Decl(
        "NdOptHomeagentInfo",
        "drafts s.6.4 (signed preference), RFC 6275 s.7.4 (unsigned); lifetime in seconds",
        Struct(
            "nd_opt_hai_type" / dec8(8),
            "nd_opt_hai_len" / dec8(1),
            "nd_opt_hai_reserved" / hex16(),
            "nd_opt_hai_preference" / Default(Int16sb, 0),
            "nd_opt_hai_lifetime" / dec16(),
        ),
    ),
    Decl(
        "NdOptRouteInfo",
        "RFC 4191 s.2.3, fixed part; 0, 8 or 16 octets of prefix follow; lifetime in seconds",
        Struct(
            "nd_opt_rti_type" / dec8(24),
            "nd_opt_rti_len" / dec8(1),
            "nd_opt_rti_prefixlen" / dec8(),
            "nd_opt_rti_flags" / hex8(),
            "nd_opt_rti_lifetime" / dec32(),
        ),
    ),
)

DECLS: Final = MESSAGES + OPTIONS
