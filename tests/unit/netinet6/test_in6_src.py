# SPDX-License-Identifier: BSD-3-Clause
"""Choice of the source address: each rule decides once; and of hop limit and interface."""

from __future__ import annotations

import pytest

from kame_py.kern.kernel import Kernel
from kame_py.net.if_ import IFF_UP, Ifnet
from kame_py.net.route import RTF_GATEWAY, RTM_ADD, LinkAddr, rtrequest
from kame_py.netinet6.in6 import in6_update_ifa
from kame_py.netinet6.in6_src import (
    ND6_IFF_PREFER_SOURCE,
    in6_addrscope,
    in6_selecthlim,
    in6_selectroute,
    in6_selectsrc,
    policy_label,
)
from kame_py.netinet6.in6_var import (
    IN6_IFF_ANYCAST,
    IN6_IFF_DEPRECATED,
    IN6_IFF_DETACHED,
    IN6_IFF_DUPLICATED,
    IN6_IFF_TEMPORARY,
    IN6_IFF_TENTATIVE,
    In6Ifaddr,
)
from kame_py.netinet6.ip6_var import Ip6Moptions, Ip6Pktopts
from kame_py.netinet6.scope6 import in6_embedscope
from kame_py.wire.errno import EADDRNOTAVAIL, EHOSTUNREACH, KError
from tests.unit.netinet6.ip6_node import PEER1, STRANGER, US1, US2, Node, addr

LOOP = bytes(15) + b"\1"


def routed() -> Node:
    """A node with a default route by rip0."""
    node = Node()
    gateway = LinkAddr(node.rip0.if_index)
    rtrequest(node.kern, RTM_ADD, bytes(16), 0, gateway, 0, node.rip0)
    return node


def give(node: Node, ifp: Ifnet, text: str) -> In6Ifaddr:
    ia = in6_update_ifa(node.kern, ifp, addr(text), 64)
    assert ia is not None
    return ia


def only(node: Node, ifp: Ifnet, *texts: str) -> list[In6Ifaddr]:
    """Nothing but these addresses on the interface, in this order."""
    ifp.in6_addrs.clear()
    return [give(node, ifp, text) for text in texts]


def chosen(node: Node, dst: str | bytes) -> tuple[bytes, dict[int, int]]:
    """The source, and how often each rule decided."""
    node.kern.stats.ip6s_sources_rule.clear()
    to = addr(dst) if isinstance(dst, str) else dst
    src = in6_selectsrc(node.kern, to)
    return src, dict(node.kern.stats.ip6s_sources_rule)


def test_rule_1_the_destination_itself() -> None:
    node = routed()
    only(node, node.rip1)
    only(node, node.rip0, "2001:db8:1::5", "2001:db8:1::6")
    node.kern.ifnets[0].in6_addrs.clear()
    assert chosen(node, "2001:db8:1::6") == (addr("2001:db8:1::6"), {0: 1, 1: 1})


@pytest.mark.parametrize(
    ("first", "second", "dst", "best"),
    [
        ("fec0::1", "2001:db8:1::5", "2001:db8:9::1", "2001:db8:1::5"),
        ("2001:db8:1::5", "fec0::1", "2001:db8:9::1", "2001:db8:1::5"),
        ("2001:db8:1::5", "fec0::1", "fec0:9::1", "fec0::1"),
        ("fec0::1", "2001:db8:1::5", "fec0:9::1", "fec0::1"),
        ("2001:db8:1::5", "fec0::1", "ff05::1", "fec0::1"),
    ],
)
def test_rule_2_a_scope_that_reaches_and_no_larger(
    first: str, second: str, dst: str, best: str
) -> None:
    node = routed()
    only(node, node.rip1)
    only(node, node.rip0, first, second)
    node.kern.ifnets[0].in6_addrs.clear()
    assert chosen(node, dst) == (addr(best), {0: 1, 2: 1})


def test_rule_3_a_deprecated_address_only_if_nothing_else() -> None:
    node = routed()
    only(node, node.rip1)
    old, new = only(node, node.rip0, "2001:db8:9::5", "2001:db8:1::6")
    node.kern.ifnets[0].in6_addrs.clear()
    old.ia6_flags |= IN6_IFF_DEPRECATED
    assert chosen(node, "2001:db8:9::1") == (new.ia_addr, {0: 1, 3: 1})


