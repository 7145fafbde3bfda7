# SPDX-License-Identifier: BSD-3-Clause
"""Cut a packet that is larger than its path MTU into fragments.

The fragmentation half of KAME ip6_output.c. Deviates: identifications count from a seeded start.
RFC 8200 s.4.5.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kame_py.kern.mbuf import Mbuf, m_copy
from kame_py.netinet6.prevhdr import ip6_get_prevhdr
from kame_py.wire.codecs import Ip6Frag, Ip6Hdr
from kame_py.wire.const import IP6F_MORE_FRAG, IPPROTO_FRAGMENT, IPV6_MAXPACKET
from kame_py.wire.patch import put_u8, put_u16, u8

if TYPE_CHECKING:
    from kame_py.kern.kernel import Kernel

_ALIGN_MASK: Final = ~7  # RFC 8200 s.4.5: all but the last carry a multiple of 8 octets
IP6_IDENT_MASK: Final = 0xFFFFFFFF


def ip6_fragment(kern: Kernel, m: Mbuf, unfrag: int, mtu: int) -> list[Mbuf]:
    """Fragments of at most ``mtu`` octets; ``m`` itself becomes the first.

    unfrag: octets of IPv6 header and the extension headers that every fragment repeats.
    Empty when the MTU leaves no room, or the packet is a jumbogram; ``m`` is unchanged then.
    """
    data = m.data
    room = (mtu - unfrag - Ip6Frag.SIZE) & _ALIGN_MASK
    rest = data[unfrag:]
    if room <= 0 or len(data) - Ip6Hdr.SIZE > IPV6_MAXPACKET:
        return []
    prev = ip6_get_prevhdr(data, unfrag)
    frag = Ip6Frag(ip6f_nxt=u8(data, prev), ip6f_ident=kern.ip6.ip6_id)
    kern.ip6.ip6_id = (kern.ip6.ip6_id + 1) & IP6_IDENT_MASK
    head = put_u8(data[:unfrag], prev, IPPROTO_FRAGMENT)
    parts: list[Mbuf] = []
    for at in range(0, len(rest), room):
        piece = rest[at : at + room]
        frag.ip6f_offlg = at | (IP6F_MORE_FRAG if at + room < len(rest) else 0)
        plen = unfrag - Ip6Hdr.SIZE + Ip6Frag.SIZE + len(piece)
        part = m_copy(kern, m) if parts else m
        parts.append(part)
        part.data = put_u16(head, Ip6Hdr.O_ip6_plen, plen) + frag.pack() + piece
    return parts
