# SPDX-License-Identifier: BSD-3-Clause
"""``kame man NAME``: the manual, read with man(1) on a terminal, printed as it is elsewhere.

No KAME counterpart. The pages are in kame_py/man, written by tools/gen_man.py.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from importlib.resources import files
from typing import TYPE_CHECKING, Final

from kame_py.cli.main import add_version
from kame_py.cli.usage import Parser

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

EX_OK: Final = 0
EX_NONE: Final = 1


def main(argv: list[str]) -> int:
    """``kame man``; exit status 1 when there is no such page."""
    parser = Parser(prog="kame man", description="The manual.")
    parser.add_argument("name", nargs="?", metavar="NAME", help="as in: rtadvd, rtadvd.conf.5")
    add_version(parser)
    name = parser.parse_args(argv).name
    there = pages()
    if name is None:
        sys.stdout.write("".join(f"{page}\n" for page in sorted(there)))
        return EX_OK
    found = there.get(name) or next((there[p] for p in sorted(there) if p[:-2] == name), None)
    if found is None:
        sys.stderr.write(f"kame man: {name}: no such page; kame man lists them\n")
        return EX_NONE
    return _show(found.read_text(encoding="utf-8"))


def pages() -> dict[str, Traversable]:
    """The pages by name and section, as in ``rtadvd.8``."""
    folder = files("kame_py") / "man"
    return {page.name: page for page in folder.iterdir() if page.name[-2:-1] == "."}


def _show(page: str) -> int:
    reader = shutil.which("man")
    if reader is not None and sys.stdout.isatty():
        return subprocess.run([reader, "-l", "-"], input=page, text=True, check=False).returncode
    sys.stdout.write(page)
    return EX_OK
