# SPDX-License-Identifier: BSD-3-Clause
"""Structures and constants of Mobile IPv6 (KAME mip6.h, mip6_var.h, if_hif.h).

Members keep KAME's names. Deviates: times are monotonic nanoseconds (``*_expire``) beside the
seconds that were told; lists are Python lists, newest first where KAME inserted at the head; the
binding caches are dictionaries by home address. Read first: draft-ietf-mobileip-ipv6-15 s.4.6.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from kame_py.wire.in6addr import IN6ADDR_ANY

if TYPE_CHECKING:
    from kame_py.kern.callout import Callout
    from kame_py.kern.kernel import Kernel
    from kame_py.mip6.dialect.base import Dialect
    from kame_py.net.if_ import Ifnet
    from kame_py.netinet6.in6_var import In6Ifaddr

MIP6_CONFIG_TYPE_CN: Final = 0
MIP6_CONFIG_TYPE_MN: Final = 1
MIP6_CONFIG_TYPE_HA: Final = 2

MIP6_BA_INITIAL_TIMEOUT: Final = 1  # s, draft s.11
MIP6_BA_MAX_TIMEOUT: Final = 256  # s, MAX_BINDACK_TIMEOUT
MIP6_HA_DEFAULT_LIFETIME: Final = 1800  # s, of a home agent learnt by discovery
MIP6_MAX_UPDATE_RATE: Final = 5  # updates in a row about one binding, then one in 10 s (s.10.12)
MIP6_SLOW_UPDATE_INTERVAL: Final = 10  # s, SLOW_UPDATE_RATE
MIP6_DHAAD_INITIAL_TIMEOUT: Final = 2  # s, draft s.10.8
MIP6_DHAAD_RETRIES: Final = 3
MIP6_MAX_FINITE: Final = 0x7FFFFFFF

MIP6_BU_STATE_WAITSENT: Final = 0x01
MIP6_BU_STATE_WAITACK: Final = 0x02
MIP6_BU_STATE_BUNOTSUPP: Final = 0x04
MIP6_BU_STATE_MIP6NOTSUPP: Final = 0x80
MIP6_BU_REG_STATE_NOTREG: Final = 1
MIP6_BU_REG_STATE_REGWAITACK: Final = 2
MIP6_BU_REG_STATE_REG: Final = 3
MIP6_BU_REG_STATE_DEREGWAITACK: Final = 4

MIP6_BC_STATE_BA_WAITSENT: Final = 0x01
MIP6_BC_STATE_BR_WAITSENT: Final = 0x02
MIP6_BC_STATE_DAD_WAIT: Final = 0x04

HIF_LOCATION_UNKNOWN: Final = 0
HIF_LOCATION_HOME: Final = 1
HIF_LOCATION_FOREIGN: Final = 2


@dataclass(slots=True)
class Mip6Config:
    """struct mip6_config."""

    mcfg_type: int = MIP6_CONFIG_TYPE_CN
    mcfg_use_ipsec: int = 0
    mcfg_use_authdata: int = 1
    mcfg_debug: int = 0


@dataclass(slots=True, eq=False)
class Mip6Bu:
    """One entry of a binding update list."""

    mbu_hif: HifSoftc
    mbu_paddr: bytes  # the peer; :: while no home agent is known
    mbu_haddr: bytes
    mbu_coa: bytes
    mbu_lifetime: int  # s
    mbu_expire: int  # ns
    mbu_refresh: int  # s
    mbu_refexpire: int  # ns
    mbu_acktimeout: int = MIP6_BA_INITIAL_TIMEOUT  # s
    mbu_ackexpire: int = 0  # ns
    mbu_seqno: int = 0  # of the last update sent
    mbu_flags: int = 0
    mbu_state: int = 0
    mbu_reg_state: int = MIP6_BU_REG_STATE_NOTREG
    mbu_encap: object = None
    mbu_sent_coa: bytes = IN6ADDR_ANY  # for the rate limit: care-of address of the updates
    mbu_sent_count: int = 0  # ... sent in a row with it
    mbu_sent_at: int = -(1 << 62)  # ns, when the last one left
    mbu_uniqid: int | None = None  # unique identifier to return with the next update


@dataclass(slots=True, eq=False)
class Mip6Bc:
    """One entry of the binding cache."""

    mbc_phaddr: bytes  # peer's home address: the key
    mbc_pcoa: bytes
    mbc_addr: bytes  # own address that the update was sent to
    mbc_flags: int
    mbc_seqno: int
    mbc_lifetime: int  # s
    mbc_expire: int  # ns
    mbc_prefixlen: int = 0
    mbc_state: int = 0
    mbc_ifp: Ifnet | None = None  # home link of a home registration
    mbc_encap: object = None  # None until the tunnel is ready
    mbc_dad: In6Ifaddr | None = None  # on the entry that drives duplicate detection
    mbc_timer: Callout | None = None


@dataclass(slots=True, eq=False)
class Mip6Ha:
    """A router heard or a home agent known."""

    mha_lladdr: bytes  # no embedded zone
    mha_gaddr: bytes = IN6ADDR_ANY
    mha_flags: int = 0  # of the router advertisement; 0x20 is a home agent
    mha_pref: int = 0
    mha_lifetime: int = 0  # s
    mha_expire: int = 0  # ns
    mha_timer: Callout | None = None


@dataclass(slots=True, eq=False)
class Mip6Prefix:
    """A prefix of a home or foreign link."""

    mpfx_prefix: bytes
    mpfx_prefixlen: int
    mpfx_vltime: int  # s
    mpfx_vlexpire: int  # ns
    mpfx_pltime: int
    mpfx_plexpire: int
    mpfx_haddr: bytes = IN6ADDR_ANY
    mpfx_timer: Callout | None = None


@dataclass(slots=True, eq=False)
class Mip6Subnet:
    """One link: its prefixes and the routers that advertise them."""

    ms_mspfx_list: list[Mip6Prefix] = field(default_factory=list)
    ms_msha_list: list[Mip6Ha] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class HifSoftc:
    """One home interface hifN."""

    hif_if: Ifnet
    hif_location: int = HIF_LOCATION_UNKNOWN
    hif_location_prev: int = HIF_LOCATION_UNKNOWN
    hif_bu_list: list[Mip6Bu] = field(default_factory=list)
    hif_hs_list_home: list[Mip6Subnet] = field(default_factory=list)
    hif_hs_list_foreign: list[Mip6Subnet] = field(default_factory=list)
    hif_hadiscovid: int | None = None  # identifier of the request that waits for its reply
    hif_dhaad_timer: Callout | None = None
    hif_dhaad_tries: int = 0


@dataclass(frozen=True, slots=True)
class Mip6UnuseHoa:
    """Do not use the home address towards this peer; :: any address, 0 any port."""

    unuse_addr: bytes
    unuse_port: int


@dataclass(slots=True)
class Mip6State:
    """Everything that mobility keeps on one kernel."""

    dialect: Dialect
    config: Mip6Config
    allow_coa_fallback: bool = False
    hif_softc_list: list[HifSoftc] = field(default_factory=list)
    hif_coa: bytes = IN6ADDR_ANY  # the one care-of address of the node, kernel form
    mip6_bc_list: dict[bytes, Mip6Bc] = field(default_factory=dict)
    mip6_ha_list: list[Mip6Ha] = field(default_factory=list)
    mip6_prefix_list: list[Mip6Prefix] = field(default_factory=list)
    mip6_subnet_list: list[Mip6Subnet] = field(default_factory=list)
    mip6_unuse_hoa: list[Mip6UnuseHoa] = field(default_factory=list)
    mip6_hadiscovid: int = 0
    bu_timer: Callout | None = None
    tunnel_sitelocal: int = 1  # net.inet6.mip6.*: D15-076
    tunnel_multicast: int = 1  # D15-077


def mip6_state(kern: Kernel) -> Mip6State:
    """The mobility state; only called where ``options MIP6`` is compiled in."""
    state = getattr(kern.mip6, "state", None)
    if not isinstance(state, Mip6State):
        raise TypeError(f"{kern.name}: kernel without options MIP6")
    return state


def mip6log(kern: Kernel, priority: int, text: str) -> None:
    """KAME's mip6log: to the kernel log while debugging is on."""
    if mip6_state(kern).config.mcfg_debug:
        kern.log.log(priority, text)
