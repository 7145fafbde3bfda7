# SPDX-License-Identifier: BSD-3-Clause
"""Tunnel interfaces: in, out, who may enter, how deep."""

from __future__ import annotations

import pytest

from kame_py.kern.mbuf import Fate, m_get
from kame_py.net.if_ import IFF_LINK2, IFF_UP, Ifnet
from kame_py.netinet6.if_gif import gif_delete_tunnel, gif_detach, gif_set_tunnel
from kame_py.netinet6.in6 import in6_update_ifa
from kame_py.netinet6.in6_ifattach import if_up
from kame_py.netinet6.ip6_output import ip6_output
from kame_py.wire.const import ICMP6_PARAM_PROB, IPPROTO_ICMPV6, IPPROTO_IPV6
from kame_py.wire.errno import EADDRNOTAVAIL, ENXIO, KError
from kame_py.wire.ioctl import SIOCDIFPHYADDR, SIOCGIFPHYADDR_IN6, SIOCSIFPHYADDR_IN6
from kame_py.wire.snap import INFINITE
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
)

INNER_US = addr("2001:db8:77::1")
INNER_PEER = addr("2001:db8:77::2")
CLASS = 0x0B800000  # traffic class 0xb8, in front of the flow label


def tunnel(node: Node, unit: int = 0) -> Ifnet:
    """gifN up between US1 and PEER1, with an inner address."""
    gif = node.kern.ifunit(f"gif{unit}")
    assert gif is not None
    if_up(node.kern, gif)
    gif_set_tunnel(node.kern, gif, US1, PEER1)
    in6_update_ifa(node.kern, gif, INNER_US, 64, 0, INFINITE, INFINITE, None)
    node.wait(30)
    node.quiet()
    return gif


def outer(inner: bytes, src: bytes = PEER1, dst: bytes = US1, hlim: int = 64) -> bytes:
    return ip6(inner, IPPROTO_IPV6, src, dst, hlim)


PING = ip6(echo(INNER_PEER, INNER_US), IPPROTO_ICMPV6, INNER_PEER, INNER_US)


def test_an_inner_echo_is_answered_through_the_tunnel() -> None:
    node = Node(gif=1)
    gif = tunnel(node)
    m = node.receive(outer(PING))
    assert fate(m) == (Fate.CONSUMED, "")
    assert m.rcvif is gif
    inner = echo_reply(src=INNER_US, dst=INNER_PEER)
    assert node.sent() == [("rip0", outer(inner, US1, PEER1, 30))]
    assert node.counters() == {
        "icmp6.icp6s_reflect": 1,
        "ip6.ip6s_delivered": 2,
        "ip6.ip6s_localout": 2,
        "ip6.ip6s_total": 2,
    }
    assert (gif.if_data.ifi_ipackets, gif.if_data.ifi_ibytes) == (1, len(PING))
    node.conserved()


def test_the_traffic_class_is_copied_and_the_hop_limit_is_the_sysctls() -> None:
    node = Node(gif=1)
    tunnel(node)
    node.kern.sysctl.write("net.inet6.ip6.gifhlim", 9)
    inner = ip6(b"x", 17, INNER_US, INNER_PEER, flow=0x60000000 | CLASS | 0x12345)
    m = m_get(node.kern, inner)
    m.src, m.dst = INNER_US, INNER_PEER
    assert ip6_output(node.kern, m) == 0
    assert fate(m) == (Fate.TRANSMITTED, "")
    ((_, packet),) = node.sent()
    assert packet == ip6(inner, IPPROTO_IPV6, US1, PEER1, 9, flow=0x60000000 | CLASS)


def test_without_a_tunnel_the_next_header_is_reported_as_unknown() -> None:
    node = Node()
    packet = outer(PING)
    m = node.receive(packet)
    assert fate(m) == (Fate.DROPPED, "ENCAP6_NOTUNNEL")
    assert node.sent() == [("rip0", error(packet, ICMP6_PARAM_PROB, 1, 6))]
    assert node.counters()["ip6.ip6s_nogif"] == 1


@pytest.mark.parametrize(("src", "dst"), [(PEER2, US1), (PEER1, US2)])
def test_other_outer_addresses_do_not_enter(src: bytes, dst: bytes) -> None:
    node = Node(gif=1)
    tunnel(node)
    assert fate(node.receive(outer(PING, src, dst))) == (Fate.DROPPED, "ENCAP6_NOTUNNEL")


