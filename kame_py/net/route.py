# SPDX-License-Identifier: BSD-3-Clause
"""The routing table (KAME radix.c, route.c) for addresses with embedded scope.

One dictionary per prefix length, longest first, instead of a radix tree; dumps are sorted. Host
routes of which there are very many may be made when somebody wants one. Neighbour cache entries are
host routes cloned from an interface route, as in KAME.
Deviates: RTF_PRCLONING is set where KAME sets it but clones nothing. A route through a gateway gets
host routes below it only where a destination needs its own metric or gateway: path MTU, redirect.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

from kame_py.wire.errno import EEXIST, ENETUNREACH, ESRCH, KError
from kame_py.wire.in6addr import IN6_IS_ADDR_MULTICAST, masked

if TYPE_CHECKING:
    from kame_py.kern.callout import Callout
    from kame_py.kern.kernel import Kernel
    from kame_py.net.if_ import Ifnet
    from kame_py.netinet6.in6_var import In6Ifaddr
    from kame_py.netinet6.nd6 import LlinfoNd6

RTF_UP: Final = 0x1
RTF_GATEWAY: Final = 0x2
RTF_HOST: Final = 0x4
RTF_REJECT: Final = 0x8
RTF_DYNAMIC: Final = 0x10
RTF_MODIFIED: Final = 0x20
RTF_DONE: Final = 0x40
RTF_CLONING: Final = 0x100
RTF_XRESOLVE: Final = 0x200
RTF_LLINFO: Final = 0x400
RTF_STATIC: Final = 0x800
RTF_BLACKHOLE: Final = 0x1000
RTF_PROTO2: Final = 0x4000
RTF_ANNOUNCE: Final = RTF_PROTO2  # proxy: answer solicitations for it
RTF_PROTO1: Final = 0x8000
RTF_PRCLONING: Final = 0x10000
RTF_WASCLONED: Final = 0x20000
RTF_PROTO3: Final = 0x40000
RTF_PINNED: Final = 0x100000
RTF_LOCAL: Final = 0x200000
RTF_BROADCAST: Final = 0x400000
RTF_MULTICAST: Final = 0x800000

HOST_PLEN: Final = 128
FOUND_MAX: Final = 1024  # look-ups that are remembered

RTM_ADD: Final = 0x1
RTM_DELETE: Final = 0x2
RTM_CHANGE: Final = 0x3
RTM_GET: Final = 0x4
RTM_REDIRECT: Final = 0x6
RTM_MISS: Final = 0x7
RTM_RESOLVE: Final = 0xB
RTM_NEWADDR: Final = 0xC
RTM_DELADDR: Final = 0xD
RTM_IFINFO: Final = 0xE


class LinkAddr(NamedTuple):
    """A link-layer gateway (struct sockaddr_dl): interface index and address (b"" unknown)."""

    sdl_index: int
    sdl_data: bytes = b""


@dataclass(slots=True, eq=False)
class RtMetrics:
    """struct rt_metrics. rmx_mtu 0: the interface's. rmx_expire: monotonic ns, 0 never."""

    rmx_mtu: int = 0
    rmx_hopcount: int = 0
    rmx_expire: int = 0
    rmx_recvpipe: int = 0
    rmx_sendpipe: int = 0
    rmx_ssthresh: int = 0
    rmx_rtt: int = 0
    rmx_rttvar: int = 0
    rmx_locks: int = 0


@dataclass(slots=True, eq=False)
class Rtentry:
    """One route. rt_key is masked, in kernel form; rt_gateway an address or a link address."""

    rt_key: bytes
    rt_plen: int
    rt_gateway: bytes | LinkAddr
    rt_flags: int
    rt_ifp: Ifnet
    rt_ifa: In6Ifaddr | None = None
    rt_rmx: RtMetrics = field(default_factory=RtMetrics)
    rt_llinfo: LlinfoNd6 | None = None
    rt_parent: Rtentry | None = None
    rt_gwroute: Rtentry | None = None
    rt_use: int = 0
    rt_refcnt: int = 0
    rt_callout: Callout | None = None  # expiry of a path MTU or redirect

    @property
    def up(self) -> bool:
        return bool(self.rt_flags & RTF_UP)


