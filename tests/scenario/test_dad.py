# SPDX-License-Identifier: BSD-3-Clause
"""Duplicate address detection (RFC 2462 s.5.4), seen from the link."""

from __future__ import annotations

import pytest

from kame_py.kern.clock import NS
from kame_py.lab.node import Node
from kame_py.lab.world import World
from kame_py.netinet6.in6_var import IN6_IFF_DUPLICATED, IN6_IFF_TENTATIVE
from kame_py.wire.in6addr import ether_multicast, ntop
from tests.scenario.tester import ALLNODES, GLOBAL, LL, MAC, PEER, PEER_MAC, Stage
from tests.scenario.words import addr, echo, group_of, is_, na, ns, sll, spoil, tll

ADDR = "Self_Test/addr.p2:"
CT = "ct/stateless-addrconf:"
OTHER = "fe80::290:27ff:fe66:77"  # shares our solicited-node group
ELSE = "fe80::1:2:3:4"  # does not


def tahi(name: str, *also: str, ct: str = "") -> pytest.MarkDecorator:
    """The addr.p2 test of this name, the one of ct under the same or another name, and more."""
    ids = [ADDR + name] if name else []
    if ct:
        ids.append(CT + ct)
    return pytest.mark.tahi(*ids, *(ADDR + a for a in also))


def booted() -> Stage:
    """An interface came up just now; its first solicitation is still to come."""
    stage = Stage(fresh=True)
    assert flags(stage) & IN6_IFF_TENTATIVE
    return stage


def waiting() -> Stage:
    """An interface that went down and up again: its first solicitation is delayed at random."""
    stage = booted()
    stage.run("ifconfig fxp0 down\nifconfig fxp0 up")
    stage.forget()
    assert flags(stage) & IN6_IFF_TENTATIVE
    return stage


def solicited(stage: Stage) -> int:
    """Wait for the first solicitation of duplicate detection; when it was sent."""
    want = is_("ns", src="::", target=LL)
    stage.world.run_ns(2 * NS, lambda: any(not want.misses(h) for h in stage.tn.frames))
    (heard,) = stage.find(want)
    stage.forget()
    return heard.t_ns


def flags(stage: Stage) -> int:
    ia = stage.ia(LL)
    assert ia is not None
    return ia.ia6_flags & (IN6_IFF_TENTATIVE | IN6_IFF_DUPLICATED)


def usable(stage: Stage) -> bool:
    """Whether the node answers a neighbour that asks for the address."""
    stage.take()
    stage.send(ns(LL, PEER, sll(PEER_MAC)))
    return bool(stage.find(is_("na", target=LL, dst=PEER)))


@tahi("LLA_DADSuccess", ct="LLA_DADSuccess")
@pytest.mark.tahi(CT + "DADSendNS_DADPostSendNS", CT + "DADSuccess_DADPostSendNS")
def test_address_is_usable_one_second_after_its_solicitation_and_not_before() -> None:
    stage = booted()
    want = is_("ns", src="::", target=LL)
    stage.world.run_ns(2 * NS, lambda: any(not want.misses(h) for h in stage.tn.frames))
    asked = stage.only(
        is_(
            "ns",
            src="::",
            dst=group_of(LL),
            target=LL,
            sll=None,
            hlim=255,
            dmac=ether_multicast(addr(group_of(LL))),
        )
    )
    stage.until(asked.t_ns + NS - 1)
    assert flags(stage) == IN6_IFF_TENTATIVE
    assert not usable(stage)
    stage.until(asked.t_ns + NS)
    assert flags(stage) == 0
    assert usable(stage)


def test_after_an_interface_came_back_hosts_do_not_speak_at_once() -> None:
    delays = set()
    for seed in range(5):
        stage = Stage(fresh=True, seed=seed)
        stage.run("ifconfig fxp0 down\nifconfig fxp0 up")
        stage.forget()
        delays.add(solicited(stage))
    assert len(delays) == 5
    assert all(0 <= d < NS for d in delays)


