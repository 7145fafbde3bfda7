# SPDX-License-Identifier: BSD-3-Clause
"""A booted kernel on one Ethernet, and the neighbour discovery messages of its neighbours."""

from __future__ import annotations

from kame_py.boot import boot, ether_attach
from kame_py.kern.clock import NS, VirtualClock
from kame_py.kern.conf import KernConf
from kame_py.kern.mbuf import Mbuf, m_get
from kame_py.net.route import LinkAddr, Rtentry
from kame_py.netinet6.in6_ifattach import if_up
from kame_py.netinet6.nd6 import nd6_output
from kame_py.netinet6.nd6_var import LlinfoNd6
from kame_py.netinet6.scope6 import in6_embedscope
from kame_py.wire.cksum import in6_cksum
from kame_py.wire.codecs import (
    EtherHeader,
    Icmp6Hdr,
    Ip6Hdr,
    NdNeighborAdvert,
    NdNeighborSolicit,
    NdRouterAdvert,
    NdRouterSolicit,
)
from kame_py.wire.const import (
    ETHERTYPE_IPV6,
    IPPROTO_ICMPV6,
    ND_NEIGHBOR_ADVERT,
    ND_NEIGHBOR_SOLICIT,
)
from kame_py.wire.in6addr import ether_multicast, pton
from kame_py.wire.nd6opt import build_lladdr_opt


def addr(text: str) -> bytes:
    """An address that the test knows to be one."""
    got = pton(text)
    assert got is not None
    return got


MAC = bytes.fromhex("00a024660077")
PEER_MAC = bytes.fromhex("009027000001")
PEER_MAC2 = bytes.fromhex("009027000002")
LL = addr("fe80::2a0:24ff:fe66:77")
PEER = addr("fe80::290:27ff:fe00:1")
PEER2 = addr("fe80::290:27ff:fe00:2")
ALLNODES = addr("ff02::1")
ANY = bytes(16)
MS = NS // 1000


class Node:
    """kern with fxp0 up, forwarding off; duplicate detection is over unless ``dad``."""

    def __init__(self, dad: bool = False, **ip6: int) -> None:
        self.clock = VirtualClock()
        self.kern = boot("n", KernConf(), self.clock, seed=1)
        for name, value in ip6.items():
            setattr(self.kern.ip6, name, value)
        self.ifp = ether_attach(self.kern, "fxp0", MAC)
        self.zone = self.ifp.if_index
        if_up(self.kern, self.ifp)
        if not dad:
            self.until(60 * NS)
            self.quiet()

    # -- time
    def until(self, end: int) -> None:
        """Let time pass to ``end``, deadline by deadline, with all that is due at it."""
        self.kern.run_softintr()
        while (due := self.kern.next_deadline()) is not None and due <= end:
            self.clock.t = max(due, self.clock.t)
            self.kern.advance(self.clock.t)
        self.clock.t = end

    def wait(self, ns: int) -> None:
        self.until(self.clock.t + ns)

    # -- what happened
    def quiet(self) -> None:
        """Forget counters and frames."""
        kern = self.kern
        list(kern.poll_tx())
        kern.stats.ip6.clear()
        kern.stats.icmp6.clear()
        kern.drops.clear()

    def sent(self) -> list[tuple[bytes, bytes]]:
        """(destination MAC, packet) of what went out, without MLD."""
        size = EtherHeader.SIZE
        out = []
        for _, frame, _ in self.kern.poll_tx():
            packet = frame[size:]
            if Ip6Hdr.unpack(packet).ip6_nxt != 0:
                out.append((EtherHeader.unpack(frame).ether_dhost, packet))
        return out

    def drops(self) -> dict[str, int]:
        return {k: v for k, v in self.kern.drops.items() if v}

    def conserved(self) -> None:
        """Every packet that was made has one fate."""
        self.kern.run_softintr()
        assert sum(self.kern.fates.values()) == self.kern.created

    def entry(self, who: bytes = PEER) -> LlinfoNd6:
        rt = self.route(who)
        assert rt is not None and rt.rt_llinfo is not None
        return rt.rt_llinfo

    def route(self, who: bytes = PEER) -> Rtentry | None:
        return self.kern.rt.exact(in6_embedscope(who, self.zone), 128)

    def state(self, who: bytes = PEER) -> int | None:
        rt = self.route(who)
        return None if rt is None or rt.rt_llinfo is None else rt.rt_llinfo.ln_state

    def lladdr(self, who: bytes = PEER) -> bytes:
        gateway = self.entry(who).ln_rt.rt_gateway
        assert isinstance(gateway, LinkAddr)
        return gateway.sdl_data

    # -- packets
    def output(self, who: bytes = PEER, payload: bytes = b"") -> Mbuf:
        """Hand a packet for a neighbour to nd6_output."""
        head = Ip6Hdr(ip6_plen=len(payload), ip6_src=LL, ip6_dst=who)
        m = m_get(self.kern, head.pack() + payload)
        m.src, m.dst = in6_embedscope(LL, self.zone), in6_embedscope(who, self.zone)
        nd6_output(self.kern, self.ifp, m, m.dst, None)
        return m

    def receive(self, packet: bytes, dmac: bytes | None = None) -> Mbuf:
        """One packet arrives from the peer's station."""
        dst = Ip6Hdr.unpack(packet).ip6_dst
        mac = dmac or (ether_multicast(dst) if dst >= b"\xff" else MAC)
        frame = EtherHeader(ether_dhost=mac, ether_shost=PEER_MAC, ether_type=ETHERTYPE_IPV6)
        m = self.kern.if_input(self.ifp, frame.pack() + packet)
        assert m is not None
        self.conserved()
        return m


