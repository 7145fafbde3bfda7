# SPDX-License-Identifier: BSD-3-Clause
"""What rtadvd writes to /var/run/rtadvd.dump on SIGUSR1: the historical text, or JSON.

KAME: dump.c, to the letter: ``RA timer is stopped`` has no newline, so the line of waits follows on
it. Deviates: dates are UTC; --json gives the same values as objects.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from kame_py.lib.rtadvd_conf import MS_PER_S, interval_text
from kame_py.lib.toolbase import Json, to_json
from kame_py.tools.rtadvd_if import NS, Prefix, Rainfo, lifetime_text
from kame_py.wire.const import (
    ND_RA_FLAG_RTPREF_HIGH,
    ND_RA_FLAG_RTPREF_LOW,
    ND_RA_FLAG_RTPREF_MEDIUM,
    ND_RA_FLAG_RTPREF_RSV,
)
from kame_py.wire.in6addr import mac_ntoa, ntop

RTPREF_WORDS: Final = {
    ND_RA_FLAG_RTPREF_MEDIUM: "medium",
    ND_RA_FLAG_RTPREF_HIGH: "high",
    ND_RA_FLAG_RTPREF_RSV: "rsv",
    ND_RA_FLAG_RTPREF_LOW: "low",
}
LLADDR_MIN: Final = 6  # octets; a shorter address is shown as NONE
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def dump_text(ifaces: list[Rainfo], now_ns: int, real_ns: int) -> str:
    """The whole file."""
    return "".join(_interface(rai, now_ns, real_ns) for rai in ifaces)


def ctime(real_ns: int) -> str:
    """ctime(3) without its newline, in UTC."""
    t = _EPOCH + timedelta(seconds=real_ns // NS)
    day = f"{t.day:2d}"
    return t.strftime(f"%a %b {day} %H:%M:%S %Y")


def _interface(rai: Rainfo, now_ns: int, real_ns: int) -> str:
    conf = rai.conf
    lines = [f"{rai.ifname}:", f"  Status: {'UP' if rai.up else 'DOWN'}"]
    if rai.lastsent_ns is not None:
        lines.append(f"  Last RA sent: {ctime(rai.lastsent_real_ns)}")
    stopped = "  RA timer is stopped"
    if rai.timer_ns is not None:
        stopped = ""
        lines.append(f"  Next RA will be sent: {ctime(real_ns + rai.timer_ns - now_ns)}")
    lines += [
        f"{stopped}  waits: {rai.waiting}, initcount: {rai.initcounter}",
        f"  statistics: RA(out/in/inconsistent): {rai.raoutput}/{rai.rainput}/"
        f"{rai.rainconsistent}, RS(input): {rai.rsinput}",
    ]
    if conf.send_lladdr:
        lines.append(f"  Link-layer address: {_lladdr(rai.lladdr)}")
    lines += [
        f"  MTU: {rai.phymtu}",
        f"  DefaultLifetime: {rai.rltime_s}, MaxAdvInterval: {interval_text(conf.maxinterval_ms)}, "
        f"MinAdvInterval: {interval_text(conf.mininterval_ms)}",
        f"  Flags: {_raflags(rai)}, Preference: {RTPREF_WORDS[conf.rtpref]}, MTU: {conf.linkmtu}",
        f"  ReachableTime: {conf.rtime_ms}, RetransTimer: {conf.retrans_ms}, "
        f"CurHopLimit: {conf.chlim}",
        f"  HAPreference: {rai.hapref}, HALifetime: {conf.hatime_s}",
    ]
    if conf.clockskew_s:
        lines.append(f"  Clock skew: {conf.clockskew_s}sec")
    if rai.prefixes:
        lines.append("  Prefixes:")
        lines += [f"    {_prefix(p, now_ns // NS)}" for p in rai.prefixes]
    if rai.routes:
        lines.append("  Route Information:")
        lines += [
            f"    {ntop(r.prefix)}/{r.prefixlen} (preference: {RTPREF_WORDS[r.rtpref]}, "
            f"lifetime: {lifetime_text(r.ltime_s)})"
            for r in rai.routes
        ]
    return "\n".join(lines) + "\n"


def _lladdr(lladdr: bytes) -> str:
    return mac_ntoa(lladdr) if len(lladdr) >= LLADDR_MIN else "NONE"


def _seconds(interval_ms: int) -> int | float:
    return interval_ms / MS_PER_S if interval_ms % MS_PER_S else interval_ms // MS_PER_S


def _raflags(rai: Rainfo) -> str:
    conf = rai.conf
    flags = ((conf.managed, "M"), (conf.otherconf, "O"), (conf.home_agent, "H"))
    return "".join(letter for on, letter in flags if on)


def _prefix(p: Prefix, now_s: int) -> str:
    withdrawn = p.finals_left is not None
    vltime = "0" if withdrawn else _lifetime(p.vltime_s, p.vexpire_s, now_s)
    pltime = "0" if withdrawn else _lifetime(p.pltime_s, p.pexpire_s, now_s)
    return (
        f"{ntop(p.prefix)}/{p.prefixlen}({p.origin.value}, vltime: {vltime}, pltime: {pltime}, "
        f"flags: {_pflags(p)})"
    )


def _lifetime(lifetime_s: int, expire_s: int | None, now_s: int) -> str:
    text = lifetime_text(lifetime_s)
    if expire_s is None:
        return text
    return f"{text}(decr,expire {max(expire_s - now_s, 0)})"


def _pflags(p: Prefix) -> str:
    flags = ((p.onlink, "L"), (p.autoconf, "A"), (p.router, "R"))
    return "".join(letter for on, letter in flags if on)


def dump_json(ifaces: list[Rainfo], now_ns: int, real_ns: int) -> str:
    """The same as a JSON array, one object for each interface."""
    return to_json([_interface_json(rai, now_ns, real_ns) for rai in ifaces])


def _interface_json(rai: Rainfo, now_ns: int, real_ns: int) -> dict[str, Json]:
    conf = rai.conf
    next_s = None if rai.timer_ns is None else (real_ns + rai.timer_ns - now_ns) // NS
    return {
        "interface": rai.ifname,
        "up": rai.up,
        "last_ra": None if rai.lastsent_ns is None else rai.lastsent_real_ns // NS,
        "next_ra": next_s,
        "waits": rai.waiting,
        "initcount": rai.initcounter,
        "ra_out": rai.raoutput,
        "ra_in": rai.rainput,
        "ra_inconsistent": rai.rainconsistent,
        "rs_in": rai.rsinput,
        "lladdr": _lladdr(rai.lladdr) if conf.send_lladdr else None,
        "mtu": rai.phymtu,
        "router_lifetime": rai.rltime_s,
        "max_interval": _seconds(conf.maxinterval_ms),
        "min_interval": _seconds(conf.mininterval_ms),
        "flags": _raflags(rai),
        "preference": RTPREF_WORDS[conf.rtpref],
        "link_mtu": conf.linkmtu,
        "reachable_time": conf.rtime_ms,
        "retrans_timer": conf.retrans_ms,
        "cur_hop_limit": conf.chlim,
        "ha_preference": rai.hapref,
        "ha_lifetime": conf.hatime_s,
        "clock_skew": conf.clockskew_s,
        "prefixes": [_prefix_json(p, now_ns // NS) for p in rai.prefixes],
        "routes": [
            {
                "prefix": f"{ntop(r.prefix)}/{r.prefixlen}",
                "preference": RTPREF_WORDS[r.rtpref],
                "lifetime": r.ltime_s,
            }
            for r in rai.routes
        ],
    }


def _prefix_json(p: Prefix, now_s: int) -> dict[str, Json]:
    valid, preferred = p.lifetimes(now_s)
    return {
        "prefix": f"{ntop(p.prefix)}/{p.prefixlen}",
        "origin": p.origin.value,
        "vltime": valid,
        "pltime": preferred,
        "flags": _pflags(p),
    }
