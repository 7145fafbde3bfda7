# SPDX-License-Identifier: BSD-3-Clause
"""Redirects, sent and received (KAME icmp6.c icmp6_redirect_input, icmp6_redirect_output).

Deviates: none on purpose. Read first: RFC 4861 s.8.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kame_py.kern.clock import NS
from kame_py.kern.drop import D, DropReason
from kame_py.kern.mbuf import Mbuf
from kame_py.net.route import (
    RTF_DYNAMIC,
    RTF_GATEWAY,
    RTF_HOST,
    RTF_MODIFIED,
    RTF_STATIC,
    RTF_UP,
    RTM_ADD,
    RTM_DELETE,
    RTM_REDIRECT,
    Rtentry,
    rt_changed,
    rtalloc1,
    rtrequest,
)
from kame_py.netinet6 import icmp6_error, in6, nd6, nd6_nbr
from kame_py.netinet6.icmp6_var import icmp6_errcount
from kame_py.netinet6.nd6_var import ND_REDIRECT_ONLINK, ND_REDIRECT_ROUTER
from kame_py.netinet6.scope6 import in6_clearscope, in6_embedscope
from kame_py.wire.codecs import Ip6Hdr, NdRedirect
from kame_py.wire.const import IPV6_MMTU, ND_OPT_TARGET_LINKADDR, ND_REDIRECT
from kame_py.wire.errno import KError
from kame_py.wire.in6addr import IN6_IS_ADDR_LINKLOCAL, IN6_IS_ADDR_MULTICAST, IN6ADDR_ANY
from kame_py.wire.nd6opt import build_lladdr_opt, build_redirected_opt

if TYPE_CHECKING:
    from kame_py.kern.kernel import Kernel
    from kame_py.net.if_ import Ifnet


def icmp6_redirect_output(kern: Kernel, m: Mbuf, rt: Rtentry) -> None:
    """Tell the sender of ``m`` of the better first hop ``rt``. ``m`` is only read.

    Source: KAME icmp6.c icmp6_redirect_output; RFC 4861 s.8.2.
    """
    ifp = rt.rt_ifp
    if not kern.ip6.ip6_forwarding or m.rcvif is not ifp or IN6_IS_ADDR_MULTICAST(m.dst):
        return
    if not nd6.nd6_is_addr_neighbor(kern, m.src, ifp):
        return
    mine = in6.in6ifa_ifpforlinklocal(ifp)
    target = _target(m.dst, rt)
    if mine is None or target is None:
        return
    icmp6_errcount(kern, ND_REDIRECT, 0)
    if icmp6_error.icmp6_ratelimit(kern):
        kern.stats.icmp6["icp6s_toofreq"] += 1
        return
    body = NdRedirect(nd_rd_target=in6_clearscope(target), nd_rd_dst=in6_clearscope(m.dst)).pack()
    lladdr = nd6.nd6_lookup_llinfo(kern, target, ifp)
    if lladdr is not None and lladdr.lladdr:
        body += build_lladdr_opt(ND_OPT_TARGET_LINKADDR, lladdr.lladdr)
    room = IPV6_MMTU - Ip6Hdr.SIZE - len(body)
    body += build_redirected_opt(icmp6_error.icmp6_recover_src(m), room)
    kern.stats.ip6["ip6s_redirectsent"] += 1
    nd6_nbr.nd6_message(kern, ifp, mine.ia_addr, m.src, body)


def _target(dst: bytes, rt: Rtentry) -> bytes | None:
    """The router's link-local address, or the destination itself when it is on the link."""
    if not rt.rt_flags & RTF_GATEWAY:
        return dst
    gateway = rt.rt_gateway
    if isinstance(gateway, bytes) and IN6_IS_ADDR_LINKLOCAL(gateway):
        return gateway
    return None  # a host could not use another address as its router


