# SPDX-License-Identifier: BSD-3-Clause
"""Which PF_KEY sockets hear a message: its sender, all, those registered, the promiscuous.

KAME netkey/keysock.c (key_sendup_mbuf). Deviates: a message for the registered goes to those
registered for its SA type, or for none in particular; a dump that is longer than the buffer comes
as the program reads; whose buffer is full otherwise learns by ENOBUFS from its next read that it
lost messages. Read first: RFC 2367 s.1.5, s.3.1.7, s.3.1.11.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from enum import Enum, auto
from functools import partial
from typing import TYPE_CHECKING

from kame_py.kern.uipc_socket import sbappend, soseterror
from kame_py.wire.errno import ENOBUFS, KError
from kame_py.wire.pfkey import SadbMsg, build_sadb
from kame_py.wire.pfkeyv2 import SADB_SATYPE_UNSPEC, SADB_X_PROMISC
from kame_py.wire.sockaddr import Received, SockaddrIn6

if TYPE_CHECKING:
    from kame_py.kern.kernel import Kernel
    from kame_py.kern.uipc_socket import Socket


class Target(Enum):
    """KEY_SENDUP_*. The sender of a request is always among them."""

    ONE = auto()
    ALL = auto()
    REGISTERED = auto()


def key_sendup(kern: Kernel, msg: SadbMsg, target: Target, so: Socket | None = None) -> None:
    """Give a message to the sockets of a target; ``so`` is who asked, if somebody did."""
    if kern.key.sockets:
        key_sendup_raw(kern, build_sadb(msg), msg.satype, target, so)


def key_sendup_raw(
    kern: Kernel, raw: bytes, satype: int, target: Target, so: Socket | None = None
) -> None:
    """``key_sendup`` of a message in octets."""
    key = kern.key
    for other in tuple(key.sockets):
        if other in key.promisc:
            _append(kern, other, build_sadb(SadbMsg(SADB_X_PROMISC, inner=raw)))
        if other is so or _hears(key.registered.get(other), satype, target):
            _append(kern, other, raw)


def key_senddump(kern: Kernel, so: Socket, answers: Iterable[SadbMsg]) -> None:
    """The answers to a dump, as they are now. KError(ENOBUFS): the last one is still being read."""
    if so.so_rcvd is not None:
        raise KError(ENOBUFS, "a dump is still being read.")
    waiting = deque(build_sadb(answer) for answer in answers)
    key = kern.key
    for spy in [other for other in key.sockets if other in key.promisc and other is not so]:
        for raw in waiting:
            _append(kern, spy, build_sadb(SadbMsg(SADB_X_PROMISC, inner=raw)))
    so.so_rcvd = partial(_refill, kern, waiting)
    so.so_rcvd(so)


def _refill(kern: Kernel, waiting: deque[bytes], so: Socket) -> None:
    """Queue as much of a dump as there is room for."""
    while waiting and sbappend(kern, so, Received(waiting[0], SockaddrIn6())):
        waiting.popleft()
    if waiting and not so.so_rcv:
        waiting.clear()  # not even one fits
        soseterror(so, ENOBUFS)
    if not waiting:
        so.so_rcvd = None


def _hears(registered: set[int] | None, satype: int, target: Target) -> bool:
    if target is Target.REGISTERED:
        unspec = SADB_SATYPE_UNSPEC
        return registered is not None and (
            satype == unspec or satype in registered or unspec in registered
        )
    return target is Target.ALL


def _append(kern: Kernel, so: Socket, raw: bytes) -> None:
    if not sbappend(kern, so, Received(raw, SockaddrIn6())):
        soseterror(so, ENOBUFS)
