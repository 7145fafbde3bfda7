# SPDX-License-Identifier: BSD-3-Clause
"""Structures and constants of Mobile IPv6 (KAME mip6.h, mip6_var.h, if_hif.h).

Members keep KAME's names. Deviates: times are monotonic nanoseconds (``*_expire``) beside the
seconds that were told; lists are Python lists, newest first where KAME inserted at the head; the
binding cache is in mip6_bcache.py. Read first: draft-ietf-mobileip-ipv6-15 s.4.6.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from kame_py.kern.clock import NS
from kame_py.mip6.mip6_bcache import Bcache
from kame_py.mip6.mip6_bcache import Mpa as Mpa
from kame_py.mip6.mip6_bcview import BcList, HrbcList
from kame_py.mip6.mip6_bcview import Mip6Bc as Mip6Bc
from kame_py.mip6.mip6_bcview import Mip6Hr as Mip6Hr
from kame_py.mip6.mip6_mnstate import (
    HIF_LOCATION_UNKNOWN,
    MIP6_BU_REG_STATE_NOTREG,
    DhaadSt,
)
from kame_py.wire.in6addr import IN6ADDR_ANY
from kame_py.wire.record import hot_record

if TYPE_CHECKING:
    from kame_py.kern.callout import Callout
    from kame_py.kern.kernel import Kernel
    from kame_py.mip6.dialect.base import Dialect
    from kame_py.net.if_ import Ifnet
    from kame_py.netinet6.in6_var import In6Ifaddr
    from kame_py.wire.mip6 import BindingUpdate

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
MIP6_BUL_MAXENTRIES: Final = 1024  # correspondents of one home interface
MIP6_BC_MAXENTRIES: Final = 4096  # entries of a binding cache at most

MIP6_BU_STATE_WAITSENT: Final = 0x01
MIP6_BU_STATE_WAITACK: Final = 0x02
MIP6_BU_STATE_BUNOTSUPP: Final = 0x04
MIP6_BU_STATE_MIP6NOTSUPP: Final = 0x80

MIP6_BC_STATE_BA_WAITSENT: Final = 0x01
MIP6_BC_STATE_BR_WAITSENT: Final = 0x02
MIP6_BC_STATE_DAD_WAIT: Final = 0x04


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
    mbu_prefixlen: int = 0  # of its updates, where the draft has that
    mbu_state: int = 0
    mbu_reg_state: int = MIP6_BU_REG_STATE_NOTREG
    mbu_sent_coa: bytes = IN6ADDR_ANY  # for the rate limit: care-of address of the updates
    mbu_sent_count: int = 0  # ... sent in a row with it
    mbu_sent_at: int = -(1 << 62)  # ns, when the last one left
    mbu_uniqid: int | None = None  # unique identifier to return with the next update
    mbu_outstanding: list[int] = field(default_factory=list)  # numbers of unanswered updates
    mbu_bound_expire: int = 0  # ns, end of what the home agent last granted
    mbu_hold: int = 0  # ns, nothing is sent before
    mbu_tunnel: bool = False  # what the home agent tunnels is taken
    mbu_pcoa: bool = False  # forwards from a previous care-of address, which is mbu_haddr
    mbu_tried: list[bytes] = field(default_factory=list)  # home agents asked in vain
    mbu_noauth: bool = False  # the log has heard that its updates cannot be authenticated


@dataclass(slots=True, eq=False)
class Mip6Peer:
    """What outlives the entries about one peer (draft s.10.11): numbers go on, refusals count."""

    seqno: int = 0
    hold: int = 0  # ns, no update to a correspondent before


PrefixKey = tuple[bytes, int]  # prefix and its length


@dataclass(frozen=True, slots=True)
class HaPrefix:
    """A prefix of the aggregate list of a home link (draft-15 s.9.8.1). *_expire: ns, 0 never."""

    prefix: bytes
    plen: int
    flags: int  # of the prefix option, R clear
    vltime: int  # s, as it was advertised
    vlexpire: int
    pltime: int
    plexpire: int
    router: bytes = b""  # who says so; b"": we do

    @property
    def own(self) -> bool:
        return not self.router


@hot_record
class BuRequest:
    """A binding update with the addresses of its packet, kernel form."""

    addr: bytes  # own address that it was sent to
    hoa: bytes
    coa: bytes  # alternate care-of address, else source
    src: bytes  # IPv6 source on the wire
    bu: BindingUpdate


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
    mpfx_haddr_manual: bool = False  # the user gave it whole: identifiers do not change it
    mpfx_timer: Callout | None = None
    mpfx_manual: bool = False  # configured: stays when its lifetime is over
    mpfx_refused: bool = False  # another node has the home address: never used again


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
    hif_ifid: bytes = IN6ADDR_ANY  # identifier of home addresses, chosen by the user; :: none
    hif_hs_list_home: list[Mip6Subnet] = field(default_factory=list)
    hif_hs_list_foreign: list[Mip6Subnet] = field(default_factory=list)
    hif_hadiscovid: int | None = None  # identifier of the request that waits for its reply
    hif_dhaad_st: DhaadSt = DhaadSt.IDLE
    hif_dhaad_timer: Callout | None = None
    hif_dhaad_tries: int = 0
    hif_dhaad_pause: int = 0  # s, of the pause after a search in vain
    hif_mps_timer: Callout | None = None
    hif_mps_tries: int = 0


@dataclass(frozen=True, slots=True)
class Mip6UnuseHoa:
    """Do not use the home address towards this peer; :: any address, 0 any port."""

    unuse_addr: bytes
    unuse_port: int


@dataclass(slots=True)
class Mip6State:
    """Everything that mobility keeps on one kernel.

    bcache: the binding cache; mip6_bc_list and mip6_hrbc_list show what is in it.
    """

    dialect: Dialect
    config: Mip6Config
    allow_coa_fallback: bool = False
    authdata_kame: bool = False  # sign acknowledgements as KAME did (options MIP6_AUTHDATA_KAME)
    hif_softc_list: list[HifSoftc] = field(default_factory=list)
    hif_coa: bytes = IN6ADDR_ANY  # the one care-of address of the node, kernel form
    bcache: Bcache = field(default_factory=Bcache)
    mip6_bc_list: BcList = field(init=False)
    mip6_hrbc_list: HrbcList = field(init=False)
    mip6_dads: dict[In6Ifaddr, Mip6Hr] = field(default_factory=dict)
    mip6_mpa_list: dict[tuple[int, bytes, int], HaPrefix] = field(default_factory=dict)
    mip6_mpa_min_ms: dict[int, int] = field(default_factory=dict)  # MinRtrAdvInterval by interface
    mip6_mpa_uniqid: int = 0
    mip6_ha_list: list[Mip6Ha] = field(default_factory=list)
    mip6_prefix_list: list[Mip6Prefix] = field(default_factory=list)
    mip6_subnet_list: list[Mip6Subnet] = field(default_factory=list)
    mip6_unuse_hoa: list[Mip6UnuseHoa] = field(default_factory=list)
    mip6_hadiscovid: int = 0
    mip6_peers: dict[bytes, Mip6Peer] = field(default_factory=dict)
    mip6_haddrs_left: dict[bytes, int] = field(default_factory=dict)  # given up abroad; until, ns
    ra_open: bool = False  # an advertisement is being read: not all of its prefixes are known yet
    bu_timer: Callout | None = None
    warn_after: int = 0  # ns: not before, the next line of mip6warn
    raintvl_ms: int = 0  # MaxRtrAdvInterval that the home link last told, 0: unknown
    tunnel_sitelocal: int = 1  # net.inet6.mip6.*: draft-15 s.9.4
    bc_maxentries: int = MIP6_BC_MAXENTRIES
    hrbc_maxentries: int = MIP6_BC_MAXENTRIES
    bc_lifetime_limit: int = 0  # s, 0: none
    hrbc_lifetime_limit: int = 0

    def __post_init__(self) -> None:
        self.mip6_bc_list = BcList(self.bcache)
        self.mip6_hrbc_list = HrbcList(self.bcache)


def mip6_state(kern: Kernel) -> Mip6State:
    """The mobility state; only called where ``options MIP6`` is compiled in."""
    try:
        state: Mip6State = kern.mip6.state  # type: ignore[attr-defined]  # not of the null hooks
    except AttributeError:
        raise TypeError(f"{kern.name}: kernel without options MIP6") from None
    return state


def mip6log(kern: Kernel, priority: int, text: str) -> None:
    """KAME's mip6log: to the kernel log while debugging is on. KAME put file and line in front."""
    if mip6_state(kern).config.mcfg_debug:
        kern.log.log(priority, f"mip6.c: {text}")


def mip6warn(kern: Kernel, priority: int, text: str) -> None:
    """Like mip6log, but also told without debugging: then at most once in a second.

    For what the administrator has to know; KAME kept silent without MIP6_DEBUG.
    """
    state = mip6_state(kern)
    now = kern.now()
    if not state.config.mcfg_debug:
        if now < state.warn_after:
            return
        state.warn_after = now + NS
    kern.log.log(priority, f"mip6.c: {text}")
