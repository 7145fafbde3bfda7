# SPDX-License-Identifier: BSD-3-Clause
"""Choice of source address, hop limit and outgoing interface (KAME in6_src.c).

The rules and their order are KAME's of January 2002: the draft that became RFC 3484, with the home
address rule asked of the mobility hooks. Deviates: link-local sources of another link are never
considered, and the policy table is RFC 3484's default table, fixed. Read first: RFC 3484 s.5.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from kame_py.net.if_ import IFF_LOOPBACK, IFF_UP
from kame_py.net.route import RTF_UP, rtalloc1
from kame_py.netinet6.in6_var import (
    IN6_IFF_ANYCAST,
    IN6_IFF_DEPRECATED,
    IN6_IFF_DETACHED,
    IN6_IFF_NOTREADY,
    IN6_IFF_TEMPORARY,
)
from kame_py.wire.errno import EADDRNOTAVAIL, EHOSTUNREACH, KError
from kame_py.wire.in6addr import (
    IN6_IS_ADDR_LINKLOCAL,
    IN6_IS_ADDR_LOOPBACK,
    IN6_IS_ADDR_MC_LINKLOCAL,
    IN6_IS_ADDR_MC_NODELOCAL,
    IN6_IS_ADDR_MULTICAST,
    IN6_IS_ADDR_SITELOCAL,
    IN6ADDR_ANY,
    IN6ADDR_LOOPBACK,
    IPV6_ADDR_SCOPE_GLOBAL,
    IPV6_ADDR_SCOPE_LINKLOCAL,
    IPV6_ADDR_SCOPE_NODELOCAL,
    IPV6_ADDR_SCOPE_SITELOCAL,
    embedded_zone,
    matchlen,
    mc_scope,
    prefix_equal,
    pton,
)

if TYPE_CHECKING:
    from kame_py.kern.kernel import Kernel
    from kame_py.net.if_ import Ifnet
    from kame_py.net.route import Rtentry
    from kame_py.netinet6.in6_var import In6Ifaddr
    from kame_py.netinet6.ip6_var import Ip6Moptions, Ip6Pktopts

ND6_IFF_PREFER_SOURCE: Final = 0x4  # KAME nd6.h
LABELS_MAX: Final = 1024  # addresses whose label is remembered
#: Addresses from the one up to the other are nobody's loopback and have no zone.
_GLOBAL_FIRST: Final = b"\x01"
_GLOBAL_LAST: Final = b"\xfe"
_UNFIT: Final = IN6_IFF_NOTREADY | IN6_IFF_ANYCAST | IN6_IFF_DETACHED


def _policy(prefix: str, plen: int, label: int) -> tuple[bytes, int, int]:
    addr = pton(prefix)
    assert addr is not None
    return addr, plen, label


#: RFC 3484 s.2.1, longest prefix first: prefix, its length, label.
POLICY_LABELS: Final = (
    _policy("::1", 128, 0),
    _policy("::ffff:0:0", 96, 4),
    _policy("::", 96, 3),
    _policy("2002::", 16, 2),
    _policy("::", 0, 1),
)


def in6_addrscope(addr: bytes) -> int:
    """The scope of an address as a multicast scope value (RFC 3484 s.3.1)."""
    if _GLOBAL_FIRST <= addr < _GLOBAL_LAST:
        return IPV6_ADDR_SCOPE_GLOBAL
    if IN6_IS_ADDR_MULTICAST(addr):
        return mc_scope(addr)
    if IN6_IS_ADDR_LINKLOCAL(addr):
        return IPV6_ADDR_SCOPE_LINKLOCAL
    if IN6_IS_ADDR_SITELOCAL(addr):
        return IPV6_ADDR_SCOPE_SITELOCAL
    if IN6_IS_ADDR_LOOPBACK(addr):
        return IPV6_ADDR_SCOPE_NODELOCAL
    return IPV6_ADDR_SCOPE_GLOBAL


@lru_cache(maxsize=LABELS_MAX)
def policy_label(addr: bytes) -> int:
    """The label of an address in the policy table."""
    return next(label for prefix, plen, label in POLICY_LABELS if prefix_equal(addr, prefix, plen))


class _Choice:
    """One call's circumstances, shared by the rules. link: the only one that sources may be of."""

    __slots__ = ("dport", "dst", "ifp", "kern", "link", "loopback", "scope")

    def __init__(self, kern: Kernel, dst: bytes, dport: int, ifp: Ifnet) -> None:
        self.kern = kern
        self.dst = dst
        self.dport = dport
        self.ifp = ifp
        self.scope = in6_addrscope(dst)
        self.loopback = dst == IN6ADDR_LOOPBACK
        self.link = 0
        if self.scope <= IPV6_ADDR_SCOPE_LINKLOCAL and not self.loopback:
            self.link = _zone(dst) or ifp.if_index


