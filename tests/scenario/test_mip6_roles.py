# SPDX-License-Identifier: BSD-3-Clause
"""A node takes another role, or none: nothing of the old one stays (mip6control -m, -g, -M)."""

from __future__ import annotations

import pytest

from kame_py.kern.clock import NS
from kame_py.lab.node import Node
from kame_py.mip6.mip6_state import HrSt
from kame_py.mip6.mip6_var import mip6_state
from kame_py.net.route import RTF_ANNOUNCE
from kame_py.wire.const import IPPROTO_IPV6
from kame_py.wire.in6addr import ntop
from kame_py.wire.mip6 import BindingAck
from tests.scenario.mnstage import KERNELS
from tests.scenario.test_mip6_mn_world import COA1, HOA, Net

NOT_SUPPORTED = 132
ROLES = {"-M": "corresponding node", "-m": "mobile node"}


@pytest.fixture(params=KERNELS)
def net(request: pytest.FixtureRequest) -> Net:
    return Net(kernel=KERNELS[request.param])


def registered(node: Node) -> dict[str, str]:
    """At a home agent: home address -> care-of address."""
    bcs = mip6_state(node.kernel).mip6_hrbc_list.values()
    return {ntop(bc.mbc_phaddr): ntop(bc.mbc_pcoa) for bc in bcs}


def proxied(node: Node) -> int:
    return sum(bool(rt.rt_flags & RTF_ANNOUNCE) for rt in node.kernel.rt)


def role(node: Node) -> str:
    return node.run("mip6control").out.splitlines()[0].removeprefix("node type: ")


@pytest.mark.parametrize("option", ROLES)
def test_home_agent_that_is_none_any_more_lets_go_of_everything(net: Net, option: str) -> None:
    net.move("one")
    assert registered(net.ha)[HOA] == COA1 and proxied(net.ha) == 2
    net.ha.run(f"mip6control {option}")
    assert role(net.ha) == ROLES[option]
    assert registered(net.ha) == {} and proxied(net.ha) == 0
    net.tap.frames.clear()
    assert net.lost(3) == 3
    assert all(p.nxt != IPPROTO_IPV6 for p in net.by("ha"))


def test_mobile_node_of_a_former_home_agent_is_told_and_comes_back(net: Net) -> None:
    net.move("one")
    net.ha.run("mip6control -M")
    net.tap.frames.clear()
    net.move("two")
    answers = [o for p in net.by("ha") for o in p.options if isinstance(o, BindingAck)]
    assert answers and {ba.status for ba in answers} == {NOT_SUPPORTED}
    net.ha.run("mip6control -g")
    net.world.run_for(300)
    assert HOA in registered(net.ha) and net.lost() == 0


def test_duplicate_detection_of_a_home_agent_ends_with_its_role(net: Net) -> None:
    net.world.move(net.mn, "fxp0", net.world.links["one"])
    state = mip6_state(net.ha.kernel)
    assert net.world.run_ns(net.world.now() + 20 * NS, lambda: bool(state.mip6_dads))
    (hr,) = state.mip6_dads.values()
    net.ha.run("mip6control -M")
    assert (hr.hr_st, state.mip6_dads, registered(net.ha)) == (HrSt.NONE, {}, {})
    net.world.run_for(3)
    assert registered(net.ha) == {} and proxied(net.ha) == 0


def test_mobile_node_that_becomes_a_home_agent_takes_its_leave(net: Net) -> None:
    net.move("one")
    net.mn.run("mip6control -g")
    assert role(net.mn) == "home agent"
    net.world.run_for(2)
    assert registered(net.ha) == {}
    assert HOA not in net.mn.run("ifconfig hif0 inet6").out
    (sc,) = mip6_state(net.mn.kernel).hif_softc_list
    assert sc.hif_bu_list == [] and sc.hif_hs_list_home == []
