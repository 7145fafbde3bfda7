# SPDX-License-Identifier: BSD-3-Clause
"""Every command and tool says what it is and which version, in each way it can be started."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from kame_py import __version__
from kame_py.cli.main import COMMANDS
from kame_py.tools import TOOLS, load
from tests.support import run

#: Every command with its sub-commands.
WORDS = [
    *([name] for name in COMMANDS),
    *(["lab", name] for name in ("run", "check", "list", "show")),
]
HEAVY = ("numba", "numpy", "construct", "asyncio", "rich", "cryptography")


def kame(*words: str) -> subprocess.CompletedProcess[str]:
    return run(sys.executable, "-m", "kame_py", *words)


@pytest.mark.parametrize("option", ["--help", "-h"])
@pytest.mark.parametrize("words", WORDS, ids=" ".join)
def test_command_has_help(words: list[str], option: str) -> None:
    done = kame(*words, option)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"usage: kame {' '.join(words)} ")
    assert "show the version and exit" in done.stdout


@pytest.mark.parametrize("option", ["--version", "-V"])
@pytest.mark.parametrize("words", [[], *WORDS], ids=" ".join)
def test_command_has_a_version(words: list[str], option: str) -> None:
    done = kame(*words, option)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"kame-py {__version__}\n"


@pytest.mark.parametrize("words", [["--help"], ["-h"], ["help"]], ids=" ".join)
def test_kame_names_all_commands_and_tools(words: list[str]) -> None:
    done = kame(*words)
    assert (done.returncode, done.stderr) == (0, "")
    assert all(f"\n  {name} " in done.stdout for name in COMMANDS)
    assert all(f" {name}" in done.stdout for name in TOOLS)


def test_help_in_front_of_a_word_is_its_help() -> None:
    assert kame("help", "replay").stdout == kame("replay", "--help").stdout != ""
    assert kame("help", "ndp").stdout == kame("ndp", "--help").stdout != ""
    assert kame("help", "nothing").returncode == 2


@pytest.mark.parametrize("name", TOOLS)
def test_tool_has_help_as_a_command_and_as_a_module(name: str) -> None:
    done = kame(name, "--help")
    assert (done.returncode, done.stderr) == (0, "")
    tool = load(name)
    assert tool is not None
    assert done.stdout.startswith(f"usage: {name} ")
    assert tool.summary[:30] in done.stdout
    assert all(f"\n  -{letter}" in done.stdout for letter in tool.letters.replace(":", ""))
    assert "--version" in done.stdout and done.stdout.endswith("\n")
    assert max(map(len, done.stdout.splitlines())) <= 100
    alone = run(sys.executable, "-m", f"kame_py.tools.{name}", "--help")
    assert (alone.returncode, alone.stdout, alone.stderr) == (0, done.stdout, "")


@pytest.mark.parametrize("name", TOOLS)
def test_tool_has_a_version_as_a_command_and_as_a_module(name: str) -> None:
    for done in (
        kame(name, "--version"),
        run(sys.executable, "-m", f"kame_py.tools.{name}", "--version"),
    ):
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout == f"{name} (kame-py) {__version__}\n"


@pytest.mark.parametrize("name", TOOLS)
def test_tool_without_a_node_is_one_line(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KAME_RUNTIME_DIR", str(tmp_path))
    done = kame(name)
    assert (done.returncode, done.stdout) == (1, "")
    hint = "no running node (start one with: kame up labs/howto.toml)"
    assert done.stderr == f"{name}: {hint}\n"


@pytest.mark.parametrize(
    "words",
    [["--version"], ["--help"], *([name, "--help"] for name in (*COMMANDS, *TOOLS))],
    ids=" ".join,
)
def test_help_loads_nothing_heavy(words: list[str]) -> None:
    done = run(sys.executable, "-X", "importtime", "-m", "kame_py", *words)
    loaded = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert "kame_py" in loaded
    assert loaded.isdisjoint(HEAVY)
