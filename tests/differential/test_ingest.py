# SPDX-License-Identifier: BSD-3-Clause
"""Captures read in batches hold the records that the slow readers find, and end as they do."""

from __future__ import annotations

import gzip
import io
import os
import subprocess
import sys
import threading
from pathlib import Path
from struct import pack

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kame_py.fast.batch import Batch
from kame_py.fast.cpu import JIT
from kame_py.fast.window import ALIGN, CHUNK, SPAN
from kame_py.replay.bulk import open_walk
from kame_py.replay.pcap import PcapWriter
from kame_py.wire.pcapfmt import MAX_SNAPLEN
from tests.differential.batches import Told, capture_files, synthetic, told_fast, told_slowly
from tests.support import PROJECT_ROOT


def same(data: bytes, size: int = 16) -> Told | str:
    """What both readers tell, of a stream."""
    slow = told_slowly(io.BytesIO(data))
    assert told_fast(io.BytesIO(data), size) == slow
    return slow


@pytest.mark.parametrize("path", capture_files())
def test_a_capture_and_what_is_left_of_it_when_cut(path: str) -> None:
    with open(path, "rb") as one, open(path, "rb") as other:
        assert told_fast(one) == told_slowly(other)
    data = Path(path).read_bytes()
    same(data)
    if path.endswith(".gz"):
        data = gzip.decompress(data)
    for end in range(min(len(data), 1200)):
        same(data[:end])


def block(order: str, kind: int, body: bytes) -> bytes:
    """A pcapng block."""
    body += bytes(-len(body) % 4)
    total = len(body) + 12
    return pack(order + "II", kind, total) + body + pack(order + "I", total)


def section(order: str) -> bytes:
    return block(order, 0x0A0D0D0A, pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1))


def interface(order: str, linktype: int, snaplen: int, *options: tuple[int, bytes]) -> bytes:
    body = pack(order + "HHI", linktype, 0, snaplen)
    for code, value in options:
        body += pack(order + "HH", code, len(value)) + value + bytes(-len(value) % 4)
    return block(order, 1, body)


def enhanced(order: str, ifid: int, ticks: int, data: bytes, options: bytes = b"") -> bytes:
    fixed = pack(order + "IIIII", ifid, ticks >> 32, ticks & 0xFFFFFFFF, len(data), len(data) + 3)
    return block(order, 6, fixed + data + bytes(-len(data) % 4) + options)


def simple(order: str, data: bytes) -> bytes:
    return block(order, 3, pack(order + "I", len(data)) + data)


def obsolete(order: str, ifid: int, ticks: int, data: bytes) -> bytes:
    fixed = pack(order + "HHIIII", ifid, 7, ticks >> 32, ticks & 0xFFFFFFFF, len(data), len(data))
    return block(order, 2, fixed + data)


RESOLUTIONS = (None, 0, 3, 6, 9, 10, 12, 0x80 | 10, 0x80 | 33, 0x80 | 40)
STAMPS = (0, 1, 999, 1 << 31, (1 << 32) + 5, 1_700_000_000_123_456, 1 << 60, (1 << 64) - 1)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("resolution", RESOLUTIONS)
@pytest.mark.parametrize("offset", [None, 5, -3, 1 << 40])
def test_stamps_of_every_resolution(order: str, resolution: int | None, offset: int | None) -> None:
    options = []
    if resolution is not None:
        options.append((9, bytes((resolution,))))
    if offset is not None:
        options.append((14, pack(order + "q", offset)))
    data = section(order) + interface(order, 1, 0, *options)
    for i, ticks in enumerate(STAMPS):
        data += enhanced(order, 0, ticks, bytes(i)) + simple(order, bytes(4))
    told = same(data)
    assert isinstance(told, Told)
    assert len(told.records) == 2 * len(STAMPS)


