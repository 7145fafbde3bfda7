# SPDX-License-Identifier: BSD-3-Clause
"""A home agent tells mobile nodes abroad what becomes of the prefixes at home (draft-15 s.9.8).

The tester plays the mobile node on ``lan2``, and on the home link the router advertisements of the
home agent itself (as its rtadvd makes them) and of another one.
"""

from __future__ import annotations

from typing import Final

import pytest

from kame_py.kern.clock import NS
from kame_py.wire.codecs import (
    MpAdvert,
    MpSolicit,
    NdOptAdvInterval,
    NdOptPrefixInfo,
    NdRouterAdvert,
)
from kame_py.wire.const import (
    ICMP6_MOBILEPREFIX_ADVERT,
    IPPROTO_DSTOPTS,
    ND_RA_FLAG_HOME_AGENT,
)
from kame_py.wire.in6addr import ntop
from kame_py.wire.ip6ext import build_options
from kame_py.wire.malformed import Malformed
from kame_py.wire.mip6 import BindingRequest, UniqueId
from kame_py.wire.mip6_draft15 import WIRE
from kame_py.wire.nd6opt import parse_nd_options
from tests.scenario.mip6words import NONE, Seen, bu, home_agent, mobility, seen, update, with_hao
from tests.scenario.tester import ALLNODES, GLOBAL, LL, PEER, PEER_MAC2, Stage
from tests.scenario.words import addr, echo, icmp6

HA: Final = GLOBAL
HOA: Final = "2001:db8:1::10"
COA: Final = "2001:db8:2::9"
HOME: Final = "2001:db8:1::"
OTHER: Final = "2001:db8:1:7::"
LA: Final = 0xC0
LAR: Final = 0xE0
DAY: Final = 86400


@pytest.fixture
def ha() -> Stage:
    return registered()


def registered() -> Stage:
    """A home agent whose rtadvd says that the home prefix lives for 30 days; one node is away."""
    stage = Stage(router=True, links=2, globals_=True, kernel="options MIP6")
    home_agent(stage)
    stage.tn2.neighbours[COA] = PEER_MAC2
    stage.send2(echo(COA, "2001:db8:2::77"), PEER_MAC2)
    advertise(stage)
    stage.send2(bu(COA, HA, HOA, 1, 100_000, "AHS"), PEER_MAC2)
    stage.wait(5)
    stage.take(stage.tn2)
    stage.forget()
    return stage


def option(prefix: str, valid: int, preferred: int, flags: int) -> bytes:
    return NdOptPrefixInfo(
        nd_opt_pi_prefix_len=64,
        nd_opt_pi_flags_reserved=flags,
        nd_opt_pi_valid_time=valid,
        nd_opt_pi_preferred_time=preferred,
        nd_opt_pi_prefix=addr(prefix),
    ).pack()


def advertise(
    stage: Stage,
    prefix: str = "2001:db8:1::77",
    valid: int = 30 * DAY,
    preferred: int = 7 * DAY,
    flags: int = LAR,
    src: str = LL,
    home: int = ND_RA_FLAG_HOME_AGENT,
    hlim: int = 255,
    more: bytes = b"",
) -> None:
    """A router advertisement on the home link; of the home agent itself unless ``src`` says else.

    Its own one is put in at its input, where the loop of multicasts brings it.
    """
    body = NdRouterAdvert(nd_ra_flags_reserved=home, nd_ra_router_lifetime=1800).pack()
    told = option(prefix, valid, preferred, flags) + more
    stage.send(icmp6(src, ALLNODES, body + told, hlim))


