# SPDX-License-Identifier: BSD-3-Clause
"""Zones in addresses: embedding, clearing, user form."""

from __future__ import annotations

import pytest

from kame_py.netinet6.scope6 import (
    addr_text,
    in6_addrzone,
    in6_clearscope,
    in6_embedscope,
    kernel_to_sa,
    sa_to_kernel,
)
from kame_py.wire.errno import EINVAL, ENXIO, KError
from kame_py.wire.sockaddr import SockaddrIn6
from tests.unit.netinet6.ip6_node import Node, addr

SCOPED = ["fe80::1", "febf::1", "ff02::1", "ff12::1", "ff01::1"]
UNSCOPED = ["2001:db8::1", "::", "::1", "fec0::1", "fd00::1", "ff05::1", "ff0e::1", "fe00::1"]


@pytest.mark.parametrize("text", SCOPED)
def test_link_scope_addresses_carry_the_interface_index(text: str) -> None:
    kernel = in6_embedscope(addr(text), 0x0102)
    assert kernel == addr(text)[:2] + b"\x01\x02" + addr(text)[4:]
    assert in6_addrzone(kernel) == 0x0102
    assert in6_clearscope(kernel) == addr(text)


@pytest.mark.parametrize("text", UNSCOPED)
def test_other_addresses_are_left_alone(text: str) -> None:
    a = addr(text)
    assert in6_embedscope(a, 7) == a
    assert in6_clearscope(a) == a
    assert in6_addrzone(a) == 0


def test_an_unscoped_address_keeps_bits_that_look_like_a_zone() -> None:
    a = addr("2001:db8::1")
    assert in6_clearscope(a) == a
    assert in6_addrzone(a) == 0


def test_user_form_and_kernel_form_convert_both_ways() -> None:
    node = Node()
    sa = SockaddrIn6(addr("fe80::9"), 5, 2)
    kernel = sa_to_kernel(node.kern, sa)
    assert kernel == addr("fe80:2::9")
    assert kernel_to_sa(kernel, 5) == sa
    assert addr_text(node.kern, kernel) == "fe80::9%rip0"


@pytest.mark.parametrize(
    ("sa", "errno"),
    [
        (SockaddrIn6(addr("fe80::9")), EINVAL),  # no scope id
        (SockaddrIn6(addr("fe80:2::9"), 0, 2), EINVAL),  # a program may not embed
        (SockaddrIn6(addr("fe80::9"), 0, 99), ENXIO),
    ],
)
def test_a_bad_zone_from_a_program_is_refused(sa: SockaddrIn6, errno: int) -> None:
    node = Node()
    with pytest.raises(KError) as refusal:
        sa_to_kernel(node.kern, sa)
    assert refusal.value.errno == errno


def test_multicast_without_scope_id_waits_for_its_interface() -> None:
    node = Node()
    assert sa_to_kernel(node.kern, SockaddrIn6(addr("ff02::1"))) == addr("ff02::1")
