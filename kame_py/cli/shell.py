# SPDX-License-Identifier: BSD-3-Clause
"""``kame shell``: a shell in which the ported tools speak to one node.

No KAME counterpart. Every tool is on the PATH under its own name and, in bash, also under
/usr/local/v6/sbin, where KAME installed them: a function may be named like a path, so that nothing
has to be written there. The shell is the user's own machine in every other respect.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

import kame_py
from kame_py.cli.main import add_version
from kame_py.cli.usage import Parser

V6_SBIN: Final = "/usr/local/v6/sbin"
EX_FAILED: Final = 1


def main(argv: list[str]) -> int:
    """``kame shell [NODE]``; exit status of the shell."""
    parser = Parser(
        prog="kame shell", description="A shell whose ifconfig, mip6control, ... are a node's."
    )
    parser.add_argument("node", nargs="?", metavar="NODE", help="needed when several run")
    parser.add_argument("-c", dest="command", metavar="LINE", help="run one line and end")
    add_version(parser)
    args = parser.parse_args(argv)
    from kame_py.ctl.remote import NodeGone
    from kame_py.host.connect import find
    from kame_py.host.runtime import ENV_NODE, ENV_SERVER, RuntimeProblem, node_dir, wanted

    try:
        found = find(wanted(args.node))
        folder = node_dir(found.node) / "bin"
        write_tools(folder)
    except (NodeGone, RuntimeProblem, OSError) as problem:
        sys.stderr.write(f"kame shell: {problem}\n")
        return EX_FAILED
    env = {**os.environ, ENV_SERVER: f"unix://{found.path.absolute()}#{found.node}"}
    env.pop(ENV_NODE, None)
    env["PATH"] = f"{folder}:{env.get('PATH', os.defpath)}"
    env["KAME_SHELL"] = found.node
    return subprocess.run(_shell(folder, found.node, args.command, env), env=env).returncode


def write_tools(folder: Path) -> None:
    """One small program for each tool, and what bash reads first."""
    from kame_py.tools import TOOLS

    folder.mkdir(mode=0o700, exist_ok=True)
    for name in TOOLS:
        _write(folder / name, f'#!/bin/sh\nexec {_python()} -m kame_py.tools.{name} "$@"\n')
    lines = [f'function {V6_SBIN}/{name} {{ {name} "$@"; }}' for name in TOOLS]
    _write(folder / ".functions", "\n".join(lines) + "\n")
    _write(
        folder / ".bashrc",
        "[ -f ~/.bashrc ] && . ~/.bashrc\n"
        f"PATH={shlex.quote(str(folder))}:$PATH\n"
        f". {shlex.quote(str(folder / '.functions'))}\n"
        'PS1="$KAME_SHELL# "\n',
    )


def _write(path: Path, text: str) -> None:
    """A program in place of another one, which a second shell may be about to run."""
    if path.exists() and path.read_text() == text:
        return
    new = path.with_name(f"{path.name}.{os.getpid()}")
    new.write_text(text)
    new.chmod(0o700)
    new.replace(path)


def _python() -> str:
    """The interpreter as a tool is to run in it: nothing is imported from the current folder."""
    root = str(Path(kame_py.__file__).parent.parent)
    path = "" if root in sys.path[1:] else f"env PYTHONPATH={shlex.quote(root)} "
    return f"{path}{shlex.quote(sys.executable)} -P"


def _shell(folder: Path, node: str, command: str | None, env: dict[str, str]) -> list[str]:
    """The command line of the shell; sets what a bash of one line reads first."""
    bash = shutil.which("bash")
    if bash is None:
        sys.stderr.write(f"kame shell: no bash: {V6_SBIN} is not there, the PATH is\n")
        shell = os.environ.get("SHELL") or "/bin/sh"
        return [shell] if command is None else [shell, "-c", command]
    if command is not None or not sys.stdin or not sys.stdin.isatty():
        env["BASH_ENV"] = str(folder / ".functions")
        return [bash] if command is None else [bash, "-c", command]
    return [bash, "--rcfile", str(folder / ".bashrc"), "-i"]
