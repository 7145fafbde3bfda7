# SPDX-License-Identifier: BSD-3-Clause
"""A run of packets: each is looked at, written out, counted.

KAME counterpart: what ip6_forward.c, mip6_tunnel_output and icmp6_reflect put on the wire. The
output is blocks of a pcapng file, which can be written as they are. bulk.py says what becomes of a
packet.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kame_py.fast.batch import SLACK
from kame_py.fast.bulk import first_look, look_up, plain, second_look
from kame_py.fast.layout import (
    A_ECHO,
    A_NOTOURS,
    A_OWN,
    A_PUNT,
    A_ROUTED,
    A_ROUTED_HAO,
    A_TUNNEL,
    A_TYPE,
    A_TYPE_GROUP,
    ADJ_SHIFT,
    BIND_LOW,
    BYTE,
    C_BCS,
    C_DECAP,
    C_FETCHED,
    C_FRAMES,
    C_IBYTES,
    C_LOOKED,
    C_OBYTES,
    C_POS,
    C_TOUCHED,
    E_ECHO,
    E_HLIM,
    E_LEAST,
    E_LINK,
    E_MAC,
    E_MASK,
    E_WRITE,
    END_SHIFT,
    EPB_MAX,
    GO_ON,
    HALF,
    HAO_LEN,
    J_LINK0,
    J_LINK1,
    J_SIZE,
    R_BC,
    R_BIND,
    R_COA0,
    R_COA1,
    R_INFO,
    R_KEY0,
    R_KEY1,
    R_SEND,
    T_ACT,
    T_ADJ,
    T_BCS,
    T_CNT,
    T_ENDS,
    T_ENV,
    T_HIST,
    T_INDEX,
    T_OUT,
    T_ROW,
    T_ROWS,
    T_TOUCHED,
    T_USE,
    WHY_SHIFT,
)
from kame_py.fast.ldst import (
    base,
    be16,
    copy,
    copy64,
    fetch,
    half,
    inlined,
    kernel,
    ld8,
    ld64,
    opened,
    place,
    put_word,
    st8,
    st32,
    st64,
    word,
)
from kame_py.fast.rowtable import guess, hashed, is_of
from kame_py.wire import pcapfmt
from kame_py.wire.codecs import Icmp6Hdr, Ip6Hdr, Ip6Rthdr, Ip6Rthdr0
from kame_py.wire.const import (
    ICMP6_ECHO_REPLY,
    ICMP6_ECHO_REQUEST,
    IPPROTO_ICMPV6,
    IPPROTO_IPV6,
    IPPROTO_ROUTING,
    IPV6_RTHDR_TYPE_0,
    IPV6_VERSION,
)

if TYPE_CHECKING:
    from kame_py.fast.batch import I64, U8, U32
    from kame_py.fast.places import Base, Places

_HDR: Final = Ip6Hdr.SIZE
_PLEN: Final = Ip6Hdr.O_ip6_plen
_NXT: Final = Ip6Hdr.O_ip6_nxt
_HLIM: Final = Ip6Hdr.O_ip6_hlim
_SRC: Final = Ip6Hdr.O_ip6_src
_DST: Final = Ip6Hdr.O_ip6_dst
_TYPE6: Final = Icmp6Hdr.O_icmp6_type
_CKSUM6: Final = Icmp6Hdr.O_icmp6_cksum
_REPLY: Final = IPV6_VERSION | IPPROTO_ICMPV6 << 48  # first word of an answer
_BY_WAY: Final = IPV6_VERSION | IPPROTO_ROUTING << 48  # ... by way of a care-of address
_ADDR: Final = _DST - _SRC
_RTHDR: Final = Ip6Rthdr0.SIZE + _ADDR
#: First word of its routing header: one address, which is left.
_RTHDR_WORD: Final = (
    IPPROTO_ICMPV6
    | (_ADDR >> 3) << Ip6Rthdr.O_ip6r_len * 8
    | IPV6_RTHDR_TYPE_0 << Ip6Rthdr.O_ip6r_type * 8
    | 1 << Ip6Rthdr.O_ip6r_segleft * 8
)
_SUM: Final = 0xFFFF
_ONE_TYPE: Final = (ICMP6_ECHO_REPLY - ICMP6_ECHO_REQUEST) << 8  # what an answer adds to the sum
_WORD: Final = 8
_DST8: Final = _DST + _WORD  # its second half
_OUTER: Final = IPV6_VERSION | IPPROTO_IPV6 << 48  # first word of an outer header
_OUTER_PLEN: Final = 32
_OUTER_HLIM: Final = 56
_EARLY: Final = 1 << 13  # octets: so far ahead packets are fetched
_HALF_WORD: Final = 4
_LAG: Final = 24  # packets: so far ahead rows are fetched, and slots as far ahead of those
_LOW: Final = 0xFFFFFFFF
_HIGH_HALF: Final = 32  # bits of a word, above those that come first
_TYPE_AT: Final = pcapfmt.EPB_O_TYPE
_IF_AT: Final = pcapfmt.EPB_O_INTERFACE
_LOW_AT: Final = pcapfmt.EPB_O_LOW
_ORIGLEN_AT: Final = pcapfmt.EPB_O_ORIGLEN
_DATA_AT: Final = pcapfmt.EPB_O_DATA
_T_CODE: Final = pcapfmt.EPB_TAIL_O_CODE
_T_END: Final = pcapfmt.EPB_TAIL_O_END
_TAIL: Final = pcapfmt.EPB_TAIL_LEN
_BT_EPB: Final = pcapfmt.BT_EPB
_FLAGS_OPTION: Final = pcapfmt.EPB_FLAGS | pcapfmt.PAD << 16  # code, length
_OUTBOUND: Final = pcapfmt.EPB_OUTBOUND


@inlined
def open_block(out: Base, pos: int, t_ns: int, size: int) -> int:
    """Head of an Enhanced Packet Block for a frame of ``size`` octets; where that goes."""
    block = _DATA_AT + ((size + 3) & ~3) + _TAIL
    st64(out, pos + _TYPE_AT, _BT_EPB | block << _HIGH_HALF)
    st64(out, pos + _IF_AT, t_ns & ~_LOW)  # number 0, then the higher half of the stamp
    st64(out, pos + _LOW_AT, t_ns & _LOW | size << _HIGH_HALF)
    st32(out, pos + _ORIGLEN_AT, size)
    return pos + _DATA_AT


@inlined
def close_block(out: Base, pos: int, size: int) -> int:
    """Padding and tail of the block at ``pos``, behind the frame; where the next one goes."""
    end = pos + _DATA_AT + ((size + 3) & ~3)
    st32(out, pos + _DATA_AT + size, 0)
    st64(out, end + _T_CODE, _FLAGS_OPTION | _OUTBOUND << _HIGH_HALF)
    st64(out, end + _T_END, (end + _TAIL - pos) << _HIGH_HALF)
    return end + _TAIL


@inlined
def copy_packet(to: Base, at: int, src: Base, i: int, n: int) -> None:
    """``n`` octets; behind a short packet, what lies there, which is written over."""
    if n > 2 * SLACK:
        copy(to, at, src, i, n)
        return
    copy64(to, at, src, i)
    if n > SLACK:
        copy64(to, at + SLACK, src, i + SLACK)


@inlined
def reply(out: Base, at: int, arena: Base, i: int) -> None:
    """Make a reply of the copy of an echo request: type, and the sum follows the type."""
    st8(out, at + _TYPE6, ICMP6_ECHO_REPLY)
    cksum = be16(arena, i + _CKSUM6) - _ONE_TYPE
    cksum += _SUM if cksum < 0 else 0
    st8(out, at + _CKSUM6, cksum >> 8)
    st8(out, at + _CKSUM6 + 1, cksum)


@inlined
def more(a: int) -> int:
    """Octets that a packet is longer when it leaves."""
    if a == A_TUNNEL:
        return _HDR
    return _RTHDR if a == A_ROUTED else 0


@inlined
def way_out(r: int, a: int, tables: Places) -> int:
    """The adjacency by which a packet leaves; the use of a binding is noted."""
    rows = place(tables, T_ROWS)
    if a == A_ECHO:
        return word(rows, r + R_SEND) - 1
    if a < A_ROUTED:
        return word(rows, r + R_INFO) >> ADJ_SHIFT
    cnt = place(tables, T_CNT)
    put_word(place(tables, T_BCS), word(cnt, C_BCS), word(rows, r + R_BC) & BIND_LOW)
    add(cnt, C_BCS, 1)
    return (word(rows, r + R_BIND) & BIND_LOW) - 1


@inlined
def answer(out: Base, at: int, arena: Base, p: int, hlim: int) -> None:
    """Make an answer of the copy of a ping: header, addresses, type; the sum follows the type."""
    plen = ld64(arena, p) & (HALF << _OUTER_PLEN)
    st64(out, at, _REPLY | plen | hlim << _OUTER_HLIM)
    copy(out, at + _SRC, arena, p + _DST, _HDR - _DST)
    copy(out, at + _DST, arena, p + _SRC, _DST - _SRC)
    reply(out, at + _HDR, arena, p + _HDR)


@inlined
def answer_away(
    out: Base, at: int, arena: Base, p: int, total: int, r: int, a: int, tables: Places
) -> None:
    """Answer a ping at ``p`` of ``total`` octets by way of the care-of address of row ``r``."""
    rows, skip = place(tables, T_ROWS), HAO_LEN if a == A_ROUTED_HAO else 0
    size = total - _HDR - skip
    plen = _RTHDR + size
    first = _BY_WAY | (plen >> 8 | (plen & BYTE) << 8) << _OUTER_PLEN
    st64(out, at, first | word(place(tables, T_ENV), E_ECHO) << _OUTER_HLIM)
    copy(out, at + _SRC, arena, p + _DST, _ADDR)
    st64(out, at + _DST, word(rows, r + R_COA0))
    st64(out, at + _DST8, word(rows, r + R_COA1))
    at += _HDR
    st64(out, at, _RTHDR_WORD)
    st64(out, at + _WORD, word(rows, r + R_KEY0))
    st64(out, at + 2 * _WORD, word(rows, r + R_KEY1))
    at += _RTHDR
    copy_packet(out, at, arena, p + _HDR + skip, size)
    reply(out, at, arena, p + _HDR + skip)


@inlined
def encapsulate(out: Base, at: int, total: int, r: int, rows: Base, ends: Base, hlim: int) -> None:
    """The outer header of a packet of ``total`` octets into the tunnel of row ``r``."""
    plen = (total >> 8 | (total & BYTE) << 8) << _OUTER_PLEN
    st64(out, at, _OUTER | plen | hlim << _OUTER_HLIM)
    end = (word(rows, r + R_INFO) >> END_SHIFT & HALF) * 2
    st64(out, at + _SRC, word(ends, end))
    st64(out, at + _SRC + _WORD, word(ends, end + 1))
    st64(out, at + _DST, word(rows, r + R_COA0))
    st64(out, at + _DST8, word(rows, r + R_COA1))


@inlined
def add(counters: Base, k: int, n: int) -> None:
    """Counter ``k`` counts ``n`` more."""
    put_word(counters, k, word(counters, k) + n)


@inlined
def count_drop(octets: Base, p: int, a: int, caplen: int, tables: Places) -> int:
    """A packet at ``p`` ends badly, or is the node's own; octets that the interface counts."""
    add(place(tables, T_CNT), a, 1)
    if a == A_NOTOURS:
        add(place(tables, T_HIST), ld8(octets, p + _NXT), 1)
    return caplen if a in (A_TYPE, A_TYPE_GROUP, A_NOTOURS) else 0


