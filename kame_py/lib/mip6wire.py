# SPDX-License-Identifier: BSD-3-Clause
"""The draft of Mobile IPv6 that a program shares with its kernel.

No KAME counterpart: there programs were compiled for one (a kernel option).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kame_py.wire.errno import KError
from kame_py.wire.mip6_draft15 import WIRE
from kame_py.wire.mip6_wires import WIRES
from kame_py.wire.snap import Mip6ConfigSnap

if TYPE_CHECKING:
    from kame_py.ctl.ops import ProgOps
    from kame_py.wire.mip6 import OptionWire


async def kernel_wire(ops: ProgOps) -> OptionWire:
    """The octets of the draft that the kernel speaks; the usual one's if it speaks none."""
    try:
        rows = await ops.sysctl("net.inet6.mip6.config")
    except KError:
        return WIRE
    config = rows[0] if isinstance(rows, tuple) and rows else None
    return WIRES.get(config.dialect, WIRE) if isinstance(config, Mip6ConfigSnap) else WIRE
