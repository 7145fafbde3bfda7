# SPDX-License-Identifier: BSD-3-Clause
"""Packets with AH found in a batch, and their numbers looked at in order: the kernels of ah.py.

KAME counterpart: the straight way through ah_input.c (ah6_input, ah6_calccksum) and ipsec.c
(ipsec_chkreplay, ipsec_updatereplay). Only AH right behind the IPv6 header is looked at. Every
offset is checked against the packet's end before it is used. Written with ldst.py, so each kernel
is its own twin. RFC 2402 s.3.3.3, s.3.4.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kame_py.fast.ah_layout import (
    FRONT,
    K_FRAME,
    K_NXT,
    K_OCTETS,
    K_SA,
    K_SEQ,
    K_SIZE,
    K_WHO,
    W_AGAIN,
    W_BAD,
    W_BITS,
    W_FIRST,
    W_FRAMES,
    W_GOOD,
    W_LAST,
    W_OCTETS,
    W_OPEN,
    W_SEEN,
    W_SIZE,
    W_STATE,
    W_USED,
)
from kame_py.fast.bu_kernels import be32, ordinary
from kame_py.fast.bulk import first_look
from kame_py.fast.layout import A_AHBAD, A_AHDONE, A_AHREPLAY, E_LINK, GO_ON
from kame_py.fast.ldst import (
    base,
    be16,
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
    word,
)
from kame_py.fast.sa_kernels import await_code, find_row
from kame_py.fast.sas import (
    BAD,
    GOOD,
    L_INDEX,
    L_ROOM,
    L_ROWS,
    NO_KIND,
    S_ICVLEN,
    S_KIND,
    S_SIZE,
)
from kame_py.wire.codecs import Ah, Ip6Hdr
from kame_py.wire.const import IPPROTO_AH, IPPROTO_NONE, IPV6_VERSION

if TYPE_CHECKING:
    from kame_py.fast.batch import I64, U8, U32
    from kame_py.fast.ldst import Base
    from kame_py.fast.places import Places

_HDR: Final = Ip6Hdr.SIZE
_PLEN: Final = Ip6Hdr.O_ip6_plen
_NXT: Final = Ip6Hdr.O_ip6_nxt
_HLIM: Final = Ip6Hdr.O_ip6_hlim
_SRC: Final = Ip6Hdr.O_ip6_src
_DST: Final = Ip6Hdr.O_ip6_dst
_AH: Final = Ah.SIZE
_AH_NXT: Final = Ah.O_ah_nxt
_AH_LEN: Final = Ah.O_ah_len
_AH_SPI: Final = Ah.O_ah_spi
_AH_SEQ: Final = Ah.O_ah_seq
_WORD: Final = 8
_BLOCK: Final = 64
_AHEAD: Final = 6  # packets: so far ahead their first lines are asked for
_NONE: Final = -1


@inlined
def association(octets: Base, p: int, plen: int, rows: Base, slots: Base) -> int:
    """The row of the association that AH behind the header at ``p`` names, if it fits; or -1."""
    if plen < _AH:
        return _NONE
    ah = p + _HDR
    row = find_row(
        slots,
        rows,
        be32(octets, ah + _AH_SPI),
        ld64(octets, p + _DST),
        ld64(octets, p + _DST + _WORD),
        ld64(octets, p + _SRC),
        ld64(octets, p + _SRC + _WORD),
    )
    if row == _NONE or word(rows, row * S_SIZE + S_KIND) == NO_KIND:
        return _NONE
    icvlen = word(rows, row * S_SIZE + S_ICVLEN)
    size = ld8(octets, ah + _AH_LEN) + 2 << 2
    whole = _AH + icvlen + 7 & ~7  # ah_lengths: RFC 2402 s.2.2, and KAME's
    return row if size in (whole, _AH + icvlen + 3 & ~3) and size <= plen else _NONE


@inlined
def freed(to: Base, at: int, octets: Base, p: int, icvlen: int) -> None:
    """The first octets of the packet at ``p`` without what may change on the way, and the code.

    There are no fewer than a block, so that no more than SLACK lie behind its end.
    """
    for n in range(0, FRONT, _BLOCK):
        copy64(to, at + n, octets, p + n)
    st32(to, at, IPV6_VERSION)  # class and flow
    st8(to, at + _HLIM, 0)
    for n in range(0, icvlen, 4):
        st32(to, at + _HDR + _AH + n, 0)


@inlined
def ah_at(octets: Base, off: int, size: int, conf: Base, table: Base, slots: Base) -> int:
    """The row of the association of the packet in a frame; -1: it is none for ah.py."""
    p = off + word(conf, E_LINK)
    if size < word(conf, E_LINK) + _HDR or ld8(octets, p + _NXT) != IPPROTO_AH:
        return _NONE
    if first_look(octets, off, size, conf) != GO_ON:
        return _NONE
    if not (ordinary(octets, p + _SRC) and ordinary(octets, p + _DST)):
        return _NONE
    return association(octets, p, be16(octets, p + _PLEN), table, slots)


@kernel
def find_ah(
    arena: U8,
    off: I64,
    caplen: U32,
    start: int,
    stop: int,
    env: I64,
    lists: Places,
    found: I64,
    where: I64,
) -> int:
    """Packets with AH, and their first octets as their codes are over them; how many.

    where: by packet, its row of ``found``, or -1. lists: Checker's; a message is of its row.
    """
    octets, offs, sizes, conf = base(arena), base(off), base(caplen), base(env)
    out, by, to = base(found), base(where), opened(lists)
    table, slots = place(to, L_ROWS), place(to, L_INDEX)
    made = 0
    for i in range(start, stop):
        ahead = word(offs, min(i + _AHEAD, stop - 1))
        for n in range(0, FRONT + _BLOCK, _BLOCK):
            fetch(octets, ahead + n)
        row = ah_at(octets, word(offs, i), half(sizes, i), conf, table, slots)
        if row == _NONE:
            put_word(by, i, _NONE)
            continue
        p = word(offs, i) + word(conf, E_LINK)
        ah, size = p + _HDR, _HDR + be16(octets, p + _PLEN)
        k = made * K_SIZE
        put_word(out, k + K_WHO, i)
        put_word(out, k + K_SA, row)
        put_word(out, k + K_SEQ, be32(octets, ah + _AH_SEQ))
        put_word(out, k + K_NXT, ld8(octets, ah + _AH_NXT))
        put_word(out, k + K_OCTETS, size - (ld8(octets, ah + _AH_LEN) + 2 << 2))
        put_word(out, k + K_FRAME, half(sizes, i))
        freed(place(to, L_ROOM), made * FRONT, octets, p, word(table, row * S_SIZE + S_ICVLEN))
        await_code(to, made, p, size, row, ah + _AH, made)
        put_word(by, i, made)
        made += 1
    return made


@inlined
def is_new(windows: Base, w: int, seq: int) -> bool:
    """ipsec_chkreplay."""
    bits = word(windows, w + W_BITS)
    if bits == 0:
        return True
    if seq == 0:
        return False
    seen, last = word(windows, w + W_SEEN), word(windows, w + W_LAST)
    if seen == 0 or seq > last:
        return True
    return last - seq < bits and seen >> last - seq & 1 == 0


@inlined
def take(windows: Base, w: int, seq: int) -> None:
    """ipsec_updatereplay, of a number that is new."""
    bits = word(windows, w + W_BITS)
    if bits == 0:
        return
    seen, last = word(windows, w + W_SEEN), word(windows, w + W_LAST)
    if seen != 0 and seq <= last:
        put_word(windows, w + W_SEEN, seen | 1 << last - seq)
        return
    kept = 0
    if seen != 0 and seq - last < bits:
        kept = seen << seq - last & (1 << bits) - 1
    put_word(windows, w + W_SEEN, kept | 1)
    put_word(windows, w + W_LAST, seq)


@inlined
def add(windows: Base, w: int, column: int, n: int) -> None:
    """So many more in a column of an association's row."""
    put_word(windows, w + column, word(windows, w + column) + n)


