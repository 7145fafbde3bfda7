# SPDX-License-Identifier: BSD-3-Clause
"""pcapng: both byte orders, sections, old blocks, damage; and Wireshark reads what we write."""

from __future__ import annotations

import io
import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kame_py.replay.pcap import CaptureError, CaptureReader, PcapngWriter, Record, open_capture
from kame_py.wire.pcapfmt import EPB_INBOUND, EPB_OUTBOUND
from tests import support

T_NS = 1_012_435_200_123_456_789
HA = bytes.fromhex("20010db8000000010000000000000001")
UDP6 = bytes.fromhex(
    "0200000000020200000000 0186dd"  # destination, source, ethertype
    "60000000 0009 11 40"  # IPv6, payload 9, UDP, hop limit 64
    "20010db8000000010000000000000001 20010db8000000010000000000000002"
    "0035 0035 0009 3a9b 78"
)


def block(order: str, btype: int, body: bytes) -> bytes:
    total = 12 + len(body)
    return struct.pack(order + "II", btype, total) + body + struct.pack(order + "I", total)


def option(order: str, code: int, value: bytes) -> bytes:
    return struct.pack(order + "HH", code, len(value)) + value + b"\0" * (-len(value) % 4)


def shb(order: str, major: int = 1) -> bytes:
    return block(order, 0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, major, 0, -1))


def idb(order: str, linktype: int, options: bytes = b"", snaplen: int = 0) -> bytes:
    return block(order, 1, struct.pack(order + "HHI", linktype, 0, snaplen) + options)


def epb(order: str, ifid: int, ticks: int, data: bytes, options: bytes = b"") -> bytes:
    head = struct.pack(order + "IIIII", ifid, ticks >> 32, ticks & 0xFFFFFFFF, len(data), 99)
    return block(order, 6, head + data + b"\0" * (-len(data) % 4) + options)


def read(data: bytes) -> tuple[list[Record], CaptureReader]:
    reader = open_capture(io.BytesIO(data))
    return list(reader), reader


@pytest.mark.parametrize("order", ["<", ">"])
def test_enhanced_packets_are_read_in_both_byte_orders(order: str) -> None:
    options = (
        option(order, 2, b"mn.wlan0")
        + option(order, 3, b"radio")
        + option(order, 9, b"\x09")
        + option(order, 14, struct.pack(order + "q", 100))
        + option(order, 4711, b"unknown")
        + option(order, 0, b"")
    )
    packet = option(order, 1, b"dropped") + option(order, 2, struct.pack(order + "I", 1))
    data = shb(order) + idb(order, 101, options) + epb(order, 0, 5, b"abcde", packet)
    records, reader = read(data)
    assert records == [(1, 100_000_000_005, 101, b"abcde", 99, 0, 1, "dropped")]
    assert records[0].inbound
    assert not records[0].outbound
    assert reader.interfaces == [(101, 0, "mn.wlan0", "radio", 1_000_000_000, 100)]
    assert (reader.error, reader.last_good) == (None, 1)


@pytest.mark.parametrize(
    ("tsresol", "ticks", "t_ns"),
    [
        (None, 7, 7_000),  # microseconds where nothing is said
        (b"\x03", 7, 7_000_000),
        (b"\x00", 7, 7_000_000_000),
        (b"\x0c", 7_999, 7),
        (b"\x81", 3, 1_500_000_000),  # halves of a second
        (b"\xa0", 1 << 31, 500_000_000),
    ],
)
def test_time_resolution(tsresol: bytes | None, ticks: int, t_ns: int) -> None:
    options = option("<", 9, tsresol) if tsresol is not None else b""
    records, _ = read(shb("<") + idb("<", 1, options) + epb("<", 0, ticks, b""))
    assert [r.t_ns for r in records] == [t_ns]


