# SPDX-License-Identifier: BSD-3-Clause
"""What ifconfig prints about interfaces.

KAME: status() and the af_status functions of ifconfig.c. Deviates: --json.
"""

from __future__ import annotations

from typing import Final

from kame_py.ctl.ops import ProgOps
from kame_py.lib.flagwords import IFF_UP, IFF_WORDS, bit_words, bracketed, in6_iff_words
from kame_py.lib.getopt import ParsedArgs
from kame_py.lib.toolbase import Json, addr_text, to_json
from kame_py.wire.errno import KError
from kame_py.wire.in6addr import IN6_IS_SCOPE_LINKLOCAL, mac_ntoa_padded, ntop
from kame_py.wire.ioctl import (
    SIOCGIFADDRS_IN6,
    SIOCGIFCONF,
    SIOCGIFPHYADDR_IN6,
    SIOCIFGCLONERS,
)
from kame_py.wire.record import record
from kame_py.wire.snap import INFINITE, IfaSnap, IfSnap

LINK_FAMILIES: Final = ("ether", "link", "lladdr")
MAC_OCTETS: Final = 6
#: Word -> (what the one virtual medium is called, what is said of any other name).
MEDIA: Final = {
    "media": (("autoselect", "auto", "100baseTX"), "unknown media subtype"),
    "mediaopt": (("full-duplex",), "unknown option"),
    "-mediaopt": ((), "unknown option"),
}
SUPPORTED_MEDIA: Final = ("autoselect", "100baseTX <full-duplex>", "100baseTX")


@record
class _View:
    """One interface with what belongs to it."""

    ifs: IfSnap
    addrs: tuple[IfaSnap, ...]
    tunnel: tuple[bytes, bytes] | None


async def show_all(args: ParsedArgs, ops: ProgOps, family: str) -> None:
    """ifconfig -a and -l."""
    chosen = [ifs for ifs in await _interfaces(ops) if _wanted(args, ifs)]
    if args.has("l"):
        names = [ifs.name for ifs in chosen]
        ops.out(to_json(list[Json](names)) if args.long.json else " ".join(names) + "\n")
        return
    views = [await _view(ops, ifs) for ifs in chosen]
    if args.long.json:
        ops.out(to_json([_json(view) for view in views]))
    else:
        for view in views:
            ops.out(_text(args, view, family))


async def show_one(args: ParsedArgs, ops: ProgOps, ifname: str, family: str) -> None:
    """ifconfig IF."""
    for ifs in await _interfaces(ops):
        if ifs.name == ifname:
            view = await _view(ops, ifs)
            ops.out(to_json(_json(view)) if args.long.json else _text(args, view, family))


async def show_cloners(args: ParsedArgs, ops: ProgOps) -> None:
    """ifconfig -C."""
    answer = await ops.ioctl(SIOCIFGCLONERS())
    names = [str(name) for name in answer] if isinstance(answer, tuple) else []
    ops.out(to_json(list[Json](names)) if args.long.json else " ".join(names) + "\n")


def _wanted(args: ParsedArgs, ifs: IfSnap) -> bool:
    up = bool(ifs.flags & IFF_UP)
    return not (args.has("d") and up or args.has("u") and not up)


async def _interfaces(ops: ProgOps) -> list[IfSnap]:
    answer = await ops.ioctl(SIOCGIFCONF())
    return [ifs for ifs in answer if isinstance(ifs, IfSnap)] if isinstance(answer, tuple) else []


async def _view(ops: ProgOps, ifs: IfSnap) -> _View:
    answer = await ops.ioctl(SIOCGIFADDRS_IN6(ifs.name))
    addrs = answer if isinstance(answer, tuple) else ()
    tunnel: tuple[bytes, bytes] | None = None
    try:
        outer = await ops.ioctl(SIOCGIFPHYADDR_IN6(ifs.name))
        if isinstance(outer, tuple):
            tunnel = (outer[0], outer[1])
    except KError:  # not a tunnel, or one without outer addresses
        tunnel = None
    return _View(ifs, tuple(a for a in addrs if isinstance(a, IfaSnap)), tunnel)


