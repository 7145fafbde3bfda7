# SPDX-License-Identifier: BSD-3-Clause
"""The vector path rests where it does not pay, and only where that was left to it."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest

from kame_py.replay import bulk, runner
from kame_py.replay.runner import Fast, ReplayOptions, ReplayResult, replay
from kame_py.replay.thrift import BLOCK, PAUSE_MAX, PAUSE_MIN, WINDOW, Thrift
from kame_py.replay.verdict import Verdict
from tests.unit.replay.captures import OTHER_MAC, capture, echo, ether

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer as Buffer

MAC = bytes.fromhex("020000000055")
REST = "no gain in batches"


def rests(thrift: Thrift, gain: int, blocks: int) -> list[int]:
    """Which of the next blocks go one by one, when every other one gains that."""
    found = []
    for n in range(blocks):
        if thrift.rests:
            found.append(n)
        for last in (n * BLOCK + 5, (n + 1) * BLOCK):  # a block may come in pieces
            thrift.done(last, 0 if thrift.rests or last % BLOCK else gain)
    return found


def test_what_pays_goes_on() -> None:
    assert rests(Thrift(), 0, 1000) == []


def test_it_rests_longer_each_time_it_tried_in_vain() -> None:
    pauses, at = [], 0
    found = rests(Thrift(), -1, 400)
    for n in range(400):
        if n not in found and at:
            pauses.append(at)
        at = at + 1 if n in found else 0
    assert found[0] == WINDOW
    assert pauses[:5] == [PAUSE_MIN, 2 * PAUSE_MIN, 4 * PAUSE_MIN, PAUSE_MAX, PAUSE_MAX]


def test_one_good_batch_begins_anew() -> None:
    thrift = Thrift()
    assert rests(thrift, -1, WINDOW + PAUSE_MIN) == list(range(WINDOW, WINDOW + PAUSE_MIN))
    assert rests(thrift, 1, 1) == []
    assert rests(thrift, -1, WINDOW + 2 * PAUSE_MIN) == [
        *range(WINDOW - 1, WINDOW - 1 + PAUSE_MIN),
        *range(WINDOW + PAUSE_MIN, WINDOW + 2 * PAUSE_MIN),
    ]


def test_a_bad_batch_among_good_ones_is_borne() -> None:
    thrift = Thrift()
    assert rests(thrift, 5, WINDOW) == [] and rests(thrift, -14, 1) == []
    assert rests(thrift, 5, 3) == []


def test_who_is_eager_never_rests() -> None:
    assert rests(Thrift(eager=True), -1, 1000) == []


def begins_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where the kernels are not compiled."""
    monkeypatch.setattr(runner, "AUTO_PACKETS", 1)
    monkeypatch.setattr(bulk, "COMPILED", True)
    monkeypatch.setattr(bulk, "ready", lambda: True)


class Pipe(io.RawIOBase):
    """Octets that come in pieces of some size."""

    def __init__(self, octets: bytes, size: int) -> None:
        self._octets = io.BytesIO(octets)
        self._size = size

    def readable(self) -> bool:
        return True

    def readinto(self, into: Buffer, /) -> int:
        view = memoryview(into).cast("B")
        return self._octets.readinto(view[: self._size])


def played(fast: Fast, octets: bytes) -> tuple[ReplayResult, list[Verdict]]:
    verdicts: list[Verdict] = []
    options = ReplayOptions(lladdr=MAC, fast=fast)
    return replay(io.BytesIO(octets), options, verdicts=verdicts.append), verdicts


@pytest.mark.parametrize(("strangers", "resting"), [(0, True), (2, False)])
def test_a_capture_that_goes_one_by_one_anyway_is_not_looked_at_in_batches(
    monkeypatch: pytest.MonkeyPatch, strangers: int, resting: bool
) -> None:
    begins_at_once(monkeypatch)
    kinds = [ether(echo())] + [ether(echo(), dst=OTHER_MAC)] * strangers
    count = (WINDOW + 3) * BLOCK
    octets = capture(*((0, kinds[n % len(kinds)]) for n in range(count))).getvalue()
    slow, expected = played(Fast.OFF, octets)
    for fast in (Fast.AUTO, Fast.ON):
        result, verdicts = played(fast, octets)
        assert verdicts == expected and result.fates == slow.fates
        assert result.in_bulk + sum(result.punts.values()) == count - 1
        rested = result.punts.get(REST, 0)
        assert rested == (3 * BLOCK if resting and fast is Fast.AUTO else 0)


@pytest.mark.parametrize("size", [700, 70_000])
def test_it_rests_from_the_same_packet_on_however_the_octets_come(
    monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    begins_at_once(monkeypatch)
    octets = capture(*((0, ether(echo())) for _ in range(7 * BLOCK))).getvalue()
    result, _ = played(Fast.AUTO, octets)
    piped = io.BufferedReader(Pipe(octets, size), size)
    assert replay(piped, ReplayOptions(lladdr=MAC)).punts == result.punts
