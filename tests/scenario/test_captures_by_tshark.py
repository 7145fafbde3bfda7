# SPDX-License-Identifier: BSD-3-Clause
"""tshark reads the capture of every shipped lab: nothing malformed, every checksum right."""

from __future__ import annotations

from pathlib import Path

import pytest

from kame_py.cli.lab import load_lab, shipped
from kame_py.lab.labfile import load
from kame_py.lab.runner import LabRun
from kame_py.lab.schema import LabFile
from tests.support import PROJECT_ROOT, needs_tool, run

LABS = [entry.name.removesuffix(".toml") for entry in shipped()]
DISSECTOR = PROJECT_ROOT / "tools" / "wireshark" / "kame_mip6.lua"
CHECKS = ("-o", "udp.check_checksum:TRUE", "-o", "tcp.check_checksum:TRUE")
SUSPECT = (
    "_ws.malformed || _ws.expert.severity == error || udp.checksum.status == bad"
    " || tcp.checksum.status == bad || icmpv6.checksum.status == bad"
)


def written(name: str, where: Path) -> Path:
    path = where / f"{name}.pcapng"
    with path.open("wb") as f:
        LabRun(load_lab(name), capture=f).run()
    return path


def seen(tshark: str, capture: Path, condition: str) -> list[str]:
    done = run(
        tshark, "-X", f"lua_script:{DISSECTOR}", *CHECKS, "-n", "-r", capture, "-Y", condition
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.mark.parametrize("name", LABS)
def test_tshark_finds_no_fault_in_a_lab(name: str, tmp_path: Path) -> None:
    tshark = needs_tool("tshark")
    capture = written(name, tmp_path)
    assert seen(tshark, capture, "icmpv6")
    assert seen(tshark, capture, SUSPECT) == []


DAMAGED = """
title = "one damaged link"
until = 5
[link]
lan = { corrupt = 1.0 }
[node.a]
interfaces = { fxp0 = "lan" }
[node.b]
interfaces = { fxp0 = "lan" }
[[event]]
at = 2
node = "a"
run = "ping6 -c 2 -I fxp0 ff02::1"
"""


def test_tshark_would_notice_damage(tmp_path: Path) -> None:
    tshark = needs_tool("tshark")
    path = tmp_path / "damaged.pcapng"
    lab = load(DAMAGED, "damaged.toml")
    assert isinstance(lab, LabFile), lab
    with path.open("wb") as f:
        LabRun(lab, capture=f).run()
    assert seen(tshark, path, SUSPECT)


def test_tshark_sees_names_directions_and_drop_reasons(tmp_path: Path) -> None:
    tshark = needs_tool("tshark")
    capture = written("dad", tmp_path)
    fields = ("-T", "fields", "-e", "frame.interface_name", "-e", "frame.packet_flags_direction")
    done = run(tshark, "-n", "-r", capture, *fields)
    rows = {tuple(line.split("\t")) for line in done.stdout.splitlines()}
    assert {direction for _, direction in rows} == {"0x00000001", "0x00000002"}
    assert len({name for name, _ in rows}) > 1
    assert seen(tshark, capture, 'frame.comment contains "dropped: "')