@pytest.mark.parametrize("order", ["<", ">"])
def test_sections_interfaces_and_kinds_of_blocks(order: str) -> None:
    flags = pack(order + "HHIHH", 2, 4, 0x11, 0, 0)
    comment = pack(order + "HH", 1, 3) + b"abc\0" + pack(order + "HHI", 2, 4, 2)
    data = section(order) + interface(order, 1, 60) + interface(order, 101, 0)
    data += enhanced(order, 0, 1, b"a" * 61, flags) + enhanced(order, 1, 2, b"`" * 5, comment)
    ended = pack(order + "HHHHI", 0, 0, 2, 4, 9)  # nothing counts behind the end of options
    data += enhanced(order, 1, 3, b"`", ended)
    data += simple(order, b"b" * 100) + obsolete(order, 1, 9, b"c" * 7) + block(order, 5, b"stat")
    data += enhanced(order, 1, 4, b"", pack(order + "HH", 2, 3) + b"xyz\0") * 3
    other = ">" if order == "<" else "<"
    data += section(other) + interface(other, 229, 0) + enhanced(other, 0, 5, b"`" * 44)
    told = same(data)
    assert isinstance(told, Told)
    assert [(r.ifindex, r.linktype, r.flags, len(r.data)) for r in told.records] == [
        *((0, 1, 0x11, 61), (1, 101, 2, 5), (1, 101, 0, 1), (0, 1, 0, 60), (1, 101, 0, 7)),
        *((1, 101, 0, 0),) * 3,
        (2, 229, 0, 44),
    ]
    for end in range(len(data)):
        same(data[:end])


@pytest.mark.parametrize(
    "bad",
    [
        *(enhanced("<", 2, 0, b""), enhanced("<", 1 << 31, 0, b""), obsolete("<", 2, 0, b"")),
        pack("<III", 6, 12, 12),
        pack("<IIII", 3, 15, 0, 15),
        pack("<II", 6, 1 << 25) + bytes(64),
        pack("<II", 99, 1 << 25) + bytes(64),
        enhanced("<", 0, 0, bytes(8))[:-4] + pack("<I", 44),
        pack("<IIIIIIIII", 6, 36, 0, 0, 0, 5, 5, 0, 36),
        block("<", 3, pack("<I", 20) + bytes(4)),
        enhanced("<", 0, 0, bytes(MAX_SNAPLEN + 4)),
    ],
)
def test_a_bad_block_ends_the_capture(bad: bytes) -> None:
    start = section("<") + interface("<", 1, 0) + interface("<", 1, 0)
    good = enhanced("<", 0, 7, b"good") * 3
    told = same(start + good + bad + good)
    assert isinstance(told, Told)
    assert told.error is not None
    assert told.last_good == 3


@given(st.binary(max_size=400), st.integers(0, 300), st.sampled_from("<>"))
def test_any_octets_behind_a_good_start(noise: bytes, cut: int, order: str) -> None:
    start = section(order) + interface(order, 1, 0) + enhanced(order, 0, 7, b"good")
    same(start + noise)
    same(start + enhanced(order, 0, 7, b"good" * 9)[:cut] + noise)
    for magic in (0xA1B2C3D4, 0xA1B23C4D):
        head = pack(order + "IHHiIII", magic, 2, 4, 0, 0, 65535, 1)
        same(head + pack(order + "IIII", 1, 2, cut, 400) + noise)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("magic", [0xA1B2C3D4, 0xA1B23C4D])
def test_classic_captures_of_both_orders_and_resolutions(order: str, magic: int) -> None:
    data = pack(order + "IHHiIII", magic, 2, 4, 0, 0, 65535, 0xF0000001)
    for i in range(40):
        fields = (0xFFFFFFFF - i, 0xFFFFFFFF if i % 2 else i, i, i + 1)
        data += pack(order + "IIII", *fields) + bytes(range(i))
    told = same(data)
    assert isinstance(told, Told)
    assert told.records[-1].n == 40
    for end in range(len(data) - 60, len(data)):
        same(data[:end])


def long_capture(octets: int) -> bytes:
    """Records of all lengths up to the longest, more than one window holds."""
    rng = np.random.default_rng(3)
    f = io.BytesIO()
    writer = PcapWriter(f)
    n = 0
    while f.tell() < octets:
        size = int(rng.integers(0, 2000)) if n % 50 else MAX_SNAPLEN - n
        writer.write(n, rng.bytes(size))
        n += 1
    return f.getvalue()


@pytest.mark.slow
def test_records_across_the_edges_of_windows(tmp_path: Path) -> None:
    data = long_capture(SPAN + 2 * ALIGN)
    told = same(data, 300)
    assert isinstance(told, Told)
    path = tmp_path / "long.pcap"
    for cut in (0, 1, 70):
        path.write_bytes(data[: len(data) - cut])
        with path.open("rb") as f:
            fast = told_fast(f)
        assert fast == told_slowly(io.BytesIO(data[: len(data) - cut]))


