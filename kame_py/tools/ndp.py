# SPDX-License-Identifier: BSD-3-Clause
"""ndp: show and change the neighbour cache and what neighbour discovery has learned.

KAME: ndp.c. Deviates: a word that -i does not know is refused instead of ignored; -i shows without
setting when no flag is given; -d and -s leave our own addresses alone; --json. Other tables are in
ndp_lists.py. RFC 2461.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

from kame_py.ctl.ops import ProgOps
from kame_py.lib.duration import format_duration
from kame_py.lib.flagwords import (
    RTF_ANNOUNCE,
    RTF_GATEWAY,
    RTF_HOST,
    RTF_LLINFO,
    RTF_LOCAL,
    RTF_STATIC,
    RTF_WASCLONED,
)
from kame_py.lib.getopt import OptionHelp, ParsedArgs
from kame_py.lib.rtquery import RouteSocket
from kame_py.lib.toolbase import Json, Tool, ToolError, UsageError, addr_text, run, to_json
from kame_py.tools.ndp_lists import (
    default_interface,
    flush_prefixes,
    flush_routers,
    ifinfo,
    prefix_list,
    router_list,
    sync_default_router,
)
from kame_py.wire.errno import KError
from kame_py.wire.in6addr import IN6_IS_ADDR_MULTICAST, mac_aton, mac_ntoa
from kame_py.wire.ioctl import SIOCGNBRINFO_IN6
from kame_py.wire.record import record
from kame_py.wire.rtmsg import (
    RTM_ADD,
    RTM_DELETE,
    RTM_GET,
    RTV_EXPIRE,
    RtAddrs,
    RtMetricsMsg,
    RtMsg,
    SockaddrDl,
)
from kame_py.wire.snap import NbrSnap, RtSnap
from kame_py.wire.sockaddr import SockaddrIn6

NAME: Final = "ndp"
NS: Final = 1_000_000_000
SECONDS_A_DAY: Final = 86_400
TEMP_S: Final = 20 * 60  # life of an entry set with `temp`
W_ADDR: Final = 36
W_LL: Final = 17
W_IF: Final = 6
W_EXPIRE: Final = 9
MAX_LINE: Final = 100  # characters of a line of -f's file
STATES: Final = {-2: "N", -1: "W", 0: "I", 1: "R", 2: "S", 3: "D", 4: "P"}


@record
class _Entry:
    """One line of the cache: its route and what neighbour discovery says."""

    rt: RtSnap
    nbr: NbrSnap | None

    @property
    def ifname(self) -> str:
        return self.rt.linkif or self.rt.ifname


async def main(argv: list[str], ops: ProgOps) -> int:
    """Exit 0; 1 after an error or when the one entry asked for does not exist."""
    return await run(TOOL, _ndp, argv, ops)


async def _ndp(args: ParsedArgs, ops: ProgOps) -> int:
    if args.has("f"):
        return await _file(args, ops)
    if args.has("A"):
        return await _repeat(args, ops)
    for letter, action in _ACTIONS:
        if args.has(letter):
            return await action(args, ops)
    if len(args.args) != 1:
        raise UsageError
    return await _get(args, ops, args.args[0])


# -- the cache ------------------------------------------------------------------------------------


async def _entries(ops: ProgOps, only: SockaddrIn6 | None = None) -> list[_Entry]:
    rows = await ops.sysctl("net.route.dump")
    found = []
    for rt in rows if isinstance(rows, tuple) else ():
        if not isinstance(rt, RtSnap) or rt.lladdr is None:
            continue
        if rt.plen != 128 or not rt.flags & RTF_LLINFO or IN6_IS_ADDR_MULTICAST(rt.dst):
            continue
        if only is None or _is(ops, rt, only):
            found.append(_Entry(rt, await _nbrinfo(ops, rt)))
    return found


def _is(ops: ProgOps, rt: RtSnap, sa: SockaddrIn6) -> bool:
    zone = ops.if_indextoname(sa.scope_id) if sa.scope_id else ""
    return rt.dst == sa.addr and rt.zone == zone


async def _nbrinfo(ops: ProgOps, rt: RtSnap) -> NbrSnap | None:
    try:
        answer = await ops.ioctl(SIOCGNBRINFO_IN6(rt.linkif or rt.ifname, rt.dst))
    except KError:
        return None
    return answer if isinstance(answer, NbrSnap) else None


async def _dump(args: ParsedArgs, ops: ProgOps, entries: list[_Entry]) -> None:
    if args.long.json:
        ops.out(to_json([_json(e) for e in entries]))
        return
    if not args.has("t"):
        ops.out(_HEADER)
    for entry in entries:
        stamp = _timestamp(ops) if args.has("t") else ""
        ops.out(stamp + await _line(args, ops, entry))


_HEADER: Final = (
    f"{'Neighbor':<{W_ADDR}} {'Linklayer Address':<{W_LL}} {'Netif':>{W_IF}} "
    f"{'Expire':<{W_EXPIRE}} S Flgs\n"
)


def _timestamp(ops: ProgOps) -> str:
    seconds, ns = divmod(ops.realtime(), NS)
    minutes, second = divmod(seconds % SECONDS_A_DAY, 60)
    hour, minute = divmod(minutes, 60)
    return f"{hour:02}:{minute:02}:{second:02}.{ns // 1000:06} "


async def _line(args: ParsedArgs, ops: ProgOps, entry: _Entry) -> str:
    rt, nbr = entry.rt, entry.nbr
    host = addr_text(rt.dst, rt.zone) if args.has("n") else await _name(ops, rt)
    lladdr = mac_ntoa(rt.lladdr) if rt.lladdr else "(incomplete)"
    addr_w = max(len(host), W_ADDR)
    ll_w = max(len(lladdr), W_ADDR + W_LL - addr_w)
    if_w = max(len(entry.ifname), W_ADDR + W_LL + W_IF - addr_w - ll_w)
    state = STATES.get(nbr.state, "?") if nbr is not None else "?"
    asked = f" {nbr.asked}" if nbr is not None and nbr.asked else ""
    return (
        f"{host:<{addr_w}} {lladdr:<{ll_w}} {entry.ifname:>{if_w}} "
        f"{_expire(entry)[:W_EXPIRE]:<{W_EXPIRE}} {state} {_flags(entry)}{asked}\n"
    )


async def _name(ops: ProgOps, rt: RtSnap) -> str:
    scope = ops.if_nametoindex(rt.zone) if rt.zone else 0
    return await ops.getnameinfo(SockaddrIn6(rt.dst, scope_id=scope))


def _expire(entry: _Entry) -> str:
    left = _left(entry)
    if left is None:
        return "permanent"
    return format_duration(left) if left > 0 else "expired"


def _left(entry: _Entry) -> int | None:
    """Seconds: of the state, or of a route that was set with `temp`."""
    if entry.nbr is not None and entry.nbr.expire is not None:
        return entry.nbr.expire
    return entry.rt.expire


def _flags(entry: _Entry) -> str:
    router = "R" if entry.nbr is not None and entry.nbr.isrouter else ""
    return router + ("p" if entry.rt.flags & RTF_ANNOUNCE else "")


def _json(entry: _Entry) -> dict[str, Json]:
    rt, nbr = entry.rt, entry.nbr
    return {
        "addr": addr_text(rt.dst, rt.zone),
        "lladdr": mac_ntoa(rt.lladdr) if rt.lladdr else None,
        "ifname": entry.ifname,
        "expire": _left(entry),
        "state": STATES.get(nbr.state, "?") if nbr is not None else None,
        "router": nbr is not None and nbr.isrouter,
        "proxy": bool(rt.flags & RTF_ANNOUNCE),
        "asked": nbr.asked if nbr is not None else 0,
    }


async def _all(args: ParsedArgs, ops: ProgOps) -> int:
    await _dump(args, ops, await _entries(ops))
    return 0


async def _get(args: ParsedArgs, ops: ProgOps, host: str) -> int:
    sa = await _host(ops, host)
    entries = await _entries(ops, sa)
    await _dump(args, ops, entries)
    if not entries:
        ops.out(f"{host} ({_sa_text(ops, sa)}) -- no entry\n")
        return 1
    return 0


async def _repeat(args: ParsedArgs, ops: ProgOps) -> int:
    """-A: every SEC seconds until a signal."""
    text = args.last("A") or ""
    if not (text.isascii() and text.isdecimal() and int(text) > 0):
        raise UsageError(f"{text}: bad interval")
    while True:
        await _dump(args, ops, await _entries(ops))
        ops.out("\n")
        await ops.nanosleep(int(text) * NS)


async def _host(ops: ProgOps, host: str) -> SockaddrIn6:
    sa = await ops.getaddrinfo(host)
    if sa is None:
        raise ToolError(host, "hostname nor servname provided, or not known")
    return sa


def _sa_text(ops: ProgOps, sa: SockaddrIn6) -> str:
    return addr_text(sa.addr, ops.if_indextoname(sa.scope_id) if sa.scope_id else "")


# -- changes --------------------------------------------------------------------------------------


async def _clear(args: ParsedArgs, ops: ProgOps) -> int:
    """-c: the entries that were learned; our own addresses stay."""
    for entry in await _entries(ops):
        if entry.rt.flags & RTF_WASCLONED:
            text = addr_text(entry.rt.dst, entry.rt.zone)
            await _delete_one(ops, text)
    return 0


async def _delete(args: ParsedArgs, ops: ProgOps) -> int:
    if len(args.args) != 1:
        raise UsageError
    return await _delete_one(ops, args.args[0])


async def _delete_one(ops: ProgOps, host: str) -> int:
    sa = await _host(ops, host)
    rs = await RouteSocket.open(ops)
    try:
        got = await _lookup(rs, sa, host)
        if got.addrs.dst == sa and not _is_neighbor(got):
            ops.err("delete: cannot delete non-NDP entry\n")
            return 1
        if not isinstance(got.addrs.gateway, SockaddrDl) or got.addrs.dst != sa:
            ops.err(f"cannot locate {host}\n")
            return 1
        await rs.ask(RtMsg(RTM_DELETE, RTF_HOST, addrs=RtAddrs(sa)))
    finally:
        await rs.close()
    ops.out(f"{host} ({_sa_text(ops, sa)}) deleted\n")
    return 0


async def _lookup(rs: RouteSocket, sa: SockaddrIn6, host: str) -> RtMsg:
    try:
        return await rs.ask(RtMsg(RTM_GET, RTF_HOST, addrs=RtAddrs(sa)))
    except KError as e:
        raise ToolError(f"RTM_GET({host}) failed", e) from e


def _is_neighbor(got: RtMsg) -> bool:
    """An entry of the cache for somebody else; our own addresses are not to be touched."""
    link = isinstance(got.addrs.gateway, SockaddrDl)
    llinfo = bool(got.rtm_flags & RTF_LLINFO)
    return link and llinfo and not got.rtm_flags & (RTF_GATEWAY | RTF_LOCAL)


async def _set(args: ParsedArgs, ops: ProgOps) -> int:
    if len(args.args) < 2:
        raise UsageError
    return await _set_one(ops, args.args)


async def _set_one(ops: ProgOps, words: tuple[str, ...]) -> int:
    """HOST MAC [temp] [proxy]."""
    host, mac_text = words[:2]
    sa = await _host(ops, host)
    mac = mac_aton(mac_text)
    if mac is None:
        raise ToolError(f"invalid Ethernet address '{mac_text}'")
    flags, inits, rmx = RTF_HOST | RTF_STATIC | RTF_LLINFO, 0, RtMetricsMsg()
    for word in words[2:]:
        if word.startswith("temp"):
            inits = RTV_EXPIRE
            rmx = RtMetricsMsg(rmx_expire=ops.realtime() // NS + TEMP_S)
        elif word.startswith("proxy"):
            flags |= RTF_ANNOUNCE
    rs = await RouteSocket.open(ops)
    try:
        got = await _lookup(rs, sa, host)
        if got.addrs.dst == sa and not _is_neighbor(got):
            ops.err("set: cannot configure a new entry\n")
            return 1
        link = got.addrs.gateway
        if not isinstance(link, SockaddrDl):
            ops.err(f"cannot intuit interface index and type for {host}\n")
            return 1
        gateway = SockaddrDl(link.sdl_index, link.sdl_type, "", mac)
        await rs.ask(
            RtMsg(RTM_ADD, flags, rtm_inits=inits, rtm_rmx=rmx, addrs=RtAddrs(sa, gateway))
        )
    except KError as e:
        raise ToolError("writing to routing socket", e) from e
    finally:
        await rs.close()
    return 0


async def _file(args: ParsedArgs, ops: ProgOps) -> int:
    """-f FILE: lines as -s takes them."""
    if len(args.options) != 1 or len(args.args) != 1:
        raise UsageError
    name = args.args[0]
    try:
        text = await ops.read_file(name)
    except KError as e:
        raise ToolError(f"cannot open {name}", e) from e
    status = 0
    for line in text.splitlines():
        words = tuple(line.split())
        if not words or words[0].startswith("#"):
            continue
        if len(words) < 2 or len(line) > MAX_LINE:
            ops.err(f"{NAME}: bad line: {line}\n")
            status = 1
        else:
            status |= await _set_one(ops, words)
    return status


Action = Callable[[ParsedArgs, ProgOps], Awaitable[int]]
_ACTIONS: Final[tuple[tuple[str, Action], ...]] = (
    ("a", _all),
    ("c", _clear),
    ("d", _delete),
    ("s", _set),
    ("i", ifinfo),
    ("I", default_interface),
    ("p", prefix_list),
    ("P", flush_prefixes),
    ("r", router_list),
    ("R", flush_routers),
    ("H", sync_default_router),
)

TOOL: Final = Tool(
    name=NAME,
    main=main,
    usage=(
        "ndp [-nt] hostname",
        "ndp [-nt] -a | -c | -p | -r | -H | -P | -R",
        "ndp [-nt] -A wait",
        "ndp [-nt] -d hostname",
        "ndp [-nt] -f filename",
        "ndp [-nt] -i interface [flags...]",
        "ndp [-nt] -I [interface|delete]",
        "ndp [-nt] -s nodename etheraddr [temp] [proxy]",
    ),
    summary="Show or change the neighbour cache, prefixes and default routers.",
    letters="acdfiIlnprstA:HPR",
    options=(
        OptionHelp("a", "", "the neighbour cache"),
        OptionHelp("A", "SEC", "the cache again and again"),
        OptionHelp("c", "", "delete all learned entries"),
        OptionHelp("d", "", "delete one entry"),
        OptionHelp("f", "", "set the entries of a file"),
        OptionHelp("i", "", "show or set ND of an interface: nud, accept_rtadv, prefer_source"),
        OptionHelp("I", "", "show or set the default interface"),
        OptionHelp("l", "", "accepted and ignored"),
        OptionHelp("n", "", "numeric addresses"),
        OptionHelp("p", "", "prefix list"),
        OptionHelp("P", "", "flush the prefix list"),
        OptionHelp("r", "", "default router list"),
        OptionHelp("R", "", "flush the default router list"),
        OptionHelp("H", "", "bring the first default router into the routing table"),
        OptionHelp("s", "", "set an entry"),
        OptionHelp("t", "", "a time before each line of the cache"),
    ),
)

if __name__ == "__main__":
    import sys

    from kame_py.host.run_tool import run_tool

    sys.exit(run_tool(NAME))