class Told:
    """One mobile prefix advertisement as the mobile node gets it."""

    def __init__(self, t_ns: int, packet: Seen) -> None:
        self.t_ns = t_ns
        self.packet = packet
        opts = parse_nd_options(packet.rest, MpAdvert.SIZE, len(packet.rest))
        assert not isinstance(opts, Malformed)
        self.prefixes = {
            ntop(pi.nd_opt_pi_prefix): (
                pi.nd_opt_pi_valid_time,
                pi.nd_opt_pi_preferred_time,
                pi.nd_opt_pi_flags_reserved,
            )
            for pi in opts.prefixes
        }

    @property
    def ident(self) -> int | None:
        """The unique identifier of its binding request."""
        found = [o for o in self.packet.options if isinstance(o, BindingRequest)]
        return next((s.id for o in found for s in o.subopts if isinstance(s, UniqueId)), None)


def told(ha: Stage) -> list[Told]:
    found = [(h.t_ns, seen(h)) for h in ha.take(ha.tn2)]
    return [Told(t, s) for t, s in found if s.nxt == 58 and s.rest[0] == ICMP6_MOBILEPREFIX_ADVERT]


def solicit(ha: Stage, src: str = COA) -> None:
    ha.send2(icmp6(src, HA, MpSolicit().pack(), 64), PEER_MAC2)


def answer(ha: Stage, ident: int, seq: int = 2) -> None:
    """The mobile node's update that brings a unique identifier back."""
    at = 2 + WIRE.bu_size
    subopts = WIRE.align_subopts((UniqueId(ident),), at)
    value = update(seq, 100_000, "AHS", more=subopts)
    header = build_options(NONE, [WIRE.aligned(value)])
    ha.send2(with_hao(COA, HA, HOA, header, IPPROTO_DSTOPTS), PEER_MAC2)


# -- asked for ------------------------------------------------------------------------------------


def test_solicitation_is_answered_at_once_and_only_once(ha: Stage) -> None:
    """To the home address by way of the care-of address, from the address of the registration."""
    solicit(ha)
    (got,) = told(ha)
    assert (got.packet.src, got.packet.hops) == (HA, (COA, HOA))
    assert got.t_ns == ha.now
    ha.wait(100)
    assert told(ha) == []


def test_lifetimes_count_down_and_r_is_clear_and_the_host_part_is_zero(ha: Stage) -> None:
    ha.wait(95)
    solicit(ha)
    (got,) = told(ha)
    assert got.prefixes == {HOME: (30 * DAY - 100, 7 * DAY - 100, LA)}


def test_first_advertisement_of_a_registration_wants_an_answer_and_the_next_does_not(
    ha: Stage,
) -> None:
    solicit(ha)
    (first,) = told(ha)
    assert first.ident is not None
    answer(ha, first.ident)
    solicit(ha)
    (second,) = told(ha)
    assert second.ident is None


def test_mobile_node_may_ask_with_its_home_address(ha: Stage) -> None:
    packet = icmp6(HOA, HA, MpSolicit().pack(), 64)
    ha.send2(with_hao(COA, HA, HOA, packet[40:], 58), PEER_MAC2)
    assert len(told(ha)) == 1


@pytest.mark.parametrize("src", ["2001:db8:2::a", HOA])
def test_strangers_get_no_answer(ha: Stage, src: str) -> None:
    if src == HOA:
        mobility(ha).config.mcfg_type = 0  # no home agent any more
    ha.tn2.neighbours[src] = PEER_MAC2
    solicit(ha, src)
    assert told(ha) == []


# -- changes --------------------------------------------------------------------------------------


def test_same_advertisement_again_is_no_change(ha: Stage) -> None:
    for _ in range(10):
        ha.wait(600)
        advertise(ha)
    assert told(ha) == []


def test_prefix_that_runs_down_in_real_time_is_no_change(ha: Stage) -> None:
    ha.wait(600)
    advertise(ha, valid=30 * DAY - 605, preferred=7 * DAY - 605)
    ha.wait(1500)
    assert told(ha) == []


