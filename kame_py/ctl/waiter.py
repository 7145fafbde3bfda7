# SPDX-License-Identifier: BSD-3-Clause
"""A program that waits: what ends its ``Wait``, once.

No KAME counterpart (tsleep and wakeup). A socket that becomes readable in the middle of packet
processing never runs a program there: ``wake`` is to plan the program's next step.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kame_py.ctl.local import Wait
    from kame_py.kern.callout import Callout
    from kame_py.kern.kernel import Kernel
    from kame_py.kern.uipc_socket import Socket


class Waiter:
    """The wait of one program, if it waits."""

    __slots__ = ("_kern", "_timeout", "_wake", "wait")

    def __init__(self, kern: Kernel, wake: Callable[[], None]) -> None:
        self._kern = kern
        self._wake = wake
        self._timeout: Callout | None = None
        self.wait: Wait | None = None

    def arm(self, wait: Wait) -> None:
        """Call ``wake`` when one of the sockets is readable or the deadline is there."""
        self.wait = wait
        for so in wait.socks:
            so.on_readable.append(self._end)
        if wait.deadline_ns is not None:
            self._timeout = self._kern.callouts.at(wait.deadline_ns, self._end)

    def interrupt(self) -> None:
        """A signal: it ends a wait that lets itself be interrupted."""
        if self.wait is not None and self.wait.signals:
            self._end()

    def disarm(self) -> None:
        """Wait no longer; ``wake`` is not called."""
        wait, self.wait = self.wait, None
        if self._timeout is not None:
            self._timeout.stop()
            self._timeout = None
        if wait is not None:
            for so in wait.socks:
                if self._end in so.on_readable:
                    so.on_readable.remove(self._end)

    def _end(self, so: Socket | None = None) -> None:
        if self.wait is not None:
            self.disarm()
            self._wake()
