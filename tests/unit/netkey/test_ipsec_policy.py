# SPDX-License-Identifier: BSD-3-Clause
"""Inbound policy: what a packet must have come through, and which policy is its own."""

from __future__ import annotations

import pytest

from kame_py.kern.mbuf import M_AUTHIPDGM, M_AUTHIPHDR, Fate
from kame_py.kern.uipc_socket import Socket, socreate, sogetopt, soreceive, sosetopt
from kame_py.netinet6.in6 import in6_addmulti
from kame_py.netkey.ipsec_policy import ipsec_ports, ipsec_upper
from kame_py.wire import pfkeyv2 as k
from kame_py.wire.const import (
    IPPROTO_DSTOPTS,
    IPPROTO_FRAGMENT,
    IPPROTO_ICMPV6,
    IPPROTO_IPV6,
    IPPROTO_NONE,
    IPPROTO_TCP,
    IPPROTO_UDP,
)
from kame_py.wire.errno import EINVAL, ENOPROTOOPT, KError
from kame_py.wire.pfkey import SadbXPolicy, XIpsecrequest, build_policy
from kame_py.wire.sockaddr import AF_INET6, IPV6_IPSEC_POLICY, SOCK_RAW
from kame_py.wire.sockaddr import IPPROTO_IPV6 as SOL_IPV6
from tests.unit.netinet6.ip6_node import PEER2, Node, addr, echo, fate, ip6
from tests.unit.netinet6.udp_node import PORT, SPORT, bound, udp
from tests.unit.netkey.ipsec_node import (
    AES,
    AH,
    ANY,
    ESP,
    IN,
    KEYS,
    MD5,
    NULL,
    OUT,
    SHA1,
    TRANSPORT,
    TUNNEL,
    UNIQUE,
    USE,
    IpsecNode,
    protected,
    reasons,
    request,
    signed,
    vectors,
)

REFUSED = (Fate.DROPPED, "IPSEC_INPOLICY")
ANSWERED = (Fate.CONSUMED, "")


def under(*requests: XIpsecrequest) -> IpsecNode:
    """A node whose packets from anywhere must have come through these."""
    node = IpsecNode()
    node.policy(IN, *requests)
    return node


PING = ip6(echo(), IPPROTO_ICMPV6)


def test_without_policy_everything_passes() -> None:
    assert fate(IpsecNode().receive(PING)) == ANSWERED


def test_an_unprotected_packet_violates_a_policy_that_requires_something() -> None:
    node = under(request(AH))
    assert fate(node.receive(PING)) == REFUSED
    assert node.counters()["ipsec6.in_polvio"] == 1
    assert node.sent() == []


def test_a_policy_of_level_use_asks_for_nothing() -> None:
    assert fate(under(request(AH, level=USE)).receive(PING)) == ANSWERED


def test_the_default_level_is_what_the_sysctl_says() -> None:
    node = under(request(ESP, level=k.IPSEC_LEVEL_DEFAULT))
    assert fate(node.receive(PING)) == ANSWERED
    node.kern.sysctl.write("net.inet6.ipsec6.esp_trans_deflev", k.IPSEC_LEVEL_REQUIRE)
    assert fate(node.receive(PING)) == REFUSED


def test_discard_and_none_need_no_association() -> None:
    node = IpsecNode()
    node.policy(IN, src="2001:db8:1::9", action=k.IPSEC_POLICY_DISCARD)
    node.policy(IN, action=k.IPSEC_POLICY_NONE)
    assert fate(node.receive(PING)) == REFUSED
    other = ip6(echo(PEER2), IPPROTO_ICMPV6, PEER2)
    assert fate(node.receive(other)) == ANSWERED


def test_the_default_policy_may_be_to_discard() -> None:
    node = IpsecNode()
    node.kern.key.ip6_def_policy.policy = k.IPSEC_POLICY_DISCARD
    assert fate(node.receive(PING)) == REFUSED


