# SPDX-License-Identifier: BSD-3-Clause
"""The state tables of a mobile node: complete, and nothing leads out of them."""

from __future__ import annotations

import enum
from collections.abc import Iterable
from itertools import product

import pytest

from kame_py.mip6.mip6_mnstate import (
    CN_TABLE,
    DHAAD_TABLE,
    HOME_TABLE,
    LOCATION_NAMES,
    LOCATION_TABLE,
    REG_STATE_NAMES,
    BuAct,
    BuEv,
    CnSt,
    DhaadAct,
    DhaadEv,
    DhaadSt,
    LocAct,
    LocEv,
)

TABLES = [
    pytest.param(LOCATION_TABLE, LOCATION_NAMES, LocEv, LocAct, id="location"),
    pytest.param(HOME_TABLE, REG_STATE_NAMES, BuEv, BuAct, id="home registration"),
    pytest.param(CN_TABLE, CnSt, BuEv, BuAct, id="correspondent"),
    pytest.param(DHAAD_TABLE, DhaadSt, DhaadEv, DhaadAct, id="discovery"),
]
Table = dict[tuple[object, enum.Enum], tuple[enum.Flag, object]]


@pytest.mark.parametrize(("table", "states", "events", "acts"), TABLES)
def test_every_state_has_a_row_for_every_event(
    table: Table, states: Iterable[object], events: type[enum.Enum], acts: type[enum.Flag]
) -> None:
    assert set(table) == set(product(states, events))


@pytest.mark.parametrize(("table", "states", "events", "acts"), TABLES)
def test_no_row_leads_out_of_the_table(
    table: Table, states: Iterable[object], events: type[enum.Enum], acts: type[enum.Flag]
) -> None:
    assert {state for _, state in table.values()} <= set(states)


@pytest.mark.parametrize(("table", "states", "events", "acts"), TABLES)
def test_every_action_is_used(
    table: Table, states: Iterable[object], events: type[enum.Enum], acts: type[enum.Flag]
) -> None:
    used = acts(0)
    for act, _ in table.values():
        used |= act
    assert list(used) == list(acts) or table in (HOME_TABLE, CN_TABLE)


def test_every_action_of_binding_updates_is_used_by_one_table() -> None:
    used = BuAct(0)
    for act, _ in (*HOME_TABLE.values(), *CN_TABLE.values()):
        used |= act
    assert list(used) == list(BuAct)


def test_entries_that_end_lead_to_the_first_state() -> None:
    for act, state in HOME_TABLE.values():
        assert BuAct.FREE not in act or REG_STATE_NAMES[state] == "NOTREG"


def test_correspondent_that_refused_options_stays_refusing() -> None:
    for (state, ev), (act, after) in CN_TABLE.items():
        if state is CnSt.BARE and BuAct.FREE not in act:
            assert after is CnSt.BARE, ev
        if state in (CnSt.MUTE, CnSt.BARE):
            assert BuAct.SEND not in act
