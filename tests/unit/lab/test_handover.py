# SPDX-License-Identifier: BSD-3-Clause
"""The parts of a handover are those of the frames that were seen."""

from __future__ import annotations

import json
import re

import pytest

from kame_py.cli.lab import load_lab
from kame_py.cli.main import main
from kame_py.kern.clock import NS
from kame_py.kern.mbuf import Mbuf
from kame_py.lab.handframe import frame_meaning
from kame_py.lab.handover import Handover, handover_json, handover_table
from kame_py.lab.lan import Observers, Port
from kame_py.lab.runner import LabRun
from kame_py.trace.format import frame_summary
from kame_py.wire.mip6_draft15 import WIRE

ALL_PARTS = ["poll", "advertisement", "detection", "update", "registration", "packet"]


class Lines:
    """Every frame as a line, sent and received, with its time."""

    def __init__(self, run: LabRun) -> None:
        self.run = run
        self.frames: list[bytes] = []
        self.seen: list[tuple[int, str]] = []

    def sent(self, port: Port, frame: bytes, m: Mbuf | None, note: str) -> None:
        self.frames.append(frame)
        self._add(port, "sent", frame)

    def received(self, port: Port, frame: bytes, m: Mbuf | None) -> None:
        self._add(port, "received", frame)

    def _add(self, port: Port, what: str, frame: bytes) -> None:
        line = f"{port.name} {what} {frame_summary(frame, verbose=True)}"
        self.seen.append((self.run.world.now(), line))

    def first(self, pattern: str, since_ns: int) -> int | None:
        found = (t for t, line in self.seen if t >= since_ns and re.search(pattern, line))
        return next(found, None)


@pytest.fixture(scope="module")
def lines() -> Lines:
    run = LabRun(load_lab("howto"))
    lines = Lines(run)
    run.world.observe(Observers.of(run.handovers, lines))
    run.run()
    return lines


@pytest.fixture(scope="module")
def handovers(lines: Lines) -> list[Handover]:
    return lines.run.handovers.done


@pytest.mark.parametrize("seed", [7, 15, 22])
def test_router_that_advertises_by_itself_leaves_no_time_to_the_solicitation(seed: int) -> None:
    run = LabRun(load_lab("howto"), seed=seed)
    run.run()
    first = run.handovers.done[0]
    parts = dict(first.parts())
    assert first.marks["ra"] < first.marks["rs"]
    assert parts["poll"] is None and parts["advertisement"] == first.marks["ra"] - first.at_ns
    assert sum(ns or 0 for ns in parts.values()) == first.total_ns()
    for handover in run.handovers.done:
        assert all(ns is None or ns >= 0 for _, ns in handover.parts())


