# SPDX-License-Identifier: BSD-3-Clause
"""What happens to a neighbour cache entry: the interpreter of the table in nd6_state.py.

KAME nd6.c (nd6_output, nd6_timer). Deviates: solicitations go out exactly one retransmission time
apart. RFC 2461 s.7.2, s.7.3.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kame_py.kern.clock import MS, NS, tick_ceil
from kame_py.kern.drop import D, drop
from kame_py.kern.mbuf import Fate, Mbuf, settle
from kame_py.net.route import LinkAddr, rt_changed
from kame_py.netinet6 import icmp6_error, nd6, nd6_nbr
from kame_py.netinet6.nd6_state import (
    DELAY,
    INCOMPLETE,
    LLINFO_TABLE,
    NOSTATE,
    PROBE,
    REACHABLE,
    STALE,
    WAITDELETE,
    Act,
    Ev,
)
from kame_py.netinet6.nd6_var import (
    MAX_RANDOM_FACTOR,
    MIN_RANDOM_FACTOR,
    ND6_IFF_PERFORMNUD,
    ND6_RECALC_REACHTM_S,
    LlinfoNd6,
)
from kame_py.wire.const import ICMP6_DST_UNREACH, ICMP6_DST_UNREACH_ADDR

if TYPE_CHECKING:
    from kame_py.kern.kernel import Kernel
    from kame_py.net.if_ import Ifnet

#: The actions as plain integers: every packet to a neighbour asks for each of them.
_RECORD: Final[int] = Act.RECORD.value
_RESET: Final[int] = Act.RESET.value
_ARM: Final[int] = Act.ARM.value
_NOW: Final[int] = Act.NOW.value
_HOLD: Final[int] = Act.HOLD.value
_SEND: Final[int] = Act.SEND.value
_DISCARD: Final[int] = Act.DISCARD.value
_SOLICIT: Final[int] = Act.SOLICIT.value
_PROBE: Final[int] = Act.PROBE.value
_FLUSH: Final[int] = Act.FLUSH.value
_UNREACH: Final[int] = Act.UNREACH.value
_FREE: Final[int] = Act.FREE.value


def nd6_llinfo_event(
    kern: Kernel, ln: LlinfoNd6, ev: Ev, lladdr: bytes | None = None, m: Mbuf | None = None
) -> None:
    """Move the entry by the table. Takes ownership of ``m`` (OUTPUT only).

    Permanent entries (ndp -s, our own addresses, multicast) pass packets and do not learn.
    """
    if ln.ln_permanent and ev is not Ev.OUTPUT:
        return
    actions, state = LLINFO_TABLE[ln.ln_state, ev]
    act = actions.value
    held = m
    if act & _RECORD and lladdr is not None:
        ln.ln_rt.rt_gateway = LinkAddr(ln.ln_rt.rt_ifp.if_index, lladdr)
        rt_changed(kern, ln.ln_rt)
    if act & _RESET:
        ln.ln_asked = 0
        ln.ln_byhint = 0
    nd6_llinfo_setstate(kern, ln, state)
    if act & _ARM:
        nd6_llinfo_settimer(kern, ln, _state_time(kern, ln))
    elif act & _NOW:
        nd6_llinfo_settimer(kern, ln, tick_ceil(kern.now() + 1, kern.nd6.nd6_prune * NS))
    if act & _HOLD and held is not None:
        _hold(kern, ln, held)
    elif act & _SEND and held is not None:
        _send(kern, ln, held)
    elif act & _DISCARD and held is not None:
        drop(kern, held, D.ND6_FLUSHED)
    if act & (_SOLICIT | _PROBE):
        _solicit(kern, ln, unicast=bool(act & _PROBE))
    if act & _FLUSH:
        _flush(kern, ln)
    if act & _UNREACH:
        _unreach(kern, ln)
    if act & _FREE:
        nd6.nd6_free(kern, ln)


def nd6_llinfo_setstate(kern: Kernel, ln: LlinfoNd6, state: int) -> None:
    """Enter a state and keep the books of fresh, incomplete and stale entries."""
    nd6 = kern.nd6
    if ln.ln_state == state:
        return
    nd6.incomplete += (state == INCOMPLETE) - (ln.ln_state == INCOMPLETE)
    if ln.ln_state == NOSTATE:
        nd6.fresh.pop(ln, None)
    elif ln.ln_state == STALE:
        nd6.stale.pop(ln, None)
    if state == STALE:
        nd6.stale[ln] = None
    ln.ln_state = state
    kern.changes.note(ln.ln_rt.rt_key)


def _state_time(kern: Kernel, ln: LlinfoNd6) -> int:
    """When the present state ends, ns."""
    now = kern.now()
    nd6 = kern.nd6
    ndi = ln.ln_rt.rt_ifp.ndi
    sweep = nd6.nd6_prune * NS
    if ln.ln_state == REACHABLE:
        return tick_ceil(now + reachable_ms(kern, ln.ln_rt.rt_ifp) * MS, sweep)
    if ln.ln_state == STALE:
        return tick_ceil(now + nd6.nd6_gctimer * NS, sweep)
    if ln.ln_state == DELAY:
        return now + nd6.nd6_delay * NS
    return now + ndi.retrans_ms * MS


def reachable_ms(kern: Kernel, ifp: Ifnet) -> int:
    """ReachableTime of the interface, drawn anew every two hours (RFC 2461 s.6.3.4)."""
    ndi = ifp.ndi
    now = kern.now()
    if now >= ndi.recalc_ns:
        factor = kern.rng.stream("nd6.reachable").between(MIN_RANDOM_FACTOR, MAX_RANDOM_FACTOR)
        ndi.reachable_ms = max(1, ndi.basereachable_ms * factor >> 10)
        ndi.recalc_ns = now + ND6_RECALC_REACHTM_S * NS
    return ndi.reachable_ms


def nd6_llinfo_settimer(kern: Kernel, ln: LlinfoNd6, deadline: int) -> None:
    """The state ends at ``deadline``. A callout that is set for earlier stays and looks again."""
    ln.ln_expire = deadline
    timer = ln.ln_timer
    if timer is not None and timer.pending:
        if timer.deadline <= deadline:
            return
        timer.stop()
    ln.ln_timer = kern.callouts.at(deadline, _timer, kern, ln)


def _timer(kern: Kernel, ln: LlinfoNd6) -> None:
    """KAME's nd6_timer for one entry."""
    if ln.ln_state == WAITDELETE or ln.ln_permanent:
        return
    if kern.now() < ln.ln_expire:
        ln.ln_timer = kern.callouts.at(ln.ln_expire, _timer, kern, ln)
        return
    tries = {INCOMPLETE: kern.nd6.nd6_mmaxtries, PROBE: kern.nd6.nd6_umaxtries}.get(ln.ln_state)
    if tries is not None and ln.ln_asked >= tries:
        ev = Ev.GIVEUP
    elif ln.ln_state == DELAY and not ln.ln_rt.rt_ifp.ndi.flags & ND6_IFF_PERFORMNUD:
        ev = Ev.NONUD
    else:
        ev = Ev.TIMER
    nd6_llinfo_event(kern, ln, ev)


