# SPDX-License-Identifier: BSD-3-Clause
"""What a capture tells about one of its hosts, and which MAC address it does not hold.

No KAME counterpart. Both look through the whole capture before the replay begins.
Read first: RFC 4861 s.4.
"""

from __future__ import annotations

from io import SEEK_END
from typing import TYPE_CHECKING, BinaryIO, Final, NamedTuple

from kame_py.replay.capture import open_octets
from kame_py.replay.linktype import Frame, link_strip
from kame_py.wire.codecs import (
    Icmp6Hdr,
    Ip6Hdr,
    NdNeighborAdvert,
    NdNeighborSolicit,
    NdRouterAdvert,
)
from kame_py.wire.const import (
    ETHERTYPE_IPV6,
    IPPROTO_ICMPV6,
    ND_NEIGHBOR_ADVERT,
    ND_NEIGHBOR_SOLICIT,
    ND_ROUTER_ADVERT,
)
from kame_py.wire.in6addr import IN6_IS_ADDR_LINKLOCAL, prefix_equal
from kame_py.wire.malformed import Malformed
from kame_py.wire.nd6opt import NdOptions, parse_nd_options
from kame_py.wire.pcapfmt import is_group_mac

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kame_py.replay.capture import Record

DEFAULT_PLEN: Final = 64
_CHUNK: Final = 1 << 20
_LARGE: Final = 1 << 22  # octets
_MAC_PREFIX: Final = b"\x02kame"  # locally administered
_MAC_LAST: Final = range(1, 256)

# How much a sighting is worth, best first.
_ND, _SOURCE, _DAD, _DESTINATION, _NAMED = range(5)


class Host(NamedTuple):
    """mac None: the capture does not tell it. plen: of the on-link prefix it is in.

    shared: MAC addresses tell hosts of this capture from each other no more: the one that the host
    seems to have sends to it as well, or sends everything. mac is then where packets to the host
    are sent first, and aliases has all such addresses.
    """

    mac: bytes | None
    plen: int
    shared: bool = False
    aliases: frozenset[bytes] = frozenset()


def find_host(records: Iterable[Record], addr: bytes) -> Host | None:
    """The MAC address and prefix length of the host that has ``addr``; None: never seen.

    Its neighbour discovery counts most, then the source of its packets, then who asks whether the
    address is free, then where packets to it are sent. The first sighting of a kind counts.
    """
    seen = _Sightings(addr)
    for record in records:
        frame = link_strip(record.linktype, record.data)
        if isinstance(frame, Frame) and frame.ethertype == ETHERTYPE_IPV6:
            seen.look(frame)
    return seen.host()


