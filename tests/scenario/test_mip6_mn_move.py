# SPDX-License-Identifier: BSD-3-Clause
"""A mobile node moves, and comes home (draft-15 s.10.4, s.10.6, s.10.9, s.10.10, s.10.20)."""

from __future__ import annotations

import pytest

from kame_py.kern.clock import NS
from kame_py.mip6 import mip6_bul
from kame_py.mip6.mip6_mnstate import (
    HIF_LOCATION_FOREIGN,
    HIF_LOCATION_HOME,
    HIF_LOCATION_UNKNOWN,
)
from kame_py.netinet6.in6_var import IN6_IFF_HOME, IN6_IFF_NOTREADY
from kame_py.wire.const import ND_RA_FLAG_HOME_AGENT
from kame_py.wire.in6addr import ntop
from kame_py.wire.ioctl import (
    SIOCAHOMEPREFIX_HIF,
    SIOCSMIP6CFG_DISABLEMN,
    SIOCSMIP6CFG_ENABLEMN,
)
from kame_py.wire.mip6 import BindingUpdate, HomeAddress
from tests.scenario.mip6words import seen
from tests.scenario.mnstage import (
    CN,
    COA,
    COA2,
    FOREIGN,
    FOREIGN2,
    HA,
    HA_LL,
    HA_MAC,
    HOA,
    HOME,
    KERNEL,
    KERNELS,
    PLTIME,
    VLTIME,
    MnStage,
    hao_of,
)
from tests.scenario.tester import ALLNODES, LL, MAC, PEER, PEER_MAC, ROUTER, ROUTER_MAC
from tests.scenario.words import addr, echo, group_of, is_, na, ns, pi, ra, sll, tll

A, H, S, D = 0x80, 0x40, 0x20, 0x10
SITE = "fec0:0:0:2::"


@pytest.fixture(params=KERNELS)
def mn(request: pytest.FixtureRequest) -> MnStage:
    return MnStage(kernel=KERNELS[request.param])


def location(mn: MnStage) -> int:
    return mn.sc.hif_location


def coa(mn: MnStage) -> str:
    return ntop(mn.mip6.hif_coa)


def go_home(mn: MnStage) -> None:
    """The home link: its router is the home agent."""
    mn.arrive(HOME, HA_LL, HA_MAC)


# -- where ----------------------------------------------------------------------------------------


def test_at_home_the_home_address_is_on_the_physical_interface(mn: MnStage) -> None:
    go_home(mn)
    assert (location(mn), coa(mn)) == (HIF_LOCATION_HOME, HOA)
    assert mn.addresses() == [HOA] and mn.hifs() == []
    assert mn.updates() == []
    assert "location = 1" in mn.logged()


def test_away_the_home_address_is_alone_on_the_home_interface(mn: MnStage) -> None:
    go_home(mn)
    mn.arrive()
    assert (location(mn), coa(mn)) == (HIF_LOCATION_FOREIGN, COA)
    assert mn.addresses() == [COA] and mn.hifs() == [HOA]
    (ia,) = mn.sc.hif_if.in6_addrs
    assert (ia.ia_plen, ia.ia6_flags) == (128, IN6_IFF_HOME)
    assert mn.sc.hif_if.up


def test_home_router_must_be_gone_before_another_address_is_taken(mn: MnStage) -> None:
    go_home(mn)
    mn.tn.neighbours[ROUTER] = ROUTER_MAC
    mn.advertise(FOREIGN, ROUTER, ROUTER_MAC)
    mn.wait(8)
    assert coa(mn) == HOA and location(mn) == HIF_LOCATION_HOME
    del mn.tn.neighbours[HA_LL]
    mn.advertise(FOREIGN, ROUTER, ROUTER_MAC)
    noticed = mn.now
    assert mn.world.run_ns(mn.now + 10 * NS, lambda: coa(mn) != HOA)
    assert 3 <= (mn.now - noticed) / NS <= 5  # the next second, then three solicitations


def test_every_advertisement_makes_known_routers_prove_themselves(mn: MnStage) -> None:
    mn.abroad()
    mn.advertise(FOREIGN)
    mn.wait(1.1)
    assert mn.find(is_("ns", target=ROUTER, dst=ROUTER))


