# SPDX-License-Identifier: BSD-3-Clause
"""A router advertises a prefix, hosts configure themselves; the tables are read from Python.

Run it: python examples/router_autoconf.py
"""

import json

from kame_py import World
from kame_py.wire.in6addr import ntop
from kame_py.wire.snap import PfxSnap

# What rtadvd announces: a prefix for a day, a router for half an hour.
RTADVD_CONF = """
fxp0:\\
        :maxinterval#10:mininterval#5:\\
        :addrs#1:addr="2001:db8:1::":prefixlen#64:vltime#86400:pltime#14400:
"""


def main() -> None:
    world = World(seed=2)
    lan = world.add_link("lan", delay_ns=500_000)

    router = world.add_node("router", files={"/usr/local/v6/etc/rtadvd.conf": RTADVD_CONF})
    router.attach("fxp0", lan)
    router.run("sysctl -w net.inet6.ip6.forwarding=1")
    router.run("ifconfig fxp0 inet6 2001:db8:1::1 prefixlen 64 alias")
    router.run("rtadvd fxp0")  # a daemon: run() returns when it is in the background

    hosts = [world.add_node(f"host{i}") for i in range(3)]
    for host in hosts:
        host.attach("fxp0", lan)
        host.run("sysctl -w net.inet6.ip6.accept_rtadv=1")
        host.run("rtsold fxp0")
    world.run_for(15)

    for host in hosts:
        # Every tool can answer in JSON ...
        for row in json.loads(host.run("ndp -r --json").out):
            print(f"{host.name}: default router {row['addr']}, {row['expire']} s left")
        # ... and the kernel's tables are sysctl variables: rows with typed members.
        prefixes = host.kernel.sysctl.read("net.inet6.icmp6.nd6_prlist")
        assert isinstance(prefixes, tuple)
        for pfx in prefixes:
            if isinstance(pfx, PfxSnap) and pfx.autonomous:
                print(f"{host.name}: prefix {ntop(pfx.prefix)}/{pfx.plen}, {pfx.expire} s left")
        print(host.run("ifconfig fxp0 inet6").out)

    # Addresses that nobody had to hand out: the prefix, then the Ethernet address (EUI-64).
    print(hosts[0].run("ping6 -c 2 2001:db8:1:0:2a0:24ff:fe00:301").out)


if __name__ == "__main__":
    main()
