# SPDX-License-Identifier: BSD-3-Clause
"""Neighbor Discovery options: the parser of an option list and the builders.

Corresponds to nd6_option_init/nd6_option/nd6_options in KAME nd6.c. Deviates: answers one value
instead of filling a union; the limit on options is an argument. RFC 2461 s.4.6, RFC 6275 s.7.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from kame_py.wire.codecs import (
    NdOptAdvInterval,
    NdOptHdr,
    NdOptHomeagentInfo,
    NdOptMtu,
    NdOptPrefixInfo,
    NdOptRdHdr,
    NdOptRouteInfo,
)
from kame_py.wire.const import (
    ND6_MAXNDOPT,
    ND_OPT_ADVINTERVAL,
    ND_OPT_HOMEAGENT_INFO,
    ND_OPT_MTU,
    ND_OPT_PREFIX_INFORMATION,
    ND_OPT_REDIRECTED_HEADER,
    ND_OPT_ROUTE_INFO,
    ND_OPT_SOURCE_LINKADDR,
    ND_OPT_TARGET_LINKADDR,
)
from kame_py.wire.malformed import Malformed
from kame_py.wire.patch import Buf
from kame_py.wire.record import record


@record
class RouteInfo:
    """A Route Information option; prefix is 16 octets, zero where the option was shorter."""

    hdr: NdOptRouteInfo
    prefix: bytes


@dataclass(slots=True)
class NdOptions:
    """What an option list held. Of options that may occur once the first one counts, as in KAME.

    Link-layer addresses are the whole data of the option: on Ethernet 6 octets. unknown counts the
    options of unknown type, duplicates the later copies of an option that may occur once, ignored
    the options of known type whose length does not fit, truncated tells that the limit was hit.
    """

    src_lladdr: bytes | None = None
    tgt_lladdr: bytes | None = None
    prefixes: list[NdOptPrefixInfo] = field(default_factory=list)
    redirected: bytes | None = None
    mtu: NdOptMtu | None = None
    advinterval: NdOptAdvInterval | None = None
    homeagent: NdOptHomeagentInfo | None = None
    routes: list[RouteInfo] = field(default_factory=list)
    unknown: int = 0
    duplicates: int = 0
    ignored: int = 0
    truncated: bool = False


def _src_lladdr(opts: NdOptions, opt: bytes) -> None:
    if opts.src_lladdr is None:
        opts.src_lladdr = opt[NdOptHdr.SIZE :]
    else:
        opts.duplicates += 1


def _tgt_lladdr(opts: NdOptions, opt: bytes) -> None:
    if opts.tgt_lladdr is None:
        opts.tgt_lladdr = opt[NdOptHdr.SIZE :]
    else:
        opts.duplicates += 1


def _prefix(opts: NdOptions, opt: bytes) -> None:
    opts.prefixes.append(NdOptPrefixInfo.unpack(opt))


def _redirected(opts: NdOptions, opt: bytes) -> None:
    if opts.redirected is None:
        opts.redirected = opt[NdOptRdHdr.SIZE :]
    else:
        opts.duplicates += 1


def _mtu(opts: NdOptions, opt: bytes) -> None:
    if opts.mtu is None:
        opts.mtu = NdOptMtu.unpack(opt)
    else:
        opts.duplicates += 1


def _advinterval(opts: NdOptions, opt: bytes) -> None:
    if opts.advinterval is None:
        opts.advinterval = NdOptAdvInterval.unpack(opt)
    else:
        opts.duplicates += 1


def _homeagent(opts: NdOptions, opt: bytes) -> None:
    if opts.homeagent is None:
        opts.homeagent = NdOptHomeagentInfo.unpack(opt)
    else:
        opts.duplicates += 1


def _route(opts: NdOptions, opt: bytes) -> None:
    prefix = opt[NdOptRouteInfo.SIZE :]
    opts.routes.append(RouteInfo(NdOptRouteInfo.unpack(opt), prefix + bytes(16 - len(prefix))))


_LLADDR_SIZES: Final = range(8, 2041, 8)

# type -> (legal lengths in octets, what to do with the option)
_TABLE: Final[dict[int, tuple[range, Callable[[NdOptions, bytes], None]]]] = {
    ND_OPT_SOURCE_LINKADDR: (_LLADDR_SIZES, _src_lladdr),
    ND_OPT_TARGET_LINKADDR: (_LLADDR_SIZES, _tgt_lladdr),
    ND_OPT_PREFIX_INFORMATION: (range(32, 33), _prefix),
    ND_OPT_REDIRECTED_HEADER: (range(8, 2041, 8), _redirected),
    ND_OPT_MTU: (range(8, 9), _mtu),
    ND_OPT_ADVINTERVAL: (range(8, 9), _advinterval),
    ND_OPT_HOMEAGENT_INFO: (range(8, 9), _homeagent),
    ND_OPT_ROUTE_INFO: (range(8, 25, 8), _route),
}


def parse_nd_options(
    data: Buf, off: int, end: int, maxndopt: int = ND6_MAXNDOPT
) -> NdOptions | Malformed:
    """Read the options in data[off:end]; at most maxndopt of them are looked at.

    An option of length zero or one that runs past the end spoils the whole message; unknown types
    and known types of a length that does not fit are skipped (RFC 2461 s.4.6, s.6.1).
    Source: KAME nd6.c nd6_options.
    """
    opts = NdOptions()
    end = min(end, len(data))
    for _ in range(maxndopt):
        if off >= end:
            return opts
        if end - off < NdOptHdr.SIZE:
            return Malformed("nd option without length", off)
        kind, size = data[off], data[off + NdOptHdr.O_nd_opt_len] << 3
        if size == 0:
            return Malformed("nd option of length zero", off + NdOptHdr.O_nd_opt_len)
        if off + size > end:
            return Malformed("nd option longer than the message", off + NdOptHdr.O_nd_opt_len)
        entry = _TABLE.get(kind)
        if entry is None:
            opts.unknown += 1
        elif size not in entry[0]:
            opts.ignored += 1
        else:
            entry[1](opts, bytes(data[off : off + size]))
        off += size
    opts.truncated = off < end
    return opts


def build_lladdr_opt(kind: int, lladdr: bytes) -> bytes:
    """A source or target link-layer address option, zero padded to 8 octets."""
    size = -(-(NdOptHdr.SIZE + len(lladdr)) // 8)
    head = NdOptHdr(nd_opt_type=kind, nd_opt_len=size).pack()
    return (head + lladdr).ljust(8 * size, b"\0")


def build_prefix_opt(prefix: bytes, plen: int, flags: int, valid_s: int, preferred_s: int) -> bytes:
    """A Prefix Information option; with ND_OPT_PI_FLAG_ROUTER prefix is the router's address."""
    return NdOptPrefixInfo(
        nd_opt_pi_prefix_len=plen,
        nd_opt_pi_flags_reserved=flags,
        nd_opt_pi_valid_time=valid_s,
        nd_opt_pi_preferred_time=preferred_s,
        nd_opt_pi_prefix=prefix,
    ).pack()


