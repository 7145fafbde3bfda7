# SPDX-License-Identifier: BSD-3-Clause
"""Router advertisements, the default router list and the default route (KAME nd6_rtr.c).

Deviates: bounded lists; a router whose neighbour entry failed is passed over while another one is
reachable. RFC 2461 s.6.1, s.6.3; RFC 4191 preferences are kept for ndp -r, not obeyed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kame_py.kern.clock import NS, tick_ceil
from kame_py.kern.drop import D, DropReason
from kame_py.kern.log import LOG_INFO
from kame_py.kern.mbuf import Mbuf
from kame_py.net.route import (
    RTF_CLONING,
    RTF_DYNAMIC,
    RTF_GATEWAY,
    RTF_HOST,
    RTM_ADD,
    RTM_DELETE,
    LinkAddr,
    rtrequest,
)
from kame_py.netinet6 import in6, nd6, nd6_autoconf, nd6_llinfo, nd6_nbr, nd6_prefix
from kame_py.netinet6.nd6_state import Ev
from kame_py.netinet6.nd6_var import (
    MAX_REACHABLE_TIME_MS,
    ND6_IFF_ACCEPT_RTADV,
    NdDefrouter,
    NdPrefix,
)
from kame_py.wire.codecs import NdOptPrefixInfo, NdRouterAdvert, NdRouterSolicit
from kame_py.wire.const import (
    IPV6_MMTU,
    ND_OPT_PI_FLAG_AUTO,
    ND_OPT_PI_FLAG_ONLINK,
    ND_OPT_PI_FLAG_ROUTER,
    ND_ROUTER_ADVERT,
    ND_ROUTER_SOLICIT,
)
from kame_py.wire.in6addr import (
    IN6_IS_ADDR_LINKLOCAL,
    IN6_IS_ADDR_MULTICAST,
    IN6_IS_ADDR_UNSPECIFIED,
    IN6ADDR_ANY,
    masked,
    ntop,
)
from kame_py.wire.nd6opt import NdOptions

if TYPE_CHECKING:
    from kame_py.kern.kernel import Kernel
    from kame_py.net.if_ import Ifnet

MAX_RETRANS_MS: Final = MAX_REACHABLE_TIME_MS  # nothing longer is believed


# -- solicitations --------------------------------------------------------------------------------


def nd6_rs_input(kern: Kernel, m: Mbuf, off: int, icmp6len: int) -> DropReason | None:
    """One router solicitation: routers learn the neighbour; rtadvd gets its own copy elsewhere."""
    frame = nd6_nbr.nd6_frame(kern, m, off, icmp6len, NdRouterSolicit.SIZE, D.ND6_BADRS)
    if isinstance(frame, DropReason):
        return frame
    lladdr = frame.opts.src_lladdr
    if IN6_IS_ADDR_UNSPECIFIED(m.src):
        if lladdr is not None:
            return D.ND6_BADRS
    elif not nd6.nd6_is_addr_neighbor(kern, m.src, frame.ifp):
        return D.ND6_OFFLINK
    if not kern.ip6.ip6_forwarding:
        return D.ND6_NOTROUTER
    if lladdr is not None and not nd6.nd6_good_lladdr(frame.ifp, lladdr):
        return D.ND6_BADRS if nd6.nd6_need_cache(frame.ifp) else None
    nd6.nd6_cache_lladdr(kern, frame.ifp, m.src, lladdr, ND_ROUTER_SOLICIT)
    return None


# -- advertisements -------------------------------------------------------------------------------


def nd6_ra_input(kern: Kernel, m: Mbuf, off: int, icmp6len: int) -> DropReason | None:
    """One router advertisement. None: used. Does not own m."""
    frame = nd6_nbr.nd6_frame(kern, m, off, icmp6len, NdRouterAdvert.SIZE, D.ND6_BADRA)
    if isinstance(frame, DropReason):
        return frame
    ifp, opts = frame
    if not IN6_IS_ADDR_LINKLOCAL(m.src):
        return D.ND6_BADRA
    accept = kern.ip6.ip6_accept_rtadv and not kern.ip6.ip6_forwarding
    if not accept or not ifp.ndi.flags & ND6_IFF_ACCEPT_RTADV:
        return D.ND6_RANOTACCEPTED
    lladdr = opts.src_lladdr
    if lladdr is not None and nd6.nd6_need_cache(ifp) and not nd6.nd6_good_lladdr(ifp, lladdr):
        return D.ND6_BADRA
    ra = NdRouterAdvert.unpack(m.data, off)
    _ra_parameters(ifp, ra)
    dr = defrtrlist_update(
        kern,
        NdDefrouter(m.src, ifp, flags=ra.nd_ra_flags_reserved, rtlifetime=ra.nd_ra_router_lifetime),
    )
    if not _ra_prefixes(kern, m, ifp, dr, opts):
        return None
    kern.mip6.ra_done(kern, m.src, dr, opts, m)
    _ra_mtu(kern, ifp, opts)
    nd6.nd6_cache_lladdr(kern, ifp, m.src, lladdr, ND_ROUTER_ADVERT)
    nd6_prefix.pfxlist_onlink_check(kern)
    return None


def _ra_parameters(ifp: Ifnet, ra: NdRouterAdvert) -> None:
    """Times in milliseconds and hop limit; zero means unspecified (RFC 2461 s.6.3.4)."""
    ndi = ifp.ndi
    reachable = ra.nd_ra_reachable
    if 0 < reachable <= MAX_REACHABLE_TIME_MS and reachable != ndi.basereachable_ms:
        ndi.basereachable_ms = reachable
        ndi.recalc_ns = 0
    if 0 < ra.nd_ra_retransmit <= MAX_RETRANS_MS:
        ndi.retrans_ms = ra.nd_ra_retransmit
    if ra.nd_ra_curhoplimit:
        ndi.chlim = ra.nd_ra_curhoplimit


def _ra_prefixes(
    kern: Kernel, m: Mbuf, ifp: Ifnet, dr: NdDefrouter | None, opts: NdOptions
) -> bool:
    """All prefix options; False when mobility ends the advertisement.

    Mobility sees all of them first: which link this is decides about tests of new addresses.
    """
    prefixes = [pr for pi in opts.prefixes if (pr := _ra_prefix(kern, ifp, pi)) is not None]
    if not all(kern.mip6.ra_prefix(kern, m.src, pr, dr, m) for pr in prefixes):
        return False
    for pr in prefixes:
        nd6_autoconf.prelist_update(kern, pr, dr)
    return True


def _ra_prefix(kern: Kernel, ifp: Ifnet, pi: NdOptPrefixInfo) -> NdPrefix | None:
    prefix, plen = pi.nd_opt_pi_prefix, pi.nd_opt_pi_prefix_len
    if plen > 128 or IN6_IS_ADDR_MULTICAST(prefix) or IN6_IS_ADDR_LINKLOCAL(prefix):
        kern.log.log(LOG_INFO, f"nd6_ra_input: invalid prefix {ntop(prefix)}/{plen}, ignored")
        return None
    flags = pi.nd_opt_pi_flags_reserved
    return NdPrefix(
        ifp,
        masked(prefix, plen),
        plen,
        pi.nd_opt_pi_valid_time,
        pi.nd_opt_pi_preferred_time,
        prefix,
        ndpr_raf_onlink=bool(flags & ND_OPT_PI_FLAG_ONLINK),
        ndpr_raf_auto=bool(flags & ND_OPT_PI_FLAG_AUTO),
        ndpr_raf_router=bool(flags & ND_OPT_PI_FLAG_ROUTER),
    )


def _ra_mtu(kern: Kernel, ifp: Ifnet, opts: NdOptions) -> None:
    if opts.mtu is None:
        return
    mtu = opts.mtu.nd_opt_mtu_mtu
    if IPV6_MMTU <= mtu <= ifp.ndi.maxmtu:
        ifp.ndi.linkmtu = mtu
    else:
        kern.log.log(LOG_INFO, f"nd6_ra_input: bad mtu option mtu={mtu} on {ifp.if_name}, ignored")


# -- default routers ------------------------------------------------------------------------------


def defrouter_lookup(kern: Kernel, addr: bytes, ifp: Ifnet) -> NdDefrouter | None:
    """The entry of this router."""
    for dr in kern.nd6.defrouters:
        if dr.rtaddr == addr and dr.ifp is ifp:
            return dr
    return None


def defrtrlist_update(kern: Kernel, new: NdDefrouter) -> NdDefrouter | None:
    """What a router says of itself; lifetime zero takes it off the list (RFC 2461 s.6.3.4)."""
    nd6s = kern.nd6
    dr = defrouter_lookup(kern, new.rtaddr, new.ifp)
    if dr is None:
        if new.rtlifetime == 0:
            return None
        if sum(x.ifp is new.ifp for x in nd6s.defrouters) >= nd6s.maxifdefrouters:
            return None
        nd6s.defrouters.append(new)
        _set_router_timer(kern, new)
        defrouter_select(kern)
        return new
    dr.flags = new.flags
    if new.rtlifetime == 0:
        defrtrlist_del(kern, dr)
        return None
    dr.rtlifetime = new.rtlifetime
    _set_router_timer(kern, dr)
    return dr


def _set_router_timer(kern: Kernel, dr: NdDefrouter) -> None:
    dr.expire = kern.now() + dr.rtlifetime * NS
    if dr.timer is not None:
        dr.timer.stop()
    deadline = tick_ceil(dr.expire, kern.nd6.nd6_prune * NS)
    dr.timer = kern.callouts.at(deadline, defrtrlist_del, kern, dr)


def defrtrlist_del(kern: Kernel, dr: NdDefrouter) -> None:
    """Forget a default router: its redirects, its default route, its prefixes' claim."""
    nd6s = kern.nd6
    if dr not in nd6s.defrouters:
        return
    if dr.timer is not None:
        dr.timer.stop()
        dr.timer = None
    if not kern.ip6.ip6_forwarding and kern.ip6.ip6_accept_rtadv:
        rt6_flush(kern, dr.rtaddr, dr.ifp)
    nd6s.defrouters.remove(dr)
    for pr in nd6s.prefixes:
        if dr in pr.ndpr_advrtrs:
            pr.ndpr_advrtrs.remove(dr)
    nd6_prefix.pfxlist_onlink_check(kern)
    defrouter_select(kern)


