# SPDX-License-Identifier: BSD-3-Clause
"""netstat -i, -I, -w and -g.

KAME: if.c of netstat. Deviates: addresses have no counters of their own; -g lists memberships;
--json.
"""

from __future__ import annotations

from typing import Final

from kame_py.ctl.ops import ProgOps
from kame_py.lib.flagwords import IFF_UP
from kame_py.lib.getopt import ParsedArgs
from kame_py.lib.toolbase import Json, addr_text, to_json
from kame_py.wire.in6addr import mac_ntoa_padded, masked
from kame_py.wire.ioctl import SIOCGIFADDRS_IN6, SIOCGIFCONF
from kame_py.wire.snap import IfaSnap, IfSnap, McastSnap
from kame_py.wire.sockaddr import SockaddrIn6

W_NAME: Final = 5
W_MTU: Final = 5
W_NET: Final = 13
W_ADDR: Final = 15
W_NET6: Final = 11
W_ADDR6: Final = 17
W_MIDDLE: Final = W_NET + 1 + W_ADDR + 1  # network and address with their blanks
SIDEWAYS_ROWS: Final = 21  # between two headings


async def _ifs(ops: ProgOps, ifname: str) -> list[IfSnap]:
    answer = await ops.ioctl(SIOCGIFCONF())
    rows = answer if isinstance(answer, tuple) else ()
    return [r for r in rows if isinstance(r, IfSnap) and ifname in ("", r.name)]


async def _addrs(ops: ProgOps, ifname: str) -> list[IfaSnap]:
    answer = await ops.ioctl(SIOCGIFADDRS_IN6(ifname))
    rows = answer if isinstance(answer, tuple) else ()
    return [r for r in rows if isinstance(r, IfaSnap)]


async def _groups(ops: ProgOps, ifname: str) -> list[McastSnap]:
    rows = await ops.sysctl("net.inet6.ip6.multicast")
    found = rows if isinstance(rows, tuple) else ()
    return [r for r in found if isinstance(r, McastSnap) and ifname in ("", r.ifname)]


# -- netstat -i -----------------------------------------------------------------------------------


async def interfaces(args: ParsedArgs, ops: ProgOps, ifname: str) -> None:
    """-i and -I IF."""
    ifs = await _ifs(ops, ifname)
    if args.long.json:
        ops.out(to_json([await _json(ops, i) for i in ifs]))
        return
    text = _header(args)
    for i in ifs:
        text += await _interface(args, ops, i)
    ops.out(text)


def _header(args: ParsedArgs) -> str:
    text = f"{'Name':<{W_NAME}} {'Mtu':<{W_MTU}} {'Network':<{W_NET}} {'Address':<{W_ADDR}} "
    text += f"{'Ipkts':>8} {'Ierrs':>5}" + (f" {'Ibytes':>10}" if args.has("b") else "")
    text += f" {'Opkts':>8} {'Oerrs':>5}" + (f" {'Obytes':>10}" if args.has("b") else "")
    return text + f" {'Coll':>5}" + (" Drop" if args.has("d") else "") + "\n"


async def _interface(args: ParsedArgs, ops: ProgOps, i: IfSnap) -> str:
    name = i.name if i.flags & IFF_UP else f"{i.name}*"
    head = f"{name[:W_NAME]:<{W_NAME}} {i.mtu:<{W_MTU}} "
    link = f"<Link#{i.index}>"[:W_NET6]
    middle = f"{link:<{W_NET6}} {mac_ntoa_padded(i.lladdr)}"
    text = f"{head}{middle:<{W_MIDDLE}}{_counters(args, i)}\n"
    groups = await _groups(ops, i.name) if args.has("a") else []
    for ifa in await _addrs(ops, i.name):
        text += f"{head}{await _network(args, ops, ifa)}{_counters(args, None)}\n"
    for group in groups:
        addr = addr_text(group.addr, group.ifname)
        text += f"{'':25} {addr[:19]:<19}(refs: {group.refcount})\n"
    return text


async def _network(args: ParsedArgs, ops: ProgOps, ifa: IfaSnap) -> str:
    net = f"{addr_text(masked(ifa.addr, ifa.plen), ifa.ifname)}/{ifa.plen}"
    addr = addr_text(ifa.addr, ifa.ifname)
    if not args.has("n"):
        addr = await ops.getnameinfo(SockaddrIn6(ifa.addr, scope_id=_scope(ifa)))
    return f"{net[:W_NET6]:<{W_NET6}} {addr[:W_ADDR6]:<{W_ADDR6}} "


