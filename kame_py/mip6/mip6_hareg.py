# SPDX-License-Identifier: BSD-3-Clause
"""Home registration and de-registration at the home agent, with duplicate address detection.

Corresponds to mip6_process_hrbu, mip6_process_hurbu and mip6_dad_* of KAME mip6_binding.c.
Deviates: the entries of one registration are a group with one state (mip6_state.HR_TABLE); a
repeated update does not cut detection short; addresses of this node are refused; lifetimes end with
the prefix. draft-ietf-mobileip-ipv6-15 s.9.1-9.3.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kame_py.kern.clock import NS
from kame_py.kern.log import LOG_ERR
from kame_py.mip6 import mip6_ba, mip6_bc, mip6_mcast, mip6_mpa, mip6_proxy
from kame_py.mip6.mip6_bcache import HOME, HR_CODE, Awaited
from kame_py.mip6.mip6_bcview import Mip6Hr
from kame_py.mip6.mip6_mpa_state import MpaEv
from kame_py.mip6.mip6_state import HR_TABLE, HrAct, HrEv, HrSt
from kame_py.mip6.mip6_var import MIP6_CONFIG_TYPE_CN, mip6_state
from kame_py.net.if_ import IFF_LOOPBACK
from kame_py.netinet6 import in6, nd6_dad
from kame_py.netinet6.in6_var import IN6_IFF_TENTATIVE, In6Ifaddr
from kame_py.netinet6.nd6_var import NDPRF_ONLINK
from kame_py.netinet6.scope6 import in6_clearscope, in6_embedscope
from kame_py.wire.const import (
    IP6_MIP6_BU_DAD,
    MIP6_BA_STATUS_ACCEPTED,
    MIP6_BA_STATUS_DAD_FAILED,
    MIP6_BA_STATUS_NOT_HOME_AGENT,
    MIP6_BA_STATUS_NOT_HOME_SUBNET,
    MIP6_BA_STATUS_PROHIBIT,
    MIP6_BA_STATUS_RESOURCES,
    MIP6_BA_STATUS_UNSPECIFIED,
)
from kame_py.wire.in6addr import IN6_IS_ADDR_LINKLOCAL, combine, ntop, prefix_equal
from kame_py.wire.snap import INFINITE

if TYPE_CHECKING:
    from kame_py.kern.kernel import Kernel
    from kame_py.mip6.mip6_bcache import Bcache
    from kame_py.mip6.mip6_var import BuRequest
    from kame_py.net.if_ import Ifnet
    from kame_py.netinet6.nd6_var import NdPrefix

IFID_BITS: Final = 64  # of an interface identifier, RFC 2373 s.2.5.1
_PLEN_MAX: Final = 128 - IFID_BITS
#: The actions as plain integers: every update of a registration asks for each of them.
_DAD: Final[int] = HrAct.DAD.value
_SERVE: Final[int] = HrAct.SERVE.value
_STOPDAD: Final[int] = HrAct.STOPDAD.value
_RELEASE: Final[int] = HrAct.RELEASE.value
_ACK: Final[int] = HrAct.ACK.value
_NAK_DAD: Final[int] = HrAct.NAK_DAD.value
_NAK_UNKNOWN: Final[int] = HrAct.NAK_UNKNOWN.value
MIP6_REFRESH_MIN: Final = 2  # s, unless the lifetime itself is shorter


# -- the home link --------------------------------------------------------------------------------


def mip6_home_prefix(kern: Kernel, hoa: bytes) -> NdPrefix | None:
    """The longest on-link prefix that covers the home address; its interface is the home link."""
    best: NdPrefix | None = None
    for pr in mip6_onlink(kern):
        if prefix_equal(hoa, pr.ndpr_prefix, pr.ndpr_plen):
            if best is None or pr.ndpr_plen > best.ndpr_plen:
                best = pr
    return best


def mip6_onlink(kern: Kernel) -> list[NdPrefix]:
    """Prefixes of real links that are valid now."""
    return [
        pr
        for pr in kern.nd6.prefixes
        if pr.ndpr_stateflags & NDPRF_ONLINK
        and not pr.ndpr_ifp.if_flags & IFF_LOOPBACK
        and pr.ndpr_plen < len(pr.ndpr_prefix) * 8
        and _valid_s(kern, pr) > 0
    ]


def _valid_s(kern: Kernel, pr: NdPrefix) -> int:
    """Remaining valid lifetime, s."""
    if not pr.ndpr_expire:
        return pr.ndpr_vltime and INFINITE
    return max((pr.ndpr_expire - kern.now()) // NS, 0)


def _covered(kern: Kernel, req: BuRequest, home: NdPrefix) -> dict[bytes, NdPrefix]:
    """Every address that the update registers, the home address first (draft-15 s.9.1).

    With S clear the interface identifier under each prefix of the link, link-local included.
    """
    found = {req.hoa: home}
    if not mip6_state(kern).dialect.single(req.bu):
        for pr in mip6_onlink(kern):
            if pr.ndpr_ifp is home.ndpr_ifp and pr.ndpr_plen <= _PLEN_MAX:
                addr = combine(pr.ndpr_prefix, pr.ndpr_plen, req.hoa)
                found.setdefault(in6_embedscope(addr, home.ndpr_ifp.if_index), pr)
    return found


# -- updates --------------------------------------------------------------------------------------


def mip6_process_hrbu(kern: Kernel, req: BuRequest) -> None:
    """Register: check what can be served, then run the registration's state machine."""
    home = mip6_home_prefix(kern, req.hoa)
    if home is None:
        mip6_ba.mip6_bc_send_ba(kern, req, MIP6_BA_STATUS_NOT_HOME_SUBNET)
        return
    covered = _covered(kern, req, home)
    status = _refusal(kern, req, home, covered)
    if status:
        mip6_ba.mip6_bc_send_ba(kern, req, status)
        return
    lifetime_s = min(req.bu.lifetime_s, *(_valid_s(kern, pr) for pr in covered.values()))
    limit = mip6_state(kern).hrbc_lifetime_limit
    if limit:
        lifetime_s = min(lifetime_s, limit)
    hr = _registration(kern, req) or _new(kern, home.ndpr_ifp)
    mip6_mpa.mip6_mpa_answered(kern, hr, req)
    _bind(kern, hr, req, list(covered), lifetime_s)
    # Without solicitations to send there is nothing to wait for (net.inet6.ip6.dad_count 0).
    detect = req.bu.flags & IP6_MIP6_BU_DAD and kern.ip6.ip6_dad_count
    mip6_hr_event(kern, hr, HrEv.REG_DAD if detect else HrEv.REG, req)
    if hr.hr_dad is not None and hr.hr_dad not in kern.nd6.dadq:
        nd6_dad.nd6_dad_start(kern, hr.hr_dad)  # it was given up while the link was down


