# SPDX-License-Identifier: BSD-3-Clause
"""Addresses: routes and groups come and go with them; lifetimes; requests and their errors."""

from __future__ import annotations

import pytest

from kame_py.boot import rawip_attach
from kame_py.kern.clock import NS
from kame_py.net.route import RTF_CLONING, RTF_HOST, RTF_LLINFO, RTF_LOCAL, RTF_UP
from kame_py.netinet6.in6 import (
    in6_addmulti,
    in6_delmulti,
    in6_purgeaddr,
    in6_update_ifa,
    in6ifa_ifpwithaddr,
)
from kame_py.netinet6.in6_ifattach import if_up, in6_ifdetach
from kame_py.netinet6.in6_var import IN6_IFF_ANYCAST, IN6_IFF_DEPRECATED
from kame_py.netinet6.scope6 import in6_embedscope
from kame_py.wire.errno import EADDRNOTAVAIL, EINVAL, ENXIO, KError
from kame_py.wire.in6addr import ntop
from kame_py.wire.ioctl import (
    SIOCAIFADDR_IN6,
    SIOCDIFADDR_IN6,
    SIOCGIFADDRS_IN6,
    SIOCGIFINFO_IN6,
    SIOCGIFPREFIX_IN6,
    SIOCGNBRINFO_IN6,
)
from kame_py.wire.snap import INFINITE
from tests.unit.netinet6.nd_node import LL, MAC, PEER, Node, addr, na

GLOBAL = addr("2001:db8:1::1")
PREFIX = addr("2001:db8:1::")


def state(node: Node) -> object:
    """All that an address could leave behind."""
    kern, ifp = node.kern, node.ifp
    return (
        [(rt.rt_key, rt.rt_plen, rt.rt_flags) for rt in kern.rt],
        {group: inm.in6m_refcount for group, inm in ifp.in6_multi.items()},
        dict(ifp.macs),
        [(pr.ndpr_prefix, pr.ndpr_refcnt) for pr in kern.nd6.prefixes],
        set(kern.ip6.ifaddrs),
        len(kern.nd6.llinfo),
        kern.nd6.incomplete,
    )


def routes(node: Node) -> dict[str, tuple[str, int]]:
    return {
        f"{ntop(rt.rt_key)}/{rt.rt_plen}": (rt.rt_ifp.if_name, rt.rt_flags) for rt in node.kern.rt
    }


def ioctl(node: Node, req: object) -> object:
    return node.kern.ioctlsw[type(req)](node.kern, req)


def test_new_address_brings_its_routes_and_group() -> None:
    node = Node()
    before = routes(node)
    in6_update_ifa(node.kern, node.ifp, GLOBAL, 64)
    added = {k: v for k, v in routes(node).items() if k not in before}
    assert added == {
        "2001:db8:1::/64": ("fxp0", RTF_UP | RTF_CLONING),
        "2001:db8:1::1/128": ("lo0", RTF_UP | RTF_HOST | RTF_LLINFO | RTF_LOCAL),
    }
    assert b"\x33\x33\xff\x00\x00\x01" in node.ifp.macs


def test_interface_that_comes_up_has_linklocal_and_multicast_routes() -> None:
    got = routes(Node())
    for key in ("ff02:2::/32", "ff01:2::/32", "fe80:2::/64"):
        assert got[key] == ("fxp0", RTF_UP | RTF_CLONING)
    assert got["fe80:2::2a0:24ff:fe66:77/128"][0] == "lo0"
    assert got["::1/128"][0] == "lo0"


@pytest.mark.parametrize("plen", [64, 128, 0, 127])
def test_removed_address_leaves_nothing_behind(plen: int) -> None:
    node = Node()
    before = state(node)
    ia = in6_update_ifa(node.kern, node.ifp, GLOBAL, plen)
    assert ia is not None and state(node) != before
    in6_purgeaddr(node.kern, ia)
    node.wait(10 * NS)
    assert state(node) == before


