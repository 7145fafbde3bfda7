# SPDX-License-Identifier: BSD-3-Clause
"""tcpdump: the packets that pass an interface of the node, or those of a capture.

KAME: kame/tcpdump (3.4 with KAME's IPv6 and Mobile IPv6). Deviates: IPv6 only; captures are written
as pcapng and read in both formats; whole packets unless ``-s`` cuts them; mobility options show
without ``-v``, by the node's draft or that of ``-T``; filters are those of lib/pcapfilter.py.
"""

from __future__ import annotations

from io import BytesIO
from typing import Final, Protocol

from kame_py.ctl.ops import ProgOps
from kame_py.lib.capture import (
    ANY,
    COUNT_MAX,
    Captured,
    LineStyle,
    PacketSocket,
    Printer,
    chosen,
    first_interface,
    number,
    option_wire,
    read_filter,
)
from kame_py.lib.getopt import OptionHelp, ParsedArgs
from kame_py.lib.pcapfilter import Filter
from kame_py.lib.toolbase import Tool, ToolError, run, to_json
from kame_py.replay.pcap import CaptureError, CaptureReader, open_capture
from kame_py.replay.pcapng import PcapngWriter
from kame_py.wire.errno import KError
from kame_py.wire.pcapfmt import EPB_INBOUND, EPB_OUTBOUND, MAX_SNAPLEN

NAME: Final = "tcpdump"
STDOUT: Final = "-"


async def main(argv: list[str], ops: ProgOps) -> int:
    """Exit 0, also after INT; 1 when it cannot begin."""
    return await run(TOOL, _tcpdump, argv, ops)


class Output(Protocol):
    """Where chosen packets go."""

    async def put(self, packet: Captured) -> None: ...


async def _tcpdump(args: ParsedArgs, ops: ProgOps) -> int:
    count = number(args, "c", COUNT_MAX, 1, COUNT_MAX)
    snaplen = number(args, "s", 0, 0, MAX_SNAPLEN) or MAX_SNAPLEN
    style = LineStyle.of(args)
    style.wire = await option_wire(ops, args.last("T"))
    expression = await read_filter(ops, args.args)
    path = args.last("r")
    if path is not None:
        target = args.last("w")
        if target not in (None, STDOUT) and await ops.same_file(path, target):
            raise ToolError(f"-w {target}", f"the same file as -r {path}, which is read")
        reader = await _open(ops, path)
        return await _read(ops, path, reader, snaplen, count, expression, _output(args, ops, style))
    return await _listen(args, ops, snaplen, count, expression, style)


async def _listen(
    args: ParsedArgs,
    ops: ProgOps,
    snaplen: int,
    count: int,
    expression: Filter,
    style: LineStyle,
) -> int:
    """From the interface until enough packets or a signal."""
    ifname = args.last("i") or await first_interface(ops)
    style.interface = ifname == ANY
    output = _output(args, ops, style)
    source = await PacketSocket.open(ops, ifname, snaplen, tracing=False)
    if isinstance(output, _Writer):
        await output.begin()
    ops.err(f"{NAME}: listening on {ifname}\n")
    while count and (packet := await source.next()) is not None:
        if chosen(expression, packet, packet.frame()):
            await output.put(packet)
            count -= 1
    await source.close()
    return 0


async def _read(
    ops: ProgOps,
    path: str,
    reader: CaptureReader,
    snaplen: int,
    count: int,
    expression: Filter,
    output: Output,
) -> int:
    """From a file; exit 1 when a part of it cannot be read."""
    if isinstance(output, _Writer):
        await output.begin()
    for record in reader:
        if not count:
            return 0
        packet = Captured(
            record.data[:snaplen],
            record.t_ns,
            record.orig_len,
            record.linktype,
            reader.interfaces[record.ifindex].name or "",
            True if record.outbound else False if record.inbound else None,
        )
        if chosen(expression, packet, packet.frame()):
            await output.put(packet)
            count -= 1
    if reader.error is not None:
        raise ToolError(path, f"{reader.error}; last good packet {reader.last_good}")
    return 0


async def _open(ops: ProgOps, path: str) -> CaptureReader:
    try:
        return open_capture(BytesIO(await ops.read_bytes(path)))
    except (CaptureError, KError) as e:
        raise ToolError(path, str(e)) from e


