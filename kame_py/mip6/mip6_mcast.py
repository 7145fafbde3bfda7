# SPDX-License-Identifier: BSD-3-Clause
"""Groups of a mobile node that is away: joined, received and sent to through its home agent.

KAME of January 2002 had nothing of it. Away from home a mobile node tells its home agent of its
groups by MLD messages in the reverse tunnel, with its home address as source, for a link-local one
would not say whose they are. The home agent listens to these groups on the home link, tunnels their
packets, puts those of the mobile node on the home link, and asks again as an MLD router does.
Groups of the link stay there. draft-ietf-mobileip-ipv6-15 s.9.4, s.10.19; RFC 2710.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from kame_py.kern.clock import NS
from kame_py.kern.drop import D, drop
from kame_py.kern.mbuf import M_BCAST, M_FORWARDED, M_LOOP, M_MCAST, Mbuf, m_copy, m_get
from kame_py.mip6 import if_hif, mip6_bul, mip6_tunnel
from kame_py.mip6.mip6_mnstate import (
    HIF_LOCATION_FOREIGN,
    HIF_LOCATION_HOME,
    MIP6_BU_REG_STATE_REG,
)
from kame_py.mip6.mip6_state import HrSt
from kame_py.mip6.mip6_var import MIP6_CONFIG_TYPE_MN, Mip6Bu, Mip6Hr, Mip6State, mip6_state
from kame_py.net.if_ import IFT_GIF, IFT_HIF
from kame_py.netinet6 import in6, mld6
from kame_py.netinet6.icmp6_error import icmp6_error
from kame_py.netinet6.icmp6_var import icmp6_out_count
from kame_py.netinet6.in6_var import IN6_IFF_ANYCAST, IN6_IFF_NOTREADY
from kame_py.netinet6.ip6_output import (
    in6_linkmtu,
    ip6_chain,
    ip6_mloopback,
    ip6_output,
    ip6_pkt,
)
from kame_py.netinet6.ip6_var import IPV6_FORWARDING, Exthdrs, Ip6Moptions
from kame_py.netinet6.mld6_state import MldEv
from kame_py.wire.codecs import Ip6Hdr, MldHdr
from kame_py.wire.const import (
    ICMP6_PACKET_TOO_BIG,
    IPPROTO_ICMPV6,
    IPPROTO_IPV6,
    IPPROTO_NONE,
    MLD_LISTENER_DONE,
    MLD_LISTENER_QUERY,
    MLD_LISTENER_REPORT,
)
from kame_py.wire.errno import EHOSTUNREACH
from kame_py.wire.in6addr import (
    ALLNODES,
    ALLROUTERS,
    IN6_IS_ADDR_LINKLOCAL,
    IN6_IS_ADDR_MULTICAST,
    IN6ADDR_ANY,
    mc_scope,
)
from kame_py.wire.ip6ext import build_options, walk
from kame_py.wire.mip6 import HomeAddress
from kame_py.wire.patch import put_u8, u8

if TYPE_CHECKING:
    from kame_py.kern.callout import Callout
    from kame_py.kern.kernel import Kernel
    from kame_py.net.if_ import Ifnet
    from kame_py.netinet6.in6_var import In6Multi

MC_SCOPE_LINKLOCAL: Final = 2  # RFC 2373 s.2.7
MC_SCOPE_GLOBAL: Final = 14
MLD_QUERY_INTERVAL_S: Final = 125  # RFC 2710 s.7.2
MLD_QUERY_RESPONSE_INTERVAL_MS: Final = 10_000  # s.7.3
MLD_LISTENER_INTERVAL_S: Final = 260  # s.7.4: two queries and their answer
MIP6_GROUPS_MAX: Final = 64  # of one registration
_HDR: Final = Ip6Hdr.SIZE
_NXT: Final = Ip6Hdr.O_ip6_nxt
_HLIM: Final = Ip6Hdr.O_ip6_hlim
_MLD: Final = frozenset((MLD_LISTENER_QUERY, MLD_LISTENER_REPORT, MLD_LISTENER_DONE))


@dataclass(slots=True)
class Mip6Listener:
    """The groups of one home registration, each with the end of its membership."""

    groups: dict[bytes, Callout] = field(default_factory=dict)
    query: Callout | None = None


@dataclass(slots=True)
class Mip6Mcast:
    """Multicast of one kernel with mobility. links: who listens to a group of a home link."""

    tunnel_scopedmcast: int = 1  # net.inet6.mip6.*
    join_home: int = 1
    listeners: dict[Mip6Hr, Mip6Listener] = field(default_factory=dict)
    links: dict[tuple[int, bytes], list[Mip6Hr]] = field(default_factory=dict)


def mip6_mcast_init(kern: Kernel) -> Mip6Mcast:
    """State and switches."""
    mcast = Mip6Mcast()
    attr, base = kern.sysctl.register_attr, "net.inet6.mip6."
    attr(
        base + "tunnel_scopedmcast", mcast, "tunnel_scopedmcast", hi=1,
        text="home agent: tunnel groups of scopes between the link's and the global one",
    )  # fmt: skip
    attr(
        base + "join_home", mcast, "join_home", hi=1,
        text="mobile node: join groups through the home agent, not on the foreign link",
    )  # fmt: skip
    return mcast


def mip6_mcast(kern: Kernel) -> Mip6Mcast:
    """The state; only called where ``options MIP6`` is compiled in."""
    mcast = getattr(kern.mip6, "mcast", None)
    if not isinstance(mcast, Mip6Mcast):
        raise TypeError(f"{kern.name}: kernel without options MIP6")
    return mcast


def mip6_is_mld(m: Mbuf) -> MldHdr | None:
    """The MLD message in the packet, whose checksum nobody has looked at yet."""
    chain = walk(m.data, u8(m.data, _NXT), _HDR, len(m.data))
    off = chain.off
    if chain.nxt != IPPROTO_ICMPV6 or chain.fragment or len(m.data) - off < MldHdr.SIZE:
        return None
    return MldHdr.unpack(m.data, off) if u8(m.data, off) in _MLD else None


def _beyond_link(group: bytes) -> bool:
    return mc_scope(group) > MC_SCOPE_LINKLOCAL


# -- what comes in --------------------------------------------------------------------------------


def mip6_mcast_link(kern: Kernel, src: bytes, dst: bytes, rcvif: Ifnet) -> Ifnet:
    """Where a packet to a group arrives that comes out of the tunnel between ``src`` and us.

    At the home agent on the home link, at the mobile node where the group was joined; what is the
    tunnel's own, queries, on the home interface.
    """
    state = mip6_state(kern)
    if state.config.mcfg_type != MIP6_CONFIG_TYPE_MN:
        bc = state.mip6_hrbc_list.get(src)
        return rcvif if bc is None or bc.mbc_hr is None else bc.mbc_hr.hr_ifp
    if not _beyond_link(dst):
        return next((sc.hif_if for sc in state.hif_softc_list), rcvif)
    return next((ifp for ifp in (rcvif, *kern.ifnets) if dst in ifp.in6_multi), rcvif)


def mip6_bu_mcastcheck(kern: Kernel, m: Mbuf, off: int, nxt: int) -> int:
    """Whether an encapsulated packet to a group is from a home agent of ours."""
    if not mip6_tunnel.mip6_has_inner(m, off) or Ip6Hdr.unpack(m.data, off).ip6_dst < b"\xff":
        return 0
    ia = kern.ip6.ifaddrs.get(m.dst)
    if ia is None or ia.ia_ifp.if_type == IFT_HIF:
        return 0
    for bu in mip6_bul.mip6_bu_list(mip6_state(kern)):
        if bu.mbu_tunnel and bu.mbu_paddr == m.src and mip6_bul.mip6_bu_is_home(bu):
            return mip6_tunnel.MATCH_BITS
    return 0


def mip6_mcast_input(kern: Kernel, m: Mbuf) -> bool | None:
    """ip6_input, a packet to a group. True: it is ours, None: it was taken, False: go on."""
    ifp = m.rcvif
    if ifp is None:
        return False
    if m.encaps and ifp.if_type == IFT_HIF and not _beyond_link(m.dst):
        if mip6_is_mld(m) is not None:
            return True
        drop(kern, m, D.MIP6_LINKLOCAL)
        return None
    hr = _sender(kern, m)
    if m.encaps and hr is not None and hr.hr_ifp is ifp:
        return _reverse(kern, m, ifp)
    hrs = mip6_mcast(kern).links.get((ifp.if_index, m.dst))
    return False if hrs is None else _intercept(kern, m, ifp, hrs)


def _sender(kern: Kernel, m: Mbuf) -> Mip6Hr | None:
    """The registration of the mobile node that sent the packet."""
    bc = mip6_state(kern).mip6_hrbc_list.get(m.src)
    hr = None if bc is None else bc.mbc_hr
    return hr if hr is not None and hr.hr_st is HrSt.SERVED else None


# -- home agent: packets --------------------------------------------------------------------------


def _reverse(kern: Kernel, m: Mbuf, ifp: Ifnet) -> bool | None:
    """Out of the reverse tunnel: MLD is for us, the rest goes on the home link (s.10.19)."""
    if mip6_is_mld(m) is not None:
        return True
    hlim = u8(m.data, _HLIM)
    mtu = in6_linkmtu(ifp)
    if not _beyond_link(m.dst):
        drop(kern, m, D.MIP6_LINKLOCAL)
    elif hlim <= 1:
        drop(kern, m, D.IP6_HLIM)
    elif len(m.data) > mtu:
        icmp6_error(kern, m, ICMP6_PACKET_TOO_BIG, 0, mtu)
        drop(kern, m, D.IP6_FWDTOOBIG)
    else:
        m.data = put_u8(m.data, _HLIM, hlim - 1)
        m.flags |= M_FORWARDED
        kern.stats.ip6["ip6s_forward"] += 1
        ifp.in6_ifstat["ifs6_out_forward"] += 1
        ip6_output(kern, m, None, IPV6_FORWARDING, Ip6Moptions(im6o_multicast_ifp=ifp))
    return None


def _intercept(kern: Kernel, m: Mbuf, ifp: Ifnet, hrs: list[Mip6Hr]) -> bool | None:
    """On the home link, to a group that mobile nodes listen to: each gets its copy (s.9.4).

    When nobody here listens, too, the packet itself goes on as the last copy.
    """
    if mip6_is_mld(m) is not None:
        return False
    looped = m.flags & M_LOOP  # made here, or counted when it came out of a tunnel
    hops = u8(m.data, _HLIM) - (0 if looped else 1)
    inm = ifp.in6_multi.get(m.dst)
    here = inm is not None and inm.in6m_refcount > 1  # not for mobile nodes alone
    if hops <= 0 or m.src == IN6ADDR_ANY or IN6_IS_ADDR_LINKLOCAL(m.src):
        hrs = []
    sender = _sender(kern, m)
    targets = [hr for hr in hrs if hr != sender and _tunnelled(kern, hr, m.dst)]
    data = put_u8(m.data, _HLIM, hops) if targets else m.data
    for i, hr in enumerate(targets, 1):
        copy = m if i == len(targets) and not here else m_copy(kern, m)
        copy.data = data
        copy.flags = copy.flags & ~(M_LOOP | M_MCAST | M_BCAST) | (0 if looped else M_FORWARDED)
        mip6_tunnel.mip6_tunnel_output(kern, copy, hr.hr_bcs[0])
    if here:
        return False
    if not targets:
        drop(kern, m, D.IP6_NOTMEMBER)
    return None


def _tunnelled(kern: Kernel, hr: Mip6Hr, group: bytes) -> bool:
    """Whether the registration has a tunnel, and the group goes through tunnels."""
    if not hr.hr_bcs or hr.hr_st is not HrSt.SERVED or not _wanted(kern, group):
        return False
    return hr.hr_bcs[0].mbc_addr in kern.ip6.ifaddrs


def _wanted(kern: Kernel, group: bytes) -> bool:
    """By scope: never the link's, always global ones, between them as it is configured."""
    if not _beyond_link(group):
        return False
    return mc_scope(group) >= MC_SCOPE_GLOBAL or bool(mip6_mcast(kern).tunnel_scopedmcast)


