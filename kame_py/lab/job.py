# SPDX-License-Identifier: BSD-3-Clause
"""Commands that run one after another on a node: an rc file, an event, an expectation, a user.

No KAME counterpart: this is the sh(1) that waits for each command of a script unless it ends in
``&`` or becomes a daemon. What one command does is lab/shell.py's business.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from kame_py.lab.process import WaitExit

if TYPE_CHECKING:
    from kame_py.ctl.ops import ProgOps
    from kame_py.lab.process import Process
    from kame_py.lab.rc import Command
    from kame_py.lab.shell import Shell


@dataclass(frozen=True, slots=True)
class CommandResult:
    """What commands left behind. status: of the last one; out, err: of all of them."""

    status: int
    out: str
    err: str

    @property
    def ok(self) -> bool:
        return self.status == 0


class JobListener(Protocol):
    """Hears what the commands of a job do."""

    def began(self, command: Command) -> None: ...
    def spawned(self, command: Command, proc: Process) -> None: ...
    def wrote(self, command: Command, text: str) -> None: ...
    def ended(self, command: Command, proc: Process) -> None: ...


class Job:
    """A script on its way. status None: it runs. output: standard output and error as mixed."""

    def __init__(
        self, shell: Shell, commands: Sequence[Command], listener: JobListener | None
    ) -> None:
        self.status: int | None = None
        self.processes: list[Process] = []
        self._shell = shell
        self._commands = commands
        self._listener = listener
        self._out: list[str] = []
        self._err: list[str] = []
        self._both: list[str] = []
        self._hooks: list[Callable[[Job], None]] = []

    @property
    def done(self) -> bool:
        """All commands have ended or gone into the background."""
        return self.status is not None

    @property
    def output(self) -> str:
        return "".join(self._both)

    def result(self) -> CommandResult:
        """What there is so far; status 0 while the last command runs."""
        return CommandResult(self.status or 0, "".join(self._out), "".join(self._err))

    def when_done(self, fn: Callable[[Job], None]) -> None:
        """Call ``fn(job)`` once the job is done, at once if it is."""
        if self.done:
            fn(self)
        else:
            self._hooks.append(fn)

    async def main(self, argv: list[str], ops: ProgOps) -> int:
        """The script as a program."""
        status = 0
        for command in self._commands:
            proc = self._start(command)
            if command.background:
                continue
            await WaitExit(proc)
            status = proc.status or 0
        return status

    def finish(self, status: int) -> None:
        """The script has ended."""
        self.status = status
        hooks, self._hooks = self._hooks, []
        for fn in hooks:
            fn(self)

    def _start(self, command: Command) -> Process:
        if self._listener is not None:
            self._listener.began(command)
        proc = self._shell.spawn(
            command, self._writer(command, self._out), self._writer(command, self._err)
        )
        self.processes.append(proc)
        if self._listener is not None:
            listener = self._listener
            listener.spawned(command, proc)
            proc.exit_hooks.append(lambda proc: listener.ended(command, proc))
        return proc

    def _writer(self, command: Command, kept: list[str]) -> Callable[[str], None]:
        def write(text: str) -> None:
            kept.append(text)
            self._both.append(text)
            if self._listener is not None:
                self._listener.wrote(command, _printable(text))

        return write


def _printable(text: str) -> str:
    """The text as a terminal can take it: octets that are none (a capture) become ``?``."""
    return text.encode("utf-8", "replace").decode("utf-8")
