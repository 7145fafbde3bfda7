# SPDX-License-Identifier: BSD-3-Clause
"""The home address option: what is refused, and the swap."""

from __future__ import annotations

import pytest

from kame_py.kern.kernel import Kernel
from kame_py.kern.mbuf import IP6A_HASEEN, IP6A_SWAP, Fate, Mbuf
from kame_py.wire.const import (
    ICMP6_PARAM_PROB,
    ICMP6_PARAMPROB_OPTION,
    IPPROTO_DSTOPTS,
    IPPROTO_ICMPV6,
    IPPROTO_NONE,
)
from tests.unit.netinet6.ip6_node import PEER1, US1, Node, addr, echo, echo_reply, error, fate, ip6

HOME = addr("2001:db8:1::5")
HAO_AT = 40 + 2 + 4  # behind PadN(2): alignment 8n+6
HOA_AT = HAO_AT + 2


def hao(home: bytes = HOME, nxt: int = IPPROTO_NONE) -> bytes:
    """A destination options header with one home address option, as the drafts align it."""
    return bytes([nxt, 2]) + bytes.fromhex("01 02 00 00 c9 10") + home


def test_a_kernel_without_mip6_reports_the_option_as_unknown() -> None:
    node = Node()
    packet = ip6(hao(), IPPROTO_DSTOPTS)
    m = node.receive(packet)
    assert fate(m) == (Fate.DROPPED, "IP6_OPTPARAMPROB")
    assert node.sent() == [
        ("rip0", error(packet, ICMP6_PARAM_PROB, ICMP6_PARAMPROB_OPTION, HAO_AT))
    ]


def test_source_and_home_address_change_places_after_the_walk() -> None:
    node = Node("MIP6")
    m = node.receive(ip6(hao(), IPPROTO_DSTOPTS))
    assert fate(m) == (Fate.DROPPED, "IP6_NOPROTO")
    assert m.src == HOME
    assert m.data == ip6(hao(PEER1), IPPROTO_DSTOPTS, HOME)
    assert m.aux is not None
    assert m.aux.ip6a_flags == IP6A_HASEEN | IP6A_SWAP
    assert (m.aux.ip6a_home, m.aux.ip6a_careof, m.aux.ip6a_swap_off) == (HOME, PEER1, HOA_AT)


def test_an_option_in_the_same_header_still_sees_the_care_of_address_as_source() -> None:
    node = Node("MIP6")
    seen: list[tuple[bytes, bytes | None]] = []

    def probe(kern: Kernel, m: Mbuf, opt: int, start: int, size: int, off: int) -> bool:
        seen.append((m.src, m.aux.ip6a_home if m.aux is not None else None))
        return True

    node.kern.destopts[0x1F] = probe
    body = hao()[2:] + bytes.fromhex("1f 06 00 00 00 00 00 00")
    node.receive(ip6(bytes([IPPROTO_NONE, 3]) + body, IPPROTO_DSTOPTS))
    assert seen == [(PEER1, HOME)]


def test_the_transport_checksum_is_over_the_home_address() -> None:
    node = Node("MIP6")
    m = node.receive(ip6(hao(nxt=IPPROTO_ICMPV6) + echo(HOME), IPPROTO_DSTOPTS))
    assert fate(m) == (Fate.CONSUMED, "")
    assert node.sent() == [("rip0", echo_reply(dst=HOME))]


def test_an_error_quotes_the_packet_as_its_sender_made_it() -> None:
    node = Node("MIP6")
    packet = ip6(hao(nxt=253) + b"x", IPPROTO_DSTOPTS)
    node.receive(packet)
    assert node.sent() == [("rip0", error(packet, ICMP6_PARAM_PROB, 1, 40, dst=HOME))]


def test_a_second_home_address_option_is_refused() -> None:
    node = Node("MIP6")
    m = node.receive(ip6(hao(nxt=IPPROTO_DSTOPTS) + hao(), IPPROTO_DSTOPTS))
    assert fate(m) == (Fate.DROPPED, "DEST6_HAOTWICE")
    assert node.counters() == {
        "ip6.ip6s_total": 1,
        "ip6.ip6s_delivered": 1,
        "ip6.ip6s_badoptions": 1,
        "mip6.mip6s_hao": 1,
        "mip6.mip6s_invalidhao": 1,
    }


def test_a_short_home_address_option_is_refused() -> None:
    node = Node("MIP6")
    body = bytes.fromhex("01 03 00 00 00 c9 0f") + bytes(15)
    m = node.receive(ip6(bytes([IPPROTO_NONE, 2]) + body, IPPROTO_DSTOPTS))
    assert fate(m) == (Fate.DROPPED, "DEST6_HAOLEN")
    assert node.counters()["ip6.ip6s_toosmall"] == 1


def test_sub_options_behind_the_home_address_are_tolerated() -> None:
    node = Node("MIP6")
    body = bytes.fromhex("01 02 00 00 c9 18") + HOME + bytes(8)
    m = node.receive(ip6(bytes([IPPROTO_NONE, 3]) + body, IPPROTO_DSTOPTS))
    assert m.src == HOME


@pytest.mark.parametrize("text", ["::", "::1", "ff0e::1", "fe80::5", "::ffff:1.2.3.4"])
def test_a_home_address_that_nobody_can_have_is_refused(text: str) -> None:
    node = Node("MIP6")
    m = node.receive(ip6(hao(addr(text)), IPPROTO_DSTOPTS))
    assert fate(m) == (Fate.DROPPED, "DEST6_HAOSCOPE")
    assert node.counters()["ip6.ip6s_badscope"] == 1
    assert m.src == PEER1
    assert m.dst == US1
