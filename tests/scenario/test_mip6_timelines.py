# SPDX-License-Identifier: BSD-3-Clause
"""The order of events that an observer of KAME saw, where the draft did not ask for another one.

One test for each row: boot at home, home to foreign, foreign to foreign, foreign to home, what
comes again and again, restarts. draft-15 s.10.
"""

from __future__ import annotations

import pytest

from kame_py.kern.clock import NS
from kame_py.mip6.mip6_mnstate import (
    HIF_LOCATION_FOREIGN,
    HIF_LOCATION_HOME,
    MIP6_BU_REG_STATE_DEREGWAITACK,
    MIP6_BU_REG_STATE_REG,
    MIP6_BU_REG_STATE_REGWAITACK,
)
from kame_py.mip6.mip6_var import mip6_state
from kame_py.netinet6.in6_var import IN6_IFF_DETACHED, IN6_IFF_HOME
from kame_py.wire.const import ND_RA_FLAG_HOME_AGENT
from kame_py.wire.in6addr import ntop
from kame_py.wire.ioctl import SIOCAHOMEPREFIX_HIF, SIOCSMIP6CFG_DISABLEMN, SIOCSMIP6CFG_ENABLEMN
from kame_py.wire.mip6 import BindingAck, BindingUpdate
from tests.scenario.mip6words import FLAGS, Seen, seen
from tests.scenario.mnstage import (
    CN,
    CN2,
    COA,
    COA2,
    FOREIGN,
    HA,
    HA_LL,
    HA_MAC,
    HOA,
    HOME,
    PLTIME,
    VLTIME,
    MnStage,
    hao_of,
)
from tests.scenario.test_mip6_mn_world import COA1 as NET_COA
from tests.scenario.test_mip6_mn_world import HA as NET_HA
from tests.scenario.test_mip6_mn_world import HOA as NET_HOA
from tests.scenario.test_mip6_mn_world import Net
from tests.scenario.tester import ALLNODES, MAC, ROUTER, ROUTER_MAC
from tests.scenario.words import Heard, addr, echo, group_of, is_, na, ns, sll, tll

A, H, D = FLAGS["A"], FLAGS["H"], FLAGS["D"]


def home_ra(mn: MnStage) -> None:
    mn.advertise(HOME, HA_LL, HA_MAC, flags=ND_RA_FLAG_HOME_AGENT)


def at_home(**how: bool) -> MnStage:
    mn = MnStage(**how)  # type: ignore[arg-type]  # the switches of the stage
    mn.tn.neighbours = {HA_LL: HA_MAC}
    home_ra(mn)
    return mn


def said(mn: MnStage) -> list[str]:
    return [line.removeprefix("mip6.c: ") for line in mn.logged()]


def in_order(lines: list[str], *wants: str) -> bool:
    """Whether the log has these lines one after another, others between them."""
    rest = iter(lines)
    return all(any(want == line for line in rest) for want in wants)


def to(mn: MnStage, peer: str) -> list[tuple[Heard, BindingUpdate, Seen]]:
    return [u for u in mn.updates() if u[2].hops == (peer,)]


# -- boot at home ---------------------------------------------------------------------------------


def test_boot_1_operator_switches_on() -> None:
    mn = MnStage(home="", ha="", enable=False)
    mn.ioctl(SIOCAHOMEPREFIX_HIF("hif0", addr(HOME), 64, VLTIME, PLTIME))
    mn.configure(SIOCSMIP6CFG_ENABLEMN)
    assert said(mn)[-2:] == ["MN function enabled", "no available CoA found"]


def test_boot_2_router_at_home_joins_the_home_subnet() -> None:
    mn = at_home()
    assert f"prefix {HOME} from {HA_LL}" in said(mn)
    assert f"receive a new prefix {HOME}" not in said(mn)  # it was configured
    (ms,) = mn.sc.hif_hs_list_home
    assert [ntop(m.mha_gaddr) for m in ms.ms_msha_list] == [HA]
    assert mn.sc.hif_hs_list_foreign == []


def test_boot_3_autoconfigured_address_is_the_care_of_address() -> None:
    mn = at_home()
    assert in_order(said(mn), f"CoA has changed to {HOA}", "location = 1")