def _new(kern: Kernel, ifp: Ifnet) -> Mip6Hr:
    cache = mip6_state(kern).bcache
    return Mip6Hr(cache, cache.new_hr(ifp))


def _registration(kern: Kernel, req: BuRequest) -> Mip6Hr | None:
    """The registration that the update renews.

    An address that another update covered along gets its own when it is registered alone.
    """
    state = mip6_state(kern)
    row = state.bcache.find_home(req.hoa)
    if not row:
        return None
    hr = Mip6Hr(state.bcache, state.bcache.reg[row])
    return None if hr.hr_main != row and state.dialect.single(req.bu) else hr


def _refusal(kern: Kernel, req: BuRequest, home: NdPrefix, covered: dict[bytes, NdPrefix]) -> int:
    """Why the registration cannot be served: a status, or 0."""
    state = mip6_state(kern)
    status = state.dialect.prefix_refused(req.bu, home.ndpr_plen)
    if status:
        return status
    if req.hoa in kern.ip6.ifaddrs or IN6_IS_ADDR_LINKLOCAL(req.addr):
        return MIP6_BA_STATUS_PROHIBIT  # the tunnel needs a source that is one everywhere
    if any(addr in kern.ip6.ifaddrs for addr in covered):
        return MIP6_BA_STATUS_DAD_FAILED
    if not home.ndpr_ifp.up:
        return MIP6_BA_STATUS_UNSPECIFIED
    new = sum(not state.bcache.find_home(addr) for addr in covered)
    if new and state.bcache.homes + new > state.hrbc_maxentries:
        return MIP6_BA_STATUS_RESOURCES
    return 0


def mip6_process_hurbu(kern: Kernel, req: BuRequest) -> None:
    """De-register: one address with S, else all with its interface identifier on its link."""
    home = mip6_home_prefix(kern, req.hoa)
    if home is None:
        mip6_ba.mip6_bc_send_ba(kern, req, MIP6_BA_STATUS_NOT_HOME_SUBNET)
        return
    state = mip6_state(kern)
    cache = state.bcache
    row = cache.find_home(req.hoa)
    if not row:
        mip6_hr_event(kern, _new(kern, home.ndpr_ifp), HrEv.DEREG, req)
        return
    hr = Mip6Hr(cache, cache.reg[row])
    single = state.dialect.single(req.bu)
    if single and hr.hr_main != row:
        _leave(kern, cache, row)
        if state.dialect.acks_deregistration(req.bu.flags):
            mip6_ba.mip6_bc_send_ba(kern, req, MIP6_BA_STATUS_ACCEPTED)
        return
    if not single:
        for other in _same_ifid(kern, hr, req):
            mip6_hr_event(kern, other, HrEv.EXPIRE)
    mip6_hr_event(kern, hr, HrEv.DEREG, req)


