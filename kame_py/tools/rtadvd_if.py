# SPDX-License-Identifier: BSD-3-Clause
"""What rtadvd knows of one advertising interface: parameters, prefixes, timer, packet.

KAME: struct rainfo of rtadvd.h, make_packet() of config.c, the timer arithmetic of rtadvd.c.
Deviates: a prefix that left the routing table is advertised with zero lifetimes three times (KAME
forgot it silently until May 2002); hapref is sent as configured. Read RFC 2461 s.6.2 first.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

from kame_py.lib.rtadvd_conf import MS_PER_S, RaConfig, RaPrefix, RaRoute
from kame_py.wire.codecs import NdRouterAdvert
from kame_py.wire.const import (
    ND6_INFINITE_LIFETIME,
    ND_OPT_PI_FLAG_AUTO,
    ND_OPT_PI_FLAG_ONLINK,
    ND_OPT_PI_FLAG_ROUTER,
    ND_OPT_SOURCE_LINKADDR,
)
from kame_py.wire.in6addr import prefix_equal
from kame_py.wire.nd6opt import (
    build_advinterval_opt,
    build_homeagent_opt,
    build_lladdr_opt,
    build_mtu_opt,
    build_prefix_opt,
    build_route_opt,
)

NS: Final = 1_000_000_000
MS: Final = 1_000_000
US: Final = 1_000
MAX_INITIAL_RTR_ADVERT_INTERVAL_S: Final = 16  # RFC 2461 s.10
MAX_INITIAL_RTR_ADVERTISEMENTS: Final = 3
MAX_FINAL_RTR_ADVERTISEMENTS: Final = 3
MIN_DELAY_BETWEEN_RAS_S: Final = 3
MAX_RA_DELAY_TIME_US: Final = 500_000
_HAPREF_SIGN: Final = 0x8000  # the field is signed, RFC 6275 s.7.4
_HAPREF_RANGE: Final = 0x10000


class Origin(Enum):
    """Where a prefix came from, as the dump names it."""

    KERNEL = "KERNEL"
    CONFIG = "CONFIG"
    DYNAMIC = "DYNAMIC"


@dataclass(slots=True)
class Prefix:
    """One advertised prefix (struct prefix). ``*expire_s``: monotonic second, None when fixed.

    finals_left: advertisements with zero lifetimes still to be sent; None while it is in use.
    """

    prefix: bytes
    prefixlen: int
    origin: Origin
    onlink: bool = True
    autoconf: bool = True
    router: bool = False
    vltime_s: int = 0
    pltime_s: int = 0
    vexpire_s: int | None = None
    pexpire_s: int | None = None
    finals_left: int | None = None

    @classmethod
    def from_config(cls, conf: RaPrefix, now_s: int, origin: Origin = Origin.CONFIG) -> Prefix:
        """A prefix as configured; lifetimes that count down do so from now."""
        return cls(
            conf.prefix,
            conf.prefixlen,
            origin,
            conf.onlink,
            conf.autoconf,
            conf.router,
            conf.vltime_s,
            conf.pltime_s,
            now_s + conf.vltime_s if conf.vltimedecr else None,
            now_s + conf.pltime_s if conf.pltimedecr else None,
        )

    @property
    def flags(self) -> int:
        """The flags octet of the option."""
        flags = ND_OPT_PI_FLAG_ONLINK if self.onlink else 0
        flags |= ND_OPT_PI_FLAG_AUTO if self.autoconf else 0
        return flags | (ND_OPT_PI_FLAG_ROUTER if self.router else 0)

    def lifetimes(self, now_s: int) -> tuple[int, int]:
        """(valid, preferred) as sent now; preferred never exceeds valid."""
        if self.finals_left is not None:
            return 0, 0
        valid = self.vltime_s if self.vexpire_s is None else max(self.vexpire_s - now_s, 0)
        preferred = self.pltime_s if self.pexpire_s is None else max(self.pexpire_s - now_s, 0)
        return valid, min(valid, preferred)

    def matches(self, prefix: bytes, prefixlen: int) -> bool:
        """Same length and same leading bits."""
        return self.prefixlen == prefixlen and prefix_equal(self.prefix, prefix, prefixlen)


@dataclass(slots=True)
class Rainfo:
    """One interface (struct rainfo). Times are monotonic ns; timer_ns None: stopped.

    prefixes and routes are in the order of the wire, which is the reverse of the configuration's.
    """

    ifname: str
    ifindex: int
    conf: RaConfig
    mobility: bool
    router_address: bool  # prefix options tell our own address (R)
    lladdr: bytes
    phymtu: int
    up: bool
    rltime_s: int
    prefixes: list[Prefix] = field(default_factory=list)
    timer_ns: int | None = None
    lastsent_ns: int | None = None
    lastsent_real_ns: int = 0
    initcounter: int = 0
    waiting: int = 0
    raoutput: int = 0
    rainput: int = 0
    rainconsistent: int = 0
    rsinput: int = 0

    @property
    def routes(self) -> tuple[RaRoute, ...]:
        return self.conf.routes[::-1]

    @property
    def hapref(self) -> int:
        """Preference as the signed number that the option carries."""
        value = self.conf.hapref
        return value - _HAPREF_RANGE if value & _HAPREF_SIGN else value

    def find_prefix(self, prefix: bytes, prefixlen: int) -> Prefix | None:
        """The entry of that prefix, withdrawn ones included."""
        return next((p for p in self.prefixes if p.matches(prefix, prefixlen)), None)

    # -- timer ----------------------------------------------------------------------------------

    def timer_update(self, now_ns: int, random: Callable[[int], int]) -> None:
        """Arm the regular timer (ra_timer_update); the first three intervals are short."""
        least, most = self.conf.mininterval_ms, self.conf.maxinterval_ms
        step = MS_PER_S if least % MS_PER_S == most % MS_PER_S == 0 else 1
        interval_ms = least + random((most - least) // step) * step
        if self.initcounter < MAX_INITIAL_RTR_ADVERTISEMENTS:
            interval_ms = min(interval_ms, MAX_INITIAL_RTR_ADVERT_INTERVAL_S * MS_PER_S)
        self.timer_ns = now_ns + interval_ms * MS

    def set_short_delay(self, now_ns: int, random: Callable[[int], int]) -> None:
        """Bring the next advertisement near, at least 3 s after the last (RFC 2461 s.6.2.6)."""
        delay_ns = random(MAX_RA_DELAY_TIME_US) * US
        if self.timer_ns is not None:
            delay_ns = min(delay_ns, max(self.timer_ns - now_ns, 0))
        if self.lastsent_ns is not None:
            spacing_ns = self.lastsent_ns + MIN_DELAY_BETWEEN_RAS_S * NS - now_ns
            delay_ns += max(spacing_ns, 0)
        self.timer_ns = now_ns + delay_ns

    def sent(self, now_ns: int, real_ns: int) -> None:
        """Account for an advertisement that has just gone out."""
        self.initcounter = min(self.initcounter + 1, MAX_INITIAL_RTR_ADVERTISEMENTS)
        self.raoutput += 1
        self.lastsent_ns = now_ns
        self.lastsent_real_ns = real_ns
        self.waiting = 0
        for prefix in self.prefixes:
            if prefix.finals_left is not None:
                prefix.finals_left -= 1
        self.prefixes = [p for p in self.prefixes if p.finals_left != 0]

    # -- packet ---------------------------------------------------------------------------------

    def make_packet(self, now_s: int) -> bytes:
        """The advertisement as it is sent now; the checksum is the kernel's."""
        conf = self.conf
        head = NdRouterAdvert(
            nd_ra_curhoplimit=conf.chlim,
            nd_ra_flags_reserved=conf.raflags,
            nd_ra_router_lifetime=self.rltime_s,
            nd_ra_reachable=conf.rtime_ms,
            nd_ra_retransmit=conf.retrans_ms,
        )
        out = head.pack()
        if conf.send_lladdr:
            out += build_lladdr_opt(ND_OPT_SOURCE_LINKADDR, self.lladdr)
        if conf.linkmtu:
            out += build_mtu_opt(conf.linkmtu)
        if self.mobility:
            out += self._mobility_options()
        for p in self.prefixes:
            out += build_prefix_opt(p.prefix, p.prefixlen, p.flags, *p.lifetimes(now_s))
        for r in self.routes:
            out += build_route_opt(r.prefix, r.prefixlen, r.rtpref, r.ltime_s)
        return out

    def _mobility_options(self) -> bytes:
        """Always the advertisement interval; the home agent's own data if it has a lifetime."""
        out = build_advinterval_opt(self.conf.maxinterval_ms)
        if self.conf.hatime_s:
            out += build_homeagent_opt(self.hapref, self.conf.hatime_s)
        return out


def lifetime_text(lifetime_s: int) -> str:
    """Seconds, or the word for the value that never ends."""
    return "infinity" if lifetime_s == ND6_INFINITE_LIFETIME else str(lifetime_s)
