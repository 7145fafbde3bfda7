# SPDX-License-Identifier: BSD-3-Clause
"""Compressed captures: known by their first octets, whatever they are called."""

from __future__ import annotations

import gzip
import io
import lzma
from collections.abc import Callable

import pytest
import zstandard

from kame_py.replay.pcap import open_capture
from kame_py.replay.scan import absent_mac
from tests.unit.replay.captures import capture, echo, ether

Pack = Callable[[bytes], bytes]

PACKS: dict[str, Pack] = {
    "gzip": gzip.compress,
    "zstd": zstandard.ZstdCompressor().compress,
    "xz": lzma.compress,
}
pack = pytest.mark.parametrize("pack", PACKS.values(), ids=PACKS)


def many(packets: int = 300) -> bytes:
    """Packets that do not compress to nothing."""
    return capture(*((n, ether(echo(size=n % 200))) for n in range(packets))).getvalue()


@pack
def test_what_is_in_it_is_read(pack: Pack) -> None:
    plain = [record.data for record in open_capture(io.BytesIO(many()))]
    reader = open_capture(io.BytesIO(pack(many())))
    assert [record.data for record in reader] == plain
    assert reader.error is None and reader.last_good == 300


@pack
def test_a_record_without_octets_is_one_too(pack: Pack) -> None:
    octets = [ether(echo()), b"", ether(echo()), b"", b""]
    whole = capture(*enumerate(octets)).getvalue()
    reader = open_capture(io.BytesIO(pack(whole)))
    assert [record.data for record in reader] == octets
    assert reader.error is None and reader.last_good == 5


@pack
def test_pieces_compressed_one_by_one_are_one_capture(pack: Pack) -> None:
    whole = many()
    pieces = pack(whole[:1000]) + pack(whole[1000:1001]) + pack(whole[1001:])
    reader = open_capture(io.BytesIO(pieces))
    assert sum(1 for _ in reader) == 300 and reader.error is None


@pack
def test_a_cut_file_counts_as_far_as_it_goes_and_says_so(pack: Pack) -> None:
    packed = pack(many(3000))
    reader = open_capture(io.BytesIO(packed[: len(packed) // 2]))
    seen = sum(1 for _ in reader)
    assert 0 < seen < 3000
    assert reader.error is not None and reader.last_good == seen


@pack
def test_damage_ends_the_capture(pack: Pack) -> None:
    packed = bytearray(pack(many(3000)))
    middle = len(packed) // 2
    packed[middle : middle + 40] = bytes(40)
    reader = open_capture(io.BytesIO(bytes(packed)))
    assert sum(1 for _ in reader) <= 3000
    assert reader.error is not None


def test_padding_between_xz_streams_is_passed_over() -> None:
    whole = many()
    packed = lzma.compress(whole[:500]) + bytes(8) + lzma.compress(whole[500:]) + bytes(4)
    reader = open_capture(io.BytesIO(packed))
    assert sum(1 for _ in reader) == 300 and reader.error is None


def test_a_window_beyond_the_limit_is_refused() -> None:
    window = zstandard.ZstdCompressionParameters(window_log=30, enable_ldm=True)
    compressor = zstandard.ZstdCompressor(compression_params=window).compressobj()
    packed = compressor.compress(many()) + compressor.flush()
    with pytest.raises(Exception, match="memory"):
        open_capture(io.BytesIO(packed))


@pack
def test_the_address_that_is_absent_is_looked_for_inside(pack: Pack) -> None:
    first = absent_mac(io.BytesIO(many()))
    taken = capture((0, ether(echo(), src=first))).getvalue()
    assert absent_mac(io.BytesIO(pack(taken))) == absent_mac(io.BytesIO(taken)) != first
