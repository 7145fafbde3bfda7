# SPDX-License-Identifier: BSD-3-Clause
"""Errors received: whose packet they quote, and which path MTU is believed."""

from __future__ import annotations

import pytest

from kame_py.kern.clock import NS
from kame_py.kern.mbuf import Fate, m_get
from kame_py.kern.uipc_socket import soconnect, socreate, sogetsockname, soisreadable
from kame_py.net.route import (
    RTF_DYNAMIC,
    RTF_GATEWAY,
    RTF_STATIC,
    RTM_ADD,
    RTM_DELETE,
    LinkAddr,
    Rtentry,
    rtrequest,
)
from kame_py.netinet6.icmp6_notify import RTV_MTU, icmp6_mtudisc_timeout, icmp6_mtudisc_update
from kame_py.netinet6.in6 import in6_update_ifa
from kame_py.netinet6.ip6_output import ip6_output, ip6_pkt
from kame_py.netinet6.scope6 import in6_embedscope
from kame_py.wire.codecs import Ip6Frag, Udphdr
from kame_py.wire.const import (
    IPPROTO_DSTOPTS,
    IPPROTO_FRAGMENT,
    IPPROTO_HOPOPTS,
    IPPROTO_ICMPV6,
    IPPROTO_ROUTING,
    IPPROTO_TCP,
    IPPROTO_UDP,
)
from kame_py.wire.ip6ext import build_rthdr0
from kame_py.wire.sockaddr import AF_INET6, SOCK_DGRAM, SOCK_RAW, SockaddrIn6
from tests.unit.netinet6 import nd_node
from tests.unit.netinet6.ip6_node import (
    PEER1,
    PEER2,
    STRANGER,
    US1,
    Node,
    addr,
    error,
    fate,
    ip6,
)

TOOBIG = 2
MTU = 1400
FAR2 = addr("2001:db8:dead::2")


def routed() -> Node:
    """A node whose default route is PEER1."""
    node = Node()
    rtrequest(node.kern, RTM_ADD, bytes(16), 0, PEER1, RTF_GATEWAY)
    return node


def quote(dst: bytes = STRANGER, src: bytes = US1, nxt: int = IPPROTO_UDP) -> bytes:
    return ip6(bytes(8), nxt, src, dst)


def toobig(node: Node, quoted: bytes, mtu: int = MTU) -> tuple[Fate | None, str]:
    return fate(node.receive(error(quoted, TOOBIG, 0, mtu, PEER1, US1)))


def host(node: Node, dst: bytes = STRANGER) -> Rtentry | None:
    return node.kern.rt.exact(dst, 128)


TAKEN = (Fate.CONSUMED, "")
IGNORED = (Fate.DROPPED, "ICMP6_TOOBIGMTU")


# -- whose packet ---------------------------------------------------------------------------------


def test_the_home_address_option_tells_who_sent_the_packet() -> None:
    """A packet that left from our care-of address was our home address's, and the other way."""
    node = routed()
    options = bytes((IPPROTO_UDP, 2)) + bytes.fromhex("01 02 00 00 c9 10")
    ours = ip6(options + US1 + bytes(8), IPPROTO_DSTOPTS, FAR2, STRANGER)
    foreign = ip6(options + FAR2 + bytes(8), IPPROTO_DSTOPTS, US1, STRANGER)
    assert toobig(node, foreign) == (Fate.DROPPED, "ICMP6_ERRORNOPCB")
    assert toobig(node, ours) == TAKEN


HAO = bytes.fromhex("c9 10")


@pytest.mark.parametrize(
    ("nxt", "header"),
    [
        (IPPROTO_DSTOPTS, bytes((IPPROTO_UDP, 2, 1, 2, 0, 0, 0xC9, 14)) + FAR2[:14] + b"\1\0"),
        (IPPROTO_DSTOPTS, bytes((IPPROTO_UDP, 2, 1, 2, 0, 0, 0x49, 16)) + FAR2),
        (IPPROTO_DSTOPTS, bytes((IPPROTO_UDP, 2, 1, 2, 0, 0, 0xC9, 17)) + FAR2),
        (IPPROTO_HOPOPTS, bytes((IPPROTO_UDP, 2, 1, 2, 0, 0)) + HAO + FAR2),
    ],
    ids=["short", "other option", "overrun", "hop-by-hop"],
)
def test_only_a_whole_home_address_option_counts(nxt: int, header: bytes) -> None:
    assert toobig(routed(), ip6(header + bytes(8), nxt, US1, STRANGER)) == TAKEN


