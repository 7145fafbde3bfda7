# SPDX-License-Identifier: BSD-3-Clause
"""Neighbour solicitations and advertisements (KAME nd6_nbr.c without its DAD half).

Deviates: an answer comes from its target where that is ours, as ndisc6 wants; a solicitation from
an address that is not on the link teaches nothing and is not answered (VU#472363); messages in
fragments are ignored (RFC 6980). RFC 2461 s.4.3, s.4.4, s.7.1, s.7.2; RFC 4861 s.7.2.5.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from kame_py.kern.drop import D, DropReason
from kame_py.kern.log import LOG_ERR, LOG_INFO
from kame_py.kern.mbuf import M_FRAG, Mbuf, m_get
from kame_py.net.route import RTF_ANNOUNCE, RTF_LOCAL, LinkAddr
from kame_py.netinet6 import in6, in6_src, ip6_output, nd6, nd6_dad, nd6_llinfo, nd6_rtr
from kame_py.netinet6.icmp6_var import icmp6_out_count
from kame_py.netinet6.in6_var import (
    IN6_IFF_ANYCAST,
    IN6_IFF_DUPLICATED,
    IN6_IFF_HOME,
    IN6_IFF_NOTREADY,
    IN6_IFF_TENTATIVE,
    In6Ifaddr,
)
from kame_py.netinet6.ip6_var import IPV6_DADOUTPUT, Ip6Moptions
from kame_py.netinet6.nd6_state import Ev
from kame_py.netinet6.nd6_var import ND6_LLINFO_INCOMPLETE, ND6_LLINFO_NOSTATE, LlinfoNd6
from kame_py.netinet6.scope6 import addr_text, in6_clearscope, in6_embedscope
from kame_py.wire.cksum import in6_cksum
from kame_py.wire.codecs import Ip6Hdr, NdNeighborAdvert, NdNeighborSolicit
from kame_py.wire.const import (
    IPPROTO_ICMPV6,
    IPV6_VERSION,
    ND_MAX_HLIM,
    ND_NA_FLAG_OVERRIDE,
    ND_NA_FLAG_ROUTER,
    ND_NA_FLAG_SOLICITED,
    ND_NEIGHBOR_SOLICIT,
    ND_OPT_SOURCE_LINKADDR,
    ND_OPT_TARGET_LINKADDR,
)
from kame_py.wire.errno import KError
from kame_py.wire.in6addr import (
    IN6_IS_ADDR_MULTICAST,
    IN6_IS_ADDR_UNSPECIFIED,
    IN6ADDR_ANY,
    IN6ADDR_LINKLOCAL_ALLNODES,
    solicited_node,
)
from kame_py.wire.malformed import Malformed
from kame_py.wire.nd6opt import NdOptions, build_lladdr_opt, parse_nd_options
from kame_py.wire.patch import put_u16, u8

if TYPE_CHECKING:
    from kame_py.kern.kernel import Kernel
    from kame_py.net.if_ import Ifnet

_SOLICITED_HEAD: Final = solicited_node(bytes(16))[:13]  # ff02::1:ff00:0/104
#: An address that does not answer for itself.
_NO_SOURCE: Final = IN6_IFF_NOTREADY | IN6_IFF_ANYCAST | IN6_IFF_HOME
_CKSUM: Final = NdNeighborSolicit.O_nd_ns_cksum  # the same in all ICMPv6 messages


class NdFrame(NamedTuple):
    """What all receivers of ND messages need: interface and options."""

    ifp: Ifnet
    opts: NdOptions


def nd6_frame(
    kern: Kernel, m: Mbuf, off: int, icmp6len: int, fixed: int, bad: DropReason
) -> NdFrame | DropReason:
    """The checks that RFC 2461 s.6.1 and s.7.1 ask of every ND message, and its options."""
    ifp = m.rcvif
    if m.flags & M_FRAG:
        return D.ND6_FRAGMENT  # RFC 6980 s.5
    if u8(m.data, Ip6Hdr.O_ip6_hlim) != ND_MAX_HLIM:
        return D.ND6_HLIM
    if ifp is None or icmp6len < fixed or len(m.data) < off + fixed:
        return bad
    if u8(m.data, off + NdNeighborSolicit.O_nd_ns_code) != 0:
        return bad
    opts = parse_nd_options(m.data, off + fixed, off + icmp6len)
    if isinstance(opts, Malformed):
        return D.ND6_BADOPT
    if opts.truncated:
        kern.stats.icmp6["icp6s_nd_toomanyopt"] += 1
    return NdFrame(ifp, opts)


# -- solicitations ------------------------------------------------------------------------------


class _Target(NamedTuple):
    """Whose address was asked for: ours or proxied (then with the advertised MAC)."""

    ia: In6Ifaddr | None
    proxy: bytes | None

    @property
    def override(self) -> int:
        """Anycast and proxied addresses do not override (RFC 2461 s.7.2.4, s.7.2.8)."""
        if self.ia is None or self.ia.ia6_flags & IN6_IFF_ANYCAST:
            return 0
        return ND_NA_FLAG_OVERRIDE


def nd6_ns_input(kern: Kernel, m: Mbuf, off: int, icmp6len: int) -> DropReason | None:
    """One neighbour solicitation. None: used. Does not own m."""
    frame = nd6_frame(kern, m, off, icmp6len, NdNeighborSolicit.SIZE, D.ND6_BADNS)
    if isinstance(frame, DropReason):
        return frame
    ifp, opts = frame
    taddr = in6_embedscope(NdNeighborSolicit.unpack(m.data, off).nd_ns_target, ifp.if_index)
    lladdr = opts.src_lladdr
    if IN6_IS_ADDR_MULTICAST(taddr) or IN6_IS_ADDR_UNSPECIFIED(taddr):
        return D.ND6_BADNS
    if lladdr is not None and nd6.nd6_need_cache(ifp) and not nd6.nd6_good_lladdr(ifp, lladdr):
        return D.ND6_BADNS
    if IN6_IS_ADDR_UNSPECIFIED(m.src):
        if lladdr is not None or in6_clearscope(m.dst)[:13] != _SOLICITED_HEAD:
            return D.ND6_BADNS
    elif not nd6.nd6_is_addr_neighbor(kern, m.src, ifp):
        return D.ND6_OFFLINK
    target = _nd6_ns_target(kern, ifp, taddr)
    if target is None or kern.mip6.ns_input(kern, m.src, taddr):
        return D.ND6_NOTTARGET
    return _nd6_ns_answer(kern, m, ifp, taddr, lladdr, target)


def _nd6_ns_target(kern: Kernel, ifp: Ifnet, taddr: bytes) -> _Target | None:
    """Our address, an address we are proxy for, or one that mobility tests for duplicates."""
    ia = in6.in6ifa_ifpwithaddr(ifp, taddr)
    if ia is not None:
        return _Target(ia, None)
    rt = kern.rt.look_exact(taddr)
    if rt is not None and rt.rt_flags & RTF_ANNOUNCE and rt.rt_ifp is ifp:
        gateway = rt.rt_gateway
        if isinstance(gateway, LinkAddr):
            return _Target(None, gateway.sdl_data or ifp.if_hwaddr)
    ia = kern.mip6.dad_find(kern, ifp, taddr)
    return None if ia is None else _Target(ia, None)


def _nd6_ns_answer(
    kern: Kernel, m: Mbuf, ifp: Ifnet, taddr: bytes, lladdr: bytes | None, target: _Target
) -> DropReason | None:
    ia = target.ia
    if ia is not None:
        if ia.ia6_flags & IN6_IFF_DUPLICATED:
            return D.ND6_NOTTARGET
        if m.src == ia.ia_addr:
            kern.log.log(LOG_INFO, f"nd6_ns_input: duplicate IP6 address {addr_text(kern, m.src)}")
            return D.ND6_BADNS
        if ia.ia6_flags & IN6_IFF_TENTATIVE:
            if not IN6_IS_ADDR_UNSPECIFIED(m.src):
                return D.ND6_TENTATIVE
            nd6_dad.nd6_dad_ns_input(kern, ia)
            return None
    router = kern.mip6.proxied_router(kern, taddr) if ia is None else None
    if router is None:
        router = bool(kern.ip6.ip6_forwarding)
    flags = target.override | (ND_NA_FLAG_ROUTER if router else 0)
    if IN6_IS_ADDR_UNSPECIFIED(m.src):
        allnodes = in6_embedscope(IN6ADDR_LINKLOCAL_ALLNODES, ifp.if_index)
        nd6_na_output(kern, ifp, allnodes, taddr, flags, True, target.proxy)
        return None
    nd6.nd6_cache_lladdr(kern, ifp, m.src, lladdr, ND_NEIGHBOR_SOLICIT)
    tlladdr = IN6_IS_ADDR_MULTICAST(m.dst)
    flags |= ND_NA_FLAG_SOLICITED
    nd6_na_output(kern, ifp, m.src, taddr, flags, tlladdr, target.proxy)
    return None


def nd6_ns_output(
    kern: Kernel,
    ifp: Ifnet,
    daddr: bytes | None,
    taddr: bytes,
    ln: LlinfoNd6 | None = None,
    dad: bool = False,
) -> None:
    """Send a solicitation for ``taddr``: to ``daddr``, or by multicast when that is None."""
    if IN6_IS_ADDR_MULTICAST(taddr):
        return
    dst = in6.in6_solicited(ifp, taddr) if daddr is None else daddr
    returning_home = not dad and daddr is None and kern.mip6.ns_output(kern, ifp, taddr, dad)
    if returning_home and nd6.nd6_is_probreach(kern, taddr, ifp):
        dst = taddr
    if dad or returning_home:
        src = IN6ADDR_ANY
    else:
        source = _nd6_ns_source(kern, ifp, dst, ln)
        if source is None:
            return
        src = source
    body = NdNeighborSolicit(nd_ns_target=in6_clearscope(taddr)).pack()
    if src != IN6ADDR_ANY and nd6.nd6_need_cache(ifp):
        body += build_lladdr_opt(ND_OPT_SOURCE_LINKADDR, ifp.if_hwaddr)
    nd6_message(kern, ifp, src, dst, body)


def _nd6_ns_source(kern: Kernel, ifp: Ifnet, dst: bytes, ln: LlinfoNd6 | None) -> bytes | None:
    """Source of the packet that waits if it is ours, so that the answer finds it resolved."""
    if ln is not None and ln.ln_hold is not None:
        ia = in6.in6ifa_ifpwithaddr(ifp, ln.ln_hold.src)
        if ia is not None and not ia.ia6_flags & (IN6_IFF_NOTREADY | IN6_IFF_ANYCAST):
            return ia.ia_addr
    try:
        return in6_src.in6_selectsrc(kern, dst, ifp)
    except KError:
        ia = in6.in6ifa_ifpforlinklocal(ifp, IN6_IFF_NOTREADY)
        return None if ia is None else ia.ia_addr


# -- advertisements -----------------------------------------------------------------------------


def nd6_na_input(kern: Kernel, m: Mbuf, off: int, icmp6len: int) -> DropReason | None:
    """One neighbour advertisement. None: used. Does not own m."""
    frame = nd6_frame(kern, m, off, icmp6len, NdNeighborAdvert.SIZE, D.ND6_BADNA)
    if isinstance(frame, DropReason):
        return frame
    ifp, opts = frame
    na = NdNeighborAdvert.unpack(m.data, off)
    taddr = in6_embedscope(na.nd_na_target, ifp.if_index)
    solicited = bool(na.nd_na_flags_reserved & ND_NA_FLAG_SOLICITED)
    if IN6_IS_ADDR_MULTICAST(taddr) or (solicited and IN6_IS_ADDR_MULTICAST(m.dst)):
        return D.ND6_BADNA
    lladdr = opts.tgt_lladdr
    if lladdr is not None and nd6.nd6_need_cache(ifp) and not nd6.nd6_good_lladdr(ifp, lladdr):
        return D.ND6_BADNA
    ia = in6.in6ifa_ifpwithaddr(ifp, taddr) or kern.mip6.dad_find(kern, ifp, taddr)
    if ia is not None:
        return _nd6_na_ours(kern, ia)
    ln = nd6.nd6_lookup_llinfo(kern, taddr, ifp)
    if ln is None or ln.ln_state == ND6_LLINFO_NOSTATE or ln.ln_permanent:
        return D.ND6_NOTENTRY
    if ln.ln_state == ND6_LLINFO_INCOMPLETE and lladdr is None:
        return D.ND6_NOTENTRY
    _nd6_na_learn(kern, ifp, ln, na.nd_na_flags_reserved, lladdr)
    if kern.mip6.na_input(kern, taddr):
        nd6.nd6_nud_hint(kern, ln.ln_rt, None, force=True)
    return None


def _nd6_na_ours(kern: Kernel, ia: In6Ifaddr) -> DropReason | None:
    """Somebody advertises an address of ours."""
    if ia.ia6_flags & IN6_IFF_TENTATIVE:
        nd6_dad.nd6_dad_na_input(kern, ia)
        return None
    kern.log.log(LOG_ERR, f"nd6_na_input: duplicate IP6 address {addr_text(kern, ia.ia_addr)}")
    return D.ND6_NOTENTRY


# (solicited, override) -> event for an advertisement with another link-layer address
_DIFFERENT: Final = {
    (True, True): Ev.NA_SO_DIFF,
    (True, False): Ev.NA_S_DIFF,
    (False, True): Ev.NA_UO_DIFF,
    (False, False): Ev.NA_U_DIFF,
}


def _nd6_na_learn(
    kern: Kernel, ifp: Ifnet, ln: LlinfoNd6, flags: int, lladdr: bytes | None
) -> None:
    """RFC 4861 s.7.2.5."""
    solicited = bool(flags & ND_NA_FLAG_SOLICITED)
    override = bool(flags & ND_NA_FLAG_OVERRIDE)
    router = bool(flags & ND_NA_FLAG_ROUTER)
    was_incomplete = ln.ln_state == ND6_LLINFO_INCOMPLETE
    differs = lladdr is not None and lladdr != ln.lladdr
    was_router = ln.ln_router
    if was_incomplete or override or not differs:
        ln.ln_router = router
    if differs:
        nd6_llinfo.nd6_llinfo_event(kern, ln, _DIFFERENT[solicited, override], lladdr)
    else:
        nd6_llinfo.nd6_llinfo_event(kern, ln, Ev.NA_S if solicited else Ev.NA_U, lladdr)
    if was_router and not ln.ln_router:
        nd6_rtr.router_became_host(kern, ln.ln_rt.rt_key, ifp)
    elif ln.ln_router and (was_incomplete or not was_router):
        nd6_rtr.router_became_reachable(kern)


def nd6_na_output(
    kern: Kernel,
    ifp: Ifnet,
    daddr: bytes,
    taddr: bytes,
    flags: int,
    tlladdr: bool = True,
    proxy_lladdr: bytes | None = None,
) -> None:
    """Advertise ``taddr`` to ``daddr``; :: means all nodes and clears the solicited flag.

    ``tlladdr`` adds the target link-layer address: ``proxy_lladdr`` or the interface's own.
    """
    if IN6_IS_ADDR_UNSPECIFIED(daddr):
        daddr = in6_embedscope(IN6ADDR_LINKLOCAL_ALLNODES, ifp.if_index)
        flags &= ~ND_NA_FLAG_SOLICITED
    src = _na_source(kern, ifp, daddr, taddr)
    if src is None:
        return
    body = NdNeighborAdvert(nd_na_flags_reserved=flags, nd_na_target=in6_clearscope(taddr)).pack()
    lladdr = ifp.if_hwaddr if proxy_lladdr is None else proxy_lladdr
    if tlladdr and lladdr and nd6.nd6_need_cache(ifp):
        body += build_lladdr_opt(ND_OPT_TARGET_LINKADDR, lladdr)
    nd6_message(kern, ifp, src, daddr, body)


def _na_source(kern: Kernel, ifp: Ifnet, daddr: bytes, taddr: bytes) -> bytes | None:
    """Who was asked for answers in person, where it can: some askers (ndisc6) want that."""
    ia = kern.ip6.ifaddrs.get(taddr)
    asked = ia is not None and ia.ia_ifp is ifp and not ia.ia6_flags & _NO_SOURCE
    if asked and not IN6_IS_ADDR_MULTICAST(daddr):
        return taddr
    try:
        return in6_src.in6_selectsrc(kern, daddr, ifp)
    except KError:
        return None


def nd6_message(kern: Kernel, ifp: Ifnet, src: bytes, dst: bytes, body: bytes) -> None:
    """Send one ND message with hop limit 255; ``body`` has a zero checksum."""
    kind = u8(body, NdNeighborSolicit.O_nd_ns_type)
    body = put_u16(body, _CKSUM, in6_cksum(src, dst, IPPROTO_ICMPV6, body))
    head = Ip6Hdr(
        ip6_flow=IPV6_VERSION << 24,
        ip6_plen=len(body),
        ip6_nxt=IPPROTO_ICMPV6,
        ip6_hlim=ND_MAX_HLIM,
        ip6_src=in6_clearscope(src),
        ip6_dst=in6_clearscope(dst),
    )
    m = m_get(kern, head.pack() + body)
    m.src, m.dst = src, dst
    icmp6_out_count(kern, ifp, kind, 0)
    im6o = Ip6Moptions(
        im6o_multicast_ifp=ifp, im6o_multicast_hlim=ND_MAX_HLIM, im6o_multicast_loop=False
    )
    ip6_output.ip6_output(kern, m, None, IPV6_DADOUTPUT if src == IN6ADDR_ANY else 0, im6o)


def nd6_lladdr_changed(kern: Kernel, ifp: Ifnet) -> None:
    """The interface has a new link-layer address: tell the neighbours (RFC 2461 s.7.2.6)."""
    router = ND_NA_FLAG_ROUTER if kern.ip6.ip6_forwarding else 0
    for ia in list(ifp.in6_addrs):
        rt = kern.rt.exact(ia.ia_addr, 128)
        if rt is not None and rt.rt_flags & RTF_LOCAL and rt.rt_ifa is ia:
            rt.rt_gateway = LinkAddr(ifp.if_index, ifp.if_hwaddr)
        if not ia.ia6_flags & (IN6_IFF_NOTREADY | IN6_IFF_ANYCAST):
            nd6_na_output(kern, ifp, IN6ADDR_ANY, ia.ia_addr, router | ND_NA_FLAG_OVERRIDE)
