# SPDX-License-Identifier: BSD-3-Clause
"""Whole packets: into layers and back to the same octets."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kame_py.wire import codecs, mip6_draft13, mip6_draft15
from kame_py.wire.malformed import Malformed
from kame_py.wire.mip6 import BindingAck, BindingUpdate, OptionWire
from kame_py.wire.packet import Layers, Options, OtherOpt, Raw, build_packet, parse_packet

WIRES = {"d13": mip6_draft13.WIRE, "d15": mip6_draft15.WIRE}


class Vector(NamedTuple):
    name: str
    note: str
    packet: bytes

    @property
    def wire(self) -> OptionWire:
        return WIRES.get(self.name[:3], mip6_draft15.WIRE)


@pytest.fixture(scope="module")
def vectors(data_dir: Path) -> list[Vector]:
    rows = (data_dir / "vectors" / "mobility-packets.tsv").read_text().splitlines()
    columns = [row.split("\t") for row in rows if not row.startswith("#")]
    return [Vector(row[1], row[3], bytes.fromhex(row[4])) for row in columns]


def layers_of(vector: Vector) -> Layers:
    got = parse_packet(vector.packet, vector.wire)
    assert not isinstance(got, Malformed), f"{vector.name}: {got}"
    return got


def test_all_63_packets_rebuild_to_the_octet(vectors: list[Vector]) -> None:
    rebuilt = [v for v in vectors if build_packet(layers_of(v), v.wire) == v.packet]
    assert (len(rebuilt), len(vectors)) == (63, 63)


def test_draft_packets_leave_nothing_unparsed_but_payload(vectors: list[Vector]) -> None:
    drafts = [v for v in vectors if v.name[:3] in WIRES]
    assert len(drafts) == 22
    for vector in drafts:
        layers = layers_of(vector)
        raw = [layer for layer in layers if isinstance(layer, Raw)]
        udp = any(isinstance(layer, codecs.Udphdr) for layer in layers)
        assert len(raw) == (1 if udp else 0), vector.name
        for layer in layers:
            if isinstance(layer, Options):
                assert not any(isinstance(opt, OtherOpt) for opt in layer.options)


def test_bindings_say_what_the_notes_say(vectors: list[Vector]) -> None:
    found = {
        v.name: opt
        for v in vectors
        if v.name[:3] in WIRES
        for layer in layers_of(v)
        if isinstance(layer, Options)
        for opt in layer.options
        if isinstance(opt, BindingUpdate | BindingAck)
    }
    bu = found["d15_bu_home_sha1"]
    assert isinstance(bu, BindingUpdate)
    assert (bu.flags, bu.seqno, bu.lifetime_s) == (0xD0, 0x2A, 600)
    old = found["d13_ah_bu_sha1"]
    assert isinstance(old, BindingUpdate)
    assert (old.prefixlen, old.seqno) == (64, 0x0123)
    ba = found["d15_ba_141"]
    assert isinstance(ba, BindingAck)
    assert ba.status == 141


def test_every_truncation_is_refused_or_rebuilt(vectors: list[Vector]) -> None:
    for vector in vectors:
        for end in range(len(vector.packet)):
            short = vector.packet[:end]
            got = parse_packet(short, vector.wire)
            assert isinstance(got, Malformed) or build_packet(got, vector.wire) == short


def test_data_of_a_later_fragment_is_not_taken_for_a_header() -> None:
    head = codecs.Ip6Hdr(ip6_nxt=44)
    frag = codecs.Ip6Frag(ip6f_nxt=17, ip6f_offlg=8)
    rest = bytes(8)  # would read as a UDP header
    got = parse_packet(head.pack() + frag.pack() + rest, mip6_draft15.WIRE)
    assert got == (head, frag, Raw(rest))


def test_many_nested_tunnels_do_not_exhaust_the_stack() -> None:
    tunnel = codecs.Ip6Hdr(ip6_nxt=41).pack()
    layers = parse_packet(tunnel * 1600 + codecs.Ip6Hdr().pack(), mip6_draft15.WIRE)
    assert not isinstance(layers, Malformed)
    assert len(layers) == 1601


@given(
    nxt=st.sampled_from([0, 6, 17, 41, 43, 44, 50, 51, 58, 59, 60, 135]),
    body=st.binary(max_size=90),
    wire=st.sampled_from(list(WIRES.values())),
)
def test_random_bodies_never_raise_and_rebuild(nxt: int, body: bytes, wire: OptionWire) -> None:
    packet = codecs.Ip6Hdr(ip6_nxt=nxt).pack() + body
    got = parse_packet(packet, wire)
    assert isinstance(got, Malformed) or build_packet(got, wire) == packet


@given(kind=st.integers(0, 255), body=st.binary(max_size=60))
def test_random_icmp6_never_raises_and_rebuilds(kind: int, body: bytes) -> None:
    packet = codecs.Ip6Hdr(ip6_nxt=58).pack() + bytes((kind,)) + body
    got = parse_packet(packet, mip6_draft15.WIRE)
    if not isinstance(got, Malformed):
        assert build_packet(got, mip6_draft15.WIRE) == packet
