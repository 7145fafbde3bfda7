# SPDX-License-Identifier: BSD-3-Clause
"""A home agent between its home link and the rest of the world (draft-15 s.9).

``lan`` is the home link 2001:db8:1::/64; the mobile node is away on ``lan2``. The tester plays the
mobile node, its neighbours at home and its correspondents.
"""

from __future__ import annotations

import pytest

from kame_py.kern.clock import NS
from kame_py.kern.mbuf import Fate, m_get
from kame_py.mip6.mip6_var import MIP6_BC_STATE_DAD_WAIT
from kame_py.net.route import RTF_ANNOUNCE
from kame_py.netinet6.ip6_output import ip6_output
from kame_py.netinet6.nd6_prefix import in6_init_prefix_ltimes
from kame_py.wire.errno import EHOSTUNREACH
from kame_py.wire.in6addr import ether_multicast
from kame_py.wire.ioctl import SIOCSMIP6CFG_ENABLEDEBUG
from kame_py.wire.snap import BcSnap
from tests.scenario.mip6words import (
    DRAFTS,
    Seen,
    bindings,
    bu,
    configure,
    home_agent,
    home_plen,
    mobility,
    rows,
    seen,
    with_hao,
)
from tests.scenario.tester import (
    ALLNODES,
    GLOBAL,
    GLOBAL2,
    LL,
    MAC,
    PEER,
    PEER_G,
    PEER_MAC,
    PEER_MAC2,
    Stage,
)
from tests.scenario.words import (
    Heard,
    addr,
    echo,
    error,
    expect,
    group_of,
    ip6,
    is_,
    na,
    ns,
    sll,
    spoil,
    tll,
    udp,
)

HA = GLOBAL
HOA = "2001:db8:1::10"
HOA_LL = "fe80::10"
HOA_SITE = "fec0:0:0:1::10"
COA = "2001:db8:2::9"
COA2 = "2001:db8:2::a"
MN_MAC = PEER_MAC2
TUNNEL = 41


@pytest.fixture(params=DRAFTS)
def ha(request: pytest.FixtureRequest) -> Stage:
    """A home agent that asks for no authentication; neighbours on both links are known."""
    stage = Stage(router=True, links=2, globals_=True, kernel=DRAFTS[request.param])
    home_agent(stage)
    stage.tn.neighbours[PEER_G] = PEER_MAC
    stage.tn2.neighbours[COA] = stage.tn2.neighbours[COA2] = MN_MAC
    stage.send2(echo(COA, GLOBAL2), MN_MAC)
    stage.send2(echo(COA2, GLOBAL2), MN_MAC)
    stage.send(echo(PEER_G, GLOBAL))
    stage.take(stage.tn2)
    stage.forget()
    return stage


def register(
    ha: Stage, seq: int = 1, lifetime: int = 60, flags: str = "AHS", hoa: str = HOA, coa: str = COA
) -> None:
    wire = mobility(ha).dialect.wire
    plen = home_plen(wire, flags)
    ha.send2(bu(coa, HA, hoa, seq, lifetime, flags, wire=wire, plen=plen), MN_MAC)


def answer(ha: Stage) -> Seen:
    """The one acknowledgement on the foreign link."""
    found = [seen(h, mobility(ha).dialect.wire) for h in ha.take(ha.tn2)]
    found = [s for s in found if s.options]
    assert len(found) == 1, found
    return found[0]


def registered(ha: Stage, **how: object) -> Stage:
    register(ha, **how)  # type: ignore[arg-type]  # the story's own words
    ha.wait(3)
    assert answer(ha).ba.status == 0
    ha.forget()
    return ha


def inner(heard: Heard) -> bytes:
    """What the home agent tunnels to the care-of address."""
    s = seen(heard)
    assert (s.src, s.hops, s.nxt) == (HA, (COA,), TUNNEL), s
    return s.rest


# -- registration ---------------------------------------------------------------------------------


def test_registration_is_acknowledged_with_half_the_lifetime_to_refresh(ha: Stage) -> None:
    register(ha, seq=5, lifetime=60)
    got = answer(ha)
    assert (got.src, got.hops) == (HA, (COA, HOA))
    assert (got.ba.status, got.ba.seqno, got.ba.lifetime_s, got.ba.refresh_s) == (0, 5, 60, 30)
    assert bindings(ha) == {HOA: COA}
    ha.conserved()


def test_registration_is_acknowledged_without_a(ha: Stage) -> None:
    """With its number, the lifetime that the entry has, and a refresh time within it."""
    for seq, lifetime in enumerate((1, 5, 60, 4000), 7):
        register(ha, flags="HS", seq=seq, lifetime=lifetime)
        ba = answer(ha).ba
        (bc,) = mobility(ha).mip6_hrbc_list.values()
        assert (ba.status, ba.seqno) == (0, seq)
        assert ba.lifetime_s == bc.mbc_lifetime == lifetime
        assert 0 < ba.refresh_s <= ba.lifetime_s
        ha.forget()