# -- home agent: memberships ----------------------------------------------------------------------


def mip6_mld_input(kern: Kernel, m: Mbuf, off: int) -> bool:
    """A report or a done of a registered mobile node, out of its tunnel. True: it was one."""
    hr = _sender(kern, m) if m.encaps else None
    if hr is None or hr.hr_ifp is not m.rcvif or len(m.data) - off < MldHdr.SIZE:
        return False
    if u8(m.data, _HLIM) != mld6.MLD_HLIM or not mld6.mld6_alerted(m):
        return False
    mldh = MldHdr.unpack(m.data, off)
    group = mldh.mld_addr
    if not IN6_IS_ADDR_MULTICAST(group):
        return False
    if mldh.mld_type == MLD_LISTENER_DONE:
        mip6_group_leave(kern, hr, group)
    elif _wanted(kern, group):
        mip6_group_join(kern, hr, group)
    return True


def mip6_group_join(kern: Kernel, hr: Mip6Hr, group: bytes) -> None:
    """A mobile node listens, for MLD_LISTENER_INTERVAL from now; so do we, on its home link."""
    mcast = mip6_mcast(kern)
    listener = mcast.listeners.setdefault(hr, Mip6Listener())
    if group in listener.groups:
        listener.groups[group].stop()
    elif len(listener.groups) >= MIP6_GROUPS_MAX:
        return
    else:
        hrs = mcast.links.setdefault((hr.hr_ifp.if_index, group), [])
        if not hrs:
            in6.in6_addmulti(kern, hr.hr_ifp, group)
        hrs.append(hr)
    end = kern.now() + MLD_LISTENER_INTERVAL_S * NS
    listener.groups[group] = kern.callouts.at(end, mip6_group_leave, kern, hr, group)
    if listener.query is None:
        _ask_later(kern, hr, listener)


