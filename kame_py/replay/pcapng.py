# SPDX-License-Identifier: BSD-3-Clause
"""Read and write pcapng, one block at a time.

KAME file: none. Deviates: unknown blocks and options are passed over; what is written holds no
date, host or machine, so the same run gives the same octets.
Read first: draft-ietf-opsawg-pcapng s.3-4.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import BinaryIO, Final

from kame_py.replay.capture import (
    CaptureError,
    CaptureReader,
    Interface,
    Record,
    StopCapture,
    Takeable,
)
from kame_py.wire import pcapfmt

NS_PER_S: Final = 1_000_000_000
MAX_BLOCK: Final = 16 * 1024 * 1024  # octets; larger blocks of unknown types are passed over
MAX_INTERFACES: Final = 65536  # per file; a crafted file must not fill the memory
TSRESOL_NS: Final = b"\x09"  # 10^-9 s
_ADDR_LEN: Final = 16
_READ: Final = frozenset({pcapfmt.BT_IDB, pcapfmt.BT_EPB, pcapfmt.BT_SPB, pcapfmt.BT_PB})


class PcapngReader(CaptureReader):
    """pcapng of either byte order, any number of sections."""

    format = "pcapng"

    def __init__(self, source: Takeable, magic: bytes) -> None:
        super().__init__(source)
        self._n = 0
        self._last_ns = 0
        self._order = pcapfmt.LITTLE
        try:
            self._section(magic)
        except StopCapture as stop:
            raise CaptureError(str(stop)) from None

    def passed(self, count: int, last_ns: int) -> None:
        super().passed(count, last_ns)
        self._n += count
        self._last_ns = last_ns

    def _records(self) -> Iterator[Record]:
        size = self._order.block_head.size
        magic_len = pcapfmt.PCAP_MAGIC_LEN
        while start := self._source.take(magic_len):
            if pcapfmt.is_shb(start):
                self._section(start)
                continue
            head = start + self._source.take(size - len(start))
            if len(head) < size:
                raise StopCapture(f"cut short in a block header behind packet {self._n}")
            btype, total = pcapfmt.parse_block_head(self._order, head)
            body = self._body(btype, total, size)
            if body is None:
                continue
            if btype == pcapfmt.BT_IDB:
                self._interface(body)
            else:
                yield self._packet(btype, body)

    def _section(self, magic: bytes) -> None:
        """Read a section header; interface numbers start again."""
        head = magic + self._source.take(pcapfmt.SHB_HEAD_LEN - len(magic))
        if len(head) < pcapfmt.SHB_HEAD_LEN:
            raise StopCapture("cut short in a section header")
        parsed = pcapfmt.parse_shb_head(head)
        if parsed is None:
            raise StopCapture("a section header without byte order")
        order, total, major = parsed
        if major != pcapfmt.PCAPNG_VERSION_MAJOR:
            raise StopCapture(f"pcapng version {major} is not supported")
        self._order = order
        self.byte_order = order.name
        self.first_if = len(self.interfaces)
        self._body(pcapfmt.BT_SHB, total, len(head))

    def _body(self, btype: int, total: int, taken: int) -> bytes | None:
        """The rest of a block without its trailer; None for a type that is passed over."""
        rest = total - taken
        trailer = self._order.length.size
        if rest < trailer or total != pcapfmt.padded(total):
            raise StopCapture(f"block behind packet {self._n} claims {total} octets")
        if btype not in _READ:
            if not self._source.skip(rest - trailer):
                raise StopCapture(f"cut short in a block behind packet {self._n}")
            body = self._source.take(trailer)
            rest = trailer
        elif total > MAX_BLOCK:
            raise StopCapture(f"block behind packet {self._n} claims {total} octets")
        else:
            body = self._source.take(rest)
        if len(body) < rest:
            raise StopCapture(f"cut short in a block behind packet {self._n}")
        if pcapfmt.parse_block_trailer(self._order, body) != total:
            raise StopCapture(f"block behind packet {self._n} ends with another length")
        return body[:-trailer] if btype in _READ else None

    def _interface(self, body: bytes) -> None:
        parsed = pcapfmt.parse_idb(self._order, body)
        if parsed is None:
            raise StopCapture(f"interface block behind packet {self._n} is too short")
        if len(self.interfaces) >= MAX_INTERFACES:
            raise StopCapture(f"more than {MAX_INTERFACES} interfaces")
        linktype, snaplen, options = parsed
        ifp = Interface(linktype, snaplen)
        for code, value in pcapfmt.parse_options(self._order, options):
            if code == pcapfmt.IF_NAME:
                ifp = ifp._replace(name=_text(value))
            elif code == pcapfmt.IF_DESCRIPTION:
                ifp = ifp._replace(description=_text(value))
            elif code == pcapfmt.IF_TSRESOL:
                ifp = ifp._replace(ticks_per_s=pcapfmt.parse_tsresol(value) or ifp.ticks_per_s)
            elif code == pcapfmt.IF_TSOFFSET:
                ifp = ifp._replace(tsoffset_s=pcapfmt.parse_tsoffset(self._order, value) or 0)
        self.interfaces.append(ifp)

    def _packet(self, btype: int, body: bytes) -> Record:
        self._n += 1
        if btype == pcapfmt.BT_SPB:
            return self._simple(body)
        parse = pcapfmt.parse_epb if btype == pcapfmt.BT_EPB else pcapfmt.parse_pb
        parsed = parse(self._order, body)
        if parsed is None:
            raise StopCapture(f"packet {self._n} is too short")
        fields, rest = parsed
        ifindex, ifp = self._find(fields.interface)
        if fields.caplen > len(rest) or fields.caplen > pcapfmt.MAX_SNAPLEN:
            raise StopCapture(f"packet {self._n} claims {fields.caplen} octets")
        flags, comment = self._packet_options(rest[pcapfmt.padded(fields.caplen) :])
        t_ns = fields.ticks * NS_PER_S // ifp.ticks_per_s + ifp.tsoffset_s * NS_PER_S
        self._last_ns = t_ns
        data = rest[: fields.caplen]
        return Record(self._n, t_ns, ifp.linktype, data, fields.orig_len, ifindex, flags, comment)

    def _packet_options(self, options: bytes) -> tuple[int, str | None]:
        flags = 0
        comments: list[str] = []
        for code, value in pcapfmt.parse_options(self._order, options):
            if code == pcapfmt.OPT_COMMENT:
                comments.append(_text(value))
            elif code == pcapfmt.EPB_FLAGS:  # the same code in the obsolete block
                flags = pcapfmt.parse_u32(self._order, value) or 0
        return flags, "\n".join(comments) if comments else None

    def _simple(self, body: bytes) -> Record:
        """A Simple Packet Block has no time: the packet keeps the time of the one before."""
        parsed = pcapfmt.parse_spb(self._order, body)
        if parsed is None:
            raise StopCapture(f"packet {self._n} is too short")
        orig_len, rest = parsed
        ifindex, ifp = self._find(0)
        caplen = min(orig_len, ifp.snaplen or orig_len)
        if caplen > len(rest) or caplen > pcapfmt.MAX_SNAPLEN:
            raise StopCapture(f"packet {self._n} claims {caplen} octets")
        return Record(self._n, self._last_ns, ifp.linktype, rest[:caplen], orig_len, ifindex)

    def _find(self, number: int) -> tuple[int, Interface]:
        ifindex = self.first_if + number
        if ifindex >= len(self.interfaces):
            raise StopCapture(f"packet {self._n} names interface {number}, which is not described")
        return ifindex, self.interfaces[ifindex]


class PcapngWriter:
    """pcapng, little-endian, nanoseconds; each block is handed over whole."""

    def __init__(
        self,
        f: BinaryIO,
        application: str = "kame-py",
        names: Mapping[bytes, Iterable[str]] | None = None,
    ) -> None:
        self._f = f
        self._interfaces = 0
        write_all(f, pcapfmt.build_shb([(pcapfmt.SHB_USERAPPL, _value(application))]))
        if names:
            self.add_names(names)

    def add_names(self, names: Mapping[bytes, Iterable[str]]) -> None:
        """Name IPv6 addresses for the reader's screen (Name Resolution Block)."""
        rows = [(addr, list(texts)) for addr, texts in names.items()]
        if any(len(addr) != _ADDR_LEN for addr, _ in rows):
            raise ValueError("a name belongs to an IPv6 address of 16 octets")
        write_all(self._f, pcapfmt.build_nrb(rows))

    def add_interface(
        self,
        name: str,
        linktype: int = pcapfmt.LINKTYPE_ETHERNET,
        description: str | None = None,
        snaplen: int = 0,
    ) -> int:
        """Describe an interface; the number that write() wants."""
        options = [(pcapfmt.IF_NAME, _value(name))]
        if description is not None:
            options.append((pcapfmt.IF_DESCRIPTION, _value(description)))
        options.append((pcapfmt.IF_TSRESOL, TSRESOL_NS))
        write_all(self._f, pcapfmt.build_idb(linktype, snaplen, options))
        self._interfaces += 1
        return self._interfaces - 1

    def write(
        self,
        ifindex: int,
        t_ns: int,
        data: bytes,
        *,
        orig_len: int | None = None,
        flags: int = 0,
        comment: str | None = None,
    ) -> None:
        """Append one packet; flags: EPB_INBOUND, EPB_OUTBOUND and the rest of epb_flags."""
        if not 0 <= ifindex < self._interfaces:
            raise ValueError(f"interface {ifindex} is not described")
        options: list[tuple[int, bytes]] = []
        if comment is not None:
            options.append((pcapfmt.OPT_COMMENT, _value(comment)))
        if flags:
            options.append((pcapfmt.EPB_FLAGS, pcapfmt.build_u32(flags)))
        whole = len(data) if orig_len is None else orig_len
        fields = pcapfmt.PacketFields(ifindex, t_ns, len(data), whole)
        write_all(self._f, pcapfmt.build_epb(fields, data, options))

    def write_blocks(self, blocks: memoryview) -> None:
        """Append blocks that are made already: many packets at a time."""
        write_all(self._f, blocks)


def write_all(f: BinaryIO, data: bytes | memoryview) -> None:
    """Hand a whole block to the file; unbuffered files may take it in pieces."""
    view = memoryview(data)
    while view:
        view = view[f.write(view) :]


def _text(value: bytes) -> str:
    return value.rstrip(b"\0").decode("utf-8", "replace")


def _value(text: str) -> bytes:
    """UTF-8 of a text, cut at a character where it is longer than an option can hold."""
    return text.encode()[: pcapfmt.OPT_VALUE_MAX].decode("utf-8", "ignore").encode()
