# SPDX-License-Identifier: BSD-3-Clause
"""Everything the HowTo has its reader type is typed in a lab or has a row in docs/howto.md."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from importlib.resources import files

import pytest

from tests.support import PROJECT_ROOT

FIXTURE = PROJECT_ROOT / "tests" / "scenario" / "howto_commands.txt"
PAGE = PROJECT_ROOT / "docs" / "howto.md"


def howto(*kinds: str) -> list[str]:
    """Lines of the HowTo of these kinds."""
    rows = [line for line in FIXTURE.read_text().splitlines() if not line.startswith("# What")]
    split = [row.split("\t", 1) for row in rows]
    assert {kind for kind, _ in split} == {"kernel", "build", "config", "command", "setkey"}
    return [text for kind, text in split if kind in kinds]


def labs() -> Iterator[dict[str, object]]:
    for entry in (files("kame_py") / "labs").iterdir():
        if entry.name.endswith(".toml"):
            yield tomllib.loads(entry.read_text(encoding="utf-8"))


def texts(value: object, key: str = "") -> Iterator[tuple[str, str]]:
    """All texts of a lab with the key that they stand under."""
    if isinstance(value, str):
        yield key, value
    elif isinstance(value, dict):
        for name, part in value.items():
            yield from texts(part, name)
    elif isinstance(value, list):
        for part in value:
            yield from texts(part, key)


def typed(*keys: str) -> set[str]:
    """Lines under these keys in all shipped labs."""
    found = [text for lab in labs() for key, text in texts(lab) if key in keys]
    return {line.rstrip() for text in found for line in text.splitlines()}


def page_rows(heading: str) -> list[str]:
    """First cells of the table under a heading of the page, without their marks."""
    section = PAGE.read_text().split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]
    return [row.replace("\\|", "|") for row in re.findall(r"^\| `(.+?)` \|", section, re.MULTILINE)]


@pytest.mark.parametrize("line", howto("kernel"))
def test_kernel_option_is_in_a_lab(line: str) -> None:
    assert line in typed("kernel")


@pytest.mark.parametrize("line", howto("config"))
def test_configuration_line_is_in_a_lab(line: str) -> None:
    assert line in typed("/usr/local/v6/etc/rtadvd.conf")


@pytest.mark.parametrize("line", howto("command"))
def test_command_is_typed_in_a_lab(line: str) -> None:
    assert line in typed("rc", "run")


@pytest.mark.parametrize("line", howto("build"))
def test_build_step_has_a_row_that_says_what_replaces_it(line: str) -> None:
    assert line in page_rows("What replaces the build steps")


@pytest.mark.parametrize("line", howto("setkey"))
def test_setkey_line_has_a_row(line: str) -> None:
    assert line in page_rows("Security associations")


@pytest.mark.parametrize("line", howto("kernel", "config", "command"))
def test_line_is_told_in_the_page(line: str) -> None:
    assert line.strip() in PAGE.read_text()
