# SPDX-License-Identifier: BSD-3-Clause
"""Checksums of the fast path are those of kame_py/wire/cksum.py."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kame_py.fast.batch import U16
from kame_py.fast.cksum import batch_twin, cksum_batch, cksum_one, one_call
from kame_py.fast.cpu import JIT
from kame_py.wire.cksum import in_cksum


@given(st.binary(max_size=3000))
def test_any_octets(data: bytes) -> None:
    assert cksum_one(data) == one_call()(data) == in_cksum(data)


@pytest.mark.parametrize("octet", [0, 0xFF])
def test_all_lengths_of_extreme_octets(octet: int) -> None:
    for size in range(300):
        data = bytes((octet,)) * size
        assert cksum_one(data) == in_cksum(data)


def test_the_longest_packet_does_not_overflow() -> None:
    data = b"\xff" * 65535
    assert cksum_one(data) == in_cksum(data)


@pytest.mark.parametrize("other", [bytearray(4), memoryview(bytes(4)), "text", None])
def test_anything_but_bytes_is_refused(other: object) -> None:
    with pytest.raises(TypeError, match="bytes expected, not"):
        cksum_one(other)  # type: ignore[arg-type]  # what the test is about


@pytest.mark.skipif(not JIT, reason="no kernels for this processor")
@pytest.mark.parametrize("total", [0, 1, 0xFFFF, 0x10000, 0x1FFFF_FFFF, 0x1_0000_FFFF_FFFF])
def test_carries_of_carries_are_added(total: int) -> None:
    from kame_py.fast.cksum_kernels import fold

    assert fold(total) == in_cksum(total.to_bytes(8, "little"))


def sums(arena: np.ndarray, pieces: list[tuple[int, int]]) -> list[U16]:
    """By the kernel and by its twin."""
    off = np.array([at for at, _ in pieces], np.int64)
    size = np.array([octets for _, octets in pieces], np.uint32)
    out, twin = np.zeros(len(pieces), np.uint16), np.zeros(len(pieces), np.uint16)
    cksum_batch(arena, off, size, out)
    assert batch_twin(arena, off, size, twin) == len(pieces)
    return [out, twin]


def test_pieces_of_an_arena_to_its_very_end() -> None:
    arena = np.random.default_rng(1).integers(0, 256, 700, np.uint8)
    pieces = [(at, size) for at in (0, 1, 63, 64, 65) for size in range(0, 636, 7)]
    pieces += [(700 - size, size) for size in range(200)]
    right = [in_cksum(arena[at : at + size].tobytes()) for at, size in pieces]
    for found in sums(arena, pieces):
        assert found.tolist() == right


@pytest.mark.parametrize("piece", [(-1, 4), (60, 5), (0, 65), (1 << 40, 1), (64, 1)])
def test_a_piece_outside_the_arena_is_refused(piece: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="piece 1 lies outside the arena"):
        sums(np.zeros(64, np.uint8), [(0, 64), piece])
