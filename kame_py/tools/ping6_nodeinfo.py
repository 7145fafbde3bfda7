# SPDX-License-Identifier: BSD-3-Clause
"""Node information queries of ping6 and what it prints about their answers.

KAME: pinger(), pr_suptypes(), pr_nodeaddr(), nigroup() of ping6.c. Deviates: the codes of refusals
are read right on every machine; what is cut short prints as ???. RFC 4620, except for the group.
"""

from __future__ import annotations

from typing import Final

from kame_py.lib.getopt import ParsedArgs
from kame_py.lib.toolbase import Json, ToolError, UsageError
from kame_py.wire.codecs import Icmp6Hdr, Icmp6Nodeinfo, NiReplyAddr, NiReplyFqdn
from kame_py.wire.const import (
    ICMP6_NI_QUERY,
    ICMP6_NI_REFUSED,
    ICMP6_NI_REPLY,
    ICMP6_NI_SUBJ_FQDN,
    ICMP6_NI_SUBJ_IPV6,
    ICMP6_NI_SUCCESS,
    ICMP6_NI_UNKNOWN,
    NI_FQDN_FLAG_VALIDTTL,
    NI_NODEADDR_FLAG_ALL,
    NI_NODEADDR_FLAG_ANYCAST,
    NI_NODEADDR_FLAG_COMPAT,
    NI_NODEADDR_FLAG_GLOBAL,
    NI_NODEADDR_FLAG_LINKLOCAL,
    NI_NODEADDR_FLAG_SITELOCAL,
    NI_NODEADDR_FLAG_TRUNCATE,
    NI_QTYPE_FQDN,
    NI_QTYPE_NODEADDR,
    NI_QTYPE_NOOP,
    NI_QTYPE_SUPTYPES,
    NI_SUPTYPE_FLAG_COMPRESS,
)
from kame_py.wire.in6addr import ntop
from kame_py.wire.nodeinfo import Name, dns_names, in6_nigroup, suptypes
from kame_py.wire.patch import put_u16, u16
from kame_py.wire.record import record
from kame_py.wire.sockaddr import SockaddrIn6

QUERIES: Final = "atwW"  # the last one given counts
NONCE_SIZE: Final = 8  # its first two octets count the queries, the rest tells ours from others'
NONCE_SEQ: Final = 2
ADDR_SIZE: Final = 16
_ADDR_LETTERS: Final = {
    "a": NI_NODEADDR_FLAG_ALL,
    "c": NI_NODEADDR_FLAG_COMPAT,
    "C": NI_NODEADDR_FLAG_COMPAT,
    "l": NI_NODEADDR_FLAG_LINKLOCAL,
    "L": NI_NODEADDR_FLAG_LINKLOCAL,
    "s": NI_NODEADDR_FLAG_SITELOCAL,
    "S": NI_NODEADDR_FLAG_SITELOCAL,
    "g": NI_NODEADDR_FLAG_GLOBAL,
    "G": NI_NODEADDR_FLAG_GLOBAL,
    "A": NI_NODEADDR_FLAG_ANYCAST,
}
_REFUSALS: Final = {ICMP6_NI_REFUSED: "refused", ICMP6_NI_UNKNOWN: "unknown"}


@record
class NiQuery:
    """What is asked instead of an echo. subject: the destination follows the header."""

    qtype: int
    code: int = ICMP6_NI_SUBJ_IPV6
    flags: int = 0
    subject: bool = True

    @property
    def size(self) -> int:
        """Octets of the message."""
        return Icmp6Nodeinfo.SIZE + (ADDR_SIZE if self.subject else 0)

    def message(self, seq: int, salt: bytes, dst: bytes) -> bytes:
        """The query with this number."""
        head = Icmp6Nodeinfo(
            ni_type=ICMP6_NI_QUERY,
            ni_code=self.code,
            ni_qtype=self.qtype,
            ni_flags=self.flags,
            icmp6_ni_nonce=put_u16(bytes(NONCE_SEQ) + salt, 0, seq),
        )
        return head.pack() + (dst if self.subject else b"")


def ni_query(args: ParsedArgs) -> NiQuery | None:
    """-a, -t, -w or -W; None: plain echo requests."""
    given = [option for option in args.options if option.letter in QUERIES]
    if not given:
        return None
    letter, word = given[-1].letter, given[-1].arg
    if letter == "w":
        return NiQuery(NI_QTYPE_FQDN)
    if letter == "W":
        return NiQuery(NI_QTYPE_FQDN, code=0, subject=False)
    if letter == "t":
        # An empty name is about whoever gets the query; we read compressed bitmaps.
        flags = NI_SUPTYPE_FLAG_COMPRESS
        return NiQuery(NI_QTYPE_SUPTYPES, ICMP6_NI_SUBJ_FQDN, flags, subject=False)
    flags = 0
    for char in word or "":
        if char not in _ADDR_LETTERS:
            raise UsageError
        flags |= _ADDR_LETTERS[char]
    return NiQuery(NI_QTYPE_NODEADDR, flags=flags)


def nigroup(host: str) -> SockaddrIn6:
    """-N: the group in which a node of that name listens."""
    group = in6_nigroup(host)
    if group is None:
        raise ToolError(host, "name too long for a node information group")
    return SockaddrIn6(group)


def ni_seq(data: bytes, salt: bytes) -> int | None:
    """The number of the query that this message answers; None when it is no answer to us."""
    if len(data) < Icmp6Nodeinfo.SIZE or Icmp6Hdr.unpack(data).icmp6_type != ICMP6_NI_REPLY:
        return None
    nonce = Icmp6Nodeinfo.unpack(data).icmp6_ni_nonce
    return u16(nonce, 0) if nonce[NONCE_SEQ:] == salt else None


