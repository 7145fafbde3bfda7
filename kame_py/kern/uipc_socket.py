# SPDX-License-Identifier: BSD-3-Clause
"""Sockets: the part that is the same for every protocol (KAME/BSD uipc_socket.c, uipc_socket2.c).

A socket has a receive queue with a byte limit, a pending error and listeners that are told when it
becomes readable; nothing here blocks. What a protocol does for its sockets is one ``PrUsrreqs``
object in the table that ``socreate`` looks up. Deviates: a record is a ``Received`` value, not a
chain of mbufs, and there are no streams. Read first: RFC 2292 for what travels beside the data.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, Protocol

from kame_py.wire.errno import (
    EAGAIN,
    EBADF,
    EINVAL,
    ENOBUFS,
    ENOPROTOOPT,
    EPROTONOSUPPORT,
    KError,
)
from kame_py.wire.sockaddr import (
    MSG_PEEK,
    SO_BROADCAST,
    SO_RCVBUF,
    SO_REUSEADDR,
    SO_REUSEPORT,
    SO_SNDBUF,
    SO_TIMESTAMP,
    SO_USELOOPBACK,
    SOL_SOCKET,
    Cmsg,
    Received,
    SockaddrIn6,
)

if TYPE_CHECKING:
    from kame_py.kern.kernel import Kernel

SB_MAX: Final = 262144  # octets a buffer may be set to (BSD sb_max)
SB_RECORD: Final = 28  # octets charged for the address of a record (sizeof struct sockaddr_in6)
RCVSPACE: Final = 41600  # octets; BSD's default for datagram sockets
SNDSPACE: Final = 9216

PRCO_GETOPT: Final = 0
PRCO_SETOPT: Final = 1

_FLAG_OPTIONS: Final = (SO_REUSEADDR, SO_REUSEPORT, SO_BROADCAST, SO_USELOOPBACK, SO_TIMESTAMP)


class PrUsrreqs(Protocol):
    """What a protocol does for its sockets. All raise KError when they refuse."""

    def attach(self, kern: Kernel, so: Socket) -> None:
        """A new socket: give it its control block in ``so.pcb``."""
        ...

    def detach(self, kern: Kernel, so: Socket) -> None:
        """The socket is closed."""
        ...

    def bind(self, kern: Kernel, so: Socket, addr: SockaddrIn6) -> None: ...

    def connect(self, kern: Kernel, so: Socket, addr: SockaddrIn6) -> None:
        """Fix the peer; the unspecified address takes it away."""
        ...

    def send(
        self,
        kern: Kernel,
        so: Socket,
        data: bytes,
        addr: SockaddrIn6 | None,
        control: tuple[Cmsg, ...],
    ) -> int:
        """Send one record; answers the octets taken."""
        ...

    def ctloutput(
        self, kern: Kernel, so: Socket, op: int, level: int, opt: int, value: object = None
    ) -> object:
        """PRCO_SETOPT or PRCO_GETOPT of a level other than SOL_SOCKET."""
        ...

    def sockaddr(self, kern: Kernel, so: Socket) -> SockaddrIn6:
        """The local address."""
        ...


class Socket:
    """One socket. so_options: SO_* flags that are on; so_error: pending errno or 0.

    so_rcvd: told when the program has taken a record and there is room again (pru_rcvd).
    """

    __slots__ = (
        "on_readable",
        "pcb",
        "so_closed",
        "so_domain",
        "so_error",
        "so_options",
        "so_pr",
        "so_proto",
        "so_rcv",
        "so_rcv_cc",
        "so_rcvbuf",
        "so_rcvd",
        "so_sndbuf",
        "so_type",
    )

    def __init__(self, domain: int, type: int, proto: int, pr: PrUsrreqs) -> None:
        self.so_domain = domain
        self.so_type = type
        self.so_proto = proto
        self.so_pr = pr
        self.pcb: object = None
        self.so_rcv: deque[Received] = deque()
        self.so_rcv_cc = 0
        self.so_rcvbuf = RCVSPACE
        self.so_sndbuf = SNDSPACE
        self.so_options = 0
        self.so_error = 0
        self.so_closed = False
        self.so_rcvd: Callable[[Socket], None] | None = None
        self.on_readable: list[Callable[[Socket], None]] = []


class SocketTable:
    """All sockets of one kernel, and the protocols that can be asked for.

    protos: (domain, type, protocol); protocol 0 is the one for every number not listed.
    """

    __slots__ = ("protos", "sockets")

    def __init__(self) -> None:
        self.protos: dict[tuple[int, int, int], PrUsrreqs] = {}
        self.sockets: dict[Socket, None] = {}


def socket_init(kern: Kernel) -> None:
    """Make the empty socket table."""
    kern.sockets = SocketTable()


def socreate(kern: Kernel, domain: int, type: int, proto: int) -> Socket:
    """A new socket. KError: EPROTONOSUPPORT, or what the protocol says.

    A domain without any protocol is no other case: FreeBSD 4 looks for a protosw and finds none.
    """
    protos = kern.sockets.protos
    pr = protos.get((domain, type, proto)) or protos.get((domain, type, 0))
    if pr is None:
        raise KError(EPROTONOSUPPORT)
    so = Socket(domain, type, proto, pr)
    pr.attach(kern, so)
    kern.sockets.sockets[so] = None
    return so


def soclose(kern: Kernel, so: Socket) -> None:
    """Close; what is queued is lost. Closing twice is EBADF."""
    _check_open(so)
    so.so_closed = True
    del kern.sockets.sockets[so]
    so.so_pr.detach(kern, so)
    so.so_rcv.clear()
    so.so_rcv_cc = 0
    so.on_readable.clear()


def sobind(kern: Kernel, so: Socket, addr: SockaddrIn6) -> None:
    """Give the socket its local address."""
    _check_open(so)
    so.so_pr.bind(kern, so, addr)


def soconnect(kern: Kernel, so: Socket, addr: SockaddrIn6) -> None:
    """Give the socket its peer."""
    _check_open(so)
    so.so_pr.connect(kern, so, addr)


def sosend(
    kern: Kernel,
    so: Socket,
    data: bytes,
    addr: SockaddrIn6 | None = None,
    control: tuple[Cmsg, ...] = (),
) -> int:
    """Send one record. A pending error is raised, and cleared, instead."""
    _check_open(so)
    _raise_pending(so)
    return so.so_pr.send(kern, so, data, addr, control)


def soreceive(kern: Kernel, so: Socket, flags: int = 0) -> Received:
    """The oldest record; MSG_PEEK leaves it there. KError: EAGAIN, or the pending error.

    Records that came before an error are read before it, as in BSD.
    """
    _check_open(so)
    if not so.so_rcv:
        _raise_pending(so)
        raise KError(EAGAIN)
    if flags & MSG_PEEK:
        return so.so_rcv[0]
    rec = so.so_rcv.popleft()
    so.so_rcv_cc -= len(rec.data) + SB_RECORD
    if so.so_rcvd is not None:
        so.so_rcvd(so)
    return rec


def soisreadable(so: Socket) -> bool:
    """Whether soreceive would answer at once, with a record or with an error."""
    return bool(so.so_rcv) or so.so_error != 0


def sbappend(kern: Kernel, so: Socket, rec: Received) -> bool:
    """Queue a record for the program; False when the buffer has no room (sbappendaddr)."""
    size = len(rec.data) + SB_RECORD
    if so.so_rcv_cc + size > so.so_rcvbuf:
        return False
    so.so_rcv.append(rec)
    so.so_rcv_cc += size
    sorwakeup(so)
    return True


def soseterror(so: Socket, errno: int) -> None:
    """An error for the program's next call; wakes it."""
    so.so_error = errno
    sorwakeup(so)


