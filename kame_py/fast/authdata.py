# SPDX-License-Identifier: BSD-3-Clause
"""Verify the authentication data of binding updates in a batch (draft-15).

KAME mip6_binding.c (mip6_validate_bu, mip6_calculate_authdata_from_bu). Only the code is looked at.
UNKNOWN where the update cannot be read, where there are several, and where the association is not
one of the home address with an algorithm of KINDS. draft-15 s.4.4.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from kame_py.fast.ah import find, octets, scoped
from kame_py.fast.batch import F_HAO, F_IP6, F_MIP6OPT, U8
from kame_py.fast.cpu import JIT
from kame_py.fast.sas import BAD, GOOD, UNKNOWN, Checker, SaTable
from kame_py.mip6.mip6_auth import mip6_bu_covered
from kame_py.netkey.algorithms import icv_equal
from kame_py.wire.codecs import Ip6Dest, Ip6Hdr, Ip6OptHomeAddress, Ip6Rthdr, Ip6Rthdr0
from kame_py.wire.const import (
    IP6OPT_BINDING_UPDATE,
    IP6OPT_HOME_ADDRESS,
    IPPROTO_AH,
    IPPROTO_DSTOPTS,
    IPPROTO_HOPOPTS,
    IPPROTO_ROUTING,
)
from kame_py.wire.ip6ext import Opt, exthdr_len, iter_options
from kame_py.wire.malformed import Malformed
from kame_py.wire.mip6 import ADDR_LEN, AuthData, BindingUpdate
from kame_py.wire.mip6_draft15 import WIRE
from kame_py.wire.patch import u8

if TYPE_CHECKING:
    from kame_py.fast.batch import Batch

_HDR: Final = Ip6Hdr.SIZE
_SRC: Final = Ip6Hdr.O_ip6_src
_DST: Final = Ip6Hdr.O_ip6_dst
_HAO: Final = Ip6OptHomeAddress.SIZE - Ip6OptHomeAddress.O_ip6oh_addr
_WANTED: Final = F_IP6 | F_HAO | F_MIP6OPT
_WALKED: Final = (IPPROTO_HOPOPTS, IPPROTO_DSTOPTS, IPPROTO_ROUTING, IPPROTO_AH)


def verify_bu_macs(batch: Batch, checker: Checker) -> U8:
    """For each packet UNKNOWN, GOOD or BAD; ``annotate`` has been there."""
    if not JIT:
        return bu_twin(batch, checker.table)
    from kame_py.fast.mac_kernels import prepare_bu

    return checker.run(prepare_bu, batch, batch.off[: batch.n] + batch.l3[: batch.n])


# -- in Python ---------------------------------------------------------------------------------


def bu_twin(batch: Batch, table: SaTable) -> U8:
    """What the kernels do, with the functions of the slow path."""
    verdicts = np.zeros(batch.n, np.uint8)
    for i in np.flatnonzero(batch.flags[: batch.n] & _WANTED == _WANTED).tolist():
        data = octets(batch, i)
        found = None if data is None or scoped(data) else _update(data)
        if data is not None and found is not None:
            verdicts[i] = _verdict(data, *found, table)
    return verdicts


def _verdict(data: bytes, hao: int, opt: Opt, dst: int, table: SaTable) -> int:
    start, end = opt.off, opt.data_off + opt.data_len
    bu = WIRE.parse_option(data, opt)
    if not isinstance(bu, BindingUpdate) or not bu.subopts:
        return UNKNOWN
    auth = bu.subopts[-1]
    if not isinstance(auth, AuthData) or any(isinstance(s, AuthData) for s in bu.subopts[:-1]):
        return UNKNOWN
    to, hoa = data[dst : dst + ADDR_LEN], data[hao : hao + ADDR_LEN]
    sav = find(table, auth.spi, to, hoa, True)
    if sav is None or sav.mackey is None or len(auth.mac) != sav.mackey.icvlen:
        return UNKNOWN
    head = data[start : end - len(auth.mac)]
    code = sav.mackey.mac(*mip6_bu_covered(to, data[_SRC:_DST], hoa, head))
    return GOOD if icv_equal(code, auth.mac) else BAD


def _update(data: bytes) -> tuple[int, Opt, int] | None:
    """Of a packet with one update: where home address, option and last destination are."""
    nxt, off, dst = u8(data, Ip6Hdr.O_ip6_nxt), _HDR, _DST
    homes: list[int] = []
    updates: list[Opt] = []
    while nxt in _WALKED:
        size = exthdr_len(data, nxt, off, len(data))
        if isinstance(size, Malformed):
            return None
        if nxt == IPPROTO_DSTOPTS:
            if not _look(data, off + Ip6Dest.SIZE, off + size, homes, updates):
                return None
        elif nxt == IPPROTO_ROUTING and u8(data, off + Ip6Rthdr.O_ip6r_segleft):
            if size < Ip6Rthdr0.SIZE + ADDR_LEN or dst != _DST:
                return None
            dst = off + size - ADDR_LEN
        nxt, off = u8(data, off), off + size
    return (homes[0], updates[0], dst) if len(homes) == len(updates) == 1 else None


def _look(data: bytes, off: int, end: int, homes: list[int], updates: list[Opt]) -> bool:
    """Add what is among the options; False: they cannot be read, or an update has no home."""
    for opt in iter_options(data, off, end):
        if isinstance(opt, Malformed):
            return False
        if opt.type == IP6OPT_HOME_ADDRESS:
            if opt.data_len < _HAO:
                return False
            homes.append(opt.data_off)
        elif opt.type == IP6OPT_BINDING_UPDATE:
            if not homes:
                return False
            updates.append(opt)
    return True