@pytest.mark.parametrize("count", [0, 1, 3])
def test_dad_count_solicitations_go_out_a_second_apart(count: int) -> None:
    stage = Stage(ip6_dad_count=count)
    start = stage.now
    stage.run(f"ifconfig fxp0 inet6 {GLOBAL} prefixlen 64 alias")
    stage.until(start + max(count, 1) * NS - 1)
    asked = stage.find(is_("ns", src="::", target=GLOBAL))
    assert [h.t_ns - start for h in asked] == [i * NS for i in range(count)]
    ia = stage.ia(GLOBAL)
    assert ia is not None
    assert bool(ia.ia6_flags & IN6_IFF_TENTATIVE) == (count > 0)
    stage.until(start + max(count, 1) * NS)
    assert not ia.ia6_flags & IN6_IFF_TENTATIVE


# -- while it is under way ------------------------------------------------------------------------


def dad_na(*options: bytes, target: str = LL, f: str = "O", **more: int) -> bytes:
    return na(target, f, PEER, ALLNODES, *options, **more)


def dad_ns(*options: bytes, target: str = LL, dst: str = "", **more: int) -> bytes:
    return ns(target, "::", *options, dst=dst, **more)


CLASH = [
    pytest.param(
        dad_na(tll(PEER_MAC)),
        marks=tahi("LLA_DAD_NAPostDAD_SameTgt", "v6LC_3_1_2_D_p1", ct="LLA_DAD_NAPostDAD_SameTgt"),
        id="na",
    ),
    pytest.param(
        dad_na(),
        marks=tahi("LLA_DAD_NAPostDAD_woTLL", ct="LLA_DAD_NAPostDAD_woTLL"),
        id="na-without-tll",
    ),
    pytest.param(
        dad_na(sll(PEER_MAC)),
        marks=tahi("LLA_DAD_NAPostDAD_wSLL", "v6LC_3_1_4_I_p1", ct="LLA_DAD_NAPostDAD_wSLL"),
        id="na-with-sll",
    ),
    pytest.param(
        dad_na(tll(PEER_MAC), reserved=0x1FFFFFFF),
        marks=tahi("LLA_DAD_NAPostDAD_Reserved", "v6LC_3_1_4_H_p1"),
        id="na-reserved",
    ),
    pytest.param(
        dad_ns(),
        marks=tahi(
            "LLA_DAD_NSPostDAD_SameDstSameTgt", "v6LC_3_1_2_B_p1", ct="LLA_DAD_NSPostDAD_SameTgt"
        ),
        id="ns",
    ),
    pytest.param(
        dad_ns(reserved=0xFFFFFFFF),
        marks=tahi("LLA_DAD_NSPostDAD_Reserved", "v6LC_3_1_3_I_p1"),
        id="ns-reserved",
    ),
    pytest.param(
        dad_ns(tll(PEER_MAC)),
        marks=tahi("LLA_DAD_NSPostDAD_wTLL", "v6LC_3_1_3_J_p1"),
        id="ns-with-tll",
    ),
]


@pytest.mark.parametrize("packet", CLASH)
@pytest.mark.tahi(CT + "DADFail_DADPostSendNS")
def test_another_claim_after_our_solicitation_makes_the_address_duplicate(packet: bytes) -> None:
    stage = booted()
    asked = solicited(stage)
    stage.until(asked + NS - 1)
    stage.send(packet)
    stage.until(asked + NS)
    assert flags(stage) == IN6_IFF_DUPLICATED
    assert not usable(stage)
    stage.forget()
    stage.send(echo(PEER, LL))
    assert not stage.find(is_("echoreply"))
    stage.conserved()


def test_a_clash_is_decided_at_the_next_timer_without_further_solicitations() -> None:
    stage = Stage(fresh=True, ip6_dad_count=3)
    asked = solicited(stage)
    stage.send(dad_ns())
    stage.until(asked + NS - 1)
    assert flags(stage) == IN6_IFF_TENTATIVE
    stage.wait(5)
    assert flags(stage) == IN6_IFF_DUPLICATED
    assert not stage.find(is_("ns", src="::", target=LL))


