# SPDX-License-Identifier: BSD-3-Clause
"""How a program finds its node, and the connection to it.

No KAME counterpart. ``KAME_SERVER`` names a socket and perhaps a node; without it all sockets of
the runtime folder are asked, and a single running node needs no name at all. Who does not answer is
named with the reason, and only sockets of the runtime folder are ever cleared away.
"""

from __future__ import annotations

import select
import signal
import socket
from contextlib import suppress
from pathlib import Path
from struct import Struct
from typing import Final, NamedTuple

from kame_py.ctl.codec import BadFrame, Frames, Value, pack, unpack
from kame_py.ctl.remote import ENDED, NOT_UNDERSTOOD, NodeGone
from kame_py.host.runtime import START_HINT, Address, RuntimeProblem, sockets
from kame_py.host.sockfile import clear_socket
from kame_py.wire.errno import KError

ASK_TIMEOUT_S: Final = 5
CHUNK: Final = 65_536
_TIMEVAL: Final = Struct("ll")
NO_ANSWER: Final = "no answer, its process is stopped or busy"


class Found(NamedTuple):
    """One node that runs."""

    path: Path
    node: str
    options: tuple[str, ...]
    interfaces: tuple[tuple[str, str], ...]


class Survey(NamedTuple):
    """Who answered; of the others, ``path: why``."""

    found: list[Found]
    silent: list[str]


class UnixTransport:
    """The connection of one program. OSError when the node is gone."""

    def __init__(self, path: Path) -> None:
        self._sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
        self._sock.connect(str(path))
        self._woken: socket.socket | None = None

    def wake_on_signals(self) -> None:
        """Let ``recv`` run signal handlers also for a signal that came just before it waits.

        Without this such a signal would be noticed with the next answer. Main thread only.
        """
        self._woken, self._waker = socket.socketpair()
        self._woken.setblocking(False)
        self._waker.setblocking(False)
        signal.set_wakeup_fd(self._waker.fileno(), warn_on_full_buffer=False)

    def send(self, octets: bytes) -> None:
        self._sock.sendall(octets)

    def recv(self) -> bytes:
        while self._woken is not None:
            ready, _, _ = select.select((self._sock, self._woken), (), ())
            if self._woken in ready:
                with suppress(BlockingIOError):
                    self._woken.recv(CHUNK)
            if self._sock in ready:
                break
        return self._sock.recv(CHUNK)

    def close(self) -> None:
        self._sock.close()


def ask(path: Path, op: str, *args: Value) -> Value:
    """One call about the nodes of a process. KError; NodeGone, OSError: no answer."""
    with _asking(path) as sock:
        sock.sendall(pack({"admin": op, "a": args}))
        return _answer(sock)


def stop(path: Path) -> None:
    """End a process full of nodes, and wait until it has. NodeGone, OSError: no answer."""
    with _asking(path) as sock:
        sock.sendall(pack({"admin": "stop", "a": ()}))
        _answer(sock)
        try:
            while sock.recv(CHUNK):
                continue
        except BlockingIOError as problem:
            raise NodeGone("it has not ended yet") from problem
        except ConnectionError:
            return


def _asking(path: Path) -> socket.socket:
    """A connection that waits for nothing longer than a while: a full backlog neither."""
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        for option in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):
            sock.setsockopt(socket.SOL_SOCKET, option, _TIMEVAL.pack(ASK_TIMEOUT_S, 0))
        sock.connect(str(path))
    except OSError:
        sock.close()
        raise
    return sock


def _answer(sock: socket.socket) -> Value:
    frames = Frames()
    try:
        while octets := sock.recv(CHUNK):
            for body in frames.feed(octets):
                answer = unpack(body)
                errno = answer.get("e")
                if isinstance(errno, int):
                    raise KError(errno)
                if "x" in answer:
                    raise NodeGone(str(answer["x"]))
                return answer.get("r")
    except BadFrame as problem:
        raise NodeGone(f"{NOT_UNDERSTOOD}: {problem}") from problem
    except BlockingIOError as problem:
        raise NodeGone(NO_ANSWER) from problem
    raise NodeGone(ENDED)


def running(paths: list[Path] | None = None) -> list[Found]:
    """All nodes that answer."""
    return survey(paths).found


def survey(paths: list[Path] | None = None) -> Survey:
    """All nodes, and who does not answer. RuntimeProblem.

    None: those of the runtime folder, where sockets of processes that died are cleared away.
    """
    known = Survey([], [])
    for path in sockets() if paths is None else paths:
        try:
            rows = ask(path, "nodes")
        except (ConnectionRefusedError, FileNotFoundError):
            if paths is None:
                clear_socket(path)
            elif path.exists() and not path.is_socket():
                known.silent.append(f"{path}: not a socket")
            continue
        except BlockingIOError:
            known.silent.append(f"{path}: {NO_ANSWER}")
            continue
        except (OSError, NodeGone, KError) as problem:
            why = problem.strerror if isinstance(problem, OSError) else None
            known.silent.append(f"{path}: {why or problem}")
            continue
        for row in rows if isinstance(rows, tuple) else ():
            match row:
                case (str(name), tuple(options), tuple(interfaces)):
                    known.found.append(Found(path, name, options, interfaces))
    return known


def find(wanted: Address) -> Found:
    """The one node that is meant. NodeGone says what there is instead."""
    try:
        there, silent = survey([wanted.path] if wanted.path is not None else None)
    except RuntimeProblem as problem:
        raise NodeGone(str(problem)) from problem
    if not there:
        if silent:
            raise NodeGone("; ".join(silent))
        where = f" at {wanted.path}" if wanted.path is not None else ""
        raise NodeGone(f"no running node{where} ({START_HINT})")
    meant = [f for f in there if wanted.node in (None, f.node)]
    names = ", ".join(sorted({f.node for f in there}))
    if not meant:
        raise NodeGone("; ".join([f"no node {wanted.node}: {names} run", *silent]))
    if len(meant) > 1:
        if wanted.node is None and len({f.node for f in meant}) > 1:
            raise NodeGone(f"which node: --node {names.replace(', ', '|')}")
        paths = " or ".join(str(f.path) for f in meant)
        raise NodeGone(f"{meant[0].node} runs more than once: KAME_SERVER={paths}")
    return meant[0]
