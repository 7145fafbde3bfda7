# SPDX-License-Identifier: BSD-3-Clause
"""Nodes of every kind that captures are played to, and captures that concern them."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Final

from kame_py.kern.conf import KernConf
from kame_py.replay.pcap import LINKTYPE_ETHERNET, open_capture
from kame_py.wire.codecs import EtherHeader
from kame_py.wire.pcapfmt import is_group_mac
from tests.differential.home import CN, HA, MAC, NS, RC, ROUTER, ROUTER_MAC, Node, frame
from tests.scenario.mip6words import bu
from tests.support import data_files

Frames = tuple[tuple[int, bytes], ...]

#: Captures, broken ones and attacks, in an order that stays.
FILES: Final = (
    *data_files("captures/**/*.pcap"),
    *data_files("fuzz/*.pcap"),
    *data_files("attacks/*.pcap.gz"),
)
GAP_MAX_NS: Final = 40 * NS  # of silence; long enough for neighbours to grow stale
MIP6: Final = KernConf(frozenset({"MIP6"}))
MIP6_ALL: Final = KernConf(frozenset({"MIP6", "IPSEC", "IPSEC_ESP", "MIP6_DEBUG"}))
DRAFT13: Final = KernConf(frozenset({"MIP6", "MIP6_DRAFT13"}), hif=1)
PLAIN: Final = KernConf()
GIF: Final = KernConf(frozenset({"MIP6"}), gif=1)
IPSEC: Final = KernConf(frozenset({"IPSEC", "IPSEC_ESP"}))

#: Addresses that packets of the captures go to, beside HA.
OWN: Final = ("2001:db8:1::1234", "2001:db8:4::2", "2001:db8:a::2", "2001:db8:1::b")
_HOST_RC: Final = "".join(f"ifconfig fxp0 inet6 {addr} prefixlen 64 alias\n" for addr in (HA, *OWN))
_ROUTER_RC: Final = f"""
sysctl -w net.inet6.ip6.forwarding=1
sysctl -w net.inet6.ip6.dad_count=0
ifconfig fxp0 inet6 {HA} prefixlen 64 alias
ifconfig fxp0 inet6 2001:db8:2::1 prefixlen 64 alias
ndp -s {ROUTER} 0:90:27:0:0:a1
route add -inet6 default {ROUTER}
"""
#: The associations that Linux made its captures with.
_KEYS: Final = """setkey -c <<EOF
add 2001:db8:a::1 2001:db8:a::2 ah 0x1001 -A hmac-sha1 0x000102030405060708090a0b0c0d0e0f10111213;
add 2001:db8:a::1 2001:db8:a::2 ah 0x1002 -A hmac-md5 0x000102030405060708090a0b0c0d0e0f;
add 2001:db8:a::1 2001:db8:a::2 esp 0x2001 -E 3des-cbc
  0x0123456789abcdeffedcba98765432100f1e2d3c4b5a6978
  -A hmac-sha1 0x000102030405060708090a0b0c0d0e0f10111213;
add 2001:db8:a::1 2001:db8:a::2 ah 0x1041 -r 8 -A hmac-sha1
  0x000102030405060708090a0b0c0d0e0f10111213;
%s
EOF
"""
_AWAY: Final = """
mip6control -S 0 -T 0
mip6control -H2001:db8:1:: -P64
mip6control -m
"""

NODES: Final[dict[str, Node]] = {
    "host": Node(None, PLAIN),
    "host with many addresses": Node(_HOST_RC, PLAIN),
    "router": Node(_ROUTER_RC, PLAIN),
    "router, no redirects": Node(_ROUTER_RC + "sysctl -w net.inet6.ip6.redirect=0\n", PLAIN),
    "router, small MTU": Node(_ROUTER_RC + "ifconfig fxp0 mtu 1280\n", PLAIN),
    "router that hears all stations": Node(_ROUTER_RC + "ifconfig fxp0 promisc\n", PLAIN),
    "router that is listened to": Node(_ROUTER_RC + "tcpdump -n -i fxp0 udp &\n", PLAIN),
    "router that pings": Node(_ROUTER_RC + f"ping6 -i 7 {CN} &\n", PLAIN),
    "router that advertises": Node(_ROUTER_RC + "rtadvd fxp0\n", PLAIN),
    "router with a tunnel": Node(
        _ROUTER_RC
        + f"""ifconfig gif0 tunnel {HA} 2001:db8:4::1
