# SPDX-License-Identifier: BSD-3-Clause
"""Authentication and encryption algorithms of AH and ESP, as the SADB looks them up.

KAME ah_core.c (ah_algorithms), esp_core.c (esp_algorithms). Deviates: SHA-2 is cut to half its
length (RFC 4868), the 96 bits of KAME have numbers of their own; twofish and the formats of RFC
1826 and RFC 1827 are not there; keys are set up once per association. ``cryptography`` is imported
at the first set-up of a cipher. Read first: RFC 2104, RFC 2403, RFC 2404, RFC 2451.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from kame_py.netkey.ripemd160 import Ripemd160
from kame_py.wire import pfkeyv2 as k
from kame_py.wire.errno import EINVAL, KError
from kame_py.wire.pfkey import SadbAlg

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers import BlockCipherAlgorithm

    from kame_py.netkey.keydb import CipherKey, MacKey

ICV_96: Final = 12  # octets; RFC 2403 s.2, RFC 2404 s.2, RFC 2857 s.2, RFC 3566 s.4
_NULL_KEYMAX: Final = 2048  # bits, KAME
_IPAD: Final = bytes(x ^ 0x36 for x in range(256))  # RFC 2104 s.2
_OPAD: Final = bytes(x ^ 0x5C for x in range(256))
_MD_BLOCK: Final = 64  # octets of a block of MD5 and SHA-1
_MD_LENGTH: Final = 8  # octets of their length field
_AES_BLOCK: Final = 16
_DES_BLOCK: Final = 8
_DES_KEY: Final = 8
_DES_PARITY: Final = 0xFE  # the low bit of each octet of a DES key is parity

_OLD: Final = k.SADB_X_EXT_OLD | k.SADB_X_EXT_IV4B | k.SADB_X_EXT_DERIV  # formats not made here

#: RFC 2405 s.2.3, without parity: the weak keys of DES, then the semi-weak ones.
_DES_WEAK: Final = frozenset(
    bytes(x & _DES_PARITY for x in bytes.fromhex(key))
    for key in (
        "0101010101010101",
        "fefefefefefefefe",
        "1f1f1f1f0e0e0e0e",
        "e0e0e0e0f1f1f1f1",
        "01fe01fe01fe01fe",
        "fe01fe01fe01fe01",
        "1fe01fe00ef10ef1",
        "e01fe01ff10ef10e",
        "01e001e001f101f1",
        "e001e001f101f101",
        "1ffe1ffe0efe0efe",
        "fe1ffe1ffe0efe0e",
        "011f011f010e010e",
        "1f011f010e010e01",
        "e0fee0fef1fef1fe",
        "fee0fee0fef1fef1",
    )
)


class Digest(Protocol):
    """What hashlib's objects and Ripemd160 have in common."""

    def update(self, data: bytes, /) -> None: ...

    def digest(self) -> bytes: ...

    def copy(self) -> Digest: ...


NewDigest = Callable[[bytes], Digest]


#: Whether two codes are the same, in a time that does not tell where they differ.
icv_equal: Final[Callable[[bytes, bytes], bool]] = hmac.compare_digest


# -- authentication ----------------------------------------------------------------------------


class HmacKey:
    """HMAC (RFC 2104) with the inner and outer block already digested.

    known: octets whose code somebody has computed before, and that code.
    """

    __slots__ = ("_inner", "_outer", "icvlen", "known")

    def __init__(self, new: NewDigest, block: int, key: bytes, icvlen: int) -> None:
        if len(key) > block:
            key = new(key).digest()
        key = key + bytes(block - len(key))
        self._inner = new(key.translate(_IPAD)).copy
        self._outer = new(key.translate(_OPAD)).copy
        self.icvlen = icvlen
        self.known: tuple[bytes, bytes] = (b"", b"")

    def mac(self, text: bytes, *more: bytes) -> bytes:
        if more:
            text = b"".join((text, *more))
        if text == self.known[0] and text:
            return self.known[1]
        copy = self._inner
        inner = copy()
        inner.update(text)
        copy = self._outer
        outer = copy()
        outer.update(inner.digest())
        return outer.digest()[: self.icvlen]


