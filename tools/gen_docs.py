# SPDX-License-Identifier: BSD-3-Clause
"""Write the pages that are made from the code: docs/drops.md, odd-packets.md, adherence/index.md.

    gen_docs.py           write them
    gen_docs.py --check   say which are not current; exit status 1 if any

A row of the drop table that nothing in the code uses is listed on standard output and is a fault.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import tomllib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from kame_py.kern.drop import REASONS, DropReason  # noqa: E402  # after the path is set
from tests.differential.differences import DIFFERENCES  # noqa: E402
from tests.differential.odd_packets import CASES  # noqa: E402

DOCS: Final = ROOT / "docs"
ADHERENCE: Final = DOCS / "adherence"
STATUSES: Final = ("met", "partial", "not", "n.a.")
_USE: Final = re.compile(r"\bD\.([A-Z0-9_]+)")
_NOTE: Final = "<!-- written by tools/gen_docs.py -->"


def table(heads: tuple[str, ...], rows: Iterator[tuple[str, ...]]) -> list[str]:
    """A Markdown table."""
    lines = [f"| {' | '.join(heads)} |", "|" + "---|" * len(heads)]
    return lines + [f"| {' | '.join(cells)} |" for cells in rows]


# -- drops ----------------------------------------------------------------------------------------


def users() -> dict[str, list[str]]:
    """Reason -> the modules that drop for it."""
    found: dict[str, list[str]] = {name: [] for name in REASONS}
    for path in sorted((ROOT / "kame_py").rglob("*.py")):
        if path.name == "drop.py":
            continue
        module = path.relative_to(ROOT / "kame_py").with_suffix("").as_posix()
        for name in sorted(set(_USE.findall(path.read_text()))):
            found[name].append(module)
    return found


def _counters(row: DropReason) -> list[str]:
    return [name for name in (row.counter, row.mip6 and f"mip6.{row.mip6}") if name]


def drops(used: dict[str, list[str]]) -> str:
    rows = (
        (
            f"`{row.name}`",
            row.text,
            row.severity,
            ", ".join(f"`{name}`" for name in _counters(row)),
            f"`{row.ifcounter}`" if row.ifcounter else "",
            ", ".join(used[row.name]),
        )
        for row in REASONS.values()
    )
    heads = ("reason", "the packet", "severity", "counter", "of the interface", "dropped by")
    lines = [
        "# Drops",
        "",
        _NOTE,
        "",
        f"A packet ends badly for one of {len(REASONS)} reasons. Their names stand in verdicts",
        "([replay.md](replay.md)), in ways (`kame replay --explain`), in the comments of captures",
        "that labs write, and in `kame lab run --json`. The counter is KAME's, as `netstat -s`",
        "shows it; the counter of the interface is shown by `netstat -s -I`.",
        "",
        "Severity: *normal* happens on a healthy network, *bad* means that the sender is wrong,",
        "*limit* that a limit of ours was hit, *policy* that the configuration refuses it.",
        "",
        *table(heads, rows),
    ]
    return "\n".join(lines) + "\n"


# -- odd packets ----------------------------------------------------------------------------------


def odd_packets() -> str:
    record = json.loads((ROOT / "tests/differential/linux_answers.json").read_text())
    linux: dict[str, list[str]] = record["answers"]
    version = ".".join(record["kernel"].split(".")[:2])

    def answer(lines: list[str] | tuple[str, ...]) -> str:
        return (
            "<br>".join(line.partition(" > ")[2].partition(" ")[2] for line in lines) or "nothing"
        )

    same = ((f"`{c.name}`", answer(linux[c.name])) for c in CASES if c.name not in DIFFERENCES)
    different = (
        (f"`{name}`", answer(linux[name]), answer(row.ours), row.why)
        for name, row in DIFFERENCES.items()
    )
    lines = [
        "# Odd packets",
        "",
        _NOTE,
        "",
        f"{len(CASES)} malformed or unusual packets, sent one by one to a host, and its answer:",
        f"this kernel's, and that of Linux {version}. The packets stand in",
        "`tests/differential/odd_packets.py`; the tests send them to us each time, and to the",
        "running Linux where that is permitted.",
        "`quoted` is how much of the packet an error message carries, `param` its pointer or MTU.",
        "",
        f"## Where we differ ({len(DIFFERENCES)})",
        "",
        *table(("packet", "Linux", "we", "why"), different),
        "",
        f"## Where we agree ({len(CASES) - len(DIFFERENCES)})",
        "",
        *table(("packet", "answer"), same),
    ]
    return "\n".join(lines) + "\n"


# -- adherence ------------------------------------------------------------------------------------


def ledgers() -> list[tuple[Path, dict[str, Any]]]:
    """The ledgers of docs/adherence, in the order of their names."""
    return [(p, tomllib.loads(p.read_text())) for p in sorted(ADHERENCE.glob("*.toml"))]


def _counts(rows: dict[str, dict[str, str]]) -> tuple[str, ...]:
    counts = Counter(row["status"] for row in rows.values())
    return tuple(str(counts[status]) for status in STATUSES)


def _row(name: str, row: dict[str, str]) -> tuple[str, ...]:
    test = f"`{row['test']}`" if "test" in row else ""
    return (name, row["title"], row["status"], test, row.get("note", ""))


def adherence() -> str:
    books = ledgers()
    every = {name: row for _, book in books for name, row in book["requirement"].items()}
    sums = [(f"[{b['title']}](#{b['anchor']})", *_counts(b["requirement"])) for _, b in books]
    sums.append(("all", *_counts(every)))
    lines = [
        "# Adherence",
        "",
        _NOTE,
        "",
        "What of Mobile IPv6 is met today, requirement by requirement. *met*: a test shows it;",
        "*partial*: a test shows a part, the note says what is missing; *not*: not there;",
        "*n.a.*: does not apply. The ledgers are the TOML files beside it. Where draft-15",
        "contradicts itself, [contradictions.md](contradictions.md) has the reading taken.",
        "Whether the tests can fail is tried by `python tools/sample_adherence.py --seed N`: it",
        "takes ten rows that are met, breaks lines of mobility that few tests but the row's run,",
        "in a copy of the tree, and wants that test to fail and another that runs it to pass.",
        "",
        *table(("document", *STATUSES), iter(sums)),
    ]
    for _, book in books:
        rows = book["requirement"]
        told = (_row(n, r) for n, r in rows.items() if r["status"] != "not")
        rest = [(n, r["title"], r.get("note", "")) for n, r in rows.items() if r["status"] == "not"]
        lines += ["", f'<a id="{book["anchor"]}"></a>', "", f"## {book['title']}", "", book["text"]]
        lines += ["", *table(("id", "what", "status", "test", "note"), told)]
        if rest:
            lines += ["", "Not there:", "", *table(("id", "what", "note"), iter(rest))]
    return "\n".join(lines) + "\n"


# -- command --------------------------------------------------------------------------------------


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--check", action="store_true", help="write nothing, say what is stale")
    check = parser.parse_args().check
    used = users()
    status = 0
    for name in (name for name, modules in used.items() if not modules):
        print(f"kame_py/kern/drop.py: {name}: nothing drops for this reason")
        status = 1
    pages = {
        DOCS / "drops.md": drops(used),
        DOCS / "odd-packets.md": odd_packets(),
        ADHERENCE / "index.md": adherence(),
    }
    for path, text in pages.items():
        if check and (not path.exists() or path.read_text() != text):
            sys.stderr.write(f"{path.relative_to(ROOT)}: not current: run tools/gen_docs.py\n")
            status = 1
        elif not check:
            path.write_text(text)
    return status


if __name__ == "__main__":
    sys.exit(main())
