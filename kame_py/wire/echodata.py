# SPDX-License-Identifier: BSD-3-Clause
"""What ping6 puts into an echo request: the time of sending, then a pattern.

KAME: pinger() of ping6.c. Deviates: the time is in network order.
"""

from __future__ import annotations

from typing import Final

from kame_py.wire.patch import Buf, u32

ECHO_HDRLEN: Final = 8
ECHO_TIMELEN: Final = 8  # seconds and microseconds
USEC: Final = 1_000_000


def echo_data(usec: int, size: int, pattern: bytes = b"") -> bytes:
    """``size`` octets: the time if there is room, then ``pattern`` over and over.

    Without a pattern each octet holds its own place in the ICMPv6 message, as in BSD.
    """
    timed = size >= ECHO_TIMELEN
    at = ECHO_TIMELEN if timed else 0
    rest = size - at
    if pattern:
        fill = (pattern * (rest // len(pattern) + 1))[:rest]
    else:
        fill = bytes((at + i) & 0xFF for i in range(rest))
    if not timed:
        return fill
    seconds, usec = divmod(usec, USEC)
    return (seconds & 0xFFFFFFFF).to_bytes(4, "big") + usec.to_bytes(4, "big") + fill


def echo_time(data: Buf) -> int | None:
    """The time in microseconds that echo_data wrote; None when there was no room."""
    if len(data) < ECHO_TIMELEN:
        return None
    return u32(data, 0) * USEC + u32(data, 4)