# -- text -----------------------------------------------------------------------------------------


def _text(args: ParsedArgs, view: _View, family: str) -> str:
    ifs = view.ifs
    metric = f" metric {ifs.metric}" if ifs.metric else ""
    flags = f"{ifs.flags:x}{bracketed(ifs.flags, IFF_WORDS)}"
    lines = [f"{ifs.name}: flags={flags}{metric} mtu {ifs.mtu}"]
    if view.tunnel is not None:
        lines.append(f"\ttunnel inet6 {ntop(view.tunnel[0])} --> {ntop(view.tunnel[1])}")
    if family in ("", "inet6"):
        lines += [_addr_line(ifa, args.has("L")) for ifa in view.addrs]
    if family in ("", *LINK_FAMILIES) and len(ifs.lladdr) == MAC_OCTETS:
        lines.append(f"\tether {mac_ntoa_padded(ifs.lladdr)} ")
    if not family and ifs.carrier is not None:
        lines += _media_lines(ifs.carrier, args.has("m"))
    return "".join(f"{line}\n" for line in lines)


def _addr_line(ifa: IfaSnap, lifetimes: bool) -> str:
    words = ["\tinet6", addr_text(ifa.addr, ifa.ifname)]
    if ifa.dstaddr is not None and any(ifa.dstaddr):
        words += ["-->", addr_text(ifa.dstaddr, ifa.ifname)]
    words += ["prefixlen", str(ifa.plen), *in6_iff_words(ifa.flags)]
    if IN6_IS_SCOPE_LINKLOCAL(ifa.addr):
        words += ["scopeid", f"0x{ifa.ifindex:x}"]
    if lifetimes and not ifa.vltime == ifa.pltime == INFINITE:
        words += ["pltime", _seconds(ifa.pltime, ifa.pexpire)]
        words += ["vltime", _seconds(ifa.vltime, ifa.vexpire)]
    return " ".join(words) + " "


def _seconds(lifetime: int, left: int) -> str:
    return "infty" if lifetime == INFINITE else str(max(left, 0))


def _media_lines(carrier: bool, supported: bool) -> list[str]:
    active = "100baseTX <full-duplex>" if carrier else "none"
    status = "active" if carrier else "no carrier"
    lines = [f"\tmedia: autoselect ({active}) status: {status}"]
    if supported:
        lines.append(f"\tsupported media: {' '.join(SUPPORTED_MEDIA)}")
    return lines


# -- JSON -----------------------------------------------------------------------------------------


def _json(view: _View) -> dict[str, Json]:
    ifs = view.ifs
    tunnel: Json = None
    if view.tunnel is not None:
        tunnel = {"src": ntop(view.tunnel[0]), "dst": ntop(view.tunnel[1])}
    return {
        "name": ifs.name,
        "index": ifs.index,
        "flags": ifs.flags,
        "flag_words": list[Json](bit_words(ifs.flags, IFF_WORDS)),
        "metric": ifs.metric,
        "mtu": ifs.mtu,
        "lladdr": mac_ntoa_padded(ifs.lladdr),
        "carrier": ifs.carrier,
        "tunnel": tunnel,
        "inet6": [_addr_json(ifa) for ifa in view.addrs],
    }


def _addr_json(ifa: IfaSnap) -> dict[str, Json]:
    scoped = IN6_IS_SCOPE_LINKLOCAL(ifa.addr)
    return {
        "addr": addr_text(ifa.addr, ifa.ifname),
        "prefixlen": ifa.plen,
        "dstaddr": None if ifa.dstaddr is None else addr_text(ifa.dstaddr, ifa.ifname),
        "flags": list[Json](in6_iff_words(ifa.flags)),
        "scopeid": ifa.ifindex if scoped else None,
        "pltime": None if ifa.pltime == INFINITE else max(ifa.pexpire, 0),
        "vltime": None if ifa.vltime == INFINITE else max(ifa.vexpire, 0),
    }