def test_switching_on_counts_what_was_heard_before(mn: MnStage) -> None:
    late = MnStage(enable=False)
    late.arrive()
    assert late.updates() == [] and location(late) == HIF_LOCATION_UNKNOWN
    late.configure(SIOCSMIP6CFG_ENABLEMN)
    assert (location(late), coa(late)) == (HIF_LOCATION_FOREIGN, COA)
    late.wait(1.1)
    assert late.updates()


def test_home_prefix_may_be_configured_when_the_node_is_on_already() -> None:
    mn = MnStage(home="", ha="")
    mn.arrive()
    assert location(mn) == HIF_LOCATION_UNKNOWN
    mn.ioctl(SIOCAHOMEPREFIX_HIF("hif0", addr(HOME), 64, VLTIME, PLTIME))
    assert location(mn) == HIF_LOCATION_FOREIGN and mn.hifs() == [HOA]


def test_manual_address_is_a_care_of_address_and_not_home_is_foreign(mn: MnStage) -> None:
    mn.run("ifconfig fxp0 inet6 2001:db8:77::1 prefixlen 64 alias")
    mn.wait(2)
    assert (location(mn), coa(mn)) == (HIF_LOCATION_FOREIGN, "2001:db8:77::1")


def test_site_local_care_of_address_only_without_a_global_one(mn: MnStage) -> None:
    mn.land(SITE)
    mn.wait(2)
    assert coa(mn) == SITE + LL.removeprefix("fe80::") or coa(mn).startswith("fec0")
    mn.advertise(FOREIGN)
    mn.wait(2)
    assert coa(mn) == COA


def test_present_care_of_address_stays_while_it_can(mn: MnStage) -> None:
    mn.abroad()
    mn.advertise(FOREIGN2)
    mn.wait(5)
    assert coa(mn) == COA


def test_care_of_address_that_another_node_has_is_given_up(mn: MnStage) -> None:
    mn.run("ifconfig fxp0 inet6 2001:db8:77::1 prefixlen 64 alias")
    mn.wait(2)
    mn.land(FOREIGN)
    mn.send(na(COA, "O", PEER, ALLNODES, tll(PEER_MAC)))
    mn.wait(3)
    assert coa(mn) == "2001:db8:77::1"


def test_without_any_address_the_log_says_so(mn: MnStage) -> None:
    assert "mip6.c: no available CoA found" in mn.logged()


def test_prefixes_of_one_router_are_one_link(mn: MnStage) -> None:
    """A second prefix of the home link is home as well."""
    mn.land(HOME, HA_LL, HA_MAC)
    mn.advertise("2001:db8:1:8::", HA_LL, HA_MAC)
    mn.wait(2)
    (ms,) = mn.sc.hif_hs_list_home
    assert {ntop(p.mpfx_prefix) for p in ms.ms_mspfx_list} == {HOME, "2001:db8:1:8::"}
    assert location(mn) == HIF_LOCATION_HOME


def test_advertisement_does_not_shorten_a_prefix_below_two_hours(mn: MnStage) -> None:
    go_home(mn)
    mn.advertise(HOME, HA_LL, HA_MAC, valid=0, preferred=0)
    (mpfx,) = mn.sc.hif_hs_list_home[0].ms_mspfx_list
    assert mpfx.mpfx_vltime == 7200


def test_foreign_prefix_is_forgotten_at_its_end(mn: MnStage) -> None:
    mn.land(FOREIGN, valid=7300, preferred=7300)
    mn.wait(7299)
    assert len(mn.mip6.mip6_prefix_list) == 2
    mn.wait(2)
    assert [ntop(p.mpfx_prefix) for p in mn.mip6.mip6_prefix_list] == [HOME]


def test_several_home_interfaces_each_know_where_they_are() -> None:
    mn = MnStage(kernel=KERNEL.replace("hif 1", "hif 2"))
    mn.ioctl(SIOCAHOMEPREFIX_HIF("hif1", addr(FOREIGN), 64, VLTIME, PLTIME))
    mn.arrive(FOREIGN)
    assert [sc.hif_location for sc in mn.mip6.hif_softc_list] == [
        HIF_LOCATION_FOREIGN,
        HIF_LOCATION_HOME,
    ]
    mn.elsewhere()
    assert [sc.hif_location for sc in mn.mip6.hif_softc_list] == [HIF_LOCATION_FOREIGN] * 2
    assert {hao_of(p) for _, _, p in mn.updates()} >= {HOA}


