# SPDX-License-Identifier: BSD-3-Clause
"""Captures of a home agent's wire, made here, and what a replay of them leaves."""

from __future__ import annotations

import io
from collections.abc import Iterable
from typing import Final, NamedTuple

from kame_py.kern.conf import KernConf
from kame_py.lab.rc import Command, parse_rc
from kame_py.replay.pcap import LINKTYPE_ETHERNET, LINKTYPE_RAW, PcapWriter
from kame_py.replay.runner import Fast, ReplayOptions, ReplayResult, replay
from kame_py.replay.verdict import Verdict
from kame_py.wire.codecs import EtherHeader
from kame_py.wire.const import ETHERTYPE_IPV6
from tests.differential.snapshot import snapshot

MAC: Final = bytes.fromhex("00a024660077")
ROUTER_MAC: Final = bytes.fromhex("0090270000a1")
OTHER_MAC: Final = bytes.fromhex("009027000001")
HA: Final = "2001:db8:1::1"
ROUTER: Final = "2001:db8:1::fe"
NEIGHBOUR: Final = "2001:db8:1::9"  # on the home link, known for ever
CN: Final = "2001:db8:f::1"
FAR: Final = "2001:db8:e::1"
OPTIONS: Final = frozenset({"MIP6"})
START_NS: Final = 1_012_435_200 * 10**9
NS: Final = 10**9

RC: Final = f"""
sysctl -w net.inet6.ip6.forwarding=1
sysctl -w net.inet6.ip6.dad_count=0
ifconfig fxp0 inet6 {HA} prefixlen 64 alias
ndp -s {ROUTER} 0:90:27:0:0:a1
ndp -s {NEIGHBOUR} 0:90:27:0:0:1
route add -inet6 default {ROUTER}
mip6control -S 0 -T 0
mip6control -g
"""


class Outcome(NamedTuple):
    """All that may be compared."""

    out: bytes
    verdicts: list[Verdict]
    fates: dict[str, int]
    drops: dict[str, int]
    replies: int
    error: str | None
    state: dict[str, object]


def frame(
    packet: bytes, src: bytes = ROUTER_MAC, dst: bytes = MAC, kind: int = ETHERTYPE_IPV6
) -> bytes:
    """An Ethernet frame, by default from the router to the node."""
    return EtherHeader(ether_dhost=dst, ether_shost=src, ether_type=kind).pack() + packet


def capture(frames: Iterable[tuple[int, bytes]], linktype: int = LINKTYPE_ETHERNET) -> bytes:
    """A capture of (ns since the start, frame)."""
    f = io.BytesIO()
    writer = PcapWriter(f, linktype)
    for t_ns, data in frames:
        writer.write(START_NS + t_ns, data)
    return f.getvalue()


def rc(text: str) -> list[Command]:
    """The commands of an rc."""
    commands = parse_rc(text)
    assert isinstance(commands, list), commands
    return commands


def play(
    pcap: bytes, fast: Fast, *, text: str | None = RC, options: frozenset[str] = OPTIONS
) -> tuple[Outcome, ReplayResult]:
    """Replay with or without the vector path."""
    out = io.BytesIO()
    verdicts: list[Verdict] = []
    how = ReplayOptions(
        conf=KernConf(options=options),
        rc=None if text is None else rc(text),
        lladdr=MAC,
        fast=fast,
    )
    result = replay(io.BytesIO(pcap), how, out=out, verdicts=verdicts.append)
    assert not result.problems, result.problems
    outcome = Outcome(
        out.getvalue(),
        verdicts,
        result.fates,
        result.drops,
        result.replies,
        result.error,
        snapshot(result.kern),
    )
    return outcome, result


__all__ = ["LINKTYPE_RAW", "Outcome", "capture", "frame", "play", "rc"]