def test_registration_with_s_clear_covers_every_prefix_of_the_link(ha: Stage) -> None:
    ha.run("ifconfig fxp0 inet6 fec0:0:0:1::77 prefixlen 64 alias")
    ha.wait(5)
    register(ha, flags="AH")
    assert set(mobility(ha).mip6_hrbc_list) == {
        addr(HOA),
        addr(HOA_SITE),
        ha.kernel_form(HOA_LL),
    }


def test_another_update_with_s_gives_the_other_addresses_back(ha: Stage) -> None:
    register(ha, flags="AH")
    register(ha, flags="AHS", seq=2)
    assert set(mobility(ha).mip6_hrbc_list) == {addr(HOA)}
    assert ha.route(HOA_LL) is None
    assert ha.route(HOA) is not None


def test_home_address_of_another_link_is_refused(ha: Stage) -> None:
    register(ha, hoa="2001:db8:77::10")
    got = answer(ha)
    assert (got.ba.status, got.hops) == (133, (COA, "2001:db8:77::10"))
    assert bindings(ha) == {}


def test_prefix_of_the_loopback_interface_is_no_home_link(ha: Stage) -> None:
    ha.run("ifconfig lo0 inet6 2001:db8:77::1 prefixlen 64 alias")
    register(ha, hoa="2001:db8:77::10")
    assert answer(ha).ba.status == 133


def test_home_link_is_the_one_of_the_longest_prefix(ha: Stage) -> None:
    ha.run("ifconfig fxp1 inet6 2001:db8:4::1 prefixlen 48 alias")
    ha.run("ifconfig fxp0 inet6 2001:db8:4:1::1 prefixlen 64 alias")
    ha.run("ifconfig fxp1 inet6 2001:db8:4:2::1 prefixlen 64 alias")
    for n, ifname in ((1, "fxp0"), (2, "fxp1"), (3, "fxp1")):
        register(ha, hoa=f"2001:db8:4:{n}::10")
        assert rows(ha)[-1].ifname == ifname  # type: ignore[union-attr]  # a row of the cache


def test_address_of_the_home_agent_is_refused(ha: Stage) -> None:
    register(ha, hoa=HA)
    assert mobility(ha).mip6_hrbc_list == {}


def test_interface_identifier_of_the_home_agent_is_a_duplicate(ha: Stage) -> None:
    register(ha, hoa="2001:db8:1:0:2a0:24ff:fe66:77", flags="AH")
    assert answer(ha).ba.status == 138


def test_full_table_refuses(ha: Stage) -> None:
    mobility(ha).hrbc_maxentries = 1
    registered(ha)
    register(ha, hoa="2001:db8:1::11")
    assert answer(ha).ba.status == 131
    register(ha, seq=2)  # the one that is there is renewed
    assert answer(ha).ba.status == 0


def test_lifetime_ends_with_the_prefix(ha: Stage) -> None:
    ha.run("ifconfig fxp0 inet6 2001:db8:1::77 prefixlen 64 vltime 50 pltime 40")
    pr = next(p for p in ha.kern.nd6.prefixes if p.ndpr_prefix == addr("2001:db8:1::"))
    in6_init_prefix_ltimes(ha.kern, pr, 50, 40)
    ha.wait(10)
    register(ha, lifetime=1000)
    assert answer(ha).ba.lifetime_s == 40


def test_administrator_may_shorten_lifetimes(ha: Stage) -> None:
    ha.kern.sysctl.write("net.inet6.mip6.hrbc_lifetime_limit", 20)
    register(ha, lifetime=1000)
    assert answer(ha).ba.lifetime_s == 20


@pytest.mark.parametrize("lifetime,refresh", [(1, 1), (2, 2), (3, 2), (5, 2), (6, 3)])
def test_refresh_is_half_but_not_below_two_seconds(ha: Stage, lifetime: int, refresh: int) -> None:
    register(ha, lifetime=lifetime)
    assert answer(ha).ba.refresh_s == refresh


@pytest.mark.parametrize("ha", ["draft-15"], indirect=True)
def test_old_sequence_number_of_a_registration(ha: Stage) -> None:
    registered(ha, seq=9)
    register(ha, seq=9, coa=COA2)
    got = answer(ha)
    assert (got.ba.status, got.ba.seqno, got.hops) == (141, 9, (COA2, HOA))
    assert bindings(ha) == {HOA: COA}


def test_update_without_h_does_not_undo_a_registration(ha: Stage) -> None:
    registered(ha)
    register(ha, flags="A", seq=2, coa=COA2)
    assert answer(ha).ba.status == 130
    assert bindings(ha) == {HOA: COA}