# -- from one foreign link to another -------------------------------------------------------------


def test_new_care_of_address_goes_to_home_agent_and_correspondents_at_once(mn: MnStage) -> None:
    mn.abroad()
    mn.tunnel(echo(CN, HOA))
    mn.wait(2)
    mn.forget()
    mn.elsewhere()
    moved = {}
    for heard, update, packet in mn.updates():
        if packet.src == COA2:
            moved.setdefault(packet.hops[0], (heard.t_ns, update.flags))
    assert set(moved) == {HA, CN}
    assert moved[CN][0] < moved[HA][0]  # at once, and not with the update to the home agent
    assert (moved[HA][1], moved[CN][1]) == (A | H, 0)


@pytest.mark.parametrize("mn", ["draft-15"], indirect=True)
def test_home_agent_of_the_link_that_is_left_is_asked_to_forward(mn: MnStage) -> None:
    mn.tn.neighbours = {ROUTER: ROUTER_MAC}
    for _ in range(2):
        mn.advertise(FOREIGN + "1", ROUTER, ROUTER_MAC, flags=ND_RA_FLAG_HOME_AGENT, pflags="LAR")
        mn.wait(1.2)
    mn.acknowledge()
    mn.wait(6)
    mn.forget()
    mn.elsewhere()
    asked = [(u, p) for _, u, p in mn.updates() if p.hops == (FOREIGN + "1",)]
    update, packet = asked[0]
    assert (hao_of(packet), packet.src) == (COA, COA2)
    assert update.flags == A | H | S and update.lifetime_s == 60
    mn.ack(update.seqno, 0, 60, src=FOREIGN + "1", hoa=COA)
    mn.tunnel(echo(CN, COA), src=FOREIGN + "1")
    assert mn.find(is_("echoreply", src=COA, dst=CN))
    mn.wait(40)
    assert [p for _, _, p in mn.updates() if p.hops == (FOREIGN + "1",)] == []
    mn.wait(30)
    assert mn.entry_of(FOREIGN + "1", COA) is None


def test_link_without_home_agent_is_asked_nothing(mn: MnStage) -> None:
    mn.abroad()
    mn.elsewhere()
    assert {p.hops[0] for _, _, p in mn.updates()} == {HA}


# -- home again -----------------------------------------------------------------------------------


@pytest.fixture
def back() -> MnStage:
    """Home again after a registration and a correspondent; the home agent has not answered yet."""
    mn = MnStage()
    mn.abroad()
    mn.tunnel(echo(CN, HOA))
    mn.wait(2)
    mn.forget()
    mn.tn.neighbours = {HA_LL: HA_MAC}
    mn.advertise(HOME, HA_LL, HA_MAC)
    mn.wait(1.2)
    mn.advertise(HOME, HA_LL, HA_MAC)
    assert mn.world.run_ns(mn.now + 10 * NS, lambda: location(mn) == HIF_LOCATION_HOME)
    return mn


def answer_home_agent(mn: MnStage) -> None:
    """The home agent tells its link-layer address to all nodes."""
    mn.wait(1.1)
    mn.send(na(HA, "RO", HA_LL, ALLNODES, tll(HA_MAC)), HA_MAC)


def let_go(mn: MnStage) -> BindingUpdate:
    """The home agent hears of the return and acknowledges; what it heard."""
    answer_home_agent(mn)
    mn.wait(2)
    _, update, packet = [u for u in mn.updates() if u[2].hops == (HA,)][-1]
    assert (packet.src, hao_of(packet)) == (HOA, HOA)
    mn.forget()
    mn.ack(update.seqno, 0, 0, coa=HOA)
    return update


def test_home_address_is_not_tested_for_duplicates_while_bound(back: MnStage) -> None:
    assert back.find(is_("ns", target=HOA, src="::")) == []
    assert back.addresses()[0] == HOA or HOA in back.addresses()
    assert back.hifs() == []


OTHER = "2001:db8:1:8::"  # a prefix of the home link that the mobile node does not know abroad
BESIDE = HOA.replace("8:1:0:", "8:1:8:")


