# SPDX-License-Identifier: BSD-3-Clause
"""Link headers come off captured packets; what cannot be framed has a reason."""

from __future__ import annotations

import pytest

from kame_py.replay.pcap import Frame, LinkReason, link_strip
from kame_py.wire import pcapfmt

IP6 = b"\x60payload"
IP4 = b"\x45payload"
MAC_A = bytes.fromhex("020000000001")
MAC_B = bytes.fromhex("020000000002")


@pytest.mark.parametrize(
    ("dst", "pkttype"), [(MAC_A, 0), (b"\xff" * 6, 1), (bytes.fromhex("333300000001"), 2)]
)
def test_ethernet(dst: bytes, pkttype: int) -> None:
    frame = dst + MAC_B + b"\x86\xdd" + IP6
    assert link_strip(pcapfmt.LINKTYPE_ETHERNET, frame) == (dst, MAC_B, 0x86DD, IP6, pkttype)


@pytest.mark.parametrize("linktype", [12, 14, 101])
def test_raw_ip_is_told_by_its_version(linktype: int) -> None:
    assert link_strip(linktype, IP6) == Frame(None, None, 0x86DD, IP6, 0)
    assert link_strip(linktype, IP4) == Frame(None, None, 0x0800, IP4, 0)
    assert link_strip(linktype, b"\x70") == LinkReason.VERSION


def test_raw_ipv6_keeps_a_wrong_version_for_the_kernel_to_count() -> None:
    assert link_strip(229, IP4) == Frame(None, None, 0x86DD, IP4, 0)


@pytest.mark.parametrize("family", [24, 28, 30, 10])
@pytest.mark.parametrize("order", ["little", "big"])
@pytest.mark.parametrize("linktype", [0, 108])
def test_null_and_loop_in_both_byte_orders(family: int, order: str, linktype: int) -> None:
    head = family.to_bytes(4, "little" if order == "little" else "big")
    assert link_strip(linktype, head + IP6) == Frame(None, None, 0x86DD, IP6, 0)


def test_null_with_ipv4_and_with_another_family() -> None:
    assert link_strip(0, b"\x02\0\0\0" + IP4) == Frame(None, None, 0x0800, IP4, 0)
    assert link_strip(0, b"\x07\0\0\0" + IP4) == LinkReason.FAMILY


def test_linux_cooked_v1() -> None:
    # outgoing, ARPHRD_ETHER, address of 6 octets padded to 8, IPv6
    head = b"\0\x04" + b"\0\x01" + b"\0\x06" + MAC_A + b"\0\0" + b"\x86\xdd"
    assert link_strip(113, head + IP6) == Frame(None, MAC_A, 0x86DD, IP6, 4)


def test_linux_cooked_v2() -> None:
    # IPv6, reserved, interface 3, ARPHRD_ETHER, multicast, 6, address padded to 8
    head = b"\x86\xdd\0\0" + b"\0\0\0\x03" + b"\0\x01" + b"\x02\x06" + MAC_A + b"\0\0"
    assert link_strip(276, head + IP6) == Frame(None, MAC_A, 0x86DD, IP6, 2)


def test_cooked_from_a_device_without_address() -> None:
    head = b"\0\0" + b"\xff\xfe" + b"\0\0" + b"\0" * 8 + b"\x86\xdd"
    assert link_strip(113, head + IP6) == Frame(None, None, 0x86DD, IP6, 0)


def test_unknown_link_type_has_a_reason() -> None:
    assert link_strip(147, IP6) == LinkReason.LINKTYPE


@pytest.mark.parametrize(
    ("linktype", "size"), [(1, 14), (113, 16), (276, 20), (0, 4), (108, 4), (101, 1), (229, 1)]
)
def test_a_cut_link_header_is_short_at_every_length(linktype: int, size: int) -> None:
    for length in range(size):
        assert link_strip(linktype, b"\0" * length) == LinkReason.SHORT
    assert link_strip(linktype, b"\0" * size) != LinkReason.SHORT
