# SPDX-License-Identifier: BSD-3-Clause
"""Write docs/conformance.md: which test checks which entry of the conformance checklist.

    python tools/gen_conformance.py [--check]

The ids are the ``tahi`` markers of the tests, the titles come from tahi-checklist.tsv in the test
data (KAME_TEST_DATA). --check only compares; exit code 1 means that the page is old.
"""

from __future__ import annotations

import os
import re
import sys
from collections import defaultdict
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).resolve().parent.parent
PAGE: Final = ROOT / "docs" / "conformance.md"
HEAD: Final = """# Conformance tests

The scenario tests carry the ids of the TAHI and IPv6 Ready conformance tests that they check
(`@pytest.mark.tahi`). The same situation is made by packets and virtual time, and the behaviour
that the title asks for is asserted, often more strictly: bytes, counters, times to the nanosecond.
Where the titles of a family differ in nothing but a letter, the family covers all combinations and
the letters are given in the order of its parameters. Ids that are not here have no test of their
own in this project.

This page is made by `tools/gen_conformance.py`; titles are shortened.
"""
#: Faults that users of INET's Mobile IPv6 model reported, and the tests that say how it is here.
STORIES: Final = (
    ("the home agent waits a second in place of duplicate detection", "reported_1_home_agent"),
    ("so a duplicate of the home address is not found", "reported_1_a_duplicate"),
    ("the care-of address is registered without duplicate detection", "reported_2_"),
    ("the first acknowledgement loses to the retransmission", "reported_3_"),
    ("the mobile node drops its own packets while it registers", "reported_4_"),
    ("a redirect for each packet out of the reverse tunnel", "reported_5_"),
    ("a movement leads into an endless loop", "reported_6_"),
    ("no proxy neighbour discovery at the home agent", "reported_7_"),
    ("updates are believed without authorisation", "reported_8_"),
    ("correspondents hear nothing for the first 70 s", "reported_9_"),
    ("a rate limit outlives the handover", "reported_9_"),
    ("a route by the care-of address outlives the return", "reported_9_"),
)
STORIES_HEAD: Final = """
## Reported faults

What users of INET's Mobile IPv6 model reported of it, and the test of the same story here.

| story | test |
|---|---|"""
_TITLE_MAX: Final = 110
_NOISE: Final = re.compile(r"^(Test v6LC[\w.]* - |\.seq - |[\w-]+\.seq - )", re.IGNORECASE)


def checklist_path() -> Path:
    """The checklist in the test data."""
    given = os.environ.get("KAME_TEST_DATA")
    data = Path(given) if given else ROOT.parent / "shared" / "data"
    return data / "tahi-checklist.tsv"


def checklist(path: Path) -> dict[str, str]:
    """ "suite:id" -> title."""
    rows = [line.split("\t") for line in path.read_text(encoding="utf-8").splitlines()[1:]]
    return {f"{suite}:{ident}": title for suite, ident, title, *_ in rows}


class Collected:
    """Pytest plugin: the markers of all collected tests."""

    def __init__(self) -> None:
        self.tests: defaultdict[str, set[str]] = defaultdict(set)
        self.names: set[str] = set()

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        for item in session.items:
            where = item.nodeid.split("[")[0].removeprefix("tests/")
            self.names.add(where)
            for mark in item.iter_markers("tahi"):
                for ident in mark.args:
                    self.tests[str(ident)].add(where)


def collect() -> tuple[dict[str, set[str]], set[str]]:
    """ "suite:id" -> tests, and the names of all tests, of everything below tests/scenario."""
    plugin = Collected()
    args = ["--collect-only", "-q", "--no-summary", "-p", "no:cacheprovider", "-p", "no:xdist"]
    stdout, sys.stdout = sys.stdout, open(os.devnull, "w")  # noqa: SIM115  closed below
    try:
        code = pytest.main([*args, str(ROOT / "tests" / "scenario")], plugins=[plugin])
    finally:
        sys.stdout.close()
        sys.stdout = stdout
    if code:
        raise SystemExit("gen_conformance: the tests cannot be collected")
    return dict(plugin.tests), plugin.names


def stories(names: set[str]) -> list[str]:
    """Rows of the table of reported faults; a story without its test is an error."""
    rows = []
    for text, start in STORIES:
        found = sorted(name for name in names if f"::test_{start}" in name)
        if not found:
            raise SystemExit(f"gen_conformance: no test for the story {text!r}")
        rows.append(f"| {text} | {'<br>'.join(f'`{name}`' for name in found)} |")
    return rows


def page(tests: dict[str, set[str]], titles: dict[str, str], names: set[str]) -> str:
    """The whole text."""
    suites: defaultdict[str, list[str]] = defaultdict(list)
    for ident in titles:  # the order of the checklist
        suite, _, name = ident.partition(":")
        if ident in tests:
            cell = "<br>".join(f"`{test}`" for test in sorted(tests[ident]))
            suites[suite].append(f"| {name} | {_title(titles[ident])} | {cell} |")
    out = [HEAD, f"{sum(map(len, suites.values()))} ids in {len(suites)} suites:\n"]
    total = {s: sum(i.startswith(s + ":") for i in titles) for s in suites}
    out.append("| suite | ids tested | in the checklist |\n|---|---|---|")
    out += [f"| {suite} | {len(rows)} | {total[suite]} |" for suite, rows in suites.items()]
    for suite, rows in suites.items():
        out.append(f"\n## {suite}\n\n| id | title | test |\n|---|---|---|")
        out += rows
    out += [STORIES_HEAD, *stories(names)]
    return "\n".join(out) + "\n"


def _title(text: str) -> str:
    text = _NOISE.sub("", text).replace("|", "\\|").strip()
    return text if len(text) <= _TITLE_MAX else text[:_TITLE_MAX].rsplit(" ", 1)[0] + " ..."


def main(argv: list[str]) -> int:
    path = checklist_path()
    if not path.is_file():
        print(f"gen_conformance: no checklist at {path}, the page stays as it is", file=sys.stderr)
        return 0
    titles = checklist(path)
    tests, names = collect()
    unknown = sorted(set(tests) - set(titles))
    if unknown:
        print(f"gen_conformance: not in the checklist: {', '.join(unknown)}", file=sys.stderr)
        return 1
    text = page(tests, titles, names)
    if "--check" in argv:
        if PAGE.is_file() and PAGE.read_text(encoding="utf-8") == text:
            return 0
        print(f"gen_conformance: {PAGE} is old, run tools/gen_conformance.py", file=sys.stderr)
        return 1
    PAGE.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
