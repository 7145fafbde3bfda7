# SPDX-License-Identifier: BSD-3-Clause
"""Errors this node sends: RFC 4443 s.2.4 (e) case by case, the quoted packet, the source."""

from __future__ import annotations

import pytest

from kame_py.kern.mbuf import IP6A_HASEEN, IP6A_SWAP, M_BCAST, M_MCAST, Mbuf
from kame_py.net.route import RTF_GATEWAY, RTM_ADD, rtrequest
from kame_py.netinet6.icmp6_error import icmp6_error, icmp6_recover_src
from kame_py.netinet6.in6_var import IN6_IFF_ANYCAST, IN6_IFF_TENTATIVE
from kame_py.netinet6.scope6 import in6_clearscope, in6_embedscope
from kame_py.wire.codecs import Icmp6Hdr, Ip6Frag, Ip6Hdr
from kame_py.wire.const import (
    IPPROTO_DSTOPTS,
    IPPROTO_FRAGMENT,
    IPPROTO_HOPOPTS,
    IPPROTO_ICMPV6,
    IPPROTO_UDP,
)
from kame_py.wire.patch import put
from tests.unit.netinet6.ip6_node import PEER1, PEER2, STRANGER, US1, US2, Node, addr, error, ip6

UNREACH, TOOBIG, TIMX, PARAMPROB, ECHO, REDIRECT = 1, 2, 3, 4, 128, 137
GROUP = addr("ff0e::99")
ANY = bytes(16)
HOME = addr("2001:db8:1::5")
PLAIN = ip6(bytes(8), IPPROTO_UDP)


def answered(
    packet: bytes = PLAIN,
    kind: int = UNREACH,
    code: int = 0,
    flags: int = 0,
    node: Node | None = None,
) -> bool:
    """Whether an error about this packet, received on rip0, is made."""
    node = node or Node()
    made = node.kern.stats.icmp6["icp6s_reflect"]
    icmp6_error(node.kern, received(node, packet, flags), kind, code, 0)
    return node.kern.stats.icmp6["icp6s_reflect"] > made


def received(node: Node, packet: bytes, flags: int = 0) -> Mbuf:
    m = Mbuf(packet, node.rip0)
    head = Ip6Hdr.unpack(packet)
    m.src = in6_embedscope(head.ip6_src, node.rip0.if_index)
    m.dst = in6_embedscope(head.ip6_dst, node.rip0.if_index)
    m.flags = flags
    return m


def icmp(kind: int) -> bytes:
    return bytes((kind, 0, 0, 0)) + bytes(4)


# -- (e.1), (e.2): errors and redirects -----------------------------------------------------------


@pytest.mark.parametrize("kind", [UNREACH, TOOBIG, TIMX, PARAMPROB, 100, 127, REDIRECT])
def test_no_error_about_an_error_or_redirect(kind: int) -> None:
    assert not answered(ip6(icmp(kind), IPPROTO_ICMPV6))


@pytest.mark.parametrize("kind", [ECHO, 129, 130, 135, 200])
def test_errors_about_informational_messages(kind: int) -> None:
    assert answered(ip6(icmp(kind), IPPROTO_ICMPV6))


def test_an_error_behind_extension_headers_is_one() -> None:
    opts = bytes((IPPROTO_ICMPV6, 0, 1, 4, 0, 0, 0, 0))
    hidden = bytes((IPPROTO_DSTOPTS, 0, 1, 4, 0, 0, 0, 0)) + opts
    assert not answered(ip6(hidden + icmp(UNREACH), IPPROTO_HOPOPTS))
    assert answered(ip6(hidden + icmp(ECHO), IPPROTO_HOPOPTS))


def test_a_message_cut_before_its_type_might_be_an_error() -> None:
    assert not answered(ip6(b"", IPPROTO_ICMPV6))


def test_fragments() -> None:
    """The first one shows its type; later ones may be answered: errors are never fragmented."""
    first = Ip6Frag(ip6f_nxt=IPPROTO_ICMPV6, ip6f_offlg=1).pack()
    later = Ip6Frag(ip6f_nxt=IPPROTO_ICMPV6, ip6f_offlg=8).pack()
    assert not answered(ip6(first + icmp(UNREACH), IPPROTO_FRAGMENT))
    assert answered(ip6(first + icmp(ECHO), IPPROTO_FRAGMENT))
    assert answered(ip6(later + icmp(UNREACH), IPPROTO_FRAGMENT))


# -- (e.3)-(e.5): multicast and broadcast ---------------------------------------------------------

ALLOWED = [(TOOBIG, 0, True), (PARAMPROB, 2, True)]
FORBIDDEN = [
    (UNREACH, 0, False),
    (TIMX, 0, False),
    (TIMX, 1, False),
    (PARAMPROB, 0, False),
    (PARAMPROB, 1, False),
]


@pytest.mark.parametrize(("kind", "code", "may"), ALLOWED + FORBIDDEN)
def test_about_a_packet_to_a_group(kind: int, code: int, may: bool) -> None:
    assert answered(ip6(bytes(8), IPPROTO_UDP, dst=GROUP), kind, code) is may


@pytest.mark.parametrize("flag", [M_MCAST, M_BCAST])
@pytest.mark.parametrize(("kind", "code", "may"), ALLOWED + FORBIDDEN)
def test_about_a_packet_in_a_link_layer_multicast(
    kind: int, code: int, may: bool, flag: int
) -> None:
    assert answered(PLAIN, kind, code, flag) is may


# -- (e.6): who sent it ---------------------------------------------------------------------------


