# SPDX-License-Identifier: BSD-3-Clause
"""What the slow path counts for one packet, for many.

KAME counterpart: none; see kern/drop.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kame_py.kern.mbuf import Fate

if TYPE_CHECKING:
    from kame_py.kern.drop import DropReason
    from kame_py.kern.kernel import Kernel
    from kame_py.net.if_ import Ifnet


def dropped(kern: Kernel, ifp: Ifnet, why: DropReason, n: int) -> None:
    """What drop() does, n times."""
    kern.drops[why.name] += n
    kern.fates[Fate.DROPPED] += n
    proto, _, member = why.counter.partition(".")
    if proto:
        kern.stats.of(proto)[member] += n
    if why.mip6:
        kern.stats.mip6[why.mip6] += n
    if why.ifcounter:
        ifp.in6_ifstat[why.ifcounter] += n
