# SPDX-License-Identifier: BSD-3-Clause
"""Captures that are cut, flipped and spoiled anywhere: fast says what slow says, and never raises.

Seeds are fixed; KAME_FUZZ_SEEDS tries that many more.
"""

from __future__ import annotations

import io
import os
from typing import Final

import pytest

from kame_py.replay.capture import CaptureError
from kame_py.replay.runner import Fast
from tests.differential.home import CN, HA, Node, capture, frame, play
from tests.differential.home import assert_equal as assert_equal_outcomes
from tests.differential.nodes import NODES
from tests.differential.steps import AWAY, HOMES, PROBES, REGISTRATIONS
from tests.differential.steps import NODES as STORY_NODES
from tests.differential.test_fast_captures import pcapng
from tests.scenario.mip6words import bu
from tests.scenario.words import echo, ext, ip6, na, ns, ra, tll, udp

np = pytest.importorskip("numpy")

SEEDS: Final = range(int(os.environ.get("KAME_FUZZ_SEEDS", "4")))
FRAMES: Final = (
    *REGISTRATIONS,
    *PROBES,
    frame(bu(CN, HA, HOMES[0], 3, 600, "A")),
    frame(echo(CN, HA, bytes(range(33)))),
    frame(ip6(CN, HA, ext(58, bytes(6)) + echo(CN, HA)[40:], 60)),
    frame(na(HOMES[0], "SO", HOMES[0], HA, tll(bytes(6)))),
    frame(ns(HA, "2001:db8:1::9", dst=HA)),
    frame(ra("fe80::a1")),
    frame(ip6(AWAY[0], HA, udp(HOMES[0], CN), 41)),
)
HEAD: Final = 14
KINDS: Final = ["home agent", "home agent with keys", "router", "correspondent", "host"]


def spoiled(data: bytes, rng: np.random.Generator) -> bytes:
    """One to three faults: an octet, a bit, a length, an end, a piece of another packet."""
    octets = bytearray(data)
    for _ in range(int(rng.integers(1, 4))):
        if not octets:
            break
        at = int(rng.integers(min(len(octets), 110)))
        fault = int(rng.integers(6))
        if fault == 0:
            octets[at] ^= 1 << int(rng.integers(8))
        elif fault == 1:
            octets[at] = int(rng.integers(256))
        elif fault == 2:
            octets[at] = int(rng.choice((0, 1, 41, 43, 44, 51, 58, 59, 60, 128, 255)))
        elif fault == 3:
            del octets[at:]
        elif fault == 4:
            octets += bytes(int(rng.integers(60)))
        else:
            other = FRAMES[int(rng.integers(len(FRAMES)))]
            octets[at:] = other[at:]
    return bytes(octets)


def both(pcap: bytes, node: Node) -> None:
    """The same outcome, or the same refusal to read it at all."""
    try:
        slow, _ = play(pcap, Fast.OFF, node)
    except CaptureError as refused:
        with pytest.raises(CaptureError, match=r".*") as found:
            play(pcap, Fast.ON, node)
        assert str(found.value) == str(refused)
        return
    fast, _ = play(pcap, Fast.ON, node)
    assert_equal_outcomes(slow, fast)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("name", KINDS)
def test_spoiled_packets(name: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    frames = list(REGISTRATIONS)
    for _ in range(500):
        frames.append(spoiled(FRAMES[int(rng.integers(len(FRAMES)))], rng))
        frames.append(PROBES[int(rng.integers(len(PROBES)))])
    both(capture((k * 1000, data) for k, data in enumerate(frames)), STORY_NODES[name])


@pytest.mark.parametrize("name", ["home agent", "host"])
@pytest.mark.parametrize("kind", ["pcap", "pcapng"])
@pytest.mark.parametrize("seed", SEEDS)
def test_spoiled_files(seed: int, kind: str, name: str) -> None:
    """The headers of files, blocks and records, too."""
    rng = np.random.default_rng(1000 + seed)
    frames = [(k * 1000, data) for k, data in enumerate((*REGISTRATIONS, *PROBES * 4))]
    whole = capture(frames) if kind == "pcap" else pcapng(frames)
    for _ in range(8):
        octets = bytearray(whole)
        for _ in range(int(rng.integers(1, 4))):
            octets[int(rng.integers(len(octets)))] ^= 1 << int(rng.integers(8))
        end = len(octets) if rng.random() < 0.5 else int(rng.integers(24, len(octets)))
        both(bytes(octets[:end]), NODES[name])


def test_a_file_cut_at_every_octet_of_a_record() -> None:
    frames = [(k * 1000, data) for k, data in enumerate((*REGISTRATIONS[:1], *PROBES[:2] * 2))]
    for whole in (capture(frames), pcapng(frames)):
        for end in range(len(whole) - 150, len(whole), 3):
            both(whole[:end], NODES["home agent"])


def test_no_file_is_no_capture() -> None:
    for data in (b"", b"\0" * 30, io.BytesIO(b"\xd4\xc3\xb2\xa1").read()):
        both(data, NODES["host"])
