# SPDX-License-Identifier: BSD-3-Clause
"""net.inet6.ip6.*: the variables of the IPv6 layer.

KAME ip6_input.c ip6_sysctl and in6_proto.c. Deviates: rthdr0 is new (RFC 5095).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from kame_py.netinet6.route6 import rthdr0_enable

if TYPE_CHECKING:
    from kame_py.kern.kernel import Kernel

KAME_VERSION: Final = "20020128/kame-py"
MAXINT: Final = 0x7FFFFFFF


class _Var(NamedTuple):
    """One leaf: its name, member of Ip6State, range, what it does."""

    name: str
    member: str
    lo: int
    hi: int
    text: str


_VARS: Final = (
    _Var("forwarding", "ip6_forwarding", 0, 1, "forward packets that are for others"),
    _Var("redirect", "ip6_sendredirects", 0, 1, "tell neighbours of better first hops"),
    _Var("hlim", "ip6_defhlim", 0, 255, "hop limit of packets made here"),
    _Var("defmcasthlim", "ip6_defmcasthlim", 0, 255, "hop limit of multicast made here"),
    _Var("accept_rtadv", "ip6_accept_rtadv", 0, 1, "configure from router advertisements"),
    _Var("hdrnestlimit", "ip6_hdrnestlimit", 0, MAXINT, "extension headers in a packet, 0 any"),
    _Var("dad_count", "ip6_dad_count", 0, 255, "solicitations that test a new address"),
    _Var("auto_flowlabel", "ip6_auto_flowlabel", 0, 1, "label the flows of sockets"),
    _Var("use_deprecated", "ip6_use_deprecated", 0, 1, "deprecated addresses may be a source"),
    _Var("prefer_tempaddr", "ip6_prefer_tempaddr", 0, 1, "temporary addresses come first"),
    _Var("use_tempaddr", "ip6_use_tempaddr", 0, 1, "make temporary addresses (RFC 3041)"),
    _Var("v6only", "ip6_v6only", 0, 1, "sockets refuse IPv4-mapped addresses"),
    _Var("maxfragpackets", "ip6_maxfragpackets", -1, MAXINT, "datagrams in reassembly, -1 any"),
    _Var("maxfrags", "ip6_maxfrags", -1, MAXINT, "fragments in reassembly, -1 any"),
    _Var("gifhlim", "ip6_gif_hlim", 0, 255, "hop limit of a tunnel's outer packets"),
    _Var("log_interval", "ip6_log_interval", 0, MAXINT, "seconds between repeated messages"),
    _Var("keepfaith", "ip6_keepfaith", 0, 0, "there is no FAITH translator here"),
    _Var("rr_prune", "ip6_rr_prune", 0, MAXINT, "seconds between router renumbering sweeps"),
)


def ip6_sysctl_init(kern: Kernel) -> None:
    """Register the variables."""
    ip6 = kern.ip6
    for var in _VARS:
        kern.sysctl.register_attr(
            f"net.inet6.ip6.{var.name}", ip6, var.member, lo=var.lo, hi=var.hi, text=var.text
        )
    kern.sysctl.register(
        "net.inet6.ip6.rthdr0",
        lambda: ip6.ip6_rthdr0,
        lambda value: rthdr0_enable(kern, value),
        hi=1,
        text="serve type 0 routing headers (RFC 5095 advises against it)",
    )
    kern.sysctl.register(
        "net.inet6.ip6.kame_version", lambda: KAME_VERSION, text="which KAME this is"
    )
