# SPDX-License-Identifier: BSD-3-Clause
"""The manual is current, whole, and typesets without a warning."""

from __future__ import annotations

import re
import shutil
import sys

import pytest

from kame_py.cli.man import pages
from kame_py.lib.rtadvd_conf import CAPABILITIES, INDEXED_CAPABILITIES
from kame_py.tools import TOOLS, load
from tests.support import PROJECT_ROOT, run

PAGES = sorted(pages())
KAME = (sys.executable, "-m", "kame_py")


def text_of(name: str) -> str:
    """A page as a terminal shows it, without bold and underline."""
    done = run("groff", "-man", "-Tascii", "-P-cbou", str(PROJECT_ROOT / "kame_py/man" / name))
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


needs_groff = pytest.mark.skipif(shutil.which("groff") is None, reason="no groff here")


def test_the_manual_is_current() -> None:
    done = run(sys.executable, str(PROJECT_ROOT / "tools/gen_man.py"), "--check")
    assert (done.returncode, done.stderr) == (0, "")


def test_every_tool_has_a_page() -> None:
    assert set(TOOLS) <= {name.rpartition(".")[0] for name in PAGES}
    assert {"kame.1", "kame-lab.5", "rtadvd.conf.5"} <= set(PAGES)


@needs_groff
@pytest.mark.parametrize("name", PAGES)
def test_a_page_typesets_without_a_warning(name: str) -> None:
    page = str(PROJECT_ROOT / "kame_py/man" / name)
    done = run("groff", "-man", "-Tutf8", "-ww", "-z", page)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@needs_groff
@pytest.mark.parametrize("name", TOOLS)
def test_the_page_of_a_tool_has_its_options(name: str) -> None:
    tool = load(name)
    assert tool is not None
    page = text_of(next(p for p in PAGES if p.rpartition(".")[0] == name))
    options = page[page.index("\nOPTIONS") : page.index("\nEXIT STATUS")]
    assert all(re.search(rf"^ +-{letter}\b", options, re.M) for letter in _letters(tool.letters))
    assert all(usage.split()[0] in page for usage in tool.usage)
    assert "SEE ALSO" in page


def _letters(letters: str) -> str:
    return letters.replace(":", "")


@pytest.mark.parametrize("name", TOOLS)
def test_a_page_says_its_usage_once(name: str) -> None:
    """In SYNOPSIS; what is behind that says something else."""
    tool = load(name)
    assert tool is not None
    page = (PROJECT_ROOT / "kame_py/man" / next(p for p in PAGES if p[:-2] == name)).read_text()
    said = {word for usage in (*tool.usage, *tool.more_usage) for word in usage.split()}
    below = re.sub(r"\\f[BIR]|\\(?=-)", "", page.partition(".SH DESCRIPTION\n")[2]).splitlines()
    repeated = [
        text
        for text in below[: below.index(".SH OPTIONS")]
        if name in text and set(text.replace(",", " ").split()) <= said
    ]
    assert repeated == []


@needs_groff
def test_rtadvd_conf_tells_every_capability() -> None:
    page = text_of("rtadvd.conf.5")
    told = set(re.findall(r"\b[a-z]+\b", page))
    known = {n for n in (*CAPABILITIES, *INDEXED_CAPABILITIES) if not n.startswith("rtr")}
    assert known - told == set()
    tagged = set(re.findall(r"^ {7}([a-z]+)[#=]", page, re.M))
    assert tagged <= known and len(tagged) > 10


@needs_groff
def test_references_lead_to_pages() -> None:
    wrong = []
    for name in PAGES:
        page = re.sub(r"-\n +", "", text_of(name))
        for ref, section in re.findall(
            r"\b([a-z][a-z0-9.-]+)\((\d)\)", page.partition("SEE ALSO")[2]
        ):
            wrong += [f"{name}: {ref}({section})"] if f"{ref}.{section}" not in PAGES else []
    assert wrong == []


def test_kame_man_prints_a_page_where_there_is_no_terminal() -> None:
    for name in ("rtadvd", "rtadvd.8"):
        done = run(*KAME, "man", name)
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout == (PROJECT_ROOT / "kame_py/man/rtadvd.8").read_text()
    assert run(*KAME, "man").stdout.split() == PAGES


def test_kame_man_knows_no_other_page() -> None:
    done = run(*KAME, "man", "nothing")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "kame man: nothing: no such page; kame man lists them\n"
