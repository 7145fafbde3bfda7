# SPDX-License-Identifier: BSD-3-Clause
"""Home agent address discovery, the mobile node's side.

KAME mip6_icmp6.c (mip6_icmp6_ha_discov_req_output, _rep_input). Deviates: requests back off; a
reply must answer the request that is out and come from the home prefix; its order is kept. The
states are in mip6_mnstate.py. Read first: draft-ietf-mobileip-ipv6-15 s.10.8.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from kame_py.kern.clock import NS
from kame_py.kern.log import LOG_ERR
from kame_py.kern.mbuf import Mbuf
from kame_py.mip6 import mip6_ha, mip6_home, mip6_prefix, mip6_subnet
from kame_py.mip6.mip6_mnstate import DHAAD_TABLE, DhaadAct, DhaadEv, DhaadSt
from kame_py.mip6.mip6_var import (
    MIP6_BA_MAX_TIMEOUT,
    MIP6_DHAAD_INITIAL_TIMEOUT,
    MIP6_DHAAD_RETRIES,
    MIP6_HA_DEFAULT_LIFETIME,
    HifSoftc,
    Mip6Prefix,
    Mip6Subnet,
    mip6_state,
    mip6log,
)
from kame_py.netinet6.icmp6_error import icmp6_outif, icmp6_send
from kame_py.wire.const import ND_RA_FLAG_HOME_AGENT
from kame_py.wire.in6addr import IN6ADDR_ANY, combine, pton
from kame_py.wire.malformed import Malformed
from kame_py.wire.mip6 import parse_ha_reply

if TYPE_CHECKING:
    from kame_py.kern.kernel import Kernel

IDENT_MASK: Final = 0xFFFF
EUI64_PLEN: Final = 64
_LINKLOCAL: Final = b"\xfe\x80" + bytes(6)
_ANYCAST_EUI64: Final = pton("::fdff:ffff:ffff:fffe")  # RFC 2526 s.2, identifier 126
_ANYCAST_OTHER: Final = pton("ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe")
MIP6_MAX_DISCOVERED: Final = 64  # home agents of one reply


def mip6_icmp6_create_haanyaddr(prefix: bytes, plen: int) -> bytes:
    """The home agents anycast address of a prefix (draft s.5.6, RFC 2526)."""
    ifid = _ANYCAST_EUI64 if plen == EUI64_PLEN else _ANYCAST_OTHER
    assert ifid is not None
    return combine(prefix, plen, ifid)


def mip6_dhaad_start(kern: Kernel, sc: HifSoftc) -> None:
    """A registration of this interface wants a home agent."""
    _event(kern, sc, DhaadEv.START)


def mip6_dhaad_moved(kern: Kernel, sc: HifSoftc) -> None:
    """... and the care-of address is a new one."""
    _event(kern, sc, DhaadEv.MOVED)


def mip6_dhaad_stop(kern: Kernel, sc: HifSoftc) -> None:
    """At home, or switched off."""
    _event(kern, sc, DhaadEv.STOP)
    sc.hif_hadiscovid = None


def _event(kern: Kernel, sc: HifSoftc, ev: DhaadEv) -> None:
    act, sc.hif_dhaad_st = DHAAD_TABLE[sc.hif_dhaad_st, ev]
    for each in act:
        _ACTIONS[each](kern, sc)


def _fresh(kern: Kernel, sc: HifSoftc) -> None:
    sc.hif_dhaad_tries = 0
    sc.hif_dhaad_pause = MIP6_DHAAD_INITIAL_TIMEOUT << MIP6_DHAAD_RETRIES + 1


def _send(kern: Kernel, sc: HifSoftc) -> None:
    _wait(kern, sc, MIP6_DHAAD_INITIAL_TIMEOUT << sc.hif_dhaad_tries)
    sc.hif_dhaad_tries += 1
    # after a move the default router is chosen behind us: send when that is done
    kern.schednetisr(mip6_icmp6_ha_discov_req_output, kern, sc)


def _rest(kern: Kernel, sc: HifSoftc) -> None:
    mip6log(kern, LOG_ERR, "no answer to home agent discovery, trying later.")
    sc.hif_dhaad_tries = 0
    _wait(kern, sc, sc.hif_dhaad_pause)
    sc.hif_dhaad_pause = min(2 * sc.hif_dhaad_pause, MIP6_BA_MAX_TIMEOUT)


def _wait(kern: Kernel, sc: HifSoftc, seconds: int) -> None:
    _cancel(kern, sc)
    deadline = kern.now() + seconds * NS
    sc.hif_dhaad_timer = kern.callouts.at(deadline, _timeout, kern, sc)


def _timeout(kern: Kernel, sc: HifSoftc) -> None:
    last = sc.hif_dhaad_st is DhaadSt.WAIT and sc.hif_dhaad_tries > MIP6_DHAAD_RETRIES
    _event(kern, sc, DhaadEv.GIVEUP if last else DhaadEv.TIMEOUT)


def _cancel(kern: Kernel, sc: HifSoftc) -> None:
    if sc.hif_dhaad_timer is not None:
        sc.hif_dhaad_timer.stop()
        sc.hif_dhaad_timer = None


def _learnt(kern: Kernel, sc: HifSoftc) -> None:
    """Home agents are on their lists by now: let registrations go on."""
    sc.hif_hadiscovid = None
    mip6_home.mip6_ha_found(kern, sc)


_ACTIONS: Final[dict[DhaadAct, Callable[[Kernel, HifSoftc], None]]] = {
    DhaadAct.FRESH: _fresh,
    DhaadAct.SEND: _send,
    DhaadAct.REST: _rest,
    DhaadAct.LEARN: _learnt,
    DhaadAct.CANCEL: _cancel,
}


def _wanting(sc: HifSoftc) -> tuple[Mip6Subnet, Mip6Prefix] | None:
    """The first home prefix of a link without a home agent, else of one that fails, else of all."""
    prefixes = [
        (ms, mpfx)
        for ms, mpfx in mip6_subnet.hif_home_prefixes(sc)
        if mpfx.mpfx_haddr != IN6ADDR_ANY
    ]
    for ms, mpfx in prefixes:
        if not mip6_subnet.mip6_subnet_ha_list_preferable(ms):
            return ms, mpfx
    failed = {bu.mbu_haddr for bu in sc.hif_bu_list if mip6_home.mip6_ha_sought(bu)}
    prefixes.sort(key=lambda row: row[1].mpfx_haddr not in failed)
    return prefixes[0] if prefixes else None


def mip6_icmp6_ha_discov_req_output(kern: Kernel, sc: HifSoftc) -> None:
    """One request from the care-of address to the home agents anycast address."""
    state = mip6_state(kern)
    wanting = _wanting(sc)
    if wanting is None or state.hif_coa == IN6ADDR_ANY or sc.hif_dhaad_st is not DhaadSt.WAIT:
        return
    _, mpfx = wanting
    sc.hif_hadiscovid = state.mip6_hadiscovid
    state.mip6_hadiscovid = (state.mip6_hadiscovid + 1) & IDENT_MASK
    dst = mip6_icmp6_create_haanyaddr(mpfx.mpfx_prefix, mpfx.mpfx_prefixlen)
    request = state.dialect.dhaad_request(sc.hif_hadiscovid, mpfx.mpfx_haddr)
    body = state.dialect.wire.pack_ha_request(request)
    hlim = kern.ip6.ip6_defhlim
    error = icmp6_send(kern, state.hif_coa, dst, body, hlim, icmp6_outif(kern, dst))
    if error:
        mip6log(kern, LOG_ERR, f"failed to send a DHAAD request (errno = {error})")


def mip6_hadiscov_reply_input(kern: Kernel, m: Mbuf, off: int) -> bool:
    """One reply. True when it was used.

    It must carry the number of the request that is out, and come from an address of the home link.
    """
    rep = parse_ha_reply(m.data, off, len(m.data))
    if isinstance(rep, Malformed):
        mip6log(kern, LOG_ERR, "failed to process a DHAAD reply.")
        return False
    for sc in mip6_state(kern).hif_softc_list:
        if sc.hif_hadiscovid is None or sc.hif_hadiscovid != rep.id:
            continue
        wanting = _wanting(sc)
        if wanting is None or m.dst != mip6_state(kern).hif_coa:
            continue
        ms, mpfx = wanting
        addrs = [m.src, *rep.addrs] if m.src not in rep.addrs else list(rep.addrs)
        if not mip6_prefix.mip6_prefix_covers(mpfx, m.src):
            continue
        good = [a for a in dict.fromkeys(addrs) if mip6_prefix.mip6_prefix_covers(mpfx, a)]
        mip6_ha_list_discovered(kern, ms, good[:MIP6_MAX_DISCOVERED])
        _event(kern, sc, DhaadEv.REPLY)
        if mip6_home.mip6_ha_wanted(sc):  # another home link has none yet
            mip6_dhaad_start(kern, sc)
        return True
    return False


def mip6_ha_list_discovered(kern: Kernel, ms: Mip6Subnet, addrs: list[bytes]) -> None:
    """Home agents of a home link, best first (mip6_ha_discov_ha_list_insert)."""
    state = mip6_state(kern)
    found = []
    for gaddr in addrs:
        mha = mip6_ha.mip6_ha_list_find_withaddr(state, gaddr)
        if mha is None:
            lladdr = combine(_LINKLOCAL + bytes(8), EUI64_PLEN, gaddr)
            mha = mip6_ha.mip6_ha_create(kern, lladdr, gaddr, ND_RA_FLAG_HOME_AGENT)
        mha.mha_flags |= ND_RA_FLAG_HOME_AGENT
        if mha.mha_expire or not mha.mha_lifetime:
            mip6_ha.mip6_ha_set_lifetime(kern, mha, MIP6_HA_DEFAULT_LIFETIME)
        found.append(mha)
    ms.ms_msha_list = found + [mha for mha in ms.ms_msha_list if mha not in found]
