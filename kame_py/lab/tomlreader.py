# SPDX-License-Identifier: BSD-3-Clause
"""Typed reading of a TOML document that collects errors instead of stopping at the first.

Every getter answers the value, or None (or the default) after noting an error with the file
line of the offending key, so that one run shows everything that is wrong.
"""

import difflib
import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Final

from kame_py.lab.schema import LabError, LabNote
from kame_py.lab.tomllines import Path, TomlLines

Table = Mapping[str, object]

NS_PER_S: Final = 1_000_000_000
NS_PER_MS: Final = 1_000_000
# Longer than any lab, small enough that its nanoseconds fit 64 bits.
SECONDS_MAX: Final = 1_000_000_000


def did_you_mean(name: str, known: Collection[str]) -> str:
    """`; did you mean X`, or nothing when no known name is near."""
    close = difflib.get_close_matches(name, known, n=1)
    return f"; did you mean {close[0]}" if close else ""


def _kind(value: object) -> str:
    names = ((bool, "true or false"), (int, "a number"), (float, "a number"), (str, "a text"))
    for kind, name in (*names, (list, "a list"), (dict, "a table")):
        if isinstance(value, kind):
            return name
    return "a date or time"


@dataclass(slots=True)
class Reader:
    """The file's name and line map, and what was found wrong or worth a note so far."""

    file: str
    lines: TomlLines
    errors: list[LabError] = field(default_factory=list)
    notes: list[LabNote] = field(default_factory=list)

    def error(self, path: Path, text: str) -> None:
        """Note an error at the line of the key."""
        self.errors.append(LabError(self.file, self.lines.of(path), text))

    def error_in_text(self, path: Path, line: int, text: str) -> None:
        """Note an error at a line of the string at path."""
        self.errors.append(LabError(self.file, self.lines.of_text(path, line), text))

    def note_in_text(self, path: Path, line: int, text: str) -> None:
        """Note a remark at a line of the string at path."""
        self.notes.append(LabNote(self.file, self.lines.of_text(path, line), text))

    def unknown(self, path: Path, what: str, name: str, known: Collection[str]) -> None:
        """Note that a name is none of the known ones."""
        self.error(path, f"unknown {what} {name}{did_you_mean(name, known)}")

    def check_keys(self, table: Table, path: Path, known: Collection[str]) -> None:
        """Note every key that means nothing here."""
        for key in table:
            if key not in known:
                self.unknown((*path, key), "key", key, known)

    def wrong_kind(self, path: Path, wanted: str, value: object) -> None:
        """Note a value of the wrong type."""
        self.error(path, f"{_shown(path)}: {_kind(value)} where {wanted} belongs")

    def table(self, parent: Table, path: Path) -> Table:
        """The table at path; empty when absent."""
        value = parent.get(str(path[-1]), {})
        return self.as_table(value, path) or {}

    def as_table(self, value: object, path: Path) -> Table | None:
        """The value, if it is a table."""
        if isinstance(value, dict):
            return value
        self.wrong_kind(path, "a table", value)
        return None

    def tables(self, parent: Table, key: str) -> list[tuple[Path, Table]]:
        """The elements of an array of tables, with their paths."""
        value = parent.get(key, [])
        if not isinstance(value, list):
            self.error((key,), f"{key}: write [[{key}]]: there may be several")
            return []
        found: list[tuple[Path, Table]] = []
        for index, element in enumerate(value):
            table = self.as_table(element, (key, index))
            if table is not None:
                found.append(((key, index), table))
        return found

    def text(self, table: Table, path: Path) -> str | None:
        """The text under the last key of path; None when absent or of another type."""
        value = table.get(str(path[-1]))
        if value is None or isinstance(value, str):
            return value
        self.wrong_kind(path, "a text", value)
        return None

    def required_text(self, table: Table, path: Path) -> str | None:
        """Like text(), but its absence is an error at the table's line."""
        if path[-1] not in table:
            self.error(path[:-1], f"{path[-1]} is missing")
        return self.text(table, path)

    def texts(self, table: Table, path: Path) -> tuple[str, ...]:
        """A text, or a list of texts; empty when absent."""
        value = table.get(str(path[-1]), [])
        if isinstance(value, str):
            return (value,)
        if not isinstance(value, list):
            self.wrong_kind(path, "a text or a list of texts", value)
            return ()
        for index, element in enumerate(value):
            if not isinstance(element, str):
                self.wrong_kind((*path, index), "a text", element)
                return ()
        return tuple(value)

    def flag(self, table: Table, path: Path) -> bool | None:
        """true or false; None when absent."""
        value = table.get(str(path[-1]))
        if value is None or isinstance(value, bool):
            return value
        self.wrong_kind(path, "true or false", value)
        return None

    def integer(self, table: Table, path: Path, least: int, most: int) -> int | None:
        """A whole number in the range; None when absent or wrong."""
        value = table.get(str(path[-1]))
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int):
            self.wrong_kind(path, "a whole number", value)
            return None
        if not least <= value <= most:
            self.error(path, f"{_shown(path)}: {value} is not in {least}..{most}")
            return None
        return value

    def number(self, table: Table, path: Path) -> int | float | None:
        """Any finite number; None when absent or wrong."""
        value = table.get(str(path[-1]))
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float):
            self.wrong_kind(path, "a number", value)
            return None
        if isinstance(value, float) and not math.isfinite(value):
            self.error(path, f"{_shown(path)}: {value} is not a finite number")
            return None
        return value

    def span_ns(self, table: Table, path: Path, unit_ns: int) -> int | None:
        """A time given in units of unit_ns, as nanoseconds; negative ones are errors."""
        value = self.number(table, path)
        if value is None:
            return None
        if value < 0:
            self.error(path, f"{_shown(path)}: {value}: a time cannot be negative")
            return None
        if value > SECONDS_MAX * NS_PER_S // unit_ns:
            self.error(path, f"{_shown(path)}: {value}: a time this long is not supported")
            return None
        return value * unit_ns if isinstance(value, int) else round(value * unit_ns)

    def probability(self, table: Table, path: Path) -> float | None:
        """A number of 0 to 1."""
        value = self.number(table, path)
        if value is None:
            return None
        if not 0 <= value <= 1:
            self.error(path, f"{_shown(path)}: {value} is not in 0..1 (0.05 is 5 percent)")
            return None
        return float(value)


def _shown(path: Path) -> str:
    return next((part for part in reversed(path) if isinstance(part, str)), "value")
