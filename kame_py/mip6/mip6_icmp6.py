# SPDX-License-Identifier: BSD-3-Clause
"""ICMPv6 errors about packets of mobility.

Corresponds to mip6_icmp6_input, mip6_icmp6_tunnel_input and mip6_icmp6_find_addr of KAME
mip6_icmp6.c. Deviates: one unreachable message removes no binding, several in a row about its
care-of address do; errors are believed about packets of ours only; a relayed Packet Too Big tells
what fits the tunnel. draft-ietf-mobileip-ipv6-15 s.8.8, s.10.15; RFC 2473 s.8.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from kame_py.kern.clock import NS
from kame_py.kern.log import LOG_INFO, LOG_NOTICE
from kame_py.mip6 import mip6_bc, mip6_bul
from kame_py.mip6.mip6_mnstate import BuEv
from kame_py.mip6.mip6_var import (
    MIP6_CONFIG_TYPE_HA,
    MIP6_CONFIG_TYPE_MN,
    mip6_state,
    mip6log,
)
from kame_py.netinet6 import icmp6_notify
from kame_py.netinet6.icmp6_error import (
    ICMPV6_PLD_MAXLEN,
    icmp6_outif,
    icmp6_ratelimit,
    icmp6_send,
)
from kame_py.netinet6.scope6 import addr_text, in6_embedscope
from kame_py.wire.codecs import Icmp6Hdr, Ip6Hdr
from kame_py.wire.const import (
    ICMP6_DST_UNREACH,
    ICMP6_INFOMSG_MASK,
    ICMP6_PACKET_TOO_BIG,
    ICMP6_PARAM_PROB,
    ICMP6_PARAMPROB_OPTION,
    IP6OPT_BINDING_UPDATE,
    IP6OPT_HOME_ADDRESS,
    IPPROTO_DSTOPTS,
    IPPROTO_ICMPV6,
    IPPROTO_IPV6,
    IPPROTO_ROUTING,
    IPV6_MMTU,
    ND_REDIRECT,
)
from kame_py.wire.in6addr import IN6_IS_ADDR_MULTICAST, IN6ADDR_ANY
from kame_py.wire.ip6ext import Walk, walk
from kame_py.wire.patch import u8

if TYPE_CHECKING:
    from kame_py.kern.kernel import Kernel
    from kame_py.kern.mbuf import Mbuf
    from kame_py.mip6.mip6_var import Mip6Bc

MIP6_UNREACH_MAX: Final = 3  # errors about a care-of address until its binding goes (s.8.8)
MIP6_UNREACH_GAP: Final = 1  # s, errors of one moment count once
MIP6_UNREACH_WINDOW: Final = 60  # s without an error: it was not persistent


class Quote(NamedTuple):
    """The packet that an error quotes.

    src: the home address when there is one; dst: behind a routing header; via: where it was going.
    """

    data: bytes
    src: bytes
    dst: bytes
    via: bytes
    chain: Walk


def mip6_icmp6_error_input(kern: Kernel, m: Mbuf, off: int) -> bool:
    """Each good error message. True: mobility made use of it. Does not own m."""
    icmp6 = Icmp6Hdr.unpack(m.data, off)
    kind = icmp6.icmp6_type
    state = mip6_state(kern)
    if kind & ICMP6_INFOMSG_MASK:
        return False
    quote = mip6_icmp6_quote(kern, m, off)
    if quote is None:
        return False
    if kind == ICMP6_DST_UNREACH and mip6_unreachable(kern, quote):
        return True
    if state.config.mcfg_type == MIP6_CONFIG_TYPE_HA:
        return mip6_icmp6_tunnel_input(kern, m, icmp6, quote)
    if kind == ICMP6_PARAM_PROB and state.config.mcfg_type == MIP6_CONFIG_TYPE_MN:
        return mip6_unsupported(kern, icmp6, quote)
    return False


def mip6_icmp6_quote(kern: Kernel, m: Mbuf, off: int) -> Quote | None:
    """The quoted packet, if it left from an address of ours (mip6_icmp6_find_addr)."""
    data = m.data[off + Icmp6Hdr.SIZE :]
    if len(data) < Ip6Hdr.SIZE:
        return None
    ip6 = Ip6Hdr.unpack(data)
    zone = m.rcvif.if_index if m.rcvif is not None else 0
    src, dst = ip6.ip6_src, ip6.ip6_dst
    chain = walk(data, ip6.ip6_nxt, Ip6Hdr.SIZE, len(data))
    for ext in chain.headers:
        if ext.nxt_type == IPPROTO_ROUTING:
            dst = icmp6_notify.final_destination(data, ext) or dst
        elif ext.nxt_type == IPPROTO_DSTOPTS:
            src = icmp6_notify.home_address(data, ext) or src
    src = in6_embedscope(src, zone)
    if src not in kern.ip6.ifaddrs:
        return None
    return Quote(data, src, in6_embedscope(dst, zone), ip6.ip6_dst, chain)


# -- correspondent --------------------------------------------------------------------------------


def mip6_unreachable(kern: Kernel, quote: Quote) -> bool:
    """A care-of address cannot be reached: three times in a row, and its binding goes."""
    cache = mip6_state(kern).bcache
    row = cache.find(quote.src, quote.dst)
    if not row or cache.get_coa(row) != quote.via:
        return False
    now = kern.now()
    count, last = cache.unreach.get(row, (0, 0))
    if count and now - last < MIP6_UNREACH_GAP * NS:
        return True
    if now - last > MIP6_UNREACH_WINDOW * NS:
        count = 0
    cache.unreach[row] = count + 1, now
    if count + 1 >= MIP6_UNREACH_MAX:
        text = f"a mobile node ({addr_text(kern, quote.dst)}) moved."
        mip6log(kern, LOG_INFO, text)
        mip6_bc.mip6_bc_remove(kern, row)
    return True


# -- home agent -----------------------------------------------------------------------------------


def mip6_icmp6_tunnel_input(kern: Kernel, m: Mbuf, icmp6: Icmp6Hdr, quote: Quote) -> bool:
    """An error about a tunnel packet, told on to who sent the packet inside (RFC 2473 s.8)."""
    start = quote.chain.off
    inner = quote.data[start:]
    if quote.chain.nxt != IPPROTO_IPV6 or len(inner) < Ip6Hdr.SIZE:
        return False
    ip6 = Ip6Hdr.unpack(inner)
    bc = mip6_state(kern).mip6_hrbc_list.get(ip6.ip6_dst)
    if bc is None or bc.mbc_addr != quote.src:
        return False
    param = _relayed_param(icmp6, start, len(inner))
    src = in6_embedscope(ip6.ip6_src, _home_zone(bc))
    if param is None or not _may_relay(inner, src) or icmp6_ratelimit(kern):
        return False
    head = Icmp6Hdr(icmp6_type=icmp6.icmp6_type, icmp6_code=icmp6.icmp6_code, icmp6_data32=param)
    body = head.pack() + inner[:ICMPV6_PLD_MAXLEN]
    icmp6_send(kern, bc.mbc_addr, src, body, kern.ip6.ip6_defhlim, icmp6_outif(kern, src))
    return True


def _home_zone(bc: Mip6Bc) -> int:
    return bc.mbc_hr.hr_ifp.if_index if bc.mbc_hr is not None else 0


def _relayed_param(icmp6: Icmp6Hdr, start: int, size: int) -> int | None:
    """MTU or pointer as the sender of the inner packet must see it; None: not its business.

    The outer header takes its size off the MTU; nothing below 1280 is told, the tunnel fragments.
    """
    param = icmp6.icmp6_data32
    if icmp6.icmp6_type == ICMP6_PACKET_TOO_BIG:
        return max(param - start, IPV6_MMTU)
    if icmp6.icmp6_type == ICMP6_PARAM_PROB:
        return param - start if start <= param < start + size else None
    return param


def _may_relay(inner: bytes, src: bytes) -> bool:
    """RFC 4443 s.2.4 (e) for the packet inside."""
    if src == IN6ADDR_ANY or IN6_IS_ADDR_MULTICAST(src):
        return False
    chain = walk(inner, Ip6Hdr.unpack(inner).ip6_nxt, Ip6Hdr.SIZE, len(inner))
    if chain.nxt != IPPROTO_ICMPV6 or chain.fragment:
        return True
    if chain.off >= len(inner):
        return False
    kind = u8(inner, chain.off)
    return bool(kind & ICMP6_INFOMSG_MASK) and kind != ND_REDIRECT


# -- mobile node ----------------------------------------------------------------------------------


def mip6_unsupported(kern: Kernel, icmp6: Icmp6Hdr, quote: Quote) -> bool:
    """A peer does not know an option of ours: no more updates to it, or no home address either."""
    if icmp6.icmp6_code != ICMP6_PARAMPROB_OPTION or icmp6.icmp6_data32 >= len(quote.data):
        return False
    what = u8(quote.data, icmp6.icmp6_data32)
    peer = addr_text(kern, quote.dst)
    if what == IP6OPT_BINDING_UPDATE:
        text = f"a node ({peer}) doesn't support a binding update destopt."
        mip6log(kern, LOG_INFO, text)
        return _tell(kern, quote.dst, BuEv.NO_BU)
    if what != IP6OPT_HOME_ADDRESS:
        return False
    text = f"a node ({peer}) doesn't support a home address destopt."
    mip6log(kern, LOG_NOTICE, text)
    if mip6_state(kern).allow_coa_fallback:
        _tell(kern, quote.dst, BuEv.NO_HAO)
    return True


def _tell(kern: Kernel, paddr: bytes, ev: BuEv) -> bool:
    """The event to every binding update list entry of the peer; whether there was one."""
    bus = [bu for bu in mip6_bul.mip6_bu_list(mip6_state(kern)) if bu.mbu_paddr == paddr]
    for bu in bus:
        mip6_bul.mip6_bu_event(kern, bu, ev)
    return bool(bus)
