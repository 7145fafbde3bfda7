# SPDX-License-Identifier: BSD-3-Clause
"""Neighbour solicitations and advertisements: what is refused, what is answered, what is learnt."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kame_py.kern.mbuf import Fate
from kame_py.net.route import (
    RTF_ANNOUNCE,
    RTF_HOST,
    RTF_STATIC,
    RTM_ADD,
    RTM_DELETE,
    LinkAddr,
    rtrequest,
)
from kame_py.netinet6.in6 import in6_addmulti, in6_update_ifa
from kame_py.netinet6.in6_var import IN6_IFF_ANYCAST, IN6_IFF_NODAD
from kame_py.netinet6.nd6_nbr import nd6_lladdr_changed
from kame_py.netinet6.nd6_state import DELAY, REACHABLE, STALE
from kame_py.netinet6.scope6 import in6_embedscope
from kame_py.wire.codecs import Ip6Hdr
from kame_py.wire.nd6opt import build_lladdr_opt
from tests.unit.netinet6.nd_node import (
    ALLNODES,
    ANY,
    LL,
    MAC,
    PEER,
    PEER_MAC,
    PEER_MAC2,
    Node,
    addr,
    adverts,
    na,
    nd,
    ns,
    ra,
    rs,
)

GLOBAL = addr("2001:db8:1::1")
HOA = addr("2001:db8:1::77")
TLL = build_lladdr_opt(2, MAC)


def test_multicast_solicitation_is_answered_with_address_and_learnt() -> None:
    node = Node()
    m = node.receive(ns(LL))
    assert m.fate is Fate.CONSUMED
    assert adverts(node.sent()) == [(PEER, LL, "SO", TLL)]
    assert (node.state(), node.lladdr()) == (DELAY, PEER_MAC)


def test_unicast_solicitation_is_answered_without_address() -> None:
    node = Node()
    node.receive(ns(LL, dst=LL))
    assert adverts(node.sent()) == [(PEER, LL, "SO", b"")]


def test_router_says_so() -> None:
    node = Node(ip6_forwarding=1)
    node.receive(ns(LL))
    assert adverts(node.sent()) == [(PEER, LL, "RSO", TLL)]


def test_duplicate_detection_of_another_node_is_answered_to_all_nodes() -> None:
    node = Node()
    node.receive(ns(LL, src=ANY, sll=None))
    assert adverts(node.sent()) == [(ALLNODES, LL, "O", TLL)]


def test_anycast_address_does_not_override() -> None:
    node = Node()
    in6_update_ifa(node.kern, node.ifp, GLOBAL, 64, IN6_IFF_ANYCAST)
    node.receive(ns(GLOBAL))
    assert adverts(node.sent()) == [(PEER, GLOBAL, "S", TLL)]


@pytest.mark.parametrize(
    ("flags", "source"),
    [(IN6_IFF_NODAD, GLOBAL), (IN6_IFF_ANYCAST, LL)],
    ids=["unicast", "anycast"],
)
def test_who_is_asked_in_person_answers_from_the_address(flags: int, source: bytes) -> None:
    """ndisc6 takes no answer that comes from elsewhere; an anycast address is nobody's source."""
    node = Node()
    in6_update_ifa(node.kern, node.ifp, GLOBAL, 64, flags)
    node.sent()
    node.receive(ns(GLOBAL))
    packets = [packet for _, packet in node.sent()]
    assert [Ip6Hdr.unpack(packet).ip6_src for packet in packets] == [source]


def proxied() -> Node:
    node = Node(ip6_forwarding=1)
    flags = RTF_HOST | RTF_STATIC | RTF_ANNOUNCE
    rtrequest(node.kern, RTM_ADD, HOA, 128, LinkAddr(node.zone, MAC), flags, node.ifp)
    return node


def test_proxy_answers_without_override_and_joins_the_group() -> None:
    node = proxied()
    node.receive(ns(HOA))
    assert adverts(node.sent()) == [(PEER, HOA, "RS", TLL)]


def test_proxy_stops_with_its_route() -> None:
    node = proxied()
    rtrequest(node.kern, RTM_DELETE, HOA, 128)
    m = node.receive(ns(HOA))
    assert m.reason is not None and m.reason.name == "ETHER_MCAST"
    assert adverts(node.sent()) == []