def defrouter_select(kern: Kernel) -> None:
    """Choose the default router and point the default route to it (RFC 2461 s.6.3.6).

    A reachable one stays; else the first reachable one of the list; else the next in turn. Without
    any router the default interface of ``ndp -I`` takes all destinations for on-link.
    """
    st = kern.nd6
    if kern.ip6.ip6_forwarding or not kern.ip6.ip6_accept_rtadv:
        return
    routers = st.defrouters
    now = st.installed_dr if st.installed_dr in routers else None
    if not routers:
        _install(kern, None)
        return
    good = [dr for dr in routers if nd6.nd6_is_probreach(kern, dr.rtaddr, dr.ifp)]
    if now is not None and (now in good or (not good and not _has_failed(kern, now))):
        choice = now
    elif good:
        choice = good[0]
    else:
        choice = routers[(routers.index(now) + 1) % len(routers)] if now else routers[0]
    _install(kern, choice)


def defrouter_reset(kern: Kernel) -> None:
    """Take our default route out and choose again (ndp -H, ndp -I)."""
    _install(kern, None)
    defrouter_select(kern)


def _has_failed(kern: Kernel, dr: NdDefrouter) -> bool:
    """No neighbour entry any more: NUD or resolution gave up on it."""
    return nd6.nd6_lookup_llinfo(kern, dr.rtaddr, dr.ifp) is None


