# SPDX-License-Identifier: BSD-3-Clause
"""Redirects: which are believed, what they change, how long; which a router sends."""

from __future__ import annotations

import pytest

from kame_py.kern.clock import NS
from kame_py.kern.mbuf import Fate, Mbuf
from kame_py.net.route import (
    RTF_DYNAMIC,
    RTF_GATEWAY,
    RTF_HOST,
    RTF_MODIFIED,
    RTF_STATIC,
    RTM_ADD,
    RTM_DELETE,
    Rtentry,
    rtrequest,
)
from kame_py.netinet6.icmp6_redirect import icmp6_redirect_output
from kame_py.netinet6.in6 import in6_update_ifa
from kame_py.netinet6.scope6 import in6_embedscope
from kame_py.wire.codecs import Ip6Hdr, NdRedirect
from kame_py.wire.nd6opt import NdOptions, build_lladdr_opt, build_redirected_opt, parse_nd_options
from tests.unit.netinet6.ip6_node import ip6
from tests.unit.netinet6.nd_node import LL, PEER, PEER2, PEER_MAC, PEER_MAC2, Node, addr, na, nd

FAR = addr("2001:db8:99::1")
TLLA = build_lladdr_opt(2, PEER_MAC2)


def redirect(
    target: bytes = PEER2,
    dst: bytes = FAR,
    opts: bytes = TLLA,
    src: bytes = PEER,
    hlim: int = 255,
    code: int = 0,
) -> bytes:
    """A redirect from PEER to us."""
    body = NdRedirect(nd_rd_code=code, nd_rd_target=target, nd_rd_dst=dst).pack()
    return nd(src, LL, body + opts, hlim=hlim)


def scoped(node: Node, who: bytes) -> bytes:
    return in6_embedscope(who, node.zone)


def host() -> Node:
    """A host whose default router is PEER."""
    node = Node()
    rtrequest(node.kern, RTM_ADD, bytes(16), 0, scoped(node, PEER), RTF_GATEWAY)
    return node


def way(node: Node, dst: bytes = FAR) -> Rtentry:
    rt = node.kern.rt.lookup(dst)
    assert rt is not None
    return rt


def test_better_router_serves_until_redirtimeout() -> None:
    node = host()
    start = node.clock.t
    m = node.receive(redirect())
    assert m.fate is Fate.CONSUMED
    rt = way(node)
    assert rt.rt_plen == 128
    assert rt.rt_gateway == scoped(node, PEER2)
    assert rt.rt_flags & (RTF_DYNAMIC | RTF_HOST | RTF_GATEWAY) == (
        RTF_DYNAMIC | RTF_HOST | RTF_GATEWAY
    )
    assert node.lladdr(PEER2) == PEER_MAC2
    assert node.entry(PEER2).ln_router
    node.until(start + 600 * NS - 1)
    assert way(node) is rt
    node.until(start + 600 * NS)
    assert way(node).rt_plen == 0


def test_second_redirect_comes_from_the_new_router_and_starts_the_time_again() -> None:
    node = host()
    third = addr("fe80::3")
    node.receive(redirect())
    node.wait(500 * NS)
    assert node.receive(redirect(third, opts=b"", src=PEER2)).fate is Fate.CONSUMED
    assert way(node).rt_gateway == scoped(node, third)
    node.wait(599 * NS)
    assert way(node).rt_gateway == scoped(node, third)


def test_destination_on_the_link_becomes_a_neighbour() -> None:
    node = host()
    assert node.receive(redirect(FAR, FAR)).fate is Fate.CONSUMED
    assert node.lladdr(FAR) == PEER_MAC2
    assert not way(node).rt_flags & RTF_GATEWAY
    assert not node.entry(FAR).ln_router


def test_destination_on_the_link_after_a_better_router() -> None:
    node = host()
    node.receive(redirect())
    assert node.receive(redirect(FAR, FAR, src=PEER2)).fate is Fate.CONSUMED
    assert node.lladdr(FAR) == PEER_MAC2


def test_route_set_by_hand_is_modified_and_stays() -> None:
    node = host()
    flags = RTF_GATEWAY | RTF_STATIC
    rt = rtrequest(node.kern, RTM_ADD, FAR, 128, scoped(node, PEER), flags, node.ifp)
    node.receive(redirect())
    assert rt.rt_gateway == scoped(node, PEER2)
    assert rt.rt_flags & RTF_MODIFIED
    node.wait(700 * NS)
    assert way(node) is rt


