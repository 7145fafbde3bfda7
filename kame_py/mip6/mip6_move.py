# SPDX-License-Identifier: BSD-3-Clause
"""Movement detection: router advertisements, the care-of address, where each home interface is.

KAME mip6.c (mip6_prefix_list_update, mip6_select_coa2, mip6_process_pfxlist_status_change,
mip6_process_movement). Deviates: what is not home is foreign; a site-local care-of address is
taken only where no global one is; an advertisement is judged when all its prefixes are read; home
addresses move only when the location changes. The table of locations is in mip6_mnstate.py. Read
first: draft-ietf-mobileip-ipv6-15 s.10.4, s.10.6.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from kame_py.kern.log import LOG_INFO, LOG_NOTICE
from kame_py.kern.mbuf import Mbuf
from kame_py.mip6 import (
    if_hif,
    mip6_bul,
    mip6_coa,
    mip6_dhaad,
    mip6_ha,
    mip6_haddr,
    mip6_home,
    mip6_mps,
    mip6_prefix,
    mip6_subnet,
)
from kame_py.mip6.mip6_mnstate import (
    HIF_LOCATION_FOREIGN,
    HIF_LOCATION_HOME,
    LOCATION_TABLE,
    BuEv,
    LocAct,
    LocEv,
)
from kame_py.mip6.mip6_var import (
    MIP6_CONFIG_TYPE_CN,
    MIP6_CONFIG_TYPE_MN,
    HifSoftc,
    mip6_state,
    mip6log,
)
from kame_py.net.if_ import Ifnet
from kame_py.netinet6 import nd6_prefix, nd6_rtr
from kame_py.netinet6.nd6_var import NdDefrouter, NdPrefix
from kame_py.netinet6.scope6 import in6_clearscope
from kame_py.wire.codecs import Ip6Hdr, NdRouterAdvert
from kame_py.wire.const import ND_RA_FLAG_HOME_AGENT
from kame_py.wire.in6addr import (
    IN6_IS_ADDR_LINKLOCAL,
    IN6ADDR_ANY,
    ntop,
)
from kame_py.wire.ip6ext import walk
from kame_py.wire.nd6opt import NdOptions

if TYPE_CHECKING:
    from kame_py.kern.kernel import Kernel


# -- router advertisements --------------------------------------------------------------------


def mip6_prefix_list_update(
    kern: Kernel, src: bytes, pr: NdPrefix, dr: NdDefrouter | None, m: Mbuf
) -> bool:
    """One prefix of a router advertisement: which link is this? True: go on with it."""
    if not IN6_IS_ADDR_LINKLOCAL(src):
        text = ntop(src)
        mip6log(kern, LOG_NOTICE, f"RA from a non-linklocal router ({text}).")
        return True
    mip6_state(kern).ra_open = True
    ra = _advertisement(m)
    _learn(kern, src, pr, 0 if ra is None else ra.nd_ra_flags_reserved)
    return True


def _advertisement(m: Mbuf) -> NdRouterAdvert | None:
    chain = walk(m.data, Ip6Hdr.unpack(m.data).ip6_nxt, Ip6Hdr.SIZE, len(m.data))
    if len(m.data) - chain.off < NdRouterAdvert.SIZE:
        return None
    return NdRouterAdvert.unpack(m.data, chain.off)


def _learn(kern: Kernel, src: bytes, pr: NdPrefix, flags: int) -> None:
    """Prefix and router belong to one link (mip6_prefix_list_update_sub)."""
    state = mip6_state(kern)
    router = ntop(in6_clearscope(src))
    mip6log(kern, LOG_INFO, f"prefix {ntop(pr.ndpr_prefix)} from {router}")
    mpfx = mip6_prefix.mip6_prefix_list_find(state, pr.ndpr_prefix, pr.ndpr_plen)
    if mpfx is None:
        if not pr.ndpr_vltime:
            return
        mip6log(kern, LOG_INFO, f"receive a new prefix {ntop(pr.ndpr_prefix)}")
        mpfx = mip6_prefix.mip6_prefix_create(
            kern, pr.ndpr_prefix, pr.ndpr_plen, pr.ndpr_vltime, pr.ndpr_pltime
        )
    else:
        mip6_prefix.mip6_prefix_advertised(kern, mpfx, pr.ndpr_vltime, pr.ndpr_pltime)
    gaddr = pr.ndpr_addr if pr.ndpr_raf_router else IN6ADDR_ANY
    mha = mip6_ha.mip6_ha_list_find_withaddr(state, src)
    if mha is None:
        mha = mip6_ha.mip6_ha_create(kern, src, gaddr, flags)
    elif gaddr != IN6ADDR_ANY:
        mha.mha_gaddr = gaddr
    by_prefix = mip6_subnet.mip6_subnet_find_withprefix(state, mpfx)
    by_router = mip6_subnet.mip6_subnet_find_withha(state, mha)
    if by_prefix is not None and by_router is not None and by_prefix is not by_router:
        mip6_subnet.mip6_subnet_merge(state, by_prefix, by_router)
        return
    ms = by_prefix or by_router
    if ms is None:
        ms = mip6_subnet.mip6_subnet_create(state)
        if_hif.hif_subnet_foreign(state, ms)
    if mpfx not in ms.ms_mspfx_list:
        ms.ms_mspfx_list.insert(0, mpfx)
    if mha not in ms.ms_msha_list:
        ms.ms_msha_list.insert(0, mha)
        mip6_subnet.mip6_subnet_ha_sort(ms)


def mip6_ra_done(
    kern: Kernel, src: bytes, dr: NdDefrouter | None, opts: NdOptions, m: Mbuf
) -> None:
    """All prefixes are read: every router has to prove itself; what this one says as home agent."""
    mip6_state(kern).ra_open = False
    nd6_rtr.nd6_probe_routers(kern)
    ra = _advertisement(m)
    if ra is None:
        return
    pref, lifetime = 0, ra.nd_ra_router_lifetime
    if ra.nd_ra_flags_reserved & ND_RA_FLAG_HOME_AGENT and opts.homeagent is not None:
        pref = opts.homeagent.nd_opt_hai_preference
        lifetime = opts.homeagent.nd_opt_hai_lifetime
    mip6_ha.mip6_ha_list_update_hainfo(kern, src, ra.nd_ra_flags_reserved, pref, lifetime)
    state = mip6_state(kern)
    if opts.advinterval is not None:
        state.raintvl_ms = opts.advinterval.nd_opt_ai_interval
    for sc in state.hif_softc_list:  # prefixes that were not known when it came home
        if sc.hif_location == HIF_LOCATION_HOME and sc.hif_ifid != IN6ADDR_ANY:
            mip6_haddr.mip6_attach_haddrs(kern, sc)


# -- the care-of address ----------------------------------------------------------------------


def mip6_pfxlist_changed(kern: Kernel) -> None:
    """End of pfxlist_onlink_check: have we moved?

    Not in the middle of an advertisement: the first prefix of the home link need not be home.
    """
    state = mip6_state(kern)
    if state.config.mcfg_type == MIP6_CONFIG_TYPE_MN and not state.ra_open:
        mip6_check_movement(kern)


def mip6_check_movement(kern: Kernel) -> None:
    """Choose the care-of address and act for every home interface that this moves."""
    state = mip6_state(kern)
    old = state.hif_coa
    changed = mip6_select_coa2(kern)
    for sc in state.hif_softc_list:
        ev = _whereabouts(kern, sc)
        _, location = LOCATION_TABLE[sc.hif_location, ev]
        if location != sc.hif_location or (changed and ev is not LocEv.NOWHERE):
            mip6_location_event(kern, sc, ev, old)
    _renew_bound(kern)


def _renew_bound(kern: Kernel) -> None:
    """Bindings with another care-of address than the node's, which can no longer be one."""
    usable = mip6_coa.mip6_coa_usable(kern)
    for bu in mip6_bul.mip6_bu_list(mip6_state(kern)):
        at_home = bu.mbu_hif.hif_location != HIF_LOCATION_FOREIGN
        if usable and not (at_home or bu.mbu_pcoa or bu.mbu_coa in usable):
            mip6_bul.mip6_bu_event(kern, bu, BuEv.ABROAD)