def test_a_block_larger_than_the_buffer_of_a_stream() -> None:
    start = section("<") + interface("<", 1, 0)
    large = enhanced("<", 0, 5, bytes(100), pack("<HH", 1, 0xFFFC) + bytes(0xFFFC))
    huge = block("<", 6, pack("<IIIII", 0, 0, 9, 8, 8) + bytes(2 * CHUNK))
    told = same(start + (large + huge) * 9)
    assert isinstance(told, Told)
    assert [r.t_ns for r in told.records] == [5000, 9000] * 9


def test_a_pipe_gives_its_packets_when_they_come() -> None:
    data = synthetic(40)
    reading, writing = os.pipe()
    first, rest = data[:3000], data[3000:]
    batch = Batch.empty()
    with os.fdopen(reading, "rb") as f:
        os.write(writing, first)
        walk = open_walk(f)
        seen = walk.fill(batch)
        assert seen > (2 if JIT else 0)  # the writer has not said more yet

        def finish() -> None:
            os.write(writing, rest)
            os.close(writing)

        thread = threading.Thread(target=finish)
        thread.start()
        while got := walk.fill(batch):
            seen += got
        thread.join()
    assert (seen, walk.error) == (40, None)


class Broken(io.BytesIO):
    """A disk that fails."""

    def read(self, size: int | None = -1, /) -> bytes:
        if self.tell() > 900:
            raise OSError(5, "Input/output error")
        return super().read(min(300, size) if size is not None and size >= 0 else 300)

    read1 = read


class ReadOnly:
    """What has no more than a decompressor must have."""

    def __init__(self, f: io.BytesIO) -> None:
        self.read = f.read


def test_whatever_can_be_read() -> None:
    data = synthetic(9)
    told = told_fast(ReadOnly(io.BytesIO(data)))  # type: ignore[arg-type]  # it has read
    assert told == told_slowly(io.BytesIO(data))


def test_a_failure_to_read_is_told() -> None:
    data = synthetic(9)
    told = told_slowly(Broken(data))
    assert isinstance(told, Told)
    assert told.error == "read failed: [Errno 5] Input/output error"
    assert told_fast(Broken(data)) == told
    assert told_fast(ReadOnly(Broken(data))) == told  # type: ignore[arg-type]  # it has read


def test_reading_begins_where_the_file_stands(tmp_path: Path) -> None:
    path = tmp_path / "behind"
    path.write_bytes(b"something else" + synthetic(5))
    with path.open("rb") as f:
        f.read(14)
        told = told_fast(f)
    assert isinstance(told, Told)
    assert told.last_good == 5


MEMORY = """
import resource, sys
from kame_py.fast.batch import Batch
from kame_py.fast.cpu import JIT
from kame_py.replay.bulk import open_walk
from kame_py.fast.annotate import annotate
batch = Batch.empty()
def read(f):
    n, walk = 0, open_walk(f)
    while walk.fill(batch):
        annotate(batch, walk.linktype, True)
        n += batch.n
    return n
read(open(sys.argv[1], "rb"))
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
n = read(open(sys.argv[2], "rb") if sys.argv[2] != "-" else sys.stdin.buffer)
print(n, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


@pytest.mark.slow
@pytest.mark.parametrize("piped", [False, True])
def test_memory_does_not_grow_with_the_capture(tmp_path: Path, piped: bool) -> None:
    small, large = tmp_path / "small.pcap", tmp_path / "large.pcap"
    data = synthetic(20_000)
    small.write_bytes(data)
    times = 20
    with large.open("wb") as f:
        f.write(data[:24])
        for _ in range(times):
            f.write(data[24:])
    argv = [sys.executable, "-c", MEMORY, str(small), "-" if piped else str(large)]
    with subprocess.Popen(["cat", str(large)], stdout=subprocess.PIPE) as cat:
        done = subprocess.run(
            argv, stdin=cat.stdout, cwd=PROJECT_ROOT, capture_output=True, text=True, check=True
        )
        cat.kill()
    packets, grown_kib = map(int, done.stdout.split())
    assert packets == 20_000 * times
    assert grown_kib < 60 << 10  # of 220 MiB
