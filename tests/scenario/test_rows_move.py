# SPDX-License-Identifier: BSD-3-Clause
"""Every row of the tables of locations and of home agent discovery, and what comes of it.

draft-15 s.10.4-10.10, s.10.20.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import pytest

from kame_py.kern.clock import NS
from kame_py.mip6 import mip6_dhaad, mip6_move
from kame_py.mip6.mip6_mnstate import (
    DHAAD_TABLE,
    LOCATION_NAMES,
    LOCATION_TABLE,
    DhaadEv,
    DhaadSt,
    LocEv,
)
from kame_py.wire.codecs import HaDiscovReq, Icmp6Hdr
from kame_py.wire.const import ICMP6_HADISCOV_REQUEST, ND_RA_FLAG_HOME_AGENT
from kame_py.wire.ioctl import SIOCAHOMEPREFIX_HIF, SIOCSMIP6CFG_DISABLEMN
from kame_py.wire.mip6 import HaDiscoveryReply, build_ha_reply
from tests.scenario.mip6words import seen
from tests.scenario.mnstage import (
    CN,
    COA,
    FOREIGN,
    HA,
    HA_LL,
    HA_MAC,
    HOA,
    HOME,
    PLTIME,
    VLTIME,
    MnStage,
)
from tests.scenario.rowwords import (
    HAND_HOME,
    LEFT,
    NAMES,
    expectations,
    go_home,
    leads,
    reach,
    said,
    typed_move,
    typed_return,
    watch,
)
from tests.scenario.tester import ROUTER, ROUTER_MAC
from tests.scenario.words import addr, echo, icmp6, ra

FAR_HOME: Final = "2001:db8:9::"

# -- locations ------------------------------------------------------------------------------------

LOCATIONS: Final = {name: number for number, name in LOCATION_NAMES.items()}


def nowhere(ev: LocEv) -> MnStage:
    """Nothing was heard yet; for NOWHERE no home prefix is configured either."""
    return MnStage(home="", ha="") if ev is LocEv.NOWHERE else MnStage()


def at_home(ev: LocEv) -> MnStage:
    mn = MnStage()
    mn.tn.neighbours = {HA_LL: HA_MAC, HA: HA_MAC}
    mn.advertise(HOME, HA_LL, HA_MAC, flags=ND_RA_FLAG_HOME_AGENT)
    mn.wait(6)
    return mn


def abroad(ev: LocEv) -> MnStage:
    """Registered, with a correspondent; the link has a home agent of its own."""
    mn = MnStage()
    mn.tn.neighbours = {ROUTER: ROUTER_MAC}
    for _ in range(2):
        mn.advertise(LEFT, ROUTER, ROUTER_MAC, flags=ND_RA_FLAG_HOME_AGENT, pflags="LAR")
        mn.wait(1.2)
    mn.acknowledge()
    mn.tunnel(echo(CN, HOA))
    mn.wait(6)
    return mn


WHERE: Final[dict[str, Callable[[LocEv], MnStage]]] = {
    "UNKNOWN": nowhere,
    "HOME": at_home,
    "FOREIGN": abroad,
}


def home_heard(mn: MnStage) -> None:
    mn.advertise(HOME, HA_LL, HA_MAC, flags=ND_RA_FLAG_HOME_AGENT)


def foreign_heard(mn: MnStage) -> None:
    mn.advertise(FOREIGN)


def other_home_address(mn: MnStage) -> None:
    """Its present address of the home prefix is deleted, another one is there."""
    mn.run(f"ifconfig fxp0 inet6 {HAND_HOME} prefixlen 64 alias\nifconfig fxp0 inet6 {HOA} delete")
    mn.settle()


def prefixes_gone(mn: MnStage) -> None:
    """No ioctl of mip6control takes a home prefix away: they are taken by hand."""
    mn.sc.hif_hs_list_home.clear()
    foreign_heard(mn)


def switched_off(mn: MnStage) -> None:
    mn.configure(SIOCSMIP6CFG_DISABLEMN)


MOVES: Final[dict[tuple[str, LocEv], Callable[[MnStage], None]]] = {
    ("UNKNOWN", LocEv.AT_HOME): home_heard,
    ("UNKNOWN", LocEv.ABROAD): foreign_heard,
    ("UNKNOWN", LocEv.NOWHERE): foreign_heard,
    ("HOME", LocEv.AT_HOME): other_home_address,
    ("HOME", LocEv.ABROAD): lambda mn: mn.arrive(),
    ("HOME", LocEv.NOWHERE): prefixes_gone,
    ("FOREIGN", LocEv.AT_HOME): typed_return,
    ("FOREIGN", LocEv.ABROAD): lambda mn: mn.elsewhere(),
    ("FOREIGN", LocEv.NOWHERE): prefixes_gone,
    **{(where, LocEv.DISABLE): switched_off for where in WHERE},
}
#: Location, event: next location, where the home address is, entries, updates within a second.
EXPECTED: Final = expectations(
    """