def test_prefix_stays_until_its_last_address_goes() -> None:
    node = Node()
    first = in6_update_ifa(node.kern, node.ifp, GLOBAL, 64)
    second = in6_update_ifa(node.kern, node.ifp, addr("2001:db8:1::2"), 64)
    assert first is not None and second is not None
    in6_purgeaddr(node.kern, first)
    rt = node.kern.rt.exact(PREFIX, 64)
    assert rt is not None and rt.rt_ifa is not first
    in6_purgeaddr(node.kern, second)
    assert node.kern.rt.exact(PREFIX, 64) is None


def test_configuring_again_updates_the_same_address() -> None:
    node = Node()
    one = in6_update_ifa(node.kern, node.ifp, GLOBAL, 64)
    node.wait(5 * NS)
    before = state(node)
    two = in6_update_ifa(node.kern, node.ifp, GLOBAL, 64, 0, 100, 50)
    assert one is two and two is not None
    assert (two.ia6_lifetime.ia6t_vltime, two.ia6_flags) == (100, 0)
    assert state(node) == before


def test_a_valid_lifetime_of_zero_adds_nothing() -> None:
    node = Node()
    before = state(node)
    assert in6_update_ifa(node.kern, node.ifp, GLOBAL, 64, 0, 0) is None
    assert state(node) == before


def test_address_is_deprecated_then_removed_to_the_nanosecond() -> None:
    node = Node()
    start = node.clock.t
    ia = in6_update_ifa(node.kern, node.ifp, GLOBAL, 64, 0, 20, 10)
    assert ia is not None
    node.until(start + 10 * NS - 1)
    assert not ia.ia6_flags & IN6_IFF_DEPRECATED
    node.until(start + 10 * NS)
    assert ia.ia6_flags & IN6_IFF_DEPRECATED
    node.until(start + 20 * NS - 1)
    assert GLOBAL in node.kern.ip6.ifaddrs
    node.until(start + 20 * NS)
    assert GLOBAL not in node.kern.ip6.ifaddrs
    assert node.kern.rt.exact(PREFIX, 64) is None


