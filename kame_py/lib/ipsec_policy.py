# SPDX-License-Identifier: BSD-3-Clause
"""IPsec policies as text: ``out ipsec esp/transport//require`` -> SADB_X_EXT_POLICY and back.

KAME: libipsec (policy_parse.y, policy_token.l, ipsec_dump_policy.c, ipsec_strerror.c).
Deviates: a word that is wrong gets the reason that fits it, where KAME's library kept the reason
of an earlier call (mostly ``Success``); unique:N beyond 16 bits is refused instead of cut; IPv4
addresses are v4-mapped in the message, ``Policy.inet`` names them. RFC 2401 s.4.4.1.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from kame_py.wire import pfkeyv2 as k
from kame_py.wire.in6addr import IN6_IS_ADDR_V4MAPPED, ntop, pton
from kame_py.wire.pfkey import SadbXPolicy, XIpsecrequest
from kame_py.wire.sockaddr import SockaddrIn6

IPPROTO_ESP: Final = 50
IPPROTO_AH: Final = 51
IPPROTO_IPCOMP: Final = 108
REQID_MAX: Final = 0xFFFF  # sadb_x_ipsecrequest_reqid has 16 bits
REQUESTS_MAX: Final = 0xFFFF * 8 // 64 - 1  # sadb_x_policy_len has 16 bits

# The words of ipsec_strerror.c, spelling included.
NOT_SUPPORTED: Final = "Not supported"
INVAL_ARGUMENT: Final = "Invalid argument"
INVAL_POLICY: Final = "Invalid security policy"
INVAL_ADDRESS: Final = "Invalid address specification"
INVAL_PROTO: Final = "Invalid ipsec protocol"
INVAL_MODE: Final = "Invalid ipsec mode"
INVAL_LEVEL: Final = "Invalid ipsec level"
INVAL_KEYLEN: Final = "Invalid key length"
INVAL_PREFIXLEN: Final = "Invalid prefix length"
INVAL_DIR: Final = "Invalid direciton"
FAMILY_MISMATCH: Final = "Family mismatch"
FEW_ARGUMENTS: Final = "Too few arguments"
NO_BUFS: Final = "No buffers available"

DIRECTIONS: Final = {"in": k.IPSEC_DIR_INBOUND, "out": k.IPSEC_DIR_OUTBOUND}
ACTIONS: Final = {
    "discard": k.IPSEC_POLICY_DISCARD,
    "none": k.IPSEC_POLICY_NONE,
    "ipsec": k.IPSEC_POLICY_IPSEC,
    "entrust": k.IPSEC_POLICY_ENTRUST,
    "bypass": k.IPSEC_POLICY_BYPASS,
}
PROTOCOLS: Final = {"esp": IPPROTO_ESP, "ah": IPPROTO_AH, "ipcomp": IPPROTO_IPCOMP}
MODES: Final = {"transport": k.IPSEC_MODE_TRANSPORT, "tunnel": k.IPSEC_MODE_TUNNEL}
LEVELS: Final = {
    "default": k.IPSEC_LEVEL_DEFAULT,
    "use": k.IPSEC_LEVEL_USE,
    "require": k.IPSEC_LEVEL_REQUIRE,
    "unique": k.IPSEC_LEVEL_UNIQUE,
}
_MODE_WORDS: Final = {**{n: word for word, n in MODES.items()}, k.IPSEC_MODE_ANY: "any"}
_UNIQUE: Final = "unique:"
_TOKEN: Final = re.compile(r"[A-Za-z0-9:._%]+|.", re.DOTALL)
_BLANKS: Final = " \t\n\r"
_DOTTED: Final = re.compile(r"[0-9]+\.[0-9]+\.[0-9]+\.[0-9]+")


class PolicyError(NamedTuple):
    """Why a text is no policy: the library's word for it, and where it stopped reading."""

    reason: str
    token: str

    def __str__(self) -> str:
        return f'libipsec: {self.reason} while parsing "{self.token}"'


class Policy(NamedTuple):
    """A policy, and the IPv4 addresses of its text: a kernel without IPv4 cannot take those."""

    sadb: SadbXPolicy
    inet: tuple[str, ...] = ()


def ipsec_set_policy(text: str) -> Policy | PolicyError:
    """The policy that a text means (ipsec_set_policy(3)).

    The direction alone is a policy of type 0, as spddelete wants it.
    """
    scan = _Scan([t for t in _TOKEN.findall(text) if t not in _BLANKS])
    try:
        return _policy(scan)
    except _Wrong as e:
        return PolicyError(e.reason, scan.last)


