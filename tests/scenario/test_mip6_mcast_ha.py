# SPDX-License-Identifier: BSD-3-Clause
"""A home agent and the groups of its mobile nodes (draft-15 s.9.4, s.10.19).

``lan`` is the home link, the mobile nodes are away on ``lan2``. What they say of their groups comes
out of the tunnel, with the home address as source.
"""

from __future__ import annotations

import pytest

from kame_py.kern.clock import NS
from kame_py.kern.uipc_socket import soclose, socreate, sosetopt
from kame_py.mip6.mip6_mcast import (
    MIP6_GROUPS_MAX,
    MLD_LISTENER_INTERVAL_S,
    MLD_QUERY_INTERVAL_S,
    mip6_mcast,
)
from kame_py.wire.codecs import Ip6Hdr
from kame_py.wire.in6addr import ether_multicast, ntop
from kame_py.wire.patch import put_u8
from kame_py.wire.sockaddr import AF_INET6, IPPROTO_IPV6, IPV6_JOIN_GROUP, SOCK_DGRAM
from tests.scenario.mip6words import bu, home_agent, seen
from tests.scenario.tester import (
    GLOBAL,
    GLOBAL2,
    LL,
    MLD_NXT,
    PEER,
    PEER_G,
    PEER_MAC,
    PEER_MAC2,
    Stage,
)
from tests.scenario.words import Heard, addr, echo, icmp6, ip6, is_, mld, udp

HA = GLOBAL
HOA = "2001:db8:1::10"
HOA2 = "2001:db8:1::11"
COA = "2001:db8:2::9"
COA2 = "2001:db8:2::a"
MN_MAC = PEER_MAC2
TUNNEL = 41
REPORT, DONE = 131, 132
SITE = "ff05::7777"
LASTING = 3000  # s, a registration longer than any story here


@pytest.fixture
def ha() -> Stage:
    """A home agent; one mobile node is registered and has said nothing yet."""
    stage = Stage(router=True, links=2, globals_=True, kernel="options MIP6")
    home_agent(stage)
    stage.tn.neighbours[PEER_G] = PEER_MAC
    stage.tn2.neighbours[COA] = stage.tn2.neighbours[COA2] = MN_MAC
    stage.send2(echo(COA, GLOBAL2), MN_MAC)
    stage.send2(echo(COA2, GLOBAL2), MN_MAC)
    register(stage)
    quiet(stage)
    return stage


def register(
    ha: Stage, hoa: str = HOA, coa: str = COA, seq: int = 1, lifetime: int = LASTING
) -> None:
    ha.send2(bu(coa, HA, hoa, seq, lifetime, "AHS"), MN_MAC)


def quiet(ha: Stage) -> None:
    ha.wait(12)
    ha.take(ha.tn2)
    ha.forget()


def tunnelled(ha: Stage, packet: bytes, coa: str = COA) -> None:
    """A packet of a mobile node through its reverse tunnel."""
    ha.send2(ip6(coa, HA, packet, TUNNEL), MN_MAC)


def says(ha: Stage, kind: int = REPORT, group: str = SITE, hoa: str = HOA, coa: str = COA) -> None:
    """A membership message of a mobile node."""
    tunnelled(ha, mld(kind, hoa, group if kind == REPORT else "ff02::2", group), coa)


def joined(ha: Stage, group: str = SITE) -> Stage:
    says(ha, REPORT, group)
    quiet(ha)
    return ha


def copies(ha: Stage, group: str = SITE, src: str = PEER_G, hlim: int = 64) -> list[str]:
    """To which care-of addresses a packet on the home link goes."""
    packet = udp(src, group, hlim=hlim)
    ha.send(packet)
    return went(ha, udp(src, group, hlim=hlim - 1))


def went(ha: Stage, packet: bytes) -> list[str]:
    """To which care-of addresses this very packet was tunnelled; nothing else was."""
    found = [s for h in ha.take(ha.tn2) for s in [seen(h)] if s.nxt == TUNNEL]
    assert all((s.src, s.rest) == (HA, packet) for s in found), found
    return [hop for s in found for hop in s.hops]