@pytest.fixture(params=KERNELS)
def back_to_two(request: pytest.FixtureRequest) -> MnStage:
    """Home again under a registration with S clear: the home agent defends BESIDE, too.

    Abroad the mobile node knew neither that prefix nor the link-local address of its home agent.
    """
    mn = MnStage(ha="", kernel=KERNELS[request.param])
    mn.agent(HA, "fe80::9:9")
    mn.abroad()
    mn.tn.neighbours = {HA_LL: HA_MAC}
    mn.send(ra(HA_LL, pi(OTHER), pi(HOME), sll(HA_MAC), flags=0x20), HA_MAC)
    mn.send(na(BESIDE, "O", HA_LL, ALLNODES, tll(HA_MAC)), HA_MAC)
    return mn


def test_address_that_the_home_agent_defends_along_is_not_tested_for_duplicates(
    back_to_two: MnStage,
) -> None:
    mn = back_to_two
    assert mn.find(is_("ns", target=BESIDE, src="::")) == []
    mn.wait(10)
    assert set(mn.addresses()) >= {HOA, BESIDE}
    assert all(not ia.ia6_flags & IN6_IFF_NOTREADY for ia in mn.ifp.in6_addrs[-2:])


def test_address_that_the_home_agent_defends_along_is_silent_and_then_advertised(
    back_to_two: MnStage,
) -> None:
    mn = back_to_two
    assert mn.world.run_ns(mn.now + 10 * NS, lambda: location(mn) == HIF_LOCATION_HOME)
    mn.send(ns(BESIDE, PEER, sll(PEER_MAC)))
    assert mn.find(is_("na", target=BESIDE)) == []
    let_go(mn)
    mn.wait(5)
    told = [h.facts()["target"] for h in mn.find(is_("na", dst=ALLNODES, flags="O", tll=MAC))]
    assert told == [HOA, LL, BESIDE] * 3
    mn.send(ns(BESIDE, PEER, sll(PEER_MAC)))
    assert mn.find(is_("na", target=BESIDE))


def test_same_identifier_on_a_foreign_link_is_tested_for_duplicates(mn: MnStage) -> None:
    mn.abroad()
    mn.elsewhere()
    assert mn.find(is_("ns", target=COA2, src="::"))


def test_home_agent_is_solicited_from_the_unspecified_address(back: MnStage) -> None:
    back.wait(1.1)
    asked = back.find(is_("ns", target=HA))
    assert asked
    for heard in asked:
        assert not is_(src="::", dst=group_of(HA), sll=None).misses(heard)


def test_return_is_told_with_lifetime_zero_from_the_home_address(back: MnStage) -> None:
    update = let_go(back)
    assert (update.flags, update.lifetime_s) == (A | H, 0)


def test_before_the_acknowledgement_only_the_home_agent_may_ask_for_the_address(
    back: MnStage,
) -> None:
    answer_home_agent(back)
    back.forget()
    back.send(ns(HOA, PEER, sll(PEER_MAC)))
    assert back.find(is_("na", target=HOA)) == []
    back.send(ns(HOA, HA_LL, sll(HA_MAC)), HA_MAC)
    assert back.find(is_("na", target=HOA, dst=HA_LL, tll=MAC))


def test_after_the_acknowledgement_all_neighbours_hear_of_every_address(back: MnStage) -> None:
    let_go(back)
    back.wait(5)
    told = back.find(is_("na", dst=ALLNODES, flags="O", tll=MAC))
    assert [h.facts()["target"] for h in told] == [HOA, LL] * 3
    assert "mip6.c: send a unsolicited na to fxp0" in back.logged()
    back.send(ns(HOA, PEER, sll(PEER_MAC)))
    assert back.find(is_("na", target=HOA))


def test_after_the_acknowledgement_correspondents_forget_us_and_nothing_is_left(
    back: MnStage,
) -> None:
    let_go(back)
    told = [(u.lifetime_s, p.src, p.hops) for _, u, p in back.updates()]
    assert told == [(0, HOA, (CN,))]
    assert back.sc.hif_bu_list == []
    assert "mip6.c: BU timer stopped." in back.logged()


def test_unknown_binding_at_the_home_agent_is_as_good_as_an_acknowledgement(
    back: MnStage,
) -> None:
    answer_home_agent(back)
    back.wait(2)
    _, update, _ = [u for u in back.updates() if u[2].hops == (HA,)][-1]
    back.ack(update.seqno, 137, 0, coa=HOA)
    assert back.sc.hif_bu_list == []


