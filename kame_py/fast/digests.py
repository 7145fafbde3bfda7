# SPDX-License-Identifier: BSD-3-Clause
"""The compression functions of MD5, SHA-1 and SHA-256, over whatever can be computed with.

KAME sys/crypto/sha1.c, sha2.c and sys/kern/md5c.c. Each is written once, with the operations handed
in: on integers it makes the states of a key, on vectors of LLVM (lanes.py) it hashes many messages
at a time. RFC 1321 s.3.4, RFC 3174 s.6.1, RFC 6234 s.6.2.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isqrt, sin
from typing import Final, Protocol, TypeVar

W = TypeVar("W")

BLOCK: Final = 64  # octets
WORDS: Final = 16  # of a block
MASK: Final = 0xFFFFFFFF
_BITS: Final = 32


class Ops(Protocol[W]):
    """Operations on words of 32 bits."""

    def const(self, n: int) -> W: ...

    def add(self, a: W, b: W) -> W: ...

    def xor(self, a: W, b: W) -> W: ...

    def xor3(self, a: W, b: W, c: W) -> W: ...

    def pick(self, by: W, a: W, b: W) -> W:
        """Bits of a where by has ones, else of b."""
        ...

    def most(self, a: W, b: W, c: W) -> W:
        """Bits that at least two have."""
        ...

    def md5_i(self, b: W, c: W, d: W) -> W:
        """c xor (b or not d)."""
        ...

    def rotl(self, a: W, n: int) -> W: ...

    def shr(self, a: W, n: int) -> W: ...


class IntOps:
    """On integers."""

    def const(self, n: int) -> int:
        return n

    def add(self, a: int, b: int) -> int:
        return (a + b) & MASK

    def xor(self, a: int, b: int) -> int:
        return a ^ b

    def xor3(self, a: int, b: int, c: int) -> int:
        return a ^ b ^ c

    def pick(self, by: int, a: int, b: int) -> int:
        return b ^ (by & (a ^ b))

    def most(self, a: int, b: int, c: int) -> int:
        return (a & b) | (c & (a | b))

    def md5_i(self, b: int, c: int, d: int) -> int:
        return c ^ (b | (d ^ MASK))

    def rotl(self, a: int, n: int) -> int:
        return (a << n | a >> _BITS - n) & MASK

    def shr(self, a: int, n: int) -> int:
        return a >> n


# -- MD5 ---------------------------------------------------------------------------------------

_MD5_T: Final = tuple(int(abs(sin(i + 1)) * (1 << _BITS)) for i in range(64))
_MD5_SHIFTS: Final = ((7, 12, 17, 22), (5, 9, 14, 20), (4, 11, 16, 23), (6, 10, 15, 21))
_MD5_ORDER: Final = ((1, 0), (5, 1), (3, 5), (7, 0))  # of the words in each round: step, start


def md5(ops: Ops[W], state: Sequence[W], words: Sequence[W]) -> list[W]:
    """RFC 1321 s.3.4: the state after one block."""
    a, b, c, d = state
    for i, t in enumerate(_MD5_T):
        turn = i // WORDS
        step, start = _MD5_ORDER[turn]
        word = words[(start + step * i) % WORDS]
        if turn == 0:
            f = ops.pick(b, c, d)
        elif turn == 1:
            f = ops.pick(d, b, c)
        elif turn == 2:
            f = ops.xor3(b, c, d)
        else:
            f = ops.md5_i(b, c, d)
        total = ops.add(ops.add(a, ops.add(word, ops.const(t))), f)
        turned = ops.rotl(total, _MD5_SHIFTS[turn][i % 4])
        a, d, c, b = d, c, b, ops.add(turned, b)
    return [ops.add(x, y) for x, y in zip(state, (a, b, c, d), strict=True)]


# -- SHA-1 -------------------------------------------------------------------------------------

_SHA1_K: Final = (0x5A827999, 0x6ED9EBA1, 0x8F1BBCDC, 0xCA62C1D6)
_SHA1_STEPS: Final = 80


def sha1(ops: Ops[W], state: Sequence[W], words: Sequence[W]) -> list[W]:
    """RFC 3174 s.6.1."""
    w = list(words)
    a, b, c, d, e = state
    for t in range(_SHA1_STEPS):
        turn = t // 20
        if t >= WORDS:
            mixed = ops.xor(ops.xor3(w[t - 3], w[t - 8], w[t - 14]), w[t - 16])
            w.append(ops.rotl(mixed, 1))
        if turn == 0:
            f = ops.pick(b, c, d)
        elif turn == 2:
            f = ops.most(b, c, d)
        else:
            f = ops.xor3(b, c, d)
        plus = ops.add(ops.add(e, ops.add(w[t], ops.const(_SHA1_K[turn]))), f)
        a, b, c, d, e = ops.add(ops.rotl(a, 5), plus), a, ops.rotl(b, 30), c, d
    return [ops.add(x, y) for x, y in zip(state, (a, b, c, d, e), strict=True)]


# -- SHA-256 -----------------------------------------------------------------------------------

_SHA256_STEPS: Final = 64


def _primes(count: int) -> list[int]:
    found: list[int] = []
    n = 2
    while len(found) < count:
        if all(n % p for p in found):
            found.append(n)
        n += 1
    return found


def _cube_root(n: int) -> int:
    """The integer part."""
    root = 1 << -(-n.bit_length() // 3)
    while True:
        better = (2 * root + n // (root * root)) // 3
        if better >= root:
            return root
        root = better


# RFC 6234 s.5.1: 32 bits of the fractions of the cube roots of the first primes.
_SHA256_K: Final = tuple(_cube_root(p << 96) & MASK for p in _primes(_SHA256_STEPS))


def sha256(ops: Ops[W], state: Sequence[W], words: Sequence[W]) -> list[W]:
    """RFC 6234 s.6.2."""
    w = list(words)
    a, b, c, d, e, f, g, h = state
    for t in range(_SHA256_STEPS):
        if t >= WORDS:
            old, new = w[t - 15], w[t - 2]
            s0 = ops.xor3(ops.rotl(old, 25), ops.rotl(old, 14), ops.shr(old, 3))
            s1 = ops.xor3(ops.rotl(new, 15), ops.rotl(new, 13), ops.shr(new, 10))
            w.append(ops.add(ops.add(s1, w[t - 7]), ops.add(s0, w[t - 16])))
        big1 = ops.xor3(ops.rotl(e, 26), ops.rotl(e, 21), ops.rotl(e, 7))
        big0 = ops.xor3(ops.rotl(a, 30), ops.rotl(a, 19), ops.rotl(a, 10))
        known = ops.add(h, ops.add(w[t], ops.const(_SHA256_K[t])))
        t1 = ops.add(ops.add(known, ops.pick(e, f, g)), big1)
        t2 = ops.add(big0, ops.most(a, b, c))
        a, b, c, d, e, f, g, h = ops.add(t1, t2), a, b, c, ops.add(d, t1), e, f, g
    return [ops.add(x, y) for x, y in zip(state, (a, b, c, d, e, f, g, h), strict=True)]


# -- what HMAC needs to know of each -----------------------------------------------------------

_INIT: Final = (0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476, 0xC3D2E1F0)


@dataclass(frozen=True, slots=True)
class Digest:
    """A digest with blocks of 64 octets; init: the first state; big: words in network order."""

    name: str
    init: tuple[int, ...]
    big: bool

    @property
    def size(self) -> int:
        """Octets of a digest."""
        return len(self.init) * _BITS // 8

    def compress(self, ops: Ops[W], state: Sequence[W], words: Sequence[W]) -> list[W]:
        """The state after one more block."""
        if self.name == "md5":
            return md5(ops, state, words)
        return sha1(ops, state, words) if self.name == "sha1" else sha256(ops, state, words)


MD5: Final = Digest("md5", _INIT[:4], big=False)
SHA1: Final = Digest("sha1", _INIT, big=True)
# RFC 6234 s.6.1: 32 bits of the fractions of the square roots of the first primes.
SHA256: Final = Digest("sha256", tuple(isqrt(p << 64) & MASK for p in _primes(8)), big=True)