@pytest.mark.parametrize("src", [ANY, GROUP])
def test_no_error_to_nobody_or_to_a_group(src: bytes) -> None:
    assert not answered(ip6(bytes(8), IPPROTO_UDP, src))


def test_no_error_to_an_anycast_address_of_ours() -> None:
    node = Node()
    assert answered(ip6(bytes(8), IPPROTO_UDP, US2), node=node)
    node.kern.ip6.ifaddrs[US2].ia6_flags |= IN6_IFF_ANYCAST
    assert not answered(ip6(bytes(8), IPPROTO_UDP, US2), node=node)


def test_refused_errors_are_counted_by_why() -> None:
    node = Node()
    answered(ip6(icmp(UNREACH), IPPROTO_ICMPV6), node=node)
    answered(ip6(bytes(8), IPPROTO_UDP, ANY), node=node)
    node.kern.icmp6.icmp6errppslim = 0
    answered(node=node)
    assert node.counters() == {
        "icmp6.icp6s_error": 3,
        "icmp6.icp6s_odst_unreach_noroute": 3,
        "icmp6.icp6s_canterror": 1,
        "icmp6.icp6s_toofreq": 1,
    }


# -- the packet that is quoted --------------------------------------------------------------------


def test_a_swapped_home_address_is_swapped_back_and_the_error_goes_home() -> None:
    # destination options: PadN(2), home address option with the care-of address swapped into it
    options = bytes((IPPROTO_UDP, 2)) + bytes.fromhex("01 02 00 00 c9 10")
    wire = ip6(options + HOME + bytes(8), IPPROTO_DSTOPTS, src=PEER1)
    off = Ip6Hdr.SIZE + len(options)
    swapped = put(put(wire, off, PEER1), Ip6Hdr.O_ip6_src, HOME)
    node = Node()
    m = received(node, swapped)
    aux = m.auxdata()
    aux.ip6a_flags, aux.ip6a_swap_off = IP6A_SWAP, off
    assert icmp6_recover_src(m) == wire
    icmp6_error(node.kern, m, UNREACH, 4, 0)
    assert node.sent() == [("rip0", error(wire, UNREACH, 4, 0, US1, HOME))]
    assert m.data == swapped


def test_a_packet_with_other_marks_is_quoted_as_it_is() -> None:
    node = Node()
    m = received(node, PLAIN)
    m.auxdata().ip6a_flags = IP6A_HASEEN
    assert icmp6_recover_src(m) == PLAIN


def test_pointer_and_mtu_are_in_the_second_word() -> None:
    node = Node()
    icmp6_error(node.kern, received(node, PLAIN), PARAMPROB, 0, 0x12345)
    ((_, packet),) = node.sent()
    assert Icmp6Hdr.unpack(packet, Ip6Hdr.SIZE).icmp6_data32 == 0x12345


@pytest.mark.parametrize("size", [1192, 1193])
def test_the_error_never_exceeds_1280_octets(size: int) -> None:
    node = Node()
    packet = ip6(bytes(size), IPPROTO_UDP)
    icmp6_error(node.kern, received(node, packet), UNREACH, 0, 0)
    ((_, sent),) = node.sent()
    assert len(sent) == 1280
    assert sent[48:] == packet[:1232]


# -- the source of the error ----------------------------------------------------------------------


def source(node: Node, packet: bytes) -> bytes:
    icmp6_error(node.kern, received(node, packet), UNREACH, 0, 0)
    ((_, sent),) = node.sent()
    return Ip6Hdr.unpack(sent).ip6_src


def test_source_is_the_address_the_packet_was_sent_to() -> None:
    assert source(Node(), ip6(bytes(8), IPPROTO_UDP, PEER1, US2)) == US2


@pytest.mark.parametrize("flag", [IN6_IFF_ANYCAST, IN6_IFF_TENTATIVE])
def test_source_is_chosen_when_that_address_cannot_be_one(flag: int) -> None:
    node = Node()
    node.kern.ip6.ifaddrs[US2].ia6_flags |= flag
    assert source(node, ip6(bytes(8), IPPROTO_UDP, PEER1, US2)) == US1


def test_source_about_a_packet_for_others_is_chosen_for_its_sender() -> None:
    node = Node()
    assert source(node, ip6(bytes(8), IPPROTO_UDP, PEER1, STRANGER)) == US1
    assert source(node, ip6(bytes(8), IPPROTO_UDP, PEER2, STRANGER)) == US2


def test_a_link_local_sender_is_answered_on_its_link() -> None:
    node = Node()
    icmp6_error(
        node.kern,
        received(node, ip6(bytes(8), IPPROTO_UDP, addr("fe80::9"), STRANGER)),
        UNREACH,
        0,
        0,
    )
    ((name, sent),) = node.sent()
    ours = next(ia.ia_addr for ia in node.rip0.in6_addrs if ia.ia_addr[0] == 0xFE)
    assert name == "rip0"
    assert Ip6Hdr.unpack(sent).ip6_src == in6_clearscope(ours)


def test_without_a_route_or_a_source_no_error_is_made() -> None:
    node = Node()
    created = node.kern.created
    assert not answered(ip6(bytes(8), IPPROTO_UDP, STRANGER, PEER2), node=node)
    rtrequest(node.kern, RTM_ADD, ANY, 0, PEER1, RTF_GATEWAY)
    for ifp in node.kern.ifnets:
        ifp.in6_addrs.clear()
    assert not answered(ip6(bytes(8), IPPROTO_UDP, STRANGER, PEER2), node=node)
    assert node.kern.created == created
    assert node.counters()["ip6.ip6s_sources_none"] == 1
