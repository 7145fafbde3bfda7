# SPDX-License-Identifier: BSD-3-Clause
"""Care-of addresses: which addresses may be one, and the one towards a peer.

KAME kept one for the whole node (mip6_select_coa2). Deviates: where a packet leaves by another
interface than that of the node's care-of address, an address of that interface takes its place; a
home address on a link whose prefix is detached is none, however it was made.
Read first: draft-ietf-mobileip-ipv6-15 s.10.1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kame_py.mip6 import mip6_prefix, mip6_subnet
from kame_py.mip6.mip6_var import HifSoftc, mip6_state
from kame_py.net.if_ import IFT_HIF, Ifnet
from kame_py.netinet6.in6_var import (
    IN6_IFF_ANYCAST,
    IN6_IFF_DEPRECATED,
    IN6_IFF_DETACHED,
    IN6_IFF_DUPLICATED,
)
from kame_py.netinet6.nd6_var import NDPRF_DETACHED, NDPRF_ONLINK, PR_ORIG_RA, NdPrefix
from kame_py.wire.const import IPPROTO_ROUTING
from kame_py.wire.in6addr import (
    IN6_IS_ADDR_LINKLOCAL,
    IN6_IS_ADDR_LOOPBACK,
    IN6_IS_ADDR_SITELOCAL,
    prefix_equal,
)
from kame_py.wire.ip6ext import ExtHdr, rthdr0_addrs
from kame_py.wire.malformed import Malformed

if TYPE_CHECKING:
    from kame_py.kern.kernel import Kernel

_NO_COA: Final = IN6_IFF_ANYCAST | IN6_IFF_DETACHED | IN6_IFF_DUPLICATED | IN6_IFF_DEPRECATED


def mip6_coa_usable(kern: Kernel, ifp: Ifnet | None = None) -> list[bytes]:
    """Addresses of physical interfaces, or of one, that can be a care-of address."""
    return [
        ia.ia_addr
        for each in kern.ifnets
        if each.if_type != IFT_HIF and ifp in (None, each)
        for ia in each.in6_addrs
        if not ia.ia6_flags & _NO_COA
        and not IN6_IS_ADDR_LINKLOCAL(ia.ia_addr)
        and not IN6_IS_ADDR_LOOPBACK(ia.ia_addr)
        and not (_of_home(kern, ia.ia_addr) and mip6_link_left(kern, ia.ia_addr))
    ]


def _of_home(kern: Kernel, addr: bytes) -> bool:
    return any(
        mip6_prefix.mip6_prefix_covers(mpfx, addr)
        for sc in mip6_state(kern).hif_softc_list
        for _, mpfx in mip6_subnet.hif_home_prefixes(sc)
    )


def _link_prefixes(kern: Kernel, addr: bytes) -> list[NdPrefix]:
    """Prefixes that routers advertised and that cover an address."""
    return [
        pr
        for pr in kern.nd6.prefixes
        if pr.ndpr_origin == PR_ORIG_RA and prefix_equal(addr, pr.ndpr_prefix, pr.ndpr_plen)
    ]


def mip6_link_here(kern: Kernel, addr: bytes) -> NdPrefix | None:
    """The prefix of a link we are on that covers the address."""
    prefixes = _link_prefixes(kern, addr)
    return next((pr for pr in prefixes if pr.ndpr_stateflags & NDPRF_ONLINK), None)


def mip6_link_left(kern: Kernel, addr: bytes) -> bool:
    """Whether the address belongs to links whose routers no longer answer, while others do."""
    prefixes = _link_prefixes(kern, addr)
    return bool(prefixes) and all(pr.ndpr_stateflags & NDPRF_DETACHED for pr in prefixes)


def mip6_coa_global(addrs: list[bytes]) -> list[bytes]:
    """Site-local ones only where there is no other."""
    return [addr for addr in addrs if not IN6_IS_ADDR_SITELOCAL(addr)] or addrs


def mip6_coa_toward(kern: Kernel, sc: HifSoftc, dst: bytes) -> bytes:
    """The care-of address for packets to ``dst``: on the link by which they leave."""
    coa = mip6_state(kern).hif_coa
    ia, rt = kern.ip6.ifaddrs.get(coa), kern.rt.lookup(dst)
    if ia is None or rt is None or rt.rt_ifp is ia.ia_ifp:
        return coa
    homes = [mpfx for _, mpfx in mip6_subnet.hif_home_prefixes(sc)]
    there = [
        addr
        for addr in mip6_coa_usable(kern, rt.rt_ifp)
        if not any(mip6_prefix.mip6_prefix_covers(mpfx, addr) for mpfx in homes)
    ]
    return mip6_coa_global(there)[-1] if there else coa


def mip6_first_hop(dst: bytes, rthdr: bytes) -> bytes:
    """Where a packet goes first: ``dst``, or what the routing header in front of it says."""
    if not rthdr:
        return dst
    addrs = rthdr0_addrs(rthdr, ExtHdr(IPPROTO_ROUTING, 0, len(rthdr)))
    return dst if isinstance(addrs, Malformed) or not addrs else addrs[0]
