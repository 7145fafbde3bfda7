# SPDX-License-Identifier: BSD-3-Clause
"""What tcpdump and trace share: the packet socket, captured packets, their lines.

KAME: tcpdump.c and print-ether.c. Deviates: times are UTC; a filter runs here, not in the kernel.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple

from kame_py.ctl.ops import ProgOps
from kame_py.lib.flagwords import IFF_LOOPBACK, IFF_UP
from kame_py.lib.getopt import ParsedArgs
from kame_py.lib.pcapfilter import Filter, FilterError, Packet, parse
from kame_py.lib.toolbase import ToolError
from kame_py.replay.linktype import Frame, link_strip
from kame_py.trace.format import frame_summary, summary
from kame_py.wire.errno import EAGAIN, KError
from kame_py.wire.in6addr import mac_ntoa, ntop
from kame_py.wire.mip6 import OptionWire
from kame_py.wire.mip6_draft15 import WIRE
from kame_py.wire.mip6_wires import WIRES
from kame_py.wire.pcapfmt import ETHERTYPE_IP, ETHERTYPE_IPV6, LINKTYPE_ETHERNET
from kame_py.wire.snap import IfSnap, Mip6ConfigSnap
from kame_py.wire.sockaddr import (
    AF_LINK,
    BPF_HDR,
    BPF_SNAPLEN,
    BPF_STATS,
    BPF_TRACE,
    BPF_WAY,
    MSG_DONTWAIT,
    SO_RCVBUF,
    SOCK_RAW,
    SOL_BPF,
    SOL_SOCKET,
    BpfHdr,
    BpfStat,
    BpfWay,
    Received,
    SockaddrIn6,
)

NS: Final = 1_000_000_000
DAY_S: Final = 86_400
ANY: Final = "any"  # all interfaces
BUFFER: Final = 262_144  # octets that the kernel keeps for us; its sb_max
BURST: Final = 64  # packets that are read before signals are looked for
NAMES_MAX: Final = 4096  # names remembered: addresses come from the network
COUNT_MAX: Final = 10**9
_ETHERTYPES: Final = {ETHERTYPE_IPV6: "ip6", ETHERTYPE_IP: "ip"}
_HEX_GROUP: Final = 2
_HEX_LINE: Final = 16


class Captured(NamedTuple):
    """One packet of a socket or a file. way: only of a trace; outbound None: nobody says."""

    data: bytes
    t_ns: int
    length: int
    linktype: int
    ifname: str = ""
    outbound: bool | None = None
    way: BpfWay | None = None

    def frame(self) -> Frame | None:
        """Without its link header; None when that cannot be read."""
        found = link_strip(self.linktype, self.data)
        return found if isinstance(found, Frame) else None

    def as_dict(self, text: str) -> dict[str, object]:
        """What is known of the packet, for JSON; ``text`` is its line."""
        return {
            "time_ns": self.t_ns,
            "interface": self.ifname,
            "outbound": self.outbound,
            "length": self.length,
            "linktype": self.linktype,
            "text": text,
            "octets": self.data.hex(),
        }


def chosen(expression: Filter, packet: Captured, frame: Frame | None) -> bool:
    """Whether the filter lets a packet through."""
    f = frame if frame is not None else Frame(None, None, 0, b"", 0)
    seen = Packet(f.payload, f.ethertype, packet.length, (f.dst_mac, f.src_mac))
    seen.outbound = bool(packet.outbound)
    return expression.matches(seen)


async def read_filter(ops: ProgOps, words: tuple[str, ...]) -> Filter:
    """The expression of a command line, its host names looked up."""
    try:
        expression = parse(words)
    except FilterError as e:
        raise ToolError(f"filter: {e}") from e
    for name in expression.names:
        found = await ops.getaddrinfo_all(name)
        if not found:
            raise ToolError(name, "unknown host")
        expression.names[name] = tuple(sa.addr for sa in found)
    return expression


def number(args: ParsedArgs, letter: str, default: int, least: int, limit: int) -> int:
    """The number behind a letter. ToolError."""
    text = args.last(letter)
    if text is None:
        return default
    if not (text.isascii() and text.isdecimal()) or not least <= int(text[:12]) <= limit:
        raise ToolError(f"-{letter} {text}", "bad value")
    return int(text)


# -- socket ---------------------------------------------------------------------------------------


class PacketSocket:
    """A packet socket of the node; ended by INT and TERM."""

    def __init__(self, ops: ProgOps, fd: int) -> None:
        self._ops = ops
        self._fd = fd
        self._burst = 0
        self._ifnames: dict[int, str] = {0: ""}

    @classmethod
    async def open(cls, ops: ProgOps, ifname: str, snaplen: int, tracing: bool) -> PacketSocket:
        """Listen on an interface, ANY for all of them. ToolError."""
        index = 0 if ifname == ANY else ops.if_nametoindex(ifname)
        if not index and ifname != ANY:
            raise ToolError(f"interface {ifname} does not exist")
        ops.catch_signals("INT", "TERM")
        fd = await ops.socket(AF_LINK, SOCK_RAW, 0)
        await ops.setsockopt(fd, SOL_SOCKET, SO_RCVBUF, BUFFER)
        await ops.setsockopt(fd, SOL_BPF, BPF_SNAPLEN, snaplen)
        await ops.setsockopt(fd, SOL_BPF, BPF_TRACE, int(tracing))
        await ops.bind(fd, SockaddrIn6(scope_id=index))
        return cls(ops, fd)

    async def next(self) -> Captured | None:
        """The next packet; None when a signal asks for the end."""
        while True:
            if self._burst:
                self._burst -= 1
                try:
                    return self._captured(await self._ops.recvmsg(self._fd, MSG_DONTWAIT))
                except KError as e:
                    if e.errno != EAGAIN:
                        raise
                    self._burst = 0
            elif (await self._ops.poll((self._fd,), None)).signals:
                return None
            else:
                self._burst = BURST

    async def close(self) -> None:
        """Say how much was seen and lost, as tcpdump does at its end."""
        stat = await self._ops.getsockopt(self._fd, SOL_BPF, BPF_STATS)
        await self._ops.close(self._fd)
        if isinstance(stat, BpfStat):
            self._ops.err(f"{stat.bs_recv} packets received by filter\n")
            self._ops.err(f"{stat.bs_drop} packets dropped by kernel\n")

    def _captured(self, rec: Received) -> Captured:
        control = {c.type: c.value for c in rec.control if c.level == SOL_BPF}
        hdr, way = control.get(BPF_HDR), control.get(BPF_WAY)
        assert isinstance(hdr, BpfHdr)  # every record has it
        return Captured(
            rec.data,
            hdr.bh_tstamp,
            hdr.bh_datalen,
            hdr.bh_linktype,
            self._ifname(hdr.bh_ifindex),
            hdr.bh_outbound,
            way if isinstance(way, BpfWay) else None,
        )

    def _ifname(self, index: int) -> str:
        known = self._ifnames.get(index)
        if known is None:
            known = self._ifnames[index] = self._ops.if_indextoname(index)
        return known


async def first_interface(ops: ProgOps) -> str:
    """The interface that is meant when none is named: the first that is up and no loopback."""
    rows = await ops.sysctl("net.route.iflist")
    for row in rows if isinstance(rows, tuple) else ():
        if isinstance(row, IfSnap) and row.flags & IFF_UP and not row.flags & IFF_LOOPBACK:
            return row.name
    raise ToolError("no suitable device found")


async def option_wire(ops: ProgOps, draft: str | None = None) -> OptionWire:
    """The draft by which mobility options are read: the one that is named, else the node's."""
    if draft is not None:
        named = WIRES.get(f"draft-{draft.removeprefix('draft').removeprefix('-')}")
        if named is None:
            raise ToolError(f"-T {draft}", f"not one of {', '.join(WIRES)}")
        return named
    try:
        rows = await ops.sysctl("net.inet6.mip6.config")
    except KError:
        return WIRE
    for row in rows if isinstance(rows, tuple) else ():
        if isinstance(row, Mip6ConfigSnap):
            return WIRES.get(row.dialect, WIRE)
    return WIRE


