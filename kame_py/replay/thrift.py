# SPDX-License-Identifier: BSD-3-Clause
"""When a replay leaves the vector path alone for a while, since it does not pay.

No KAME counterpart. A packet that is looked at in a batch and goes the slow way after all costs
about as much more as one that stays in the batch saves. Nothing here asks a clock: the same capture
is always played in the same way.
"""

from __future__ import annotations

from collections import deque
from typing import Final

WINDOW: Final = 4  # batches that are looked back on
PAUSE_MIN: Final = 8  # batches until the next attempt, twice as many after each that fails
PAUSE_MAX: Final = 64


class Thrift:
    """Asked ahead of each batch, told what came of it. eager: no batch goes one by one."""

    def __init__(self, eager: bool = False) -> None:
        self._eager = eager
        self._gains: deque[int] = deque(maxlen=WINDOW)
        self._enough = WINDOW  # of batches, to judge by
        self._left = 0
        self._pause = PAUSE_MIN

    def rests(self) -> bool:
        """Whether the next batch goes one by one."""
        if self._left == 0:
            return False
        self._left -= 1
        return True

    def gained(self, packets: int) -> None:
        """A batch is done: packets that it saved time with, less those that it cost time with."""
        self._gains.append(packets)
        if self._eager or len(self._gains) < self._enough:
            return
        if sum(self._gains) >= 0:
            self._enough, self._pause = WINDOW, PAUSE_MIN
            return
        self._gains.clear()
        self._enough = 1  # one batch shows whether it was worth the attempt
        self._left = self._pause
        self._pause = min(2 * self._pause, PAUSE_MAX)
