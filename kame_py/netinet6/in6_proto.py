# SPDX-License-Identifier: BSD-3-Clause
"""The protocol switch of IPv6: which function takes which next header.

KAME in6_proto.c. Deviates: rows of AH and ESP exist only with IPsec. UDP and raw sockets ask for
inbound policy themselves, since a socket may have its own. RFC 8200 s.4.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kame_py.kern.protosw import Ip6Protosw
from kame_py.netinet6.dest6 import dest6_input
from kame_py.netinet6.frag6 import frag6_input
from kame_py.netinet6.icmp6 import icmp6_input
from kame_py.netinet6.ip6_unknown import ip6_hbh_misplaced
from kame_py.netinet6.ip_encap import encap6_input
from kame_py.netinet6.raw_ip6 import rip6_ctlinput, rip6_input
from kame_py.netinet6.route6 import route6_input
from kame_py.netinet6.tcp6.tcp6_input import tcp6_input
from kame_py.netinet6.udp6_usrreq import udp6_ctlinput, udp6_input
from kame_py.wire.const import (
    IPPROTO_DSTOPTS,
    IPPROTO_FRAGMENT,
    IPPROTO_HOPOPTS,
    IPPROTO_ICMPV6,
    IPPROTO_IPV6,
    IPPROTO_RAW,
    IPPROTO_ROUTING,
    IPPROTO_TCP,
    IPPROTO_UDP,
)

if TYPE_CHECKING:
    from kame_py.kern.kernel import Kernel


def in6_proto_init(kern: Kernel) -> None:
    """Fill kern.inet6sw. The row of IPPROTO_RAW serves every number without a row."""
    kern.inet6sw.update(
        {
            IPPROTO_HOPOPTS: Ip6Protosw("hopopts", ip6_hbh_misplaced),
            IPPROTO_TCP: Ip6Protosw("tcp6", tcp6_input, True),
            IPPROTO_UDP: Ip6Protosw("udp6", udp6_input, False, udp6_ctlinput),
            IPPROTO_IPV6: Ip6Protosw("encap6", encap6_input, True),
            IPPROTO_ROUTING: Ip6Protosw("route6", route6_input),
            IPPROTO_FRAGMENT: Ip6Protosw("frag6", frag6_input),
            IPPROTO_ICMPV6: Ip6Protosw("icmp6", icmp6_input, True, rip6_ctlinput),
            IPPROTO_DSTOPTS: Ip6Protosw("dest6", dest6_input),
            IPPROTO_RAW: Ip6Protosw("raw6", rip6_input, False, rip6_ctlinput),
        }
    )
