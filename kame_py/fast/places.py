# SPDX-License-Identifier: BSD-3-Clause
"""Arrays that kernels use again and again, as one argument.

No KAME counterpart. Each array is told by where it begins, since a kernel that takes it apart needs
a while for each argument. Where there is no machine code the arrays themselves are handed over.
Kernels open the argument and take it apart with ``opened`` and ``place`` (ldst.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from kame_py.fast.cpu import CPU, Cpu

Base = NDArray[Any]  # where an array begins: for LLVM an address
Places = Sequence[Base]  # for LLVM an array of addresses


def places(*arrays: Base) -> Places:
    """The argument; the arrays must stay alive, and where they are."""
    if CPU is Cpu.NONE:
        return [a.reshape(-1) for a in arrays]
    return cast("Places", np.array([a.ctypes.data for a in arrays]))
