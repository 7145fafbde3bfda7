# SPDX-License-Identifier: BSD-3-Clause
"""What a link does to frames, by seed."""

from __future__ import annotations

from kame_py.kern.clock import MS, NS
from kame_py.lab.impair import IFQ_MAXLEN, REORDER_EXTRA_NS, Impairer, Impairment

FRAME = bytes(14) + b"\x60" + bytes(99)
ROUNDS = 2000


def arrivals(value: Impairment, seed: int = 1, step_ns: int = MS) -> list[tuple[int, ...]]:
    """Arrival times of ROUNDS frames sent step_ns apart."""
    impairer = Impairer("lan", seed, value)
    return [
        tuple(c.t_ns for c in impairer.pass_frame(i * step_ns, FRAME).copies) for i in range(ROUNDS)
    ]


def test_without_harm_a_frame_arrives_after_the_delay() -> None:
    assert arrivals(Impairment(delay_ns=3)) == [(i * MS + 3,) for i in range(ROUNDS)]


def test_loss_is_near_its_probability() -> None:
    lost = sum(not a for a in arrivals(Impairment(loss=0.1)))
    assert 160 < lost < 240


def test_loss_of_one_loses_all_and_of_zero_nothing() -> None:
    assert not any(arrivals(Impairment(loss=1.0)))
    assert all(arrivals(Impairment(loss=0.0, jitter_ns=1)))


def test_same_seed_same_losses_other_seed_others() -> None:
    assert arrivals(Impairment(loss=0.3), seed=7) == arrivals(Impairment(loss=0.3), seed=7)
    assert arrivals(Impairment(loss=0.3), seed=7) != arrivals(Impairment(loss=0.3), seed=8)


def test_jitter_does_not_change_which_frames_are_lost() -> None:
    plain = [bool(a) for a in arrivals(Impairment(loss=0.3))]
    assert [bool(a) for a in arrivals(Impairment(loss=0.3, jitter_ns=9 * MS))] == plain


def test_jitter_stays_in_bounds_and_keeps_frames_in_order() -> None:
    times = [a[0] for a in arrivals(Impairment(delay_ns=2 * MS, jitter_ns=5 * MS))]
    assert times == sorted(times)
    assert all(2 * MS <= t - i * MS <= 7 * MS for i, t in enumerate(times))
    assert len({t - i * MS for i, t in enumerate(times)}) > ROUNDS // 4


def test_a_reordered_frame_falls_behind_later_ones() -> None:
    times = [a[0] for a in arrivals(Impairment(reorder=0.05))]
    late = [t for i, t in enumerate(times) if t == i * MS + REORDER_EXTRA_NS]
    assert 60 < len(late) < 140
    assert times != sorted(times)


def test_duplicates_are_near_their_probability() -> None:
    doubled = sum(len(a) == 2 for a in arrivals(Impairment(duplicate=0.2)))
    assert 330 < doubled < 470


def test_corruption_flips_one_bit_behind_the_ethernet_header() -> None:
    harm = Impairer("lan", 1, Impairment(corrupt=1.0)).pass_frame(0, FRAME)
    (copy,) = harm.copies
    changed = [(a ^ b).bit_count() for a, b in zip(FRAME, copy.frame, strict=True)]
    assert sum(changed) == 1
    assert sum(changed[:14]) == 0
    assert "bit" in harm.note


def test_rate_spaces_frames_by_their_length() -> None:
    rate = len(FRAME) * 8 * 10  # ten frames a second
    times = [a[0] for a in arrivals(Impairment(rate_bps=rate), step_ns=NS // 20)[:10]]
    assert times == [(i + 1) * NS // 10 for i in range(10)]


def test_a_slow_link_drops_what_its_queue_cannot_hold() -> None:
    impairer = Impairer("lan", 1, Impairment(rate_bps=1000))
    passed = [bool(impairer.pass_frame(0, FRAME).copies) for _ in range(IFQ_MAXLEN + 5)]
    assert passed == [True] * (IFQ_MAXLEN + 1) + [False] * 4
    assert impairer.pass_frame(0, FRAME).note == "queue of the link is full"


def test_a_shorter_delay_later_does_not_overtake() -> None:
    impairer = Impairer("lan", 1, Impairment(delay_ns=100))
    impairer.change(jitter_ns=0)
    first = impairer.pass_frame(0, FRAME).copies[0].t_ns
    impairer.change(delay_ns=1)
    assert impairer.pass_frame(10, FRAME).copies[0].t_ns == first
