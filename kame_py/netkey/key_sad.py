# SPDX-License-Identifier: BSD-3-Clause
"""The database of security associations: look-ups, states, lifetimes.

KAME netkey/key.c (key_allocsa, key_sa_chgstate, key_sa_recordxfer, key_timehandler). Deviates:
callouts instead of a sweep of all; an association of the preferred order never deletes another;
limits by allocations and time since first use are kept, too; one that was never used reaches its
soft limit like others. Read first: RFC 2401 s.4.4.3, RFC 2367 s.2.3.2.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

from kame_py.kern.clock import NS, tick_ceil
from kame_py.netkey.key_notify import key_expire
from kame_py.netkey.key_sastate import SA_TABLE, SaAct, SaEv
from kame_py.netkey.keydb import Secasindex, Secasvar, Seclifetime
from kame_py.wire.pfkeyv2 import (
    IPSEC_MODE_ANY,
    SADB_SASTATE_DYING,
    SADB_SASTATE_LARVAL,
    SADB_SASTATE_MATURE,
)

if TYPE_CHECKING:
    from kame_py.kern.kernel import Kernel

_VALID: Final = (SADB_SASTATE_MATURE, SADB_SASTATE_DYING)
#: saorder_state_valid_prefer_old and _prefer_new
_PREFER_OLD: Final = (SADB_SASTATE_DYING, SADB_SASTATE_MATURE)
_PREFER_NEW: Final = (SADB_SASTATE_MATURE, SADB_SASTATE_DYING)
_DUMP_ORDER: Final = (SADB_SASTATE_MATURE, SADB_SASTATE_DYING, SADB_SASTATE_LARVAL)


# -- look-ups ----------------------------------------------------------------------------------


def key_allocsa(
    kern: Kernel, proto: int, dst: bytes, spi: int, src: bytes | None = None
) -> Secasvar | None:
    """The association that a received packet names; with ``src`` only one of that source."""
    savs: Sequence[Secasvar] | None = kern.key.sad.get((proto, dst, spi))
    if savs is None:
        return None
    for sav in savs:
        if (src is None or sav.saidx.src == src) and sav.state in _VALID:
            return sav
    return None


def key_allocsa_policy(kern: Kernel, saidx: Secasindex) -> Secasvar | None:
    """The association for packets of a policy."""
    return key_allocsa_between(kern, *saidx)


def key_allocsa_between(
    kern: Kernel, proto: int, mode: int, reqid: int, src: bytes, dst: bytes
) -> Secasvar | None:
    """The same, by mode and request id (CMP_MODE_REQID).

    A request id other than 0 must be the same. Of several indices the newest with a usable
    association counts; in it dying ones come first, then the oldest (net.key.prefered_oldsa 0:
    the other way round).
    """
    key = kern.key
    for head in reversed(key.heads.get((proto, src, dst), ())):
        if reqid not in (0, head.reqid) or head.mode not in (IPSEC_MODE_ANY, mode):
            continue
        savs = key.by_index[head]
        if len(savs) == 1 and savs[0].state in _VALID:
            return savs[0]  # the common case, whatever the order
        sav = _preferred(savs, bool(key.key_preferred_oldsa))
        if sav is not None:
            return sav
    return None


def _preferred(savs: list[Secasvar], old: bool) -> Secasvar | None:
    for state in _PREFER_OLD if old else _PREFER_NEW:
        for sav in savs if old else reversed(savs):
            if sav.state == state:
                return sav
    return None


def key_getsavbyspi(kern: Kernel, proto: int, src: bytes, dst: bytes, spi: int) -> Secasvar | None:
    """The association between two addresses, whatever its state."""
    savs: Sequence[Secasvar] = kern.key.sad.get((proto, dst, spi), ())
    return next((sav for sav in savs if sav.saidx.src == src), None)


def key_savs(kern: Kernel, proto: int | None) -> Iterator[Secasvar]:
    """All associations of a protocol, or all, in the order of KAME's dumps: newest index first."""
    key = kern.key
    for head in reversed(key.by_index):
        if proto in (None, head.proto):
            savs = key.by_index[head]
            yield from (sav for state in _DUMP_ORDER for sav in savs if sav.state == state)


# -- coming and going --------------------------------------------------------------------------


def key_insertsav(kern: Kernel, sav: Secasvar) -> None:
    """Put a new association into the database; its time starts to count."""
    key, idx = kern.key, sav.saidx
    key.changed()
    sav.created_ns = kern.now()
    sav.created = sav.lft_c.addtime = kern.clock.realtime() // NS
    key.sad.setdefault((idx.proto, idx.dst, sav.spi), []).append(sav)
    if idx not in key.by_index:
        key.by_index[idx] = []
        key.heads.setdefault((idx.proto, idx.src, idx.dst), []).append(idx)
    key.by_index[idx].append(sav)


