# SPDX-License-Identifier: BSD-3-Clause
"""The octets of every draft whose signalling travels in destination options, by its name.

No KAME counterpart: there the draft was chosen when a program was compiled. Programs ask the kernel
(Mip6ConfigSnap.dialect).
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from kame_py.wire import mip6_draft13, mip6_draft15
from kame_py.wire.mip6 import OptionWire

WIRES: Final[Mapping[str, OptionWire]] = MappingProxyType(
    {wire.name: wire for wire in (mip6_draft13.WIRE, mip6_draft15.WIRE)}
)
