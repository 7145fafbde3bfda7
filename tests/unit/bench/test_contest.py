# SPDX-License-Identifier: BSD-3-Clause
"""Turns, figures, and who is missing."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

from bench.peers.contest import (
    OURS,
    Contender,
    Contest,
    Missing,
    Turn,
    compiled,
    installed,
    rounds,
    workers,
)


def says(seconds: Iterable[float]) -> Turn:
    left = iter(seconds)
    return lambda: next(left)


def two() -> Contest:
    contest = Contest("race", "packet", goals={"x": "slow"}, rates={"y": OURS})
    contest.contenders += [
        Contender(OURS, "runs", says([4e-6, 2e-6, 3e-6]), 2),
        Contender("slow", "walks", says([9e-6, 8e-6, 20e-6]), 1),
    ]
    return contest


def test_the_least_of_all_rounds_counts() -> None:
    contest = two()
    rounds([contest], 3)
    assert contest.times() == pytest.approx({OURS: 1, "slow": 8})
    assert contest.figures() == pytest.approx({"x": 8, "y": 1})
    (ours, slow) = contest.told()["rows"]  # type: ignore[misc]  # a list
    assert (ours["ns"], slow["ns"], slow["times"], slow["spread"]) == (1000, 8000, 8, 1.5)


def test_everybody_has_a_turn_before_anybody_has_two() -> None:
    order: list[str] = []

    def turn(name: str) -> Turn:
        return lambda: order.append(name) or 1.0  # type: ignore[func-returns-value]  # falls to 1

    contests = [Contest("one", "x"), Contest("two", "x")]
    for contest, names in zip(contests, ("ab", "c"), strict=True):
        contest.contenders += [Contender(name, "", turn(name), 1) for name in names]
    rounds(contests, 2)
    assert order == list("abcabc")


def test_who_is_missing_is_named_with_the_reason() -> None:
    contest = two()

    def absent() -> Contender:
        return Contender("no", installed("no-such-program", "no-package"), says([]), 1)

    contest.enter("no", absent)
    assert contest.missing == {"no": "not installed (Debian: no-package)"}
    assert [each.name for each in contest.contenders] == [OURS, "slow"]


def test_what_does_not_compile_is_missing(tmp_path: Path) -> None:
    source = tmp_path / "wrong.c"
    source.write_text("#include <no-such-header.h>\n")
    with pytest.raises(Missing, match="no-such-header|gcc"):
        compiled(source, tmp_path)


def test_workers_answer_each_turn_and_those_that_cannot_start_say_why() -> None:
    answer = "import sys\nfor _ in sys.stdin: print(0.25, flush=True)"
    with workers() as crew:
        turn = crew.start(sys.executable, "-c", answer)
        assert (turn(), turn()) == (0.25, 0.25)
        with pytest.raises(Missing, match="no module at all"):
            crew.start(sys.executable, "-c", "raise SystemExit('no module at all')")
