# SPDX-License-Identifier: BSD-3-Clause
"""net.inet6.ip6.*: defaults, bounds, effect."""

from __future__ import annotations

import pytest

from kame_py.wire.errno import EINVAL, EPERM, KError
from tests.unit.netinet6.ip6_node import Node

DEFAULTS = {
    "accept_rtadv": 0,
    "auto_flowlabel": 1,
    "dad_count": 0,  # Node turns DAD off
    "defmcasthlim": 1,
    "forwarding": 0,
    "gifhlim": 30,
    "hdrnestlimit": 50,
    "hlim": 64,
    "kame_version": "20020128/kame-py",
    "keepfaith": 0,
    "log_interval": 5,
    "maxfragpackets": 200,
    "maxfrags": 200,
    "prefer_tempaddr": 0,
    "redirect": 1,
    "rr_prune": 5,
    "rthdr0": 0,
    "temppltime": 86_400,
    "tempvltime": 604_800,
    "use_deprecated": 1,
    "use_tempaddr": 0,
    "v6only": 0,
}


def test_the_variables_have_kames_defaults() -> None:
    tree = Node().kern.sysctl
    for name, value in DEFAULTS.items():
        assert tree.read(f"net.inet6.ip6.{name}") == value, name


@pytest.mark.parametrize(
    ("name", "value", "errno"),
    [
        ("forwarding", 2, EINVAL),
        ("hlim", 256, EINVAL),
        ("use_tempaddr", 2, EINVAL),
        ("temppltime", 4, EINVAL),  # less than REGEN_ADVANCE and the node's part
        ("temppltime", 604_801, EINVAL),  # longer than valid
        ("tempvltime", 86_399, EINVAL),  # shorter than preferred
        ("keepfaith", 1, EINVAL),
        ("maxfrags", -2, EINVAL),
        ("kame_version", 1, EPERM),
    ],
)
def test_a_value_out_of_bounds_is_refused(name: str, value: int, errno: int) -> None:
    tree = Node().kern.sysctl
    with pytest.raises(KError) as refusal:
        tree.write(f"net.inet6.ip6.{name}", value)
    assert refusal.value.errno == errno


def test_writing_answers_the_old_value_and_takes_effect() -> None:
    node = Node()
    assert node.kern.sysctl.write("net.inet6.ip6.hdrnestlimit", 3) == 50
    assert node.kern.ip6.ip6_hdrnestlimit == 3
