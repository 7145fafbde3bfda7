# SPDX-License-Identifier: BSD-3-Clause
"""The ledgers of docs/adherence: every requirement once, every test that they name exists."""

from __future__ import annotations

import ast
import re
from collections import Counter
from functools import cache

import pytest

from tests.support import PROJECT_ROOT
from tools.gen_docs import STATUSES, ledgers

FACTS = PROJECT_ROOT.parent / "shared" / "facts" / "requirements.md"
_ID = re.compile(r"^\| ((?:D13|D15|R|S)-[0-9]{3}) \|", re.MULTILINE)
KEYS = {"title", "status", "test", "note", "code"}
ROWS = [(name, row) for _, book in ledgers() for name, row in book["requirement"].items()]


@cache
def functions_of(path: str) -> frozenset[str]:
    """The test functions of a file, those of its classes as Class::name."""
    tree = ast.parse((PROJECT_ROOT / path).read_text())
    found = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            names = (n.name for n in node.body if isinstance(n, ast.FunctionDef))
            found |= {f"{node.name}::{name}" for name in names}
    return frozenset(name for name in found if name.split("::")[-1].startswith("test_"))


def test_every_requirement_stands_in_a_ledger_once() -> None:
    if not FACTS.is_file():
        pytest.skip(f"no list of requirements at {FACTS}")
    wanted = Counter(_ID.findall(FACTS.read_text()))
    assert len(wanted) > 300
    assert Counter(name for name, _ in ROWS) == wanted


def test_no_requirement_stands_in_two_ledgers() -> None:
    assert [name for name, count in Counter(name for name, _ in ROWS).items() if count > 1] == []


@pytest.mark.parametrize(("name", "row"), ROWS, ids=[name for name, _ in ROWS])
def test_a_row_is_whole(name: str, row: dict[str, str]) -> None:
    assert set(row) <= KEYS
    assert row["status"] in STATUSES
    assert 0 < len(row["title"].split()) <= 10
    for file in row.get("code", ()):
        assert (PROJECT_ROOT / "kame_py" / file).is_file()
    shown = row["status"] in ("met", "partial")
    assert ("test" in row) == shown, "what is met is shown by a test, and nothing else is"
    if row["status"] in ("partial", "n.a."):
        assert row.get("note"), "the note says what is missing"


@pytest.mark.parametrize("test", sorted({row["test"] for _, row in ROWS if "test" in row}))
def test_a_named_test_exists(test: str) -> None:
    path, _, name = test.partition("::")
    assert (PROJECT_ROOT / path).is_file()
    assert name in functions_of(path)
