# SPDX-License-Identifier: BSD-3-Clause
"""What mip6control sets and reads (mip6_ioctl of KAME mip6.c, and the kvm symbols it looked up).

Deviates: tables are sysctls; the getters of the home interfaces answer the same rows; each request
that changes something is privileged.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from kame_py.kern.clock import NS
from kame_py.kern.log import LOG_INFO
from kame_py.mip6 import (
    if_hif,
    mip6_bc,
    mip6_bu_output,
    mip6_bul,
    mip6_haddr,
    mip6_haddr_set,
    mip6_hareg,
    mip6_move,
)
from kame_py.mip6.mip6_var import (
    MIP6_CONFIG_TYPE_HA,
    MIP6_CONFIG_TYPE_MN,
    HifSoftc,
    Mip6Bc,
    Mip6Bu,
    Mip6Ha,
    Mip6Prefix,
    Mip6State,
    Mip6UnuseHoa,
    mip6_state,
    mip6log,
)
from kame_py.netinet6.scope6 import in6_clearscope
from kame_py.wire.errno import EEXIST, EINVAL, ENOENT, KError
from kame_py.wire.ioctl import (
    SIOCAHOMEAGENT_HIF,
    SIOCAHOMEPREFIX_HIF,
    SIOCDUNUSEHA,
    SIOCGBC,
    SIOCGBU_HIF,
    SIOCGHOMEAGENT_HIF,
    SIOCGHOMEPREFIX_HIF,
    SIOCSHOMEADDR_HIF,
    SIOCSMIP6CFG,
    SIOCSMIP6CFG_DISABLEAUTHDATA,
    SIOCSMIP6CFG_DISABLEDEBUG,
    SIOCSMIP6CFG_DISABLEIPSEC,
    SIOCSMIP6CFG_DISABLEMN,
    SIOCSMIP6CFG_ENABLEAUTHDATA,
    SIOCSMIP6CFG_ENABLEDEBUG,
    SIOCSMIP6CFG_ENABLEHA,
    SIOCSMIP6CFG_ENABLEIPSEC,
    SIOCSMIP6CFG_ENABLEMN,
    SIOCSUNUSEHA,
)
from kame_py.wire.snap import (
    BcSnap,
    BuSnap,
    HaSnap,
    Mip6ConfigSnap,
    MpfxSnap,
    SysctlValue,
    UnuseSnap,
)

if TYPE_CHECKING:
    from kame_py.kern.kernel import Kernel

_BASE: Final = "net.inet6.mip6."


# -- requests -------------------------------------------------------------------------------------


def mip6_ioctl_init(kern: Kernel) -> None:
    """Put the requests into the kernel's table."""
    table: dict[type, Callable[[Kernel, object], object]] = {
        SIOCSMIP6CFG: _smip6cfg,
        SIOCGBC: _gbc,
        SIOCSUNUSEHA: _sunuseha,
        SIOCDUNUSEHA: _dunuseha,
        SIOCAHOMEPREFIX_HIF: _ahomeprefix,
        SIOCSHOMEADDR_HIF: _shomeaddr,
        SIOCAHOMEAGENT_HIF: _ahomeagent,
        SIOCGHOMEPREFIX_HIF: _ghomeprefix,
        SIOCGHOMEAGENT_HIF: _ghomeagent,
        SIOCGBU_HIF: _gbu,
    }
    kern.ioctlsw.update(table)


def _leave_role(kern: Kernel, state: Mip6State, role: int) -> None:
    """Before another role begins the old one ends, with all that it made."""
    if state.config.mcfg_type != role:
        return
    if role == MIP6_CONFIG_TYPE_HA:
        mip6_hareg.mip6_disable_ha(kern)
        mip6log(kern, LOG_INFO, "HA function disabled")
    else:
        mip6_move.mip6_disable_mn(kern)
        mip6log(kern, LOG_INFO, "MN function disabled")


