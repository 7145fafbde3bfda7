# SPDX-License-Identifier: BSD-3-Clause
"""rtsol: ask once for router advertisements, wait for them, end.

KAME: the program rtsold under the name rtsol, ``rtsold -f -1``. Deviates: none beyond rtsold.py.
"""

from __future__ import annotations

from typing import Final

from kame_py.ctl.ops import ProgOps
from kame_py.lib.getopt import ParsedArgs
from kame_py.lib.toolbase import Tool, run
from kame_py.tools.rtsold import OPTIONS, rtsold

NAME: Final = "rtsol"


async def main(argv: list[str], ops: ProgOps) -> int:
    """Exit 0 when done, even when nobody answered; 1 when set-up fails."""
    return await run(TOOL, _rtsol, argv, ops)


async def _rtsol(args: ParsedArgs, ops: ProgOps) -> int:
    return await rtsold(args, ops, NAME, once=True, foreground=True)


TOOL: Final = Tool(
    name=NAME,
    main=main,
    usage=("rtsol [-dD] interfaces...", "rtsol [-dD] -a"),
    summary="Send router solicitations until an advertisement comes or nobody answers.",
    letters="adD",
    options=OPTIONS,
)

if __name__ == "__main__":
    import sys

    from kame_py.host.run_tool import run_tool

    sys.exit(run_tool(NAME))
