# SPDX-License-Identifier: BSD-3-Clause
"""Every row of the table of home registrations: its event by its cause, what comes of it.

The mobile node has two home agents, HA is preferred. draft-15 s.10.7, s.10.12-10.14, s.10.20.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import pytest

from kame_py.mip6 import mip6_bul
from kame_py.mip6.mip6_mnstate import HOME_TABLE, REG_STATE_NAMES, BuEv
from kame_py.wire.codecs import Ip6Hdr
from kame_py.wire.in6addr import ntop
from kame_py.wire.ioctl import SIOCAHOMEPREFIX_HIF
from kame_py.wire.mip6 import BindingUpdate, HomeAddress, MipOption
from tests.scenario.mip6words import bu as update_packet
from tests.scenario.mnstage import (
    FOREIGN,
    H_FLAG,
    HA,
    HA2,
    HA2_LL,
    HA_LL,
    HA_MAC,
    HOA,
    HOME,
    KERNEL,
    PLTIME,
    VLTIME,
    MnStage,
)
from tests.scenario.rowwords import (
    EntryRow,
    by_hand,
    entry_name,
    expectations,
    go_home,
    leads,
    reach,
    typed_move,
    typed_return,
)
from tests.scenario.tester import ROUTER_MAC
from tests.scenario.words import addr, error, pi, ra

SECOND: Final = "2001:db8:1:8::"  # another prefix of the home link
NUMBERS: Final = {name: number for number, name in REG_STATE_NAMES.items()}
FALLBACK: Final = KERNEL + "\noptions MIP6_ALLOW_COA_FALLBACK"
OPTION: Final = 2  # Parameter Problem: unrecognized option
PARAMPROB: Final = 4


# -- the states -----------------------------------------------------------------------------------


def stage() -> MnStage:
    mn = MnStage(kernel=FALLBACK)
    mn.agent(HA2, HA2_LL, pref=-1)
    return mn


def notreg(ev: BuEv) -> MnStage:
    """An entry that was made and not yet registered; in one step with the registration in life."""
    mn = registered(BuEv.ABROAD)
    mip6_bul.mip6_bu_list_remove(mn.kern, mn.sc.hif_bu_list[0])
    flags = mn.mip6.dialect.home_flags(True)
    mip6_bul.mip6_bu_create(mn.kern, mn.sc, addr(HA), addr(HOA), flags, mn.mip6.hif_coa)
    return mn


def two_addresses() -> MnStage:
    """Away with two home addresses of one link."""
    mn = stage()
    mn.ioctl(SIOCAHOMEPREFIX_HIF("hif0", addr(SECOND), 64, VLTIME, PLTIME))
    mn.tn.neighbours = {HA_LL: HA_MAC}
    mn.advertise(HOME, HA_LL, HA_MAC, pi(SECOND, 2592000, 604800, "LA"), flags=H_FLAG)
    mn.wait(6)
    mn.arrive()
    return mn


def waiting(ev: BuEv) -> MnStage:
    mn = two_addresses() if ev is BuEv.COVERED else stage()
    if ev is BuEv.EXPIRE:
        mn.land(FOREIGN, valid=100, preferred=90)
        mn.wait(3)
    elif ev is not BuEv.COVERED:
        mn.arrive()
    return mn


def registered(ev: BuEv) -> MnStage:
    """Most events need an update on its way: the refresh."""
    if ev is BuEv.COVERED:
        mn = two_addresses()
        for bu in mn.sc.hif_bu_list:
            mn.ack(bu.mbu_seqno, hoa=ntop(bu.mbu_haddr))
        return mn
    mn = stage()
    lifetime, refresh = (20, 19) if ev is BuEv.EXPIRE else (3600, 10)
    mn.abroad(lifetime, refresh)
    if ev in ANSWERS:
        mn.wait(14)
        assert mn.sc.hif_bu_list[0].mbu_outstanding
    return mn


def leaving(ev: BuEv) -> MnStage:
    mn = stage()
    lifetime = 60 if ev is BuEv.EXPIRE else 3600
    mn.abroad(lifetime, lifetime)
    go_home(mn)
    assert mn.sc.hif_bu_list[0].mbu_outstanding
    return mn


STATES: Final[dict[str, Callable[[BuEv], MnStage]]] = {
    "NOTREG": notreg,
    "REGWAITACK": waiting,
    "REG": registered,
    "DEREGWAITACK": leaving,
}

# -- the events -----------------------------------------------------------------------------------


def answered(status: int) -> Callable[[MnStage], None]:
    """The home agent answers the last update."""

    def act(mn: MnStage) -> None:
        bu = mn.sc.hif_bu_list[0]
        seq = bu.mbu_outstanding[-1] + (8 if status == TOO_SMALL else 0)
        home = bu.mbu_coa == bu.mbu_haddr
        lifetime = 0 if home or status else 1800
        mn.ack(seq, status, lifetime, src=ntop(bu.mbu_paddr), coa=HOA if home else "")

    return act


def refused(option: type[MipOption]) -> Callable[[MnStage], None]:
    """A Parameter Problem about an option of an update."""
    kind = 0xC6 if option is BindingUpdate else 0xC9

    def act(mn: MnStage) -> None:
        coa = ntop(mn.sc.hif_bu_list[0].mbu_coa)
        data = update_packet(coa, HA, HOA)
        pointer = data.index(bytes((kind,)), Ip6Hdr.SIZE)
        mn.send(error(HA, coa, PARAMPROB, OPTION, data, pointer), ROUTER_MAC)

    return act


def asked(mn: MnStage) -> None:
    coa = ntop(mn.sc.hif_bu_list[0].mbu_coa)
    mn.request(HA, coa)


def withdrawn(mn: MnStage) -> None:
    """The home agent's router advertisement says that it is no router any more."""
    mn.send(ra(HA_LL, lifetime=0), HA_MAC)


