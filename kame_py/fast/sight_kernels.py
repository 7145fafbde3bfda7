# SPDX-License-Identifier: BSD-3-Clause
"""Look through a capture before it is played: where octets are, who is in it. As kernels.

No KAME counterpart. kame_py/replay/scan.py has what they stand in for, which is the one to read.
"""

from __future__ import annotations

from typing import Final

from kame_py.fast.batch import I64, U8, U32
from kame_py.fast.intrin import base, be16, be64, le16, u8
from kame_py.fast.jit import inlined, kernel
from kame_py.wire import pcapfmt
from kame_py.wire.codecs import Icmp6Hdr, Ip6Hdr
from kame_py.wire.const import IPPROTO_ICMPV6, ND_REDIRECT, ND_ROUTER_SOLICIT

_PIECE: Final = 4096  # octets that are looked at before somebody looks closer
_ETHER: Final = pcapfmt.ETHER_LEN
_TYPE: Final = pcapfmt.ETHER_TYPE
_IP6: Final = pcapfmt.ETHERTYPE_IPV6
_NXT: Final = _ETHER + Ip6Hdr.O_ip6_nxt
_SRC: Final = _ETHER + Ip6Hdr.O_ip6_src
_DST: Final = _ETHER + Ip6Hdr.O_ip6_dst
_HEAD: Final = _ETHER + Ip6Hdr.SIZE
_ICMP6_TYPE: Final = _HEAD + Icmp6Hdr.O_icmp6_type
_WORD: Final = 8
_MAC: Final = 6
_MAC_SHIFT: Final = 16  # of eight octets
_LL_SHIFT: Final = 54  # the ten bits of fe80::/10
_LL: Final = 0x3FA
_TEN: Final = 0x3FF
# What a pair of hosts is, beside the address that is looked for
_FROM: Final = 1 << 48
_TO: Final = 1 << 49
_OTHER: Final = 1 << 50
_ODD: Final = 0x9E3779B97F4A7C15 - (1 << 64)


@inlined
def _here(octets: int, at: int, word: int, size: int) -> bool:
    same = 0
    while same < size and u8(octets, at + same) == u8(word, same):
        same += 1
    return same == size


@kernel
def spot(arena: U8, start: int, end: int, text: U8) -> int:
    """Where ``text``, at least three octets, is in ``arena[start:end]`` first; -1: nowhere.

    Every second pair of octets is looked at: one of the first two pairs of the text is among them.
    """
    octets, word, size = base(arena), base(text), len(text)
    even, odd = le16(word, 0), le16(word, 1)
    at = start
    while at < end:
        stop = min(at + _PIECE, end)
        near = 0
        for k in range((stop - at) >> 1):
            pair = le16(octets, at + 2 * k)
            near += (pair == even) | (pair == odd)
        if near or stop - at < _PIECE:
            for i in range(max(at - 1, start), min(stop, end - size + 1)):
                if _here(octets, i, word, size):
                    return i
        at = stop
    return -1


@kernel
def strangers(
    arena: U8,
    off: I64,
    caplen: U32,
    n: int,
    addr0: int,
    addr1: int,
    known: I64,
    picked: I64,
) -> int:
    """Ethernet frames that may tell something new about an address: how many of them.

    They are neighbour discovery, and the first of each kind of IPv6 packets: from whom, from or to
    the address or neither, to which station. known: pairs of words, -1 where free.
    """
    octets = base(arena)
    slots = len(known) >> 1
    count = 0
    for i in range(n):
        p, size = off[i], caplen[i]
        if size < _HEAD or be16(octets, p + _TYPE) != _IP6:
            continue
        if size > _ICMP6_TYPE and u8(octets, p + _NXT) == IPPROTO_ICMPV6:
            if ND_ROUTER_SOLICIT <= u8(octets, p + _ICMP6_TYPE) <= ND_REDIRECT:
                picked[count] = i
                count += 1
                continue
        src0, src1 = be64(octets, p + _SRC), be64(octets, p + _SRC + _WORD)
        dst0, dst1 = be64(octets, p + _DST), be64(octets, p + _DST + _WORD)
        kind = be64(octets, p + _MAC) >> _MAC_SHIFT & (_FROM - 1)
        to = 0
        if src0 == addr0 and src1 == addr1:
            kind |= _FROM
        elif src0 | src1 and (src0 >> _LL_SHIFT & _TEN) != _LL:
            kind |= _OTHER
        if dst0 == addr0 and dst1 == addr1:
            kind |= _TO
            to = be64(octets, p) >> _MAC_SHIFT & (_FROM - 1)
        at = ((kind * _ODD ^ to) * _ODD >> 40) & (slots - 1)
        tries = 0
        while tries < slots and known[2 * at] != -1:
            if known[2 * at] == kind and known[2 * at + 1] == to:
                break
            at = (at + 1) & (slots - 1)
            tries += 1
        if tries < slots and known[2 * at] == kind:
            continue
        if tries < slots:
            known[2 * at] = kind
            known[2 * at + 1] = to
        picked[count] = i
        count += 1
    return count
