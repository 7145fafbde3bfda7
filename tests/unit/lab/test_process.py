# SPDX-License-Identifier: BSD-3-Clause
"""Programs in virtual time: waiting, signals, background, their end."""

from __future__ import annotations

import pytest

from kame_py.boot import boot
from kame_py.ctl.ops import Polled, ProgOps
from kame_py.kern.clock import NS, VirtualClock
from kame_py.kern.conf import KernConf
from kame_py.lab.process import EX_SOFTWARE, Main, Process, ProcessTable
from kame_py.wire.errno import EAGAIN, EBADF, EINTR, EINVAL, ENOENT, EOPNOTSUPP, ESRCH, KError
from kame_py.wire.in6addr import LOOPBACK
from kame_py.wire.sockaddr import AF_INET6, MSG_DONTWAIT, SOCK_DGRAM, SockaddrIn6


class Box:
    """One kernel whose programs run as time goes on."""

    def __init__(self) -> None:
        self.clock = VirtualClock()
        self.kern = boot("n", KernConf(), self.clock)
        self.table = ProcessTable(self.kern, hosts={"peer": (LOOPBACK,)})
        self.out: list[str] = []
        self.err: list[str] = []

    def start(self, main: Main, name: str = "prog") -> Process:
        return self.table.spawn(name, main, [], "", self.out.append, self.err.append)

    def run(self, seconds: float = 0) -> None:
        end = self.clock.t + round(seconds * NS)
        while (due := self.kern.next_deadline()) is not None and due <= end:
            self.clock.t = max(due, self.clock.t)
            self.kern.advance(self.clock.t)
        self.clock.t = end

    def finish(self, main: Main, seconds: float = 0) -> Process:
        proc = self.start(main)
        self.run(seconds)
        return proc


@pytest.fixture
def box() -> Box:
    return Box()


async def forever(argv: list[str], ops: ProgOps) -> int:
    await ops.nanosleep(10**6 * NS)
    return 0


# -- time -----------------------------------------------------------------------------------------


def test_a_program_starts_at_the_next_step_not_inside_its_caller(box: Box) -> None:
    async def main(argv: list[str], ops: ProgOps) -> int:
        ops.out("ran")
        return 3

    proc = box.start(main)
    assert (box.out, proc.alive) == ([], True)
    box.run()
    assert (box.out, proc.status) == (["ran"], 3)


def test_sleep_takes_the_time_it_says(box: Box) -> None:
    async def main(argv: list[str], ops: ProgOps) -> int:
        before = ops.monotonic()
        await ops.nanosleep(2 * NS + 5)
        return int(ops.monotonic() - before == 2 * NS + 5)

    assert box.finish(main, 3).status == 1


def test_poll_ends_with_its_time(box: Box) -> None:
    seen: list[tuple[int, Polled]] = []

    async def main(argv: list[str], ops: ProgOps) -> int:
        fd = await ops.socket(AF_INET6, SOCK_DGRAM, 0)
        start = ops.monotonic()
        polled = await ops.poll((fd,), NS)
        seen.append((ops.monotonic() - start, polled))
        return 0

    box.finish(main, 5)
    assert seen == [(NS, Polled((), ()))]


def test_a_datagram_wakes_its_reader(box: Box) -> None:
    got: list[bytes] = []

    async def reader(argv: list[str], ops: ProgOps) -> int:
        fd = await ops.socket(AF_INET6, SOCK_DGRAM, 0)
        await ops.bind(fd, SockaddrIn6(LOOPBACK, 4000))
        got.append((await ops.recvmsg(fd)).data)
        assert (await ops.poll((fd,), 0)).readable == ()
        got.append((await ops.recvmsg(fd)).data)
        return 0

    async def writer(argv: list[str], ops: ProgOps) -> int:
        fd = await ops.socket(AF_INET6, SOCK_DGRAM, 0)
        for word in (b"one", b"two"):
            await ops.nanosleep(NS)
            await ops.sendmsg(fd, word, SockaddrIn6(LOOPBACK, 4000))
        return 0

    proc = box.start(reader)
    box.start(writer)
    box.run(5)
    assert (got, proc.status) == ([b"one", b"two"], 0)


