# SPDX-License-Identifier: BSD-3-Clause
"""The state of a node at the end of a lab, as plain values for JSON.

No KAME counterpart. Addresses whole and numeric, times in whole seconds.
"""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Final

from kame_py.wire.errno import KError
from kame_py.wire.in6addr import ntop
from kame_py.wire.snap import Mip6ConfigSnap, Row

if TYPE_CHECKING:
    from kame_py.kern.kernel import Kernel
    from kame_py.lab.node import Node

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]

_NODE_TYPES: Final = ("corresponding node", "mobile node", "home agent")
#: Member of the report -> table below net.inet6.mip6.
_TABLES: Final = {
    "binding_cache": "bc",
    "binding_update_list": "bu",
    "home_agents": "ha",
    "prefixes": "prefix",
}


def node_report(node: Node) -> dict[str, Json]:
    """Mobility state, counters that are not zero, drops by reason."""
    kern = node.kernel
    counters: dict[str, Json] = dict(kern.stats.nonzero())
    drops: dict[str, Json] = {name: n for name, n in sorted(kern.drops.items()) if n}
    return {"mip6": mip6_report(kern), "counters": counters, "drops": drops}


def mip6_report(kern: Kernel) -> dict[str, Json]:
    """The tables of Mobile IPv6. A kernel without options MIP6 has no type and no entries."""
    node_type = ""
    for row in _rows(kern, "config"):
        assert isinstance(row, Mip6ConfigSnap)  # what the variable documents
        node_type = _NODE_TYPES[row.mcfg_type]
    report: dict[str, Json] = {"type": node_type}
    for key, name in _TABLES.items():
        report[key] = [_plain(row) for row in _rows(kern, name)]
    return report


def _rows(kern: Kernel, name: str) -> tuple[Row, ...]:
    try:
        rows = kern.sysctl.read(f"net.inet6.mip6.{name}")
    except KError:
        return ()
    return rows if isinstance(rows, tuple) else ()


def _plain(row: Row) -> dict[str, Json]:
    values = ((f.name, getattr(row, f.name)) for f in fields(row))
    return {name: ntop(v) if isinstance(v, bytes) else v for name, v in values}


def seconds(t_ns: int) -> int | float:
    """A time of the lab file as it was written: whole seconds without a point."""
    whole, rest = divmod(t_ns, 1_000_000_000)
    return t_ns / 1e9 if rest else whole