def test_boot_4_no_update_leaves() -> None:
    mn = at_home()
    mn.wait(30)
    assert mn.updates() == [] and mn.hifs() == [] and mn.sc.hif_bu_list == []


# -- home to foreign ------------------------------------------------------------------------------


@pytest.fixture
def leaving() -> MnStage:
    """The first advertisement of the foreign link was heard; the home router answers no more."""
    mn = at_home()
    mn.wait(6)
    mn.forget()
    mn.land(FOREIGN)
    return mn


def test_leaving_1_new_prefix_new_router_new_subnet(leaving: MnStage) -> None:
    assert in_order(
        said(leaving),
        f"prefix {FOREIGN} from {ROUTER}",
        f"receive a new prefix {FOREIGN}",
        f"found a new router {ROUTER}(::)",
    )
    (ms,) = leaving.sc.hif_hs_list_foreign
    assert [ntop(p.mpfx_prefix) for p in ms.ms_mspfx_list] == [FOREIGN]
    assert COA in leaving.addresses()
    assert ntop(leaving.mip6.hif_coa) == HOA


def test_leaving_2_home_router_is_probed_and_given_up_about_four_seconds_later(
    leaving: MnStage,
) -> None:
    start = leaving.now
    home = leaving.ia(HOA)
    assert home is not None
    assert leaving.world.run_ns(
        start + 10 * NS, lambda: leaving.sc.hif_location == HIF_LOCATION_FOREIGN
    )
    assert 3 <= (leaving.now - start) / NS <= 5
    probes = leaving.find(is_("ns", target=HA_LL, dst=HA_LL))
    assert len(probes) == 3
    assert home.ia6_flags & IN6_IFF_DETACHED or leaving.ia(HOA) is None


def test_leaving_3_home_address_moves_to_the_home_interface(leaving: MnStage) -> None:
    leaving.wait(5)
    assert in_order(said(leaving), f"CoA has changed to {COA}", "location = 2")
    assert leaving.addresses() == [COA] and leaving.hifs() == [HOA]
    (ia,) = leaving.sc.hif_if.in6_addrs
    assert (ia.ia_plen, ia.ia6_flags) == (128, IN6_IFF_HOME)


def test_leaving_4_first_update_within_a_second(leaving: MnStage) -> None:
    leaving.world.run_ns(
        leaving.now + 10 * NS, lambda: leaving.sc.hif_location == HIF_LOCATION_FOREIGN
    )
    moved = leaving.now
    leaving.wait(1.01)
    ((heard, update, packet),) = to(leaving, HA)
    assert in_order(said(leaving), "BU timer started.", f"home address is {HOA}")
    assert leaving.since(moved, heard) <= 1
    assert (update.flags, update.seqno, hao_of(packet)) == (A | H | D, 1, HOA)


def test_leaving_4_without_a_home_agent_one_is_looked_for() -> None:
    mn = MnStage(ha="")
    mn.arrive()
    assert "no home agent.  start ha discovery." in said(mn)
    assert mn.updates() == []


def test_leaving_5_home_agent_probes_then_announces_then_answers() -> None:
    """Through a routing header, with half of the lifetime as refresh time."""
    net = Net()
    net.tap.frames.clear()
    net.move("one")
    events: list[tuple[str, Heard, Seen]] = []
    for who, heard in net.tap.frames:
        packet, icmp = seen(heard), heard.facts().get("icmp6")
        if who == "ha.fxp0" and icmp == "ns" and packet.src == "::":
            events.append(("probe", heard, packet))
        elif who == "ha.fxp0" and icmp == "na" and packet.hops == (ALLNODES,):
            events.append(("announce", heard, packet))
        elif any(isinstance(o, BindingAck) for o in packet.options) and who == "ha.fxp1":
            events.append(("answer", heard, packet))
    names = [name for name, _, _ in events]
    assert names[0] == "probe" and {"announce", "answer"} <= set(names[1:])
    answer = next(e for e in events if e[0] == "answer")
    assert (answer[2].src, answer[2].hops) == (NET_HA, (NET_COA, NET_HOA))
    assert answer[2].ba.refresh_s == answer[2].ba.lifetime_s // 2
    assert 1 <= (answer[1].t_ns - events[0][1].t_ns) / NS < 1.1


