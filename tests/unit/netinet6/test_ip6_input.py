# SPDX-License-Identifier: BSD-3-Clause
"""ip6_input: each header check, whose packet it is, the loop over the headers."""

from __future__ import annotations

import pytest

from kame_py.kern.mbuf import M_ANYCAST6, Fate
from kame_py.netinet6.in6 import in6_update_ifa
from kame_py.netinet6.in6_var import IN6_IFF_ANYCAST, IN6_IFF_TENTATIVE
from kame_py.wire.codecs import Ip6Hdr
from kame_py.wire.const import (
    ICMP6_PARAM_PROB,
    ICMP6_PARAMPROB_HEADER,
    ICMP6_PARAMPROB_NEXTHEADER,
    IPPROTO_AH,
    IPPROTO_DSTOPTS,
    IPPROTO_ESP,
    IPPROTO_HOPOPTS,
    IPPROTO_ICMPV6,
    IPPROTO_NONE,
)
from kame_py.wire.snap import INFINITE
from tests.unit.netinet6.ip6_node import (
    PEER1,
    STRANGER,
    US1,
    US2,
    Node,
    addr,
    echo,
    echo_reply,
    error,
    fate,
    ip6,
    name_bytes,
)

PAD = bytes.fromhex("01 04 00 00 00 00")  # PadN filling an 8-octet options header
UNKNOWN = 253  # RFC 3692: a protocol number nobody serves

TOTAL = {"ip6.ip6s_total": 1}


def answered(counter: str, **more: int) -> dict[str, int]:
    """Counters of one received packet that drew one ICMPv6 error."""
    return {
        "icmp6.icp6s_error": 1,
        f"icmp6.{counter}": 1,
        "icmp6.icp6s_reflect": 1,
        "ip6.ip6s_total": 1,
        "ip6.ip6s_localout": 1,
        **{f"ip6.{k}": v for k, v in more.items()},
    }


@pytest.mark.parametrize(
    ("packet", "reason", "counter", "ifcounter"),
    [
        (ip6()[:39], "IP6_TOOSMALL", "ip6s_toosmall", "ifs6_in_hdrerr"),
        (b"", "IP6_TOOSMALL", "ip6s_toosmall", "ifs6_in_hdrerr"),
        (ip6(flow=0x50000000), "IP6_BADVERS", "ip6s_badvers", "ifs6_in_hdrerr"),
        (ip6(b"abc", plen=4), "IP6_TOOSHORT", "ip6s_tooshort", "ifs6_in_truncated"),
        (ip6(src=addr("ff02::1")), "IP6_SRCMCAST", "ip6s_badscope", "ifs6_in_addrerr"),
        (ip6(dst=bytes(16)), "IP6_DSTUNSPEC", "ip6s_badscope", "ifs6_in_addrerr"),
        (ip6(dst=addr("::1")), "IP6_LOOPBACK", "ip6s_badscope", "ifs6_in_addrerr"),
        (ip6(src=addr("::1")), "IP6_LOOPBACK", "ip6s_badscope", "ifs6_in_addrerr"),
        (ip6(dst=addr("::ffff:1.2.3.4")), "IP6_V4MAPPED", "ip6s_badscope", "ifs6_in_addrerr"),
        (ip6(src=addr("::ffff:1.2.3.4")), "IP6_V4MAPPED", "ip6s_badscope", "ifs6_in_addrerr"),
        (ip6(dst=STRANGER), "IP6_NOTFORUS", "ip6s_cantforward", "ifs6_in_addrerr"),
    ],
    ids=name_bytes,
)
def test_a_bad_packet_is_dropped_silently(
    packet: bytes, reason: str, counter: str, ifcounter: str
) -> None:
    node = Node()
    m = node.receive(packet)
    assert fate(m) == (Fate.DROPPED, reason)
    assert node.counters() == {**TOTAL, f"ip6.{counter}": 1}
    assert node.ifcounters(node.rip0) == {"ifs6_in_receive": 1, ifcounter: 1}
    assert node.sent() == []


