# SPDX-License-Identifier: BSD-3-Clause
"""ioctls of addresses (in6_control and in6_prefix_ioctl of KAME in6.c).

Deviates: requests are typed values; privilege is the caller's to check. Errors are BSD's errnos.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kame_py.kern.clock import NS
from kame_py.net.if_ import Ifnet
from kame_py.netinet6 import in6, nd6_prefix
from kame_py.netinet6.in6_var import IN6_IFF_AUTOCONF, In6Ifaddr
from kame_py.netinet6.scope6 import in6_clearscope, in6_embedscope
from kame_py.wire.errno import EADDRNOTAVAIL, EINVAL, ENXIO, KError
from kame_py.wire.ioctl import (
    SIOCAIFADDR_IN6,
    SIOCDIFADDR_IN6,
    SIOCGIFADDRS_IN6,
    SIOCGIFPREFIX_IN6,
)
from kame_py.wire.snap import INFINITE, IfaSnap

if TYPE_CHECKING:
    from collections.abc import Callable

    from kame_py.kern.kernel import Kernel


def in6_register(kern: Kernel) -> None:
    """Put the requests of this module into the kernel's table."""
    table: dict[type, Callable[[Kernel, object], object]] = {
        SIOCAIFADDR_IN6: _aifaddr,
        SIOCDIFADDR_IN6: _difaddr,
        SIOCGIFADDRS_IN6: _gifaddrs,
        SIOCGIFPREFIX_IN6: _gifprefix,
    }
    kern.ioctlsw.update(table)


def ifunit_or_error(kern: Kernel, name: str) -> Ifnet:
    """The interface of that name. KError(ENXIO)."""
    ifp = kern.ifunit(name)
    if ifp is None:
        raise KError(ENXIO)
    return ifp


def _aifaddr(kern: Kernel, req: object) -> object:
    assert isinstance(req, SIOCAIFADDR_IN6)
    ifp = ifunit_or_error(kern, req.ifra_name)
    dst = req.ifra_dstaddr
    in6.in6_update_ifa(
        kern,
        ifp,
        _user_addr(req.ifra_addr, ifp),
        req.ifra_plen,
        req.ifra_flags,
        req.ia6t_vltime,
        req.ia6t_pltime,
        None if dst is None else _user_addr(dst, ifp),
    )
    return None


def _user_addr(addr: bytes, ifp: Ifnet) -> bytes:
    """Kernel form; KError(EINVAL) for something that is no address of 16 octets."""
    if len(addr) != 16:
        raise KError(EINVAL)
    return in6_embedscope(addr, ifp.if_index)


def _difaddr(kern: Kernel, req: object) -> object:
    assert isinstance(req, SIOCDIFADDR_IN6)
    ifp = ifunit_or_error(kern, req.ifr_name)
    ia = in6.in6ifa_ifpwithaddr(ifp, _user_addr(req.ifr_addr, ifp))
    if ia is None:
        raise KError(EADDRNOTAVAIL)
    in6.in6_purgeaddr(kern, ia)
    if not ia.ia6_flags & IN6_IFF_AUTOCONF:  # the others have done it
        nd6_prefix.pfxlist_onlink_check(kern)
    return None


def _gifaddrs(kern: Kernel, req: object) -> object:
    assert isinstance(req, SIOCGIFADDRS_IN6)
    ifps = [ifunit_or_error(kern, req.ifr_name)] if req.ifr_name else kern.ifnets
    return tuple(ifa_snap(kern, ia) for ifp in ifps for ia in ifp.in6_addrs)


def ifa_snap(kern: Kernel, ia: In6Ifaddr) -> IfaSnap:
    """One address as programs see it."""
    lt = ia.ia6_lifetime
    dst = ia.ia_dstaddr
    return IfaSnap(
        ifname=ia.ia_ifp.if_name,
        ifindex=ia.ia_ifp.if_index,
        addr=in6_clearscope(ia.ia_addr),
        plen=ia.ia_plen,
        flags=ia.ia6_flags,
        vltime=lt.ia6t_vltime,
        pltime=lt.ia6t_pltime,
        vexpire=_left(kern, lt.ia6t_expire),
        pexpire=_left(kern, lt.ia6t_preferred),
        dstaddr=None if dst is None else in6_clearscope(dst),
    )


def _left(kern: Kernel, end_ns: int) -> int:
    return INFINITE if end_ns == 0 else (end_ns - kern.now()) // NS


def _gifprefix(kern: Kernel, req: object) -> object:
    assert isinstance(req, SIOCGIFPREFIX_IN6)
    ifp = ifunit_or_error(kern, req.ifr_name)
    if not 0 <= req.plen <= 128:
        raise KError(EINVAL)
    pr = nd6_prefix.nd6_prefix_lookup(kern, ifp, _user_addr(req.prefix, ifp), req.plen)
    if pr is None:
        raise KError(EADDRNOTAVAIL)
    return (pr.ndpr_vltime, pr.ndpr_pltime)