UNKNOWN AT_HOME HOME: on fxp0
UNKNOWN ABROAD  FOREIGN: on hif0, 1 entries, update HA
UNKNOWN NOWHERE UNKNOWN
UNKNOWN DISABLE UNKNOWN
HOME    AT_HOME HOME: on fxp0
HOME    ABROAD  FOREIGN: on hif0, 1 entries, update HA
HOME    NOWHERE HOME: on fxp0
HOME    DISABLE UNKNOWN: on fxp0
FOREIGN AT_HOME HOME: on fxp0, 2 entries, end HA
FOREIGN ABROAD  FOREIGN: on hif0, 3 entries, update CN, update HA, update LEFT
FOREIGN NOWHERE FOREIGN: on hif0, 2 entries
FOREIGN DISABLE UNKNOWN: end CN, end HA
"""
)


def located(mn: MnStage) -> str:
    words = [
        f"on {ifname}"
        for ifname, has in (("hif0", mn.hifs()), ("fxp0", mn.addresses()))
        if HOA in has
    ]
    entries = len(mn.sc.hif_bu_list)
    mn.wait(1.2)
    heard = {
        f"{'update' if update.lifetime_s else 'end'} {NAMES[packet.hops[0]]}"
        for _, update, packet in mn.updates()
    }
    words += [f"{entries} entries"] if entries else []
    return said(LOCATION_NAMES[mn.sc.hif_location], words + sorted(heard))


@pytest.mark.parametrize("ev", LocEv, ids=lambda ev: str(ev.name))
@pytest.mark.parametrize("state", WHERE)
def test_location(monkeypatch: pytest.MonkeyPatch, state: str, ev: LocEv) -> None:
    mn = WHERE[state](ev)
    assert LOCATION_NAMES[mn.sc.hif_location] == state
    mn.forget()
    row = LOCATIONS[state], ev
    table = watch(monkeypatch, mn, (mip6_move, "LOCATION_TABLE"), row)
    reach(mn, table, MOVES[state, ev])
    assert located(mn) == EXPECTED[state, ev.name]


def test_table_of_locations_leads_where_it_should() -> None:
    assert {
        (LOCATION_NAMES[where], ev.name): LOCATION_NAMES[after]
        for (where, ev), (_, after) in LOCATION_TABLE.items()
    } == leads(EXPECTED)


# -- home agent discovery -------------------------------------------------------------------------


def requests(mn: MnStage) -> list[int]:
    """The identifiers of the requests among what was heard."""
    found = [seen(h).rest for h in mn.tn.frames if seen(h).nxt == 58]
    asked = [m for m in found if Icmp6Hdr.unpack(m).icmp6_type == ICMP6_HADISCOV_REQUEST]
    return [HaDiscovReq.unpack(m).ha_dreq_id for m in asked]


def searching() -> MnStage:
    """Away without any home agent; a request is out."""
    mn = MnStage(ha="")
    mn.land()
    mn.settle()
    return mn


def no_search(ev: DhaadEv) -> MnStage:
    if ev is DhaadEv.MOVED:
        return MnStage(ha="")
    mn = MnStage()
    mn.abroad()
    return mn


def two_searching() -> MnStage:
    """The same with another home link, whose home agent is asked again and again in vain."""
    mn = MnStage()
    mn.ioctl(SIOCAHOMEPREFIX_HIF("hif0", addr(FAR_HOME), 64, VLTIME, PLTIME))
    mn.land()
    mn.settle()
    return mn


def waits(ev: DhaadEv) -> MnStage:
    mn = two_searching() if ev is DhaadEv.START else searching()
    if ev is DhaadEv.REPLY:
        mn.wait(1.2)  # the care-of address is tested
    if ev is DhaadEv.GIVEUP:
        mn.wait(20)
    return mn


def pauses(ev: DhaadEv) -> MnStage:
    mn = two_searching() if ev is DhaadEv.START else searching()
    assert mn.world.run_ns(mn.now + 100 * NS, lambda: mn.sc.hif_dhaad_st is DhaadSt.PAUSE)
    return mn


SEARCHES: Final[dict[DhaadSt, Callable[[DhaadEv], MnStage]]] = {
    DhaadSt.IDLE: no_search,
    DhaadSt.WAIT: waits,
    DhaadSt.PAUSE: pauses,
}


def withdrawn(mn: MnStage) -> None:
    """The only home agent says in its router advertisement that it is no router any more."""
    mn.send(ra(HA_LL, lifetime=0), HA_MAC)


def replied(mn: MnStage) -> None:
    ident = (mn.mip6.mip6_hadiscovid - 1) & 0xFFFF
    body = build_ha_reply(HaDiscoveryReply(ident, (addr(HA),)))
    mn.send(icmp6(HA, COA, body, 64), ROUTER_MAC)


def time_passes(mn: MnStage) -> None: ...


SEARCH: Final[dict[DhaadEv, Callable[[MnStage], None]]] = {
    DhaadEv.START: time_passes,
    DhaadEv.MOVED: typed_move,
    DhaadEv.REPLY: replied,
    DhaadEv.TIMEOUT: time_passes,
    DhaadEv.GIVEUP: time_passes,
    DhaadEv.STOP: go_home,
}
SEARCH_FROM_IDLE: Final[dict[DhaadEv, Callable[[MnStage], None]]] = {
    DhaadEv.START: withdrawn,
    DhaadEv.MOVED: foreign_heard,
    DhaadEv.STOP: go_home,
}
#: Rows that nothing causes; the event is called.
SEARCH_BY_HAND: Final = {
    **{
        (DhaadSt.IDLE, ev): "without a request there is neither reply nor timer"
        for ev in (DhaadEv.REPLY, DhaadEv.TIMEOUT, DhaadEv.GIVEUP)
    },
    (DhaadSt.PAUSE, DhaadEv.GIVEUP): "only a request that is out can have been the last",
}
#: State, event: next state, when something happens again, requests, what is known.
SEARCH_EXPECTED: Final = expectations(
    """
