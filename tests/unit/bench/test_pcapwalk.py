# SPDX-License-Identifier: BSD-3-Clause
"""The walk in C, a peer of the library, finds in a capture what the library finds."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from bench.peers.contest import Missing, compiled
from kame_py.fast.annotate import annotate
from kame_py.fast.batch import Batch
from kame_py.replay.bulk import open_walk
from tests.support import PROJECT_ROOT, run

PACKETS = 1500
#: Octets of the frames of each mix: least, most.
LENGTHS = {"mobile": (70, 1502), "small": (92, 92), "imix": (92, 1414), "large": (1414, 1414)}


@pytest.fixture(scope="module")
def walk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    try:
        return compiled(
            PROJECT_ROOT / "bench" / "peers" / "pcapwalk.c", tmp_path_factory.mktemp("c")
        )
    except Missing as why:
        pytest.skip(f"gcc: {why}")


def told(walk: Path, capture: Path, *words: str) -> list[int]:
    done = run(walk, capture, *words)
    assert done.returncode == 0
    return [int(word) for word in done.stdout.split()]


def found(capture: Path) -> tuple[list[int], tuple[int, int]]:
    """The same sums, and the lengths of frames."""
    batch, sums = Batch.empty(), np.zeros(5, np.int64)
    least, most = 1 << 16, 0
    with capture.open("rb") as f:
        walk = open_walk(f)
        while n := walk.fill(batch):
            annotate(batch, walk.linktype, False)
            columns = (batch.upper[:n], batch.nxt[:n].astype(np.int64))
            some = (batch.hao[:n] != 0, batch.rthdr[:n] != 0)
            sums += [n, *(int(column.sum()) for column in columns + some)]
            lengths = batch.caplen[:n]
            least, most = min(least, int(lengths.min())), max(most, int(lengths.max()))
    return sums.tolist(), (least, most)


@pytest.mark.parametrize("mix", LENGTHS)
def test_same_headers_in_every_mix(walk: Path, tmp_path: Path, mix: str) -> None:
    capture = tmp_path / "mix.pcap"
    argv = ["tools/gen_capture.py", str(capture), "--mix", mix, "--packets", str(PACKETS)]
    subprocess.run([sys.executable, *argv], cwd=PROJECT_ROOT, check=True)
    sums, lengths = found(capture)
    assert lengths == LENGTHS[mix]
    assert sums[0] == PACKETS
    assert told(walk, capture) == told(walk, capture, "prefetch") == sums
    with capture.open("r+b") as f:
        f.truncate(capture.stat().st_size - 1)
    assert told(walk, capture)[0] == PACKETS - 1


def test_octets_at_random_are_no_fault(walk: Path, tmp_path: Path) -> None:
    capture = tmp_path / "odd.pcap"
    argv = ["tools/gen_capture.py", str(capture), "--packets", "200"]
    subprocess.run([sys.executable, *argv], cwd=PROJECT_ROOT, check=True)
    octets, rng = capture.read_bytes(), np.random.default_rng(1)
    for _ in range(20):
        odd = bytearray(octets)
        for at in rng.integers(24, len(odd), 300).tolist():
            odd[at] = int(rng.integers(256))
        capture.write_bytes(odd)
        assert told(walk, capture)[0] <= len(octets) // 16
