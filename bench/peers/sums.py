# SPDX-License-Identifier: BSD-3-Clause
"""Contests in Internet checksums: one call, and a batch from memory beside reading and copying."""

from __future__ import annotations

from collections.abc import Callable
from importlib import metadata
from typing import Final

import dpkt
import numba
import numpy as np
import scapy
from numpy.typing import NDArray
from scapy.utils import checksum as scapy_checksum

from bench.peers.contest import OURS, Contender, Contest, Workers, own
from bench.peers.in_pytcp import pytcp
from kame_py.fast.batch import SLACK
from kame_py.fast.cksum import cksum_batch, one_call
from kame_py.wire.cksum import in_cksum

CALLS: Final = 2_000
ONE: Final = (64, 1500)
BATCHES: Final = (576, 1500)
MEMORY: Final = (1 << 28, 1 << 26)  # octets: more than a cache


@numba.njit
def read_all(words: NDArray[np.uint64]) -> int:
    """The bandwidth of memory."""
    total = np.uint64(0)
    for i in range(len(words)):
        total += words[i]
    return total


def contests(crew: Workers, short: bool) -> list[Contest]:
    """For each length."""
    return [one(size, crew) for size in ONE] + [batch(size, MEMORY[short]) for size in BATCHES]


def one(size: int, crew: Workers) -> Contest:
    data = bytes(i & 255 for i in range(size))
    contest = Contest(f"checksum of {size} octets, one call", "call")

    def enter(name: str, does: str, fn: Callable[[bytes], int], version: str = "") -> None:
        if fn(data) != in_cksum(data):
            raise ValueError(f"{name}: a wrong checksum")

        def calls() -> None:
            for _ in range(CALLS):
                fn(data)

        contest.contenders.append(Contender(name, does, own(calls), CALLS, version))

    def in_pytcp() -> Contender:
        turn, version = pytcp(crew, "cksum", str(size), str(CALLS))
        return Contender("PyTCP", "inet_cksum", turn, CALLS, version)

    enter(OURS, "compiled", one_call())
    enter(f"{OURS}, Python", "one large integer", in_cksum)
    enter("scapy", "scapy.utils.checksum", scapy_checksum, scapy.__version__)
    enter("dpkt", "dpkt.in_cksum", dpkt.in_cksum, metadata.version("dpkt"))
    contest.enter("PyTCP", in_pytcp)
    return contest


def batch(size: int, memory: int) -> Contest:
    """Of packets that no cache holds."""
    arena = np.resize(np.random.default_rng(size).integers(0, 256, 1 << 20, np.uint8), memory)
    count = (memory - SLACK) // size
    off, sizes = np.arange(count) * size, np.full(count, size, np.uint32)
    out, words, copy = np.zeros(count, np.uint16), arena.view(np.uint64), np.empty_like(arena)
    turns = {
        OURS: ("one call for all", lambda: cksum_batch(arena, off, sizes, out)),
        "read": ("sum of all words of the same memory", lambda: read_all(words)),
        "memcpy": ("copy of the same memory", lambda: np.copyto(copy, arena)),
    }
    contest = Contest(f"checksums of {size} octets, a batch from memory", "packet")
    for name, (does, work) in turns.items():
        work()  # compiled
        contest.contenders.append(Contender(name, does, own(work), count))
    return contest
