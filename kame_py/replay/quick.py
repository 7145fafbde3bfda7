# SPDX-License-Identifier: BSD-3-Clause
"""Look through a large capture before it is played, at the speed of memory.

No KAME counterpart. It finds what scan.py finds, which has the rules. Import this module only where
a replay may be fast: it loads the kernels.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO, Final

import numpy as np

from kame_py.fast import kernels
from kame_py.fast.batch import Batch
from kame_py.fast.window import StreamWindow, Window, file_window
from kame_py.replay.bulk import open_walk
from kame_py.replay.capture import Record, Source, open_octets
from kame_py.wire.pcapfmt import LINKTYPE_ETHERNET

if TYPE_CHECKING:
    from collections.abc import Iterator

KINDS: Final = 1024  # of packets that are told apart


def holds(capture: BinaryIO, text: bytes) -> bool:
    """Whether the octets of ``text``, three at least, are in a capture, compressed or not."""
    window = _window(capture)
    wanted = np.frombuffer(text, np.uint8)
    while True:
        if kernels.spot(window.arena, window.pos, window.end, wanted) >= 0:
            return True
        window.pos = max(window.pos, window.end - len(text) + 1)
        if not window.more():
            return False


def _window(capture: BinaryIO) -> Window:
    source, _ = open_octets(capture, 0)
    if source.file is not capture:
        return StreamWindow(source)
    capture.seek(0)
    return file_window(capture) or StreamWindow(Source(capture))


def telling(capture: BinaryIO, addr: bytes) -> Iterator[Record]:
    """Packets that may tell something of the host that has ``addr``, the first of each kind.

    CaptureError without a good header.
    """
    walk, batch = open_walk(capture), Batch.empty()
    addr0, addr1 = np.frombuffer(addr, ">i8").tolist()
    known = np.full(2 * KINDS, -1, np.int64)
    picked = np.zeros(len(batch.off), np.int64)
    while n := walk.fill(batch):
        which = list(range(n))
        if walk.linktype == LINKTYPE_ETHERNET:
            count = kernels.strangers(
                *(batch.arena, batch.off, batch.caplen, n, addr0, addr1, known, picked)
            )
            which = picked[:count].tolist()
        for i in which:
            at, size = int(batch.off[i]), int(batch.caplen[i])
            data = batch.arena[at : at + size].tobytes()
            yield Record(walk.first + i, int(batch.ts[i]), walk.linktype, data, size)
