# SPDX-License-Identifier: BSD-3-Clause
"""Headers against octets written down field by field."""

from __future__ import annotations

import pytest

from kame_py.wire.codecs import (
    EtherHeader,
    HaDiscovReqD13,
    Ip6Hdr,
    Ip6OptBindingAck,
    Ip6OptBindingAckD13,
    Ip6OptBindingUpdate,
    Ip6OptBindingUpdateD13,
    MldHdr,
    NdNeighborAdvert,
    NdOptHomeagentInfo,
    NdOptPrefixInfo,
    NdRouterAdvert,
    Tcphdr,
)
from kame_py.wire.in6addr import pton


def octets(*fields: str) -> bytes:
    return bytes.fromhex("".join(fields))


def addr(text: str) -> bytes:
    value = pton(text)
    assert value is not None
    return value


def test_ip6_header() -> None:
    wire = octets(
        "6b812345",  # version 6, class 0xb8, flow label 0x12345
        "0043",  # payload length
        "3c",  # destination options follow
        "3f",  # hop limit 63
        "20010db8000000020000000000000100",
        "20010db8000000030000000000000200",
    )
    value = Ip6Hdr(
        ip6_flow=0x6B812345,
        ip6_plen=67,
        ip6_nxt=60,
        ip6_hlim=63,
        ip6_src=addr("2001:db8:0:2::100"),
        ip6_dst=addr("2001:db8:0:3::200"),
    )
    assert value.pack() == wire
    assert Ip6Hdr.unpack(wire) == value


def test_router_advertisement() -> None:
    wire = octets(
        "86 00 1234",  # type, code, checksum
        "40",  # current hop limit
        "20",  # home agent flag
        "0708",  # router lifetime 1800 s
        "00007530",  # reachable time 30000 ms
        "000003e8",  # retransmit timer 1000 ms
    )
    value = NdRouterAdvert(
        nd_ra_cksum=0x1234,
        nd_ra_curhoplimit=64,
        nd_ra_flags_reserved=0x20,
        nd_ra_router_lifetime=1800,
        nd_ra_reachable=30000,
        nd_ra_retransmit=1000,
    )
    assert value.pack() == wire
    assert NdRouterAdvert.unpack(wire) == value


def test_neighbor_advertisement() -> None:
    wire = octets("88 00 0000", "a0000000", "20010db8000000010000000000000100")
    value = NdNeighborAdvert(
        nd_na_flags_reserved=0xA0000000, nd_na_target=addr("2001:db8:0:1::100")
    )
    assert value.pack() == wire


def test_prefix_information() -> None:
    wire = octets(
        "03 04 40 e0",  # type, 32 octets, /64, L A R
        "00001c20 00000e10",  # valid 7200 s, preferred 3600 s
        "00000000",
        "20010db8000000010000000000000001",  # the router's whole address
    )
    got = NdOptPrefixInfo.unpack(wire)
    assert (got.nd_opt_pi_prefix_len, got.nd_opt_pi_flags_reserved) == (64, 0xE0)
    assert (got.nd_opt_pi_valid_time, got.nd_opt_pi_preferred_time) == (7200, 3600)
    assert got.pack() == wire


def test_home_agent_preference_is_signed() -> None:
    got = NdOptHomeagentInfo.unpack(octets("08 01 0000", "fffb", "0708"))
    assert (got.nd_opt_hai_preference, got.nd_opt_hai_lifetime) == (-5, 1800)
    assert got.pack() == octets("08 01 0000 fffb 0708")


def test_binding_update_of_both_drafts() -> None:
    wire = octets("c6 08", "d0", "0000", "2a", "00000258")
    value = Ip6OptBindingUpdate(ip6ou_flags=0xD0, ip6ou_seqno=42, ip6ou_lifetime=600)
    assert value.pack() == wire
    wire = octets("c6 08", "d0", "40", "0123", "00000258")
    old = Ip6OptBindingUpdateD13(
        ip6ou_flags=0xD0, ip6ou_prefixlen=64, ip6ou_seqno=0x123, ip6ou_lifetime=600
    )
    assert old.pack() == wire


def test_binding_ack_of_both_drafts() -> None:
    wire = octets("07 0b", "8d", "00", "2a", "00000258", "000001e0")
    value = Ip6OptBindingAck(
        ip6oa_status=141, ip6oa_seqno=42, ip6oa_lifetime=600, ip6oa_refresh=480
    )
    assert value.pack() == wire
    wire = octets("07 0b", "00", "0123", "00000258", "000001e0")
    old = Ip6OptBindingAckD13(ip6oa_seqno=0x123, ip6oa_lifetime=600, ip6oa_refresh=480)
    assert old.pack() == wire


def test_old_discovery_request_carries_the_home_address() -> None:
    home = addr("2001:db8:0:1::100")
    wire = HaDiscovReqD13(ha_dreq_id=0x1111, ha_dreq_home=home).pack()
    assert wire == octets("96 00 0000 1111", "00" * 10) + home


@pytest.mark.parametrize(
    ("header", "size"), [(EtherHeader, 14), (MldHdr, 24), (Tcphdr, 20), (Ip6Hdr, 40)]
)
def test_sizes(header: type[EtherHeader], size: int) -> None:
    assert size == header.SIZE == len(header().pack())


def test_fields_are_text_for_traces() -> None:
    frame = EtherHeader(ether_dhost=bytes.fromhex("00a024660077"))
    assert frame.fields() == [
        ("ether_dhost", "0:a0:24:66:0:77"),
        ("ether_shost", "0:0:0:0:0:0"),
        ("ether_type", "0x86dd"),
    ]
    assert repr(NdOptHomeagentInfo(nd_opt_hai_preference=-5)) == (
        "NdOptHomeagentInfo(nd_opt_hai_type=8, nd_opt_hai_len=1, nd_opt_hai_reserved=0x0000, "
        "nd_opt_hai_preference=-5, nd_opt_hai_lifetime=0)"
    )


def test_headers_of_different_classes_differ() -> None:
    assert Ip6OptBindingUpdate() != Ip6OptBindingUpdateD13()
    with pytest.raises(TypeError):
        hash(Ip6Hdr())
