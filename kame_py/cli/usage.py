# SPDX-License-Identifier: BSD-3-Clause
"""Command lines of ``kame``: a wrong one is told in one line, ``kame replay: what: why``.

No KAME counterpart. The ported programs print their usage as they always did; these commands have
more options than a screen has lines.
"""

from __future__ import annotations

import argparse
import re
from typing import Final, NoReturn

from kame_py.cli.main import EX_USAGE

#: What argparse says in front of the words that are wrong, and what is said behind them.
_BEHIND: Final = {
    "the following arguments are required: ": "missing",
    "unrecognized arguments: ": "not known",
}
_ARGUMENT: Final = re.compile(r"argument (?:[^:]*/)?")


class Parser(argparse.ArgumentParser):
    """Wrong usage: one line, and where to read more. Subcommands do the same."""

    def error(self, message: str) -> NoReturn:
        self.exit(EX_USAGE, f"{self.prog}: {_in_order(message)}; {self.prog} --help tells more\n")


def _in_order(message: str) -> str:
    """What is wrong, then why."""
    for before, why in _BEHIND.items():
        if message.startswith(before):
            return f"{message.removeprefix(before)}: {why}"
    return _ARGUMENT.sub("", message, count=1) if message.startswith("argument ") else message
