# SPDX-License-Identifier: BSD-3-Clause
"""Duplicate address detection (the nd6_dad_* half of KAME nd6_nbr.c).

Deviates: nothing. The mobility pseudo addresses that a home agent tests run through here as well,
by the hooks of kern/hooks.py. The states are in nd6_dad_state.py. RFC 2462 s.5.4.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kame_py.kern.clock import MS, NS
from kame_py.kern.log import LOG_DEBUG, LOG_ERR, LOG_INFO
from kame_py.netinet6 import in6, in6_tmpaddr, mld6, nd6_nbr
from kame_py.netinet6.in6_var import (
    IN6_IFF_ANYCAST,
    IN6_IFF_DUPLICATED,
    IN6_IFF_NOTREADY,
    IN6_IFF_TENTATIVE,
    In6Ifaddr,
)
from kame_py.netinet6.nd6_dad_state import DAD_TABLE, DadAct, DadEv, DadState
from kame_py.netinet6.nd6_var import Dadq
from kame_py.netinet6.scope6 import addr_text, in6_clearscope
from kame_py.wire.in6addr import IN6_IS_ADDR_LINKLOCAL, ntop

if TYPE_CHECKING:
    from kame_py.kern.kernel import Kernel

MAX_RTR_SOLICITATION_DELAY_NS: Final = NS  # RFC 2461 s.10, RFC 2462 s.5.4.2
DAD_MAXTRY: Final = 15  # KAME dad_maxtry: the interface never became ready


def nd6_dad_start(kern: Kernel, ia: In6Ifaddr, delay: bool = False) -> None:
    """Begin to test a tentative address; ``delay`` by a random time up to a second.

    Delays are for addresses whose interface just came up, so that hosts do not speak at once.
    """
    ifp = ia.ia_ifp
    if not ia.ia6_flags & IN6_IFF_TENTATIVE:
        text = addr_text(kern, ia.ia_addr)
        kern.log.log(
            LOG_DEBUG, f"nd6_dad_start: called with non-tentative address {text}({ifp.if_name})"
        )
        return
    if ia.ia6_flags & IN6_IFF_ANYCAST or not kern.ip6.ip6_dad_count:
        in6.in6_setflags(kern, ia, ia.ia6_flags & ~IN6_IFF_TENTATIVE)
        return
    if ifp.up and ia not in kern.nd6.dadq:
        _event(kern, ia, DadEv.START_LATER if delay else DadEv.START)


def nd6_dad_stop(kern: Kernel, ia: In6Ifaddr) -> None:
    """Give up testing; the address stays tentative."""
    _event(kern, ia, DadEv.STOP)


def dad_state(dp: Dadq | None) -> DadState:
    """Where the test of an address stands; None has no test."""
    if dp is None:
        return DadState.IDLE
    if dp.dad_ns_ocount == 0:
        return DadState.WAITING
    return DadState.CLASHED if dp.dad_ns_icount else DadState.PROBING


def _event(kern: Kernel, ia: In6Ifaddr, ev: DadEv) -> None:
    """Move the test of an address by the table; claims are counted on the way."""
    dp = kern.nd6.dadq.get(ia)
    act, _ = DAD_TABLE[dad_state(dp), ev]
    if dp is not None:
        dp.dad_ns_icount += ev is DadEv.NS
        dp.dad_na_icount += ev is DadEv.NA
    if act & DadAct.BEGIN:
        dp = kern.nd6.dadq[ia] = Dadq(ia, kern.ip6.ip6_dad_count)
    if act & DadAct.DELAY and dp is not None:
        wait = kern.rng.stream("nd6.dad").below(MAX_RTR_SOLICITATION_DELAY_NS)
        dp.dad_timer = kern.callouts.at(kern.now() + wait, nd6_dad_timer, kern, ia)
    if act & DadAct.SEND and dp is not None:
        _nd6_dad_send(kern, dp)
    if act & DadAct.END and dp is not None:
        del kern.nd6.dadq[ia]
        if dp.dad_timer is not None:
            dp.dad_timer.stop()
    if act & DadAct.SUCCESS:
        _nd6_dad_success(kern, ia)
    if act & DadAct.DUPLICATED:
        _nd6_dad_failure(kern, ia, dp)
    if act & DadAct.COMPLAIN:
        text = f"{ia.ia_ifp.if_name}: could not run DAD, driver problem?"
        kern.log.log(LOG_INFO, text)


def _nd6_dad_send(kern: Kernel, dp: Dadq) -> None:
    """One more solicitation, if the interface can send, and wait for answers."""
    ia = dp.dad_ia
    ifp = ia.ia_ifp
    dp.dad_ns_tcount += 1
    deadline = kern.now() + ifp.ndi.retrans_ms * MS
    dp.dad_timer = kern.callouts.at(deadline, nd6_dad_timer, kern, ia)
    if ifp.up:
        dp.dad_ns_ocount += 1
        nd6_nbr.nd6_ns_output(kern, ifp, None, ia.ia_addr, None, dad=True)


def nd6_dad_timer(kern: Kernel, ia: In6Ifaddr) -> None:
    """The delay or a retransmission time went by: solicit again, or decide."""
    dp = kern.nd6.dadq.get(ia)
    if dp is None:
        return
    if ia.ia6_flags & IN6_IFF_DUPLICATED or not ia.ia6_flags & IN6_IFF_TENTATIVE:
        _event(kern, ia, DadEv.STOP)
    elif dp.dad_ns_ocount >= dp.dad_count:
        _event(kern, ia, DadEv.LAST)
    else:
        _event(kern, ia, DadEv.GIVEUP if dp.dad_ns_tcount > DAD_MAXTRY else DadEv.TIMER)


def _nd6_dad_success(kern: Kernel, ia: In6Ifaddr) -> None:
    if kern.mip6.dad_success(kern, ia):
        return
    ifp = ia.ia_ifp
    ready = in6.in6ifa_ifpforlinklocal(ifp, IN6_IFF_NOTREADY) is not None
    in6.in6_setflags(kern, ia, ia.ia6_flags & ~IN6_IFF_TENTATIVE)
    in6_tmpaddr.in6_tmpaddr_ready(ia)
    if not ready and IN6_IS_ADDR_LINKLOCAL(ia.ia_addr):
        mld6.mld6_linklocal_ready(kern, ifp)
    if kern.nd6.nd6_debug:
        text = f"DAD complete for {addr_text(kern, ia.ia_addr)} - no duplicates found"
        kern.log.log(LOG_DEBUG, f"{ifp.if_name}: {text}")


def _nd6_dad_failure(kern: Kernel, ia: In6Ifaddr, dp: Dadq | None) -> None:
    """Somebody else has the address: it must not be used (KAME nd6_dad_duplicated)."""
    ns, na = (dp.dad_ns_icount, dp.dad_na_icount) if dp is not None else (0, 0)
    if kern.mip6.dad_duplicated(kern, ia):
        return
    ifname = ia.ia_ifp.if_name
    text = ntop(in6_clearscope(ia.ia_addr))
    log = kern.log.log
    log(LOG_ERR, f"{ifname}: DAD detected duplicate IPv6 address {text}: {ns} NS, {na} NA")
    flags = ia.ia6_flags & ~IN6_IFF_TENTATIVE | IN6_IFF_DUPLICATED
    in6.in6_setflags(kern, ia, flags)
    log(LOG_ERR, f"{ifname}: DAD complete for {text} - duplicate found")
    if not in6_tmpaddr.in6_tmpaddr_duplicated(kern, ia):
        log(LOG_ERR, f"{ifname}: manual intervention required")


def nd6_dad_ns_input(kern: Kernel, ia: In6Ifaddr) -> None:
    """Another node tests the same address (RFC 2462 s.5.4.3).

    Before our own first solicitation the other one was first; later both lose at the timer.
    """
    _event(kern, ia, DadEv.NS)


def nd6_dad_na_input(kern: Kernel, ia: In6Ifaddr) -> None:
    """Another node has the address (RFC 2462 s.5.4.4)."""
    _event(kern, ia, DadEv.NA)
