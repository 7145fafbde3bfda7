# SPDX-License-Identifier: BSD-3-Clause
"""The shell sessions of a page: its files are written, its `kame` lines run, the output compared.

A block ```` ```toml pair.toml ```` is a file of that name, ```` ```toml pair.toml + ```` goes on at
its end. In a ```` ```console ```` block a line `$ kame ...` is a command; what follows is its
output. A line `...` stands for any number of lines, `...` inside a line for any text.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

from tests.support import PROJECT_ROOT

_FENCE: Final = re.compile(r"^```(\S*)[ ]*(.*)$")
_PROMPT: Final = "$ "
TIMEOUT_S: Final = 120


class Block(NamedTuple):
    """A fenced block: its language, the words behind it, its lines, its line in the page."""

    lang: str
    info: str
    lines: list[str]
    at: int


class Step(NamedTuple):
    """A command of a session and the output shown under it."""

    command: str
    shown: list[str]
    at: int


def blocks(page: str) -> Iterator[Block]:
    """The fenced blocks of a page, in order."""
    opened: Block | None = None
    for number, line in enumerate(page.splitlines(), 1):
        fence = _FENCE.match(line)
        if fence is None:
            if opened is not None:
                opened.lines.append(line)
        elif opened is None:
            opened = Block(fence[1], fence[2], [], number)
        else:
            yield opened
            opened = None


def steps(block: Block) -> Iterator[Step]:
    """The commands of a console block."""
    found: Step | None = None
    for offset, line in enumerate(block.lines, 1):
        if line.startswith(_PROMPT):
            if found is not None:
                yield found
            found = Step(line.removeprefix(_PROMPT), [], block.at + offset)
        elif found is not None:
            found.shown.append(line)
    if found is not None:
        yield found


def write_file(block: Block, folder: Path) -> None:
    """Make or continue the file that the block names."""
    name, _, mode = block.info.partition(" ")
    with (folder / name).open("a" if mode == "+" else "w") as f:
        f.write("\n".join(block.lines) + "\n")


def run_kame(command: str, folder: Path) -> str:
    """What a `kame` line prints, errors included."""
    words = shlex.split(command)
    assert words[0] == "kame", command
    env = {**os.environ, "COLUMNS": "80", "PYTHONPATH": str(PROJECT_ROOT), "NO_COLOR": "1"}
    done = subprocess.run(
        [sys.executable, "-m", "kame_py", *words[1:]],
        cwd=folder,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    return done.stdout


def agrees(shown: list[str], printed: str) -> bool:
    """Whether the output is what the page shows; blanks at the ends of lines do not count."""
    parts: list[str] = []
    for line in shown:
        if line.strip() == "...":
            parts.append(r"(?:[^\n]*\n)*?")
        else:
            texts = (re.escape(text) for text in line.rstrip().split("..."))
            parts.append(r"[^\n]*?".join(texts) + r"\n")
    text = "".join(f"{line.rstrip()}\n" for line in printed.splitlines())
    return re.fullmatch("".join(parts), text) is not None


def play(page: Path, folder: Path) -> Iterator[tuple[Step, str]]:
    """Play a page from its top; every step whose output is not what the page shows."""
    (folder / "labs").symlink_to(PROJECT_ROOT / "labs")
    for block in blocks(page.read_text()):
        if block.lang == "console":
            for step in steps(block):
                if step.command.startswith("kame "):
                    printed = run_kame(step.command, folder)
                    if not agrees(step.shown, printed):
                        yield step, printed
        elif block.info:
            write_file(block, folder)
