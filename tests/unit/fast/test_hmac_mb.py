# SPDX-License-Identifier: BSD-3-Clause
"""HMAC in batches beside hmac and hashlib."""

from __future__ import annotations

import hmac
import json
import os
import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from kame_py.fast.batch import U8, U32
from kame_py.fast.digests import BLOCK, IntOps
from kame_py.fast.hmac_mb import FEW, NO_HEADS, Alg, hmac_batch, states, twin
from tests.support import PROJECT_ROOT, data_dir

ALGS = tuple(Alg)
KEY_SIZES = (0, 1, 16, 20, 32, 63, 64, 65, 200)
VECTORS = {
    Alg.HMAC_MD5: ("rfc2202_hmac_md5", "digest"),
    Alg.HMAC_SHA1: ("rfc2202_hmac_sha1", "digest"),
    Alg.HMAC_SHA2_256: ("rfc4231_hmac_sha2", "hmac_sha256"),
}


class Messages:
    """Messages of the given sizes, in any order and overlapping, the last one at the very end."""

    def __init__(self, sizes: list[int], seed: int = 1) -> None:
        draw = random.Random(seed)
        total = max(sizes, default=0) + 500
        self.arena: U8 = np.frombuffer(draw.randbytes(total), np.uint8).copy()
        self.keys = [draw.randbytes(size) for size in KEY_SIZES]
        self.size = np.array(sizes, np.uint32)
        self.off = np.array([draw.randrange(total - size + 1) for size in sizes], np.int64)
        if sizes:
            self.off[-1] = total - sizes[-1]
        self.sa = np.array([draw.randrange(len(self.keys)) for _ in sizes], np.int64)

    def table(self, alg: Alg) -> U32:
        return np.array([states(alg, key) for key in self.keys])

    def codes(self, alg: Alg, icvlen: int) -> list[bytes]:
        out = np.full((len(self.size), icvlen + 3), 0xAA, np.uint8)
        table = self.table(alg)
        hmac_batch(alg, table, self.sa, self.arena, self.off, self.size, out, icvlen)
        assert (out[:, icvlen:] == 0xAA).all(), "octets behind a code are not its own"
        return [row[:icvlen].tobytes() for row in out]

    def right(self, alg: Alg, icvlen: int) -> list[bytes]:
        octets = self.arena.tobytes()
        return [
            hmac.digest(self.keys[sa], octets[at : at + size], alg.digest.name)[:icvlen]
            for sa, at, size in zip(self.sa, self.off, self.size.tolist(), strict=True)
        ]


@pytest.mark.parametrize("alg", ALGS, ids=lambda a: a.name)
def test_all_lengths_up_to_300(alg: Alg) -> None:
    messages = Messages(list(range(301)))
    assert messages.codes(alg, alg.digest.size) == messages.right(alg, alg.digest.size)


@pytest.mark.parametrize("alg", ALGS, ids=lambda a: a.name)
@pytest.mark.parametrize("count", [0, 1, 2, FEW, 5, 15, 16, 17, 31, 32, 33, 63, 64, 65])
def test_any_number_of_messages(alg: Alg, count: int) -> None:
    messages = Messages([(i * 37) % 200 for i in range(count)], seed=count)
    assert messages.codes(alg, 12) == messages.right(alg, 12)


@pytest.mark.parametrize("alg", ALGS, ids=lambda a: a.name)
@pytest.mark.parametrize("size", [0, 55, 56, 63, 64, 65, 119, 120, 128])
def test_equal_lengths_at_the_edges_of_blocks(alg: Alg, size: int) -> None:
    messages = Messages([size] * 40, seed=size)
    assert messages.codes(alg, 16) == messages.right(alg, 16)


@pytest.mark.parametrize("alg", ALGS, ids=lambda a: a.name)
def test_every_lane_may_be_the_only_long_or_the_only_short_one(alg: Alg) -> None:
    for long, short in ((700, 10), (130, 56)):
        for lane in range(32):
            for most, one in ((short, long), (long, short)):
                sizes = [most] * 32
                sizes[lane] = one
                messages = Messages(sizes, seed=lane)
                assert messages.codes(alg, 12) == messages.right(alg, 12), (lane, most, one)


@pytest.mark.parametrize("alg", ALGS, ids=lambda a: a.name)
def test_random_lengths(alg: Alg) -> None:
    draw = random.Random(7)
    for seed in range(20):
        sizes = [draw.choice((draw.randrange(100), draw.randrange(1500), 64)) for _ in range(150)]
        messages = Messages(sizes, seed)
        assert messages.codes(alg, 12) == messages.right(alg, 12)


def test_messages_of_more_blocks_than_are_sorted() -> None:
    messages = Messages([70_000, 10, 65_535, 66_000, 130_000, 64])
    for alg in ALGS:
        assert messages.codes(alg, 12) == messages.right(alg, 12)


@pytest.mark.parametrize("alg", ALGS, ids=lambda a: a.name)
def test_the_twin_says_the_same(alg: Alg) -> None:
    messages = Messages(list(range(0, 300, 7)))
    n = len(messages.size)
    out = np.zeros((n, 12), np.uint8)
    columns = (messages.sa, messages.arena, messages.off, messages.size)
    assert twin(alg)(messages.table(alg), *columns, NO_HEADS, out, 12, n) == n
    assert [row.tobytes() for row in out] == messages.right(alg, 12)


