# SPDX-License-Identifier: BSD-3-Clause
"""The walks over records and blocks of a capture as kernels.

No KAME counterpart. They take what is well-formed and stop before anything else, which the slow
readers then take, so numbers, stamps and errors are theirs. Read kame_py/replay/pcapng.py first.
"""

from __future__ import annotations

from typing import Final

from kame_py.fast.batch import FULL, I64, MORE, ODD, U8, U32
from kame_py.fast.intrin import base, be16, be32, le16, le32, prefetch
from kame_py.fast.jit import inlined, kernel
from kame_py.wire import pcapfmt
from kame_py.wire.pcapfmt import BLOCK_HEAD_LEN, BLOCK_TRAILER_LEN, MAX_SNAPLEN, OPTION_HEAD_LEN

# Columns of an interface
IF_LINKTYPE: Final = 0
IF_SNAPLEN: Final = 1
IF_SCALE: Final = 2  # ns per tick; 0: IF_TICKS are not a divisor of a second
IF_TICKS: Final = 3  # per second; 0: its stamps are the slow reader's
IF_OFFSET: Final = 4  # ns
IF_COLUMNS: Final = 5

NS_PER_S: Final = 1_000_000_000
STAMP_MAX_S: Final = 1 << 32  # of ticks; a later stamp is the slow reader's
_HIGH_MAX: Final = 1 << 31  # ticks have 64 bits, ours have a sign
_MAX_BLOCK: Final = 16 * 1024 * 1024
_FIT: Final = -1  # none of the reasons to stop
_AHEAD: Final = 3072  # octets: the walk is a chase of pointers through memory
_LINE: Final = 64  # of the cache; several fetched at a time would wait for each other

_SEC: Final = pcapfmt.PCAP_O_SEC
_FRAC: Final = pcapfmt.PCAP_O_FRAC
_CAPLEN: Final = pcapfmt.PCAP_O_CAPLEN
_ORIGLEN: Final = pcapfmt.PCAP_O_ORIGLEN
_RECORD: Final = pcapfmt.PCAP_RECORD_LEN
_B_LENGTH: Final = pcapfmt.EPB_O_LENGTH
_E_INTERFACE: Final = pcapfmt.EPB_O_INTERFACE
_E_HIGH: Final = pcapfmt.EPB_O_HIGH
_E_LOW: Final = pcapfmt.EPB_O_LOW
_E_CAPLEN: Final = pcapfmt.EPB_O_CAPLEN
_E_ORIGLEN: Final = pcapfmt.EPB_O_ORIGLEN
_E_DATA: Final = pcapfmt.EPB_O_DATA
_S_ORIGLEN: Final = pcapfmt.SPB_O_ORIGLEN
_S_DATA: Final = pcapfmt.SPB_O_DATA
_OPT_LEN: Final = pcapfmt.OPTION_LENGTH
_OPT_END: Final = pcapfmt.OPT_ENDOFOPT
_OPT_FLAGS: Final = pcapfmt.EPB_FLAGS
_FLAGS_LEN: Final = 4
_BT_EPB: Final = pcapfmt.BT_EPB
_BT_PB: Final = pcapfmt.BT_PB
_BT_SPB: Final = pcapfmt.BT_SPB


@inlined
def _u16(arena: int, at: int, big: bool) -> int:
    return be16(arena, at) if big else le16(arena, at)


@inlined
def _u32(arena: int, at: int, big: bool) -> int:
    return be32(arena, at) if big else le32(arena, at)


@kernel
def pcap(
    arena: U8,
    pos: int,
    end: int,
    big: bool,
    ns_per_frac: int,
    off: I64,
    caplen: U32,
    wirelen: U32,
    ts: I64,
) -> tuple[int, int, int]:
    """Records into columns: how many, where it stopped, why."""
    octets, fetched = base(arena), pos
    n = 0
    while n < len(off):
        if end - pos < _RECORD:
            return n, pos, MORE
        size = _u32(octets, pos + _CAPLEN, big)
        if size > MAX_SNAPLEN:
            return n, pos, ODD
        if size > end - pos - _RECORD:
            return n, pos, MORE
        while fetched < pos + _AHEAD:
            prefetch(octets, fetched)
            fetched += _LINE
        sec, frac = _u32(octets, pos + _SEC, big), _u32(octets, pos + _FRAC, big)
        off[n] = pos + _RECORD
        caplen[n] = size
        wirelen[n] = _u32(octets, pos + _ORIGLEN, big)
        ts[n] = sec * NS_PER_S + frac * ns_per_frac
        pos += _RECORD + size
        n += 1
    return n, pos, FULL


@inlined
def _flags(arena: int, at: int, end: int, big: bool) -> int:
    """epb_flags among the options; reading ends at the first option that does not fit."""
    flags = 0
    while end - at >= OPTION_HEAD_LEN:
        code, size = _u16(arena, at, big), _u16(arena, at + _OPT_LEN, big)
        at += OPTION_HEAD_LEN
        if code == _OPT_END or size > end - at:
            break
        if code == _OPT_FLAGS:
            flags = _u32(arena, at, big) if size == _FLAGS_LEN else 0
        at += (size + 3) & ~3
    return flags