BAD_NS = [
    ("ND6_HLIM", ns(LL, hlim=254)),
    ("ND6_BADNS", ns(addr("ff02::1"), dst=LL)),
    ("ND6_BADNS", ns(LL, src=ANY)),
    ("ND6_BADNS", ns(LL, src=ANY, sll=None, dst=ALLNODES)),
    ("ND6_BADNS", ns(LL, sll=PEER_MAC + bytes(8))),
    ("ND6_BADNS", ns(LL, sll=b"\x01" + bytes(5))),
    ("ICMP6_BADCODE", nd(PEER, LL, bytes((135, 1)) + bytes(6) + LL)),
    ("ICMP6_BADLEN", nd(PEER, LL, bytes((135, 0)) + bytes(6) + LL[:8])),
    ("ND6_BADOPT", nd(PEER, LL, bytes((135, 0)) + bytes(6) + LL + b"\x01\x00" + bytes(6))),
    ("ND6_BADOPT", nd(PEER, LL, bytes((135, 0)) + bytes(6) + LL + b"\x01\x02" + bytes(6))),
    ("ND6_OFFLINK", ns(LL, src=addr("2001:db8:bad::1"))),
    ("ND6_NOTTARGET", ns(addr("fe80::42"), dst=LL)),
]


@pytest.mark.parametrize(("reason", "packet"), BAD_NS)
def test_bad_solicitation_is_dropped_and_teaches_nothing(reason: str, packet: bytes) -> None:
    node = Node()
    before = set(node.kern.nd6.llinfo)
    node.receive(packet)
    assert node.drops() == {reason: 1}
    assert set(node.kern.nd6.llinfo) == before
    assert adverts(node.sent()) == []


BAD_NA = [
    ("ND6_HLIM", na(hlim=254)),
    ("ND6_BADNA", na(flags="S", dst=ALLNODES)),
    ("ND6_BADNA", na(target=ALLNODES)),
    ("ND6_BADNA", na(tll=b"\x33" * 6)),
    ("ND6_NOTENTRY", na()),
    ("ND6_NOTENTRY", na(target=LL)),
]


@pytest.mark.parametrize(("reason", "packet"), BAD_NA)
def test_bad_advertisement_is_dropped(reason: str, packet: bytes) -> None:
    node = Node()
    before = set(node.kern.nd6.llinfo)
    node.receive(packet)
    assert node.drops() == {reason: 1}
    assert set(node.kern.nd6.llinfo) == before


def test_advertisement_for_our_own_address_is_logged() -> None:
    node = Node()
    node.receive(na(target=LL))
    text = "nd6_na_input: duplicate IP6 address fe80::2a0:24ff:fe66:77%fxp0"
    assert node.kern.log.lines[-1].text == text


def resolved() -> Node:
    node = Node()
    node.output()
    node.receive(na(flags="RSO"))
    return node


def test_router_flag_follows_an_advertisement_that_counts() -> None:
    node = resolved()
    assert node.entry().ln_router
    node.receive(na(flags="S", tll=PEER_MAC2))
    assert node.entry().ln_router, "another address without override changes nothing else"
    node.receive(na(flags="S", tll=None))
    assert not node.entry().ln_router


def test_router_solicitation_teaches_routers_only() -> None:
    host, router = Node(), Node(ip6_forwarding=1)
    for node in (host, router):
        group = addr("ff02::2")
        in6_addmulti(node.kern, node.ifp, in6_embedscope(group, node.zone))
        node.receive(rs())
    assert host.drops() == {"ND6_NOTROUTER": 1}
    assert router.state() == STALE


def test_router_solicitation_from_nobody_must_not_name_an_address() -> None:
    node = Node(ip6_forwarding=1)
    node.receive(nd(ANY, ALLNODES, bytes((133,)) + bytes(7) + build_lladdr_opt(1, PEER_MAC)))
    assert node.drops() == {"ND6_BADRS": 1}


def test_changed_link_address_is_announced() -> None:
    node = Node()
    node.ifp.if_hwaddr = PEER_MAC2
    nd6_lladdr_changed(node.kern, node.ifp)
    option = build_lladdr_opt(2, PEER_MAC2)
    assert adverts(node.sent()) == [(ALLNODES, LL, "O", option)]
    assert node.lladdr(LL) == PEER_MAC2


def test_reachable_by_any_solicited_advertisement() -> None:
    node = resolved()
    assert node.state() == REACHABLE


@given(
    kind=st.sampled_from((133, 134, 135, 136)),
    body=st.binary(max_size=120),
    src=st.sampled_from((PEER, ANY, GLOBAL, LL)),
    dst=st.sampled_from((LL, ALLNODES)),
)
def test_no_message_raises(kind: int, body: bytes, src: bytes, dst: bytes) -> None:
    node = Node(ip6_accept_rtadv=1)
    node.receive(nd(src, dst, bytes((kind, 0, 0, 0)) + body.ljust(4, b"\0")))
    node.wait(10**10)
    node.conserved()


@given(st.lists(st.sampled_from((ns(LL), na(), na(flags="", tll=PEER_MAC2), ra(), ra(lifetime=0)))))
def test_any_order_of_messages_conserves_packets(packets: list[bytes]) -> None:
    node = Node(ip6_accept_rtadv=1)
    for packet in packets:
        node.output()
        node.receive(packet)
    node.wait(10**11)
    node.conserved()
    assert node.kern.fates[Fate.HELD] == 0