def _enable_mn(kern: Kernel, state: Mip6State) -> None:
    _leave_role(kern, state, MIP6_CONFIG_TYPE_HA)
    mip6log(kern, LOG_INFO, "MN function enabled")
    mip6_move.mip6_enable_mn(kern)


def _disable_mn(kern: Kernel, state: Mip6State) -> None:
    """KAME's one request to end a role: what a mobile node was told is forgotten in any case."""
    _leave_role(kern, state, MIP6_CONFIG_TYPE_HA)
    mip6_move.mip6_disable_mn(kern)
    mip6log(kern, LOG_INFO, "MN function disabled")


def _enable_ha(kern: Kernel, state: Mip6State) -> None:
    _leave_role(kern, state, MIP6_CONFIG_TYPE_MN)
    state.config.mcfg_type = MIP6_CONFIG_TYPE_HA
    mip6log(kern, LOG_INFO, "HA function enabled")


def _switch(member: str, value: int, text: str) -> Callable[[Kernel, Mip6State], None]:
    def switch(kern: Kernel, state: Mip6State) -> None:
        mip6log(kern, LOG_INFO, text)  # before the change, so debugging says when it ends
        setattr(state.config, member, value)
        mip6_bu_output.mip6_key_changed(kern)  # an update that was held may need no key now

    return switch


_COMMANDS: Final[dict[int, Callable[[Kernel, Mip6State], None]]] = {
    SIOCSMIP6CFG_ENABLEMN: _enable_mn,
    SIOCSMIP6CFG_DISABLEMN: _disable_mn,
    SIOCSMIP6CFG_ENABLEHA: _enable_ha,
    SIOCSMIP6CFG_ENABLEIPSEC: _switch("mcfg_use_ipsec", 1, "IPsec protection enabled"),
    SIOCSMIP6CFG_DISABLEIPSEC: _switch("mcfg_use_ipsec", 0, "IPsec protection disabled"),
    SIOCSMIP6CFG_ENABLEAUTHDATA: _switch("mcfg_use_authdata", 1, "Authdata protection enabled"),
    SIOCSMIP6CFG_DISABLEAUTHDATA: _switch("mcfg_use_authdata", 0, "Authdata protection disabled"),
    SIOCSMIP6CFG_ENABLEDEBUG: _switch("mcfg_debug", 1, "debug message enabled"),
    SIOCSMIP6CFG_DISABLEDEBUG: _switch("mcfg_debug", 0, "debug message disabled"),
}


def _smip6cfg(kern: Kernel, req: object) -> object:
    assert isinstance(req, SIOCSMIP6CFG)
    command = _COMMANDS.get(req.subcommand)
    if command is None:
        raise KError(EINVAL)
    command(kern, mip6_state(kern))
    return None


def _gbc(kern: Kernel, req: object) -> object:
    return _bc_rows(kern, mip6_state(kern))


def _unuse_rule(req: SIOCSUNUSEHA | SIOCDUNUSEHA) -> Mip6UnuseHoa:
    if len(req.addr) != 16 or not 0 <= req.port <= 0xFFFF:
        raise KError(EINVAL)
    return Mip6UnuseHoa(req.addr, req.port)


def _sunuseha(kern: Kernel, req: object) -> object:
    assert isinstance(req, SIOCSUNUSEHA)
    rules = mip6_state(kern).mip6_unuse_hoa
    rule = _unuse_rule(req)
    if rule in rules:
        raise KError(EEXIST)
    rules.insert(0, rule)
    return None


def _dunuseha(kern: Kernel, req: object) -> object:
    assert isinstance(req, SIOCDUNUSEHA)
    rules = mip6_state(kern).mip6_unuse_hoa
    rule = _unuse_rule(req)
    if rule not in rules:
        raise KError(ENOENT)
    rules.remove(rule)
    return None


