# SPDX-License-Identifier: BSD-3-Clause
"""Virtual time: an hour of a network, and what one event costs beside a bare heap."""

from __future__ import annotations

import heapq

from pytest_benchmark.fixture import BenchmarkFixture

from bench.networks import ping_for_an_hour, three_links
from kame_py.kern.callout import CalloutQueue

EVENTS = 20_000


def test_one_virtual_hour_of_three_links(benchmark: BenchmarkFixture) -> None:
    """A ping each second through two routers: aim 2 s, at most 5 s of one core."""
    counts: list[int] = []

    def setup() -> tuple[tuple[object, ...], dict[str, object]]:
        world, a = three_links()
        counts.append(-world.events)
        return (world, a), {}

    def run(world: object, a: object) -> None:
        out = ping_for_an_hour(world, a)  # type: ignore[arg-type]  # pytest-benchmark's setup
        counts[-1] += world.events  # type: ignore[attr-defined]  # likewise
        assert "3600 packets transmitted, 3600 packets received" in out

    benchmark.pedantic(run, setup=setup, rounds=3)
    mean = benchmark.stats.stats.mean
    benchmark.extra_info["events"] = counts[-1]
    benchmark.extra_info["events_per_second"] = round(counts[-1] / mean)
    assert mean < 5.0


def test_event_by_callout_queue(benchmark: BenchmarkFixture) -> None:
    """Callouts that set each other, as timers do."""
    benchmark.group = f"{EVENTS} events"

    def run() -> int:
        queue = CalloutQueue()
        left = [EVENTS]

        def again(t: int) -> None:
            if left[0] > 0:
                left[0] -= 1
                queue.at(t + 7, again, t + 7)

        for i in range(100):
            queue.at(i, again, i)
        return queue.run(1 << 62)

    assert benchmark(run) >= EVENTS


def test_event_by_bare_heap(benchmark: BenchmarkFixture) -> None:
    """The least that a heap of callbacks can cost: no cancelling, no arguments."""
    benchmark.group = f"{EVENTS} events"

    def run() -> int:
        heap: list[tuple[int, int, object]] = []
        seq = ran = 0
        left = EVENTS
        for i in range(100):
            heapq.heappush(heap, (i, seq, None))
            seq += 1
        while heap:
            t, _, _ = heapq.heappop(heap)
            ran += 1
            if left > 0:
                left -= 1
                heapq.heappush(heap, (t + 7, seq, None))
                seq += 1
        return ran

    assert benchmark(run) >= EVENTS
