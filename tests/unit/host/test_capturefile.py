# SPDX-License-Identifier: BSD-3-Clause
"""The capture of nodes that run: whole packets, one writer, a disk that gets full."""

from __future__ import annotations

import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

import pytest

from kame_py.host.capturefile import CaptureFile
from kame_py.replay.pcap import open_capture
from kame_py.replay.pcapng import PcapngWriter
from kame_py.wire.pcapfmt import LINKTYPE_ETHERNET

LIMIT = 4096


@contextmanager
def small_disk() -> Iterator[None]:
    """No file of this process grows over the limit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (LIMIT, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_full_disk_ends_the_capture_behind_a_whole_packet(tmp_path: Path) -> None:
    path = tmp_path / "x.pcapng"
    told: list[str] = []
    with CaptureFile(str(path), told.append) as f:
        writer = PcapngWriter(f)
        number = writer.add_interface("fxp0", LINKTYPE_ETHERNET)
        with small_disk():
            for i in range(100):
                writer.write(number, i, bytes(100))
        writer.write(number, 100, bytes(100))  # there is room again, but the rest is missing
    assert len(told) == 1 and "the capture ends here, the nodes go on" in told[0]
    reader = open_capture(BytesIO(path.read_bytes()))
    kept = [record.t_ns for record in reader]
    assert reader.error is None
    assert kept == list(range(len(kept))) and 20 < len(kept) < 40


def test_a_reader_that_leaves_ends_the_capture_alone(tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    told: list[str] = []
    with CaptureFile(str(fifo), told.append) as f:
        assert f.write(b"whole") == 5
        assert os.read(reader, 10) == b"whole"
        os.close(reader)
        assert f.write(b"lost") == 4
        assert f.write(b"lost") == 4
    assert len(told) == 1 and "Broken pipe" in told[0]


def test_two_processes_do_not_share_a_capture(tmp_path: Path) -> None:
    path = tmp_path / "x.pcapng"
    with CaptureFile(str(path), print) as f:
        f.write(b"mine")
        with pytest.raises(OSError, match="other nodes write") as caught:
            CaptureFile(str(path), print)
        assert caught.value.filename == str(path)
        assert path.read_bytes() == b"mine"
    with CaptureFile(str(path), print):
        assert path.read_bytes() == b""