@inlined
def count_sent(octets: Base, p: int, q: int, a: int, j: int, tables: Places) -> None:
    """A packet at ``p``, out of its outer header at ``q``, is sent by adjacency ``j``."""
    cnt, hist, use = place(tables, T_CNT), place(tables, T_HIST), place(tables, T_USE)
    add(cnt, a, 1)
    if q != p:
        add(cnt, C_DECAP, 1)
        add(hist, ld8(octets, p + _NXT), 1)
    add(hist, ld8(octets, q + _NXT), 1)
    used = word(use, j)
    put_word(use, j, used + 1)
    if used == 0:
        put_word(place(tables, T_TOUCHED), word(cnt, C_TOUCHED), j)
        add(cnt, C_TOUCHED, 1)


@inlined
def write_block(
    octets: Base, q: int, a: int, r: int, j: int, total: int, t_ns: int, pos: int, tables: Places
) -> int:
    """The block of a packet of ``total`` octets at ``q``; where the next one goes."""
    to, conf, hops = place(tables, T_OUT), place(tables, T_ENV), place(tables, T_ADJ)
    link = word(conf, E_LINK)
    size = link + total + more(a)
    at = open_block(to, pos, t_ns, size)
    if link != 0:
        st64(to, at, word(hops, j * J_SIZE + J_LINK0))
        st64(to, at + _WORD, word(hops, j * J_SIZE + J_LINK1))
        at += link
    if a >= A_ROUTED:
        answer_away(to, at, octets, q, total, r, a, tables)
        return close_block(to, pos, size)
    if a == A_TUNNEL:
        ends, hlim = place(tables, T_ENDS), word(conf, E_HLIM)
        encapsulate(to, at, total, r, place(tables, T_ROWS), ends, hlim)
        at += _HDR
    copy_packet(to, at, octets, q, total)
    if a == A_ECHO:
        answer(to, at, octets, q, word(conf, E_ECHO))
    else:
        st8(to, at + _HLIM, ld8(octets, q + _HLIM) - 1)
    return close_block(to, pos, size)


