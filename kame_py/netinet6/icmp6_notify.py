# SPDX-License-Identifier: BSD-3-Clause
"""ICMPv6 errors that come in: whose packet was it, and the path MTU (KAME icmp6_notify_error).

Corresponds to icmp6_notify_error and icmp6_mtudisc_update in KAME icmp6.c. Deviates: an error
counts only when the quoted packet left from an address of ours; a Packet Too Big below 1280 is
ignored; a learnt path MTU ends after ten minutes. Read first: RFC 4443 s.3, RFC 8201.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kame_py.kern.clock import NS
from kame_py.kern.drop import D, DropReason
from kame_py.kern.protosw import PrCtl
from kame_py.net.route import (
    RTF_DYNAMIC,
    RTF_GATEWAY,
    RTF_HOST,
    RTF_LLINFO,
    RTF_UP,
    RTM_ADD,
    RTM_DELETE,
    Rtentry,
    rt_changed,
    rtalloc1,
    rtrequest,
)
from kame_py.netinet6 import ip6_output, nd6, scope6
from kame_py.wire.codecs import Icmp6Hdr, Ip6Dest, Ip6Hdr, Ip6OptHomeAddress, Ip6Rthdr
from kame_py.wire.const import (
    ICMP6_PACKET_TOO_BIG,
    IP6OPT_HOME_ADDRESS,
    IPPROTO_DSTOPTS,
    IPPROTO_RAW,
    IPPROTO_ROUTING,
    IPPROTO_UDP,
    IPV6_MMTU,
    IPV6_RTHDR_TYPE_0,
)
from kame_py.wire.errno import KError
from kame_py.wire.in6addr import IN6_IS_ADDR_MULTICAST
from kame_py.wire.ip6ext import ExtHdr, iter_options, rthdr0_addrs, walk
from kame_py.wire.malformed import Malformed

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kame_py.kern.kernel import Kernel
    from kame_py.kern.mbuf import Mbuf
    from kame_py.netinet6.in6_pcb import In6pcb

PMTU_TIMEOUT_S: Final = 600  # RFC 8201 s.5.3: ten minutes
RTV_MTU: Final = 0x1  # rmx_locks: the path MTU was set by hand


def icmp6_notify_error(kern: Kernel, m: Mbuf, off: int, icmp6: Icmp6Hdr) -> DropReason | None:
    """Tell the protocol and the routing table of an error about a packet of ours.

    None when it was used, else why not. Source: KAME icmp6.c icmp6_notify_error.
    """
    ctl = _quoted(m, off, icmp6)
    if ctl is None:
        return D.ICMP6_TOOSHORT
    if ctl.src not in kern.ip6.ifaddrs:
        return D.ICMP6_ERRORNOPCB
    if ctl.cmd == ICMP6_PACKET_TOO_BIG:
        known = kern.ipsec.knows(kern, ctl) or any(_peers(kern, ctl))
        if not icmp6_mtudisc_update(kern, ctl.dst, ctl.mtu, validated=known):
            return D.ICMP6_TOOBIGMTU
    sw = kern.inet6sw.get(ctl.nxt, kern.inet6sw[IPPROTO_RAW])
    if sw.pr_ctlinput is not None:
        sw.pr_ctlinput(kern, ctl)
    return None


def _quoted(m: Mbuf, off: int, icmp6: Icmp6Hdr) -> PrCtl | None:
    """What the error quotes; None when not even the IPv6 header is there.

    The final destination of a routing header and the home address option count (mobility).
    """
    start = off + Icmp6Hdr.SIZE
    if len(m.data) - start < Ip6Hdr.SIZE:
        return None
    quote = m.data[start:]
    ip6 = Ip6Hdr.unpack(quote)
    src, dst = ip6.ip6_src, ip6.ip6_dst
    chain = walk(quote, ip6.ip6_nxt, Ip6Hdr.SIZE, len(quote))
    for ext in chain.headers:
        if ext.nxt_type == IPPROTO_ROUTING:
            dst = final_destination(quote, ext) or dst
        elif ext.nxt_type == IPPROTO_DSTOPTS:
            src = home_address(quote, ext) or src
    zone = m.rcvif.if_index if m.rcvif is not None else 0
    known = chain.error is None and not chain.fragment
    return PrCtl(
        cmd=icmp6.icmp6_type,
        code=icmp6.icmp6_code,
        src=scope6.in6_embedscope(src, zone),
        dst=scope6.in6_embedscope(dst, zone),
        nxt=chain.nxt,
        payload=quote[chain.off :] if known else b"",
        mtu=icmp6.icmp6_data32 if icmp6.icmp6_type == ICMP6_PACKET_TOO_BIG else 0,
        pointer=icmp6.icmp6_data32,
    )


def final_destination(quote: bytes, ext: ExtHdr) -> bytes | None:
    """Where a routing header leads in the end; None when it is used up or cannot be read."""
    head = Ip6Rthdr.unpack(quote, ext.off)
    if head.ip6r_type != IPV6_RTHDR_TYPE_0 or head.ip6r_segleft == 0:
        return None
    addrs = rthdr0_addrs(quote, ext)
    if isinstance(addrs, Malformed) or not addrs or IN6_IS_ADDR_MULTICAST(addrs[-1]):
        return None
    return addrs[-1]


def home_address(quote: bytes, ext: ExtHdr) -> bytes | None:
    """What stands in the home address option of a destination options header."""
    for opt in iter_options(quote, ext.off + Ip6Dest.SIZE, ext.off + ext.len):
        if isinstance(opt, Malformed):
            return None
        if opt.type == IP6OPT_HOME_ADDRESS and opt.data_len >= Ip6OptHomeAddress.SIZE - 2:
            return Ip6OptHomeAddress.unpack(quote, opt.off).ip6oh_addr
    return None


def _peers(kern: Kernel, ctl: PrCtl) -> Iterable[bool]:
    """Whether each socket of the protocol is connected to the quoted destination."""
    blocks: Iterable[In6pcb] = (x for x in kern.pcbs.raw6 if x.in6p_ip6_nxt in (0, ctl.nxt))
    if ctl.nxt == IPPROTO_UDP:
        blocks = kern.pcbs.udp6_all()
    return (inp.in6p_faddr == ctl.dst for inp in blocks)


def icmp6_mtudisc_update(kern: Kernel, dst: bytes, mtu: int, validated: bool = True) -> bool:
    """A smaller path MTU towards ``dst`` (kernel form) was told; whether it was taken.

    validated: a connected socket stands behind it, so mtudisc_hiwat and not mtudisc_lowat bounds
    how many such routes may be. It lasts ten minutes and is never raised from here.
    Source: KAME icmp6.c icmp6_mtudisc_update; RFC 8201 s.4, s.5.3.
    """
    if mtu < IPV6_MMTU:
        return False
    rt = kern.rt.lookup(dst)
    if rt is None or rt.rt_rmx.rmx_locks & RTV_MTU:
        return False
    if mtu >= ip6_output.ip6_pmtu(kern, rt.rt_ifp, rt):
        return False
    state = kern.icmp6
    limit = state.icmp6_mtudisc_hiwat if validated else state.icmp6_mtudisc_lowat
    if rt not in state.mtudisc_routes and 0 <= limit <= len(state.mtudisc_routes):
        return False
    host = _mtudisc_clone(kern, dst)
    if host is None:
        return False
    host.rt_rmx.rmx_mtu = mtu
    kern.stats.icmp6["icp6s_pmtuchg"] += 1
    _mtudisc_timer(kern, host)
    rt_changed(kern, host)
    return True


def _mtudisc_clone(kern: Kernel, dst: bytes) -> Rtentry | None:
    """A host route to ``dst`` that can carry the metric (icmp6_mtudisc_clone)."""
    rt = rtalloc1(kern, dst)
    if rt is None or rt.rt_flags & RTF_HOST:
        return rt
    if not rt.rt_flags & RTF_GATEWAY and nd6.nd6_need_cache(rt.rt_ifp):
        return None  # its host routes are neighbour entries, which cloning makes
    flags = rt.rt_flags & RTF_GATEWAY | RTF_HOST | RTF_DYNAMIC
    try:
        return rtrequest(kern, RTM_ADD, dst, 128, rt.rt_gateway, flags, rt.rt_ifp, rt.rt_ifa)
    except KError:
        return None


def _mtudisc_timer(kern: Kernel, rt: Rtentry) -> None:
    """Start the ten minutes again."""
    if rt.rt_callout is not None:
        rt.rt_callout.stop()
    deadline = kern.now() + PMTU_TIMEOUT_S * NS
    rt.rt_callout = kern.callouts.at(deadline, icmp6_mtudisc_timeout, kern, rt)
    if not rt.rt_flags & RTF_LLINFO:
        rt.rt_rmx.rmx_expire = deadline
    kern.icmp6.mtudisc_routes.add(rt)


def icmp6_mtudisc_timeout(kern: Kernel, rt: Rtentry) -> None:
    """The path MTU is old: a route made for it goes, another gets its own MTU back."""
    kern.icmp6.mtudisc_routes.discard(rt)
    rt.rt_callout = None
    if not rt.rt_flags & RTF_UP:
        return
    if rt.rt_flags & RTF_DYNAMIC:
        rtrequest(kern, RTM_DELETE, rt.rt_key, rt.rt_plen)
        return
    rt.rt_rmx.rmx_mtu = rt.rt_parent.rt_rmx.rmx_mtu if rt.rt_parent is not None else 0
    if not rt.rt_flags & RTF_LLINFO:
        rt.rt_rmx.rmx_expire = 0
    rt_changed(kern, rt)
