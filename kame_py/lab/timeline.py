# SPDX-License-Identifier: BSD-3-Clause
"""What happened in a lab, as a story: commands, links, log lines, addresses, expectations.

No KAME counterpart. Entries go to a sink as they happen. Long outputs are cut: a ping of an hour
is told by its first lines and its summary.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Final, NamedTuple

from kame_py.kern.log import LOG_NOTICE, LogLine
from kame_py.net.if_ import IFF_LOOPBACK
from kame_py.netinet6.in6_var import (
    IN6_IFF_ANYCAST,
    IN6_IFF_AUTOCONF,
    IN6_IFF_DEPRECATED,
    IN6_IFF_DETACHED,
    IN6_IFF_DUPLICATED,
    IN6_IFF_HOME,
    IN6_IFF_TENTATIVE,
)
from kame_py.netinet6.scope6 import in6_clearscope
from kame_py.wire.in6addr import ntop

if TYPE_CHECKING:
    from kame_py.lab.node import Node

RUN: Final = "run"  # a command was started
OUT: Final = "out"  # a line that it printed
LINK: Final = "link"  # cut, restore, move, impair
LOG: Final = "log"  # a line of the kernel's or a daemon's log
ADDR: Final = "addr"  # an address came, went or changed
EXPECT: Final = "expect"
FAIL: Final = "fail"

HEAD_LINES: Final = 8  # of a command's output
TAIL_LINES: Final = 3

#: What daemons put in front of their log lines.
_LOG_FUNCTION: Final = re.compile(r"\A<\w+> ")

_STATES: Final = (
    (IN6_IFF_TENTATIVE, "tentative"),
    (IN6_IFF_DUPLICATED, "duplicated"),
    (IN6_IFF_DETACHED, "detached"),
    (IN6_IFF_DEPRECATED, "deprecated"),
)
_KINDS: Final = (
    (IN6_IFF_AUTOCONF, "autoconf"),
    (IN6_IFF_ANYCAST, "anycast"),
    (IN6_IFF_HOME, "home"),
)


class Entry(NamedTuple):
    """node: "" for what concerns a link."""

    t_ns: int
    node: str
    kind: str
    text: str


Sink = Callable[[Entry], None]


class Timeline:
    """Hears of everything and tells the sink what a reader wants to know."""

    def __init__(self, now: Callable[[], int], sink: Sink) -> None:
        self._now = now
        self._sink = sink
        self._addrs: dict[str, dict[tuple[str, bytes], int]] = {}
        self._logged: dict[
            str, tuple[int, str]
        ] = {}  # node -> last log line, as a daemon copies it

    def tell(self, node: str, kind: str, text: str) -> None:
        self._sink(Entry(self._now(), node, kind, text))

    def watch(self, node: Node) -> None:
        """Hear of the node's log and addresses."""
        node.kernel.log.sink = lambda line: self._log(node.name, line)
        node.on_kick = self._look
        self._addrs[node.name] = dict(_addresses(node))

    def _log(self, node: str, line: LogLine) -> None:
        if line.priority <= LOG_NOTICE:
            self.tell(node, LOG, f"{line.ident}: {line.text}")
            program = line.ident.partition("[")[0]
            text = _LOG_FUNCTION.sub("", line.text)
            self._logged[node] = (self._now(), f"{program}: {text}")

    def output(self, node: str, text: str) -> None:
        """Tell a line that a command printed, unless it is the copy of what it just logged."""
        if self._logged.get(node) != (self._now(), text):
            self.tell(node, OUT, text)

    def _look(self, node: Node) -> None:
        """Tell which addresses came, changed or went since the last look."""
        before = self._addrs[node.name]
        after = dict(_addresses(node))
        if after == before:
            return
        self._addrs[node.name] = after
        for key, flags in after.items():
            if before.get(key) != flags:
                self.tell(node.name, ADDR, _change(key, before.get(key), flags))
        for key in before:
            if key not in after:
                self.tell(node.name, ADDR, f"{key[0]}: {_text(key[1])} removed")


def _addresses(node: Node) -> Iterator[tuple[tuple[str, bytes], int]]:
    for ifp in node.kernel.ifnets:
        if not ifp.if_flags & IFF_LOOPBACK:
            for ia in ifp.in6_addrs:
                yield (ifp.if_name, ia.ia_addr), ia.ia6_flags


def _text(addr: bytes) -> str:
    return ntop(in6_clearscope(addr))


def _change(key: tuple[str, bytes], before: int | None, flags: int) -> str:
    kind = "".join(f" {word}" for bit, word in _KINDS if flags & bit)
    states = " ".join(word for bit, word in _STATES if flags & bit) or "usable"
    verb = "new, " if before is None else "now "
    return f"{key[0]}: {_text(key[1])}{kind} {verb}{states}"


class OutputTeller:
    """Tells one command's output line by line: its first lines, then only its last ones."""

    def __init__(self, timeline: Timeline, node: str) -> None:
        self._timeline = timeline
        self._node = node
        self._partial = ""
        self._told = 0
        self._held: deque[str] = deque(maxlen=TAIL_LINES + 1)
        self._left_out = 0

    def write(self, text: str) -> None:
        """More output; lines need not be whole."""
        *lines, self._partial = (self._partial + text).split("\n")
        for line in lines:
            self._line(line)

    def _line(self, line: str) -> None:
        if self._told < HEAD_LINES:
            self._told += 1
            self._timeline.output(self._node, line)
            return
        if len(self._held) == self._held.maxlen:
            self._left_out += 1
        self._held.append(line)

    def end(self) -> None:
        """The command has ended."""
        if self._partial:
            self._line(self._partial)
            self._partial = ""
        if self._left_out:  # one line alone is told, not left out
            self._held.popleft()
            self._timeline.tell(self._node, OUT, f"... {self._left_out + 1} more lines ...")
            self._left_out = 0
        while self._held:
            self._timeline.tell(self._node, OUT, self._held.popleft())