def test_leaving_6_registered_packets_carry_the_home_address_and_updates() -> None:
    mn = at_home()
    mn.wait(6)
    mn.land(FOREIGN)
    mn.wait(6)
    mn.acknowledge()
    bu = mn.entry_of(HA)
    assert bu is not None and bu.mbu_reg_state == MIP6_BU_REG_STATE_REG and bu.mbu_tunnel
    mn.forget()
    mn.tunnel(echo(CN, HOA))
    ((_, update, packet),) = to(mn, CN)
    assert (packet.nxt, packet.src, hao_of(packet), update.seqno) == (58, COA, HOA, 1)


# -- foreign to foreign ---------------------------------------------------------------------------


def test_onwards_the_same_entry_with_the_next_number_and_no_duplicate_detection() -> None:
    mn = MnStage()
    mn.abroad()
    mn.tunnel(echo(CN, HOA))
    mn.wait(2)
    before = mn.entry_of(HA)
    assert before is not None
    number = before.mbu_seqno
    mn.forget()
    mn.elsewhere()
    assert mn.entry_of(HA) is before and before.mbu_reg_state == MIP6_BU_REG_STATE_REGWAITACK
    sent = mn.updates()
    _, update, packet = next(u for u in sent if u[2].hops == (HA,))
    assert (packet.src, update.seqno, update.flags) == (COA2, number + 1, A | H)
    assert (CN,) in {p.hops for _, _, p in sent}


# -- foreign to home ------------------------------------------------------------------------------


@pytest.fixture
def returning() -> MnStage:
    """On the home link; the foreign router was given up; the home agent has heard nothing yet."""
    mn = MnStage()
    mn.abroad()
    mn.tunnel(echo(CN, HOA))
    mn.wait(2)
    mn.forget()
    mn.tn.neighbours = {HA_LL: HA_MAC}
    home_ra(mn)
    mn.wait(1.2)
    home_ra(mn)
    assert mn.world.run_ns(mn.now + 10 * NS, lambda: mn.sc.hif_location == HIF_LOCATION_HOME)
    return mn


def test_return_1_home_address_is_the_care_of_address_and_not_tested(returning: MnStage) -> None:
    assert in_order(said(returning), f"CoA has changed to {HOA}", "location = 1")
    assert returning.hifs() == [] and HOA in returning.addresses()
    assert returning.find(is_("ns", target=HOA, src="::")) == []


def test_return_2_deregistration_after_a_solicitation_from_nowhere(returning: MnStage) -> None:
    bu = returning.entry_of(HA)
    assert bu is not None and bu.mbu_reg_state == MIP6_BU_REG_STATE_DEREGWAITACK
    returning.wait(1.1)
    (asked, *_) = returning.find(is_("ns", target=HA))
    assert not is_(src="::", dst=group_of(HA), sll=None).misses(asked)
    returning.send(na(HA, "RO", HA_LL, ALLNODES, tll(HA_MAC)), HA_MAC)
    returning.wait(1.1)
    _, update, packet = to(returning, HA)[0]
    assert (update.lifetime_s, update.flags & (A | H)) == (0, A | H)
    assert (packet.src, hao_of(packet)) == (HOA, HOA)


def gone_home(mn: MnStage) -> None:
    """The home agent lets go."""
    mn.wait(1.1)
    mn.send(na(HA, "RO", HA_LL, ALLNODES, tll(HA_MAC)), HA_MAC)
    mn.wait(1.1)
    _, update, _ = to(mn, HA)[-1]
    mn.forget()
    mn.send(ns(HOA, HA_LL, sll(HA_MAC)), HA_MAC)
    assert mn.find(is_("na", target=HOA, dst=HA_LL))  # row 3: ordinary resolution
    mn.ack(update.seqno, 0, 0, coa=HOA)


