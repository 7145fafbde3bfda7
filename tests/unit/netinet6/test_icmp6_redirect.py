# SPDX-License-Identifier: BSD-3-Clause
"""Redirects: which are believed, what they change, how long; which a router sends."""

from __future__ import annotations

import pytest

from kame_py.kern.clock import NS
from kame_py.kern.mbuf import Fate
from kame_py.net.route import (
    RTF_DYNAMIC,
    RTF_GATEWAY,
    RTF_HOST,
    RTF_MODIFIED,
    RTF_STATIC,
    RTM_ADD,
    Rtentry,
    rtrequest,
)
from kame_py.netinet6.scope6 import in6_embedscope
from kame_py.wire.codecs import NdRedirect
from kame_py.wire.nd6opt import build_lladdr_opt, build_redirected_opt
from tests.unit.netinet6.nd_node import LL, PEER, PEER2, PEER_MAC2, Node, addr, nd

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
