# SPDX-License-Identifier: BSD-3-Clause
"""``python -m kame_py.tools.X``: a tool as a program of the operating system.

No KAME counterpart. --help and --version need no node, nor do a tool's ``node_free`` letters unless
one is named; everything else looks for one that runs, and speaks to it over its control socket.
When the node ends, the program says so and ends, too.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Final

from kame_py.host.runtime import ENV_NODE
from kame_py.lib.getopt import getopt
from kame_py.lib.toolbase import Tool, long_answer
from kame_py.tools import load

if TYPE_CHECKING:
    from kame_py.ctl.remote import RemoteOps

EX_NONODE: Final = 1
EX_INTERRUPTED: Final = 130  # 128 + SIGINT
EX_PIPE: Final = 141  # 128 + SIGPIPE


def run_tool(name: str, argv: list[str] | None = None, node: str | None = None) -> int:
    """Run a tool on the process's own arguments; returns the exit status."""
    tool = load(name)
    if tool is None:
        sys.stderr.write(f"{name}: no such tool\n")
        return EX_NONODE
    words = sys.argv[1:] if argv is None else argv
    args = getopt(name, tool.letters, words)
    text = long_answer(tool, args)
    if text is not None:
        sys.stdout.write(text)
        return 0
    try:
        named = args.long.node or node
        if any(map(args.has, tool.node_free)) and not (named or os.environ.get(ENV_NODE)):
            from kame_py.host.offline import offline

            return _run(tool, words, offline(name))
        return _on_node(tool, words, named)
    except KeyboardInterrupt:
        return EX_INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # what waits to be written is lost
        return EX_PIPE


def _on_node(tool: Tool, words: list[str], node: str | None) -> int:
    from kame_py.ctl.remote import NodeGone

    try:
        return _run(tool, words, connect(tool.name, node))
    except NodeGone as problem:
        sys.stderr.write(f"{tool.name}: {problem}\n")
        return EX_NONODE


def connect(name: str, node: str | None) -> RemoteOps:
    """System calls of the node that is meant. NodeGone says why there are none."""
    from kame_py.ctl.remote import NodeGone, RemoteOps
    from kame_py.host.connect import UnixTransport, find
    from kame_py.host.machine import Machine
    from kame_py.host.runtime import RuntimeProblem, wanted

    try:
        found = find(wanted(node))
        machine = Machine(lambda: found.node)
        ops = RemoteOps(UnixTransport(found.path), machine, name, found.node)
    except RuntimeProblem as problem:
        raise NodeGone(str(problem)) from problem
    except OSError as problem:
        raise NodeGone(f"{node or 'node'}: {problem.strerror or problem}") from problem
    machine.signalled = ops.signalled
    return ops


def _run(tool: Tool, words: list[str], ops: RemoteOps) -> int:
    """The tool from its first call to its exit status; its calls block, so it never yields."""
    coro = tool.main(words, ops)
    try:
        coro.send(None)
    except StopIteration as stop:
        return int(stop.value)
    raise RuntimeError(f"{tool.name} waits for something that is no system call")
