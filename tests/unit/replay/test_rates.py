# SPDX-License-Identifier: BSD-3-Clause
"""Packets over time: short stretches for a short capture, long ones for a long one."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from kame_py.replay.rates import FIRST_NS, SLOTS, Rates

NS = 1_000_000_000


def test_a_short_capture_has_short_stretches() -> None:
    rates = Rates()
    for t_ns in (5 * NS, 5 * NS + 999, 5 * NS + 1000):
        rates.add(t_ns, "dropped")
    assert rates.start_ns == 5 * NS and rates.width_ns == FIRST_NS
    assert rates.slots == {"dropped": [2, 1]}


def test_stretches_are_added_up_when_time_goes_on() -> None:
    rates = Rates()
    for slot in range(SLOTS):
        rates.add(slot * FIRST_NS, "own")
    assert rates.slots["own"] == [1] * SLOTS
    rates.add(SLOTS * FIRST_NS, "own")
    assert rates.width_ns == 2 * FIRST_NS
    assert rates.slots["own"] == [2] * (SLOTS // 2) + [1]


def test_kinds_are_summed_where_one_is_shorter() -> None:
    rates = Rates()
    rates.add(0, "own")
    rates.add(2 * FIRST_NS, "held", 3)
    assert rates.totals() == [1, 0, 3]


@given(st.lists(st.tuples(st.integers(0, 1 << 62), st.sampled_from(["own", "held"]))))
def test_nothing_is_lost_and_memory_is_bounded(packets: list[tuple[int, str]]) -> None:
    rates = Rates()
    for t_ns, kind in packets:
        rates.add(t_ns, kind)
    assert sum(rates.totals()) == len(packets)
    assert len(rates.totals()) <= SLOTS
