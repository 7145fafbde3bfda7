# SPDX-License-Identifier: BSD-3-Clause
"""Commands of an rc file on a node: built-ins, redirection, signals by name and pid file."""

from __future__ import annotations

import pytest

from kame_py.kern.clock import NS
from kame_py.lab.node import Node
from kame_py.lab.world import World


@pytest.fixture
def node() -> Node:
    world = World(1)
    node = world.add_node("ha", files={"/etc/motd": "hello\n"})
    node.attach("fxp0", world.add_link("lan"))
    world.run(3)
    return node


def test_commands_run_one_after_another_in_virtual_time(node: Node) -> None:
    result = node.run("echo a; sleep 2.5; echo b")
    assert (result.out, result.status) == ("a\nb\n", 0)
    assert node.world.now() == 5.5 * NS


def test_a_background_command_does_not_hold_up_the_next(node: Node) -> None:
    assert node.run("sleep 100 &\necho now").out == "now\n"
    assert node.world.now() == 3 * NS


def test_an_unknown_command_is_not_found(node: Node) -> None:
    result = node.run("gated -x\n")
    assert (result.out, result.err, result.status) == ("", "sh: gated: not found\n", 127)


def test_the_small_programs(node: Node) -> None:
    assert node.run("cat /etc/motd").out == "hello\n"
    assert node.run("hostname").out == "ha\n"
    assert node.run("echo -n a 'b  c'").out == "a b  c"
    assert node.run("date").out == "Thu Jan 31 00:00:03 UTC 2002\n"
    assert node.run("true").status == 0
    assert node.run("false").status == 1
    node.kernel.log.log(6, "fxp0: link state changed")
    assert node.run("dmesg").out.endswith("fxp0: link state changed\n")


def test_cat_prints_the_here_document_or_says_what_is_missing(node: Node) -> None:
    assert node.run("cat <<EOF\na b\nEOF\n").out == "a b\n"
    result = node.run("cat /etc/motd nothing")
    assert (result.out, result.err, result.status) == (
        "hello\n",
        "cat: nothing: No such file or directory\n",
        1,
    )


def test_output_goes_into_a_file_and_is_appended(node: Node) -> None:
    assert node.run("echo one > /tmp/x\necho two >> /tmp/x\ncat /tmp/x").out == "one\ntwo\n"
    assert node.run("echo three > /tmp/x\ncat /tmp/x").out == "three\n"
    result = node.run("echo lost > /nowhere/x")
    assert (result.status, result.err) == (1, "sh: /nowhere/x: No such file or directory\n")


def test_kill_finds_its_target_by_pid_name_and_pid_file(node: Node) -> None:
    assert node.run("sleep 100 &\nsleep 1\nkill sleep\nps").out == "  PID COMMAND\n"
    assert node.run("kill sleep").err == "kill: sleep: No such process\n"
    node.run("sleep 100 &\nsleep 0")
    (proc,) = (p for p in node.processes.running() if p.name == "sleep")
    node.files.write("/var/run/sleep.pid", f"{proc.pid}\n")
    node.run("kill -s INT `cat /var/run/sleep.pid`")
    assert (proc.signal, proc.status) == ("INT", 130)
    assert node.run(f"kill -9 {proc.pid}").err == f"kill: {proc.pid}: No such process\n"


@pytest.mark.parametrize("line", ["kill", "kill -STOP 1", "kill -HUP", "kill -s"])
def test_kill_without_sense_shows_its_usage(node: Node, line: str) -> None:
    result = node.run(line)
    assert (result.status, result.err[:12]) == (1, "usage: kill ")


def test_a_missing_pid_file_is_reported_and_stands_for_nothing(node: Node) -> None:
    result = node.run("echo a `cat /var/run/had.pid` b")
    assert (result.out, result.err) == (
        "a b\n",
        "cat: /var/run/had.pid: No such file or directory\n",
    )


@pytest.mark.parametrize("line", ["sleep", "sleep x", "sleep -1", "sleep nan", "sleep 1 2"])
def test_sleep_refuses_what_is_no_time(node: Node, line: str) -> None:
    assert node.run(line).err == "usage: sleep seconds\n"
