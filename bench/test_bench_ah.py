# SPDX-License-Identifier: BSD-3-Clause
"""A capture protected by AH (hmac-sha1, packets of 512 octets), verified in batches.

From the file on: walk, columns, codes; seconds of the processor. Beside it the code alone, packet
after packet, as the slow path computes it.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from bench.correspondent import CN, MN, SPI, correspondent
from kame_py.fast.ah import verify_ah
from kame_py.fast.annotate import annotate
from kame_py.fast.batch import Batch
from kame_py.fast.cpu import CPU, Cpu
from kame_py.fast.sas import GOOD, Checker, SaTable
from kame_py.netkey.ah_core import ah6_calccksum, ah_build
from kame_py.netkey.keydb import MacKey
from kame_py.replay.bulk import open_walk
from kame_py.replay.pcap import PcapWriter
from kame_py.wire.codecs import Ah, Ip6Hdr
from kame_py.wire.const import IPPROTO_AH, IPPROTO_NONE
from kame_py.wire.pcapfmt import LINKTYPE_RAW

PACKETS = 65536
SIZE = 512
ROUNDS = 9
SLOW = 200  # packets for the slow path in each round
FLOOR_MPPS = 2.0  # the aim is 3; a slow or busy machine is no failure


def _parts(mac: MacKey) -> Iterator[tuple[bytes, bytes, bytes]]:
    """Packets without their codes: before AH, AH, behind it."""
    draw = random.Random(1)
    ah = ah_build(IPPROTO_NONE, SPI, 1, mac.icvlen)
    for _ in range(PACKETS):
        rest = draw.randbytes(SIZE - Ip6Hdr.SIZE - len(ah))
        plen = len(ah) + len(rest)
        head = Ip6Hdr(ip6_plen=plen, ip6_nxt=IPPROTO_AH, ip6_hlim=60, ip6_src=MN, ip6_dst=CN)
        yield head.pack(), ah, rest


@pytest.mark.skipif(CPU is not Cpu.AVX512, reason="the floor is for a processor with AVX-512")
def test_ah_capture(benchmark: BenchmarkFixture, tmp_path: Path) -> None:
    kern, _ = correspondent()
    table = SaTable(kern)
    (mac,) = (sav.mackey for sav in table.savs if sav.spi == SPI)
    assert mac is not None
    parts = list(_parts(mac))
    path = tmp_path / "ah.pcap"
    with path.open("wb") as f:
        writer = PcapWriter(f, LINKTYPE_RAW)
        for n, (head, ah, rest) in enumerate(parts, 1):
            icv = ah6_calccksum(mac, head, ah, rest)
            assert icv is not None
            packet = head + ah[: Ah.SIZE] + icv + ah[Ah.SIZE + len(icv) :] + rest
            writer.write(n, packet)
    checker, batch = Checker(table), Batch.empty()
    fast: list[float] = []
    slow: list[float] = []

    def verified() -> int:
        good = 0
        start = time.process_time()
        with path.open("rb") as f:
            walk = open_walk(f)
            while walk.fill(batch):
                annotate(batch, walk.linktype, False)
                good += int((verify_ah(batch, checker) == GOOD).sum())
        fast.append((time.process_time() - start) / PACKETS)
        return good

    def codes() -> None:
        start = time.process_time()
        for head, ah, rest in parts[:SLOW]:
            ah6_calccksum(mac, head, ah, rest)
        slow.append((time.process_time() - start) / SLOW)

    assert benchmark.pedantic(verified, setup=codes, rounds=ROUNDS, warmup_rounds=1) == PACKETS
    mpps, ratio = 1e-6 / min(fast), min(slow) / min(fast)
    what = f"AH capture, hmac-sha1, packets of {SIZE}"
    told = f"{what}: {mpps:.1f} Mpps verified, {ratio:.1f} times the codes alone one by one"
    benchmark.extra_info["line"] = told
    assert mpps >= FLOOR_MPPS, told
