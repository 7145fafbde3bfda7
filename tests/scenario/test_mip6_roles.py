# SPDX-License-Identifier: BSD-3-Clause
"""A node takes another role, or none: nothing of the old one stays (mip6control -m, -g, -M)."""

from __future__ import annotations

import pytest

from kame_py.kern.clock import NS
from kame_py.lab.node import Node
from kame_py.mip6.mip6_mnstate import MIP6_BU_REG_STATE_REG
from kame_py.mip6.mip6_state import HrSt
from kame_py.mip6.mip6_var import mip6_state
from kame_py.net.route import RTF_ANNOUNCE
from kame_py.wire.const import IPPROTO_IPV6
from kame_py.wire.in6addr import ntop
from kame_py.wire.ioctl import (
    SIOCAHOMEPREFIX_HIF,
    SIOCSMIP6CFG_DISABLEMN,
    SIOCSMIP6CFG_ENABLEMN,
)
from kame_py.wire.mip6 import BindingAck
from tests.scenario.mnstage import COA, HA_LL, HOME, KERNELS, PLTIME, VLTIME, MnStage
from tests.scenario.mnstage import HA as STAGE_HA
from tests.scenario.mnstage import HOA as STAGE_HOA
from tests.scenario.test_mip6_mn_world import COA1, HOA, Net
from tests.scenario.words import Heard, addr

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


def left(kernel: str) -> MnStage:
    """A mobile node that was registered, and is none any more."""
    mn = MnStage(kernel=KERNELS[kernel])
    mn.abroad()
    mn.configure(SIOCSMIP6CFG_DISABLEMN)
    assert {u.lifetime_s for _, u, _ in mn.updates()} == {0}
    mn.forget()
    return mn


def sent_on(mn: MnStage) -> list[Heard]:
    """The answer to the goodbye comes: what of it goes back into the network."""
    mn.ack(2, 0, 0, coa=COA, hoa=STAGE_HOA)
    return [h for h in mn.take() if h.facts()["dst"] == STAGE_HOA]


@pytest.mark.parametrize("kernel", KERNELS)
def test_answer_to_the_leave_of_a_mobile_node_is_not_sent_on(kernel: str) -> None:
    mn = left(kernel)
    mn.wait(1)
    assert sent_on(mn) == [] and mn.drops() == {"IP6_NOTFORUS": 1}


def test_former_home_address_is_any_address_after_a_while() -> None:
    """A routing header may name it as it may name others."""
    mn = left("draft-15")
    mn.wait(40)
    assert len(sent_on(mn)) == 1


def test_home_address_that_is_back_is_served_at_once() -> None:
    mn = left("draft-15")
    mn.ioctl(SIOCAHOMEPREFIX_HIF("hif0", addr(HOME), 64, VLTIME, PLTIME))
    mn.agent(STAGE_HA, HA_LL)
    mn.configure(SIOCSMIP6CFG_ENABLEMN)
    mn.wait(1.2)
    mn.acknowledge()
    entry = mn.entry_of(STAGE_HA)
    assert entry is not None and entry.mbu_reg_state == MIP6_BU_REG_STATE_REG
    assert mn.drops() == {}
