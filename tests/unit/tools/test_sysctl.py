# SPDX-License-Identifier: BSD-3-Clause
"""sysctl on a node."""

from __future__ import annotations

import json

import pytest

from kame_py.lab.node import Node
from kame_py.lab.world import World

FORWARDING = "net.inet6.ip6.forwarding"


@pytest.fixture
def node() -> Node:
    return World(1).add_node("ha")


@pytest.mark.parametrize("option", ["", "-w "])
def test_a_value_is_set_with_and_without_w(node: Node, option: str) -> None:
    assert node.run(f"sysctl {option}{FORWARDING}=1").out == f"{FORWARDING}: 0 -> 1\n"
    assert node.run(f"sysctl {FORWARDING}").out == f"{FORWARDING}: 1\n"


def test_n_leaves_the_names_out(node: Node) -> None:
    assert node.run(f"sysctl -n {FORWARDING} kern.hostname {FORWARDING}=1").out == "0\nha\n0 -> 1\n"


@pytest.mark.parametrize(("text", "value"), [("0x40", 64), ("0100", 64), ("64", 64), ("00", 0)])
def test_numbers_as_in_c(node: Node, text: str, value: int) -> None:
    node.run(f"sysctl net.inet6.ip6.hlim={text}")
    assert node.kernel.sysctl.read("net.inet6.ip6.hlim") == value


def test_a_lists_what_is_no_table_in_order(node: Node) -> None:
    lines = node.run("sysctl -a").out.splitlines()
    assert lines == sorted(lines)
    assert f"{FORWARDING}: 0" in lines
    assert not any(line.startswith("net.route.dump") for line in lines)


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        ("net.inet6.nothing", "sysctl: unknown oid 'net.inet6.nothing'"),
        ("-w net.inet6.nothing=1", "sysctl: unknown oid 'net.inet6.nothing'"),
        (f"{FORWARDING}=-1", f"sysctl: {FORWARDING}: Invalid argument"),
        (f"{FORWARDING}=yes", f"sysctl: {FORWARDING}: Invalid argument"),
        (f"{FORWARDING}=", f"sysctl: {FORWARDING}: Invalid argument"),
        (f"{FORWARDING}=09", f"sysctl: {FORWARDING}: Invalid argument"),
        ("kern.osreldate=5", "sysctl: oid 'kern.osreldate' is read only"),
        (f"-w {FORWARDING}", f"sysctl: {FORWARDING}: no value given"),
        ("net.route.dump", "sysctl: net.route.dump: a table; netstat, ndp and route print it"),
    ],
)
def test_one_line_says_what_is_wrong(node: Node, words: str, complaint: str) -> None:
    result = node.run(f"sysctl {words}")
    assert (result.out, result.err, result.status) == ("", complaint + "\n", 1)


def test_a_wrong_name_does_not_keep_the_others_back(node: Node) -> None:
    result = node.run("sysctl -n a.b kern.hostname")
    assert (result.out, result.status) == ("ha\n", 1)


def test_without_a_name_the_usage_is_shown(node: Node) -> None:
    result = node.run("sysctl")
    assert (result.out, result.status) == ("", 1)
    assert result.err.startswith("usage: sysctl [-n] name[=value] ...\n       sysctl [-n] -w ")
    wrong = node.run("sysctl -z")
    assert wrong.err.startswith("sysctl: illegal option -- z\nusage: sysctl ")


def test_json_is_one_object_of_new_values(node: Node) -> None:
    text = node.run(f"sysctl --json {FORWARDING}=1 kern.ostype").out
    assert json.loads(text) == {FORWARDING: 1, "kern.ostype": "FreeBSD"}


def test_boottime_is_the_day_of_the_snapshot(node: Node) -> None:
    assert node.run("sysctl -n kern.boottime").out == (
        "{ sec = 1012435200, usec = 0 } Thu Jan 31 00:00:00 2002\n"
    )


@pytest.mark.parametrize("subtree", ["net.inet6", "net.inet6.ip6"])
def test_a_subtree_shows_all_below_it(node: Node, subtree: str) -> None:
    below = [line for line in node.run("sysctl -a").out.splitlines() if line.startswith(subtree)]
    assert f"{FORWARDING}: 0" in below
    assert node.run(f"sysctl {subtree}").out.splitlines() == below
    values = [line.partition(": ")[2] for line in below]
    assert node.run(f"sysctl -n {subtree}").out.splitlines() == values
    assert list(json.loads(node.run(f"sysctl --json {subtree}").out)) == [
        line.partition(": ")[0] for line in below
    ]


def test_part_of_a_word_and_a_subtree_to_set_are_unknown(node: Node) -> None:
    assert node.run("sysctl net.inet6.ip").err == "sysctl: unknown oid 'net.inet6.ip'\n"
    assert node.run("sysctl net.inet6=1").err == "sysctl: unknown oid 'net.inet6'\n"
