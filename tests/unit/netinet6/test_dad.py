# SPDX-License-Identifier: BSD-3-Clause
"""Duplicate address detection: timing, both kinds of conflict, the texts that people grep."""

from __future__ import annotations

from kame_py.kern.clock import NS
from kame_py.netinet6.in6 import in6_purgeaddr, in6_update_ifa, in6ifa_ifpforlinklocal
from kame_py.netinet6.in6_ifattach import if_down, if_up
from kame_py.netinet6.in6_var import (
    IN6_IFF_ANYCAST,
    IN6_IFF_DUPLICATED,
    IN6_IFF_NODAD,
    IN6_IFF_TENTATIVE,
    In6Ifaddr,
)
from tests.unit.netinet6.nd_node import ANY, LL, PEER, Node, addr, na, ns, solicits

GROUP = addr("ff02::1:ff66:77")
GROUP_MAC = bytes.fromhex("3333ff660077")
GLOBAL = addr("2001:db8:1::1")


def linklocal(node: Node) -> In6Ifaddr:
    ia = in6ifa_ifpforlinklocal(node.ifp)
    assert ia is not None
    return ia


def text(node: Node) -> list[str]:
    return [line.text for line in node.kern.log.lines]


def test_first_address_is_tested_at_once_and_ready_after_a_second() -> None:
    node = Node(dad=True)
    assert solicits(node.sent()) == [(GROUP_MAC, ANY, GROUP, LL)]
    node.until(NS - 1)
    assert linklocal(node).ia6_flags == IN6_IFF_TENTATIVE
    node.until(NS)
    assert linklocal(node).ia6_flags == 0
    assert node.kern.nd6.dadq == {}


def test_dad_count_is_the_number_of_solicitations() -> None:
    node = Node(dad=True, ip6_dad_count=3)
    node.until(3 * NS - 1)
    assert (len(solicits(node.sent())), linklocal(node).ia6_flags) == (3, IN6_IFF_TENTATIVE)
    node.until(3 * NS)
    assert (len(solicits(node.sent())), linklocal(node).ia6_flags) == (0, 0)


def test_without_dad_count_addresses_are_ready_at_once() -> None:
    node = Node(dad=True, ip6_dad_count=0)
    assert (solicits(node.sent()), linklocal(node).ia6_flags) == ([], 0)


def test_success_is_logged_when_debugging() -> None:
    node = Node()
    node.kern.nd6.nd6_debug = 1
    in6_update_ifa(node.kern, node.ifp, GLOBAL, 64)
    node.wait(NS)
    assert text(node)[-1] == f"fxp0: DAD complete for {'2001:db8:1::1'} - no duplicates found"


def test_advertisement_during_detection_is_a_duplicate() -> None:
    node = Node(dad=True)
    node.until(NS - 1)
    node.receive(na(target=LL, flags="O", dst=addr("ff02::1")))
    assert linklocal(node).ia6_flags == IN6_IFF_DUPLICATED
    assert text(node)[-3:] == [
        "fxp0: DAD detected duplicate IPv6 address fe80::2a0:24ff:fe66:77: 0 NS, 1 NA",
        "fxp0: DAD complete for fe80::2a0:24ff:fe66:77 - duplicate found",
        "fxp0: manual intervention required",
    ]
    node.until(10 * NS)
    assert linklocal(node).ia6_flags == IN6_IFF_DUPLICATED


def test_simultaneous_detection_is_a_duplicate_at_the_timer() -> None:
    node = Node(dad=True)
    node.receive(ns(LL, src=ANY, sll=None))
    assert linklocal(node).ia6_flags == IN6_IFF_TENTATIVE
    node.until(NS)
    assert linklocal(node).ia6_flags == IN6_IFF_DUPLICATED
    assert text(node)[-3].endswith(": 1 NS, 0 NA")


def test_tentative_address_does_not_answer() -> None:
    node = Node(dad=True)
    node.sent()
    node.receive(ns(LL, src=PEER))
    assert (node.drops(), node.sent()) == ({"ND6_TENTATIVE": 1}, [])


def test_duplicated_address_does_not_answer() -> None:
    node = Node(dad=True)
    node.receive(na(target=LL, flags="O", dst=addr("ff02::1")))
    node.quiet()
    node.receive(ns(LL))
    assert (node.drops(), node.sent()) == ({"ND6_NOTTARGET": 1}, [])


def test_configuring_a_duplicated_address_again_tests_it_again() -> None:
    node = Node(dad=True)
    node.receive(na(target=LL, flags="O", dst=addr("ff02::1")))
    node.quiet()
    in6_update_ifa(node.kern, node.ifp, linklocal(node).ia_addr, 64)
    assert linklocal(node).ia6_flags == IN6_IFF_TENTATIVE
    node.wait(NS)
    assert linklocal(node).ia6_flags == 0


def test_anycast_and_nodad_addresses_are_not_tested() -> None:
    node = Node()
    for flags in (IN6_IFF_ANYCAST, IN6_IFF_NODAD):
        in6_update_ifa(node.kern, node.ifp, GLOBAL, 64, flags)
        assert node.kern.ip6.ifaddrs[GLOBAL].ia6_flags == flags
    assert solicits(node.sent()) == []


def test_removed_address_ends_detection() -> None:
    node = Node(dad=True)
    in6_purgeaddr(node.kern, linklocal(node))
    assert node.kern.nd6.dadq == {}
    node.until(10 * NS)
    assert "no duplicates" not in " ".join(text(node))


def test_detection_starts_again_within_a_second_of_coming_up() -> None:
    node = Node(dad=True)
    if_down(node.kern, node.ifp)
    node.until(10 * NS)
    node.quiet()
    assert linklocal(node).ia6_flags == IN6_IFF_TENTATIVE
    if_up(node.kern, node.ifp)
    assert solicits(node.sent()) == [], "a random delay first"
    node.until(11 * NS)
    assert len(solicits(node.sent())) == 1
    node.until(12 * NS)
    assert linklocal(node).ia6_flags == 0


def test_other_node_that_asks_first_during_the_delay_wins() -> None:
    node = Node(dad=True)
    if_down(node.kern, node.ifp)
    if_up(node.kern, node.ifp)
    node.receive(ns(LL, src=ANY, sll=None))
    assert linklocal(node).ia6_flags == IN6_IFF_DUPLICATED
