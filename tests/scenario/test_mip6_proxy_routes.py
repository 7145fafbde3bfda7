# SPDX-License-Identifier: BSD-3-Clause
"""Routes that make a home agent a proxy of mobile nodes: all see them, few are made."""

from __future__ import annotations

import pytest

from kame_py.kern.uipc_socket import Socket, socreate, soreceive
from kame_py.mip6.mip6_hareg import mip6_hr_expire, mip6_hr_list
from kame_py.net.if_sysctl import route_dump
from kame_py.net.route import (
    RTF_ANNOUNCE,
    RTF_CLONING,
    RTF_HOST,
    RTF_LLINFO,
    RTF_STATIC,
    RTF_UP,
    RTM_ADD,
    RTM_DELETE,
    LinkAddr,
    rtalloc1,
    rtrequest,
)
from kame_py.netinet6.in6 import in6_solicited
from kame_py.netinet6.nd6 import nd6_lookup_llinfo
from kame_py.netinet6.nd6_ioctl import nbrlist
from kame_py.netinet6.nd6_var import ND6_LLINFO_REACHABLE
from kame_py.wire import rtmsg
from kame_py.wire.errno import EEXIST, KError
from kame_py.wire.rtmsg import RtMsg
from kame_py.wire.sockaddr import AF_ROUTE, SOCK_RAW, SockaddrIn6
from tests.scenario.mip6words import bu, home_agent
from tests.scenario.tester import GLOBAL, GLOBAL2, PEER_G, PEER_MAC, PEER_MAC2, Stage
from tests.scenario.words import addr, echo, ns, sll

HOA, COA = "2001:db8:1::10", "2001:db8:2::9"
FLAGS = RTF_UP | RTF_HOST | RTF_STATIC | RTF_ANNOUNCE | RTF_LLINFO


@pytest.fixture
def ha() -> Stage:
    stage = Stage(router=True, links=2, globals_=True, kernel="options MIP6")
    home_agent(stage)
    stage.tn.neighbours[PEER_G] = PEER_MAC
    stage.tn2.neighbours[COA] = PEER_MAC2
    stage.send2(echo(COA, GLOBAL2), PEER_MAC2)
    stage.send(echo(PEER_G, GLOBAL))
    register(stage, 1)
    stage.wait(3)
    stage.take(stage.tn)
    return stage


def register(ha: Stage, seq: int, lifetime: int = 60) -> None:
    ha.send2(bu(COA, GLOBAL, HOA, seq, lifetime, "AHS"), PEER_MAC2)


def unmade(ha: Stage) -> int:
    return 0 if ha.kern.rt.unmade is None else len(ha.kern.rt.unmade)


def home_ifp(ha: Stage) -> object:
    (hr,) = mip6_hr_list(ha.kern)
    return hr.hr_ifp


def test_dumps_of_routes_and_neighbours_show_it_and_leave_it_unmade(ha: Stage) -> None:
    (route,) = [rt for rt in ha.kern.rt if rt.rt_key == addr(HOA)]
    assert (route.rt_flags, route.rt_plen, route.rt_ifp) == (FLAGS, 128, home_ifp(ha))
    assert [snap.flags for snap in route_dump(ha.kern) if snap.dst == addr(HOA)] == [FLAGS]
    (neighbour,) = [snap for snap in nbrlist(ha.kern) if snap.addr == addr(HOA)]
    assert neighbour.state == ND6_LLINFO_REACHABLE
    assert list(ha.kern.rt) != ha.kern.rt.made()
    assert len(ha.kern.rt) == len(list(ha.kern.rt)) == len(ha.kern.rt.made()) + 1
    assert unmade(ha) == 1


def test_a_solicitation_is_answered_and_leaves_it_unmade(ha: Stage) -> None:
    ha.send(ns(HOA, PEER_G, sll(PEER_MAC)))
    assert len(ha.take(ha.tn)) == 1
    ln = nd6_lookup_llinfo(ha.kern, addr(HOA), None)
    assert ln is not None and ln.ln_permanent
    assert unmade(ha) == 1


