# SPDX-License-Identifier: BSD-3-Clause
"""Look through a large capture before it is played, at the speed of memory.

No KAME counterpart. It finds what scan.py finds, which has the rules. Import this module only where
a replay may be fast: it loads the kernels.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO

from kame_py.fast import sights
from kame_py.fast.batch import Batch
from kame_py.fast.window import StreamWindow, Window, file_window
from kame_py.replay.bulk import open_walk
from kame_py.replay.capture import Record, Source, open_octets
from kame_py.wire.pcapfmt import LINKTYPE_ETHERNET

if TYPE_CHECKING:
    from collections.abc import Iterator


def holds(capture: BinaryIO, text: bytes) -> bool:
    """Whether the octets of ``text``, three at least, are in a capture, compressed or not."""
    window = _window(capture)
    while not sights.holds(window.arena, window.pos, window.end, text):
        window.pos = max(window.pos, window.end - len(text) + 1)
        if not window.more():
            return False
    return True


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
    strangers = sights.Strangers(addr)
    while walk.fill(batch):
        ethernet = walk.linktype == LINKTYPE_ETHERNET
        for i in strangers.pick(batch) if ethernet else range(batch.n):
            at, size = int(batch.off[i]), int(batch.caplen[i])
            data = batch.arena[at : at + size].tobytes()
            yield Record(walk.first + i, int(batch.ts[i]), walk.linktype, data, size)
