# SPDX-License-Identifier: BSD-3-Clause
"""Socket constants and addresses as programs use them (FreeBSD's socket.h, in.h, RFC 2292)."""

from __future__ import annotations

from typing import Final, NamedTuple

AF_UNSPEC: Final = 0
AF_ROUTE: Final = 17
AF_LINK: Final = 18
AF_INET6: Final = 28
AF_KEY: Final = 29
SOCK_STREAM: Final = 1
SOCK_DGRAM: Final = 2
SOCK_RAW: Final = 3

SOL_SOCKET: Final = 0xFFFF
SO_REUSEADDR: Final = 0x0004
SO_BROADCAST: Final = 0x0020
SO_USELOOPBACK: Final = 0x0040
SO_REUSEPORT: Final = 0x0200
SO_TIMESTAMP: Final = 0x0400
SO_SNDBUF: Final = 0x1001
SO_RCVBUF: Final = 0x1002

IPPROTO_UDP: Final = 17
IPPROTO_IPV6: Final = 41
IPPROTO_ICMPV6: Final = 58
IPV6_UNICAST_HOPS: Final = 4
IPV6_MULTICAST_IF: Final = 9
IPV6_MULTICAST_HOPS: Final = 10
IPV6_MULTICAST_LOOP: Final = 11
IPV6_JOIN_GROUP: Final = 12
IPV6_LEAVE_GROUP: Final = 13
ICMP6_FILTER: Final = 18
IPV6_PKTINFO: Final = 19
IPV6_HOPLIMIT: Final = 20
IPV6_NEXTHOP: Final = 21
IPV6_HOPOPTS: Final = 22
IPV6_DSTOPTS: Final = 23
IPV6_RTHDR: Final = 24
IPV6_CHECKSUM: Final = 26
IPV6_V6ONLY: Final = 27
IPV6_IPSEC_POLICY: Final = 28  # octets of a struct sadb_x_policy
IPV6_RECVRTHDRDSTOPTS: Final = 41
IPV6_USE_MIN_MTU: Final = 42
IPV6_RECVPATHMTU: Final = 43
IPV6_PATHMTU: Final = 44

SOL_BPF: Final = AF_LINK  # level of what concerns packet sockets: AF_LINK, SOCK_RAW, 0
BPF_HDR: Final = 1  # control: BpfHdr
BPF_WAY: Final = 2  # control: BpfWay
BPF_SNAPLEN: Final = 3  # option: octets that are kept of each packet
BPF_TRACE: Final = 4  # option: 1 for packets and their ways instead of frames; before bind
BPF_STATS: Final = 5  # option that can only be read: BpfStat

MSG_DONTWAIT: Final = 0x80
MSG_PEEK: Final = 0x02


class SockaddrIn6(NamedTuple):
    """An address in user form: no embedded scope; scope_id is the interface index or 0."""

    addr: bytes = bytes(16)
    port: int = 0
    scope_id: int = 0
    flowinfo: int = 0


class Cmsg(NamedTuple):
    """One ancillary datum: level, type, and its value.

    IPV6_PKTINFO: (addr16, ifindex). IPV6_HOPLIMIT: int. IPV6_HOPOPTS, IPV6_DSTOPTS and
    IPV6_RTHDR: the header's bytes. IPV6_NEXTHOP: SockaddrIn6. SO_TIMESTAMP: real time in ns.
    IPV6_PATHMTU: int. BPF_HDR: BpfHdr. BPF_WAY: BpfWay.
    """

    level: int
    type: int
    value: object


class Received(NamedTuple):
    """What recvmsg returns."""

    data: bytes
    addr: SockaddrIn6
    control: tuple[Cmsg, ...] = ()


class BpfHdr(NamedTuple):
    """What a packet socket tells of a packet (struct bpf_hdr).

    bh_tstamp: real time in ns. bh_datalen: octets that it had. bh_linktype: LINKTYPE_ETHERNET, or
    LINKTYPE_RAW where it has no link header. bh_ifindex: 0 when no interface took part.
    """

    bh_tstamp: int
    bh_datalen: int
    bh_ifindex: int
    bh_linktype: int
    bh_outbound: bool


class BpfWay(NamedTuple):
    """The way of a packet through the kernel.

    fate: a word, such as "forwarded". reason, why: name and sentence when it was dropped, or "".
    """

    stages: tuple[str, ...]
    fate: str
    reason: str
    why: str


class BpfStat(NamedTuple):
    """Counters of one packet socket (struct bpf_stat)."""

    bs_recv: int  # packets that it was to see
    bs_drop: int  # of those, lost for want of room


class Icmp6Filter(NamedTuple):
    """A value of ICMP6_FILTER (RFC 2292 s.3.2): one bit for each type, set where it passes.

    value has the layout of KAME's struct icmp6_filter, eight 32-bit words in network order, and is
    what setsockopt takes.
    """

    value: bytes = b"\xff" * 32

    def passes(self, type: int) -> bool:
        """Whether messages of the type come through (ICMP6_FILTER_WILLPASS)."""
        return bool(self.value[_filter_octet(type)] & 1 << (type & 7))

    def setpass(self, *types: int) -> Icmp6Filter:
        """A filter that lets these types through as well (ICMP6_FILTER_SETPASS)."""
        out = bytearray(self.value)
        for type in types:
            out[_filter_octet(type)] |= 1 << (type & 7)
        return Icmp6Filter(bytes(out))

    def setblock(self, *types: int) -> Icmp6Filter:
        """A filter that keeps these types out as well (ICMP6_FILTER_SETBLOCK)."""
        out = bytearray(self.value)
        for type in types:
            out[_filter_octet(type)] &= ~(1 << (type & 7)) & 0xFF
        return Icmp6Filter(bytes(out))


ICMP6_FILTER_SETPASSALL: Final = Icmp6Filter(b"\xff" * 32)
ICMP6_FILTER_SETBLOCKALL: Final = Icmp6Filter(bytes(32))


def _filter_octet(type: int) -> int:
    """Where the bit of a type lies: word type/32, and in it bit type%32 from the low end."""
    return (type >> 5) * 4 + 3 - (type >> 3 & 3)
