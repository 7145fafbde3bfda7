# SPDX-License-Identifier: BSD-3-Clause
"""A run of packets is done with: written out, counted.

KAME counterpart: what ip6_forward.c, mip6_tunnel_output and icmp6_reflect put on the wire. The
output is blocks of a pcapng file, which can be written as they are. bulk.py chose the packets.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kame_py.fast.layout import (
    A_ECHO,
    A_MCAST,
    A_NOTFORUS,
    A_NOTOURS,
    A_OWN,
    A_TUNNEL,
    A_TYPE,
    A_TYPE_GROUP,
    ADJ_SHIFT,
    BYTE,
    C_DECAP,
    C_FRAMES,
    C_IBYTES,
    C_OBYTES,
    C_POS,
    C_TOUCHED,
    E_ECHO,
    E_HLIM,
    E_LINK,
    E_WRITE,
    END_SHIFT,
    EPB_MAX,
    HALF,
    J_LINK0,
    J_LINK1,
    J_SIZE,
    R_COA0,
    R_COA1,
    R_INFO,
    R_SEND,
)
from kame_py.fast.ldst import (
    base,
    be16,
    copy,
    half,
    inlined,
    kernel,
    ld8,
    ld64,
    st8,
    st32,
    st64,
    word,
)
from kame_py.wire import pcapfmt
from kame_py.wire.codecs import Icmp6Hdr, Ip6Hdr
from kame_py.wire.const import (
    ICMP6_ECHO_REPLY,
    ICMP6_ECHO_REQUEST,
    IPPROTO_ICMPV6,
    IPPROTO_IPV6,
    IPV6_VERSION,
)

if TYPE_CHECKING:
    from kame_py.fast.batch import I64, U8, U32
    from kame_py.fast.ldst import Base

_HDR: Final = Ip6Hdr.SIZE
_PLEN: Final = Ip6Hdr.O_ip6_plen
_NXT: Final = Ip6Hdr.O_ip6_nxt
_HLIM: Final = Ip6Hdr.O_ip6_hlim
_SRC: Final = Ip6Hdr.O_ip6_src
_DST: Final = Ip6Hdr.O_ip6_dst
_TYPE6: Final = Icmp6Hdr.O_icmp6_type
_CKSUM6: Final = Icmp6Hdr.O_icmp6_cksum
_REPLY: Final = IPV6_VERSION | IPPROTO_ICMPV6 << 48  # first word of an answer
_SUM: Final = 0xFFFF
_ONE_TYPE: Final = (ICMP6_ECHO_REPLY - ICMP6_ECHO_REQUEST) << 8  # what an answer adds to the sum
_WORD: Final = 8
_DST8: Final = _DST + _WORD  # its second half
_OUTER: Final = IPV6_VERSION | IPPROTO_IPV6 << 48  # first word of an outer header
_OUTER_PLEN: Final = 32
_OUTER_HLIM: Final = 56
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
    octets, table, hops, conf = base(arena), base(rows), base(adj), base(env)
    to, offs, sizes, acts, stamps = base(out), base(off), base(caplen), base(act), base(t_ns)
    found, skips = base(row), base(skip)
    room = out.shape[0] - EPB_MAX
    bytes_in = bytes_out = 0
    link, hlim, write = word(conf, E_LINK), word(conf, E_HLIM), word(conf, E_WRITE)
    echo = word(conf, E_ECHO)
    pos, frames = cnt[C_POS], cnt[C_FRAMES]
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
        frames += 1
        if q != p:
            cnt[C_DECAP] += 1
            hist[ld8(octets, p + _NXT)] += 1
        hist[ld8(octets, q + _NXT)] += 1
        r = word(found, i)
        j = word(table, r + R_INFO) >> ADJ_SHIFT
        if a == A_ECHO:
            j = word(table, r + R_SEND) - 1
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
            encapsulate(to, at, total, r, table, base(ends), hlim)
            at += outer
        copy(to, at, octets, q, total)
        if a == A_ECHO:
            answer(to, at, octets, q, echo)
        else:
            st8(to, at + _HLIM, ld8(octets, q + _HLIM) - 1)
    cnt[C_IBYTES] += bytes_in
    cnt[C_OBYTES] += bytes_out
    cnt[C_POS], cnt[C_FRAMES] = pos, frames
    return stop
