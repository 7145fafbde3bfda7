# SPDX-License-Identifier: BSD-3-Clause
"""Read captures of either format, write classic ones; the public face of capture files.

KAME file: none (libpcap's savefile). Deviates: writes nanosecond stamps only.
Read first: draft-ietf-opsawg-pcap.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO, Final

from kame_py.replay.capture import (
    CaptureError,
    CaptureReader,
    Interface,
    Record,
    StopCapture,
    Takeable,
    open_octets,
)
from kame_py.replay.linktype import Frame, LinkReason, link_strip
from kame_py.replay.pcapng import PcapngReader, PcapngWriter, write_all
from kame_py.wire import pcapfmt
from kame_py.wire.pcapfmt import (
    LINKTYPE_ETHERNET,
    LINKTYPE_IPV6,
    LINKTYPE_LINUX_SLL,
    LINKTYPE_LINUX_SLL2,
    LINKTYPE_LOOP,
    LINKTYPE_NULL,
    LINKTYPE_RAW,
    MAX_SNAPLEN,
)

__all__ = [
    "LINKTYPE_ETHERNET",
    "LINKTYPE_IPV6",
    "LINKTYPE_LINUX_SLL",
    "LINKTYPE_LINUX_SLL2",
    "LINKTYPE_LOOP",
    "LINKTYPE_NULL",
    "LINKTYPE_RAW",
    "CaptureError",
    "CaptureReader",
    "Frame",
    "Interface",
    "LinkReason",
    "PcapReader",
    "PcapWriter",
    "PcapngReader",
    "PcapngWriter",
    "Record",
    "link_strip",
    "open_capture",
    "reader_of",
]

NS_PER_S: Final = 1_000_000_000
SEC_END: Final = 1 << 32  # the classic record has 32 bits for the seconds


def open_capture(f: BinaryIO) -> CaptureReader:
    """A reader for a pcap or pcapng file, compressed or not; CaptureError without a good header."""
    return reader_of(*open_octets(f, pcapfmt.PCAP_MAGIC_LEN))


def reader_of(source: Takeable, magic: bytes) -> CaptureReader:
    """The reader for what begins with these octets, taken already; CaptureError as above."""
    if len(magic) < pcapfmt.PCAP_MAGIC_LEN:
        raise CaptureError(source.failure or "too short for a capture file")
    if pcapfmt.is_shb(magic):
        return PcapngReader(source, magic)
    known = pcapfmt.pcap_magic(magic)
    if known is not None:
        return PcapReader(source, *known)
    raise CaptureError(f"not a capture file (starts with {magic.hex()})")


class PcapReader(CaptureReader):
    """Classic pcap of either byte order, microseconds or nanoseconds."""

    format = "pcap"

    def __init__(self, source: Takeable, order: pcapfmt.Layouts, ns_per_frac: int) -> None:
        super().__init__(source)
        raw = source.take(order.pcap_file.size)
        if len(raw) < order.pcap_file.size:
            raise CaptureError("the file header is cut short")
        header = pcapfmt.parse_pcap_file(order, raw)
        if header.version_major != pcapfmt.PCAP_VERSION_MAJOR:
            version = f"{header.version_major}.{header.version_minor}"
            raise CaptureError(f"pcap version {version} is not supported")
        self.byte_order = order.name
        self._order = order
        self._ns_per_frac = ns_per_frac
        ticks_per_s = NS_PER_S // ns_per_frac
        self.interfaces.append(Interface(header.linktype, header.snaplen, ticks_per_s=ticks_per_s))

    def _records(self) -> Iterator[Record]:
        source, order, ns_per_frac = self._source, self._order, self._ns_per_frac
        linktype, size = self.interfaces[0].linktype, order.pcap_record.size
        while raw := source.take(size):
            n = self.last_good + 1
            if len(raw) < size:
                raise StopCapture(f"cut short in the header of packet {n}")
            head = pcapfmt.parse_pcap_record(order, raw)
            if head.caplen > MAX_SNAPLEN:
                raise StopCapture(f"packet {n} claims {head.caplen} octets")
            data = source.take(head.caplen)
            if len(data) < head.caplen:
                raise StopCapture(f"cut short in packet {n}: {len(data)} of {head.caplen} octets")
            t_ns = head.sec * NS_PER_S + head.frac * ns_per_frac
            yield Record(n, t_ns, linktype, data, head.orig_len)


class PcapWriter:
    """Classic pcap, little-endian, nanoseconds; each record is handed over whole."""

    def __init__(
        self, f: BinaryIO, linktype: int = LINKTYPE_ETHERNET, snaplen: int = MAX_SNAPLEN
    ) -> None:
        self._f = f
        write_all(f, pcapfmt.build_pcap_file(snaplen, linktype))

    def write(self, t_ns: int, data: bytes, orig_len: int | None = None) -> None:
        """Append one packet."""
        sec, ns = divmod(t_ns, NS_PER_S)
        if not 0 <= sec < SEC_END:
            raise ValueError(f"time {t_ns} ns does not fit a pcap record")
        whole = len(data) if orig_len is None else orig_len
        write_all(self._f, pcapfmt.build_pcap_record(sec, ns, data, whole))
