# SPDX-License-Identifier: BSD-3-Clause
"""Codes compared in batches."""

from __future__ import annotations

import numpy as np
import pytest

from kame_py.fast.ct import compare_twin, ct_equal_batch


@pytest.mark.parametrize("icvlen", [5, 12, 16, 32])
def test_one_wrong_bit_anywhere_is_seen(icvlen: int) -> None:
    codes = np.arange(8 * icvlen * (icvlen + 2), dtype=np.uint8).reshape(8 * icvlen, icvlen + 2)
    arena = np.zeros(3 + 8 * icvlen * icvlen, np.uint8)
    at = 3 + np.arange(8 * icvlen, dtype=np.int64) * icvlen
    for i, off in enumerate(at):
        arena[off : off + icvlen] = codes[i, :icvlen]
        if i % 2:
            arena[off + i // 8] ^= 1 << i % 8
    ok, twin = np.full(len(at), 7, np.uint8), np.full(len(at), 7, np.uint8)
    ct_equal_batch(codes, arena, at, icvlen, ok)
    assert compare_twin(codes, arena, at, icvlen, twin, len(at)) == len(at)
    assert ok.tolist() == twin.tolist() == [1, 0] * (4 * icvlen)


@pytest.mark.parametrize("at", [-1, 9])
def test_a_code_outside_the_arena_is_refused(at: int) -> None:
    codes, ok = np.zeros((2, 12), np.uint8), np.zeros(2, np.uint8)
    with pytest.raises(ValueError, match="code 1 "):
        ct_equal_batch(codes, np.zeros(20, np.uint8), np.array([0, at]), 12, ok)
    assert compare_twin(codes, np.zeros(20, np.uint8), np.array([0, at]), 12, ok, 2) == 1


def test_columns_of_unequal_length_are_refused() -> None:
    with pytest.raises(ValueError, match="the columns differ"):
        ct_equal_batch(
            *(np.zeros((1, 12), np.uint8), np.zeros(20, np.uint8), np.zeros(2, np.int64)),
            *(12, np.zeros(2, np.uint8)),
        )
