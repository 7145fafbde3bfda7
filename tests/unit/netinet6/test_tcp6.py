# SPDX-License-Identifier: BSD-3-Clause
"""TCP without listeners: which segments are reset, and how (RFC 9293 s.3.5.2)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kame_py.kern.mbuf import M_ANYCAST6, M_BCAST, M_MCAST, Fate, m_get
from kame_py.netinet6.tcp6.tcp6_input import tcp6_input
from kame_py.wire.cksum import in6_cksum
from kame_py.wire.codecs import Tcphdr
from kame_py.wire.const import IPPROTO_TCP, TH_ACK, TH_FIN, TH_RST, TH_SYN
from kame_py.wire.patch import put_u16
from tests.unit.netinet6.ip6_node import PEER1, US1, Node, addr, fate, ip6

ALLNODES = addr("ff02::1")


def tcp(
    flags: int,
    seq: int = 1000,
    ack: int = 0,
    data: bytes = b"",
    src: bytes = PEER1,
    dst: bytes = US1,
    ports: tuple[int, int] = (4000, 80),
    words: int = 5,
    csum: int | None = None,
    win: int = 8192,
) -> bytes:
    """A packet with one segment; csum None is the right one."""
    body = Tcphdr(
        th_sport=ports[0],
        th_dport=ports[1],
        th_seq=seq,
        th_ack=ack,
        th_off_x2=words << 4,
        th_flags=flags,
        th_win=win,
    ).pack()
    body += data
    if csum is None:
        csum = in6_cksum(src, dst, IPPROTO_TCP, body)
    return ip6(put_u16(body, Tcphdr.O_th_sum, csum), IPPROTO_TCP, src, dst)


def reset(flags: int, seq: int, ack: int) -> bytes:
    """The segment that answers ``tcp``."""
    return tcp(flags, seq, ack, src=US1, dst=PEER1, ports=(80, 4000), win=0)


@pytest.mark.parametrize(
    ("segment", "answer"),
    [
        (tcp(TH_SYN), reset(TH_RST | TH_ACK, 0, 1001)),
        (tcp(TH_SYN, data=b"abc"), reset(TH_RST | TH_ACK, 0, 1004)),
        (tcp(TH_FIN, data=b"abc"), reset(TH_RST | TH_ACK, 0, 1004)),
        (tcp(0, seq=0xFFFFFFFF, data=b"ab"), reset(TH_RST | TH_ACK, 0, 1)),
        (tcp(TH_ACK, ack=77), reset(TH_RST, 77, 0)),
        (tcp(TH_SYN | TH_ACK, ack=0xFFFFFFFF), reset(TH_RST, 0xFFFFFFFF, 0)),
        (tcp(TH_SYN, words=6, data=b"\2\4\5\xb4x"), reset(TH_RST | TH_ACK, 0, 1002)),
    ],
    ids=["syn", "syn data", "fin data", "wrap", "ack", "syn ack", "options"],
)
def test_segment_to_a_closed_port_is_reset(segment: bytes, answer: bytes) -> None:
    node = Node()
    assert fate(node.receive(segment)) == (Fate.CONSUMED, "")
    assert node.sent() == [("rip0", answer)]
    assert node.counters() == {
        "ip6.ip6s_delivered": 1,
        "ip6.ip6s_localout": 1,
        "ip6.ip6s_total": 1,
        "tcp6.tcp6s_rcvtotal": 1,
        "tcp6.tcp6s_sndrst": 1,
    }


@pytest.mark.parametrize(
    ("segment", "reason", "counter"),
    [
        (ip6(tcp(TH_SYN)[40:59], IPPROTO_TCP), "TCP6_TOOSHORT", "tcp6s_rcvshort"),
        (tcp(TH_SYN, csum=1), "TCP6_BADSUM", "tcp6s_rcvbadsum"),
        (tcp(TH_SYN, words=4), "TCP6_BADOFF", "tcp6s_rcvbadoff"),
        (tcp(TH_SYN, words=6), "TCP6_BADOFF", "tcp6s_rcvbadoff"),
        (tcp(TH_RST), "TCP6_NOPORT", ""),
        (tcp(TH_RST | TH_ACK, ack=5), "TCP6_NOPORT", ""),
        (tcp(TH_SYN, dst=ALLNODES), "TCP6_MCAST", ""),
        (tcp(TH_SYN, src=bytes(16)), "TCP6_MCAST", ""),
    ],
    ids=lambda v: v if isinstance(v, str) else "",
)
def test_other_segments_are_dropped_silently(segment: bytes, reason: str, counter: str) -> None:
    node = Node()
    assert fate(node.receive(segment)) == (Fate.DROPPED, reason)
    assert node.sent() == []
    want = {"tcp6s_rcvtotal": 1, **({counter: 1} if counter else {})}
    assert {k: v for k, v in node.kern.stats.tcp6.items() if v} == want


@pytest.mark.parametrize("flag", [M_MCAST, M_BCAST, M_ANYCAST6])
def test_what_came_as_multicast_or_to_anycast_is_not_reset(flag: int) -> None:
    node = Node()
    m = m_get(node.kern, tcp(TH_SYN), node.rip0)
    m.src, m.dst, m.flags = PEER1, US1, flag
    tcp6_input(node.kern, m, 40, IPPROTO_TCP)
    assert fate(m) == (Fate.DROPPED, "TCP6_MCAST")


@given(body=st.binary(max_size=60), flags=st.integers(0, 255), words=st.integers(0, 15))
def test_any_segment_ends_with_one_fate(body: bytes, flags: int, words: int) -> None:
    node = Node()
    for packet in (ip6(body, IPPROTO_TCP), tcp(flags, data=body, words=words)):
        assert node.receive(packet).fate is not None
