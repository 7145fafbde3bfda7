# SPDX-License-Identifier: BSD-3-Clause
"""What ``annotate`` finds in one packet, in Python: what works without numba, and the measure.

Corresponds to the checks at the head of KAME ip6_input.c, to ip6_nexthdr and to the checksums of
TCP, UDP and ICMPv6, without their effects. The walk is that of kame_py/wire/ip6ext.py.
RFC 2460, RFC 6275 s.6.3-6.4.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from kame_py.fast.batch import (
    F_AH,
    F_DSTOPT,
    F_ESP,
    F_EXTRA,
    F_FRAG,
    F_HAO,
    F_HBH,
    F_IP6,
    F_MCAST,
    F_MIP6OPT,
    F_PUNT,
    F_RTHDR,
    F_SUMMED,
    F_SUMOK,
    F_TUNNEL,
    P_ADDRESS,
    P_BINDING,
    P_CHECKSUM,
    P_EXTHDR,
    P_FRAG,
    P_HBH,
    P_ICMP6,
    P_JUMBO,
    P_LINK,
    P_MCAST,
    P_MIXED,
    P_ND,
    P_NONE,
    P_NOTIP6,
    P_OPTION,
    P_RTHDR,
    P_SHORT,
    P_TOOBIG,
    Batch,
)
from kame_py.wire import pcapfmt
from kame_py.wire.cksum import in6_cksum
from kame_py.wire.codecs import Icmp6Hdr, Ip6Dest, Ip6Hdr, Ip6Rthdr, Ip6Rthdr0, Tcphdr, Udphdr
from kame_py.wire.const import (
    ICMP6_ECHO_REPLY,
    ICMP6_ECHO_REQUEST,
    IP6OPT_BINDING_ACK,
    IP6OPT_BINDING_REQ,
    IP6OPT_BINDING_UPDATE,
    IP6OPT_HOME_ADDRESS,
    IP6OPT_TYPE_MASK,
    IP6OPT_TYPE_SKIP,
    IPPROTO_AH,
    IPPROTO_DSTOPTS,
    IPPROTO_ESP,
    IPPROTO_FRAGMENT,
    IPPROTO_HOPOPTS,
    IPPROTO_ICMPV6,
    IPPROTO_IPV6,
    IPPROTO_MH,
    IPPROTO_ROUTING,
    IPPROTO_TCP,
    IPPROTO_UDP,
    IPV6_RTHDR_TYPE_0,
    IPV6_RTHDR_TYPE_2,
    IPV6_VERSION,
    IPV6_VERSION_MASK,
    ND_REDIRECT,
    ND_ROUTER_SOLICIT,
)
from kame_py.wire.in6addr import IN6_IS_ADDR_LINKLOCAL, IN6_IS_ADDR_MULTICAST, embedded_zone
from kame_py.wire.ip6ext import ExtHdr, iter_options, walk
from kame_py.wire.malformed import Malformed
from kame_py.wire.patch import u8, u16

ADDR_LEN: Final = 16
OFFSET_MAX: Final = 0xFFFF  # what a column of offsets holds
MH_LEN: Final = 8  # RFC 6275 s.6.1: a mobility header has 8 octets at least
RTHDR2_LEN: Final = Ip6Rthdr0.SIZE + ADDR_LEN  # RFC 6275 s.6.4
_ZEROS: Final = bytes(8)  # the addresses that begin so are ::, ::1 and those with IPv4 inside
_SCOPES_WITH_ZONE: Final = (1, 2)
_BINDING: Final = frozenset({IP6OPT_BINDING_ACK, IP6OPT_BINDING_REQ, IP6OPT_BINDING_UPDATE})
_ECHO: Final = frozenset({ICMP6_ECHO_REQUEST, ICMP6_ECHO_REPLY})
_LEAST: Final = {
    IPPROTO_TCP: Tcphdr.SIZE,
    IPPROTO_UDP: Udphdr.SIZE,
    IPPROTO_ICMPV6: Icmp6Hdr.SIZE,
    IPPROTO_MH: MH_LEN,
}


@dataclass(slots=True)
class Row:
    """The columns of one packet."""

    l3: int = 0
    flags: int = 0
    nxt: int = 0
    upper: int = 0
    hao: int = 0
    rthdr: int = 0
    ipsec: int = 0
    why: int = P_NONE

    def punt(self, why: int) -> None:
        """Unusual; the first reason counts."""
        self.flags |= F_PUNT
        self.why = self.why or why


def annotate_twin(batch: Batch, linktype: int, verify: bool) -> None:
    """``annotate`` packet by packet."""
    octets = batch.arena.data
    for i in range(batch.n):
        off, caplen = int(batch.off[i]), int(batch.caplen[i])
        if 0 <= off <= len(octets) - caplen:
            row = annotate_one(bytes(octets[off : off + caplen]), linktype, verify)
        else:
            row = Row(flags=F_PUNT, why=P_LINK)
        batch.l3[i], batch.flags[i], batch.why[i] = row.l3, row.flags, row.why
        batch.nxt[i], batch.upper[i] = row.nxt, row.upper
        batch.hao[i], batch.rthdr[i], batch.ipsec[i] = row.hao, row.rthdr, row.ipsec


def annotate_one(frame: bytes, linktype: int, verify: bool) -> Row:
    """The columns of a frame."""
    row = Row()
    size = _link(frame, linktype)
    if size < 0:
        row.punt(-size)
        return row
    row.l3 = size
    data = frame[size:]
    why = _header(data)
    if why:
        row.punt(why)
        return row
    end = Ip6Hdr.SIZE + u16(data, Ip6Hdr.O_ip6_plen)
    row.flags |= F_IP6 | (F_EXTRA if len(data) > end else 0)
    _Packet(row, data[:end], verify).look()
    return row


def _link(frame: bytes, linktype: int) -> int:
    """Octets before the IPv6 header, or minus the reason why there is none."""
    if linktype == pcapfmt.LINKTYPE_ETHERNET:
        return _ethertype(frame, pcapfmt.ETHER_TYPE, pcapfmt.ETHER_LEN)
    if linktype == pcapfmt.LINKTYPE_LINUX_SLL:
        return _ethertype(frame, pcapfmt.SLL_PROTOCOL, pcapfmt.SLL_LEN)
    if linktype == pcapfmt.LINKTYPE_LINUX_SLL2:
        return _ethertype(frame, pcapfmt.SLL2_PROTOCOL, pcapfmt.SLL2_LEN)
    if linktype == pcapfmt.LINKTYPE_IPV6:
        return 0 if frame else -P_LINK
    if linktype in (pcapfmt.LINKTYPE_RAW, pcapfmt.LINKTYPE_RAW12, pcapfmt.LINKTYPE_RAW14):
        version = pcapfmt.ip_version(frame)
        return {6: 0, 4: -P_NOTIP6}.get(version or 0, -P_LINK)
    if linktype in (pcapfmt.LINKTYPE_NULL, pcapfmt.LINKTYPE_LOOP):
        head = pcapfmt.parse_null_link(frame)
        if head is None or head.proto not in (*pcapfmt.AF_INET6_ANY, pcapfmt.AF_INET):
            return -P_LINK
        return -P_NOTIP6 if head.proto == pcapfmt.AF_INET else head.size
    return -P_LINK


def _ethertype(frame: bytes, off: int, size: int) -> int:
    if len(frame) < size:
        return -P_LINK
    return size if u16(frame, off) == pcapfmt.ETHERTYPE_IPV6 else -P_NOTIP6


def _header(data: bytes) -> int:
    """Why this is not a whole packet."""
    if len(data) < Ip6Hdr.SIZE:
        return P_SHORT
    if u8(data, Ip6Hdr.O_ip6_flow) & IPV6_VERSION_MASK != IPV6_VERSION:
        return P_NOTIP6
    plen = u16(data, Ip6Hdr.O_ip6_plen)
    if not plen and u8(data, Ip6Hdr.O_ip6_nxt) == IPPROTO_HOPOPTS:
        return P_JUMBO
    return P_SHORT if Ip6Hdr.SIZE + plen > len(data) else P_NONE


def _no_host(addr: bytes) -> bool:
    """Not an address that packets between hosts have."""
    return addr.startswith(_ZEROS) or IN6_IS_ADDR_LINKLOCAL(addr) or IN6_IS_ADDR_MULTICAST(addr)


def _zoned(addr: bytes) -> bool:
    """Octets on the wire where the kernel keeps a zone."""
    if IN6_IS_ADDR_MULTICAST(addr) and addr[1] & 0x0F not in _SCOPES_WITH_ZONE:
        return False
    return _no_host(addr) and not addr.startswith(_ZEROS) and embedded_zone(addr) != 0


class _Packet:
    """A whole packet on the way through the walk."""

    def __init__(self, row: Row, data: bytes, verify: bool) -> None:
        self.row = row
        self.data = data
        self.verify = verify
        ip6 = Ip6Hdr.unpack(data)
        self.nxt = ip6.ip6_nxt
        self.src, self.dst = ip6.ip6_src, ip6.ip6_dst  # of the pseudo-header

    def look(self) -> None:
        """Addresses, headers, upper protocol."""
        row, data = self.row, self.data
        if _no_host(self.src) or (not IN6_IS_ADDR_MULTICAST(self.dst) and _no_host(self.dst)):
            row.punt(P_ADDRESS)
        if IN6_IS_ADDR_MULTICAST(self.dst):
            row.flags |= F_MCAST
            row.punt(P_MCAST)
        if len(data) > OFFSET_MAX:
            row.punt(P_TOOBIG)
            return
        walked = walk(data, self.nxt, Ip6Hdr.SIZE, len(data))
        for hdr in walked.headers:
            self._extension(hdr)
        row.nxt, row.upper = walked.nxt, walked.off
        if walked.error is not None:
            row.punt(P_EXTHDR)
        elif not row.flags & F_FRAG:
            self._upper(walked.nxt, walked.off)

    def _extension(self, hdr: ExtHdr) -> None:
        row = self.row
        if hdr.nxt_type == IPPROTO_HOPOPTS:
            row.flags |= F_HBH
            row.punt(P_HBH)
        elif hdr.nxt_type == IPPROTO_FRAGMENT:
            row.flags |= F_FRAG
            row.punt(P_FRAG)
        elif hdr.nxt_type == IPPROTO_DSTOPTS:
            row.flags |= F_DSTOPT
            self._options(hdr)
        elif hdr.nxt_type == IPPROTO_ROUTING:
            self._routing(hdr)
        elif hdr.nxt_type == IPPROTO_AH:
            row.flags |= F_AH
            row.ipsec = row.ipsec or hdr.off

    def _options(self, hdr: ExtHdr) -> None:
        row = self.row
        for opt in iter_options(self.data, hdr.off + Ip6Dest.SIZE, hdr.off + hdr.len):
            if isinstance(opt, Malformed):
                row.punt(P_OPTION)
            elif opt.type == IP6OPT_HOME_ADDRESS:
                self._home_address(opt.data_off, opt.data_len)
            elif opt.type in _BINDING:
                row.flags |= F_MIP6OPT
                row.punt(P_BINDING)
            elif opt.type & IP6OPT_TYPE_MASK != IP6OPT_TYPE_SKIP:
                row.punt(P_OPTION)

    def _home_address(self, off: int, size: int) -> None:
        row = self.row
        if size != ADDR_LEN or row.flags & F_HAO:
            row.punt(P_OPTION)
            self.verify = False
            return
        row.flags |= F_HAO
        row.hao = off
        self.src = self.data[off : off + ADDR_LEN]
        if _no_host(self.src):
            row.punt(P_ADDRESS)

    def _routing(self, hdr: ExtHdr) -> None:
        """The last address is the destination of the checksum while segments are left."""
        row, data = self.row, self.data
        if row.flags & F_HAO:
            row.punt(P_MIXED)
        if row.flags & F_RTHDR:
            row.punt(P_RTHDR)
            self.verify = False
            return
        row.flags |= F_RTHDR
        row.rthdr = hdr.off
        kind = u8(data, hdr.off + Ip6Rthdr.O_ip6r_type)
        left = u8(data, hdr.off + Ip6Rthdr.O_ip6r_segleft)
        addrs = hdr.len // ADDR_LEN  # the fixed part is half of one
        if kind == IPV6_RTHDR_TYPE_2:
            known = hdr.len == RTHDR2_LEN and left <= 1
        else:
            known = kind == IPV6_RTHDR_TYPE_0 and hdr.len % ADDR_LEN == Ip6Rthdr0.SIZE
            known = known and left <= addrs
            row.punt(P_RTHDR)
        if not known:
            row.punt(P_RTHDR)
            self.verify = self.verify and not left
        elif left:
            end = hdr.off + hdr.len
            self.dst = data[end - ADDR_LEN : end]
            if _no_host(self.dst):
                row.punt(P_ADDRESS)

    def _upper(self, nxt: int, off: int) -> None:
        row, data = self.row, self.data
        if nxt == IPPROTO_ESP:
            row.flags |= F_ESP
            row.ipsec = row.ipsec or off
        elif nxt == IPPROTO_IPV6:
            row.flags |= F_TUNNEL
        least = _LEAST.get(nxt)
        if least is None:
            return
        if len(data) - off < least:
            row.punt(P_SHORT)
            return
        if nxt == IPPROTO_ICMPV6:
            self._icmp6(u8(data, off + Icmp6Hdr.O_icmp6_type))
        elif nxt == IPPROTO_MH:
            row.punt(P_BINDING)
        elif nxt == IPPROTO_UDP and u16(data, off + Udphdr.O_uh_ulen) != len(data) - off:
            row.punt(P_SHORT)
            return
        if self.verify and not (_zoned(self.src) or _zoned(self.dst)):
            self._checksum(nxt, off)

    def _icmp6(self, kind: int) -> None:
        if ND_ROUTER_SOLICIT <= kind <= ND_REDIRECT:
            self.row.punt(P_ND)
        elif kind not in _ECHO:
            self.row.punt(P_ICMP6)

    def _checksum(self, nxt: int, off: int) -> None:
        row, data = self.row, self.data
        row.flags |= F_SUMMED
        unset = nxt == IPPROTO_UDP and not u16(data, off + Udphdr.O_uh_sum)
        if unset or in6_cksum(self.src, self.dst, nxt, data[off:]):
            row.punt(P_CHECKSUM)
        else:
            row.flags |= F_SUMOK
