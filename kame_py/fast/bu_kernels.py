# SPDX-License-Identifier: BSD-3-Clause
"""Binding updates found in a batch, and acknowledgements written: the kernels of bu.py.

KAME counterpart: the straight way through dest6.c and mip6_binding.c (mip6_validate_bu), and
mip6_bc_send_ba. An update is plain when the packet has nothing but a home address, one update with
authentication data at its end (draft-15) and padding, all of it in destination options headers.
Whatever else is left to the slow path. Every offset is checked against the packet's end before it
is used. Written with ldst.py, so each kernel is its own twin.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kame_py.fast.bu_layout import (
    B_LIFE,
    B_LINK0,
    B_LINK1,
    B_REFRESH,
    B_SA,
    B_SEQNO,
    B_SHAPE,
    B_SIZE,
    B_SPI,
    B_STATUS,
    B_UPDATE,
    F_CODE,
    F_ICVLEN,
    F_OCTETS,
    F_OPTION,
    F_SIZE,
    F_START,
    F_VIA,
    FRAME_MAX,
    H_COA,
    H_DST,
    H_HOA,
    H_SIZE,
    H_SRC,
    N_EPOCH,
    N_LIMIT,
    N_MASK,
    N_NEXT,
    N_OWN,
    N_QUIET,
    P_OPEN,
    P_OUT,
    P_ROW,
    P_SIZE,
    R_BAD,
    R_OLD,
    R_RENEWED,
    R_SEQNO,
    U_FLAGS,
    U_LIFE,
    U_SA,
    U_SEQNO,
    U_SIZE,
    U_WHO,
)
from kame_py.fast.bulk import first_look
from kame_py.fast.emit import close_block, open_block
from kame_py.fast.layout import E_LINK, EPB_MAX, GO_ON
from kame_py.fast.ldst import (
    base,
    be16,
    copy,
    half,
    inlined,
    kernel,
    ld8,
    ld32,
    ld64,
    opened,
    place,
    put_half,
    put_word,
    st8,
    st32,
    st64,
    word,
)
from kame_py.fast.sa_kernels import find_row
from kame_py.fast.sas import (
    BAD,
    GOOD,
    L_AT,
    L_ICV,
    L_INDEX,
    L_KIND,
    L_ROOM,
    L_ROWS,
    L_SA,
    L_SIZE,
    L_WHO,
    NO_KIND,
    S_ICVLEN,
    S_KIND,
    S_SIZE,
)
from kame_py.kern.clock import NS
from kame_py.mip6.mip6_bc import MIP6_BC_BR_FRACTION
from kame_py.mip6.mip6_bcache import BC_CODE, BLOCK_SHIFT, CACHE
from kame_py.mip6.mip6_state import BcSt
from kame_py.mip6.mip6_var import MIP6_MAX_FINITE
from kame_py.wire.codecs import (
    Ip6Dest,
    Ip6Ext,
    Ip6Hdr,
    Ip6Opt,
    Ip6OptBindingAck,
    Ip6OptBindingUpdate,
    Ip6OptHomeAddress,
    Ip6SubOptAuthData,
    Ip6SubOptUniqid,
)
from kame_py.wire.const import (
    IP6_MIP6_BU_ACK,
    IP6_MIP6_BU_HOME,
    IP6OPT_BINDING_UPDATE,
    IP6OPT_HOME_ADDRESS,
    IP6OPT_PAD1,
    IP6OPT_PADN,
    IP6SUBOPT_UNIQUEID,
    IPPROTO_DSTOPTS,
    IPPROTO_NONE,
)
from kame_py.wire.mip6 import ADDR_LEN
from kame_py.wire.mip6_draft15 import IP6SUBOPT_ALTCOA, IP6SUBOPT_AUTHDATA

if TYPE_CHECKING:
    from kame_py.fast.batch import I64, U8, U32
    from kame_py.fast.ldst import Base
    from kame_py.fast.places import Places

_HDR: Final = Ip6Hdr.SIZE
_PLEN: Final = Ip6Hdr.O_ip6_plen
_NXT: Final = Ip6Hdr.O_ip6_nxt
_SRC: Final = Ip6Hdr.O_ip6_src
_DST: Final = Ip6Hdr.O_ip6_dst
_EXT: Final = Ip6Ext.SIZE
_EXT_NXT: Final = Ip6Ext.O_ip6e_nxt
_EXT_LEN: Final = Ip6Ext.O_ip6e_len
_DEST: Final = Ip6Dest.SIZE
_OPT: Final = Ip6Opt.SIZE
_OPT_LEN: Final = Ip6Opt.O_ip6o_len
_HAO: Final = Ip6OptHomeAddress.SIZE - _OPT
_BU: Final = Ip6OptBindingUpdate.SIZE
_BU_FLAGS: Final = Ip6OptBindingUpdate.O_ip6ou_flags
_BU_SEQNO: Final = Ip6OptBindingUpdate.O_ip6ou_seqno
_BU_LIFE: Final = Ip6OptBindingUpdate.O_ip6ou_lifetime
_BA_STATUS: Final = Ip6OptBindingAck.O_ip6oa_status
_BA_RESERVED: Final = Ip6OptBindingAck.O_ip6oa_reserved
_BA_SEQNO: Final = Ip6OptBindingAck.O_ip6oa_seqno
_BA_LIFE: Final = Ip6OptBindingAck.O_ip6oa_lifetime
_BA_REFRESH: Final = Ip6OptBindingAck.O_ip6oa_refresh
_UNIQUEID: Final = Ip6SubOptUniqid.SIZE
_AUTH: Final = Ip6SubOptAuthData.SIZE
_SPI: Final = _AUTH - Ip6SubOptAuthData.O_spi  # octets of the SPI, in front of the code
_ADDRS: Final = 3 * ADDR_LEN  # in front of the option, in what the code is over
_HEADERS: Final = 2  # destination options headers at most
_LOW: Final = 0x01  # first octet: below are addresses that mean this node or IPv4 ones ...
_HIGH: Final = 0xFE  # ... and from here on scoped ones and groups
_LINE: Final = 64  # octets of a line of the cache
_WORD: Final = 8
_HALF: Final = 4
BOUND: Final = BC_CODE[BcSt.BOUND]
_SPACE: Final = FRAME_MAX
_NONE: Final = -1


@inlined
def next_text(end: int) -> int:
    """Where the next message begins: with a line of the cache, and seldom in the same set."""
    return (end + 2 * _LINE - 1) & ~(_LINE - 1) | _LINE


@inlined
def be32(b: Base, i: int) -> int:
    """Four octets in network order."""
    return be16(b, i) << 16 | be16(b, i + 2)


@inlined
def put_be32(b: Base, i: int, v: int) -> None:
    """Four octets in network order."""
    st8(b, i, v >> 24)
    st8(b, i + 1, v >> 16)
    st8(b, i + 2, v >> 8)
    st8(b, i + 3, v)


@inlined
def copy_addr(to: Base, at: int, src: Base, i: int) -> None:
    """One address."""
    st64(to, at, ld64(src, i))
    st64(to, at + _WORD, ld64(src, i + _WORD))


@inlined
def ordinary(arena: Base, at: int) -> bool:
    """An address that has no zone, is no group's, and means no other kind of address."""
    return _LOW <= ld8(arena, at) < _HIGH


