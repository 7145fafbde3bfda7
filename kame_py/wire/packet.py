# SPDX-License-Identifier: BSD-3-Clause
"""A whole IPv6 packet as a tuple of layers, and back to the same octets.

No KAME counterpart: for tools, traces and tests, which want every field of a packet at once. The
kernel's own input path uses the codecs directly. RFC 2460 s.4.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeAlias

from kame_py.wire import codecs as c
from kame_py.wire.codec_base import Header
from kame_py.wire.const import (
    ICMP6_DST_UNREACH,
    ICMP6_ECHO_REPLY,
    ICMP6_ECHO_REQUEST,
    ICMP6_HADISCOV_REPLY,
    ICMP6_HADISCOV_REQUEST,
    ICMP6_MOBILEPREFIX_ADVERT,
    ICMP6_MOBILEPREFIX_SOLICIT,
    ICMP6_NI_QUERY,
    ICMP6_NI_REPLY,
    ICMP6_PACKET_TOO_BIG,
    ICMP6_PARAM_PROB,
    ICMP6_TIME_EXCEEDED,
    IP6OPT_PAD1,
    IP6OPT_PADN,
    IPPROTO_AH,
    IPPROTO_DSTOPTS,
    IPPROTO_ESP,
    IPPROTO_FRAGMENT,
    IPPROTO_HOPOPTS,
    IPPROTO_ICMPV6,
    IPPROTO_IPV6,
    IPPROTO_ROUTING,
    IPPROTO_TCP,
    IPPROTO_UDP,
    IPV6_RTHDR_TYPE_0,
    MLD_LISTENER_DONE,
    MLD_LISTENER_QUERY,
    MLD_LISTENER_REPORT,
    ND_NEIGHBOR_ADVERT,
    ND_NEIGHBOR_SOLICIT,
    ND_OPT_ADVINTERVAL,
    ND_OPT_HOMEAGENT_INFO,
    ND_OPT_MTU,
    ND_OPT_PREFIX_INFORMATION,
    ND_REDIRECT,
    ND_ROUTER_ADVERT,
    ND_ROUTER_SOLICIT,
)
from kame_py.wire.ip6ext import ExtHdr, iter_options, rthdr0_addrs, walk
from kame_py.wire.malformed import Malformed
from kame_py.wire.mip6 import (
    HaDiscoveryReply,
    HaDiscoveryRequest,
    MipOption,
    OptionWire,
    Pad,
    build_ha_reply,
    parse_ha_reply,
)
from kame_py.wire.record import record


@record
class OtherOpt:
    """An option that is not one of mobility: type and data."""

    type: int
    data: bytes


@record
class Options:
    """A hop-by-hop or destination options header."""

    proto: int
    nxt: int
    options: tuple[MipOption | Pad | OtherOpt, ...]


@record
class Rthdr0:
    """A type 0 routing header."""

    hdr: c.Ip6Rthdr0
    addrs: tuple[bytes, ...]


@record
class OtherRthdr:
    """A routing header of another type, octet for octet."""

    hdr: c.Ip6Rthdr
    data: bytes


@record
class AhHeader:
    """An authentication header with its ICV (padding included)."""

    hdr: c.Ah
    icv: bytes


@record
class Raw:
    """Octets that are not taken apart."""

    data: bytes


Layer: TypeAlias = (
    Header | Options | Rthdr0 | OtherRthdr | AhHeader | Raw | HaDiscoveryRequest | HaDiscoveryReply
)
Layers: TypeAlias = tuple[Layer, ...]

# ICMPv6 type -> codec of its fixed part; what follows is Raw.
_ICMP6: Final[dict[int, type[Header]]] = {
    ICMP6_DST_UNREACH: c.Icmp6DstUnreach,
    ICMP6_PACKET_TOO_BIG: c.Icmp6PacketTooBig,
    ICMP6_TIME_EXCEEDED: c.Icmp6TimeExceeded,
    ICMP6_PARAM_PROB: c.Icmp6ParamProb,
    ICMP6_ECHO_REQUEST: c.Icmp6Echo,
    ICMP6_ECHO_REPLY: c.Icmp6Echo,
    MLD_LISTENER_QUERY: c.MldHdr,
    MLD_LISTENER_REPORT: c.MldHdr,
    MLD_LISTENER_DONE: c.MldHdr,
    ND_ROUTER_SOLICIT: c.NdRouterSolicit,
    ND_ROUTER_ADVERT: c.NdRouterAdvert,
    ND_NEIGHBOR_SOLICIT: c.NdNeighborSolicit,
    ND_NEIGHBOR_ADVERT: c.NdNeighborAdvert,
    ND_REDIRECT: c.NdRedirect,
    ICMP6_NI_QUERY: c.Icmp6Nodeinfo,
    ICMP6_NI_REPLY: c.Icmp6Nodeinfo,
    ICMP6_MOBILEPREFIX_SOLICIT: c.MpSolicit,
    ICMP6_MOBILEPREFIX_ADVERT: c.MpAdvert,
}
# ICMPv6 types whose body behind the fixed part is a list of Neighbor Discovery options.
_ND_BODIES: Final = frozenset(
    (
        ND_ROUTER_SOLICIT,
        ND_ROUTER_ADVERT,
        ND_NEIGHBOR_SOLICIT,
        ND_NEIGHBOR_ADVERT,
        ND_REDIRECT,
        ICMP6_MOBILEPREFIX_ADVERT,
    )
)
_ND_OPTIONS: Final[dict[int, type[Header]]] = {
    ND_OPT_PREFIX_INFORMATION: c.NdOptPrefixInfo,
    ND_OPT_MTU: c.NdOptMtu,
    ND_OPT_ADVINTERVAL: c.NdOptAdvInterval,
    ND_OPT_HOMEAGENT_INFO: c.NdOptHomeagentInfo,
}
_UPPER: Final[dict[int, type[Header]]] = {
    IPPROTO_TCP: c.Tcphdr,
    IPPROTO_UDP: c.Udphdr,
    IPPROTO_ESP: c.Esp,
}


def parse_packet(data: bytes, wire: OptionWire) -> Layers | Malformed:
    """All layers of a packet, padding, trailing octets and tunnelled packets included."""
    layers: list[Layer] = []
    nxt, off = IPPROTO_IPV6, 0
    while nxt == IPPROTO_IPV6:
        ip6 = c.Ip6Hdr.parse(data, off)
        if isinstance(ip6, Malformed):
            return ip6
        layers.append(ip6)
        chain = walk(data, ip6.ip6_nxt, off + c.Ip6Hdr.SIZE, len(data))
        if chain.error is not None:
            return chain.error
        for ext in chain.headers:
            layer = _EXTENSIONS[ext.nxt_type](data, ext, wire)
            if isinstance(layer, Malformed):
                return layer
            layers.append(layer)
        nxt, off = chain.nxt, chain.off
        if chain.fragment:
            return (*layers, *_raw(data, off))
    rest = _upper(data, nxt, off, wire)
    return rest if isinstance(rest, Malformed) else (*layers, *rest)


def build_packet(layers: Layers, wire: OptionWire) -> bytes:
    """The octets of the layers, exactly as they are: no length or checksum is filled in."""
    return b"".join(_build(layer, wire) for layer in layers)


def _raw(data: bytes, off: int) -> Layers:
    return (Raw(data[off:]),) if off < len(data) else ()


def _options(data: bytes, ext: ExtHdr, wire: OptionWire) -> Options | Malformed:
    found: list[MipOption | Pad | OtherOpt] = []
    for opt in iter_options(data, ext.off + c.Ip6Dest.SIZE, ext.off + ext.len):
        if isinstance(opt, Malformed):
            return opt
        if opt.type in (IP6OPT_PAD1, IP6OPT_PADN):
            found.append(Pad(data[opt.off : opt.end]))
            continue
        value = wire.parse_option(data, opt)
        if isinstance(value, Malformed):
            return value
        found.append(value or OtherOpt(opt.type, data[opt.data_off : opt.end]))
    return Options(ext.nxt_type, c.Ip6Dest.unpack(data, ext.off).ip6d_nxt, tuple(found))


def _routing(data: bytes, ext: ExtHdr, wire: OptionWire) -> Rthdr0 | OtherRthdr | Malformed:
    head = c.Ip6Rthdr.unpack(data, ext.off)
    if head.ip6r_type != IPV6_RTHDR_TYPE_0:
        return OtherRthdr(head, data[ext.off + c.Ip6Rthdr.SIZE : ext.off + ext.len])
    addrs = rthdr0_addrs(data, ext)
    if isinstance(addrs, Malformed):
        return addrs
    return Rthdr0(c.Ip6Rthdr0.unpack(data, ext.off), addrs)


def _fragment(data: bytes, ext: ExtHdr, wire: OptionWire) -> c.Ip6Frag:
    return c.Ip6Frag.unpack(data, ext.off)


def _ah(data: bytes, ext: ExtHdr, wire: OptionWire) -> AhHeader | Malformed:
    head = c.Ah.parse(data[: ext.off + ext.len], ext.off)
    if isinstance(head, Malformed):
        return head
    return AhHeader(head, data[ext.off + c.Ah.SIZE : ext.off + ext.len])


_EXTENSIONS: Final[dict[int, Callable[[bytes, ExtHdr, OptionWire], Layer | Malformed]]] = {
    IPPROTO_HOPOPTS: _options,
    IPPROTO_DSTOPTS: _options,
    IPPROTO_ROUTING: _routing,
    IPPROTO_FRAGMENT: _fragment,
    IPPROTO_AH: _ah,
}


def _upper(data: bytes, nxt: int, off: int, wire: OptionWire) -> Layers | Malformed:
    if nxt == IPPROTO_ICMPV6:
        return _icmp6(data, off, wire)
    return _head_and_rest(data, off, _UPPER.get(nxt))


def _head_and_rest(data: bytes, off: int, codec: type[Header] | None) -> Layers | Malformed:
    if codec is None:
        return _raw(data, off)
    head = codec.parse(data, off)
    return head if isinstance(head, Malformed) else (head, *_raw(data, off + codec.SIZE))


def _icmp6(data: bytes, off: int, wire: OptionWire) -> Layers | Malformed:
    if off >= len(data):
        return Malformed("icmp6 truncated", off)
    kind = data[off]
    if kind == ICMP6_HADISCOV_REQUEST:
        request = wire.parse_ha_request(data, off)
        if isinstance(request, Malformed):
            return request
        return (request, *_raw(data, off + wire.ha_request_size))
    if kind == ICMP6_HADISCOV_REPLY:
        reply = parse_ha_reply(data, off, len(data))
        return reply if isinstance(reply, Malformed) else (reply,)
    codec = _ICMP6.get(kind, c.Icmp6Hdr)
    if kind not in _ND_BODIES:
        return _head_and_rest(data, off, codec)
    head = codec.parse(data, off)
    if isinstance(head, Malformed):
        return head
    options = _nd_options(data, off + codec.SIZE)
    return options if isinstance(options, Malformed) else (head, *options)


def _nd_options(data: bytes, off: int) -> Layers | Malformed:
    """The options one by one; those without a fixed layout stay Raw."""
    out: list[Layer] = []
    while off < len(data):
        head = c.NdOptHdr.parse(data, off)
        if isinstance(head, Malformed):
            return head
        size = head.nd_opt_len << 3
        if size == 0 or off + size > len(data):
            return Malformed("nd option length", off + c.NdOptHdr.O_nd_opt_len)
        codec = _ND_OPTIONS.get(head.nd_opt_type)
        if codec is not None and size == codec.SIZE:
            out.append(codec.unpack(data, off))
        else:
            out.append(Raw(data[off : off + size]))
        off += size
    return tuple(out)


def _build(layer: Layer, wire: OptionWire) -> bytes:
    if isinstance(layer, Header):
        return layer.pack()
    if isinstance(layer, Raw):
        return layer.data
    if isinstance(layer, Options):
        return _build_options(layer, wire)
    if isinstance(layer, Rthdr0):
        return layer.hdr.pack() + b"".join(layer.addrs)
    if isinstance(layer, OtherRthdr):
        return layer.hdr.pack() + layer.data
    if isinstance(layer, AhHeader):
        return layer.hdr.pack() + layer.icv
    if isinstance(layer, HaDiscoveryRequest):
        return wire.pack_ha_request(layer)
    return build_ha_reply(layer)


def _build_options(layer: Options, wire: OptionWire) -> bytes:
    body = b"".join(_build_opt(opt, wire) for opt in layer.options)
    units = (c.Ip6Dest.SIZE + len(body)) >> 3
    return c.Ip6Dest(ip6d_nxt=layer.nxt, ip6d_len=units - 1).pack() + body


def _build_opt(opt: MipOption | Pad | OtherOpt, wire: OptionWire) -> bytes:
    if isinstance(opt, Pad):
        return opt.data
    if isinstance(opt, OtherOpt):
        return c.Ip6Opt(ip6o_type=opt.type, ip6o_len=len(opt.data)).pack() + opt.data
    return wire.build_option(opt)
