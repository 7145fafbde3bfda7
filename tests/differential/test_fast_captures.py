# SPDX-License-Identifier: BSD-3-Clause
"""Every capture of the test data, to nodes of every kind: fast is what slow is."""

from __future__ import annotations

import gzip
import io
from pathlib import Path
from typing import Final

import pytest

from kame_py.replay.linktype import LinkReason, link_strip
from kame_py.replay.pcap import LINKTYPE_ETHERNET, LINKTYPE_RAW
from kame_py.replay.pcapng import PcapngWriter
from kame_py.replay.runner import ReplayResult
from kame_py.wire import pcapfmt
from kame_py.wire.codecs import EtherHeader
from tests.differential.home import MAC, MS, NS, RC, START_NS, Node, capture, compared
from tests.differential.nodes import (
    FILES,
    MIP6,
    NODES,
    PLAIN,
    REGISTERED,
    everything,
    heard,
    to_node,
)
from tests.support import data_dir

pytest.importorskip("numpy")

pytestmark = pytest.mark.skipif(not FILES, reason="no test data (set KAME_TEST_DATA)")

#: Nodes that see each packet one by one.
ONE_BY_ONE: Final = {"router that is listened to", "node that is down"}
MN_MAC: Final = bytes.fromhex("020000000099")
VICTIM_MAC: Final = bytes.fromhex("0200000000bb")
#: Addresses that are in captures, to be taken by the node.
TAKEN: Final = {
    "umip-ro-hl.pcap": ("2001:db8:1::1234", "2001:db8:1::1"),
    "umip-ro-cl.pcap": ("2001:db8:4::2",),
    "umip-dhaad-hl.pcap": ("2001:db8:1::1",),
    "hao-ah.pcap": ("2001:db8:a::1", "2001:db8:a::2"),
    "scapy_ipv6_ipsec.pcap": (),
    "ip6_esp.pcap": (),
}


def after_registration(frames: list[tuple[int, bytes]]) -> list[tuple[int, bytes]]:
    start = [(k * MS, data) for k, data in enumerate(REGISTERED)]
    return start + [(NS + t_ns, data) for t_ns, data in frames]


@pytest.mark.parametrize("name", NODES)
def test_all_captures_to_a_node(name: str) -> None:
    """Whatever was for any station is for this one."""
    result = compared(capture(after_registration(list(everything()))), NODES[name])
    assert result.packets > 8000
    assert (result.in_bulk == 0) == (name in ONE_BY_ONE)


@pytest.mark.parametrize("name", ["host", "router", "home agent", "mobile node"])
@pytest.mark.parametrize("mac", [MAC, MN_MAC, VICTIM_MAC], ids=["other", "mobile", "victim"])
def test_all_captures_beside_a_node(name: str, mac: bytes) -> None:
    """As they were recorded; the node may be one of the stations, whose own packets are there."""
    result = compared(capture(list(everything(True))), NODES[name]._replace(lladdr=mac))
    assert result.in_bulk > 300
    assert (result.fates["own"] > 0) == (mac == MN_MAC)


@pytest.mark.parametrize("name", ["host with many addresses", "home agent"])
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_capture_by_itself(path: Path, name: str) -> None:
    """Each packet twice, so that the fast path sees the first one, too."""
    linktype, packets = heard(path)
    if linktype == LINKTYPE_ETHERNET:
        packets = [(t_ns, to_node(data)) for t_ns, data in packets]
    last = packets[-1][0] if packets else 0
    again = [(last + MS + t_ns, data) for t_ns, data in packets]
    compared(capture(packets + again, linktype), NODES[name])


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_capture_as_it_is(path: Path) -> None:
    """Byte for byte the file, with what is wrong in it, compressed or not."""
    compared(path.read_bytes(), NODES["host"])


