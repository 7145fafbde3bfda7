# SPDX-License-Identifier: BSD-3-Clause
"""What a program that asked for it learns beside the data of a packet (RFC 2292 s.5-7).

KAME ip6_input.c ip6_savecontrol. Deviates: none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kame_py.netinet6.in6_pcb import (
    IN6P_DSTOPTS,
    IN6P_HOPLIMIT,
    IN6P_HOPOPTS,
    IN6P_PKTINFO,
    IN6P_RTHDR,
    IN6P_RTHDRDSTOPTS,
    In6pcb,
)
from kame_py.netinet6.scope6 import in6_addrzone, in6_clearscope
from kame_py.wire.codecs import Ip6Hdr
from kame_py.wire.const import IPPROTO_DSTOPTS, IPPROTO_HOPOPTS, IPPROTO_ROUTING
from kame_py.wire.ip6ext import walk
from kame_py.wire.patch import u8
from kame_py.wire.sockaddr import (
    IPPROTO_IPV6,
    IPV6_DSTOPTS,
    IPV6_HOPLIMIT,
    IPV6_HOPOPTS,
    IPV6_PKTINFO,
    IPV6_RTHDR,
    SO_TIMESTAMP,
    SOL_SOCKET,
    Cmsg,
)

if TYPE_CHECKING:
    from kame_py.kern.kernel import Kernel
    from kame_py.kern.mbuf import Mbuf
    from kame_py.kern.uipc_socket import Socket

_WANT_HEADERS: Final = IN6P_HOPOPTS | IN6P_DSTOPTS | IN6P_RTHDR | IN6P_RTHDRDSTOPTS


def ip6_savecontrol(kern: Kernel, so: Socket, m: Mbuf) -> tuple[Cmsg, ...]:
    """Ancillary data of ``m`` that the socket's options ask for, in KAME's order."""
    inp = so.pcb
    out: list[Cmsg] = []
    if so.so_options & SO_TIMESTAMP:
        out.append(Cmsg(SOL_SOCKET, SO_TIMESTAMP, kern.clock.realtime()))
    flags = inp.in6p_flags if isinstance(inp, In6pcb) else 0
    if flags & IN6P_PKTINFO:
        index = m.rcvif.if_index if m.rcvif is not None else 0
        value = (in6_clearscope(m.dst), in6_addrzone(m.dst) or index)
        out.append(Cmsg(IPPROTO_IPV6, IPV6_PKTINFO, value))
    if flags & IN6P_HOPLIMIT:
        out.append(Cmsg(IPPROTO_IPV6, IPV6_HOPLIMIT, u8(m.data, Ip6Hdr.O_ip6_hlim)))
    if flags & _WANT_HEADERS:
        out.extend(_headers(m.data, flags))
    return tuple(out)


def _headers(data: bytes, flags: int) -> list[Cmsg]:
    """Whole extension headers; destination options in front of a routing header count apart."""
    chain = walk(data, u8(data, Ip6Hdr.O_ip6_nxt), Ip6Hdr.SIZE, len(data))
    last_rthdr = max((h.off for h in chain.headers if h.nxt_type == IPPROTO_ROUTING), default=0)
    out: list[Cmsg] = []
    for h in chain.headers:
        raw = data[h.off : h.off + h.len]
        if h.nxt_type == IPPROTO_HOPOPTS and flags & IN6P_HOPOPTS:
            out.append(Cmsg(IPPROTO_IPV6, IPV6_HOPOPTS, raw))
        elif h.nxt_type == IPPROTO_ROUTING and flags & IN6P_RTHDR:
            out.append(Cmsg(IPPROTO_IPV6, IPV6_RTHDR, raw))
        elif h.nxt_type == IPPROTO_DSTOPTS:
            if flags & (IN6P_RTHDRDSTOPTS if h.off < last_rthdr else IN6P_DSTOPTS):
                out.append(Cmsg(IPPROTO_IPV6, IPV6_DSTOPTS, raw))
    return out