@inlined
def _in_ns(ticks: int, ticks_per_s: int, scale: int) -> int:
    """ns of so many ticks; -1 for those of the slow reader."""
    if scale:
        if ticks >= STAMP_MAX_S * ticks_per_s:
            return -1
        return ticks * scale
    sec = ticks // ticks_per_s
    if sec >= STAMP_MAX_S:
        return -1
    return sec * NS_PER_S + (ticks - sec * ticks_per_s) * NS_PER_S // ticks_per_s


@inlined
def _stamp(arena: int, pos: int, ticks_per_s: int, scale: int, big: bool) -> int:
    """ns of the stamp of the block at ``pos``; -1 for those of the slow reader."""
    high, low = _u32(arena, pos + _E_HIGH, big), _u32(arena, pos + _E_LOW, big)
    if high >= _HIGH_MAX or ticks_per_s == 0:
        return -1
    return _in_ns(high << 32 | low, ticks_per_s, scale)


@inlined
def _unfit(arena: int, pos: int, end: int, kind: int, total: int, big: bool) -> int:
    """Why the block at ``pos`` is not read here; _FIT: its lengths agree, and it is a packet's."""
    head = _S_DATA if kind == _BT_SPB else _E_DATA
    if kind not in (_BT_EPB, _BT_PB, _BT_SPB):
        return ODD
    if total & 3 or total < head + BLOCK_TRAILER_LEN or total > _MAX_BLOCK:
        return ODD
    if total > end - pos:
        return MORE
    return _FIT if _u32(arena, pos + total - BLOCK_TRAILER_LEN, big) == total else ODD


@inlined
def _interface(arena: int, pos: int, kind: int, big: bool) -> int:
    """Number of the interface within its section."""
    if kind == _BT_EPB:
        return _u32(arena, pos + _E_INTERFACE, big)
    return _u16(arena, pos + _E_INTERFACE, big) if kind == _BT_PB else 0


@inlined
def _lengths(arena: int, pos: int, kind: int, snaplen: int, big: bool) -> tuple[int, int]:
    """Octets of a packet: on the wire, and of these in the block."""
    if kind != _BT_SPB:
        return _u32(arena, pos + _E_ORIGLEN, big), _u32(arena, pos + _E_CAPLEN, big)
    whole = _u32(arena, pos + _S_ORIGLEN, big)
    return whole, min(whole, snaplen) if snaplen else whole


@kernel
def pcapng(
    arena: U8,
    pos: int,
    end: int,
    big: bool,
    last_ns: int,
    first_if: int,
    interfaces: I64,
    off: I64,
    caplen: U32,
    wirelen: U32,
    ts: I64,
    ifindex: U32,
    pflags: U32,
) -> tuple[int, int, int, int]:
    """Packet blocks into columns: how many, where it stopped, why, and the last stamp."""
    octets, fetched = base(arena), pos
    n = 0
    linktype = -1
    while n < len(off):
        if end - pos < BLOCK_HEAD_LEN + BLOCK_TRAILER_LEN:
            return n, pos, MORE, last_ns
        while fetched < pos + _AHEAD:
            prefetch(octets, fetched)
            fetched += _LINE
        kind, total = _u32(octets, pos, big), _u32(octets, pos + _B_LENGTH, big)
        why = _unfit(octets, pos, end, kind, total, big)
        if why != _FIT:
            return n, pos, why, last_ns
        row = first_if + _interface(octets, pos, kind, big)
        if row >= len(interfaces):
            return n, pos, ODD, last_ns
        head, behind = _E_DATA if kind != _BT_SPB else _S_DATA, total - BLOCK_TRAILER_LEN
        whole, size = _lengths(octets, pos, kind, interfaces[row, IF_SNAPLEN], big)
        if size > behind - head or size > MAX_SNAPLEN:
            return n, pos, ODD, last_ns
        stamp, flags = last_ns, 0
        if kind != _BT_SPB:
            stamp = _stamp(octets, pos, interfaces[row, IF_TICKS], interfaces[row, IF_SCALE], big)
            if stamp < 0:
                return n, pos, ODD, last_ns
            stamp += interfaces[row, IF_OFFSET]
            flags = _flags(octets, pos + head + ((size + 3) & ~3), pos + behind, big)
        if interfaces[row, IF_LINKTYPE] != linktype:
            if n:
                return n, pos, FULL, last_ns
            linktype = interfaces[row, IF_LINKTYPE]
        off[n] = pos + head
        caplen[n] = size
        wirelen[n] = whole
        ts[n] = stamp
        ifindex[n] = row
        pflags[n] = flags
        last_ns = stamp
        pos += total
        n += 1
    return n, pos, FULL, last_ns
