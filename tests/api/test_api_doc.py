# SPDX-License-Identifier: BSD-3-Clause
"""docs/api.md is true: its programs run and print what it shows, its signatures are the code's."""

from __future__ import annotations

import contextlib
import io
import re
import sys
from pathlib import Path

import kame_py
import kame_py.testing
from tests.meta.sessions import Block, blocks
from tests.support import PROJECT_ROOT, run

PAGE = PROJECT_ROOT / "docs" / "api.md"


def test_programs_of_the_page_print_what_it_shows() -> None:
    """All in one namespace, in order; a text block under a program is what it prints."""
    names: dict[str, object] = {"__name__": "api"}
    parts = list(blocks(PAGE.read_text()))
    shown = 0
    for block, after in zip(parts, [*parts[1:], Block("", "", [], 0)], strict=True):
        if block.lang != "python" or block.info:
            continue
        # Numbered as in the page, for tracebacks.
        code = compile("\n" * block.at + "\n".join(block.lines), str(PAGE), "exec")
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(code, names)
        if after.lang == "text":
            assert printed.getvalue().splitlines() == after.lines, f"api.md:{block.at}"
            shown += 1
        else:
            assert printed.getvalue() == "", f"api.md:{block.at}"
    assert shown >= 5


def test_tests_of_the_page_pass(tmp_path: Path) -> None:
    files = [block for block in blocks(PAGE.read_text()) if block.info.startswith("test_")]
    assert files
    for block in files:
        (tmp_path / block.info).write_text("\n".join(block.lines) + "\n")
    options = ("-q", "-p", "kame_py.testing", "-p", "no:cacheprovider")
    done = run(sys.executable, "-m", "pytest", *options, "--rootdir", tmp_path, tmp_path)
    assert done.returncode == 0, done.stdout


def test_signatures_are_those_of_the_code() -> None:
    done = run(sys.executable, PROJECT_ROOT / "tools" / "gen_api.py", "--check")
    assert done.returncode == 0, done.stderr


def test_an_old_signature_is_noticed() -> None:
    sys.path.insert(0, str(PROJECT_ROOT / "tools"))
    try:
        from gen_api import page
    finally:
        sys.path.pop(0)
    text = PAGE.read_text()
    old = text.replace("add_program(name: str, main: Main)", "add_program(name: str)")
    assert old != text == page(old)


def test_every_public_name_is_on_the_page() -> None:
    text = PAGE.read_text()
    missing = [name for name in kame_py.__all__ if not re.search(rf"\b{name}\b", text)]
    assert missing == ["__version__"]
    public = [
        name
        for name, value in vars(kame_py.testing).items()
        if getattr(value, "__module__", "") == "kame_py.testing"
        and not name.startswith(("_", "pytest_"))
    ]
    assert "assert_conserved" in public
    assert [name for name in public if name not in text] == []
