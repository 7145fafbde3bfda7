# SPDX-License-Identifier: BSD-3-Clause
"""Who takes an encapsulated packet: a table of tunnels, best match first.

KAME ip_encap.c. Deviates: the depth of encapsulation is limited. RFC 2473.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final, NamedTuple

from kame_py.kern.drop import D, drop
from kame_py.kern.mbuf import M_ANYCAST6, M_FRAG, Mbuf, trace
from kame_py.wire.codecs import Ip6Hdr
from kame_py.wire.const import IPPROTO_RAW, IPV6_VERSION, IPV6_VERSION_MASK
from kame_py.wire.patch import u8

if TYPE_CHECKING:
    from kame_py.kern.kernel import Kernel
    from kame_py.kern.protosw import PrInput
    from kame_py.net.if_ import Ifnet

ENCAP_MAXNEST: Final = 4  # RFC 2473 s.6.6: the default tunnel encapsulation limit

#: (kern, m, off, nxt) -> how many bits of the outer addresses match, 0 for none.
EncapCheck = Callable[["Kernel", Mbuf, int, int], int]


class Encaptab(NamedTuple):
    """One tunnel; what ``attach`` returns and ``detach`` wants."""

    check: EncapCheck
    input: PrInput


class EncapTable:
    """Tunnels of one kernel; among equal matches the first attached wins."""

    __slots__ = ("_tab",)

    def __init__(self) -> None:
        self._tab: list[Encaptab] = []

    def attach(self, check: EncapCheck, input: PrInput) -> Encaptab:
        """Add a tunnel (encap_attach_func)."""
        entry = Encaptab(check, input)
        self._tab.append(entry)
        return entry

    def detach(self, entry: Encaptab) -> None:
        """Remove a tunnel; a second time does nothing."""
        self._tab = [e for e in self._tab if e is not entry]

    def match(self, kern: Kernel, m: Mbuf, off: int, nxt: int) -> Encaptab | None:
        """The tunnel with the best match."""
        best, best_prio = None, 0
        for entry in self._tab:
            prio = entry.check(kern, m, off, nxt)
            if prio > best_prio:
                best, best_prio = entry, prio
        return best


def encap_init(kern: Kernel) -> None:
    """Make the empty table."""
    kern.encap = EncapTable()


def encap6_input(kern: Kernel, m: Mbuf, off: int, nxt: int) -> tuple[int, int]:
    """An IPv6 packet inside this one (next header 41): to its tunnel, else to raw sockets."""
    entry = kern.encap.match(kern, m, off, nxt)
    if entry is None:
        return kern.inet6sw[IPPROTO_RAW].pr_input(kern, m, off, nxt)
    return entry.input(kern, m, off, nxt)


def encap6_decap(kern: Kernel, m: Mbuf, off: int, ifp: Ifnet) -> bool:
    """Strip everything before ``off`` and receive the rest on ``ifp`` after this packet.

    False when the packet was dropped: nothing inside, or tunnels too deep.
    """
    data = m.data
    if len(data) - off < Ip6Hdr.SIZE or u8(data, off) & IPV6_VERSION_MASK != IPV6_VERSION:
        drop(kern, m, D.ENCAP6_BADINNER)
        return False
    if m.encaps >= ENCAP_MAXNEST:
        drop(kern, m, D.ENCAP6_TOODEEP)
        return False
    m.encaps += 1
    m.data = data[off:]
    m.src = m.dst = b""
    m.flags &= ~(M_FRAG | M_ANYCAST6)  # they are of the outer header
    m.aux = None
    m.rcvif = ifp
    if kern.tracing:
        trace(m, f"decapsulated {ifp.if_name}")
    kern.schednetisr(kern.ip6intr, kern, m)
    return True
