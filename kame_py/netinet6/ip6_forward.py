# SPDX-License-Identifier: BSD-3-Clause
"""Pass packets on to the next hop.

KAME ip6_forward.c. Deviates: no cached forwarding route (a lookup is a few dictionary probes).
As in KAME an error quotes the packet with its hop limit decremented. RFC 8200 s.3, RFC 4443 s.3.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kame_py.kern.drop import D, DropReason, drop
from kame_py.kern.mbuf import M_BCAST, M_FORWARDED, M_MCAST, Mbuf, trace
from kame_py.net.if_ import IFF_LOOPBACK, IFF_POINTOPOINT, Ifnet
from kame_py.net.if_loop import looutput
from kame_py.net.route import (
    RTF_BLACKHOLE,
    RTF_DYNAMIC,
    RTF_GATEWAY,
    RTF_MODIFIED,
    RTF_REJECT,
    Rtentry,
    rtalloc1,
)
from kame_py.netinet6 import icmp6_redirect
from kame_py.netinet6.icmp6_error import icmp6_error
from kame_py.netinet6.ip6_output import in6_linkmtu, ip6_output_tunnelled
from kame_py.netinet6.scope6 import in6_addrzone
from kame_py.netinet6.trace6 import trace_route
from kame_py.wire.codecs import Ip6Hdr
from kame_py.wire.const import (
    ICMP6_DST_UNREACH,
    ICMP6_DST_UNREACH_ADDR,
    ICMP6_DST_UNREACH_BEYONDSCOPE,
    ICMP6_DST_UNREACH_NOROUTE,
    ICMP6_PACKET_TOO_BIG,
    ICMP6_TIME_EXCEED_TRANSIT,
    ICMP6_TIME_EXCEEDED,
)
from kame_py.wire.in6addr import IN6ADDR_ANY
from kame_py.wire.patch import put_u8, u8

if TYPE_CHECKING:
    from kame_py.kern.kernel import Kernel

IPV6_HLIMDEC: Final = 1
_HLIM: Final = Ip6Hdr.O_ip6_hlim


def ip6_forward(kern: Kernel, m: Mbuf, srcrt: bool) -> None:
    """Forward ``m``; takes ownership. srcrt: a routing header chose the destination.

    Works whether or not net.inet6.ip6.forwarding is set: the caller has decided.
    Source: KAME ip6_forward.c.
    """
    if kern.tracing:
        trace(m, "ip6_forward")
    if kern.ipsec.fwd_reject(kern, m):
        drop(kern, m, D.IPSEC_INPOLICY)
        return
    if m.dst >= b"\xff" or (m.flags & (M_BCAST | M_MCAST) and not _stays_here(kern, m, srcrt)):
        drop(kern, m, D.IP6_FWDMCAST)
        return
    if m.src == IN6ADDR_ANY:
        drop(kern, m, D.IP6_FWDUNSPEC)
        return
    hlim = u8(m.data, _HLIM)
    if hlim <= IPV6_HLIMDEC:
        _refuse(kern, m, D.IP6_HLIM, ICMP6_TIME_EXCEEDED, ICMP6_TIME_EXCEED_TRANSIT)
        return
    m.data = put_u8(m.data, _HLIM, hlim - IPV6_HLIMDEC)
    m.flags |= M_FORWARDED
    if kern.mip6.forward(kern, m):
        return
    rt = rtalloc1(kern, m.dst)
    if rt is None:
        _refuse(kern, m, D.IP6_FWDNOROUTE, ICMP6_DST_UNREACH, ICMP6_DST_UNREACH_NOROUTE)
        return
    if kern.tracing:
        trace_route(kern, m, rt)
    routed = m.data
    if kern.ipsec.tunnel(kern, m, True):
        return
    if m.data is not routed:
        if not ip6_output_tunnelled(kern, m):
            kern.stats.ip6["ip6s_forward"] += 1
        return
    rt.rt_use += 1
    if not _ip6_forward_allowed(kern, m, rt, srcrt):
        return
    _ip6_forward_send(kern, m, rt, srcrt)


def _stays_here(kern: Kernel, m: Mbuf, srcrt: bool) -> bool:
    """The next address of a routing header is ours, too: nothing would leave by a wire."""
    rt = rtalloc1(kern, m.dst) if srcrt else None
    return rt is not None and bool(rt.rt_ifp.if_flags & IFF_LOOPBACK)


def _refuse(
    kern: Kernel, m: Mbuf, why: DropReason, icmp_type: int, code: int, param: int = 0
) -> None:
    icmp6_error(kern, m, icmp_type, code, param)
    drop(kern, m, why)


def _ip6_forward_allowed(kern: Kernel, m: Mbuf, rt: Rtentry, srcrt: bool) -> bool:
    """Route flags, scope, size, loops; False when the packet was refused and ended."""
    ifp = rt.rt_ifp
    if rt.rt_flags & RTF_BLACKHOLE:
        drop(kern, m, D.IP6_FWDREJECT)
        return False
    if rt.rt_flags & RTF_REJECT:
        _refuse(kern, m, D.IP6_FWDREJECT, ICMP6_DST_UNREACH, ICMP6_DST_UNREACH_ADDR)
        return False
    if ifp.if_flags & IFF_LOOPBACK:
        return True
    if _leaves_zone(m.src, ifp) or _leaves_zone(m.dst, ifp):
        kern.stats.ip6["ip6s_cantforward"] += 1
        _refuse(kern, m, D.IP6_FWDSCOPE, ICMP6_DST_UNREACH, ICMP6_DST_UNREACH_BEYONDSCOPE)
        return False
    mtu = in6_linkmtu(ifp)
    if len(m.data) > mtu:
        _refuse(kern, m, D.IP6_FWDTOOBIG, ICMP6_PACKET_TOO_BIG, 0, mtu)
        return False
    if ifp is m.rcvif and not srcrt and ifp.if_flags & IFF_POINTOPOINT:
        # Back where it came from with one station at the other end: a routing loop.
        _refuse(kern, m, D.IP6_FWDREJECT, ICMP6_DST_UNREACH, ICMP6_DST_UNREACH_ADDR)
        return False
    return True


def _leaves_zone(addr: bytes, ifp: Ifnet) -> bool:
    return in6_addrzone(addr) not in (0, ifp.if_index)


def _ip6_forward_send(kern: Kernel, m: Mbuf, rt: Rtentry, srcrt: bool) -> None:
    ifp = rt.rt_ifp
    inif = m.rcvif
    gateway = rt.rt_gateway
    nexthop = gateway if rt.rt_flags & RTF_GATEWAY and isinstance(gateway, bytes) else m.dst
    redirect = (
        ifp is inif
        and not srcrt
        and not m.encaps  # out of a tunnel: its sender is not on this link
        and kern.ip6.ip6_sendredirects
        and not rt.rt_flags & (RTF_DYNAMIC | RTF_MODIFIED)
    )
    kern.stats.ip6["ip6s_forward"] += 1
    ifp.in6_ifstat["ifs6_out_forward"] += 1
    if ifp.if_flags & IFF_LOOPBACK:
        zone = kern.ifbyindex(in6_addrzone(m.src) or in6_addrzone(m.dst))
        looutput(kern, zone or ifp, m, nexthop, rt)
        return
    kern.nd6_output(kern, ifp, m, nexthop, rt)
    if redirect:
        icmp6_redirect.icmp6_redirect_output(kern, m, rt)
