# SPDX-License-Identifier: BSD-3-Clause
"""Say the results that matter in a few lines, below pytest-benchmark's table."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

#: By group: what is ours, then its peers; the last part of a test's name.
PEERS = {
    "checksum 64": ("ours", "scapy", "dpkt"),
    "checksum 576": ("ours", "scapy", "dpkt"),
    "checksum 1500": ("ours", "scapy", "dpkt"),
    "parse an IPv6 header": ("codec", "construct", "dpkt", "scapy"),
    "20000 events": ("queue", "heap"),
    "20000 events of a world": ("world", "simpy"),
    "binding update to acknowledgement": ("ours", "construct", "scapy"),
}


@dataclass
class Results:
    """Median seconds: of each benchmark by group and name; of virtual hours, with their events.

    starts: seconds of work that a program's start takes. lines: what benchmarks say themselves.
    """

    groups: dict[str, dict[str, float]] = field(default_factory=dict)
    starts: dict[str, float] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)
    hours: dict[str, tuple[float, int]] = field(default_factory=dict)


RESULTS = pytest.StashKey[Results]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[RESULTS] = Results()


@pytest.fixture(autouse=True)
def _remember(request: pytest.FixtureRequest, benchmark: BenchmarkFixture) -> Iterator[None]:
    """Keep the median of the benchmark that has just run."""
    yield
    if benchmark.stats is None:
        return
    results = request.config.stash[RESULTS]
    median = benchmark.stats.stats.median
    if "events" in benchmark.extra_info:
        of = request.node.originalname.rpartition("_of_")[2].replace("_", " ")
        results.hours[of] = (median, benchmark.extra_info["events"])
    if "start" in benchmark.extra_info:
        results.starts[benchmark.extra_info["start"]] = benchmark.extra_info["work_s"]
    if "line" in benchmark.extra_info:
        results.lines.append(benchmark.extra_info["line"])
    if benchmark.group is not None:
        name = request.node.originalname.rpartition("_")[2]
        results.groups.setdefault(benchmark.group, {})[name] = median


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    lines = summary(config.stash[RESULTS])
    if lines:
        terminalreporter.section("in short")
        for line in lines:
            terminalreporter.write_line(line)


def summary(results: Results) -> list[str]:
    """One line for each hour, one for each group with a peer."""
    lines = []
    for of, (seconds, events) in results.hours.items():
        rate = f"{events} events, {events / seconds:.0f} events/s"
        lines.append(f"one virtual hour of {of}: {seconds:.2f} s, {rate}")
    for group, (ours, *peers) in PEERS.items():
        medians = results.groups.get(group, {})
        ratios = [
            f"{medians[ours] / medians[p]:.2f} of {p}" for p in peers if {ours, p} <= set(medians)
        ]
        if ratios:
            lines.append(f"{group}: {medians[ours] * 1e6:.1f} us, time {', '.join(ratios)}")
    return lines + results.lines + starts(results.starts)


def starts(seconds: dict[str, float]) -> list[str]:
    """One line for each program that was started, beside Python with nothing to do."""
    alone, loaded = seconds.get("pass"), seconds.get("json_socket")
    if not alone or not loaded:
        return []
    return [
        f"start of {name}: {work * 1e3:.0f} ms, "
        f"time {work / alone:.1f} of python, {work / loaded:.1f} of python with json and socket"
        for name, work in seconds.items()
        if name not in ("pass", "json_socket")
    ]