def nd(src: bytes, dst: bytes, body: bytes, hlim: int = 255) -> bytes:
    """An ICMPv6 packet with its checksum."""
    head = Icmp6Hdr.unpack(body)
    head.icmp6_cksum = 0
    head.icmp6_cksum = in6_cksum(src, dst, IPPROTO_ICMPV6, head.pack() + body[Icmp6Hdr.SIZE :])
    ip6 = Ip6Hdr(
        ip6_plen=len(body), ip6_nxt=IPPROTO_ICMPV6, ip6_hlim=hlim, ip6_src=src, ip6_dst=dst
    )
    return ip6.pack() + head.pack() + body[Icmp6Hdr.SIZE :]


def ns(
    target: bytes,
    src: bytes = PEER,
    dst: bytes | None = None,
    sll: bytes | None = PEER_MAC,
    hlim: int = 255,
) -> bytes:
    """A neighbour solicitation, by default multicast from the peer with its address."""
    group = addr("ff02::1:ff00:0")[:13] + target[13:]
    option = b"" if sll is None else build_lladdr_opt(1, sll)
    body = NdNeighborSolicit(nd_ns_target=target).pack() + option
    return nd(src, dst or group, body, hlim)


def na(
    target: bytes = PEER,
    flags: str = "SO",
    tll: bytes | None = PEER_MAC,
    src: bytes = PEER,
    dst: bytes = LL,
    hlim: int = 255,
) -> bytes:
    """A neighbour advertisement; flags of R, S, O."""
    bits = sum({"R": 0x80000000, "S": 0x40000000, "O": 0x20000000}[f] for f in flags)
    option = b"" if tll is None else build_lladdr_opt(2, tll)
    body = NdNeighborAdvert(nd_na_flags_reserved=bits, nd_na_target=target).pack() + option
    return nd(src, dst, body, hlim)


def rs(src: bytes = PEER, sll: bytes | None = PEER_MAC, hlim: int = 255) -> bytes:
    """A router solicitation."""
    option = b"" if sll is None else build_lladdr_opt(1, sll)
    return nd(src, addr("ff02::2"), NdRouterSolicit().pack() + option, hlim)


def ra(
    *options: bytes,
    src: bytes = PEER,
    sll: bytes | None = PEER_MAC,
    lifetime: int = 1800,
    reachable: int = 0,
    retrans: int = 0,
    hops: int = 0,
    flags: int = 0,
    hlim: int = 255,
) -> bytes:
    """A router advertisement to all nodes; lifetime in s, times in ms."""
    body = NdRouterAdvert(
        nd_ra_curhoplimit=hops,
        nd_ra_flags_reserved=flags,
        nd_ra_router_lifetime=lifetime,
        nd_ra_reachable=reachable,
        nd_ra_retransmit=retrans,
    ).pack()
    link = b"" if sll is None else build_lladdr_opt(1, sll)
    return nd(src, ALLNODES, body + link + b"".join(options), hlim)


def solicits(sent: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes, bytes, bytes]]:
    """(destination MAC, source, destination, target) of the solicitations among what was sent."""
    out = []
    for mac, packet in sent:
        ip6 = Ip6Hdr.unpack(packet)
        if packet[Ip6Hdr.SIZE] == ND_NEIGHBOR_SOLICIT and ip6.ip6_nxt == IPPROTO_ICMPV6:
            target = NdNeighborSolicit.unpack(packet, Ip6Hdr.SIZE).nd_ns_target
            out.append((mac, ip6.ip6_src, ip6.ip6_dst, target))
    return out


def adverts(sent: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes, str, bytes]]:
    """(destination, target, flags, options) of the advertisements among what was sent."""
    out = []
    for _, packet in sent:
        ip6 = Ip6Hdr.unpack(packet)
        if ip6.ip6_nxt == IPPROTO_ICMPV6 and packet[Ip6Hdr.SIZE] == ND_NEIGHBOR_ADVERT:
            got = NdNeighborAdvert.unpack(packet, Ip6Hdr.SIZE)
            bits = got.nd_na_flags_reserved
            flags = "".join(
                f for f, bit in zip("RSO", (31, 30, 29), strict=True) if bits >> bit & 1
            )
            options = packet[Ip6Hdr.SIZE + NdNeighborAdvert.SIZE :]
            out.append((ip6.ip6_dst, got.nd_na_target, flags, options))
    return out
