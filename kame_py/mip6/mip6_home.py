# SPDX-License-Identifier: BSD-3-Clause
"""Home registrations of a mobile node, from the first one to the return.

KAME mip6_binding.c (mip6_home_registration, mip6_bu_list_notify_binding_change) and the end of
mip6_process_ba. Deviates: every home address is registered; another home agent is tried at the
limit of retransmission and after a refusal; the address that is left is asked to forward where the
link has a home agent. Read first: draft-ietf-mobileip-ipv6-15 s.10.7-10.10, s.10.20.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kame_py.kern.clock import NS
from kame_py.kern.log import LOG_ERR, LOG_INFO
from kame_py.mip6 import (
    mip6_bu_output,
    mip6_bul,
    mip6_dhaad,
    mip6_haddr,
    mip6_mps,
    mip6_prefix,
    mip6_subnet,
)
from kame_py.mip6.mip6_mnstate import (
    HIF_LOCATION_FOREIGN,
    MIP6_BU_REG_STATE_DEREGWAITACK,
    MIP6_BU_REG_STATE_REG,
    MIP6_BU_REG_STATE_REGWAITACK,
    BuEv,
)
from kame_py.mip6.mip6_var import (
    MIP6_BU_STATE_WAITACK,
    MIP6_BU_STATE_WAITSENT,
    HifSoftc,
    Mip6Bu,
    Mip6Prefix,
    Mip6State,
    Mip6Subnet,
    mip6_state,
    mip6log,
)
from kame_py.netinet6 import in6, nd6_nbr
from kame_py.netinet6.in6_var import IN6_IFF_NOTREADY
from kame_py.wire.const import ND_NA_FLAG_OVERRIDE
from kame_py.wire.in6addr import IN6ADDR_ANY, combine, ntop

if TYPE_CHECKING:
    from kame_py.kern.kernel import Kernel
    from kame_py.net.if_ import Ifnet

MAX_ADVERT_REXMIT: Final = 3  # s.11: advertisements after returning home
ADVERT_INTERVAL_NS: Final = NS
HADDR_LINGER_NS: Final = 30 * NS  # packets by a former care-of address come so long at most
PCOA_LIFETIME_S: Final = 60  # a link that was left forwards so long at most


def mip6_home_registration(kern: Kernel, sc: HifSoftc) -> None:
    """Register, or at home de-register, every home address with the care-of address of now."""
    for ms, mpfx in list(mip6_subnet.hif_home_prefixes(sc)):
        if mpfx.mpfx_haddr != IN6ADDR_ANY and mpfx.mpfx_vltime:
            _register(kern, sc, ms, mpfx)
    if any(mip6_ha_sought(bu) for bu in sc.hif_bu_list):
        _discover(kern, sc, moved=True)


def _register(kern: Kernel, sc: HifSoftc, ms: Mip6Subnet, mpfx: Mip6Prefix) -> None:
    state = mip6_state(kern)
    bu = mip6_bul.mip6_bu_list_find_home_registration(state, mpfx.mpfx_haddr)
    away = sc.hif_location == HIF_LOCATION_FOREIGN
    if bu is None:
        if not away:
            return
        agents = mip6_subnet.mip6_subnet_ha_list_preferable(ms)
        paddr = agents[0].mha_gaddr if agents else IN6ADDR_ANY
        flags = state.dialect.home_flags(True)
        bu = mip6_bul.mip6_bu_create(kern, sc, paddr, mpfx.mpfx_haddr, flags, state.hif_coa)
        mip6log(kern, LOG_INFO, f"home address is {ntop(mpfx.mpfx_haddr)}")
    if away:
        mip6_bul.mip6_bu_event(kern, bu, BuEv.ABROAD)
    else:
        mip6_bul.mip6_bu_event(kern, bu, BuEv.COVERED if _covered(bu) else BuEv.AT_HOME)


def _covered(bu: Mip6Bu) -> bool:
    """Whether a de-registration on its way, with S clear, is one of this home address, too."""
    return not _several(bu.mbu_hif) and any(
        other is not bu
        and mip6_bul.mip6_bu_is_home(other)
        and other.mbu_paddr == bu.mbu_paddr
        and other.mbu_reg_state == MIP6_BU_REG_STATE_DEREGWAITACK
        and not _idle(other)
        for other in bu.mbu_hif.hif_bu_list
    )


def _idle(bu: Mip6Bu) -> bool:
    return not bu.mbu_state & (MIP6_BU_STATE_WAITACK | MIP6_BU_STATE_WAITSENT)


def _along(bu: Mip6Bu) -> list[Mip6Bu]:
    """Entries that wait for the end of this one's de-registration."""
    return [
        other
        for other in bu.mbu_hif.hif_bu_list
        if other is not bu
        and mip6_bul.mip6_bu_is_home(other)
        and other.mbu_paddr == bu.mbu_paddr
        and other.mbu_reg_state == MIP6_BU_REG_STATE_DEREGWAITACK
        and _idle(other)
    ]