def test_return_3_home_agent_resolves_the_home_address_and_answers_there() -> None:
    net = Net()
    net.move("one")
    net.tap.frames.clear()
    net.move("home")
    found = [seen(h) for who, h in net.tap.frames if who == "ha.fxp0" and NET_HOA in seen(h).hops]
    (answer,) = [p for p in found if any(isinstance(o, BindingAck) for o in p.options)]
    assert (answer.hops, answer.ba.status, answer.ba.lifetime_s) == ((NET_HOA,), 0, 0)
    assert mip6_state(net.ha.kernel).mip6_hrbc_list == {}


def test_return_4_correspondents_then_neighbours_hear_of_it(returning: MnStage) -> None:
    gone_home(returning)
    ((_, update, packet),) = to(returning, CN)
    assert (update.lifetime_s, packet.src) == (0, HOA)
    assert returning.sc.hif_bu_list == []
    assert {"BU timer stopped.", "send a unsolicited na to fxp0"} <= set(said(returning))
    assert returning.find(is_("na", target=HOA, dst=ALLNODES, flags="O", tll=MAC))


# -- again and again ------------------------------------------------------------------------------


def test_periodic_home_registration_is_refreshed_when_its_refresh_time_is_up() -> None:
    mn = MnStage()
    mn.abroad(lifetime=100, refresh=50)
    start = mn.now
    for _ in range(3):
        mn.wait(51)
        ((heard, update, _),) = to(mn, HA)
        mn.ack(update.seqno, 0, 100, 50)
        assert update.flags == A | H
    assert 150 <= mn.since(start, heard) <= 153


def test_periodic_request_of_a_correspondent_in_its_last_quarter_brings_an_update() -> None:
    mn = MnStage()
    mn.abroad()
    mn.tunnel(echo(CN, HOA))
    mn.wait(2)
    mn.forget()
    mn.request(CN)
    mn.wait(1.1)
    ((_, update, _),) = to(mn, CN)
    assert update.seqno == 2


def test_periodic_entry_of_a_correspondent_ends_with_its_lifetime_and_traffic_renews_it() -> None:
    """KAME sent an update at the end of the lifetime, to whomever; here packets are the reason.

    s.10.9 has the mobile node tell correspondents of a new care-of address, s.10.12 limits updates
    to what is needed: a peer that is silent gets none, and the entry goes.
    """
    mn = MnStage()
    mn.abroad(lifetime=60, refresh=50)
    mn.tunnel(echo(CN, HOA))
    ((_, update, _),) = to(mn, CN)
    assert update.seqno == 1 and 0 < update.lifetime_s <= 60
    mn.wait(51)
    mn.acknowledge(lifetime=3600)
    mn.wait(12)
    assert mn.entry_of(CN) is None and to(mn, CN) == []
    mn.tunnel(echo(CN, HOA))
    ((_, update, _),) = to(mn, CN)
    assert update.seqno == 2 and update.lifetime_s > 60


# -- restarts -------------------------------------------------------------------------------------


def test_restart_of_a_correspondent_tunnelled_packets_bring_another_update() -> None:
    mn = MnStage()
    mn.abroad()
    for number in (1, 2):
        mn.tunnel(echo(CN, HOA))
        mn.wait(2)
        assert [u.seqno for _, u, _ in to(mn, CN)] == [number]


def test_restart_abroad_numbers_jump_to_the_cached_one_and_two() -> None:
    mn = MnStage()
    mn.arrive()
    ((_, first, _), *_) = to(mn, HA)
    assert first.seqno == 1
    mn.ack(100, 141, 0)
    mn.wait(1.5)
    assert to(mn, HA)[0][1].seqno == 102


# -- commands in another order, other prefixes ----------------------------------------------------


def test_order_switched_on_before_there_is_a_home_prefix() -> None:
    mn = MnStage(home="", ha="")
    mn.arrive()
    mn.ioctl(SIOCAHOMEPREFIX_HIF("hif0", addr(HOME), 64, VLTIME, PLTIME))
    mn.agent(HA, HA_LL)
    mn.wait(1.1)
    ((_, update, packet), *_) = to(mn, HA)
    assert (update.flags & (A | H | D), packet.src, hao_of(packet)) == (A | H | D, COA, HOA)


