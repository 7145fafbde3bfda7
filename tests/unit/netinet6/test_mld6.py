# SPDX-License-Identifier: BSD-3-Clause
"""Listener reports: when they are sent, how, and what silences them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kame_py.kern.clock import MS, NS
from kame_py.kern.mbuf import Fate
from kame_py.kern.rng import Rng, Stream
from kame_py.net.if_ import IFF_UP
from kame_py.netinet6.in6 import in6_addmulti, in6_delmulti
from kame_py.netinet6.in6_var import In6Multi
from kame_py.netinet6.scope6 import in6_embedscope
from kame_py.wire.codecs import EtherHeader, Ip6Hdr, MldHdr
from kame_py.wire.const import IPPROTO_HOPOPTS, IPPROTO_ICMPV6
from tests.unit.netinet6.ip6_node import icmp6, ip6
from tests.unit.netinet6.nd_node import ANY, LL, PEER, Node, addr

GROUP = addr("ff02::1234")
ALLNODES = addr("ff02::1")
ALLROUTERS = addr("ff02::2")
QUERY, REPORT, DONE = 130, 131, 132
RTALERT = bytes(
    (
        IPPROTO_ICMPV6, 0,  # hop-by-hop header of 8 octets
        5, 2, 0, 0,  # router alert: MLD
        1, 0,  # PadN
    )
)  # fmt: skip


class TopStream(Stream):
    """A stream that always draws the largest number."""

    def below(self, n: int) -> int:
        return n - 1


class Top(Rng):
    def stream(self, name: str) -> Stream:
        return TopStream(0)


def mld(
    kind: int,
    group: bytes = ANY,
    maxdelay_ms: int = 0,
    src: bytes = PEER,
    dst: bytes = ALLNODES,
    hlim: int = 1,
    hbh: bytes = RTALERT,
    tail: bytes = b"",
) -> bytes:
    """An MLD packet as a neighbour sends it."""
    body = MldHdr(mld_type=kind, mld_maxdelay=maxdelay_ms, mld_addr=group).pack() + tail
    nxt = IPPROTO_HOPOPTS if hbh else IPPROTO_ICMPV6
    return ip6(hbh + icmp6(src, dst, body), nxt, src, dst, hlim)


def reports(node: Node) -> list[bytes]:
    """The MLD packets that went out."""
    packets = [frame[EtherHeader.SIZE :] for _, frame, _ in node.kern.poll_tx()]
    return [p for p in packets if Ip6Hdr.unpack(p).ip6_nxt == IPPROTO_HOPOPTS]


def about(node: Node, group: bytes = GROUP) -> list[tuple[int, bytes]]:
    """(type, destination) of what was sent about one group."""
    out = []
    for p in reports(node):
        mldh = MldHdr.unpack(p, Ip6Hdr.SIZE + len(RTALERT))
        if mldh.mld_addr == group:
            out.append((mldh.mld_type, Ip6Hdr.unpack(p).ip6_dst))
    return out


def join(node: Node, group: bytes = GROUP) -> In6Multi:
    return in6_addmulti(node.kern, node.ifp, in6_embedscope(group, node.zone))


def member() -> tuple[Node, In6Multi]:
    """A node that joined GROUP long ago."""
    node = Node()
    inm = join(node)
    node.wait(20 * NS)
    node.quiet()
    return node, inm


def test_join_reports_at_once_and_once_more_within_ten_seconds() -> None:
    node = Node()
    inm = join(node)
    assert reports(node) == [mld(REPORT, GROUP, src=LL, dst=GROUP)]
    assert inm.in6m_timer is not None
    again = inm.in6m_timer.deadline
    assert node.clock.t <= again <= node.clock.t + 10 * NS
    node.until(again - 1)
    assert reports(node) == []
    node.until(again)
    assert reports(node) == [mld(REPORT, GROUP, src=LL, dst=GROUP)]
    node.wait(100 * NS)
    assert reports(node) == []


def test_leave_is_told_to_the_routers() -> None:
    node, inm = member()
    in6_delmulti(node.kern, node.ifp, inm.in6m_addr)
    assert about(node) == [(DONE, ALLROUTERS)]


def test_leave_is_silent_when_another_listener_reported_last() -> None:
    node, inm = member()
    node.receive(mld(REPORT, GROUP, dst=GROUP))
    in6_delmulti(node.kern, node.ifp, inm.in6m_addr)
    assert about(node) == []


@pytest.mark.parametrize("text", ["ff02::1", "ff01::5"])
def test_some_groups_are_never_reported(text: str) -> None:
    node = Node()
    node.quiet()
    before = node.kern.mld6.reports_sent
    inm = join(node, addr(text))
    assert (inm.in6m_timer, node.kern.mld6.reports_sent) == (None, before)
    timers = {g: m.in6m_timer for g, m in node.ifp.in6_multi.items()}
    node.receive(mld(QUERY, addr(text), 0, dst=ALLNODES))
    assert node.kern.mld6.reports_sent == before
    assert {g: m.in6m_timer for g, m in node.ifp.in6_multi.items()} == timers
    in6_delmulti(node.kern, node.ifp, inm.in6m_addr)
    assert node.kern.mld6.dones_sent == 0


def test_groups_on_loopback_are_never_reported() -> None:
    node = Node()
    before = node.kern.mld6.reports_sent
    lo0 = node.kern.ifnets[0]
    inm = in6_addmulti(node.kern, lo0, in6_embedscope(GROUP, lo0.if_index))
    in6_delmulti(node.kern, lo0, inm.in6m_addr)
    assert (node.kern.mld6.reports_sent, node.kern.mld6.dones_sent) == (before, 0)


def test_an_interface_that_is_down_says_nothing() -> None:
    node = Node()
    before = node.kern.mld6.reports_sent
    node.ifp.if_flags &= ~IFF_UP
    inm = join(node)
    in6_delmulti(node.kern, node.ifp, inm.in6m_addr)
    assert (node.kern.mld6.reports_sent, node.kern.mld6.dones_sent) == (before, 0)


def test_reports_and_dones_are_counted() -> None:
    node, inm = member()
    before = node.kern.mld6.reports_sent
    node.receive(mld(QUERY, GROUP, 0, dst=GROUP))
    assert (node.kern.mld6.reports_sent, node.kern.mld6.dones_sent) == (before + 1, 0)
    in6_delmulti(node.kern, node.ifp, inm.in6m_addr)
    assert (node.kern.mld6.reports_sent, node.kern.mld6.dones_sent) == (before + 1, 1)


def test_report_about_a_group_that_is_not_ours() -> None:
    node = Node()
    other = addr("ff02::9999")
    node.receive(mld(REPORT, other, dst=ALLNODES))
    assert node.drops() == {"ICMP6_NOSOCKET": 1}


@pytest.mark.parametrize(
    ("delay", "tail", "longest_ms"),
    [
        (0xFFFF, 0, 65535),  # version 1: plain
        (0x7FFF, 4, 32767),
        (0x8000, 4, 0x1000 << 3),  # version 2: mantissa and exponent from here on
        (0xFFFF, 4, 0x1FFF << 10),
    ],
)
def test_longest_delay_of_a_query(delay: int, tail: int, longest_ms: int) -> None:
    """Shown by a generator that draws the largest number there is."""
    node, inm = member()
    node.kern.rng = Top(1)
    node.receive(mld(QUERY, ANY, delay, tail=bytes(tail)))
    assert inm.in6m_timer is not None
    assert inm.in6m_timer.deadline == node.clock.t + longest_ms * MS - 1


def test_reports_before_the_link_local_address_come_from_nobody() -> None:
    node = Node(dad=True)
    join(node)
    assert mld(REPORT, GROUP, src=ANY, dst=GROUP) in reports(node)


@pytest.mark.parametrize(("group", "to"), [(ANY, ALLNODES), (GROUP, GROUP)])
def test_query_is_answered_within_its_delay(group: bytes, to: bytes) -> None:
    node, inm = member()
    m = node.receive(mld(QUERY, group, 4000, dst=to))
    assert m.fate is Fate.CONSUMED
    assert inm.in6m_timer is not None
    due = inm.in6m_timer.deadline
    assert node.clock.t <= due <= node.clock.t + 4 * NS
    node.until(due - 1)
    assert about(node) == []
    node.until(due)
    assert about(node) == [(REPORT, GROUP)]


def test_query_for_another_group_is_not_ours_to_answer() -> None:
    node, inm = member()
    node.receive(mld(QUERY, addr("ff02::9999"), 4000))
    assert inm.in6m_timer is None


def test_query_without_delay_is_answered_at_once() -> None:
    node, _ = member()
    node.receive(mld(QUERY, GROUP, 0, dst=GROUP))
    assert about(node) == [(REPORT, GROUP)]


def test_shorter_query_brings_a_pending_report_forward_and_a_longer_does_not_delay_it() -> None:
    node, inm = member()
    node.receive(mld(QUERY, ANY, 60000))
    first = inm.in6m_timer
    node.receive(mld(QUERY, ANY, 65535))
    assert inm.in6m_timer is first
    node.receive(mld(QUERY, ANY, 1))
    assert inm.in6m_timer is not None
    assert inm.in6m_timer.deadline <= node.clock.t + NS // 1000


def test_report_of_another_listener_silences_ours() -> None:
    node, inm = member()
    node.receive(mld(QUERY, ANY, 4000))
    assert node.receive(mld(REPORT, GROUP, dst=GROUP)).fate is Fate.CONSUMED
    assert inm.in6m_timer is None


def test_report_from_nobody_does_not_silence_ours() -> None:
    node, inm = member()
    node.receive(mld(QUERY, ANY, 4000))
    node.receive(mld(REPORT, GROUP, src=ANY, dst=GROUP))
    assert inm.in6m_timer is not None


def test_version_2_query_has_a_floating_delay() -> None:
    node, inm = member()
    # 0xffff: mantissa 0xfff, exponent 7: (0x1000 | 0xfff) << 10 ms; then S, QRV, QQIC, no sources
    node.receive(mld(QUERY, ANY, 0xFFFF, tail=bytes(4)))
    assert inm.in6m_timer is not None
    delay = inm.in6m_timer.deadline - node.clock.t
    assert 65_535 * NS // 1000 < delay <= 8_387_584 * NS // 1000


@pytest.mark.parametrize(
    ("packet", "reason"),
    [
        (mld(QUERY, hlim=2), "MLD6_HLIM"),
        (mld(QUERY, src=addr("2001:db8::1")), "MLD6_HLIM"),
        (mld(QUERY, src=ANY), "MLD6_HLIM"),
        (mld(QUERY, hbh=b""), "MLD6_HLIM"),
        (mld(QUERY, hbh=bytes((58, 0, 5, 2, 0, 1, 1, 0))), "MLD6_HLIM"),  # alert of RSVP
        (mld(QUERY, addr("fe80::1")), "MLD6_BAD"),
        (mld(DONE, GROUP), "ICMP6_NOSOCKET"),
    ],
)
def test_bad_message_is_dropped_and_starts_nothing(packet: bytes, reason: str) -> None:
    node, inm = member()
    node.receive(packet)
    assert node.drops() == {reason: 1}
    assert inm.in6m_timer is None


@given(
    kind=st.sampled_from([QUERY, REPORT, DONE]),
    body=st.binary(max_size=64),
    hbh=st.sampled_from([RTALERT, b""]),
)
def test_any_message_ends_with_one_fate(kind: int, body: bytes, hbh: bytes) -> None:
    node, _ = member()
    message = icmp6(PEER, ALLNODES, bytes((kind, 0, 0, 0)) + bytes(4) + body)
    nxt = IPPROTO_HOPOPTS if hbh else IPPROTO_ICMPV6
    assert node.receive(ip6(hbh + message, nxt, PEER, ALLNODES, 1)).fate is not None
    node.conserved()
