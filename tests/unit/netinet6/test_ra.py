# SPDX-License-Identifier: BSD-3-Clause
"""Router advertisements: default routers, prefixes on the link, autoconfigured addresses."""

from __future__ import annotations

import pytest

from kame_py.kern.clock import NS
from kame_py.net.route import RTF_GATEWAY, RTM_ADD, LinkAddr, rtrequest
from kame_py.netinet6.in6 import in6_update_ifa
from kame_py.netinet6.in6_var import (
    IN6_IFF_AUTOCONF,
    IN6_IFF_DEPRECATED,
    IN6_IFF_DETACHED,
    IN6_IFF_TENTATIVE,
    In6Ifaddr,
)
from kame_py.netinet6.nd6_var import NDPRF_DETACHED, NDPRF_ONLINK
from kame_py.netinet6.scope6 import in6_clearscope
from kame_py.wire.ioctl import (
    SIOCGDEFIFACE_IN6,
    SIOCGDRLST_IN6,
    SIOCGIFINFO_IN6,
    SIOCSDEFIFACE_IN6,
    SIOCSPFXFLUSH_IN6,
    SIOCSRTRFLUSH_IN6,
)
from kame_py.wire.nd6opt import build_mtu_opt, build_prefix_opt
from kame_py.wire.snap import INFINITE, DrSnap, NdiSnap
from tests.unit.netinet6.nd_node import LL, PEER, PEER2, PEER_MAC, PEER_MAC2, Node, addr, na, ra

P = addr("2001:db8:1::")
Q = addr("2001:db8:2::")
A = P[:8] + LL[8:]
B = Q[:8] + LL[8:]
ON, AUTO = 0x80, 0x40
HOUR = 3600


def pfx(
    prefix: bytes = P,
    valid: int = 2_592_000,
    pref: int = 604_800,
    flags: int = 0xC0,
    plen: int = 64,
) -> bytes:
    return build_prefix_opt(prefix, plen, flags, valid, pref)


def host() -> Node:
    return Node(ip6_accept_rtadv=1)


def gateway(node: Node) -> bytes | None:
    rt = node.kern.rt.exact(bytes(16), 0)
    if rt is None or isinstance(rt.rt_gateway, LinkAddr):
        return None
    return in6_clearscope(rt.rt_gateway)


def ifa(node: Node, a: bytes = A) -> In6Ifaddr:
    return node.kern.ip6.ifaddrs[a]


def ioctl(node: Node, req: object) -> object:
    return node.kern.ioctlsw[type(req)](node.kern, req)


BAD = [
    ("ND6_HLIM", ra(hlim=254)),
    ("ND6_BADRA", ra(src=addr("2001:db8::1"))),
    ("ND6_BADRA", ra(sll=b"\x01" + bytes(5))),
    ("ND6_BADOPT", ra(b"\x03\x00" + bytes(6))),
]


@pytest.mark.parametrize(("reason", "packet"), BAD)
def test_bad_advertisement_is_dropped(reason: str, packet: bytes) -> None:
    node = host()
    node.receive(packet)
    assert node.drops() == {reason: 1}
    assert node.kern.nd6.defrouters == []


@pytest.mark.parametrize("how", ["global", "interface", "router"])
def test_advertisement_that_is_not_wanted_changes_nothing(how: str) -> None:
    node = host()
    if how == "global":
        node.kern.ip6.ip6_accept_rtadv = 0
    elif how == "interface":
        node.ifp.ndi.flags &= ~2
    else:
        node.kern.ip6.ip6_forwarding = 1
    node.receive(ra(pfx()))
    assert node.drops() == {"ND6_RANOTACCEPTED": 1}
    assert (gateway(node), A in node.kern.ip6.ifaddrs) == (None, False)


def test_advertisement_makes_router_prefix_and_address() -> None:
    node = host()
    node.receive(ra(pfx(), flags=0xC8))
    assert gateway(node) == PEER
    rt = node.kern.rt.exact(P, 64)
    assert rt is not None and rt.rt_ifp is node.ifp
    assert ifa(node).ia6_flags == IN6_IFF_AUTOCONF | IN6_IFF_TENTATIVE
    node.wait(NS)
    assert ifa(node).ia6_flags == IN6_IFF_AUTOCONF
    assert ioctl(node, SIOCGDRLST_IN6()) == (DrSnap(PEER, "fxp0", 0xC8, 1800, 1799),)
    assert node.entry().ln_router and node.lladdr() == PEER_MAC