@pytest.mark.parametrize(
    ("requests", "accepted"),
    [
        ((request(AH),), {"ah", "both"}),
        ((request(ESP),), {"esp", "null", "both"}),
        ((request(ESP), request(AH)), {"both"}),
        ((request(AH), request(ESP, level=USE)), {"ah", "both"}),
    ],
    ids=["ah", "esp", "both", "esp-optional"],
)
def test_a_packet_must_have_come_through_all_that_is_required(
    requests: tuple[XIpsecrequest, ...], accepted: set[str]
) -> None:
    node = under(*requests)
    ah = node.sa(AH, 0x1000, SHA1)
    esp = node.sa(ESP, 0x1001, MD5, enc=AES, enckey=KEYS[AES])
    null = node.sa(ESP, 0x1002, enc=NULL)
    packets = {
        "plain": PING,
        "ah": signed(ah),
        "esp": protected(esp),
        "null": protected(null),
        "both": signed(ah, payload=protected(esp)[40:], nxt=ESP),
    }
    got = {name for name, packet in packets.items() if fate(node.receive(packet)) == ANSWERED}
    assert got == accepted
    assert set(reasons(node)) == {"IPSEC_INPOLICY"}


def test_a_unique_policy_wants_its_own_association() -> None:
    node = under(request(AH, level=UNIQUE, reqid=7))
    other, own = node.sa(AH, 0x1000, SHA1, reqid=8), node.sa(AH, 0x1001, SHA1, reqid=7)
    assert fate(node.receive(signed(other))) == REFUSED
    assert fate(node.receive(signed(own))) == ANSWERED


def test_the_mode_of_an_association_must_be_that_of_the_policy_or_any() -> None:
    node = under(request(AH, TRANSPORT))
    for spi, mode, ends in (
        (0x1000, TRANSPORT, ANSWERED),
        (0x1001, ANY, ANSWERED),
        (0x1002, TUNNEL, REFUSED),
    ):
        assert fate(node.receive(signed(node.sa(AH, spi, SHA1, mode=mode)))) == ends


def test_more_protection_than_asked_for_is_no_harm() -> None:
    node = IpsecNode()
    node.policy(IN, action=k.IPSEC_POLICY_NONE)
    assert fate(node.receive(signed(node.sa(AH, 0x1000, SHA1)))) == ANSWERED


def test_of_associations_with_one_spi_that_of_the_source_is_taken_else_any() -> None:
    node = IpsecNode()
    node.sa(AH, 0x1000, SHA1, bytes(20), src=PEER2)
    own = node.sa(AH, 0x1000, SHA1)
    node.sa(ESP, 0x1000, MD5, bytes(16), NULL, src=PEER2)
    secret = node.sa(ESP, 0x1000, MD5, enc=NULL)
    assert fate(node.receive(signed(own))) == ANSWERED
    assert fate(node.receive(protected(secret))) == ANSWERED
    third = addr("2001:db8:1::5")
    other = node.sa(AH, 0x1001, SHA1, src=PEER2)
    assert fate(node.receive(signed(other, payload=echo(third), src=third))) == ANSWERED


# -- selectors ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("proto", "ports", "refused"),
    [
        (k.IPSEC_ULPROTO_ANY, (0, 0), {"ping", "udp"}),
        (IPPROTO_UDP, (0, 0), {"udp"}),
        (IPPROTO_UDP, (0, PORT), {"udp"}),
        (IPPROTO_UDP, (SPORT, 0), {"udp"}),
        (IPPROTO_UDP, (SPORT, PORT + 1), set()),
        (IPPROTO_TCP, (0, 0), set()),
        (IPPROTO_ICMPV6, (0, 0), {"ping"}),
        (IPPROTO_ICMPV6, (128, 0), {"ping"}),
        (IPPROTO_ICMPV6, (129, 0), set()),
    ],
)
def test_protocol_and_ports_select(proto: int, ports: tuple[int, int], refused: set[str]) -> None:
    node = IpsecNode()
    bound(node)
    node.policy(IN, request(AH), proto=proto, ports=ports)
    packets = {"ping": PING, "udp": udp()}
    got = {name for name, packet in packets.items() if fate(node.receive(packet)) == REFUSED}
    assert got == refused


def test_the_first_policy_that_fits_decides() -> None:
    node = IpsecNode()
    node.policy(IN, src="2001:db8:1::9", action=k.IPSEC_POLICY_NONE)
    node.policy(IN, request(AH), src="2001:db8:1::/64")
    assert fate(node.receive(PING)) == ANSWERED
    third = addr("2001:db8:1::5")
    assert fate(node.receive(ip6(echo(third), IPPROTO_ICMPV6, third))) == REFUSED


