# SPDX-License-Identifier: BSD-3-Clause
"""Which MAC address a captured host has, and which one nobody has."""

from __future__ import annotations

import io

from kame_py.replay.pcap import open_capture
from kame_py.replay.scan import Host, absent_mac, find_host
from tests.unit.replay.captures import (
    ANY,
    GLOBAL,
    OTHER_MAC,
    PEER,
    PEER_MAC,
    US,
    US_MAC,
    capture,
    echo,
    ether,
    na,
    ns,
    ra,
)


def found(addr: bytes, *frames: bytes, linktype: int = 1) -> Host | None:
    records = ((i * 1.0, frame) for i, frame in enumerate(frames))
    return find_host(open_capture(capture(*records, linktype=linktype)), addr)


def test_the_source_of_packets_has_the_address() -> None:
    assert found(PEER, ether(echo())) == Host(PEER_MAC, 64)


def test_an_address_that_only_receives_has_the_mac_it_is_sent_to() -> None:
    assert found(US, ether(echo())) == Host(US_MAC, 64)


def test_an_address_that_only_hears_broadcasts_is_there_but_has_no_known_mac() -> None:
    broadcast = ether(echo(), dst=b"\xff" * 6)
    assert found(US, broadcast) == Host(None, 64)
    assert found(US, broadcast, ether(echo())) == Host(US_MAC, 64)


def test_neighbour_discovery_counts_more_than_the_last_hop() -> None:
    forwarded = ether(echo(GLOBAL), src=OTHER_MAC)
    assert found(GLOBAL, forwarded, na(GLOBAL, said=PEER_MAC)) == Host(PEER_MAC, 64)
    assert found(GLOBAL, forwarded, ns(US, GLOBAL, PEER_MAC)) == Host(PEER_MAC, 64)


def test_who_asks_for_duplicates_has_the_address() -> None:
    assert found(GLOBAL, ether(echo(dst=GLOBAL)), ns(GLOBAL, ANY, OTHER_MAC)) == Host(OTHER_MAC, 64)


def test_the_prefix_length_comes_from_the_advertisement_that_fits() -> None:
    frames = (ether(echo(GLOBAL)), ra("2001:db8:9::", 96), ra("2001:db8::", 32))
    assert found(GLOBAL, *frames) == Host(PEER_MAC, 32)


def test_links_without_addresses_have_hosts_without_mac() -> None:
    assert found(PEER, echo(), linktype=101) == Host(None, 64)


def test_an_address_nobody_uses_is_not_found() -> None:
    assert found(GLOBAL, ether(echo()), b"\x60", ether(b"\x60")) is None


def test_the_default_mac_is_not_in_the_capture() -> None:
    usual = absent_mac(capture((0, ether(echo()))))
    f = capture((0, ether(echo(), src=usual)))
    other = absent_mac(f)
    assert other != usual
    assert f.tell() == 0
    assert absent_mac(f) == other


def test_a_mac_across_two_reads_is_seen() -> None:
    usual = absent_mac(io.BytesIO(b""))
    for split in range(1, 6):
        f = io.BytesIO(bytes((1 << 20) - split) + usual)
        assert absent_mac(f) != usual


def test_a_mac_that_sends_to_its_own_host_is_shared() -> None:
    frames = (ether(echo(PEER, GLOBAL)), ether(echo(GLOBAL, PEER)), ether(echo(US), src=OTHER_MAC))
    assert found(PEER, *frames) == Host(US_MAC, 64, True, frozenset({US_MAC}))


def test_a_mac_that_sends_everything_is_shared() -> None:
    assert found(PEER, ether(echo(PEER, US)), ether(echo(GLOBAL, US))) == Host(None, 64, True)