class HostRoutes(Protocol):
    """Host routes that are not in the table until somebody wants one to keep or to change."""

    def __len__(self) -> int: ...

    def make(self, key: bytes) -> Rtentry | None:
        """The route is in the table from now on; None: it is none of these."""
        ...

    def look(self, key: bytes) -> Rtentry | None:
        """The route as it would be, to look at."""
        ...

    def all(self) -> Iterator[Rtentry]:
        """All of them, to look at."""
        ...


class RouteTable:
    """The table of one kernel. unmade: routes that are made when they are asked for, if any.

    on_request: called after each change as (kern, RTM_*, rt); KAME's ifa_rtrequest (nd6_rtrequest)
    and the routing socket hang there. gen counts changes. What ``lookup`` found is remembered until
    a route comes or goes.
    """

    __slots__ = ("_by_plen", "_default", "_found", "gen", "on_request", "unmade")

    def __init__(self) -> None:
        self._by_plen: dict[int, dict[bytes, Rtentry]] = {}
        self._found: dict[bytes, Rtentry] = {}
        self._default: Rtentry | None = None
        self.gen = 0
        self.on_request: list[Callable[[Kernel, int, Rtentry], None]] = []
        self.unmade: HostRoutes | None = None

    def __iter__(self) -> Iterator[Rtentry]:
        """All routes in order of destination and prefix length."""
        routes = [rt for table in self._by_plen.values() for rt in table.values()]
        if self.unmade is not None:
            routes += self.unmade.all()
        return iter(sorted(routes, key=_order))

    def made(self) -> list[Rtentry]:
        """Those that are in the table, in the same order."""
        routes = (rt for table in self._by_plen.values() for rt in table.values())
        return sorted(routes, key=_order)

    def __len__(self) -> int:
        return sum(map(len, self._by_plen.values())) + len(self.unmade or ())

    def exact(self, key: bytes, plen: int) -> Rtentry | None:
        """The route with just this destination and length."""
        table = self._by_plen.get(plen)
        rt = table.get(masked(key, plen)) if table else None
        if rt is None and plen == HOST_PLEN and self.unmade is not None:
            return self.unmade.make(key)
        return rt

    def look(self, dst: bytes) -> Rtentry | None:
        """As ``lookup``, for who does not change the route."""
        rt = None if self.unmade is None else self.unmade.look(dst)
        return self.lookup(dst) if rt is None else rt

    def look_exact(self, dst: bytes) -> Rtentry | None:
        """As ``exact`` of a host route, for who does not change it."""
        rt = None if self.unmade is None else self.unmade.look(dst)
        return self.exact(dst, HOST_PLEN) if rt is None else rt

    def lookup(self, dst: bytes) -> Rtentry | None:
        """Longest match among the routes that are up."""
        rt = self._found.get(dst)
        if rt is not None and rt.rt_flags & RTF_UP:
            return rt
        if self.unmade is not None:
            self.unmade.make(dst)
        for plen, table in self._by_plen.items():
            rt = table.get(dst if plen == HOST_PLEN else masked(dst, plen))
            if rt is not None and rt.rt_flags & RTF_UP:
                if len(self._found) >= FOUND_MAX:
                    self._found.clear()
                self._found[dst] = rt
                return rt
        return None

    def insert(self, rt: Rtentry) -> None:
        plen = rt.rt_plen
        if plen not in self._by_plen:
            self._by_plen[plen] = {}
            self._by_plen = dict(sorted(self._by_plen.items(), reverse=True))
        self._by_plen[plen][rt.rt_key] = rt
        self.changed()

    def remove(self, rt: Rtentry) -> None:
        table = self._by_plen[rt.rt_plen]
        del table[rt.rt_key]
        if not table:
            del self._by_plen[rt.rt_plen]
        self.changed()

    def changed(self) -> None:
        """A route came or went: what was found may not be right any more."""
        self._found.clear()
        self.gen += 1


def _order(rt: Rtentry) -> tuple[bytes, int]:
    return rt.rt_key, rt.rt_plen


def rtalloc1(kern: Kernel, dst: bytes, clone: bool = True) -> Rtentry | None:
    """The route for ``dst`` (kernel form); a cloning route yields its clone, made when missing.

    clone False only looks (RTM_GET, checks).
    """
    rt = kern.rt.lookup(dst)
    if rt is None:
        kern.rtsock.rt_missmsg(RTM_MISS, dst)
        return None
    if clone and rt.rt_flags & RTF_CLONING:
        return rt_clone(kern, rt, dst)
    return rt


