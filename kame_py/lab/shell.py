# SPDX-License-Identifier: BSD-3-Clause
"""One command of an rc file or event as a process: built-ins, and the ported tools by name.

No KAME counterpart: what sh(1) and the small programs of /bin do for an rc file. Commands come
parsed from lab/rc.py; lab/job.py runs them one after another.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from kame_py.ctl.local import SIGNALS
from kame_py.kern.clock import NS
from kame_py.lab.rc import FileText
from kame_py.tools import load
from kame_py.wire.errno import KError

if TYPE_CHECKING:
    from kame_py.ctl.ops import ProgOps
    from kame_py.lab.filetree import FileTree
    from kame_py.lab.process import Main, Process, ProcessTable, Write
    from kame_py.lab.rc import Command

EX_NOTFOUND: Final = 127  # what sh answers for a command that it does not find
EX_USAGE: Final = 1
MAX_SLEEP_S: Final = 10**9

Builtin = Callable[["Shell", list[str], "ProgOps"], int]


class Shell:
    """Starts commands on one node. programs: the user's own, by name; before the ported tools."""

    def __init__(self, processes: ProcessTable) -> None:
        self._processes = processes
        self.programs: dict[str, Main] = {}

    def spawn(self, command: Command, out: Write, err: Write) -> Process:
        """Start one command; what it writes goes to ``out`` and ``err``, or to its file.

        An unknown command is a process that says so and ends with status 127.
        """
        name, *argv = self._words(command, err)
        if command.stdout is not None:
            files = self._processes.files
            writer = _Redirect(files, command.stdout, command.append, err)
            if not writer.opened:
                return self._run("sh", _failing, argv, "", out, err)
            out = writer.write
        return self._run(name, self._main(name), argv, command.stdin or "", out, err)

    def is_builtin(self, name: str) -> bool:
        """A command that no program can take the place of."""
        return name in BUILTINS or name == "sleep"

    def _words(self, command: Command, err: Write) -> list[str]:
        """The words of a command, files put in place of `cat FILE`."""
        words: list[str] = []
        for word in command.argv:
            if not isinstance(word, FileText):
                words.append(word)
                continue
            try:
                words += self._processes.files.read(word).split()
            except KError as e:
                err(f"cat: {word}: {e}\n")
        return words

    def _run(
        self, name: str, main: Main, argv: list[str], stdin: str, out: Write, err: Write
    ) -> Process:
        return self._processes.spawn(name, main, argv, stdin, out, err)

    def _main(self, name: str) -> Main:
        builtin = BUILTINS.get(name)
        if builtin is not None:
            return self._builtin(name, builtin)
        if name == "sleep":
            return _sleep
        own = self.programs.get(name)
        if own is not None:
            return own
        tool = load(name)
        if tool is not None:
            return tool.main

        async def missing(argv: list[str], ops: ProgOps) -> int:
            ops.err(f"sh: {name}: not found\n")
            return EX_NOTFOUND

        return missing

    def _builtin(self, name: str, run: Builtin) -> Main:
        async def main(argv: list[str], ops: ProgOps) -> int:
            try:
                return run(self, argv, ops)
            except KError as e:
                ops.err(f"{name}: {e}\n")
                return EX_USAGE

        return main

    # -- built-ins ----------------------------------------------------------------------------

    def cat(self, argv: list[str], ops: ProgOps) -> int:
        """cat [FILE ...]: files of the node, or what the here-document gave."""
        status = 0
        for path in argv or ["-"]:
            if path == "-":
                ops.out(self._here(ops))
                continue
            try:
                ops.out(self._processes.files.read(path))
            except KError as e:
                ops.err(f"cat: {path}: {e}\n")
                status = 1
        return status

    def _here(self, ops: ProgOps) -> str:
        for proc in self._processes.running():
            if proc.pid == ops.pid():
                return proc.stdin_text
        return ""

    def echo(self, argv: list[str], ops: ProgOps) -> int:
        """echo [-n] WORD ..."""
        newline = argv[:1] != ["-n"]
        words = argv if newline else argv[1:]
        ops.out(" ".join(words) + ("\n" if newline else ""))
        return 0

    def date(self, argv: list[str], ops: ProgOps) -> int:
        """date: the node's real time, in UTC."""
        now = datetime.fromtimestamp(ops.realtime() // NS, UTC)
        ops.out(now.strftime("%a %b %e %H:%M:%S UTC %Y\n"))
        return 0

    def hostname(self, argv: list[str], ops: ProgOps) -> int:
        """hostname: the node's name."""
        ops.out(self._processes.kern.name + "\n")
        return 0

    def kill(self, argv: list[str], ops: ProgOps) -> int:
        """kill [-HUP|-USR1|-TERM|-INT|-KILL | -s SIGNAL] PID|NAME|PIDFILE ..."""
        sig = "TERM"
        if len(argv) > 1 and argv[0] == "-s":
            _, name, *rest = argv
            argv = [f"-{name}", *rest]
        if argv and argv[0].startswith("-"):
            sig = argv[0].removeprefix("-").upper().removeprefix("SIG")
            sig = {str(number): name for name, number in SIGNALS.items()}.get(sig, sig)
            argv = argv[1:]
        if sig not in SIGNALS or not argv:
            ops.err(f"usage: kill [-{'|-'.join(SIGNALS)}] pid|name|pidfile ...\n")
            return EX_USAGE
        status = 0
        for target in argv:
            pids = self._pids(target)
            if not pids:
                ops.err(f"kill: {target}: No such process\n")
                status = 1
            for pid in pids:
                self._processes.kill(pid, sig)
        return status

    def _pids(self, target: str) -> list[int]:
        """The running processes that a pid, a program's name or a pid file means."""
        if target.startswith("/"):
            try:
                target = self._processes.files.read(target).strip()
            except KError:
                return []
        running = self._processes.running()
        if target.isascii() and target.isdigit():
            return [proc.pid for proc in running if proc.pid == int(target)]
        return [proc.pid for proc in running if proc.name == target]

    def ps(self, argv: list[str], ops: ProgOps) -> int:
        """ps: the programs that run."""
        ops.out("  PID COMMAND\n")
        for proc in self._processes.running():
            if proc.name != "sh" and proc.pid != ops.pid():
                ops.out(f"{proc.pid:5} {proc.name}\n")
        return 0

    def true(self, argv: list[str], ops: ProgOps) -> int:
        """true: succeed."""
        return 0

    def false(self, argv: list[str], ops: ProgOps) -> int:
        """false: fail."""
        return 1


BUILTINS: Final[dict[str, Builtin]] = {
    "cat": Shell.cat,
    "echo": Shell.echo,
    "date": Shell.date,
    "hostname": Shell.hostname,
    "kill": Shell.kill,
    "ps": Shell.ps,
    "true": Shell.true,
    "false": Shell.false,
    ":": Shell.true,
}


async def _sleep(argv: list[str], ops: ProgOps) -> int:
    """sleep N: fractions are allowed."""
    try:
        seconds = float(argv[0]) if len(argv) == 1 else -1.0
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= MAX_SLEEP_S:
        ops.err("usage: sleep seconds\n")
        return EX_USAGE
    await ops.nanosleep(round(seconds * NS))
    return 0


async def _failing(argv: list[str], ops: ProgOps) -> int:
    return EX_USAGE


class _Redirect:
    """Standard output into a file of the node."""

    def __init__(self, files: FileTree, path: str, append: bool, err: Write) -> None:
        self._files = files
        self._path = path
        self._err = err
        self.opened = self._try(files.append if append else files.write, "")

    def write(self, text: str) -> None:
        self._try(self._files.append, text)

    def _try(self, how: Callable[[str, str], None], text: str) -> bool:
        try:
            how(self._path, text)
        except KError as e:
            self._err(f"sh: {self._path}: {e}\n")
            return False
        return True
