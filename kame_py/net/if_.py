# SPDX-License-Identifier: BSD-3-Clause
"""Network interfaces: struct ifnet and its life (KAME if.c, if.h).

An interface owns its IPv6 addresses, its multicast memberships and its counters. What a packet
meets on the way out is ``if_output``, chosen by the interface type.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from kame_py.kern.kernel import Kernel
    from kame_py.kern.mbuf import Mbuf
    from kame_py.net.route import Rtentry
    from kame_py.netinet6.in6_var import In6Ifaddr, In6Multi
    from kame_py.netinet6.nd6 import NdIfinfo

IFF_UP: Final = 0x0001
IFF_BROADCAST: Final = 0x0002
IFF_DEBUG: Final = 0x0004
IFF_LOOPBACK: Final = 0x0008
IFF_POINTOPOINT: Final = 0x0010
IFF_SMART: Final = 0x0020
IFF_RUNNING: Final = 0x0040
IFF_NOARP: Final = 0x0080
IFF_PROMISC: Final = 0x0100
IFF_ALLMULTI: Final = 0x0200
IFF_OACTIVE: Final = 0x0400
IFF_SIMPLEX: Final = 0x0800
IFF_LINK0: Final = 0x1000
IFF_LINK1: Final = 0x2000
IFF_LINK2: Final = 0x4000
IFF_MULTICAST: Final = 0x8000
IFF_CHANGEABLE: Final = (
    IFF_UP | IFF_DEBUG | IFF_NOARP | IFF_PROMISC | IFF_LINK0 | IFF_LINK1 | IFF_LINK2
)

IFT_ETHER: Final = 0x06
IFT_LOOP: Final = 0x18
IFT_RAWIP: Final = 0xEF  # a link without MAC addresses (raw IPv6 captures, tun)
IFT_GIF: Final = 0xF0
IFT_HIF: Final = 0xF5

ETHERMTU: Final = 1500
LOMTU: Final = 16384
GIFMTU: Final = 1280

#: (kern, ifp, m, next hop in kernel form, its route or None): takes ownership of m.
IfOutput = Callable[["Kernel", "Ifnet", "Mbuf", bytes, "Rtentry | None"], None]
IfEvent = Callable[["Kernel", "Ifnet"], None]


@dataclass(slots=True)
class IfData:
    """Traffic counters (struct if_data)."""

    ifi_ipackets: int = 0
    ifi_ierrors: int = 0
    ifi_opackets: int = 0
    ifi_oerrors: int = 0
    ifi_collisions: int = 0
    ifi_ibytes: int = 0
    ifi_obytes: int = 0
    ifi_imcasts: int = 0
    ifi_omcasts: int = 0


class Ifnet:
    """One interface.

    if_hwaddr: 6 bytes, or b"" on links without addresses. carrier: None where there is no media.
    macs: link-layer multicast groups with their reference counts (33:33:...).
    """

    __slots__ = (
        "carrier",
        "icmp6_ifstat",
        "if_data",
        "if_flags",
        "if_hwaddr",
        "if_index",
        "if_metric",
        "if_mtu",
        "if_name",
        "if_output",
        "if_softc",
        "if_type",
        "in6_addrs",
        "in6_ifstat",
        "in6_multi",
        "macs",
        "ndi",
    )

    ndi: NdIfinfo

    def __init__(self, name: str, if_type: int, mtu: int, flags: int, hwaddr: bytes) -> None:
        self.if_name = name
        self.if_index = 0
        self.if_type = if_type
        self.if_mtu = mtu
        self.if_metric = 0
        self.if_flags = flags
        self.if_hwaddr = hwaddr
        self.carrier: bool | None = True if if_type == IFT_ETHER else None
        self.if_data = IfData()
        self.if_softc: object = None
        self.if_output: IfOutput
        self.in6_addrs: list[In6Ifaddr] = []
        self.in6_multi: dict[bytes, In6Multi] = {}
        self.macs: defaultdict[bytes, int] = defaultdict(int)
        self.in6_ifstat: defaultdict[str, int] = defaultdict(int)
        self.icmp6_ifstat: defaultdict[str, int] = defaultdict(int)

    def __repr__(self) -> str:
        return f"<Ifnet {self.if_name}>"

    @property
    def up(self) -> bool:
        return bool(self.if_flags & IFF_UP)

    @property
    def running(self) -> bool:
        """Up, and the medium (where there is one) has carrier."""
        return bool(self.if_flags & IFF_UP) and self.carrier is not False


def if_attach(kern: Kernel, ifp: Ifnet, output: IfOutput) -> Ifnet:
    """Give the interface its index and make it known."""
    ifp.if_output = output
    kern.ifnets.append(ifp)
    kern.if_lastindex += 1
    ifp.if_index = kern.if_lastindex
    kern.ifindex[ifp.if_index] = ifp
    return ifp


def if_detach(kern: Kernel, ifp: Ifnet) -> None:
    """The interface is gone: nothing names it any more."""
    kern.if_purge(kern, ifp)
    kern.ifnets.remove(ifp)
    del kern.ifindex[ifp.if_index]
