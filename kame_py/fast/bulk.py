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
    P_HBH,
    P_HLIM,
    P_LINK,
    P_MCAST,
    P_ND,
    P_NOTIP6,
    P_REDIRECT,
    P_SHORT,
    P_TOOBIG,
    SLACK,
)
from kame_py.fast.ldst import be16, copy, fetch, inlined, kernel, ld8, ld64, mix, st32, st64
from kame_py.wire import pcapfmt
from kame_py.wire.codecs import EtherHeader, Ip6Hdr
from kame_py.wire.const import (
    ETHERTYPE_IPV6,
    IPPROTO_HOPOPTS,
    IPPROTO_ICMPV6,
    IPPROTO_IPV6,
    IPV6_VERSION,
    ND_MAX_HLIM,
)

if TYPE_CHECKING:
    from kame_py.fast.batch import I64, U8, U32

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
A_COUNT: Final = 10
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
E_MACS: Final = 9  # joined groups follow

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
_WORD: Final = 8
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
def odd(word: int) -> bool:
    """Addresses with a zone, groups, ::/64 with what is mapped there: the slow path knows them."""
    return word == 0 or word & BYTE == _MULTICAST or word & _LL_MASK == _LL


@inlined
def find(rows: I64, env: I64, k0: int, k1: int) -> int:
    """The row of an address, -1 when there is none."""
    mask: int = rows.shape[0] - 1
    i = mix(k0, k1, env[E_SECRET0], env[E_SECRET1]) & mask
    while rows[i, R_INFO] != 0:
        if rows[i, R_KEY0] == k0 and rows[i, R_KEY1] == k1:
            return i
        i = (i + 1) & mask
    return -1


@kernel
def find_row(rows: I64, env: I64, k0: int, k1: int) -> int:
    """``find`` for those outside."""
    return find(rows, env, k0, k1)


@kernel
def put_rows(rows: I64, env: I64, new: I64) -> int:
    """Add or replace; how many addresses came to those that were there. There is room."""
    mask: int = rows.shape[0] - 1
    added = 0
    for n in range(new.shape[0]):
        if new[n, R_INFO] == 0:
            continue
        i = mix(new[n, R_KEY0], new[n, R_KEY1], env[E_SECRET0], env[E_SECRET1]) & mask
        while rows[i, R_INFO] != 0:
            if rows[i, R_KEY0] == new[n, R_KEY0] and rows[i, R_KEY1] == new[n, R_KEY1]:
                break
            i = (i + 1) & mask
        if rows[i, R_INFO] == 0:
            added += 1
        for k in range(R_SIZE):
            rows[i, k] = new[n, k]
    return added


@inlined
def group_look(env: I64, dhost: int, ip6: bool) -> int:
    """A frame to a group: joined or not; IPv6 in it is for the slow path."""
    joined = dhost == _MAC
    for k in range(E_MACS, env.shape[0]):
        joined = joined or env[k] == dhost
    if joined:
        return A_PUNT | P_MCAST << WHY_SHIFT if ip6 else A_TYPE_GROUP
    return A_PUNT | P_LINK << WHY_SHIFT if env[E_ANYMAC] else A_MCAST


@inlined
def header_look(arena: U8, p: int, left: int) -> int:
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
def first_look(arena: U8, off: int, caplen: int, env: I64) -> int:
    """What can be said without the table: action | reason << WHY_SHIFT."""
    if env[E_LINK] == 0:
        if env[E_CLOSED] != 0:
            return A_PUNT | int(env[E_CLOSED]) << WHY_SHIFT
        return header_look(arena, off, caplen)
    if caplen < _ETHER:
        return A_PUNT | P_SHORT << WHY_SHIFT
    if ld64(arena, off + _SHOST) & _MAC == env[E_MAC]:
        return A_OWN
    if env[E_CLOSED] != 0:
        return A_PUNT | int(env[E_CLOSED]) << WHY_SHIFT
    dhost = ld64(arena, off + _DHOST) & _MAC
    ip6 = be16(arena, off + _TYPE) == ETHERTYPE_IPV6
    if dhost != env[E_MAC]:
        if dhost & _GROUP:
            return group_look(env, dhost, ip6)
        return A_PUNT | P_LINK << WHY_SHIFT if env[E_ANYMAC] else A_NOTFORUS
    if not ip6:
        return A_TYPE
    return header_look(arena, off + _ETHER, caplen - _ETHER)


