# SPDX-License-Identifier: BSD-3-Clause
"""Flag bits of interfaces, addresses and routes with the words and letters that tools print.

KAME: net/if.h, netinet6/in6_var.h, net/route.h and the bit lists of ifconfig, route and netstat.
The kernel has the same numbers in its own headers; a test compares them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

IFT_HIF: Final = 0xF5  # type of a mobile node's home interface (net/if_types.h)

IFF_UP: Final = 0x0001
IFF_DEBUG: Final = 0x0004
IFF_LOOPBACK: Final = 0x0008
IFF_POINTOPOINT: Final = 0x0010
IFF_RUNNING: Final = 0x0040
IFF_NOARP: Final = 0x0080
IFF_PROMISC: Final = 0x0100
IFF_LINK0: Final = 0x1000
IFF_LINK1: Final = 0x2000
IFF_LINK2: Final = 0x4000
IFF_MULTICAST: Final = 0x8000

#: ifconfig's words, from bit 0.
IFF_WORDS: Final = (
    "UP",
    "BROADCAST",
    "DEBUG",
    "LOOPBACK",
    "POINTOPOINT",
    "SMART",
    "RUNNING",
    "NOARP",
    "PROMISC",
    "ALLMULTI",
    "OACTIVE",
    "SIMPLEX",
    "LINK0",
    "LINK1",
    "LINK2",
    "MULTICAST",
)

IN6_IFF_ANYCAST: Final = 0x01
IN6_IFF_TENTATIVE: Final = 0x02
IN6_IFF_DUPLICATED: Final = 0x04
IN6_IFF_DETACHED: Final = 0x08
IN6_IFF_DEPRECATED: Final = 0x10
IN6_IFF_NODAD: Final = 0x20
IN6_IFF_AUTOCONF: Final = 0x40
IN6_IFF_TEMPORARY: Final = 0x80
IN6_IFF_HOME: Final = 0x100

#: What ifconfig prints behind an address, in its order.
IN6_IFF_WORDS: Final = (
    (IN6_IFF_ANYCAST, "anycast"),
    (IN6_IFF_TENTATIVE, "tentative"),
    (IN6_IFF_DUPLICATED, "duplicated"),
    (IN6_IFF_DETACHED, "detached"),
    (IN6_IFF_DEPRECATED, "deprecated"),
    (IN6_IFF_AUTOCONF, "autoconf"),
    (IN6_IFF_TEMPORARY, "temporary"),
    (IN6_IFF_HOME, "home"),
)

RTF_UP: Final = 0x1
RTF_GATEWAY: Final = 0x2
RTF_HOST: Final = 0x4
RTF_REJECT: Final = 0x8
RTF_CLONING: Final = 0x100
RTF_XRESOLVE: Final = 0x200
RTF_LLINFO: Final = 0x400
RTF_STATIC: Final = 0x800
RTF_BLACKHOLE: Final = 0x1000
RTF_PROTO2: Final = 0x4000
RTF_ANNOUNCE: Final = RTF_PROTO2
RTF_PROTO1: Final = 0x8000
RTF_WASCLONED: Final = 0x20000
RTF_LOCAL: Final = 0x200000

#: route's words, from bit 0; "" where FreeBSD 4 has no flag.
RTF_WORDS: Final = (
    "UP",
    "GATEWAY",
    "HOST",
    "REJECT",
    "DYNAMIC",
    "MODIFIED",
    "DONE",
    "MASK_PRESENT",
    "CLONING",
    "XRESOLVE",
    "LLINFO",
    "STATIC",
    "BLACKHOLE",
    "",
    "PROTO2",
    "PROTO1",
    "PRCLONING",
    "WASCLONED",
    "PROTO3",
    "CHAINDELETE",
    "PINNED",
    "LOCAL",
    "BROADCAST",
    "MULTICAST",
)

#: netstat's letters in its order.
RTF_LETTERS: Final = (
    (0x1, "U"),
    (0x2, "G"),
    (0x4, "H"),
    (0x8, "R"),
    (0x10, "D"),
    (0x20, "M"),
    (0x40, "d"),
    (0x100, "C"),
    (0x200, "X"),
    (0x400, "L"),
    (0x800, "S"),
    (0x8000, "1"),
    (0x4000, "2"),
    (0x20000, "W"),
    (0x10000, "c"),
    (0x40000, "3"),
    (0x1000, "B"),
    (0x400000, "b"),
)


def bit_words(value: int, words: Sequence[str]) -> list[str]:
    """The words of the bits that are set, lowest first."""
    return [word for i, word in enumerate(words) if word and value & 1 << i]


def bracketed(value: int, words: Sequence[str]) -> str:
    """``<UP,RUNNING>``; "" when no named bit is set, as printb() of BSD does."""
    names = bit_words(value, words)
    return f"<{','.join(names)}>" if names else ""


def in6_iff_words(flags: int) -> list[str]:
    """Words of an address's flags in ifconfig's order."""
    return [word for bit, word in IN6_IFF_WORDS if flags & bit]


def rtf_letters(flags: int) -> str:
    """netstat's letters of a route's flags."""
    return "".join(letter for bit, letter in RTF_LETTERS if flags & bit)
