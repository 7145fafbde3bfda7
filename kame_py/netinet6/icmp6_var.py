# SPDX-License-Identifier: BSD-3-Clause
"""State and counters of ICMPv6 (KAME icmp6_var.h and the counter macros of netinet/icmp6.h).

Deviates: net.inet6.icmp6.bmcastecho is new and switches the answer to multicast echo requests.
Read first: RFC 2466, whose objects the per-interface counters are.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from kame_py.wire.const import (
    ICMP6_DST_UNREACH,
    ICMP6_DST_UNREACH_ADDR,
    ICMP6_DST_UNREACH_ADMIN,
    ICMP6_DST_UNREACH_BEYONDSCOPE,
    ICMP6_DST_UNREACH_NOPORT,
    ICMP6_DST_UNREACH_NOROUTE,
    ICMP6_ECHO_REPLY,
    ICMP6_ECHO_REQUEST,
    ICMP6_HADISCOV_REPLY,
    ICMP6_HADISCOV_REQUEST,
    ICMP6_INFOMSG_MASK,
    ICMP6_MOBILEPREFIX_ADVERT,
    ICMP6_MOBILEPREFIX_SOLICIT,
    ICMP6_PACKET_TOO_BIG,
    ICMP6_PARAM_PROB,
    ICMP6_PARAMPROB_HEADER,
    ICMP6_PARAMPROB_NEXTHEADER,
    ICMP6_PARAMPROB_OPTION,
    ICMP6_TIME_EXCEED_REASSEMBLY,
    ICMP6_TIME_EXCEED_TRANSIT,
    ICMP6_TIME_EXCEEDED,
    MLD_LISTENER_DONE,
    MLD_LISTENER_QUERY,
    MLD_LISTENER_REPORT,
    ND_NEIGHBOR_ADVERT,
    ND_NEIGHBOR_SOLICIT,
    ND_REDIRECT,
    ND_ROUTER_ADVERT,
    ND_ROUTER_SOLICIT,
)

if TYPE_CHECKING:
    from kame_py.kern.kernel import Kernel
    from kame_py.net.if_ import Ifnet
    from kame_py.net.route import Rtentry

ICMP6_ERRPPSLIMIT: Final = 100  # messages in a second, KAME's default


@dataclass(slots=True)
class Icmp6State:
    """net.inet6.icmp6.* and what the limits remember.

    redirtimeout: seconds. mtudisc_routes: host routes with a path MTU that will expire.
    """

    icmp6_rediraccept: int = 1
    icmp6_redirtimeout: int = 600
    icmp6errppslim: int = ICMP6_ERRPPSLIMIT
    icmp6_mtudisc_hiwat: int = 1280
    icmp6_mtudisc_lowat: int = 256
    icmp6_bmcastecho: int = 1
    icmp6_nodeinfo: int = 3  # 1 name, 2 addresses, 4 temporary addresses too
    errpps_start: int | None = None  # ns, when the current second of the limit began
    errpps_count: int = 0
    mtudisc_routes: set[Rtentry] = field(default_factory=set)


_ERRCOUNT: Final[dict[tuple[int, int], str]] = {
    (ICMP6_DST_UNREACH, ICMP6_DST_UNREACH_NOROUTE): "icp6s_odst_unreach_noroute",
    (ICMP6_DST_UNREACH, ICMP6_DST_UNREACH_ADMIN): "icp6s_odst_unreach_admin",
    (ICMP6_DST_UNREACH, ICMP6_DST_UNREACH_BEYONDSCOPE): "icp6s_odst_unreach_beyondscope",
    (ICMP6_DST_UNREACH, ICMP6_DST_UNREACH_ADDR): "icp6s_odst_unreach_addr",
    (ICMP6_DST_UNREACH, ICMP6_DST_UNREACH_NOPORT): "icp6s_odst_unreach_noport",
    (ICMP6_PACKET_TOO_BIG, 0): "icp6s_opacket_too_big",
    (ICMP6_TIME_EXCEEDED, ICMP6_TIME_EXCEED_TRANSIT): "icp6s_otime_exceed_transit",
    (ICMP6_TIME_EXCEEDED, ICMP6_TIME_EXCEED_REASSEMBLY): "icp6s_otime_exceed_reassembly",
    (ICMP6_PARAM_PROB, ICMP6_PARAMPROB_HEADER): "icp6s_oparamprob_header",
    (ICMP6_PARAM_PROB, ICMP6_PARAMPROB_NEXTHEADER): "icp6s_oparamprob_nextheader",
    (ICMP6_PARAM_PROB, ICMP6_PARAMPROB_OPTION): "icp6s_oparamprob_option",
    (ND_REDIRECT, 0): "icp6s_oredirect",
}

#: type -> the end of its member in struct icmp6_ifstat.
_IFSTAT_ENDS: Final[dict[int, str]] = {
    ICMP6_DST_UNREACH: "dstunreach",
    ICMP6_PACKET_TOO_BIG: "pkttoobig",
    ICMP6_TIME_EXCEEDED: "timeexceed",
    ICMP6_PARAM_PROB: "paramprob",
    ICMP6_ECHO_REQUEST: "echo",
    ICMP6_ECHO_REPLY: "echoreply",
    MLD_LISTENER_QUERY: "mldquery",
    MLD_LISTENER_REPORT: "mldreport",
    MLD_LISTENER_DONE: "mlddone",
    ND_ROUTER_SOLICIT: "routersolicit",
    ND_ROUTER_ADVERT: "routeradvert",
    ND_NEIGHBOR_SOLICIT: "neighborsolicit",
    ND_NEIGHBOR_ADVERT: "neighboradvert",
    ND_REDIRECT: "redirect",
}
_IN: Final = {type: f"ifs6_in_{end}" for type, end in _IFSTAT_ENDS.items()}
_OUT: Final = {type: f"ifs6_out_{end}" for type, end in _IFSTAT_ENDS.items()}

#: type -> the end of its member in struct mip6stat.
MIP6STAT: Final[dict[int, str]] = {
    ICMP6_HADISCOV_REQUEST: "dhreq",
    ICMP6_HADISCOV_REPLY: "dhreply",
    ICMP6_MOBILEPREFIX_SOLICIT: "mps",
    ICMP6_MOBILEPREFIX_ADVERT: "mpa",
}


def icmp6_errcount(kern: Kernel, type: int, code: int) -> None:
    """Count an error that we want to send, sent or not."""
    kern.stats.icmp6[_ERRCOUNT.get((type, code), "icp6s_ounknown")] += 1


def icmp6_in_count(kern: Kernel, ifp: Ifnet | None, type: int, code: int) -> None:
    """A message with a good checksum came in."""
    kern.stats.icp6s_inhist[type] += 1
    if ifp is not None:
        _ifstat(ifp, _IN, type, code, "ifs6_in_adminprohib")


def icmp6_out_count(kern: Kernel, ifp: Ifnet | None, type: int, code: int) -> None:
    """A message goes out (icp6s_outhist, icmp6_ifoutstat_inc)."""
    kern.stats.icp6s_outhist[type] += 1
    if type in MIP6STAT:
        kern.stats.mip6[f"mip6s_o{MIP6STAT[type]}"] += 1
    if ifp is not None:
        ifp.icmp6_ifstat["ifs6_out_msg"] += 1
        if not type & ICMP6_INFOMSG_MASK:
            ifp.icmp6_ifstat["ifs6_out_error"] += 1
        _ifstat(ifp, _OUT, type, code, "ifs6_out_adminprohib")


def _ifstat(ifp: Ifnet, members: dict[int, str], type: int, code: int, prohibited: str) -> None:
    member = members.get(type)
    if member is not None:
        ifp.icmp6_ifstat[member] += 1
    if type == ICMP6_DST_UNREACH and code == ICMP6_DST_UNREACH_ADMIN:
        ifp.icmp6_ifstat[prohibited] += 1
