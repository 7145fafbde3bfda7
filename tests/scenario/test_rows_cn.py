# SPDX-License-Identifier: BSD-3-Clause
"""Every row of the table of correspondents' entries: its event by its cause, what comes of it.

Only the entry that asks a link which was left to forward waits for answers, so rows of timeouts
are driven with it. draft-15 s.10.9, s.10.10, s.10.12-10.15.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import pytest

from kame_py.kern.clock import NS
from kame_py.mip6.mip6_bul import mip6_bu_is_home, mip6_cn_state
from kame_py.mip6.mip6_mnstate import CN_TABLE, BuEv, CnSt
from kame_py.mip6.mip6_var import MIP6_BA_MAX_TIMEOUT, Mip6Bu
from kame_py.wire.codecs import Ip6Hdr
from kame_py.wire.const import ND_RA_FLAG_HOME_AGENT
from kame_py.wire.in6addr import ntop
from kame_py.wire.ioctl import SIOCSMIP6CFG_ENABLEAUTHDATA
from kame_py.wire.mip6 import BindingUpdate, HomeAddress, MipOption
from tests.scenario.mip6words import bu as update_packet
from tests.scenario.mnstage import CN, HOA, KERNEL, MnStage
from tests.scenario.rowwords import (
    LEFT,
    EntryRow,
    by_hand,
    expectations,
    go_home,
    leads,
    reach,
    typed_move,
)
from tests.scenario.tester import ROUTER, ROUTER_MAC
from tests.scenario.words import echo, error

FALLBACK: Final = KERNEL + "\noptions MIP6_ALLOW_COA_FALLBACK"
OPTION: Final = 2  # Parameter Problem: unrecognized option
PARAMPROB: Final = 4
TOO_SMALL: Final = 141
ANSWERS: Final = {
    BuEv.ACK: 0,
    BuEv.UNKNOWN_THERE: 137,
    BuEv.RETRY_NEXT: 130,
    BuEv.RETRY_LATER: 128,
    BuEv.DAD_FAILED: 138,
    BuEv.RESYNC: TOO_SMALL,
}
OPEN: Final = (CnSt.QUIET, CnSt.WAITSENT)
TIMES: Final = (BuEv.TIMEOUT, BuEv.LIMIT)


def correspondent(mn: MnStage) -> Mip6Bu:
    return next(bu for bu in mn.sc.hif_bu_list if not mip6_bu_is_home(bu))


# -- the states -----------------------------------------------------------------------------------


def forwarding() -> MnStage:
    """The link that was left has a home agent, and is asked to forward."""
    mn = MnStage(kernel=FALLBACK)
    mn.tn.neighbours = {ROUTER: ROUTER_MAC}
    for _ in range(2):
        mn.advertise(LEFT, ROUTER, ROUTER_MAC, flags=ND_RA_FLAG_HOME_AGENT, pflags="LAR")
        mn.wait(1.2)
    mn.acknowledge()
    mn.wait(6)
    mn.forget()
    mn.elsewhere()
    return mn


def quiet(ev: BuEv) -> MnStage:
    """The update to a correspondent is out."""
    if ev in TIMES:
        return forwarding()
    mn = MnStage(kernel=FALLBACK)
    lifetime = 60 if ev is BuEv.EXPIRE else 3600
    mn.abroad(lifetime, lifetime)
    mn.tunnel(echo(CN, HOA))
    if ev is BuEv.REFRESH:
        mn.ack(1, 0, 100, refresh=50, src=CN)
    mn.wait(2)
    if ev is BuEv.AT_HOME:
        go_home(mn)
    return mn


def unsent(ev: BuEv) -> MnStage:
    """One more update is due; where it must stay so, for want of a key."""
    if ev in (*TIMES, *ANSWERS):
        mn = forwarding()
        mn.configure(SIOCSMIP6CFG_ENABLEAUTHDATA)
        in_state = lambda: mip6_cn_state(correspondent(mn)) is CnSt.WAITSENT  # noqa: E731 - short
        assert mn.world.run_ns(mn.now + 60 * NS, in_state)
        if ev in ANSWERS:
            mn.mip6.config.mcfg_use_authdata = 0  # mip6control would let what waits go at once
        return mn
    mn = quiet(ev)
    if ev is BuEv.EXPIRE:
        mn.configure(SIOCSMIP6CFG_ENABLEAUTHDATA)
    asked(mn)
    return mn


def mute(ev: BuEv) -> MnStage:
    mn = quiet(ev if ev not in TIMES else BuEv.ACK)
    refused(BindingUpdate)(mn)
    return mn


def bare(ev: BuEv) -> MnStage:
    mn = quiet(ev if ev not in TIMES else BuEv.ACK)
    refused(HomeAddress)(mn)
    return mn


STATES: Final[dict[CnSt, Callable[[BuEv], MnStage]]] = {
    CnSt.QUIET: quiet,
    CnSt.WAITSENT: unsent,
    CnSt.MUTE: mute,
    CnSt.BARE: bare,
}

# -- the events -----------------------------------------------------------------------------------


def answered(status: int) -> Callable[[MnStage], None]:
    """The peer answers the last update."""

    def act(mn: MnStage) -> None:
        bu = correspondent(mn)
        seq = bu.mbu_outstanding[-1] + (8 if status == TOO_SMALL else 0)
        peer, home = ntop(bu.mbu_paddr), ntop(bu.mbu_haddr)
        mn.ack(seq, status, 0 if status else 30, src=peer, hoa=home)

    return act


def refused(option: type[MipOption]) -> Callable[[MnStage], None]:
    """A Parameter Problem about an option of an update."""
    kind = 0xC6 if option is BindingUpdate else 0xC9

    def act(mn: MnStage) -> None:
        coa = ntop(correspondent(mn).mbu_coa)
        data = update_packet(coa, CN, HOA)
        pointer = data.index(bytes((kind,)), Ip6Hdr.SIZE)
        mn.send(error(CN, coa, PARAMPROB, OPTION, data, pointer), ROUTER_MAC)

    return act


def asked(mn: MnStage) -> None:
    """A binding request; at home it comes without routing header."""
    mn.request(CN, ntop(correspondent(mn).mbu_coa))


def home_agent_lets_go(mn: MnStage) -> None:
    bu = next(bu for bu in mn.sc.hif_bu_list if mip6_bu_is_home(bu))
    mn.ack(bu.mbu_seqno, 0, 0, coa=HOA)


def time_passes(mn: MnStage) -> None: ...


def last_timeout(mn: MnStage) -> None:
    """Forwarding is asked for a minute only: the longest timeout is put in."""
    correspondent(mn).mbu_acktimeout = MIP6_BA_MAX_TIMEOUT


CAUSES: Final[dict[BuEv, Callable[[MnStage], None]]] = {
    BuEv.ABROAD: typed_move,
    BuEv.AT_HOME: home_agent_lets_go,
    **{ev: answered(status) for ev, status in ANSWERS.items()},
    BuEv.TIMEOUT: time_passes,
    BuEv.LIMIT: last_timeout,
    BuEv.REFRESH: time_passes,
    BuEv.EXPIRE: time_passes,
    BuEv.REQUEST: asked,
    BuEv.TUNNELLED: lambda mn: mn.tunnel(echo(CN, HOA)),
    BuEv.NO_BU: refused(BindingUpdate),
    BuEv.NO_HAO: refused(HomeAddress),
}
#: Rows that nothing causes; the event is called.
BY_HAND: Final[dict[tuple[CnSt, BuEv], str]] = {
    (CnSt.WAITSENT, BuEv.REFRESH): "whatever makes an update due ends the refresh time",
    **{
        (state, ev): "nothing is sent to such a peer, so nothing is timed"
        for state in (CnSt.MUTE, CnSt.BARE)
        for ev in (*TIMES, BuEv.REFRESH)
    },
    **{(state, BuEv.COVERED): "only home registrations speak for each other" for state in CnSt},
    **{(state, BuEv.HA_GONE): "a correspondent is no home agent" for state in CnSt},
}
EXPECTED: Final = expectations(
    """
