# SPDX-License-Identifier: BSD-3-Clause
"""Scope zones: the interface index inside link-local addresses, and their user form.

KAME scope6.c and the embedding half of in6.c. Deviates: a zone of link scope is always the
interface index (no user-defined zones). RFC 4007, RFC 4291 s.2.7.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kame_py.wire.errno import EINVAL, ENXIO, KError
from kame_py.wire.in6addr import embed_zone, embedded_zone, ntop
from kame_py.wire.sockaddr import SockaddrIn6

if TYPE_CHECKING:
    from kame_py.kern.kernel import Kernel


def in6_scoped(addr: bytes) -> bool:
    """Whether the address has a zone: link-local unicast, node- and link-local multicast."""
    first, second = addr[0], addr[1]
    if first == 0xFF:
        return second & 0x0F in (1, 2)
    return first == 0xFE and second & 0xC0 == 0x80


def in6_embedscope(addr: bytes, ifindex: int) -> bytes:
    """Kernel form of a wire address seen on an interface; others are returned as they are."""
    if addr < b"\xfe" or not in6_scoped(addr):
        return addr
    return embed_zone(addr, ifindex)


def in6_clearscope(addr: bytes) -> bytes:
    """Wire form of a kernel address."""
    if addr < b"\xfe" or not in6_scoped(addr):
        return addr
    return embed_zone(addr, 0)


def in6_addrzone(addr: bytes) -> int:
    """Interface index of a kernel address, 0 when its scope needs none."""
    if addr < b"\xfe" or not in6_scoped(addr):
        return 0
    return embedded_zone(addr)


def sa_to_kernel(kern: Kernel, sa: SockaddrIn6) -> bytes:
    """Kernel form of a program's address.

    KError: EINVAL for an embedded zone or a scoped address without scope id, ENXIO for an
    unknown interface. Multicast without a scope id stays without a zone: the socket's multicast
    interface decides.
    """
    addr = sa.addr
    if addr < b"\xfe" or not in6_scoped(addr):
        return addr
    if embedded_zone(addr):
        raise KError(EINVAL)
    if not sa.scope_id:
        if addr < b"\xff":
            raise KError(EINVAL)
        return addr
    if kern.ifbyindex(sa.scope_id) is None:
        raise KError(ENXIO)
    return embed_zone(addr, sa.scope_id)


def kernel_to_sa(addr: bytes, port: int = 0) -> SockaddrIn6:
    """A kernel address as a program sees it."""
    return SockaddrIn6(in6_clearscope(addr), port, in6_addrzone(addr))


def addr_text(kern: Kernel, addr: bytes) -> str:
    """A kernel address for people: ``fe80::1%fxp0``."""
    zone = in6_addrzone(addr)
    text = ntop(in6_clearscope(addr))
    ifp = kern.ifbyindex(zone) if zone else None
    return text if ifp is None else f"{text}%{ifp.if_name}"