def test_each_move_of_the_mobile_node_is_a_handover(handovers: list[Handover]) -> None:
    moves = [(h.at_ns // NS, h.node, h.was, h.to) for h in handovers]
    assert moves == [
        (18, "mn", "home", "fl1"),
        (36, "mn", "fl1", "fl2"),
        (54, "mn", "fl2", "home"),
    ]


@pytest.mark.parametrize(
    ("mark", "pattern"),
    [
        ("rs", r"^mn\.fxp0 sent .* router solicitation"),
        ("ra", r"^mn\.fxp0 received .* router advertisement"),
        ("bu", r"^mn\.fxp0 sent .*BindUpd flg=AH"),
        ("ba", r"^mn\.fxp0 received .*BindAck status=0 "),
        ("correspondent", r"^cn\.fxp0 received .*BindUpd flg=/"),
        ("packet", r"^mn\.fxp0 received .* echo request"),
    ],
)
def test_a_mark_is_the_first_such_frame_after_the_move(
    lines: Lines, handovers: list[Handover], mark: str, pattern: str
) -> None:
    assert [h.marks[mark] for h in handovers] == [lines.first(pattern, h.at_ns) for h in handovers]


def test_the_care_of_address_is_chosen_between_advertisement_and_update(
    handovers: list[Handover],
) -> None:
    for h in handovers:
        assert h.marks["ra"] < h.marks["coa"] <= h.marks["bu"]
    prefixes = [str(handover_json(h)["care_of"]).split(":2a0:")[0] for h in handovers]
    assert prefixes == ["2001:200:9:1", "2001:200:9:2", "2001:200:1:1"]


def test_the_old_router_is_tested_for_three_seconds(handovers: list[Handover]) -> None:
    assert [h.nud_ns for h in handovers] == [3 * NS] * 3


def test_only_the_first_registration_waits_for_duplicate_detection(
    handovers: list[Handover],
) -> None:
    assert [h.dad_ns for h in handovers] == [NS, None, None]
    assert dict(handovers[0].parts())["registration"] > NS  # type: ignore[operator]  # it was acknowledged


def test_the_parts_up_to_the_first_packet_are_the_whole_time(handovers: list[Handover]) -> None:
    for h in handovers:
        parts = dict(h.parts())
        assert list(parts) == ALL_PARTS
        marks = dict(zip(ALL_PARTS, ("rs", "ra", "coa", "bu", "ba", "packet"), strict=True))
        before = [n for name, n in parts.items() if h.marks[marks[name]] <= h.marks["packet"]]
        assert sum(ns for ns in before if ns is not None) == h.total_ns()


def test_a_correspondent_may_know_before_the_home_agent_agrees(
    handovers: list[Handover],
) -> None:
    later = handovers[1]
    assert later.marks["correspondent"] < later.marks["packet"] < later.marks["ba"]


def test_lost_pings_are_those_of_ping6(lines: Lines, handovers: list[Handover]) -> None:
    sent = {int(m[1]) for _, line in lines.seen if (m := _echo(line, "cn.fxp0 sent", "request"))}
    back = {int(m[1]) for _, line in lines.seen if (m := _echo(line, "cn.fxp0 received", "reply"))}
    assert sum(h.lost for h in handovers) == len(sent - back) > 0
    assert all(0 < h.lost <= 11 for h in handovers)


def _echo(line: str, who: str, what: str) -> re.Match[str] | None:
    return re.match(rf"{who} .* echo {what} \(id 105, seq (\d+)\)", line)


def test_a_handover_without_an_end_has_no_later_parts() -> None:
    run = LabRun(load_lab("howto"), until_s=19)
    run.run()
    (handover,) = run.handovers.done
    parts = dict(handover.parts())
    assert parts["advertisement"] is not None
    assert [parts[name] for name in ALL_PARTS[2:]] == [None] * 4
    assert handover.total_ns() is None
    assert "       -" in handover_table([handover])[1]


def test_a_node_that_is_not_mobile_has_no_handover() -> None:
    run = LabRun(load_lab("howto"))
    run.world.nodes["cn"].attach("fxp9", run.world.links["fl1"])
    run.handovers.moved(run.world.nodes["cn"], "fxp9", "fl2")
    run.handovers.moved(run.world.nodes["r1"], "fxp0", "fl2")
    assert run.handovers.done == []
    assert handover_table([]) == []


def test_json_has_the_handovers(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["lab", "run", "howto", "--json", "--until", "35"]) == 0
    (handover,) = json.loads(capsys.readouterr().out)["handovers"]
    assert (handover["node"], handover["from"], handover["to"]) == ("mn", "home", "fl1")
    assert set(handover["parts"]) == set(ALL_PARTS)
    assert handover["total"] == handover["marks"]["packet"]
    assert handover["dad"] == 1
    assert handover["lost"] > 0


def test_the_table_stands_at_the_end_of_a_run(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["lab", "run", "howto", "-q", "--until", "35"]) == 0
    out = capsys.readouterr().out
    row = next(line for line in out.splitlines() if "mn: home > fl1" in line)
    assert out.index("Handovers") < out.index(row) < out.index("Expectations")
    assert row.split()[-1] == "6"


def test_a_lab_without_a_move_has_no_table(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["lab", "run", "tour", "-q"]) == 0
    assert "Handovers" not in capsys.readouterr().out


def test_a_cut_frame_has_no_meaning_or_still_one(lines: Lines) -> None:
    frames = [f for f in lines.frames if b"\xc9" in f][:20]
    assert any(m is not None and m.home for m in (frame_meaning(f, WIRE) for f in frames))
    for frame in frames:
        for size in range(len(frame)):
            frame_meaning(frame[:size], WIRE)
