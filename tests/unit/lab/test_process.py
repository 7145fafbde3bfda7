# SPDX-License-Identifier: BSD-3-Clause
"""Programs as coroutines in virtual time: scheduling, signals, ends."""

from __future__ import annotations

import pytest

from kame_py.boot import boot
from kame_py.ctl.ops import Polled, ProgOps
from kame_py.kern.clock import NS, VirtualClock
from kame_py.kern.conf import KernConf
from kame_py.lab.process import EX_SOFTWARE, FIRST_PID, Main, Process, ProcessTable, WaitExit
from kame_py.wire.errno import EBADF, EINTR, EINVAL, ESRCH, KError
from kame_py.wire.in6addr import LOOPBACK
from kame_py.wire.sockaddr import AF_INET6, SOCK_DGRAM, SockaddrIn6


class Box:
    """One kernel with its processes and a clock that follows the kernel's deadlines."""

    def __init__(self) -> None:
        self.clock = VirtualClock()
        self.kern = boot("box", KernConf(), self.clock)
        self.table = ProcessTable(self.kern)
        self.said: list[str] = []

    def start(self, main: Main, name: str = "prog", stdin: str = "") -> Process:
        return self.table.spawn(name, main, ["-x"], stdin, self.said.append, self.said.append)

    def run(self, until_s: float) -> None:
        until = int(until_s * NS)
        while (t := self.kern.next_deadline()) is not None and t <= until:
            self.clock.t = max(self.clock.t, t)
            self.kern.advance(self.clock.t)
        self.clock.t = until


@pytest.fixture
def box() -> Box:
    return Box()


async def sleeper(argv: list[str], ops: ProgOps) -> int:
    await ops.nanosleep(1000 * NS)
    return 0


# -- time ---------------------------------------------------------------------------------------


def test_a_program_starts_at_the_next_step_and_ends_with_its_status(box: Box) -> None:
    async def main(argv: list[str], ops: ProgOps) -> int:
        ops.out(f"{argv} {ops.pid()} {await ops.stdin()}")
        return 3

    proc = box.start(main, stdin="in")
    assert box.said == []
    box.run(0)
    assert (proc.status, box.said) == (3, [f"['-x'] {FIRST_PID} in"])
    assert box.table.running() == []


def test_sleep_ends_at_its_nanosecond(box: Box) -> None:
    async def main(argv: list[str], ops: ProgOps) -> int:
        await ops.nanosleep(2 * NS)
        ops.out(str(ops.monotonic()))
        return 0

    proc = box.start(main)
    box.run(2 - 1e-9)
    assert proc.alive
    box.run(2)
    assert box.said == [str(2 * NS)]


def test_two_programs_interleave_by_time(box: Box) -> None:
    def every(seconds: int, text: str) -> Main:
        async def main(argv: list[str], ops: ProgOps) -> int:
            for _ in range(3):
                await ops.nanosleep(seconds * NS)
                ops.out(text)
            return 0

        return main

    box.start(every(2, "b"))
    box.start(every(1, "a"))
    box.run(10)
    assert "".join(box.said) == "abaabb"  # at 2 s the one that slept first wakes first


def test_poll_times_out_at_its_deadline_and_not_before(box: Box) -> None:
    async def main(argv: list[str], ops: ProgOps) -> int:
        fd = await ops.socket(AF_INET6, SOCK_DGRAM, 0)
        assert await ops.poll((fd,), 0) == Polled((), ())
        assert await ops.poll((fd,), NS) == Polled((), ())
        ops.out(str(ops.monotonic()))
        return 0

    box.start(main)
    box.run(5)
    assert box.said == [str(NS)]


# -- sockets ------------------------------------------------------------------------------------


async def server(argv: list[str], ops: ProgOps) -> int:
    fd = await ops.socket(AF_INET6, SOCK_DGRAM, 0)
    await ops.bind(fd, SockaddrIn6(LOOPBACK, 7))
    got = await ops.recvmsg(fd)
    ops.out(got.data.decode())
    await ops.sendmsg(fd, got.data.upper(), got.addr)
    return 0


