# SPDX-License-Identifier: BSD-3-Clause
"""IPv6 addresses and multicast memberships of interfaces (KAME in6.c).

Deviates: every address brings its prefix into the prefix list here, where KAME does so in the
ioctl; an address that failed duplicate detection is tested again when it is configured again.
RFC 2462 s.5.4, s.5.5.4, RFC 4291 s.2.8.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kame_py.kern.clock import NS, tick_ceil
from kame_py.kern.log import LOG_INFO
from kame_py.net.if_ import IFF_LOOPBACK, IFF_POINTOPOINT, Ifnet
from kame_py.net.route import (
    RTF_CLONING,
    RTF_HOST,
    RTF_LOCAL,
    RTF_STATIC,
    RTF_WASCLONED,
    RTM_ADD,
    RTM_DELADDR,
    RTM_DELETE,
    RTM_NEWADDR,
    LinkAddr,
    rtrequest,
)
from kame_py.netinet6 import in6_control, in6_tmpaddr, mld6, nd6_dad, nd6_prefix
from kame_py.netinet6.in6_multi import in6_multis
from kame_py.netinet6.in6_var import (
    IN6_IFF_ANYCAST,
    IN6_IFF_AUTOCONF,
    IN6_IFF_DEPRECATED,
    IN6_IFF_DUPLICATED,
    IN6_IFF_HOME,
    IN6_IFF_NODAD,
    IN6_IFF_TEMPORARY,
    IN6_IFF_TENTATIVE,
    In6Ifaddr,
    In6Multi,
)
from kame_py.netinet6.scope6 import addr_text, in6_embedscope
from kame_py.wire.errno import EADDRNOTAVAIL, EINVAL, KError
from kame_py.wire.in6addr import (
    IN6_IS_ADDR_LINKLOCAL,
    IN6_IS_ADDR_MULTICAST,
    IN6_IS_ADDR_UNSPECIFIED,
    IN6ADDR_LINKLOCAL_ALLNODES,
    IN6ADDR_NODELOCAL_ALLNODES,
    ether_multicast,
    masked,
    solicited_node,
)
from kame_py.wire.nodeinfo import in6_nigroup
from kame_py.wire.snap import INFINITE

if TYPE_CHECKING:
    from kame_py.kern.kernel import Kernel

#: What a caller of in6_update_ifa may set; the rest of the flags is state.
SETTABLE: Final = (
    IN6_IFF_ANYCAST
    | IN6_IFF_DEPRECATED
    | IN6_IFF_NODAD
    | IN6_IFF_AUTOCONF
    | IN6_IFF_TEMPORARY
    | IN6_IFF_HOME
)
MULTICAST_PLEN: Final = 32  # KAME: ff01:X::/32 and ff02:X::/32, X the zone


def in6_init(kern: Kernel) -> None:
    """Register the ioctls of addresses and the variables of temporary ones."""
    in6_control.in6_register(kern)
    in6_tmpaddr.in6_tmpaddr_init(kern)


# -- looking --------------------------------------------------------------------------------------


def in6ifa_ifpwithaddr(ifp: Ifnet, addr: bytes) -> In6Ifaddr | None:
    """The address (kernel form) on this interface."""
    for ia in ifp.in6_addrs:
        if ia.ia_addr == addr:
            return ia
    return None


def in6ifa_ifpforlinklocal(ifp: Ifnet, ignoreflags: int = 0) -> In6Ifaddr | None:
    """A link-local address of the interface with none of ``ignoreflags``."""
    for ia in ifp.in6_addrs:
        if IN6_IS_ADDR_LINKLOCAL(ia.ia_addr) and not ia.ia6_flags & ignoreflags:
            return ia
    return None


def in6_solicited(ifp: Ifnet, addr: bytes) -> bytes:
    """The solicited-node group of ``addr`` on this interface, kernel form."""
    return in6_embedscope(solicited_node(addr), ifp.if_index)


# -- lifetimes ------------------------------------------------------------------------------------


def in6_init_address_ltimes(kern: Kernel, ia: In6Ifaddr, vltime: int, pltime: int) -> None:
    """Lifetimes in seconds from now; the address ends and gets deprecated by itself."""
    now = kern.now()
    lt = ia.ia6_lifetime
    lt.ia6t_vltime, lt.ia6t_pltime = vltime, pltime
    lt.ia6t_expire = 0 if vltime == INFINITE else now + vltime * NS
    lt.ia6t_preferred = 0 if pltime == INFINITE else now + pltime * NS
    _check_deprecated(kern, ia)
    _settimer(kern, ia)


def in6_lower_address_ltimes(kern: Kernel, ia: In6Ifaddr, vltime: int, pltime: int) -> None:
    """Lifetimes in seconds from now, where they end sooner than before (RFC 3041 s.3.3 (1))."""
    lt = ia.ia6_lifetime
    expire, preferred = (0 if t == INFINITE else kern.now() + t * NS for t in (vltime, pltime))
    if expire and (not lt.ia6t_expire or expire < lt.ia6t_expire):
        lt.ia6t_expire, lt.ia6t_vltime = expire, vltime
    if preferred and (not lt.ia6t_preferred or preferred < lt.ia6t_preferred):
        lt.ia6t_preferred, lt.ia6t_pltime = preferred, pltime
    _check_deprecated(kern, ia)
    _settimer(kern, ia)


def _check_deprecated(kern: Kernel, ia: In6Ifaddr) -> None:
    preferred = ia.ia6_lifetime.ia6t_preferred
    over = bool(preferred) and kern.now() >= preferred
    flags = ia.ia6_flags & ~IN6_IFF_DEPRECATED | (IN6_IFF_DEPRECATED if over else 0)
    in6_setflags(kern, ia, flags)


def _settimer(kern: Kernel, ia: In6Ifaddr) -> None:
    """Wait for the next end of a lifetime, at KAME's sweep."""
    lt = ia.ia6_lifetime
    now = kern.now()
    if ia.ia6_timer is not None:
        ia.ia6_timer.stop()
        ia.ia6_timer = None
    ends = [lt.ia6t_expire] if lt.ia6t_expire else []
    if lt.ia6t_preferred > now:
        ends.append(lt.ia6t_preferred)
    if in6_tmpaddr.regen_due(ia) > now:
        ends.append(in6_tmpaddr.regen_due(ia))
    if ends:
        deadline = tick_ceil(min(ends), kern.nd6.nd6_prune * NS)
        ia.ia6_timer = kern.callouts.at(deadline, _ltime_timer, kern, ia)


