# SPDX-License-Identifier: BSD-3-Clause
"""Building blocks of the header declarations.

A declaration is a construct Struct of fixed size whose members are integers or octet strings.
Hex(...) marks members that traces show in hexadecimal, Addr and Mac those shown as addresses.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from construct import Bytes, Construct, Default, Hex, Int8ub, Int16ub, Int32ub, Struct

Addr: Final = Default(Bytes(16), bytes(16))
Mac: Final = Default(Bytes(6), bytes(6))


@dataclass(frozen=True, slots=True)
class Decl:
    """A header: the class name of its codec, the document that defines it, its layout."""

    name: str
    ref: str
    struct: Struct


def dec8(default: int = 0) -> Construct:
    """An unsigned octet, shown in decimal."""
    return Default(Int8ub, default)


def dec16(default: int = 0) -> Construct:
    """An unsigned 16-bit integer, shown in decimal."""
    return Default(Int16ub, default)


def dec32(default: int = 0) -> Construct:
    """An unsigned 32-bit integer, shown in decimal."""
    return Default(Int32ub, default)


def hex8(default: int = 0) -> Construct:
    """An unsigned octet, shown in hexadecimal."""
    return Default(Hex(Int8ub), default)


def hex16(default: int = 0) -> Construct:
    """An unsigned 16-bit integer, shown in hexadecimal."""
    return Default(Hex(Int16ub), default)


def hex32(default: int = 0) -> Construct:
    """An unsigned 32-bit integer, shown in hexadecimal."""
    return Default(Hex(Int32ub), default)


def raw(size: int) -> Construct:
    """Octets without meaning of their own, zero by default."""
    return Default(Bytes(size), bytes(size))
