# SPDX-License-Identifier: BSD-3-Clause
"""HMAC-MD5, HMAC-SHA1 and HMAC-SHA2-256 of a batch of messages, as fast as this processor allows.

KAME ah_core.c (ah_hmac_md5_*, ah_hmac_sha1_*) does the same, one packet at a time. Where there are
no wide vectors, and for few messages, hashlib does the work. RFC 2104, 2403, 2404 and 4868.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable, Sequence
from enum import IntEnum
from typing import TYPE_CHECKING, Final, Protocol, cast

import numpy as np

from kame_py.fast.batch import I64, U8, U32
from kame_py.fast.cpu import CPU, Cpu
from kame_py.fast.digests import BLOCK, MD5, SHA1, SHA256, WORDS, Digest, IntOps, Ops

if TYPE_CHECKING:
    from hashlib import _Hash

FEW: Final = 4  # messages: below, hashlib is as fast, and nothing need be compiled
_STATE: Final = 8  # words of a state in a row
_KEY: Final = 2 * _STATE  # where the key itself begins
ROW: Final = _KEY + WORDS  # words of a row
_IPAD, _OPAD = 0x36, 0x5C  # RFC 2104 s.2
_INNER: Final = bytes(x ^ _IPAD for x in range(256))
_OUTER: Final = bytes(x ^ _OPAD for x in range(256))
_WORD: Final = 4
NO_HEADS: Final[U8] = np.zeros((0, 0), np.uint8)
_FEW_KEYS: Final = 6  # below it is quicker to take them one by one
#: Numbers of 64 bits have room for the shifts of words of 32.
_COLUMNS: Final = cast("Ops[I64]", IntOps())


class Alg(IntEnum):
    """What can be computed in batches."""

    HMAC_MD5 = 0
    HMAC_SHA1 = 1
    HMAC_SHA2_256 = 2

    @property
    def digest(self) -> Digest:
        return (MD5, SHA1, SHA256)[self]


def states(alg: Alg, key: bytes) -> U32:
    """A row of a table of associations: what of HMAC depends on the key alone.

    The states after the inner and the outer block, in octets as a digest gives them, then the key,
    filled up to a block, for hashlib.
    """
    row: U32 = many_states(alg, [key])[0]
    return row


def many_states(alg: Alg, keys: Sequence[bytes]) -> U32:
    """A row for each key; with many of them a row takes a microsecond."""
    digest, few = alg.digest, len(keys) < _FEW_KEYS
    blocks = b"".join(_block(digest, key) for key in keys)
    octets = np.frombuffer(blocks, np.uint8).reshape(len(keys), BLOCK)
    typ = np.dtype(">u4" if digest.big else "<u4")
    rows: U32 = np.zeros((len(keys), ROW), np.uint32)
    for at, pad in ((0, _IPAD), (_STATE, _OPAD)):
        words = (octets ^ pad).view(typ).astype(np.int64)
        if few:
            found = np.array([digest.compress(IntOps(), digest.init, r) for r in words.tolist()])
        else:
            found = np.array(digest.compress(_COLUMNS, digest.init, list(words.T))).T
        rows[:, at : at + len(digest.init)] = found.astype(typ).view(np.uint32)
    rows[:, _KEY:] = octets.view(np.uint32)
    return rows


def _block(digest: Digest, key: bytes) -> bytes:
    """The key filled up to a block (RFC 2104 s.2)."""
    if len(key) > BLOCK:
        key = hashlib.new(digest.name, key, usedforsecurity=False).digest()
    return key.ljust(BLOCK, b"\0")


class _Batch(Protocol):
    def __call__(
        self,
        states: U32,
        sa: I64,
        arena: U8,
        off: I64,
        length: U32,
        heads: U8,
        out: U8,
        icvlen: int,
        n: int,
        /,
    ) -> int: ...


def hmac_batch(
    alg: Alg,
    states: U32,
    sa_index: I64,
    arena: U8,
    off: I64,
    length: U32,
    out: U8,
    icvlen: int,
    heads: U8 = NO_HEADS,
) -> None:
    """The first ``icvlen`` octets of the HMAC of each ``arena[off : off + length]``, by rows.

    states: a table with a row for each association; sa_index: the row of each message. heads: by
    message, what its first octets are instead, whole blocks of them. ValueError for a message
    outside the arena, an association outside the table, a length that is no whole number of words
    or longer than the digest or than a row of out.
    """
    n = len(off)
    if icvlen % _WORD or not 0 < icvlen <= min(alg.digest.size, out.shape[1]):
        raise ValueError(f"{icvlen} octets cannot be had")
    if min(len(sa_index), len(length), len(out)) < n or states.shape[1] != ROW:
        raise ValueError("the columns differ")
    if heads.shape[1] % BLOCK or (heads.shape[1] and len(heads) < n):
        raise ValueError("the heads are no blocks, or too few")
    batch = twin(alg) if n < FEW else _batch(alg)
    done = batch(states, sa_index, arena, off, length, heads, out, icvlen, n)
    if done != n:
        raise ValueError(f"message {-1 - done} lies outside the arena, or its association is none")


@functools.cache
def _batch(alg: Alg) -> _Batch:
    if CPU < Cpu.AVX2:
        return twin(alg)
    from kame_py.fast import hmac_kernels

    kernels = (hmac_kernels.hmac_md5, hmac_kernels.hmac_sha1, hmac_kernels.hmac_sha256)
    return kernels[alg]


# -- in Python ---------------------------------------------------------------------------------

_New = Callable[[bytes], "_Hash"]


def _md5(data: bytes) -> _Hash:
    return hashlib.md5(data, usedforsecurity=False)  # where policy forbids MD5 its users still ask


def _sha1(data: bytes) -> _Hash:
    return hashlib.sha1(data, usedforsecurity=False)


@functools.cache
def twin(alg: Alg) -> _Batch:
    """What a kernel does, with hashlib."""
    return functools.partial(_twin, (_md5, _sha1, hashlib.sha256)[alg])


def _twin(
    new: _New,
    states: U32,
    sa: I64,
    arena: U8,
    off: I64,
    length: U32,
    heads: U8,
    out: U8,
    icvlen: int,
    n: int,
) -> int:
    octets, room, front = arena.data, len(arena), heads.shape[1]
    pairs: dict[int, tuple[_Hash, _Hash]] = {}
    codes = []
    for i, (row, at, size) in enumerate(
        zip(sa[:n].tolist(), off[:n].tolist(), length[:n].tolist(), strict=True)
    ):
        if at < 0 or at > room - size or not 0 <= row < len(states):
            return -1 - i
        pair = pairs.get(row)
        if pair is None:
            pair = pairs[row] = _pair(new, states[row])
        inner, outer = pair[0].copy(), pair[1].copy()
        if front:
            inner.update(heads[i, : min(front, size)].data)
        inner.update(octets[at + min(front, size) : at + size])
        outer.update(inner.digest())
        codes.append(outer.digest()[:icvlen])
    out[:n, :icvlen] = np.frombuffer(b"".join(codes), np.uint8).reshape(n, icvlen)
    return n


def _pair(new: _New, row: U32) -> tuple[_Hash, _Hash]:
    """The inner and the outer digest with a key."""
    key = row[_KEY:].tobytes()
    return new(key.translate(_INNER)), new(key.translate(_OUTER))
