# SPDX-License-Identifier: BSD-3-Clause
"""HMAC of many messages as kernels: one message in each lane of lanes.py.

No KAME counterpart. Lanes with messages of unequal length end under a mask; a batch of mixed
lengths is sorted by blocks first, so that few do. Whole blocks may stand in place of the first ones
of each message. RFC 2104. Read kame_py/fast/lanes.py first.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from kame_py.fast import lanes
from kame_py.fast.batch import I64, U8, U32
from kame_py.fast.digests import BLOCK
from kame_py.fast.intrin import signed
from kame_py.fast.jit import inlined, kernel
from kame_py.fast.lanes import ALL, LANES, ROW

address, get8, get32, get64 = lanes.address, lanes.get8, lanes.get32, lanes.get64
put8, put32, put64 = lanes.put8, lanes.put32, lanes.put64
swap32, swap64 = lanes.swap32, lanes.swap64
md5, sha1, sha256 = lanes.md5, lanes.sha1, lanes.sha256
gather_le, gather_be = lanes.gather_le, lanes.gather_be
close_md5, close_sha1, close_sha256 = lanes.close_md5, lanes.close_sha1, lanes.close_sha256
pad, stack = lanes.pad, lanes.stack

STATE_WORDS: Final = 8  # of a state in a row of a table; the outer one follows the inner one
_LENGTH: Final = 8  # octets of a length in the padding
_SHIFT: Final = 6  # octets to blocks
_KINDS: Final = 1 << 10  # numbers of blocks that sorting tells apart

# The scratch area, in octets.
_STATE: Final = 0
_OUTER: Final = _STATE + STATE_WORDS * ROW
_WORDS: Final = _OUTER + STATE_WORDS * ROW
_TAILS: Final = _WORDS + 16 * ROW
_FROM: Final = _TAILS + 2 * BLOCK * LANES  # by lane: where its message lies
_HEADS: Final = _FROM + 8 * LANES  # what stands in place of its first blocks
_KEYS: Final = _HEADS + 8 * LANES  # its row of states
_NOW: Final = _KEYS + 8 * LANES  # its block of this turn
_FULL: Final = _NOW + 8 * LANES  # blocks that need no padding
_ENDS: Final = _FULL + 8 * LANES  # blocks with those of the padding
SCRATCH: Final = _ENDS + 8 * LANES


@inlined
def _blocks(octets: int) -> int:
    """Of a message with its padding."""
    return (octets + _LENGTH + BLOCK) >> _SHIFT


@inlined
def _front(heads: U8) -> int:
    """Blocks that stand in place of the first ones of each message."""
    blocks: int = heads.shape[1] >> _SHIFT
    return blocks


@inlined
def _check(states: U32, sa: I64, arena: U8, off: I64, length: U32, n: int) -> tuple[int, int, int]:
    """The first message that is not there, or n; the least and the most blocks."""
    low, high = _KINDS, 0
    for i in range(n):
        octets = signed(length[i])
        if off[i] < 0 or off[i] > len(arena) - octets or sa[i] < 0 or sa[i] >= len(states):
            return i, 0, 0
        blocks = _blocks(octets)
        low = min(low, blocks)
        high = max(high, blocks)
    return n, low, high


@inlined
def _order(length: U32, n: int, low: int, high: int) -> I64:
    """Messages by blocks; those with the most come in any order."""
    order = np.empty(n, np.int64)
    if low == high:
        for i in range(n):
            order[i] = i
        return order
    starts = np.zeros(min(high, _KINDS) + 2, np.int64)
    for i in range(n):
        starts[min(_blocks(signed(length[i])), _KINDS) + 1] += 1
    for k in range(1, len(starts)):
        starts[k] += starts[k - 1]
    for i in range(n):
        kind = min(_blocks(signed(length[i])), _KINDS)
        order[starts[kind]] = i
        starts[kind] += 1
    return order


@inlined
def _fill(
    m: int,
    order: I64,
    start: int,
    states: U32,
    sa: I64,
    arena: U8,
    off: I64,
    length: U32,
    heads: U8,
    big: bool,
) -> tuple[int, int]:
    """The lanes' messages and their ends; the least full blocks and the most blocks of all."""
    data, keys, last = address(arena), address(states), len(order) - 1
    front = _front(heads)
    low, high = 1 << 32, 0
    for lane in range(LANES):
        i = order[min(start + lane, last)]  # lanes too many do the last one again
        octets = signed(length[i])
        full, rest = octets >> _SHIFT, octets & (BLOCK - 1)
        src = data + off[i]
        head = address(heads) + heads.strides[0] * i
        put64(m + _FROM + 8 * lane, src)
        put64(m + _HEADS + 8 * lane, head)
        put64(m + _KEYS + 8 * lane, keys + states.strides[0] * sa[i])
        put64(m + _FULL + 8 * lane, full)
        put64(m + _ENDS + 8 * lane, _blocks(octets))
        low = min(low, full)
        high = max(high, _blocks(octets))
        tail = m + _TAILS + 2 * BLOCK * lane
        bits = (BLOCK + octets) << 3
        src += full << _SHIFT
        if full < front:
            src = head + (full << _SHIFT)
        elif off[i] + (full << _SHIFT) > len(arena) - BLOCK:  # nothing behind the arena is read
            for k in range(rest):
                put8(tail + k, get8(src + k))
            src = tail
        pad(tail, src, rest, swap64(bits) if big else bits)
    return low, high


