# SPDX-License-Identifier: BSD-3-Clause
"""UDP datagrams and sockets for tests."""

from __future__ import annotations

from kame_py.kern.uipc_socket import Socket, sobind, socreate
from kame_py.wire.cksum import in6_cksum
from kame_py.wire.codecs import Udphdr
from kame_py.wire.const import IPPROTO_UDP
from kame_py.wire.patch import put_u16
from kame_py.wire.sockaddr import AF_INET6, SOCK_DGRAM, SockaddrIn6
from tests.unit.netinet6.ip6_node import PEER1, US1, Node, ip6

PORT = 5000
SPORT = 4000


def udp(
    data: bytes = b"hello",
    src: bytes = PEER1,
    dst: bytes = US1,
    sport: int = SPORT,
    dport: int = PORT,
    ulen: int | None = None,
    csum: int | None = None,
    hlim: int = 64,
) -> bytes:
    """A packet with one datagram; ulen and csum None are the right ones."""
    head = Udphdr(
        uh_sport=sport,
        uh_dport=dport,
        uh_ulen=Udphdr.SIZE + len(data) if ulen is None else ulen,
    ).pack()
    if csum is None:
        csum = in6_cksum(src, dst, IPPROTO_UDP, head + data) or 0xFFFF
    return ip6(put_u16(head, Udphdr.O_uh_sum, csum) + data, IPPROTO_UDP, src, dst, hlim)


def bound(node: Node, addr: bytes = bytes(16), port: int = PORT, scope: int = 0) -> Socket:
    """A UDP socket with its local address."""
    so = socreate(node.kern, AF_INET6, SOCK_DGRAM, 0)
    sobind(node.kern, so, SockaddrIn6(addr, port, scope))
    return so
