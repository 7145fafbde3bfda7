# SPDX-License-Identifier: BSD-3-Clause
"""Home agent, mobile node and correspondent in three processes on buses of UNIX sockets.

What the HowTo says is typed as commands of a shell. No test here needs root.
"""

from __future__ import annotations

import re
import subprocess
import threading
from pathlib import Path

import pytest

from tests.live.rig import KAME, Nodes, Rig, wait_until

pytestmark = pytest.mark.live

HOA_PREFIX = "2001:200:1:1:"
FL_PREFIX = "2001:200:9:1:"
CN = "2001:200:1:3::3"

ROUTERS = """
[link]
home = {}
fl = {}
cl = {}

[node.ha]
kernel = ["MIP6", "MIP6_DEBUG", "hif 1"]
forwarding = true
interfaces = { fxp0 = "home", fxp1 = "cl", fxp2 = "fl" }
rc = '''
ifconfig fxp0 inet6 2001:200:1:1::1 prefixlen 64 alias
ifconfig fxp1 inet6 2001:200:1:3::1 prefixlen 64 alias
ifconfig fxp2 inet6 2001:200:9:1::1 prefixlen 64 alias
'''
"""


class HowTo:
    """Three processes and three buses; the mobile node begins at home."""

    def __init__(self, rig: Rig) -> None:
        folder = rig.folder
        self.bus = {name: f"bus:{folder / name}" for name in ("home", "fl", "cl")}
        lab = rig.file("ha.toml", ROUTERS)
        wires = [word for name, wire in self.bus.items() for word in ("-w", f"{name}={wire}")]
        self.ha = rig.nodes("up", "--pcap", str(folder / "ha.pcapng"), *wires, str(lab))
        options = ("--options", "MIP6,MIP6_DEBUG,hif 1")
        self.mn = self._vm(rig, "mn", "home", *options)
        self.cn = self._vm(rig, "cn", "cl", *options)

    def _vm(self, rig: Rig, name: str, bus: str, *argv: str) -> Nodes:
        where = self.bus[bus].removeprefix("bus:")
        capture = str(rig.folder / f"{name}.pcapng")
        return rig.nodes("vm", "--name", name, "--bus", where, "--pcap", capture, *argv)

    def sh(self, line: str) -> str:
        """A line typed at a shell; its output."""
        done = subprocess.run(
            ["sh", "-c", line],
            env=self.ha.shell_env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert done.returncode == 0, f"{line}: {done.stdout}{done.stderr}"
        return done.stdout

    def type(self, node: str, line: str) -> str:
        """A tool's line typed at a shell; its output."""
        return self.sh(f"kame -N {node} {line}")


@pytest.fixture
def howto(rig: Rig) -> HowTo:
    h = HowTo(rig)
    wait_until("the home agent's addresses", lambda: h.ha.usable("2001:200:9:1::1", "ha"))
    h.type("ha", "ifconfig fxp0 inet6 2001:200:1:1:fdff:ffff:ffff:fffe anycast alias")
    h.type("ha", "rtadvd -m fxp0 fxp2")
    h.type("ha", "had fxp0")
    h.type("ha", "mip6control -T 0")
    h.type("ha", "mip6control -g")
    h.type("cn", f"ifconfig fxp0 inet6 {CN} prefixlen 64 alias")
    h.type("cn", "route add -inet6 default 2001:200:1:3::1")
    h.type("cn", "mip6control -T 0")
    h.type("mn", "sysctl -w net.inet6.ip6.accept_rtadv=1")
    h.type("mn", "mip6control -T 0")
    h.type("mn", "mip6control -H2001:200:1:1:: -P64")
    h.type("mn", "mip6control -m")
    h.type("mn", "rtsold -a -m")
    return h


def address(h: HowTo, prefix: str) -> str:
    """The mobile node's usable address of a prefix, "" while there is none."""
    for line in h.type("mn", "ifconfig -a").splitlines():
        found = re.search(rf"inet6 ({prefix}\S+) ", line)
        if found and "tentative" not in line:
            return found.group(1)
    return ""


def test_handover_between_two_buses(howto: HowTo) -> None:
    wait_until("an address at home", lambda: address(howto, HOA_PREFIX))
    hoa = address(howto, HOA_PREFIX)
    with subprocess.Popen(
        [*KAME, "ping6", "--node", "cn", hoa],
        env=howto.ha.env,
        stdout=subprocess.PIPE,
        text=True,
    ) as ping:
        assert ping.stdout is not None
        heard: list[str] = []

        def echoes() -> int:
            return sum("bytes from" in line for line in heard)

        reader = threading.Thread(target=lambda: heard.extend(ping.stdout or ()))
        reader.start()
        try:
            wait_until("pings at home", lambda: echoes() >= 2)
            howto.sh(f"kame plug mn.fxp0 {howto.bus['fl']}")
            coa_known = rf"{hoa} +{FL_PREFIX}\S+ +2001:200:1:1::1 .*AHD"
            wait_until(
                "the binding", lambda: re.search(coa_known, howto.type("ha", "mip6control -cln"))
            )
            before = echoes()
            wait_until("pings abroad", lambda: echoes() >= before + 3)
            howto.sh(f"kame plug mn.fxp0 {howto.bus['home']}")
            wait_until(
                "no binding any more", lambda: hoa not in howto.type("ha", "mip6control -cln")
            )
            before = echoes()
            wait_until("pings at home again", lambda: echoes() >= before + 3)
        finally:
            ping.terminate()
            reader.join()


def test_process_that_dies_leaves_its_bus(howto: HowTo, rig: Rig) -> None:
    wait_until("an address at home", lambda: address(howto, HOA_PREFIX))
    howto.mn.process.kill()
    howto.mn.process.wait()
    ports = Path(howto.bus["home"].removeprefix("bus:"))
    wait_until("its socket cleared away", lambda: len(list(ports.glob("*.port"))) == 1)
    assert "fxp0" in howto.type("ha", "ifconfig fxp0")
