# SPDX-License-Identifier: BSD-3-Clause
"""The ported programs by name; a program's module is loaded when it is first run."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from kame_py.lib.toolbase import Tool

TOOLS: Final[Mapping[str, str]] = {
    "dmesg": "kame_py.tools.dmesg",
    "had": "kame_py.tools.had",
    "ifconfig": "kame_py.tools.ifconfig",
    "mip6control": "kame_py.tools.mip6control",
    "mip6stat": "kame_py.tools.mip6stat",
    "mtest": "kame_py.tools.mtest",
    "ndp": "kame_py.tools.ndp",
    "netstat": "kame_py.tools.netstat",
    "ping6": "kame_py.tools.ping6",
    "route": "kame_py.tools.route",
    "rtadvd": "kame_py.tools.rtadvd",
    "rtsol": "kame_py.tools.rtsol",
    "rtsold": "kame_py.tools.rtsold",
    "setkey": "kame_py.tools.setkey",
    "sysctl": "kame_py.tools.sysctl",
    "tcpdump": "kame_py.tools.tcpdump",
    "trace": "kame_py.tools.trace",
}


def load(name: str) -> Tool | None:
    """The program of that name, None when there is none."""
    path = TOOLS.get(name)
    if path is None:
        return None
    tool: Tool = import_module(path).TOOL
    return tool
