# SPDX-License-Identifier: BSD-3-Clause
"""Layouts of capture files (pcap, pcapng) and of the link headers found in them.

KAME file: none (its bpf writes through libpcap). Deviates: both byte orders are first-class.
Read first: draft-ietf-opsawg-pcap, draft-ietf-opsawg-pcapng, the LINKTYPE registry.
"""

from __future__ import annotations

from collections.abc import Iterator
from struct import Struct
from typing import Final, NamedTuple

# Link types of the registry; RAW12 and RAW14 are what BSDs wrote for DLT_RAW.
LINKTYPE_NULL: Final = 0
LINKTYPE_ETHERNET: Final = 1
LINKTYPE_RAW12: Final = 12
LINKTYPE_RAW14: Final = 14
LINKTYPE_RAW: Final = 101
LINKTYPE_LOOP: Final = 108
LINKTYPE_LINUX_SLL: Final = 113
LINKTYPE_IPV6: Final = 229
LINKTYPE_LINUX_SLL2: Final = 276
LINKTYPE_MASK: Final = 0x03FFFFFF  # above: FCS length and its presence bit, as libpcap reads them

PCAP_VERSION_MAJOR: Final = 2
PCAP_VERSION_MINOR: Final = 4
PCAP_MAGIC_LEN: Final = 4
MAX_SNAPLEN: Final = 262144  # octets; what libpcap accepts

# pcapng block types
BT_IDB: Final = 0x00000001
BT_PB: Final = 0x00000002  # obsolete Packet Block
BT_SPB: Final = 0x00000003
BT_NRB: Final = 0x00000004
BT_EPB: Final = 0x00000006
BT_SHB: Final = 0x0A0D0D0A
BYTE_ORDER_MAGIC: Final = 0x1A2B3C4D
PCAPNG_VERSION_MAJOR: Final = 1
BLOCK_OVERHEAD: Final = 12  # type, length, and the length again at the end
SECTION_LENGTH_UNKNOWN: Final = -1

# pcapng option codes
OPT_ENDOFOPT: Final = 0
OPT_COMMENT: Final = 1
SHB_USERAPPL: Final = 4
IF_NAME: Final = 2
IF_DESCRIPTION: Final = 3
IF_TSRESOL: Final = 9
IF_TSOFFSET: Final = 14
EPB_FLAGS: Final = 2
PACK_FLAGS: Final = 2  # of the obsolete Packet Block
OPT_VALUE_MAX: Final = 0xFFFF
NRB_RECORD_END: Final = 0
NRB_RECORD_IPV6: Final = 2
TSRESOL_POWER_OF_2: Final = 0x80

# epb_flags bits 0-1
EPB_INBOUND: Final = 1
EPB_OUTBOUND: Final = 2
EPB_DIRECTION_MASK: Final = 3

# Members of an Enhanced Packet Block from its start, and of what follows the padded frame when
# epb_flags is the only option; for those who write many blocks at a time.
PAD: Final = 4  # what options and frames are padded to
EPB_O_TYPE: Final = 0
EPB_O_LENGTH: Final = 4
EPB_O_INTERFACE: Final = 8
EPB_O_HIGH: Final = 12
EPB_O_LOW: Final = 16
EPB_O_CAPLEN: Final = 20
EPB_O_ORIGLEN: Final = 24
EPB_O_DATA: Final = 28
EPB_TAIL_O_CODE: Final = 0
EPB_TAIL_O_FLAGS: Final = 4
EPB_TAIL_O_END: Final = 8
EPB_TAIL_O_LENGTH: Final = 12
EPB_TAIL_LEN: Final = 16

AF_INET: Final = 2
AF_INET6_ANY: Final = frozenset({10, 24, 28, 30})  # Linux, NetBSD/OpenBSD, FreeBSD, Darwin
ETHERTYPE_IP: Final = 0x0800
ETHERTYPE_IPV6: Final = 0x86DD

