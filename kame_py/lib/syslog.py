# SPDX-License-Identifier: BSD-3-Clause
"""syslog(3) as the daemons use it: priorities, a threshold, KAME's ``<function> text`` lines.

KAME: setlogmask() and the syslog() calls of rtadvd, warnmsg() of rtsold.
Deviates: one object says where lines go, so a daemon has no global debug flags.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from kame_py.ctl.ops import ProgOps

LOG_ERR: Final = 3
LOG_WARNING: Final = 4
LOG_NOTICE: Final = 5
LOG_INFO: Final = 6
LOG_DEBUG: Final = 7


@dataclass(slots=True)
class Syslog:
    """Lines up to priority ``upto`` go to syslog, to stderr, or to both.

    Syslog lines begin with ``<function>``; lines on stderr are ``stderr_head`` and the bare text.
    """

    ops: ProgOps
    upto: int
    to_syslog: bool = True
    to_stderr: bool = False
    stderr_head: str = ""

    def log(self, priority: int, function: str, text: str) -> None:
        """Write one line if its priority is within the threshold."""
        if priority > self.upto:
            return
        if self.to_syslog:
            self.ops.syslog(priority, f"<{function}> {text}")
        if self.to_stderr:
            self.ops.err(f"{self.stderr_head}{text}\n")

    def err(self, function: str, text: str) -> None:
        self.log(LOG_ERR, function, text)

    def warning(self, function: str, text: str) -> None:
        self.log(LOG_WARNING, function, text)

    def notice(self, function: str, text: str) -> None:
        self.log(LOG_NOTICE, function, text)

    def info(self, function: str, text: str) -> None:
        self.log(LOG_INFO, function, text)

    def debug(self, function: str, text: str) -> None:
        self.log(LOG_DEBUG, function, text)
