# SPDX-License-Identifier: BSD-3-Clause
"""Router solicitations and advertisements between a mobile node abroad and its home agent.

No KAME counterpart. The mobile node's solicitation is inside a packet from its care-of address; the
home agent's advertisement is inside a packet to the home address by way of the care-of address,
under AH, with a binding request whose unique identifier an update brings back. When and what is
decided in mip6_mps.py and mip6_mpa.py. Read first: draft-ietf-mobileip-ipv6-13 s.9.8, s.10.16.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kame_py.kern.drop import D, drop
from kame_py.kern.mbuf import IP6A_BRUID, Fate, Mbuf, m_get, settle
from kame_py.kern.protosw import DONE
from kame_py.mip6 import mip6_bul, mip6_mpa, mip6_mps
from kame_py.mip6.mip6_mpa_state import MpaEv
from kame_py.mip6.mip6_state import HrSt
from kame_py.mip6.mip6_var import (
    MIP6_CONFIG_TYPE_HA,
    MIP6_CONFIG_TYPE_MN,
    MIP6_HA_DEFAULT_LIFETIME,
    Mip6Bu,
    Mip6Hr,
    mip6_state,
)
from kame_py.netinet6.icmp6_error import icmp6_outif, icmp6_sum
from kame_py.netinet6.icmp6_var import icmp6_in_count, icmp6_out_count
from kame_py.netinet6.ip6_output import ip6_output, ip6_pkt
from kame_py.wire.cksum import in6_cksum
from kame_py.wire.codecs import Icmp6Hdr, Ip6Hdr, NdRouterAdvert, NdRouterSolicit
from kame_py.wire.const import (
    IPPROTO_ICMPV6,
    IPPROTO_IPV6,
    IPV6_VERSION,
    IPV6_VERSION_MASK,
    ND_MAX_HLIM,
    ND_RA_FLAG_HOME_AGENT,
    ND_ROUTER_ADVERT,
    ND_ROUTER_SOLICIT,
)
from kame_py.wire.in6addr import IN6ADDR_ANY
from kame_py.wire.malformed import Malformed
from kame_py.wire.nd6opt import parse_nd_options
from kame_py.wire.patch import u8

if TYPE_CHECKING:
    from kame_py.kern.kernel import Kernel

MATCH_BITS: Final = 257  # goes before the tunnel that every other packet takes
_INNER: Final = Ip6Hdr.SIZE  # of the message inside a packet


def mip6_ratunnel_init(kern: Kernel) -> None:
    """Take part in the choice of who gets encapsulated packets."""
    kern.encap.attach(_rs_check, mip6_tunnel_rs_input)
    kern.encap.attach(_ra_check, mip6_tunnel_ra_input)


def _inside(m: Mbuf, off: int, kind: int) -> Ip6Hdr | None:
    """The header of a packet that holds an ICMPv6 message of this type and nothing else."""
    if len(m.data) - off < _INNER + Icmp6Hdr.SIZE:
        return None
    if u8(m.data, off) & IPV6_VERSION_MASK != IPV6_VERSION:
        return None
    ip6 = Ip6Hdr.unpack(m.data, off)
    is_it = ip6.ip6_nxt == IPPROTO_ICMPV6 and u8(m.data, off + _INNER) == kind
    return ip6 if is_it else None


def _sound(m: Mbuf, off: int, ip6: Ip6Hdr, size: int) -> bool:
    """The tests of RFC 2461 s.6.1 that hold inside a tunnel, too."""
    body = m.data[off + _INNER : off + _INNER + ip6.ip6_plen]
    if ip6.ip6_hlim != ND_MAX_HLIM or len(body) < max(size, ip6.ip6_plen):
        return False
    if in6_cksum(ip6.ip6_src, ip6.ip6_dst, IPPROTO_ICMPV6, body):
        return False
    return not Icmp6Hdr.unpack(body).icmp6_code


def _end(kern: Kernel, m: Mbuf, used: bool) -> tuple[int, int]:
    if used:
        settle(kern, m, Fate.CONSUMED)
    else:
        drop(kern, m, D.MIP6_RATUNNEL)
    return DONE


# -- solicitations ------------------------------------------------------------------------------


def mip6_tunnel_rs_output(kern: Kernel, bu: Mip6Bu) -> None:
    """One solicitation, home address to home agent, from the care-of address (s.10.16)."""
    ha, coa = bu.mbu_paddr, mip6_state(kern).hif_coa
    icmp6_out_count(kern, icmp6_outif(kern, ha), ND_ROUTER_SOLICIT, 0)
    body = icmp6_sum(bu.mbu_haddr, ha, NdRouterSolicit().pack())
    inner = ip6_pkt(bu.mbu_haddr, ha, IPPROTO_ICMPV6, body, ND_MAX_HLIM)
    m = m_get(kern, ip6_pkt(coa, ha, IPPROTO_IPV6, inner, kern.ip6.ip6_defhlim))
    m.src, m.dst = coa, ha
    ip6_output(kern, m)


def _rs_check(kern: Kernel, m: Mbuf, off: int, nxt: int) -> int:
    if mip6_state(kern).config.mcfg_type != MIP6_CONFIG_TYPE_HA:
        return 0
    inner = _inside(m, off, ND_ROUTER_SOLICIT)
    return MATCH_BITS if inner is not None and _asker(kern, m, inner) is not None else 0


def _asker(kern: Kernel, m: Mbuf, inner: Ip6Hdr) -> Mip6Hr | None:
    """The registration that a solicitation is for, by the addresses of both headers."""
    cache = mip6_state(kern).bcache
    for row in cache.homes_by(cache.coa, m.src):
        hr = Mip6Hr(cache, cache.reg[row])
        if hr.hr_st is not HrSt.SERVED or (m.src, m.dst) != (hr.hr_coa, hr.hr_addr):
            continue
        if inner.ip6_dst == m.dst and inner.ip6_src in (cache.get_hoa(row), IN6ADDR_ANY):
            return hr
    return None


def mip6_tunnel_rs_input(kern: Kernel, m: Mbuf, off: int, nxt: int) -> tuple[int, int]:
    """A mobile node asks: it is told all prefixes."""
    inner = Ip6Hdr.unpack(m.data, off)
    hr = _asker(kern, m, inner)
    if hr is None or not _sound(m, off, inner, NdRouterSolicit.SIZE):
        return _end(kern, m, used=False)
    icmp6_in_count(kern, m.rcvif, ND_ROUTER_SOLICIT, 0)
    mip6_mpa.mip6_mpa_event(kern, hr, MpaEv.SOLICITED)
    return _end(kern, m, used=True)


# -- advertisements -----------------------------------------------------------------------------


def mip6_tunnel_ra_output(kern: Kernel, hr: Mip6Hr, options: bytes, dest2: bytes) -> int:
    """One advertisement, home agent to home address (s.9.8.3); an errno."""
    src, dst = hr.hr_addr, hr.hr_hoa
    head = NdRouterAdvert(
        nd_ra_flags_reserved=ND_RA_FLAG_HOME_AGENT,
        nd_ra_router_lifetime=MIP6_HA_DEFAULT_LIFETIME,  # it is the home agent's as well
    )
    icmp6_out_count(kern, icmp6_outif(kern, hr.hr_coa), ND_ROUTER_ADVERT, 0)
    body = icmp6_sum(src, dst, head.pack() + options)
    inner = ip6_pkt(src, dst, IPPROTO_ICMPV6, body, ND_MAX_HLIM)
    return mip6_mpa.mip6_mpa_output(kern, hr, IPPROTO_IPV6, inner, dest2)


def _ra_check(kern: Kernel, m: Mbuf, off: int, nxt: int) -> int:
    if mip6_state(kern).config.mcfg_type != MIP6_CONFIG_TYPE_MN:
        return 0
    inner = _inside(m, off, ND_ROUTER_ADVERT)
    return MATCH_BITS if inner is not None and _registered(kern, m.src, inner) is not None else 0


def _registered(kern: Kernel, outer_src: bytes, inner: Ip6Hdr) -> Mip6Bu | None:
    """The registration whose home agent tunnels to its home address."""
    for bu in mip6_bul.mip6_bu_list(mip6_state(kern)):
        if mip6_bul.mip6_bu_is_home(bu) and bu.mbu_tunnel and bu.mbu_paddr == outer_src:
            if bu.mbu_haddr == inner.ip6_dst:
                return bu
    return None


def mip6_tunnel_ra_input(kern: Kernel, m: Mbuf, off: int, nxt: int) -> tuple[int, int]:
    """The home agent tells: only itself, under AH, with a request for an update (s.10.17)."""
    inner = Ip6Hdr.unpack(m.data, off)
    hrbu = _registered(kern, m.src, inner)
    wanted = m.aux is not None and bool(m.aux.ip6a_flags & IP6A_BRUID)
    if hrbu is None or not wanted or inner.ip6_src != hrbu.mbu_paddr:
        return _end(kern, m, used=False)
    if not mip6_mps.mip6_prefixes_protected(kern, m):
        drop(kern, m, D.MIP6_MPANOAUTH)
        return DONE
    if not _sound(m, off, inner, NdRouterAdvert.SIZE):
        return _end(kern, m, used=False)
    end = off + _INNER + inner.ip6_plen
    opts = parse_nd_options(m.data, off + _INNER + NdRouterAdvert.SIZE, end)
    if isinstance(opts, Malformed):
        return _end(kern, m, used=False)
    icmp6_in_count(kern, m.rcvif, ND_ROUTER_ADVERT, 0)
    return _end(kern, m, used=mip6_mps.mip6_prefixes_told(kern, hrbu, opts))
