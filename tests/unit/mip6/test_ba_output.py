# SPDX-License-Identifier: BSD-3-Clause
"""By which address an acknowledgement goes (draft-15 s.5.2, s.8.5)."""

from __future__ import annotations

import pytest

from kame_py.mip6.mip6_ba import mip6_ba_via, mip6_coa_ok
from kame_py.mip6.mip6_var import BuRequest
from kame_py.wire.in6addr import ntop, pton
from kame_py.wire.mip6 import BindingUpdate

HOA = "2001:db8:1::10"
SRC = "2001:db8:2::9"
ALT = "2001:db8:3::9"


def addr(text: str) -> bytes:
    got = pton(text)
    assert got is not None
    return got


@pytest.mark.parametrize(
    "coa,src,status,lifetime,via",
    [
        (SRC, SRC, 0, 60, SRC),  # accepted: the binding's care-of address
        (ALT, SRC, 0, 60, ALT),
        (SRC, SRC, 0, 0, SRC),  # deleted: the source
        (ALT, SRC, 0, 0, SRC),
        (HOA, SRC, 0, 0, SRC),
        (HOA, HOA, 0, 0, HOA),  # deleted from home: straight there
        (HOA, "fe80::9", 0, 0, HOA),  # no routing header may name the source
        (SRC, SRC, 141, 0, SRC),  # rejected: the care-of address of the update
        (ALT, SRC, 133, 0, ALT),
        (HOA, HOA, 137, 0, HOA),
        (HOA, SRC, 137, 0, SRC),
    ],
)
def test_way_of_an_acknowledgement(
    coa: str, src: str, status: int, lifetime: int, via: str
) -> None:
    bu = BindingUpdate(0x80, 1, lifetime)
    req = BuRequest(addr("2001:db8::1"), addr(HOA), addr(coa), addr(src), bu)
    assert ntop(mip6_ba_via(req, status, lifetime)) == via


@pytest.mark.parametrize(
    "text,good",
    [
        (SRC, True),
        ("fec0::1", True),
        ("ff0e::1", False),
        ("fe80::1", False),
        ("::", False),
        ("::1", False),
        ("::ffff:192.0.2.1", False),
        ("::192.0.2.1", False),
    ],
)
def test_care_of_addresses(text: str, good: bool) -> None:
    assert mip6_coa_ok(addr(text)) is good
