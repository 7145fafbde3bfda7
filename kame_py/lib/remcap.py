# SPDX-License-Identifier: BSD-3-Clause
"""Reader of termcap-like files: `name|alias:field:field:...`.

KAME: rtadvd's remcap.c / termcap.c.
Deviates, always towards what the file's author meant:
- a backslash followed by blanks joins like a backslash before the newline (KAME jumped over
  the two characters after it and lost the field that began there);
- blanks before a field name are dropped; colons inside quotes never split fields;
- an entry over the limit, a tc= that leads nowhere and an open quote are errors (KAME used
  the part it had, or took the entry for missing);
- the tc= limit counts per look-up, not per process.
Numbers are read as KAME reads them (no hex, no sign), with a warning for ignored characters.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

from kame_py.wire.record import record

ENTRY_MAX_OCTETS: Final = 1024
TC_MAX_STEPS: Final = 32
TC_NAME_MAX: Final = 15
NUMBER_MAX: Final = 2**63 - 1  # C long long

_CONTROL_MASK: Final = 0x1F
_OCTET_MASK: Final = 0xFF
_BLANKS: Final = " \t"
_LETTER_ESCAPES: Final = {
    "E": "\033",
    "n": "\n",
    "r": "\r",
    "t": "\t",
    "b": "\b",
    "f": "\f",
}
_OCTAL_ESCAPE: Final = re.compile(r"[0-7]{1,3}")
_DIGITS: Final = re.compile(r"[0-9]*")
_CONTINUATION: Final = re.compile(r"\\[ \t]*\n")


class FieldKind(Enum):
    """The character after a capability's name decides what it is."""

    NUMBER = "#"
    STRING = "="
    CANCEL = "@"
    FLAG = ""


@record
class Field:
    """One capability. `text` holds a string's decoded value, `number` a number's."""

    name: str
    kind: FieldKind
    text: str = ""
    number: int = 0


@record
class RemcapError:
    """The entry cannot be used; the text is what the tool prints."""

    text: str


@record
class Entry:
    """One entry with everything its tc= chain appended."""

    names: tuple[str, ...]
    fields: tuple[Field, ...]
    warnings: tuple[str, ...]

    def agetnum(self, name: str) -> int | None:
        """Value of `name#N`, or None when absent or cancelled."""
        found = self._first(name, FieldKind.NUMBER)
        return None if found is None else found.number

    def agetstr(self, name: str) -> str | None:
        """Decoded value of `name=text`, or None when absent or cancelled."""
        found = self._first(name, FieldKind.STRING)
        return None if found is None else found.text

    def agetflag(self, name: str) -> bool:
        """Tell whether the bare `name` is there and not cancelled before."""
        return self._first(name, FieldKind.FLAG) is not None

    def _first(self, name: str, kind: FieldKind) -> Field | None:
        for item in self.fields:
            if item.name == name and item.kind in (kind, FieldKind.CANCEL):
                return item if item.kind is kind else None
        return None


def agetent(file_text: str, name: str) -> Entry | RemcapError | None:
    """First entry that carries the name, its tc= chain followed; None when there is none."""
    entries = list(_logical_lines(file_text))
    names: tuple[str, ...] = ()
    fields: list[Field] = []
    warnings: list[str] = []
    wanted, octets = name, 0
    for step in range(TC_MAX_STEPS + 1):
        line = _line_named(entries, wanted)
        if line is None:
            return None if step == 0 else RemcapError(f"tc={wanted}: no such entry")
        octets += len(line.encode("utf-8", "surrogatepass"))
        if octets > ENTRY_MAX_OCTETS:
            return RemcapError("Remcap entry too long")
        scan = _scan_entry(line)
        if isinstance(scan, RemcapError):
            return scan
        names = names or scan.names
        fields += scan.fields
        warnings += scan.warnings
        last = scan.fields[-1] if scan.fields else None
        if last is None or last.name != "tc" or last.kind is not FieldKind.STRING:
            return Entry(names, tuple(fields), tuple(warnings))
        fields.pop()
        wanted = last.text
        if len(wanted) > TC_NAME_MAX:
            return RemcapError(f"tc={wanted}: name longer than {TC_NAME_MAX} characters")
    return RemcapError("Infinite tc= loop")


