# SPDX-License-Identifier: BSD-3-Clause
"""Sockets without a protocol of their own: queues, limits, errors, options, closing."""

from __future__ import annotations

import pytest

from kame_py.kern.clock import VirtualClock
from kame_py.kern.conf import KernConf
from kame_py.kern.kernel import Kernel
from kame_py.kern.rng import Rng
from kame_py.kern.uipc_socket import (
    PRCO_GETOPT,
    PRCO_SETOPT,
    RCVSPACE,
    SB_MAX,
    SB_RECORD,
    SNDSPACE,
    Socket,
    sbappend,
    sobind,
    socket_init,
    soclose,
    soconnect,
    socreate,
    sogetopt,
    sogetsockname,
    soisreadable,
    soreceive,
    sosend,
    soseterror,
    sosetopt,
)
from kame_py.wire.errno import (
    EAGAIN,
    EBADF,
    ECONNREFUSED,
    EINVAL,
    ENOBUFS,
    ENOPROTOOPT,
    EPROTONOSUPPORT,
    KError,
)
from kame_py.wire.sockaddr import (
    AF_INET6,
    AF_ROUTE,
    MSG_PEEK,
    SO_RCVBUF,
    SO_REUSEADDR,
    SO_REUSEPORT,
    SO_SNDBUF,
    SO_TIMESTAMP,
    SOCK_DGRAM,
    SOCK_RAW,
    SOCK_STREAM,
    SOL_SOCKET,
    Cmsg,
    Received,
    SockaddrIn6,
)

HERE = SockaddrIn6(bytes(15) + b"\1", 7)


class Calls:
    """A protocol that notes what it is asked."""

    def __init__(self) -> None:
        self.calls: list[tuple[object, ...]] = []

    def attach(self, kern: Kernel, so: Socket) -> None:
        self.calls.append(("attach", so.so_proto))

    def detach(self, kern: Kernel, so: Socket) -> None:
        self.calls.append(("detach",))

    def bind(self, kern: Kernel, so: Socket, addr: SockaddrIn6) -> None:
        self.calls.append(("bind", addr))

    def connect(self, kern: Kernel, so: Socket, addr: SockaddrIn6) -> None:
        self.calls.append(("connect", addr))

    def send(
        self,
        kern: Kernel,
        so: Socket,
        data: bytes,
        addr: SockaddrIn6 | None,
        control: tuple[Cmsg, ...],
    ) -> int:
        self.calls.append(("send", data, addr, control))
        return len(data)

    def ctloutput(
        self, kern: Kernel, so: Socket, op: int, level: int, opt: int, value: object = None
    ) -> object:
        self.calls.append(("ctloutput", op, level, opt, value))
        return 42

    def sockaddr(self, kern: Kernel, so: Socket) -> SockaddrIn6:
        return HERE


def made() -> tuple[Kernel, Socket, Calls]:
    kern = Kernel("n", KernConf(), VirtualClock(), Rng(1))
    socket_init(kern)
    pr = Calls()
    kern.sockets.protos[(AF_INET6, SOCK_DGRAM, 0)] = pr
    so = socreate(kern, AF_INET6, SOCK_DGRAM, 0)
    pr.calls.clear()
    return kern, so, pr


def record(size: int) -> Received:
    return Received(bytes(size), SockaddrIn6())


def refused(errno: int, fn: object, *args: object) -> None:
    assert callable(fn)
    with pytest.raises(KError) as got:
        fn(*args)
    assert got.value.errno == errno


def test_a_protocol_of_its_own_number_comes_before_the_one_for_every_number() -> None:
    kern, _, _ = made()
    exact, every = Calls(), Calls()
    kern.sockets.protos[(AF_INET6, SOCK_RAW, 0)] = every
    kern.sockets.protos[(AF_INET6, SOCK_RAW, 58)] = exact
    socreate(kern, AF_INET6, SOCK_RAW, 58)
    socreate(kern, AF_INET6, SOCK_RAW, 89)
    assert (exact.calls, every.calls) == ([("attach", 58)], [("attach", 89)])


def test_unknown_domain_and_unknown_type_have_no_protocol() -> None:
    kern, _, _ = made()
    refused(EPROTONOSUPPORT, socreate, kern, AF_ROUTE, SOCK_RAW, 0)
    refused(EPROTONOSUPPORT, socreate, kern, AF_INET6, SOCK_STREAM, 0)


def test_a_socket_that_the_protocol_refuses_is_not_in_the_table() -> None:
    kern, so, _ = made()

    class Refusing(Calls):
        def attach(self, kern: Kernel, so: Socket) -> None:
            raise KError(ENOBUFS)

    kern.sockets.protos[(AF_INET6, SOCK_RAW, 0)] = Refusing()
    refused(ENOBUFS, socreate, kern, AF_INET6, SOCK_RAW, 0)
    assert list(kern.sockets.sockets) == [so]


def test_calls_reach_the_protocol() -> None:
    kern, so, pr = made()
    cmsg = (Cmsg(1, 2, 3),)
    sobind(kern, so, HERE)
    soconnect(kern, so, HERE)
    assert sosend(kern, so, b"abc", HERE, cmsg) == 3
    assert sogetsockname(kern, so) == HERE
    sosetopt(kern, so, 41, 9, 1)
    assert sogetopt(kern, so, 41, 9) == 42
    assert pr.calls == [
        ("bind", HERE),
        ("connect", HERE),
        ("send", b"abc", HERE, cmsg),
        ("ctloutput", PRCO_SETOPT, 41, 9, 1),
        ("ctloutput", PRCO_GETOPT, 41, 9, None),
    ]


