# SPDX-License-Identifier: BSD-3-Clause
"""Every row of the table of associations, driven by PF_KEY messages, packets and time."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from kame_py.netkey import key_sad
from kame_py.netkey.key_sad import key_sa_recordxfer
from kame_py.netkey.key_sastate import SA_NAMES, SA_TABLE, SaAct, SaEv
from kame_py.netkey.keydb import Secasvar
from kame_py.wire import pfkeyv2 as k
from kame_py.wire.pfkey import SadbMsg, SadbSpirange, sadb
from tests.unit.netkey.key_node import Node, Prog, ah, by_spi, ends, limits, sa

LARVAL, MATURE = k.SADB_SASTATE_LARVAL, k.SADB_SASTATE_MATURE
DYING, DEAD = k.SADB_SASTATE_DYING, k.SADB_SASTATE_DEAD
GETSPI = sadb(k.SADB_GETSPI, k.SADB_SATYPE_AH, *ends(), SadbSpirange(1500, 1500))
SHORT = limits({"addtime": 20, "allocations": 9}, {"addtime": 10, "allocations": 2})
UPDATE = ah(1500, *SHORT, type=k.SADB_UPDATE)
ADD = ah(1500, *SHORT)


class Stage(Node):
    """A node with one association in a state, and what happens around it."""

    def __init__(self, state: int) -> None:
        super().__init__()
        self.ike = Prog(self.kern)
        self.ike.ask(sadb(k.SADB_REGISTER, k.SADB_SATYPE_AH))
        if state == LARVAL:
            self.say(GETSPI)
        else:
            self.say(ADD)
        if state == DYING:
            self.wait(10)
        self.sav = self.only()
        assert self.sav.state == state
        self.ike.heard()
        self.told = 0
        self.kern.key.on_change.append(self.count)

    def count(self) -> None:
        self.told += 1

    def only(self) -> Secasvar:
        sav: Secasvar
        ((sav,),) = self.kern.key.sad.values()
        return sav

    def say(self, msg: SadbMsg) -> None:
        self.prog.tell(msg)
        assert {m.errno for m in self.prog.heard()} == {0}

    def use(self, times: int) -> None:
        for _ in range(times):
            key_sa_recordxfer(self.kern, self.sav, 100)

    def acts(self, before: object) -> SaAct:
        """What was done, as far as it shows."""
        sav = self.sav
        kept = bool(self.kern.key.sad)
        if kept:
            sav = self.only()
        act = SaAct.NONE if kept else SaAct.REMOVE
        if kept and sav.callout is not before:
            act |= SaAct.SCHEDULE
        if self.told:
            act |= SaAct.TELL
        if [m for m in self.ike.heard() if m.type == k.SADB_EXPIRE]:
            act |= SaAct.EXPIRE
        return act


#: Row -> what brings it about; the row itself stands in the table.
EXPECTED: dict[tuple[int, SaEv], list[Callable[[Stage], None]]] = {
    (LARVAL, SaEv.COMPLETE): [lambda n: n.say(UPDATE)],
    (LARVAL, SaEv.HARD): [lambda n: n.wait(30)],
    (LARVAL, SaEv.DELETE): [
        lambda n: n.say(by_spi(k.SADB_DELETE, 1500)),
        lambda n: n.say(sadb(k.SADB_FLUSH)),
    ],
    (MATURE, SaEv.RENEW): [lambda n: n.say(UPDATE)],
    (MATURE, SaEv.SOFT): [lambda n: n.wait(10), lambda n: n.use(2)],
    (MATURE, SaEv.HARD): [],
    (MATURE, SaEv.DELETE): [
        lambda n: n.say(by_spi(k.SADB_DELETE, 1500)),
        lambda n: n.say(sadb(k.SADB_DELETE, k.SADB_SATYPE_AH, *ends())),
        lambda n: n.say(sadb(k.SADB_FLUSH, k.SADB_SATYPE_AH)),
    ],
    (DYING, SaEv.RENEW): [lambda n: n.say(UPDATE)],
    (DYING, SaEv.HARD): [lambda n: n.wait(10), lambda n: n.use(9)],
    (DYING, SaEv.DELETE): [
        lambda n: n.say(by_spi(k.SADB_DELETE, 1500)),
        lambda n: n.say(sadb(k.SADB_DELETE, k.SADB_SATYPE_AH, *ends())),
        lambda n: n.say(sadb(k.SADB_FLUSH)),
    ],
    (LARVAL, SaEv.RESERVE): [],
}
CASES = [(row, drive) for row, drives in EXPECTED.items() for drive in drives]


class Lookups(dict[tuple[int, SaEv], tuple[SaAct, int]]):
    """The table, with the rows that were looked up."""

    def __init__(self) -> None:
        super().__init__(SA_TABLE)
        self.rows: list[tuple[int, SaEv]] = []

    def __getitem__(self, row: tuple[int, SaEv]) -> tuple[SaAct, int]:
        self.rows.append(row)
        return super().__getitem__(row)


@pytest.fixture
def lookups(monkeypatch: pytest.MonkeyPatch) -> Lookups:
    table = Lookups()
    monkeypatch.setattr(key_sad, "SA_TABLE", table)
    return table


@pytest.mark.parametrize(
    ("row", "drive"), CASES, ids=[f"{SA_NAMES[r[0]]}-{r[1].name}" for r, _ in CASES]
)
def test_row(lookups: Lookups, row: tuple[int, SaEv], drive: Callable[[Stage], None]) -> None:
    node = Stage(row[0])
    before = node.sav.callout
    lookups.rows.clear()
    drive(node)
    assert lookups.rows == [row]
    act, state = SA_TABLE[row]
    assert node.acts(before) == act
    assert (node.only() if node.kern.key.sad else node.sav).state == state


def test_reserving_schedules_the_end(lookups: Lookups) -> None:
    node = Stage(LARVAL)
    assert lookups.rows == [(LARVAL, SaEv.RESERVE)]
    assert node.sav.callout is not None and node.told == 0


def test_a_mature_association_without_soft_limit_ends_at_the_hard_one(lookups: Lookups) -> None:
    node = Stage(MATURE)
    node.say(ah(1500, *limits({"addtime": 5}, {}), type=k.SADB_UPDATE))
    before = node.sav.callout
    lookups.rows.clear()
    node.wait(5)
    assert lookups.rows == [(MATURE, SaEv.HARD)]
    assert node.acts(before) == SA_TABLE[MATURE, SaEv.HARD][0]
    assert node.sav.state == DEAD


def test_every_row_is_driven() -> None:
    assert EXPECTED.keys() == SA_TABLE.keys()


def test_add_completes_at_once(lookups: Lookups) -> None:
    node = Node()
    node.prog.ask(ADD)
    assert lookups.rows == [(LARVAL, SaEv.COMPLETE)]
    assert [sa(m).state for m in node.prog.dump()] == [MATURE]
