# SPDX-License-Identifier: BSD-3-Clause
"""Reassembly of fragments.

KAME frag6.c. Deviates: overlaps discard the whole datagram (RFC 5722), a fragment that is alone
is taken alone (RFC 6946), a first fragment must hold all headers (RFC 7112), and each datagram
has its own 60 second timer. RFC 8200 s.4.5.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

from sortedcontainers import SortedDict

from kame_py.kern.clock import NS
from kame_py.kern.drop import D, DropReason, drop
from kame_py.kern.mbuf import (
    M_AUTHIPDGM,
    M_AUTHIPHDR,
    M_DECRYPTED,
    M_FRAG,
    Fate,
    Mbuf,
    settle,
    trace,
)
from kame_py.kern.protosw import DONE
from kame_py.netinet6.icmp6_error import icmp6_error
from kame_py.netinet6.prevhdr import ip6_get_prevhdr
from kame_py.wire.codecs import Icmp6Hdr, Ip6Frag, Ip6Hdr, Tcphdr, Udphdr
from kame_py.wire.const import (
    ICMP6_PARAM_PROB,
    ICMP6_PARAMPROB_HEADER,
    ICMP6_TIME_EXCEED_REASSEMBLY,
    ICMP6_TIME_EXCEEDED,
    IP6F_MORE_FRAG,
    IP6F_OFF_MASK,
    IPPROTO_ICMPV6,
    IPPROTO_NONE,
    IPPROTO_TCP,
    IPPROTO_UDP,
    IPV6_MAXPACKET,
)
from kame_py.wire.ip6ext import walk
from kame_py.wire.patch import put_u8, put_u16, u16

if TYPE_CHECKING:
    from kame_py.kern.callout import Callout
    from kame_py.kern.kernel import Kernel

IPV6_FRAGTTL_S: Final = 60  # RFC 8200 s.4.5
ICMP6_PARAMPROB_FIRSTFRAG: Final = 3  # RFC 7112 s.5
_UNIT_MASK: Final = 7  # all but the last fragment carry a multiple of 8 octets
_PLEN: Final = Ip6Hdr.O_ip6_plen
_OFFLG: Final = Ip6Frag.O_ip6f_offlg
_UPPER_MIN: Final[dict[int, int]] = {
    IPPROTO_TCP: Tcphdr.SIZE,
    IPPROTO_UDP: Udphdr.SIZE,
    IPPROTO_ICMPV6: Icmp6Hdr.SIZE,
    IPPROTO_NONE: 0,
}
_UPPER_ANY: Final = 1  # octets that any other upper protocol must show

Key = tuple[bytes, bytes, int]


class Ip6asfrag(NamedTuple):
    """One fragment: the packet it came in, where its data starts there, its next header."""

    m: Mbuf
    data_off: int
    nxt: int
    more: bool

    @property
    def data(self) -> bytes:
        return self.m.data[self.data_off :]


@dataclass(slots=True, eq=False)
class Ip6q:
    """One datagram that is being put together (struct ip6q).

    frags: by offset. have: octets of them. end: the datagram's length, -1 before the last fragment.
    poisoned: an overlap was seen, everything that still comes is discarded.
    """

    key: Key
    timer: Callout
    frags: SortedDict[int, Ip6asfrag] = field(default_factory=SortedDict)
    have: int = 0
    end: int = -1
    poisoned: bool = False


class Frag6State:
    """Datagrams under way, by source, destination and identification; nfrags counts fragments."""

    __slots__ = ("nfrags", "queues")

    def __init__(self) -> None:
        self.queues: dict[Key, Ip6q] = {}
        self.nfrags = 0


def frag6_init(kern: Kernel) -> None:
    """Make the empty reassembly table."""
    kern.frag6 = Frag6State()


def frag6_input(kern: Kernel, m: Mbuf, off: int, nxt: int) -> tuple[int, int]:
    """Fragment header at ``off``.

    Returns the next header of a complete datagram, which is ``m`` then, and DONE for a fragment
    that waits (HELD) or was dropped.
    Source: KAME frag6.c; RFC 8200 s.4.5.
    """
    data = m.data
    start = off + Ip6Frag.SIZE
    if start > len(data):
        drop(kern, m, D.IP6_EXTTRUNC)
        return DONE
    m.flags |= M_FRAG
    _count(kern, m, "ifs6_reass_reqd")
    stat = kern.stats.ip6
    if not u16(data, _PLEN):
        return _refuse(kern, m, D.FRAG6_JUMBO, ICMP6_PARAMPROB_HEADER, off)
    frag = Ip6Frag.unpack(data, off)
    fragoff = frag.ip6f_offlg & IP6F_OFF_MASK
    more = bool(frag.ip6f_offlg & IP6F_MORE_FRAG)
    if not fragoff and not more:
        stat["ip6s_atomicfrags"] += 1
        return frag.ip6f_nxt, start
    stat["ip6s_fragments"] += 1
    size = len(data) - start
    if more and size & _UNIT_MASK:
        return _refuse(kern, m, D.FRAG6_LEN, ICMP6_PARAMPROB_HEADER, _PLEN)
    if off - Ip6Hdr.SIZE + fragoff + size > IPV6_MAXPACKET:
        return _refuse(kern, m, D.FRAG6_TOOBIG, ICMP6_PARAMPROB_HEADER, off + _OFFLG)
    if not fragoff and not _headers_complete(data, frag.ip6f_nxt, start):
        return _refuse(kern, m, D.FRAG6_FIRSTSHORT, ICMP6_PARAMPROB_FIRSTFRAG, 0)
    if not size:
        drop(kern, m, D.FRAG6_EMPTY)
        return DONE
    q = _ip6q_find(kern, m, (m.src, m.dst, frag.ip6f_ident))
    if q is None:
        return DONE
    return _ip6q_insert(kern, q, Ip6asfrag(m, start, frag.ip6f_nxt, more), fragoff)


def _refuse(kern: Kernel, m: Mbuf, why: DropReason, code: int, pointer: int) -> tuple[int, int]:
    icmp6_error(kern, m, ICMP6_PARAM_PROB, code, pointer)
    drop(kern, m, why)
    return DONE


def _count(kern: Kernel, m: Mbuf, member: str) -> None:
    """Per-interface counter of the interface that has the destination address, as in KAME."""
    ia = kern.ip6.ifaddrs.get(m.dst)
    ifp = ia.ia_ifp if ia is not None else m.rcvif
    if ifp is not None:
        ifp.in6_ifstat[member] += 1


def _headers_complete(data: bytes, nxt: int, start: int) -> bool:
    """Whether a first fragment holds every header up to the upper layer's (RFC 7112 s.5)."""
    chain = walk(data, nxt, start, len(data))
    if chain.error is not None:
        return False
    return chain.fragment or len(data) - chain.off >= _UPPER_MIN.get(chain.nxt, _UPPER_ANY)


