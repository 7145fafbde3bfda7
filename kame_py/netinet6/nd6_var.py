# SPDX-License-Identifier: BSD-3-Clause
"""State of neighbour discovery: caches, lists, variables (KAME nd6.h).

Deviates: times are monotonic nanoseconds with exact callouts instead of a one second sweep; where
KAME swept, deadlines are rounded up to whole seconds. RFC 2461 s.5.1, s.6.3.2, s.10.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from kame_py.kern.callout import Callout
    from kame_py.kern.mbuf import Mbuf
    from kame_py.net.if_ import Ifnet
    from kame_py.net.route import Rtentry
    from kame_py.netinet6.in6_var import In6Ifaddr

ND6_LLINFO_NOSTATE: Final = -2
ND6_LLINFO_WAITDELETE: Final = -1
ND6_LLINFO_INCOMPLETE: Final = 0
ND6_LLINFO_REACHABLE: Final = 1
ND6_LLINFO_STALE: Final = 2
ND6_LLINFO_DELAY: Final = 3
ND6_LLINFO_PROBE: Final = 4

ND6_IFF_PERFORMNUD: Final = 0x1
ND6_IFF_ACCEPT_RTADV: Final = 0x2
ND6_IFF_PREFER_SOURCE: Final = 0x4

NDPRF_ONLINK: Final = 0x1  # its interface route is in the table
NDPRF_DETACHED: Final = 0x2  # no reachable router advertises it
NDPRF_HOME: Final = 0x4  # a mobile node's home prefix

PR_ORIG_RA: Final = 0
PR_ORIG_RR: Final = 1
PR_ORIG_STATIC: Final = 2
PR_ORIG_KERNEL: Final = 3

ND_REDIRECT_ONLINK: Final = 0  # nd6_cache_lladdr code: the target is the destination itself
ND_REDIRECT_ROUTER: Final = 1  # the target is a router

REACHABLE_TIME_MS: Final = 30_000  # RFC 2461 s.10
RETRANS_TIMER_MS: Final = 1_000  # RFC 2461 s.10
MAX_REACHABLE_TIME_MS: Final = 3_600_000  # RFC 2461 s.6.2.1 AdvReachableTime
MIN_RANDOM_FACTOR: Final = 512  # of 1024, RFC 2461 s.10
MAX_RANDOM_FACTOR: Final = 1536
ND6_RECALC_REACHTM_S: Final = 7_200  # RFC 2461 s.6.3.4: at least every few hours
TWOHOUR_S: Final = 7_200  # RFC 2462 s.5.5.3 (e)


@dataclass(slots=True, eq=False)
class NdIfinfo:
    """ND parameters of one interface (struct nd_ifinfo).

    linkmtu: the effective IPv6 MTU. recalc_ns: when reachable_ms is drawn anew.
    randomseed0, randomseed1, randomid: history, own identifier and random identifier of temporary
    addresses, empty before the first. tmp_conflicts: how many in a row were duplicates.
    """

    linkmtu: int
    maxmtu: int
    chlim: int
    basereachable_ms: int = REACHABLE_TIME_MS
    reachable_ms: int = REACHABLE_TIME_MS
    retrans_ms: int = RETRANS_TIMER_MS
    flags: int = ND6_IFF_PERFORMNUD | ND6_IFF_ACCEPT_RTADV
    recalc_ns: int = 0
    randomseed0: bytes = b""
    randomseed1: bytes = b""
    randomid: bytes = b""
    tmp_conflicts: int = 0


@dataclass(slots=True, eq=False)
class LlinfoNd6:
    """One neighbour (struct llinfo_nd6); its link-layer address is the gateway of ln_rt.

    ln_expire: monotonic ns, 0 for a permanent entry. ln_byhint: confirmations by upper layers since
    the last one by NUD.
    """

    ln_rt: Rtentry
    ln_state: int = ND6_LLINFO_NOSTATE
    ln_hold: Mbuf | None = None
    ln_asked: int = 0
    ln_expire: int = 0
    ln_router: bool = False
    ln_byhint: int = 0
    ln_permanent: bool = False
    ln_timer: Callout | None = None

    @property
    def lladdr(self) -> bytes:
        """The neighbour's link-layer address; b"" while it is not known."""
        gateway = self.ln_rt.rt_gateway
        return b"" if isinstance(gateway, bytes) else gateway.sdl_data


@dataclass(slots=True, eq=False)
class NdDefrouter:
    """A default router (struct nd_defrouter). flags: of its advertisement. expire: ns, 0 never."""

    rtaddr: bytes
    ifp: Ifnet
    flags: int = 0
    rtlifetime: int = 0
    expire: int = 0
    timer: Callout | None = None


@dataclass(slots=True, eq=False)
class NdPrefix:
    """A prefix of a link (struct nd_prefix).

    ndpr_addr: the prefix field of the option as it came, host bits included.
    ndpr_expire: ns, 0 never.
    """

    ndpr_ifp: Ifnet
    ndpr_prefix: bytes
    ndpr_plen: int
    ndpr_vltime: int
    ndpr_pltime: int
    ndpr_addr: bytes = bytes(16)
    ndpr_raf_onlink: bool = False
    ndpr_raf_auto: bool = False
    ndpr_raf_router: bool = False
    ndpr_stateflags: int = 0
    ndpr_origin: int = PR_ORIG_RA
    ndpr_refcnt: int = 0
    ndpr_expire: int = 0
    ndpr_preferred: int = 0
    ndpr_advrtrs: list[NdDefrouter] = field(default_factory=list)
    ndpr_timer: Callout | None = None


@dataclass(slots=True, eq=False)
class Dadq:
    """Duplicate address detection under way for one address (struct dadq)."""

    dad_ia: In6Ifaddr
    dad_count: int
    dad_ns_tcount: int = 0  # tries
    dad_ns_ocount: int = 0  # solicitations sent
    dad_ns_icount: int = 0
    dad_na_icount: int = 0
    dad_timer: Callout | None = None


@dataclass(slots=True, eq=False)
class Nd6State:
    """net.inet6.icmp6.nd6_* variables and the lists of neighbour discovery.

    llinfo, learned, stale, fresh: neighbour entries, oldest first; the values mean nothing.
    learned: those that are not permanent. fresh: made by a route; nobody has sent there.
    incomplete: how many are being asked for. installed_dr: the router behind the default route.
    onlink_check: 0 idle, 1 running, 2 asked again while running.
    """

    nd6_prune: int = 1  # s, KAME's sweep
    nd6_delay: int = 5  # s, DELAY_FIRST_PROBE_TIME
    nd6_umaxtries: int = 3
    nd6_mmaxtries: int = 3
    nd6_useloopback: int = 1
    nd6_maxnudhint: int = 0
    nd6_gctimer: int = 86_400  # s, life of a stale entry
    nd6_debug: int = 0
    neighborgcthresh: int = 2048
    maxifprefixes: int = 16
    maxifdefrouters: int = 16
    llinfo: dict[LlinfoNd6, None] = field(default_factory=dict)
    learned: dict[LlinfoNd6, None] = field(default_factory=dict)
    stale: dict[LlinfoNd6, None] = field(default_factory=dict)
    fresh: dict[LlinfoNd6, None] = field(default_factory=dict)
    incomplete: int = 0
    defrouters: list[NdDefrouter] = field(default_factory=list)
    prefixes: list[NdPrefix] = field(default_factory=list)
    installed_dr: NdDefrouter | None = None
    defroute: Rtentry | None = None
    defifp: Ifnet | None = None
    dadq: dict[In6Ifaddr, Dadq] = field(default_factory=dict)
    onlink_check: int = 0
