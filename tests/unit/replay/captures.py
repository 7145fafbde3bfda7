# SPDX-License-Identifier: BSD-3-Clause
"""Captures that tests make themselves, packet by packet."""

from __future__ import annotations

import io

from kame_py.kern.clock import NS
from kame_py.replay.pcap import PcapWriter
from kame_py.wire.cksum import in6_cksum
from kame_py.wire.codecs import (
    EtherHeader,
    Icmp6Echo,
    Ip6Frag,
    Ip6Hdr,
    NdNeighborAdvert,
    NdNeighborSolicit,
    NdRouterAdvert,
)
from kame_py.wire.const import (
    ICMP6_ECHO_REQUEST,
    IPPROTO_FRAGMENT,
    IPPROTO_ICMPV6,
    ND_OPT_SOURCE_LINKADDR,
    ND_OPT_TARGET_LINKADDR,
)
from kame_py.wire.in6addr import ALLNODES, ether_multicast, pton, solicited_node
from kame_py.wire.nd6opt import build_lladdr_opt, build_prefix_opt
from kame_py.wire.patch import put_u16

T0 = 1_700_000_000 * NS
US_MAC = bytes.fromhex("020000000055")
PEER_MAC = bytes.fromhex("0200000000a0")
OTHER_MAC = bytes.fromhex("0200000000ee")
ICMP6_CKSUM = 2  # RFC 4443 s.2.1
ON_LINK_AUTO = 0xC0
MORE = 1


def addr(text: str) -> bytes:
    got = pton(text)
    assert got is not None
    return got


US = addr("fe80::ff:fe00:55")
PEER = addr("fe80::ff:fe00:a0")
GLOBAL = addr("2001:db8:1::5")
ANY = bytes(16)


def capture(*frames: tuple[float, bytes], linktype: int = 1) -> io.BytesIO:
    """A pcap file; times in seconds from T0."""
    f = io.BytesIO()
    writer = PcapWriter(f, linktype)
    for t_s, frame in frames:
        writer.write(T0 + round(t_s * NS), frame)
    f.seek(0)
    return f


def ether(
    packet: bytes, dst: bytes = US_MAC, src: bytes = PEER_MAC, ethertype: int = 0x86DD
) -> bytes:
    return EtherHeader(ether_dhost=dst, ether_shost=src, ether_type=ethertype).pack() + packet


def ip6(payload: bytes, nxt: int, src: bytes = PEER, dst: bytes = US, hlim: int = 255) -> bytes:
    head = Ip6Hdr(
        ip6_flow=0x60000000,
        ip6_plen=len(payload),
        ip6_nxt=nxt,
        ip6_hlim=hlim,
        ip6_src=src,
        ip6_dst=dst,
    )
    return head.pack() + payload


def icmp6(message: bytes, src: bytes = PEER, dst: bytes = US) -> bytes:
    """An ICMPv6 packet with its checksum."""
    cksum = in6_cksum(src, dst, IPPROTO_ICMPV6, message)
    return ip6(put_u16(message, ICMP6_CKSUM, cksum), IPPROTO_ICMPV6, src, dst)


def echo(src: bytes = PEER, dst: bytes = US, size: int = 8) -> bytes:
    head = Icmp6Echo(icmp6_type=ICMP6_ECHO_REQUEST, icmp6_id=7, icmp6_seq=1)
    return icmp6(head.pack() + bytes(size), src, dst)


def fragments(packet: bytes, at: int) -> tuple[bytes, bytes]:
    """The packet in two, the second from payload octet ``at``."""
    ip = Ip6Hdr.unpack(packet)
    payload = packet[Ip6Hdr.SIZE :]
    pieces = ((payload[:at], MORE), (payload[at:], at))
    first, second = (
        ip6(
            Ip6Frag(ip6f_nxt=ip.ip6_nxt, ip6f_offlg=offlg, ip6f_ident=9).pack() + piece,
            IPPROTO_FRAGMENT,
            ip.ip6_src,
            ip.ip6_dst,
        )
        for piece, offlg in pieces
    )
    return first, second


def ra(prefix: str = "2001:db8:1::", plen: int = 64) -> bytes:
    head = NdRouterAdvert(nd_ra_curhoplimit=64, nd_ra_router_lifetime=1800)
    options = build_prefix_opt(addr(prefix), plen, ON_LINK_AUTO, 86400, 14400)
    options += build_lladdr_opt(ND_OPT_SOURCE_LINKADDR, PEER_MAC)
    return ether(icmp6(head.pack() + options, PEER, ALLNODES), ether_multicast(ALLNODES))


def ns(target: bytes, src: bytes = PEER, mac: bytes = PEER_MAC) -> bytes:
    head = NdNeighborSolicit(nd_ns_target=target)
    options = build_lladdr_opt(ND_OPT_SOURCE_LINKADDR, mac) if any(src) else b""
    dst = solicited_node(target)
    return ether(icmp6(head.pack() + options, src, dst), ether_multicast(dst), mac)


def na(target: bytes, mac: bytes = PEER_MAC, said: bytes | None = None) -> bytes:
    head = NdNeighborAdvert(nd_na_target=target)
    options = build_lladdr_opt(ND_OPT_TARGET_LINKADDR, said or mac)
    message = icmp6(head.pack() + options, target, ALLNODES)
    return ether(message, ether_multicast(ALLNODES), mac)
