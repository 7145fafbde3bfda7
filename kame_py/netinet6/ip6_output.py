# SPDX-License-Identifier: BSD-3-Clause
"""Send IPv6 packets: extension headers, hooks, route, path MTU.

KAME ip6_output.c without the socket options. Deviates: headers in front of the payload are values
in Exthdrs, joined once; the hop limit and the source were chosen by the sender. Fragmentation is
in ip6_fragment.py. RFC 8200 s.4.1, 4.5, 5.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

from kame_py.kern.drop import D, DropReason, drop
from kame_py.kern.mbuf import Mbuf, m_copy, trace
from kame_py.net.if_ import IFF_LOOPBACK, IFF_MULTICAST
from kame_py.net.if_loop import looutput
from kame_py.net.route import RTF_BLACKHOLE, RTF_CLONING, RTF_GATEWAY, RTF_REJECT, rtalloc1
from kame_py.netinet6.ip6_fragment import ip6_fragment
from kame_py.netinet6.ip6_var import IPV6_DADOUTPUT, IPV6_FORWARDING, IPV6_MINMTU, Exthdrs
from kame_py.netinet6.scope6 import in6_addrzone, in6_clearscope, in6_embedscope
from kame_py.netinet6.trace6 import trace_route
from kame_py.wire.codecs import Ip6Ext, Ip6Hdr, Ip6Rthdr, Ip6Rthdr0
from kame_py.wire.const import (
    IPPROTO_DSTOPTS,
    IPPROTO_HOPOPTS,
    IPPROTO_ROUTING,
    IPV6_MAXPACKET,
    IPV6_MMTU,
    IPV6_RTHDR_TYPE_0,
    IPV6_VERSION,
)
from kame_py.wire.errno import EHOSTUNREACH, EMSGSIZE, ENETUNREACH, EOPNOTSUPP
from kame_py.wire.in6addr import IN6_IS_ADDR_MC_NODELOCAL, IN6ADDR_ANY, IN6ADDR_LOOPBACK
from kame_py.wire.patch import OCTETS, u8

if TYPE_CHECKING:
    from kame_py.kern.kernel import Kernel
    from kame_py.net.if_ import Ifnet
    from kame_py.net.route import Rtentry
    from kame_py.netinet6.ip6_var import Ip6Moptions, Ip6Pktopts

_pack: Final = Ip6Hdr.pack_fields
_unpack: Final = Ip6Hdr.unpack_fields
_HDR: Final = Ip6Hdr.SIZE
_PACKET_MAX: Final = _HDR + IPV6_MAXPACKET
_NXT: Final = Ip6Hdr.O_ip6_nxt
_HLIM: Final = Ip6Hdr.O_ip6_hlim
_DST: Final = Ip6Hdr.O_ip6_dst
_EXT_NXT: Final = Ip6Ext.O_ip6e_nxt
_EXT_LEN: Final = Ip6Ext.O_ip6e_len  # the first octet behind that
_VERSION: Final = IPV6_VERSION << 24  # in the first 32 bits
_ADDR: Final = len(IN6ADDR_ANY)
_RTHDR_TYPE: Final = Ip6Rthdr.O_ip6r_type
_RTHDR_SEGLEFT: Final = Ip6Rthdr.O_ip6r_segleft
_RTHDR_FIRST: Final = Ip6Rthdr0.SIZE
_ONE_HOP: Final = bytes((IPV6_RTHDR_TYPE_0, 1))  # type and segments left
_RTHDR_SECOND: Final = _RTHDR_FIRST + _ADDR
_SPECIAL: Final = RTF_REJECT | RTF_BLACKHOLE | RTF_GATEWAY
#: Addresses from the one up to the other are nobody's loopback and have no zone.
_GLOBAL_FIRST: Final = b"\x01"
_GLOBAL_LAST: Final = b"\xfe"


#: Where a packet leaves: interface, next hop in kernel form, route (None: by interface).
Way: TypeAlias = "tuple[Ifnet, bytes, Rtentry | None]"


def ip6_pkt(src: bytes, dst: bytes, nxt: int, payload: bytes, hlim: int, flow: int = 0) -> bytes:
    """A packet in wire form; src and dst may carry an embedded zone. flow: class and label."""
    if src >= b"\xfe" or dst >= b"\xfe":
        src, dst = in6_clearscope(src), in6_clearscope(dst)
    return _pack(_VERSION | flow, len(payload), nxt, hlim, src, dst) + payload


def ip6_chain(
    hdr: bytes, nxt: int, hdrs: Exthdrs, payload: bytes, hop: bytes | None = None
) -> bytes:
    """IPv6 header (what begins with it), extension headers in wire order, payload of type nxt.

    hop: where it goes instead of the header's destination, on the wire.
    Source: KAME ip6_output.c MAKE_CHAIN; the order is RFC 8200 s.4.1 with the home address
    option behind the routing header.
    """
    ext = hdrs.dest2
    if ext:
        payload = (ext if ext[_EXT_NXT] == nxt else _linked(ext, nxt)) + payload
        nxt = IPPROTO_DSTOPTS
    if hdrs.haddr:
        payload = _linked(hdrs.haddr, nxt) + payload
        nxt = IPPROTO_DSTOPTS
    ext = hdrs.rthdr
    if ext:
        payload = (ext if ext[_EXT_NXT] == nxt else _linked(ext, nxt)) + payload
        nxt = IPPROTO_ROUTING
    if hdrs.dest1:
        payload = _linked(hdrs.dest1, nxt) + payload
        nxt = IPPROTO_DSTOPTS
    if hdrs.hbh:
        payload = _linked(hdrs.hbh, nxt) + payload
        nxt = IPPROTO_HOPOPTS
    plen = len(payload)
    flow, _, _, hlim, src, dst = _unpack(hdr, 0)
    if plen > IPV6_MAXPACKET:
        plen = 0
    return _pack(flow, plen, nxt, hlim, src, hop or dst) + payload


def _linked(ext: bytes, nxt: int) -> bytes:
    """The extension header in front of one of type nxt."""
    return OCTETS[nxt] + ext[_EXT_LEN:]


def ip6_output(
    kern: Kernel,
    m: Mbuf,
    opt: Ip6Pktopts | None = None,
    flags: int = 0,
    im6o: Ip6Moptions | None = None,
    hdrs: Exthdrs | None = None,
) -> int:
    """Send ``m`` (IPv6 header and payload, src and dst in kernel form); takes ownership.

    hdrs: the headers, for a sender that has them and no other options.
    Returns an errno, 0 for success; a packet waiting for a neighbour is a success.
    Source: KAME ip6_output.c; RFC 8200 s.4-5.
    """
    if kern.tracing:
        trace(m, "ip6_output")
    src = m.src
    if (src == IN6ADDR_ANY and not flags & IPV6_DADOUTPUT) or src >= b"\xff":
        drop(kern, m, D.IP6_NOSRC if src == IN6ADDR_ANY else D.IP6_OUTSCOPE)
        return EOPNOTSUPP
    finaldst = m.dst
    if not flags & IPV6_FORWARDING:
        if hdrs is None:
            hdrs = _ip6_opt_headers(opt)
        if im6o is not None:
            hdrs.mloop = im6o.im6o_multicast_loop
        error = _ip6_add_headers(kern, m, hdrs)
        if error:
            return max(error, 0)
        kern.stats.ip6["ip6s_localout"] += 1
    way = _ip6_route(kern, m, opt, im6o)
    if isinstance(way, int):
        return way
    routed = m.data
    error = kern.ipsec.tunnel(kern, m, False)
    if error:
        return max(error, 0)
    if m.data is not routed:
        return ip6_output_tunnelled(kern, m, flags, im6o)
    return _ip6_send(kern, m, way, finaldst, hdrs, flags, im6o)


def ip6_output_tunnelled(
    kern: Kernel, m: Mbuf, flags: int = 0, im6o: Ip6Moptions | None = None
) -> int:
    """Send what IPsec made in tunnel mode: an outer header has a way of its own.

    Nothing behind it must be kept whole in fragments.
    """
    way = _ip6_route(kern, m, None, im6o)
    if isinstance(way, int):
        kern.stats.ipsec6["out_noroute"] += 1
        return way
    return _ip6_send(kern, m, way, m.dst, None, flags, im6o)


def ip6_output_linked(kern: Kernel, m: Mbuf) -> int:
    """Send what is made here and has all its headers, from an own address, at most IPV6_MMTU long.

    For a sender that knows that nobody has to add to it; otherwise as ``ip6_output``.
    """
    if kern.tracing:
        trace(m, "ip6_output")
    kern.stats.ip6["ip6s_localout"] += 1
    way = _ip6_route(kern, m, None, None)
    if isinstance(way, int):
        return way
    return _ip6_send(kern, m, way, m.dst, None, 0, None)


def _ip6_opt_headers(opt: Ip6Pktopts | None) -> Exthdrs:
    if opt is None:
        return Exthdrs()
    dest1 = opt.ip6po_dest1 if opt.ip6po_rthdr else b""  # RFC 2292 s.6: only in front of one
    return Exthdrs(opt.ip6po_hbh, dest1, opt.ip6po_rthdr, dest2=opt.ip6po_dest2)


def _ip6_add_headers(kern: Kernel, m: Mbuf, hdrs: Exthdrs) -> int:
    """The sender's headers and mobility's joined in front of the payload, which IPsec protects.

    IPsec runs before the headers are linked in: it sees the home address as source and the final
    destination; what it protects it puts back as m.data with ``hdrs.dest2`` emptied. Not 0: the
    packet ended.
    """
    error = kern.mip6.exthdr_create(kern, m, hdrs)
    if error:
        drop(kern, m, D.MIP6_EXTHDR)
        return error
    data = m.data
    nxt, payload = data[_NXT], data[_HDR:]
    error = kern.ipsec.output(kern, m, hdrs, nxt, payload)
    if error:
        return error
    if m.data is not data:
        data = m.data
        nxt, payload = data[_NXT], data[_HDR:]
    if hdrs.dest2 or hdrs.rthdr or hdrs.haddr or hdrs.hbh or hdrs.dest1:
        hop = _ip6_first_hop(m, hdrs) if hdrs.rthdr else None
        m.data = ip6_chain(data, nxt, hdrs, payload, hop)
        if hdrs.haddr:
            kern.mip6.addr_exchange(kern, m)
    if len(m.data) > _PACKET_MAX:
        drop(kern, m, D.IP6_CANTFRAG)
        return EMSGSIZE
    return 0


def _ip6_first_hop(m: Mbuf, hdrs: Exthdrs) -> bytes | None:
    """Type 0 routing header: its first address and the destination change places.

    The address as it will stand in the IPv6 header; None: the header leads nowhere.
    """
    rthdr, last = hdrs.rthdr, m.data[_DST:_HDR]
    if len(rthdr) == _RTHDR_SECOND and rthdr.startswith(_ONE_HOP, _RTHDR_TYPE):  # as of mobility
        hop = rthdr[_RTHDR_FIRST:]
        hdrs.rthdr = rthdr[:_RTHDR_FIRST] + last
    else:
        end = _RTHDR_FIRST + rthdr[_RTHDR_SEGLEFT] * _ADDR
        if rthdr[_RTHDR_TYPE] != IPV6_RTHDR_TYPE_0 or not _RTHDR_SECOND <= end <= len(rthdr):
            return None
        hop = rthdr[_RTHDR_FIRST:_RTHDR_SECOND]
        hdrs.rthdr = rthdr[:_RTHDR_FIRST] + rthdr[_RTHDR_SECOND:end] + last + rthdr[end:]
    m.dst = hop if hop < b"\xfe" else in6_embedscope(hop, in6_addrzone(m.dst))
    return hop


def _ip6_route(
    kern: Kernel, m: Mbuf, opt: Ip6Pktopts | None, im6o: Ip6Moptions | None
) -> Way | int:
    """The way out, or an errno after the packet was dropped."""
    dst = m.dst
    if dst >= b"\xff":
        return _ip6_route_multicast(kern, m, opt, im6o)
    nexthop = dst if opt is None or opt.ip6po_nexthop is None else opt.ip6po_nexthop
    rt = kern.rt.lookup(nexthop)
    if rt is None or rt.rt_flags & RTF_CLONING:
        rt = rtalloc1(kern, nexthop)
    if rt is None:
        drop(kern, m, D.IP6_NOROUTE)
        return EHOSTUNREACH
    if kern.tracing:
        trace_route(kern, m, rt)
    rt.rt_use += 1
    ifp = rt.rt_ifp
    if rt.rt_flags & _SPECIAL:
        if rt.rt_flags & (RTF_REJECT | RTF_BLACKHOLE):
            drop(kern, m, D.IP6_OUTREJECT)
            return 0 if rt.rt_flags & RTF_BLACKHOLE else EHOSTUNREACH
        if isinstance(rt.rt_gateway, bytes):
            nexthop = rt.rt_gateway
    src = m.src
    if _GLOBAL_FIRST <= src < _GLOBAL_LAST and _GLOBAL_FIRST <= dst < _GLOBAL_LAST:
        return ifp, nexthop, rt
    if not (ifp.if_flags & IFF_LOOPBACK or _ip6_scope_ok(ifp, src, dst)):
        return _ip6_outdrop(kern, m, ifp, D.IP6_OUTSCOPE, EHOSTUNREACH)
    return ifp, nexthop, rt


def _ip6_route_multicast(
    kern: Kernel, m: Mbuf, opt: Ip6Pktopts | None, im6o: Ip6Moptions | None
) -> Way | int:
    """Multicast leaves by its zone, the sender's choice of interface, or the routing table."""
    ifp = kern.ifbyindex(in6_addrzone(m.dst))
    if ifp is None and opt is not None:
        ifp = opt.ip6po_pktinfo_ifp
    if ifp is None and im6o is not None:
        ifp = im6o.im6o_multicast_ifp
    rt = None
    if ifp is None:
        rt = rtalloc1(kern, m.dst, clone=False)
        if rt is None:
            drop(kern, m, D.IP6_NOROUTE)
            return EHOSTUNREACH
        ifp = rt.rt_ifp
        rt.rt_use += 1
    m.dst = in6_embedscope(m.dst, ifp.if_index)
    if not ifp.if_flags & IFF_MULTICAST:
        return _ip6_outdrop(kern, m, ifp, D.IP6_NOROUTE, ENETUNREACH)
    if not _ip6_scope_ok(ifp, m.src, m.dst):
        return _ip6_outdrop(kern, m, ifp, D.IP6_OUTSCOPE, EHOSTUNREACH)
    return ifp, m.dst, None


