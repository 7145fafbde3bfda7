# SPDX-License-Identifier: BSD-3-Clause
"""Which packets of a batch a report shows one by one: those with signalling of mobility.

No KAME counterpart. Packets that cannot be signalling, nearly all, are told from the others in
vectors, by the headers in front; signal.py, which has the rules, looks at what is left. Import this
module only where a replay is fast: it needs numpy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from kame_py.fast.layout import HAO_AT, HAO_LEN, HAO_PAD
from kame_py.replay.signal import ICMP6_TYPES, MAY
from kame_py.replay.view import signal_of
from kame_py.wire.codecs import EtherHeader, Icmp6Hdr, Ip6Ext, Ip6Hdr, Ip6Opt, Ip6OptHomeAddress
from kame_py.wire.const import (
    ETHERTYPE_IPV6,
    IP6OPT_HOME_ADDRESS,
    IP6OPT_PADN,
    IPPROTO_AH,
    IPPROTO_DSTOPTS,
    IPPROTO_HOPOPTS,
    IPPROTO_ICMPV6,
    IPPROTO_IPV6,
    IPPROTO_ROUTING,
)
from kame_py.wire.pcapfmt import LINKTYPE_ETHERNET

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from kame_py.fast.batch import I64, U8, Batch
    from kame_py.kern.kernel import Kernel

_NUMBERS: Final = 256
_DEEP: Final = 8  # headers that are stepped over here
_NXT: Final = Ip6Hdr.O_ip6_nxt
_EXT_NXT: Final = Ip6Ext.O_ip6e_nxt
_EXT_LEN: Final = Ip6Ext.O_ip6e_len
_HDR: Final = Ip6Hdr.SIZE
_TYPE: Final = EtherHeader.O_ether_type
#: A destination options header with nothing but a home address: octets that tell it.
_PAD_AT: Final = HAO_AT - _HDR - HAO_PAD
_HOME: Final = (
    (_EXT_LEN, (HAO_LEN >> 3) - 1),
    (_PAD_AT, IP6OPT_PADN),
    (_PAD_AT + Ip6Opt.O_ip6o_len, HAO_PAD - Ip6Opt.SIZE),
    (HAO_AT - _HDR, IP6OPT_HOME_ADDRESS),
    (HAO_AT - _HDR + Ip6Opt.O_ip6o_len, Ip6OptHomeAddress.SIZE - Ip6Opt.SIZE),
)


def _table(numbers: frozenset[int]) -> U8:
    table: U8 = np.zeros(_NUMBERS, np.uint8)
    table[list(numbers)] = 1
    return table


_MAY: Final = _table(MAY)
_TYPES: Final = _table(ICMP6_TYPES)
_UNITS_8: Final = _table(frozenset((IPPROTO_HOPOPTS, IPPROTO_ROUTING)))


def shown(kern: Kernel, linktype: int, b: Batch) -> list[int]:
    """The packets of a batch, in order, that a report shows one by one."""
    return [i for i in _doubtful(linktype, b) if _shows(kern, linktype, b, i)]


def _shows(kern: Kernel, linktype: int, b: Batch, i: int) -> bool:
    at = int(b.off[i])
    data = b.arena[at : at + int(b.caplen[i])].tobytes()
    return signal_of(kern, linktype, data) is not None


def _doubtful(linktype: int, b: Batch) -> list[int]:
    """Packets that may be signalling."""
    n, arena = b.n, b.arena
    at: I64 = b.off[:n]
    end: I64 = at + b.caplen[:n]
    if linktype == LINKTYPE_ETHERNET:
        high, low = _octet(arena, at + _TYPE), _octet(arena, at + _TYPE + 1)
        which: I64 = np.flatnonzero((high == ETHERTYPE_IPV6 >> 8) & (low == ETHERTYPE_IPV6 & 0xFF))
        at = at[which] + EtherHeader.SIZE
    else:
        which = np.arange(n)
    kind = _octet(arena, at + _NXT)
    may = _MAY[kind] != 0
    which = which[may]
    found = list(_in_headers(arena, which, kind[may], at[may] + _HDR, end[which]))
    return sorted(np.concatenate(found).tolist()) if found else []


def _in_headers(arena: U8, which: I64, kind: U8, at: I64, end: I64) -> Iterator[I64]:
    """Go from header to header; those that end somewhere doubtful. kind: of the header at ``at``.

    A packet that is cut short, or has too many headers, is left to others.
    """
    for _ in range(_DEEP):
        if not len(which):
            return
        steps, doubt = _steps(arena, kind, at, end)
        yield which[doubt]
        go = (steps != 0) & ~doubt
        nxt = np.where(kind == IPPROTO_IPV6, _NXT, _EXT_NXT)
        kind = _octet(arena, at + nxt)[go]
        which, at, end = which[go], (at + steps)[go], end[go]
        more = _MAY[kind] != 0
        which, kind, at, end = which[more], kind[more], at[more], end[more]
    yield which


def _steps(arena: U8, kind: U8, at: I64, end: I64) -> tuple[I64, NDArray[np.bool_]]:
    """How long each header is, 0: nothing more is of interest; and where there is doubt."""
    units = _octet(arena, at + _EXT_LEN).astype(np.int64)
    steps: I64 = np.zeros(len(at), np.int64)
    steps[kind == IPPROTO_IPV6] = _HDR
    eights = _UNITS_8[kind] != 0
    steps[eights] = units[eights] + 1 << 3
    fours = kind == IPPROTO_AH
    steps[fours] = units[fours] + 2 << 2
    home = kind == IPPROTO_DSTOPTS
    for o, octet in _HOME:
        home &= _octet(arena, at + o) == octet
    steps[home] = HAO_LEN
    icmp6 = kind == IPPROTO_ICMPV6
    quiet = icmp6 & (_TYPES[_octet(arena, at + Icmp6Hdr.O_icmp6_type)] == 0)
    return steps, (at + _HDR > end) & ~quiet | (steps == 0) & ~quiet


def _octet(arena: U8, at: I64) -> U8:
    """The octets at these places; any octet where the arena is over."""
    return arena.take(at, mode="clip")
