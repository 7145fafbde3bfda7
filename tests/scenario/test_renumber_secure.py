# SPDX-License-Identifier: BSD-3-Clause
"""Mobile prefix advertisements that nobody should believe, in the lab renumber (draft-15 s.10.17).

The lab itself shows the one that is believed, under ESP, and one that lacks it. Here somebody else
writes to the mobile node before its home agent does.
"""

from __future__ import annotations

import pytest

from kame_py.cli.lab import load_lab
from kame_py.kern.clock import NS
from kame_py.kern.mbuf import m_get
from kame_py.lab.node import Node
from kame_py.lab.runner import LabRun
from kame_py.mip6.mip6_var import mip6_state
from kame_py.netinet6.ip6_input import ip6_input
from kame_py.wire.codecs import MpAdvert
from kame_py.wire.const import IPPROTO_ICMPV6, IPPROTO_ROUTING
from kame_py.wire.in6addr import ntop
from kame_py.wire.ip6ext import build_rthdr0
from tests.scenario.statwords import counted
from tests.scenario.words import addr, ip6, pi, summed

AWAY_S = 50  # registered, and nothing was told yet
EVIL = "2001:db8:bad::"
HA = "2001:200:1:1::1"


@pytest.fixture
def run() -> LabRun:
    run = LabRun(load_lab("renumber"))
    run.begin()
    run.world.run_ns(AWAY_S * NS)
    return run


@pytest.fixture
def mn(run: LabRun) -> Node:
    node = run.world.nodes["mn"]
    node.kernel.drops.clear()
    return node


def advertised(mn: Node, src: str) -> bytes:
    """EVIL for ever, from ``src`` to the home address by way of the care-of address."""
    state = mip6_state(mn.kernel)
    home = ntop(state.hif_softc_list[0].hif_bu_list[0].mbu_haddr)
    message = summed(src, home, MpAdvert().pack() + pi(EVIL))
    rthdr = build_rthdr0(IPPROTO_ICMPV6, [addr(home)], 1)
    return ip6(src, ntop(state.hif_coa), rthdr + message, IPPROTO_ROUTING)


def hears(run: LabRun, packet: bytes) -> None:
    mn = run.world.nodes["mn"]
    ip6_input(mn.kernel, m_get(mn.kernel, packet, mn.kernel.ifunit("fxp0")))
    mn.kick()
    run.world.run_ns(run.world.now())


@pytest.mark.parametrize(
    ("src", "reason", "member"),
    [
        (HA, "MIP6_MPANOAUTH", "mip6s_unprotected"),
        ("2001:db8::bad", "MIP6_MPABAD", "mip6s_invalidmpa"),
    ],
)
def test_forged_advertisement_is_refused_with_its_own_reason(
    run: LabRun, mn: Node, src: str, reason: str, member: str
) -> None:
    was = mn.run("mip6control -h").out
    hears(run, advertised(mn, src))
    assert {why: n for why, n in mn.kernel.drops.items() if n} == {reason: 1}
    assert counted(mn.kernel) == {member: 1}
    assert mn.run("mip6control -h").out == was


def test_the_same_words_are_believed_where_no_check_is_asked_for(run: LabRun, mn: Node) -> None:
    mn.run("mip6control -T 0")
    hears(run, advertised(mn, HA))
    assert EVIL in mn.run("mip6control -h").out
