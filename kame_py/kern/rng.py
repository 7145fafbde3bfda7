# SPDX-License-Identifier: BSD-3-Clause
"""Named, reproducible random streams.

Each (seed, node, stream) has its own SplitMix64 sequence, so that a node added to a lab does
not change what the others draw. Not for keys: security material comes from the host.
"""

from __future__ import annotations

import hashlib
from typing import Final

_MASK: Final = (1 << 64) - 1


class Stream:
    """One SplitMix64 sequence."""

    __slots__ = ("_s",)

    def __init__(self, state: int) -> None:
        self._s = state & _MASK

    def u64(self) -> int:
        self._s = (self._s + 0x9E3779B97F4A7C15) & _MASK
        z = self._s
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _MASK
        return z ^ (z >> 31)

    def below(self, n: int) -> int:
        """An integer in [0, n); 0 when n < 1."""
        return self.u64() % n if n > 1 else 0

    def between(self, lo: int, hi: int) -> int:
        """An integer in [lo, hi]."""
        return lo + self.below(hi - lo + 1)

    def chance(self, p: float) -> bool:
        """True with probability p."""
        return p > 0 and self.u64() < p * 2.0**64

    def bytes(self, n: int) -> bytes:
        return b"".join(self.u64().to_bytes(8, "big") for _ in range(-(-n // 8)))[:n]


class Rng:
    """All streams of one node: ``rng.stream("nd6.dad")``."""

    __slots__ = ("_name", "_seed", "_streams")

    def __init__(self, seed: int = 0, name: str = "") -> None:
        self._seed = seed
        self._name = name
        self._streams: dict[str, Stream] = {}

    def stream(self, name: str) -> Stream:
        """The stream of that name, made at its first use."""
        s = self._streams.get(name)
        if s is None:
            key = f"{self._seed}/{self._name}/{name}".encode()
            s = Stream(int.from_bytes(hashlib.sha256(key).digest()[:8], "big"))
            self._streams[name] = s
        return s
