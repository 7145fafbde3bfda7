# SPDX-License-Identifier: BSD-3-Clause
"""When a replay leaves the vector path alone for a while, since it does not pay.

No KAME counterpart. A packet that is looked at in a batch and goes the slow way after all costs
about as much more as one that stays in the batch saves. Nothing here asks a clock: the same capture
is always played in the same way.
"""

from __future__ import annotations

from collections import deque
from typing import Final

from kame_py.fast.batch import BATCH

BLOCK: Final = BATCH  # packets that are judged together
WINDOW: Final = 4  # blocks that are looked back on
PAUSE_MIN: Final = 8  # blocks until the next attempt, twice as many after each that fails
PAUSE_MAX: Final = 64


class Thrift:
    """Told of each batch; none reaches from one block into another. rests: not in batches now.

    eager: it never rests.
    """

    def __init__(self, eager: bool = False) -> None:
        self.rests = False
        self._eager = eager
        self._gain = 0  # of this block
        self._gains: deque[int] = deque(maxlen=WINDOW)
        self._enough = WINDOW  # blocks to judge by
        self._left = 0  # blocks to rest for
        self._pause = PAUSE_MIN

    def done(self, last: int, gain: int) -> None:
        """A batch up to packet ``last`` is done: it saved time with so many, less those it cost."""
        self._gain += gain
        if last % BLOCK:
            return
        gain, self._gain = self._gain, 0
        if self.rests:
            self._left -= 1
            self.rests = self._left > 0
        elif not self._eager:
            self._gains.append(gain)
            self._judge()

    def _judge(self) -> None:
        if len(self._gains) < self._enough:
            return
        if sum(self._gains) >= 0:
            self._enough, self._pause = WINDOW, PAUSE_MIN
            return
        self._gains.clear()
        self._enough = 1  # one block shows whether it was worth the attempt
        self.rests, self._left = True, self._pause
        self._pause = min(2 * self._pause, PAUSE_MAX)
