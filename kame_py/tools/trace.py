# SPDX-License-Identifier: BSD-3-Clause
"""trace: each packet's way through the kernel of the node, and what became of it.

No KAME counterpart. While it runs the kernel notes the stages of each packet; it shows the packet
as it arrived, or as it left, then its stages and its fate, with the reason when it was dropped.
"""

from __future__ import annotations

from typing import Final

from kame_py.ctl.ops import ProgOps
from kame_py.lib.capture import (
    ANY,
    COUNT_MAX,
    Captured,
    LineStyle,
    PacketSocket,
    Printer,
    chosen,
    number,
    option_wire,
    read_filter,
)
from kame_py.lib.getopt import OptionHelp, ParsedArgs
from kame_py.lib.toolbase import Tool, run, to_json
from kame_py.trace.way import DROPPED, fate_words, way_lines
from kame_py.wire.pcapfmt import MAX_SNAPLEN
from kame_py.wire.sockaddr import BpfWay

NAME: Final = "trace"


async def main(argv: list[str], ops: ProgOps) -> int:
    """Exit 0, also after INT; 1 when it cannot begin."""
    return await run(TOOL, _trace, argv, ops)


async def _trace(args: ParsedArgs, ops: ProgOps) -> int:
    count = number(args, "c", COUNT_MAX, 1, COUNT_MAX)
    style = LineStyle.of(args)
    style.interface = True
    style.numeric = style.numeric or args.long.json
    style.wire = await option_wire(ops)
    expression = await read_filter(ops, args.args)
    ifname = args.last("i") or ANY
    source = await PacketSocket.open(ops, ifname, MAX_SNAPLEN, tracing=True)
    ops.err(f"{NAME}: listening on {ifname}\n")
    printer = Printer(ops, style)
    while count and (packet := await source.next()) is not None:
        way = packet.way
        if way is None or (args.has("d") and way.fate != DROPPED):
            continue
        if chosen(expression, packet, packet.frame()):
            count -= 1
            ops.out(await _shown(printer, packet, way, args.long.json))
    await source.close()
    return 0


async def _shown(printer: Printer, packet: Captured, way: BpfWay, as_json: bool) -> str:
    frame = packet.frame()
    if as_json:
        text = await printer.text(packet, frame)
        return to_json({**packet.as_dict(text), **way._asdict()})
    head = await printer.line(packet, frame)
    return "\n".join(way_lines(head, way.stages, fate_words(way.fate, way.reason, way.why))) + "\n"


TOOL: Final = Tool(
    name=NAME,
    main=main,
    usage=("trace [-delntvx] [-c count] [-i interface] [expression]",),
    summary="Show the way of each packet through the kernel of the node: its stages, its fate, and "
    "why it was dropped. The expression is one of tcpdump.",
    letters="c:dei:lntvx",
    options=(
        OptionHelp("c", "count", "end after so many packets"),
        OptionHelp("d", "", "only packets that were dropped"),
        OptionHelp("e", "", "show the link header of packets that arrived"),
        OptionHelp("i", "interface", "only packets that came or went there"),
        OptionHelp("l", "", "each line at once, which is always so"),
        OptionHelp("n", "", "addresses, no names"),
        OptionHelp("t", "", "no time; -tt seconds since 1970"),
        OptionHelp("v", "", "more of each packet"),
        OptionHelp("x", "", "the octets behind the link header in hexadecimal"),
    ),
)

if __name__ == "__main__":
    import sys

    from kame_py.host.run_tool import run_tool

    sys.exit(run_tool(NAME))
