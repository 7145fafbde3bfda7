# SPDX-License-Identifier: BSD-3-Clause
"""No command writes over what it reads, nor one output over another, whatever their names."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from kame_py.cli.main import main
from tests.unit.replay.captures import capture, echo, ether

ME = "--lladdr=02:00:00:00:00:55"
OUTPUTS = ("--out", "--verdicts", "--report")
LAB = "until = 1\n[node.a]\n"


@pytest.fixture
def pcap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "x.pcap"
    path.write_bytes(capture((0, ether(echo()))).getvalue())
    monkeypatch.chdir(tmp_path)
    return path


def refused(capsys: pytest.CaptureFixture[str], files: tuple[Path, ...], *argv: str | Path) -> str:
    """What a command says that begins nothing: one line; no file is another one afterwards."""
    before = sorted(os.listdir())
    held = [(path.read_bytes(), path.stat().st_ino) for path in files]
    assert main([str(word) for word in argv]) in (1, 2)
    done = capsys.readouterr()
    assert done.out == "" and done.err.count("\n") == 1
    assert [(path.read_bytes(), path.stat().st_ino) for path in files] == held
    assert sorted(os.listdir()) == before
    return done.err


@pytest.mark.parametrize("option", OUTPUTS)
@pytest.mark.parametrize("name", ["x.pcap", "./x.pcap", "../{here}/x.pcap", "link", "hard"])
def test_an_output_is_no_capture_that_is_played(
    pcap: Path, capsys: pytest.CaptureFixture[str], option: str, name: str
) -> None:
    Path("link").symlink_to("x.pcap")
    Path("hard").hardlink_to("x.pcap")
    name = name.format(here=pcap.parent.name)
    said = refused(capsys, (pcap,), "replay", "x.pcap", ME, option, name)
    assert said == f"kame: {option} {name}: the same file as x.pcap, which is read\n"


def test_an_output_is_no_capture_of_a_directory(
    pcap: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said = refused(capsys, (pcap,), "replay", ".", ME, "--out", pcap)
    assert said == f"kame: --out {pcap}: the same file as ./x.pcap, which is read\n"


@pytest.mark.parametrize("option", ["--rc", "--kernconf"])
def test_an_output_is_no_description_of_the_node(
    pcap: Path, capsys: pytest.CaptureFixture[str], option: str
) -> None:
    text = Path("text")
    text.write_text("ifconfig fxp0 inet6\n" if option == "--rc" else "options MIP6\n")
    said = refused(capsys, (pcap, text), "replay", pcap, option, "text", "--report", "./text")
    assert said == f"kame: --report ./text: the same file as {option} text, which is read\n"


@pytest.mark.parametrize("other", ["o", "./o", "link"])
@pytest.mark.parametrize("there", [False, True])
def test_two_outputs_are_two_files(
    pcap: Path, capsys: pytest.CaptureFixture[str], other: str, there: bool
) -> None:
    Path("link").symlink_to("o")
    if there:
        Path("o").write_text("old")
    said = refused(capsys, (pcap,), "replay", pcap, ME, "--out", "o", "--verdicts", other)
    assert said == f"kame: --verdicts {other}: the same file as --out o, which is written\n"
    assert not there or Path("o").read_text() == "old"


def test_the_null_device_takes_any_number(pcap: Path) -> None:
    words = [word for option in OUTPUTS for word in (option, os.devnull)]
    assert main(["replay", str(pcap), ME, *words]) == 0


def run(*words: str | Path, stdin: Path, stdout: Path, mode: str = "wb") -> tuple[int, str]:
    with stdin.open("rb") as given, stdout.open(mode) as taken:
        command = [sys.executable, "-m", "kame_py", *map(str, words)]
        done = subprocess.run(
            command, stdin=given, stdout=taken, stderr=subprocess.PIPE, text=True, check=False
        )
    return done.returncode, done.stderr


def test_standard_streams_are_files_too(pcap: Path, tmp_path: Path) -> None:
    said, octets = tmp_path / "said", pcap.read_bytes()
    status, err = run("replay", "-", ME, "--out", pcap, stdin=pcap, stdout=said)
    assert (status, pcap.read_bytes()) == (1, octets)
    assert err == f"kame: --out {pcap}: the same file as standard input, which is read\n"
    status, err = run("replay", "-", ME, stdin=pcap, stdout=pcap, mode="ab")
    assert (status, pcap.read_bytes()) == (1, octets)
    assert err == "kame: standard output: the same file as standard input, which is read\n"
    status, err = run("replay", "-", ME, "--out", said, stdin=pcap, stdout=said)
    assert (status, said.read_bytes()) == (1, b"")
    assert err == f"kame: --out {said}: the same file as standard output\n"


def test_the_name_of_standard_output_is_written_through(pcap: Path, tmp_path: Path) -> None:
    said, name = tmp_path / "said", tmp_path / "stdout"
    name.symlink_to("/proc/self/fd/1")
    status, err = run("replay", pcap, ME, "--verdicts", name, stdin=pcap, stdout=said)
    assert (status, err) == (0, "") and name.is_symlink()
    lines = said.read_text().splitlines()
    assert lines[0].startswith('{"n": 1, ') and lines[1].startswith("1 packets over ")


@pytest.mark.parametrize("option", ["--pcap", "--report"])
def test_a_lab_file_stays(pcap: Path, capsys: pytest.CaptureFixture[str], option: str) -> None:
    lab = Path("lab.toml")
    lab.write_text(LAB)
    said = refused(capsys, (lab,), "lab", "run", lab, option, "./lab.toml")
    assert said == f"kame: {option} ./lab.toml: the same file as lab.toml, which is read\n"
    said = refused(capsys, (lab,), "lab", "run", lab, "--pcap", "p", "--report", "./p")
    assert said == "kame: --report ./p: the same file as --pcap p, which is written\n"


def test_nodes_that_run_do_not_write_over_their_description(
    pcap: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lab, rc = Path("lab.toml"), Path("rc")
    lab.write_text(LAB)
    rc.write_text("ifconfig fxp0\n")
    said = refused(capsys, (lab,), "up", lab, "--pcap", "./lab.toml")
    assert said == "kame up: --pcap ./lab.toml: the same file as FILE lab.toml, which is read\n"
    said = refused(capsys, (rc,), "vm", "--name", "a", "--rc", "rc", "--pcap", "./rc")
    assert said == "kame vm: --pcap ./rc: the same file as --rc rc, which is read\n"
