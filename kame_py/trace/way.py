# SPDX-License-Identifier: BSD-3-Clause
"""The way of one packet through a kernel, in words, from plain values.

No KAME counterpart. Knows no kernel, so that programs which get ways from a socket may use it, too.
"""

from __future__ import annotations

from collections.abc import Sequence

DROPPED = "dropped"


def fate_words(fate: str, reason: str = "", why: str = "") -> str:
    """ "forwarded", "dropped: IP6_BADVERS: version is not 6"."""
    return f"{DROPPED}: {reason}: {why}" if fate == DROPPED and reason else fate


def way_lines(head: str, stages: Sequence[str], fate: str) -> list[str]:
    """``head``, below it one line per stage, and the fate."""
    return [head, *(f"  {stage}" for stage in stages), f"  = {fate}"]
