# SPDX-License-Identifier: BSD-3-Clause
"""Take the link header off a captured packet.

KAME file: none; what a bpf reader does per DLT. Deviates: nothing is verified beyond the header.
Read first: the LINKTYPE registry of tcpdump.org.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Final, NamedTuple

from kame_py.wire import pcapfmt
from kame_py.wire.pcapfmt import ETHERTYPE_IP, ETHERTYPE_IPV6, LinkHeader

# Packet types of Linux cooked captures
PACKET_HOST: Final = 0
PACKET_BROADCAST: Final = 1
PACKET_MULTICAST: Final = 2
PACKET_OTHERHOST: Final = 3
PACKET_OUTGOING: Final = 4

_BROADCAST: Final = b"\xff" * 6
_ETHERTYPE_BY_VERSION: Final = {4: ETHERTYPE_IP, 6: ETHERTYPE_IPV6}


class LinkReason(StrEnum):
    """Why a captured packet has no frame."""

    LINKTYPE = "LINKTYPE"  # a link type that is not known here
    SHORT = "SHORT"  # the link header is cut
    VERSION = "VERSION"  # without link header and neither IPv4 nor IPv6
    FAMILY = "FAMILY"  # an address family other than IPv4 and IPv6


class Frame(NamedTuple):
    """A captured packet without its link header; an address is None where the link has none."""

    dst_mac: bytes | None
    src_mac: bytes | None
    ethertype: int
    payload: bytes
    pkttype: int


def link_strip(linktype: int, data: bytes) -> Frame | LinkReason:
    """Frame of a record, or why there is none."""
    strip = _STRIP.get(linktype)
    if strip is None:
        return LinkReason.LINKTYPE
    return strip(data)


def _ethernet(data: bytes) -> Frame | LinkReason:
    head = pcapfmt.parse_ether_link(data)
    if head is None or head.dst is None:
        return LinkReason.SHORT
    return _frame(head, data, head.proto, _ether_pkttype(head.dst))


def _ether_pkttype(dst: bytes) -> int:
    if dst == _BROADCAST:
        return PACKET_BROADCAST
    if pcapfmt.is_group_mac(dst):
        return PACKET_MULTICAST
    return PACKET_HOST


def _cooked(parse: Callable[[bytes], LinkHeader | None]) -> Callable[[bytes], Frame | LinkReason]:
    def strip(data: bytes) -> Frame | LinkReason:
        head = parse(data)
        if head is None or head.pkttype is None:
            return LinkReason.SHORT
        return _frame(head, data, head.proto, head.pkttype)

    return strip


def _null(data: bytes) -> Frame | LinkReason:
    head = pcapfmt.parse_null_link(data)
    if head is None:
        return LinkReason.SHORT
    if head.proto in pcapfmt.AF_INET6_ANY:
        return _frame(head, data, ETHERTYPE_IPV6, PACKET_HOST)
    if head.proto == pcapfmt.AF_INET:
        return _frame(head, data, ETHERTYPE_IP, PACKET_HOST)
    return LinkReason.FAMILY


def _raw(data: bytes) -> Frame | LinkReason:
    version = pcapfmt.ip_version(data)
    if version is None:
        return LinkReason.SHORT
    ethertype = _ETHERTYPE_BY_VERSION.get(version)
    if ethertype is None:
        return LinkReason.VERSION
    return Frame(None, None, ethertype, data, PACKET_HOST)


def _raw6(data: bytes) -> Frame | LinkReason:
    """LINKTYPE_IPV6 says IPv6; a wrong version nibble is the kernel's to count."""
    return Frame(None, None, ETHERTYPE_IPV6, data, PACKET_HOST) if data else LinkReason.SHORT


def _frame(head: LinkHeader, data: bytes, ethertype: int, pkttype: int) -> Frame:
    return Frame(head.dst, head.src, ethertype, data[head.size :], pkttype)


_STRIP: Final[dict[int, Callable[[bytes], Frame | LinkReason]]] = {
    pcapfmt.LINKTYPE_NULL: _null,
    pcapfmt.LINKTYPE_LOOP: _null,
    pcapfmt.LINKTYPE_ETHERNET: _ethernet,
    pcapfmt.LINKTYPE_RAW12: _raw,
    pcapfmt.LINKTYPE_RAW14: _raw,
    pcapfmt.LINKTYPE_RAW: _raw,
    pcapfmt.LINKTYPE_IPV6: _raw6,
    pcapfmt.LINKTYPE_LINUX_SLL: _cooked(pcapfmt.parse_sll_link),
    pcapfmt.LINKTYPE_LINUX_SLL2: _cooked(pcapfmt.parse_sll2_link),
}