def test_update_without_h_to_another_address_is_an_ordinary_binding(ha: Stage) -> None:
    registered(ha, seq=200)
    ha.send2(bu(COA2, GLOBAL2, HOA, 1, 60, "A"), MN_MAC)
    assert answer(ha).ba.status == 0
    assert len(rows(ha)) == 2
    ha.send2(with_hao(COA, GLOBAL2, HOA, echo(HOA, GLOBAL2)[40:], 58), MN_MAC)
    assert seen(ha.only(tn=ha.tn2)).hops == (COA, HOA)  # the home registration serves every source


def test_registration_takes_the_place_of_an_ordinary_binding(ha: Stage) -> None:
    register(ha, flags="A", seq=1)
    register(ha, flags="AHS", seq=2)
    assert [row.ifname for row in rows(ha) if isinstance(row, BcSnap)] == ["fxp0"]
    ha.kern.sysctl.write("net.inet6.mip6.bc_maxentries", 1)
    for n in range(3):
        ha.send2(bu(COA, HA, f"2001:db8:99::{n + 1}", 1, 60, ""), MN_MAC)
    assert HOA in bindings(ha) and len(bindings(ha)) == 2


def test_registration_with_a_link_local_address_is_refused(ha: Stage) -> None:
    ha.send(bu("2001:db8:1::55", LL, HOA, 1, 60, "AHS"))
    assert bindings(ha) == {}


def test_update_to_the_anycast_address_ends_the_packet(ha: Stage) -> None:
    anycast = "2001:db8:1:0:fdff:ffff:ffff:fffe"
    ha.run(f"ifconfig fxp0 inet6 {anycast} prefixlen 64 anycast alias")
    ha.send2(bu(COA, anycast, HOA, 1, 60, "AHS"), MN_MAC)
    assert bindings(ha) == {}
    assert ha.drops() == {"MIP6_BUDST": 1}


def test_node_that_is_no_home_agent_refuses(ha: Stage) -> None:
    mobility(ha).config.mcfg_type = 0
    register(ha)
    assert answer(ha).ba.status == 132


# -- duplicate address detection ------------------------------------------------------------------


def test_dad_probes_the_link_local_address_before_the_acknowledgement(ha: Stage) -> None:
    register(ha, flags="AHD", seq=3)
    ha.only(is_("ns", src="::", target=HOA_LL, dst=group_of(HOA_LL)))
    ha.nothing(ha.tn2)
    assert ha.kern.mip6.dad_find(ha.kern, ha.ifp, ha.kernel_form(HOA_LL)) is not None
    ha.until(ha.now + NS - 1)
    ha.nothing(ha.tn2)
    ha.until(ha.now + 1)
    assert (answer(ha).ba.status, mobility(ha).mip6_dads) == (0, {})


def test_dad_of_a_single_address_probes_that(ha: Stage) -> None:
    register(ha, flags="AHSD")
    ha.only(is_("ns", src="::", target=HOA))


@pytest.mark.parametrize("how", ["na", "ns"])
def test_dad_that_fails_refuses(ha: Stage, how: str) -> None:
    register(ha, flags="AHD", seq=4)
    ha.take()
    if how == "na":
        ha.send(na(HOA_LL, "O", HOA_LL, ALLNODES, tll(PEER_MAC)))
    else:
        ha.send(ns(HOA_LL, "::"))
    ha.wait(2)
    got = answer(ha)
    assert (got.ba.status, got.ba.seqno, got.hops) == (138, 4, (COA, HOA))
    assert bindings(ha) == {} and mobility(ha).mip6_dads == {}
    assert ha.find(is_("na")) == []


def test_dad_hears_only_what_is_about_its_address_on_its_link(ha: Stage) -> None:
    register(ha, flags="AHD")
    ha.send(na("fe80::11", "O", "fe80::11", ALLNODES, tll(PEER_MAC)))
    ha.send2(na(HOA_LL, "O", HOA_LL, ALLNODES, tll(PEER_MAC)))
    ha.wait(2)
    assert answer(ha).ba.status == 0


def test_update_repeated_during_dad_is_answered_once_and_at_its_end(ha: Stage) -> None:
    register(ha, flags="AHD", seq=1)
    ha.wait(0.5)
    register(ha, flags="AHD", seq=2, coa=COA2)
    ha.nothing(ha.tn2)
    ha.wait(0.5)
    got = answer(ha)
    assert (got.ba.status, got.ba.seqno, got.hops) == (0, 2, (COA2, HOA))


def test_nothing_is_served_before_dad_is_over(ha: Stage) -> None:
    register(ha, flags="AHD")
    ha.send(ns(HOA, PEER_G, sll(PEER_MAC)))
    assert ha.find(is_("na", target=HOA)) == []


