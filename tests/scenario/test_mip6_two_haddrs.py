# SPDX-License-Identifier: BSD-3-Clause
"""Two home addresses of one link: registered each, de-registered together."""

from __future__ import annotations

import pytest

from kame_py.mip6 import mip6_bul, mip6_home
from kame_py.mip6.mip6_mnstate import MIP6_BU_REG_STATE_DEREGWAITACK
from kame_py.mip6.mip6_var import mip6_state
from kame_py.wire.in6addr import IN6_IS_ADDR_LINKLOCAL, ntop
from kame_py.wire.mip6 import BindingAck, BindingUpdate
from tests.scenario.mip6words import FLAGS, Seen, seen
from tests.scenario.test_mip6_mn_world import HA, HOA, Net
from tests.scenario.words import addr

SECOND = HOA.replace("1:0:", "1:8:")
PREFIXES = "-H 2001:db8:1:: -P 64; mip6control -H 2001:db8:1:8:: -P 64"


@pytest.fixture
def net() -> Net:
    """The home agent advertises both prefixes on the home link."""
    net = Net(configure=f"mip6control {PREFIXES}")
    assert net.ha.run("ifconfig fxp0 inet6 2001:db8:1:8::1 prefixlen 64 alias").status == 0
    net.cn.run("route add -inet6 2001:db8:1:8:: -prefixlen 64 2001:db8:f::1")
    for node in ("r1", "r2"):
        router = net.world.nodes[node]
        router.run("route add -inet6 2001:db8:1:8:: -prefixlen 64 2001:db8:f::1")
    net.world.run_for(20)
    return net


def options(net: Net, name: str, kind: type) -> list[Seen]:
    found = [seen(h) for who, h in net.tap.frames if who.startswith(name + ".")]
    return [p for p in found if any(isinstance(o, kind) for o in p.options)]


def cached(net: Net) -> set[str]:
    """Home addresses that the home agent has, the link-local one left out."""
    held = mip6_state(net.ha.kernel).mip6_hrbc_list
    return {ntop(a) for a in held if not IN6_IS_ADDR_LINKLOCAL(a)}


def test_both_are_registered_and_reached(net: Net) -> None:
    net.move("one")
    assert cached(net) == {HOA, SECOND}
    assert net.reg_states() == [(HA, 3), (HA, 3)]
    assert net.lost() == 0 and net.lost(dst=SECOND) == 0


def test_return_is_told_once_and_refused_nowhere(net: Net) -> None:
    """With S clear one de-registration speaks for all; a second one would get status 137."""
    net.move("one")
    assert net.lost(2) == 0 and net.lost(2, dst=SECOND) == 0
    net.tap.frames.clear()
    net.move("home")
    to_ha = [p for p in options(net, "mn", BindingUpdate) if p.hops[-1] == HA]
    assert len(to_ha) == 1
    (update,) = (o for o in to_ha[0].options if isinstance(o, BindingUpdate))
    assert update.lifetime_s == 0 and not update.flags & FLAGS["S"]
    answers = [p.ba.status for p in options(net, "ha", BindingAck)]
    assert answers == [0]
    assert not [line.text for line in net.mn.kernel.log.lines if "rejected" in line.text]


def test_return_clears_both_addresses_on_both_sides(net: Net) -> None:
    net.move("one")
    assert net.lost(2) == 0 and net.lost(2, dst=SECOND) == 0
    assert len(mip6_state(net.cn.kernel).mip6_bc_list) == 2
    net.tap.frames.clear()
    net.move("home")
    assert cached(net) == set() and net.reg_states() == []
    assert mip6_state(net.cn.kernel).mip6_bc_list == {}
    told = [
        h.facts()["target"]
        for who, h in net.tap.frames
        if who == "mn.fxp0" and h.facts().get("icmp6") == "na" and h.facts()["dst"] == "ff02::1"
    ]
    assert told.count(HOA) == 3 and told.count(SECOND) == 3
    assert net.lost() == 0 and net.lost(dst=SECOND) == 0
    assert net.lost(by=net.ha) == 0 and net.lost(dst=SECOND, by=net.ha) == 0


def test_lost_de_registration_is_repeated_for_both(net: Net) -> None:
    net.move("one")
    net.world.move(net.mn, "fxp0", net.world.links["home"])
    net.world.links["home"].impair(loss=0.4)
    net.world.run_for(60)
    net.world.links["home"].impair(loss=0.0)
    net.world.run_for(60)
    assert cached(net) == set() and net.reg_states() == []
    assert net.lost() == 0 and net.lost(dst=SECOND) == 0


def test_node_that_leaves_again_before_the_answer_registers_both(net: Net) -> None:
    net.move("one")
    net.world.move(net.mn, "fxp0", net.world.links["home"])
    while not any(state == MIP6_BU_REG_STATE_DEREGWAITACK for _, state in net.reg_states()):
        net.world.run_for(0.01)
    net.move("two", 40)
    assert net.reg_states() == [(HA, 3), (HA, 3)]
    assert cached(net) == {HOA, SECOND}
    assert net.lost() == 0 and net.lost(dst=SECOND) == 0


def test_address_that_ends_while_it_speaks_for_another_lets_it_speak(net: Net) -> None:
    """The home agent is deaf meanwhile."""
    net.move("one")
    net.world.move(net.mn, "fxp0", net.world.links["home"])
    while not any(state == MIP6_BU_REG_STATE_DEREGWAITACK for _, state in net.reg_states()):
        net.world.run_for(0.01)
    net.world.links["home"].impair(loss=1.0)
    net.world.run_for(3)
    kern = net.mn.kernel
    (first,) = (bu for bu in mip6_bul.mip6_bu_list(mip6_state(kern)) if bu.mbu_state)
    mip6_home.mip6_haddr_forget(kern, first.mbu_haddr)
    net.world.links["home"].impair(loss=0.0)
    net.world.run_for(30)
    assert net.reg_states() == [] and cached(net) == set()


def test_addresses_of_two_identifiers_are_de_registered_each(net: Net) -> None:
    chosen = "2001:db8:1:8::77"
    assert net.mn.run(f"mip6control -I {chosen}").status == 0
    net.move("one")
    assert cached(net) == {HOA, chosen}
    net.tap.frames.clear()
    net.move("home")
    assert {p.src for p in options(net, "mn", BindingUpdate)} == {HOA, chosen}
    assert {p.ba.status for p in options(net, "ha", BindingAck)} == {0}
    assert cached(net) == set() and net.reg_states() == []
    assert net.lost() == 0 and net.lost(dst=chosen) == 0


def test_home_agents_of_their_own_are_told_each(net: Net) -> None:
    other = "2001:db8:1::2"
    net.move("one")
    entry = next(mip6_bul.mip6_bu_list(mip6_state(net.mn.kernel)))
    entry.mbu_paddr = addr(other)
    net.tap.frames.clear()
    net.world.add_node("ha2").attach("fxp0", net.world.links["home"])
    net.world.nodes["ha2"].run(f"ifconfig fxp0 inet6 {other} prefixlen 64 alias")
    net.move("home")
    assert {p.hops[-1] for p in options(net, "mn", BindingUpdate)} == {HA, other}
