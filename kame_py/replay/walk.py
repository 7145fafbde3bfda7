# SPDX-License-Identifier: BSD-3-Clause
"""Open a capture for reading in batches.

No KAME counterpart. Like ``open_capture``; importing it loads numpy, and numba where it is there.
"""

from __future__ import annotations

from typing import BinaryIO

from kame_py.fast.ingest import PcapWalk
from kame_py.fast.window import StreamWindow, Window, file_window
from kame_py.replay.capture import open_octets
from kame_py.replay.compressed import MAGIC_LEN, decompressor
from kame_py.replay.pcap import reader_of


def open_walk(f: BinaryIO) -> PcapWalk:
    """A walk over a pcap or pcapng file, compressed or not; CaptureError without a good header.

    A file of the disk is mapped, piece by piece; anything else is read as a stream.
    """
    window: Window | None = file_window(f)
    magic = window.take(MAGIC_LEN) if window is not None else b""
    if window is None or decompressor(magic) is not None:
        source, magic = open_octets(f, MAGIC_LEN)
        window = StreamWindow(source)
    return PcapWalk(reader_of(window, magic), window)
