# SPDX-License-Identifier: BSD-3-Clause
"""PF_KEY sockets.

KAME netkey/keysock.c (key_usrreqs). Deviates: nobody is unprivileged here. Read first: RFC 2367
s.1.3.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kame_py.net.raw_usrreq import RawUsrreqs, no_address
from kame_py.netkey.key_msg import key_parse
from kame_py.wire.errno import EMSGSIZE, KError
from kame_py.wire.sockaddr import Cmsg, SockaddrIn6

if TYPE_CHECKING:
    from kame_py.kern.kernel import Kernel
    from kame_py.kern.uipc_socket import Socket


class KeyUsrreqs(RawUsrreqs):
    """What PF_KEY does for its sockets."""

    def attach(self, kern: Kernel, so: Socket) -> None:
        kern.key.sockets.append(so)

    def detach(self, kern: Kernel, so: Socket) -> None:
        kern.key.sockets.remove(so)
        kern.key.registered.pop(so, None)
        kern.key.promisc.discard(so)

    def send(
        self,
        kern: Kernel,
        so: Socket,
        data: bytes,
        addr: SockaddrIn6 | None,
        control: tuple[Cmsg, ...],
    ) -> int:
        """One message for the kernel. KError: EMSGSIZE, EINVAL when it has no whole header."""
        no_address(addr)
        if len(data) > so.so_sndbuf:
            raise KError(EMSGSIZE)
        key_parse(kern, so, data)
        return len(data)