def _output(args: ParsedArgs, ops: ProgOps, style: LineStyle) -> Output:
    path = args.last("w")
    if path is not None:
        return _Writer(ops, path)
    if args.long.json:
        return _Json(ops, style)
    return _Lines(ops, style)


class _Lines:
    """Lines for people."""

    def __init__(self, ops: ProgOps, style: LineStyle) -> None:
        self._ops = ops
        self._printer = Printer(ops, style)

    async def put(self, packet: Captured) -> None:
        self._ops.out(await self._printer.line(packet, packet.frame()) + "\n")


class _Json:
    """One object for each packet, addresses numeric."""

    def __init__(self, ops: ProgOps, style: LineStyle) -> None:
        style.numeric = True
        self._ops = ops
        self._printer = Printer(ops, style)

    async def put(self, packet: Captured) -> None:
        text = await self._printer.text(packet, packet.frame())
        self._ops.out(to_json(packet.as_dict(text)))


class _Writer:
    """A pcapng capture, to a file or as octets to standard output; complete after each packet."""

    def __init__(self, ops: ProgOps, path: str) -> None:
        self._ops = ops
        self._path = path
        self._block = BytesIO()
        self._writer = PcapngWriter(self._block, application=f"kame-py {NAME}")
        self._ifindex: dict[tuple[str, int], int] = {}

    async def begin(self) -> None:
        """An empty capture in place of what was there."""
        if self._path != STDOUT:
            try:
                await self._ops.write_file(self._path, "")
            except KError as e:
                raise ToolError(self._path, e) from e
        await self._flush()

    async def put(self, packet: Captured) -> None:
        key = packet.ifname, packet.linktype
        if key not in self._ifindex:
            name, linktype = key
            self._ifindex[key] = self._writer.add_interface(name or "unknown", linktype)
        flags = {True: EPB_OUTBOUND, False: EPB_INBOUND, None: 0}[packet.outbound]
        self._writer.write(
            self._ifindex[key], packet.t_ns, packet.data, orig_len=packet.length, flags=flags
        )
        await self._flush()

    async def _flush(self) -> None:
        octets = self._block.getvalue()
        self._block.seek(0)
        self._block.truncate()
        if self._path == STDOUT:
            self._ops.out_bytes(octets)
            return
        try:
            await self._ops.append_bytes(self._path, octets)
        except KError as e:
            raise ToolError(self._path, e) from e


TOOL: Final = Tool(
    name=NAME,
    main=main,
    usage=(
        "tcpdump [-elntvx] [-c count] [-i interface] [-s snaplen] [-T draft]",
        "        [-r file] [-w file] [expression]",
    ),
    summary="Print or keep the packets that pass an interface of the node and that the "
    "expression chooses: host, src, dst, net, port, proto, ether, ip6, icmp6, udp, tcp, ah, esp, "
    "mip6, inbound, outbound, less, greater with and, or, not and parentheses.",
    letters="c:ei:lnr:s:tT:vw:x",
    options=(
        OptionHelp("c", "count", "end after so many packets"),
        OptionHelp("e", "", "show the link header"),
        OptionHelp("i", "interface", "listen there; any for all; the first that is up otherwise"),
        OptionHelp("l", "", "each line at once, which is always so"),
        OptionHelp("n", "", "addresses, no names"),
        OptionHelp("r", "file", "read a capture (pcap, pcapng, gzipped or not); needs no node"),
        OptionHelp("s", "snaplen", "octets kept of each packet; 0, the default, keeps all"),
        OptionHelp("t", "", "no time; -tt seconds since 1970"),
        OptionHelp("T", "draft", "draft-13 or draft-15 mobility options, not the node's"),
        OptionHelp("v", "", "more: options of neighbour discovery, hop limits; -vv checksums"),
        OptionHelp("w", "file", "write a pcapng capture; - is standard output"),
        OptionHelp("x", "", "the octets behind the link header in hexadecimal"),
    ),
    node_free="r",
)

if __name__ == "__main__":
    import sys

    from kame_py.host.run_tool import run_tool

    sys.exit(run_tool(NAME))
