# SPDX-License-Identifier: BSD-3-Clause
"""What had knows of one home link: its own addresses there and the list of home agents.

KAME: struct hagent_ifinfo, hagent_entry, hagent_gaddr and the list functions of halist.c.
Deviates: an entry ends at its expiry, KAME's swept up to two seconds later; the shuffle among equal
preferences draws from the program's random stream, KAME never seeded its own. Read first:
draft-ietf-mobileip-ipv6-15 s.4.6, s.9.7.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from kame_py.lib.flagwords import (
    IN6_IFF_ANYCAST,
    IN6_IFF_DEPRECATED,
    IN6_IFF_DETACHED,
    IN6_IFF_DUPLICATED,
    IN6_IFF_HOME,
    IN6_IFF_TEMPORARY,
)
from kame_py.wire.const import ND6_INFINITE_LIFETIME
from kame_py.wire.in6addr import (
    IN6_IS_ADDR_LINKLOCAL,
    IN6_IS_ADDR_LOOPBACK,
    IN6_IS_ADDR_MULTICAST,
    IN6_IS_ADDR_SITELOCAL,
    IN6_IS_ADDR_UNSPECIFIED,
    combine,
    prefix_equal,
)
from kame_py.wire.snap import IfaSnap

NS: Final = 1_000_000_000

#: An ordinary address with one of these does not stand for this home agent.
UNFIT_FLAGS: Final = (
    IN6_IFF_DUPLICATED | IN6_IFF_DETACHED | IN6_IFF_DEPRECATED | IN6_IFF_TEMPORARY | IN6_IFF_HOME
)
ADDR_BITS: Final = 128
#: RFC 2526 s.2, anycast identifier 126: as an EUI-64 with its universal/local bit clear, or not.
HAANYCAST_IDS: Final = (
    b"\xff" * 8 + b"\xfd" + b"\xff" * 6 + b"\xfe",
    b"\xff" * 15 + b"\xfe",
)

Random = Callable[[int], int]


@dataclass(slots=True)
class HagentGaddr:
    """One global address of a home agent (struct hagent_gaddr); expiry None never comes."""

    gaddr: bytes
    plen: int
    onlink: bool
    autoconf: bool
    router: bool
    vltime_s: int
    pltime_s: int
    vexpire_ns: int | None
    pexpire_ns: int | None


@dataclass(slots=True)
class HagentEntry:
    """One home agent of the link (struct hagent_entry), named by its link-local address."""

    hagent_addr: bytes
    hagent_pref: int
    hagent_lifetime_s: int
    hagent_expire_ns: int
    hagent_galist: list[HagentGaddr] = field(default_factory=list)

    def update_gaddr(self, fresh: HagentGaddr) -> None:
        """Add or refresh one of its global addresses; one without valid lifetime goes."""
        known = [i for i, g in enumerate(self.hagent_galist) if g.gaddr == fresh.gaddr]
        at = known[0] if known else len(self.hagent_galist)
        self.hagent_galist[at : at + 1] = [fresh] if fresh.vltime_s else []

    def gaddr_on(self, target: bytes) -> bytes | None:
        """Its first global address whose prefix the target shares."""
        for g in self.hagent_galist:
            if prefix_equal(g.gaddr, target, g.plen):
                return g.gaddr
        return None


class IfaPair(NamedTuple):
    """A home agents anycast address of ours, and our own address in its prefix if there is one."""

    anycast: bytes
    plen: int
    gaddr: bytes | None


@dataclass(slots=True)
class HagentIfinfo:
    """One home link (struct hagent_ifinfo). halist is in order of preference, best first."""

    ifname: str
    ifindex: int
    linklocal: bytes | None = None
    gavec: list[IfaPair] = field(default_factory=list)
    halist: list[HagentEntry] = field(default_factory=list)

    # -- own addresses --------------------------------------------------------------------------

    def set_addresses(self, rows: Iterable[IfaSnap]) -> None:
        """Take over what the interface has now (haif_findifas)."""
        rows = tuple(rows)
        self.linklocal = None
        for row in rows:
            if IN6_IS_ADDR_LINKLOCAL(row.addr):
                self.linklocal = row.addr
        own = [row.addr for row in rows if _is_own_global(row)]
        self.gavec = [
            IfaPair(row.addr, row.plen, _first_in(own, row))
            for row in rows
            if row.flags & IN6_IFF_ANYCAST and is_haanycast(row.addr, row.plen)
        ]

    def pair(self, anycast: bytes) -> IfaPair | None:
        """The pair of an anycast address, None when it is none of ours here."""
        return next((p for p in self.gavec if p.anycast == anycast), None)

    # -- the list -------------------------------------------------------------------------------

    def find(self, lladdr: bytes) -> HagentEntry | None:
        """The home agent of that link-local address."""
        return next((e for e in self.halist if e.hagent_addr == lladdr), None)

    def delete(self, lladdr: bytes) -> None:
        """Forget a home agent."""
        self.halist = [e for e in self.halist if e.hagent_addr != lladdr]

    def update(self, lladdr: bytes, pref: int, lifetime_s: int, now_ns: int) -> HagentEntry:
        """Create or refresh a home agent; equals stand in the order in which they came."""
        expire_ns = now_ns + lifetime_s * NS
        entry = self.find(lladdr)
        if entry is None:
            entry = HagentEntry(lladdr, pref, lifetime_s, expire_ns)
            self._insert(entry)
        elif entry.hagent_pref != pref:
            entry.hagent_pref = pref
            self.halist.remove(entry)
            self._insert(entry)
        entry.hagent_lifetime_s, entry.hagent_expire_ns = lifetime_s, expire_ns
        return entry

    def _insert(self, entry: HagentEntry) -> None:
        at = 0
        while at < len(self.halist) and self.halist[at].hagent_pref >= entry.hagent_pref:
            at += 1
        self.halist.insert(at, entry)

    def expire(self, now_ns: int) -> None:
        """Remove the agents, then the addresses, whose time is over (haadisc_expire)."""
        self.halist = [e for e in self.halist if e.hagent_expire_ns > now_ns]
        for entry in self.halist:
            entry.hagent_galist = [
                g for g in entry.hagent_galist if g.vexpire_ns is None or g.vexpire_ns > now_ns
            ]

    def shuffle(self, random: Random) -> None:
        """Put the agents of equal preference in random order (draft s.9.8)."""
        groups: dict[int, list[HagentEntry]] = {}
        for entry in self.halist:
            groups.setdefault(entry.hagent_pref, []).append(entry)
        self.halist = [e for group in groups.values() for e in _shuffled(group, random)]


def _shuffled(group: list[HagentEntry], random: Random) -> list[HagentEntry]:
    out = list(group)
    for last in range(len(out) - 1, 0, -1):
        other = random(last + 1)
        out[last], out[other] = out[other], out[last]
    return out


def is_haanycast(addr: bytes, plen: int) -> bool:
    """Whether the host part is the home agents anycast identifier, in either form."""
    return plen < ADDR_BITS and any(addr == combine(addr, plen, i) for i in HAANYCAST_IDS)


def _is_own_global(row: IfaSnap) -> bool:
    if row.flags & (UNFIT_FLAGS | IN6_IFF_ANYCAST):
        return False
    return is_global(row.addr)


def is_global(addr: bytes) -> bool:
    """A unicast address that means the same on every link."""
    return not (
        IN6_IS_ADDR_LINKLOCAL(addr)
        or IN6_IS_ADDR_SITELOCAL(addr)
        or IN6_IS_ADDR_MULTICAST(addr)
        or IN6_IS_ADDR_LOOPBACK(addr)
        or IN6_IS_ADDR_UNSPECIFIED(addr)
    )


def _first_in(own: list[bytes], anycast: IfaSnap) -> bytes | None:
    return next((a for a in own if prefix_equal(a, anycast.addr, anycast.plen)), None)


def expiry(lifetime_s: int, now_ns: int) -> int | None:
    """The moment when a lifetime of an advertisement ends."""
    return None if lifetime_s == ND6_INFINITE_LIFETIME else now_ns + lifetime_s * NS