@inlined
def options(arena: Base, at: int, end: int, hao: int, bu: int) -> tuple[int, int]:
    """Where home address and update are among plain options; _NONE first: there are others."""
    while at < end:
        kind = ld8(arena, at)
        if kind == IP6OPT_PAD1:
            at += 1
            continue
        if end - at < _OPT or ld8(arena, at + _OPT_LEN) > end - at - _OPT:
            return _NONE, 0
        size = ld8(arena, at + _OPT_LEN)
        if kind == IP6OPT_HOME_ADDRESS:
            if hao != 0 or bu != 0 or size < _HAO:
                return _NONE, 0
            hao = at + _OPT
        elif kind == IP6OPT_BINDING_UPDATE:
            if bu != 0 or hao == 0 or _OPT + size < _BU:
                return _NONE, 0
            bu = at
        elif kind != IP6OPT_PADN:
            return _NONE, 0
        at += _OPT + size
    return hao, bu


@inlined
def headers(arena: Base, p: int, end: int) -> tuple[int, int]:
    """The same of the packet in [p, end), that has no other headers."""
    nxt, at, hao, bu = ld8(arena, p + _NXT), p + _HDR, 0, 0
    for _ in range(_HEADERS):
        if nxt != IPPROTO_DSTOPTS or at + _EXT > end:
            break
        size = ld8(arena, at + _EXT_LEN) + 1 << 3
        if size > end - at:
            return _NONE, 0
        hao, bu = options(arena, at + _DEST, at + size, hao, bu)
        if hao == _NONE:
            return _NONE, 0
        nxt = ld8(arena, at + _EXT_NXT)
        at += size
    return (hao, bu) if nxt == IPPROTO_NONE and bu != 0 else (_NONE, 0)


