# SPDX-License-Identifier: BSD-3-Clause
"""Read and replace single fields of an immutable packet, by an offset taken from a codec (O_*).

KAME writes through struct pointers into the mbuf; here packets are bytes and a change makes a copy.
"""

from __future__ import annotations

from typing import Final, TypeAlias

Buf: TypeAlias = bytes | bytearray | memoryview

#: Each value as one octet.
OCTETS: Final = tuple(bytes((value,)) for value in range(256))


def u8(data: Buf, off: int) -> int:
    """The octet at off."""
    return data[off]


def u16(data: Buf, off: int) -> int:
    """The 16-bit network order integer at off."""
    return data[off] << 8 | data[off + 1]


def u32(data: Buf, off: int) -> int:
    """The 32-bit network order integer at off."""
    return data[off] << 24 | data[off + 1] << 16 | data[off + 2] << 8 | data[off + 3]


def put(data: Buf, off: int, new: Buf) -> bytes:
    """Return data with the octets from off on replaced by new; the length stays the same."""
    end = off + len(new)
    if off < 0 or end > len(data):
        raise IndexError(f"put of {len(new)} octets at {off} outside {len(data)}")
    return b"".join((data[:off], new, data[end:]))


def put_u8(data: Buf, off: int, value: int) -> bytes:
    """Return data with one octet replaced; the value is truncated to 8 bits."""
    if not 0 <= off < len(data):
        raise IndexError(f"put of an octet at {off} outside {len(data)}")
    return b"".join((data[:off], OCTETS[value & 0xFF], data[off + 1 :]))


def put_u16(data: Buf, off: int, value: int) -> bytes:
    """Return data with a 16-bit integer replaced; the value is truncated to 16 bits."""
    return put(data, off, (value & 0xFFFF).to_bytes(2, "big"))


def put_u32(data: Buf, off: int, value: int) -> bytes:
    """Return data with a 32-bit integer replaced; the value is truncated to 32 bits."""
    return put(data, off, (value & 0xFFFFFFFF).to_bytes(4, "big"))
