# SPDX-License-Identifier: BSD-3-Clause
"""Measure the library beside its peers, all in turns, and print the table.

    python -m bench.peers [--quick] [--rounds N] [--only GROUP...] [--json FILE] [--gate | --accept]

Ends with 1 if ``--gate`` finds a ratio that has fallen by more than half (bench/gate.py); what
fell gets more rounds first, so a busy machine is no failure. Peers that are missing are named.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from bench.gate import EXPECTED, Expected, Ratios, fallen, ratios, unseen
from bench.machine import Described, describe, finished
from bench.peers import codes, events, moving, reading, slow, sums
from bench.peers.contest import Contest, Workers, rounds, workers

ROUNDS: Final = (7, 3)
MORE: Final = 3  # times that what fell is measured again


#: By name for --only.
GROUPS: Final[dict[str, Callable[[Path, Workers, bool], list[Contest]]]] = {
    "read": lambda folder, crew, short: reading.contests(reading.Captures(folder, short), crew),
    "hmac": lambda folder, crew, short: codes.contests(folder),
    "agent": lambda folder, crew, short: moving.contests(short),
    "checksum": lambda folder, crew, short: sums.contests(crew, short),
    "events": lambda folder, crew, short: events.contests(folder, crew),
    "forward": lambda folder, crew, short: slow.contests(),
}


def table(contest: Contest) -> Table:
    made = Table(title=contest.name, title_justify="left", title_style="bold")
    made.add_column("")
    made.add_column(f"ns/{contest.unit}", justify="right")
    made.add_column("M/s", justify="right")
    made.add_column("times", justify="right")
    made.add_column("spread", justify="right")
    made.add_column("what it does", overflow="fold")
    times = contest.times() if contest.contenders else {}
    for each in contest.contenders:
        made.add_row(
            escape(each.name),
            f"{each.least * 1e9:.4g}",
            f"{1e-6 / each.least:.3g}",
            f"{times[each.name]:.3g}",
            f"{max(each.seconds) / each.least - 1:.0%}",
            escape(f"{each.does} ({each.version})" if each.version else each.does),
        )
    for name, why in contest.missing.items():
        made.add_row(escape(name), "-", "-", "-", "-", escape(f"missing: {why}"))
    return made


def told(machine: Described, count: int, found: Sequence[Contest]) -> dict[str, object]:
    goals: dict[str, float] = {}
    for contest in found:
        if contest.contenders:
            goals |= {k: float(f"{v:.4g}") for k, v in contest.figures().items()}
    return {
        "machine": machine,
        "rounds": count,
        "goals": goals,
        "contests": [contest.told() for contest in found if contest.contenders],
        "missing": {c.name: c.missing for c in found if c.missing},
    }


def judged(found: list[Contest], count: int, last: Ratios, every: bool) -> tuple[list[str], int]:
    """What fell is measured again, then told; and how many fell. every: nobody was left out."""
    for more in range(MORE + 1):
        measured = ratios([contest.told() for contest in found])
        fell = fallen(measured, last)
        if not fell or more == MORE:
            break
        again = [c for c in found if any(name.startswith(f"{c.name}: ") for name in fell)]
        rounds(again, 2 * count)
    lines = (unseen(measured, last) if every else []) + [f"FELL {said}" for said in fell.values()]
    if not last:
        lines.append(f"{EXPECTED.name} has no ratios of such runs for this processor")
    return [*lines, f"{len(measured)} ratios, {len(fell)} fell"], len(fell)


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="bench.peers", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("--quick", action="store_true", help="a look of a minute: less of each")
    parser.add_argument("--rounds", type=int, help="turns of everybody")
    parser.add_argument("--only", nargs="+", choices=GROUPS, help="these contests")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the results there")
    judge = parser.add_mutually_exclusive_group()
    judge.add_argument("--gate", action="store_true", help="1 if a ratio fell by more than half")
    judge.add_argument("--accept", action="store_true", help="these are good ratios")
    args = parser.parse_args()
    count = args.rounds or ROUNDS[args.quick]
    machine, expected, run = describe(), Expected(), "quick" if args.quick else "full"
    with workers() as crew, tempfile.TemporaryDirectory(prefix="kame-peers-") as folder:
        found = [
            contest
            for group in args.only or GROUPS
            for contest in GROUPS[group](Path(folder), crew, args.quick)
        ]
        playing = [contest for contest in found if contest.contenders]
        rounds(playing, count)
        kernels, fell = str(machine["kernels_for"]), 0
        lines: list[str] = []
        if args.gate:
            lines, fell = judged(playing, count, expected.of(run, kernels), args.only is None)
    if args.accept:
        expected.accept(run, kernels, ratios([contest.told() for contest in playing]))
    machine = finished(machine)
    console = Console()
    for contest in found:
        console.print(table(contest))
    console.print(f"machine: {escape(str(machine))}", highlight=False)
    if args.json is not None:
        args.json.parent.mkdir(parents=True, exist_ok=True)
        args.json.write_text(json.dumps(told(machine, count, found), indent=2) + "\n")
    for line in lines:
        print(f"bench.peers: {line}")
    return 1 if fell else 0


if __name__ == "__main__":
    sys.exit(main())
