# SPDX-License-Identifier: BSD-3-Clause
"""Which bindings are due, found in vectors: the sweep of mip6_bcache.py for an engine's kernel.

No KAME counterpart (mip6_bc_timeout walked the list). The twin is mip6_bcache.sweep, which has the
same results to the element; numpy alone is enough, since nothing but comparing is done.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from kame_py.mip6.mip6_bcache import BLOCK, NEVER
from kame_py.mip6.mip6_var import Mip6State

if TYPE_CHECKING:
    from kame_py.kern.kernel import Kernel
    from kame_py.mip6.mip6_bcache import Seconds

_NEVER: Final = np.uint32(NEVER)


def sweep(due: Seconds, low: Seconds, now_s: int) -> tuple[list[int], int]:
    """Sweep: the least of each block, then the blocks in which a row may be due."""
    least = np.frombuffer(low, np.uint32)
    blocks = np.flatnonzero(least <= now_s)
    if not len(blocks):
        return [], int(least.min())
    seconds = np.frombuffer(due, np.uint32)
    whole = len(seconds) // BLOCK
    rows: list[int] = []
    full = blocks[blocks < whole]
    if len(full):
        part = seconds[: whole * BLOCK].reshape(whole, BLOCK)[full]
        late = part <= now_s
        at, column = np.nonzero(late)
        rows = (full[at] * BLOCK + column).tolist()
        least[full] = np.where(late, _NEVER, part).min(1)
    if blocks[-1] >= whole:
        part = seconds[whole * BLOCK :]
        late = part <= now_s
        rows += (np.flatnonzero(late) + whole * BLOCK).tolist()
        least[whole] = np.where(late, _NEVER, part).min()
    return rows, int(least.min())


def in_vectors(kern: Kernel) -> None:
    """The kernel's binding cache is swept like that from now on."""
    state = getattr(kern.mip6, "state", None)
    if isinstance(state, Mip6State):
        state.bcache.sweep = sweep
