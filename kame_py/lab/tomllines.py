# SPDX-License-Identifier: BSD-3-Clause
"""The file line of every key and of every line of every string in a TOML document.

tomllib checks a document and gives its values, but forgets where they stood. This scanner walks
the same text again, only after tomllib accepted it, so it does not judge syntax.
Read TOML 1.0.0 beside it.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

Path = tuple[str | int, ...]
"""Keys and array indices from the root: ("event", 0, "at")."""

_BLANKS: Final = " \t"
_BARE_KEY: Final = re.compile(r"[A-Za-z0-9_-]+")
_SCALAR: Final = re.compile(r"[^,\]}#\n]*")
_SIMPLE_ESCAPES: Final = {
    "b": "\b",
    "t": "\t",
    "n": "\n",
    "f": "\f",
    "r": "\r",
    '"': '"',
    "\\": "\\",
}
_UNICODE_ESCAPES: Final = {"u": 4, "U": 8}


@dataclass(frozen=True, slots=True)
class TomlLines:
    """`keys`: where a key first appears. `strings`: the file line of each line of a string."""

    keys: dict[Path, int]
    strings: dict[Path, tuple[int, ...]]

    def of(self, path: Path) -> int:
        """Line of the key, or of the nearest table around it; 1 for the root."""
        for length in range(len(path), 0, -1):
            if path[:length] in self.keys:
                return self.keys[path[:length]]
        return 1

    def of_text(self, path: Path, line: int) -> int:
        """File line of line `line` (counted from 1) of the string at path."""
        lines = self.strings.get(path, ())
        if not lines:
            return self.of(path)
        return lines[min(max(line, 1), len(lines)) - 1]


def scan_lines(text: str) -> TomlLines:
    """Walk a document that tomllib accepts."""
    scanner = _Scanner(text.replace("\r\n", "\n"))
    scanner.document()
    return TomlLines(scanner.keys, scanner.strings)


@dataclass(slots=True)
class _Scanner:
    text: str
    at: int = 0
    line: int = 1
    table: Path = ()
    keys: dict[Path, int] = field(default_factory=dict)
    strings: dict[Path, tuple[int, ...]] = field(default_factory=dict)
    counts: dict[Path, int] = field(default_factory=dict)

    def document(self) -> None:
        self._space()
        while self.at < len(self.text):
            if self._take("[["):
                self._array_header()
            elif self._take("["):
                self.table = self._resolved(self._key())
                self._note(self.table)
                self._take("]")
            else:
                self._pair(self.table)
            self._space()

    def _take(self, mark: str) -> bool:
        if not self.text.startswith(mark, self.at):
            return False
        self.at += len(mark)
        return True

    def _space(self) -> None:
        """Pass blanks, newlines and comments."""
        while self.at < len(self.text):
            char = self.text[self.at]
            if char == "\n":
                self.line += 1
            elif char == "#":
                end = self.text.find("\n", self.at)
                self.at = len(self.text) if end < 0 else end
                continue
            elif char not in _BLANKS:
                return
            self.at += 1

    def _note(self, path: Path) -> None:
        for length in range(1, len(path) + 1):
            self.keys.setdefault(path[:length], self.line)

    # Tables and keys

    def _array_header(self) -> None:
        name = self._key()
        array = (*self._resolved(name[:-1]), name[-1])
        index = self.counts.get(array, 0)
        self.counts[array] = index + 1
        self.table = (*array, index)
        self._note(self.table)
        self._take("]]")

    def _resolved(self, name: Path) -> Path:
        """A header's name, with the index of the newest element of each array of tables."""
        path: Path = ()
        for part in name:
            path = (*path, part)
            if path in self.counts:
                path = (*path, self.counts[path] - 1)
        return path

    def _key(self) -> Path:
        parts: list[str] = []
        while True:
            self._space()
            parts.append(self._key_part())
            self._space()
            if not self._take("."):
                return tuple(parts)

    def _key_part(self) -> str:
        if self._take('"'):
            return self._basic('"')[0]
        if self._take("'"):
            return self._literal("'")[0]
        match = _BARE_KEY.match(self.text, self.at)
        if not match:
            raise ValueError(f"line {self.line}: a key is missing")
        self.at = match.end()
        return match.group()

    def _pair(self, table: Path) -> None:
        path = (*table, *self._key())
        self._note(path)
        self._take("=")
        self._space()
        self._value(path)

    # Values

    def _value(self, path: Path) -> None:
        if self._take('"""'):
            self._string(path, self._basic, '"""')
        elif self._take("'''"):
            self._string(path, self._literal, "'''")
        elif self._take('"'):
            self._string(path, self._basic, '"')
        elif self._take("'"):
            self._string(path, self._literal, "'")
        elif self._take("["):
            self._array(path)
        elif self._take("{"):
            self._inline_table(path)
        else:
            match = _SCALAR.match(self.text, self.at)
            self.at = match.end() if match else self.at

    def _array(self, path: Path) -> None:
        index = 0
        self._space()
        while not self._take("]"):
            element = (*path, index)
            self._note(element)
            self._value(element)
            self._space()
            self._take(",")
            self._space()
            self._must_continue()
            index += 1

    def _inline_table(self, path: Path) -> None:
        self._space()
        while not self._take("}"):
            self._pair(path)
            self._space()
            self._take(",")
            self._space()
            self._must_continue()

    def _must_continue(self) -> None:
        if self.at >= len(self.text):
            raise ValueError(f"line {self.line}: the document ends inside a value")

    # Strings

    def _string(
        self, path: Path, body: Callable[[str], tuple[str, tuple[int, ...]]], mark: str
    ) -> None:
        if len(mark) > 1 and self._take("\n"):
            self.line += 1
        self.strings[path] = body(mark)[1]

    def _close(self, mark: str) -> bool:
        """Pass the closing mark. Up to two quotes may stand right before a triple one."""
        if not self.text.startswith(mark, self.at):
            return False
        if len(mark) > 1 and self.text.startswith(mark[0], self.at + len(mark)):
            return False
        self.at += len(mark)
        return True

    def _literal(self, mark: str) -> tuple[str, tuple[int, ...]]:
        return self._body(mark, escapes=False)

    def _basic(self, mark: str) -> tuple[str, tuple[int, ...]]:
        return self._body(mark, escapes=True)

    def _body(self, mark: str, *, escapes: bool) -> tuple[str, tuple[int, ...]]:
        """The decoded string and, for each of its lines, the file line where it begins."""
        parts: list[str] = []
        lines = [self.line]
        while not self._close(mark):
            if self.at >= len(self.text):
                raise ValueError(f"line {self.line}: the document ends inside a string")
            char = self.text[self.at]
            self.at += 1
            if char == "\\" and escapes:
                char = self._escape(fresh=not parts or parts[-1] == "\n", lines=lines)
            elif char == "\n":
                self.line += 1
            if char == "\n":
                lines.append(self.line)
            if char:
                parts.append(char)
        return "".join(parts), tuple(lines)

    def _escape(self, *, fresh: bool, lines: list[int]) -> str:
        char = self.text[self.at : self.at + 1]
        if char in _SIMPLE_ESCAPES:
            self.at += 1
            return _SIMPLE_ESCAPES[char]
        if char in _UNICODE_ESCAPES:
            end = self.at + 1 + _UNICODE_ESCAPES[char]
            code = int(self.text[self.at + 1 : end], 16)
            self.at = end
            return chr(code)
        # A line-ending backslash: all space up to the next character is no content.
        while self.at < len(self.text) and self.text[self.at] in _BLANKS + "\n":
            self.line += self.text[self.at] == "\n"
            self.at += 1
        if fresh:
            lines[-1] = self.line
        return ""
