# SPDX-License-Identifier: BSD-3-Clause
"""``kame plug``: pull the plug of an interface and put it in elsewhere.

No KAME counterpart: this is the hand that moves a mobile node from one hub to another.
"""

from __future__ import annotations

import argparse
import sys
from typing import Final

from kame_py.cli.main import add_version
from kame_py.ctl.codec import Value
from kame_py.wire.errno import EBUSY, ENODEV, ENXIO, EPERM

EX_OK: Final = 0
EX_FAILED: Final = 1
EX_RIGHTS: Final = 3

_WHY: Final = {
    ENXIO: "the node has no such interface",
    EBUSY: "it is there already",
    ENODEV: "no such wire",
    EPERM: "a right is missing (root, or CAP_NET_ADMIN for tap, CAP_NET_RAW for afpacket)",
}


def main(argv: list[str]) -> int:
    """``kame plug NODE.IF WHERE``."""
    parser = argparse.ArgumentParser(
        prog="kame plug",
        description="Move an interface of a running node: carrier falls, carrier rises.",
    )
    parser.add_argument("port", metavar="NODE.IF", help="as in mn.fxp0")
    parser.add_argument(
        "where",
        metavar="WHERE",
        help="a link of the lab, a wire (bus:DIR, tap:NAME, afpacket:IFNAME), or none",
    )
    add_version(parser)
    args = parser.parse_args(argv)
    node, dot, ifname = args.port.rpartition(".")
    if not dot or not node:
        parser.error(f"{args.port}: not NODE.IF")
    if args.where == "none":
        return tell("plug", node, "unplug", node, ifname)
    return tell("plug", node, "plug", node, ifname, args.where)


def tell(command: str, node: str | None, op: str, *args: Value) -> int:
    """Make a call about a node; errors become one line."""
    from kame_py.ctl.remote import NodeGone
    from kame_py.host.connect import ask, find
    from kame_py.host.runtime import RuntimeProblem, wanted
    from kame_py.wire.errno import KError

    try:
        ask(find(wanted(node)).path, op, *args)
    except KError as problem:
        why = _WHY.get(problem.errno, str(problem))
        sys.stderr.write(f"kame {command}: {' '.join(map(str, args))}: {why}\n")
        return EX_RIGHTS if problem.errno == EPERM else EX_FAILED
    except (NodeGone, RuntimeProblem, OSError) as problem:
        sys.stderr.write(f"kame {command}: {problem}\n")
        return EX_FAILED
    return EX_OK
