# SPDX-License-Identifier: BSD-3-Clause
"""A mobile node with two interfaces, on two foreign links at once."""

from __future__ import annotations

import pytest

from kame_py.kern.clock import NS
from kame_py.mip6.mip6_mnstate import MIP6_BU_REG_STATE_REG
from kame_py.mip6.mip6_var import mip6_state
from kame_py.netinet6.in6 import in6ifa_ifpforlinklocal
from kame_py.netinet6.scope6 import in6_clearscope
from kame_py.wire.in6addr import ntop, prefix_equal
from kame_py.wire.mip6 import BindingUpdate, HomeAddress
from tests.scenario.mip6words import Seen, seen
from tests.scenario.test_mip6_mn_world import CN, COA1, HA, HOA, Net
from tests.scenario.words import addr

COA_FXP1 = "2001:db8:3:0:2a0:24ff:fe00:402"
LINK_OF = {"mn.fxp0": "2001:db8:2::", "mn.fxp1": "2001:db8:3::"}


@pytest.fixture
def net() -> Net:
    """fxp0 on link one, fxp1 on link two; what goes to the net goes by fxp1, all else by fxp0."""
    net = Net()
    net.move("one")
    net.mn.attach("fxp1", net.world.links["two"])
    net.world.run_for(15)
    assert ntop(mip6_state(net.mn.kernel).hif_coa) == COA1
    router = net.world.nodes["r2"].kernel.ifunit("fxp0")
    assert router is not None
    own = in6ifa_ifpforlinklocal(router)
    assert own is not None
    gateway = ntop(in6_clearscope(own.ia_addr))
    command = f"route add -inet6 2001:db8:f:: -prefixlen 64 {gateway}%fxp1"
    assert net.mn.run(command).status == 0
    net.tap.frames.clear()
    return net


def sent(net: Net) -> list[tuple[str, Seen]]:
    """Packets of the mobile node with their interface; neighbours' talk left out."""
    found = [(who, seen(h)) for who, h in net.tap.frames if who in LINK_OF]
    return [(who, p) for who, p in found if is_global(p.src) and is_global(p.hops[0])]


def is_global(text: str) -> bool:
    return text.startswith("2001:")


def homes(packet: Seen) -> list[str]:
    return [ntop(o.addr) for o in packet.options if isinstance(o, HomeAddress)]


def updates(net: Net) -> dict[str, str]:
    """Care-of address by peer, of the last binding update."""
    return {
        p.hops[-1]: p.src
        for _, p in sent(net)
        if any(isinstance(o, BindingUpdate) for o in p.options)
    }


def registered(net: Net) -> set[str]:
    """Care-of addresses at the home agent."""
    return {ntop(bc.mbc_pcoa) for bc in mip6_state(net.ha.kernel).mip6_hrbc_list.values()}


def test_packets_of_the_home_address_have_a_care_of_address_of_the_link_they_leave_by(
    net: Net,
) -> None:
    assert net.mn.run(f"ping6 -c 3 {CN}").out.count("bytes from") == 3
    assert net.mn.run(f"ping6 -c 3 {HA}").out.count("bytes from") == 3
    packets = sent(net)
    assert {who for who, _ in packets} == set(LINK_OF)
    for who, packet in packets:
        assert prefix_equal(addr(packet.src), addr(LINK_OF[who]), 64), (who, packet)
        assert homes(packet) == [HOA], packet


def test_correspondent_is_bound_to_the_address_of_the_link_towards_it(net: Net) -> None:
    assert net.mn.run(f"ping6 -c 3 {CN}").out.count("bytes from") == 3
    assert updates(net) == {CN: COA_FXP1}
    (binding,) = mip6_state(net.cn.kernel).mip6_bc_list.values()
    assert ntop(binding.mbc_pcoa) == COA_FXP1
    assert registered(net) == {COA1}


def test_packets_by_either_way_reach_the_home_address(net: Net) -> None:
    assert net.lost() == 0
    assert net.lost(by=net.ha) == 0


def test_link_that_dies_takes_only_its_bindings_along(net: Net) -> None:
    """The home agent still knows the other one; the correspondent hears of it."""
    assert net.mn.run(f"ping6 -c 2 {CN}").out.count("bytes from") == 2
    net.tap.frames.clear()
    net.mn.run("ifconfig fxp1 down; route delete -inet6 2001:db8:f:: -prefixlen 64")
    net.mn.run(f"ifconfig fxp1 inet6 {COA_FXP1} delete")
    net.world.run_for(10)
    assert updates(net) == {CN: COA1}
    assert net.reg_states()[-1] == (HA, MIP6_BU_REG_STATE_REG)
    assert net.lost() == 0


def test_node_with_its_care_of_address_gone_registers_the_other(net: Net) -> None:
    net.mn.run(f"ifconfig fxp0 inet6 {COA1} delete")
    net.mn.run("ifconfig fxp0 down")
    net.world.run_for(30)
    assert registered(net) == {COA_FXP1}
    assert net.lost() == 0


def test_routing_header_decides_by_which_link_a_packet_leaves(net: Net) -> None:
    """The correspondent is reached by fxp1, but by way of the home agent it is fxp0."""
    net.mn.run(f"ping6 -c 1 {HA} {CN}")
    assert {(who, p.src) for who, p in sent(net) if p.hops == (HA, CN)} == {("mn.fxp0", COA1)}


def test_address_of_the_home_link_is_no_care_of_address(net: Net) -> None:
    """The other interface comes home; what leaves by it keeps the care-of address."""
    net.world.move(net.mn, "fxp1", net.world.links["home"])
    net.world.run_for(30)
    net.tap.frames.clear()
    net.mn.run(f"ping6 -c 2 {HA}")
    assert {(who, p.src) for who, p in sent(net) if p.hops == (HA,)} == {("mn.fxp1", COA1)}
    assert registered(net) == {COA1}


def test_binding_lives_no_longer_than_its_own_care_of_address(net: Net) -> None:
    (ia,) = (i for i in net.mn.kernel.ip6.ifaddrs.values() if ntop(i.ia_addr) == COA_FXP1)
    ia.ia6_lifetime.ia6t_preferred = ia.ia6_lifetime.ia6t_expire = net.world.now() + 50 * NS
    net.mn.run(f"ping6 -c 1 {CN}")
    (binding,) = mip6_state(net.cn.kernel).mip6_bc_list.values()
    assert binding.mbc_lifetime <= 50
