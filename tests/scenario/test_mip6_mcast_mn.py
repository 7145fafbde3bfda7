# SPDX-License-Identifier: BSD-3-Clause
"""A mobile node and its groups, away from home (draft-15 s.10.19)."""

from __future__ import annotations

import pytest

from kame_py.kern.clock import NS
from kame_py.kern.uipc_socket import (
    Socket,
    sobind,
    socreate,
    soreceive,
    sosend,
    sosetopt,
)
from kame_py.wire.errno import EHOSTUNREACH, KError
from kame_py.wire.in6addr import ntop
from kame_py.wire.ioctl import SIOCAHOMEPREFIX_HIF
from kame_py.wire.sockaddr import (
    AF_INET6,
    IPPROTO_IPV6,
    IPV6_JOIN_GROUP,
    IPV6_LEAVE_GROUP,
    IPV6_MULTICAST_HOPS,
    IPV6_MULTICAST_LOOP,
    MSG_DONTWAIT,
    SOCK_DGRAM,
    SockaddrIn6,
)
from tests.scenario.mip6words import Seen, seen
from tests.scenario.mnstage import (
    CN,
    COA,
    COA2,
    FOREIGN,
    HA,
    HA_LL,
    HOA,
    HOME,
    PLTIME,
    VLTIME,
    MnStage,
    hao_of,
)
from tests.scenario.tester import LL, PEER, ROUTER, ROUTER2, ROUTER2_MAC, ROUTER_MAC
from tests.scenario.words import Heard, addr, echo, mld, udp

TUNNEL = 41
QUERY, REPORT, DONE = 130, 131, 132
GROUP = "ff05::7777"
PORT = 9
ALERT = bytes((58, 0, 5, 2, 0, 0, 1, 0))  # hop-by-hop header with a router alert for MLD


@pytest.fixture
def mn() -> MnStage:
    """Away and registered."""
    mn = MnStage()
    mn.abroad()
    return mn


@pytest.fixture
def so(mn: MnStage) -> Socket:
    return socket(mn)


def socket(mn: MnStage) -> Socket:
    so = socreate(mn.kern, AF_INET6, SOCK_DGRAM, 0)
    sobind(mn.kern, so, SockaddrIn6(bytes(16), PORT, 0))
    return so


def join(mn: MnStage, so: Socket, group: str = GROUP, opt: int = IPV6_JOIN_GROUP) -> None:
    sosetopt(mn.kern, so, IPPROTO_IPV6, opt, (addr(group), mn.ifp.if_index))
    mn.settle()


def heard(mn: MnStage) -> list[Heard]:
    """Everything heard since the last time, MLD too."""
    found, mn.tn.frames = mn.tn.frames, []
    return found


def told(mn: MnStage, coa: str = COA) -> list[Heard]:
    """Membership messages in the tunnel, unpacked; about the group nothing is on the link."""
    found = []
    for h in heard(mn):
        assert h.facts().get("group") != GROUP, h
        s = seen(h)
        if s.nxt == TUNNEL:
            assert (s.src, s.hops) == (coa, (HA,))
            found.append(Heard(h.t_ns, h.frame[:14] + s.rest))
    return found


def on_link(mn: MnStage, group: str = GROUP) -> list[Heard]:
    """Membership messages on the link."""
    return [h for h in heard(mn) if h.facts().get("group") == group]


def got(mn: MnStage, so: Socket) -> list[bytes]:
    """What the socket received."""
    found = []
    while True:
        try:
            found.append(soreceive(mn.kern, so, MSG_DONTWAIT).data)
        except KError:
            return found


def settled(mn: MnStage, so: Socket, group: str = GROUP) -> None:
    """The group is joined, its reports are over."""
    join(mn, so, group)
    mn.wait(11)
    heard(mn)


