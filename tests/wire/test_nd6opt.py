# SPDX-License-Identifier: BSD-3-Clause
"""Neighbor Discovery option lists: what is kept, skipped, refused; and the builders."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kame_py.wire.const import (
    ND_OPT_PI_FLAG_ONLINK,
    ND_OPT_PI_FLAG_ROUTER,
    ND_OPT_SOURCE_LINKADDR,
    ND_OPT_TARGET_LINKADDR,
)
from kame_py.wire.in6addr import pton
from kame_py.wire.malformed import Malformed
from kame_py.wire.nd6opt import (
    NdOptions,
    build_advinterval_opt,
    build_homeagent_opt,
    build_lladdr_opt,
    build_mtu_opt,
    build_prefix_opt,
    build_redirected_opt,
    build_route_opt,
    parse_nd_options,
)

MAC = bytes.fromhex("0200000000aa")
MAC2 = bytes.fromhex("0200000000bb")
PREFIX = pton("2001:db8:0:1::") or b""


def parsed(data: bytes, maxndopt: int = 10) -> NdOptions:
    got = parse_nd_options(data, 0, len(data), maxndopt)
    assert isinstance(got, NdOptions)
    return got


def test_every_option_is_read_back() -> None:
    opts = parsed(
        build_lladdr_opt(ND_OPT_SOURCE_LINKADDR, MAC)
        + build_lladdr_opt(ND_OPT_TARGET_LINKADDR, MAC2)
        + build_prefix_opt(PREFIX, 64, ND_OPT_PI_FLAG_ONLINK | ND_OPT_PI_FLAG_ROUTER, 7200, 3600)
        + build_prefix_opt(PREFIX, 48, 0, 1, 2)
        + build_redirected_opt(b"r" * 20, 1000)
        + build_mtu_opt(1480)
        + build_advinterval_opt(1500)
        + build_homeagent_opt(-5, 1800)
        + build_route_opt(PREFIX, 64, 0x08, 600)
    )
    assert (opts.src_lladdr, opts.tgt_lladdr) == (MAC, MAC2)
    assert [(p.nd_opt_pi_prefix_len, p.nd_opt_pi_flags_reserved) for p in opts.prefixes] == [
        (64, 0xA0),
        (48, 0),
    ]
    assert opts.redirected == b"r" * 16
    assert opts.mtu is not None and opts.mtu.nd_opt_mtu_mtu == 1480
    assert opts.advinterval is not None and opts.advinterval.nd_opt_ai_interval == 1500
    assert opts.homeagent is not None and opts.homeagent.nd_opt_hai_preference == -5
    assert [(r.hdr.nd_opt_rti_prefixlen, r.prefix) for r in opts.routes] == [(64, PREFIX)]
    assert (opts.unknown, opts.duplicates, opts.ignored, opts.truncated) == (0, 0, 0, False)


def test_options_as_octets() -> None:
    assert build_lladdr_opt(1, MAC) == bytes.fromhex("0101 0200000000aa")
    assert build_lladdr_opt(1, b"12345678") == b"\x01\x0212345678" + bytes(6)
    assert build_mtu_opt(1280) == bytes.fromhex("0501 0000 00000500")
    assert build_advinterval_opt(1500) == bytes.fromhex("0701 0000 000005dc")
    assert build_homeagent_opt(-5, 1800) == bytes.fromhex("0801 0000 fffb 0708")
    assert build_prefix_opt(PREFIX, 64, 0xC0, 7200, 3600) == (
        bytes.fromhex("0304 40c0 00001c20 00000e10 00000000") + PREFIX
    )
    assert build_route_opt(PREFIX, 0, 0, 60) == bytes.fromhex("1801 0000 0000003c")
    assert build_route_opt(PREFIX, 65, 0, 60)[:2] == bytes.fromhex("1803")


def test_redirected_header_is_cut_to_the_room_and_to_8_octets() -> None:
    assert len(build_redirected_opt(bytes(1500), 1192)) == 1192
    assert len(build_redirected_opt(bytes(1500), 1199)) == 1192
    assert build_redirected_opt(bytes(7), 1000) == bytes.fromhex("0401000000000000")


def test_length_zero_spoils_the_message() -> None:
    data = build_mtu_opt(1500) + bytes.fromhex("0100000000000000")
    assert parse_nd_options(data, 0, len(data)) == Malformed("nd option of length zero", 9)


def test_option_past_the_end_spoils_the_message() -> None:
    data = build_mtu_opt(1500) + bytes.fromhex("0102000000000000")
    assert parse_nd_options(data, 0, len(data)) == Malformed("nd option longer than the message", 9)
    assert parse_nd_options(data, 0, 9) == Malformed("nd option without length", 8)


def test_unknown_types_are_skipped_and_counted() -> None:
    opts = parsed(bytes.fromhex("fe02") + bytes(14) + build_mtu_opt(1500))
    assert (opts.unknown, opts.mtu is not None) == (1, True)


def test_first_of_two_counts() -> None:
    opts = parsed(build_lladdr_opt(1, MAC) + build_lladdr_opt(1, MAC2) + build_mtu_opt(1) * 2)
    assert (opts.src_lladdr, opts.duplicates) == (MAC, 2)


@pytest.mark.parametrize("kind", [3, 5, 7, 8])
def test_known_type_of_wrong_length_is_ignored(kind: int) -> None:
    opts = parsed(bytes((kind, 2)) + bytes(14) + build_lladdr_opt(1, MAC))
    assert (opts.ignored, opts.src_lladdr) == (1, MAC)
    assert (opts.prefixes, opts.mtu, opts.advinterval, opts.homeagent) == ([], None, None, None)


def test_only_so_many_options_are_looked_at() -> None:
    ten = parsed(build_mtu_opt(1) * 10)
    assert (ten.duplicates, ten.truncated) == (9, False)
    eleven = parsed(build_mtu_opt(1) * 10 + build_lladdr_opt(1, MAC))
    assert (eleven.src_lladdr, eleven.truncated) == (None, True)
    assert parsed(build_mtu_opt(1) * 10 + build_lladdr_opt(1, MAC), 11).src_lladdr == MAC


@given(st.binary(max_size=100), st.integers(0, 20), st.integers(0, 120))
def test_random_octets_never_raise(data: bytes, off: int, end: int) -> None:
    got = parse_nd_options(data, off, end)
    if isinstance(got, Malformed):
        assert off <= got.pointer < min(end, len(data))


@given(st.lists(st.tuples(st.sampled_from([1, 2, 3, 4, 5, 7, 8, 24, 99]), st.integers(0, 5))))
def test_plausible_lists_never_raise(specs: list[tuple[int, int]]) -> None:
    data = b"".join(bytes((kind, size)) + bytes(max(0, 8 * size - 2)) for kind, size in specs)
    got = parse_nd_options(data, 0, len(data))
    if all(size for _, size in specs):
        assert isinstance(got, NdOptions)
