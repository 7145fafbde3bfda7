# SPDX-License-Identifier: BSD-3-Clause
"""Checksums that a sender on the same machine left to hardware.

No KAME counterpart. Linux gives a packet that never meets a network card half a checksum: the sum
of the pseudo header. Whoever reads it from AF_PACKET has to add the rest.
"""

from __future__ import annotations

from typing import Final

from kame_py.wire.cksum import in6_cksum
from kame_py.wire.codecs import EtherHeader, Icmp6Hdr, Ip6Hdr, Tcphdr, Udphdr
from kame_py.wire.const import ETHERTYPE_IPV6, IPPROTO_ICMPV6, IPPROTO_TCP, IPPROTO_UDP
from kame_py.wire.ip6ext import walk
from kame_py.wire.patch import put_u16

_IP6: Final = EtherHeader.SIZE
#: Protocol -> where its checksum lies.
_SUM: Final = {
    IPPROTO_TCP: Tcphdr.O_th_sum,
    IPPROTO_UDP: Udphdr.O_uh_sum,
    IPPROTO_ICMPV6: Icmp6Hdr.O_icmp6_cksum,
}
_UDP_NONE: Final = 0xFFFF  # a sum of 0 means none: RFC 2460 s.8.1


def finish_checksum(frame: bytes) -> bytes:
    """The Ethernet frame with a whole checksum, if it is one of IPv6 that has one."""
    if len(frame) < _IP6 + Ip6Hdr.SIZE:
        return frame
    if EtherHeader.unpack(frame).ether_type != ETHERTYPE_IPV6:
        return frame
    packet = frame[_IP6:]
    ip6 = Ip6Hdr.unpack(packet)
    end = Ip6Hdr.SIZE + ip6.ip6_plen
    chain = walk(packet, ip6.ip6_nxt, Ip6Hdr.SIZE, min(end, len(packet)))
    at = _SUM.get(chain.nxt)
    if at is None or chain.fragment or chain.off + at + 2 > min(end, len(packet)):
        return frame
    upper = put_u16(packet[chain.off : end], at, 0)
    total = in6_cksum(ip6.ip6_src, ip6.ip6_dst, chain.nxt, upper)
    if not total and chain.nxt == IPPROTO_UDP:
        total = _UDP_NONE
    return put_u16(frame, _IP6 + chain.off + at, total)
