# SPDX-License-Identifier: BSD-3-Clause
"""The kernel's message buffer: log(9), printf and syslog(3) of the node's programs.

``dmesg`` shows kernel lines; a lab's timeline and live nodes listen by ``sink``.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from kame_py.kern.clock import Clock

LOG_EMERG: Final = 0
LOG_ALERT: Final = 1
LOG_CRIT: Final = 2
LOG_ERR: Final = 3
LOG_WARNING: Final = 4
LOG_NOTICE: Final = 5
LOG_INFO: Final = 6
LOG_DEBUG: Final = 7
PRIORITIES: Final = ("emerg", "alert", "crit", "err", "warning", "notice", "info", "debug")
MSGBUF_LINES: Final = 4096


class LogLine(NamedTuple):
    """One line: real time in ns, syslog priority, program ("kernel" for the kernel), text."""

    t_ns: int
    priority: int
    ident: str
    text: str


class Log:
    """Bounded; the oldest line goes first."""

    __slots__ = ("_clock", "lines", "sink")

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.lines: deque[LogLine] = deque(maxlen=MSGBUF_LINES)
        self.sink: Callable[[LogLine], None] | None = None

    def log(self, priority: int, text: str, ident: str = "kernel") -> None:
        line = LogLine(self._clock.realtime(), priority, ident, text)
        self.lines.append(line)
        if self.sink is not None:
            self.sink(line)

    def dmesg(self) -> str:
        """What the kernel itself printed, oldest first."""
        return "".join(f"{ln.text}\n" for ln in self.lines if ln.ident == "kernel")
