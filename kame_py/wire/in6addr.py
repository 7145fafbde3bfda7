# SPDX-License-Identifier: BSD-3-Clause
"""IPv6 and Ethernet addresses as bytes: text forms, KAME's address macros, prefix arithmetic.

Corresponds to the macros of KAME netinet6/in6.h and the helpers in6_matchlen, in6_prefixlen2mask,
ether_sprintf. Deviates: addresses are 16-octet bytes, values not pointers. RFC 4291, RFC 5952.
"""

from __future__ import annotations

from typing import Final

IN6ADDR_ANY: Final = bytes(16)
IN6ADDR_LOOPBACK: Final = bytes(15) + b"\x01"
IN6ADDR_NODELOCAL_ALLNODES: Final = b"\xff\x01" + bytes(13) + b"\x01"  # RFC 4291 s.2.7.1
IN6ADDR_LINKLOCAL_ALLNODES: Final = b"\xff\x02" + bytes(13) + b"\x01"
IN6ADDR_LINKLOCAL_ALLROUTERS: Final = b"\xff\x02" + bytes(13) + b"\x02"
IN6ADDR_SITELOCAL_ALLROUTERS: Final = b"\xff\x05" + bytes(13) + b"\x02"
# The short names most code uses.
LOOPBACK: Final = IN6ADDR_LOOPBACK
ALLNODES: Final = IN6ADDR_LINKLOCAL_ALLNODES
ALLROUTERS: Final = IN6ADDR_LINKLOCAL_ALLROUTERS
SITE_ALLROUTERS: Final = IN6ADDR_SITELOCAL_ALLROUTERS

IPV6_ADDR_SCOPE_NODELOCAL: Final = 0x01  # RFC 4291 s.2.7
IPV6_ADDR_SCOPE_LINKLOCAL: Final = 0x02
IPV6_ADDR_SCOPE_SITELOCAL: Final = 0x05
IPV6_ADDR_SCOPE_ORGLOCAL: Final = 0x08
IPV6_ADDR_SCOPE_GLOBAL: Final = 0x0E

ETHER_BROADCAST: Final = b"\xff" * 6

_MAPPED: Final = bytes(10) + b"\xff\xff"
_SOLICITED: Final = b"\xff\x02" + bytes(9) + b"\x01\xff"  # RFC 4291 s.2.7.1
SOLICITED_LEN: Final = len(_SOLICITED)  # octets that all solicited-node groups share
_HEX: Final = frozenset("0123456789abcdefABCDEF")
_ALL_ONES: Final = (1 << 128) - 1
_MASKS: Final = tuple(_ALL_ONES ^ ((1 << (128 - plen)) - 1) for plen in range(129))
_MASK_BYTES: Final = tuple(mask.to_bytes(16, "big") for mask in _MASKS)


def _v4_octets(text: str) -> bytes | None:
    """Four decimal octets without leading zeros, or None."""
    parts = text.split(".")
    if len(parts) != 4:
        return None
    for part in parts:
        if not (part.isascii() and part.isdigit()) or len(part) > 3 or int(part) > 255:
            return None
        if part[0] == "0" and part != "0":
            return None
    return bytes(int(part) for part in parts)


def _groups(text: str, *, last: bool) -> bytes | None:
    """The octets of colon-separated groups; dotted quad allowed at the very end."""
    if not text:
        return b""
    out = bytearray()
    parts = text.split(":")
    for i, part in enumerate(parts):
        if "." in part:
            quad = _v4_octets(part) if last and i == len(parts) - 1 else None
            if quad is None:
                return None
            out += quad
        elif 1 <= len(part) <= 4 and _HEX.issuperset(part):
            out += int(part, 16).to_bytes(2, "big")
        else:
            return None
    return bytes(out)


def pton(text: str) -> bytes | None:
    """Parse the text form of an address without scope; None when it is not one."""
    head, gap, tail = text.partition("::")
    front = _groups(head, last=not gap)
    back = _groups(tail, last=True)
    if front is None or back is None:
        return None
    missing = 16 - len(front) - len(back)
    if missing < 2 if gap else missing != 0:
        return None
    return front + bytes(missing) + back


def ntop(addr: bytes) -> str:
    """The canonical text form (RFC 5952); v4-mapped addresses end in a dotted quad."""
    if addr[:12] == _MAPPED:
        return "::ffff:" + ".".join(str(octet) for octet in addr[12:16])
    words = [addr[i] << 8 | addr[i + 1] for i in range(0, 16, 2)]
    start, size = _longest_zero_run(words)
    if size < 2:
        return ":".join(f"{word:x}" for word in words)
    head = ":".join(f"{word:x}" for word in words[:start])
    tail = ":".join(f"{word:x}" for word in words[start + size :])
    return f"{head}::{tail}"


def _longest_zero_run(words: list[int]) -> tuple[int, int]:
    """Start and length of the first longest run of zero words (RFC 5952 s.4.2.3)."""
    best = (0, 0)
    start = 0
    for i, word in enumerate(words):
        if word:
            start = i + 1
        elif i + 1 - start > best[1]:
            best = (start, i + 1 - start)
    return best


def IN6_IS_ADDR_UNSPECIFIED(a: bytes) -> bool:
    """The address is ::."""
    return a == IN6ADDR_ANY


def IN6_IS_ADDR_LOOPBACK(a: bytes) -> bool:
    """The address is ::1."""
    return a == IN6ADDR_LOOPBACK


def IN6_IS_ADDR_MULTICAST(a: bytes) -> bool:
    """ff00::/8."""
    return a[0] == 0xFF


def IN6_IS_ADDR_LINKLOCAL(a: bytes) -> bool:
    """fe80::/10."""
    return a[0] == 0xFE and a[1] & 0xC0 == 0x80