def send(mn: MnStage, so: Socket, dst: str = GROUP) -> None:
    sosetopt(mn.kern, so, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, 5)
    sosend(mn.kern, so, b"hello", SockaddrIn6(addr(dst), PORT, 0))
    mn.settle()


# -- memberships ----------------------------------------------------------------------------------


def test_group_joined_away_is_reported_to_the_home_agent(mn: MnStage, so: Socket) -> None:
    start = mn.now
    join(mn, so)
    mn.wait(60)
    first, second = told(mn)
    for report in (first, second):
        facts = report.facts()
        assert (facts["icmp6"], facts["group"], facts["cksum"]) == ("report", GROUP, "good")
        assert (facts["src"], facts["dst"], facts["hlim"]) == (HOA, GROUP, 1)
        assert report.packet[40:48] == ALERT
    assert first.t_ns == start < second.t_ns <= start + 10 * NS


def test_leaving_is_told_to_the_home_agent(mn: MnStage, so: Socket) -> None:
    settled(mn, so)
    join(mn, so, opt=IPV6_LEAVE_GROUP)
    (done,) = told(mn)
    facts = done.facts()
    assert (facts["icmp6"], facts["group"], facts["src"]) == ("done", GROUP, HOA)
    assert (facts["dst"], facts["hlim"]) == ("ff02::2", 1)


def test_group_of_the_link_is_joined_on_the_link(mn: MnStage, so: Socket) -> None:
    join(mn, so, "ff02::7777")
    (report,) = on_link(mn, "ff02::7777")
    assert report.facts()["src"] == LL
    mn.wait(20)
    assert told(mn) == []


def test_group_joined_before_is_told_with_the_registration_and_not_earlier() -> None:
    mn = MnStage()
    so = socket(mn)
    mn.arrive()
    join(mn, so)
    mn.wait(20)
    assert [h for h in mn.tn.frames if h.facts().get("group") == GROUP] == []
    assert [h for h in mn.tn.frames if seen(h).nxt == TUNNEL] == []
    mn.acknowledge()
    mn.wait(11)
    assert [h.facts()["icmp6"] for h in told(mn)] == ["report", "report"]


def test_group_is_told_again_from_the_next_link(mn: MnStage, so: Socket) -> None:
    settled(mn, so)
    mn.elsewhere()
    mn.wait(2)
    assert [h for h in mn.tn.frames if seen(h).nxt == TUNNEL] == []
    mn.acknowledge()
    mn.wait(11)
    assert [h.facts()["src"] for h in told(mn, COA2)] == [HOA, HOA]


def test_group_is_reported_on_the_home_link_after_the_return(mn: MnStage, so: Socket) -> None:
    settled(mn, so)
    mn.arrive(HOME, ROUTER2, ROUTER2_MAC)
    heard(mn)
    mn.ack(mn.mip6.mip6_peers[addr(HA)].seqno, lifetime=0, coa=HOA)
    mn.wait(11)
    reports = on_link(mn)
    assert [h.facts()["src"] for h in reports] == [LL, LL]


def test_group_joined_on_two_interfaces_is_left_with_the_second(mn: MnStage, so: Socket) -> None:
    hif = mn.sc.hif_if.if_index
    settled(mn, so)
    sosetopt(mn.kern, so, IPPROTO_IPV6, IPV6_JOIN_GROUP, (addr(GROUP), hif))
    mn.wait(11)
    heard(mn)
    join(mn, so, opt=IPV6_LEAVE_GROUP)
    assert told(mn) == []
    mn.tunnel(udp(CN, GROUP, b"one"))
    assert got(mn, so) == [b"one"]
    sosetopt(mn.kern, so, IPPROTO_IPV6, IPV6_LEAVE_GROUP, (addr(GROUP), hif))
    mn.settle()
    assert [h.facts()["icmp6"] for h in told(mn)] == ["done"]


