# SPDX-License-Identifier: BSD-3-Clause
"""The extension header walker, the option iterator, the option builder."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kame_py.wire.codecs import Ip6OptHomeAddress, Ip6OptRtalert
from kame_py.wire.const import (
    IPPROTO_AH,
    IPPROTO_DSTOPTS,
    IPPROTO_ESP,
    IPPROTO_FRAGMENT,
    IPPROTO_HOPOPTS,
    IPPROTO_ICMPV6,
    IPPROTO_NONE,
    IPPROTO_ROUTING,
    IPPROTO_UDP,
)
from kame_py.wire.ip6ext import (
    AlignedOpt,
    ExtHdr,
    Opt,
    build_options,
    build_rthdr0,
    iter_options,
    lay_out,
    rthdr0_addrs,
    walk,
)
from kame_py.wire.malformed import Malformed

A = bytes(15) + b"\x0a"
B = bytes(15) + b"\x0b"

CHAIN = bytes.fromhex(
    "2b00 0502 0000 0100"  # hop-by-hop: routing next; router alert 0; PadN(0)
    "2c00 0000 00000000"  # routing type 0 without addresses; fragment next
    "3300 0000 deadbeef"  # fragment: offset 0, last; AH next
    "3c04 0000 00002000 00000001 000102030405060708090a0b"  # AH with 96-bit ICV
    "3a00 0104 00000000"  # destination options: PadN(4); ICMPv6 next
    "80000000"
)


def test_walks_over_every_kind_of_header() -> None:
    got = walk(CHAIN, IPPROTO_HOPOPTS, 0, len(CHAIN))
    assert got.headers == (
        ExtHdr(IPPROTO_HOPOPTS, 0, 8),
        ExtHdr(IPPROTO_ROUTING, 8, 8),
        ExtHdr(IPPROTO_FRAGMENT, 16, 8),
        ExtHdr(IPPROTO_AH, 24, 24),
        ExtHdr(IPPROTO_DSTOPTS, 48, 8),
    )
    assert (got.nxt, got.off, got.fragment, got.error) == (IPPROTO_ICMPV6, 56, False, None)


@pytest.mark.parametrize("nxt", [IPPROTO_ESP, IPPROTO_NONE, IPPROTO_UDP, 135, 255])
def test_ends_at_the_first_other_protocol(nxt: int) -> None:
    assert walk(CHAIN, nxt, 3, len(CHAIN)) == ((), nxt, 3, False, None)


def test_later_fragment_ends_the_walk_inside_the_datagram() -> None:
    data = bytes.fromhex("3c00 0008 00000001") + bytes(8)  # offset 8: no header follows
    got = walk(data, IPPROTO_FRAGMENT, 0, len(data))
    assert got == ((ExtHdr(IPPROTO_FRAGMENT, 0, 8),), IPPROTO_DSTOPTS, 8, True, None)


def test_first_fragment_is_walked_on() -> None:
    data = bytes.fromhex("3c00 0001 00000001 3b00 010400000000")
    assert walk(data, IPPROTO_FRAGMENT, 0, len(data)).nxt == IPPROTO_NONE


@pytest.mark.parametrize("end", range(56))
def test_header_cut_short_is_an_error_at_its_start(end: int) -> None:
    got = walk(CHAIN, IPPROTO_HOPOPTS, 0, end)
    assert got.error is not None
    assert got.error.pointer == got.off == sum(h.len for h in got.headers)


def test_number_of_headers_is_limited() -> None:
    chain = bytes.fromhex("3c00 010400000000") * 60
    got = walk(chain, IPPROTO_DSTOPTS, 0, len(chain))
    assert len(got.headers) == 50
    assert got.error == Malformed("too many headers", 400)


@given(st.binary(max_size=120), st.integers(0, 255), st.integers(0, 20), st.integers(0, 140))
def test_walk_never_raises_and_stays_inside(data: bytes, nxt: int, off: int, end: int) -> None:
    got = walk(data, nxt, off, end)
    at = off
    for hdr in got.headers:
        assert hdr.off == at
        at += hdr.len
        assert at <= min(end, len(data))
    assert got.off == at


@given(
    st.lists(st.sampled_from([0, 43, 44, 51, 60]), min_size=1, max_size=8),
    st.binary(min_size=100, max_size=100),
)
def test_walk_never_raises_on_plausible_chains(kinds: list[int], fill: bytes) -> None:
    data = b"".join(bytes((k, fill[i] & 1)) + fill[i : i + 14] for i, k in enumerate(kinds))
    walk(data, kinds[0], 0, len(data))


def test_options_are_listed_with_padding() -> None:
    data = bytes.fromhex("00 0502 0000 0101ff 00")
    assert list(iter_options(data, 0, len(data))) == [
        Opt(0, 0, 1, 0),
        Opt(5, 1, 3, 2),
        Opt(1, 5, 7, 1),
        Opt(0, 8, 9, 0),
    ]


def test_option_overrun_points_at_the_length() -> None:
    assert list(iter_options(bytes.fromhex("00 c9100000"), 0, 5)) == [
        Opt(0, 0, 1, 0),
        Malformed("option longer than its header", 2),
    ]
    assert list(iter_options(b"\xc9", 0, 1)) == [Malformed("option without length", 0)]


def test_option_may_fill_the_header_but_not_pass_it_by_one_octet() -> None:
    data = bytes.fromhex("05020000")
    assert list(iter_options(data, 0, 4)) == [Opt(5, 0, 2, 2)]
    assert list(iter_options(data, 0, 3)) == [Malformed("option longer than its header", 1)]


@given(st.binary(max_size=60), st.integers(0, 10), st.integers(0, 80))
def test_options_never_raise_and_cover_the_range(data: bytes, off: int, end: int) -> None:
    at = off
    for opt in iter_options(data, off, end):
        if isinstance(opt, Malformed):
            return
        assert opt.off == at
        at = opt.end
    assert at == max(off, min(end, len(data)))


def test_home_address_header_has_24_octets() -> None:
    opt = AlignedOpt(Ip6OptHomeAddress(ip6oh_addr=A).pack(), 8, 6)
    assert build_options(IPPROTO_NONE, [opt]) == bytes.fromhex("3b02 01020000 c910") + A


def test_padding_is_pad1_for_one_octet_and_padn_above() -> None:
    assert build_options(59, [AlignedOpt(b"\x07\x0b" + bytes(11), 4, 3)]) == bytes.fromhex(
        "3b01 00 070b 0000000000000000000000"
    )
    assert build_options(59, [AlignedOpt(b"\x08\x00")]) == bytes.fromhex("3b00 0800 01020000")
    assert build_options(0, [AlignedOpt(Ip6OptRtalert().pack(), 2, 0)]) == bytes.fromhex(
        "0000 05020000 0100"
    )
    assert lay_out([AlignedOpt(b"\x08\x00"), AlignedOpt(b"\xc6\x00", 4, 2)], 2) == bytes.fromhex(
        "0800 0100 c600"
    )


@given(
    st.lists(
        st.tuples(
            st.integers(2, 255),
            st.binary(max_size=40),
            st.sampled_from([(1, 0), (2, 0), (4, 2), (4, 3), (8, 6)]),
        ),
        max_size=6,
    )
)
def test_built_options_are_found_aligned(
    specs: list[tuple[int, bytes, tuple[int, int]]],
) -> None:
    options = [AlignedOpt(bytes((t, len(d))) + d, *al) for t, d, al in specs]
    header = build_options(IPPROTO_NONE, options)
    assert len(header) == (header[1] + 1) * 8
    found = [o for o in iter_options(header, 2, len(header)) if isinstance(o, Opt) and o.type > 1]
    assert [(o.type, header[o.data_off : o.end]) for o in found] == [(t, d) for t, d, _ in specs]
    for opt, (_, _, (align, plus)) in zip(found, specs, strict=True):
        assert opt.off % align == plus


def test_options_beyond_the_length_field_are_refused() -> None:
    big = AlignedOpt(b"\x1e\xff" + bytes(255))
    assert len(build_options(59, [big] * 7)) == 1808
    with pytest.raises(ValueError, match="a header holds 2048"):
        build_options(59, [big] * 8)


def test_routing_header_type_0() -> None:
    header = build_rthdr0(IPPROTO_UDP, [A, B], 2)
    assert header == bytes.fromhex("1104 0002 00000000") + A + B
    assert rthdr0_addrs(header, ExtHdr(IPPROTO_ROUTING, 0, len(header))) == (A, B)


def test_routing_header_of_half_an_address_is_malformed() -> None:
    header = bytes.fromhex("1101 0001 00000000") + bytes(8)
    got = rthdr0_addrs(header, ExtHdr(IPPROTO_ROUTING, 0, 16))
    assert got == Malformed("routing header length is odd", 1)
