# SPDX-License-Identifier: BSD-3-Clause
"""Routers whose kernel speaks draft-13 (s.6.2, s.6.5): what rtadvd advertises."""

from __future__ import annotations

from typing import Final

import pytest

from kame_py.lab.node import CommandResult
from kame_py.lab.world import World
from kame_py.wire.codecs import NdRouterAdvert
from kame_py.wire.const import ND_OPT_PI_FLAG_ROUTER, ND_RA_FLAG_HOME_AGENT, ND_ROUTER_ADVERT
from kame_py.wire.in6addr import ntop
from kame_py.wire.malformed import Malformed
from kame_py.wire.nd6opt import parse_nd_options
from tests.scenario.mip6words import DRAFTS
from tests.scenario.test_router_daemons import CONF, Wire

ADDRESS: Final = "2001:db8:1::1"
PREFIX: Final = "2001:db8:1::"


def told(world: World, wire: Wire, later: str = "") -> tuple[int, list[tuple[str, bool]]]:
    """(flags, (prefix, R)...) of what a solicitation is answered with."""
    host = world.add_node("host")
    host.attach("fxp0", world.links["lan"])
    host.kernel.ip6.ip6_accept_rtadv = 1
    world.run_for(2)
    if later:
        world.nodes["r"].run(later)
    start = world.now() / 10**9
    host.run("rtsol fxp0")
    world.run_for(5)
    body = wire.icmp6(ND_ROUTER_ADVERT, "r", start)[0].payload
    opts = parse_nd_options(body, NdRouterAdvert.SIZE, len(body))
    assert not isinstance(opts, Malformed)
    flags = NdRouterAdvert.unpack(body).nd_ra_flags_reserved
    return flags, [
        (
            ntop(pi.nd_opt_pi_prefix),
            bool(pi.nd_opt_pi_flags_reserved & ND_OPT_PI_FLAG_ROUTER),
        )
        for pi in opts.prefixes
    ]


def start(world: World, kernel: str, rtadvd: str, conf: str = "") -> CommandResult:
    node = world.add_node("r", kernel, {CONF: conf} if conf else {})
    node.attach("fxp0", world.add_link("lan"))
    node.run("sysctl -w net.inet6.ip6.forwarding=1")
    node.run(f"ifconfig fxp0 inet6 {ADDRESS} prefixlen 64 alias")
    world.run_for(3)
    return node.run(f"rtadvd {rtadvd} fxp0")


@pytest.mark.parametrize(
    "kernel,address,router",
    [(DRAFTS["draft-13"], ADDRESS, True), (DRAFTS["draft-15"], PREFIX, False), ("", PREFIX, False)],
    ids=["draft-13", "draft-15", "no mobility"],
)
def test_every_router_tells_its_address_in_draft_13_only(
    kernel: str, address: str, router: bool
) -> None:
    world = World(2)
    wire = Wire(world)
    start(world, kernel, "")
    flags, prefixes = told(world, wire)
    assert prefixes == [(address, router)]
    assert not flags & ND_RA_FLAG_HOME_AGENT


def test_a_prefix_that_comes_later_is_told_with_the_address_too() -> None:
    world = World(2)
    wire = Wire(world)
    start(world, DRAFTS["draft-13"], "")
    _, prefixes = told(world, wire, "ifconfig fxp0 inet6 2001:db8:7::1 prefixlen 64 alias")
    assert ("2001:db8:7::1", True) in prefixes


@pytest.mark.parametrize(
    "draft,mininterval,status",
    [("draft-13", "0.5", 0), ("draft-13", "0.4", 1), ("draft-15", "0.4", 0)],
)
def test_least_interval_of_a_home_agent_is_half_a_second(
    draft: str, mininterval: str, status: int
) -> None:
    conf = f'fxp0:maxinterval="1.5":mininterval="{mininterval}":\n'
    assert start(World(2), DRAFTS[draft], "-m", conf).status == status
