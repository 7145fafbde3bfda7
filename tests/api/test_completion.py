# SPDX-License-Identifier: BSD-3-Clause
"""Shells complete what may be typed behind ``kame``."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from kame_py.cli.completion import SHELLS, tree
from kame_py.cli.lab import shipped
from kame_py.cli.main import COMMANDS
from kame_py.tools import TOOLS, load
from tests.support import run

KAME = (sys.executable, "-m", "kame_py")
NODES = ("ha", "mn")

needs_bash = pytest.mark.skipif(shutil.which("bash") is None, reason="no bash here")


@pytest.fixture(scope="module")
def scripts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the script for each shell, and a ``kame`` that knows two nodes."""
    folder = tmp_path_factory.mktemp("completion")
    for shell in SHELLS:
        done = run(*KAME, "completion", shell)
        assert (done.returncode, done.stderr) == (0, "")
        (folder / shell).write_text(done.stdout)
    kame = folder / "kame"
    kame.write_text(f'#!/bin/sh\n[ "$*" = "completion nodes" ] && printf "{"".join(_lines())}"\n')
    kame.chmod(0o755)
    return folder


def _lines() -> list[str]:
    return [f"{name}\\n" for name in NODES]


def by_bash(scripts: Path, typed: str) -> set[str]:
    """What bash offers for the last word of a line; a blank at the end begins a new one."""
    words = typed.split(" ")
    text = f"""source {shlex.quote(str(scripts / "bash"))}
COMP_WORDS=({" ".join(shlex.quote(word) for word in words)})
COMP_CWORD={len(words) - 1}
_kame
echo "${{COMPREPLY[@]}}"
"""
    env = os.environ | {"PATH": f"{scripts}:{os.environ['PATH']}"}
    done = subprocess.run(
        ["bash", "-c", text], env=env, capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    return set(done.stdout.split())


@needs_bash
def test_bash_offers_commands_and_tools(scripts: Path) -> None:
    assert {*COMMANDS, *TOOLS, "-N"} <= by_bash(scripts, "kame ")
    assert by_bash(scripts, "kame mip6c") == {"mip6control"}
    assert {*COMMANDS, *TOOLS} <= by_bash(scripts, "kame -N ha ")


@needs_bash
@pytest.mark.parametrize("name", TOOLS)
def test_bash_offers_every_option_of_a_tool(scripts: Path, name: str) -> None:
    tool = load(name)
    assert tool is not None
    letters = {f"-{letter}" for letter in tool.letters.replace(":", "")}
    words = letters | {"--help", "--version", "--json", "--node"}
    assert by_bash(scripts, f"kame {name} ") == words
    assert by_bash(scripts, f"kame -N ha {name} -") == words


@needs_bash
def test_bash_offers_subcommands_options_and_labs(scripts: Path) -> None:
    labs = {lab.name.removesuffix(".toml") for lab in shipped()}
    offered = by_bash(scripts, "kame lab ")
    assert offered == {"run", "check", "list", "show", "-h", "--help", "-V", "--version"}
    for words in ("lab run", "lab show", "lab check", "up"):
        assert labs <= by_bash(scripts, f"kame {words} ")
    assert labs.isdisjoint(by_bash(scripts, "kame lab list "))
    assert by_bash(scripts, "kame lab run --pcap x how") == {
        name for name in labs if name.startswith("how")
    }
    assert {"--until", "--seed", "--pcap", "--json", "--quiet", "-q"} <= by_bash(
        scripts, "kame lab run -"
    )
    assert set(SHELLS) <= by_bash(scripts, "kame completion ")
    assert {"rtadvd", "rtadvd.conf", "kame-lab"} <= by_bash(scripts, "kame man ")


@needs_bash
@pytest.mark.parametrize(
    "typed",
    ["kame -N ", "kame ping6 --node ", "kame ping6 --node = ", "kame ping6 --node ="],
)
def test_bash_offers_nodes_that_run(scripts: Path, typed: str) -> None:
    assert by_bash(scripts, typed) == set(NODES)


@needs_bash
def test_bash_offers_nodes_where_a_command_is_about_one(scripts: Path) -> None:
    assert by_bash(scripts, "kame shell m") == {"mn"}
    assert set(NODES) <= by_bash(scripts, "kame stop ")
    assert set(NODES).isdisjoint(by_bash(scripts, "kame demo "))


def test_without_nodes_there_are_no_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAME_RUNTIME_DIR", str(tmp_path))
    done = run(*KAME, "completion", "nodes")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_shell_can_read_its_script(scripts: Path, shell: str) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"no {shell} here")
    done = run(shell, "-n", str(scripts / shell))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_fish_offers_what_bash_does(scripts: Path) -> None:
    if shutil.which("fish") is None:
        pytest.skip("no fish here")

    def offered(typed: str) -> set[str]:
        text = f"source {scripts / 'fish'}; complete -C {shlex.quote(typed)}"
        env = os.environ | {"PATH": f"{scripts}:{os.environ['PATH']}", "HOME": str(scripts)}
        done = subprocess.run(
            ["fish", "--no-config", "-c", text],
            env=env,
            cwd=scripts,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, "")
        return {line.partition("\t")[0] for line in done.stdout.splitlines()}

    assert {*COMMANDS, *TOOLS} <= offered("kame ")
    assert {"-h", "-a", "--json"} <= offered("kame mip6control -")
    assert "howto" in offered("kame lab run how")
    assert set(NODES) <= offered("kame -N ")


@pytest.mark.parametrize("path", [path for path in tree() if path], ids=" ".join)
def test_every_chain_of_words_has_help_behind_it(path: tuple[str, ...]) -> None:
    assert "--help" in {word.text for word in tree()[path]}