@inlined
def look_ahead(octets: Base, offs: Base, sizes: Base, i: int, whys: Base, tables: Places) -> None:
    """Packet ``i`` will come soon: T_ACT, and where it may be sent, the hash of its destination."""
    conf, index = place(tables, T_ENV), place(tables, T_INDEX)
    o, caplen, link = word(offs, i), half(sizes, i), word(conf, E_LINK)
    fetch(octets, o + _EARLY)
    fetch(octets, o + _EARLY + SLACK)
    look = GO_ON
    if not plain(octets, o, caplen, word(conf, E_LEAST), word(conf, E_MAC)):
        look = first_look(octets, o, caplen, conf)
    st8(place(tables, T_ACT), i, look)
    if look == GO_ON:
        p = o + link + _DST
        h = hashed(conf, ld64(octets, p), ld64(octets, p + _WORD))
        fetch(index, (h & word(conf, E_MASK)) * _HALF_WORD)
        put_word(place(tables, T_ROW), i, h)
    else:
        st8(whys, i, look >> WHY_SHIFT)


@inlined
def fetch_row(i: int, tables: Places) -> None:
    """Packet ``i`` will come sooner: the row that its hash leads to."""
    if ld8(place(tables, T_ACT), i) == GO_ON:
        mask, found = word(place(tables, T_ENV), E_MASK), place(tables, T_ROW)
        r = guess(place(tables, T_INDEX), mask, word(found, i))
        fetch(place(tables, T_ROWS), r * _WORD)
        put_word(found, i, r)


