# SPDX-License-Identifier: BSD-3-Clause
"""Neighbour discovery: entries and their routes, sending to a neighbour (KAME nd6.c).

Deviates: exact timers; the number of entries is bounded (RFC 6583). State and constants are in
nd6_var.py, the states of an entry in nd6_llinfo.py. RFC 2461 s.5, s.7.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kame_py.kern.drop import D, drop
from kame_py.kern.log import LOG_WARNING
from kame_py.kern.mbuf import Mbuf
from kame_py.net.if_ import IFF_LOOPBACK, IFF_POINTOPOINT, IFT_ETHER, Ifnet
from kame_py.net.route import (
    RTF_ANNOUNCE,
    RTF_CLONING,
    RTF_GATEWAY,
    RTF_HOST,
    RTF_LLINFO,
    RTF_LOCAL,
    RTF_STATIC,
    RTF_WASCLONED,
    RTM_ADD,
    RTM_CHANGE,
    RTM_DELETE,
    RTM_RESOLVE,
    LinkAddr,
    Rtentry,
    rt_clone,
    rtrequest,
)
from kame_py.netinet6 import in6, nd6_ioctl, nd6_llinfo, nd6_rtr
from kame_py.netinet6.nd6_state import Ev
from kame_py.netinet6.nd6_var import (
    ND6_IFF_ACCEPT_RTADV,
    ND6_IFF_PERFORMNUD,
    ND6_IFF_PREFER_SOURCE,
    ND6_LLINFO_DELAY,
    ND6_LLINFO_INCOMPLETE,
    ND6_LLINFO_NOSTATE,
    ND6_LLINFO_PROBE,
    ND6_LLINFO_REACHABLE,
    ND6_LLINFO_STALE,
    ND6_LLINFO_WAITDELETE,
    ND_REDIRECT_ROUTER,
    NDPRF_DETACHED,
    NDPRF_HOME,
    NDPRF_ONLINK,
    LlinfoNd6,
    Nd6State,
    NdDefrouter,
    NdIfinfo,
    NdPrefix,
)
from kame_py.netinet6.scope6 import in6_addrzone
from kame_py.wire.const import (
    ETHER_ADDR_LEN,
    IPV6_DEFHLIM,
    IPV6_MMTU,
    ND_REDIRECT,
    ND_ROUTER_ADVERT,
    ND_ROUTER_SOLICIT,
)
from kame_py.wire.in6addr import (
    IN6_IS_ADDR_LINKLOCAL,
    IN6_IS_ADDR_MULTICAST,
    ether_multicast,
    prefix_equal,
)

if TYPE_CHECKING:
    from kame_py.kern.kernel import Kernel

__all__ = [
    "ND6_IFF_ACCEPT_RTADV",
    "ND6_IFF_PERFORMNUD",
    "ND6_IFF_PREFER_SOURCE",
    "ND6_LLINFO_DELAY",
    "ND6_LLINFO_INCOMPLETE",
    "ND6_LLINFO_NOSTATE",
    "ND6_LLINFO_PROBE",
    "ND6_LLINFO_REACHABLE",
    "ND6_LLINFO_STALE",
    "ND6_LLINFO_WAITDELETE",
    "NDPRF_DETACHED",
    "NDPRF_HOME",
    "NDPRF_ONLINK",
    "LlinfoNd6",
    "Nd6State",
    "NdDefrouter",
    "NdIfinfo",
    "NdPrefix",
    "nd6_cache_lladdr",
    "nd6_free",
    "nd6_ifattach",
    "nd6_init",
    "nd6_is_addr_neighbor",
    "nd6_is_probreach",
    "nd6_lookup",
    "nd6_lookup_llinfo",
    "nd6_need_cache",
    "nd6_nud_hint",
    "nd6_output",
    "nd6_probe",
    "nd6_purge_llinfo",
    "nd6_rtrequest",
    "nd6_setmtu",
]

GROUP_BIT: Final = 0x01  # IEEE 802.3: set in the first octet of group addresses


def nd6_init(kern: Kernel) -> None:
    """Create kern.nd6; register sysctls and ioctls; watch the routing table."""
    kern.nd6 = Nd6State()
    kern.rt.on_request.append(nd6_rtrequest)
    nd6_ioctl.nd6_register(kern)


def nd6_ifattach(kern: Kernel, ifp: Ifnet) -> None:
    """Give the interface its ND parameters."""
    ifp.ndi = NdIfinfo(linkmtu=ifp.if_mtu, maxmtu=ifp.if_mtu, chlim=IPV6_DEFHLIM)


def nd6_setmtu(kern: Kernel, ifp: Ifnet) -> None:
    """The MTU of the interface changed: what a router said no longer counts."""
    if ifp.if_mtu < IPV6_MMTU:
        kern.log.log(
            LOG_WARNING, f"nd6_setmtu: new link MTU on {ifp.if_name} ({ifp.if_mtu}) is too small"
        )
    ifp.ndi.maxmtu = ifp.if_mtu
    ifp.ndi.linkmtu = ifp.if_mtu


def nd6_need_cache(ifp: Ifnet) -> bool:
    """Whether neighbours on this interface have link-layer addresses."""
    return ifp.if_type == IFT_ETHER and len(ifp.if_hwaddr) == ETHER_ADDR_LEN


# -- entries and routes -------------------------------------------------------------------------


def nd6_lookup(kern: Kernel, addr: bytes, create: bool, ifp: Ifnet | None) -> Rtentry | None:
    """The neighbour's host route; made when ``create``, which needs ``ifp``.

    None also when the cache is full of unresolved entries.
    """
    rt = kern.rt.exact(addr, 128) if create else kern.rt.look_exact(addr)
    if rt is not None:
        usable = rt.rt_llinfo is not None and (ifp is None or rt.rt_ifp is ifp)
        return rt if usable else None
    if not create or ifp is None or not _room(kern):
        return None
    parent = kern.rt.lookup(addr)
    if parent is not None and parent.rt_ifp is ifp and _is_interface_route(parent):
        rt = rt_clone(kern, parent, addr)
    else:
        flags = RTF_HOST | RTF_LLINFO | RTF_WASCLONED
        rt = rtrequest(kern, RTM_ADD, addr, 128, LinkAddr(ifp.if_index), flags, ifp)
    return rt if rt.rt_llinfo is not None else None


def _is_interface_route(rt: Rtentry) -> bool:
    return bool(rt.rt_flags & RTF_CLONING) and isinstance(rt.rt_gateway, LinkAddr)


def _room(kern: Kernel, new: LlinfoNd6 | None = None) -> bool:
    """Whether one more entry may be made, or ``new`` stay; an old one makes place (RFC 6583 s.7.1).

    Permanent ones do not count: a home agent has one for each mobile node that is away.
    """
    nd6 = kern.nd6
    if nd6.incomplete >= nd6.neighborgcthresh:
        return False
    if len(nd6.learned) - (new is not None) < 2 * nd6.neighborgcthresh:
        return True
    fresh = next((ln for ln in nd6.fresh if ln is not new), None)
    victim = fresh or _oldest(nd6.stale) or _oldest(nd6.learned)
    if victim is None:
        return False
    nd6_free(kern, victim)
    return True


def _oldest(entries: dict[LlinfoNd6, None]) -> LlinfoNd6 | None:
    """The oldest learned entry that is resolved and no router's; reachable ones last."""
    second = None
    for ln in entries:
        if ln.ln_router or ln.ln_state <= ND6_LLINFO_INCOMPLETE:
            continue
        if ln.ln_state != ND6_LLINFO_REACHABLE:
            return ln
        second = second or ln
    return second


