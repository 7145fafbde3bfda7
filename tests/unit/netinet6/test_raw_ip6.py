# SPDX-License-Identifier: BSD-3-Clause
"""Raw sockets: what they hear, filters, checksums, what they send."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kame_py.kern.mbuf import Fate
from kame_py.kern.uipc_socket import (
    Socket,
    sobind,
    soclose,
    soconnect,
    socreate,
    sogetopt,
    soreceive,
    sosend,
    sosetopt,
)
from kame_py.net.route import RTF_GATEWAY, RTF_REJECT, RTM_ADD, rtrequest
from kame_py.wire.cksum import in6_cksum
from kame_py.wire.codecs import Icmp6Hdr, Ip6Dest
from kame_py.wire.const import IPPROTO_DSTOPTS, IPPROTO_ICMPV6
from kame_py.wire.errno import (
    EDESTADDRREQ,
    EHOSTUNREACH,
    EINVAL,
    EISCONN,
    EMSGSIZE,
    ENOPROTOOPT,
    KError,
)
from kame_py.wire.patch import put_u16
from kame_py.wire.sockaddr import (
    AF_INET6,
    ICMP6_FILTER,
    ICMP6_FILTER_SETBLOCKALL,
    ICMP6_FILTER_SETPASSALL,
    IPPROTO_IPV6,
    IPV6_CHECKSUM,
    IPV6_HOPLIMIT,
    SO_RCVBUF,
    SOCK_RAW,
    SOL_SOCKET,
    Cmsg,
    Icmp6Filter,
    Received,
    SockaddrIn6,
)
from tests.unit.netinet6.ip6_node import (
    PEER1,
    PEER2,
    STRANGER,
    US1,
    US2,
    Node,
    echo,
    error,
    fate,
    ip6,
)

PROTO = 200
TO = SockaddrIn6(PEER1)


def raw(node: Node, proto: int = PROTO) -> Socket:
    return socreate(node.kern, AF_INET6, SOCK_RAW, proto)


def refused(errno: int, fn: object, *args: object) -> None:
    """The call fails with this errno."""
    assert callable(fn)
    with pytest.raises(KError) as failed:
        fn(*args)
    assert failed.value.errno == errno


def test_payload_reaches_every_socket_of_the_protocol() -> None:
    node = Node()
    one, two, other = raw(node), raw(node), raw(node, PROTO + 1)
    m = node.receive(ip6(b"payload", PROTO))
    assert fate(m) == (Fate.DELIVERED, "")
    for so in (one, two):
        assert soreceive(node.kern, so) == Received(b"payload", TO)
    assert not other.so_rcv
    assert node.counters() == {
        "ip6.ip6s_delivered": 1,
        "ip6.ip6s_total": 1,
        "rip6.rip6s_ipackets": 1,
    }


def test_extension_headers_are_not_payload() -> None:
    node = Node()
    so = raw(node)
    padded = Ip6Dest(ip6d_nxt=PROTO, ip6d_len=0).pack() + bytes((1, 4)) + bytes(4)
    node.receive(ip6(padded + b"payload", IPPROTO_DSTOPTS))
    assert soreceive(node.kern, so).data == b"payload"


def test_bound_and_connected_sockets_hear_their_addresses_only() -> None:
    node = Node()
    bound, connected = raw(node), raw(node)
    sobind(node.kern, bound, SockaddrIn6(US2))
    soconnect(node.kern, connected, SockaddrIn6(PEER2))
    node.receive(ip6(b"a", PROTO))
    assert not bound.so_rcv and not connected.so_rcv
    node.receive(ip6(b"b", PROTO, dst=US2))
    node.receive(ip6(b"c", PROTO, src=PEER2), node.rip1)
    assert [r.data for r in bound.so_rcv] == [b"b"]
    assert [r.data for r in connected.so_rcv] == []  # its local address became US2
    node.receive(ip6(b"d", PROTO, src=PEER2, dst=US2), node.rip1)
    assert [r.data for r in connected.so_rcv] == [b"d"]


def test_closed_socket_hears_nothing() -> None:
    node = Node()
    soclose(node.kern, raw(node))
    node.receive(ip6(b"a", PROTO))
    assert node.sent() == [("rip0", error(ip6(b"a", PROTO), 4, 1, 6))]


def test_unknown_header_behind_others_is_pointed_at() -> None:
    node = Node()
    padded = Ip6Dest(ip6d_nxt=PROTO, ip6d_len=0).pack() + bytes((1, 4)) + bytes(4)
    packet = ip6(padded + b"payload", IPPROTO_DSTOPTS)
    node.receive(packet)
    assert node.sent() == [("rip0", error(packet, 4, 1, 40))]


def test_full_socket_is_told_apart_from_none() -> None:
    node = Node()
    sosetopt(node.kern, raw(node), SOL_SOCKET, SO_RCVBUF, 30)
    assert fate(node.receive(ip6(b"ab", PROTO))) == (Fate.DELIVERED, "")
    assert fate(node.receive(ip6(b"ab", PROTO))) == (Fate.DROPPED, "RIP6_FULLSOCK")
    assert node.sent() == []


# -- checksums ------------------------------------------------------------------------------------


def summed(data: bytes, off: int, src: bytes = PEER1, dst: bytes = US1) -> bytes:
    data = put_u16(data, off, 0)
    return put_u16(data, off, in6_cksum(src, dst, PROTO, data))


def test_checksum_option_checks_and_fills_in() -> None:
    node = Node()
    so = raw(node)
    sosetopt(node.kern, so, IPPROTO_IPV6, IPV6_CHECKSUM, 2)
    good = summed(b"ab\0\0data", 2)
    assert fate(node.receive(ip6(good, PROTO))) == (Fate.DELIVERED, "")
    assert fate(node.receive(ip6(b"ab\0\0data", PROTO))) == (Fate.DROPPED, "RIP6_BADSUM")
    assert node.counters()["rip6.rip6s_isum"] == 2
    assert node.counters()["rip6.rip6s_badsum"] == 1
    sosend(node.kern, so, b"ab\xff\xffdata", TO)
    assert node.sent() == [("rip0", ip6(summed(b"ab\0\0data", 2, US1, PEER1), PROTO, US1, PEER1))]
    refused(EINVAL, sosend, node.kern, so, b"abc", TO)


@pytest.mark.parametrize(("proto", "value"), [(PROTO, 1), (PROTO, -3), (PROTO, b""), (58, 4)])
def test_bad_checksum_offset_is_refused(proto: int, value: object) -> None:
    node = Node()
    refused(EINVAL, sosetopt, node.kern, raw(node, proto), IPPROTO_IPV6, IPV6_CHECKSUM, value)


# -- ICMPv6 ---------------------------------------------------------------------------------------


def test_filter_passes_all_until_it_is_set() -> None:
    node = Node()
    so = raw(node, IPPROTO_ICMPV6)
    assert sogetopt(node.kern, so, IPPROTO_ICMPV6, ICMP6_FILTER) == ICMP6_FILTER_SETPASSALL.value
    only = ICMP6_FILTER_SETBLOCKALL.setpass(129)
    sosetopt(node.kern, so, IPPROTO_ICMPV6, ICMP6_FILTER, only.value)
    node.receive(ip6(echo(), IPPROTO_ICMPV6))
    assert not so.so_rcv
    m = node.receive(ip6(echo(kind=129), IPPROTO_ICMPV6))
    assert fate(m) == (Fate.DELIVERED, "")
    assert soreceive(node.kern, so).data == echo(kind=129)


@pytest.mark.parametrize(("proto", "value", "errno"), [(58, b"", EINVAL), (17, bytes(32), 42)])
def test_bad_filter_is_refused(proto: int, value: bytes, errno: int) -> None:
    node = Node()
    assert ENOPROTOOPT == 42
    refused(errno, sosetopt, node.kern, raw(node, proto), IPPROTO_ICMPV6, ICMP6_FILTER, value)


@given(on=st.sets(st.integers(0, 255)), off=st.sets(st.integers(0, 255)))
def test_filter_passes_just_what_was_set(on: set[int], off: set[int]) -> None:
    one = ICMP6_FILTER_SETBLOCKALL.setpass(*on).setblock(*off)
    assert {t for t in range(256) if one.passes(t)} == on - off
    assert len(one.value) == 32


def test_filter_has_the_octets_of_the_c_structure() -> None:
    """Type 1 is bit 1 of the first 32-bit word, 128 bit 0 of the fifth."""
    assert Icmp6Filter(bytes(32)).setpass(1, 128).value == bytes((0, 0, 0, 2)) + bytes(12) + bytes(
        (0, 0, 0, 1)
    ) + bytes(12)


def test_echo_request_is_checksummed_and_counted() -> None:
    node = Node()
    so = raw(node, IPPROTO_ICMPV6)
    sosend(node.kern, so, put_u16(echo(), Icmp6Hdr.O_icmp6_cksum, 0xBEEF), TO)
    assert node.sent() == [("rip0", ip6(echo(US1, PEER1), IPPROTO_ICMPV6, US1, PEER1))]
    assert node.kern.stats.icp6s_outhist[128] == 1
    assert node.rip0.icmp6_ifstat["ifs6_out_echo"] == 1
    refused(EINVAL, sosend, node.kern, so, bytes(7), TO)


def test_hop_limit_of_one_packet() -> None:
    node = Node()
    so = raw(node)
    sosend(node.kern, so, b"x", TO, (Cmsg(IPPROTO_IPV6, IPV6_HOPLIMIT, 3),))
    sosend(node.kern, so, b"x", TO)
    assert [p[7] for _, p in node.sent()] == [3, 64]


def test_destination_must_be_known_and_only_once() -> None:
    node = Node()
    so = raw(node)
    refused(EDESTADDRREQ, sosend, node.kern, so, b"x")
    refused(EHOSTUNREACH, sosend, node.kern, so, b"x", SockaddrIn6(STRANGER))
    soconnect(node.kern, so, TO)
    refused(EISCONN, sosend, node.kern, so, b"x", TO)
    sosend(node.kern, so, b"x")
    assert node.sent() == [("rip0", ip6(b"x", PROTO, US1, PEER1))]


def test_error_reaches_the_connected_socket() -> None:
    node = Node()
    so = raw(node)
    soconnect(node.kern, so, TO)
    node.receive(error(ip6(b"x", PROTO, US1, PEER1), 1, 0, 0, PEER1, US1))
    refused(EHOSTUNREACH, soreceive, node.kern, so)


def test_disconnected_socket_hears_everybody_again() -> None:
    node = Node()
    so = raw(node)
    soconnect(node.kern, so, SockaddrIn6(PEER2))
    soconnect(node.kern, so, SockaddrIn6())
    node.receive(ip6(b"a", PROTO))
    assert [r.data for r in so.so_rcv] == [b"a"]


def test_send_buffer_and_the_way_limit_what_is_sent() -> None:
    node = Node()
    so = raw(node)
    so.so_sndbuf = 10
    refused(EMSGSIZE, sosend, node.kern, so, bytes(11), TO)
    sosend(node.kern, so, bytes(10), TO)
    rtrequest(node.kern, RTM_ADD, STRANGER, 64, PEER1, RTF_GATEWAY | RTF_REJECT)
    refused(EHOSTUNREACH, sosend, node.kern, so, b"x", SockaddrIn6(STRANGER))


def test_checksum_may_be_the_first_and_the_last_two_octets() -> None:
    node = Node()
    so = raw(node)
    sosetopt(node.kern, so, IPPROTO_IPV6, IPV6_CHECKSUM, 0)
    sosend(node.kern, so, b"\0\0", TO)
    assert node.sent() == [("rip0", ip6(summed(b"\0\0", 0, US1, PEER1), PROTO, US1, PEER1))]


def test_a_socket_of_every_protocol_hears_none_of_icmp6() -> None:
    node = Node()
    so = raw(node, 0)
    node.receive(ip6(b"a", PROTO))
    node.receive(ip6(echo(kind=129), IPPROTO_ICMPV6))
    assert [r.data for r in so.so_rcv] == [b"a"]


def test_each_full_or_unconvinced_socket_is_counted_once() -> None:
    node = Node()
    good, full, summing = raw(node), raw(node), raw(node)
    sosetopt(node.kern, full, SOL_SOCKET, SO_RCVBUF, 1)
    sosetopt(node.kern, summing, IPPROTO_IPV6, IPV6_CHECKSUM, 0)
    node.receive(ip6(b"abcd", PROTO))
    soclose(node.kern, good)
    node.receive(ip6(b"abcd", PROTO))
    counters = node.counters()
    assert (counters["rip6.rip6s_fullsock"], counters["rip6.rip6s_badsum"]) == (2, 2)


@given(body=st.binary(max_size=64), proto=st.sampled_from([59, 99, PROTO, 255]))
def test_any_packet_ends_with_one_fate(body: bytes, proto: int) -> None:
    node = Node()
    sosetopt(node.kern, raw(node), IPPROTO_IPV6, IPV6_CHECKSUM, 6)
    assert node.receive(ip6(body, proto)).fate is not None
