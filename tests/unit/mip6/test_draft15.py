# SPDX-License-Identifier: BSD-3-Clause
"""The decisions of draft-15."""

from __future__ import annotations

import pytest

from kame_py.mip6.dialect.draft15 import DRAFT15
from kame_py.wire.mip6 import BindingUpdate


@pytest.mark.parametrize(
    "new,old,newer",
    [(251, 250, True), (255, 250, True), (0, 250, True), (121, 250, True)]
    + [(122, 250, False), (249, 250, False), (250, 250, False), (128, 0, False), (127, 0, True)],
)
def test_sequence_numbers_are_newer_modulo_256(new: int, old: int, newer: bool) -> None:
    assert DRAFT15.newer(new, old) is newer


def test_sequence_number_after_255_is_0() -> None:
    assert [DRAFT15.next_seqno(n) for n in (0, 254, 255)] == [1, 255, 0]


@pytest.mark.parametrize("flags,single", [(0xD0, False), (0xF0, True)])
def test_s_bit_is_for_one_address(flags: int, single: bool) -> None:
    assert DRAFT15.single(BindingUpdate(flags, 1, 60)) is single


@pytest.mark.parametrize(
    "dad,single,flags",
    [(True, False, 0xD0), (False, False, 0xC0), (True, True, 0xF0), (False, True, 0xE0)],
)
def test_flags_of_a_home_registration(dad: bool, single: bool, flags: int) -> None:
    assert DRAFT15.home_flags(dad, single) == flags


def test_discovery_request_names_no_home_address() -> None:
    req = DRAFT15.dhaad_request(7, bytes(16))
    assert (req.id, req.home) == (7, None)
    assert DRAFT15.home_prefixlen(64, single=False) == 0
