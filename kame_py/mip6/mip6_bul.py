# SPDX-License-Identifier: BSD-3-Clause
"""The binding update list of a mobile node: entries, what happens to them, their timer.

KAME mip6_binding.c (mip6_bu_*). Deviates: entries are found by peer and home address; numbers of
updates outlive the entries; an entry obeys the update rates; the one second timer runs only for
seconds in which something is due. Read first: draft-ietf-mobileip-ipv6-15 s.4.6, s.10.7-10.12.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from kame_py.kern.clock import MS, NS, tick_ceil
from kame_py.kern.log import LOG_INFO
from kame_py.kern.mbuf import IP6A_ROUTEOPTIMIZED, Mbuf
from kame_py.mip6 import if_hif, mip6_bu_output, mip6_home, mip6_mcast
from kame_py.mip6.mip6_mnstate import (
    CN_TABLE,
    HIF_LOCATION_FOREIGN,
    HIF_LOCATION_HOME,
    HOME_TABLE,
    MIP6_BU_REG_STATE_DEREGWAITACK,
    MIP6_BU_REG_STATE_NOTREG,
    MIP6_BU_REG_STATE_REG,
    MIP6_BU_REG_STATE_REGWAITACK,
    BuAct,
    BuEv,
    CnSt,
)
from kame_py.mip6.mip6_var import (
    MIP6_BA_INITIAL_TIMEOUT,
    MIP6_BA_MAX_TIMEOUT,
    MIP6_BU_STATE_BUNOTSUPP,
    MIP6_BU_STATE_MIP6NOTSUPP,
    MIP6_BU_STATE_WAITACK,
    MIP6_BU_STATE_WAITSENT,
    MIP6_BUL_MAXENTRIES,
    MIP6_CONFIG_TYPE_MN,
    MIP6_MAX_UPDATE_RATE,
    MIP6_SLOW_UPDATE_INTERVAL,
    HifSoftc,
    Mip6Bu,
    Mip6Peer,
    Mip6State,
    mip6_state,
    mip6log,
)
from kame_py.net.if_ import IFT_HIF
from kame_py.wire.codecs import Ip6Hdr, Ip6Rthdr
from kame_py.wire.const import (
    IP6_MIP6_BU_HOME,
    IPPROTO_ROUTING,
    IPV6_RTHDR_TYPE_0,
    IPV6_VERSION,
    IPV6_VERSION_MASK,
)
from kame_py.wire.in6addr import (
    IN6_IS_ADDR_LINKLOCAL,
    IN6_IS_ADDR_SITELOCAL,
    IN6ADDR_ANY,
    combine,
    prefix_equal,
)
from kame_py.wire.ip6ext import ExtHdr, rthdr0_addrs
from kame_py.wire.malformed import Malformed
from kame_py.wire.mip6 import BindingUpdate
from kame_py.wire.patch import u8
from kame_py.wire.snap import INFINITE

if TYPE_CHECKING:
    from kame_py.kern.kernel import Kernel
    from kame_py.netinet6.in6_var import In6Ifaddr
    from kame_py.wire.mip6 import BindingAck

NEVER: Final = 1 << 62  # ns
MIP6_BU_TIMEOUT_INTERVAL_NS: Final = NS
MIP6_MAXPEERS: Final = 4096  # whose numbers are remembered
MUTED: Final = MIP6_BU_STATE_BUNOTSUPP | MIP6_BU_STATE_MIP6NOTSUPP
DAD_FACTOR: Final = (3, 2)  # s.10.11: 1.5 times the duration of duplicate detection


def mip6_bu_is_home(bu: Mip6Bu) -> bool:
    """A home registration; forwarding from a previous care-of address is none."""
    return bool(bu.mbu_flags & IP6_MIP6_BU_HOME) and not bu.mbu_pcoa


# -- the list ---------------------------------------------------------------------------------


def mip6_bu_list(state: Mip6State) -> Iterator[Mip6Bu]:
    """All entries of the node; entries may go meanwhile."""
    for sc in state.hif_softc_list:
        yield from list(sc.hif_bu_list)


def mip6_bu_list_find_withpaddr(state: Mip6State, paddr: bytes, haddr: bytes) -> Mip6Bu | None:
    """The entry about this peer and home address."""
    for bu in mip6_bu_list(state):
        if bu.mbu_paddr == paddr and bu.mbu_haddr == haddr:
            return bu
    return None


def mip6_bu_list_find_home_registration(state: Mip6State, haddr: bytes) -> Mip6Bu | None:
    """The home registration of a home address."""
    for bu in mip6_bu_list(state):
        if bu.mbu_haddr == haddr and mip6_bu_is_home(bu):
            return bu
    return None


def mip6_bu_list_find_covering(state: Mip6State, addr: bytes) -> Mip6Bu | None:
    """The home registration for which the home agent defends an address of the home link.

    That of the home address; with S clear that of any with its interface identifier (s.9.1).
    """
    own = mip6_bu_list_find_home_registration(state, addr)
    return own or next((bu for bu in mip6_bu_list(state) if _covers(state, bu, addr)), None)


def _covers(state: Mip6State, bu: Mip6Bu, addr: bytes) -> bool:
    update = BindingUpdate(bu.mbu_flags, 0, 0, bu.mbu_prefixlen)
    if not mip6_bu_is_home(bu) or state.dialect.single(update):
        return False
    if combine(addr, state.dialect.ifid_at(update), bu.mbu_haddr) != addr:
        return False
    return any(
        any(mpfx.mpfx_haddr == bu.mbu_haddr for mpfx in ms.ms_mspfx_list)
        and any(prefix_equal(addr, p.mpfx_prefix, p.mpfx_prefixlen) for p in ms.ms_mspfx_list)
        for ms in bu.mbu_hif.hif_hs_list_home
    )


def mip6_bu_create(
    kern: Kernel, sc: HifSoftc, paddr: bytes, haddr: bytes, flags: int, coa: bytes
) -> Mip6Bu:
    """A new entry on the list of its home interface, newest first."""
    state = mip6_state(kern)
    idle = next(mip6_bu_list(state), None) is None
    bu = Mip6Bu(sc, paddr, haddr, coa, 0, NEVER, 0, 0, mbu_flags=flags)
    correspondents = [old for old in sc.hif_bu_list if not mip6_bu_is_home(old)]
    if len(correspondents) >= MIP6_BUL_MAXENTRIES:
        mip6_bu_list_remove(kern, correspondents[-1])
    sc.hif_bu_list.insert(0, bu)
    if idle:
        mip6log(kern, LOG_INFO, "BU timer started.")
    return bu


def mip6_bu_list_remove(kern: Kernel, bu: Mip6Bu) -> None:
    """Take an entry off."""
    state = mip6_state(kern)
    if bu not in bu.mbu_hif.hif_bu_list:
        return
    bu.mbu_hif.hif_bu_list.remove(bu)
    if next(mip6_bu_list(state), None) is None:
        mip6log(kern, LOG_INFO, "BU timer stopped.")
    mip6_bu_schedule(kern)


def mip6_peer(state: Mip6State, paddr: bytes) -> Mip6Peer:
    """What is remembered of a peer; the oldest memory goes when there are too many."""
    peer = state.mip6_peers.get(paddr)
    if peer is None:
        if len(state.mip6_peers) >= MIP6_MAXPEERS:
            del state.mip6_peers[next(iter(state.mip6_peers))]
        peer = state.mip6_peers[paddr] = Mip6Peer()
    return peer


# -- events -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class BuNews:
    """What comes with an event: the acknowledgement, and how long to hold back."""

    ack: BindingAck | None = None
    hold_s: int = 0


NO_NEWS: Final = BuNews()


def mip6_bu_event(kern: Kernel, bu: Mip6Bu, ev: BuEv, news: BuNews = NO_NEWS) -> None:
    """Move an entry by its table."""
    if mip6_bu_is_home(bu):
        act, bu.mbu_reg_state = HOME_TABLE[bu.mbu_reg_state, ev]
    else:
        act, _ = CN_TABLE[mip6_cn_state(bu), ev]
    for each in act:
        _ACTIONS[each](kern, bu, news)
    mip6_bu_schedule(kern)


def mip6_cn_state(bu: Mip6Bu) -> CnSt:
    """The state of a correspondent's entry; KAME keeps it in the bits of mbu_state."""
    if bu.mbu_state & MIP6_BU_STATE_MIP6NOTSUPP:
        return CnSt.BARE
    if bu.mbu_state & MIP6_BU_STATE_BUNOTSUPP:
        return CnSt.MUTE
    return CnSt.WAITSENT if bu.mbu_state & MIP6_BU_STATE_WAITSENT else CnSt.QUIET


