# SPDX-License-Identifier: BSD-3-Clause
"""Which MAC address a captured host has, and which one nobody has."""

from __future__ import annotations

import gzip
import io
from collections.abc import Callable
from pathlib import Path

import pytest

from kame_py.fast.cpu import JIT
from kame_py.fast.window import ALIGN, CHUNK, SPAN
from kame_py.replay.capture import CaptureError, Record
from kame_py.replay.linktype import Frame, link_strip
from kame_py.replay.pcap import open_capture
from kame_py.replay.runner import Fast, ReplayOptions, replay
from kame_py.replay.scan import Host, absent_mac, find_host
from kame_py.wire.codecs import Ip6Hdr
from tests.support import data_files
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

if JIT:
    from kame_py.fast import sights
    from kame_py.replay import quick

compiled = pytest.mark.skipif(not JIT, reason="no kernels here")


def found(addr: bytes, *frames: bytes, linktype: int = 1) -> Host | None:
    records = [(i * 1.0, frame) for i, frame in enumerate(frames)]
    host = find_host(open_capture(capture(*records, linktype=linktype)), addr)
    if JIT:
        again = capture(*records, linktype=linktype)
        assert find_host(quick.telling(again, addr), addr) == host
    return host


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


# -- with kernels ---------------------------------------------------------------------------------


@compiled
@pytest.mark.parametrize("path", data_files("**/*.pcap*"), ids=lambda path: path.name)
def test_kernels_find_of_each_host_what_the_whole_capture_tells(path: Path) -> None:
    octets = path.read_bytes()
    try:
        hosts = {addr for record in open_capture(io.BytesIO(octets)) for addr in ends(record)}
    except CaptureError:
        pytest.skip("not a capture")
    for host in sorted(hosts)[:40]:
        slow = find_host(open_capture(io.BytesIO(octets)), host)
        assert find_host(quick.telling(io.BytesIO(octets), host), host) == slow


def ends(record: Record) -> list[bytes]:
    frame = link_strip(record.linktype, record.data)
    if not isinstance(frame, Frame) or len(frame.payload) < Ip6Hdr.SIZE:
        return []
    return [
        frame.payload[Ip6Hdr.O_ip6_src : Ip6Hdr.O_ip6_dst],
        frame.payload[Ip6Hdr.O_ip6_dst : Ip6Hdr.SIZE],
    ]


@compiled
def test_of_many_packets_of_a_kind_one_is_looked_at() -> None:
    frames = [(i * 1.0, ether(echo(size=8 + i))) for i in range(3000)]
    assert [record.n for record in quick.telling(capture(*frames), PEER)] == [1]


@compiled
def test_with_more_kinds_than_there_is_room_for_all_are_looked_at() -> None:
    def mac(i: int) -> bytes:
        return bytes((2, 0, 0, 0, i >> 8, i & 0xFF))

    frames = [(0.0, ether(echo(GLOBAL), src=mac(i))) for i in range(sights.KINDS + 5)]
    seen = [record.n for record in quick.telling(capture(*frames, *frames), PEER)]
    assert seen[: sights.KINDS + 5] == list(range(1, sights.KINDS + 6))
    assert seen[sights.KINDS + 5 :] == [2 * sights.KINDS + 5 + i for i in range(1, 6)]


@compiled
@pytest.mark.parametrize("packed", [bytes, gzip.compress], ids=["", "gzip"])
@pytest.mark.parametrize("on_disk", [True, False], ids=["file", "memory"])
def test_octets_are_found_wherever_they_are(
    packed: Callable[[bytes], bytes], on_disk: bool, tmp_path: Path
) -> None:
    text, size = b"\x02kame", 3 * CHUNK
    halves = b"\x02kam\x02ka\x02k\x02"
    for at in (0, 1, 4095, 4096, 8190, CHUNK - 3, CHUNK, 2 * CHUNK - 1, size - 5):
        octets = bytearray(halves * (size // len(halves) + 1))[:size]
        assert not _holds(packed(bytes(octets)), text, on_disk, tmp_path)
        octets[at : at + len(text)] = text
        assert _holds(packed(bytes(octets)), text, on_disk, tmp_path)
    assert not _holds(packed(b""), text, on_disk, tmp_path)
    assert not _holds(packed(text[:4]), text, on_disk, tmp_path)


def _holds(octets: bytes, text: bytes, on_disk: bool, folder: Path) -> bool:
    if not on_disk:
        return quick.holds(io.BytesIO(octets), text)
    path = folder / "octets"
    path.write_bytes(octets)
    with path.open("rb") as f:
        return quick.holds(f, text)


@compiled
def test_octets_at_the_seams_of_a_mapped_file_are_found(tmp_path: Path) -> None:
    path = tmp_path / "octets"
    for at in (SPAN - 3, SPAN - 66, SPAN + ALIGN - 2):
        octets = bytearray(SPAN + 2 * ALIGN)
        octets[at : at + 5] = b"\x02kame"
        path.write_bytes(octets)
        with path.open("rb") as f:
            assert quick.holds(f, b"\x02kame")
        octets[at + 4] = 0
        path.write_bytes(octets)
        with path.open("rb") as f:
            assert not quick.holds(f, b"\x02kame")


@compiled
def test_a_large_capture_is_looked_through_with_kernels(tmp_path: Path) -> None:
    """And the default MAC address is still none that it holds."""
    usual = absent_mac(io.BytesIO(b""))
    many = [(i * 1e-3, ether(echo(GLOBAL, size=1200), src=usual)) for i in range(3600)]
    path = tmp_path / "large.pcap"
    path.write_bytes(capture(*many).getvalue())
    for fast in (Fast.OFF, Fast.AUTO):
        with path.open("rb") as f:
            result = replay(f, ReplayOptions(fast=fast))
        (ifp,) = (ifp for ifp in result.kern.ifnets if ifp.if_name == "fxp0")
        assert ifp.if_hwaddr == usual[:-1] + b"\x02"
        assert result.packets == len(many)
