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
    W_GOOD,
    W_LAST,
    W_OCTETS,
    W_OPEN,
    W_SEEN,
    W_SIZE,
    W_STATE,
    W_USED,
)
from kame_py.fast.batch import SLACK
from kame_py.fast.bu_kernels import be32, next_text, ordinary
from kame_py.fast.bulk import first_look
from kame_py.fast.layout import A_AHBAD, A_AHDONE, A_AHREPLAY, E_LINK, GO_ON
from kame_py.fast.ldst import (
    base,
    be16,
    copy,
    half,
    inlined,
    kernel,
    ld8,
    ld64,
    put_word,
    st8,
    st32,
    word,
)
from kame_py.fast.sa_kernels import find_row
from kame_py.fast.sas import BAD, GOOD, NO_KIND, S_ICVLEN, S_KIND, S_SIZE
from kame_py.wire.codecs import Ah, Ip6Hdr
from kame_py.wire.const import IPPROTO_AH, IPPROTO_NONE, IPV6_VERSION

if TYPE_CHECKING:
    from kame_py.fast.batch import I64, U8, U32
    from kame_py.fast.ldst import Base

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


@kernel
def find_ah(
    arena: U8,
    off: I64,
    caplen: U32,
    start: int,
    stop: int,
    env: I64,
    rows: I64,
    index: I64,
    found: I64,
    room: U8,
    at: I64,
    size: U32,
    sa: I64,
    kind: I64,
    icv: I64,
    who: I64,
) -> tuple[int, int]:
    """Copies of packets with AH as their codes are over them; how many, and where the room ended.

    who: the row of ``found`` that a message is of.
    """
    octets, offs, sizes, conf = base(arena), base(off), base(caplen), base(env)
    table, slots, out, to = base(rows), base(index), base(found), base(room)
    link, limit = word(conf, E_LINK), room.shape[0] - SLACK
    made, end = 0, 0
    for i in range(start, stop):
        p = word(offs, i) + link
        if half(sizes, i) < link + _HDR or ld8(octets, p + _NXT) != IPPROTO_AH:
            continue
        if first_look(octets, word(offs, i), half(sizes, i), conf) != GO_ON:
            continue
        plen = be16(octets, p + _PLEN)
        if not (ordinary(octets, p + _SRC) and ordinary(octets, p + _DST)):
            continue
        row = association(octets, p, plen, table, slots)
        if row == _NONE:
            continue
        if end + _HDR + plen > limit:
            return made, i
        ah = p + _HDR
        k = made * K_SIZE
        put_word(out, k + K_WHO, i)
        put_word(out, k + K_SA, row)
        put_word(out, k + K_SEQ, be32(octets, ah + _AH_SEQ))
        put_word(out, k + K_NXT, ld8(octets, ah + _AH_NXT))
        put_word(out, k + K_OCTETS, _HDR + plen - (ld8(octets, ah + _AH_LEN) + 2 << 2))
        copy(to, end, octets, p, _HDR + plen)
        st32(to, end, IPV6_VERSION)  # class and flow may change on the way
        st8(to, end + _HLIM, 0)
        for n in range(0, word(table, row * S_SIZE + S_ICVLEN), 4):
            st32(to, end + _HDR + _AH + n, 0)
        at[made], size[made], sa[made], who[made] = end, _HDR + plen, row, made
        kind[made], icv[made] = word(table, row * S_SIZE + S_KIND), ah + _AH
        end = next_text(end + _HDR + plen)
        made += 1
    return made, stop


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


@kernel
def take_ah(
    found: I64, first: int, end: int, stamps: I64, verdicts: U8, windows: I64, act: U8
) -> int:
    """Packets in order: replays, wrong codes, good ones with nothing inside; the first other one.

    windows: by the row of the association.
    """
    packets, says, table, acts = base(found), base(verdicts), base(windows), base(act)
    times = base(stamps)
    for k in range(first, end):
        p = k * K_SIZE
        w = word(packets, p + K_SA) * W_SIZE
        i = word(packets, p + K_WHO)
        seq = word(packets, p + K_SEQ)
        verdict = ld8(says, k)
        if word(table, w + W_STATE) != W_OPEN:
            return k
        if not is_new(table, w, seq):
            a, what = A_AHREPLAY, W_AGAIN
        elif verdict == BAD:
            a, what = A_AHBAD, W_BAD
        elif verdict == GOOD and word(packets, p + K_NXT) == IPPROTO_NONE:
            a, what = A_AHDONE, W_GOOD
            take(table, w, seq)
            put_word(table, w + W_OCTETS, word(table, w + W_OCTETS) + word(packets, p + K_OCTETS))
            put_word(table, w + W_USED, word(times, i))
            if word(table, w + W_GOOD) == 0:
                put_word(table, w + W_FIRST, word(times, i))
        else:
            return k
        put_word(table, w + what, word(table, w + what) + 1)
        st8(acts, i, a)
    return end
