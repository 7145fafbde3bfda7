# SPDX-License-Identifier: BSD-3-Clause
"""The comparison of ct.py as a kernel: every octet is looked at, nothing branches on one.

No KAME counterpart. Read kame_py/fast/jit.py first.
"""

from __future__ import annotations

from kame_py.fast.batch import I64, U8
from kame_py.fast.jit import kernel


@kernel
def compare(codes: U8, arena: U8, at: I64, icvlen: int, ok: U8, n: int) -> int:
    """The number of codes done, up to one outside the arena."""
    for i in range(n):
        if at[i] < 0 or at[i] > len(arena) - icvlen:
            return i
        differ = 0
        for k in range(icvlen):
            differ |= codes[i, k] ^ arena[at[i] + k]
        ok[i] = differ == 0
    return n
