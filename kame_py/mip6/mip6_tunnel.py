# SPDX-License-Identifier: BSD-3-Clause
"""The tunnel between home agent and mobile node, at the home agent.

Corresponds to mip6_tunnel_output, mip6_tunnel_input, mip6_tunnel_control and mip6_bc_encapcheck of
KAME. Deviates: one entry of the encapsulation table serves all bindings, so none is left behind; a
packet out of the tunnel must come from the care-of address of the home address inside it.
draft-ietf-mobileip-ipv6-15 s.9.4, s.9.5; RFC 2473.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kame_py.kern.drop import D, drop
from kame_py.kern.protosw import DONE
from kame_py.mip6 import mip6_bc, mip6_hareg, mip6_mcast, mip6_proxy
from kame_py.mip6.mip6_state import HrSt
from kame_py.mip6.mip6_var import MIP6_CONFIG_TYPE_MN, mip6_state
from kame_py.netinet6.icmp6_error import icmp6_error
from kame_py.netinet6.ip6_output import ip6_output, ip6_pkt
from kame_py.netinet6.ip_encap import encap6_decap
from kame_py.wire.codecs import Ip6Hdr
from kame_py.wire.const import (
    ICMP6_DST_UNREACH,
    ICMP6_DST_UNREACH_ADDR,
    ICMP6_DST_UNREACH_BEYONDSCOPE,
    IPPROTO_IPV6,
    IPV6_VERSION,
    IPV6_VERSION_MASK,
)
from kame_py.wire.in6addr import IN6_IS_ADDR_LINKLOCAL, IN6_IS_ADDR_SITELOCAL
from kame_py.wire.patch import u8

if TYPE_CHECKING:
    from kame_py.kern.kernel import Kernel
    from kame_py.kern.mbuf import Mbuf
    from kame_py.mip6.mip6_var import Mip6Bc

MATCH_BITS: Final = 256  # both outer addresses, as good as a configured tunnel's


def mip6_intercept(kern: Kernel, m: Mbuf) -> bool:
    """ip6_forward: a packet to a mobile node that is away. True: it was taken.

    Source: KAME ip6_forward.c; draft-15 s.9.4.
    """
    bc = mip6_state(kern).mip6_hrbc_list.get(m.dst)
    if bc is None or bc.mbc_hr is None or bc.mbc_hr.hr_st is not HrSt.SERVED:
        return False
    if bc.mbc_addr not in kern.ip6.ifaddrs:
        mip6_hareg.mip6_hr_expire(kern, bc.mbc_hr)  # the tunnel has lost its end here
        return False
    if mip6_proxy.mip6_proxy_solicited(kern, m, bc):
        return True
    if IN6_IS_ADDR_LINKLOCAL(m.dst):
        icmp6_error(kern, m, ICMP6_DST_UNREACH, ICMP6_DST_UNREACH_ADDR)
        drop(kern, m, D.MIP6_LINKLOCAL)
    elif IN6_IS_ADDR_LINKLOCAL(m.src):
        icmp6_error(kern, m, ICMP6_DST_UNREACH, ICMP6_DST_UNREACH_BEYONDSCOPE)
        drop(kern, m, D.MIP6_LINKLOCAL)
    elif IN6_IS_ADDR_SITELOCAL(m.dst) and not mip6_state(kern).tunnel_sitelocal:
        icmp6_error(kern, m, ICMP6_DST_UNREACH, ICMP6_DST_UNREACH_ADDR)
        drop(kern, m, D.MIP6_SITELOCAL)
    else:
        mip6_tunnel_output(kern, m, bc)
    return True


def mip6_tunnel_output(kern: Kernel, m: Mbuf, bc: Mip6Bc) -> None:
    """Put the packet into one to the care-of address; the mbuf goes on as that."""
    if kern.tracing:
        mip6_bc.mip6_bc_trace(kern, m, "mip6_tunnel_output", bc)
    kern.stats.mip6["mip6s_otunnel"] += 1
    src, dst = bc.mbc_addr, bc.mbc_pcoa
    m.data = ip6_pkt(src, dst, IPPROTO_IPV6, m.data, kern.ip6.ip6_defhlim)
    m.src, m.dst = src, dst
    m.aux = None
    ip6_output(kern, m)


def mip6_has_inner(m: Mbuf, off: int) -> bool:
    """Whether an IPv6 header is inside."""
    if len(m.data) - off < Ip6Hdr.SIZE:
        return False
    return u8(m.data, off) & IPV6_VERSION_MASK == IPV6_VERSION


def mip6_bc_encapcheck(kern: Kernel, m: Mbuf, off: int, nxt: int) -> int:
    """Whether an encapsulated packet is a mobile node's: by its home address inside."""
    if not mip6_has_inner(m, off):
        return 0
    bc = mip6_state(kern).mip6_hrbc_list.get(Ip6Hdr.unpack(m.data, off).ip6_src)
    if bc is None or bc.mbc_hr is None or bc.mbc_hr.hr_st is not HrSt.SERVED:
        return 0
    return MATCH_BITS if (m.src, m.dst) == (bc.mbc_pcoa, bc.mbc_addr) else 0


def mip6_tunnel_input(kern: Kernel, m: Mbuf, off: int, nxt: int) -> tuple[int, int]:
    """Take the outer header off; the inner packet arrives where the outer one did.

    One to a group arrives where the group is: mip6_mcast_link.
    """
    mobile = mip6_state(kern).config.mcfg_type == MIP6_CONFIG_TYPE_MN
    kern.stats.mip6["mip6s_tunnel" if mobile else "mip6s_revtunnel"] += 1
    ifp = m.rcvif
    if ifp is not None:
        inner = Ip6Hdr.unpack(m.data, off)
        if inner.ip6_dst >= b"\xff":
            ifp = mip6_mcast.mip6_mcast_link(kern, inner.ip6_src, inner.ip6_dst, ifp)
        encap6_decap(kern, m, off, ifp)
    return DONE


def mip6_tunnel_init(kern: Kernel) -> None:
    """Take part in the choice of who gets encapsulated packets."""
    kern.encap.attach(mip6_bc_encapcheck, mip6_tunnel_input)
    kern.encap.attach(mip6_mcast.mip6_bu_mcastcheck, mip6_tunnel_input)