def sorwakeup(so: Socket) -> None:
    """Tell those who wait that the socket is readable."""
    for fn in tuple(so.on_readable):
        fn(so)


def sosetopt(kern: Kernel, so: Socket, level: int, opt: int, value: object) -> None:
    """setsockopt. KError: EINVAL, ENOBUFS for a buffer above SB_MAX, ENOPROTOOPT."""
    _check_open(so)
    if level != SOL_SOCKET:
        so.so_pr.ctloutput(kern, so, PRCO_SETOPT, level, opt, value)
        return
    if not isinstance(value, int):
        raise KError(EINVAL)
    if opt in _FLAG_OPTIONS:
        so.so_options = so.so_options | opt if value else so.so_options & ~opt
    elif opt in (SO_RCVBUF, SO_SNDBUF):
        if value < 1:
            raise KError(EINVAL)
        if value > SB_MAX:
            raise KError(ENOBUFS)
        if opt == SO_RCVBUF:
            so.so_rcvbuf = value
        else:
            so.so_sndbuf = value
    else:
        raise KError(ENOPROTOOPT)


def sogetopt(kern: Kernel, so: Socket, level: int, opt: int) -> object:
    """getsockopt. KError: ENOPROTOOPT."""
    _check_open(so)
    if level != SOL_SOCKET:
        return so.so_pr.ctloutput(kern, so, PRCO_GETOPT, level, opt)
    if opt in _FLAG_OPTIONS:
        return so.so_options & opt
    if opt == SO_RCVBUF:
        return so.so_rcvbuf
    if opt == SO_SNDBUF:
        return so.so_sndbuf
    raise KError(ENOPROTOOPT)


def sogetsockname(kern: Kernel, so: Socket) -> SockaddrIn6:
    """The local address in user form."""
    _check_open(so)
    return so.so_pr.sockaddr(kern, so)


def _check_open(so: Socket) -> None:
    if so.so_closed:
        raise KError(EBADF)


def _raise_pending(so: Socket) -> None:
    if so.so_error:
        errno, so.so_error = so.so_error, 0
        raise KError(errno)
