# SPDX-License-Identifier: BSD-3-Clause
"""A tool without a node: what it needs of the machine is there, what it asks a kernel is not.

No KAME counterpart. For tools that read a file (``tcpdump -r``).
"""

from __future__ import annotations

from kame_py.ctl.codec import Frames, Value, pack, unpack
from kame_py.ctl.remote import RemoteOps
from kame_py.host.machine import Machine
from kame_py.wire.errno import ENXIO
from kame_py.wire.in6addr import ntop
from kame_py.wire.sockaddr import SockaddrIn6


class NoNode:
    """The connection of such a program: it knows no name and has no device."""

    def __init__(self) -> None:
        self._frames = Frames()
        self._answers = b""

    def send(self, octets: bytes) -> None:
        for body in self._frames.feed(octets):
            self._answers += pack(_answer(unpack(body)))

    def recv(self) -> bytes:
        answers, self._answers = self._answers, b""
        return answers


def _answer(message: dict[str, Value]) -> dict[str, Value]:
    match message:
        case {"hello": _}:
            return {"r": ""}
        case {"op": "getaddrinfo"}:
            return {"r": None}
        case {"op": "getaddrinfo_all"}:
            return {"r": ()}
        case {"op": "getnameinfo", "a": (SockaddrIn6() as addr,)}:
            return {"r": ntop(addr.addr)}
    return {"e": ENXIO}


def offline(name: str) -> RemoteOps:
    """System calls of a program that has no node."""
    return RemoteOps(NoNode(), Machine(lambda: name), name)
