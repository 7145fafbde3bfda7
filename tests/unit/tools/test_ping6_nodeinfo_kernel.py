# SPDX-License-Identifier: BSD-3-Clause
"""ping6 asks kernels about themselves."""

from __future__ import annotations

import pytest

from tests.unit.tools.test_tools_on_kernels import R1, Net, out


@pytest.fixture
def net() -> Net:
    return Net()


def first(text: str) -> str:
    """What follows the line of the request, up to the statistics."""
    return text.partition("\n")[2].partition("\n\n---")[0]


def test_name(net: Net) -> None:
    assert first(out(net.a, f"ping6 -w -c 1 {R1}")) == f"24 bytes from {R1}: r"
    text = first(out(net.a, f"ping6 -W -v -c 1 {R1}"))
    assert text == f"22 bytes from {R1}: r (TTL=0:meaningless,03 draft)"


def test_supported_types(net: Net) -> None:
    text = first(out(net.a, f"ping6 -t -c 1 {R1}"))
    assert text == f"20 bytes from {R1}: NodeInfo Supported Qtypes 0-3"


def test_addresses(net: Net) -> None:
    text = first(out(net.a, f"ping6 -a ag -c 1 {R1}"))
    assert text == (
        f"56 bytes from {R1}: \n  2001:db8:1::1(TTL=2147483647)\n  2001:db8:2::1(TTL=2147483647)\n"
    ).rstrip("\n")


def test_group_of_a_name_reaches_only_who_has_it(net: Net) -> None:
    text = out(net.a, "ping6 -N -I fxp0 -c 1 r.example.net")
    assert "--> ff02::2:" in text and "16 bytes from fe80::" in text
    out(net.a, "ping6 -N -I fxp0 -c 1 q", status=1)


def test_variable_silences(net: Net) -> None:
    out(net.r, "sysctl -w net.inet6.icmp6.nodeinfo=2")
    out(net.a, f"ping6 -w -c 1 {R1}", status=1)
    out(net.a, f"ping6 -t -c 1 {R1}")
