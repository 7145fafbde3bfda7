# SPDX-License-Identifier: BSD-3-Clause
"""Generic tunnel interfaces, IPv6 in IPv6.

KAME net/if_gif.c and netinet6/in6_gif.c. Deviates: IPv6 outside and inside only. RFC 2473.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from kame_py.kern.drop import D, drop
from kame_py.kern.mbuf import Mbuf, trace
from kame_py.kern.protosw import DONE
from kame_py.net.if_ import (
    GIFMTU,
    IFF_LINK2,
    IFF_MULTICAST,
    IFF_POINTOPOINT,
    IFF_RUNNING,
    IFF_UP,
    IFT_GIF,
    Ifnet,
    if_attach,
)
from kame_py.net.route import Rtentry, rtalloc1
from kame_py.netinet6.ip6_output import ip6_output, ip6_pkt
from kame_py.netinet6.ip_encap import Encaptab, encap6_decap
from kame_py.netinet6.nd6 import nd6_ifattach
from kame_py.wire.codecs import Ip6Hdr
from kame_py.wire.const import IPPROTO_IPV6, IPV6_FLOWINFO_MASK, IPV6_FLOWLABEL_MASK
from kame_py.wire.errno import EADDRNOTAVAIL, EINVAL, ENXIO, KError
from kame_py.wire.in6addr import IN6ADDR_ANY
from kame_py.wire.ioctl import SIOCDIFPHYADDR, SIOCGIFPHYADDR_IN6, SIOCSIFPHYADDR_IN6
from kame_py.wire.patch import u32

if TYPE_CHECKING:
    from kame_py.kern.kernel import Kernel

MAX_GIF_NEST: Final = 1  # KAME: a tunnel's outer packet enters no other tunnel
_ADDR_BITS: Final = 128
_CLASS_MASK: Final = IPV6_FLOWINFO_MASK & ~IPV6_FLOWLABEL_MASK


@dataclass(slots=True, eq=False)
class GifSoftc:
    """Outer addresses in kernel form, empty without a tunnel."""

    gif_psrc: bytes = b""
    gif_pdst: bytes = b""
    encap_cookie: Encaptab | None = None


@dataclass(slots=True)
class GifState:
    """Of all tunnels of a kernel: how deep sending is now, how deep it may be."""

    called: int = 0
    max_gif_nesting: int = MAX_GIF_NEST


def gif_attach(kern: Kernel, name: str) -> Ifnet:
    """Create one tunnel interface, down and without outer addresses."""
    flags = IFF_POINTOPOINT | IFF_MULTICAST
    ifp = Ifnet(name, IFT_GIF, GIFMTU, flags, b"")
    sc = GifSoftc()
    ifp.if_softc = sc
    if_attach(kern, ifp, gif_output)
    nd6_ifattach(kern, ifp)

    def check(kern: Kernel, m: Mbuf, off: int, nxt: int) -> int:
        return gif_encapcheck6(kern, ifp, sc, m)

    def gif_input(kern: Kernel, m: Mbuf, off: int, nxt: int) -> tuple[int, int]:
        return in6_gif_input(kern, ifp, m, off)

    sc.encap_cookie = kern.encap.attach(check, gif_input)
    return ifp


def gif_softc(ifp: Ifnet | None) -> GifSoftc:
    """What makes ``ifp`` a tunnel. KError(ENXIO): no such interface, or of another kind."""
    sc = ifp.if_softc if ifp is not None else None
    if not isinstance(sc, GifSoftc):
        raise KError(ENXIO)
    return sc


def gif_set_tunnel(kern: Kernel, ifp: Ifnet, psrc: bytes, pdst: bytes) -> None:
    """Set the outer addresses.

    KError(EADDRNOTAVAIL): not unicast, or another tunnel has the same pair.
    """
    sc = gif_softc(ifp)
    if any(a >= b"\xff" or a == IN6ADDR_ANY for a in (psrc, pdst)):
        raise KError(EADDRNOTAVAIL)
    for other in kern.ifnets:
        used = other.if_softc
        if isinstance(used, GifSoftc) and used is not sc:
            if (used.gif_psrc, used.gif_pdst) == (psrc, pdst):
                raise KError(EADDRNOTAVAIL)
    sc.gif_psrc, sc.gif_pdst = psrc, pdst
    ifp.if_flags |= IFF_RUNNING


def gif_delete_tunnel(ifp: Ifnet) -> None:
    """Remove the outer addresses."""
    sc = gif_softc(ifp)
    sc.gif_psrc = sc.gif_pdst = b""
    ifp.if_flags &= ~IFF_RUNNING


def gif_detach(kern: Kernel, ifp: Ifnet) -> None:
    """Stop taking packets for this interface."""
    sc = ifp.if_softc
    if isinstance(sc, GifSoftc) and sc.encap_cookie is not None:
        kern.encap.detach(sc.encap_cookie)
        sc.encap_cookie = None


def gif_output(kern: Kernel, ifp: Ifnet, m: Mbuf, dst: bytes, rt: Rtentry | None) -> None:
    """Put the packet into an outer one and send that; the mbuf goes on as the outer packet."""
    sc = ifp.if_softc
    if not isinstance(sc, GifSoftc) or not ifp.if_flags & IFF_UP:
        drop(kern, m, D.IF_DOWN)
        return
    if not sc.gif_psrc or not sc.gif_pdst:
        ifp.if_data.ifi_oerrors += 1
        drop(kern, m, D.GIF_NOTUNNEL)
        return
    state = kern.gif
    if state.called >= state.max_gif_nesting:
        ifp.if_data.ifi_oerrors += 1
        drop(kern, m, D.GIF_NEST)
        return
    inner = m.data
    ifp.if_data.ifi_opackets += 1
    ifp.if_data.ifi_obytes += len(inner)
    if kern.bpf is not None:
        kern.bpf(kern, ifp, inner, False)
    if kern.tracing:
        trace(m, f"gif_output {ifp.if_name}")
    tclass = u32(inner, Ip6Hdr.O_ip6_flow) & _CLASS_MASK
    hlim = kern.ip6.ip6_gif_hlim
    m.data = ip6_pkt(sc.gif_psrc, sc.gif_pdst, IPPROTO_IPV6, inner, hlim, tclass)
    m.src, m.dst = sc.gif_psrc, sc.gif_pdst
    m.aux = None
    state.called += 1
    ip6_output(kern, m)
    state.called -= 1


def gif_encapcheck6(kern: Kernel, ifp: Ifnet, sc: GifSoftc, m: Mbuf) -> int:
    """How well the outer addresses fit this tunnel; its far end must be heard where it lives.

    Source: KAME in6_gif.c; RFC 2473 s.9, RFC 2827 ingress filtering, off with link2.
    """
    if not ifp.if_flags & IFF_UP or m.src != sc.gif_pdst or m.dst != sc.gif_psrc:
        return 0
    if not ifp.if_flags & IFF_LINK2:
        rt = rtalloc1(kern, m.src, clone=False)
        if rt is None or rt.rt_ifp is not m.rcvif:
            return 0
    return 2 * _ADDR_BITS


def in6_gif_input(kern: Kernel, ifp: Ifnet, m: Mbuf, off: int) -> tuple[int, int]:
    """Take the outer header off; the inner packet arrives on the tunnel interface."""
    size = len(m.data) - off
    if encap6_decap(kern, m, off, ifp):
        ifp.if_data.ifi_ipackets += 1
        ifp.if_data.ifi_ibytes += size
        if kern.bpf is not None:
            kern.bpf(kern, ifp, m.data, True)
    else:
        ifp.if_data.ifi_ierrors += 1
    return DONE


def gif_init(kern: Kernel) -> None:
    """State of all tunnels, their sysctl and ioctls."""
    kern.gif = GifState()
    kern.sysctl.register_attr(
        "net.link.gif.max_nesting",
        kern.gif,
        "max_gif_nesting",
        lo=1,
        hi=8,
        text="tunnels that one packet may enter on this node",
    )
    kern.cloners["gif"] = gif_attach
    kern.ioctlsw[SIOCSIFPHYADDR_IN6] = _set_phyaddr
    kern.ioctlsw[SIOCDIFPHYADDR] = _delete_phyaddr
    kern.ioctlsw[SIOCGIFPHYADDR_IN6] = _get_phyaddr


def _tunnel(kern: Kernel, name: str) -> Ifnet:
    ifp = kern.ifunit(name)
    if ifp is None:
        raise KError(ENXIO)
    gif_softc(ifp)
    return ifp


def _set_phyaddr(kern: Kernel, req: object) -> object:
    if not isinstance(req, SIOCSIFPHYADDR_IN6):
        raise KError(EINVAL)
    gif_set_tunnel(kern, _tunnel(kern, req.ifra_name), req.ifra_addr, req.ifra_dstaddr)
    return None


def _delete_phyaddr(kern: Kernel, req: object) -> object:
    if not isinstance(req, SIOCDIFPHYADDR):
        raise KError(EINVAL)
    gif_delete_tunnel(_tunnel(kern, req.ifr_name))
    return None


def _get_phyaddr(kern: Kernel, req: object) -> object:
    if not isinstance(req, SIOCGIFPHYADDR_IN6):
        raise KError(EINVAL)
    sc = gif_softc(kern.ifunit(req.ifr_name))
    if not sc.gif_psrc:
        raise KError(EADDRNOTAVAIL)
    return sc.gif_psrc, sc.gif_pdst