ifconfig gif0 inet6 fe80::1 prefixlen 64 alias
ifconfig gif0 up
route add -inet6 2001:db8:3:: -prefixlen 64 fe80::2%gif0
mip6control -S 0 -T 0
mip6control -g
""",
        GIF,
    ),
    "node that is down": Node(_ROUTER_RC + "ifconfig fxp0 down\n", PLAIN),
    "home agent": Node(),
    "home agent whose router is to be found": Node(
        RC.replace(f"ndp -s {ROUTER} 0:90:27:0:0:a1\n", "")
    ),
    "home agent that asks for authentication": Node(RC.replace("-S 0 -T 0", "-S 1 -T 1"), MIP6_ALL),
    "home agent with policies": Node(
        RC + _KEYS % f"spdadd {CN} 2001:db8:3::/64 any -P out none;", MIP6_ALL
    ),
    "home agent with keys, without policies": Node(RC + _KEYS % "", MIP6_ALL),
    "home agent of draft 13": Node(RC, DRAFT13),
    "correspondent": Node(_HOST_RC + "mip6control -S 0 -T 0\n", MIP6),
    "correspondent with keys": Node(_HOST_RC + _KEYS % "", MIP6_ALL),
    "host with keys and policies": Node(
        _HOST_RC
        + _KEYS % "spdadd 2001:db8:a::1 2001:db8:a::2 udp -P in ipsec ah/transport//require;",
        IPSEC,
    ),
    "mobile node": Node(
        "sysctl -w net.inet6.ip6.accept_rtadv=1\nrtsold -a -m\n" + _AWAY,
        KernConf(frozenset({"MIP6", "MIP6_DEBUG"}), hif=1),
    ),
    "mobile node of draft 13": Node(
        "sysctl -w net.inet6.ip6.accept_rtadv=1\nrtsold -a -m\n" + _AWAY, DRAFT13
    ),
    "mobile node with an address": Node(
        "ifconfig fxp0 inet6 2001:db8:1::1234 prefixlen 64 alias\n" + _AWAY,
        KernConf(frozenset({"MIP6"}), hif=1),
    ),
}

#: The mobile nodes of the captures, as this home agent would have registered them.
REGISTERED: Final = tuple(
    frame(bu(coa, HA, hoa, seq=1, lifetime=60000, flags="AHS"))
    for hoa, coa in (
        ("2001:db8:1::1234", "2001:db8:2::ff:fe00:99"),
        ("2001:db8:1::b", "2001:db8:a::1"),
        ("2001:db8:1::7777", CN),
    )
)


def heard(path: Path) -> tuple[int, list[tuple[int, bytes]]]:
    """Link type, and (ns since the first, octets) of the packets of a capture of one link type."""
    with path.open("rb") as f:
        records = list(open_capture(f))
    if not records:
        return LINKTYPE_ETHERNET, []
    assert len({r.linktype for r in records}) == 1
    start = records[0].t_ns
    return records[0].linktype, [(max(r.t_ns - start, 0), r.data) for r in records]


def to_node(data: bytes) -> bytes:
    """An Ethernet frame to a station becomes one to the node; none is its own."""
    if len(data) < EtherHeader.SIZE:
        return data
    head = EtherHeader.unpack(data)
    if not is_group_mac(head.ether_dhost):
        head.ether_dhost = MAC
    if head.ether_shost == MAC:
        head.ether_shost = ROUTER_MAC
    return head.pack() + data[EtherHeader.SIZE :]


@functools.cache
def everything(every_station: bool = False) -> Frames:
    """All Ethernet captures one behind the other, each packet twice; silence is cut short.

    every_station: as they were recorded; else what went to any station goes to the node.
    """
    found = []
    now = 0
    for path in FILES:
        linktype, packets = heard(path)
        if linktype != LINKTYPE_ETHERNET:
            continue
        last = 0
        for t_ns, data in packets:
            now += min(max(t_ns - last, 0), GAP_MAX_NS)
            last = t_ns
            found += [(now + k, data if every_station else to_node(data)) for k in range(2)]
        now += NS
    return tuple(found)
