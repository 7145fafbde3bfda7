# SPDX-License-Identifier: BSD-3-Clause
"""tcpdump and trace inside labs, in virtual time: what a lab file can say with them."""

from __future__ import annotations

from kame_py.testing import LabFactory, out

LAB = """\
title = "what passes fxp0"
until = 20
[link]
lan = {}
[node.a]
interfaces = { fxp0 = "lan" }
rc = '''
ifconfig fxp0 inet6 2001:db8::a prefixlen 64 alias
tcpdump -n -t -c 3 -i fxp0 icmp6 and src or dst host 2001:db8::b > /tmp/seen &
tcpdump -w /tmp/all.pcapng &
trace -n -t -d > /tmp/dropped &
'''
[node.b]
interfaces = { fxp0 = "lan" }
rc = "ifconfig fxp0 inet6 2001:db8::b prefixlen 64 alias"
[[event]]
at = 10
node = "b"
run = "ping6 -c 2 2001:db8::a"
[[expect]]
at = 15
node = "a"
run = "cat /tmp/seen"
matches = ["2001:db8::b > .*neighbor sol: who has 2001:db8::a", "icmp6: echo request"]
[[expect]]
at = 15
node = "a"
run = "ps"
matches = ["tcpdump", "trace"]
[[expect]]
at = 16
node = "a"
run = "tcpdump -n -r /tmp/all.pcapng icmp6 and port 1 or udp; tcpdump -r /tmp/all.pcapng -c 1 icmp6"
contains = "icmp6: "
"""


def test_packets_of_a_lab(lab: LabFactory) -> None:
    made = lab(LAB).run()
    a = made.nodes["a"]
    assert out(a, "cat /tmp/seen").splitlines() == [
        "2001:db8::b > ff02::1:ff00:a: icmp6: neighbor sol: who has 2001:db8::a",
        "2001:db8::a > 2001:db8::b: icmp6: neighbor adv: tgt is 2001:db8::a",
        "2001:db8::b > 2001:db8::a: icmp6: echo request",
    ]


def test_the_way_of_binding_updates_through_a_home_agent(lab: LabFactory) -> None:
    """The home agent's own tcpdump and trace see the registration and what became of it."""
    made = lab("howto")
    ha = made.nodes["ha"]
    dump = ha.start("tcpdump -n -t -i any mip6")
    answers = made.nodes["mn"].start("trace -n -t -c 1 inbound and mip6")
    ways = ha.start("trace -n -t -c 1 inbound and mip6")
    made.run()
    seen = dump.result().out
    assert "DSTOPT (HomeAddr 2001:200:1:1:" in seen
    assert "(BindUpd flg=AHD/d0 seq=" in seen and "(BindAck status=0 seq=" in seen
    text = ways.result().out
    assert "(BindUpd flg=AH" in text.splitlines()[0]
    assert "\n  dest6 at 40\n  dest6_hao 2001:200:1:1:" in text
    assert "\n  dest6 at 64\n  mip6_process_bu seq 1 life " in text
    assert "  mip6_ba_input seq 2 status 0\n" in answers.result().out
    assert text.endswith("\n  = consumed\n")