def _logical_lines(file_text: str) -> Iterator[str]:
    joined = _CONTINUATION.sub("", file_text.replace("\r\n", "\n"))
    for line in joined.split("\n"):
        if line and not line.startswith("#"):
            yield line


def _line_named(entries: list[str], name: str) -> str | None:
    for line in entries:
        if name in line.partition(":")[0].split("|"):
            return line
    return None


@dataclass(slots=True)
class _Scan:
    """A cursor over one joined entry and what was read so far."""

    line: str
    at: int
    names: tuple[str, ...]
    fields: list[Field] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def peek(self) -> str:
        return self.line[self.at : self.at + 1]

    def skip_blanks(self) -> None:
        """Pass blanks, with a backslash that was meant to join lines."""
        while self.peek() and self.peek() in _BLANKS + "\\":
            self.at += 1


def _scan_entry(line: str) -> _Scan | RemcapError:
    head, colon, _ = line.partition(":")
    if not colon:
        return RemcapError("Bad remcap entry")
    scan = _Scan(line, len(head) + 1, tuple(head.split("|")))
    while scan.at < len(line):
        problem = _scan_field(scan)
        if problem is not None:
            return problem
    return scan


def _scan_field(scan: _Scan) -> RemcapError | None:
    scan.skip_blanks()
    start = scan.at
    while scan.peek() and scan.peek() not in "#=@:\\":
        scan.at += 1
    name = scan.line[start : scan.at].rstrip(_BLANKS)
    mark = scan.peek()
    if mark == "=":
        scan.at += 1
        return _scan_string(scan, name)
    rest = _rest_of_field(scan)
    if mark == "#":
        _add_number(scan, name, rest[1:])
    elif mark == "@":
        scan.fields.append(Field(name, FieldKind.CANCEL))
    elif name:
        scan.fields.append(Field(name, FieldKind.FLAG))
    return None


def _rest_of_field(scan: _Scan) -> str:
    end = scan.line.find(":", scan.at)
    end = len(scan.line) if end < 0 else end
    rest = scan.line[scan.at : end]
    scan.at = end + 1
    return rest.rstrip(_BLANKS + "\\")


def _add_number(scan: _Scan, name: str, text: str) -> None:
    match = _DIGITS.match(text)
    digits = match.group() if match else ""
    base = 8 if digits.startswith("0") else 10
    number = 0
    for digit in digits:
        number = min(number * base + int(digit), NUMBER_MAX)
    if digits != text or not digits:
        scan.warnings.append(f"{name}#{text}: read as {number}")
    scan.fields.append(Field(name, FieldKind.NUMBER, number=number))


def _scan_string(scan: _Scan, name: str) -> RemcapError | None:
    value: list[str] = []
    quoted = False
    while scan.at < len(scan.line):
        char = scan.line[scan.at]
        scan.at += 1
        if char == '"':
            quoted = not quoted
        elif char == ":" and not quoted:
            break
        elif char == "^":
            value.append(_control_character(scan))
        elif char == "\\":
            value.append(_escaped_character(scan, quoted))
        else:
            value.append(char)
    if quoted:
        return RemcapError(f"{name}=: missing closing quote")
    scan.fields.append(Field(name, FieldKind.STRING, text="".join(value)))
    return None


def _control_character(scan: _Scan) -> str:
    char = scan.peek()
    scan.at += 1
    return chr(ord(char) & _CONTROL_MASK) if char else "^"


def _escaped_character(scan: _Scan, quoted: bool) -> str:
    octal = _OCTAL_ESCAPE.match(scan.line, scan.at)
    if octal:
        scan.at = octal.end()
        return chr(int(octal.group(), 8) & _OCTET_MASK)
    char = scan.peek()
    if not quoted and (not char or char in _BLANKS):
        scan.skip_blanks()
        return ""
    scan.at += 1
    return _LETTER_ESCAPES.get(char, char)
