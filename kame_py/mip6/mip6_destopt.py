# SPDX-License-Identifier: BSD-3-Clause
"""Headers of mobility: options added to a header, routing headers to care-of addresses.

Corresponds to mip6_add_opt2dh, mip6_align_destopt, mip6_rthdr_create, mip6_babr_destopt_create of
KAME mip6.c. Deviates: headers are values, so a socket's own options never grow; padding is laid out
again by one function. draft-ietf-mobileip-ipv6-15 s.5.5, s.8.6, s.8.9.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kame_py.mip6 import mip6_bc
from kame_py.mip6.mip6_var import mip6_state
from kame_py.wire.codecs import Icmp6Hdr, Ip6Dest, Ip6Hdr, Ip6Rthdr
from kame_py.wire.const import (
    IP6OPT_PAD1,
    IP6OPT_PADN,
    IPPROTO_ICMPV6,
    IPPROTO_NONE,
    IPPROTO_ROUTING,
    IPV6_RTHDR_TYPE_0,
    ND_REDIRECT,
    ND_ROUTER_SOLICIT,
)
from kame_py.wire.errno import EHOSTUNREACH, EMSGSIZE
from kame_py.wire.in6addr import IN6_IS_ADDR_LINKLOCAL
from kame_py.wire.ip6ext import (
    AlignedOpt,
    ExtHdr,
    build_options,
    build_rthdr0,
    iter_options,
    rthdr0_addrs,
)
from kame_py.wire.malformed import Malformed
from kame_py.wire.mip6 import BindingRequest
from kame_py.wire.patch import u8

if TYPE_CHECKING:
    from kame_py.kern.kernel import Kernel
    from kame_py.kern.mbuf import Mbuf
    from kame_py.netinet6.ip6_var import Exthdrs

_NXT: Final = Ip6Hdr.O_ip6_nxt
MAX_RTHDR0_ADDRS: Final = 127  # 8-bit length, two units for each address


def mip6_add_opt2dh(dh: bytes, opt: AlignedOpt) -> bytes:
    """A destination options header with one option more; ``dh`` b"" is none yet.

    What stands in it keeps its place, padding at its end gives way. ValueError: it is full.
    """
    if not dh:
        return build_options(IPPROTO_NONE, [opt])
    start = end = Ip6Dest.SIZE
    for old in iter_options(dh, start, len(dh)):
        if isinstance(old, Malformed):  # a program's own header: nothing is known behind here
            end = len(dh)
            break
        if old.type not in (IP6OPT_PAD1, IP6OPT_PADN):
            end = old.end
    if end == start:
        return build_options(IPPROTO_NONE, [opt])
    return build_options(IPPROTO_NONE, [AlignedOpt(dh[start:end]), opt])


def mip6_rthdr_create(coa: bytes) -> bytes:
    """A routing header by way of the care-of address, as a sender of ip6_output gives it."""
    return build_rthdr0(IPPROTO_NONE, [coa], 1)


def mip6_is_nd(m: Mbuf) -> bool:
    """Whether a packet made here is neighbour discovery: it speaks of this link, as it is."""
    if m.data[_NXT] != IPPROTO_ICMPV6 or len(m.data) <= Ip6Hdr.SIZE:
        return False
    kind = u8(m.data, Ip6Hdr.SIZE + Icmp6Hdr.O_icmp6_type)
    return ND_ROUTER_SOLICIT <= kind <= ND_REDIRECT


def mip6_cn_exthdr_create(kern: Kernel, m: Mbuf, hdrs: Exthdrs) -> int:
    """Correspondent's part of mip6_exthdr_create: routing header and binding request; an errno."""
    if m.dst >= b"\xff":
        return 0
    bc = mip6_bc.mip6_bc_lookup(kern, m.src, m.dst)
    if bc is not None and IN6_IS_ADDR_LINKLOCAL(bc.mbc_phaddr):
        return EHOSTUNREACH  # draft-15 s.9.4: it is away from the link where that is an address
    error = _add_rthdr(kern, m, hdrs)
    if error or bc is None or not mip6_bc.mip6_bc_used(kern, bc):
        return error
    request = mip6_state(kern).dialect.wire.aligned(BindingRequest())
    try:
        hdrs.dest2 = mip6_add_opt2dh(hdrs.dest2, request)
    except ValueError:
        return EMSGSIZE
    kern.stats.mip6["mip6s_obr"] += 1
    return 0


def _add_rthdr(kern: Kernel, m: Mbuf, hdrs: Exthdrs) -> int:
    """In front of each mobile node on the way its care-of address (draft-15 s.8.9)."""
    hops: list[bytes] = []
    if hdrs.rthdr:
        old = ExtHdr(IPPROTO_ROUTING, 0, len(hdrs.rthdr))
        known = u8(hdrs.rthdr, Ip6Rthdr.O_ip6r_type) == IPV6_RTHDR_TYPE_0
        addrs = rthdr0_addrs(hdrs.rthdr, old) if known else Malformed("another type", 0)
        if isinstance(addrs, Malformed):
            return 0  # the sender's own way of routing
        hops = list(addrs)
    way: list[bytes] = []
    for addr in (*hops, m.dst):
        bc = mip6_bc.mip6_bc_lookup(kern, m.src, addr)
        if bc is not None and (not way or way[-1] != bc.mbc_pcoa):
            way.append(bc.mbc_pcoa)
        way.append(addr)
    way.pop()  # the destination stands in the IPv6 header
    if len(way) == len(hops):
        return 0
    if len(way) > MAX_RTHDR0_ADDRS:
        return EMSGSIZE
    kern.stats.mip6["mip6s_orthdr"] += 1
    hdrs.rthdr = build_rthdr0(IPPROTO_NONE, way, len(way))
    return 0
