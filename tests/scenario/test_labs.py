# SPDX-License-Identifier: BSD-3-Clause
"""Every shipped lab holds what it promises, tells it, and can be captured and repeated."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from kame_py.cli.lab import load_lab, shipped
from kame_py.cli.main import main
from kame_py.lab.runner import LabRun
from kame_py.lab.timeline import Entry
from kame_py.replay.pcap import open_capture

LABS = [entry.name.removesuffix(".toml") for entry in shipped()]


@pytest.mark.parametrize("name", LABS)
def test_shipped_lab_holds_its_expectations(name: str) -> None:
    run = LabRun(load_lab(name))
    run.run()
    assert [o for o in run.outcomes if not o.ok] == []
    assert run.crashes == []
    assert len(run.outcomes) == len(run.lab.expects) > 0
    for node in run.world.nodes.values():
        assert node.kernel.created == sum(node.kernel.fates.values()), node


@pytest.mark.parametrize("name", LABS)
def test_shipped_lab_has_a_title_and_says_what_it_is(name: str) -> None:
    lab = load_lab(name)
    assert lab.title
    assert lab.notes == ()


def capture_of(name: str, seed: int | None = None) -> bytes:
    f = io.BytesIO()
    LabRun(load_lab(name), seed=seed, capture=f).run()
    return f.getvalue()


def test_the_same_seed_gives_the_same_capture_octet_for_octet() -> None:
    assert capture_of("lossy") == capture_of("lossy")
    assert capture_of("lossy") != capture_of("lossy", seed=99)


def test_a_capture_names_every_interface_and_its_link() -> None:
    reader = open_capture(io.BytesIO(capture_of("tour")))
    packets = list(reader)
    assert reader.error is None
    assert [(i.name, i.description) for i in reader.interfaces] == [
        ("r.fxp0", "link left"),
        ("r.fxp1", "link right"),
        ("a.fxp0", "link left"),
        ("b.fxp0", "link right"),
    ]
    assert [p.t_ns for p in packets] == sorted(p.t_ns for p in packets)


def test_the_timeline_tells_addresses_links_and_verdicts() -> None:
    entries: list[Entry] = []
    LabRun(load_lab("tour"), sink=entries.append).run()
    texts = [(e.node, e.kind, e.text) for e in entries]
    assert ("a", "addr", "fxp0: 2001:db8:1:0:2a0:24ff:fe00:201 autoconf now usable") in texts
    assert ("", "link", "link right is cut") in texts
    assert any(kind == "expect" and text.startswith("holds: ") for _, kind, text in texts)
    assert [e.t_ns for e in entries] == sorted(e.t_ns for e in entries)


def test_duplicate_address_is_told_in_timeline_and_log() -> None:
    entries: list[Entry] = []
    LabRun(load_lab("dad"), sink=entries.append).run()
    told = [e.text for e in entries if e.node == "second"]
    assert "fxp0: 2001:db8::1 now duplicated" in told
    assert any("duplicate" in e.text.lower() for e in entries if e.kind == "log")


def test_json_is_one_object_and_nothing_else(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["lab", "run", "tour", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["time"] == 60.0
    assert report["packets"] > 100
    assert report["expectations"][0] == {
        "at": 12,
        "node": "a",
        "run": "ifconfig fxp0 inet6",
        "ok": True,
        "detail": "",
    }
    assert report["nodes"]["a"]["mip6"] == {
        "type": "",
        "binding_cache": [],
        "binding_update_list": [],
        "home_agents": [],
        "prefixes": [],
    }
    assert report["nodes"]["r"]["counters"]["ip6.ip6s_forward"] > 20


FAILING = """
title = "wrong on purpose"
until = 3
[link]
lan = {}
[node.a]
interfaces = { fxp0 = "lan" }
[[expect]]
at = 2
node = "a"
run = "ifconfig fxp0"
contains = "fxp1"
[[expect]]
at = 3
node = "a"
run = "sysctl -n net.inet6.ip6.forwarding"
contains = "0"
"""


def test_a_failed_expectation_is_status_1_with_its_line_and_the_output(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "wrong.toml"
    path.write_text(FAILING)
    assert main(["lab", "run", str(path), "-q"]) == 1
    out = capsys.readouterr().out
    assert "FAIL 2 s a: ifconfig fxp0" in out
    assert "line 8: the output does not contain 'fxp1'; the output was 'fxp0: flags=" in out
    assert "ok   3 s a: sysctl" in out
    assert "1 expectation held, 1 failed" in out


def test_until_leaves_later_expectations_out(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["lab", "run", "tour", "-q", "--until", "13"]) == 0
    out = capsys.readouterr().out
    assert "2 expectations held, 0 failed" in out
    assert "0 failed, 2 not reached" in out


def test_a_capture_is_written_even_if_an_expectation_fails(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "wrong.toml"
    path.write_text(FAILING)
    out = tmp_path / "out.pcapng"
    assert main(["lab", "run", str(path), "-q", "--pcap", str(out)]) == 1
    with out.open("rb") as f:
        assert list(open_capture(f))