# Where things lie in a record or packet block, for readers that do not copy it.
PCAP_O_SEC: Final = 0
PCAP_O_FRAC: Final = 4
PCAP_O_CAPLEN: Final = 8
PCAP_O_ORIGLEN: Final = 12
PCAP_RECORD_LEN: Final = 16
BLOCK_HEAD_LEN: Final = 8
BLOCK_TRAILER_LEN: Final = 4
SPB_O_ORIGLEN: Final = 8
SPB_O_DATA: Final = 12
OPTION_LENGTH: Final = 2
OPTION_HEAD_LEN: Final = 4


class PcapFileHeader(NamedTuple):
    """The classic file header after its magic number."""

    version_major: int
    version_minor: int
    thiszone: int
    sigfigs: int
    snaplen: int
    linktype: int


class PcapRecordHeader(NamedTuple):
    """The classic record header; frac counts what the magic number says."""

    sec: int
    frac: int
    caplen: int
    orig_len: int


class PacketFields(NamedTuple):
    """The fixed part of a packet block."""

    interface: int
    ticks: int
    caplen: int
    orig_len: int


class Layouts:
    """Every layout in one byte order."""

    __slots__ = (
        "block_head",
        "epb",
        "idb",
        "length",
        "name",
        "option",
        "pb",
        "pcap_file",
        "pcap_record",
        "shb",
        "tsoffset",
    )

    def __init__(self, name: str, order: str) -> None:
        self.name = name
        self.pcap_file = Struct(order + "HHiIII")
        self.pcap_record = Struct(order + "IIII")
        self.block_head = Struct(order + "II")
        self.length = Struct(order + "I")
        self.shb = Struct(order + "IHHq")
        self.idb = Struct(order + "HHI")
        self.epb = Struct(order + "IIIII")
        self.pb = Struct(order + "HHIIII")
        self.option = Struct(order + "HH")
        self.tsoffset = Struct(order + "q")


LITTLE: Final = Layouts("little-endian", "<")
BIG: Final = Layouts("big-endian", ">")

PCAP_MAGIC_US: Final = 0xA1B2C3D4
PCAP_MAGIC_NS: Final = 0xA1B23C4D
SHB_HEAD_LEN: Final = LITTLE.block_head.size + LITTLE.shb.size

_NS_PER_FRAC: Final = {PCAP_MAGIC_US: 1000, PCAP_MAGIC_NS: 1}
_SHB_TYPE: Final = BIG.length.pack(BT_SHB)  # a palindrome: the same in both orders


def pcap_magic(magic: bytes) -> tuple[Layouts, int] | None:
    """Byte order and nanoseconds per fraction unit of a classic capture file."""
    for order in (LITTLE, BIG):
        ns = _NS_PER_FRAC.get(order.length.unpack(magic)[0])
        if ns is not None:
            return order, ns
    return None


def is_shb(magic: bytes) -> bool:
    """Does a file or block that starts with these four octets start a pcapng section?"""
    return magic == _SHB_TYPE


def parse_pcap_file(order: Layouts, data: bytes) -> PcapFileHeader:
    """The classic file header from its octets behind the magic number."""
    header = PcapFileHeader._make(order.pcap_file.unpack(data))
    return header._replace(linktype=header.linktype & LINKTYPE_MASK)


def parse_pcap_record(order: Layouts, data: bytes) -> PcapRecordHeader:
    """One classic record header."""
    return PcapRecordHeader._make(order.pcap_record.unpack(data))


def build_pcap_file(snaplen: int, linktype: int) -> bytes:
    """The little-endian nanosecond file header, magic number included."""
    return LITTLE.length.pack(PCAP_MAGIC_NS) + LITTLE.pcap_file.pack(
        PCAP_VERSION_MAJOR, PCAP_VERSION_MINOR, 0, 0, snaplen, linktype
    )


def build_pcap_record(sec: int, ns: int, data: bytes, orig_len: int) -> bytes:
    """One little-endian classic record with its data."""
    return LITTLE.pcap_record.pack(sec, ns, len(data), orig_len) + data


def parse_block_head(order: Layouts, data: bytes) -> tuple[int, int]:
    """Type and total length of a pcapng block."""
    btype, length = order.block_head.unpack(data)
    return btype, length


def parse_block_trailer(order: Layouts, body: bytes) -> int:
    """The repeated total length that ends a block body."""
    length: int = order.length.unpack(body[-order.length.size :])[0]
    return length


