# SPDX-License-Identifier: BSD-3-Clause
"""Every row of the table of prefix delivery, and what comes of it (draft-15 s.9.8.2, s.9.8.3)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import pytest

from kame_py.kern.clock import NS
from kame_py.mip6 import mip6_mpa
from kame_py.mip6.mip6_mpa_state import MPA_TABLE, MpaEv, MpaSt
from kame_py.mip6.mip6_var import Mip6Hr
from tests.scenario.mip6words import bu, mobility
from tests.scenario.rowwords import expectations, leads, reach, said, watch
from tests.scenario.test_mip6_mpa import (
    COA,
    DAY,
    HA,
    HOA,
    advertise,
    answer,
    registered,
    solicit,
    told,
)
from tests.scenario.tester import PEER_MAC2, Stage

LONGEST_RETRY_S: Final = 20


def registration(ha: Stage) -> Mip6Hr:
    hr = next(iter(mobility(ha).mip6_hrbc_list.values())).mbc_hr
    assert hr is not None
    return hr


# -- the states -----------------------------------------------------------------------------------


def idle(ev: MpaEv) -> Stage:
    """For an answer: the first advertisement, which wants one, was asked for."""
    ha = registered()
    if ev is MpaEv.ACKED:
        solicit(ha)
    return ha


def planned(ev: MpaEv) -> Stage:
    """A change; for an answer the first advertisement went out before."""
    ha = idle(ev)
    advertise(ha, valid=20 * DAY)
    return ha


def unacked(ev: MpaEv) -> Stage:
    ha = planned(MpaEv.TIMER)
    ha.until(registration(ha).hr_mpa.mpa_deadline)
    return ha


STATES: Final[dict[MpaSt, Callable[[MpaEv], Stage]]] = {
    MpaSt.IDLE: idle,
    MpaSt.PLANNED: planned,
    MpaSt.UNACKED: unacked,
}

# -- the events -----------------------------------------------------------------------------------


def changed(ha: Stage) -> None:
    """The prefix is to be deprecated soon, so the delay is a short one."""
    advertise(ha, valid=20 * DAY, preferred=200)


def acked(ha: Stage) -> None:
    ident = registration(ha).hr_mpa.mpa_id
    assert ident is not None
    answer(ha, ident)


def ended(ha: Stage) -> None:
    ha.send2(bu(COA, HA, HOA, 9, 0, "AHS"), PEER_MAC2)


CAUSES: Final[dict[MpaEv, Callable[[Stage], None]]] = {
    MpaEv.CHANGED: changed,
    MpaEv.SOLICITED: solicit,
    MpaEv.TIMER: lambda ha: None,
    MpaEv.ACKED: acked,
    MpaEv.END: ended,
}
#: Rows that nothing causes; the event is called.
BY_HAND: Final = {(MpaSt.IDLE, MpaEv.TIMER): "draft-15 tells news only; the timer is draft-13's"}
#: State, event: next state, how many were sent, with which identifier, when the next one goes.
EXPECTED: Final = expectations(
    """
IDLE    CHANGED   PLANNED: after a delay
IDLE    SOLICITED IDLE: sent with an identifier, new identifier
IDLE    TIMER     UNACKED: sent with an identifier, new identifier, in 5 s
IDLE    ACKED     IDLE: known
IDLE    END       IDLE
PLANNED CHANGED   PLANNED: after a delay, sooner
PLANNED SOLICITED UNACKED: sent with an identifier, new identifier, in 5 s, sooner
PLANNED TIMER     UNACKED: sent with an identifier, new identifier, in 5 s
PLANNED ACKED     PLANNED: same time
PLANNED END       IDLE
UNACKED CHANGED   PLANNED: after a delay
UNACKED SOLICITED UNACKED: sent with an identifier, same time
UNACKED TIMER     UNACKED: sent with an identifier, in 10 s
UNACKED ACKED     IDLE: known
UNACKED END       IDLE: known
"""
)


def outcome(ha: Stage, hr: Mip6Hr, before: tuple[int | None, int], start_ns: int) -> str:
    mpa = hr.hr_mpa
    ident, deadline = before
    words = [f"sent with {'no' if t.ident is None else 'an'} identifier" for t in told(ha)]
    true = {
        "new identifier": mpa.mpa_id is not None and mpa.mpa_id != ident,
        "known": ident is not None and mpa.mpa_id is None,
    }
    words += [word for word, so in true.items() if so]
    timer = mpa.mpa_timer
    if timer is not None and timer.pending:
        wait_s = (timer.deadline - start_ns) / NS
        shown = f"in {wait_s:g} s" if wait_s <= LONGEST_RETRY_S else "after a delay"
        words.append("same time" if timer.deadline == deadline else shown)
        words += ["sooner"] if start_ns < timer.deadline < deadline else []
    return said(mpa.mpa_st.name, words)


@pytest.mark.parametrize("ev", MpaEv, ids=lambda ev: str(ev.name))
@pytest.mark.parametrize("state", STATES, ids=lambda state: str(state.name))
def test_prefix_delivery(monkeypatch: pytest.MonkeyPatch, state: MpaSt, ev: MpaEv) -> None:
    ha = STATES[state](ev)
    hr = registration(ha)
    assert hr.hr_mpa.mpa_st is state
    before = hr.hr_mpa.mpa_id, hr.hr_mpa.mpa_deadline
    at: list[int] = []
    row = state, ev
    table = watch(monkeypatch, ha, (mip6_mpa, "MPA_TABLE"), row, lambda: at.append(ha.now))
    ha.take(ha.tn2)
    if row in BY_HAND:
        mip6_mpa.mip6_mpa_event(ha.kern, hr, ev)
        ha.settle()
    else:
        reach(ha, table, CAUSES[ev])
    assert outcome(ha, hr, before, at[0]) == EXPECTED[state.name, ev.name]


def test_table_of_prefix_delivery_leads_where_it_should() -> None:
    assert {
        (state.name, ev.name): after.name for (state, ev), (_, after) in MPA_TABLE.items()
    } == leads(EXPECTED)
