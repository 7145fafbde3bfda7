# SPDX-License-Identifier: BSD-3-Clause
"""A node on TAP and the running Linux on the other end of the wire."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live.rig import Netns, Nodes, Rig, rig_in, wait_until
from tests.support import PROJECT_ROOT, needs_netns, needs_tool

pytestmark = pytest.mark.live

LINUX = "2001:db8:77::1"
NODE = "2001:db8:77::2"
RC = f"ifconfig fxp0 inet6 {NODE} prefixlen 64 alias\n"


class Pair:
    """Linux and a node on one wire, both with an address that is usable."""

    def __init__(self, rig: Rig, *argv: str, rc: str = RC) -> None:
        self.linux: Netns = rig.netns()
        self.node: Nodes = rig.tap_node(self.linux, "a", *argv, rc=rc)
        self.linux.run("ip", "-6", "addr", "add", f"{LINUX}/64", "dev", "tap-a", "nodad")
        wait_until("link-local address of Linux", lambda: self.linux.address("tap-a", "link"))
        wait_until(f"{NODE} usable", lambda: self.node.usable(NODE))


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    """For tests that leave everything as it was."""
    with rig_in(tmp_path_factory.mktemp("pair")) as rig:
        yield Pair(rig)


@pytest.fixture
def fresh(rig: Rig) -> Pair:
    """For tests that change something."""
    return Pair(rig)


def received(text: str) -> int:
    found = re.search(r"(\d+) (?:packets )?received", text)
    assert found, text
    return int(found.group(1))


@pytest.mark.parametrize("size", [0, 56, 1452, 4000])
def test_linux_pings_the_node(pair: Pair, size: int) -> None:
    ping = needs_tool("ping")
    out = pair.linux.run(ping, "-6", "-c", "3", "-i", "0.05", "-s", str(size), NODE)
    assert received(out) == 3


def test_linux_pings_the_link_local_address(pair: Pair) -> None:
    lines = pair.node.says("ifconfig", "fxp0").splitlines()
    local = next(line.split()[1].partition("%")[0] for line in lines if "inet6 fe80" in line)
    out = pair.linux.run(needs_tool("ping"), "-6", "-c", "2", "-i", "0.05", f"{local}%tap-a")
    assert received(out) == 2


@pytest.mark.parametrize("size", [8, 4000])
def test_the_node_pings_linux(pair: Pair, size: int) -> None:
    pair.node.says("ping6", "-c", "1", LINUX)  # one packet waits for an answer, not two fragments
    out = pair.node.says("ping6", "-c", "2", "-s", str(size), LINUX)
    assert received(out) == 2


def test_each_has_the_other_in_its_neighbour_cache(pair: Pair) -> None:
    pair.node.says("ping6", "-c", "1", LINUX)
    mac = re.search(r"link/ether (\S+)", pair.linux.run("ip", "link", "show", "tap-a"))
    assert mac
    cache = pair.node.says("ndp", "-an")
    assert re.search(rf"^{LINUX} +{_short(mac.group(1))} +fxp0 ", cache, re.M), cache
    assert f"{NODE} dev tap-a lladdr" in pair.linux.run("ip", "-6", "neigh")


def _short(mac: str) -> str:
    """ether_ntoa's form: no leading zeros."""
    return ":".join(f"{int(octet, 16):x}" for octet in mac.split(":"))


def test_unreachable_neighbour_goes_from_the_cache(fresh: Pair) -> None:
    fresh.node.says("ping6", "-c", "1", LINUX)
    fresh.linux.run("ip", "-6", "addr", "del", f"{LINUX}/64", "dev", "tap-a")
    done = fresh.node.run("ping6", "-c", "1", LINUX)
    assert done.returncode in (0, 1)
    wait_until("nobody answers", lambda: _silent(fresh))


def _silent(pair: Pair) -> bool:
    done = pair.node.run("ping6", "-c", "1", LINUX)
    return " 0 packets received" in done.stdout


def test_duplicate_address_is_seen_by_linux(fresh: Pair) -> None:
    fresh.linux.run("ip", "-6", "addr", "add", f"{NODE}/64", "dev", "tap-a")
    wait_until(
        "dadfailed at Linux",
        lambda: "dadfailed" in fresh.linux.run("ip", "-6", "addr", "show", "dev", "tap-a"),
    )
    assert fresh.node.usable(NODE)


def test_duplicate_address_is_seen_by_the_node(fresh: Pair) -> None:
    fresh.node.says("ifconfig", "fxp0", "inet6", LINUX, "prefixlen", "64", "alias")
    wait_until(
        "duplicated at the node",
        lambda: f"inet6 {LINUX} prefixlen 64 duplicated" in fresh.node.says("ifconfig", "fxp0"),
    )


