# SPDX-License-Identifier: BSD-3-Clause
"""Routers heard and home agents known.

KAME mip6_ha.c. Deviates: preference and lifetime of the home agent information option count;
entries end with their lifetime, unless a live registration proves the home agent. Read first:
draft-ietf-mobileip-ipv6-15 s.4.6, s.9.7, s.10.8.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kame_py.kern.clock import NS
from kame_py.kern.log import LOG_INFO
from kame_py.mip6 import mip6_home, mip6_subnet
from kame_py.mip6.mip6_var import (
    MIP6_BA_MAX_TIMEOUT,
    MIP6_MAX_FINITE,
    Mip6Ha,
    Mip6State,
    mip6_state,
    mip6log,
)
from kame_py.netinet6.scope6 import in6_clearscope
from kame_py.wire.in6addr import IN6ADDR_ANY, ntop

if TYPE_CHECKING:
    from kame_py.kern.kernel import Kernel


def mip6_ha_list_find_withaddr(state: Mip6State, addr: bytes) -> Mip6Ha | None:
    """The router with this link-local (zone or not) or global address."""
    key = in6_clearscope(addr)
    if key == IN6ADDR_ANY:
        return None
    for mha in state.mip6_ha_list:
        if key in (mha.mha_lladdr, mha.mha_gaddr):
            return mha
    return None


def mip6_ha_create(kern: Kernel, lladdr: bytes, gaddr: bytes, flags: int, pref: int = 0) -> Mip6Ha:
    """A new router on the list, without an end yet."""
    mha = Mip6Ha(in6_clearscope(lladdr), gaddr, flags, pref)
    mip6_state(kern).mip6_ha_list.insert(0, mha)
    mip6log(
        kern,
        LOG_INFO,
        f"found a new router {ntop(mha.mha_lladdr)}({ntop(gaddr)})",
    )
    return mha


def mip6_ha_set_lifetime(kern: Kernel, mha: Mip6Ha, lifetime: int) -> None:
    """Seconds from now on."""
    mha.mha_lifetime = lifetime
    mha.mha_expire = kern.now() + lifetime * NS
    if mha.mha_timer is not None:
        mha.mha_timer.stop()
    mha.mha_timer = kern.callouts.at(mha.mha_expire, mip6_ha_timeout, kern, mha)


def mip6_ha_timeout(kern: Kernel, mha: Mip6Ha) -> None:
    """Its lifetime is over. A registration that lives keeps it: the same one is tried first.

    So does one that waits for its answer, since nothing is heard from home while away; others are
    looked for meanwhile.
    """
    until = mip6_home.mip6_registered_until(kern, mha.mha_gaddr)
    if until <= kern.now() and mip6_home.mip6_ha_awaited(kern, mha.mha_gaddr):
        until = kern.now() + MIP6_BA_MAX_TIMEOUT * NS
    if until > kern.now():
        seconds = -(-(until - kern.now()) // NS)
        mip6_ha_set_lifetime(kern, mha, min(seconds, MIP6_MAX_FINITE))
        return
    mip6_ha_list_remove(kern, mha)


def mip6_ha_list_remove(kern: Kernel, mha: Mip6Ha) -> None:
    """Off the list, out of every subnet; registrations with it look for another."""
    state = mip6_state(kern)
    if mha.mha_timer is not None:
        mha.mha_timer.stop()
        mha.mha_timer = None
    if mha in state.mip6_ha_list:
        state.mip6_ha_list.remove(mha)
    for ms in list(state.mip6_subnet_list):
        if mha in ms.ms_msha_list:
            ms.ms_msha_list.remove(mha)
            mip6_subnet.mip6_subnet_delete_if_empty(state, ms)
    if mha.mha_gaddr != IN6ADDR_ANY:
        mip6_home.mip6_ha_gone(kern, mha.mha_gaddr)


def mip6_ha_list_update_hainfo(
    kern: Kernel, src: bytes, flags: int, pref: int, lifetime: int
) -> None:
    """What a router advertisement says of its sender; lifetime 0 takes it off the list."""
    state = mip6_state(kern)
    mha = mip6_ha_list_find_withaddr(state, src)
    if mha is None:
        return
    if lifetime == 0:
        mip6_ha_list_remove(kern, mha)
        return
    mha.mha_flags = flags
    mha.mha_pref = pref
    mip6_ha_set_lifetime(kern, mha, lifetime)
    ms = mip6_subnet.mip6_subnet_find_withha(state, mha)
    if ms is not None:
        mip6_subnet.mip6_subnet_ha_sort(ms)
