# SPDX-License-Identifier: BSD-3-Clause
"""What authentication codes of received packets are over, prepared in a batch.

KAME ah_core.c (ah6_calccksum), mip6_binding.c (mip6_calculate_authdata_from_bu). The packets are
looked at as their last destination sees them: the home address is the source, no segments are left.
The twins are in ah.py and authdata.py. RFC 2402 s.3.3.3; draft-15 s.4.4. Every offset is checked
against the packet's end before it is used.
"""

from __future__ import annotations

from typing import Final

from kame_py.fast import lanes
from kame_py.fast.batch import F_AH, F_HAO, F_IP6, F_MIP6OPT, I64, SLACK, U8, U32
from kame_py.fast.intrin import be16, be32, signed
from kame_py.fast.jit import inlined, kernel
from kame_py.fast.sas import NO_KIND, S_DST, S_ICVLEN, S_KIND, S_SIZE, S_SPI, S_SRC
from kame_py.wire.codecs import (
    Ah,
    Ip6Dest,
    Ip6Ext,
    Ip6Hdr,
    Ip6Opt,
    Ip6OptBindingUpdate,
    Ip6OptHomeAddress,
    Ip6Rthdr,
    Ip6Rthdr0,
    Ip6SubOptAuthData,
    Ip6SubOptUniqid,
)
from kame_py.wire.const import (
    IP6OPT_BINDING_UPDATE,
    IP6OPT_HOME_ADDRESS,
    IP6OPT_MUTABLE,
    IP6OPT_PAD1,
    IP6SUBOPT_UNIQUEID,
    IPPROTO_AH,
    IPPROTO_DSTOPTS,
    IPPROTO_HOPOPTS,
    IPPROTO_ROUTING,
    IPV6_RTHDR_TYPE_0,
    IPV6_RTHDR_TYPE_2,
    IPV6_VERSION,
)
from kame_py.wire.mip6 import ADDR_LEN
from kame_py.wire.mip6_draft15 import IP6SUBOPT_ALTCOA, IP6SUBOPT_AUTHDATA

address, copy = lanes.address, lanes.copy
get8, get64 = lanes.get8, lanes.get64
put8, put32, put64 = lanes.put8, lanes.put32, lanes.put64

_HDR: Final = Ip6Hdr.SIZE
_PLEN: Final = Ip6Hdr.O_ip6_plen
_NXT: Final = Ip6Hdr.O_ip6_nxt
_HLIM: Final = Ip6Hdr.O_ip6_hlim
_SRC: Final = Ip6Hdr.O_ip6_src
_DST: Final = Ip6Hdr.O_ip6_dst
_EXT_NXT: Final = Ip6Ext.O_ip6e_nxt
_EXT_LEN: Final = Ip6Ext.O_ip6e_len
_EXT: Final = Ip6Ext.SIZE
_DEST: Final = Ip6Dest.SIZE
_OPT: Final = Ip6Opt.SIZE
_OPT_LEN: Final = Ip6Opt.O_ip6o_len
_HAO: Final = Ip6OptHomeAddress.SIZE - _OPT
_TYPE: Final = Ip6Rthdr.O_ip6r_type
_SEGLEFT: Final = Ip6Rthdr.O_ip6r_segleft
_RTHDR0: Final = Ip6Rthdr0.SIZE
_AH: Final = Ah.SIZE
_AH_SPI: Final = Ah.O_ah_spi
_BU: Final = Ip6OptBindingUpdate.SIZE
_UNIQUEID: Final = Ip6SubOptUniqid.SIZE
_AUTH: Final = Ip6SubOptAuthData.SIZE
_AUTH_SPI: Final = Ip6SubOptAuthData.O_spi
_WORD: Final = 4
_LINE: Final = 64  # octets of a line of the cache
_HALF: Final = 8  # octets of half an address
_ODD_FIRST: Final = 0xFE  # link-local, site-local, groups
_ADDRS: Final = 3 * ADDR_LEN  # in front of the option of a binding update
_NONE: Final = -1