def test_records_are_read_in_order_and_peek_leaves_them() -> None:
    kern, so, _ = made()
    first, second = record(1), record(2)
    assert sbappend(kern, so, first) and sbappend(kern, so, second)
    assert soreceive(kern, so, MSG_PEEK) is first
    assert [soreceive(kern, so), soreceive(kern, so)] == [first, second]
    refused(EAGAIN, soreceive, kern, so)


def test_the_buffer_is_full_at_its_last_octet_and_reading_makes_room() -> None:
    kern, so, _ = made()
    sosetopt(kern, so, SOL_SOCKET, SO_RCVBUF, 2 * SB_RECORD + 100)
    assert sbappend(kern, so, record(60))
    assert not sbappend(kern, so, record(41))
    assert sbappend(kern, so, record(40))
    assert not sbappend(kern, so, record(0))
    soreceive(kern, so)
    assert sbappend(kern, so, record(60))


def test_a_record_without_data_still_takes_room() -> None:
    kern, so, _ = made()
    sosetopt(kern, so, SOL_SOCKET, SO_RCVBUF, SB_RECORD)
    assert sbappend(kern, so, record(0))
    assert not sbappend(kern, so, record(0))


def test_listeners_are_told_of_records_and_errors_but_not_of_what_was_lost() -> None:
    kern, so, _ = made()
    told: list[Socket] = []
    so.on_readable.append(told.append)
    sbappend(kern, so, record(1))
    assert told == [so]
    sbappend(kern, so, record(SB_MAX))
    assert told == [so]
    soseterror(so, ECONNREFUSED)
    assert told == [so, so]


def test_a_listener_may_take_itself_away() -> None:
    kern, so, _ = made()
    told: list[str] = []

    def once(so: Socket) -> None:
        told.append("once")
        so.on_readable.remove(once)

    so.on_readable += [once, lambda so: told.append("other")]
    sbappend(kern, so, record(1))
    sbappend(kern, so, record(1))
    assert told == ["once", "other", "other"]


def test_an_error_is_read_once_and_after_the_records_before_it() -> None:
    kern, so, _ = made()
    sbappend(kern, so, record(1))
    soseterror(so, ECONNREFUSED)
    assert soreceive(kern, so) == record(1)
    assert soisreadable(so)
    refused(ECONNREFUSED, soreceive, kern, so)
    assert not soisreadable(so)
    refused(EAGAIN, soreceive, kern, so)


def test_an_error_meets_the_next_send_instead_of_its_record() -> None:
    kern, so, pr = made()
    soseterror(so, ECONNREFUSED)
    refused(ECONNREFUSED, sosend, kern, so, b"x")
    assert pr.calls == []
    assert sosend(kern, so, b"x") == 1


@pytest.mark.parametrize("opt", [SO_REUSEADDR, SO_REUSEPORT, SO_TIMESTAMP])
def test_a_flag_goes_on_and_off_alone(opt: int) -> None:
    kern, so, _ = made()
    so.so_options = before = SO_REUSEADDR | SO_REUSEPORT | SO_TIMESTAMP
    sosetopt(kern, so, SOL_SOCKET, opt, 0)
    assert (so.so_options, sogetopt(kern, so, SOL_SOCKET, opt)) == (before & ~opt, 0)
    sosetopt(kern, so, SOL_SOCKET, opt, 2)
    assert (so.so_options, sogetopt(kern, so, SOL_SOCKET, opt)) == (before, opt)


def test_buffer_sizes_have_defaults_and_limits() -> None:
    kern, so, _ = made()
    for opt, default in ((SO_RCVBUF, RCVSPACE), (SO_SNDBUF, SNDSPACE)):
        assert sogetopt(kern, so, SOL_SOCKET, opt) == default
        refused(EINVAL, sosetopt, kern, so, SOL_SOCKET, opt, 0)
        refused(ENOBUFS, sosetopt, kern, so, SOL_SOCKET, opt, SB_MAX + 1)
        assert sogetopt(kern, so, SOL_SOCKET, opt) == default
        sosetopt(kern, so, SOL_SOCKET, opt, SB_MAX)
        assert sogetopt(kern, so, SOL_SOCKET, opt) == SB_MAX


def test_unknown_options_and_wrong_values_are_refused() -> None:
    kern, so, _ = made()
    refused(ENOPROTOOPT, sosetopt, kern, so, SOL_SOCKET, 0x7777, 1)
    refused(ENOPROTOOPT, sogetopt, kern, so, SOL_SOCKET, 0x7777)
    refused(EINVAL, sosetopt, kern, so, SOL_SOCKET, SO_REUSEADDR, b"1")


def test_a_closed_socket_is_gone_for_everybody() -> None:
    kern, so, pr = made()
    told: list[Socket] = []
    so.on_readable.append(told.append)
    sbappend(kern, so, record(1))
    soclose(kern, so)
    assert pr.calls == [("detach",)]
    assert (list(kern.sockets.sockets), len(so.so_rcv), so.so_rcv_cc) == ([], 0, 0)
    for fn, args in (
        (soclose, ()),
        (soreceive, ()),
        (sosend, (b"",)),
        (sobind, (HERE,)),
        (soconnect, (HERE,)),
        (sogetsockname, ()),
        (sosetopt, (SOL_SOCKET, SO_REUSEADDR, 1)),
        (sogetopt, (SOL_SOCKET, SO_REUSEADDR)),
    ):
        refused(EBADF, fn, kern, so, *args)
    assert told == [so]