def test_router_lifetime_ends_to_the_nanosecond() -> None:
    node = host()
    start = node.clock.t
    node.receive(ra(lifetime=30))
    node.until(start + 30 * NS - 1)
    assert gateway(node) == PEER
    node.until(start + 30 * NS)
    assert (gateway(node), node.kern.nd6.defrouters) == (None, [])


def test_router_that_resigns_is_no_default_router() -> None:
    node = host()
    node.receive(ra(pfx()))
    node.receive(ra(pfx(), lifetime=0))
    assert gateway(node) is None
    assert A in node.kern.ip6.ifaddrs


def two_routers() -> Node:
    node = host()
    node.receive(ra(pfx()))
    node.receive(ra(pfx(Q), src=PEER2, sll=PEER_MAC2))
    node.wait(2 * NS)
    node.quiet()
    return node


def test_first_router_stays_while_it_is_reachable() -> None:
    assert gateway(two_routers()) == PEER


def test_unreachable_router_is_replaced_and_its_prefix_detached() -> None:
    node = two_routers()
    node.output(PEER)
    node.wait(8 * NS)
    assert gateway(node) == PEER2
    assert ifa(node, A).ia6_flags & IN6_IFF_DETACHED
    assert not ifa(node, B).ia6_flags & IN6_IFF_DETACHED
    first, second = (pr for pr in node.kern.nd6.prefixes if pr.ndpr_prefix in (P, Q))
    assert first.ndpr_stateflags == NDPRF_DETACHED
    assert second.ndpr_stateflags == NDPRF_ONLINK
    assert node.kern.rt.exact(P, 64) is None


def test_router_that_comes_back_attaches_its_prefix_again() -> None:
    node = two_routers()
    node.output(PEER)
    node.wait(8 * NS)
    node.receive(ra(pfx()))
    assert not ifa(node, A).ia6_flags & IN6_IFF_DETACHED
    assert node.kern.rt.exact(P, 64) is not None


def test_router_that_becomes_host_loses_the_default_route() -> None:
    node = two_routers()
    node.receive(na(flags="O"))
    assert gateway(node) == PEER2
    assert len(node.kern.nd6.defrouters) == 1


def test_static_default_route_stays() -> None:
    node = host()
    gw = node.ifp.in6_addrs[0].ia_addr[:8] + PEER2[8:]
    rtrequest(node.kern, RTM_ADD, bytes(16), 0, gw, RTF_GATEWAY)
    node.receive(ra())
    assert gateway(node) == PEER2


def test_parameters_are_taken_and_nonsense_is_not() -> None:
    node = host()
    node.receive(ra(build_mtu_opt(1400), reachable=10_000, retrans=500, hops=9))
    good = ioctl(node, SIOCGIFINFO_IN6("fxp0"))
    assert isinstance(good, NdiSnap)
    assert (good.linkmtu, good.basereachable_ms, good.retrans_ms, good.chlim) == (
        1400,
        10_000,
        500,
        9,
    )
    assert 5_000 <= good.reachable_ms <= 15_000
    for mtu in (1279, 1501, 0, 0xFFFFFFFF):
        node.receive(ra(build_mtu_opt(mtu), reachable=3_600_001, retrans=0xFFFFFFFF))
    assert ioctl(node, SIOCGIFINFO_IN6("fxp0")) == good


@pytest.mark.parametrize(
    "option",
    [
        pfx(plen=129),
        pfx(addr("ff02::")),
        pfx(addr("fe80::")),
        pfx(valid=0, pref=0),
        pfx(flags=0),
    ],
)
def test_prefix_that_is_ignored(option: bytes) -> None:
    node = host()
    before = len(node.kern.nd6.prefixes)
    node.receive(ra(option))
    assert len(node.kern.nd6.prefixes) == before


@pytest.mark.parametrize(
    "option", [pfx(plen=63), pfx(plen=65), pfx(valid=5, pref=6), pfx(flags=ON)]
)
def test_prefix_that_makes_no_address(option: bytes) -> None:
    node = host()
    node.receive(ra(option))
    assert len(node.ifp.in6_addrs) == 1
    assert len(node.kern.nd6.prefixes) == 3