def test_a_later_fragment_shows_no_ports() -> None:
    node = routed()
    so = socreate(node.kern, AF_INET6, SOCK_DGRAM, 0)
    soconnect(node.kern, so, SockaddrIn6(STRANGER, 9))
    ports = Udphdr(uh_sport=sogetsockname(node.kern, so).port, uh_dport=9, uh_ulen=8).pack()
    for offset, told in ((8, False), (0, True)):
        frag = Ip6Frag(ip6f_nxt=IPPROTO_UDP, ip6f_offlg=offset).pack()
        quoted = ip6(frag + ports, IPPROTO_FRAGMENT, US1, STRANGER)
        node.receive(error(quoted, 1, 0, 0, PEER1, US1))
        assert soisreadable(so) is told


@pytest.mark.parametrize(
    "rthdr",
    [
        bytes((IPPROTO_UDP, 2, 2, 1)) + bytes(4) + FAR2,
        bytes((IPPROTO_UDP, 3, 0, 1)) + bytes(4) + FAR2 + bytes(8),
    ],
    ids=["type 2", "odd length"],
)
def test_other_routing_headers_change_nothing(rthdr: bytes) -> None:
    node = routed()
    assert toobig(node, ip6(rthdr + bytes(8), IPPROTO_ROUTING, US1, STRANGER)) == TAKEN
    assert host(node) is not None


@pytest.mark.parametrize(
    ("hops", "segleft", "final"),
    [
        ([FAR2], 1, FAR2),
        ([FAR2, PEER2], 2, PEER2),
        ([FAR2], 0, STRANGER),
        ([addr("ff0e::1")], 1, STRANGER),
        ([], 1, STRANGER),
    ],
    ids=["one", "two", "none left", "multicast", "empty"],
)
def test_the_final_destination_behind_a_routing_header(
    hops: list[bytes], segleft: int, final: bytes
) -> None:
    node = routed()
    rthdr = build_rthdr0(IPPROTO_UDP, hops, segleft)
    assert toobig(node, ip6(rthdr + bytes(8), IPPROTO_ROUTING, US1, STRANGER)) == TAKEN
    rt = host(node, final)
    assert rt is not None and rt.rt_rmx.rmx_mtu == MTU


def test_link_local_addresses_in_a_quote_are_of_the_link_it_came_by() -> None:
    node = Node()
    ours = next(ia.ia_addr for ia in node.rip0.in6_addrs if ia.ia_addr[0] == 0xFE)
    quoted = quote(addr("fe80::9"), ours[:2] + bytes(2) + ours[4:])
    assert toobig(node, quoted) == TAKEN
    packet = error(quoted, TOOBIG, 0, 1300, PEER2, US1)
    assert fate(node.receive(packet, node.rip1)) == (Fate.DROPPED, "ICMP6_ERRORNOPCB")


@pytest.mark.parametrize("nxt", [IPPROTO_TCP, IPPROTO_DSTOPTS, IPPROTO_ICMPV6, 200])
def test_an_error_about_any_protocol_is_used(nxt: int) -> None:
    packet = error(quote(nxt=nxt), 1, 0, 0, PEER1, US1)
    assert fate(Node().receive(packet)) == TAKEN


@pytest.mark.parametrize(("size", "used"), [(39, False), (40, True)])
def test_an_error_must_quote_a_whole_header(size: int, used: bool) -> None:
    m = Node().receive(error(quote()[:size], 1, 0, 0, PEER1, US1))
    assert fate(m) == (TAKEN if used else (Fate.DROPPED, "ICMP6_TOOSHORT"))