def told(ha: Stage, group: str = SITE) -> list[str]:
    """What the home agent said on the home link of a group, everything else being forgotten."""
    heard, ha.tn.frames = ha.tn.frames, []
    mlds = [h.facts() for h in heard if h.ip6.ip6_nxt == MLD_NXT]
    return [str(f["icmp6"]) for f in mlds if f.get("group") == group]


def asked(ha: Stage) -> list[Heard]:
    """Queries in the tunnel."""
    found = []
    for h in ha.take(ha.tn2):
        s = seen(h)
        if s.nxt != TUNNEL:
            continue
        assert (s.src, s.hops) == (HA, (COA,))
        found.append(Heard(h.t_ns, h.frame[:14] + s.rest))
    return found


# -- which groups ---------------------------------------------------------------------------------


@pytest.mark.parametrize("group", ["ff05::7777", "ff03::1", "ff08::1", "ff15::1", "ff0e::1"])
def test_group_beyond_the_link_is_tunnelled_to_who_listens(ha: Stage, group: str) -> None:
    assert copies(ha, group) == []
    joined(ha, group)
    assert copies(ha, group) == [COA]
    assert copies(ha, "ff05::8888") == []
    ha.conserved()


@pytest.mark.parametrize("group", ["ff02::7777", "ff02::1", "ff01::7777", "ff00::7777", "ff12::1"])
def test_group_of_the_link_is_not_tunnelled_whatever_the_mobile_node_says(
    ha: Stage, group: str
) -> None:
    joined(ha, group)
    assert mip6_mcast(ha.kern).listeners == {}
    joined(ha)
    assert copies(ha, group) == []
    assert copies(ha) == [COA]
    ha.conserved()


def test_groups_of_the_link_stay_and_those_between_link_and_globe_can_be_switched_off(
    ha: Stage,
) -> None:
    joined(ha, "ff02::7777")
    assert (mip6_mcast(ha.kern).listeners, copies(ha, "ff02::7777")) == ({}, [])
    joined(ha)
    assert copies(ha) == [COA]
    ha.kern.sysctl.write("net.inet6.mip6.tunnel_scopedmcast", 0)
    assert copies(ha) == []
    joined(ha, "ff08::1")
    joined(ha, "ff0e::1")
    assert addr("ff08::1") not in ha.ifp.in6_multi
    assert copies(ha, "ff08::1") == []
    assert copies(ha, "ff0e::1") == [COA]  # always
    ha.kern.sysctl.write("net.inet6.mip6.tunnel_scopedmcast", 1)
    assert copies(ha) == [COA]


@pytest.mark.parametrize("src", [PEER, "::"])
def test_source_of_the_link_stays_on_the_link(ha: Stage, src: str) -> None:
    joined(ha)
    assert copies(ha, src=src) == []


def test_last_hop_ends_on_the_home_link(ha: Stage) -> None:
    joined(ha)
    assert copies(ha, hlim=1) == []
    assert copies(ha, hlim=2) == [COA]
    ha.conserved()


def with_hlim(packet: bytes, hlim: int) -> bytes:
    return put_u8(packet, Ip6Hdr.O_ip6_hlim, hlim)


# -- memberships ----------------------------------------------------------------------------------


def test_home_agent_listens_on_the_home_link_as_long_as_a_mobile_node_does(ha: Stage) -> None:
    says(ha)
    ha.wait(12)
    assert told(ha) == ["report", "report"]
    assert ha.ifp.macs[ether_multicast(addr(SITE))] == 1
    says(ha, DONE)
    assert told(ha) == ["done"]
    assert ether_multicast(addr(SITE)) not in ha.ifp.macs
    assert copies(ha) == []


@pytest.mark.parametrize("end", ["deregistration", "expiry"])
def test_end_of_the_registration_is_the_end_of_its_memberships(ha: Stage, end: str) -> None:
    joined(ha)
    joined(ha, "ff0e::1")
    if end == "expiry":
        register(ha, seq=2, lifetime=20)
        ha.wait(21)
    else:
        register(ha, seq=2, coa=COA, lifetime=0)
    assert told(ha) == ["done"]
    assert SITE not in [ntop(group) for group in ha.ifp.in6_multi]
    state = mip6_mcast(ha.kern)
    assert (state.listeners, state.links) == ({}, {})
    ha.take(ha.tn2)
    assert copies(ha) == []
    ha.wait(300)
    assert asked(ha) == []  # not any more