def test_a_tunnel_that_is_down_takes_nothing() -> None:
    node = Node(gif=1)
    tunnel(node).if_flags &= ~IFF_UP
    assert fate(node.receive(outer(PING))) == (Fate.DROPPED, "ENCAP6_NOTUNNEL")


def test_the_far_end_is_heard_on_the_interface_where_it_lives() -> None:
    node = Node(gif=1)
    gif = tunnel(node)
    assert fate(node.receive(outer(PING), node.rip1)) == (Fate.DROPPED, "ENCAP6_NOTUNNEL")
    gif.if_flags |= IFF_LINK2
    assert fate(node.receive(outer(PING), node.rip1)) == (Fate.CONSUMED, "")


@pytest.mark.parametrize("inner", [b"", bytes(39), bytes(40)])
def test_what_is_no_ipv6_packet_inside_is_dropped(inner: bytes) -> None:
    node = Node(gif=1)
    gif = tunnel(node)
    assert fate(node.receive(outer(inner))) == (Fate.DROPPED, "ENCAP6_BADINNER")
    assert gif.if_data.ifi_ierrors == 1


def test_tunnels_inside_tunnels_end_at_a_limit() -> None:
    node = Node(gif=1)
    gif = tunnel(node)
    gif.if_flags |= IFF_LINK2
    packet = PING
    for _ in range(4):
        packet = outer(packet)
    assert fate(node.receive(packet)) == (Fate.CONSUMED, "")
    assert fate(node.receive(outer(packet))) == (Fate.DROPPED, "ENCAP6_TOODEEP")


def test_a_tunnel_through_itself_does_not_recurse() -> None:
    node = Node(gif=1)
    gif = tunnel(node)
    gif_set_tunnel(node.kern, gif, INNER_US, INNER_PEER)
    m = m_get(node.kern, ip6(b"x", 17, INNER_US, INNER_PEER))
    m.src, m.dst = INNER_US, INNER_PEER
    ip6_output(node.kern, m)
    assert fate(m) == (Fate.DROPPED, "GIF_NEST")
    assert node.kern.gif.called == 0


def test_a_tunnel_without_outer_addresses_sends_nothing() -> None:
    node = Node(gif=1)
    gif = tunnel(node)
    gif_delete_tunnel(gif)
    errors = gif.if_data.ifi_oerrors
    m = m_get(node.kern, ip6(b"x", 17, INNER_US, INNER_PEER))
    m.src, m.dst = INNER_US, INNER_PEER
    ip6_output(node.kern, m)
    assert fate(m) == (Fate.DROPPED, "GIF_NOTUNNEL")
    assert gif.if_data.ifi_oerrors == errors + 1


def test_a_detached_tunnel_takes_nothing_and_detaching_twice_is_harmless() -> None:
    node = Node(gif=1)
    gif = tunnel(node)
    gif_detach(node.kern, gif)
    gif_detach(node.kern, gif)
    assert fate(node.receive(outer(PING))) == (Fate.DROPPED, "ENCAP6_NOTUNNEL")


def test_the_outer_addresses_are_set_by_ioctl() -> None:
    node = Node(gif=2)
    kern = node.kern

    def ioctl(req: object) -> object:
        return kern.ioctlsw[type(req)](kern, req)

    with pytest.raises(KError) as refusal:
        ioctl(SIOCGIFPHYADDR_IN6("gif0"))
    assert refusal.value.errno == EADDRNOTAVAIL
    ioctl(SIOCSIFPHYADDR_IN6("gif0", US1, PEER1))
    assert ioctl(SIOCGIFPHYADDR_IN6("gif0")) == (US1, PEER1)
    for name, src, errno in (
        ("gif1", US1, EADDRNOTAVAIL),  # the pair is taken
        ("gif1", bytes(16), EADDRNOTAVAIL),
        ("rip0", US1, ENXIO),
        ("gif9", US1, ENXIO),
    ):
        with pytest.raises(KError) as refusal:
            ioctl(SIOCSIFPHYADDR_IN6(name, src, PEER1))
        assert refusal.value.errno == errno
    ioctl(SIOCDIFPHYADDR("gif0"))
    ioctl(SIOCSIFPHYADDR_IN6("gif1", US1, PEER1))
