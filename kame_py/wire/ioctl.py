# SPDX-License-Identifier: BSD-3-Clause
"""Requests of ioctl(2) as typed values (ioccom.h, in6_var.h, sockio.h).

The class is the request; its fields are what the C structure carried. An answer comes back as the
value that the docstring names. Addresses are 16 bytes in user form; the interface name beside them
gives the scope. Text names of interfaces as in struct ifreq.
"""

from __future__ import annotations

from typing import Final

from kame_py.wire.in6addr import IN6ADDR_ANY
from kame_py.wire.record import record
from kame_py.wire.snap import INFINITE


@record
class SIOCAIFADDR_IN6:
    """Add or change an address (struct in6_aliasreq). Privileged. Answers None."""

    ifra_name: str
    ifra_addr: bytes
    ifra_plen: int = 64
    ifra_dstaddr: bytes | None = None
    ifra_flags: int = 0
    ia6t_vltime: int = INFINITE
    ia6t_pltime: int = INFINITE


@record
class SIOCDIFADDR_IN6:
    """Remove an address. Privileged. Answers None; EADDRNOTAVAIL when it is not there."""

    ifr_name: str
    ifr_addr: bytes


@record
class SIOCGIFADDRS_IN6:
    """All IPv6 addresses of one interface, or of all for "". Answers tuple[IfaSnap, ...]."""

    ifr_name: str = ""


@record
class SIOCGIFCONF:
    """All interfaces. Answers tuple[IfSnap, ...]."""


@record
class SIOCGIFFLAGS:
    """Interface flags. Answers int; ENXIO for an unknown interface."""

    ifr_name: str


@record
class SIOCSIFFLAGS:
    """Set interface flags; only UP, DEBUG, NOARP, LINK0-2, PROMISC can be changed. Privileged."""

    ifr_name: str
    ifr_flags: int


@record
class SIOCGIFMTU:
    """Answers int."""

    ifr_name: str


@record
class SIOCSIFMTU:
    """Privileged. EINVAL outside 1280..65535."""

    ifr_name: str
    ifr_mtu: int


@record
class SIOCGIFMETRIC:
    """Answers int."""

    ifr_name: str


@record
class SIOCSIFMETRIC:
    """Privileged."""

    ifr_name: str
    ifr_metric: int


@record
class SIOCSIFLLADDR:
    """Set the link-layer address, 6 bytes. Privileged."""

    ifr_name: str
    ifr_addr: bytes


@record
class SIOCGIFMEDIA:
    """Carrier. Answers bool; EINVAL for interfaces without media."""

    ifr_name: str


@record
class SIOCIFCREATE:
    """Create gifN (or another cloner's interface). Privileged. Answers the name."""

    ifr_name: str


@record
class SIOCIFDESTROY:
    """Privileged."""

    ifr_name: str


@record
class SIOCIFGCLONERS:
    """Which interfaces can be created. Answers tuple[str, ...], names without a unit."""


@record
class SIOCSIFPHYADDR_IN6:
    """Outer addresses of a gif. Privileged."""

    ifra_name: str
    ifra_addr: bytes
    ifra_dstaddr: bytes


@record
class SIOCDIFPHYADDR:
    """Remove the outer addresses of a gif. Privileged."""

    ifr_name: str


@record
class SIOCGIFPHYADDR_IN6:
    """Answers (src, dst) or EADDRNOTAVAIL."""

    ifr_name: str


@record
class SIOCGIFINFO_IN6:
    """ND parameters. Answers NdiSnap."""

    ifname: str


@record
class SIOCSIFINFO_FLAGS:
    """Set ND flags of an interface. Privileged."""

    ifname: str
    flags: int


@record
class SIOCGNBRINFO_IN6:
    """One neighbour. Answers NbrSnap; EINVAL when there is none."""

    ifname: str
    addr: bytes


@record
class SIOCGDRLST_IN6:
    """Default router list. Answers tuple[DrSnap, ...]."""


@record
class SIOCGPRLST_IN6:
    """Prefix list. Answers tuple[PfxSnap, ...]."""