async def client(argv: list[str], ops: ProgOps) -> int:
    fd = await ops.socket(AF_INET6, SOCK_DGRAM, 0)
    await ops.sendmsg(fd, b"hello", SockaddrIn6(LOOPBACK, 7))
    found = await ops.poll((fd,), 5 * NS)
    assert found == Polled((fd,), ())
    ops.out((await ops.recvmsg(fd)).data.decode())
    return 0


def test_programs_talk_over_the_loopback(box: Box) -> None:
    procs = box.start(server), box.start(client)
    box.run(1)
    assert box.said == ["hello", "HELLO"]
    assert [p.status for p in procs] == [0, 0]


def test_a_readable_socket_does_not_run_the_program_inside_packet_processing(box: Box) -> None:
    proc = box.start(server)
    box.run(1)
    seen: list[object] = []

    async def sender(argv: list[str], ops: ProgOps) -> int:
        fd = await ops.socket(AF_INET6, SOCK_DGRAM, 0)
        await ops.sendmsg(fd, b"x", SockaddrIn6(LOOPBACK, 7))
        seen.append((proc.alive, list(box.said)))
        return 0

    box.start(sender)
    box.run(2)
    assert seen == [(True, [])]
    assert box.said == ["x"]


def test_the_end_of_a_program_closes_its_sockets(box: Box) -> None:
    async def main(argv: list[str], ops: ProgOps) -> int:
        await ops.socket(AF_INET6, SOCK_DGRAM, 0)
        fd = await ops.socket(AF_INET6, SOCK_DGRAM, 0)
        await ops.close(fd)
        with pytest.raises(KError) as caught:
            await ops.recvmsg(fd)
        assert caught.value.errno == EBADF
        await ops.nanosleep(NS)
        return 0

    box.start(main)
    box.run(0.5)
    assert len(box.kern.sockets.sockets) == 1
    box.run(2)
    assert len(box.kern.sockets.sockets) == 0


# -- signals ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sig", "status"), [("HUP", 129), ("INT", 130), ("KILL", 137), ("TERM", 143), ("USR1", 158)]
)
def test_a_signal_that_is_not_caught_ends_the_program(box: Box, sig: str, status: int) -> None:
    proc = box.start(sleeper)
    box.run(1)
    box.table.kill(proc.pid, sig)
    assert (proc.status, proc.signal) == (status, sig)
    box.run(5)
    assert proc.exception is None


async def catcher(argv: list[str], ops: ProgOps) -> int:
    ops.catch_signals("HUP", "TERM")
    while True:
        found = await ops.poll((), None)
        ops.out(",".join(found.signals))
        if "TERM" in found.signals:
            return 7


def test_poll_returns_caught_signals_until_the_program_ends_itself(box: Box) -> None:
    proc = box.start(catcher)
    box.run(1)
    for sig in ("HUP", "TERM"):
        box.table.kill(proc.pid, sig)
        box.run(2)
    assert (box.said, proc.status, proc.signal) == (["HUP", "TERM"], 7, None)


def test_kill_cannot_be_caught(box: Box) -> None:
    async def main(argv: list[str], ops: ProgOps) -> int:
        with pytest.raises(KError) as caught:
            ops.catch_signals("KILL")
        assert caught.value.errno == EINVAL
        return await catcher(argv, ops)

    proc = box.start(main)
    box.run(1)
    box.table.kill(proc.pid, "KILL")
    assert proc.status == 137


def test_a_caught_signal_waits_while_the_program_sleeps(box: Box) -> None:
    async def main(argv: list[str], ops: ProgOps) -> int:
        ops.catch_signals("HUP")
        await ops.nanosleep(3 * NS)
        found = await ops.poll((), None)
        ops.out(f"{ops.monotonic() // NS} {found.signals}")
        return 0

    proc = box.start(main)
    box.run(1)
    box.table.kill(proc.pid, "HUP")
    box.run(5)
    assert box.said == ["3 ('HUP',)"]


def test_a_caught_signal_interrupts_recvmsg_and_stays_for_poll(box: Box) -> None:
    async def main(argv: list[str], ops: ProgOps) -> int:
        ops.catch_signals("USR1")
        fd = await ops.socket(AF_INET6, SOCK_DGRAM, 0)
        with pytest.raises(KError) as caught:
            await ops.recvmsg(fd)
        assert caught.value.errno == EINTR
        ops.out(str((await ops.poll((), 0)).signals))
        return 0

    proc = box.start(main)
    box.run(1)
    box.table.kill(proc.pid, "USR1")
    box.run(2)
    assert box.said == ["('USR1',)"]


