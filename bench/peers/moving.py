# SPDX-License-Identifier: BSD-3-Clause
"""Contests in what a home agent does with packets in memory: look up a binding, encapsulate.

Beside it copying the same octets, which is the least that can be done, and a dict of addresses with
octets put together by Python.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from bench.home_agent import AWAY, CN, HA, HOME, NS, START_NS, engine, home_agent, numbered, packets
from bench.peers.contest import OURS, Contender, Contest, own
from kame_py.fast.batch import BATCH, SLACK, U8, Batch
from kame_py.replay.node import ReplayNode
from kame_py.wire import pcapfmt
from kame_py.wire.codecs import EtherHeader, Ip6Hdr
from kame_py.wire.const import IPPROTO_IPV6
from kame_py.wire.patch import put_u8

BINDINGS: Final = (100_000, 10_000)
#: By name: lengths of IPv6 packets, which take turns, and how many packets.
MIXES: Final = {
    "78 octets": ((78,), 400_000),
    "78, 576 and 1400 octets, 7:4:1": ((78, 576) * 4 + (78, 78, 78, 1400), 200_000),
    "1400 octets": ((1400,), 100_000),
}
SHORT: Final = 8  # times less for a short look
BY_DICT: Final = 20_000  # packets for Python


def laid_out(bindings: int, sizes: tuple[int, ...], count: int) -> tuple[U8, U8, U8]:
    """Octets of records; where each packet begins, and its length, in the order of the file."""
    heads, arenas, base = [], [], 0
    turns = count // len(sizes)
    for octets in sizes:
        records, size = packets(bindings, turns, octets)
        first = base + pcapfmt.PCAP_RECORD_LEN + size * np.arange(turns)
        heads.append(np.stack([first, np.full(turns, size - pcapfmt.PCAP_RECORD_LEN)]))
        arenas.append(records[:-SLACK])
        base += size * turns
    off, caplen = np.stack(heads, axis=2).reshape(2, -1)  # packet after packet of each length
    arena = np.concatenate([*arenas, np.zeros(SLACK, np.uint8)])
    return _in_turns(arena, off, caplen)


def _in_turns(arena: U8, off: U8, caplen: U8) -> tuple[U8, U8, U8]:
    """The same packets one behind the other, as they come."""
    record = pcapfmt.PCAP_RECORD_LEN
    sizes = caplen + record
    starts = np.cumsum(sizes) - sizes
    laid = np.zeros(int(sizes.sum()) + SLACK, np.uint8)
    for at, source, size in zip(starts.tolist(), off.tolist(), sizes.tolist(), strict=True):
        laid[at : at + size] = arena[source - record : source - record + size]
    return laid, starts + record, caplen


class Encapsulation:
    """One home agent and its packets."""

    def __init__(self, node: ReplayNode, bindings: int, sizes: tuple[int, ...], count: int) -> None:
        self.arena, self.off, self.caplen = laid_out(bindings, sizes, count)
        self.count = len(self.off)
        self._fast = engine(node)
        self._copy = np.empty_like(self.arena)
        both = zip(numbered(HOME, bindings), numbered(AWAY, bindings), strict=True)
        self._known = {home.tobytes(): away.tobytes() for home, away in both}

    def ours(self) -> None:
        batch = Batch.empty()
        batch.arena = self.arena
        batch.ts[:] = START_NS + NS
        for first in range(0, self.count, BATCH):
            n = batch.n = min(BATCH, self.count - first)
            batch.off[:n] = self.off[first : first + n]
            batch.caplen[:n] = batch.wirelen[:n] = self.caplen[first : first + n]
            self._fast.run(batch)
        self._fast.finish()

    def copied(self) -> None:
        np.copyto(self._copy, self.arena)

    def by_dict(self, frames: list[bytes]) -> list[bytes]:
        known, sent, ether = self._known, [], EtherHeader.SIZE
        dst = ether + Ip6Hdr.O_ip6_dst
        for frame in frames:
            coa = known.get(frame[dst : dst + len(CN)])
            if coa is None:
                continue
            hlim = frame[ether + Ip6Hdr.O_ip6_hlim] - 1
            inner = put_u8(frame[ether:], Ip6Hdr.O_ip6_hlim, hlim)
            outer = Ip6Hdr(
                ip6_plen=len(inner), ip6_nxt=IPPROTO_IPV6, ip6_hlim=64, ip6_src=HA, ip6_dst=coa
            )
            sent.append(b"".join((frame[:ether], outer.pack(), inner)))
        return sent

    def frames(self, count: int) -> list[bytes]:
        rows = zip(self.off[:count].tolist(), self.caplen[:count].tolist(), strict=True)
        return [self.arena[at : at + size].tobytes() for at, size in rows]


def contests(short: bool) -> list[Contest]:
    """For packets of each length."""
    bindings = BINDINGS[short]
    node = home_agent(bindings)
    found = []
    for name, (sizes, count) in MIXES.items():
        work = Encapsulation(node, bindings, sizes, count // (SHORT if short else 1))
        few = work.frames(min(BY_DICT, work.count))
        if len(work.by_dict(few)) != len(few):
            raise ValueError("the dict lacks bindings")
        work.ours()  # compiled; the kernel was asked for each address
        does = f"look up one of {bindings} bindings, encapsulate"
        contest = Contest(f"home agent, {name}, {bindings} bindings", "packet")
        contest.contenders += [
            Contender(OURS, does, own(work.ours), work.count),
            Contender("memcpy", "copy of the same octets", own(work.copied), work.count),
            Contender(
                "dict",
                "the same in Python: a dict, generated codecs, join",
                own(lambda w=work, f=few: w.by_dict(f)),
                len(few),
            ),
        ]
        found.append(contest)
    return found
