# SPDX-License-Identifier: BSD-3-Clause
"""The kame command from outside: words, exit status, errors in one line, no half-written files."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from kame_py import __version__
from kame_py.cli.lab import shipped, whole_file
from kame_py.cli.main import main
from kame_py.replay.pcap import open_capture
from tests.support import PROJECT_ROOT, run

BAD_LAB = 'title = "bad"\n[link]\nlan = {}\n[node.a]\ninterfaces = { fxp0 = "lam" }\n'
GOOD_LAB = 'title = "good"\nuntil = 1\n[link]\nlan = {}\n[node.a]\ninterfaces = { fxp0 = "lan" }\n'


@pytest.fixture
def lab(tmp_path: Path) -> Path:
    path = tmp_path / "x.toml"
    path.write_text(GOOD_LAB)
    return path


def test_help_names_commands_and_tools(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    out = capsys.readouterr().out
    assert "lab" in out and "replay" in out and "ping6" in out


def test_no_word_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"kame-py {__version__}\n"


def test_an_unknown_command_is_one_line_with_a_hint(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["pingg6"]) == 2
    assert capsys.readouterr().err == "kame: pingg6: no such command; did you mean ping6\n"


def test_a_tool_answers_help_without_a_kernel(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sysctl", "--help"]) == 0
    assert "sysctl" in capsys.readouterr().out


@pytest.mark.parametrize("words", [["lab", "--help"], ["lab", "run", "--help"], ["demo", "-h"]])
def test_every_command_has_help(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(words)
    assert stop.value.code == 0
    assert capsys.readouterr().out.startswith("usage: kame")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("lab", "kame lab: COMMAND: missing; kame lab --help tells more"),
        ("lab run", "kame lab run: FILE: missing; kame lab run --help tells more"),
        ("lab run -q", "kame lab run: FILE: missing; kame lab run --help tells more"),
        ("lab check x --seed 1", "kame lab: --seed 1: not known; kame lab --help tells more"),
        ("replay", "kame replay: CAPTURE: missing; kame replay --help tells more"),
        ("demo -x", "kame demo: -x: not known; kame demo --help tells more"),
        ("up", "kame up: FILE: missing; kame up --help tells more"),
        ("vm", "kame vm: --name: missing; kame vm --help tells more"),
        ("ps x", "kame ps: x: not known; kame ps --help tells more"),
        ("stop a b", "kame stop: b: not known; kame stop --help tells more"),
        ("shell -x", "kame shell: -x: not known; kame shell --help tells more"),
        (
            "sleep x",
            "kame sleep: SECONDS: x: not a number of seconds; kame sleep --help tells more",
        ),
        ("plug", "kame plug: NODE.IF, WHERE: missing; kame plug --help tells more"),
        ("plug a b", "kame plug: a: not NODE.IF; kame plug --help tells more"),
        ("man -x", "kame man: -x: not known; kame man --help tells more"),
        ("completion", "kame completion: shell: missing; kame completion --help tells more"),
    ],
)
def test_a_wrong_command_line_is_told_in_one_line(
    words: str, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stop:
        main(words.split())
    assert stop.value.code == 2
    assert capsys.readouterr() == ("", says + "\n")


def test_start_loads_neither_numba_nor_construct_nor_rich() -> None:
    code = (
        "import sys; from kame_py.cli.main import main; main(['--help']);"
        "print([m for m in ('numba', 'numpy', 'construct', 'rich', 'cryptography')"
        " if m in sys.modules], file=sys.stderr)"
    )
    assert run(sys.executable, "-c", code).stderr == "[]\n"


def test_check_of_a_good_lab(lab: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["lab", "check", str(lab)]) == 0
    assert capsys.readouterr().out == f"{lab}: good: 1 node, 1 link, 0 expectations\n"


def test_check_tells_file_line_and_the_likely_name(
    lab: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lab.write_text(BAD_LAB)
    assert main(["lab", "check", str(lab)]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith(f"{lab}:5: ")
    assert captured.err.endswith("; did you mean lan\n")


@pytest.mark.parametrize("command", ["check", "run", "show"])
def test_a_missing_file_is_status_2_in_one_line(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["lab", command, "toor"]) == 2
    err = capsys.readouterr().err
    assert err == "kame: toor: No such file or directory; did you mean the lab tour\n"


def test_a_file_that_is_no_text_is_status_2(lab: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lab.write_bytes(b"\xff\xfe\0")
    assert main(["lab", "check", str(lab)]) == 2
    assert "not UTF-8" in capsys.readouterr().err


def test_a_directory_is_status_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["lab", "run", str(tmp_path)]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_list_shows_every_shipped_lab_with_its_title(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["lab", "list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(shipped()) > 5
    assert any(line.startswith("tour ") and "router" in line for line in lines)


def test_show_prints_the_file_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["lab", "show", "tour"]) == 0
    entry = next(e for e in shipped() if e.name == "tour.toml")
    assert capsys.readouterr().out == entry.read_text()


@pytest.mark.parametrize("value", ["-1", "nan", "inf", "soon"])
def test_until_wants_seconds(value: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["lab", "run", "tour", f"--until={value}"])
    assert stop.value.code == 2
    assert "not a number of seconds" in capsys.readouterr().err


def test_an_output_file_appears_only_when_it_is_whole(tmp_path: Path) -> None:
    target = tmp_path / "out.pcapng"
    target.write_bytes(b"old")
    with pytest.raises(RuntimeError), whole_file(str(target)) as f:
        f.write(b"half")
        raise RuntimeError
    assert target.read_bytes() == b"old"
    with whole_file(str(target)) as f:
        f.write(b"new")
        assert target.read_bytes() == b"old"
    assert target.read_bytes() == b"new"
    assert [p.name for p in tmp_path.iterdir()] == ["out.pcapng"]


def test_an_output_folder_that_is_missing_is_status_2(
    lab: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "no" / "out.pcapng"
    assert main(["lab", "run", str(lab), "--pcap", str(out)]) == 2
    assert capsys.readouterr().err == f"kame: {out}: No such file or directory\n"


def test_demo_runs_two_labs_and_explains_verdicts(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["demo"]) == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    assert captured.out.count(" expectations held, 0 failed") == 2
    assert "# The cable on the right is cut." in captured.out
    assert "# Home again: the bindings are taken back everywhere." in captured.out
    with (tmp_path / "howto.pcapng").open("rb") as f:
        assert sum(1 for _ in open_capture(f)) > 500
    for verdict in ("consumed", "ICMP6_BADLEN", "IP6_NOTMEMBER", "ND6_NOTENTRY", "ICMP6_REDIRBAD"):
        assert captured.out.count(verdict) >= 2 or verdict == "consumed", verdict


def test_demo_says_where_it_cannot_write(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["demo", "--no-replay", "--pcap", "/no/where.pcapng"]) == 1
    assert capsys.readouterr().err == "kame: /no/where.pcapng: No such file or directory\n"


def test_a_reader_that_leaves_early_gets_no_traceback() -> None:
    done = run("sh", "-c", f"{sys.executable} -m kame_py lab run tour | head -1")
    assert done.stdout.startswith("Tour")
    assert done.stderr == ""


def test_plain_text_where_there_is_no_terminal() -> None:
    done = run(sys.executable, "-m", "kame_py", "lab", "run", "dad")
    assert done.returncode == 0
    assert "\x1b" not in done.stdout


def test_a_full_disk_behind_the_output_is_one_line() -> None:
    done = subprocess.run(
        f"{sys.executable} -m kame_py lab list > /dev/full",
        shell=True,
        cwd=PROJECT_ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr == "kame: output: No space left on device\n"


def test_a_closed_output_is_no_failure() -> None:
    done = subprocess.run(
        f"{sys.executable} -m kame_py lab run dad -q >&-",
        shell=True,
        cwd=PROJECT_ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_a_program_that_is_not_there_is_noted(
    lab: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lab.write_text(GOOD_LAB + 'rc = """\necho\nifconfg fxp0 up\n"""\n')
    assert main(["lab", "check", str(lab)]) == 0
    note = f"{lab}:9: there is no program ifconfg; did you mean ifconfig\n"
    assert capsys.readouterr().out.startswith(note)
