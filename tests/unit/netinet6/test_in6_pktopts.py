# SPDX-License-Identifier: BSD-3-Clause
"""Memberships of sockets, and headers that a program gives for one packet or for all."""

from __future__ import annotations

import pytest

from kame_py.kern.uipc_socket import (
    Socket,
    sobind,
    soclose,
    socreate,
    sogetopt,
    sosend,
    sosetopt,
)
from kame_py.net.if_ import IFF_MULTICAST, Ifnet
from kame_py.net.route import RTF_GATEWAY, RTM_ADD, LinkAddr, rtrequest
from kame_py.netinet6.scope6 import in6_embedscope
from kame_py.wire.codecs import Ip6Hdr
from kame_py.wire.const import (
    IPPROTO_DSTOPTS,
    IPPROTO_HOPOPTS,
    IPPROTO_ICMPV6,
    IPPROTO_ROUTING,
    IPPROTO_UDP,
)
from kame_py.wire.errno import (
    EADDRINUSE,
    EADDRNOTAVAIL,
    EINVAL,
    ENOPROTOOPT,
    ENXIO,
    KError,
)
from kame_py.wire.ip6ext import build_rthdr0
from kame_py.wire.sockaddr import (
    AF_INET6,
    IPPROTO_IPV6,
    IPV6_CHECKSUM,
    IPV6_DSTOPTS,
    IPV6_HOPLIMIT,
    IPV6_HOPOPTS,
    IPV6_JOIN_GROUP,
    IPV6_LEAVE_GROUP,
    IPV6_MULTICAST_HOPS,
    IPV6_MULTICAST_IF,
    IPV6_MULTICAST_LOOP,
    IPV6_NEXTHOP,
    IPV6_PKTINFO,
    IPV6_RECVPATHMTU,
    IPV6_RECVRTHDRDSTOPTS,
    IPV6_RTHDR,
    IPV6_UNICAST_HOPS,
    IPV6_USE_MIN_MTU,
    IPV6_V6ONLY,
    SOCK_DGRAM,
    SOCK_RAW,
    Cmsg,
    SockaddrIn6,
)
from tests.unit.netinet6.ip6_node import PEER1, PEER2, STRANGER, US1, US2, Node, addr, ip6
from tests.unit.netinet6.udp_node import PORT, SPORT, bound, udp

GROUP = addr("ff02::99")
GLOBAL_GROUP = addr("ff0e::99")
TO = SockaddrIn6(PEER1, SPORT)
PADN = bytes((1, 4, 0, 0, 0, 0))
HBH = bytes((0, 0)) + PADN
DEST = bytes((0, 0)) + PADN
DEST_LONG = bytes((0, 1, 1, 12)) + bytes(12)


def opened(node: Node) -> Socket:
    return socreate(node.kern, AF_INET6, SOCK_DGRAM, 0)


def raw(node: Node, proto: int = 200) -> Socket:
    return socreate(node.kern, AF_INET6, SOCK_RAW, proto)


def setopt(node: Node, so: Socket, opt: int, value: object) -> None:
    sosetopt(node.kern, so, IPPROTO_IPV6, opt, value)


def getopt(node: Node, so: Socket, opt: int) -> object:
    return sogetopt(node.kern, so, IPPROTO_IPV6, opt)


def refused(errno: int, fn: object, *args: object) -> None:
    assert callable(fn)
    with pytest.raises(KError) as got:
        fn(*args)
    assert got.value.errno == errno


def cmsg(kind: int, value: object) -> Cmsg:
    return Cmsg(IPPROTO_IPV6, kind, value)


def packets(node: Node) -> list[bytes]:
    return [p for _, p in node.sent()]


# -- values ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "opt",
    [
        IPV6_PKTINFO,
        IPV6_HOPLIMIT,
        IPV6_HOPOPTS,
        IPV6_DSTOPTS,
        IPV6_RTHDR,
        IPV6_RECVRTHDRDSTOPTS,
        IPV6_USE_MIN_MTU,
        IPV6_RECVPATHMTU,
        IPV6_V6ONLY,
    ],
)
def test_a_switch_is_off_then_on_then_off(opt: int) -> None:
    node = Node()
    so = opened(node)
    seen = []
    for value in (0, 1, 0):
        setopt(node, so, opt, value)
        seen.append(getopt(node, so, opt))
    assert seen == [0, 1, 0]


