# SPDX-License-Identifier: BSD-3-Clause
"""Options: unknown ones by their two top bits, jumbo payload, router alert, lengths."""

from __future__ import annotations

import pytest

from kame_py.kern.mbuf import Fate
from kame_py.wire.const import (
    ICMP6_PARAM_PROB,
    ICMP6_PARAMPROB_HEADER,
    ICMP6_PARAMPROB_OPTION,
    IPPROTO_DSTOPTS,
    IPPROTO_HOPOPTS,
    IPPROTO_NONE,
)
from tests.unit.netinet6.ip6_node import PEER1, PEER2, US1, Node, addr, error, fate, ip6, name_bytes

ALLNODES = addr("ff02::1")
FIRST = 40 + 2  # the first option of the first extension header


def options(body: str, *, nxt: int = IPPROTO_NONE) -> bytes:
    """An options header; the body is its octets in hex and must fill it."""
    raw = bytes.fromhex(body)
    assert (len(raw) + 2) % 8 == 0
    return bytes([nxt, (len(raw) + 2) // 8 - 1]) + raw


@pytest.mark.parametrize("header", [IPPROTO_HOPOPTS, IPPROTO_DSTOPTS])
@pytest.mark.parametrize(
    ("kind", "dst", "reason", "reported"),
    [
        ("1e", US1, "IP6_NOPROTO", False),  # 00: skip
        ("5e", US1, "IP6_OPTSKIPDROP", False),  # 01: discard
        ("9e", US1, "IP6_OPTPARAMPROB", True),  # 10: report always
        ("9e", ALLNODES, "IP6_OPTPARAMPROB", True),
        ("de", US1, "IP6_OPTPARAMPROB", True),  # 11: report unless multicast
        ("de", ALLNODES, "IP6_OPTMCAST", False),
    ],
    ids=name_bytes,
)
def test_an_unknown_option_is_treated_by_its_top_bits(
    header: int, kind: str, dst: bytes, reason: str, reported: bool
) -> None:
    node = Node()
    packet = ip6(options(f"00 {kind} 03 aabbcc"), header, dst=dst)
    m = node.receive(packet)
    assert fate(m) == (Fate.DROPPED, reason)
    expected = error(packet, ICMP6_PARAM_PROB, ICMP6_PARAMPROB_OPTION, FIRST + 1)
    assert node.sent() == ([("rip0", expected)] if reported else [])


@pytest.mark.parametrize(
    "body",
    [
        "01 05 00 00 00 00",  # PadN one octet longer than its header
        "01 02 00 00 1e 01",  # an option that would need one more
        "00 00 00 00 00 1e",  # a type without a length
    ],
)
def test_an_option_may_not_run_past_its_header(body: str) -> None:
    node = Node()
    m = node.receive(ip6(options(body), IPPROTO_DSTOPTS))
    assert fate(m) == (Fate.DROPPED, "IP6_OPTLEN")
    assert node.sent() == []


@pytest.mark.parametrize("body", ["00 00 00 00 00 00", "01 00 01 02 00 00", "01 04 ff ff ff ff"])
def test_padding_of_all_shapes_is_skipped(body: str) -> None:
    node = Node()
    assert fate(node.receive(ip6(options(body), IPPROTO_DSTOPTS)))[1] == "IP6_NOPROTO"


def test_a_jumbogram_is_received() -> None:
    node = Node()
    size = 65536
    packet = ip6(options(f"c2 04 {size:08x}") + bytes(size - 8), IPPROTO_HOPOPTS, plen=0)
    m = node.receive(packet + b"padding")
    assert fate(m) == (Fate.DROPPED, "IP6_NOPROTO")
    assert m.data == packet


def test_a_jumbogram_shorter_than_it_says_is_dropped() -> None:
    node = Node()
    packet = ip6(options("c2 04 00010000"), IPPROTO_HOPOPTS, plen=0)
    assert fate(node.receive(packet)) == (Fate.DROPPED, "IP6_TOOSHORT")


@pytest.mark.parametrize(
    ("body", "plen", "pointer"),
    [
        ("c2 04 00010000", 8, FIRST),  # RFC 2675 s.3: payload length not 0
        ("c2 04 0000ffff", 0, FIRST + 2),  # not above 65535
        ("c2 03 000100 00", 0, FIRST + 1),  # wrong length
        ("c2 04 00010000 c2 04 00010000 00 00", 0, FIRST + 6 + 2),  # twice
    ],
)
def test_a_bad_jumbo_option_is_reported(body: str, plen: int, pointer: int) -> None:
    node = Node()
    packet = ip6(options(body), IPPROTO_HOPOPTS, plen=plen)
    m = node.receive(packet)
    assert fate(m) == (Fate.DROPPED, "IP6_JUMBO")
    assert node.sent() == [
        ("rip0", error(packet, ICMP6_PARAM_PROB, ICMP6_PARAMPROB_HEADER, pointer))
    ]


def test_a_router_alert_of_the_wrong_length_is_reported() -> None:
    node = Node()
    packet = ip6(options("05 03 0000 00 00"), IPPROTO_HOPOPTS)
    m = node.receive(packet)
    assert fate(m) == (Fate.DROPPED, "IP6_RTALERT")
    assert node.sent() == [
        ("rip0", error(packet, ICMP6_PARAM_PROB, ICMP6_PARAMPROB_HEADER, FIRST + 1))
    ]


@pytest.mark.parametrize(
    ("value", "forwarding", "reason"),
    [
        ("0000", 1, "IP6_NOPROTO"),  # MLD: a router looks into it
        ("0001", 1, None),  # RSVP: not known here, passes
        ("0000", 0, "IP6_NOTFORUS"),
    ],
)
def test_a_router_takes_packets_that_alert_for_mld(
    value: str, forwarding: int, reason: str | None
) -> None:
    node = Node(forwarding=forwarding)
    m = node.receive(ip6(options(f"05 02 {value} 00 00"), IPPROTO_HOPOPTS, PEER1, PEER2))
    assert fate(m) == ((Fate.DROPPED, reason) if reason else (Fate.FORWARDED, ""))


def test_hop_by_hop_options_are_read_on_the_way_too() -> None:
    node = Node(forwarding=1)
    packet = ip6(options("9e 04 00000000"), IPPROTO_HOPOPTS, PEER1, PEER2)
    m = node.receive(packet)
    assert fate(m) == (Fate.DROPPED, "IP6_OPTPARAMPROB")
    assert node.sent() == [("rip0", error(packet, ICMP6_PARAM_PROB, ICMP6_PARAMPROB_OPTION, FIRST))]


def test_destination_options_are_not_read_on_the_way() -> None:
    node = Node(forwarding=1)
    m = node.receive(ip6(options("9e 04 00000000"), IPPROTO_DSTOPTS, PEER1, PEER2))
    assert fate(m) == (Fate.FORWARDED, "")
