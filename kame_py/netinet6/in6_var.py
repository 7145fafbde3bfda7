# SPDX-License-Identifier: BSD-3-Clause
"""IPv6 addresses of interfaces and their flags (KAME in6_var.h)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from kame_py.wire.snap import INFINITE

if TYPE_CHECKING:
    from kame_py.kern.callout import Callout
    from kame_py.net.if_ import Ifnet
    from kame_py.netinet6.nd6 import NdPrefix

IN6_IFF_ANYCAST: Final = 0x01
IN6_IFF_TENTATIVE: Final = 0x02
IN6_IFF_DUPLICATED: Final = 0x04
IN6_IFF_DETACHED: Final = 0x08
IN6_IFF_DEPRECATED: Final = 0x10
IN6_IFF_NODAD: Final = 0x20
IN6_IFF_AUTOCONF: Final = 0x40
IN6_IFF_TEMPORARY: Final = 0x80
IN6_IFF_HOME: Final = 0x100
IN6_IFF_NOTREADY: Final = IN6_IFF_TENTATIVE | IN6_IFF_DUPLICATED


@dataclass(slots=True)
class In6Addrlifetime:
    """Seconds as told, and the monotonic ns at which they end (0: never)."""

    ia6t_vltime: int = INFINITE
    ia6t_pltime: int = INFINITE
    ia6t_expire: int = 0
    ia6t_preferred: int = 0


@dataclass(slots=True, eq=False)
class In6Ifaddr:
    """One address. ia_addr in kernel form (scope embedded)."""

    ia_ifp: Ifnet
    ia_addr: bytes
    ia_plen: int
    ia6_flags: int = 0
    ia_dstaddr: bytes | None = None
    ia6_lifetime: In6Addrlifetime = field(default_factory=In6Addrlifetime)
    ia6_createtime: int = 0  # monotonic ns
    ia6_updatetime: int = 0
    ia6_ndpr: NdPrefix | None = None
    ia6_timer: Callout | None = None


@dataclass(slots=True, eq=False)
class In6Multi:
    """One multicast membership (struct in6_multi). in6m_addr in kernel form."""

    in6m_addr: bytes
    in6m_ifp: Ifnet
    in6m_refcount: int = 0
    in6m_state: int = 0  # MLD_OTHERLISTENER 0, MLD_IREPORTEDLAST 1
    in6m_timer: Callout | None = None
