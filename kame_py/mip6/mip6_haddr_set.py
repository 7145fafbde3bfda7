# SPDX-License-Identifier: BSD-3-Clause
"""Home addresses that the user chooses, whole or by their interface identifier.

KAME had none of it in January 2002; a later mip6control took an identifier with -I. A home address
that is given up is de-registered first. Read first: draft-ietf-mobileip-ipv6-15 s.10.7, RFC 2526.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kame_py.kern.log import LOG_INFO
from kame_py.mip6 import mip6_haddr, mip6_home, mip6_move, mip6_prefix, mip6_subnet
from kame_py.mip6.mip6_mnstate import HIF_LOCATION_FOREIGN, HIF_LOCATION_HOME
from kame_py.mip6.mip6_var import (
    MIP6_CONFIG_TYPE_MN,
    HifSoftc,
    Mip6Prefix,
    Mip6State,
    mip6_state,
    mip6log,
)
from kame_py.netinet6 import in6
from kame_py.netinet6.in6_var import IN6_IFF_AUTOCONF
from kame_py.wire.errno import EADDRINUSE, EADDRNOTAVAIL, EINVAL, KError
from kame_py.wire.in6addr import (
    IN6_IS_ADDR_LINKLOCAL,
    IN6_IS_ADDR_MULTICAST,
    IN6ADDR_ANY,
    combine,
    masked,
    ntop,
    prefix_equal,
    pton,
)

if TYPE_CHECKING:
    from kame_py.kern.kernel import Kernel

_RESERVED: Final = pton("::fdff:ffff:ffff:ff80")  # RFC 2526 s.2: anycast identifiers
_RESERVED_PLEN: Final = 121


def mip6_haddr_set(kern: Kernel, sc: HifSoftc, haddr: bytes) -> None:
    """SIOCSHOMEADDR_HIF. KError: EINVAL, EADDRNOTAVAIL, EADDRINUSE."""
    if len(haddr) != len(IN6ADDR_ANY):
        raise KError(EINVAL)
    if masked(haddr, mip6_prefix.HADDR_PLEN) == IN6ADDR_ANY:
        _set_ifid(kern, sc, haddr)
        return
    if not _possible(haddr):
        raise KError(EINVAL)
    covering = [
        mpfx
        for _, mpfx in mip6_subnet.hif_home_prefixes(sc)
        if mip6_prefix.mip6_prefix_covers(mpfx, haddr)
    ]
    if not covering:
        raise KError(EADDRNOTAVAIL)
    mpfx = max(covering, key=lambda each: each.mpfx_prefixlen)
    mip6_haddr_check(mip6_state(kern), haddr, mpfx.mpfx_prefix, mpfx.mpfx_prefixlen)
    mip6_haddr_choose(kern, sc, mpfx, haddr)


def mip6_haddr_check(state: Mip6State, haddr: bytes, prefix: bytes, plen: int) -> None:
    """Whether it may be the home address below this prefix. KError: EINVAL, EADDRINUSE."""
    if not _possible(haddr) or not prefix_equal(haddr, prefix, plen):
        raise KError(EINVAL)
    if haddr == masked(haddr, plen):  # of all routers of the link
        raise KError(EINVAL)
    if any(mha.mha_gaddr == haddr for mha in state.mip6_ha_list):
        raise KError(EADDRINUSE)


def _possible(haddr: bytes) -> bool:
    return not (
        IN6_IS_ADDR_MULTICAST(haddr) or IN6_IS_ADDR_LINKLOCAL(haddr) or _reserved_ifid(haddr)
    )


def _reserved_ifid(addr: bytes) -> bool:
    assert _RESERVED is not None
    ifid = combine(IN6ADDR_ANY, mip6_prefix.HADDR_PLEN, addr)
    return prefix_equal(ifid, _RESERVED, _RESERVED_PLEN)


def _set_ifid(kern: Kernel, sc: HifSoftc, ifid: bytes) -> None:
    """Every home address that was not given whole, or was refused, gets the identifier."""
    if _reserved_ifid(ifid):
        raise KError(EINVAL)
    state = mip6_state(kern)
    for _, mpfx in mip6_subnet.hif_home_prefixes(sc):
        formed = combine(mpfx.mpfx_prefix, mpfx.mpfx_prefixlen, ifid)
        if any(mha.mha_gaddr == formed for mha in state.mip6_ha_list):
            raise KError(EADDRINUSE)
    sc.hif_ifid = ifid
    changed = [
        _replace(kern, sc, mpfx, mip6_prefix.mip6_prefix_haddr_formed(kern, mpfx, sc))
        for _, mpfx in mip6_subnet.hif_home_prefixes(sc)
        if not mpfx.mpfx_haddr_manual or mpfx.mpfx_refused
    ]
    if any(changed):
        mip6_haddr_use(kern, sc)


def mip6_haddr_choose(kern: Kernel, sc: HifSoftc, mpfx: Mip6Prefix, haddr: bytes) -> None:
    """This is the home address below a home prefix."""
    changed = _replace(kern, sc, mpfx, haddr)
    mpfx.mpfx_haddr_manual = True
    if changed:
        mip6_haddr_use(kern, sc)


def _replace(kern: Kernel, sc: HifSoftc, mpfx: Mip6Prefix, haddr: bytes) -> bool:
    """Give the old home address up; the peers may forget it. False: it is the same."""
    old = mpfx.mpfx_haddr
    if haddr == old:
        return False
    if old != IN6ADDR_ANY:
        mip6_home.mip6_goodbye(kern, sc, old)
        mip6_home.mip6_haddr_forget(kern, old)
        ifp = mip6_haddr.mip6_haddr_ifp(kern, old)
        ia = None if ifp is None else in6.in6ifa_ifpwithaddr(ifp, old)
        if ia is not None and not ia.ia6_flags & IN6_IFF_AUTOCONF:
            mip6_haddr.mip6_remove_addr(kern, ia)
    mpfx.mpfx_haddr = haddr
    mpfx.mpfx_haddr_manual = mpfx.mpfx_refused = False
    mip6log(kern, LOG_INFO, f"home address is changed from {ntop(old)} to {ntop(haddr)}")
    return True


def mip6_haddr_use(kern: Kernel, sc: HifSoftc) -> None:
    """New home addresses go where the home interface is, and are registered from abroad."""
    if mip6_state(kern).config.mcfg_type != MIP6_CONFIG_TYPE_MN:
        return
    mip6_move.mip6_check_movement(kern)
    if sc.hif_location == HIF_LOCATION_HOME:
        mip6_haddr.mip6_attach_haddrs(kern, sc)
    elif sc.hif_location == HIF_LOCATION_FOREIGN:
        mip6_haddr.mip6_add_haddrs(kern, sc)
    mip6_home.mip6_home_registration(kern, sc)
