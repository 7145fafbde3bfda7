# SPDX-License-Identifier: BSD-3-Clause
"""netstat: routes, sockets, interfaces, memberships and counters.

KAME: netstat of FreeBSD 4 (main.c, inet6.c). Deviates: nothing is read from kernel memory; only
inet6 exists; -g shows multicast memberships instead of multicast routes; --json. The displays are
in netstat_route.py, netstat_if.py and netstat_stats.py.
"""

from __future__ import annotations

from typing import Final

from kame_py.ctl.ops import ProgOps
from kame_py.lib.getopt import OptionHelp, ParsedArgs
from kame_py.lib.toolbase import Json, Tool, ToolError, UsageError, addr_text, run, to_json
from kame_py.tools.netstat_if import interfaces, memberships, sideways
from kame_py.tools.netstat_route import routes
from kame_py.tools.netstat_stats import PROTOCOLS, interface_statistics, statistics
from kame_py.wire.in6addr import IN6_IS_ADDR_UNSPECIFIED
from kame_py.wire.snap import PcbSnap

NAME: Final = "netstat"
NS: Final = 1_000_000_000
OTHER_FAMILIES: Final = ("ipx", "atalk", "netgraph", "ng", "unix")
#: Letters of FreeBSD's netstat that have nothing to show here.
NOT_HERE: Final = {
    "L": "no socket listens for connections",
    "m": "packets are not kept in mbuf chains",
    "M": "there is no core file to read",
    "N": "there is no kernel file to read",
}
W_ADDR: Final = 22
W_ADDR_LONG: Final = 45
ADDR_CUT: Final = 16
ADDR_CUT_LONG: Final = 39


async def main(argv: list[str], ops: ProgOps) -> int:
    """Exit 0, or 1 after an error."""
    return await run(TOOL, _netstat, argv, ops)


async def _netstat(args: ParsedArgs, ops: ProgOps) -> int:
    for letter, why in NOT_HERE.items():
        if args.has(letter):
            raise ToolError(f"-{letter}", why)
    family = args.last("f")
    if family is not None and family not in ("inet", "inet6"):
        if family in OTHER_FAMILIES:
            raise ToolError(family, "address family is not supported")
        raise ToolError(family, "unknown address family")
    interval = _interval(args, ops)
    ifname = _ifname(args, ops)
    proto = args.last("p")
    if proto is not None and proto not in PROTOCOLS:
        raise ToolError(proto, "unknown or uninstrumented protocol")
    if args.has("g"):
        await memberships(args, ops, ifname)
    elif args.has("s") or proto is not None:
        await _statistics(args, ops, ifname, proto)
    elif interval:
        await sideways(args, ops, ifname, interval)
    elif args.has("r"):
        if family != "inet":
            await routes(args, ops)
    elif args.has("i") or ifname:
        await interfaces(args, ops, ifname)
    elif family != "inet":
        await _sockets(args, ops)
    return 0


async def _statistics(args: ParsedArgs, ops: ProgOps, ifname: str, proto: str | None) -> None:
    if ifname:
        await interface_statistics(args, ops, ifname, proto)
    else:
        await statistics(args, ops, proto)


def _interval(args: ParsedArgs, ops: ProgOps) -> int:
    text = args.last("w")
    if text is None:
        return 0
    if not (text.isascii() and text.isdecimal() and int(text)):
        raise UsageError(f"{text}: bad interval")
    return int(text) * NS


def _ifname(args: ParsedArgs, ops: ProgOps) -> str:
    name = args.last("I") or ""
    if name and not ops.if_nametoindex(name):
        raise ToolError(f"interface {name} does not exist")
    return name


# -- sockets --------------------------------------------------------------------------------------