def icmp6_redirect_input(kern: Kernel, m: Mbuf, off: int, size: int) -> DropReason | None:
    """Follow a redirect if it is valid and wanted. None: followed. Does not own ``m``.

    Source: KAME icmp6.c icmp6_redirect_input; RFC 4861 s.8.1, s.8.3.
    """
    if kern.ip6.ip6_forwarding or not kern.icmp6.icmp6_rediraccept:
        return D.ICMP6_REDIROFF
    frame = nd6_nbr.nd6_frame(kern, m, off, size, NdRedirect.SIZE, D.ICMP6_REDIRBAD)
    if isinstance(frame, DropReason):
        return frame
    ifp, opts = frame
    rd = NdRedirect.unpack(m.data, off)
    target = in6_embedscope(rd.nd_rd_target, ifp.if_index)
    dst = in6_embedscope(rd.nd_rd_dst, ifp.if_index)
    onlink = target == dst
    if not IN6_IS_ADDR_LINKLOCAL(m.src) or IN6_IS_ADDR_MULTICAST(dst) or dst == IN6ADDR_ANY:
        return D.ICMP6_REDIRBAD
    if not onlink and not IN6_IS_ADDR_LINKLOCAL(target):
        return D.ICMP6_REDIRBAD
    if not _from_first_hop(kern, dst, m.src) or target in kern.ip6.ifaddrs:
        return D.ICMP6_REDIRBAD
    if onlink:
        _rt_forget(kern, dst)
    code = ND_REDIRECT_ONLINK if onlink else ND_REDIRECT_ROUTER
    nd6.nd6_cache_lladdr(kern, ifp, target, opts.tgt_lladdr, ND_REDIRECT, code)
    if onlink:
        _rt_onlink(kern, ifp, dst)
    else:
        _rt_redirect(kern, ifp, dst, target)
    kern.rtsock.rt_missmsg(RTM_REDIRECT, dst, target, m.src, RTF_UP | RTF_HOST | RTF_DYNAMIC)
    return None


def _from_first_hop(kern: Kernel, dst: bytes, src: bytes) -> bool:
    """Only the router that we use now for ``dst`` may send us elsewhere."""
    rt = kern.rt.lookup(dst)
    return rt is not None and bool(rt.rt_flags & RTF_GATEWAY) and rt.rt_gateway == src


def _rt_redirect(kern: Kernel, ifp: Ifnet, dst: bytes, target: bytes) -> None:
    """A host route through the better router, for redirtimeout seconds.

    One set by hand is modified and stays, as in KAME's rtredirect.
    """
    was = kern.rt.exact(dst, 128)
    if was is not None and was.rt_flags & (RTF_DYNAMIC | RTF_STATIC):
        was.rt_gateway = target
        was.rt_ifp = ifp
        if was.rt_flags & RTF_STATIC:
            was.rt_flags |= RTF_MODIFIED
        else:
            _rt_timer(kern, was)
        rt_changed(kern, was)
        return
    _rt_forget(kern, dst)
    mine = in6.in6ifa_ifpforlinklocal(ifp)
    flags = RTF_GATEWAY | RTF_HOST | RTF_DYNAMIC
    _rt_timer(kern, rtrequest(kern, RTM_ADD, dst, 128, target, flags, ifp, mine))


def _rt_forget(kern: Kernel, dst: bytes) -> None:
    """Take away the host route through the old first hop."""
    was = kern.rt.exact(dst, 128)
    if was is not None and was.rt_flags & RTF_GATEWAY:
        rtrequest(kern, RTM_DELETE, dst, 128)


def _rt_timer(kern: Kernel, rt: Rtentry) -> None:
    if rt.rt_callout is not None:
        rt.rt_callout.stop()
    timeout = kern.icmp6.icmp6_redirtimeout
    if not timeout:
        return
    rt.rt_rmx.rmx_expire = kern.now() + timeout * NS
    rt.rt_callout = kern.callouts.at(rt.rt_rmx.rmx_expire, icmp6_redirect_timeout, kern, rt)


def icmp6_redirect_timeout(kern: Kernel, rt: Rtentry) -> None:
    """The redirect is old: the ordinary route serves again."""
    rt.rt_callout = None
    kern.icmp6.mtudisc_routes.discard(rt)
    if rt.rt_flags & RTF_UP:
        rtrequest(kern, RTM_DELETE, rt.rt_key, rt.rt_plen)


def _rt_onlink(kern: Kernel, ifp: Ifnet, dst: bytes) -> None:
    """The destination is a neighbour: its entry of the neighbour cache is the host route."""
    try:
        rt = nd6.nd6_lookup(kern, dst, True, ifp) or rtalloc1(kern, dst)
    except KError:
        return
    if rt is not None and rt.rt_flags & RTF_HOST and not rt.rt_flags & RTF_GATEWAY:
        rt.rt_flags |= RTF_DYNAMIC
        _rt_timer(kern, rt)
