# SPDX-License-Identifier: BSD-3-Clause
"""Put the signatures of the code into docs/api.md, where a comment asks for them.

    gen_api.py           write them
    gen_api.py --check   say whether they are current; exit status 1 if not

``<!-- members of MODULE.CLASS -->`` asks for the public members of a class with their docstrings,
``<!-- members of MODULE.FUNCTION -->`` for one function. What follows up to ``<!-- end -->`` is
written by this program. The code is read, not run.
"""

from __future__ import annotations

import argparse
import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
PAGE: Final = ROOT / "docs" / "api.md"
_PLACE: Final = re.compile(r"<!-- members of ([\w.]+) -->\n.*?<!-- end -->", re.DOTALL)

Function = ast.FunctionDef | ast.AsyncFunctionDef


def members(name: str) -> str:
    """The lines for one class or function."""
    module, _, last = name.rpartition(".")
    path = ROOT.joinpath(*module.split(".")).with_suffix(".py")
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.ClassDef) and node.name == last:
            return "\n".join(_class(node))
        if isinstance(node, Function) and node.name == last:
            return _entry(_signature(node, drop=0), node)
    raise SystemExit(f"{PAGE.name}: {name} is not in {path}")


def _class(node: ast.ClassDef) -> Iterator[str]:
    for item in node.body:
        if isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name):
            if not item.target.id.startswith("_"):
                default = f" = {ast.unparse(item.value)}" if item.value is not None else ""
                yield f"- `{item.target.id}: {ast.unparse(item.annotation)}{default}`"
        elif isinstance(item, Function):
            if item.name == "__init__":
                yield f"- `{_signature(item).replace('__init__', node.name, 1)}`"
            elif item.name == "__call__" or not item.name.startswith("_"):
                yield _entry(_signature(item), item)


def _signature(node: Function, drop: int = 1) -> str:
    """As it is written, without self; a property without parentheses."""
    returns = ast.unparse(node.returns) if node.returns is not None else "None"
    if any(isinstance(d, ast.Name) and d.id == "property" for d in node.decorator_list):
        return f"{node.name}: {returns}"
    arguments = node.args
    arguments.args = arguments.args[drop:]
    word = "async " if isinstance(node, ast.AsyncFunctionDef) else ""
    arrow = "" if node.name == "__init__" else f" -> {returns}"
    return f"{word}{node.name}({ast.unparse(arguments)}){arrow}"


def _entry(signature: str, node: Function) -> str:
    doc = ast.get_docstring(node)
    if not doc:
        return f"- `{signature}`"
    return f"- `{signature}`: {' '.join(doc.split()).replace('``', '`')}"


def page(text: str) -> str:
    """The page with all signatures as they are now."""

    def filled(match: re.Match[str]) -> str:
        return f"<!-- members of {match[1]} -->\n{members(match[1])}\n<!-- end -->"

    return _PLACE.sub(filled, text)


def main() -> int:
    parser = argparse.ArgumentParser(description="Signatures for docs/api.md.")
    parser.add_argument("--check", action="store_true", help="write nothing")
    args = parser.parse_args()
    was = PAGE.read_text()
    now = page(was)
    if args.check:
        if now != was:
            sys.stderr.write(f"{PAGE.name}: not current: run tools/gen_api.py\n")
        return int(now != was)
    PAGE.write_text(now)
    return 0


if __name__ == "__main__":
    sys.exit(main())