async def _sockets(args: ParsedArgs, ops: ProgOps) -> None:
    rows = await ops.sysctl("net.inet6.pcblist")
    every = args.has("a")
    pcbs = [
        row
        for row in (rows if isinstance(rows, tuple) else ())
        if isinstance(row, PcbSnap) and (every or not IN6_IS_ADDR_UNSPECIFIED(row.laddr))
    ]
    if args.long.json:
        ops.out(to_json([_pcb_json(pcb) for pcb in pcbs]))
        return
    if not pcbs:
        return
    long = args.has("l")
    width = W_ADDR_LONG if long else W_ADDR
    text = "Active Internet connections" + (" (including servers)" if every else "") + "\n"
    text += (
        f"{'Proto':<5} {'Recv-Q':<6} {'Send-Q':<6}  "
        f"{'Local Address':<{width}} {'Foreign Address':<{width}} (state)\n"
    )
    for pcb in pcbs:
        local = await _end(args, ops, pcb.laddr, pcb.lzone, pcb.lport)
        foreign = await _end(args, ops, pcb.faddr, pcb.fzone, pcb.fport)
        row = f"{pcb.proto:<5.5} {pcb.recvq:6} {pcb.sendq:6}  {local:<{width}} {foreign:<{width}}"
        text += row.rstrip() + "\n"
    ops.out(text)


async def _end(args: ParsedArgs, ops: ProgOps, addr: bytes, zone: str, port: int) -> str:
    name = "*"
    if not IN6_IS_ADDR_UNSPECIFIED(addr):
        name = addr_text(addr, zone)
        if not args.has("n"):
            sa = await ops.getaddrinfo(name)
            name = await ops.getnameinfo(sa) if sa is not None else name
    cut = ADDR_CUT_LONG if args.has("l") else ADDR_CUT
    return f"{name[:cut]}.{port or '*'}"


def _pcb_json(pcb: PcbSnap) -> dict[str, Json]:
    return {
        "proto": pcb.proto,
        "recvq": pcb.recvq,
        "sendq": pcb.sendq,
        "laddr": addr_text(pcb.laddr, pcb.lzone),
        "lport": pcb.lport,
        "faddr": addr_text(pcb.faddr, pcb.fzone),
        "fport": pcb.fport,
    }


TOOL: Final = Tool(
    name=NAME,
    main=main,
    usage=(
        "netstat [-Aaln] [-f address_family]",
        "netstat [-abdin] [-I interface]",
        "netstat -s [-s] [-p protocol] [-I interface]",
        "netstat [-aln] -r [-f address_family]",
        "netstat [-bd] [-I interface] -w wait",
        "netstat -g [-I interface]",
    ),
    summary="Show routes, sockets, interfaces, memberships or counters.",
    letters="Aabdf:gI:iLlM:mN:np:rsw:",
    options=(
        OptionHelp("A", "", "accepted; sockets have no kernel addresses here"),
        OptionHelp("a", "", "all sockets; cloned routes; memberships with -i"),
        OptionHelp("b", "", "bytes as well"),
        OptionHelp("d", "", "dropped packets as well"),
        OptionHelp("f", "FAMILY", "inet6; inet shows nothing"),
        OptionHelp("g", "", "multicast memberships"),
        OptionHelp("I", "IF", "one interface"),
        OptionHelp("i", "", "interfaces"),
        OptionHelp("L", "", "listen queues: refused, nothing listens"),
        OptionHelp("l", "", "whole addresses"),
        OptionHelp("M", "CORE", "refused"),
        OptionHelp("m", "", "refused: there are no mbuf chains"),
        OptionHelp("N", "KERNEL", "refused"),
        OptionHelp("n", "", "numeric addresses"),
        OptionHelp("p", "PROTO", "counters of one protocol"),
        OptionHelp("r", "", "routes"),
        OptionHelp("s", "", "counters; twice: without zeros"),
        OptionHelp("w", "SEC", "traffic again and again"),
    ),
)

if __name__ == "__main__":
    import sys

    from kame_py.host.run_tool import run_tool

    sys.exit(run_tool(NAME))
