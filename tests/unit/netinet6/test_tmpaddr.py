# SPDX-License-Identifier: BSD-3-Clause
"""Temporary addresses (RFC 3041): when they come, how long they last, who follows them."""

from __future__ import annotations

import hashlib

import pytest

from kame_py.kern.clock import NS
from kame_py.netinet6.in6_src import in6_selectsrc
from kame_py.netinet6.in6_tmpaddr import MAX_TEMP_DESYNC_FACTOR
from kame_py.netinet6.in6_var import (
    IN6_IFF_AUTOCONF,
    IN6_IFF_DEPRECATED,
    IN6_IFF_DUPLICATED,
    IN6_IFF_TEMPORARY,
    IN6_IFF_TENTATIVE,
    In6Ifaddr,
)
from kame_py.wire.ioctl import SIOCGIFINFO_IN6
from kame_py.wire.nd6opt import build_prefix_opt
from kame_py.wire.snap import INFINITE, NdiSnap
from tests.unit.netinet6.nd_node import LL, Node, addr, na, ra

P = addr("2001:db8:1::")
Q = addr("2001:db8:2::")
A = P[:8] + LL[8:]
DAY, WEEK, MONTH = 86_400, 604_800, 2_592_000
TEMPORARY = IN6_IFF_TEMPORARY | IN6_IFF_AUTOCONF


def advert(valid: int = MONTH, pref: int = WEEK, *prefixes: bytes, lifetime: int = 9000) -> bytes:
    options = [build_prefix_opt(p, 64, 0xC0, valid, pref) for p in prefixes or (P,)]
    return ra(*options, lifetime=lifetime)


def host(**variables: int) -> Node:
    node = Node(ip6_accept_rtadv=1, ip6_use_tempaddr=1, ip6_desync_factor=100)
    for name, value in variables.items():
        node.kern.sysctl.write(f"net.inet6.ip6.{name}", value)
    return node


def temporary(node: Node) -> list[In6Ifaddr]:
    return [ia for ia in node.ifp.in6_addrs if ia.ia6_flags & IN6_IFF_TEMPORARY]


def ready(node: Node) -> list[In6Ifaddr]:
    """A public and a temporary address that nobody objected to."""
    node.receive(advert())
    node.wait(2 * NS)
    return temporary(node)


def lifetimes(node: Node, ia: In6Ifaddr) -> tuple[int, int]:
    """(valid, preferred) in seconds from now."""
    lt = ia.ia6_lifetime
    return (lt.ia6t_expire - node.clock.t) // NS, (lt.ia6t_preferred - node.clock.t) // NS


# -- making them ----------------------------------------------------------------------------------


def test_without_the_variable_there_are_none() -> None:
    node = host(use_tempaddr=0)
    assert ready(node) == []
    assert A in node.kern.ip6.ifaddrs


def test_new_public_address_brings_a_temporary_one() -> None:
    node = host()
    node.receive(advert())
    [ia] = temporary(node)
    assert ia.ia6_flags == TEMPORARY | IN6_IFF_TENTATIVE
    assert (ia.ia_addr[:8], ia.ia_plen) == (P[:8], 64)
    assert ia.ia_addr[8:] != A[8:] and not ia.ia_addr[8] & 2
    assert ia.ia6_ndpr is node.kern.ip6.ifaddrs[A].ia6_ndpr
    node.wait(NS)
    assert ia.ia6_flags == TEMPORARY


@pytest.mark.parametrize(
    ("valid", "pref", "want"),
    [
        (MONTH, WEEK, (WEEK, DAY - 100)),
        (INFINITE, INFINITE, (WEEK, DAY - 100)),
        (9000, 8000, (9000, 8000)),
        (MONTH, DAY - 101, (WEEK, DAY - 101)),
        (9000, 6, (9000, 6)),
    ],
)
def test_lifetimes_are_those_of_the_public_address_but_bounded(
    valid: int, pref: int, want: tuple[int, int]
) -> None:
    node = host()
    node.receive(advert(valid, pref))
    [ia] = temporary(node)
    assert lifetimes(node, ia) == want


def test_none_is_made_that_would_end_within_the_advance() -> None:
    node = host()
    node.receive(advert(9000, 5))
    assert (temporary(node), A in node.kern.ip6.ifaddrs) == ([], True)


def test_lifetimes_can_be_set() -> None:
    node = host(temppltime=1000, tempvltime=2000)
    node.receive(advert())
    [ia] = temporary(node)
    assert lifetimes(node, ia) == (2000, 900)


def test_nodes_part_of_the_lifetime_is_drawn_at_boot() -> None:
    assert 0 < Node().kern.ip6.ip6_desync_factor < MAX_TEMP_DESYNC_FACTOR


def test_identifiers_follow_from_the_history() -> None:
    node = host()
    [ia] = ready(node)
    ndi = node.ifp.ndi
    assert (ia.ia_addr[8:], ndi.randomseed1) == (ndi.randomid, A[8:])
    digest = hashlib.md5(ndi.randomseed0 + ndi.randomseed1).digest()
    node.receive(advert(MONTH, WEEK, Q))
    new = temporary(node)[1].ia_addr
    assert new == Q[:8] + bytes((digest[0] & ~2,)) + digest[1:8]
    snap = node.kern.ioctlsw[SIOCGIFINFO_IN6](node.kern, SIOCGIFINFO_IN6("fxp0"))
    assert isinstance(snap, NdiSnap)
    assert (snap.randomid, snap.randomseed0) == (new[8:], digest[8:])


def test_prefer_tempaddr_makes_it_the_source() -> None:
    node = host()
    [ia] = ready(node)
    there = addr("2001:db8:9::1")
    assert in6_selectsrc(node.kern, there) == A
    node.kern.sysctl.write("net.inet6.ip6.prefer_tempaddr", 1)
    assert in6_selectsrc(node.kern, there) == ia.ia_addr


