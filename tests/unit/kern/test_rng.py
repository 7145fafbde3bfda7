# SPDX-License-Identifier: BSD-3-Clause
"""Random streams repeat, and do not disturb each other."""

from kame_py.kern.rng import Rng


def test_streams_repeat_for_the_same_seed_node_and_name() -> None:
    a, b = Rng(7, "ha").stream("nd6"), Rng(7, "ha").stream("nd6")
    assert [a.u64() for _ in range(4)] == [b.u64() for _ in range(4)]


def test_drawing_from_one_stream_leaves_the_others_alone() -> None:
    quiet, busy = Rng(7, "ha"), Rng(7, "ha")
    for _ in range(100):
        busy.stream("other").u64()
    assert quiet.stream("nd6").u64() == busy.stream("nd6").u64()


def test_seed_node_and_name_each_make_another_stream() -> None:
    draws = {
        Rng(7, "ha").stream("nd6").u64(),
        Rng(8, "ha").stream("nd6").u64(),
        Rng(7, "mn").stream("nd6").u64(),
        Rng(7, "ha").stream("mld").u64(),
    }
    assert len(draws) == 4


def test_ranges_hold_and_are_filled() -> None:
    s = Rng(1).stream("x")
    assert {s.between(3, 5) for _ in range(200)} == {3, 4, 5}
    assert {s.below(2) for _ in range(50)} == {0, 1}
    assert s.below(0) == 0
    assert not any(s.chance(0.0) for _ in range(50))
    assert 350 < sum(s.chance(0.2) for _ in range(2000)) < 450
    assert len(s.bytes(13)) == 13
