# SPDX-License-Identifier: BSD-3-Clause
"""Say the results that matter in a few lines, below pytest-benchmark's table; keep the goals'.

A benchmark puts its figures for the rows of goals.py into ``extra_info["goals"]``, by their keys,
and what it says itself into ``extra_info["line"]``. ``--results FILE`` keeps the figures.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from bench.goals import ROWS
from bench.machine import Described, describe, finished

#: By group: what is ours, then its peers; the last part of a test's name.
PEERS = {
    "checksum 64": ("ours", "scapy", "dpkt"),
    "checksum 576": ("ours", "scapy", "dpkt"),
    "checksum 1500": ("ours", "scapy", "dpkt"),
    "parse an IPv6 header": ("codec", "construct", "dpkt", "scapy"),
    "binding update to acknowledgement": ("ours", "construct", "scapy"),
}


@dataclass
class Results:
    """Median seconds: of each benchmark by group and name; of virtual hours, with their events.

    starts: seconds of work that a program's start takes. lines: what benchmarks say themselves.
    goals: figures by row, with the benchmark that gave them.
    """

    groups: dict[str, dict[str, float]] = field(default_factory=dict)
    starts: dict[str, float] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)
    hours: dict[str, tuple[float, int]] = field(default_factory=dict)
    goals: dict[str, tuple[float, str]] = field(default_factory=dict)
    machine: Described = field(default_factory=describe)

    def reach(self, figures: dict[str, float], bench: str) -> None:
        """Figures of rows of the goals; a row has one benchmark."""
        for key, value in figures.items():
            if key not in ROWS or key in self.goals:
                pytest.fail(f"{bench}: no row of bench/goals.py, or not its alone: {key}")
            self.goals[key] = (float(f"{value:.4g}"), bench)

    def told(self) -> dict[str, object]:
        """For the file of results."""
        return {
            "machine": finished(self.machine),
            "goals": {key: value for key, (value, _) in self.goals.items()},
            "from": {key: bench for key, (_, bench) in self.goals.items()},
        }


RESULTS = pytest.StashKey[Results]()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("kame")
    group.addoption("--results", type=Path, metavar="FILE", help="keep the figures of the goals")
    group.addoption("--quick", action="store_true", help="less of what takes long")


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
    if "goals" in benchmark.extra_info:
        results.reach(benchmark.extra_info["goals"], request.node.originalname)
    if "line" in benchmark.extra_info:
        results.lines.append(benchmark.extra_info["line"])
    if benchmark.group is not None:
        name = request.node.originalname.rpartition("_")[2]
        results.groups.setdefault(benchmark.group, {})[name] = median


def pytest_sessionfinish(session: pytest.Session) -> None:
    path: Path | None = session.config.getoption("--results")
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(session.config.stash[RESULTS].told(), indent=2) + "\n")


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