def test_minus_one_gives_the_hop_limits_back_to_the_system() -> None:
    node = Node()
    so = opened(node)
    for opt in (IPV6_UNICAST_HOPS, IPV6_MULTICAST_HOPS):
        default = getopt(node, so, opt)
        setopt(node, so, opt, 9)
        setopt(node, so, opt, -1)
        assert getopt(node, so, opt) == default


def test_checksum_offset_is_for_raw_sockets_and_fixed_for_icmp6() -> None:
    node = Node()
    assert getopt(node, raw(node), IPV6_CHECKSUM) == -1
    so = raw(node)
    setopt(node, so, IPV6_CHECKSUM, 6)
    assert getopt(node, so, IPV6_CHECKSUM) == 6
    setopt(node, so, IPV6_CHECKSUM, -1)
    assert getopt(node, so, IPV6_CHECKSUM) == -1
    refused(EINVAL, setopt, node, so, IPV6_CHECKSUM, -2)
    icmp6 = raw(node, IPPROTO_ICMPV6)
    setopt(node, icmp6, IPV6_CHECKSUM, 2)
    assert getopt(node, icmp6, IPV6_CHECKSUM) == 2
    refused(ENOPROTOOPT, setopt, node, opened(node), IPV6_CHECKSUM, 6)
    refused(ENOPROTOOPT, getopt, node, opened(node), IPV6_CHECKSUM)


# -- multicast ------------------------------------------------------------------------------------


def test_members_hear_the_group_until_they_leave() -> None:
    node = Node()
    so = bound(node)
    index = node.rip0.if_index
    setopt(node, so, IPV6_JOIN_GROUP, (GROUP, index))
    node.receive(udp(dst=GROUP))
    assert len(so.so_rcv) == 1
    setopt(node, so, IPV6_LEAVE_GROUP, (GROUP, index))
    m = node.receive(udp(dst=GROUP))
    assert m.reason is not None and m.reason.name == "IP6_NOTMEMBER"


def test_a_group_is_joined_once_and_left_once() -> None:
    node = Node()
    so = opened(node)
    mreq = (GROUP, node.rip0.if_index)
    refused(EADDRNOTAVAIL, setopt, node, so, IPV6_LEAVE_GROUP, mreq)
    setopt(node, so, IPV6_JOIN_GROUP, mreq)
    refused(EADDRINUSE, setopt, node, so, IPV6_JOIN_GROUP, mreq)
    setopt(node, so, IPV6_JOIN_GROUP, (GROUP, node.rip1.if_index))
    setopt(node, so, IPV6_LEAVE_GROUP, mreq)
    refused(EADDRNOTAVAIL, setopt, node, so, IPV6_LEAVE_GROUP, mreq)
    assert [ifp.if_name for _, ifp in _memberships(node)] == ["rip1"]


def _memberships(node: Node) -> list[tuple[bytes, Ifnet]]:
    return [(g, ifp) for ifp in node.kern.ifnets for g in ifp.in6_multi if g[4:] == GROUP[4:]]


def test_two_sockets_share_a_membership_and_closing_leaves() -> None:
    node = Node()
    a, b = opened(node), opened(node)
    for so in (a, b):
        setopt(node, so, IPV6_JOIN_GROUP, (GROUP, node.rip0.if_index))
    group = in6_embedscope(GROUP, node.rip0.if_index)
    assert node.rip0.in6_multi[group].in6m_refcount == 2
    soclose(node.kern, a)
    assert node.rip0.in6_multi[group].in6m_refcount == 1
    soclose(node.kern, b)
    assert group not in node.rip0.in6_multi


def test_interface_zero_joins_by_the_routes_and_leaves_where_it_joined() -> None:
    node = Node()
    so = opened(node)
    refused(EADDRNOTAVAIL, setopt, node, so, IPV6_JOIN_GROUP, (GLOBAL_GROUP, 0))
    gateway = LinkAddr(node.rip1.if_index)
    rtrequest(node.kern, RTM_ADD, GLOBAL_GROUP, 16, gateway, 0, node.rip1)
    setopt(node, so, IPV6_JOIN_GROUP, (GLOBAL_GROUP, 0))
    assert GLOBAL_GROUP in node.rip1.in6_multi
    setopt(node, so, IPV6_LEAVE_GROUP, (GLOBAL_GROUP, 0))
    assert GLOBAL_GROUP not in node.rip1.in6_multi
    setopt(node, so, IPV6_JOIN_GROUP, (GROUP, node.rip0.if_index))
    setopt(node, so, IPV6_LEAVE_GROUP, (GROUP, 0))
    assert _memberships(node) == []


