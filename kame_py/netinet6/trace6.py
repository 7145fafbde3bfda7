# SPDX-License-Identifier: BSD-3-Clause
"""Decisions about a packet in words, for its way through the kernel.

No KAME counterpart. Only called while somebody looks on (``kern.tracing``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kame_py.kern.mbuf import Mbuf, trace
from kame_py.net.route import RTF_GATEWAY
from kame_py.netinet6.scope6 import addr_text

if TYPE_CHECKING:
    from kame_py.kern.kernel import Kernel
    from kame_py.net.route import Rtentry


def trace_route(kern: Kernel, m: Mbuf, rt: Rtentry) -> None:
    """Which route the packet takes: "route 2001:db8:3::/64 via fe80::1%fxp0 on fxp0"."""
    via = ""
    if rt.rt_flags & RTF_GATEWAY and isinstance(rt.rt_gateway, bytes):
        via = f" via {addr_text(kern, rt.rt_gateway)}"
    trace(m, f"route {addr_text(kern, rt.rt_key)}/{rt.rt_plen}{via} on {rt.rt_ifp.if_name}")


def trace_addr(kern: Kernel, m: Mbuf, what: str, addr: bytes) -> None:
    """An address that a header brought: "dest6_hao 2001:db8:1::7"."""
    trace(m, f"{what} {addr_text(kern, addr)}")
