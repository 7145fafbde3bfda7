# SPDX-License-Identifier: BSD-3-Clause
"""The walker over IPv6 extension headers and options, and the builders of such headers.

Corresponds to ip6_nexthdr/ip6_lasthdr and ip6_unknown_opt's loop in KAME ip6_input.c, and to the
option layout code in mip6_hacore.c. Deviates: one walker for all users; nothing is raised on bad
input. RFC 2460 s.4.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Final, NamedTuple

from kame_py.wire.codecs import Ip6Dest, Ip6Frag, Ip6Rthdr0
from kame_py.wire.const import (
    IP6F_OFF_MASK,
    IP6OPT_PAD1,
    IP6OPT_PADN,
    IPPROTO_AH,
    IPPROTO_DSTOPTS,
    IPPROTO_FRAGMENT,
    IPPROTO_HOPOPTS,
    IPPROTO_ROUTING,
    IPV6_HDRNESTLIMIT,
    IPV6_RTHDR_TYPE_0,
)
from kame_py.wire.malformed import Malformed
from kame_py.wire.patch import Buf, u16

_DEST_HDR: Final = Ip6Dest.SIZE
_pack_rthdr0: Final = Ip6Rthdr0.pack_fields
_UNIT_8OCT: Final = frozenset((IPPROTO_HOPOPTS, IPPROTO_ROUTING, IPPROTO_DSTOPTS))
_WALKED: Final = _UNIT_8OCT | {IPPROTO_FRAGMENT, IPPROTO_AH}
_PADDING: Final = tuple(  # up to the boundary of 8 octets
    bytes((IP6OPT_PADN, size - 2)) + bytes(size - 2) if size > 1 else bytes(size)
    for size in range(8)
)
_AROUND_MAX: Final = 1024  # shapes of headers with one option that are remembered
_MAX_EXT_LEN: Final = 8 * 256  # RFC 2460 s.4.3: 8-bit length in 8-octet units, first not counted


class ExtHdr(NamedTuple):
    """One extension header: its own protocol number, where it starts, its length in octets."""

    nxt_type: int
    off: int
    len: int


class Walk(NamedTuple):
    """The extension headers of a packet and where the walk ended.

    nxt and off name the first thing that was not walked over: the upper-layer protocol, ESP, no
    next header, or the bad header when error is set. fragment is true when off points into the
    middle of a datagram, that is behind a Fragment header with a nonzero offset.
    """

    headers: tuple[ExtHdr, ...]
    nxt: int
    off: int
    fragment: bool
    error: Malformed | None


class Opt(NamedTuple):
    """One option of an options header; Pad1 has no data."""

    type: int
    off: int
    data_off: int
    data_len: int

    @property
    def end(self) -> int:
        """The offset behind the option."""
        return self.data_off + self.data_len


class AlignedOpt(NamedTuple):
    """A whole option (type, length, data) and its alignment n*x+y from the header's start."""

    data: bytes
    align: int = 1
    plus: int = 0


def exthdr_len(data: Buf, nxt: int, off: int, end: int) -> int | Malformed:
    """Octets of the extension header nxt at off; nxt is one that has a length."""
    if nxt == IPPROTO_FRAGMENT:
        size = Ip6Frag.SIZE
    elif end - off < 2:
        return Malformed("extension header truncated", off)
    elif nxt == IPPROTO_AH:
        size = (data[off + 1] + 2) << 2  # RFC 2402 s.2.2
    else:
        size = (data[off + 1] + 1) << 3
    if size > end - off:
        return Malformed("extension header longer than the packet", off)
    return size


def walk(data: Buf, nxt: int, off: int, end: int, limit: int = IPV6_HDRNESTLIMIT) -> Walk:
    """Step over the extension headers from off on; nxt is the type of the header there.

    end is the end of the packet in data. At most limit headers are walked. ESP ends the walk.
    Source: KAME ip6_input.c ip6_nexthdr; RFC 2460 s.4.
    """
    headers: list[ExtHdr] = []
    end = min(end, len(data))
    while nxt in _WALKED:
        if len(headers) == limit:
            return Walk(tuple(headers), nxt, off, False, Malformed("too many headers", off))
        size = exthdr_len(data, nxt, off, end)
        if isinstance(size, Malformed):
            return Walk(tuple(headers), nxt, off, False, size)
        headers.append(ExtHdr(nxt, off, size))
        later = nxt == IPPROTO_FRAGMENT and u16(data, off + Ip6Frag.O_ip6f_offlg) & IP6F_OFF_MASK
        nxt = data[off]
        off += size
        if later:
            return Walk(tuple(headers), nxt, off, True, None)
    return Walk(tuple(headers), nxt, off, False, None)