def test_packets_to_nobody_are_refused_like_others() -> None:
    node = under(request(AH))
    raw = socreate(node.kern, AF_INET6, SOCK_RAW, 89)
    closed = udp(dport=9)
    for packet in (closed, ip6(nxt=IPPROTO_NONE), ip6(b"x" * 8, 88), ip6(PING, IPPROTO_IPV6)):
        assert fate(node.receive(packet)) == REFUSED
    assert fate(node.receive(ip6(b"data", 89))) == REFUSED
    assert not raw.so_rcv
    assert node.sent() == []


def test_multicast_is_under_policy_too() -> None:
    node = under(request(AH))
    group = addr("ff02::5")
    in6_addmulti(node.kern, node.rip0, group[:2] + b"\0\x02" + group[4:])
    bound(node)
    m = node.receive(udp(dst=group))
    assert fate(m) == REFUSED


def test_ports_of_what_is_cut_off_are_any() -> None:
    datagram = udp()
    assert ipsec_ports(datagram, 40, IPPROTO_UDP) == (SPORT, PORT)
    assert ipsec_ports(datagram[:43], 40, IPPROTO_UDP) == (0, 0)
    assert ipsec_ports(PING, 40, IPPROTO_ICMPV6) == (128, 0)
    assert ipsec_ports(PING[:41], 40, IPPROTO_ICMPV6) == (0, 0)


def test_the_upper_protocol_is_behind_all_headers_and_unknown_in_later_fragments() -> None:
    options = bytes([IPPROTO_UDP, 0, 1, 4, 0, 0, 0, 0])
    assert ipsec_upper(ip6(options, IPPROTO_DSTOPTS)) == (IPPROTO_UDP, 48)
    first = bytes([IPPROTO_UDP, 0, 0, 1]) + bytes(4)
    later = bytes([IPPROTO_UDP, 0, 0, 8]) + bytes(4)
    assert ipsec_upper(ip6(first + bytes(8), IPPROTO_FRAGMENT)) == (IPPROTO_UDP, 48)
    assert ipsec_upper(ip6(later + bytes(8), IPPROTO_FRAGMENT))[0] == k.IPSEC_ULPROTO_ANY
    assert ipsec_upper(ip6(b"\x11", IPPROTO_DSTOPTS))[0] == k.IPSEC_ULPROTO_ANY


def test_fragments_that_were_authentic_one_by_one_do_not_make_an_authentic_datagram() -> None:
    node = under(request(AH))
    sav = node.sa(AH, 0x1000, SHA1)
    message = echo(data=bytes(64))
    first = bytes([IPPROTO_ICMPV6, 0, 0, 1]) + bytes(4) + message[:64]
    last = bytes([IPPROTO_ICMPV6, 0, 0, 64]) + bytes(4) + message[64:]
    m = node.receive(signed(sav, payload=first, nxt=IPPROTO_FRAGMENT))
    assert fate(m)[0] is Fate.HELD
    m = node.receive(signed(sav, payload=last, nxt=IPPROTO_FRAGMENT))
    assert fate(m) == REFUSED
    assert not m.flags & (M_AUTHIPHDR | M_AUTHIPDGM)


# -- mobility ----------------------------------------------------------------------------------


def test_selectors_are_home_address_and_last_destination() -> None:
    v = vectors("mobility-vectors.json")["C8.ah.rh0.ba13.sha1"]
    packet = bytes.fromhex(v["packet"])
    coa, home = packet[24:40], packet[48:64]
    node = IpsecNode("IPSEC", "MIP6")
    node.have(coa, home)
    node.sa(AH, 0x2002, SHA1, bytes.fromhex(v["key"]), src=packet[8:24], dst=home)
    node.policy(IN, request(AH), dst="2001:db8:0:1::100")
    m = node.receive(packet)
    assert not fate(m)[1].startswith(("IPSEC_", "AH_"))
    assert node.counters()["ipsec6.in_ahauthsucc"] == 1
    assert fate(node.receive(packet[:-1] + b"\x99")) == (Fate.DROPPED, "AH_BADICV")
    unprotected = ip6(packet[40:64].replace(b"\x33", b"\x3b", 1), 43, packet[8:24], coa)
    assert fate(node.receive(unprotected)) == REFUSED