def test_rule_4_is_mobilitys() -> None:
    node = routed()
    only(node, node.rip1)
    here, home = only(node, node.rip0, "2001:db8:9::5", "2001:db8:1::6")
    node.kern.ifnets[0].in6_addrs.clear()
    asked: list[bytes] = []

    class Hooks(type(node.kern.mip6)):  # type: ignore[misc]  # the class of the Null object
        def selectsrc_prefer(
            self, kern: Kernel, dst: bytes, dport: int, a: In6Ifaddr, b: In6Ifaddr
        ) -> int:
            asked.append(dst)
            return int(a is home) - int(b is home)

    node.kern.mip6 = Hooks()
    assert chosen(node, "2001:db8:9::1") == (home.ia_addr, {0: 1, 4: 1})
    assert asked == [addr("2001:db8:9::1")]
    home.ia6_flags |= IN6_IFF_DEPRECATED
    assert chosen(node, "2001:db8:9::1") == (here.ia_addr, {0: 1, 3: 1}), "rule 3 comes first"


def test_rule_5_an_address_of_the_outgoing_interface() -> None:
    node = routed()
    only(node, node.rip1, "2001:db8:9::5")
    only(node, node.rip0, "2001:db8:1::6")
    node.kern.ifnets[0].in6_addrs.clear()
    node.kern.ifnets.reverse()  # the candidate of rip1 comes first
    assert chosen(node, "2001:db8:9:1::1") == (addr("2001:db8:1::6"), {0: 1, 5: 1})


def test_rule_6_the_same_label() -> None:
    node = routed()
    only(node, node.rip1)
    only(node, node.rip0, "2001:db8:1::6", "2002:c000:201::1")
    node.kern.ifnets[0].in6_addrs.clear()
    assert chosen(node, "2002:c633:6401::1") == (addr("2002:c000:201::1"), {0: 1, 6: 1})
    assert chosen(node, "2001:db8:9::1") == (addr("2001:db8:1::6"), {0: 1, 6: 1})


@pytest.mark.parametrize(("prefer", "best"), [(0, "2001:db8:1::6"), (1, "2001:db8:1::5")])
def test_rule_7_temporary_addresses_by_prefer_tempaddr(prefer: int, best: str) -> None:
    node = routed()
    only(node, node.rip1)
    temporary, _ = only(node, node.rip0, "2001:db8:1::5", "2001:db8:1::6")
    node.kern.ifnets[0].in6_addrs.clear()
    temporary.ia6_flags |= IN6_IFF_TEMPORARY
    node.kern.sysctl.write("net.inet6.ip6.prefer_tempaddr", prefer)
    assert chosen(node, "2001:db8:9::1") == (addr(best), {0: 1, 7: 1})


def _elsewhere() -> Node:
    """Both candidates on interfaces other than the outgoing one, lo0's turn out of the way."""
    node = routed()
    only(node, node.rip0, "2001:db8:9::5")
    only(node, node.rip1, "2001:db8:2::6")
    node.kern.ifnets[0].in6_addrs.clear()
    return node


def _from_lo0(node: Node) -> tuple[bytes, dict[int, int]]:
    node.kern.stats.ip6s_sources_rule.clear()
    src = in6_selectsrc(node.kern, addr("2001:db8:9::1"), node.kern.ifnets[0])
    return src, dict(node.kern.stats.ip6s_sources_rule)


def test_rule_8_an_interface_that_is_up() -> None:
    node = _elsewhere()
    node.rip0.if_flags &= ~IFF_UP
    assert _from_lo0(node) == (addr("2001:db8:2::6"), {0: 1, 8: 1})


def test_rule_9_a_preferred_interface() -> None:
    node = _elsewhere()
    node.rip1.ndi.flags |= ND6_IFF_PREFER_SOURCE
    assert _from_lo0(node) == (addr("2001:db8:2::6"), {0: 1, 9: 1})