def _ip6q_find(kern: Kernel, m: Mbuf, key: Key) -> Ip6q | None:
    """The datagram of a fragment, made when it is new; None when limits dropped the fragment."""
    state = kern.frag6
    limits = kern.ip6
    q = state.queues.get(key)
    if q is not None and q.poisoned:
        drop(kern, m, D.FRAG6_OVERLAP)
        return None
    if state.nfrags >= limits.ip6_maxfrags >= 0 or (
        q is None and len(state.queues) >= limits.ip6_maxfragpackets >= 0
    ):
        drop(kern, m, D.FRAG6_LIMIT)
        return None
    if q is None:
        q = Ip6q(key, kern.callouts.at(kern.now() + IPV6_FRAGTTL_S * NS, frag6_timeout, kern, key))
        state.queues[key] = q
    return q


def _ip6q_insert(kern: Kernel, q: Ip6q, frag: Ip6asfrag, fragoff: int) -> tuple[int, int]:
    m = frag.m
    data = frag.data
    end = fragoff + len(data)
    same = q.frags.get(fragoff)
    if same is not None and same.data == data and same.more == frag.more:
        drop(kern, m, D.FRAG6_DUP)  # RFC 8200 s.4.5: exact duplicates may be ignored
        return DONE
    if _overlaps(q, fragoff, end):
        return _ip6q_poison(kern, q, m, D.FRAG6_OVERLAP)
    if (not frag.more and _beyond(q, end)) or (q.end >= 0 and (end > q.end or not frag.more)):
        return _ip6q_poison(kern, q, m, D.FRAG6_LASTMISMATCH)
    if not frag.more:
        q.end = end
    q.frags[fragoff] = frag
    q.have += len(data)
    kern.frag6.nfrags += 1
    if q.have != q.end:
        if kern.tracing:
            trace(m, f"frag6 holds {fragoff}-{end}")
        settle(kern, m, Fate.HELD)
        return DONE
    return _ip6q_reassemble(kern, q, m)