def _same_ifid(kern: Kernel, hr: Mip6Hr, req: BuRequest) -> list[Mip6Hr]:
    """Other registrations of the same interface identifier on the same link."""
    hoa, bits = req.hoa, mip6_state(kern).dialect.ifid_at(req.bu)
    cache = hr.cache
    links = [pr for pr in mip6_onlink(kern) if pr.ndpr_ifp is hr.hr_ifp]
    if all(pr.ndpr_plen >= bits for pr in links):
        addrs = [combine(pr.ndpr_prefix, bits, hoa) for pr in links]
        rows = [cache.find_home(in6_embedscope(a, hr.hr_ifp.if_index)) for a in addrs]
    else:
        rows = list(cache.rows(HOME))
    found: dict[Mip6Hr, None] = {}
    for row in filter(None, rows):
        other = Mip6Hr(cache, cache.reg[row])
        if other != hr and other.hr_ifp is hr.hr_ifp:
            if combine(hoa, bits, cache.get_hoa(row)) == hoa:
                found[other] = None
    return list(found)


# -- the registration -----------------------------------------------------------------------------


def mip6_hr_event(kern: Kernel, hr: Mip6Hr, ev: HrEv, req: BuRequest | None = None) -> None:
    """Look the event up and do what the table says; req: the update that is the event."""
    cache, reg = hr.cache, hr.reg
    action, st = HR_TABLE[hr.hr_st, ev]
    act = action.value
    cache.hr_st[reg] = HR_CODE[st]
    rows = cache.hr_rows(reg)
    for row in rows:
        kern.changes.note(cache.get_hoa(row))
    if act & _DAD and req is not None:
        _dad_start(kern, hr, req)
    answered = cache.awaited.get(reg)
    if req is None:
        req = None if answered is None else answered.req
    elif answered is not None:
        answered.req = req
    if act & _SERVE:
        for row in rows:
            mip6_proxy.mip6_bc_proxy_control(kern, cache, row, hr.hr_ifp)
    if act & _STOPDAD:
        _dad_end(kern, hr)
    lifetime_s = cache.lifetime[rows[0]] if rows else 0
    if st is HrSt.SERVED:
        mip6_mpa.mip6_mpa_registered(kern, hr)
    if act & _RELEASE:
        lifetime_s = 0
        mip6_mpa.mip6_mpa_event(kern, hr, MpaEv.END)
        mip6_mcast.mip6_groups_release(kern, hr)
        for row in rows:
            _unbind(kern, cache, row)
    if st is HrSt.NONE:
        cache.free_hr(reg)
    if req is not None:
        _answer(kern, req, act, lifetime_s, ev)