def test_who_asks_for_the_route_gets_one_that_stays(ha: Stage) -> None:
    rt = ha.kern.rt.exact(addr(HOA), 128)
    assert rt is not None and rt.rt_flags == FLAGS
    assert unmade(ha) == 0
    assert ha.kern.rt.exact(addr(HOA), 128) is ha.kern.rt.lookup(addr(HOA)) is rt
    assert rt.rt_llinfo in ha.kern.nd6.llinfo
    register(ha, 2)
    assert ha.kern.rt.exact(addr(HOA), 128) is rt
    register(ha, 3, lifetime=0)
    assert ha.kern.rt.exact(addr(HOA), 128) is None
    assert rt.rt_llinfo is None


def test_a_packet_makes_it(ha: Stage) -> None:
    rt = rtalloc1(ha.kern, addr(HOA))
    assert rt is not None and not rt.rt_flags & RTF_CLONING
    assert unmade(ha) == 0


def test_what_was_looked_up_before_is_looked_up_again(ha: Stage) -> None:
    register(ha, 2, lifetime=0)
    before = ha.kern.rt.lookup(addr(HOA))
    assert before is not None and before.rt_plen == 64
    register(ha, 3)
    after = ha.kern.rt.lookup(addr(HOA))
    assert after is not None and after.rt_flags == FLAGS


def test_nobody_adds_a_second_one(ha: Stage) -> None:
    link = LinkAddr(1, PEER_MAC)
    with pytest.raises(KError) as e:
        rtrequest(ha.kern, RTM_ADD, addr(HOA), 128, link)
    assert e.value.errno == EEXIST


def test_who_deletes_it_ends_it_until_the_next_update(ha: Stage) -> None:
    group = in6_solicited(mip6_hr_list(ha.kern)[0].hr_ifp, addr(HOA))
    rtrequest(ha.kern, RTM_DELETE, addr(HOA), 128)
    assert ha.kern.rt.exact(addr(HOA), 128) is None
    assert group not in mip6_hr_list(ha.kern)[0].hr_ifp.in6_multi
    register(ha, 2)
    assert unmade(ha) == 1
    assert group in mip6_hr_list(ha.kern)[0].hr_ifp.in6_multi


@pytest.mark.parametrize("made", [False, True])
def test_the_group_on_the_home_link_is_left_with_the_registration(ha: Stage, made: bool) -> None:
    ifp = mip6_hr_list(ha.kern)[0].hr_ifp
    group = in6_solicited(ifp, addr(HOA))
    assert ifp.in6_multi[group].in6m_refcount == 1
    if made:
        ha.kern.rt.exact(addr(HOA), 128)
    for hr in mip6_hr_list(ha.kern):
        mip6_hr_expire(ha.kern, hr)
    assert group not in ifp.in6_multi
    assert (unmade(ha), ha.kern.rt.unmade) == (0, None)


def test_a_deleted_prefix_route_does_not_take_it_along(ha: Stage) -> None:
    """Its children are clones; a proxy's route is nobody's child."""
    (prefix,) = [rt for rt in ha.kern.rt if rt.rt_key == addr("2001:db8:1::") and rt.rt_plen == 64]
    rtrequest(ha.kern, RTM_DELETE, prefix.rt_key, 64)
    assert unmade(ha) == 1


def test_routing_sockets_hear_of_it_when_it_comes_and_goes(ha: Stage) -> None:
    so = socreate(ha.kern, AF_ROUTE, SOCK_RAW, 0)
    register(ha, 2, lifetime=0)
    register(ha, 3)
    assert [kind for kind, dst in told(ha, so) if dst == addr(HOA)] == [RTM_DELETE, RTM_ADD]


def told(ha: Stage, so: Socket) -> list[tuple[int, bytes]]:
    found = []
    while so.so_rcv:
        msg = rtmsg.parse(soreceive(ha.kern, so).data)
        if isinstance(msg, RtMsg) and isinstance(msg.addrs.dst, SockaddrIn6):
            found.append((msg.rtm_type, msg.addrs.dst.addr))
    return found
