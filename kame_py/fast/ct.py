# SPDX-License-Identifier: BSD-3-Clause
"""Compare a batch of authentication codes in a time that does not tell where they differ.

KAME uses bcmp(); netkey/algorithms.py has icv_equal for one code.
"""

from __future__ import annotations

import functools
from collections.abc import Callable

import numpy as np

from kame_py.fast.batch import I64, U8
from kame_py.fast.cpu import JIT

_Compare = Callable[[U8, U8, I64, int, U8, int], int]


def ct_equal_batch(codes: U8, arena: U8, at: I64, icvlen: int, ok: U8) -> None:
    """ok: 1 where the code in a row of ``codes`` is the one at ``at`` in the arena, else 0.

    ValueError for a code outside the arena.
    """
    n = len(at)
    if min(len(codes), len(ok)) < n or not 0 < icvlen <= codes.shape[1]:
        raise ValueError("the columns differ")
    done = _compare()(codes, arena, at, icvlen, ok, n)
    if done != n:
        raise ValueError(f"code {done} lies outside the arena")


@functools.cache
def _compare() -> _Compare:
    if not JIT:
        return compare_twin
    from kame_py.fast.ct_kernels import compare

    return compare


def compare_twin(codes: U8, arena: U8, at: I64, icvlen: int, ok: U8, n: int) -> int:
    """What the kernel does, with numpy."""
    outside = np.flatnonzero((at < 0) | (at > len(arena) - icvlen))
    done = int(outside[0]) if len(outside) else n
    there = arena[at[:done, None] + np.arange(icvlen)]
    ok[:done] = np.bitwise_or.reduce(codes[:done, :icvlen] ^ there, axis=1) == 0
    return done
