# SPDX-License-Identifier: BSD-3-Clause
"""The network of the Mobile IPv6 HowTo for one virtual hour, its mobile node on the move."""

from __future__ import annotations

from dataclasses import replace
from itertools import cycle

from pytest_benchmark.fixture import BenchmarkFixture

from kame_py.cli.lab import load_lab
from kame_py.kern.clock import NS
from kame_py.lab.runner import LabRun
from kame_py.lab.schema import MoveEvent

HOUR_S = 3600
STAY_S = 240  # before each move
BEGIN_S = 10
MOVES = (HOUR_S - BEGIN_S) // STAY_S - 1
LOST_MAX = 11  # pings for each move


def howto_hour() -> LabRun:
    """The lab ``howto`` with a ping each second for an hour and other moves; not yet run."""
    lab = load_lab("howto")
    ping = next(event for event in lab.events if hasattr(event, "commands"))
    (command,) = ping.commands
    count = HOUR_S - 2 * BEGIN_S
    argv = tuple(str(count) if word == "60" else word for word in command.argv)
    quiet = replace(command, argv=("ping6", "-q", *argv[1:]))
    places = cycle(("fl1", "fl2", "home"))
    moves = (
        MoveEvent(0, (BEGIN_S + STAY_S * (n + 1)) * NS, "mn", "fxp0", next(places))
        for n in range(MOVES)
    )
    events = (replace(ping, commands=(quiet,)), *moves)
    return LabRun(replace(lab, events=events, expects=(), until_ns=HOUR_S * NS))


def test_one_virtual_hour_of_the_howto(benchmark: BenchmarkFixture) -> None:
    """Thirteen handovers, 3580 pings: aim 4 s, at most 8 s of one core."""
    runs: list[LabRun] = []

    def setup() -> tuple[tuple[LabRun], dict[str, object]]:
        runs.append(howto_hour())
        return (runs[-1],), {}

    benchmark.pedantic(LabRun.run, setup=setup, rounds=3)
    run = runs[-1]
    assert len(run.handovers.done) == MOVES
    assert all(handover.total_ns() is not None for handover in run.handovers.done)
    assert max(handover.lost for handover in run.handovers.done) <= LOST_MAX
    mean = benchmark.stats.stats.mean
    benchmark.extra_info["events"] = run.world.events
    benchmark.extra_info["events_per_second"] = round(run.world.events / mean)
    assert mean < 8.0