def mip6_select_coa2(kern: Kernel) -> bool:
    """Choose the one care-of address; True when it is another than before."""
    state = mip6_state(kern)
    candidates = mip6_coa.mip6_coa_global(mip6_coa.mip6_coa_usable(kern))
    if not candidates:
        mip6log(kern, LOG_INFO, "no available CoA found")
        return False
    if state.hif_coa in candidates:
        return False
    state.hif_coa = candidates[-1]
    mip6log(kern, LOG_INFO, f"CoA has changed to {ntop(state.hif_coa)}")
    return True


def mip6_coa_duplicated(kern: Kernel) -> None:
    """An address failed duplicate detection: look again once its flags are set."""
    if mip6_state(kern).config.mcfg_type == MIP6_CONFIG_TYPE_MN:
        kern.schednetisr(mip6_check_movement, kern)


# -- locations --------------------------------------------------------------------------------


def _whereabouts(kern: Kernel, sc: HifSoftc) -> LocEv:
    """By the care-of address; where it is left behind or none is made, by home prefixes heard."""
    coa = mip6_state(kern).hif_coa
    homes = [mpfx for _, mpfx in mip6_subnet.hif_home_prefixes(sc)]
    if any(mip6_prefix.mip6_prefix_covers(mpfx, coa) for mpfx in homes):
        return LocEv.AT_HOME
    if coa == IN6ADDR_ANY or mip6_coa.mip6_link_left(kern, coa):
        if any(mip6_coa.mip6_link_here(kern, mpfx.mpfx_prefix) for mpfx in homes):
            return LocEv.AT_HOME
    return LocEv.NOWHERE if coa == IN6ADDR_ANY or not homes else LocEv.ABROAD