@inlined
def _find(rows: int, count: int, spi: int, dst: int, src: int, strict: bool) -> int:
    """The row that key_allocsa would take: of this source if there is one, unless strict any."""
    low, high = 0, count
    while low < high:
        middle = (low + high) >> 1
        if get64(rows + 8 * (S_SIZE * middle + S_SPI)) < spi:
            low = middle + 1
        else:
            high = middle
    found = _NONE
    for i in range(low, count):
        row = rows + 8 * S_SIZE * i
        if get64(row + 8 * S_SPI) != spi:
            break
        if not _same(row + 8 * S_DST, dst):
            continue
        if _same(row + 8 * S_SRC, src):
            return i
        if found == _NONE and not strict:
            found = i
    return found


@inlined
def _same(a: int, b: int) -> bool:
    """Two addresses."""
    return get64(a) == get64(b) and get64(a + _HALF) == get64(b + _HALF)


@inlined
def _swap(a: int, b: int) -> None:
    """Two addresses change places."""
    low, high = get64(a), get64(a + _HALF)
    put64(a, get64(b))
    put64(a + _HALF, get64(b + _HALF))
    put64(b, low)
    put64(b + _HALF, high)


@inlined
def _next(end: int) -> int:
    """Where the next message begins: with a line of the cache, and seldom in the same set."""
    return (end + 2 * _LINE - 1) & ~(_LINE - 1) | _LINE


@inlined
def _size(p: int, nxt: int, off: int, end: int) -> int:
    """Octets of the extension header at ``off``, or _NONE."""
    if off + _EXT > end:
        return _NONE
    units = get8(p + off + _EXT_LEN)
    size = (units + 2) << 2 if nxt == IPPROTO_AH else (units + 1) << 3
    return size if size <= end - off else _NONE


@inlined
def _route(p: int, off: int, size: int) -> bool:
    """Go all the way that a routing header says."""
    left = get8(p + off + _SEGLEFT)
    if left == 0:
        return True
    kind = get8(p + off + _TYPE)
    count = (size - _RTHDR0) // ADDR_LEN
    whole = size == _RTHDR0 + count * ADDR_LEN
    if kind not in (IPV6_RTHDR_TYPE_0, IPV6_RTHDR_TYPE_2) or not whole or left > count:
        return False
    for i in range(count - left, count):
        _swap(p + _DST, p + off + _RTHDR0 + i * ADDR_LEN)
    put8(p + off + _SEGLEFT, 0)
    return True


@inlined
def _options(p: int, off: int, end: int, swap: bool) -> int:
    """Clear what may change on the way; the home address, when it counts, becomes the source.

    How many home addresses did, or _NONE.
    """
    hao = 0
    while off < end:
        kind = get8(p + off)
        if kind == IP6OPT_PAD1:
            off += 1
            continue
        if end - off < _OPT or get8(p + off + _OPT_LEN) > end - off - _OPT:
            return _NONE
        size = get8(p + off + _OPT_LEN)
        if kind & IP6OPT_MUTABLE:
            for k in range(size):
                put8(p + off + _OPT + k, 0)
        if kind == IP6OPT_HOME_ADDRESS and swap:
            if hao or size < _HAO:
                return _NONE
            hao = off + _OPT
        off += _OPT + size
    if hao:
        _swap(p + _SRC, p + hao)
    return 1 if hao else 0


@inlined
def _scoped(p: int) -> bool:
    return get8(p + _SRC) >= _ODD_FIRST or get8(p + _DST) >= _ODD_FIRST


@inlined
def _immutable(p: int, end: int) -> int:
    """Make the headers in front of AH what its code is over; where AH is, or _NONE."""
    put32(p, 0)  # class and flow
    put8(p, IPV6_VERSION)
    put8(p + _HLIM, 0)
    nxt, off, homes = get8(p + _NXT), _HDR, 0
    while nxt != IPPROTO_AH:
        if nxt not in (IPPROTO_HOPOPTS, IPPROTO_DSTOPTS, IPPROTO_ROUTING):
            return _NONE
        size = _size(p, nxt, off, end)
        if size == _NONE:
            return _NONE
        if nxt == IPPROTO_ROUTING:
            if not _route(p, off, size):
                return _NONE
        else:
            more = _options(p, off + _DEST, off + size, nxt == IPPROTO_DSTOPTS)
            homes += more
            if more == _NONE or homes > 1:
                return _NONE
        nxt = get8(p + off + _EXT_NXT)
        off += size
    return _NONE if _scoped(p) else off


