# SPDX-License-Identifier: BSD-3-Clause
"""Whole stories of mobility among real nodes: what users of other models ran, and what failed them.

The world is that of test_mip6_mn_world. The second part has a test for each fault that users of
other implementations reported. draft-15 s.8-10.
"""

from __future__ import annotations

import pytest

from kame_py.kern.clock import NS
from kame_py.lab.node import Node
from kame_py.mip6.mip6_hareg import mip6_hr_expire
from kame_py.mip6.mip6_mnstate import (
    HIF_LOCATION_FOREIGN,
    HIF_LOCATION_HOME,
    MIP6_BU_REG_STATE_REG,
)
from kame_py.mip6.mip6_var import mip6_state
from kame_py.netinet6.in6 import in6ifa_ifpforlinklocal
from kame_py.netinet6.scope6 import in6_clearscope
from kame_py.wire.const import IPPROTO_IPV6
from kame_py.wire.in6addr import ntop
from kame_py.wire.mip6 import BindingAck, BindingUpdate
from tests.scenario.mip6words import Seen, forget_bindings, seen
from tests.scenario.mnstage import COA as STAGE_COA
from tests.scenario.mnstage import HOA as STAGE_HOA
from tests.scenario.mnstage import KERNEL, KERNELS, MnStage, hao_of
from tests.scenario.test_mip6_mn_world import CN, COA1, COA2, HA, HOA, Net
from tests.scenario.words import Heard

CN2 = "2001:db8:f::d"
SEQNO_TOO_SMALL = 141
REG = (HA, MIP6_BU_REG_STATE_REG)


@pytest.fixture(params=KERNELS)
def net(request: pytest.FixtureRequest) -> Net:
    return Net(kernel=KERNELS[request.param])


def location(net: Net) -> int:
    (sc,) = mip6_state(net.mn.kernel).hif_softc_list
    return sc.hif_location


def bindings(node: Node) -> dict[str, str]:
    """Home address -> care-of address, of every kind of binding."""
    state = mip6_state(node.kernel)
    bcs = [*state.mip6_bc_list.values(), *state.mip6_hrbc_list.values()]
    return {ntop(bc.mbc_phaddr): ntop(bc.mbc_pcoa) for bc in bcs}


def sent_by(net: Net, name: str) -> list[tuple[Heard, Seen]]:
    """What a node sent so far, in order."""
    return [(h, seen(h)) for who, h in net.tap.frames if who.startswith(name + ".")]


def carrying(net: Net, name: str, kind: type[BindingUpdate] | type[BindingAck]) -> list[Seen]:
    return [p for _, p in sent_by(net, name) if any(isinstance(o, kind) for o in p.options)]


def tunnelled(net: Net) -> int:
    """Packets that the home agent sent on through its tunnel, and forget all."""
    count = sum(p.nxt == IPPROTO_IPV6 for _, p in sent_by(net, "ha"))
    net.tap.frames.clear()
    return count


def another_correspondent(net: Net) -> Node:
    cn2 = net.world.add_node("cn2", KERNEL)
    cn2.attach("fxp0", net.net)
    cn2.run(f"ifconfig fxp0 inet6 {CN2} prefixlen 64 alias")
    for n in (1, 2, 3):
        cn2.run(f"route add -inet6 2001:db8:{n}:: -prefixlen 64 2001:db8:f::{n}")
    cn2.run("mip6control -T 0")
    net.world.run_for(2)
    return cn2


# -- stories --------------------------------------------------------------------------------------


def test_boot_at_home(net: Net) -> None:
    """An ordinary host: no update, no option, the address on its interface."""
    assert location(net) == HIF_LOCATION_HOME
    assert net.lost() == 0 and net.reg_states() == []
    assert carrying(net, "mn", BindingUpdate) == []
    assert all(p.options == () for _, p in sent_by(net, "mn") if p.hops == (CN,))


def test_home_to_foreign(net: Net) -> None:
    net.move("one")
    assert (location(net), net.reg_states()) == (HIF_LOCATION_FOREIGN, [REG])
    assert bindings(net.ha)[HOA] == COA1
    assert net.lost() == 0


