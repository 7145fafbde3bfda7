# SPDX-License-Identifier: BSD-3-Clause
"""The Internet checksum and its IPv6 pseudo-header form.

Corresponds to KAME in_cksum.c and in6_cksum.c. Deviates in arithmetic only: the buffer is one big
little-endian integer reduced modulo 65535, which needs no loop and no pad octet.
RFC 1071, RFC 2460 s.8.1.
"""

from __future__ import annotations

from typing import Final

from kame_py.wire.patch import Buf

_FULL: Final = 0xFFFF
_SCOPED: Final = b"\xfe"  # no address before this one has a zone


def _fold(total: int) -> int:
    """Complement of the one's complement sum, octets swapped back to network order."""
    rest = total % _FULL
    if rest == 0:
        return 0 if total else _FULL
    rest = _FULL - rest
    return (rest & 0xFF) << 8 | rest >> 8


def _on_wire(addr: bytes) -> bytes:
    """The kernel keeps the zone of small scopes in octets 2-3 of an address."""
    first, second = addr[0], addr[1]
    if (first == 0xFE and second & 0xC0 == 0x80) or (first == 0xFF and second & 0x0F in (1, 2)):
        return addr[:2] + bytes(2) + addr[4:]
    return addr


def in_cksum(*parts: Buf) -> int:
    """The 16-bit value to store, in network order; 0 over data whose stored checksum is right."""
    data = parts[0] if len(parts) == 1 else b"".join(parts)
    return _fold(int.from_bytes(data, "little"))


def in6_cksum(src: bytes, dst: bytes, nxt: int, payload: Buf) -> int:
    """Checksum of payload behind its IPv6 pseudo-header; 0 when the stored checksum is right.

    An embedded scope zone in src or dst does not count, as in KAME.
    Source: KAME in6_cksum.c; RFC 2460 s.8.1.
    """
    if src >= _SCOPED or dst >= _SCOPED:
        src, dst = _on_wire(src), _on_wire(dst)
    pseudo = len(payload) + nxt
    if pseudo > _FULL:
        pseudo = (pseudo & _FULL) + (pseudo >> 16)
    total = (
        int.from_bytes(src, "little")
        + int.from_bytes(dst, "little")
        + int.from_bytes(payload, "little")
        + ((pseudo & 0xFF) << 8 | pseudo >> 8)
    )
    return _fold(total)
