# SPDX-License-Identifier: BSD-3-Clause
"""Who takes part in a contest, and how turns are taken and told.

All contenders of all contests take one turn in each round, so that a busy moment of the machine is
busy for all. Seconds are the processor's, user and system; the least of the rounds counts.
"""

from __future__ import annotations

import gc
import os
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent.parent
OURS: Final = "kame-py"
MOMENT_S: Final = 0.05  # a turn at least
LONG_S: Final = 0.3  # what takes so long is done once in a turn
AGAIN: Final = 2
_PATH: Final = os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", "/sbin"))

Turn = Callable[[], float]


class Missing(Exception):
    """A peer cannot be had; says why."""


@dataclass
class Contender:
    """turn: does the work once and returns the seconds; work: how many units it is."""

    name: str
    does: str
    turn: Turn
    work: int
    version: str = ""
    seconds: list[float] = field(default_factory=list)

    def take_turn(self) -> None:
        self.seconds.append(self.turn() / self.work)

    @property
    def least(self) -> float:
        """Seconds a unit."""
        return min(self.seconds)


@dataclass
class Contest:
    """The first contender is the one that all others are compared with.

    goals: which rows of the goals are how many times as fast as a peer; rates: which are millions
    of units a second of a contender.
    """

    name: str
    unit: str
    contenders: list[Contender] = field(default_factory=list)
    missing: dict[str, str] = field(default_factory=dict)
    goals: Mapping[str, str] = field(default_factory=dict)
    rates: Mapping[str, str] = field(default_factory=dict)

    def enter(self, name: str, make: Callable[[], Contender]) -> None:
        """Take a contender in, or note why it is missing."""
        try:
            self.contenders.append(make())
        except Missing as why:
            self.missing[name] = str(why)

    def times(self) -> dict[str, float]:
        """How many times as long each contender takes as the first."""
        return {each.name: each.least / self.contenders[0].least for each in self.contenders}

    def figures(self) -> dict[str, float]:
        """For the rows of the goals."""
        times, least = self.times(), {each.name: each.least for each in self.contenders}
        found = {key: times[name] for key, name in self.goals.items() if name in times}
        rates = {key: 1e-6 / least[name] for key, name in self.rates.items() if name in least}
        return found | rates

    def told(self) -> dict[str, object]:
        """For the file of results."""
        times = self.times()
        rows = [
            {
                "name": each.name,
                "does": each.does,
                "version": each.version,
                "ns": float(f"{each.least * 1e9:.4g}"),
                "spread": round(max(each.seconds) / each.least - 1, 2),
                "times": float(f"{times[each.name]:.4g}"),
            }
            for each in self.contenders
        ]
        return {"name": self.name, "unit": self.unit, "rows": rows, "missing": self.missing}


def rounds(contests: Iterable[Contest], count: int) -> None:
    """Everybody takes a turn, again and again."""
    everybody = [each for contest in contests for each in contest.contenders]
    for _ in range(count):
        for each in everybody:
            each.take_turn()


# -- seconds --------------------------------------------------------------------------------------


def own(work: Callable[[], object]) -> Turn:
    """Work of this process."""

    def once() -> float:
        before = time.process_time()
        work()
        return time.process_time() - before

    def turn() -> float:
        gc.collect()
        gc.disable()
        try:
            return _warm(once)
        finally:
            gc.enable()

    return turn


def program(*argv: str) -> Turn:
    """A program that is started for it; its start counts."""

    def once() -> float:
        before = _of_children()
        subprocess.run(argv, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        return _of_children() - before

    return lambda: _warm(once)


def _warm(once: Turn) -> float:
    """The least of as many as fit a moment, and of three of what does not take long.

    What came before has left the caches to itself; the first time brings in what it needs, like the
    kernel's own lists of a file's pages.
    """
    start = time.perf_counter()
    least = once()
    soon = time.perf_counter() - start < LONG_S
    again = AGAIN if soon else 0
    while again > 0 or time.perf_counter() < start + MOMENT_S:
        least = min(least, once())
        again -= 1
    return least


def _of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


class Workers:
    """Programs that stay: they do the work at each line they are told, and answer the seconds."""

    def __init__(self) -> None:
        self._running: list[subprocess.Popen[str]] = []

    def start(self, *argv: str) -> Turn:
        """Raises Missing where it does not start; its first answer is how it is called."""
        worker = subprocess.Popen(
            argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        self._running.append(worker)
        assert worker.stdin is not None and worker.stdout is not None

        def turn() -> float:
            assert worker.stdin is not None and worker.stdout is not None
            worker.stdin.write("\n")
            worker.stdin.flush()
            return float(worker.stdout.readline())

        try:
            turn()
        except (ValueError, OSError) as problem:
            _, said = worker.communicate()
            raise Missing((said.strip().splitlines() or ["it does not start"])[-1]) from problem
        return turn

    def stop(self) -> None:
        for worker in self._running:
            worker.communicate()  # the end of its input


@contextmanager
def workers() -> Iterator[Workers]:
    """All end when the contests do."""
    crew = Workers()
    try:
        yield crew
    finally:
        crew.stop()


# -- peers ----------------------------------------------------------------------------------------


def installed(name: str, package: str) -> str:
    """Where a program is; raises Missing where it is not."""
    found = shutil.which(name, path=_PATH)
    if found is None:
        raise Missing(f"not installed (Debian: {package})")
    return found


def first_line(*argv: str) -> str:
    """Of what a program says of its version."""
    try:
        done = subprocess.run(argv, capture_output=True, text=True, check=False)
    except OSError:
        return ""
    return next(iter((done.stdout or done.stderr).splitlines()), "").strip()


def compiled(source: Path, folder: Path, *options: str) -> Path:
    """A program of C or C++; raises Missing without a compiler or what it includes."""
    compiler = "gcc" if source.suffix == ".c" else "g++"
    installed(compiler, compiler)
    target = folder / source.stem
    done = subprocess.run(
        [compiler, "-O3", "-march=native", "-o", str(target), str(source), *options],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        wrong = [line for line in done.stderr.splitlines() if "error" in line]
        raise Missing(f"does not compile: {(wrong or ['?'])[0]}")
    return target


def run_python(*argv: str) -> None:
    """One of the project's own programs."""
    subprocess.run([sys.executable, *argv], check=True, cwd=ROOT)
