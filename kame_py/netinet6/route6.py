# SPDX-License-Identifier: BSD-3-Clause
"""Routing headers: the table of types, and type 0.

KAME route6.c. Deviates: type 0 is served only while net.inet6.ip6.rthdr0 is set (RFC 5095), which
a kernel with options MIP6 does from boot because its care-of delivery uses it. RFC 2460 s.4.4.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kame_py.kern.drop import D, DropReason, drop
from kame_py.kern.mbuf import IP6A_SWAP, Mbuf
from kame_py.kern.protosw import DONE
from kame_py.netinet6.icmp6_error import icmp6_error
from kame_py.netinet6.ip6_forward import ip6_forward
from kame_py.netinet6.ip6_opts import ip6_exthdr_end
from kame_py.netinet6.scope6 import in6_embedscope
from kame_py.netinet6.trace6 import trace_addr
from kame_py.wire.codecs import Ip6Hdr, Ip6Rthdr, Ip6Rthdr0
from kame_py.wire.const import ICMP6_PARAM_PROB, ICMP6_PARAMPROB_HEADER, IPV6_RTHDR_TYPE_0
from kame_py.wire.in6addr import IN6_IS_ADDR_V4COMPAT, IN6_IS_ADDR_V4MAPPED, IN6ADDR_ANY
from kame_py.wire.patch import put, put_u8, u8

if TYPE_CHECKING:
    from kame_py.kern.kernel import Kernel

_NXT: Final = Ip6Rthdr.O_ip6r_nxt
_LEN: Final = Ip6Rthdr.O_ip6r_len
_TYPE: Final = Ip6Rthdr.O_ip6r_type
_SEGLEFT: Final = Ip6Rthdr.O_ip6r_segleft
_DST: Final = Ip6Hdr.O_ip6_dst
_ADDR_LEN: Final = len(IN6ADDR_ANY)
_ADDR_8OCT: Final = 2  # what one address adds to the length field


def route6_input(kern: Kernel, m: Mbuf, off: int, nxt: int) -> tuple[int, int]:
    """Routing header at ``off``: skipped when no segments are left, else by its type."""
    if m.aux is not None and m.aux.ip6a_flags & IP6A_SWAP:
        drop(kern, m, D.ROUTE6_HAO)  # the drafts put the home address behind the routing header
        return DONE
    end = ip6_exthdr_end(kern, m, off)
    if not end:
        return DONE
    data = m.data
    if u8(data, off + _SEGLEFT) == 0:
        kern.mip6.rthdr_done(kern, m, off)
        return u8(data, off + _NXT), end
    rthdr_input = kern.rthdrs.get(u8(data, off + _TYPE))
    if rthdr_input is None:
        return _refuse(kern, m, D.ROUTE6_TYPE, off + _TYPE)
    return rthdr_input(kern, m, off, nxt)


def _refuse(kern: Kernel, m: Mbuf, why: DropReason, pointer: int) -> tuple[int, int]:
    icmp6_error(kern, m, ICMP6_PARAM_PROB, ICMP6_PARAMPROB_HEADER, pointer)
    drop(kern, m, why)
    return DONE


def ip6_rthdr0(kern: Kernel, m: Mbuf, off: int, nxt: int) -> tuple[int, int]:
    """Type 0 with segments left: the next address and the destination change places, forward.

    Each pass costs a hop, so a list that names one node many times ends with its hop limit.
    """
    data = m.data
    size = u8(data, off + _LEN)
    if size % _ADDR_8OCT:
        return _refuse(kern, m, D.ROUTE6_LEN, off + _LEN)
    segleft = u8(data, off + _SEGLEFT)
    addrs = size // _ADDR_8OCT
    if segleft > addrs:
        return _refuse(kern, m, D.ROUTE6_SEGLEFT, off + _SEGLEFT)
    at = off + Ip6Rthdr0.SIZE + (addrs - segleft) * _ADDR_LEN
    hop = data[at : at + _ADDR_LEN]
    here = data[_DST : _DST + _ADDR_LEN]
    if not _may_be_hop(hop) or not _may_be_hop(here):
        drop(kern, m, D.ROUTE6_ADDR)
        return DONE
    data = put_u8(data, off + _SEGLEFT, segleft - 1)
    m.data = put(put(data, at, here), _DST, hop)
    m.dst = in6_embedscope(hop, m.rcvif.if_index if m.rcvif is not None else 0)
    if kern.mip6.rthdr_hop(kern, m.dst):
        drop(kern, m, D.IP6_NOTFORUS)
        return DONE
    if kern.tracing:
        trace_addr(kern, m, "ip6_rthdr0 to", m.dst)
    ip6_forward(kern, m, True)
    return DONE


def _may_be_hop(addr: bytes) -> bool:
    return not (
        addr >= b"\xff"
        or addr == IN6ADDR_ANY
        or IN6_IS_ADDR_V4MAPPED(addr)
        or IN6_IS_ADDR_V4COMPAT(addr)
    )


def rthdr0_enable(kern: Kernel, on: int) -> None:
    """net.inet6.ip6.rthdr0: serve type 0 routing headers or refuse them."""
    kern.ip6.ip6_rthdr0 = on
    if on:
        kern.rthdrs[IPV6_RTHDR_TYPE_0] = ip6_rthdr0
    else:
        kern.rthdrs.pop(IPV6_RTHDR_TYPE_0, None)