def _ahomeprefix(kern: Kernel, req: object) -> object:
    assert isinstance(req, SIOCAHOMEPREFIX_HIF)
    sc = if_hif.hif_softc(kern, req.ifname)
    if_hif.hif_subnet_list_update_withmpfx(
        kern, sc, req.prefix, req.plen, req.vltime, req.pltime, req.haddr
    )
    return None


def _shomeaddr(kern: Kernel, req: object) -> object:
    assert isinstance(req, SIOCSHOMEADDR_HIF)
    mip6_haddr_set.mip6_haddr_set(kern, if_hif.hif_softc(kern, req.ifname), req.haddr)
    return None


def _ahomeagent(kern: Kernel, req: object) -> object:
    assert isinstance(req, SIOCAHOMEAGENT_HIF)
    sc = if_hif.hif_softc(kern, req.ifname)
    if_hif.hif_ha_list_update_withioctl(
        kern, sc, req.lladdr, req.gaddr, req.flags, req.pref, req.lifetime
    )
    return None


def _ghomeprefix(kern: Kernel, req: object) -> object:
    assert isinstance(req, SIOCGHOMEPREFIX_HIF)
    return tuple(_mpfx_rows(kern, if_hif.hif_softc(kern, req.ifname)))


def _ghomeagent(kern: Kernel, req: object) -> object:
    assert isinstance(req, SIOCGHOMEAGENT_HIF)
    return tuple(_ha_rows(kern, if_hif.hif_softc(kern, req.ifname)))


def _gbu(kern: Kernel, req: object) -> object:
    assert isinstance(req, SIOCGBU_HIF)
    return tuple(_bu_rows(kern, if_hif.hif_softc(kern, req.ifname)))


# -- tables ---------------------------------------------------------------------------------------


def mip6_sysctl_init(kern: Kernel, state: Mip6State) -> None:
    """net.inet6.mip6: tables for mip6control, limits and switches."""

    def each(rows: Callable[[Kernel, HifSoftc], tuple[SnapRow, ...]]) -> SysctlValue:
        return tuple(row for sc in state.hif_softc_list for row in rows(kern, sc))

    tree = kern.sysctl
    for name, get in (
        ("config", lambda: (_config_row(state),)),
        ("bc", lambda: _bc_rows(kern, state)),
        ("bu", lambda: each(_bu_rows)),
        ("ha", lambda: each(_ha_rows)),
        ("prefix", lambda: each(_mpfx_rows)),
        ("unuse", lambda: _unuse_rows(state)),
    ):
        tree.register(_BASE + name, get, text="Mobile IPv6", opaque=True)
    attr = tree.register_attr
    attr(
        _BASE + "tunnel_sitelocal", state, "tunnel_sitelocal", hi=1,
        text="home agent: tunnel packets to site-local home addresses",
    )  # fmt: skip
    attr(_BASE + "bc_maxentries", state, "bc_maxentries", lo=1, text="bindings of correspondents")
    attr(_BASE + "hrbc_maxentries", state, "hrbc_maxentries", lo=1, text="home registrations")
    attr(
        _BASE + "bc_lifetime_limit", state, "bc_lifetime_limit", unit="s",
        text="longest lifetime of a binding; 0 is no limit",
    )  # fmt: skip
    attr(
        _BASE + "hrbc_lifetime_limit", state, "hrbc_lifetime_limit", unit="s",
        text="longest lifetime of a home registration; 0 is no limit",
    )  # fmt: skip


SnapRow = BuSnap | HaSnap | MpfxSnap


def _left(kern: Kernel, expire_ns: int, without: int = 0) -> int:
    """Whole seconds from now, negative when it is over; ``without`` where there is no end."""
    return (expire_ns - kern.now()) // NS if 0 < expire_ns < mip6_bul.NEVER else without


