# SPDX-License-Identifier: BSD-3-Clause
"""Receive ICMPv6 (KAME icmp6.c icmp6_input).

Each message is checked, counted, shown to mobility, used by the kernel if it is one of the kernel's
and then offered to raw sockets. Deviates: one table instead of a switch. Read first: RFC 4443.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from kame_py.kern.drop import D, DropReason, count, drop
from kame_py.kern.mbuf import Fate, Mbuf, settle, trace
from kame_py.kern.protosw import DONE
from kame_py.netinet6 import (
    icmp6_error,
    icmp6_nodeinfo,
    icmp6_notify,
    icmp6_redirect,
    mld6,
    nd6_nbr,
    nd6_rtr,
    raw_ip6,
)
from kame_py.netinet6.icmp6_var import Icmp6State, icmp6_in_count
from kame_py.wire.cksum import in6_cksum
from kame_py.wire.codecs import (
    HaDiscovReq,
    Icmp6Hdr,
    Ip6Hdr,
    MldHdr,
    MpAdvert,
    MpSolicit,
    NdNeighborAdvert,
    NdNeighborSolicit,
    NdRedirect,
    NdRouterAdvert,
    NdRouterSolicit,
)
from kame_py.wire.const import (
    ICMP6_DST_UNREACH,
    ICMP6_ECHO_REPLY,
    ICMP6_ECHO_REQUEST,
    ICMP6_HADISCOV_REPLY,
    ICMP6_HADISCOV_REQUEST,
    ICMP6_INFOMSG_MASK,
    ICMP6_MOBILEPREFIX_ADVERT,
    ICMP6_MOBILEPREFIX_SOLICIT,
    ICMP6_NI_QUERY,
    ICMP6_NI_REPLY,
    ICMP6_PACKET_TOO_BIG,
    ICMP6_PARAM_PROB,
    ICMP6_TIME_EXCEEDED,
    IPPROTO_ICMPV6,
    MLD_LISTENER_DONE,
    MLD_LISTENER_QUERY,
    MLD_LISTENER_REPORT,
    ND_NEIGHBOR_ADVERT,
    ND_NEIGHBOR_SOLICIT,
    ND_REDIRECT,
    ND_ROUTER_ADVERT,
    ND_ROUTER_SOLICIT,
)
from kame_py.wire.in6addr import IN6_IS_ADDR_MULTICAST
from kame_py.wire.patch import put_u8

if TYPE_CHECKING:
    from kame_py.kern.kernel import Kernel

#: (kern, m, offset of the ICMPv6 header, its length) -> None when the kernel used the message, else
#: why it did not. Does not own m.
Input = Callable[["Kernel", Mbuf, int, int], DropReason | None]
ANY_CODE: Final = 255
_ERROR: Final = Icmp6Hdr.SIZE
_TYPE: Final = Icmp6Hdr.O_icmp6_type
_CODE: Final = Icmp6Hdr.O_icmp6_code
_SRC: Final = Ip6Hdr.O_ip6_src
_DST: Final = Ip6Hdr.O_ip6_dst
_HDR: Final = Ip6Hdr.SIZE


@dataclass(frozen=True, slots=True)
class Icmp6Type:
    """How one type is taken. maxcode: largest code known; size: octets of its fixed part."""

    input: Input
    maxcode: int
    size: int


def icmp6_init(kern: Kernel) -> None:
    """State and variables of ICMPv6."""
    kern.icmp6 = state = Icmp6State()
    tree, base = kern.sysctl, "net.inet6.icmp6."
    tree.register_attr(
        base + "rediraccept", state, "icmp6_rediraccept", hi=1, text="hosts believe redirects"
    )
    tree.register_attr(
        base + "redirtimeout", state, "icmp6_redirtimeout", unit="s", text="life of a redirect"
    )
    tree.register_attr(
        base + "errppslimit", state, "icmp6errppslim", lo=-1, unit="packets/s",
        text="ICMPv6 errors sent in a second at most; -1 is no limit",
    )  # fmt: skip
    tree.register_attr(
        base + "bmcastecho", state, "icmp6_bmcastecho", hi=1, text="answer multicast pings"
    )
    tree.register_attr(
        base + "nodeinfo", state, "icmp6_nodeinfo", hi=7,
        text="answer node information queries: 1 name, 2 addresses, 4 temporary ones too",
    )  # fmt: skip
    tree.register_attr(
        base + "mtudisc_hiwat", state, "icmp6_mtudisc_hiwat", lo=-1,
        text="routes with a path MTU at most, when a socket stands behind them",
    )  # fmt: skip
    tree.register_attr(
        base + "mtudisc_lowat", state, "icmp6_mtudisc_lowat", lo=-1,
        text="routes with a path MTU at most, when no socket is known",
    )  # fmt: skip


def icmp6_input(kern: Kernel, m: Mbuf, off: int, nxt: int) -> tuple[int, int]:
    """One ICMPv6 message; takes ownership.

    The kernel's use makes it consumed, else a raw socket makes it delivered, else it is dropped.
    """
    ifp = m.rcvif
    if ifp is not None:
        ifp.icmp6_ifstat["ifs6_in_msg"] += 1
    data = m.data
    size = len(data) - off
    if size < _ERROR:
        drop(kern, m, D.ICMP6_TOOSHORT)
        return DONE
    if in6_cksum(data[_SRC:_DST], data[_DST:_HDR], IPPROTO_ICMPV6, data[off:]):
        drop(kern, m, D.ICMP6_CHECKSUM)
        return DONE
    kind, code = data[off + _TYPE], data[off + _CODE]
    if kern.tracing:
        trace(m, f"icmp6_input type {kind} code {code}")
    icmp6_in_count(kern, ifp, kind, code)
    mobility = kern.mip6.icmp6_input(kern, m, off)
    why = _icmp6_use(kern, m, off, kind, code, size)
    if mobility:
        why = mobility if isinstance(mobility, DropReason) else None
    _icmp6_end(kern, m, off, why)
    return DONE


def _icmp6_use(
    kern: Kernel, m: Mbuf, off: int, kind: int, code: int, size: int
) -> DropReason | None:
    """The kernel's own use of the message. None when there was one."""
    if m.rcvif is not None and not kind & ICMP6_INFOMSG_MASK:
        m.rcvif.icmp6_ifstat["ifs6_in_error"] += 1
    row = TYPES.get(kind)
    if row is None:
        return D.ICMP6_NOSOCKET
    if code > row.maxcode:
        return D.ICMP6_BADCODE
    if size < row.size:
        return D.ICMP6_BADLEN
    return row.input(kern, m, off, size)


