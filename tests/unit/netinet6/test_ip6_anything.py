# SPDX-License-Identifier: BSD-3-Clause
"""Whatever arrives: nothing is raised, every packet has one fate, answers stay few."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from kame_py.wire.const import (
    IPPROTO_AH,
    IPPROTO_DSTOPTS,
    IPPROTO_FRAGMENT,
    IPPROTO_HOPOPTS,
    IPPROTO_ICMPV6,
    IPPROTO_IPV6,
    IPPROTO_NONE,
    IPPROTO_ROUTING,
    IPPROTO_TCP,
    IPPROTO_UDP,
)
from tests.unit.netinet6.ip6_node import PEER1, PEER2, US1, US2, Node, addr, ip6

PROTOS = (
    IPPROTO_HOPOPTS,
    IPPROTO_TCP,
    IPPROTO_UDP,
    IPPROTO_IPV6,
    IPPROTO_ROUTING,
    IPPROTO_FRAGMENT,
    IPPROTO_AH,
    IPPROTO_ICMPV6,
    IPPROTO_NONE,
    IPPROTO_DSTOPTS,
    253,
)
ADDRESSES = (
    US1,
    US2,
    PEER1,
    PEER2,
    bytes(16),
    *map(addr, ("::1", "ff02::1", "ff0e::1", "fe80::9", "::ffff:1.2.3.4", "2001:db8:dead::1")),
)

proto = st.sampled_from(PROTOS)
address = st.sampled_from(ADDRESSES)
octet = st.integers(0, 255)
option = st.builds(
    lambda kind, data: bytes([kind, len(data)]) + data, octet, st.binary(max_size=20)
)
options = st.builds(
    lambda nxt, size, body: bytes([nxt, size]) + body,
    proto,
    st.integers(0, 3),
    st.lists(option | st.just(b"\0"), max_size=4).map(b"".join),
)
fragment = st.builds(
    lambda nxt, offlg, ident: bytes([nxt, 0]) + offlg.to_bytes(2, "big") + bytes([0, 0, 0, ident]),
    proto,
    st.sampled_from((0, 1, 8, 9, 16, 17, 0xFFF8, 0xFFF9)),
    st.integers(0, 2),
)
routing = st.builds(
    lambda nxt, size, kind, left, hops: bytes([nxt, size, kind, left, 0, 0, 0, 0]) + b"".join(hops),
    proto,
    st.integers(0, 6),
    st.sampled_from((0, 0, 2, 9)),
    st.integers(0, 4),
    st.lists(address, max_size=3),
)
header = options | fragment | routing | st.binary(max_size=48)
packet = st.builds(
    lambda parts, nxt, src, dst, hlim, cut: ip6(b"".join(parts), nxt, src, dst, hlim)[: 40 + cut],
    st.lists(header, max_size=5),
    proto,
    address,
    address,
    st.sampled_from((0, 1, 2, 64, 255)),
    st.integers(-40, 400),
)


@settings(max_examples=150)
@given(st.lists(packet, min_size=1, max_size=5), st.booleans(), st.sampled_from(["", "MIP6"]))
def test_nothing_is_raised_and_every_packet_has_one_fate(
    packets: list[bytes], forwarding: bool, options: str
) -> None:
    node = Node(*options.split(), forwarding=int(forwarding), gif=1)
    for raw in packets:
        m = node.receive(raw)
        assert m.fate is not None
        assert len(node.sent()) <= 4
    node.wait(61)
    assert not any(f.value == "held" and n for f, n in node.kern.fates.items())
    node.conserved()


@settings(max_examples=100)
@given(st.binary(max_size=120))
def test_random_octets_are_dropped(raw: bytes) -> None:
    node = Node()
    m = node.receive(raw)
    assert m.fate is not None
    node.conserved()