def _ltime_timer(kern: Kernel, ia: In6Ifaddr) -> None:
    in6_tmpaddr.in6_tmpaddr_timer(kern, ia)
    expire = ia.ia6_lifetime.ia6t_expire
    if expire and kern.now() >= expire:
        in6_purgeaddr(kern, ia)
        return
    _check_deprecated(kern, ia)
    _settimer(kern, ia)


def in6_setflags(kern: Kernel, ia: In6Ifaddr, flags: int) -> None:
    """Change the flags of an address."""
    ia.ia6_flags = flags


# -- addresses ------------------------------------------------------------------------------------


def in6_update_ifa(
    kern: Kernel,
    ifp: Ifnet,
    addr: bytes,
    plen: int,
    flags: int = 0,
    vltime: int = INFINITE,
    pltime: int = INFINITE,
    dstaddr: bytes | None = None,
) -> In6Ifaddr | None:
    """Configure an address (kernel form), new or again; lifetimes in seconds.

    None when a valid lifetime of zero leaves nothing to do. KError: EINVAL for an address, prefix
    length or destination that does not fit.
    """
    if vltime == 0:
        pltime = 0  # a default of "for ever" does not contradict it
    _check_aliasreq(ifp, addr, plen, vltime, pltime, dstaddr)
    ia = in6ifa_ifpwithaddr(ifp, addr)
    if vltime == 0:
        text = addr_text(kern, addr)
        kern.log.log(LOG_INFO, f"in6_update_ifa: valid lifetime is 0 for {text}")
        if ia is None:
            return None
    if flags & IN6_IFF_DEPRECATED:
        pltime = 0
    is_new = ia is None
    if ia is None:
        ia = _in6_ifinit(kern, ifp, addr, plen, flags, dstaddr)
    again = bool(ia.ia6_flags & IN6_IFF_DUPLICATED)
    keep = ia.ia6_flags & IN6_IFF_TENTATIVE
    in6_setflags(kern, ia, flags & SETTABLE | keep)
    ia.ia6_updatetime = kern.now()
    if ia.ia_plen != plen or ia.ia_dstaddr != dstaddr:
        _in6_unroute(kern, ia)
        ia.ia_plen, ia.ia_dstaddr = plen, dstaddr
        _in6_route(kern, ia)
    in6_init_address_ltimes(kern, ia, vltime, pltime)
    if plen < 128:
        nd6_prefix.prefix_of_address(kern, ia)
    if (is_new or again) and in6_do_dad(kern, ia):
        in6_setflags(kern, ia, ia.ia6_flags | IN6_IFF_TENTATIVE)
    kern.rtsock.rt_newaddrmsg(RTM_NEWADDR, ia)
    if ia.ia6_flags & IN6_IFF_TENTATIVE:
        nd6_dad.nd6_dad_start(kern, ia)
    if plen < 128:
        nd6_prefix.pfxlist_onlink_check(kern)
    return ia


