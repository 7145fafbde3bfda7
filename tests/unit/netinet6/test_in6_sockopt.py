# SPDX-License-Identifier: BSD-3-Clause
"""Socket options and ancillary data: what a packet looks like because of them, what is refused."""

from __future__ import annotations

import pytest

from kame_py.kern.uipc_socket import (
    Socket,
    soclose,
    soconnect,
    sogetopt,
    soreceive,
    sosend,
    sosetopt,
)
from kame_py.netinet6.scope6 import in6_embedscope
from kame_py.wire.codecs import Ip6Dest, Ip6Hbh, Ip6Hdr
from kame_py.wire.const import (
    IPPROTO_DSTOPTS,
    IPPROTO_FRAGMENT,
    IPPROTO_HOPOPTS,
    IPPROTO_ROUTING,
    IPPROTO_UDP,
)
from kame_py.wire.errno import EADDRNOTAVAIL, EINVAL, ENOPROTOOPT, ENOTCONN, ENXIO, KError
from kame_py.wire.ip6ext import build_rthdr0, walk
from kame_py.wire.sockaddr import (
    IPPROTO_IPV6,
    IPV6_DSTOPTS,
    IPV6_HOPLIMIT,
    IPV6_HOPOPTS,
    IPV6_JOIN_GROUP,
    IPV6_LEAVE_GROUP,
    IPV6_MULTICAST_HOPS,
    IPV6_MULTICAST_IF,
    IPV6_MULTICAST_LOOP,
    IPV6_NEXTHOP,
    IPV6_PATHMTU,
    IPV6_PKTINFO,
    IPV6_RTHDR,
    IPV6_UNICAST_HOPS,
    IPV6_USE_MIN_MTU,
    Cmsg,
    Received,
    SockaddrIn6,
)
from tests.unit.netinet6.ip6_node import PEER1, PEER2, STRANGER, US1, US2, Node, addr
from tests.unit.netinet6.udp_node import PORT, SPORT, bound, udp

TO = SockaddrIn6(PEER1, SPORT)
GROUP = addr("ff0e::77")
LLGROUP = addr("ff02::77")
PADDING = bytes((1, 4)) + bytes(4)  # PadN that fills a header of 8 octets
HBH = Ip6Hbh(ip6h_nxt=0, ip6h_len=0).pack() + PADDING
DST = Ip6Dest(ip6d_nxt=0, ip6d_len=0).pack() + PADDING


def opt(node: Node, so: Socket, name: int, value: object) -> None:
    sosetopt(node.kern, so, IPPROTO_IPV6, name, value)


def get(node: Node, so: Socket, name: int) -> object:
    return sogetopt(node.kern, so, IPPROTO_IPV6, name)


def send(
    node: Node, so: Socket, *control: tuple[int, object], to: SockaddrIn6 = TO, data: bytes = b"x"
) -> list[tuple[str, bytes]]:
    """What goes out for one record with this ancillary data, MLD aside."""
    cmsgs = tuple(Cmsg(IPPROTO_IPV6, kind, value) for kind, value in control)
    sosend(node.kern, so, data, to, cmsgs)
    return node.sent()


def refused(errno: int, fn: object, *args: object) -> None:
    """The call fails with this errno."""
    assert callable(fn)
    with pytest.raises(KError) as failed:
        fn(*args)
    assert failed.value.errno == errno


def chain(packet: bytes) -> list[int]:
    """The protocol numbers of the extension headers, then the upper protocol."""
    found = walk(packet, Ip6Hdr.unpack(packet).ip6_nxt, Ip6Hdr.SIZE, len(packet))
    return [h.nxt_type for h in found.headers] + [found.nxt]


def hlims(packets: list[tuple[str, bytes]]) -> list[int]:
    return [Ip6Hdr.unpack(p).ip6_hlim for _, p in packets]


# -- hop limits -----------------------------------------------------------------------------------


def test_unicast_hop_limit_of_socket_and_packet() -> None:
    node = Node()
    so = bound(node)
    assert get(node, so, IPV6_UNICAST_HOPS) == 64
    opt(node, so, IPV6_UNICAST_HOPS, 9)
    assert get(node, so, IPV6_UNICAST_HOPS) == 9
    assert hlims(send(node, so)) == [9]
    assert hlims(send(node, so, (IPV6_HOPLIMIT, 3))) == [3]
    opt(node, so, IPV6_UNICAST_HOPS, -1)
    assert hlims(send(node, so)) == [64]


def test_multicast_hop_limit_is_its_own() -> None:
    node = Node()
    so = bound(node)
    opt(node, so, IPV6_MULTICAST_IF, node.rip1.if_index)
    opt(node, so, IPV6_UNICAST_HOPS, 9)
    to = SockaddrIn6(GROUP, SPORT)
    assert get(node, so, IPV6_MULTICAST_HOPS) == 1
    assert hlims(send(node, so, to=to)) == [1]
    opt(node, so, IPV6_MULTICAST_HOPS, 5)
    assert hlims(send(node, so, to=to)) == [5]


