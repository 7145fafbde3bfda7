# SPDX-License-Identifier: BSD-3-Clause
"""One packet explained: what it is, its way, what the node counted, learned and sent."""

from __future__ import annotations

from kame_py.replay import ReplayOptions, replay
from tests.unit.replay.captures import (
    PEER,
    US,
    US_MAC,
    capture,
    echo,
    ether,
    fragments,
    ns,
    ra,
)


def explained(n: int, *frames: tuple[float, bytes]) -> list[str]:
    result = replay(capture(*frames), ReplayOptions(lladdr=US_MAC, trace=[n]))
    assert list(result.traces) == [n]
    return result.traces[n]


def test_an_echo_is_told_from_its_arrival_to_the_answer() -> None:
    lines = explained(2, (0, ns(US)), (1, ether(echo())))
    assert lines[0] == "1700000001.000000000 s, 70 octets"
    assert lines[1].startswith("fe80::ff:fe00:a0 > fe80::ff:fe00:55: icmp6: echo request")
    assert "  = consumed" in lines
    assert "  counts ip6.ip6s_total +1" in lines
    assert any(
        line.startswith("  sends  fe80::ff:fe00:55 > fe80::ff:fe00:a0: icmp6: echo reply")
        for line in lines
    )


def test_what_an_advertisement_changed_is_told() -> None:
    lines = explained(1, (0, ra()))
    assert "  new    address 2001:db8:1::ff:fe00:55/64 tentative autoconf" in lines
    assert "  new    default router fe80::ff:fe00:a0%fxp0" in lines
    assert "  new    neighbor fe80::ff:fe00:a0%fxp0 02:00:00:00:00:a0 stale router" in lines


def test_what_changes_is_shown_as_it_was_and_is() -> None:
    lines = explained(2, (0, ra()), (1, ra("2001:db8:2::")))
    assert not any(line.startswith("  new    default router") for line in lines)
    assert "  new    address 2001:db8:2::ff:fe00:55/64 tentative autoconf" in lines
    assert not any("2001:db8:1:" in line for line in lines)


def test_what_goes_and_what_comes_in_its_place_is_told() -> None:
    """The answer to the echo waits for the neighbour that the advertisement then names."""
    lines = explained(2, (0, ether(echo())), (1, ra()))
    assert "  gone   neighbor fe80::ff:fe00:a0%fxp0 (incomplete) incomplete" in lines
    assert "  new    neighbor fe80::ff:fe00:a0%fxp0 02:00:00:00:00:a0 delay router" in lines


def test_a_fragment_is_followed_to_the_end_of_its_datagram() -> None:
    first, second = fragments(echo(PEER, US, 64), 32)
    lines = explained(1, (0, ether(first)), (1, ether(second)))
    assert any("frag6 holds" in line for line in lines)
    assert "  = consumed" in lines


def test_a_packet_of_the_node_itself_is_said_to_be_one() -> None:
    lines = explained(1, (0, ether(echo(US, PEER), src=US_MAC)))
    assert lines[-1] == "  = own: the node sent it itself, its kernel did not hear it"


def test_what_is_no_ipv6_is_named_by_its_type() -> None:
    lines = explained(1, (0, ether(bytes(40), ethertype=0x0806)))
    assert lines[1] == "ethertype 0x0806"
    assert any("ETHER_TYPE" in line for line in lines)
