# SPDX-License-Identifier: BSD-3-Clause
"""What ping6 prints about messages that are no answers, and about extension headers.

KAME: pr_icmph(), pr_retip(), pr_exthdrs() of ping6.c. Deviates: none meant. RFC 2463 s.3.
"""

from __future__ import annotations

from typing import Final

from kame_py.wire.codecs import Icmp6Hdr, Ip6Hdr, Ip6Opt, Ip6Rthdr, Tcphdr, Udphdr
from kame_py.wire.const import (
    ICMP6_DST_UNREACH,
    ICMP6_PACKET_TOO_BIG,
    ICMP6_PARAM_PROB,
    ICMP6_TIME_EXCEEDED,
    IP6OPT_JUMBO,
    IP6OPT_PAD1,
    IP6OPT_PADN,
    IP6OPT_RTALERT,
    IPPROTO_AH,
    IPPROTO_DSTOPTS,
    IPPROTO_FRAGMENT,
    IPPROTO_HOPOPTS,
    IPPROTO_ICMPV6,
    IPPROTO_ROUTING,
    IPPROTO_TCP,
    IPPROTO_UDP,
)
from kame_py.wire.in6addr import ntop
from kame_py.wire.ip6ext import ExtHdr, iter_options, rthdr0_addrs, walk
from kame_py.wire.malformed import Malformed
from kame_py.wire.patch import u16, u32
from kame_py.wire.sockaddr import (
    IPPROTO_IPV6,
    IPV6_DSTOPTS,
    IPV6_HOPOPTS,
    IPV6_PATHMTU,
    IPV6_RTHDR,
    Cmsg,
    Received,
)

_UNREACH: Final = (
    "No Route to Destination",
    "Destination Administratively Unreachable",
    "Destination Unreachable Beyond Scope",
    "Destination Host Unreachable",
    "Destination Port Unreachable",
)
_EXCEEDED: Final = ("Time to live exceeded", "Frag reassembly time exceeded")
_PARAM: Final = ("Erroneous Header", "Unknown Nextheader", "Unrecognized Option")
_OTHER: Final = {
    128: "Echo Request",
    129: "Echo Reply",
    130: "Listener Query",
    131: "Listener Report",
    132: "Listener Done",
    133: "Router Solicitation",
    134: "Router Advertisement",
    135: "Neighbor Solicitation",
    136: "Neighbor Advertisement",
    137: "Redirect",
    138: "Router Renumbering",
    139: "Node Information Query",
    140: "Node Information Reply",
}
_EXTENSIONS: Final = {
    IPPROTO_HOPOPTS: "HBH ",
    IPPROTO_ROUTING: "Routing ",
    IPPROTO_FRAGMENT: "Frag ",
    IPPROTO_AH: "AH ",
    IPPROTO_DSTOPTS: "DSTOPT ",
}


def new_mtu(got: Received) -> int | None:
    """The path MTU, when the record tells of one instead of a packet."""
    for cmsg in got.control:
        if (cmsg.level, cmsg.type) == (IPPROTO_IPV6, IPV6_PATHMTU) and isinstance(cmsg.value, int):
            return cmsg.value
    return None


# -- errors and other messages --------------------------------------------------------------------


def error_text(data: bytes) -> str:
    """The words for an ICMPv6 message, whole lines."""
    head = Icmp6Hdr.unpack(data)
    code = head.icmp6_code
    body = data[Icmp6Hdr.SIZE :]
    if head.icmp6_type == ICMP6_DST_UNREACH:
        return _coded(_UNREACH, code, "Destination Unreachable, Bad Code") + _returned(body)
    if head.icmp6_type == ICMP6_PACKET_TOO_BIG:
        return f"Packet too big mtu = {head.icmp6_data32}\n" + _returned(body)
    if head.icmp6_type == ICMP6_TIME_EXCEEDED:
        return _coded(_EXCEEDED, code, "Time exceeded, Bad Code") + _returned(body)
    if head.icmp6_type == ICMP6_PARAM_PROB:
        what = _PARAM[code] if code < len(_PARAM) else f"Bad code({code})"
        line = f"Parameter problem: {what}  pointer = 0x{head.icmp6_data32:02x}\n"
        return line + _returned(body)
    return _OTHER.get(head.icmp6_type, f"Bad ICMP type: {head.icmp6_type}") + "\n"