@pytest.mark.parametrize(
    ("packet", "reason"),
    [
        (redirect(hlim=254), "ND6_HLIM"),
        (redirect(code=1), "ICMP6_BADCODE"),
        (redirect(src=addr("2001:db8::1")), "ICMP6_REDIRBAD"),  # not link-local
        (redirect(src=PEER2), "ICMP6_REDIRBAD"),  # not the first hop
        (redirect(dst=addr("ff0e::1")), "ICMP6_REDIRBAD"),
        (redirect(dst=bytes(16)), "ICMP6_REDIRBAD"),
        (redirect(target=addr("2001:db8::2")), "ICMP6_REDIRBAD"),  # no router's address
        (redirect(target=LL), "ICMP6_REDIRBAD"),  # ourselves
        (redirect(opts=b"\x02\x00" + bytes(6)), "ND6_BADOPT"),
    ],
)
def test_bad_redirect_changes_nothing(packet: bytes, reason: str) -> None:
    node = host()
    node.receive(packet)
    assert node.drops() == {reason: 1}
    assert way(node).rt_plen == 0


def test_redirect_is_not_followed_when_rediraccept_is_off() -> None:
    node = host()
    node.kern.sysctl.write("net.inet6.icmp6.rediraccept", 0)
    node.receive(redirect())
    assert node.drops() == {"ICMP6_REDIROFF": 1}


def test_router_does_not_follow_redirects() -> None:
    node = host()
    node.kern.ip6.ip6_forwarding = 1
    node.receive(redirect())
    assert node.drops() == {"ICMP6_REDIROFF": 1}


def test_redirected_header_fits_the_minimum_mtu() -> None:
    option = build_redirected_opt(bytes(1500), 1280 - 40 - NdRedirect.SIZE - len(TLLA))
    assert 40 + NdRedirect.SIZE + len(TLLA) + len(option) <= 1280


def test_redirtimeout_zero_is_for_ever() -> None:
    node = host()
    node.kern.sysctl.write("net.inet6.icmp6.redirtimeout", 0)
    node.receive(redirect())
    node.wait(10**6 * NS)
    assert way(node).rt_gateway == scoped(node, PEER2)


def test_a_redirect_whose_route_was_deleted_ends_quietly() -> None:
    node = host()
    node.receive(redirect())
    rtrequest(node.kern, RTM_DELETE, FAR, 128)
    node.wait(601 * NS)
    assert way(node).rt_plen == 0


def test_without_any_route_nobody_may_redirect() -> None:
    node = Node()
    node.receive(redirect())
    assert node.drops() == {"ICMP6_REDIRBAD": 1}


def test_a_router_with_a_global_address_cannot_redirect() -> None:
    node = Node()
    gateway = addr("2001:db8::1")
    rtrequest(node.kern, RTM_ADD, bytes(16), 0, gateway, RTF_GATEWAY, node.ifp)
    node.receive(redirect(src=gateway))
    assert node.drops() == {"ICMP6_REDIRBAD": 1}


# -- sending --------------------------------------------------------------------------------------

NET = addr("2001:db8:1::")
OURS = addr("2001:db8:1::1")
SENDER = addr("2001:db8:1::9")


def router(known: bool = True) -> Node:
    """A router on NET that reaches FAR by PEER2, whose station it knows if ``known``."""
    node = Node(ip6_forwarding=1)
    in6_update_ifa(node.kern, node.ifp, OURS, 64)
    node.until(120 * NS)
    if known:
        node.output(PEER2)
        node.receive(na(PEER2, "RSO", PEER_MAC2, src=PEER2))
    rtrequest(node.kern, RTM_ADD, FAR, 64, scoped(node, PEER2), RTF_GATEWAY, node.ifp)
    node.quiet()
    node.kern.icmp6.errpps_start = None
    return node


def through(node: Node, dst: bytes = FAR, src: bytes = SENDER, size: int = 0) -> None:
    """A host on the link sends a packet by us."""
    node.receive(ip6(bytes(size), 59, src, dst))