HARMLESS = [
    pytest.param(
        dad_na(tll(PEER_MAC), target=ELSE),
        marks=tahi("LLA_DAD_NAPostDAD_DiffTgt", ct="LLA_DAD_NAPostDAD_DiffTgt"),
        id="na-other-target",
    ),
    pytest.param(
        dad_na(tll(PEER_MAC), f="SO"),
        marks=tahi("LLA_DAD_NAPostDAD_SF1", ct="LLA_DAD_NAPostDAD_SF1"),
        id="na-solicited",
    ),
    *(
        pytest.param(spoil(dad_na(tll(PEER_MAC)), fault), marks=mark, id=f"na-{fault}")
        for fault, mark in (
            ("hlim", tahi("LLA_DAD_NAPostDAD_HL254", ct="LLA_DAD_NAPostDAD_HL254")),
            ("code", tahi("LLA_DAD_NAPostDAD_CODEnon0")),
            ("cksum", tahi("LLA_DAD_NAPostDAD_invalidCHKSUM")),
            ("short", tahi("LLA_DAD_NAPostDAD_invalidLEN")),
            ("option0", tahi("LLA_DAD_NAPostDAD_invalidOptLen")),
            ("mcast-target", tahi("LLA_DAD_NAPostDAD_tgtMCAST")),
        )
    ),
    *(
        pytest.param(spoil(dad_ns(), fault), marks=mark, id=f"ns-{fault}")
        for fault, mark in (
            ("hlim", tahi("LLA_DAD_NSPostDAD_HL254", ct="LLA_DAD_NSPostDAD_HL254")),
            ("code", tahi("LLA_DAD_NSPostDAD_CODEnon0")),
            ("cksum", tahi("LLA_DAD_NSPostDAD_invalidCHKSUM")),
            ("short", tahi("LLA_DAD_NSPostDAD_invalidLEN")),
            ("mcast-target", tahi("LLA_DAD_NSPostDAD_tgtMCAST")),
        )
    ),
    pytest.param(
        dad_ns(target=ELSE),
        marks=tahi("LLA_DAD_NSPostDAD_DiffDstDiffTgt", ct="LLA_DAD_NSPostDAD_DiffTgt"),
        id="ns-other-group",
    ),
    pytest.param(
        dad_ns(target=OTHER), marks=tahi("LLA_DAD_NSPostDAD_SameDstDiffTgt"), id="ns-same-group"
    ),
    pytest.param(
        dad_ns(sll(PEER_MAC)),
        marks=tahi("LLA_DAD_NSPostDAD_wSLL", ct="LLA_DAD_NSPostDAD_wSLL"),
        id="ns-with-sll",
    ),
    pytest.param(
        dad_ns(dst=ALLNODES),
        marks=tahi("LLA_DAD_NSPostDAD_DstAll", ct="LLA_DAD_NSPostDAD_DstAll"),
        id="ns-to-all",
    ),
    pytest.param(
        dad_ns(dst=LL),
        marks=tahi("LLA_DAD_NSPostDAD_DstTent", ct="LLA_DAD_NSPostDAD_DstTent"),
        id="ns-to-tentative",
    ),
    pytest.param(
        ns(LL, PEER, sll(PEER_MAC)),
        marks=tahi("LLA_DAD_NSPostDAD_SrcUni", ct="LLA_DAD_NSPostDAD_SrcUni"),
        id="resolution",
    ),
    pytest.param(
        ns(LL, PEER, sll(PEER_MAC), dst=LL),
        marks=tahi("LLA_DAD_NSPostDAD_SrcDstUni", ct="LLA_DAD_NSPostDAD_SrcDstUni"),
        id="unicast-resolution",
    ),
]


@pytest.mark.parametrize("packet", HARMLESS)
def test_what_is_no_claim_does_not_disturb_detection(packet: bytes) -> None:
    stage = booted()
    asked = solicited(stage)
    stage.send(packet)
    stage.nothing()  # a tentative address answers nobody
    stage.until(asked + NS - 1)
    assert flags(stage) == IN6_IFF_TENTATIVE
    stage.until(asked + NS)
    assert flags(stage) == 0
    assert usable(stage)


# -- before our own solicitation ------------------------------------------------------------------


