# SPDX-License-Identifier: BSD-3-Clause
"""dmesg: what the kernel printed, oldest line first.

FreeBSD 4's dmesg(8) without -M and -N: there is no core file to read. -a adds what programs gave to
syslog, as there. Deviates: --json has the time and the priority of each line.
"""

from __future__ import annotations

from typing import Final

from kame_py.ctl.ops import ProgOps
from kame_py.lib.getopt import OptionHelp, ParsedArgs
from kame_py.lib.toolbase import Json, Tool, UsageError, run, to_json
from kame_py.wire.snap import LogSnap

KERNEL: Final = "kernel"
PRIORITIES: Final = ("emerg", "alert", "crit", "err", "warning", "notice", "info", "debug")


async def main(argv: list[str], ops: ProgOps) -> int:
    """Exit 0."""
    return await run(TOOL, _dmesg, argv, ops)


async def _dmesg(args: ParsedArgs, ops: ProgOps) -> int:
    if args.args:
        raise UsageError
    everything = any(o.letter == "a" for o in args.options)
    table = await ops.sysctl("kern.msgbuf")
    lines = [row for row in table if isinstance(row, LogSnap)] if isinstance(table, tuple) else []
    shown = [ln for ln in lines if everything or ln.ident == KERNEL]
    if args.long.json:
        ops.out(to_json([_json(ln) for ln in shown]))
        return 0
    ops.out("".join(f"{_text(ln)}\n" for ln in shown))
    return 0


def _text(line: LogSnap) -> str:
    return line.text if line.ident == KERNEL else f"{line.ident}: {line.text}"


def _json(line: LogSnap) -> Json:
    return {
        "time_ns": line.t_ns,
        "priority": PRIORITIES[line.priority],
        "from": line.ident,
        "text": line.text,
    }


TOOL: Final = Tool(
    "dmesg",
    main,
    ("dmesg [-a]",),
    "Show what the kernel printed: log lines of the drivers, of neighbour discovery, and of\n"
    "mobility when its debug messages are on (mip6control -D 1).",
    "a",
    (OptionHelp("a", "", "also what programs gave to syslog, each with its name"),),
)
if __name__ == "__main__":
    import sys

    from kame_py.host.run_tool import run_tool

    sys.exit(run_tool("dmesg"))
