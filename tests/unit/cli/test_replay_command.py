# SPDX-License-Identifier: BSD-3-Clause
"""The words of ``kame replay``: arguments, files, exit status, output."""

from __future__ import annotations

import gzip
import json
import os
from pathlib import Path

import pytest

from kame_py.cli.main import main
from tests.unit.replay.captures import OTHER_MAC, capture, echo, ether

ME = "--lladdr=02:00:00:00:00:55"


@pytest.fixture
def pcap(tmp_path: Path) -> Path:
    path = tmp_path / "x.pcap"
    path.write_bytes(capture((0, ether(echo())), (1, ether(echo(), dst=OTHER_MAC))).getvalue())
    return path


def kame(*argv: str | Path) -> int:
    try:
        return main(["replay", *map(str, argv)])
    except SystemExit as stop:
        return int(stop.code or 0)


def test_report_for_people(pcap: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert kame(pcap, ME) == 0
    out = capsys.readouterr().out
    assert out.startswith("2 packets over 1.000000000 s, replayed in ")
    assert "1 consumed\n" in out
    assert "ETHER_NOTFORUS       unicast to another station's address\n" in out
    assert "address         fe80::ff:fe00:55%fxp0/64\n" in out


def test_json_has_the_agreed_members(pcap: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert kame(pcap, ME, "--json", "--ifname", "em1") == 0
    report = json.loads(capsys.readouterr().out)
    assert report["packets"] == 2
    assert {k: v for k, v in report["fates"].items() if v} == {"consumed": 1, "dropped": 1}
    assert report["drops"] == {"ETHER_NOTFORUS": 1}
    assert report["replies"] > 0
    assert report["binding_cache"] == []
    assert report["seconds"] > 0 and report["packets_per_second"] > 0
    assert report["addresses"] == ["fe80::ff:fe00:55%em1/64"]


def test_verdict_lines(pcap: Path, tmp_path: Path) -> None:
    out = tmp_path / "v"
    assert kame(pcap, ME, "--verdicts", out) == 0
    assert out.read_text() == (
        '{"n": 1, "t": 1700000000.000000000, "fate": "consumed", "reason": null}\n'
        '{"n": 2, "t": 1700000001.000000000, "fate": "dropped", "reason": "ETHER_NOTFORUS"}\n'
    )


def test_a_gzipped_capture_is_read(pcap: Path, capsys: pytest.CaptureFixture[str]) -> None:
    packed = pcap.with_suffix(".gz")
    packed.write_bytes(gzip.compress(pcap.read_bytes()))
    assert kame(packed, "--json") == 0
    assert json.loads(capsys.readouterr().out)["packets"] == 2


def test_a_cut_gzip_file_counts_what_was_read(
    pcap: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    packed = pcap.with_suffix(".gz")
    packed.write_bytes(gzip.compress(pcap.read_bytes() + bytes(99_999))[:-60])
    assert kame(packed, "--json") == 0
    done = capsys.readouterr()
    assert json.loads(done.out)["last_good"] >= 2
    assert f"kame: {packed}: " in done.err


def test_a_cut_capture_is_reported_and_good(pcap: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pcap.write_bytes(pcap.read_bytes()[:-1])
    assert kame(pcap, ME, "--json") == 0
    done = capsys.readouterr()
    assert done.err == (
        f"kame: {pcap}: cut short in packet 2: 69 of 70 octets; last good packet 1\n"
    )
    report = json.loads(done.out)
    assert report["last_good"] == report["packets"] == 1


@pytest.mark.parametrize(
    ("text", "why"),
    [(b"", "too short"), (b"hello world", "not a capture file"), (None, "No such file")],
)
def test_what_is_no_capture_is_one_line(
    text: bytes | None, why: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "x"
    if text is not None:
        path.write_bytes(text)
    out = tmp_path / "out"
    assert kame(path, "--out", out, "--verdicts", tmp_path / "v") == 1
    done = capsys.readouterr()
    assert done.out == ""
    assert done.err.startswith(f"kame: {path}: ") and why in done.err
    assert done.err.count("\n") == 1
    assert not out.exists() and not list(tmp_path.glob(".kame*"))


@pytest.mark.parametrize(
    ("argv", "why"),
    [
        (("--options", "MIP6_DEBG"), "unknown kernel option MIP6_DEBG; did you mean MIP6_DEBUG"),
        (("--as", "2001:db8::77"), "2001:db8::77 is not in the capture"),
        (("--rc", "/nonexistent"), "No such file"),
        (("--kernconf", "/nonexistent"), "No such file"),
    ],
)
def test_unusable_arguments(
    argv: tuple[str, ...], why: str, pcap: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert kame(pcap, *argv) == 1
    done = capsys.readouterr()
    assert why in done.err and "Traceback" not in done.err
    assert done.out == ""


@pytest.mark.parametrize(
    ("argv", "why"),
    [
        (("--lladdr", "xx"), "--lladdr: xx: not a MAC address such as 02:00:00:00:00:55"),
        (("--lladdr", "33:33:0:0:0:1"), "--lladdr: 33:33:0:0:0:1: a group address, no station's"),
        (("--as", "2001:db8::zz"), "--as: 2001:db8::zz: not an IPv6 address"),
        (("--ifname", "x/y"), "--ifname: x/y: not a name for an interface, such as fxp0"),
        (("-f", "host a/b"), "--filter: a/b: "),
        (("--speed",), "--speed: expected one argument"),
        (("--bogus",), "--bogus: not known"),
    ],
)
def test_a_wrong_command_line_is_one_line(
    argv: tuple[str, ...], why: str, pcap: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert kame(pcap, *argv) == 2
    done = capsys.readouterr()
    assert done.err.startswith(f"kame replay: {why}")
    assert done.err.endswith("; kame replay --help tells more\n")
    assert (done.err.count("\n"), done.out) == (1, "")


def test_options_come_from_a_kernel_configuration_too(
    pcap: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    conf = tmp_path / "KERNEL"
    conf.write_text("options MIP6\noptions BOGUS\n")
    assert kame(pcap, "--kernconf", conf) == 1
    assert capsys.readouterr().err == f"kame: {conf}:2: unknown kernel option BOGUS\n"
    conf.write_text("options IPSEC\npseudo-device gif 1\n")
    assert kame(pcap, "--kernconf", conf, "--options", "") == 0


def test_rc_reads_files_beside_it_and_tells_what_failed(
    pcap: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rc = tmp_path / "boot" / "rc"
    rc.parent.mkdir()
    (rc.parent / "words").write_text("beside the rc\n")
    rc.write_text("cat words\nnosuchprogram\n")
    assert kame(pcap, ME, "--rc", rc, "--json") == 1
    done = capsys.readouterr()
    assert done.err.startswith("beside the rc\n")
    assert f"kame: {rc}: line 2: nosuchprogram: exit status 127\n" in done.err
    assert "line 2: nosuchprogram: exit status 127" in json.loads(done.out)["problems"]


def test_a_line_of_rc_that_cannot_be_run_is_an_error(
    pcap: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rc = tmp_path / "rc"
    rc.write_text("ifconfig fxp0\nls | wc\n")
    assert kame(pcap, "--rc", rc) == 1
    assert capsys.readouterr().err == f"kame: {rc}:2: |: not supported\n"


def test_the_rc_decides_what_the_node_is(
    pcap: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rc = tmp_path / "rc"
    rc.write_text("ifconfig fxp0 inet6 2001:db8:7::1 prefixlen 48 alias\n")
    assert kame(pcap, ME, "--rc", rc, "--json") == 0
    assert "2001:db8:7::1/48" in json.loads(capsys.readouterr().out)["addresses"]


def test_trace_shows_the_way_of_one_packet(pcap: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert kame(pcap, ME, "--trace", "1") == 0
    out = capsys.readouterr().out
    assert "Packet 1\n" in out and "  ether_input fxp0\n" in out and "  = consumed\n" in out


def test_output_to_a_pipe_is_not_renamed(pcap: Path) -> None:
    out, into = os.pipe()
    try:
        assert kame(pcap, ME, "--verdicts", f"/dev/fd/{into}") == 0
        assert os.read(out, 9) == b'{"n": 1, '
    finally:
        os.close(out)
        os.close(into)


def test_an_output_that_cannot_be_written_is_one_line(
    pcap: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert kame(pcap, "--out", "/nonexistent/x") == 1
    assert capsys.readouterr().err == "kame: /nonexistent/x: No such file or directory\n"


def test_a_packet_that_is_not_there_has_no_way(
    pcap: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert kame(pcap, ME, "--trace", "3") == 0
    err = capsys.readouterr().err
    assert err == f"kame: {pcap}: --explain 3: no such packet; the capture has 2, counted from 1\n"


def test_a_packet_of_the_node_itself_has_no_way(
    pcap: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sender = ether(echo())[6:12].hex(":")
    assert kame(pcap, f"--lladdr={sender}", "--trace", "1") == 0
    assert "  = own: the node sent it itself" in capsys.readouterr().out


def test_who_plays_a_capture_to_a_stranger_is_told_how_to_be_in_it(
    pcap: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    hint = f"kame: {pcap}: no packet was for the node: --as ADDR makes it one of the hosts\n"
    assert kame(pcap, "--json") == 0
    assert capsys.readouterr().err == hint
    for words in ((ME,), ("--as", "fe80::5"), ("-f", "ip6 proto 6")):
        kame(pcap, *words, "--json")
        assert hint not in capsys.readouterr().err
