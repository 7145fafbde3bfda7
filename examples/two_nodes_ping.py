# SPDX-License-Identifier: BSD-3-Clause
"""Two nodes on a cable: one pings the other, first by its global address, then by link-local.

Run it: python examples/two_nodes_ping.py
"""

from kame_py import World


def main() -> None:
    # Everything happens in the world's virtual time. The same seed gives the same run.
    world = World(seed=1)
    cable = world.add_link("cable", delay_ns=2_000_000)  # 2 ms each way

    # A node is a booted KAME kernel with the KAME tools. Its interfaces come up when attached.
    for name in ("a", "b"):
        node = world.add_node(name)
        node.attach("fxp0", cable)
        node.run(f"ifconfig fxp0 inet6 2001:db8::{name} prefixlen 64 alias")

    # The new addresses are tentative for a second: duplicate address detection.
    a, b = world.nodes["a"], world.nodes["b"]
    print(a.run("ifconfig fxp0 inet6").out)
    world.run_for(2)

    # run() lets the world go on until the command has ended. Address resolution makes the first
    # round trip longer than the others.
    print(a.run("ping6 -c 3 2001:db8::b").out)

    # Everybody on the cable, by the link-local all-nodes group: a answers itself, too.
    print(a.run("ping6 -c 2 -I fxp0 ff02::1").out)

    # What b knows of its neighbours now.
    print(b.run("ndp -an").out)
    print(f"{world.now() / 1e9:.3f} s of virtual time, {cable.counters.sent} frames")


if __name__ == "__main__":
    main()