def _discover(kern: Kernel, sc: HifSoftc, *, moved: bool = False) -> None:
    if sc.hif_location != HIF_LOCATION_FOREIGN:
        return
    mip6log(kern, LOG_INFO, "no home agent.  start ha discovery.")
    if moved:
        mip6_dhaad.mip6_dhaad_moved(kern, sc)
    else:
        mip6_dhaad.mip6_dhaad_start(kern, sc)


def mip6_home_flags(kern: Kernel, bu: Mip6Bu) -> None:
    """Flags of the next registration: D for a new binding, S where it is one of several.

    With S clear the home agent serves the prefixes of its link together, as KAME asked it to.
    """
    state = mip6_state(kern)
    leaving = bu.mbu_reg_state == MIP6_BU_REG_STATE_DEREGWAITACK
    need_dad = not leaving and bu.mbu_bound_expire <= kern.now()
    several = _several(bu.mbu_hif)
    router = bool(kern.ip6.ip6_forwarding)
    bu.mbu_flags = state.dialect.home_flags(need_dad, several, router)
    mpfx = mip6_prefix.mip6_prefix_list_find_withhaddr(state, bu.mbu_haddr)
    plen = mpfx.mpfx_prefixlen if mpfx is not None else 0
    bu.mbu_prefixlen = state.dialect.home_prefixlen(plen, several)


def _several(sc: HifSoftc) -> bool:
    """Whether one update cannot speak for all home addresses: several links or identifiers."""
    haddrs = [mpfx.mpfx_haddr for _, mpfx in mip6_subnet.hif_home_prefixes(sc)]
    ifids = {combine(IN6ADDR_ANY, mip6_prefix.HADDR_PLEN, a) for a in haddrs if a != IN6ADDR_ANY}
    return len(sc.hif_hs_list_home) > 1 or len(ifids) > 1


# -- home agents ------------------------------------------------------------------------------


def _agents(kern: Kernel, bu: Mip6Bu) -> list[bytes]:
    for ms, mpfx in mip6_subnet.hif_home_prefixes(bu.mbu_hif):
        if mpfx.mpfx_haddr == bu.mbu_haddr:
            return [mha.mha_gaddr for mha in mip6_subnet.mip6_subnet_ha_list_preferable(ms)]
    return []


def mip6_next_ha(kern: Kernel, bu: Mip6Bu) -> None:
    """The next home agent of the list in turn; discovery when its end is reached."""
    if bu.mbu_paddr not in (IN6ADDR_ANY, *bu.mbu_tried):
        bu.mbu_tried.append(bu.mbu_paddr)
    agents = _agents(kern, bu)
    at = agents.index(bu.mbu_paddr) + 1 if bu.mbu_paddr in agents else 0
    paddr = agents[at % len(agents)] if agents else IN6ADDR_ANY
    if at < len(agents):
        bu.mbu_hold = 0  # the list goes on
    if paddr != bu.mbu_paddr:
        _set_ha(kern, bu, paddr)
    if at >= len(agents):
        _discover(kern, bu.mbu_hif)


def _set_ha(kern: Kernel, bu: Mip6Bu, paddr: bytes) -> None:
    """Another home agent: everything about the exchange with the old one is void."""
    bu.mbu_paddr = paddr
    bu.mbu_outstanding.clear()
    bu.mbu_sent_count = 0
    bu.mbu_sent_at = -mip6_bul.NEVER
    bu.mbu_acktimeout = bu.mbu_ackexpire = 0
    if bu.mbu_reg_state == MIP6_BU_REG_STATE_REG:
        bu.mbu_reg_state = MIP6_BU_REG_STATE_REGWAITACK