@pytest.mark.parametrize("join_home", [1, 0])
def test_on_one_of_two_home_links_groups_are_joined_there(join_home: int) -> None:
    mn = MnStage(kernel="options MIP6\npseudo-device hif 2")
    mn.ioctl(SIOCAHOMEPREFIX_HIF("hif1", addr(FOREIGN), 64, VLTIME, PLTIME))
    mn.kern.sysctl.write("net.inet6.mip6.join_home", join_home)
    mn.abroad()
    so = socket(mn)
    join(mn, so)
    mn.wait(11)
    reports = [seen(h) for h in on_link(mn)]
    assert [(s.src, s.options) for s in reports] == [(LL, ()), (LL, ())]


# -- queries --------------------------------------------------------------------------------------


@pytest.mark.parametrize("group", ["::", GROUP], ids=["general", "specific"])
def test_query_of_the_home_agent_is_answered_through_the_tunnel(
    mn: MnStage, so: Socket, group: str
) -> None:
    settled(mn, so)
    start = mn.now
    mn.tunnel(mld(QUERY, HA_LL, "ff02::1" if group == "::" else group, group, 4000))
    mn.wait(60)
    (report,) = told(mn)
    assert (report.facts()["icmp6"], report.facts()["group"]) == ("report", GROUP)
    assert start < report.t_ns <= start + 4 * NS
    mn.conserved()


def test_query_of_the_home_agent_for_another_group_is_not(mn: MnStage, so: Socket) -> None:
    settled(mn, so)
    mn.tunnel(mld(QUERY, HA_LL, "ff02::1", "ff05::1", 0))
    mn.wait(20)
    assert told(mn) == []


def test_query_of_the_home_agent_does_not_concern_this_link(mn: MnStage, so: Socket) -> None:
    settled(mn, so)
    mn.tunnel(mld(QUERY, HA_LL, "ff02::1", "::", 0))
    mn.wait(1)
    assert [h.facts()["group"] for h in told(mn)] == [GROUP]
    assert not any(h.ip6.ip6_nxt == 0 for h in heard(mn))


def test_query_on_the_foreign_link_does_not_concern_the_group(mn: MnStage, so: Socket) -> None:
    settled(mn, so)
    mn.send(mld(QUERY, ROUTER, "ff02::1", "::", 0), ROUTER_MAC)
    mn.wait(1)
    assert told(mn) == []


def test_listener_on_the_foreign_link_does_not_make_our_report_needless(
    mn: MnStage, so: Socket
) -> None:
    join(mn, so)
    mn.send(mld(REPORT, PEER, GROUP, GROUP))
    mn.tn.frames = [h for h in mn.tn.frames if h.facts().get("src") != PEER]
    mn.wait(11)
    assert len(told(mn)) == 2
    join(mn, so, opt=IPV6_LEAVE_GROUP)
    assert len(told(mn)) == 1


# -- packets --------------------------------------------------------------------------------------


def test_packet_to_the_group_comes_through_the_tunnel(mn: MnStage, so: Socket) -> None:
    settled(mn, so)
    mn.tunnel(udp(CN, GROUP, b"one"))
    mn.tunnel(udp(CN, "ff05::8888", b"two"))
    assert got(mn, so) == [b"one"]
    assert mn.drops() == {"IP6_NOTMEMBER": 1}
    mn.conserved()


def test_packet_through_the_tunnel_of_another_node_is_not_taken(mn: MnStage, so: Socket) -> None:
    settled(mn, so)
    mn.tunnel(udp(CN, GROUP, b"one"), src=CN)
    assert got(mn, so) == []


def test_group_of_the_link_does_not_come_through_the_tunnel(mn: MnStage, so: Socket) -> None:
    mn.tunnel(echo(CN, "ff02::1"))
    assert [h for h in mn.take() if "echo" in str(h.facts().get("icmp6"))] == []
    assert mn.drops() == {"MIP6_LINKLOCAL": 1}
    mn.conserved()