def test_expiry_waits_for_the_sweep() -> None:
    node = Node()
    node.wait(NS // 4)
    in6_update_ifa(node.kern, node.ifp, GLOBAL, 64, 0, 5, 5)
    node.wait(5 * NS)
    assert GLOBAL in node.kern.ip6.ifaddrs
    node.wait(3 * NS // 4)
    assert GLOBAL not in node.kern.ip6.ifaddrs


def test_deprecated_flag_stays() -> None:
    node = Node()
    ia = in6_update_ifa(node.kern, node.ifp, GLOBAL, 64, IN6_IFF_DEPRECATED)
    node.wait(10 * NS)
    assert ia is not None and ia.ia6_flags & IN6_IFF_DEPRECATED


def test_zero_valid_lifetime_makes_no_address() -> None:
    node = Node()
    assert in6_update_ifa(node.kern, node.ifp, GLOBAL, 64, 0, 0, 0) is None
    assert GLOBAL not in node.kern.ip6.ifaddrs


BAD = [
    (addr("ff02::1"), 64, INFINITE, INFINITE, None),
    (bytes(16), 64, INFINITE, INFINITE, None),
    (GLOBAL, 129, INFINITE, INFINITE, None),
    (GLOBAL, -1, INFINITE, INFINITE, None),
    (GLOBAL, 64, 10, 11, None),
    (GLOBAL, 64, INFINITE, INFINITE, PEER),
    (GLOBAL, 128, INFINITE, INFINITE, PEER),  # Ethernet is no point to point link
    (b"short", 64, INFINITE, INFINITE, None),
]


@pytest.mark.parametrize(("a", "plen", "v", "p", "dst"), BAD)
def test_request_that_does_not_fit_is_refused(
    a: bytes, plen: int, v: int, p: int, dst: bytes | None
) -> None:
    node = Node()
    before = state(node)
    with pytest.raises(KError) as error:
        ioctl(node, SIOCAIFADDR_IN6("fxp0", a, plen, dst, 0, v, p))
    assert error.value.errno == EINVAL
    assert state(node) == before


ERRORS = [
    (SIOCAIFADDR_IN6("fxp9", GLOBAL), ENXIO),
    (SIOCDIFADDR_IN6("fxp9", GLOBAL), ENXIO),
    (SIOCDIFADDR_IN6("fxp0", GLOBAL), EADDRNOTAVAIL),
    (SIOCGIFADDRS_IN6("fxp9"), ENXIO),
    (SIOCGIFINFO_IN6("fxp9"), ENXIO),
    (SIOCGIFPREFIX_IN6("fxp0", PREFIX, 64), EADDRNOTAVAIL),
    (SIOCGNBRINFO_IN6("fxp0", PEER), EINVAL),
]


@pytest.mark.parametrize(("req", "errno"), ERRORS)
def test_errors_of_requests(req: object, errno: int) -> None:
    with pytest.raises(KError) as error:
        ioctl(Node(), req)
    assert error.value.errno == errno


def test_addresses_as_programs_see_them() -> None:
    node = Node()
    flags = IN6_IFF_ANYCAST
    ioctl(node, SIOCAIFADDR_IN6("fxp0", GLOBAL, 64, None, flags, 100, 60))
    node.wait(10 * NS)
    got = ioctl(node, SIOCGIFADDRS_IN6("fxp0"))
    assert isinstance(got, tuple)
    assert [(a.addr, a.plen, a.flags, a.vexpire, a.pexpire) for a in got] == [
        (LL, 64, 0, INFINITE, INFINITE),
        (GLOBAL, 64, flags, 90, 50),
    ]
    ioctl(node, SIOCDIFADDR_IN6("fxp0", GLOBAL))
    assert in6ifa_ifpwithaddr(node.ifp, GLOBAL) is None


def test_neighbour_as_programs_see_it() -> None:
    node = Node()
    node.output()
    node.receive(na(flags="RSO"))
    got = ioctl(node, SIOCGNBRINFO_IN6("fxp0", PEER))
    assert got in node.kern.sysctl.read("net.inet6.icmp6.nd6_llinfo")  # type: ignore[operator]  # a tuple


def test_own_address_shows_as_permanent_neighbour() -> None:
    node = Node()
    rows = node.kern.sysctl.read("net.inet6.icmp6.nd6_llinfo")
    assert isinstance(rows, tuple)
    own = [r for r in rows if getattr(r, "addr", None) == LL]
    assert [(r.ifname, r.lladdr, r.expire) for r in own] == [("fxp0", MAC, None)]  # type: ignore[union-attr]  # rows of neighbours


def test_memberships_are_counted() -> None:
    node = Node()
    group = in6_embedscope(addr("ff02::9"), node.zone)
    in6_addmulti(node.kern, node.ifp, group)
    in6_addmulti(node.kern, node.ifp, group)
    in6_delmulti(node.kern, node.ifp, group)
    assert node.ifp.macs[b"\x33\x33\0\0\0\x09"] == 1
    in6_delmulti(node.kern, node.ifp, group)
    assert b"\x33\x33\0\0\0\x09" not in node.ifp.macs
    with pytest.raises(KError) as error:
        in6_delmulti(node.kern, node.ifp, group)
    assert error.value.errno == EADDRNOTAVAIL


def test_two_groups_with_one_mac_keep_it_until_both_left() -> None:
    node = Node()
    one, two = (in6_embedscope(addr(a), node.zone) for a in ("ff02::5", "ff02:0:0:1::5"))
    in6_addmulti(node.kern, node.ifp, one)
    in6_addmulti(node.kern, node.ifp, two)
    in6_delmulti(node.kern, node.ifp, one)
    assert b"\x33\x33\0\0\0\x05" in node.ifp.macs


def test_detach_leaves_the_interface_empty() -> None:
    node = Node()
    in6_update_ifa(node.kern, node.ifp, GLOBAL, 64)
    node.output()
    in6_ifdetach(node.kern, node.ifp)
    assert (node.ifp.in6_addrs, node.ifp.in6_multi, dict(node.ifp.macs)) == ([], {}, {})
    assert [rt for rt in node.kern.rt if rt.rt_ifp is node.ifp] == []
    node.conserved()


def test_link_without_addresses_takes_an_identifier_of_another_interface() -> None:
    node = Node()
    tun = rawip_attach(node.kern, "tun0")
    if_up(node.kern, tun)
    assert [ia.ia_addr[8:] for ia in tun.in6_addrs] == [LL[8:]]
    m = node.output()
    assert m.reason is None
