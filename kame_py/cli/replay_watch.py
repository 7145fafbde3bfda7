# SPDX-License-Identifier: BSD-3-Clause
"""Who looks on at the terminal while captures are played: an interrupt, the clock, a progress bar.

No KAME counterpart. rich is loaded for terminals only.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, BinaryIO, Final, cast

from kame_py.cli.replay_files import size_of
from kame_py.replay.watch import Watch

if TYPE_CHECKING:
    from types import FrameType

    from rich.progress import Progress, TaskID

    from kame_py.replay.capture import Record

NS: Final = 1_000_000_000
SLICE_S: Final = 0.1  # how long a wait lasts before somebody looks whether it is still wanted
REFRESH_S: Final = 0.1
RATE_S: Final = 2.0  # over how long a rate is taken


class Interrupt(Watch):
    """The first SIGINT ends the replay between two packets, the second one at once."""

    def __init__(self) -> None:
        self.came = False
        self._reading = False

    @contextmanager
    def listening(self) -> Iterator[None]:
        """While this lasts the signal comes here."""
        before = signal.signal(signal.SIGINT, self._signalled)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, before)

    def _signalled(self, number: int, frame: FrameType | None) -> None:
        if self.came:
            raise KeyboardInterrupt
        self.came = True
        if self._reading:
            raise InterruptedError("interrupted")

    def goes_on(self, n: int, octets: int | None) -> bool:
        return not self.came

    def reader(self, f: BinaryIO) -> BinaryIO:
        """The same octets; who waits for more of them is interrupted, too."""
        return cast("BinaryIO", _Waiting(f, self))

    def read(self, f: BinaryIO, size: int) -> bytes:
        """As ``f.read``."""
        self._reading = True
        try:
            return b"" if self.came else f.read(size)
        finally:
            self._reading = False


class _Waiting:
    """A file that cannot be read twice and may keep one waiting."""

    def __init__(self, f: BinaryIO, interrupt: Interrupt) -> None:
        self._f = f
        self._interrupt = interrupt

    def read(self, size: int = -1, /) -> bytes:
        return self._interrupt.read(self._f, size)

    def seekable(self) -> bool:
        return False


class Pace(Watch):
    """Packets are fed when their time has come, ``speed`` times as fast as they were captured.

    goes_on: whether a wait is still wanted. tick: called for each packet.
    """

    every = True

    def __init__(
        self,
        speed: float,
        goes_on: Callable[[], bool],
        tick: Callable[[], None],
        now: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._speed = speed
        self._goes_on = goes_on
        self._tick = tick
        self._now = now
        self._sleep = sleep
        self._first: tuple[int, float] | None = None

    def begin(self) -> None:
        """Another capture: its first packet is due at once."""
        self._first = None

    def admits(self, record: Record) -> bool:
        if self._first is None:
            self._first = record.t_ns, self._now()
        t_ns, began = self._first
        due = began + (record.t_ns - t_ns) / NS / self._speed
        self._tick()
        while (left := due - self._now()) > 0 and self._goes_on():
            self._sleep(min(left, SLICE_S))
        return True


class Bar(Watch):
    """How far it is, how fast, and how long it will take."""

    def __init__(self, progress: Progress, sizes: list[int | None]) -> None:
        self._progress = progress
        known = [size for size in sizes if size is not None]
        total = sum(known) if len(known) == len(sizes) else None
        self._task: TaskID = progress.add_task("", total=total, packets="0", rate="")
        self._before = 0  # octets and packets of the files that are done
        self._packets_before = 0
        self._marks = deque([(time.monotonic(), 0)])  # times, and packets until then
        self._shown = 0.0
        self._name = ""
        self._waiting_at: int | None = None  # packets until then
        self._n = 0
        self._file: BinaryIO | None = None
        self._size: int | None = None

    def begin(self, path: str, f: BinaryIO) -> None:
        """The next file."""
        self._before += self._size or 0
        self._packets_before += self._n
        self._n = 0
        self._file, self._size = f, size_of(path)
        self._name = os.path.basename(path)
        self._say(self._name)

    def waits(self, why: str) -> None:
        self._waiting_at = self._n
        self._say(f"{self._name}: {why}")

    def _say(self, text: str) -> None:
        self._progress.update(self._task, description=text)
        self._progress.refresh()

    def goes_on(self, n: int, octets: int | None) -> bool:
        self._n = n
        now = time.monotonic()
        if now - self._shown >= REFRESH_S:
            self._shown = now
            self._show(now, octets)
        return True

    def _show(self, now: float, octets: int | None) -> None:
        packets = self._packets_before + self._n
        if self._waiting_at is not None and self._n > self._waiting_at:
            self._waiting_at = None
            self._marks.clear()  # it was not the packets that took so long
            self._say(self._name)
        self._marks.append((now, packets))
        while len(self._marks) > 2 and now - self._marks[1][0] >= RATE_S:
            self._marks.popleft()
        before, then = self._marks[0]
        rate = f"{(packets - then) / (now - before):,.0f}/s" if now > before else ""
        if octets is None and self._size is not None and self._file is not None:
            octets = self._file.tell()
        done = self._before + (octets or 0)
        self._progress.update(self._task, completed=done, packets=f"{packets:,}", rate=rate)
        self._progress.refresh()


@contextmanager
def progress_bar(paths: list[str]) -> Iterator[Bar | None]:
    """A bar on standard error where that is a terminal; it is gone when the work is done."""
    if not sys.stderr.isatty() or os.environ.get("TERM") == "dumb":
        yield None
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        Progress,
        TaskProgressColumn,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[packets]} packets {task.fields[rate]}", markup=False),
        TimeRemainingColumn(),
    )
    console = Console(file=sys.stderr)
    with Progress(*columns, console=console, transient=True, auto_refresh=False) as progress:
        yield Bar(progress, [size_of(path) for path in paths])
