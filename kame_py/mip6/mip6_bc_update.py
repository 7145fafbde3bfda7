# SPDX-License-Identifier: BSD-3-Clause
"""Binding updates that come in, at correspondents and home agents.

Corresponds to mip6_validate_bu and mip6_process_bu of KAME mip6_binding.c. Deviates: whatever fails
validation takes its packet along, also where an old sequence number is answered; care-of addresses
are checked; a home registration with a node that is no home agent gets status 132.
draft-ietf-mobileip-ipv6-15 s.5.1, s.8.2-8.5.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kame_py.kern.drop import D, DropReason, drop
from kame_py.kern.log import LOG_ERR, LOG_NOTICE
from kame_py.kern.mbuf import IP6A_MOBILITY, Mbuf, trace
from kame_py.mip6 import mip6_auth, mip6_ba, mip6_bc, mip6_hareg
from kame_py.mip6.mip6_var import (
    MIP6_CONFIG_TYPE_HA,
    BuRequest,
    mip6_state,
    mip6log,
)
from kame_py.netinet6.in6_var import IN6_IFF_ANYCAST
from kame_py.netinet6.scope6 import addr_text, in6_embedscope
from kame_py.wire.codecs import Ip6Opt
from kame_py.wire.const import (
    IP6_MIP6_BU_ACK,
    IP6_MIP6_BU_HOME,
    MIP6_BA_STATUS_ACCEPTED,
    MIP6_BA_STATUS_NOT_SUPPORTED,
    MIP6_BA_STATUS_PROHIBIT,
)
from kame_py.wire.malformed import Malformed
from kame_py.wire.mip6 import AltCoa

if TYPE_CHECKING:
    from kame_py.kern.kernel import Kernel
    from kame_py.mip6.mip6_var import Mip6State


def mip6_bu_input(kern: Kernel, m: Mbuf, opt: int, start: int, size: int, off: int) -> bool:
    """Destination option handler. False: the packet was dropped."""
    kern.stats.mip6["mip6s_bu"] += 1
    state = mip6_state(kern)
    dialect = state.dialect
    req = _mip6_validate_bu(kern, state, m, opt, start + size)
    if not isinstance(req, BuRequest):
        mip6log(kern, LOG_NOTICE, "an invalid binding update received.  ignore this.")
        drop(kern, m, req)
        return False
    (m.aux or m.auxdata()).ip6a_flags |= IP6A_MOBILITY
    bu = req.bu
    cache = state.bcache
    row = mip6_bc.mip6_bc_find(cache, req)
    current = cache.seqno[row]
    if row and not dialect.newer(bu.seqno, current):
        host = addr_text(kern, req.hoa)
        text = f"received sequence no ({bu.seqno}) <= current seq no ({current})"
        mip6log(kern, LOG_NOTICE, f"{text} in BU from host {host}.")
        if dialect.seqno_too_small is not None:
            mip6_ba.mip6_bc_send_ba(kern, req, dialect.seqno_too_small, seqno=current)
        drop(kern, m, D.MIP6_BUSEQNO)
        return False
    if kern.tracing:
        trace(m, f"mip6_process_bu seq {bu.seqno} life {bu.lifetime_s}")
    mip6_process_bu(kern, state, req, row)
    return True


def _mip6_validate_bu(
    kern: Kernel, state: Mip6State, m: Mbuf, opt: int, end: int
) -> BuRequest | DropReason:
    """draft-15 s.8.2 for the option [opt, end) without the sequence number, in KAME's order."""
    aux = m.aux
    if aux is None or aux.ip6a_home is None or aux.ip6a_careof is None:
        host = addr_text(kern, m.src)
        text = f"no Home Address option found in the binding update from host {host}."
        mip6log(kern, LOG_NOTICE, text)
        return D.MIP6_BUNOHAO
    hoa, careof, data = aux.ip6a_home, aux.ip6a_careof, m.data
    wire = state.dialect.wire
    fixed = opt + wire.bu_size
    subopts = wire.parse_subopts(data, fixed, end)
    if fixed > end or isinstance(subopts, Malformed):
        _tell_short(kern, end - opt, hoa)
        return D.MIP6_BUSHORT
    unpack_bu = wire.unpack_bu
    bu = unpack_bu(data, opt, subopts)
    why = mip6_auth.mip6_bu_refusal(kern, state, m, data[opt:end], bu, hoa, careof)
    if why is not None:
        return why
    dst = m.dst
    ia = kern.ip6.ifaddrs.get(dst)
    if ia is None or ia.ia6_flags & IN6_IFF_ANYCAST:
        return D.MIP6_BUDST
    coa = src = careof
    if careof >= b"\xfe":
        rcvif = m.rcvif
        coa = src = in6_embedscope(careof, rcvif.if_index if rcvif is not None else 0)
    for sub in bu.subopts:
        if type(sub) is AltCoa:
            coa = sub.coa
            break
    if not mip6_ba.mip6_coa_ok(coa):
        return D.MIP6_BUCOA
    return BuRequest(dst, hoa, coa, src, bu)