def mip6_location_event(kern: Kernel, sc: HifSoftc, ev: LocEv, old_coa: bytes) -> None:
    """Move a home interface by the table of locations."""
    sc.hif_location_prev = sc.hif_location
    act, sc.hif_location = LOCATION_TABLE[sc.hif_location, ev]
    if mip6_state(kern).config.mcfg_debug:
        kern.log.log(LOG_INFO, f"location = {sc.hif_location}")  # bare, as KAME had it
    for each in act:
        _ACTIONS[each](kern, sc, old_coa)


def _notify(kern: Kernel, sc: HifSoftc, old_coa: bytes) -> None:
    for _, mpfx in mip6_subnet.hif_home_prefixes(sc):
        mip6_home.mip6_bu_list_notify_binding_change(kern, sc, mpfx.mpfx_haddr)


def _deregister(kern: Kernel, sc: HifSoftc, old_coa: bytes) -> None:
    mip6_dhaad.mip6_dhaad_stop(kern, sc)
    mip6_mps.mip6_mps_stop(sc)
    for bu in list(sc.hif_bu_list):
        if bu.mbu_paddr == IN6ADDR_ANY or bu.mbu_pcoa:
            mip6_bul.mip6_bu_list_remove(kern, bu)
    mip6_home.mip6_home_registration(kern, sc)


def _drop(kern: Kernel, sc: HifSoftc, old_coa: bytes) -> None:
    mip6_dhaad.mip6_dhaad_stop(kern, sc)
    mip6_mps.mip6_mps_stop(sc)
    for bu in list(sc.hif_bu_list):
        mip6_bul.mip6_bu_list_remove(kern, bu)


_ACTIONS: Final[dict[LocAct, Callable[[Kernel, HifSoftc, bytes], None]]] = {
    LocAct.FORWARD: lambda kern, sc, old: mip6_home.mip6_forward_previous(kern, sc, old),
    LocAct.STRIP_IF: lambda kern, sc, old: mip6_haddr.mip6_detach_haddrs(kern, sc),
    LocAct.ADD_HIF: lambda kern, sc, old: mip6_haddr.mip6_add_haddrs(kern, sc),
    LocAct.STRIP_HIF: lambda kern, sc, old: mip6_haddr.mip6_remove_haddrs(kern, sc),
    LocAct.ADD_IF: lambda kern, sc, old: mip6_haddr.mip6_attach_haddrs(kern, sc),
    LocAct.REGISTER: lambda kern, sc, old: mip6_home.mip6_home_registration(kern, sc),
    LocAct.NOTIFY: _notify,
    LocAct.DEREGISTER: _deregister,
    LocAct.GOODBYE: lambda kern, sc, old: mip6_home.mip6_goodbye(kern, sc),
    LocAct.DROP: _drop,
}


# -- switching on and off ---------------------------------------------------------------------


def mip6_enable_mn(kern: Kernel) -> None:
    """SIOCSMIP6CFG_ENABLEMN: what was heard so far counts, detection starts now."""
    state = mip6_state(kern)
    state.config.mcfg_type = MIP6_CONFIG_TYPE_MN
    for pr in kern.nd6.prefixes:
        for dr in pr.ndpr_advrtrs:
            _learn(kern, dr.rtaddr, pr, dr.flags)
            mip6_ha.mip6_ha_list_update_hainfo(kern, dr.rtaddr, dr.flags, 0, dr.rtlifetime)
    nd6_rtr.nd6_probe_routers(kern)
    nd6_prefix.pfxlist_onlink_check(kern)


def mip6_disable_mn(kern: Kernel) -> None:
    """SIOCSMIP6CFG_DISABLEMN: say goodbye where we are away, then forget everything."""
    state = mip6_state(kern)
    for sc in state.hif_softc_list:
        mip6_location_event(kern, sc, LocEv.DISABLE, state.hif_coa)
        sc.hif_hs_list_home.clear()
        sc.hif_hs_list_foreign.clear()
        sc.hif_ifid = IN6ADDR_ANY
    for mpfx in list(state.mip6_prefix_list):
        mip6_prefix.mip6_prefix_list_remove(kern, mpfx)
    for mha in list(state.mip6_ha_list):
        mip6_ha.mip6_ha_list_remove(kern, mha)
    state.mip6_subnet_list.clear()
    state.hif_coa = IN6ADDR_ANY
    state.config.mcfg_type = MIP6_CONFIG_TYPE_CN


# -- neighbour discovery while returning home -------------------------------------------------


def mip6_ns_output(kern: Kernel, ifp: Ifnet, target: bytes, dad: bool) -> bool:
    """Whether a solicitation is for the home agent that stands in for us (s.10.20)."""
    return not dad and mip6_home.mip6_deregistering(kern, target)


def mip6_ns_input(kern: Kernel, src: bytes, target: bytes) -> bool:
    """Until the home agent has let go only it may ask for a home address (s.10.20).

    True: no answer.
    """
    state = mip6_state(kern)
    bu = mip6_bul.mip6_bu_list_find_covering(state, target)
    if bu is None:
        return False
    mha = mip6_ha.mip6_ha_list_find_withaddr(state, src)
    return src != bu.mbu_paddr and (mha is None or mha.mha_gaddr != bu.mbu_paddr)
