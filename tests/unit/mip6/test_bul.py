# SPDX-License-Identifier: BSD-3-Clause
"""The binding update list: keys, bounds, timer."""

from __future__ import annotations

import pytest

from kame_py.kern.clock import NS
from kame_py.mip6 import mip6_bul
from kame_py.mip6.mip6_mnstate import BuEv
from kame_py.mip6.mip6_var import MIP6_BUL_MAXENTRIES
from kame_py.wire.in6addr import embed_zone
from tests.scenario.mnstage import CN, HA, HOA, MnStage
from tests.scenario.words import addr, echo


@pytest.fixture
def mn() -> MnStage:
    mn = MnStage()
    mn.abroad()
    return mn


def nth(n: int) -> bytes:
    """The n-th of many addresses."""
    return embed_zone(addr("2001:0:f::1"), n)


def test_entries_are_found_by_peer_and_home_address(mn: MnStage) -> None:
    other = addr("2001:db8:1::78")
    mip6_bul.mip6_bu_create(mn.kern, mn.sc, addr(CN), addr(HOA), 0, mn.mip6.hif_coa)
    find = mip6_bul.mip6_bu_list_find_withpaddr
    assert find(mn.mip6, addr(CN), addr(HOA)) is not None
    assert find(mn.mip6, addr(CN), other) is None
    hrbu = mip6_bul.mip6_bu_list_find_home_registration(mn.mip6, addr(HOA))
    assert hrbu is mn.entry_of(HA)


def test_flood_of_correspondents_pushes_out_the_oldest_and_never_the_home_agent(
    mn: MnStage,
) -> None:
    for n in range(MIP6_BUL_MAXENTRIES + 5):
        mip6_bul.mip6_bu_create(mn.kern, mn.sc, nth(n), addr(HOA), 0, mn.mip6.hif_coa)
    peers = [bu.mbu_paddr for bu in mn.sc.hif_bu_list]
    assert len(peers) == MIP6_BUL_MAXENTRIES + 1
    assert addr(HA) in peers and nth(4) not in peers and nth(5) in peers


def test_memory_of_peers_is_bounded(mn: MnStage) -> None:
    for n in range(mip6_bul.MIP6_MAXPEERS + 5):
        mip6_bul.mip6_peer(mn.mip6, nth(n))
    assert len(mn.mip6.mip6_peers) == mip6_bul.MIP6_MAXPEERS
    assert nth(mip6_bul.MIP6_MAXPEERS) in mn.mip6.mip6_peers


def test_timer_stops_with_the_last_entry(mn: MnStage) -> None:
    for bu in list(mn.sc.hif_bu_list):
        mip6_bul.mip6_bu_list_remove(mn.kern, bu)
    assert mn.mip6.bu_timer is None
    assert mn.logged()[-1] == "mip6.c: BU timer stopped."


def test_removing_twice_does_nothing(mn: MnStage) -> None:
    bu = mn.sc.hif_bu_list[0]
    mip6_bul.mip6_bu_list_remove(mn.kern, bu)
    said = len(mn.logged())
    mip6_bul.mip6_bu_list_remove(mn.kern, bu)
    assert len(mn.logged()) == said


def test_timer_runs_on_whole_seconds_only(mn: MnStage) -> None:
    mn.wait(0.3)
    mn.tunnel(echo(CN, HOA))
    timer = mn.mip6.bu_timer
    assert timer is not None and timer.deadline % NS == 0 and timer.deadline > mn.now


def test_muted_home_registration_does_not_exist(mn: MnStage) -> None:
    """A home agent that is said not to know updates is asked on: anybody could say so."""
    hrbu = mn.entry_of(HA)
    assert hrbu is not None
    before = hrbu.mbu_state
    mip6_bul.mip6_bu_event(mn.kern, hrbu, BuEv.NO_BU)
    mip6_bul.mip6_bu_event(mn.kern, hrbu, BuEv.NO_HAO)
    assert hrbu.mbu_state == before