def test_deregistration_during_dad_ends_it(ha: Stage) -> None:
    register(ha, flags="AHD", seq=1)
    register(ha, flags="AHD", seq=2, lifetime=0)
    assert answer(ha).ba.status == 0
    ha.wait(3)
    ha.nothing(ha.tn2)
    assert bindings(ha) == {} and mobility(ha).mip6_dads == {}


def test_without_solicitations_to_send_the_answer_comes_at_once(ha: Stage) -> None:
    ha.kern.ip6.ip6_dad_count = 0
    register(ha, flags="AHD")
    assert answer(ha).ba.status == 0


def test_renewal_needs_no_dad(ha: Stage) -> None:
    registered(ha, flags="AHD")
    register(ha, flags="AHD", seq=2)
    assert answer(ha).ba.status == 0
    assert ha.find(is_("ns")) == []


def test_own_packets_go_plainly_before_dad_is_over(ha: Stage) -> None:
    ha.tn.neighbours[HOA] = PEER_MAC
    register(ha, flags="AHD")
    ha.send(echo(HOA, HA))
    assert len(ha.find(is_("echoreply", dst=HOA))) == 1
    ha.nothing(ha.tn2)


def test_mip6control_sees_the_wait(ha: Stage) -> None:
    register(ha, flags="AHD", lifetime=60, seq=2)
    kinds = {(row.phaddr, row.state, row.ifname) for row in rows(ha) if isinstance(row, BcSnap)}
    assert kinds == {
        (addr(HOA), MIP6_BC_STATE_DAD_WAIT, "fxp0"),
        (addr(HOA_LL), MIP6_BC_STATE_DAD_WAIT, "fxp0"),
    }
    ha.wait(2)
    assert {row.state for row in rows(ha) if isinstance(row, BcSnap)} == {0}


def test_groups_of_the_link_are_left_as_they_were(ha: Stage) -> None:
    before = {g: m.in6m_refcount for g, m in ha.ifp.in6_multi.items()}
    register(ha, flags="AHD", seq=1)
    ha.send(na(HOA_LL, "O", HOA_LL, ALLNODES, tll(PEER_MAC)))
    assert {g: m.in6m_refcount for g, m in ha.ifp.in6_multi.items()} == before
    assert answer(ha).ba.status == 138
    registered(ha, flags="AHD", seq=2, lifetime=10)
    assert {g: m.in6m_refcount for g, m in ha.ifp.in6_multi.items()} != before
    ha.wait(20)
    assert {g: m.in6m_refcount for g, m in ha.ifp.in6_multi.items()} == before


def test_duplicate_of_a_mobile_node_is_told_once_and_asks_for_nobody(ha: Stage) -> None:
    register(ha, flags="AHD")
    ha.send(na(HOA_LL, "O", HOA_LL, ALLNODES, tll(PEER_MAC)))
    said = ha.kern.log.dmesg()
    assert f"fxp0: DAD complete for {HOA_LL} - duplicate found" in said
    assert "manual intervention required" not in said


def test_dad_that_was_given_up_begins_again_with_the_next_update(ha: Stage) -> None:
    ha.kern.ip6.ip6_dad_count = 2  # one solicitation left when the link goes
    register(ha, flags="AHD", seq=1, lifetime=1000)
    ha.run("ifconfig fxp0 down")
    ha.wait(60)
    ha.run("ifconfig fxp0 up")
    ha.wait(5)
    ha.take(ha.tn2)
    ha.take()
    register(ha, flags="AHD", seq=2, lifetime=1000)
    assert len(ha.find(is_("ns", src="::", target=HOA_LL))) == 1
    ha.wait(3)
    assert answer(ha).ba.seqno == 2


# -- proxy ----------------------------------------------------------------------------------------


def test_addresses_are_announced_three_times(ha: Stage) -> None:
    register(ha)
    for _ in range(3):
        want = is_("na", dst=ALLNODES, target=HOA, flags="O", tll=MAC, hlim=255)
        ha.only(want, is_(dmac=ether_multicast(addr(ALLNODES))))
        ha.wait(1)
    ha.wait(10)
    ha.nothing()


def test_each_covered_address_is_announced(ha: Stage) -> None:
    register(ha, flags="AH")
    assert {h.facts()["target"] for h in ha.take()} == {HOA, HOA_LL}


@pytest.mark.parametrize("target", [HOA, HOA_LL])
def test_solicitations_for_covered_addresses_are_answered(ha: Stage, target: str) -> None:
    registered(ha, flags="AH")
    ha.send(ns(target, PEER_G, sll(PEER_MAC)))
    found = ha.find(is_("na", dst=PEER_G, target=target, flags="S", tll=MAC))  # no router
    assert len(found) == 1


@pytest.mark.parametrize("target", [HOA, HOA_LL])
def test_dad_probes_for_covered_addresses_are_answered(ha: Stage, target: str) -> None:
    registered(ha, flags="AH")
    ha.send(ns(target, "::"))
    ha.only(is_("na", dst=ALLNODES, target=target, tll=MAC))


