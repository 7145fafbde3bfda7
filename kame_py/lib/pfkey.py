# SPDX-License-Identifier: BSD-3-Clause
"""A program's PF_KEY socket: a message out, its answers in.

KAME: libipsec (pfkey.c), sendkeymsg() of setkey.c. Deviates: answers are told from what other
programs cause by process number and type, as later KAME did. Read first: RFC 2367 s.3.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

from kame_py.ctl.ops import ProgOps
from kame_py.wire import pfkeyv2 as k
from kame_py.wire.errno import EAGAIN, KError
from kame_py.wire.malformed import Malformed
from kame_py.wire.pfkey import (
    SadbAlg,
    SadbMsg,
    SadbSupported,
    build_sadb,
    parse_sadb,
    sadb,
)
from kame_py.wire.sockaddr import (
    AF_KEY,
    MSG_DONTWAIT,
    SO_RCVBUF,
    SO_SNDBUF,
    SOCK_RAW,
    SOL_SOCKET,
)

BUFFER_OCTETS: Final = 128 * 1024
TIMEOUT_NS: Final = 1_000_000_000

Watch = Callable[[bytes], None]


class RecvError(Exception):
    """The kernel does not answer, or answers were lost."""


class KeySocket:
    """A PF_KEY socket. watch: sees the octets of each message, both ways."""

    def __init__(self, ops: ProgOps, fd: int) -> None:
        self._ops = ops
        self._fd = fd
        self.watch: Watch | None = None

    @classmethod
    async def open(cls, ops: ProgOps) -> KeySocket:
        """A new socket with KAME's buffers (pfkey_open)."""
        fd = await ops.socket(AF_KEY, SOCK_RAW, k.PF_KEY_V2)
        for opt in (SO_SNDBUF, SO_RCVBUF):
            await ops.setsockopt(fd, SOL_SOCKET, opt, BUFFER_OCTETS)
        return cls(ops, fd)

    async def send(self, msg: SadbMsg) -> None:
        """Send a message as this process's."""
        data = build_sadb(replace(msg, pid=self._ops.pid()))
        if self.watch is not None:
            self.watch(data)
        await self._ops.sendmsg(self._fd, data)

    async def recv(self, timeout_ns: int | None) -> bytes:
        """The next message. RecvError when none comes in time or the socket lost some."""
        polled = await self._ops.poll((self._fd,), timeout_ns)
        if not polled.readable:
            raise RecvError(str(KError(EAGAIN)))
        try:
            return (await self._ops.recvmsg(self._fd, MSG_DONTWAIT)).data
        except KError as e:
            raise RecvError(str(e)) from e

    async def ask(self, msg: SadbMsg, take: Callable[[SadbMsg], None]) -> int:
        """Send a message and ``take`` each of its answers; the errno of a refusal, else 0.

        Answers to a dump count down to sequence number 0. A message that the socket does not take
        is refused as well.
        """
        try:
            await self.send(msg)
        except KError as e:
            return e.errno
        while True:
            data = await self.recv(TIMEOUT_NS)
            if self.watch is not None:
                self.watch(data)
            answer = parse_sadb(data)
            if isinstance(answer, Malformed):
                raise RecvError(f"invalid keymsg: {answer.reason}")
            if (answer.type, answer.pid) != (msg.type, self._ops.pid()):
                continue
            if answer.errno:
                return answer.errno
            take(answer)
            if not answer.seq:
                return 0

    async def register(self) -> tuple[Mapping[int, SadbAlg], Mapping[int, SadbAlg]]:
        """The algorithms of the kernel for authentication and encryption; KError when refused."""
        got: list[SadbMsg] = []
        errno = await self.ask(sadb(k.SADB_REGISTER, k.SADB_SATYPE_UNSPEC), got.append)
        if errno:
            raise KError(errno)
        auth = _algorithms(got[-1], k.SADB_EXT_SUPPORTED_AUTH)
        return auth, _algorithms(got[-1], k.SADB_EXT_SUPPORTED_ENCRYPT)

    async def close(self) -> None:
        """Close it."""
        await self._ops.close(self._fd)


def _algorithms(msg: SadbMsg, exttype: int) -> Mapping[int, SadbAlg]:
    ext = msg.exts.get(exttype)
    return {alg.id: alg for alg in ext.algs} if isinstance(ext, SadbSupported) else {}
