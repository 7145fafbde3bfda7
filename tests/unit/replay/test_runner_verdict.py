# SPDX-License-Identifier: BSD-3-Clause
"""The log of verdicts: each packet once, in order, whatever is held."""

from __future__ import annotations

import json

import pytest

from kame_py.replay.verdict import FATES, Verdict, VerdictLog


def test_verdicts_are_told_in_order_although_the_first_packet_is_held() -> None:
    told: list[Verdict] = []
    log = VerdictLog(told.append)
    for t in (10, 20, 30):
        log.arrive(t)
    log.settle(3, "dropped", "IP6_BADVERS")
    log.settle(2, "consumed")
    assert told == []
    log.settle(1, "delivered")
    assert told == [
        Verdict(1, 10, "delivered", None),
        Verdict(2, 20, "consumed", None),
        Verdict(3, 30, "dropped", "IP6_BADVERS"),
    ]


def test_a_packet_without_verdict_at_the_end_is_held() -> None:
    told: list[Verdict] = []
    log = VerdictLog(told.append)
    log.arrive(1)
    log.arrive(2)
    log.settle(2, "own")
    log.finish()
    assert told == [Verdict(1, 1, "held", None), Verdict(2, 2, "own", None)]
    assert log.fates() == {**dict.fromkeys(FATES, 0), "held": 1, "own": 1}


def test_a_second_verdict_is_an_error() -> None:
    log = VerdictLog()
    log.arrive(1)
    log.settle(1, "own")
    with pytest.raises(KeyError):
        log.settle(1, "own")


def test_counts_need_no_listener() -> None:
    log = VerdictLog()
    for n, reason in enumerate(("B", "A", "B"), 1):
        log.arrive(n)
        log.settle(n, "dropped", reason)
    assert log.drops() == {"A": 1, "B": 2}
    assert sum(log.fates().values()) == log.packets == 3


def test_a_line_keeps_every_digit_of_the_time() -> None:
    line = Verdict(7, 1_795_407_043_250_211_009, "dropped", "ETHER_TYPE").json_line()
    assert '"t": 1795407043.250211009' in line
    assert json.loads(line)["reason"] == "ETHER_TYPE"
    assert json.loads(Verdict(1, 5, "own", None).json_line())["reason"] is None
