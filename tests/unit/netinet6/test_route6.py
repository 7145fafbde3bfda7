# SPDX-License-Identifier: BSD-3-Clause
"""Routing headers: refused, skipped, and type 0 where it is served."""

from __future__ import annotations

import pytest

from kame_py.kern.mbuf import Fate
from kame_py.wire.const import (
    ICMP6_PARAM_PROB,
    ICMP6_PARAMPROB_HEADER,
    ICMP6_TIME_EXCEEDED,
    IPPROTO_DSTOPTS,
    IPPROTO_ICMPV6,
    IPPROTO_NONE,
    IPPROTO_ROUTING,
)
from kame_py.wire.ip6ext import build_rthdr0
from tests.unit.netinet6.ip6_node import (
    PEER1,
    PEER2,
    US1,
    US2,
    Node,
    addr,
    echo,
    echo_reply,
    error,
    fate,
    ip6,
    name_bytes,
)
from tests.unit.netinet6.test_dest6 import hao

RH = 40  # the routing header is the first
TYPE, LEN, SEGLEFT = RH + 2, RH + 1, RH + 3


def rh0(*hops: bytes, segleft: int | None = None, nxt: int = IPPROTO_NONE) -> bytes:
    return build_rthdr0(nxt, hops, len(hops) if segleft is None else segleft)


def test_type_0_with_segments_left_is_refused_by_default() -> None:
    node = Node(forwarding=1)
    packet = ip6(rh0(PEER2), IPPROTO_ROUTING)
    m = node.receive(packet)
    assert fate(m) == (Fate.DROPPED, "ROUTE6_TYPE")
    assert node.sent() == [("rip0", error(packet, ICMP6_PARAM_PROB, ICMP6_PARAMPROB_HEADER, TYPE))]
    assert node.counters() == {
        "icmp6.icp6s_error": 1,
        "icmp6.icp6s_oparamprob_header": 1,
        "icmp6.icp6s_reflect": 1,
        "ip6.ip6s_badoptions": 1,
        "ip6.ip6s_delivered": 1,
        "ip6.ip6s_localout": 1,
        "ip6.ip6s_total": 1,
    }


@pytest.mark.parametrize("kind", [0, 1, 4, 77])
def test_a_routing_header_without_segments_left_is_skipped(kind: int) -> None:
    node = Node()
    header = bytes([IPPROTO_ICMPV6, 2, kind, 0]) + bytes(20)
    m = node.receive(ip6(header + echo(), IPPROTO_ROUTING))
    assert fate(m) == (Fate.CONSUMED, "")
    assert node.sent() == [("rip0", echo_reply())]


def test_an_unknown_type_is_refused_where_type_0_is_served() -> None:
    node = Node("MIP6")
    packet = ip6(bytes([IPPROTO_NONE, 2, 9, 1]) + bytes(20), IPPROTO_ROUTING)
    node.receive(packet)
    assert node.sent() == [("rip0", error(packet, ICMP6_PARAM_PROB, ICMP6_PARAMPROB_HEADER, TYPE))]


def test_the_sysctl_turns_type_0_on_and_off() -> None:
    node = Node(forwarding=1)
    node.kern.sysctl.write("net.inet6.ip6.rthdr0", 1)
    assert fate(node.receive(ip6(rh0(PEER2), IPPROTO_ROUTING))) == (Fate.FORWARDED, "")
    node.kern.sysctl.write("net.inet6.ip6.rthdr0", 0)
    assert fate(node.receive(ip6(rh0(PEER2), IPPROTO_ROUTING))) == (Fate.DROPPED, "ROUTE6_TYPE")


def test_type_0_swaps_the_next_hop_in_and_forwards_even_on_a_host() -> None:
    node = Node("MIP6")
    last = addr("2001:db8:2::8")
    m = node.receive(ip6(rh0(PEER2, last), IPPROTO_ROUTING, hlim=9))
    assert fate(m) == (Fate.FORWARDED, "")
    swapped = ip6(rh0(US1, last, segleft=1), IPPROTO_ROUTING, PEER1, PEER2, hlim=8)
    assert node.sent() == [("rip1", swapped)]


