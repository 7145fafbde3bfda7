# SPDX-License-Identifier: BSD-3-Clause
"""The flag numbers that tools know are those of the kernel."""

from __future__ import annotations

import pytest

from kame_py.lib import flagwords
from kame_py.net import if_, route
from kame_py.netinet6 import in6_var


@pytest.mark.parametrize(
    ("prefix", "kernel"),
    [("IFF_", if_), ("IFT_", if_), ("RTF_", route), ("IN6_IFF_", in6_var)],
)
def test_numbers_are_those_of_the_kernel(prefix: str, kernel: object) -> None:
    names = [
        n for n in vars(flagwords) if n.startswith(prefix) and isinstance(vars(flagwords)[n], int)
    ]
    assert names
    assert {n: vars(flagwords)[n] for n in names} == {n: getattr(kernel, n) for n in names}


@pytest.mark.parametrize(
    ("words", "prefix", "kernel"),
    [(flagwords.IFF_WORDS, "IFF_", if_), (flagwords.RTF_WORDS, "RTF_", route)],
)
def test_words_stand_at_the_bit_of_their_flag(
    words: tuple[str, ...], prefix: str, kernel: object
) -> None:
    for i, word in enumerate(words):
        flag = getattr(kernel, prefix + word, None)
        if word and flag is not None:
            assert flag == 1 << i, word


def test_address_words_stand_in_ifconfig_order() -> None:
    assert flagwords.in6_iff_words(0x1DF) == [
        *("anycast", "tentative", "duplicated", "detached", "deprecated", "autoconf"),
        *("temporary", "home"),
    ]


def test_route_letters() -> None:
    assert flagwords.rtf_letters(0xFFFFFF) == "UGHRDMdCXLS12Wc3Bb"