def test_a_read_that_must_not_wait_says_again(box: Box) -> None:
    async def main(argv: list[str], ops: ProgOps) -> int:
        fd = await ops.socket(AF_INET6, SOCK_DGRAM, 0)
        try:
            await ops.recvmsg(fd, MSG_DONTWAIT)
        except KError as e:
            return e.errno
        return 0

    assert box.finish(main).status == EAGAIN


# -- signals --------------------------------------------------------------------------------------


def test_a_signal_nobody_asked_for_ends_the_program(box: Box) -> None:
    proc = box.start(forever)
    box.run(1)
    box.table.kill(proc.pid, "TERM")
    assert (proc.status, proc.signal) == (128 + 15, "TERM")


def test_a_signal_before_the_first_step_ends_the_program_too(box: Box) -> None:
    proc = box.start(forever)
    box.table.kill(proc.pid, "INT")
    box.run(1)
    assert proc.status == 128 + 2


def test_caught_signals_come_by_poll_in_order_and_once_each(box: Box) -> None:
    seen: list[Polled] = []

    async def main(argv: list[str], ops: ProgOps) -> int:
        ops.catch_signals("HUP", "USR1")
        await ops.nanosleep(2 * NS)  # not cut short
        seen.append(await ops.poll((), None))
        seen.append(await ops.poll((), 0))
        return 0

    proc = box.start(main)
    box.run(1)
    for sig in ("USR1", "HUP", "USR1"):
        box.table.kill(proc.pid, sig)
    box.run(0.5)
    assert seen == []
    box.run(1)
    assert seen == [Polled((), ("USR1", "HUP")), Polled((), ())]


def test_a_signal_wakes_a_poll_without_end(box: Box) -> None:
    async def main(argv: list[str], ops: ProgOps) -> int:
        ops.catch_signals("USR1")
        polled = await ops.poll((), None)
        return len(polled.signals)

    proc = box.start(main)
    box.run(1)
    box.table.kill(proc.pid, "USR1")
    box.run()
    assert proc.status == 1


def test_a_caught_signal_interrupts_a_read_and_stays_for_poll(box: Box) -> None:
    seen: list[object] = []

    async def main(argv: list[str], ops: ProgOps) -> int:
        ops.catch_signals("INT")
        fd = await ops.socket(AF_INET6, SOCK_DGRAM, 0)
        try:
            await ops.recvmsg(fd)
        except KError as e:
            seen.append(e.errno)
        seen.append((await ops.poll((fd,), 0)).signals)
        return 0

    proc = box.start(main)
    box.run(1)
    box.table.kill(proc.pid, "INT")
    box.run()
    assert seen == [EINTR, ("INT",)]


def test_kill_cannot_be_caught(box: Box) -> None:
    async def main(argv: list[str], ops: ProgOps) -> int:
        ops.catch_signals("TERM")
        try:
            ops.catch_signals("KILL")
        except KError as e:
            ops.out(str(e.errno))
        await ops.nanosleep(10**6 * NS)
        return 0

    proc = box.start(main)
    box.run(1)
    box.table.kill(proc.pid, "KILL")
    assert (box.out, proc.status) == ([str(EINVAL)], 128 + 9)


def test_a_program_that_signals_itself_ends_when_it_waits(box: Box) -> None:
    async def main(argv: list[str], ops: ProgOps) -> int:
        await ops.kill(ops.pid(), "TERM")
        await ops.nanosleep(NS)
        ops.out("not reached")
        return 0

    proc = box.finish(main, 2)
    assert (proc.status, box.out) == (128 + 15, [])


def test_signals_for_nobody_and_of_no_kind(box: Box) -> None:
    with pytest.raises(KError) as e:
        box.table.kill(4711, "TERM")
    assert e.value.errno == ESRCH
    proc = box.start(forever)
    with pytest.raises(KError) as e:
        box.table.kill(proc.pid, "STOP")
    assert e.value.errno == EINVAL