def in_tunnel(mn: MnStage, coa: str = COA) -> list[bytes]:
    found = [seen(h) for h in heard(mn)]
    return [s.rest for s in found if (s.src, s.hops, s.nxt) == (coa, (HA,), TUNNEL)]


def test_packet_to_a_group_has_the_home_address_inside_the_tunnel(mn: MnStage, so: Socket) -> None:
    send(mn, so)
    (inner,) = in_tunnel(mn)
    facts = Heard(0, bytes(14) + inner).facts()
    assert (facts["src"], facts["dst"], facts["hlim"]) == (HOA, GROUP, 5)
    assert facts["udp"] == PORT
    mn.conserved()


@pytest.mark.parametrize("loop", [1, 0])
def test_own_listeners_hear_it_unless_the_sender_objects(
    mn: MnStage, so: Socket, loop: int
) -> None:
    settled(mn, so)
    sosetopt(mn.kern, so, IPPROTO_IPV6, IPV6_MULTICAST_LOOP, loop)
    send(mn, so)
    assert got(mn, so) == [b"hello"] * loop
    assert len(in_tunnel(mn)) == 1
    mn.conserved()


def test_without_a_registration_nothing_leaves_with_the_home_address(so: Socket) -> None:
    mn = MnStage()
    so = socket(mn)
    mn.arrive()
    heard(mn)
    with pytest.raises(KError) as refused:
        send(mn, so)
    assert refused.value.errno == EHOSTUNREACH
    assert [h for h in heard(mn) if h.facts().get("udp")] == []


# -- joined on the foreign link -------------------------------------------------------------------


def local(mn: MnStage) -> None:
    mn.kern.sysctl.write("net.inet6.mip6.join_home", 0)


def test_membership_on_the_foreign_link_tells_the_home_address(mn: MnStage, so: Socket) -> None:
    local(mn)
    join(mn, so)
    (report,) = on_link(mn)
    said: Seen = seen(report)
    assert hao_of(said) == HOA
    assert (said.src, said.hops) == (LL, (GROUP,))  # RFC 2710 s.3
    assert report.packet[40:48] == bytes((60,)) + ALERT[1:]
    join(mn, so, opt=IPV6_LEAVE_GROUP)
    (done,) = on_link(mn)
    assert (hao_of(seen(done)), seen(done).src, seen(done).hops) == (HOA, LL, ("ff02::2",))
    mn.conserved()


def test_groups_know_the_home_address_by_the_tunnel_and_on_the_foreign_link(
    mn: MnStage, so: Socket
) -> None:
    send(mn, so)
    join(mn, so)
    inside = [Heard(0, bytes(14) + inner).facts() for inner in in_tunnel(mn)]
    assert [(f["src"], f.get("udp"), f.get("icmp6")) for f in inside] == [
        (HOA, PORT, None),
        (HOA, None, "report"),
    ]
    local(mn)
    join(mn, so, "ff05::8888")
    (report,) = on_link(mn, "ff05::8888")
    assert hao_of(seen(report)) == HOA


def test_membership_of_a_group_of_the_link_does_not(mn: MnStage, so: Socket) -> None:
    local(mn)
    join(mn, so, "ff02::7777")
    (report,) = on_link(mn, "ff02::7777")
    assert seen(report).options == ()


def test_membership_at_home_does_not() -> None:
    mn = MnStage()
    local(mn)
    so = socket(mn)
    mn.land(HOME)
    mn.wait(3)
    heard(mn)
    join(mn, so)
    (report,) = on_link(mn)
    assert seen(report).options == ()


def test_group_joined_on_the_foreign_link_is_said_again_on_the_next(
    mn: MnStage, so: Socket
) -> None:
    local(mn)
    settled(mn, so)
    mn.elsewhere()
    mn.acknowledge()
    mn.wait(11)
    reports = on_link(mn)
    assert [hao_of(seen(h)) for h in reports] == [HOA, HOA]
    assert {ntop(h.ip6.ip6_src) for h in reports} == {LL}
