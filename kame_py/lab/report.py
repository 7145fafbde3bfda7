# SPDX-License-Identifier: BSD-3-Clause
"""The state of a node at the end of a lab, as plain values for JSON.

No KAME counterpart. Addresses whole and numeric, times in whole seconds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kame_py.kern.kernel import Kernel
    from kame_py.lab.node import Node

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]


def node_report(node: Node) -> dict[str, Json]:
    """Mobility state, counters that are not zero, drops by reason."""
    kern = node.kernel
    counters: dict[str, Json] = dict(kern.stats.nonzero())
    drops: dict[str, Json] = {name: n for name, n in sorted(kern.drops.items()) if n}
    return {"mip6": mip6_report(kern), "counters": counters, "drops": drops}


def mip6_report(kern: Kernel) -> dict[str, Json]:
    """The tables of Mobile IPv6. A kernel without options MIP6 has no type and no entries."""
    return {
        "type": "",
        "binding_cache": [],
        "binding_update_list": [],
        "home_agents": [],
        "prefixes": [],
    }


def seconds(t_ns: int) -> int | float:
    """A time of the lab file as it was written: whole seconds without a point."""
    whole, rest = divmod(t_ns, 1_000_000_000)
    return t_ns / 1e9 if rest else whole
