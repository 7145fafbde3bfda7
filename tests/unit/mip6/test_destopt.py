# SPDX-License-Identifier: BSD-3-Clause
"""Options added to destination headers, whoever made them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kame_py.mip6.mip6_destopt import mip6_add_opt2dh, mip6_rthdr_create
from kame_py.wire.ip6ext import AlignedOpt, build_options, iter_options
from kame_py.wire.malformed import Malformed
from kame_py.wire.mip6 import BindingRequest, BindingUpdate
from kame_py.wire.mip6_draft15 import WIRE

BR = WIRE.aligned(BindingRequest())
BU = WIRE.aligned(BindingUpdate(0, 1, 60))
PADS = (0, 1)


def test_first_option_makes_the_header() -> None:
    # next header 59, one unit more than the first; BR; PadN
    assert mip6_add_opt2dh(b"", BR) == bytes.fromhex("3b00 0800 0102 0000")


def test_request_and_update_share_a_header_and_the_padding_between_is_new() -> None:
    both = mip6_add_opt2dh(mip6_add_opt2dh(b"", BR), BU)
    # next header, length; BR; PadN(0); BU flags 0, reserved, sequence number 1, 60 s
    assert both == bytes.fromhex("3b01 0800 0100 c608 00 0000 01 0000003c")


def test_routing_header_names_the_care_of_address() -> None:
    coa = bytes(range(16))
    # next header, 2 units, type 0, one segment, reserved, the address
    assert mip6_rthdr_create(coa) == bytes.fromhex("3b02 0001 0000 0000") + coa


def test_behind_an_option_that_does_not_end_everything_stays() -> None:
    """A program's own header: an option of 32 octets in a header of eight."""
    own = bytes.fromhex("3b00 1e20 aabb ccdd")
    assert mip6_add_opt2dh(own, BR)[2:10] == own[2:] + bytes.fromhex("0800")


def test_full_header_is_told() -> None:
    full = build_options(59, [AlignedOpt(bytes((0x1E, 255)) + bytes(255))] * 7)
    with pytest.raises(ValueError, match="octets"):
        for _ in range(40):
            full = mip6_add_opt2dh(full, AlignedOpt(bytes((0x1E, 200)) + bytes(200)))


options = st.builds(
    lambda kind, data, align: AlignedOpt(bytes((kind, len(data))) + data, *align),
    st.integers(2, 255),
    st.binary(max_size=20),
    st.sampled_from([(1, 0), (2, 0), (4, 2), (4, 3), (8, 6)]),
)


@given(st.lists(options, min_size=1, max_size=6), options)
def test_added_option_is_aligned_and_nothing_before_it_moves(
    there: list[AlignedOpt], new: AlignedOpt
) -> None:
    before = build_options(59, there)
    after = mip6_add_opt2dh(before, new)
    assert len(after) % 8 == 0 and after[1] == len(after) // 8 - 1
    found = [o for o in iter_options(after, 2, len(after)) if not isinstance(o, Malformed)]
    real = [o for o in found if o.type not in PADS]
    old = [
        o
        for o in iter_options(before, 2, len(before))
        if not isinstance(o, Malformed) and o.type not in PADS
    ]
    assert [(o.off, after[o.off : o.end]) for o in real[:-1]] == [
        (o.off, before[o.off : o.end]) for o in old
    ]
    assert after[real[-1].off : real[-1].end] == new.data
    assert real[-1].off % new.align == new.plus