IDLE    START   WAIT: 2 s, pause 32 s, request
IDLE    MOVED   WAIT: 2 s, pause 32 s, request
IDLE    REPLY   IDLE: to HA
IDLE    TIMEOUT IDLE: to HA
IDLE    GIVEUP  IDLE: to HA
IDLE    STOP    IDLE: to HA
WAIT    START   WAIT: 1 s, pause 32 s, to HA
WAIT    MOVED   WAIT: 2 s, pause 32 s, request
WAIT    REPLY   IDLE: to HA
WAIT    TIMEOUT WAIT: 4 s, pause 32 s, request
WAIT    GIVEUP  PAUSE: 32 s, pause 64 s
WAIT    STOP    IDLE
PAUSE   START   PAUSE: 28 s, pause 64 s, to HA
PAUSE   MOVED   WAIT: 2 s, pause 32 s, request
PAUSE   REPLY   IDLE: to HA
PAUSE   TIMEOUT WAIT: 2 s, pause 64 s, request
PAUSE   GIVEUP  PAUSE: 32 s, pause 64 s
PAUSE   STOP    IDLE
"""
)


def search(mn: MnStage, start_ns: int) -> str:
    sc = mn.sc
    words = []
    timer = sc.hif_dhaad_timer
    state = sc.hif_dhaad_st.name
    if timer is not None and timer.pending:
        words.append(f"{(timer.deadline - start_ns) / NS:g} s")
        words.append(f"pause {sc.hif_dhaad_pause} s")
    words += ["request"] * len(requests(mn))
    words += ["to HA"] if any(bu.mbu_paddr == addr(HA) for bu in sc.hif_bu_list) else []
    return said(state, words)


@pytest.mark.parametrize("ev", DhaadEv, ids=lambda ev: str(ev.name))
@pytest.mark.parametrize("state", SEARCHES, ids=lambda state: str(state.name))
def test_discovery(monkeypatch: pytest.MonkeyPatch, state: DhaadSt, ev: DhaadEv) -> None:
    mn = SEARCHES[state](ev)
    assert mn.sc.hif_dhaad_st is state
    at: list[int] = []
    row = (state, ev)
    table = watch(monkeypatch, mn, (mip6_dhaad, "DHAAD_TABLE"), row, lambda: at.append(mn.now))
    if row in SEARCH_BY_HAND:
        mn.forget()
        mip6_dhaad._event(mn.kern, mn.sc, ev)
        mn.settle()
    else:
        causes = SEARCH_FROM_IDLE if state is DhaadSt.IDLE else SEARCH
        reach(mn, table, causes[ev])
    assert search(mn, at[0]) == SEARCH_EXPECTED[state.name, ev.name]


def test_table_of_discovery_leads_where_it_should() -> None:
    assert {
        (state.name, ev.name): after.name for (state, ev), (_, after) in DHAAD_TABLE.items()
    } == leads(SEARCH_EXPECTED)