def mip6_ha_found(kern: Kernel, sc: HifSoftc) -> None:
    """Home agents became known: registrations that wait for one go on.

    So do those whose home agent was asked in vain, with one that was not.
    """
    for bu in list(sc.hif_bu_list):
        if not mip6_ha_sought(bu):
            continue
        agents = _agents(kern, bu)
        fresh = [gaddr for gaddr in agents if gaddr not in bu.mbu_tried]
        if fresh or (agents and bu.mbu_paddr == IN6ADDR_ANY):
            _set_ha(kern, bu, (fresh or agents)[0])
            bu.mbu_acktimeout = mip6_bul.mip6_first_acktimeout(kern, bu)
            bu.mbu_state |= MIP6_BU_STATE_WAITACK | MIP6_BU_STATE_WAITSENT
            bu.mbu_hold = 0
    mip6_bul.mip6_bu_schedule(kern)


def mip6_ha_wanted(sc: HifSoftc) -> bool:
    """Whether a registration of this interface has no home agent."""
    return any(bu.mbu_paddr == IN6ADDR_ANY for bu in sc.hif_bu_list)


def mip6_ha_sought(bu: Mip6Bu) -> bool:
    """Whether a registration needs another home agent: it has none, or one that fails it."""
    if not mip6_bul.mip6_bu_is_home(bu) or bu.mbu_reg_state == MIP6_BU_REG_STATE_DEREGWAITACK:
        return False
    return bu.mbu_paddr in (IN6ADDR_ANY, *bu.mbu_tried)


def mip6_ha_gone(kern: Kernel, gaddr: bytes) -> None:
    """A home agent is none any more: registrations with it look for another."""
    for bu in mip6_bul.mip6_bu_list(mip6_state(kern)):
        if mip6_bul.mip6_bu_is_home(bu) and bu.mbu_paddr == gaddr:
            mip6_bul.mip6_bu_event(kern, bu, BuEv.HA_GONE)


def mip6_registered_until(kern: Kernel, gaddr: bytes) -> int:
    """The end of the last registration that a home agent has accepted, ns; 0 without one."""
    return max(
        (
            bu.mbu_bound_expire
            for bu in mip6_bul.mip6_bu_list(mip6_state(kern))
            if bu.mbu_paddr == gaddr and mip6_bul.mip6_bu_is_home(bu)
        ),
        default=0,
    )


def mip6_ha_awaited(kern: Kernel, gaddr: bytes) -> bool:
    """Whether registrations wait for this home agent; then discovery looks for others, too."""
    waiting = [
        bu.mbu_hif
        for bu in mip6_bul.mip6_bu_list(mip6_state(kern))
        if bu.mbu_paddr == gaddr
        and mip6_bul.mip6_bu_is_home(bu)
        and bu.mbu_reg_state == MIP6_BU_REG_STATE_REGWAITACK
    ]
    for sc in waiting:
        mip6_dhaad.mip6_dhaad_start(kern, sc)
    return bool(waiting)


# -- correspondents ---------------------------------------------------------------------------


def mip6_bu_list_notify_binding_change(kern: Kernel, sc: HifSoftc, haddr: bytes) -> None:
    """A new care-of address goes to all correspondents of a home address at once (s.10.9)."""
    for bu in list(sc.hif_bu_list):
        if bu.mbu_haddr != haddr or mip6_bul.mip6_bu_is_home(bu) or bu.mbu_pcoa:
            continue
        mip6_bul.mip6_bu_event(kern, bu, BuEv.ABROAD)
        kern.schednetisr(_send_now, kern, bu)  # once the default router is the new one


def _send_now(kern: Kernel, bu: Mip6Bu) -> bool:
    """Send what waits, unless the update rate forbids it yet."""
    if not bu.mbu_state & MIP6_BU_STATE_WAITSENT or bu not in bu.mbu_hif.hif_bu_list:
        return False
    if mip6_bul.mip6_bu_may_send(kern, bu) > kern.now():
        return False
    mip6_bu_output.mip6_bu_send_bu(kern, bu)
    return True


