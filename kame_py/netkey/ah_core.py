# SPDX-License-Identifier: BSD-3-Clause
"""What AH authenticates of an IPv6 packet, and the sizes of its header.

KAME ah_core.c (ah6_calccksum), ah_output.c (ah_hdrlen). Deviates: the header is a multiple of 8
octets whatever the length of the code (RFC 2402 s.2.2). RFC 2402 s.3.3.3 and appendix A.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kame_py.wire.codecs import Ah, Ip6Dest, Ip6Ext, Ip6Hdr
from kame_py.wire.const import (
    IP6OPT_MUTABLE,
    IPPROTO_AH,
    IPPROTO_DSTOPTS,
    IPPROTO_HOPOPTS,
    IPPROTO_ROUTING,
    IPV6_VERSION,
)
from kame_py.wire.ip6ext import exthdr_len, iter_options
from kame_py.wire.malformed import Malformed
from kame_py.wire.patch import put, put_u8, put_u32, u8

if TYPE_CHECKING:
    from kame_py.netkey.keydb import MacKey

_HDR: Final = Ip6Hdr.SIZE
_UNIT: Final = 8  # RFC 2402 s.2.2: AH in IPv6 is a multiple of 64 bits
_WORD: Final = 4
_FLOW_SHIFT: Final = 24  # the version is at the top of the first word


def ah_hdrlen(icvlen: int) -> int:
    """Octets of an AH header with a code of that length."""
    return (Ah.SIZE + icvlen + _UNIT - 1) // _UNIT * _UNIT


def ah_lengths(icvlen: int) -> tuple[int, ...]:
    """The lengths that are taken from a peer: ours, and KAME's without padding to 64 bits."""
    return ah_hdrlen(icvlen), (Ah.SIZE + icvlen + _WORD - 1) // _WORD * _WORD


def ah_build(nxt: int, spi: int, seq: int, icvlen: int) -> bytes:
    """A header whose code is zero."""
    size = ah_hdrlen(icvlen)
    ah = Ah(ah_nxt=nxt, ah_len=size // _WORD - 2, ah_reserve=0, ah_spi=spi, ah_seq=seq)
    return ah.pack() + bytes(size - Ah.SIZE)


def ah6_calccksum(mac: MacKey, head: bytes, ah: bytes, rest: bytes) -> bytes | None:
    """The code over a packet as it looks at its final destination.

    head: IPv6 header and what precedes AH, with the home address as source, the care-of address in
    the option, the last address of a routing header as destination and no segments left. None: a
    header in front of AH that cannot be there.
    """
    covered = ah6_immutable(head)
    if covered is None:
        return None
    blank = put(ah, Ah.SIZE, bytes(mac.icvlen))
    return mac.mac(covered, blank, rest)


def ah6_immutable(head: bytes) -> bytes | None:
    """IPv6 and extension headers with what changes on the way set to zero."""
    nxt, off = u8(head, Ip6Hdr.O_ip6_nxt), _HDR
    head = put_u32(head, Ip6Hdr.O_ip6_flow, IPV6_VERSION << _FLOW_SHIFT)
    head = put_u8(head, Ip6Hdr.O_ip6_hlim, 0)
    while off < len(head):
        if nxt not in (IPPROTO_HOPOPTS, IPPROTO_DSTOPTS, IPPROTO_ROUTING):
            return None
        size = exthdr_len(head, nxt, off, len(head))
        if isinstance(size, Malformed):
            return None
        if nxt != IPPROTO_ROUTING:
            cleared = _clear_mutable(head, off, off + size)
            if cleared is None:
                return None
            head = cleared
        nxt = u8(head, off + Ip6Ext.O_ip6e_nxt)
        off += size
    return head if nxt == IPPROTO_AH else None


def _clear_mutable(head: bytes, off: int, end: int) -> bytes | None:
    """Options whose data may change en route count with zeros in its place (RFC 2460 s.4.2)."""
    for opt in iter_options(head, off + Ip6Dest.SIZE, end):
        if isinstance(opt, Malformed):
            return None
        if opt.type & IP6OPT_MUTABLE:
            head = put(head, opt.data_off, bytes(opt.data_len))
    return head