# -- which path MTU is believed -------------------------------------------------------------------


def test_a_path_mtu_is_what_packets_are_cut_to() -> None:
    node = routed()
    toobig(node, quote())
    m = m_get(node.kern, ip6_pkt(US1, STRANGER, IPPROTO_UDP, bytes(1450), 64))
    m.src, m.dst = US1, STRANGER
    assert ip6_output(node.kern, m) == 0
    assert [len(p) <= MTU for _, p in node.sent()] == [True, True]


def test_what_a_router_advertised_is_not_undercut_by_a_larger_path_mtu() -> None:
    node = routed()
    node.rip0.ndi.linkmtu = 1350
    assert toobig(node, quote()) == IGNORED
    assert toobig(node, quote(), 1349) == TAKEN


def test_an_mtu_set_by_hand_and_locked_stays() -> None:
    node = routed()
    rt = rtrequest(node.kern, RTM_ADD, STRANGER, 128, PEER1, RTF_GATEWAY | RTF_STATIC)
    rt.rt_rmx.rmx_mtu, rt.rt_rmx.rmx_locks = 1450, RTV_MTU
    assert toobig(node, quote()) == IGNORED
    assert rt.rt_rmx.rmx_mtu == 1450


def test_a_host_route_set_by_hand_carries_the_path_mtu_for_ten_minutes() -> None:
    node = routed()
    rt = rtrequest(node.kern, RTM_ADD, STRANGER, 128, PEER1, RTF_GATEWAY | RTF_STATIC)
    start = node.clock.t
    assert toobig(node, quote()) == TAKEN
    assert (rt.rt_rmx.rmx_mtu, rt.rt_rmx.rmx_expire) == (MTU, start + 600 * NS)
    node.until(start + 600 * NS - 1)
    assert rt.rt_rmx.rmx_mtu == MTU
    node.until(start + 600 * NS)
    assert host(node) is rt
    assert (rt.rt_rmx.rmx_mtu, rt.rt_rmx.rmx_expire) == (0, 0)


def test_a_route_that_was_deleted_meanwhile_is_forgotten_in_time() -> None:
    node = routed()
    toobig(node, quote())
    rtrequest(node.kern, RTM_DELETE, STRANGER, 128)
    assert len(node.kern.icmp6.mtudisc_routes) == 1
    node.wait(600)
    assert not node.kern.icmp6.mtudisc_routes
    assert host(node) is None


def test_a_destination_without_route_has_no_path_mtu() -> None:
    assert toobig(Node(), quote()) == IGNORED


def test_a_host_route_for_the_path_mtu_goes_by_the_same_gateway() -> None:
    node = routed()
    toobig(node, quote())
    rt = host(node)
    assert rt is not None
    assert (rt.rt_gateway, rt.rt_ifp) == (PEER1, node.rip0)
    assert rt.rt_flags & RTF_DYNAMIC


def test_a_route_straight_to_a_link_without_neighbours_makes_a_host_route() -> None:
    node = Node()
    rtrequest(node.kern, RTM_ADD, STRANGER, 64, LinkAddr(node.rip1.if_index), 0, node.rip1)
    assert toobig(node, quote()) == TAKEN
    rt = host(node)
    assert rt is not None and rt.rt_ifp is node.rip1


# -- how many -------------------------------------------------------------------------------------


def test_a_connected_socket_stands_behind_more_routes_than_none() -> None:
    node = routed()
    node.kern.sysctl.write("net.inet6.icmp6.mtudisc_lowat", 0)
    node.kern.sysctl.write("net.inet6.icmp6.mtudisc_hiwat", 1)
    assert toobig(node, quote()) == IGNORED
    for dst in (STRANGER, FAR2):
        so = socreate(node.kern, AF_INET6, SOCK_DGRAM, 0)
        soconnect(node.kern, so, SockaddrIn6(dst, 9))
        assert sogetsockname(node.kern, so).addr == US1
    assert toobig(node, quote(nxt=200)) == IGNORED, "a socket of another protocol"
    assert toobig(node, quote()) == TAKEN
    assert toobig(node, quote(FAR2)) == IGNORED, "hiwat is reached"
    assert toobig(node, quote(), 1300) == TAKEN, "a route that is counted already may fall"


