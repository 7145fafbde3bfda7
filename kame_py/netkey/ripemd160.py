# SPDX-License-Identifier: BSD-3-Clause
"""RIPEMD-160 for HMAC-RIPEMD-160-96: OpenSSL 3 hides its own where legacy digests are off.

KAME crypto/ripemd160. Deviates: none in result. ISO/IEC 10118-3; RFC 2857 uses it.
"""

from __future__ import annotations

from typing import Final

BLOCK: Final = 64  # octets
_MASK: Final = 0xFFFFFFFF
_START: Final = (0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476, 0xC3D2E1F0)
_LENGTH: Final = 8  # octets of the bit count at the end

_RHO: Final = (7, 4, 13, 1, 10, 6, 15, 3, 12, 0, 9, 5, 2, 14, 11, 8)
_PI: Final = tuple((9 * i + 5) % 16 for i in range(16))


def _lines(first: tuple[int, ...]) -> tuple[int, ...]:
    """Message words of the five rounds: each round permutes those of the one before."""
    rounds = [first]
    for _ in range(4):
        rounds.append(tuple(_RHO[i] for i in rounds[-1]))
    return tuple(w for line in rounds for w in line)


_LEFT: Final = _lines(tuple(range(16)))
_RIGHT: Final = _lines(_PI)
_SHIFT: Final = (
    (11, 14, 15, 12, 5, 8, 7, 9, 11, 13, 14, 15, 6, 7, 9, 8),
    (12, 13, 11, 15, 6, 9, 9, 7, 12, 15, 11, 13, 7, 8, 7, 7),
    (13, 15, 14, 11, 7, 7, 6, 8, 13, 14, 13, 12, 5, 5, 6, 9),
    (14, 11, 12, 14, 8, 6, 5, 5, 15, 12, 15, 14, 9, 9, 8, 6),
    (15, 12, 13, 13, 9, 5, 8, 6, 14, 11, 12, 11, 8, 6, 5, 5),
)
_K_LEFT: Final = (0, 0x5A827999, 0x6ED9EBA1, 0x8F1BBCDC, 0xA953FD4E)
_K_RIGHT: Final = (0x50A28BE6, 0x5C4DD124, 0x6D703EF3, 0x7A6D76E9, 0)


def _f(j: int, x: int, y: int, z: int) -> int:
    if j == 0:
        return x ^ y ^ z
    if j == 1:
        return (x & y) | (~x & z)
    if j == 2:
        return (x | ~y) ^ z
    if j == 3:
        return (x & z) | (y & ~z)
    return x ^ (y | ~z)


def _rol(x: int, n: int) -> int:
    x &= _MASK
    return (x << n | x >> (32 - n)) & _MASK


def _line(
    state: tuple[int, ...], words: list[int], order: tuple[int, ...], k: tuple[int, ...], right: int
) -> tuple[int, ...]:
    a, b, c, d, e = state
    for i in range(80):
        j = i >> 4
        at = order[i]
        t = a + _f(4 - j if right else j, b, c, d) + words[at] + k[j]
        a, e, d, c, b = e, d, _rol(c, 10), b, (_rol(t, _SHIFT[j][at]) + e) & _MASK
    return a, b, c, d, e


def _compress(state: tuple[int, ...], block: bytes) -> tuple[int, ...]:
    words = [
        block[i] | block[i + 1] << 8 | block[i + 2] << 16 | block[i + 3] << 24
        for i in range(0, BLOCK, 4)
    ]
    left = _line(state, words, _LEFT, _K_LEFT, 0)
    right = _line(state, words, _RIGHT, _K_RIGHT, 1)
    return tuple(
        (state[(i + 1) % 5] + left[(i + 2) % 5] + right[(i + 3) % 5]) & _MASK for i in range(5)
    )


def _little(value: int, octets: int) -> bytes:
    return bytes(value >> 8 * i & 0xFF for i in range(octets))


class Ripemd160:
    """A running digest with the methods of hashlib's."""

    __slots__ = ("_rest", "_state", "_total")

    def __init__(self, data: bytes = b"") -> None:
        self._state: tuple[int, ...] = _START
        self._rest = b""
        self._total = 0
        self.update(data)

    def update(self, data: bytes) -> None:
        self._total += len(data)
        data = self._rest + data
        whole = len(data) - len(data) % BLOCK
        for off in range(0, whole, BLOCK):
            self._state = _compress(self._state, data[off : off + BLOCK])
        self._rest = data[whole:]

    def copy(self) -> Ripemd160:
        other = Ripemd160()
        other._state, other._rest, other._total = self._state, self._rest, self._total
        return other

    def digest(self) -> bytes:
        end = self.copy()
        zeros = -(self._total + 1 + _LENGTH) % BLOCK
        end.update(b"\x80" + bytes(zeros) + _little(self._total * 8, _LENGTH))
        return b"".join(_little(word, 4) for word in end._state)