# -- background and end ---------------------------------------------------------------------------


def test_a_daemon_lets_its_shell_go_on_and_is_mute(box: Box) -> None:
    async def main(argv: list[str], ops: ProgOps) -> int:
        ops.out("before")
        await ops.daemon()
        ops.out("after")
        ops.err("after")
        await ops.nanosleep(NS)
        return 0

    proc = box.finish(main)
    assert (proc.released, proc.alive, box.out, box.err) == (True, True, ["before"], [])
    box.run(2)
    assert proc.status == 0


def test_the_end_closes_every_descriptor(box: Box) -> None:
    async def main(argv: list[str], ops: ProgOps) -> int:
        first = await ops.socket(AF_INET6, SOCK_DGRAM, 0)
        second = await ops.socket(AF_INET6, SOCK_DGRAM, 0)
        await ops.close(first)
        third = await ops.socket(AF_INET6, SOCK_DGRAM, 0)
        assert (first, second, third) == (3, 4, 3)  # the lowest free number
        return 0

    proc = box.finish(main)
    assert (proc.status, proc.exception) == (0, None)
    assert not box.kern.sockets.sockets


def test_a_killed_reader_leaves_no_socket_and_no_timer(box: Box) -> None:
    async def main(argv: list[str], ops: ProgOps) -> int:
        fd = await ops.socket(AF_INET6, SOCK_DGRAM, 0)
        await ops.poll((fd,), 10**6 * NS)
        return 0

    proc = box.start(main)
    box.run(100)
    box.table.kill(proc.pid, "KILL")
    assert not box.kern.sockets.sockets
    assert box.table.running() == []
    due = box.kern.next_deadline()
    assert due is None or due < 10**5 * NS


def test_a_bug_of_a_program_ends_that_program_alone(box: Box) -> None:
    async def main(argv: list[str], ops: ProgOps) -> int:
        raise ZeroDivisionError("by zero")

    other = box.start(forever)
    proc = box.finish(main)
    assert proc.status == EX_SOFTWARE
    assert isinstance(proc.exception, ZeroDivisionError)
    assert box.err == ["prog: internal error: by zero\n"]
    assert box.table.crashed == [proc]
    assert other.alive


def test_calls_that_name_nothing_are_refused(box: Box) -> None:
    errors: list[int] = []

    async def main(argv: list[str], ops: ProgOps) -> int:
        for call in (
            ops.close(99),
            ops.recvmsg(0),
            ops.ioctl("no request"),
            ops.sysctl("net.nothing"),
            ops.sysctl("net.inet6.ip6.hlim", 256),
            ops.read_file("/etc/nothing"),
            ops.nanosleep(-1),
        ):
            try:
                await call
            except KError as e:
                errors.append(e.errno)
        return 0

    box.finish(main)
    assert errors == [EBADF, EBADF, EOPNOTSUPP, ENOENT, EINVAL, ENOENT, EINVAL]


def test_names_are_found_in_the_hosts_table_and_as_addresses(box: Box) -> None:
    found: list[object] = []

    async def main(argv: list[str], ops: ProgOps) -> int:
        for name in ("peer", "fe80::1%lo0", "fe80::1%1", "fe80::1%em9", "nobody"):
            found.append(await ops.getaddrinfo(name))
        found.append(await ops.getnameinfo(SockaddrIn6(LOOPBACK)))
        link_local = b"\xfe\x80" + bytes(13) + b"\x01"
        found.append(await ops.getnameinfo(SockaddrIn6(link_local, scope_id=1)))
        return 0

    box.finish(main)
    zoned = SockaddrIn6(b"\xfe\x80" + bytes(13) + b"\x01", scope_id=1)
    assert found == [SockaddrIn6(LOOPBACK), zoned, zoned, None, None, "peer", "fe80::1%lo0"]