def time_passes(mn: MnStage) -> None: ...


TOO_SMALL: Final = 141
ANSWERS: Final = {
    BuEv.ACK: 0,
    BuEv.UNKNOWN_THERE: 137,
    BuEv.RETRY_NEXT: 130,
    BuEv.RETRY_LATER: 128,
    BuEv.DAD_FAILED: 138,
    BuEv.RESYNC: TOO_SMALL,
}
CAUSES: Final[dict[BuEv, Callable[[MnStage], None]]] = {
    BuEv.ABROAD: typed_move,
    BuEv.AT_HOME: typed_return,
    BuEv.COVERED: typed_return,
    **{ev: answered(status) for ev, status in ANSWERS.items()},
    BuEv.TIMEOUT: time_passes,
    BuEv.LIMIT: time_passes,
    BuEv.REFRESH: time_passes,
    BuEv.EXPIRE: time_passes,
    BuEv.REQUEST: asked,
    BuEv.NO_BU: refused(BindingUpdate),
    BuEv.NO_HAO: refused(HomeAddress),
    BuEv.HA_GONE: withdrawn,
}
#: Rows that nothing causes; the event is called.
BY_HAND: Final[dict[tuple[str, BuEv], str]] = {
    **{("NOTREG", ev): "nothing was sent that could be answered" for ev in ANSWERS},
    **{
        ("NOTREG", ev): "no timer runs before the registration"
        for ev in (BuEv.TIMEOUT, BuEv.LIMIT, BuEv.REFRESH, BuEv.EXPIRE)
    },
    **{
        ("NOTREG", ev): "an entry is made abroad and registered at once"
        for ev in (BuEv.AT_HOME, BuEv.COVERED)
    },
    **{
        ("DEREGWAITACK", ev): "another address at home moves nothing"
        for ev in (BuEv.AT_HOME, BuEv.COVERED)
    },
    **{
        (state, BuEv.REFRESH): "an answer is awaited, not the refresh time"
        for state in ("REGWAITACK", "DEREGWAITACK")
    },
    **{
        (state, BuEv.TUNNELLED): "packets that the home agent made are no reason for updates"
        for state in STATES
    },
}
#: State, event: next state, and what is different then. Packets: within 1.2 seconds.
EXPECTED: Final = expectations(
    """
NOTREG       ABROAD        REGWAITACK: renewed, waits, update HA
NOTREG       AT_HOME       gone
NOTREG       COVERED       gone
NOTREG       ACK           NOTREG
NOTREG       UNKNOWN_THERE REGWAITACK: to HA2, renewed, waits, update HA2
NOTREG       RETRY_NEXT    REGWAITACK: to HA2, renewed, waits, update HA2
NOTREG       RETRY_LATER   REGWAITACK: renewed, waits, held 10 s, update HA
NOTREG       DAD_FAILED    gone: no home address
NOTREG       RESYNC        NOTREG: waits
NOTREG       TIMEOUT       NOTREG
NOTREG       LIMIT         NOTREG: to HA2
NOTREG       REFRESH       NOTREG
NOTREG       EXPIRE        REGWAITACK: renewed, waits, update HA
NOTREG       REQUEST       NOTREG: renewed, waits, update HA
NOTREG       TUNNELLED     NOTREG
NOTREG       NO_BU         NOTREG
NOTREG       NO_HAO        NOTREG
NOTREG       HA_GONE       REGWAITACK: to HA2, renewed, waits, update HA2
REGWAITACK   ABROAD        REGWAITACK: new coa, renewed, waits, anew, update HA
REGWAITACK   AT_HOME       DEREGWAITACK: new coa, waits, anew, end HA
REGWAITACK   COVERED       DEREGWAITACK: waits no more, end HA
REGWAITACK   ACK           REG: bound, tunnel, shorter, waits no more
REGWAITACK   UNKNOWN_THERE REGWAITACK: to HA2, renewed, waits, update HA2
REGWAITACK   RETRY_NEXT    REGWAITACK: to HA2, renewed, waits, update HA2
REGWAITACK   RETRY_LATER   REGWAITACK: renewed, waits, held 10 s, update HA
REGWAITACK   DAD_FAILED    gone: no home address
REGWAITACK   RESYNC        REGWAITACK: waits, update HA
REGWAITACK   TIMEOUT       REGWAITACK: waits twice, update HA
REGWAITACK   LIMIT         REGWAITACK: to HA2, waits, anew, update HA2
REGWAITACK   REFRESH       REGWAITACK
REGWAITACK   EXPIRE        REGWAITACK: shorter, renewed, waits, anew, update HA
REGWAITACK   REQUEST       REGWAITACK: renewed, waits, anew, update HA
REGWAITACK   TUNNELLED     REGWAITACK
REGWAITACK   NO_BU         REGWAITACK
REGWAITACK   NO_HAO        REGWAITACK
REGWAITACK   HA_GONE       REGWAITACK: to HA2, renewed, waits, anew, update HA2
REG          ABROAD        REGWAITACK: new coa, renewed, waits, update HA
REG          AT_HOME       DEREGWAITACK: new coa, waits, end HA
REG          COVERED       DEREGWAITACK: end HA
REG          ACK           REG: shorter, waits no more
REG          UNKNOWN_THERE REGWAITACK: unbound, no tunnel, to HA2, renewed, waits, update HA2
REG          RETRY_NEXT    REGWAITACK: unbound, no tunnel, to HA2, renewed, waits, update HA2
REG          RETRY_LATER   REGWAITACK: unbound, no tunnel, renewed, waits, held 10 s, update HA
REG          DAD_FAILED    gone: unbound, no tunnel, waits, no home address
REG          RESYNC        REG: waits, update HA
REG          TIMEOUT       REG: waits twice, update HA
REG          LIMIT         REGWAITACK: to HA2, waits, anew, update HA2
REG          REFRESH       REG: renewed, waits, update HA, update HA
REG          EXPIRE        REGWAITACK: unbound, no tunnel, renewed, waits, update HA
REG          REQUEST       REG: renewed, waits, update HA
REG          TUNNELLED     REG
REG          NO_BU         REG
REG          NO_HAO        REG
REG          HA_GONE       REGWAITACK: unbound, no tunnel, to HA2, renewed, waits, update HA2
DEREGWAITACK ABROAD        REGWAITACK: new coa, renewed, waits, anew, update HA
DEREGWAITACK AT_HOME       DEREGWAITACK: waits, anew, end HA
DEREGWAITACK COVERED       DEREGWAITACK: waits no more
DEREGWAITACK ACK           gone: tells the link
DEREGWAITACK UNKNOWN_THERE gone: tells the link
DEREGWAITACK RETRY_NEXT    gone: tells the link
DEREGWAITACK RETRY_LATER   DEREGWAITACK: waits, held 10 s, end HA
DEREGWAITACK DAD_FAILED    gone: tells the link
DEREGWAITACK RESYNC        DEREGWAITACK: waits, end HA
DEREGWAITACK TIMEOUT       DEREGWAITACK: waits twice, end HA
DEREGWAITACK LIMIT         DEREGWAITACK: waits twice, end HA
DEREGWAITACK REFRESH       DEREGWAITACK
DEREGWAITACK EXPIRE        gone: tells the link
DEREGWAITACK REQUEST       DEREGWAITACK: waits, anew, end HA
DEREGWAITACK TUNNELLED     DEREGWAITACK
DEREGWAITACK NO_BU         DEREGWAITACK
DEREGWAITACK NO_HAO        DEREGWAITACK
DEREGWAITACK HA_GONE       DEREGWAITACK
"""
)


