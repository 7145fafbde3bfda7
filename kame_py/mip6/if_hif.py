# SPDX-License-Identifier: BSD-3-Clause
"""The home interface hifN: it carries the home addresses while the node is away.

KAME net/if_hif.c. Deviates: home addresses on it are not tested for duplicates, which only the
home agent can do; a home agent that was configured is on the list of home agents as well. Read
first: draft-ietf-mobileip-ipv6-15 s.10.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kame_py.kern.drop import D, drop
from kame_py.kern.log import LOG_ERR
from kame_py.kern.mbuf import Mbuf
from kame_py.mip6 import (
    mip6_bul,
    mip6_ha,
    mip6_haddr_set,
    mip6_home,
    mip6_prefix,
    mip6_subnet,
    mip6_tunnel,
)
from kame_py.mip6.mip6_var import (
    HifSoftc,
    Mip6Prefix,
    Mip6State,
    Mip6Subnet,
    mip6_state,
    mip6log,
)
from kame_py.net.if_ import IFF_MULTICAST, IFF_SIMPLEX, IFT_HIF, Ifnet, if_attach
from kame_py.netinet6.nd6 import nd6_ifattach
from kame_py.netinet6.scope6 import in6_clearscope
from kame_py.wire.errno import EINVAL, ENXIO, KError
from kame_py.wire.in6addr import IN6_IS_ADDR_LINKLOCAL, IN6ADDR_ANY, prefix_equal

if TYPE_CHECKING:
    from kame_py.kern.kernel import Kernel
    from kame_py.net.route import Rtentry

HIF_MTU: Final = 1500
GADDR_PLEN: Final = 64  # a manual home agent is on the link of the home prefix that it shares


def hif_attach(kern: Kernel, name: str) -> Ifnet:
    """A new home interface; it comes up with its first home address."""
    ifp = if_attach(
        kern, Ifnet(name, IFT_HIF, HIF_MTU, IFF_MULTICAST | IFF_SIMPLEX, b""), hif_output
    )
    nd6_ifattach(kern, ifp)
    sc = HifSoftc(ifp)
    ifp.if_softc = sc
    state = mip6_state(kern)
    if not state.hif_softc_list:
        kern.encap.attach(mip6_bul.mip6_bu_encapcheck, mip6_tunnel.mip6_tunnel_input)
    state.hif_softc_list.append(sc)
    return ifp


def hif_output(kern: Kernel, ifp: Ifnet, m: Mbuf, dst: bytes, rt: Rtentry | None) -> None:
    """Nothing leaves by a home interface; what is routed there is counted and dropped."""
    ifp.if_data.ifi_opackets += 1
    ifp.if_data.ifi_obytes += len(m.data)
    drop(kern, m, D.IF_OUTPUT)


def hif_softc(kern: Kernel, name: str) -> HifSoftc:
    """The home interface of that name. KError: ENXIO, or EINVAL when it is another kind."""
    ifp = kern.ifunit(name)
    if ifp is None:
        raise KError(ENXIO)
    if not isinstance(ifp.if_softc, HifSoftc):
        raise KError(EINVAL)
    return ifp.if_softc


def hif_list_find_withhaddr(state: Mip6State, haddr: bytes) -> tuple[HifSoftc, Mip6Prefix] | None:
    """The home interface and home prefix of a home address."""
    if haddr == IN6ADDR_ANY:
        return None
    for sc in state.hif_softc_list:
        for _, mpfx in mip6_subnet.hif_home_prefixes(sc):
            if mpfx.mpfx_haddr == haddr:
                return sc, mpfx
    return None


def hif_subnet_list_update_withmpfx(
    kern: Kernel,
    sc: HifSoftc,
    prefix: bytes,
    plen: int,
    vltime: int,
    pltime: int,
    haddr: bytes = IN6ADDR_ANY,
) -> None:
    """SIOCAHOMEPREFIX_HIF: one more home prefix, or its lifetimes again. KError(EINVAL).

    haddr: the home address below it, :: one of the usual identifier.
    """
    if not 0 < plen <= 128 or len(prefix) != len(IN6ADDR_ANY) or pltime > vltime:
        raise KError(EINVAL)
    if IN6_IS_ADDR_LINKLOCAL(prefix) or prefix >= b"\xff":
        raise KError(EINVAL)
    state = mip6_state(kern)
    if haddr != IN6ADDR_ANY:
        mip6_haddr_set.mip6_haddr_check(state, haddr, prefix, plen)
    mpfx = mip6_prefix.mip6_prefix_list_find(state, prefix, plen)
    if mpfx is None:
        mpfx = mip6_prefix.mip6_prefix_create(kern, prefix, plen, vltime, pltime, manual=True)
    else:
        mip6_prefix.mip6_prefix_stop(mpfx)
        mpfx.mpfx_manual = True
        mpfx.mpfx_vltime, mpfx.mpfx_pltime = vltime, pltime
        mpfx.mpfx_vlexpire = mpfx.mpfx_plexpire = 0
    ms = mip6_subnet.mip6_subnet_find_withprefix(state, mpfx)
    if ms is None:
        ms = mip6_subnet.mip6_subnet_create(state)
        ms.ms_mspfx_list.insert(0, mpfx)
    hif_subnet_home(state, sc, ms)
    if haddr != IN6ADDR_ANY:
        mip6_haddr_set.mip6_haddr_choose(kern, sc, mpfx, haddr)
    mip6_prefix.mip6_prefix_haddr_assign(kern, mpfx, sc)
    mip6_haddr_set.mip6_haddr_use(kern, sc)


def hif_subnet_home(state: Mip6State, sc: HifSoftc, ms: Mip6Subnet) -> None:
    """The link is home to this interface and foreign to every other that does not have it."""
    if ms not in sc.hif_hs_list_home:
        sc.hif_hs_list_home.append(ms)
    if ms in sc.hif_hs_list_foreign:
        sc.hif_hs_list_foreign.remove(ms)
    hif_subnet_foreign(state, ms)


def hif_subnet_foreign(state: Mip6State, ms: Mip6Subnet) -> None:
    """The link is foreign to every home interface to which it is not home."""
    for sc in state.hif_softc_list:
        if ms not in sc.hif_hs_list_home and ms not in sc.hif_hs_list_foreign:
            sc.hif_hs_list_foreign.append(ms)


def hif_ha_list_update_withioctl(
    kern: Kernel, sc: HifSoftc, lladdr: bytes, gaddr: bytes, flags: int, pref: int, lifetime: int
) -> None:
    """SIOCAHOMEAGENT_HIF: a home agent of a home link, which does not end. KError(EINVAL)."""
    if not IN6_IS_ADDR_LINKLOCAL(lladdr) or IN6_IS_ADDR_LINKLOCAL(gaddr) or gaddr >= b"\xff":
        raise KError(EINVAL)
    state = mip6_state(kern)
    mha = mip6_ha.mip6_ha_list_find_withaddr(state, lladdr)
    ms = None if mha is None else mip6_subnet.mip6_subnet_find_withha(state, mha)
    if ms not in sc.hif_hs_list_home:
        ms = _home_subnet_of(sc, gaddr)
    if ms is None:
        mip6log(
            kern,
            LOG_ERR,
            "no hif_subnet.  you must specify at least one prefix before setting a "
            "home agent manually.",
        )
        raise KError(EINVAL)
    if mha is None:
        mha = mip6_ha.mip6_ha_create(kern, in6_clearscope(lladdr), gaddr, flags, pref)
    mha.mha_gaddr, mha.mha_flags, mha.mha_pref = gaddr, flags, pref
    mha.mha_lifetime, mha.mha_expire = lifetime, 0
    if mha.mha_timer is not None:
        mha.mha_timer.stop()
    if mha not in ms.ms_msha_list:
        ms.ms_msha_list.insert(0, mha)
    mip6_subnet.mip6_subnet_ha_sort(ms)
    mip6_home.mip6_ha_found(kern, sc)


def _home_subnet_of(sc: HifSoftc, gaddr: bytes) -> Mip6Subnet | None:
    for ms, mpfx in mip6_subnet.hif_home_prefixes(sc):
        if prefix_equal(mpfx.mpfx_prefix, gaddr, min(mpfx.mpfx_prefixlen, GADDR_PLEN)):
            return ms
    return None