def test_prefix_without_the_onlink_flag_gives_an_address_but_no_route() -> None:
    node = host()
    node.receive(ra(pfx(flags=AUTO)))
    assert A in node.kern.ip6.ifaddrs
    assert node.kern.rt.exact(P, 64) is None


@pytest.mark.parametrize(
    ("first", "then", "want"),
    [
        (10 * HOUR, 20 * HOUR, 20 * HOUR),  # longer: taken
        (10 * HOUR, 3 * HOUR, 3 * HOUR),  # above two hours: taken
        (10 * HOUR, HOUR, 2 * HOUR),  # below: two hours
        (10 * HOUR, 0, 2 * HOUR),
        (HOUR, 60, HOUR),  # less than two hours left: ignored
        (HOUR, HOUR + 1, HOUR + 1),
        (INFINITE, 0, 2 * HOUR),
        (HOUR, INFINITE, INFINITE),
    ],
)
def test_two_hour_rule(first: int, then: int, want: int) -> None:
    node = host()
    node.receive(ra(pfx(valid=first, pref=first)))
    node.receive(ra(pfx(valid=then, pref=0)))
    assert ifa(node).ia6_lifetime.ia6t_vltime == want
    assert ifa(node).ia6_flags & IN6_IFF_DEPRECATED


def test_autoconfigured_address_is_deprecated_and_expires() -> None:
    node = host()
    start = node.clock.t
    node.receive(ra(pfx(valid=40, pref=20)))
    node.until(start + 20 * NS - 1)
    assert not ifa(node).ia6_flags & IN6_IFF_DEPRECATED
    node.until(start + 20 * NS)
    assert ifa(node).ia6_flags & IN6_IFF_DEPRECATED
    node.until(start + 40 * NS - 1)
    assert A in node.kern.ip6.ifaddrs
    node.until(start + 40 * NS)
    assert A not in node.kern.ip6.ifaddrs
    assert [pr for pr in node.kern.nd6.prefixes if pr.ndpr_prefix == P] == []
    assert node.kern.rt.exact(P, 64) is None


def test_manual_address_of_the_prefix_takes_the_place_of_an_automatic_one() -> None:
    node = host()
    in6_update_ifa(node.kern, node.ifp, addr("2001:db8:1::5"), 64)
    node.receive(ra(pfx()))
    assert A not in node.kern.ip6.ifaddrs


def test_flood_of_routers_and_prefixes_is_bounded() -> None:
    node = host()
    for i in range(1, 60):
        src = addr(f"fe80::{i:x}")
        many = [pfx(addr(f"2001:db8:{i:x}:{j:x}::")) for j in range(9)]
        node.receive(ra(*many, src=src))
    assert len(node.kern.nd6.defrouters) == 16
    assert len(node.ifp.in6_addrs) == 17
    assert len(node.kern.nd6.prefixes) == 18


def test_flushes() -> None:
    node = two_routers()
    ioctl(node, SIOCSPFXFLUSH_IN6())
    assert [ia.ia_addr[8:] for ia in node.ifp.in6_addrs] == [LL[8:]]
    assert {pr.ndpr_prefix[:1] for pr in node.kern.nd6.prefixes} == {b"\xfe"}
    ioctl(node, SIOCSRTRFLUSH_IN6())
    assert (gateway(node), node.kern.nd6.defrouters) == (None, [])


def test_default_interface_serves_while_there_is_no_router() -> None:
    node = host()
    ioctl(node, SIOCSDEFIFACE_IN6("fxp0"))
    assert ioctl(node, SIOCGDEFIFACE_IN6()) == "fxp0"
    rt = node.kern.rt.exact(bytes(16), 0)
    assert rt is not None and isinstance(rt.rt_gateway, LinkAddr)
    node.receive(ra())
    assert gateway(node) == PEER
    node.receive(ra(lifetime=0))
    rt = node.kern.rt.exact(bytes(16), 0)
    assert rt is not None and isinstance(rt.rt_gateway, LinkAddr)
    ioctl(node, SIOCSDEFIFACE_IN6(""))
    assert node.kern.rt.exact(bytes(16), 0) is None
