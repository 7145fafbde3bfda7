# SPDX-License-Identifier: BSD-3-Clause
"""``kame ps``: the nodes that run on this machine, and what runs on them.

No KAME counterpart.
"""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Final

from kame_py.cli.main import add_version
from kame_py.cli.usage import Parser

if TYPE_CHECKING:
    from kame_py.host.connect import Found

EX_OK: Final = 0
EX_NONE: Final = 1

Row = tuple[int, str, bool]


def main(argv: list[str]) -> int:
    """``kame ps``; exit status 1 when nothing runs."""
    from kame_py.host.connect import survey
    from kame_py.host.runtime import START_HINT, RuntimeProblem, wanted

    parser = Parser(prog="kame ps", description="The nodes that run.")
    parser.add_argument("--json", action="store_true", help="one JSON array")
    add_version(parser)
    args = parser.parse_args(argv)
    try:
        path = wanted(None).path
        there, silent = survey(None if path is None else [path])
    except RuntimeProblem as problem:
        sys.stderr.write(f"kame ps: {problem}\n")
        return EX_NONE
    rows = [(found, _programs(found)) for found in there]
    if args.json:
        print(json.dumps([_json(found, programs) for found, programs in rows], indent=2))
    else:
        _print(rows)
    for line in silent:
        sys.stderr.write(f"kame ps: {line}\n")
    if not rows and not silent:
        where = "" if path is None else f" at {path}"
        sys.stderr.write(f"kame ps: no running node{where} ({START_HINT})\n")
    return EX_OK if rows else EX_NONE


def _programs(found: Found) -> list[Row]:
    """(pid, name, beside its kernel) of the programs of a node."""
    from kame_py.ctl.remote import NodeGone
    from kame_py.host.connect import ask
    from kame_py.wire.errno import KError

    try:
        answer = ask(found.path, "programs")
    except (OSError, NodeGone, KError):
        return []
    rows: list[Row] = []
    for row in answer if isinstance(answer, tuple) else ():
        match row:
            case (str(node), int(pid), str(name), bool(inside)) if node == found.node:
                rows.append((pid, name, inside))
    return rows


def _print(rows: list[tuple[Found, list[Row]]]) -> None:
    for found, programs in rows:
        links = ", ".join(f"{name} on {link or 'nothing'}" for name, link in found.interfaces)
        options = " ".join(found.options) or "no options"
        print(f"{found.node:<8} {links or 'no interfaces'}; {options}")
        print(f"         KAME_SERVER=unix://{found.path}#{found.node}")
        for pid, name, inside in programs:
            where = "  (beside its kernel)" if inside else ""
            print(f"         {pid:>7} {name}{where}")


def _json(found: Found, programs: list[Row]) -> dict[str, object]:
    return {
        "node": found.node,
        "socket": str(found.path),
        "options": list(found.options),
        "interfaces": dict(found.interfaces),
        "programs": [
            {"pid": pid, "name": name, "inside": inside} for pid, name, inside in programs
        ],
    }
