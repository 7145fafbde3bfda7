# SPDX-License-Identifier: BSD-3-Clause
"""``kame sleep``: wait on a node's clock.

No KAME counterpart. With ``kame up --virtual`` this is how time passes.
"""

from __future__ import annotations

import argparse
import sys
from typing import Final

from kame_py.cli.main import add_version
from kame_py.cli.usage import Parser

NS: Final = 1_000_000_000
SECONDS_MAX: Final = 1e9
EX_OK: Final = 0
EX_NONODE: Final = 1


def main(argv: list[str]) -> int:
    """``kame sleep SECONDS``."""
    parser = Parser(prog="kame sleep", description="Wait on a node's clock.")
    parser.add_argument("seconds", type=_seconds, metavar="SECONDS")
    parser.add_argument("--node", metavar="NAME", help="needed when several run")
    add_version(parser)
    args = parser.parse_args(argv)
    from kame_py.ctl.remote import NodeGone
    from kame_py.host.run_tool import connect, finish

    try:
        finish("sleep", connect("sleep", args.node).nanosleep(round(args.seconds * NS)))
    except NodeGone as problem:
        sys.stderr.write(f"kame sleep: {problem}\n")
        return EX_NONODE
    return EX_OK


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value < SECONDS_MAX:
        raise argparse.ArgumentTypeError(f"{text}: not a number of seconds")
    return value
