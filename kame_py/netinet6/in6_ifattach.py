# SPDX-License-Identifier: BSD-3-Clause
"""IPv6 comes to an interface and leaves it (KAME in6_ifattach.c, in6_if_up, if_up, if_down).

Deviates: an interface that goes down forgets its neighbours. RFC 2462 s.5.3, RFC 2464 s.5.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kame_py.kern.log import LOG_INFO
from kame_py.net.if_ import IFF_LOOPBACK, IFF_MULTICAST, IFF_RUNNING, IFF_UP, Ifnet
from kame_py.netinet6 import in6, nd6, nd6_dad, nd6_prefix, nd6_rtr
from kame_py.netinet6.in6_var import IN6_IFF_TENTATIVE
from kame_py.netinet6.scope6 import in6_embedscope
from kame_py.wire.const import ETHER_ADDR_LEN, IPV6_MMTU
from kame_py.wire.in6addr import IN6ADDR_LOOPBACK, eui64

if TYPE_CHECKING:
    from kame_py.kern.kernel import Kernel

LINKLOCAL_PREFIX: Final = b"\xfe\x80" + bytes(6)
LOOPBACK_IFID: Final = bytes(7) + b"\x01"  # fe80::1%lo0
EUI64_UBIT: Final = 0x02  # RFC 4291 appendix A: universal/local
EUI64_GBIT: Final = 0x01


def in6_ifattach(kern: Kernel, ifp: Ifnet) -> None:
    """Give the interface its link-local address, lo0 also ::1. Twice does no harm."""
    if ifp.if_mtu < IPV6_MMTU:
        kern.log.log(LOG_INFO, f"in6_ifattach: {ifp.if_name} has too small MTU, IPv6 not enabled")
        return
    if not ifp.if_flags & IFF_MULTICAST:
        kern.log.log(
            LOG_INFO, f"in6_ifattach: {ifp.if_name} is not multicast capable, IPv6 not enabled"
        )
        return
    loopback = bool(ifp.if_flags & IFF_LOOPBACK)
    if loopback and in6.in6ifa_ifpwithaddr(ifp, IN6ADDR_LOOPBACK) is None:
        in6.in6_update_ifa(kern, ifp, IN6ADDR_LOOPBACK, 128)
    if in6.in6ifa_ifpforlinklocal(ifp) is None:
        ifid = LOOPBACK_IFID if loopback else get_ifid(kern, ifp)
        addr = in6_embedscope(LINKLOCAL_PREFIX + ifid, ifp.if_index)
        in6.in6_update_ifa(kern, ifp, addr, 64)


def get_ifid(kern: Kernel, ifp: Ifnet) -> bytes:
    """The interface identifier: of its own MAC, of another interface's, or random."""
    for candidate in (ifp, *kern.ifnets):
        if len(candidate.if_hwaddr) == ETHER_ADDR_LEN:
            return eui64(candidate.if_hwaddr)
    ifid = kern.rng.stream(f"in6.ifid.{ifp.if_name}").bytes(8)
    return bytes((ifid[0] & ~(EUI64_UBIT | EUI64_GBIT),)) + ifid[1:]


def in6_ifdetach(kern: Kernel, ifp: Ifnet) -> None:
    """Take IPv6 off the interface: neighbours, routers, prefixes, addresses, groups."""
    nd6.nd6_purge_llinfo(kern, ifp)
    for dr in [dr for dr in kern.nd6.defrouters if dr.ifp is ifp]:
        nd6_rtr.defrtrlist_del(kern, dr)
    for ia in list(ifp.in6_addrs):
        in6.in6_purgeaddr(kern, ia)
    for pr in [pr for pr in kern.nd6.prefixes if pr.ndpr_ifp is ifp]:
        nd6_prefix.prelist_remove(kern, pr)
    for addr in list(ifp.in6_multi):
        while addr in ifp.in6_multi:
            in6.in6_delmulti(kern, ifp, addr)
    if kern.nd6.defifp is ifp:
        kern.nd6.defifp = None
        nd6_rtr.defrouter_select(kern)


def if_up(kern: Kernel, ifp: Ifnet) -> None:
    """Mark the interface up; addresses that are tentative begin duplicate detection."""
    ifp.if_flags |= IFF_UP | IFF_RUNNING
    fresh = in6.in6ifa_ifpforlinklocal(ifp) is None
    in6_ifattach(kern, ifp)
    for ia in list(ifp.in6_addrs):
        if ia.ia6_flags & IN6_IFF_TENTATIVE:
            nd6_dad.nd6_dad_start(kern, ia, delay=not fresh)
    kern.rtsock.rt_ifmsg(ifp)


def if_down(kern: Kernel, ifp: Ifnet) -> None:
    """Mark the interface down; what waits for neighbours is dropped."""
    for ia in ifp.in6_addrs:
        nd6_dad.nd6_dad_stop(kern, ia)
    ifp.if_flags &= ~IFF_UP
    nd6.nd6_purge_llinfo(kern, ifp)
    kern.rtsock.rt_ifmsg(ifp)


def if_carrier(kern: Kernel, ifp: Ifnet, up: bool) -> None:
    """The medium came or went. Programs hear of it; KAME does nothing else."""
    if ifp.carrier is None or ifp.carrier is up:
        return
    ifp.carrier = up
    kern.rtsock.rt_ifmsg(ifp)
