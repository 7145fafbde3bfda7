# SPDX-License-Identifier: BSD-3-Clause
"""Headers that nobody takes, or that stand where they must not.

The tail of KAME raw_ip6.c rip6_input. Deviates: what is missing has a reason of its own.
RFC 8200 s.4.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kame_py.kern.drop import D, DropReason, drop
from kame_py.kern.protosw import DONE
from kame_py.netinet6.icmp6_error import icmp6_error
from kame_py.netinet6.prevhdr import ip6_get_prevhdr
from kame_py.wire.const import (
    ICMP6_PARAM_PROB,
    ICMP6_PARAMPROB_NEXTHEADER,
    IPPROTO_AH,
    IPPROTO_ESP,
    IPPROTO_IPV6,
    IPPROTO_NONE,
)

if TYPE_CHECKING:
    from kame_py.kern.kernel import Kernel
    from kame_py.kern.mbuf import Mbuf

NOPROTO_REASON: Final = {
    IPPROTO_AH: D.AH_NOKERNEL,
    IPPROTO_ESP: D.ESP_NOKERNEL,
    IPPROTO_IPV6: D.ENCAP6_NOTUNNEL,
}


def ip6_noproto(kern: Kernel, m: Mbuf, off: int, nxt: int) -> tuple[int, int]:
    """Nobody takes next header ``nxt``: report it, but say nothing about "no next header"."""
    kern.stats.ip6["ip6s_delivered"] -= 1
    if nxt == IPPROTO_NONE:
        drop(kern, m, D.IP6_NOPROTO)
        return DONE
    return _ip6_badnext(kern, m, off, NOPROTO_REASON.get(nxt, D.IP6_UNKNOWNPROTO))


def ip6_hbh_misplaced(kern: Kernel, m: Mbuf, off: int, nxt: int) -> tuple[int, int]:
    """Hop-by-hop options anywhere but first (RFC 8200 s.4)."""
    kern.stats.ip6["ip6s_delivered"] -= 1
    return _ip6_badnext(kern, m, off, D.IP6_HBHORDER)


def _ip6_badnext(kern: Kernel, m: Mbuf, off: int, why: DropReason) -> tuple[int, int]:
    pointer = ip6_get_prevhdr(m.data, off)
    icmp6_error(kern, m, ICMP6_PARAM_PROB, ICMP6_PARAMPROB_NEXTHEADER, pointer)
    drop(kern, m, why)
    return DONE