def _icmp6_end(kern: Kernel, m: Mbuf, off: int, why: DropReason | None) -> None:
    """Raw sockets see every good message, whatever the kernel made of it (icmp6_rip6_input)."""
    taken = raw_ip6.icmp6_rip6_input(kern, m, off)
    if why is None:
        settle(kern, m, Fate.CONSUMED)
    elif taken:
        if why is not D.ICMP6_NOSOCKET:
            count(kern, m, why)
        settle(kern, m, Fate.DELIVERED)
    else:
        drop(kern, m, why)


# -- what the kernel does -------------------------------------------------------------------------


def icmp6_echo_input(kern: Kernel, m: Mbuf, off: int, size: int) -> DropReason | None:
    """Answer a ping with the same octets (RFC 4443 s.4.2)."""
    if IN6_IS_ADDR_MULTICAST(m.dst) and not kern.icmp6.icmp6_bmcastecho:
        return D.ICMP6_ECHOMCAST
    if m.src == bytes(len(m.src)):
        return D.ICMP6_NOSOCKET
    body = put_u8(m.data[off:], Icmp6Hdr.O_icmp6_type, ICMP6_ECHO_REPLY)
    icmp6_error.icmp6_reflect(kern, m, body)
    return None


def icmp6_error_input(kern: Kernel, m: Mbuf, off: int, size: int) -> DropReason | None:
    """An error about a packet that somebody here may have sent."""
    return icmp6_notify.icmp6_notify_error(kern, m, off, Icmp6Hdr.unpack(m.data, off))


def _mld_input(kern: Kernel, m: Mbuf, off: int, size: int) -> DropReason | None:
    return mld6.mld6_input(kern, m, off)


def _for_programs(kern: Kernel, m: Mbuf, off: int, size: int) -> DropReason | None:
    """Echo replies, home agent discovery, mobile prefixes: raw sockets read them."""
    return D.ICMP6_NOSOCKET


TYPES: Final[dict[int, Icmp6Type]] = {
    ICMP6_DST_UNREACH: Icmp6Type(icmp6_error_input, 7, _ERROR),  # RFC 4443 s.3.1, later codes
    ICMP6_PACKET_TOO_BIG: Icmp6Type(icmp6_error_input, ANY_CODE, _ERROR),  # code ignored, s.3.2
    ICMP6_TIME_EXCEEDED: Icmp6Type(icmp6_error_input, 1, _ERROR),
    ICMP6_PARAM_PROB: Icmp6Type(icmp6_error_input, 3, _ERROR),  # 3: RFC 7112
    ICMP6_ECHO_REQUEST: Icmp6Type(icmp6_echo_input, ANY_CODE, _ERROR),
    ICMP6_ECHO_REPLY: Icmp6Type(_for_programs, ANY_CODE, _ERROR),
    MLD_LISTENER_QUERY: Icmp6Type(_mld_input, ANY_CODE, MldHdr.SIZE),
    MLD_LISTENER_REPORT: Icmp6Type(_mld_input, ANY_CODE, MldHdr.SIZE),
    MLD_LISTENER_DONE: Icmp6Type(_mld_input, ANY_CODE, MldHdr.SIZE),
    ND_ROUTER_SOLICIT: Icmp6Type(nd6_rtr.nd6_rs_input, 0, NdRouterSolicit.SIZE),
    ND_ROUTER_ADVERT: Icmp6Type(nd6_rtr.nd6_ra_input, 0, NdRouterAdvert.SIZE),
    ND_NEIGHBOR_SOLICIT: Icmp6Type(nd6_nbr.nd6_ns_input, 0, NdNeighborSolicit.SIZE),
    ND_NEIGHBOR_ADVERT: Icmp6Type(nd6_nbr.nd6_na_input, 0, NdNeighborAdvert.SIZE),
    ND_REDIRECT: Icmp6Type(icmp6_redirect.icmp6_redirect_input, 0, NdRedirect.SIZE),
    ICMP6_NI_QUERY: Icmp6Type(icmp6_nodeinfo.ni6_input, ANY_CODE, icmp6_nodeinfo.WRU_SIZE),
    ICMP6_NI_REPLY: Icmp6Type(_for_programs, ANY_CODE, _ERROR),
    ICMP6_HADISCOV_REQUEST: Icmp6Type(_for_programs, 0, HaDiscovReq.SIZE),
    ICMP6_HADISCOV_REPLY: Icmp6Type(_for_programs, 0, HaDiscovReq.SIZE),
    ICMP6_MOBILEPREFIX_SOLICIT: Icmp6Type(_for_programs, 0, MpSolicit.SIZE),
    ICMP6_MOBILEPREFIX_ADVERT: Icmp6Type(_for_programs, 0, MpAdvert.SIZE),
}
