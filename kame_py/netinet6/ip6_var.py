# SPDX-License-Identifier: BSD-3-Clause
"""State and option blocks of the IPv6 layer (KAME ip6_var.h)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from kame_py.wire.record import record

if TYPE_CHECKING:
    from kame_py.net.if_ import Ifnet
    from kame_py.netinet6.in6_var import In6Ifaddr

IPV6_DADOUTPUT: Final = 0x01  # ip6_output: DAD, the unspecified source is right
IPV6_FORWARDING: Final = 0x02  # the packet is being forwarded: no options, no hooks
IPV6_MINMTU: Final = 0x04  # fragment to 1280

IPV6_DEFHLIM: Final = 64
IPV6_DEFAULT_MULTICAST_HOPS: Final = 1


@dataclass(slots=True)
class Ip6State:
    """net.inet6.ip6.* variables and tables of the IPv6 layer.

    ifaddrs: every local address in kernel form -> its In6Ifaddr (first configured wins).
    """

    ip6_forwarding: int = 0
    ip6_sendredirects: int = 1
    ip6_defhlim: int = IPV6_DEFHLIM
    ip6_defmcasthlim: int = IPV6_DEFAULT_MULTICAST_HOPS
    ip6_accept_rtadv: int = 0
    ip6_hdrnestlimit: int = 50
    ip6_dad_count: int = 1
    ip6_auto_flowlabel: int = 1
    ip6_use_deprecated: int = 1
    ip6_prefer_tempaddr: int = 0
    ip6_use_tempaddr: int = 0
    ip6_temp_preferred_lifetime: int = 86_400  # s, RFC 3041 s.5 TEMP_PREFERRED_LIFETIME
    ip6_temp_valid_lifetime: int = 604_800  # s, TEMP_VALID_LIFETIME
    ip6_desync_factor: int = 0  # s, drawn at boot
    ip6_v6only: int = 0
    ip6_log_interval: int = 5
    ip6_keepfaith: int = 0
    ip6_gif_hlim: int = 30
    ip6_rr_prune: int = 5
    ip6_maxfragpackets: int = 200
    ip6_maxfrags: int = 200
    ip6_rthdr0: int = 0  # serve type 0 routing headers (RFC 5095 says no)
    ip6_flow_seq: int = 0
    ip6_id: int = 0
    ifaddrs: dict[bytes, In6Ifaddr] = field(default_factory=dict)


@dataclass(slots=True)
class Exthdrs:
    """Extension headers of one outgoing packet, each complete but for its next-header octet.

    mloop: the sender wants a copy of what it sends to its own groups.
    """

    hbh: bytes = b""
    dest1: bytes = b""
    rthdr: bytes = b""
    haddr: bytes = b""  # destination options header with the home address
    dest2: bytes = b""
    mloop: bool = True


@record
class Ip6Pktopts:
    """Per-packet or sticky options of a sender (struct ip6_pktopts)."""

    ip6po_hlim: int = -1
    ip6po_pktinfo_addr: bytes | None = None  # kernel form; None or :: leaves the choice
    ip6po_pktinfo_ifp: Ifnet | None = None
    ip6po_nexthop: bytes | None = None
    ip6po_hbh: bytes = b""
    ip6po_dest1: bytes = b""
    ip6po_rthdr: bytes = b""
    ip6po_dest2: bytes = b""


@dataclass(slots=True)
class Ip6Moptions:
    """Multicast options of a socket (struct ip6_moptions). hlim -1: the default."""

    im6o_multicast_ifp: Ifnet | None = None
    im6o_multicast_hlim: int = -1
    im6o_multicast_loop: bool = True
    im6o_membership: list[tuple[bytes, Ifnet]] = field(default_factory=list)
