# SPDX-License-Identifier: BSD-3-Clause
"""Routers of both kinds: radvd configures a node, the node's rtadvd configures Linux."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.live.rig import Netns, Nodes, Rig, wait_until
from tests.support import needs_tool

pytestmark = pytest.mark.live

RADVD = """
interface tap-a {
    AdvSendAdvert on;
    AdvHomeAgentFlag on;
    AdvHomeAgentInfo on;
    HomeAgentLifetime 1000;
    HomeAgentPreference 7;
    AdvIntervalOpt on;
    AdvMobRtrSupportFlag on;
    MinRtrAdvInterval 0.5;
    MaxRtrAdvInterval 1.5;
    MinDelayBetweenRAs 0.03;
    prefix 2001:db8:1::1/64 { AdvRouterAddr on; };
};
"""
MN = """
sysctl -w net.inet6.ip6.accept_rtadv=1
mip6control -T 0
mip6control -H2001:db8:1:: -P64
mip6control -m
rtsold -a -m
"""


def start_radvd(rig: Rig, netns: Netns) -> None:
    conf = rig.file("radvd.conf", RADVD)
    netns.sysctl("net.ipv6.conf.all.forwarding", 1)
    netns.run("ip", "-6", "addr", "add", "2001:db8:1::1/64", "dev", "tap-a", "nodad")
    wait_until("link-local address of Linux", lambda: netns.address("tap-a", "link"))
    pid = str(rig.folder / "radvd.pid")
    rig.program(netns, needs_tool("radvd"), "-n", "-m", "stderr", "-C", str(conf), "-p", pid)


def autoconfigured(node: Nodes, prefix: str) -> str:
    found = re.search(
        rf"inet6 ({prefix}\S+) prefixlen 64 autoconf ?\n?", node.says("ifconfig", "-a")
    )
    return found.group(1) if found else ""


def test_radvd_configures_a_node_and_is_its_home_agent(rig: Rig) -> None:
    needs_tool("radvd")
    linux = rig.netns()
    node = rig.tap_node(linux, "a", "--options", "MIP6,hif 1", rc=MN)
    start_radvd(rig, linux)
    wait_until("an address", lambda: autoconfigured(node, "2001:db8:1:"))
    assert re.search(r"^default +fe80::\S+%fxp0 ", node.says("netstat", "-rnl"), re.M)
    wait_until("the home agent", lambda: "2001:db8:1::1" in node.says("mip6control", "-aln"))
    row = re.search(r"2001:db8:1::1 +H +(\d+) +(\d+)", node.says("mip6control", "-aln"))
    assert row and int(row.group(1)) == 7, node.says("mip6control", "-aln")
    assert 0 < int(row.group(2)) <= 1000


def test_node_solicits_a_router_with_rtsol(rig: Rig) -> None:
    needs_tool("radvd")
    linux = rig.netns()
    node = rig.tap_node(linux, "a", rc="sysctl -w net.inet6.ip6.accept_rtadv=1\n")
    start_radvd(rig, linux)
    wait_until("the node's own address", lambda: "tentative" not in node.says("ifconfig", "fxp0"))
    node.says("rtsol", "fxp0")
    wait_until("an address", lambda: autoconfigured(node, "2001:db8:1:"))


def start_rtadvd(rig: Rig) -> tuple[Netns, Nodes]:
    """The node is the router."""
    linux = rig.netns()
    rc = "ifconfig fxp0 inet6 2001:db8:2::1 prefixlen 64 alias\n"
    conf = rig.file("rtadvd.conf", "fxp0:\\\n\t:maxinterval#4:mininterval#3:hapref#9:hatime#500:\n")
    node = rig.tap_node(linux, "a", "--options", "MIP6", "--forwarding", rc=rc)
    wait_until("the router's address", lambda: node.usable("2001:db8:2::1"))
    node.says("rtadvd", "-m", "-c", str(conf), "fxp0")
    return linux, node


def test_rtadvd_configures_linux(rig: Rig) -> None:
    linux, _ = start_rtadvd(rig)
    wait_until("an address of Linux", lambda: linux.address("tap-a").startswith("2001:db8:2:"), 90)
    assert "default via fe80::" in linux.run("ip", "-6", "route")
    ping = needs_tool("ping")
    assert " 2 received" in linux.run(ping, "-6", "-c", "2", "-i", "0.2", "2001:db8:2::1")


def test_rdisc6_sees_the_advertisement(rig: Rig) -> None:
    linux, _ = start_rtadvd(rig)
    wait_until("link-local address of Linux", lambda: linux.address("tap-a", "link"))
    out = linux.run(needs_tool("rdisc6"), "-1", "tap-a")
    assert re.search(r"Prefix +: 2001:db8:2::1/64", out), out  # with R: the whole address
    assert re.search(r"Mobile home agent +: +Yes", out), out


def test_tshark_reads_the_mobility_of_the_advertisement(rig: Rig) -> None:
    linux, node = start_rtadvd(rig)
    wait_until("an advertisement reached Linux", lambda: linux.address("tap-a"), 90)
    node.stop()
    tshark = needs_tool("tshark")
    capture: Path = next(iter(rig.captures()))
    fields = (
        "icmpv6.nd.ra.flag.h",
        "icmpv6.opt.prefix.flag.r",
        "icmpv6.opt.prefix",
        "icmpv6.opt.advertisement_interval",
        "icmpv6.opt.home_agent_preference",
    )
    argv = [word for field in fields for word in ("-e", field)]
    out = linux.run(tshark, "-r", str(capture), "-Y", "icmpv6.type == 134", "-T", "fields", *argv)
    assert "1\t1\t2001:db8:2::1\t4000\t9" in out, out
