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
SO_TIMESTAMP: Final = 0x0400
SO_SNDBUF: Final = 0x1001
SO_RCVBUF: Final = 0x1002

IPPROTO_IPV6: Final = 41
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
IPV6_RECVRTHDRDSTOPTS: Final = 41
IPV6_USE_MIN_MTU: Final = 42
IPV6_RECVPATHMTU: Final = 43
IPV6_PATHMTU: Final = 44

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
    IPV6_PATHMTU: int.
    """

    level: int
    type: int
    value: object


class Received(NamedTuple):
    """What recvmsg returns."""

    data: bytes
    addr: SockaddrIn6
    control: tuple[Cmsg, ...] = ()