def test_path_mtu_of_a_router_of_linux(rig: Rig) -> None:
    """Linux routes to a link of 1300 octets and says so; the node then sends fragments that fit."""
    pair = Pair(rig, rc=RC + f"route add -inet6 default {LINUX}\n")
    far = rig.netns()
    pair.linux.run("ip", "link", "add", "north", "type", "veth", "peer", "name", "south")
    pair.linux.run("ip", "link", "set", "south", "netns", far.name)
    for netns, ifname, last in ((pair.linux, "north", 1), (far, "south", 2)):
        netns.run("ip", "link", "set", "dev", ifname, "mtu", "1300", "up")
        netns.run("ip", "-6", "addr", "add", f"2001:db8:78::{last}/64", "dev", ifname, "nodad")
    far.run("ip", "-6", "route", "add", "default", "via", "2001:db8:78::1")
    pair.linux.sysctl("net.ipv6.conf.all.forwarding", 1)
    pair.node.says("ping6", "-c", "2", "2001:db8:78::2")
    out = pair.node.says("ping6", "-m", "-c", "3", "-s", "1400", "2001:db8:78::2")
    assert received(out) == 2  # the first was too big; -m: not cut to 1280 anyway
    assert re.search(r"2001:db8:78::2 .* 1300 ", pair.node.says("netstat", "-ranl"))


def test_traceroute_reaches_the_node(pair: Pair) -> None:
    out = pair.linux.run(needs_tool("rltraceroute6"), "-n", "-m", "3", NODE)
    assert re.search(rf"^ *1 +{NODE} ", out, re.M), out


def test_ndisc6_finds_the_node(pair: Pair) -> None:
    out = pair.linux.run(needs_tool("ndisc6"), "-1", NODE, "tap-a")
    assert "Target link-layer address" in out


def test_capture_holds_both_directions(fresh: Pair, rig: Rig) -> None:
    fresh.linux.run(needs_tool("ping"), "-6", "-c", "1", NODE)
    fresh.node.stop()
    tshark = needs_tool("tshark")
    capture = next(iter(rig.captures()))
    rows = fresh.linux.run(tshark, "-r", str(capture), "-Y", "icmpv6.type in {128, 129}")
    assert len(rows.splitlines()) >= 2


def test_closed_udp_port_is_answered(pair: Pair, tmp_path: Path) -> None:
    """Linux hears Port Unreachable as ECONNREFUSED."""
    script = tmp_path / "udp.py"
    script.write_text(
        "import socket\n"
        "s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)\n"
        f"s.connect(('{NODE}', 9)); s.settimeout(5); s.send(b'x')\n"
        "try: s.recv(1)\n"
        "except ConnectionRefusedError: print('refused')\n"
    )
    assert pair.linux.run("python3", str(script)) == "refused\n"


ECHO = f"""
import asyncio
from kame_py.host.run_tool import connect
from kame_py.wire.in6addr import pton
from kame_py.wire.sockaddr import AF_INET6, SOCK_DGRAM, SockaddrIn6

async def main():
    ops = connect("udpecho", "a")
    fd = await ops.socket(AF_INET6, SOCK_DGRAM, 0)
    await ops.bind(fd, SockaddrIn6(pton("{NODE}"), 7))
    print("bound", flush=True)
    while True:
        got = await ops.recvmsg(fd)
        await ops.sendmsg(fd, got.data, got.addr)

asyncio.run(main())
"""
ASK = f"""
import socket
s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
s.settimeout(10)
for size in (1, 1400, 4000):
    s.sendto(b"x" * size, ("{NODE}", 7))
    print(len(s.recv(65536)))
"""


def test_udp_is_echoed_by_a_program_of_the_node(pair: Pair, tmp_path: Path) -> None:
    """The program is a process of its own; 4000 octets are fragments both ways."""
    server, client = tmp_path / "echo.py", tmp_path / "ask.py"
    server.write_text(ECHO)
    client.write_text(ASK)
    with subprocess.Popen(
        [sys.executable, str(server)],
        env={**pair.node.env, "PYTHONPATH": str(PROJECT_ROOT)},
        stdout=subprocess.PIPE,
        text=True,
    ) as echo:
        assert echo.stdout is not None and echo.stdout.readline() == "bound\n"
        try:
            assert pair.linux.run("python3", str(client)) == "1\n1400\n4000\n"
        finally:
            echo.kill()


@pytest.mark.parametrize(
    ("wire", "cap", "said"),
    [
        ("tap:kprobe1", "net_admin", "tap:kprobe1: needs CAP_NET_ADMIN"),
        ("afpacket:lo", "net_raw", "afpacket:lo: needs CAP_NET_RAW"),
    ],
)
def test_missing_right_is_named(tmp_path: Path, wire: str, cap: str, said: str) -> None:
    needs_netns()
    kind, _, name = wire.partition(":")
    done = subprocess.run(
        [
            *(needs_tool("setpriv"), f"--bounding-set=-{cap}", f"--inh-caps=-{cap}"),
            *(sys.executable, "-m", "kame_py", "vm", "--name", "x", f"--{kind}", name),
        ],
        env={**os.environ, "KAME_RUNTIME_DIR": str(tmp_path / "run")},
        cwd=PROJECT_ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr.splitlines()[-1].startswith(f"kame vm: {said}")


def test_capture_of_a_killed_node_is_whole(fresh: Pair, rig: Rig) -> None:
    fresh.linux.run(needs_tool("ping"), "-6", "-c", "5", "-i", "0.05", NODE)
    fresh.node.process.kill()
    fresh.node.process.wait()
    capture = next(iter(rig.captures()))
    tshark = needs_tool("tshark")
    code, out = fresh.linux.out(tshark, "-r", str(capture), "-Y", "icmpv6.type == 129")
    assert code == 0 and len(out.splitlines()) >= 5, out
