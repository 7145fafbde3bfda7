# SPDX-License-Identifier: BSD-3-Clause
"""Can the tests of docs/adherence fail? Break the code behind a sample of rows and see.

    python tools/sample_adherence.py --seed 1 --count 10

For each sampled row that is met: run its test file with a trace of the lines of kame_py, take the
modules that the row names (its key ``code``), else those of mip6 and netinet6 of which the test
runs most, and there the lines that the test runs and few other tests of the file do. Break one in a
copy of the tree (negate a condition, leave out a statement, change a constant) and run the test. It
has to fail for one of the mutations, and not by an ImportError, nor together with every other test
of the file that runs the line: that shows that something works at all, not what the row says.
Exit status: 0 every test failed, 1 one survived, 2 a row's test does not even pass unbroken.
"""

from __future__ import annotations

import argparse
import ast
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from enum import Enum
from pathlib import Path
from typing import Final, NamedTuple

ROOT: Final = Path(__file__).resolve().parent.parent
PACKAGE: Final = "kame_py"
#: Where the code of a requirement may be: the first group of which the test runs anything.
PARTS: Final = (("mip6", "netinet6"), ("netkey",), ("tools",), ("wire", "lib"), ("net", "ctl"))
#: What everything goes through; of wire/ only the options of mobility are about a requirement.
PLUMBING: Final = re.compile(
    r"wire/(?!mip6)|lib/(toolbase|getopt|syslog)|mip6/(hooks|mip6_var)|net/(if_|changes)"
    r"|netinet6/(in6_var|in6_proto|scope6|ip6_var|nd6_var|nd6_llinfo|ip6_opts)\b"
)
MODULES: Final = 3  # of which lines are broken
TRIES: Final = 8
CONTROLS: Final = 4  # other tests that run the line; one has to pass
TRACE_TIMEOUT_S: Final = 240
TIMEOUT_S: Final = 40  # of one test on broken code, which may hang
_LEFT_OUT: Final = (".git", ".venv", "__pycache__", ".*_cache", ".hypothesis", "*.egg-info", ".ci")

#: The plugin that runs inside pytest: which lines of functions each test ran.
TRACER: Final = """
import json, os, sys
import pytest

PACKAGE = os.environ["ADHERENCE_PACKAGE"] + os.sep
ran, scope = {}, [None]

def local(frame, event, arg):
    if event == "line":
        scope[0].add((frame.f_code.co_filename, frame.f_lineno))
    return local

def start(frame, event, arg):
    code = frame.f_code
    if code.co_filename.startswith(PACKAGE) and code.co_name not in ("<module>",):
        if not code.co_flags & 0x2:  # a class body runs once, when it is imported
            return None
        scope[0].add((code.co_filename, frame.f_lineno))
        return local
    return None

@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item, nextitem):
    scope[0] = ran.setdefault(item.nodeid.split("[")[0], set())
    sys.settrace(start)
    try:
        return (yield)
    finally:
        sys.settrace(None)

def pytest_sessionfinish(session):
    told = {name: sorted([f[len(PACKAGE):], n] for f, n in lines) for name, lines in ran.items()}
    with open(os.environ["ADHERENCE_OUT"], "w") as f:
        json.dump(told, f)
"""


class Row(NamedTuple):
    """A requirement that is met, its test, and the modules that it names, if it does."""

    name: str
    test: str
    code: tuple[str, ...] = ()


class Line(NamedTuple):
    """A line of the package."""

    file: str
    number: int


class Mutation(NamedTuple):
    """Replace the characters [start:end] of a file."""

    start: int
    end: int
    text: str
    what: str


class Verdict(NamedTuple):
    """One row of the table. killed None: the test does not pass on unbroken code."""

    row: Row
    mutation: str
    tries: int
    killed: bool | None


# -- the rows -------------------------------------------------------------------------------------


def met_rows(root: Path) -> list[Row]:
    """Rows of all ledgers that are met, in their order."""
    rows = []
    for path in sorted((root / "docs" / "adherence").glob("*.toml")):
        book = tomllib.loads(path.read_text(encoding="utf-8"))
        for name, row in book["requirement"].items():
            if row["status"] == "met":
                rows.append(Row(name, row["test"], tuple(row.get("code", ()))))
    return rows


def sample(rows: Sequence[Row], seed: int, count: int) -> list[Row]:
    """The same seed takes the same rows of the same ledgers."""
    return random.Random(seed).sample(rows, min(count, len(rows)))


# -- which lines ----------------------------------------------------------------------------------


def rank(ran: Mapping[str, set[Line]], test: str, code: Sequence[str] = ()) -> list[Line]:
    """Lines of a test to break, first those that the fewest others run; each module in turn."""
    others = [lines for name, lines in ran.items() if name != test]
    mine = {line: sum(line in lines for lines in others) for line in ran.get(test, ())}
    modules = list(code) or _modules(mine, len(others))
    found: list[tuple[int, int, int, Line]] = []
    for at, file in enumerate(modules):
        lines = sorted((mine[line], line) for line in mine if line.file == file)
        found += [(turn, rarity, at, line) for turn, (rarity, line) in enumerate(lines)]
    return [line for *_, line in sorted(found)]