@inlined
def look_now(octets: Base, p: int, r: int, tables: Places) -> tuple[int, int, int]:
    """``second_look`` at a packet at ``p`` by the row at ``r`` if it is the right one."""
    k0, k1 = ld64(octets, p + _DST), ld64(octets, p + _DST8)
    if not is_of(place(tables, T_ROWS), r, k0, k1):
        r = look_up(tables, k0, k1)
    return second_look(octets, p, r, tables)


@inlined
def decide(octets: Base, p: int, i: int, whys: Base, tables: Places) -> tuple[int, int, int]:
    """What becomes of packet ``i`` at ``p``, by which row, and octets of its outer header.

    T_ACT, why: of one that is not for us.
    """
    acts = place(tables, T_ACT)
    a = ld8(acts, i)
    if a != GO_ON:
        return a, 0, 0
    look, r, skip = look_now(octets, p, word(place(tables, T_ROW), i), tables)
    a = look & BYTE
    if a <= A_PUNT:
        st8(acts, i, a)
        st8(whys, i, look >> WHY_SHIFT)
    return a, r, skip


@inlined
def keep_counts(frames: int, bytes_in: int, bytes_out: int, pos: int, tables: Places) -> None:
    """Of a run, to those before it; the output ends at ``pos``."""
    cnt = place(tables, T_CNT)
    put_word(cnt, C_POS, pos)
    add(cnt, C_FRAMES, frames)
    add(cnt, C_IBYTES, bytes_in)
    add(cnt, C_OBYTES, bytes_out)


@kernel
def run(
    arena: U8,
    off: I64,
    caplen: U32,
    t_ns: I64,
    start: int,
    stop: int,
    n: int,
    why: U8,
    room: int,
    tables: Places,
) -> int:
    """Do with packets what the tables say; the first that is not done, before ``stop``.

    T_ACT of that packet: GO_ON when the output, which has ``room``, is full; else it is for others.
    n: packets of the batch. What is wanted of a packet is fetched while others have their turn, in
    two steps: a table that no cache holds costs little. T_CNT, T_HIST, T_USE: what the slow path
    would have counted is added.
    """
    at = opened(tables)
    octets, offs, sizes, stamps = base(arena), base(off), base(caplen), base(t_ns)
    cnt, conf, acts = place(at, T_CNT), place(at, T_ENV), place(at, T_ACT)
    link, whys, wanted = word(conf, E_LINK), base(why), word(conf, E_WRITE) != 0
    looked, fetched, pos = word(cnt, C_LOOKED), word(cnt, C_FETCHED), word(cnt, C_POS)
    bytes_in = bytes_out = frames = 0
    for i in range(start, stop):
        while looked < n and looked < i + 2 * _LAG:
            look_ahead(octets, offs, sizes, looked, whys, at)
            looked += 1
        while fetched < n and fetched < i + _LAG:
            fetch_row(fetched, at)
            fetched += 1
        p = word(offs, i) + link
        a, r, skip = decide(octets, p, i, whys, at)
        if a <= A_PUNT:
            stop = i
            break
        if A_OWN <= a <= A_NOTOURS:
            st8(acts, i, a)
            bytes_in += count_drop(octets, p, a, half(sizes, i), at)
            continue
        q = p + skip
        total = _HDR + be16(octets, q + _PLEN)
        size = link + total + more(a)
        if pos + size + EPB_MAX > room:
            stop = i
            break
        st8(acts, i, a)
        bytes_in += half(sizes, i)
        bytes_out += size
        frames += 1
        j = way_out(r, a, at)
        count_sent(octets, p, q, a, j, at)
        if wanted:
            pos = write_block(octets, q, a, r, j, total, word(stamps, i), pos, at)
    put_word(cnt, C_LOOKED, looked)
    put_word(cnt, C_FETCHED, fetched)
    keep_counts(frames, bytes_in, bytes_out, pos, at)
    return stop
