# SPDX-License-Identifier: BSD-3-Clause
"""The walk over hop-by-hop and destination options, and the hop-by-hop options themselves.

The option half of KAME ip6_input.c (ip6_process_hopopts, ip6_unknown_opt). Deviates: what an
option does is an entry of ``kern.hbhopts`` or ``kern.destopts``. RFC 8200 s.4.2, RFC 2675 and
RFC 2711.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kame_py.kern.drop import D, drop
from kame_py.kern.mbuf import IP6A_RTALERTSEEN, M_BCAST, M_MCAST, Mbuf, trace
from kame_py.netinet6.icmp6_error import icmp6_error
from kame_py.wire.codecs import Ip6Ext, Ip6Hdr, Ip6Opt, Ip6OptJumbo
from kame_py.wire.const import (
    ICMP6_PARAM_PROB,
    ICMP6_PARAMPROB_HEADER,
    ICMP6_PARAMPROB_OPTION,
    IP6OPT_JUMBO,
    IP6OPT_JUMBO_LEN,
    IP6OPT_PADN,
    IP6OPT_RTALERT,
    IP6OPT_RTALERT_LEN,
    IP6OPT_TYPE_DISCARD,
    IP6OPT_TYPE_ICMP,
    IP6OPT_TYPE_MASK,
    IP6OPT_TYPE_SKIP,
    IPV6_MAXPACKET,
)
from kame_py.wire.patch import u8, u16, u32

if TYPE_CHECKING:
    from kame_py.kern.kernel import Kernel
    from kame_py.kern.protosw import OptHandler

_NXT: Final = Ip6Ext.O_ip6e_nxt
_LEN: Final = Ip6Ext.O_ip6e_len
_EXT_HDR: Final = Ip6Ext.SIZE
_OPT_LEN: Final = Ip6Opt.O_ip6o_len
_OPT_HDR: Final = Ip6Opt.SIZE
_NO_LEN: Final = 1  # octets of a Pad1 option


def ip6_exthdr_end(kern: Kernel, m: Mbuf, off: int) -> int:
    """Where the header at ``off`` ends; 0 when it runs past the packet, which is dropped then."""
    data = m.data
    size = len(data)
    if off + _EXT_HDR <= size:
        end = off + ((data[off + _LEN] + 1) << 3)
        if end <= size:
            return end
    drop(kern, m, D.IP6_EXTTRUNC)
    return 0


def ip6_process_hopopts(kern: Kernel, m: Mbuf, off: int) -> tuple[int, int] | None:
    """Hop-by-hop header at ``off``: what follows and where, or None when the packet ended."""
    if kern.tracing:
        trace(m, f"hopopts at {off}")
    end = ip6_process_options(kern, m, off, kern.hbhopts)
    return (m.data[off + _NXT], end) if end else None


def ip6_process_options(kern: Kernel, m: Mbuf, off: int, known: dict[int, OptHandler]) -> int:
    """Walk the options of the header at ``off``: where it ends, or 0 when the packet ended."""
    data = m.data
    at = off + _EXT_HDR
    end = off + ((data[off + _LEN] + 1) << 3) if at <= len(data) else at
    if end > len(data):
        drop(kern, m, D.IP6_EXTTRUNC)
        return 0
    while at < end:
        kind = data[at]
        if not kind:  # IP6OPT_PAD1
            at += _NO_LEN
            continue
        start = at + _OPT_HDR
        stop = start + data[at + _OPT_LEN] if start <= end else start
        if stop > end:
            drop(kern, m, D.IP6_OPTLEN)
            return 0
        if kind != IP6OPT_PADN:
            opt_input = known.get(kind)
            if opt_input is None:
                if not ip6_unknown_opt(kern, m, at):
                    return 0
            elif not opt_input(kern, m, at, start, stop - start, off):
                return 0
        at = stop
    return end


def ip6_unknown_opt(kern: Kernel, m: Mbuf, off: int) -> bool:
    """Option at ``off`` that nobody knows: its two top bits decide (RFC 8200 s.4.2).

    True: skip it. False: the packet was dropped, and reported if the option asks for that.
    """
    action = u8(m.data, off) & IP6OPT_TYPE_MASK
    if action == IP6OPT_TYPE_SKIP:
        return True
    if action == IP6OPT_TYPE_DISCARD:
        drop(kern, m, D.IP6_OPTSKIPDROP)
        return False
    if action == IP6OPT_TYPE_ICMP and (m.dst >= b"\xff" or m.flags & (M_BCAST | M_MCAST)):
        drop(kern, m, D.IP6_OPTMCAST)
        return False
    icmp6_error(kern, m, ICMP6_PARAM_PROB, ICMP6_PARAMPROB_OPTION, off)
    drop(kern, m, D.IP6_OPTPARAMPROB)
    return False


def ip6_rtalert_opt(kern: Kernel, m: Mbuf, opt: int, start: int, size: int, off: int) -> bool:
    """Router alert (RFC 2711): remember the value."""
    if _OPT_HDR + size != IP6OPT_RTALERT_LEN:
        icmp6_error(kern, m, ICMP6_PARAM_PROB, ICMP6_PARAMPROB_HEADER, opt + _OPT_LEN)
        drop(kern, m, D.IP6_RTALERT)
        return False
    aux = m.auxdata()
    aux.ip6a_flags |= IP6A_RTALERTSEEN
    aux.ip6a_rtalert = u16(m.data, start)
    return True


def ip6_jumbo_opt(kern: Kernel, m: Mbuf, opt: int, start: int, size: int, off: int) -> bool:
    """Jumbo payload (RFC 2675 s.3): only with payload length 0, once, and above 65535."""
    pointer = 0
    jumboplen = 0
    aux = m.auxdata()
    if _OPT_HDR + size != IP6OPT_JUMBO_LEN:
        pointer = opt + _OPT_LEN
    elif u16(m.data, Ip6Hdr.O_ip6_plen):
        pointer = opt
    else:
        jumboplen = u32(m.data, start)
        if aux.ip6a_jumboplen or jumboplen <= IPV6_MAXPACKET:
            pointer = opt + Ip6OptJumbo.O_ip6oj_jumbo_len
    if pointer:
        icmp6_error(kern, m, ICMP6_PARAM_PROB, ICMP6_PARAMPROB_HEADER, pointer)
        drop(kern, m, D.IP6_JUMBO)
        return False
    aux.ip6a_jumboplen = jumboplen
    return True


def hbhopts_init(kern: Kernel) -> None:
    """Register the hop-by-hop options that every node knows."""
    kern.hbhopts[IP6OPT_RTALERT] = ip6_rtalert_opt
    kern.hbhopts[IP6OPT_JUMBO] = ip6_jumbo_opt