@pytest.mark.parametrize("name", [IPV6_UNICAST_HOPS, IPV6_MULTICAST_HOPS])
@pytest.mark.parametrize("value", [-2, 256, b"1"])
def test_hop_limit_out_of_range_is_refused(name: int, value: object) -> None:
    node = Node()
    refused(EINVAL, opt, node, bound(node), name, value)


# -- multicast ------------------------------------------------------------------------------------


def test_multicast_interface_serves_groups_without_scope() -> None:
    node = Node()
    so = bound(node)
    assert get(node, so, IPV6_MULTICAST_IF) == 0
    opt(node, so, IPV6_MULTICAST_IF, node.rip1.if_index)
    assert get(node, so, IPV6_MULTICAST_IF) == node.rip1.if_index
    assert [ifname for ifname, _ in send(node, so, to=SockaddrIn6(LLGROUP, SPORT))] == ["rip1"]
    scoped = SockaddrIn6(LLGROUP, SPORT, node.rip0.if_index)
    assert [ifname for ifname, _ in send(node, so, to=scoped)] == ["rip0"]
    refused(ENXIO, opt, node, so, IPV6_MULTICAST_IF, 99)


def test_group_is_joined_and_left_with_the_socket() -> None:
    node = Node()
    one, two = bound(node), bound(node, port=PORT + 1)
    group = in6_embedscope(LLGROUP, node.rip0.if_index)
    for so in (one, two):
        opt(node, so, IPV6_JOIN_GROUP, (LLGROUP, node.rip0.if_index))
    assert group in node.rip0.in6_multi
    opt(node, one, IPV6_LEAVE_GROUP, (LLGROUP, node.rip0.if_index))
    assert group in node.rip0.in6_multi
    soclose(node.kern, two)
    assert group not in node.rip0.in6_multi
    refused(EADDRNOTAVAIL, opt, node, one, IPV6_LEAVE_GROUP, (LLGROUP, node.rip0.if_index))


@pytest.mark.parametrize(
    ("value", "errno"),
    [((US1, 2), EINVAL), ((GROUP, 99), ENXIO), (GROUP, EINVAL), (5, EINVAL), ((b"", 2), EINVAL)],
)
def test_bad_membership_is_refused(value: object, errno: int) -> None:
    node = Node()
    refused(errno, opt, node, bound(node), IPV6_JOIN_GROUP, value)


@pytest.mark.parametrize("loop", [0, 1])
def test_own_multicast_comes_back_unless_loop_is_off(loop: int) -> None:
    node = Node()
    so = bound(node)
    opt(node, so, IPV6_JOIN_GROUP, (LLGROUP, node.rip0.if_index))
    opt(node, so, IPV6_MULTICAST_LOOP, loop)
    sosend(node.kern, so, b"x", SockaddrIn6(LLGROUP, PORT, node.rip0.if_index))
    node.kern.run_softintr()
    assert len(so.so_rcv) == loop
    node.conserved()


# -- packet information ---------------------------------------------------------------------------


def test_packet_information_names_source_and_is_told_on_arrival() -> None:
    node = Node()
    so = bound(node)
    out = send(node, so, (IPV6_PKTINFO, (US2, 0)))
    assert out == [("rip0", udp(b"x", US2, PEER1, PORT, SPORT))]
    opt(node, so, IPV6_PKTINFO, 1)
    opt(node, so, IPV6_HOPLIMIT, 1)
    node.receive(udp(hlim=17))
    assert soreceive(node.kern, so) == Received(
        b"hello",
        TO,
        (
            Cmsg(IPPROTO_IPV6, IPV6_PKTINFO, (US1, node.rip0.if_index)),
            Cmsg(IPPROTO_IPV6, IPV6_HOPLIMIT, 17),
        ),
    )


def test_sticky_packet_information_serves_every_packet_until_it_is_cleared() -> None:
    node = Node()
    so = bound(node)
    opt(node, so, IPV6_PKTINFO, (US2, 0))
    assert [Ip6Hdr.unpack(p).ip6_src for _, p in send(node, so)] == [US2]
    opt(node, so, IPV6_PKTINFO, (bytes(16), 0))
    assert [Ip6Hdr.unpack(p).ip6_src for _, p in send(node, so)] == [US1]


@pytest.mark.parametrize(
    ("value", "errno"),
    [
        ((PEER1, 0), EADDRNOTAVAIL),
        ((US1, 99), ENXIO),
        ((addr("fe80::1"), 0), EADDRNOTAVAIL),
        ((US1,), EINVAL),
        ("US1", EINVAL),
    ],
)
def test_bad_packet_information_is_refused(value: object, errno: int) -> None:
    node = Node()
    refused(errno, send, node, bound(node), (IPV6_PKTINFO, value))
    assert node.sent() == []


# -- extension headers ----------------------------------------------------------------------------


def test_headers_of_one_packet_are_sent_in_order() -> None:
    node = Node()
    so = bound(node)
    ((_, packet),) = send(node, so, (IPV6_DSTOPTS, DST), (IPV6_HOPOPTS, HBH))
    assert chain(packet) == [IPPROTO_HOPOPTS, IPPROTO_DSTOPTS, IPPROTO_UDP]
    ((_, packet),) = send(node, so)
    assert chain(packet) == [IPPROTO_UDP]