def test_rule_14_the_longest_match() -> None:
    node = routed()
    only(node, node.rip1)
    only(node, node.rip0, "2001:db8:1::5", "2001:db8:9::6")
    node.kern.ifnets[0].in6_addrs.clear()
    assert chosen(node, "2001:db8:9:1::1") == (addr("2001:db8:9::6"), {0: 1, 14: 1})


def test_a_tie_keeps_the_first() -> None:
    node = routed()
    only(node, node.rip1)
    only(node, node.rip0, "2001:db8:1::5", "2001:db8:1::6")
    node.kern.ifnets[0].in6_addrs.clear()
    assert chosen(node, "2001:db8:9::1") == (addr("2001:db8:1::5"), {0: 1, 15: 1})


@pytest.mark.parametrize(
    "flag", [IN6_IFF_ANYCAST, IN6_IFF_TENTATIVE, IN6_IFF_DUPLICATED, IN6_IFF_DETACHED]
)
def test_addresses_not_in_use_are_no_candidates(flag: int) -> None:
    node = routed()
    only(node, node.rip1)
    unfit, _ = only(node, node.rip0, "2001:db8:9::5", "2001:db8:1::6")
    node.kern.ifnets[0].in6_addrs.clear()
    unfit.ia6_flags |= flag
    assert chosen(node, "2001:db8:9::1") == (addr("2001:db8:1::6"), {0: 1})


def test_without_use_deprecated_nothing_is_left() -> None:
    node = routed()
    only(node, node.rip1)
    (old,) = only(node, node.rip0, "2001:db8:9::5")
    old.ia6_flags |= IN6_IFF_DEPRECATED
    assert chosen(node, "2001:db8:9::1")[0] == old.ia_addr
    node.kern.sysctl.write("net.inet6.ip6.use_deprecated", 0)
    with pytest.raises(KError) as got:
        chosen(node, "2001:db8:9::1")
    assert got.value.errno == EADDRNOTAVAIL
    assert node.counters()["ip6.ip6s_sources_none"] == 1


def test_without_use_deprecated_the_others_stay() -> None:
    node = routed()
    only(node, node.rip1)
    old, new = only(node, node.rip0, "2001:db8:9::5", "2001:db8:1::6")
    node.kern.ifnets[0].in6_addrs.clear()
    old.ia6_flags |= IN6_IFF_DEPRECATED
    node.kern.sysctl.write("net.inet6.ip6.use_deprecated", 0)
    assert chosen(node, "2001:db8:9::1") == (new.ia_addr, {0: 1})


@pytest.mark.parametrize("dst", ["fe80::9", "ff02::9", "ff01::9"])
def test_link_scope_takes_an_address_of_its_link(dst: str) -> None:
    node = routed()
    to = in6_embedscope(addr(dst), node.rip1.if_index)
    src, _ = chosen(node, to)
    assert src == next(ia.ia_addr for ia in node.rip1.in6_addrs if ia.ia_addr[0] == 0xFE)


def test_link_scope_may_have_a_global_source_of_the_link_if_it_has_no_other() -> None:
    node = routed()
    only(node, node.rip1, "2001:db8:2::6")
    to = in6_embedscope(addr("fe80::9"), node.rip1.if_index)
    assert chosen(node, to)[0] == addr("2001:db8:2::6")


def test_loopback_is_answered_from_loopback_and_never_a_source_elsewhere() -> None:
    node = routed()
    assert chosen(node, LOOP)[0] == LOOP
    only(node, node.rip0)
    only(node, node.rip1)
    with pytest.raises(KError):
        chosen(node, "2001:db8:9::1")


def test_link_local_source_of_another_link_is_never_taken() -> None:
    node = routed()
    only(node, node.rip0)
    node.rip1.in6_addrs[:] = [ia for ia in node.rip1.in6_addrs if ia.ia_addr[0] == 0xFE]
    with pytest.raises(KError) as got:
        chosen(node, "2001:db8:9::1")
    assert got.value.errno == EADDRNOTAVAIL