def test_an_interface_without_multicast_is_refused() -> None:
    node = Node()
    so = opened(node)
    node.rip0.if_flags &= ~IFF_MULTICAST
    index = node.rip0.if_index
    refused(EADDRNOTAVAIL, setopt, node, so, IPV6_JOIN_GROUP, (GROUP, index))
    refused(EADDRNOTAVAIL, setopt, node, so, IPV6_MULTICAST_IF, index)


# -- headers that a program gives -----------------------------------------------------------------


def datagram(nxt: int, headers: bytes, dst: bytes = PEER1, final: bytes | None = None) -> bytes:
    """What a socket bound to PORT sends as b"data": headers, then UDP summed for ``final``."""
    inner = udp(b"data", US1, final or dst, PORT, SPORT)[Ip6Hdr.SIZE :]
    return ip6(headers + inner, nxt, US1, dst)


def with_nxt(header: bytes, nxt: int) -> bytes:
    return bytes((nxt,)) + header[1:]


@pytest.mark.parametrize(
    ("opt", "nxt"), [(IPV6_HOPOPTS, IPPROTO_HOPOPTS), (IPV6_DSTOPTS, IPPROTO_DSTOPTS)]
)
def test_options_go_with_one_packet_or_with_all(opt: int, nxt: int) -> None:
    node = Node()
    so = bound(node)
    want = datagram(nxt, with_nxt(HBH, IPPROTO_UDP))
    sosend(node.kern, so, b"data", TO, (cmsg(opt, HBH),))
    sosend(node.kern, so, b"data", TO)
    assert packets(node) == [want, datagram(IPPROTO_UDP, b"")]
    setopt(node, so, opt, HBH)
    sosend(node.kern, so, b"data", TO)
    sosend(node.kern, so, b"data", TO)
    assert packets(node) == [want, want]
    setopt(node, so, opt, b"")
    sosend(node.kern, so, b"data", TO)
    assert packets(node) == [datagram(IPPROTO_UDP, b"")]


def test_ancillary_headers_replace_the_sticky_ones() -> None:
    node = Node()
    so = bound(node)
    setopt(node, so, IPV6_DSTOPTS, DEST)
    sosend(node.kern, so, b"data", TO, (cmsg(IPV6_DSTOPTS, DEST_LONG),))
    assert packets(node) == [datagram(IPPROTO_DSTOPTS, with_nxt(DEST_LONG, IPPROTO_UDP))]


def test_a_routing_header_sends_by_its_first_hop_and_the_checksum_is_for_the_last() -> None:
    node = Node()
    so = bound(node)
    final = SockaddrIn6(STRANGER, SPORT)
    rtrequest(node.kern, RTM_ADD, bytes(16), 0, PEER1, RTF_GATEWAY)
    sosend(node.kern, so, b"data", final, (cmsg(IPV6_RTHDR, build_rthdr0(0, [PEER1], 1)),))
    rthdr = build_rthdr0(IPPROTO_UDP, [STRANGER], 1)
    assert packets(node) == [datagram(IPPROTO_ROUTING, rthdr, PEER1, STRANGER)]


def test_destination_options_behind_the_routing_header_stay_there() -> None:
    node = Node()
    so = bound(node)
    control = (cmsg(IPV6_RTHDR, build_rthdr0(0, [PEER2], 1)), cmsg(IPV6_DSTOPTS, DEST))
    sosend(node.kern, so, b"data", TO, control)
    headers = build_rthdr0(IPPROTO_DSTOPTS, [PEER1], 1) + with_nxt(DEST, IPPROTO_UDP)
    assert packets(node) == [datagram(IPPROTO_ROUTING, headers, PEER2, PEER1)]


def test_next_hop_chooses_the_way_of_one_packet() -> None:
    node = Node()
    so = bound(node)
    sosend(node.kern, so, b"x", TO, (cmsg(IPV6_NEXTHOP, SockaddrIn6(PEER2)),))
    sosend(node.kern, so, b"x", TO)
    assert [name for name, _ in node.sent()] == ["rip1", "rip0"]
    setopt(node, so, IPV6_NEXTHOP, SockaddrIn6(PEER2))
    sosend(node.kern, so, b"x", TO)
    assert [name for name, _ in node.sent()] == ["rip1"]