@pytest.mark.parametrize("target", [HOA, HOA_LL])
def test_neighbours_that_check_reachability_by_unicast_are_answered(ha: Stage, target: str) -> None:
    registered(ha, flags="AH")
    ha.send(ns(target, PEER_G, dst=target))
    ha.only(is_("na", dst=PEER_G, target=target))
    ha.nothing(ha.tn2)
    ha.conserved()


def announced(ha: Stage, who: str = HOA) -> bool:
    """Whether the home agent is proxy for the address."""
    rt = ha.route(who)
    return rt is not None and bool(rt.rt_flags & RTF_ANNOUNCE)


def test_proxy_that_somebody_removed_comes_back_with_the_next_update(ha: Stage) -> None:
    registered(ha)
    ha.run(f"ndp -d {HOA}")
    register(ha, seq=2)
    assert announced(ha)


def test_neighbour_that_was_set_by_hand_is_left_alone(ha: Stage) -> None:
    ha.run(f"ndp -s {HOA} 0:90:27:0:0:1")
    configure(ha, SIOCSMIP6CFG_ENABLEDEBUG)
    register(ha)
    assert not announced(ha)
    assert f"entry exist {HOA}: rt_flags=0x" in ha.kern.log.dmesg()


def test_proxy_that_was_set_by_hand_is_left_alone(ha: Stage) -> None:
    ha.run(f"ndp -s {HOA} 0:90:27:0:0:1 proxy")
    configure(ha, SIOCSMIP6CFG_ENABLEDEBUG)
    register(ha)
    assert f"RTM_ADD: we are already proxy for {HOA}" in ha.kern.log.dmesg()
    register(ha, seq=2, lifetime=0)
    assert announced(ha)


def test_announcements_end_with_the_registration(ha: Stage) -> None:
    register(ha, seq=1)
    register(ha, seq=2, lifetime=0)
    ha.take()
    ha.wait(5)
    assert ha.find(is_("na")) == []


@pytest.mark.parametrize(
    "packet",
    [
        echo(PEER_G, HOA, hlim=255),
        udp(PEER_G, HOA, hlim=255),
        na(HOA, "SO", PEER_G, HOA, tll(PEER_MAC)),
        ns(PEER_G, PEER_G, dst=HOA),
        spoil(ns(HOA, PEER_G, dst=HOA), "hlim"),
        ip6(PEER_G, HOA, b"\x87", 58, 255),
    ],
    ids=["echo", "udp", "na", "other target", "hop limit", "short"],
)
def test_what_is_no_solicitation_for_the_address_is_tunnelled(ha: Stage, packet: bytes) -> None:
    registered(ha)
    ha.send(packet)
    assert len(inner(ha.only(tn=ha.tn2))) == len(packet)
    ha.conserved()


def test_solicitation_from_another_link_is_not_for_the_proxy(ha: Stage) -> None:
    registered(ha)
    ha.send2(ns(HOA, COA2, dst=HOA))
    assert seen(ha.only(tn=ha.tn2)).nxt == TUNNEL


# -- tunnel ---------------------------------------------------------------------------------------


def test_packets_from_the_home_link_are_tunnelled(ha: Stage) -> None:
    registered(ha)
    ha.send(echo(PEER_G, HOA))
    heard = ha.only(is_(src=HA, dst=COA, nxt=TUNNEL, hlim=64), tn=ha.tn2)
    assert inner(heard) == echo(PEER_G, HOA, hlim=63)
    ha.nothing()  # no redirect


def test_packets_from_elsewhere_are_tunnelled(ha: Stage) -> None:
    registered(ha)
    ha.send2(echo(COA2, HOA))
    assert inner(ha.only(tn=ha.tn2)) == echo(COA2, HOA, hlim=63)


def test_tunnelled_packet_counts_as_forwarded(ha: Stage) -> None:
    registered(ha)
    before = ha.kern.fates[Fate.FORWARDED]
    ha.send(echo(PEER_G, HOA))
    assert ha.kern.fates[Fate.FORWARDED] == before + 1
    ha.conserved()


def test_new_care_of_address_moves_the_tunnel(ha: Stage) -> None:
    registered(ha)
    register(ha, seq=2, coa=COA2)
    ha.take(ha.tn2)
    ha.send(echo(PEER_G, HOA))
    ha.only(is_(src=HA, dst=COA2, nxt=TUNNEL), tn=ha.tn2)


def test_own_packets_go_by_a_routing_header(ha: Stage) -> None:
    registered(ha)
    ha.send2(with_hao(COA, HA, HOA, echo(HOA, HA)[40:], 58), MN_MAC)
    assert seen(ha.only(tn=ha.tn2)).hops == (COA, HOA)
    ha.send2(with_hao(COA, GLOBAL2, HOA, echo(HOA, GLOBAL2)[40:], 58), MN_MAC)
    assert seen(ha.only(tn=ha.tn2)).hops == (COA, HOA)


