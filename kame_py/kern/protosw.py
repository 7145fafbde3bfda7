# SPDX-License-Identifier: BSD-3-Clause
"""The protocol switch: which function takes which next header (KAME ip6protosw, in6_proto.c).

Input functions are called as ``pr_input(kern, m, off, nxt)`` with ``off`` the offset of their
header in ``m.data``. They return (next header, its offset) to go on, or DONE when the packet has
its fate (or is held).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from kame_py.kern.kernel import Kernel
    from kame_py.kern.mbuf import Mbuf

IPPROTO_DONE: Final = 257  # KAME's marker: nothing follows
DONE: Final = (IPPROTO_DONE, 0)

PrInput = Callable[["Kernel", "Mbuf", int, int], tuple[int, int]]


@dataclass(frozen=True, slots=True)
class PrCtl:
    """What pr_ctlinput hears of an ICMPv6 error.

    cmd: the ICMPv6 type; code; src, dst: addresses of the quoted packet in kernel form;
    nxt, payload: its upper protocol and what is quoted of it; mtu: of a Packet Too Big.
    """

    cmd: int
    code: int
    src: bytes
    dst: bytes
    nxt: int
    payload: bytes
    mtu: int = 0
    pointer: int = 0


PrCtlinput = Callable[["Kernel", PrCtl], None]


@dataclass(frozen=True, slots=True)
class Ip6Protosw:
    """One row. lasthdr: an upper layer, so inbound IPsec policy applies before it."""

    name: str
    pr_input: PrInput
    lasthdr: bool = False
    pr_ctlinput: PrCtlinput | None = None


#: Handler of one destination or hop-by-hop option: (kern, m, offset of option, data offset, data
#: length, header offset) -> True to go on, False when the packet has its fate.
OptHandler = Callable[["Kernel", "Mbuf", int, int, int, int], bool]
#: Handler of one routing header type: (kern, m, off, nxt) like pr_input.
RthdrHandler = PrInput
