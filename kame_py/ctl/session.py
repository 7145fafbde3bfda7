# SPDX-License-Identifier: BSD-3-Clause
"""The kernel's end of a control connection: one program of another process.

No KAME counterpart. Octets go in by ``feed`` and come out by ``send``; nothing here knows a socket.
The first message names the node and the program; then each call is answered before the next one
may come. A signal and a new pid come without an answer, also while a call waits. Whatever is not a
valid message ends the connection with a reason; the node goes on.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Coroutine, Mapping
from typing import TYPE_CHECKING, Final, Protocol

from kame_py.ctl.codec import (
    PROTOCOL,
    REMOTE_CALLS,
    REQUEST_MAX,
    BadFrame,
    Frames,
    Value,
    arguments_fit,
    pack,
    unpack,
)
from kame_py.ctl.local import SIGNALS, Files, LocalOps, Wait
from kame_py.ctl.waiter import Waiter
from kame_py.kern.log import LOG_ERR
from kame_py.wire.errno import EINVAL, EMSGSIZE, ENOENT, ENOSYS, ESRCH, KError

if TYPE_CHECKING:
    from kame_py.kern.kernel import Kernel

NAME_MAX: Final = 64


class Host(Protocol):
    """What a session needs of the process that the nodes live in."""

    def kernel(self, node: str | None) -> Kernel | None:
        """The node of that name; None asks for the only one."""
        ...

    def node_names(self) -> list[str]: ...

    def names(self, kern: Kernel) -> Mapping[str, tuple[bytes, ...]]:
        """The hosts table of a node."""
        ...

    def admin(self, op: str, args: tuple[Value, ...]) -> Value:
        """A call about the nodes themselves (``kame ps``). KError: ENOSYS and others."""
        ...

    def kick(self, kern: Kernel) -> None:
        """A call touched the kernel."""
        ...


class _NoFiles:
    """A program of another process has its own files."""

    def read(self, path: str) -> str:
        raise KError(ENOENT)

    def write(self, path: str, text: str) -> None:
        raise KError(ENOENT)

    def append(self, path: str, text: str) -> None:
        raise KError(ENOENT)

    def same(self, a: str, b: str) -> bool:
        return a == b


class RemoteProc:
    """The program at the other end, as LocalOps sees it."""

    def __init__(self, pid: int, name: str, hosts: Mapping[str, tuple[bytes, ...]]) -> None:
        self.pid = pid
        self.name = name
        self.stdin_text = ""
        self.files: Files = _NoFiles()
        self.hosts = hosts

    def write_out(self, text: str) -> None:
        """Its streams are its own."""

    def write_err(self, text: str) -> None:
        """Its streams are its own."""

    def note(self, name: str, number: int) -> None:
        """Nobody asks."""

    def detach(self) -> None:
        """Its parent is its own."""

    def kill(self, pid: int, sig: str) -> None:
        raise KError(ESRCH)


class Session:
    """One connection. ``closed`` says why it ended; "" while it is open.

    waiting: a call of it waits for the kernel. daemon: it went into the background. spoke: a whole
    message came.
    """

    def __init__(
        self, host: Host, send: Callable[[bytes], None], close: Callable[[], None], pid: int
    ) -> None:
        self._host = host
        self._send = send
        self._close = close
        self._pid = pid
        self._frames = Frames(REQUEST_MAX)
        self._kern: Kernel | None = None
        self._ops: LocalOps | None = None
        self._waiter: Waiter | None = None
        self._coro: Coroutine[Wait, None, Value] | None = None
        self._queue: deque[bytes] = deque()  # messages that wait while answers cannot leave
        self._paused = False
        self.proc: RemoteProc | None = None
        self.daemon = False
        self.spoke = False
        self.closed = ""

    # -- the connection -----------------------------------------------------------------------

    @property
    def waiting(self) -> bool:
        return self._coro is not None

    @property
    def node(self) -> str:
        return self._kern.name if self._kern is not None else ""

    def feed(self, octets: bytes) -> None:
        """Octets of the program."""
        try:
            self._queue.extend(self._frames.feed(octets))
            while self._queue and not self._paused and not self.closed:
                self._message(unpack(self._queue.popleft()))
        except BadFrame as problem:
            self._fail(str(problem))

    def pause(self) -> None:
        """The program does not read: nothing more is answered until ``resume``."""
        self._paused = True

    def resume(self) -> None:
        """Answers can leave again."""
        self._paused = False
        self.feed(b"")

    def close(self, why: str = "the program closed the connection") -> None:
        """The program is gone: its descriptors are closed."""
        if self.closed:
            return
        self.closed = why
        if self._waiter is not None:
            self._waiter.disarm()
        if self._coro is not None:
            self._coro.close()
            self._coro = None
        if self._ops is not None and self._kern is not None:
            self._ops.close_all()
            self._host.kick(self._kern)
        self._close()

    def _fail(self, why: str) -> None:
        self._send(pack({"x": why}))
        self.close(why)

    # -- messages -----------------------------------------------------------------------------

    def _message(self, message: dict[str, Value]) -> None:
        self.spoke = True
        match message:
            case {"hello": version, "name": str(name)}:
                self._hello(version, message.get("node"), name)
            case {"admin": str(op), "a": tuple(args)}:
                self._admin(op, args)
            case {"op": str(op), "a": tuple(args)}:
                self._call(op, args)
            case {"sig": str(sig)} if self._ops is not None and sig in SIGNALS:
                self._ops.deliver(sig)
                if self._waiter is not None and self._kern is not None:
                    self._waiter.interrupt()
                    self._host.kick(self._kern)  # an idle kernel would wake it at its next timer
            case {"pid": int(pid)} if self.proc is not None:
                self.proc.pid = pid
                self.daemon = True
            case _:
                raise BadFrame("a message of no known form")

    def _hello(self, version: Value, node: Value, name: str) -> None:
        if version != PROTOCOL:
            raise BadFrame(f"protocol {version!r} is not spoken here, {PROTOCOL} is")
        if self._kern is not None or len(name) > NAME_MAX:
            raise BadFrame("a wrong first message")
        kern = self._host.kernel(node if isinstance(node, str) else None)
        if kern is None:
            nodes = ", ".join(self._host.node_names())
            which = f"no node {node}" if isinstance(node, str) else "which node"
            raise BadFrame(f"{which}: the nodes here are {nodes}")
        self._kern = kern
        self.proc = RemoteProc(self._pid, name, self._host.names(kern))
        self._ops = LocalOps(kern, self.proc)
        self._waiter = Waiter(kern, self._woken)
        self._send(pack({"r": kern.name}))

    def _admin(self, op: str, args: tuple[Value, ...]) -> None:
        try:
            self._answer(self._host.admin(op, args))
        except KError as e:
            self._send(pack({"e": e.errno}))

    def _call(self, op: str, args: tuple[Value, ...]) -> None:
        if self._ops is None or self._kern is None:
            raise BadFrame("a call before the first message")
        if self._coro is not None:
            raise BadFrame("a call while another one waits")
        if op not in REMOTE_CALLS:
            self._send(pack({"e": ENOSYS}))
        elif not arguments_fit(op, args):
            self._send(pack({"e": EINVAL}))
        else:
            self._coro = _made(getattr(self._ops, op), args)
            self._step()
        self._host.kick(self._kern)

    # -- a call that runs ---------------------------------------------------------------------

    def _woken(self) -> None:
        """What the call waits for is there: it goes on when the kernel is done with its packet."""
        if self._kern is not None:
            self._kern.callouts.at(self._kern.now(), self._step)

    def _step(self) -> None:
        if self._coro is None or self._waiter is None or self.closed:
            return
        try:
            wait = self._coro.send(None)
        except StopIteration as stop:
            self._coro = None
            self._answer(stop.value)
            return
        except KError as e:
            self._coro = None
            self._send(pack({"e": e.errno}))
            return
        except Exception as problem:  # a bug of a call must not end the node
            self._coro = None
            self._bug(problem)
            return
        self._waiter.arm(wait)

    def _answer(self, value: Value) -> None:
        try:
            frame = pack({"r": value})
        except ValueError:
            frame = pack({"e": EMSGSIZE})
        except TypeError as problem:
            self._bug(problem)
            return
        self._send(frame)

    def _bug(self, problem: Exception) -> None:
        if self._kern is not None and self.proc is not None:
            who = f"{self.proc.name}[{self.proc.pid}]"
            self._kern.log.log(LOG_ERR, f"internal error: {problem!r}", who)
        self._send(pack({"e": EINVAL}))


async def _made(fn: Callable[..., Value], args: tuple[Value, ...]) -> Value:
    """A call as a coroutine, whether it is one or not."""
    value = fn(*args)
    return await value if isinstance(value, Coroutine) else value
