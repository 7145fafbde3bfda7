# SPDX-License-Identifier: BSD-3-Clause
"""mip6control on kernels: with mobility, without it, without a home interface."""

from __future__ import annotations

import json

import pytest

from kame_py.lab.node import Node
from kame_py.lab.world import World

MIP6 = ("MIP6", "hif 1")
PREFIX = "-H2001:200:1:1:: -P64"


def booted(*kernel: str) -> Node:
    world = World(seed=1)
    node = world.add_node("n", kernel)
    node.attach("fxp0", world.add_link("lan"))
    world.run_for(2)
    return node


def typed(node: Node, command: str) -> tuple[int, str]:
    """Exit status and everything that was printed."""
    result = node.run(f"mip6control {command}")
    return result.status, result.out + result.err


@pytest.mark.parametrize("command", ["", "-m", "-c", "-T 0", "-h"])
def test_kernel_without_mobility(command: str) -> None:
    assert typed(booted(), command) == (1, "mip6control: mip6 not found\n")


@pytest.mark.parametrize("command", ["-h", "-a", "-b"])
def test_kernel_without_a_home_interface(command: str) -> None:
    assert typed(booted("MIP6", "hif 0"), command) == (1, "mip6control: hif not found\n")


def test_another_interface_is_no_home_interface() -> None:
    node = booted(*MIP6)
    assert typed(node, "-i fxp0 -h") == (1, "mip6control: fxp0: not found\n")
    assert typed(node, "-i hif1 -b") == (1, "mip6control: hif1: not found\n")


def test_roles_follow_each_other() -> None:
    node = booted(*MIP6)
    for option, role in (("-g", "home agent"), ("-m", "mobile node"), ("-M", "corresponding node")):
        assert typed(node, option) == (0, "")
        assert typed(node, "")[1].startswith(f"node type: {role}\n")


def test_switches() -> None:
    node = booted(*MIP6)
    before = json.loads(typed(node, "--json")[1])
    assert (before["ipsec"], before["authdata"], before["debug"]) == (False, True, False)
    assert typed(node, "-S 1 -T 0 -D 1") == (0, "")
    after = json.loads(typed(node, "--json")[1])
    assert (after["ipsec"], after["authdata"], after["debug"]) == (True, False, True)


def test_debugging_is_on_from_the_start_with_the_kernel_option() -> None:
    assert typed(booted(*MIP6, "MIP6_DEBUG"), "")[1].endswith("debug: enable\n")


def test_home_prefix_and_home_agent_by_hand() -> None:
    node = booted(*MIP6)
    agent = "-A 2001:200:1:1::1 -L fe80::1"
    said = "set homeagent to hif0 (2001:200:1:1::1)\n"
    assert typed(node, agent) == (1, f"{said}mip6control: ioctl: Invalid argument\n")
    assert typed(node, PREFIX) == (0, "")
    assert typed(node, agent) == (0, said)
    _, prefixes = typed(node, "-hln")
    assert prefixes.splitlines()[1].split()[:3] == ["2001:200:1:1::", "64", "65535"]
    _, agents = typed(node, "-aln")
    assert agents.splitlines()[1].split()[:5] == ["fe80::1", "2001:200:1:1::1", "H", "0", "65535"]


def test_rules_against_the_home_address() -> None:
    node = booted(*MIP6)
    assert typed(node, "-u ::#53") == (0, "")
    assert typed(node, "-u ::#53") == (255, "mip6control: ioctl: File exists\n")
    assert typed(node, "-u 2001:db8::1") == (0, "")
    assert sorted(typed(node, "-wn")[1].splitlines()) == ["2001:db8::1", "::#53"]
    assert typed(node, "-v ::#53") == (0, "")
    assert typed(node, "-v ::#53") == (255, "mip6control: ioctl: No such file or directory\n")
    assert typed(node, "-wn") == (0, "2001:db8::1\n")


def test_empty_tables_are_their_headers() -> None:
    node = booted(*MIP6)
    for option in ("-h", "-a", "-b", "-c"):
        status, out = typed(node, option)
        assert (status, len(out.splitlines())) == (0, 1)