def _tell_short(kern: Kernel, size: int, hoa: bytes) -> None:
    """An update of ``size`` octets is too short, or one of its sub-options."""
    if size >= mip6_state(kern).dialect.wire.bu_size:
        mip6log(kern, LOG_ERR, "sub-option too small")
        return
    text = f"too short binding update (len = {size - Ip6Opt.SIZE}) from host"
    mip6log(kern, LOG_NOTICE, f"{text} {addr_text(kern, hoa)}.")


def mip6_process_bu(kern: Kernel, state: Mip6State, req: BuRequest, row: int) -> None:
    """Cache, delete, or hand a home registration to the home agent (draft-15 s.8.2).

    row: of the entry that the update is about; 0 none.
    """
    bu = req.bu
    delete = not bu.lifetime_s or req.coa == req.hoa
    if bu.flags & IP6_MIP6_BU_HOME:
        if state.config.mcfg_type != MIP6_CONFIG_TYPE_HA:
            mip6_ba.mip6_bc_send_ba(kern, req, MIP6_BA_STATUS_NOT_SUPPORTED)
        elif delete:
            mip6_hareg.mip6_process_hurbu(kern, req)
        else:
            mip6_hareg.mip6_process_hrbu(kern, req)
        return
    if (row and state.bcache.reg[row]) or req.hoa in kern.ip6.ifaddrs:
        # It would turn a home registration, or an address of ours, into somebody's binding.
        mip6_ba.mip6_bc_send_ba(kern, req, MIP6_BA_STATUS_PROHIBIT)
    elif delete:
        _mip6_bc_forget(kern, req, row)
    else:
        _mip6_bc_remember(kern, state, req, row)


def _mip6_bc_forget(kern: Kernel, req: BuRequest, row: int) -> None:
    if row:
        mip6_bc.mip6_bc_remove(kern, row)
    if req.bu.flags & IP6_MIP6_BU_ACK:
        mip6_ba.mip6_bc_send_ba(kern, req, MIP6_BA_STATUS_ACCEPTED)


def _mip6_bc_remember(kern: Kernel, state: Mip6State, req: BuRequest, row: int) -> None:
    bu = req.bu
    flags, seqno, lifetime_s, hoa, coa = bu.flags, bu.seqno, bu.lifetime_s, req.hoa, req.coa
    limit = state.bc_lifetime_limit
    if limit and lifetime_s > limit:
        lifetime_s = limit
    cache, plen = state.bcache, bu.prefixlen
    if row:
        cache.touch(row)
    else:
        row = mip6_bc.mip6_bc_room(kern, state, req.addr, hoa)
    mip6_bc.mip6_bc_set(kern, cache, row, hoa, coa, flags, seqno, plen, lifetime_s)
    if flags & IP6_MIP6_BU_ACK:
        # No home agent: what is refreshed in time is what is known (draft-15 s.5.2).
        mip6_ba.mip6_bc_send_ba(kern, req, MIP6_BA_STATUS_ACCEPTED, lifetime_s, lifetime_s)
