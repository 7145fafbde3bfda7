# SPDX-License-Identifier: BSD-3-Clause
"""Who was bound where, and until when: from looks at a binding cache."""

from __future__ import annotations

import pytest

from kame_py.boot import boot
from kame_py.kern.clock import NS, VirtualClock
from kame_py.kern.conf import KernConf
from kame_py.mip6.mip6_bc import mip6_bc_put, mip6_bc_remove, mip6_bc_set
from kame_py.mip6.mip6_bcache import CACHE
from kame_py.mip6.mip6_var import Mip6State, mip6_state
from kame_py.replay import bindings
from kame_py.replay.bindings import EXPIRED, MOVED, REMOVED, Bindings
from kame_py.replay.signal import Signal
from tests.unit.replay.captures import addr

HOME, HERE = addr("2001:db8:1::7"), addr("2001:db8:9::1")
AWAY, FAR = addr("2001:db8:2::7"), addr("2001:db8:3::7")


class Node:
    """A kernel with a binding cache, its clock, and who looks at it."""

    def __init__(self) -> None:
        self.clock = VirtualClock(0, 0)
        self.kern = boot("cn", KernConf(frozenset({"MIP6"}), 1, 0), self.clock, 1)
        self.bindings = Bindings("cn")

    @property
    def state(self) -> Mip6State:
        return mip6_state(self.kern)

    def bind(self, care_of: bytes, seqno: int, expire_s: int, home: bytes = HOME) -> None:
        row = mip6_bc_put(self.kern, HERE, home, care_of, 0, seqno, 0, 60)
        self.state.bcache.expire[row] = expire_s * NS

    def forget(self) -> None:
        for row in list(self.state.bcache.rows(CACHE)):
            mip6_bc_remove(self.kern, row)

    def look(self, t_s: float) -> None:
        self.clock.t = round(t_s * NS)
        self.bindings.look(self.kern, self.clock.t)

    def told(self) -> list[tuple[bytes, float, float | None, str, int]]:
        return [
            (
                span.care_of,
                span.from_ns / NS,
                None if span.until_ns is None else span.until_ns / NS,
                span.ended,
                span.updates,
            )
            for span in self.bindings.spans
        ]


def test_a_binding_that_moves_is_two_stretches() -> None:
    node = Node()
    node.look(1)
    node.bind(AWAY, 1, 100)
    node.look(2)
    node.bind(FAR, 2, 100)
    node.look(5)
    assert node.told() == [(AWAY, 2.0, 5.0, MOVED, 1), (FAR, 5.0, None, "", 1)]


def test_refreshments_are_counted() -> None:
    node = Node()
    for seqno, t_s in ((1, 1), (1, 2), (2, 3), (3, 4)):
        node.bind(AWAY, seqno, 100)
        node.look(t_s)
    assert node.told() == [(AWAY, 1.0, None, "", 3)]


def test_a_binding_ends_when_its_time_is_over_not_when_somebody_looks() -> None:
    node = Node()
    node.bind(AWAY, 1, 10)
    node.look(1)
    node.forget()
    node.look(30)
    assert node.told() == [(AWAY, 1.0, 10.0, EXPIRED, 1)]


def test_an_entry_that_outlived_its_time_is_none() -> None:
    node = Node()
    node.bind(AWAY, 1, 10)
    node.look(9.999)
    assert node.told() == [(AWAY, 9.999, None, "", 1)]
    node.look(10)
    assert node.told() == [(AWAY, 9.999, 10.0, EXPIRED, 1)]


def test_a_binding_that_is_taken_away_ends_then() -> None:
    node = Node()
    node.bind(AWAY, 1, 10)
    node.look(1)
    node.forget()
    node.look(4)
    assert node.told() == [(AWAY, 1.0, 4.0, REMOVED, 1)]


@pytest.mark.parametrize("few", [bindings.FEW, 0])
def test_a_binding_that_comes_back_to_life_is_another_one(
    few: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody looked while its time was over."""
    node = Node()
    node.bind(AWAY, 1, 10)
    node.look(9.5)
    monkeypatch.setattr(bindings, "FEW", few)
    node.bind(AWAY, 2, 100)
    node.clock.t = round(10.2 * NS)
    node.bindings.look(node.kern, node.clock.t, Signal("BU", "", HOME, HERE))
    assert node.told() == [(AWAY, 9.5, 10.0, EXPIRED, 1), (AWAY, 10.2, None, "", 1)]


def test_home_registrations_are_told_apart() -> None:
    node = Node()
    node.bind(AWAY, 1, 100)
    cache = node.state.bcache
    row = cache.new(HERE, HOME, cache.new_hr(node.kern.ifnets[0]))
    mip6_bc_set(node.kern, cache, row, HOME, FAR, 0, 1, 0, 60)
    node.look(1)
    kinds = {span.kind: span.care_of for span in node.bindings.spans}
    assert kinds == {bindings.CACHE: AWAY, bindings.HOME: FAR}


def test_a_flood_does_not_fill_the_memory() -> None:
    node = Node()
    for n in range(bindings.SPANS_MAX + 5):
        node.bind(FAR if n % 2 else AWAY, n, 100)
        node.look(1 + n / 1000)
    assert len(node.bindings.spans) == bindings.SPANS_MAX
    assert node.bindings.left_out == 5


def test_a_large_cache_is_looked_at_where_a_message_was_about() -> None:
    node = Node()
    homes = [n.to_bytes(16, "big") for n in range(bindings.FEW + 1)]
    for home in homes:
        node.bind(AWAY, 1, 100, home)
    node.look(1)
    assert len(node.bindings.spans) == len(homes)
    node.bind(FAR, 2, 100, homes[0])
    node.bind(FAR, 2, 100, homes[1])
    node.clock.t = round(1.5 * NS)
    node.bindings.look(node.kern, node.clock.t, Signal("BU", "", homes[0], HERE))
    assert [t for _, _, t, _, _ in node.told() if t is not None] == [1.5]
    node.look(2)
    assert [t for _, _, t, _, _ in node.told() if t is not None] == [1.5, 2.0]
    assert len(node.bindings.spans) == len(homes) + 2


def test_a_kernel_without_mobility_has_none() -> None:
    plain = boot("h", KernConf(), VirtualClock(0, 0), 1)
    seen = Bindings("h")
    seen.look(plain, 0)
    assert seen.spans == []
