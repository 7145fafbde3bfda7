# SPDX-License-Identifier: BSD-3-Clause
"""ping6: what it sends and when, what it prints, how it ends."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from kame_py.tools.ping6 import TOOL
from kame_py.wire.codecs import (
    Icmp6DstUnreach,
    Icmp6Echo,
    Icmp6PacketTooBig,
    Icmp6ParamProb,
    Ip6Hdr,
)
from kame_py.wire.echodata import echo_data
from kame_py.wire.errno import EHOSTUNREACH, KError
from kame_py.wire.ip6ext import AlignedOpt, build_options, build_rthdr0
from kame_py.wire.sockaddr import (
    IPPROTO_IPV6,
    IPV6_DSTOPTS,
    IPV6_HOPLIMIT,
    IPV6_PATHMTU,
    IPV6_PKTINFO,
    IPV6_RTHDR,
    Cmsg,
    Received,
    SockaddrIn6,
)
from tests.unit.tools.table_ops import NS, Sent, TableOps, addr

SRC = addr("2001:db8:1::1")
DST = addr("2001:db8:2::9")
CONTROL = (
    Cmsg(IPPROTO_IPV6, IPV6_PKTINFO, (SRC, 1)),
    Cmsg(IPPROTO_IPV6, IPV6_HOPLIMIT, 63),
)


class Peer:
    """Answers echo requests after a while, as often as it is told."""

    def __init__(self, ops: TableOps, rtt_ns: int = 1_284_000) -> None:
        self.ops = ops
        self.rtt_ns = rtt_ns
        self.times_ns: list[int] = []
        self.copies: Callable[[int], int] = lambda seq: 1
        self.damage: Callable[[bytes], bytes] = lambda data: data
        self.control = CONTROL
        ops.on_send = self.request

    def request(self, sent: Sent) -> None:
        self.times_ns.append(self.ops.now_ns)
        echo = Icmp6Echo.unpack(sent.data)
        data = self.damage(sent.data[Icmp6Echo.SIZE :])
        reply = Icmp6Echo(icmp6_type=129, icmp6_id=echo.icmp6_id, icmp6_seq=echo.icmp6_seq)
        for _ in range(self.copies(echo.icmp6_seq)):
            self.ops.later(
                self.rtt_ns, Received(reply.pack() + data, SockaddrIn6(DST), self.control)
            )


@pytest.fixture
def ops() -> TableOps:
    return TableOps()


def test_three_packets(ops: TableOps) -> None:
    peer = Peer(ops)
    ops.names["ha.example.net"] = DST
    assert ops.run(TOOL, "-c", "3", "ha.example.net") == (
        0,
        "PING6(56=40+8+8 bytes) 2001:db8:1::1 --> 2001:db8:2::9\n"
        "16 bytes from 2001:db8:2::9, icmp_seq=0 hlim=63 time=1.284 ms\n"
        "16 bytes from 2001:db8:2::9, icmp_seq=1 hlim=63 time=1.284 ms\n"
        "16 bytes from 2001:db8:2::9, icmp_seq=2 hlim=63 time=1.284 ms\n"
        "\n"
        "--- ha.example.net ping6 statistics ---\n"
        "3 packets transmitted, 3 packets received, 0% packet loss\n"
        "round-trip min/avg/max = 1.284/1.284/1.284 ms\n",
        "",
    )
    assert peer.times_ns == [5 * NS, 6 * NS, 7 * NS]


def test_nothing_answers(ops: TableOps) -> None:
    peer = Peer(ops)
    peer.copies = lambda seq: 0
    result = ops.run(TOOL, "-c", "2", "2001:db8:2::9")
    assert result.status == 1
    assert result.out.endswith("2 packets transmitted, 0 packets received, 100% packet loss\n")
    assert ops.now_ns == 5 * NS + 1 * NS + 10 * NS


def test_waits_twice_the_longest_time_after_the_last_packet(ops: TableOps) -> None:
    peer = Peer(ops, rtt_ns=2 * NS)
    peer.copies = lambda seq: int(seq == 0)
    assert ops.run(TOOL, "-c", "4", "2001:db8:2::9").status == 0
    assert ops.now_ns == (5 + 3 + 4) * NS


def test_duplicates(ops: TableOps) -> None:
    peer = Peer(ops)
    peer.copies = lambda seq: 2 - seq
    out = ops.run(TOOL, "-c", "2", "2001:db8:2::9").out
    assert "icmp_seq=0 hlim=63 time=1.284 ms(DUP!)\n" in out
    assert "2 packets transmitted, 2 packets received, +1 duplicates, 0% packet loss\n" in out


def test_fractional_interval_and_its_floor(ops: TableOps) -> None:
    peer = Peer(ops, rtt_ns=1000)
    ops.run(TOOL, "-i", "0.25", "-c", "3", "2001:db8:2::9")
    assert peer.times_ns == [5 * NS, 5_250_000_000, 5_500_000_000]
    peer.times_ns.clear()
    ops.run(TOOL, "-i", "0.001", "-c", "2", "2001:db8:2::9")
    assert peer.times_ns[1] - peer.times_ns[0] == 10_000_000


def test_preload_and_quiet(ops: TableOps) -> None:
    peer = Peer(ops)
    out = ops.run(TOOL, "-q", "-l", "3", "-c", "5", "2001:db8:2::9").out
    assert peer.times_ns[:4] == [5 * NS] * 4
    assert "icmp_seq" not in out and out.startswith("PING6(56=40+8+8 bytes)")


def test_flood_sends_when_an_answer_comes(ops: TableOps) -> None:
    peer = Peer(ops, rtt_ns=3_000_000)
    peer.copies = lambda seq: int(seq != 1)
    out = ops.run(TOOL, "-f", "-c", "3", "2001:db8:2::9").out
    assert [t - 5 * NS for t in peer.times_ns] == [0, 3_000_000, 13_000_000]
    assert ".\b..\b" in out


def test_short_data_has_no_times(ops: TableOps) -> None:
    Peer(ops)
    out = ops.run(TOOL, "-s", "4", "-c", "1", "2001:db8:2::9").out
    assert out.startswith("PING6(52=40+8+4 bytes)")
    assert "12 bytes from 2001:db8:2::9, icmp_seq=0 hlim=63\n" in out
    assert "round-trip" not in out


def test_pattern_and_wrong_data(ops: TableOps) -> None:
    peer = Peer(ops)
    peer.damage = lambda data: data[:-1] + b"\x99"
    out = ops.run(TOOL, "-p", "ab1", "-s", "11", "-c", "1", "2001:db8:2::9").out
    assert ops.sent[0].data[16:] == b"\xab\x01\xab"
    assert "time=1.284 ms\nwrong data byte #10 should be 0xab but was 0x99\n" in out


def test_data_counts_up_from_its_place_in_the_message() -> None:
    assert echo_data(3_000_007, 11) == bytes((0, 0, 0, 3, 0, 0, 0, 7, 8, 9, 10))


def test_hop_limit_interface_and_hops_travel_as_ancillary_data(ops: TableOps) -> None:
    Peer(ops)
    ops.run(TOOL, "-h", "7", "-I", "fxp1", "-c", "1", "2001:db8:5::1", "2001:db8:2::9")
    assert ops.sent[0].control == (
        Cmsg(IPPROTO_IPV6, IPV6_PKTINFO, (bytes(16), 2)),
        Cmsg(IPPROTO_IPV6, IPV6_HOPLIMIT, 7),
        Cmsg(IPPROTO_IPV6, IPV6_RTHDR, build_rthdr0(0, [addr("2001:db8:5::1")], 1)),
    )


def test_interface_gives_a_link_local_destination_its_scope(ops: TableOps) -> None:
    Peer(ops)
    out = ops.run(TOOL, "-I", "fxp1", "-c", "1", "fe80::9").out
    assert ops.sent[0].addr == SockaddrIn6(addr("fe80::9"), scope_id=2)
    assert "--> fe80::9%fxp1\n" in out


def test_verbose_shows_destination_and_extension_headers(ops: TableOps) -> None:
    peer = Peer(ops)
    home = AlignedOpt(bytes((201, 16)) + DST, 8, 6)
    peer.control = (
        *CONTROL,
        Cmsg(IPPROTO_IPV6, IPV6_DSTOPTS, build_options(58, [home])),
        Cmsg(IPPROTO_IPV6, IPV6_RTHDR, build_rthdr0(58, [SRC], 0)),
    )
    lines = ops.run(TOOL, "-v", "-c", "1", "2001:db8:2::9").out.splitlines()
    assert lines[1:6] == [
        "16 bytes from 2001:db8:2::9, icmp_seq=0 hlim=63 dst=2001:db8:1::1 time=1.284 ms",
        "  Dst Options: nxt 58, len 2 (24 bytes)",
        "    Received Opt 201 len 16",
        "  Routing: nxt 58, len 2 (24 bytes), type 0, 1 segments, 0 left",
        "   [0]2001:db8:1::1",
    ]


QUOTED = Ip6Hdr(ip6_plen=16, ip6_nxt=58, ip6_hlim=64, ip6_src=SRC, ip6_dst=DST).pack()
QUOTED += Icmp6Echo(icmp6_id=100, icmp6_seq=0).pack() + bytes(8)
DUMP = (
    "Vr TC  Flow Plen Nxt Hlim\n"
    " 6 00 00000 0010  3a   40\n"
    "2001:db8:1::1->2001:db8:2::9\n"
    "ICMP6: type = 128, code = 0\n"
)


@pytest.mark.parametrize(
    ("header", "words"),
    [
        (Icmp6DstUnreach(icmp6_code=0), "No Route to Destination"),
        (Icmp6DstUnreach(icmp6_code=1), "Destination Administratively Unreachable"),
        (Icmp6DstUnreach(icmp6_code=2), "Destination Unreachable Beyond Scope"),
        (Icmp6DstUnreach(icmp6_code=3), "Destination Host Unreachable"),
        (Icmp6DstUnreach(icmp6_code=4), "Destination Port Unreachable"),
        (Icmp6PacketTooBig(icmp6_mtu=1400), "Packet too big mtu = 1400"),
        (Icmp6DstUnreach(icmp6_type=3, icmp6_code=0), "Time to live exceeded"),
        (Icmp6DstUnreach(icmp6_type=3, icmp6_code=1), "Frag reassembly time exceeded"),
        (
            Icmp6ParamProb(icmp6_code=2, icmp6_pptr=42),
            "Parameter problem: Unrecognized Option  pointer = 0x2a",
        ),
        (
            Icmp6ParamProb(icmp6_code=0, icmp6_pptr=4),
            "Parameter problem: Erroneous Header  pointer = 0x04",
        ),
        (
            Icmp6ParamProb(icmp6_code=1, icmp6_pptr=6),
            "Parameter problem: Unknown Nextheader  pointer = 0x06",
        ),
    ],
)
def test_errors_in_words_with_the_returned_header(
    ops: TableOps, header: Icmp6DstUnreach | Icmp6PacketTooBig | Icmp6ParamProb, words: str
) -> None:
    gone = Received(header.pack() + QUOTED, SockaddrIn6(addr("2001:db8:1::ff")), CONTROL)
    ops.inbox.append(gone)
    result = ops.run(TOOL, "-v", "-c", "1", "2001:db8:2::9")
    assert f"{len(gone.data)} bytes from 2001:db8:1::ff: {words}\n{DUMP}" in result.out
    assert result.status == 1


def test_foreign_messages_are_silent_without_v(ops: TableOps) -> None:
    ops.inbox.append(Received(Icmp6DstUnreach().pack() + QUOTED, SockaddrIn6(DST), CONTROL))
    assert "No Route" not in ops.run(TOOL, "-c", "1", "2001:db8:2::9").out


def test_answers_to_others_are_not_ours(ops: TableOps) -> None:
    reply = Icmp6Echo(icmp6_type=129, icmp6_id=101, icmp6_seq=0).pack() + bytes(8)
    ops.inbox.append(Received(reply, SockaddrIn6(DST), CONTROL))
    assert "1 packets transmitted, 0 packets received" in ops.run(TOOL, "-c", "1", "::1").out


def test_new_path_mtu_is_told_with_m_and_v(ops: TableOps) -> None:
    note = Received(b"", SockaddrIn6(DST), (Cmsg(IPPROTO_IPV6, IPV6_PATHMTU, 1400),))
    ops.inbox.append(note)
    assert "new path MTU (1400) is notified\n" in ops.run(TOOL, "-mv", "-c", "1", "::1").out


def test_send_errors_are_told_and_do_not_end_it(ops: TableOps) -> None:
    def refuse(sent: Sent) -> None:
        raise KError(EHOSTUNREACH)

    ops.on_send = refuse
    status, out, err = ops.run(TOOL, "-c", "2", "2001:db8:2::9")
    assert status == 1
    assert err == "ping6: sendmsg: No route to host\n" * 2
    assert out.count("ping6: wrote 2001:db8:2::9 16 chars, ret=-1\n") == 2


def test_sigint_prints_the_summary(ops: TableOps) -> None:
    Peer(ops)
    ops.signal_at_ns = 6_500_000_000
    status, out, _ = ops.run(TOOL, "2001:db8:2::9")
    assert status == 130
    assert "2 packets transmitted, 2 packets received, 0% packet loss\n" in out


def test_json(ops: TableOps) -> None:
    Peer(ops)
    got = json.loads(ops.run(TOOL, "--json", "-c", "1", "2001:db8:2::9").out)
    assert got["replies"] == [
        {
            "seq": 0,
            "from": "2001:db8:2::9",
            "bytes": 16,
            "hlim": 63,
            "dst": "2001:db8:1::1",
            "time_us": 1284,
            "duplicate": False,
        }
    ]
    assert (got["transmitted"], got["received"], got["rtt_avg_us"]) == (1, 1, 1284)


@pytest.mark.parametrize(
    ("words", "line"),
    [
        ("-c 0 ::1", "illegal number of packets -- 0"),
        ("-c x ::1", "illegal number of packets -- x"),
        ("-h 256 ::1", "illegal hoplimit -- 256"),
        ("-i 0 ::1", "illegal timing interval -- 0"),
        ("-i 1.x ::1", "illegal timing interval -- 1.x"),
        ("-l -1 ::1", "illegal preload value -- -1"),
        ("-s 65528 ::1", "datalen value too large, maximum is 65527"),
        ("-p xy ::1", "patterns must be specified as hex digits"),
        ("-b 0 ::1", "invalid socket buffer size -- 0"),
        ("-f -i 2 ::1", "-f and -i incompatible options"),
        ("-I xl0 ::1", "xl0: invalid interface name"),
        (
            "-N " + "x" * 64,
            "x" * 64 + ": name too long for a node information group",
        ),
        ("-P up ::1", "up: Invalid direciton"),
        ("nowhere", "nowhere: hostname nor servname provided, or not known"),
    ],
)
def test_mistakes_give_one_line(ops: TableOps, words: str, line: str) -> None:
    assert ops.run(TOOL, *words.split()) == (1, "", f"ping6: {line}\n")
