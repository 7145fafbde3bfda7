# SPDX-License-Identifier: BSD-3-Clause
"""The control socket of a process that runs nodes.

No KAME counterpart. One UNIX socket for all nodes, mode 0600, in a folder that only the user can
enter; who connects must be the same user, or root. A session that does not read gets no further
answers until it does; the number of sessions is limited; what a session sends wrong ends it alone.
"""

from __future__ import annotations

import asyncio
import os
import socket
import struct
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

from kame_py.ctl.codec import Value, pack
from kame_py.ctl.session import Session
from kame_py.host.sockfile import bind_socket, clear_socket
from kame_py.wire.errno import EINVAL, ENOENT, ENOSYS, KError

if TYPE_CHECKING:
    from kame_py.host.pacer import Pacer
    from kame_py.kern.kernel import Kernel
    from kame_py.lab.node import Node
    from kame_py.lab.world import World

SESSIONS_MAX: Final = 256
BACKLOG: Final = 64
HELLO_WAIT_S: Final = 10  # for the first message of a program
_UCRED: Final = struct.Struct("3i")  # pid, uid, gid of struct ucred


class ControlServer:
    """Sessions of the nodes of one world. ``commands``: calls about the nodes, by name."""

    def __init__(self, world: World, loop: asyncio.AbstractEventLoop) -> None:
        self.world = world
        self.pacer: Pacer | None = None
        self.sessions: dict[Session, None] = {}
        self.refused = 0
        self.commands: dict[str, Callable[[tuple[Value, ...]], Value]] = {
            "nodes": self._nodes,
            "programs": self._programs,
        }
        self.loop = loop
        self._server: asyncio.Server | None = None
        self.path: Path | None = None

    # -- life ---------------------------------------------------------------------------------

    async def listen(self, path: Path) -> None:
        """Begin to answer. OSError when the socket cannot be made; it says which."""
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
        mask = os.umask(0o177)
        try:
            bind_socket(sock, str(path))
        except OSError:
            sock.close()
            raise
        finally:
            os.umask(mask)
        self.path = path
        self._server = await self.loop.create_unix_server(
            lambda: _Connection(self), sock=sock, backlog=BACKLOG
        )

    def close(self) -> None:
        """No more answers; programs learn that their node has ended."""
        if self._server is not None:
            self._server.close()
        for session in list(self.sessions):
            session.close("the node ends")
        if self.path is not None:
            clear_socket(self.path)

    @property
    def hungry(self) -> bool:
        """Whether a program in the foreground waits for time to pass."""
        return any(s.waiting and not s.daemon for s in self.sessions)

    # -- what a session asks for --------------------------------------------------------------

    def kernel(self, node: str | None) -> Kernel | None:
        nodes = self.world.nodes
        if node is None:
            return next(iter(nodes.values())).kernel if len(nodes) == 1 else None
        found = nodes.get(node)
        return found.kernel if found is not None else None

    def node_names(self) -> list[str]:
        return list(self.world.nodes)

    def names(self, kern: Kernel) -> Mapping[str, tuple[bytes, ...]]:
        return self.world.hosts

    def admin(self, op: str, args: tuple[Value, ...]) -> Value:
        command = self.commands.get(op)
        if command is None:
            raise KError(ENOSYS)
        return command(args)

    def kick(self, kern: Kernel) -> None:
        node = self.world.nodes.get(kern.name)
        if node is not None:
            node.kick()

    def node_arg(self, args: tuple[Value, ...], index: int = 0) -> Node:
        """The node that an argument names. KError: EINVAL, ENOENT."""
        name = args[index] if index < len(args) else None
        if not isinstance(name, str):
            raise KError(EINVAL)
        if name not in self.world.nodes:
            raise KError(ENOENT)
        return self.world.nodes[name]

    def _nodes(self, args: tuple[Value, ...]) -> Value:
        """(name, options, interfaces with their links) of each node."""
        return tuple(
            (
                node.name,
                tuple(sorted(node.kernel.conf.options)),
                tuple(
                    (name, port.link.name if port.link is not None else "")
                    for name, port in node.ports.items()
                ),
            )
            for node in self.world.nodes.values()
        )

    def _programs(self, args: tuple[Value, ...]) -> Value:
        """(node, pid, name, of this process or not) of each program."""
        inside = [
            (node.name, proc.pid, proc.name, True)
            for node in self.world.nodes.values()
            for proc in node.processes.running()
            if proc.name != "sh"
        ]
        outside = [
            (session.node, session.proc.pid, session.proc.name, False)
            for session in self.sessions
            if session.proc is not None
        ]
        return tuple(inside + outside)


class _Connection(asyncio.Protocol):
    """One connection: octets to its session and back."""

    def __init__(self, server: ControlServer) -> None:
        self._server = server
        self._transport: asyncio.Transport | None = None
        self._session: Session | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        server = self._server
        pid, uid = _peer(transport)
        why = ""
        if uid not in (0, os.geteuid()):
            why = "the nodes belong to another user"
        elif len(server.sessions) >= SESSIONS_MAX:
            why = f"more than {SESSIONS_MAX} programs"
        if why:
            server.refused += 1
            transport.write(pack({"x": why}))
            transport.close()
            return
        self._session = Session(server, transport.write, transport.close, pid)
        server.sessions[self._session] = None
        server.loop.call_later(HELLO_WAIT_S, self._spoke)

    def _spoke(self) -> None:
        """Who says nothing takes a place from others."""
        if self._session is not None and not self._session.spoke:
            self._session.close("nothing was said")

    def data_received(self, data: bytes) -> None:
        pacer = self._server.pacer
        if self._session is None or pacer is None:
            return
        pacer.touch()
        self._session.feed(data)
        pacer.settle()

    def pause_writing(self) -> None:
        """It does not read its answers: it gets no more until it does."""
        if self._transport is not None and self._session is not None:
            self._transport.pause_reading()
            self._session.pause()

    def resume_writing(self) -> None:
        pacer = self._server.pacer
        if self._transport is None or self._session is None or pacer is None:
            return
        self._transport.resume_reading()
        pacer.touch()
        self._session.resume()
        pacer.settle()

    def connection_lost(self, exc: Exception | None) -> None:
        session, self._session = self._session, None
        if session is None:
            return
        self._server.sessions.pop(session, None)
        pacer = self._server.pacer
        if pacer is not None:
            pacer.touch()
        session.close()
        if pacer is not None:
            pacer.settle()


def _peer(transport: asyncio.Transport) -> tuple[int, int]:
    """Pid and user of who connected."""
    sock = transport.get_extra_info("socket")
    pid, uid, _ = _UCRED.unpack(sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _UCRED.size))
    return pid, uid
