# SPDX-License-Identifier: BSD-3-Clause
"""A world in real time: its virtual clock follows the clock of the machine.

No KAME counterpart. Nothing in the world changes: before anything from outside touches it, it runs
its events up to now; afterwards the event loop is asked to come back at its next event. A machine
that falls behind loses no event, they run late and in order.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from kame_py.kern.clock import NS

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop, TimerHandle

    from kame_py.lab.world import World


WAIT_MAX_NS: Final = 86_400 * NS  # until it is looked again at the latest


class RealTime:
    """Virtual time is real time since ``start``."""

    def __init__(self, world: World, loop: AbstractEventLoop) -> None:
        self.world = world
        self._loop = loop
        self._began_ns = 0
        self._timer: TimerHandle | None = None
        self._planned_ns: int | None = None

    def start(self) -> None:
        """Time zero is now; dates are the machine's."""
        self.world.clock.epoch_ns = time.time_ns()
        self._began_ns = time.monotonic_ns()
        self.settle()

    def touch(self) -> None:
        """Catch up: to be called before anything from outside touches the world."""
        self.world.run_ns(time.monotonic_ns() - self._began_ns)

    def settle(self) -> None:
        """Run what is due, and plan the next look; to be called after the world was touched."""
        try:
            self.touch()
        finally:  # an event that fails must not be the last one
            self._plan()

    def _plan(self) -> None:
        planned = self.world.next_event_ns()
        if planned == self._planned_ns and self._timer is not None:
            return
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._planned_ns = planned
        if planned is not None:
            wait_ns = planned - (time.monotonic_ns() - self._began_ns)
            self._timer = self._loop.call_later(min(max(wait_ns, 0), WAIT_MAX_NS) / NS, self._due)

    def _due(self) -> None:
        self._timer = None
        self.settle()

    def stop(self) -> None:
        """Time stands still from now on."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


class VirtualTime:
    """Virtual time goes on while a program in the foreground waits for it, and not otherwise.

    ``hungry`` tells whether there is such a program.
    """

    def __init__(self, world: World, loop: AbstractEventLoop, hungry: Callable[[], bool]) -> None:
        self.world = world
        self._loop = loop
        self._hungry = hungry
        self._planned = False

    def start(self) -> None:
        self.settle()

    def touch(self) -> None:
        """Nothing: the time is the world's own."""

    def settle(self) -> None:
        """What is due now, then step by step until nobody waits."""
        self.world.run_ns(self.world.now())
        if not self._planned and self._hungry():
            self._planned = True
            self._loop.call_soon(self._step)

    def _step(self) -> None:
        self._planned = False
        due = self.world.next_event_ns()
        try:
            if due is not None and self._hungry():
                self.world.run_ns(due, lambda: not self._hungry())
        finally:
            self.settle()

    def stop(self) -> None:
        self._hungry = _nobody


def _nobody() -> bool:
    return False


Pacer = RealTime | VirtualTime
