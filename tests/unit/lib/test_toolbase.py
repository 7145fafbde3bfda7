# SPDX-License-Identifier: BSD-3-Clause
"""What all tools share: long options, error lines, JSON, the tool outside of a lab."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from kame_py import __version__
from kame_py.ctl.ops import ProgOps
from kame_py.host.run_tool import EX_NONODE, run_tool
from kame_py.lab.job import CommandResult
from kame_py.lab.node import Node
from kame_py.lab.world import World
from kame_py.lib.getopt import OptionHelp, ParsedArgs
from kame_py.lib.toolbase import (
    Tool,
    ToolError,
    UsageError,
    addr_text,
    ifindex,
    resolve,
    rows_json,
    run,
    sockaddr_text,
    warn,
)
from kame_py.tools import TOOLS, load
from kame_py.wire.errno import ENOBUFS, ENXIO, KError
from kame_py.wire.in6addr import pton
from kame_py.wire.sockaddr import SockaddrIn6

LINKLOCAL = pton("fe80::1") or b""
GLOBAL = pton("2001:db8::1") or b""


async def body(args: ParsedArgs, ops: ProgOps) -> int:
    word = args.args[0]
    if word == "usage":
        raise UsageError("two words are one too many")
    if word == "kernel":
        raise KError(ENOBUFS)
    if word == "tool":
        raise ToolError("fxp9", KError(ENXIO), status=9)
    if word == "name":
        sa = await resolve(ops, args.args[1])
        ops.out(f"{sockaddr_text(ops, sa)}\n")
    if word == "if":
        ops.out(f"{ifindex(ops, args.args[1])}\n")
    if word == "warn":
        warn(ops, "demo", "fxp0", "no carrier")
        warn(ops, "demo", "odd")
    return 0


async def main(argv: list[str], ops: ProgOps) -> int:
    return await run(TOOL, body, argv, ops)


TOOL = Tool(
    "demo",
    main,
    ("demo [-a] word", "demo -b N"),
    "Shows what tools share.",
    "ab:",
    (OptionHelp("a", "", "all of it"), OptionHelp("b", "N", "so many")),
    usage_status=64,
)


@pytest.fixture
def node() -> Node:
    world = World(1)
    node = world.add_node("n")
    node.attach("fxp0", world.add_link("lan"))
    return node


def demo(node: Node, *argv: str, tool: Tool = TOOL) -> CommandResult:
    out: list[str] = []
    err: list[str] = []

    async def start(words: list[str], ops: ProgOps) -> int:
        return await run(tool, body, words, ops)

    proc = node.processes.spawn("demo", start, list(argv), "", out.append, err.append)
    node.kick()
    node.world.run_for(1)
    assert proc.status is not None
    return CommandResult(proc.status, "".join(out), "".join(err))


USAGE = "usage: demo [-a] word\n       demo -b N\n"


def test_help_and_version_are_answered_before_anything_else(node: Node) -> None:
    result = demo(node, "--help", "-z")
    assert (result.status, result.err) == (0, "")
    assert result.out.startswith(USAGE)
    assert "  -b N              so many\n" in result.out
    assert demo(node, "--version").out == f"demo (kame-py) {__version__}\n"


def test_errors_become_one_line_and_a_status(node: Node) -> None:
    assert demo(node, "-z", "x") == CommandResult(64, "", "demo: illegal option -- z\n" + USAGE)
    assert demo(node, "usage").err == "demo: two words are one too many\n" + USAGE
    assert demo(node, "kernel") == CommandResult(1, "", "demo: No buffer space available\n")
    assert demo(node, "tool") == CommandResult(9, "", "demo: fxp9: Device not configured\n")
    assert demo(node, "name", "nobody") == CommandResult(1, "", "demo: nobody: bad value\n")
    assert demo(node, "if", "xl0").err == "demo: interface xl0 does not exist\n"
    assert demo(node, "warn").err == "demo: fxp0: no carrier\ndemo: odd\n"


def test_a_tool_may_go_on_after_an_illegal_option(node: Node) -> None:
    lax = Tool("demo", main, ("demo",), "", "a", keep_going=True)
    result = demo(node, "-z", "if", "fxp0", tool=lax)
    assert result == CommandResult(0, "2\n", "demo: illegal option -- z\n")


def test_names_and_zones(node: Node) -> None:
    assert demo(node, "name", "fe80::1%fxp0").out == "fe80::1%fxp0\n"
    assert addr_text(LINKLOCAL, "fxp0") == "fe80::1%fxp0"
    assert addr_text(LINKLOCAL) == "fe80::1"
    assert addr_text(GLOBAL, "fxp0") == "2001:db8::1"


@dataclass(frozen=True)
class Row:
    addr: bytes
    mac: bytes
    key: bytes
    left: int | None
    more: tuple[SockaddrIn6, ...] = ()


def test_rows_become_json_with_addresses_as_text() -> None:
    rows = [Row(GLOBAL, bytes.fromhex("00a024000101"), b"\xab\xcd", None, (SockaddrIn6(GLOBAL),))]
    assert json.loads(rows_json(rows)) == [
        {
            "addr": "2001:db8::1",
            "mac": "0:a0:24:0:1:1",
            "key": "abcd",
            "left": None,
            "more": [{"addr": "2001:db8::1", "port": 0, "scope_id": 0, "flowinfo": 0}],
        }
    ]
    with pytest.raises(TypeError):
        rows_json([object()])


@pytest.mark.parametrize("name", sorted(TOOLS))
def test_every_listed_tool_loads_and_describes_its_letters(name: str) -> None:
    tool = load(name)
    assert tool is not None
    assert tool.name == name
    described = {row.letter for row in tool.options}
    assert {c for c in tool.letters if c != ":"} <= described
    assert tool.help_text().startswith("usage: ")


def test_without_a_node_only_the_texts_are_there(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KAME_RUNTIME_DIR", str(tmp_path))
    monkeypatch.delenv("KAME_SERVER", raising=False)
    assert run_tool("sysctl", ["--version"]) == 0
    assert capsys.readouterr().out == f"sysctl (kame-py) {__version__}\n"
    assert run_tool("sysctl", ["-a"]) == EX_NONODE
    assert capsys.readouterr().err.startswith("sysctl: no running node (start one with: ")
    assert run_tool("gated", []) == EX_NONODE
    assert capsys.readouterr().err == "gated: no such tool\n"