def _check_aliasreq(
    ifp: Ifnet, addr: bytes, plen: int, vltime: int, pltime: int, dstaddr: bytes | None
) -> None:
    if IN6_IS_ADDR_MULTICAST(addr) or IN6_IS_ADDR_UNSPECIFIED(addr) or not 0 <= plen <= 128:
        raise KError(EINVAL)
    if pltime > vltime:
        raise KError(EINVAL)
    if dstaddr is not None and (plen != 128 or not ifp.if_flags & (IFF_POINTOPOINT | IFF_LOOPBACK)):
        raise KError(EINVAL)


def in6_do_dad(kern: Kernel, ia: In6Ifaddr) -> bool:
    """Whether a new address must pass duplicate address detection (in6if_do_dad)."""
    return (
        not ia.ia_ifp.if_flags & IFF_LOOPBACK
        and not ia.ia6_flags & (IN6_IFF_ANYCAST | IN6_IFF_NODAD)
        and kern.ip6.ip6_dad_count > 0
        and kern.mip6.need_dad(kern, ia)
    )


def _in6_ifinit(
    kern: Kernel, ifp: Ifnet, addr: bytes, plen: int, flags: int, dstaddr: bytes | None
) -> In6Ifaddr:
    """A new address with its routes and groups; tentative before its groups are reported."""
    now = kern.now()
    ia = In6Ifaddr(ifp, addr, plen, ia_dstaddr=dstaddr, ia6_createtime=now, ia6_updatetime=now)
    ia.ia6_flags = flags & SETTABLE
    if in6_do_dad(kern, ia):
        ia.ia6_flags |= IN6_IFF_TENTATIVE
    ifp.in6_addrs.append(ia)
    kern.ip6.ifaddrs.setdefault(addr, ia)
    kern.changes.note_all()
    _in6_route(kern, ia)
    for group in _groups(kern, ia):
        in6_addmulti(kern, ifp, group)
    return ia


def _allnodes(ifp: Ifnet) -> tuple[bytes, bytes]:
    return (
        in6_embedscope(IN6ADDR_LINKLOCAL_ALLNODES, ifp.if_index),
        in6_embedscope(IN6ADDR_NODELOCAL_ALLNODES, ifp.if_index),
    )


def _groups(kern: Kernel, ia: In6Ifaddr) -> tuple[bytes, ...]:
    """What an address makes us join: RFC 4291 s.2.8, and the group of our name (RFC 4620 s.5)."""
    ifp = ia.ia_ifp
    nigroup = in6_nigroup(kern.name)
    named = () if nigroup is None else (in6_embedscope(nigroup, ifp.if_index),)
    return (in6_solicited(ifp, ia.ia_addr), *_allnodes(ifp), *named)


def _add_route(
    kern: Kernel,
    dst: bytes,
    plen: int,
    gateway: LinkAddr,
    flags: int,
    ifp: Ifnet,
    ia: In6Ifaddr,
) -> None:
    """Add a route that belongs to an address, unless one of that destination is there."""
    if kern.rt.exact(dst, plen) is None:
        rtrequest(kern, RTM_ADD, dst, plen, gateway, flags, ifp, ia)


