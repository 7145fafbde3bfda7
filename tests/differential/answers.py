# SPDX-License-Identifier: BSD-3-Clause
"""An answering frame as one line of text, the same for every stack."""

from __future__ import annotations

from typing import Final

from kame_py.wire.cksum import in6_cksum
from kame_py.wire.codecs import EtherHeader, Icmp6Hdr, Ip6Hdr, Tcphdr
from kame_py.wire.const import ETHERTYPE_IPV6, IPPROTO_ICMPV6, IPPROTO_TCP
from kame_py.wire.in6addr import ntop
from kame_py.wire.ip6ext import walk

#: Chatter that no case asks for: MLD, router and neighbour solicitations, MLDv2 reports.
CHATTER: Final = frozenset((130, 131, 132, 133, 134, 135, 143))
NAMES: Final = {
    1: "unreachable",
    2: "too-big",
    3: "time-exceeded",
    4: "param-problem",
    128: "echo-request",
    129: "echo-reply",
    136: "neighbour-advert",
}


def summarise(frame: bytes) -> str | None:
    """What the frame says, or None for chatter and other protocols."""
    ether = EtherHeader.unpack(frame)
    if ether.ether_type != ETHERTYPE_IPV6:
        return None
    data = frame[EtherHeader.SIZE :]
    ip6 = Ip6Hdr.unpack(data)
    end = Ip6Hdr.SIZE + ip6.ip6_plen
    way = walk(data, ip6.ip6_nxt, Ip6Hdr.SIZE, end)
    body = data[way.off : end]
    ends = f"{ntop(ip6.ip6_src)} > {ntop(ip6.ip6_dst)}"
    if way.nxt == IPPROTO_ICMPV6:
        head = Icmp6Hdr.unpack(body)
        if head.icmp6_type in CHATTER:
            return None
        if in6_cksum(ip6.ip6_src, ip6.ip6_dst, IPPROTO_ICMPV6, body):
            return f"{ends} bad checksum"
        what = NAMES.get(head.icmp6_type, f"icmp-{head.icmp6_type}")
        if head.icmp6_type < 128:
            what += f" code={head.icmp6_code} param={head.icmp6_data32} quoted={len(body) - 8}"
        return f"{ends} {what}"
    if way.nxt == IPPROTO_TCP:
        # Linux leaves TCP checksums on a veth to hardware that is not there: not compared.
        tcp = Tcphdr.unpack(body)
        return f"{ends} tcp flags={tcp.th_flags:#x} seq={tcp.th_seq} ack={tcp.th_ack}"
    return f"{ends} proto={way.nxt}"
