# SPDX-License-Identifier: BSD-3-Clause
"""Names of upper layers and algorithms that setkey knows."""

from __future__ import annotations

import pytest

from kame_py.lib.setkey_names import (
    AUTH_ALGORITHMS,
    AUTH_WORDS,
    ENC_ALGORITHMS,
    ENC_WORDS,
    PROTOCOLS,
    protocol_name,
    protocol_number,
)


@pytest.mark.parametrize(
    ("name", "number"),
    [
        ("ipv6-opts", 60),
        ("IPV6-OPTS", 60),
        ("Ipv6-Opts", None),
        ("icmp6", 58),
        ("ipv6-icmp", 58),
        ("ip4", 4),
        ("ipencap", 4),
        ("tcp", 6),
        ("nothing", None),
    ],
)
def test_numbers_of_upper_layers(name: str, number: int | None) -> None:
    assert protocol_number(name) == number


@pytest.mark.parametrize(
    ("number", "name"),
    [(0, "ip"), (4, "ip4"), (17, "udp"), (58, "icmp6"), (60, "ipv6-opts"), (199, "199")],
)
def test_names_of_upper_layers(number: int, name: str) -> None:
    assert protocol_name(number) == name
    assert protocol_name(255) == "any"


def test_a_dump_names_an_upper_layer_as_a_script_may() -> None:
    for number in {*PROTOCOLS.values(), 4, 58}:
        assert protocol_number(protocol_name(number)) == number


def test_every_algorithm_has_a_word_in_dumps() -> None:
    assert {a.number for a in AUTH_ALGORITHMS.values()} <= AUTH_WORDS.keys()
    assert {a.number for a in ENC_ALGORITHMS.values() if a.number} <= ENC_WORDS.keys()
    assert AUTH_WORDS[249] == "md5"
    assert AUTH_WORDS[246] == "hmac-sha2-256-96"
    assert ENC_WORDS[12] == "rijndael-cbc"
