# SPDX-License-Identifier: BSD-3-Clause
"""Which packets are signalling of mobility, and what they say in a few words.

No KAME counterpart. Reads wire formats only, in the octets of the drafts; the messages of RFC 6275
have names here because captures hold them, not because a kernel understands them.
Read first: draft-ietf-mobileip-ipv6-15 s.5.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from kame_py.replay.linktype import Frame, link_strip
from kame_py.wire.codecs import Icmp6Hdr, Ip6Dest, Ip6Hdr, NdRouterAdvert
from kame_py.wire.const import (
    ETHERTYPE_IPV6,
    ICMP6_HADISCOV_REPLY,
    ICMP6_HADISCOV_REQUEST,
    ICMP6_INFOMSG_MASK,
    ICMP6_MOBILEPREFIX_ADVERT,
    ICMP6_MOBILEPREFIX_SOLICIT,
    IPPROTO_AH,
    IPPROTO_DSTOPTS,
    IPPROTO_ESP,
    IPPROTO_FRAGMENT,
    IPPROTO_HOPOPTS,
    IPPROTO_ICMPV6,
    IPPROTO_IPV6,
    IPPROTO_MH,
    IPPROTO_ROUTING,
    ND_RA_FLAG_HOME_AGENT,
    ND_ROUTER_ADVERT,
    ND_ROUTER_SOLICIT,
)
from kame_py.wire.in6addr import ntop
from kame_py.wire.ip6ext import ExtHdr, Walk, iter_options, rthdr0_addrs, walk
from kame_py.wire.malformed import Malformed
from kame_py.wire.mip6 import (
    AltCoa,
    BindingAck,
    BindingRequest,
    BindingUpdate,
    HomeAddress,
    MipOption,
    OptionWire,
)

AT: Final = " at "  # stands before a care-of address
RA: Final = "RA"
RS: Final = "RS"
_TUNNELS_MAX: Final = 4
#: What a packet with signalling may begin with, so that others cost little.
MAY: Final = frozenset(
    (IPPROTO_HOPOPTS, IPPROTO_ROUTING, IPPROTO_DSTOPTS, IPPROTO_AH, IPPROTO_FRAGMENT)
    + (IPPROTO_IPV6, IPPROTO_ICMPV6, IPPROTO_MH)
)
_MAY_BIND: Final = MAY | {IPPROTO_ESP}
_BU_BITS: Final = (0x80, 0x40, 0x20, 0x10)  # of the letters in OptionWire.bu_flag_letters
BA_REFUSED: Final = 128  # draft s.5.2: a status from here on
_ICMP6: Final = {
    ICMP6_HADISCOV_REQUEST: ("DHAAD", "home agents?"),
    ICMP6_HADISCOV_REPLY: ("DHAAD", "home agents"),
    ICMP6_MOBILEPREFIX_SOLICIT: ("MPS", "prefixes?"),
    ICMP6_MOBILEPREFIX_ADVERT: ("MPA", "prefixes"),
    144: ("DHAAD", "request of RFC 6275"),  # RFC 6275 s.6.5 to s.6.8
    145: ("DHAAD", "reply of RFC 6275"),
    146: ("MPS", "of RFC 6275"),
    147: ("MPA", "of RFC 6275"),
}
ICMP6_TYPES: Final = frozenset(_ICMP6) | {ND_ROUTER_SOLICIT, ND_ROUTER_ADVERT}


class Signal(NamedTuple):
    """One message. src, dst: whom it is of and for; a home address counts, not where one is.

    refused: an acknowledgement that says no.
    """

    kind: str
    text: str
    src: bytes
    dst: bytes
    refused: bool = False


def signal_in(linktype: int, data: bytes, wire: OptionWire) -> Signal | None:
    """The signalling in a captured frame."""
    frame = link_strip(linktype, data)
    if not isinstance(frame, Frame) or frame.ethertype != ETHERTYPE_IPV6:
        return None
    return find_signal(frame.payload, wire)


def find_signal(data: bytes, wire: OptionWire) -> Signal | None:
    """The signalling in an IPv6 packet, tunnels opened; None: it is something else."""
    off = 0
    for _ in range(_TUNNELS_MAX):
        ip6 = Ip6Hdr.parse(data, off)
        if isinstance(ip6, Malformed):
            return None
        if ip6.ip6_nxt not in MAY:
            return None
        end = min(off + Ip6Hdr.SIZE + ip6.ip6_plen, len(data))
        chain = walk(data, ip6.ip6_nxt, off + Ip6Hdr.SIZE, end)
        found = _in_packet(data, ip6, chain, wire)
        if found is not None:
            return found._replace(text=f"{found.text}, in a tunnel") if off else found
        if chain.nxt != IPPROTO_IPV6 or chain.fragment or chain.error is not None:
            return None
        off = chain.off
    return None


def may_bind(data: bytes) -> bool:
    """An IPv6 packet, in no tunnel, that may change bindings of whoever gets it, unseen.

    Signalling may be encrypted or in fragments; and errors say that a care-of address is wrong.
    """
    ip6 = Ip6Hdr.parse(data)
    if isinstance(ip6, Malformed) or ip6.ip6_nxt not in _MAY_BIND:
        return False
    chain = walk(data, ip6.ip6_nxt, Ip6Hdr.SIZE, len(data))
    if chain.nxt == IPPROTO_ICMPV6:
        icmp6 = Icmp6Hdr.parse(data, chain.off)
        if not isinstance(icmp6, Malformed) and icmp6.icmp6_type < ICMP6_INFOMSG_MASK:
            return True
    return chain.nxt == IPPROTO_ESP or any(h.nxt_type == IPPROTO_FRAGMENT for h in chain.headers)


def _in_packet(data: bytes, ip6: Ip6Hdr, chain: Walk, wire: OptionWire) -> Signal | None:
    src, dst = ip6.ip6_src, ip6.ip6_dst
    asked: MipOption | None = None
    for hdr in chain.headers:
        if hdr.nxt_type == IPPROTO_ROUTING:
            addrs = rthdr0_addrs(data, hdr)
            if not isinstance(addrs, Malformed) and addrs:
                dst = addrs[-1]
        elif hdr.nxt_type == IPPROTO_DSTOPTS:
            for value in _options(data, hdr, wire):
                if isinstance(value, HomeAddress):
                    src = value.addr
                else:
                    asked = value
    if asked is not None:
        care_of = ip6.ip6_src if src != ip6.ip6_src else None
        return _binding(asked, src, dst, care_of, wire)
    if chain.fragment or chain.error is not None:
        return None
    if chain.nxt == IPPROTO_MH:
        return Signal("MH", "message of RFC 6275", src, dst)
    if chain.nxt == IPPROTO_ICMPV6:
        return _icmp6(data, chain.off, src, dst)
    return None


def _options(data: bytes, hdr: ExtHdr, wire: OptionWire) -> Iterator[MipOption]:
    for opt in iter_options(data, hdr.off + Ip6Dest.SIZE, hdr.off + hdr.len):
        value = None if isinstance(opt, Malformed) else wire.parse_option(data, opt)
        if value is not None and not isinstance(value, Malformed):
            yield value


def _binding(
    value: MipOption, src: bytes, dst: bytes, care_of: bytes | None, wire: OptionWire
) -> Signal:
    if isinstance(value, BindingUpdate):
        letters = zip(_BU_BITS, wire.bu_flag_letters, strict=True)
        flags = "".join(letter for bit, letter in letters if value.flags & bit)
        alternate = next((s.coa for s in value.subopts if isinstance(s, AltCoa)), care_of)
        what = f"seq {value.seqno}, {_life(value.lifetime_s)}{', ' if flags else ''}{flags}"
        where = f"{AT}{ntop(alternate)}" if alternate is not None else ""
        return Signal("BU", what + where, src, dst)
    if isinstance(value, BindingAck):
        refused = value.status >= BA_REFUSED
        what = f"refused {value.status}" if refused else _life(value.lifetime_s)
        return Signal("BA", f"seq {value.seqno}, {what}", src, dst, refused)
    assert isinstance(value, BindingRequest)
    return Signal("BR", "binding request", src, dst)


def _life(seconds: int) -> str:
    return f"{seconds} s" if seconds else "deregisters"


def _icmp6(data: bytes, off: int, src: bytes, dst: bytes) -> Signal | None:
    icmp6 = Icmp6Hdr.parse(data, off)
    if isinstance(icmp6, Malformed):
        return None
    if icmp6.icmp6_type == ND_ROUTER_SOLICIT:
        return Signal(RS, "routers?", src, dst)
    if icmp6.icmp6_type == ND_ROUTER_ADVERT:
        ra = NdRouterAdvert.parse(data, off)
        if isinstance(ra, Malformed):
            return None
        agent = bool(ra.nd_ra_flags_reserved & ND_RA_FLAG_HOME_AGENT)
        return Signal(RA, "home agent" if agent else "router", src, dst)
    known = _ICMP6.get(icmp6.icmp6_type)
    return None if known is None else Signal(*known, src, dst)
