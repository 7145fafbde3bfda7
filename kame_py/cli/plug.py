# SPDX-License-Identifier: BSD-3-Clause
"""``kame plug``: pull the plug of an interface and put it in elsewhere.

No KAME counterpart: this is the hand that moves a mobile node from one hub to another.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from kame_py.cli.main import add_version
from kame_py.cli.usage import Parser
from kame_py.ctl.codec import Value
from kame_py.wire.errno import EBUSY, ENODEV, ENXIO, EPERM

if TYPE_CHECKING:
    from kame_py.host.connect import Found

EX_OK: Final = 0
EX_FAILED: Final = 1
EX_RIGHTS: Final = 3

_WHY: Final = {
    ENXIO: "the node has no such interface",
    EBUSY: "it is there already",
    EPERM: "a right is missing (root, or CAP_NET_ADMIN for tap, CAP_NET_RAW for afpacket)",
}


def main(argv: list[str]) -> int:
    """``kame plug NODE.IF WHERE``."""
    parser = Parser(
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
    unplug = args.where == "none"
    call = ("unplug", node, ifname) if unplug else ("plug", node, ifname, args.where)
    return about("plug", node, lambda found: _plug(found, *call))


def _plug(found: Found, op: str, *args: Value) -> None:
    """Make the call; an error of the node becomes words."""
    from kame_py.ctl.remote import NodeGone
    from kame_py.host.connect import ask
    from kame_py.wire.errno import KError

    try:
        ask(found.path, op, *args)
    except KError as problem:
        node, ifname, *where = map(str, args)
        what = " ".join((f"{node}.{ifname}", *where))
        why = _WHY.get(problem.errno, str(problem))
        if problem.errno == ENODEV:
            why = f"no such link ({', '.join(_links(found))}), and no such wire"
        if problem.errno == ENXIO:
            why = f"{why}: {', '.join(name for name, _ in found.interfaces)}"
        gone = NodeGone(f"{what}: {why}")
        gone.status = EX_RIGHTS if problem.errno == EPERM else EX_FAILED
        raise gone from problem


def _links(found: Found) -> list[str]:
    """The links that interfaces of the process are plugged into."""
    from kame_py.host.connect import running

    return sorted({link for each in running([found.path]) for _, link in each.interfaces if link})


def about(command: str, node: str | None, call: Callable[[Found], None]) -> int:
    """Make a call about a node; errors become one line."""
    from kame_py.ctl.remote import NodeGone
    from kame_py.host.connect import find
    from kame_py.host.runtime import RuntimeProblem, wanted
    from kame_py.wire.errno import KError

    try:
        call(find(wanted(node)))
    except NodeGone as problem:
        sys.stderr.write(f"kame {command}: {problem}\n")
        return problem.status
    except (KError, RuntimeProblem, OSError) as problem:
        sys.stderr.write(f"kame {command}: {problem}\n")
        return EX_FAILED
    return EX_OK