def _answer(kern: Kernel, req: BuRequest, act: int, lifetime_s: int, ev: HrEv) -> None:
    """The acknowledgement that the table wants."""
    if act & _ACK and (
        ev is not HrEv.DEREG or mip6_state(kern).dialect.acks_deregistration(req.bu.flags)
    ):
        refresh_s = max(lifetime_s // 2, min(MIP6_REFRESH_MIN, lifetime_s))
        mip6_ba.mip6_bc_send_ba(kern, req, MIP6_BA_STATUS_ACCEPTED, lifetime_s, refresh_s)
    if act & _NAK_DAD:
        mip6_ba.mip6_bc_send_ba(kern, req, MIP6_BA_STATUS_DAD_FAILED)
    if act & _NAK_UNKNOWN:
        mip6_ba.mip6_bc_send_ba(kern, req, MIP6_BA_STATUS_NOT_HOME_AGENT)


def mip6_hr_expire(kern: Kernel, hr: Mip6Hr) -> None:
    """The lifetime is over; all entries of a registration have the same."""
    mip6_hr_event(kern, hr, HrEv.EXPIRE)


def mip6_hr_list(kern: Kernel) -> list[Mip6Hr]:
    """All registrations, the oldest first."""
    cache = mip6_state(kern).bcache
    return [Mip6Hr(cache, reg) for reg in {cache.reg[row]: None for row in cache.rows(HOME)}]


def mip6_hr_check(kern: Kernel) -> None:
    """The prefixes of this node changed: what it can no longer serve ends."""
    for hr in mip6_hr_list(kern):
        home = mip6_home_prefix(kern, hr.hr_hoa)
        lost = home is None or home.ndpr_ifp is not hr.hr_ifp
        if lost or hr.hr_addr not in kern.ip6.ifaddrs:
            mip6_hr_event(kern, hr, HrEv.EXPIRE)


def mip6_disable_ha(kern: Kernel) -> None:
    """No home agent any more: what was registered, or is under test, ends here and now."""
    for hr in mip6_hr_list(kern):
        mip6_hr_event(kern, hr, HrEv.EXPIRE)
    mip6_state(kern).config.mcfg_type = MIP6_CONFIG_TYPE_CN


def _bind(kern: Kernel, hr: Mip6Hr, req: BuRequest, addrs: list[bytes], lifetime_s: int) -> None:
    """Exactly these addresses belong to the registration now (draft-15 s.9.1, s.9.3)."""
    cache, reg, bu = hr.cache, hr.reg, req.bu
    for row in cache.hr_rows(reg):
        if cache.get_hoa(row) not in addrs:
            _leave(kern, cache, row)
    for addr in addrs:
        row = cache.find_home(addr)
        if row and cache.reg[row] != reg:
            _leave(kern, cache, row)
            row = 0
        if not row:
            row = cache.new(req.addr, addr, reg)
            cache.join(reg, row)
        cache.own[row] = cache.number(req.addr)
        other = cache.find(req.addr, addr)
        if other:
            mip6_bc.mip6_bc_remove(kern, other)
        mip6_bc.mip6_bc_set(
            kern, cache, row, addr, req.coa, bu.flags, bu.seqno, bu.prefixlen, lifetime_s
        )
        if addr == req.hoa:
            cache.hr_main[reg] = row


def _unbind(kern: Kernel, cache: Bcache, row: int) -> None:
    """The entry goes, and with it what it stood for on the home link."""
    mip6_proxy.mip6_bc_proxy_delete(kern, cache, row)
    cache.leave(row)
    mip6_bc.mip6_bc_remove(kern, row)


def _leave(kern: Kernel, cache: Bcache, row: int) -> None:
    """One address leaves its registration, which ends with the last one."""
    hr = Mip6Hr(cache, cache.reg[row])
    _unbind(kern, cache, row)
    if not cache.hr_first[hr.reg]:
        mip6_hr_event(kern, hr, HrEv.EXPIRE)


# -- duplicate address detection ------------------------------------------------------------------


def _dad_start(kern: Kernel, hr: Mip6Hr, req: BuRequest) -> None:
    """Probe the mobile node's link-local address, or the home address when that is alone."""
    addrs = [bc.mbc_phaddr for bc in hr.hr_bcs]
    target = next((a for a in addrs if IN6_IS_ADDR_LINKLOCAL(a)), req.hoa)
    ia = In6Ifaddr(hr.hr_ifp, target, IFID_BITS, IN6_IFF_TENTATIVE)
    hr.cache.awaited[hr.reg] = Awaited(req, ia)
    mip6_state(kern).mip6_dads[ia] = hr
    in6.in6_addmulti(kern, hr.hr_ifp, in6.in6_solicited(hr.hr_ifp, target))
    nd6_dad.nd6_dad_start(kern, ia)


def _dad_end(kern: Kernel, hr: Mip6Hr) -> None:
    awaited = hr.cache.awaited.pop(hr.reg, None)
    if awaited is None:
        return
    ia = awaited.dad
    mip6_state(kern).mip6_dads.pop(ia, None)
    nd6_dad.nd6_dad_stop(kern, ia)
    in6.in6_delmulti(kern, hr.hr_ifp, in6.in6_solicited(hr.hr_ifp, ia.ia_addr))


def mip6_dad_find(kern: Kernel, ifp: Ifnet, target: bytes) -> In6Ifaddr | None:
    """The pseudo address under detection that somebody speaks of."""
    for ia in mip6_state(kern).mip6_dads:
        if ia.ia_addr == target and ia.ia_ifp is ifp:
            return ia
    return None


def mip6_dad_success(kern: Kernel, ia: In6Ifaddr) -> bool:
    """False: the address is not one of mobility's."""
    hr = mip6_state(kern).mip6_dads.get(ia)
    if hr is None:
        return False
    mip6_hr_event(kern, hr, HrEv.DAD_OK)
    return True


def mip6_dad_duplicated(kern: Kernel, ia: In6Ifaddr) -> bool:
    """False: the address is not one of mobility's."""
    hr = mip6_state(kern).mip6_dads.get(ia)
    if hr is None:
        return False
    text = ntop(in6_clearscope(ia.ia_addr))
    kern.log.log(LOG_ERR, f"{ia.ia_ifp.if_name}: DAD complete for {text} - duplicate found")
    mip6_hr_event(kern, hr, HrEv.DAD_DUP)
    return True