def test_link_local_address_of_the_mobile_node_is_out_of_reach(ha: Stage) -> None:
    registered(ha, flags="AH")
    ha.tn.neighbours[PEER] = PEER_MAC
    ha.send(echo(PEER, HOA_LL))
    assert len(ha.find(is_("unreachable", code=3, dst=PEER))) == 1
    ha.nothing(ha.tn2)
    assert ha.drops() == {"MIP6_LINKLOCAL": 1}
    ha.conserved()


def test_home_agent_itself_does_not_reach_that_address(ha: Stage) -> None:
    registered(ha, flags="AH")
    m = m_get(ha.kern, echo(LL, HOA_LL))
    m.src, m.dst = ha.kernel_form(LL), ha.kernel_form(HOA_LL)
    assert ip6_output(ha.kern, m) == EHOSTUNREACH
    ha.nothing()
    ha.nothing(ha.tn2)


def test_link_local_sources_do_not_leave_the_link(ha: Stage) -> None:
    registered(ha)
    ha.tn.neighbours[PEER] = PEER_MAC
    ha.send(echo(PEER, HOA))
    assert len(ha.find(is_("unreachable", code=2, dst=PEER))) == 1
    ha.nothing(ha.tn2)


@pytest.mark.parametrize("on", [1, 0])
def test_site_local_addresses_are_tunnelled_unless_switched_off(ha: Stage, on: int) -> None:
    ha.run("ifconfig fxp0 inet6 fec0:0:0:1::77 prefixlen 64 alias")
    ha.wait(5)
    ha.kern.sysctl.write("net.inet6.mip6.tunnel_sitelocal", on)
    registered(ha, flags="AH")
    ha.send(echo(PEER_G, HOA_SITE))
    assert len(ha.take(ha.tn2)) == on
    assert len(ha.find(is_("unreachable", code=3, dst=PEER_G))) == 1 - on
    ha.send(echo(PEER_G, HOA))
    assert inner(ha.only(tn=ha.tn2)) == echo(PEER_G, HOA, hlim=63)
    ha.conserved()


def tunnelled(src: str, dst: str, packet: bytes) -> bytes:
    return ip6(src, dst, packet, TUNNEL)


def test_reverse_tunnel_ends_here(ha: Stage) -> None:
    registered(ha)
    ha.send2(tunnelled(COA, HA, echo(HOA, PEER_G)), MN_MAC)
    assert ha.only(is_("echo", src=HOA, dst=PEER_G, hlim=63)).packet == echo(HOA, PEER_G, hlim=63)
    ha.conserved()


@pytest.mark.parametrize(
    "outer,source",
    [(COA2, HOA), (COA, "2001:db8:1::55"), (COA2, COA2)],
    ids=["not the care-of address", "not the home address", "neither"],
)
def test_reverse_tunnel_takes_only_what_fits_the_binding(
    ha: Stage, outer: str, source: str
) -> None:
    registered(ha)
    ha.send2(tunnelled(outer, HA, echo(source, PEER_G)), MN_MAC)
    assert ha.find(is_("echo")) == []


def test_reverse_tunnel_to_another_address_of_the_home_agent_is_not_taken(ha: Stage) -> None:
    registered(ha)
    ha.send2(tunnelled(COA, GLOBAL2, echo(HOA, PEER_G)), MN_MAC)
    assert ha.find(is_("echo")) == []


@pytest.mark.parametrize("rest", [b"", b"\x60" + bytes(20), b"\x45" + bytes(60)])
def test_tunnel_packet_without_ipv6_inside_is_nobodys(ha: Stage, rest: bytes) -> None:
    registered(ha)
    ha.send2(tunnelled(COA, HA, rest), MN_MAC)
    assert ha.find(is_("echo")) == []
    ha.conserved()


def test_tunnel_and_interception_wait_for_dad(ha: Stage) -> None:
    register(ha, flags="AHD")
    ha.take()
    ha.send2(tunnelled(COA, HA, echo(HOA, PEER_G)), MN_MAC)
    assert ha.find(is_("echo")) == []
    ha.take(ha.tn2)
    ha.send(echo(PEER_G, HOA))
    ha.nothing(ha.tn2)
    assert len(ha.find(is_("ns", target=HOA))) == 1  # as if nobody had registered


def test_no_redirect_about_packets_out_of_the_tunnel(ha: Stage) -> None:
    registered(ha)
    ha.send2(tunnelled(COA, HA, echo(HOA, COA2)), MN_MAC)
    ha.only(is_("echo", src=HOA, dst=COA2), tn=ha.tn2)
    ha.nothing()


# -- ICMP errors about the tunnel -----------------------------------------------------------------


def quoted(ha: Stage, packet: bytes) -> bytes:
    ha.send(packet)
    return ha.only(tn=ha.tn2).packet