# -- answers as text ------------------------------------------------------------------------------


def ni_text(data: bytes, verbose: bool) -> str:
    """What an answer says; lines in it end with \\n but for the last."""
    head = Icmp6Nodeinfo.unpack(data)
    if head.ni_code != ICMP6_NI_SUCCESS:
        what = _REFUSALS.get(head.ni_code, f"unknown code 0x{head.ni_code:x}")
        return f"{what}, type 0x{head.ni_type:x}"
    body = data[Icmp6Nodeinfo.SIZE :]
    if head.ni_qtype == NI_QTYPE_NOOP:
        return "NodeInfo NOOP"
    if head.ni_qtype == NI_QTYPE_SUPTYPES:
        return _suptypes_text(head, body, verbose)
    if head.ni_qtype == NI_QTYPE_NODEADDR:
        return _nodeaddr_text(head, body, verbose)
    return _fqdn_text(head, body, verbose)


def _suptypes_text(head: Icmp6Nodeinfo, body: bytes, verbose: bool) -> str:
    compressed = bool(head.ni_flags & NI_SUPTYPE_FLAG_COMPRESS)
    text = "NodeInfo Supported Qtypes"
    if verbose:
        text += ", compressed bitmap" if compressed else ", raw bitmap"
    ranges = suptypes(body, compressed)
    if ranges is None:
        return text + "???"
    return text + "".join(f" {lo}" if lo == hi else f" {lo}-{hi}" for lo, hi in ranges)


def _nodeaddr_text(head: Icmp6Nodeinfo, body: bytes, verbose: bool) -> str:
    text = " truncated" if verbose and head.ni_flags & NI_NODEADDR_FLAG_TRUNCATE else ""
    lines = [
        f"  {addr}" + ("" if ttl is None else f"(TTL={_ttl(ttl)})") for addr, ttl in ni_addrs(body)
    ]
    return "\n".join([text, *(lines or ["  no address"])])


def _ttl(seconds: int) -> str:
    return "infty" if seconds == 0xFFFFFFFF else str(seconds)


def ni_addrs(body: bytes) -> list[tuple[str, int | None]]:
    """(address, seconds) of an answer; drafts before 05 had no times."""
    if len(body) % NiReplyAddr.SIZE:
        whole = range(0, len(body), ADDR_SIZE)
        cut = (body[at : at + ADDR_SIZE] for at in whole)
        return [(ntop(addr) if len(addr) == ADDR_SIZE else "???", None) for addr in cut]
    rows = (NiReplyAddr.unpack(body, at) for at in range(0, len(body), NiReplyAddr.SIZE))
    return [(ntop(row.ni_addr_addr), row.ni_addr_ttl) for row in rows]


def ni_names(body: bytes) -> list[str] | None:
    """The names of an answer, those that end with a dot whole; None when they are no names."""
    if len(body) < NiReplyFqdn.SIZE:
        return None
    data = body[NiReplyFqdn.SIZE :]
    if _is_old(data):
        return [_printable(data[1:])]
    names = dns_names(data)
    return None if names is None else [_name_text(name) for name in names]


def _is_old(data: bytes) -> bool:
    """Whether this is one name with its length in front (draft 03)."""
    return bool(data) and data[0] == len(data) - 1


def _name_text(name: Name) -> str:
    labels, cut = name
    return ".".join(_printable(label) for label in labels) + ("" if cut else ".")


def _printable(text: bytes) -> str:
    return "".join(chr(c) if 0x20 < c < 0x7F else f"\\{c:03o}" for c in text)


def _fqdn_text(head: Icmp6Nodeinfo, body: bytes, verbose: bool) -> str:
    names = ni_names(body)
    text = "???" if names is None else ",".join(names)
    if not verbose or len(body) < NiReplyFqdn.SIZE:
        return text
    ttl = NiReplyFqdn.unpack(body).ni_fqdn_ttl
    if ttl & 0x80000000:
        ttl -= 1 << 32
    notes = [f"TTL={ttl}"]
    if not head.ni_flags & NI_FQDN_FLAG_VALIDTTL:
        notes = [f"TTL={ttl}:meaningless"]
    elif ttl < 0:
        notes = [f"TTL={ttl}:invalid"]
    data = body[NiReplyFqdn.SIZE :]
    if _is_old(data):
        notes.append("03 draft")
    elif not data:
        notes.append("no name")
    return f"{text} ({','.join(notes)})"


# -- answers as JSON ------------------------------------------------------------------------------


def ni_json(data: bytes) -> dict[str, Json]:
    """What an answer says, for --json."""
    head = Icmp6Nodeinfo.unpack(data)
    out: dict[str, Json] = {"qtype": head.ni_qtype, "code": head.ni_code, "flags": head.ni_flags}
    if head.ni_code != ICMP6_NI_SUCCESS:
        return out
    body = data[Icmp6Nodeinfo.SIZE :]
    if head.ni_qtype == NI_QTYPE_SUPTYPES:
        ranges = suptypes(body, bool(head.ni_flags & NI_SUPTYPE_FLAG_COMPRESS)) or []
        out["qtypes"] = [kind for lo, hi in ranges for kind in range(lo, hi + 1)]
    elif head.ni_qtype == NI_QTYPE_NODEADDR:
        out["addresses"] = [{"addr": addr, "ttl": ttl} for addr, ttl in ni_addrs(body)]
    elif head.ni_qtype != NI_QTYPE_NOOP:
        out["names"] = [*(ni_names(body) or [])]
    return out
