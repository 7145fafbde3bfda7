# SPDX-License-Identifier: BSD-3-Clause
"""The binding cache: find, add, remove, time out.

Corresponds to mip6_bc_create, mip6_bc_list_* and mip6_bc_timeout of KAME mip6_binding.c. Deviates:
one cache for each own address, home registrations apart (draft-15 s.4.6); a limit of entries, the
least recently used goes first; KAME looked at every entry once in a second, here one timer is set
to the next second in which something happens, at KAME's tick. Rows are those of mip6_bcache.py.
draft-ietf-mobileip-ipv6-15 s.8.3-8.9.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kame_py.kern.clock import NS
from kame_py.kern.log import LOG_INFO
from kame_py.kern.mbuf import trace
from kame_py.mip6 import mip6_hareg
from kame_py.mip6.mip6_bcache import ADDR_LEN, ADDR_SHIFT, BC_CODE, BC_STATES, CACHE, HR_CODE, NEVER
from kame_py.mip6.mip6_bcview import Mip6Bc, Mip6Hr
from kame_py.mip6.mip6_state import BC_TABLE, BcAct, BcEv, BcSt, HrSt
from kame_py.mip6.mip6_var import (
    MIP6_BC_STATE_BR_WAITSENT,
    MIP6_BC_STATE_DAD_WAIT,
    MIP6_MAX_FINITE,
    mip6_state,
    mip6log,
)
from kame_py.netinet6.scope6 import addr_text
from kame_py.wire.const import IP6_MIP6_BU_HOME

if TYPE_CHECKING:
    from kame_py.kern.kernel import Kernel
    from kame_py.kern.mbuf import Mbuf
    from kame_py.mip6.mip6_bcache import Bcache
    from kame_py.mip6.mip6_var import BuRequest, Mip6State

_UPDATE: Final = BcEv.UPDATE
_RENEW: Final[BcAct] = BcAct.ARM
_BOUND: Final = BC_CODE[BcSt.BOUND]
_BRSENT: Final = BC_CODE[BcSt.BRSENT]
_SERVED: Final = HR_CODE[HrSt.SERVED]
MIP6_BC_BR_FRACTION: Final = 4  # a binding request is wanted in the last quarter


def mip6_bc_find(cache: Bcache, req: BuRequest) -> int:
    """The entry that an update is about; 0 none.

    A home registration stands by its home address; towards another address of this node the mobile
    node may have an ordinary binding beside it.
    """
    if cache.homes:
        row = cache.find_home(req.hoa)
        if row and (req.bu.flags & IP6_MIP6_BU_HOME or cache.get_addr(row) == req.addr):
            return row
    return cache.find(req.addr, req.hoa)


def mip6_bc_lookup(kern: Kernel, src: bytes, dst: bytes) -> Mip6Bc | None:
    """The binding by which packets from ``src`` here reach ``dst``; None: by plain routing.

    A home registration serves every source, once duplicate detection is over.
    """
    cache = mip6_state(kern).bcache
    row = cache.find_home(dst) if cache.homes else 0
    if row and cache.hr_st[cache.reg[row]] != _SERVED:
        row = 0
    if not row:
        row = cache.find(src, dst)
        if not row:
            return None
    return None if cache.expire[row] <= kern.clock.now() else Mip6Bc(cache, row)


def mip6_bc_trace(kern: Kernel, m: Mbuf, stage: str, bc: Mip6Bc) -> None:
    """Note the binding that the packet goes by."""
    left_s = (bc.mbc_expire - kern.clock.now()) / NS
    at = f"{addr_text(kern, bc.mbc_phaddr)} at {addr_text(kern, bc.mbc_pcoa)}"
    trace(m, f"{stage} {at} for {left_s:g} s")


def mip6_bc_used(kern: Kernel, bc: Mip6Bc) -> bool:
    """A packet made here goes by this binding. True: it shall carry a binding request."""
    if not bc.cache.reg[bc.row]:
        bc.cache.touch(bc.row)
    return bool(mip6_bc_event(kern, bc.row, BcEv.OUTPUT) & BcAct.REQUEST)


def mip6_bc_put(
    kern: Kernel,
    addr: bytes,
    hoa: bytes,
    coa: bytes,
    flags: int,
    seqno: int,
    prefixlen: int,
    lifetime_s: int,
) -> int:
    """Make or change the entry of a correspondent; its row is returned."""
    state = mip6_state(kern)
    cache = state.bcache
    row = cache.find(addr, hoa)
    if row:
        cache.touch(row)
    else:
        row = mip6_bc_room(kern, state, addr, hoa)
    mip6_bc_set(kern, cache, row, hoa, coa, flags, seqno, prefixlen, lifetime_s)
    return row


def mip6_bc_room(kern: Kernel, state: Mip6State, addr: bytes, hoa: bytes) -> int:
    """A row for a new correspondent; the oldest ones give way when the cache is full."""
    cache = state.bcache
    while cache.correspondents >= state.bc_maxentries:  # at least 1
        mip6_bc_event(kern, cache.after[CACHE], BcEv.REMOVE)
    return cache.new(addr, hoa)


def mip6_bc_set(
    kern: Kernel,
    cache: Bcache,
    row: int,
    hoa: bytes,
    coa: bytes,
    flags: int,
    seqno: int,
    prefixlen: int,
    lifetime_s: int,
) -> None:
    """Take over what an accepted update says; the lifetime starts anew."""
    first = row << ADDR_SHIFT
    cache.coa[first : first + ADDR_LEN] = coa
    cache.flags[row] = flags
    cache.seqno[row] = seqno
    cache.prefixlen[row] = prefixlen
    cache.lifetime[row] = lifetime_s
    if cache.unreach:
        cache.unreach.pop(row, None)
    kern.changes.note(hoa)
    states = cache.st
    act, st = BC_TABLE[BC_STATES[states[row]], _UPDATE]
    states[row] = BC_CODE[st]
    if act is _RENEW:  # every update of a binding comes here; tests of flags cost
        _arm(kern, cache, row)
    else:
        _do(kern, cache, row, act)


def mip6_bc_remove(kern: Kernel, row: int) -> None:
    """The entry goes, because somebody says so."""
    mip6_bc_event(kern, row, BcEv.REMOVE)


def mip6_bc_event(kern: Kernel, row: int, ev: BcEv) -> BcAct:
    """Look the event up and do what the table says; the actions, for those who need to know."""
    cache = mip6_state(kern).bcache
    states = cache.st
    act, st = BC_TABLE[BC_STATES[states[row]], ev]
    states[row] = BC_CODE[st]
    _do(kern, cache, row, act)
    return act


def _do(kern: Kernel, cache: Bcache, row: int, act: BcAct) -> None:
    if BcAct.INSERT in act:
        _insert(kern, cache, row)
    if BcAct.ARM in act:
        _arm(kern, cache, row)
    if BcAct.SECOND in act:
        _wait(kern, cache, row)
    if BcAct.DELETE in act:
        _delete(kern, cache, row)


def _insert(kern: Kernel, cache: Bcache, row: int) -> None:
    if not cache.homes and not cache.correspondents:
        mip6log(kern, LOG_INFO, "BC timer started.")
    cache.link(row)


def _delete(kern: Kernel, cache: Bcache, row: int) -> None:
    kern.changes.note(cache.get_hoa(row))
    cache.unlink(row)
    if not cache.homes and not cache.correspondents:
        mip6log(kern, LOG_INFO, "BC timer stopped.")
        if cache.timer is not None:
            cache.timer.stop()
        cache.timer, cache.next_s = None, NEVER


# -- lifetimes ------------------------------------------------------------------------------------


def _arm(kern: Kernel, cache: Bcache, row: int) -> None:
    """The lifetime begins now: at first its last quarter is waited for."""
    lifetime_s = cache.lifetime[row]
    quarter_s = lifetime_s // MIP6_BC_BR_FRACTION
    if lifetime_s > MIP6_MAX_FINITE:
        lifetime_s = MIP6_MAX_FINITE
    now = kern.clock.now()
    cache.expire[row] = now + lifetime_s * NS
    second = lifetime_s + (now // NS + 1 - quarter_s if quarter_s else -(-now // NS))
    if cache.wait(row, second):
        _set_timer(kern, cache, second)


def _wait(kern: Kernel, cache: Bcache, row: int) -> None:
    """The next second in which something happens to the entry as it is now."""
    expire, st = cache.expire[row], cache.st[row]
    second = -(-expire // NS)
    if st == _BRSENT:
        second = min(second, kern.clock.now() // NS + 1)
    elif st == _BOUND and (quarter_s := cache.lifetime[row] // MIP6_BC_BR_FRACTION):
        second = -(-(expire - quarter_s * NS + 1) // NS)
    if cache.wait(row, second):
        _set_timer(kern, cache, second)


def _set_timer(kern: Kernel, cache: Bcache, second: int) -> None:
    if cache.timer is not None:
        cache.timer.stop()
    cache.next_s = second
    cache.timer = kern.callouts.at(second * NS, mip6_bc_sweep, kern)


def mip6_bc_sweep(kern: Kernel) -> None:
    """What this second brings to the entries, in order of the ends of their lifetimes.

    An update may have put off what the timer was set for: then nothing is due.
    """
    cache = mip6_state(kern).bcache
    now_s = kern.clock.now() // NS
    cache.timer, cache.next_s = None, NEVER
    rows, later = cache.sweep(cache.due, cache.low, now_s)
    for row in sorted(rows, key=cache.expire.__getitem__):
        if cache.due[row] <= now_s:  # else it went along with another one
            mip6_bc_due(kern, cache, row)
    if later < cache.next_s:
        _set_timer(kern, cache, later)


def mip6_bc_due(kern: Kernel, cache: Bcache, row: int) -> None:
    """The second that the entry waited for is there."""
    if kern.clock.now() >= cache.expire[row]:
        mip6_bc_timeout(kern, cache, row)
        return
    ev = BcEv.QUARTER if cache.st[row] == _BOUND else BcEv.TICK
    if ev is BcEv.QUARTER and not cache.reg[row]:
        kern.changes.note(cache.get_hoa(row))  # what goes by it asks for another update
    mip6_bc_event(kern, row, ev)
    _wait(kern, cache, row)


def mip6_bc_timeout(kern: Kernel, cache: Bcache, row: int) -> None:
    """The lifetime is over; a home registration ends as a whole."""
    reg = cache.reg[row]
    if reg:
        mip6_hareg.mip6_hr_expire(kern, Mip6Hr(cache, reg))
    else:
        mip6_bc_event(kern, row, BcEv.EXPIRE)


def mip6_bc_state_bits(bc: Mip6Bc) -> int:
    """MIP6_BC_STATE_* as mip6control shows them."""
    bits = MIP6_BC_STATE_BR_WAITSENT if bc.mbc_st is BcSt.BRWANTED else 0
    hr = bc.mbc_hr
    if hr is not None and hr.hr_st is HrSt.DADWAIT:
        bits |= MIP6_BC_STATE_DAD_WAIT
    return bits
