# SPDX-License-Identifier: BSD-3-Clause
"""Odd packets: what a host must cope with, each with a name. Sent as they are, one at a time.

Victim: MAC 02:00:00:00:00:bb, 2001:db8:1::b. Sender: MAC 02:00:00:00:00:aa, 2001:db8:1::a.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from kame_py.wire.cksum import in6_cksum
from kame_py.wire.codecs import Icmp6Echo, Ip6Dest, Ip6Ext, Ip6Frag, Ip6Hdr, Tcphdr, Udphdr
from kame_py.wire.const import (
    ICMP6_ECHO_REPLY,
    ICMP6_ECHO_REQUEST,
    IPPROTO_DSTOPTS,
    IPPROTO_FRAGMENT,
    IPPROTO_HOPOPTS,
    IPPROTO_ICMPV6,
    IPPROTO_IPV6,
    IPPROTO_NONE,
    IPPROTO_ROUTING,
    IPPROTO_TCP,
    IPPROTO_UDP,
)
from kame_py.wire.in6addr import pton
from kame_py.wire.patch import put_u16


def addr(text: str) -> bytes:
    value = pton(text)
    assert value is not None, text
    return value


VICTIM: Final = addr("2001:db8:1::b")
VICTIM_LL: Final = addr("fe80::ff:fe00:bb")
VICTIM_MAC: Final = bytes.fromhex("0200000000bb")
SENDER: Final = addr("2001:db8:1::a")
SENDER_LL: Final = addr("fe80::ff:fe00:aa")
SENDER_MAC: Final = bytes.fromhex("0200000000aa")
OTHER: Final = addr("2001:db8:1::c")
ALLNODES: Final = addr("ff02::1")
ALLNODES_MAC: Final = bytes.fromhex("333300000001")
IDENT: Final = 0x4B41


class Odd(NamedTuple):
    """One case: IPv6 packets sent one behind the other, the first to the MAC given."""

    name: str
    packets: tuple[bytes, ...]
    mac: bytes = VICTIM_MAC


def ip6(
    nxt: int,
    payload: bytes,
    *,
    src: bytes = SENDER,
    dst: bytes = VICTIM,
    hlim: int = 64,
    plen: int | None = None,
    flow: int = 0x60000000,
) -> bytes:
    """An IPv6 packet; plen None is the right one."""
    size = len(payload) if plen is None else plen
    return (
        Ip6Hdr(
            ip6_flow=flow, ip6_plen=size, ip6_nxt=nxt, ip6_hlim=hlim, ip6_src=src, ip6_dst=dst
        ).pack()
        + payload
    )


def echo(
    *,
    src: bytes = SENDER,
    dst: bytes = VICTIM,
    kind: int = ICMP6_ECHO_REQUEST,
    size: int = 8,
    code: int = 0,
) -> bytes:
    """An ICMPv6 echo with its checksum for the (final) addresses."""
    body = Icmp6Echo(icmp6_type=kind, icmp6_code=code, icmp6_cksum=0, icmp6_id=IDENT, icmp6_seq=1)
    return summed(body.pack() + bytes(i & 0xFF for i in range(size)), IPPROTO_ICMPV6, 2, src, dst)


def summed(data: bytes, nxt: int, at: int, src: bytes = SENDER, dst: bytes = VICTIM) -> bytes:
    """``data`` with its Internet checksum put at offset ``at``."""
    return put_u16(data, at, in6_cksum(src, dst, nxt, data))


def udp(dport: int = 9, *, src: bytes = SENDER, dst: bytes = VICTIM, size: int = 8) -> bytes:
    data = bytes(size)
    head = Udphdr(uh_sport=4000, uh_dport=dport, uh_ulen=8 + size, uh_sum=0).pack()
    return summed(head + data, IPPROTO_UDP, Udphdr.O_uh_sum, src, dst)


def tcp(flags: int, *, ack: int = 0, off: int = 5, sport: int = 4000) -> bytes:
    head = Tcphdr(
        th_sport=sport,
        th_dport=81,
        th_seq=1000,
        th_ack=ack,
        th_off_x2=off << 4,
        th_flags=flags,
        th_win=1024,
        th_sum=0,
        th_urp=0,
    ).pack()
    return summed(head, IPPROTO_TCP, Tcphdr.O_th_sum)


def opts(nxt: int, *options: bytes, length: int | None = None) -> bytes:
    """An options header around raw option bytes, padded with Pad1/PadN to 8 octets."""
    body = b"".join(options)
    short = -(2 + len(body)) % 8
    if short == 1:
        body += b"\x00"
    elif short:
        body += bytes((1, short - 2)) + bytes(short - 2)
    units = (2 + len(body)) // 8 - 1 if length is None else length
    return Ip6Dest(ip6d_nxt=nxt, ip6d_len=units).pack() + body


def opt(kind: int, data: bytes = b"", length: int | None = None) -> bytes:
    return bytes((kind, len(data) if length is None else length)) + data


def frag(nxt: int, off: int, more: bool, part: bytes, ident: int, reserved: int = 0) -> bytes:
    """A Fragment header and its part; off in octets."""
    head = Ip6Frag(
        ip6f_nxt=nxt, ip6f_reserved=reserved, ip6f_offlg=off | int(more), ip6f_ident=ident
    )
    return head.pack() + part


def rthdr(
    nxt: int, kind: int, segleft: int, addrs: tuple[bytes, ...], units: int | None = None
) -> bytes:
    size = 2 * len(addrs) if units is None else units
    return bytes((nxt, size, kind, segleft)) + bytes(4) + b"".join(addrs)


def _options() -> Iterator[Odd]:
    ping = echo()
    classes = {"skip": 0x1E, "discard": 0x5E, "report": 0x9E, "unicast": 0xDE}
    for where, nxt in (("hbh", IPPROTO_HOPOPTS), ("dst", IPPROTO_DSTOPTS)):
        for name, kind in classes.items():
            yield Odd(
                f"{where}-unknown-{name}",
                (ip6(nxt, opts(IPPROTO_ICMPV6, opt(kind, b"\x07" * 2)) + ping),),
            )
        for name in ("report", "unicast"):
            yield Odd(
                f"{where}-unknown-{name}-to-multicast",
                (
                    ip6(
                        nxt,
                        opts(IPPROTO_ICMPV6, opt(classes[name], b"\x07" * 2)) + echo(dst=ALLNODES),
                        dst=ALLNODES,
                    ),
                ),
                ALLNODES_MAC,
            )
        yield Odd(
            f"{where}-second-option-unknown",
            (ip6(nxt, opts(IPPROTO_ICMPV6, b"\x01\x02\x00\x00", opt(0x9E)) + ping),),
        )
        yield Odd(
            f"{where}-option-overruns",
            (ip6(nxt, opts(IPPROTO_ICMPV6, opt(0x1E, b"\x00" * 4, 40)) + ping),),
        )
        yield Odd(
            f"{where}-header-overruns-packet",
            (ip6(nxt, opts(IPPROTO_ICMPV6, b"\x01\x04\x00\x00\x00\x00", length=200) + ping),),
        )
        yield Odd(f"{where}-only-pad1", (ip6(nxt, opts(IPPROTO_ICMPV6, bytes(6)) + ping),))
        yield Odd(
            f"{where}-padn-nonzero",
            (ip6(nxt, opts(IPPROTO_ICMPV6, b"\x01\x04\x01\x02\x03\x04") + ping),),
        )
        yield Odd(
            f"{where}-padn-long", (ip6(nxt, opts(IPPROTO_ICMPV6, b"\x01\x0c" + bytes(12)) + ping),)
        )
    yield Odd(
        "hbh-router-alert-ping",
        (ip6(IPPROTO_HOPOPTS, opts(IPPROTO_ICMPV6, opt(5, b"\x00\x00")) + ping),),
    )
    yield Odd(
        "hbh-router-alert-bad-length",
        (ip6(IPPROTO_HOPOPTS, opts(IPPROTO_ICMPV6, opt(5, b"\x00\x00\x00\x00")) + ping),),
    )
    yield Odd(
        "dst-home-address",
        (
            ip6(
                IPPROTO_DSTOPTS,
                opts(IPPROTO_ICMPV6, b"\x01\x02\x00\x00", opt(0xC9, OTHER)) + echo(src=OTHER),
            ),
        ),
    )
    yield Odd(
        "dst-binding-update", (ip6(IPPROTO_DSTOPTS, opts(IPPROTO_NONE, opt(0xC6, bytes(8)))),)
    )
    yield Odd(
        "dst-tunnel-limit", (ip6(IPPROTO_DSTOPTS, opts(IPPROTO_ICMPV6, opt(4, b"\x04")) + ping),)
    )


def _order() -> Iterator[Odd]:
    ping = echo()
    hbh = opts(IPPROTO_ICMPV6)
    yield Odd("hbh-behind-dst", (ip6(IPPROTO_DSTOPTS, opts(IPPROTO_HOPOPTS) + hbh + ping),))
    yield Odd("hbh-twice", (ip6(IPPROTO_HOPOPTS, opts(IPPROTO_HOPOPTS) + hbh + ping),))
    yield Odd(
        "dst-twice", (ip6(IPPROTO_DSTOPTS, opts(IPPROTO_DSTOPTS) + opts(IPPROTO_ICMPV6) + ping),)
    )
    yield Odd(
        "dst-ten-times",
        (ip6(IPPROTO_DSTOPTS, opts(IPPROTO_DSTOPTS) * 9 + opts(IPPROTO_ICMPV6) + ping),),
    )
    yield Odd(
        "hbh-then-dst", (ip6(IPPROTO_HOPOPTS, opts(IPPROTO_DSTOPTS) + opts(IPPROTO_ICMPV6) + ping),)
    )
    for name, nxt in (
        ("unassigned-200", 200),
        ("experimental-253", 253),
        ("ipcomp-108", 108),
        ("ospf-89", 89),
    ):
        yield Odd(f"next-header-{name}", (ip6(nxt, bytes(16)),))
        yield Odd(f"dst-then-next-header-{name}", (ip6(IPPROTO_DSTOPTS, opts(nxt) + bytes(16)),))
    yield Odd("next-header-none", (ip6(IPPROTO_NONE, bytes(16)),))
    yield Odd("next-header-none-empty", (ip6(IPPROTO_NONE, b""),))
    yield Odd("next-header-ah", (ip6(51, bytes((59, 4)) + bytes(22)),))
    yield Odd("next-header-esp", (ip6(50, bytes(32)),))
    yield Odd("ip6-in-ip6-no-tunnel", (ip6(IPPROTO_IPV6, ip6(IPPROTO_ICMPV6, ping)),))
    yield Odd("truncated-dst-header", (ip6(IPPROTO_DSTOPTS, b"\x3a"),))
    yield Odd("truncated-icmp", (ip6(IPPROTO_ICMPV6, ping[:3]),))
    yield Odd("empty-icmp", (ip6(IPPROTO_ICMPV6, b""),))


def _routing() -> Iterator[Odd]:
    ping = echo()
    for kind in (0, 1, 2, 3, 4, 200):
        yield Odd(
            f"routing-type-{kind}-no-segments",
            (ip6(IPPROTO_ROUTING, rthdr(IPPROTO_ICMPV6, kind, 0, (OTHER,)) + ping),),
        )
        yield Odd(
            f"routing-type-{kind}-one-segment",
            (ip6(IPPROTO_ROUTING, rthdr(IPPROTO_ICMPV6, kind, 1, (OTHER,)) + ping),),
        )
    yield Odd(
        "routing-type-0-odd-length",
        (ip6(IPPROTO_ROUTING, rthdr(IPPROTO_ICMPV6, 0, 1, (OTHER,), 3) + bytes(8) + ping),),
    )
    yield Odd(
        "routing-too-many-segments",
        (ip6(IPPROTO_ROUTING, rthdr(IPPROTO_ICMPV6, 0, 9, (OTHER,)) + ping),),
    )
    yield Odd(
        "routing-to-multicast",
        (
            ip6(
                IPPROTO_ROUTING,
                rthdr(IPPROTO_ICMPV6, 200, 1, (OTHER,)) + echo(dst=ALLNODES),
                dst=ALLNODES,
            ),
        ),
        ALLNODES_MAC,
    )


def _fragments() -> Iterator[Odd]:
    ping = echo(size=56)  # 64 octets
    a, b = ping[:32], ping[32:]
    ids = iter(range(0x1000, 0x2000))

    def two(name: str, *parts: tuple[int, bool, bytes], nxt: int = IPPROTO_ICMPV6) -> Odd:
        ident = next(ids)
        return Odd(
            name,
            tuple(
                ip6(IPPROTO_FRAGMENT, frag(nxt, off, more, part, ident))
                for off, more, part in parts
            ),
        )

    yield two("fragments-in-order", (0, True, a), (32, False, b))
    yield two("fragments-reversed", (32, False, b), (0, True, a))
    yield two("fragment-twice", (0, True, a), (0, True, a), (32, False, b))
    yield two("fragments-overlap", (0, True, a), (24, False, ping[24:]))
    yield two(
        "fragments-overlap-inside",
        (0, True, ping[:48]),
        (16, True, ping[16:32]),
        (48, False, ping[48:]),
    )
    yield two("fragment-last-only", (32, False, b))
    yield two("fragment-odd-length", (0, True, ping[:33]), (32, False, b))
    yield two("fragment-past-65535", (65528, False, bytes(16)))
    yield two("fragment-empty-last", (0, True, a), (32, True, b), (64, False, b""))
    yield two("fragment-two-lasts", (0, True, a), (32, False, b), (40, False, b))
    yield two("fragment-atomic", (0, False, ping))
    yield two("fragment-first-short", (0, True, ping[:0] + bytes(0)))
    yield two("fragment-no-upper-header", (0, True, opts(IPPROTO_UDP)[:8]), nxt=IPPROTO_DSTOPTS)
    yield two("fragment-unknown-next-header", (0, True, bytes(32)), (32, False, bytes(32)), nxt=200)
    ident = next(ids)
    yield Odd(
        "fragment-reserved-bits",
        (ip6(IPPROTO_FRAGMENT, frag(IPPROTO_ICMPV6, 0, False, ping, ident, 0xFF)),),
    )
    yield Odd("fragment-truncated-header", (ip6(IPPROTO_FRAGMENT, b"\x3a\x00\x00"),))
    yield Odd(
        "fragment-next-header-changes",
        (
            ip6(IPPROTO_FRAGMENT, frag(IPPROTO_ICMPV6, 0, True, a, ident + 1)),
            ip6(IPPROTO_FRAGMENT, frag(IPPROTO_UDP, 32, False, b, ident + 1)),
        ),
    )
    yield Odd(
        "fragment-hbh-inside",
        (
            ip6(
                IPPROTO_FRAGMENT,
                frag(IPPROTO_HOPOPTS, 0, False, opts(IPPROTO_ICMPV6) + ping, ident + 2),
            ),
        ),
    )
    yield Odd(
        "fragment-in-fragment",
        (
            ip6(
                IPPROTO_FRAGMENT,
                frag(
                    IPPROTO_FRAGMENT, 0, False, frag(IPPROTO_ICMPV6, 0, False, ping, 7), ident + 3
                ),
            ),
        ),
    )
    yield Odd(
        "fragment-overlap-then-good",
        (
            ip6(IPPROTO_FRAGMENT, frag(IPPROTO_ICMPV6, 0, True, a, ident + 4)),
            ip6(IPPROTO_FRAGMENT, frag(IPPROTO_ICMPV6, 24, False, ping[24:], ident + 4)),
            ip6(IPPROTO_FRAGMENT, frag(IPPROTO_ICMPV6, 32, False, b, ident + 4)),
        ),
    )


def _lengths() -> Iterator[Odd]:
    ping = echo()
    jumbo = opt(0xC2, (len(ping) + 8).to_bytes(4, "big"))
    big = opt(0xC2, (70000).to_bytes(4, "big"))
    yield Odd("payload-length-too-long", (ip6(IPPROTO_ICMPV6, ping, plen=len(ping) + 1),))
    yield Odd("trailing-octets", (ip6(IPPROTO_ICMPV6, ping) + bytes(10),))
    yield Odd("payload-length-cuts-icmp", (ip6(IPPROTO_ICMPV6, ping, plen=6),))
    yield Odd("version-4", (ip6(IPPROTO_ICMPV6, ping, flow=0x40000000),))
    yield Odd("flow-label-and-class", (ip6(IPPROTO_ICMPV6, ping, flow=0x6FFFFFFF),))
    yield Odd(
        "jumbo-with-payload-length", (ip6(IPPROTO_HOPOPTS, opts(IPPROTO_ICMPV6, jumbo) + ping),)
    )
    yield Odd(
        "jumbo-below-65536", (ip6(IPPROTO_HOPOPTS, opts(IPPROTO_ICMPV6, jumbo) + ping, plen=0),)
    )
    yield Odd(
        "jumbo-longer-than-packet",
        (ip6(IPPROTO_HOPOPTS, opts(IPPROTO_ICMPV6, big) + ping, plen=0),),
    )
    yield Odd(
        "jumbo-bad-option-length",
        (ip6(IPPROTO_HOPOPTS, opts(IPPROTO_ICMPV6, opt(0xC2, bytes(6))) + ping, plen=0),),
    )
    yield Odd(
        "payload-length-0-no-jumbo", (ip6(IPPROTO_HOPOPTS, opts(IPPROTO_ICMPV6) + ping, plen=0),)
    )
    yield Odd("header-cut", (ip6(IPPROTO_ICMPV6, ping)[:30],))


def _addresses() -> Iterator[Odd]:
    def ping(
        name: str, src: bytes, dst: bytes = VICTIM, mac: bytes = VICTIM_MAC, hlim: int = 64
    ) -> Odd:
        return Odd(
            name, (ip6(IPPROTO_ICMPV6, echo(src=src, dst=dst), src=src, dst=dst, hlim=hlim),), mac
        )

    yield ping("ping", SENDER)
    yield ping("ping-hop-limit-1", SENDER, hlim=1)
    yield ping("ping-hop-limit-0", SENDER, hlim=0)
    yield ping("source-multicast", ALLNODES)
    yield ping("source-unspecified", bytes(16))
    yield ping("source-loopback", addr("::1"))
    yield ping("source-v4-mapped", addr("::ffff:192.0.2.1"))
    yield ping("source-is-victim", VICTIM)
    yield ping("source-link-local", SENDER_LL)
    yield ping("destination-link-local", SENDER_LL, VICTIM_LL)
    yield ping("global-to-link-local", SENDER, VICTIM_LL)
    yield ping("destination-loopback", SENDER, addr("::1"))
    yield ping("destination-unspecified", SENDER, bytes(16))
    yield ping("destination-not-ours", SENDER, OTHER)
    yield ping("destination-all-nodes", SENDER, ALLNODES, ALLNODES_MAC)
    yield ping("destination-all-nodes-link-local", SENDER_LL, ALLNODES, ALLNODES_MAC)
    yield ping("destination-node-local-all-nodes", SENDER, addr("ff01::1"), ALLNODES_MAC)
    yield ping("destination-all-routers", SENDER, addr("ff02::2"), bytes.fromhex("333300000002"))
    yield ping(
        "destination-group-not-joined", SENDER, addr("ff02::9"), bytes.fromhex("333300000009")
    )
    yield ping(
        "destination-solicited-node", SENDER, addr("ff02::1:ff00:b"), bytes.fromhex("3333ff00000b")
    )
    yield ping("destination-multicast-scope-0", SENDER, addr("ff00::1"), ALLNODES_MAC)
    yield ping("unicast-in-multicast-frame", SENDER, VICTIM, ALLNODES_MAC)


def _upper() -> Iterator[Odd]:
    good = echo()
    yield Odd("icmp-bad-checksum", (ip6(IPPROTO_ICMPV6, put_u16(good, 2, 0x1234)),))
    yield Odd("echo-code-1", (ip6(IPPROTO_ICMPV6, echo(code=1)),))
    yield Odd("echo-reply-unasked", (ip6(IPPROTO_ICMPV6, echo(kind=ICMP6_ECHO_REPLY)),))
    for kind in (100, 127, 200, 255):
        yield Odd(f"icmp-type-{kind}", (ip6(IPPROTO_ICMPV6, echo(kind=kind)),))
    quoted = ip6(IPPROTO_UDP, udp(src=VICTIM, dst=SENDER), src=VICTIM, dst=SENDER)
    for kind, name in (
        (1, "unreachable"),
        (2, "too-big"),
        (3, "time-exceeded"),
        (4, "parameter-problem"),
    ):
        message = summed(bytes((kind, 0, 0, 0, 0, 0, 5, 0)) + quoted, IPPROTO_ICMPV6, 2)
        yield Odd(f"icmp-error-{name}", (ip6(IPPROTO_ICMPV6, message),))
    message = summed(bytes((1, 0, 0, 0, 0, 0, 0, 0)), IPPROTO_ICMPV6, 2)
    yield Odd("icmp-error-quotes-nothing", (ip6(IPPROTO_ICMPV6, message),))
    error = summed(bytes((1, 0)) + bytes(6) + quoted, IPPROTO_ICMPV6, 2)
    yield Odd(
        "icmp-error-with-unknown-option",
        (ip6(IPPROTO_DSTOPTS, opts(IPPROTO_ICMPV6, opt(0x9E)) + error),),
    )
    yield Odd("udp-closed-port", (ip6(IPPROTO_UDP, udp()),))
    yield Odd(
        "udp-closed-port-multicast",
        (ip6(IPPROTO_UDP, udp(dst=ALLNODES), dst=ALLNODES),),
        ALLNODES_MAC,
    )
    yield Odd("udp-checksum-zero", (ip6(IPPROTO_UDP, put_u16(udp(), Udphdr.O_uh_sum, 0)),))
    yield Odd("udp-bad-checksum", (ip6(IPPROTO_UDP, put_u16(udp(), Udphdr.O_uh_sum, 0x1234)),))
    yield Odd("udp-length-too-long", (ip6(IPPROTO_UDP, put_u16(udp(), Udphdr.O_uh_ulen, 100)),))
    yield Odd("udp-length-too-short", (ip6(IPPROTO_UDP, put_u16(udp(), Udphdr.O_uh_ulen, 4)),))
    yield Odd("udp-truncated", (ip6(IPPROTO_UDP, udp()[:5]),))
    yield Odd("udp-large-closed-port", (ip6(IPPROTO_UDP, udp(size=1400)),))
    yield Odd("tcp-syn-closed-port", (ip6(IPPROTO_TCP, tcp(0x02)),))
    yield Odd("tcp-ack-closed-port", (ip6(IPPROTO_TCP, tcp(0x10, ack=77)),))
    yield Odd("tcp-fin-closed-port", (ip6(IPPROTO_TCP, tcp(0x01)),))
    yield Odd("tcp-rst-closed-port", (ip6(IPPROTO_TCP, tcp(0x04)),))
    yield Odd("tcp-bad-offset", (ip6(IPPROTO_TCP, tcp(0x02, off=3)),))
    yield Odd("tcp-truncated", (ip6(IPPROTO_TCP, tcp(0x02)[:12]),))
    yield Odd("tcp-bad-checksum", (ip6(IPPROTO_TCP, put_u16(tcp(0x02), Tcphdr.O_th_sum, 1)),))


CASES: Final = (
    *_options(), *_order(), *_routing(), *_fragments(), *_lengths(), *_addresses(), *_upper(),
)  # fmt: skip
assert Ip6Ext.SIZE == 2
