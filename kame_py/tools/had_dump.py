# SPDX-License-Identifier: BSD-3-Clause
"""What had writes to /var/run/had.dump on SIGUSR1 and, with -D, to stderr: text or JSON.

KAME: haadisc_dump.c, to the letter. Deviates: the time of day is UTC; --json.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from kame_py.lib.toolbase import Json, to_json
from kame_py.tools.had_if import NS, HagentEntry, HagentGaddr, HagentIfinfo
from kame_py.wire.const import ND6_INFINITE_LIFETIME
from kame_py.wire.in6addr import ntop

SECONDS_A_DAY: Final = 86_400
NS_PER_US: Final = 1_000


def dump_text(ifaces: list[HagentIfinfo], now_ns: int, real_ns: int) -> str:
    """The whole file."""
    lines = [f"dump home agent list at {_time_of_day(real_ns)}"]
    for haif in ifaces:
        lines.append(f"{haif.ifname}:")
        for entry in haif.halist:
            lines += _entry(entry, now_ns, real_ns)
        for number, pair in enumerate(haif.gavec):
            lines.append(f"  entry {number}")
            if pair.gaddr is not None:
                lines.append(f"    global addresses={ntop(pair.gaddr)}")
            lines.append(f"    anycast addresses={ntop(pair.anycast)}")
    return "\n".join(lines) + "\n"


def _time_of_day(real_ns: int) -> str:
    seconds, ns = divmod(real_ns, NS)
    minutes, second = divmod(seconds % SECONDS_A_DAY, 60)
    hour, minute = divmod(minutes, 60)
    return f"{hour:02}:{minute:02}:{second:02}.{ns // NS_PER_US:06}"


def _entry(entry: HagentEntry, now_ns: int, real_ns: int) -> Iterator[str]:
    expire_s = (real_ns + entry.hagent_expire_ns - now_ns) // NS
    yield f"  home agent address={ntop(entry.hagent_addr)}"
    yield (
        f"    lifetime={entry.hagent_lifetime_s} "
        f"expire={expire_s}(decr,expire {_left(entry.hagent_expire_ns, now_ns)})"
    )
    yield f"    preference={entry.hagent_pref}"
    yield "    global addresses:"
    for g in entry.hagent_galist:
        vltime = _lifetime(g.vltime_s, g.vexpire_ns, now_ns)
        pltime = _lifetime(g.pltime_s, g.pexpire_ns, now_ns)
        name = f"{ntop(g.gaddr)}/{g.plen}"
        yield f"      {name}(vltime: {vltime}, pltime: {pltime}, flags: {_flags(g)})"


def _left(expire_ns: int, now_ns: int) -> int:
    return max((expire_ns - now_ns) // NS, 0)


def _lifetime(lifetime_s: int, expire_ns: int | None, now_ns: int) -> str:
    if expire_ns is None:
        return "infinity"
    return f"{lifetime_s}(decr,expire {_left(expire_ns, now_ns)})"


def _flags(g: HagentGaddr) -> str:
    flags = ((g.onlink, "L"), (g.autoconf, "A"), (g.router, "R"))
    return "".join(letter for on, letter in flags if on)


def dump_json(ifaces: list[HagentIfinfo], now_ns: int, real_ns: int) -> str:
    """The same as a JSON array, one object for each interface; times are seconds left."""
    return to_json([_interface_json(haif, now_ns) for haif in ifaces])


def _interface_json(haif: HagentIfinfo, now_ns: int) -> dict[str, Json]:
    return {
        "interface": haif.ifname,
        "home_agents": [_entry_json(entry, now_ns) for entry in haif.halist],
        "own": [
            {
                "anycast": ntop(pair.anycast),
                "global": None if pair.gaddr is None else ntop(pair.gaddr),
            }
            for pair in haif.gavec
        ],
    }


def _entry_json(entry: HagentEntry, now_ns: int) -> dict[str, Json]:
    return {
        "address": ntop(entry.hagent_addr),
        "preference": entry.hagent_pref,
        "lifetime": entry.hagent_lifetime_s,
        "expire": _left(entry.hagent_expire_ns, now_ns),
        "global_addresses": [
            {
                "address": f"{ntop(g.gaddr)}/{g.plen}",
                "vltime": g.vltime_s,
                "vexpire": _seconds(g.vexpire_ns, now_ns),
                "pltime": g.pltime_s,
                "pexpire": _seconds(g.pexpire_ns, now_ns),
                "flags": _flags(g),
            }
            for g in entry.hagent_galist
        ],
    }


def _seconds(expire_ns: int | None, now_ns: int) -> int:
    return ND6_INFINITE_LIFETIME if expire_ns is None else _left(expire_ns, now_ns)
