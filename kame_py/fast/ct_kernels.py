# SPDX-License-Identifier: BSD-3-Clause
"""The comparison of ct.py as a kernel: every octet is looked at, nothing branches on one.

No KAME counterpart. Read kame_py/fast/jit.py first.
"""

from __future__ import annotations

from typing import Final

from kame_py.fast import lanes
from kame_py.fast.batch import I64, U8
from kame_py.fast.jit import kernel

address, get8, get32 = lanes.address, lanes.get8, lanes.get32
_WORD: Final = 4


@kernel
def compare(codes: U8, arena: U8, at: I64, icvlen: int, ok: U8, n: int) -> int:
    """The number of codes done, up to one outside the arena."""
    words = icvlen & ~(_WORD - 1)
    for i in range(n):
        if at[i] < 0 or at[i] > len(arena) - icvlen:
            return i
        a, b = address(codes) + codes.strides[0] * i, address(arena) + at[i]
        differ = 0
        for k in range(0, words, _WORD):
            differ |= get32(a + k) ^ get32(b + k)
        for k in range(words, icvlen):
            differ |= get8(a + k) ^ get8(b + k)
        ok[i] = differ == 0
    return n
