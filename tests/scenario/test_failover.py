# SPDX-License-Identifier: BSD-3-Clause
"""Default routers that come and go: which one a host uses (RFC 2461 s.6.3.6)."""

from __future__ import annotations

import pytest

from kame_py.kern.clock import NS
from kame_py.lab.node import Node
from kame_py.lab.world import World
from tests.scenario.tester import (
    AUTO,
    FAR,
    ROUTER,
    ROUTER2,
    ROUTER2_MAC,
    ROUTER_MAC,
    Stage,
)
from tests.scenario.words import echo, is_, pi, ra, sll

ND = "Self_Test/nd.p2:"
CT = "ct/nd:"
PREFIX = "2001:db8:1::"


def advert(router: str = ROUTER, lifetime: int = 1800) -> tuple[bytes, bytes]:
    mac = ROUTER_MAC if router == ROUTER else ROUTER2_MAC
    return ra(router, sll(mac), pi(PREFIX), lifetime=lifetime), mac


@pytest.fixture
def stage() -> Stage:
    """A host with two routers; both answer its solicitations."""
    stage = Stage()
    stage.tn.neighbours |= {ROUTER: ROUTER_MAC, ROUTER2: ROUTER2_MAC}
    stage.send(*advert(ROUTER))
    stage.send(*advert(ROUTER2))
    stage.wait(2)
    stage.forget()
    return stage


def used(stage: Stage) -> bytes | None:
    """The router that gets an answer to FAR."""
    stage.take()
    stage.send(echo(FAR, AUTO), ROUTER_MAC)
    sent = stage.find(is_("echoreply", dst=FAR))
    return sent[0].dmac if sent else None


@pytest.mark.tahi(ND + "V6LC_2_2_10", CT + "hostRecvRaURD")
def test_when_the_router_stops_answering_the_other_one_is_used_after_eight_seconds(
    stage: Stage,
) -> None:
    assert used(stage) == ROUTER_MAC
    del stage.tn.neighbours[ROUTER]
    start = stage.now
    stage.until(start + 8 * NS - 1)  # 5 s delay, 3 probes
    assert used(stage) == ROUTER_MAC
    stage.until(start + 8 * NS)
    assert used(stage) == ROUTER2_MAC
    assert stage.routers() == [ROUTER, ROUTER2]  # the list is not the cache
    stage.conserved()


def test_the_first_router_stays_while_it_answers(stage: Stage) -> None:
    for _ in range(20):
        assert used(stage) == ROUTER_MAC
        stage.wait(30)


def test_the_router_with_the_lifetime_left_takes_over_at_the_second(stage: Stage) -> None:
    stage.send(*advert(ROUTER, lifetime=5))
    start = stage.now
    stage.until(start + 5 * NS - 1)
    assert used(stage) == ROUTER_MAC
    stage.until(start + 5 * NS)
    assert used(stage) == ROUTER2_MAC


def test_a_router_that_resigns_hands_over_at_once(stage: Stage) -> None:
    stage.send(*advert(ROUTER, lifetime=0))
    assert used(stage) == ROUTER2_MAC
    stage.send(*advert(ROUTER2, lifetime=0))
    assert used(stage) is None


def test_the_same_prefix_of_two_routers_stays_when_one_dies(stage: Stage) -> None:
    del stage.tn.neighbours[ROUTER]
    used(stage)
    stage.wait(8)
    assert used(stage) == ROUTER2_MAC
    assert stage.addresses() == [AUTO]


def router(world: World, number: int) -> Node:
    node = world.add_node(f"r{number}")
    node.attach("fxp0", world.links["lan"])
    node.attach("fxp1", world.links["core"])
    node.run(
        "sysctl -w net.inet6.ip6.forwarding=1\n"
        f"ifconfig fxp0 inet6 {PREFIX}{number} prefixlen 64 alias\n"
        f"ifconfig fxp1 inet6 2001:db8:c::{number} prefixlen 64 alias"
    )
    return node


def test_a_ping_through_two_real_routers_survives_the_death_of_the_first() -> None:
    world = World(seed=11)
    for name in ("lan", "core"):
        world.add_link(name, delay_ns=1_000_000)
    routers = [router(world, 1), router(world, 2)]
    server = world.add_node("server")
    server.attach("fxp0", world.links["core"])
    server.run("ifconfig fxp0 inet6 2001:db8:c::9 prefixlen 64 alias")
    server.run("route add -inet6 2001:db8:1:: -prefixlen 64 2001:db8:c::2")
    host = world.add_node("host")
    host.attach("fxp0", world.links["lan"])
    host.run("sysctl -w net.inet6.ip6.accept_rtadv=1")
    world.run_for(3)
    for node in routers:
        node.start("rtadvd fxp0")
        world.run_for(20)
    assert " 0% packet loss" in host.run("ping6 -c 3 2001:db8:c::9").out
    routers[0].unplug("fxp0")
    job = host.start("ping6 -c 20 2001:db8:c::9")
    world.run_for(30)
    lost = 20 - job.result().out.count("bytes from")
    assert 5 <= lost <= 10  # delay 5 s, probes 3 s, and what was under way
    assert " 0% packet loss" in host.run("ping6 -c 3 2001:db8:c::9").out