@pytest.mark.parametrize("alg", ALGS, ids=lambda a: a.name)
@pytest.mark.parametrize("count", [2, 70])
@pytest.mark.parametrize("front", [64, 128])
def test_heads_stand_in_place_of_the_first_octets(alg: Alg, count: int, front: int) -> None:
    sizes = [0, 1, 55, 56, 63, 64, 65, 127, 128, 129, 512, 1400]
    messages = Messages([sizes[i % len(sizes)] for i in range(count)], seed=front)
    heads = np.frombuffer(random.Random(2).randbytes(front * count), np.uint8).reshape(count, front)
    out = np.zeros((count, 12), np.uint8)
    columns = (messages.sa, messages.arena, messages.off, messages.size)
    hmac_batch(alg, messages.table(alg), *columns, out, 12, heads.copy())
    octets = messages.arena.tobytes()
    for i, (at, size) in enumerate(zip(messages.off, messages.size.tolist(), strict=True)):
        text = heads[i].tobytes()[:size] + octets[at + front : at + size]
        right = hmac.digest(messages.keys[messages.sa[i]], text, alg.digest.name)[:12]
        assert out[i].tobytes() == right, size


@pytest.mark.parametrize("shape", [(3, 64), (6, 65)])
def test_heads_that_are_no_blocks_or_too_few_are_refused(shape: tuple[int, int]) -> None:
    messages, out = Messages([100] * 6), np.zeros((6, 12), np.uint8)
    columns = (messages.sa, messages.arena, messages.off, messages.size)
    with pytest.raises(ValueError, match="no blocks"):
        hmac_batch(
            *(Alg.HMAC_MD5, messages.table(Alg.HMAC_MD5), *columns, out, 12),
            np.zeros(shape, np.uint8),
        )


@pytest.mark.parametrize("alg", ALGS, ids=lambda a: a.name)
def test_vectors_of_the_rfcs(alg: Alg) -> None:
    path = data_dir() / "vectors" / "rfc_ipsec_vectors.json"
    if not path.is_file():
        pytest.skip(f"no vectors at {path}")
    name, member = VECTORS[alg]
    cases = json.loads(path.read_text())[name]
    texts = [bytes.fromhex(case["data"]) for case in cases]
    right = [case[member][:24] for case in cases]
    table = np.array([states(alg, bytes.fromhex(case["key"])) for case in cases])
    arena = np.frombuffer(b"".join(texts), np.uint8).copy()
    size = np.array([len(text) for text in texts], np.uint32)
    off = np.cumsum(size, dtype=np.int64) - size
    out = np.zeros((len(cases), 12), np.uint8)
    hmac_batch(alg, table, np.arange(len(cases)), arena, off, size, out, 12)
    assert len(cases) == 7
    assert [row.tobytes().hex() for row in out] == right


@pytest.mark.parametrize("count", [1, 40])
@pytest.mark.parametrize("wrong", ["before", "behind", "association", "no association"])
def test_what_is_not_there_is_refused(count: int, wrong: str) -> None:
    messages = Messages([100] * count)
    last = count - 1
    if wrong == "before":
        messages.off[last] = -1
    elif wrong == "behind":
        messages.off[last] = len(messages.arena) - 99
    else:
        messages.sa[last] = -1 if wrong == "association" else len(messages.keys)
    with pytest.raises(ValueError, match=f"message {last} "):
        messages.codes(Alg.HMAC_SHA1, 12)


@pytest.mark.parametrize("icvlen", [0, -4, 10, 24])
def test_codes_of_a_strange_length_are_refused(icvlen: int) -> None:
    out = np.zeros((1, 64), np.uint8)
    one = np.zeros(1, np.int64)
    table = states(Alg.HMAC_SHA1, b"key")[None]
    arena = np.zeros(10, np.uint8)
    with pytest.raises(ValueError, match="cannot be had"):
        hmac_batch(Alg.HMAC_SHA1, table, one, arena, one, np.ones(1, np.uint32), out, icvlen)


def test_columns_of_unequal_length_are_refused() -> None:
    messages = Messages([10] * 6)
    messages.sa = messages.sa[:-1]
    with pytest.raises(ValueError, match="the columns differ"):
        hmac_batch(
            *(Alg.HMAC_MD5, messages.table(Alg.HMAC_MD5), messages.sa, messages.arena),
            *(messages.off, messages.size, np.zeros((6, 12), np.uint8), 12),
        )


def test_compression_on_integers_makes_the_empty_digests() -> None:
    empty = {
        Alg.HMAC_MD5: "d41d8cd98f00b204e9800998ecf8427e",  # RFC 1321 A.5
        Alg.HMAC_SHA1: "da39a3ee5e6b4b0d3255bfef95601890afd80709",
        Alg.HMAC_SHA2_256: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    }
    for alg, right in empty.items():
        mark = 0x80000000 if alg.digest.big else 0x80
        words = [mark] + [0] * (BLOCK // 4 - 1)
        state = alg.digest.compress(IntOps(), alg.digest.init, words)
        order = ">u4" if alg.digest.big else "<u4"
        assert np.array(state, order).tobytes().hex() == right


SCRIPT = """
from tests.unit.fast import test_hmac_mb as t
for alg in t.ALGS:
    messages = t.Messages(list(range(0, 300, 3)))
    assert messages.codes(alg, 12) == messages.right(alg, 12)
from kame_py.fast.cpu import CPU
print(CPU.name)
"""


@pytest.mark.slow
@pytest.mark.parametrize("cpu", ["none", "plain", "avx2"])
def test_lesser_processors_say_the_same(cpu: str, tmp_path: Path) -> None:
    env = os.environ | {"KAME_CPU": cpu, "PYTHONPATH": str(PROJECT_ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip().lower() in (cpu, "none", "plain")