def _overlaps(q: Ip6q, start: int, end: int) -> bool:
    """Whether [start, end) touches a fragment that is here already."""
    at = q.frags.bisect_left(start)
    if at < len(q.frags) and q.frags.peekitem(at)[0] < end:
        return True
    if at == 0:
        return False
    before, frag = q.frags.peekitem(at - 1)
    return bool(before + len(frag.data) > start)


def _beyond(q: Ip6q, end: int) -> bool:
    """Whether a fragment reaches past where the datagram is now said to end."""
    if not q.frags:
        return False
    last, frag = q.frags.peekitem(-1)
    return bool(last + len(frag.data) > end)


def _ip6q_poison(kern: Kernel, q: Ip6q, m: Mbuf, why: DropReason) -> tuple[int, int]:
    """Discard the datagram; what still comes of it goes the same way (RFC 5722 s.4)."""
    for frag in _ip6q_clear(kern, q):
        drop(kern, frag.m, why)
    q.poisoned = True
    drop(kern, m, why)
    return DONE


def _ip6q_clear(kern: Kernel, q: Ip6q) -> list[Ip6asfrag]:
    frags = list(q.frags.values())
    kern.frag6.nfrags -= len(frags)
    q.frags.clear()
    return frags


def _ip6q_reassemble(kern: Kernel, q: Ip6q, m: Mbuf) -> tuple[int, int]:
    """All is here: ``m`` becomes the datagram and covers the other fragments."""
    frags = _ip6q_clear(kern, q)
    _ip6q_remove(kern, q)
    first = frags[0]
    unfrag = first.data_off - Ip6Frag.SIZE
    m.covers = [f.m for f in frags if f.m is not m]
    if unfrag - Ip6Hdr.SIZE + q.end > IPV6_MAXPACKET:
        drop(kern, m, D.FRAG6_TOOBIG)
        return DONE
    head = first.m.data[:unfrag]
    payload = b"".join([f.data for f in frags])
    head = put_u8(head, ip6_get_prevhdr(head, unfrag), first.nxt)
    m.data = put_u16(head, _PLEN, unfrag - Ip6Hdr.SIZE + len(payload)) + payload
    m.aux = first.m.aux
    m.flags &= ~(M_AUTHIPHDR | M_AUTHIPDGM | M_DECRYPTED)  # of one fragment, if at all
    m.ipsec = None
    kern.stats.ip6["ip6s_reassembled"] += 1
    _count(kern, m, "ifs6_reass_ok")
    if kern.tracing:
        trace(m, f"frag6 reassembled {len(frags)} fragments")
    return first.nxt, unfrag


def _ip6q_remove(kern: Kernel, q: Ip6q) -> None:
    q.timer.stop()
    del kern.frag6.queues[q.key]


def frag6_timeout(kern: Kernel, key: Key) -> None:
    """60 seconds after the first arrival: give up, and say so if the first fragment is here."""
    q = kern.frag6.queues.pop(key)
    frags = _ip6q_clear(kern, q)
    if frags and _is_first(frags[0]):
        icmp6_error(kern, frags[0].m, ICMP6_TIME_EXCEEDED, ICMP6_TIME_EXCEED_REASSEMBLY)
    for frag in frags:
        drop(kern, frag.m, D.FRAG6_TIMEOUT)


def _is_first(frag: Ip6asfrag) -> bool:
    offlg = u16(frag.m.data, frag.data_off - Ip6Frag.SIZE + _OFFLG)
    return not offlg & IP6F_OFF_MASK


def frag6_drain(kern: Kernel) -> None:
    """Discard everything that waits (memory is short, or the node stops)."""
    for q in list(kern.frag6.queues.values()):
        _ip6q_remove(kern, q)
        for frag in _ip6q_clear(kern, q):
            drop(kern, frag.m, D.KERN_SHUTDOWN)
