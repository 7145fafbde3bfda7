# SPDX-License-Identifier: BSD-3-Clause
"""Mobile prefix solicitations and advertisements, the mobile node's side.

KAME mip6_icmp6.c mip6_icmp6_mp_sol_output, which nothing called. Deviates: it works. The source of
a solicitation is the care-of address, as the draft has it. Read first:
draft-ietf-mobileip-ipv6-15 s.10.16, s.10.17.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kame_py.kern.clock import MS, NS
from kame_py.kern.drop import D, DropReason
from kame_py.kern.log import LOG_INFO, LOG_NOTICE
from kame_py.kern.mbuf import M_AUTHIPDGM, M_AUTHIPHDR, Mbuf
from kame_py.mip6 import (
    if_hif,
    mip6_auth,
    mip6_bul,
    mip6_haddr,
    mip6_home,
    mip6_prefix,
    mip6_subnet,
)
from kame_py.mip6.mip6_mnstate import HIF_LOCATION_FOREIGN, MIP6_BU_REG_STATE_REG
from kame_py.mip6.mip6_var import (
    MIP6_BA_MAX_TIMEOUT,
    MIP6_CONFIG_TYPE_MN,
    HifSoftc,
    Mip6Bu,
    Mip6Prefix,
    Mip6Subnet,
    mip6_state,
    mip6log,
)
from kame_py.netinet6.icmp6_error import icmp6_outif, icmp6_send
from kame_py.wire.codecs import MpAdvert, MpSolicit, NdOptPrefixInfo
from kame_py.wire.in6addr import IN6_IS_ADDR_LINKLOCAL, IN6_IS_ADDR_MULTICAST, IN6ADDR_ANY, ntop
from kame_py.wire.malformed import Malformed
from kame_py.wire.nd6opt import NdOptions, parse_nd_options

if TYPE_CHECKING:
    from kame_py.kern.kernel import Kernel

HOME_RTR_ADV_INTERVAL_S: Final = 1000  # s.10.16, while the home link's interval is not known
INITIAL_SOLICIT_TIMER: Final = 2  # s, s.11


def mip6_mps_stop(sc: HifSoftc) -> None:
    """No solicitation is planned."""
    sc.hif_mps_tries = 0
    if sc.hif_mps_timer is not None:
        sc.hif_mps_timer.stop()
        sc.hif_mps_timer = None


def mip6_mps_schedule(kern: Kernel, sc: HifSoftc) -> None:
    """Plan the solicitation that comes before the first end of a home prefix."""
    mip6_mps_stop(sc)
    state = mip6_state(kern)
    early_ns = state.raintvl_ms * MS or HOME_RTR_ADV_INTERVAL_S * NS
    ends = [
        mpfx.mpfx_vlexpire
        for _, mpfx in mip6_subnet.hif_home_prefixes(sc)
        if mpfx.mpfx_vlexpire > kern.now()
    ]
    if ends:
        deadline = max(min(ends) - early_ns, kern.now())
        sc.hif_mps_timer = kern.callouts.at(deadline, _timeout, kern, sc)


def _timeout(kern: Kernel, sc: HifSoftc) -> None:
    """Solicit, and again until an advertisement plans anew; the time doubles."""
    bu = _registration(kern, sc)
    if sc.hif_location != HIF_LOCATION_FOREIGN or bu is None:
        return
    wait_s = min(INITIAL_SOLICIT_TIMER << sc.hif_mps_tries, MIP6_BA_MAX_TIMEOUT)
    sc.hif_mps_tries += 1
    sc.hif_mps_timer = kern.callouts.at(kern.now() + wait_s * NS, _timeout, kern, sc)
    state = mip6_state(kern)
    state.dialect.prefixes.solicit(kern, bu)


def _registration(kern: Kernel, sc: HifSoftc) -> Mip6Bu | None:
    for bu in sc.hif_bu_list:
        if mip6_bul.mip6_bu_is_home(bu) and bu.mbu_reg_state == MIP6_BU_REG_STATE_REG:
            return bu
    return None


def mip6_icmp6_mp_sol_output(kern: Kernel, haaddr: bytes) -> None:
    """One solicitation to the home agent."""
    coa = mip6_state(kern).hif_coa
    hlim = kern.ip6.ip6_defhlim
    icmp6_send(kern, coa, haaddr, MpSolicit().pack(), hlim, icmp6_outif(kern, haaddr))


def mip6_mp_adv_input(kern: Kernel, m: Mbuf, off: int) -> bool | DropReason:
    """One mobile prefix advertisement. True when it was used, else why it is refused.

    Only from the home agent of a registration and only under IPsec, or where no check is asked for.
    """
    state = mip6_state(kern)
    if state.config.mcfg_type != MIP6_CONFIG_TYPE_MN:
        return False
    hrbu = next(
        (
            bu
            for bu in mip6_bul.mip6_bu_list(state)
            if bu.mbu_paddr == m.src and mip6_bul.mip6_bu_is_home(bu)
        ),
        None,
    )
    if hrbu is None:
        return D.MIP6_MPABAD
    if not mip6_prefixes_protected(kern, m, header=False):
        return D.MIP6_MPANOAUTH
    opts = parse_nd_options(m.data, off + MpAdvert.SIZE, len(m.data))
    used = not isinstance(opts, Malformed) and mip6_prefixes_told(kern, hrbu, opts)
    return used or D.MIP6_MPABAD


def mip6_prefixes_told(kern: Kernel, hrbu: Mip6Bu, opts: NdOptions) -> bool:
    """What the home agent of a registration says of the prefixes at home. True when it was used."""
    state = mip6_state(kern)
    if opts.advinterval is not None:
        state.raintvl_ms = opts.advinterval.nd_opt_ai_interval
    found = if_hif.hif_list_find_withhaddr(state, hrbu.mbu_haddr)
    ms = None if found is None else mip6_subnet.mip6_subnet_find_withprefix(state, found[1])
    if ms is None:
        return False
    for pi in opts.prefixes:
        _prefix(kern, hrbu.mbu_hif, ms, pi)
    mip6_mps_schedule(kern, hrbu.mbu_hif)
    return True


def mip6_prefixes_protected(kern: Kernel, m: Mbuf, *, header: bool = True) -> bool:
    """Under IPsec of the sender, or where no check is asked for; header: ESP is not enough."""
    marks = M_AUTHIPHDR | M_AUTHIPDGM if header else M_AUTHIPDGM
    if m.flags & marks == marks and kern.ipsec.vouched(kern, m, m.src, header):
        return True
    peer = ntop(m.src)
    if mip6_auth.mip6_authdata_wanted(kern) or mip6_state(kern).config.mcfg_use_ipsec:
        mip6log(
            kern,
            LOG_NOTICE,
            f"an unprotected mobile prefix advertisement from {peer}.",
        )
        return False
    mip6log(kern, LOG_INFO, f"mobile prefix advertisement from {peer} without IPsec.")
    return True


def _prefix(kern: Kernel, sc: HifSoftc, ms: Mip6Subnet, pi: NdOptPrefixInfo) -> None:
    """As on the home link: lifetimes of a home prefix, or another home prefix (s.10.17)."""
    prefix, plen = pi.nd_opt_pi_prefix, pi.nd_opt_pi_prefix_len
    vltime, pltime = pi.nd_opt_pi_valid_time, pi.nd_opt_pi_preferred_time
    if plen > 128 or not plen or pltime > vltime:
        return
    if IN6_IS_ADDR_LINKLOCAL(prefix) or IN6_IS_ADDR_MULTICAST(prefix):
        return
    mpfx = mip6_prefix.mip6_prefix_list_find(mip6_state(kern), prefix, plen)
    if mpfx is None:
        if vltime:
            _new_prefix(
                kern, sc, ms, mip6_prefix.mip6_prefix_create(kern, prefix, plen, vltime, pltime)
            )
        return
    if mpfx not in ms.ms_mspfx_list:
        return
    shorter = vltime < mip6_prefix.mip6_prefix_lifetime(kern, mpfx)
    mip6_prefix.mip6_prefix_settimes(kern, mpfx, vltime, pltime)
    if shorter and mpfx.mpfx_haddr != IN6ADDR_ANY:
        mip6_home.mip6_bu_list_notify_binding_change(kern, sc, mpfx.mpfx_haddr)


def _new_prefix(kern: Kernel, sc: HifSoftc, ms: Mip6Subnet, mpfx: Mip6Prefix) -> None:
    ms.ms_mspfx_list.append(mpfx)
    mip6_prefix.mip6_prefix_haddr_assign(kern, mpfx, sc)
    if sc.hif_location == HIF_LOCATION_FOREIGN:
        mip6_haddr.mip6_add_haddrs(kern, sc)
        mip6_home.mip6_home_registration(kern, sc)
