# SPDX-License-Identifier: BSD-3-Clause
"""Which packets of a batch are worth a look at their headers, found in vectors.

No KAME counterpart. Who looks for packets that are few goes through the headers of those few only.
Headers are stepped over as they usually are; whatever is unusual is worth a look.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from kame_py.fast.layout import HAO_AT, HAO_LEN, HAO_PAD
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

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from kame_py.fast.batch import I64, U8, Batch

    Yes = NDArray[np.bool_]

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


class Leads:
    """Which packets of a batch may lead to what somebody looks for.

    may: protocol numbers that it has, or that it stands behind. types: of its ICMPv6 messages.
    """

    def __init__(self, may: frozenset[int], types: frozenset[int]) -> None:
        self._may = _table(may)
        self._types = _table(types)

    def find(self, b: Batch, link: bool) -> list[int]:
        """In order: all that do, and others. link: the packets have Ethernet headers."""
        n, arena = b.n, b.arena
        at: I64 = b.off[:n]
        if link:
            high, low = _octet(arena, at + _TYPE), _octet(arena, at + _TYPE + 1)
            ip6 = (high == ETHERTYPE_IPV6 >> 8) & (low == ETHERTYPE_IPV6 & 0xFF)
            which: I64 = np.flatnonzero(ip6)
            at = at[which] + EtherHeader.SIZE
        else:
            which = np.arange(n)
        kind = _octet(arena, at + _NXT)
        may = self._may[kind] != 0
        which = which[may]
        found = list(self._walk(arena, which, kind[may], at[may] + _HDR))
        return sorted(np.concatenate(found).tolist())

    def _walk(self, arena: U8, which: I64, kind: U8, at: I64) -> Iterator[I64]:
        """Go from header to header; those that end somewhere doubtful. kind: of the one at ``at``.

        One with too many headers is in doubt, too; one that is cut short may be anything.
        """
        for _ in range(_DEEP):
            if not len(which):
                break
            steps, quiet = self._steps(arena, kind, at)
            doubt = (steps == 0) & ~quiet
            yield which[doubt]
            go = ~(doubt | quiet)
            nxt = np.where(kind == IPPROTO_IPV6, _NXT, _EXT_NXT)
            kind = _octet(arena, at + nxt)[go]
            which, at = which[go], (at + steps)[go]
            more = self._may[kind] != 0
            which, kind, at = which[more], kind[more], at[more]
        yield which

    def _steps(self, arena: U8, kind: U8, at: I64) -> tuple[I64, Yes]:
        """How long each header is, 0: not known; and messages that nobody looks for."""
        units = _octet(arena, at + _EXT_LEN).astype(np.int64)
        steps: I64 = np.zeros(len(at), np.int64)
        steps[kind == IPPROTO_IPV6] = _HDR
        eights = (kind == IPPROTO_HOPOPTS) | (kind == IPPROTO_ROUTING)
        steps[eights] = units[eights] + 1 << 3
        fours = kind == IPPROTO_AH
        steps[fours] = units[fours] + 2 << 2
        home = kind == IPPROTO_DSTOPTS
        for o, octet in _HOME:
            home &= _octet(arena, at + o) == octet
        steps[home] = HAO_LEN
        icmp6 = kind == IPPROTO_ICMPV6
        return steps, icmp6 & (self._types[_octet(arena, at + Icmp6Hdr.O_icmp6_type)] == 0)


def _table(numbers: frozenset[int]) -> U8:
    table: U8 = np.zeros(_NUMBERS, np.uint8)
    table[list(numbers)] = 1
    return table


def _octet(arena: U8, at: I64) -> U8:
    """The octets at these places; any octet where the arena is over."""
    return arena.take(at, mode="clip")
