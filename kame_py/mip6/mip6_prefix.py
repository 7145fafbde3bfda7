# SPDX-License-Identifier: BSD-3-Clause
"""Prefixes of home and foreign links, and the home address below a home prefix.

KAME mip6_prefix.c. Deviates: lifetimes end; an unauthenticated advertisement does not shorten one
below two hours; a prefix that was configured stays known when its lifetime is over. Read first:
draft-ietf-mobileip-ipv6-15 s.10.16, s.10.17.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kame_py.kern.clock import NS
from kame_py.kern.log import LOG_NOTICE
from kame_py.mip6 import mip6_home, mip6_subnet
from kame_py.mip6.mip6_var import HifSoftc, Mip6Prefix, Mip6State, mip6_state, mip6log
from kame_py.netinet6 import in6, in6_ifattach
from kame_py.netinet6.in6_var import IN6_IFF_HOME
from kame_py.wire.in6addr import IN6ADDR_ANY, combine, masked, ntop, prefix_equal
from kame_py.wire.snap import INFINITE

if TYPE_CHECKING:
    from kame_py.kern.kernel import Kernel

HADDR_PLEN: Final = 64  # what get_ifid's identifier leaves for the prefix
TWOHOUR_S: Final = 7_200  # RFC 2462 s.5.5.3 (e)


def mip6_prefix_list_find(state: Mip6State, prefix: bytes, plen: int) -> Mip6Prefix | None:
    """The entry of this prefix and length; host bits do not count."""
    for mpfx in state.mip6_prefix_list:
        if mpfx.mpfx_prefixlen == plen and prefix_equal(mpfx.mpfx_prefix, prefix, plen):
            return mpfx
    return None


def mip6_prefix_list_find_withhaddr(state: Mip6State, haddr: bytes) -> Mip6Prefix | None:
    """The home prefix whose home address this is."""
    for mpfx in state.mip6_prefix_list:
        if mpfx.mpfx_haddr == haddr != IN6ADDR_ANY:
            return mpfx
    return None


def mip6_prefix_covers(mpfx: Mip6Prefix, addr: bytes) -> bool:
    """Whether an address has the prefix."""
    return prefix_equal(mpfx.mpfx_prefix, addr, mpfx.mpfx_prefixlen)


def mip6_prefix_create(
    kern: Kernel, prefix: bytes, plen: int, vltime: int, pltime: int, manual: bool = False
) -> Mip6Prefix:
    """A new entry on the list. ``manual``: configured, its lifetimes do not count down."""
    mpfx = Mip6Prefix(masked(prefix, plen), plen, vltime, 0, pltime, 0, mpfx_manual=manual)
    mip6_state(kern).mip6_prefix_list.insert(0, mpfx)
    if not manual:
        mip6_prefix_settimes(kern, mpfx, vltime, pltime)
    return mpfx


def mip6_prefix_settimes(kern: Kernel, mpfx: Mip6Prefix, vltime: int, pltime: int) -> None:
    """Lifetimes from now on; an end of 0 never comes."""
    now = kern.now()
    mpfx.mpfx_vltime, mpfx.mpfx_pltime = vltime, pltime
    mpfx.mpfx_vlexpire = 0 if vltime == INFINITE else now + vltime * NS
    mpfx.mpfx_plexpire = 0 if pltime == INFINITE else now + pltime * NS
    mip6_prefix_stop(mpfx)
    if mpfx.mpfx_vlexpire:
        mpfx.mpfx_timer = kern.callouts.at(mpfx.mpfx_vlexpire, mip6_prefix_timeout, kern, mpfx)
    mip6_prefix_haddr_times(kern, mpfx)


def mip6_prefix_haddr_times(kern: Kernel, mpfx: Mip6Prefix) -> None:
    """Abroad the home address is deprecated when its prefix is; it goes by mip6_prefix_timeout."""
    ia = kern.ip6.ifaddrs.get(mpfx.mpfx_haddr)
    if ia is not None and ia.ia6_flags & IN6_IFF_HOME:
        end = mpfx.mpfx_plexpire
        in6.in6_init_address_ltimes(kern, ia, INFINITE, _left(kern, end, 0) if end else INFINITE)


def mip6_prefix_advertised(kern: Kernel, mpfx: Mip6Prefix, vltime: int, pltime: int) -> None:
    """A router advertisement tells lifetimes; nobody shortens one below two hours by that."""
    left = INFINITE if not mpfx.mpfx_vlexpire else (mpfx.mpfx_vlexpire - kern.now()) // NS
    if vltime < TWOHOUR_S and vltime < left:
        vltime = min(left, TWOHOUR_S)
    mip6_prefix_settimes(kern, mpfx, vltime, min(pltime, vltime))


def mip6_prefix_stop(mpfx: Mip6Prefix) -> None:
    """No end is waited for."""
    if mpfx.mpfx_timer is not None:
        mpfx.mpfx_timer.stop()
        mpfx.mpfx_timer = None


def mip6_prefix_timeout(kern: Kernel, mpfx: Mip6Prefix) -> None:
    """The valid lifetime is over: its home address is none any more."""
    mip6log(kern, LOG_NOTICE, f"expired prefix ({ntop(mpfx.mpfx_prefix)}).")
    mip6_prefix_stop(mpfx)
    mpfx.mpfx_vltime = mpfx.mpfx_pltime = 0
    mip6_home.mip6_haddr_forget(kern, mpfx.mpfx_haddr)
    if not mpfx.mpfx_manual:
        mip6_prefix_list_remove(kern, mpfx)


def mip6_prefix_list_remove(kern: Kernel, mpfx: Mip6Prefix) -> None:
    """Off the list and out of every subnet."""
    state = mip6_state(kern)
    mip6_prefix_stop(mpfx)
    if mpfx in state.mip6_prefix_list:
        state.mip6_prefix_list.remove(mpfx)
    for ms in list(state.mip6_subnet_list):
        if mpfx in ms.ms_mspfx_list:
            ms.ms_mspfx_list.remove(mpfx)
            mip6_subnet.mip6_subnet_delete_if_empty(state, ms)


def mip6_prefix_lifetime(kern: Kernel, mpfx: Mip6Prefix) -> int:
    """Seconds that a binding of its home address may live: preferred, or what is left valid."""
    if not mpfx.mpfx_vltime:
        return 0
    preferred = _left(kern, mpfx.mpfx_plexpire, mpfx.mpfx_pltime)
    return preferred or _left(kern, mpfx.mpfx_vlexpire, mpfx.mpfx_vltime)


def _left(kern: Kernel, expire: int, told: int) -> int:
    return told if not expire else max(0, expire - kern.now()) // NS


def mip6_prefix_haddr_assign(kern: Kernel, mpfx: Mip6Prefix, sc: HifSoftc) -> None:
    """Its home address: one that the user gave the home interface, else prefix and identifier."""
    if mpfx.mpfx_haddr != IN6ADDR_ANY or mpfx.mpfx_refused:
        return
    for ia in sc.hif_if.in6_addrs:
        if mip6_prefix_covers(mpfx, ia.ia_addr):
            mpfx.mpfx_haddr, mpfx.mpfx_haddr_manual = ia.ia_addr, True
            return
    mpfx.mpfx_haddr = mip6_prefix_haddr_formed(kern, mpfx, sc)


def mip6_prefix_haddr_formed(kern: Kernel, mpfx: Mip6Prefix, sc: HifSoftc) -> bytes:
    """Prefix and identifier, the chosen one or get_ifid()'s; :: where it does not fit."""
    plen, ifid = mpfx.mpfx_prefixlen, sc.hif_ifid
    if ifid == IN6ADDR_ANY:
        ifid = IN6ADDR_ANY[: HADDR_PLEN >> 3] + in6_ifattach.get_ifid(kern, sc.hif_if)
        return combine(mpfx.mpfx_prefix, plen, ifid) if plen <= HADDR_PLEN else IN6ADDR_ANY
    fits = masked(ifid, plen) == IN6ADDR_ANY
    return combine(mpfx.mpfx_prefix, plen, ifid) if fits else IN6ADDR_ANY