def rt_clone(kern: Kernel, parent: Rtentry, dst: bytes) -> Rtentry:
    """A host route below a cloning one: KAME's RTM_RESOLVE."""
    flags = (parent.rt_flags & ~(RTF_CLONING | RTF_PRCLONING | RTF_STATIC)) | RTF_WASCLONED
    gateway = parent.rt_gateway
    if isinstance(gateway, LinkAddr):
        gateway = LinkAddr(parent.rt_ifp.if_index)
    rt = Rtentry(
        dst, 128, gateway, flags | RTF_HOST | RTF_UP, parent.rt_ifp, parent.rt_ifa, rt_parent=parent
    )
    rt.rt_rmx.rmx_mtu = parent.rt_rmx.rmx_mtu
    kern.rt.insert(rt)
    _note(kern, rt)
    _notify(kern, RTM_RESOLVE, rt)
    return rt


def rtrequest(
    kern: Kernel,
    cmd: int,
    dst: bytes,
    plen: int,
    gateway: bytes | LinkAddr | None = None,
    flags: int = 0,
    ifp: Ifnet | None = None,
    ifa: In6Ifaddr | None = None,
) -> Rtentry:
    """Add (RTM_ADD) or delete (RTM_DELETE) a route and tell all who listen.

    KError: EEXIST, ESRCH, ENETUNREACH when the gateway cannot be reached by an interface.
    """
    if cmd == RTM_DELETE:
        return _rt_delete(kern, dst, plen)
    key = masked(dst, plen)
    if kern.rt.exact(key, plen) is not None:
        raise KError(EEXIST)
    if gateway is None:
        raise KError(ENETUNREACH)
    if ifp is None:
        ifp, ifa = _ifwithroute(kern, gateway)
    if plen == 128:
        flags |= RTF_HOST
    elif not flags & RTF_CLONING and not IN6_IS_ADDR_MULTICAST(key):
        flags |= RTF_PRCLONING  # in6_addroute
    rt = Rtentry(key, plen, gateway, flags | RTF_UP, ifp, ifa)
    kern.rt.insert(rt)
    _note(kern, rt)
    _flush_covered(kern, rt)
    _notify(kern, RTM_ADD, rt)
    return rt


def _ifwithroute(kern: Kernel, gateway: bytes | LinkAddr) -> tuple[Ifnet, In6Ifaddr | None]:
    if isinstance(gateway, LinkAddr):
        ifp = kern.ifbyindex(gateway.sdl_index)
        if ifp is None:
            raise KError(ENETUNREACH)
        return ifp, None
    via = kern.rt.lookup(gateway)
    if via is None:
        raise KError(ENETUNREACH)
    return via.rt_ifp, via.rt_ifa


def _flush_covered(kern: Kernel, new: Rtentry) -> None:
    """A new route takes over destinations that were cloned from a shorter one (rt_fixchange)."""
    if new.rt_plen == 128:
        return
    for rt in kern.rt.made():
        parent = rt.rt_parent
        if parent is None or parent.rt_plen >= new.rt_plen or rt.rt_flags & RTF_PINNED:
            continue
        if masked(rt.rt_key, new.rt_plen) == new.rt_key:
            _rt_delete(kern, rt.rt_key, rt.rt_plen)


def _rt_delete(kern: Kernel, dst: bytes, plen: int) -> Rtentry:
    rt = kern.rt.exact(dst, plen)
    if rt is None:
        raise KError(ESRCH)
    kern.rt.remove(rt)
    _note(kern, rt)
    rt.rt_flags &= ~RTF_UP
    if rt.rt_flags & RTF_CLONING:
        for child in kern.rt.made():
            if child.rt_parent is rt:
                _rt_delete(kern, child.rt_key, child.rt_plen)
    _notify(kern, RTM_DELETE, rt)
    return rt


def _note(kern: Kernel, rt: Rtentry) -> None:
    if rt.rt_plen == HOST_PLEN:
        kern.changes.note(rt.rt_key)
    else:
        kern.changes.note_all()


def _notify(kern: Kernel, cmd: int, rt: Rtentry) -> None:
    for fn in kern.rt.on_request:
        fn(kern, cmd, rt)


def rt_changed(kern: Kernel, rt: Rtentry) -> None:
    """Tell listeners that a route's gateway, flags or metrics changed (RTM_CHANGE)."""
    kern.rt.gen += 1
    _note(kern, rt)
    _notify(kern, RTM_CHANGE, rt)
