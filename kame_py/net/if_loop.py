# SPDX-License-Identifier: BSD-3-Clause
"""The loopback interface.

KAME net/if_loop.c. Deviates: the packet goes on as the same mbuf, so one packet has one fate, that
of its receiving side.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kame_py.kern.mbuf import M_LOOP, Mbuf, m_get, trace
from kame_py.net.if_ import (
    IFF_LOOPBACK,
    IFF_MULTICAST,
    IFF_RUNNING,
    IFT_LOOP,
    LOMTU,
    Ifnet,
    if_attach,
)

if TYPE_CHECKING:
    from kame_py.kern.kernel import Kernel
    from kame_py.net.route import Rtentry


def loop_attach(kern: Kernel) -> Ifnet:
    """Create lo0, which must be the first interface (index 1)."""
    lo0 = Ifnet("lo0", IFT_LOOP, LOMTU, IFF_LOOPBACK | IFF_MULTICAST | IFF_RUNNING, b"")
    kern.if_inputsw[IFT_LOOP] = loop_input
    return if_attach(kern, lo0, looutput)


def loop_input(kern: Kernel, ifp: Ifnet, frame: bytes, tag: object = None) -> Mbuf:
    """A packet written to the loopback from outside (a replay)."""
    m = m_get(kern, frame, ifp, tag)
    ifp.if_data.ifi_ipackets += 1
    ifp.if_data.ifi_ibytes += len(frame)
    kern.ip6intr(kern, m)
    return m


def looutput(kern: Kernel, ifp: Ifnet, m: Mbuf, dst: bytes, rt: Rtentry | None) -> None:
    """Queue the packet as received on ``ifp``: lo0, or the interface whose zone it belongs to."""
    lo0 = kern.ifnets[0]
    size = len(m.data)
    data = lo0.if_data
    data.ifi_opackets += 1
    data.ifi_obytes += size
    data.ifi_ipackets += 1
    data.ifi_ibytes += size
    if kern.bpf is not None:
        kern.bpf(kern, lo0, m.data, False)
    if kern.tracing:
        trace(m, f"looutput {ifp.if_name}")
    m.flags |= M_LOOP
    m.rcvif = ifp
    kern.schednetisr(kern.ip6intr, kern, m)
