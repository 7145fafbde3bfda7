# SPDX-License-Identifier: BSD-3-Clause
"""Which packets are signalling of mobility: captures made elsewhere, and damage."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kame_py.replay.linktype import Frame, link_strip
from kame_py.replay.pcap import open_capture
from kame_py.replay.signal import Signal, find_signal
from kame_py.wire.in6addr import ntop
from kame_py.wire.mip6_wires import WIRES
from tests.support import data_dir
from tests.unit.replay.captures import addr, echo, ip6


def signals(name: str, wire: str) -> list[Signal]:
    """All of a capture of the test data."""
    found = []
    with (data_dir() / "captures" / name).open("rb") as f:
        for record in open_capture(f):
            frame = link_strip(record.linktype, record.data)
            assert isinstance(frame, Frame)
            found.append(find_signal(frame.payload, WIRES[wire]))
    return [signal for signal in found if signal is not None]


def told(signal: Signal) -> tuple[str, str, str, str]:
    return signal.kind, signal.text, ntop(signal.src), ntop(signal.dst)


MN, HA, CN = "2001:db8:0:1::100", "2001:db8:0:1::1", "2001:db8:0:3::200"
COA = "2001:db8:0:2::100"


def test_messages_of_draft_15() -> None:
    found = signals("generated-draft15.pcap", "draft-15")
    assert [told(signal) for signal in found[:8]] == [
        ("BU", f"seq 42, 600 s, AHD at {COA}", MN, HA),
        ("BU", f"seq 42, 600 s, AHD at {COA}", MN, HA),
        ("BU", "seq 255, 120 s, A at 2001:db8:0:4::77", MN, CN),  # alternate care-of address
        ("BA", "seq 42, 600 s", HA, MN),
        ("BA", "seq 42, refused 141", HA, MN),
        ("BU", "seq 43, deregisters, AH", MN, HA),
        ("BU", f"seq 1, 60 s, AH at {COA}", MN, HA),
        ("BR", "binding request", CN, MN),
    ]
    assert [signal.refused for signal in found[3:5]] == [False, True]
    rest = Counter(signal.kind for signal in found[8:])
    assert rest == {"DHAAD": 2, "MPS": 1, "MPA": 1, "RA": 2}


def test_messages_of_draft_13() -> None:
    found = signals("generated-draft13_ah.pcap", "draft-13")
    assert Counter(signal.kind for signal in found) == {"BU": 4, "BA": 2, "DHAAD": 1}
    assert told(found[0]) == ("BU", f"seq 291, 600 s, AHD at {COA}", MN, HA)


def test_messages_of_rfc_6275_have_names() -> None:
    found = signals("generated-rfc6275.pcap", "draft-15")
    assert Counter(signal.kind for signal in found) == {"MH": 16, "DHAAD": 2, "MPS": 1, "MPA": 1}
    assert sum(signal.text.endswith(", in a tunnel") for signal in found) == 1


def test_other_packets_are_none() -> None:
    assert find_signal(echo(), WIRES["draft-15"]) is None
    assert find_signal(ip6(b"", 59, addr(MN), addr(HA)), WIRES["draft-15"]) is None


@pytest.mark.parametrize("draft", WIRES)
@given(cut=st.integers(0, 200), data=st.data())
def test_damage_does_no_harm(draft: str, cut: int, data: st.DataObject) -> None:
    packet = bytearray(ip6(data.draw(st.binary(max_size=120)), 60, addr(MN), addr(HA))[:cut])
    for at in data.draw(st.lists(st.integers(0, max(len(packet) - 1, 0)), max_size=3)):
        if packet:
            packet[at] ^= 0xFF
    find_signal(bytes(packet), WIRES[draft])
