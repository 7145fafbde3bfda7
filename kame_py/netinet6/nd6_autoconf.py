# SPDX-License-Identifier: BSD-3-Clause
"""Addresses from advertised prefixes (prelist_update and in6_ifadd of KAME nd6_rtr.c).

Deviates: a prefix of another length than the interface identifier leaves is ignored for addresses
quietly; the number of learnt prefixes is bounded. RFC 2462 s.5.5.3.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kame_py.kern.clock import NS
from kame_py.kern.log import LOG_INFO
from kame_py.netinet6 import in6, in6_tmpaddr, nd6_prefix
from kame_py.netinet6.in6_var import (
    IN6_IFF_ANYCAST,
    IN6_IFF_AUTOCONF,
    IN6_IFF_TEMPORARY,
    In6Ifaddr,
)
from kame_py.netinet6.nd6_var import (
    NDPRF_DETACHED,
    PR_ORIG_RA,
    TWOHOUR_S,
    NdDefrouter,
    NdPrefix,
)
from kame_py.wire.errno import KError
from kame_py.wire.in6addr import combine, ntop, prefix_equal
from kame_py.wire.snap import INFINITE

if TYPE_CHECKING:
    from kame_py.kern.kernel import Kernel

IFID_PLEN: Final = 64  # RFC 2464 s.4: what an EUI-64 interface identifier leaves for the prefix


def prelist_update(kern: Kernel, new: NdPrefix, dr: NdDefrouter | None) -> None:
    """One advertised prefix: the list first (RFC 2461 s.6.3.4), then addresses."""
    pr = nd6_prefix.nd6_prefix_lookup(kern, new.ndpr_ifp, new.ndpr_prefix, new.ndpr_plen)
    if pr is not None:
        _prelist_refresh(kern, pr, new, dr)
    else:
        if new.ndpr_vltime == 0 or not (new.ndpr_raf_onlink or new.ndpr_raf_auto):
            return
        if _learnt(kern, new) >= kern.nd6.maxifprefixes:
            return
        pr = nd6_prefix.nd6_prelist_add(kern, new, dr)
    if new.ndpr_raf_auto:
        _autoconf(kern, pr, new.ndpr_vltime, new.ndpr_pltime)


def _learnt(kern: Kernel, new: NdPrefix) -> int:
    return sum(
        pr.ndpr_ifp is new.ndpr_ifp and pr.ndpr_origin == PR_ORIG_RA for pr in kern.nd6.prefixes
    )


def _prelist_refresh(kern: Kernel, pr: NdPrefix, new: NdPrefix, dr: NdDefrouter | None) -> None:
    pr.ndpr_raf_onlink |= new.ndpr_raf_onlink
    pr.ndpr_raf_auto |= new.ndpr_raf_auto
    pr.ndpr_raf_router = new.ndpr_raf_router
    pr.ndpr_addr = new.ndpr_addr
    if new.ndpr_raf_onlink:
        nd6_prefix.in6_init_prefix_ltimes(kern, pr, new.ndpr_vltime, new.ndpr_pltime)
        if not pr.ndpr_stateflags & NDPRF_DETACHED and new.ndpr_vltime:
            nd6_prefix.nd6_prefix_onlink(kern, pr)
    if dr is not None:
        nd6_prefix.pfxrtr_add(kern, pr, dr)


def _autoconf(kern: Kernel, pr: NdPrefix, vltime: int, pltime: int) -> None:
    """RFC 2462 s.5.5.3 (c)-(e)."""
    if pltime > vltime:
        return
    seen = False
    for ia in list(pr.ndpr_ifp.in6_addrs):
        if ia.ia_plen != pr.ndpr_plen or ia.ia6_flags & IN6_IFF_ANYCAST:
            continue
        if not prefix_equal(ia.ia_addr, pr.ndpr_prefix, pr.ndpr_plen):
            continue
        seen = True
        if ia.ia6_flags & IN6_IFF_AUTOCONF:
            valid = autoconf_valid(kern, ia, vltime)
            if ia.ia6_flags & IN6_IFF_TEMPORARY:
                in6.in6_lower_address_ltimes(kern, ia, valid, min(pltime, valid))
            else:
                in6.in6_init_address_ltimes(kern, ia, valid, min(pltime, valid))
    if not seen and vltime:
        public = in6_ifadd(kern, pr, vltime, pltime)
        if public is not None:
            in6_tmpaddr.in6_tmpaddr_public(kern, public)


def autoconf_valid(kern: Kernel, ia: In6Ifaddr, vltime: int) -> int:
    """The new valid lifetime: nobody shortens it below two hours (RFC 2462 s.5.5.3 (e))."""
    expire = ia.ia6_lifetime.ia6t_expire
    remaining = INFINITE if expire == 0 else -(-max(0, expire - kern.now()) // NS)
    if vltime > TWOHOUR_S or vltime > remaining:
        return vltime
    return min(remaining, TWOHOUR_S)


def in6_ifadd(kern: Kernel, pr: NdPrefix, vltime: int, pltime: int) -> In6Ifaddr | None:
    """Make an address of the prefix and the interface identifier of the link-local address."""
    ifp = pr.ndpr_ifp
    own = in6.in6ifa_ifpforlinklocal(ifp)
    if own is None:
        return None
    if pr.ndpr_plen != IFID_PLEN:
        kern.log.log(
            LOG_INFO,
            f"in6_ifadd: wrong prefixlen for {ifp.if_name} "
            f"(prefix={pr.ndpr_plen} ifid={128 - IFID_PLEN})",
        )
        return None
    addr = combine(pr.ndpr_prefix, IFID_PLEN, own.ia_addr)
    if in6.in6ifa_ifpwithaddr(ifp, addr) is not None:
        return None
    try:
        return in6.in6_update_ifa(kern, ifp, addr, pr.ndpr_plen, IN6_IFF_AUTOCONF, vltime, pltime)
    except KError as error:
        kern.log.log(LOG_INFO, f"in6_ifadd: failed to make ifaddr {ntop(addr)}: {error}")
        return None
