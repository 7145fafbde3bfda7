# SPDX-License-Identifier: BSD-3-Clause
"""Decisions about a packet are noted on its way while somebody looks on, and only then."""

from __future__ import annotations

from kame_py.net.route import RTF_GATEWAY, RTM_ADD, rtrequest
from kame_py.wire.codecs import Ip6Rthdr0
from kame_py.wire.const import IPPROTO_DSTOPTS, IPPROTO_NONE, IPPROTO_ROUTING, IPPROTO_UDP
from kame_py.wire.ip6ext import AlignedOpt, build_options, build_rthdr0
from kame_py.wire.mip6 import HAO_ALIGN, HomeAddress
from kame_py.wire.mip6_draft15 import WIRE
from tests.unit.netinet6.ip6_node import PEER1, PEER2, STRANGER, US1, Node, addr, ip6

GATEWAY = addr("fe80::9")


def way(node: Node, packet: bytes) -> list[str]:
    node.kern.tracing = True
    return node.receive(packet).path or []


def test_a_packet_that_is_forwarded_tells_its_route() -> None:
    stages = way(Node(forwarding=1), ip6(b"", IPPROTO_UDP, PEER1, PEER2))
    clone = "route 2001:db8:2::9/128 on rip1"  # a neighbour has a route of its own
    assert stages[2:] == ["ip6_forward", clone, "output rip1"]


def test_a_gateway_is_named_with_its_interface() -> None:
    node = Node(forwarding=1)
    zoned = GATEWAY[:2] + bytes((0, node.rip1.if_index)) + GATEWAY[4:]
    rtrequest(node.kern, RTM_ADD, bytes(16), 0, zoned, RTF_GATEWAY)
    assert "route ::/0 via fe80::9%rip1 on rip1" in way(
        node, ip6(b"", IPPROTO_UDP, PEER1, STRANGER)
    )


def test_a_home_address_is_told_before_what_follows_it() -> None:
    option = WIRE.build_option(HomeAddress(addr("2001:db8:7::7")))
    header = build_options(IPPROTO_NONE, [AlignedOpt(option, *HAO_ALIGN)])
    stages = way(Node("MIP6"), ip6(header, IPPROTO_DSTOPTS))
    at = stages.index("dest6_hao 2001:db8:7::7")
    assert stages[at - 1] == "dest6 at 40" and stages[at + 1].startswith("none at ")


def test_a_routing_header_tells_the_next_address() -> None:
    node = Node(forwarding=1)
    node.kern.sysctl.write("net.inet6.ip6.rthdr0", 1)
    header = build_rthdr0(IPPROTO_NONE, [PEER2], 1)
    assert len(header) > Ip6Rthdr0.SIZE
    stages = way(node, ip6(header, IPPROTO_ROUTING, PEER1, US1))
    assert "ip6_rthdr0 to 2001:db8:2::9" in stages
    assert stages.index("ip6_rthdr0 to 2001:db8:2::9") < stages.index("ip6_forward")


def test_nothing_is_noted_while_nobody_looks() -> None:
    assert not Node(forwarding=1).receive(ip6(b"", IPPROTO_UDP, PEER1, PEER2)).path