@pytest.mark.parametrize(
    ("file", "addr"), [(file, addr) for file, addrs in TAKEN.items() for addr in addrs]
)
def test_a_node_that_takes_the_place_of_one_in_the_capture(file: str, addr: str) -> None:
    pcap = next(path for path in FILES if path.name == file).read_bytes()
    assert compared(pcap, Node(None, PLAIN, None, addr)).fates["own"]
    compared(pcap, Node("sysctl -w net.inet6.ip6.forwarding=1\n", MIP6, None, addr))


# -- other links, other files ---------------------------------------------------------------------


def bare() -> list[tuple[int, bytes]]:
    """All packets, without their link headers."""
    frames = after_registration(list(everything()))
    return [(t_ns, data[EtherHeader.SIZE :]) for t_ns, data in frames]


def cooked(data: bytes) -> bytes:
    """A packet of a Linux cooked capture, to this host."""
    return bytes.fromhex("0000 0001 0006 009027000001 0000 86dd") + data


def null(data: bytes) -> bytes:
    return (30).to_bytes(4, "little") + data


LINKS: Final = {
    "raw": (LINKTYPE_RAW, bytes),
    "raw 12": (pcapfmt.LINKTYPE_RAW12, bytes),
    "IPv6": (pcapfmt.LINKTYPE_IPV6, bytes),
    "null": (pcapfmt.LINKTYPE_NULL, null),
    "cooked": (pcapfmt.LINKTYPE_LINUX_SLL, cooked),
}


@pytest.mark.parametrize("link", LINKS)
@pytest.mark.parametrize("name", ["host", "home agent"])
def test_all_captures_on_a_link_without_addresses(link: str, name: str) -> None:
    linktype, dressed = LINKS[link]
    node = Node(None, PLAIN) if name == "host" else Node(RC.replace("ndp -s", "# ndp -s"))
    packets = [(t_ns, dressed(data)) for t_ns, data in bare()]
    result = compared(capture(packets, linktype), node)
    assert (result.in_bulk > 0) == (link in ("raw", "raw 12", "IPv6"))


def mixed_links(frames: list[tuple[int, bytes]]) -> bytes:
    """A pcapng file whose packets are of three interfaces, of different links."""
    f = io.BytesIO()
    writer = PcapngWriter(f)
    writer.add_interface("fxp0")
    writer.add_interface("any", pcapfmt.LINKTYPE_LINUX_SLL)
    writer.add_interface("tun0", LINKTYPE_RAW)
    for i, (t_ns, data) in enumerate(frames):
        ifindex = 0 if i < 600 else i // 50 % 3
        packet = data[EtherHeader.SIZE :]
        data = (data, cooked(packet), packet)[ifindex]
        writer.write(ifindex, START_NS + t_ns, data)
    return f.getvalue()


def test_all_captures_in_one_file_of_several_links() -> None:
    result = compared(mixed_links(after_registration(list(everything()))), NODES["home agent"])
    assert result.in_bulk > 1000


def pcapng(frames: list[tuple[int, bytes]]) -> bytes:
    f = io.BytesIO()
    writer = PcapngWriter(f)
    writer.add_interface("fxp0")
    for t_ns, data in frames:
        writer.write(0, START_NS + t_ns, data)
    return f.getvalue()


def test_kinds_of_files_make_no_difference() -> None:
    frames = after_registration(list(everything()))[:3000]
    files = [capture(frames), pcapng(frames), gzip.compress(capture(frames), 1)]
    results: list[ReplayResult] = [compared(file, NODES["home agent"]) for file in files]
    assert len({(r.in_bulk, *r.fates.values(), *r.punts.values()) for r in results}) == 1


def test_link_headers_are_what_they_seem() -> None:
    """The test's own: cooked and null packets are read as IPv6."""
    packet = bytes.fromhex("60") + bytes(39)
    for linktype, dressed in LINKS.values():
        found = link_strip(linktype, dressed(packet))
        assert not isinstance(found, LinkReason)
        assert found.payload == packet


def test_data_is_there_or_skipped() -> None:
    assert data_dir().is_dir()