def _ip6_scope_ok(ifp: Ifnet, src: bytes, dst: bytes) -> bool:
    """Whether both addresses' zones include the link, and no loopback address gets out."""
    if src == IN6ADDR_LOOPBACK or dst == IN6ADDR_LOOPBACK:
        return bool(ifp.if_flags & IFF_LOOPBACK)
    return in6_addrzone(src) in (0, ifp.if_index) and in6_addrzone(dst) in (0, ifp.if_index)


def _ip6_outdrop(kern: Kernel, m: Mbuf, ifp: Ifnet, why: DropReason, error: int) -> int:
    if m.rcvif is None:
        m.rcvif = ifp  # the per-interface counter of the reason is the outgoing one's
    drop(kern, m, why)
    return error


def _ip6_send(
    kern: Kernel,
    m: Mbuf,
    way: Way,
    finaldst: bytes,
    hdrs: Exthdrs | None,
    flags: int,
    im6o: Ip6Moptions | None,
) -> int:
    """Routed: loop back where wanted, fragment to the path MTU, hand to the link.

    hdrs: those that were put in front of the payload here.
    """
    ifp, nexthop, rt = way
    ifp.in6_ifstat["ifs6_out_request"] += 1
    if m.dst >= b"\xff":
        ifp.in6_ifstat["ifs6_out_mcast"] += 1
        if not _ip6_multicast_leaves(kern, m, ifp, im6o):
            return 0
    if ifp.if_flags & IFF_LOOPBACK:
        zone = kern.ifbyindex(in6_addrzone(m.src) or in6_addrzone(m.dst))
        looutput(kern, zone or ifp, m, nexthop, rt)
        return 0
    if len(m.data) > IPV6_MMTU:
        mtu = ip6_pmtu(kern, ifp, rt, finaldst if finaldst != m.dst else None)
        if flags & IPV6_MINMTU:
            mtu = IPV6_MMTU
        if len(m.data) > mtu:
            return _ip6_send_fragments(kern, m, way, _ip6_unfragmentable(hdrs), mtu)
    output = kern.nd6_output
    output(kern, ifp, m, nexthop, rt)
    return 0


