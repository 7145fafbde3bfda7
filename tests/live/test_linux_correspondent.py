# SPDX-License-Identifier: BSD-3-Clause
"""Linux as a correspondent: its ping to a home address survives a handover, and it refuses the
home address option for real.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.live.rig import Netns, Nodes, Rig, wait_until
from tests.support import needs_tool

pytestmark = pytest.mark.live

LINUX = "2001:200:1:3::3"
FALLBACK = '"MIP6", "MIP6_ALLOW_COA_FALLBACK", "hif 1"'
LAB = """
[link]
home = {}
fl = {}
cl = {}

[node.ha]
kernel = ["MIP6", "hif 1"]
forwarding = true
interfaces = { fxp0 = "home", fxp1 = "cl", fxp2 = "fl" }
rc = '''
ifconfig fxp0 inet6 2001:200:1:1::1 prefixlen 64 alias
ifconfig fxp0 inet6 2001:200:1:1:fdff:ffff:ffff:fffe anycast alias
ifconfig fxp1 inet6 2001:200:1:3::1 prefixlen 64 alias
ifconfig fxp2 inet6 2001:200:9:1::1 prefixlen 64 alias
rtadvd -m fxp0 fxp2
had fxp0
mip6control -T 0
mip6control -g
'''

[node.mn]
kernel = [KERNEL]
interfaces = { fxp0 = "home" }
rc = '''
sysctl -w net.inet6.ip6.accept_rtadv=1
mip6control -T 0
mip6control -H2001:200:1:1:: -P64
mip6control -m
rtsold -a -m
'''
"""


class World:
    """Home agent and mobile node in one process, Linux on the correspondent's link by TAP."""

    def __init__(self, rig: Rig, kernel: str = '"MIP6", "hif 1"') -> None:
        self.linux: Netns = rig.netns()
        lab = rig.file("world.toml", LAB.replace("KERNEL", kernel))
        capture = str(rig.folder / "world.pcapng")
        self.nodes: Nodes = rig.nodes(
            *("up", "-w", "cl=tap:tap0", "--pcap", capture, str(lab)), netns=self.linux
        )
        self.linux.run("ip", "link", "set", "tap0", "up")
        self.linux.run("ip", "-6", "addr", "add", f"{LINUX}/64", "dev", "tap0", "nodad")
        self.linux.run("ip", "-6", "route", "add", "default", "via", "2001:200:1:3::1")
        wait_until("the home address", lambda: self.hoa())

    def hoa(self) -> str:
        return self._address("2001:200:1:1:")

    def coa(self) -> str:
        return self._address("2001:200:9:1:")

    def _address(self, prefix: str) -> str:
        for line in self.nodes.says("ifconfig", "-a", node="mn").splitlines():
            found = re.search(rf"inet6 ({prefix}\S+) ", line)
            if found and "tentative" not in line:
                return found.group(1)
        return ""

    def abroad(self) -> None:
        """The mobile node moves, and its home agent knows."""
        hoa = self.hoa()
        self.nodes.says("plug", "mn.fxp0", "fl")
        known = rf"{hoa} +2001:200:9:1:\S+ +2001:200:1:1::1 .*AHD"
        cache = ("mip6control", "-cln")
        wait_until("the binding", lambda: re.search(known, self.nodes.says(*cache, node="ha")))


def test_ping_of_linux_survives_a_handover(rig: Rig) -> None:
    world = World(rig, FALLBACK)
    hoa = world.hoa()
    ping = rig.program(world.linux, needs_tool("ping"), "-6", "-n", "-i", "0.5", hoa)
    log = rig.folder / "ping.log"

    def answers() -> int:
        return log.read_text().count("bytes from")

    wait_until("pings at home", lambda: answers() >= 2)
    world.abroad()
    before = answers()
    wait_until("pings abroad", lambda: answers() >= before + 4)
    world.nodes.says("plug", "mn.fxp0", "home")
    wait_until(
        "no binding any more",
        lambda: hoa not in world.nodes.says("mip6control", "-cln", node="ha"),
    )
    before = answers()
    wait_until("pings at home again", lambda: answers() >= before + 4)
    assert ping.poll() is None


def mn_pings(world: World, *argv: str) -> str:
    return world.nodes.run("ping6", *argv, LINUX, node="mn").stdout


def bul_state(world: World) -> str:
    """The last column of the binding update list for Linux, "" without an entry."""
    text = world.nodes.says("mip6control", "-bln", node="mn")
    found = re.search(rf"^{LINUX} .* (\S+) *$", text, re.M)
    return found.group(1) if found else ""


def test_linux_refuses_the_home_address_and_the_mobile_node_falls_back(rig: Rig) -> None:
    world = World(rig, FALLBACK)
    world.abroad()
    hoa = world.hoa()
    # A program that insists on the home address: refused once, then without the option.
    out = mn_pings(world, "-S", hoa, "-c", "4")
    assert "icmp_seq=0" not in out and "icmp_seq=3" in out, out
    assert "M" in bul_state(world) and "U" in bul_state(world)
    # Who leaves the choice to the kernel gets the care-of address, and no loss.
    out = mn_pings(world, "-c", "2")
    assert f"{world.coa()} --> {LINUX}" in out and " 2 packets received" in out, out


def test_without_the_option_nothing_of_this_happens(rig: Rig) -> None:
    world = World(rig)
    world.abroad()
    out = mn_pings(world, "-c", "3")
    assert f"{world.hoa()} --> {LINUX}" in out and " 0 packets received" in out, out
    assert "M" not in bul_state(world)


def test_parameter_problem_is_on_the_wire(rig: Rig) -> None:
    world = World(rig)
    world.abroad()
    mn_pings(world, "-c", "1")
    world.nodes.stop()
    tshark = needs_tool("tshark")
    capture: Path = next(iter(rig.captures()))
    problem = "icmpv6.type == 4 && icmpv6.code == 2"
    assert world.linux.run(tshark, "-r", str(capture), "-Y", problem)
