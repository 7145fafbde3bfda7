# SPDX-License-Identifier: BSD-3-Clause
"""A program and its kernel at the two ends of a connection in one process, in virtual time."""

from __future__ import annotations

from collections.abc import Mapping

from kame_py.ctl.codec import Value
from kame_py.ctl.remote import RemoteOps
from kame_py.ctl.session import Session
from kame_py.kern.clock import NS
from kame_py.kern.kernel import Kernel
from kame_py.lab.world import World
from kame_py.tools import load
from kame_py.wire.errno import ENOENT, ENOSYS, KError

PATIENCE_S = 600  # virtual


class WorldHost:
    """The nodes of a world, as a session sees them."""

    def __init__(self, world: World) -> None:
        self.world = world

    def kernel(self, node: str | None) -> Kernel | None:
        if node is None:
            only = list(self.world.nodes.values())
            return only[0].kernel if len(only) == 1 else None
        found = self.world.nodes.get(node)
        return found.kernel if found is not None else None

    def node_names(self) -> list[str]:
        return list(self.world.nodes)

    def names(self, kern: Kernel) -> Mapping[str, tuple[bytes, ...]]:
        return self.world.hosts

    def admin(self, op: str, args: tuple[Value, ...]) -> Value:
        raise KError(ENOSYS)

    def kick(self, kern: Kernel) -> None:
        self.world.nodes[kern.name].kick()


class Wire:
    """The connection: what the program sends arrives at once, what it waits for takes time."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.inbox = b""
        self.ended = False
        self.session = Session(WorldHost(world), self._arrive, self._end, 4711)

    def _arrive(self, octets: bytes) -> None:
        self.inbox += octets

    def _end(self) -> None:
        self.ended = True

    def send(self, octets: bytes) -> None:
        if self.ended:
            raise BrokenPipeError(32, "Broken pipe")
        self.session.feed(octets)

    def recv(self) -> bytes:
        self.world.run_ns(
            self.world.now() + PATIENCE_S * NS, lambda: bool(self.inbox) or self.ended
        )
        octets, self.inbox = self.inbox, b""
        return octets


class Machine:
    """The program's own machine."""

    def __init__(self) -> None:
        self.files: dict[str, str] = {}
        self.octets: dict[str, bytes] = {}
        self.written = ""
        self.complaints = ""
        self.caught: list[str] = []
        self.detached = False

    def read(self, path: str) -> str:
        if path not in self.files:
            raise KError(ENOENT)
        return self.files[path]

    def write(self, path: str, text: str) -> None:
        self.files[path] = text

    def read_bytes(self, path: str) -> bytes:
        if path not in self.octets:
            raise KError(ENOENT)
        return self.octets[path]

    def append_bytes(self, path: str, data: bytes) -> None:
        self.octets[path] = self.octets.get(path, b"") + data

    def same_file(self, a: str, b: str) -> bool:
        return a == b

    def stdin(self) -> str:
        return ""

    def out(self, text: str) -> None:
        self.written += text

    def out_bytes(self, data: bytes) -> None:
        self.append_bytes("-", data)

    def err(self, text: str) -> None:
        self.complaints += text

    def pid(self) -> int:
        return 4712 if self.detached else 4711

    def kill(self, pid: int, sig: str) -> None:
        raise KError(ENOSYS)

    def detach(self) -> None:
        self.detached = True

    def resolve(self, host: str) -> bytes | None:
        return None

    def catch(self, sig: str) -> None:
        self.caught.append(sig)


class Program:
    """One program at the far end."""

    def __init__(self, world: World, name: str, node: str | None = None) -> None:
        self.wire = Wire(world)
        self.machine = Machine()
        self.ops = RemoteOps(self.wire, self.machine, name, node)
        self.name = name

    def run(self, line: str) -> tuple[int, str, str]:
        """Exit status, standard output and standard error of a tool."""
        tool = load(self.name)
        assert tool is not None
        coro = tool.main(line.split(), self.ops)
        try:
            coro.send(None)
        except StopIteration as stop:
            return int(stop.value), self.machine.written, self.machine.complaints
        raise AssertionError("a remote program never awaits anything but the connection")
