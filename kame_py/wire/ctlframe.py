# SPDX-License-Identifier: BSD-3-Clause
"""The length in front of each frame of a control connection: 4 octets in network order."""

from __future__ import annotations

from struct import Struct
from typing import Final

_LENGTH: Final = Struct(">I")
FRAME_MAX: Final = 16 * 1024 * 1024  # octets of a frame without its length; a full routing table


def frame_prefix(length: int) -> bytes:
    """The octets in front of a frame of that length."""
    return _LENGTH.pack(length)


def frame_length(buffer: bytes | bytearray) -> int | None:
    """The length of the frame at the start of a buffer; None while it is not all there."""
    if len(buffer) < _LENGTH.size:
        return None
    length: int = _LENGTH.unpack_from(buffer)[0]
    return length
