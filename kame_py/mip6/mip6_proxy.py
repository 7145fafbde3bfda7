# SPDX-License-Identifier: BSD-3-Clause
"""Proxy neighbour discovery for mobile nodes that are away.

Corresponds to mip6_bc_proxy_control of KAME mip6_binding.c. Deviates: on the home link, not on the
interface of the address the update went to; advertised three times; only the own route is removed;
unicast solicitations are answered, not tunnelled. draft-ietf-mobileip-ipv6-15 s.9.3.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kame_py.kern.clock import MS
from kame_py.kern.log import LOG_ERR, LOG_NOTICE
from kame_py.kern.mbuf import M_FORWARDED
from kame_py.mip6.mip6_var import mip6_state, mip6log
from kame_py.net.route import (
    RTF_ANNOUNCE,
    RTF_HOST,
    RTF_STATIC,
    RTF_WASCLONED,
    RTM_ADD,
    RTM_DELETE,
    LinkAddr,
    rtrequest,
)
from kame_py.netinet6 import icmp6, nd6_nbr
from kame_py.netinet6.scope6 import addr_text, in6_clearscope
from kame_py.wire.codecs import Ip6Hdr, NdNeighborSolicit
from kame_py.wire.const import (
    IPPROTO_ICMPV6,
    ND_MAX_HLIM,
    ND_NA_FLAG_OVERRIDE,
    ND_NA_FLAG_ROUTER,
    ND_NEIGHBOR_SOLICIT,
)
from kame_py.wire.errno import KError
from kame_py.wire.in6addr import IN6ADDR_ANY
from kame_py.wire.patch import put_u8, u8

if TYPE_CHECKING:
    from kame_py.kern.kernel import Kernel
    from kame_py.kern.mbuf import Mbuf
    from kame_py.mip6.mip6_bcache import Bcache
    from kame_py.mip6.mip6_var import Mip6Bc
    from kame_py.net.if_ import Ifnet

MAX_ADVERT_REXMIT: Final = 3  # draft-15 s.11
_HOST: Final = 128


def mip6_bc_proxy_control(kern: Kernel, cache: Bcache, row: int, ifp: Ifnet) -> None:
    """Take the address over on its home link, unless that is done."""
    hoa = cache.get_hoa(row)
    old = kern.rt.exact(hoa, _HOST)
    if old is not None and old is cache.proxies.get(row):
        return
    text = addr_text(kern, hoa)
    if old is not None and old.rt_flags & RTF_ANNOUNCE:
        mip6log(kern, LOG_NOTICE, f"RTM_ADD: we are already proxy for {text}")
        return
    if old is not None and not old.rt_flags & RTF_WASCLONED:
        mip6log(kern, LOG_ERR, f"entry exist {text}: rt_flags=0x{old.rt_flags:x}")
        return
    if old is not None:
        rtrequest(kern, RTM_DELETE, hoa, _HOST)
    link = LinkAddr(ifp.if_index, ifp.if_hwaddr)
    flags = RTF_HOST | RTF_STATIC | RTF_ANNOUNCE
    try:
        cache.proxies[row] = rtrequest(kern, RTM_ADD, hoa, _HOST, link, flags, ifp)
    except KError as e:
        mip6log(kern, LOG_ERR, f"RTM_ADD for {text} returned error = {e.errno}")
        return
    mip6_proxy_advertise(kern, cache, row, ifp, 1)


def mip6_proxy_advertise(kern: Kernel, cache: Bcache, row: int, ifp: Ifnet, count: int) -> None:
    """All nodes of the link shall send to this node; said MAX_ADVERT_REXMIT times.

    R tells what the mobile node is. Retransmitted after RetransTimer as RFC 2461 s.7.2.6 says.
    """
    router = mip6_state(kern).dialect.proxy_router(cache.flags[row])
    flags = ND_NA_FLAG_OVERRIDE | (ND_NA_FLAG_ROUTER if router else 0)
    nd6_nbr.nd6_na_output(kern, ifp, IN6ADDR_ANY, cache.get_hoa(row), flags)
    if count < MAX_ADVERT_REXMIT:
        deadline = kern.now() + ifp.ndi.retrans_ms * MS
        again = mip6_proxy_advertise, kern, cache, row, ifp, count + 1
        cache.advertised[row] = kern.callouts.at(deadline, *again)
    else:
        cache.advertised.pop(row, None)


def mip6_proxied_router(kern: Kernel, addr: bytes) -> bool | None:
    """Whether a mobile node is a router, as far as its update tells; None: we are no proxy."""
    state = mip6_state(kern)
    row = state.bcache.find_home(addr)
    if not row or row not in state.bcache.proxies:
        return None
    return state.dialect.proxy_router(state.bcache.flags[row])


def mip6_bc_proxy_delete(kern: Kernel, cache: Bcache, row: int) -> None:
    """Give the address back; a route that somebody else has put in its place stays."""
    timer = cache.advertised.pop(row, None)
    if timer is not None:
        timer.stop()
    rt = cache.proxies.pop(row, None)
    hoa = cache.get_hoa(row)
    if rt is not None and kern.rt.exact(hoa, _HOST) is rt:
        rtrequest(kern, RTM_DELETE, hoa, _HOST)


def mip6_proxy_solicited(kern: Kernel, m: Mbuf, bc: Mip6Bc) -> bool:
    """A unicast solicitation for the address, on its way into the tunnel: True, it was answered.

    Neighbours ask like that whether the address is still reachable (RFC 2461 s.7.3). What
    ip6_forward did to the packet is undone, it is for this node.
    """
    data = m.data
    if u8(data, Ip6Hdr.O_ip6_nxt) != IPPROTO_ICMPV6:
        return False
    proxy = bc.mbc_proxy
    if proxy is None or m.rcvif is not proxy.rt_ifp:
        return False
    if u8(data, Ip6Hdr.O_ip6_hlim) != ND_MAX_HLIM - 1:
        return False
    if len(data) < Ip6Hdr.SIZE + NdNeighborSolicit.SIZE:
        return False
    ns = NdNeighborSolicit.unpack(data, Ip6Hdr.SIZE)
    if ns.nd_ns_type != ND_NEIGHBOR_SOLICIT or ns.nd_ns_target != in6_clearscope(bc.mbc_phaddr):
        return False
    m.data = put_u8(data, Ip6Hdr.O_ip6_hlim, ND_MAX_HLIM)
    m.flags &= ~M_FORWARDED
    icmp6.icmp6_input(kern, m, Ip6Hdr.SIZE, IPPROTO_ICMPV6)
    return True