def _reset(kern: Kernel, bu: Mip6Bu, news: BuNews) -> None:
    bu.mbu_bound_expire = 0
    bu.mbu_tunnel = False


def _next_ha(kern: Kernel, bu: Mip6Bu, news: BuNews) -> None:
    mip6_home.mip6_next_ha(kern, bu)


def mip6_bu_renew(kern: Kernel, bu: Mip6Bu, news: BuNews = NO_NEWS) -> None:
    """Care-of address, lifetime and flags as they are now; older updates no longer count."""
    state = mip6_state(kern)
    bu.mbu_outstanding.clear()
    if mip6_bu_is_home(bu):
        at_home = bu.mbu_reg_state == MIP6_BU_REG_STATE_DEREGWAITACK
        mip6_home.mip6_home_flags(kern, bu)
    elif bu.mbu_pcoa:
        return
    else:
        at_home = bu.mbu_hif.hif_location == HIF_LOCATION_HOME
    bu.mbu_coa = bu.mbu_haddr if at_home else state.hif_coa
    if not at_home:
        mip6_bu_set_lifetime(kern, bu, mip6_bu_output.mip6_bu_lifetime(kern, bu))


def mip6_bu_set_lifetime(kern: Kernel, bu: Mip6Bu, lifetime: int) -> None:
    """Seconds from now on; refresh comes with the acknowledgement."""
    bu.mbu_lifetime = bu.mbu_refresh = lifetime
    bu.mbu_expire = NEVER if lifetime == INFINITE else kern.now() + lifetime * NS
    bu.mbu_refexpire = 0