#: A rule says >0 when it prefers the new address, <0 when it prefers the best so far, else 0.
_Rule = Callable[[_Choice, "In6Ifaddr", "In6Ifaddr"], int]


def _prefer(new: bool, best: bool) -> int:
    return int(new) - int(best)


def _same_address(c: _Choice, new: In6Ifaddr, best: In6Ifaddr) -> int:
    return _prefer(new.ia_addr == c.dst, best.ia_addr == c.dst)


def _scope(c: _Choice, new: In6Ifaddr, best: In6Ifaddr) -> int:
    a, b = in6_addrscope(new.ia_addr), in6_addrscope(best.ia_addr)
    if a == b:
        return 0
    if b < a:
        return 1 if b < c.scope else -1
    return -1 if a < c.scope else 1


def _deprecated(c: _Choice, new: In6Ifaddr, best: In6Ifaddr) -> int:
    return _prefer(not new.ia6_flags & IN6_IFF_DEPRECATED, not best.ia6_flags & IN6_IFF_DEPRECATED)


def _home_address(c: _Choice, new: In6Ifaddr, best: In6Ifaddr) -> int:
    return c.kern.mip6.selectsrc_prefer(c.kern, c.dst, c.dport, new, best)


def _outgoing_interface(c: _Choice, new: In6Ifaddr, best: In6Ifaddr) -> int:
    return _prefer(new.ia_ifp is c.ifp, best.ia_ifp is c.ifp)


def _label(c: _Choice, new: In6Ifaddr, best: In6Ifaddr) -> int:
    label = policy_label(c.dst)
    return _prefer(policy_label(new.ia_addr) == label, policy_label(best.ia_addr) == label)


def _temporary(c: _Choice, new: In6Ifaddr, best: In6Ifaddr) -> int:
    a, b = new.ia6_flags & IN6_IFF_TEMPORARY, best.ia6_flags & IN6_IFF_TEMPORARY
    prefer = _prefer(bool(a), bool(b))
    return prefer if c.kern.ip6.ip6_prefer_tempaddr else -prefer


def _alive(c: _Choice, new: In6Ifaddr, best: In6Ifaddr) -> int:
    return _prefer(bool(new.ia_ifp.if_flags & IFF_UP), bool(best.ia_ifp.if_flags & IFF_UP))


def _preferred_interface(c: _Choice, new: In6Ifaddr, best: In6Ifaddr) -> int:
    a, b = new.ia_ifp.ndi.flags, best.ia_ifp.ndi.flags
    return _prefer(bool(a & ND6_IFF_PREFER_SOURCE), bool(b & ND6_IFF_PREFER_SOURCE))


def _longest_match(c: _Choice, new: In6Ifaddr, best: In6Ifaddr) -> int:
    return matchlen(new.ia_addr, c.dst) - matchlen(best.ia_addr, c.dst)


#: KAME's order; the number is the index in ip6s_sources_rule.
RULES: Final[tuple[tuple[int, _Rule], ...]] = (
    (1, _same_address),
    (2, _scope),
    (3, _deprecated),
    (4, _home_address),
    (5, _outgoing_interface),
    (6, _label),
    (7, _temporary),
    (8, _alive),
    (9, _preferred_interface),
    (14, _longest_match),
)
RULE_FIRST: Final = 0  # the first candidate is kept as it is
RULE_TIE: Final = 15  # nothing tells them apart: the earlier one stays


def in6_selectsrc(
    kern: Kernel,
    dst: bytes,
    ifp_hint: Ifnet | None = None,
    opt: Ip6Pktopts | None = None,
    laddr: bytes | None = None,
    dport: int = 0,
) -> bytes:
    """The source for packets to ``dst``, all in kernel form; dport 0 where there are no ports.

    Packet information comes before the bound address ``laddr`` (unless it is a group, which is no
    source), that before the rules. ifp_hint is
    the outgoing interface where the caller knows it. KError: EADDRNOTAVAIL, EHOSTUNREACH.
    Source: KAME in6_src.c in6_selectsrc; RFC 3484 s.5.
    """
    if opt is not None and opt.ip6po_pktinfo_addr not in (None, IN6ADDR_ANY):
        assert opt.ip6po_pktinfo_addr is not None
        return _explicit(kern, opt.ip6po_pktinfo_addr)
    if laddr is not None and laddr != IN6ADDR_ANY and not IN6_IS_ADDR_MULTICAST(laddr):
        return laddr
    ifp = ifp_hint if ifp_hint is not None else in6_selectroute(kern, dst, opt, None)[0]
    choice = _Choice(kern, dst, dport, ifp)
    best: In6Ifaddr | None = None
    for each in kern.ifnets:
        for ia in each.in6_addrs:
            if _candidate(kern, choice, ia):
                best = _better(choice, ia, best)
    if best is None:
        kern.stats.ip6["ip6s_sources_none"] += 1
        raise KError(EADDRNOTAVAIL)
    return best.ia_addr