def test_foreign_to_foreign(net: Net) -> None:
    net.move("one")
    net.move("two")
    assert net.reg_states() == [REG]
    assert bindings(net.ha)[HOA] == COA2
    assert net.lost() == 0


def test_return_home(net: Net) -> None:
    net.move("one")
    assert net.lost(2) == 0
    net.move("home")
    assert location(net) == HIF_LOCATION_HOME and net.reg_states() == []
    assert bindings(net.ha) == {} and bindings(net.cn) == {}
    net.tap.frames.clear()
    assert net.lost() == 0
    assert tunnelled(net) == 0


def test_route_optimisation_saves_the_way_through_the_home_agent(net: Net) -> None:
    net.move("one")
    assert net.lost(2) == 0
    net.tap.frames.clear()
    assert net.lost(5) == 0
    assert tunnelled(net) == 0


def test_without_route_optimisation_every_packet_comes_through_the_home_agent(net: Net) -> None:
    """A correspondent that accepts no update: it wants authentication and has no key."""
    net.cn.run("mip6control -T 1 -S 1")
    net.move("one")
    net.tap.frames.clear()
    assert net.lost(10) <= 1  # the first answer carried an update, and went with it (s.8.2)
    assert tunnelled(net) == 10 and bindings(net.cn) == {}


def test_two_correspondents_each_have_their_binding(net: Net) -> None:
    cn2 = another_correspondent(net)
    net.move("one")
    assert net.lost(2) == 0 and net.lost(2, by=cn2) == 0
    assert bindings(net.cn) == bindings(cn2) == {HOA: COA1}
    net.move("two")
    assert bindings(net.cn) == bindings(cn2) == {HOA: COA2}
    net.tap.frames.clear()
    assert net.lost(3) == 0 and net.lost(3, by=cn2) == 0
    assert tunnelled(net) == 0


def test_correspondent_that_restarts_gets_its_binding_again(net: Net) -> None:
    net.move("one")
    assert net.lost(2) == 0
    forget_bindings(net.cn.kernel)
    net.tap.frames.clear()
    assert net.lost(4) == 0
    assert bindings(net.cn) == {HOA: COA1}
    assert 1 <= tunnelled(net) <= 2  # until the next second of the timer of updates


def test_home_agent_that_restarts_serves_again_after_the_refresh(net: Net) -> None:
    mip6_state(net.ha.kernel).hrbc_lifetime_limit = 120
    net.move("one")
    forget_registrations(net.ha)
    assert net.lost(1) == 1
    (sc,) = mip6_state(net.mn.kernel).hif_softc_list
    net.world.run_ns(sc.hif_bu_list[-1].mbu_refexpire + 5 * NS)
    assert bindings(net.ha)[HOA] == COA1
    assert net.lost() == 0


def forget_registrations(ha: Node) -> None:
    """As after a restart: no bindings, and nothing on the home link that stands for them."""
    for hr in {bc.mbc_hr for bc in mip6_state(ha.kernel).mip6_hrbc_list.values()}:
        assert hr is not None
        mip6_hr_expire(ha.kernel, hr)
    assert bindings(ha) == {}


def test_ping_pong_between_two_links_ends_with_the_last_one(net: Net) -> None:
    for _ in range(4):
        net.move("one", 3)
        net.move("two", 3)
    net.world.run_for(20)
    assert net.reg_states() == [REG] and bindings(net.ha)[HOA] == COA2
    assert net.lost() == 0


def test_ping_pong_with_the_home_link_leaves_nothing_behind(net: Net) -> None:
    for _ in range(3):
        net.move("one", 7)
        net.move("home", 7)
    net.world.run_for(60)
    assert net.reg_states() == [] and bindings(net.ha) == {}
    assert net.lost() == 0


def test_lost_update_is_sent_again(net: Net) -> None:
    net.net.impair(loss=1.0)
    net.move("one", 8)
    assert bindings(net.ha) == {}
    net.net.impair(loss=0.0)
    net.world.run_for(15)
    assert net.reg_states() == [REG] and net.lost() == 0


