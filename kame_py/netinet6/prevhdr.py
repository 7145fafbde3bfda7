# SPDX-License-Identifier: BSD-3-Clause
"""Find the next-header octet that announces a header.

KAME ip6_input.c ip6_get_prevhdr. RFC 8200 s.4.
"""

from __future__ import annotations

from kame_py.wire.codecs import Ip6Ext, Ip6Hdr
from kame_py.wire.ip6ext import exthdr_len
from kame_py.wire.malformed import Malformed
from kame_py.wire.patch import u8


def ip6_get_prevhdr(data: bytes, off: int) -> int:
    """Offset of the next-header octet for the header at ``off``, which earlier headers reach."""
    prev = Ip6Hdr.O_ip6_nxt
    nxt, at = u8(data, prev), Ip6Hdr.SIZE
    while at < off:
        size = exthdr_len(data, nxt, at, len(data))
        if isinstance(size, Malformed):
            break
        prev = at + Ip6Ext.O_ip6e_nxt
        nxt = u8(data, prev)
        at += size
    return prev
