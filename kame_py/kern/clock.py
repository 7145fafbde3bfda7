# SPDX-License-Identifier: BSD-3-Clause
"""Where a kernel reads the time.

A kernel never asks the operating system: it is handed a clock. Monotonic time drives
callouts; real time is only what `date`, logs and dumps show.
"""

from __future__ import annotations

from typing import Final, Protocol

NS: Final = 1_000_000_000  # nanoseconds in a second
MS: Final = 1_000_000  # nanoseconds in a millisecond
#: Virtual worlds begin at 2002-01-31 00:00:00 UTC, the day of the KAME snapshot.
EPOCH_2002_NS: Final = 1_012_435_200 * NS


class Clock(Protocol):
    """A monotonic clock in nanoseconds, with its offset to real time."""

    def now(self) -> int:
        """Nanoseconds on the monotonic scale."""
        ...

    def realtime(self) -> int:
        """Nanoseconds since 1970-01-01 UTC."""
        ...


class VirtualClock:
    """A clock that moves only when it is told to.

    One object may serve many kernels: a lab sets ``t`` before it touches any of them.
    """

    __slots__ = ("epoch_ns", "t")

    def __init__(self, t: int = 0, epoch_ns: int = EPOCH_2002_NS) -> None:
        self.t = t
        self.epoch_ns = epoch_ns

    def now(self) -> int:
        return self.t

    def realtime(self) -> int:
        return self.epoch_ns + self.t


def tick_ceil(t: int, tick_ns: int = NS) -> int:
    """Round ``t`` up to the next multiple of KAME's sweep period."""
    return -(-t // tick_ns) * tick_ns
