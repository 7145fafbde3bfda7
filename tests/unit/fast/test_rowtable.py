# SPDX-License-Identifier: BSD-3-Clause
"""The table of rows by address: what was put is found, by its whole key, wherever it lies."""

from __future__ import annotations

from typing import Final

import pytest

np = pytest.importorskip("numpy")
kernels = pytest.importorskip("kame_py.fast.kernels")
layout = pytest.importorskip("kame_py.fast.layout")

SIZE: Final = 1 << 10


class Table:
    """A table with room for SIZE rows, row 0 among them. slots: of its index."""

    def __init__(self, slots: int = 2 * SIZE) -> None:
        self.rows = np.zeros((SIZE, layout.R_SIZE), np.int64)
        self.rows[0, layout.R_INFO] = layout.K_DEAD
        self.index = np.zeros(slots, np.uint32)
        self.env = np.zeros(layout.E_MACS, np.int64)
        self.env[layout.E_MASK] = slots - 1
        self.env[layout.E_SECRET0 : layout.E_SECRET1 + 1] = 0x1234567, -0x7654321
        self.taken = 1

    def put(self, keys: object, info: int = layout.K_NOTOURS) -> None:
        keys = np.asarray(keys, np.int64).reshape(-1, 2)
        new = np.zeros((len(keys), layout.R_SIZE), np.int64)
        new[:, : layout.R_KEY1 + 1] = keys
        new[:, layout.R_INFO] = info
        self.taken = kernels.put_rows(self.rows, self.index, self.env, self.taken, new)

    def find(self, k0: int, k1: int) -> int:
        return int(kernels.find_row(self.rows, self.index, self.env, k0, k1))

    def kill(self, keys: list[tuple[int, int]]) -> int:
        given = np.array(keys, np.int64).reshape(-1)
        return int(kernels.kill_rows(self.rows, self.index, self.env, given))


def test_every_address_has_its_own_row() -> None:
    table = Table()
    keys = [(k * 7919, -k) for k in range(1, SIZE)]
    table.put(keys)
    assert [table.find(*key) for key in keys] == list(range(1, SIZE))
    assert table.taken == SIZE


def test_an_address_that_was_not_put_has_none() -> None:
    table = Table()
    table.put([(1, 2), (3, 4)])
    assert [table.find(*key) for key in ((1, 4), (3, 2), (2, 1), (0, 0))] == [0, 0, 0, 0]


def test_half_a_key_is_not_enough_even_where_all_lie_in_one_slot() -> None:
    """The index is so short that searches pass over rows of other addresses."""
    table = Table(slots=64)
    keys = [(a, b) for a in range(1, 8) for b in range(8)]
    table.put(keys)
    assert [table.find(*key) for key in keys] == list(range(1, len(keys) + 1))
    assert table.find(8, 0) == table.find(1, 8) == 0


def test_an_address_that_is_put_again_keeps_its_row() -> None:
    table = Table()
    table.put([(1, 2), (3, 4)])
    table.put([(1, 2)], layout.K_LOCAL)
    assert table.taken == 3
    assert table.rows[table.find(1, 2), layout.R_INFO] == layout.K_LOCAL


def test_killed_rows_are_dead_and_counted_once() -> None:
    table = Table()
    table.put([(1, 2), (3, 4)])
    assert table.kill([(3, 4), (5, 6)]) == 1
    assert table.rows[table.find(3, 4), layout.R_INFO] == layout.K_DEAD
    assert table.rows[table.find(1, 2), layout.R_INFO] == layout.K_NOTOURS
    assert table.kill([(3, 4)]) == 0


def test_dead_rows_are_not_taken_over_into_another_table() -> None:
    old, table = Table(), Table()
    old.put([(1, 2), (3, 4)])
    old.kill([(1, 2)])
    table.taken = kernels.put_rows(
        table.rows, table.index, table.env, 1, old.rows[: old.taken].copy()
    )
    assert table.taken == 2
    assert table.find(1, 2) == 0
    assert table.find(3, 4) == 1


def test_marked_addresses_are_known_after_the_table_grew() -> None:
    table, marks = Table(), np.zeros(256, np.int64)
    keys = np.array([(k, -k) for k in range(100)], np.int64).reshape(-1)
    assert kernels.mark(marks, table.env, keys) == 100
    assert kernels.mark(marks, table.env, keys[:20].copy()) == 0
    more = np.zeros(1024, np.int64)
    kernels.take_marks(more, marks)
    assert np.count_nonzero(more) == 100
    for k in range(100):
        assert kernels.is_marked(more, table.env, np.array((k, -k)))
        assert not kernels.is_marked(more, table.env, np.array((k, -k - 1)))


def test_one_marked_address_among_others_is_seen() -> None:
    table, marks = Table(), np.zeros(16, np.int64)
    kernels.mark(marks, table.env, np.array((5, 6)))
    assert kernels.is_marked(marks, table.env, np.array((1, 2, 3, 4, 5, 6)))
    assert not kernels.is_marked(marks, table.env, np.array((1, 2, 3, 4, 6, 5)))


def test_sequential_addresses_do_not_crowd_in_the_table() -> None:
    for place in range(16):
        octets = np.zeros((SIZE - 1, 16), np.uint8)
        octets[:, 0] = 0x20
        octets[:, place] += np.arange(SIZE - 1, dtype=np.uint16).astype(np.uint8)
        octets[:, (place + 9) % 16] = np.arange(SIZE - 1) >> 8
        table = Table(slots=1 << 20)  # so many that each lies where its search begins
        table.put(octets.view(np.int64))
        assert table.taken == SIZE
        homes = np.unique(np.flatnonzero(table.index) % (2 * SIZE))
        assert len(homes) > 0.7 * SIZE  # 0.79 by chance