@pytest.mark.parametrize(
    "new",
    [
        {"valid": 20 * DAY},
        {"preferred": 5 * DAY},
        {"flags": 0x60},
        {"prefix": OTHER},
    ],
    ids=["valid", "preferred", "flags", "another prefix"],
)
def test_changes_are_told_after_a_random_delay(ha: Stage, new: dict[str, int]) -> None:
    """RAND_ADV_DELAY lies between MinRtrAdvInterval (198 s untold) and 1000 s."""
    start = ha.now
    advertise(ha, **new)  # type: ignore[arg-type]  # the words of the case
    ha.wait(198)
    assert told(ha) == []
    ha.wait(803)
    first = told(ha)[0]
    assert 198 * NS <= first.t_ns - start <= 1000 * NS
    assert first.ident is not None


def test_delay_depends_on_chance(ha: Stage) -> None:
    delays = set()
    for n in range(4):
        start = ha.now
        advertise(ha, valid=(20 - n) * DAY)
        ha.wait(1100)
        delays.add(told(ha)[0].t_ns - start)
    assert len(delays) == 4


def test_repeated_advertisements_do_not_draw_the_delay_again(ha: Stage) -> None:
    """Routers of mobile nodes advertise often; the change is one and the same."""
    advertise(ha, valid=20 * DAY)
    planned = next(iter(mobility(ha).mip6_hrbc_list.values())).mbc_hr
    assert planned is not None
    deadline = planned.hr_mpa.mpa_deadline
    for _ in range(100):
        ha.wait(1.5)
        advertise(ha, valid=20 * DAY)
    assert planned.hr_mpa.mpa_deadline == deadline
    ha.until(deadline)
    assert [g.t_ns for g in told(ha)] == [deadline]


def test_delay_ends_before_the_prefix_is_deprecated(ha: Stage) -> None:
    start = ha.now
    advertise(ha, preferred=250)
    ha.wait(250)
    assert 198 * NS <= told(ha)[0].t_ns - start <= 250 * NS


def test_changes_of_another_home_agent_s_prefixes_are_told(ha: Stage) -> None:
    advertise(ha, OTHER, src=PEER)
    ha.wait(1001)
    assert set(told(ha)[0].prefixes) == {HOME, OTHER}


@pytest.mark.parametrize(
    "why",
    [
        {"home": 0},
        {"flags": 0x80},
        {"hlim": 254},
        {"prefix": "fe80::"},
        {"prefix": "ff0e::"},
        {"preferred": 31 * DAY},
        {"src": "2001:db8:1::9"},
    ],
    ids=["no home agent", "no A", "from afar", "link", "group", "lifetimes", "no router"],
)
def test_prefixes_that_do_not_belong_to_the_list(ha: Stage, why: dict[str, object]) -> None:
    how: dict[str, object] = {"prefix": OTHER, "src": PEER}
    advertise(ha, **(how | why))  # type: ignore[arg-type]  # the words of the case
    ha.wait(1001)
    assert told(ha) == []


def test_shortest_delay_is_a_third_of_the_interval_that_we_advertise(ha: Stage) -> None:
    interval = NdOptAdvInterval(nd_opt_ai_interval=9000).pack()
    start = ha.now
    advertise(ha, preferred=190, more=interval)
    ha.wait(190)
    assert 2.97 * NS <= told(ha)[0].t_ns - start < 190 * NS


def test_flood_of_prefixes_is_cut_and_the_message_fits(ha: Stage) -> None:
    for n in range(1, 60):
        advertise(ha, f"2001:db8:77:{n:x}::", src=PEER)
    ha.wait(1001)
    sent = [h for h in ha.take(ha.tn2) if seen(h).nxt == 58]
    assert {len(h.packet) <= 1280 for h in sent} == {True}
    assert len(mobility(ha).mip6_mpa_list) == 32


def test_solicitation_with_another_code_is_none(ha: Stage) -> None:
    ha.send2(icmp6(COA, HA, MpSolicit(mp_sol_code=1).pack(), 64), PEER_MAC2)
    assert told(ha) == []


