# SPDX-License-Identifier: BSD-3-Clause
"""The capture of a lab: every frame at its sender and at each receiver, with what became of it.

No KAME counterpart. pcapng with one interface per node interface (``node.ifname``): a frame once
outbound where it was sent, once inbound at each station that took it. A received packet that a
node dropped carries the reason as a comment. The comment must be known when the block is written,
so records wait, in order, until the packets before them have their fate.
Read first: draft-ietf-opsawg-pcapng s.4.3.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, BinaryIO, Final, NamedTuple

from kame_py.kern.mbuf import Fate, Mbuf
from kame_py.replay.pcapng import PcapngWriter
from kame_py.trace.path import drop_text
from kame_py.wire.pcapfmt import EPB_INBOUND, EPB_OUTBOUND

if TYPE_CHECKING:
    from kame_py.kern.clock import Clock
    from kame_py.lab.lan import Port

#: Records that wait for a fate before the oldest is written without: a fragment whose others
#: never come is held for a minute, and a busy lab must not be kept in memory for it.
HOLD_MAX: Final = 65536


class _Record(NamedTuple):
    ifindex: int
    t_ns: int
    frame: bytes
    flags: int
    note: str
    m: Mbuf | None  # whose fate the record waits for


class Journal:
    """Writes while the lab runs; ``close()`` writes what still waits. Does not close the file."""

    def __init__(
        self, f: BinaryIO, clock: Clock, names: Mapping[bytes, Iterable[str]] | None = None
    ) -> None:
        self._clock = clock
        self._writer = PcapngWriter(f, names=names)
        self._ifindex: dict[str, int] = {}
        self._waiting: deque[_Record] = deque()
        self.records = 0

    def add_port(self, port: Port) -> int:
        """Describe an interface, at the latest with its first frame."""
        known = self._ifindex.get(port.name)
        if known is None:
            link = f"link {port.link.name}" if port.link is not None else None
            known = self._writer.add_interface(port.name, description=link)
            self._ifindex[port.name] = known
        return known

    def sent(self, port: Port, frame: bytes, m: Mbuf | None, note: str) -> None:
        """A station put a frame on its link."""
        self._add(port, frame, EPB_OUTBOUND, note, None)

    def received(self, port: Port, frame: bytes, m: Mbuf | None) -> None:
        """A station took a frame; ``m`` is what its kernel made of it."""
        self._add(port, frame, EPB_INBOUND, "", m)

    def close(self) -> None:
        """Write what waits; packets without a fate get no comment."""
        while self._waiting:
            self._write(self._waiting.popleft())

    def _add(self, port: Port, frame: bytes, flags: int, note: str, m: Mbuf | None) -> None:
        record = _Record(self.add_port(port), self._clock.realtime(), frame, flags, note, m)
        waiting = self._waiting
        if not waiting and _settled(m):
            self._write(record)
            return
        waiting.append(record)
        while waiting and (_settled(waiting[0].m) or len(waiting) > HOLD_MAX):
            self._write(waiting.popleft())

    def _write(self, r: _Record) -> None:
        self.records += 1
        comment = r.note or (drop_text(r.m) if r.m is not None else "")
        self._writer.write(r.ifindex, r.t_ns, r.frame, flags=r.flags, comment=comment or None)


def _settled(m: Mbuf | None) -> bool:
    return m is None or (m.fate is not None and m.fate is not Fate.HELD)
