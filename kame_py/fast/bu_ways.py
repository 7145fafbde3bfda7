# SPDX-License-Identifier: BSD-3-Clause
"""By which neighbour acknowledgements leave, remembered for whole prefixes.

KAME counterpart: ip6_output's look-up of a route, as lower.py answers it. Care-of addresses are new
all the time, their links are not: where no route is longer than 64 bits, the answer for one address
is that for its link.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kame_py.fast import layout

if TYPE_CHECKING:
    from kame_py.fast.lower import Lowered

LINK: Final = 8  # octets of an address that name its link
_BITS: Final = 64


class Ways:
    """known: number of the adjacency by the first LINK octets of an address, where there is one."""

    def __init__(self, low: Lowered, octets: int) -> None:
        self._low = low
        self._octets = octets  # of the largest packet
        self.known: dict[bytes, int] = {}
        self._used: set[int] = set()
        self._split: set[bytes] = set()
        self._hops: object = None
        self._gen = -1

    def catch_up(self) -> None:
        """Forget what may have changed; ``low`` has caught up."""
        low, gen = self._low, self._low.kern.rt.gen
        if low.hops is self._hops and gen == self._gen and all(map(self._good, self._used)):
            return
        if gen != self._gen:
            self._split = {rt.rt_key[:LINK] for rt in low.kern.rt if rt.rt_plen > _BITS}
        self._hops, self._gen = low.hops, gen
        self.known.clear()
        self._used.clear()

    def _good(self, j: int) -> bool:
        adj = self._low.adj[j]
        return bool(adj[layout.J_STATE] == layout.J_GOOD) and adj[layout.J_TUNNEL_MAX] >= (
            self._octets
        )

    def find(self, dst: bytes) -> int:
        """Number of the adjacency towards ``dst``; -1: sending there is for the slow path."""
        j = self._low._hop(dst) - 1
        if j < 0 or not self._good(j):
            return -1
        self._used.add(j)
        if dst[:LINK] not in self._split:
            self.known[dst[:LINK]] = j
        return j