def test_raw_sockets_stand_behind_packets_of_other_protocols() -> None:
    node = routed()
    node.kern.sysctl.write("net.inet6.icmp6.mtudisc_lowat", 0)
    so = socreate(node.kern, AF_INET6, SOCK_RAW, 200)
    soconnect(node.kern, so, SockaddrIn6(STRANGER))
    assert toobig(node, quote()) == IGNORED
    assert toobig(node, quote(nxt=201)) == IGNORED
    assert toobig(node, quote(nxt=200)) == TAKEN


def test_a_negative_limit_is_none() -> None:
    node = routed()
    node.kern.sysctl.write("net.inet6.icmp6.mtudisc_lowat", -1)
    assert toobig(node, quote()) == TAKEN


def test_the_update_can_be_asked_for_by_the_kernel_itself() -> None:
    node = routed()
    assert icmp6_mtudisc_update(node.kern, STRANGER, 1280)
    assert not icmp6_mtudisc_update(node.kern, STRANGER, 1280)
    assert not icmp6_mtudisc_update(node.kern, STRANGER, 1279)
    zoned = in6_embedscope(addr("fe80::9"), node.rip1.if_index)
    assert icmp6_mtudisc_update(node.kern, zoned, 1300)
    rt = host(node, zoned)
    assert rt is not None and rt.rt_ifp is node.rip1


# -- on an Ethernet -------------------------------------------------------------------------------

NEAR = addr("2001:db8:1::77")


def on_ethernet() -> nd_node.Node:
    """A node with NEAR on its link."""
    node = nd_node.Node()
    in6_update_ifa(node.kern, node.ifp, US1, 64)
    node.until(120 * NS)
    return node


def test_a_neighbours_entry_keeps_its_own_time() -> None:
    node = on_ethernet()
    node.output(NEAR)
    node.receive(nd_node.na(NEAR, src=NEAR))
    rt = host_on(node, NEAR)
    before = rt.rt_rmx.rmx_expire
    assert icmp6_mtudisc_update(node.kern, NEAR, 1300)
    assert (rt.rt_rmx.rmx_mtu, rt.rt_rmx.rmx_expire) == (1300, before)
    rt.rt_rmx.rmx_expire = 5
    icmp6_mtudisc_timeout(node.kern, rt)
    assert (rt.rt_rmx.rmx_mtu, rt.rt_rmx.rmx_expire) == (0, 5)


def host_on(node: nd_node.Node, dst: bytes) -> Rtentry:
    rt = node.kern.rt.exact(dst, 128)
    assert rt is not None
    return rt


def test_a_link_route_that_makes_no_neighbours_takes_no_path_mtu() -> None:
    node = on_ethernet()
    rtrequest(node.kern, RTM_ADD, STRANGER, 64, LinkAddr(node.zone), 0, node.ifp)
    assert not icmp6_mtudisc_update(node.kern, STRANGER, 1300)
    assert node.kern.rt.exact(STRANGER, 128) is None


def test_a_gateway_on_ethernet_makes_a_host_route() -> None:
    node = on_ethernet()
    router = in6_embedscope(nd_node.PEER, node.zone)
    rtrequest(node.kern, RTM_ADD, bytes(16), 0, router, RTF_GATEWAY, node.ifp)
    assert icmp6_mtudisc_update(node.kern, STRANGER, 1300)
    assert host_on(node, STRANGER).rt_gateway == router


def test_a_neighbour_gets_the_mtu_of_its_prefix_back() -> None:
    node = on_ethernet()
    node.output(NEAR)
    rt = host_on(node, NEAR)
    assert rt.rt_parent is not None
    rt.rt_parent.rt_rmx.rmx_mtu = 1450
    icmp6_mtudisc_update(node.kern, NEAR, 1300)
    icmp6_mtudisc_timeout(node.kern, rt)
    assert rt.rt_rmx.rmx_mtu == 1450
