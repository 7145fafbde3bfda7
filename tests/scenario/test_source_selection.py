# SPDX-License-Identifier: BSD-3-Clause
"""Source address selection (RFC 3484 s.5, KAME's order of rules), seen in the packets of a ping."""

from __future__ import annotations

import pytest

from tests.scenario.tester import (
    LL,
    PEER,
    PEER_MAC,
    ROUTER,
    ROUTER_MAC,
    Stage,
)
from tests.scenario.words import echo, is_

CT = "ct/default-addr-select:"
DEPRECATED = "pltime 0 vltime 86400"


def tahi(*names: str) -> pytest.MarkDecorator:
    return pytest.mark.tahi(*(CT + n for n in names))


def host(*addresses: str, second: tuple[str, ...] = ()) -> Stage:
    """A host with these addresses on fxp0 (a word behind one is ifconfig's) and a router."""
    stage = Stage(links=2 if second else 1)
    for ifname, wanted in (("fxp0", addresses), ("fxp1", second)):
        for text in wanted:
            name, _, words = text.partition(" ")
            stage.run(f"ifconfig {ifname} inet6 {name} prefixlen 64 {words} alias")
    stage.tn.neighbours[ROUTER] = ROUTER_MAC
    stage.run(f"route add -inet6 default {ROUTER}%fxp0")
    stage.wait(3)
    return stage


def source(stage: Stage, dst: str) -> str:
    """The source of a ping to ``dst``."""
    if dst != PEER:
        stage.tn.neighbours[dst] = PEER_MAC
    else:
        stage.tn.neighbours[PEER] = PEER_MAC
        dst = f"{PEER}%fxp0"
    stage.take()
    stage.nut.run(f"ping6 -c 1 {dst}")
    (sent,) = stage.find(is_("echo", dst=dst.partition("%")[0]))
    return str(sent.facts()["src"])


CASES = [
    # (addresses, destination, source)
    pytest.param(
        ("2001:db8:1::1", "fec0:0:0:1::1"),
        "2001:db8:9::9",
        "2001:db8:1::1",
        marks=tahi("SrcSelectRule2", "SrcSelectExample1"),
        id="scope-global",
    ),
    pytest.param(
        ("2001:db8:1::1", "fec0:0:0:1::1"), "fec0:0:0:9::9", "fec0:0:0:1::1", id="scope-site"
    ),
    pytest.param(("2001:db8:1::1",), PEER, LL, marks=tahi("SrcSelectRule2"), id="scope-link-local"),
    pytest.param(
        (f"2001:db8:1::1 {DEPRECATED}", "fec0:0:0:1::1"),
        "2001:db8:9::9",
        "2001:db8:1::1",
        marks=tahi("SrcSelectRule2_deprecated", "SrcSelectExample6"),
        id="scope-before-deprecated",
    ),
    pytest.param(
        (f"2001:db8:9::1 {DEPRECATED}", "2001:db8:1::1"),
        "2001:db8:9:1::9",
        "2001:db8:1::1",
        marks=tahi("SrcSelectRule3"),
        id="deprecated-before-match",
    ),
    pytest.param(
        ("2002:c001:203::1", "2001:db8:1::1"),
        "2002:c633:6401::9",
        "2002:c001:203::1",
        marks=tahi("SrcSelectRule6"),
        id="label-6to4",
    ),
    pytest.param(
        ("2002:c001:203::1", "2400:db8:1::1"),
        "2001:db8:9::9",
        "2400:db8:1::1",  # the other one has more bits in common
        marks=tahi("SrcSelectRule6"),
        id="label-native",
    ),
    pytest.param(
        ("2001:db8:1::1", "2001:db8:3ff::1"),
        "2001:db8:3f0::9",
        "2001:db8:3ff::1",
        marks=tahi("SrcSelectRule8", "SrcSelectExample7"),
        id="longest-match",
    ),
    pytest.param(
        ("2001:db8:1::1", "2001:db8:1::2"), "2001:db8:9::9", "2001:db8:1::1", id="tie-first-one"
    ),
]


