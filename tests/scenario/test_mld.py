# SPDX-License-Identifier: BSD-3-Clause
"""Multicast listener discovery (RFC 2710), the listener's side, seen from the link."""

from __future__ import annotations

import pytest

from kame_py.kern.clock import MS, NS
from kame_py.kern.uipc_socket import Socket, soclose, socreate, sosetopt
from kame_py.wire.in6addr import ether_multicast
from kame_py.wire.sockaddr import (
    AF_INET6,
    IPPROTO_IPV6,
    IPV6_JOIN_GROUP,
    IPV6_LEAVE_GROUP,
    SOCK_DGRAM,
)
from tests.scenario.tester import LL, MLD_NXT, PEER, ROUTER, ROUTER_MAC, Stage
from tests.scenario.words import Heard, addr, group_of, is_, mld, udp

GROUP = "ff0e::7777"
ALL = "ff02::1"
SOLICITED = group_of(LL)


@pytest.fixture
def so(host: Stage) -> Socket:
    """A socket on the host that may join groups."""
    return socreate(host.kern, AF_INET6, SOCK_DGRAM, 0)


def join(stage: Stage, so: Socket, opt: int = IPV6_JOIN_GROUP) -> int:
    """Join or leave now; when that is."""
    sosetopt(stage.kern, so, IPPROTO_IPV6, opt, (addr(GROUP), stage.ifp.if_index))
    stage.settle()
    return stage.now


def said(stage: Stage, group: str = GROUP) -> list[Heard]:
    """Messages about a group that were heard, nothing else being kept."""
    heard, stage.tn.frames = stage.tn.frames, []
    return [h for h in heard if h.ip6.ip6_nxt == MLD_NXT and h.facts().get("group") == group]


def ask(stage: Stage, maxdelay_ms: int, group: str = "::") -> int:
    stage.send(mld(130, ROUTER, ALL if group == "::" else group, group, maxdelay_ms), ROUTER_MAC)
    return stage.now


def test_join_reports_at_once_and_again_within_ten_seconds(host: Stage, so: Socket) -> None:
    start = join(host, so)
    host.wait(60)
    first, second = said(host)
    for report in (first, second):
        facts = report.facts()
        assert facts["icmp6"] == "report"
        assert (facts["src"], facts["dst"], facts["hlim"]) == (LL, GROUP, 1)
        assert (facts["dmac"], facts["param"]) == (ether_multicast(addr(GROUP)), 0)
        assert facts["cksum"] == "good"
    assert first.t_ns == start
    assert start < second.t_ns <= start + 10 * NS


def test_leave_says_done_to_the_routers(host: Stage, so: Socket) -> None:
    join(host, so)
    said(host)
    join(host, so, IPV6_LEAVE_GROUP)
    (done,) = said(host)
    facts = done.facts()
    assert (facts["icmp6"], facts["dst"], facts["src"]) == ("done", "ff02::2", LL)
    host.wait(60)
    assert said(host) == []


def test_leave_after_somebody_else_reported_says_nothing(host: Stage, so: Socket) -> None:
    join(host, so)
    host.send(mld(131, PEER, GROUP, GROUP))
    said(host)
    join(host, so, IPV6_LEAVE_GROUP)
    assert said(host) == []


def test_the_last_socket_that_closes_leaves(host: Stage, so: Socket) -> None:
    other = socreate(host.kern, AF_INET6, SOCK_DGRAM, 0)
    join(host, so)
    join(host, other)
    assert len(said(host)) == 1
    soclose(host.kern, so)
    host.settle()
    assert said(host) == []
    soclose(host.kern, other)
    host.settle()
    assert [h.facts()["icmp6"] for h in said(host)] == ["done"]


@pytest.mark.parametrize("group", ["::", GROUP], ids=["general", "specific"])
def test_query_is_answered_once_within_its_delay(host: Stage, so: Socket, group: str) -> None:
    join(host, so)
    host.wait(20)
    said(host)
    start = ask(host, 4000, group)
    host.until(start + 4000 * MS)
    (report,) = said(host)
    assert start <= report.t_ns <= start + 4000 * MS
    host.wait(60)
    assert said(host) == []


