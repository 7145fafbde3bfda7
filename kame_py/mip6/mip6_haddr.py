# SPDX-License-Identifier: BSD-3-Clause
"""Home addresses move between the home interface and the physical ones.

KAME mip6.c (mip6_haddr_config, mip6_add_haddrs, mip6_remove_haddrs). Deviates: they move when the
location changes, not at every check, so an address made at home stays; at home every home address
is on the physical interface even where autoconfiguration makes another one. What the user chooses
is in mip6_haddr_set.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kame_py.kern.log import LOG_ERR
from kame_py.mip6 import mip6_coa, mip6_prefix, mip6_subnet
from kame_py.mip6.mip6_var import HifSoftc, Mip6Prefix, mip6_state, mip6log
from kame_py.net.if_ import IFF_RUNNING, IFF_UP, IFT_HIF, Ifnet
from kame_py.net.route import RTF_HOST, RTF_LOCAL, RTM_ADD, LinkAddr, rtrequest
from kame_py.netinet6 import in6
from kame_py.netinet6.in6_var import IN6_IFF_HOME, In6Ifaddr
from kame_py.wire.errno import KError
from kame_py.wire.in6addr import IN6_IS_ADDR_LINKLOCAL, IN6ADDR_ANY, ntop, prefix_equal

if TYPE_CHECKING:
    from kame_py.kern.kernel import Kernel


def mip6_add_haddrs(kern: Kernel, sc: HifSoftc) -> None:
    """Every home address to the home interface, alone (/128), deprecated when its prefix is."""
    ifp = sc.hif_if
    for _, mpfx in mip6_subnet.hif_home_prefixes(sc):
        mip6_prefix.mip6_prefix_haddr_assign(kern, mpfx, sc)
        haddr = mpfx.mpfx_haddr
        if haddr == IN6ADDR_ANY or not mpfx.mpfx_vltime:
            continue
        ifp.if_flags |= IFF_UP | IFF_RUNNING
        ia = in6.in6ifa_ifpwithaddr(ifp, haddr)
        if ia is None or not ia.ia6_flags & IN6_IFF_HOME:
            in6.in6_update_ifa(kern, ifp, haddr, 128, IN6_IFF_HOME)
            mip6_prefix.mip6_prefix_haddr_times(kern, mpfx)


def mip6_remove_haddrs(kern: Kernel, sc: HifSoftc) -> None:
    """All but link-local addresses leave the home interface."""
    for ia in list(sc.hif_if.in6_addrs):
        if not IN6_IS_ADDR_LINKLOCAL(ia.ia_addr):
            mip6_remove_addr(kern, ia)


def mip6_remove_addr(kern: Kernel, ia: In6Ifaddr) -> None:
    """Take an address away; the same one on another interface gets the route to itself."""
    in6.in6_purgeaddr(kern, ia)
    twin = kern.ip6.ifaddrs.get(ia.ia_addr)
    if twin is not None and kern.rt.exact(ia.ia_addr, 128) is None:
        ifp = twin.ia_ifp
        own = LinkAddr(ifp.if_index, ifp.if_hwaddr)
        flags = RTF_HOST | RTF_LOCAL
        rtrequest(kern, RTM_ADD, ia.ia_addr, 128, own, flags, kern.ifnets[0], twin)


def mip6_detach_haddrs(kern: Kernel, sc: HifSoftc) -> None:
    """Addresses below home prefixes leave every physical interface: this is another link."""
    homes = [mpfx for _, mpfx in mip6_subnet.hif_home_prefixes(sc)]
    for ifp in kern.ifnets:
        if ifp.if_type == IFT_HIF:
            continue
        for ia in list(ifp.in6_addrs):
            if any(prefix_equal(ia.ia_addr, p.mpfx_prefix, p.mpfx_prefixlen) for p in homes):
                mip6_remove_addr(kern, ia)


def mip6_attach_haddrs(kern: Kernel, sc: HifSoftc) -> None:
    """At home every home address is on the interface of the home link."""
    for _, mpfx in mip6_subnet.hif_home_prefixes(sc):
        chosen = mip6_haddr_chosen(sc, mpfx)
        if chosen:
            mip6_prefix.mip6_prefix_haddr_assign(kern, mpfx, sc)
        haddr = mpfx.mpfx_haddr
        if haddr == IN6ADDR_ANY or not mpfx.mpfx_vltime or kern.ip6.ifaddrs.get(haddr) is not None:
            continue
        ifp = _home_ifp(kern, mpfx, chosen)
        if ifp is None:
            continue
        try:
            in6.in6_update_ifa(kern, ifp, haddr, mpfx.mpfx_prefixlen)
        except KError as error:
            mip6log(kern, LOG_ERR, f"{ntop(haddr)} cannot be configured: {error}")


def _home_ifp(kern: Kernel, mpfx: Mip6Prefix, chosen: bool) -> Ifnet | None:
    """Where the home address goes; None: another link's, or autoconfiguration brings it."""
    coa = kern.ip6.ifaddrs.get(mip6_state(kern).hif_coa)
    if coa is not None and mip6_prefix.mip6_prefix_covers(mpfx, coa.ia_addr):
        return coa.ia_ifp
    pr = mip6_coa.mip6_link_here(kern, mpfx.mpfx_haddr)
    if pr is None:
        return None
    by_itself = pr.ndpr_raf_auto and pr.ndpr_plen == mip6_prefix.HADDR_PLEN
    return pr.ndpr_ifp if chosen or not by_itself else None


def mip6_haddr_chosen(sc: HifSoftc, mpfx: Mip6Prefix) -> bool:
    """Whether the user chose this home address or its identifier."""
    return mpfx.mpfx_haddr_manual or sc.hif_ifid != IN6ADDR_ANY


def mip6_haddr_ifp(kern: Kernel, haddr: bytes) -> Ifnet | None:
    """The physical interface that has the home address."""
    for ifp in kern.ifnets:
        if ifp.if_type != IFT_HIF and in6.in6ifa_ifpwithaddr(ifp, haddr) is not None:
            return ifp
    return None
