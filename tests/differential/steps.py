# SPDX-License-Identifier: BSD-3-Clause
"""What may happen on a wire and at a keyboard: strategies of packets and of commands.

Few addresses, so that what happens to one of them matters to the packets that follow.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from hypothesis import strategies as st

from kame_py.kern.conf import KernConf
from kame_py.wire.codecs import Ah
from kame_py.wire.const import (
    IPPROTO_AH,
    IPPROTO_DSTOPTS,
    IPPROTO_ICMPV6,
    IPPROTO_IPV6,
    IPPROTO_ROUTING,
    IPPROTO_UDP,
)
from kame_py.wire.in6addr import ether_multicast
from kame_py.wire.ip6ext import build_rthdr0
from kame_py.wire.mip6_draft13 import WIRE as WIRE13
from kame_py.wire.mip6_draft15 import WIRE as WIRE15
from kame_py.wire.patch import put_u8
from tests.differential.home import (
    CN,
    FAR,
    HA,
    MAC,
    MS,
    NEIGHBOUR,
    NS,
    OTHER_MAC,
    RC,
    ROUTER,
    ROUTER_MAC,
    Node,
    frame,
)
from tests.scenario.authwords import HOWTO_KEY, OTHER_KEY, bu_packet, mac_key, signed_bu
from tests.scenario.mip6words import bu, update, with_hao
from tests.scenario.words import (
    BASE,
    addr,
    echo,
    error,
    ext,
    fragments,
    group_of,
    ip6,
    mld,
    na,
    ns,
    pi,
    ra,
    redirect,
    rs,
    sll,
    spoil,
    tll,
    udp,
    with_header,
)

ROUTER_LL: Final = "fe80::a1"
SECOND: Final = "2001:db8:1::fd"  # another router of the home link
SECOND_MAC: Final = bytes.fromhex("0090270000a2")
NEW_MAC: Final = bytes.fromhex("00a024660078")  # what the node may call itself later
STRANGER: Final = "2001:db8:1::dead"  # on the home link, not known
EXTRA: Final = "2001:db8:2::1"  # an address that the node gets and loses
BEHIND: Final = "2001:db8:2::9"
HOMES: Final = tuple(f"2001:db8:1::{0x100 + i:x}" for i in range(3))
AWAY: Final = (*(f"2001:db8:7::{i:x}" for i in range(3)), FAR)
SPI: Final = 1500
AH_SPI: Final = 1700

#: Addresses a packet may name.
ADDRS: Final = st.sampled_from(
    (*HOMES, *HOMES, *AWAY, CN, CN, FAR, HA, HA, EXTRA, NEIGHBOUR, SECOND, STRANGER, BEHIND, ROUTER)
)
MACS: Final = st.sampled_from((ROUTER_MAC, ROUTER_MAC, ROUTER_MAC, OTHER_MAC, SECOND_MAC))
HOME: Final = st.sampled_from(HOMES)
COA: Final = st.sampled_from((*AWAY, *AWAY, HOMES[0], NEIGHBOUR))
SIZES: Final = st.one_of(st.integers(0, 80), st.sampled_from((1180, 1232, 1352, 1412, 1452, 1453)))
LIFETIMES: Final = st.sampled_from((0, 2, 4, 5, 60, 600))
SEQS: Final = st.integers(1, 8)
WIRES: Final = st.sampled_from((WIRE15, WIRE15, WIRE15, WIRE13))
KEYS: Final = st.sampled_from((HOWTO_KEY, HOWTO_KEY, OTHER_KEY))
HLIMS: Final = st.sampled_from((64, 64, 64, 255, 2, 1))


# -- packets --------------------------------------------------------------------------------------


def routed(packet: bytes, last: str, kind: int, left: int) -> bytes:
    """With a routing header of this type; ``left`` segments are left."""
    header = bytearray(build_rthdr0(0, [addr(last)], left))
    header[2] = kind
    return with_header(packet, IPPROTO_ROUTING, bytes(header))


def from_home(packet: bytes, hoa: str, coa: str, dst: str) -> bytes:
    """The packet's payload with a home address option, from the care-of address."""
    return with_hao(coa, dst, hoa, packet[BASE:], packet[6])


