# SPDX-License-Identifier: BSD-3-Clause
"""What the readers of both capture formats share: the record, the source of octets, the errors.

KAME file: none. A damaged file is an everyday input: what is good is yielded, then the reader
stops and says why. Read first: draft-ietf-opsawg-pcap s.4, draft-ietf-opsawg-pcapng s.3.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple, Protocol

from kame_py.replay.compressed import FAILURES, MAGIC_LEN, Octets, decompressor
from kame_py.wire import pcapfmt

_CHUNK = 65536  # octets read or skipped at a time


class CaptureError(Exception):
    """The file header cannot be read: this is no capture file, or an unsupported one."""


class StopCapture(Exception):
    """The rest of a capture cannot be read; ends the iteration, never leaves the reader."""


class Record(NamedTuple):
    """One captured packet; ifindex counts the reader's interfaces, over all sections."""

    n: int
    t_ns: int
    linktype: int
    data: bytes
    orig_len: int
    ifindex: int = 0
    flags: int = 0
    comment: str | None = None

    @property
    def inbound(self) -> bool:
        """Marked as received by the capturing host."""
        return self.flags & pcapfmt.EPB_DIRECTION_MASK == pcapfmt.EPB_INBOUND

    @property
    def outbound(self) -> bool:
        """Marked as sent by the capturing host."""
        return self.flags & pcapfmt.EPB_DIRECTION_MASK == pcapfmt.EPB_OUTBOUND


class Interface(NamedTuple):
    """One interface of a capture."""

    linktype: int
    snaplen: int
    name: str | None = None
    description: str | None = None
    ticks_per_s: int = 1_000_000
    tsoffset_s: int = 0


class Takeable(Protocol):
    """Where a reader takes its octets from; failure says why there are no more."""

    @property
    def failure(self) -> str | None: ...

    def take(self, size: int) -> bytes:
        """The next size octets, fewer only at the end."""

    def skip(self, size: int) -> bool:
        """Pass over size octets without holding them; False at the end."""


class Source:
    """Octets of a binary file; short reads are completed, read failures end the file."""

    __slots__ = ("_again", "_f", "failure")

    def __init__(self, f: Octets) -> None:
        self._f = f
        self._again = b""
        self.failure: str | None = None

    @property
    def file(self) -> object:
        """What it reads, a file or a decompressor."""
        return self._f

    def opened(self, decompressor: Callable[[Octets], Octets], head: bytes) -> Source:
        """What is compressed in here; ``head`` was taken already."""
        self._again = head
        return Source(decompressor(self))

    def read(self, size: int = -1, /) -> bytes:
        """Octets for a decompressor; failures are its business."""
        data, self._again = self._again[:size], self._again[size:]
        return data or self._f.read(size)

    def some(self, size: int) -> bytes:
        """Up to size octets, what a pipe has just now; none only at the end of the file."""
        # what a pipe holds: to make room for more than comes costs more than to read it
        return self._read(min(size, _CHUNK), getattr(self._f, "read1", self._f.read))

    def take(self, size: int) -> bytes:
        """The next size octets, fewer only at the end of the file."""
        data = self._read(size)
        while len(data) < size:
            more = self._read(size - len(data))
            if not more:
                break
            data += more
        return data

    def skip(self, size: int) -> bool:
        """Pass over size octets without holding them; False at the end of the file."""
        while size > 0:
            got = len(self._read(min(size, _CHUNK)))
            if not got:
                return False
            size -= got
        return True

    def _read(self, size: int, read: Callable[[int], bytes] | None = None) -> bytes:
        if self.failure is not None:
            return b""
        try:
            return (read or self._f.read)(size)
        except FAILURES as failure:
            self.failure = str(failure) or type(failure).__name__
            return b""


def open_octets(f: Octets, size: int) -> tuple[Source, bytes]:
    """The octets of a file, compressed or not, behind the first ``size``, and those."""
    source = Source(f)
    magic = source.take(max(size, MAGIC_LEN))
    opens = decompressor(magic)
    if opens is not None:
        source = source.opened(opens, magic)
        magic = source.take(size)
    return source, magic


class CaptureReader:
    """Iterates over the records of a capture; see error and last_good after the loop."""

    format = ""
    byte_order = ""

    def __init__(self, source: Takeable) -> None:
        self._source = source
        self.interfaces: list[Interface] = []
        self.error: str | None = None
        self.last_good = 0
        self.first_if = 0  # of the section, among interfaces

    def read_from(self, make: Callable[[Takeable], Takeable]) -> None:
        """From here on the octets come from what ``make`` makes of where they came from."""
        self._source = make(self._source)

    def passed(self, count: int, last_ns: int) -> None:
        """Somebody else took the next records from the source; the last one had this stamp."""
        self.last_good += count

    def __iter__(self) -> Iterator[Record]:
        try:
            for record in self._records():
                self.last_good = record.n
                yield record
        except StopCapture as stop:
            self.error = str(stop)
        if self._source.failure is not None:
            self.error = f"read failed: {self._source.failure}"

    def _records(self) -> Iterator[Record]:
        raise NotImplementedError
