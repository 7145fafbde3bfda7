# SPDX-License-Identifier: BSD-3-Clause
"""The columns of the binding cache against plain dictionaries, and who is due when."""

from __future__ import annotations

from array import array
from collections.abc import Callable
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kame_py.boot import boot
from kame_py.kern.clock import NS, VirtualClock
from kame_py.kern.conf import KernConf
from kame_py.kern.kernel import Kernel
from kame_py.mip6 import mip6_bcache
from kame_py.mip6.mip6_bc import mip6_bc_lookup, mip6_bc_put, mip6_bc_remove, mip6_bc_used
from kame_py.mip6.mip6_bcache import BLOCK, CACHE, HOME, NEVER, Bcache
from kame_py.mip6.mip6_state import BcSt
from kame_py.mip6.mip6_var import mip6_state

OWN = [bytes(15) + bytes([n]) for n in (1, 2)]
NODES = [b"\x20" + bytes(14) + bytes([n]) for n in range(12)]
AWAY = b"\x30" + bytes(15)


def kernel() -> Kernel:
    return boot("cn", KernConf(frozenset({"MIP6"})), VirtualClock(0))


def put(kern: Kernel, node: int, lifetime_s: int = 100, own: int = 0) -> int:
    return mip6_bc_put(kern, OWN[own], NODES[node], AWAY, 0, 0, 0, lifetime_s)


def kept(kern: Kernel) -> list[bytes]:
    cache = mip6_state(kern).bcache
    return [cache.get_hoa(row) for row in cache.rows(CACHE)]


def pass_to(kern: Kernel, second: int) -> None:
    """Time passes, every timer at its own time."""
    clock = kern.clock
    assert isinstance(clock, VirtualClock)
    while (deadline := kern.next_deadline()) is not None and deadline <= second * NS:
        clock.t = max(clock.t, deadline)
        kern.advance(clock.t)
    clock.t = second * NS


# -- rows and their names -------------------------------------------------------------------------

_STEPS = st.tuples(st.sampled_from("anrt"), st.integers(0, 11), st.integers(0, 1))


@given(st.lists(_STEPS, max_size=200), st.booleans())
@settings(deadline=None)
def test_columns_hold_what_a_dictionary_would(
    steps: list[tuple[str, int, int]], crowded: bool
) -> None:
    """Add, remove, touch in any order; crowded: all home addresses hash to one of two slots."""
    with patch.object(mip6_bcache, "hash", _crowd if crowded else hash, create=True):
        _compare(Bcache(), steps)


def _crowd(hoa: bytes) -> int:
    """The last slot and the first one."""
    return hoa[-1] & 1 or 31


def _compare(cache: Bcache, steps: list[tuple[str, int, int]]) -> None:
    model: dict[tuple[bytes, bytes], int] = {}
    for what, node, own in steps:
        key = OWN[own], NODES[node]
        row = cache.find(*key)
        assert row == model.get(key, 0)
        if what in "an" and not row:
            row = cache.new(*key)
            cache.link(row)
            cache.wait(row, 5)
            model[key] = row
        elif what == "r" and row:
            cache.unlink(row)
            del model[key]
        elif what == "t" and row:
            cache.touch(row)
            model[key] = model.pop(key)
    assert list(cache.rows(CACHE)) == list(model.values())
    assert cache.correspondents == len(model)
    assert {key: cache.find(*key) for key in model} == model
    assert [row for row, s in enumerate(cache.due) if s != NEVER] == sorted(model.values())


def test_a_home_registration_and_a_binding_of_one_home_address_stand_beside_each_other() -> None:
    cache = Bcache()
    home, plain = cache.new(OWN[0], NODES[0], 7), cache.new(OWN[0], NODES[0])
    cache.link(home)
    cache.link(plain)
    assert (cache.find_home(NODES[0]), cache.find(OWN[0], NODES[0])) == (home, plain)
    assert (list(cache.rows(HOME)), list(cache.rows(CACHE))) == ([home], [plain])
    cache.unlink(home)
    assert (cache.find_home(NODES[0]), cache.find(OWN[0], NODES[0])) == (0, plain)


def test_many_rows_are_found_after_the_columns_and_the_table_grew() -> None:
    cache = Bcache()
    hoas = [b"\x20" + bytes(11) + n.to_bytes(4, "big") for n in range(3000)]
    rows = []
    for hoa in hoas:
        rows.append(cache.new(OWN[0], hoa))
        cache.link(rows[-1])
    assert [cache.find(OWN[0], hoa) for hoa in hoas] == rows
    assert [cache.get_hoa(row) for row in rows] == hoas


