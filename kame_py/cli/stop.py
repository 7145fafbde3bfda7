# SPDX-License-Identifier: BSD-3-Clause
"""``kame stop``: end the process of a node, and with it all nodes of that process, and wait for it.

No KAME counterpart.
"""

from __future__ import annotations

from kame_py.cli.main import add_version
from kame_py.cli.plug import about
from kame_py.cli.usage import Parser


def main(argv: list[str]) -> int:
    """``kame stop [NODE]``."""
    parser = Parser(
        prog="kame stop", description="End the process that a node runs in, as SIGTERM would."
    )
    parser.add_argument("node", nargs="?", metavar="NODE", help="needed when several run")
    add_version(parser)
    args = parser.parse_args(argv)
    from kame_py.host.connect import stop

    return about("stop", args.node, lambda found: stop(found.path))
