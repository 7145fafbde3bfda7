# SPDX-License-Identifier: BSD-3-Clause
"""System calls of a program beside its kernel: names, files, ioctls, sysctls, descriptors."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import TypeVar

import pytest

from kame_py.ctl.local import LocalOps
from kame_py.ctl.ops import ProgOps
from kame_py.lab.node import Node
from kame_py.lab.process import Process
from kame_py.lab.world import World
from kame_py.wire.errno import (
    EAGAIN,
    EBADF,
    EINVAL,
    ENOENT,
    EOPNOTSUPP,
    EPERM,
    EPROTONOSUPPORT,
    KError,
)
from kame_py.wire.in6addr import pton
from kame_py.wire.ioctl import SIOCGIFFLAGS
from kame_py.wire.sockaddr import AF_INET6, MSG_DONTWAIT, SOCK_DGRAM, SockaddrIn6

T = TypeVar("T")


def a(text: str) -> bytes:
    addr = pton(text)
    assert addr is not None
    return addr


@pytest.fixture
def node() -> Node:
    world = World(1)
    world.hosts["cn"] = (a("2001:db8::c"), a("2001:db8::d"))
    node = world.add_node("mn")
    node.attach("fxp0", world.add_link("lan"))
    world.run(3)
    return node


@pytest.fixture
def ops(node: Node) -> LocalOps:
    async def idle(argv: list[str], ops: ProgOps) -> int:
        return 0

    proc: Process = node.processes.spawn("prog", idle, [], "", print, print)
    return proc.ops


def now(call: Coroutine[object, None, T]) -> T:
    """The answer of a call that must not wait."""
    try:
        call.send(None)
    except StopIteration as stop:
        answer: T = stop.value
        return answer
    raise AssertionError("the call waits")


def errno_of(call: Coroutine[object, None, object]) -> int:
    with pytest.raises(KError) as caught:
        now(call)
    return caught.value.errno


def test_names_come_from_the_hosts_table_or_are_numeric(ops: LocalOps) -> None:
    assert now(ops.getaddrinfo("cn")) == SockaddrIn6(a("2001:db8::c"))
    assert now(ops.getaddrinfo("2001:db8::5")) == SockaddrIn6(a("2001:db8::5"))
    assert now(ops.getaddrinfo("fe80::1%fxp0")) == SockaddrIn6(a("fe80::1"), scope_id=2)
    assert now(ops.getaddrinfo("fe80::1%2")) == SockaddrIn6(a("fe80::1"), scope_id=2)


def test_a_name_has_all_addresses_of_the_hosts_table(ops: LocalOps) -> None:
    both = (SockaddrIn6(a("2001:db8::c")), SockaddrIn6(a("2001:db8::d")))
    assert now(ops.getaddrinfo_all("cn")) == both
    assert now(ops.getaddrinfo_all("fe80::1%fxp0")) == (SockaddrIn6(a("fe80::1"), scope_id=2),)


@pytest.mark.parametrize("text", ["", "%", "nobody", "fe80::1%xl0", "fe80::1%9", "::1%", "1.2.3.4"])
def test_what_is_no_name_is_not_found(ops: LocalOps, text: str) -> None:
    assert now(ops.getaddrinfo(text)) is None
    assert now(ops.getaddrinfo_all(text)) == ()


def test_addresses_have_their_name_or_their_number_with_its_zone(ops: LocalOps) -> None:
    assert now(ops.getnameinfo(SockaddrIn6(a("2001:db8::d")))) == "cn"
    assert now(ops.getnameinfo(SockaddrIn6(a("fe80::1"), scope_id=2))) == "fe80::1%fxp0"
    assert now(ops.getnameinfo(SockaddrIn6(a("fe80::1"), scope_id=99))) == "fe80::1"
    assert (ops.if_nametoindex("fxp0"), ops.if_indextoname(2)) == (2, "fxp0")
    assert (ops.if_nametoindex("xl0"), ops.if_indextoname(99)) == (0, "")


def test_sysctl_reads_writes_and_refuses(ops: LocalOps, node: Node) -> None:
    assert now(ops.sysctl("net.inet6.ip6.forwarding", 1)) == 0
    assert now(ops.sysctl("net.inet6.ip6.forwarding")) == 1
    assert now(ops.sysctl("kern.hostname")) == "mn"
    assert errno_of(ops.sysctl("net.inet6.nothing")) == ENOENT
    assert errno_of(ops.sysctl("kern.osreldate", 1)) == EPERM
    assert errno_of(ops.sysctl("net.inet6.ip6.forwarding", -5)) == EINVAL


def test_tables_are_left_out_of_the_names_but_can_be_read(ops: LocalOps) -> None:
    names = now(ops.sysctl_names())
    assert "kern.ostype" in names
    assert "net.route.dump" not in names
    assert isinstance(now(ops.sysctl("net.route.dump")), tuple)


def test_an_unknown_ioctl_is_not_supported(ops: LocalOps) -> None:
    assert now(ops.ioctl(SIOCGIFFLAGS("fxp0"))) == 0x8843
    assert errno_of(ops.ioctl("SIOCGIFFLAGS")) == EOPNOTSUPP


def test_descriptors_are_the_lowest_free_and_gone_when_closed(ops: LocalOps) -> None:
    fds = [now(ops.socket(AF_INET6, SOCK_DGRAM, 0)) for _ in range(3)]
    assert fds == [3, 4, 5]
    now(ops.close(4))
    assert now(ops.socket(AF_INET6, SOCK_DGRAM, 0)) == 4
    ops.close_all()
    for call in (ops.close(3), ops.recvmsg(4), ops.poll((5,), 0), ops.getsockname(3)):
        assert errno_of(call) == EBADF
    assert errno_of(ops.socket(2, SOCK_DGRAM, 0)) == EPROTONOSUPPORT


def test_recvmsg_without_waiting_says_that_nothing_is_there(ops: LocalOps) -> None:
    fd = now(ops.socket(AF_INET6, SOCK_DGRAM, 0))
    assert errno_of(ops.recvmsg(fd, MSG_DONTWAIT)) == EAGAIN


def test_files_are_those_of_the_node(ops: LocalOps, node: Node) -> None:
    now(ops.write_file("/var/run/x.pid", "1\n"))
    assert node.files.read("var/run/x.pid") == now(ops.read_file("/var/run/x.pid")) == "1\n"
    assert errno_of(ops.read_file("/none")) == ENOENT


def test_syslog_lines_carry_program_and_pid(ops: LocalOps, node: Node) -> None:
    ops.syslog(4, "something")
    line = node.kernel.log.lines[-1]
    assert (line.priority, line.ident, line.text) == (4, f"prog[{ops.pid()}]", "something")
    assert line.t_ns == ops.realtime()


def test_each_process_draws_its_own_reproducible_numbers(node: Node) -> None:
    def draws(seed: int) -> list[int]:
        world = World(seed)
        out: list[int] = []

        async def main(argv: list[str], ops: ProgOps) -> int:
            out.extend(ops.random(1000) for _ in range(3))
            return 0

        one = world.add_node("n")
        for _ in range(2):
            one.processes.spawn("p", main, [], "", print, print)
        one.kick()
        world.run(1)
        return out

    first = draws(1)
    assert first == draws(1) != draws(2)
    assert first[:3] != first[3:]
    assert all(0 <= n < 1000 for n in first)
