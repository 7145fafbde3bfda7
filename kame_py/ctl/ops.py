# SPDX-License-Identifier: BSD-3-Clause
"""The system calls a program has: the only way from a tool to a kernel.

A tool is ``async def main(argv: list[str], ops: ProgOps) -> int``. The same source runs inside a
lab (virtual time) and against a live kernel. Every call raises ``KError(errno)`` when it fails.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol

from kame_py.wire.snap import SysctlValue
from kame_py.wire.sockaddr import Cmsg, Received, SockaddrIn6


class Polled(NamedTuple):
    """What ``poll`` found: readable descriptors, and signals by name (HUP, USR1, TERM, INT)."""

    readable: tuple[int, ...]
    signals: tuple[str, ...]


class ProgOps(Protocol):
    """System calls of one process."""

    # sockets: AF_INET6 with (SOCK_DGRAM, 0) or (SOCK_RAW, proto); AF_ROUTE and AF_LINK with
    # (SOCK_RAW, 0); AF_KEY with (SOCK_RAW, 2)
    async def socket(self, domain: int, type: int, proto: int) -> int: ...
    async def close(self, fd: int) -> None: ...
    async def bind(self, fd: int, addr: SockaddrIn6) -> None: ...
    async def connect(self, fd: int, addr: SockaddrIn6) -> None: ...
    async def getsockname(self, fd: int) -> SockaddrIn6: ...
    async def sendmsg(
        self, fd: int, data: bytes, addr: SockaddrIn6 | None = None, control: tuple[Cmsg, ...] = ()
    ) -> int: ...
    async def recvmsg(self, fd: int, flags: int = 0) -> Received:
        """Blocks unless MSG_DONTWAIT (EAGAIN).

        EINTR while a caught signal waits; ``poll`` is what fetches it.
        """
        ...

    async def setsockopt(self, fd: int, level: int, opt: int, value: object) -> None: ...
    async def getsockopt(self, fd: int, level: int, opt: int) -> object: ...

    # kernel state
    async def ioctl(self, req: object) -> object:
        """One request of ``wire/ioctl.py``; the answer is what its class documents."""
        ...

    async def sysctl(self, name: str, new: int | None = None) -> SysctlValue:
        """Read (new None) or write one variable; writing returns the old value."""
        ...

    async def sysctl_names(self) -> list[str]:
        """All names that ``sysctl -a`` shows (tables left out)."""
        ...

    # time, signals
    def catch_signals(self, *names: str) -> None:
        """Keep these signals (HUP, USR1, TERM, INT) for ``poll``.

        A signal that was not asked for ends the program, with exit status 128 + its number.
        """
        ...

    async def poll(self, fds: tuple[int, ...], timeout_ns: int | None) -> Polled:
        """Wait until a descriptor is readable, a caught signal arrives, or the time is over."""
        ...

    async def nanosleep(self, ns: int) -> None:
        """Sleep; caught signals do not end it, they are kept for the next ``poll``."""
        ...

    def monotonic(self) -> int:
        """CLOCK_MONOTONIC in ns."""
        ...

    def realtime(self) -> int:
        """CLOCK_REALTIME in ns since 1970."""
        ...

    def random(self, n: int) -> int:
        """An integer in [0, n) from the process's own stream."""
        ...

    # process
    def pid(self) -> int: ...
    async def kill(self, pid: int, sig: str) -> None:
        """Send HUP, USR1, TERM, INT or KILL; ESRCH when there is no such process."""
        ...

    async def daemon(self) -> None:
        """daemon(3): the shell goes on; what is written to out and err from now on is lost."""
        ...

    def syslog(self, priority: int, text: str) -> None: ...
    def report(self, name: str, number: int) -> None:
        """Tell whoever runs the program how far it is: ``name`` happened to its ``number``.

        ping6 says "sent" and "received" with the number of the request, from 0. Costs nothing
        where nobody asks.
        """
        ...

    # files (the node's tree in a lab, the caller's file system otherwise) and standard streams
    async def read_file(self, path: str) -> str: ...
    async def write_file(self, path: str, text: str) -> None:
        """Replace the file as a whole."""
        ...

    async def read_bytes(self, path: str) -> bytes: ...
    async def append_bytes(self, path: str, data: bytes) -> None:
        """Add to the end of a file, which need not be there yet."""
        ...

    async def same_file(self, a: str, b: str) -> bool:
        """Whether two names are one file, or would be."""
        ...

    async def stdin(self) -> str:
        """Standard input to its end."""
        ...

    def out(self, text: str) -> None: ...
    def out_bytes(self, data: bytes) -> None:
        """Octets to standard output."""
        ...

    def err(self, text: str) -> None: ...

    # names (a lab's hosts table, a resolver otherwise)
    async def getaddrinfo(self, host: str) -> SockaddrIn6 | None:
        """Address of a name or a numeric address with optional ``%ifname``; None when unknown."""
        ...

    async def getaddrinfo_all(self, host: str) -> tuple[SockaddrIn6, ...]:
        """All addresses of a name, best first; none when it is unknown."""
        ...

    async def getnameinfo(self, addr: SockaddrIn6) -> str:
        """A name for the address, or its numeric form with ``%ifname``."""
        ...

    def if_nametoindex(self, name: str) -> int:
        """0 when there is no such interface."""
        ...

    def if_indextoname(self, index: int) -> str:
        """ "" when there is no such interface."""
        ...
