# SPDX-License-Identifier: BSD-3-Clause
"""Odd packets are answered as the running Linux kernel answers them; the differences are argued.

``linux_answers.json`` is what Linux said when it was last recorded (``python -m
tests.differential.linux_side``); where namespaces are permitted the running kernel is asked too.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from kame_py.kern.mbuf import Fate
from tests.differential.differences import DIFFERENCES
from tests.differential.kame_side import KameVictim, ask_all, balanced
from tests.differential.odd_packets import CASES
from tests.support import needs_netns, run

RECORD = Path(__file__).with_name("linux_answers.json")
RECORDED: dict[str, list[str]] = json.loads(RECORD.read_text())["answers"]


@pytest.fixture(scope="module")
def victim() -> KameVictim:
    return KameVictim()


def expected(name: str, linux: list[str]) -> list[str]:
    """What we should say: as Linux, but for the argued differences."""
    return list(DIFFERENCES[name].ours) if name in DIFFERENCES else linux


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.name)
def test_answers_as_linux_does(victim: KameVictim, case: object) -> None:
    said = victim.ask(case)  # type: ignore[arg-type]  # parametrize loses the type
    assert said == expected(case.name, RECORDED[case.name])  # type: ignore[attr-defined]


def test_differences_are_real_and_argued() -> None:
    for name, row in DIFFERENCES.items():
        assert list(row.ours) != RECORDED[name], f"{name} differs no more"
        assert len(row.why) > 30, name


def test_every_packet_has_one_fate_and_nothing_waits_after_the_timers() -> None:
    answers, kern = ask_all()
    assert len(answers) == len(CASES) >= 60
    assert balanced(kern)
    assert kern.fates[Fate.CONSUMED] > 30


@pytest.mark.live
def test_the_running_kernel_answers_as_recorded() -> None:
    needs_netns()
    done = run(sys.executable, "-m", "tests.differential.linux_side", timeout_s=120)
    assert done.returncode == 0, done.stderr
    live = json.loads(done.stdout)
    changed = {k: v for k, v in live["answers"].items() if v != RECORDED[k]}
    ours, _ = ask_all()
    wrong = {k: (ours[k], v) for k, v in changed.items() if ours[k] != expected(k, v)}
    assert not wrong, f"Linux {live['kernel']} differs from the record: {wrong}"
