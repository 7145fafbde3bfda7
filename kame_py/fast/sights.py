# SPDX-License-Identifier: BSD-3-Clause
"""Look through batches of a capture for octets, and for what tells of an address.

No KAME counterpart. kame_py/replay/quick.py asks; the kernels are in sight_kernels.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from kame_py.fast import kernels
from kame_py.fast.batch import BATCH

if TYPE_CHECKING:
    from kame_py.fast.batch import I64, U8, Batch

KINDS: Final = 1024  # of packets that are told apart


def holds(arena: U8, start: int, end: int, text: bytes) -> bool:
    """Whether ``text``, three octets at least, is in ``arena[start:end]``."""
    return kernels.spot(arena, start, end, np.frombuffer(text, np.uint8)) >= 0


class Strangers:
    """Picks Ethernet frames that may tell something new about an address."""

    def __init__(self, addr: bytes) -> None:
        self._addr0, self._addr1 = np.frombuffer(addr, ">i8").tolist()
        self._known: I64 = np.full(2 * KINDS, -1, np.int64)
        self._picked: I64 = np.zeros(BATCH, np.int64)

    def pick(self, batch: Batch) -> list[int]:
        """Which of a batch of at most BATCH; each kind is picked once."""
        count = kernels.strangers(
            *(batch.arena, batch.off, batch.caplen, batch.n),
            *(self._addr0, self._addr1, self._known, self._picked),
        )
        found: list[int] = self._picked[:count].tolist()
        return found