def _coded(words: tuple[str, ...], code: int, bad: str) -> str:
    return (words[code] if code < len(words) else f"{bad}: {code}") + "\n"


def _returned(data: bytes) -> str:
    """The packet that an error message brought back."""
    if len(data) < Ip6Hdr.SIZE:
        return ""
    ip6 = Ip6Hdr.unpack(data)
    flow = ip6.ip6_flow
    text = (
        "Vr TC  Flow Plen Nxt Hlim\n"
        f" {flow >> 28:1x} {flow >> 20 & 0xFF:02x} {flow & 0xFFFFF:05x} {ip6.ip6_plen:04x}"
        f"  {ip6.ip6_nxt:02x}   {ip6.ip6_hlim:02x}\n"
        f"{ntop(ip6.ip6_src)}->{ntop(ip6.ip6_dst)}\n"
    )
    chain = walk(data, ip6.ip6_nxt, Ip6Hdr.SIZE, len(data))
    text += "".join(_EXTENSIONS.get(h.nxt_type, "") for h in chain.headers)
    return text + _upper(data, chain.nxt, chain.off)


def _upper(data: bytes, nxt: int, off: int) -> str:
    left = len(data) - off
    if nxt == IPPROTO_ICMPV6 and left >= Icmp6Hdr.SIZE:
        icmp6 = Icmp6Hdr.unpack(data, off)
        return f"ICMP6: type = {icmp6.icmp6_type}, code = {icmp6.icmp6_code}\n"
    if nxt == IPPROTO_UDP and left >= Udphdr.SIZE:
        udp = Udphdr.unpack(data, off)
        return f"UDP: from port {udp.uh_sport}, to port {udp.uh_dport} (decimal)\n"
    if nxt == IPPROTO_TCP and left >= Tcphdr.SIZE:
        tcp = Tcphdr.unpack(data, off)
        return f"TCP: from port {tcp.th_sport}, to port {tcp.th_dport} (decimal)\n"
    return f"Unknown Header({nxt})\n"


# -- extension headers ----------------------------------------------------------------------------


def exthdrs_text(control: tuple[Cmsg, ...]) -> str:
    """The extension headers that came with a packet."""
    return "".join(_exthdr(c) for c in control if c.level == IPPROTO_IPV6)


def _exthdr(cmsg: Cmsg) -> str:
    raw = cmsg.value
    if not isinstance(raw, bytes) or len(raw) < Ip6Opt.SIZE:
        return ""
    if cmsg.type == IPV6_HOPOPTS:
        return "  HbH Options: " + _options(raw)
    if cmsg.type == IPV6_DSTOPTS:
        return "  Dst Options: " + _options(raw)
    return "  Routing: " + _rthdr(raw) if cmsg.type == IPV6_RTHDR else ""


def _lengths(raw: bytes) -> str:
    rth = Ip6Opt.unpack(raw)  # next header and length lie where an option's type and length do
    return f"nxt {rth.ip6o_type}, len {rth.ip6o_len} ({len(raw)} bytes)"


def _options(raw: bytes) -> str:
    text = _lengths(raw) + "\n"
    for opt in iter_options(raw, Ip6Opt.SIZE, len(raw)):
        if isinstance(opt, Malformed):
            return text + f"    {opt.reason}\n"
        if opt.type in (IP6OPT_PAD1, IP6OPT_PADN):
            continue
        if opt.type == IP6OPT_JUMBO and opt.data_len >= 4:
            text += f"    Jumbo Payload Opt: Length {u32(raw, opt.data_off)}\n"
        elif opt.type == IP6OPT_RTALERT and opt.data_len >= 2:
            text += f"    Router Alert Opt: Type {u16(raw, opt.data_off)}\n"
        else:
            text += f"    Received Opt {opt.type} len {opt.data_len}\n"
    return text


def _rthdr(raw: bytes) -> str:
    if len(raw) < Ip6Rthdr.SIZE:
        return "\n"
    rth = Ip6Rthdr.unpack(raw)
    text = f"{_lengths(raw)}, type {rth.ip6r_type}"
    addrs = rthdr0_addrs(raw, ExtHdr(IPPROTO_ROUTING, 0, len(raw)))
    if rth.ip6r_type or isinstance(addrs, Malformed):
        return text + "\n"
    text += f", {len(addrs)} segments, {rth.ip6r_segleft} left\n"
    return text + "".join(f"   [{i}]{ntop(addr)}\n" for i, addr in enumerate(addrs))
