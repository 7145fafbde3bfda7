# SPDX-License-Identifier: BSD-3-Clause
"""Sockets by which a program speaks to the kernel itself: no addresses, no options.

KAME net/raw_usrreq.c and raw_cb.c, which routing and PF_KEY sockets share.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kame_py.wire.errno import EINVAL, EISCONN, ENOPROTOOPT, KError
from kame_py.wire.sockaddr import SockaddrIn6

if TYPE_CHECKING:
    from kame_py.kern.kernel import Kernel
    from kame_py.kern.uipc_socket import Socket


class RawUsrreqs:
    """What such sockets refuse; attach, detach and send are their own."""

    def bind(self, kern: Kernel, so: Socket, addr: SockaddrIn6) -> None:
        raise KError(EINVAL)

    def connect(self, kern: Kernel, so: Socket, addr: SockaddrIn6) -> None:
        raise KError(EINVAL)

    def ctloutput(
        self, kern: Kernel, so: Socket, op: int, level: int, opt: int, value: object = None
    ) -> object:
        raise KError(ENOPROTOOPT)

    def sockaddr(self, kern: Kernel, so: Socket) -> SockaddrIn6:
        return SockaddrIn6()


def no_address(addr: SockaddrIn6 | None) -> None:
    """The kernel is at the other end. KError: EISCONN."""
    if addr is not None:
        raise KError(EISCONN)