def build_redirected_opt(packet: bytes, room: int) -> bytes:
    """A Redirected Header option with as much of packet as fits into room octets.

    The option ends on 8 octets, so the packet is cut there (KAME cuts, it does not pad).
    Source: KAME icmp6.c icmp6_redirect_output; RFC 2461 s.4.6.3.
    """
    size = (min(len(packet), room - NdOptRdHdr.SIZE) & ~7) + NdOptRdHdr.SIZE
    return NdOptRdHdr(nd_opt_rh_len=size >> 3).pack() + packet[: size - NdOptRdHdr.SIZE]


def build_mtu_opt(mtu: int) -> bytes:
    """An MTU option."""
    return NdOptMtu(nd_opt_mtu_mtu=mtu).pack()


def build_advinterval_opt(interval_ms: int) -> bytes:
    """An Advertisement Interval option."""
    return NdOptAdvInterval(nd_opt_ai_interval=interval_ms).pack()


def build_homeagent_opt(preference: int, lifetime_s: int) -> bytes:
    """A Home Agent Information option; preference is signed, -32768..32767."""
    return NdOptHomeagentInfo(
        nd_opt_hai_preference=preference, nd_opt_hai_lifetime=lifetime_s
    ).pack()


def build_route_opt(prefix: bytes, plen: int, flags: int, lifetime_s: int) -> bytes:
    """A Route Information option, as short as the prefix length allows (RFC 4191 s.2.3)."""
    words = -(-plen // 64)
    head = NdOptRouteInfo(
        nd_opt_rti_len=1 + words,
        nd_opt_rti_prefixlen=plen,
        nd_opt_rti_flags=flags,
        nd_opt_rti_lifetime=lifetime_s,
    )
    return head.pack() + prefix[: 8 * words]
