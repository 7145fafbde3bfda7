# SPDX-License-Identifier: BSD-3-Clause
"""``python -m kame_py.tools.X``: a tool as a program of the operating system.

No KAME counterpart. --help and --version need no node, nor do a tool's ``node_free`` letters unless
one is named; everything else looks for one that runs, and speaks to it over its control socket.
When the node ends, the program says so and ends, too.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Final, TypeVar

from kame_py.host.runtime import ENV_NODE
from kame_py.host.streams import with_streams
from kame_py.lib.getopt import getopt
from kame_py.lib.toolbase import Tool, long_answer
from kame_py.tools import load

if TYPE_CHECKING:
    from kame_py.ctl.remote import RemoteOps

EX_NONODE: Final = 1
_T = TypeVar("_T")


def run_tool(name: str, argv: list[str] | None = None, node: str | None = None) -> int:
    """Run a tool on the process's own arguments; returns the exit status."""
    tool = load(name)
    if tool is None:
        sys.stderr.write(f"{name}: no such tool\n")
        return EX_NONODE
    words = sys.argv[1:] if argv is None else argv
    return with_streams(name, lambda: _chosen(tool, words, node))


def _chosen(tool: Tool, words: list[str], node: str | None) -> int:
    """With or without a node, as the options ask for it. Wrong options need none to be told."""
    args = getopt(tool.name, tool.letters, words)
    text = long_answer(tool, args)
    if text is not None:
        sys.stdout.write(text)
        return 0
    named = args.long.node or node
    alone = any(map(args.has, tool.node_free)) and not (named or os.environ.get(ENV_NODE))
    if alone or (args.errors and not tool.keep_going):
        from kame_py.host.offline import offline

        return finish(tool.name, tool.main(words, offline(tool.name)))
    return _on_node(tool, words, named)


def _on_node(tool: Tool, words: list[str], node: str | None) -> int:
    from kame_py.ctl.remote import NodeGone

    try:
        return finish(tool.name, tool.main(words, connect(tool.name, node)))
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
        transport = UnixTransport(found.path)
        transport.wake_on_signals()
        ops = RemoteOps(transport, machine, name, found.node)
    except RuntimeProblem as problem:
        raise NodeGone(str(problem)) from problem
    except OSError as problem:
        raise NodeGone(f"{node or 'node'}: {problem.strerror or problem}") from problem
    machine.signalled = ops.signalled
    return ops


def finish(name: str, coro: Coroutine[object, None, _T]) -> _T:
    """What a program's coroutine returns: its calls block in the process, so it never yields."""
    try:
        coro.send(None)
    except StopIteration as stop:
        result: _T = stop.value
        return result
    raise RuntimeError(f"{name} waits for something that is no system call")