def mip6_goodbye(kern: Kernel, sc: HifSoftc, haddr: bytes = IN6ADDR_ANY) -> None:
    """Peers may forget a home address, or all when mobility ends abroad (lifetime 0, once)."""
    left = mip6_state(kern).mip6_haddrs_left
    for bu in list(sc.hif_bu_list):
        if haddr not in (IN6ADDR_ANY, bu.mbu_haddr):
            continue
        left[bu.mbu_haddr] = kern.now() + HADDR_LINGER_NS
        bu.mbu_lifetime = 0
        bu.mbu_state |= MIP6_BU_STATE_WAITSENT
        bu.mbu_state &= ~MIP6_BU_STATE_WAITACK
        bu.mbu_sent_at, bu.mbu_hold = -mip6_bul.NEVER, 0
        if bu.mbu_paddr != IN6ADDR_ANY and mip6_bu_output.mip6_bu_authentic(kern, bu):
            mip6_bu_output.mip6_bu_send_null(kern, bu)


def mip6_haddr_left(kern: Kernel, addr: bytes) -> bool:
    """Whether packets by our care-of address to a home address that was given up are on their way.

    The answers to goodbye are; sent on they would only come back to the home link.
    """
    left = mip6_state(kern).mip6_haddrs_left
    for haddr in [haddr for haddr, until in left.items() if until <= kern.now()]:
        del left[haddr]
    return addr in left and addr not in kern.ip6.ifaddrs


# -- returning home ---------------------------------------------------------------------------


def mip6_returned_home(kern: Kernel, bu: Mip6Bu) -> None:
    """The home agent no longer stands in: tell correspondents and the link (s.10.20)."""
    for covered in [] if _idle(bu) else _along(bu):
        mip6_bul.mip6_bu_event(kern, covered, BuEv.ACK)
    sc = bu.mbu_hif
    for other in list(sc.hif_bu_list):
        if other.mbu_haddr != bu.mbu_haddr or mip6_bul.mip6_bu_is_home(other):
            continue
        mip6_bul.mip6_bu_event(kern, other, BuEv.AT_HOME)
        _send_now(kern, other)
        mip6_bul.mip6_bu_list_remove(kern, other)
    ifp = mip6_haddr.mip6_haddr_ifp(kern, bu.mbu_haddr)
    if ifp is None:
        return
    mip6log(kern, LOG_INFO, f"send a unsolicited na to {ifp.if_name}")
    mip6_advertise_haddr(kern, bu.mbu_haddr, 1)


def mip6_advertise_haddr(kern: Kernel, haddr: bytes, count: int) -> None:
    """Neighbours learn our link-layer address for a home address; three times in all."""
    ifp = mip6_haddr.mip6_haddr_ifp(kern, haddr)
    left = mip6_bul.mip6_bu_list_find_home_registration(mip6_state(kern), haddr) is not None
    if ifp is None or (left and count > 1):
        return
    for target in _served(kern, ifp, haddr):
        nd6_nbr.nd6_na_output(kern, ifp, IN6ADDR_ANY, target, ND_NA_FLAG_OVERRIDE)
    if count < MAX_ADVERT_REXMIT:
        deadline = kern.now() + ADVERT_INTERVAL_NS
        kern.callouts.at(deadline, mip6_advertise_haddr, kern, haddr, count + 1)


# -- home addresses that end ------------------------------------------------------------------


def _served(kern: Kernel, ifp: Ifnet, haddr: bytes) -> list[bytes]:
    """What the home agent answered for: the home address, others here with its identifier.

    Not other home addresses, of which each is advertised for itself.
    """
    state = mip6_state(kern)
    own = in6.in6ifa_ifpforlinklocal(ifp)
    beside = [
        ia.ia_addr
        for ia in ifp.in6_addrs
        if not ia.ia6_flags & IN6_IFF_NOTREADY and _beside(state, haddr, ia.ia_addr)
    ]
    return [haddr, *([] if own is None else [own.ia_addr]), *beside]


