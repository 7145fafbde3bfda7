# SPDX-License-Identifier: BSD-3-Clause
"""What changed in the tables that decide where a packet goes.

No KAME counterpart. Whoever keeps a copy of these tables in another form (the vector path) reads
here which of it is old. A change is noted where it is made; when nobody keeps a copy that costs one
addition. Read with net/route.py, netinet6/nd6_llinfo.py, mip6/mip6_bc.py.
"""

from __future__ import annotations

from typing import Final

KEYS_MAX: Final = 4096  # addresses remembered; with more, everything counts as changed


class Changes:
    """One kernel's. gen: counts all changes. whole: counts those that may concern any address.

    keys: addresses (kernel form) about which something changed since ``take``; None: nobody asks.
    """

    __slots__ = ("gen", "keys", "whole")

    def __init__(self) -> None:
        self.gen = 0
        self.whole = 0
        self.keys: list[bytes] | None = None

    def note(self, addr: bytes) -> None:
        """A host route, neighbour or binding of this address came, changed or went."""
        self.gen += 1
        if self.keys is not None:
            if len(self.keys) < KEYS_MAX:
                self.keys.append(addr)
            else:
                self.whole += 1

    def note_many(self, addrs: list[bytes]) -> None:
        """``note`` for each of them."""
        self.gen += len(addrs)
        if self.keys is None:
            return
        room = KEYS_MAX - len(self.keys)
        self.keys += addrs[:room]
        self.whole += max(len(addrs) - room, 0)

    def note_all(self) -> None:
        """A prefix route or an own address came, changed or went."""
        self.gen += 1
        self.whole += 1

    def take(self) -> list[bytes]:
        """The addresses noted since the last call; from the first call on they are kept."""
        keys, self.keys = self.keys, []
        return keys or []
