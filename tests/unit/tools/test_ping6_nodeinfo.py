# SPDX-License-Identifier: BSD-3-Clause
"""ping6 -a, -t, -w, -W, -N: what is asked, what is printed, and against a kernel."""

from __future__ import annotations

import json

import pytest

from kame_py.tools.ping6 import TOOL
from kame_py.tools.ping6_nodeinfo import ni_json, ni_text
from kame_py.wire.codecs import Icmp6Nodeinfo, NiReplyFqdn
from kame_py.wire.sockaddr import Received, SockaddrIn6
from tests.unit.tools.table_ops import Sent, TableOps, addr

DST = addr("2001:db8:2::9")
NAME = NiReplyFqdn().pack() + b"\x02ha\x07example\x03net\x00"
A = addr("2001:db8::1")


def reply(qtype: int, data: bytes = b"", code: int = 0, flags: int = 0) -> bytes:
    head = Icmp6Nodeinfo(ni_type=140, ni_code=code, ni_qtype=qtype, ni_flags=flags)
    return head.pack() + data


class Peer:
    """Answers every query with its own nonce and the same data."""

    def __init__(self, ops: TableOps, data: bytes = NAME) -> None:
        self.ops = ops
        self.data = data
        self.asked: list[bytes] = []
        ops.on_send = self.request

    def request(self, sent: Sent) -> None:
        self.asked.append(sent.data)
        head = Icmp6Nodeinfo.unpack(sent.data)
        head.ni_type, head.ni_code, head.ni_flags = 140, 0, 0
        self.ops.later(1_000_000, Received(head.pack() + self.data, SockaddrIn6(DST), ()))


@pytest.fixture
def ops() -> TableOps:
    return TableOps()


@pytest.mark.parametrize(
    ("words", "want"),
    [
        ("-w", (0, 2, 0, DST)),
        ("-W", (0, 2, 0, b"")),
        ("-t", (1, 1, 1, b"")),
        ("-a aclsgA", (0, 3, 0x7E, DST)),
        ("-a CLSG", (0, 3, 0x3C, DST)),
        ("-w -a g", (0, 3, 0x20, DST)),  # the last one counts
    ],
)
def test_query(ops: TableOps, words: str, want: tuple[int, int, int, bytes]) -> None:
    peer = Peer(ops)
    assert ops.run(TOOL, *words.split(), "-c", "2", "2001:db8:2::9").status == 0
    head = Icmp6Nodeinfo.unpack(peer.asked[1])
    assert (head.ni_code, head.ni_qtype, head.ni_flags, peer.asked[1][16:]) == want
    assert (head.ni_type, head.icmp6_ni_nonce[:2]) == (139, b"\0\1")


def test_unknown_letter_of_an_address_query_is_a_usage_error(ops: TableOps) -> None:
    result = ops.run(TOOL, "-a", "gx", "2001:db8:2::9")
    assert result.status != 0 and "usage: ping6" in result.err


def test_names_are_printed_and_counted_without_times(ops: TableOps) -> None:
    Peer(ops)
    assert ops.run(TOOL, "-w", "-c", "1", "2001:db8:2::9").out == (
        "PING6(72=40+8+24 bytes) 2001:db8:1::1 --> 2001:db8:2::9\n"
        "36 bytes from 2001:db8:2::9: ha.example.net.\n"
        "\n"
        "--- 2001:db8:2::9 ping6 statistics ---\n"
        "1 packets transmitted, 1 packets received, 0% packet loss\n"
    )


def test_json_has_the_names(ops: TableOps) -> None:
    Peer(ops)
    got = json.loads(ops.run(TOOL, "-w", "-c", "1", "--json", "2001:db8:2::9").out)
    assert got["replies"][0]["names"] == ["ha.example.net."]


def test_answer_to_another_query_is_not_ours(ops: TableOps) -> None:
    peer = Peer(ops)

    def foreign(sent: Sent) -> None:
        data = reply(2, NAME).replace(bytes(8), b"\0\0strngr", 1)
        peer.ops.later(1_000_000, Received(data, SockaddrIn6(DST), ()))

    ops.on_send = foreign
    assert ops.run(TOOL, "-w", "-c", "1", "2001:db8:2::9").status == 1


TEXTS = [
    (reply(0), False, "NodeInfo NOOP"),
    (reply(2, NAME), True, "ha.example.net. (TTL=0:meaningless)"),
    (reply(2, NAME, flags=1), True, "ha.example.net. (TTL=0)"),
    (reply(2, b"\xff\xff\xff\xff" + NAME[4:], flags=1), True, "ha.example.net. (TTL=-1:invalid)"),
    (reply(2, NiReplyFqdn().pack() + b"\x02ha\0\0"), False, "ha"),
    (reply(2, NiReplyFqdn().pack() + b"\x02ha\0\0\x01b\x01c\0"), False, "ha,b.c."),
    (reply(2, NiReplyFqdn().pack() + b"\x02ha"), True, "ha (TTL=0:meaningless,03 draft)"),
    (reply(2, NiReplyFqdn().pack()), True, " (TTL=0:meaningless,no name)"),
    (reply(2, NiReplyFqdn().pack() + b"\x03a\n\x7f\0\0"), False, "a\\012\\177"),
    (reply(2, NiReplyFqdn().pack() + b"\x09ha\0"), False, "???"),
    (reply(2, b"\0"), True, "???"),
    (reply(3), False, "\n  no address"),
    (reply(3, bytes(4) + A), False, "\n  2001:db8::1(TTL=0)"),
    (reply(3, b"\xff\xff\xff\xff" + A, flags=1), True, " truncated\n  2001:db8::1(TTL=infty)"),
    (reply(3, A), False, "\n  2001:db8::1"),
    (reply(3, A + b"x"), False, "\n  2001:db8::1\n  ???"),
    (reply(1, b"\0\0\0\x0f"), False, "NodeInfo Supported Qtypes 0-3"),
    (reply(1, b"\0\0\0\x15"), True, "NodeInfo Supported Qtypes, raw bitmap 0 2 4"),
    (
        reply(1, b"\0\1\0\1\0\0\0\x0f" + b"\0\1\0\0\0\0\0\2", flags=1),
        True,
        "NodeInfo Supported Qtypes, compressed bitmap 0-3 65",
    ),
    (reply(1, b"\0\0\x0f"), False, "NodeInfo Supported Qtypes???"),
    (reply(1, b"\0\2\0\0\0\0\0\1", flags=1), False, "NodeInfo Supported Qtypes???"),
    (reply(2, code=1), False, "refused, type 0x8c"),
    (reply(2, code=2), False, "unknown, type 0x8c"),
    (reply(2, code=9), False, "unknown code 0x9, type 0x8c"),
]


@pytest.mark.parametrize(("data", "verbose", "text"), TEXTS)
def test_answer_in_words(data: bytes, verbose: bool, text: str) -> None:
    assert ni_text(data, verbose) == text
    assert ni_json(data)["qtype"] == Icmp6Nodeinfo.unpack(data).ni_qtype
