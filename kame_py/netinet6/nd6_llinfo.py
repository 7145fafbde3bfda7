# SPDX-License-Identifier: BSD-3-Clause
"""The life of one neighbour cache entry as a table.

What KAME spreads over nd6.c (nd6_output, nd6_timer, nd6_cache_lladdr) and nd6_nbr.c
(nd6_na_input). Deviates: solicitations go out exactly one retransmission time apart. RFC 2461
s.7.2, s.7.3 and appendix C; RFC 4861 s.7.2.5.
"""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, Final

from kame_py.kern.clock import MS, NS, tick_ceil
from kame_py.kern.drop import D, drop
from kame_py.kern.mbuf import Fate, Mbuf, settle
from kame_py.net.route import RTM_DELETE, LinkAddr, rt_changed, rtrequest
from kame_py.netinet6 import icmp6_error, nd6_nbr, nd6_rtr
from kame_py.netinet6.nd6_var import (
    MAX_RANDOM_FACTOR,
    MIN_RANDOM_FACTOR,
    ND6_IFF_PERFORMNUD,
    ND6_LLINFO_DELAY,
    ND6_LLINFO_INCOMPLETE,
    ND6_LLINFO_NOSTATE,
    ND6_LLINFO_PROBE,
    ND6_LLINFO_REACHABLE,
    ND6_LLINFO_STALE,
    ND6_LLINFO_WAITDELETE,
    ND6_RECALC_REACHTM_S,
    LlinfoNd6,
)
from kame_py.wire.const import ICMP6_DST_UNREACH, ICMP6_DST_UNREACH_ADDR

if TYPE_CHECKING:
    from kame_py.kern.kernel import Kernel
    from kame_py.net.if_ import Ifnet

NOSTATE: Final = ND6_LLINFO_NOSTATE
WAITDELETE: Final = ND6_LLINFO_WAITDELETE
INCOMPLETE: Final = ND6_LLINFO_INCOMPLETE
REACHABLE: Final = ND6_LLINFO_REACHABLE
STALE: Final = ND6_LLINFO_STALE
DELAY: Final = ND6_LLINFO_DELAY
PROBE: Final = ND6_LLINFO_PROBE

STATE_NAMES: Final[dict[int, str]] = {
    NOSTATE: "NOSTATE",
    WAITDELETE: "WAITDELETE",
    INCOMPLETE: "INCOMPLETE",
    REACHABLE: "REACHABLE",
    STALE: "STALE",
    DELAY: "DELAY",
    PROBE: "PROBE",
}


class Ev(enum.Enum):
    """What happens to an entry; the value is the sentence for documents."""

    OUTPUT = "a packet is to be sent"
    TIMER = "its time is up"
    GIVEUP = "its time is up and all solicitations are spent"
    NONUD = "its time is up and the interface does no unreachability detection"
    LL_NEW = "NS, RS, RA or redirect brings another link-layer address"
    LL_SAME = "NS, RS, RA or redirect confirms the link-layer address"
    NA_S = "solicited NA, same or no link-layer address"
    NA_U = "unsolicited NA, same or no link-layer address"
    NA_S_DIFF = "solicited NA without override, another link-layer address"
    NA_U_DIFF = "unsolicited NA without override, another link-layer address"
    NA_SO_DIFF = "solicited NA with override, another link-layer address"
    NA_UO_DIFF = "unsolicited NA with override, another link-layer address"
    HINT = "an upper layer makes progress"
    PROBE_NOW = "movement detection wants proof"


class Act(enum.Flag):
    """What is done, in this order."""

    NONE = 0
    RECORD = enum.auto()  # keep the link-layer address
    HOLD = enum.auto()  # keep the packet, in place of the one before
    SEND = enum.auto()  # the packet goes out
    DISCARD = enum.auto()  # the packet ends here
    RESET = enum.auto()  # the count of solicitations starts again
    SOLICIT = enum.auto()  # multicast solicitation
    PROBE = enum.auto()  # unicast solicitation
    ARM = enum.auto()  # start the time of the new state
    NOW = enum.auto()  # the new state ends with the next sweep
    FLUSH = enum.auto()  # the held packet is sent
    UNREACH = enum.auto()  # Address Unreachable for the held packet
    FREE = enum.auto()  # the entry goes


Row = tuple[Act, int]
_RENEW: Final = Act.RESET | Act.ARM
_LEARN: Final = Act.RECORD | Act.RESET | Act.ARM
_SOLVE: Final = _LEARN | Act.FLUSH


def _known(state: int, own: dict[Ev, Row]) -> dict[tuple[int, Ev], Row]:
    """Rows of a state in which the link-layer address is known; ``own`` has what differs."""
    same: Row = (Act.NONE, state)
    rows: dict[Ev, Row] = {
        Ev.OUTPUT: (Act.SEND, state),
        Ev.TIMER: same,
        Ev.GIVEUP: same,
        Ev.NONUD: same,
        Ev.LL_NEW: (_LEARN, STALE),
        Ev.LL_SAME: same,
        Ev.NA_S: (_RENEW, REACHABLE),
        Ev.NA_U: same,
        Ev.NA_S_DIFF: same,
        Ev.NA_U_DIFF: same,
        Ev.NA_SO_DIFF: (_LEARN, REACHABLE),
        Ev.NA_UO_DIFF: (_LEARN, STALE),
        Ev.HINT: (_RENEW, REACHABLE),
        Ev.PROBE_NOW: same,
    }
    return {(state, ev): row for ev, row in (rows | own).items()}