@pytest.mark.parametrize(
    "kind,code,param,told",
    [(1, 0, 0, 0), (2, 0, 1400, 1360), (2, 0, 1280, 1280), (3, 0, 0, 0)],
)
def test_errors_about_the_tunnel_are_told_to_the_sender(
    ha: Stage, kind: int, code: int, param: int, told: int
) -> None:
    registered(ha)
    outer = quoted(ha, echo(PEER_G, HOA, b"x" * 1000))
    ha.send2(error(COA2, HA, kind, code, outer, param))
    heard = ha.only(is_(src=HA, dst=PEER_G, code=code, param=told))
    facts = heard.facts()
    assert facts["quoted"] == echo(PEER_G, HOA, b"x" * 1000, hlim=63)


def test_errors_about_other_packets_are_not_relayed(ha: Stage) -> None:
    registered(ha)
    ha.send2(error(COA2, HA, 1, 0, echo(HA, COA)))
    ha.nothing()


@pytest.mark.parametrize("pointer,told", [(6, None), (40, 0), (46, 6), (5000, None)])
def test_pointer_into_the_packet_inside_is_told_and_one_into_ours_is_not(
    ha: Stage, pointer: int, told: int | None
) -> None:
    registered(ha)
    outer = quoted(ha, echo(PEER_G, HOA))
    ha.send2(error(COA2, HA, 4, 0, outer, pointer))
    found = [h.facts()["param"] for h in ha.take()]
    assert found == ([] if told is None else [told])


def test_errors_of_two_tunnel_ends_are_limited_together(ha: Stage) -> None:
    registered(ha)
    ha.kern.icmp6.icmp6errppslim = 2
    outer = quoted(ha, echo(PEER_G, HOA))
    for _ in range(5):
        ha.send2(error(COA2, HA, 1, 0, outer))
    assert len(ha.take()) == 2


def test_error_that_quotes_next_to_nothing_is_ignored(ha: Stage) -> None:
    registered(ha)
    outer = quoted(ha, echo(PEER_G, HOA))
    for size in (0, 39, 40, 79):
        ha.send2(error(COA2, HA, 1, 0, outer[:size]))
    ha.nothing()
    ha.conserved()


def test_errors_about_errors_are_not_relayed(ha: Stage) -> None:
    registered(ha)
    outer = quoted(ha, error(PEER_G, HOA, 1, 0, echo(HOA, PEER_G)))
    ha.send2(error(COA2, HA, 1, 0, outer))
    ha.nothing()


# -- end of a registration ------------------------------------------------------------------------


def test_deregistration_from_home(ha: Stage) -> None:
    """The mobile node is back: the proxy is gone and the answer comes straight to it."""
    registered(ha, flags="AH")
    ha.tn.neighbours[HOA] = MN_MAC
    ha.send(bu(HOA, HA, HOA, 2, 0, "AH"), MN_MAC)
    heard = [h for h in ha.take() if seen(h).options]
    assert len(heard) == 1
    got = seen(heard[0])
    assert (got.hops, got.ba.status, got.ba.lifetime_s, got.ba.refresh_s) == ((HOA,), 0, 0, 0)
    expect(heard[0], is_(dmac=MN_MAC))
    assert bindings(ha) == {}
    ha.send(ns(HOA, PEER_G, sll(PEER_MAC)))
    assert ha.find(is_("na", target=HOA)) == []


def test_deregistration_with_s_clear_ends_all_of_the_interface_identifier(ha: Stage) -> None:
    ha.run("ifconfig fxp0 inet6 2001:db8:3::77 prefixlen 64 alias")
    ha.wait(5)
    registered(ha)
    registered(ha, hoa="2001:db8:3::10")
    register(ha, seq=2, lifetime=0, flags="AH")
    assert bindings(ha) == {}


def test_deregistration_with_s_leaves_the_others(ha: Stage) -> None:
    ha.run("ifconfig fxp0 inet6 2001:db8:3::77 prefixlen 64 alias")
    ha.wait(5)
    registered(ha)
    registered(ha, hoa="2001:db8:3::10")
    register(ha, seq=2, lifetime=0, flags="AHS")
    assert bindings(ha) == {"2001:db8:3::10": COA}


OTHER = "2001:db8:3::10"


@pytest.fixture
def two(ha: Stage) -> Stage:
    """The home link has a second prefix; one update has registered both."""
    ha.run("ifconfig fxp0 inet6 2001:db8:3::77 prefixlen 64 alias")
    ha.wait(5)
    return registered(ha, flags="AH")


def test_address_that_was_covered_along_can_have_its_own_registration(two: Stage) -> None:
    register(two, hoa=OTHER, coa=COA2, seq=2, flags="AHS")
    assert answer(two).hops == (COA2, OTHER)
    assert bindings(two) == {HOA: COA, OTHER: COA2, f"fe80:{two.ifp.if_index:x}::10": COA}
    register(two, hoa=HOA, lifetime=0, seq=2, flags="AHS")
    assert bindings(two) == {OTHER: COA2}