def test_order_switched_off_and_on_again_registers_anew() -> None:
    mn = MnStage()
    mn.abroad()
    mn.configure(SIOCSMIP6CFG_DISABLEMN)
    ((_, goodbye, _),) = to(mn, HA)
    assert goodbye.lifetime_s == 0
    assert said(mn)[-1] == "MN function disabled"
    mn.ioctl(SIOCAHOMEPREFIX_HIF("hif0", addr(HOME), 64, VLTIME, PLTIME))
    mn.agent(HA, HA_LL)
    mn.advertise(FOREIGN, ROUTER, ROUTER_MAC)
    mn.configure(SIOCSMIP6CFG_ENABLEMN)
    mn.wait(1.1)
    ((_, again, _), *_) = to(mn, HA)
    assert again.seqno == goodbye.seqno + 1 and again.flags & D


def test_packets_to_strangers_after_switching_off_are_plain() -> None:
    mn = MnStage()
    mn.abroad()
    mn.configure(SIOCSMIP6CFG_DISABLEMN)
    mn.forget()
    mn.send(echo(CN2, COA), ROUTER_MAC)
    (heard,) = mn.find(is_("echoreply", dst=CN2))
    assert seen(heard).options == ()


@pytest.mark.parametrize(
    ("prefix", "plen", "hoa"),
    [
        ("2001:db8:1::", 48, HOA),
        ("2001:db8:1::", 56, HOA),
        ("2001:db8:1:0:8000::", 65, "2001:db8:1:0:8000::77"),
        ("2001:db8:1::a:0", 112, "2001:db8:1::a:77"),
    ],
)
def test_home_prefix_that_is_not_of_64_bits(prefix: str, plen: int, hoa: str) -> None:
    """A shorter one gets its home address as ever; below a longer one the user gives one."""
    mn = MnStage(home="", ha="")
    if plen > 64:
        mn.run(f"ifconfig hif0 inet6 {hoa} prefixlen 128 alias")
    mn.ioctl(SIOCAHOMEPREFIX_HIF("hif0", addr(prefix), plen, VLTIME, PLTIME))
    mn.agent(HA, HA_LL)
    mn.arrive()
    ((_, update, packet), *_) = to(mn, HA)
    assert (hao_of(packet), packet.src) == (hoa, COA)
    mn.ack(mn.mip6.mip6_peers[addr(HA)].seqno, hoa=hoa)
    bu = mn.entry_of(HA, hoa)
    assert bu is not None and bu.mbu_reg_state == MIP6_BU_REG_STATE_REG
    assert update.flags & (A | H | D) == A | H | D


def test_home_prefix_that_is_longer_than_64_without_an_address_registers_nothing() -> None:
    mn = MnStage(home="", ha="")
    mn.ioctl(SIOCAHOMEPREFIX_HIF("hif0", addr("2001:db8:1::a:0"), 112, VLTIME, PLTIME))
    mn.arrive()
    assert mn.sc.hif_location == HIF_LOCATION_FOREIGN
    assert mn.updates() == [] and mn.hifs() == []


@pytest.mark.parametrize(
    ("plen", "want"),
    [(64, "2001:db8:1:0:fdff:ffff:ffff:fffe"), (48, "2001:db8:1:ffff:ffff:ffff:ffff:fffe")],
)
def test_anycast_address_of_home_agents_depends_on_the_prefix_length(plen: int, want: str) -> None:
    mn = MnStage(home="", ha="")
    mn.ioctl(SIOCAHOMEPREFIX_HIF("hif0", addr(HOME), plen, VLTIME, PLTIME))
    mn.arrive()
    asked = [h for h in mn.take() if h.facts().get("icmp6") == "150"]
    assert {h.facts()["dst"] for h in asked} == {want}


def test_observer_of_all_rows_sees_only_updates_it_can_explain() -> None:
    """Home, away, on, home: the numbers to the home agent grow by one each time."""
    net = Net()
    net.tap.frames.clear()
    for link in ("one", "two", "home"):
        net.move(link)
    numbers = [
        o.seqno
        for who, h in net.tap.frames
        if who.startswith("mn.") and seen(h).hops == (NET_HA,)
        for o in seen(h).options
        if isinstance(o, BindingUpdate)
    ]
    assert numbers == list(range(1, len(numbers) + 1)) and len(numbers) >= 3