def iter_options(data: Buf, off: int, end: int) -> Iterator[Opt | Malformed]:
    """The options in data[off:end], padding included; Malformed, if any, comes last.

    off is behind the two octets of the header. Malformed points at the option's length octet.
    """
    end = min(end, len(data))
    while off < end:
        kind = data[off]
        if kind == IP6OPT_PAD1:
            yield Opt(kind, off, off + 1, 0)
            off += 1
            continue
        if end - off < 2:
            yield Malformed("option without length", off)
            return
        size = data[off + 1]
        if off + 2 + size > end:
            yield Malformed("option longer than its header", off + 1)
            return
        yield Opt(kind, off, off + 2, size)
        off += 2 + size


def padding(size: int) -> bytes:
    """Pad1 or PadN of size octets in all; size up to 257."""
    if size < len(_PADDING):
        return _PADDING[size]
    return bytes((IP6OPT_PADN, size - 2)) + bytes(size - 2)


def pad_before(at: int, align: int, plus: int) -> int:
    """Octets of padding that bring the offset at to the form align*n+plus."""
    return (plus - at) % align


def lay_out(options: Iterable[AlignedOpt], at: int) -> bytes:
    """The options one behind the other from offset at on, padded where alignment asks for it."""
    out = b""
    for data, align, plus in options:
        gap = (plus - at - len(out)) % align
        out += padding(gap) + data if gap else data
    return out


def build_options(nxt: int, options: Iterable[AlignedOpt]) -> bytes:
    """A hop-by-hop or destination options header, padded to 8 octets.

    Raises ValueError when the options do not fit the 8-bit length field.
    Source: KAME mip6_hacore.c option layout; RFC 2460 s.4.2, App. B.
    """
    body = lay_out(options, _DEST_HDR)
    head, tail = _around(nxt, len(body))
    return head + body + tail


def build_option(nxt: int, option: bytes, align: int = 1, plus: int = 0) -> bytes:
    """The same with one option of that alignment."""
    head, tail = around_option(nxt, len(option), align, plus)
    return head + option + tail


def _around(nxt: int, octets: int) -> tuple[bytes, bytes]:
    """What stands before and behind so many octets of options."""
    size = _DEST_HDR + octets
    gap = -size & 7
    size += gap
    if size > _MAX_EXT_LEN:
        raise ValueError(f"options need {size} octets, a header holds {_MAX_EXT_LEN}")
    return Ip6Dest.pack_fields(nxt, (size >> 3) - 1), _PADDING[gap]


@lru_cache(maxsize=_AROUND_MAX)
def around_option(nxt: int, octets: int, align: int, plus: int) -> tuple[bytes, bytes]:
    """What stands before and behind an option that is alone in its header, padding included."""
    gap = padding(pad_before(_DEST_HDR, align, plus))
    head, tail = _around(nxt, len(gap) + octets)
    return head + gap, tail


def build_rthdr0(nxt: int, addrs: Sequence[bytes], segleft: int, reserved: int = 0) -> bytes:
    """A type 0 routing header (RFC 2460 s.4.4); at most 127 addresses."""
    size = 2 * len(addrs)
    head = _pack_rthdr0(nxt, size, IPV6_RTHDR_TYPE_0, segleft, reserved)
    return head + b"".join(addrs)


def rthdr0_addrs(data: Buf, hdr: ExtHdr) -> tuple[bytes, ...] | Malformed:
    """The addresses of the type 0 routing header that the walker found."""
    start = hdr.off + Ip6Rthdr0.SIZE
    if hdr.len % 16 != Ip6Rthdr0.SIZE:
        return Malformed("routing header length is odd", hdr.off + Ip6Rthdr0.O_ip6r0_len)
    return tuple(bytes(data[o : o + 16]) for o in range(start, hdr.off + hdr.len, 16))
