# SPDX-License-Identifier: BSD-3-Clause
"""ICMPv6 errors and answers that this node sends (KAME icmp6.c: icmp6_error, icmp6_reflect).

Deviates: the offending packet stays the caller's, who drops it for its own reason; an anycast
source gets no error. Read first: RFC 4443 s.2.4.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kame_py.kern.clock import NS
from kame_py.kern.mbuf import IP6A_SWAP, M_BCAST, M_MCAST, Mbuf, m_get
from kame_py.netinet6 import ip6_output as ip6out
from kame_py.netinet6.icmp6_var import icmp6_errcount, icmp6_out_count
from kame_py.netinet6.in6_src import in6_selecthlim, in6_selectroute, in6_selectsrc
from kame_py.netinet6.in6_var import IN6_IFF_ANYCAST, IN6_IFF_NOTREADY
from kame_py.wire.cksum import in6_cksum
from kame_py.wire.codecs import Icmp6Hdr, Ip6Hdr
from kame_py.wire.const import (
    ICMP6_INFOMSG_MASK,
    ICMP6_PACKET_TOO_BIG,
    ICMP6_PARAM_PROB,
    ICMP6_PARAMPROB_OPTION,
    IPPROTO_FRAGMENT,
    IPPROTO_ICMPV6,
    IPV6_MMTU,
    ND_REDIRECT,
)
from kame_py.wire.errno import KError
from kame_py.wire.in6addr import IN6_IS_ADDR_MULTICAST, IN6ADDR_ANY
from kame_py.wire.ip6ext import walk
from kame_py.wire.patch import put, put_u16, u16

if TYPE_CHECKING:
    from kame_py.kern.kernel import Kernel
    from kame_py.net.if_ import Ifnet

ICMPV6_PLD_MAXLEN: Final = IPV6_MMTU - Ip6Hdr.SIZE - Icmp6Hdr.SIZE  # RFC 4443 s.2.4 (c)
_ADDR: Final = 16  # octets
_NXT: Final = Ip6Hdr.O_ip6_nxt
_TYPE: Final = Icmp6Hdr.O_icmp6_type
_CODE: Final = Icmp6Hdr.O_icmp6_code
_CKSUM: Final = Icmp6Hdr.O_icmp6_cksum


def icmp6_error(kern: Kernel, m: Mbuf, type: int, code: int, param: int = 0) -> None:
    """Send an ICMPv6 error about ``m`` to its source, if the rules allow one.

    param is the MTU of a Packet Too Big or the pointer of a Parameter Problem. ``m`` is only read.
    Source: KAME icmp6.c icmp6_error; RFC 4443 s.2.4 (c)-(f).
    """
    kern.stats.icmp6["icp6s_error"] += 1
    icmp6_errcount(kern, type, code)
    if not _may_answer(kern, m, type, code):
        return
    if _about_icmp6_error(m):
        kern.stats.icmp6["icp6s_canterror"] += 1
        return
    if icmp6_ratelimit(kern):
        kern.stats.icmp6["icp6s_toofreq"] += 1
        return
    head = Icmp6Hdr.pack_fields(type, code, 0, param)
    icmp6_reflect(kern, m, head + icmp6_recover_src(m)[:ICMPV6_PLD_MAXLEN])


def _may_answer(kern: Kernel, m: Mbuf, type: int, code: int) -> bool:
    """RFC 4443 s.2.4 (e.3)-(e.6): who sent the packet, and to whom."""
    if m.flags & (M_BCAST | M_MCAST) or IN6_IS_ADDR_MULTICAST(m.dst):
        if type != ICMP6_PACKET_TOO_BIG and (type, code) != (
            ICMP6_PARAM_PROB,
            ICMP6_PARAMPROB_OPTION,
        ):
            return False
    src = m.src
    if src == IN6ADDR_ANY or IN6_IS_ADDR_MULTICAST(src):
        return False
    ia = kern.ip6.ifaddrs.get(src)
    return ia is None or not ia.ia6_flags & IN6_IFF_ANYCAST


def _about_icmp6_error(m: Mbuf) -> bool:
    """Whether ``m`` is an ICMPv6 error or redirect, or cut before its type (s.2.4 e.1, e.2).

    Fragments without the type may be answered: errors fit 1280 octets and are never fragmented.
    """
    data = m.data
    headers, nxt, off, fragment, _ = walk(data, data[_NXT], Ip6Hdr.SIZE, len(data))
    if nxt != IPPROTO_ICMPV6:
        return False
    if fragment or off >= len(data):
        return all(ext.nxt_type != IPPROTO_FRAGMENT for ext in headers)
    kind = data[off]
    return not kind & ICMP6_INFOMSG_MASK or kind == ND_REDIRECT


def icmp6_ratelimit(kern: Kernel) -> bool:
    """Whether this second's errors are used up; net.inet6.icmp6.errppslimit, negative is no limit.

    Source: KAME icmp6.c icmp6_ratelimit, BSD ppsratecheck; RFC 4443 s.2.4 (f).
    """
    state = kern.icmp6
    if state.icmp6errppslim < 0:
        return False
    now = kern.now()
    if state.errpps_start is None or now - state.errpps_start >= NS:
        state.errpps_start = now
        state.errpps_count = 0
    state.errpps_count += 1
    return state.errpps_count > state.icmp6errppslim


def icmp6_recover_src(m: Mbuf) -> bytes:
    """The packet as its sender made it: a swapped home address option is swapped back."""
    aux = m.aux
    if aux is None or not aux.ip6a_flags & IP6A_SWAP:
        return m.data
    careof = m.data[aux.ip6a_swap_off : aux.ip6a_swap_off + _ADDR]
    home = m.data[Ip6Hdr.O_ip6_src : Ip6Hdr.O_ip6_dst]
    return put(put(m.data, aux.ip6a_swap_off, home), Ip6Hdr.O_ip6_src, careof)


def icmp6_reflect(kern: Kernel, m: Mbuf, body: bytes) -> None:
    """Send ``body``, an ICMPv6 message without checksum, back to where ``m`` came from.

    The source is the address that ``m`` was sent to when it is one of ours, else the rules choose.
    Without any the answer is not made. ``m`` is only read.
    Source: KAME icmp6.c icmp6_reflect; RFC 4443 s.2.2.
    """
    ia = kern.ip6.ifaddrs.get(m.dst)
    if ia is not None and not ia.ia6_flags & (IN6_IFF_ANYCAST | IN6_IFF_NOTREADY):
        src = m.dst
    else:
        try:
            src = in6_selectsrc(kern, m.src)
        except KError:
            return
    kern.stats.icmp6["icp6s_reflect"] += 1
    icmp6_send(kern, src, m.src, body, in6_selecthlim(kern, -1, m.rcvif), icmp6_outif(kern, m.src))


def icmp6_send(
    kern: Kernel, src: bytes, dst: bytes, body: bytes, hlim: int, ifp: Ifnet | None
) -> int:
    """Checksum, count and put out one ICMPv6 message; addresses in kernel form. An errno."""
    icmp6_out_count(kern, ifp, body[_TYPE], body[_CODE])
    m = m_get(kern, ip6out.ip6_pkt(src, dst, IPPROTO_ICMPV6, icmp6_sum(src, dst, body), hlim))
    m.src, m.dst = src, dst
    return ip6out.ip6_output(kern, m)


def icmp6_sum(src: bytes, dst: bytes, body: bytes) -> bytes:
    """``body`` with its checksum filled in."""
    if u16(body, _CKSUM):
        body = put_u16(body, _CKSUM, 0)
    return put_u16(body, _CKSUM, in6_cksum(src, dst, IPPROTO_ICMPV6, body))


def icmp6_outif(kern: Kernel, dst: bytes) -> Ifnet | None:
    """The interface a message will leave by, for its counters."""
    try:
        return in6_selectroute(kern, dst, None, None)[0]
    except KError:
        return None
