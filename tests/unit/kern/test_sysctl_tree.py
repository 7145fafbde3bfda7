# SPDX-License-Identifier: BSD-3-Clause
"""The sysctl registry: types, ranges, errors."""

import pytest

from kame_py.kern.sysctl import SysctlTree
from kame_py.netinet6.ip6_var import Ip6State
from kame_py.wire.errno import EINVAL, ENOENT, EPERM, KError


def tree() -> tuple[SysctlTree, Ip6State]:
    t, ip6 = SysctlTree(), Ip6State()
    t.register_attr("net.inet6.ip6.hlim", ip6, "ip6_defhlim", lo=1, hi=255)
    t.register("kern.ostype", lambda: "KAME")
    return t, ip6


def test_writing_changes_the_variable_and_returns_the_old_value() -> None:
    t, ip6 = tree()
    assert t.write("net.inet6.ip6.hlim", 32) == 64
    assert ip6.ip6_defhlim == 32
    assert t.read("net.inet6.ip6.hlim") == 32


@pytest.mark.parametrize(
    ("name", "value", "errno"),
    [
        ("net.inet6.ip6.hlim", 0, EINVAL),
        ("net.inet6.ip6.hlim", 256, EINVAL),
        ("kern.ostype", 1, EPERM),
        ("net.nothing", 1, ENOENT),
    ],
)
def test_a_refused_write_says_why_and_changes_nothing(name: str, value: int, errno: int) -> None:
    t, ip6 = tree()
    with pytest.raises(KError) as e:
        t.write(name, value)
    assert e.value.errno == errno
    assert ip6.ip6_defhlim == 64


def test_a_name_can_be_registered_once() -> None:
    t, _ = tree()
    with pytest.raises(ValueError, match="twice"):
        t.register("kern.ostype", lambda: 1)