def _hold(kern: Kernel, ln: LlinfoNd6, m: Mbuf) -> None:
    """One packet waits, the newest (RFC 2461 s.7.2.2)."""
    old, ln.ln_hold = ln.ln_hold, m
    settle(kern, m, Fate.HELD)
    if old is not None:
        drop(kern, old, D.ND6_HOLDREPLACED)


def _send(kern: Kernel, ln: LlinfoNd6, m: Mbuf) -> None:
    rt = ln.ln_rt
    rt.rt_use += 1
    rt.rt_ifp.if_output(kern, rt.rt_ifp, m, rt.rt_key, rt)


def _flush(kern: Kernel, ln: LlinfoNd6) -> None:
    """Send what waited, as a packet to the now known neighbour."""
    m, ln.ln_hold = ln.ln_hold, None
    if m is not None:
        nd6_llinfo_event(kern, ln, Ev.OUTPUT, m=m)


def _solicit(kern: Kernel, ln: LlinfoNd6, *, unicast: bool) -> None:
    rt = ln.ln_rt
    ln.ln_asked += 1
    nd6_nbr.nd6_ns_output(kern, rt.rt_ifp, rt.rt_key if unicast else None, rt.rt_key, ln)


def _unreach(kern: Kernel, ln: LlinfoNd6) -> None:
    """Nobody answered: tell the sender of the held packet (RFC 2461 s.7.2.2)."""
    m, ln.ln_hold = ln.ln_hold, None
    if m is None:
        return
    if m.rcvif is None:
        m.rcvif = ln.ln_rt.rt_ifp
    icmp6_error.icmp6_error(kern, m, ICMP6_DST_UNREACH, ICMP6_DST_UNREACH_ADDR, 0)
    drop(kern, m, D.ND6_UNREACH)