def _install(kern: Kernel, dr: NdDefrouter | None) -> None:
    st = kern.nd6
    if dr is not None and dr is st.installed_dr and _still_ours(kern):
        return
    if _still_ours(kern):
        rtrequest(kern, RTM_DELETE, IN6ADDR_ANY, 0)
    st.installed_dr, st.defroute = None, None
    if kern.rt.exact(IN6ADDR_ANY, 0) is not None:
        return  # the user's own default route stays
    if dr is not None:
        st.installed_dr = dr
        ia = in6.in6ifa_ifpforlinklocal(dr.ifp)
        st.defroute = rtrequest(kern, RTM_ADD, IN6ADDR_ANY, 0, dr.rtaddr, RTF_GATEWAY, dr.ifp, ia)
    elif st.defifp is not None:
        gateway = LinkAddr(st.defifp.if_index)
        ia = in6.in6ifa_ifpforlinklocal(st.defifp)
        st.defroute = rtrequest(kern, RTM_ADD, IN6ADDR_ANY, 0, gateway, RTF_CLONING, st.defifp, ia)


def _still_ours(kern: Kernel) -> bool:
    rt = kern.nd6.defroute
    return rt is not None and kern.rt.exact(IN6ADDR_ANY, 0) is rt


def rt6_flush(kern: Kernel, gateway: bytes, ifp: Ifnet) -> None:
    """Remove the host routes that redirects made through ``gateway``."""
    want = RTF_DYNAMIC | RTF_HOST
    for rt in kern.rt.made():
        if rt.rt_flags & want == want and rt.rt_gateway == gateway and rt.rt_ifp is ifp:
            rtrequest(kern, RTM_DELETE, rt.rt_key, rt.rt_plen)


# -- what neighbour entries tell ------------------------------------------------------------------


def router_unreachable(kern: Kernel, addr: bytes, ifp: Ifnet, was_router: bool) -> None:
    """A neighbour entry went. If it was a router's, look for another (KAME nd6_free)."""
    if kern.ip6.ip6_forwarding or not kern.ip6.ip6_accept_rtadv:
        return
    dr = defrouter_lookup(kern, addr, ifp)
    if dr is None and not was_router:
        return
    rt6_flush(kern, addr, ifp)
    if dr is not None:
        nd6_prefix.pfxlist_onlink_check(kern)
        defrouter_select(kern)


def router_became_host(kern: Kernel, addr: bytes, ifp: Ifnet) -> None:
    """An advertisement without the router flag: no default router any more (RFC 2461 s.7.2.5)."""
    dr = defrouter_lookup(kern, addr, ifp)
    if dr is not None:
        defrtrlist_del(kern, dr)
    elif not kern.ip6.ip6_forwarding and kern.ip6.ip6_accept_rtadv:
        rt6_flush(kern, addr, ifp)


def router_became_reachable(kern: Kernel) -> None:
    """A router answered: its prefixes may be attached again, it may become the default."""
    nd6_prefix.pfxlist_onlink_check(kern)
    defrouter_select(kern)


def nd6_probe_routers(kern: Kernel) -> None:
    """Every router entry that is reachable or stale has to prove it (KAME mip6_probe_routers)."""
    for ln in list(kern.nd6.llinfo):
        if ln.ln_router:
            nd6_llinfo.nd6_llinfo_event(kern, ln, Ev.PROBE_NOW)