def test_lost_acknowledgement_makes_the_update_come_again(net: Net) -> None:
    """The home agent has the binding and the node does not know; the next number settles it."""
    mn_link = net.world.links["one"]
    net.world.move(net.mn, "fxp0", mn_link)
    assert net.world.run_ns(
        net.world.now() + 15 * NS, lambda: bool(carrying(net, "mn", BindingUpdate))
    )
    net.world.run_for(0.1)
    mn_link.impair(loss=1.0)
    net.world.run_for(1.5)
    assert bindings(net.ha)[HOA] == COA1 and net.reg_states() != [REG]
    mn_link.impair(loss=0.0)
    net.world.run_for(10)
    assert net.reg_states() == [REG]
    assert len(carrying(net, "mn", BindingUpdate)) >= 2
    assert net.lost() == 0


@pytest.mark.parametrize("net", ["draft-15"], indirect=True)
def test_mobile_node_that_restarts_abroad_takes_up_the_numbers(net: Net) -> None:
    """Its numbers begin at 1; the home agent tells the one it has (status 141)."""
    for link in ("one", "two", "one"):
        net.move(link)
    assert net.lost(1) == 0
    net.world.links["one"].impair(loss=1.0)  # nobody hears it go
    net.mn.run("mip6control -M")
    mip6_state(net.mn.kernel).mip6_peers.clear()
    net.world.links["one"].impair(loss=0.0)
    assert HOA in bindings(net.ha)
    net.tap.frames.clear()
    register_again(net)
    net.world.run_for(15)
    answers = [p.ba for p in carrying(net, "ha", BindingAck)]
    numbers = [u.seqno for u in updates_of(net)]
    assert [ba.status for ba in answers] == [SEQNO_TOO_SMALL, 0]
    assert numbers == [1, answers[0].seqno + 2]
    assert net.reg_states() == [REG] and bindings(net.ha)[HOA] == COA1
    assert net.lost() <= 1  # what came along with the update that the correspondent refused


def updates_of(net: Net) -> list[BindingUpdate]:
    """Updates of the mobile node, in order."""
    sent = carrying(net, "mn", BindingUpdate)
    return [o for p in sent for o in p.options if isinstance(o, BindingUpdate)]


def register_again(net: Net) -> None:
    """What its start-up file says, and the home agent has an old binding with a higher number."""
    net.world.run_for(1)
    assert net.reg_states() == []
    ifp = net.ha.kernel.ifunit("fxp0")
    assert ifp is not None
    own = in6ifa_ifpforlinklocal(ifp)
    assert own is not None
    agent = f"-A {HA} -L {ntop(in6_clearscope(own.ia_addr))}"
    for command in ("-i hif0 -H 2001:db8:1:: -P 64", f"-i hif0 {agent}", "-m"):
        assert net.mn.run(f"mip6control {command}").status == 0


def test_mip6control_m_before_h() -> None:
    """Switched on without a home prefix, which comes when the node is away already."""
    late = Net(configure="mip6control -m")
    late.move("one")
    assert late.reg_states() == []
    home = late.ha.kernel.ifunit("fxp0")
    assert home is not None
    own = in6ifa_ifpforlinklocal(home)
    assert own is not None
    for command in (
        "-i hif0 -H 2001:db8:1:: -P 64",
        f"-i hif0 -A {HA} -L {ntop(in6_clearscope(own.ia_addr))}",
    ):
        assert late.mn.run(f"mip6control {command}").status == 0
    assert location(late) == HIF_LOCATION_FOREIGN  # no advertisement is waited for
    late.world.run_for(10)
    assert late.reg_states() == [REG] and late.lost() == 0


def test_mip6control_large_m_abroad_takes_leave(net: Net) -> None:
    net.move("one")
    assert net.lost(2) == 0
    assert bindings(net.ha) and bindings(net.cn)
    assert net.mn.run("mip6control -M").status == 0
    net.world.run_for(2)
    assert bindings(net.ha) == {} and bindings(net.cn) == {}
    assert net.lost(2) == 2  # the home address is nobody's
    assert net.lost(2, COA1) == 0


# -- what users of other implementations reported -------------------------------------------------


def test_reported_1_home_agent_really_runs_duplicate_detection(net: Net) -> None:
    """Elsewhere a delay of one second stood in for it."""
    net.tap.frames.clear()
    net.move("one")
    probes = [
        h.facts()["target"]
        for h, p in sent_by(net, "ha")
        if h.facts().get("icmp6") == "ns" and p.src == "::"
    ]
    assert probes == ["fe80::2a0:24ff:fe00:401"]


