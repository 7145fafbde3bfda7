# SPDX-License-Identifier: BSD-3-Clause
"""Several captures, each played to a node of its own, added up.

No KAME counterpart.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from kame_py.replay.report import bulk_lines, drop_lines, fate_lines, packets_per_second, to_json
from kame_py.replay.verdict import FATES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kame_py.lab.report import Json
    from kame_py.replay.runner import ReplayResult


class Played(NamedTuple):
    """One capture and what came of it. result None: it could not be played, problem says why."""

    file: str
    result: ReplayResult | None
    seconds: float = 0.0
    problem: str | None = None


class Totals:
    """The sums over all captures."""

    def __init__(self, played: Sequence[Played]) -> None:
        results = [one.result for one in played if one.result is not None]
        self.files = len(played)
        self.unusable = len(played) - len(results)
        self.packets = sum(result.packets for result in results)
        self.left_out = sum(result.left_out for result in results)
        self.in_bulk = sum(result.in_bulk for result in results)
        punts: Counter[str] = Counter()
        self.replies = sum(result.replies for result in results)
        self.seconds = sum(one.seconds for one in played)
        self.fates = dict.fromkeys(FATES, 0)
        drops: Counter[str] = Counter()
        for result in results:
            drops.update(result.drops)
            punts.update(result.punts)
            for fate, count in result.fates.items():
                self.fates[fate] += count
        self.drops = dict(sorted(drops.items()))
        self.punts = dict(sorted(punts.items()))


def totals_json(played: Sequence[Played], interrupted: bool) -> dict[str, Json]:
    """The sums, and each capture as it would be alone."""
    sums = Totals(played)
    return {
        "packets": sums.packets,
        "left_out": sums.left_out,
        "fates": dict(sums.fates),
        "drops": dict(sums.drops),
        "replies": sums.replies,
        "in_bulk": sums.in_bulk,
        "punts": dict(sums.punts),
        "seconds": round(sums.seconds, 6),
        "packets_per_second": packets_per_second(sums.packets, sums.seconds),
        "interrupted": interrupted,
        "files": [_file_json(one) for one in played],
    }


def _file_json(one: Played) -> Json:
    if one.result is None:
        return {"file": one.file, "packets": 0, "error": one.problem}
    return {"file": one.file, **to_json(one.result, one.seconds)}


def played_line(one: Played) -> tuple[str, str]:
    """One capture as a line of a list, with its style."""
    if one.result is None:
        return f"          -            {one.file}: {one.problem}", "red"
    count, dropped = one.result.packets, one.result.fates["dropped"]
    return f"  {count:>9} {dropped:>9}  {one.file}", ""


def _count(files: int) -> str:
    return "1 capture" if files == 1 else f"{files} captures"


def totals_lines(played: Sequence[Played]) -> list[tuple[str, str]]:
    """The sums for people, below the list of captures."""
    sums = Totals(played)
    rate = packets_per_second(sums.packets, sums.seconds)
    head = f"{sums.packets} packets of {_count(sums.files)}, replayed in {sums.seconds:.2f} s"
    lines = [("", ""), (f"{head}, {rate} packets/s", "bold")]
    if sums.left_out:
        lines.append((f"{sums.left_out} packets left out by the filter", ""))
    lines += bulk_lines(sums.in_bulk, sums.punts)
    return [*lines, *fate_lines(sums.fates), *drop_lines(sums.drops)]