class KeyedKey:
    """Keyed MD5 and SHA-1 in envelope form: key, padding to a block, text, key (RFC 1828 s.2).

    As in KAME the length in the padding is little endian for SHA-1, too.
    """

    __slots__ = ("_key", "_start", "icvlen")

    def __init__(self, new: NewDigest, key: bytes, icvlen: int) -> None:
        zeros = -(len(key) + 1 + _MD_LENGTH) % _MD_BLOCK
        bits = len(key) * 8
        length = bytes(bits >> 8 * i & 0xFF for i in range(_MD_LENGTH))
        self._start = new(key + b"\x80" + bytes(zeros) + length)
        self._key = key
        self.icvlen = icvlen

    def mac(self, text: bytes, *more: bytes) -> bytes:
        digest = self._start.copy()
        digest.update(text)
        for part in more:
            digest.update(part)
        digest.update(self._key)
        return digest.digest()[: self.icvlen]


class NullMac:
    """The null algorithm: no code at all."""

    __slots__ = ("icvlen",)

    def __init__(self) -> None:
        self.icvlen = 0

    def mac(self, text: bytes, *more: bytes) -> bytes:
        return b""


class XcbcKey:
    """AES-XCBC-MAC (RFC 3566 s.4)."""

    __slots__ = ("_cbc", "_k2", "_k3", "icvlen")

    def __init__(self, key: bytes, icvlen: int) -> None:
        first = CbcKey(_aes(key), _AES_BLOCK)
        k1, self._k2, self._k3 = (
            first.encrypt(bytes(_AES_BLOCK), bytes((n,)) * _AES_BLOCK) for n in (1, 2, 3)
        )
        self._cbc = CbcKey(_aes(k1), _AES_BLOCK)
        self.icvlen = icvlen

    def mac(self, text: bytes, *more: bytes) -> bytes:
        text = b"".join((text, *more))
        whole = (max(len(text), 1) - 1) // _AES_BLOCK * _AES_BLOCK
        last, key = text[whole:], self._k2
        if len(last) < _AES_BLOCK:
            last, key = last + b"\x80" + bytes(_AES_BLOCK - len(last) - 1), self._k3
        last = bytes(x ^ y for x, y in zip(last, key, strict=True))
        end = self._cbc.encrypt(bytes(_AES_BLOCK), text[:whole] + last)[whole:]
        return end[: self.icvlen]


@dataclass(frozen=True, slots=True)
class AhAlgorithm:
    """A row of ah_algorithms. Key sizes in bits; icvlen in octets, 0: not for AH itself."""

    name: str
    number: int
    keymin: int
    keymax: int
    icvlen: int
    make: Callable[[bytes, int], MacKey]

    def setup(self, key: bytes, flags: int = 0) -> MacKey:
        """The algorithm with a key; flags: SADB_X_EXT_*. KError(EINVAL): not such a key, or old."""
        if flags & _OLD or not self.keymin <= len(key) * 8 <= self.keymax:
            raise KError(EINVAL)
        return self.make(key, self.icvlen)


def _hmac(new: NewDigest, block: int) -> Callable[[bytes, int], MacKey]:
    return lambda key, icvlen: HmacKey(new, block, key, icvlen)


def _keyed(new: NewDigest) -> Callable[[bytes, int], MacKey]:
    return lambda key, icvlen: KeyedKey(new, key, icvlen)


def _md5(data: bytes) -> Digest:
    return hashlib.md5(data, usedforsecurity=False)  # where policy forbids MD5 its users still ask


def _sha1(data: bytes) -> Digest:
    return hashlib.sha1(data, usedforsecurity=False)


