# SPDX-License-Identifier: BSD-3-Clause
"""docs/performance.md says what the committed results say, and why where an aim is missed."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from bench.gate import RESULTS, Expected, ratios
from bench.goals import ROWS, Goal
from tests.support import PROJECT_ROOT, run
from tools import gen_performance as gen

GENERATOR = PROJECT_ROOT / "tools" / "gen_performance.py"


def test_page_agrees_with_the_results() -> None:
    done = run(sys.executable, GENERATOR, "--check")
    assert done.returncode == 0, done.stderr


@pytest.fixture
def results(tmp_path: Path) -> Callable[..., Path]:
    """A copy of the committed results, with other figures."""

    def other(**figures: float) -> Path:
        for name in ("peers.json", "goals.json"):
            found = json.loads((RESULTS / name).read_text())
            found["goals"] |= {k: v for k, v in figures.items() if k in found["goals"]}
            (tmp_path / name).write_text(json.dumps(found))
        return tmp_path

    return other


def test_a_page_that_says_something_else_is_told(results: Callable[..., Path]) -> None:
    other = results(ingest_mpps=123.0)
    done = run(sys.executable, GENERATOR, "--check", "--results", other)
    assert done.returncode == 1
    assert done.stderr == "gen_performance.py: docs/performance.md is not current\n"


@pytest.mark.parametrize(("more", "value"), [(True, 9.9), (False, 10.1)])
def test_a_row_below_its_aim_without_a_reason_is_refused(more: bool, value: float) -> None:
    goal = Goal("k", "what", "us", 1 if more else 99, 10, more)
    assert gen.reason(goal, 10.0) == ""
    with pytest.raises(gen.Refused, match=r"^k: .* us is not the aim, .*10 us"):
        gen.reason(goal, value)
    assert gen.reason(goal._replace(why="the sea is deep"), value) == "the sea is deep"


def test_a_refusal_writes_nothing(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    results: Callable[..., Path],
) -> None:
    rows = {"All": (ROWS["ingest_mpps"]._replace(why=""), ROWS["times_dpkt"]._replace(why=""))}
    monkeypatch.setattr(gen, "GOALS", rows)
    other = results(ingest_mpps=1.0, times_dpkt=1.0)
    monkeypatch.setattr(sys, "argv", ["gen_performance.py", "--results", str(other)])
    before = gen.PAGE.read_text()
    assert gen.main() == 1
    assert gen.PAGE.read_text() == before
    said = capsys.readouterr().err.splitlines()
    assert [line.split(": ")[1] for line in said] == ["ingest_mpps", "times_dpkt"]


def test_every_row_of_the_goals_is_on_the_page() -> None:
    page = gen.PAGE.read_text()
    assert [goal.what for goal in ROWS.values() if f"| {goal.what} |" not in page] == []


def test_ratios_of_the_gate_name_contests_that_exist() -> None:
    known = ratios(json.loads((RESULTS / "peers.json").read_text())["contests"])
    for kernels in ("avx512", "avx2"):
        full = Expected().of("full", kernels)
        assert [name for name in full if name not in known] == []


def test_every_benchmark_is_described() -> None:
    text = (PROJECT_ROOT / "bench" / "README.md").read_text()
    files = [path.name for path in (PROJECT_ROOT / "bench").glob("test_*.py")]
    assert [name for name in files if f"| `{name}` |" not in text] == []