@pytest.mark.parametrize(
    "packet",
    [
        pytest.param(
            dad_ns(),
            marks=pytest.mark.tahi(CT + "LLA_DAD_NSPreDAD_SameTgt", CT + "DADFail_DADPreSendNS"),
            id="ns",
        ),
        pytest.param(
            dad_na(tll(PEER_MAC)),
            marks=pytest.mark.tahi(CT + "LLA_DAD_NAPreDAD_SameTgt"),
            id="na",
        ),
    ],
)
def test_a_claim_before_our_solicitation_wins_at_once(packet: bytes) -> None:
    stage = waiting()
    stage.send(packet)
    assert flags(stage) == IN6_IFF_DUPLICATED
    stage.wait(5)
    assert not stage.find(is_("ns", src="::", target=LL))  # we never asked


@pytest.mark.parametrize(
    "packet",
    [
        pytest.param(
            dad_ns(target=OTHER),
            marks=pytest.mark.tahi(CT + "LLA_DAD_NSPreDAD_DiffTgt"),
            id="ns-other-target",
        ),
        pytest.param(
            dad_na(tll(PEER_MAC), target=OTHER),
            marks=pytest.mark.tahi(CT + "LLA_DAD_NAPreDAD_DiffTgt"),
            id="na-other-target",
        ),
        pytest.param(
            ns(LL, PEER, sll(PEER_MAC)),
            marks=pytest.mark.tahi(CT + "LLA_DAD_NSPreDAD_SrcUni"),
            id="resolution",
        ),
    ],
)
def test_other_traffic_before_our_solicitation_does_not_matter(packet: bytes) -> None:
    stage = waiting()
    stage.send(packet)
    asked = solicited(stage)
    stage.until(asked + NS)
    assert flags(stage) == 0


# -- stories of several kernels -------------------------------------------------------------------


def pair(world: World) -> tuple[Node, Node]:
    lan = world.add_link("lan", delay_ns=1_000_000)
    nodes = []
    for name in ("a", "b"):
        node = world.add_node(name)
        node.attach("fxp0", lan)
        nodes.append(node)
    world.run_for(5)
    return nodes[0], nodes[1]


def flags_of(node: Node, who: str) -> int:
    (ifp,) = [port.ifp for port in node.ports.values()]
    (ia,) = [ia for ia in ifp.in6_addrs if ntop(ia.ia_addr) == who]
    return ia.ia6_flags & (IN6_IFF_TENTATIVE | IN6_IFF_DUPLICATED)


ALIAS = f"ifconfig fxp0 inet6 {GLOBAL} prefixlen 64 alias"


def test_the_owner_defends_its_address_and_the_newcomer_loses() -> None:
    world = World(seed=5)
    a, b = pair(world)
    a.run(ALIAS)
    world.run_for(2)
    b.run(ALIAS)
    world.run_for(2)
    assert flags_of(a, GLOBAL) == 0
    assert flags_of(b, GLOBAL) == IN6_IFF_DUPLICATED
    lines = [line.text for line in b.kernel.log.lines if "DAD" in line.text]
    assert lines == [
        f"fxp0: DAD detected duplicate IPv6 address {GLOBAL}: 0 NS, 1 NA",
        f"fxp0: DAD complete for {GLOBAL} - duplicate found",
    ]


def test_two_that_test_the_same_address_at_once_both_lose() -> None:
    world = World(seed=6)
    a, b = pair(world)
    a.start(ALIAS)
    b.start(ALIAS)
    world.run_for(2)
    assert flags_of(a, GLOBAL) == flags_of(b, GLOBAL) == IN6_IFF_DUPLICATED


def test_two_cards_with_the_same_mac_notice() -> None:
    world = World(seed=7)
    lan = world.add_link("lan", delay_ns=1_000_000)
    a, b = world.add_node("a"), world.add_node("b")
    a.attach("fxp0", lan, MAC)
    world.run_for(5)
    b.attach("fxp0", lan, MAC)
    world.run_for(5)
    assert a.kernel.ifnets[1].in6_addrs[0].ia6_flags & IN6_IFF_DUPLICATED == 0
    assert b.kernel.ifnets[1].in6_addrs[0].ia6_flags & IN6_IFF_DUPLICATED
