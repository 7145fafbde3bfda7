# SPDX-License-Identifier: BSD-3-Clause
"""Which packets change no state, and what becomes of them.

KAME counterpart: the straight way through if_ethersubr.c, ip6_input.c, ip6_forward.c,
mip6_binding.c (mip6_tunnel_output), ip6_output.c. ``classify`` says what becomes of each packet of
a batch, as long as the tables stay as they are; emit.py does it for a run of them. Whatever is not
plainly the same as on the slow path is A_PUNT. Tables: lower.py, layout.py; primitives: ldst.py.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

from kame_py.fast.batch import (
    P_ADDRESS,
    P_CHECKSUM,
    P_HBH,
    P_HLIM,
    P_ICMP6,
    P_LINK,
    P_MCAST,
    P_ND,
    P_NEIGHBOUR,
    P_NOTIP6,
    P_REDIRECT,
    P_SHORT,
    P_TOOBIG,
)
from kame_py.fast.layout import (
    A_ECHO,
    A_FORWARD,
    A_MCAST,
    A_MISS,
    A_NOTFORUS,
    A_NOTOURS,
    A_OWN,
    A_PUNT,
    A_TUNNEL,
    A_TYPE,
    A_TYPE_GROUP,
    ADJ_SHIFT,
    BYTE,
    E_ANYGROUP,
    E_ANYMAC,
    E_CLOSED,
    E_DECAP,
    E_ECHO,
    E_END,
    E_LINK,
    E_MAC,
    E_MACS,
    E_MASK,
    E_SECRET0,
    E_SECRET1,
    END_SHIFT,
    GO_ON,
    HALF,
    J_DEAD,
    J_FORWARD_MAX,
    J_GOOD,
    J_REDIRECT,
    J_SIZE,
    J_STATE,
    J_TUNNEL_MAX,
    K_DEAD,
    K_FORWARD,
    K_LOCAL,
    K_NOTOURS,
    K_TUNNEL,
    KIND_MASK,
    NEIGHBOUR,
    R_COA0,
    R_COA1,
    R_INFO,
    R_KEY0,
    R_KEY1,
    R_SEND,
    R_SIZE,
    WHY_SHIFT,
)
from kame_py.fast.ldst import (
    base,
    be16,
    fetch,
    half,
    inlined,
    kernel,
    ld8,
    ld32,
    ld64,
    mix,
    put_word,
    st8,
    word,
)
from kame_py.wire.codecs import EtherHeader, Icmp6Hdr, Ip6Hdr
from kame_py.wire.const import (
    ETHERTYPE_IPV6,
    ICMP6_ECHO_REQUEST,
    IPPROTO_HOPOPTS,
    IPPROTO_ICMPV6,
    IPPROTO_IPV6,
    IPV6_VERSION,
    ND_MAX_HLIM,
)

if TYPE_CHECKING:
    from kame_py.fast.batch import I64, U8, U32
    from kame_py.fast.ldst import Base

assert sys.byteorder == "little", "the kernels load words as they lie"

_DHOST: Final = EtherHeader.O_ether_dhost
_SHOST: Final = EtherHeader.O_ether_shost
_TYPE: Final = EtherHeader.O_ether_type
_ETHER: Final = EtherHeader.SIZE
_MAC: Final = (1 << 48) - 1
_GROUP: Final = 1  # of a MAC address, in the first octet
_HDR: Final = Ip6Hdr.SIZE
_FLOW: Final = Ip6Hdr.O_ip6_flow
_PLEN: Final = Ip6Hdr.O_ip6_plen
_NXT: Final = Ip6Hdr.O_ip6_nxt
_HLIM: Final = Ip6Hdr.O_ip6_hlim
_SRC: Final = Ip6Hdr.O_ip6_src
_DST: Final = Ip6Hdr.O_ip6_dst
_TYPE6: Final = Icmp6Hdr.O_icmp6_type
_HDR6: Final = Icmp6Hdr.SIZE
_SUM: Final = 0xFFFF
_U32: Final = 0xFFFFFFFF
_WORD: Final = 8
_DST8: Final = _DST + _WORD  # its second half
_LINE: Final = 64  # octets that come into the cache together
_BLOCK: Final = 128  # packets whose heads and rows stay in the first-level cache
_AHEAD: Final = 16  # packets: so far ahead heads are fetched
_VERSION: Final = IPV6_VERSION >> 4
_LL_MASK: Final = 0xC0FF  # fe80::/10 as its first two octets are loaded
_LL: Final = 0x80FE
_MULTICAST: Final = 0xFF


@inlined
def odd(address: int) -> bool:
    """Addresses with a zone, groups, ::/64 with what is mapped there: the slow path knows them."""
    return address == 0 or address & BYTE == _MULTICAST or address & _LL_MASK == _LL


@inlined
def slot(env: Base, k0: int, k1: int) -> int:
    """The word where the search for an address begins."""
    h = mix(k0, k1, word(env, E_SECRET0), word(env, E_SECRET1))
    return (h & word(env, E_MASK)) * R_SIZE


@inlined
def find_from(rows: Base, env: Base, at: int, k0: int, k1: int) -> int:
    """``find`` with its beginning known."""
    end = (word(env, E_MASK) + 1) * R_SIZE
    while word(rows, at + R_INFO) != 0:
        if word(rows, at + R_KEY0) == k0 and word(rows, at + R_KEY1) == k1:
            return at
        at += R_SIZE
        if at == end:
            at = 0
    return -1


@inlined
def find(rows: Base, env: Base, k0: int, k1: int) -> int:
    """The first word of the row of an address, -1 when there is none."""
    return find_from(rows, env, slot(env, k0, k1), k0, k1)


@kernel
def find_row(rows: I64, env: I64, k0: int, k1: int) -> int:
    """``find`` for those outside."""
    return find(base(rows), base(env), k0, k1)


@kernel
def put_rows(rows: I64, env: I64, new: I64) -> int:
    """Add or replace; how many addresses came to those that were there. There is room."""
    table, conf, given = base(rows), base(env), base(new)
    end = (word(conf, E_MASK) + 1) * R_SIZE
    added = 0
    for n in range(0, new.size, R_SIZE):
        if word(given, n + R_INFO) == 0:
            continue
        k0, k1 = word(given, n + R_KEY0), word(given, n + R_KEY1)
        at = slot(conf, k0, k1)
        while word(table, at + R_INFO) != 0:
            if word(table, at + R_KEY0) == k0 and word(table, at + R_KEY1) == k1:
                break
            at += R_SIZE
            if at == end:
                at = 0
        if word(table, at + R_INFO) == 0:
            added += 1
        for k in range(R_SIZE):
            put_word(table, at + k, word(given, n + k))
    return added


@inlined
def group_look(env: Base, dhost: int, ip6: bool) -> int:
    """A frame to a group: joined or not; IPv6 in it is for the slow path."""
    joined = dhost == _MAC
    if word(env, E_ANYGROUP) != 0 and not joined:
        return A_PUNT | P_MCAST << WHY_SHIFT
    for k in range(E_MACS, word(env, E_END)):
        joined = joined or word(env, k) == dhost
    if joined:
        return A_PUNT | P_MCAST << WHY_SHIFT if ip6 else A_TYPE_GROUP
    return A_MCAST


@inlined
def header_look(arena: Base, p: int, left: int) -> int:
    """An IPv6 header at ``p`` and all that it says; addresses that anybody may have."""
    if left < _HDR:
        return A_PUNT | P_SHORT << WHY_SHIFT
    if ld8(arena, p + _FLOW) >> 4 != _VERSION:
        return A_PUNT | P_NOTIP6 << WHY_SHIFT
    if _HDR + be16(arena, p + _PLEN) > left:
        return A_PUNT | P_SHORT << WHY_SHIFT
    if ld8(arena, p + _NXT) == IPPROTO_HOPOPTS:
        return A_PUNT | P_HBH << WHY_SHIFT
    if odd(ld64(arena, p + _SRC)) or odd(ld64(arena, p + _DST)):
        return A_PUNT | P_ADDRESS << WHY_SHIFT
    return GO_ON


@inlined
def first_look(arena: Base, off: int, caplen: int, env: Base) -> int:
    """What can be said without the table: action | reason << WHY_SHIFT."""
    closed = word(env, E_CLOSED)
    if word(env, E_LINK) == 0:
        if closed != 0:
            return A_PUNT | closed << WHY_SHIFT
        return header_look(arena, off, caplen)
    if caplen < _ETHER:
        return A_PUNT | P_SHORT << WHY_SHIFT
    mine = word(env, E_MAC)
    if ld64(arena, off + _SHOST) & _MAC == mine:
        return A_OWN
    if closed != 0:
        return A_PUNT | closed << WHY_SHIFT
    dhost = ld64(arena, off + _DHOST) & _MAC
    ip6 = be16(arena, off + _TYPE) == ETHERTYPE_IPV6
    if dhost != mine:
        if dhost & _GROUP:
            return group_look(env, dhost, ip6)
        return A_PUNT | P_LINK << WHY_SHIFT if word(env, E_ANYMAC) else A_NOTFORUS
    if not ip6:
        return A_TYPE
    return header_look(arena, off + _ETHER, caplen - _ETHER)


@inlined
def send_look(arena: Base, p: int, row: int, rows: Base, adj: Base, env: Base, decap: bool) -> int:
    """The packet at ``p`` is for the address of this row: may it be sent on?"""
    info = word(rows, row + R_INFO)
    kind = info & KIND_MASK
    if kind == K_DEAD:
        return A_MISS
    if kind not in (K_FORWARD, K_TUNNEL):
        return A_PUNT | (info >> WHY_SHIFT & BYTE) << WHY_SHIFT
    hop = (info >> ADJ_SHIFT) * J_SIZE
    state = word(adj, hop + J_STATE)
    if state == J_DEAD:
        return A_MISS
    if state != J_GOOD:
        return A_PUNT | (state >> WHY_SHIFT) << WHY_SHIFT
    if ld8(arena, p + _HLIM) <= 1:
        return A_PUNT | P_HLIM << WHY_SHIFT
    size = _HDR + be16(arena, p + _PLEN)
    if kind == K_TUNNEL:
        if ld8(arena, p + _NXT) == IPPROTO_ICMPV6 and ld8(arena, p + _HLIM) == ND_MAX_HLIM:
            return A_PUNT | P_ND << WHY_SHIFT  # a solicitation, perhaps
        if size + _HDR > word(adj, hop + J_TUNNEL_MAX):
            return A_PUNT | P_TOOBIG << WHY_SHIFT
        return A_TUNNEL
    if size > word(adj, hop + J_FORWARD_MAX):
        return A_PUNT | P_TOOBIG << WHY_SHIFT
    if word(adj, hop + J_REDIRECT) != 0 and not decap:
        sender = find(rows, env, ld64(arena, p + _SRC), ld64(arena, p + _SRC + _WORD))
        if sender < 0 or word(rows, sender + R_INFO) & KIND_MASK == K_DEAD:
            return A_MISS
        if word(rows, sender + R_INFO) & NEIGHBOUR:
            return A_PUNT | P_REDIRECT << WHY_SHIFT
    return A_FORWARD


@inlined
def decap_look(arena: Base, p: int, own: int, rows: Base, ends: Base, env: Base) -> int:
    """A packet to this node: does it come out of a mobile node's tunnel? GO_ON: it does.

    own: the row of its destination.
    """
    why = word(rows, own + R_INFO) >> WHY_SHIFT & BYTE
    if word(env, E_DECAP) == 0 or ld8(arena, p + _NXT) != IPPROTO_IPV6:
        return A_PUNT | why << WHY_SHIFT
    q = p + _HDR
    look = header_look(arena, q, be16(arena, p + _PLEN))
    if look != GO_ON:
        return look
    if ld8(arena, q + _NXT) == IPPROTO_ICMPV6 and ld8(arena, q + _HLIM) == ND_MAX_HLIM:
        return A_PUNT | P_ND << WHY_SHIFT
    node = find(rows, env, ld64(arena, q + _SRC), ld64(arena, q + _SRC + _WORD))
    if node < 0 or word(rows, node + R_INFO) & KIND_MASK == K_DEAD:
        return A_MISS
    if word(rows, node + R_INFO) & KIND_MASK != K_TUNNEL:
        return A_PUNT | why << WHY_SHIFT
    coa0, coa1 = ld64(arena, p + _SRC), ld64(arena, p + _SRC + _WORD)
    if word(rows, node + R_COA0) != coa0 or word(rows, node + R_COA1) != coa1:
        return A_PUNT | P_ADDRESS << WHY_SHIFT
    end = (word(rows, node + R_INFO) >> END_SHIFT & HALF) * 2
    if word(ends, end) != word(rows, own + R_KEY0):
        return A_PUNT | P_ADDRESS << WHY_SHIFT
    if word(ends, end + 1) != word(rows, own + R_KEY1):
        return A_PUNT | P_ADDRESS << WHY_SHIFT
    return GO_ON


@inlined
def summed(arena: Base, p: int, plen: int) -> bool:
    """Whether the checksum of an ICMPv6 message right behind the IPv6 header is right."""
    total = (plen >> 8 | (plen & BYTE) << 8) + (IPPROTO_ICMPV6 << 8)
    for k in range(_SRC, _HDR, 4):
        total += ld32(arena, p + k)
    at = p + _HDR
    end = at + plen
    while at + 4 <= end:
        total += ld32(arena, at)
        at += 4
    shift = 0
    while at < end:
        total += ld8(arena, at) << shift
        shift += 8
        at += 1
    total = (total & _U32) + (total >> 32)
    total = (total & _SUM) + (total >> 16)
    total = (total & _SUM) + (total >> 16)
    return (total & _SUM) + (total >> 16) == _SUM


@inlined
def echo_look(arena: Base, p: int, sender: int, rows: Base, adj: Base) -> int:
    """A ping to this node from the address of row ``sender``: may it be answered here?"""
    plen = be16(arena, p + _PLEN)
    if plen < _HDR6 or ld8(arena, p + _HDR + _TYPE6) != ICMP6_ECHO_REQUEST:
        return A_PUNT | P_ICMP6 << WHY_SHIFT
    if sender < 0 or word(rows, sender + R_INFO) & KIND_MASK == K_DEAD:
        return A_MISS
    hop = word(rows, sender + R_SEND) - 1
    if hop < 0:
        return A_PUNT | P_ICMP6 << WHY_SHIFT
    state = word(adj, hop * J_SIZE + J_STATE)
    if state == J_DEAD:
        return A_MISS
    if state != J_GOOD:
        return A_PUNT | P_NEIGHBOUR << WHY_SHIFT
    if _HDR + plen > word(adj, hop * J_SIZE + J_TUNNEL_MAX):
        return A_PUNT | P_TOOBIG << WHY_SHIFT
    return A_ECHO if summed(arena, p, plen) else A_PUNT | P_CHECKSUM << WHY_SHIFT


@kernel
def in_order(ts: I64, n: int, last_ns: int, stamps: I64) -> None:
    """Stamps that never go back, nor before ``last_ns``."""
    for i in range(n):
        last_ns = max(last_ns, int(ts[i]))
        stamps[i] = last_ns


@inlined
def second_look(
    arena: Base,
    p: int,
    i: int,
    found: Base,
    skips: Base,
    rows: Base,
    adj: Base,
    ends: Base,
    env: Base,
) -> int:
    """What the table says of packet ``i`` at ``p``: action | reason << WHY_SHIFT."""
    dst0, dst1 = ld64(arena, p + _DST), ld64(arena, p + _DST8)
    r = find_from(rows, env, word(found, i), dst0, dst1)
    kind = word(rows, r + R_INFO) & KIND_MASK if r >= 0 else K_DEAD
    put_word(found, i, r)
    if kind == K_NOTOURS:
        return A_NOTOURS
    if kind != K_LOCAL:
        return send_look(arena, p, r, rows, adj, env, False) if r >= 0 else A_MISS
    if ld8(arena, p + _NXT) == IPPROTO_ICMPV6 and word(env, E_ECHO) != 0:
        r = find(rows, env, ld64(arena, p + _SRC), ld64(arena, p + _SRC + _WORD))
        put_word(found, i, r)
        return echo_look(arena, p, r, rows, adj)
    look = decap_look(arena, p, r, rows, ends, env)
    if look != GO_ON:
        return look
    q = p + _HDR
    r = find(rows, env, ld64(arena, q + _DST), ld64(arena, q + _DST8))
    put_word(found, i, r)
    st8(skips, i, _HDR)
    return send_look(arena, q, r, rows, adj, env, True) if r >= 0 else A_MISS


@kernel
def classify(
    arena: U8,
    off: I64,
    caplen: U32,
    start: int,
    stop: int,
    act: U8,
    why: U8,
    row: I64,
    skip: U8,
    rows: I64,
    adj: I64,
    ends: I64,
    env: I64,
) -> int:
    """Fill act, why, row and skip of the packets; how many of them stop a run.

    row: first word of the row that says where the packet goes. skip: octets of an outer header that
    is taken off. First the rows are fetched, then they are read: a table that no cache holds costs
    little.
    """
    octets, table, hops, conf = base(arena), base(rows), base(adj), base(env)
    offs, sizes, acts, whys = base(off), base(caplen), base(act), base(why)
    found, skips = base(row), base(skip)
    link = word(conf, E_LINK)
    stops = 0
    for first in range(start, stop, _BLOCK):
        last = min(first + _BLOCK, stop)
        for i in range(first, last):
            ahead = min(i + _AHEAD, stop - 1)
            fetch(octets, word(offs, ahead))
            fetch(octets, word(offs, ahead) + _LINE)
            look = first_look(octets, word(offs, i), half(sizes, i), conf)
            if look == GO_ON:
                p = word(offs, i) + link + _DST
                at = slot(conf, ld64(octets, p), ld64(octets, p + _WORD))
                fetch(table, at * _WORD)
                put_word(found, i, at)
            st8(acts, i, look)
            st8(whys, i, look >> WHY_SHIFT)
            st8(skips, i, 0)
        for i in range(first, last):
            if ld8(acts, i) == GO_ON:
                p = word(offs, i) + link
                look = second_look(octets, p, i, found, skips, table, hops, base(ends), conf)
                st8(acts, i, look)
                st8(whys, i, look >> WHY_SHIFT)
            if ld8(acts, i) <= A_PUNT:
                stops += 1
    return stops
