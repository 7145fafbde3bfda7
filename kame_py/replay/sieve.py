# SPDX-License-Identifier: BSD-3-Clause
"""Only packets that a filter expression describes are played.

No KAME counterpart (tcpdump's expressions, see lib.pcapfilter). What lies inside a link header that
cannot be read is no IPv6 packet for the expression.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kame_py.lib.pcapfilter import Filter, Packet
from kame_py.replay.linktype import Frame, link_strip
from kame_py.replay.watch import Watch

if TYPE_CHECKING:
    from kame_py.replay.capture import Record

_NO_FRAME: Final = Frame(None, None, 0, b"", 0)


class Sieve(Watch):
    """Lets in what the expression matches."""

    every = True

    def __init__(self, expression: Filter) -> None:
        self._matches = expression.matches

    def admits(self, record: Record) -> bool:
        found = link_strip(record.linktype, record.data)
        frame = found if isinstance(found, Frame) else _NO_FRAME
        macs = frame.dst_mac, frame.src_mac
        seen = Packet(frame.payload, frame.ethertype, record.orig_len, macs, record.outbound)
        return self._matches(seen)
