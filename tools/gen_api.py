# SPDX-License-Identifier: BSD-3-Clause
"""Put the signatures of the code into docs/api.md, where a comment asks for them.

    gen_api.py           write them
    gen_api.py --check   say whether they are current; exit status 1 if not

``<!-- members of MODULE.CLASS -->`` asks for the public members of a class with their docstrings,
``<!-- members of MODULE.CLASS: ONE TWO -->`` for some, ``<!-- members of MODULE.FUNCTION -->`` for
a function. What follows up to ``<!-- end -->`` is written by this program. The code is read, not
run.
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
_PLACE: Final = re.compile(
    r"<!-- members of ([\w.]+)((?:: [\w ]+)?) -->\n.*?<!-- end -->", re.DOTALL
)

Function = ast.FunctionDef | ast.AsyncFunctionDef


def members(name: str, wanted: list[str]) -> str:
    """The lines for one class or function; of a class those wanted, all when none is named."""
    module, _, last = name.rpartition(".")
    path = ROOT.joinpath(*module.split(".")).with_suffix(".py")
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.ClassDef) and node.name == last:
            found = dict(_class(node))
            missing = [one for one in wanted if one not in found]
            if missing:
                raise SystemExit(f"{PAGE.name}: {name} has no {', '.join(missing)}")
            lines = [found[one] for one in wanted or found]
            if not wanted and any(isinstance(item, ast.AnnAssign) for item in node.body):
                lines = [_words(ast.get_docstring(node) or ""), "", *lines]  # it tells the fields
            return "\n".join(lines)
        if isinstance(node, Function) and node.name == last:
            return _entry(_signature(node, drop=0), node)
    raise SystemExit(f"{PAGE.name}: {name} is not in {path}")


def _class(node: ast.ClassDef) -> Iterator[tuple[str, str]]:
    """(name, line) of each public member."""
    for item in node.body:
        if isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name):
            if not item.target.id.startswith("_"):
                default = f" = {ast.unparse(item.value)}" if item.value is not None else ""
                annotation = ast.unparse(item.annotation)
                yield item.target.id, f"- `{item.target.id}: {annotation}{default}`"
        elif isinstance(item, Function):
            if item.name == "__init__":
                yield item.name, f"- `{_signature(item).replace('__init__', node.name, 1)}`"
            elif item.name == "__call__" or not item.name.startswith("_"):
                yield item.name, _entry(_signature(item), item)


def _signature(node: Function, drop: int = 1) -> str:
    """As it is written, without self; a property without parentheses."""
    returns = ast.unparse(node.returns) if node.returns is not None else "None"
    if any(isinstance(d, ast.Name) and d.id == "property" for d in node.decorator_list):
        return f"{node.name}: {returns}"
    word = "async " if isinstance(node, ast.AsyncFunctionDef) else ""
    arrow = "" if node.name == "__init__" else f" -> {returns}"
    return f"{word}{node.name}({', '.join(_arguments(node.args, drop))}){arrow}"


def _arguments(args: ast.arguments, drop: int) -> Iterator[str]:
    defaults = [None] * (len(args.args) - len(args.defaults)) + args.defaults
    for arg, default in list(zip(args.args, defaults, strict=True))[drop:]:
        yield _argument(arg, default)
    if args.vararg is not None:
        yield "*" + ast.unparse(args.vararg)
    elif args.kwonlyargs:
        yield "*"
    for arg, default in zip(args.kwonlyargs, args.kw_defaults, strict=True):
        yield _argument(arg, default)
    if args.kwarg is not None:
        yield "**" + ast.unparse(args.kwarg)


def _argument(arg: ast.arg, default: ast.expr | None) -> str:
    text = ast.unparse(arg)
    return text if default is None else f"{text} = {ast.unparse(default)}"


def _entry(signature: str, node: Function) -> str:
    doc = ast.get_docstring(node)
    if not doc:
        return f"- `{signature}`"
    return f"- `{signature}`: {_words(doc)}"


def _words(doc: str) -> str:
    return " ".join(doc.split()).replace("``", "`")


def page(text: str) -> str:
    """The page with all signatures as they are now."""

    def filled(match: re.Match[str]) -> str:
        lines = members(match[1], match[2].removeprefix(":").split())
        return f"<!-- members of {match[1]}{match[2]} -->\n{lines}\n<!-- end -->"

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
