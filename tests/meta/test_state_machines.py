# SPDX-License-Identifier: BSD-3-Clause
"""Every state machine is drawn in the documents, and every row of its table is driven by a test."""

from __future__ import annotations

import enum
import importlib
import pkgutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import pytest

import kame_py
from tests.scenario import (
    test_mip6_tables,
    test_rows_cn,
    test_rows_home,
    test_rows_move,
    test_rows_mpa,
    test_state_tables,
)
from tests.scenario.test_state_tables import STATE_NUMBERS
from tests.unit.netkey import test_key_states

PAGE: Final = Path(__file__).resolve().parents[2] / "docs" / "state-machines.md"
LAYERS: Final = ("kern", "net", "netinet6", "netkey", "mip6", "tools")
#: Table -> rows that a test uses and rows of which it says why nothing can use them.
DRIVEN: Final[dict[str, tuple[int, int]]] = {
    "LLINFO_TABLE": (
        len(
            {(STATE_NUMBERS[s], e) for e, (ss, _) in test_state_tables.DRIVERS.items() for s in ss}
        ),
        len(test_state_tables.UNREACHABLE),
    ),
    "DAD_TABLE": (
        len(test_state_tables.DAD_TABLE) - len(test_state_tables.DAD_UNREACHABLE),
        len(test_state_tables.DAD_UNREACHABLE),
    ),
    "MLD_TABLE": (len(test_state_tables.MLD_TABLE), 0),
    "TRANSITIONS": (len(test_state_tables.TRANSITIONS), 0),
    "BC_TABLE": (len(test_mip6_tables.BC_ROWS), len(test_mip6_tables.BC_UNREACHABLE)),
    "HR_TABLE": (len(test_mip6_tables.HR_ROWS), len(test_mip6_tables.HR_UNREACHABLE)),
    "LOCATION_TABLE": (len(test_rows_move.EXPECTED), 0),
    "HOME_TABLE": (len(test_rows_home.EXPECTED), 0),
    "CN_TABLE": (len(test_rows_cn.EXPECTED), 0),
    "DHAAD_TABLE": (len(test_rows_move.SEARCH_EXPECTED), 0),
    "MPA_TABLE": (len(test_rows_mpa.EXPECTED), 0),
    "SA_TABLE": (len(test_key_states.EXPECTED), 0),
}


def _is_table(value: object) -> bool:
    """(state, event) -> (action, state)."""
    if not isinstance(value, Mapping) or not value:
        return False
    key, row = next(iter(value.items()))
    pairs = all(isinstance(x, tuple) and len(x) == 2 for x in (key, row))
    return pairs and isinstance(key[1], enum.Enum) and isinstance(row[0], enum.Enum)


def tables() -> Iterator[tuple[str, int]]:
    """Name and size of every state table of the package."""
    for module in pkgutil.walk_packages(kame_py.__path__, "kame_py."):
        if module.name.split(".")[1] not in LAYERS:
            continue
        names = vars(importlib.import_module(module.name))
        for name, value in names.items():
            if name.isupper() and not name.startswith("_") and _is_table(value):
                yield name, len(value)


TABLES: Final = sorted(set(tables()))


def test_tables_are_found() -> None:
    assert len(TABLES) >= len(DRIVEN)


@pytest.mark.parametrize(("name", "size"), TABLES)
def test_every_row_is_looked_up_by_a_test_or_proved_unreachable(name: str, size: int) -> None:
    """The tests named here assert that the row of their case was looked up."""
    assert name in DRIVEN, f"{name} is driven by no test"
    assert sum(DRIVEN[name]) == size


@pytest.mark.parametrize("name", [name for name, _ in TABLES])
def test_every_state_machine_is_drawn(name: str) -> None:
    assert f" {name}" in PAGE.read_text(encoding="utf-8")