def test_packet_information_comes_before_the_bound_address_and_that_before_the_rules() -> None:
    node = routed()
    opt = Ip6Pktopts(ip6po_pktinfo_addr=US2)
    assert in6_selectsrc(node.kern, STRANGER, None, opt, US1) == US2
    assert in6_selectsrc(node.kern, STRANGER, None, Ip6Pktopts(), US1) == US1
    assert dict(node.kern.stats.ip6s_sources_rule) == {}
    assert in6_selectsrc(node.kern, STRANGER, None, opt=None, laddr=bytes(16)) == US1


@pytest.mark.parametrize("flag", [IN6_IFF_ANYCAST, IN6_IFF_TENTATIVE, IN6_IFF_DUPLICATED])
def test_packet_information_must_name_an_address_in_use(flag: int) -> None:
    node = routed()
    opt = Ip6Pktopts(ip6po_pktinfo_addr=US2)
    node.kern.ip6.ifaddrs[US2].ia6_flags |= flag
    with pytest.raises(KError) as got:
        in6_selectsrc(node.kern, STRANGER, None, opt)
    assert got.value.errno == EADDRNOTAVAIL


def test_packet_information_must_name_an_address_that_is_still_ours() -> None:
    with pytest.raises(KError) as got:
        in6_selectsrc(routed().kern, STRANGER, None, Ip6Pktopts(ip6po_pktinfo_addr=PEER1))
    assert got.value.errno == EADDRNOTAVAIL


@pytest.mark.parametrize(
    ("text", "scope"),
    [
        ("fe80::1", 2),
        ("fec0::1", 5),
        ("::1", 1),
        ("2001:db8::1", 14),
        ("::192.0.2.1", 14),
        ("ff01::1", 1),
        ("ff08::1", 8),
        ("ff0e::1", 14),
    ],
)
def test_scopes_of_addresses(text: str, scope: int) -> None:
    assert in6_addrscope(addr(text)) == scope


@pytest.mark.parametrize(
    ("text", "label"),
    [("::1", 0), ("2001:db8::1", 1), ("2002:1::1", 2), ("::192.0.2.1", 3), ("::ffff:1.2.3.4", 4)],
)
def test_labels_are_those_of_the_default_table(text: str, label: int) -> None:
    assert policy_label(addr(text)) == label


# -- hop limit and interface ----------------------------------------------------------------------


def test_hop_limit_is_the_sockets_the_links_or_the_systems() -> None:
    node = Node()
    node.rip0.ndi.chlim = 33
    node.kern.ip6.ip6_defhlim = 77
    assert in6_selecthlim(node.kern, 0, node.rip0) == 0
    assert in6_selecthlim(node.kern, -1, node.rip0) == 33
    assert in6_selecthlim(node.kern, -1, None) == 77


def test_route_of_the_next_hop_instead_of_the_destination() -> None:
    node = Node()
    ifp, rt = in6_selectroute(node.kern, PEER1, Ip6Pktopts(ip6po_nexthop=US2[:15] + b"\7"), None)
    assert ifp is node.rip1
    assert rt is not None


def test_no_route_is_an_error_unless_the_program_names_the_interface() -> None:
    node = Node()
    with pytest.raises(KError) as got:
        in6_selectroute(node.kern, STRANGER, None, None)
    assert got.value.errno == EHOSTUNREACH
    opt = Ip6Pktopts(ip6po_pktinfo_ifp=node.rip1)
    assert in6_selectroute(node.kern, STRANGER, opt, None) == (node.rip1, None)


def test_multicast_interface_is_the_packets_the_sockets_the_zones_the_routes() -> None:
    node = Node()
    group = addr("ff0e::1")
    rtrequest(node.kern, RTM_ADD, group, 16, PEER1, RTF_GATEWAY)
    im6o = Ip6Moptions(im6o_multicast_ifp=node.rip1)
    opt = Ip6Pktopts(ip6po_pktinfo_ifp=node.rip0)
    zoned = in6_embedscope(addr("ff02::1"), node.rip1.if_index)
    assert in6_selectroute(node.kern, group, opt, im6o) == (node.rip0, None)
    assert in6_selectroute(node.kern, group, None, im6o) == (node.rip1, None)
    assert in6_selectroute(node.kern, zoned, None, None) == (node.rip1, None)
    assert in6_selectroute(node.kern, group, None, Ip6Moptions())[0] is node.rip0
