# SPDX-License-Identifier: BSD-3-Clause
"""What the letters of ping6 take, checked (KAME: main() of ping6.c). No RFC."""

from __future__ import annotations

from typing import Final

from kame_py.lib.getopt import ParsedArgs
from kame_py.lib.ipsec_policy import NOT_SUPPORTED, PolicyError, ipsec_set_policy
from kame_py.lib.toolbase import ToolError
from kame_py.wire.echodata import ECHO_HDRLEN
from kame_py.wire.pfkey import build_policy

NS: Final = 1_000_000_000
DEFAULT_DATALEN: Final = 8
MAX_DATALEN: Final = 65535 - ECHO_HDRLEN
MAX_PATTERN: Final = 16
MIN_INTERVAL_NS: Final = NS // 100


def integer(
    args: ParsedArgs, letter: str, why: str, default: int, lo: int, hi: int = 0x7FFFFFFF
) -> int:
    """A decimal argument from lo to hi."""
    text = args.last(letter)
    if text is None:
        return default
    digits = text.removeprefix("-")
    if not (digits.isascii() and digits.isdecimal()) or not lo <= int(text) <= hi:
        raise ToolError(f"{why} -- {text}")
    return int(text)


def datalen(args: ParsedArgs) -> int:
    """-s."""
    size = integer(args, "s", "illegal datalen value", DEFAULT_DATALEN, 1)
    if size > MAX_DATALEN:
        raise ToolError(f"datalen value too large, maximum is {MAX_DATALEN}")
    return size


def interval(text: str | None) -> int:
    """-i: decimal seconds with fractions, at least 10 ms."""
    if text is None:
        return NS
    whole, _, part = text.partition(".")
    if not (whole or part) or not all(p.isascii() and p.isdecimal() for p in (whole, part) if p):
        raise ToolError(f"illegal timing interval -- {text}")
    value = int(whole or "0") * NS + int(part[:9].ljust(9, "0"))
    if not value:
        raise ToolError(f"illegal timing interval -- {text}")
    return max(value, MIN_INTERVAL_NS)


def pattern(text: str) -> bytes:
    """-p: up to 16 octets in hex."""
    if not text:
        return b""
    try:
        return bytes.fromhex(text if len(text) % 2 == 0 else text[:-1] + "0" + text[-1])[
            :MAX_PATTERN
        ]
    except ValueError:
        raise ToolError("patterns must be specified as hex digits") from None


def policy(text: str) -> bytes:
    """-P: a policy as the socket option takes it."""
    found = ipsec_set_policy(text)
    if isinstance(found, PolicyError):
        raise ToolError(text, found.reason)
    if found.inet:
        raise ToolError(found.inet[0], NOT_SUPPORTED)
    return build_policy(found.sadb)
