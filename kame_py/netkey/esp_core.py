# SPDX-License-Identifier: BSD-3-Clause
"""Build and open the ESP header and trailer of one packet.

KAME esp_core.c, and the octet work of esp_output.c and esp_input.c. Deviates: where a peer padded
nothing is checked but its length, as in KAME; values instead of mbuf chains. RFC 2406 s.2, s.3.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from kame_py.netkey.algorithms import icv_equal
from kame_py.wire.codecs import Esp, Esptail
from kame_py.wire.patch import u8
from kame_py.wire.pfkeyv2 import SADB_X_EXT_PMASK, SADB_X_EXT_PRAND, SADB_X_EXT_PZERO

if TYPE_CHECKING:
    from kame_py.kern.rng import Stream
    from kame_py.netkey.keydb import CipherKey, Secasvar

_WORD: Final = 4  # RFC 2406 s.2.4: the trailer ends on 4 octets
_PAD_MAX: Final = 255  # octets, RFC 2406 s.2.4


class EspClear(NamedTuple):
    """What was inside: next header and payload."""

    nxt: int
    payload: bytes


def esp_icvlen(sav: Secasvar) -> int:
    """Octets of authentication data; 0 without authentication."""
    return sav.mackey.icvlen if sav.mackey is not None else 0


def esp_bound(cipher: CipherKey) -> int:
    """What the length of payload, padding and trailer is a multiple of."""
    return max(cipher.blocklen, _WORD)


def esp_padlen(plen: int, bound: int) -> int:
    """The least padding behind a payload."""
    return -(plen + Esptail.SIZE) % bound


def esp_randpadlen(plen: int, bound: int, randpad: int, rng: Stream) -> int:
    """Padding of net.inet6.ipsec6.esp_randpad: packets look up to that long, at random.

    randpad: octets, negative for none. As in KAME it only grows what is shorter than that.
    """
    pad = esp_padlen(plen, bound)
    total = pad + Esptail.SIZE
    if randpad < 0 or plen + total >= randpad:
        return pad
    steps = min(randpad // bound * bound - plen - total, _PAD_MAX - pad) // bound
    return pad + rng.below(steps + 1) * bound if steps > 0 else pad


def esp_padding(size: int, flags: int, rng: Stream) -> bytes:
    """Padding in the style of the association: zeros, random, or 1, 2, 3 (RFC 2406 s.2.4)."""
    style = flags & SADB_X_EXT_PMASK
    if style == SADB_X_EXT_PZERO:
        return bytes(size)
    if style == SADB_X_EXT_PRAND:
        return rng.bytes(size)
    return bytes(range(1, size + 1))


def esp_seal(
    sav: Secasvar, cipher: CipherKey, seq: int, iv: bytes, inside: EspClear, padding: bytes
) -> bytes:
    """The ESP header with its payload encrypted and authenticated."""
    tail = Esptail(esp_padlen=len(padding), esp_nxt=inside.nxt).pack()
    secret = cipher.encrypt(iv, inside.payload + padding + tail)
    esp = Esp(esp_spi=sav.spi, esp_seq=seq).pack() + iv + secret
    return esp if sav.mackey is None else esp + sav.mackey.mac(esp)


def esp_auth(sav: Secasvar, esp: bytes) -> bool:
    """Whether the code at the end is right; the header is longer than the code."""
    icvlen = esp_icvlen(sav)
    if sav.mackey is None or not icvlen:
        return True
    return icv_equal(sav.mackey.mac(esp[:-icvlen]), esp[-icvlen:])


def esp_open(cipher: CipherKey, esp: bytes) -> EspClear | None:
    """Decrypt a header without its code; None when the padding does not fit.

    The length behind the vector is a multiple of the cipher's block and holds a trailer.
    """
    start = Esp.SIZE + cipher.ivlen
    text = cipher.decrypt(esp[Esp.SIZE : start], esp[start:])
    tail = len(text) - Esptail.SIZE
    end = tail - u8(text, tail + Esptail.O_esp_padlen)
    if end < 0:
        return None
    return EspClear(u8(text, tail + Esptail.O_esp_nxt), text[:end])