@inlined
def _ah(p: int, end: int, rows: int, count: int) -> tuple[int, int]:
    """The row of the association and where the code is, now zero; or _NONE, 0."""
    off = _immutable(p, end)
    if off == _NONE or end - off < _AH:
        return _NONE, 0
    spi = be32(p, off + _AH_SPI)
    row = _find(rows, count, spi, p + _DST, p + _SRC, False)
    if row == _NONE or get64(rows + 8 * (S_SIZE * row + S_KIND)) == NO_KIND:
        return _NONE, 0
    icvlen = get64(rows + 8 * (S_SIZE * row + S_ICVLEN))
    size = _size(p, IPPROTO_AH, off, end)
    whole = (_AH + icvlen + 7) & ~7  # ah_lengths: RFC 2402 s.2.2, and KAME's
    if size not in (whole, (_AH + icvlen + 3) & ~3):
        return _NONE, 0
    for at in range(0, icvlen, _WORD):
        put32(p + off + _AH + at, 0)
    return row, off + _AH


@kernel
def prepare_ah(
    arena: U8,
    off: I64,
    caplen: U32,
    starts: I64,
    flags: U32,
    first: int,
    n: int,
    rows: I64,
    room: U8,
    at: I64,
    size: U32,
    sa: I64,
    kind: I64,
    icv: I64,
    who: I64,
) -> tuple[int, int]:
    """Copies of packets with AH, as their codes are over them."""
    data, to, table = address(arena), address(room), address(rows)
    made, end = 0, 0
    wanted = F_IP6 | F_AH
    for i in range(first, n):
        if signed(flags[i]) & wanted != wanted:
            continue
        p = data + starts[i]
        total = _HDR + be16(p, _PLEN)
        if starts[i] + total > off[i] + signed(caplen[i]):
            continue
        if end + total > len(room) - SLACK:
            return i, made
        copy(to + end, p, total)
        row, where = _ah(to + end, total, table, len(rows))
        if row == _NONE:
            continue
        at[made], size[made], sa[made], who[made] = end, total, row, i
        kind[made], icv[made] = rows[row, S_KIND], starts[i] + where
        made += 1
        end = _next(end + total)
    return n, made


# -- binding updates ---------------------------------------------------------------------------


@inlined
def _authdata(p: int, off: int, end: int) -> int:
    """Where the authentication data are in an update at ``off``: the last sub-option; or _NONE."""
    off += _BU
    while off < end:
        kind = get8(p + off)
        if kind == IP6OPT_PAD1:
            off += 1
            continue
        if end - off < _OPT or get8(p + off + _OPT_LEN) > end - off - _OPT:
            return _NONE
        size = _OPT + get8(p + off + _OPT_LEN)
        if kind == IP6SUBOPT_UNIQUEID and size != _UNIQUEID:
            return _NONE
        if kind == IP6SUBOPT_ALTCOA and size != _OPT + ADDR_LEN:
            return _NONE
        if kind == IP6SUBOPT_AUTHDATA:
            return off if size >= _AUTH and off + size == end else _NONE
        off += size
    return _NONE


@inlined
def _mobility(p: int, off: int, end: int, hao: int) -> tuple[int, int, int]:
    """The home address, the update and its end among options; hao _NONE: it cannot be told."""
    bu, bu_end = 0, 0
    while off < end:
        kind = get8(p + off)
        if kind == IP6OPT_PAD1:
            off += 1
            continue
        if end - off < _OPT or get8(p + off + _OPT_LEN) > end - off - _OPT:
            return _NONE, 0, 0
        size = get8(p + off + _OPT_LEN)
        if kind == IP6OPT_HOME_ADDRESS:
            if hao or size < _HAO:
                return _NONE, 0, 0
            hao = off + _OPT
        elif kind == IP6OPT_BINDING_UPDATE:
            if bu or not hao:
                return _NONE, 0, 0
            bu, bu_end = off, off + _OPT + size
        off += _OPT + size
    return hao, bu, bu_end


