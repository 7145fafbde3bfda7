# SPDX-License-Identifier: BSD-3-Clause
"""The sampler of docs/adherence breaks code, and tells tests that fail from tests that cannot."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.sample_adherence import (
    Line,
    Row,
    controls,
    main,
    met_rows,
    mutated,
    mutations,
    rank,
    sample,
)

SOURCE = """\
LIMIT = 3

def refuse(x, seen):
    if x > 3:
        seen.add(x)
        return True
    seen.last = x
    return x == 2
"""


def broken(number: int) -> list[str]:
    """The line of SOURCE after each mutation of it."""
    found = [mutated(SOURCE, m) for m in mutations(SOURCE, number)]
    return [text.splitlines()[number - 1].strip() for text in found]


@pytest.mark.parametrize(
    ("number", "lines"),
    [
        (1, []),  # no function: every test would run it
        (4, ["if (not (x > 3)):", "if x > 4:"]),
        (5, ["pass"]),
        (6, ["return False"]),
        (7, ["pass"]),
        (8, ["return (not (x == 2))", "return x == 3"]),
    ],
)
def test_mutations_of_a_line(number: int, lines: list[str]) -> None:
    assert broken(number) == lines


def test_a_mutation_counts_octets_not_characters() -> None:
    text = 'def f(x):\n    "\u00e4"; return 1 if x else 2\n'
    assert "return 1 if (not (x)) else 2" in mutated(text, next(mutations(text, 2)))


def test_lines_that_only_the_test_runs_come_first() -> None:
    own, common = Line("netinet6/a.py", 7), Line("mip6/b.py", 3)
    elsewhere, generated = Line("lab/c.py", 1), Line("wire/codecs.py", 5)
    every = Line("mip6/b.py", 1)
    ran = {
        "t::one": {common, own, every, elsewhere, generated},
        "t::two": {common, every},
        "t::three": {every},
    }
    assert rank(ran, "t::one") == [own, common, every]


def test_plumbing_is_not_broken_and_other_parts_only_without_mobility() -> None:
    for file in ("wire/record.py", "wire/codecs.py", "wire/patch.py", "kern/mbuf.py"):
        assert rank({"t::one": {Line(file, 1), Line("mip6/a.py", 2)}}, "t::one") == [
            Line("mip6/a.py", 2)
        ]
    tool = {Line("tools/had.py", 3), Line("lib/rtadvd_conf.py", 4), Line("wire/record.py", 1)}
    assert rank({"t::one": tool}, "t::one") == [Line("tools/had.py", 3)]
    wire = {Line("wire/mip6.py", 3), Line("wire/record.py", 1)}
    assert rank({"t::one": wire}, "t::one") == [Line("wire/mip6.py", 3)]


def test_three_modules_of_which_most_runs_or_those_that_the_row_names() -> None:
    ran = {Line(f"mip6/{name}.py", n) for name in "abcd" for n in range(1, 3 + ord(name) % 97)}
    assert {line.file[5] for line in rank({"t::one": ran}, "t::one")} == set("bcd")
    assert {line.file for line in rank({"t::one": ran}, "t::one", ["mip6/a.py"])} == {"mip6/a.py"}


def test_controls_are_other_tests_that_run_the_line() -> None:
    line = Line("mip6/a.py", 7)
    ran = {"t::one": {line}, "t::two": {line}, "t::three": set[Line]()}
    assert controls(ran, "t::one", line) == ["t::two"]


def test_a_seed_takes_the_same_rows_again() -> None:
    rows = [Row(f"D15-{n:03}", f"t::{n}") for n in range(50)]
    assert sample(rows, 7, 10) == sample(rows, 7, 10)
    assert sample(rows, 7, 10) != sample(rows, 8, 10)
    assert len(sample(rows, 7, 99)) == len(rows)


# -- a small project ------------------------------------------------------------------------------


def project(root: Path, test: str) -> None:
    """A tree with one requirement that ``test`` is said to show."""
    files = {
        "kame_py/__init__.py": "",
        "kame_py/mip6/__init__.py": "",
        "kame_py/mip6/limit.py": SOURCE,
        "docs/adherence/1.toml": (
            '[requirement.X-1]\ntitle = "a limit"\nstatus = "met"\n'
            'test = "tests/test_limit.py::test_limit"\n'
            '[requirement.X-2]\ntitle = "more"\nstatus = "not"\n'
        ),
        "tests/test_limit.py": (
            "from kame_py.mip6.limit import refuse\n\nclass Seen(set): pass\n\n"
            f"def test_limit():\n    assert {test}\n"
        ),
    }
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def test_only_rows_that_are_met_are_sampled(tmp_path: Path) -> None:
    project(tmp_path, "True")
    assert met_rows(tmp_path) == [Row("X-1", "tests/test_limit.py::test_limit")]


@pytest.mark.parametrize(
    ("test", "status", "word"),
    [
        ("refuse(4, Seen())", 0, "fails, "),
        ("refuse(4, Seen()) in (True, False)", 1, "SURVIVES, "),
        ("not refuse(4, Seen())", 2, "BROKEN, 0 tried"),
    ],
)
def test_a_test_that_cannot_fail_is_found(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], test: str, status: int, word: str
) -> None:
    project(tmp_path, test)
    assert main(["--count", "1", "--tries", "1"], tmp_path) == status
    table = capsys.readouterr().out.splitlines()
    assert table[-1].startswith("| X-1 | `tests/test_limit.py::test_limit` | ")
    assert word in table[-1]


def test_what_breaks_every_test_of_the_line_shows_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    project(tmp_path, "refuse(4, Seen())")
    tests = tmp_path / "tests/test_limit.py"
    tests.write_text(tests.read_text() + "\ndef test_more():\n    assert refuse(5, Seen())\n")
    assert main(["--count", "1", "--tries", "1"], tmp_path) == 1
    assert "SURVIVES, 1 tried" in capsys.readouterr().out


def test_an_import_error_shows_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    project(tmp_path, "refuse(4, Seen())")
    limit = tmp_path / "kame_py/mip6/limit.py"
    limit.write_text(
        SOURCE.replace("    if x > 3:", "    if not x > 3:\n        import nothing\n    if x > 3:")
    )
    assert main(["--count", "1", "--tries", "1"], tmp_path) == 1
    assert "SURVIVES, 1 tried" in capsys.readouterr().out


def test_the_tree_itself_stays_whole(tmp_path: Path) -> None:
    project(tmp_path, "refuse(4, Seen())")
    main(["--count", "1"], tmp_path)
    assert (tmp_path / "kame_py/mip6/limit.py").read_text() == SOURCE
