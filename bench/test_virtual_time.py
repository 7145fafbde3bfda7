# SPDX-License-Identifier: BSD-3-Clause
"""Virtual time: an hour of a network."""

from __future__ import annotations

from pytest_benchmark.fixture import BenchmarkFixture

from bench.networks import ping_for_an_hour, three_links


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