def nd6_lookup_llinfo(kern: Kernel, addr: bytes, ifp: Ifnet | None) -> LlinfoNd6 | None:
    """The entry of a neighbour if there is one."""
    rt = nd6_lookup(kern, addr, False, ifp)
    return rt.rt_llinfo if rt is not None else None


def nd6_is_probreach(kern: Kernel, addr: bytes, ifp: Ifnet) -> bool:
    """Whether the neighbour is probably reachable (ND6_IS_LLINFO_PROBREACH)."""
    ln = nd6_lookup_llinfo(kern, addr, ifp)
    return ln is not None and ln.ln_state > ND6_LLINFO_INCOMPLETE


def nd6_rtrequest(kern: Kernel, cmd: int, rt: Rtentry) -> None:
    """A route came, changed or went: make, adjust or remove its neighbour entry."""
    if rt.rt_flags & RTF_GATEWAY or not isinstance(rt.rt_gateway, LinkAddr):
        return
    if cmd == RTM_DELETE:
        _llinfo_delete(kern, rt)
    elif cmd in (RTM_ADD, RTM_RESOLVE) and rt.rt_llinfo is None:
        if rt.rt_flags & RTF_HOST and not rt.rt_flags & RTF_CLONING:
            _llinfo_add(kern, rt)
    elif cmd == RTM_CHANGE and rt.rt_llinfo is not None:
        _llinfo_change(kern, rt.rt_llinfo)


