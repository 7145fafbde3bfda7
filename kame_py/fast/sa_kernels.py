# SPDX-License-Identifier: BSD-3-Clause
"""Associations found by what a packet says of them: a hash table over the rows of sas.py.

KAME counterpart: key_allocsa. Written with ldst.py, so each kernel is its own twin.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kame_py.fast.ldst import base, inlined, kernel, mix, place, put_half, put_word, word
from kame_py.fast.sas import (
    L_AT,
    L_ICV,
    L_KIND,
    L_ROWS,
    L_SA,
    L_SIZE,
    L_WHO,
    S_DST,
    S_DST1,
    S_KIND,
    S_SIZE,
    S_SPI,
    S_SRC,
    S_SRC1,
    X_MASK,
    X_SLOTS,
)

if TYPE_CHECKING:
    from kame_py.fast.batch import I64
    from kame_py.fast.ldst import Base
    from kame_py.fast.places import Places


@inlined
def first_slot(slots: Base, spi: int, dst0: int, dst1: int, src0: int, src1: int) -> int:
    """Where the search for an association begins."""
    h = mix(src0 ^ spi, src1 ^ dst0 ^ dst1, word(slots, 0), word(slots, 1))
    return h & word(slots, X_MASK)


@inlined
def find_row(slots: Base, rows: Base, spi: int, dst0: int, dst1: int, src0: int, src1: int) -> int:
    """The row of an association of exactly this source, or -1."""
    at = first_slot(slots, spi, dst0, dst1, src0, src1)
    while word(slots, X_SLOTS + at) != 0:
        i = word(slots, X_SLOTS + at) - 1
        row = i * S_SIZE
        if (
            word(rows, row + S_SPI) == spi
            and word(rows, row + S_SRC) == src0
            and word(rows, row + S_SRC1) == src1
            and word(rows, row + S_DST) == dst0
            and word(rows, row + S_DST1) == dst1
        ):
            return i
        at = at + 1 & word(slots, X_MASK)
    return -1


@inlined
def await_code(lists: Places, k: int, at: int, size: int, row: int, icv: int, who: int) -> None:
    """Message ``k`` of a batch waits for its code (Work of sas.py)."""
    put_word(place(lists, L_AT), k, at)
    put_half(place(lists, L_SIZE), k, size)
    put_word(place(lists, L_SA), k, row)
    put_word(place(lists, L_KIND), k, word(place(lists, L_ROWS), row * S_SIZE + S_KIND))
    put_word(place(lists, L_ICV), k, icv)
    put_word(place(lists, L_WHO), k, who)


@kernel
def fill_index(rows: I64, index: I64) -> None:
    """Put all rows into an empty index; of equal ones the first is found."""
    table, slots = base(rows), base(index)
    for i in range(rows.shape[0]):
        row = i * S_SIZE
        spi = word(table, row + S_SPI)
        dst0, dst1 = word(table, row + S_DST), word(table, row + S_DST + 1)
        at = first_slot(slots, spi, dst0, dst1, word(table, row + S_SRC), word(table, row + S_SRC1))
        while word(slots, X_SLOTS + at) != 0:
            at = at + 1 & word(slots, X_MASK)
        put_word(slots, X_SLOTS + at, i + 1)
