# SPDX-License-Identifier: BSD-3-Clause
"""Mobile prefix advertisements, the home agent's side.

KAME of January 2002 had no sender (mip6_mps.c of later years). The list of prefixes is what this
kernel has on the home link, what its own router advertisements say and what those of other home
agents say. draft-ietf-mobileip-ipv6-15 s.9.8.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from kame_py.kern.clock import MS, NS
from kame_py.kern.log import LOG_INFO
from kame_py.kern.mbuf import M_NOBINDING, Mbuf, m_get
from kame_py.mip6 import mip6_ah, mip6_destopt, mip6_hareg
from kame_py.mip6.mip6_mpa_state import MPA_TABLE, MpaAct, MpaEv
from kame_py.mip6.mip6_state import HrSt
from kame_py.mip6.mip6_var import HaPrefix, Mip6Hr, mip6_state, mip6log
from kame_py.netinet6.icmp6_error import icmp6_outif, icmp6_sum
from kame_py.netinet6.icmp6_var import icmp6_out_count
from kame_py.netinet6.ip6_output import ip6_output, ip6_pkt
from kame_py.netinet6.ip6_var import Ip6Pktopts
from kame_py.netinet6.scope6 import addr_text
from kame_py.wire.codecs import (
    Icmp6Hdr,
    Ip6Dest,
    Ip6Hdr,
    Ip6Opt,
    MpAdvert,
    MpSolicit,
    NdOptPrefixInfo,
    NdRouterAdvert,
)
from kame_py.wire.const import (
    ICMP6_MOBILEPREFIX_ADVERT,
    IPPROTO_ICMPV6,
    IPPROTO_NONE,
    ND_MAX_HLIM,
    ND_OPT_PI_FLAG_AUTO,
    ND_OPT_PI_FLAG_ONLINK,
    ND_OPT_PI_FLAG_ROUTER,
    ND_RA_FLAG_HOME_AGENT,
)
from kame_py.wire.in6addr import (
    IN6_IS_ADDR_LINKLOCAL,
    IN6_IS_ADDR_MULTICAST,
    IN6ADDR_ANY,
    combine,
    prefix_equal,
)
from kame_py.wire.ip6ext import build_options
from kame_py.wire.malformed import Malformed
from kame_py.wire.mip6 import BindingRequest, UniqueId
from kame_py.wire.nd6opt import parse_nd_options
from kame_py.wire.patch import u8
from kame_py.wire.snap import INFINITE

if TYPE_CHECKING:
    from kame_py.kern.kernel import Kernel
    from kame_py.mip6.mip6_bcache import Mpa
    from kame_py.mip6.mip6_var import BuRequest, PrefixKey
    from kame_py.net.if_ import Ifnet

MAX_PFX_ADV_DELAY: Final = 1000  # s, draft-15 s.9.8.2
PREFIX_ADV_TIMEOUT: Final = 5  # s, s.11
PREFIX_ADV_RETRIES: Final = 3
MIN_RTR_ADV_INTERVAL_MS: Final = 198_000  # RFC 2461 s.6.2.1, while ours do not tell an interval
MIN_OF_MAX: Final = 33  # percent of the longest interval that the shortest is (same section)
LIFETIME_SLACK: Final = 2 * NS  # an end that moves less is the same end
MAX_PREFIXES: Final = 32  # told in one advertisement: it fits the minimum MTU
_UNIQID_MASK: Final = 0xFFFF


# -- the aggregate list of prefixes (s.9.8.1) -----------------------------------------------------


def mip6_mpa_prefixes(kern: Kernel, ifp: Ifnet) -> dict[PrefixKey, HaPrefix]:
    """All prefixes of a home link: others' say, then the kernel's, then what we advertise."""
    now = kern.now()
    heard = [
        pfx
        for (ifindex, *_), pfx in mip6_state(kern).mip6_mpa_list.items()
        if ifindex == ifp.if_index and (not pfx.vlexpire or pfx.vlexpire > now)
    ]
    found = {(pfx.prefix, pfx.plen): pfx for pfx in heard if not pfx.own}
    for pr in mip6_hareg.mip6_onlink(kern):
        if pr.ndpr_ifp is ifp and not IN6_IS_ADDR_LINKLOCAL(pr.ndpr_prefix):
            found[pr.ndpr_prefix, pr.ndpr_plen] = HaPrefix(
                pr.ndpr_prefix,
                pr.ndpr_plen,
                ND_OPT_PI_FLAG_ONLINK | ND_OPT_PI_FLAG_AUTO,
                pr.ndpr_vltime,
                pr.ndpr_expire,
                pr.ndpr_pltime,
                pr.ndpr_preferred,
            )
    return found | {(pfx.prefix, pfx.plen): pfx for pfx in heard if pfx.own}


def mip6_mpa_ra_input(kern: Kernel, m: Mbuf, off: int) -> bool:
    """A router advertisement: a home agent's prefixes of this link, perhaps our own. False always.

    A router does not use it otherwise, so for its fate nothing has happened.
    """
    ra = _home_agents_ra(m, off)
    opts = parse_nd_options(m.data, off + NdRouterAdvert.SIZE, len(m.data)) if ra else None
    if m.rcvif is None or opts is None or isinstance(opts, Malformed):
        return False
    own = m.src in kern.ip6.ifaddrs
    if own and opts.advinterval is not None:
        shortest = opts.advinterval.nd_opt_ai_interval * MIN_OF_MAX // 100
        mip6_state(kern).mip6_mpa_min_ms[m.rcvif.if_index] = shortest
    for pi in opts.prefixes:
        _heard(kern, m.rcvif, pi, b"" if own else m.src)
    mip6_mpa_check(kern)
    return False


def _home_agents_ra(m: Mbuf, off: int) -> bool:
    """Whether it is valid (RFC 2461 s.6.1.2) and its sender a home agent."""
    if len(m.data) - off < NdRouterAdvert.SIZE or not IN6_IS_ADDR_LINKLOCAL(m.src):
        return False
    ra = NdRouterAdvert.unpack(m.data, off)
    valid = u8(m.data, Ip6Hdr.O_ip6_hlim) == ND_MAX_HLIM and not ra.nd_ra_code
    return valid and bool(ra.nd_ra_flags_reserved & ND_RA_FLAG_HOME_AGENT)


def _heard(kern: Kernel, ifp: Ifnet, pi: NdOptPrefixInfo, router: bytes) -> None:
    """One prefix; what one router says is not what the next one changes, ours come first."""
    plen, flags = pi.nd_opt_pi_prefix_len, pi.nd_opt_pi_flags_reserved
    vltime, pltime = pi.nd_opt_pi_valid_time, pi.nd_opt_pi_preferred_time
    prefix = combine(pi.nd_opt_pi_prefix, min(plen, 128), IN6ADDR_ANY)
    if not flags & ND_OPT_PI_FLAG_AUTO or not 0 < plen <= 128 or pltime > vltime:
        return
    if IN6_IS_ADDR_LINKLOCAL(prefix) or IN6_IS_ADDR_MULTICAST(prefix):
        return
    known = mip6_state(kern).mip6_mpa_list
    key = ifp.if_index, prefix, plen
    old = known.get(key)
    lives = old is not None and (not old.vlexpire or old.vlexpire > kern.now())
    if old is not None and lives and router and old.router != router:
        return
    if old is None and len(known) >= MAX_PREFIXES:
        return
    known[key] = HaPrefix(
        prefix,
        plen,
        flags & ~ND_OPT_PI_FLAG_ROUTER,
        vltime,
        _expire(kern, vltime),
        pltime,
        _expire(kern, pltime),
        router,
    )


def _expire(kern: Kernel, lifetime_s: int) -> int:
    return 0 if lifetime_s == INFINITE else kern.now() + lifetime_s * NS


def _left_s(kern: Kernel, lifetime_s: int, expire: int) -> int:
    """What is left of a lifetime now."""
    return max((expire - kern.now()) // NS, 0) if expire else lifetime_s


def _differs(kern: Kernel, old: HaPrefix | None, new: HaPrefix | None) -> bool:
    """Whether a mobile node that knows ``old`` must hear of ``new``; time alone is no news."""
    if new is None:
        return old is not None and (not old.vlexpire or old.vlexpire > kern.now())
    if old is None or old.flags != new.flags:
        return True
    valid = old.vltime == new.vltime or _same_end(old.vlexpire, new.vlexpire)
    preferred = old.pltime == new.pltime or _same_end(old.plexpire, new.plexpire)
    return not (valid and preferred)


def _same_end(old: int, new: int) -> bool:
    return bool(old and new) and abs(old - new) <= LIFETIME_SLACK


# -- what happens to a registration ---------------------------------------------------------------


def mip6_mpa_registered(kern: Kernel, hr: Mip6Hr) -> None:
    """An update was accepted. The mobile node knows the prefixes of its time at home."""
    if hr.hr_mpa.mpa_told is None:
        mpa = hr.cache.own_mpa(hr.reg)
        mpa.mpa_told = mpa.mpa_seen = mip6_mpa_prefixes(kern, hr.hr_ifp)
        _regular(kern, hr)
        hr.cache.share(hr.reg)


def mip6_mpa_answered(kern: Kernel, hr: Mip6Hr, req: BuRequest) -> None:
    """Whether an accepted update brings back the unique identifier (s.9.8.3)."""
    ids = [sub.id for sub in req.bu.subopts if isinstance(sub, UniqueId)]
    if hr.hr_mpa.mpa_id is not None and hr.hr_mpa.mpa_id in ids:
        mip6_mpa_event(kern, hr, MpaEv.ACKED)


def mip6_mpa_check(kern: Kernel) -> None:
    """Prefixes may have changed: who must hear of it?"""
    links: dict[int, dict[PrefixKey, HaPrefix]] = {}
    news: dict[tuple[int, Mpa], bool] = {}  # many registrations know the same
    for hr in _served(kern):
        mpa, link = hr.hr_mpa, hr.hr_ifp.if_index
        if link not in links:
            links[link] = mip6_mpa_prefixes(kern, hr.hr_ifp)
        if (link, mpa) not in news:
            news[link, mpa] = _changed(kern, mpa.mpa_seen, links[link])
        if news[link, mpa]:
            hr.cache.own_mpa(hr.reg).mpa_seen = links[link]
            mip6_mpa_event(kern, hr, MpaEv.CHANGED)


def _changed(kern: Kernel, old: dict[PrefixKey, HaPrefix], now: dict[PrefixKey, HaPrefix]) -> bool:
    return any(_differs(kern, old.get(key), now[key]) for key in now) or any(
        key not in now and _differs(kern, old[key], None) for key in old
    )


def mip6_mp_sol_input(kern: Kernel, m: Mbuf, off: int) -> bool:
    """A solicitation of a mobile node that is registered here. True: it was answered."""
    if len(m.data) - off < MpSolicit.SIZE or Icmp6Hdr.unpack(m.data, off).icmp6_code:
        return False
    cache = mip6_state(kern).bcache
    rows = (*cache.homes_by(cache.hoa, m.src), *cache.homes_by(cache.coa, m.src))
    for hr in (Mip6Hr(cache, cache.reg[row]) for row in rows):
        known = hr.hr_st is HrSt.SERVED and hr.hr_addr == m.dst
        if known and m.src in (hr.hr_coa, hr.hr_hoa):
            mip6_mpa_event(kern, hr, MpaEv.SOLICITED)
            return True
    return False


def _served(kern: Kernel) -> list[Mip6Hr]:
    return [hr for hr in mip6_hareg.mip6_hr_list(kern) if hr.hr_st is HrSt.SERVED]


def mip6_mpa_event(kern: Kernel, hr: Mip6Hr, ev: MpaEv) -> None:
    """Look the event up and do what the table says."""
    act, st = MPA_TABLE[hr.hr_mpa.mpa_st, ev]
    if ev is MpaEv.END and hr.reg not in hr.cache.mpas:
        return  # most of them: nothing was ever planned
    mpa = hr.cache.own_mpa(hr.reg)
    mpa.mpa_st = st
    if act & MpaAct.STOP:
        _stop(hr)
    if act & (MpaAct.PLAN | MpaAct.SOONER):
        _plan(kern, hr)
    if act & MpaAct.FRESH:
        mpa.mpa_id = _uniqid(kern)
    if act & MpaAct.SEND:
        _send(kern, hr)
    if act & MpaAct.FIRST:
        mpa.mpa_tries = 0
        _arm(kern, hr, PREFIX_ADV_TIMEOUT * NS)
    if act & MpaAct.AGAIN:
        mpa.mpa_timer = None
        mpa.mpa_tries += 1
        if mpa.mpa_tries < PREFIX_ADV_RETRIES:
            _arm(kern, hr, (PREFIX_ADV_TIMEOUT << mpa.mpa_tries) * NS)
        else:
            _regular(kern, hr)
    if act & MpaAct.DONE:
        mpa.mpa_id, mpa.mpa_first = None, False
        mpa.mpa_told = {key: pfx for key, pfx in (mpa.mpa_told or {}).items() if pfx.vltime}
        _regular(kern, hr)
        hr.cache.share(hr.reg)


def _stop(hr: Mip6Hr) -> None:
    mpa = hr.cache.own_mpa(hr.reg)
    if mpa.mpa_timer is not None:
        mpa.mpa_timer.stop()
        mpa.mpa_timer = None


def _arm(kern: Kernel, hr: Mip6Hr, wait_ns: int) -> None:
    deadline = kern.now() + wait_ns
    mpa = hr.cache.own_mpa(hr.reg)
    mpa.mpa_timer = kern.callouts.at(deadline, mip6_mpa_event, kern, hr, MpaEv.TIMER)
    mpa.mpa_deadline = deadline


def _regular(kern: Kernel, hr: Mip6Hr) -> None:
    """Nothing is planned: some drafts tell it again after a while all the same."""
    interval_s = mip6_state(kern).dialect.prefixes.interval_s
    if interval_s and hr.hr_st is HrSt.SERVED and hr.hr_mpa.mpa_timer is None:
        _arm(kern, hr, interval_s * NS)


def _plan(kern: Kernel, hr: Mip6Hr) -> None:
    """RAND_ADV_DELAY of s.9.8.2; one that is planned already may only come earlier."""
    wait_ns = _rand_adv_delay(kern, hr)
    if hr.hr_mpa.mpa_timer is not None and hr.hr_mpa.mpa_deadline <= kern.now() + wait_ns:
        return
    _stop(hr)
    _arm(kern, hr, wait_ns)


def _rand_adv_delay(kern: Kernel, hr: Mip6Hr) -> int:
    hoa = hr.hr_hoa
    longest = MAX_PFX_ADV_DELAY * NS
    for pfx in mip6_mpa_prefixes(kern, hr.hr_ifp).values():
        if prefix_equal(hoa, pfx.prefix, pfx.plen):
            longest = min(longest, _left_s(kern, pfx.pltime, pfx.plexpire) * NS)
    told_ms = mip6_state(kern).mip6_mpa_min_ms.get(hr.hr_ifp.if_index, MIN_RTR_ADV_INTERVAL_MS)
    shortest = min(told_ms * MS, longest)
    return kern.rng.stream("mip6.mpa").between(shortest, longest)


def _uniqid(kern: Kernel) -> int:
    state = mip6_state(kern)
    state.mip6_mpa_uniqid = (state.mip6_mpa_uniqid + 1) & _UNIQID_MASK
    return state.mip6_mpa_uniqid


# -- the message (s.5.9, s.9.8.3) -----------------------------------------------------------------


def _send(kern: Kernel, hr: Mip6Hr) -> None:
    """All prefixes as they are now, from the address of the registration to the home address.

    By its care-of address, with a binding request while it has news or is the first one.
    """
    mpa, way = hr.cache.own_mpa(hr.reg), mip6_state(kern).dialect.prefixes
    if mpa.mpa_id is None and (mpa.mpa_first or way.wants_update):
        mpa.mpa_id = _uniqid(kern)
    options = b"".join(_option(kern, pfx) for pfx in _told(kern, hr))
    if not options:
        return  # s.5.9: one prefix at least
    dest2 = b"" if mpa.mpa_id is None else _request(kern, mpa.mpa_id)
    error = way.advertise(kern, hr, options, dest2)
    if error:
        text = f"prefix advertisement to {addr_text(kern, hr.hr_hoa)} failed. errno = {error}"
        mip6log(kern, LOG_INFO, text)


def mip6_mp_adv_output(kern: Kernel, hr: Mip6Hr, options: bytes, dest2: bytes) -> int:
    """A mobile prefix advertisement."""
    icmp6_out_count(kern, icmp6_outif(kern, hr.hr_coa), ICMP6_MOBILEPREFIX_ADVERT, 0)
    data = icmp6_sum(hr.hr_addr, hr.hr_hoa, MpAdvert().pack() + options)
    return mip6_mpa_output(kern, hr, IPPROTO_ICMPV6, data, dest2)


def mip6_mpa_output(kern: Kernel, hr: Mip6Hr, nxt: int, payload: bytes, dest2: bytes) -> int:
    """A packet to the home address by way of the care-of address; an errno."""
    src, dst = hr.hr_addr, hr.hr_hoa
    m = m_get(kern, ip6_pkt(src, dst, nxt, payload, kern.ip6.ip6_defhlim))
    m.src, m.dst = src, dst
    m.flags |= M_NOBINDING
    mip6_ah.mip6_ah_force(kern, m)
    kern.stats.mip6["mip6s_orthdr"] += 1
    rthdr = mip6_destopt.mip6_rthdr_create(hr.hr_coa)
    return ip6_output(kern, m, Ip6Pktopts(ip6po_rthdr=rthdr, ip6po_dest2=dest2))


def _told(kern: Kernel, hr: Mip6Hr) -> list[HaPrefix]:
    """What is said now; a prefix that is gone since the last time has lifetime 0."""
    mpa = hr.cache.own_mpa(hr.reg)
    old = mpa.mpa_told or {}
    now = mip6_mpa_prefixes(kern, hr.hr_ifp)
    end = kern.now()
    for key, pfx in old.items():
        ended = pfx.vltime and pfx.vlexpire and pfx.vlexpire <= end
        if key not in now and not ended:
            now[key] = replace(pfx, vltime=0, vlexpire=end, pltime=0, plexpire=end)
    mpa.mpa_told = dict(list(now.items())[:MAX_PREFIXES])
    return list(mpa.mpa_told.values())


def _option(kern: Kernel, pfx: HaPrefix) -> bytes:
    return NdOptPrefixInfo(
        nd_opt_pi_prefix_len=pfx.plen,
        nd_opt_pi_flags_reserved=pfx.flags,
        nd_opt_pi_valid_time=_left_s(kern, pfx.vltime, pfx.vlexpire),
        nd_opt_pi_preferred_time=_left_s(kern, pfx.pltime, pfx.plexpire),
        nd_opt_pi_prefix=pfx.prefix,
    ).pack()


def _request(kern: Kernel, uniqid: int) -> bytes:
    """A header with a binding request that wants the identifier back."""
    kern.stats.mip6["mip6s_obr"] += 1
    wire = mip6_state(kern).dialect.wire
    at = Ip6Dest.SIZE + Ip6Opt.SIZE
    subopts = wire.align_subopts([UniqueId(uniqid)], at)
    return build_options(IPPROTO_NONE, [wire.aligned(BindingRequest(subopts))])
