# SPDX-License-Identifier: BSD-3-Clause
"""How long a tool takes from its first instruction to its last, beside Python with nothing to do.

Seconds are those that the processor works for the process (user and system), so that a busy
machine changes them little. Each program runs as after its second start: compiled.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from kame_py.tools import TOOLS

ROUNDS: Final = 7
MOST_S: Final = 0.150

PYTHON: Final = {
    "pass": ("-c", "pass"),
    "json_socket": ("-c", "import json, socket"),
}
#: What a tool is asked; each talks to a node that runs.
ON_A_NODE: Final = {
    "ifconfig": ("-a",),
    "mip6control": ("-l",),
    "mip6stat": (),
    "ndp": ("-an",),
    "netstat": ("-rn",),
    "route": ("-n", "get", "::1"),
    "setkey": ("-D",),
    "sysctl": ("kern.hostname",),
}

Env = dict[str, str]


@pytest.fixture(scope="module")
def env() -> Iterator[Env]:
    """An environment of its own: compiled modules are kept, and a node runs in it."""
    folder = Path(tempfile.mkdtemp(prefix="kame-startup-"))
    own = {k: v for k, v in os.environ.items() if not k.startswith("KAME_")}
    own.pop("PYTHONDONTWRITEBYTECODE", None)
    own |= {"PYTHONPYCACHEPREFIX": str(folder / "pyc"), "KAME_RUNTIME_DIR": str(folder / "run")}
    words = ("vm", "--name", "a", "--bus", str(folder / "bus"), "--options", "MIP6,IPSEC", "-q")
    node = subprocess.Popen(
        [sys.executable, "-m", "kame_py", *words], env=own, stderr=subprocess.PIPE, text=True
    )
    assert node.stderr is not None
    assert any("control socket" in line for line in node.stderr)
    yield own
    node.terminate()
    node.wait()
    shutil.rmtree(folder)


def worked(words: tuple[str, ...], env: Env) -> float:
    """Seconds that the processor worked for one process."""
    process = subprocess.Popen(
        [sys.executable, *words], env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    assert process.stderr is not None
    said = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, said.decode()
    return usage.ru_utime + usage.ru_stime


def measure(benchmark: BenchmarkFixture, words: tuple[str, ...], env: Env, name: str) -> float:
    """The least work of some runs: noise only ever adds."""
    worked(words, env)  # compiles what is not compiled yet
    times: list[float] = []
    benchmark.pedantic(lambda: times.append(worked(words, env)), rounds=ROUNDS)
    benchmark.extra_info["start"] = name
    benchmark.extra_info["work_s"] = min(times)
    return min(times)


@pytest.mark.parametrize("name", PYTHON)
def test_python_alone(benchmark: BenchmarkFixture, env: Env, name: str) -> None:
    measure(benchmark, PYTHON[name], env, name)


def test_help_of_kame(benchmark: BenchmarkFixture, env: Env) -> None:
    words = ("-m", "kame_py", "--help")
    assert measure(benchmark, words, env, "kame --help") < MOST_S


@pytest.mark.parametrize("tool", sorted(TOOLS))
def test_help_of_a_tool(benchmark: BenchmarkFixture, env: Env, tool: str) -> None:
    words = ("-m", "kame_py", tool, "--help")
    assert measure(benchmark, words, env, f"{tool} --help") < MOST_S


@pytest.mark.parametrize("tool", ON_A_NODE)
def test_tool_on_a_node(benchmark: BenchmarkFixture, env: Env, tool: str) -> None:
    """Aim 90 ms, at most 150 ms."""
    words = ("-m", "kame_py", tool, *ON_A_NODE[tool])
    name = " ".join((tool, *ON_A_NODE[tool]))
    assert measure(benchmark, words, env, name) < MOST_S