def key_replacesav(kern: Kernel, was: Secasvar, new: Secasvar) -> None:
    """The keys of a larval association have come: ``new`` is the whole of it, larval still."""
    _unlink(kern, was)
    key_insertsav(kern, new)
    key_sa_chgstate(kern, SaEv.COMPLETE, new)


def key_sa_chgstate(kern: Kernel, ev: SaEv, *savs: Secasvar) -> None:
    """The same happens to associations; those who wait for keys are called once."""
    kern.key.changed()
    done = SaAct.NONE
    for sav in savs:
        act, sav.state = SA_TABLE[sav.state, ev]
        done |= act
        if SaAct.SCHEDULE in act:
            _schedule(kern, sav)
        if SaAct.REMOVE in act:
            _unlink(kern, sav)
    if SaAct.TELL in done:
        for fn in tuple(kern.key.on_change):
            fn()
    if SaAct.EXPIRE in done:
        for sav in savs:
            key_expire(kern, sav)


def _unlink(kern: Kernel, sav: Secasvar) -> None:
    """Take an association out of the database."""
    key, idx = kern.key, sav.saidx
    key.changed()
    if sav.callout is not None:
        sav.callout.stop()
    same = key.sad[(idx.proto, idx.dst, sav.spi)]
    same.remove(sav)
    if not same:
        del key.sad[(idx.proto, idx.dst, sav.spi)]
    key.by_index[idx].remove(sav)
    if not key.by_index[idx]:
        del key.by_index[idx]
        pair = (idx.proto, idx.src, idx.dst)
        key.heads[pair].remove(idx)
        if not key.heads[pair]:
            del key.heads[pair]


# -- lifetimes ---------------------------------------------------------------------------------


def key_sa_recordxfer(kern: Kernel, sav: Secasvar, octets: int) -> None:
    """A packet used the association; it may reach a limit by that."""
    cur = sav.lft_c
    cur.allocations += 1
    cur.bytes += octets
    cur.usetime = kern.clock.realtime() // NS
    if sav.state not in _VALID:
        return  # deleted while the packet was under way
    if sav.used_ns is None:
        sav.used_ns = kern.now()
        if sav.lft_s.usetime or sav.lft_h.usetime:
            _schedule(kern, sav)
    if sav.limited:
        _check_limits(kern, sav)


def _check_limits(kern: Kernel, sav: Secasvar) -> None:
    if _spent(sav.lft_h, sav.lft_c):
        key_sa_chgstate(kern, SaEv.HARD, sav)
    elif sav.state == SADB_SASTATE_MATURE and _spent(sav.lft_s, sav.lft_c):
        key_sa_chgstate(kern, SaEv.SOFT, sav)


def _spent(lft: Seclifetime, cur: Seclifetime) -> bool:
    """Whether as much was done as a limit allows."""
    return bool(
        (lft.bytes and cur.bytes >= lft.bytes)
        or (lft.allocations and cur.allocations >= lft.allocations)
    )


def _deadline(sav: Secasvar, lft: Seclifetime) -> int | None:
    """When a limit by time is reached, ns."""
    ends = []
    if lft.addtime:
        ends.append(sav.created_ns + lft.addtime * NS)
    if lft.usetime and sav.used_ns is not None:
        ends.append(sav.used_ns + lft.usetime * NS)
    return tick_ceil(min(ends)) if ends else None


def _schedule(kern: Kernel, sav: Secasvar) -> None:
    """Set the callout for the next change of state."""
    if sav.callout is not None:
        sav.callout.stop()
    if sav.state == SADB_SASTATE_LARVAL:
        larval_ns = kern.key.key_larval_lifetime * NS
        end: int | None = tick_ceil(sav.created_ns + larval_ns)
    else:
        ends = [_deadline(sav, sav.lft_h)]
        if sav.state == SADB_SASTATE_MATURE:
            ends.append(_deadline(sav, sav.lft_s))
        end = min((e for e in ends if e is not None), default=None)
    sav.callout = None if end is None else kern.callouts.at(end, _timehandler, kern, sav)


def _timehandler(kern: Kernel, sav: Secasvar) -> None:
    """A limit by time is reached."""
    hard = _deadline(sav, sav.lft_h)
    over = sav.state == SADB_SASTATE_LARVAL or (hard is not None and hard <= kern.now())
    key_sa_chgstate(kern, SaEv.HARD if over else SaEv.SOFT, sav)
