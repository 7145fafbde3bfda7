# SPDX-License-Identifier: BSD-3-Clause
"""A home link on which no address makes itself: its prefix is no /64, or has the A flag clear.

home 2001:db8:1:100:: --- ha ---+--- one 2001:db8:2::/64 (ha is its router, too)
two  2001:db8:3::/64 ---- r2 ---+
draft-15 s.10.4, s.10.20; RFC 2462 s.5.5.3 (d).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import pytest

from kame_py.kern.clock import NS
from kame_py.lab.node import Node
from kame_py.lab.world import World
from kame_py.mip6.mip6_mnstate import HIF_LOCATION_FOREIGN, HIF_LOCATION_HOME
from kame_py.mip6.mip6_var import mip6_state
from kame_py.wire.in6addr import ntop
from tests.scenario.mnstage import KERNELS
from tests.scenario.words import addr

HOME: Final = "2001:db8:1:100::"
IFID: Final = "2a0:24ff:fe00:201"
HOA: Final = f"2001:db8:1:100:{IFID}"
COA1: Final = f"2001:db8:2:0:{IFID}"
#: Length of the home prefix, and what rtadvd.conf says of it.
LINKS: Final = {
    "a /56": (56, ""),
    "a /64 with A clear": (64, f'addrs#1:addr="{HOME}1":prefixlen#64:pinfoflags#160:'),
}


@dataclass
class Net:
    world: World
    ha: Node
    mn: Node

    def move(self, link: str, seconds: float = 20) -> None:
        self.world.move(self.mn, "fxp0", self.world.links[link])
        self.world.run_for(seconds)

    def lost(self, count: int = 3) -> int:
        return count - self.ha.run(f"ping6 -c {count} {HOA}").out.count("bytes from")

    @property
    def location(self) -> int:
        return mip6_state(self.mn.kernel).hif_softc_list[0].hif_location

    @property
    def bindings(self) -> dict[str, str]:
        """At the home agent, of addresses that are not link-local."""
        bcs = mip6_state(self.ha.kernel).mip6_hrbc_list.values()
        found = {ntop(bc.mbc_phaddr): ntop(bc.mbc_pcoa) for bc in bcs}
        return {hoa: coa for hoa, coa in found.items() if not hoa.startswith("fe80")}

    def addresses(self, ifname: str) -> str:
        return self.mn.run(f"ifconfig {ifname} inet6").out


@pytest.fixture(
    params=[(kernel, link) for kernel in KERNELS for link in LINKS], ids=lambda p: ", ".join(p)
)
def net(request: pytest.FixtureRequest) -> Net:
    """Everybody is switched on; the mobile node begins at home."""
    kernel, (plen, more) = KERNELS[request.param[0]], LINKS[request.param[1]]
    world = World(seed=5)
    for name in ("home", "one", "two"):
        world.add_link(name, delay_ns=1_000_000)
    conf = f"fxp0:mininterval#3:maxinterval#4:{more}\nfxp1:mininterval#3:maxinterval#4:\n"
    ha = world.add_node("ha", kernel, {"/etc/rtadvd.conf": conf})
    mn = world.add_node("mn", kernel)
    for n, name in enumerate(("home", "one", "two")):
        ha.attach(f"fxp{n}", world.links[name])
        ha.run(f"ifconfig fxp{n} inet6 2001:db8:{n + 1}::1 prefixlen 64 alias" if n else "")
    mn.attach("fxp0", world.links["home"])
    ha.run(f"sysctl -w net.inet6.ip6.forwarding=1\nifconfig fxp0 inet6 {HOME}1 prefixlen {plen}")
    assert ha.run("rtadvd -m -c /etc/rtadvd.conf fxp0").status == 0
    assert ha.run("rtadvd -c /etc/rtadvd.conf fxp1 fxp2").status == 0
    ha.run("mip6control -T 0 -S 0\nmip6control -g")
    mn.run("sysctl -w net.inet6.ip6.accept_rtadv=1\nmip6control -T 0 -S 0")
    mn.run(f"mip6control -H {HOME} -P {plen}\nmip6control -m")
    world.run_for(12)
    return Net(world, ha, mn)


def test_node_that_starts_at_home_is_at_home(net: Net) -> None:
    assert net.location == HIF_LOCATION_HOME
    assert HOA in net.addresses("fxp0") and HOA not in net.addresses("hif0")
    assert net.lost() == 0


def test_node_goes_out_and_comes_home(net: Net) -> None:
    for _ in range(2):
        net.move("one")
        assert net.location == HIF_LOCATION_FOREIGN
        assert HOA not in net.addresses("fxp0") and HOA in net.addresses("hif0")
        assert net.bindings == {HOA: COA1}
        assert net.lost() == 0
        net.move("home")
        assert net.location == HIF_LOCATION_HOME
        assert HOA in net.addresses("fxp0") and HOA not in net.addresses("hif0")
        assert net.bindings == {} and net.lost() == 0


def test_node_goes_by_two_links_and_comes_home(net: Net) -> None:
    for link in ("one", "two", "home"):
        net.move(link)
    assert net.location == HIF_LOCATION_HOME
    assert net.bindings == {} and net.lost() == 0


def test_router_abroad_must_be_silent_before_the_node_is_home(net: Net) -> None:
    """Both prefixes are on-link for a while; the care-of address stays as long as it can."""
    net.move("one")
    net.world.move(net.mn, "fxp0", net.world.links["home"])
    home = addr(HOME)
    prefixes = net.mn.kernel.nd6.prefixes
    assert net.world.run_ns(
        net.world.now() + 10 * NS, lambda: any(pr.ndpr_prefix == home for pr in prefixes)
    )
    assert net.location == HIF_LOCATION_FOREIGN
    net.world.run_for(10)
    assert net.location == HIF_LOCATION_HOME