@inlined
def suboptions(arena: Base, at: int, end: int) -> tuple[int, int]:
    """Where authentication data, the last ones, and an alternate address are; _NONE first: no."""
    coa = 0
    while at < end:
        kind = ld8(arena, at)
        if kind == IP6OPT_PAD1:
            at += 1
            continue
        if end - at < _OPT or ld8(arena, at + _OPT_LEN) > end - at - _OPT:
            return _NONE, 0
        size = _OPT + ld8(arena, at + _OPT_LEN)
        if kind == IP6SUBOPT_AUTHDATA:
            return (at, coa) if size >= _AUTH and at + size == end else (_NONE, 0)
        if kind == IP6SUBOPT_UNIQUEID and size != _UNIQUEID:
            return _NONE, 0
        if kind == IP6SUBOPT_ALTCOA:
            if size != _OPT + ADDR_LEN:
                return _NONE, 0
            coa = coa if coa != 0 else at + _OPT
        at += size
    return _NONE, 0


@kernel
def find_updates(
    arena: U8,
    off: I64,
    caplen: U32,
    start: int,
    stop: int,
    env: I64,
    lists: Places,
    updates: I64,
    addrs: U8,
) -> tuple[int, int]:
    """The plain updates of a batch, and of those with a known association what its code is over.

    How many there are of each. lists: Checker's; who: the update that a message is of.
    """
    octets, offs, sizes, conf = base(arena), base(off), base(caplen), base(env)
    out, names, into = base(updates), base(addrs), opened(lists)
    table, slots, to = place(into, L_ROWS), place(into, L_INDEX), place(into, L_ROOM)
    link = word(conf, E_LINK)
    found, made, end = 0, 0, 0
    for i in range(start, stop):
        p = word(offs, i) + link
        if half(sizes, i) < link + _HDR or ld8(octets, p + _NXT) != IPPROTO_DSTOPTS:
            continue
        if first_look(octets, word(offs, i), half(sizes, i), conf) != GO_ON:
            continue
        hao, bu = headers(octets, p, p + _HDR + be16(octets, p + _PLEN))
        if hao == _NONE or not (ordinary(octets, p + _SRC) and ordinary(octets, p + _DST)):
            continue
        over = bu + _OPT + ld8(octets, bu + _OPT_LEN)
        auth, coa = suboptions(octets, bu + _BU, over)
        coa = coa if coa != 0 else p + _SRC
        if auth == _NONE or not (ordinary(octets, hao) and ordinary(octets, coa)):
            continue
        code = auth + _AUTH
        spi = be32(octets, code - _SPI)
        dst0, dst1 = ld64(octets, p + _DST), ld64(octets, p + _DST + _WORD)
        hoa0, hoa1 = ld64(octets, hao), ld64(octets, hao + _WORD)
        row = find_row(slots, table, spi, dst0, dst1, hoa0, hoa1)
        if row != _NONE:
            known = word(table, row * S_SIZE + S_KIND)
            if known == NO_KIND or word(table, row * S_SIZE + S_ICVLEN) != over - code:
                row = _NONE
        u = found * U_SIZE
        put_word(out, u + U_WHO, i)
        put_word(out, u + U_SA, row)
        put_word(out, u + U_FLAGS, ld8(octets, bu + _BU_FLAGS))
        put_word(out, u + U_SEQNO, ld8(octets, bu + _BU_SEQNO))
        put_word(out, u + U_LIFE, be32(octets, bu + _BU_LIFE))
        h = found * H_SIZE
        copy_addr(names, h + H_HOA, octets, hao)
        copy_addr(names, h + H_COA, octets, coa)
        copy_addr(names, h + H_SRC, octets, p + _SRC)
        copy_addr(names, h + H_DST, octets, p + _DST)
        if row != _NONE:
            put_word(place(into, L_AT), made, end)
            put_half(place(into, L_SIZE), made, _ADDRS + code - bu)
            put_word(place(into, L_SA), made, row)
            put_word(place(into, L_KIND), made, word(table, row * S_SIZE + S_KIND))
            put_word(place(into, L_ICV), made, code)
            put_word(place(into, L_WHO), made, found)
            copy_addr(to, end, octets, p + _DST)
            copy_addr(to, end + ADDR_LEN, octets, p + _SRC)
            copy_addr(to, end + 2 * ADDR_LEN, octets, hao)
            copy(to, end + _ADDRS, octets, bu, code - bu)
            end = next_text(end + _ADDRS + code - bu)
            made += 1
        found += 1
    return found, made


