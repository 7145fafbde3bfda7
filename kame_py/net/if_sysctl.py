# SPDX-License-Identifier: BSD-3-Clause
"""Tables that programs read: routes, interfaces, sockets, memberships, counters.

KAME: sysctl_rtsock (NET_RT_DUMP, NET_RT_IFLIST) of rtsock.c, in6_pcblist, in6_ifstat; where
netstat read kernel memory, a sysctl takes its place. Deviates: rows are values of wire/snap.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Final

from kame_py.kern.clock import NS
from kame_py.kern.stats import PROTOS
from kame_py.net.route import LinkAddr, Rtentry
from kame_py.wire.errno import ENXIO, KError
from kame_py.wire.in6addr import (
    IN6_IS_ADDR_MC_NODELOCAL,
    IN6_IS_SCOPE_LINKLOCAL,
    embed_zone,
    embedded_zone,
    mac_ntoa,
)
from kame_py.wire.ioctl import SIOCGIFSTAT_ICMP6, SIOCGIFSTAT_IN6
from kame_py.wire.snap import IfSnap, McastSnap, PcbSnap, RtSnap, StatSnap

if TYPE_CHECKING:
    from kame_py.kern.kernel import Kernel
    from kame_py.net.if_ import Ifnet
    from kame_py.netinet6.in6_pcb import In6pcb

HISTOGRAMS: Final = (
    ("ip6", "ip6s_nxthist"),
    ("ip6", "ip6s_sources_rule"),
    ("icmp6", "icp6s_inhist"),
    ("icmp6", "icp6s_outhist"),
    ("ipsec6", "in_ahhist"),
    ("ipsec6", "in_esphist"),
    ("ipsec6", "out_ahhist"),
    ("ipsec6", "out_esphist"),
    ("mip6", "mip6s_ba_hist"),
    ("mip6", "mip6s_oba_hist"),
)
IPPROTO_ICMPV6: Final = 58


def if_sysctl_init(kern: Kernel) -> None:
    """Register the tables."""
    reg = kern.sysctl.register
    reg("net.route.dump", lambda: route_dump(kern), text="the routing table", opaque=True)
    reg("net.route.iflist", lambda: iflist(kern), text="the interfaces", opaque=True)
    reg("net.inet6.pcblist", lambda: pcblist(kern), text="the sockets", opaque=True)
    reg("net.inet6.ip6.multicast", lambda: multicast(kern), text="memberships", opaque=True)
    reg("net.inet6.stats", lambda: statistics(kern), text="all counters", opaque=True)
    kern.ioctlsw[SIOCGIFSTAT_IN6] = _ifstat_in6
    kern.ioctlsw[SIOCGIFSTAT_ICMP6] = _ifstat_icmp6


def _user(kern: Kernel, addr: bytes) -> tuple[bytes, str]:
    """(address without its zone, name of the zone's interface or "")."""
    if not (IN6_IS_SCOPE_LINKLOCAL(addr) or IN6_IS_ADDR_MC_NODELOCAL(addr)):
        return addr, ""
    ifp = kern.ifbyindex(embedded_zone(addr))
    return embed_zone(addr, 0), ifp.if_name if ifp is not None else ""


# -- routes ---------------------------------------------------------------------------------------


def route_dump(kern: Kernel) -> tuple[RtSnap, ...]:
    """All routes in order of destination."""
    return tuple(rt_snap(kern, rt) for rt in kern.rt)


def rt_snap(kern: Kernel, rt: Rtentry) -> RtSnap:
    """One route. Its MTU is the interface's where it has none of its own."""
    dst, zone = _user(kern, rt.rt_key)
    gateway, gwzone, link, linkif = None, "", "", ""
    if isinstance(rt.rt_gateway, LinkAddr):
        link, linkif = _link(kern, rt, rt.rt_gateway)
    else:
        gateway, gwzone = _user(kern, rt.rt_gateway)
    neighbor = rt.rt_llinfo is not None and isinstance(rt.rt_gateway, LinkAddr)
    rmx = rt.rt_rmx
    return RtSnap(
        dst=dst,
        plen=rt.rt_plen,
        zone=zone,
        gateway=gateway,
        gwzone=gwzone,
        link=link,
        lladdr=rt.rt_llinfo.lladdr if neighbor and rt.rt_llinfo is not None else None,
        flags=rt.rt_flags,
        ifname=rt.rt_ifp.if_name,
        mtu=rmx.rmx_mtu or rt.rt_ifp.if_mtu,
        expire=(rmx.rmx_expire - kern.now()) // NS if rmx.rmx_expire else None,
        refs=rt.rt_refcnt,
        use=rt.rt_use,
        linkif=linkif,
    )


def _link(kern: Kernel, rt: Rtentry, gateway: LinkAddr) -> tuple[str, str]:
    """(text of a link-layer gateway, interface that it belongs to)."""
    ifp = rt.rt_ifa.ia_ifp if rt.rt_ifa is not None else kern.ifbyindex(gateway.sdl_index)
    linkif = ifp.if_name if ifp is not None else ""
    if gateway.sdl_data:
        return mac_ntoa(gateway.sdl_data), linkif
    return f"link#{gateway.sdl_index}", linkif


# -- interfaces -----------------------------------------------------------------------------------


def iflist(kern: Kernel) -> tuple[IfSnap, ...]:
    """All interfaces by index."""
    return tuple(if_snap(ifp) for ifp in kern.ifnets)


def if_snap(ifp: Ifnet) -> IfSnap:
    """One interface."""
    d = ifp.if_data
    return IfSnap(
        name=ifp.if_name,
        index=ifp.if_index,
        type=ifp.if_type,
        flags=ifp.if_flags,
        mtu=ifp.if_mtu,
        metric=ifp.if_metric,
        lladdr=ifp.if_hwaddr,
        carrier=ifp.carrier,
        ipackets=d.ifi_ipackets,
        ierrors=d.ifi_ierrors,
        opackets=d.ifi_opackets,
        oerrors=d.ifi_oerrors,
        collisions=d.ifi_collisions,
        ibytes=d.ifi_ibytes,
        obytes=d.ifi_obytes,
        imcasts=d.ifi_imcasts,
        omcasts=d.ifi_omcasts,
    )


def multicast(kern: Kernel) -> tuple[McastSnap, ...]:
    """Memberships of each interface in order of address."""
    return tuple(
        McastSnap(ifp.if_name, _user(kern, addr)[0], inm.in6m_refcount)
        for ifp in kern.ifnets
        for addr, inm in sorted(ifp.in6_multi.items())
    )


# -- sockets --------------------------------------------------------------------------------------


def pcblist(kern: Kernel) -> tuple[PcbSnap, ...]:
    """UDP sockets by port, then raw ones."""
    return tuple(_pcb(kern, proto, inp) for proto, inp in _pcbs(kern))


def _pcbs(kern: Kernel) -> Iterator[tuple[str, In6pcb]]:
    for inp in kern.pcbs.udp6_all():
        yield "udp6", inp
    for inp in kern.pcbs.raw6:
        yield ("icm6" if inp.in6p_ip6_nxt == IPPROTO_ICMPV6 else "raw6"), inp


def _pcb(kern: Kernel, proto: str, inp: In6pcb) -> PcbSnap:
    laddr, lzone = _user(kern, inp.in6p_laddr)
    faddr, fzone = _user(kern, inp.in6p_faddr)
    recvq = inp.in6p_socket.so_rcv_cc
    return PcbSnap(proto, recvq, 0, laddr, lzone, inp.in6p_lport, faddr, fzone, inp.in6p_fport)


# -- counters -------------------------------------------------------------------------------------


def statistics(kern: Kernel) -> tuple[StatSnap, ...]:
    """Every counter that has ever moved, and the histograms."""
    rows = [
        StatSnap(proto, member, -1, value)
        for proto in PROTOS
        for member, value in sorted(kern.stats.of(proto).items())
    ]
    for proto, name in HISTOGRAMS:
        histogram: Mapping[int, int] = getattr(kern.stats, name)
        rows += [StatSnap(proto, name, key, value) for key, value in sorted(histogram.items())]
    return tuple(rows)


def _ifp(kern: Kernel, name: str) -> Ifnet:
    ifp = kern.ifunit(name)
    if ifp is None:
        raise KError(ENXIO)
    return ifp


def _ifstat_in6(kern: Kernel, req: object) -> object:
    assert isinstance(req, SIOCGIFSTAT_IN6)
    counters = _ifp(kern, req.ifr_name).in6_ifstat
    return tuple(StatSnap("ip6", k, -1, v) for k, v in sorted(counters.items()))


def _ifstat_icmp6(kern: Kernel, req: object) -> object:
    assert isinstance(req, SIOCGIFSTAT_ICMP6)
    counters = _ifp(kern, req.ifr_name).icmp6_ifstat
    return tuple(StatSnap("icmp6", k, -1, v) for k, v in sorted(counters.items()))
