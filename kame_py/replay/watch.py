# SPDX-License-Identifier: BSD-3-Clause
"""Someone who looks on while a capture is played, and may choose what is played.

No KAME counterpart.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kame_py.kern.kernel import Kernel
    from kame_py.kern.mbuf import Mbuf
    from kame_py.replay.capture import Record


class Watch:
    """Sees nothing and lets everything pass; whoever looks on has some of the methods.

    every: wants to be asked about each packet, so that none may be handled in bulk. signals: wants
    to see each packet that signal.py knows, so that none of those may be.
    """

    every = False
    signals = False

    def goes_on(self, n: int, octets: int | None) -> bool:
        """Asked from time to time, ``n`` packets into the file. False: the replay ends here.

        octets: how far the file was read, None: not known.
        """
        return True

    def waits(self, why: str) -> None:
        """Nothing will be heard for a while."""

    def admits(self, record: Record) -> bool:
        """Asked before a packet is fed. False: it is left out."""
        return True

    def feeds(self, record: Record) -> None:
        """A packet that was let pass goes into the kernel now, alone."""

    def fed(self, kern: Kernel, record: Record, m: Mbuf | None) -> None:
        """A packet went into the kernel, alone. m None: it was the node's own."""

    def sent(self, kern: Kernel, frame: bytes) -> None:
        """The node sends a frame."""

    def stepped(self, kern: Kernel) -> None:
        """A timer of the node was due; the time is its own."""


class Watches(Watch):
    """Several onlookers as one."""

    def __init__(self, watches: Sequence[Watch]) -> None:
        self._watches = tuple(watches)
        self.every = any(watch.every for watch in watches)
        self.signals = any(watch.signals for watch in watches)

    def goes_on(self, n: int, octets: int | None) -> bool:
        return all(watch.goes_on(n, octets) for watch in self._watches)

    def waits(self, why: str) -> None:
        for watch in self._watches:
            watch.waits(why)

    def admits(self, record: Record) -> bool:
        return all(watch.admits(record) for watch in self._watches)

    def feeds(self, record: Record) -> None:
        for watch in self._watches:
            watch.feeds(record)

    def fed(self, kern: Kernel, record: Record, m: Mbuf | None) -> None:
        for watch in self._watches:
            watch.fed(kern, record, m)

    def sent(self, kern: Kernel, frame: bytes) -> None:
        for watch in self._watches:
            watch.sent(kern, frame)

    def stepped(self, kern: Kernel) -> None:
        for watch in self._watches:
            watch.stepped(kern)
