# SPDX-License-Identifier: BSD-3-Clause
"""Commands of a lab that fail are named with their lines; how commands are shown."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kame_py.cli.main import main
from kame_py.lab.labfile import load
from kame_py.lab.runner import LabRun
from kame_py.lab.schema import LabFile
from kame_py.lab.timeline import Entry
from kame_py.lab.topology import build

FAILING = '''[node.a]
rc="""
true
false
ifconfig nosuch0
sleep 99 &
kill sleep
"""
[[event]]
at = 1
node = "a"
run = "false"
'''
PROBLEMS = [
    ":4: a: false: exit status 1",
    ":5: a: ifconfig: exit status 1",
    ":12: a: false: exit status 1",
]


@pytest.mark.parametrize("option", ["", "-q", "--json"])
def test_failing_commands_are_named_and_change_no_status(
    option: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "z.toml"
    path.write_text(FAILING)
    assert main(["lab", "run", str(path), *([option] if option else [])]) == 0
    captured = capsys.readouterr()
    wanted = [f"{path}{text}" for text in PROBLEMS]
    assert captured.err.splitlines() == wanted
    if option == "--json":
        assert json.loads(captured.out)["problems"] == wanted


def told(text: str) -> list[str]:
    lab = load(text, "z.toml")
    assert isinstance(lab, LabFile)
    entries: list[Entry] = []
    LabRun(lab, sink=entries.append).run()
    return [e.text for e in entries if e.kind == "run"]


def test_commands_are_shown_with_their_quotes() -> None:
    text = '[node.a]\nrc = """echo \'a  b\' c > f\nkill `cat f`"""\n'
    assert told(text) == ["echo 'a  b' c", "kill `cat f`"]


@pytest.mark.parametrize("option", ["-q", "--until=5"])
def test_a_lab_without_expectations_says_so(
    option: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "z.toml"
    path.write_text("[node.a]\n")
    assert main(["lab", "run", str(path), option]) == 0
    assert capsys.readouterr().out.endswith("; the lab expects nothing\n")


@pytest.mark.parametrize("tool", ["netstat -rn", "ifconfig -a", "sysctl -a", "rtadvd fxp0"])
def test_another_node_is_refused_by_a_program(tool: str) -> None:
    lab = load("[node.a]\n[node.b]\n", "z.toml")
    assert isinstance(lab, LabFile)
    world = build(lab)
    name, _, rest = tool.partition(" ")
    result = world.nodes["a"].run(f"{name} --node b {rest}")
    why = f"{name}: --node b: this program runs on node a\n"
    assert (result.status, result.out, result.err) == (1, "", why)


def test_the_own_node_is_accepted() -> None:
    lab = load("[node.a]\n", "z.toml")
    assert isinstance(lab, LabFile)
    node = build(lab).nodes["a"]
    assert node.run("netstat --node a -rn").out == node.run("netstat -rn").out != ""
