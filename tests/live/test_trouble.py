# SPDX-License-Identifier: BSD-3-Clause
"""Nodes whose wire, capture or terminal is taken away, and tools that are interrupted."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import pytest

from tests.live.rig import KAME, PATIENCE_S, Nodes, Rig, wait_until
from tests.support import PROJECT_ROOT

pytestmark = pytest.mark.live

PAIR = """
[link]
lan = {}

[node.a]
interfaces = { fxp0 = "lan" }
rc = "ifconfig fxp0 inet6 2001:db8::a prefixlen 64 alias"

[node.b]
interfaces = { fxp0 = "lan" }
rc = "ifconfig fxp0 inet6 2001:db8::b prefixlen 64 alias"
"""


def pings(nodes: Nodes) -> None:
    """The node still works."""
    wait_until("an address", lambda: "tentative" not in nodes.says("ifconfig", "fxp0"))
    assert "1 packets received" in nodes.says("ping6", "-c", "1", "ff02::1%fxp0")


# -- wires ----------------------------------------------------------------------------------------


def test_a_tap_that_is_deleted_is_told_once(rig: Rig) -> None:
    linux = rig.netns()
    node = rig.tap_node(linux, "a")
    linux.run("ip", "link", "del", "tap-a")
    wait_until("told", lambda: "tap tap-a: gone" in node.said())
    pings(node)
    assert node.said().count("gone") == 1
    node.says("plug", "a.fxp0", "tap:tap-b")  # and on with another one
    linux.run("ip", "link", "del", "tap-b")
    wait_until("told again", lambda: "tap tap-b: gone" in node.said())
    node.says("plug", "a.fxp0", "tap:tap-b")  # which may come back
    linux.run("ip", "link", "show", "tap-b")
    assert node.run("plug", "a.fxp0", "tap:tap-b").returncode == 1  # it is there already
    pings(node)
    assert node.said().count("gone") == 2 and "Traceback" not in node.said()


def test_a_tap_goes_with_the_last_plug(rig: Rig) -> None:
    linux = rig.netns()
    node = rig.nodes("vm", "--name", "a", netns=linux)
    for _ in range(2):
        node.says("plug", "a.fxp0", "tap:tap-a")
        linux.run("ip", "link", "show", "tap-a")
        node.says("plug", "a.fxp0", "wire")
        assert linux.out("ip", "link", "show", "tap-a")[0] == 1
    node.says("plug", "a.fxp0", "tap:tap-a")
    node.says("plug", "a.fxp0", "none")
    assert linux.out("ip", "link", "show", "tap-a")[0] == 1


@pytest.mark.parametrize("state", ["up", "down"])
def test_an_interface_that_is_deleted_is_told_and_one_that_is_down_is_not(
    rig: Rig, state: str
) -> None:
    linux = rig.netns()
    linux.run("ip", "link", "add", "ca", "type", "veth", "peer", "name", "cb")
    for name in ("ca", "cb"):
        linux.run("ip", "link", "set", name, "up")
    node = rig.nodes("vm", "--name", "a", "--afpacket", "ca", netns=linux)
    linux.run("ip", "link", "set", "ca", "down")
    pings(node)
    assert "gone" not in node.said()
    linux.run("ip", "link", "set", "ca", state)
    linux.run("ip", "link", "del", "ca")
    pings(node)
    wait_until("told", lambda: "afpacket ca: gone" in node.said())
    assert node.said().count("gone") == 1 and "Traceback" not in node.said()


def test_a_bus_whose_folder_is_deleted_harms_no_tool(rig: Rig) -> None:
    bus = rig.folder / "bus"
    node = rig.nodes("vm", "--name", "a", "--bus", str(bus))
    next(bus.glob("*.port")).unlink()
    bus.rmdir()
    pings(node)
    wait_until("told", lambda: f"bus {bus}: gone" in node.said())
    pings(node)


# -- captures and terminals -----------------------------------------------------------------------


def test_a_capture_that_ends_early_ends_alone(rig: Rig) -> None:
    fifo = rig.folder / "capture"
    os.mkfifo(fifo)
    reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    nodes = rig.nodes("up", str(rig.file("pair.toml", PAIR)), "-q", "--pcap", str(fifo))
    os.close(reader)
    wait_until("addresses", lambda: nodes.usable("2001:db8::a", "a"))
    assert "2 packets received" in nodes.says("ping6", "-c", "2", "2001:db8::b", node="a")
    assert nodes.said().count("the capture ends here, the nodes go on") == 1
    assert "Traceback" not in nodes.said()
    assert nodes.stop() == 0


def test_a_capture_has_one_process_that_writes(rig: Rig) -> None:
    capture = rig.folder / "shared.pcapng"
    nodes = rig.nodes("up", str(rig.file("pair.toml", PAIR)), "--pcap", str(capture))
    before = capture.stat().st_size
    done = nodes.run("vm", "--name", "c", "--pcap", str(capture))
    assert done.returncode == 2 and "other nodes write their capture there" in done.stderr
    assert capture.stat().st_size >= before > 0


def test_nodes_run_on_when_nobody_listens_to_them(rig: Rig) -> None:
    env = {**os.environ, "KAME_RUNTIME_DIR": str(rig.folder / "run")}
    with subprocess.Popen(
        # nohup in front of the tests would be heeded.
        ["env", "--default-signal=HUP", *KAME, "up", str(rig.file("pair.toml", PAIR))],
        cwd=PROJECT_ROOT,
        env=env,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None and "fxp0" in process.stderr.readline()
        process.stderr.close()

        def said(*words: str) -> str:
            argv = [*KAME, "-N", "a", *words]
            return subprocess.run(
                argv, cwd=PROJECT_ROOT, env=env, capture_output=True, text=True, check=False
            ).stdout

        wait_until("an address", lambda: "2001:db8::a prefixlen 64 \n" in said("ifconfig", "fxp0"))
        assert "2 packets received" in said("ping6", "-c", "2", "2001:db8::b")
        process.send_signal(signal.SIGHUP)  # the terminal goes, too
        assert process.wait(PATIENCE_S) == 0
    assert list((rig.folder / "run").glob("*.sock")) == []


@pytest.mark.parametrize(("sig", "ends"), [(signal.SIGINT, True), (signal.SIGHUP, False)])
def test_a_background_process_ends_with_a_signal_that_its_shell_ignores(
    rig: Rig, sig: signal.Signals, ends: bool
) -> None:
    """A script's background jobs ignore INT, which is for the terminal; nohup(1) ignores HUP."""
    before = signal.signal(sig, signal.SIG_IGN)
    try:
        nodes = rig.nodes("vm", "--name", "a")
    finally:
        signal.signal(sig, before)
    nodes.process.send_signal(sig)
    if ends:
        assert nodes.process.wait(PATIENCE_S) == 0
    else:
        pings(nodes)


