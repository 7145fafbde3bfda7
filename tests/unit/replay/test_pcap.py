# SPDX-License-Identifier: BSD-3-Clause
"""Classic captures: variants, damage, and what other programs count in the same files."""

from __future__ import annotations

import gzip
import io
import struct
from pathlib import Path

import pytest

from kame_py.replay.pcap import (
    LINKTYPE_ETHERNET,
    LINKTYPE_RAW,
    CaptureError,
    PcapWriter,
    open_capture,
)
from tests import support

T_NS = 1_012_435_200_123_456_789  # 2002-01-31 00:00:00 UTC and a bit


def classic(order: str, magic: int, frac: int, linktype: int = LINKTYPE_ETHERNET) -> bytes:
    return (
        struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, 65535, linktype)
        + struct.pack(order + "IIII", 1_012_435_200, frac, 3, 60)
        + b"abc"
        + struct.pack(order + "IIII", 1_012_435_201, 0, 1, 1)
        + b"d"
    )


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(
    ("magic", "frac", "t_ns"),
    [
        (0xA1B2C3D4, 123_456, 1_012_435_200_123_456_000),
        (0xA1B23C4D, 123_456_789, T_NS),
    ],
)
def test_all_four_classic_variants_are_read(order: str, magic: int, frac: int, t_ns: int) -> None:
    reader = open_capture(io.BytesIO(classic(order, magic, frac)))
    first, second = list(reader)
    assert first == (1, t_ns, LINKTYPE_ETHERNET, b"abc", 60, 0, 0, None)
    assert second == (2, 1_012_435_201_000_000_000, LINKTYPE_ETHERNET, b"d", 1, 0, 0, None)
    assert (reader.error, reader.last_good, reader.format) == (None, 2, "pcap")


def test_the_fcs_bits_of_the_link_type_are_masked() -> None:
    data = classic("<", 0xA1B2C3D4, 0, linktype=0x24000001)
    assert [r.linktype for r in open_capture(io.BytesIO(data))] == [1, 1]


def test_what_the_writer_writes_the_reader_reads() -> None:
    out = io.BytesIO()
    writer = PcapWriter(out, LINKTYPE_RAW)
    writer.write(T_NS, b"\x60abc")
    writer.write(T_NS + 1, b"", orig_len=1500)
    reader = open_capture(io.BytesIO(out.getvalue()))
    assert [(r.t_ns, r.linktype, r.data, r.orig_len) for r in reader] == [
        (T_NS, LINKTYPE_RAW, b"\x60abc", 4),
        (T_NS + 1, LINKTYPE_RAW, b"", 1500),
    ]


@pytest.mark.parametrize("t_ns", [-1, (1 << 32) * 1_000_000_000])
def test_the_writer_refuses_a_time_that_does_not_fit(t_ns: int) -> None:
    with pytest.raises(ValueError, match="does not fit"):
        PcapWriter(io.BytesIO()).write(t_ns, b"")


def test_a_file_cut_anywhere_yields_the_packets_before_the_cut() -> None:
    data = classic("<", 0xA1B23C4D, 0)
    ends = [24, 24 + 16 + 3, 24 + 16 + 3 + 16 + 1]
    for size in range(len(data) + 1):
        if size < ends[0]:
            with pytest.raises(CaptureError):
                open_capture(io.BytesIO(data[:size]))
            continue
        reader = open_capture(io.BytesIO(data[:size]))
        good = sum(size >= end for end in ends[1:])
        assert len(list(reader)) == reader.last_good == good
        assert (reader.error is None) == (size in ends), size


def test_an_absurd_length_stops_the_reader_without_allocating() -> None:
    head = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1)
    asked: list[int] = []

    class Watched(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            asked.append(size or 0)
            return super().read(size)

    reader = open_capture(Watched(head + struct.pack("<IIII", 0, 0, 0xFFFFFFF0, 60) + b"x"))
    assert list(reader) == []
    assert reader.error == "packet 1 claims 4294967280 octets"
    assert max(asked) < 1000


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"", "too short"),
        (b"\xd4\xc3\xb2\xa1", "header is cut short"),
        (b"\x1f\x8b\x08\x00more", "ended before"),
        (b"\x1f\x8b\x07\x00 and more", "compression method"),
        (gzip.compress(b"%PDF-1.4", mtime=0), "not a capture file"),
        (b"%PDF-1.4", "not a capture file"),
        (struct.pack("<IHHiIII", 0xA1B2C3D4, 9, 4, 0, 0, 1, 1), r"version 9\.4"),
    ],
)
def test_a_file_without_a_capture_header_is_an_error(data: bytes, text: str) -> None:
    with pytest.raises(CaptureError, match=text):
        open_capture(io.BytesIO(data))


def test_a_compressed_file_is_read_in_pieces() -> None:
    plain = classic("<", 0xA1B2C3D4, 0)
    asked: list[int] = []

    class Watched(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            asked.append(-1 if size is None else size)
            return super().read(size)

    packed = Watched(gzip.compress(plain))
    assert list(open_capture(packed)) == list(open_capture(io.BytesIO(plain))) != []
    assert min(asked) > 0
    packed.seek(0)  # twice, as a replay reads
    assert len(list(open_capture(packed))) == len(list(open_capture(io.BytesIO(plain))))


def test_a_damaged_compressed_file_ends_with_an_error_and_its_good_packets() -> None:
    packed = gzip.compress(classic("<", 0xA1B2C3D4, 0) * 1)
    with gzip.open(io.BytesIO(packed[:-9])) as f:
        reader = open_capture(f)  # type: ignore[arg-type]  # GzipFile is a BinaryIO in all but name
        count = len(list(reader))
    assert reader.error is not None
    assert reader.error.startswith("read failed")
    assert count == reader.last_good


def test_short_reads_of_a_pipe_are_completed() -> None:
    class Dripping(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            return super().read(min(size or 0, 1))

    reader = open_capture(Dripping(classic("<", 0xA1B2C3D4, 0)))
    assert [r.data for r in reader] == [b"abc", b"d"]
    assert reader.error is None


CAPTURES = [
    p
    for pattern in ("captures/**/*.pcap", "fuzz/*.pcap", "attacks/*.pcap.gz")
    for p in support.data_files(pattern)
]


@pytest.mark.parametrize("path", CAPTURES, ids=lambda p: p.name)
def test_real_captures_are_read_to_the_end_like_capinfos_does(path: Path) -> None:
    raw = path.read_bytes()
    data = gzip.decompress(raw) if path.suffix == ".gz" else raw
    reader = open_capture(io.BytesIO(data))
    count = sum(1 for _ in reader)
    told = support.run(support.needs_tool("capinfos"), "-c", "-M", "-T", "-r", path)
    assert f"{path}\t{count}" == told.stdout.strip().splitlines()[-1]
    assert (reader.error is None) == (told.returncode == 0), (reader.error, told.stderr)


def test_the_corpus_of_real_captures_is_not_empty() -> None:
    support.data_dir()
    assert len(CAPTURES) > 100
