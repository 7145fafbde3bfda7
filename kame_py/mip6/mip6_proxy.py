# SPDX-License-Identifier: BSD-3-Clause
"""Proxy neighbour discovery for mobile nodes that are away.

Corresponds to mip6_bc_proxy_control of KAME mip6_binding.c. Deviates: on the home link, not on the
interface of the address the update went to; advertised three times; only the own route is removed;
unicast solicitations are answered, not tunnelled; the route of a proxy is made when it is looked at
for more than a moment. draft-ietf-mobileip-ipv6-15 s.9.3.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kame_py.kern.clock import MS
from kame_py.kern.log import LOG_ERR, LOG_NOTICE
from kame_py.kern.mbuf import M_FORWARDED
from kame_py.mip6.mip6_bcache import HOME, MADE, UNMADE
from kame_py.mip6.mip6_bcview import Mip6Hr
from kame_py.mip6.mip6_var import mip6_state, mip6log
from kame_py.net.route import (
    HOST_PLEN,
    RTF_ANNOUNCE,
    RTF_HOST,
    RTF_STATIC,
    RTF_UP,
    RTF_WASCLONED,
    RTM_ADD,
    RTM_DELETE,
    LinkAddr,
    Rtentry,
    rtrequest,
)
from kame_py.netinet6 import icmp6, in6, nd6, nd6_nbr
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
    from collections.abc import Iterator

    from kame_py.kern.kernel import Kernel
    from kame_py.kern.mbuf import Mbuf
    from kame_py.mip6.mip6_bcache import Bcache
    from kame_py.mip6.mip6_var import Mip6Bc
    from kame_py.net.if_ import Ifnet

MAX_ADVERT_REXMIT: Final = 3  # draft-15 s.11
_FLAGS: Final = RTF_HOST | RTF_STATIC | RTF_ANNOUNCE


class Proxies:
    """Routes that make this node the proxy of mobile nodes, as long as nobody wants one to keep."""

    __slots__ = ("_cache", "_kern")

    def __init__(self, kern: Kernel, cache: Bcache) -> None:
        self._kern = kern
        self._cache = cache

    def __len__(self) -> int:
        return self._cache.unmade

    def _row(self, key: bytes) -> int:
        row = self._cache.find_home(key)
        return row if self._cache.proxied[row] == UNMADE else 0

    def make(self, key: bytes) -> Rtentry | None:
        row = self._row(key)
        if not row:
            return None
        rt = self._cache.proxies[row] = self._route(row, keep=True)
        self._cache.proxied[row] = MADE
        _count(self._kern, self._cache, -1)
        self._kern.rt.insert(rt)
        return rt

    def look(self, key: bytes) -> Rtentry | None:
        row = self._row(key)
        return self._route(row, keep=False) if row else None

    def all(self) -> Iterator[Rtentry]:
        cache = self._cache
        rows = (row for row in cache.rows(HOME) if cache.proxied[row] == UNMADE)
        return (self._route(row, keep=False) for row in rows)

    def _route(self, row: int, keep: bool) -> Rtentry:
        cache = self._cache
        rt = _route(cache.get_hoa(row), Mip6Hr(cache, cache.reg[row]).hr_ifp)
        nd6.nd6_proxy_llinfo(self._kern, rt, keep)
        return rt


def _route(hoa: bytes, ifp: Ifnet) -> Rtentry:
    link = LinkAddr(ifp.if_index, ifp.if_hwaddr)
    return Rtentry(hoa, HOST_PLEN, link, _FLAGS | RTF_UP, ifp)


def _count(kern: Kernel, cache: Bcache, more: int) -> None:
    """So many routes more are not made."""
    cache.unmade += more
    kern.rt.unmade = Proxies(kern, cache) if cache.unmade else None


def mip6_bc_proxy_control(kern: Kernel, cache: Bcache, row: int, ifp: Ifnet) -> None:
    """Take the address over on its home link, unless that is done."""
    hoa = cache.get_hoa(row)
    if cache.proxied[row] == UNMADE:
        return
    old = kern.rt.exact(hoa, HOST_PLEN)
    if old is not None and old is cache.proxies.get(row):
        return
    if old is not None and old.rt_flags & RTF_ANNOUNCE:
        text = f"RTM_ADD: we are already proxy for {addr_text(kern, hoa)}"
        mip6log(kern, LOG_NOTICE, text)
        return
    if old is not None and not old.rt_flags & RTF_WASCLONED:
        text = f"entry exist {addr_text(kern, hoa)}: rt_flags=0x{old.rt_flags:x}"
        mip6log(kern, LOG_ERR, text)
        return
    if old is not None:
        rtrequest(kern, RTM_DELETE, hoa, HOST_PLEN)
    cache.proxies.pop(row, None)  # somebody has deleted it
    if nd6.nd6_need_cache(ifp):
        cache.proxied[row] = UNMADE
        _changed(kern, cache, RTM_ADD, hoa, ifp)
    elif not _add(kern, cache, row, hoa, ifp):
        return
    mip6_proxy_advertise(kern, cache, row, ifp, 1)


def _add(kern: Kernel, cache: Bcache, row: int, hoa: bytes, ifp: Ifnet) -> bool:
    """On a link without addresses there is nothing but the route."""
    link = LinkAddr(ifp.if_index, ifp.if_hwaddr)
    try:
        cache.proxies[row] = rtrequest(kern, RTM_ADD, hoa, HOST_PLEN, link, _FLAGS, ifp)
    except KError as e:
        text = f"RTM_ADD for {addr_text(kern, hoa)} returned error = {e.errno}"
        mip6log(kern, LOG_ERR, text)
        return False
    cache.proxied[row] = MADE
    return True


def _changed(kern: Kernel, cache: Bcache, cmd: int, hoa: bytes, ifp: Ifnet) -> None:
    """A route that is not made came or went: what rtrequest and nd6_rtrequest do then."""
    _count(kern, cache, 1 if cmd == RTM_ADD else -1)
    kern.rt.changed()
    kern.changes.note(hoa)
    group = in6.in6_solicited(ifp, hoa)
    if cmd == RTM_ADD:
        in6.in6_addmulti(kern, ifp, group)
    elif group in ifp.in6_multi:  # unless the interface went before
        in6.in6_delmulti(kern, ifp, group)
    if kern.rtsock.sockets:
        kern.rtsock.rt_request(kern, cmd, _route(hoa, ifp))


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
    if not row or not state.bcache.proxied[row]:
        return None
    return state.dialect.proxy_router(state.bcache.flags[row])


def mip6_bc_proxy_delete(kern: Kernel, cache: Bcache, row: int) -> None:
    """Give the address back; a route that somebody else has put in its place stays."""
    timer = cache.advertised.pop(row, None)
    if timer is not None:
        timer.stop()
    hoa, was = cache.get_hoa(row), cache.proxied[row]
    cache.proxied[row] = 0
    if was == UNMADE:
        _changed(kern, cache, RTM_DELETE, hoa, Mip6Hr(cache, cache.reg[row]).hr_ifp)
        return
    rt = cache.proxies.pop(row, None)
    if rt is not None and kern.rt.exact(hoa, HOST_PLEN) is rt:
        rtrequest(kern, RTM_DELETE, hoa, HOST_PLEN)


def mip6_proxy_solicited(kern: Kernel, m: Mbuf, bc: Mip6Bc) -> bool:
    """A unicast solicitation for the address, on its way into the tunnel: True, it was answered.

    Neighbours ask like that whether the address is still reachable (RFC 2461 s.7.3). What
    ip6_forward did to the packet is undone, it is for this node.
    """
    data = m.data
    if u8(data, Ip6Hdr.O_ip6_nxt) != IPPROTO_ICMPV6:
        return False
    proxy = bc.mbc_proxy
    if proxy is None or m.rcvif is not proxy:
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
