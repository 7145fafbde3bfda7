# SPDX-License-Identifier: BSD-3-Clause
"""Callouts run in order of deadline, then of setting; stopped ones never run."""

from kame_py.kern.callout import SWEEP_MIN, CalloutQueue


def test_callouts_run_by_deadline_then_in_the_order_they_were_set() -> None:
    q, ran = CalloutQueue(), []
    q.at(20, ran.append, "late")
    q.at(10, ran.append, "first")
    q.at(10, ran.append, "second")
    assert q.next_deadline() == 10
    assert q.run(9) == 0
    assert q.run(10) == 2
    assert ran == ["first", "second"]
    assert q.next_deadline() == 20


def test_a_stopped_callout_neither_runs_nor_shows_as_deadline() -> None:
    q, ran = CalloutQueue(), []
    c = q.at(5, ran.append, "x")
    q.at(7, ran.append, "y")
    c.stop()
    assert not c.pending
    assert q.next_deadline() == 7
    q.run(100)
    assert ran == ["y"]
    assert q.next_deadline() is None


def test_what_a_callout_sets_for_now_runs_in_the_same_call() -> None:
    q, ran = CalloutQueue(), []
    q.at(5, lambda: q.at(5, ran.append, "child"))
    assert q.run(5) == 2
    assert ran == ["child"]


def test_callouts_that_were_stopped_do_not_pile_up() -> None:
    q = CalloutQueue()
    ran: list[int] = []
    keep = [q.at(1_000_000 + i, ran.append, i) for i in range(10)]
    for i in range(100_000):
        q.at(10**18 + i, ran.append, -1).stop()
    assert len(q) <= 2 * SWEEP_MIN
    assert q.run(2_000_000) == len(keep) and ran == list(range(10))