@kernel
def make_acks(
    acks: I64,
    count: int,
    addrs: U8,
    vias: U8,
    templates: U8,
    shapes: I64,
    reserved: int,
    space: U8,
    room: U8,
    at: I64,
    size: U32,
    sa: I64,
) -> None:
    """Acknowledgements without their codes, and what these are over (draft-15 s.4.4).

    vias: the address that each goes by. reserved: octets that are signed as KAME did: one, or none.
    """
    wanted, names, ways, forms = base(acks), base(addrs), base(vias), base(shapes)
    models, frames, to = base(templates), base(space), base(room)
    end = 0
    for k in range(count):
        a = k * B_SIZE
        f = word(wanted, a + B_SHAPE) * F_SIZE
        h = word(wanted, a + B_UPDATE) * H_SIZE
        q = k * _SPACE
        copy(frames, q, models, word(forms, f + F_START), word(forms, f + F_OCTETS))
        copy_addr(frames, q + _SRC, names, h + H_DST)
        copy_addr(frames, q + _DST, ways, k * ADDR_LEN)
        if word(forms, f + F_VIA) != 0:
            copy_addr(frames, q + word(forms, f + F_VIA), names, h + H_HOA)
        option = q + word(forms, f + F_OPTION)
        code = q + word(forms, f + F_CODE)
        st8(frames, option + _BA_STATUS, word(wanted, a + B_STATUS))
        st8(frames, option + _BA_SEQNO, word(wanted, a + B_SEQNO))
        put_be32(frames, option + _BA_LIFE, word(wanted, a + B_LIFE))
        put_be32(frames, option + _BA_REFRESH, word(wanted, a + B_REFRESH))
        put_be32(frames, code - _SPI, word(wanted, a + B_SPI))
        copy_addr(to, end, names, h + H_HOA)
        copy_addr(to, end + ADDR_LEN, names, h + H_DST)
        text = end + 2 * ADDR_LEN
        head = _BA_RESERVED + reserved
        copy(to, text, frames, option, head)
        copy(to, text + head, frames, option + _BA_SEQNO, code - option - _BA_SEQNO)
        text_end = text + head + code - option - _BA_SEQNO
        at[k], size[k], sa[k] = end, text_end - end, word(wanted, a + B_SA)
        end = next_text(text_end)


@kernel
def write_acks(
    acks: I64,
    first: int,
    count: int,
    updates: I64,
    stamps: I64,
    shapes: I64,
    space: U8,
    codes: U8,
    link: int,
    out: U8,
    pos: int,
) -> tuple[int, int]:
    """Acknowledgements as blocks of the output, which ends at ``pos``; the first without room."""
    wanted, ours, times, forms = base(acks), base(updates), base(stamps), base(shapes)
    frames, signs, to = base(space), base(codes), base(out)
    width = codes.shape[1]
    room = out.shape[0] - EPB_MAX
    for k in range(first, count):
        a = k * B_SIZE
        f = word(wanted, a + B_SHAPE) * F_SIZE
        octets = link + word(forms, f + F_OCTETS)
        if pos + octets > room:
            return k, pos
        i = word(ours, word(wanted, a + B_UPDATE) * U_SIZE + U_WHO)
        to_at = open_block(to, pos, word(times, i), octets)
        if link != 0:
            st64(to, to_at, word(wanted, a + B_LINK0))
            st64(to, to_at + _WORD, word(wanted, a + B_LINK1))
            to_at += link
        copy(to, to_at, frames, k * _SPACE, octets - link)
        copy(to, to_at + word(forms, f + F_CODE), signs, k * width, word(forms, f + F_ICVLEN))
        pos = close_block(to, pos, octets)
    return count, pos


@inlined
def touch(before: Base, after: Base, row: int) -> None:
    """The row is the most recently used one now (Bcache.touch)."""
    ahead, behind = ld32(before, row * _HALF), ld32(after, row * _HALF)
    if behind == CACHE:
        return
    st32(after, ahead * _HALF, behind)
    st32(before, behind * _HALF, ahead)
    last = ld32(before, CACHE * _HALF)
    st32(after, last * _HALF, row)
    st32(before, CACHE * _HALF, row)
    st32(before, row * _HALF, last)
    st32(after, row * _HALF, CACHE)


@inlined
def same_addr(a: Base, i: int, b: Base, j: int) -> bool:
    """Two addresses."""
    return ld64(a, i) == ld64(b, j) and ld64(a, i + _WORD) == ld64(b, j + _WORD)