def test_a_multicast_packet_for_a_group_not_joined_is_not_ours() -> None:
    node = Node()
    m = node.receive(ip6(dst=addr("ff0e::1234")))
    assert fate(m) == (Fate.DROPPED, "IP6_NOTMEMBER")
    assert node.counters() == {**TOTAL, "ip6.ip6s_notmember": 1, "ip6.ip6s_cantforward": 1}
    assert node.ifcounters(node.rip0) == {
        "ifs6_in_receive": 1,
        "ifs6_in_mcast": 1,
        "ifs6_in_discard": 1,
    }


def test_node_local_multicast_from_a_wire_is_out_of_scope() -> None:
    node = Node()
    m = node.receive(ip6(dst=addr("ff01::1")))
    assert fate(m) == (Fate.DROPPED, "IP6_BADSCOPE")
    assert node.counters() == {**TOTAL, "ip6.ip6s_badscope": 1}


def test_an_echo_request_is_answered_byte_by_byte() -> None:
    node = Node()
    m = node.receive(ip6(echo(), IPPROTO_ICMPV6))
    assert fate(m) == (Fate.CONSUMED, "")
    assert node.sent() == [("rip0", echo_reply())]
    assert node.ifcounters(node.rip0) == {
        "ifs6_in_receive": 1,
        "ifs6_in_deliver": 1,
        "ifs6_out_request": 1,
    }
    assert node.counters() == {
        "icmp6.icp6s_reflect": 1,
        "ip6.ip6s_delivered": 1,
        "ip6.ip6s_localout": 1,
        "ip6.ip6s_total": 1,
    }


def test_the_weak_host_model_takes_an_address_of_another_interface() -> None:
    node = Node()
    m = node.receive(ip6(echo(PEER1, US2), IPPROTO_ICMPV6, PEER1, US2))
    assert fate(m) == (Fate.CONSUMED, "")
    assert node.ifcounters(node.rip1) == {"ifs6_in_deliver": 1}


def test_link_layer_padding_is_cut_off() -> None:
    node = Node()
    node.receive(ip6(echo(), IPPROTO_ICMPV6) + b"\xff" * 6)
    assert node.sent() == [("rip0", echo_reply())]


def test_a_link_local_address_is_ours_on_its_own_link_only() -> None:
    node = Node()
    ll = addr("fe80::77")
    kernel_form = addr("fe80:2::77")
    in6_update_ifa(node.kern, node.rip0, kernel_form, 64, 0, INFINITE, INFINITE, None)
    node.quiet()
    src = addr("fe80::9")
    assert node.receive(ip6(src=src, dst=ll)).reason is not None
    assert node.kern.drops["IP6_NOPROTO"] == 1
    m = node.receive(ip6(src=src, dst=ll), node.rip1)
    assert fate(m) == (Fate.DROPPED, "IP6_NOTFORUS")


def test_a_tentative_address_takes_nothing() -> None:
    node = Node()
    node.kern.ip6.ifaddrs[US1].ia6_flags |= IN6_IFF_TENTATIVE
    m = node.receive(ip6(echo(), IPPROTO_ICMPV6))
    assert fate(m) == (Fate.DROPPED, "IP6_NOTREADY")
    assert node.counters() == TOTAL


def test_a_packet_to_an_anycast_address_is_marked() -> None:
    node = Node()
    node.kern.ip6.ifaddrs[US1].ia6_flags |= IN6_IFF_ANYCAST
    assert node.receive(ip6()).flags & M_ANYCAST6


def test_no_next_header_ends_silently() -> None:
    node = Node()
    m = node.receive(ip6(b"what follows is ignored", IPPROTO_NONE))
    assert fate(m) == (Fate.DROPPED, "IP6_NOPROTO")
    assert node.counters() == {**TOTAL, "ip6.ip6s_nonexthdr": 1, "rip6.rip6s_ipackets": 1}
    assert node.sent() == []


@pytest.mark.parametrize(
    ("nxt", "reason"),
    [
        (UNKNOWN, "IP6_UNKNOWNPROTO"),
        (IPPROTO_AH, "AH_NOKERNEL"),
        (IPPROTO_ESP, "ESP_NOKERNEL"),
    ],
)
def test_an_unknown_next_header_is_reported_at_its_octet(nxt: int, reason: str) -> None:
    node = Node()
    packet = ip6(bytes([nxt, 0]) + PAD + bytes(16), IPPROTO_DSTOPTS)
    m = node.receive(packet)
    assert fate(m) == (Fate.DROPPED, reason)
    assert node.sent() == [
        ("rip0", error(packet, ICMP6_PARAM_PROB, ICMP6_PARAMPROB_NEXTHEADER, Ip6Hdr.SIZE))
    ]
    expected = answered("icp6s_oparamprob_nextheader", ip6s_noproto=1)
    assert node.counters() == {**expected, "rip6.rip6s_ipackets": 1}


