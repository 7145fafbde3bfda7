# SPDX-License-Identifier: BSD-3-Clause
"""docs/adherence/contradictions.md: every place is decided, and shown by tests that exist."""

from __future__ import annotations

import re

import pytest

from tests.meta.test_adherence import functions_of
from tests.support import PROJECT_ROOT

PAGE = PROJECT_ROOT / "docs" / "adherence" / "contradictions.md"
HERE = "tests/scenario/test_contradictions.py"
FACTS = PROJECT_ROOT.parent / "shared" / "facts" / "requirements.md"
PLACES = 13
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in PAGE.read_text().splitlines()
    if re.match(r"\| [0-9]+ \|", line)
]


def shown_by(row: list[str]) -> list[tuple[str, str]]:
    """(path, function) of the tests that a row names."""
    named = (name.rpartition("::") for name in re.findall("`([^`]*)`", row[-1]))
    return [(path or HERE, test) for path, _, test in named]


def test_every_place_has_one_row() -> None:
    assert [int(row[0]) for row in ROWS] == list(range(1, PLACES + 1))


def test_no_place_of_the_list_is_missing() -> None:
    if not FACTS.is_file():
        pytest.skip(f"no list of contradictions at {FACTS}")
    section = FACTS.read_text().partition("## D.6 ")[2]
    assert len(re.findall(r"^\| [0-9]+ \|", section, re.MULTILINE)) == PLACES


@pytest.mark.parametrize("row", ROWS, ids=[row[0] for row in ROWS])
def test_a_row_is_decided_and_shown(row: list[str]) -> None:
    assert len(row) == 5 and all(row)
    found = shown_by(row)
    assert found
    for path, name in found:
        assert name in functions_of(path), f"{path}::{name}"


def test_every_test_of_contradictions_is_named() -> None:
    named = {name for row in ROWS for path, name in shown_by(row) if path == HERE}
    assert named == functions_of(HERE)
