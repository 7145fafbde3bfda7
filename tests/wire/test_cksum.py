# SPDX-License-Identifier: BSD-3-Clause
"""The Internet checksum against the plain 16-bit loop and against packets made elsewhere."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kame_py.wire.cksum import in6_cksum, in_cksum
from kame_py.wire.in6addr import embed_zone, pton
from kame_py.wire.patch import put, put_u8, put_u16, put_u32, u8, u16, u32

SRC = pton("2001:db8:0:2::100") or b""
ANYCAST = pton("2001:db8:0:1:fdff:ffff:ffff:fffe") or b""


def by_words(data: bytes) -> int:
    total = 0
    for i in range(0, len(data) + len(data) % 2, 2):
        total += int.from_bytes(data[i : i + 2].ljust(2, b"\0"), "big")
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total ^ 0xFFFF


@given(st.lists(st.binary(max_size=33), max_size=4))
def test_equals_the_word_loop_over_the_joined_parts(parts: list[bytes]) -> None:
    assert in_cksum(*parts) == by_words(b"".join(parts))


@pytest.mark.parametrize("data", [b"", b"\0", bytes(40), b"\xff\xff", b"\xff" * 40, b"\xff\xff\0"])
def test_all_zero_and_all_one_sums(data: bytes) -> None:
    assert in_cksum(data) == by_words(data)


def test_rfc1071_example() -> None:
    assert in_cksum(bytes.fromhex("0001f203f4f5f6f7")) == 0xFFFF ^ 0xDDF2


def test_stored_checksum_of_a_discovery_request_is_right() -> None:
    request = bytes.fromhex("9600 fe37 1111 0000")  # type 150, checksum, identifier, reserved
    assert in6_cksum(SRC, ANYCAST, 58, request) == 0
    assert in6_cksum(SRC, ANYCAST, 58, put_u16(request, 2, 0)) == 0xFE37


@given(st.binary(max_size=200), st.integers(0, 255))
def test_pseudo_header_counts_like_octets(payload: bytes, nxt: int) -> None:
    pseudo = SRC + ANYCAST + len(payload).to_bytes(4, "big") + bytes((0, 0, 0, nxt))
    assert in6_cksum(SRC, ANYCAST, nxt, payload) == by_words(pseudo + payload)


def test_length_above_64k_counts() -> None:
    payload = bytes(70001)
    pseudo = SRC + ANYCAST + (70001).to_bytes(4, "big") + bytes((0, 0, 0, 17))
    assert in6_cksum(SRC, ANYCAST, 17, payload) == by_words(pseudo + payload)


@pytest.mark.parametrize("text", ["fe80::1", "ff01::1", "ff02::1"])
def test_embedded_zone_does_not_count(text: str) -> None:
    plain = pton(text) or b""
    assert in6_cksum(embed_zone(plain, 3), plain, 58, b"x") == in6_cksum(plain, plain, 58, b"x")


def test_patch_replaces_in_place_and_reads_back() -> None:
    data = bytes(8)
    assert put_u8(data, 1, 0x1FF) == bytes.fromhex("00ff000000000000")
    assert put_u16(data, 2, 0x1234) == bytes.fromhex("0000123400000000")
    assert put_u32(data, 4, 0x89ABCDEF) == bytes.fromhex("0000000089abcdef")
    data = bytes.fromhex("0102030405060708")
    assert (u8(data, 1), u16(data, 1), u32(data, 4)) == (2, 0x0203, 0x05060708)
    with pytest.raises(IndexError):
        put(data, 7, b"ab")
