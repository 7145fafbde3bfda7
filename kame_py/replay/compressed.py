# SPDX-License-Identifier: BSD-3-Clause
"""Compressed captures: which compression it is by its first octets, and what is in it.

No KAME counterpart. Deviates: how much memory a decompressor may take is limited, whatever the
file asks for. Read first: RFC 1952 (gzip), RFC 8878 (zstd); the .xz file format.
"""

from __future__ import annotations

import gzip
import lzma
import zlib
from collections.abc import Callable
from typing import BinaryIO, Final, Protocol, cast

MEMORY_MAX: Final = 128 << 20  # what zstd -19 --long and xz -9 need; hostile files ask for more
_CHUNK: Final = 65536

#: What may go wrong while a compressed file is read.
FAILURES: Final = (OSError, EOFError, zlib.error, lzma.LZMAError)


class Octets(Protocol):
    """Where octets come from."""

    def read(self, size: int = -1, /) -> bytes: ...


def _gunzip(source: Octets) -> Octets:
    return gzip.GzipFile(fileobj=cast("BinaryIO", source), mode="rb")


class _Unzstd:
    """Frames of zstd. The library is loaded here: few captures need it."""

    def __init__(self, source: Octets) -> None:
        from zstandard import ZstdDecompressor, ZstdError

        self._error = ZstdError
        frames = ZstdDecompressor(max_window_size=MEMORY_MAX)
        self._reader = frames.stream_reader(cast("BinaryIO", source), read_across_frames=True)

    def read(self, size: int = -1, /) -> bytes:
        try:
            return self._reader.read(size)
        except self._error as failure:
            raise OSError(str(failure)) from None


class _Unxz:
    """One or several .xz streams in a row."""

    def __init__(self, source: Octets) -> None:
        self._source = source
        self._again = b""  # read, but belongs to the next stream
        self._stream = _xz_stream()

    def read(self, size: int = -1, /) -> bytes:
        if size == 0:
            return b""  # the decompressor takes that for a lack of room
        while not self._stream.eof or self._next():
            more = self._take() if self._stream.needs_input else b""
            if self._stream.needs_input and not more:
                raise EOFError("Compressed file ended before the end-of-stream marker was reached")
            if data := self._stream.decompress(more, size):
                return data
        return b""

    def _take(self) -> bytes:
        again, self._again = self._again, b""
        return again or self._source.read(_CHUNK)

    def _next(self) -> bool:
        """Another stream follows; zeros between streams are padding."""
        rest = self._stream.unused_data.lstrip(b"\0")
        while not rest:
            chunk = self._take()
            if not chunk:
                return False
            rest = chunk.lstrip(b"\0")
        self._again = rest
        self._stream = _xz_stream()
        return True


def _xz_stream() -> lzma.LZMADecompressor:
    return lzma.LZMADecompressor(lzma.FORMAT_XZ, MEMORY_MAX)


GZIP_MAGIC: Final = b"\x1f\x8b"
ZSTD_MAGIC: Final = b"\x28\xb5\x2f\xfd"
XZ_MAGIC: Final = b"\xfd7zX"
MAGIC_LEN: Final = 4  # octets that tell them apart

_MAGICS: Final[tuple[tuple[bytes, Callable[[Octets], Octets]], ...]] = (
    (GZIP_MAGIC, _gunzip),
    (ZSTD_MAGIC, _Unzstd),
    (XZ_MAGIC, _Unxz),
)
#: How the names of such files end.
SUFFIXES: Final = (".gz", ".zst", ".xz")


def decompressor(magic: bytes) -> Callable[[Octets], Octets] | None:
    """What opens a file that begins like this; None: it is not compressed."""
    return next((opens for start, opens in _MAGICS if magic.startswith(start)), None)
