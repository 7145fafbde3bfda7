# SPDX-License-Identifier: BSD-3-Clause
"""Receive IPv6 packets: header checks, whose packet it is, the loop over the headers.

KAME ip6_input.c. Deviates: the payload length is enforced before options are read; an address is
local because it is in ``kern.ip6.ifaddrs``, not because of its loopback route. Options are in
ip6_opts.py. RFC 8200 s.3-4, facts of the order of hooks: RFC 2460 and the mobility drafts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kame_py.kern.drop import D, drop
from kame_py.kern.mbuf import (
    M_ANYCAST6,
    M_AUTHIPDGM,
    M_AUTHIPHDR,
    M_FORWARDED,
    M_LOOP,
    M_NOBINDING,
    M_TUNNELLED,
    Mbuf,
    trace,
)
from kame_py.kern.protosw import IPPROTO_DONE
from kame_py.net.if_ import IFF_LOOPBACK
from kame_py.netinet6.icmp6_error import icmp6_error
from kame_py.netinet6.in6_var import IN6_IFF_ANYCAST, IN6_IFF_NOTREADY
from kame_py.netinet6.ip6_control import ip6_savecontrol
from kame_py.netinet6.ip6_forward import ip6_forward
from kame_py.netinet6.ip6_fragment import IP6_IDENT_MASK
from kame_py.netinet6.ip6_opts import hbhopts_init, ip6_process_hopopts, ip6_unknown_opt
from kame_py.netinet6.ip6_sysctl import ip6_sysctl_init
from kame_py.netinet6.ip6_var import Ip6State
from kame_py.netinet6.scope6 import in6_embedscope
from kame_py.wire.codecs import Ip6Hdr
from kame_py.wire.const import (
    ICMP6_PARAM_PROB,
    ICMP6_PARAMPROB_HEADER,
    IP6OPT_RTALERT_MLD,
    IPPROTO_AH,
    IPPROTO_DSTOPTS,
    IPPROTO_ESP,
    IPPROTO_FRAGMENT,
    IPPROTO_HOPOPTS,
    IPPROTO_RAW,
    IPPROTO_ROUTING,
    IPV6_MAXPACKET,
    IPV6_VERSION,
    IPV6_VERSION_MASK,
)
from kame_py.wire.in6addr import IN6_IS_ADDR_MC_NODELOCAL, IN6ADDR_ANY, IN6ADDR_LOOPBACK
from kame_py.wire.patch import u16

if TYPE_CHECKING:
    from kame_py.kern.kernel import Kernel
    from kame_py.net.if_ import Ifnet

__all__ = [
    "ip6_demux",
    "ip6_init",
    "ip6_input",
    "ip6_process_hopopts",
    "ip6_savecontrol",
    "ip6_unknown_opt",
]

#: Headers that stand before a final one: policy and mobility look at the packet behind these.
EXTENSION_HEADERS: Final = frozenset(
    (
        IPPROTO_HOPOPTS,
        IPPROTO_DSTOPTS,
        IPPROTO_ROUTING,
        IPPROTO_FRAGMENT,
        IPPROTO_ESP,
        IPPROTO_AH,
    )
)
V4MAPPED_PREFIX: Final = bytes(10) + b"\xff\xff"
#: Addresses from the one up to the other are nobody's loopback and have no zone.
_GLOBAL_FIRST: Final = b"\x01"
_GLOBAL_LAST: Final = b"\xfe"
_NO_LIMIT: Final = IPV6_MAXPACKET  # more headers than octets
_HDR: Final = Ip6Hdr.SIZE
_VERSION: Final = Ip6Hdr.O_ip6_flow
_unpack: Final = Ip6Hdr.unpack_fields
_FRESH: Final = ~(M_AUTHIPHDR | M_AUTHIPDGM | M_ANYCAST6 | M_FORWARDED | M_TUNNELLED | M_NOBINDING)


def ip6_init(kern: Kernel) -> None:
    """State, variables and hop-by-hop options of the IPv6 layer; packets now come up here."""
    kern.ip6 = Ip6State(ip6_id=kern.rng.stream("ip6.ident").u64() & IP6_IDENT_MASK)
    kern.ip6intr = ip6_input
    hbhopts_init(kern)
    ip6_sysctl_init(kern)


def ip6_input(kern: Kernel, m: Mbuf) -> None:
    """Validate and dispatch one packet received on m.rcvif; takes ownership.

    Also where a decapsulated or looped back packet starts again, with fresh receive state.
    Source: KAME ip6_input.c; RFC 8200 s.3-4.
    """
    ifp = m.rcvif
    if ifp is None:
        raise ValueError("ip6_input without a receiving interface")
    if kern.tracing:
        trace(m, f"ip6_input {ifp.if_name}")
    nxt = _ip6_check_header(kern, m, ifp)
    if nxt == IPPROTO_DONE:
        return
    ours = _ip6_ours(kern, m, ifp)
    if ours is None:
        return
    off = _HDR
    if nxt == IPPROTO_HOPOPTS:
        after = _ip6_hopopts_input(kern, m)
        if after is None:
            return
        nxt, off = after
        if m.aux is not None and m.aux.ip6a_rtalert == IP6OPT_RTALERT_MLD:
            ours = ours or bool(kern.ip6.ip6_forwarding)
    if not ours:
        ip6_forward(kern, m, False)
        return
    kern.stats.ip6["ip6s_delivered"] += 1
    ip6_demux(kern, m, nxt, off)


def _ip6_check_header(kern: Kernel, m: Mbuf, ifp: Ifnet) -> int:
    """Length, version, addresses that must not be on a wire; trims to the payload length.

    Returns the next header; IPPROTO_DONE: the packet was dropped.
    """
    m.aux = None
    if m.ipsec is not None and not m.flags & M_TUNNELLED:
        m.ipsec = None
    m.flags &= _FRESH
    kern.stats.ip6["ip6s_total"] += 1
    ifp.in6_ifstat["ifs6_in_receive"] += 1
    data = m.data
    if len(data) < _HDR:
        drop(kern, m, D.IP6_TOOSMALL)
        return IPPROTO_DONE
    if data[_VERSION] & IPV6_VERSION_MASK != IPV6_VERSION:
        drop(kern, m, D.IP6_BADVERS)
        return IPPROTO_DONE
    _, plen, nxt, _, src, dst = _unpack(data, 0)
    kern.stats.ip6s_nxthist[nxt] += 1
    if _GLOBAL_FIRST <= src < _GLOBAL_LAST and _GLOBAL_FIRST <= dst < _GLOBAL_LAST:
        m.src, m.dst = src, dst
    elif not _ip6_check_addrs(kern, m, ifp, src, dst):
        return IPPROTO_DONE
    if len(data) == _HDR + plen or (not plen and nxt == IPPROTO_HOPOPTS):
        return nxt  # without a length a jumbo payload option must say it
    return nxt if _ip6_trim(kern, m, plen) else IPPROTO_DONE


def _ip6_check_addrs(kern: Kernel, m: Mbuf, ifp: Ifnet, src: bytes, dst: bytes) -> bool:
    """Addresses of the packet in kernel form; False: they must not be on a wire, it was dropped."""
    low = src < _GLOBAL_FIRST or dst < _GLOBAL_FIRST  # of ::/8
    if src >= b"\xff":
        why = D.IP6_SRCMCAST
    elif dst == IN6ADDR_ANY:
        why = D.IP6_DSTUNSPEC
    elif low and IN6ADDR_LOOPBACK in (src, dst) and not ifp.if_flags & IFF_LOOPBACK:
        why = D.IP6_LOOPBACK
    elif low and (src.startswith(V4MAPPED_PREFIX) or dst.startswith(V4MAPPED_PREFIX)):
        why = D.IP6_V4MAPPED
    else:
        m.src = in6_embedscope(src, ifp.if_index)
        m.dst = in6_embedscope(dst, ifp.if_index)
        return True
    drop(kern, m, why)
    return False


def _ip6_trim(kern: Kernel, m: Mbuf, plen: int) -> bool:
    """Cut link-layer padding; False when the packet is shorter than it says and was dropped."""
    want = _HDR + plen
    have = len(m.data)
    if have < want:
        drop(kern, m, D.IP6_TOOSHORT)
        return False
    if have > want:
        m.data = m.data[:want]
    return True


def _ip6_ours(kern: Kernel, m: Mbuf, ifp: Ifnet) -> bool | None:
    """Whether the packet is for this node; None when it was dropped."""
    dst = m.dst
    if dst >= b"\xff":
        ifp.in6_ifstat["ifs6_in_mcast"] += 1
        if IN6_IS_ADDR_MC_NODELOCAL(dst) and not m.flags & M_LOOP:
            drop(kern, m, D.IP6_BADSCOPE)  # RFC 4291 s.2.7: it never crosses a wire
            return None
        ours = kern.mip6.mcast_input(kern, m)
        if ours is None:
            return None
        if not ours and dst not in ifp.in6_multi:
            kern.stats.ip6["ip6s_cantforward"] += 1
            drop(kern, m, D.IP6_NOTMEMBER)
            return None
        ifp.in6_ifstat["ifs6_in_deliver"] += 1
        return True
    ia = kern.ip6.ifaddrs.get(dst)
    if ia is not None:
        flags = ia.ia6_flags
        if flags & IN6_IFF_NOTREADY:
            drop(kern, m, D.IP6_NOTREADY)
            return None
        if flags & IN6_IFF_ANYCAST:
            m.flags |= M_ANYCAST6
        ia.ia_ifp.in6_ifstat["ifs6_in_deliver"] += 1
        return True
    if not kern.ip6.ip6_forwarding:
        drop(kern, m, D.IP6_NOTFORUS)
        return None
    return False


def _ip6_hopopts_input(kern: Kernel, m: Mbuf) -> tuple[int, int] | None:
    """Hop-by-hop options, first of all headers and for every node on the way (RFC 2460 s.4.3)."""
    after = ip6_process_hopopts(kern, m, _HDR)
    if after is None or u16(m.data, Ip6Hdr.O_ip6_plen):
        return after
    jumboplen = m.aux.ip6a_jumboplen if m.aux is not None else 0
    if not jumboplen:  # RFC 2675 s.3
        icmp6_error(kern, m, ICMP6_PARAM_PROB, ICMP6_PARAMPROB_HEADER, Ip6Hdr.O_ip6_plen)
        drop(kern, m, D.IP6_PLEN0)
        return None
    return after if _ip6_trim(kern, m, jumboplen) else None


def ip6_demux(kern: Kernel, m: Mbuf, nxt: int, off: int) -> None:
    """Give each header to its protocol until one takes the packet."""
    inet6sw = kern.inet6sw
    for _ in range(kern.ip6.ip6_hdrnestlimit or _NO_LIMIT):
        if off > len(m.data):
            drop(kern, m, D.IP6_EXTTRUNC)
            return
        # Raw sockets take what nobody else does, as in ip6_protox.
        pr = inet6sw.get(nxt) or inet6sw[IPPROTO_RAW]
        if nxt not in EXTENSION_HEADERS:
            if pr.lasthdr and kern.ipsec.in_reject(kern, m, off, nxt):
                drop(kern, m, D.IPSEC_INPOLICY)
                return
            if not kern.mip6.route_optimize(kern, m, off, nxt):
                drop(kern, m, D.MIP6_ROUTEOPT)
                return
        if kern.tracing:
            trace(m, f"{pr.name} at {off}")
        pr_input = pr.pr_input
        nxt, off = pr_input(kern, m, off, nxt)
        if nxt == IPPROTO_DONE:
            return
    drop(kern, m, D.IP6_TOOMANYHDR)
