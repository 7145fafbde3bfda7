# SPDX-License-Identifier: BSD-3-Clause
"""``kame replay`` over captures that nobody on this project made up."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from kame_py.cli.main import main
from kame_py.replay.pcap import open_capture
from kame_py.replay.verdict import FATES
from kame_py.trace.format import frame_summary
from tests.support import data_files

CAPTURES = data_files("captures/**/*.pcap") + data_files("fuzz/*.pcap")
ATTACKS = data_files("attacks/*.pcap.gz")
VICTIM_RC = """\
sysctl -w net.inet6.ip6.accept_rtadv=1
ifconfig fxp0 inet6 2001:db8:1::b prefixlen 64 alias
"""
ZEEK_DST = "2001:4f8:4:7:2e0:81ff:fe52:9a6b"

Report = dict[str, Any]


def name(path: Path) -> str:
    return path.name


def replayed(capsys: pytest.CaptureFixture[str], *argv: str | Path, status: int = 0) -> Report:
    """The JSON of one run; what every run must hold is checked here."""
    assert main(["replay", "--json", *map(str, argv)]) == status
    report: Report = json.loads(capsys.readouterr().out)
    assert tuple(report["fates"]) == FATES
    assert sum(report["fates"].values()) == report["packets"]
    assert sum(report["drops"].values()) == report["fates"]["dropped"]
    assert not report["problems"]
    return report


def lines(path: Path) -> list[Report]:
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.mark.parametrize("options", ["", "MIP6,IPSEC,IPSEC_ESP"], ids=["plain", "all-options"])
@pytest.mark.parametrize("path", CAPTURES, ids=name)
def test_every_packet_of_every_capture_has_one_fate(
    path: Path, options: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    verdicts = tmp_path / "v.jsonl"
    report = replayed(capsys, path, "--options", options, "--verdicts", verdicts)
    with path.open("rb") as f:
        records = [(r.n, r.t_ns) for r in open_capture(f)]
    assert [(v["n"], v["fate"] in FATES) for v in lines(verdicts)] == [
        (n, True) for n, _ in records
    ]
    assert report["packets"] == len(records)


@pytest.mark.parametrize("path", ATTACKS, ids=name)
def test_an_attacked_host_stays_bounded(
    path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rc = tmp_path / "rc"
    rc.write_text(VICTIM_RC)
    report = replayed(capsys, path, "--lladdr", "02:00:00:00:00:bb", "--rc", rc)
    assert len(report["neighbors"]) <= 2 * 2048 + 1  # twice neighborgcthresh
    assert len(report["default_routers"]) <= 16
    assert len(report["addresses"]) <= 2 + 16


def test_a_host_configures_itself_from_a_recorded_router(
    data_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "sent.pcapng"
    path = data_dir / "captures" / "umip-ro-hl.pcap"
    report = replayed(capsys, path, "--lladdr", "02:00:00:00:00:55", "--out", out)
    assert "2001:db8:1::ff:fe00:55/64 autoconf" in report["addresses"]
    assert report["default_routers"] == ["fe80::ff:fe00:a0%fxp0"]
    assert report["fates"]["own"] == 0
    with out.open("rb") as f:
        sent = [frame_summary(r.data) for r in open_capture(f)]
    assert report["replies"] == len(sent)
    assert sum("router solicitation" in text for text in sent) == 1
    dad = [text for text in sent if text.startswith(":: > ") and "neighbor sol" in text]
    assert sum("fe80::ff:fe00:55" in text for text in dad) == 1
    assert sum("2001:db8:1::ff:fe00:55" in text for text in dad) == 1


def test_replies_hold_only_what_the_node_sent(
    data_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "sent.pcapng"
    path = data_dir / "captures" / "umip-ro-hl.pcap"
    replayed(capsys, path, "--as", "2001:db8:1::1234", "--out", out)
    with out.open("rb") as f:
        macs = {r.data[6:12].hex() for r in open_capture(f)}
    assert macs == {"020000000099"}


CHECKSUMS = data_files("captures/zeek/ip6-*-chksum.pcap")
BADSUM = {"udp": "UDP6_BADSUM", "tcp": "TCP6_BADSUM", "icmp6": "ICMP6_CHECKSUM"}


@pytest.mark.parametrize("path", CHECKSUMS, ids=name)
def test_checksum_verdicts_of_zeek_are_reproduced(
    path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Good and bad are in the names; the last hop of the routing headers is the node, too."""
    rc = tmp_path / "rc"
    rc.write_text(_zeek_rc("route0" in path.name))
    report = replayed(capsys, path, "--options", "MIP6", "--rc", rc)
    bad = BADSUM[next(proto for proto in BADSUM if f"-{proto}-" in path.name)]
    assert (bad in report["drops"]) is ("-bad-" in path.name), report["drops"]
    if "-good-" in path.name:
        # The frames are broadcasts: nobody is told that there is no socket.
        accepted = {"UDP6_NOPORTMCAST", "TCP6_MCAST"} & set(report["drops"])
        assert accepted or report["fates"]["consumed"] == 1, report


def _zeek_rc(routed: bool) -> str:
    text = f"ifconfig fxp0 inet6 {ZEEK_DST} prefixlen 64 alias\n"
    if routed:
        text += "ifconfig fxp0 inet6 2001:78:1:32::1 prefixlen 64 alias\n"
        text += "ifconfig fxp0 inet6 2001:78:1:32::2 prefixlen 64 alias\n"
    return text
