# SPDX-License-Identifier: BSD-3-Clause
"""The prefix list and what is on the link (the prefix half of KAME nd6_rtr.c).

Deviates: the check of what is on the link never runs inside itself, it runs once more instead; the
number of prefixes of an interface is bounded. RFC 2461 s.6.3.4, RFC 2462 s.5.5.3.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kame_py.kern.clock import NS, tick_ceil
from kame_py.net.route import RTF_CLONING, RTM_ADD, RTM_DELETE, LinkAddr, rtrequest
from kame_py.netinet6 import in6, nd6
from kame_py.netinet6.in6_var import IN6_IFF_AUTOCONF, IN6_IFF_DETACHED, In6Ifaddr
from kame_py.netinet6.nd6_var import (
    NDPRF_DETACHED,
    NDPRF_ONLINK,
    PR_ORIG_KERNEL,
    PR_ORIG_STATIC,
    NdDefrouter,
    NdPrefix,
)
from kame_py.wire.in6addr import IN6_IS_ADDR_LINKLOCAL, masked
from kame_py.wire.snap import INFINITE

if TYPE_CHECKING:
    from kame_py.kern.kernel import Kernel
    from kame_py.net.if_ import Ifnet

CHECK_ROUNDS: Final = 8  # a hook that always changes something must not hold the kernel


def nd6_prefix_lookup(kern: Kernel, ifp: Ifnet, prefix: bytes, plen: int) -> NdPrefix | None:
    """The entry of this prefix on this interface."""
    key = masked(prefix, plen)
    for pr in kern.nd6.prefixes:
        if pr.ndpr_ifp is ifp and pr.ndpr_plen == plen and pr.ndpr_prefix == key:
            return pr
    return None


def in6_init_prefix_ltimes(kern: Kernel, pr: NdPrefix, vltime: int, pltime: int) -> None:
    """Lifetimes in seconds from now; the entry goes at the sweep after its end."""
    now = kern.now()
    pr.ndpr_vltime, pr.ndpr_pltime = vltime, pltime
    pr.ndpr_expire = 0 if vltime == INFINITE else now + vltime * NS
    pr.ndpr_preferred = 0 if pltime == INFINITE else now + pltime * NS
    if pr.ndpr_timer is not None:
        pr.ndpr_timer.stop()
        pr.ndpr_timer = None
    if pr.ndpr_expire:
        deadline = tick_ceil(pr.ndpr_expire, kern.nd6.nd6_prune * NS)
        pr.ndpr_timer = kern.callouts.at(deadline, prelist_remove, kern, pr)


def nd6_prelist_add(kern: Kernel, pr: NdPrefix, dr: NdDefrouter | None) -> NdPrefix:
    """Put a new prefix on the list and, if it says so, on the link."""
    pr.ndpr_prefix = masked(pr.ndpr_prefix, pr.ndpr_plen)
    in6_init_prefix_ltimes(kern, pr, pr.ndpr_vltime, pr.ndpr_pltime)
    kern.nd6.prefixes.append(pr)
    if pr.ndpr_raf_onlink:
        nd6_prefix_onlink(kern, pr)
    if dr is not None:
        pfxrtr_add(kern, pr, dr)
    return pr


def prelist_remove(kern: Kernel, pr: NdPrefix) -> None:
    """Take a prefix off the link, and off the list unless addresses still use it."""
    nd6 = kern.nd6
    if pr not in nd6.prefixes:
        return
    pr.ndpr_vltime = pr.ndpr_pltime = 0
    if pr.ndpr_timer is not None:
        pr.ndpr_timer.stop()
        pr.ndpr_timer = None
    nd6_prefix_offlink(kern, pr)
    if pr.ndpr_refcnt > 0:
        return
    nd6.prefixes.remove(pr)
    pr.ndpr_advrtrs.clear()
    pfxlist_onlink_check(kern)


def purge_prefix(kern: Kernel, pr: NdPrefix) -> None:
    """Remove a prefix with the addresses that autoconfiguration made of it (ndp -P)."""
    for ia in list(pr.ndpr_ifp.in6_addrs):
        if ia.ia6_ndpr is pr and ia.ia6_flags & IN6_IFF_AUTOCONF:
            in6.in6_purgeaddr(kern, ia)
    prelist_remove(kern, pr)


def pfxrtr_add(kern: Kernel, pr: NdPrefix, dr: NdDefrouter) -> None:
    """``dr`` advertises ``pr``."""
    if dr not in pr.ndpr_advrtrs:
        pr.ndpr_advrtrs.append(dr)
        pfxlist_onlink_check(kern)


# -- prefixes of addresses ------------------------------------------------------------------------


def prefix_of_address(kern: Kernel, ia: In6Ifaddr) -> None:
    """Relate an address to its prefix, which a manual address brings along itself."""
    ifp = ia.ia_ifp
    if ia.ia6_ndpr is not None:
        return
    pr = nd6_prefix_lookup(kern, ifp, ia.ia_addr, ia.ia_plen)
    if pr is None:
        lt = ia.ia6_lifetime
        origin = PR_ORIG_KERNEL if IN6_IS_ADDR_LINKLOCAL(ia.ia_addr) else PR_ORIG_STATIC
        new = NdPrefix(ifp, ia.ia_addr, ia.ia_plen, lt.ia6t_vltime, lt.ia6t_pltime, ia.ia_addr)
        new.ndpr_raf_onlink = True
        new.ndpr_raf_auto = bool(ia.ia6_flags & IN6_IFF_AUTOCONF)
        new.ndpr_origin = origin
        pr = nd6_prelist_add(kern, new, None)
    ia.ia6_ndpr = pr
    pr.ndpr_refcnt += 1


def prefix_release(kern: Kernel, ia: In6Ifaddr) -> None:
    """The address no longer uses its prefix; the last one takes the prefix along."""
    pr = ia.ia6_ndpr
    if pr is None:
        return
    ia.ia6_ndpr = None
    pr.ndpr_refcnt -= 1
    if pr.ndpr_refcnt == 0:
        prelist_remove(kern, pr)


# -- on the link or not ---------------------------------------------------------------------------


def nd6_prefix_onlink(kern: Kernel, pr: NdPrefix) -> None:
    """Install the interface route of a prefix, unless another interface has the same one."""
    if pr.ndpr_stateflags & NDPRF_ONLINK:
        return
    ifp = pr.ndpr_ifp
    ia = in6.in6ifa_ifpforlinklocal(ifp) or next(iter(ifp.in6_addrs), None)
    if ia is None:
        return
    there = kern.rt.exact(pr.ndpr_prefix, pr.ndpr_plen)
    if there is not None:
        if there.rt_ifp is ifp:
            pr.ndpr_stateflags |= NDPRF_ONLINK
        return
    gateway = LinkAddr(ifp.if_index)
    pr.ndpr_stateflags |= NDPRF_ONLINK
    rtrequest(kern, RTM_ADD, pr.ndpr_prefix, pr.ndpr_plen, gateway, RTF_CLONING, ifp, ia)


def nd6_prefix_offlink(kern: Kernel, pr: NdPrefix) -> None:
    """Remove the interface route; another interface with the same prefix takes over."""
    if not pr.ndpr_stateflags & NDPRF_ONLINK:
        return
    pr.ndpr_stateflags &= ~NDPRF_ONLINK
    rt = kern.rt.exact(pr.ndpr_prefix, pr.ndpr_plen)
    if rt is not None and rt.rt_ifp is pr.ndpr_ifp and isinstance(rt.rt_gateway, LinkAddr):
        rtrequest(kern, RTM_DELETE, rt.rt_key, rt.rt_plen)
    for other in kern.nd6.prefixes:
        same = other.ndpr_plen == pr.ndpr_plen and other.ndpr_prefix == pr.ndpr_prefix
        if same and other is not pr and other.ndpr_raf_onlink:
            if not other.ndpr_stateflags & NDPRF_DETACHED:
                nd6_prefix_onlink(kern, other)


def find_pfxlist_reachable_router(kern: Kernel, pr: NdPrefix) -> NdDefrouter | None:
    """A router that advertises the prefix and is probably reachable."""
    for dr in pr.ndpr_advrtrs:
        if nd6.nd6_is_probreach(kern, dr.rtaddr, dr.ifp):
            return dr
    return None


def pfxlist_onlink_check(kern: Kernel) -> None:
    """Detach prefixes and addresses that no reachable router advertises (KAME).

    As long as nothing is known to be better, everything stays attached. Tells mobility at the end.
    """
    st = kern.nd6
    if st.onlink_check:
        st.onlink_check = 2
        return
    for _ in range(CHECK_ROUNDS):
        st.onlink_check = 1
        _check_prefixes(kern)
        _check_addresses(kern)
        kern.mip6.pfxlist_changed(kern)
        if st.onlink_check == 1:
            break
    st.onlink_check = 0


def _check_prefixes(kern: Kernel) -> None:
    st = kern.nd6
    mine = [
        pr for pr in st.prefixes if pr.ndpr_raf_onlink and not IN6_IS_ADDR_LINKLOCAL(pr.ndpr_prefix)
    ]
    reachable = {pr for pr in mine if find_pfxlist_reachable_router(kern, pr) is not None}
    advertising = any(dr in pr.ndpr_advrtrs for pr in st.prefixes for dr in st.defrouters)
    choose = bool(reachable) or (bool(st.defrouters) and not advertising)
    for pr in mine:
        if choose and pr not in reachable:
            pr.ndpr_stateflags |= NDPRF_DETACHED
        else:
            pr.ndpr_stateflags &= ~NDPRF_DETACHED
    for pr in mine:
        if pr.ndpr_stateflags & NDPRF_DETACHED:
            nd6_prefix_offlink(kern, pr)
    for pr in mine:
        if not pr.ndpr_stateflags & NDPRF_DETACHED and pr.ndpr_vltime:
            nd6_prefix_onlink(kern, pr)


def _check_addresses(kern: Kernel) -> None:
    found: list[tuple[In6Ifaddr, bool]] = []
    for ifp in kern.ifnets:
        for ia in ifp.in6_addrs:
            if ia.ia6_flags & IN6_IFF_AUTOCONF and ia.ia6_ndpr is not None:
                good = find_pfxlist_reachable_router(kern, ia.ia6_ndpr) is not None
                found.append((ia, good))
    choose = any(good for _, good in found)
    for ia, good in found:
        detached = IN6_IFF_DETACHED if choose and not good else 0
        in6.in6_setflags(kern, ia, ia.ia6_flags & ~IN6_IFF_DETACHED | detached)