def test_address_that_was_covered_along_can_leave_alone(two: Stage) -> None:
    register(two, hoa=OTHER, lifetime=0, seq=2, flags="AHS")
    got = answer(two)
    assert (got.ba.status, got.ba.lifetime_s, got.hops) == (0, 0, (COA, OTHER))
    assert bindings(two) == {HOA: COA, f"fe80:{two.ifp.if_index:x}::10": COA}


def test_update_by_another_covered_address_renews_all(two: Stage) -> None:
    register(two, hoa=OTHER, coa=COA2, seq=2, flags="AH")
    assert set(bindings(two).values()) == {COA2}


def test_registration_whose_last_address_another_one_covers_is_over(ha: Stage) -> None:
    ha.run("ifconfig fxp0 inet6 2001:db8:3::77 prefixlen 64 alias")
    ha.wait(5)
    ha.take()
    register(ha, flags="AHSD")
    register(ha, flags="AH", hoa=OTHER)
    assert mobility(ha).mip6_dads == {}
    assert answer(ha).hops == (COA, OTHER)
    ha.wait(3)
    ha.nothing(ha.tn2)


def test_full_table_renews_what_is_there(ha: Stage) -> None:
    registered(ha)
    registered(ha, hoa="2001:db8:1::11")
    mobility(ha).hrbc_maxentries = 1
    register(ha, seq=2)
    assert answer(ha).ba.status == 0


def test_deregistration_of_nothing_is_refused(ha: Stage) -> None:
    register(ha, lifetime=0, flags="AH")
    got = answer(ha)
    assert (got.ba.status, got.hops) == (137, (COA, HOA))


def test_deregistration_elsewhere_is_refused(ha: Stage) -> None:
    register(ha, lifetime=0, hoa="2001:db8:77::10")
    assert answer(ha).ba.status == 133


def test_registration_ends_with_its_lifetime(ha: Stage) -> None:
    registered(ha, flags="AH", lifetime=10)
    ha.wait(10)
    assert bindings(ha) == {} and ha.route(HOA) is None and ha.route(HOA_LL) is None
    ha.send(ns(HOA, PEER_G, sll(PEER_MAC)))
    assert ha.find(is_("na")) == []
    ha.conserved()


def test_registration_ends_when_its_prefix_leaves_the_home_link(ha: Stage) -> None:
    ha.run("ifconfig fxp0 inet6 2001:db8:3::77 prefixlen 64 alias")
    ha.wait(5)
    registered(ha)
    registered(ha, hoa="2001:db8:3::10")
    ha.run("ifconfig fxp0 inet6 2001:db8:3::77 delete")
    assert bindings(ha) == {HOA: COA}
    ha.run(f"ifconfig fxp0 inet6 {HA} delete")
    assert bindings(ha) == {}
    assert ha.route("2001:db8:3::10") is None and ha.route(HOA) is None


def test_registration_ends_when_the_tunnel_loses_its_address(ha: Stage) -> None:
    ha.run("ifconfig fxp0 inet6 2001:db8:1::78 prefixlen 64 alias")
    ha.wait(5)
    registered(ha)
    ha.run(f"ifconfig fxp0 inet6 {HA} delete")  # the prefix stays
    ha.send(echo(PEER_G, HOA))
    ha.nothing(ha.tn2)
    assert bindings(ha) == {}


def test_deregistration_leaves_other_links_alone(ha: Stage) -> None:
    registered(ha)
    registered(ha, hoa="2001:db8:2::10")  # the same interface identifier on lan2
    register(ha, seq=2, lifetime=0, flags="AH")
    assert bindings(ha) == {"2001:db8:2::10": COA}


def test_route_of_somebody_else_survives_the_end(ha: Stage) -> None:
    registered(ha)
    ha.run(f"ndp -d {HOA}")
    ha.run(f"ndp -s {HOA} 0:90:27:0:0:1")
    register(ha, seq=2, lifetime=0)
    rt = ha.route(HOA)
    assert rt is not None and rt.rt_llinfo is not None and rt.rt_llinfo.lladdr == PEER_MAC


def test_registration_in_place_of_a_neighbour_entry(ha: Stage) -> None:
    """The neighbour cache knows the mobile node from its time at home."""
    ha.tn.neighbours[HOA] = MN_MAC
    ha.send(echo(HOA, HA), MN_MAC)
    ha.take()
    assert ha.route(HOA) is not None
    registered(ha)
    assert announced(ha)
    ha.send(echo(PEER_G, HOA))
    assert inner(ha.only(tn=ha.tn2)) == echo(PEER_G, HOA, hlim=63)