# -- sockets -----------------------------------------------------------------------------------


def own(node: IpsecNode, so: Socket, direction: int, type: int, *requests: XIpsecrequest) -> None:
    octets = build_policy(SadbXPolicy(type, direction, 0, requests))
    sosetopt(node.kern, so, SOL_IPV6, IPV6_IPSEC_POLICY, octets)


def test_a_socket_may_require_what_the_database_does_not() -> None:
    node = IpsecNode()
    so = bound(node)
    sav = node.sa(AH, 0x1000, SHA1)
    own(node, so, IN, k.IPSEC_POLICY_IPSEC, request(AH))
    assert fate(node.receive(udp())) == REFUSED
    assert fate(node.receive(PING)) == ANSWERED
    m = node.receive(signed(sav, payload=udp()[40:], nxt=IPPROTO_UDP))
    assert fate(m) == (Fate.DELIVERED, "")
    assert soreceive(node.kern, so).data == b"hello"


def test_a_socket_may_bypass_the_database_or_entrust_itself_to_it() -> None:
    node = under(request(AH))
    so = bound(node)
    own(node, so, IN, k.IPSEC_POLICY_BYPASS)
    assert fate(node.receive(udp())) == (Fate.DELIVERED, "")
    own(node, so, IN, k.IPSEC_POLICY_ENTRUST)
    assert fate(node.receive(udp())) == REFUSED


def test_raw_sockets_have_policies_of_their_own() -> None:
    node = under(request(AH))
    so = socreate(node.kern, AF_INET6, SOCK_RAW, 89)
    own(node, so, IN, k.IPSEC_POLICY_BYPASS)
    assert fate(node.receive(ip6(b"data", 89))) == (Fate.DELIVERED, "")
    quiet = IpsecNode()
    icmp = socreate(quiet.kern, AF_INET6, SOCK_RAW, IPPROTO_ICMPV6)
    own(quiet, icmp, IN, k.IPSEC_POLICY_IPSEC, request(AH))
    quiet.receive(PING)
    assert not icmp.so_rcv


def test_the_option_can_be_read_back() -> None:
    node = IpsecNode()
    so = bound(node)
    own(node, so, OUT, k.IPSEC_POLICY_IPSEC, request(ESP), request(AH, level=USE))
    got = sogetopt(node.kern, so, SOL_IPV6, IPV6_IPSEC_POLICY)
    want = SadbXPolicy(k.IPSEC_POLICY_IPSEC, OUT, 0, (request(ESP), request(AH, level=USE)))
    entrust = SadbXPolicy(k.IPSEC_POLICY_ENTRUST, IN)
    assert got == build_policy(entrust) + build_policy(want)


@pytest.mark.parametrize(
    "value",
    [
        7,
        b"",
        b"\x01",
        bytes(16),
        build_policy(SadbXPolicy(k.IPSEC_POLICY_DISCARD, IN)),
        build_policy(SadbXPolicy(k.IPSEC_POLICY_NONE, IN)),
        build_policy(SadbXPolicy(k.IPSEC_POLICY_BYPASS, 0)),
        build_policy(SadbXPolicy(k.IPSEC_POLICY_BYPASS, IN)) + bytes(8),
    ],
)
def test_what_is_no_policy_for_a_socket_is_refused(value: object) -> None:
    node = IpsecNode()
    with pytest.raises(KError) as e:
        sosetopt(node.kern, bound(node), SOL_IPV6, IPV6_IPSEC_POLICY, value)
    assert e.value.errno == EINVAL


def test_a_kernel_without_ipsec_does_not_know_the_option() -> None:
    node = Node()
    so = bound(node)
    octets = build_policy(SadbXPolicy(k.IPSEC_POLICY_BYPASS, IN))
    with pytest.raises(KError) as e:
        sosetopt(node.kern, so, SOL_IPV6, IPV6_IPSEC_POLICY, octets)
    assert e.value.errno == ENOPROTOOPT
    with pytest.raises(KError):
        sogetopt(node.kern, so, SOL_IPV6, IPV6_IPSEC_POLICY)
