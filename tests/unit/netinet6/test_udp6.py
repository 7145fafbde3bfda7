# SPDX-License-Identifier: BSD-3-Clause
"""UDP sockets: who gets a datagram, what is refused, what goes out, who learns of errors."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kame_py.kern.mbuf import M_MCAST, Fate, Mbuf, m_get
from kame_py.kern.uipc_socket import (
    SB_MAX,
    SB_RECORD,
    Socket,
    sobind,
    soclose,
    soconnect,
    socreate,
    sogetsockname,
    soisreadable,
    soreceive,
    sosend,
    sosetopt,
)
from kame_py.net.route import RTF_GATEWAY, RTF_REJECT, RTM_ADD, rtrequest
from kame_py.netinet6.in6 import in6_addmulti
from kame_py.netinet6.in6_pcb import IPPORT_HIFIRSTAUTO, IPPORT_HILASTAUTO
from kame_py.netinet6.in6_var import IN6_IFF_ANYCAST, IN6_IFF_DETACHED, IN6_IFF_TENTATIVE
from kame_py.netinet6.scope6 import in6_embedscope
from kame_py.netinet6.udp6_usrreq import udp6_input
from kame_py.wire.cksum import in6_cksum
from kame_py.wire.codecs import Ip6Hdr, Udphdr
from kame_py.wire.const import IPPROTO_UDP
from kame_py.wire.errno import (
    EADDRINUSE,
    EADDRNOTAVAIL,
    ECONNREFUSED,
    EDESTADDRREQ,
    EHOSTUNREACH,
    EINVAL,
    EISCONN,
    EMSGSIZE,
    ENOPROTOOPT,
    ENXIO,
    KError,
)
from kame_py.wire.patch import put_u16, put_u32
from kame_py.wire.sockaddr import (
    AF_INET6,
    IPPROTO_IPV6,
    IPV6_HOPLIMIT,
    IPV6_PATHMTU,
    IPV6_PKTINFO,
    IPV6_RECVPATHMTU,
    SO_RCVBUF,
    SO_REUSEADDR,
    SO_REUSEPORT,
    SOCK_DGRAM,
    SOL_SOCKET,
    Cmsg,
    SockaddrIn6,
)
from tests.unit.netinet6.ip6_node import (
    PEER1,
    PEER2,
    STRANGER,
    US1,
    US2,
    Node,
    addr,
    error,
    fate,
    ip6,
    name_bytes,
)
from tests.unit.netinet6.udp_node import PORT, SPORT, bound, udp

GROUP = addr("ff02::99")
GLOBAL_GROUP = addr("ff0e::99")
LL_PEER = addr("fe80::9")
LOOP = bytes(15) + b"\1"
UDP_IN = {"ip6.ip6s_total": 1, "ip6.ip6s_delivered": 1, "udp6.udp6s_ipackets": 1}


def to(who: bytes = PEER1, port: int = SPORT, scope: int = 0) -> SockaddrIn6:
    return SockaddrIn6(who, port, scope)


def opened(node: Node) -> Socket:
    return socreate(node.kern, AF_INET6, SOCK_DGRAM, IPPROTO_UDP)


def refused(errno: int, fn: object, *args: object) -> None:
    assert callable(fn)
    with pytest.raises(KError) as got:
        fn(*args)
    assert got.value.errno == errno


def member(node: Node, group: bytes = GROUP) -> None:
    in6_addmulti(node.kern, node.rip0, in6_embedscope(group, node.rip0.if_index))
    node.quiet()


# -- receiving ------------------------------------------------------------------------------------


def test_a_datagram_is_delivered_with_its_sender() -> None:
    node = Node()
    so = bound(node)
    assert fate(node.receive(udp())) == (Fate.DELIVERED, "")
    rec = soreceive(node.kern, so)
    assert (rec.data, rec.addr, rec.control) == (b"hello", to(), ())
    assert node.counters() == UDP_IN


def test_a_link_local_sender_comes_with_its_interface() -> None:
    node = Node()
    so = bound(node)
    ours = next(ia.ia_addr for ia in node.rip0.in6_addrs if ia.ia_addr[0] == 0xFE)
    ours = ours[:2] + bytes(2) + ours[4:]
    node.receive(udp(src=LL_PEER, dst=ours))
    assert soreceive(node.kern, so).addr == to(LL_PEER, scope=node.rip0.if_index)


def test_octets_behind_the_udp_length_are_not_data() -> None:
    node = Node()
    so = bound(node)
    inner = udp(b"hello")[Ip6Hdr.SIZE :]
    assert fate(node.receive(ip6(inner + b"rest", IPPROTO_UDP))) == (Fate.DELIVERED, "")
    assert soreceive(node.kern, so).data == b"hello"


@pytest.mark.parametrize(("size", "taken"), [(65535, False), (65536, True)])
def test_length_zero_stands_for_a_datagram_that_needs_a_jumbogram(size: int, taken: bool) -> None:
    node = Node()
    so = bound(node)
    sosetopt(node.kern, so, SOL_SOCKET, SO_RCVBUF, SB_MAX)
    raw = Udphdr(uh_sport=SPORT, uh_dport=PORT, uh_ulen=0).pack() + bytes(size - Udphdr.SIZE)
    raw = put_u16(raw, Udphdr.O_uh_sum, in6_cksum(PEER1, US1, IPPROTO_UDP, raw))
    # hop-by-hop options: jumbo payload, 4 octets: everything behind the IPv6 header
    jumbo = put_u32(bytes((IPPROTO_UDP, 0, 0xC2, 4)) + bytes(4), 4, 8 + size)
    m = node.receive(ip6(jumbo + raw, 0, plen=0))
    assert fate(m) == ((Fate.DELIVERED, "") if taken else (Fate.DROPPED, "UDP6_BADLEN"))


def test_an_empty_datagram_is_one() -> None:
    node = Node()
    so = bound(node)
    assert fate(node.receive(udp(b""))) == (Fate.DELIVERED, "")
    assert soreceive(node.kern, so).data == b""


@pytest.mark.parametrize(
    ("packet", "reason", "counter"),
    [
        (ip6(bytes(7), IPPROTO_UDP), "UDP6_TOOSHORT", "udp6s_hdrops"),
        (udp(ulen=14), "UDP6_BADLEN", "udp6s_badlen"),
        (udp(ulen=7), "UDP6_BADLEN", "udp6s_badlen"),
        (udp(ulen=0), "UDP6_BADLEN", "udp6s_badlen"),
        (udp(csum=0), "UDP6_NOSUM", "udp6s_nosum"),
        (udp(csum=1), "UDP6_BADSUM", "udp6s_badsum"),
        (udp(dport=0), "UDP6_BADPORT", "udp6s_badsum"),
    ],
    ids=name_bytes,
)
def test_a_bad_datagram_is_dropped_without_an_answer(
    packet: bytes, reason: str, counter: str
) -> None:
    node = Node()
    bound(node)
    assert fate(node.receive(packet)) == (Fate.DROPPED, reason)
    assert node.counters() == {**UDP_IN, f"udp6.{counter}": 1}
    assert node.sent() == []


def test_a_port_where_nobody_listens_is_told() -> None:
    node = Node()
    bound(node, port=PORT + 1)
    assert fate(node.receive(udp())) == (Fate.DROPPED, "UDP6_NOPORT")
    assert node.sent() == [("rip0", error(udp(), 1, 4))]


def test_a_group_where_nobody_listens_is_silent() -> None:
    node = Node()
    member(node)
    assert fate(node.receive(udp(dst=GROUP))) == (Fate.DROPPED, "UDP6_NOPORTMCAST")
    assert node.counters() == {**UDP_IN, "udp6.udp6s_noportmcast": 1}
    assert node.sent() == []


def test_a_closed_port_is_not_told_when_the_link_layer_made_it_multicast() -> None:
    node = Node()
    m = m_get(node.kern, udp(), node.rip0)
    m.src, m.dst, m.flags = PEER1, US1, M_MCAST
    udp6_input(node.kern, m, Ip6Hdr.SIZE, IPPROTO_UDP)
    assert fate(m) == (Fate.DROPPED, "UDP6_NOPORTMCAST")
    assert node.counters() == {"udp6.udp6s_ipackets": 1, "udp6.udp6s_noportmcast": 1}


def test_a_full_buffer_drops_and_reading_makes_room() -> None:
    node = Node()
    so = bound(node)
    sosetopt(node.kern, so, SOL_SOCKET, SO_RCVBUF, SB_RECORD + 5)
    assert fate(node.receive(udp())) == (Fate.DELIVERED, "")
    assert fate(node.receive(udp())) == (Fate.DROPPED, "UDP6_FULLSOCK")
    assert node.counters()["udp6.udp6s_fullsock"] == 1
    soreceive(node.kern, so)
    assert fate(node.receive(udp())) == (Fate.DELIVERED, "")


def got(node: Node, *sockets: Socket) -> list[int]:
    """How many records each socket has; they are taken."""
    out = [len(so.so_rcv) for so in sockets]
    for so in sockets:
        while so.so_rcv:
            soreceive(node.kern, so)
    return out


def test_the_best_match_alone_gets_a_unicast_datagram() -> None:
    node = Node()
    wild = opened(node)
    here, peer = opened(node), opened(node)
    for so in (wild, here, peer):
        sosetopt(node.kern, so, SOL_SOCKET, SO_REUSEPORT, 1)
    sobind(node.kern, wild, to(bytes(16), PORT))
    sobind(node.kern, here, to(US1, PORT))
    sobind(node.kern, peer, to(US1, PORT))
    soconnect(node.kern, peer, to())
    node.receive(udp())
    assert got(node, wild, here, peer) == [0, 0, 1]
    node.receive(udp(sport=SPORT + 1))
    assert got(node, wild, here, peer) == [0, 1, 0]
    node.receive(udp(src=PEER2, dst=US2))
    assert got(node, wild, here, peer) == [1, 0, 0]


def test_a_connected_socket_hears_only_its_peer() -> None:
    node = Node()
    so = bound(node)
    soconnect(node.kern, so, to())
    assert fate(node.receive(udp(sport=SPORT + 1))) == (Fate.DROPPED, "UDP6_NOPORT")
    assert fate(node.receive(udp())) == (Fate.DELIVERED, "")


def test_every_socket_that_fits_gets_a_multicast_datagram() -> None:
    node = Node()
    member(node)
    sockets = [opened(node) for _ in range(4)]
    for so in sockets:
        sosetopt(node.kern, so, SOL_SOCKET, SO_REUSEPORT, 1)
    wild, group, peer, here = sockets
    sobind(node.kern, wild, to(bytes(16), PORT))
    sobind(node.kern, group, to(GROUP, PORT, node.rip0.if_index))
    sobind(node.kern, peer, to(GROUP, PORT, node.rip0.if_index))
    soconnect(node.kern, peer, to(PEER1, SPORT + 1))
    sobind(node.kern, here, to(US1, PORT))
    assert fate(node.receive(udp(dst=GROUP))) == (Fate.DELIVERED, "")
    assert got(node, *sockets) == [1, 1, 0, 0]
    node.receive(udp(dst=GROUP, sport=SPORT + 1))
    assert got(node, *sockets) == [1, 1, 1, 0]


def test_multicast_is_lost_only_when_all_are_full_and_each_full_socket_counts() -> None:
    node = Node()
    member(node)
    first, second = opened(node), opened(node)
    for so in (first, second):
        sosetopt(node.kern, so, SOL_SOCKET, SO_REUSEPORT, 1)
        sobind(node.kern, so, to(bytes(16), PORT))
    sosetopt(node.kern, first, SOL_SOCKET, SO_RCVBUF, 1)
    assert fate(node.receive(udp(dst=GROUP))) == (Fate.DELIVERED, "")
    assert node.counters()["udp6.udp6s_fullsock"] == 1
    sosetopt(node.kern, second, SOL_SOCKET, SO_RCVBUF, 1)
    assert fate(node.receive(udp(dst=GROUP))) == (Fate.DROPPED, "UDP6_FULLSOCK")


# -- local addresses and ports --------------------------------------------------------------------


def test_port_zero_draws_a_free_dynamic_port() -> None:
    node = Node()
    sockets = [bound(node, port=0) for _ in range(50)]
    ports = [sogetsockname(node.kern, so).port for so in sockets]
    assert len(set(ports)) == len(ports)
    assert all(IPPORT_HIFIRSTAUTO <= p <= IPPORT_HILASTAUTO for p in ports)


def test_no_dynamic_port_is_left() -> None:
    node = Node()
    so = bound(node)
    table = node.kern.pcbs.udp6
    for port in range(IPPORT_HIFIRSTAUTO, IPPORT_HILASTAUTO):
        table[port] = table[PORT]
    last = bound(node, port=0)
    assert sogetsockname(node.kern, last).port == IPPORT_HILASTAUTO
    refused(EADDRNOTAVAIL, bound, node, bytes(16), 0)
    assert sogetsockname(node.kern, so).port == PORT


def test_a_port_is_free_again_after_close() -> None:
    node = Node()
    soclose(node.kern, bound(node))
    bound(node)


@pytest.mark.parametrize(
    ("first", "second", "options", "clash"),
    [
        (bytes(16), bytes(16), 0, True),
        (US1, US1, 0, True),
        (US1, US2, 0, False),
        (US1, bytes(16), 0, True),
        (bytes(16), US1, 0, True),
        (US1, bytes(16), SO_REUSEADDR, False),
        (bytes(16), US1, SO_REUSEADDR, False),
        (US1, US1, SO_REUSEADDR, True),
        (US1, US1, SO_REUSEPORT, False),
        (bytes(16), bytes(16), SO_REUSEPORT, False),
        (GLOBAL_GROUP, GLOBAL_GROUP, 0, True),
        (GLOBAL_GROUP, GLOBAL_GROUP, SO_REUSEADDR, False),
    ],
    ids=name_bytes,
)
def test_who_may_share_a_port(first: bytes, second: bytes, options: int, clash: bool) -> None:
    node = Node()
    a, b = opened(node), opened(node)
    for so in (a, b):
        so.so_options = options
    sobind(node.kern, a, to(first, PORT))
    if clash:
        refused(EADDRINUSE, sobind, node.kern, b, to(second, PORT))
    else:
        sobind(node.kern, b, to(second, PORT))


def test_both_must_agree_to_share() -> None:
    node = Node()
    bound(node, US1)
    so = opened(node)
    sosetopt(node.kern, so, SOL_SOCKET, SO_REUSEPORT, 1)
    refused(EADDRINUSE, sobind, node.kern, so, to(US1, PORT))
    willing = opened(node)
    sosetopt(node.kern, willing, SOL_SOCKET, SO_REUSEPORT, 1)
    sobind(node.kern, willing, to(US1, PORT + 1))
    refused(EADDRINUSE, sobind, node.kern, opened(node), to(US1, PORT + 1))


@pytest.mark.parametrize("flag", [IN6_IFF_ANYCAST, IN6_IFF_TENTATIVE, IN6_IFF_DETACHED])
def test_an_address_that_is_not_in_use_cannot_be_bound(flag: int) -> None:
    node = Node()
    node.kern.ip6.ifaddrs[US1].ia6_flags |= flag
    refused(EADDRNOTAVAIL, bound, node, US1)


def test_addresses_that_are_not_ours_or_lack_their_scope_cannot_be_bound() -> None:
    node = Node()
    refused(EADDRNOTAVAIL, bound, node, PEER1)
    refused(EADDRNOTAVAIL, bound, node, GROUP)
    refused(EINVAL, bound, node, LL_PEER)
    refused(ENXIO, bound, node, LL_PEER, PORT, 99)
    refused(EINVAL, sobind, node.kern, bound(node), to(US1, PORT + 1))


def test_connect_chooses_the_source_and_disconnect_forgets_it() -> None:
    node = Node()
    so = opened(node)
    soconnect(node.kern, so, to(PEER2))
    name = sogetsockname(node.kern, so)
    assert name.addr == US2
    assert name.port >= IPPORT_HIFIRSTAUTO
    soconnect(node.kern, so, to(PEER1))
    assert sogetsockname(node.kern, so) == (US1, name.port, 0, 0)
    soconnect(node.kern, so, SockaddrIn6())
    assert sogetsockname(node.kern, so) == (bytes(16), name.port, 0, 0)


def test_a_socket_bound_to_a_group_sends_from_a_unicast_address() -> None:
    node = Node()
    so = bound(node, GLOBAL_GROUP)
    sosend(node.kern, so, b"x", to())
    soconnect(node.kern, so, to())
    sosend(node.kern, so, b"x")
    assert [Ip6Hdr.unpack(p).ip6_src for _, p in node.sent()] == [US1, US1]
    assert sogetsockname(node.kern, so).addr == GLOBAL_GROUP


def test_disconnect_keeps_the_bound_address() -> None:
    node = Node()
    so = bound(node, US1)
    soconnect(node.kern, so, to())
    soconnect(node.kern, so, SockaddrIn6())
    assert sogetsockname(node.kern, so).addr == US1


def test_two_sockets_cannot_be_the_same_connection() -> None:
    node = Node()
    a, b = opened(node), opened(node)
    for so in (a, b):
        so.so_options = SO_REUSEPORT
        sobind(node.kern, so, to(US1, PORT))
    soconnect(node.kern, a, to())
    refused(EADDRINUSE, soconnect, node.kern, b, to())
    soconnect(node.kern, b, to(port=SPORT + 1))


def test_connect_needs_a_port_and_a_route() -> None:
    node = Node()
    refused(EADDRNOTAVAIL, soconnect, node.kern, opened(node), to(port=0))
    refused(EHOSTUNREACH, soconnect, node.kern, opened(node), to(STRANGER))


def test_the_unspecified_peer_is_this_node() -> None:
    node = Node()
    server, client, third = bound(node), opened(node), opened(node)
    soconnect(node.kern, client, to(bytes(16), PORT))
    sosend(node.kern, client, b"one")
    sosend(node.kern, third, b"two", to(bytes(16), PORT))
    node.kern.run_softintr()
    assert [soreceive(node.kern, server).data for _ in range(2)] == [b"one", b"two"]
    assert sogetsockname(node.kern, client).addr == LOOP
    assert node.sent() == []


# -- sending --------------------------------------------------------------------------------------


def test_a_datagram_goes_out_complete() -> None:
    node = Node()
    so = bound(node)
    assert sosend(node.kern, so, b"hello", to()) == 5
    assert node.sent() == [("rip0", udp(b"hello", US1, PEER1, PORT, SPORT))]
    assert node.counters() == {"ip6.ip6s_localout": 1, "udp6.udp6s_opackets": 1}


def test_a_checksum_of_zero_is_sent_as_all_ones() -> None:
    node = Node()
    so = bound(node)
    head = Udphdr(uh_sport=PORT, uh_dport=SPORT, uh_ulen=10).pack()
    fill = in6_cksum(US1, PEER1, IPPROTO_UDP, head + bytes(2))
    sosend(node.kern, so, put_u16(bytes(2), 0, fill), to())
    ((_, packet),) = node.sent()
    assert Udphdr.unpack(packet, Ip6Hdr.SIZE).uh_sum == 0xFFFF


def test_an_unbound_socket_gets_a_port_but_no_address_by_sending() -> None:
    node = Node()
    so = opened(node)
    sosend(node.kern, so, b"x", to())
    name = sogetsockname(node.kern, so)
    assert name.addr == bytes(16)
    assert name.port >= IPPORT_HIFIRSTAUTO
    sosend(node.kern, so, b"x", to(PEER2))
    assert [Ip6Hdr.unpack(p).ip6_src for _, p in node.sent()] == [US1, US2]
    assert sogetsockname(node.kern, so) == name


def test_where_to_send_must_be_said_once() -> None:
    node = Node()
    so = bound(node)
    refused(EDESTADDRREQ, sosend, node.kern, so, b"x")
    refused(EADDRNOTAVAIL, sosend, node.kern, so, b"x", to(port=0))
    refused(EHOSTUNREACH, sosend, node.kern, so, b"x", to(STRANGER))
    refused(EINVAL, sosend, node.kern, so, b"x", to(LL_PEER))
    soconnect(node.kern, so, to())
    refused(EISCONN, sosend, node.kern, so, b"x", to())
    sosend(node.kern, so, b"x")
    assert len(node.sent()) == 1


def test_a_datagram_larger_than_the_send_buffer_is_refused() -> None:
    node = Node()
    so = bound(node)
    so.so_sndbuf = 100
    refused(EMSGSIZE, sosend, node.kern, so, bytes(101), to())
    sosend(node.kern, so, bytes(100), to())


def test_no_datagram_is_longer_than_its_length_field_can_say() -> None:
    node = Node()
    so = bound(node)
    so.so_sndbuf = SB_MAX
    refused(EMSGSIZE, sosend, node.kern, so, bytes(65528), to())
    assert node.sent() == []
    sosend(node.kern, so, bytes(65527), to())
    assert sum(len(p) - 48 for _, p in node.sent()) == 65535


def test_what_the_way_says_reaches_the_program() -> None:
    node = Node()
    rtrequest(node.kern, RTM_ADD, STRANGER, 64, PEER1, RTF_GATEWAY | RTF_REJECT)
    refused(EHOSTUNREACH, sosend, node.kern, bound(node), b"x", to(STRANGER))


def test_link_local_peers_need_their_interface_in_the_address_or_beside_it() -> None:
    node = Node()
    so = bound(node)
    sosend(node.kern, so, b"x", to(LL_PEER, scope=node.rip1.if_index))
    beside = Cmsg(IPPROTO_IPV6, IPV6_PKTINFO, (bytes(16), node.rip0.if_index))
    sosend(node.kern, so, b"x", to(LL_PEER), (beside,))
    sent = node.sent()
    assert [name for name, _ in sent] == ["rip1", "rip0"]
    assert {Ip6Hdr.unpack(p).ip6_dst for _, p in sent} == {LL_PEER}


def test_source_and_hop_limit_of_one_packet() -> None:
    node = Node()
    so = bound(node)
    control = (
        Cmsg(IPPROTO_IPV6, IPV6_PKTINFO, (US2, 0)),
        Cmsg(IPPROTO_IPV6, IPV6_HOPLIMIT, 7),
    )
    sosend(node.kern, so, b"hello", to(), control)
    sosend(node.kern, so, b"hello", to())
    assert node.sent() == [
        ("rip0", udp(b"hello", US2, PEER1, PORT, SPORT, hlim=7)),
        ("rip0", udp(b"hello", US1, PEER1, PORT, SPORT)),
    ]


def test_pktinfo_and_hoplimit_come_with_a_datagram() -> None:
    node = Node()
    so = bound(node)
    sosetopt(node.kern, so, IPPROTO_IPV6, IPV6_PKTINFO, 1)
    sosetopt(node.kern, so, IPPROTO_IPV6, IPV6_HOPLIMIT, 1)
    node.receive(udp(hlim=9))
    assert soreceive(node.kern, so).control == (
        Cmsg(IPPROTO_IPV6, IPV6_PKTINFO, (US1, node.rip0.if_index)),
        Cmsg(IPPROTO_IPV6, IPV6_HOPLIMIT, 9),
    )


# -- errors ---------------------------------------------------------------------------------------


def flow(src: bytes = US1, dst: bytes = PEER1, sport: int = PORT, dport: int = SPORT) -> bytes:
    return udp(b"", src, dst, sport, dport)


def report(node: Node, quoted: bytes, kind: int = 1, code: int = 4, param: int = 0) -> Mbuf:
    return node.receive(error(quoted, kind, code, param, PEER1, US1))


@pytest.mark.parametrize(
    ("kind", "code", "errno"),
    [
        (1, 0, EHOSTUNREACH),
        (1, 1, ECONNREFUSED),
        (1, 2, ENOPROTOOPT),
        (1, 3, EHOSTUNREACH),
        (1, 4, ECONNREFUSED),
        (4, 0, ENOPROTOOPT),
        (4, 1, ECONNREFUSED),
        (4, 2, ENOPROTOOPT),
    ],
)
def test_an_error_reaches_the_connected_socket(kind: int, code: int, errno: int) -> None:
    node = Node()
    so = bound(node)
    soconnect(node.kern, so, to())
    assert fate(report(node, flow(), kind, code)) == (Fate.CONSUMED, "")
    refused(errno, sosend, node.kern, so, b"x")
    sosend(node.kern, so, b"x")


@pytest.mark.parametrize(
    "quoted",
    [
        flow(dst=PEER2),
        flow(sport=PORT + 1),
        flow(dport=SPORT + 1),
        flow(src=US2),
        flow()[: Ip6Hdr.SIZE],
    ],
    ids=["peer", "sport", "dport", "source", "cut"],
)
def test_an_error_about_another_flow_does_not(quoted: bytes) -> None:
    node = Node()
    so = bound(node)
    soconnect(node.kern, so, to())
    report(node, quoted)
    assert not soisreadable(so)


@pytest.mark.parametrize("code", [0, 1])
def test_time_exceeded_is_no_error_of_the_socket(code: int) -> None:
    node = Node()
    so = bound(node)
    soconnect(node.kern, so, to())
    report(node, flow(), 3, code)
    assert not soisreadable(so)


def test_an_unconnected_socket_does_not_learn_of_errors() -> None:
    node = Node()
    so = bound(node)
    report(node, flow())
    assert not soisreadable(so)


def test_a_new_path_mtu_is_a_record_for_those_who_asked() -> None:
    node = Node()
    rtrequest(node.kern, RTM_ADD, bytes(16), 0, PEER1, RTF_GATEWAY)
    asked, silent = bound(node), bound(node, port=PORT + 1)
    other = bound(node, port=PORT + 2)
    soconnect(node.kern, other, to(PEER2))
    for so in (asked, other):
        sosetopt(node.kern, so, IPPROTO_IPV6, IPV6_RECVPATHMTU, 1)
    report(node, flow(dst=STRANGER), 2, 0, 1400)
    rec = soreceive(node.kern, asked)
    assert rec == (b"", to(STRANGER, 0), (Cmsg(IPPROTO_IPV6, IPV6_PATHMTU, 1400),))
    assert not soisreadable(silent)
    assert not soisreadable(other)


# -- anything -------------------------------------------------------------------------------------


@given(
    body=st.binary(max_size=80),
    dport=st.sampled_from([0, PORT, 9]),
    ulen=st.integers(0, 100) | st.none(),
    dst=st.sampled_from([US1, GROUP]),
)
def test_any_datagram_ends_with_one_fate(
    body: bytes, dport: int, ulen: int | None, dst: bytes
) -> None:
    node = Node()
    member(node)
    bound(node)
    head = Udphdr(uh_sport=1, uh_dport=dport, uh_ulen=ulen if ulen is not None else 8 + len(body))
    raw = (head.pack() + body)[: 100 if ulen is None else ulen or 3]
    if len(raw) >= Udphdr.SIZE:
        raw = put_u16(raw, Udphdr.O_uh_sum, in6_cksum(PEER1, dst, IPPROTO_UDP, raw) or 0xFFFF)
    assert node.receive(ip6(raw, IPPROTO_UDP, dst=dst)).fate is not None