QUIET    ABROAD        WAITSENT: new coa, shorter, anew, update CN, update HA
QUIET    AT_HOME       WAITSENT: new coa, anew, end CN, tells the link
QUIET    COVERED       QUIET
QUIET    ACK           QUIET: shorter
QUIET    UNKNOWN_THERE gone: held 10 s
QUIET    RETRY_NEXT    gone: held 256 s
QUIET    RETRY_LATER   gone: held 10 s
QUIET    DAD_FAILED    gone: held 256 s
QUIET    RESYNC        WAITSENT: update CN
QUIET    TIMEOUT       WAITSENT: waits twice, update LEFT, update HA
QUIET    LIMIT         QUIET: waits no more, update HA
QUIET    REFRESH       WAITSENT: renewed, update CN
QUIET    EXPIRE        gone: update HA
QUIET    REQUEST       WAITSENT: shorter, anew, update CN
QUIET    TUNNELLED     WAITSENT: shorter, anew, update CN
QUIET    NO_BU         MUTE
QUIET    NO_HAO        BARE
QUIET    HA_GONE       QUIET
WAITSENT ABROAD        WAITSENT: new coa, update CN, update HA
WAITSENT AT_HOME       WAITSENT: end CN, tells the link
WAITSENT COVERED       WAITSENT: update CN
WAITSENT ACK           QUIET: tunnel, shorter, waits no more
WAITSENT UNKNOWN_THERE gone: held 10 s
WAITSENT RETRY_NEXT    gone: held 256 s
WAITSENT RETRY_LATER   gone: held 10 s
WAITSENT DAD_FAILED    gone: held 256 s
WAITSENT RESYNC        WAITSENT
WAITSENT TIMEOUT       WAITSENT: waits twice
WAITSENT LIMIT         QUIET: waits no more
WAITSENT REFRESH       WAITSENT: update CN
WAITSENT EXPIRE        gone
WAITSENT REQUEST       WAITSENT: update CN
WAITSENT TUNNELLED     WAITSENT: update CN
WAITSENT NO_BU         MUTE
WAITSENT NO_HAO        BARE
WAITSENT HA_GONE       WAITSENT: update CN
MUTE     ABROAD        MUTE: update HA
MUTE     AT_HOME       MUTE: tells the link
MUTE     COVERED       MUTE
MUTE     ACK           MUTE
MUTE     UNKNOWN_THERE gone: held 10 s
MUTE     RETRY_NEXT    gone: held 256 s
MUTE     RETRY_LATER   gone: held 10 s
MUTE     DAD_FAILED    gone: held 256 s
MUTE     RESYNC        MUTE
MUTE     TIMEOUT       MUTE
MUTE     LIMIT         MUTE
MUTE     REFRESH       MUTE
MUTE     EXPIRE        gone: update HA
MUTE     REQUEST       MUTE
MUTE     TUNNELLED     MUTE
MUTE     NO_BU         MUTE
MUTE     NO_HAO        BARE
MUTE     HA_GONE       MUTE
BARE     ABROAD        BARE: update HA
BARE     AT_HOME       BARE: tells the link
BARE     COVERED       BARE
BARE     ACK           BARE
BARE     UNKNOWN_THERE gone: held 10 s
BARE     RETRY_NEXT    gone: held 256 s
BARE     RETRY_LATER   gone: held 10 s
BARE     DAD_FAILED    gone: held 256 s
BARE     RESYNC        BARE
BARE     TIMEOUT       BARE
BARE     LIMIT         BARE
BARE     REFRESH       BARE
BARE     EXPIRE        gone: update HA
BARE     REQUEST       BARE
BARE     TUNNELLED     BARE
BARE     NO_BU         BARE
BARE     NO_HAO        BARE
BARE     HA_GONE       BARE
"""
)


@pytest.mark.parametrize("ev", BuEv, ids=lambda ev: str(ev.name))
@pytest.mark.parametrize("state", STATES, ids=lambda state: str(state.name))
def test_correspondent(monkeypatch: pytest.MonkeyPatch, state: CnSt, ev: BuEv) -> None:
    mn = STATES[state](ev)
    assert mip6_cn_state(correspondent(mn)) is state
    row = EntryRow(monkeypatch, mn, "CN_TABLE", (state, ev))
    if (state, ev) in BY_HAND:
        by_hand(mn, correspondent(mn), ev)
    else:
        reach(mn, row.table, CAUSES[ev])
    assert row.outcome() == EXPECTED[state.name, ev.name]


def test_table_of_correspondents_leads_where_it_should() -> None:
    assert {(state.name, ev.name): after.name for (state, ev), (_, after) in CN_TABLE.items()} == {
        row: "QUIET" if after == "gone" else after for row, after in leads(EXPECTED).items()
    }
