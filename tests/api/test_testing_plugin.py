# SPDX-License-Identifier: BSD-3-Clause
"""The pytest plugin in a test suite of somebody else, run by a pytest of its own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from kame_py.replay.pcap import open_capture
from kame_py.trace.format import frame_summary
from tests.support import PROJECT_ROOT

TWO_NODES = """
from kame_py.testing import drops, out, rows

def two(world):
    lan = world.add_link("lan")
    a, b = world.add_node("a"), world.add_node("b")
    for node in (a, b):
        node.attach("fxp0", lan)
        out(node, f"ifconfig fxp0 inet6 2001:db8::{node.name} prefixlen 64 alias")
    world.run_for(3)
    return a, b
"""


class Suite:
    """A folder with a test file, and a pytest that runs it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def run(self, text: str, *options: str) -> subprocess.CompletedProcess[str]:
        (self.folder / "test_it.py").write_text(text)
        argv = [sys.executable, "-m", "pytest", "-p", "kame_py.testing", "-p", "no:cacheprovider"]
        return subprocess.run(
            [*argv, "-p", "no:xdist", "-q", *options, "test_it.py"],
            cwd=self.folder,
            env={**os.environ, "PYTHONPATH": str(PROJECT_ROOT), "PYTEST_ADDOPTS": ""},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )


@pytest.fixture
def suite(tmp_path: Path) -> Suite:
    return Suite(tmp_path)


def test_world_and_lab_in_tests_that_pass(suite: Suite) -> None:
    (suite.folder / "mine.toml").write_text(
        'until = 2\n[link]\nlan = {}\n[node.a]\ninterfaces = { fxp0 = "lan" }\n'
    )
    done = suite.run(
        TWO_NODES
        + """
def test_ping(world):
    a, b = two(world)
    assert " 0% packet loss" in out(a, "ping6 -c 1 2001:db8::b")
    assert rows(a, "ndp -a")[0]["addr"] == "::1"
    b.run("ifconfig fxp0 down")
    out(a, "ping6 -c 1 2001:db8::b", status=1)
    assert drops(b) == {"IF_DOWN": 1}

def test_shipped_lab_goes_on_after_its_end(lab):
    tour = lab("tour").run()
    assert tour.world.now() == 60_000_000_000
    assert len(tour.outcomes) == 4
    assert tour.nodes["a"].run("ping6 -c 1 r").ok

def test_lab_beside_the_test(lab):
    assert lab("mine.toml", until=1).run().world.now() == 1_000_000_000
"""
    )
    assert "3 passed" in done.stdout, done.stdout + done.stderr


def test_failures_tell_what_does_not_hold_and_keep_captures(suite: Suite) -> None:
    done = suite.run(
        TWO_NODES
        + '''
def test_ping_from_a(world):
    a, b = two(world)
    out(a, "ping6 -c 1 2001:db8::77")

def test_lab_text(lab):
    lab("""until = 2
[link]
lan = {}
[node.a]
interfaces = { fxp0 = "lan" }
[[expect]]
at = 1
node = "a"
run = "ifconfig fxp0"
contains = "fxp7"
""").run()

def test_lab_with_errors(lab):
    lab("title = 1\\nsed = 2\\n")

def test_lab_that_is_missing(lab):
    lab("toor")

def test_while_a_packet_waits_for_its_fate(world):
    a, r = two(world)
    r.attach("fxp1", world.add_link("beyond"))
    out(r, "ifconfig fxp1 inet6 2001:db8:1::1 prefixlen 64 alias")
    out(r, "sysctl -w net.inet6.ip6.forwarding=1")
    out(a, "route -q add default 2001:db8::b")
    world.run_for(2)
    a.start("ping6 -c 1 2001:db8:1::77")
    world.run_for(0.5)
    assert 0

def test_that_passes(world):
    two(world)
''',
        "--kame-pcap",
        "caps",
        "--kame-seed",
        "5",
    )
    text = done.stdout
    assert "5 failed, 1 passed" in text, text + done.stderr
    assert "a: ping6 -c 1 2001:db8::77: exit status 1, not 0" in text
    assert "lab: 1 of 1 do not hold\n" in text
    assert "line 6: 1 s a: ifconfig fxp0: the output does not contain 'fxp7'" in text
    assert "lab:1: title" in text and "lab:2: unknown key sed" in text
    assert "toor: No such file or directory; did you mean the lab tour" in text
    kept = sorted(path.name for path in (suite.folder / "caps").iterdir())
    assert kept == [
        "test_it.py_test_lab_text.pcapng",
        "test_it.py_test_ping_from_a.pcapng",
        "test_it.py_test_while_a_packet_waits_for_its_fate.pcapng",
    ]
    assert re.search(r"seed 5\ncapture of all links: caps/test_it.py_test_ping_from_a.pcapng", text)
    sent_and_received = [
        packet
        for packet in packets(suite.folder / "caps" / kept[2])
        if "echo request" in frame_summary(packet)
    ]
    assert len(sent_and_received) == 2
    assert len(packets(suite.folder / "caps" / kept[1])) > 5


def packets(path: Path) -> list[bytes]:
    with path.open("rb") as f:
        reader = open_capture(f)
        found = [record.data for record in reader]
    assert reader.error is None
    return found


def test_a_bug_in_a_program_or_a_lost_packet_fails_at_teardown(suite: Suite) -> None:
    done = suite.run(
        """
def test_program(world):
    async def main(argv, ops):
        assert argv == ["2"]
    node = world.add_node("a")
    node.add_program("mine", main)
    assert node.run("mine 1").status == 70

def test_program_forgiven(world):
    async def main(argv, ops):
        raise ValueError
    node = world.add_node("a")
    node.add_program("mine", main)
    assert node.run("mine").status == 70
    node.processes.crashed.clear()

def test_packet(world):
    world.add_node("a").kernel.created += 1

def test_packet_of_a_lab(lab):
    lab("dad").run().nodes["first"].kernel.created += 1
"""
    )
    text = done.stdout
    assert "4 passed, 3 errors" in text, text + done.stderr
    assert "a: mine: AssertionError(" in text
    assert "a: 1 packets, 0 fates: {}" in text
    assert re.search(r"first: (\d+) packets, (\d+) fates: {", text)


def test_a_folder_that_cannot_be_written_is_told_in_the_report(suite: Suite) -> None:
    (suite.folder / "file").write_text("")
    done = suite.run("def test_it(world):\n    assert 0\n", "--kame-pcap", "file")
    assert "no capture: file/test_it.py_test_it.pcapng: " in done.stdout
    assert "INTERNALERROR" not in done.stdout


def test_suites_that_do_not_use_it_load_nothing_of_it(suite: Suite) -> None:
    done = suite.run(
        """
import sys
def test_it():
    loaded = sorted(m for m in sys.modules if m.startswith("kame_py"))
    assert loaded == ["kame_py", "kame_py.testing"]
    assert not {"numba", "numpy", "construct", "rich"} & set(sys.modules)
"""
    )
    assert "1 passed" in done.stdout, done.stdout
