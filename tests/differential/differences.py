# SPDX-License-Identifier: BSD-3-Clause
"""Where our answer to an odd packet is not Linux's, and why. Shown in docs/odd-packets.md."""

from __future__ import annotations

from typing import Final, NamedTuple


class Difference(NamedTuple):
    ours: tuple[str, ...]
    why: str


DIFFERENCES: Final[dict[str, Difference]] = {}