# -- advertisements after that --------------------------------------------------------------------


def test_advertisements_do_not_lengthen_its_lifetimes() -> None:
    node = host()
    [ia] = ready(node)
    before = lifetimes(node, ia)
    node.wait(1000 * NS)
    node.receive(advert())
    assert lifetimes(node, ia) == (before[0] - 1000, before[1] - 1000)
    assert lifetimes(node, node.kern.ip6.ifaddrs[A])[1] == WEEK
    assert len(temporary(node)) == 1


def test_advertisements_shorten_its_lifetimes_by_the_two_hour_rule() -> None:
    node = host()
    [ia] = ready(node)
    node.receive(advert(60, 30))
    assert lifetimes(node, ia) == (7200, 30)
    node.receive(advert(INFINITE, 0))
    assert ia.ia6_flags == TEMPORARY | IN6_IFF_DEPRECATED


# -- the successor --------------------------------------------------------------------------------


def at(node: Node, ns: int) -> list[In6Ifaddr]:
    """Let time pass; advertisements go on."""
    while node.clock.t + 3600 * NS < ns:
        node.wait(3600 * NS)
        node.receive(advert())
    node.until(ns)
    return temporary(node)


def test_successor_comes_five_seconds_before_deprecation() -> None:
    node = host()
    [old] = ready(node)
    end = old.ia6_lifetime.ia6t_preferred
    assert at(node, end - 5 * NS - 1) == [old]
    [_, new] = at(node, end - 5 * NS)
    assert new.ia_addr[8:] != old.ia_addr[8:]
    assert lifetimes(node, new) == (WEEK, DAY - 100)
    at(node, end - 1)
    assert (old.ia6_flags, new.ia6_flags) == (TEMPORARY, TEMPORARY)
    assert at(node, end) == [old, new]
    assert old.ia6_flags == TEMPORARY | IN6_IFF_DEPRECATED


def test_address_is_valid_for_a_week_and_seven_successors_live_beside_it() -> None:
    node = host()
    [old] = ready(node)
    end = old.ia6_lifetime.ia6t_expire
    assert old in at(node, end - 1)
    living = at(node, end)
    assert old not in living
    assert len({ia.ia_addr for ia in living}) == len(living) == 7
    assert [not ia.ia6_flags & IN6_IFF_DEPRECATED for ia in living] == [False] * 6 + [True]


def test_no_successor_after_the_variable_was_cleared() -> None:
    node = host()
    [old] = ready(node)
    node.kern.sysctl.write("net.inet6.ip6.use_tempaddr", 0)
    assert at(node, old.ia6_lifetime.ia6t_preferred) == [old]


def test_no_successor_without_a_preferred_public_address() -> None:
    node = host()
    node.receive(advert(9000, 1000))
    [old] = temporary(node)
    node.until(old.ia6_lifetime.ia6t_preferred)
    assert temporary(node) == [old]
    node.until(old.ia6_lifetime.ia6t_expire)
    assert temporary(node) == []


def test_two_prefixes_share_the_identifier_of_a_generation() -> None:
    node = host()
    node.receive(advert(MONTH, MONTH, P, Q, lifetime=0))
    one, two = temporary(node)
    node.until(one.ia6_lifetime.ia6t_preferred)
    _, _, three, four = temporary(node)
    assert three.ia_addr[8:] == four.ia_addr[8:]
    assert three.ia_addr[8:] not in (one.ia_addr[8:], two.ia_addr[8:])
    assert {three.ia_addr[:8], four.ia_addr[:8]} == {P[:8], Q[:8]}


# -- somebody has it already ----------------------------------------------------------------------


def conflict(node: Node, ia: In6Ifaddr) -> None:
    node.receive(na(ia.ia_addr, flags="O"))


def test_duplicate_is_replaced_at_once() -> None:
    node = host()
    node.receive(advert())
    [first] = temporary(node)
    conflict(node, first)
    [second] = temporary(node)
    assert second.ia_addr != first.ia_addr
    assert second.ia6_flags == TEMPORARY | IN6_IFF_TENTATIVE
    assert not any("manual" in line.text for line in node.kern.log.lines)
    node.wait(2 * NS)
    assert (second.ia6_flags, node.ifp.ndi.tmp_conflicts) == (TEMPORARY, 0)


def test_third_duplicate_in_a_row_is_the_last() -> None:
    node = host()
    node.receive(advert())
    seen = set()
    for _ in range(3):
        [ia] = temporary(node)
        seen.add(ia.ia_addr)
        conflict(node, ia)
    [last] = temporary(node)
    assert last.ia6_flags == TEMPORARY | IN6_IFF_DUPLICATED
    assert (len(seen), last.ia_addr in seen) == (3, True)
    texts = [line.text for line in node.kern.log.lines]
    assert "fxp0: no more temporary addresses: all were duplicates" in texts
    node.until(last.ia6_lifetime.ia6t_expire)
    assert temporary(node) == []
    node.conserved()


def test_new_link_begins_anew_after_conflicts() -> None:
    node = host()
    node.receive(advert())
    for _ in range(3):
        conflict(node, temporary(node)[-1])
    node.receive(advert(MONTH, WEEK, Q))
    assert [ia.ia_addr[:8] for ia in temporary(node)] == [P[:8], Q[:8]]
    conflict(node, temporary(node)[1])  # the first of this link: replaced
    assert not temporary(node)[1].ia6_flags & IN6_IFF_DUPLICATED
    node.wait(2 * NS)
    assert temporary(node)[1].ia6_flags == TEMPORARY
