# SPDX-License-Identifier: BSD-3-Clause
"""``kame replay`` with many captures, filters, pace, interrupts and a terminal to look at."""

from __future__ import annotations

import gzip
import io
import json
import lzma
import os
import pty
import signal
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
import zstandard
from rich.console import Console
from rich.progress import Progress

from kame_py.cli import replay_watch
from kame_py.cli.main import main
from kame_py.cli.replay_watch import Interrupt, Pace
from kame_py.kern.clock import NS
from kame_py.replay.capture import Record
from kame_py.replay.pcap import open_capture
from tests.support import PROJECT_ROOT
from tests.unit.replay.captures import OTHER_MAC, capture, echo, ether, ra

ME = "--lladdr=02:00:00:00:00:55"
ECHO = ether(echo())
STRAY = ether(echo(), dst=OTHER_MAC)


def kame(*argv: str | Path) -> int:
    try:
        return main(["replay", *map(str, argv)])
    except SystemExit as stop:
        return int(stop.code or 0)


def write(path: Path, *frames: tuple[float, bytes]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(capture(*frames).getvalue())
    return path


@pytest.fixture
def pcap(tmp_path: Path) -> Path:
    return write(tmp_path / "x.pcap", (0, ECHO), (1, STRAY), (2, ra()))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Captures under all names that count, and a file that is none."""
    top = tmp_path / "captures"
    plain = write(top / "b.pcap", (0, ECHO)).read_bytes()
    write(top / "a" / "z.CAP", (0, STRAY), (1, ECHO))
    (top / "c.pcap.gz").write_bytes(gzip.compress(plain))
    (top / "d.pcapng.zst").write_bytes(zstandard.ZstdCompressor().compress(plain))
    (top / "e.cap.xz").write_bytes(lzma.compress(plain))
    (top / "notes.txt").write_text("no capture")
    return top


# -- many captures --------------------------------------------------------------------------------


def test_a_directory_is_played_in_order_and_added_up(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert kame(folder, ME, "--json") == 0
    report = json.loads(capsys.readouterr().out)
    names = [Path(one["file"]).name for one in report["files"]]
    assert names == ["z.CAP", "b.pcap", "c.pcap.gz", "d.pcapng.zst", "e.cap.xz"]
    assert report["packets"] == 6
    assert {k: v for k, v in report["fates"].items() if v} == {"consumed": 5, "dropped": 1}
    assert report["drops"] == {"ETHER_NOTFORUS": 1}
    assert [one["packets"] for one in report["files"]] == [2, 1, 1, 1, 1]
    assert report["files"][0]["drops"] == {"ETHER_NOTFORUS": 1}
    assert report["interrupted"] is False


def test_each_capture_has_a_node_of_its_own(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = write(tmp_path / "1.pcap", (0, ra()))
    second = write(tmp_path / "2.pcap", (0, ECHO))
    assert kame(first, second, ME, "--json") == 0
    one, two = json.loads(capsys.readouterr().out)["files"]
    assert one["default_routers"] and not two["default_routers"]


def test_verdicts_of_many_captures_name_their_file(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "v"
    assert kame(folder, ME, "--verdicts", out) == 0
    rows = [json.loads(line) for line in out.read_text().splitlines()]
    assert [(Path(row["file"]).name, row["n"]) for row in rows][:3] == [
        ("z.CAP", 1),
        ("z.CAP", 2),
        ("b.pcap", 1),
    ]
    text = capsys.readouterr().out
    assert "6 packets of 5 captures, replayed in " in text
    assert f"          2         1  {folder / 'a' / 'z.CAP'}\n" in text


def test_replies_of_many_captures_are_one_capture(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "o.pcapng"
    assert kame(folder, ME, "--out", out, "--json") == 0
    with out.open("rb") as f:
        reader = open_capture(f)
        frames = sum(1 for _ in reader)
    assert frames > 5 and reader.error is None


def test_what_cannot_be_played_is_told_and_the_rest_goes_on(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "broken.pcap").write_bytes(b"hello world")
    assert kame(folder, ME, "--json") == 1
    done = capsys.readouterr()
    report = json.loads(done.out)
    assert report["packets"] == 6 and len(report["files"]) == 6
    broken = next(one for one in report["files"] if one["file"].endswith("broken.pcap"))
    assert broken["packets"] == 0 and broken["error"].startswith("not a capture file")
    assert done.err == f"kame: {folder / 'broken.pcap'}: {broken['error']}\n"


def test_a_directory_without_captures_is_an_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert kame(tmp_path) == 1
    assert capsys.readouterr().err == f"kame: {tmp_path}: no captures in it\n"


# -- filter ---------------------------------------------------------------------------------------


def test_only_matching_packets_are_played_under_their_own_numbers(
    pcap: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "v"
    words = ("-f", "not ether host 02:00:00:00:00:ee", "--verdicts", out, "--json")
    assert kame(pcap, ME, *words) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["packets"] == 2 and report["left_out"] == 1
    assert sum(report["fates"].values()) == 2 and report["drops"] == {}
    assert [json.loads(line)["n"] for line in out.read_text().splitlines()] == [1, 3]


def test_the_filter_decides_what_the_node_learns(
    pcap: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert kame(pcap, ME, "--filter", "ip6 dst fe80::ff:fe00:55", "--json") == 0
    assert json.loads(capsys.readouterr().out)["default_routers"] == []


def test_a_packet_that_is_left_out_cannot_be_explained(
    pcap: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert kame(pcap, ME, "-f", "multicast", "--explain", "1", "--explain", "3") == 0
    done = capsys.readouterr()
    assert done.err == f"kame: {pcap}: --explain 1: left out by the filter\n"
    assert "2 packets left out by the filter\n" in done.out
    assert "Packet 3\n" in done.out and "Packet 1\n" not in done.out


@pytest.mark.parametrize(
    ("argv", "why"),
    [
        (("-f", "host ("), "a value behind host is expected"),
        (("-f", "host router1"), "router1: not an address, and names are not looked up"),
        (("--speed", "0"), "not a number above 0"),
        (("--speed", "inf"), "not a number above 0"),
        (("--speed", "fast"), "not a number above 0"),
    ],
)
def test_unusable_words(
    argv: tuple[str, ...], why: str, pcap: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert kame(pcap, *argv) == 2
    assert why in capsys.readouterr().err


# -- pace -----------------------------------------------------------------------------------------


class Clock:
    """Time that passes only while somebody sleeps."""

    def __init__(self) -> None:
        self.t = 100.0
        self.slept: list[float] = []

    def now(self) -> float:
        return self.t

    def sleep(self, seconds: float) -> None:
        self.t += seconds
        self.slept.append(seconds)


def record(t_s: float) -> Record:
    return Record(1, round(t_s * NS), 1, b"", 0)


@pytest.mark.parametrize(("speed", "expected"), [(1.0, 10.0), (4.0, 2.5)])
def test_packets_wait_for_their_time(speed: float, expected: float) -> None:
    clock = Clock()
    pace = Pace(speed, lambda: True, lambda: None, clock.now, clock.sleep)
    for t_s in (50, 52, 51, 60):  # one stamp goes back: due at once
        assert pace.admits(record(t_s))
    assert sum(clock.slept) == pytest.approx(expected)
    assert max(clock.slept) <= replay_watch.SLICE_S


def test_a_wait_that_nobody_wants_ends() -> None:
    clock = Clock()
    pace = Pace(1.0, lambda: len(clock.slept) < 3, lambda: None, clock.now, clock.sleep)
    pace.admits(record(0))
    pace.admits(record(1000))
    assert len(clock.slept) == 3


# -- interrupts -----------------------------------------------------------------------------------


InterruptedPace = partial(
    Pace, now=lambda: 0.0, sleep=lambda seconds: signal.raise_signal(signal.SIGINT)
)


def test_an_interrupt_leaves_whole_files_of_what_was_done(
    pcap: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The signal comes while the second packet waits for its time."""
    monkeypatch.setattr("kame_py.cli.replay.Pace", InterruptedPace)
    verdicts, out = tmp_path / "v", tmp_path / "o"
    before = signal.getsignal(signal.SIGINT)
    words = ("--realtime", "--json", "--verdicts", verdicts, "--out", out)
    assert kame(pcap, ME, *words) == 130
    assert signal.getsignal(signal.SIGINT) is before
    done = capsys.readouterr()
    assert done.err == "kame: interrupted after 2 packets\n"
    report = json.loads(done.out)
    assert report["interrupted"] is True and report["packets"] == 2 and report["error"] is None
    assert len(verdicts.read_text().splitlines()) == 2
    with out.open("rb") as f:
        reader = open_capture(f)
        assert sum(1 for _ in reader) == report["replies"] and reader.error is None


def test_an_interrupt_ends_many_captures_too(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kame_py.cli.replay.Pace", InterruptedPace)
    assert kame(folder, ME, "--realtime", "--json") == 130
    report = json.loads(capsys.readouterr().out)
    assert report["interrupted"] is True and [one["packets"] for one in report["files"]] == [2]


def test_the_second_interrupt_comes_at_once() -> None:
    interrupt = Interrupt()
    with interrupt.listening():
        signal.raise_signal(signal.SIGINT)
        assert not interrupt.goes_on(1, None)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)


class Silent(io.BytesIO):
    """A pipe from which nothing comes; the signal does while one waits."""

    def read(self, size: int | None = -1) -> bytes:
        signal.raise_signal(signal.SIGINT)
        return pytest.fail("it goes on waiting")


def test_who_waits_for_octets_is_interrupted() -> None:
    interrupt = Interrupt()
    with interrupt.listening():
        pipe = interrupt.reader(Silent())
        with pytest.raises(InterruptedError):
            pipe.read(16)
        assert pipe.read(16) == b"" and not interrupt.goes_on(1, None)


def test_waiting_for_standard_input_is_interrupted() -> None:
    """A capture that comes through a pipe: half of it, then nothing, then the signal."""
    command = [sys.executable, "-m", "kame_py", "replay", "-", ME, "--json", "--verdicts"]
    into, out = os.pipe()
    replay = subprocess.Popen(
        [*command, f"/dev/fd/{out}", "--realtime"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        pass_fds=[out],
        cwd=PROJECT_ROOT,
    )
    os.close(out)
    try:
        assert replay.stdin is not None
        replay.stdin.write(capture((0, ECHO), (0.001, ECHO), (0.02, ECHO)).getvalue()[:-1])
        replay.stdin.flush()
        assert os.read(into, 1)  # it has begun: a verdict was written, so the handler is there
        replay.send_signal(signal.SIGINT)
        replay.wait(60)  # nobody closes the pipe
        done, err = replay.communicate()
    finally:
        os.close(into)
        replay.kill()
    assert replay.returncode == 130, err
    assert json.loads(done)["packets"] in (1, 2)
    assert err.startswith(b"kame: interrupted after ")


# -- terminal -------------------------------------------------------------------------------------


def on_terminal(*argv: str | Path) -> tuple[bytes, bytes]:
    """(standard output, what a terminal at standard error gets)."""
    master, slave = pty.openpty()
    try:
        done = subprocess.run(
            [sys.executable, "-m", "kame_py", "replay", *map(str, argv)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=slave,
            cwd=PROJECT_ROOT,
            env={**os.environ, "TERM": "xterm", "COLUMNS": "100"},
            check=True,
        )
        os.set_blocking(master, False)
        shown = os.read(master, 65536) if _readable(master) else b""
    finally:
        os.close(master)
        os.close(slave)
    return done.stdout, shown


def _readable(fd: int) -> bool:
    import select

    return bool(select.select([fd], [], [], 0)[0])


def test_a_terminal_sees_progress_and_nobody_else(
    pcap: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, shown = on_terminal(pcap, ME, "--json")
    assert json.loads(out)["packets"] == 3
    assert b"x.pcap" in shown and b"packets" in shown and b"%" in shown
    assert kame(pcap, ME, "--json") == 0
    assert capsys.readouterr().err == ""


class Times:
    """A clock that is set."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> Callable[[float, int], dict[str, str]]:
    """What a bar of one file says at a time, so many packets into it; 0: kernels are compiled."""
    clock = Times()
    monkeypatch.setattr(replay_watch, "time", clock)
    progress = Progress(console=Console(file=io.StringIO()), auto_refresh=False)
    bar = replay_watch.Bar(progress, [None])
    bar.begin("x.pcap", io.BytesIO())

    def show(now: float, n: int) -> dict[str, str]:
        clock.now = now
        if n:
            assert bar.goes_on(n, None)
        else:
            bar.waits("compiling")
        task = progress.tasks[0]
        return {"description": task.description, **task.fields}

    return show


def test_the_rate_is_that_of_the_last_seconds(
    shown: Callable[[float, int], dict[str, str]],
) -> None:
    assert shown(1, 1000)["rate"] == "1,000/s"
    assert shown(2, 2000)["rate"] == "1,000/s"
    assert shown(3, 12_000)["rate"] == "5,500/s"
    assert shown(4, 22_000) == {"description": "x.pcap", "packets": "22,000", "rate": "10,000/s"}


def test_while_kernels_are_compiled_the_bar_says_so(
    shown: Callable[[float, int], dict[str, str]],
) -> None:
    shown(1, 8192)
    assert shown(1.1, 0)["description"] == "x.pcap: compiling"
    assert shown(1.5, 8192)["description"] == "x.pcap: compiling"
    assert shown(9, 9216) == {"description": "x.pcap", "packets": "9,216", "rate": ""}
    assert shown(10, 1_009_216)["rate"] == "1,000,000/s"