def mip6_group_leave(kern: Kernel, hr: Mip6Hr, group: bytes) -> None:
    """A mobile node no longer listens; the last one ends our membership."""
    mcast = mip6_mcast(kern)
    listener = mcast.listeners.get(hr)
    if listener is None or group not in listener.groups:
        return
    listener.groups.pop(group).stop()
    key = hr.hr_ifp.if_index, group
    mcast.links[key].remove(hr)
    if not mcast.links[key]:
        del mcast.links[key]
        if group in hr.hr_ifp.in6_multi:  # unless the interface went before
            in6.in6_delmulti(kern, hr.hr_ifp, group)
    if not listener.groups:
        del mcast.listeners[hr]
        if listener.query is not None:
            listener.query.stop()


def mip6_groups_release(kern: Kernel, hr: Mip6Hr) -> None:
    """The registration ends, and its memberships with it."""
    listener = mip6_mcast(kern).listeners.get(hr)
    for group in [] if listener is None else list(listener.groups):
        mip6_group_leave(kern, hr, group)


def _ask_later(kern: Kernel, hr: Mip6Hr, listener: Mip6Listener) -> None:
    at = kern.now() + MLD_QUERY_INTERVAL_S * NS
    listener.query = kern.callouts.at(at, mip6_mld_query, kern, hr)