def mip6_first_acktimeout(kern: Kernel, bu: Mip6Bu) -> int:
    """Seconds; longer where the home agent tests for duplicates first (s.10.11)."""
    if not mip6_bu_is_home(bu) or bu.mbu_bound_expire > kern.now():
        return MIP6_BA_INITIAL_TIMEOUT
    ia = kern.ip6.ifaddrs.get(bu.mbu_coa)
    retrans_ms = ia.ia_ifp.ndi.retrans_ms if ia is not None else 0
    up, down = DAD_FACTOR
    dad_ns = up * retrans_ms * MS * kern.ip6.ip6_dad_count // down
    return max(MIP6_BA_INITIAL_TIMEOUT, -(-dad_ns // NS))


def _arm(kern: Kernel, bu: Mip6Bu, news: BuNews) -> None:
    bu.mbu_state |= MIP6_BU_STATE_WAITACK
    bu.mbu_acktimeout = mip6_first_acktimeout(kern, bu)
    bu.mbu_ackexpire = 0  # from when it is sent


def _double(kern: Kernel, bu: Mip6Bu, news: BuNews) -> None:
    """KAME compares whole seconds strictly, so that a timeout ends with the second after it."""
    twice = 2 * bu.mbu_acktimeout or mip6_first_acktimeout(kern, bu)
    bu.mbu_acktimeout = min(twice, MIP6_BA_MAX_TIMEOUT)
    bu.mbu_ackexpire = kern.now() + bu.mbu_acktimeout * NS + MIP6_BU_TIMEOUT_INTERVAL_NS


def _giveup(kern: Kernel, bu: Mip6Bu, news: BuNews) -> None:
    bu.mbu_state &= ~(MIP6_BU_STATE_WAITACK | MIP6_BU_STATE_WAITSENT)


def _accept(kern: Kernel, bu: Mip6Bu, news: BuNews) -> None:
    """Remaining lifetime less what the peer did not grant (s.10.13); refresh within it."""
    bu.mbu_state &= ~(MIP6_BU_STATE_WAITACK | MIP6_BU_STATE_WAITSENT)
    bu.mbu_hold = 0
    bu.mbu_tried.clear()
    ack = news.ack
    if ack is None:
        return
    now = kern.now()
    granted = min(ack.lifetime_s, bu.mbu_lifetime)
    if bu.mbu_expire == NEVER and granted != INFINITE:
        bu.mbu_expire = now + granted * NS
    elif granted != INFINITE:
        bu.mbu_expire = max(bu.mbu_expire - (bu.mbu_lifetime - granted) * NS, now)
    bu.mbu_lifetime = granted
    if bu.mbu_pcoa:  # short, and over when it is over
        bu.mbu_tunnel = True
        return
    bu.mbu_bound_expire = bu.mbu_expire if mip6_bu_is_home(bu) else 0
    bu.mbu_refresh = min(ack.refresh_s or granted, granted)
    bu.mbu_refexpire = 0 if bu.mbu_refresh == INFINITE else now + max(bu.mbu_refresh, 1) * NS


def _tunnel(kern: Kernel, bu: Mip6Bu, news: BuNews) -> None:
    bu.mbu_tunnel = True
    mip6_home.mip6_registered(kern, bu)
    mip6_mcast.mip6_mcast_rejoin(kern)


def _hold(kern: Kernel, bu: Mip6Bu, news: BuNews) -> None:
    until = kern.now() + news.hold_s * NS
    if mip6_bu_is_home(bu):
        bu.mbu_hold = until
    else:
        mip6_peer(mip6_state(kern), bu.mbu_paddr).hold = until


def _send(kern: Kernel, bu: Mip6Bu, news: BuNews) -> None:
    bu.mbu_state |= MIP6_BU_STATE_WAITSENT


def _mute(kern: Kernel, bu: Mip6Bu, news: BuNews) -> None:
    _giveup(kern, bu, news)
    bu.mbu_state |= MIP6_BU_STATE_BUNOTSUPP


def _bare(kern: Kernel, bu: Mip6Bu, news: BuNews) -> None:
    bu.mbu_state |= MIP6_BU_STATE_MIP6NOTSUPP


def _finish(kern: Kernel, bu: Mip6Bu, news: BuNews) -> None:
    mip6_home.mip6_returned_home(kern, bu)
    mip6_mcast.mip6_mcast_rejoin(kern)


def _forget(kern: Kernel, bu: Mip6Bu, news: BuNews) -> None:
    mip6_home.mip6_haddr_refused(kern, bu)


def _free(kern: Kernel, bu: Mip6Bu, news: BuNews) -> None:
    mip6_bu_list_remove(kern, bu)


_ACTIONS: Final[dict[BuAct, Callable[[Kernel, Mip6Bu, BuNews], None]]] = {
    BuAct.RESET: _reset,
    BuAct.NEXT_HA: _next_ha,
    BuAct.RENEW: mip6_bu_renew,
    BuAct.ARM: _arm,
    BuAct.DOUBLE: _double,
    BuAct.GIVEUP: _giveup,
    BuAct.ACCEPT: _accept,
    BuAct.TUNNEL: _tunnel,
    BuAct.HOLD: _hold,
    BuAct.SEND: _send,
    BuAct.MUTE: _mute,
    BuAct.BARE: _bare,
    BuAct.FINISH: _finish,
    BuAct.FORGET: _forget,
    BuAct.FREE: _free,
}

# -- the timer --------------------------------------------------------------------------------


def mip6_bu_may_send(kern: Kernel, bu: Mip6Bu) -> int:
    """When the next update may leave, ns: one a second, slower after five in a row (s.10.12)."""
    row = bu.mbu_sent_count if bu.mbu_sent_coa == bu.mbu_coa else 0
    gap = MIP6_SLOW_UPDATE_INTERVAL if row >= MIP6_MAX_UPDATE_RATE else 1
    until = max(bu.mbu_sent_at + gap * NS, bu.mbu_hold)
    if not mip6_bu_is_home(bu):
        until = max(until, mip6_peer(mip6_state(kern), bu.mbu_paddr).hold)
    return until


def _end(bu: Mip6Bu) -> int:
    """When the binding ends, ns: what the home agent granted may end before what was asked for."""
    return min(bu.mbu_expire, bu.mbu_bound_expire or NEVER)


def _due(kern: Kernel, bu: Mip6Bu) -> int:
    """When something is to be done about the entry."""
    times = [_end(bu)]
    if not bu.mbu_state & MUTED:
        if bu.mbu_state & MIP6_BU_STATE_WAITSENT and bu.mbu_paddr != IN6ADDR_ANY:
            times.append(mip6_bu_may_send(kern, bu))
        if bu.mbu_state & MIP6_BU_STATE_WAITACK:
            times.append(bu.mbu_ackexpire or NEVER)
        elif bu.mbu_refexpire:
            times.append(bu.mbu_refexpire)
    return min(times)


def mip6_bu_schedule(kern: Kernel) -> None:
    """Let the timer run in the first second in which something is due."""
    state = mip6_state(kern)
    due = min((_due(kern, bu) for bu in mip6_bu_list(state)), default=NEVER)
    deadline = tick_ceil(max(due, kern.now() + 1), MIP6_BU_TIMEOUT_INTERVAL_NS)
    timer = state.bu_timer
    if timer is not None:
        if timer.deadline == deadline and timer.pending:
            return
        timer.stop()
        state.bu_timer = None
    if due < NEVER:
        state.bu_timer = kern.callouts.at(deadline, mip6_bu_timeout, kern)


def mip6_bu_timeout(kern: Kernel) -> None:
    """A second of the timer (KAME mip6_bu_timeout)."""
    for bu in mip6_bu_list(mip6_state(kern)):
        _bu_tick(kern, bu)
    mip6_bu_schedule(kern)


def _bu_tick(kern: Kernel, bu: Mip6Bu) -> None:
    now = kern.now()
    if now >= _end(bu):
        mip6_bu_event(kern, bu, BuEv.EXPIRE)
    if bu not in bu.mbu_hif.hif_bu_list or bu.mbu_state & MUTED:
        return
    if bu.mbu_state & MIP6_BU_STATE_WAITACK:
        if bu.mbu_ackexpire and now >= bu.mbu_ackexpire:
            limit = bu.mbu_acktimeout >= MIP6_BA_MAX_TIMEOUT
            mip6_bu_event(kern, bu, BuEv.LIMIT if limit else BuEv.TIMEOUT)
    elif bu.mbu_refexpire and now >= bu.mbu_refexpire:
        bu.mbu_refexpire = 0
        mip6_bu_event(kern, bu, BuEv.REFRESH)
    if bu.mbu_state & MIP6_BU_STATE_WAITSENT and now >= mip6_bu_may_send(kern, bu):
        mip6_bu_output.mip6_bu_send_bu(kern, bu)


# -- what comes in ----------------------------------------------------------------------------

MATCH_BITS: Final = 256  # both outer addresses


def mip6_bu_encapcheck(kern: Kernel, m: Mbuf, off: int, nxt: int) -> int:
    """Whether an encapsulated packet is our home agent's: to a home address, from where we said.

    Also while its acknowledgement is awaited: what it tunnels says that only that got lost.
    """
    if len(m.data) - off < Ip6Hdr.SIZE or u8(m.data, off) & IPV6_VERSION_MASK != IPV6_VERSION:
        return 0
    inner = Ip6Hdr.unpack(m.data, off).ip6_dst
    for bu in mip6_bu_list(mip6_state(kern)):
        if bu.mbu_paddr == m.src and bu.mbu_haddr == inner and (bu.mbu_tunnel or _asked(bu)):
            ia = kern.ip6.ifaddrs.get(m.dst)
            return MATCH_BITS if ia is not None and ia.ia_ifp.if_type != IFT_HIF else 0
    return 0


def _asked(bu: Mip6Bu) -> bool:
    """Whether a registration is unanswered."""
    return bu.mbu_reg_state == MIP6_BU_REG_STATE_REGWAITACK and bool(bu.mbu_outstanding)


def mip6_route_optimize(kern: Kernel, m: Mbuf, off: int, nxt: int) -> bool:
    """A packet that the home agent had to tunnel: its sender gets an update (s.10.9). True always.

    Deviates from KAME: the packet must have come out of a tunnel whose far end did not make it.
    """
    state = mip6_state(kern)
    if state.config.mcfg_type != MIP6_CONFIG_TYPE_MN or not m.encaps or m.dst >= b"\xff":
        return True
    if m.aux is not None and m.aux.ip6a_flags & IP6A_ROUTEOPTIMIZED:
        return True
    src, dst = m.src, m.dst
    if any(IN6_IS_ADDR_LINKLOCAL(a) or IN6_IS_ADDR_SITELOCAL(a) for a in (src, dst)):
        return True
    found = if_hif.hif_list_find_withhaddr(state, dst)
    hrbu = mip6_bu_list_find_home_registration(state, dst)
    if found is None or found[0].hif_location != HIF_LOCATION_FOREIGN or hrbu is None:
        return True
    if hrbu.mbu_reg_state != MIP6_BU_REG_STATE_REG or src in kern.ip6.ifaddrs:
        return True
    if any(bu.mbu_paddr == src and mip6_bu_is_home(bu) for bu in mip6_bu_list(state)):
        return True
    bu = mip6_bu_list_find_withpaddr(state, src, dst)
    if bu is None:
        mip6_bu_output.mip6_cn_bu_create(kern, found[0], src, dst)
    else:
        mip6_bu_event(kern, bu, BuEv.TUNNELLED)
    return True


def mip6_rthdr_done(kern: Kernel, m: Mbuf, off: int) -> None:
    """A routing header without segments left: did the packet come by our care-of address?"""
    size = (u8(m.data, off + Ip6Rthdr.O_ip6r_len) + 1) << 3
    if u8(m.data, off + Ip6Rthdr.O_ip6r_type) != IPV6_RTHDR_TYPE_0:
        return
    addrs = rthdr0_addrs(m.data, ExtHdr(IPPROTO_ROUTING, off, size))
    if isinstance(addrs, Malformed) or not addrs:
        return
    kern.stats.mip6["mip6s_rthdr"] += 1
    for bu in mip6_bu_list(mip6_state(kern)):
        if mip6_bu_is_home(bu) and (bu.mbu_haddr, bu.mbu_coa) == (m.dst, addrs[-1]):
            m.auxdata().ip6a_flags |= IP6A_ROUTEOPTIMIZED


def mip6_ifa_need_dad(kern: Kernel, ia: In6Ifaddr) -> bool:
    """Whether a new address must be tested: not on a home interface, not while we are bound."""
    if ia.ia_ifp.if_type == IFT_HIF:
        return False
    bu = mip6_bu_list_find_covering(mip6_state(kern), ia.ia_addr)
    return bu is None or bu.mbu_reg_state == MIP6_BU_REG_STATE_NOTREG
