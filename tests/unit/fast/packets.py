# SPDX-License-Identifier: BSD-3-Clause
"""Batches made of packets, and packets changed at random."""

from __future__ import annotations

import random

import numpy as np

from kame_py.fast.annotate import annotate
from kame_py.fast.batch import SLACK, Batch
from kame_py.wire.pcapfmt import LINKTYPE_RAW


def batch_of(packets: list[bytes]) -> Batch:
    """An annotated batch of IPv6 packets without link headers, one close behind the other."""
    batch = Batch.empty(max(len(packets), 1))
    batch.arena = np.frombuffer(b"".join(packets) + bytes(SLACK), np.uint8).copy()
    sizes = np.array([len(packet) for packet in packets], np.int64)
    batch.n = len(packets)
    batch.off[: batch.n] = np.cumsum(sizes) - sizes
    batch.caplen[: batch.n] = batch.wirelen[: batch.n] = sizes
    annotate(batch, LINKTYPE_RAW, False)
    return batch


def mutated(packets: list[bytes], seed: int, times: int) -> list[bytes]:
    """Each so many times with one to three octets changed; most changes hit the headers."""
    draw = random.Random(seed)
    found = []
    for packet in packets * times:
        octets = bytearray(packet)
        for _ in range(draw.randrange(1, 4)):
            at = draw.randrange(min(len(octets), draw.choice((48, 120, len(octets)))))
            octets[at] = draw.choice((octets[at] ^ 1 << draw.randrange(8), draw.randrange(256), 0))
        found.append(bytes(octets))
    return found