def test_membership_that_is_not_repeated_ends(ha: Stage) -> None:
    says(ha)
    start = ha.now
    ha.until(start + MLD_LISTENER_INTERVAL_S * NS - 1)
    ha.take(ha.tn2)
    assert copies(ha) == [COA]
    ha.until(start + MLD_LISTENER_INTERVAL_S * NS)
    assert copies(ha) == []


def test_membership_that_is_repeated_lasts(ha: Stage) -> None:
    says(ha)
    for _ in range(3):
        ha.wait(150)
        ha.take(ha.tn2)
        assert copies(ha) == [COA]
        says(ha)


def test_who_listens_is_asked_again_through_the_tunnel(ha: Stage) -> None:
    says(ha)
    start = ha.now
    ha.until(start + 2 * MLD_QUERY_INTERVAL_S * NS)
    first, second = asked(ha)
    assert [first.t_ns - start, second.t_ns - start] == [
        MLD_QUERY_INTERVAL_S * NS,
        2 * MLD_QUERY_INTERVAL_S * NS,
    ]
    facts = first.facts()
    assert (facts["icmp6"], facts["group"], facts["cksum"]) == ("query", "::", "good")
    assert (facts["src"], facts["dst"], facts["hlim"], facts["nxt"]) == (LL, "ff02::1", 1, 0)
    assert facts["param"] == 10_000 << 16  # maximum response delay
    ha.wait(1000)
    assert asked(ha) == []  # it does not listen any more


@pytest.mark.parametrize(
    "packet,coa",
    [
        (mld(REPORT, HOA, SITE, SITE), COA2),
        (mld(REPORT, PEER, SITE, SITE), COA),
        (ip6(HOA, SITE, mld(REPORT, HOA, SITE, SITE)[48:], 58, 1), COA),
        (icmp6(HOA, SITE, mld(REPORT, HOA, SITE, SITE)[48:], 64), COA),
        (with_hlim(mld(REPORT, HOA, SITE, SITE), 2), COA),
        (mld(REPORT, HOA, SITE, "200e:db8::1"), COA),
        (mld(130, HOA, SITE, SITE), COA),
    ],
    ids=["tunnel", "source", "no router alert", "neither", "hop limit", "no group", "query"],
)
def test_what_is_no_report_of_a_mobile_node_changes_nothing(
    ha: Stage, packet: bytes, coa: str
) -> None:
    tunnelled(ha, packet, coa)
    quiet(ha)
    assert mip6_mcast(ha.kern).listeners == {}
    ha.conserved()


def test_report_on_the_home_link_is_no_report_of_a_mobile_node(ha: Stage) -> None:
    ha.send(mld(REPORT, HOA, "ff02::1", SITE), MN_MAC)
    assert mip6_mcast(ha.kern).listeners == {}
    joined(ha)
    ha.send(mld(DONE, HOA, "ff02::2", SITE), MN_MAC)
    assert copies(ha) == [COA]


def test_listener_on_the_home_link_spares_our_messages_there(ha: Stage) -> None:
    joined(ha)
    ha.send(mld(REPORT, PEER, SITE, SITE))
    told(ha)
    says(ha, DONE)
    assert told(ha) == []  # it reported last


def test_memberships_of_one_mobile_node_have_a_limit(ha: Stage) -> None:
    for n in range(MIP6_GROUPS_MAX + 10):
        says(ha, group=f"ff05::1:{n:x}")
    (listener,) = mip6_mcast(ha.kern).listeners.values()
    assert len(listener.groups) == MIP6_GROUPS_MAX


# -- who gets what --------------------------------------------------------------------------------


def test_packets_follow_the_mobile_node_to_its_next_care_of_address(ha: Stage) -> None:
    joined(ha)
    register(ha, coa=COA2, seq=2)
    ha.take(ha.tn2)
    assert copies(ha) == [COA2]


