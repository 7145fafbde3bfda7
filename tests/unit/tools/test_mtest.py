# SPDX-License-Identifier: BSD-3-Clause
"""mtest on a real kernel: joins, leaves, refusals, the end."""

from __future__ import annotations

import json

import pytest

from kame_py.lab.job import CommandResult
from kame_py.lab.node import Node
from kame_py.lab.world import World
from kame_py.tools.mtest import COMMANDS, GREETING
from kame_py.wire.in6addr import pton

GROUP = "ff05::77"


@pytest.fixture
def node() -> Node:
    world = World(1)
    node = world.add_node("a")
    node.attach("fxp0", world.add_link("lan"))
    world.run_for(5)
    return node


def mtest(node: Node, commands: str, options: str = "") -> CommandResult:
    return node.run(f"mtest {options} <<EOF\n{commands}\nEOF")


def member(node: Node, group: str = GROUP) -> bool:
    (ifp,) = [ifp for ifp in node.kernel.ifnets if ifp.if_name == "fxp0"]
    return pton(group) in ifp.in6_multi


def test_group_is_joined_until_the_input_ends(node: Node) -> None:
    node.run(f"mtest <<EOF &\nj {GROUP} fxp0\n\ns 30\nEOF")
    assert member(node)
    node.world.run_for(29.9)
    assert member(node)
    node.world.run_for(0.2)
    assert not member(node)


def test_killed_program_leaves_its_groups(node: Node) -> None:
    node.run(f"mtest <<EOF &\nj {GROUP} fxp0\ns 30\nEOF")
    assert member(node)
    node.run("kill mtest")
    assert not member(node)


def test_group_can_be_left_before(node: Node) -> None:
    node.run(f"mtest <<EOF &\nj {GROUP} fxp0\nj ff05::78 fxp0\nl {GROUP} fxp0\ns 30\nEOF")
    assert (member(node), member(node, "ff05::78")) == (False, True)


def test_what_it_says(node: Node) -> None:
    done = mtest(node, f"?\nj {GROUP} fxp0\nl {GROUP} fxp0\ns 1\nq\nj nothing fxp0")
    assert (done.status, done.out, done.err) == (0, GREETING + COMMANDS + "ok\nok\nok\n", "")


def test_what_cannot_be_done_is_told_and_the_next_command_follows(node: Node) -> None:
    done = mtest(
        node,
        f"j fe80::1 fxp0\nl {GROUP} fxp0\nj nobody fxp0\nj {GROUP} fxp9\ns soon\nx\nj {GROUP} fxp0",
    )
    assert (done.status, done.out) == (1, GREETING + "ok\n")
    assert done.err.splitlines() == [
        "mtest: IPV6_JOIN_GROUP fe80::1 on fxp0: Invalid argument",
        f"mtest: IPV6_LEAVE_GROUP {GROUP} on fxp0: Can't assign requested address",
        "mtest: nobody: bad value",
        "mtest: interface fxp9 does not exist",
        "mtest: soon: bad value",
        "mtest: x: bad command",
    ]


def test_json_has_each_command_and_whether_it_was_done(node: Node) -> None:
    done = mtest(node, f"j {GROUP} fxp0\nx", "--json")
    assert json.loads(done.out) == [
        {"command": f"j {GROUP} fxp0", "ok": True},
        {"command": "x", "ok": False},
    ]


def test_arguments_are_refused(node: Node) -> None:
    done = mtest(node, "q", "fxp0")
    assert (done.status, done.err) == (1, "usage: mtest < commands\n")