def parse_shb_head(head: bytes) -> tuple[Layouts, int, int] | None:
    """(byte order, total length, major version) of a section header; None: bad byte order."""
    body = head[LITTLE.block_head.size :]
    for order in (LITTLE, BIG):
        magic, major, _minor, _length = order.shb.unpack(body)
        if magic == BYTE_ORDER_MAGIC:
            _btype, total = order.block_head.unpack(head[: order.block_head.size])
            return order, total, major
    return None


def parse_idb(order: Layouts, body: bytes) -> tuple[int, int, bytes] | None:
    """(link type, snap length, options) of an Interface Description Block."""
    size = order.idb.size
    if len(body) < size:
        return None
    linktype, _reserved, snaplen = order.idb.unpack(body[:size])
    return linktype, snaplen, body[size:]


def parse_epb(order: Layouts, body: bytes) -> tuple[PacketFields, bytes] | None:
    """Fixed part and rest (data, padding, options) of an Enhanced Packet Block."""
    size = order.epb.size
    if len(body) < size:
        return None
    ifid, high, low, caplen, orig_len = order.epb.unpack(body[:size])
    return PacketFields(ifid, high << 32 | low, caplen, orig_len), body[size:]


def parse_pb(order: Layouts, body: bytes) -> tuple[PacketFields, bytes] | None:
    """Fixed part and rest of the obsolete Packet Block."""
    size = order.pb.size
    if len(body) < size:
        return None
    ifid, _drops, high, low, caplen, orig_len = order.pb.unpack(body[:size])
    return PacketFields(ifid, high << 32 | low, caplen, orig_len), body[size:]


def parse_spb(order: Layouts, body: bytes) -> tuple[int, bytes] | None:
    """(original length, data and padding) of a Simple Packet Block."""
    size = order.length.size
    if len(body) < size:
        return None
    return order.length.unpack(body[:size])[0], body[size:]


def padded(length: int) -> int:
    """Length rounded up to the 32-bit boundary pcapng keeps."""
    return (length + 3) & ~3


def parse_options(order: Layouts, data: bytes) -> Iterator[tuple[int, bytes]]:
    """(code, value) pairs; ends quietly at the first option that does not fit."""
    head = order.option
    off = 0
    while off + head.size <= len(data):
        code, length = head.unpack_from(data, off)
        off += head.size
        if code == OPT_ENDOFOPT or off + length > len(data):
            return
        yield code, data[off : off + length]
        off += padded(length)


def parse_u32(order: Layouts, value: bytes) -> int | None:
    """A 32-bit option value; None if it has another length."""
    if len(value) != order.length.size:
        return None
    number: int = order.length.unpack(value)[0]
    return number


def parse_tsresol(value: bytes) -> int | None:
    """Ticks per second of an if_tsresol option; None if it has another length."""
    if len(value) != 1:
        return None
    exponent = value[0] & ~TSRESOL_POWER_OF_2
    ticks_per_s: int = (2 if value[0] & TSRESOL_POWER_OF_2 else 10) ** exponent
    return ticks_per_s


def parse_tsoffset(order: Layouts, value: bytes) -> int | None:
    """Seconds of an if_tsoffset option; None if it has another length."""
    if len(value) != order.tsoffset.size:
        return None
    seconds: int = order.tsoffset.unpack(value)[0]
    return seconds


def build_options(options: list[tuple[int, bytes]]) -> bytes:
    """Options in little-endian order with their end mark; nothing if there are none."""
    if not options:
        return b""
    parts = [LITTLE.option.pack(code, len(value)) + _pad(value) for code, value in options]
    return b"".join(parts) + LITTLE.option.pack(OPT_ENDOFOPT, 0)


def build_shb(options: list[tuple[int, bytes]]) -> bytes:
    """A little-endian Section Header Block of unknown section length."""
    fixed = LITTLE.shb.pack(BYTE_ORDER_MAGIC, PCAPNG_VERSION_MAJOR, 0, SECTION_LENGTH_UNKNOWN)
    return _block(BT_SHB, fixed + build_options(options))


def build_idb(linktype: int, snaplen: int, options: list[tuple[int, bytes]]) -> bytes:
    """A little-endian Interface Description Block."""
    return _block(BT_IDB, LITTLE.idb.pack(linktype, 0, snaplen) + build_options(options))