def _llinfo_add(kern: Kernel, rt: Rtentry) -> None:
    ifp = rt.rt_ifp
    local = bool(rt.rt_flags & RTF_LOCAL) or bool(ifp.if_flags & IFF_LOOPBACK)
    if not local and not nd6_need_cache(ifp):
        return
    ln, nd6 = LlinfoNd6(rt), kern.nd6
    nd6.llinfo[ln] = None
    nd6.learned[ln] = None
    nd6.fresh[ln] = None
    rt.rt_llinfo = ln
    rt.rt_flags |= RTF_LLINFO
    gateway = rt.rt_gateway
    if IN6_IS_ADDR_MULTICAST(rt.rt_key) and not local:
        rt.rt_gateway = LinkAddr(ifp.if_index, ether_multicast(rt.rt_key))
        _set_permanent(kern, ln, True)
    elif local:
        _set_permanent(kern, ln, True)
    elif isinstance(gateway, LinkAddr) and gateway.sdl_data:
        _set_permanent(kern, ln, rt.rt_rmx.rmx_expire == 0)
    else:
        if len(nd6.fresh) > nd6.neighborgcthresh:
            nd6_free(kern, next(iter(nd6.fresh)))
        return
    nd6_llinfo.nd6_llinfo_setstate(kern, ln, ND6_LLINFO_REACHABLE)
    if not ln.ln_permanent:
        nd6_llinfo.nd6_llinfo_settimer(kern, ln, rt.rt_rmx.rmx_expire)
    if rt.rt_flags & RTF_ANNOUNCE and not local:
        in6.in6_addmulti(kern, ifp, in6.in6_solicited(ifp, rt.rt_key))


def nd6_proxy_llinfo(kern: Kernel, rt: Rtentry, keep: bool) -> None:
    """The entry of a proxy's route whose group was joined before there was a route.

    Without ``keep`` the route is one to look at, and so is its entry.
    """
    rt.rt_llinfo = ln = LlinfoNd6(rt, ND6_LLINFO_REACHABLE, ln_permanent=True)
    rt.rt_flags |= RTF_LLINFO
    if keep:
        kern.nd6.llinfo[ln] = None


def _set_permanent(kern: Kernel, ln: LlinfoNd6, permanent: bool) -> None:
    """Whether the entry stays until somebody deletes it; then it is none of the learned ones."""
    ln.ln_permanent = permanent
    if permanent:
        kern.nd6.learned.pop(ln, None)
    else:
        kern.nd6.learned[ln] = None


