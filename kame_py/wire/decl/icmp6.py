# SPDX-License-Identifier: BSD-3-Clause
"""ICMPv6 messages except ND and MLD. KAME netinet/icmp6.h. RFC 2463, RFC 4620."""

from __future__ import annotations

from typing import Final

from construct import Struct

from kame_py.wire.decl.base import Addr, Decl, dec8, dec16, dec32, hex16, hex32, raw

DECLS: Final = (
    Decl(
        "Icmp6Hdr",
        "RFC 2463 s.2.1",
        Struct(
            "icmp6_type" / dec8(),
            "icmp6_code" / dec8(),
            "icmp6_cksum" / hex16(),
            "icmp6_data32" / hex32(),
        ),
    ),
    Decl(
        "Icmp6DstUnreach",
        "RFC 2463 s.3.1",
        Struct(
            "icmp6_type" / dec8(1),
            "icmp6_code" / dec8(),
            "icmp6_cksum" / hex16(),
            "icmp6_unused" / hex32(),
        ),
    ),
    Decl(
        "Icmp6PacketTooBig",
        "RFC 2463 s.3.2",
        Struct(
            "icmp6_type" / dec8(2),
            "icmp6_code" / dec8(),
            "icmp6_cksum" / hex16(),
            "icmp6_mtu" / dec32(),
        ),
    ),
    Decl(
        "Icmp6TimeExceeded",
        "RFC 2463 s.3.3",
        Struct(
            "icmp6_type" / dec8(3),
            "icmp6_code" / dec8(),
            "icmp6_cksum" / hex16(),
            "icmp6_unused" / hex32(),
        ),
    ),
    Decl(
        "Icmp6ParamProb",
        "RFC 2463 s.3.4",
        Struct(
            "icmp6_type" / dec8(4),
            "icmp6_code" / dec8(),
            "icmp6_cksum" / hex16(),
            "icmp6_pptr" / dec32(),
        ),
    ),
    Decl(
        "Icmp6Echo",
        "RFC 2463 s.4",
        Struct(
            "icmp6_type" / dec8(128),
            "icmp6_code" / dec8(),
            "icmp6_cksum" / hex16(),
            "icmp6_id" / dec16(),
            "icmp6_seq" / dec16(),
        ),
    ),
    Decl(
        "Icmp6Nodeinfo",
        "RFC 4620 s.4",
        Struct(
            "ni_type" / dec8(139),
            "ni_code" / dec8(),
            "ni_cksum" / hex16(),
            "ni_qtype" / dec16(),
            "ni_flags" / hex16(),
            "icmp6_ni_nonce" / raw(8),
        ),
    ),
    Decl(
        "NiReplyFqdn",
        "RFC 4620 s.6.3, struct ni_reply_fqdn; the names follow",
        Struct("ni_fqdn_ttl" / dec32()),
    ),
    Decl(
        "NiReplyAddr",
        "RFC 4620 s.6.4, one of the addresses",
        Struct("ni_addr_ttl" / dec32(), "ni_addr_addr" / Addr),
    ),
    Decl(
        "NiSuptypesRun",
        "draft-ietf-ipngwg-icmp-name-lookups-08, a run of a compressed bitmap",
        Struct("ni_run_words" / dec16(), "ni_run_skip" / dec16()),
    ),
)