def _scope(ifa: IfaSnap) -> int:
    return ifa.ifindex if "%" in addr_text(ifa.addr, ifa.ifname) else 0


def _counters(args: ParsedArgs, i: IfSnap | None) -> str:
    """The numbers of an interface; dashes for an address."""
    dash = i is None
    columns: list[tuple[int, int]] = []
    for packets, errors, octets in (
        (0, 0, 0) if i is None else (i.ipackets, i.ierrors, i.ibytes),
        (0, 0, 0) if i is None else (i.opackets, i.oerrors, i.obytes),
    ):
        columns += [(8, packets), (5, errors)]
        if args.has("b"):
            columns.append((10, octets))
    columns.append((5, 0 if i is None else i.collisions))
    if args.has("d"):
        columns.append((4, 0))
    return " ".join(f"{'-' if dash else value:>{width}}" for width, value in columns)


async def _json(ops: ProgOps, i: IfSnap) -> dict[str, Json]:
    return {
        "name": i.name,
        "up": bool(i.flags & IFF_UP),
        "mtu": i.mtu,
        "lladdr": mac_ntoa_padded(i.lladdr),
        "inet6": [f"{addr_text(a.addr, a.ifname)}/{a.plen}" for a in await _addrs(ops, i.name)],
        "ipackets": i.ipackets,
        "ierrors": i.ierrors,
        "ibytes": i.ibytes,
        "opackets": i.opackets,
        "oerrors": i.oerrors,
        "obytes": i.obytes,
        "collisions": i.collisions,
    }


# -- netstat -w -----------------------------------------------------------------------------------

Totals = tuple[int, int, int, int, int, int, int]


async def sideways(args: ParsedArgs, ops: ProgOps, ifname: str, interval_ns: int) -> None:
    """-w: the totals, then what came in each interval, until a signal."""
    before: Totals = (0,) * 7
    rows = 0
    while True:
        now = await _totals(ops, ifname)
        if rows % SIDEWAYS_ROWS == 0 and not args.long.json:
            ops.out(_sideways_header(args, ifname))
        delta = [new - old for new, old in zip(now, before, strict=True)]
        ops.out(_sideways_row(args, delta))
        before, rows = now, rows + 1
        await ops.nanosleep(interval_ns)


async def _totals(ops: ProgOps, ifname: str) -> Totals:
    ifs = await _ifs(ops, ifname)
    return (
        sum(i.ipackets for i in ifs),
        sum(i.ierrors for i in ifs),
        sum(i.ibytes for i in ifs),
        sum(i.opackets for i in ifs),
        sum(i.oerrors for i in ifs),
        sum(i.obytes for i in ifs),
        sum(i.collisions for i in ifs),
    )


def _sideways_header(args: ParsedArgs, ifname: str) -> str:
    title = f"({ifname or 'Total'})"
    text = f"{'input':>17} {title:>14} {'output':>16}\n"
    text += f"{'packets':>10} {'errs':>5} {'bytes':>10} {'packets':>10} {'errs':>5} "
    return text + f"{'bytes':>10} {'colls':>5}" + (" drops" if args.has("d") else "") + "\n"


def _sideways_row(args: ParsedArgs, delta: list[int]) -> str:
    if args.long.json:
        words = ("ipackets", "ierrors", "ibytes", "opackets", "oerrors", "obytes", "collisions")
        return to_json(dict(zip(words, delta, strict=True)))
    text = " ".join(f"{v:{w}}" for v, w in zip(delta, (10, 5, 10, 10, 5, 10, 5), strict=True))
    return text + (f" {0:5}" if args.has("d") else "") + "\n"


# -- netstat -g -----------------------------------------------------------------------------------


async def memberships(args: ParsedArgs, ops: ProgOps, ifname: str) -> None:
    """-g: which groups each interface has joined."""
    groups = await _groups(ops, ifname)
    if args.long.json:
        ops.out(to_json([_group_json(g) for g in groups]))
        return
    text = "IPv6 Multicast Group Memberships\n" + f"{'Netif':<8} {'Refs':>4} Group\n"
    for g in groups:
        text += f"{g.ifname:<8} {g.refcount:4} {addr_text(g.addr, g.ifname)}\n"
    ops.out(text)


def _group_json(g: McastSnap) -> dict[str, Json]:
    return {"ifname": g.ifname, "group": addr_text(g.addr, g.ifname), "refs": g.refcount}
