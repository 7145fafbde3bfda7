# SPDX-License-Identifier: BSD-3-Clause
"""Windows that slide over a file or a pipe: the arenas that packets are read in.

No KAME counterpart. Memory stays bounded: 512 KiB of a stream, 16 MiB mapped of a file, however
long it is. Behind ``end`` lie SLACK octets that may be touched. A file that somebody cuts while it
is mapped ends the process (SIGBUS); a stream does not.
"""

from __future__ import annotations

import io
import mmap
from typing import Final, Protocol

import numpy as np

from kame_py.fast.batch import SLACK, U8

CHUNK: Final = 1 << 19  # octets of a stream; they stay in the second-level cache
SPAN: Final = 1 << 24  # octets of a file that are mapped at a time
ALIGN: Final = max(
    1 << 21, mmap.ALLOCATIONGRANULARITY
)  # of their offset: huge pages are entered whole
MADV_POPULATE_READ: Final = 22  # Linux 5.14; the mmap module has no name for it


class Stream(Protocol):
    """A stream; failure says why it ended early."""

    @property
    def failure(self) -> str | None: ...

    def some(self, size: int) -> bytes:
        """Up to size octets; none only at the end."""


class Window:
    """``arena[pos:end]`` is what lies open; whoever takes octets moves pos."""

    __slots__ = ("arena", "end", "pos")

    waits = False  # whoever asks for more than there is waits for a writer

    def __init__(self, arena: U8, pos: int, end: int) -> None:
        self.arena = arena
        self.pos = pos
        self.end = end

    @property
    def failure(self) -> str | None:
        """Why reading failed."""
        raise NotImplementedError

    @property
    def octets(self) -> int | None:
        """How far the file was read; None: ask the file."""
        return None

    def more(self) -> bool:
        """Slide on; what lies open stays open. False: there is no more, or no room."""
        raise NotImplementedError

    def take(self, size: int) -> bytes:
        """The next size octets, fewer only at the end."""
        parts = []
        while size > 0 and (self.pos < self.end or self.more()):
            count = min(size, self.end - self.pos)
            parts.append(self.arena[self.pos : self.pos + count].tobytes())
            self.pos += count
            size -= count
        return b"".join(parts)

    def skip(self, size: int) -> bool:
        """Pass over size octets without holding them; False at the end."""
        while size > 0:
            if self.pos == self.end and not self.more():
                return False
            count = min(size, self.end - self.pos)
            self.pos += count
            size -= count
        return True


class StreamWindow(Window):
    """Over a pipe, or what comes out of a decompressor."""

    __slots__ = ("_source",)

    waits = True

    def __init__(self, source: Stream, chunk: int = CHUNK) -> None:
        super().__init__(np.zeros(chunk + SLACK, np.uint8), 0, 0)
        self._source = source

    @property
    def failure(self) -> str | None:
        return self._source.failure

    def more(self) -> bool:
        rest = self.end - self.pos
        room = len(self.arena) - SLACK - rest
        if self.pos:
            self.arena[:rest] = self.arena[self.pos : self.end]
            self.pos, self.end = 0, rest
        got = self._source.some(room) if room else b""
        self.arena[rest : rest + len(got)] = np.frombuffer(got, np.uint8)
        self.end = rest + len(got)
        return bool(got)


class FileWindow(Window):
    """Over a file of the disk; its last octets, which have no slack, are copied."""

    __slots__ = ("_at", "_failure", "_file", "_last", "_size", "_span")

    def __init__(self, file: io.FileIO, at: int, span: int = SPAN) -> None:
        """From offset ``at`` on. OSError where the file cannot be mapped."""
        super().__init__(np.zeros(0, np.uint8), 0, 0)
        here = file.tell()
        self._size = file.seek(0, io.SEEK_END)
        file.seek(here)
        if at >= self._size:  # nothing left, or one of those that do not say their length
            raise OSError("nothing to map")
        self._file = file
        self._span = max(span, 2 * ALIGN)
        self._at = at  # of the arena's first octet in the file
        self._last = False  # the last octets lie open
        self._failure: str | None = None
        self._slide(at)

    @property
    def failure(self) -> str | None:
        return self._failure

    @property
    def octets(self) -> int | None:
        return self._at + self.pos

    def more(self) -> bool:
        if self._last or self._at + self.pos >= self._size:
            return False
        try:
            return self._slide(self._at + self.pos)
        except (OSError, ValueError) as failure:  # the latter: the file became shorter
            self._failure = str(failure)
            self._last = True
            return False

    def _slide(self, at: int) -> bool:
        base = at - at % ALIGN
        size = min(self._span, self._size - base)
        if base == self._at and len(self.arena) == size:
            return self._tail(at) if base + size == self._size else False
        # private and writable, so that the kernels see one type of array
        mapped = mmap.mmap(self._file.fileno(), size, access=mmap.ACCESS_COPY, offset=base)
        _fault_in(mapped)
        self._at = base
        self.arena = np.frombuffer(mapped, np.uint8)
        self.pos, self.end = at - base, max(size - SLACK, at - base)
        return self.end > self.pos or self._tail(at)

    def _tail(self, at: int) -> bool:
        """The rest of the file with slack behind it."""
        rest = self.arena[at - self._at :]
        self.arena = np.zeros(len(rest) + SLACK, np.uint8)
        self.arena[: len(rest)] = rest
        self._at, self.pos, self.end, self._last = at, 0, len(rest), True
        return True


def _fault_in(mapped: mmap.mmap) -> None:
    """Enter all pages at once: a prefetch passes over pages that are not entered."""
    try:
        mapped.madvise(MADV_POPULATE_READ)
    except (AttributeError, OSError):  # not Linux, or one before 5.14: each page when it is read
        return


def file_window(f: object) -> FileWindow | None:
    """A window over a file of the disk from where it is read next; None: it is a stream."""
    raw = f.raw if isinstance(f, io.BufferedReader) else f
    if not isinstance(raw, io.FileIO):
        return None
    try:
        return FileWindow(raw, (f if isinstance(f, io.BufferedReader) else raw).tell())
    except (OSError, ValueError):  # pipes, terminals, file systems without maps
        return None
