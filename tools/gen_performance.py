# SPDX-License-Identifier: BSD-3-Clause
"""Write the tables of docs/performance.md from the results of the benchmarks and their goals.

    gen_performance.py [--results FOLDER]           write them
    gen_performance.py [--results FOLDER] --check   say whether they are current; 1 if not

The figures are those of peers.json and goals.json (bench/README.md), floors and aims those of
bench/goals.py. A row that stays below its aim has to say why there; without a reason nothing is
written.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from bench.gate import RESULTS, figures  # noqa: E402  # after the path is set
from bench.goals import GOALS, Goal  # noqa: E402

PAGE: Final = ROOT / "docs" / "performance.md"
BEGIN: Final = "<!-- {}: written by tools/gen_performance.py -->"
END: Final = "<!-- end of {} -->"


class Refused(Exception):
    """A table cannot be written; says why."""


def number(value: float) -> str:
    """Three digits that count."""
    return f"{value:,.0f}".replace(",", " ") if value >= 100 else f"{value:.3g}"


def mark(goal: Goal, value: float) -> str:
    least = "" if goal.more else "at most "
    return f"{least}{number(value)} {goal.unit}"


def reason(goal: Goal, value: float) -> str:
    """Why a row is below its aim."""
    if goal.reaches(value, goal.aim):
        return ""
    if not goal.why:
        raise Refused(
            f"{goal.key}: {number(value)} {goal.unit} is not the aim, {mark(goal, goal.aim)}, and "
            "nothing says why (bench/goals.py)"
        )
    return goal.why


def goals(values: Mapping[str, float]) -> Iterator[str]:
    """All rows, whether measured or not. Raises Refused for all that lack a reason."""
    refused = []
    yield "| | floor | aim | measured | below its aim, because |"
    yield "|---|---|---|---|---|"
    for heading, rows in GOALS.items():
        yield f"| **{heading}** | | | | |"
        for goal in rows:
            cells = [goal.what, mark(goal, goal.floor), mark(goal, goal.aim), "not measured", ""]
            if goal.key in values:
                value = values[goal.key]
                cells[3] = f"**{number(value)} {goal.unit}**"
                try:
                    cells[4] = reason(goal, value)
                except Refused as why:
                    refused.append(str(why))
            yield f"| {' | '.join(cells)} |"
    if refused:
        raise Refused("\n".join(refused))


def machine(what: str, on: Mapping[str, Any]) -> str:
    """One line: what was measured on, and when."""
    caches = ", ".join(f"{name} {size}" for name, size in on["caches"].items())
    packages = ", ".join(f"{name} {on[name]}" for name in ("python", "numba", "llvmlite", "numpy"))
    told = [
        f"{on['date']}, source {on['commit']}",
        f"{on['cpu']}, {on['cores']} cores, {caches}, {on['memory_gb']} GiB",
        f"Linux {on['kernel']}; {packages}; kernels for {on['kernels_for']}",
        f"load {on['load_before'][0]} before, {on['load_after'][0]} after",
    ]
    return f"- {what}: {'; '.join(told)}"


def peers(results: Mapping[str, Any]) -> Iterator[str]:
    """A table for each contest, and who is missing."""
    for contest in results["contests"]:
        yield f"| {contest['name']} | ns/{contest['unit']} | times | what it does |"
        yield "|---|---|---|---|"
        for row in contest["rows"]:
            version = f" ({row['version']})" if row["version"] else ""
            does = f"{row['does']}{version}".replace("|", "\\|")
            yield f"| {row['name']} | {number(row['ns'])} | {number(row['times'])} | {does} |"
        yield ""
    for name, missing in results["missing"].items():
        for peer, why in missing.items():
            yield f'- Missing in "{name}": {peer}, {why}.'


def loaded(path: Path) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(path.read_text())
    except (OSError, ValueError) as why:
        raise Refused(f"{path.name}: {why} (make bench)") from why
    return found


def blocks(results: Path) -> dict[str, list[str]]:
    """What stands between the marks of the page."""
    by_peers, by_goals = loaded(results / "peers.json"), loaded(results / "goals.json")
    return {
        "goals": list(goals(figures(results))),
        "machine": [
            machine("beside peers", by_peers["machine"]),
            machine("everything else", by_goals["machine"]),
        ],
        "peers": list(peers(by_peers)),
    }


def filled(page: str, name: str, lines: list[str]) -> str:
    """The page with other lines between the marks of one block."""
    begin, end = BEGIN.format(name), END.format(name)
    before, found, rest = page.partition(begin)
    _, closed, after = rest.partition(end)
    if not found or not closed:
        raise Refused(f"{PAGE.name}: no block {name}")
    text = "\n".join(lines).strip("\n")
    return f"{before}{begin}\n{text}\n\n{end}{after}"


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--results", type=Path, default=RESULTS, metavar="FOLDER")
    parser.add_argument("--check", action="store_true")
    args = parser.parse_args()
    old = page = PAGE.read_text()
    try:
        for name, lines in blocks(args.results).items():
            page = filled(page, name, lines)
    except Refused as why:
        for line in str(why).splitlines():
            print(f"gen_performance.py: {line}", file=sys.stderr)
        return 1
    if args.check:
        if page != old:
            print("gen_performance.py: docs/performance.md is not current", file=sys.stderr)
        return int(page != old)
    PAGE.write_text(page)
    return 0


if __name__ == "__main__":
    sys.exit(main())