@inlined
def _update(p: int, end: int) -> tuple[int, int, int, int]:
    """Of a packet with one update: home address, option, its end, last address; or _NONE first."""
    nxt, off, dst = get8(p + _NXT), _HDR, _DST
    hao, bu, bu_end = 0, 0, 0
    while nxt in (IPPROTO_HOPOPTS, IPPROTO_DSTOPTS, IPPROTO_ROUTING, IPPROTO_AH):
        size = _size(p, nxt, off, end)
        if size == _NONE:
            return _NONE, 0, 0, 0
        if nxt == IPPROTO_DSTOPTS:
            hao, at, at_end = _mobility(p, off + _DEST, off + size, hao)
            if hao == _NONE or (at and bu):
                return _NONE, 0, 0, 0
            if at:
                bu, bu_end = at, at_end
        elif nxt == IPPROTO_ROUTING and get8(p + off + _SEGLEFT):
            if size < _RTHDR0 + ADDR_LEN or dst != _DST:
                return _NONE, 0, 0, 0
            dst = off + size - ADDR_LEN
        nxt = get8(p + off + _EXT_NXT)
        off += size
    return (hao, bu, bu_end, dst) if bu and hao else (_NONE, 0, 0, 0)


@inlined
def _bu(p: int, total: int, to: int, rows: int, count: int) -> tuple[int, int, int]:
    """Write what the code is over; the row, the octets, where the code is; or _NONE, 0, 0."""
    hao, bu, end, dst = _update(p, total)
    if hao == _NONE or _scoped(p) or end - bu < _BU:
        return _NONE, 0, 0
    auth = _authdata(p, bu, end)
    if auth == _NONE:
        return _NONE, 0, 0
    row = _find(rows, count, be32(p, auth + _AUTH_SPI), p + dst, p + hao, True)
    if row == _NONE or get64(rows + 8 * (S_SIZE * row + S_KIND)) == NO_KIND:
        return _NONE, 0, 0
    if end - auth - _AUTH != get64(rows + 8 * (S_SIZE * row + S_ICVLEN)):
        return _NONE, 0, 0
    code = auth + _AUTH
    copy(to, p + dst, ADDR_LEN)
    copy(to + ADDR_LEN, p + _SRC, ADDR_LEN)
    copy(to + 2 * ADDR_LEN, p + hao, ADDR_LEN)
    copy(to + _ADDRS, p + bu, code - bu)
    return row, _ADDRS + code - bu, code


@kernel
def prepare_bu(
    arena: U8,
    off: I64,
    caplen: U32,
    starts: I64,
    flags: U32,
    first: int,
    n: int,
    rows: I64,
    room: U8,
    at: I64,
    size: U32,
    sa: I64,
    kind: I64,
    icv: I64,
    who: I64,
) -> tuple[int, int]:
    """Addresses and options of binding updates, as their authentication data are over them."""
    data, to, table = address(arena), address(room), address(rows)
    made, end = 0, 0
    wanted = F_IP6 | F_HAO | F_MIP6OPT
    for i in range(first, n):
        if signed(flags[i]) & wanted != wanted:
            continue
        p = data + starts[i]
        total = _HDR + be16(p, _PLEN)
        if starts[i] + total > off[i] + signed(caplen[i]):
            continue
        if end + _ADDRS + total > len(room) - SLACK:
            return i, made
        row, octets, code = _bu(p, total, to + end, table, len(rows))
        if row == _NONE:
            continue
        at[made], size[made], sa[made], who[made] = end, octets, row, i
        kind[made], icv[made] = rows[row, S_KIND], starts[i] + code
        made += 1
        end = _next(end + octets)
    return n, made
