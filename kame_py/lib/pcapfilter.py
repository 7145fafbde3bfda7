# SPDX-License-Identifier: BSD-3-Clause
"""Filter expressions of tcpdump: the useful part of pcap-filter(7), and what they see of a packet.

No KAME file (libpcap's grammar.y and gencode.c). Deviates: an expression becomes a function, no
program for the kernel; ``ip6 proto`` and its short forms look through extension headers; ``mip6``
is new; arithmetic on octets and IPv4 are not here. and, or have one precedence, as in libpcap.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from kame_py.wire.codecs import Ip6Dest, Ip6Hdr, Tcphdr, Udphdr
from kame_py.wire.const import (
    ETHERTYPE_IPV6,
    IP6OPT_BINDING_ACK,
    IP6OPT_BINDING_REQ,
    IP6OPT_BINDING_UPDATE,
    IP6OPT_HOME_ADDRESS,
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
)
from kame_py.wire.in6addr import ETHER_BROADCAST, mac_aton, prefix_equal, pton
from kame_py.wire.ip6ext import Walk, iter_options, walk
from kame_py.wire.malformed import Malformed
from kame_py.wire.pcapfmt import is_group_mac

DEPTH_MAX: Final = 50  # parentheses and negations inside each other
TERMS_MAX: Final = 200
ADDR_BITS: Final = 128
U16_MAX: Final = 0xFFFF
U8_MAX: Final = 0xFF

PROTOS: Final = {
    "icmp6": IPPROTO_ICMPV6,
    "udp": IPPROTO_UDP,
    "tcp": IPPROTO_TCP,
    "ah": IPPROTO_AH,
    "esp": IPPROTO_ESP,
}
PROTO_NAMES: Final = {
    **PROTOS,
    "hopopts": IPPROTO_HOPOPTS,
    "dstopts": IPPROTO_DSTOPTS,
    "route": IPPROTO_ROUTING,
    "frag": IPPROTO_FRAGMENT,
    "ip6": IPPROTO_IPV6,
    "none": IPPROTO_NONE,
}
MOBILITY: Final = frozenset(
    (IP6OPT_BINDING_UPDATE, IP6OPT_BINDING_ACK, IP6OPT_BINDING_REQ, IP6OPT_HOME_ADDRESS)
)
EITHER: Final = "src or dst"
BOTH: Final = "src and dst"
_TOKEN: Final = re.compile(r"\s*(\(|\)|&&|\|\||!=?|[^\s()!&|]+|.)", re.DOTALL)
_RESERVED: Final = frozenset(
    [
        "and",
        "or",
        "not",
        "&&",
        "||",
        "!",
        "(",
        ")",
        "src",
        "dst",
        "host",
        "net",
        "port",
        "proto",
        "ether",
        "ip6",
    ]
)


class FilterError(Exception):
    """The expression cannot be used; the text says what is wrong with it."""


class Ports(NamedTuple):
    """Ports of UDP or TCP."""

    proto: int
    src: int
    dst: int


class Packet:
    """What an expression can ask of one packet. ip6: None when it is no IPv6 packet."""

    __slots__ = ("_walk", "dhost", "ethertype", "ip6", "length", "outbound", "payload", "shost")

    def __init__(
        self,
        payload: bytes,
        ethertype: int,
        length: int,
        macs: tuple[bytes | None, bytes | None] = (None, None),
        outbound: bool = False,
    ) -> None:
        self.payload = payload
        self.ethertype = ethertype
        self.length = length
        self.dhost, self.shost = macs
        self.outbound = outbound
        head = Ip6Hdr.parse(payload) if ethertype == ETHERTYPE_IPV6 else None
        self.ip6 = None if isinstance(head, Malformed) else head
        self._walk: Walk | None = None

    def chain(self) -> Walk | None:
        """The extension headers; None when it is no IPv6 packet."""
        if self._walk is None and self.ip6 is not None:
            self._walk = walk(self.payload, self.ip6.ip6_nxt, Ip6Hdr.SIZE, len(self.payload))
        return self._walk

    def has_proto(self, proto: int) -> bool:
        """A header of this protocol is in the chain or follows it."""
        chain = self.chain()
        if chain is None:
            return False
        return chain.nxt == proto or any(hdr.nxt_type == proto for hdr in chain.headers)

    def ports(self) -> Ports | None:
        chain = self.chain()
        if chain is None or chain.fragment or chain.error is not None:
            return None
        head: Udphdr | Tcphdr | Malformed
        if chain.nxt == IPPROTO_UDP:
            head = Udphdr.parse(self.payload, chain.off)
            return _ports_of_udp(head) if isinstance(head, Udphdr) else None
        if chain.nxt == IPPROTO_TCP:
            head = Tcphdr.parse(self.payload, chain.off)
            return _ports_of_tcp(head) if isinstance(head, Tcphdr) else None
        return None

    def mobile(self) -> bool:
        """Has an option of Mobile IPv6."""
        chain = self.chain()
        if chain is None:
            return False
        return any(
            not isinstance(opt, Malformed) and opt.type in MOBILITY
            for hdr in chain.headers
            if hdr.nxt_type == IPPROTO_DSTOPTS
            for opt in iter_options(self.payload, hdr.off + Ip6Dest.SIZE, hdr.off + hdr.len)
        )


def _ports_of_udp(head: Udphdr) -> Ports:
    return Ports(IPPROTO_UDP, head.uh_sport, head.uh_dport)


def _ports_of_tcp(head: Tcphdr) -> Ports:
    return Ports(IPPROTO_TCP, head.th_sport, head.th_dport)


Match = Callable[[Packet], bool]


@dataclass(slots=True)
class Filter:
    """A parsed expression. names: host names in it; whoever parsed it fills in their addresses."""

    matches: Match
    names: dict[str, tuple[bytes, ...]] = field(default_factory=dict)


def parse(words: Iterable[str]) -> Filter:
    """The filter of an expression; no words match everything. FilterError."""
    tokens = [t for t in _TOKEN.findall(" ".join(words)) if t.strip()]
    if not tokens:
        return Filter(lambda p: True)
    parser = _Parser(tokens)
    matches = parser.expression(0)
    rest = parser.peek()
    if rest is not None:
        raise FilterError(f"`and` or `or` is expected before {rest}")
    return Filter(matches, parser.names)


# -- grammar --------------------------------------------------------------------------------------


class _Qualifiers(NamedTuple):
    """What stands before an identifier: ``udp src port``."""

    proto: str = ""
    dir: str = ""
    type: str = ""


class _Parser:
    """One expression on its way from tokens to a function."""

    def __init__(self, tokens: list[str]) -> None:
        self._tokens = tokens
        self._at = 0
        self._terms = 0
        self._last: _Qualifiers | None = None  # of the identifier before: ``host a or b``
        self.names: dict[str, tuple[bytes, ...]] = {}

    def peek(self) -> str | None:
        return self._tokens[self._at] if self._at < len(self._tokens) else None

    def _accept(self, *wanted: str) -> str | None:
        token = self.peek()
        if token is None or token not in wanted:
            return None
        self._at += 1
        return token

    def _next(self, what: str) -> str:
        token = self.peek()
        if token is None or token in _RESERVED:
            raise FilterError(f"{what} is expected {_where(token)}")
        self._at += 1
        return token

    def expression(self, depth: int) -> Match:
        left = self._term(depth)
        while word := self._accept("and", "&&", "or", "||"):
            left = _joined(left, self._term(depth), word in ("and", "&&"))
        return left

    def _term(self, depth: int) -> Match:
        self._terms += 1
        if depth > DEPTH_MAX or self._terms > TERMS_MAX:
            raise FilterError("too long an expression")
        if self._accept("not", "!"):
            inner = self._term(depth + 1)
            return lambda p: not inner(p)
        if self._accept("("):
            inner = self.expression(depth + 1)
            if not self._accept(")"):
                raise FilterError(f") is expected {_where(self.peek())}")
            return inner
        return self._primitive()

    def _primitive(self) -> Match:
        word = self.peek()
        if word in _WORDS:
            self._at += 1
            return _WORDS[word]
        if word in ("less", "greater"):
            self._at += 1
            limit = _number(self._next(f"a length behind {word}"), U16_MAX * U16_MAX)
            return _length(limit, word == "less")
        q = self._qualifiers()
        if q == _Qualifiers():
            if word is None or word in _RESERVED:
                raise FilterError(f"a condition is expected {_where(word)}")
            if self._last is None:
                if not _is_host(word):
                    raise FilterError(f"{word}: not understood")
                q = _Qualifiers(type="host")
            else:
                q = self._last
        elif q.proto and not q.dir and not q.type:
            return self._bare_proto(q.proto)
        return self._identifier(q)

    def _bare_proto(self, proto: str) -> Match:
        """``udp``, ``ip6``; ``ether MULTICAST`` and the like are identifiers of their own."""
        following = self.peek()
        special = _SPECIAL.get((proto, following or ""))
        if special is not None:
            self._at += 1
            return special
        if proto == "ether":
            return self._identifier(_Qualifiers("ether", "", "host"))
        return _is_ip6 if proto == "ip6" else _proto(PROTOS[proto])

    def _qualifiers(self) -> _Qualifiers:
        proto = self._accept("ip6", "ether", *PROTOS) or ""
        direction = self._direction()
        kind = self._accept("host", "net", "port", "proto", "protochain") or ""
        if kind == "protochain":
            kind = "proto"
        if direction and not kind:
            kind = "host"
        return _Qualifiers(proto, direction, kind)

    def _direction(self) -> str:
        first = self._accept("src", "dst")
        if first is None:
            return ""
        other = "dst" if first == "src" else "src"
        for both in (EITHER, BOTH):
            if self._tokens[self._at : self._at + 2] == [both.split()[1], other]:
                self._at += 2
                return both
        return first

    def _identifier(self, q: _Qualifiers) -> Match:
        self._last = q
        make = _MAKERS.get((q.proto, q.type))
        if make is None:
            raise FilterError(f"{' '.join(w for w in q if w)}: does not go together")
        return make(self, q, self._next(f"a value behind {' '.join(w for w in q if w)}"))

    # -- identifiers ------------------------------------------------------------------------------

    def host(self, q: _Qualifiers, text: str) -> Match:
        addr = pton(text.partition("%")[0])
        if addr is not None:
            return _address(q.dir, (addr,).__contains__)
        if not _is_host(text):
            raise FilterError(f"{text}: not an address or a host name")
        names = self.names
        names.setdefault(text, ())
        return _address(q.dir, lambda a: a in names[text])

    def net(self, q: _Qualifiers, text: str) -> Match:
        prefix, slash, length = text.partition("/")
        addr = pton(prefix)
        if addr is None:
            raise FilterError(f"{text}: not a prefix")
        plen = _number(length, ADDR_BITS) if slash else ADDR_BITS
        return _address(q.dir, lambda a: prefix_equal(a, addr, plen))

    def port(self, q: _Qualifiers, text: str) -> Match:
        port, proto, direction = _number(text, U16_MAX), PROTOS.get(q.proto), q.dir

        def matches(p: Packet) -> bool:
            found = p.ports()
            if found is None or proto not in (None, found.proto):
                return False
            return _sides(direction, found.src == port, found.dst == port)

        return matches

    def proto(self, q: _Qualifiers, text: str) -> Match:
        if q.dir:
            raise FilterError(f"{q.dir} proto: does not go together")
        name = text.removeprefix("\\")
        known = PROTO_NAMES.get(name)
        return _proto(_number(text, U8_MAX) if known is None else known)

    def ether_proto(self, q: _Qualifiers, text: str) -> Match:
        name = text.removeprefix("\\")
        number = ETHERTYPE_IPV6 if name == "ip6" else _number(text, U16_MAX)
        return lambda p: p.dhost is not None and p.ethertype == number

    def ether_host(self, q: _Qualifiers, text: str) -> Match:
        mac, direction = mac_aton(text), q.dir
        if mac is None:
            raise FilterError(f"{text}: not an Ethernet address")
        return lambda p: _sides(direction, p.shost == mac, p.dhost == mac)


_Maker = Callable[[_Parser, _Qualifiers, str], Match]
_MAKERS: Final[dict[tuple[str, str], _Maker]] = {
    ("", "host"): _Parser.host,
    ("ip6", "host"): _Parser.host,
    ("", "net"): _Parser.net,
    ("ip6", "net"): _Parser.net,
    ("", "port"): _Parser.port,
    ("ip6", "port"): _Parser.port,
    ("udp", "port"): _Parser.port,
    ("tcp", "port"): _Parser.port,
    ("", "proto"): _Parser.proto,
    ("ip6", "proto"): _Parser.proto,
    ("ether", "proto"): _Parser.ether_proto,
    ("ether", "host"): _Parser.ether_host,
}


# -- conditions -----------------------------------------------------------------------------------


def _joined(left: Match, right: Match, both: bool) -> Match:
    if both:
        return lambda p: left(p) and right(p)
    return lambda p: left(p) or right(p)


def _sides(direction: str, src: bool, dst: bool) -> bool:
    if direction == BOTH:
        return src and dst
    return (src and direction != "dst") or (dst and direction != "src")


def _address(direction: str, fits: Callable[[bytes], bool]) -> Match:
    def matches(p: Packet) -> bool:
        ip6 = p.ip6
        return ip6 is not None and _sides(direction, fits(ip6.ip6_src), fits(ip6.ip6_dst))

    return matches


def _proto(number: int) -> Match:
    return lambda p: p.has_proto(number)


def _is_ip6(p: Packet) -> bool:
    return p.ethertype == ETHERTYPE_IPV6


def _length(limit: int, less: bool) -> Match:
    return (lambda p: p.length <= limit) if less else (lambda p: p.length >= limit)


def _is_group(p: Packet) -> bool:
    return p.ip6 is not None and p.ip6.ip6_dst >= b"\xff"


def _is_ether_group(p: Packet) -> bool:
    return p.dhost is not None and is_group_mac(p.dhost)


_WORDS: Final[dict[str | None, Match]] = {
    "mip6": Packet.mobile,
    "inbound": lambda p: not p.outbound,
    "outbound": lambda p: p.outbound,
    "multicast": lambda p: _is_ether_group(p) or _is_group(p),
    "broadcast": lambda p: p.dhost == ETHER_BROADCAST,
}
_SPECIAL: Final[dict[tuple[str, str], Match]] = {
    ("ip6", "multicast"): _is_group,
    ("ether", "multicast"): _is_ether_group,
    ("ether", "broadcast"): _WORDS["broadcast"],
}


def _is_host(text: str) -> bool:
    """An address, or what a name of a host may look like."""
    known = pton(text.partition("%")[0]) is not None
    return known or re.fullmatch(r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_])?", text) is not None


def _number(text: str, limit: int) -> int:
    hexadecimal = re.fullmatch(r"0[xX][0-9a-fA-F]{1,8}", text)
    if not hexadecimal and not re.fullmatch(r"[0-9]{1,10}", text):
        raise FilterError(f"{text}: not a number")
    value = int(text, 16 if hexadecimal else 10)
    if value > limit:
        raise FilterError(f"{text}: more than {limit}")
    return value


def _where(token: str | None) -> str:
    return "at the end" if token is None else f"before {token}"
