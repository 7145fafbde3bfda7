# SPDX-License-Identifier: BSD-3-Clause
"""The capture of nodes that run: whole packets only, one writer, and no packet lost to a full disk.

No KAME counterpart. A packet is in the file as soon as it was seen. When one does not fit any more
the file is cut behind the last whole one, whoever started the nodes is told, and they go on.
"""

from __future__ import annotations

import errno
import fcntl
import os
import stat
import sys
from collections.abc import Callable
from io import FileIO
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

STDOUT: Final = "-"


class CaptureFile(FileIO):
    """An empty capture in place of what was there. OSError: it cannot be made, or is in use.

    ``problem``: why it ended early; None as long as it goes on.
    """

    def __init__(self, path: str, tell: Callable[[str], None]) -> None:
        self.problem: OSError | None = None
        self._path = path
        self._tell = tell
        self._whole = 0  # octets of whole packets
        if path == STDOUT:
            super().__init__(os.dup(sys.stdout.fileno()), "wb")
        else:
            super().__init__(_opened(path), "wb")
        self._regular = stat.S_ISREG(os.fstat(self.fileno()).st_mode)

    def write(self, data: ReadableBuffer, /) -> int:
        """All of it or, once something went wrong, nothing; nothing is raised."""
        octets = memoryview(data)
        if self.problem is None:
            try:
                self._put(octets)
            except OSError as problem:
                self._end(problem)
        return len(octets)

    def _put(self, octets: memoryview) -> None:
        rest = octets
        while rest:
            rest = rest[super().write(rest) or 0 :]
        self._whole += len(octets)

    def _end(self, problem: OSError) -> None:
        self.problem = problem
        if self._regular:
            os.ftruncate(self.fileno(), self._whole)
        self._tell(f"{self._path}: {problem.strerror}; the capture ends here, the nodes go on")


def _opened(path: str) -> int:
    """A descriptor that no other process of ours writes to."""
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o666)
    try:
        if stat.S_ISREG(os.fstat(fd).st_mode):
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.ftruncate(fd, 0)
    except BlockingIOError:
        os.close(fd)
        raise OSError(errno.EBUSY, "other nodes write their capture there", path) from None
    return fd
