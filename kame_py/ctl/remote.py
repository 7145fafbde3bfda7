# SPDX-License-Identifier: BSD-3-Clause
"""System calls of a program whose kernel lives in another process.

No KAME counterpart. Each call is one frame to the kernel and one back; files, streams, signals and
the life of the process are those of the machine that the program runs on (``System``). The program
gets what it would get beside its kernel: same values, same errors.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Final, Protocol, TypeVar

from kame_py.ctl.codec import PROTOCOL, BadFrame, Frames, Value, pack, unpack
from kame_py.ctl.ops import Polled
from kame_py.wire.errno import EIO, KError
from kame_py.wire.snap import SysctlValue
from kame_py.wire.sockaddr import Cmsg, Received, SockaddrIn6

ENDED: Final = "the node has ended"
NOT_UNDERSTOOD: Final = "the answer is not understood"
_T = TypeVar("_T")


class Transport(Protocol):
    """The connection. Both raise OSError when it is gone."""

    def send(self, octets: bytes) -> None: ...
    def recv(self) -> bytes:
        """Some octets, b"" at the end. Signal handlers run while it waits."""
        ...


class System(Protocol):
    """What a program needs of its own machine. Files raise KError."""

    def read(self, path: str) -> str: ...
    def write(self, path: str, text: str) -> None: ...
    def read_bytes(self, path: str) -> bytes: ...
    def append_bytes(self, path: str, data: bytes) -> None: ...
    def same_file(self, a: str, b: str) -> bool: ...
    def stdin(self) -> str: ...
    def out(self, text: str) -> None: ...
    def out_bytes(self, data: bytes) -> None: ...
    def err(self, text: str) -> None: ...
    def pid(self) -> int: ...
    def kill(self, pid: int, sig: str) -> None: ...
    def detach(self) -> None:
        """daemon(3): from now on another process without streams."""
        ...

    def resolve(self, host: str) -> bytes | None:
        """An IPv6 address of a name that the kernel does not know."""
        ...

    def catch(self, sig: str) -> None:
        """Call ``RemoteOps.signalled`` from now on when this signal comes."""
        ...


class NodeGone(Exception):
    """The node is not there, or not any more; the text says what happened.

    status: what a command ends with then.
    """

    status = 1


class RemoteOps:
    """ProgOps over a connection. ``NodeGone`` when the node ends; nothing else but KError."""

    def __init__(
        self, transport: Transport, system: System, name: str, node: str | None = None
    ) -> None:
        self._transport = transport
        self._system = system
        self._frames = Frames()
        self._waiting = False
        self._signals: list[str] = []
        self.node = str(self._exchange({"hello": PROTOCOL, "node": node, "name": name}))

    # -- the connection -----------------------------------------------------------------------

    def signalled(self, sig: str) -> None:
        """A signal that the program catches; the kernel ends what the program waits for."""
        if self._waiting:
            self._tell({"sig": sig})
        else:
            self._signals.append(sig)

    def admin(self, op: str, *args: Value) -> Value:
        """A call about the nodes themselves."""
        return self._exchange({"admin": op, "a": args})

    def _call(self, op: str, *args: Value) -> Value:
        signals, self._signals = self._signals, []
        for sig in signals:
            self._tell({"sig": sig})
        return self._exchange({"op": op, "a": args})

    def _tell(self, message: dict[str, Value]) -> None:
        """A message without an answer. That the node is gone is found out by the next call."""
        with suppress(OSError):
            self._transport.send(pack(message))

    def _exchange(self, message: dict[str, Value]) -> Value:
        frame = pack(message)
        try:
            self._transport.send(frame)
            self._waiting = True
            for sig in self._signals:  # came between the last look and now
                self._tell({"sig": sig})
            self._signals.clear()
            answer = self._receive()
        except ConnectionError as problem:
            raise NodeGone(ENDED) from problem
        except OSError as problem:
            raise NodeGone(problem.strerror or str(problem)) from problem
        except BadFrame as problem:
            raise NodeGone(f"{NOT_UNDERSTOOD}: {problem}") from problem
        finally:
            self._waiting = False
        if "x" in answer:
            raise NodeGone(str(answer["x"]))
        errno = answer.get("e")
        if isinstance(errno, int):
            raise KError(errno)
        return answer.get("r")

    def _receive(self) -> dict[str, Value]:
        while True:
            octets = self._transport.recv()
            if not octets:
                raise NodeGone(ENDED)
            for body in self._frames.feed(octets):
                return unpack(body)

    # -- sockets ------------------------------------------------------------------------------

    async def socket(self, domain: int, type: int, proto: int) -> int:
        return _int(self._call("socket", domain, type, proto))

    async def close(self, fd: int) -> None:
        self._call("close", fd)

    async def bind(self, fd: int, addr: SockaddrIn6) -> None:
        self._call("bind", fd, addr)

    async def connect(self, fd: int, addr: SockaddrIn6) -> None:
        self._call("connect", fd, addr)

    async def getsockname(self, fd: int) -> SockaddrIn6:
        return _of(SockaddrIn6, self._call("getsockname", fd))

    async def sendmsg(
        self, fd: int, data: bytes, addr: SockaddrIn6 | None = None, control: tuple[Cmsg, ...] = ()
    ) -> int:
        return _int(self._call("sendmsg", fd, data, addr, control))

    async def recvmsg(self, fd: int, flags: int = 0) -> Received:
        return _of(Received, self._call("recvmsg", fd, flags))

    async def setsockopt(self, fd: int, level: int, opt: int, value: object) -> None:
        self._call("setsockopt", fd, level, opt, value)

    async def getsockopt(self, fd: int, level: int, opt: int) -> object:
        return self._call("getsockopt", fd, level, opt)

    # -- kernel state -------------------------------------------------------------------------

    async def ioctl(self, req: object) -> object:
        return self._call("ioctl", req)

    async def sysctl(self, name: str, new: int | None = None) -> SysctlValue:
        value = self._call("sysctl", name, new)
        if isinstance(value, int | str | bytes | tuple):
            return value
        raise KError(EIO)

    async def sysctl_names(self) -> list[str]:
        names = self._call("sysctl_names")
        return [str(name) for name in names] if isinstance(names, tuple) else []

    # -- time, signals ------------------------------------------------------------------------

    def catch_signals(self, *names: str) -> None:
        self._call("catch_signals", *names)
        for name in names:
            self._system.catch(name)

    async def poll(self, fds: tuple[int, ...], timeout_ns: int | None) -> Polled:
        return _of(Polled, self._call("poll", fds, timeout_ns))

    async def nanosleep(self, ns: int) -> None:
        self._call("nanosleep", ns)

    def monotonic(self) -> int:
        return _int(self._call("monotonic"))

    def realtime(self) -> int:
        return _int(self._call("realtime"))

    def random(self, n: int) -> int:
        return _int(self._call("random", n))

    # -- process ------------------------------------------------------------------------------

    def pid(self) -> int:
        return self._system.pid()

    async def kill(self, pid: int, sig: str) -> None:
        self._system.kill(pid, sig)

    async def daemon(self) -> None:
        self._system.detach()
        self._tell({"pid": self._system.pid()})

    def syslog(self, priority: int, text: str) -> None:
        self._call("syslog", priority, text)

    def report(self, name: str, number: int) -> None:
        """Nobody asks."""

    # -- files, streams, names ----------------------------------------------------------------

    async def read_file(self, path: str) -> str:
        return self._system.read(path)

    async def write_file(self, path: str, text: str) -> None:
        self._system.write(path, text)

    async def read_bytes(self, path: str) -> bytes:
        return self._system.read_bytes(path)

    async def append_bytes(self, path: str, data: bytes) -> None:
        self._system.append_bytes(path, data)

    async def same_file(self, a: str, b: str) -> bool:
        return self._system.same_file(a, b)

    async def stdin(self) -> str:
        return self._system.stdin()

    def out(self, text: str) -> None:
        self._system.out(text)

    def out_bytes(self, data: bytes) -> None:
        self._system.out_bytes(data)

    def err(self, text: str) -> None:
        self._system.err(text)

    async def getaddrinfo(self, host: str) -> SockaddrIn6 | None:
        known = self._call("getaddrinfo", host)
        if known is not None:
            return _of(SockaddrIn6, known)
        addr = self._system.resolve(host)
        return None if addr is None else SockaddrIn6(addr)

    async def getaddrinfo_all(self, host: str) -> tuple[SockaddrIn6, ...]:
        known = _of(tuple, self._call("getaddrinfo_all", host))
        if known:
            return tuple(_of(SockaddrIn6, each) for each in known)
        addr = self._system.resolve(host)
        return () if addr is None else (SockaddrIn6(addr),)

    async def getnameinfo(self, addr: SockaddrIn6) -> str:
        return str(self._call("getnameinfo", addr))

    def if_nametoindex(self, name: str) -> int:
        return _int(self._call("if_nametoindex", name))

    def if_indextoname(self, index: int) -> str:
        return str(self._call("if_indextoname", index))


def _int(value: Value) -> int:
    if isinstance(value, int):
        return value
    raise KError(EIO)


def _of(cls: type[_T], value: Value) -> _T:
    if isinstance(value, cls):
        return value
    raise KError(EIO)
