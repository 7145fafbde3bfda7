# SPDX-License-Identifier: BSD-3-Clause
"""Binding acknowledgements and binding requests that a mobile node receives.

KAME mip6_binding.c (mip6_validate_ba, mip6_process_ba, mip6_process_br). Deviates: an
acknowledgement that is not authentic or answers nothing takes its packet along; any update that is
still unanswered may be acknowledged; a refusal leads to another try. Read first:
draft-ietf-mobileip-ipv6-15 s.10.13, s.10.14.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kame_py.kern.clock import NS
from kame_py.kern.drop import D, drop
from kame_py.kern.log import LOG_NOTICE, LOG_WARNING
from kame_py.kern.mbuf import IP6A_BRUID, IP6A_MOBILITY, Mbuf, trace
from kame_py.mip6 import mip6_auth, mip6_bul
from kame_py.mip6.mip6_mnstate import MIP6_BU_REG_STATE_REGWAITACK, BuEv
from kame_py.mip6.mip6_var import (
    MIP6_BA_MAX_TIMEOUT,
    MIP6_BU_STATE_WAITACK,
    MIP6_CONFIG_TYPE_MN,
    Mip6Bu,
    mip6_state,
    mip6log,
)
from kame_py.netinet6 import nd6
from kame_py.wire.const import (
    MIP6_BA_STATUS_DAD_FAILED,
    MIP6_BA_STATUS_NOT_HOME_AGENT,
    MIP6_BA_STATUS_NOT_HOME_SUBNET,
    MIP6_BA_STATUS_NOT_SUPPORTED,
    MIP6_BA_STATUS_PROHIBIT,
    MIP6_BA_STATUS_RESOURCES,
)
from kame_py.wire.in6addr import ntop
from kame_py.wire.malformed import Malformed
from kame_py.wire.mip6 import BindingAck, UniqueId, parse_ba, parse_br

if TYPE_CHECKING:
    from kame_py.kern.kernel import Kernel

MIP6_BA_STATUS_ERRORBASE: Final = 128
IFID_LENGTH: Final = 136  # draft-13 s.5.2: incorrect interface identifier length

#: Status of a refusal -> what to do about it, and the pause before, s. Others: try again later.
REFUSALS: Final[dict[int, tuple[BuEv, int]]] = {
    MIP6_BA_STATUS_PROHIBIT: (BuEv.RETRY_NEXT, MIP6_BA_MAX_TIMEOUT),
    MIP6_BA_STATUS_RESOURCES: (BuEv.RETRY_NEXT, 10),
    MIP6_BA_STATUS_NOT_SUPPORTED: (BuEv.RETRY_NEXT, MIP6_BA_MAX_TIMEOUT),
    MIP6_BA_STATUS_NOT_HOME_SUBNET: (BuEv.RETRY_NEXT, MIP6_BA_MAX_TIMEOUT),
    IFID_LENGTH: (BuEv.RETRY_NEXT, MIP6_BA_MAX_TIMEOUT),
    MIP6_BA_STATUS_NOT_HOME_AGENT: (BuEv.UNKNOWN_THERE, 10),
    MIP6_BA_STATUS_DAD_FAILED: (BuEv.DAD_FAILED, MIP6_BA_MAX_TIMEOUT),
}
LATER: Final = (BuEv.RETRY_LATER, 10)


def mip6_ba_input(kern: Kernel, m: Mbuf, opt: int, start: int, size: int, off: int) -> bool:
    """Destination option handler: one acknowledgement from m.src to a home address.

    What is malformed or about no entry is ignored, and the rest of the packet is processed
    (s.10.13). False: it was refused, and the packet with it.
    """
    state = mip6_state(kern)
    if state.config.mcfg_type != MIP6_CONFIG_TYPE_MN:
        return True
    m.auxdata().ip6a_flags |= IP6A_MOBILITY
    kern.stats.mip6["mip6s_ba"] += 1
    ack = parse_ba(state.dialect.wire, m.data, opt)
    if isinstance(ack, Malformed):
        kern.stats.ip6["ip6s_badoptions"] += 1
        kern.stats.mip6["mip6s_ignored"] += 1
        mip6log(kern, LOG_NOTICE, f"too short binding ack ({size}) from host {ntop(m.src)}.")
        return True
    kern.stats.mip6s_ba_hist[ack.status] += 1
    if kern.tracing:
        trace(m, f"mip6_ba_input seq {ack.seqno} status {ack.status}")
    bu = mip6_bul.mip6_bu_list_find_withpaddr(state, m.src, m.dst)
    if bu is None:
        kern.stats.mip6["mip6s_nobue"] += 1
        mip6log(kern, LOG_NOTICE, "no matching binding update entry found.")
        return True
    why = mip6_auth.mip6_ba_refusal(kern, state, m, m.data[opt : start + size], ack)
    if why is None and not _answers(kern, bu, ack, m.src):
        why = D.MIP6_BASEQNO
    if why is not None:
        mip6log(kern, LOG_NOTICE, "an invalid binding ack received.  ignore this.")
        drop(kern, m, why)
        return False
    if ack.status >= MIP6_BA_STATUS_ERRORBASE:
        _refused(kern, bu, ack)
        return True
    if not ack.lifetime_s and bu.mbu_reg_state == MIP6_BU_REG_STATE_REGWAITACK:
        mip6log(kern, LOG_WARNING, "lifetime are zero.")
    nd6.nd6_nud_hint(kern, None, m.src, force=True)
    mip6_bul.mip6_bu_event(kern, bu, BuEv.ACK, mip6_bul.BuNews(ack))
    return True


def _answers(kern: Kernel, bu: Mip6Bu, ack: BindingAck, src: bytes) -> bool:
    """Whether it answers an update of ours that is still unanswered."""
    dialect = mip6_state(kern).dialect
    if ack.status == dialect.seqno_too_small:
        recent = kern.now() - bu.mbu_sent_at <= MIP6_BA_MAX_TIMEOUT * NS
        asked = bool(bu.mbu_state & MIP6_BU_STATE_WAITACK) or bool(bu.mbu_outstanding)
        if asked and recent and not dialect.newer(bu.mbu_seqno, ack.seqno):
            return True
    elif ack.seqno in bu.mbu_outstanding:
        at = bu.mbu_outstanding.index(ack.seqno)
        del bu.mbu_outstanding[: at + 1]
        return True
    mip6log(
        kern,
        LOG_NOTICE,
        f"unmached sequence no ({ack.seqno} recv, {bu.mbu_seqno} sent) from host {ntop(src)}.",
    )
    return False


def _refused(kern: Kernel, bu: Mip6Bu, ack: BindingAck) -> None:
    mip6log(kern, LOG_NOTICE, f"BU rejected (error code {ack.status}).")
    state = mip6_state(kern)
    if ack.status == state.dialect.seqno_too_small:
        peer = mip6_bul.mip6_peer(state, bu.mbu_paddr)
        peer.seqno = state.dialect.next_seqno(ack.seqno)
        bu.mbu_outstanding.clear()
        mip6_bul.mip6_bu_event(kern, bu, BuEv.RESYNC)
        return
    ev, hold_s = REFUSALS.get(ack.status, LATER)
    mip6_bul.mip6_bu_event(kern, bu, ev, mip6_bul.BuNews(hold_s=hold_s))


def mip6_br_input(kern: Kernel, m: Mbuf, opt: int, start: int, size: int, off: int) -> bool:
    """Destination option handler: one binding request; the peer gets an update. True always."""
    state = mip6_state(kern)
    if state.config.mcfg_type != MIP6_CONFIG_TYPE_MN:
        return True
    m.auxdata().ip6a_flags |= IP6A_MOBILITY
    kern.stats.mip6["mip6s_br"] += 1
    br = parse_br(state.dialect.wire, m.data, opt)
    if isinstance(br, Malformed):
        kern.stats.ip6["ip6s_badoptions"] += 1
        kern.stats.mip6["mip6s_ignored"] += 1
        mip6log(kern, LOG_NOTICE, "an invalid binding request received.  ignore this.")
        return True
    bu = mip6_bul.mip6_bu_list_find_withpaddr(state, m.src, m.dst)
    if bu is None:
        kern.stats.mip6["mip6s_nobue"] += 1
        text = f"no matching BU entry found from host {ntop(m.src)}."
        mip6log(kern, LOG_NOTICE, text)
        return True
    mip6_bul.mip6_bu_event(kern, bu, BuEv.REQUEST)
    for sub in br.subopts:
        if isinstance(sub, UniqueId):
            bu.mbu_uniqid = sub.id
            m.auxdata().ip6a_flags |= IP6A_BRUID
    return True
