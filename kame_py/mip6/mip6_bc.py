# SPDX-License-Identifier: BSD-3-Clause
"""The binding cache: find, add, remove, time out.

Corresponds to mip6_bc_create, mip6_bc_list_* and mip6_bc_timeout of KAME mip6_binding.c. Deviates:
one cache for each own address, home registrations apart (draft-15 s.4.6); a limit of entries, the
least recently used goes first; deadlines at KAME's one-second tick instead of a sweep.
draft-ietf-mobileip-ipv6-15 s.8.3-8.9.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kame_py.kern.clock import NS, tick_ceil
from kame_py.kern.log import LOG_INFO
from kame_py.mip6 import mip6_hareg
from kame_py.mip6.mip6_state import BC_TABLE, BcAct, BcEv, BcSt, HrSt
from kame_py.mip6.mip6_var import (
    MIP6_BC_STATE_BR_WAITSENT,
    MIP6_BC_STATE_DAD_WAIT,
    MIP6_MAX_FINITE,
    Mip6Bc,
    mip6_state,
    mip6log,
)
from kame_py.wire.const import IP6_MIP6_BU_HOME

if TYPE_CHECKING:
    from kame_py.kern.callout import Callout
    from kame_py.kern.kernel import Kernel
    from kame_py.mip6.mip6_var import BuRequest

_RENEW: Final[BcAct] = BcAct.ARM
MIP6_BC_BR_FRACTION: Final = 4  # a binding request is wanted in the last quarter


def mip6_bc_expire(kern: Kernel, lifetime_s: int) -> int:
    """When a lifetime that begins now is over, ns."""
    return kern.clock.now() + min(lifetime_s, MIP6_MAX_FINITE) * NS


def mip6_bc_find(kern: Kernel, req: BuRequest) -> Mip6Bc | None:
    """The entry that an update is about.

    A home registration stands by its home address; towards another address of this node the mobile
    node may have an ordinary binding beside it.
    """
    state = mip6_state(kern)
    bc = state.mip6_hrbc_list.get(req.hoa)
    if bc is not None and (req.bu.flags & IP6_MIP6_BU_HOME or bc.mbc_addr == req.addr):
        return bc
    return state.mip6_bc_list.get((req.addr, req.hoa))


def mip6_bc_lookup(kern: Kernel, src: bytes, dst: bytes) -> Mip6Bc | None:
    """The binding by which packets from ``src`` here reach ``dst``; None: by plain routing.

    A home registration serves every source, once duplicate detection is over.
    """
    state = mip6_state(kern)
    bc = state.mip6_hrbc_list.get(dst)
    if bc is not None and (bc.mbc_hr is None or bc.mbc_hr.hr_st is not HrSt.SERVED):
        bc = None
    bc = bc or state.mip6_bc_list.get((src, dst))
    if bc is None or bc.mbc_expire <= kern.now():
        return None
    return bc


def mip6_bc_used(kern: Kernel, bc: Mip6Bc) -> bool:
    """A packet made here goes by this binding. True: it shall carry a binding request."""
    cache = mip6_state(kern).mip6_bc_list
    key = bc.mbc_addr, bc.mbc_phaddr
    if cache.pop(key, None) is not None:
        cache[key] = bc  # the most recently used one now
    return bool(mip6_bc_event(kern, bc, BcEv.OUTPUT) & BcAct.REQUEST)


def mip6_bc_update(kern: Kernel, req: BuRequest, lifetime_s: int) -> Mip6Bc:
    """Make or change the entry of a correspondent; the oldest one gives way when it is full."""
    state = mip6_state(kern)
    key = req.addr, req.hoa
    bc = state.mip6_bc_list.pop(key, None)
    if bc is None:
        while len(state.mip6_bc_list) >= state.bc_maxentries:  # at least 1
            mip6_bc_event(kern, next(iter(state.mip6_bc_list.values())), BcEv.REMOVE)
        bc = Mip6Bc(req.hoa, req.coa, req.addr, 0, 0, 0, 0)
    else:
        state.mip6_bc_list[key] = bc
    mip6_bc_set(kern, bc, req, lifetime_s)
    return bc


def mip6_bc_set(kern: Kernel, bc: Mip6Bc, req: BuRequest, lifetime_s: int) -> None:
    """Take over what an accepted update says; the lifetime starts anew."""
    bc.mbc_pcoa = req.coa
    bc.mbc_addr = req.addr
    bc.mbc_flags = req.bu.flags
    bc.mbc_seqno = req.bu.seqno
    bc.mbc_prefixlen = req.bu.prefixlen
    bc.mbc_lifetime = lifetime_s
    bc.mbc_unreach = 0
    kern.changes.note(bc.mbc_phaddr)
    mip6_bc_event(kern, bc, BcEv.UPDATE)


def mip6_bc_event(kern: Kernel, bc: Mip6Bc, ev: BcEv) -> BcAct:
    """Look the event up and do what the table says; the actions, for those who need to know."""
    act, bc.mbc_st = BC_TABLE[bc.mbc_st, ev]
    if act is _RENEW:  # every update of a binding comes here; tests of flags cost
        _arm(kern, bc)
        return act
    if BcAct.INSERT in act:
        _insert(kern, bc)
    if BcAct.ARM in act:
        _arm(kern, bc)
    if BcAct.SECOND in act:
        bc.mbc_br_timer = kern.callouts.at(_next_tick(kern), mip6_bc_event, kern, bc, BcEv.TICK)
    if BcAct.DELETE in act:
        _delete(kern, bc)
    return act


def _next_tick(kern: Kernel) -> int:
    return tick_ceil(kern.now() + 1)


def _insert(kern: Kernel, bc: Mip6Bc) -> None:
    state = mip6_state(kern)
    if not state.mip6_bc_list and not state.mip6_hrbc_list:
        mip6log(kern, LOG_INFO, "BC timer started.")
    kern.changes.note(bc.mbc_phaddr)
    if bc.mbc_hr is not None:
        state.mip6_hrbc_list[bc.mbc_phaddr] = bc
    else:
        state.mip6_bc_list[bc.mbc_addr, bc.mbc_phaddr] = bc


def _delete(kern: Kernel, bc: Mip6Bc) -> None:
    state = mip6_state(kern)
    kern.changes.note(bc.mbc_phaddr)
    _stop(bc)
    if bc.mbc_hr is not None:
        state.mip6_hrbc_list.pop(bc.mbc_phaddr, None)
    else:
        state.mip6_bc_list.pop((bc.mbc_addr, bc.mbc_phaddr), None)
    if not state.mip6_bc_list and not state.mip6_hrbc_list:
        mip6log(kern, LOG_INFO, "BC timer stopped.")


def _arm(kern: Kernel, bc: Mip6Bc) -> None:
    """The end of the lifetime and its last quarter, each at the tick (mip6_bc_timeout).

    A timer that is early is left alone: it sets itself anew. So most updates set none.
    """
    lifetime_s = bc.mbc_lifetime
    bc.mbc_expire = expire = mip6_bc_expire(kern, lifetime_s)
    quarter_s = lifetime_s // MIP6_BC_BR_FRACTION
    bc.mbc_quarter = tick_ceil(expire - quarter_s * NS + 1)
    end = tick_ceil(expire)
    timer = bc.mbc_br_timer
    if not quarter_s:
        _stop_timer(timer)
    elif timer is None or timer.fn is not _mip6_bc_quarter or timer.deadline > bc.mbc_quarter:
        _stop_timer(timer)
        bc.mbc_br_timer = kern.callouts.at(bc.mbc_quarter, _mip6_bc_quarter, kern, bc)
    timer = bc.mbc_timer
    if timer is None or timer.fn is None or timer.deadline > end:
        _stop_timer(timer)
        bc.mbc_timer = kern.callouts.at(end, _mip6_bc_timer, kern, bc)


def _stop_timer(timer: Callout | None) -> None:
    if timer is not None:
        timer.stop()


def _stop(bc: Mip6Bc) -> None:
    _stop_timer(bc.mbc_timer)
    _stop_timer(bc.mbc_br_timer)
    bc.mbc_timer = bc.mbc_br_timer = None


def _mip6_bc_quarter(kern: Kernel, bc: Mip6Bc) -> None:
    """A quarter of the lifetime is left, unless an update came meanwhile."""
    if kern.now() < bc.mbc_quarter:
        bc.mbc_br_timer = kern.callouts.at(bc.mbc_quarter, _mip6_bc_quarter, kern, bc)
    else:
        mip6_bc_event(kern, bc, BcEv.QUARTER)


def _mip6_bc_timer(kern: Kernel, bc: Mip6Bc) -> None:
    """The lifetime is over, unless an update came meanwhile."""
    if kern.now() < bc.mbc_expire:
        bc.mbc_timer = kern.callouts.at(tick_ceil(bc.mbc_expire), _mip6_bc_timer, kern, bc)
    else:
        mip6_bc_timeout(kern, bc)


def mip6_bc_timeout(kern: Kernel, bc: Mip6Bc) -> None:
    """The lifetime is over; a home registration ends as a whole."""
    if bc.mbc_hr is not None:
        mip6_hareg.mip6_hr_expire(kern, bc.mbc_hr)
    else:
        mip6_bc_event(kern, bc, BcEv.EXPIRE)


def mip6_bc_state_bits(bc: Mip6Bc) -> int:
    """MIP6_BC_STATE_* as mip6control shows them."""
    bits = MIP6_BC_STATE_BR_WAITSENT if bc.mbc_st is BcSt.BRWANTED else 0
    if bc.mbc_hr is not None and bc.mbc_hr.hr_st is HrSt.DADWAIT:
        bits |= MIP6_BC_STATE_DAD_WAIT
    return bits
