# SPDX-License-Identifier: BSD-3-Clause
"""Verify AH in a batch of received packets.

KAME ah_input.c, ah_core.c (ah6_calccksum). Only the code is looked at: replays, lifetimes and
policies are the slow path's. UNKNOWN where no code can be computed, and with fragments, scoped
addresses and algorithms outside KINDS. RFC 2402 s.3.4.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from kame_py.fast.batch import F_AH, F_IP6, U8
from kame_py.fast.cpu import JIT
from kame_py.fast.sas import BAD, GOOD, KINDS, NO_KIND, S_KIND, UNKNOWN, Checker, SaTable
from kame_py.netkey.ah_core import ah6_calccksum, ah_lengths
from kame_py.netkey.algorithms import icv_equal
from kame_py.wire.codecs import Ah, Ip6Dest, Ip6Hdr, Ip6OptHomeAddress, Ip6Rthdr, Ip6Rthdr0
from kame_py.wire.const import (
    IP6OPT_HOME_ADDRESS,
    IPPROTO_AH,
    IPPROTO_DSTOPTS,
    IPPROTO_HOPOPTS,
    IPPROTO_ROUTING,
    IPV6_RTHDR_TYPE_0,
    IPV6_RTHDR_TYPE_2,
)
from kame_py.wire.ip6ext import exthdr_len, iter_options
from kame_py.wire.malformed import Malformed
from kame_py.wire.mip6 import ADDR_LEN
from kame_py.wire.patch import put, put_u8, u8

if TYPE_CHECKING:
    from kame_py.fast.batch import Batch
    from kame_py.netkey.keydb import Secasvar

_HDR: Final = Ip6Hdr.SIZE
_SRC: Final = Ip6Hdr.O_ip6_src
_DST: Final = Ip6Hdr.O_ip6_dst
_HAO: Final = Ip6OptHomeAddress.SIZE - Ip6OptHomeAddress.O_ip6oh_addr
_ODD_FIRST: Final = 0xFE  # link-local, site-local, groups
_WANTED: Final = F_IP6 | F_AH


def verify_ah(batch: Batch, checker: Checker) -> U8:
    """For each packet UNKNOWN, GOOD or BAD; ``annotate`` has been there."""
    if not JIT:
        return ah_twin(batch, checker.table)
    from kame_py.fast.mac_kernels import prepare_ah

    return checker.run(prepare_ah, batch, batch.off[: batch.n] + batch.l3[: batch.n])


# -- in Python ---------------------------------------------------------------------------------


def ah_twin(batch: Batch, table: SaTable) -> U8:
    """What the kernels do, with the functions of the slow path."""
    verdicts = np.zeros(batch.n, np.uint8)
    for i in np.flatnonzero(batch.flags[: batch.n] & _WANTED == _WANTED).tolist():
        data = octets(batch, i)
        verdicts[i] = UNKNOWN if data is None else _verdict(data, table)
    return verdicts


def octets(batch: Batch, i: int) -> bytes | None:
    """A packet from its IPv6 header to the end of its payload; None: it is cut off."""
    start = int(batch.off[i]) + int(batch.l3[i])
    end = int(batch.off[i]) + int(batch.caplen[i])
    data = batch.arena[start:end].tobytes()
    total = _HDR + Ip6Hdr.unpack(data).ip6_plen
    return data[:total] if total <= len(data) else None


def _verdict(data: bytes, table: SaTable) -> int:
    arrived = _arrived(data)
    if arrived is None:
        return UNKNOWN
    data, off = arrived
    if len(data) - off < Ah.SIZE or scoped(data):
        return UNKNOWN
    sav = find(table, Ah.unpack(data, off).ah_spi, data[_DST:_HDR], data[_SRC:_DST], False)
    if sav is None or sav.mackey is None:
        return UNKNOWN
    mac = sav.mackey
    size = exthdr_len(data, IPPROTO_AH, off, len(data))
    if isinstance(size, Malformed) or size not in ah_lengths(mac.icvlen):
        return UNKNOWN
    header = data[off : off + size]
    icv = ah6_calccksum(mac, data[:off], header, data[off + size :])
    if icv is None:
        return UNKNOWN
    return GOOD if icv_equal(icv, header[Ah.SIZE : Ah.SIZE + mac.icvlen]) else BAD


def find(table: SaTable, spi: int, dst: bytes, src: bytes, strict: bool) -> Secasvar | None:
    """As key_allocsa: of this source, unless strict of any; None where it proves nothing."""
    of_dst = [i for i, sav in enumerate(table.savs) if sav.spi == spi and sav.saidx.dst == dst]
    mine = [i for i in of_dst if table.savs[i].saidx.src == src]
    found = mine or ([] if strict else of_dst)
    if not found or table.rows[found[0], S_KIND] == NO_KIND:
        return None
    sav = table.savs[found[0]]
    assert sav.mackey is not None and sav.mackey.icvlen in {icvlen for _, icvlen in KINDS}
    return sav


def scoped(data: bytes) -> bool:
    """Addresses that look different inside the kernel."""
    return data[_SRC] >= _ODD_FIRST or data[_DST] >= _ODD_FIRST


def _arrived(data: bytes) -> tuple[bytes, int] | None:
    """The packet as its last destination has it when it comes to AH, and where that is."""
    nxt, off, homes = u8(data, Ip6Hdr.O_ip6_nxt), _HDR, 0
    while nxt != IPPROTO_AH:
        if nxt not in (IPPROTO_HOPOPTS, IPPROTO_DSTOPTS, IPPROTO_ROUTING):
            return None
        size = exthdr_len(data, nxt, off, len(data))
        if isinstance(size, Malformed):
            return None
        after: bytes | None = data
        if nxt == IPPROTO_ROUTING:
            after = _routed(data, off, size)
        else:
            places = _home_addresses(data, off + Ip6Dest.SIZE, off + size)
            if places is None:
                return None
            if places and nxt == IPPROTO_DSTOPTS:
                homes += len(places)
                after = _swapped(data, _SRC, places[0]) if homes == 1 else None
        if after is None:
            return None
        data, nxt, off = after, u8(data, off), off + size
    return data, off


def _home_addresses(data: bytes, off: int, end: int) -> list[int] | None:
    """Where they are among the options; None: these cannot be read."""
    found = []
    for opt in iter_options(data, off, end):
        if isinstance(opt, Malformed):
            return None
        if opt.type == IP6OPT_HOME_ADDRESS:
            if opt.data_len < _HAO:
                return None
            found.append(opt.data_off)
    return found


def _routed(data: bytes, off: int, size: int) -> bytes | None:
    left = u8(data, off + Ip6Rthdr.O_ip6r_segleft)
    count, rest = divmod(size - Ip6Rthdr0.SIZE, ADDR_LEN)
    if left == 0:
        return data
    kind = u8(data, off + Ip6Rthdr.O_ip6r_type)
    if rest or left > count or kind not in (IPV6_RTHDR_TYPE_0, IPV6_RTHDR_TYPE_2):
        return None
    for i in range(count - left, count):
        data = _swapped(data, _DST, off + Ip6Rthdr0.SIZE + i * ADDR_LEN)
    return put_u8(data, off + Ip6Rthdr.O_ip6r_segleft, 0)


def _swapped(data: bytes, a: int, b: int) -> bytes:
    """Two addresses change places."""
    first, second = data[a : a + ADDR_LEN], data[b : b + ADDR_LEN]
    return put(put(data, a, second), b, first)