def test_options_before_a_routing_header_go_in_front_of_it() -> None:
    node = Node()
    so = bound(node)
    via = build_rthdr0(0, [PEER1], 1)
    ((_, packet),) = send(node, so, (IPV6_DSTOPTS, DST), (IPV6_RTHDR, via))
    assert chain(packet) == [IPPROTO_DSTOPTS, IPPROTO_ROUTING, IPPROTO_UDP]
    ((_, packet),) = send(node, so, (IPV6_RTHDR, via), (IPV6_DSTOPTS, DST))
    assert chain(packet) == [IPPROTO_ROUTING, IPPROTO_DSTOPTS, IPPROTO_UDP]
    before_and_behind = ((IPV6_DSTOPTS, DST), (IPV6_RTHDR, via), (IPV6_DSTOPTS, DST))
    ((_, packet),) = send(node, so, *before_and_behind)
    assert chain(packet) == [IPPROTO_DSTOPTS, IPPROTO_ROUTING, IPPROTO_DSTOPTS, IPPROTO_UDP]


def test_received_headers_are_told() -> None:
    node = Node()
    so = bound(node)
    for name in (IPV6_HOPOPTS, IPV6_DSTOPTS):
        opt(node, so, name, 1)
    hbh = Ip6Hbh(ip6h_nxt=IPPROTO_DSTOPTS, ip6h_len=0).pack() + PADDING
    dst = Ip6Dest(ip6d_nxt=IPPROTO_UDP, ip6d_len=0).pack() + PADDING
    whole = udp()
    head = Ip6Hdr.unpack(whole)
    head.ip6_nxt = IPPROTO_HOPOPTS
    head.ip6_plen += len(hbh) + len(dst)
    node.receive(head.pack() + hbh + dst + whole[Ip6Hdr.SIZE :])
    assert soreceive(node.kern, so).control == (
        Cmsg(IPPROTO_IPV6, IPV6_HOPOPTS, hbh),
        Cmsg(IPPROTO_IPV6, IPV6_DSTOPTS, dst),
    )


def test_sticky_header_is_taken_away_by_nothing() -> None:
    node = Node()
    so = bound(node)
    opt(node, so, IPV6_DSTOPTS, DST)
    assert [chain(p) for _, p in send(node, so)] == [[IPPROTO_DSTOPTS, IPPROTO_UDP]]
    opt(node, so, IPV6_DSTOPTS, b"")
    assert [chain(p) for _, p in send(node, so)] == [[IPPROTO_UDP]]


@pytest.mark.parametrize("name", [IPV6_HOPOPTS, IPV6_DSTOPTS, IPV6_RTHDR])
@pytest.mark.parametrize("value", [HBH[:7], HBH + bytes(8), "text", b"\0"])
def test_header_of_wrong_length_is_refused(name: int, value: object) -> None:
    node = Node()
    refused(EINVAL, send, node, bound(node), (name, value))


def test_option_that_overruns_its_header_is_refused() -> None:
    node = Node()
    bad = HBH[:2] + bytes((1, 5)) + bytes(4)
    refused(EINVAL, send, node, bound(node), (IPV6_HOPOPTS, bad))


def test_next_hop_is_used_instead_of_the_route() -> None:
    node = Node()
    so = bound(node, US1)
    out = send(node, so, (IPV6_NEXTHOP, SockaddrIn6(PEER2)), to=SockaddrIn6(STRANGER, SPORT))
    assert out == [("rip1", udp(b"x", US1, STRANGER, PORT, SPORT))]


def test_unknown_ancillary_data_is_refused() -> None:
    node = Node()
    refused(EINVAL, send, node, bound(node), (99, 1))


# -- path MTU -------------------------------------------------------------------------------------


def test_min_mtu_fragments_to_1280() -> None:
    node = Node()
    so = bound(node)
    assert [chain(p) for _, p in send(node, so, data=bytes(1400))] == [[IPPROTO_UDP]]
    opt(node, so, IPV6_USE_MIN_MTU, 1)
    assert get(node, so, IPV6_USE_MIN_MTU) == 1
    packets = [p for _, p in send(node, so, data=bytes(1400))]
    assert [chain(p)[0] for p in packets] == [IPPROTO_FRAGMENT, IPPROTO_FRAGMENT]
    assert max(map(len, packets)) <= 1280


def test_path_mtu_of_a_connected_socket() -> None:
    node = Node()
    so = bound(node)
    refused(ENOTCONN, get, node, so, IPV6_PATHMTU)
    soconnect(node.kern, so, TO)
    assert get(node, so, IPV6_PATHMTU) == 1500


def test_unknown_options_are_refused() -> None:
    node = Node()
    so = bound(node)
    refused(ENOPROTOOPT, opt, node, so, 200, 1)
    refused(ENOPROTOOPT, get, node, so, 200)
    refused(EINVAL, sosetopt, node.kern, so, 99, 1, 1)
