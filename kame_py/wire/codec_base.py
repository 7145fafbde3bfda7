# SPDX-License-Identifier: BSD-3-Clause
"""What all generated header classes share: length check, comparison, text form.

No KAME counterpart (KAME uses C structs). tools/gen_wire.py writes the subclasses in codecs.py.
"""

from __future__ import annotations

from typing import ClassVar, NamedTuple, Self

from kame_py.wire.in6addr import mac_ntoa, ntop
from kame_py.wire.malformed import Malformed
from kame_py.wire.patch import Buf


class Field(NamedTuple):
    """One member: where it is and how traces show it (dec, signed, hex, addr, mac, bytes)."""

    name: str
    off: int
    size: int
    show: str


class Header:
    """A fixed-size header. Members are mutable; pack() gives the octets."""

    __slots__ = ()

    SIZE: ClassVar[int] = 0
    FIELDS: ClassVar[tuple[Field, ...]] = ()

    @classmethod
    def unpack(cls, buf: Buf, off: int = 0) -> Self:
        """Read the header at off; the caller has checked that SIZE octets are there."""
        raise NotImplementedError

    def pack(self) -> bytes:
        """The SIZE octets of the header."""
        raise NotImplementedError

    @classmethod
    def parse(cls, buf: Buf, off: int = 0) -> Self | Malformed:
        """Read the header at off, or say that it is cut short."""
        if len(buf) - off < cls.SIZE:
            return Malformed(f"{cls.__name__} truncated", off)
        return cls.unpack(buf, off)

    def fields(self) -> list[tuple[str, str]]:
        """(member, text) pairs for traces."""
        return [(f.name, _text(getattr(self, f.name), f)) for f in self.FIELDS]

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return all(getattr(self, f.name) == getattr(other, f.name) for f in self.FIELDS)

    def __repr__(self) -> str:
        members = ", ".join(f"{name}={text}" for name, text in self.fields())
        return f"{type(self).__name__}({members})"


def _text(value: int | bytes, field: Field) -> str:
    if isinstance(value, int):
        return f"0x{value:0{2 * field.size}x}" if field.show == "hex" else str(value)
    if field.show == "addr":
        return ntop(value)
    return mac_ntoa(value) if field.show == "mac" else value.hex()
