# SPDX-License-Identifier: BSD-3-Clause
"""One line per packet, in the words that KAME's tcpdump uses.

KAME: tcpdump's print-ip6.c, print-ip6opts.c, print-rt6.c, print-frag6.c. Deviates: mobility
options are always decoded in full, by the dialect that is asked for. Knows wire formats only, so
that tools, labs and replays may all use it. verbose: 1 more words, 2 checksums as well. RFC 2460.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from kame_py.trace.format_icmp6 import Icmp6Line
from kame_py.wire.cksum import in6_cksum
from kame_py.wire.codecs import (
    Ah,
    Esp,
    EtherHeader,
    Ip6Dest,
    Ip6Frag,
    Ip6Hdr,
    Ip6Rthdr,
    Ip6Rthdr0,
    Tcphdr,
    Udphdr,
)
from kame_py.wire.const import (
    ETHERTYPE_IPV6,
    IP6F_MORE_FRAG,
    IP6F_OFF_MASK,
    IP6OPT_JUMBO,
    IP6OPT_PAD1,
    IP6OPT_PADN,
    IP6OPT_RTALERT,
    IPPROTO_AH,
    IPPROTO_DSTOPTS,
    IPPROTO_ESP,
    IPPROTO_FRAGMENT,
    IPPROTO_HOPOPTS,
    IPPROTO_ICMPV6,
    IPPROTO_IPV6,
    IPPROTO_NONE,
    IPPROTO_ROUTING,
    IPPROTO_TCP,
    IPPROTO_UDP,
    IPV6_RTHDR_TYPE_0,
    TH_ACK,
    TH_FIN,
    TH_PUSH,
    TH_RST,
    TH_SYN,
)
from kame_py.wire.in6addr import mac_ntoa, ntop
from kame_py.wire.ip6ext import ExtHdr, Walk, iter_options, rthdr0_addrs, walk
from kame_py.wire.malformed import Malformed
from kame_py.wire.mip6 import (
    AltCoa,
    AuthData,
    BindingAck,
    BindingUpdate,
    HomeAddress,
    MipOption,
    OptionWire,
    SubOpt,
    UniqueId,
)
from kame_py.wire.mip6_draft15 import WIRE

CKSUMS: Final = 2  # verbosity
MAX_TUNNELS: Final = 8  # packets inside packets that are followed
_IP6_VERSION: Final = 6
_SUMMED: Final = (IPPROTO_ICMPV6, IPPROTO_UDP, IPPROTO_TCP)
_BU_FLAGS: Final = (0x80, 0x40, 0x20, 0x10)  # bits of the letters in OptionWire.bu_flag_letters
_TCP_FLAGS: Final = ((TH_SYN, "S"), (TH_FIN, "F"), (TH_RST, "R"), (TH_PUSH, "P"))

Names = Callable[[bytes], str]


def frame_summary(
    frame: bytes, names: Names = ntop, verbose: int = 0, wire: OptionWire = WIRE
) -> str:
    """An Ethernet frame in one line."""
    ether = EtherHeader.parse(frame)
    if isinstance(ether, Malformed):
        return "[|ether]"
    if ether.ether_type != ETHERTYPE_IPV6:
        src, dst = mac_ntoa(ether.ether_shost), mac_ntoa(ether.ether_dhost)
        return f"{src} > {dst}: ethertype 0x{ether.ether_type:04x}"
    return summary(frame[EtherHeader.SIZE :], names, verbose, wire)


def summary(data: bytes, names: Names = ntop, verbose: int = 0, wire: OptionWire = WIRE) -> str:
    """An IPv6 packet in one line. names: how an address is written."""
    return _Line(data, names, verbose, wire).text()


class _Line:
    """The line of one packet while it is put together."""

    def __init__(self, data: bytes, names: Names, verbose: int, wire: OptionWire) -> None:
        self._data = data
        self._end = len(data)  # of the packet as its header says, which a capture may have cut
        self._names = names
        self._verbose = verbose
        self._wire = wire
        self._parts: list[str] = []

    def text(self) -> str:
        off = 0
        for _ in range(MAX_TUNNELS):
            inner = self._packet(off)
            if inner is None:
                break
            off = inner
        return "".join(self._parts)

    def _packet(self, off: int) -> int | None:
        """One IPv6 header and what follows; the offset of a packet inside, if there is one."""
        ip6 = Ip6Hdr.parse(self._data, off)
        if isinstance(ip6, Malformed):
            self._parts.append("[|ip6]")
            return None
        if ip6.ip6_flow >> 28 != _IP6_VERSION:
            self._parts.append(f"version error: {ip6.ip6_flow >> 28} != 6")
            return None
        start = off + Ip6Hdr.SIZE
        self._end = start + ip6.ip6_plen if ip6.ip6_plen else len(self._data)
        end = min(self._end, len(self._data))
        chain = walk(self._data, ip6.ip6_nxt, start, end)
        ports = self._ports(chain.nxt, chain.off, end) if not chain.fragment else None
        src, dst = self._names(ip6.ip6_src), self._names(ip6.ip6_dst)
        if ports is not None:
            src, dst = f"{src}.{ports[0]}", f"{dst}.{ports[1]}"
        self._parts.append(f"{src} > {dst}: ")
        for hdr in chain.headers:
            self._parts.append(_EXTHDRS[hdr.nxt_type](self, hdr))
        if chain.error is not None:
            self._parts.append(f"[|{chain.error.reason}]")
        elif chain.fragment:
            pass  # the middle of a datagram has no header to name
        elif chain.nxt == IPPROTO_IPV6:
            return chain.off
        else:
            self._parts.append(self._upper(chain.nxt, chain.off, end))
            if self._verbose >= CKSUMS:
                self._parts.append(self._cksum(ip6, chain))
        self._parts.append(self._tail(ip6))
        return None

    def _tail(self, ip6: Ip6Hdr) -> str:
        if self._verbose:
            return f" (len {ip6.ip6_plen}, hlim {ip6.ip6_hlim})"
        return f" [hlim {ip6.ip6_hlim}]" if ip6.ip6_hlim <= 1 else ""

    # -- upper layers -------------------------------------------------------------------------

    def _ports(self, nxt: int, off: int, end: int) -> tuple[int, int] | None:
        if nxt == IPPROTO_UDP:
            udp = Udphdr.parse(self._data[:end], off)
            return None if isinstance(udp, Malformed) else (udp.uh_sport, udp.uh_dport)
        if nxt == IPPROTO_TCP:
            tcp = Tcphdr.parse(self._data[:end], off)
            return None if isinstance(tcp, Malformed) else (tcp.th_sport, tcp.th_dport)
        return None

    def _upper(self, nxt: int, off: int, end: int) -> str:
        data = self._data[:end]
        if nxt == IPPROTO_ICMPV6:
            return Icmp6Line(data, off, self._names, bool(self._verbose)).text()
        if nxt == IPPROTO_UDP:
            udp = Udphdr.parse(data, off)
            return "[|udp]" if isinstance(udp, Malformed) else f"udp {udp.uh_ulen - Udphdr.SIZE}"
        if nxt == IPPROTO_TCP:
            tcp = Tcphdr.parse(data, off)
            return "[|tcp]" if isinstance(tcp, Malformed) else _tcp(tcp, self._end - off)
        if nxt == IPPROTO_ESP:
            esp = Esp.parse(data, off)
            if isinstance(esp, Malformed):
                return "[|esp]"
            return f"ESP(spi={esp.esp_spi},seq=0x{esp.esp_seq:x})"
        if nxt == IPPROTO_NONE:
            return "no next header"
        return f"ip-proto-{nxt} {self._end - off}"

    def _cksum(self, ip6: Ip6Hdr, chain: Walk) -> str:
        """Whether the upper layer's checksum is right; "" where that cannot be said."""
        whole = self._end <= len(self._data)
        fragment = any(hdr.nxt_type == IPPROTO_FRAGMENT for hdr in chain.headers)
        if not whole or fragment or chain.nxt not in _SUMMED:
            return ""
        src, dst = ip6.ip6_src, ip6.ip6_dst
        for hdr in chain.headers:
            if hdr.nxt_type == IPPROTO_DSTOPTS:
                src = self._home(hdr) or src
            elif hdr.nxt_type == IPPROTO_ROUTING:
                dst = self._last_hop(hdr) or dst
        right = not in6_cksum(src, dst, chain.nxt, self._data[chain.off : self._end])
        return " [cksum ok]" if right else " [bad cksum!]"

    def _home(self, hdr: ExtHdr) -> bytes | None:
        """The home address, which is the source for checksums."""
        for opt in iter_options(self._data, hdr.off + Ip6Dest.SIZE, hdr.off + hdr.len):
            if not isinstance(opt, Malformed):
                value = self._wire.parse_option(self._data, opt)
                if isinstance(value, HomeAddress):
                    return value.addr
        return None

    def _last_hop(self, hdr: ExtHdr) -> bytes | None:
        """Where a routing header leads to in the end."""
        head = Ip6Rthdr.unpack(self._data, hdr.off)
        if head.ip6r_type != IPV6_RTHDR_TYPE_0 or not head.ip6r_segleft:
            return None
        addrs = rthdr0_addrs(self._data, hdr)
        return None if isinstance(addrs, Malformed) or not addrs else addrs[-1]

    # -- extension headers --------------------------------------------------------------------

    def options(self, hdr: ExtHdr) -> str:
        name = "HBH" if hdr.nxt_type == IPPROTO_HOPOPTS else "DSTOPT"
        parts: list[str] = []
        for opt in iter_options(self._data, hdr.off + Ip6Dest.SIZE, hdr.off + hdr.len):
            if isinstance(opt, Malformed):
                return f"[|{name}] "
            if opt.type in (IP6OPT_PAD1, IP6OPT_PADN):
                continue
            value = self._wire.parse_option(self._data, opt)
            if isinstance(value, Malformed):
                return f"[|{name}] "
            if value is not None:
                parts.append(self._mobility(value))
            elif opt.type == IP6OPT_RTALERT:
                parts.append("(rtalert)")
            elif opt.type == IP6OPT_JUMBO:
                parts.append("(jumbo)")
            else:
                parts.append(f"(type 0x{opt.type:02x}: len={opt.data_len})")
        return f"{name} {''.join(parts)} " if parts else f"{name} "

    def _mobility(self, value: MipOption) -> str:
        subopts = "".join(f" subopt {t}" for s in value.subopts if (t := self._subopt(s)))
        if isinstance(value, HomeAddress):
            return f"(HomeAddr {self._names(value.addr)}{subopts})"
        if isinstance(value, BindingUpdate):
            letters = zip(_BU_FLAGS, self._wire.bu_flag_letters, strict=True)
            flags = "".join(letter for bit, letter in letters if value.flags & bit)
            plen = f" plen={value.prefixlen}" if self._wire.bu_prefixlen else ""
            return (
                f"(BindUpd flg={flags}/{value.flags:x}{plen} seq={value.seqno}"
                f" life={value.lifetime_s}{subopts})"
            )
        if isinstance(value, BindingAck):
            return (
                f"(BindAck status={value.status} seq={value.seqno} life={value.lifetime_s}"
                f" refresh={value.refresh_s}{subopts})"
            )
        return f"(BindReq{subopts})"

    def _subopt(self, value: SubOpt) -> str:
        if isinstance(value, AltCoa):
            return f"(AltCOA: {self._names(value.coa)})"
        if isinstance(value, UniqueId):
            return f"(UniqueId: {value.id})"
        if isinstance(value, AuthData):
            return f"(AuthData: spi={value.spi})"
        return ""

    def routing(self, hdr: ExtHdr) -> str:
        head = Ip6Rthdr.unpack(self._data, hdr.off)
        text = f"srcrt (len={head.ip6r_len}, type={head.ip6r_type}, segleft={head.ip6r_segleft}"
        if head.ip6r_type == IPV6_RTHDR_TYPE_0:
            addrs = rthdr0_addrs(self._data, hdr)
            if isinstance(addrs, Malformed):
                return "[|srcrt] "
            if self._verbose:
                text += f", rsv=0x{Ip6Rthdr0.unpack(self._data, hdr.off).ip6r0_reserved:x}"
            text += "".join(f", [{i}]{self._names(a)}" for i, a in enumerate(addrs))
        return text + ") "

    def fragment(self, hdr: ExtHdr) -> str:
        frag = Ip6Frag.unpack(self._data, hdr.off)
        size = self._end - hdr.off - hdr.len
        more = "+" if frag.ip6f_offlg & IP6F_MORE_FRAG else ""
        ident = f"0x{frag.ip6f_ident:08x}:" if self._verbose else ""
        return f"frag ({ident}{frag.ip6f_offlg & IP6F_OFF_MASK}|{size}{more}) "

    def ah(self, hdr: ExtHdr) -> str:
        ah = Ah.parse(self._data, hdr.off)
        if isinstance(ah, Malformed) or hdr.len < Ah.SIZE:
            return "[|AH] "
        sumlen = f"sumlen={hdr.len - Ah.SIZE}," if self._verbose else ""
        return f"AH(spi={ah.ah_spi},{sumlen}seq=0x{ah.ah_seq:x}): "


_EXTHDRS: Final[dict[int, Callable[[_Line, ExtHdr], str]]] = {
    IPPROTO_HOPOPTS: _Line.options,
    IPPROTO_DSTOPTS: _Line.options,
    IPPROTO_ROUTING: _Line.routing,
    IPPROTO_FRAGMENT: _Line.fragment,
    IPPROTO_AH: _Line.ah,
}


def _tcp(tcp: Tcphdr, size: int) -> str:
    flags = "".join(letter for bit, letter in _TCP_FLAGS if tcp.th_flags & bit) or "."
    length = max(size - ((tcp.th_off_x2 >> 4) << 2), 0)
    seq = f" {tcp.th_seq}:{tcp.th_seq + length}({length})" if length or flags != "." else ""
    ack = f" ack {tcp.th_ack}" if tcp.th_flags & TH_ACK else ""
    return f"{flags}{seq}{ack} win {tcp.th_win}"
