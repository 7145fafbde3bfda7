# SPDX-License-Identifier: BSD-3-Clause
"""The control socket of running nodes: tools as processes, and what rude clients do to it."""

from __future__ import annotations

import os
import re
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from kame_py.ctl.codec import Frames, pack, unpack
from kame_py.wire.ctlframe import FRAME_MAX, frame_prefix
from tests.live.rig import Nodes, Rig, rig_in, wait_until
from tests.support import PROJECT_ROOT

pytestmark = pytest.mark.live

LAB = """
[link]
lan = {}

[node.a]
interfaces = { fxp0 = "lan" }
rc = "ifconfig fxp0 inet6 2001:db8::a prefixlen 64 alias"

[node.b]
kernel = ["MIP6", "hif 1"]
interfaces = { fxp0 = "lan" }
rc = "ifconfig fxp0 inet6 2001:db8::b prefixlen 64 alias"
"""
HELLO = pack({"hello": 1, "node": "a", "name": "rude"})


@pytest.fixture(scope="module")
def nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nodes]:
    """Two nodes that outlive everything here."""
    with rig_in(tmp_path_factory.mktemp("control")) as rig:
        made = rig.nodes("up", str(rig.file("two.toml", LAB)))
        wait_until("addresses", lambda: made.usable("2001:db8::a", "a"))
        yield made


def control_socket(nodes: Nodes) -> Path:
    return next((nodes.folder / "run").glob("*.sock"))


def connected(nodes: Nodes) -> socket.socket:
    sock = socket.socket(socket.AF_UNIX)
    sock.settimeout(30)
    sock.connect(str(control_socket(nodes)))
    return sock


def alive(nodes: Nodes) -> bool:
    return "fxp0: flags" in nodes.says("ifconfig", "fxp0", node="a")


# -- tools ----------------------------------------------------------------------------------------


def test_tool_speaks_to_the_node_that_is_named(nodes: Nodes) -> None:
    assert "2001:db8::a" in nodes.says("ifconfig", "fxp0", node="a")
    assert "2001:db8::b" in nodes.says("ifconfig", "fxp0", node="b")


