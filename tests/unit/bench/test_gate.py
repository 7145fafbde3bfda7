# SPDX-License-Identifier: BSD-3-Clause
"""What the gate on ratios lets through."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from bench import gate
from bench.goals import GOALS, ROWS, below_floor, unmeasured


def contest(**times: float) -> dict[str, Any]:
    rows = [{"name": name.replace("_", " "), "times": value} for name, value in times.items()]
    return {"name": "read", "rows": [{"name": "kame-py", "times": 1.0}, *rows]}


def test_more_is_better_for_peers_and_for_ours() -> None:
    found = gate.ratios([contest(dpkt=200.0, **{"kame-py, checksums": 1.25})])
    assert found == {"read: dpkt": 200.0, "read: kame-py, checksums": 0.8}


def test_ratios_that_depend_on_the_page_cache_are_left_out() -> None:
    assert gate.ratios([contest(C=2.0, touch=0.5, **{"C, prefetch": 0.9})]) == {}


def test_half_of_the_last_ratio_is_the_least() -> None:
    last = {"a": 10.0, "b": 10.0, "gone": 1.0}
    measured = {"a": 5.0, "b": 4.99, "new": 1.0}
    assert gate.fallen(measured, last) == {"b": "b: 4.99 times, it was 10"}
    assert gate.unseen(measured, last) == ["gone: not measured"]


def test_accepted_ratios_belong_to_a_run_and_a_processor(tmp_path: Path) -> None:
    path = tmp_path / "expected.json"
    gate.Expected(path).accept("quick", "avx2", {"a": 1.0})
    gate.Expected(path).accept("full", "avx512", {"a": 2.0})
    known = gate.Expected(path)
    assert known.of("quick", "avx2") == {"a": 1.0}
    assert known.of("full", "avx512") == {"a": 2.0}
    assert known.of("full", "avx2") == {}


def test_floors_of_figures_where_less_is_better() -> None:
    assert below_floor({"sweep_ms": 2.0, "ingest_mpps": 15.0}) == []
    assert below_floor({"sweep_ms": 2.5, "ingest_mpps": 14.9}) == [
        "ingest_mpps: 14.9 Mpps, the floor is 15",
        "sweep_ms: 2.5 ms, the floor is 2",
    ]
    assert "sweep_ms" in unmeasured({"ingest_mpps": 1.0})


def test_rows_have_keys_of_their_own_and_an_aim_beyond_the_floor() -> None:
    every = [goal for rows in GOALS.values() for goal in rows]
    assert len(every) == len(ROWS)
    assert [goal.key for goal in every if not goal.reaches(goal.aim, goal.floor)] == []


@pytest.mark.parametrize(
    ("figure", "times", "status", "said"),
    [
        (20.0, 3.0, 0, "1 figures, 1 ratios, 0 fell"),
        (14.0, 3.0, 1, "FELL ingest_mpps: 14 Mpps, the floor is 15"),
        (20.0, 1e-3, 1, "FELL {name}: 0.001 times, it was "),
    ],
)
def test_the_command_says_which_row_fell(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    figure: float,
    times: float,
    status: int,
    said: str,
) -> None:
    """Beside the ratios that are known for quick runs, as if for full ones."""
    known = gate.Expected().of("quick", "avx512")
    name = next(key for key in known if key.endswith("simpy"))
    title, _, peer = name.rpartition(": ")
    rows = [{"name": "kame-py", "times": 1.0}, {"name": peer, "times": times}]
    results = {
        "machine": {"kernels_for": "avx512"},
        "goals": {"ingest_mpps": figure},
        "contests": [{"name": title, "rows": rows}],
    }
    (tmp_path / "peers.json").write_text(json.dumps(results))
    expected = tmp_path / "expected.json"
    gate.Expected(expected).accept("full", "avx512", {name: known[name]})
    argv = ["bench.gate", "--results", str(tmp_path), "--expected", str(expected)]
    monkeypatch.setattr(sys, "argv", argv)
    assert gate.main() == status
    assert said.format(name=name) in capsys.readouterr().out


def test_results_that_are_not_there_are_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["bench.gate", "--results", str(tmp_path)])
    assert gate.main() == 2
    said = capsys.readouterr().err
    assert said.startswith("bench.gate: ") and said.count("\n") == 1
