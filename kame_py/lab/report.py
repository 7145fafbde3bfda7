# SPDX-License-Identifier: BSD-3-Clause
"""The state of a node at the end of a lab, as plain values for JSON.

No KAME counterpart. Addresses whole and numeric, times in whole seconds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kame_py.tools.mip6control_show import (
    BC_STATES,
    BU_STATES,
    NODE_TYPES,
    RA_FLAGS,
    bu_flags,
    letters,
)
from kame_py.wire.errno import KError
from kame_py.wire.in6addr import ntop
from kame_py.wire.mip6_draft15 import WIRE
from kame_py.wire.mip6_wires import WIRES
from kame_py.wire.snap import BcSnap, BuSnap, HaSnap, Mip6ConfigSnap, MpfxSnap, Row

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
    """The tables of Mobile IPv6. A kernel without options MIP6 has no type and no entries.

    Entries have the columns of mip6control's tables, by their header words.
    """
    config = next((row for row in _rows(kern, "config") if isinstance(row, Mip6ConfigSnap)), None)
    dialect = config.dialect if config is not None else ""
    bc = [row for row in _rows(kern, "bc") if isinstance(row, BcSnap)]
    bu = [row for row in _rows(kern, "bu") if isinstance(row, BuSnap)]
    return {
        "type": NODE_TYPES[config.mcfg_type] if config is not None else "",
        "binding_cache": [_binding(row, dialect) for row in bc],
        "binding_update_list": [_update(row, dialect) for row in bu],
        "home_agents": [_agent(row) for row in _rows(kern, "ha") if isinstance(row, HaSnap)],
        "prefixes": [_prefix(row) for row in _rows(kern, "prefix") if isinstance(row, MpfxSnap)],
    }


def _rows(kern: Kernel, name: str) -> tuple[Row, ...]:
    try:
        rows = kern.sysctl.read(f"net.inet6.mip6.{name}")
    except KError:
        return ()
    return rows if isinstance(rows, tuple) else ()


def _binding(row: BcSnap, dialect: str) -> Json:
    plen: dict[str, Json] = {}
    if WIRES.get(dialect, WIRE).bu_prefixlen:
        plen["plen"] = row.prefixlen
    return {
        "phaddr": ntop(row.phaddr),
        "pcoa": ntop(row.pcoa),
        "addr": ntop(row.addr),
        "flags": bu_flags(row.flags, dialect),
        **plen,
        "seqno": row.seqno,
        "lifetim": row.lifetime,
        "ltexp": row.expire,
        "state": letters(row.state, BC_STATES),
    }


def _update(row: BuSnap, dialect: str) -> Json:
    return {
        "paddr": ntop(row.paddr),
        "haddr": ntop(row.haddr),
        "coa": ntop(row.coa),
        "lifetim": row.lifetime,
        "ltexp": row.expire,
        "refresh": row.refresh,
        "refexp": row.refexpire,
        "acktimo": row.acktimeout,
        "ackexp": max(row.ackexpire, 0),
        "seqno": row.seqno,
        "flags": bu_flags(row.flags, dialect),
        "rstate": row.reg_state,
        "state": letters(row.state, BU_STATES),
    }


def _agent(row: HaSnap) -> Json:
    return {
        "lladdr": ntop(row.lladdr),
        "gaddr": ntop(row.gaddr),
        "flags": letters(row.flags, RA_FLAGS),
        "pref": row.pref,
        "lifetim": row.lifetime,
        "ltexp": row.expire,
    }


def _prefix(row: MpfxSnap) -> Json:
    return {
        "prefix": ntop(row.prefix),
        "plen": row.plen,
        "vltime": row.vltime,
        "vlexp": row.vlexpire,
        "pltime": row.pltime,
        "plexp": row.plexpire,
        "haddr": ntop(row.haddr),
    }


def seconds(t_ns: int) -> int | float:
    """A time of the lab file as it was written: whole seconds without a point."""
    whole, rest = divmod(t_ns, 1_000_000_000)
    return t_ns / 1e9 if rest else whole
