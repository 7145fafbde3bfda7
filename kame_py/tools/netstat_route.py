# SPDX-License-Identifier: BSD-3-Clause
"""netstat -r.

KAME: route.c of netstat. Deviates: --json.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from kame_py.ctl.ops import ProgOps
from kame_py.lib.flagwords import RTF_LLINFO, RTF_WASCLONED, rtf_letters
from kame_py.lib.getopt import ParsedArgs
from kame_py.lib.toolbase import Json, addr_text, to_json
from kame_py.wire.in6addr import IN6_IS_ADDR_UNSPECIFIED, mac_ntoa, ntop
from kame_py.wire.snap import RtSnap
from kame_py.wire.sockaddr import SockaddrIn6

HOST_PLEN: Final = 128
W_FLAGS: Final = 6
W_IF: Final = 8
W_EXPIRE: Final = 6


class _Widths(NamedTuple):
    dst: int
    gw: int


NUMERIC: Final = _Widths(33, 29)
NAMED: Final = _Widths(18, 18)
LONG: Final = _Widths(39, 31)


async def routes(args: ParsedArgs, ops: ProgOps) -> None:
    """The routing table."""
    rows = await ops.sysctl("net.route.dump")
    shown = [
        rt
        for rt in (rows if isinstance(rows, tuple) else ())
        if isinstance(rt, RtSnap) and (args.has("a") or not _proto_cloned(rt))
    ]
    if args.long.json:
        ops.out(to_json([_json(rt) for rt in shown]))
        return
    long = args.has("l")
    widths = LONG if long else NUMERIC if args.has("n") else NAMED
    text = "Routing tables\n"
    if shown:
        text += "\nInternet6:\n" + _header(widths, long)
        for rt in shown:
            text += await _line(args, ops, widths, rt)
    ops.out(text)


def _proto_cloned(rt: RtSnap) -> bool:
    """A host route that was cloned for a destination, not for a neighbour."""
    return bool(rt.flags & RTF_WASCLONED) and not rt.flags & RTF_LLINFO


def _header(widths: _Widths, long: bool) -> str:
    extra = f" {'Refs':>6}{'Use':>8}  {'Mtu':>6}" if long else ""
    return (
        f"{'Destination':<{widths.dst}} {'Gateway':<{widths.gw}} {'Flags':<{W_FLAGS}}{extra}  "
        f"{'Netif':>{W_IF}} {'Expire':>{W_EXPIRE}}\n"
    )


async def _line(args: ParsedArgs, ops: ProgOps, widths: _Widths, rt: RtSnap) -> str:
    dst, gateway = await _dst(args, ops, rt), await _gateway(args, ops, rt)
    text = f"{dst[: widths.dst]:<{widths.dst}} {gateway[: widths.gw]:<{widths.gw}} "
    text += f"{rtf_letters(rt.flags):<{W_FLAGS}} "
    if args.has("l"):
        text += f"{rt.refs:6} {rt.use:8} {rt.mtu or '':>6} "
    text += f"{rt.ifname[:W_IF]:>{W_IF}}"
    if rt.expire is not None and rt.expire > 0:
        text += f" {rt.expire:{W_EXPIRE}}"
    return text + "\n"


async def _dst(args: ParsedArgs, ops: ProgOps, rt: RtSnap) -> str:
    if not rt.plen and IN6_IS_ADDR_UNSPECIFIED(rt.dst):
        return "default"
    if rt.plen != HOST_PLEN:
        return f"{_zoned(rt)}/{rt.plen}"
    return await _host(args, ops, rt.dst, rt.zone)


def _zoned(rt: RtSnap) -> str:
    """The destination; node-local groups have a zone as well."""
    return f"{ntop(rt.dst)}%{rt.zone}" if rt.zone else ntop(rt.dst)


async def _gateway(args: ParsedArgs, ops: ProgOps, rt: RtSnap) -> str:
    if rt.gateway is not None:
        return await _host(args, ops, rt.gateway, rt.gwzone)
    return rt.link


async def _host(args: ParsedArgs, ops: ProgOps, addr: bytes, zone: str) -> str:
    if args.has("n"):
        return addr_text(addr, zone)
    scope = ops.if_nametoindex(zone) if zone else 0
    return await ops.getnameinfo(SockaddrIn6(addr, scope_id=scope))


def _json(rt: RtSnap) -> dict[str, Json]:
    gateway = rt.link if rt.gateway is None else addr_text(rt.gateway, rt.gwzone)
    return {
        "destination": _zoned(rt),
        "prefixlen": rt.plen,
        "gateway": gateway,
        "flags": rtf_letters(rt.flags),
        "ifname": rt.ifname,
        "lladdr": mac_ntoa(rt.lladdr) if rt.lladdr else None,
        "mtu": rt.mtu,
        "refs": rt.refs,
        "use": rt.use,
        "expire": rt.expire,
    }
