# SPDX-License-Identifier: BSD-3-Clause
"""Hosts and gateways under policies that setkey wrote, as a network engineer would try them."""

from __future__ import annotations

import pytest

from kame_py.testing import LabFactory, drops, out

HOSTS = """\
title = "two hosts, one of them may lack keys"
until = 30
[link]
lan = {}
[node.a]
kernel = ["IPSEC", "IPSEC_ESP"]
interfaces = { fxp0 = "lan" }
rc = "ifconfig fxp0 inet6 2001:db8::a prefixlen 64 alias"
[node.b]
kernel = ["IPSEC", "IPSEC_ESP"]
interfaces = { fxp0 = "lan" }
rc = "ifconfig fxp0 inet6 2001:db8::b prefixlen 64 alias"
"""

KEYS = """\
add 2001:db8::a 2001:db8::b esp 1000
 -E rijndael-cbc "kamekamekamekame" -A hmac-sha1 "AH SA configuration!";
add 2001:db8::b 2001:db8::a esp 1001
 -E rijndael-cbc "kamekamekamekame" -A hmac-sha1 "AH SA configuration!";
add 2001:db8::a 2001:db8::b ah 1002 -r 4 -A hmac-md5 "this is the test";
add 2001:db8::b 2001:db8::a ah 1003 -r 4 -A hmac-md5 "this is the test";
"""
PING = """\
spdadd 2001:db8::{us} 2001:db8::{peer} icmp6 128,0 -P out
 ipsec esp/transport//require ah/transport//require;
spdadd 2001:db8::{us} 2001:db8::{peer} icmp6 129,0 -P out
 ipsec esp/transport//require ah/transport//require;
spdadd 2001:db8::{peer} 2001:db8::{us} icmp6 128,0 -P in
 ipsec esp/transport//require ah/transport//require;
spdadd 2001:db8::{peer} 2001:db8::{us} icmp6 129,0 -P in
 ipsec esp/transport//require ah/transport//require;
"""


def test_echo_under_a_bundle_needs_both_sides(lab: LabFactory) -> None:
    made = lab(HOSTS).run()
    a, b = made.nodes["a"], made.nodes["b"]
    a.files.write("/etc/ipsec.conf", KEYS + PING.format(us="a", peer="b"))
    b.files.write("/etc/ipsec.conf", KEYS + PING.format(us="b", peer="a"))
    assert "3 packets received" in out(a, "ping6 -c 3 2001:db8::b")
    out(b, "setkey -f /etc/ipsec.conf")
    assert "0 packets received" in out(a, "ping6 -c 3 2001:db8::b", status=1)
    assert drops(b)["IPSEC_INPOLICY"] == 3
    out(a, "setkey -f /etc/ipsec.conf")
    assert "3 packets received" in out(a, "ping6 -c 3 -s 2000 2001:db8::b")
    stats = a.kernel.stats
    assert stats.ipsec6["out_success"] == stats.ipsec6["in_success"] == 6
    assert dict(stats.in_esphist) == {12: 3}
    assert "allocated: 3" in out(a, "setkey -D")
    out(b, "setkey -F")
    assert "0 packets received" in out(a, "ping6 -c 2 2001:db8::b", status=1)
    assert drops(b)["AH_NOSA"] == 2


SITES = """\
title = "two sites and a tunnel between their gateways"
until = 30
[link]
left = {}
wan = { mtu = 1400 }
right = {}
[node.host1]
interfaces = { fxp0 = "left" }
rc = '''
ifconfig fxp0 inet6 2001:db8:1::a prefixlen 64 alias
route add -inet6 default 2001:db8:1::1
'''
[node.gw1]
kernel = ["IPSEC", "IPSEC_ESP"]
interfaces = { fxp0 = "left", fxp1 = "wan" }
rc = '''
sysctl -w net.inet6.ip6.forwarding=1
ifconfig fxp0 inet6 2001:db8:1::1 prefixlen 64 alias
ifconfig fxp1 inet6 2001:db8:f::1 prefixlen 64 alias
route add -inet6 2001:db8:2:: -prefixlen 64 2001:db8:f::2
'''
[node.gw2]
kernel = ["IPSEC", "IPSEC_ESP"]
interfaces = { fxp0 = "right", fxp1 = "wan" }
rc = '''
sysctl -w net.inet6.ip6.forwarding=1
ifconfig fxp0 inet6 2001:db8:2::1 prefixlen 64 alias
ifconfig fxp1 inet6 2001:db8:f::2 prefixlen 64 alias
route add -inet6 2001:db8:1:: -prefixlen 64 2001:db8:f::1
'''
[node.host2]
interfaces = { fxp0 = "right" }
rc = '''
ifconfig fxp0 inet6 2001:db8:2::b prefixlen 64 alias
route add -inet6 default 2001:db8:2::1
'''
"""
TUNNEL = """\
add 2001:db8:f::1 2001:db8:f::2 esp 2000 -m tunnel
 -E 3des-cbc "kamekamekamekamekamekame"
 -A hmac-sha2-256 "12345678901234567890123456789012";
add 2001:db8:f::2 2001:db8:f::1 esp 2001 -m tunnel
 -E 3des-cbc "emakemakemakemakemakemak"
 -A hmac-sha2-256 "12345678901234567890123456789012";
spdadd 2001:db8:{us}::/64 2001:db8:{peer}::/64 any -P out
 ipsec esp/tunnel/2001:db8:f::{us}-2001:db8:f::{peer}/require;
spdadd 2001:db8:{peer}::/64 2001:db8:{us}::/64 any -P in
 ipsec esp/tunnel/2001:db8:f::{peer}-2001:db8:f::{us}/require;
"""


@pytest.mark.parametrize(("size", "received"), [(56, 6), (1200, 6), (1300, 4), (3000, 4)])
def test_two_sites_behind_gateways(lab: LabFactory, size: int, received: int) -> None:
    """Large packets learn the size of the tunnel by a Packet Too Big and arrive in fragments.

    A request is lost for that, then a reply.
    """
    made = lab(SITES).run()
    nodes = made.nodes
    for us, peer in ((1, 2), (2, 1)):
        gateway = nodes[f"gw{us}"]
        gateway.files.write("/etc/ipsec.conf", TUNNEL.format(us=us, peer=peer))
        out(gateway, "setkey -f /etc/ipsec.conf")
    out(nodes["host1"], "ping6 -c 1 2001:db8:2::b")  # the neighbours know each other now
    done = nodes["host1"].run(f"ping6 -m -c 6 -s {size} 2001:db8:2::b")
    assert f"{received} packets received" in done.out
    if size > 1200:
        assert drops(nodes["gw1"])["IP6_FWDTOOBIG"] >= 1
        assert "mtu" in out(nodes["host1"], "route get -inet6 2001:db8:2::b")
    one, two = (nodes[name].kernel.stats.ipsec6 for name in ("gw1", "gw2"))
    assert one["out_success"] == two["in_success"] > 0
    assert two["out_success"] == one["in_success"] > 0


def test_without_the_far_gateway_nothing_leaks(lab: LabFactory) -> None:
    nodes = lab(SITES).run().nodes
    gateway = nodes["gw2"]
    gateway.files.write("/etc/ipsec.conf", TUNNEL.format(us=2, peer=1))
    out(gateway, "setkey -f /etc/ipsec.conf")
    assert "0 packets received" in out(nodes["host1"], "ping6 -c 3 2001:db8:2::b", status=1)
    assert drops(gateway)["IPSEC_INPOLICY"] == 3
