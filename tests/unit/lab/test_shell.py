# SPDX-License-Identifier: BSD-3-Clause
"""Commands of an rc file on a node: built-ins, tools, files, background."""

from __future__ import annotations

import pytest

from kame_py.kern.clock import NS
from kame_py.lab.job import CommandResult
from kame_py.lab.node import Node
from kame_py.lab.world import World


@pytest.fixture
def node() -> Node:
    world = World(1)
    node = world.add_node("box")
    node.attach("fxp0", world.add_link("lan"))
    world.run(3)
    return node


def run(node: Node, text: str) -> CommandResult:
    return node.run(text)


def test_echo_and_cat(node: Node) -> None:
    assert run(node, "echo one 'two  three'\necho -n four").out == "one two  three\nfour"
    assert run(node, "echo a > /tmp/f\necho b >> /tmp/f\ncat /tmp/f").out == "a\nb\n"
    assert run(node, "echo c > /tmp/f\ncat /tmp/f").out == "c\n"


def test_a_here_document_is_the_input(node: Node) -> None:
    assert run(node, "cat > /etc/x.conf <<EOF\nfirst\nsecond\nEOF\ncat /etc/x.conf").out == (
        "first\nsecond\n"
    )


def test_what_cannot_be_read_or_written_is_named(node: Node) -> None:
    missing = run(node, "cat /etc/nothing")
    assert (missing.status, missing.err) == (1, "cat: /etc/nothing: No such file or directory\n")
    nowhere = run(node, "echo x > /no/such/place")
    assert nowhere.status == 1
    assert nowhere.err == "sh: /no/such/place: No such file or directory\n"


def test_an_unknown_command_is_127(node: Node) -> None:
    got = run(node, "frobnicate -x")
    assert (got.status, got.err) == (127, "sh: frobnicate: not found\n")


def test_the_status_is_that_of_the_last_command(node: Node) -> None:
    assert run(node, "false; true").status == 0
    assert run(node, "true; false").status == 1


def test_sleep_passes_virtual_time(node: Node) -> None:
    before = node.world.now()
    assert run(node, "sleep 2.5").ok
    assert node.world.now() - before == 2_500_000_000
    assert run(node, "sleep x").err == "usage: sleep seconds\n"


def test_background_commands_do_not_hold_up_the_next(node: Node) -> None:
    before = node.world.now()
    assert run(node, "sleep 100 &\necho on").out == "on\n"
    assert node.world.now() - before < NS
    assert "sleep" in run(node, "ps").out
    assert run(node, "kill sleep").ok
    assert "sleep" not in run(node, "ps").out


def test_programs_are_killed_by_name_number_and_pid_file(node: Node) -> None:
    run(node, "sleep 100 &")
    (proc,) = node.processes.named("sleep")
    assert run(node, f"echo {proc.pid} > /var/run/sleep.pid\nkill -KILL /var/run/sleep.pid").ok
    assert (proc.status, proc.signal) == (128 + 9, "KILL")
    run(node, "sleep 100 &")
    (proc,) = node.processes.named("sleep")
    assert run(node, f"kill -1 {proc.pid}").ok
    assert proc.signal == "HUP"


def test_kill_says_what_is_wrong(node: Node) -> None:
    assert run(node, "kill nobody").err == "kill: nobody: No such process\n"
    assert run(node, "kill -STOP 1").err.startswith("usage: kill ")
    assert run(node, "kill /var/run/none.pid").status == 1


def test_hostname_date_and_dmesg(node: Node) -> None:
    assert run(node, "hostname").out == "box\n"
    assert "UTC 2002" in run(node, "date").out
    node.kernel.log.log(6, "fxp0: hello")
    assert run(node, "dmesg").out.endswith("fxp0: hello\n")


def test_tools_run_by_their_names(node: Node) -> None:
    assert run(node, "ifconfig fxp0 inet6 2001:db8::1 prefixlen 64 alias").ok
    assert "2001:db8::1" in run(node, "/sbin/ifconfig fxp0").out
    assert run(node, "sysctl -n net.inet6.ip6.hlim > /tmp/h\ncat /tmp/h").out == "64\n"
    assert run(node, "ping6 -c 1 ::1").ok