def _config_row(state: Mip6State) -> Mip6ConfigSnap:
    c = state.config
    return Mip6ConfigSnap(
        c.mcfg_type, c.mcfg_use_ipsec, c.mcfg_use_authdata, c.mcfg_debug, state.dialect.name
    )


def _bc_rows(kern: Kernel, state: Mip6State) -> tuple[BcSnap, ...]:
    bcs = [*state.mip6_hrbc_list.values(), *state.mip6_bc_list.values()]
    return tuple(_bc_row(kern, bc) for bc in bcs)


def _bc_row(kern: Kernel, bc: Mip6Bc) -> BcSnap:
    return BcSnap(
        in6_clearscope(bc.mbc_phaddr),
        in6_clearscope(bc.mbc_pcoa),
        in6_clearscope(bc.mbc_addr),
        bc.mbc_flags,
        bc.mbc_prefixlen,
        bc.mbc_seqno,
        bc.mbc_lifetime,
        _left(kern, bc.mbc_expire),
        mip6_bc.mip6_bc_state_bits(bc),
        bc.mbc_hr.hr_ifp.if_name if bc.mbc_hr is not None else "",
    )


def _bu_rows(kern: Kernel, sc: HifSoftc) -> tuple[SnapRow, ...]:
    return tuple(_bu_row(kern, sc, mbu) for mbu in sc.hif_bu_list)


def _bu_row(kern: Kernel, sc: HifSoftc, mbu: Mip6Bu) -> BuSnap:
    return BuSnap(
        sc.hif_if.if_name,
        in6_clearscope(mbu.mbu_paddr),
        in6_clearscope(mbu.mbu_haddr),
        in6_clearscope(mbu.mbu_coa),
        mbu.mbu_lifetime,
        _left(kern, mbu.mbu_expire, mbu.mbu_lifetime),
        mbu.mbu_refresh,
        _left(kern, mbu.mbu_refexpire),
        mbu.mbu_acktimeout,
        _left(kern, mbu.mbu_ackexpire),
        mbu.mbu_seqno,
        mbu.mbu_flags,
        mbu.mbu_reg_state,
        mbu.mbu_state,
    )


def _ha_rows(kern: Kernel, sc: HifSoftc) -> tuple[SnapRow, ...]:
    return tuple(_ha_row(kern, sc, mha) for ms in sc.hif_hs_list_home for mha in ms.ms_msha_list)


def _ha_row(kern: Kernel, sc: HifSoftc, mha: Mip6Ha) -> HaSnap:
    return HaSnap(
        sc.hif_if.if_name,
        in6_clearscope(mha.mha_lladdr),
        mha.mha_gaddr,
        mha.mha_flags,
        mha.mha_pref,
        mha.mha_lifetime,
        _left(kern, mha.mha_expire, mha.mha_lifetime),
    )


def _mpfx_rows(kern: Kernel, sc: HifSoftc) -> tuple[SnapRow, ...]:
    return tuple(
        _mpfx_row(kern, sc, mpfx) for ms in sc.hif_hs_list_home for mpfx in ms.ms_mspfx_list
    )


def _mpfx_row(kern: Kernel, sc: HifSoftc, mpfx: Mip6Prefix) -> MpfxSnap:
    return MpfxSnap(
        sc.hif_if.if_name,
        mpfx.mpfx_prefix,
        mpfx.mpfx_prefixlen,
        mpfx.mpfx_vltime,
        _left(kern, mpfx.mpfx_vlexpire, mpfx.mpfx_vltime),
        mpfx.mpfx_pltime,
        _left(kern, mpfx.mpfx_plexpire, mpfx.mpfx_pltime),
        mpfx.mpfx_haddr,
        mip6_haddr.mip6_haddr_chosen(sc, mpfx),
    )


def _unuse_rows(state: Mip6State) -> tuple[UnuseSnap, ...]:
    return tuple(UnuseSnap(rule.unuse_addr, rule.unuse_port) for rule in state.mip6_unuse_hoa)