# -- lines ----------------------------------------------------------------------------------------


@dataclass(slots=True)
class LineStyle:
    """How lines look: the letters of the same names. stamp: 0 a time of day, 1 none, 2 seconds."""

    numeric: bool = False
    link: bool = False
    verbose: int = 0
    hexadecimal: bool = False
    stamp: int = 0
    interface: bool = False  # name it: packets of several come together
    wire: OptionWire = WIRE

    @classmethod
    def of(cls, args: ParsedArgs) -> LineStyle:
        return cls(
            numeric=args.has("n"),
            link=args.has("e"),
            verbose=_times(args, "v"),
            hexadecimal=args.has("x"),
            stamp=_times(args, "t"),
        )


def _times(args: ParsedArgs, letter: str) -> int:
    """How often a letter was given; twice is the most that counts."""
    return min(sum(option.letter == letter for option in args.options), 2)


class Printer:
    """Lines of packets, with names where there are any."""

    def __init__(self, ops: ProgOps, style: LineStyle) -> None:
        self.style = style
        self._ops = ops
        self._names: dict[bytes, str] = {}
        self._missing: set[bytes] = set()

    async def line(self, packet: Captured, frame: Frame | None) -> str:
        """The whole line of a packet, with its octets below where they are wanted."""
        style = self.style
        text = await self.text(packet, frame)
        if style.link and packet.linktype == LINKTYPE_ETHERNET and frame is not None:
            if frame.src_mac is not None and frame.dst_mac is not None:
                kind = _ETHERTYPES.get(frame.ethertype, f"{frame.ethertype:x}")
                macs = f"{mac_ntoa(frame.src_mac)} {mac_ntoa(frame.dst_mac)}"
                text = f"{macs} {kind} {packet.length}: {text}"
        if style.interface and packet.ifname:
            sign = {True: ">", False: "<", None: "-"}[packet.outbound]
            text = f"{packet.ifname} {sign} {text}"
        text = stamp_text(packet.t_ns, style.stamp) + text
        if style.hexadecimal:
            text += hex_lines(frame.payload if frame is not None else packet.data)
        return text

    async def text(self, packet: Captured, frame: Frame | None) -> str:
        """What the packet says."""
        text = self._format(packet, frame)
        if self._missing:
            if len(self._names) + len(self._missing) > NAMES_MAX:
                self._names.clear()
            for addr in sorted(self._missing):
                self._names[addr] = await self._ops.getnameinfo(SockaddrIn6(addr))
            self._missing.clear()
            text = self._format(packet, frame)
            self._missing.clear()  # more names than are remembered: those stay numbers
        return text

    def _format(self, packet: Captured, frame: Frame | None) -> str:
        style = self.style
        names = ntop if style.numeric else self._name
        if packet.linktype == LINKTYPE_ETHERNET:
            return frame_summary(packet.data, names, style.verbose, style.wire)
        if frame is None:
            return f"[|link {packet.linktype}]"
        if frame.ethertype != ETHERTYPE_IPV6:
            return f"ethertype 0x{frame.ethertype:04x}"
        return summary(frame.payload, names, style.verbose, style.wire)

    def _name(self, addr: bytes) -> str:
        known = self._names.get(addr)
        if known is None:
            self._missing.add(addr)
            return ntop(addr)
        return known


def stamp_text(t_ns: int, stamp: int) -> str:
    """The time in front of a line."""
    seconds, micro = t_ns // NS, t_ns % NS // 1000
    if stamp == 1:
        return ""
    if stamp:
        return f"{seconds}.{micro:06d} "
    minutes, second = divmod(seconds % DAY_S, 60)
    return f"{minutes // 60:02d}:{minutes % 60:02d}:{second:02d}.{micro:06d} "


def hex_lines(octets: bytes) -> str:
    """Octets below a line, as tcpdump -x lays them out."""
    lines = []
    for at in range(0, len(octets), _HEX_LINE):
        row = octets[at : at + _HEX_LINE]
        lines.append("\n\t\t\t " + row.hex(" ", -_HEX_GROUP))
    return "".join(lines)
