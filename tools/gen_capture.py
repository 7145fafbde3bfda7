# SPDX-License-Identifier: BSD-3-Clause
"""Write a synthetic capture of Mobile IPv6 traffic: the input of the benchmarks.

    gen_capture.py OUT [--mix NAME] [--packets N] [--hosts N] [--seed N]

The same arguments give the same octets; checksums are right. The mix ``mobile`` is 40 % TCP, 25 %
UDP, 8 % UDP with a home address option, 8 % TCP with a routing header of type 2, 6 % tunnelled, and
a little of everything else that a home agent sees; frames have 70 to 1502 octets, 500 on average.
``small``, ``imix`` and ``large`` are UDP: packets of 78 octets, seven of 78 to four of 576 and one
of 1400, and of 1400. Hosts differ in their interface identifiers, whose sum is one and the same, so
a packet needs no new checksum.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

ROOT: Final = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from kame_py.wire import pcapfmt  # noqa: E402  # after the path is set
from kame_py.wire.cksum import in6_cksum  # noqa: E402
from kame_py.wire.codecs import (  # noqa: E402
    Ah,
    Esp,
    EtherHeader,
    Ip6Hdr,
    Ip6OptBindingAck,
    Ip6OptBindingUpdate,
    Ip6OptHomeAddress,
    Ip6OptRtalert,
    Ip6Rthdr0,
    NdNeighborSolicit,
    Tcphdr,
    Udphdr,
)
from kame_py.wire.const import (  # noqa: E402
    ETHERTYPE_IPV6,
    IP6OPT_BINDING_ACK,
    IP6OPT_BINDING_UPDATE,
    IP6OPT_HOME_ADDRESS,
    IP6OPT_RTALERT,
    IPPROTO_AH,
    IPPROTO_DSTOPTS,
    IPPROTO_ESP,
    IPPROTO_HOPOPTS,
    IPPROTO_ICMPV6,
    IPPROTO_IPV6,
    IPPROTO_MH,
    IPPROTO_NONE,
    IPPROTO_ROUTING,
    IPPROTO_TCP,
    IPPROTO_UDP,
    IPV6_RTHDR_TYPE_2,
    ND_NEIGHBOR_SOLICIT,
)
from kame_py.wire.in6addr import pton  # noqa: E402
from kame_py.wire.ip6ext import AlignedOpt, build_options, build_rthdr0  # noqa: E402
from kame_py.wire.patch import put_u8, put_u16  # noqa: E402

Octets = NDArray[np.uint8]
Rng = np.random.Generator

BLOCK: Final = 1 << 16  # packets that are made at a time
FULL: Final = 0xFFFF
ID_LEN: Final = 8
ID_SUM: Final = 0x4B61  # of the 16-bit words of every interface identifier
START_NS: Final = 1_010_000_000 * 10**9  # January 2002
GAP_NS: Final = 20_000  # between packets, at most
SIZES: Final = (8, 24, 40, 80, 120, 180, 360, 516, 536, 900, 1180, 1428)  # of what a host says
SIZE_WEIGHTS: Final = (5, 6, 6, 6, 5, 4, 4, 9, 9, 4, 6, 7)
FRAME_MAX: Final = 1502
SMALL: Final = 78  # octets of IPv6 packets
MIDDLE: Final = 576
LARGE: Final = 1400
HEADERS: Final = Ip6Hdr.SIZE + Udphdr.SIZE
VARIANTS: Final = 48  # of a kind of packets


def _addr(text: str) -> bytes:
    found = pton(text)
    if found is None:
        raise ValueError(f"{text} is no IPv6 address")
    return found


_ID: Final = bytes(ID_LEN - 2) + ID_SUM.to_bytes(2, "big")
PEER: Final = _addr("2001:db8:1::")[:8] + _ID
HOME: Final = _addr("2001:db8:2::")[:8] + _ID
CARE_OF: Final = _addr("2001:db8:3::")[:8] + _ID
_MACS: Final = (b"\x02\x00\x5e\x10\x00\x01", b"\x02\x00\x5e\x10\x00\x02")


class Template(NamedTuple):
    """A frame, and where the identifiers of its two hosts are."""

    frame: bytes
    first: tuple[int, ...]
    second: tuple[int, ...]


def _ip6(nxt: int, payload: bytes, src: bytes = PEER, dst: bytes = HOME) -> bytes:
    head = Ip6Hdr(ip6_plen=len(payload), ip6_nxt=nxt, ip6_hlim=64, ip6_src=src, ip6_dst=dst)
    return head.pack() + payload


def _tcp(rng: Rng, size: int, src: bytes = PEER, dst: bytes = HOME) -> bytes:
    ports = rng.integers(1024, 65535, 2)
    head = Tcphdr(
        th_sport=int(ports[0]),
        th_dport=int(ports[1]),
        th_seq=int(rng.integers(1 << 32)),
        th_ack=int(rng.integers(1 << 32)),
        th_off_x2=Tcphdr.SIZE << 2,
        th_flags=0x10,
        th_win=0x4000,
    )
    body = head.pack() + rng.bytes(size)
    return put_u16(body, Tcphdr.O_th_sum, in6_cksum(src, dst, IPPROTO_TCP, body))


def _udp(rng: Rng, size: int, src: bytes = PEER, dst: bytes = HOME) -> bytes:
    ports = rng.integers(1024, 65535, 2)
    size += Udphdr.SIZE
    head = Udphdr(uh_sport=int(ports[0]), uh_dport=int(ports[1]), uh_ulen=size)
    body = head.pack() + rng.bytes(size - Udphdr.SIZE)
    return put_u16(body, Udphdr.O_uh_sum, in6_cksum(src, dst, IPPROTO_UDP, body) or FULL)


def _hao(nxt: int, *more: AlignedOpt) -> bytes:
    option = Ip6OptHomeAddress(ip6oh_type=IP6OPT_HOME_ADDRESS, ip6oh_len=16, ip6oh_addr=HOME)
    return build_options(nxt, (AlignedOpt(option.pack(), 8, 6), *more))


def tcp(rng: Rng, size: int) -> bytes:
    return _ip6(IPPROTO_TCP, _tcp(rng, size))


def udp(rng: Rng, size: int) -> bytes:
    return _ip6(IPPROTO_UDP, _udp(rng, size))


def udp_from_home(rng: Rng, size: int) -> bytes:
    """A mobile node to its peer: the checksum is of the home address."""
    payload = _hao(IPPROTO_UDP) + _udp(rng, size, HOME, PEER)
    return _ip6(IPPROTO_DSTOPTS, payload, CARE_OF, PEER)


def tcp_routed(rng: Rng, size: int) -> bytes:
    """A peer to a mobile node: a routing header of type 2 with the home address."""
    routing = put_u8(
        build_rthdr0(IPPROTO_TCP, [HOME], 1), Ip6Rthdr0.O_ip6r0_type, IPV6_RTHDR_TYPE_2
    )
    return _ip6(IPPROTO_ROUTING, routing + _tcp(rng, size, PEER, HOME), PEER, CARE_OF)


def tunnelled(rng: Rng, size: int) -> bytes:
    return _ip6(IPPROTO_IPV6, _ip6(IPPROTO_UDP, _udp(rng, size)), PEER, CARE_OF)


def binding_update(rng: Rng, size: int) -> bytes:
    option = Ip6OptBindingUpdate(
        ip6ou_type=IP6OPT_BINDING_UPDATE,
        ip6ou_len=Ip6OptBindingUpdate.SIZE - 2,
        ip6ou_flags=0xC0,
        ip6ou_seqno=int(rng.integers(256)),
        ip6ou_lifetime=420,
    )
    options = _hao(IPPROTO_NONE, AlignedOpt(option.pack(), 4, 2))
    return _ip6(IPPROTO_DSTOPTS, options, CARE_OF, PEER)


def binding_ack(rng: Rng, size: int) -> bytes:
    option = Ip6OptBindingAck(
        ip6oa_type=IP6OPT_BINDING_ACK,
        ip6oa_len=Ip6OptBindingAck.SIZE - 2,
        ip6oa_seqno=int(rng.integers(256)),
        ip6oa_lifetime=420,
        ip6oa_refresh=336,
    )
    return _ip6(
        IPPROTO_DSTOPTS,
        build_options(IPPROTO_NONE, [AlignedOpt(option.pack(), 4, 3)]),
        PEER,
        CARE_OF,
    )


def mobility(rng: Rng, size: int) -> bytes:
    """Home or care-of test init (RFC 6275 s.6.1.3): type 1 or 2, 16 octets."""
    kind = int(rng.integers(1, 3))
    body = bytes((IPPROTO_NONE, 1, kind, 0, 0, 0, 0, 0)) + rng.bytes(8)
    return _ip6(IPPROTO_MH, put_u16(body, 4, in6_cksum(PEER, HOME, IPPROTO_MH, body)))


def authenticated(rng: Rng, size: int) -> bytes:
    head = Ah(ah_nxt=IPPROTO_UDP, ah_len=4, ah_spi=0x1000, ah_seq=int(rng.integers(1 << 32)))
    return _ip6(IPPROTO_AH, head.pack() + rng.bytes(12) + _udp(rng, size))


def encrypted(rng: Rng, size: int) -> bytes:
    head = Esp(esp_spi=0x2000, esp_seq=int(rng.integers(1 << 32)))
    return _ip6(IPPROTO_ESP, head.pack() + rng.bytes(size + 28))


def router_alert(rng: Rng, size: int) -> bytes:
    option = Ip6OptRtalert(ip6or_type=IP6OPT_RTALERT, ip6or_len=2, ip6or_value=1)
    options = build_options(IPPROTO_UDP, [AlignedOpt(option.pack(), 2, 0)])
    return _ip6(IPPROTO_HOPOPTS, options + _udp(rng, size))


def source_routed(rng: Rng, size: int) -> bytes:
    """A routing header of type 0; the checksum is for its last address."""
    return _ip6(
        IPPROTO_ROUTING, build_rthdr0(IPPROTO_TCP, [HOME], 1) + _tcp(rng, size), PEER, CARE_OF
    )


def solicitation(rng: Rng, size: int) -> bytes:
    src = _addr("fe80::")[:8] + _ID
    dst = _addr("ff02::1:ff00:1234")
    body = NdNeighborSolicit(nd_ns_type=ND_NEIGHBOR_SOLICIT, nd_ns_target=HOME).pack()
    body += bytes((1, 1)) + _MACS[0]
    body = put_u16(body, NdNeighborSolicit.O_nd_ns_cksum, in6_cksum(src, dst, IPPROTO_ICMPV6, body))
    return put_u8(_ip6(IPPROTO_ICMPV6, body, src, dst), Ip6Hdr.O_ip6_hlim, 255)


class Part(NamedTuple):
    """One kind of packets of a mix; without a length they are of many lengths."""

    kind: Callable[[Rng, int], bytes]
    share: int
    octets: int | None = None


#: What there is, and how much of it.
MIXES: Final[dict[str, tuple[Part, ...]]] = {
    "mobile": (
        Part(tcp, 400),
        Part(udp, 250),
        Part(udp_from_home, 80),
        Part(tcp_routed, 80),
        Part(tunnelled, 60),
        Part(binding_update, 30),
        Part(binding_ack, 20),
        Part(mobility, 20),
        Part(authenticated, 20),
        Part(encrypted, 20),
        Part(router_alert, 10),
        Part(source_routed, 6),
        Part(solicitation, 5),
    ),
    "small": (Part(udp, 1, SMALL),),
    "imix": (Part(udp, 7, SMALL), Part(udp, 4, MIDDLE), Part(udp, 1, LARGE)),
    "large": (Part(udp, 1, LARGE),),
}


def templates(rng: Rng, mix: str = "mobile") -> tuple[list[Template], NDArray[np.float64]]:
    """Frames of every kind and how often each comes."""
    ether = EtherHeader(ether_dhost=_MACS[0], ether_shost=_MACS[1], ether_type=ETHERTYPE_IPV6)
    head = ether.pack()
    many = np.repeat(SIZES, SIZE_WEIGHTS)
    evenly = many[np.arange(VARIANTS) * len(many) // VARIANTS]
    found, weights = [], []
    for part in MIXES[mix]:
        for size in evenly.tolist():
            if part.octets is not None:
                size = part.octets - HEADERS
            frame = head + part.kind(rng, size)
            if len(frame) > FRAME_MAX:
                frame = head + part.kind(rng, size - (len(frame) - FRAME_MAX))
            found.append(Template(frame, _places(frame, PEER), _places(frame, HOME, CARE_OF)))
            weights.append(part.share / VARIANTS)
    return found, np.array(weights) / sum(weights)


def _places(frame: bytes, *addrs: bytes) -> tuple[int, ...]:
    """Where the identifiers of these addresses are."""
    found = []
    for addr in addrs:
        at = frame.find(addr)
        while at >= 0:
            found.append(at + len(addr) - ID_LEN)
            at = frame.find(addr, at + 1)
    return tuple(sorted(found))


def identifiers(rng: Rng, hosts: int) -> Octets:
    """Interface identifiers, each of four words with the sum ID_SUM."""
    words = rng.integers(0, FULL, (hosts, ID_LEN // 2))
    words[:, -1] = (ID_SUM - words[:, :-1].sum(axis=1)) % FULL
    return words.astype(">u2").view(np.uint8).reshape(hosts, ID_LEN)


def write_capture(
    f: BinaryIO, packets: int, hosts: int = 100_000, seed: int = 1, mix: str = "mobile"
) -> None:
    """A little-endian nanosecond pcap file of Ethernet frames."""
    rng = np.random.default_rng(seed)
    made, weights = templates(rng, mix)
    known = identifiers(rng, hosts)
    f.write(pcapfmt.build_pcap_file(pcapfmt.MAX_SNAPLEN, pcapfmt.LINKTYPE_ETHERNET))
    now = START_NS
    for first in range(0, packets, BLOCK):
        count = min(BLOCK, packets - first)
        which = rng.choice(len(made), count, p=weights)
        stamps = now + np.cumsum(rng.integers(1, GAP_NS, count))
        now = int(stamps[-1])
        f.write(_block(made, known, which, stamps, rng))


def _block(
    made: list[Template],
    known: Octets,
    which: NDArray[np.int64],
    stamps: NDArray[np.int64],
    rng: Rng,
) -> Octets:
    """Records: the frames one behind the other, then stamps and hosts written over them."""
    records = [pcapfmt.build_pcap_record(0, 0, t.frame, len(t.frame)) for t in made]
    arena = np.frombuffer(bytearray().join([records[k] for k in which]), np.uint8)
    sizes = np.array([len(record) for record in records])[which]
    starts = np.cumsum(sizes) - sizes
    stamp = np.stack(np.divmod(stamps, 10**9), axis=1).astype("<u4").view(np.uint8)
    _scatter(arena, starts + pcapfmt.PCAP_O_SEC, stamp)
    hosts = rng.integers(0, len(known), (2, len(which)))
    for k, template in enumerate(made):
        mine = np.flatnonzero(which == k)
        at = starts[mine] + pcapfmt.PCAP_RECORD_LEN
        for places, host in zip((template.first, template.second), hosts, strict=True):
            for place in places:
                _scatter(arena, at + place, known[host[mine]])
    return arena


def _scatter(arena: Octets, at: NDArray[np.int64], rows: Octets) -> None:
    """Write each row at its place."""
    arena[at[:, None] + np.arange(rows.shape[1])] = rows


def main() -> int:
    parser = argparse.ArgumentParser(description="write a synthetic capture of Mobile IPv6 traffic")
    parser.add_argument("out", type=Path)
    parser.add_argument("--mix", choices=MIXES, default="mobile")
    parser.add_argument("--packets", type=int, default=1_000_000)
    parser.add_argument("--hosts", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    if args.packets < 0 or args.hosts < 1:
        parser.error("packets and hosts are counts")
    try:
        with args.out.open("wb") as f:
            write_capture(f, args.packets, args.hosts, args.seed, args.mix)
    except OSError as e:
        print(f"gen_capture.py: {args.out}: {e.strerror}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