def _ip6_unfragmentable(hdrs: Exthdrs | None) -> int:
    """Octets that every fragment repeats (RFC 8200 s.4.5)."""
    if hdrs is None:
        return _HDR
    return _HDR + len(hdrs.hbh) + len(hdrs.dest1) + len(hdrs.rthdr) + len(hdrs.haddr)


def _ip6_multicast_leaves(kern: Kernel, m: Mbuf, ifp: Ifnet, im6o: Ip6Moptions | None) -> bool:
    """Loop a copy back to members here; False when the packet stays on this node (and ended)."""
    stays = (
        not u8(m.data, _HLIM)
        or bool(ifp.if_flags & IFF_LOOPBACK)
        or IN6_IS_ADDR_MC_NODELOCAL(m.dst)
    )
    loop = m.dst in ifp.in6_multi and (im6o is None or im6o.im6o_multicast_loop)
    if stays:
        if loop:
            looutput(kern, ifp, m, m.dst, None)
        else:
            drop(kern, m, D.IP6_OUTHLIM)
        return False
    if loop:
        ip6_mloopback(kern, ifp, m)
    return True


def ip6_mloopback(kern: Kernel, ifp: Ifnet, m: Mbuf) -> None:
    """Give a copy of an outgoing multicast packet to this node as if received on ``ifp``."""
    looutput(kern, ifp, m_copy(kern, m), m.dst, None)


