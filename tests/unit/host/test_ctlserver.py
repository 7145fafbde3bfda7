# SPDX-License-Identifier: BSD-3-Clause
"""The control socket: who takes a place and says nothing does not keep it."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from kame_py.ctl.codec import pack
from kame_py.host.ctlserver import HELLO_WAIT_S, ControlServer
from kame_py.host.pacer import VirtualTime
from kame_py.lab.world import World

HELLO = pack({"hello": 1, "node": "a", "name": "x"})
PATIENCE_S = 30


def test_a_connection_that_says_nothing_is_closed_and_others_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asyncio.run(_silent_and_polite(tmp_path / "x.sock", monkeypatch))


async def _silent_and_polite(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    world.add_node("a")
    loop = asyncio.get_running_loop()
    server = ControlServer(world, loop)
    server.pacer = VirtualTime(world, loop, lambda: False)
    await server.listen(path)
    clocks: list[tuple[float, Callable[[], None]]] = []
    with monkeypatch.context() as patch:
        patch.setattr(loop, "call_later", lambda delay, fn: clocks.append((delay, fn)))
        silent = socket_of(path, HELLO[:-1])
        polite = socket_of(path, HELLO)
        assert (await loop.sock_recv(polite, 4096)).endswith(b'{"r":"a"}')
    assert [delay for delay, _ in clocks] == [HELLO_WAIT_S] * 2
    for _, fn in clocks:
        fn()
    assert await asyncio.wait_for(loop.sock_recv(silent, 1), PATIENCE_S) == b""
    polite.send(pack({"op": "monotonic", "a": ()}))
    assert await asyncio.wait_for(loop.sock_recv(polite, 4096), PATIENCE_S)
    for sock in (silent, polite):
        sock.close()
    server.close()
    assert not path.exists()


def socket_of(path: Path, octets: bytes) -> socket.socket:
    """A client that has said this."""
    sock = socket.socket(socket.AF_UNIX)
    sock.connect(str(path))
    sock.sendall(octets)
    sock.setblocking(False)
    return sock