@pytest.mark.parametrize("ev", BuEv, ids=lambda ev: str(ev.name))
@pytest.mark.parametrize("state", STATES)
def test_home_registration(monkeypatch: pytest.MonkeyPatch, state: str, ev: BuEv) -> None:
    arrival = (state, ev) == ("NOTREG", BuEv.ABROAD)
    mn = stage() if arrival else STATES[state](ev)
    assert {entry_name(bu) for bu in mn.sc.hif_bu_list} == (set() if arrival else {state})
    row = EntryRow(monkeypatch, mn, "HOME_TABLE", (NUMBERS[state], ev))
    if (state, ev) in BY_HAND:
        by_hand(mn, mn.sc.hif_bu_list[0], ev, ANSWERS.get(ev, 0))
    else:
        lands = ev is BuEv.ABROAD and state in ("NOTREG", "DEREGWAITACK")
        reach(mn, row.table, (lambda mn: mn.land()) if lands else CAUSES[ev])
    assert row.outcome() == EXPECTED[state, ev.name]


def test_table_of_home_registrations_leads_where_it_should() -> None:
    """An entry that is gone is not registered; with another home agent it is not yet."""
    meant = leads(EXPECTED) | {("REG", "LIMIT"): "REG"}
    assert {
        (REG_STATE_NAMES[state], ev.name): REG_STATE_NAMES[after]
        for (state, ev), (_, after) in HOME_TABLE.items()
    } == {row: "NOTREG" if after == "gone" else after for row, after in meant.items()}
