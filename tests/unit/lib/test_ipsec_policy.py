# SPDX-License-Identifier: BSD-3-Clause
"""Policies as text: KAME's own examples with its verdicts, and the way back."""

from __future__ import annotations

import json

import pytest

from kame_py.lib.ipsec_policy import (
    Policy,
    PolicyError,
    ipsec_dump_policy,
    ipsec_set_policy,
)
from kame_py.wire import pfkeyv2 as k
from kame_py.wire.pfkey import SadbXPolicy, XIpsecrequest
from tests.support import data_dir

#: What the library takes and a socket does not: a packet of a program is not discarded by policy.
OF_THE_SPD_ONLY = (k.IPSEC_POLICY_DISCARD, k.IPSEC_POLICY_NONE)


def test_kames_examples_get_kames_verdict() -> None:
    rows = json.loads((data_dir() / "kame" / "ipsec_policy_strings.json").read_text())
    assert len(rows) == 24
    wrong = []
    for row in rows:
        found = ipsec_set_policy(row["policy"])
        refused = isinstance(found, PolicyError) or found.sadb.type in OF_THE_SPD_ONLY
        if refused != row["expect_error"]:
            wrong.append((row["policy"], found))
    assert wrong == []


@pytest.mark.parametrize(
    ("text", "reason", "token"),
    [
        ("", "Invalid direciton", ""),
        ("must_error", "Invalid direciton", "must_error"),
        ("in protect", "Invalid security policy", "protect"),
        ("in ipsec must_error", "Invalid ipsec protocol", "must_error"),
        ("out ipsec esp", "Too few arguments", ""),
        ("out ipsec esp/", "Too few arguments", ""),
        ("out ipsec esp/must_error", "Invalid ipsec mode", "must_error"),
        ("out ipsec ah/transport esp/use", "Invalid ipsec mode", "use"),
        ("out ipsec esp/transport//perhaps", "Invalid ipsec level", "perhaps"),
        ("out ipsec esp/transport//unique:", "Invalid ipsec level", "unique:"),
        ("out ipsec esp/transport//unique:65536", "Invalid ipsec level", "unique:65536"),
        ("out ipsec esp/transport//unique:99999999", "Invalid ipsec level", "unique:99999999"),
        ("out ipsec esp/tunnel/::1", "Invalid address specification", ""),
        ("out ipsec esp/tunnel/::1-", "Invalid address specification", ""),
        ("out ipsec esp/tunnel/::1-::g", "Invalid address specification", "::g"),
        ("out ipsec esp/tunnel/10.0.0.256-10.0.0.1", "Invalid address specification", "10.0.0.256"),
        ("out ipsec esp/tunnel/me-any/use", "Invalid address specification", "use"),
        ("in ipsec esp/transport/me-any", "Invalid direciton", "any"),
        ("out ipsec esp/transport/any-me", "Invalid direciton", "me"),
        ("in ipsec esp/tunnel/10.0.0.1-::2", "Family mismatch", "::2"),
    ],
)
def test_what_is_wrong_is_named(text: str, reason: str, token: str) -> None:
    found = ipsec_set_policy(text)
    assert found == PolicyError(reason, token)
    assert str(found) == f'libipsec: {reason} while parsing "{token}"'


@pytest.mark.parametrize(
    ("text", "dumped"),
    [
        ("in discard", "in discard"),
        ("out ipsec", "out ipsec"),
        ("out ipsec ah/transport", "out ipsec ah/transport//default"),
        ("out ipsec ah / transport / / use", "out ipsec ah/transport//use"),
        ("in ipsec esp/tunnel/::1-::2/require", "in ipsec esp/tunnel/::1-::2/require"),
        ("in ipsec esp/tunnel/10.0.0.1-10.0.0.2", "in ipsec esp/tunnel/10.0.0.1-10.0.0.2/default"),
        ("out ipsec ah/transport//unique:16383", "out ipsec ah/transport//unique:16383"),
        ("out ipsec ah/transport//unique:16384", "out ipsec ah/transport//unique#16384"),
        ("in ipsec ah/transport/any-me/use", "in ipsec ah/transport//use"),
        ("in none esp/transport//use", "in none"),
    ],
)
def test_a_policy_has_a_text(text: str, dumped: str) -> None:
    found = ipsec_set_policy(text)
    assert isinstance(found, Policy), found
    assert ipsec_dump_policy(found.sadb) == dumped


def test_requests_are_a_line_each() -> None:
    found = ipsec_set_policy("out ipsec esp/transport//require ah/transport//unique")
    assert isinstance(found, Policy)
    assert ipsec_dump_policy(found.sadb, "\n\t") == (
        "out ipsec\n\tesp/transport//require\n\tah/transport//unique"
    )


def test_a_direction_alone_is_for_spddelete() -> None:
    assert ipsec_set_policy("in") == Policy(SadbXPolicy(0, k.IPSEC_DIR_INBOUND))


def test_addresses_of_ipv4_are_told() -> None:
    found = ipsec_set_policy("out ipsec esp/tunnel/10.0.0.1-10.0.0.2 ah/tunnel/::1-::2")
    assert isinstance(found, Policy)
    assert found.inet == ("10.0.0.1", "10.0.0.2")


def test_numbers_without_a_word_are_shown_as_numbers() -> None:
    policy = SadbXPolicy(9, 7, 0, (XIpsecrequest(99, 8, 6),))
    assert ipsec_dump_policy(policy) == "7 9 99/8//6"
