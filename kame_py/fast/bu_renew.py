# SPDX-License-Identifier: BSD-3-Clause
"""Bindings that are there already and are renewed, many at a time: a kernel of bu.py.

KAME counterpart: mip6_process_bu and mip6_bc_put, on the columns of the binding cache. Written with
ldst.py, so the kernel is its own twin. draft-ietf-mobileip-ipv6-15 s.8.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kame_py.fast.bu_kernels import copy_addr
from kame_py.fast.bu_layout import (
    H_COA,
    H_DST,
    H_HOA,
    H_SIZE,
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
    V_AFTER,
    V_BEFORE,
    V_COA,
    V_DUE,
    V_EXPIRE,
    V_FLAGS,
    V_HOA,
    V_LIFE,
    V_LOW,
    V_OWN,
    V_PLEN,
    V_REG,
    V_SEQNO,
    V_ST,
)
from kame_py.fast.ldst import (
    base,
    inlined,
    kernel,
    ld8,
    ld32,
    ld64,
    put_word,
    st8,
    st32,
    st64,
    word,
)
from kame_py.fast.sas import BAD, GOOD
from kame_py.kern.clock import NS
from kame_py.mip6.mip6_bc import MIP6_BC_BR_FRACTION
from kame_py.mip6.mip6_bcache import BC_CODE, BLOCK_SHIFT, CACHE
from kame_py.mip6.mip6_state import BcSt
from kame_py.mip6.mip6_var import MIP6_MAX_FINITE
from kame_py.wire.const import IP6_MIP6_BU_ACK, IP6_MIP6_BU_HOME
from kame_py.wire.mip6 import ADDR_LEN

if TYPE_CHECKING:
    from kame_py.fast.batch import I64, U8
    from kame_py.fast.ldst import Base

    Columns = tuple[Base, ...]  # of the binding cache, by V_ numbers

BOUND: Final = BC_CODE[BcSt.BOUND]
_WORD: Final = 8
_HALF: Final = 4
_NONE: Final = -1


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


@inlined
def is_own(names: Base, at: int, mine: Base, octets: int) -> bool:
    """Whether a home address is one of this node's."""
    for own in range(0, octets, ADDR_LEN):  # noqa: SIM110 - numba has no generators in any()
        if same_addr(mine, own, names, at):
            return True
    return False


@inlined
def allowed(ours: Base, u: int, known: Base, verdict: int, now: int, conf: Base) -> int:
    """R_RENEWED: the code is right; R_BAD: it is wrong, which nobody is told; _NONE: neither."""
    p = word(ours, u + U_SA) * P_SIZE
    if p < 0 or word(ours, u + U_FLAGS) & IP6_MIP6_BU_HOME or word(known, p + P_OPEN) == 0:
        return _NONE
    if verdict == BAD:
        return R_BAD if now < word(conf, N_QUIET) else _NONE
    return R_RENEWED if verdict == GOOD else _NONE


@inlined
def holds(cache: Columns, row: int, names: Base, h: int, conf: Base) -> bool:
    """Whether a row of the cache is the binding of an update's addresses, which is not at home."""
    if row == 0 or ld8(cache[V_ST], row) == 0 or ld32(cache[V_REG], row * _HALF) != 0:
        return False
    if ld32(cache[V_OWN], row * _HALF) != word(conf, N_OWN):
        return False
    if ld64(names, h + H_DST) != word(conf, N_OWN + 1):
        return False
    if ld64(names, h + H_DST + _WORD) != word(conf, N_OWN + 2):
        return False
    if same_addr(names, h + H_COA, names, h + H_HOA):
        return False
    return same_addr(cache[V_HOA], row * ADDR_LEN, names, h + H_HOA)


