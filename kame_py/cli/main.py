# SPDX-License-Identifier: BSD-3-Clause
"""The ``kame`` command: one word chooses what is done, the rest belongs to it.

No KAME counterpart. Modules are loaded when they are needed, so that ``kame --help`` is quick.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Final

from kame_py import __version__
from kame_py.host.streams import EX_INTERRUPTED as EX_INTERRUPTED  # what replay ends with, too
from kame_py.host.streams import EX_OUTPUT, with_streams

if TYPE_CHECKING:
    from argparse import ArgumentParser

EX_USAGE: Final = 2

#: Command -> (module with ``main(argv) -> int``, what it is for).
COMMANDS: Final[Mapping[str, tuple[str, str]]] = {
    "demo": ("kame_py.cli.demo", "a network that works, breaks and heals, and a capture explained"),
    "lab": ("kame_py.cli.lab", "run, check, list and show labs: networks in virtual time"),
    "up": ("kame_py.cli.up", "run the nodes of a lab file in real time"),
    "vm": ("kame_py.cli.vm", "run one node, on a wire of this machine or a bus"),
    "ps": ("kame_py.cli.nodes", "the nodes that run, and their programs"),
    "stop": ("kame_py.cli.stop", "end the nodes of a process"),
    "shell": ("kame_py.cli.shell", "a shell whose tools are those of a running node"),
    "sleep": ("kame_py.cli.sleep", "wait on a node's clock"),
    "plug": ("kame_py.cli.plug", "move an interface of a running node to another link"),
    "replay": ("kame_py.cli.replay", "what a KAME kernel makes of the packets of a capture"),
    "man": ("kame_py.cli.man", "the manual: pages of the tools, of lab files and of kame"),
    "completion": ("kame_py.cli.completion", "what bash, zsh or fish complete behind kame"),
}

NODE_WORDS: Final = 2  # what has to follow -N
VERSION_TEXT: Final = f"kame-py {__version__}"

Main = Callable[[list[str]], int]


def main(argv: list[str] | None = None) -> int:
    """Entry point; returns the exit status."""
    words = sys.argv[1:] if argv is None else argv
    return with_streams("kame", lambda: _dispatch(words), broken_pipe=EX_OUTPUT)


def _dispatch(words: list[str]) -> int:
    if not words:
        sys.stderr.write(help_text())
        return EX_USAGE
    name, rest = words[0], words[1:]
    if name == "-N":
        return _on_node(rest)
    if name == "help" and rest:
        name, rest = rest[0], ["--help"]
    if name in ("-h", "--help", "help"):
        sys.stdout.write(help_text())
        return 0
    if name in ("-V", "--version"):
        sys.stdout.write(f"{VERSION_TEXT}\n")
        return 0
    if name in COMMANDS:
        command: Main = import_module(COMMANDS[name][0]).main
        return command(rest)
    return _tool(name, rest)


def _on_node(words: list[str]) -> int:
    """``kame -N NAME COMMAND ...``: the same as KAME_NODE in the environment."""
    if len(words) < NODE_WORDS:
        sys.stderr.write("kame: -N NAME COMMAND ...: name a node and what to do there\n")
        return EX_USAGE
    os.environ["KAME_NODE"] = words[0]
    return _dispatch(words[1:])


def add_version(parser: ArgumentParser) -> None:
    """Every command answers --version as ``kame`` itself does."""
    parser.add_argument(
        "-V", "--version", action="version", version=VERSION_TEXT, help="show the version and exit"
    )


def _tool(name: str, rest: list[str]) -> int:
    from kame_py.tools import TOOLS

    if name in TOOLS:
        from kame_py.host.run_tool import run_tool

        return run_tool(name, rest)
    import difflib

    if name == "--node" or name.startswith("--node="):
        sys.stderr.write("kame: --node: goes behind the tool; in front of it say -N NAME\n")
        return EX_USAGE
    close = difflib.get_close_matches(name, [*COMMANDS, *TOOLS], n=1)
    hint = f"; did you mean {close[0]}" if close else "; kame --help lists the commands"
    sys.stderr.write(f"kame: {name}: no such command{hint}\n")
    return EX_USAGE


def help_text() -> str:
    """What ``kame --help`` prints."""
    from kame_py.tools import TOOLS

    lines = ["usage: kame COMMAND ...", "       kame [-N NODE] TOOL ...", ""]
    lines += ["The KAME IPv6 kernel in Python: many kernels, virtual time.", "", "commands:"]
    lines += [f"  {name:<10} {text}" for name, (_, text) in COMMANDS.items()]
    lines += ["", "tools (the ported KAME programs; kame TOOL --help):"]
    lines += [f"  {' '.join(sorted(TOOLS))}", ""]
    lines += [
        "options:",
        "  -N NODE        the running node that a tool is to speak to",
        "  -h, --help     this text; kame help COMMAND tells more",
        "  -V, --version  the version",
        "",
    ]
    lines += ["Start with: kame demo", ""]
    return "\n".join(lines)