def test_sections_count_their_interfaces_anew_and_may_change_byte_order() -> None:
    data = (
        shb("<")
        + idb("<", 1)
        + epb("<", 0, 1, b"a")
        + shb(">")
        + idb(">", 101)
        + idb(">", 229)
        + epb(">", 1, 2, b"b")
    )
    records, reader = read(data)
    assert [(r.n, r.linktype, r.ifindex, r.t_ns) for r in records] == [
        (1, 1, 0, 1000),
        (2, 229, 2, 2000),
    ]
    assert reader.error is None


def test_old_packet_block_and_simple_packet_block() -> None:
    old = block("<", 2, struct.pack("<HHIIII", 0, 0, 0, 9, 2, 60) + b"xy\0\0")
    simple = block("<", 3, struct.pack("<I", 100) + b"abcd")
    records, reader = read(shb("<") + idb("<", 1, snaplen=4) + old + simple)
    assert [(r.t_ns, r.data, r.orig_len) for r in records] == [
        (9000, b"xy", 60),
        (9000, b"abcd", 100),  # no time of its own
    ]
    assert reader.error is None


def test_unknown_blocks_are_passed_over_even_when_huge() -> None:
    huge = block("<", 0x0BAD, b"\0" * (17 * 1024 * 1024))
    records, reader = read(shb("<") + idb("<", 1) + huge + epb("<", 0, 1, b"a"))
    assert [r.data for r in records] == [b"a"]
    assert reader.error is None


def test_options_that_run_over_their_block_are_ignored() -> None:
    bad = struct.pack("<HH", 1, 400) + b"text"
    records, reader = read(shb("<") + idb("<", 1) + epb("<", 0, 1, b"abcd", bad))
    assert [(r.data, r.comment) for r in records] == [(b"abcd", None)]
    assert reader.error is None


@pytest.mark.parametrize(
    ("bad", "text"),
    [
        (epb("<", 1, 0, b"a"), "packet 2 names interface 1, which is not described"),
        (struct.pack("<II", 6, 0xFFFFFFFC) + b"x" * 40, "claims 4294967292 octets"),
        (struct.pack("<II", 0x0BAD, 11) + b"x" * 40, "claims 11 octets"),
        (struct.pack("<II", 0x0BAD, 13) + b"x" * 40, "claims 13 octets"),
        (epb("<", 0, 0, b"a")[:-4] + b"\0\0\0\0", "ends with another length"),
        (block("<", 6, struct.pack("<IIIII", 0, 0, 0, 500, 500)), "packet 2 claims 500 octets"),
        (block("<", 6, b"abcd"), "packet 2 is too short"),
        (block("<", 3, b""), "packet 2 is too short"),
        (block("<", 2, b""), "packet 2 is too short"),
        (block("<", 1, b""), "interface block behind packet 1 is too short"),
        (shb("<", major=2), "version 2"),
        (block("<", 0x0A0D0D0A, b"\0" * 16), "without byte order"),
    ],
)
def test_a_broken_block_ends_the_reading_with_a_reason(bad: bytes, text: str) -> None:
    good = shb("<") + idb("<", 1) + epb("<", 0, 1, b"a")
    records, reader = read(good + bad + epb("<", 0, 2, b"b"))
    assert [r.data for r in records] == [b"a"]
    assert reader.last_good == 1
    assert reader.error is not None
    assert text in reader.error


@pytest.mark.parametrize("order", ["<", ">"])
def test_a_file_cut_anywhere_yields_the_packets_before_the_cut(order: str) -> None:
    parts = [
        shb(order),
        idb(order, 1, option(order, 2, b"eth0")),
        epb(order, 0, 1, b"abc", option(order, 1, b"note")),
        block(order, 0x0BAD, b"1234"),
        epb(order, 0, 2, b"d"),
    ]
    ends = [sum(map(len, parts[: i + 1])) for i in range(len(parts))]
    data = b"".join(parts)
    for size in range(len(data) + 1):
        if size < ends[0]:
            with pytest.raises(CaptureError):
                open_capture(io.BytesIO(data[:size]))
            continue
        records, reader = read(data[:size])
        assert len(records) == reader.last_good == (size >= ends[2]) + (size >= ends[4])
        assert (reader.error is None) == (size in ends), size