def _explicit(kern: Kernel, addr: bytes) -> bytes:
    ia = kern.ip6.ifaddrs.get(addr)
    if ia is None or ia.ia6_flags & (IN6_IFF_ANYCAST | IN6_IFF_NOTREADY):
        raise KError(EADDRNOTAVAIL)
    return addr


def _candidate(kern: Kernel, c: _Choice, ia: In6Ifaddr) -> bool:
    """In the zone of the destination, and in use."""
    flags = ia.ia6_flags
    if flags & _UNFIT or (flags & IN6_IFF_DEPRECATED and not kern.ip6.ip6_use_deprecated):
        return False
    if c.loopback and not ia.ia_ifp.if_flags & IFF_LOOPBACK:
        return False
    if c.link:
        return ia.ia_ifp.if_index == c.link
    addr = ia.ia_addr
    if _GLOBAL_FIRST <= addr < _GLOBAL_LAST:
        return True
    if IN6_IS_ADDR_LINKLOCAL(addr):
        return ia.ia_ifp is c.ifp
    return not IN6_IS_ADDR_LOOPBACK(addr) or bool(c.ifp.if_flags & IFF_LOOPBACK)


def _zone(addr: bytes) -> int:
    """The embedded interface index, 0 for addresses that carry none."""
    if addr < _GLOBAL_LAST:
        return 0
    if (
        IN6_IS_ADDR_LINKLOCAL(addr)
        or IN6_IS_ADDR_MC_LINKLOCAL(addr)
        or IN6_IS_ADDR_MC_NODELOCAL(addr)
    ):
        return embedded_zone(addr)
    return 0


def _better(c: _Choice, new: In6Ifaddr, best: In6Ifaddr | None) -> In6Ifaddr:
    """The better of two, with the rule that decided counted (KAME's REPLACE and NEXT)."""
    used = c.kern.stats.ip6s_sources_rule
    if best is None:
        used[RULE_FIRST] += 1
        return new
    for number, rule in RULES:
        prefer = rule(c, new, best)
        if prefer:
            used[number] += 1
            return new if prefer > 0 else best
    used[RULE_TIE] += 1
    return best


def in6_selecthlim(kern: Kernel, pcb_hops: int, ifp: Ifnet | None) -> int:
    """The hop limit of a unicast packet: the socket's, the link's (from RAs), the system's."""
    if pcb_hops >= 0:
        return pcb_hops
    return ifp.ndi.chlim if ifp is not None else kern.ip6.ip6_defhlim


def in6_selectroute(
    kern: Kernel, dst: bytes, opt: Ip6Pktopts | None, im6o: Ip6Moptions | None
) -> tuple[Ifnet, Rtentry | None]:
    """The interface, and the route if one was needed, for ``dst``. KError(EHOSTUNREACH).

    An interface in the packet information wins for multicast; a next hop is routed instead of the
    destination. Reject routes are the caller's business.
    Source: KAME in6_src.c in6_selectroute.
    """
    ifp = opt.ip6po_pktinfo_ifp if opt is not None else None
    multicast = IN6_IS_ADDR_MULTICAST(dst)
    if multicast and ifp is None:
        ifp = im6o.im6o_multicast_ifp if im6o is not None else None
        if ifp is None and _zone(dst):
            ifp = kern.ifbyindex(_zone(dst))
    if ifp is not None and multicast:
        return ifp, None
    nexthop = opt.ip6po_nexthop if opt is not None else None
    rt = rtalloc1(kern, nexthop if nexthop is not None else dst)
    if rt is None or not rt.rt_flags & RTF_UP:
        if ifp is not None:
            return ifp, None
        raise KError(EHOSTUNREACH)
    return (ifp if ifp is not None else rt.rt_ifp), rt