def _unknown(state: int, own: dict[Ev, Row]) -> dict[tuple[int, Ev], Row]:
    """Rows of a state without link-layer address; what ``own`` lacks changes nothing."""
    return {(state, ev): own.get(ev, (Act.NONE, state)) for ev in Ev}


#: (state, event) -> (action, state): complete.
LLINFO_TABLE: Final[dict[tuple[int, Ev], Row]] = {
    **_unknown(
        NOSTATE,
        {
            Ev.OUTPUT: (Act.HOLD | Act.RESET | Act.SOLICIT | Act.ARM, INCOMPLETE),
            Ev.LL_NEW: (_LEARN, STALE),
        },
    ),
    **_unknown(WAITDELETE, {Ev.OUTPUT: (Act.DISCARD, WAITDELETE)}),
    **_unknown(
        INCOMPLETE,
        {
            Ev.OUTPUT: (Act.HOLD, INCOMPLETE),
            Ev.TIMER: (Act.SOLICIT | Act.ARM, INCOMPLETE),
            Ev.GIVEUP: (Act.UNREACH | Act.FREE, WAITDELETE),
            Ev.LL_NEW: (_SOLVE, STALE),
            Ev.NA_S_DIFF: (_SOLVE, REACHABLE),
            Ev.NA_SO_DIFF: (_SOLVE, REACHABLE),
            Ev.NA_U_DIFF: (_SOLVE, STALE),
            Ev.NA_UO_DIFF: (_SOLVE, STALE),
        },
    ),
    **_known(
        REACHABLE,
        {
            Ev.TIMER: (Act.ARM, STALE),
            Ev.NA_S_DIFF: (Act.ARM, STALE),
            Ev.NA_U_DIFF: (Act.ARM, STALE),
            Ev.PROBE_NOW: (Act.RESET | Act.NOW, DELAY),
        },
    ),
    **_known(
        STALE,
        {
            Ev.OUTPUT: (Act.SEND | Act.RESET | Act.ARM, DELAY),
            Ev.TIMER: (Act.FREE, WAITDELETE),
            Ev.PROBE_NOW: (Act.RESET | Act.NOW, DELAY),
        },
    ),
    **_known(
        DELAY,
        {
            Ev.TIMER: (Act.RESET | Act.PROBE | Act.ARM, PROBE),
            Ev.NONUD: (Act.ARM, STALE),
        },
    ),
    **_known(
        PROBE,
        {
            Ev.TIMER: (Act.PROBE | Act.ARM, PROBE),
            Ev.GIVEUP: (Act.FREE, WAITDELETE),
        },
    ),
}


def nd6_llinfo_event(
    kern: Kernel, ln: LlinfoNd6, ev: Ev, lladdr: bytes | None = None, m: Mbuf | None = None
) -> None:
    """Move the entry by the table. Takes ownership of ``m`` (OUTPUT only).

    Permanent entries (ndp -s, our own addresses, multicast) pass packets and do not learn.
    """
    if ln.ln_permanent and ev is not Ev.OUTPUT:
        return
    act, state = LLINFO_TABLE[ln.ln_state, ev]
    held = m
    if act & Act.RECORD and lladdr is not None:
        ln.ln_rt.rt_gateway = LinkAddr(ln.ln_rt.rt_ifp.if_index, lladdr)
        rt_changed(kern, ln.ln_rt)
    if act & Act.RESET:
        ln.ln_asked = 0
        ln.ln_byhint = 0
    nd6_llinfo_setstate(kern, ln, state)
    if act & Act.ARM:
        nd6_llinfo_settimer(kern, ln, _state_time(kern, ln))
    elif act & Act.NOW:
        nd6_llinfo_settimer(kern, ln, tick_ceil(kern.now() + 1, kern.nd6.nd6_prune * NS))
    if act & Act.HOLD and held is not None:
        _hold(kern, ln, held)
    elif act & Act.SEND and held is not None:
        _send(kern, ln, held)
    elif act & Act.DISCARD and held is not None:
        drop(kern, held, D.ND6_FLUSHED)
    if act & (Act.SOLICIT | Act.PROBE):
        _solicit(kern, ln, unicast=bool(act & Act.PROBE))
    if act & Act.FLUSH:
        _flush(kern, ln)
    if act & Act.UNREACH:
        _unreach(kern, ln)
    if act & Act.FREE:
        nd6_free(kern, ln)


def nd6_llinfo_setstate(kern: Kernel, ln: LlinfoNd6, state: int) -> None:
    """Enter a state and keep the books of unresolved and stale entries."""
    nd6 = kern.nd6
    if ln.ln_state == state:
        return
    unresolved = (NOSTATE, INCOMPLETE)
    nd6.incomplete += (state in unresolved) - (ln.ln_state in unresolved)
    if ln.ln_state == STALE:
        nd6.stale.pop(ln, None)
    if state == STALE:
        nd6.stale[ln] = None
    ln.ln_state = state


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


def nd6_free(kern: Kernel, ln: LlinfoNd6) -> None:
    """Remove the entry; a router that goes makes the host look for another (KAME nd6_free)."""
    rt = ln.ln_rt
    if ln not in kern.nd6.llinfo:
        return
    nd6_llinfo_setstate(kern, ln, WAITDELETE)
    if kern.rt.exact(rt.rt_key, rt.rt_plen) is rt:
        rtrequest(kern, RTM_DELETE, rt.rt_key, rt.rt_plen)
    nd6_rtr.router_unreachable(kern, rt.rt_key, rt.rt_ifp, ln.ln_router)
