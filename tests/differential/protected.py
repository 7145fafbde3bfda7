# SPDX-License-Identifier: BSD-3-Clause
"""A host that has keys, and packets for it that are made when they are wanted."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, Protocol

from hypothesis import strategies as st

from kame_py.kern.conf import KernConf
from kame_py.replay.runner import ReplayResult
from tests.differential.home import (
    FAR,
    HA,
    MS,
    NEIGHBOUR,
    NS,
    ROUTER,
    Node,
    Steps,
    capture,
    compared,
    frame,
)
from tests.scenario.words import udp

NO_NEXT: Final = 59  # nothing is inside
CONF: Final = KernConf(frozenset({"MIP6", "IPSEC", "IPSEC_ESP"}))
HOST_RC: Final = f"""
sysctl -w net.inet6.ip6.dad_count=0
ifconfig fxp0 inet6 {HA} prefixlen 64 alias
ndp -s {ROUTER} 0:90:27:0:0:a1
ndp -s {NEIGHBOUR} 0:90:27:0:0:1
route add -inet6 default {ROUTER}
"""
FIRST: Final = frame(udp(FAR, FAR))  # the vector path begins behind the first packet


class Made(Protocol):
    """What makes a frame."""

    def packet(self) -> bytes: ...


Item = Made | bytes
gaps = st.sampled_from([0, MS, 30 * MS, 500 * MS, NS])


def keyed(text: str) -> str:
    """setkey with a script."""
    return f"setkey -c <<EOF\n{text}\nEOF\n"


def both_ways(
    packets: Sequence[Item | tuple[int, Item]], who: Node, steps: Steps = (), gap_ns: int = MS
) -> ReplayResult:
    """Compare both ways; a packet may have its own time, behind which the others follow."""
    frames, t = [], 0
    for item in packets:
        t, data = item if isinstance(item, tuple) else (t + gap_ns, item)
        frames.append((t, data if isinstance(data, bytes) else data.packet()))
    return compared(capture(frames), who, steps)


def spaced(packets: Iterable[tuple[int, Item]]) -> list[tuple[int, Item]]:
    """Each with its time, from the time between it and the one before."""
    t, timed = 0, []
    for gap, packet in packets:
        t += gap
        timed.append((t, packet))
    return timed
