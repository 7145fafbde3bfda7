# SPDX-License-Identifier: BSD-3-Clause
"""Namespaces of the running Linux and processes full of kame-py nodes in them.

Each rig has its own runtime folder, so that nothing on the machine is found by accident. Waiting
is always for something that is seen to happen; the deadlines are for a machine that is very slow.
"""

from __future__ import annotations

import itertools
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest

from tests.support import PROJECT_ROOT, needs_netns, needs_tool

PATIENCE_S: Final = 60.0
LOOK_S: Final = 0.05
KAME: Final = (sys.executable, "-m", "kame_py")
_numbers = itertools.count()


def wait_until(what: str, seen: Callable[[], object], patience_s: float = PATIENCE_S) -> None:
    """Look until ``seen()`` is true; the test fails with ``what`` when it never is."""
    deadline = time.monotonic() + patience_s
    while not seen():
        if time.monotonic() > deadline:
            pytest.fail(f"never seen: {what}")
        time.sleep(LOOK_S)


class Netns:
    """A network namespace of the running kernel."""

    def __init__(self) -> None:
        self.name = f"kame{os.getpid()}n{next(_numbers)}"
        _checked("ip", "netns", "add", self.name)
        self.run("ip", "link", "set", "lo", "up")

    def argv(self, *argv: str) -> list[str]:
        """A command line that runs in the namespace."""
        return ["ip", "netns", "exec", self.name, *argv]

    def run(self, *argv: str, timeout_s: float = PATIENCE_S) -> str:
        """Output of a command that must succeed."""
        return _checked(*self.argv(*argv), timeout_s=timeout_s)

    def out(self, *argv: str, timeout_s: float = PATIENCE_S) -> tuple[int, str]:
        """Exit status and all output of a command."""
        done = subprocess.run(
            self.argv(*argv),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=timeout_s,
            check=False,
        )
        return done.returncode, done.stdout

    def sysctl(self, name: str, value: int) -> None:
        self.run("sysctl", "-qw", f"{name}={value}")

    def address(self, ifname: str, kind: str = "global") -> str:
        """The first address of an interface in a scope, without its length; "" for none."""
        text = self.run("ip", "-6", "-o", "addr", "show", "dev", ifname, "scope", kind)
        found = re.search(r"inet6 ([0-9a-f:]+)/", text)
        return found.group(1) if found and "tentative" not in text else ""

    def delete(self) -> None:
        subprocess.run(["ip", "netns", "del", self.name], check=False, capture_output=True)


def _checked(*argv: str, timeout_s: float = PATIENCE_S) -> str:
    done = subprocess.run(
        argv,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=False,
    )
    assert done.returncode == 0, f"{' '.join(argv)}: {done.stdout}{done.stderr}"
    return done.stdout


