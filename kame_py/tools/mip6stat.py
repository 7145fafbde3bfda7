# SPDX-License-Identifier: BSD-3-Clause
"""mip6stat: the counters of mobility in words.

KAME: mip6stat.c of August 2002; the program of that name before it showed the tables of a kernel
that is gone, which mip6control does now. Deviates: -s leaves out zeros, -h, --json; nothing is
read from kernel memory, so anybody may.
"""

from __future__ import annotations

from typing import Final

from kame_py.ctl.ops import ProgOps
from kame_py.lib.getopt import OptionHelp, ParsedArgs
from kame_py.lib.toolbase import Tool, ToolError, UsageError, run
from kame_py.tools.netstat_stats import one_protocol
from kame_py.wire.errno import KError

NAME: Final = "mip6stat"
CONFIG: Final = "net.inet6.mip6.config"


async def main(argv: list[str], ops: ProgOps) -> int:
    """Exit 0, or 1 after an error."""
    return await run(TOOL, _mip6stat, argv, ops)


async def _mip6stat(args: ParsedArgs, ops: ProgOps) -> int:
    if args.has("h"):
        ops.out(TOOL.help_text())
        return 0
    if args.args:
        raise UsageError
    try:
        await ops.sysctl(CONFIG)
    except KError as e:
        raise ToolError("mobility", "not in this kernel (options MIP6)") from e
    ops.out(await one_protocol(ops, "mip6", terse=args.has("s"), as_json=args.long.json))
    return 0


TOOL: Final = Tool(
    name=NAME,
    main=main,
    usage=("mip6stat [-hs]",),
    summary="Show the counters of Mobile IPv6.",
    letters="hs",
    options=(
        OptionHelp("h", "", "this text"),
        OptionHelp("s", "", "without zeros"),
    ),
)

if __name__ == "__main__":
    import sys

    from kame_py.host.run_tool import run_tool

    sys.exit(run_tool(NAME))
