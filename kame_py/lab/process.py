# SPDX-License-Identifier: BSD-3-Clause
"""Programs of one node as coroutines in the kernel's virtual time.

KAME: kern_fork.c, kern_exit.c, kern_sig.c and the scheduler, as far as the tools can see them.
A program runs until it has to wait; a callout of the kernel resumes it, so a socket that becomes
readable in the middle of packet processing never runs a program there. Python exceptions of a
program are its bugs: the program ends with status 70 and ``exception`` keeps what happened.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Generator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from kame_py.ctl.local import SIGNALS, LocalOps, Wait
from kame_py.ctl.waiter import Waiter
from kame_py.kern.log import LOG_ERR
from kame_py.lab.filetree import FileTree
from kame_py.wire.errno import EINVAL, ESRCH, KError

if TYPE_CHECKING:
    from kame_py.ctl.ops import ProgOps
    from kame_py.kern.callout import Callout
    from kame_py.kern.kernel import Kernel

FIRST_PID: Final = 100
EX_SOFTWARE: Final = 70  # sysexits.h
ENDING_SIGNALS: Final = ("INT", "KILL", "TERM")
SIGNAL_STATUS: Final = 128  # what sh adds to the number of the signal that ended a program

#: A program's start: (argv without its name, its system calls).
Main = Callable[[list[str], "ProgOps"], Coroutine[object, None, int]]
Write = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class WaitExit:
    """Wait until a program has ended or gone into the background."""

    child: Process

    def __await__(self) -> Generator[WaitExit, None, None]:
        if not self.child.released:
            yield self


class Process:
    """One program. status None: it runs. out, err: everything it wrote, while it had a shell.

    reports: what it said of its progress, name -> number -> when first (ns).
    """

    def __init__(
        self, table: ProcessTable, pid: int, name: str, stdin: str, out: Write, err: Write
    ) -> None:
        self.pid = pid
        self.name = name
        self.stdin_text = stdin
        self.status: int | None = None
        self.ended_ns: int | None = None
        self.signal: str | None = None  # what ended it
        self.stopped = False  # it was sent a signal that asks for its end
        self.reports: dict[str, dict[int, int]] = {}
        self.exception: BaseException | None = None
        self.daemonised = False
        self.exit_hooks: list[Callable[[Process], None]] = []
        self.ops = LocalOps(table.kern, self)
        self._table = table
        self._out = out
        self._err = err
        self._begin: Callable[[], Coroutine[object, None, int]]
        self._coro: Coroutine[object, None, int] | None = None  # made by the first step
        self._running = False
        self._waiter = Waiter(table.kern, self._schedule)
        self._child: Process | None = None  # whose end it waits for
        self._resume: Callout | None = None
        self._release_hooks: list[Callable[[], None]] = []

    def __repr__(self) -> str:
        return f"<Process {self.pid} {self.name}>"

    # What LocalOps asks for.

    @property
    def files(self) -> FileTree:
        return self._table.files

    @property
    def hosts(self) -> Mapping[str, tuple[bytes, ...]]:
        return self._table.hosts

    @property
    def alive(self) -> bool:
        return self.status is None

    @property
    def released(self) -> bool:
        """The shell need not wait: it has ended, or it is a daemon."""
        return self.daemonised or self.status is not None

    def write_out(self, text: str) -> None:
        if not self.daemonised:
            self._out(text)

    def write_err(self, text: str) -> None:
        if not self.daemonised:
            self._err(text)

    def detach(self) -> None:
        if not self.daemonised:
            self.daemonised = True
            self._release()

    def note(self, name: str, number: int) -> None:
        self.reports.setdefault(name, {}).setdefault(number, self._table.kern.now())

    def kill(self, pid: int, sig: str) -> None:
        self._table.kill(pid, sig)

    # Life.

    def start(self, begin: Callable[[], Coroutine[object, None, int]]) -> None:
        """Run what ``begin()`` gives, from the next step of the kernel on."""
        self._begin = begin
        self._schedule()

    def take_signal(self, sig: str) -> None:
        """Deliver a signal, or end the program by it."""
        self.stopped = self.stopped or sig in ENDING_SIGNALS
        if sig == "KILL" or not self.ops.deliver(sig):
            self.signal = sig
            if self._running:  # it signalled itself: it ends when it next waits
                return
            self._end(SIGNAL_STATUS + SIGNALS[sig])
        else:
            self._waiter.interrupt()

    def _schedule(self) -> None:
        if self._resume is None:
            kern = self._table.kern
            self._resume = kern.callouts.at(kern.now(), self._step)

    def _step(self) -> None:
        self._resume = None
        if not self.alive:
            return
        self._running = True
        try:
            if self._coro is None:
                self._coro = self._begin()
            wait = self._coro.send(None)
        except StopIteration as stop:
            self._running = False
            self._returned(stop.value)
            return
        except Exception as problem:  # a bug of the program must not end the world
            self._running = False
            self._crash(problem)
            return
        self._running = False
        if self.signal is not None:
            self._end(SIGNAL_STATUS + SIGNALS[self.signal])
        elif isinstance(wait, Wait | WaitExit):
            self._arm(wait)
        else:
            self._crash(TypeError(f"awaits {type(wait).__name__}, which is no system call"))

    def _returned(self, status: object) -> None:
        if isinstance(status, int):
            self._end(status)
        else:
            self._crash(TypeError(f"returned {status!r}, which is no exit status"))

    def _crash(self, problem: BaseException) -> None:
        self.exception = problem
        text = str(problem) or type(problem).__name__
        self.write_err(f"{self.name}: internal error: {text}\n")
        self._table.kern.log.log(
            LOG_ERR, f"internal error: {problem!r}", f"{self.name}[{self.pid}]"
        )
        self._end(EX_SOFTWARE)

    def _end(self, status: int) -> None:
        self.status = status
        self.ended_ns = self._table.kern.now()
        self._disarm()
        try:
            if self._coro is not None:
                self._coro.close()
        except Exception as problem:  # what the program does in `finally` is its own, too
            self.exception = self.exception or problem
        self.ops.close_all()
        self._table.forget(self)
        self._release()
        for hook in self.exit_hooks:
            hook(self)

    def _release(self) -> None:
        hooks, self._release_hooks = self._release_hooks, []
        for hook in hooks:
            hook()

    # Waiting.

    def _arm(self, wait: Wait | WaitExit) -> None:
        if isinstance(wait, WaitExit):
            self._child = wait.child
            wait.child._release_hooks.append(self._child_released)
        else:
            self._waiter.arm(wait)

    def _child_released(self) -> None:
        self._child = None
        self._schedule()

    def _disarm(self) -> None:
        self._waiter.disarm()
        child, self._child = self._child, None
        if child is not None and self._child_released in child._release_hooks:
            child._release_hooks.remove(self._child_released)


class ProcessTable:
    """The processes of one kernel, its files and its hosts table."""

    def __init__(
        self,
        kern: Kernel,
        files: FileTree | None = None,
        hosts: Mapping[str, tuple[bytes, ...]] | None = None,
    ) -> None:
        self.kern = kern
        self.files = files if files is not None else FileTree()
        self.hosts: Mapping[str, tuple[bytes, ...]] = hosts if hosts is not None else {}
        self.crashed: list[Process] = []
        self._procs: dict[int, Process] = {}
        self._next_pid = FIRST_PID

    def running(self) -> list[Process]:
        """All programs that have not ended, by pid."""
        return list(self._procs.values())

    def spawn(
        self, name: str, main: Main, argv: list[str], stdin: str, out: Write, err: Write
    ) -> Process:
        """Start ``main(argv, ops)``; its first instruction runs at the kernel's next step."""
        proc = Process(self, self._next_pid, name, stdin, out, err)
        self._next_pid += 1
        self._procs[proc.pid] = proc
        proc.start(lambda: main(argv, proc.ops))
        return proc

    def forget(self, proc: Process) -> None:
        """A process has ended."""
        del self._procs[proc.pid]
        if proc.exception is not None:
            self.crashed.append(proc)

    def kill(self, pid: int, sig: str) -> None:
        """kill(2). KError: EINVAL unknown signal, ESRCH no such process."""
        if sig not in SIGNALS:
            raise KError(EINVAL)
        proc = self._procs.get(pid)
        if proc is None:
            raise KError(ESRCH)
        proc.take_signal(sig)

    def named(self, name: str) -> list[Process]:
        """Running programs of that name, by pid."""
        return [p for p in self._procs.values() if p.name == name]
