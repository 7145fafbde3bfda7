# SPDX-License-Identifier: BSD-3-Clause
"""Rows of kernel tables as programs see them through sysctl and ioctl.

They stand in for the C structures that KAME's tools copy out. Addresses are 16 bytes in user form
(no embedded scope) with the interface name beside them where a scope needs one. Lifetimes are
seconds; ``INFINITE`` never ends; ``*_expire`` is seconds from now, may be negative.
"""

from __future__ import annotations

from typing import Final

from kame_py.wire.record import record

INFINITE: Final = 0xFFFFFFFF  # ND6_INFINITE_LIFETIME, RFC 2461 s.4.6.2


@record
class IfSnap:
    """One interface (struct if_msghdr, if_data)."""

    name: str
    index: int
    type: int
    flags: int
    mtu: int
    metric: int
    lladdr: bytes
    carrier: bool | None  # None: the interface has no media
    ipackets: int
    ierrors: int
    opackets: int
    oerrors: int
    collisions: int
    ibytes: int
    obytes: int
    imcasts: int
    omcasts: int


@record
class IfaSnap:
    """One address of an interface (struct in6_ifreq answers)."""

    ifname: str
    ifindex: int
    addr: bytes
    plen: int
    flags: int  # IN6_IFF_*
    vltime: int
    pltime: int
    vexpire: int  # seconds left; INFINITE
    pexpire: int
    dstaddr: bytes | None


@record
class RtSnap:
    """One route (struct rt_msghdr of NET_RT_DUMP)."""

    dst: bytes
    plen: int
    zone: str  # interface name for scoped destinations, else ""
    gateway: bytes | None  # IPv6 gateway, or None
    gwzone: str
    link: str  # "link#1" or a MAC text for link-layer gateways, else ""
    lladdr: bytes | None  # resolved link-layer address, b"" unresolved, None: not a neighbour
    flags: int
    ifname: str
    mtu: int
    expire: int | None  # seconds left, None: never
    refs: int
    use: int
    linkif: str = ""  # interface of a link-layer gateway; a route to ourselves leaves by lo0


@record
class NbrSnap:
    """One neighbour cache entry (struct in6_nbrinfo with its route)."""

    addr: bytes
    ifname: str
    lladdr: bytes  # b"" when unresolved
    state: int  # ND6_LLINFO_*
    isrouter: bool
    asked: int
    expire: int | None  # seconds left, None: permanent
    flags: int  # RTF_*


@record
class PfxSnap:
    """One entry of the prefix list (struct in6_prefix)."""

    prefix: bytes
    plen: int
    ifname: str
    onlink: bool
    autonomous: bool
    stateflags: int  # NDPRF_ONLINK 1, NDPRF_DETACHED 2, NDPRF_HOME 4
    vltime: int
    pltime: int
    expire: int | None  # seconds left, None: never
    refcnt: int
    origin: int  # PR_ORIG_RA 0, PR_ORIG_RR 1, PR_ORIG_STATIC 2, PR_ORIG_KERNEL 3
    advrtrs: tuple[tuple[bytes, int], ...]  # (router, its neighbour state or -1)


@record
class DrSnap:
    """One default router (struct in6_defrouter)."""

    rtaddr: bytes
    ifname: str
    flags: int
    rtlifetime: int
    expire: int | None


@record
class NdiSnap:
    """ND parameters of an interface (struct nd_ifinfo). Times in ms, as there."""

    linkmtu: int
    maxmtu: int
    basereachable_ms: int
    reachable_ms: int
    retrans_ms: int
    chlim: int
    flags: int  # ND6_IFF_PERFORMNUD 1, ACCEPT_RTADV 2, PREFER_SOURCE 4
    randomseed0: bytes = b""  # of temporary addresses; empty while there were none
    randomseed1: bytes = b""
    randomid: bytes = b""


@record
class PcbSnap:
    """One socket's addresses (struct in6pcb)."""

    proto: str  # udp6, icm6, raw6 ...
    recvq: int
    sendq: int
    laddr: bytes
    lzone: str
    lport: int
    faddr: bytes
    fzone: str
    fport: int


@record
class McastSnap:
    """One multicast membership."""

    ifname: str
    addr: bytes
    refcount: int


@record
class StatSnap:
    """One counter: protocol (ip6, icmp6 ...), KAME member, histogram key or -1, value."""

    proto: str
    member: str
    key: int
    value: int


@record
class Mip6ConfigSnap:
    """struct mip6_config, and which draft the kernel speaks."""

    mcfg_type: int  # 0 corresponding node, 1 mobile node, 2 home agent
    mcfg_use_ipsec: int
    mcfg_use_authdata: int
    mcfg_debug: int
    dialect: str


@record
class BcSnap:
    """One binding cache entry (struct mip6_bc)."""

    phaddr: bytes
    pcoa: bytes
    addr: bytes
    flags: int
    prefixlen: int
    seqno: int
    lifetime: int
    expire: int
    state: int  # MIP6_BC_STATE_*
    ifname: str  # home link of a home registration, else ""


@record
class BuSnap:
    """One binding update list entry (struct mip6_bu)."""

    ifname: str  # of the hif
    paddr: bytes
    haddr: bytes
    coa: bytes
    lifetime: int
    expire: int
    refresh: int
    refexpire: int
    acktimeout: int
    ackexpire: int
    seqno: int
    flags: int
    reg_state: int
    state: int  # MIP6_BU_STATE_*


@record
class HaSnap:
    """One home agent or router of a hif's home links (struct mip6_ha)."""

    ifname: str  # of the hif
    lladdr: bytes
    gaddr: bytes
    flags: int  # of the router advertisement
    pref: int
    lifetime: int
    expire: int


@record
class MpfxSnap:
    """One home prefix of a hif (struct mip6_prefix)."""

    ifname: str  # of the hif
    prefix: bytes
    plen: int
    vltime: int
    vlexpire: int
    pltime: int
    plexpire: int
    haddr: bytes
    haddr_manual: bool = False  # the user chose the home address or its identifier


@record
class UnuseSnap:
    """One rule against the home address (struct mip6_unuse_hoa)."""

    addr: bytes
    port: int


@record
class LogSnap:
    """One line of the message buffer: real time, syslog priority, "kernel" or a program."""

    t_ns: int
    priority: int
    ident: str
    text: str


Row = (
    IfSnap
    | IfaSnap
    | RtSnap
    | NbrSnap
    | PfxSnap
    | DrSnap
    | NdiSnap
    | PcbSnap
    | McastSnap
    | StatSnap
    | Mip6ConfigSnap
    | BcSnap
    | BuSnap
    | HaSnap
    | MpfxSnap
    | UnuseSnap
    | LogSnap
)
SysctlValue = int | str | bytes | tuple[Row, ...]
