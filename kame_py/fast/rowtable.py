# SPDX-License-Identifier: BSD-3-Clause
"""The table of rows by address: one row is one line of the cache, and rows lie close together.

No KAME counterpart. An index of 32-bit slots leads to the rows: the number of a row and ten more
bits of the hash of its key, so that a search reads one line of the index and one row. Keys are
compared whole. Row 0 belongs to no address; it is dead, which is what "none" looks like. Hash
keys are secret. Layout: layout.py; who fills it: lower.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kame_py.fast.layout import (
    E_MASK,
    E_SECRET0,
    E_SECRET1,
    K_DEAD,
    KIND_MASK,
    R_INFO,
    R_KEY0,
    R_KEY1,
    R_SIZE,
    TAG,
    TAG_BITS,
)
from kame_py.fast.ldst import base, half, inlined, kernel, mix, put_half, put_word, word

if TYPE_CHECKING:
    from kame_py.fast.batch import I64, U32
    from kame_py.fast.places import Base

_TAG_AT: Final = 32  # bit of the hash; those of the slot are the lowest


@inlined
def hashed(env: Base, k0: int, k1: int) -> int:
    """What a search begins with."""
    return mix(k0, k1, word(env, E_SECRET0), word(env, E_SECRET1))


@inlined
def guess(index: Base, mask: int, h: int) -> int:
    """First word of the row that this hash leads to; its key may be another. 0: none."""
    at, tag = h & mask, h >> _TAG_AT & TAG
    entry = half(index, at)
    while entry != 0 and entry & TAG != tag:
        at = (at + 1) & mask
        entry = half(index, at)
    return (entry >> TAG_BITS) * R_SIZE


@inlined
def is_of(rows: Base, r: int, k0: int, k1: int) -> bool:
    """The row at ``r`` is that of this address."""
    return word(rows, r + R_KEY0) == k0 and word(rows, r + R_KEY1) == k1


@inlined
def find(rows: Base, index: Base, env: Base, k0: int, k1: int) -> int:
    """First word of the row of an address, 0 when there is none."""
    h, mask = hashed(env, k0, k1), word(env, E_MASK)
    at, tag = h & mask, h >> _TAG_AT & TAG
    entry = half(index, at)
    while entry != 0:
        if entry & TAG == tag and is_of(rows, (entry >> TAG_BITS) * R_SIZE, k0, k1):
            return (entry >> TAG_BITS) * R_SIZE
        at = (at + 1) & mask
        entry = half(index, at)
    return 0


@kernel
def find_row(rows: I64, index: U32, env: I64, k0: int, k1: int) -> int:
    """``find`` for those outside: the number of the row."""
    return find(base(rows), base(index), base(env), k0, k1) // R_SIZE


@kernel
def put_rows(rows: I64, index: U32, env: I64, taken: int, new: I64) -> int:
    """Add or replace; how many rows are taken then. There is room. Dead ones are left out."""
    table, slots, conf, given = base(rows), base(index), base(env), base(new)
    mask = word(conf, E_MASK)
    for n in range(0, new.size, R_SIZE):
        if word(given, n + R_INFO) == K_DEAD:
            continue
        k0, k1 = word(given, n + R_KEY0), word(given, n + R_KEY1)
        r = find(table, slots, conf, k0, k1)
        if r == 0:
            h = hashed(conf, k0, k1)
            at = h & mask
            while half(slots, at) != 0:
                at = (at + 1) & mask
            put_half(slots, at, taken << TAG_BITS | (h >> _TAG_AT & TAG))
            r = taken * R_SIZE
            taken += 1
        for k in range(R_SIZE):
            put_word(table, r + k, word(given, n + k))
    return taken


@kernel
def kill_rows(rows: I64, index: U32, env: I64, keys: I64) -> int:
    """Their rows answer nothing any more; how many there were."""
    table, slots, conf, given = base(rows), base(index), base(env), base(keys)
    killed = 0
    for n in range(0, keys.size, 2):
        r = find(table, slots, conf, word(given, n), word(given, n + 1))
        if r != 0 and word(table, r + R_INFO) & KIND_MASK != K_DEAD:
            put_word(table, r + R_INFO, K_DEAD)
            killed += 1
    return killed


@inlined
def mark_at(marks: Base, mask: int, h: int) -> int:
    """Where the mark of this hash lies, or would."""
    at = h & mask
    while word(marks, at) != 0 and word(marks, at) != h:
        at = (at + 1) & mask
    return at


@inlined
def mark_of(env: Base, keys: Base, n: int) -> int:
    """The mark of the address at word ``n``; 0 is none."""
    h = hashed(env, word(keys, n), word(keys, n + 1))
    return h if h != 0 else 1


@kernel
def mark(marks: I64, env: I64, keys: I64) -> int:
    """Remember addresses by their hash alone; how many were not yet. There is room."""
    table, conf, given, mask = base(marks), base(env), base(keys), marks.size - 1
    added = 0
    for n in range(0, keys.size, 2):
        h = mark_of(conf, given, n)
        at = mark_at(table, mask, h)
        if word(table, at) == 0:
            put_word(table, at, h)
            added += 1
    return added


@kernel
def is_marked(marks: I64, env: I64, keys: I64) -> bool:
    """Whether one of the addresses may be among those that were marked; seldom one that is not."""
    table, conf, given, mask = base(marks), base(env), base(keys), marks.size - 1
    for n in range(0, keys.size, 2):
        if word(table, mark_at(table, mask, mark_of(conf, given, n))) != 0:
            return True
    return False


@kernel
def take_marks(marks: I64, old: I64) -> None:
    """Take over the marks of a smaller table."""
    table, given, mask = base(marks), base(old), marks.size - 1
    for n in range(old.size):
        h = word(given, n)
        if h != 0:
            put_word(table, mark_at(table, mask, h), h)
