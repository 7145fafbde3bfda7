# SPDX-License-Identifier: BSD-3-Clause
"""A contest in one packet the slow way: forwarded by a kernel with everything that KAME looks at.

dpkt and scapy only take the octets apart, count the hop limit down and put them together again.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import metadata
from typing import Final

import dpkt
import scapy
from scapy.layers.inet6 import IPv6

from bench.peers.contest import OURS, Contender, Contest, own
from bench.test_packets import FAR, ping, router

PACKETS: Final = 500


def contests() -> list[Contest]:
    kern, ifp = router()
    frame = ping(FAR)
    contest = Contest("one packet forwarded", "packet")

    def ours() -> bytes:
        kern.if_input(ifp, frame)
        ((_, sent, _),) = kern.txq
        kern.txq.clear()
        return sent

    def by_dpkt() -> bytes:
        packet = dpkt.ip6.IP6(frame)
        packet.hlim -= 1
        return bytes(packet)

    def by_scapy() -> bytes:
        packet = IPv6(frame)
        packet.hlim -= 1
        return bytes(packet)

    def enter(name: str, does: str, work: Callable[[], bytes], version: str = "") -> None:
        if work() != right:
            raise ValueError(f"{name}: another packet")

        def packets() -> None:
            for _ in range(PACKETS):
                work()

        contest.contenders.append(Contender(name, does, own(packets), PACKETS, version))

    right = ours()
    enter(OURS, "a router: scopes, routes, neighbours, counters", ours)
    enter("dpkt", "octets, hop limit, octets", by_dpkt, metadata.version("dpkt"))
    enter("scapy", "octets, hop limit, octets", by_scapy, scapy.__version__)
    return [contest]
