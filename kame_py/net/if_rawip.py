# SPDX-License-Identifier: BSD-3-Clause
"""Links without link-layer addresses: a frame is an IPv6 packet (raw captures, tun devices).

No KAME file; what net/if_tun.c does for IPv6.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kame_py.kern.drop import D, drop
from kame_py.kern.mbuf import Mbuf, m_get, trace_input
from kame_py.net.if_ import IFF_UP
from kame_py.net.if_ethersubr import if_transmit

if TYPE_CHECKING:
    from kame_py.kern.kernel import Kernel
    from kame_py.net.if_ import Ifnet
    from kame_py.net.route import Rtentry


def rawip_input(kern: Kernel, ifp: Ifnet, frame: bytes, tag: object = None) -> Mbuf:
    """One packet arrives without a link-layer header."""
    m = m_get(kern, frame, ifp, tag)
    if kern.tracing:
        trace_input(m, ifp, f"rawip_input {ifp.if_name}")
    if not ifp.if_flags & IFF_UP:
        drop(kern, m, D.IF_DOWN)
        return m
    if kern.bpf is not None:
        kern.bpf(kern, ifp, frame, True)
    counts = ifp.if_data
    counts.ifi_ipackets += 1
    counts.ifi_ibytes += len(frame)
    intr = kern.ip6intr
    intr(kern, m)
    return m


def rawip_output(kern: Kernel, ifp: Ifnet, m: Mbuf, dst: bytes, rt: Rtentry | None) -> None:
    """Send the bare packet; the far end is whoever listens."""
    if not ifp.if_flags & IFF_UP:
        drop(kern, m, D.IF_DOWN)
        return
    if len(m.data) > ifp.if_mtu:
        ifp.if_data.ifi_oerrors += 1
        drop(kern, m, D.ETHER_TOOBIG)
        return
    if_transmit(kern, ifp, m, m.data)