def test_query_without_delay_is_answered_at_once(host: Stage, so: Socket) -> None:
    join(host, so)
    host.wait(20)
    said(host)
    ask(host, 0)
    assert len(said(host)) == 1


def test_query_for_another_group_is_not_answered(host: Stage, so: Socket) -> None:
    join(host, so)
    host.wait(20)
    said(host)
    host.send(mld(130, ROUTER, ALL, "ff0e::8888", 0), ROUTER_MAC)
    host.wait(20)
    assert said(host) == []


def test_shorter_query_brings_the_answer_forward_and_a_longer_one_does_not_put_it_off(
    host: Stage, so: Socket
) -> None:
    join(host, so)
    host.wait(20)
    said(host)
    start = ask(host, 60_000)
    ask(host, 1000)
    ask(host, 60_000)
    host.until(start + NS)
    assert len(said(host)) == 1


def test_report_of_another_listener_makes_ours_needless(host: Stage, so: Socket) -> None:
    join(host, so)
    host.wait(20)
    said(host)
    ask(host, 4000)
    host.send(mld(131, PEER, GROUP, GROUP))
    host.wait(20)
    assert said(host) == []


def test_general_query_asks_for_solicited_groups_but_not_for_all_nodes(host: Stage) -> None:
    ask(host, 1000)
    host.wait(1)
    heard = [h.facts()["group"] for h in host.tn.frames if h.ip6.ip6_nxt == MLD_NXT]
    assert SOLICITED in heard
    assert ALL not in heard
    assert not any(str(g).startswith("ff01") for g in heard)


@pytest.mark.parametrize(
    "packet",
    [
        pytest.param(mld(130, "2001:db8:1::9", ALL, "::"), id="global-source"),
        pytest.param(
            mld(130, ROUTER, ALL, "::")[:7] + b"\x02" + mld(130, ROUTER, ALL, "::")[8:], id="hlim-2"
        ),
        pytest.param(mld(130, ROUTER, ALL, "2001:db8::1"), id="unicast-group"),
    ],
)
def test_invalid_query_is_not_answered(host: Stage, so: Socket, packet: bytes) -> None:
    join(host, so)
    host.wait(20)
    said(host)
    host.send(packet, ROUTER_MAC)
    host.wait(20)
    assert said(host) == []
    assert sum(host.drops().values()) == 1


def test_packets_of_a_group_are_taken_only_between_join_and_leave(host: Stage, so: Socket) -> None:
    packet = udp("2001:db8:9::9", GROUP, dport=9999)
    seen = []
    for opt in (None, IPV6_JOIN_GROUP, IPV6_LEAVE_GROUP):
        if opt is not None:
            join(host, so, opt)
        before = host.kern.stats.udp6["udp6s_ipackets"]
        host.send(packet, ROUTER_MAC)
        seen.append(host.kern.stats.udp6["udp6s_ipackets"] - before)
    assert seen == [0, 1, 0]


def test_hosts_of_a_link_share_the_answer(host: Stage) -> None:
    """Three listeners, one report for each query: the others hear it and stay silent."""
    world = host.world
    members = [host]
    for name in ("b", "c"):
        node = world.add_node(name)
        node.attach("fxp0", host.lan)
    world.run_for(5)
    for node in world.nodes.values():
        kern = node.kernel
        so = socreate(kern, AF_INET6, SOCK_DGRAM, 0)
        ifp = kern.ifunit("fxp0")
        assert ifp is not None
        sosetopt(kern, so, IPPROTO_IPV6, IPV6_JOIN_GROUP, (addr(GROUP), ifp.if_index))
        node.kick()
    world.run_for(20)
    said(members[0])
    ask(host, 10_000)
    host.wait(20)
    reports = said(host)
    assert len(reports) == 1
    assert not is_("report", group=GROUP).misses(reports[0])