_HMAC_MD5: Final = _hmac(_md5, 64)
_HMAC_SHA1: Final = _hmac(_sha1, 64)
_HMAC_SHA2_256: Final = _hmac(hashlib.sha256, 64)
_HMAC_SHA2_384: Final = _hmac(hashlib.sha384, 128)
_HMAC_SHA2_512: Final = _hmac(hashlib.sha512, 128)

_AH: Final[dict[int, AhAlgorithm]] = {
    row.number: row
    for row in (
        AhAlgorithm("hmac-md5", k.SADB_AALG_MD5HMAC, 128, 128, ICV_96, _HMAC_MD5),
        AhAlgorithm("hmac-sha1", k.SADB_AALG_SHA1HMAC, 160, 160, ICV_96, _HMAC_SHA1),
        AhAlgorithm("hmac-sha2-256", k.SADB_X_AALG_SHA2_256, 256, 256, 16, _HMAC_SHA2_256),
        AhAlgorithm("hmac-sha2-384", k.SADB_X_AALG_SHA2_384, 384, 384, 24, _HMAC_SHA2_384),
        AhAlgorithm("hmac-sha2-512", k.SADB_X_AALG_SHA2_512, 512, 512, 32, _HMAC_SHA2_512),
        AhAlgorithm(
            "hmac-ripemd160", k.SADB_X_AALG_RIPEMD160HMAC, 160, 160, ICV_96, _hmac(Ripemd160, 64)
        ),
        AhAlgorithm("aes-xcbc-mac", k.SADB_X_AALG_AES_XCBC_MAC, 128, 128, ICV_96, XcbcKey),
        AhAlgorithm(
            "hmac-sha2-256-96", k.SADB_X_AALG_SHA2_256_96, 256, 256, ICV_96, _HMAC_SHA2_256
        ),
        AhAlgorithm(
            "hmac-sha2-384-96", k.SADB_X_AALG_SHA2_384_96, 384, 384, ICV_96, _HMAC_SHA2_384
        ),
        AhAlgorithm(
            "hmac-sha2-512-96", k.SADB_X_AALG_SHA2_512_96, 512, 512, ICV_96, _HMAC_SHA2_512
        ),
        AhAlgorithm("keyed-md5", k.SADB_X_AALG_MD5, 128, 128, ICV_96, _keyed(_md5)),
        AhAlgorithm("keyed-sha1", k.SADB_X_AALG_SHA, 160, 160, ICV_96, _keyed(_sha1)),
        AhAlgorithm("null", k.SADB_X_AALG_NULL, 0, _NULL_KEYMAX, 0, lambda key, icv: NullMac()),
    )
}


def ah_algorithm_lookup(number: int) -> AhAlgorithm | None:
    """The authentication algorithm SADB_AALG_*, for AH and for ESP."""
    return _AH.get(number)


# -- encryption --------------------------------------------------------------------------------


class NullCipher:
    """RFC 2410: neither initialisation vector nor change."""

    __slots__ = ("blocklen", "ivlen")

    def __init__(self) -> None:
        self.ivlen = 0
        self.blocklen = 1

    def encrypt(self, iv: bytes, data: bytes) -> bytes:
        return data

    def decrypt(self, iv: bytes, data: bytes) -> bytes:
        return data


class CbcKey:
    """A block cipher in CBC mode (RFC 2451); the vector is one block and precedes the data."""

    __slots__ = ("_algorithm", "_cipher", "_mode", "blocklen", "ivlen")

    def __init__(self, algorithm: BlockCipherAlgorithm, block: int) -> None:
        from cryptography.hazmat.primitives.ciphers import Cipher, modes  # lazy: costs a start

        self._algorithm = algorithm
        self._cipher = Cipher
        self._mode = modes.CBC
        self.ivlen = self.blocklen = block

    def encrypt(self, iv: bytes, data: bytes) -> bytes:
        ctx = self._cipher(self._algorithm, self._mode(iv)).encryptor()
        return ctx.update(data) + ctx.finalize()

    def decrypt(self, iv: bytes, data: bytes) -> bytes:
        ctx = self._cipher(self._algorithm, self._mode(iv)).decryptor()
        return ctx.update(data) + ctx.finalize()