@inlined
def not_newer(cache: Columns, row: int, seqno: int, mask: int) -> int:
    """The number that a binding has, if that of an update is not newer; or -1."""
    was = ld8(cache[V_SEQNO], 2 * row) | ld8(cache[V_SEQNO], 2 * row + 1) << 8
    ahead = seqno - was & mask
    return was if ahead == 0 or ahead > mask >> 1 else _NONE


@inlined
def put_due(cache: Columns, row: int, second: int) -> None:
    """When something happens to a binding; the least such second of each block is known."""
    block = row >> BLOCK_SHIFT
    st32(cache[V_DUE], row * _HALF, second)
    if second < ld32(cache[V_LOW], block * _HALF):
        st32(cache[V_LOW], block * _HALF, second)


@inlined
def put(cache: Columns, row: int, ours: Base, u: int, now: int, conf: Base) -> int:
    """R_RENEWED: all but the care-of address is in the row; _NONE: a timer would have to be set."""
    limit, life, seqno = word(conf, N_LIMIT), word(ours, u + U_LIFE), word(ours, u + U_SEQNO)
    life = limit if 0 < limit < life else life
    over = now + (MIP6_MAX_FINITE if life > MIP6_MAX_FINITE else life) * NS
    second = next_second(over, life)
    if second < word(conf, N_NEXT):
        return _NONE
    touch(cache[V_BEFORE], cache[V_AFTER], row)
    st8(cache[V_FLAGS], row, word(ours, u + U_FLAGS))
    st8(cache[V_SEQNO], 2 * row, seqno)
    st8(cache[V_SEQNO], 2 * row + 1, seqno >> 8)
    st8(cache[V_PLEN], row, 0)
    st32(cache[V_LIFE], row * _HALF, life)
    st8(cache[V_ST], row, BOUND)
    st64(cache[V_EXPIRE], row * _WORD, over)
    put_due(cache, row, second)
    return R_RENEWED


@inlined
def renewed(
    cache: Columns, row: int, ours: Base, u: int, now: int, conf: Base, answers: bool
) -> int:
    """Take an update of the binding in a row: R_RENEWED, R_OLD; _NONE: nothing was done.

    answers: an acknowledgement can be sent.
    """
    was = not_newer(cache, row, word(ours, u + U_SEQNO), word(conf, N_MASK))
    if not answers and (was != _NONE or word(ours, u + U_FLAGS) & IP6_MIP6_BU_ACK):
        return _NONE
    if word(ours, u + U_LIFE) == 0:
        return _NONE
    return put(cache, row, ours, u, now, conf) if was == _NONE else R_OLD | was << R_SEQNO


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

    The columns of the binding cache are octets here. hops: by update, what an acknowledgement
    leaves by, or -1. mine: own addresses. results: by update.
    """
    ours, names, says, times = base(updates), base(addrs), base(verdicts), base(stamps)
    known, ways, conf = base(peers), base(hops), base(run)
    out, own_addrs = base(results), base(mine)
    cache = (
        *(base(hoa), base(coa), base(flags), base(seqno), base(prefixlen), base(st), base(own)),
        *(base(reg), base(lifetime), base(expire), base(before), base(after), base(due), base(low)),
    )
    for k in range(first, end):
        u, h = k * U_SIZE, k * H_SIZE
        now = word(times, word(ours, u + U_WHO)) - word(conf, N_EPOCH)
        result = allowed(ours, u, known, ld8(says, k), now, conf)
        if result == R_RENEWED:
            p = word(ours, u + U_SA) * P_SIZE
            row, answers = word(known, p + P_ROW), min(word(known, p + P_OUT), word(ways, k)) >= 0
            if not holds(cache, row, names, h, conf):
                return k
            if is_own(names, h + H_HOA, own_addrs, mine.shape[0]):
                return k
            result = renewed(cache, row, ours, u, now, conf, answers)
            if result == R_RENEWED:
                copy_addr(cache[V_COA], row * ADDR_LEN, names, h + H_COA)
        if result == _NONE:
            return k
        put_word(out, k, result)
    return end
