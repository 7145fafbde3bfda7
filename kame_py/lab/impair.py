# SPDX-License-Identifier: BSD-3-Clause
"""What a link does to frames: delay, jitter, loss, duplication, reordering, corruption, rate.

No KAME counterpart. Each kind of harm draws from a stream of its own, named after the link, so
that the same seed gives the same harm and switching one kind on leaves the others as they were.
A frame is harmed once for all of its receivers: one more station on the link changes nothing for
the others. Jitter keeps frames in order; only `reorder` lets a frame fall behind.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

from kame_py.kern.clock import MS, NS
from kame_py.kern.rng import Rng
from kame_py.wire.codecs import EtherHeader
from kame_py.wire.patch import put_u8, u8

REORDER_EXTRA_NS: Final = 20 * MS  # how far a reordered frame falls behind
IFQ_MAXLEN: Final = 50  # frames that wait for a slow link, as in a BSD interface queue
_BITS_PER_OCTET: Final = 8


@dataclass(frozen=True, slots=True)
class Impairment:
    """The behaviour of a link. Probabilities 0 to 1; jitter_ns is the most added to the delay.

    ValueError for what no link can do.
    """

    delay_ns: int = 0
    jitter_ns: int = 0
    loss: float = 0.0
    duplicate: float = 0.0
    reorder: float = 0.0
    corrupt: float = 0.0
    rate_bps: int | None = None

    def __post_init__(self) -> None:
        for name in ("loss", "duplicate", "reorder", "corrupt"):
            p = getattr(self, name)
            if not 0 <= p <= 1:
                raise ValueError(f"{name} is {p}, not a probability from 0 to 1")
        if self.delay_ns < 0 or self.jitter_ns < 0:
            raise ValueError("delay_ns and jitter_ns are times of 0 or more")
        if self.rate_bps is not None and self.rate_bps <= 0:
            raise ValueError(f"rate_bps is {self.rate_bps}, not a rate")

    @property
    def plain(self) -> bool:
        """Nothing but a fixed delay."""
        return self == Impairment(delay_ns=self.delay_ns)


class Copy(NamedTuple):
    """One frame that comes out at the far end, and when (ns)."""

    t_ns: int
    frame: bytes


class Harm(NamedTuple):
    """What becomes of one frame: the copies that arrive, and in words what was done to it."""

    copies: tuple[Copy, ...]
    note: str = ""


class Impairer:
    """The impairment of one link, with its random streams and its queue."""

    __slots__ = ("_busy_ns", "_last_ns", "_queue", "_rng", "plain", "value")

    def __init__(self, link: str, seed: int, value: Impairment) -> None:
        self._rng = Rng(seed, f"link {link}")
        self._last_ns = 0  # arrival of the latest frame that was not reordered
        self._busy_ns = 0  # when the medium is free again
        self._queue: deque[int] = deque()  # when each frame that waits will have left
        self.value = value
        self.plain = value.plain

    def change(self, **what: float | int | None) -> None:
        """Replace the members of ``value`` that are given."""
        self.value = replace(self.value, **what)  # type: ignore[arg-type]  # members by name
        self.plain = False  # frames on their way must not be overtaken

    def pass_frame(self, now: int, frame: bytes) -> Harm:
        """Decide on one frame sent at ``now``."""
        v = self.value
        start = now if v.rate_bps is None else self._serialize(now, frame, v.rate_bps)
        if start is None:
            return Harm((), "queue of the link is full")
        if self._chance("loss", v.loss):
            return Harm((), "lost on the link")
        notes: list[str] = []
        if self._chance("corrupt", v.corrupt):
            frame, bit = self._flip(frame)
            notes.append(f"bit {bit} flipped on the link")
        copies = [Copy(self._arrival(start, notes), frame)]
        if self._chance("duplicate", v.duplicate):
            notes.append("duplicated on the link")
            copies.append(copies[0])
        return Harm(tuple(copies), ", ".join(notes))

    def _chance(self, kind: str, p: float) -> bool:
        return p > 0 and self._rng.stream(kind).chance(p)

    def _serialize(self, now: int, frame: bytes, rate_bps: int) -> int | None:
        """When the frame has left the sender, or None when too many wait already."""
        queue = self._queue
        while queue and queue[0] <= now:
            queue.popleft()
        if len(queue) > IFQ_MAXLEN:
            return None
        bits = len(frame) * _BITS_PER_OCTET
        self._busy_ns = max(now, self._busy_ns) + bits * NS // rate_bps
        queue.append(self._busy_ns)
        return self._busy_ns

    def _flip(self, frame: bytes) -> tuple[bytes, int]:
        """One bit behind the Ethernet header: a bad header would only be a lost frame."""
        stream = self._rng.stream("bit")
        body = len(frame) - EtherHeader.SIZE
        if body <= 0:
            return frame, 0
        at = EtherHeader.SIZE + stream.below(body)
        bit = stream.below(_BITS_PER_OCTET)
        return put_u8(frame, at, u8(frame, at) ^ (1 << bit)), at * _BITS_PER_OCTET + bit

    def _arrival(self, start: int, notes: list[str]) -> int:
        v = self.value
        t = start + v.delay_ns
        if v.jitter_ns:
            t += self._rng.stream("jitter").between(0, v.jitter_ns)
        t = max(t, self._last_ns)
        if self._chance("reorder", v.reorder):
            notes.append("reordered on the link")
            return t + REORDER_EXTRA_NS
        self._last_ns = t
        return t