def mip6_mld_query(kern: Kernel, hr: Mip6Hr) -> None:
    """Ask through the tunnel which groups the mobile node still listens to."""
    listener = mip6_mcast(kern).listeners[hr]
    _ask_later(kern, hr, listener)
    ifp = hr.hr_ifp
    ia = in6.in6ifa_ifpforlinklocal(ifp, IN6_IFF_NOTREADY | IN6_IFF_ANYCAST)
    if ia is None or not hr.hr_bcs or hr.hr_bcs[0].mbc_addr not in kern.ip6.ifaddrs:
        return
    query = mld6.mld6_packet(
        ia.ia_addr, ALLNODES, MLD_LISTENER_QUERY, IN6ADDR_ANY, MLD_QUERY_RESPONSE_INTERVAL_MS
    )
    icmp6_out_count(kern, ifp, MLD_LISTENER_QUERY, 0)
    mip6_tunnel.mip6_tunnel_output(kern, m_get(kern, query), hr.hr_bcs[0])


# -- mobile node: memberships ---------------------------------------------------------------------


def mip6_mld_away(kern: Kernel, group: bytes) -> bool:
    """Whether the group is joined through the home agent now, if there is one already."""
    return bool(mip6_mcast(kern).join_home) and _beyond_link(group) and _away(mip6_state(kern))


def _away(state: Mip6State) -> bool:
    """On none of the home links."""
    if state.config.mcfg_type != MIP6_CONFIG_TYPE_MN:
        return False
    where = {sc.hif_location for sc in state.hif_softc_list}
    return HIF_LOCATION_FOREIGN in where and HIF_LOCATION_HOME not in where


def _registration(state: Mip6State) -> Mip6Bu | None:
    """The home registration whose tunnel is used for groups: the first that works."""
    for bu in mip6_bul.mip6_bu_list(state):
        if bu.mbu_reg_state == MIP6_BU_REG_STATE_REG and mip6_bul.mip6_bu_is_home(bu):
            if bu.mbu_tunnel and bu.mbu_hif.hif_location == HIF_LOCATION_FOREIGN:
                return bu
    return None


def mip6_mld_output(kern: Kernel, inm: In6Multi, kind: int) -> bool:
    """mld6_sendpkt. True: nothing is said on the link, the home agent was told, or will be."""
    group = inm.in6m_addr
    if not mip6_mld_away(kern, group):
        return inm.in6m_ifp.if_type == IFT_HIF  # nobody is there
    bu = _registration(mip6_state(kern))
    others = any(group in i.in6_multi for i in kern.ifnets if i is not inm.in6m_ifp)
    if bu is None or (kind == MLD_LISTENER_DONE and others):
        return True
    dst = ALLROUTERS if kind == MLD_LISTENER_DONE else group
    mld6.mld6_count(kern, inm.in6m_ifp, kind)
    m = m_get(kern, mld6.mld6_packet(bu.mbu_haddr, dst, kind, group))
    _encapsulate(kern, m, bu)
    ip6_output(kern, m)
    return True