@inlined
def _places(m: int, b: int, front: int) -> int:
    """Where it is told what each lane's block ``b`` is counted from."""
    return m + (_HEADS if b < front else _FROM)


@inlined
def _turn(m: int, b: int, places: int) -> int:
    """Where each lane's block ``b`` lies, counted from ``places``; which lanes have it, as bits."""
    mask = 0
    for lane in range(LANES):
        full = get64(m + _FULL + 8 * lane)
        left = min(max(b - full, 0), 1)
        padded = m + _TAILS + 2 * BLOCK * lane + (left << _SHIFT)
        block = get64(places + 8 * lane) + (b << _SHIFT)
        put64(m + _NOW + 8 * lane, block if b < full else padded)
        mask |= (1 if b < get64(m + _ENDS + 8 * lane) else 0) << lane
    return mask


@inlined
def _give(m: int, order: I64, start: int, out: U8, icvlen: int, big: bool) -> None:
    """The digests, cut, to their rows."""
    base = address(out)
    for lane in range(min(LANES, len(order) - start)):
        to = base + out.strides[0] * order[start + lane]
        at = m + _OUTER + 4 * lane
        for k in range(icvlen >> 2):
            word = get32(at + ROW * k)
            put32(to + 4 * k, swap32(word) if big else word)


@kernel
def hmac_md5(
    states: U32,
    sa: I64,
    arena: U8,
    off: I64,
    length: U32,
    heads: U8,
    out: U8,
    icvlen: int,
    n: int,
) -> int:
    """The number of messages done: none when one is not there, then its number, negative - 1."""
    m = stack(SCRATCH)
    found, low, high = _check(states, sa, arena, off, length, n)
    if found < n:
        return -1 - found
    order, front = _order(length, n, low, high), _front(heads)
    for start in range(0, n, LANES):
        full, ends = _fill(m, order, start, states, sa, arena, off, length, heads, False)
        gather_le(m + _STATE, m + _KEYS, 0)
        for b in range(full):
            gather_le(m + _WORDS, _places(m, b, front), b << _SHIFT)
            md5(m + _STATE, m + _WORDS, ALL)
        for b in range(full, ends):
            mask = _turn(m, b, _places(m, b, front))
            gather_le(m + _WORDS, m + _NOW, 0)
            md5(m + _STATE, m + _WORDS, mask)
        close_md5(m + _STATE, m + _WORDS)
        md5(m + _OUTER, m + _WORDS, ALL)
        _give(m, order, start, out, icvlen, False)
    return n


@kernel
def hmac_sha1(
    states: U32,
    sa: I64,
    arena: U8,
    off: I64,
    length: U32,
    heads: U8,
    out: U8,
    icvlen: int,
    n: int,
) -> int:
    """As hmac_md5."""
    m = stack(SCRATCH)
    found, low, high = _check(states, sa, arena, off, length, n)
    if found < n:
        return -1 - found
    order, front = _order(length, n, low, high), _front(heads)
    for start in range(0, n, LANES):
        full, ends = _fill(m, order, start, states, sa, arena, off, length, heads, True)
        gather_be(m + _STATE, m + _KEYS, 0)
        for b in range(full):
            gather_be(m + _WORDS, _places(m, b, front), b << _SHIFT)
            sha1(m + _STATE, m + _WORDS, ALL)
        for b in range(full, ends):
            mask = _turn(m, b, _places(m, b, front))
            gather_be(m + _WORDS, m + _NOW, 0)
            sha1(m + _STATE, m + _WORDS, mask)
        close_sha1(m + _STATE, m + _WORDS)
        sha1(m + _OUTER, m + _WORDS, ALL)
        _give(m, order, start, out, icvlen, True)
    return n


@kernel
def hmac_sha256(
    states: U32,
    sa: I64,
    arena: U8,
    off: I64,
    length: U32,
    heads: U8,
    out: U8,
    icvlen: int,
    n: int,
) -> int:
    """As hmac_md5."""
    m = stack(SCRATCH)
    found, low, high = _check(states, sa, arena, off, length, n)
    if found < n:
        return -1 - found
    order, front = _order(length, n, low, high), _front(heads)
    for start in range(0, n, LANES):
        full, ends = _fill(m, order, start, states, sa, arena, off, length, heads, True)
        gather_be(m + _STATE, m + _KEYS, 0)
        for b in range(full):
            gather_be(m + _WORDS, _places(m, b, front), b << _SHIFT)
            sha256(m + _STATE, m + _WORDS, ALL)
        for b in range(full, ends):
            mask = _turn(m, b, _places(m, b, front))
            gather_be(m + _WORDS, m + _NOW, 0)
            sha256(m + _STATE, m + _WORDS, mask)
        close_sha256(m + _STATE, m + _WORDS)
        sha256(m + _OUTER, m + _WORDS, ALL)
        _give(m, order, start, out, icvlen, True)
    return n