@inlined
def next_second(expire: int, lifetime: int) -> int:
    """When something happens to a binding that is renewed: at the tick of its last quarter."""
    quarter = lifetime // MIP6_BC_BR_FRACTION
    if quarter != 0:
        return (expire - quarter * NS + NS) // NS
    return (expire + NS - 1) // NS


@kernel
def renew(
    updates: I64,
    first: int,
    end: int,
    addrs: U8,
    verdicts: U8,
    stamps: I64,
    peers: I64,
    hops: I64,
    run: I64,
    mine: U8,
    hoa: U8,
    coa: U8,
    flags: U8,
    seqno: U8,
    prefixlen: U8,
    st: U8,
    own: U8,
    reg: U8,
    lifetime: U8,
    expire: U8,
    before: U8,
    after: U8,
    due: U8,
    low: U8,
    results: I64,
) -> int:
    """Updates of bindings that are there, in order; the first one that is more than that.

    What mip6_bc_put does to the columns of the binding cache, octets here. hops: by update, what an
    acknowledgement leaves by, or -1. mine: own addresses. results: by update.
    """
    ours, names, says, times = base(updates), base(addrs), base(verdicts), base(stamps)
    known, ways, conf, out, locals_ = base(peers), base(hops), base(run), base(results), base(mine)
    homes, places, bits, numbers = base(hoa), base(coa), base(flags), base(seqno)
    plens, states, owns, regs = base(prefixlen), base(st), base(own), base(reg)
    lives, ends, ahead, behind = base(lifetime), base(expire), base(before), base(after)
    dues, lows = base(due), base(low)
    for k in range(first, end):
        u, h = k * U_SIZE, k * H_SIZE
        if word(ours, u + U_SA) < 0 or word(ours, u + U_FLAGS) & IP6_MIP6_BU_HOME:
            return k
        p = word(ours, u + U_SA) * P_SIZE
        if word(known, p + P_OPEN) == 0:
            return k
        now = word(times, word(ours, u + U_WHO)) - word(conf, N_EPOCH)
        if ld8(says, k) == BAD:
            if now >= word(conf, N_QUIET):
                return k
            put_word(out, k, R_BAD)
            continue
        row, life = word(known, p + P_ROW), word(ours, u + U_LIFE)
        if row == 0 or life == 0 or same_addr(names, h + H_COA, names, h + H_HOA):
            return k
        if ld8(states, row) == 0 or ld32(regs, row * _HALF) != 0:
            return k
        if ld32(owns, row * _HALF) != word(conf, N_OWN) or ld8(says, k) != GOOD:
            return k
        if ld64(names, h + H_DST) != word(conf, N_OWN + 1):
            return k
        if ld64(names, h + H_DST + _WORD) != word(conf, N_OWN + 2):
            return k
        if not same_addr(homes, row * ADDR_LEN, names, h + H_HOA):
            return k
        for at in range(0, mine.shape[0], ADDR_LEN):
            if same_addr(locals_, at, names, h + H_HOA):
                return k
        was = ld8(numbers, 2 * row) | ld8(numbers, 2 * row + 1) << 8
        ahead_of = word(ours, u + U_SEQNO) - was & word(conf, N_MASK)
        old = ahead_of == 0 or ahead_of > word(conf, N_MASK) >> 1
        if old or word(ours, u + U_FLAGS) & IP6_MIP6_BU_ACK:
            if word(known, p + P_OUT) < 0 or word(ways, k) < 0:
                return k
        if old:
            put_word(out, k, R_OLD | was << R_SEQNO)
            continue
        limit = word(conf, N_LIMIT)
        life = limit if 0 < limit < life else life
        over = now + (MIP6_MAX_FINITE if life > MIP6_MAX_FINITE else life) * NS
        second = next_second(over, life)
        if second < word(conf, N_NEXT):
            return k
        touch(ahead, behind, row)
        copy_addr(places, row * ADDR_LEN, names, h + H_COA)
        st8(bits, row, word(ours, u + U_FLAGS))
        st8(numbers, 2 * row, word(ours, u + U_SEQNO))
        st8(numbers, 2 * row + 1, word(ours, u + U_SEQNO) >> 8)
        st8(plens, row, 0)
        st32(lives, row * _HALF, life)
        st8(states, row, BOUND)
        st64(ends, row * _WORD, over)
        st32(dues, row * _HALF, second)
        block = row >> BLOCK_SHIFT
        if second < ld32(lows, block * _HALF):
            st32(lows, block * _HALF, second)
        put_word(out, k, R_RENEWED)
    return end