def redirected(node: Node, dst: bytes = FAR, src: bytes = SENDER, size: int = 0) -> list[bytes]:
    """The redirects about such a packet; the sender's advertisement lets them go."""
    through(node, dst, src, size)
    node.receive(na(SENDER, "SO", PEER_MAC, src=SENDER))
    out = []
    for _, packet in node.sent():
        if Ip6Hdr.unpack(packet).ip6_nxt == 58 and packet[Ip6Hdr.SIZE] == 137:
            out.append(packet)
    return out


def test_redirect_to_a_better_router_octet_by_octet() -> None:
    node = router()
    (sent,) = redirected(node)
    message = (
        bytes((137, 0, 0, 0))  # type, code, checksum (filled in below)
        + bytes(4)  # reserved
        + PEER2  # target: the better router's link-local address
        + FAR  # destination
        + bytes((2, 1))
        + PEER_MAC2  # target link-layer address
        + bytes((4, 6))
        + bytes(6)  # redirected header: 48 octets with the packet's 40
        + ip6(b"", 59, SENDER, FAR, 63)
    )
    assert sent == nd(LL, SENDER, message)
    assert node.kern.stats.ip6["ip6s_redirectsent"] == 1
    assert node.kern.stats.icmp6["icp6s_oredirect"] == 1
    assert node.kern.stats.icp6s_outhist[137] == 1


def test_redirect_without_the_routers_station_has_no_such_option() -> None:
    node = router(known=False)
    (sent,) = redirected(node)
    opts = parse_nd_options(sent, Ip6Hdr.SIZE + NdRedirect.SIZE, len(sent))
    assert isinstance(opts, NdOptions)
    assert opts.tgt_lladdr is None


def test_redirect_fits_1280_octets_and_cuts_the_quoted_packet() -> None:
    node = router()
    (sent,) = redirected(node, size=1400)
    assert 1272 < len(sent) <= 1280


def test_redirect_to_a_neighbour_names_it_as_target() -> None:
    node = router()
    near = addr("2001:db8:1::77")
    (sent,) = redirected(node, near)
    got = NdRedirect.unpack(sent, Ip6Hdr.SIZE)
    assert (got.nd_rd_target, got.nd_rd_dst) == (near, near)


def no_redirect(node: Node, dst: bytes = FAR, src: bytes = SENDER) -> bool:
    return redirected(node, dst, src) == [] and node.kern.stats.ip6["ip6s_redirectsent"] == 0


def test_no_redirect_to_a_sender_that_is_no_neighbour() -> None:
    assert no_redirect(router(), src=addr("2001:db8:77::1"))


def test_no_redirect_to_a_router_without_link_local_address() -> None:
    node = router()
    other = addr("2001:db8:55::1")
    rtrequest(node.kern, RTM_ADD, other, 64, addr("2001:db8:1::3"), RTF_GATEWAY, node.ifp)
    assert no_redirect(node, dst=other)


def test_no_redirect_when_sendredirects_is_off() -> None:
    node = router()
    node.kern.sysctl.write("net.inet6.ip6.redirect", 0)
    assert no_redirect(node)


def test_no_redirect_without_a_link_local_address_of_our_own() -> None:
    node = router()
    mine = next(ia for ia in node.ifp.in6_addrs if ia.ia_addr[0] == 0xFE)
    node.ifp.in6_addrs.remove(mine)
    assert no_redirect(node)


def test_redirects_share_the_limit_of_errors() -> None:
    node = router()
    node.kern.icmp6.icmp6errppslim = 0
    assert no_redirect(node)
    assert node.kern.stats.icmp6["icp6s_toofreq"] == 1


@pytest.mark.parametrize("case", ["host", "other link", "multicast", ""])
def test_redirects_are_a_routers_about_unicast_that_leaves_where_it_came(case: str) -> None:
    node = router(known=False)
    node.kern.ip6.ip6_forwarding = int(case != "host")
    dst = addr("ff0e::1") if case == "multicast" else FAR
    m = Mbuf(ip6(b"", 59, SENDER, dst), node.kern.ifnets[0] if case == "other link" else node.ifp)
    m.src, m.dst = SENDER, dst
    icmp6_redirect_output(node.kern, m, way(node))
    assert node.kern.stats.ip6["ip6s_redirectsent"] == int(not case)