def test_kill_of_a_strange_process_or_signal_fails(box: Box) -> None:
    proc = box.start(sleeper)
    box.run(1)
    for pid, sig, errno in ((999, "HUP", ESRCH), (proc.pid, "STOP", EINVAL)):
        with pytest.raises(KError) as caught:
            box.table.kill(pid, sig)
        assert caught.value.errno == errno


def test_a_program_that_signals_itself_ends_when_it_next_waits(box: Box) -> None:
    async def main(argv: list[str], ops: ProgOps) -> int:
        await ops.kill(ops.pid(), "TERM")
        ops.out("still here")
        await ops.nanosleep(NS)
        ops.out("never")
        return 0

    proc = box.start(main)
    box.run(5)
    assert (box.said, proc.status) == (["still here"], 143)


def test_finally_runs_when_a_signal_ends_the_program(box: Box) -> None:
    async def main(argv: list[str], ops: ProgOps) -> int:
        try:
            await ops.nanosleep(100 * NS)
        finally:
            await ops.write_file("/var/run/prog.pid", "gone")
        return 0

    proc = box.start(main)
    box.run(1)
    box.table.kill(proc.pid, "TERM")
    assert box.table.files.read("/var/run/prog.pid") == "gone"


# -- daemons, children, bugs --------------------------------------------------------------------


def test_a_daemon_lets_its_shell_go_on_and_says_nothing_more(box: Box) -> None:
    async def daemon(argv: list[str], ops: ProgOps) -> int:
        ops.out("before")
        await ops.daemon()
        ops.out("after")
        await ops.nanosleep(10 * NS)
        return 0

    child = box.start(daemon)

    async def shell(argv: list[str], ops: ProgOps) -> int:
        await WaitExit(child)
        ops.out("free")
        return 0

    box.start(shell)
    box.run(1)
    assert (box.said, child.alive) == (["before", "free"], True)
    box.run(20)
    assert child.status == 0


def test_waiting_for_a_child_takes_until_its_end(box: Box) -> None:
    child = box.start(server)

    async def shell(argv: list[str], ops: ProgOps) -> int:
        await WaitExit(child)
        await WaitExit(child)  # a second time does not block
        ops.out(f"{child.status}")
        return 0

    box.start(shell)
    box.run(3)
    assert box.said == []
    box.table.kill(child.pid, "TERM")
    box.run(4)
    assert box.said == ["143"]


def test_a_python_error_is_a_bug_that_is_reported_and_kept(box: Box) -> None:
    async def main(argv: list[str], ops: ProgOps) -> int:
        raise ZeroDivisionError("one by nothing")

    proc = box.start(main)
    box.run(1)
    assert proc.status == EX_SOFTWARE
    assert box.said == ["prog: internal error: one by nothing\n"]
    assert isinstance(proc.exception, ZeroDivisionError)
    assert box.table.crashed == [proc]


def test_awaiting_what_is_no_system_call_is_a_bug_too(box: Box) -> None:
    class Strange:
        def __await__(self) -> object:
            yield self

    async def main(argv: list[str], ops: ProgOps) -> int:
        await Strange()  # type: ignore[misc]  # the mistake under test
        return 0

    proc = box.start(main)
    box.run(1)
    assert (proc.status, type(proc.exception)) == (EX_SOFTWARE, TypeError)


def test_a_signal_while_a_program_waits_for_its_child_leaves_the_child_alone(box: Box) -> None:
    child = box.start(sleeper)

    async def shell(argv: list[str], ops: ProgOps) -> int:
        await WaitExit(child)
        return 0

    sh = box.start(shell)
    box.run(1)
    box.table.kill(sh.pid, "TERM")
    box.table.kill(child.pid, "TERM")
    box.run(2)
    assert (sh.status, child.status) == (143, 143)


def test_an_idle_program_leaves_no_deadline_behind(box: Box) -> None:
    box.run(30)
    proc = box.start(catcher)
    box.run(31)
    assert proc.alive
    assert box.kern.next_deadline() is None
