# SPDX-License-Identifier: BSD-3-Clause
"""A small machine for rtadvd and rtsold: ProgOps with its own time, links and events.

Nothing but the program runs here, so every call answers at once and ``poll`` moves the time.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from itertools import count
from typing import NamedTuple

from kame_py.ctl.ops import Polled
from kame_py.lib.flagwords import IFF_MULTICAST, IFF_RUNNING, IFF_UP
from kame_py.lib.toolbase import Main
from kame_py.wire import ioctl
from kame_py.wire.errno import EACCES, EADDRNOTAVAIL, EAGAIN, EINVAL, ENOENT, ENXIO, KError
from kame_py.wire.in6addr import pton
from kame_py.wire.snap import INFINITE, DrSnap, IfaSnap, IfSnap, SysctlValue
from kame_py.wire.sockaddr import (
    AF_ROUTE,
    IPPROTO_IPV6,
    IPV6_HOPLIMIT,
    IPV6_PKTINFO,
    Cmsg,
    Received,
    SockaddrIn6,
)

NS = 1_000_000_000
EPOCH_NS = 1_012_435_200 * NS  # 2002-01-31 00:00:00 UTC
MAC = bytes.fromhex("00a024660077")
IFT_ETHER = 6
UP = IFF_UP | IFF_RUNNING | IFF_MULTICAST


def addr(text: str) -> bytes:
    value = pton(text)
    assert value is not None, text
    return value


class Sent(NamedTuple):
    """One message that the program sent: when, on which kind of socket, what, where to."""

    t_ns: int
    proto: int
    data: bytes
    to: SockaddrIn6
    hlim: int

    @property
    def t_s(self) -> float:
        return self.t_ns / NS


class _Over(BaseException):
    """The time of the test is over; the program would go on."""


@dataclass
class Machine:
    """The fake kernel and process. ``draw`` answers random(n)."""

    draw: Callable[[int], int] = lambda n: 0
    now_ns: int = 0
    ifs: dict[str, IfSnap] = field(default_factory=dict)
    addrs: dict[str, list[IfaSnap]] = field(default_factory=dict)
    media: dict[str, bool | None] = field(default_factory=dict)
    routers: list[DrSnap] = field(default_factory=list)
    lifetimes: dict[tuple[str, int], tuple[int, int]] = field(default_factory=dict)
    sysctls: dict[str, int] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    sent: list[Sent] = field(default_factory=list)
    joined: list[tuple[bytes, int]] = field(default_factory=list)
    log: list[tuple[int, str]] = field(default_factory=list)
    stdout: str = ""
    stderr: str = ""
    daemon_at: int | None = None
    send_errno: int = 0
    unreadable: set[str] = field(default_factory=set)
    draws: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._socks: dict[int, tuple[int, int]] = {}
        self._queues: dict[int, list[Received]] = {}
        self._events: list[tuple[int, int, Callable[[], object]]] = []
        self._signals: list[str] = []
        self._seq = count()
        self._until_ns = 0

    # -- what a test arranges -------------------------------------------------------------------

    def add_if(self, name: str = "fxp0", flags: int = UP, media: bool | None = True) -> IfSnap:
        """An interface. media None: no carrier detection."""
        index = len(self.ifs) + 1
        snap = IfSnap(name, index, IFT_ETHER, flags, 1500, 0, MAC, media, 0, 0, 0, 0, 0, 0, 0, 0, 0)
        self.ifs[name] = snap
        self.media[name] = media
        self.addrs.setdefault(name, [])
        self.add_addr(name, "fe80::2a0:24ff:fe66:77")
        return snap

    def add_addr(self, ifname: str, text: str, plen: int = 64, flags: int = 0) -> None:
        index = self.ifs[ifname].index
        ifa = IfaSnap(
            ifname, index, addr(text), plen, flags, INFINITE, INFINITE, INFINITE, INFINITE, None
        )
        self.addrs[ifname].append(ifa)

    def set_flags(self, ifname: str, flags: int) -> None:
        self.ifs[ifname] = replace(self.ifs[ifname], flags=flags)

    def at(self, t_s: float, fn: Callable[[], object]) -> None:
        heapq.heappush(self._events, (round(t_s * NS), next(self._seq), fn))

    def signal_at(self, t_s: float, sig: str) -> None:
        self.at(t_s, lambda: self._signals.append(sig))

    def icmp6_at(
        self, t_s: float, data: bytes, src: str, ifname: str = "fxp0", hlim: int = 255
    ) -> None:
        """An ICMPv6 message arrives on the interface."""
        index = self.ifs[ifname].index
        control = (
            Cmsg(IPPROTO_IPV6, IPV6_PKTINFO, (addr("ff02::1"), index)),
            Cmsg(IPPROTO_IPV6, IPV6_HOPLIMIT, hlim),
        )
        rec = Received(data, SockaddrIn6(addr(src), scope_id=index), control)
        self.at(t_s, lambda: self._queue(rec, route=False))

    def route_at(self, t_s: float, data: bytes) -> None:
        """A message of the routing socket."""
        self.at(t_s, lambda: self._queue(Received(data, SockaddrIn6()), route=True))

    def _queue(self, rec: Received, route: bool) -> None:
        for fd, (domain, _) in self._socks.items():
            if (domain == AF_ROUTE) == route:
                self._queues[fd].append(rec)

    def run(self, main: Main, argv: str, until_s: float) -> int | None:
        """Run the program until it ends (its status) or the time is over (None)."""
        self._until_ns = round(until_s * NS)
        coro = main(argv.split(), self)  # type: ignore[arg-type]  # the part of ProgOps that is used
        try:
            coro.send(None)
        except StopIteration as stop:
            status: int = stop.value
            return status
        except _Over:
            return None
        raise AssertionError("the program waits for something that is not here")

    def logged(self, priority: int = 7) -> list[str]:
        """Lines of syslog up to a priority."""
        return [text for p, text in self.log if p <= priority]

    # -- ProgOps --------------------------------------------------------------------------------

    async def socket(self, domain: int, type: int, proto: int) -> int:
        fd = 3 + len(self._socks)
        self._socks[fd] = (domain, proto)
        self._queues[fd] = []
        return fd

    async def setsockopt(self, fd: int, level: int, opt: int, value: object) -> None:
        if isinstance(value, tuple):
            self.joined.append(value)

    async def sendmsg(
        self, fd: int, data: bytes, to: SockaddrIn6 | None = None, control: tuple[Cmsg, ...] = ()
    ) -> int:
        if self.send_errno:
            raise KError(self.send_errno)
        assert to is not None
        values = {c.type: c.value for c in control}
        hlim = values[IPV6_HOPLIMIT]
        assert isinstance(hlim, int)
        assert values[IPV6_PKTINFO] == (bytes(16), to.scope_id)
        self.sent.append(Sent(self.now_ns, self._socks[fd][1], data, to, hlim))
        return len(data)

    async def recvmsg(self, fd: int, flags: int = 0) -> Received:
        if not self._queues[fd]:
            raise KError(EAGAIN)
        return self._queues[fd].pop(0)

    async def ioctl(self, req: object) -> object:
        if isinstance(req, ioctl.SIOCGIFCONF):
            return tuple(self.ifs.values())
        if isinstance(req, ioctl.SIOCGDRLST_IN6):
            return tuple(self.routers)
        if isinstance(req, ioctl.SIOCGIFADDRS_IN6):
            return tuple(self.addrs[self._known(req.ifr_name).name])
        if isinstance(req, ioctl.SIOCGIFPREFIX_IN6):
            found = [v for (t, n), v in self.lifetimes.items() if (addr(t), n) == req_key(req)]
            if not found:
                raise KError(EADDRNOTAVAIL)
            return found[0]
        if isinstance(req, ioctl.SIOCGIFFLAGS):
            return self._known(req.ifr_name).flags
        if isinstance(req, ioctl.SIOCSIFFLAGS):
            self.set_flags(req.ifr_name, req.ifr_flags)
            return None
        assert isinstance(req, ioctl.SIOCGIFMEDIA), req
        media = self.media[req.ifr_name]
        if media is None:
            raise KError(EINVAL)
        return media

    def _known(self, name: str) -> IfSnap:
        if name not in self.ifs:
            raise KError(ENXIO)
        return self.ifs[name]

    async def sysctl(self, name: str, new: int | None = None) -> SysctlValue:
        return self.sysctls.get(name, 0)

    def catch_signals(self, *names: str) -> None: ...

    async def poll(self, fds: tuple[int, ...], timeout_ns: int | None) -> Polled:
        deadline = None if timeout_ns is None else self.now_ns + timeout_ns
        while True:
            readable = tuple(fd for fd in fds if self._queues[fd])
            if readable or self._signals or (deadline is not None and deadline <= self.now_ns):
                signals, self._signals = tuple(self._signals), []
                return Polled(readable, signals)
            self._next(deadline)

    def _next(self, deadline: int | None) -> None:
        at = self._events[0][0] if self._events else None
        if at is not None and (deadline is None or at <= deadline) and at <= self._until_ns:
            self.now_ns = max(at, self.now_ns)
            heapq.heappop(self._events)[2]()
        elif deadline is not None and deadline <= self._until_ns:
            self.now_ns = deadline
        else:
            self.now_ns = self._until_ns
            raise _Over

    async def nanosleep(self, ns: int) -> None:
        self.now_ns += ns

    def monotonic(self) -> int:
        return self.now_ns

    def realtime(self) -> int:
        return EPOCH_NS + self.now_ns

    def random(self, n: int) -> int:
        self.draws.append(n)
        return self.draw(n)

    def pid(self) -> int:
        return 123

    async def daemon(self) -> None:
        self.daemon_at = self.now_ns

    def syslog(self, priority: int, text: str) -> None:
        self.log.append((priority, text))

    def report(self, name: str, number: int) -> None: ...

    async def read_file(self, path: str) -> str:
        if path in self.unreadable:
            raise KError(EACCES)
        if path not in self.files:
            raise KError(ENOENT)
        return self.files[path]

    async def write_file(self, path: str, text: str) -> None:
        self.files[path] = text

    def out(self, text: str) -> None:
        self.stdout += text

    def err(self, text: str) -> None:
        self.stderr += text

    def if_nametoindex(self, name: str) -> int:
        return self.ifs[name].index if name in self.ifs else 0

    def if_indextoname(self, index: int) -> str:
        return next((i.name for i in self.ifs.values() if i.index == index), "")


def req_key(req: ioctl.SIOCGIFPREFIX_IN6) -> tuple[bytes, int]:
    return req.prefix, req.plen
