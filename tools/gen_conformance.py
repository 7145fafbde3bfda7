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

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        for item in session.items:
            where = item.nodeid.split("[")[0].removeprefix("tests/")
            for mark in item.iter_markers("tahi"):
                for ident in mark.args:
                    self.tests[str(ident)].add(where)


def collect() -> dict[str, set[str]]:
    """ "suite:id" -> tests, of everything below tests/scenario and tests/unit."""
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
    return dict(plugin.tests)


def page(tests: dict[str, set[str]], titles: dict[str, str]) -> str:
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
    tests = collect()
    unknown = sorted(set(tests) - set(titles))
    if unknown:
        print(f"gen_conformance: not in the checklist: {', '.join(unknown)}", file=sys.stderr)
        return 1
    text = page(tests, titles)
    if "--check" in argv:
        if PAGE.is_file() and PAGE.read_text(encoding="utf-8") == text:
            return 0
        print(f"gen_conformance: {PAGE} is old, run tools/gen_conformance.py", file=sys.stderr)
        return 1
    PAGE.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
