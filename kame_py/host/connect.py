# SPDX-License-Identifier: BSD-3-Clause
"""How a program finds its node, and the connection to it.

No KAME counterpart. ``KAME_SERVER`` names a socket and perhaps a node; without it all sockets of
the runtime folder are asked, and a single running node needs no name at all.
"""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Final, NamedTuple

from kame_py.ctl.codec import Frames, Value, pack, unpack
from kame_py.ctl.remote import NodeGone
from kame_py.host.runtime import START_HINT, Address, RuntimeProblem, sockets
from kame_py.wire.errno import KError

ASK_TIMEOUT_S: Final = 5.0
CHUNK: Final = 65_536


class Found(NamedTuple):
    """One node that runs."""

    path: Path
    node: str
    options: tuple[str, ...]
    interfaces: tuple[tuple[str, str], ...]


class UnixTransport:
    """The connection of one program. OSError when the node is gone."""

    def __init__(self, path: Path) -> None:
        self._sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
        self._sock.connect(str(path))

    def send(self, octets: bytes) -> None:
        self._sock.sendall(octets)

    def recv(self) -> bytes:
        return self._sock.recv(CHUNK)

    def close(self) -> None:
        self._sock.close()


def ask(path: Path, op: str, *args: Value) -> Value:
    """One call about the nodes of a process. KError; NodeGone, OSError: no answer."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
        sock.settimeout(ASK_TIMEOUT_S)
        sock.connect(str(path))
        sock.sendall(pack({"admin": op, "a": args}))
        frames = Frames()
        while octets := sock.recv(CHUNK):
            for body in frames.feed(octets):
                answer = unpack(body)
                errno = answer.get("e")
                if isinstance(errno, int):
                    raise KError(errno)
                if "x" in answer:
                    raise NodeGone(str(answer["x"]))
                return answer.get("r")
    raise NodeGone("the node has ended")


def running(paths: list[Path] | None = None) -> list[Found]:
    """All nodes that answer; sockets of processes that died are cleared away."""
    found: list[Found] = []
    for path in sockets() if paths is None else paths:
        try:
            rows = ask(path, "nodes")
        except ConnectionRefusedError:
            path.unlink(missing_ok=True)
            continue
        except (OSError, NodeGone, KError):
            continue
        for row in rows if isinstance(rows, tuple) else ():
            match row:
                case (str(name), tuple(options), tuple(interfaces)):
                    found.append(Found(path, name, options, interfaces))
    return found


def find(wanted: Address) -> Found:
    """The one node that is meant. NodeGone says what there is instead."""
    try:
        there = running([wanted.path] if wanted.path is not None else None)
    except RuntimeProblem as problem:
        raise NodeGone(str(problem)) from problem
    if not there:
        where = f" at {wanted.path}" if wanted.path is not None else ""
        raise NodeGone(f"no running node{where} ({START_HINT})")
    meant = [f for f in there if wanted.node in (None, f.node)]
    names = ", ".join(sorted({f.node for f in there}))
    if not meant:
        raise NodeGone(f"no node {wanted.node}: {names} run")
    if len(meant) > 1:
        if wanted.node is None:
            raise NodeGone(f"which node: --node {names.replace(', ', '|')}")
        paths = " or ".join(str(f.path) for f in meant)
        raise NodeGone(f"{wanted.node} runs more than once: KAME_SERVER={paths}")
    return meant[0]