def test_packets_from_home_carry_no_home_address_option(back: MnStage) -> None:
    let_go(back)
    back.wait(5)
    back.forget()
    back.send(echo(CN, HOA), HA_MAC)
    (heard,) = back.find(is_("echoreply", dst=CN))
    assert seen(heard).options == ()


def test_home_address_reaches_itself_after_the_return(back: MnStage) -> None:
    let_go(back)
    assert "1 packets received" in back.run(f"ping6 -c 1 {HOA}")


def test_leaving_again_before_the_acknowledgement_registers_anew(back: MnStage) -> None:
    back.arrive()
    assert location(back) == HIF_LOCATION_FOREIGN
    told = {packet.hops[0]: u.flags for _, u, packet in back.updates() if packet.src == COA}
    assert told == {HA: A | H, CN: 0}


def test_return_ends_by_itself_with_what_was_granted() -> None:
    mn = MnStage()
    mn.abroad(lifetime=60, refresh=60)
    go_home(mn)
    mn.wait(70)
    assert mn.sc.hif_bu_list == []


# -- switching off --------------------------------------------------------------------------------


def test_switching_off_takes_leave_of_every_peer_and_forgets_all(mn: MnStage) -> None:
    mn.abroad()
    mn.tunnel(echo(CN, HOA))
    mn.wait(2)
    mn.forget()
    mn.configure(SIOCSMIP6CFG_DISABLEMN)
    told = {(p.hops[0], p.src, hao_of(p), u.lifetime_s) for _, u, p in mn.updates()}
    assert told == {(HA, COA, HOA, 0), (CN, COA, HOA, 0)}
    state = mn.mip6
    assert mn.sc.hif_bu_list == [] and mn.hifs() == []
    assert (state.mip6_prefix_list, state.mip6_ha_list, state.mip6_subnet_list) == ([], [], [])
    assert mn.sc.hif_hs_list_home == [] and mn.sc.hif_hs_list_foreign == []
    mn.advertise(FOREIGN)
    mn.wait(30)
    assert mn.updates() == [] and state.mip6_prefix_list == []


# -- neighbour discovery --------------------------------------------------------------------------


def test_neighbour_discovery_never_carries_a_home_address(mn: MnStage) -> None:
    mn.abroad()
    mn.tunnel(echo(CN, HOA))
    mn.elsewhere()
    go_home(mn)
    for heard in mn.tn.frames:
        if str(heard.facts().get("icmp6")) in ("ns", "na", "rs", "ra"):
            assert not any(isinstance(o, HomeAddress) for o in seen(heard).options)
            assert heard.facts()["src"] != HOA
    mn.conserved()


def test_node_that_was_never_registered_asks_for_no_duplicate_detection_at_home() -> None:
    mn = MnStage()
    mn.arrive()
    assert all(update.flags & D for _, update, _ in mn.updates())
    go_home(mn)
    for _ in range(10):
        answer_home_agent(mn)
    sent = [update for _, update, _ in mn.updates()]
    assert sent and not any(update.lifetime_s or update.flags & D for update in sent)


def test_advertisement_is_judged_when_all_its_prefixes_are_read(mn: MnStage) -> None:
    """The first prefix of the home link need not be the one that was configured."""
    mn.tn.neighbours = {HA_LL: HA_MAC}
    mn.send(ra(HA_LL, pi("2001:db8:1:2::"), pi(HOME), sll(HA_MAC)), HA_MAC)
    mn.wait(3)
    assert (location(mn), coa(mn)) == (HIF_LOCATION_HOME, HOA)
    assert "location = 2" not in mn.logged()
    assert not [line for line in mn.logged() if "start ha discovery" in line]


def test_advertisements_of_the_return_end_when_the_node_leaves_again(back: MnStage) -> None:
    """Somebody else may answer for the home address by then."""
    let_go(back)
    back.settle()
    assert back.find(is_("na", target=HOA))
    bu = mip6_bul.mip6_bu_create(back.kern, back.sc, addr(HA), addr(HOA), A | H, addr(COA))
    assert mip6_bul.mip6_bu_is_home(bu)
    back.wait(3)
    assert back.find(is_("na", target=HOA, dst=ALLNODES)) == []
