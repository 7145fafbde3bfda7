# SPDX-License-Identifier: BSD-3-Clause
"""Every row of the tables of bindings and home registrations, driven by packets and time.

The tables are replaced by ones that write down which rows are used; one test for each table checks
that nothing is missing but what its comment proves unreachable.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

import pytest

from kame_py.kern.clock import NS
from kame_py.mip6 import mip6_bc, mip6_hareg
from kame_py.mip6.mip6_state import BC_TABLE, HR_TABLE, BcEv, BcRow, BcSt, HrEv, HrRow, HrSt
from kame_py.net.route import RTF_GATEWAY, RTF_STATIC, RTM_ADD, rtrequest
from tests.scenario.mip6words import bu, home_agent, mobility, unprotected, with_hao
from tests.scenario.test_state_tables import Recorder
from tests.scenario.tester import ALLNODES, GLOBAL, PEER_MAC, PEER_MAC2, ROUTER, ROUTER_MAC, Stage
from tests.scenario.words import echo, na, tll

HOA: Final = "2001:db8:1::10"
FAR_HOA: Final = "2001:db8:9::10"
COA: Final = "2001:db8:2::9"

BcRows = Recorder[tuple[BcSt, BcEv], BcRow]
HrRows = Recorder[tuple[HrSt, HrEv], HrRow]


@pytest.fixture
def bc_rows(monkeypatch: pytest.MonkeyPatch) -> Iterator[BcRows]:
    recorder = Recorder(BC_TABLE)
    monkeypatch.setattr(mip6_bc, "BC_TABLE", recorder)
    yield recorder


@pytest.fixture
def hr_rows(monkeypatch: pytest.MonkeyPatch) -> Iterator[HrRows]:
    recorder = Recorder(HR_TABLE)
    monkeypatch.setattr(mip6_hareg, "HR_TABLE", recorder)
    yield recorder


# -- bindings -------------------------------------------------------------------------------------


class Correspondent:
    """A correspondent with one mobile node, whose lifetime is 40 s unless the state needs other."""

    def __init__(self) -> None:
        self.stage = Stage(globals_=True, kernel="options MIP6")
        stage = self.stage
        stage.tn.neighbours[ROUTER] = ROUTER_MAC
        flags = RTF_GATEWAY | RTF_STATIC
        rtrequest(stage.kern, RTM_ADD, bytes(16), 0, stage.kernel_form(ROUTER), flags)
        unprotected(stage)
        self.seq = 0

    def update(self, lifetime: int = 40) -> None:
        self.seq += 1
        self.stage.send(bu(COA, GLOBAL, FAR_HOA, self.seq, lifetime, ""))

    def ping(self) -> None:
        request = echo(FAR_HOA, GLOBAL)[40:]
        self.stage.send(with_hao(COA, GLOBAL, FAR_HOA, request, 58))

    def enter(self, state: BcSt, lifetime: int = 40) -> None:
        if state is not BcSt.NONE:
            self.update(lifetime)
        if state in (BcSt.BRWANTED, BcSt.BRSENT):
            self.stage.wait(32)
        if state is BcSt.BRSENT:
            self.ping()


def _expires(node: Correspondent) -> None:
    node.stage.wait(40)


def _in_its_last_second(node: Correspondent) -> None:
    (bc,) = mobility(node.stage).mip6_bc_list.values()
    node.stage.until(bc.mbc_expire - NS // 100)
    node.ping()
    node.stage.wait(1)


BC_DRIVERS: Final[dict[BcEv, Callable[[Correspondent], None]]] = {
    BcEv.UPDATE: Correspondent.update,
    BcEv.QUARTER: lambda node: node.stage.wait(32),
    BcEv.OUTPUT: Correspondent.ping,
    BcEv.TICK: lambda node: node.stage.wait(1),
    BcEv.REMOVE: lambda node: node.update(0),
    BcEv.EXPIRE: _expires,
}
BC_UNREACHABLE: Final = {
    **{(BcSt.NONE, ev): "there is no entry" for ev in BcEv if ev is not BcEv.UPDATE},
    (BcSt.BOUND, BcEv.TICK): "the second of a request ends with an update",
    (BcSt.BRWANTED, BcEv.QUARTER): "it came already",
    (BcSt.BRWANTED, BcEv.TICK): "no request went out in this second",
    (BcSt.BRSENT, BcEv.QUARTER): "it came already",
}
BC_ROWS: Final = [row for row in BC_TABLE if row not in BC_UNREACHABLE]


@pytest.mark.parametrize("row", BC_ROWS, ids=lambda row: f"{row[0].name}-{row[1].name}")
def test_binding(row: tuple[BcSt, BcEv], bc_rows: BcRows) -> None:
    state, event = row
    node = Correspondent()
    short = row == (BcSt.BOUND, BcEv.EXPIRE)  # no quarter of three seconds is a second
    node.enter(state, 3 if short else 40)
    del bc_rows.used[:]
    driver = BC_DRIVERS[event]
    if row == (BcSt.BRSENT, BcEv.EXPIRE):
        driver = _in_its_last_second
    driver(node)
    assert row in bc_rows.used
    assert bc_rows.used[0] == row or row == (BcSt.BRSENT, BcEv.EXPIRE)


def test_table_of_bindings_is_complete() -> None:
    assert set(BC_TABLE) == {(state, ev) for state in BcSt for ev in BcEv}


# -- home registrations ---------------------------------------------------------------------------


class HomeAgent:
    """A home agent with one mobile node abroad."""

    def __init__(self) -> None:
        self.stage = Stage(router=True, links=2, globals_=True, kernel="options MIP6")
        home_agent(self.stage)
        self.stage.tn2.neighbours[COA] = PEER_MAC2
        self.seq = 0

    def update(self, flags: str, lifetime: int = 10) -> None:
        self.seq += 1
        self.stage.send2(bu(COA, GLOBAL, HOA, self.seq, lifetime, flags), PEER_MAC2)

    def enter(self, state: HrSt) -> None:
        if state is HrSt.DADWAIT:
            self.stage.ifp.ndi.retrans_ms = 20_000
            self.update("AHD")
        elif state is HrSt.SERVED:
            self.update("AH")

    def duplicate(self) -> None:
        self.stage.send(na("fe80::10", "O", "fe80::10", ALLNODES, tll(PEER_MAC)))


HR_DRIVERS: Final[dict[HrEv, Callable[[HomeAgent], None]]] = {
    HrEv.REG: lambda node: node.update("AH"),
    HrEv.REG_DAD: lambda node: node.update("AHD"),
    HrEv.DEREG: lambda node: node.update("AH", 0),
    HrEv.DAD_OK: lambda node: node.stage.wait(20),
    HrEv.DAD_DUP: HomeAgent.duplicate,
    HrEv.EXPIRE: lambda node: node.stage.wait(11),
}
HR_UNREACHABLE: Final = {
    (HrSt.NONE, HrEv.DAD_OK): "detection ends with the registration",
    (HrSt.NONE, HrEv.DAD_DUP): "detection ends with the registration",
    (HrSt.NONE, HrEv.EXPIRE): "no entry, no timer",
    (HrSt.SERVED, HrEv.DAD_OK): "detection is over",
    (HrSt.SERVED, HrEv.DAD_DUP): "detection is over",
}
HR_ROWS: Final = [row for row in HR_TABLE if row not in HR_UNREACHABLE]


@pytest.mark.parametrize("row", HR_ROWS, ids=lambda row: f"{row[0].name}-{row[1].name}")
def test_home_registration(row: tuple[HrSt, HrEv], hr_rows: HrRows) -> None:
    state, event = row
    node = HomeAgent()
    node.enter(state)
    if event is HrEv.DAD_OK:
        node.update("AHD", 60)
    del hr_rows.used[:]
    HR_DRIVERS[event](node)
    assert hr_rows.used == [row]


def test_table_of_home_registrations_is_complete() -> None:
    assert set(HR_TABLE) == {(state, ev) for state in HrSt for ev in HrEv}
