# SPDX-License-Identifier: BSD-3-Clause
"""Memberships of an interface: a solicited-node group at rest is an octet, and nobody notices."""

from __future__ import annotations

import pytest

from kame_py.boot import boot, ether_attach
from kame_py.kern.clock import NS, VirtualClock
from kame_py.kern.conf import KernConf
from kame_py.kern.kernel import Kernel
from kame_py.net.if_ import Ifnet
from kame_py.net.if_sysctl import multicast
from kame_py.netinet6.in6 import in6_addmulti, in6_delmulti, in6_solicited
from kame_py.netinet6.in6_ifattach import if_up, in6_ifdetach
from kame_py.netinet6.in6_multi import In6Multis, in6_multis
from kame_py.netinet6.mld6 import MLD_IREPORTEDLAST, MLD_OTHERLISTENER, mld6_event
from kame_py.netinet6.mld6_state import MldEv
from kame_py.netinet6.scope6 import in6_clearscope, in6_embedscope
from kame_py.wire.errno import KError
from kame_py.wire.in6addr import ether_multicast, pton

MAC = bytes.fromhex("00a024000909")
SETTLED_S = 20  # MLD reports twice within 10 s


def addr(text: str) -> bytes:
    found = pton(text)
    assert found is not None
    return found


class Node:
    def __init__(self) -> None:
        self.clock = VirtualClock()
        self.kern: Kernel = boot("n", KernConf(), self.clock)
        self.ifp: Ifnet = ether_attach(self.kern, "fxp0", MAC)
        if_up(self.kern, self.ifp)
        self.wait(SETTLED_S)

    def wait(self, seconds: int) -> None:
        end = self.clock.t + seconds * NS
        while (deadline := self.kern.next_deadline()) is not None and deadline <= end:
            self.clock.t = max(self.clock.t, deadline)
            self.kern.advance(self.clock.t)
        self.clock.t = end
        self.kern.txq.clear()

    def group(self, number: int) -> bytes:
        return in6_solicited(self.ifp, addr(f"2001:db8::{number >> 16:x}:{number & 0xFFFF:x}"))

    @property
    def groups(self) -> In6Multis:
        return in6_multis(self.ifp)

    def awake(self, group: bytes) -> bool:
        return dict.__contains__(self.groups, group)


@pytest.fixture
def node() -> Node:
    return Node()


def test_a_group_rests_when_its_reports_are_out_and_not_before(node: Node) -> None:
    group = node.group(0x123456)
    in6_addmulti(node.kern, node.ifp, group)
    assert node.awake(group)
    node.wait(SETTLED_S)
    assert not node.awake(group)
    assert group in node.groups and group in list(node.groups)
    assert ether_multicast(group) in node.ifp.macs


def test_who_asks_gets_what_went_to_rest(node: Node) -> None:
    group = node.group(7)
    in6_addmulti(node.kern, node.ifp, group)
    in6_addmulti(node.kern, node.ifp, group)
    node.wait(SETTLED_S)
    assert not node.awake(group)
    inm = node.groups[group]
    assert (inm.in6m_addr, inm.in6m_ifp) == (group, node.ifp)
    assert (inm.in6m_refcount, inm.in6m_state) == (2, MLD_IREPORTEDLAST)
    assert node.awake(group) and node.groups.get(group) is inm


def test_another_listener_s_report_is_remembered(node: Node) -> None:
    group = node.group(7)
    in6_addmulti(node.kern, node.ifp, group)
    inm = node.groups[group]
    mld6_event(node.kern, inm, MldEv.REPORT)
    node.groups.rest(inm)
    assert not node.awake(group)
    assert node.groups[group].in6m_state == MLD_OTHERLISTENER


def test_a_group_is_left_as_often_as_it_was_joined(node: Node) -> None:
    group = node.group(7)
    for _ in range(3):
        in6_addmulti(node.kern, node.ifp, group)
        node.wait(SETTLED_S)
    for left in (2, 1):
        in6_delmulti(node.kern, node.ifp, group)
        assert group in node.groups and not node.awake(group), left
    in6_delmulti(node.kern, node.ifp, group)
    assert group not in node.groups and ether_multicast(group) not in node.ifp.macs
    with pytest.raises(KError):
        in6_delmulti(node.kern, node.ifp, group)


def test_the_listing_shows_groups_at_rest_and_leaves_them_there(node: Node) -> None:
    before = len(multicast(node.kern))
    for number in (1, 2, 0x10001):
        in6_addmulti(node.kern, node.ifp, node.group(number))
    node.wait(SETTLED_S)
    shown = [(snap.addr, snap.refcount) for snap in multicast(node.kern)]
    assert len(shown) == before + 3
    assert all((in6_clearscope(node.group(n)), 1) in shown for n in (1, 2, 0x10001))
    assert len(node.groups) == len(list(node.groups)) == len(node.groups.items())
    assert not any(node.awake(node.group(n)) for n in (1, 2, 0x10001))


def test_other_groups_and_counts_that_do_not_fit_stay_entries(node: Node) -> None:
    other = in6_embedscope(addr("ff02::99"), node.ifp.if_index)
    in6_addmulti(node.kern, node.ifp, other)
    group = node.group(7)
    for _ in range(128):
        in6_addmulti(node.kern, node.ifp, group)
    node.wait(SETTLED_S)
    assert node.awake(other) and node.awake(group)
    assert node.groups[group].in6m_refcount == 128


def test_a_joined_group_is_not_made_twice(node: Node) -> None:
    group = node.group(7)
    in6_addmulti(node.kern, node.ifp, group)
    node.wait(SETTLED_S)
    in6_addmulti(node.kern, node.ifp, group)
    assert node.ifp.macs[ether_multicast(group)] == 1
    assert not node.awake(group) and node.groups[group].in6m_refcount == 2


def test_an_interface_that_goes_leaves_all(node: Node) -> None:
    for number in range(5):
        in6_addmulti(node.kern, node.ifp, node.group(number))
    node.wait(SETTLED_S)
    in6_ifdetach(node.kern, node.ifp)
    assert (node.ifp.in6_multi, dict(node.ifp.macs), len(node.groups)) == ({}, {}, 0)