def in6_linkmtu(ifp: Ifnet) -> int:
    """MTU for IPv6: what a router advertised, else the interface's (IN6_LINKMTU)."""
    linkmtu = ifp.ndi.linkmtu
    return linkmtu if linkmtu and linkmtu < ifp.if_mtu else ifp.if_mtu


def ip6_pmtu(kern: Kernel, ifp: Ifnet, rt: Rtentry | None, finaldst: bytes | None = None) -> int:
    """Path MTU: of the link, the route, and the final destination behind a routing header."""
    mtu = in6_linkmtu(ifp)
    if rt is not None and 0 < rt.rt_rmx.rmx_mtu < mtu:
        mtu = rt.rt_rmx.rmx_mtu
    if finaldst is not None:
        last = kern.rt.look(finaldst)
        if last is not None and 0 < last.rt_rmx.rmx_mtu < mtu:
            mtu = last.rt_rmx.rmx_mtu
    return max(mtu, IPV6_MMTU)  # RFC 8200 s.5: nothing smaller is believed


def _ip6_send_fragments(kern: Kernel, m: Mbuf, way: Way, unfrag: int, mtu: int) -> int:
    ifp, nexthop, rt = way
    parts = ip6_fragment(kern, m, unfrag, mtu)
    if not parts:
        return _ip6_outdrop(kern, m, ifp, D.IP6_CANTFRAG, EMSGSIZE)
    kern.stats.ip6["ip6s_fragmented"] += 1
    kern.stats.ip6["ip6s_ofragments"] += len(parts)
    ifp.in6_ifstat["ifs6_out_fragok"] += 1
    ifp.in6_ifstat["ifs6_out_fragcreat"] += len(parts)
    for part in parts:
        kern.nd6_output(kern, ifp, part, nexthop, rt)
    return 0