def mip6_mcast_rejoin(kern: Kernel) -> None:
    """Registered, or at home again: who is responsible for our groups now shall know of them."""
    for inm in _memberships(kern):
        mld6.mld6_start_listening(kern, inm)


def mip6_mld_query_input(kern: Kernel, m: Mbuf, off: int) -> bool:
    """A query of the home agent, out of the tunnel: answered for the groups joined there."""
    if not m.encaps or m.rcvif is None or m.rcvif.if_type == IFT_GIF:
        return False
    if u8(m.data, _HLIM) != mld6.MLD_HLIM or not mld6.mld6_alerted(m):
        return False
    if len(m.data) - off < MldHdr.SIZE:
        return False
    mldh = MldHdr.unpack(m.data, off)
    group = None if mldh.mld_addr == IN6ADDR_ANY else mldh.mld_addr
    delay_ns = mld6.mld6_maxdelay_ns(m, off, mldh)
    ev = MldEv.QUERY if delay_ns else MldEv.QUERY_NOW
    for inm in _memberships(kern):
        if group in (None, inm.in6m_addr):
            mld6.mld6_event(kern, inm, ev, delay_ns)
    return True


def _memberships(kern: Kernel) -> list[In6Multi]:
    """One for each group that goes beyond the link."""
    found: dict[bytes, In6Multi] = {}
    for ifp in kern.ifnets:
        for inm in ifp.in6_multi.values():
            if _beyond_link(inm.in6m_addr) and not mld6.mld6_silent(inm):
                found.setdefault(inm.in6m_addr, inm)
    return list(found.values())


# -- mobile node: packets -------------------------------------------------------------------------


def mip6_mcast_exthdr_create(kern: Kernel, m: Mbuf, hdrs: Exthdrs) -> int:
    """A packet of a mobile node to a group; an errno.

    From a home address through the home agent, or not at all: on a foreign link that would be a
    wrong source (s.10.19). A membership message for the foreign link tells the home address.
    """
    state = mip6_state(kern)
    found = if_hif.hif_list_find_withhaddr(state, m.src)
    if found is None:
        _tell_home(kern, state, m, hdrs)
        return 0
    if found[0].hif_location != HIF_LOCATION_FOREIGN or not _beyond_link(m.dst):
        return 0
    bu = mip6_bul.mip6_bu_list_find_home_registration(state, m.src)
    if bu is None or bu.mbu_reg_state != MIP6_BU_REG_STATE_REG:
        return EHOSTUNREACH
    m.data = ip6_chain(m.data[:_HDR], u8(m.data, _NXT), hdrs, m.data[_HDR:])
    hdrs.hbh = hdrs.dest1 = hdrs.rthdr = hdrs.dest2 = b""
    ifp = next((ifp for ifp in kern.ifnets if m.dst in ifp.in6_multi), None)
    if ifp is not None and hdrs.mloop:
        ip6_mloopback(kern, ifp, m)
    _encapsulate(kern, m, bu)
    return 0


def _encapsulate(kern: Kernel, m: Mbuf, bu: Mip6Bu) -> None:
    """Into the reverse tunnel."""
    kern.stats.mip6["mip6s_orevtunnel"] += 1
    m.src, m.dst = bu.mbu_coa, bu.mbu_paddr
    m.data = ip6_pkt(m.src, m.dst, IPPROTO_IPV6, m.data, kern.ip6.ip6_defhlim)


def _tell_home(kern: Kernel, state: Mip6State, m: Mbuf, hdrs: Exthdrs) -> None:
    """MLD on a foreign link: a home address option. The source stays link-local (RFC 2710 s.3)."""
    mldh = mip6_is_mld(m) if _away(state) else None
    if mldh is None or mldh.mld_type == MLD_LISTENER_QUERY or not _beyond_link(mldh.mld_addr):
        return
    bu = _registration(state)
    if bu is not None:
        kern.stats.mip6["mip6s_ohao"] += 1
        option = state.dialect.wire.aligned(HomeAddress(bu.mbu_haddr))
        hdrs.haddr = build_options(IPPROTO_NONE, [option])
