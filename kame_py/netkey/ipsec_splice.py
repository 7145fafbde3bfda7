# SPDX-License-Identifier: BSD-3-Clause
"""Take a header out of a packet; put the IPv6 header before a new payload.

The m_adj and ovbcopy passages of KAME ah_input.c, esp_input.c and ipsec.c (ipsec6_splithdr).
RFC 2402 s.3.1.
"""

from __future__ import annotations

from typing import Final

from kame_py.netinet6.prevhdr import ip6_get_prevhdr
from kame_py.wire.codecs import Ip6Frag, Ip6Hdr
from kame_py.wire.const import IPPROTO_FRAGMENT, IPV6_MAXPACKET
from kame_py.wire.ip6ext import walk
from kame_py.wire.patch import put_u8, put_u16, u8

_HDR: Final = Ip6Hdr.SIZE
_NXT: Final = Ip6Hdr.O_ip6_nxt
_PLEN: Final = Ip6Hdr.O_ip6_plen


def ip6_replace(data: bytes, off: int, nxt: int, rest: bytes) -> bytes:
    """The packet up to ``off``, then ``rest`` of type ``nxt``; both lengths in the header fit."""
    head = put_u8(data[:off], ip6_get_prevhdr(data, off), nxt)
    plen = off - _HDR + len(rest)
    return put_u16(head, _PLEN, plen if plen <= IPV6_MAXPACKET else 0) + rest


def ip6_without_atomic_fragment(data: bytes, off: int) -> tuple[bytes, int]:
    """The packet as it was before a fragment header that holds it whole, and where ``off`` is then.

    AH is computed before fragmentation (RFC 2402 s.3.3.4); a datagram in one fragment keeps the
    header, one that was reassembled does not.
    """
    for ext in walk(data, u8(data, _NXT), _HDR, off).headers:
        if ext.nxt_type == IPPROTO_FRAGMENT:
            end = ext.off + ext.len
            nxt = u8(data, ext.off + Ip6Frag.O_ip6f_nxt)
            return ip6_replace(data, ext.off, nxt, data[end:]), off - ext.len
    return data, off


def ip6_head(data: bytes, nxt: int, plen: int) -> bytes:
    """The IPv6 header of a packet for another payload."""
    head = put_u8(data[:_HDR], _NXT, nxt)
    return put_u16(head, _PLEN, plen if plen <= IPV6_MAXPACKET else 0)
