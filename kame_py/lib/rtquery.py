# SPDX-License-Identifier: BSD-3-Clause
"""Questions to the routing socket: one message out, its answer back.

KAME: rtmsg() of ndp.c and route.c. Deviates: answers are found by pid and sequence number among
whatever else the socket hears, without blocking.
"""

from __future__ import annotations

from dataclasses import replace

from kame_py.ctl.ops import ProgOps
from kame_py.wire import rtmsg
from kame_py.wire.errno import EAGAIN, ESRCH, KError
from kame_py.wire.rtmsg import RtMsg
from kame_py.wire.sockaddr import AF_ROUTE, MSG_DONTWAIT, SOCK_RAW


class RouteSocket:
    """A routing socket of a program."""

    def __init__(self, ops: ProgOps, fd: int) -> None:
        self._ops = ops
        self.fd = fd
        self._seq = 0

    @classmethod
    async def open(cls, ops: ProgOps) -> RouteSocket:
        """A new socket; close() it."""
        return cls(ops, await ops.socket(AF_ROUTE, SOCK_RAW, 0))

    async def close(self) -> None:
        await self._ops.close(self.fd)

    async def ask(self, msg: RtMsg) -> RtMsg:
        """Send ``msg``; the kernel's answer to it. KError as the kernel refused."""
        self._seq += 1
        pid = self._ops.pid()
        msg = replace(msg, rtm_pid=pid, rtm_seq=self._seq)
        await self._ops.sendmsg(self.fd, rtmsg.build(msg))
        while True:
            try:
                got = await self._ops.recvmsg(self.fd, MSG_DONTWAIT)
            except KError as e:
                if e.errno == EAGAIN:
                    raise KError(ESRCH) from e
                raise
            answer = rtmsg.parse(got.data)
            if isinstance(answer, RtMsg) and (answer.rtm_pid, answer.rtm_seq) == (pid, self._seq):
                if answer.rtm_errno:
                    raise KError(answer.rtm_errno)
                return answer