@given(st.binary(max_size=200), st.sampled_from("<>"))
def test_octets_behind_a_good_start_never_raise(noise: bytes, order: str) -> None:
    records, reader = read(shb(order) + idb(order, 1) + epb(order, 0, 1, b"a") + noise)
    assert reader.last_good == len(records) >= 1


def written() -> bytes:
    out = io.BytesIO()
    writer = PcapngWriter(out, "kame-py test", names={HA: ["ha.example"]})
    ha = writer.add_interface("ha.eth0", description="home link")
    mn = writer.add_interface("mn.wlan0")
    writer.write(ha, T_NS, UDP6, flags=EPB_OUTBOUND, comment="IP6_BADVERS: größer")
    writer.write(mn, T_NS + 1, UDP6, flags=EPB_INBOUND, orig_len=1500)
    return out.getvalue()


def test_what_the_writer_writes_the_reader_reads() -> None:
    records, reader = read(written())
    assert records == [
        (1, T_NS, 1, UDP6, len(UDP6), 0, EPB_OUTBOUND, "IP6_BADVERS: größer"),
        (2, T_NS + 1, 1, UDP6, 1500, 1, EPB_INBOUND, None),
    ]
    assert [(i.name, i.description) for i in reader.interfaces] == [
        ("ha.eth0", "home link"),
        ("mn.wlan0", None),
    ]
    assert reader.error is None


def test_every_write_hands_over_whole_blocks() -> None:
    sizes: list[int] = []

    class Watched(io.BytesIO):
        def write(self, data: object, /) -> int:
            sizes.append(len(bytes(data)))  # type: ignore[call-overload]  # any buffer
            return super().write(data)  # type: ignore[arg-type]  # any buffer

    writer = PcapngWriter(Watched())
    writer.write(writer.add_interface("a"), 0, b"x")
    assert len(sizes) == 3
    assert all(size % 4 == 0 for size in sizes)


def test_a_comment_longer_than_an_option_is_cut_at_a_character() -> None:
    out = io.BytesIO()
    writer = PcapngWriter(out)
    writer.write(writer.add_interface("a"), 0, b"x", comment="é" * 40_000)
    records, reader = read(out.getvalue())
    assert records[0].comment == "é" * 32_767
    assert reader.error is None


def test_misuse_of_the_writer_is_an_exception() -> None:
    writer = PcapngWriter(io.BytesIO())
    with pytest.raises(ValueError, match="not described"):
        writer.write(0, 0, b"")
    with pytest.raises(ValueError, match="16 octets"):
        writer.add_names({b"short": ["x"]})


def test_wireshark_reads_names_comments_directions_and_nanoseconds(tmp_path: Path) -> None:
    path = tmp_path / "out.pcapng"
    path.write_bytes(written())
    fields = ["interface_name", "time_epoch", "comment", "packet_flags_direction", "len"]
    argv = [a for f in fields for a in ("-e", f"frame.{f}")]
    tshark = support.needs_tool("tshark")
    done = support.run(tshark, "-r", path, "-T", "fields", *argv, "-e", "ipv6.src_host", "-N", "n")
    assert done.returncode == 0, done.stderr
    first, second = done.stdout.splitlines()
    comment, host = "IP6_BADVERS: größer", "ha.example"
    head = ["ha.eth0", "1012435200.123456789", comment, "2", str(len(UDP6)), host]
    tail = ["mn.wlan0", "1012435200.123456790", "", "1", "1500", host]
    assert normal(first) == head
    assert normal(second) == tail


def normal(line: str) -> list[str]:
    """Fields of a tshark line; later releases print numbers in hexadecimal."""
    return [str(int(f, 16)) if f.startswith("0x") else f for f in line.split("\t")]


def test_capinfos_accepts_the_file(tmp_path: Path) -> None:
    path = tmp_path / "out.pcapng"
    path.write_bytes(written())
    done = support.run(support.needs_tool("capinfos"), path)
    assert done.returncode == 0, done.stderr
    assert "Capture application: kame-py test" in done.stdout
    assert "Name = mn.wlan0" in done.stdout
