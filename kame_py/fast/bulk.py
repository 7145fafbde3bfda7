# SPDX-License-Identifier: BSD-3-Clause
"""What is done with packets that change no state: chosen, looked up, written out, counted.

KAME counterpart: the straight way through if_ethersubr.c, ip6_input.c, ip6_forward.c,
mip6_binding.c (mip6_tunnel_output), ip6_output.c. ``classify`` says what becomes of each packet of
a batch, as long as the tables stay as they are; ``emit`` does it for a run of them. Whatever is not
plainly the same as on the slow path is A_PUNT. Tables: lower.py; primitives and twins: ldst.py.
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
    SLACK,
)
from kame_py.fast.ldst import (
    base,
    be16,
    copy,
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
    st32,
    st64,
    word,
)
from kame_py.wire import pcapfmt
from kame_py.wire.codecs import EtherHeader, Icmp6Hdr, Ip6Hdr
from kame_py.wire.const import (
    ETHERTYPE_IPV6,
    ICMP6_ECHO_REPLY,
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

# What becomes of a packet. The first two stop a run.
A_MISS: Final = 0  # the table has not heard of an address
A_PUNT: Final = 1  # for the slow path
A_FORWARD: Final = 2
A_TUNNEL: Final = 3  # into the tunnel to a mobile node
A_OWN: Final = 4  # the node sent it itself
A_NOTFORUS: Final = 5  # drops: unicast to another station
A_MCAST: Final = 6  # group that was not joined
A_TYPE: Final = 7  # not IPv6
A_TYPE_GROUP: Final = 8  # not IPv6, to a group or to all
A_NOTOURS: Final = 9  # IPv6 for another node, and this one does not forward
A_ECHO: Final = 10  # a ping, answered
A_COUNT: Final = 11
_GO_ON: Final = 15  # first_look has nothing against it

# Counters behind those of the actions.
C_IBYTES: Final = A_COUNT
C_OBYTES: Final = A_COUNT + 1
C_DECAP: Final = A_COUNT + 2
C_TOUCHED: Final = A_COUNT + 3  # how many adjacencies are in ``touched``
C_POS: Final = A_COUNT + 4  # where the output ends
C_COUNT: Final = A_COUNT + 5

# A row of the table: what is known of one address.
R_KEY0: Final = 0
R_KEY1: Final = 1
R_INFO: Final = 2  # 0: the row is free
R_COA0: Final = 3
R_COA1: Final = 4
R_SEND: Final = 5  # 1 + number of the adjacency of what this node sends there; 0: unusual
R_SIZE: Final = 8  # words: one cache line

# R_INFO: kind, and what belongs to it.
K_DEAD: Final = 1  # was right once
K_PUNT: Final = 2
K_LOCAL: Final = 3
K_NOTOURS: Final = 4
K_FORWARD: Final = 5
K_TUNNEL: Final = 6
KIND_MASK: Final = 0xF
NEIGHBOUR: Final = 1 << 4  # on the link that packets come from
WHY_SHIFT: Final = 8
END_SHIFT: Final = 16  # number of the tunnel's own end
ADJ_SHIFT: Final = 32  # number of the adjacency
BYTE: Final = 0xFF
HALF: Final = 0xFFFF

# A row of adjacencies: a next hop.
J_STATE: Final = 0
J_FORWARD_MAX: Final = 1  # octets of a packet that is forwarded
J_TUNNEL_MAX: Final = 2  # ... of one with its outer header
J_LINK0: Final = 3  # link header, 8 octets and the rest
J_LINK1: Final = 4
J_REDIRECT: Final = 5  # neighbours that send this way may need a redirect
J_SIZE: Final = 8
J_DEAD: Final = 0
J_GOOD: Final = 1
J_BAD: Final = 2  # + reason << WHY_SHIFT

# The kernel's settings.
E_LINK: Final = 0  # octets of link header
E_MAC: Final = 1
E_ANYMAC: Final = 2  # other stations' frames are for the slow path
E_CLOSED: Final = 3  # everything is for the slow path, for this reason
E_DECAP: Final = 4  # out of mobile nodes' tunnels
E_HLIM: Final = 5  # of outer headers
E_SECRET0: Final = 6
E_SECRET1: Final = 7
E_WRITE: Final = 8  # output is wanted
E_MASK: Final = 9  # rows of the table - 1, a power of two
E_END: Final = 10  # of the settings
E_ECHO: Final = 11  # pings are answered with this hop limit; 0: on the slow path
E_MACS: Final = 12  # joined groups follow

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
_CKSUM6: Final = Icmp6Hdr.O_icmp6_cksum
_HDR6: Final = Icmp6Hdr.SIZE
_REPLY: Final = IPV6_VERSION | IPPROTO_ICMPV6 << 48  # first word of an answer
_SUM: Final = 0xFFFF
_U32: Final = 0xFFFFFFFF
_ONE_TYPE: Final = (ICMP6_ECHO_REPLY - ICMP6_ECHO_REQUEST) << 8  # what an answer adds to the sum
_WORD: Final = 8
_DST8: Final = _DST + _WORD  # its second half
_LINE: Final = 64  # octets that come into the cache together
_BLOCK: Final = 128  # packets whose heads and rows stay in the first-level cache
_AHEAD: Final = 16  # packets: so far ahead heads are fetched
_VERSION: Final = IPV6_VERSION >> 4
_LL_MASK: Final = 0xC0FF  # fe80::/10 as its first two octets are loaded
_LL: Final = 0x80FE
_MULTICAST: Final = 0xFF
_OUTER: Final = IPV6_VERSION | IPPROTO_IPV6 << 48  # first word of an outer header
_OUTER_PLEN: Final = 32
_OUTER_HLIM: Final = 56

# An Enhanced Packet Block with epb_flags, as PcapngWriter.write makes it.
_TYPE_AT: Final = pcapfmt.EPB_O_TYPE
_LENGTH_AT: Final = pcapfmt.EPB_O_LENGTH
_IF_AT: Final = pcapfmt.EPB_O_INTERFACE
_HIGH_AT: Final = pcapfmt.EPB_O_HIGH
_LOW_AT: Final = pcapfmt.EPB_O_LOW
_CAPLEN_AT: Final = pcapfmt.EPB_O_CAPLEN
_ORIGLEN_AT: Final = pcapfmt.EPB_O_ORIGLEN
_DATA_AT: Final = pcapfmt.EPB_O_DATA
_T_CODE: Final = pcapfmt.EPB_TAIL_O_CODE
_T_FLAGS: Final = pcapfmt.EPB_TAIL_O_FLAGS
_T_END: Final = pcapfmt.EPB_TAIL_O_END
_T_LENGTH: Final = pcapfmt.EPB_TAIL_O_LENGTH
_TAIL: Final = pcapfmt.EPB_TAIL_LEN
_PAD: Final = pcapfmt.PAD
_BT_EPB: Final = pcapfmt.BT_EPB
_FLAGS_OPTION: Final = pcapfmt.EPB_FLAGS | pcapfmt.PAD << 16  # code, length
_OUTBOUND: Final = pcapfmt.EPB_OUTBOUND
EPB_MAX: Final = _DATA_AT + _PAD + _TAIL + SLACK  # around a frame


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
    for k in range(E_MACS, word(env, E_END)):
        joined = joined or word(env, k) == dhost
    if joined:
        return A_PUNT | P_MCAST << WHY_SHIFT if ip6 else A_TYPE_GROUP
    return A_PUNT | P_LINK << WHY_SHIFT if word(env, E_ANYMAC) else A_MCAST


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
    return _GO_ON


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
    """A packet to this node: does it come out of a mobile node's tunnel? _GO_ON: it does.

    own: the row of its destination.
    """
    why = word(rows, own + R_INFO) >> WHY_SHIFT & BYTE
    if word(env, E_DECAP) == 0 or ld8(arena, p + _NXT) != IPPROTO_IPV6:
        return A_PUNT | why << WHY_SHIFT
    q = p + _HDR
    look = header_look(arena, q, be16(arena, p + _PLEN))
    if look != _GO_ON:
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
    return _GO_ON


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
    link, echo = word(conf, E_LINK), word(conf, E_ECHO)
    stops = 0
    for first in range(start, stop, _BLOCK):
        last = min(first + _BLOCK, stop)
        for i in range(first, last):
            ahead = min(i + _AHEAD, stop - 1)
            fetch(octets, word(offs, ahead))
            fetch(octets, word(offs, ahead) + _LINE)
            look = first_look(octets, word(offs, i), half(sizes, i), conf)
            if look == _GO_ON:
                p = word(offs, i) + link + _DST
                at = slot(conf, ld64(octets, p), ld64(octets, p + _WORD))
                fetch(table, at * _WORD)
                put_word(found, i, at)
            st8(acts, i, look)
            st8(whys, i, look >> WHY_SHIFT)
            st8(skips, i, 0)
        for i in range(first, last):
            if ld8(acts, i) == _GO_ON:
                p = word(offs, i) + link
                r = find_from(
                    table, conf, word(found, i), ld64(octets, p + _DST), ld64(octets, p + _DST8)
                )
                kind = word(table, r + R_INFO) & KIND_MASK if r >= 0 else K_DEAD
                ping = kind == K_LOCAL and ld8(octets, p + _NXT) == IPPROTO_ICMPV6 and echo != 0
                decap = kind == K_LOCAL and not ping
                look = _GO_ON
                if ping:
                    r = find(table, conf, ld64(octets, p + _SRC), ld64(octets, p + _SRC + _WORD))
                    look = echo_look(octets, p, r, table, hops)
                if decap:
                    look = decap_look(octets, p, r, table, base(ends), conf)
                    p += _HDR
                    st8(skips, i, _HDR)
                    if look == _GO_ON:
                        r = find(table, conf, ld64(octets, p + _DST), ld64(octets, p + _DST8))
                if kind == K_NOTOURS:
                    look = A_NOTOURS
                elif look == _GO_ON:
                    look = send_look(octets, p, r, table, hops, conf, decap) if r >= 0 else A_MISS
                put_word(found, i, r)
                st8(acts, i, look)
                st8(whys, i, look >> WHY_SHIFT)
            if ld8(acts, i) <= A_PUNT:
                stops += 1
    return stops


@inlined
def open_block(out: Base, pos: int, t_ns: int, size: int) -> int:
    """Head and tail of an Enhanced Packet Block for a frame of ``size`` octets; where that goes."""
    padded = (size + 3) & ~3
    block = _DATA_AT + padded + _TAIL
    st32(out, pos + _TYPE_AT, _BT_EPB)
    st32(out, pos + _LENGTH_AT, block)
    st32(out, pos + _IF_AT, 0)
    st32(out, pos + _HIGH_AT, t_ns >> 32)
    st32(out, pos + _LOW_AT, t_ns)
    st32(out, pos + _CAPLEN_AT, size)
    st32(out, pos + _ORIGLEN_AT, size)
    at = pos + _DATA_AT
    end = at + padded
    st32(out, end - _PAD, 0)
    st32(out, end + _T_CODE, _FLAGS_OPTION)
    st32(out, end + _T_FLAGS, _OUTBOUND)
    st32(out, end + _T_END, 0)
    st32(out, end + _T_LENGTH, block)
    return at


@inlined
def answer(out: Base, at: int, arena: Base, p: int, hlim: int) -> None:
    """Make an answer of the copy of a ping: header, addresses, type; the sum follows the type."""
    plen = ld64(arena, p) & (HALF << _OUTER_PLEN)
    st64(out, at, _REPLY | plen | hlim << _OUTER_HLIM)
    copy(out, at + _SRC, arena, p + _DST, _HDR - _DST)
    copy(out, at + _DST, arena, p + _SRC, _DST - _SRC)
    st8(out, at + _HDR + _TYPE6, ICMP6_ECHO_REPLY)
    cksum = be16(arena, p + _HDR + _CKSUM6) - _ONE_TYPE
    cksum += _SUM if cksum < 0 else 0
    st8(out, at + _HDR + _CKSUM6, cksum >> 8)
    st8(out, at + _HDR + _CKSUM6 + 1, cksum)


@kernel
def emit(
    arena: U8,
    off: I64,
    caplen: U32,
    t_ns: I64,
    start: int,
    stop: int,
    act: U8,
    row: I64,
    skip: U8,
    rows: I64,
    adj: I64,
    ends: I64,
    env: I64,
    out: U8,
    cnt: I64,
    hist: I64,
    use: I64,
    touched: I64,
) -> int:
    """Do with packets what was found for them; where it stopped, because the output is full.

    cnt, hist, use: what the slow path would have counted, added up.
    """
    octets, table, hops, tunnels, conf = base(arena), base(rows), base(adj), base(ends), base(env)
    to, offs, sizes, acts, stamps = base(out), base(off), base(caplen), base(act), base(t_ns)
    found, skips = base(row), base(skip)
    room = out.shape[0] - EPB_MAX
    bytes_in = bytes_out = 0
    link, hlim, write = word(conf, E_LINK), word(conf, E_HLIM), word(conf, E_WRITE)
    echo = word(conf, E_ECHO)
    pos = cnt[C_POS]
    for i in range(start, stop):
        a = ld8(acts, i)
        if a in (A_OWN, A_NOTFORUS, A_MCAST):
            cnt[a] += 1
            continue
        if a in (A_TYPE, A_TYPE_GROUP):
            cnt[a] += 1
            bytes_in += half(sizes, i)
            continue
        p = word(offs, i) + link
        if a == A_NOTOURS:
            cnt[a] += 1
            bytes_in += half(sizes, i)
            hist[ld8(octets, p + _NXT)] += 1
            continue
        q = p + ld8(skips, i)
        total = _HDR + be16(octets, q + _PLEN)
        outer = _HDR if a == A_TUNNEL else 0
        size = link + outer + total
        if pos + size > room:
            stop = i
            break
        cnt[a] += 1
        bytes_in += half(sizes, i)
        bytes_out += size
        if q != p:
            cnt[C_DECAP] += 1
            hist[ld8(octets, p + _NXT)] += 1
        hist[ld8(octets, q + _NXT)] += 1
        r = word(found, i)
        info = word(table, r + R_INFO)
        j = word(table, r + R_SEND) - 1 if a == A_ECHO else info >> ADJ_SHIFT
        if use[j] == 0:
            touched[cnt[C_TOUCHED]] = j
            cnt[C_TOUCHED] += 1
        use[j] += 1
        if write == 0:
            continue
        at = open_block(to, pos, word(stamps, i), size)
        pos = at + ((size + 3) & ~3) + _TAIL
        if link != 0:
            st64(to, at, word(hops, j * J_SIZE + J_LINK0))
            st64(to, at + _WORD, word(hops, j * J_SIZE + J_LINK1))
            at += link
        if outer != 0:
            plen = (total >> 8 | (total & BYTE) << 8) << _OUTER_PLEN
            st64(to, at, _OUTER | plen | hlim << _OUTER_HLIM)
            end = (info >> END_SHIFT & HALF) * 2
            st64(to, at + _SRC, word(tunnels, end))
            st64(to, at + _SRC + _WORD, word(tunnels, end + 1))
            st64(to, at + _DST, word(table, r + R_COA0))
            st64(to, at + _DST + _WORD, word(table, r + R_COA1))
            at += outer
        copy(to, at, octets, q, total)
        if a == A_ECHO:
            answer(to, at, octets, q, echo)
        else:
            st8(to, at + _HLIM, ld8(octets, q + _HLIM) - 1)
    cnt[C_IBYTES] += bytes_in
    cnt[C_OBYTES] += bytes_out
    cnt[C_POS] = pos
    return stop