class _Wrong(Exception):
    """Leaves the parser; never passes ipsec_set_policy()."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(slots=True)
class _Scan:
    """The tokens of a policy. last: the one that was read or looked at last, "" at the end."""

    tokens: list[str]
    at: int = 0
    last: str = ""
    inet: list[str] = field(default_factory=list)

    def peek(self) -> str:
        self.last = self.tokens[self.at] if self.at < len(self.tokens) else ""
        return self.last

    def word(self) -> str:
        word = self.peek()
        self.at += bool(word)
        return word

    def skip(self, mark: str) -> bool:
        """Read the next token if it is ``mark``."""
        found = self.peek() == mark
        self.at += found
        return found

    def choose(self, table: dict[str, int], reason: str) -> int:
        number = table.get(self.word())
        if number is None:
            raise _Wrong(reason)
        return number


def _policy(scan: _Scan) -> Policy:
    direction = scan.choose(DIRECTIONS, INVAL_DIR)
    if not scan.peek():
        return Policy(SadbXPolicy(0, direction))
    action = scan.choose(ACTIONS, INVAL_POLICY)
    requests = []
    while scan.peek():
        requests.append(_request(scan, direction, action))
        if len(requests) > REQUESTS_MAX:
            raise _Wrong(NO_BUFS)
    if action != k.IPSEC_POLICY_IPSEC:
        requests = []  # checked for their form only, as KAME; the kernel would not look at them
    return Policy(SadbXPolicy(action, direction, 0, tuple(requests)), tuple(scan.inet))


def _request(scan: _Scan, direction: int, action: int) -> XIpsecrequest:
    """proto/mode[/[src-dst][/[level]]]."""
    proto = scan.choose(PROTOCOLS, INVAL_PROTO)
    if not scan.skip("/") or not scan.peek():
        raise _Wrong(FEW_ARGUMENTS)
    mode = scan.choose(MODES, INVAL_MODE)
    ends: tuple[SockaddrIn6, SockaddrIn6] | None = None
    level, reqid = k.IPSEC_LEVEL_DEFAULT, 0
    if scan.skip("/"):
        bare = scan.peek() in PROTOCOLS or not scan.peek()
        if not bare and not scan.skip("/"):
            ends = _addresses(scan, direction)
            bare = not scan.skip("/")
        if not bare and scan.peek() and scan.peek() not in PROTOCOLS:
            level, reqid = _level(scan)
    if ends is None and mode != k.IPSEC_MODE_TRANSPORT and action == k.IPSEC_POLICY_IPSEC:
        raise _Wrong(INVAL_ADDRESS)
    src, dst = ends or (None, None)
    return XIpsecrequest(proto, mode, level, reqid, src, dst)


def _addresses(scan: _Scan, direction: int) -> tuple[SockaddrIn6, SockaddrIn6] | None:
    """src-dst; None for me-any and any-me, which leave them to the packet."""
    first = scan.word()
    if not scan.skip("-"):
        raise _Wrong(INVAL_ADDRESS)
    second = scan.word()
    if (first, second) in (("me", "any"), ("any", "me")):
        wanted = k.IPSEC_DIR_OUTBOUND if first == "me" else k.IPSEC_DIR_INBOUND
        if direction != wanted:
            raise _Wrong(INVAL_DIR)
        return None
    src, dst = _address(scan, first), _address(scan, second)
    if bool(_DOTTED.fullmatch(first)) != bool(_DOTTED.fullmatch(second)):
        raise _Wrong(FAMILY_MISMATCH)
    return src, dst


def _address(scan: _Scan, text: str) -> SockaddrIn6:
    inet = _DOTTED.fullmatch(text) is not None
    addr = pton(f"::ffff:{text}" if inet else text)
    if addr is None:
        scan.last = text
        raise _Wrong(INVAL_ADDRESS)
    if inet:
        scan.inet.append(text)
    return SockaddrIn6(addr)


def _level(scan: _Scan) -> tuple[int, int]:
    """A level and its request id, 0 for none."""
    word = scan.peek()
    if not word.startswith(_UNIQUE):
        return scan.choose(LEVELS, INVAL_LEVEL), 0
    scan.word()
    number = word.removeprefix(_UNIQUE)
    if not (number.isascii() and number.isdigit()) or len(number) > len(str(REQID_MAX)):
        raise _Wrong(INVAL_LEVEL)
    if int(number) > REQID_MAX:
        raise _Wrong(INVAL_LEVEL)
    return k.IPSEC_LEVEL_UNIQUE, int(number)


# -- back to text --------------------------------------------------------------------------------


def ipsec_dump_policy(policy: SadbXPolicy, delimiter: str = " ") -> str:
    """The text of a policy (ipsec_dump_policy(3)), ``delimiter`` before each request."""
    head = f"{_name(DIRECTIONS, policy.dir)} {_name(ACTIONS, policy.type)}"
    return head + "".join(delimiter + dump_request(r) for r in policy.requests)


def _name(table: dict[str, int], number: int) -> str:
    return next((word for word, n in table.items() if n == number), str(number))


def dump_request(r: XIpsecrequest) -> str:
    """``proto/mode/src-dst/level``."""
    ends = "" if r.src is None or r.dst is None else f"{_end(r.src)}-{_end(r.dst)}"
    mode = _MODE_WORDS.get(r.mode, str(r.mode))
    return f"{_name(PROTOCOLS, r.proto)}/{mode}/{ends}/{level_text(r)}"


def _end(sa: SockaddrIn6) -> str:
    text = ntop(sa.addr)
    return text.rpartition(":")[2] if IN6_IS_ADDR_V4MAPPED(sa.addr) else text


def level_text(r: XIpsecrequest) -> str:
    """The level; ``unique:N`` with the user's request id, ``unique#N`` with the kernel's."""
    word = _name(LEVELS, r.level)
    if r.level != k.IPSEC_LEVEL_UNIQUE or not r.reqid:
        return word
    mark = ":" if r.reqid <= k.IPSEC_MANUAL_REQID_MAX else "#"
    return f"{word}{mark}{r.reqid}"
