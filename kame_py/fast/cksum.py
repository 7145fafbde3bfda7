# SPDX-License-Identifier: BSD-3-Clause
"""The Internet checksum of one buffer or of a batch, as fast as this processor allows.

Corresponds to KAME in_cksum.c; the same numbers as kame_py/wire/cksum.py, which is also what does
the work without numba. RFC 1071.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import cast

from kame_py.fast.batch import I64, U8, U16, U32
from kame_py.fast.cpu import CPU, Cpu
from kame_py.wire.cksum import in_cksum

One = Callable[[bytes], int]


def cksum_one(data: bytes) -> int:
    """``in_cksum`` of one buffer."""
    if type(data) is not bytes:  # other types would be read as if they were
        raise TypeError(f"bytes expected, not {type(data).__name__}")
    return one_call()(data)


@functools.cache
def one_call() -> One:
    """What ``cksum_one`` calls; for loops over what is known to be ``bytes``."""
    if CPU is Cpu.NONE:
        return in_cksum
    from kame_py.fast.cksum_kernels import one

    one(b"")  # compiles it
    (compiled,) = cast("dict[object, _Compiled]", vars(one)["overloads"]).values()
    return compiled.entry_point


class _Compiled:
    """What numba keeps of a compiled function; the entry point skips its look at the types."""

    entry_point: One


def cksum_batch(arena: U8, off: I64, size: U32, out: U16) -> None:
    """``in_cksum`` of each piece ``arena[off : off + size]``; ValueError for one outside."""
    done = _batch()(arena, off, size, out)
    if done != min(len(off), len(size), len(out)):
        raise ValueError(f"piece {done} lies outside the arena")


@functools.cache
def _batch() -> Callable[[U8, I64, U32, U16], int]:
    if CPU is Cpu.NONE:
        return batch_twin
    from kame_py.fast.cksum_kernels import batch

    return batch


def batch_twin(arena: U8, off: I64, size: U32, out: U16) -> int:
    """What the kernel does, in Python."""
    n = min(len(off), len(size), len(out))
    octets = arena.data
    for i, (at, length) in enumerate(zip(off[:n].tolist(), size[:n].tolist(), strict=True)):
        if at < 0 or at > len(octets) - length:
            return i
        out[i] = in_cksum(octets[at : at + length])
    return n
