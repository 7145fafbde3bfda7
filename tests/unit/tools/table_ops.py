# SPDX-License-Identifier: BSD-3-Clause
"""System calls answered from tables, for tests of what tools print and ask for."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from kame_py.ctl.ops import Polled
from kame_py.lib.toolbase import Tool, sockaddr_text
from kame_py.wire.errno import EAGAIN, EINVAL, ENOENT, KError
from kame_py.wire.in6addr import pton
from kame_py.wire.snap import SysctlValue
from kame_py.wire.sockaddr import Cmsg, Received, SockaddrIn6

NS = 1_000_000_000
INTERFACES = {"fxp0": 1, "fxp1": 2, "lo0": 3, "gif0": 4}


def addr(text: str) -> bytes:
    """An address that the test knows to be one."""
    got = pton(text)
    assert got is not None, text
    return got


class Result(NamedTuple):
    """What a tool did."""

    status: int
    out: str
    err: str


class _Stop(Exception):
    """The test has seen enough of a tool that never ends."""


@dataclass(slots=True)
class Sent:
    """One datagram that a tool sent."""

    data: bytes
    addr: SockaddrIn6 | None
    control: tuple[Cmsg, ...]


class TableOps:
    """ioctls: request class -> answer, error or function. sysctls: name -> value."""

    def __init__(self) -> None:
        self.ioctls: dict[type, object] = {}
        self.sysctls: dict[str, SysctlValue] = {}
        self.names: dict[str, bytes] = {}
        self.more_names: dict[str, tuple[bytes, ...]] = {}
        self.files: dict[str, str] = {}
        self.stdin_text = ""
        self.asked: list[object] = []
        self.sent: list[Sent] = []
        self.inbox: deque[Received] = deque()
        self.on_send: Callable[[Sent], None] | None = None
        self.coming: list[tuple[int, Received]] = []
        self.signals: tuple[str, ...] = ()
        self.signal_at_ns: int | None = None
        self.now_ns = 5 * NS
        self.stop_after_ns: int | None = None
        self._out: list[str] = []
        self._err: list[str] = []

    def run(self, tool: Tool, *words: str) -> Result:
        """Run a tool to its end."""
        coro = tool.main(list(words), self)
        try:
            coro.send(None)
        except StopIteration as stop:
            return self._result(int(stop.value))
        except _Stop:
            return self._result(-1)
        raise AssertionError("a call of these tables waited")

    def _result(self, status: int) -> Result:
        result = Result(status, "".join(self._out), "".join(self._err))
        self._out.clear()
        self._err.clear()
        return result

    # sockets
    async def socket(self, domain: int, type: int, proto: int) -> int:
        return 3

    async def close(self, fd: int) -> None: ...
    async def bind(self, fd: int, addr: SockaddrIn6) -> None: ...
    async def connect(self, fd: int, addr: SockaddrIn6) -> None: ...
    async def getsockname(self, fd: int) -> SockaddrIn6:
        return SockaddrIn6(addr("2001:db8:1::1"))

    async def sendmsg(
        self, fd: int, data: bytes, addr: SockaddrIn6 | None = None, control: tuple[Cmsg, ...] = ()
    ) -> int:
        sent = Sent(data, addr, control)
        self.sent.append(sent)
        if self.on_send is not None:
            self.on_send(sent)
        return len(data)

    async def recvmsg(self, fd: int, flags: int = 0) -> Received:
        if not self.inbox:
            raise KError(EAGAIN)
        return self.inbox.popleft()

    async def setsockopt(self, fd: int, level: int, opt: int, value: object) -> None: ...
    async def getsockopt(self, fd: int, level: int, opt: int) -> object:
        return 0

    # kernel state
    async def ioctl(self, req: object) -> object:
        self.asked.append(req)
        answer = self.ioctls.get(type(req), KError(EINVAL))
        if callable(answer):
            answer = answer(req)
        if isinstance(answer, KError):
            raise answer
        return answer

    async def sysctl(self, name: str, new: int | None = None) -> SysctlValue:
        if name not in self.sysctls:
            raise KError(ENOENT)
        return self.sysctls[name]

    async def sysctl_names(self) -> list[str]:
        return sorted(self.sysctls)

    # time, signals
    def catch_signals(self, *names: str) -> None: ...
    async def poll(self, fds: tuple[int, ...], timeout_ns: int | None) -> Polled:
        if self.inbox:
            return Polled(fds, ())
        if self.signals:
            signals, self.signals = self.signals, ()
            return Polled((), signals)
        assert timeout_ns is not None, "nothing will ever come"
        until = self.now_ns + timeout_ns
        first = self.coming[0][0] if self.coming else until + 1
        if self.signal_at_ns is not None and self.signal_at_ns <= min(until, first):
            self.now_ns, self.signal_at_ns = self.signal_at_ns, None
            return Polled((), ("INT",))
        if first <= until:
            self.now_ns, packet = self.coming.pop(0)
            self.inbox.append(packet)
            return Polled(fds, ())
        await self.nanosleep(timeout_ns)
        return Polled((), ())

    def later(self, ns: int, packet: Received) -> None:
        """A packet that will arrive; earlier ones must have been announced before."""
        self.coming.append((self.now_ns + ns, packet))

    async def nanosleep(self, ns: int) -> None:
        self.now_ns += ns
        if self.stop_after_ns is not None and self.now_ns >= self.stop_after_ns:
            raise _Stop

    def monotonic(self) -> int:
        return self.now_ns

    def realtime(self) -> int:
        return 1_000_000_000 * NS + self.now_ns

    def random(self, n: int) -> int:
        return 0

    # process
    def pid(self) -> int:
        return 100

    async def kill(self, pid: int, sig: str) -> None: ...
    async def daemon(self) -> None: ...
    def syslog(self, priority: int, text: str) -> None: ...
    def report(self, name: str, number: int) -> None: ...

    # files and streams
    async def read_file(self, path: str) -> str:
        if path not in self.files:
            raise KError(ENOENT)
        return self.files[path]

    async def write_file(self, path: str, text: str) -> None: ...
    async def stdin(self) -> str:
        return self.stdin_text

    def out(self, text: str) -> None:
        self._out.append(text)

    def err(self, text: str) -> None:
        self._err.append(text)

    # names
    async def getaddrinfo(self, host: str) -> SockaddrIn6 | None:
        if host in self.names:
            return SockaddrIn6(self.names[host])
        text, percent, zone = host.partition("%")
        got = pton(text)
        if got is None or (percent and zone not in INTERFACES):
            return None
        return SockaddrIn6(got, scope_id=INTERFACES.get(zone, 0))

    async def getaddrinfo_all(self, host: str) -> tuple[SockaddrIn6, ...]:
        if host in self.more_names:
            return tuple(map(SockaddrIn6, self.more_names[host]))
        only = await self.getaddrinfo(host)
        return () if only is None else (only,)

    async def getnameinfo(self, addr: SockaddrIn6) -> str:
        for name, known in self.names.items():
            if known == addr.addr:
                return name
        return sockaddr_text(self, addr)

    def if_nametoindex(self, name: str) -> int:
        return INTERFACES.get(name, 0)

    def if_indextoname(self, index: int) -> str:
        return next((name for name, i in INTERFACES.items() if i == index), "")
