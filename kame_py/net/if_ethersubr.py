# SPDX-License-Identifier: BSD-3-Clause
"""Ethernet: frames in, frames out.

KAME net/if_ethersubr.c. Deviates: only IPv6 is carried; the station's address filter, which is
hardware in KAME, is here. RFC 2464.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kame_py.kern.drop import D, drop
from kame_py.kern.mbuf import (
    M_BCAST,
    M_FORWARDED,
    M_MCAST,
    Fate,
    Mbuf,
    m_get,
    settle,
    trace,
    trace_input,
)
from kame_py.net.if_ import IFF_ALLMULTI, IFF_PROMISC, IFF_UP
from kame_py.net.route import LinkAddr
from kame_py.wire.codecs import EtherHeader
from kame_py.wire.const import ETHERTYPE_IPV6
from kame_py.wire.in6addr import ETHER_BROADCAST, ether_multicast
from kame_py.wire.patch import u8, u16

if TYPE_CHECKING:
    from kame_py.kern.kernel import Kernel
    from kame_py.net.if_ import Ifnet
    from kame_py.net.route import Rtentry

ETHER_GROUP_BIT: Final = 0x01  # IEEE 802.3: lowest bit of the first octet
_FORWARDED: Final = Fate.FORWARDED
_TRANSMITTED: Final = Fate.TRANSMITTED
_HDR: Final = EtherHeader.SIZE
_TYPE: Final = EtherHeader.O_ether_type
_SHOST: Final = EtherHeader.O_ether_shost


def ether_input(kern: Kernel, ifp: Ifnet, frame: bytes, tag: object = None) -> Mbuf:
    """One frame arrives: filter by address and type, then up to ip6_input.

    The packet it became is returned; it has a fate or is held.
    """
    m = m_get(kern, frame, ifp, tag)
    if kern.tracing:
        trace_input(m, ifp, f"ether_input {ifp.if_name}")
    if not ifp.if_flags & IFF_UP:
        drop(kern, m, D.IF_DOWN)
        return m
    if ifp.carrier is False:
        drop(kern, m, D.IF_NOCARRIER)
        return m
    if kern.bpf is not None:
        kern.bpf(kern, ifp, frame, True)
    data = ifp.if_data
    if len(frame) < _HDR:
        data.ifi_ierrors += 1
        drop(kern, m, D.ETHER_RUNT)
        return m
    dhost = frame[:_SHOST]
    if dhost != ifp.if_hwaddr:
        if u8(dhost, EtherHeader.O_ether_dhost) & ETHER_GROUP_BIT:
            if dhost == ETHER_BROADCAST:
                m.flags |= M_BCAST
            elif dhost in ifp.macs or ifp.if_flags & (IFF_ALLMULTI | IFF_PROMISC):
                m.flags |= M_MCAST
            else:
                drop(kern, m, D.ETHER_MCAST)
                return m
            data.ifi_imcasts += 1
        elif not ifp.if_flags & IFF_PROMISC:
            drop(kern, m, D.ETHER_NOTFORUS)
            return m
    data.ifi_ipackets += 1
    data.ifi_ibytes += len(frame)
    if u16(frame, _TYPE) != ETHERTYPE_IPV6:
        drop(kern, m, D.ETHER_TYPE)
        return m
    m.data = frame[_HDR:]
    intr = kern.ip6intr
    intr(kern, m)
    return m


def ether_output(kern: Kernel, ifp: Ifnet, m: Mbuf, dst: bytes, rt: Rtentry | None) -> None:
    """Send to the next hop ``dst``; ``rt`` is the neighbour's route with its link address."""
    if dst >= b"\xff":
        ether_send(kern, ifp, m, ether_multicast(dst))
        return
    gateway = rt.rt_gateway if rt is not None else None
    if isinstance(gateway, LinkAddr) and gateway.sdl_data:
        ether_send(kern, ifp, m, gateway.sdl_data)
        return
    ifp.if_data.ifi_oerrors += 1
    drop(kern, m, D.IF_OUTPUT)


def ether_send(kern: Kernel, ifp: Ifnet, m: Mbuf, dhost: bytes) -> None:
    """Frame the packet for one station and put it on the wire."""
    if not ifp.if_flags & IFF_UP:
        drop(kern, m, D.IF_DOWN)
        return
    if ifp.carrier is False:
        ifp.if_data.ifi_oerrors += 1
        drop(kern, m, D.IF_NOCARRIER)
        return
    if len(m.data) > ifp.if_mtu:
        ifp.if_data.ifi_oerrors += 1
        drop(kern, m, D.ETHER_TOOBIG)
        return
    frame = EtherHeader.pack_fields(dhost, ifp.if_hwaddr, ETHERTYPE_IPV6) + m.data
    if u8(dhost, EtherHeader.O_ether_dhost) & ETHER_GROUP_BIT:
        ifp.if_data.ifi_omcasts += 1
    if_transmit(kern, ifp, m, frame)


def if_transmit(kern: Kernel, ifp: Ifnet, m: Mbuf, frame: bytes) -> None:
    """Queue a finished frame for the outside, count it and settle the packet."""
    data = ifp.if_data
    data.ifi_opackets += 1
    data.ifi_obytes += len(frame)
    if kern.bpf is not None:
        kern.bpf(kern, ifp, frame, False)
    if kern.tracing:
        trace(m, f"output {ifp.if_name}")
    kern.txq.append((ifp, frame, m))
    settle(kern, m, _FORWARDED if m.flags & M_FORWARDED else _TRANSMITTED)