def _beside(state: Mip6State, haddr: bytes, addr: bytes) -> bool:
    """Whether both have one identifier and prefixes of one home link."""
    if combine(addr, mip6_prefix.HADDR_PLEN, haddr) != addr:
        return False
    if mip6_prefix.mip6_prefix_list_find_withhaddr(state, addr) is not None:
        return False
    mpfx = mip6_prefix.mip6_prefix_list_find_withhaddr(state, haddr)
    ms = None if mpfx is None else mip6_subnet.mip6_subnet_find_withprefix(state, mpfx)
    return ms is not None and any(
        mip6_prefix.mip6_prefix_covers(each, addr) for each in ms.ms_mspfx_list
    )


def mip6_haddr_refused(kern: Kernel, bu: Mip6Bu) -> None:
    """Another node has the home address: it is not used again (s.10.7)."""
    kern.log.log(LOG_ERR, f"home address {ntop(bu.mbu_haddr)} is used by another node.")
    mpfx = mip6_prefix.mip6_prefix_list_find_withhaddr(mip6_state(kern), bu.mbu_haddr)
    if mpfx is not None:
        mpfx.mpfx_refused = True
    mip6_haddr_forget(kern, bu.mbu_haddr)
    if mpfx is not None:
        mpfx.mpfx_haddr = IN6ADDR_ANY


def mip6_haddr_forget(kern: Kernel, haddr: bytes) -> None:
    """A home address goes with all its bindings."""
    if haddr == IN6ADDR_ANY:
        return
    for bu in mip6_bul.mip6_bu_list(mip6_state(kern)):
        if bu.mbu_haddr == haddr:
            mip6_bul.mip6_bu_list_remove(kern, bu)
            for covered in _along(bu):  # now they speak for themselves
                mip6_bul.mip6_bu_event(kern, covered, BuEv.AT_HOME)
    for sc in mip6_state(kern).hif_softc_list:
        ia = in6.in6ifa_ifpwithaddr(sc.hif_if, haddr)
        if ia is not None:
            mip6_haddr.mip6_remove_addr(kern, ia)


# -- the link that was left -------------------------------------------------------------------


def mip6_forward_previous(kern: Kernel, sc: HifSoftc, pcoa: bytes) -> None:
    """A home agent of the link that was left is asked to forward for a while (s.10.10)."""
    state = mip6_state(kern)
    for ms in sc.hif_hs_list_foreign:
        if not any(mip6_prefix.mip6_prefix_covers(mpfx, pcoa) for mpfx in ms.ms_mspfx_list):
            continue
        agents = mip6_subnet.mip6_subnet_ha_list_preferable(ms)
        lifetime = min(mip6_bu_output.mip6_coa_get_lifetime(kern, pcoa), PCOA_LIFETIME_S)
        if not agents or not lifetime:
            return
        paddr = agents[0].mha_gaddr
        bu = mip6_bul.mip6_bu_list_find_withpaddr(state, paddr, pcoa)
        if bu is None:
            flags = state.dialect.home_flags(False, True)
            bu = mip6_bul.mip6_bu_create(kern, sc, paddr, pcoa, flags, state.hif_coa)
        bu.mbu_pcoa = True
        bu.mbu_coa = state.hif_coa
        bu.mbu_state |= MIP6_BU_STATE_WAITACK | MIP6_BU_STATE_WAITSENT
        bu.mbu_acktimeout, bu.mbu_ackexpire = mip6_bul.mip6_first_acktimeout(kern, bu), 0
        mip6_bul.mip6_bu_set_lifetime(kern, bu, lifetime)
        mip6_bul.mip6_bu_schedule(kern)
        return


def mip6_registered(kern: Kernel, bu: Mip6Bu) -> None:
    """The home agent accepted: no other is looked for, prefixes are watched."""
    if not any(mip6_ha_sought(other) for other in bu.mbu_hif.hif_bu_list):
        mip6_dhaad.mip6_dhaad_stop(kern, bu.mbu_hif)
    mip6_mps.mip6_mps_schedule(kern, bu.mbu_hif)


def mip6_deregistering(kern: Kernel, peer: bytes) -> bool:
    """Whether ``peer`` is a home agent that still stands in for us on this link."""
    return any(
        bu.mbu_paddr == peer and bu.mbu_reg_state == MIP6_BU_REG_STATE_DEREGWAITACK
        for bu in mip6_bul.mip6_bu_list(mip6_state(kern))
        if mip6_bul.mip6_bu_is_home(bu)
    )
