# SPDX-License-Identifier: BSD-3-Clause
"""Has anything become slower? Ratios beside what they were last, floors of the goals.

    python -m bench.gate [--results FOLDER] [--accept]

Checks the results of a whole run: floors, and ratios to peers, none of which may be less than half
of the last good one (bench/results/expected.json). Says which row fell; 1 if one did. ``--accept``
makes the ratios the last good ones. Ratios belong to a kind of processor: for another one, whose
ratios nobody has accepted yet, floors are all there is.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from bench.goals import ROWS, below_floor, unmeasured

RESULTS: Final = Path(__file__).resolve().parent / "results"
EXPECTED: Final = RESULTS / "expected.json"
SLACK: Final = 2
OURS: Final = "kame-py"
#: Their figures depend on the pieces in which a file came into the page cache.
UNSTEADY: Final = ("C", "C, prefetch", "touch")

Ratios = dict[str, float]


def ratios(contests: Sequence[Mapping[str, Any]]) -> Ratios:
    """By contest and peer, so that more is better; what else is ours against its first."""
    found = {}
    for contest in contests:
        for row in contest["rows"][1:]:
            if row["name"] in UNSTEADY:
                continue
            mine = row["name"].startswith(OURS)
            times = 1 / row["times"] if mine else row["times"]
            found[f"{contest['name']}: {row['name']}"] = float(f"{times:.4g}")
    return found


def fallen(measured: Ratios, expected: Ratios) -> dict[str, str]:
    """What is said of each row that is less than the last good one by more than the slack."""
    return {
        name: f"{name}: {measured[name]:.3g} times, it was {last:.3g}"
        for name, last in expected.items()
        if name in measured and measured[name] * SLACK < last
    }


def unseen(measured: Ratios, expected: Ratios) -> list[str]:
    """Rows that there were, and are not now."""
    return [f"{name}: not measured" for name in expected if name not in measured]


class Expected:
    """The last good ratios: by kind of run (quick, full) and of processor."""

    def __init__(self, path: Path = EXPECTED) -> None:
        self.path = path
        self._all: dict[str, dict[str, Ratios]] = {}
        if path.exists():
            self._all = json.loads(path.read_text())

    def of(self, run: str, kernels: str) -> Ratios:
        return self._all.get(run, {}).get(kernels, {})

    def accept(self, run: str, kernels: str, measured: Ratios) -> None:
        self._all.setdefault(run, {})[kernels] = measured
        self.path.write_text(json.dumps(self._all, indent=2, sort_keys=True) + "\n")


def figures(results: Path) -> dict[str, float]:
    """Of all rows of the goals that have been measured."""
    found: dict[str, float] = {}
    for name in ("peers.json", "goals.json"):
        if (results / name).exists():
            found |= json.loads((results / name).read_text())["goals"]
    return {key: value for key, value in found.items() if key in ROWS}


def main() -> int:
    parser = argparse.ArgumentParser(prog="bench.gate", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--results", type=Path, default=RESULTS, metavar="FOLDER")
    parser.add_argument("--expected", type=Path, default=EXPECTED, metavar="FILE")
    parser.add_argument("--accept", action="store_true", help="these are good ratios")
    args = parser.parse_args()
    try:
        peers = json.loads((args.results / "peers.json").read_text())
    except (OSError, ValueError) as why:
        sys.stderr.write(f"bench.gate: {args.results / 'peers.json'}: {why}\n")
        return 2
    kernels, measured, expected = (
        peers["machine"]["kernels_for"],
        ratios(peers["contests"]),
        Expected(args.expected),
    )
    if args.accept:
        expected.accept("full", kernels, measured)
        return 0
    last, values = expected.of("full", kernels), figures(args.results)
    wrong = below_floor(values) + list(fallen(measured, last).values())
    for line in [f"{key}: not measured" for key in unmeasured(values)] + unseen(measured, last):
        print(f"bench.gate: {line}")
    for line in wrong:
        print(f"bench.gate: FELL {line}")
    print(f"bench.gate: {len(values)} figures, {len(measured)} ratios, {len(wrong)} fell")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