def IN6_IS_ADDR_SITELOCAL(a: bytes) -> bool:
    """fec0::/10."""
    return a[0] == 0xFE and a[1] & 0xC0 == 0xC0


def IN6_IS_ADDR_V4MAPPED(a: bytes) -> bool:
    """::ffff:0:0/96."""
    return a[:12] == _MAPPED


def IN6_IS_ADDR_V4COMPAT(a: bytes) -> bool:
    """::/96 without :: and ::1."""
    return a[:12] == IN6ADDR_ANY[:12] and a[12:] not in (bytes(4), b"\0\0\0\x01")


def IN6_IS_ADDR_MC_NODELOCAL(a: bytes) -> bool:
    """Multicast of node-local (interface-local) scope."""
    return a[0] == 0xFF and a[1] & 0x0F == IPV6_ADDR_SCOPE_NODELOCAL


def IN6_IS_ADDR_MC_LINKLOCAL(a: bytes) -> bool:
    """Multicast of link-local scope."""
    return a[0] == 0xFF and a[1] & 0x0F == IPV6_ADDR_SCOPE_LINKLOCAL


def IN6_IS_ADDR_MC_SITELOCAL(a: bytes) -> bool:
    """Multicast of site-local scope."""
    return a[0] == 0xFF and a[1] & 0x0F == IPV6_ADDR_SCOPE_SITELOCAL


def IN6_IS_ADDR_MC_ORGLOCAL(a: bytes) -> bool:
    """Multicast of organisation-local scope."""
    return a[0] == 0xFF and a[1] & 0x0F == IPV6_ADDR_SCOPE_ORGLOCAL


def IN6_IS_ADDR_MC_GLOBAL(a: bytes) -> bool:
    """Multicast of global scope."""
    return a[0] == 0xFF and a[1] & 0x0F == IPV6_ADDR_SCOPE_GLOBAL


def IN6_IS_SCOPE_LINKLOCAL(a: bytes) -> bool:
    """Unicast or multicast of link-local scope: the addresses in which KAME embeds a zone."""
    return IN6_IS_ADDR_LINKLOCAL(a) or IN6_IS_ADDR_MC_LINKLOCAL(a)


def mc_scope(addr: bytes) -> int:
    """The scope field of a multicast address (IPV6_ADDR_MC_SCOPE)."""
    return addr[1] & 0x0F


def embed_zone(addr: bytes, zone: int) -> bytes:
    """addr with zone written where KAME keeps the interface index of link-local scope."""
    return addr[:2] + (zone & 0xFFFF).to_bytes(2, "big") + addr[4:]


def embedded_zone(addr: bytes) -> int:
    """The 16-bit word in which KAME keeps the zone."""
    return addr[2] << 8 | addr[3]


def solicited_node(addr: bytes) -> bytes:
    """The solicited-node multicast address of addr (RFC 4291 s.2.7.1)."""
    return _SOLICITED + addr[13:16]


def prefix_mask(plen: int) -> bytes:
    """The netmask of a prefix length 0..128 (in6_prefixlen2mask)."""
    return _MASK_BYTES[plen]


def masked(addr: bytes, plen: int) -> bytes:
    """addr with all bits behind the prefix cleared."""
    return (int.from_bytes(addr, "big") & _MASKS[plen]).to_bytes(16, "big")


def prefix_equal(a: bytes, b: bytes, plen: int) -> bool:
    """Whether the first plen bits agree (in6_are_prefix_equal)."""
    return not (int.from_bytes(a, "big") ^ int.from_bytes(b, "big")) & _MASKS[plen]


def matchlen(a: bytes, b: bytes) -> int:
    """Number of leading bits in common (in6_matchlen)."""
    return 128 - (int.from_bytes(a, "big") ^ int.from_bytes(b, "big")).bit_length()


def mask_plen(mask: bytes) -> int | None:
    """The prefix length of a contiguous netmask (in6_mask2len), None when it has holes."""
    value = int.from_bytes(mask, "big")
    plen = value.bit_count()
    return plen if value == _MASKS[plen] else None


def combine(prefix: bytes, plen: int, ifid_addr: bytes) -> bytes:
    """An address with the first plen bits of prefix and the rest of ifid_addr."""
    mask = _MASKS[plen]
    value = int.from_bytes(prefix, "big") & mask | int.from_bytes(ifid_addr, "big") & ~mask
    return value.to_bytes(16, "big")


def eui64(mac6: bytes) -> bytes:
    """The modified EUI-64 interface identifier of a MAC address (RFC 2464 s.4)."""
    return bytes((mac6[0] ^ 0x02, mac6[1], mac6[2], 0xFF, 0xFE)) + mac6[3:6]


def mac_ntoa(mac: bytes) -> str:
    """A link-layer address in BSD's unpadded form, 0:a0:24:66:0:77 (ether_sprintf)."""
    return ":".join(f"{octet:x}" for octet in mac)


def mac_ntoa_padded(mac: bytes) -> str:
    """A link-layer address with two digits for each octet."""
    return ":".join(f"{octet:02x}" for octet in mac)


def mac_aton(text: str) -> bytes | None:
    """Parse six colon-separated hex octets, padded or not; None when it is not that."""
    parts = text.split(":")
    if len(parts) != 6:
        return None
    if not all(1 <= len(part) <= 2 and _HEX.issuperset(part) for part in parts):
        return None
    return bytes(int(part, 16) for part in parts)


def ether_multicast(addr: bytes) -> bytes:
    """The Ethernet group address of an IPv6 multicast address (RFC 2464 s.7)."""
    return b"\x33\x33" + addr[12:16]