def test_an_unknown_next_header_of_the_ipv6_header_is_reported_at_octet_6() -> None:
    node = Node()
    packet = ip6(b"x", UNKNOWN)
    node.receive(packet)
    assert node.sent() == [("rip0", error(packet, ICMP6_PARAM_PROB, ICMP6_PARAMPROB_NEXTHEADER, 6))]


def test_hop_by_hop_options_behind_another_header_are_reported() -> None:
    node = Node()
    packet = ip6(
        bytes([IPPROTO_HOPOPTS, 0]) + PAD + bytes([IPPROTO_NONE, 0]) + PAD, IPPROTO_DSTOPTS
    )
    m = node.receive(packet)
    assert fate(m) == (Fate.DROPPED, "IP6_HBHORDER")
    assert node.sent() == [
        ("rip0", error(packet, ICMP6_PARAM_PROB, ICMP6_PARAMPROB_NEXTHEADER, Ip6Hdr.SIZE))
    ]


def test_an_extension_header_may_not_run_past_the_packet() -> None:
    node = Node()
    m = node.receive(ip6(bytes([IPPROTO_NONE, 1]) + PAD, IPPROTO_DSTOPTS))
    assert fate(m) == (Fate.DROPPED, "IP6_EXTTRUNC")
    m = node.receive(ip6(b"", IPPROTO_DSTOPTS))
    assert fate(m) == (Fate.DROPPED, "IP6_EXTTRUNC")


@pytest.mark.parametrize(("headers", "passes"), [(49, True), (50, False)])
def test_the_chain_of_headers_has_a_limit(headers: int, passes: bool) -> None:
    node = Node()
    chain = (bytes([IPPROTO_DSTOPTS, 0]) + PAD) * (headers - 1) + bytes([IPPROTO_NONE, 0]) + PAD
    m = node.receive(ip6(chain, IPPROTO_DSTOPTS))
    assert fate(m) == (Fate.DROPPED, "IP6_NOPROTO" if passes else "IP6_TOOMANYHDR")


def test_payload_length_0_with_hop_by_hop_but_no_jumbo_option_is_reported() -> None:
    node = Node()
    packet = ip6(bytes([IPPROTO_NONE, 0]) + PAD, IPPROTO_HOPOPTS, plen=0)
    m = node.receive(packet)
    assert fate(m) == (Fate.DROPPED, "IP6_PLEN0")
    assert node.sent() == [
        ("rip0", error(packet, ICMP6_PARAM_PROB, ICMP6_PARAMPROB_HEADER, Ip6Hdr.O_ip6_plen))
    ]


def test_payload_length_0_without_hop_by_hop_means_no_payload() -> None:
    node = Node()
    m = node.receive(ip6(b"padding", IPPROTO_NONE, plen=0))
    assert fate(m) == (Fate.DROPPED, "IP6_NOPROTO")
    assert m.data == ip6()


def test_receive_state_of_an_earlier_pass_is_wiped() -> None:
    node = Node()
    packet = ip6(echo(), IPPROTO_ICMPV6)
    m = node.receive(packet)
    m.auxdata().ip6a_flags = 0xFF
    m.flags |= M_ANYCAST6
    m.fate = None
    m.data = packet
    node.kern.created += 1
    node.kern.ip6intr(node.kern, m)
    assert m.aux is None
    assert not m.flags & M_ANYCAST6


def test_the_way_of_a_packet_is_traced() -> None:
    node = Node()
    node.kern.tracing = True
    m = node.receive(ip6(bytes([IPPROTO_ICMPV6, 0]) + PAD + echo(), IPPROTO_DSTOPTS))
    assert m.path is not None
    assert m.path[:4] == ["rawip_input rip0", "ip6_input rip0", "dest6 at 40", "icmp6 at 48"]
