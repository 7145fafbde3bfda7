# SPDX-License-Identifier: BSD-3-Clause
"""The packets of the HowTo's lab, from its capture: discovery, bindings, tunnels, and their end."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Final, NamedTuple

import pytest

from kame_py.cli.lab import load_lab
from kame_py.kern.clock import NS
from kame_py.lab.handframe import Meaning, frame_meaning
from kame_py.lab.runner import LabRun
from kame_py.mip6.mip6_var import mip6_state
from kame_py.replay.pcap import open_capture
from kame_py.trace.format import frame_summary
from kame_py.wire.codecs import EtherHeader, Ip6Hdr
from kame_py.wire.const import IPPROTO_IPV6
from kame_py.wire.in6addr import ntop
from kame_py.wire.mip6_draft15 import WIRE
from tests.scenario.test_captures_by_tshark import DISSECTOR, SUSPECT, seen
from tests.support import needs_tool, run

AHD: Final = 0x80 | 0x40 | 0x10
ANYCAST: Final = "2001:200:1:1:fdff:ffff:ffff:fffe"
MOVES: Final = (18, 36, 54)  # s
BINDINGS: Final = 2  # the lab sends mn abroad twice


class Frame(NamedTuple):
    """One frame of the capture: at whose interface, received or sent there."""

    n: int
    t_s: float
    port: str
    inbound: bool
    line: str
    nxt: int
    src: bytes
    dst: bytes
    meaning: Meaning


class Captured(NamedTuple):
    run: LabRun
    octets: bytes
    frames: list[Frame]

    def sent(self, node: str) -> list[Frame]:
        return [f for f in self.frames if f.port.startswith(f"{node}.") and not f.inbound]

    def received(self, node: str) -> list[Frame]:
        return [f for f in self.frames if f.port.startswith(f"{node}.") and f.inbound]

    def host(self, name: str) -> bytes:
        return next(iter(self.run.lab.hosts[name]))


@pytest.fixture(scope="module")
def lab() -> Captured:
    """The lab after its run, with what its capture file holds."""
    f = io.BytesIO()
    lab_run = LabRun(load_lab("howto"), capture=f)
    lab_run.run()
    reader = open_capture(io.BytesIO(f.getvalue()))
    packets = list(reader)
    began = packets[0].t_ns
    frames = []
    for packet in packets:
        meaning = frame_meaning(packet.data, WIRE)
        assert meaning is not None
        ip6 = Ip6Hdr.unpack(packet.data, EtherHeader.SIZE)
        frames.append(
            Frame(
                packet.n,
                (packet.t_ns - began) / NS,
                str(reader.interfaces[packet.ifindex].name),
                packet.inbound,
                frame_summary(packet.data, verbose=True),
                *(ip6.ip6_nxt, ip6.ip6_src, ip6.ip6_dst),
                meaning,
            )
        )
    return Captured(lab_run, f.getvalue(), frames)


# -- discovery and registration -------------------------------------------------------------------


def test_the_home_agent_is_found_by_a_request_and_its_reply(lab: Captured) -> None:
    asked = [f for f in lab.sent("mn2") if "ha discovery request" in f.line]
    told = [f for f in lab.received("mn2") if "ha discovery reply" in f.line]
    assert {ntop(f.dst) for f in asked} == {ANYCAST}
    assert [f.src for f in told] == [lab.host("ha")]
    first = next(f for f in lab.sent("mn2") if f.meaning.bu is not None)
    assert asked[0].n < told[0].n < first.n
    assert first.dst == told[0].src


def test_what_was_discovered_is_registered_with_ahd(lab: Captured) -> None:
    first = next(f for f in lab.sent("mn2") if f.meaning.bu is not None)
    assert first.meaning.bu is not None
    assert first.meaning.bu.flags == AHD
    (entry,) = [
        entry
        for hoa, entry in mip6_state(lab.run.world.nodes["ha"].kernel).mip6_hrbc_list.items()
        if hoa == lab.host("mn2")
    ]
    assert entry.mbc_flags & AHD == AHD
    assert entry.mbc_pcoa == first.src


# -- the tunnel -----------------------------------------------------------------------------------


def bound(lab: Captured) -> list[tuple[Frame, Frame | None]]:
    """Where the correspondent gets a binding abroad, and the move after it."""
    got = [
        f
        for f in lab.received("cn")
        if f.dst == lab.host("cn") and f.meaning.bu is not None and f.meaning.bu.lifetime_s
    ]
    found = []
    for start, end in zip(MOVES, (*MOVES[1:], None), strict=True):
        of_stay = [f for f in got if f.t_s >= start and (end is None or f.t_s < end)]
        later = [f for f in lab.frames if end is not None and f.t_s >= end]
        if of_stay:
            found.append((of_stay[0], later[0] if later else None))
    return found


def tunnelled(lab: Captured, first: int, last: int) -> list[Frame]:
    """IPv6 in IPv6 between two places of the capture."""
    return [f for f in lab.frames if first < f.n < last and f.nxt == IPPROTO_IPV6]


def test_before_the_correspondent_knows_the_ping_takes_the_tunnel(lab: Captured) -> None:
    binding, _ = bound(lab)[0]
    there = tunnelled(lab, 0, binding.n)
    assert there
    assert {(f.src, f.dst, f.meaning.final) for f in there} == {
        (lab.host("ha"), binding.src, lab.host("mn"))
    }


def test_no_packet_of_the_ping_takes_the_tunnel_once_the_correspondent_knows(
    lab: Captured,
) -> None:
    stays = bound(lab)
    assert len(stays) == BINDINGS
    for binding, end in stays:
        assert end is not None
        pings = [f for f in lab.received("mn") if binding.n < f.n < end.n and f.meaning.payload]
        assert len(pings) > 5
        assert all(f.dst == binding.src and f.meaning.final == lab.host("mn") for f in pings)
        assert tunnelled(lab, binding.n, end.n) == []


# -- home again -----------------------------------------------------------------------------------


def test_after_the_return_nothing_is_tunnelled_or_routed_by_a_header(lab: Captured) -> None:
    back = [f for f in lab.received("cn") if f.meaning.bu is not None and f.t_s >= MOVES[-1]]
    assert [f.meaning.bu.lifetime_s for f in back if f.meaning.bu is not None] == [0]
    later = [f for f in lab.frames if f.n > back[0].n]
    assert [f.line for f in later if f.nxt == IPPROTO_IPV6] == []
    pings = [f for f in later if f.port.startswith("cn.") and f.meaning.payload]
    assert pings
    assert {frozenset((f.src, f.dst)) for f in pings} == {
        frozenset((lab.host("cn"), lab.host("mn")))
    }


def test_after_the_return_cache_and_proxy_are_gone_on_both_sides(lab: Captured) -> None:
    home = lab.host("mn")
    ha, cn, mn = (lab.run.world.nodes[name].kernel for name in ("ha", "cn", "mn"))
    assert home not in mip6_state(ha).mip6_hrbc_list
    assert [hoa for _, hoa in mip6_state(ha).mip6_bc_list if hoa == home] == []
    assert [hoa for _, hoa in mip6_state(cn).mip6_bc_list] == []
    assert [bu for sc in mip6_state(mn).hif_softc_list for bu in sc.hif_bu_list] == []
    listed = lab.run.world.nodes["ha"].run("ndp -an").out.splitlines()
    assert any(ntop(home) in line for line in listed)
    assert [line for line in listed if ntop(home) in line and line.split()[-1] == "p"] == []


def test_the_home_agent_is_silent_for_the_home_address_after_the_return(lab: Captured) -> None:
    accepted = next(
        f for f in lab.received("mn") if f.meaning.ba is not None and f.t_s >= MOVES[-1]
    )
    for f in lab.sent("ha"):
        if f.n > accepted.n and f.meaning.nd_target == lab.host("mn"):
            assert "neighbor adv" not in f.line


# -- tshark ---------------------------------------------------------------------------------------


def test_tshark_reads_the_signalling_and_finds_no_fault(lab: Captured, tmp_path: Path) -> None:
    tshark = needs_tool("tshark")
    path = tmp_path / "howto.pcapng"
    path.write_bytes(lab.octets)
    updates = [f for f in lab.frames if f.meaning.bu is not None]
    done = run(tshark, "-X", f"lua_script:{DISSECTOR}", "-n", "-r", path, "-V")
    assert done.stdout.count("Binding Update") >= len(updates) > 0
    assert seen(tshark, path, SUSPECT) == []
