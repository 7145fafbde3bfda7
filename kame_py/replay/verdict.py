# SPDX-License-Identifier: BSD-3-Clause
"""One verdict for every packet of a capture, told in the order of the capture.

No KAME counterpart. A packet that is held (reassembly, address resolution) keeps the verdicts
behind it waiting; a waiting verdict costs two small integers, and nothing waits when nobody wants
the list.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Final, NamedTuple

from kame_py.kern.mbuf import Fate

if TYPE_CHECKING:
    from kame_py.kern.drop import DropReason
    from kame_py.kern.mbuf import Mbuf

OWN: Final = "own"
#: The six ways a captured packet can end, in the order reports show them.
FATES: Final = (
    Fate.DELIVERED.value,
    Fate.FORWARDED.value,
    Fate.CONSUMED.value,
    Fate.HELD.value,
    OWN,
    Fate.DROPPED.value,
)
_NS_DIGITS: Final = 9
_NS: Final = 10**_NS_DIGITS


class Verdict(NamedTuple):
    """How packet ``n`` (from 1) ended; ``reason`` names the drop, None for other fates."""

    n: int
    t_ns: int
    fate: str
    reason: str | None

    def json_line(self) -> str:
        """One line of JSON. The time is seconds with nine digits, exact as a decimal number."""
        reason = "null" if self.reason is None else f'"{self.reason}"'
        t = seconds_text(self.t_ns)
        return f'{{"n": {self.n}, "t": {t}, "fate": "{self.fate}", "reason": {reason}}}\n'


def seconds_text(t_ns: int) -> str:
    """Nanoseconds as seconds, every digit kept."""
    sign = "-" if t_ns < 0 else ""
    whole, rest = divmod(abs(t_ns), _NS)
    return f"{sign}{whole}.{rest:0{_NS_DIGITS}}"


VerdictSink = Callable[[Verdict], None]
#: How a packet ended, and the name of the drop.
Key = tuple[str, "str | None"]
_PENDING: Final = 0
_LEFT_OUT: Final = -1


class VerdictLog:
    """Counts the verdicts of packets 1, 2, 3 ... and tells them in that order.

    ``arrive`` each packet, then ``settle`` it once: at once or whenever its fate is known; or
    ``leave_out`` a packet: it has its number and no verdict. packets: those that arrived.
    """

    def __init__(self, sink: VerdictSink | None = None) -> None:
        self.packets = 0
        self.left_out = 0
        self._sink = sink
        self._keys: list[Key] = [(Fate.HELD.value, None)]
        self._codes: dict[Key, int] = {}
        self._counts = [0]
        self._open: set[int] = set()
        self._late: dict[int, int] = {}  # settled behind an open packet, by n
        self._waiting: deque[int] = deque()  # stamps; the first belongs to packet _first
        self._first = 1

    def arrive(self, t_ns: int) -> int:
        """The number of the next packet."""
        self.packets += 1
        n = self.packets + self.left_out
        self._open.add(n)
        if self._sink is not None:
            self._waiting.append(t_ns)
        return n

    def leave_out(self, t_ns: int) -> None:
        """The next packet is not played."""
        self.left_out += 1
        if self._sink is not None:
            n = self.packets + self.left_out
            self._waiting.append(t_ns)
            self._late[n] = _LEFT_OUT
            if n == self._first:
                self._tell(self._sink)

    def settle(self, n: int, fate: str, reason: str | None = None) -> None:
        """Packet ``n`` ends. KeyError for a packet that has a verdict already: a bug."""
        self._open.remove(n)
        code = self._code((fate, reason))
        self._counts[code] += 1
        if self._sink is not None:
            self._late[n] = code
            if n == self._first:
                self._tell(self._sink)

    def ran(self, counts: Iterable[tuple[Key, int]], each: Iterable[tuple[int, Key]]) -> None:
        """The next packets came and ended: so many of each kind; stamp and end of each in order.

        ``each`` is looked at only where somebody wants the list.
        """
        n = self.packets + self.left_out
        for key, count in counts:
            self._counts[self._code(key)] += count
            self.packets += count
        if self._sink is None:
            return
        for t_ns, key in each:
            n += 1
            self._waiting.append(t_ns)
            self._late[n] = self._code(key)
        if self._first in self._late:
            self._tell(self._sink)

    def is_open(self, n: int) -> bool:
        """Packet ``n`` has no verdict yet."""
        return n in self._open

    def finish(self) -> None:
        """The run is over: what is still open is held."""
        for n in sorted(self._open):
            self.settle(n, Fate.HELD.value)

    def fates(self) -> dict[str, int]:
        """Packets by fate, all six, zeros included."""
        out = dict.fromkeys(FATES, 0)
        for (fate, _), count in zip(self._keys, self._counts, strict=True):
            out[fate] += count
        return out

    def drops(self) -> dict[str, int]:
        """Dropped packets by reason, by name."""
        found = zip(self._keys, self._counts, strict=True)
        return {reason: count for (_, reason), count in sorted(found, key=_by_reason) if reason}

    def _code(self, key: Key) -> int:
        code = self._codes.get(key)
        if code is None:
            code = self._codes[key] = len(self._keys)
            self._keys.append(key)
            self._counts.append(0)
        return code

    def _tell(self, sink: VerdictSink) -> None:
        while self._waiting:
            code = self._late.pop(self._first, _PENDING)
            if code == _PENDING:
                return
            t_ns = self._waiting.popleft()
            if code != _LEFT_OUT:
                sink(Verdict(self._first, t_ns, *self._keys[code]))
            self._first += 1


def _by_reason(item: tuple[Key, int]) -> str:
    return item[0][1] or ""


def verdict_of(m: Mbuf) -> Key:
    """(fate, reason name) of a packet that has ended.

    A captured packet that the kernel turned round and sent is one that it answered.
    """
    fate, reason = m.fate, m.reason
    if fate is Fate.DROPPED:
        return fate.value, _name(reason)
    if fate is Fate.TRANSMITTED:
        return Fate.CONSUMED.value, None
    assert fate is not None
    return fate.value, None


def _name(reason: DropReason | None) -> str:
    assert reason is not None
    return reason.name
