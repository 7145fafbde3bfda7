# SPDX-License-Identifier: BSD-3-Clause
"""Tunnel mode: the outer header, what of it reaches the inner one, whose tunnel it may be.

KAME ipsec.c (ipsec6_encapsulate, ipsec6_tunnel_validate, ipsec_addhist), key.c (key_gettunnel),
ip_ecn.c. Deviates: congestion marks follow RFC 3168 s.9.1; associations that a packet came through
are remembered with their addresses, so policies of tunnels are checked. RFC 2401 s.5.1.2, s.5.2.1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kame_py.kern.mbuf import M_TUNNELLED
from kame_py.netinet6.ip6_output import ip6_pkt
from kame_py.netinet6.ip6_var import IPV6_DEFHLIM
from kame_py.netinet6.ip_encap import encap6_decap
from kame_py.netinet6.scope6 import in6_embedscope
from kame_py.netkey.key_spd import key_sps
from kame_py.wire.codecs import Ip6Hdr
from kame_py.wire.const import IPPROTO_IPV6
from kame_py.wire.in6addr import prefix_equal
from kame_py.wire.patch import put_u32, u32
from kame_py.wire.pfkeyv2 import (
    IPSEC_DIR_INBOUND,
    IPSEC_MODE_TRANSPORT,
    IPSEC_MODE_TUNNEL,
    IPSEC_POLICY_IPSEC,
)

if TYPE_CHECKING:
    from kame_py.kern.kernel import Kernel
    from kame_py.kern.mbuf import Mbuf
    from kame_py.netkey.keydb import Secasvar, Secpolicy

ECN_ALLOWED: Final = 1  # net.inet6.ipsec6.ecn
ECN_FORBIDDEN: Final = 0
ECN_NOCARE: Final = -1

IPTOS_ECN_MASK: Final = 0x03  # RFC 3168 s.5
IPTOS_ECT0: Final = 0x02
IPTOS_CE: Final = 0x03
_TCLASS_SHIFT: Final = 20  # traffic class in the first word of the IPv6 header
_OCTET: Final = 0xFF
_FLOW: Final = Ip6Hdr.O_ip6_flow


def ip6_ecn_ingress(mode: int, tclass: int) -> int:
    """Traffic class of the outer header for one inside."""
    if mode == ECN_ALLOWED:
        ce = tclass & IPTOS_ECN_MASK == IPTOS_CE
        return tclass & ~IPTOS_ECN_MASK | IPTOS_ECT0 if ce else tclass
    return tclass & ~IPTOS_ECN_MASK if mode == ECN_FORBIDDEN else 0


def ip6_ecn_egress(mode: int, outer: int, tclass: int) -> int:
    """Traffic class of the inner header once the outer one is off."""
    if mode == ECN_ALLOWED and outer & IPTOS_ECN_MASK == IPTOS_CE and tclass & IPTOS_ECN_MASK:
        return tclass | IPTOS_CE
    return tclass


def ip6_tclass(data: bytes, off: int = 0) -> int:
    """Traffic class of the IPv6 header at ``off``."""
    return u32(data, off + _FLOW) >> _TCLASS_SHIFT & _OCTET


def ipsec6_encapsulate(kern: Kernel, sav: Secasvar, data: bytes) -> bytes:
    """The packet inside a new one between the ends of the association."""
    tclass = ip6_ecn_ingress(kern.key.ip6_ipsec_ecn, ip6_tclass(data))
    idx = sav.saidx
    flow = tclass << _TCLASS_SHIFT
    return ip6_pkt(idx.src, idx.dst, IPPROTO_IPV6, data, IPV6_DEFHLIM, flow)


def ipsec_addhist(m: Mbuf, sav: Secasvar) -> None:
    """The packet came through this association."""
    m.ipsecaux().hist.append(sav)


def ipsec6_tunnel_validate(kern: Kernel, m: Mbuf, off: int, nxt: int, sav: Secasvar) -> bool:
    """Whether what lies at ``off`` is a packet out of a tunnel that an inbound policy knows.

    Other IPv6 packets inside go to the generic tunnels (gif).
    """
    if nxt != IPPROTO_IPV6 or sav.saidx.mode == IPSEC_MODE_TRANSPORT:
        return False
    if len(m.data) < off + Ip6Hdr.SIZE or m.dst != sav.saidx.dst:
        return False
    ip6 = Ip6Hdr.unpack(m.data, off)
    zone = m.rcvif.if_index if m.rcvif is not None else 0
    isrc, idst = in6_embedscope(ip6.ip6_src, zone), in6_embedscope(ip6.ip6_dst, zone)
    return any(_is_tunnel(sp, m.src, m.dst, isrc, idst) for sp in key_sps(kern, IPSEC_DIR_INBOUND))


def _is_tunnel(sp: Secpolicy, osrc: bytes, odst: bytes, isrc: bytes, idst: bytes) -> bool:
    """key_gettunnel: one of the policy's tunnels has the outer addresses and holds the inner.

    The first request is for what the selectors name, each further one for the tunnel before it.
    """
    inner: tuple[bytes | None, bytes | None] | None = None
    idx = sp.spidx
    if idx is None or sp.policy != IPSEC_POLICY_IPSEC:
        return False
    for isr in sp.req:
        if isr.mode != IPSEC_MODE_TUNNEL:
            continue
        if inner is None:
            held = prefix_equal(idx.src, isrc, idx.prefs) and prefix_equal(idx.dst, idst, idx.prefd)
        else:
            held = inner == (isrc, idst)
        if held and (isr.src, isr.dst) == (osrc, odst):
            return True
        inner = isr.src, isr.dst
    return False


def ipsec6_decapsulate(kern: Kernel, m: Mbuf, off: int) -> None:
    """Receive the packet at ``off`` on the same interface; what it came through goes with it."""
    mode = kern.key.ip6_ipsec_ecn
    inner = ip6_tclass(m.data, off)
    tclass = ip6_ecn_egress(mode, ip6_tclass(m.data), inner)
    if tclass != inner:
        flow = u32(m.data, off + _FLOW) ^ (tclass ^ inner) << _TCLASS_SHIFT
        m.data = put_u32(m.data, off + _FLOW, flow)
    ifp = m.rcvif
    if ifp is not None and encap6_decap(kern, m, off, ifp):
        m.flags |= M_TUNNELLED
