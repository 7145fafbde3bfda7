# SPDX-License-Identifier: BSD-3-Clause
"""Rows of state tables: stop at the very lookup, say in words what came of it.

What a row must do stands in the tests as a sentence of its own, not read from the table.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final, TypeVar

import pytest

from kame_py.kern.clock import NS
from kame_py.kern.kernel import Kernel
from kame_py.mip6 import mip6_bul
from kame_py.mip6.mip6_ba_input import LATER, REFUSALS
from kame_py.mip6.mip6_bu_output import mip6_bu_lifetime
from kame_py.mip6.mip6_bul import BuNews, mip6_bu_is_home, mip6_cn_state
from kame_py.mip6.mip6_mnstate import HIF_LOCATION_HOME, REG_STATE_NAMES, BuEv, CnSt
from kame_py.mip6.mip6_var import MIP6_BA_MAX_TIMEOUT as MAX
from kame_py.mip6.mip6_var import MIP6_BU_STATE_WAITACK, Mip6Bu
from kame_py.wire.in6addr import ntop
from tests.scenario.mnstage import (
    CN,
    COA,
    FOREIGN,
    H_FLAG,
    HA,
    HA2,
    HA_LL,
    HA_MAC,
    HOA,
    HOME,
    MnStage,
)
from tests.scenario.test_state_tables import Recorder
from tests.scenario.tester import ALLNODES, MAC, Stage
from tests.scenario.words import is_, na, tll

K = TypeVar("K")
V = TypeVar("V")
S = TypeVar("S", bound=Stage)

LEFT: Final = FOREIGN + "1"  # a home agent of the foreign link that is left
HAND: Final = "2001:db8:3::77"  # another care-of address, typed
HAND_HOME: Final = "2001:db8:1::77"  # an address of the home prefix, typed
NAMES: Final = {HA: "HA", HA2: "HA2", CN: "CN", LEFT: "LEFT"}
LONG_NS: Final = 2000 * NS


class Row(Recorder[K, V]):
    """A table watched for one row: ``seen`` is called at its first lookup, before it acts."""

    def __init__(self, table: Mapping[K, V], row: K, seen: Callable[[], None]) -> None:
        super().__init__(table)
        self.row = row
        self.seen = seen

    def __getitem__(self, key: K) -> V:
        if key == self.row and key not in self.used:
            self.seen()
        return super().__getitem__(key)

    @property
    def done(self) -> bool:
        return self.row in self.used


def watch(
    monkeypatch: pytest.MonkeyPatch,
    stage: Stage,
    where: tuple[object, str],
    row: K,
    seen: Callable[[], None] = lambda: None,
) -> Row[K, V]:
    """Watch a table, a name in a module, from now on; packets count from the row on."""
    module, name = where

    def at_the_row() -> None:
        stage.forget()
        seen()

    table: Row[K, V] = Row(getattr(module, name), row, at_the_row)
    monkeypatch.setattr(module, name, table)
    return table


def reach(stage: S, table: Row[K, V], cause: Callable[[S], None]) -> None:
    """Cause the event, and let time run until the row was used."""
    cause(stage)
    stage.world.run_ns(stage.now + LONG_NS, lambda: table.done)
    stage.settle()
    assert table.done, table.used


def expectations(text: str) -> dict[tuple[str, str], str]:
    """Lines "STATE EVENT what comes of it" by state and event."""
    lines = [line.split(maxsplit=2) for line in text.strip().splitlines()]
    return {(state, event): what for state, event, what in lines}


def said(state: str, words: list[str]) -> str:
    """As expectations have it."""
    return f"{state}: {', '.join(words)}" if words else state


def leads(expected: Mapping[tuple[str, str], str]) -> dict[tuple[str, str], str]:
    """State and event to the next state."""
    return {row: what.partition(":")[0] for row, what in expected.items()}


# -- entries of the binding update list -----------------------------------------------------------


def entry_state(bu: Mip6Bu) -> int | CnSt:
    return bu.mbu_reg_state if mip6_bu_is_home(bu) else mip6_cn_state(bu)


def entry_name(bu: Mip6Bu) -> str:
    state = entry_state(bu)
    if bu not in bu.mbu_hif.hif_bu_list:
        return "gone"
    return state.name if isinstance(state, CnSt) else REG_STATE_NAMES[state]


class EntryRow:
    """One row of HOME_TABLE or CN_TABLE: what it makes of an entry, taken right behind it."""

    def __init__(
        self, monkeypatch: pytest.MonkeyPatch, mn: MnStage, name: str, row: tuple[object, BuEv]
    ) -> None:
        self.mn = mn
        self.state = ""
        self.words: list[str] = []
        self.hold_s = 0
        self.table: Row[tuple[object, BuEv], object]
        self.table = watch(monkeypatch, mn, (mip6_bul, name), row)
        event = mip6_bul.mip6_bu_event

        def watched(kern: Kernel, bu: Mip6Bu, ev: BuEv, news: BuNews = mip6_bul.NO_NEWS) -> None:
            first = (entry_state(bu), ev) == row and not self.table.done
            before = replace(bu)
            before.mbu_outstanding = list(bu.mbu_outstanding)
            held = _held(mn, bu)
            event(kern, bu, ev, news)
            if first:
                self.state, self.words = entry_name(bu), _changes(mn, before, bu)
                if _held(mn, bu) != held:
                    self.hold_s = (_held(mn, bu) - mn.now) // NS

        monkeypatch.setattr(mip6_bul, "mip6_bu_event", watched)

    def outcome(self) -> str:
        """Next state, what is different, and what is sent within 1.2 seconds."""
        heard = self._updates(1.2)
        if self.hold_s:
            heard.append(f"held {self.hold_s} s")
            heard += self._updates(self.hold_s)[:1] if self.state != "gone" else []
        if self.mn.find(is_("na", dst=ALLNODES, target=HOA, tll=MAC)):
            heard.append("tells the link")
        return said(self.state, self.words + heard)

    def _updates(self, seconds: float) -> list[str]:
        self.mn.wait(seconds)
        return [
            f"{'update' if update.lifetime_s else 'end'} {NAMES[packet.hops[0]]}"
            for _, update, packet in self.mn.updates()
        ]


def _held(mn: MnStage, bu: Mip6Bu) -> int:
    """Until when no update goes out."""
    peer = mn.mip6.mip6_peers.get(bu.mbu_paddr)
    return bu.mbu_hold if mip6_bu_is_home(bu) or peer is None else peer.hold


def _changes(mn: MnStage, old: Mip6Bu, new: Mip6Bu) -> list[str]:
    whole_ns = mip6_bu_lifetime(mn.kern, new) * NS
    wait, first = new.mbu_acktimeout, mip6_bul.mip6_first_acktimeout(mn.kern, new)
    waits = bool(new.mbu_state & MIP6_BU_STATE_WAITACK)
    waited = bool(old.mbu_state & MIP6_BU_STATE_WAITACK)
    true = {
        "unbound": old.mbu_bound_expire and not new.mbu_bound_expire,
        "bound": new.mbu_bound_expire and not old.mbu_bound_expire,
        "tunnel": new.mbu_tunnel and not old.mbu_tunnel,
        "no tunnel": old.mbu_tunnel and not new.mbu_tunnel,
        f"to {NAMES.get(ntop(new.mbu_paddr))}": new.mbu_paddr != old.mbu_paddr,
        "new coa": new.mbu_coa != old.mbu_coa,
        "shorter": new.mbu_lifetime < old.mbu_lifetime,
        "renewed": new.mbu_expire != old.mbu_expire and new.mbu_expire - mn.now == whole_ns,
        "waits": waits and wait == first,
        "waits twice": waits
        and new.mbu_ackexpire > mn.now
        and wait == min(2 * old.mbu_acktimeout, MAX) > first,
        "waits no more": waited and not waits,
        "anew": old.mbu_outstanding and not set(old.mbu_outstanding) & set(new.mbu_outstanding),
        "no home address": mn.kernel_form(HOA) not in mn.kern.ip6.ifaddrs,
    }
    return [word for word, so in true.items() if so]


# -- what happens to a mobile node ----------------------------------------------------------------


def typed_move(mn: MnStage) -> None:
    """The care-of address is deleted, another one is there."""
    mn.run(f"ifconfig fxp0 inet6 {HAND} prefixlen 64 alias\nifconfig fxp0 inet6 {COA} delete")
    mn.settle()


def typed_return(mn: MnStage) -> None:
    """The care-of address is deleted, one of the home prefix is there."""
    mn.run(f"ifconfig fxp0 inet6 {HAND_HOME} prefixlen 64 alias\nifconfig fxp0 inet6 {COA} delete")
    mn.settle()


def go_home(mn: MnStage) -> None:
    """The home agent's advertisements, nobody else answers; it tells its link-layer address."""
    mn.tn.neighbours = {HA_LL: HA_MAC, HA: HA_MAC}
    mn.advertise(HOME, HA_LL, HA_MAC, flags=H_FLAG)
    mn.wait(1.2)
    mn.advertise(HOME, HA_LL, HA_MAC, flags=H_FLAG)
    assert mn.world.run_ns(mn.now + 10 * NS, lambda: mn.sc.hif_location == HIF_LOCATION_HOME)
    mn.wait(1.1)
    mn.send(na(HA, "RO", HA_LL, ALLNODES, tll(HA_MAC)), HA_MAC)
    mn.wait(2)


def by_hand(mn: MnStage, bu: Mip6Bu, ev: BuEv, status: int = 0) -> None:
    """The event itself, for rows that nothing causes."""
    news = BuNews(hold_s=REFUSALS.get(status, LATER)[1]) if status else BuNews()
    mip6_bul.mip6_bu_event(mn.kern, bu, ev, news)
    mn.settle()
