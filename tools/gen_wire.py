# SPDX-License-Identifier: BSD-3-Clause
"""Write kame_py/wire/codecs.py from the construct declarations in kame_py/wire/decl.

Usage: python tools/gen_wire.py [--check]
With --check nothing is written; the exit status is 1 when the file is stale.
"""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from construct import Bytes, Default, FormatField, Hex, Renamed

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from kame_py.wire.decl import ALL  # noqa: E402  the path is set just above
from kame_py.wire.decl.base import Decl  # noqa: E402  likewise

TARGET = ROOT / "kame_py" / "wire" / "codecs.py"

HEAD = '''# SPDX-License-Identifier: BSD-3-Clause
"""Fixed-size headers. Written by tools/gen_wire.py from kame_py/wire/decl; do not edit.

O_<member> is the offset of a member, SIZE the length of the header, both in octets. unpack_fields
and pack_fields are unpack and pack without an object between, for the way of every packet.
"""

from __future__ import annotations

from collections.abc import Callable
from struct import Struct
from typing import ClassVar, Final, Self

from kame_py.wire.codec_base import Field, Header
from kame_py.wire.patch import Buf
'''


@dataclass(frozen=True, slots=True)
class Member:
    """One member of a header, as the generator needs it."""

    name: str
    code: str
    size: int
    show: str
    default: int | bytes

    @property
    def pytype(self) -> str:
        """The annotation of the member."""
        return "bytes" if isinstance(self.default, bytes) else "int"


def member_of(renamed: Renamed) -> Member:
    """Take one construct member apart: name, struct code, size, form in traces, default."""
    con = renamed.subcon
    default: int | bytes | None = None
    show = "dec"
    if isinstance(con, Default):
        default, con = con.value, con.subcon
    if isinstance(con, Hex):
        show, con = "hex", con.subcon
    size = con.sizeof()
    if isinstance(con, FormatField):
        code = con.fmtstr.lstrip(">")
        if code.islower():
            show = "signed"
        return Member(renamed.name, code, size, show, 0 if default is None else default)
    if isinstance(con, Bytes):
        show = {16: "addr", 6: "mac"}.get(size, "bytes")
        return Member(renamed.name, f"{size}s", size, show, default or bytes(size))
    raise TypeError(f"{renamed.name}: {type(con).__name__} cannot be a member of a fixed header")


def literal(member: Member) -> str:
    """The default as source text."""
    if isinstance(member.default, bytes):
        zero = member.default == bytes(member.size)
        return f"bytes({member.size})" if zero else repr(member.default)
    return (
        f"0x{member.default:X}" if member.show == "hex" and member.default else str(member.default)
    )


def class_source(decl: Decl) -> str:
    """The source text of one codec class with its precompiled struct."""
    members = [member_of(sub) for sub in decl.struct.subcons]
    packer = f"_S_{decl.name.upper()}"
    size = sum(m.size for m in members)
    targets = ", ".join(f"self.{m.name}" for m in members)
    lines = [
        f'{packer}: Final = Struct(">{"".join(m.code for m in members)}")',
        "",
        "",
        f"class {decl.name}(Header):",
        f'    """{decl.ref}."""',
        "",
        f"    __slots__ = ({', '.join(repr(m.name) for m in members)},)",
        "",
        f"    SIZE: ClassVar[int] = {size}",
    ]
    off = 0
    rows: list[str] = []
    for m in members:
        lines.append(f"    O_{m.name}: Final = {off}")
        rows.append(f'Field("{m.name}", {off}, {m.size}, "{m.show}"),')
        off += m.size
    lines += ["    FIELDS: ClassVar[tuple[Field, ...]] = (", *rows, ")"]
    types = ", ".join(m.pytype for m in members)
    lines += [
        f"    unpack_fields: ClassVar[Callable[[Buf, int], tuple[{types}]]] = {packer}.unpack_from",
        f"    pack_fields: ClassVar[Callable[[{types}], bytes]] = {packer}.pack",
        "",
    ]
    lines += [f"    {m.name}: {m.pytype}" for m in members]
    lines += ["", "    def __init__(self, *, "]
    lines += [f"        {m.name}: {m.pytype} = {literal(m)}," for m in members]
    lines += ["    ) -> None:", *(f"        self.{m.name} = {m.name}" for m in members), ""]
    lines += [
        "    @classmethod",
        "    def unpack(cls, buf: Buf, off: int = 0) -> Self:",
        "        self = cls.__new__(cls)",
        f"        ({targets},) = {packer}.unpack_from(buf, off)",
        "        return self",
        "",
        "    def pack(self) -> bytes:",
        f"        return {packer}.pack({targets})",
    ]
    return "\n".join(lines)


def generate() -> str:
    """The whole text of codecs.py, formatted."""
    text = HEAD + "\n" + "\n\n\n".join(class_source(decl) for decl in ALL) + "\n"
    command = [sys.executable, "-m", "ruff", "format", "--stdin-filename", str(TARGET), "-"]
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=True, cwd=ROOT)
    return done.stdout


def main(argv: list[str]) -> int:
    """Write the file, or compare it."""
    text = generate()
    if "--check" in argv:
        return 0 if TARGET.read_text() == text else 1
    TARGET.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