def test_another_router_does_not_change_what_we_say_ourselves(ha: Stage) -> None:
    advertise(ha, HOME, valid=10, preferred=10, src=PEER)
    ha.wait(1001)
    assert told(ha) == []


def test_prefix_that_is_withdrawn_is_told_with_lifetime_zero(ha: Stage) -> None:
    advertise(ha, OTHER)
    ha.wait(1001)
    ident = told(ha)[0].ident
    assert ident is not None
    answer(ha, ident)
    advertise(ha, OTHER, valid=0, preferred=0)
    ha.wait(1001)
    assert told(ha)[0].prefixes[OTHER][:2] == (0, 0)


# -- until it is answered -------------------------------------------------------------------------


def delivered(ha: Stage) -> Told:
    """A change was told; the clock stands right behind it."""
    advertise(ha, valid=20 * DAY)
    for _ in range(1001):
        ha.wait(1)
        got = told(ha)
        if got:
            return got[0]
    raise AssertionError("nothing was told")


def test_unanswered_advertisement_is_repeated_after_5_and_10_and_20_seconds(ha: Stage) -> None:
    first = delivered(ha)
    ha.wait(500)
    again = told(ha)
    assert [(g.t_ns - first.t_ns) // NS for g in again] == [5, 15, 35]
    assert {g.ident for g in again} == {first.ident}


def test_answer_ends_the_repetition(ha: Stage) -> None:
    first = delivered(ha)
    assert first.ident is not None
    ha.wait(6)
    assert len(told(ha)) == 1
    answer(ha, first.ident)
    ha.wait(100)
    assert told(ha) == []


def test_answer_with_another_identifier_does_not(ha: Stage) -> None:
    first = delivered(ha)
    assert first.ident is not None
    answer(ha, first.ident + 1)
    ha.wait(100)
    assert len(told(ha)) == 3


def test_end_of_the_registration_ends_the_repetition(ha: Stage) -> None:
    delivered(ha)
    ha.send2(bu(COA, HA, HOA, 2, 0, "AHS"), PEER_MAC2)
    ha.wait(100)
    assert told(ha) == []


def test_end_of_the_registration_ends_what_is_planned(ha: Stage) -> None:
    advertise(ha, valid=20 * DAY)
    ha.send2(bu(COA, HA, HOA, 2, 0, "AHS"), PEER_MAC2)
    ha.wait(1100)
    assert told(ha) == []


def test_unanswered_and_new_changes_are_one_advertisement_with_a_new_identifier(
    ha: Stage,
) -> None:
    first = delivered(ha)
    advertise(ha, OTHER)
    ha.wait(1001)
    merged = told(ha)[0]
    assert set(merged.prefixes) == {HOME, OTHER}
    assert merged.prefixes[HOME][0] <= 20 * DAY
    assert merged.ident is not None and merged.ident != first.ident


def test_planned_changes_are_one_advertisement(ha: Stage) -> None:
    advertise(ha, valid=20 * DAY)
    advertise(ha, OTHER)
    ha.wait(1001)
    got = told(ha)
    assert len({g.ident for g in got}) == 1
    assert all(set(g.prefixes) == {HOME, OTHER} for g in got)


def test_solicitation_takes_along_what_is_planned(ha: Stage) -> None:
    advertise(ha, valid=20 * DAY)
    solicit(ha)
    (got,) = told(ha)
    assert got.prefixes[HOME][0] == 20 * DAY
    assert got.ident is not None
    answer(ha, got.ident)
    ha.wait(1100)
    assert told(ha) == []


def test_solicitation_during_the_repetition_leaves_its_times(ha: Stage) -> None:
    first = delivered(ha)
    ha.wait(1)
    solicit(ha)
    assert len(told(ha)) == 1
    ha.wait(100)
    assert [(g.t_ns - first.t_ns) // NS for g in told(ha)] == [5, 15, 35]


def test_every_packet_has_one_fate(ha: Stage) -> None:
    delivered(ha)
    solicit(ha)
    ha.wait(100)
    ha.conserved()