def test_each_mobile_node_gets_its_copy(ha: Stage) -> None:
    register(ha, HOA2, COA2)
    joined(ha)
    says(ha, hoa=HOA2, coa=COA2)
    quiet(ha)
    assert copies(ha) == [COA, COA2]
    says(ha, DONE)
    assert told(ha) == []  # the other one still listens
    assert copies(ha) == [COA2]
    ha.conserved()


def test_home_agent_does_not_answer_for_a_group_of_mobile_nodes_alone(ha: Stage) -> None:
    joined(ha)
    ha.send(echo(PEER_G, SITE))
    ha.nothing()
    assert went(ha, echo(PEER_G, SITE, hlim=63)) == [COA]
    ha.conserved()


def test_home_agent_that_listens_itself_gets_the_packet_as_well(ha: Stage) -> None:
    joined(ha)
    so = socreate(ha.kern, AF_INET6, SOCK_DGRAM, 0)
    sosetopt(ha.kern, so, IPPROTO_IPV6, IPV6_JOIN_GROUP, (addr(SITE), ha.ifp.if_index))
    ha.send(echo(PEER_G, SITE))
    assert len(ha.find(is_("echoreply", dst=PEER_G))) == 1
    assert went(ha, echo(PEER_G, SITE, hlim=63)) == [COA]
    soclose(ha.kern, so)
    assert copies(ha) == [COA]
    ha.conserved()


def test_packet_of_the_home_agent_itself_goes_to_the_mobile_node(ha: Stage) -> None:
    joined(ha)
    ha.nut.run(f"ping6 -c 1 -h 9 -S {HA} -I fxp0 {SITE}")
    (sent,) = ha.find(is_("echo", dst=SITE))
    assert went(ha, sent.packet) == [COA]
    ha.conserved()


# -- what mobile nodes send -----------------------------------------------------------------------


def test_packet_of_a_mobile_node_goes_on_the_home_link(ha: Stage) -> None:
    tunnelled(ha, udp(HOA, SITE))
    heard = ha.only()
    assert heard.packet == udp(HOA, SITE, hlim=63)
    assert heard.dmac == ether_multicast(addr(SITE))
    assert ha.kern.stats.ip6["ip6s_forward"] == 1
    ha.nothing(ha.tn2)
    ha.conserved()


def test_sender_gets_no_copy_and_other_mobile_nodes_do(ha: Stage) -> None:
    register(ha, HOA2, COA2)
    joined(ha)
    says(ha, hoa=HOA2, coa=COA2)
    quiet(ha)
    tunnelled(ha, udp(HOA, SITE))
    ha.only(is_(dst=SITE, hlim=63))
    assert went(ha, udp(HOA, SITE, hlim=63)) == [COA2]
    ha.conserved()


@pytest.mark.parametrize(
    "packet,why",
    [
        (udp(HOA, "ff02::1"), "MIP6_LINKLOCAL"),
        (udp(HOA, "ff01::1"), "IP6_BADSCOPE"),
        (udp(HOA, SITE, hlim=1), "IP6_HLIM"),
    ],
)
def test_packet_of_a_mobile_node_that_goes_no_further(ha: Stage, packet: bytes, why: str) -> None:
    tunnelled(ha, packet)
    ha.nothing()
    ha.nothing(ha.tn2)
    assert ha.drops() == {why: 1}
    ha.conserved()


def test_packet_too_big_for_the_home_link_is_told(ha: Stage) -> None:
    ha.run("ifconfig fxp0 mtu 1300")
    ha.send2(ip6(COA, HA, udp(HOA, SITE, bytes(1300)), TUNNEL), MN_MAC)
    ha.nothing()
    (error,) = [seen(h) for h in ha.take(ha.tn2)]
    assert error.hops == (COA, HOA)
    assert ha.drops() == {"IP6_FWDTOOBIG": 1}
    ha.conserved()


def test_packet_out_of_another_tunnel_does_not_get_on_the_home_link(ha: Stage) -> None:
    tunnelled(ha, udp(HOA, SITE), COA2)
    tunnelled(ha, udp("2001:db8:1::55", SITE))
    ha.send(udp(HOA, SITE), MN_MAC)  # out of none
    ha.nothing()
    ha.conserved()