@record
class SIOCGIFPREFIX_IN6:
    """Lifetimes of an on-link prefix. Answers (vltime, pltime) or EADDRNOTAVAIL."""

    ifr_name: str
    prefix: bytes
    plen: int


@record
class SIOCSPFXFLUSH_IN6:
    """Flush the prefix list. Privileged."""


@record
class SIOCSRTRFLUSH_IN6:
    """Flush the default router list. Privileged."""


@record
class SIOCSNDFLUSH_IN6:
    """Bring the first default router back into the routing table. Privileged."""


@record
class SIOCGDEFIFACE_IN6:
    """Default interface of ND. Answers its name or ""."""


@record
class SIOCSDEFIFACE_IN6:
    """Set ("" clears) the default interface of ND. Privileged."""

    ifname: str


@record
class SIOCGIFSTAT_IN6:
    """Per-interface counters. Answers tuple[StatSnap, ...] of proto ip6."""

    ifr_name: str


@record
class SIOCGIFSTAT_ICMP6:
    """Per-interface counters. Answers tuple[StatSnap, ...] of proto icmp6."""

    ifr_name: str


# -- Mobile IPv6 (mip6.h, if_hif.h) -------------------------------------------------------------

SIOCSMIP6CFG_ENABLEMN: Final = 0
SIOCSMIP6CFG_DISABLEMN: Final = 1
SIOCSMIP6CFG_ENABLEHA: Final = 2
SIOCSMIP6CFG_ENABLEIPSEC: Final = 3
SIOCSMIP6CFG_DISABLEIPSEC: Final = 4
SIOCSMIP6CFG_ENABLEAUTHDATA: Final = 5
SIOCSMIP6CFG_DISABLEAUTHDATA: Final = 6
SIOCSMIP6CFG_ENABLEDEBUG: Final = 128
SIOCSMIP6CFG_DISABLEDEBUG: Final = 129


@record
class SIOCSMIP6CFG:
    """Switch a part of mobility (SIOCSMIP6CFG_*). Privileged. EINVAL for another command."""

    subcommand: int


@record
class SIOCGBC:
    """Binding cache. Answers tuple[BcSnap, ...]."""


@record
class SIOCSUNUSEHA:
    """Do not use the home address towards addr (:: any) and port (0 any). Privileged. EEXIST."""

    addr: bytes
    port: int = 0


@record
class SIOCDUNUSEHA:
    """Remove such a rule. Privileged. ENOENT when it is not there."""

    addr: bytes
    port: int = 0


@record
class SIOCAHOMEPREFIX_HIF:
    """Add a home prefix to a hif, or give it new lifetimes. Privileged. ENXIO: no such hif.

    haddr: the home address below it; :: leaves the choice to the hif.
    """

    ifname: str
    prefix: bytes
    plen: int
    vltime: int
    pltime: int
    haddr: bytes = IN6ADDR_ANY


@record
class SIOCSHOMEADDR_HIF:
    """Choose home addresses of a hif. Privileged. ENXIO: no such hif.

    haddr: an interface identifier behind 64 zero bits, for all its home prefixes (:: is the usual
    one again), or a whole home address, for the home prefix that covers it (EADDRNOTAVAIL: none
    does). EINVAL: no home address can be that. EADDRINUSE: a home agent has it.
    """

    ifname: str
    haddr: bytes


@record
class SIOCGHOMEPREFIX_HIF:
    """Home prefixes of a hif. Answers tuple[MpfxSnap, ...]. ENXIO: no such hif."""

    ifname: str


@record
class SIOCAHOMEAGENT_HIF:
    """Add a home agent to a hif. Privileged. EINVAL: no home prefix covers it."""

    ifname: str
    lladdr: bytes
    gaddr: bytes
    flags: int
    pref: int
    lifetime: int


@record
class SIOCGHOMEAGENT_HIF:
    """Home agents of a hif. Answers tuple[HaSnap, ...]. ENXIO: no such hif."""

    ifname: str


@record
class SIOCGBU_HIF:
    """Binding update list of a hif. Answers tuple[BuSnap, ...]. ENXIO: no such hif."""

    ifname: str