# -- tools ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "sig", "status"),
    [
        (("tcpdump", "-i", "fxp0"), signal.SIGINT, 0),
        (("trace",), signal.SIGTERM, 0),
        (("sleep", "100000"), signal.SIGINT, 130),
        (("setkey", "-c"), signal.SIGINT, 130),
    ],
)
def test_a_tool_that_waits_is_interrupted(
    rig: Rig, words: tuple[str, ...], sig: signal.Signals, status: int
) -> None:
    node = rig.nodes("vm", "--name", "a", "--options", "IPSEC")
    wait_until("an address", lambda: "tentative" not in node.says("ifconfig", "fxp0"))
    with subprocess.Popen(
        [*KAME, *words],
        cwd=PROJECT_ROOT,
        env=node.env,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=_interruptible,
    ) as tool:
        wait_until("it waits", lambda: words[0] in node.says("ps"))
        if words[0] in ("tcpdump", "trace"):
            assert tool.stderr is not None and "listening" in tool.stderr.readline()
        tool.send_signal(sig)
        assert tool.wait(10) == status


def _interruptible() -> None:
    """As a terminal starts it; a runner of tests may have been started otherwise."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def test_tools_of_a_shell_run_in_any_folder(rig: Rig, tmp_path: Path) -> None:
    node = rig.nodes("vm", "--name", "a")
    (tmp_path / "odd").mkdir()
    (tmp_path / "odd" / "json.py").write_text("raise SystemExit('hijacked')\n")
    line = f"cd {tmp_path / 'odd'}; ifconfig -l; /usr/local/v6/sbin/had --version"
    out = node.says("shell", "a", "-c", line)
    assert out.startswith("lo0 fxp0\nhad (kame-py) ")


def test_a_shell_without_a_terminal_reads_its_lines(rig: Rig) -> None:
    node = rig.nodes("vm", "--name", "a")
    server = next((rig.folder / "run").glob("*.sock"))
    done = subprocess.run(
        [*KAME, "shell"],
        cwd=server.parent,
        env={**node.env, "PYTHONPATH": str(PROJECT_ROOT), "KAME_SERVER": f"{server.name}#a"},
        input="cd /\nifconfig -l\n/usr/local/v6/sbin/had --version\nexit 7\n",
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert (done.returncode, done.stderr) == (7, "")
    assert done.stdout.startswith("lo0 fxp0\nhad (kame-py) ")
