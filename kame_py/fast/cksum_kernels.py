# SPDX-License-Identifier: BSD-3-Clause
"""The Internet checksum as kernels: of one buffer, of many in one arena, and as a part of others.

KAME counterpart: in_cksum.c. The sum is one of 32-bit words in 64 bits, as the host has them; the
octets are put right once, at the end (RFC 1071 s.2(B)). Read kame_py/fast/jit.py first.
"""

from __future__ import annotations

from typing import Final

from kame_py.fast.batch import I64, U8, U16, U32
from kame_py.fast.cpu import CPU, Cpu
from kame_py.fast.intrin import Octets, base, le16, le32, prefetch, signed, sum512, u8
from kame_py.fast.jit import inlined, kernel, quick

_FULL: Final = 0xFFFF
_AHEAD: Final = 4096  # octets: how far the batch fetches before it reads


def _sum_masked(arena: Octets, off: int, size: int) -> int:
    return sum512(arena, off, size)


def _sum_plain(arena: Octets, off: int, size: int) -> int:
    """LLVM makes vectors of the first loop."""
    total = 0
    for i in range(size >> 2):
        total += le32(arena, off + 4 * i)
    at = off + (size & ~3)
    if size & 2:
        total += le16(arena, at)
        at += 2
    if size & 1:
        total += u8(arena, at)
    return total


#: Sum of ``size`` octets at ``off``, to be added to others and given to ``fold``.
part = inlined(_sum_masked if CPU is Cpu.AVX512 else _sum_plain)


@inlined
def fold(total: int) -> int:
    """Complement of a sum of parts as it is stored in a packet, network order."""
    total = (total & 0xFFFFFFFF) + (total >> 32)
    total = (total & _FULL) + (total >> 16)
    total = (total & _FULL) + (total >> 16)
    total = (total & _FULL) + (total >> 16)
    total = _FULL - total
    return (total & 0xFF) << 8 | total >> 8


@quick
def one(data: bytes) -> int:
    """``in_cksum`` of a buffer."""
    return fold(part(base(data), 0, len(data)))


@kernel
def batch(arena: U8, off: I64, size: U32, out: U16) -> int:
    """``in_cksum`` of each piece of the arena; the number of pieces done, up to one outside it."""
    n, octets_all = min(len(off), len(size), len(out)), len(arena)
    start = base(arena)
    for i in range(n):
        at, octets = off[i], signed(size[i])
        if at < 0 or at > octets_all - octets:
            return i
        prefetch(start, at + _AHEAD)
        out[i] = fold(part(start, at, octets))
    return n
