# SPDX-License-Identifier: BSD-3-Clause
"""Play a capture to a kernel: one verdict for every packet, and what the node sent.

No KAME counterpart. One pass, whatever the length of the capture. The node hears nothing but the
capture: nobody answers what it asks. Time is the capture's; a stamp that lies before its
predecessor counts as equal to it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import chain
from typing import TYPE_CHECKING, BinaryIO, Final

from kame_py.kern.conf import KernConf
from kame_py.kern.drop import D, DropReason, drop
from kame_py.kern.mbuf import Fate, Mbuf, m_get
from kame_py.lab.filetree import FileTree
from kame_py.replay.explain import Explanation
from kame_py.replay.linktype import LinkReason, link_strip
from kame_py.replay.node import NodeSpec, boot_at
from kame_py.replay.pcap import open_capture
from kame_py.replay.pcapng import PcapngWriter
from kame_py.replay.scan import DEFAULT_PLEN, Host, absent_mac, find_host, is_large
from kame_py.replay.verdict import OWN, VerdictLog, VerdictSink, verdict_of
from kame_py.replay.watch import Watch
from kame_py.wire import pcapfmt
from kame_py.wire.codecs import EtherHeader, Ip6Hdr
from kame_py.wire.const import ETHER_ADDR_LEN, ETHERTYPE_IPV6
from kame_py.wire.in6addr import IN6_IS_ADDR_MULTICAST, ether_multicast, eui64, ntop

if TYPE_CHECKING:
    from kame_py.kern.kernel import Kernel
    from kame_py.lab.rc import Command
    from kame_py.replay.bulk import BulkRun
    from kame_py.replay.capture import CaptureReader, Record
    from kame_py.replay.linktype import Frame

ADDR_OCTETS: Final = 16
STAMP_MAX_NS: Final = (1 << 63) - 1  # the year 2262; later stamps are broken ones
COMPILING: Final = "compiling kernels, this once"
AUTO_PACKETS: Final = 8192  # until here compiled kernels cost more time than they save
_SRC_MAC: Final = slice(EtherHeader.O_ether_shost, EtherHeader.O_ether_type)
_SRC: Final = slice(Ip6Hdr.O_ip6_src, Ip6Hdr.O_ip6_dst)
_DST: Final = slice(Ip6Hdr.O_ip6_dst, Ip6Hdr.SIZE)
_LINKLOCAL: Final = b"\xfe\x80" + bytes(6)

_LINK_DROPS: Final[dict[LinkReason, DropReason]] = {
    LinkReason.LINKTYPE: D.LINKTYPE,
    LinkReason.SHORT: D.ETHER_RUNT,
    LinkReason.VERSION: D.IP6_BADVERS,
    LinkReason.FAMILY: D.ETHER_TYPE,
}


class Fast(StrEnum):
    """When the vector path is used."""

    AUTO = "auto"  # where it pays: behind AUTO_PACKETS packets, with numba
    ON = "on"
    OFF = "off"


class ReplayError(Exception):
    """The replay cannot begin; the text says why."""


@dataclass(frozen=True, slots=True)
class ReplayOptions:
    """How to play a capture.

    conf: kernel options. rc: what to run at boot instead of becoming a host; files: makes
    the tree of files that its programs read. lladdr: the node's MAC address, None one that the
    capture does not hold. addr: be the host with this address. trace: packets that are explained.
    fast: whether packets that change nothing are handled many at a time; results do not differ.
    ValueError for addresses that are none.
    """

    conf: KernConf = KernConf()
    rc: Sequence[Command] | None = None
    files: Callable[[], FileTree] = FileTree
    ifname: str = "fxp0"
    lladdr: bytes | None = None
    addr: bytes | None = None
    trace: Collection[int] = ()
    seed: int = 0
    fast: Fast = Fast.AUTO

    def __post_init__(self) -> None:
        mac = self.lladdr
        if mac is not None and (len(mac) != ETHER_ADDR_LEN or pcapfmt.is_group_mac(mac)):
            raise ValueError(f"lladdr {mac!r} is no station's MAC address")
        if self.addr is not None and len(self.addr) != ADDR_OCTETS:
            raise ValueError(f"addr {self.addr!r} is no IPv6 address of {ADDR_OCTETS} octets")
        if self.ifname == "lo0":
            raise ValueError("lo0 is the loopback interface: it hears no capture")


@dataclass(slots=True)
class ReplayResult:
    """What came of it.

    packets: how many were played; left_out: not let in by the onlooker.
    fates: packets by fate, all six; drops: dropped packets by reason. replies: frames that the
    node sent, its boot included. error: why the capture could not be read to its end; last_good:
    the last packet that was read. problems: what went wrong at boot; doubts: about the
    capture. traces: by packet number.
    kern: the node as it stood at the last stamp; start_ns, end_ns: first and last stamp.
    in_bulk: packets handled by the vector path; punts: why others were not, while it was in use.
    """

    packets: int
    left_out: int
    fates: dict[str, int]
    drops: dict[str, int]
    replies: int
    error: str | None
    last_good: int
    problems: list[str]
    doubts: list[str]
    rc_output: str
    traces: dict[int, list[str]]
    kern: Kernel
    ifname: str
    start_ns: int
    end_ns: int
    in_bulk: int = 0
    punts: dict[str, int] = field(default_factory=dict)


def replay(
    capture: BinaryIO,
    options: ReplayOptions | None = None,
    *,
    out: BinaryIO | None = None,
    verdicts: VerdictSink | None = None,
    watch: Watch | None = None,
) -> ReplayResult:
    """Play a pcap or pcapng file, compressed or not, to a kernel.

    ``out`` gets a pcapng file of the frames that the node sends; ``verdicts`` is told the verdict
    of every packet, in order; ``watch`` looks on and may choose. The capture is read once; twice,
    if it can be, to choose a MAC address or to find ``options.addr``. Raises CaptureError when its
    header cannot be read, ReplayError when ``options.addr`` is not in it. The same input gives the
    same output.
    """
    options = options if options is not None else ReplayOptions()
    host = Host(options.lladdr, DEFAULT_PLEN)
    quick = _quick(capture, options)
    if options.addr is not None:
        host = _take_host(capture, options.addr, options.lladdr, quick)
    lladdr = host.mac or absent_mac(capture, quick)
    reader = open_capture(capture)
    records = iter(reader)
    first = next(records, None)
    has_macs = first is None or first.linktype not in _WITHOUT_MACS
    spec = NodeSpec(
        conf=options.conf,
        ifname=options.ifname,
        lladdr=lladdr if has_macs else b"",
        files=options.files,
        rc=options.rc,
        addr=_extra_address(options.addr, lladdr if has_macs else b""),
        plen=host.plen,
        seed=options.seed,
    )
    run = _Run(spec, options, host, out, VerdictLog(verdicts), watch or Watch())
    every = records if first is None else chain((first,), records)
    return run.play(reader, every, _stamp(first) if first is not None else 0)


_DIRECT: Final = frozenset({pcapfmt.LINKTYPE_ETHERNET})
_DIRECT_RAW: Final = frozenset(
    {
        pcapfmt.LINKTYPE_RAW12,
        pcapfmt.LINKTYPE_RAW14,
        pcapfmt.LINKTYPE_RAW,
        pcapfmt.LINKTYPE_IPV6,
    }
)
_WITHOUT_MACS: Final = frozenset(
    {
        pcapfmt.LINKTYPE_NULL,
        pcapfmt.LINKTYPE_LOOP,
        pcapfmt.LINKTYPE_RAW12,
        pcapfmt.LINKTYPE_RAW14,
        pcapfmt.LINKTYPE_RAW,
        pcapfmt.LINKTYPE_IPV6,
        pcapfmt.LINKTYPE_LINUX_SLL,
        pcapfmt.LINKTYPE_LINUX_SLL2,
    }
)


def _quick(capture: BinaryIO, options: ReplayOptions) -> bool:
    """Whether the capture is looked through with kernels, if it is to be."""
    if options.fast is Fast.OFF or (options.lladdr is not None and options.addr is None):
        return False
    return is_large(capture) and _compiled()


def _compiled() -> bool:
    try:
        from kame_py.replay import bulk
    except (ImportError, ValueError):  # who wants the vector path is told later
        return False
    return bulk.COMPILED


def _take_host(capture: BinaryIO, addr: bytes, lladdr: bytes | None, quick: bool) -> Host:
    if not capture.seekable():
        raise ReplayError(f"cannot look for {ntop(addr)}: the capture cannot be read twice")
    if quick:
        from kame_py.replay.quick import telling

        host = find_host(telling(capture, addr), addr)
    else:
        host = find_host(open_capture(capture), addr)
    capture.seek(0)
    if host is None:
        raise ReplayError(f"{ntop(addr)} is not in the capture")
    return host._replace(mac=lladdr or host.mac)


def _extra_address(addr: bytes | None, lladdr: bytes) -> bytes | None:
    """The address to configure; the link-local one of the MAC is there anyway."""
    if addr is not None and lladdr and addr == _LINKLOCAL + eui64(lladdr):
        return None
    return addr


def _addresses_of(addr: bytes | None, lladdr: bytes) -> frozenset[bytes]:
    """The address, the link-local one with the same interface identifier, the one of the MAC."""
    if addr is None:
        return frozenset()
    own = {addr, _LINKLOCAL + addr[len(_LINKLOCAL) :]}
    return frozenset(own | {_LINKLOCAL + eui64(lladdr)} if lladdr else own)


def _stamp(record: Record) -> int:
    return min(max(record.t_ns, 0), STAMP_MAX_NS)


class _Run:
    """One replay on its way."""

    def __init__(
        self,
        spec: NodeSpec,
        options: ReplayOptions,
        host: Host,
        out: BinaryIO | None,
        log: VerdictLog,
        watch: Watch,
    ) -> None:
        self._spec = spec
        self._own_addr = options.addr
        self._host = host
        self._own_addrs = _addresses_of(options.addr, spec.lladdr)
        self._trace = frozenset(options.trace)
        self._log = log
        self._watch = watch
        self._sent = 0
        self._writer: PcapngWriter | None = None
        self._linktype = pcapfmt.LINKTYPE_ETHERNET if spec.lladdr else pcapfmt.LINKTYPE_RAW
        if out is not None:
            self._writer = PcapngWriter(out)
            self._writer.add_interface(spec.ifname, self._linktype)
        self._traced: dict[int, Explanation] = {}
        self._explaining: Explanation | None = None
        self._fast_wish = options.fast
        self._bulk: BulkRun | None = None

    def play(self, reader: CaptureReader, records: Iterator[Record], first_ns: int) -> ReplayResult:
        """The whole capture."""
        node = self._node = boot_at(self._spec, first_ns, self._sends)
        node.kern.fate_sink = self._settled
        node.on_step = self._watch.stepped
        end_ns = first_ns
        watch = self._watch
        bulk_from = self._bulk_from()
        for record in records:
            if not watch.goes_on(record.n, None):
                break
            if not watch.admits(record):
                self._log.leave_out(record.t_ns)
                continue
            end_ns = max(end_ns, _stamp(record))
            node.advance(end_ns - node.clock.epoch_ns)
            self.packet(record)
            if record.n == bulk_from and self._bulk_wanted(reader, record.t_ns):
                end_ns = self._play_in_bulk(end_ns)
                break
        self._log.finish()
        return ReplayResult(
            packets=self._log.packets,
            left_out=self._log.left_out,
            fates=self._log.fates(),
            drops=self._log.drops(),
            replies=self._sent,
            error=reader.error,
            last_good=reader.last_good,
            problems=node.problems(),
            doubts=self._doubts(),
            rc_output=node.output(),
            traces={n: packet.lines() for n, packet in sorted(self._traced.items())},
            kern=node.kern,
            ifname=self._spec.ifname,
            start_ns=first_ns,
            end_ns=end_ns,
            in_bulk=self._bulk.engine.packets if self._bulk is not None else 0,
            punts=self._bulk.engine.named_punts() if self._bulk is not None else {},
        )

    # -- many packets -------------------------------------------------------------------------

    def _bulk_from(self) -> int | None:
        """Behind which packet the vector path begins; None: it does not."""
        if self._fast_wish is Fast.OFF or self._watch.every or self._host.shared:
            return None
        if self._own_addr is not None and not self._spec.lladdr:
            return None  # its own packets are told by their source
        return 1 if self._fast_wish is Fast.ON else AUTO_PACKETS

    def _bulk_wanted(self, reader: CaptureReader, last_ns: int) -> bool:
        """Make ready for the rest of the capture, if the kernels are worth it here."""
        try:
            from kame_py.replay import bulk
        except ImportError as missing:
            if self._fast_wish is Fast.ON:
                raise ReplayError(f"the fast path needs {missing.name}") from None
            return False
        except ValueError as wish:  # KAME_CPU names no choice
            raise ReplayError(str(wish)) from None
        if self._fast_wish is Fast.AUTO and not bulk.COMPILED:
            return False
        direct = _DIRECT if self._spec.lladdr else _DIRECT_RAW
        if not bulk.ready():
            self._watch.waits(COMPILING)
        walk, write = bulk.walk_on(reader, last_ns), self._writer is not None
        shows, eager = self._watch.signals, self._fast_wish is Fast.ON
        self._bulk = bulk.BulkRun(self, self._node, self._log, walk, direct, write, shows, eager)
        return True

    def _play_in_bulk(self, end_ns: int) -> int:
        """The rest of the capture; the last stamp."""
        assert self._bulk is not None
        return self._bulk.play(end_ns, self._watch.goes_on, self._alone)

    def _alone(self, first: int, end: int) -> bool:
        """Whether packets ``first`` up to ``end`` must be seen one by one."""
        return self._trace_waits() or any(first <= n < end for n in self._trace)

    # -- one packet ---------------------------------------------------------------------------

    def packet(self, record: Record) -> None:
        """Feed one packet; the node's time is its own."""
        n = self._log.arrive(record.t_ns)
        kern = self._node.kern
        if n in self._trace:
            self._explaining = self._traced[n] = Explanation(kern, self._spec.ifname, record)
        if self._trace:
            kern.tracing = self._explaining is not None or self._trace_waits()
        self._watch.feeds(record)
        m = self._feed(record, n)
        if kern.txq:
            self._node.drain()
        if self._explaining is not None:
            self._explaining.ended(m)
            self._explaining = None
        if m is None:
            self._log.settle(n, OWN)
        elif m.fate is None:
            raise RuntimeError(f"packet {n} has no fate")
        self._watch.fed(kern, record, m)

    def _trace_waits(self) -> bool:
        return any(packet.held() for packet in self._traced.values())

    def _feed(self, record: Record, n: int) -> Mbuf | None:
        """Give the packet to the interface; None: the node sent it itself."""
        node, spec = self._node, self._spec
        if spec.lladdr and record.linktype == pcapfmt.LINKTYPE_ETHERNET:
            data = self._shared(record.data) if self._host.shared else record.data
            if data is None or (not self._host.shared and data[_SRC_MAC] == node.ifp.if_hwaddr):
                return None
            return node.kern.if_input(node.ifp, data, n)
        frame = link_strip(record.linktype, record.data)
        if isinstance(frame, LinkReason):
            return self._refuse(record.data, n, _LINK_DROPS[frame])
        if self._is_own(frame):
            return None
        if frame.ethertype != ETHERTYPE_IPV6:
            return self._refuse(frame.payload, n, D.ETHER_TYPE)
        data = self._framed(frame) if spec.lladdr else frame.payload
        return node.kern.if_input(node.ifp, data, n)

    def _is_own(self, frame: Frame) -> bool:
        """From our MAC address; where there is none, from the address that we took."""
        if self._host.shared:
            return frame.payload[_SRC] in self._own_addrs
        if self._spec.lladdr:
            return frame.src_mac == self._node.ifp.if_hwaddr
        return self._own_addr is not None and frame.payload[_SRC] == self._own_addr

    def _shared(self, data: bytes) -> bytes | None:
        """A frame where MAC addresses do not tell hosts apart; None: the node's own."""
        frame = link_strip(pcapfmt.LINKTYPE_ETHERNET, data)
        if isinstance(frame, LinkReason) or frame.ethertype != ETHERTYPE_IPV6:
            return data
        if frame.payload[_SRC] in self._own_addrs:
            return None
        if frame.dst_mac in self._host.aliases:
            return self._node.ifp.if_hwaddr + data[_SRC_MAC.start :]
        return data

    def _doubts(self) -> list[str]:
        if not self._host.shared or not self._spec.lladdr or self._own_addr is None:
            return []
        return [
            f"the MAC address that {ntop(self._own_addr)} sends from is shared: "
            "its own packets are told by their source address"
        ]

    def _framed(self, frame: Frame) -> bytes:
        """A packet from a link without MAC addresses, for an interface that has one."""
        dst = frame.payload[_DST]
        multicast = len(frame.payload) >= Ip6Hdr.SIZE and IN6_IS_ADDR_MULTICAST(dst)
        dhost = ether_multicast(dst) if multicast else self._node.ifp.if_hwaddr
        return EtherHeader(ether_dhost=dhost).pack() + frame.payload

    def _refuse(self, data: bytes, n: int, why: DropReason) -> Mbuf:
        node = self._node
        m = m_get(node.kern, data, node.ifp, n)
        drop(node.kern, m, why)
        return m

    # -- what the kernel tells ----------------------------------------------------------------

    def _settled(self, kern: Kernel, m: Mbuf) -> None:
        n = m.tag
        if isinstance(n, int) and m.fate is not Fate.HELD:
            self._log.settle(n, *verdict_of(m))

    def wrote(self, blocks: memoryview, frames: int) -> None:
        """The node sent many frames."""
        self._sent += frames
        if self._writer is not None:
            self._writer.write_blocks(blocks)

    def _sends(self, kern: Kernel, frame: bytes) -> None:
        if self._bulk is not None:
            self._bulk.engine.flush()
        self._sent += 1
        self._watch.sent(kern, frame)
        if self._explaining is not None:
            self._explaining.sent(frame, self._linktype)
        if self._writer is not None:
            t_ns = min(max(kern.clock.realtime(), 0), STAMP_MAX_NS)
            self._writer.write(0, t_ns, frame, flags=pcapfmt.EPB_OUTBOUND)