@kernel
def take_ah(
    found: I64,
    first: int,
    made: int,
    stop: int,
    stamps: I64,
    verdicts: U8,
    windows: I64,
    act: U8,
) -> int:
    """Packets in order: replays, wrong codes, good ones with nothing inside; the first other one.

    Those of ``found`` from ``first`` on that follow each other in the batch, up to packet ``stop``.
    windows: by the row of the association.
    """
    packets, says, table, acts = base(found), base(verdicts), base(windows), base(act)
    times, ahead = base(stamps), word(base(found), first * K_SIZE + K_WHO) - first
    for k in range(first, made):
        p = k * K_SIZE
        w = word(packets, p + K_SA) * W_SIZE
        i = word(packets, p + K_WHO)
        seq = word(packets, p + K_SEQ)
        verdict = ld8(says, k)
        if i - k != ahead or i >= stop or word(table, w + W_STATE) != W_OPEN:
            return k
        if not is_new(table, w, seq):
            a, what = A_AHREPLAY, W_AGAIN
        elif verdict == BAD:
            a, what = A_AHBAD, W_BAD
        elif verdict == GOOD and word(packets, p + K_NXT) == IPPROTO_NONE:
            a, what = A_AHDONE, W_GOOD
            take(table, w, seq)
            add(table, w, W_OCTETS, word(packets, p + K_OCTETS))
            put_word(table, w + W_USED, word(times, i))
            if word(table, w + W_GOOD) == 0:
                put_word(table, w + W_FIRST, word(times, i))
        else:
            return k
        add(table, w, what, 1)
        add(table, w, W_FRAMES, word(packets, p + K_FRAME))
        st8(acts, i, a)
    return made
