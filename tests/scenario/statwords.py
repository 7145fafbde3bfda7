# SPDX-License-Identifier: BSD-3-Clause
"""The counters of mobility beside the table of drops."""

from __future__ import annotations

from kame_py.kern.drop import REASONS, DropReason
from kame_py.kern.kernel import Kernel


def member(why: DropReason) -> str:
    """The member of mip6stat that counts this reason, "" if none does."""
    proto, _, name = why.counter.partition(".")
    return name if proto == "mip6" else why.mip6


def refused(kern: Kernel) -> dict[str, int]:
    """What the counters of refusals must be by the table of drops."""
    found: dict[str, int] = {}
    for name, times in kern.drops.items():
        if times and member(REASONS[name]):
            found[member(REASONS[name])] = found.get(member(REASONS[name]), 0) + times
    return found


def counted(kern: Kernel) -> dict[str, int]:
    """The counters of refusals as they are."""
    members = {member(why) for why in REASONS.values()} - {""}
    return {name: n for name, n in kern.stats.mip6.items() if n and name in members}