@inlined
def send_look(
    arena: U8, p: int, i: int, row: I64, rows: I64, adj: I64, env: I64, decap: bool
) -> int:
    """The packet at ``p`` is for the address of row[i]: may it be sent on?"""
    info = rows[row[i], R_INFO]
    kind = info & KIND_MASK
    if kind == K_DEAD:
        return A_MISS
    if kind != K_FORWARD and kind != K_TUNNEL:
        return A_PUNT | int(info >> WHY_SHIFT & BYTE) << WHY_SHIFT
    j = info >> ADJ_SHIFT
    state = adj[j, J_STATE]
    if state == J_DEAD:
        return A_MISS
    if state != J_GOOD:
        return A_PUNT | int(state >> WHY_SHIFT) << WHY_SHIFT
    if ld8(arena, p + _HLIM) <= 1:
        return A_PUNT | P_HLIM << WHY_SHIFT
    size = _HDR + be16(arena, p + _PLEN)
    if kind == K_TUNNEL:
        if ld8(arena, p + _NXT) == IPPROTO_ICMPV6 and ld8(arena, p + _HLIM) == ND_MAX_HLIM:
            return A_PUNT | P_ND << WHY_SHIFT  # a solicitation, perhaps
        if size + _HDR > adj[j, J_TUNNEL_MAX]:
            return A_PUNT | P_TOOBIG << WHY_SHIFT
        return A_TUNNEL
    if size > adj[j, J_FORWARD_MAX]:
        return A_PUNT | P_TOOBIG << WHY_SHIFT
    if adj[j, J_REDIRECT] != 0 and not decap:
        s = find(rows, env, ld64(arena, p + _SRC), ld64(arena, p + _SRC + _WORD))
        if s < 0 or rows[s, R_INFO] & KIND_MASK == K_DEAD:
            return A_MISS
        if rows[s, R_INFO] & NEIGHBOUR:
            return A_PUNT | P_REDIRECT << WHY_SHIFT
    return A_FORWARD


@inlined
def decap_look(
    arena: U8, p: int, i: int, row: I64, rows: I64, adj: I64, ends: I64, env: I64
) -> int:
    """A packet to this node out of a mobile node's tunnel: what is inside goes on."""
    why = int(rows[row[i], R_INFO]) >> WHY_SHIFT & BYTE
    if env[E_DECAP] == 0 or ld8(arena, p + _NXT) != IPPROTO_IPV6:
        return A_PUNT | why << WHY_SHIFT
    q = p + _HDR
    look = header_look(arena, q, be16(arena, p + _PLEN))
    if look != _GO_ON:
        return look
    if ld8(arena, q + _NXT) == IPPROTO_ICMPV6 and ld8(arena, q + _HLIM) == ND_MAX_HLIM:
        return A_PUNT | P_ND << WHY_SHIFT
    s = find(rows, env, ld64(arena, q + _SRC), ld64(arena, q + _SRC + _WORD))
    if s < 0 or rows[s, R_INFO] & KIND_MASK == K_DEAD:
        return A_MISS
    if rows[s, R_INFO] & KIND_MASK != K_TUNNEL:
        return A_PUNT | why << WHY_SHIFT
    coa0, coa1 = ld64(arena, p + _SRC), ld64(arena, p + _SRC + _WORD)
    if rows[s, R_COA0] != coa0 or rows[s, R_COA1] != coa1:
        return A_PUNT | P_ADDRESS << WHY_SHIFT
    end = rows[s, R_INFO] >> END_SHIFT & HALF
    if ends[end, 0] != rows[row[i], R_KEY0] or ends[end, 1] != rows[row[i], R_KEY1]:
        return A_PUNT | P_ADDRESS << WHY_SHIFT
    r = find(rows, env, ld64(arena, q + _DST), ld64(arena, q + _DST + _WORD))
    if r < 0:
        return A_MISS
    row[i] = r
    return send_look(arena, q, i, row, rows, adj, env, True)


