# SPDX-License-Identifier: BSD-3-Clause
"""Anycast addresses and proxy neighbour discovery (RFC 4861 s.7.2.7, s.7.2.8)."""

from __future__ import annotations

import pytest

from tests.scenario.tester import (
    ALLNODES,
    GLOBAL,
    MAC,
    PEER_G,
    PEER_MAC,
    Stage,
)
from tests.scenario.words import echo, group_of, is_, ns, sll

ANYCAST = "2001:db8:1::"  # the subnet-router anycast address
PROXIED = "2001:db8:1::99"  # a node that is elsewhere
PROXY_MAC = "00:90:27:aa:bb:cc"


@pytest.fixture
def stage() -> Stage:
    """A router on the link that has the anycast address of its subnet."""
    stage = Stage(router=True, links=2, globals_=True)
    stage.run(f"ifconfig fxp0 inet6 {ANYCAST} prefixlen 64 anycast alias")
    stage.tn.neighbours[PEER_G] = PEER_MAC
    stage.forget()
    return stage


def asked(stage: Stage, target: str, dst: str = "") -> dict[str, object]:
    """What is answered to a neighbour that asks for an address."""
    stage.take()
    stage.send(ns(target, PEER_G, sll(PEER_MAC), dst=dst))
    (answer,) = stage.find(is_("na", dst=PEER_G, target=target))
    return answer.facts()


@pytest.mark.tahi("Self_Test/nd.p2:V6LC_2_1_14")
def test_anycast_address_is_advertised_without_override(stage: Stage) -> None:
    facts = asked(stage, ANYCAST)
    assert (facts["flags"], facts["tll"], facts["dmac"]) == ("RS", MAC, PEER_MAC)
    assert facts["src"] != ANYCAST
    assert asked(stage, GLOBAL)["flags"] == "RSO"


def test_anycast_address_is_not_tested_for_duplicates(stage: Stage) -> None:
    fresh = Stage(router=True, globals_=True)
    fresh.run(f"ifconfig fxp0 inet6 {ANYCAST} prefixlen 64 anycast alias")
    fresh.wait(3)
    assert not fresh.find(is_("ns", src="::", target=ANYCAST))
    assert asked(fresh, ANYCAST)


def test_two_nodes_may_have_the_same_anycast_address(stage: Stage) -> None:
    other = stage.world.add_node("other")
    other.attach("fxp0", stage.lan)
    other.run(f"ifconfig fxp0 inet6 {ANYCAST} prefixlen 64 anycast alias")
    stage.wait(5)
    stage.take()
    stage.send(ns(ANYCAST, PEER_G, sll(PEER_MAC)))
    flags = [h.facts()["flags"] for h in stage.find(is_("na", target=ANYCAST))]
    assert sorted(str(f) for f in flags) == ["RS", "S"]  # the first answer is kept: no override


def test_a_ping_to_anycast_is_answered_from_a_unicast_address(stage: Stage) -> None:
    stage.send(echo(PEER_G, ANYCAST))
    assert stage.find(is_("echoreply", src=GLOBAL, dst=PEER_G))


# -- proxy ----------------------------------------------------------------------------------------


@pytest.fixture
def proxy(stage: Stage) -> Stage:
    """The router answers for a node that is elsewhere."""
    stage.run(f"ndp -s {PROXIED} {PROXY_MAC} proxy")
    stage.forget()
    return stage


def test_proxied_address_is_advertised_without_override_and_with_its_mac(proxy: Stage) -> None:
    facts = asked(proxy, PROXIED)
    assert facts["flags"] == "RS"
    assert facts["tll"] == bytes.fromhex(PROXY_MAC.replace(":", ""))


def test_unicast_question_to_a_proxied_address_is_not_ours_to_answer(proxy: Stage) -> None:
    proxy.send(ns(PROXIED, PEER_G, sll(PEER_MAC), dst=PROXIED))
    assert not proxy.find(is_("na", target=PROXIED))


def test_duplicate_detection_of_a_proxied_address_is_answered_to_all(proxy: Stage) -> None:
    proxy.send(ns(PROXIED, "::"))
    proxy.only(is_("na", dst=ALLNODES, target=PROXIED, flags="R"))


def test_the_proxy_joins_the_group_and_leaves_it(proxy: Stage) -> None:
    group = proxy.kernel_form(group_of(PROXIED))
    assert group in proxy.ifp.in6_multi
    proxy.run(f"ndp -d {PROXIED}")
    assert group not in proxy.ifp.in6_multi
    proxy.take()
    proxy.send(ns(PROXIED, PEER_G, sll(PEER_MAC)))
    assert not proxy.find(is_("na", target=PROXIED))
