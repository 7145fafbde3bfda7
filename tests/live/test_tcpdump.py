# SPDX-License-Identifier: BSD-3-Clause
"""tcpdump and trace as programs of a machine, beside nodes that run; no root is needed."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import pytest

from tests.live.rig import KAME, PATIENCE_S, Nodes, assert_clean, rig_in, wait_until
from tests.support import PROJECT_ROOT, needs_tool, run

pytestmark = pytest.mark.live

LAB = """
[link]
lan = {}

[node.a]
interfaces = { fxp0 = "lan" }
rc = "ifconfig fxp0 inet6 2001:db8::a prefixlen 64 alias"

[node.b]
interfaces = { fxp0 = "lan" }
rc = "ifconfig fxp0 inet6 2001:db8::b prefixlen 64 alias"
"""
PING = ("ping6", "-c", "2", "-i", "0.1", "2001:db8::b")


@pytest.fixture(scope="module")
def nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nodes]:
    with rig_in(tmp_path_factory.mktemp("tcpdump")) as rig:
        made = rig.nodes("up", str(rig.file("two.toml", LAB)))
        for node in ("a", "b"):
            wait_until(node, lambda node=node: made.usable(f"2001:db8::{node}", node))
        yield made


def begun(nodes: Nodes, stdout: int | IO[bytes], *argv: str) -> subprocess.Popen[bytes]:
    """A tool of node a that listens already."""
    said = nodes.folder / "said"
    with open(said, "wb") as stderr:
        process = subprocess.Popen(
            [*KAME, "-N", "a", *argv],
            cwd=PROJECT_ROOT,
            env=nodes.env,
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
        )
    wait_until(f"{argv} listening", lambda: b"listening on" in said.read_bytes())
    return process


def said(nodes: Nodes) -> str:
    return (nodes.folder / "said").read_text()


def test_octets_of_standard_output_are_read_by_tshark(nodes: Nodes) -> None:
    """kame -N a tcpdump -w - | tshark -i -"""
    tshark = needs_tool("tshark")
    dump = begun(nodes, subprocess.PIPE, "tcpdump", "-c", "4", "-w", "-", "icmp6", "and", PING[-1])
    reader = subprocess.Popen(
        [tshark, "-r", "-", "-T", "fields", "-e", "icmpv6.type", "-e", "frame.interface_name"],
        stdin=dump.stdout,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert dump.stdout is not None
    dump.stdout.close()
    nodes.says(*PING, node="a")
    text, _ = reader.communicate(timeout=PATIENCE_S)
    assert dump.wait(PATIENCE_S) == 0
    rows = [line.split() for line in text.splitlines()]
    assert len(rows) == 4 and {row[1] for row in rows} == {"fxp0"}
    assert {"128", "129"} <= {row[0] for row in rows}


def test_interrupt_ends_it_with_a_summary_and_a_whole_capture(nodes: Nodes) -> None:
    path = nodes.folder / "all.pcapng"
    dump = begun(nodes, subprocess.DEVNULL, "tcpdump", "-i", "any", "-w", str(path))
    nodes.says(*PING, node="a")
    dump.send_signal(signal.SIGINT)
    assert dump.wait(PATIENCE_S) == 0
    assert "packets received by filter\n0 packets dropped by kernel\n" in said(nodes)
    assert_clean(path)
    read = run(*KAME, "tcpdump", "-n", "-r", path, "icmp6", "and", "dst", PING[-1])
    assert read.returncode == 0 and read.stdout.count("echo request") == 2


def test_reader_that_goes_away_ends_it_quietly(nodes: Nodes) -> None:
    dump = begun(nodes, subprocess.PIPE, "tcpdump", "-n", "-l", "icmp6")
    assert dump.stdout is not None
    dump.stdout.close()
    nodes.says(*PING, node="a")
    assert dump.wait(PATIENCE_S) == 141
    assert "Traceback" not in said(nodes)


def test_trace_shows_ways_and_the_kernel_stops_noting_them(nodes: Nodes) -> None:
    with open(nodes.folder / "ways", "wb") as ways:
        trace = begun(nodes, ways, "trace", "-n", "-c", "2", "icmp6", "and", "src", "2001:db8::b")
        nodes.says(*PING, node="a")
        assert trace.wait(PATIENCE_S) == 0
    text = Path(nodes.folder / "ways").read_text()
    assert "\n  ether_input fxp0\n  ip6_input fxp0\n" in text
    assert text.count("\n  = ") == 2
