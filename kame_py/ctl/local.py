# SPDX-License-Identifier: BSD-3-Clause
"""System calls of a program that lives beside its kernel, in the kernel's own time.

KAME: the syscall layer (uipc_syscalls.c, kern_sig.c, sys_generic.c) as far as the tools need it.
Deviates: a call that must wait awaits a ``Wait``, which whoever steps the program serves
(lab/process.py, a live kernel's server); nothing here has a loop or a thread.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from kame_py.ctl.ops import Polled
from kame_py.kern.uipc_socket import (
    Socket,
    sobind,
    soclose,
    soconnect,
    socreate,
    sogetopt,
    sogetsockname,
    soisreadable,
    soreceive,
    sosend,
    sosetopt,
)
from kame_py.wire.errno import EAGAIN, EBADF, EINTR, EINVAL, EMFILE, EOPNOTSUPP, KError
from kame_py.wire.in6addr import IN6_IS_SCOPE_LINKLOCAL, ntop, pton
from kame_py.wire.snap import SysctlValue
from kame_py.wire.sockaddr import MSG_DONTWAIT, Cmsg, Received, SockaddrIn6

if TYPE_CHECKING:
    from kame_py.kern.kernel import Kernel

#: Signals that a program may be sent, with their FreeBSD numbers.
SIGNALS: Final[Mapping[str, int]] = {"HUP": 1, "INT": 2, "KILL": 9, "TERM": 15, "USR1": 30}
OCTETS: Final = "surrogateescape"  # how octets that are no text live in one, without loss
FIRST_FD: Final = 3  # 0-2 are the standard streams
FDS_MAX: Final = 64  # of one program; the tools need three
NS_MAX: Final = 2**63  # of a time, as in 64 bits


@dataclass(frozen=True, slots=True)
class Wait:
    """What a program waits for: any socket readable, the deadline, a caught signal."""

    socks: tuple[Socket, ...] = ()
    deadline_ns: int | None = None
    signals: bool = False

    def __await__(self) -> Generator[Wait, None, None]:
        yield self


class Files(Protocol):
    """The files that a program sees; KError as open(2) would."""

    def read(self, path: str) -> str: ...
    def write(self, path: str, text: str) -> None: ...
    def append(self, path: str, text: str) -> None: ...
    def same(self, a: str, b: str) -> bool: ...


class Proc(Protocol):
    """What the calls need of the process that makes them."""

    @property
    def pid(self) -> int: ...
    @property
    def name(self) -> str: ...
    @property
    def stdin_text(self) -> str: ...
    @property
    def files(self) -> Files: ...
    @property
    def hosts(self) -> Mapping[str, tuple[bytes, ...]]: ...
    def write_out(self, text: str) -> None: ...
    def write_err(self, text: str) -> None: ...
    def note(self, name: str, number: int) -> None:
        """The program reports its progress."""
        ...

    def detach(self) -> None:
        """The parent need not wait any longer."""
        ...

    def kill(self, pid: int, sig: str) -> None: ...


class LocalOps:
    """ProgOps over one kernel, for one process: its descriptors and its signals."""

    def __init__(self, kern: Kernel, proc: Proc) -> None:
        self._kern = kern
        self._proc = proc
        self._fds: dict[int, Socket] = {}
        self._caught: set[str] = set()
        self._pending: list[str] = []

    # -- descriptors --------------------------------------------------------------------------

    def _so(self, fd: int) -> Socket:
        so = self._fds.get(fd)
        if so is None:
            raise KError(EBADF)
        return so

    async def socket(self, domain: int, type: int, proto: int) -> int:
        if len(self._fds) >= FDS_MAX:
            raise KError(EMFILE)
        fd = FIRST_FD
        while fd in self._fds:
            fd += 1
        self._fds[fd] = socreate(self._kern, domain, type, proto)
        return fd

    async def close(self, fd: int) -> None:
        so = self._so(fd)
        del self._fds[fd]
        soclose(self._kern, so)

    def close_all(self) -> None:
        """What exit(2) does with the descriptors."""
        for fd in sorted(self._fds):
            soclose(self._kern, self._fds.pop(fd))

    async def bind(self, fd: int, addr: SockaddrIn6) -> None:
        sobind(self._kern, self._so(fd), addr)

    async def connect(self, fd: int, addr: SockaddrIn6) -> None:
        soconnect(self._kern, self._so(fd), addr)

    async def getsockname(self, fd: int) -> SockaddrIn6:
        return sogetsockname(self._kern, self._so(fd))

    async def sendmsg(
        self, fd: int, data: bytes, addr: SockaddrIn6 | None = None, control: tuple[Cmsg, ...] = ()
    ) -> int:
        sent = sosend(self._kern, self._so(fd), data, addr, control)
        self._kern.run_softintr()
        return sent

    async def recvmsg(self, fd: int, flags: int = 0) -> Received:
        so = self._so(fd)
        while True:
            try:
                return soreceive(self._kern, so, flags)
            except KError as e:
                if e.errno != EAGAIN or flags & MSG_DONTWAIT:
                    raise
            if self._pending:
                raise KError(EINTR)
            await Wait((so,), signals=True)

    async def setsockopt(self, fd: int, level: int, opt: int, value: object) -> None:
        sosetopt(self._kern, self._so(fd), level, opt, value)
        self._kern.run_softintr()

    async def getsockopt(self, fd: int, level: int, opt: int) -> object:
        return sogetopt(self._kern, self._so(fd), level, opt)

    # -- kernel state -------------------------------------------------------------------------

    async def ioctl(self, req: object) -> object:
        fn = self._kern.ioctlsw.get(type(req))
        if fn is None:
            raise KError(EOPNOTSUPP)
        answer = fn(self._kern, req)
        self._kern.run_softintr()
        return answer

    async def sysctl(self, name: str, new: int | None = None) -> SysctlValue:
        if new is None:
            return self._kern.sysctl.read(name)
        old = self._kern.sysctl.write(name, new)
        self._kern.run_softintr()
        return old

    async def sysctl_names(self) -> list[str]:
        tree = self._kern.sysctl
        return [name for name in tree.names() if not tree.oid(name).opaque]

    # -- time, signals ------------------------------------------------------------------------

    def catch_signals(self, *names: str) -> None:
        for name in names:
            if name not in SIGNALS or name == "KILL":
                raise KError(EINVAL)
            self._caught.add(name)

    def deliver(self, sig: str) -> bool:
        """Take a signal for the program. False: it was not asked for and is to end it."""
        if sig not in self._caught:
            return False
        if sig not in self._pending:
            self._pending.append(sig)
        return True

    async def poll(self, fds: tuple[int, ...], timeout_ns: int | None) -> Polled:
        socks = tuple(self._so(fd) for fd in fds)
        deadline = (
            None if timeout_ns is None else self._kern.now() + min(max(timeout_ns, 0), NS_MAX)
        )
        while True:
            readable = tuple(fd for fd, so in zip(fds, socks, strict=True) if soisreadable(so))
            due = deadline is not None and self._kern.now() >= deadline
            if readable or self._pending or due:
                signals = tuple(self._pending)
                self._pending.clear()
                return Polled(readable, signals)
            await Wait(socks, deadline, signals=True)

    async def nanosleep(self, ns: int) -> None:
        if not 0 <= ns < NS_MAX:
            raise KError(EINVAL)
        await Wait(deadline_ns=self._kern.now() + ns)

    def monotonic(self) -> int:
        return self._kern.now()

    def realtime(self) -> int:
        return self._kern.clock.realtime()

    def random(self, n: int) -> int:
        return self._kern.rng.stream(f"proc.{self._proc.name}.{self._proc.pid}").below(n)

    # -- process ------------------------------------------------------------------------------

    def pid(self) -> int:
        return self._proc.pid

    async def kill(self, pid: int, sig: str) -> None:
        self._proc.kill(pid, sig)

    async def daemon(self) -> None:
        self._proc.detach()

    def syslog(self, priority: int, text: str) -> None:
        self._kern.log.log(priority, text, f"{self._proc.name}[{self._proc.pid}]")

    def report(self, name: str, number: int) -> None:
        self._proc.note(name, number)

    # -- files and streams --------------------------------------------------------------------

    async def read_file(self, path: str) -> str:
        return self._proc.files.read(path)

    async def write_file(self, path: str, text: str) -> None:
        self._proc.files.write(path, text)

    async def read_bytes(self, path: str) -> bytes:
        return self._proc.files.read(path).encode("utf-8", OCTETS)

    async def append_bytes(self, path: str, data: bytes) -> None:
        self._proc.files.append(path, data.decode("utf-8", OCTETS))

    async def same_file(self, a: str, b: str) -> bool:
        return self._proc.files.same(a, b)

    async def stdin(self) -> str:
        return self._proc.stdin_text

    def out(self, text: str) -> None:
        self._proc.write_out(text)

    def out_bytes(self, data: bytes) -> None:
        self._proc.write_out(data.decode("utf-8", OCTETS))

    def err(self, text: str) -> None:
        self._proc.write_err(text)

    # -- names --------------------------------------------------------------------------------

    async def getaddrinfo(self, host: str) -> SockaddrIn6 | None:
        text, percent, zone = host.partition("%")
        known = self._proc.hosts.get(host)
        if known:
            return SockaddrIn6(known[0])
        addr = pton(text)
        if addr is None:
            return None
        if not percent:
            return SockaddrIn6(addr)
        index = self._zone_index(zone)
        return SockaddrIn6(addr, scope_id=index) if index else None

    async def getaddrinfo_all(self, host: str) -> tuple[SockaddrIn6, ...]:
        known = self._proc.hosts.get(host)
        if known:
            return tuple(map(SockaddrIn6, known))
        only = await self.getaddrinfo(host)
        return () if only is None else (only,)

    def _zone_index(self, zone: str) -> int:
        index = self.if_nametoindex(zone)
        if not index and zone.isascii() and zone.isdecimal() and self.if_indextoname(int(zone)):
            index = int(zone)
        return index

    async def getnameinfo(self, addr: SockaddrIn6) -> str:
        for name, addrs in self._proc.hosts.items():
            if addr.addr in addrs and not IN6_IS_SCOPE_LINKLOCAL(addr.addr):
                return name
        zone = self.if_indextoname(addr.scope_id) if addr.scope_id else ""
        return f"{ntop(addr.addr)}%{zone}" if zone else ntop(addr.addr)

    def if_nametoindex(self, name: str) -> int:
        ifp = self._kern.ifunit(name)
        return ifp.if_index if ifp is not None else 0

    def if_indextoname(self, index: int) -> str:
        ifp = self._kern.ifbyindex(index)
        return ifp.if_name if ifp is not None else ""