def _modules(mine: Mapping[Line, int], others: int) -> list[str]:
    """The modules of which a test runs most, lines that every test runs not counted."""
    for group in PARTS:
        mean = [x for x in mine if x.file.split("/")[0] in group and not PLUMBING.match(x.file)]
        telling = [line for line in mean if not others or mine[line] < others]
        if mean:
            counts = Counter(line.file for line in telling or mean)
            return sorted(counts, key=lambda file: (-counts[file], file))[:MODULES]
    return []


def controls(ran: Mapping[str, set[Line]], test: str, line: Line) -> list[str]:
    """Other tests that run a line."""
    return sorted(name for name, lines in ran.items() if name != test and line in lines)[:CONTROLS]


# -- mutations ------------------------------------------------------------------------------------


class _Source:
    """A source text with the places of its nodes."""

    def __init__(self, text: str) -> None:
        self.octets = text.encode()
        self.tree = ast.parse(text)
        self._starts = [0]
        for line in self.octets.splitlines(keepends=True):
            self._starts.append(self._starts[-1] + len(line))

    def span(self, node: ast.expr | ast.stmt) -> tuple[int, int]:
        """Octets [start:end] of a node."""
        assert node.end_lineno is not None  # ast.parse sets both
        assert node.end_col_offset is not None
        start = self._starts[node.lineno - 1] + node.col_offset
        return start, self._starts[node.end_lineno - 1] + node.end_col_offset

    def text(self, node: ast.expr | ast.stmt) -> str:
        start, end = self.span(node)
        return self.octets[start:end].decode()


def mutations(text: str, number: int) -> Iterator[Mutation]:
    """What can be broken in a line of a source, the most telling first."""
    source = _Source(text)
    functions = [n for n in ast.walk(source.tree) if isinstance(n, ast.FunctionDef)]
    nodes = [node for function in functions for part in function.body for node in ast.walk(part)]
    here = [n for n in nodes if isinstance(n, ast.expr | ast.stmt) and n.lineno == number]
    seen: set[tuple[int, int, str]] = set()
    for make in (_negate, _leave_out, _change):
        for node in here:
            for found in make(source, node):
                if found[:3] not in seen:
                    seen.add(found[:3])
                    yield found


def _negate(source: _Source, node: ast.expr | ast.stmt) -> Iterator[Mutation]:
    if isinstance(node, ast.If | ast.While | ast.IfExp):
        test = source.text(node.test)
        yield Mutation(*source.span(node.test), f"(not ({test}))", f"not: {test}")
    if isinstance(node, ast.Return) and isinstance(node.value, ast.Compare | ast.BoolOp):
        value = source.text(node.value)
        yield Mutation(*source.span(node.value), f"(not ({value}))", f"not: {value}")


def _leave_out(source: _Source, node: ast.expr | ast.stmt) -> Iterator[Mutation]:
    plain = isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)
    member = isinstance(node, ast.Assign) and all(
        isinstance(t, ast.Attribute | ast.Subscript) for t in node.targets
    )
    counted = isinstance(node, ast.AugAssign)
    if plain or member or counted:
        yield Mutation(*source.span(node), "pass", f"without: {source.text(node)}")


def _change(source: _Source, node: ast.expr | ast.stmt) -> Iterator[Mutation]:
    if not isinstance(node, ast.Constant):
        return
    value = node.value
    if isinstance(value, bool):
        other: object = not value
    elif isinstance(value, int):
        other = value + 1
    else:
        return
    yield Mutation(*source.span(node), repr(other), f"{value!r} is {other!r}")


def mutated(text: str, mutation: Mutation) -> str:
    """The text with the mutation."""
    octets = text.encode()
    return (octets[: mutation.start] + mutation.text.encode() + octets[mutation.end :]).decode()


# -- running --------------------------------------------------------------------------------------


class Outcome(Enum):
    """How a run of pytest ends. BROKEN: by an ImportError, or before any test ran."""

    PASSES = 0
    PARTLY = 1
    FAILS = 2
    BROKEN = 3


_IMPORT: Final = re.compile(rb"^E +(ImportError|ModuleNotFoundError|SyntaxError)", re.MULTILINE)


