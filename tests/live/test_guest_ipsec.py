# SPDX-License-Identifier: BSD-3-Clause
"""AH and ESP with a Debian kernel: ``ip xfrm`` there, ``setkey`` here, pings both ways."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live.guest import Guest, needs_guest
from tests.live.rig import Nodes, Rig, wait_until

pytestmark = pytest.mark.live

NODE = "2001:db8:a::1"
PEER = "2001:db8:a::2"
HOA = "2001:db8:1::1234"
SHA1 = "000102030405060708090a0b0c0d0e0f10111213"
AES = "404142434445464748494a4b4c4d4e4f"

SETUP = f"ip -6 addr add {PEER}/64 dev wire nodad\n"
#: protocol -> (xfrm algorithms of the guest, setkey algorithms here, spi base)
SUITES = {
    "ah": (f"auth 'hmac(sha1)' 0x{SHA1}", f"-A hmac-sha1 0x{SHA1}", 0x1000),
    "esp": (
        f"auth 'hmac(sha1)' 0x{SHA1} enc 'cbc(aes)' 0x{AES}",
        f"-E rijndael-cbc 0x{AES} -A hmac-sha1 0x{SHA1}",
        0x2000,
    ),
}


def xfrm(proto: str) -> str:
    """The guest's associations and policies in transport mode."""
    algorithms, _, spi = SUITES[proto]
    lines = []
    for src, dst, way, number in ((PEER, NODE, "out", spi + 1), (NODE, PEER, "in", spi + 2)):
        lines += [
            f"ip xfrm state add src {src} dst {dst} proto {proto} spi {number} "
            f"mode transport {algorithms}",
            f"ip xfrm policy add src {src} dst {dst} proto 58 type 128 dir {way} "
            f"tmpl src {src} dst {dst} proto {proto} mode transport",
            f"ip xfrm policy add src {src} dst {dst} proto 58 type 129 dir {way} "
            f"tmpl src {src} dst {dst} proto {proto} mode transport",
        ]
    return "\n".join(lines) + "\n"


def setkey(proto: str) -> str:
    """The same from the other side."""
    _, algorithms, spi = SUITES[proto]
    return f"""
add {PEER} {NODE} {proto} {spi + 1} {algorithms};
add {NODE} {PEER} {proto} {spi + 2} {algorithms};
spdadd {NODE} {PEER} icmp6 128,0 -P out ipsec {proto}/transport//require;
spdadd {NODE} {PEER} icmp6 129,0 -P out ipsec {proto}/transport//require;
spdadd {PEER} {NODE} icmp6 128,0 -P in ipsec {proto}/transport//require;
spdadd {PEER} {NODE} icmp6 129,0 -P in ipsec {proto}/transport//require;
"""


class Peers:
    """A guest and a node on a wire."""

    def __init__(self, rig: Rig, scenario: str, keys: str) -> None:
        needs_guest()
        mine, guest = rig.folder / "node.sock", rig.folder / "guest.sock"
        rc = rig.file("node.rc", f"ifconfig fxp0 inet6 {NODE} prefixlen 64 alias\n")
        self.node: Nodes = rig.nodes(
            *("vm", "--name", "a", "--options", "IPSEC,IPSEC_ESP,MIP6,hif 1"),
            *("--qemu", f"{mine},{guest}", "--rc", str(rc)),
            *("--pcap", str(rig.folder / "a.pcapng")),
        )
        self.node.says("mip6control", "-T", "0")
        wait_until("the node's address", lambda: self.node.usable(NODE))
        keyfile: Path = rig.file("keys.conf", keys)
        self.node.says("setkey", "-f", str(keyfile))
        self.guest = Guest(rig.folder, scenario, guest, mine)
        wait_until("the guest", self.guest.ready, 120)


@pytest.fixture
def peers(rig: Rig, request: pytest.FixtureRequest) -> Iterator[Peers]:
    made = Peers(rig, *request.param)
    try:
        yield made
    finally:
        made.guest.close()


def received(text: str) -> int:
    found = re.search(r"(\d+) (?:packets )?received", text)
    assert found, text
    return int(found.group(1))


def counted(peers: Peers, member: str) -> int:
    import json

    table = json.loads(peers.node.says("netstat", "-s", "-p", "ipsec6", "--json"))
    return int(table["ipsec6"].get(member, 0))


PING = f"ping -6 -c 1 -W 5 {NODE} >/dev/null; ping -6 -c 3 -W 5 {NODE}\n"


@pytest.mark.parametrize(
    "peers",
    [pytest.param((SETUP + xfrm(p) + PING, setkey(p)), id=p) for p in SUITES],
    indirect=True,
)
def test_pings_both_ways(peers: Peers, request: pytest.FixtureRequest) -> None:
    assert received(peers.guest.said()) == 3, peers.guest.said()
    assert received(peers.node.says("ping6", "-c", "2", PEER)) == 2
    member = "in_ahauthsucc" if "[ah]" in request.node.name else "in_espauthsucc"
    assert counted(peers, member) >= 5
    assert counted(peers, "in_polvio") == 0


@pytest.mark.parametrize(
    "peers",
    [pytest.param((SETUP + xfrm("esp"), setkey("esp").replace(AES, AES[::-1])), id="cipher")],
    indirect=True,
)
def test_another_key_is_not_heard(peers: Peers) -> None:
    done = peers.node.run("ping6", "-c", "2", PEER)
    assert received(done.stdout) == 0


HAO = f"""
ip -6 addr add {HOA}/128 dev lo nodad home
ip xfrm state add src {HOA} dst {NODE} proto hao reqid 0 mode ro coa {PEER}
ip xfrm policy add src {HOA} dst {NODE} dir out ptype sub \
tmpl src {HOA} dst {NODE} proto hao mode ro level use
ip xfrm state add src {HOA} dst {NODE} proto ah spi 0x1041 mode transport auth 'hmac(sha1)' 0x{SHA1}
ip xfrm policy add src {HOA} dst {NODE} dir out tmpl src {HOA} dst {NODE} proto ah mode transport
ping -6 -c 1 -W 5 {NODE} >/dev/null
ping -6 -c 3 -W 5 -I {HOA} {NODE}
"""
HAO_KEYS = f"""
add {HOA} {NODE} ah 0x1041 -A hmac-sha1 0x{SHA1};
spdadd {HOA} {NODE} any -P in ipsec ah/transport//require;
"""


@pytest.mark.parametrize("peers", [pytest.param((SETUP + HAO, HAO_KEYS), id="hao")], indirect=True)
def test_home_address_option_under_ah(peers: Peers) -> None:
    """Its ICV has the addresses in their home form; without AH the policy would refuse it."""
    assert counted(peers, "in_ahauthsucc") >= 3, peers.guest.said()
    assert counted(peers, "in_ahauthfail") == 0
    assert counted(peers, "in_polvio") == 0
