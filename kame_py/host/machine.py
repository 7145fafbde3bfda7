# SPDX-License-Identifier: BSD-3-Clause
"""The machine that a tool runs on: files, streams, signals, and the way into the background.

No KAME counterpart. ``/var/run`` is a folder of the node in the runtime folder, so that no program
needs root for its pid file; every other path is what it says.
"""

from __future__ import annotations

import errno
import os
import signal
import socket
import stat
import sys
from collections.abc import Callable
from io import FileIO
from pathlib import Path
from types import FrameType
from typing import Final

from kame_py.host.runtime import RuntimeProblem, node_dir
from kame_py.host.same_file import descriptor, same_file
from kame_py.wire import errno as freebsd
from kame_py.wire.errno import EACCES, EINVAL, EIO, KError
from kame_py.wire.in6addr import pton

VAR_RUN: Final = "/var/run/"
FILE_MAX: Final = 16 * 1024 * 1024


def kernel_error(problem: OSError) -> KError:
    """An error of this machine under its FreeBSD number."""
    name = errno.errorcode.get(problem.errno or 0, "")
    number = getattr(freebsd, name, EIO)
    return KError(number if isinstance(number, int) else EIO)


def _append(f: FileIO, data: bytes) -> None:
    """What does not fit as a whole is taken back. OSError."""
    before = os.fstat(f.fileno())
    rest = memoryview(data)
    try:
        while rest:
            rest = rest[f.write(rest) or 0 :]
    except OSError:
        if stat.S_ISREG(before.st_mode):
            os.ftruncate(f.fileno(), before.st_size)
        raise


class Machine:
    """What ``RemoteOps`` asks of the machine. ``signalled`` is told of caught signals."""

    def __init__(self, node: Callable[[], str]) -> None:
        self._node = node
        self._growing: dict[str, FileIO] = {}
        self.signalled: Callable[[str], None] = _unheard

    # -- files --------------------------------------------------------------------------------

    def path(self, path: str) -> Path:
        """Where a path of a program lies. KError."""
        if path.startswith(VAR_RUN):
            try:
                return node_dir(self._node()) / path.removeprefix(VAR_RUN)
            except RuntimeProblem as problem:
                raise KError(EACCES) from problem
        return Path(path)

    def read(self, path: str) -> str:
        try:
            with open(self.path(path), encoding="utf-8", errors="surrogateescape") as f:
                return f.read(FILE_MAX)
        except OSError as problem:
            raise kernel_error(problem) from problem

    def write(self, path: str, text: str) -> None:
        """Replace a file as a whole: the new one is complete before the old one goes."""
        target = self.path(path)
        if path in self._growing:
            self._growing.pop(path).close()
        octets = text.encode("utf-8", "surrogateescape")
        try:
            number = descriptor(str(target))
            if number is not None or (target.exists() and not target.is_file()):
                with open(target if number is None else os.dup(number), "wb") as device:
                    device.write(octets)
                return
            from tempfile import NamedTemporaryFile  # for the few that write: it loads slowly

            with NamedTemporaryFile(
                dir=target.parent, prefix=f".{target.name}.", delete=False
            ) as f:
                try:
                    f.write(octets)
                    f.flush()
                    os.chmod(f.name, 0o644)
                    os.replace(f.name, target)
                except OSError:  # no room: not even for a rest of it
                    os.unlink(f.name)
                    raise
        except OSError as problem:
            raise kernel_error(problem) from problem

    def read_bytes(self, path: str) -> bytes:
        try:
            return self.path(path).read_bytes()
        except OSError as problem:
            raise kernel_error(problem) from problem

    def same_file(self, a: str, b: str) -> bool:
        return same_file(str(self.path(a)), str(self.path(b)))

    def append_bytes(self, path: str, data: bytes) -> None:
        """All of it or nothing. The file stays the same one also when it gets another name."""
        try:
            if path not in self._growing:
                self._growing[path] = FileIO(self.path(path), "ab")
            _append(self._growing[path], data)
        except OSError as problem:
            raise kernel_error(problem) from problem

    def stdin(self) -> str:
        if sys.stdin is None:
            return ""
        try:
            return sys.stdin.buffer.read().decode("utf-8", "surrogateescape")
        except OSError as problem:
            raise kernel_error(problem) from problem

    def out(self, text: str) -> None:
        sys.stdout.write(text)
        sys.stdout.flush()

    def out_bytes(self, data: bytes) -> None:
        sys.stdout.flush()
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()

    def err(self, text: str) -> None:
        sys.stderr.write(text)
        sys.stderr.flush()

    # -- process ------------------------------------------------------------------------------

    def pid(self) -> int:
        return os.getpid()

    def kill(self, pid: int, sig: str) -> None:
        number = getattr(signal, f"SIG{sig}", None)
        if not isinstance(number, signal.Signals):
            raise KError(EINVAL)
        try:
            os.kill(pid, number)
        except OSError as problem:
            raise kernel_error(problem) from problem

    def detach(self) -> None:
        """daemon(3): the shell goes on, the program lives without a terminal."""
        sys.stdout.flush()
        sys.stderr.flush()
        if os.fork():
            os._exit(0)
        os.setsid()
        os.chdir("/")
        nowhere = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(nowhere, stream)
        if nowhere > 2:
            os.close(nowhere)

    def catch(self, sig: str) -> None:
        number = getattr(signal, f"SIG{sig}")

        def handler(_: int, frame: FrameType | None) -> None:
            self.signalled(sig)

        signal.signal(number, handler)

    # -- names --------------------------------------------------------------------------------

    def resolve(self, host: str) -> bytes | None:
        """The first IPv6 address that the machine's resolver knows."""
        try:
            found = socket.getaddrinfo(host, None, socket.AF_INET6)
        except (OSError, UnicodeError):
            return None
        for *_, addr in found:
            return pton(str(addr[0]).partition("%")[0])
        return None


def _unheard(sig: str) -> None:
    """Nobody asked for a signal yet."""