def test_home_registrations_are_found_by_any_column() -> None:
    cache = Bcache()
    rows = [cache.new(OWN[0], hoa, reg) for reg, hoa in enumerate(NODES[:3], 1)]
    for row, coa in zip(rows, (AWAY, NODES[0], AWAY), strict=True):
        cache.link(row)
        first = row << mip6_bcache.ADDR_SHIFT
        cache.coa[first : first + mip6_bcache.ADDR_LEN] = coa
    assert list(cache.homes_by(cache.coa, AWAY)) == [rows[0], rows[2]]
    cache.unlink(rows[0])
    assert list(cache.homes_by(cache.coa, AWAY)) == [rows[2]]


# -- the least recently used one ------------------------------------------------------------------


def test_the_least_recently_used_binding_gives_way() -> None:
    kern = kernel()
    mip6_state(kern).bc_maxentries = 3
    for node in (0, 1, 2):
        put(kern, node)
    bc = mip6_bc_lookup(kern, OWN[0], NODES[0])
    assert bc is not None
    mip6_bc_used(kern, bc)
    put(kern, 1)
    put(kern, 3)
    assert kept(kern) == [NODES[0], NODES[1], NODES[3]]


# -- time -----------------------------------------------------------------------------------------


def test_each_binding_ends_in_its_own_second() -> None:
    kern = kernel()
    for node, lifetime_s in enumerate((5, 3, 9, 3)):
        put(kern, node, lifetime_s)
    seen = []
    for second in range(11):
        pass_to(kern, second)
        seen.append(len(kept(kern)))
    assert seen == [4, 4, 4, 2, 2, 1, 1, 1, 1, 0, 0]


def test_the_last_quarter_and_the_end_are_told_apart() -> None:
    kern = kernel()
    row = put(kern, 0, 40)
    cache = mip6_state(kern).bcache
    pass_to(kern, 30)
    assert mip6_bcache.BC_STATES[cache.st[row]] is BcSt.BOUND
    pass_to(kern, 31)
    assert mip6_bcache.BC_STATES[cache.st[row]] is BcSt.BRWANTED
    pass_to(kern, 39)
    assert kept(kern) == [NODES[0]]
    pass_to(kern, 40)
    assert kept(kern) == []


def test_a_refreshed_binding_does_not_end_when_it_would_have() -> None:
    kern = kernel()
    put(kern, 0, 3)
    pass_to(kern, 2)
    put(kern, 0, 3)
    pass_to(kern, 4)
    assert kept(kern) == [NODES[0]]
    pass_to(kern, 5)
    assert kept(kern) == []


def test_an_earlier_end_than_all_others_sets_the_timer_anew() -> None:
    kern = kernel()
    put(kern, 0, 1000)
    put(kern, 1, 2)
    pass_to(kern, 2)
    assert kept(kern) == [NODES[0]]


def test_nothing_waits_for_an_empty_cache() -> None:
    kern = kernel()
    before = kern.next_deadline()
    mip6_bc_remove(kern, put(kern, 0, 3))
    assert kern.next_deadline() == before


# -- the sweep ------------------------------------------------------------------------------------

Sweep = Callable[["array[int]", "array[int]", int], tuple[list[int], int]]


def _vectors() -> Sweep:
    pytest.importorskip("numpy", reason="the vector sweep needs numpy")
    from kame_py.fast.expiry import sweep

    return sweep


def _columns(seconds: list[int], wrong: int) -> tuple[array[int], array[int]]:
    """Rows with their blocks' least; every so manieth block tells less than that."""
    due = array("I", seconds)
    low = array("I", [min(due[at : at + BLOCK]) for at in range(0, len(due), BLOCK)])
    for block in range(0, len(low), wrong):
        low[block] = 0
    return due, low


_SECONDS = st.lists(st.one_of(st.integers(0, 20), st.just(NEVER)), min_size=1, max_size=40)


@given(_SECONDS, st.integers(1, 3 * BLOCK), st.integers(0, 21), st.integers(1, 3))
@settings(deadline=None)
def test_vectors_find_what_python_finds(
    pattern: list[int], rows: int, now_s: int, wrong: int
) -> None:
    vectors = _vectors()
    seconds = (pattern * (rows // len(pattern) + 1))[:rows]
    due, low = _columns(seconds, wrong)
    other = array("I", low)
    found = mip6_bcache.sweep(due, low, now_s)
    assert vectors(due, other, now_s) == found
    assert other == low
    assert found[0] == [row for row, second in enumerate(seconds) if second <= now_s]
    assert found[1] <= min((s for s in seconds if s > now_s), default=NEVER)


def test_a_sweep_in_vectors_lets_the_cache_grow_afterwards() -> None:
    kern = kernel()
    mip6_state(kern).bcache.sweep = _vectors()
    put(kern, 0, 2)
    pass_to(kern, 2)
    for n in range(2000):
        mip6_bc_put(kern, OWN[0], n.to_bytes(16, "big"), AWAY, 0, 0, 0, 5)
    pass_to(kern, 6)
    assert len(kept(kern)) == 2000
    pass_to(kern, 7)
    assert kept(kern) == []
