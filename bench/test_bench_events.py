# SPDX-License-Identifier: BSD-3-Clause
"""What one event costs: the callouts of a kernel beside a bare heap, a world beside simpy.

A hundred events are under way; each sets the next one, as timers do. Floor: 0.7 million in a
second; aim: 1.3.
"""

from __future__ import annotations

import heapq
from collections.abc import Generator

import pytest
import simpy
from pytest_benchmark.fixture import BenchmarkFixture

from kame_py.kern.callout import CalloutQueue
from kame_py.lab.world import World

EVENTS = 20_000
UNDER_WAY = 100
STEP = 7  # ns from one to the next
LIMIT_S = 5e-6  # of one event; a slow or busy machine is no failure


def cheap(benchmark: BenchmarkFixture) -> bool:
    return benchmark.stats is None or benchmark.stats.stats.median / EVENTS < LIMIT_S


@pytest.mark.benchmark(group=f"{EVENTS} events")
def test_event_by_callout_queue(benchmark: BenchmarkFixture) -> None:
    def run() -> int:
        queue = CalloutQueue()
        left = [EVENTS]

        def again(t: int) -> None:
            if left[0] > 0:
                left[0] -= 1
                queue.at(t + STEP, again, t + STEP)

        for i in range(UNDER_WAY):
            queue.at(i, again, i)
        return queue.run(1 << 62)

    assert benchmark(run) >= EVENTS
    assert cheap(benchmark)


@pytest.mark.benchmark(group=f"{EVENTS} events")
def test_event_by_bare_heap(benchmark: BenchmarkFixture) -> None:
    """The least that a heap of callbacks can cost: no cancelling, no arguments."""

    def run() -> int:
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

    assert benchmark(run) >= EVENTS


@pytest.mark.benchmark(group=f"{EVENTS} events of a world")
def test_event_by_world(benchmark: BenchmarkFixture) -> None:
    def run() -> int:
        world = World(seed=1)
        left = [EVENTS]

        def again() -> None:
            if left[0] > 0:
                left[0] -= 1
                world.schedule(world.clock.t + STEP, again)

        for i in range(UNDER_WAY):
            world.schedule(i, again)
        world.run_ns(1 << 62)
        return world.events

    assert benchmark(run) >= EVENTS
    assert cheap(benchmark)


@pytest.mark.benchmark(group=f"{EVENTS} events of a world")
def test_event_by_simpy(benchmark: BenchmarkFixture) -> None:
    def run() -> int:
        env = simpy.Environment()
        ran = [0]

        def again(start: int, left: int) -> Generator[simpy.Event, None, None]:
            yield env.timeout(start)
            for _ in range(left):
                ran[0] += 1
                yield env.timeout(STEP)

        for i in range(UNDER_WAY):
            env.process(again(i, EVENTS // UNDER_WAY))
        env.run()
        return ran[0]

    assert benchmark(run) >= EVENTS