@pytest.mark.parametrize(("addresses", "dst", "expected"), CASES)
def test_rule(addresses: tuple[str, ...], dst: str, expected: str) -> None:
    assert source(host(*addresses), dst) == expected


@pytest.mark.parametrize(("addresses", "dst", "expected"), CASES)
def test_rule_does_not_depend_on_the_order_of_addresses(
    addresses: tuple[str, ...], dst: str, expected: str
) -> None:
    if addresses == ("2001:db8:1::1", "2001:db8:1::2"):
        expected = "2001:db8:1::2"  # nothing tells them apart: the earlier one
    assert source(host(*reversed(addresses)), dst) == expected


@tahi("SrcSelectRule5")
def test_address_of_the_outgoing_interface_before_label_and_match() -> None:
    stage = host("2001:db8:1::1", second=("2001:db8:3ff::1",))
    assert source(stage, "2001:db8:3f0::9") == "2001:db8:1::1"


@tahi("SrcSelectRule5_deprecated")
def test_deprecated_address_of_the_outgoing_interface_gives_way() -> None:
    stage = host(f"2001:db8:1::1 {DEPRECATED}", second=("2001:db8:3ff::1",))
    assert source(stage, "2001:db8:3f0::9") == "2001:db8:3ff::1"


@pytest.mark.parametrize(
    "word",
    [
        pytest.param("", marks=tahi("SrcSelectRule1")),
        pytest.param(
            f" {DEPRECATED}", marks=tahi("SrcSelectRule1_deprecated", "SrcSelectExample5")
        ),
    ],
)
def test_a_destination_of_our_own_is_its_own_source(word: str) -> None:
    stage = host("2001:db8:1::1", f"2001:db8:1::2{word}")
    out = stage.run("ping6 -c 1 2001:db8:1::2")
    assert "--> 2001:db8:1::2" in out.splitlines()[0]
    assert "2001:db8:1::2 --> 2001:db8:1::2" in out


def test_each_decision_is_counted_under_its_rule() -> None:
    stage = host("2001:db8:1::1", "fec0:0:0:1::1")
    stage.kern.stats.ip6s_sources_rule.clear()
    source(stage, "2001:db8:9::9")
    used = {k: v for k, v in stage.kern.stats.ip6s_sources_rule.items() if v}
    assert set(used) <= {0, 2, 5, 14}  # first, scope, and what the choice of link-locals needs
    assert used[2] > 0


def test_deprecated_addresses_are_no_source_when_told_so() -> None:
    stage = host(f"2001:db8:1::1 {DEPRECATED}", "fec0:0:0:1::1")
    stage.run("sysctl -w net.inet6.ip6.use_deprecated=0")
    assert source(stage, "2001:db8:9::9") == "fec0:0:0:1::1"


def test_tentative_addresses_are_no_source() -> None:
    stage = host("2001:db8:1::1")
    stage.run("ifconfig fxp0 inet6 2001:db8:9::1 prefixlen 64 alias")
    assert source(stage, "2001:db8:9:1::9") == "2001:db8:1::1"
    stage.wait(2)
    assert source(stage, "2001:db8:9:1::a") == "2001:db8:9::1"


def test_anycast_addresses_are_no_source_but_are_answered_from_another_one() -> None:
    stage = host("2001:db8:1::1", "2001:db8:9:: anycast")
    assert source(stage, "2001:db8:9:1::9") == "2001:db8:1::1"
    stage.take()
    stage.tn.neighbours["2001:db8:1::9"] = PEER_MAC
    stage.send(echo("2001:db8:1::9", "2001:db8:9::"))
    assert stage.find(is_("echoreply", src="2001:db8:1::1", dst="2001:db8:1::9"))
