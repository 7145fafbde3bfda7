# SPDX-License-Identifier: BSD-3-Clause
"""Packets of a capture, a batch at a time: the same records as the slow readers give, and faster.

No KAME counterpart. A kernel walks over what is well-formed; anything else, and everything where
there is no numba, is left to the slow reader, which takes its octets from the same window.
Comments of packets are not kept. Read first: kame_py/replay/capture.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final, Protocol

import numpy as np

from kame_py.fast import kernels
from kame_py.fast.batch import BATCH, MORE, ODD, SLACK, Batch
from kame_py.fast.cpu import JIT
from kame_py.wire import pcapfmt

if TYPE_CHECKING:
    from kame_py.fast.batch import I64
    from kame_py.fast.window import Window

NS_PER_S: Final = 1_000_000_000
TWIN_OCTETS: Final = 1 << 20  # what one batch of the slow reader may hold
_TICKS_MAX: Final = 1 << 33  # per second; a fraction times 10^9 fits 63 bits
_OFFSET_MAX: Final = 1 << 62
_STAMP_MIN: Final = -(1 << 63)
_STAMP_MAX: Final = (1 << 63) - 1


class Interface(Protocol):
    """What a walk asks of an interface."""

    @property
    def linktype(self) -> int: ...
    @property
    def snaplen(self) -> int: ...
    @property
    def ticks_per_s(self) -> int: ...
    @property
    def tsoffset_s(self) -> int: ...


class Packet(Protocol):
    """What a walk asks of a record."""

    @property
    def n(self) -> int: ...
    @property
    def t_ns(self) -> int: ...
    @property
    def linktype(self) -> int: ...
    @property
    def data(self) -> bytes: ...
    @property
    def orig_len(self) -> int: ...
    @property
    def ifindex(self) -> int: ...
    @property
    def flags(self) -> int: ...


class Reader(Protocol):
    """A slow reader: kame_py/replay/capture.py has it."""

    error: str | None
    last_good: int
    first_if: int

    @property
    def format(self) -> str: ...
    @property
    def byte_order(self) -> str: ...
    @property
    def interfaces(self) -> Sequence[Interface]: ...
    def passed(self, count: int, last_ns: int) -> None: ...
    def __iter__(self) -> Iterator[Packet]: ...


class PcapWalk:
    """Fills batches from a capture; see ``error`` and ``last_good`` of the reader at the end.

    Of the batch filled last: ``linktype`` of its packets, ``first``: the number of the first one,
    ``ifindex`` and ``pflags``: columns of interface numbers and of epb_flags, ``odd_stamps``:
    stamps by packet number that do not fit the column, which has the nearest one. Its arena is good
    until the next batch is filled.
    """

    def __init__(self, reader: Reader, window: Window, last_ns: int = 0) -> None:
        """last_ns: stamp of the last packet that the reader has read before."""
        self.reader = reader
        self.linktype = -1
        self.first = 1
        self.ifindex = np.zeros(BATCH, np.uint32)
        self.pflags = np.zeros(BATCH, np.uint32)
        self.odd_stamps: dict[int, int] = {}
        self._window = window
        self._records = iter(reader)
        self._held: Packet | None = None
        self._last_ns = last_ns
        self._big = False
        self._described = -1  # interfaces that _about holds
        self._about: I64 = np.zeros((0, 0), np.int64)
        self._walk = self._pcap if reader.format == "pcap" else self._pcapng

    @property
    def error(self) -> str | None:
        """Why the capture could not be read to its end; None: it was, or it is not yet."""
        return self.reader.error

    @property
    def last_good(self) -> int:
        """Packets read so far, this batch included."""
        return self.reader.last_good - (self._held is not None)

    @property
    def octets(self) -> int | None:
        """How far the file was read; None: ask the file."""
        return self._window.octets

    def fill(self, batch: Batch) -> int:
        """The next packets into ``batch``: how many; 0 at the end. They have one link type."""
        if len(self.ifindex) < len(batch.off):
            self.ifindex = np.zeros(len(batch.off), np.uint32)
            self.pflags = np.zeros(len(batch.off), np.uint32)
        self.odd_stamps.clear()
        self.first = self.last_good + 1
        n = self._kernel(batch) if JIT else 0
        if not n:
            n = self._slow(batch, 1 if JIT or self._window.waits else len(batch.off))
        batch.n = n
        return n

    def _kernel(self, batch: Batch) -> int:
        window = self._window
        self._big = self.reader.byte_order == pcapfmt.BIG.name
        while True:
            n, window.pos, why = self._walk(batch)
            if n:
                batch.arena = window.arena
                self.reader.passed(n, self._last_ns)
                return n
            if why != MORE or not window.more():
                return 0

    def _pcap(self, batch: Batch) -> tuple[int, int, int]:
        window, (about,) = self._window, self.reader.interfaces
        self.linktype = about.linktype
        ns_per_frac = NS_PER_S // about.ticks_per_s
        return kernels.pcap(
            *(window.arena, window.pos, window.end, self._big, ns_per_frac),
            *(batch.off, batch.caplen, batch.wirelen, batch.ts),
        )

    def _pcapng(self, batch: Batch) -> tuple[int, int, int]:
        window, reader = self._window, self.reader
        if not _STAMP_MIN <= self._last_ns <= _STAMP_MAX:
            return 0, window.pos, ODD
        if len(reader.interfaces) != self._described:
            self._describe()
        n, pos, why, self._last_ns = kernels.pcapng(
            *(window.arena, window.pos, window.end, self._big),
            *(self._last_ns, reader.first_if, self._about),
            *(batch.off, batch.caplen, batch.wirelen, batch.ts, self.ifindex, self.pflags),
        )
        if n:
            self.linktype = reader.interfaces[int(self.ifindex[0])].linktype
        return n, pos, why

    def _describe(self) -> None:
        """The interfaces as a table for the kernel."""
        interfaces = self.reader.interfaces
        rows = [_columns(interface) for interface in interfaces]
        self._about = np.array(rows, np.int64).reshape(len(rows), len(_columns(_NOBODY)))
        self._described = len(interfaces)

    def _slow(self, batch: Batch, limit: int) -> int:
        """Packets of the slow reader."""
        taken: list[Packet] = []
        octets = 0
        while len(taken) < limit and octets < TWIN_OCTETS:
            packet = self._held or next(self._records, None)
            self._held = None
            if packet is None:
                break
            if taken and packet.linktype != taken[0].linktype:
                self._held = packet
                break
            taken.append(packet)
            octets += len(packet.data)
        self._lay_out(batch, taken)
        return len(taken)

    def _lay_out(self, batch: Batch, packets: list[Packet]) -> None:
        arena = bytearray()
        for i, packet in enumerate(packets):
            stamp = min(max(packet.t_ns, _STAMP_MIN), _STAMP_MAX)
            if stamp != packet.t_ns:
                self.odd_stamps[packet.n] = packet.t_ns
            batch.off[i] = len(arena)
            batch.caplen[i] = len(packet.data)
            batch.wirelen[i] = packet.orig_len
            batch.ts[i] = stamp
            self.ifindex[i] = packet.ifindex
            self.pflags[i] = packet.flags
            arena += packet.data
            self._last_ns = packet.t_ns
        if packets:
            self.linktype = packets[0].linktype
        batch.arena = np.frombuffer(arena + bytes(SLACK), np.uint8)


class _Nobody:
    linktype = snaplen = tsoffset_s = 0
    ticks_per_s = 1


_NOBODY: Final = _Nobody()


def _columns(interface: Interface) -> tuple[int, int, int, int, int]:
    """A row of the table, in the order of the IF_ numbers of ingest_kernels."""
    ticks_per_s = interface.ticks_per_s
    offset_ns = interface.tsoffset_s * NS_PER_S
    if ticks_per_s > _TICKS_MAX or abs(offset_ns) > _OFFSET_MAX:
        return interface.linktype, interface.snaplen, 0, 0, 0
    scale = NS_PER_S // ticks_per_s if NS_PER_S % ticks_per_s == 0 else 0
    return interface.linktype, interface.snaplen, scale, ticks_per_s, offset_ns