@inlined
def second_look(
    arena: U8, p: int, i: int, row: I64, skip: U8, rows: I64, adj: I64, ends: I64, env: I64
) -> int:
    """What the table says of an IPv6 packet at ``p``."""
    r = find(rows, env, ld64(arena, p + _DST), ld64(arena, p + _DST + _WORD))
    if r < 0:
        return A_MISS
    row[i] = r
    kind = rows[r, R_INFO] & KIND_MASK
    if kind == K_NOTOURS:
        return A_NOTOURS
    if kind == K_LOCAL:
        skip[i] = _HDR
        return decap_look(arena, p, i, row, rows, adj, ends, env)
    return send_look(arena, p, i, row, rows, adj, env, False)


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

    First the rows are fetched, then they are read: a table that no cache holds costs little.
    """
    link = env[E_LINK]
    mask: int = rows.shape[0] - 1
    for i in range(start, stop):
        look = first_look(arena, off[i], int(caplen[i]), env)
        if look == _GO_ON:
            p = off[i] + link + _DST
            k0, k1 = ld64(arena, p), ld64(arena, p + _WORD)
            fetch(rows, mix(k0, k1, env[E_SECRET0], env[E_SECRET1]) & mask)
        act[i] = look & BYTE
        why[i] = look >> WHY_SHIFT
        skip[i] = 0
    stops = 0
    for i in range(start, stop):
        if act[i] == _GO_ON:
            look = second_look(arena, off[i] + link, i, row, skip, rows, adj, ends, env)
            act[i] = look & BYTE
            why[i] = look >> WHY_SHIFT
        if act[i] <= A_PUNT:
            stops += 1
    return stops


@inlined
def open_block(out: U8, pos: int, t_ns: int, size: int) -> int:
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
    link = env[E_LINK]
    pos = cnt[C_POS]
    for i in range(start, stop):
        a = act[i]
        if a in (A_OWN, A_NOTFORUS, A_MCAST):
            cnt[a] += 1
            continue
        if a in (A_TYPE, A_TYPE_GROUP):
            cnt[a] += 1
            cnt[C_IBYTES] += caplen[i]
            continue
        p = off[i] + link
        if a == A_NOTOURS:
            cnt[a] += 1
            cnt[C_IBYTES] += caplen[i]
            hist[ld8(arena, p + _NXT)] += 1
            continue
        q = p + ld8(skip, i)
        total = _HDR + be16(arena, q + _PLEN)
        outer = _HDR if a == A_TUNNEL else 0
        size = link + outer + total
        if pos + EPB_MAX + size > out.shape[0]:
            cnt[C_POS] = pos
            return i
        cnt[a] += 1
        cnt[C_IBYTES] += caplen[i]
        cnt[C_OBYTES] += size
        if q != p:
            cnt[C_DECAP] += 1
            hist[ld8(arena, p + _NXT)] += 1
        hist[ld8(arena, q + _NXT)] += 1
        r = row[i]
        info = rows[r, R_INFO]
        j = info >> ADJ_SHIFT
        if use[j] == 0:
            touched[cnt[C_TOUCHED]] = j
            cnt[C_TOUCHED] += 1
        use[j] += 1
        if env[E_WRITE] == 0:
            continue
        at = open_block(out, pos, t_ns[i], size)
        pos = at + ((size + 3) & ~3) + _TAIL
        if link != 0:
            st64(out, at, adj[j, J_LINK0])
            st64(out, at + _WORD, adj[j, J_LINK1])
            at += link
        if outer != 0:
            plen = (total >> 8 | (total & BYTE) << 8) << _OUTER_PLEN
            st64(out, at, _OUTER | plen | env[E_HLIM] << _OUTER_HLIM)
            end = info >> END_SHIFT & HALF
            st64(out, at + _SRC, ends[end, 0])
            st64(out, at + _SRC + _WORD, ends[end, 1])
            st64(out, at + _DST, rows[r, R_COA0])
            st64(out, at + _DST + _WORD, rows[r, R_COA1])
            at += outer
        copy(out, at, arena, q, total)
        out[at + _HLIM] = ld8(arena, q + _HLIM) - 1
    cnt[C_POS] = pos
    return stop
