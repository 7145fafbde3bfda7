# SPDX-License-Identifier: BSD-3-Clause
"""Networks that the benchmarks run."""

from __future__ import annotations

from kame_py.lab.node import Node
from kame_py.lab.world import World

FAR = "2001:db8:3::b"


def three_links(seed: int = 1) -> tuple[World, Node]:
    """host a - link - router - link - router - link - host b, all configured; and host a."""
    world = World(seed)
    left, middle, right = (world.add_link(name) for name in ("left", "middle", "right"))
    a, r1, r2, b = (world.add_node(name) for name in ("a", "r1", "r2", "b"))
    a.attach("fxp0", left)
    r1.attach("fxp0", left)
    r1.attach("fxp1", middle)
    r2.attach("fxp0", middle)
    r2.attach("fxp1", right)
    b.attach("fxp0", right)
    forward = "sysctl -w net.inet6.ip6.forwarding=1\n"
    for node, rc in (
        (r1, forward + "ifconfig fxp0 inet6 2001:db8:1::1\nifconfig fxp1 inet6 2001:db8:2::1"),
        (r2, forward + "ifconfig fxp0 inet6 2001:db8:2::2\nifconfig fxp1 inet6 2001:db8:3::1"),
        (a, "ifconfig fxp0 inet6 2001:db8:1::a"),
        (b, f"ifconfig fxp0 inet6 {FAR}"),
    ):
        _do(node, rc)
    world.run_for(3)
    _do(r1, "route add -inet6 2001:db8:3:: -prefixlen 64 2001:db8:2::2")
    _do(r2, "route add -inet6 2001:db8:1:: -prefixlen 64 2001:db8:2::1")
    _do(a, "route add -inet6 default 2001:db8:1::1")
    _do(b, "route add -inet6 default 2001:db8:3::1")
    return world, a


def _do(node: Node, commands: str) -> None:
    done = node.run(commands)
    if not done.ok:
        raise RuntimeError(f"{node.name}: {done.err}")


def ping_for_an_hour(world: World, a: Node) -> str:
    """One virtual hour with a ping each second; what ping6 summed up."""
    done = a.run(f"ping6 -q -c 3600 {FAR}", timeout_s=3700)
    return done.out
