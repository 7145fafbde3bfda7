# SPDX-License-Identifier: BSD-3-Clause
"""Timers of one kernel: kern_timeout.c's callouts as a heap of deadlines.

Cancelled lazily: a stopped callout stays in the heap until its time, which measured faster
than an ordered store; when the heap has doubled, those that were stopped are swept out, so that
timers of years that are set and stopped do not pile up. Equal deadlines run in the order they were
set.
"""

from __future__ import annotations

from collections.abc import Callable
from heapq import heapify, heappop, heappush
from typing import Final

SWEEP_MIN: Final = 1024  # a heap up to that size is never swept


class Callout:
    """A pending call; ``stop()`` cancels it, ``pending`` tells whether it still will run."""

    __slots__ = ("args", "deadline", "fn")

    def __init__(self, deadline: int, fn: Callable[..., object], args: tuple[object, ...]) -> None:
        self.deadline = deadline
        self.fn: Callable[..., object] | None = fn
        self.args = args

    @property
    def pending(self) -> bool:
        return self.fn is not None

    def stop(self) -> None:
        self.fn = None
        self.args = ()


class CalloutQueue:
    """The heap of one kernel."""

    __slots__ = ("_heap", "_seq", "_sweep_at")

    def __init__(self) -> None:
        self._heap: list[tuple[int, int, Callout]] = []
        self._seq = 0
        self._sweep_at = SWEEP_MIN

    def at(self, deadline: int, fn: Callable[..., object], *args: object) -> Callout:
        """Call ``fn(*args)`` once the clock reaches ``deadline`` (absolute, ns)."""
        c = Callout(deadline, fn, args)
        self._seq = seq = self._seq + 1
        heap = self._heap
        heappush(heap, (deadline, seq, c))
        if len(heap) > self._sweep_at:
            self._sweep()
        return c

    def _sweep(self) -> None:
        self._heap[:] = [entry for entry in self._heap if entry[2].fn is not None]
        heapify(self._heap)
        self._sweep_at = max(SWEEP_MIN, 2 * len(self._heap))

    def __len__(self) -> int:
        """Entries of the heap, stopped ones included."""
        return len(self._heap)

    def next_deadline(self) -> int | None:
        """The earliest pending deadline in ns, or None."""
        heap = self._heap
        while heap and heap[0][2].fn is None:
            heappop(heap)
        return heap[0][0] if heap else None

    def run(self, now: int) -> int:
        """Run all that is due at ``now``; returns how many ran.

        What a callout sets for ``now`` or earlier runs in the same call.
        """
        heap = self._heap
        ran = 0
        while heap and heap[0][0] <= now:
            c = heappop(heap)[2]
            fn = c.fn
            if fn is None:
                continue
            args = c.args
            c.fn = None
            fn(*args)
            ran += 1
        return ran
