# SPDX-License-Identifier: BSD-3-Clause
"""Links as the mobile node knows them: prefixes together with the routers that advertise them.

KAME mip6_subnet.c. Deviates: two subnets that turn out to be one link become one; home agents
stand in order of preference. Read first: draft-ietf-mobileip-ipv6-15 s.10.4.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kame_py.mip6.mip6_var import HifSoftc, Mip6Ha, Mip6Prefix, Mip6State, Mip6Subnet
from kame_py.wire.const import ND_RA_FLAG_HOME_AGENT
from kame_py.wire.in6addr import IN6ADDR_ANY

if TYPE_CHECKING:
    from collections.abc import Iterator


def mip6_subnet_create(state: Mip6State) -> Mip6Subnet:
    """A new link, in no home interface's list yet."""
    ms = Mip6Subnet()
    state.mip6_subnet_list.insert(0, ms)
    return ms


def mip6_subnet_find_withprefix(state: Mip6State, mpfx: Mip6Prefix) -> Mip6Subnet | None:
    """The link of a prefix."""
    return next((ms for ms in state.mip6_subnet_list if mpfx in ms.ms_mspfx_list), None)


def mip6_subnet_find_withha(state: Mip6State, mha: Mip6Ha) -> Mip6Subnet | None:
    """The link of a router."""
    return next((ms for ms in state.mip6_subnet_list if mha in ms.ms_msha_list), None)


def mip6_subnet_merge(state: Mip6State, ms: Mip6Subnet, other: Mip6Subnet) -> Mip6Subnet:
    """Both are one link. A home subnet keeps its place; returns the one that stays."""
    if any(other in sc.hif_hs_list_home for sc in state.hif_softc_list):
        ms, other = other, ms
    ms.ms_mspfx_list += [mpfx for mpfx in other.ms_mspfx_list if mpfx not in ms.ms_mspfx_list]
    ms.ms_msha_list += [mha for mha in other.ms_msha_list if mha not in ms.ms_msha_list]
    for sc in state.hif_softc_list:
        if other in sc.hif_hs_list_home and ms not in sc.hif_hs_list_home:
            sc.hif_hs_list_home.append(ms)
    mip6_subnet_delete(state, other)
    for sc in state.hif_softc_list:
        if ms in sc.hif_hs_list_home and ms in sc.hif_hs_list_foreign:
            sc.hif_hs_list_foreign.remove(ms)
    return ms


def mip6_subnet_delete(state: Mip6State, ms: Mip6Subnet) -> None:
    """Off every list."""
    state.mip6_subnet_list.remove(ms)
    for sc in state.hif_softc_list:
        for subnets in (sc.hif_hs_list_home, sc.hif_hs_list_foreign):
            if ms in subnets:
                subnets.remove(ms)


def mip6_subnet_delete_if_empty(state: Mip6State, ms: Mip6Subnet) -> None:
    """A link of which nothing is known any more."""
    if not ms.ms_mspfx_list and not ms.ms_msha_list:
        mip6_subnet_delete(state, ms)


def mip6_subnet_ha_sort(ms: Mip6Subnet) -> None:
    """By preference; among equals the order stays."""
    ms.ms_msha_list.sort(key=lambda mha: -mha.mha_pref)


def mip6_subnet_ha_list_preferable(ms: Mip6Subnet) -> list[Mip6Ha]:
    """Its home agents whose address is known, best first."""
    return [
        mha
        for mha in ms.ms_msha_list
        if mha.mha_flags & ND_RA_FLAG_HOME_AGENT and mha.mha_gaddr != IN6ADDR_ANY
    ]


def hif_home_prefixes(sc: HifSoftc) -> Iterator[tuple[Mip6Subnet, Mip6Prefix]]:
    """Every home prefix of a home interface with its link."""
    for ms in sc.hif_hs_list_home:
        for mpfx in ms.ms_mspfx_list:
            yield ms, mpfx
