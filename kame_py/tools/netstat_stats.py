# SPDX-License-Identifier: BSD-3-Clause
"""netstat -s: the counters of the protocols in words.

KAME: inet6.c and ipsec.c of netstat, ip6_stats(), icmp6_stats() and their kin; mip6stat.c of later
KAME for mip6, which netstat never had. Deviates: no mbuf statistics;
counters of ours that KAME lacks are in --json only. RFC 2465, RFC 2466 for the interface ones.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from kame_py.ctl.ops import ProgOps
from kame_py.lib.getopt import ParsedArgs
from kame_py.lib.setkey_names import AUTH_WORDS, ENC_WORDS
from kame_py.lib.toolbase import Json, ToolError, to_json
from kame_py.tools.mip6stat_words import BA_STATUS, MIP6_IN, MIP6_OUT, MIP6_REFUSED
from kame_py.tools.netstat_words import (
    ICMP6_ERRORS,
    ICMP6_IF,
    ICMP6_TAIL,
    ICMP6_TYPES,
    ICMP6_WORDS,
    IP6_IF,
    IP6_NXT,
    IP6_TAIL,
    IP6_WORDS,
    IPSEC6_IN,
    IPSEC6_OUT,
    RIP6_WORDS,
    SOURCE_RULES,
    TCP_WORDS,
    UDP_WORDS,
    Word,
)
from kame_py.wire.errno import KError
from kame_py.wire.ioctl import SIOCGIFSTAT_ICMP6, SIOCGIFSTAT_IN6
from kame_py.wire.snap import StatSnap

#: What -p takes: name -> protocol of the kernel's table.
PROTOCOLS: Final = {
    "tcp": "tcp6",
    "udp": "udp6",
    "ip6": "ip6",
    "icmp6": "icmp6",
    "ipsec6": "ipsec6",
    "rip6": "rip6",
    "mip6": "mip6",
}
PLAIN: Final[Mapping[str, Sequence[Word]]] = {
    "tcp": TCP_WORDS,
    "udp": UDP_WORDS,
    "rip6": RIP6_WORDS,
}


@dataclass(slots=True)
class _Counters:
    """Counters and histograms of one protocol; terse: leave out zeros."""

    terse: bool
    values: dict[str, int] = field(default_factory=dict)
    histograms: dict[str, dict[int, int]] = field(default_factory=dict)

    def lines(self, words: Sequence[Word], indent: str = "\t") -> str:
        text = ""
        for word in words:
            value = self.values.get(word.member, 0)
            if value or not self.terse:
                text += f"{indent}{value} {word.text(value)}\n"
        return text

    def histogram(
        self, member: str, title: str, names: Mapping[int, str], indent: str = "\t"
    ) -> str:
        """Rows ``name: count`` under a title; nothing when all are zero."""
        rows = {k: v for k, v in sorted(self.histograms.get(member, {}).items()) if v}
        if not rows:
            return ""
        return f"{indent}{title}\n" + "".join(
            f"{indent}\t{names.get(key, f'#{key}')}: {value}\n" for key, value in rows.items()
        )


async def statistics(args: ParsedArgs, ops: ProgOps, proto: str | None) -> None:
    """-s, -s -s, -p PROTO."""
    snaps = await _snaps(ops)
    if args.long.json:
        ops.out(to_json(_json(snaps, proto)))
        return
    names = [proto] if proto is not None else list(PROTOCOLS)
    terse = [o.letter for o in args.options].count("s") > 1
    for name in names:
        counters = _counters([s for s in snaps if s.proto == PROTOCOLS[name]], terse)
        ops.out(f"{name}:\n" + _body(name, counters))


async def one_protocol(ops: ProgOps, name: str, *, terse: bool, as_json: bool) -> str:
    """The counters of one protocol for a program of its own."""
    snaps = await _snaps(ops)
    if as_json:
        return to_json(_json(snaps, name)[name])
    counters = _counters([s for s in snaps if s.proto == PROTOCOLS[name]], terse)
    return f"{name}:\n" + _body(name, counters)


async def _snaps(ops: ProgOps) -> list[StatSnap]:
    rows = await ops.sysctl("net.inet6.stats")
    return [r for r in rows if isinstance(r, StatSnap)] if isinstance(rows, tuple) else []


def _counters(snaps: Sequence[StatSnap], terse: bool) -> _Counters:
    out = _Counters(terse)
    for s in snaps:
        if s.key < 0:
            out.values[s.member] = s.value
        else:
            out.histograms.setdefault(s.member, {})[s.key] = s.value
    return out


def _body(name: str, c: _Counters) -> str:
    if name == "ip6":
        return (
            c.lines(IP6_WORDS)
            + c.histogram("ip6s_nxthist", "Input histogram:", IP6_NXT)
            + c.lines(IP6_TAIL)
            + _rules(c)
        )
    if name == "icmp6":
        words = ICMP6_WORDS
        return (
            c.lines(words[:3])
            + c.histogram("icp6s_outhist", "Output histogram:", ICMP6_TYPES)
            + c.lines(words[3:])
            + c.histogram("icp6s_inhist", "Input histogram:", ICMP6_TYPES)
            + "\tHistogram of error messages to be generated:\n"
            + c.lines(ICMP6_ERRORS, "\t\t")
            + c.lines(ICMP6_TAIL)
        )
    if name == "ipsec6":
        return (
            c.lines(IPSEC6_IN)
            + c.histogram("in_ahhist", "AH input histogram:", AUTH_WORDS)
            + c.histogram("in_esphist", "ESP input histogram:", ENC_WORDS)
            + c.lines(IPSEC6_OUT)
            + c.histogram("out_ahhist", "AH output histogram:", AUTH_WORDS)
            + c.histogram("out_esphist", "ESP output histogram:", ENC_WORDS)
        )
    if name == "mip6":
        return _mip6(c)
    return c.lines(PLAIN[name])


def _mip6(c: _Counters) -> str:
    """Three parts: what came in, what of it was refused or ignored, what went out."""
    title = "Binding Acknowledgement histogram:"
    parts = (
        ("Input", MIP6_IN, "mip6s_ba_hist"),
        ("Refused", MIP6_REFUSED, ""),
        ("Output", MIP6_OUT, "mip6s_oba_hist"),
    )
    text = ""
    for head, words, hist in parts:
        body = c.lines(words, "\t\t") + c.histogram(hist, title, BA_STATUS, "\t\t")
        text += f"\t{head}:\n{body}" if body else ""
    return text


def _rules(c: _Counters) -> str:
    rows = {k: v for k, v in sorted(c.histograms.get("ip6s_sources_rule", {}).items()) if v}
    if not rows:
        return ""
    return "\tSource addresses selection rule applied:\n" + "".join(
        f"\t\t{value} {SOURCE_RULES.get(key, f'rule #{key}')}\n" for key, value in rows.items()
    )


def _json(snaps: Sequence[StatSnap], proto: str | None) -> dict[str, Json]:
    out: dict[str, Json] = {}
    for name, table in PROTOCOLS.items():
        if proto not in (None, name):
            continue
        c = _counters([s for s in snaps if s.proto == table], False)
        members: dict[str, Json] = dict(c.values)
        for member, rows in c.histograms.items():
            members[member] = {str(k): v for k, v in sorted(rows.items())}
        out[name] = members
    return out


# -- one interface --------------------------------------------------------------------------------


async def interface_statistics(
    args: ParsedArgs, ops: ProgOps, ifname: str, proto: str | None
) -> None:
    """-s -I IF."""
    terse = [o.letter for o in args.options].count("s") > 1
    out: dict[str, Json] = {}
    for name, req, words in (
        ("ip6", SIOCGIFSTAT_IN6(ifname), IP6_IF),
        ("icmp6", SIOCGIFSTAT_ICMP6(ifname), ICMP6_IF),
    ):
        if proto not in (None, name):
            continue
        try:
            answer = await ops.ioctl(req)
        except KError as e:
            raise ToolError(f"ioctl({type(req).__name__})", e) from e
        rows = answer if isinstance(answer, tuple) else ()
        c = _counters([r for r in rows if isinstance(r, StatSnap)], terse)
        if args.long.json:
            out[name] = dict[str, Json](c.values)
        else:
            ops.out(f"{name} on {ifname}:\n" + c.lines(words))
    if args.long.json:
        ops.out(to_json(out))
    elif proto not in (None, "ip6", "icmp6"):
        raise ToolError(proto or "", "no per-interface counters")