class _Sightings:
    def __init__(self, addr: bytes) -> None:
        self.addr = addr
        self.plen = DEFAULT_PLEN
        self.macs: dict[int, bytes | None] = {}
        self._plen_known = False
        self._senders: set[bytes | None] = set()
        self._senders_to: set[bytes | None] = set()  # of packets to the host
        self._sent_to_macs: dict[bytes, None] = {}  # in the order of the capture
        self._others = False  # packets of hosts elsewhere

    def host(self) -> Host | None:
        """What the whole capture tells."""
        if not self.macs:
            return None
        mac = self.macs[min(self.macs)]
        alone = self._others and len(self._senders) == 1
        if mac is None or mac not in (self._senders if alone else self._senders_to):
            return Host(mac, self.plen)
        first = next(iter(self._sent_to_macs), None)
        return Host(first, self.plen, True, frozenset(self._sent_to_macs))

    def look(self, frame: Frame) -> None:
        ip6 = Ip6Hdr.parse(frame.payload)
        if isinstance(ip6, Malformed):
            return
        self._senders.add(frame.src_mac)
        if ip6.ip6_src == self.addr:
            self._saw(_SOURCE, frame.src_mac)
        elif any(ip6.ip6_src) and not IN6_IS_ADDR_LINKLOCAL(ip6.ip6_src):
            self._others = True
        if ip6.ip6_dst == self.addr:
            self._senders_to.add(frame.src_mac)
            self._sent_to(frame.dst_mac)
        if ip6.ip6_nxt == IPPROTO_ICMPV6:
            self._icmp6(ip6, frame)

    def _saw(self, kind: int, mac: bytes | None) -> None:
        self.macs.setdefault(kind, mac)

    def _sent_to(self, mac: bytes | None) -> None:
        if mac is None or is_group_mac(mac):
            self._saw(_NAMED, None)
        else:
            self._saw(_DESTINATION, mac)
            self._sent_to_macs.setdefault(mac)

    def _icmp6(self, ip6: Ip6Hdr, frame: Frame) -> None:
        icmp6 = Icmp6Hdr.parse(frame.payload, Ip6Hdr.SIZE)
        if isinstance(icmp6, Malformed):
            return
        if icmp6.icmp6_type == ND_NEIGHBOR_SOLICIT:
            self._solicit(ip6, frame)
        elif icmp6.icmp6_type == ND_NEIGHBOR_ADVERT:
            self._advert(frame)
        elif icmp6.icmp6_type == ND_ROUTER_ADVERT and not self._plen_known:
            self._prefixes(frame)

    def _solicit(self, ip6: Ip6Hdr, frame: Frame) -> None:
        ns = NdNeighborSolicit.parse(frame.payload, Ip6Hdr.SIZE)
        if isinstance(ns, Malformed):
            return
        if ip6.ip6_src == self.addr:
            opts = _options(frame, NdNeighborSolicit.SIZE)
            if opts is not None and opts.src_lladdr:
                self._saw(_ND, opts.src_lladdr)
        elif not any(ip6.ip6_src) and ns.nd_ns_target == self.addr:
            self._saw(_DAD, frame.src_mac)

    def _advert(self, frame: Frame) -> None:
        na = NdNeighborAdvert.parse(frame.payload, Ip6Hdr.SIZE)
        if isinstance(na, Malformed) or na.nd_na_target != self.addr:
            return
        opts = _options(frame, NdNeighborAdvert.SIZE)
        if opts is not None:
            self._saw(_ND, opts.tgt_lladdr or frame.src_mac)

    def _prefixes(self, frame: Frame) -> None:
        opts = _options(frame, NdRouterAdvert.SIZE)
        for pi in opts.prefixes if opts is not None else ():
            plen = pi.nd_opt_pi_prefix_len
            if 0 < plen <= 128 and prefix_equal(pi.nd_opt_pi_prefix, self.addr, plen):
                self.plen = plen
                self._plen_known = True
                return


def _options(frame: Frame, head: int) -> NdOptions | None:
    found = parse_nd_options(frame.payload, Ip6Hdr.SIZE + head, len(frame.payload))
    return None if isinstance(found, Malformed) else found


def absent_mac(capture: BinaryIO, quick: bool = False) -> bytes:
    """The same MAC address for every capture, unless its octets are in this one: then the next.

    Leaves the capture at its beginning. One that cannot be read twice is not looked through.
    quick: with kernels.
    """
    candidates = [_MAC_PREFIX + bytes((last,)) for last in _MAC_LAST]
    if not capture.seekable() or (quick and not _holds(capture, _MAC_PREFIX)):
        return candidates[0]
    present: set[bytes] = set()
    source, tail = open_octets(capture, len(_MAC_PREFIX))
    while chunk := source.take(_CHUNK):
        text = tail + chunk
        if _MAC_PREFIX in text:
            present.update(mac for mac in candidates if mac in text)
        tail = text[-len(_MAC_PREFIX) :]
    capture.seek(0)
    return next((mac for mac in candidates if mac not in present), candidates[0])


def _holds(capture: BinaryIO, text: bytes) -> bool:
    from kame_py.replay.quick import holds

    found = holds(capture, text)
    capture.seek(0)
    return found


def is_large(capture: BinaryIO) -> bool:
    """It takes longer to look through it than to load the kernels for that."""
    if not capture.seekable():
        return False
    large = capture.seek(0, SEEK_END) >= _LARGE
    capture.seek(0)
    return large
