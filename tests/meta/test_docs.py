# SPDX-License-Identifier: BSD-3-Clause
"""Pages say what is so: commands do what is shown, generated pages are current, links lead on."""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path

import pytest

from kame_py.lab.labfile import LINK_KEYS, TOP_KEYS, load
from kame_py.lab.labnodes import INTERFACE_KEYS, NODE_KEYS
from kame_py.lab.labtimeline import EVENT_KINDS, EXPECT_KINDS, IMPAIR_KEYS
from kame_py.lab.shell import BUILTINS
from tests.meta.sessions import agrees, blocks, play, steps
from tests.support import PROJECT_ROOT, run

DOCS = PROJECT_ROOT / "docs"
README = PROJECT_ROOT / "README.md"
SESSIONS = [README, *(DOCS / name for name in ("tour.md", "labs.md", "replay.md"))]
PAGES = [README, *sorted(DOCS.rglob("*.md"))]
_LINK = re.compile(r"\[[^\]\n]*\]\(([^)#\s]+)(#[^)\s]*)?\)")
_MAKE = re.compile(r"^(?:\$ )?make ([a-z]+)$", re.MULTILINE)
_RULE = re.compile(r"^([a-z]+):", re.MULTILINE)


@pytest.mark.parametrize("page", SESSIONS, ids=lambda page: page.name)
def test_commands_print_what_the_page_shows(page: Path, tmp_path: Path) -> None:
    wrong = [
        f"{page.name}:{step.at}: {step.command}\n{printed}"
        for step, printed in play(page, tmp_path)
    ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("name", ["README.md", "docs/tour.md", "docs/labs.md", "docs/replay.md"])
def test_a_page_of_sessions_has_some(name: str) -> None:
    found = [
        step.command
        for block in blocks((PROJECT_ROOT / name).read_text())
        if block.lang == "console"
        for step in steps(block)
    ]
    assert any(command.startswith("kame ") for command in found)


def test_an_output_that_differs_is_noticed() -> None:
    assert agrees(["one", "...", "took ... s"], "one\ntwo\nthree\ntook 5 s\n")
    assert agrees(["one", "..."], "one \n")
    assert not agrees(["one"], "one\ntwo\n")
    assert not agrees(["one", "...", "four"], "one\ntwo\nthree\n")
    assert not agrees(["took ... s"], "took 5 m\n")


def test_make_targets_of_the_readme_exist() -> None:
    rules = set(_RULE.findall((PROJECT_ROOT / "Makefile").read_text()))
    named = {
        target
        for block in blocks(README.read_text())
        for target in _MAKE.findall("\n".join(block.lines))
    }
    assert {"demo", "test"} <= named <= rules


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(PROJECT_ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    targets = [m[1] for m in _LINK.finditer(page.read_text()) if "://" not in m[1]]
    assert [t for t in targets if not (page.parent / t).exists()] == []


def test_generated_pages_are_current() -> None:
    done = run(sys.executable, PROJECT_ROOT / "tools" / "gen_docs.py", "--check")
    assert done.returncode == 0, done.stderr


# -- the reference of the lab file ----------------------------------------------------------------


def documented(heading: str) -> set[str]:
    """First cells of the table rows under a heading of docs/labs.md."""
    text = (DOCS / "labs.md").read_text()
    section = text.split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]
    return {
        name
        for row in re.findall(r"^\| (`.*?) \|", section, re.MULTILINE)
        for name in re.findall(r"`([^`]+)`", row)
    }


@pytest.mark.parametrize(
    ("heading", "keys"),
    [
        ("The whole file", TOP_KEYS),
        ("Links", LINK_KEYS),
        ("Nodes", NODE_KEYS),
        ("Interfaces", INTERFACE_KEYS),
        ("Events", {key for keys in EVENT_KINDS.values() for key in keys} | set(IMPAIR_KEYS)),
        ("Expectations", {key for keys in EXPECT_KINDS.values() for key in keys}),
        ("Commands", BUILTINS),
    ],
)
def test_every_key_of_a_lab_file_is_documented_and_no_other(heading: str, keys: object) -> None:
    assert documented(heading) >= set(keys)  # type: ignore[call-overload]  # tuples, sets, dicts
    if heading not in ("Commands",):
        assert documented(heading) == set(keys)  # type: ignore[call-overload]  # the same


def test_examples_of_the_reference_are_labs_that_can_be_used() -> None:
    examples = [b for b in blocks((DOCS / "labs.md").read_text()) if b.lang == "toml"]
    assert examples
    for block in examples:
        text = "\n".join(block.lines)
        assert tomllib.loads(text)
        if block.info.endswith(".toml"):
            assert not isinstance(load(text, "labs.md"), list)
