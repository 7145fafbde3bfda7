# SPDX-License-Identifier: BSD-3-Clause
"""Node information queries: who is answered, with what, and who is not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kame_py.kern.clock import NS
from kame_py.kern.mbuf import Fate, Mbuf
from kame_py.netinet6.in6 import in6_addmulti, in6_update_ifa
from kame_py.netinet6.in6_ifattach import in6_ifdetach
from kame_py.netinet6.in6_var import IN6_IFF_ANYCAST, IN6_IFF_AUTOCONF, IN6_IFF_TEMPORARY
from kame_py.netinet6.scope6 import in6_embedscope
from kame_py.wire.codecs import Icmp6Hdr, Icmp6Nodeinfo, Ip6Hdr, NiReplyAddr, NiReplyFqdn
from kame_py.wire.const import IPPROTO_ICMPV6
from kame_py.wire.nodeinfo import in6_nigroup
from kame_py.wire.snap import INFINITE
from tests.unit.netinet6.ip6_node import PEER1, US1, US2, Node, addr, fate, icmp6, ip6

NONCE = b"nonce123"
ALLNODES = addr("ff02::1")
NOOP, SUPTYPES, FQDN, NODEADDR = range(4)
TRUNCATE, ALL, COMPAT, LINK, SITE, GLOBAL, ANYCAST = (1 << bit for bit in range(7))
BY_ADDR, BY_NAME, BY_V4 = range(3)
FOREVER = 0x7FFFFFFF
NAME = b"\x01n\0\0"  # the node's name is "n", which is taken for a cut name


def query(
    qtype: int,
    subject: bytes = US1,
    flags: int = 0,
    dst: bytes = US1,
    code: int = BY_ADDR,
    src: bytes = PEER1,
) -> bytes:
    head = Icmp6Nodeinfo(ni_code=code, ni_qtype=qtype, ni_flags=flags, icmp6_ni_nonce=NONCE)
    return ip6(icmp6(src, dst, head.pack() + subject), IPPROTO_ICMPV6, src, dst)


def ask(node: Node, packet: bytes) -> tuple[int, bytes] | None:
    """The flags and the data of the answer; None when there was none, for the one reason."""
    m = node.receive(packet)
    sent = node.sent()
    if not sent:
        assert fate(m) == (Fate.DROPPED, "ICMP6_NODEINFO")
        return None
    assert fate(m) == (Fate.CONSUMED, "")
    [(_, answer)] = sent
    asked = Icmp6Nodeinfo.unpack(packet, Ip6Hdr.SIZE)
    head = Icmp6Nodeinfo.unpack(answer, Ip6Hdr.SIZE)
    assert (head.ni_type, head.ni_code, head.ni_qtype) == (140, 0, asked.ni_qtype)
    assert head.icmp6_ni_nonce == NONCE
    return head.ni_flags, answer[Ip6Hdr.SIZE + Icmp6Nodeinfo.SIZE :]


def told(answer: tuple[int, bytes] | None) -> list[tuple[bytes, int]]:
    """(address, seconds) of an answer."""
    assert answer is not None
    data = answer[1]
    assert len(data) % NiReplyAddr.SIZE == 0
    rows = [NiReplyAddr.unpack(data, at) for at in range(0, len(data), NiReplyAddr.SIZE)]
    return [(row.ni_addr_addr, row.ni_addr_ttl) for row in rows]


def add(
    node: Node, text: str, flags: int = 0, valid: int = INFINITE, pref: int = INFINITE
) -> bytes:
    in6_update_ifa(node.kern, node.rip0, addr(text), 64, flags, valid, pref, None)
    node.quiet()
    return addr(text)


def ttl_and(name: bytes) -> tuple[int, bytes]:
    return 0, NiReplyFqdn(ni_fqdn_ttl=0).pack() + name


# -- types of queries -----------------------------------------------------------------------------


def test_noop_is_answered_with_nothing() -> None:
    assert ask(Node(), query(NOOP, flags=0xFFFF)) == (0, b"")


def test_supported_types_are_a_bitmap_of_four() -> None:
    assert ask(Node(), query(SUPTYPES, flags=1)) == (0, b"\0\0\0\x0f")


@pytest.mark.parametrize(
    ("name", "dns"),
    [
        ("n", NAME),
        ("ha.net", b"\x02ha\x03net\0\0"),
        ("ha.example.net", b"\x02ha\x07example\x03net\0"),
        ("ha.example.net.", b"\x02ha\x07example\x03net\0"),
    ],
)
def test_name_is_told_as_labels_and_a_short_one_is_marked_as_cut(name: str, dns: bytes) -> None:
    node = Node()
    node.kern.name = name
    assert ask(node, query(FQDN)) == ttl_and(dns)


def test_name_that_is_no_name_is_not_told() -> None:
    node = Node()
    node.kern.name = "a..b"
    assert ask(node, query(FQDN)) is None


def test_query_of_draft_03_gets_the_name_with_its_length_in_front() -> None:
    assert ask(Node(), query(FQDN, b"")) == ttl_and(b"\x01n")


def test_unknown_type_is_taken_for_a_name_query_of_draft_03() -> None:
    assert ask(Node(), query(4711, b"whatever")) == ttl_and(b"\x01n")


def test_who_are_you_gets_the_name() -> None:
    node = Node()
    body = icmp6(PEER1, US1, Icmp6Hdr(icmp6_type=139, icmp6_data32=0x12345678).pack() + bytes(4))
    packet = ip6(body, IPPROTO_ICMPV6)
    want = Icmp6Hdr(icmp6_type=140, icmp6_data32=0x12345678).pack() + bytes(4) + b"n"
    assert fate(node.receive(packet)) == (Fate.CONSUMED, "")
    answer = ip6(icmp6(US1, PEER1, want), IPPROTO_ICMPV6, US1, PEER1)
    assert node.sent() == [("rip0", answer)]
    node.kern.sysctl.write("net.inet6.icmp6.nodeinfo", 2)
    assert fate(node.receive(packet)) == (Fate.DROPPED, "ICMP6_NODEINFO")


# -- where to, and about whom ---------------------------------------------------------------------


def nigroup(name: str = "n") -> bytes:
    group = in6_nigroup(name)
    assert group is not None
    return group


@pytest.mark.parametrize("dst", [US1, ALLNODES, nigroup()])
def test_queries_to_our_address_to_all_nodes_and_to_our_group_are_answered(dst: bytes) -> None:
    node = Node()
    node.receive(query(FQDN, dst, dst=dst))
    [(_, answer)] = node.sent()
    ip = Ip6Hdr.unpack(answer)
    assert (ip.ip6_src, ip.ip6_dst) == (US1, PEER1)


def test_group_is_the_digest_of_the_first_label_in_small_letters() -> None:
    # printf '\2ha' | md5sum begins with these octets
    assert nigroup("ha") == addr("ff02::2:0:0")[:12] + nigroup("HA.example.net")[12:]
    assert nigroup("ha").hex() == "ff0200000000000000000002e789f997"
    assert in6_nigroup("x" * 64) is None


def test_group_is_joined_on_every_interface_and_left_with_the_last_address() -> None:
    node = Node()
    for ifp in (node.rip0, node.rip1):
        assert in6_embedscope(nigroup(), ifp.if_index) in ifp.in6_multi
    in6_ifdetach(node.kern, node.rip0)
    assert node.rip0.in6_multi == {}


@pytest.mark.parametrize(
    ("subject", "code"),
    [
        (PEER1, BY_ADDR),
        (US2, BY_ADDR),  # ours, but another scope might ask about it
        (US1[:15], BY_ADDR),
        (b"\x01x\0\0", BY_NAME),
        (b"", BY_NAME),
        (b"\x05n", BY_NAME),
        (b"\xc0\0", BY_NAME),
        (bytes(4), BY_V4),
        (US1, 7),
    ],
)
def test_query_about_another_subject_is_not_answered(subject: bytes, code: int) -> None:
    assert ask(Node(), query(FQDN, subject, code=code)) is None


@pytest.mark.parametrize("qtype", [NOOP, SUPTYPES])
def test_empty_name_asks_whoever_gets_the_query(qtype: int) -> None:
    assert ask(Node(), query(qtype, b"", code=BY_NAME)) is not None
    assert ask(Node(), query(qtype, b"", code=BY_ADDR)) is None


@pytest.mark.parametrize(
    ("subject", "matches"),
    [
        (b"\x02ha\x07example\x03net\0", True),
        (b"\x02HA\x07example\x03net\0", True),
        (b"\x02ha\0\0", True),
        (b"\x02ha\0", False),
        (b"\x02hb\0\0", False),
        (b"\0\0", False),
        (b"\x02ha\x07example\x03net\x01x\0\0", False),
    ],
)
def test_name_of_the_subject_may_be_cut(subject: bytes, matches: bool) -> None:
    node = Node()
    node.kern.name = "ha.example.net"
    assert (ask(node, query(FQDN, subject, code=BY_NAME)) is not None) == matches


def test_query_from_nobody_is_not_answered() -> None:
    m = Node().receive(query(FQDN, ALLNODES, dst=ALLNODES, src=bytes(16)))
    assert fate(m) == (Fate.DROPPED, "ICMP6_NODEINFO")


def test_query_to_a_group_beyond_the_link_is_not_answered() -> None:
    node = Node()
    group = addr("ff05::7777")
    in6_addmulti(node.kern, node.rip0, group)
    node.quiet()
    assert ask(node, query(FQDN, group, dst=group)) is None


# -- what may be told -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("bits", "answered"),
    [
        (0, []),
        (1, [NOOP, SUPTYPES, FQDN, 9]),
        (2, [NOOP, SUPTYPES, NODEADDR]),
        (3, [NOOP, SUPTYPES, FQDN, NODEADDR, 9]),
    ],
)
def test_bits_of_the_variable_say_what_is_told(bits: int, answered: list[int]) -> None:
    node = Node()
    assert node.kern.sysctl.write("net.inet6.icmp6.nodeinfo", bits) == 3
    kinds = [NOOP, SUPTYPES, FQDN, NODEADDR, 9]
    assert [kind for kind in kinds if ask(node, query(kind)) is not None] == answered


def test_answers_share_the_limit_of_errors() -> None:
    node = Node()
    node.kern.sysctl.write("net.inet6.icmp6.errppslimit", 2)
    got = [ask(node, query(NOOP)) is not None for _ in range(3)]
    assert (got, node.counters()["icmp6.icp6s_toofreq"]) == ([True, True, False], 1)
    node.wait(1)
    assert ask(node, query(NOOP)) is not None


# -- addresses ------------------------------------------------------------------------------------


def test_addresses_of_the_interface_that_was_asked_by_scope() -> None:
    node = Node()
    site = add(node, "fec0::1")
    [ll] = [ia.ia_addr for ia in node.rip0.in6_addrs if ia.ia_addr[:2] == b"\xfe\x80"]
    ll = ll[:2] + bytes(2) + ll[4:]
    for flags, want in (
        (0, []),
        (GLOBAL, [US1]),
        (LINK, [ll]),
        (SITE, [site]),
        (LINK | SITE | GLOBAL, [ll, US1, site]),
        (COMPAT, []),
    ):
        answer = ask(node, query(NODEADDR, flags=flags))
        assert answer is not None
        assert (answer[0], told(answer)) == (flags, [(a, FOREVER) for a in want])


def test_addresses_of_all_interfaces_without_the_loopback_address() -> None:
    answer = ask(Node(), query(NODEADDR, flags=ALL | GLOBAL))
    assert told(answer) == [(US1, FOREVER), (US2, FOREVER)]


def test_a_multicast_query_is_about_no_interface_but_may_be_about_all() -> None:
    node = Node()
    for flags, count in ((GLOBAL, 0), (GLOBAL | ALL, 2)):
        assert len(told(ask(node, query(NODEADDR, ALLNODES, flags, ALLNODES)))) == count


def test_query_by_name_is_about_no_interface() -> None:
    node = Node()
    for flags, count in ((GLOBAL, 0), (GLOBAL | ALL, 2)):
        assert len(told(ask(node, query(NODEADDR, NAME, flags, code=BY_NAME)))) == count


def test_anycast_addresses_are_told_only_when_they_are_wanted() -> None:
    node = Node()
    anycast = add(node, "2001:db8:1::aaaa", IN6_IFF_ANYCAST)
    assert told(ask(node, query(NODEADDR, flags=GLOBAL))) == [(US1, FOREVER)]
    assert told(ask(node, query(NODEADDR, flags=GLOBAL | ANYCAST))) == [(anycast, FOREVER)]


def test_temporary_addresses_are_told_only_when_the_variable_says_so() -> None:
    node = Node()
    temporary = add(node, "2001:db8:1::7", IN6_IFF_TEMPORARY | IN6_IFF_AUTOCONF)
    assert told(ask(node, query(NODEADDR, flags=GLOBAL))) == [(US1, FOREVER)]
    node.kern.sysctl.write("net.inet6.icmp6.nodeinfo", 7)
    assert (temporary, FOREVER) in told(ask(node, query(NODEADDR, flags=GLOBAL)))


def test_time_is_what_is_left_and_deprecated_addresses_come_last() -> None:
    node = Node()
    old = add(node, "2001:db8:1::5", valid=100, pref=10)
    new = add(node, "2001:db8:1::6", valid=200, pref=100)
    node.until(node.clock.t + 20 * NS)
    node.quiet()
    assert told(ask(node, query(NODEADDR, flags=GLOBAL))) == [
        (US1, FOREVER),
        (new, 180),
        (old, 80),
    ]


def test_answer_has_room_for_99_addresses_and_says_when_there_are_more() -> None:
    node = Node()
    for i in range(98):
        add(node, f"2001:db8:1::f:{i:x}")
    for flags in (0, TRUNCATE):
        answer = ask_fragments(node, query(NODEADDR, flags=GLOBAL | flags))
        assert answer == (GLOBAL, 99)
    add(node, "2001:db8:1::e")
    assert ask_fragments(node, query(NODEADDR, flags=GLOBAL)) == (GLOBAL | TRUNCATE, 99)


def ask_fragments(node: Node, packet: bytes) -> tuple[int, int]:
    """The flags and the number of addresses of an answer that goes out in fragments."""
    node.receive(packet)
    first, second = (p for _, p in node.sent())
    headers = Ip6Hdr.SIZE + 8
    size = len(first) + len(second) - 2 * headers - Icmp6Nodeinfo.SIZE
    return Icmp6Nodeinfo.unpack(first, headers).ni_flags, size // NiReplyAddr.SIZE


# -- anything -------------------------------------------------------------------------------------


@given(
    head=st.binary(min_size=1, max_size=19),
    qtype=st.integers(0, 5),
    code=st.integers(0, 3),
    subject=st.binary(max_size=80) | st.sampled_from([US1, NAME]),
    name=st.sampled_from(["", "n", "a..b", "ha.example.net", "x" * 70]),
    shape=st.booleans(),
)
def test_any_query_ends_with_one_fate(
    head: bytes, qtype: int, code: int, subject: bytes, name: str, shape: bool
) -> None:
    node = Node()
    node.kern.name = name
    if shape:
        packet = query(qtype, subject, int.from_bytes(head[:2], "big"), code=code)
    else:
        body = bytes((139, code, 0, 0)) + bytes(4) + head + subject
        packet = ip6(icmp6(PEER1, US1, body), IPPROTO_ICMPV6)
    m: Mbuf = node.receive(packet)
    assert m.fate is not None
    assert (m.fate is Fate.CONSUMED) == bool(node.sent())
