# SPDX-License-Identifier: BSD-3-Clause
"""Binding acknowledgements that this node sends.

Corresponds to mip6_bc_send_ba and mip6_ba_destopt_create of KAME. Deviates: a rejection goes by the
care-of address of the rejected update and leaves the binding cache out of its way.
draft-ietf-mobileip-ipv6-15 s.5.2, s.8.5.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kame_py.kern.log import LOG_ERR
from kame_py.kern.mbuf import M_NOBINDING, m_get
from kame_py.mip6 import mip6_ah, mip6_auth
from kame_py.mip6.mip6_var import MIP6_CONFIG_TYPE_MN, mip6_state, mip6log, mip6warn
from kame_py.netinet6.ip6_output import ip6_output, ip6_output_linked, ip6_pkt
from kame_py.netinet6.ip6_var import Exthdrs
from kame_py.netinet6.scope6 import addr_text
from kame_py.wire.codecs import Ip6Rthdr0
from kame_py.wire.const import IPPROTO_DSTOPTS, IPPROTO_NONE, IPPROTO_ROUTING
from kame_py.wire.errno import EACCES
from kame_py.wire.in6addr import (
    IN6_IS_ADDR_LINKLOCAL,
    IN6_IS_ADDR_MULTICAST,
    IN6_IS_ADDR_V4COMPAT,
    IN6_IS_ADDR_V4MAPPED,
    IN6ADDR_ANY,
)
from kame_py.wire.ip6ext import build_option, build_rthdr0
from kame_py.wire.mip6 import BA_ALIGN, BindingAck

if TYPE_CHECKING:
    from kame_py.kern.kernel import Kernel
    from kame_py.mip6.mip6_var import BuRequest, Mip6State

MIP6_BA_STATUS_ERRORBASE: Final = 128
#: Routing header with one address, up to that.
_RTHDR: Final = build_rthdr0(IPPROTO_DSTOPTS, (IN6ADDR_ANY,), 1)[: Ip6Rthdr0.SIZE]
_ORDINARY_FIRST: Final = b"\x01"  # from here on no address means an IPv4 one or this node ...
_ORDINARY_LAST: Final = b"\xfe"  # ... and before this one has a scope or is a group's


def mip6_coa_ok(addr: bytes) -> bool:
    """Whether packets can be sent by way of this address from anywhere (draft-15 s.5.1).

    The unspecified and the loopback address are v4-compatible by their bits.
    """
    if _ORDINARY_FIRST <= addr < _ORDINARY_LAST:
        return True
    return not (
        IN6_IS_ADDR_MULTICAST(addr)
        or IN6_IS_ADDR_LINKLOCAL(addr)
        or IN6_IS_ADDR_V4MAPPED(addr)
        or _low(addr)
    )


def _low(addr: bytes) -> bool:
    return addr <= bytes(15) + b"\x01" or IN6_IS_ADDR_V4COMPAT(addr)


def mip6_bc_send_ba(
    kern: Kernel,
    req: BuRequest,
    status: int,
    lifetime_s: int = 0,
    refresh_s: int = 0,
    seqno: int | None = None,
) -> None:
    """Acknowledge ``req`` from the address it was sent to; ``seqno`` when it is not the update's.

    As an empty packet (next header 59) with a routing header unless it goes to the home address.
    """
    state = mip6_state(kern)
    ba = BindingAck(status, req.bu.seqno if seqno is None else seqno, lifetime_s, refresh_s)
    addr, hoa = req.addr, req.hoa
    wire = state.dialect.wire
    dest2: bytes | None
    if state.config.mcfg_use_authdata and wire.authdata_type is not None:
        dest2 = mip6_auth.mip6_ba_header(kern, state, ba, hoa, addr)
    else:
        dest2 = build_option(IPPROTO_NONE, wire.build_option(ba), *BA_ALIGN)
    if dest2 is None:
        mip6warn(kern, LOG_ERR, f"ba destopt creation error ({EACCES})")
        return
    stats = kern.stats
    counts = stats.mip6
    counts["mip6s_oba"] += 1
    stats.mip6s_oba_hist[status] += 1
    via = req.coa if state.dialect.ack_by_coa else mip6_ba_via(req, status, lifetime_s)
    if via != hoa:
        counts["mip6s_orthdr"] += 1
    if _alone(kern, state) and hoa < _ORDINARY_LAST and via < _ORDINARY_LAST:
        nxt, body = IPPROTO_DSTOPTS, dest2
        if via != hoa:
            nxt, body = IPPROTO_ROUTING, _RTHDR + hoa + dest2
        m = m_get(kern, ip6_pkt(addr, via, nxt, body, kern.ip6.ip6_defhlim))
        m.src, m.dst = addr, via
        error = ip6_output_linked(kern, m)
    else:
        rthdr = _RTHDR + via if via != hoa else b""
        error = _send_in_company(kern, state, addr, hoa, Exthdrs(rthdr=rthdr, dest2=dest2))
    if error:
        to = f"{addr_text(kern, hoa)}({addr_text(kern, via)})"
        mip6log(kern, LOG_ERR, f"sending BA to {to} failed. errno = {error}")


def _alone(kern: Kernel, state: Mip6State) -> bool:
    """Whether nothing is added to an acknowledgement: no AH or ESP, no home address of ours."""
    if state.config.mcfg_type == MIP6_CONFIG_TYPE_MN or state.dialect.ah_forced:
        return False
    return kern.ipsec.untouched(kern, IPPROTO_NONE)


def _send_in_company(kern: Kernel, state: Mip6State, addr: bytes, hoa: bytes, hdrs: Exthdrs) -> int:
    """Send an acknowledgement past all who may have to add to it; an errno."""
    m = m_get(kern, ip6_pkt(addr, hoa, IPPROTO_NONE, b"", kern.ip6.ip6_defhlim))
    m.src, m.dst = addr, hoa
    m.flags = M_NOBINDING
    if state.dialect.ah_forced:
        mip6_ah.mip6_ah_force(kern, m)
    return ip6_output(kern, m, None, 0, None, hdrs)


def mip6_ba_via(req: BuRequest, status: int, lifetime_s: int) -> bytes:
    """The care-of address that an acknowledgement goes by; the home address: straight there.

    draft-15 s.8.5: of an entry its care-of address, otherwise the source of the update when a
    routing header may name it; s.5.2: a rejection goes by the care-of address of the update.
    """
    rejected = status >= MIP6_BA_STATUS_ERRORBASE
    if req.coa != req.hoa and (rejected or lifetime_s):
        return req.coa
    return req.src if mip6_coa_ok(req.src) else req.hoa
