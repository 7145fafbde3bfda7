# SPDX-License-Identifier: BSD-3-Clause
"""The tables of Mobile IPv6 in the JSON of labs: the columns of mip6control."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, cast

import pytest

from kame_py.lab.report import mip6_report
from kame_py.wire.errno import ENOENT, KError
from kame_py.wire.snap import Row
from tests.unit.tools import test_mip6control as tables

if TYPE_CHECKING:
    from kame_py.kern.kernel import Kernel


class FakeKernel:
    """Answers sysctl reads of net.inet6.mip6."""

    def __init__(self, **rows: Row) -> None:
        self.sysctl = self
        self._rows = rows

    def read(self, name: str) -> tuple[Row, ...]:
        row = self._rows.get(name.rpartition(".")[2])
        if row is None:
            raise KError(ENOENT)
        return (row,)


def report(**rows: Row) -> dict[str, object]:
    return cast("dict[str, object]", mip6_report(cast("Kernel", FakeKernel(**rows))))


BINDING = {
    "phaddr": tables.HOA,
    "pcoa": tables.COA,
    "addr": tables.HA,
    "flags": "AHD",
    "seqno": 7,
    "lifetim": 60,
    "ltexp": 41,
    "state": "",
}


def test_a_home_agent_has_the_columns_of_the_binding_cache() -> None:
    assert report(config=tables.CONFIG, bc=tables.BINDING) == {
        "type": "home agent",
        "binding_cache": [BINDING],
        "binding_update_list": [],
        "home_agents": [],
        "prefixes": [],
    }


def test_draft_13_has_a_prefix_length() -> None:
    config = replace(tables.CONFIG, dialect="draft-13")
    got = report(config=config, bc=replace(tables.BINDING, prefixlen=64))["binding_cache"]
    assert got == [{**BINDING, "flags": "AHD", "plen": 64}]


def test_a_mobile_node_has_its_own_tables() -> None:
    config = replace(tables.CONFIG, mcfg_type=1)
    got = report(config=config, bu=tables.UPDATE, ha=tables.AGENT, prefix=tables.PREFIX)
    assert got["type"] == "mobile node"
    assert got["binding_update_list"] == [
        {
            "paddr": tables.HA,
            "haddr": tables.HOA,
            "coa": tables.COA,
            "lifetim": 60,
            "ltexp": 41,
            "refresh": 48,
            "refexp": 29,
            "acktimo": 1,
            "ackexp": 0,
            "seqno": 7,
            "flags": "AHD",
            "rstate": 3,
            "state": "",
        }
    ]
    assert got["home_agents"] == [
        {
            "lladdr": tables.LL,
            "gaddr": tables.HA,
            "flags": "H",
            "pref": 0,
            "lifetim": 1800,
            "ltexp": 1743,
        }
    ]
    assert got["prefixes"] == [
        {
            "prefix": "2001:200:1:1::",
            "plen": 64,
            "vltime": 65535,
            "vlexp": 65012,
            "pltime": 65280,
            "plexp": 64757,
            "haddr": "2001:200:1:1:29::",
        }
    ]


@pytest.mark.parametrize(
    ("number", "name"), [(0, "corresponding node"), (1, "mobile node"), (2, "home agent")]
)
def test_the_type_is_named(number: int, name: str) -> None:
    assert report(config=replace(tables.CONFIG, mcfg_type=number))["type"] == name


def test_a_kernel_without_mobility_has_no_type() -> None:
    assert report()["type"] == ""
