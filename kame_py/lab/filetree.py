# SPDX-License-Identifier: BSD-3-Clause
"""The files of one node: path -> text, kept in memory.

No KAME counterpart. Names without a leading slash are relative to the root. Directories exist
because a box has them (below) or because a file lies in them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from kame_py.wire.errno import EISDIR, ENOENT, ENOTDIR, KError

#: Where KAME's tools keep their files, and what a user expects to find.
DIRECTORIES: Final = (
    "/",
    "/etc",
    "/tmp",
    "/root",
    "/usr/local/v6/etc",
    "/usr/local/etc",
    "/var/run",
    "/var/log",
    "/var/tmp",
    "/var/db",
)


class FileTree:
    """Reads and writes whole files; errors are those of open(2)."""

    __slots__ = ("_files",)

    def __init__(self, files: Mapping[str, str] | None = None) -> None:
        self._files = {absolute(path): text for path, text in (files or {}).items()}

    def read(self, path: str) -> str:
        """The text. KError: ENOENT, EISDIR for a directory, ENOTDIR below a file."""
        full = absolute(path)
        text = self._files.get(full)
        if text is None:
            self._check_parents(full)
            raise KError(EISDIR if self._is_directory(full) else ENOENT)
        if path.endswith("/"):
            raise KError(ENOTDIR)
        return text

    def write(self, path: str, text: str) -> None:
        """Replace or make the file; its directory must be there (ENOENT)."""
        full = absolute(path)
        if path.endswith("/") or self._is_directory(full):
            raise KError(EISDIR)
        self._check_parents(full)
        if not self._is_directory(_parent(full)):
            raise KError(ENOENT)
        self._files[full] = text

    def append(self, path: str, text: str) -> None:
        """Add to the end of the file, which need not be there yet."""
        old = self._files.get(absolute(path), "")
        self.write(path, old + text)

    def same(self, a: str, b: str) -> bool:
        """Both names are one file, or would be."""
        return absolute(a) == absolute(b)

    def remove(self, path: str) -> None:
        """unlink(2). KError: ENOENT."""
        if self._files.pop(absolute(path), None) is None:
            raise KError(ENOENT)

    def names(self) -> list[str]:
        """All files by full name, in order."""
        return sorted(self._files)

    def _is_directory(self, full: str) -> bool:
        below = full if full.endswith("/") else full + "/"
        return full in DIRECTORIES or any(
            name.startswith(below) for name in (*DIRECTORIES, *self._files)
        )

    def _check_parents(self, full: str) -> None:
        parent = _parent(full)
        while parent != "/":
            if parent in self._files:
                raise KError(ENOTDIR)
            parent = _parent(parent)


def absolute(path: str) -> str:
    """The name from the root, without ``.``, ``..`` and doubled slashes."""
    parts: list[str] = []
    for part in path.split("/"):
        if part == "..":
            del parts[-1:]
        elif part not in ("", "."):
            parts.append(part)
    return "/" + "/".join(parts)


def _parent(full: str) -> str:
    return full.rpartition("/")[0] or "/"