def test_reported_1_a_duplicate_at_home_is_found(net: Net) -> None:
    thief = net.world.add_node("thief")
    net.move("one", 3)
    thief.attach("fxp0", net.world.links["home"])
    thief.run("ifconfig fxp0 inet6 fe80::2a0:24ff:fe00:401 alias")
    net.world.run_for(15)
    assert bindings(net.ha) == {}
    assert any("is used by another node" in line.text for line in net.mn.kernel.log.lines)


def test_reported_2_care_of_address_is_tested_for_duplicates(net: Net) -> None:
    net.tap.frames.clear()
    net.move("one")
    targets = [
        h.facts()["target"]
        for h, p in sent_by(net, "mn")
        if h.facts().get("icmp6") == "ns" and p.src == "::"
    ]
    assert COA1 in targets


def test_reported_3_first_answer_does_not_lose_to_the_retransmission(net: Net) -> None:
    """The first timeout is longer than duplicate detection at home: one update, one answer."""
    net.tap.frames.clear()
    net.move("one")
    to_ha = [p for p in carrying(net, "mn", BindingUpdate) if p.hops == (HA,)]
    assert len(to_ha) == 1
    assert len(carrying(net, "ha", BindingAck)) == 1


def test_reported_4_nothing_of_its_own_is_dropped_while_it_registers() -> None:
    mn = MnStage()
    mn.arrive()
    mn.forget()
    mn.nut.run(f"ping6 -c 3 -S {STAGE_HOA} 2001:db8:f::1")
    sent = [seen(h) for h in mn.take() if h.facts().get("icmp6") == "echo"]
    assert [(p.src, hao_of(p)) for p in sent] == [(STAGE_COA, STAGE_HOA)] * 3


def test_reported_5_no_redirect_for_what_comes_out_of_the_reverse_tunnel(net: Net) -> None:
    """The destination is on the link that the outer packet came by."""
    net.move("one")
    net.tap.frames.clear()
    net.mn.run(f"ping6 -c 2 -S {HOA} ff0e::77")
    assert net.lost(2) == 0
    assert [h for _, h in net.tap.frames if h.facts().get("icmp6") == "redirect"] == []


def test_reported_6_long_ping_pong_does_not_go_round_in_circles(net: Net) -> None:
    """The number of packets grows with time, not faster."""
    net.move("one")
    net.tap.frames.clear()
    net.world.run_for(60)
    one = len(net.tap.frames)
    net.world.run_for(60)
    assert len(net.tap.frames) - one <= one * 1.2


def test_reported_7_home_agent_answers_for_the_mobile_node(net: Net) -> None:
    peer = net.world.add_node("peer", KERNEL)
    peer.attach("fxp0", net.world.links["home"])
    peer.run("mip6control -T 0")
    peer.kernel.ip6.ip6_accept_rtadv = 1
    net.world.run_for(8)
    net.move("one")
    net.tap.frames.clear()
    assert net.lost(3, by=peer) == 0
    answers = [h for h, _ in sent_by(net, "ha") if h.facts().get("icmp6") == "na"]
    assert HOA in [h.facts()["target"] for h in answers]


def test_reported_8_updates_are_not_believed_without_authentication(net: Net) -> None:
    """Unless the operator says so, and then it is said in so many words."""
    net.ha.run("mip6control -T 1 -S 1")
    net.move("one", 40)
    assert bindings(net.ha) == {}
    assert any("unprotected" in line.text for line in net.ha.kernel.log.lines)


def test_reported_9_correspondents_hear_of_a_move_at_once_and_of_the_return(net: Net) -> None:
    """No start-up delay, no rate limit kept across a move, no route left after the return."""
    net.move("one", 10)
    net.tap.frames.clear()
    assert net.lost(1) == 0
    net.world.run_for(2)
    assert bindings(net.cn) == {HOA: COA1}
    net.move("two", 8)
    assert bindings(net.cn) == {HOA: COA2}
    net.move("home", 12)
    net.tap.frames.clear()
    assert net.lost(2) == 0
    assert all(len(p.hops) == 1 for _, p in sent_by(net, "cn"))