def _llinfo_change(kern: Kernel, ln: LlinfoNd6) -> None:
    """The user set a link-layer address or an expiry on the route of an entry."""
    rt = ln.ln_rt
    if not rt.rt_flags & RTF_STATIC or not ln.lladdr:
        return
    if ln.ln_state > ND6_LLINFO_INCOMPLETE and not (ln.ln_permanent and rt.rt_rmx.rmx_expire):
        return  # what discovery found out stands; only a permanent entry may be given an end
    _set_permanent(kern, ln, rt.rt_rmx.rmx_expire == 0)
    nd6_llinfo.nd6_llinfo_setstate(kern, ln, ND6_LLINFO_REACHABLE)
    if not ln.ln_permanent:
        nd6_llinfo.nd6_llinfo_settimer(kern, ln, rt.rt_rmx.rmx_expire)


def _llinfo_delete(kern: Kernel, rt: Rtentry) -> None:
    ln = rt.rt_llinfo
    if ln is None:
        return
    if rt.rt_flags & RTF_ANNOUNCE and not rt.rt_flags & RTF_LOCAL:
        in6.in6_delmulti(kern, rt.rt_ifp, in6.in6_solicited(rt.rt_ifp, rt.rt_key))
    nd6_llinfo.nd6_llinfo_setstate(kern, ln, ND6_LLINFO_WAITDELETE)
    kern.nd6.llinfo.pop(ln, None)
    kern.nd6.learned.pop(ln, None)
    if ln.ln_timer is not None:
        ln.ln_timer.stop()
    rt.rt_llinfo = None
    rt.rt_flags &= ~RTF_LLINFO
    m, ln.ln_hold = ln.ln_hold, None
    if m is not None:
        drop(kern, m, D.ND6_FLUSHED)


def nd6_free(kern: Kernel, ln: LlinfoNd6) -> None:
    """Remove the entry; a router that goes makes the host look for another (KAME nd6_free)."""
    rt = ln.ln_rt
    if ln not in kern.nd6.llinfo:
        return
    nd6_llinfo.nd6_llinfo_setstate(kern, ln, ND6_LLINFO_WAITDELETE)
    if kern.rt.exact(rt.rt_key, rt.rt_plen) is rt:
        rtrequest(kern, RTM_DELETE, rt.rt_key, rt.rt_plen)
    nd6_rtr.router_unreachable(kern, rt.rt_key, rt.rt_ifp, ln.ln_router)


def nd6_purge_llinfo(kern: Kernel, ifp: Ifnet) -> None:
    """Forget the neighbours on an interface that goes down; what waits is dropped."""
    for ln in list(kern.nd6.learned):
        rt = ln.ln_rt
        if rt.rt_ifp is ifp and ln in kern.nd6.learned:
            rtrequest(kern, RTM_DELETE, rt.rt_key, rt.rt_plen)


# -- sending ------------------------------------------------------------------------------------


def nd6_output(kern: Kernel, ifp: Ifnet, m: Mbuf, dst: bytes, rt: Rtentry | None) -> None:
    """Send ``m`` to the next hop ``dst`` on ``ifp``: resolve it, hold the packet meanwhile.

    Takes ownership of m. ``rt`` is the route that led here or None; of a route by a gateway, the
    gateway is the next hop. Ends in ifp.if_output with the neighbour's own route.
    """
    if ifp.if_type != IFT_ETHER or dst >= b"\xff" or not nd6_need_cache(ifp):
        output = ifp.if_output
        output(kern, ifp, m, dst, rt)
        return
    if rt is not None and rt.rt_flags & RTF_GATEWAY and isinstance(rt.rt_gateway, bytes):
        dst, rt = rt.rt_gateway, None
    if rt is None or rt.rt_llinfo is None or rt.rt_key != dst or not rt.up:
        rt = nd6_lookup(kern, dst, True, ifp)
    elif rt.rt_llinfo in kern.nd6.fresh and not _room(kern, rt.rt_llinfo):
        nd6_free(kern, rt.rt_llinfo)
    if rt is None or rt.rt_llinfo is None:
        drop(kern, m, D.ND6_CACHEFULL)
        return
    nd6_llinfo.nd6_llinfo_event(kern, rt.rt_llinfo, Ev.OUTPUT, m=m)


