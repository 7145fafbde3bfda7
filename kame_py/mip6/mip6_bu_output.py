# SPDX-License-Identifier: BSD-3-Clause
"""What mobility adds to the packets of a mobile node: home address option, binding update, tunnel.

KAME mip6.c (mip6_exthdr_create, mip6_bu_destopt_create, mip6_haddr_destopt_create,
mip6_addr_exchange), mip6_binding.c mip6_bu_send_bu, and rule 4 of in6_src.c. Deviates: packets to
groups are mip6_mcast.py's; the care-of address of a packet is a present one of its link; neighbour
discovery never carries a home address. Read first: draft-ietf-mobileip-ipv6-15 s.10.1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kame_py.kern.clock import NS
from kame_py.kern.log import LOG_ERR, LOG_INFO
from kame_py.kern.mbuf import Mbuf, m_get
from kame_py.mip6 import (
    if_hif,
    mip6_ah,
    mip6_auth,
    mip6_bul,
    mip6_coa,
    mip6_destopt,
    mip6_dhaad,
    mip6_home,
    mip6_mcast,
    mip6_prefix,
)
from kame_py.mip6.mip6_mnstate import (
    HIF_LOCATION_FOREIGN,
    HIF_LOCATION_HOME,
    MIP6_BU_REG_STATE_REG,
)
from kame_py.mip6.mip6_var import (
    MIP6_BU_STATE_BUNOTSUPP,
    MIP6_BU_STATE_MIP6NOTSUPP,
    MIP6_BU_STATE_WAITACK,
    MIP6_BU_STATE_WAITSENT,
    HifSoftc,
    Mip6Bu,
    Mip6State,
    mip6_state,
    mip6log,
)
from kame_py.netinet6.in6_var import IN6_IFF_HOME
from kame_py.netinet6.ip6_output import ip6_output, ip6_pkt
from kame_py.netinet6.ip6_var import Exthdrs
from kame_py.wire.codecs import Ip6Dest, Ip6Hdr
from kame_py.wire.const import (
    IP6OPT_HOME_ADDRESS,
    IPPROTO_DSTOPTS,
    IPPROTO_NONE,
)
from kame_py.wire.in6addr import (
    IN6_IS_ADDR_LINKLOCAL,
    IN6_IS_ADDR_SITELOCAL,
    IN6ADDR_ANY,
    ntop,
)
from kame_py.wire.ip6ext import AlignedOpt, build_options, iter_options, walk
from kame_py.wire.malformed import Malformed
from kame_py.wire.mip6 import BindingUpdate, HomeAddress, SubOpt, UniqueId
from kame_py.wire.patch import put, u8
from kame_py.wire.snap import INFINITE

if TYPE_CHECKING:
    from kame_py.kern.hooks import AuthdataSa
    from kame_py.kern.kernel import Kernel
    from kame_py.netinet6.in6_var import In6Ifaddr

_HDR: Final = Ip6Hdr.SIZE
_NXT: Final = Ip6Hdr.O_ip6_nxt
_SRC: Final = Ip6Hdr.O_ip6_src
_ADDR_LEN: Final = len(IN6ADDR_ANY)
NOAUTH_RETRY_S: Final = 10  # no security association: look again after this


# -- lifetimes --------------------------------------------------------------------------------


def mip6_coa_get_lifetime(kern: Kernel, addr: bytes) -> int:
    """Seconds that an address of ours is preferred, or valid when it is no longer that."""
    ia = kern.ip6.ifaddrs.get(addr)
    if ia is None:
        return 0
    lt = ia.ia6_lifetime
    return _left(kern, lt.ia6t_preferred) or _left(kern, lt.ia6t_expire)


def _left(kern: Kernel, end_ns: int) -> int:
    return INFINITE if not end_ns else max(0, end_ns - kern.now()) // NS


def mip6_bu_lifetime(kern: Kernel, bu: Mip6Bu) -> int:
    """Lifetime of a binding from now: care-of address, home prefix, home registration (s.9.8.4)."""
    state = mip6_state(kern)
    lifetime = mip6_coa_get_lifetime(kern, bu.mbu_coa)
    mpfx = mip6_prefix.mip6_prefix_list_find_withhaddr(state, bu.mbu_haddr)
    if mpfx is not None:
        lifetime = min(lifetime, mip6_prefix.mip6_prefix_lifetime(kern, mpfx))
    if not mip6_bul.mip6_bu_is_home(bu):
        hrbu = mip6_bul.mip6_bu_list_find_home_registration(state, bu.mbu_haddr)
        bound = 0 if hrbu is None else hrbu.mbu_bound_expire
        lifetime = min(lifetime, INFINITE if bound == mip6_bul.NEVER else _left(kern, bound or 1))
    return lifetime


# -- headers of an outgoing packet ------------------------------------------------------------


def mip6_mn_exthdr_create(kern: Kernel, m: Mbuf, hdrs: Exthdrs) -> int:
    """Home address option and binding update for a packet from a home address; an errno."""
    if m.dst >= b"\xff":
        return mip6_mcast.mip6_mcast_exthdr_create(kern, m, hdrs)
    state = mip6_state(kern)
    bu = mip6_bul.mip6_bu_list_find_withpaddr(state, m.dst, m.src)
    found = if_hif.hif_list_find_withhaddr(state, m.src)
    if found is None and (bu is None or not bu.mbu_pcoa):
        return 0
    sc = found[0] if found is not None else None
    away = sc is not None and sc.hif_location == HIF_LOCATION_FOREIGN
    if bu is None and away and sc is not None:
        bu = _first_packet(kern, state, sc, m)
    if bu is not None and bu.mbu_state & MIP6_BU_STATE_MIP6NOTSUPP:
        return 0
    coa = state.hif_coa
    if away and sc is not None:
        coa = mip6_coa.mip6_coa_toward(kern, sc, mip6_coa.mip6_first_hop(m.dst, hdrs.rthdr))
    sent = bu is not None and _add_bu(kern, state, bu, hdrs, coa)
    if not away and not sent:
        return 0
    if bu is not None and sent:
        coa = bu.mbu_coa
    kern.stats.mip6["mip6s_ohao"] += 1
    hao = state.dialect.wire.aligned(HomeAddress(coa))
    hdrs.haddr = build_options(IPPROTO_NONE, [hao])
    if sent:
        mip6_ah.mip6_ah_force(kern, m)
    aux = m.auxdata()
    aux.ip6a_home, aux.ip6a_careof = m.src, coa
    return 0


def _first_packet(kern: Kernel, state: Mip6State, sc: HifSoftc, m: Mbuf) -> Mip6Bu | None:
    """The first packet to a peer carries a binding update, once the home agent has accepted."""
    hrbu = mip6_bul.mip6_bu_list_find_home_registration(state, m.src)
    if hrbu is None or hrbu.mbu_reg_state != MIP6_BU_REG_STATE_REG:
        return None
    if IN6_IS_ADDR_LINKLOCAL(m.dst) or IN6_IS_ADDR_SITELOCAL(m.dst) or m.dst in kern.ip6.ifaddrs:
        return None
    return mip6_cn_bu_create(kern, sc, m.dst, m.src)


def mip6_cn_bu_create(kern: Kernel, sc: HifSoftc, paddr: bytes, haddr: bytes) -> Mip6Bu | None:
    """A new correspondent that is to get an update; None while it is held back."""
    state = mip6_state(kern)
    peer = state.mip6_peers.get(paddr)
    if peer is not None and peer.hold > kern.now():
        return None
    bu = mip6_bul.mip6_bu_create(kern, sc, paddr, haddr, 0, state.hif_coa)
    mip6_bul.mip6_bu_renew(kern, bu)
    bu.mbu_state |= MIP6_BU_STATE_WAITSENT
    mip6_bul.mip6_bu_schedule(kern)
    return bu


def _add_bu(kern: Kernel, state: Mip6State, bu: Mip6Bu, hdrs: Exthdrs, coa: bytes) -> bool:
    """A binding update behind what the second destination options hold, if one is due now."""
    if not bu.mbu_state & MIP6_BU_STATE_WAITSENT or bu.mbu_state & MIP6_BU_STATE_BUNOTSUPP:
        return False
    if kern.now() < mip6_bul.mip6_bu_may_send(kern, bu):
        return False
    if not mip6_bu_authentic(kern, bu):
        return False
    bu.mbu_noauth = False
    _freshen(kern, bu, coa)
    peer = mip6_bul.mip6_peer(state, bu.mbu_paddr)
    seqno = state.dialect.next_seqno(peer.seqno)
    option = mip6_bu_option(kern, bu, seqno)
    try:
        hdrs.dest2 = mip6_destopt.mip6_add_opt2dh(hdrs.dest2, option)
    except ValueError:
        return False  # the sender's own options fill the header: it goes with the next packet
    peer.seqno = bu.mbu_seqno = seqno
    _sent(kern, bu)
    return True


def mip6_bu_option(kern: Kernel, bu: Mip6Bu, seqno: int) -> AlignedOpt:
    """The binding update of an entry, signed where there is a key; lifetime 0 deletes."""
    dialect = mip6_state(kern).dialect
    home = mip6_bul.mip6_bu_is_home(bu)
    lifetime = 0 if bu.mbu_coa == bu.mbu_haddr else bu.mbu_lifetime
    subopts: tuple[SubOpt, ...] = ()
    if bu.mbu_uniqid is not None:  # behind the fixed part it needs no padding
        subopts = (UniqueId(bu.mbu_uniqid),)
    prefixlen = bu.mbu_prefixlen if home else 0
    value = BindingUpdate(bu.mbu_flags, seqno, lifetime, prefixlen, subopts=subopts)
    sa = _bu_sa(kern, bu)
    return mip6_auth.mip6_bu_sign(kern, sa, value, bu) if sa else dialect.wire.aligned(value)


def _freshen(kern: Kernel, bu: Mip6Bu, coa: bytes) -> None:
    """Care-of address, lifetime and flags of an update count from when it leaves."""
    if bu.mbu_hif.hif_location == HIF_LOCATION_FOREIGN and not bu.mbu_pcoa:
        bu.mbu_coa = coa
    if mip6_bul.mip6_bu_is_home(bu):
        mip6_home.mip6_home_flags(kern, bu)
    if bu.mbu_coa != bu.mbu_haddr and bu.mbu_lifetime and not bu.mbu_pcoa:
        refexpire = bu.mbu_refexpire
        mip6_bul.mip6_bu_set_lifetime(kern, bu, mip6_bu_lifetime(kern, bu))
        bu.mbu_refexpire = refexpire


def _sent(kern: Kernel, bu: Mip6Bu) -> None:
    """Books of an update that leaves."""
    kern.stats.mip6["mip6s_obu"] += 1
    bu.mbu_state &= ~MIP6_BU_STATE_WAITSENT
    bu.mbu_outstanding.append(bu.mbu_seqno)
    bu.mbu_uniqid = None
    bu.mbu_sent_count = bu.mbu_sent_count + 1 if bu.mbu_sent_coa == bu.mbu_coa else 1
    bu.mbu_sent_coa = bu.mbu_coa
    bu.mbu_sent_at = kern.now()
    if bu.mbu_state & MIP6_BU_STATE_WAITACK and not bu.mbu_ackexpire:
        bu.mbu_ackexpire = kern.now() + bu.mbu_acktimeout * NS
    mip6_bul.mip6_bu_schedule(kern)


def mip6_bu_authentic(kern: Kernel, bu: Mip6Bu) -> bool:
    """Whether an update to this peer can be authenticated, or need not be.

    If not it is held: for ten seconds or until keys change (mip6_key_changed).
    """
    wanted = mip6_auth.mip6_authdata_wanted(kern)
    if wanted and _bu_sa(kern, bu) is not None:
        return True
    if not wanted and mip6_ah.mip6_ah_ready(kern, bu.mbu_haddr, bu.mbu_paddr):
        return True
    if not bu.mbu_noauth:
        why = "authdata create failed.  " if wanted else ""
        kern.log.log(
            LOG_ERR,
            f"{why}no security association from "
            f"{ntop(bu.mbu_haddr)} to {ntop(bu.mbu_paddr)}, no binding update is sent.",
        )
    bu.mbu_noauth = True
    bu.mbu_hold = kern.now() + NOAUTH_RETRY_S * NS
    return False


def _bu_sa(kern: Kernel, bu: Mip6Bu) -> AuthdataSa | None:
    """The association that signs the updates of an entry, None where nothing is to be signed."""
    if not mip6_auth.mip6_authdata_wanted(kern):
        return None
    return mip6_auth.mip6_authdata_sa(kern, bu.mbu_haddr, bu.mbu_paddr)


def mip6_key_changed(kern: Kernel) -> None:
    """Keys, or the need for them, changed: updates that had none are tried in the next second."""
    for bu in mip6_bul.mip6_bu_list(mip6_state(kern)):
        if bu.mbu_noauth:
            bu.mbu_hold = 0
    mip6_bul.mip6_bu_schedule(kern)


def mip6_addr_exchange(kern: Kernel, m: Mbuf) -> None:
    """Source and our own home address option change places, after IPsec (KAME)."""
    aux = m.aux
    if aux is None or aux.ip6a_careof is None or m.src != aux.ip6a_home:
        return
    at = _hao_offset(m.data)
    if at is None:
        return
    coa = aux.ip6a_careof
    m.data = put(put(m.data, at, m.data[_SRC : _SRC + _ADDR_LEN]), _SRC, coa)
    m.src = coa


def _hao_offset(data: bytes) -> int | None:
    """Where the address of the home address option lies."""
    for ext in walk(data, u8(data, _NXT), _HDR, len(data)).headers:
        if ext.nxt_type != IPPROTO_DSTOPTS:
            continue
        for opt in iter_options(data, ext.off + Ip6Dest.SIZE, ext.off + ext.len):
            if not isinstance(opt, Malformed) and opt.type == IP6OPT_HOME_ADDRESS:
                return opt.data_off
    return None


# -- packets of our own -----------------------------------------------------------------------


def mip6_bu_send_bu(kern: Kernel, bu: Mip6Bu) -> int:
    """An empty packet that ip6_output gives the update to; without a home agent look for one."""
    if bu.mbu_paddr == IN6ADDR_ANY:
        mip6log(kern, LOG_INFO, "the peer addr is unspecified.")
        mip6_dhaad.mip6_dhaad_start(kern, bu.mbu_hif)
        return 0
    if bu.mbu_coa != bu.mbu_haddr and not bu.mbu_lifetime and not bu.mbu_pcoa:
        return 0
    return mip6_bu_send_null(kern, bu) if mip6_bu_authentic(kern, bu) else 0


def mip6_bu_send_null(kern: Kernel, bu: Mip6Bu) -> int:
    """A packet without payload from the home address to the peer of an entry."""
    hlim = kern.ip6.ip6_defhlim
    m = m_get(kern, ip6_pkt(bu.mbu_haddr, bu.mbu_paddr, IPPROTO_NONE, b"", hlim))
    m.src, m.dst = bu.mbu_haddr, bu.mbu_paddr
    error = ip6_output(kern, m)
    if error:
        mip6log(
            kern,
            LOG_ERR,
            f"ip6_output returns error ({error}) when sending NULL packet to send BU.",
        )
        mip6log(
            kern,
            LOG_ERR,
            f"sending a binding update from {ntop(bu.mbu_haddr)}"
            f"({ntop(bu.mbu_coa)}) to {ntop(bu.mbu_paddr)} failed.",
        )
    return error


# -- source address selection -----------------------------------------------------------------


def mip6_selectsrc_prefer(kern: Kernel, dst: bytes, dport: int, a: In6Ifaddr, b: In6Ifaddr) -> int:
    """Rule 4: a home address that is the care-of address, too, then home addresses.

    Towards a peer for which the home address is not to be used it is the other way round.
    """
    state = mip6_state(kern)
    prefer = _homeness(kern, state, a) - _homeness(kern, state, b)
    return -prefer if prefer and mip6_coa_fallback(state, dst, dport) else prefer


def _homeness(kern: Kernel, state: Mip6State, ia: In6Ifaddr) -> int:
    if ia.ia6_flags & IN6_IFF_HOME:
        return 1
    found = if_hif.hif_list_find_withhaddr(state, ia.ia_addr)
    return 2 if found is not None and found[0].hif_location == HIF_LOCATION_HOME else 0


def mip6_coa_fallback(state: Mip6State, dst: bytes, port: int) -> bool:
    """Whether packets to this peer are to have a care-of address as source."""
    for rule in state.mip6_unuse_hoa:
        if rule.unuse_addr in (dst, IN6ADDR_ANY) and rule.unuse_port in (port, 0):
            return True
    if not state.allow_coa_fallback:
        return False
    return any(
        bu.mbu_paddr == dst and bu.mbu_state & MIP6_BU_STATE_MIP6NOTSUPP
        for bu in mip6_bul.mip6_bu_list(state)
    )