def build_epb(fields: PacketFields, data: bytes, options: list[tuple[int, bytes]]) -> bytes:
    """A little-endian Enhanced Packet Block."""
    high, low = fields.ticks >> 32, fields.ticks & 0xFFFFFFFF
    fixed = LITTLE.epb.pack(fields.interface, high, low, fields.caplen, fields.orig_len)
    return _block(BT_EPB, fixed + _pad(data) + build_options(options))


def build_nrb(names: list[tuple[bytes, list[str]]]) -> bytes:
    """A little-endian Name Resolution Block of IPv6 addresses."""
    parts = []
    for addr, texts in names:
        value = addr + b"".join(text.encode() + b"\0" for text in texts)
        parts.append(LITTLE.option.pack(NRB_RECORD_IPV6, len(value)) + _pad(value))
    return _block(BT_NRB, b"".join(parts) + LITTLE.option.pack(NRB_RECORD_END, 0))


def build_u32(value: int) -> bytes:
    """A 32-bit option value."""
    return LITTLE.length.pack(value)


def _pad(value: bytes) -> bytes:
    return value.ljust(padded(len(value)), b"\0")


def _block(btype: int, body: bytes) -> bytes:
    total = BLOCK_OVERHEAD + len(body)
    return LITTLE.block_head.pack(btype, total) + body + LITTLE.length.pack(total)


# Link headers


class LinkHeader(NamedTuple):
    """A link header of a capture; family or ethertype in proto, size in octets."""

    dst: bytes | None
    src: bytes | None
    proto: int
    pkttype: int | None
    size: int


ETHER_TYPE: Final = 12
ETHER_LEN: Final = 14
SLL_PROTOCOL: Final = 14
SLL_LEN: Final = 16
SLL2_PROTOCOL: Final = 0
SLL2_LEN: Final = 20
NULL_LEN: Final = 4
_ETHER: Final = Struct(">6s6sH")
_SLL: Final = Struct(">HHH8sH")  # packet type, ARPHRD, address length, address, protocol
_SLL2: Final = Struct(">HHIHBB8s")  # protocol, mbz, ifindex, ARPHRD, packet type, length, address
FAMILY_MAX: Final = 0xFFFF  # a larger value was written in the other byte order
_MAC_LEN: Final = 6
_GROUP_BIT: Final = 0x01


def parse_ether_link(data: bytes) -> LinkHeader | None:
    """Ethernet II."""
    if len(data) < _ETHER.size:
        return None
    dst, src, proto = _ETHER.unpack_from(data)
    return LinkHeader(dst, src, proto, None, _ETHER.size)


def parse_sll_link(data: bytes) -> LinkHeader | None:
    """Linux cooked v1."""
    if len(data) < _SLL.size:
        return None
    pkttype, _hatype, halen, addr, proto = _SLL.unpack_from(data)
    return LinkHeader(None, _sll_mac(halen, addr), proto, pkttype, _SLL.size)


def parse_sll2_link(data: bytes) -> LinkHeader | None:
    """Linux cooked v2."""
    if len(data) < _SLL2.size:
        return None
    proto, _mbz, _ifindex, _hatype, pkttype, halen, addr = _SLL2.unpack_from(data)
    return LinkHeader(None, _sll_mac(halen, addr), proto, pkttype, _SLL2.size)


def parse_null_link(data: bytes) -> LinkHeader | None:
    """BSD null and loop: an address family of four octets in the writer's byte order."""
    if len(data) < BIG.length.size:
        return None
    family = BIG.length.unpack_from(data)[0]
    if family > FAMILY_MAX:
        family = LITTLE.length.unpack_from(data)[0]
    return LinkHeader(None, None, family, None, BIG.length.size)


def ip_version(data: bytes) -> int | None:
    """The version nibble of a packet without link header; None if there is no octet."""
    return data[0] >> 4 if data else None


def is_group_mac(mac: bytes) -> bool:
    """A multicast or broadcast address."""
    return bool(mac[0] & _GROUP_BIT)


def _sll_mac(halen: int, addr: bytes) -> bytes | None:
    return addr[:_MAC_LEN] if halen == _MAC_LEN else None
