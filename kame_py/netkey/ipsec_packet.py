# SPDX-License-Identifier: BSD-3-Clause
"""A packet under way through AH and ESP: what stays in front of them, and what they cover.

The ipsec_output_state of KAME ipsec.h with the mbufs that ipsec6_splithdr makes. RFC 2402 s.3.1.1.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from kame_py.netinet6.ip6_output import ip6_chain
from kame_py.netinet6.ip6_var import Exthdrs
from kame_py.netkey.ipsec_splice import ip6_head
from kame_py.wire.codecs import Ip6Ext, Ip6Hdr, Ip6Rthdr
from kame_py.wire.const import IPPROTO_DSTOPTS, IPV6_RTHDR_TYPE_0
from kame_py.wire.patch import put_u8, u8

_TYPE: Final = Ip6Rthdr.O_ip6r_type
_SEGLEFT: Final = Ip6Rthdr.O_ip6r_segleft


class OutPacket:
    """hdr: the IPv6 header. before: extension headers that AH and ESP come behind.

    nxt, body: what they cover, at first the payload with the last destination options.
    """

    __slots__ = ("before", "body", "hdr", "nxt")

    def __init__(self, hdr: bytes, hdrs: Exthdrs, nxt: int, payload: bytes) -> None:
        self.hdr = hdr[: Ip6Hdr.SIZE]
        self.before = replace(hdrs, rthdr=_received_rthdr(hdrs.rthdr), dest2=b"")
        self.nxt, self.body = nxt, payload
        if hdrs.dest2:
            self.body = put_u8(hdrs.dest2, Ip6Ext.O_ip6e_nxt, nxt) + payload
            self.nxt = IPPROTO_DSTOPTS

    def received(self, nxt: int, payload: bytes) -> bytes:
        """The packet as its final destination will see it."""
        return ip6_chain(self.hdr, nxt, self.before, payload)

    def size(self) -> int:
        """Octets of the whole packet."""
        before = self.before
        ext = len(before.hbh) + len(before.dest1) + len(before.rthdr) + len(before.haddr)
        return Ip6Hdr.SIZE + ext + len(self.body)

    def bare(self) -> bytes:
        """The IPv6 header and what is covered; the headers between them are not in it yet."""
        return ip6_head(self.hdr, self.nxt, len(self.body)) + self.body


def _received_rthdr(rthdr: bytes) -> bytes:
    """A type 0 header at the end of its way: the hops in order, none left (RFC 2402 s.A.2)."""
    if rthdr and u8(rthdr, _TYPE) == IPV6_RTHDR_TYPE_0:
        return put_u8(rthdr, _SEGLEFT, 0)
    return rthdr