@pytest.mark.parametrize(
    ("kind", "value", "errno"),
    [
        (IPV6_HOPOPTS, HBH[:7], EINVAL),
        (IPV6_HOPOPTS, HBH + bytes(8), EINVAL),
        (IPV6_DSTOPTS, b"\0\0\1\x05" + bytes(4), EINVAL),  # PadN longer than the header
        (IPV6_RTHDR, "text", EINVAL),
        (IPV6_HOPLIMIT, 256, EINVAL),
        (IPV6_HOPLIMIT, -2, EINVAL),
        (IPV6_HOPLIMIT, b"1", EINVAL),
        (IPV6_NEXTHOP, b"", EINVAL),
        (IPV6_NEXTHOP, SockaddrIn6(addr("fe80::1")), EINVAL),
        (IPV6_PKTINFO, US1, EINVAL),
        (IPV6_PKTINFO, (US1, "rip0"), EINVAL),
        (IPV6_PKTINFO, (US1[:4], 0), EINVAL),
        (IPV6_PKTINFO, (PEER1, 0), EADDRNOTAVAIL),
        (IPV6_PKTINFO, (addr("fe80::1"), 0), EADDRNOTAVAIL),
        (IPV6_PKTINFO, (bytes(16), 99), ENXIO),
        (IPV6_MULTICAST_LOOP, 1, EINVAL),
    ],
)
def test_bad_ancillary_data_is_refused_and_nothing_is_sent(
    kind: int, value: object, errno: int
) -> None:
    node = Node()
    so = bound(node)
    refused(errno, sosend, node.kern, so, b"x", TO, (cmsg(kind, value),))
    assert node.sent() == []


def test_ancillary_data_of_another_level_is_not_ours() -> None:
    node = Node()
    sosend(node.kern, bound(node), b"x", TO, (Cmsg(0xFFFF, 1, 2),))
    assert len(node.sent()) == 1


def test_a_raw_socket_bound_to_an_address_sends_from_it() -> None:
    node = Node()
    so = raw(node)
    sobind(node.kern, so, SockaddrIn6(US2))
    sosend(node.kern, so, b"x", SockaddrIn6(PEER1))
    assert packets(node) == [ip6(b"x", 200, US2, PEER1)]


def test_sticky_packet_information_is_checked_when_it_is_set() -> None:
    node = Node()
    so = opened(node)
    refused(EADDRNOTAVAIL, setopt, node, so, IPV6_PKTINFO, (PEER1, 0))
    refused(EADDRNOTAVAIL, setopt, node, so, IPV6_PKTINFO, (addr("fe80::1"), 0))
    ours = next(ia.ia_addr for ia in node.rip0.in6_addrs if ia.ia_addr[0] == 0xFE)
    link_local = ours[:2] + bytes(2) + ours[4:]
    setopt(node, so, IPV6_PKTINFO, (link_local, node.rip0.if_index))
    refused(EADDRNOTAVAIL, setopt, node, so, IPV6_PKTINFO, (link_local, node.rip1.if_index))


def test_loop_is_told_as_it_was_set() -> None:
    node = Node()
    so = opened(node)
    assert getopt(node, so, IPV6_MULTICAST_LOOP) == 1
    setopt(node, so, IPV6_MULTICAST_LOOP, 0)
    assert getopt(node, so, IPV6_MULTICAST_LOOP) == 0
    refused(EINVAL, setopt, node, so, IPV6_MULTICAST_LOOP, 2)


def test_only_the_named_group_is_left() -> None:
    node = Node()
    so = opened(node)
    index = node.rip0.if_index
    setopt(node, so, IPV6_JOIN_GROUP, (addr("ff02::98"), index))
    setopt(node, so, IPV6_JOIN_GROUP, (GROUP, index))
    setopt(node, so, IPV6_LEAVE_GROUP, (GROUP, index))
    assert _memberships(node) == []
    assert in6_embedscope(addr("ff02::98"), index) in node.rip0.in6_multi


def test_a_hop_limit_of_zero_is_one() -> None:
    node = Node()
    so = bound(node)
    for opt in (IPV6_UNICAST_HOPS, IPV6_MULTICAST_HOPS):
        setopt(node, so, opt, 0)
        assert getopt(node, so, opt) == 0
    setopt(node, so, IPV6_UNICAST_HOPS, -1)
    sosend(node.kern, so, b"x", TO, (cmsg(IPV6_HOPLIMIT, 0),))
    assert [Ip6Hdr.unpack(p).ip6_hlim for p in packets(node)] == [0]
    to_group = SockaddrIn6(GROUP, SPORT, node.rip0.if_index)
    sosend(node.kern, so, b"x", to_group)
    assert packets(node) == [], "a group at hop limit 0 stays on this node"
