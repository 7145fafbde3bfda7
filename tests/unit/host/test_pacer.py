# SPDX-License-Identifier: BSD-3-Clause
"""Real time: the next look is always planned, however far its event and whatever happened."""

from __future__ import annotations

from asyncio import AbstractEventLoop
from collections.abc import Callable
from typing import cast

import pytest

from kame_py.host.pacer import RealTime, VirtualTime
from kame_py.lab.world import World

DAY_S = 86_400


class Loop:
    """Remembers what it is asked to do."""

    def __init__(self) -> None:
        self.later: list[float] = []
        self.soon: list[Callable[[], None]] = []

    def call_later(self, delay: float, fn: Callable[[], None]) -> Loop:
        self.later.append(delay)
        return self

    def call_soon(self, fn: Callable[[], None]) -> None:
        self.soon.append(fn)

    def cancel(self) -> None:
        """The handle of a timer."""


def fail() -> None:
    raise RuntimeError("an event fails")


def test_an_event_beyond_all_days_is_looked_for_every_day() -> None:
    world, loop = World(), Loop()
    world.schedule(10**400, fail)
    RealTime(world, cast(AbstractEventLoop, loop)).start()
    assert loop.later == [DAY_S]


def test_an_event_that_fails_is_not_the_last_one() -> None:
    world, loop = World(), Loop()
    pacer = RealTime(world, cast(AbstractEventLoop, loop))
    world.schedule(0, fail)
    world.schedule(3_600 * 10**9, fail)
    with pytest.raises(RuntimeError):
        pacer.start()
    assert len(loop.later) == 1 and loop.later[0] <= 3_600


def test_virtual_time_goes_on_after_an_event_that_fails() -> None:
    world, loop = World(), Loop()
    pacer = VirtualTime(world, cast(AbstractEventLoop, loop), lambda: True)
    world.schedule(10, fail)
    world.schedule(20, print)
    pacer.start()
    with pytest.raises(RuntimeError):
        loop.soon.pop()()
    assert len(loop.soon) == 1
