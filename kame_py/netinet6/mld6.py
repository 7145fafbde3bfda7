# SPDX-License-Identifier: BSD-3-Clause
"""Multicast listener discovery, the listener's side (KAME mld6.c).

Deviates: reports sent before the link-local address is usable have the unspecified source
(RFC 3590); an MLDv2 query is answered as an MLDv1 query. The states are in mld6_state.py. Read
first: RFC 2710.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from kame_py.kern.clock import MS, NS
from kame_py.kern.drop import D, DropReason
from kame_py.kern.mbuf import IP6A_RTALERTSEEN, Mbuf, m_get
from kame_py.net.if_ import IFF_LOOPBACK
from kame_py.netinet6 import icmp6_error, in6, ip6_output
from kame_py.netinet6.icmp6_var import icmp6_out_count
from kame_py.netinet6.in6_multi import in6_multis
from kame_py.netinet6.in6_var import IN6_IFF_ANYCAST, IN6_IFF_NOTREADY, In6Multi
from kame_py.netinet6.ip6_var import IPV6_DADOUTPUT, Exthdrs, Ip6Moptions, Ip6Pktopts
from kame_py.netinet6.mld6_state import MLD_TABLE, MldAct, MldEv, MldState
from kame_py.netinet6.scope6 import in6_clearscope, in6_embedscope
from kame_py.wire.codecs import Ip6Hdr, Ip6OptRtalert, MldHdr
from kame_py.wire.const import (
    IP6OPT_RTALERT_MLD,
    IPPROTO_ICMPV6,
    MLD_LISTENER_DONE,
    MLD_LISTENER_QUERY,
    MLD_LISTENER_REPORT,
)
from kame_py.wire.in6addr import (
    ALLNODES,
    ALLROUTERS,
    IN6_IS_ADDR_LINKLOCAL,
    IN6_IS_ADDR_MC_NODELOCAL,
    IN6_IS_ADDR_MULTICAST,
    IN6_IS_ADDR_UNSPECIFIED,
    IN6ADDR_ANY,
)
from kame_py.wire.ip6ext import AlignedOpt, build_options
from kame_py.wire.patch import u8

if TYPE_CHECKING:
    from kame_py.kern.kernel import Kernel
    from kame_py.net.if_ import Ifnet

MLD_OTHERLISTENER: Final = 0
MLD_IREPORTEDLAST: Final = 1
MLD_UNSOLICITED_REPORT_INTERVAL_NS: Final = 10 * NS  # RFC 2710 s.7.10
MLD_HLIM: Final = 1  # RFC 2710 s.3
MLDV2_MAXDELAY_MANT: Final = 0x8000  # RFC 3810 s.5.1.3: from here on the delay is a float
_HBH: Final = build_options(
    0, (AlignedOpt(Ip6OptRtalert(ip6or_value=IP6OPT_RTALERT_MLD).pack(), 2),)
)


@dataclass(slots=True)
class Mld6State:
    """Nothing but what the sysctl shows: reports and dones sent."""

    reports_sent: int = 0
    dones_sent: int = 0


def mld6_init(kern: Kernel) -> None:
    """State of MLD."""
    kern.mld6 = Mld6State()


def mld6_silent(inm: In6Multi) -> bool:
    """Groups that are never reported: all nodes, interface-local ones, on loopback (s.6)."""
    addr = in6_clearscope(inm.in6m_addr)
    loopback = inm.in6m_ifp.if_flags & IFF_LOOPBACK
    return bool(loopback) or addr == ALLNODES or IN6_IS_ADDR_MC_NODELOCAL(addr)


def mld6_start_listening(kern: Kernel, inm: In6Multi) -> None:
    """A group was joined: one report now, one within ten seconds (RFC 2710 s.4)."""
    inm.in6m_state = MLD_OTHERLISTENER
    if not mld6_silent(inm):
        _event(kern, inm, MldState.NON_LISTENER, MldEv.START, MLD_UNSOLICITED_REPORT_INTERVAL_NS)


def mld6_stop_listening(kern: Kernel, inm: In6Multi) -> None:
    """A group is left: say so if we reported last."""
    if not mld6_silent(inm):
        mld6_event(kern, inm, MldEv.STOP)


def mld6_linklocal_ready(kern: Kernel, ifp: Ifnet) -> None:
    """The first link-local address can be used: what was reported from :: is said again.

    Snooping switches ignore reports from the unspecified address (RFC 3590 s.4).
    """
    for inm in list(ifp.in6_multi.values()):
        if not mld6_silent(inm):
            mld6_sendpkt(kern, inm, MLD_LISTENER_REPORT)


def mld6_event(kern: Kernel, inm: In6Multi, ev: MldEv, within_ns: int = 0) -> None:
    """Something happens to a group we listen to; within_ns bounds a random delay."""
    state = MldState.IDLE if inm.in6m_timer is None else MldState.DELAYING
    _event(kern, inm, state, ev, within_ns)


def _event(kern: Kernel, inm: In6Multi, state: MldState, ev: MldEv, within_ns: int) -> None:
    act, _ = MLD_TABLE[state, ev]
    if act & MldAct.CANCEL:
        _stoptimer(inm)
    if act & MldAct.SEND:
        mld6_sendpkt(kern, inm, MLD_LISTENER_REPORT)
    if act & MldAct.FLAG:
        inm.in6m_state = MLD_IREPORTEDLAST
    if act & MldAct.UNFLAG:
        inm.in6m_state = MLD_OTHERLISTENER
    pending = inm.in6m_timer
    late = pending is not None and pending.deadline - kern.now() > within_ns
    if act & MldAct.ARM or (act & MldAct.SHORTEN and late):
        _settimer(kern, inm, within_ns)
    if act & MldAct.DONE and inm.in6m_state == MLD_IREPORTEDLAST:
        mld6_sendpkt(kern, inm, MLD_LISTENER_DONE)


def _settimer(kern: Kernel, inm: In6Multi, within_ns: int) -> None:
    _stoptimer(inm)
    delay = kern.rng.stream("mld6.delay").below(max(within_ns, 1))
    inm.in6m_timer = kern.callouts.at(kern.now() + delay, mld6_timeo, kern, inm)


def _stoptimer(inm: In6Multi) -> None:
    if inm.in6m_timer is not None:
        inm.in6m_timer.stop()
        inm.in6m_timer = None


def mld6_timeo(kern: Kernel, inm: In6Multi) -> None:
    """The random delay is over and nobody else reported."""
    mld6_event(kern, inm, MldEv.TIMER)
    in6_multis(inm.in6m_ifp).rest(inm)


def mld6_input(kern: Kernel, m: Mbuf, off: int) -> DropReason | None:
    """One MLD message. None: used. Does not own ``m``. Source: KAME mld6.c; RFC 2710 s.5."""
    ifp = m.rcvif
    if ifp is None or u8(m.data, Ip6Hdr.O_ip6_hlim) != MLD_HLIM:
        return D.MLD6_HLIM
    mldh = MldHdr.unpack(m.data, off)
    if mldh.mld_type == MLD_LISTENER_REPORT and IN6_IS_ADDR_UNSPECIFIED(m.src):
        return D.ICMP6_NOSOCKET  # its sender has no address yet; routers ignore it (RFC 3590 s.4)
    if not IN6_IS_ADDR_LINKLOCAL(m.src) or not mld6_alerted(m):
        return D.MLD6_HLIM
    group = in6_embedscope(mldh.mld_addr, ifp.if_index)
    general = IN6_IS_ADDR_UNSPECIFIED(group)
    if not general and not IN6_IS_ADDR_MULTICAST(group):
        return D.MLD6_BAD
    if mldh.mld_type == MLD_LISTENER_QUERY:
        _query(kern, ifp, None if general else group, mld6_maxdelay_ns(m, off, mldh))
    elif mldh.mld_type == MLD_LISTENER_REPORT:
        return _report(kern, ifp, group)
    else:
        return D.ICMP6_NOSOCKET  # a done concerns routers
    return None


def mld6_alerted(m: Mbuf) -> bool:
    """Whether the packet has the router alert option of MLD (RFC 2710 s.3, RFC 3810 s.6.2)."""
    aux = m.aux
    return (
        aux is not None
        and bool(aux.ip6a_flags & IP6A_RTALERTSEEN)
        and aux.ip6a_rtalert == IP6OPT_RTALERT_MLD
    )


def mld6_maxdelay_ns(m: Mbuf, off: int, mldh: MldHdr) -> int:
    """Maximum response delay; in a longer (MLDv2) query large values are mantissa and exponent."""
    delay = mldh.mld_maxdelay
    if len(m.data) - off > MldHdr.SIZE and delay >= MLDV2_MAXDELAY_MANT:
        delay = (delay & 0xFFF | 0x1000) << ((delay >> 12 & 7) + 3)
    return delay * MS


def _query(kern: Kernel, ifp: Ifnet, group: bytes | None, maxdelay_ns: int) -> None:
    """Answer for one group or all: at once without a delay, else within it."""
    ev = MldEv.QUERY if maxdelay_ns else MldEv.QUERY_NOW
    for inm in list(ifp.in6_multi.values()):
        if mld6_silent(inm) or group not in (None, inm.in6m_addr):
            continue
        if not kern.mip6.mld_away(kern, inm.in6m_addr):
            mld6_event(kern, inm, ev, maxdelay_ns)


def _report(kern: Kernel, ifp: Ifnet, group: bytes) -> DropReason | None:
    """Somebody else reported: we need not (RFC 2710 s.4)."""
    inm = ifp.in6_multi.get(group)
    if inm is None or kern.mip6.mld_away(kern, group):
        return D.ICMP6_NOSOCKET
    mld6_event(kern, inm, MldEv.REPORT)
    in6_multis(ifp).rest(inm)
    return None


def mld6_sendpkt(kern: Kernel, inm: In6Multi, kind: int) -> None:
    """Send a report to the group, or a done to the routers. Nothing leaves an interface down."""
    ifp = inm.in6m_ifp
    if not ifp.up or kern.mip6.mld_output(kern, inm, kind):
        return
    dst = inm.in6m_addr
    if kind == MLD_LISTENER_DONE:
        dst = in6_embedscope(ALLROUTERS, ifp.if_index)
    ia = in6.in6ifa_ifpforlinklocal(ifp, IN6_IFF_NOTREADY | IN6_IFF_ANYCAST)
    src = IN6ADDR_ANY if ia is None else ia.ia_addr
    if src == IN6ADDR_ANY and kind == MLD_LISTENER_DONE:
        return
    m = m_get(kern, _message(src, dst, kind, inm.in6m_addr))
    m.src, m.dst = src, dst
    mld6_count(kern, ifp, kind)
    im6o = Ip6Moptions(
        im6o_multicast_ifp=ifp, im6o_multicast_hlim=MLD_HLIM, im6o_multicast_loop=False
    )
    flags = IPV6_DADOUTPUT if src == IN6ADDR_ANY else 0
    ip6_output.ip6_output(kern, m, Ip6Pktopts(ip6po_hbh=_HBH), flags, im6o)


def mld6_count(kern: Kernel, ifp: Ifnet, kind: int) -> None:
    """Books of a report or a done that leaves."""
    icmp6_out_count(kern, ifp, kind, 0)
    if kind == MLD_LISTENER_REPORT:
        kern.mld6.reports_sent += 1
    else:
        kern.mld6.dones_sent += 1


def mld6_packet(src: bytes, dst: bytes, kind: int, group: bytes, maxdelay_ms: int = 0) -> bytes:
    """A whole message, router alert included; addresses in kernel form."""
    data = _message(src, dst, kind, group, maxdelay_ms)
    head, body = data[: Ip6Hdr.SIZE], data[Ip6Hdr.SIZE :]
    return ip6_output.ip6_chain(head, IPPROTO_ICMPV6, Exthdrs(hbh=_HBH), body)


def _message(src: bytes, dst: bytes, kind: int, group: bytes, maxdelay_ms: int = 0) -> bytes:
    mldh = MldHdr(mld_type=kind, mld_maxdelay=maxdelay_ms, mld_addr=in6_clearscope(group))
    body = icmp6_error.icmp6_sum(src, dst, mldh.pack())
    return ip6_output.ip6_pkt(src, dst, IPPROTO_ICMPV6, body, MLD_HLIM)
