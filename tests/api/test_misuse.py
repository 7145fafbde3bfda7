# SPDX-License-Identifier: BSD-3-Clause
"""Mistakes of a user of the API are told at once, by the name of what is wrong."""

from __future__ import annotations

import re
from typing import Any

import pytest

from kame_py import KError, LabRun, Node, ReplayOptions, World
from kame_py.cli.lab import load_lab
from kame_py.wire.errno import EBADF


@pytest.fixture
def node() -> Node:
    world = World()
    node = world.add_node("a")
    node.attach("fxp0", world.add_link("lan"))
    return node


@pytest.mark.parametrize(
    ("what", "why"),
    [
        ({"loss": 2}, "loss is 2, not a probability from 0 to 1"),
        ({"corrupt": -0.1}, "corrupt is -0.1, not"),
        ({"reorder": float("nan")}, "reorder is nan, not"),
        ({"delay_ns": -1}, "delay_ns and jitter_ns are times of 0 or more"),
        ({"rate_bps": 0}, "rate_bps is 0, not a rate"),
    ],
)
def test_a_link_that_cannot_be(node: Node, what: dict[str, Any], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        node.world.add_link("other", **what)
    lan = node.world.links["lan"]
    before = lan.impairment
    with pytest.raises(ValueError, match=why):
        lan.impair(**what)
    assert lan.impairment == before
    assert "other" not in node.world.links


def test_names_that_are_taken(node: Node) -> None:
    world, lan = node.world, node.world.links["lan"]
    with pytest.raises(ValueError, match="link lan exists already"):
        world.add_link("lan")
    with pytest.raises(ValueError, match="node a exists already"):
        world.add_node("a")
    for name in ("fxp0", "lo0"):
        with pytest.raises(ValueError, match=f"a has an interface {name} already"):
            node.attach(name, lan)
    assert len(lan.ports) == 1
    for name in ("echo", "sleep"):
        with pytest.raises(ValueError, match=f"{name} is a built-in of the shell"):
            node.add_program(name, ending(0))


@pytest.mark.parametrize("mac", [b"123", b"", bytes(7), b"\x01\0\0\0\0\1", b"\xff" * 6])
def test_what_is_no_address_of_a_station(node: Node, mac: bytes) -> None:
    with pytest.raises(ValueError, match="is no station's MAC address"):
        node.attach("fxp1", node.world.links["lan"], mac=mac)
    assert [ifp.if_name for ifp in node.kernel.ifnets] == ["lo0", "fxp0"]


def test_a_kernel_configuration_with_a_mistake() -> None:
    with pytest.raises(ValueError, match="unknown kernel option MIP7; did you mean MIP6"):
        World().add_node("a", ["MIP7"])


@pytest.mark.parametrize(
    ("what", "why"),
    [
        ({"lladdr": b"abc"}, "lladdr b'abc' is no station's MAC address"),
        ({"lladdr": b"\x33\x33\0\0\0\1"}, "is no station's MAC address"),
        ({"addr": b"abc"}, "addr b'abc' is no IPv6 address of 16 octets"),
        ({"ifname": "lo0"}, "lo0 is the loopback interface"),
    ],
)
def test_a_replay_to_a_node_that_cannot_be(what: dict[str, Any], why: str) -> None:
    with pytest.raises(ValueError, match=re.escape(why)):
        ReplayOptions(**what)


def test_a_lab_runs_once_and_its_world_goes_on() -> None:
    run = LabRun(load_lab("dad"))
    run.run()
    count = len(run.outcomes)
    with pytest.raises(RuntimeError, match=r"dad\.toml has run already"):
        run.run()
    run.world.run_for(1)
    assert len(run.outcomes) == count


def ending(value: Any) -> Any:
    async def main(argv: list[str], ops: object) -> Any:
        return value

    return main


async def reading_what_is_not_open(argv: list[str], ops: Any) -> int:
    await ops.recvmsg(77)
    return 0


@pytest.mark.parametrize(
    ("main", "exception"),
    [
        (ending(None), "returned None, which is no exit status"),
        (ending("1"), "returned '1', which is no exit status"),
        (lambda argv, ops: 0, "'int' object has no attribute 'send'"),
        (reading_what_is_not_open, str(KError(EBADF))),
    ],
)
def test_a_program_with_a_bug_ends_and_the_world_goes_on(
    node: Node, main: Any, exception: str
) -> None:
    node.add_program("mine", main)
    done = node.run("mine")
    assert (done.status, done.err) == (70, f"mine: internal error: {exception}\n")
    (crashed,) = node.processes.crashed
    assert str(crashed.exception) == exception
    assert node.run("echo alive").out == "alive\n"


def test_a_program_takes_the_place_of_a_tool(node: Node) -> None:
    node.add_program("ndp", ending(7))
    assert node.run("ndp -a").status == 7
