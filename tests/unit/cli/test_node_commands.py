# SPDX-License-Identifier: BSD-3-Clause
"""Commands about running nodes, given what cannot be used: one line, and the status of its kind."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from kame_py.cli.completion import tree
from kame_py.cli.main import main
from kame_py.cli.shell import write_tools
from kame_py.cli.up import socket_path


@pytest.fixture(autouse=True)
def runtime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Nothing runs where these commands look."""
    folder = tmp_path / "run"
    monkeypatch.setenv("KAME_RUNTIME_DIR", str(folder))
    for name in ("KAME_SERVER", "KAME_NODE"):
        monkeypatch.delenv(name, raising=False)
    return folder


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--name", ""], "--name '': letters, digits, - and _, 200 at most"),
        (["--name", "../../x"], "--name '../../x': letters, digits, - and _, 200 at most"),
        (["--name", "a\nb"], "--name 'a\\nb': letters, digits, - and _, 200 at most"),
        (["--name", "a", "--ifname", "lo0"], "--ifname lo0: the kernel makes that one itself"),
        (["--name", "a", "--ifname", ""], "--ifname '': not like fxp0"),
        (["--name", "a", "--ifname", "a b0"], "--ifname 'a b0': not like fxp0"),
        (["--name", "a", "--mac", "00:00:00:00:00:00"], "--mac 00:00:00:00:00:00: no station's"),
        (["--name", "a", "--rc", "{binary}"], "binary: not a text in UTF-8"),
        (["--name", "a", "--kernconf", "{binary}"], "binary: not a text in UTF-8"),
        (["--name", "a", "--pcap", "{missing}/x"], "/x: No such file or directory"),
    ],
)
def test_vm_refuses_what_it_cannot_use(
    words: list[str], says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "binary").write_bytes(b"\xd0\xff")
    places = {"binary": tmp_path / "binary", "missing": tmp_path / "missing"}
    assert main(["vm", "-q", *(word.format(**places) for word in words)]) == 2
    err = capsys.readouterr().err
    assert says in err and err.startswith("kame vm: ") and err.count("\n") == 1


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--bus", ""], "kame vm: bus: which one is not said\n"),
        (["--socket", "/nonexistent/x"], "kame vm: /nonexistent/x: No such file or directory\n"),
        (["--pcap", "/dev/full"], "/dev/full: No space left on device; the capture ends here"),
    ],
)
def test_vm_fails_with_what_is_not_there(
    words: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["vm", "-q", "--name", "a", *words]) == 1
    assert says in capsys.readouterr().err


def test_a_link_has_one_wire(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    wires = ["-w", f"home=bus:{tmp_path}", "-w", "home=tap:x"]
    assert main(["up", "live", *wires]) == 2
    assert "--wire home=tap:x: link home has a wire already" in capsys.readouterr().err


def test_ps_names_the_server_that_it_was_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setenv("KAME_SERVER", f"unix://{tmp_path}/gone.sock#a")
    assert main(["ps"]) == 1
    assert f"no running node at {tmp_path}/gone.sock" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["tcpdump", "-i"], "tcpdump: option requires an argument -- i\n"),
        (["ifconfig", "--bad"], "ifconfig: illegal option -- bad\n"),
        (["ndp", "-Q"], "ndp: illegal option -- Q\n"),
    ],
)
def test_wrong_options_are_told_without_a_node(
    words: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == 1
    err = capsys.readouterr().err
    assert err.startswith(says) and "usage: " in err and "no running node" not in err


def test_node_in_front_of_a_tool_is_explained(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--node", "ha", "ifconfig"]) == 2
    assert capsys.readouterr().err == (
        "kame: --node: goes behind the tool; in front of it say -N NAME\n"
    )


def test_completion_knows_options_whose_value_has_an_equals_sign() -> None:
    assert {"-w", "--wire", "--pcap"} <= {word.text for word in tree()[("up",)]}


def test_socket_has_a_short_name_without_odd_letters() -> None:
    name = socket_path(f"/x/my lab #1 {'y' * 200}.toml").name
    assert name.startswith("my_lab__1_yyy") and len(name) < 60


def test_tools_of_a_shell_import_nothing_from_where_it_is(tmp_path: Path) -> None:
    write_tools(tmp_path / "bin")
    assert " -P -m kame_py.tools.had " in (tmp_path / "bin" / "had").read_text()


def test_tools_of_a_shell_are_not_written_anew_under_another_one(tmp_path: Path) -> None:
    write_tools(tmp_path / "bin")
    had = tmp_path / "bin" / "had"
    before = had.stat()
    write_tools(tmp_path / "bin")
    assert had.stat() == before
    had.write_text("of another version")
    with had.open() as runs:
        write_tools(tmp_path / "bin")
        assert runs.read() == "of another version"
    assert had.read_text().startswith("#!/bin/sh\n") and had.stat().st_mode & 0o777 == 0o700


def test_no_capture_is_written_to_a_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    assert main(["vm", "--name", "a", "--pcap", "-"]) == 2
    assert capsys.readouterr().err == "kame vm: --pcap -: standard output is a terminal\n"