def test_module_is_a_program_of_its_own(nodes: Nodes) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "kame_py.tools.mip6control", "--node", "b", "-g"],
        env=nodes.env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_environment_names_the_node(nodes: Nodes) -> None:
    env = {**nodes.env, "KAME_SERVER": f"unix://{control_socket(nodes)}#b"}
    done = subprocess.run(
        [sys.executable, "-m", "kame_py", "sysctl", "kern.hostname"],
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == "kern.hostname: b\n"


def test_several_nodes_need_a_name(nodes: Nodes) -> None:
    done = nodes.run("ifconfig", "-a")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "ifconfig: which node: --node a|b\n"


def test_unknown_node_is_refused_with_those_there(nodes: Nodes) -> None:
    done = nodes.run("ifconfig", "-a", node="c")
    assert (done.returncode, done.stderr) == (1, "ifconfig: no node c: a, b run\n")


def test_nothing_running_is_said_with_the_way_out(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "kame_py.tools.mip6control", "-g"],
        env={**os.environ, "KAME_RUNTIME_DIR": str(tmp_path), "KAME_SERVER": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    hint = "mip6control: no running node (start one with: kame up labs/howto.toml)\n"
    assert (done.returncode, done.stdout, done.stderr) == (1, "", hint)


def test_exit_status_and_errors_are_the_tools(nodes: Nodes) -> None:
    done = nodes.run("mip6control", "-g", node="a")
    assert (done.returncode, done.stdout) == (1, "")
    assert "mip6 not found" in done.stderr


def test_tool_reads_the_callers_standard_input_and_files(nodes: Nodes, tmp_path: Path) -> None:
    conf = tmp_path / "rtadvd.conf"
    conf.write_text("fxp0:\\\n\t:maxinterval#9:mininterval#9:\n")
    done = nodes.run("rtadvd", "-f", "-c", str(conf), "fxp0", node="a")
    assert done.returncode == 1 and "mininterval" in done.stderr


def test_no_tool_loads_numba_or_numpy(nodes: Nodes) -> None:
    code = (
        "import sys; from kame_py.host.run_tool import run_tool; "
        "run_tool('ifconfig', ['--node', 'a', 'fxp0']); "
        "sys.exit(bool({'numba', 'numpy', 'construct', 'cryptography'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=nodes.env,
        cwd=PROJECT_ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


# -- daemons --------------------------------------------------------------------------------------


def pid_of(nodes: Nodes, name: str, node: str) -> int:
    path = nodes.folder / "run" / node / f"{name}.pid"
    wait_until(f"{path}", lambda: path.exists() and path.read_text().strip())
    return int(path.read_text())


def test_daemon_detaches_honours_signals_and_shows_in_ps(nodes: Nodes) -> None:
    nodes.says("sysctl", "-w", "net.inet6.ip6.forwarding=1", node="a")
    nodes.says("rtadvd", "fxp0", node="a")
    pid = pid_of(nodes, "rtadvd", "a")
    assert re.search(rf"^ +{pid} rtadvd$", nodes.says("ps"), re.M)
    os.kill(pid, signal.SIGTERM)
    wait_until("rtadvd ended", lambda: not _runs(pid))
    assert "rtadvd" not in nodes.says("ps")


def _runs(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def test_killed_tool_leaves_its_node_and_no_descriptor(nodes: Nodes) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "kame_py", "ping6", "--node", "a", "2001:db8::b"],
        env=nodes.env,
        stdout=subprocess.PIPE,
        text=True,
    ) as ping:
        assert ping.stdout is not None and ping.stdout.readline().startswith("PING6")
        assert "ping6" in nodes.says("ps")
        ping.kill()
    wait_until("ping6 gone", lambda: "ping6" not in nodes.says("ps"))
    assert alive(nodes)


# -- rude clients ---------------------------------------------------------------------------------


def test_only_the_user_may_enter(nodes: Nodes) -> None:
    path = control_socket(nodes)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


@pytest.mark.parametrize(
    "octets",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        frame_prefix(FRAME_MAX + 1),
        frame_prefix(3) + b"xyz",
        HELLO + frame_prefix(2) + b"[]",
        HELLO + pack({"op": "recvmsg", "a": (1, 2)}) * 2 + pack({"x": 1}),
        pack({"op": "socket", "a": (28, 2, 0)}),
        pack({"hello": 99, "node": "a", "name": "x"}),
    ],
)
def test_garbage_is_answered_and_ends_its_connection(nodes: Nodes, octets: bytes) -> None:
    with connected(nodes) as sock:
        sock.sendall(octets)
        answers = b""
        while more := sock.recv(65536):
            answers += more
    assert "x" in unpack(Frames().feed(answers)[-1])
    assert alive(nodes)


def test_half_a_frame_waits_and_harms_nobody(nodes: Nodes) -> None:
    with connected(nodes) as sock:
        sock.sendall(HELLO[:-3])
        assert alive(nodes)
        sock.sendall(HELLO[-3:])
        assert unpack(Frames().feed(sock.recv(65536))[0]) == {"r": "a"}


def test_thousand_connections_leave_room_for_the_next(nodes: Nodes) -> None:
    held = []
    for _ in range(1000):
        sock = socket.socket(socket.AF_UNIX)
        sock.setblocking(False)
        try:
            sock.connect(str(control_socket(nodes)))
        except OSError:
            sock.close()
            break
        held.append(sock)
    assert held
    for sock in held:
        sock.close()
    wait_until("room again", lambda: nodes.run("ifconfig", "fxp0", node="a").returncode == 0)


def rss_kb(nodes: Nodes) -> int:
    text = Path(f"/proc/{nodes.process.pid}/status").read_text()
    found = re.search(r"VmRSS:\s+(\d+)", text)
    assert found
    return int(found.group(1))


def test_client_that_stops_reading_is_not_answered_for_ever(nodes: Nodes) -> None:
    """It asks for the routing table, thousands of times, and reads nothing."""
    before = rss_kb(nodes)
    ask = pack({"op": "sysctl", "a": ("net.inet6.stats", None)})
    with connected(nodes) as sock:
        sock.sendall(HELLO)
        sock.setblocking(False)
        stuck = time.monotonic() + 2
        while time.monotonic() < stuck:
            try:
                sock.send(ask * 100)
            except BlockingIOError:
                time.sleep(0.01)
        assert alive(nodes)
        assert rss_kb(nodes) - before < 16 * 1024
    assert alive(nodes)


# -- the node ends --------------------------------------------------------------------------------


def test_tools_of_a_killed_node_say_so(rig: Rig) -> None:
    nodes = rig.nodes("up", str(rig.file("two.toml", LAB)))
    wait_until("addresses", lambda: nodes.usable("2001:db8::a", "a"))
    with subprocess.Popen(
        [sys.executable, "-m", "kame_py", "ping6", "--node", "a", "2001:db8::b"],
        env=nodes.env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as ping:
        assert ping.stdout is not None and ping.stderr is not None
        assert ping.stdout.readline().startswith("PING6")
        nodes.process.kill()
        assert ping.wait(30) == 1
        assert ping.stderr.read() == "ping6: the node has ended\n"
    nodes.process.wait()
    done = nodes.run("ifconfig", "-a")
    assert "no running node" in done.stderr
    assert list((nodes.folder / "run").glob("*.sock")) == []  # the dead socket was cleared away


def test_daemons_end_with_their_node(rig: Rig) -> None:
    nodes = rig.nodes("up", str(rig.file("two.toml", LAB)))
    wait_until("addresses", lambda: nodes.usable("2001:db8::a", "a"))
    nodes.says("sysctl", "-w", "net.inet6.ip6.forwarding=1", node="a")
    nodes.says("rtadvd", "fxp0", node="a")
    pid = pid_of(nodes, "rtadvd", "a")
    assert nodes.stop() == 0
    wait_until("rtadvd ended", lambda: not _runs(pid))


def test_stop_ends_the_process(rig: Rig) -> None:
    nodes = rig.nodes("up", str(rig.file("two.toml", LAB)))
    nodes.says("stop", "a")
    assert nodes.process.wait(30) == 0


def test_plug_moves_an_interface_and_none_pulls_it(rig: Rig) -> None:
    lab = LAB.replace("lan = {}", "lan = {}\nother = {}")
    nodes = rig.nodes("up", str(rig.file("two.toml", lab)))
    wait_until("addresses", lambda: nodes.usable("2001:db8::a", "a"))
    nodes.says("plug", "a.fxp0", "other")
    assert "fxp0 on other" in nodes.says("ps")
    nodes.says("plug", "a.fxp0", "none")
    assert "fxp0 on nothing" in nodes.says("ps")
    assert "no carrier" in nodes.says("ifconfig", "fxp0", node="a")
    for words, why in (
        (("a.fxp9", "lan"), "the node has no such interface"),
        (("a.fxp0", "nosuch"), "no such wire"),
    ):
        done = nodes.run("plug", *words)
        assert done.returncode == 1 and why in done.stderr


def test_virtual_time_passes_only_for_who_waits(rig: Rig) -> None:
    nodes = rig.nodes("up", "--virtual", str(rig.file("two.toml", LAB)))
    assert "tentative" in nodes.says("ifconfig", "fxp0", node="a")
    time.sleep(1.5)
    assert "tentative" in nodes.says("ifconfig", "fxp0", node="a")
    nodes.says("sleep", "2", node="a")
    before = time.monotonic()
    out = nodes.says("ping6", "-c", "300", "2001:db8::b", node="a")
    assert " 300 packets received" in out
    assert time.monotonic() - before < 100  # of 299 seconds


# -- a shell --------------------------------------------------------------------------------------


def test_shell_has_the_tools_on_its_path_and_where_kame_put_them(nodes: Nodes) -> None:
    line = "ifconfig fxp0; /usr/local/v6/sbin/mip6control -g; echo $?"
    out = nodes.says("shell", "b", "-c", line)
    assert "2001:db8::b" in out and out.endswith("0\n")


def test_dmesg_in_a_shell_is_the_nodes(nodes: Nodes) -> None:
    nodes.says("mip6control", "-D", "1", node="b")
    nodes.says("mip6control", "-g", node="b")
    assert "HA function enabled" in nodes.says("shell", "b", "-c", "dmesg")
    assert nodes.says("dmesg", node="a") == ""


def test_shell_ends_with_the_status_of_its_line(nodes: Nodes) -> None:
    done = nodes.run("shell", "a", "-c", "mip6control -g")
    assert done.returncode == 1 and "mip6 not found" in done.stderr
