# SPDX-License-Identifier: BSD-3-Clause
"""A node without mobility meets mobility: what it reports, what it skips (draft-15 s.5.1-5.4)."""

from __future__ import annotations

import pytest

from kame_py.kern.mbuf import Fate
from kame_py.wire.const import (
    ICMP6_PARAM_PROB,
    ICMP6_PARAMPROB_HEADER,
    ICMP6_PARAMPROB_NEXTHEADER,
    ICMP6_PARAMPROB_OPTION,
    IPPROTO_DSTOPTS,
    IPPROTO_ICMPV6,
    IPPROTO_NONE,
    IPPROTO_ROUTING,
)
from tests.unit.netinet6.ip6_node import US1, Node, addr, echo, echo_reply, error, fate, ip6

HOME = addr("2001:db8:1::5")
ALLNODES = addr("ff02::1")
MH = 135  # RFC 6275 s.6.1.1
OPTION_AT = 42
RH_TYPE_AT = 42

BU = bytes.fromhex("c608 80 0000 01 0000003c 0102 0000")
HAO = bytes.fromhex("c910") + HOME + bytes.fromhex("01020000")
BA = bytes.fromhex("070b 00 00 01 0000003c 00000030 00")
BR = bytes.fromhex("0800 01020000")


def dstopts(body: bytes, nxt: int = IPPROTO_NONE) -> bytes:
    """A destination options header; its options fill whole units of 8 octets with it."""
    assert (2 + len(body)) % 8 == 0
    return bytes((nxt, (2 + len(body)) // 8 - 1)) + body


@pytest.mark.parametrize("body", [BU, HAO], ids=["binding update", "home address"])
def test_what_must_be_understood_is_reported_and_the_packet_dropped(body: bytes) -> None:
    node = Node()
    packet = ip6(dstopts(body), IPPROTO_DSTOPTS)
    assert fate(node.receive(packet)) == (Fate.DROPPED, "IP6_OPTPARAMPROB")
    expected = error(packet, ICMP6_PARAM_PROB, ICMP6_PARAMPROB_OPTION, OPTION_AT)
    assert node.sent() == [("rip0", expected)]


@pytest.mark.parametrize("body", [BU, HAO], ids=["binding update", "home address"])
def test_it_is_not_reported_when_it_was_sent_to_a_group(body: bytes) -> None:
    node = Node()
    m = node.receive(ip6(dstopts(body), IPPROTO_DSTOPTS, dst=ALLNODES))
    assert fate(m) == (Fate.DROPPED, "IP6_OPTMCAST")
    assert node.sent() == []


@pytest.mark.parametrize("body", [BA, BR], ids=["acknowledgement", "request"])
def test_what_need_not_be_understood_is_skipped(body: bytes) -> None:
    node = Node()
    m = node.receive(ip6(dstopts(body, IPPROTO_ICMPV6) + echo(), IPPROTO_DSTOPTS))
    assert fate(m) == (Fate.CONSUMED, "")
    assert node.sent() == [("rip0", echo_reply())]


@pytest.mark.parametrize("options", [(), ("MIP6",)], ids=["plain", "MIP6"])
def test_a_mobility_header_is_an_unknown_next_header(options: tuple[str, ...]) -> None:
    node = Node(*options)
    packet = ip6(bytes.fromhex("3b 01 05 00 0000 0000 00000000 00000000"), MH)
    assert fate(node.receive(packet)) == (Fate.DROPPED, "IP6_UNKNOWNPROTO")
    expected = error(packet, ICMP6_PARAM_PROB, ICMP6_PARAMPROB_NEXTHEADER, 6)
    assert node.sent() == [("rip0", expected)]


def test_a_type_2_routing_header_is_an_unknown_type() -> None:
    node = Node()
    packet = ip6(bytes.fromhex("3b 02 02 01 00000000") + US1, IPPROTO_ROUTING)
    assert fate(node.receive(packet)) == (Fate.DROPPED, "ROUTE6_TYPE")
    expected = error(packet, ICMP6_PARAM_PROB, ICMP6_PARAMPROB_HEADER, RH_TYPE_AT)
    assert node.sent() == [("rip0", expected)]