def authentic(src: str, dst: str, seq: int, key: bytes, size: int, spi: int) -> bytes:
    """UDP under AH, in transport mode, without other headers."""
    mac = mac_key(key)
    payload = udp(src, dst, bytes(size))[BASE:]
    head = Ah(ah_nxt=IPPROTO_UDP, ah_len=(Ah.SIZE + mac.icvlen) // 4 - 2, ah_spi=spi, ah_seq=seq)
    clear = head.pack() + bytes(mac.icvlen) + payload
    icv = mac.mac(put_u8(ip6(src, dst, clear, IPPROTO_AH), 7, 0))
    return ip6(src, dst, head.pack() + icv + payload, IPPROTO_AH)


def signed(coa: str, dst: str, hoa: str, seq: int, lifetime: int, flags: str, key: bytes) -> bytes:
    """A binding update with authentication data."""
    option = update(seq, lifetime, flags)
    return bu_packet(coa, dst, hoa, signed_bu(option, dst, coa, hoa, SPI, mac_key(key)))


def too_big(dst: str, mtu: int, size: int, tunnelled: bool) -> bytes:
    """A router's word about a packet that this node sent or tunnelled."""
    quoted = udp(HA, dst, bytes(size))
    if tunnelled:
        quoted = ip6(HA, dst, udp(CN, HOMES[0], bytes(size)), IPPROTO_IPV6)
    return error(ROUTER, HA, 2, 0, quoted, mtu)


IP: Final = st.one_of(
    st.builds(lambda s, d, n, h: udp(s, d, bytes(n), hlim=h), ADDRS, ADDRS, SIZES, HLIMS),
    st.builds(lambda d, n: udp(CN, d, bytes(n)), HOME, SIZES),
    st.builds(lambda s, d, data: echo(s, d, data), ADDRS, ADDRS, st.binary(max_size=50)),
    st.builds(lambda s, reply: echo(s, HA, reply=reply), ADDRS, st.booleans()),
    st.builds(lambda s: spoil(echo(s, HA), "cksum"), ADDRS),
    st.builds(lambda s, d: ip6(s, d), ADDRS, ADDRS),
    st.builds(lambda s, d, h: ip6(s, d, b"", IPPROTO_ICMPV6, h), ADDRS, ADDRS, HLIMS),
)
INSIDE: Final = st.one_of(
    st.builds(lambda c, d, p: ip6(c, d, p, IPPROTO_IPV6), COA, ADDRS, IP),
    st.builds(
        lambda i, h, d, n: ip6(AWAY[i], HA, udp(h, d, bytes(n)), IPPROTO_IPV6),
        st.integers(0, 2),
        HOME,
        ADDRS,
        SIZES,
    ),
)
HEADERS: Final = st.one_of(
    st.builds(from_home, IP, HOME, COA, ADDRS),
    st.builds(routed, IP, ADDRS, st.sampled_from((0, 2)), st.integers(0, 1)),
    st.builds(lambda p: with_header(p, IPPROTO_DSTOPTS, ext(0, bytes(6))), IP),
    st.builds(lambda p: with_header(p, 0, ext(0, bytes(6))), IP),
    st.builds(
        authentic,
        st.sampled_from((CN, *HOMES)),
        st.sampled_from((HA, HA, EXTRA, FAR)),
        SEQS,
        KEYS,
        st.sampled_from((0, 1, 64, 500)),
        st.sampled_from((AH_SPI, AH_SPI, SPI)),
    ),
    st.builds(lambda s, d: fragments(udp(s, d, bytes(100)), 48)[0], ADDRS, ADDRS),
    st.builds(lambda s, d: fragments(echo(s, d, bytes(100)), 48)[1], ADDRS, ADDRS),
)
UPDATES: Final = st.one_of(
    st.builds(
        lambda h, c, s, n, w: bu(c, HA, h, s, n, "AHS", wire=w), HOME, COA, SEQS, LIFETIMES, WIRES
    ),
    st.builds(
        lambda h, c, s, n, f: bu(c, HA, h, s, n, f),
        ADDRS,
        COA,
        SEQS,
        LIFETIMES,
        st.sampled_from(("A", "", "AH", "AHD")),
    ),
    st.builds(signed, COA, st.just(HA), HOME, SEQS, LIFETIMES, st.just("AHS"), KEYS),
    st.builds(
        signed, COA, st.just(HA), st.sampled_from((CN, FAR)), SEQS, LIFETIMES, st.just("A"), KEYS
    ),
)
NEIGHBOURS: Final = st.sampled_from((ROUTER, ROUTER, NEIGHBOUR, SECOND, STRANGER, *HOMES))
DISCOVERY: Final = st.one_of(
    st.builds(
        lambda who, flags, mac: na(who, flags, who, HA, tll(mac)),
        NEIGHBOURS,
        st.sampled_from(("RSO", "RO", "RS", "R", "S", "SO", "O", "")),
        MACS,
    ),
    st.builds(lambda who, mac: na(who, "O", who, "ff02::1", tll(mac)), NEIGHBOURS, MACS),
    st.builds(lambda who, mac: ns(HA, who, sll(mac)), NEIGHBOURS, MACS),
    st.builds(lambda who, mac: ns(HA, who, sll(mac), dst=HA), NEIGHBOURS, MACS),
    st.builds(lambda h: ns(h, NEIGHBOUR, sll(OTHER_MAC)), HOME),
    st.builds(lambda h: ns(h, NEIGHBOUR, sll(OTHER_MAC), dst=h), HOME),
    st.builds(
        lambda life, mac, reach: ra(ROUTER_LL, sll(mac), lifetime=life, reachable=reach),
        st.sampled_from((0, 1, 3, 1800)),
        MACS,
        st.sampled_from((0, 1000)),
    ),
    st.builds(
        lambda prefix, valid: ra(ROUTER_LL, pi(prefix, valid, valid), sll(ROUTER_MAC)),
        st.sampled_from(("2001:db8:1::", "2001:db8:e::", "2001:db8:2::")),
        st.sampled_from((0, 3, 7200, 2592000)),
    ),
    st.builds(
        lambda about, target: redirect(ROUTER_LL, HA, about, target, tll(OTHER_MAC)),
        st.sampled_from((CN, FAR, *AWAY)),
        st.sampled_from((ROUTER_LL, "fe80::a2", FAR, CN)),
    ),
    st.just(rs("fe80::9", sll(OTHER_MAC))),
    st.just(mld(130, "fe80::9", "ff02::1", "::")),
)
ERRORS: Final = st.one_of(
    st.builds(
        too_big,
        st.sampled_from((*AWAY, CN)),
        st.sampled_from((1000, 1280, 1400, 1480, 1500)),
        st.sampled_from((0, 1300)),
        st.booleans(),
    ),
    st.builds(lambda d: error(ROUTER, HA, 1, 0, udp(HA, d)), ADDRS),
    st.builds(lambda d: error(CN, HA, 4, 2, with_hao(CN, d, HA)), ADDRS),
)


def to_group(packet: bytes) -> bytes:
    """In a frame to the group that the packet goes to, or to the node."""
    dst = packet[24:40]
    return ether_multicast(dst) if dst[:1] == b"\xff" else MAC


def solicited(who: str) -> bytes:
    return frame(ns(who, CN), OTHER_MAC, ether_multicast(addr(group_of(who))))


FRAMES: Final = st.one_of(
    *(
        st.builds(lambda p, mac: frame(p, mac, to_group(p)), kind, MACS)
        for kind in (IP, IP, IP, INSIDE, INSIDE, UPDATES, UPDATES, HEADERS, DISCOVERY, ERRORS)
    ),
    st.builds(
        lambda p, src, dst: frame(p, src, dst),
        IP,
        st.sampled_from((ROUTER_MAC, MAC)),
        st.sampled_from((OTHER_MAC, b"\xff" * 6, bytes.fromhex("33330000beef"))),
    ),
    st.builds(lambda p, n: frame(p)[:n], IP, st.integers(0, 70)),
    st.builds(lambda p, n: frame(p + bytes(n)), IP, st.integers(0, 40)),
    st.builds(solicited, st.one_of(HOME, st.just(HA))),
    st.just(frame(b"arp", dst=b"\xff" * 6, kind=0x0806)),
)


# -- commands -------------------------------------------------------------------------------------

_DSTS: Final = st.sampled_from((CN, FAR, *AWAY, HOMES[0], "2001:db8:7:: -prefixlen 64", "default"))
_GATES: Final = st.sampled_from((ROUTER, SECOND, NEIGHBOUR, STRANGER))


def setkey(*lines: str) -> str:
    return "setkey -c <<EOF\n" + "".join(f"{line};\n" for line in lines) + "EOF"


def sa(src: str, dst: str, spi: int, *words: str, key: bytes = HOWTO_KEY) -> str:
    return f"add {src} {dst} ah {spi} {' '.join(words)} -A hmac-sha1 0x{key.hex()}"


#: Associations for the updates of the mobile nodes, for the answers, for AH.
SAS: Final = tuple(
    line for peer in (*HOMES, CN, FAR) for line in (sa(peer, HA, SPI), sa(HA, peer, SPI + 100))
) + (sa(CN, HA, AH_SPI, "-r 4"), sa(HOMES[0], HA, AH_SPI, "-r 4"))

SIGN: Final = "spdadd ::/0 ::/0 ipv6-opts -P out ipsec ah/transport//require"

ROUTES: Final = st.one_of(
    st.builds(lambda d, g: f"route add -inet6 {d} {g}", _DSTS, _GATES),
    st.builds(lambda d, g: f"route change -inet6 {d} {g}", _DSTS, _GATES),
    st.builds(
        lambda d, g, flag: f"route add -inet6 {d} {g} {flag}",
        _DSTS,
        _GATES,
        st.sampled_from(("-reject", "-blackhole", "-mtu 1400", "-expire 2")),
    ),
    st.builds(lambda d, mtu: f"route change -inet6 {d} -mtu {mtu}", _DSTS, st.integers(1280, 1500)),
    st.builds(lambda d: f"route delete -inet6 {d}", _DSTS),
    st.just("route -n flush -inet6"),
)
LINK: Final = st.one_of(
    st.builds(
        lambda who, mac: f"ndp -s {who} {mac}",
        NEIGHBOURS,
        st.sampled_from(("0:90:27:0:0:a1", "0:90:27:0:0:1")),
    ),
    st.builds(lambda who: f"ndp -s {who} 0:90:27:0:0:a1 temp", NEIGHBOURS),
    st.builds(lambda who: f"ndp -s {who} 0:90:27:0:0:a1 proxy", st.sampled_from(HOMES)),
    st.builds(lambda who: f"ndp -d {who}", NEIGHBOURS),
    st.sampled_from(
        (
            "ndp -c",
            "ndp -P",
            "ndp -R",
            "ndp -I fxp0",
            "ndp -I delete",
            "ndp -i fxp0 -nud",
            "ifconfig fxp0 down",
            "ifconfig fxp0 up",
            "ifconfig fxp0 up",
            "ifconfig fxp0 promisc",
            "ifconfig fxp0 -promisc",
            "ifconfig fxp0 lladdr 0:a0:24:66:0:78",
        )
    ),
    st.builds(lambda mtu: f"ifconfig fxp0 mtu {mtu}", st.integers(1280, 1500)),
)
ADDRESSES: Final = st.one_of(
    st.builds(
        lambda a, verb: f"ifconfig fxp0 inet6 {a} prefixlen 64 {verb}",
        st.sampled_from((EXTRA, HA, HOMES[0], HOMES[1], AWAY[0], STRANGER)),
        st.sampled_from(("alias", "alias", "alias anycast", "alias deprecated")),
    ),
    st.builds(
        lambda a: f"ifconfig fxp0 inet6 {a} -alias",
        st.sampled_from((EXTRA, HA, HOMES[0], AWAY[0])),
    ),
    st.just(f"ifconfig fxp0 inet6 {EXTRA} prefixlen 64 alias vltime 3 pltime 2"),
)
SYSCTLS: Final = st.builds(
    lambda name, value: f"sysctl -w net.inet6.{name}={value}",
    st.sampled_from(
        (
            "ip6.forwarding",
            "ip6.forwarding",
            "ip6.redirect",
            "ip6.accept_rtadv",
            "ip6.hlim",
            "ip6.use_deprecated",
            "ip6.dad_count",
            "icmp6.rediraccept",
            "icmp6.errppslimit",
            "icmp6.nd6_delay",
        )
    ),
    st.sampled_from((0, 1, 1, 5)),
)
MOBILITY: Final = st.sampled_from(
    (
        "mip6control -S 0 -T 0",
        "mip6control -T 1",
        "mip6control -S 1",
        "mip6control -g",
        "mip6control -m",
        "mip6control -M",
        "mip6control -D 1",
        "mip6control -u ::#9",
    )
)
SECURITY: Final = st.one_of(
    st.just(setkey(*SAS)),
    st.just(setkey(SIGN)),
    st.just(setkey("flush")),
    st.just(setkey("spdflush")),
    st.builds(lambda peer: setkey(f"delete {peer} {HA} ah {SPI}"), st.sampled_from((*HOMES, CN))),
    st.builds(
        lambda peer, key: setkey(f"delete {peer} {HA} ah {SPI}", sa(peer, HA, SPI, key=key)),
        st.sampled_from(HOMES),
        KEYS,
    ),
    st.just(setkey(f"delete {CN} {HA} ah {AH_SPI}", sa(CN, HA, AH_SPI, "-lh 3 -ls 2"))),
    st.builds(
        lambda src, dst, way: setkey(f"spdadd {src} {dst} any -P {way} none"),
        st.sampled_from((CN, "::/0", *HOMES)),
        st.sampled_from((FAR, HA, "::/0")),
        st.sampled_from(("in", "out")),
    ),
    st.just(setkey(f"spdadd {CN} {HA} udp -P in ipsec ah/transport//require")),
    st.just(setkey(f"spdadd {HA} {CN} icmp6 -P out discard")),
)
PROGRAMS: Final = st.sampled_from(
    (
        f"ping6 -c 2 {CN} &",
        f"ping6 -n -c 1 -i 2 {NEIGHBOUR} &",
        "tcpdump -n -c 3 -i fxp0 ip6 &",
        "rtadvd fxp0",
        "kill rtadvd",
        "rtsol fxp0 &",
        "had fxp0",
    )
)
#: What they show must be settled: all that came before is counted.
SHOWN: Final = st.sampled_from(
    (
        "netstat -s",
        "netstat -rnf inet6",
        "netstat -in",
        "netstat -I fxp0 -s",
        "ndp -an",
        "ndp -p; ndp -r",
        "mip6control -c -n",
        "mip6stat",
        "ifconfig -a",
        "setkey -D",
        "setkey -DP",
        "sysctl -a",
        "dmesg",
    )
)
COMMANDS: Final = st.one_of(
    ROUTES, ROUTES, LINK, LINK, ADDRESSES, SYSCTLS, MOBILITY, SECURITY, PROGRAMS, SHOWN, SHOWN
)


# -- nodes ----------------------------------------------------------------------------------------

_ALL: Final = KernConf(frozenset({"MIP6", "IPSEC", "IPSEC_ESP"}), hif=1)
_FOUND: Final = RC.replace(f"ndp -s {ROUTER} 0:90:27:0:0:a1\n", "")
_HOST: Final = f"""
sysctl -w net.inet6.ip6.dad_count=0
ifconfig fxp0 inet6 {HA} prefixlen 64 alias
ndp -s {ROUTER} 0:90:27:0:0:a1
route add -inet6 default {ROUTER}
"""
NODES: Final[dict[str, Node]] = {
    "home agent": Node(RC, _ALL),
    "home agent that looks for its router": Node(_FOUND, _ALL),
    "home agent with keys": Node(RC.replace("-S 0 -T 0", "-S 0 -T 1") + setkey(*SAS) + "\n", _ALL),
    "home agent of draft 13": Node(RC, KernConf(frozenset({"MIP6", "MIP6_DRAFT13"}))),
    "router": Node("sysctl -w net.inet6.ip6.forwarding=1\n" + _HOST, KernConf()),
    "correspondent": Node(_HOST + "mip6control -S 0 -T 0\n", _ALL),
    "correspondent with keys": Node(_HOST + setkey(*SAS) + "\n", _ALL),
    "correspondent that signs": Node(
        _HOST + "mip6control -S 0 -T 1\n" + setkey(*SAS, SIGN) + "\n", _ALL
    ),
    "home agent that signs": Node(
        RC.replace("-S 0 -T 0", "-S 0 -T 1") + setkey(*SAS, SIGN) + "\n", _ALL
    ),
    "host": Node("sysctl -w net.inet6.ip6.accept_rtadv=1\n" + _HOST, KernConf()),
    "mobile node": Node(
        "sysctl -w net.inet6.ip6.accept_rtadv=1\n"
        + _HOST
        + "mip6control -S 0 -T 0\nmip6control -H2001:db8:1:: -P64\nmip6control -m\n",
        _ALL,
    ),
}


# -- stories --------------------------------------------------------------------------------------

#: The mobile nodes' registrations, with and without a signature.
REGISTRATIONS: Final = (
    *(frame(bu(c, HA, h, 1, 600, "AHS")) for h, c in zip(HOMES, AWAY, strict=False)),
    *(frame(signed(c, HA, h, 2, 600, "AHS", HOWTO_KEY)) for h, c in zip(HOMES, AWAY, strict=False)),
)
#: What shows where packets go: one of each kind.
PROBES: Final = (
    *(frame(udp(CN, dst)) for dst in (*HOMES, *AWAY, NEIGHBOUR, SECOND, STRANGER, BEHIND, EXTRA)),
    *(
        frame(ip6(coa, HA, udp(home, dst), IPPROTO_IPV6))
        for home, coa, dst in zip(HOMES, AWAY, (CN, HOMES[0], NEIGHBOUR), strict=False)
    ),
    *(frame(echo(src, HA)) for src in (CN, NEIGHBOUR, AWAY[0], HOMES[1])),
    frame(echo(CN, EXTRA)),
    frame(udp(HA, CN)),
    frame(udp(HOMES[0], CN)),
    frame(udp(NEIGHBOUR, CN), OTHER_MAC),
    frame(udp(NEIGHBOUR, ROUTER), OTHER_MAC),  # it is told that it need not ask
    frame(udp(CN, AWAY[1], bytes(1390))),
    frame(udp(CN, HOMES[1], bytes(1350))),
    frame(udp(CN, FAR), dst=NEW_MAC),
    frame(udp(HA, FAR), MAC, ROUTER_MAC),
    frame(udp(HA, FAR), NEW_MAC, ROUTER_MAC),
    frame(udp(CN, FAR), dst=bytes.fromhex("33330000beef")),
    frame(authentic(CN, HA, 1, HOWTO_KEY, 64, AH_SPI)),
)


class Step(NamedTuple):
    """After ``gap_ns`` a command, if there is one; then packets."""

    gap_ns: int
    command: str
    frames: tuple[bytes, ...]


GAPS: Final = st.sampled_from((0, 0, 1, 1000, MS, NS // 3, NS, 3 * NS, 40 * NS))
_PROBED: Final = st.one_of(
    st.just(PROBES), st.lists(st.sampled_from(PROBES), max_size=6).map(tuple)
)


def refreshed(first: int, times: int, coa: str, lifetime: int, key: bytes) -> tuple[bytes, ...]:
    """Updates of correspondents one after the other, signed, with higher and higher numbers."""
    return tuple(
        frame(signed(coa, HA, who, (first + k) & 0xFF, lifetime, flags, key))
        for k in range(times)
        for who, flags in ((CN, "A"), (FAR, "A"), (HOMES[0], "A"), (CN, ""))
    )


_MORE: Final = st.one_of(
    st.lists(FRAMES, max_size=3).map(tuple),
    st.builds(refreshed, st.integers(1, 250), st.integers(1, 3), COA, LIFETIMES, KEYS),
    st.builds(lambda data, times: (data,) * times, FRAMES, st.integers(2, 4)),
)
STEPS: Final = st.lists(
    st.one_of(
        st.builds(lambda gap, more, probes: Step(gap, "", more + probes), GAPS, _MORE, _PROBED),
        st.builds(Step, GAPS, COMMANDS, _PROBED),
    ),
    max_size=24,
)


#: Packets before the story: with a thousand or so, the batch ends in the middle of it.
BEFORE: Final = st.sampled_from((1, 1, 1, 990, 1010, 1022))
_NOTHING: Final = frame(b"", MAC, ROUTER_MAC)  # the node's own


def played(
    steps: list[Step], registered: bool, before: int = 1
) -> tuple[list[tuple[int, bytes]], list[tuple[int, str]]]:
    """Frames and commands with their times. The first packet is never for the fast path."""
    frames: list[tuple[int, bytes]] = [(0, _NOTHING)] * before
    if registered:
        frames += [(k * 1000, data) for k, data in enumerate(REGISTRATIONS)]
    commands: list[tuple[int, str]] = []
    now = frames[-1][0]
    for gap_ns, command, packets in steps:
        now += gap_ns
        if command:
            commands.append((now, command + "\n"))
        frames += [(now + k, data) for k, data in enumerate(packets)]
        now += max(len(packets) - 1, 0)
    return frames, commands
