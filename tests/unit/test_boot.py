# SPDX-License-Identifier: BSD-3-Clause
"""boot: what a fresh kernel has."""

from __future__ import annotations

from kame_py.boot import boot
from kame_py.kern.clock import VirtualClock
from kame_py.kern.conf import KernConf
from kame_py.kern.kernel import Kernel
from kame_py.kern.mbuf import Fate, m_get
from kame_py.netinet6.ip6_output import ip6_output
from kame_py.wire.const import IP6OPT_HOME_ADDRESS, IPPROTO_ICMPV6
from kame_py.wire.in6addr import LOOPBACK
from tests.unit.netinet6.ip6_node import echo, ip6


def fresh(*options: str, gif: int = 0, seed: int = 0, name: str = "n") -> Kernel:
    return boot(name, KernConf(frozenset(options), gif=gif), VirtualClock(), seed)


def test_the_loopback_is_up_with_its_address() -> None:
    kern = fresh()
    lo0 = kern.ifnets[0]
    assert (lo0.if_name, lo0.if_index, lo0.up) == ("lo0", 1, True)
    assert kern.ip6.ifaddrs[LOOPBACK].ia_ifp is lo0


def test_a_node_can_ping_itself_through_the_loopback() -> None:
    kern = fresh()
    m = m_get(kern, ip6(echo(LOOPBACK, LOOPBACK), IPPROTO_ICMPV6, LOOPBACK, LOOPBACK))
    m.src = m.dst = LOOPBACK
    assert ip6_output(kern, m) == 0
    kern.run_softintr()
    assert m.fate is Fate.CONSUMED
    assert kern.stats.ip6["ip6s_total"] == 2  # request and reply
    assert kern.txq == []
    assert sum(kern.fates.values()) == kern.created


def test_the_configuration_makes_tunnels() -> None:
    assert [i.if_name for i in fresh(gif=3).ifnets] == ["lo0", "gif0", "gif1", "gif2"]


def test_mobility_options_exist_only_in_a_mobile_kernel() -> None:
    plain, mobile = fresh(), fresh("MIP6")
    assert IP6OPT_HOME_ADDRESS not in plain.destopts
    assert IP6OPT_HOME_ADDRESS in mobile.destopts
    assert plain.sysctl.read("net.inet6.ip6.rthdr0") == 0
    assert mobile.sysctl.read("net.inet6.ip6.rthdr0") == 1


def test_equal_names_and_seeds_give_equal_kernels() -> None:
    assert fresh(seed=5).ip6.ip6_id == fresh(seed=5).ip6.ip6_id
    assert fresh(seed=5).ip6.ip6_id != fresh(seed=6).ip6.ip6_id
    assert fresh(seed=5).ip6.ip6_id != fresh(seed=5, name="other").ip6.ip6_id


def test_two_kernels_share_nothing() -> None:
    one, two = fresh("MIP6"), fresh("MIP6")
    one.ip6.ip6_forwarding = 1
    one.sysctl.write("net.inet6.ip6.rthdr0", 0)
    assert two.ip6.ip6_forwarding == 0
    assert two.rthdrs
