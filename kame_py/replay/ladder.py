# SPDX-License-Identifier: BSD-3-Clause
"""The signalling of a run in its order: who told whom what, and what became of it.

No KAME counterpart. A capture may hold millions of messages: the first and the last ones are kept,
and how many lie between.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

from kame_py.kern.mbuf import Fate, Mbuf
from kame_py.replay.signal import RA, Signal

HEAD: Final = 120
TAIL: Final = 80
LANES: Final = 8  # who speaks beyond that shares the last lane
OTHERS: Final = "others"
FORGOTTEN: Final = 3  # advertisements of others until a router is new again
_Advert = tuple[bytes, str]

GOOD: Final = "good"
BAD: Final = "bad"
PLAIN: Final = "plain"


@dataclass(slots=True)
class Message:
    """One arrow. dst: lanes that it reached or was meant to reach. m: what a kernel made of it.

    end: what became of it where no kernel got it. number: of the captured packet.
    """

    t_ns: int
    src: str
    dst: list[str]
    signal: Signal
    m: Mbuf | None = None
    end: str = ""
    number: int | None = None

    def verdict(self) -> str:
        """What became of it, in a word or two."""
        if self.m is None:
            return self.end
        if self.m.reason is not None:
            return f"dropped: {self.m.reason.name}"
        answered = self.m.fate is None or self.m.fate is Fate.TRANSMITTED
        word: str = (Fate.CONSUMED if answered or self.m.fate is None else self.m.fate).value
        return word

    def why(self) -> str:
        """The sentence behind the reason of a drop."""
        return self.m.reason.text if self.m is not None and self.m.reason is not None else ""

    def tone(self) -> str:
        """GOOD, BAD or PLAIN: what became of it, or what it says."""
        if self.signal.refused or self.end.startswith("lost"):
            return BAD
        if self.m is None:
            return PLAIN
        return BAD if self.m.fate is Fate.DROPPED else GOOD


@dataclass(slots=True)
class Ladder:
    """Messages and the lanes between which they run, in the order of their appearance."""

    lanes: dict[str, str] = field(default_factory=dict)  # key -> what stands at its head
    left_out: int = 0
    _head: list[Message] = field(default_factory=list)
    _tail: deque[Message] = field(default_factory=deque)
    _routers: dict[str, dict[_Advert, int]] = field(default_factory=dict)  # by listener

    def __iter__(self) -> Iterator[Message]:
        yield from self._head
        yield from self._tail

    def __len__(self) -> int:
        return len(self._head) + len(self._tail)

    @property
    def gap_after(self) -> int:
        """How many messages stand before the gap."""
        return len(self._head)

    def lane(self, key: str, title: str) -> str:
        """The lane of a speaker; those that come too late share one."""
        if key in self.lanes:
            return key
        if len(self.lanes) >= LANES:
            self.lanes.setdefault(OTHERS, OTHERS)
            return OTHERS
        self.lanes[key] = title
        return key

    def news(self, signal: Signal, listener: str) -> bool:
        """Whether it is worth an arrow: of router advertisements only those of new routers.

        A router is new again when others were heard several times since, and after ``asks``.
        """
        if signal.kind != RA:
            return True
        heard = (signal.src, signal.text)
        known = self._routers.setdefault(listener, {})
        new = heard not in known
        for other in [key for key in known if key != heard]:
            known[other] += 1
            if known[other] > FORGOTTEN:
                del known[other]
        known[heard] = 0
        return new

    def asks(self, listener: str) -> None:
        """Somebody solicits routers: what they answer is worth an arrow."""
        self._routers.pop(listener, None)

    def prune(self, keep: Callable[[Message], bool]) -> None:
        """Leave out what is not worth an arrow after all, and the lanes of those who are silent."""
        self._head = [message for message in self._head if keep(message)]
        self._tail = deque(message for message in self._tail if keep(message))
        speak = {key for message in self for key in (message.src, *message.dst)}
        self.lanes = {key: title for key, title in self.lanes.items() if key in speak}

    def add(self, message: Message) -> None:
        """One more message."""
        if len(self._head) < HEAD:
            self._head.append(message)
            return
        self._tail.append(message)
        if len(self._tail) > TAIL:
            self._tail.popleft()
            self.left_out += 1