def _in6_route(kern: Kernel, ia: In6Ifaddr) -> None:
    """Our own address by lo0, the far end of a point to point link, the multicast prefixes."""
    ifp = ia.ia_ifp
    gateway = LinkAddr(ifp.if_index)
    cloned = kern.rt.exact(ia.ia_addr, 128)
    if cloned is not None and cloned.rt_flags & RTF_WASCLONED:
        rtrequest(kern, RTM_DELETE, ia.ia_addr, 128)
    own = LinkAddr(ifp.if_index, ifp.if_hwaddr)
    lo0 = kern.ifnets[0]
    _add_route(kern, ia.ia_addr, 128, own, RTF_HOST | RTF_LOCAL, lo0, ia)
    if ia.ia_dstaddr is not None and ia.ia_dstaddr != ia.ia_addr:
        _add_route(kern, ia.ia_dstaddr, 128, gateway, RTF_HOST, ifp, ia)
    for group in _allnodes(ifp):
        _add_route(
            kern, masked(group, MULTICAST_PLEN), MULTICAST_PLEN, gateway, RTF_CLONING, ifp, ia
        )


def _in6_unroute(kern: Kernel, ia: In6Ifaddr) -> None:
    """What _in6_route did; a route that another address needs moves over to it."""
    ifp = ia.ia_ifp
    heir = next((x for x in ifp.in6_addrs if x is not ia), None)
    nd6_prefix.prefix_release(kern, ia)
    for rt in kern.rt.made():
        if rt.rt_ifa is not ia or kern.rt.exact(rt.rt_key, rt.rt_plen) is not rt:
            continue
        host = rt.rt_plen == 128 and rt.rt_key in (ia.ia_addr, ia.ia_dstaddr)
        if host or (heir is None and not rt.rt_flags & RTF_STATIC):
            rtrequest(kern, RTM_DELETE, rt.rt_key, rt.rt_plen)
        else:
            rt.rt_ifa = heir


def in6_purgeaddr(kern: Kernel, ia: In6Ifaddr) -> None:
    """Remove an address with everything that came with it."""
    ifp = ia.ia_ifp
    if ia not in ifp.in6_addrs:
        return
    nd6_dad.nd6_dad_stop(kern, ia)
    if ia.ia6_timer is not None:
        ia.ia6_timer.stop()
        ia.ia6_timer = None
    _in6_unroute(kern, ia)
    for group in _groups(kern, ia):
        in6_delmulti(kern, ifp, group)
    ifp.in6_addrs.remove(ia)
    if kern.ip6.ifaddrs.get(ia.ia_addr) is ia:
        del kern.ip6.ifaddrs[ia.ia_addr]
        kern.changes.note_all()
        for other in kern.ifnets:
            twin = in6ifa_ifpwithaddr(other, ia.ia_addr)
            if twin is not None:
                kern.ip6.ifaddrs.setdefault(ia.ia_addr, twin)
    kern.rtsock.rt_newaddrmsg(RTM_DELADDR, ia)
    if ia.ia6_flags & IN6_IFF_AUTOCONF:
        nd6_prefix.pfxlist_onlink_check(kern)


# -- multicast ------------------------------------------------------------------------------------


def in6_addmulti(kern: Kernel, ifp: Ifnet, addr: bytes) -> In6Multi:
    """Join a group (kernel form) once more. KError(EINVAL): not a multicast address."""
    if not IN6_IS_ADDR_MULTICAST(addr):
        raise KError(EINVAL)
    groups = in6_multis(ifp)
    inm = groups.get(addr)
    if inm is not None:
        inm.in6m_refcount += 1
        groups.rest(inm)
        return inm
    inm = In6Multi(addr, ifp, 1)
    groups[addr] = inm
    ifp.macs[ether_multicast(addr)] += 1
    mld6.mld6_start_listening(kern, inm)
    return inm


def in6_delmulti(kern: Kernel, ifp: Ifnet, addr: bytes) -> None:
    """Leave a group once. KError(EADDRNOTAVAIL): we are no member."""
    inm = ifp.in6_multi.get(addr)
    if inm is None:
        raise KError(EADDRNOTAVAIL)
    inm.in6m_refcount -= 1
    if inm.in6m_refcount:
        in6_multis(ifp).rest(inm)
        return
    mld6.mld6_stop_listening(kern, inm)
    del ifp.in6_multi[addr]
    mac = ether_multicast(addr)
    ifp.macs[mac] -= 1
    if not ifp.macs[mac]:
        del ifp.macs[mac]
