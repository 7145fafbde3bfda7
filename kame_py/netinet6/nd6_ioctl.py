# SPDX-License-Identifier: BSD-3-Clause
"""ioctls, sysctls and snapshots of neighbour discovery (nd6_ioctl, nd6_sysctl of KAME nd6.c).

Deviates: requests and answers are typed values of wire/ioctl.py and wire/snap.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kame_py.kern.clock import NS
from kame_py.netinet6 import in6_control, nd6, nd6_llinfo, nd6_prefix, nd6_rtr
from kame_py.netinet6.nd6_var import LlinfoNd6, NdDefrouter, NdPrefix
from kame_py.netinet6.scope6 import in6_clearscope, in6_embedscope
from kame_py.wire.errno import EINVAL, KError
from kame_py.wire.in6addr import IN6_IS_ADDR_LINKLOCAL, IN6_IS_ADDR_MULTICAST
from kame_py.wire.ioctl import (
    SIOCGDEFIFACE_IN6,
    SIOCGDRLST_IN6,
    SIOCGIFINFO_IN6,
    SIOCGNBRINFO_IN6,
    SIOCGPRLST_IN6,
    SIOCSDEFIFACE_IN6,
    SIOCSIFINFO_FLAGS,
    SIOCSNDFLUSH_IN6,
    SIOCSPFXFLUSH_IN6,
    SIOCSRTRFLUSH_IN6,
)
from kame_py.wire.snap import DrSnap, NbrSnap, NdiSnap, PfxSnap

if TYPE_CHECKING:
    from collections.abc import Callable

    from kame_py.kern.kernel import Kernel

# (name below net.inet6.icmp6, lowest, highest, unit, text)
_ICMP6_VARS: Final = (
    ("nd6_prune", 1, 3600, "s", "period to which expiries of neighbour discovery are rounded up"),
    ("nd6_delay", 0, 3600, "s", "wait for upper layers before the first probe"),
    ("nd6_umaxtries", 1, 100, "", "unicast solicitations before a neighbour is unreachable"),
    ("nd6_mmaxtries", 1, 100, "", "multicast solicitations before resolution fails"),
    ("nd6_useloopback", 0, 1, "", "send packets for our own addresses by the loopback interface"),
    ("nd6_maxnudhint", 0, 1_000_000, "", "upper layer hints believed between two confirmations"),
    ("nd6_debug", 0, 1, "", "log the success of duplicate address detection"),
)
_IP6_VARS: Final = (
    ("neighborgcthresh", 1, 1_000_000, "", "unresolved neighbours; twice as many learned ones"),
    ("maxifprefixes", 0, 65_535, "", "prefixes learnt from advertisements on one interface"),
    ("maxifdefrouters", 0, 65_535, "", "default routers on one interface"),
)


def nd6_register(kern: Kernel) -> None:
    """Put the requests, variables and tables of neighbour discovery where programs find them."""
    table: dict[type, Callable[[Kernel, object], object]] = {
        SIOCGIFINFO_IN6: _gifinfo,
        SIOCSIFINFO_FLAGS: _sifinfo_flags,
        SIOCGNBRINFO_IN6: _gnbrinfo,
        SIOCGDRLST_IN6: lambda kern, req: drlist(kern),
        SIOCGPRLST_IN6: lambda kern, req: prlist(kern),
        SIOCSPFXFLUSH_IN6: _spfxflush,
        SIOCSRTRFLUSH_IN6: _srtrflush,
        SIOCSNDFLUSH_IN6: _sndflush,
        SIOCGDEFIFACE_IN6: _gdefiface,
        SIOCSDEFIFACE_IN6: _sdefiface,
    }
    kern.ioctlsw.update(table)
    for name, lo, hi, unit, text in _ICMP6_VARS:
        full = f"net.inet6.icmp6.{name}"
        kern.sysctl.register_attr(full, kern.nd6, name, lo=lo, hi=hi, unit=unit, text=text)
    for name, lo, hi, unit, text in _IP6_VARS:
        full = f"net.inet6.ip6.{name}"
        kern.sysctl.register_attr(full, kern.nd6, name, lo=lo, hi=hi, unit=unit, text=text)
    reg = kern.sysctl.register
    reg("net.inet6.icmp6.nd6_prlist", lambda: prlist(kern), text="prefix list", opaque=True)
    reg("net.inet6.icmp6.nd6_drlist", lambda: drlist(kern), text="default routers", opaque=True)
    reg("net.inet6.icmp6.nd6_llinfo", lambda: nbrlist(kern), text="neighbours", opaque=True)


def _left(kern: Kernel, end_ns: int) -> int | None:
    return None if end_ns == 0 else (end_ns - kern.now()) // NS


# -- snapshots ------------------------------------------------------------------------------------


def nbrlist(kern: Kernel) -> tuple[NbrSnap, ...]:
    """The neighbour cache in order of address, without multicast."""
    return tuple(
        nbr_snap(kern, rt.rt_llinfo)
        for rt in kern.rt
        if rt.rt_llinfo is not None and not IN6_IS_ADDR_MULTICAST(rt.rt_key)
    )


def nbr_snap(kern: Kernel, ln: LlinfoNd6) -> NbrSnap:
    """One neighbour. Our own addresses show the interface that has them."""
    rt = ln.ln_rt
    ifp = rt.rt_ifa.ia_ifp if rt.rt_ifa is not None else rt.rt_ifp
    return NbrSnap(
        addr=in6_clearscope(rt.rt_key),
        ifname=ifp.if_name,
        lladdr=ln.lladdr,
        state=ln.ln_state,
        isrouter=ln.ln_router,
        asked=ln.ln_asked,
        expire=None if ln.ln_permanent else _left(kern, ln.ln_expire),
        flags=rt.rt_flags,
    )


def drlist(kern: Kernel) -> tuple[DrSnap, ...]:
    """The default router list in its order."""
    return tuple(_dr_snap(kern, dr) for dr in kern.nd6.defrouters)


def _dr_snap(kern: Kernel, dr: NdDefrouter) -> DrSnap:
    return DrSnap(
        rtaddr=in6_clearscope(dr.rtaddr),
        ifname=dr.ifp.if_name,
        flags=dr.flags,
        rtlifetime=dr.rtlifetime,
        expire=_left(kern, dr.expire),
    )


def prlist(kern: Kernel) -> tuple[PfxSnap, ...]:
    """The prefix list in its order."""
    return tuple(_pfx_snap(kern, pr) for pr in kern.nd6.prefixes)


def _pfx_snap(kern: Kernel, pr: NdPrefix) -> PfxSnap:
    return PfxSnap(
        prefix=in6_clearscope(pr.ndpr_prefix),
        plen=pr.ndpr_plen,
        ifname=pr.ndpr_ifp.if_name,
        onlink=pr.ndpr_raf_onlink,
        autonomous=pr.ndpr_raf_auto,
        stateflags=pr.ndpr_stateflags,
        vltime=pr.ndpr_vltime,
        pltime=pr.ndpr_pltime,
        expire=_left(kern, pr.ndpr_expire),
        refcnt=pr.ndpr_refcnt,
        origin=pr.ndpr_origin,
        advrtrs=tuple(_advertiser(kern, dr) for dr in pr.ndpr_advrtrs),
    )


NO_STATE: Final = -1  # of a router without neighbour entry


def _advertiser(kern: Kernel, dr: NdDefrouter) -> tuple[bytes, int]:
    ln = nd6.nd6_lookup_llinfo(kern, dr.rtaddr, dr.ifp)
    return in6_clearscope(dr.rtaddr), NO_STATE if ln is None else ln.ln_state


# -- requests -------------------------------------------------------------------------------------


def _gifinfo(kern: Kernel, req: object) -> object:
    assert isinstance(req, SIOCGIFINFO_IN6)
    ifp = in6_control.ifunit_or_error(kern, req.ifname)
    ndi = ifp.ndi
    return NdiSnap(
        linkmtu=ndi.linkmtu,
        maxmtu=ndi.maxmtu,
        basereachable_ms=ndi.basereachable_ms,
        reachable_ms=nd6_llinfo.reachable_ms(kern, ifp),
        retrans_ms=ndi.retrans_ms,
        chlim=ndi.chlim,
        flags=ndi.flags,
        randomseed0=ndi.randomseed0,
        randomseed1=ndi.randomseed1,
        randomid=ndi.randomid,
    )


def _sifinfo_flags(kern: Kernel, req: object) -> object:
    assert isinstance(req, SIOCSIFINFO_FLAGS)
    in6_control.ifunit_or_error(kern, req.ifname).ndi.flags = req.flags
    return None


def _gnbrinfo(kern: Kernel, req: object) -> object:
    assert isinstance(req, SIOCGNBRINFO_IN6)
    ifp = in6_control.ifunit_or_error(kern, req.ifname)
    rt = kern.rt.exact(in6_embedscope(req.addr, ifp.if_index), 128)
    ln = rt.rt_llinfo if rt is not None else None
    if ln is None:
        raise KError(EINVAL)
    snap = nbr_snap(kern, ln)
    if snap.ifname != ifp.if_name:
        raise KError(EINVAL)
    return snap


def _spfxflush(kern: Kernel, req: object) -> object:
    """Autoconfigured addresses go with their prefixes; link-local prefixes stay."""
    for pr in list(kern.nd6.prefixes):
        if IN6_IS_ADDR_LINKLOCAL(pr.ndpr_prefix):
            continue
        nd6_prefix.purge_prefix(kern, pr)
    return None


def _srtrflush(kern: Kernel, req: object) -> object:
    for dr in list(kern.nd6.defrouters):
        nd6_rtr.defrtrlist_del(kern, dr)
    return None


def _sndflush(kern: Kernel, req: object) -> object:
    nd6_rtr.defrouter_reset(kern)
    return None


def _gdefiface(kern: Kernel, req: object) -> object:
    ifp = kern.nd6.defifp
    return "" if ifp is None else ifp.if_name


def _sdefiface(kern: Kernel, req: object) -> object:
    assert isinstance(req, SIOCSDEFIFACE_IN6)
    kern.nd6.defifp = in6_control.ifunit_or_error(kern, req.ifname) if req.ifname else None
    nd6_rtr.defrouter_reset(kern)
    return None
