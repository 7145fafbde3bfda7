# SPDX-License-Identifier: BSD-3-Clause
"""Destination options, and the home address option of Mobile IPv6.

KAME dest6.c. Deviates: what an option does is an entry of ``kern.destopts``. RFC 8200 s.4.6, the
mobility drafts s.5.4.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kame_py.kern.drop import D, drop
from kame_py.kern.mbuf import IP6A_HASEEN, IP6A_SWAP, Ip6Aux, Mbuf
from kame_py.kern.protosw import DONE
from kame_py.netinet6.ip6_opts import ip6_process_options
from kame_py.netinet6.trace6 import trace_addr
from kame_py.wire.codecs import Ip6Dest, Ip6Hdr, Ip6OptHomeAddress
from kame_py.wire.in6addr import (
    IN6_IS_ADDR_LINKLOCAL,
    IN6_IS_ADDR_MULTICAST,
    IN6_IS_ADDR_V4MAPPED,
    IN6ADDR_ANY,
    IN6ADDR_LOOPBACK,
)

if TYPE_CHECKING:
    from kame_py.kern.kernel import Kernel

_SRC: Final = Ip6Hdr.O_ip6_src
_DST: Final = Ip6Hdr.O_ip6_dst
_NXT: Final = Ip6Dest.O_ip6d_nxt
_ORDINARY_FIRST: Final = b"\x01"  # addresses from here on are no loopback and no IPv4 ones ...
_ORDINARY_LAST: Final = b"\xfe"  # ... and have no scope in front of this one
_HOA_LEN: Final = Ip6OptHomeAddress.SIZE - Ip6OptHomeAddress.O_ip6oh_addr


def dest6_input(kern: Kernel, m: Mbuf, off: int, nxt: int) -> tuple[int, int]:
    """Destination options header at ``off``.

    A home address option seen here changes places with the source once all options are read, so
    later headers see the home address (IP6A_SWAP).
    """
    end = ip6_process_options(kern, m, off, kern.destopts)
    if not end:
        return DONE
    aux = m.aux
    if aux is not None and aux.ip6a_flags & (IP6A_HASEEN | IP6A_SWAP) == IP6A_HASEEN:
        dest6_swap_hao(m, aux)
    return m.data[off + _NXT], end


def dest6_hao(kern: Kernel, m: Mbuf, opt: int, start: int, size: int, off: int) -> bool:
    """Home address option: remember home and care-of address. Alignment is not enforced."""
    aux = m.aux
    if aux is None:
        aux = m.aux = Ip6Aux()
    elif aux.ip6a_flags & IP6A_HASEEN:
        drop(kern, m, D.DEST6_HAOTWICE)
        return False
    if size < _HOA_LEN:
        drop(kern, m, D.DEST6_HAOLEN)
        return False
    data = m.data
    home = data[start : start + _HOA_LEN]
    if not _ORDINARY_FIRST <= home < _ORDINARY_LAST and (
        home in (IN6ADDR_ANY, IN6ADDR_LOOPBACK)
        or IN6_IS_ADDR_MULTICAST(home)
        or IN6_IS_ADDR_LINKLOCAL(home)
        or IN6_IS_ADDR_V4MAPPED(home)
    ):
        drop(kern, m, D.DEST6_HAOSCOPE)
        return False
    kern.stats.mip6["mip6s_hao"] += 1
    aux.ip6a_flags |= IP6A_HASEEN
    aux.ip6a_home = home
    aux.ip6a_careof = data[_SRC:_DST]
    aux.ip6a_swap_off = start
    if kern.tracing:
        trace_addr(kern, m, "dest6_hao", home)
    return True


def dest6_swap_hao(m: Mbuf, aux: Ip6Aux) -> None:
    """Source and home address option change places."""
    if aux.ip6a_home is None or aux.ip6a_careof is None:
        return
    data, at = m.data, aux.ip6a_swap_off
    end = at + _HOA_LEN
    m.data = b"".join((data[:_SRC], aux.ip6a_home, data[_DST:at], aux.ip6a_careof, data[end:]))
    m.src = aux.ip6a_home
    aux.ip6a_flags |= IP6A_SWAP
