# SPDX-License-Identifier: BSD-3-Clause
"""Contests in HMAC of a batch of 256 packets: hashlib, cryptography, Intel's library.

hashlib and cryptography copy what they have digested of the key; Intel's library is called once
for a batch.
"""

from __future__ import annotations

import hashlib
import hmac
import platform
import ssl
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import Final

import numpy as np
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.hmac import HMAC

from bench.ipsec_mb import IpsecMb, unavailable
from bench.peers.contest import OURS, Contender, Contest, Missing, own
from kame_py.fast.hmac_mb import Alg, hmac_batch, states

PACKETS: Final = 256
BATCHES: Final = 8  # in a turn
SLOT: Final = 1472  # octets from one packet to the next
KEY: Final = bytes(range(1, 21))
BLOCK: Final = 64
_NAMES: Final = {
    Alg.HMAC_SHA1: ("HMAC-SHA1-96", "sha1", hashes.SHA1),
    Alg.HMAC_MD5: ("HMAC-MD5-96", "md5", hashes.MD5),
    Alg.HMAC_SHA2_256: ("HMAC-SHA-256-128", "sha256", hashes.SHA256),
}
SIZES: Final = (64, 1400)
INTEL: Final = "libipsec-mb"


class Codes:
    """The same batch for all."""

    def __init__(self, alg: Alg, size: int) -> None:
        self.alg = alg
        self.icvlen = 16 if alg is Alg.HMAC_SHA2_256 else 12
        octets = np.random.default_rng(size).bytes(PACKETS * SLOT)
        self.arena = np.frombuffer(octets, np.uint8).copy()
        self.off = np.arange(PACKETS, dtype=np.int64) * SLOT
        self.size = np.full(PACKETS, size, np.uint32)
        self.row = states(alg, KEY)
        self.out = np.zeros((PACKETS, self.icvlen), np.uint8)
        self.packets = [octets[at : at + size] for at in self.off.tolist()]

    def ours(self) -> Callable[[], object]:
        table, sa = self.row[None], np.zeros(PACKETS, np.int64)
        columns = (self.arena, self.off, self.size, self.out, self.icvlen)
        return lambda: hmac_batch(self.alg, table, sa, *columns)

    def hashlib(self) -> Callable[[], list[bytes]]:
        def new(pad: int) -> hashlib._Hash:
            block = bytes(x ^ pad for x in KEY.ljust(BLOCK, b"\0"))
            return hashlib.new(self.alg.digest.name, block, usedforsecurity=False)

        inner, outer, packets, icvlen = new(0x36), new(0x5C), self.packets, self.icvlen

        def batch() -> list[bytes]:
            codes = []
            for packet in packets:
                a, b = inner.copy(), outer.copy()
                a.update(packet)
                b.update(a.digest())
                codes.append(b.digest()[:icvlen])
            return codes

        return batch

    def hmac(self) -> Callable[[], list[bytes]]:
        name, packets, icvlen = self.alg.digest.name, self.packets, self.icvlen
        return lambda: [hmac.digest(KEY, packet, name)[:icvlen] for packet in packets]

    def cryptography(self) -> Callable[[], list[bytes]]:
        keyed, packets, icvlen = HMAC(KEY, _NAMES[self.alg][2]()), self.packets, self.icvlen

        def batch() -> list[bytes]:
            codes = []
            for packet in packets:
                mac = keyed.copy()
                mac.update(packet)
                codes.append(mac.finalize()[:icvlen])
            return codes

        return batch

    def intel(self, library: IpsecMb) -> Callable[[], object]:
        columns = (self.arena, self.off, self.size, self.out, self.icvlen)
        return lambda: library.batch(self.alg, self.row, *columns)


def contests(folder: Path) -> list[Contest]:
    """For each algorithm and length."""
    why, library = unavailable(), None
    if not why:
        try:
            library = IpsecMb(folder)
        except OSError as problem:
            why = str(problem)
    return [codes(alg, size, library, why) for alg in _NAMES for size in SIZES]


def codes(alg: Alg, size: int, library: IpsecMb | None, why: str | None) -> Contest:
    """Everybody computes the codes of one batch; the codes have to be the same."""
    name, short, _ = _NAMES[alg]
    batch = Codes(alg, size)
    contest = Contest(f"{name}, {PACKETS} packets of {size} octets", "packet")
    if alg is not Alg.HMAC_SHA2_256:
        contest.goals = {f"{short}_{size}_hashlib": "hashlib"}
    if alg is Alg.HMAC_SHA1:
        contest.goals = {**contest.goals, f"{short}_{size}_ipsec_mb": INTEL}
    python, right = f"Python {platform.python_version()}, {ssl.OPENSSL_VERSION}", batch.hashlib()()

    def enter(name: str, does: str, work: Callable[[], object], version: str = "") -> None:
        batch.out[:] = 0
        found = work()
        if (found if isinstance(found, list) else [row.tobytes() for row in batch.out]) != right:
            raise ValueError(f"{name}: wrong codes")
        turn = own(lambda: [work() for _ in range(BATCHES)])
        contest.contenders.append(Contender(name, does, turn, BATCHES * PACKETS, version))

    def intel() -> Contender:
        if library is None:
            raise Missing(why or "")
        enter(INTEL, "one call for the batch", batch.intel(library), "Debian's")
        return contest.contenders.pop()

    enter(OURS, "one call for the batch", batch.ours())
    enter("hashlib", "copies of both states", batch.hashlib(), python)
    enter("hmac", "hmac.digest", batch.hmac(), python)
    version = metadata.version("cryptography")
    enter("cryptography", "copies of HMAC", batch.cryptography(), version)
    contest.enter(INTEL, intel)
    return contest
