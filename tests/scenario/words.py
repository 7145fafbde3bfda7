# SPDX-License-Identifier: BSD-3-Clause
"""The words of the scenarios: packets a tester sends, and what it expects to hear.

Addresses are text, options are bytes. ``spoil`` makes an invalid packet of a valid one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from kame_py.wire.cksum import in6_cksum
from kame_py.wire.codec_base import Header
from kame_py.wire.codecs import (
    EtherHeader,
    Icmp6Echo,
    Icmp6Hdr,
    Ip6Frag,
    Ip6Hdr,
    MldHdr,
    NdNeighborAdvert,
    NdNeighborSolicit,
    NdOptRdHdr,
    NdRedirect,
    NdRouterAdvert,
    NdRouterSolicit,
    Udphdr,
)
from kame_py.wire.const import (
    IPPROTO_FRAGMENT,
    IPPROTO_ICMPV6,
    IPPROTO_UDP,
)
from kame_py.wire.in6addr import mac_ntoa_padded, ntop, pton, solicited_node
from kame_py.wire.ip6ext import walk
from kame_py.wire.malformed import Malformed
from kame_py.wire.nd6opt import build_lladdr_opt, build_prefix_opt, parse_nd_options
from kame_py.wire.patch import put_u8, put_u16

ICMP6_NAMES: Final = {
    1: "unreachable",
    2: "toobig",
    3: "timeexceeded",
    4: "paramproblem",
    128: "echo",
    129: "echoreply",
    130: "query",
    131: "report",
    132: "done",
    133: "rs",
    134: "ra",
    135: "ns",
    136: "na",
    137: "redirect",
}
NA_BITS: Final = {"R": 0x80000000, "S": 0x40000000, "O": 0x20000000}
BASE: Final = Ip6Hdr.SIZE


def addr(text: str) -> bytes:
    """An address that the scenario knows to be one."""
    got = pton(text)
    assert got is not None, text
    return got


def group_of(text: str) -> str:
    """The solicited-node group of an address."""
    return ntop(solicited_node(addr(text)))


# -- packets to send ------------------------------------------------------------------------------


def ip6(
    src: str,
    dst: str,
    payload: bytes = b"",
    nxt: int = 59,
    hlim: int = 64,
    plen: int | None = None,
    flow: int = 0,
) -> bytes:
    """An IPv6 packet; ``flow`` is traffic class and flow label, ``plen`` None the true length."""
    head = Ip6Hdr(
        ip6_flow=6 << 28 | flow,
        ip6_plen=len(payload) if plen is None else plen,
        ip6_nxt=nxt,
        ip6_hlim=hlim,
        ip6_src=addr(src),
        ip6_dst=addr(dst),
    )
    return head.pack() + payload


def summed(src: str, dst: str, message: bytes) -> bytes:
    """An ICMPv6 message with its checksum."""
    off = Icmp6Hdr.O_icmp6_cksum
    message = put_u16(message, off, 0)
    return put_u16(message, off, in6_cksum(addr(src), addr(dst), IPPROTO_ICMPV6, message))


def icmp6(src: str, dst: str, message: bytes, hlim: int = 255) -> bytes:
    """A packet with one ICMPv6 message."""
    return ip6(src, dst, summed(src, dst, message), IPPROTO_ICMPV6, hlim)


def sll(mac: bytes) -> bytes:
    return build_lladdr_opt(1, mac)


def tll(mac: bytes) -> bytes:
    return build_lladdr_opt(2, mac)


def pi(
    prefix: str, valid: int = 2592000, preferred: int = 604800, flags: str = "LA", plen: int = 64
) -> bytes:
    """A prefix information option; flags of L, A."""
    bits = sum({"L": 0x80, "A": 0x40, "R": 0x20}[f] for f in flags)
    return build_prefix_opt(addr(prefix), plen, bits, valid, preferred)


def redirected(packet: bytes) -> bytes:
    """A redirected header option with all of ``packet``, however long."""
    data = packet + bytes(-len(packet) % 8)
    head = NdOptRdHdr(nd_opt_rh_type=4, nd_opt_rh_len=(NdOptRdHdr.SIZE + len(data)) >> 3)
    return head.pack() + data


ZERO_OPTION: Final = bytes((1, 0)) + bytes(6)  # an option of length zero
UNKNOWN_OPTION: Final = bytes((255, 1)) + bytes(6)


def ns(target: str, src: str, *options: bytes, dst: str = "", reserved: int = 0) -> bytes:
    """A neighbour solicitation, by default to the solicited-node group."""
    head = NdNeighborSolicit(nd_ns_target=addr(target), nd_ns_reserved=reserved)
    return icmp6(src, dst or group_of(target), head.pack() + b"".join(options))


def na(target: str, flags: str, src: str, dst: str, *options: bytes, reserved: int = 0) -> bytes:
    """A neighbour advertisement; flags of R, S, O."""
    bits = sum(NA_BITS[f] for f in flags) | reserved
    head = NdNeighborAdvert(nd_na_flags_reserved=bits, nd_na_target=addr(target))
    return icmp6(src, dst, head.pack() + b"".join(options))


def rs(src: str, *options: bytes, dst: str = "ff02::2") -> bytes:
    return icmp6(src, dst, NdRouterSolicit().pack() + b"".join(options))


def ra(
    src: str,
    *options: bytes,
    dst: str = "ff02::1",
    lifetime: int = 1800,
    reachable: int = 0,
    retrans: int = 0,
    hops: int = 0,
    flags: int = 0,
) -> bytes:
    """A router advertisement; lifetime in s, times in ms."""
    head = NdRouterAdvert(
        nd_ra_curhoplimit=hops,
        nd_ra_flags_reserved=flags,
        nd_ra_router_lifetime=lifetime,
        nd_ra_reachable=reachable,
        nd_ra_retransmit=retrans,
    )
    return icmp6(src, dst, head.pack() + b"".join(options))


def redirect(
    src: str, dst: str, about: str, target: str, *options: bytes, reserved: int = 0
) -> bytes:
    """A redirect from ``src`` to the host ``dst``: ``about`` is better reached by ``target``."""
    head = NdRedirect(nd_rd_target=addr(target), nd_rd_dst=addr(about), nd_rd_reserved=reserved)
    return icmp6(src, dst, head.pack() + b"".join(options))


def echo(src: str, dst: str, data: bytes = b"ping", hlim: int = 64, reply: bool = False) -> bytes:
    head = Icmp6Echo(icmp6_type=129 if reply else 128, icmp6_id=7, icmp6_seq=1)
    return icmp6(src, dst, head.pack() + data, hlim)


def error(src: str, dst: str, kind: int, code: int, quoted: bytes, param: int = 0) -> bytes:
    """An ICMPv6 error about ``quoted``, which it cuts to fit 1280 octets."""
    head = Icmp6Hdr(icmp6_type=kind, icmp6_code=code, icmp6_data32=param)
    return icmp6(src, dst, head.pack() + quoted[:1232], hlim=64)


def mld(kind: int, src: str, dst: str, group: str, maxdelay_ms: int = 0) -> bytes:
    """An MLD message with the router alert in front of it."""
    head = MldHdr(mld_type=kind, mld_maxdelay=maxdelay_ms, mld_addr=addr(group))
    alert = bytes((IPPROTO_ICMPV6, 0, 5, 2, 0, 0, 1, 0))  # router alert value 0, PadN
    return ip6(src, dst, alert + summed(src, dst, head.pack()), 0, 1)


def udp(src: str, dst: str, data: bytes = b"data", dport: int = 9, hlim: int = 64) -> bytes:
    size = Udphdr.SIZE + len(data)
    body = Udphdr(uh_sport=4000, uh_dport=dport, uh_ulen=size).pack() + data
    cksum = in6_cksum(addr(src), addr(dst), IPPROTO_UDP, body)
    return ip6(src, dst, put_u16(body, Udphdr.O_uh_sum, cksum), IPPROTO_UDP, hlim)


def ext(nxt: int, *options: bytes) -> bytes:
    """A hop-by-hop or destination options header with exactly these options."""
    body = b"".join(options)
    size = 2 + len(body)
    assert size % 8 == 0, size
    return bytes((nxt, (size >> 3) - 1)) + body


def with_header(packet: bytes, kind: int, header: bytes) -> bytes:
    """``packet`` with an extension header (its next header is set) behind the IPv6 header."""
    head = Ip6Hdr.unpack(packet)
    body = put_u8(header, 0, head.ip6_nxt) + packet[BASE:]
    head.ip6_nxt = kind
    head.ip6_plen = len(body)
    return head.pack() + body


def fragments(packet: bytes, *ends: int, ident: int = 1) -> list[bytes]:
    """``packet`` cut after these octets of its payload."""
    body = packet[BASE:]
    starts = (0, *ends)
    return [
        fragment(packet, a, b, ident, more=b < len(body))
        for a, b in zip(starts, (*ends, len(body)), strict=True)
    ]


def fragment(packet: bytes, start: int, end: int, ident: int = 1, more: bool = True) -> bytes:
    """Octets start to end of the payload of ``packet`` as one fragment."""
    head = Ip6Hdr.unpack(packet)
    frag = Ip6Frag(ip6f_nxt=head.ip6_nxt, ip6f_offlg=start | more, ip6f_ident=ident)
    body = frag.pack() + packet[BASE:][start:end]
    head.ip6_nxt, head.ip6_plen = IPPROTO_FRAGMENT, len(body)
    return head.pack() + body


def atomic(packet: bytes) -> bytes:
    """The packet as its own only fragment (RFC 6946)."""
    return fragment(packet, 0, len(packet) - BASE, more=False)


def spoil(packet: bytes, what: str) -> bytes:
    """An ICMPv6 packet with one fault: hlim, cksum, code, short, option0, mcast-target."""
    head = Ip6Hdr.unpack(packet)
    message = packet[BASE:]
    if what == "hlim":
        head.ip6_hlim = 254
    elif what == "code":
        message = put_u8(message, Icmp6Hdr.O_icmp6_code, 1)
    elif what == "short":
        fixed: dict[int, type[Header]] = {
            133: NdRouterSolicit,
            134: NdRouterAdvert,
            135: NdNeighborSolicit,
        }
        fixed |= {136: NdNeighborAdvert, 137: NdRedirect}
        message = message[: fixed[message[0]].SIZE - 1]
    elif what == "option0":
        message += ZERO_OPTION
    elif what == "mcast-target":
        off = NdNeighborSolicit.O_nd_ns_target
        message = message[:off] + addr("ff02::1:ff00:1") + message[off + 16 :]
    else:
        assert what == "cksum", what
    head.ip6_plen = len(message)
    message = summed(ntop(head.ip6_src), ntop(head.ip6_dst), message)
    if what == "cksum":
        off = Icmp6Hdr.O_icmp6_cksum
        message = put_u16(message, off, Icmp6Hdr.unpack(message).icmp6_cksum ^ 0xFFFF)
    return head.pack() + message


# -- what was heard -------------------------------------------------------------------------------


@dataclass(frozen=True)
class Heard:
    """One frame the tester saw, and when."""

    t_ns: int
    frame: bytes

    @property
    def packet(self) -> bytes:
        return self.frame[EtherHeader.SIZE :]

    @property
    def dmac(self) -> bytes:
        return EtherHeader.unpack(self.frame).ether_dhost

    @property
    def ip6(self) -> Ip6Hdr:
        return Ip6Hdr.unpack(self.packet)

    def facts(self) -> dict[str, object]:
        """What the vocabulary can ask for."""
        head = self.ip6
        chain = walk(self.packet, head.ip6_nxt, BASE, len(self.packet))
        out: dict[str, object] = {
            "dmac": self.dmac,
            "smac": EtherHeader.unpack(self.frame).ether_shost,
            "src": ntop(head.ip6_src),
            "dst": ntop(head.ip6_dst),
            "hlim": head.ip6_hlim,
            "size": len(self.packet),
            "nxt": head.ip6_nxt,
            "flow": head.ip6_flow & 0xFFFFFFF,
        }
        if chain.fragment:
            out["frag"] = True
        elif chain.nxt == IPPROTO_ICMPV6:
            out |= _icmp6_facts(self.packet[chain.off :])
            message = self.packet[chain.off :]
            sum_ok = not in6_cksum(head.ip6_src, head.ip6_dst, IPPROTO_ICMPV6, message)
            out["cksum"] = "good" if sum_ok else "bad"
        elif chain.nxt == IPPROTO_UDP:
            out["udp"] = Udphdr.unpack(self.packet, chain.off).uh_dport
        return out

    def __repr__(self) -> str:
        facts = self.facts()
        macs = {
            k: mac_ntoa_padded(v)
            for k, v in facts.items()
            if isinstance(v, bytes) and k[1:] == "mac"
        }
        return f"<{self.t_ns / 1e9:.3f}s {facts | macs}>"


def _icmp6_facts(message: bytes) -> dict[str, object]:
    head = Icmp6Hdr.unpack(message)
    kind = head.icmp6_type
    out: dict[str, object] = {
        "icmp6": ICMP6_NAMES.get(kind, str(kind)),
        "code": head.icmp6_code,
        "param": head.icmp6_data32,
    }
    fixed = 0
    if kind < 128:
        out["quoted"] = message[Icmp6Hdr.SIZE :]
    elif kind in (128, 129):
        out["data"] = message[Icmp6Echo.SIZE :]
    elif kind in (130, 131, 132):
        out["group"] = ntop(MldHdr.unpack(message).mld_addr)
    elif kind == 133:
        fixed = NdRouterSolicit.SIZE
    elif kind == 134:
        fixed = NdRouterAdvert.SIZE
    elif kind == 135:
        out["target"] = ntop(NdNeighborSolicit.unpack(message).nd_ns_target)
        fixed = NdNeighborSolicit.SIZE
    elif kind == 136:
        advert = NdNeighborAdvert.unpack(message)
        bits = advert.nd_na_flags_reserved
        out["target"] = ntop(advert.nd_na_target)
        out["flags"] = "".join(name for name, bit in NA_BITS.items() if bits & bit)
        fixed = NdNeighborAdvert.SIZE
    elif kind == 137:
        rd = NdRedirect.unpack(message)
        out["target"], out["about"] = ntop(rd.nd_rd_target), ntop(rd.nd_rd_dst)
        fixed = NdRedirect.SIZE
    if fixed:
        opts = parse_nd_options(message, fixed, len(message))
        assert not isinstance(opts, Malformed)
        out["sll"], out["tll"] = opts.src_lladdr, opts.tgt_lladdr
        out["redirected"] = opts.redirected
    return out


@dataclass(frozen=True)
class Want:
    """A description that a frame fits or not."""

    facts: tuple[tuple[str, object], ...]

    def misses(self, heard: Heard) -> dict[str, object]:
        """What the frame has instead; empty when it fits."""
        got = heard.facts()
        return {k: got.get(k) for k, v in self.facts if got.get(k) != v}


def is_(icmp6: str = "", **facts: object) -> Want:
    """A frame with these facts; ``icmp6`` is the name of its message."""
    if icmp6:
        facts["icmp6"] = icmp6
        facts["cksum"] = "good"
    return Want(tuple(facts.items()))


def expect(heard: Heard, *wants: Want) -> Heard:
    """The frame fits all descriptions."""
    for want in wants:
        wrong = want.misses(heard)
        assert not wrong, f"wanted {dict(want.facts)}, differs in {wrong}: {heard}"
    return heard