class Copy:
    """A copy of the tree that may be broken."""

    def __init__(self, root: Path, place: Path) -> None:
        self.root = place / "tree"
        shutil.copytree(root, self.root, ignore=shutil.ignore_patterns(*_LEFT_OUT))
        self._plugins = place / "plugins"
        self._plugins.mkdir()
        (self._plugins / "adherence_tracer.py").write_text(TRACER)
        self._out = place / "ran.json"
        self._stamp = 1_000_000_000  # each change has its own time: no stale bytecode
        self._data = os.environ.get("KAME_TEST_DATA", str(root.parent / "shared" / "data"))

    def run(self, *args: str, timeout_s: int = TIMEOUT_S) -> Outcome:
        """How pytest ends. A run that hangs is a failure."""
        env = os.environ | {
            "PYTHONPATH": f"{self.root}{os.pathsep}{self._plugins}",
            "ADHERENCE_PACKAGE": str(self.root / PACKAGE),
            "ADHERENCE_OUT": str(self._out),
            "KAME_TEST_DATA": self._data,
        }
        argv = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *args]
        try:
            done = subprocess.run(
                argv, cwd=self.root, env=env, capture_output=True, timeout=timeout_s, check=False
            )
        except subprocess.TimeoutExpired:
            return Outcome.FAILS
        if done.returncode == 0:
            return Outcome.PASSES
        summary = done.stdout.decode(errors="replace").splitlines()[-1:]
        if done.returncode != 1 or _IMPORT.search(done.stdout):
            return Outcome.BROKEN
        return Outcome.PARTLY if " passed" in "".join(summary) else Outcome.FAILS

    def trace(self, test: str) -> dict[str, set[Line]] | None:
        """Lines by test of the file of a test; None where it does not pass."""
        self._out.unlink(missing_ok=True)
        path = test.split("::")[0]
        for which in (path, test):  # the file's other tests may fail
            argv = ("-x", "-p", "adherence_tracer", which)
            if self.run(*argv, timeout_s=TRACE_TIMEOUT_S) is Outcome.PASSES:
                break
        else:
            return None
        told = json.loads(self._out.read_text())
        return {name: {Line(*line) for line in lines} for name, lines in told.items()}

    def write(self, file: str, text: str) -> None:
        path = self.root / PACKAGE / file
        path.write_text(text, encoding="utf-8")
        self._stamp += 1
        os.utime(path, (self._stamp, self._stamp))

    def read(self, file: str) -> str:
        return (self.root / PACKAGE / file).read_text(encoding="utf-8")


def try_row(copy: Copy, row: Row, tries: int) -> Verdict:
    """Break the code behind a row until its test fails."""
    ran = copy.trace(row.test)
    if ran is None:
        return Verdict(row, "the test fails as it is", 0, None)
    count, last = 0, "nothing of the package runs in it"
    for line in rank(ran, row.test, row.code):
        text = copy.read(line.file)
        mutation = next(mutations(text, line.number), None)
        if mutation is None:
            continue
        last = f"{line.file}:{line.number} {' '.join(mutation.what.split())}"
        copy.write(line.file, mutated(text, mutation))
        killed = _killed(copy, row, controls(ran, row.test, line))
        copy.write(line.file, text)
        count += 1
        if killed:
            return Verdict(row, last, count, True)
        if count == tries:
            break
    return Verdict(row, last, count, False)


def _killed(copy: Copy, row: Row, others: Sequence[str]) -> bool:
    """The row's test fails, and not everything does that runs the line."""
    if copy.run(row.test) not in (Outcome.FAILS, Outcome.PARTLY):
        return False
    return not others or copy.run(*others) in (Outcome.PASSES, Outcome.PARTLY)


def verdict_line(verdict: Verdict) -> str:
    """A row of the table."""
    word = {True: "fails", False: "SURVIVES", None: "BROKEN"}[verdict.killed]
    row, what = verdict.row, verdict.mutation.replace("|", "\\|")
    return f"| {row.name} | `{row.test}` | {what} | {word}, {verdict.tries} tried |"


def main(argv: list[str] | None = None, root: Path = ROOT) -> int:
    """Print the table; see the module's docstring for the exit status."""
    parser = argparse.ArgumentParser(prog="sample_adherence.py", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--seed", type=int, default=1, help="which rows (1)")
    parser.add_argument("--count", type=int, default=10, help="how many rows (10)")
    parser.add_argument("--tries", type=int, default=TRIES, help=f"mutations a row ({TRIES})")
    args = parser.parse_args(argv)
    rows = sample(met_rows(root), args.seed, args.count)
    if not rows:
        sys.stderr.write(f"sample_adherence: {root}/docs/adherence: no row is met\n")
        return 2
    print("| row | test | mutation | result |\n|---|---|---|---|", flush=True)
    verdicts = []
    with tempfile.TemporaryDirectory(prefix="adherence-") as place:
        copy = Copy(root, Path(place))
        for row in rows:
            verdicts.append(try_row(copy, row, args.tries))
            print(verdict_line(verdicts[-1]), flush=True)
    if any(verdict.killed is None for verdict in verdicts):
        return 2
    return 0 if all(verdict.killed for verdict in verdicts) else 1


if __name__ == "__main__":
    sys.exit(main())