def _aes(key: bytes) -> BlockCipherAlgorithm:
    from cryptography.hazmat.primitives.ciphers.algorithms import AES  # lazy: costs a start

    return AES(key)


def _des3(key: bytes) -> CbcKey:
    from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES  # lazy: costs a start

    for off in range(0, len(key), _DES_KEY):
        if bytes(x & _DES_PARITY for x in key[off : off + _DES_KEY]) in _DES_WEAK:
            raise KError(EINVAL)
    return CbcKey(TripleDES(key), _DES_BLOCK)


def _des(key: bytes) -> CbcKey:
    return _des3(key * 3)  # encrypt, decrypt, encrypt with one key is single DES


def _blowfish(key: bytes) -> CbcKey:
    from cryptography.hazmat.decrepit.ciphers.algorithms import Blowfish  # lazy: costs a start

    return CbcKey(Blowfish(key), _DES_BLOCK)


def _cast128(key: bytes) -> CbcKey:
    from cryptography.hazmat.decrepit.ciphers.algorithms import CAST5  # lazy: costs a start

    return CbcKey(CAST5(key), _DES_BLOCK)


def _rijndael(key: bytes) -> CbcKey:
    return CbcKey(_aes(key), _AES_BLOCK)


@dataclass(frozen=True, slots=True)
class EspAlgorithm:
    """A row of esp_algorithms. Key sizes in bits, in steps of keystep; ivlen, blocklen octets."""

    name: str
    number: int
    keymin: int
    keymax: int
    ivlen: int
    blocklen: int
    make: Callable[[bytes], CipherKey]
    keystep: int = 8

    def setup(self, key: bytes, flags: int = 0) -> CipherKey:
        """The algorithm with a key; flags: SADB_X_EXT_*. KError(EINVAL): bad size, weak, or old."""
        bits = len(key) * 8
        if flags & _OLD:
            raise KError(EINVAL)
        if not self.keymin <= bits <= self.keymax or (bits - self.keymin) % self.keystep:
            raise KError(EINVAL)
        return self.make(key)


_ESP: Final[dict[int, EspAlgorithm]] = {
    row.number: row
    for row in (
        EspAlgorithm("des-cbc", k.SADB_EALG_DESCBC, 64, 64, 8, 8, _des),
        EspAlgorithm("3des-cbc", k.SADB_EALG_3DESCBC, 192, 192, 8, 8, _des3),
        EspAlgorithm("cast128-cbc", k.SADB_X_EALG_CAST128CBC, 40, 128, 8, 8, _cast128),
        EspAlgorithm("blowfish-cbc", k.SADB_X_EALG_BLOWFISHCBC, 40, 448, 8, 8, _blowfish),
        EspAlgorithm("null", k.SADB_EALG_NULL, 0, _NULL_KEYMAX, 0, 1, lambda key: NullCipher()),
        EspAlgorithm("rijndael-cbc", k.SADB_X_EALG_AES, 128, 256, 16, 16, _rijndael, 64),
    )
}


def esp_algorithm_lookup(number: int) -> EspAlgorithm | None:
    """The encryption algorithm SADB_EALG_*."""
    return _ESP.get(number)


# -- for SADB_REGISTER -------------------------------------------------------------------------


def supported_auth() -> tuple[SadbAlg, ...]:
    """The authentication algorithms in order of their numbers."""
    return tuple(SadbAlg(a.number, 0, a.keymin, a.keymax) for a in _AH.values())


def supported_enc() -> tuple[SadbAlg, ...]:
    """The encryption algorithms in order of their numbers."""
    return tuple(SadbAlg(a.number, a.ivlen, a.keymin, a.keymax) for a in _ESP.values())
