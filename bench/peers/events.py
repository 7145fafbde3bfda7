# SPDX-License-Identifier: BSD-3-Clause
"""Contests in events of virtual time: a hundred are under way, each sets the next, as timers do."""

from __future__ import annotations

import heapq
from collections.abc import Generator
from importlib import metadata
from pathlib import Path
from typing import Final

import simpy

from bench.peers.contest import (
    OURS,
    Contender,
    Contest,
    Workers,
    compiled,
    first_line,
    own,
)
from kame_py.kern.callout import CalloutQueue
from kame_py.lab.world import World

HERE: Final = Path(__file__).resolve().parent
EVENTS: Final = 20_000
UNDER_WAY: Final = 100
STEP: Final = 7  # ns from one to the next
FOREVER: Final = 1 << 62
WORLD: Final = f"{OURS}, world"


def by_callouts() -> int:
    queue, left = CalloutQueue(), [EVENTS]

    def again(t: int) -> None:
        if left[0] > 0:
            left[0] -= 1
            queue.at(t + STEP, again, t + STEP)

    for i in range(UNDER_WAY):
        queue.at(i, again, i)
    return queue.run(FOREVER)


def by_world() -> int:
    world, left = World(seed=1), [EVENTS]

    def again() -> None:
        if left[0] > 0:
            left[0] -= 1
            world.schedule(world.clock.t + STEP, again)

    for i in range(UNDER_WAY):
        world.schedule(i, again)
    world.run_ns(FOREVER)
    return world.events


def by_heap() -> int:
    """No cancelling, no arguments."""
    heap: list[tuple[int, int, object]] = []
    seq = ran = 0
    left = EVENTS
    for i in range(UNDER_WAY):
        heapq.heappush(heap, (i, seq, None))
        seq += 1
    while heap:
        t, _, _ = heapq.heappop(heap)
        ran += 1
        if left > 0:
            left -= 1
            heapq.heappush(heap, (t + STEP, seq, None))
            seq += 1
    return ran


def by_simpy() -> int:
    env, ran = simpy.Environment(), [0]

    def again(start: int, left: int) -> Generator[simpy.Event, None, None]:
        yield env.timeout(start)
        for _ in range(left):
            ran[0] += 1
            yield env.timeout(STEP)

    for i in range(UNDER_WAY):
        env.process(again(i, EVENTS // UNDER_WAY))
    env.run()
    return ran[0]


def contests(folder: Path, crew: Workers) -> list[Contest]:
    """The callouts of a kernel and the events of a world beside the rest."""
    contest = Contest("events", "event")
    contest.rates = {"events_queue_mps": OURS, "events_world_mps": WORLD}
    for name, does, work in (
        (OURS, "callouts of a kernel: with arguments, can be cancelled", by_callouts),
        (WORLD, "events of a world, in which nodes and links are", by_world),
        ("heapq", "the least: neither arguments nor cancelling", by_heap),
        ("simpy", "a process for each, timeouts", by_simpy),
    ):
        if work() < EVENTS:
            raise ValueError(f"{name}: not all events came")
        version = metadata.version("simpy") if name == "simpy" else ""
        contest.contenders.append(Contender(name, does, own(work), EVENTS, version))
    contest.enter("ns-3", lambda: ns3(folder, crew))
    return [contest]


def ns3(folder: Path, crew: Workers) -> Contender:
    """Its default scheduler."""
    runs = compiled(HERE / "events.cc", folder, "-lns3-core")
    events = 10 * EVENTS  # they take fractions of a microsecond
    turn = crew.start(str(runs), str(events), str(UNDER_WAY), str(STEP))
    version = first_line("dpkg-query", "-W", "-f", "${Version}", "libns3-dev")
    return Contender("ns-3", "Simulator::Schedule in C++", turn, events, version)
