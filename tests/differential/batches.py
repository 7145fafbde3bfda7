# SPDX-License-Identifier: BSD-3-Clause
"""Captures read and packets judged by the fast path and by the slow one, to be compared.

Run as a module it compares both on a little of everything: how tests look at other processors,
which are chosen before the first import.
"""

from __future__ import annotations

import importlib.util
import io
import sys
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import BinaryIO, Final, NamedTuple

import numpy as np

from kame_py.fast.annotate import annotate
from kame_py.fast.annotate_twin import annotate_twin
from kame_py.fast.batch import BATCH, SLACK, Batch
from kame_py.fast.cksum import cksum_batch, cksum_one
from kame_py.fast.cpu import CPU
from kame_py.replay.bulk import open_walk
from kame_py.replay.capture import CaptureError, Record
from kame_py.replay.pcap import open_capture
from kame_py.wire.cksum import in_cksum
from kame_py.wire.pcapfmt import LINKTYPE_ETHERNET
from tests.support import PROJECT_ROOT, data_files

COLUMNS: Final = ("l3", "flags", "nxt", "upper", "hao", "rthdr", "ipsec", "why")
#: Octets that packets are made odd with: protocols, options, lengths.
ODD: Final = (0, 1, 2, 5, 6, 7, 8, 17, 41, 43, 44, 50, 51, 58, 59, 60, 135, 0xC2, 0xC6, 0xC9, 255)


class Told(NamedTuple):
    """What a reader told about a capture."""

    records: list[Record]
    error: str | None
    last_good: int


def capture_files() -> list[str]:
    """All captures of the test data."""
    names = [p for kind in ("pcap", "pcapng", "pcap.gz") for p in data_files(f"**/*.{kind}")]
    return [str(path) for path in names]


def told_slowly(f: BinaryIO) -> Told | str:
    """By the slow reader; the text of its error if it cannot begin."""
    try:
        reader = open_capture(f)
    except CaptureError as error:
        return str(error)
    records = [record._replace(comment=None) for record in reader]
    return Told(records, reader.error, reader.last_good)


def told_fast(f: BinaryIO, size: int = BATCH) -> Told | str:
    """The same by batches."""
    try:
        walk = open_walk(f)
    except CaptureError as error:
        return str(error)
    batch = Batch.empty(size)
    records: list[Record] = []
    while walk.fill(batch):
        assert walk.first == len(records) + 1
        for i in range(batch.n):
            off, caplen = int(batch.off[i]), int(batch.caplen[i])
            assert off + caplen + SLACK <= len(batch.arena)
            n = walk.first + i
            records.append(
                Record(
                    n,
                    walk.odd_stamps.get(n, int(batch.ts[i])),
                    walk.linktype,
                    batch.arena[off : off + caplen].tobytes(),
                    int(batch.wirelen[i]),
                    int(walk.ifindex[i]),
                    int(walk.pflags[i]),
                )
            )
    return Told(records, walk.error, walk.last_good)


def batch_of(frames: list[bytes]) -> Batch:
    """The frames in one arena, each with foreign octets before and behind it."""
    batch = Batch.empty(len(frames))
    batch.n = len(frames)
    arena = bytearray()
    for i, frame in enumerate(frames):
        arena += b"\xc9\x10\x3c"
        batch.off[i], batch.caplen[i] = len(arena), len(frame)
        arena += frame
    batch.arena = np.frombuffer(arena + b"\xa5" * SLACK, np.uint8)
    return batch


def differences(batch: Batch, linktype: int, verify: bool) -> list[str]:
    """Packets of which ``annotate`` and its twin say different things."""
    columns = []
    for judge in (annotate, annotate_twin):
        for name in COLUMNS:
            getattr(batch, name).fill(0x5A)  # each column must be written
        judge(batch, linktype, verify)
        columns.append([getattr(batch, name)[: batch.n].tolist() for name in COLUMNS])
    rows = [list(zip(*found, strict=True)) for found in columns]
    return [
        f"link type {linktype}, verify {verify}: {_frame(batch, i).hex()}: {fast}, but {slow}"
        for i, (fast, slow) in enumerate(zip(*rows, strict=True))
        if fast != slow
    ]


def _frame(batch: Batch, i: int) -> bytes:
    off = int(batch.off[i])
    return batch.arena[off : off + int(batch.caplen[i])].tobytes()


def frames_of(path: str) -> Iterator[tuple[int, list[bytes]]]:
    """Link types and packets of a capture."""
    with open(path, "rb") as f:
        told = told_slowly(f)
    if isinstance(told, str):
        return
    for linktype in sorted({record.linktype for record in told.records}):
        yield linktype, [r.data for r in told.records if r.linktype == linktype]


def mutated(frames: list[bytes], rng: np.random.Generator, times: int) -> list[bytes]:
    """Copies with some octets changed, mostly among the headers; some are cut."""
    out = []
    for _ in range(times):
        for frame in frames:
            octets = bytearray(frame)
            for _ in range(rng.integers(0, 4) if octets else 0):
                at = min(len(octets) - 1, int(rng.exponential(40)))
                octets[at] = int(rng.choice(ODD)) if rng.random() < 0.8 else int(rng.integers(256))
            end = len(octets) if rng.random() < 0.7 else int(rng.integers(len(octets) + 1))
            out.append(bytes(octets[:end]))
    return out


def gen_capture() -> ModuleType:
    """tools/gen_capture.py."""
    spec = importlib.util.spec_from_file_location(
        "gen_capture", PROJECT_ROOT / "tools" / "gen_capture.py"
    )
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # its named tuples look for their module there
    spec.loader.exec_module(module)
    return module


def synthetic(packets: int, seed: int = 1) -> bytes:
    """A capture of the benchmarks' traffic."""
    f = io.BytesIO()
    write: Callable[[BinaryIO, int, int, int], None] = gen_capture().write_capture
    write(f, packets, 100, seed)
    return f.getvalue()


def main() -> None:
    """Compare everything a little; say for which processor."""
    rng = np.random.default_rng(1)
    sizes = range(300)
    for size in sizes:
        data = rng.bytes(size)
        assert cksum_one(data) == in_cksum(data)
    arena = rng.integers(0, 256, 4096 + SLACK, np.uint8)
    off, size_of = np.arange(300) * 7, np.arange(300, dtype=np.uint32)
    sums = np.zeros(300, np.uint16)
    cksum_batch(arena, off, size_of, sums)
    assert sums.tolist() == [in_cksum(arena[7 * i : 8 * i].tobytes()) for i in sizes]
    capture = synthetic(600)
    for cut in (len(capture), len(capture) - 5):
        assert told_fast(io.BytesIO(capture[:cut]), 64) == told_slowly(io.BytesIO(capture[:cut]))
    told = told_slowly(io.BytesIO(capture))
    assert isinstance(told, Told)
    frames = [record.data for record in told.records]
    batch = batch_of(frames + mutated(frames, rng, 4))
    assert differences(batch, LINKTYPE_ETHERNET, True) == []
    assert differences(batch, LINKTYPE_ETHERNET, False) == []
    print(CPU.name.lower())


if __name__ == "__main__":
    main()
