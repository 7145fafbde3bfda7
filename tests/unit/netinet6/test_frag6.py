# SPDX-License-Identifier: BSD-3-Clause
"""Reassembly: order, overlaps, limits, timeout, hostile lengths."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kame_py.kern.clock import NS
from kame_py.kern.mbuf import Fate, Mbuf
from kame_py.netinet6.frag6 import frag6_drain
from kame_py.wire.codecs import Ip6Frag
from kame_py.wire.const import (
    ICMP6_PARAM_PROB,
    ICMP6_PARAMPROB_HEADER,
    ICMP6_TIME_EXCEED_REASSEMBLY,
    ICMP6_TIME_EXCEEDED,
    IPPROTO_DSTOPTS,
    IPPROTO_FRAGMENT,
    IPPROTO_HOPOPTS,
    IPPROTO_ICMPV6,
    IPPROTO_NONE,
    IPPROTO_TCP,
    IPPROTO_UDP,
)
from tests.unit.netinet6.ip6_node import (
    PEER1,
    Node,
    addr,
    echo,
    echo_reply,
    error,
    fate,
    ip6,
    name_bytes,
)
from tests.unit.netinet6.test_dest6 import hao

DATA = bytes(range(44))
MESSAGE = echo(data=DATA)  # 52 octets
FRAG = 40  # the fragment header is the first


def frag(
    off: int,
    data: bytes,
    more: bool = True,
    ident: int = 1,
    nxt: int = IPPROTO_ICMPV6,
    src: bytes = PEER1,
) -> bytes:
    head = Ip6Frag(ip6f_nxt=nxt, ip6f_offlg=off | more, ip6f_ident=ident)
    return ip6(head.pack() + data, IPPROTO_FRAGMENT, src)


def pieces(size: int, message: bytes = MESSAGE) -> list[bytes]:
    return [
        frag(at, message[at : at + size], at + size < len(message))
        for at in range(0, len(message), size)
    ]


@pytest.mark.parametrize("order", [[0, 1, 2, 3], [3, 2, 1, 0], [1, 3, 0, 2]])
def test_fragments_in_any_order_become_one_answered_datagram(order: list[int]) -> None:
    node = Node()
    parts = pieces(16)
    got = [node.receive(parts[i]) for i in order]
    assert node.sent() == [("rip0", echo_reply(DATA))]
    assert [m.fate for m in got] == [Fate.CONSUMED] * 4
    assert got[-1].data == ip6(MESSAGE, IPPROTO_ICMPV6)
    assert node.kern.frag6.nfrags == 0
    assert node.kern.frag6.queues == {}
    assert node.counters() == {
        "icmp6.icp6s_reflect": 1,
        "ip6.ip6s_delivered": 4,
        "ip6.ip6s_fragments": 4,
        "ip6.ip6s_localout": 1,
        "ip6.ip6s_reassembled": 1,
        "ip6.ip6s_total": 4,
    }
    assert node.ifcounters(node.rip0) == {
        "ifs6_in_receive": 4,
        "ifs6_in_deliver": 4,
        "ifs6_reass_reqd": 4,
        "ifs6_reass_ok": 1,
        "ifs6_out_request": 1,
    }


def test_fragments_wait_as_held_and_share_the_fate_of_the_whole() -> None:
    node = Node()
    waiting = node.receive(frag(0, bytes(32), nxt=253))
    assert waiting.fate is Fate.HELD
    node.receive(frag(32, bytes(8), False, nxt=253))
    assert fate(waiting) == (Fate.DROPPED, "IP6_UNKNOWNPROTO")
    assert node.kern.fates[Fate.HELD] == 0


def test_headers_in_front_of_the_fragment_header_come_from_the_first_fragment() -> None:
    node = Node()
    options = bytes([IPPROTO_FRAGMENT, 0]) + bytes.fromhex("01 04 00 00 00 00")
    for at, size in ((32, 20), (0, 32)):
        head = Ip6Frag(ip6f_nxt=IPPROTO_ICMPV6, ip6f_offlg=at | (at == 0), ip6f_ident=5)
        body = options + head.pack() + MESSAGE[at : at + size]
        m = node.receive(ip6(body, IPPROTO_DSTOPTS))
    whole = bytes([IPPROTO_ICMPV6, 0]) + options[2:] + MESSAGE
    assert m.data == ip6(whole, IPPROTO_DSTOPTS)
    assert node.sent() == [("rip0", echo_reply(DATA))]


def test_a_swapped_home_address_survives_reassembly() -> None:
    node = Node("MIP6")
    home = addr("2001:db8:1::5")
    message = echo(home, data=DATA)
    for at, more in ((0, 1), (32, 0)):
        head = Ip6Frag(ip6f_nxt=IPPROTO_ICMPV6, ip6f_offlg=at | more, ip6f_ident=5)
        body = hao(nxt=IPPROTO_FRAGMENT) + head.pack() + message[at : at + 32]
        node.receive(ip6(body, IPPROTO_DSTOPTS))
    assert node.sent() == [("rip0", echo_reply(DATA, dst=home))]


def test_a_fragment_that_is_alone_is_taken_alone() -> None:
    node = Node()
    node.receive(frag(0, MESSAGE[:32]))
    m = node.receive(frag(0, MESSAGE, False))
    assert fate(m) == (Fate.CONSUMED, "")
    assert node.sent() == [("rip0", echo_reply(DATA))]
    assert node.kern.frag6.nfrags == 1
    assert node.counters()["ip6.ip6s_atomicfrags"] == 1


def test_an_exact_duplicate_is_ignored() -> None:
    node = Node()
    one, two = pieces(32)
    node.receive(one)
    m = node.receive(one)
    assert fate(m) == (Fate.DROPPED, "FRAG6_DUP")
    node.receive(two)
    assert node.sent() == [("rip0", echo_reply(DATA))]


@pytest.mark.parametrize(
    "evil",
    [
        frag(24, bytes(16)),  # over the first's end
        frag(0, MESSAGE[:24]),  # shorter copy of the first
        frag(0, MESSAGE[:40]),  # longer copy
        frag(0, MESSAGE[:31] + b"\xff"),  # same place, other contents
        frag(8, bytes(8)),  # inside
    ],
    ids=name_bytes,
)
def test_an_overlap_discards_the_whole_datagram(evil: bytes) -> None:
    node = Node()
    one, two = pieces(32)
    first = node.receive(one)
    m = node.receive(evil)
    assert fate(m) == (Fate.DROPPED, "FRAG6_OVERLAP")
    assert fate(first) == (Fate.DROPPED, "FRAG6_OVERLAP")
    late = node.receive(two)
    assert fate(late) == (Fate.DROPPED, "FRAG6_OVERLAP")
    assert node.sent() == []
    node.wait(60)
    assert node.kern.frag6.queues == {}
    assert node.sent() == []
    assert node.counters()["ip6.ip6s_fragdropped"] == 3


def test_an_overlap_from_behind_is_seen() -> None:
    node = Node()
    node.receive(frag(32, MESSAGE[32:], False))
    m = node.receive(frag(0, MESSAGE[:40]))
    assert fate(m) == (Fate.DROPPED, "FRAG6_OVERLAP")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (frag(32, bytes(8), False), frag(48, bytes(8))),  # beyond the end
        (frag(32, bytes(8), False), frag(64, bytes(8), False)),  # two ends
        (frag(48, bytes(8)), frag(32, bytes(8), False)),  # an end in front of data
    ],
    ids=name_bytes,
)
def test_fragments_that_disagree_about_the_end_are_discarded(before: bytes, after: bytes) -> None:
    node = Node()
    first = node.receive(before)
    second = node.receive(after)
    assert fate(first) == (Fate.DROPPED, "FRAG6_LASTMISMATCH")
    assert fate(second) == (Fate.DROPPED, "FRAG6_LASTMISMATCH")


def test_a_middle_length_that_is_no_multiple_of_8_points_at_the_payload_length() -> None:
    node = Node()
    packet = frag(8, bytes(12), nxt=IPPROTO_UDP)
    m = node.receive(packet)
    assert fate(m) == (Fate.DROPPED, "FRAG6_LEN")
    assert node.sent() == [("rip0", error(packet, ICMP6_PARAM_PROB, ICMP6_PARAMPROB_HEADER, 4))]


@pytest.mark.parametrize(("size", "reason"), [(7, None), (8, "FRAG6_TOOBIG")])
def test_a_datagram_over_65535_octets_points_at_the_fragment_offset(
    size: int, reason: str | None
) -> None:
    node = Node()
    packet = frag(65528, bytes(size), False, nxt=IPPROTO_UDP)
    m = node.receive(packet)
    if reason is None:
        assert m.fate is Fate.HELD
        return
    assert fate(m) == (Fate.DROPPED, reason)
    assert node.sent() == [
        ("rip0", error(packet, ICMP6_PARAM_PROB, ICMP6_PARAMPROB_HEADER, FRAG + 2))
    ]


def test_a_fragment_without_data_is_dropped() -> None:
    node = Node()
    assert fate(node.receive(frag(8, b""))) == (Fate.DROPPED, "FRAG6_EMPTY")


def test_a_cut_fragment_header_is_dropped() -> None:
    node = Node()
    m = node.receive(ip6(bytes(7), IPPROTO_FRAGMENT))
    assert fate(m) == (Fate.DROPPED, "IP6_EXTTRUNC")


def test_a_jumbogram_may_not_be_a_fragment() -> None:
    node = Node()
    jumbo = bytes([IPPROTO_FRAGMENT, 0]) + bytes.fromhex("c2 04 00010000")
    body = jumbo + Ip6Frag(ip6f_offlg=1).pack()
    packet = ip6(body + bytes(65536 - len(body)), IPPROTO_HOPOPTS, plen=0)
    m = node.receive(packet)
    assert fate(m) == (Fate.DROPPED, "FRAG6_JUMBO")
    assert node.sent() == [("rip0", error(packet, ICMP6_PARAM_PROB, ICMP6_PARAMPROB_HEADER, 48))]


@pytest.mark.parametrize(
    ("nxt", "data", "held"),
    [
        (IPPROTO_ICMPV6, MESSAGE[:8], True),
        (IPPROTO_UDP, bytes(8), True),
        (IPPROTO_TCP, bytes(16), False),
        (IPPROTO_UDP, b"", False),
        (IPPROTO_TCP, bytes(24), True),
        (IPPROTO_NONE, bytes(8), True),
        (IPPROTO_DSTOPTS, bytes([IPPROTO_UDP, 1]) + bytes(14), False),  # ends with the options
        (IPPROTO_DSTOPTS, bytes([IPPROTO_UDP, 1]) + bytes(22), True),
        (IPPROTO_DSTOPTS, bytes([IPPROTO_UDP, 9]) + bytes(14), False),  # options are cut
    ],
    ids=name_bytes,
)
def test_a_first_fragment_must_hold_all_headers(nxt: int, data: bytes, held: bool) -> None:
    node = Node()
    packet = frag(0, data, nxt=nxt)
    m = node.receive(packet)
    if held:
        assert m.fate is Fate.HELD
        assert node.sent() == []
    else:
        assert fate(m) == (Fate.DROPPED, "FRAG6_FIRSTSHORT")
        assert node.sent() == [("rip0", error(packet, ICMP6_PARAM_PROB, 3, 0))]


def test_reassembly_ends_after_60_seconds_and_says_so_when_the_first_fragment_is_here() -> None:
    node = Node()
    packet = frag(0, MESSAGE[:16])
    start = node.clock.t
    first = node.receive(packet)
    later = node.receive(frag(32, MESSAGE[32:48]))
    node.until(start + 60 * NS - 1)
    assert first.fate is Fate.HELD
    node.until(start + 60 * NS)
    assert fate(first) == (Fate.DROPPED, "FRAG6_TIMEOUT")
    assert fate(later) == (Fate.DROPPED, "FRAG6_TIMEOUT")
    assert node.sent() == [
        ("rip0", error(packet, ICMP6_TIME_EXCEEDED, ICMP6_TIME_EXCEED_REASSEMBLY))
    ]
    assert node.counters()["ip6.ip6s_fragtimeout"] == 2
    node.conserved()


def test_reassembly_without_the_first_fragment_ends_silently() -> None:
    node = Node()
    m = node.receive(frag(16, MESSAGE[16:32]))
    node.wait(60)
    assert fate(m) == (Fate.DROPPED, "FRAG6_TIMEOUT")
    assert node.sent() == []


def test_datagrams_differ_by_identification_and_source() -> None:
    node = Node()
    other = addr("2001:db8:1::a")
    node.receive(frag(0, MESSAGE[:32], ident=1))
    node.receive(frag(32, MESSAGE[32:], False, ident=2))
    node.receive(frag(32, MESSAGE[32:], False, ident=1, src=other))
    assert len(node.kern.frag6.queues) == 3
    assert node.sent() == []


def test_the_number_of_datagrams_is_limited() -> None:
    node = Node()
    node.kern.sysctl.write("net.inet6.ip6.maxfragpackets", 3)
    got = [node.receive(frag(8, bytes(8), ident=i)) for i in range(4)]
    assert [m.fate for m in got] == [Fate.HELD] * 3 + [Fate.DROPPED]
    assert fate(got[-1]) == (Fate.DROPPED, "FRAG6_LIMIT")
    assert node.counters()["ip6.ip6s_fragoverflow"] == 1
    assert node.receive(frag(16, bytes(8), ident=0)).fate is Fate.HELD


def test_the_number_of_fragments_is_limited() -> None:
    node = Node()
    node.kern.sysctl.write("net.inet6.ip6.maxfrags", 3)
    got = [node.receive(frag(8 * i, bytes(8))) for i in range(1, 5)]
    assert fate(got[-1]) == (Fate.DROPPED, "FRAG6_LIMIT")
    node.wait(60)
    assert node.kern.frag6.nfrags == 0
    assert node.receive(frag(8, bytes(8))).fate is Fate.HELD


def test_a_limit_of_minus_one_is_none_and_zero_refuses_all() -> None:
    node = Node()
    node.kern.sysctl.write("net.inet6.ip6.maxfrags", -1)
    node.kern.sysctl.write("net.inet6.ip6.maxfragpackets", -1)
    got = [node.receive(frag(8, bytes(8), ident=i)) for i in range(300)]
    assert all(m.fate is Fate.HELD for m in got)
    node.kern.sysctl.write("net.inet6.ip6.maxfrags", 0)
    assert fate(node.receive(frag(8, bytes(8), ident=999))) == (Fate.DROPPED, "FRAG6_LIMIT")


def test_drain_empties_the_table() -> None:
    node = Node()
    m = node.receive(frag(8, bytes(8)))
    frag6_drain(node.kern)
    assert fate(m) == (Fate.DROPPED, "KERN_SHUTDOWN")
    assert node.kern.next_deadline() is None or node.kern.frag6.queues == {}


@settings(max_examples=25)
@given(st.permutations(range(7)), st.lists(st.integers(0, 6), max_size=4))
def test_any_order_with_repeats_is_reassembled_once(order: list[int], again: list[int]) -> None:
    node = Node()
    parts = pieces(8)
    done = 0
    got: list[Mbuf] = []
    for i in order:
        got.append(node.receive(parts[i]))
        done = len(got)
        for j in again:
            if j in order[:done] and done < len(order):
                assert fate(node.receive(parts[j])) == (Fate.DROPPED, "FRAG6_DUP")
    assert node.sent() == [("rip0", echo_reply(DATA))]
    assert all(m.fate is Fate.CONSUMED for m in got)
