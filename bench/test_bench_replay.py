# SPDX-License-Identifier: BSD-3-Clause
"""``kame replay --fast on`` as somebody runs it: a process, from its start to its report.

Seconds are those that the processor works for the process, user and system, the least of some
rounds; those of the clock stand beside them. Programs are compiled, as after a first start.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Final, NamedTuple

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from bench.registered import arguments, write_agents_capture
from kame_py.fast.cpu import CPU, Cpu

ROOT: Final = Path(__file__).resolve().parent.parent
ROUNDS: Final = 5
PACKETS: Final = 5_000_000
NODES: Final = 1000  # that register at the beginning of the capture
SMALL: Final = 78  # octets
PUNTED: Final = 0.001
FLOOR_MPPS: Final = 2.5  # the aim is 7
SLACK: Final = 2  # a benchmark fails below its floor by more than this
PIPED: Final = 1_000_000  # packets of half a gigabyte
MEMORY_MAX: Final = 300_000_000

pytestmark = pytest.mark.skipif(CPU is Cpu.NONE, reason="no kernels for this processor")


class Used(NamedTuple):
    """What a process took."""

    work_s: float
    wall_s: float
    kib: int
    report: dict[str, object]


@pytest.fixture(scope="module")
def env(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Compiled modules are kept."""
    own = {key: value for key, value in os.environ.items() if not key.startswith("KAME_")}
    own.pop("PYTHONDONTWRITEBYTECODE", None)
    return own | {"PYTHONPYCACHEPREFIX": str(tmp_path_factory.mktemp("pyc"))}


def replay(words: Sequence[str], env: dict[str, str], stdin: IO[bytes] | None = None) -> Used:
    """Run the command."""
    command = [sys.executable, "-m", "kame_py", "replay", "--fast", "on", "--json", *words]
    done = subprocess.run(
        [sys.executable, str(ROOT / "bench" / "used.py"), *command],
        env=env,
        cwd=ROOT,
        stdin=stdin,
        capture_output=True,
        check=True,
    )
    return Used(**json.loads(done.stderr), report=json.loads(done.stdout))


def test_a_home_agent_replays_five_million_packets(
    benchmark: BenchmarkFixture, tmp_path: Path, env: dict[str, str]
) -> None:
    capture = tmp_path / "agent.pcap"
    write_agents_capture(capture, NODES, PACKETS, SMALL, PUNTED)
    words = [*arguments(tmp_path), str(capture)]
    replay(words, env)  # compiles what is not compiled yet
    runs = [replay(words, env) for _ in range(ROUNDS)]
    benchmark.pedantic(replay, (words, env), rounds=1)
    best = min(runs, key=lambda run: run.work_s)
    wall = min(run.wall_s for run in runs)
    mpps = PACKETS / best.work_s / 1e6
    benchmark.extra_info["goals"] = {"replay_mpps": mpps}
    benchmark.extra_info["line"] = (
        f"kame replay, {NODES} mobile nodes: {mpps:.2f} Mpps, {best.work_s:.2f} s of work, "
        f"{wall:.2f} s by the clock, {best.kib >> 10} MiB"
    )
    print(f"\n{benchmark.extra_info['line']}")
    assert best.report["packets"] == PACKETS + NODES
    assert best.report["fates"]["dropped"] == PACKETS * PUNTED  # type: ignore[index]  # JSON
    assert len(best.report["binding_cache"]) == NODES  # type: ignore[arg-type]  # JSON
    assert mpps * SLACK > FLOOR_MPPS


def test_half_a_gigabyte_through_a_pipe_takes_little_memory(
    benchmark: BenchmarkFixture, tmp_path: Path, env: dict[str, str]
) -> None:
    """What is held does not grow with the capture: 10 GB took as much."""
    words = [*arguments(tmp_path), "-"]
    made = [sys.executable, str(ROOT / "tools" / "gen_capture.py"), "/dev/stdout"]

    def play() -> Used:
        with subprocess.Popen([*made, "--packets", str(PIPED)], stdout=subprocess.PIPE) as maker:
            return replay(words, env, maker.stdout)

    used = benchmark.pedantic(play, rounds=1)
    benchmark.extra_info["line"] = (
        f"kame replay, {PIPED} packets through a pipe: {used.kib >> 10} MiB of memory"
    )
    print(f"\n{benchmark.extra_info['line']}")
    assert used.report["packets"] == PIPED
    assert used.kib << 10 < MEMORY_MAX
