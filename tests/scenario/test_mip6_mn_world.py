# SPDX-License-Identifier: BSD-3-Clause
"""A mobile node among real ones: home agent, routers, correspondent, with their programs.

home 2001:db8:1::/64 --- ha ---+
one  2001:db8:2::/64 --- r1 ---+--- net 2001:db8:f::/64 --- cn
two  2001:db8:3::/64 --- r2 ---+
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import pytest

from kame_py.kern.clock import NS
from kame_py.kern.mbuf import Mbuf
from kame_py.lab.lan import Port
from kame_py.lab.node import Node
from kame_py.lab.world import World
from kame_py.mip6.mip6_hareg import mip6_hr_expire, mip6_hr_list
from kame_py.mip6.mip6_var import mip6_state
from kame_py.wire.const import IPPROTO_IPV6
from kame_py.wire.in6addr import ntop
from kame_py.wire.mip6 import BindingUpdate, HomeAddress
from tests.scenario.mip6words import Seen, forget_bindings, seen
from tests.scenario.mnstage import KERNEL, KERNELS
from tests.scenario.words import Heard

RTADVD: Final = "fxp0:mininterval#3:maxinterval#4:{more}\n"
HA: Final = "2001:db8:1::1"
HOA: Final = "2001:db8:1:0:2a0:24ff:fe00:401"
COA1: Final = "2001:db8:2:0:2a0:24ff:fe00:401"
COA2: Final = "2001:db8:3:0:2a0:24ff:fe00:401"
CN: Final = "2001:db8:f::c"


@dataclass
class Tap:
    """What every interface sent."""

    world: World
    frames: list[tuple[str, Heard]] = field(default_factory=list)

    def sent(self, port: Port, frame: bytes, m: Mbuf | None, note: str) -> None:
        self.frames.append((port.name, Heard(self.world.now(), frame)))

    def received(self, port: Port, frame: bytes, m: Mbuf | None) -> None: ...


class Net:
    """The world above, with the mobile node at home and switched on."""

    def __init__(self, *, had: bool = False, configure: str = "", kernel: str = KERNEL) -> None:
        self.world = World(seed=3)
        self.tap = Tap(self.world)
        self.world.observe(self.tap)
        self.net = self.world.add_link("net", delay_ns=2_000_000)
        self.ha = self._router("ha", "home", 1, kernel, "raflags#32")
        self._router("r1", "one", 2)
        self._router("r2", "two", 3)
        self.mn = self.world.add_node("mn", kernel)
        self.mn.attach("fxp0", self.world.links["home"])
        self.mn.kernel.ip6.ip6_accept_rtadv = 1
        self.cn = self.world.add_node("cn", kernel)
        self.cn.attach("fxp0", self.net)
        self.cn.run(f"ifconfig fxp0 inet6 {CN} prefixlen 64 alias")
        for n in (1, 2, 3):
            self.cn.run(f"route add -inet6 2001:db8:{n}:: -prefixlen 64 2001:db8:f::{n}")
        for node in (self.ha, self.mn, self.cn):
            node.run("mip6control -T 0 -S 0")
        self.ha.run("mip6control -g")
        if had:
            self.ha.run("ifconfig fxp0 inet6 2001:db8:1:0:fdff:ffff:ffff:fffe anycast alias")
            self.ha.run("had fxp0")
        self.mn.run(configure or "mip6control -i hif0 -H 2001:db8:1:: -P 64")
        self.mn.run("mip6control -m")
        self.world.run_for(12)

    def _router(self, name: str, link: str, n: int, kernel: str = "", more: str = "") -> Node:
        files = {"/etc/rtadvd.conf": RTADVD.format(more=more + ":" if more else "")}
        node = self.world.add_node(name, kernel, files)
        node.attach("fxp0", self.world.add_link(link, delay_ns=1_000_000))
        node.attach("fxp1", self.net)
        node.kernel.ip6.ip6_forwarding = 1
        node.run(f"ifconfig fxp0 inet6 2001:db8:{n}::1 prefixlen 64 alias")
        node.run(f"ifconfig fxp1 inet6 2001:db8:f::{n} prefixlen 64 alias")
        for other in {1, 2, 3} - {n}:
            node.run(f"route add -inet6 2001:db8:{other}:: -prefixlen 64 2001:db8:f::{other}")
        flag = "-m " if more else ""
        assert node.run(f"rtadvd {flag}-c /etc/rtadvd.conf fxp0").status == 0
        return node

    def move(self, link: str, seconds: float = 15) -> None:
        self.world.move(self.mn, "fxp0", self.world.links[link])
        self.world.run_for(seconds)

    def lost(self, count: int = 5, dst: str = HOA, by: Node | None = None) -> int:
        """How many pings are not answered."""
        out = (by or self.cn).run(f"ping6 -c {count} {dst}").out
        return count - out.count("bytes from")

    def by(self, name: str) -> list[Seen]:
        """What a node sent, and forget all."""
        found = [seen(h) for who, h in self.tap.frames if who.startswith(name + ".")]
        self.tap.frames.clear()
        return found

    def reg_states(self) -> list[tuple[str, int]]:
        (sc,) = mip6_state(self.mn.kernel).hif_softc_list
        return [(ntop(bu.mbu_paddr), bu.mbu_reg_state) for bu in sc.hif_bu_list]


@pytest.fixture(params=KERNELS)
def net(request: pytest.FixtureRequest) -> Net:
    return Net(kernel=KERNELS[request.param])


def test_a_day_of_a_mobile_node(net: Net) -> None:
    """Home, one link, another, home again: reachable at one address all the time."""
    assert net.lost() == 0
    net.move("one")
    assert net.reg_states() == [(HA, 3)]
    assert net.lost() == 0
    net.move("two")
    assert net.lost() == 0
    net.move("home")
    assert net.reg_states() == []
    assert net.lost() == 0
    assert mip6_state(net.ha.kernel).mip6_hrbc_list == {}
    assert mip6_state(net.cn.kernel).mip6_bc_list == {}


def test_route_is_optimised_after_the_first_answer(net: Net) -> None:
    net.move("one")
    net.tap.frames.clear()
    assert net.lost(2) == 0
    packets = [p for who, h in net.tap.frames if who == "ha.fxp1" for p in [seen(h)]]
    assert [p.nxt for p in packets].count(IPPROTO_IPV6) == 1  # only the first came by the tunnel


def test_correspondent_hears_of_the_move_without_delay(net: Net) -> None:
    net.move("one")
    assert net.lost(1) == 0
    net.move("two")
    bindings = mip6_state(net.cn.kernel).mip6_bc_list
    assert [(ntop(bc.mbc_phaddr), ntop(bc.mbc_pcoa)) for bc in bindings.values()] == [(HOA, COA2)]


def test_mobile_node_keeps_its_address_when_it_calls(net: Net) -> None:
    net.move("one")
    net.tap.frames.clear()
    assert net.lost(2, CN, net.mn) == 0
    sent = [p for p in net.by("mn") if p.hops == (CN,)]
    assert all(p.src == COA1 and isinstance(p.options[0], HomeAddress) for p in sent)
    assert sum(isinstance(o, BindingUpdate) for p in sent for o in p.options) == 1


def test_neighbours_at_home_reach_the_node_by_its_home_agent(net: Net) -> None:
    peer = net.world.add_node("peer", KERNEL)
    peer.run("mip6control -T 0")
    peer.attach("fxp0", net.world.links["home"])
    peer.kernel.ip6.ip6_accept_rtadv = 1
    net.world.run_for(8)
    assert net.lost(2, by=peer) == 0
    net.move("one")
    assert net.lost(4, by=peer) == 0
    net.move("home")
    assert net.lost(2, by=peer) == 0


@pytest.mark.parametrize("draft", KERNELS)
def test_home_agent_is_discovered_abroad(draft: str) -> None:
    net = Net(had=True, kernel=KERNELS[draft])
    sent = mip6_state(net.mn.kernel)
    for mha in list(sent.mip6_ha_list):
        mha.mha_flags = 0  # as if nothing had been heard at home
    net.move("one")
    assert net.reg_states() == [(HA, 3)]
    assert net.lost(3) == 0


def test_home_agent_that_restarted_gets_a_new_registration(net: Net) -> None:
    net.move("one")
    for hoa in mip6_state(net.ha.kernel).mip6_hrbc_list:
        assert net.ha.kernel.rt.exact(hoa, 128) is not None
    mip6_state(net.ha.kernel).bcache.proxies.clear()  # the routes stay, and nobody knows whose
    for hr in mip6_hr_list(net.ha.kernel):
        mip6_hr_expire(net.ha.kernel, hr)
    net.world.run_for(2)
    net.move("two")
    assert net.reg_states()[-1] == (HA, 3)
    assert net.lost(3) == 0


def test_lost_correspondent_binding_comes_back(net: Net) -> None:
    net.move("one")
    assert net.lost(2) == 0
    forget_bindings(net.cn.kernel)
    assert net.lost(3) == 0
    net.world.run_for(2)
    assert len(mip6_state(net.cn.kernel).mip6_bc_list) == 1


def test_lossy_path_only_takes_longer() -> None:
    net = Net()
    net.net.impair(loss=0.4)
    net.move("one", 600)
    assert net.reg_states()[-1] == (HA, 3)


def test_every_packet_of_every_node_has_one_fate(net: Net) -> None:
    for link in ("one", "two", "home"):
        net.move(link)
        net.lost(1)
    for node in net.world.nodes.values():
        kern = node.kernel
        assert sum(kern.fates.values()) == kern.created


def test_same_seed_makes_the_same_journey() -> None:
    def journey() -> list[bytes]:
        net = Net()
        net.move("one")
        net.lost(1)
        return [h.frame for _, h in net.tap.frames]

    assert journey() == journey()


def test_timer_of_updates_sleeps_until_something_is_due(net: Net) -> None:
    net.move("one")
    timer = mip6_state(net.mn.kernel).bu_timer
    (sc,) = mip6_state(net.mn.kernel).hif_softc_list
    assert timer is not None
    assert 0 <= timer.deadline - sc.hif_bu_list[0].mbu_refexpire < NS
