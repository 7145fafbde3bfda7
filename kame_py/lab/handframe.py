# SPDX-License-Identifier: BSD-3-Clause
"""What a frame means for a handover: solicitations, binding updates, packets of the home address.

No KAME counterpart. Reads wire formats only. Read first: RFC 2461 s.4; draft-ietf-mobileip-ipv6-15
s.5 for the options.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from kame_py.wire.codecs import (
    EtherHeader,
    Icmp6Hdr,
    Ip6Dest,
    Ip6Hdr,
    NdNeighborAdvert,
    NdNeighborSolicit,
)
from kame_py.wire.const import (
    ETHERTYPE_IPV6,
    IPPROTO_DSTOPTS,
    IPPROTO_ICMPV6,
    IPPROTO_IPV6,
    IPPROTO_NONE,
    IPPROTO_ROUTING,
    ND_NEIGHBOR_ADVERT,
    ND_NEIGHBOR_SOLICIT,
    ND_REDIRECT,
    ND_ROUTER_SOLICIT,
)
from kame_py.wire.ip6ext import ExtHdr, iter_options, rthdr0_addrs, walk
from kame_py.wire.malformed import Malformed
from kame_py.wire.mip6 import BindingAck, BindingUpdate, HomeAddress, OptionWire

_ND: Final = range(ND_ROUTER_SOLICIT, ND_REDIRECT + 1)
_TUNNELS_MAX: Final = 4


@dataclass(slots=True)
class Meaning:
    """One frame. src, dst: of the outermost header.

    final: whom the innermost packet is for, by its routing header. home: the home address option.
    nd_type 0: no neighbour discovery. payload: it carries more than the signalling of mobility.
    """

    group: bool  # to many stations
    src: bytes
    dst: bytes
    final: bytes
    home: bytes | None = None
    bu: BindingUpdate | None = None
    ba: BindingAck | None = None
    nd_type: int = 0
    nd_target: bytes | None = None
    payload: bool = False


def frame_meaning(frame: bytes, wire: OptionWire) -> Meaning | None:
    """None for what is not a whole IPv6 packet. wire: the dialect of the mobility options."""
    ether = EtherHeader.parse(frame)
    if isinstance(ether, Malformed) or ether.ether_type != ETHERTYPE_IPV6:
        return None
    data = frame[EtherHeader.SIZE :]
    ip6 = Ip6Hdr.parse(data)
    if isinstance(ip6, Malformed):
        return None
    found = Meaning(bool(next(iter(ether.ether_dhost)) & 1), ip6.ip6_src, ip6.ip6_dst, ip6.ip6_dst)
    off = 0
    for _ in range(_TUNNELS_MAX):
        found.final = ip6.ip6_dst
        end = min(off + Ip6Hdr.SIZE + ip6.ip6_plen, len(data))
        chain = walk(data, ip6.ip6_nxt, off + Ip6Hdr.SIZE, end)
        if chain.error is not None:
            return None
        _headers(found, data, chain.headers, wire)
        if chain.nxt != IPPROTO_IPV6 or chain.fragment:
            _upper(found, data, chain.nxt, chain.off)
            return found
        off = chain.off
        inner = Ip6Hdr.parse(data, off)
        if isinstance(inner, Malformed):
            return None
        ip6 = inner
    return None


def _headers(found: Meaning, data: bytes, headers: Iterable[ExtHdr], wire: OptionWire) -> None:
    for hdr in headers:
        if hdr.nxt_type == IPPROTO_ROUTING:
            addrs = rthdr0_addrs(data, hdr)
            if not isinstance(addrs, Malformed) and addrs:
                found.final = addrs[-1]
        elif hdr.nxt_type == IPPROTO_DSTOPTS:
            for opt in iter_options(data, hdr.off + Ip6Dest.SIZE, hdr.off + hdr.len):
                value = None if isinstance(opt, Malformed) else wire.parse_option(data, opt)
                if isinstance(value, HomeAddress):
                    found.home = value.addr
                elif isinstance(value, BindingUpdate):
                    found.bu = value
                elif isinstance(value, BindingAck):
                    found.ba = value


def _upper(found: Meaning, data: bytes, nxt: int, off: int) -> None:
    found.payload = nxt != IPPROTO_NONE
    if nxt != IPPROTO_ICMPV6:
        return
    icmp6 = Icmp6Hdr.parse(data, off)
    if isinstance(icmp6, Malformed) or icmp6.icmp6_type not in _ND:
        return
    found.nd_type = icmp6.icmp6_type
    found.payload = False
    if found.nd_type == ND_NEIGHBOR_SOLICIT:
        ns = NdNeighborSolicit.parse(data, off)
        found.nd_target = None if isinstance(ns, Malformed) else ns.nd_ns_target
    elif found.nd_type == ND_NEIGHBOR_ADVERT:
        na = NdNeighborAdvert.parse(data, off)
        found.nd_target = None if isinstance(na, Malformed) else na.nd_na_target
