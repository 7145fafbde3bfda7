# SPDX-License-Identifier: BSD-3-Clause
"""What a replay found: as plain values for JSON, and as lines for people.

No KAME counterpart. Addresses are whole and numeric, link-local ones with their interface.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from kame_py.kern.drop import REASONS
from kame_py.lab.report import Json, mip6_report
from kame_py.netinet6.in6_var import (
    IN6_IFF_ANYCAST,
    IN6_IFF_AUTOCONF,
    IN6_IFF_DEPRECATED,
    IN6_IFF_DETACHED,
    IN6_IFF_DUPLICATED,
    IN6_IFF_TENTATIVE,
)
from kame_py.netinet6.nd6_ioctl import drlist, nbrlist
from kame_py.netinet6.scope6 import in6_clearscope
from kame_py.replay.verdict import seconds_text
from kame_py.wire.in6addr import IN6_IS_SCOPE_LINKLOCAL, mac_ntoa_padded, ntop

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kame_py.kern.kernel import Kernel
    from kame_py.replay.runner import ReplayResult

_FLAGS: Final = (
    (IN6_IFF_ANYCAST, "anycast"),
    (IN6_IFF_TENTATIVE, "tentative"),
    (IN6_IFF_DUPLICATED, "duplicated"),
    (IN6_IFF_DETACHED, "detached"),
    (IN6_IFF_DEPRECATED, "deprecated"),
    (IN6_IFF_AUTOCONF, "autoconf"),
)
#: ND6_LLINFO_* as ndp(8) names them.
_STATES: Final = {
    -2: "nostate",
    -1: "waitdelete",
    0: "incomplete",
    1: "reachable",
    2: "stale",
    3: "delay",
    4: "probe",
}
_NEIGHBORS_SHOWN: Final = 20
_INDENT: Final = "  "


def to_json(result: ReplayResult, seconds: float, interrupted: bool = False) -> dict[str, Json]:
    """One object with everything. seconds: how long the replay took on the host."""
    kern = result.kern
    return {
        "packets": result.packets,
        "left_out": result.left_out,
        "fates": dict(result.fates),
        "drops": dict(result.drops),
        "replies": result.replies,
        "in_bulk": result.in_bulk,
        "punts": dict(result.punts),
        "binding_cache": mip6_report(kern)["binding_cache"],
        "seconds": round(seconds, 6),
        "packets_per_second": packets_per_second(result.packets, seconds),
        "interrupted": interrupted,
        "error": result.error,
        "last_good": result.last_good,
        "addresses": list(addresses(result)),
        "default_routers": list(default_routers(kern)),
        "neighbors": [dict(row) for row in neighbors(kern, result.ifname)],
        "counters": dict(kern.stats.nonzero()),
        "problems": [*result.problems, *result.doubts],
    }


def json_text(value: Json, indent: str = "") -> str:
    """Indented by two; a row of a table is one line, since there may be a hundred thousand."""
    inner = indent + _INDENT
    if isinstance(value, dict) and value:
        parts = [f"{json.dumps(key)}: {json_text(member, inner)}" for key, member in value.items()]
        brackets = "{}"
    elif isinstance(value, list) and value:
        parts = [json.dumps(one) if _flat(one) else json_text(one, inner) for one in value]
        brackets = "[]"
    else:
        return json.dumps(value)
    lines = f",\n{inner}".join(parts)
    return f"{brackets[0]}\n{inner}{lines}\n{indent}{brackets[1]}"


def _flat(value: Json) -> bool:
    """A row: nothing in it has parts."""
    return isinstance(value, dict) and not any(isinstance(v, dict | list) for v in value.values())


def packets_per_second(packets: int, seconds: float) -> int:
    """The rate in whole packets."""
    return round(packets / seconds) if seconds > 0 else 0


def addresses(result: ReplayResult) -> list[str]:
    """Addresses of the interface: "2001:db8::1/64", "fe80::1%fxp0/64 tentative"."""
    return address_texts(result.kern, result.ifname)


def address_texts(kern: Kernel, ifname: str) -> list[str]:
    """As ``addresses``."""
    ifp = kern.ifunit(ifname)
    assert ifp is not None
    lines = []
    for ia in ifp.in6_addrs:
        words = [name for flag, name in _FLAGS if ia.ia6_flags & flag]
        text = f"{_addr(in6_clearscope(ia.ia_addr), ifname)}/{ia.ia_plen}"
        lines.append(" ".join((text, *words)))
    return lines


def default_routers(kern: Kernel) -> list[str]:
    """The default router list in its order."""
    return [_addr(dr.rtaddr, dr.ifname) for dr in drlist(kern)]


def neighbors(kern: Kernel, ifname: str) -> list[dict[str, Json]]:
    """Neighbours on the interface, the node itself left out."""
    return [
        {
            "address": _addr(row.addr, row.ifname),
            "lladdr": mac_ntoa_padded(row.lladdr) if row.lladdr else None,
            "state": _STATES[row.state],
            "router": row.isrouter,
        }
        for row in nbrlist(kern)
        if row.ifname == ifname and row.expire is not None
    ]


def neighbor_texts(kern: Kernel, ifname: str) -> list[str]:
    """The same, each as a line: "fe80::1%fxp0 00:11:22:33:44:55 stale router"."""
    lines = []
    for row in neighbors(kern, ifname):
        router = " router" if row["router"] else ""
        lladdr = row["lladdr"] or "(incomplete)"
        lines.append(f"{row['address']} {lladdr} {row['state']}{router}")
    return lines


def _addr(addr: bytes, ifname: str) -> str:
    return f"{ntop(addr)}%{ifname}" if IN6_IS_SCOPE_LINKLOCAL(addr) else ntop(addr)


# -- for people -----------------------------------------------------------------------------------


def to_lines(result: ReplayResult, seconds: float) -> list[tuple[str, str]]:
    """(line, style) pairs; a style is a rich style or ""."""
    span = result.end_ns - result.start_ns
    took = f"{seconds:.2f} s, {packets_per_second(result.packets, seconds)} packets/s"
    lines = [(f"{result.packets} packets over {seconds_text(span)} s, replayed in {took}", "bold")]
    if result.left_out:
        lines.append((f"{result.left_out} packets left out by the filter", ""))
    lines += bulk_lines(result.in_bulk, result.punts)
    lines += explain_lines(result)
    lines += [*fate_lines(result.fates), *drop_lines(result.drops)]
    lines += [("", ""), *_state_lines(result)]
    return lines


def explain_lines(result: ReplayResult) -> list[tuple[str, str]]:
    """The packets that were to be explained."""
    lines = []
    for n, told in result.traces.items():
        lines += [("", ""), (f"Packet {n}", "bold"), *((line, "cyan") for line in told)]
    return lines


def bulk_lines(in_bulk: int, punts: Mapping[str, int]) -> list[tuple[str, str]]:
    """How many packets the vector path handled, and why not the others it saw."""
    if not in_bulk and not punts:
        return []
    lines = [(f"{in_bulk} packets in bulk{', one by one:' if punts else ''}", "")]
    return lines + [(f"  {count:>9} {why}", "") for why, count in worst_first(punts)]


def fate_lines(fates: Mapping[str, int]) -> list[tuple[str, str]]:
    """Packets by fate, below a title."""
    lines = [("", ""), ("Fates", "bold")]
    return lines + [(f"  {count:>9} {fate}", "") for fate, count in fates.items() if count]


def drop_lines(drops: Mapping[str, int]) -> list[tuple[str, str]]:
    """Dropped packets by reason, most frequent first, below a title."""
    if not drops:
        return []
    lines = [("", ""), ("Dropped because", "bold")]
    rows = worst_first(drops)
    return lines + [(f"  {count:>9} {name:<20} {REASONS[name].text}", "") for name, count in rows]


def worst_first(drops: Mapping[str, int]) -> list[tuple[str, int]]:
    """(reason, packets), most packets first."""
    return sorted(drops.items(), key=lambda item: (-item[1], item[0]))


def _state_lines(result: ReplayResult) -> list[tuple[str, str]]:
    """The node as it stood at the last stamp."""
    lines = [(f"{result.kern.name} at the end, having sent {result.replies} frames", "bold")]
    lines += [(f"  address         {text}", "") for text in addresses(result)]
    lines += [(f"  default router  {text}", "") for text in default_routers(result.kern)]
    rows = neighbor_texts(result.kern, result.ifname)
    lines += [(f"  neighbor        {text}", "") for text in rows[:_NEIGHBORS_SHOWN]]
    if len(rows) > _NEIGHBORS_SHOWN:
        lines.append((f"  ... and {len(rows) - _NEIGHBORS_SHOWN} more neighbors", ""))
    return lines