def test_the_last_hop_may_be_an_address_of_this_node() -> None:
    """How a care-of address passes a packet to the home address on a mobile node."""
    node = Node("MIP6")
    body = rh0(US2, nxt=IPPROTO_ICMPV6) + echo(PEER1, US2)
    m = node.receive(ip6(body, IPPROTO_ROUTING))
    assert fate(m) == (Fate.CONSUMED, "")
    assert node.sent() == [("rip0", echo_reply(src=US2))]
    assert node.counters()["ip6.ip6s_total"] == 2


@pytest.mark.parametrize(
    ("header", "pointer", "reason"),
    [
        (bytes([IPPROTO_NONE, 3, 0, 1]) + bytes(28), LEN, "ROUTE6_LEN"),
        (rh0(PEER2, segleft=2), SEGLEFT, "ROUTE6_SEGLEFT"),
    ],
    ids=name_bytes,
)
def test_a_bad_type_0_header_is_reported(header: bytes, pointer: int, reason: str) -> None:
    node = Node("MIP6")
    packet = ip6(header, IPPROTO_ROUTING)
    assert fate(node.receive(packet)) == (Fate.DROPPED, reason)
    assert node.sent() == [
        ("rip0", error(packet, ICMP6_PARAM_PROB, ICMP6_PARAMPROB_HEADER, pointer))
    ]


@pytest.mark.parametrize("text", ["ff02::1", "::", "::ffff:1.2.3.4", "::1.2.3.4"])
def test_type_0_never_leads_to_such_addresses(text: str) -> None:
    node = Node("MIP6")
    m = node.receive(ip6(rh0(addr(text)), IPPROTO_ROUTING))
    assert fate(m) == (Fate.DROPPED, "ROUTE6_ADDR")
    assert node.sent() == []


def test_type_0_to_a_multicast_destination_is_dropped() -> None:
    node = Node("MIP6")
    m = node.receive(ip6(rh0(PEER2), IPPROTO_ROUTING, dst=addr("ff02::1")))
    assert fate(m) == (Fate.DROPPED, "ROUTE6_ADDR")


def test_a_home_address_option_in_front_of_a_routing_header_is_refused() -> None:
    node = Node("MIP6")
    m = node.receive(ip6(hao(nxt=IPPROTO_ROUTING) + rh0(PEER2), IPPROTO_DSTOPTS))
    assert fate(m) == (Fate.DROPPED, "ROUTE6_HAO")


def test_a_home_address_option_behind_the_routing_header_is_taken() -> None:
    node = Node("MIP6")
    body = rh0(US2, nxt=IPPROTO_DSTOPTS) + hao()
    m = node.receive(ip6(body, IPPROTO_ROUTING))
    assert fate(m) == (Fate.DROPPED, "IP6_NOPROTO")
    assert m.src == addr("2001:db8:1::5")


def test_88_addresses_cost_88_hops_and_stay_one_packet() -> None:
    node = Node("MIP6")
    hops = [US2, US1] * 44
    packet = ip6(rh0(*hops), IPPROTO_ROUTING, hlim=255)
    m = node.receive(packet)
    assert fate(m) == (Fate.DROPPED, "IP6_NOPROTO")
    assert m.data[7] == 255 - 88
    assert node.kern.created - sum(node.kern.fates.values()) == 0
    assert node.counters()["ip6.ip6s_forward"] == 88
    assert node.sent() == []


def test_a_loop_of_addresses_ends_with_the_hop_limit() -> None:
    node = Node("MIP6")
    m = node.receive(ip6(rh0(*[US2, US1] * 44), IPPROTO_ROUTING, hlim=20))
    assert fate(m) == (Fate.DROPPED, "IP6_HLIM")
    sent = node.sent()
    assert len(sent) == 1
    assert sent[0][1][40] == ICMP6_TIME_EXCEEDED
