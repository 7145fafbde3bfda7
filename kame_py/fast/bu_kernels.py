# SPDX-License-Identifier: BSD-3-Clause
"""Binding updates found in a batch, and acknowledgements written: kernels of bu.py.

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
    ld64,
    opened,
    place,
    put_word,
    st8,
    st64,
    word,
)
from kame_py.fast.sa_kernels import await_code, find_row
from kame_py.fast.sas import (
    L_INDEX,
    L_ROOM,
    L_ROWS,
    NO_KIND,
    S_ICVLEN,
    S_KIND,
    S_SIZE,
)
from kame_py.mip6.mip6_bcache import BC_CODE
from kame_py.mip6.mip6_state import BcSt
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


@inlined
def plain_update(octets: Base, off: int, size: int, conf: Base) -> tuple[int, int, int, int]:
    """Where home address, care-of address, update and its code are in a frame; _NONE first: no."""
    p = off + word(conf, E_LINK)
    if size < word(conf, E_LINK) + _HDR or ld8(octets, p + _NXT) != IPPROTO_DSTOPTS:
        return _NONE, 0, 0, 0
    if first_look(octets, off, size, conf) != GO_ON:
        return _NONE, 0, 0, 0
    hao, bu = headers(octets, p, p + _HDR + be16(octets, p + _PLEN))
    if hao == _NONE or not (ordinary(octets, p + _SRC) and ordinary(octets, p + _DST)):
        return _NONE, 0, 0, 0
    auth, coa = suboptions(octets, bu + _BU, bu + _OPT + ld8(octets, bu + _OPT_LEN))
    coa = coa if coa != 0 else p + _SRC
    if auth == _NONE or not (ordinary(octets, hao) and ordinary(octets, coa)):
        return _NONE, 0, 0, 0
    return hao, coa, bu, auth + _AUTH


@inlined
def signer(octets: Base, p: int, hao: int, bu: int, code: int, lists: Places) -> int:
    """The row of the association that signed the update at ``bu``, if it fits; or -1."""
    table = place(lists, L_ROWS)
    row = find_row(
        place(lists, L_INDEX),
        table,
        be32(octets, code - _SPI),
        ld64(octets, p + _DST),
        ld64(octets, p + _DST + _WORD),
        ld64(octets, hao),
        ld64(octets, hao + _WORD),
    )
    if row == _NONE or word(table, row * S_SIZE + S_KIND) == NO_KIND:
        return _NONE
    icvlen = bu + _OPT + ld8(octets, bu + _OPT_LEN) - code
    return row if word(table, row * S_SIZE + S_ICVLEN) == icvlen else _NONE


@inlined
def take_down(out: Base, u: int, octets: Base, bu: int, i: int, row: int) -> None:
    """The row of an update at ``bu`` in packet ``i``."""
    put_word(out, u + U_WHO, i)
    put_word(out, u + U_SA, row)
    put_word(out, u + U_FLAGS, ld8(octets, bu + _BU_FLAGS))
    put_word(out, u + U_SEQNO, ld8(octets, bu + _BU_SEQNO))
    put_word(out, u + U_LIFE, be32(octets, bu + _BU_LIFE))


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
    to = place(into, L_ROOM)
    found, made, end = 0, 0, 0
    for i in range(start, stop):
        hao, coa, bu, code = plain_update(octets, word(offs, i), half(sizes, i), conf)
        if hao == _NONE:
            continue
        p = word(offs, i) + word(conf, E_LINK)
        row = signer(octets, p, hao, bu, code, into)
        take_down(out, found * U_SIZE, octets, bu, i, row)
        h = found * H_SIZE
        copy_addr(names, h + H_HOA, octets, hao)
        copy_addr(names, h + H_COA, octets, coa)
        copy_addr(names, h + H_SRC, octets, p + _SRC)
        copy_addr(names, h + H_DST, octets, p + _DST)
        if row != _NONE:
            copy_addr(to, end, octets, p + _DST)
            copy_addr(to, end + ADDR_LEN, octets, p + _SRC)
            copy_addr(to, end + 2 * ADDR_LEN, octets, hao)
            copy(to, end + _ADDRS, octets, bu, code - bu)
            await_code(into, made, end, _ADDRS + code - bu, row, code, found)
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
