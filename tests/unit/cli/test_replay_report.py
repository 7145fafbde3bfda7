# SPDX-License-Identifier: BSD-3-Clause
"""``--report`` and ``--fast`` of ``kame replay`` and ``kame lab run``: files, verdicts, numbers."""

from __future__ import annotations

import html
import json
import re
import signal
from functools import partial
from pathlib import Path

import pytest

from kame_py.cli.main import main
from kame_py.cli.replay_watch import Pace
from kame_py.replay import ReplayOptions, replay
from kame_py.replay.runner import Fast
from kame_py.replay.watch import Watch
from tests.support import data_dir
from tests.unit.replay.captures import OTHER_MAC, US_MAC, capture, echo, ether, ra

ME = "--lladdr=02:00:00:00:00:55"
STRAY = ether(echo(), dst=OTHER_MAC)
LAB = """
title = "A pair <b>bold</b>"
until = 4
[link]
lan = {}
[node.a]
kernel = ["MIP6"]
interfaces = { fxp0 = "lan" }
[node.b]
interfaces = { fxp0 = "lan" }
[[expect]]
at = 3
node = "b"
run = "ifconfig fxp0 inet6"
contains = "no such line"
"""


def kame(*argv: str | Path) -> int:
    return main([str(word) for word in argv])


@pytest.fixture
def pcap(tmp_path: Path) -> Path:
    path = tmp_path / "x.pcap"
    path.write_bytes(capture((0, ether(echo())), (1, STRAY), (2, ra())).getvalue())
    return path


def texts(path: Path) -> str:
    """What stands on a page, without its elements."""
    body = path.read_text().partition("</style>")[2]
    return html.unescape(re.sub(r"<[^>]*>", " ", body))


# -- the page -------------------------------------------------------------------------------------


def test_a_replay_writes_its_page(
    pcap: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "r.html"
    assert kame("replay", pcap, ME, "--report", out, "--explain", "3") == 0
    shown = texts(out)
    assert "Replay of x.pcap" in shown
    assert f"kame replay {pcap} {ME} --report {out} --explain 3" in shown
    assert "unicast to another station's address" in shown
    assert "default router" in shown and "Packet 3" in shown
    assert "Packets in each 20 ms" in shown
    assert capsys.readouterr().err == ""


def test_the_page_of_a_capture_that_breaks_off_says_so(pcap: Path, tmp_path: Path) -> None:
    pcap.write_bytes(pcap.read_bytes()[:-1])
    out = tmp_path / "r.html"
    assert kame("replay", pcap, ME, "--report", out) == 0
    assert "cut short in packet 3: 109 of 110 octets; last good packet 2" in texts(out)


def test_what_is_no_capture_is_on_the_page_of_many(pcap: Path, tmp_path: Path) -> None:
    (tmp_path / "no.pcap").write_bytes(b"hello world")
    out = tmp_path / "r.html"
    assert kame("replay", tmp_path, ME, "--report", out) == 1
    assert "no.pcap: not a capture file" in texts(out)


def test_an_interrupt_leaves_a_page_of_what_was_done(
    pcap: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pace = partial(Pace, now=lambda: 0.0, sleep=lambda seconds: signal.raise_signal(signal.SIGINT))
    monkeypatch.setattr("kame_py.cli.replay.Pace", pace)
    out = tmp_path / "r.html"
    assert kame("replay", pcap, ME, "--realtime", "--report", out) == 130
    shown = texts(out)
    assert "interrupted: the page shows what was done until then" in shown
    assert "packets  2" in re.sub(r"\s*\n?\s* {2,}", "  ", shown)


def test_a_lab_writes_its_page_and_names_what_failed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lab, out = tmp_path / "pair.toml", tmp_path / "r.html"
    lab.write_text(LAB)
    assert kame("lab", "run", lab, "-q", "--report", out) == 1
    assert "<b>bold</b>" not in out.read_text()
    shown = texts(out)
    assert "A pair <b>bold</b>" in shown
    assert "0 hold, 1 failed" in shown and "line 11: " in shown
    assert "By node" in shown


def test_bindings_and_signalling_of_a_capture_are_on_its_page(tmp_path: Path) -> None:
    """The home agent of a capture: what it binds, what it refuses, what it says itself."""
    out, rc = tmp_path / "r.html", tmp_path / "rc"
    rc.write_text("sysctl -w net.inet6.ip6.forwarding=1\nmip6control -T 0\nmip6control -g\n")
    source = data_dir() / "captures" / "generated-draft15.pcap"
    words = ("--options", "MIP6", "--as", "2001:db8:0:1::1", "--rc", rc, "--report", out)
    assert kame("replay", source, *words) == 0
    shown = texts(out)
    assert "2001:db8:0:1::100  in node, home registration" in shown
    assert shown.count("dropped: MIP6_BUSEQNO") == 3  # tooltip, arrow, table
    assert "BA seq 42, refused 141" in shown


# -- the fast path --------------------------------------------------------------------------------


@pytest.fixture
def strays(tmp_path: Path) -> Path:
    """Many packets of others, and some for the node among them."""
    path = tmp_path / "strays.pcap"
    frames = [(n / 1000, ether(echo()) if n % 500 == 3 else STRAY) for n in range(3000)]
    path.write_bytes(capture(*frames).getvalue())
    return path


def told(capsys: pytest.CaptureFixture[str], *argv: str | Path) -> dict[str, object]:
    assert kame("replay", *argv, "--json") == 0
    report: dict[str, object] = json.loads(capsys.readouterr().out)
    return report


def test_what_is_played_in_bulk_is_counted_and_the_rest_has_its_reason(
    strays: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    slow = told(capsys, strays, ME, "--fast", "off")
    fast = told(capsys, strays, ME, "--fast", "on")
    assert slow["in_bulk"] == 0 and slow["punts"] == {}
    punts = fast["punts"]
    assert isinstance(punts, dict) and isinstance(fast["in_bulk"], int)
    assert fast["in_bulk"] > 2900
    assert fast["in_bulk"] + sum(punts.values()) + 1 == 3000  # the first is always alone
    for name in ("packets", "fates", "drops", "replies", "counters", "neighbors"):
        assert fast[name] == slow[name], name


def test_the_report_names_them_too(
    strays: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "r.html"
    assert kame("replay", strays, ME, "--fast", "on", "--report", out) == 0
    printed = capsys.readouterr().out
    assert re.search(r"^29\d\d packets in bulk, one by one:\n +\d+ \w+", printed, re.MULTILINE)
    shown = texts(out)
    assert "in bulk" in shown and "Handled one by one because" in shown


def test_a_filter_takes_packets_one_by_one(
    strays: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = told(capsys, strays, ME, "--fast", "on", "-f", "icmp6")
    assert report["packets"] == 3000 and report["in_bulk"] == 0


class Octets(Watch):
    """Notes how far the file was read."""

    def __init__(self) -> None:
        self.seen: list[int | None] = []

    def goes_on(self, n: int, octets: int | None) -> bool:
        self.seen.append(octets)
        return True


def test_who_looks_on_hears_how_far_a_mapped_file_was_read(strays: Path) -> None:
    watch = Octets()
    with strays.open("rb") as f:
        replay(f, ReplayOptions(lladdr=US_MAC, fast=Fast.ON), watch=watch)
    known = [octets for octets in watch.seen if octets is not None]
    assert known == sorted(known) and len(known) > 2
    assert known[-1] == strays.stat().st_size
