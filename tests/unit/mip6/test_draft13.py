# SPDX-License-Identifier: BSD-3-Clause
"""The decisions of draft-13."""

from __future__ import annotations

import pytest

from kame_py.mip6.dialect.draft13 import DRAFT13
from kame_py.wire.in6addr import pton
from kame_py.wire.mip6 import BindingUpdate

HOA = pton("2001:db8:1::10") or b""


@pytest.mark.parametrize(
    "new,old,newer",
    [(1, 0, True), (256, 1, True), (0x7FFF, 0, True), (0x8000, 0, False), (0, 0xFFFF, True)]
    + [(5, 5, False), (4, 5, False), (0x7FFE, 0xFFFF, True), (0x7FFF, 0xFFFF, False)],
)
def test_sequence_numbers_are_newer_modulo_65536(new: int, old: int, newer: bool) -> None:
    assert DRAFT13.newer(new, old) is newer


def test_sequence_number_after_65535_is_0() -> None:
    assert [DRAFT13.next_seqno(n) for n in (0, 255, 0xFFFF)] == [1, 256, 0]


def test_there_is_no_answer_to_an_old_number() -> None:
    assert DRAFT13.seqno_too_small is None


@pytest.mark.parametrize("plen,single", [(0, True), (64, False)])
def test_a_prefix_length_is_for_every_prefix(plen: int, single: bool) -> None:
    assert DRAFT13.single(BindingUpdate(0xC0, 1, 60, plen)) is single
    assert DRAFT13.home_prefixlen(64, single) == plen


@pytest.mark.parametrize("plen,status", [(0, 0), (64, 0), (48, 136), (128, 136)])
def test_another_prefix_length_than_the_links_is_refused(plen: int, status: int) -> None:
    assert DRAFT13.prefix_refused(BindingUpdate(0xC0, 1, 60, plen), 64) == status


@pytest.mark.parametrize(
    "dad,single,router,flags",
    [(True, False, False, 0xD0), (False, True, False, 0xC0), (True, True, True, 0xF0)],
)
def test_flags_of_a_home_registration(dad: bool, single: bool, router: bool, flags: int) -> None:
    assert DRAFT13.home_flags(dad, single, router) == flags


def test_r_bit_makes_a_router_of_the_mobile_node() -> None:
    assert [DRAFT13.proxy_router(flags) for flags in (0xC0, 0xE0)] == [False, True]


def test_the_end_is_acknowledged_on_request_only() -> None:
    assert [DRAFT13.acks_deregistration(flags) for flags in (0xC0, 0x40)] == [True, False]


def test_discovery_request_names_the_home_address() -> None:
    req = DRAFT13.dhaad_request(7, HOA)
    assert (req.id, req.home) == (7, HOA)


def test_protection_is_by_ah_and_forced() -> None:
    assert (DRAFT13.use_ipsec_default, DRAFT13.ah_forced) == (1, True)
    assert DRAFT13.wire.authdata_type is None
