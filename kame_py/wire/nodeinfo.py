# SPDX-License-Identifier: BSD-3-Clause
"""Names, groups and bitmaps of ICMPv6 node information (KAME icmp6.c ni6_*, in6_nigroup).

Deviates: a name is compared label by label after both were taken apart. RFC 4620, whose group
address has only 24 bits of the digest where the drafts, KAME and this have 32.
"""

from __future__ import annotations

import hashlib
from typing import Final

from kame_py.wire.codecs import NiSuptypesRun
from kame_py.wire.patch import Buf, u32

MAXLABEL: Final = 63  # RFC 1035 s.2.3.4
QTYPES_MAX: Final = 65536
WORD_BITS: Final = 32
WORD_SIZE: Final = 4
FQDN_DOTS: Final = 2  # KAME takes a name with fewer dots for one that was cut short
_NIGROUP: Final = b"\xff\x02" + bytes(9) + b"\x02"  # ff02::2:0:0/96

#: A name taken apart: its labels, and whether it is only the beginning of the whole name.
Name = tuple[tuple[bytes, ...], bool]


def in6_nigroup(name: str) -> bytes | None:
    """The group in which a node of this name listens, clear form; None when a label is too long.

    The digest is that of the first label in small letters with its length in front.
    """
    label = name.partition(".")[0].encode().lower()
    if len(label) > MAXLABEL:
        return None
    digest = hashlib.md5(bytes((len(label),)) + label, usedforsecurity=False).digest()
    return _NIGROUP + digest[:4]


# -- names ----------------------------------------------------------------------------------------


def ni6_nametodns(name: str) -> bytes | None:
    """The name as labels; a cut one ends in two empty labels. None when a label does not fit."""
    if not name:
        return b""
    labels = name.encode().removesuffix(b".").split(b".")
    if not all(0 < len(label) <= MAXLABEL for label in labels):
        return None
    cut = len(labels) - 1 < FQDN_DOTS
    return b"".join(bytes((len(label),)) + label for label in labels) + bytes(2 if cut else 1)


def ni6_pascal(name: str) -> bytes:
    """The name of the old format (draft 03): one octet of length, then the text."""
    text = name.encode()[:255]
    return bytes((len(text),)) + text


def dns_names(data: Buf) -> tuple[Name, ...] | None:
    """All names of a reply; None when they are not well formed."""
    out: list[Name] = []
    at = 0
    while at < len(data):
        labels: list[bytes] = []
        while data[at]:
            size = data[at]
            if size > MAXLABEL or at + 1 + size >= len(data):
                return None
            labels.append(bytes(data[at + 1 : at + 1 + size]))
            at += 1 + size
        at += 1
        cut = bool(labels) and at < len(data) and data[at] == 0
        out.append((tuple(labels), cut))
        at += cut
    return tuple(out)


def ni6_dnsmatch(a: Buf, b: Buf) -> bool:
    """Whether two names may be those of one node; a cut name matches all that begin like it."""
    first, second = dns_names(a), dns_names(b)
    if first is None or second is None or len(first) != 1 or len(second) != 1:
        return False
    (x, x_cut), (y, y_cut) = first[0], second[0]
    x, y = _folded(x), _folded(y)
    if not x or not y:
        return False
    return x == y or (x_cut and y[: len(x)] == x) or (y_cut and x[: len(y)] == y)


def _folded(labels: tuple[bytes, ...]) -> tuple[bytes, ...]:
    return tuple(label.lower() for label in labels)


# -- bitmaps of query types -----------------------------------------------------------------------


def suptypes(data: Buf, compressed: bool) -> list[tuple[int, int]] | None:
    """The ranges of query types in a bitmap, first and last of each; None: not well formed."""
    words = _runs(data) if compressed else _words(data, 0)
    if words is None:
        return None
    ranges: list[tuple[int, int]] = []
    for base, word in words:
        for bit in range(WORD_BITS):
            if word >> bit & 1:
                kind = base + bit
                if ranges and ranges[-1][1] == kind - 1:
                    ranges[-1] = (ranges[-1][0], kind)
                else:
                    ranges.append((kind, kind))
    return ranges


def _words(data: Buf, base: int) -> list[tuple[int, int]] | None:
    """(first query type, 32 bits) of an uncompressed bitmap."""
    if not data or len(data) % WORD_SIZE or base + len(data) * 8 > QTYPES_MAX:
        return None
    return [(base + at * 8, u32(data, at)) for at in range(0, len(data), WORD_SIZE)]


def _runs(data: Buf) -> list[tuple[int, int]] | None:
    out: list[tuple[int, int]] = []
    base = at = 0
    while at < len(data):
        if at + NiSuptypesRun.SIZE > len(data):
            return None
        run = NiSuptypesRun.unpack(data, at)
        at += NiSuptypesRun.SIZE
        end = at + run.ni_run_words * WORD_SIZE
        words = _words(data[at:end], base) if run.ni_run_words else []
        if words is None or end > len(data):
            return None
        out += words
        base += (run.ni_run_words + run.ni_run_skip) * WORD_BITS
        at = end
    return out