class Nodes:
    """A process with nodes, and what a user types at it."""

    def __init__(self, folder: Path, *argv: str, netns: Netns | None = None) -> None:
        self.folder = folder
        self.env = {**os.environ, "KAME_RUNTIME_DIR": str(folder / "run")}
        for name in ("KAME_SERVER", "KAME_NODE"):
            self.env.pop(name, None)
        self.netns = netns
        self.log = folder / f"nodes{next(_numbers)}.log"
        command = [*KAME, *argv]
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                netns.argv(*command) if netns is not None else command,
                cwd=PROJECT_ROOT,
                env=self.env,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        wait_until(f"{argv} running: {self.said()}", self._ready)

    @property
    def shell_env(self) -> dict[str, str]:
        """The environment of a user's shell: ``kame`` is on the PATH."""
        return {**self.env, "PATH": f"{Path(sys.executable).parent}:{self.env.get('PATH', '')}"}

    def said(self) -> str:
        """What the process wrote so far."""
        return self.log.read_text(encoding="utf-8")

    def _ready(self) -> bool:
        assert self.process.poll() is None, self.said()
        return "running; control socket" in self.said()

    def run(
        self, *argv: str, node: str | None = None, timeout_s: float = PATIENCE_S
    ) -> subprocess.CompletedProcess[str]:
        """A tool of the node as a process of its own."""
        tool, *rest = argv
        at = ["--node", node] if node is not None else []
        return subprocess.run(
            [*KAME, tool, *at, *rest],
            cwd=PROJECT_ROOT,
            env=self.env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )

    def says(self, *argv: str, node: str | None = None) -> str:
        """Output of a tool that must succeed."""
        done = self.run(*argv, node=node)
        assert done.returncode == 0, f"{argv}: {done.stdout}{done.stderr}"
        return done.stdout

    def usable(self, address: str, node: str | None = None) -> bool:
        """Whether the node has the address and it passed its test for duplicates."""
        for line in self.says("ifconfig", "-a", node=node).splitlines():
            if f"inet6 {address} " in line or f"inet6 {address}%" in line:
                return "tentative" not in line and "duplicated" not in line
        return False

    def stop(self) -> int:
        """SIGTERM and the exit status."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE_S)


class Rig:
    """What one test set up, taken down at its end."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._netns: list[Netns] = []
        self._nodes: list[Nodes] = []
        self._others: list[subprocess.Popen[bytes]] = []

    def netns(self) -> Netns:
        needs_netns()
        self._netns.append(Netns())
        return self._netns[-1]

    def nodes(self, *argv: str, netns: Netns | None = None) -> Nodes:
        """``kame ARGV ...`` running, in a namespace or outside."""
        self._nodes.append(Nodes(self.folder, *argv, netns=netns))
        return self._nodes[-1]

    def tap_node(self, netns: Netns, name: str, *argv: str, rc: str = "") -> Nodes:
        """A node on a TAP interface of the namespace, which is up; the rc has run."""
        script = self.file(f"{name}.rc", rc)
        nodes = self.nodes(
            *("vm", "--name", name, "--tap", f"tap-{name}", "--rc", str(script)),
            *("--pcap", str(self.folder / f"{name}.pcapng"), *argv),
            netns=netns,
        )
        netns.run("ip", "link", "set", f"tap-{name}", "up")
        return nodes

    def file(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.write_text(text, encoding="utf-8")
        return path

    def program(self, netns: Netns, *argv: str) -> subprocess.Popen[bytes]:
        """A program of the machine in the background."""
        needs_tool(argv[0])
        with open(self.folder / f"{Path(argv[0]).name}.log", "ab") as log:
            self._others.append(
                subprocess.Popen(
                    netns.argv(*argv), stdin=subprocess.DEVNULL, stdout=log, stderr=log
                )
            )
        return self._others[-1]

    def captures(self) -> Iterator[Path]:
        yield from sorted(self.folder.glob("*.pcapng"))

    def close(self) -> None:
        for nodes in self._nodes:
            nodes.stop()
        for other in self._others:
            other.terminate()
            other.wait(PATIENCE_S)
        for netns in self._netns:
            netns.delete()


@contextmanager
def rig_in(folder: Path) -> Iterator[Rig]:
    """A rig that is taken down whatever happens, and whose captures tshark finds clean."""
    made = Rig(folder)
    try:
        yield made
    finally:
        made.close()
    for capture in made.captures():
        assert_clean(capture)


def assert_clean(capture: Path) -> None:
    """tshark with our dissector: nothing malformed, no bad checksum."""
    tshark = needs_tool("tshark")
    lua = PROJECT_ROOT / "kame_py" / "wireshark" / "kame_mip6.lua"
    bad = "_ws.malformed || icmpv6.checksum.status == 0 || udp.checksum.status == 0"
    options = ("-o", "udp.check_checksum:TRUE", "-X", f"lua_script:{lua}", "-Y", bad)
    assert _checked(tshark, "-r", str(capture), *options) == ""