def nd6_is_addr_neighbor(kern: Kernel, addr: bytes, ifp: Ifnet) -> bool:
    """Whether the address is on the link of ``ifp`` (KAME nd6_is_addr_neighbor)."""
    if IN6_IS_ADDR_LINKLOCAL(addr):
        return in6_addrzone(addr) == ifp.if_index
    for pr in kern.nd6.prefixes:
        if (
            pr.ndpr_ifp is ifp
            and pr.ndpr_stateflags & NDPRF_ONLINK
            and prefix_equal(addr, pr.ndpr_prefix, pr.ndpr_plen)
        ):
            return True
    if ifp.if_flags & IFF_POINTOPOINT and any(ia.ia_dstaddr == addr for ia in ifp.in6_addrs):
        return True
    if not kern.nd6.defrouters and kern.nd6.defifp is ifp:
        return True
    return nd6_lookup_llinfo(kern, addr, ifp) is not None


# -- learning -----------------------------------------------------------------------------------


def nd6_good_lladdr(ifp: Ifnet, lladdr: bytes) -> bool:
    """Whether an option's data can be the address of one station on this link."""
    return len(lladdr) == len(ifp.if_hwaddr) and bool(lladdr) and not lladdr[0] & GROUP_BIT


def nd6_cache_lladdr(
    kern: Kernel, ifp: Ifnet, addr: bytes, lladdr: bytes | None, nd_type: int, code: int = 0
) -> None:
    """A neighbour told its link-layer address in an NS, RS, RA or redirect (RFC 2461 s.7.2.3).

    ``code`` of a redirect: ND_REDIRECT_ROUTER or ND_REDIRECT_ONLINK.
    """
    if not nd6_need_cache(ifp) or addr == bytes(16) or IN6_IS_ADDR_MULTICAST(addr):
        return
    if lladdr is not None and not nd6_good_lladdr(ifp, lladdr):
        lladdr = None
    rt = nd6_lookup(kern, addr, lladdr is not None, ifp)
    ln = rt.rt_llinfo if rt is not None else None
    if ln is None:
        return
    is_new = ln.ln_state == ND6_LLINFO_NOSTATE
    changed = lladdr is not None and lladdr != ln.lladdr
    if nd_type == ND_ROUTER_ADVERT or (nd_type == ND_REDIRECT and code == ND_REDIRECT_ROUTER):
        ln.ln_router = True
    elif nd_type == ND_ROUTER_SOLICIT or is_new:
        ln.ln_router = False
    if lladdr is not None:
        nd6_llinfo.nd6_llinfo_event(kern, ln, Ev.LL_NEW if changed else Ev.LL_SAME, lladdr)
    if changed and ln.ln_router:
        nd6_rtr.defrouter_select(kern)


def nd6_nud_hint(kern: Kernel, rt: Rtentry | None, dst: bytes | None, force: bool = False) -> None:
    """An upper layer made progress with this neighbour (RFC 2461 s.7.3.1).

    Believed nd6_maxnudhint times in a row, or when ``force``.
    """
    if rt is None and dst is not None:
        rt = nd6_lookup(kern, dst, False, None)
    ln = rt.rt_llinfo if rt is not None else None
    if ln is None or ln.ln_state < ND6_LLINFO_REACHABLE:
        return
    hints = ln.ln_byhint + 1
    if not force and hints > kern.nd6.nd6_maxnudhint:
        return
    nd6_llinfo.nd6_llinfo_event(kern, ln, Ev.HINT)
    ln.ln_byhint = hints


def nd6_probe(kern: Kernel, ln: LlinfoNd6) -> None:
    """Verify a reachable or stale neighbour with the next sweep (movement detection)."""
    nd6_llinfo.nd6_llinfo_event(kern, ln, Ev.PROBE_NOW)
