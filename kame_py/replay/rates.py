# SPDX-License-Identifier: BSD-3-Clause
"""How many packets of each kind fell into each stretch of time, whatever the length of the whole.

No KAME counterpart. The stretches begin short and grow as time goes on, so that a capture of a
millisecond and one of a year both have a picture of the same size, and memory is bounded.
"""

from __future__ import annotations

from itertools import zip_longest
from typing import Final

FIRST_NS: Final = 1000  # the shortest stretch
SLOTS: Final = 200  # more of them are added up
_GROWTH: Final = (2, 5)  # so the widths are 1, 2, 10, 20, 100 ...


class Rates:
    """Counts by kind and time. width_ns: of one stretch; the first one begins at start_ns."""

    def __init__(self) -> None:
        self.start_ns: int | None = None
        self.width_ns = FIRST_NS
        self.slots: dict[str, list[int]] = {}
        self._grown = 0

    def add(self, t_ns: int, kind: str, count: int = 1) -> None:
        """Packets at a time; what lies before the first counts as being there."""
        if self.start_ns is None:
            self.start_ns = t_ns
        slot = max(t_ns - self.start_ns, 0) // self.width_ns
        while slot >= SLOTS:
            self._grow()
            slot = max(t_ns - self.start_ns, 0) // self.width_ns
        row = self.slots.setdefault(kind, [])
        if slot >= len(row):
            row.extend([0] * (slot + 1 - len(row)))
        row[slot] += count

    def _grow(self) -> None:
        factor = _GROWTH[self._grown % len(_GROWTH)]
        self._grown += 1
        self.width_ns *= factor
        for kind, row in self.slots.items():
            self.slots[kind] = [
                sum(row[start : start + factor]) for start in range(0, len(row), factor)
            ]

    def totals(self) -> list[int]:
        """Packets of all kinds in each stretch."""
        return [sum(column) for column in zip_longest(*self.slots.values(), fillvalue=0)]
