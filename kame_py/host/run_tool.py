# SPDX-License-Identifier: BSD-3-Clause
"""``python -m kame_py.tools.X``: a tool as a program of the operating system.

No KAME counterpart. --help and --version need no kernel; everything else does.
"""

from __future__ import annotations

import sys
from typing import Final

from kame_py.lib.getopt import getopt
from kame_py.lib.toolbase import long_answer
from kame_py.tools import load

EX_NOKERNEL: Final = 3


def run_tool(name: str, argv: list[str] | None = None) -> int:
    """Run a tool on the process's own arguments; returns the exit status."""
    tool = load(name)
    if tool is None:
        sys.stderr.write(f"{name}: no such tool\n")
        return EX_NOKERNEL
    text = long_answer(tool, getopt(name, tool.letters, sys.argv[1:] if argv is None else argv))
    if text is not None:
        sys.stdout.write(text)
        return 0
    sys.stderr.write(
        f"{name}: no kernel: this tool runs inside a lab (kame lab run FILE), "
        f"in its rc lines and its events\n"
    )
    return EX_NOKERNEL
