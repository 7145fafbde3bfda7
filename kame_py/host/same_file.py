# SPDX-License-Identifier: BSD-3-Clause
"""Whether two names are one file, so that no command writes over what it reads.

No KAME counterpart. Two names are one file when they lead to the same device and inode, or, while
nothing is there, to the same place.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable, Sequence
from typing import Final, NamedTuple

STDOUT: Final = 1
_LINKS_MAX: Final = 40  # symbolic links that Linux follows
_FD_FOLDER: Final = "/proc/self/fd"


class Named(NamedTuple):
    """A file that a command reads or writes. shown: how messages name it; where: name or number."""

    shown: str
    where: str | int


def descriptor(path: str) -> int | None:
    """The number of the open file that a name such as /dev/stdout stands for."""
    for _ in range(_LINKS_MAX):
        folder, name = os.path.split(path)
        if name.isdecimal() and os.path.realpath(folder) == os.path.realpath(_FD_FOLDER):
            return int(name)
        try:
            path = os.path.join(folder, os.readlink(path))
        except (OSError, ValueError):
            return None
    return None


def clash(outputs: Sequence[Named], inputs: Iterable[Named]) -> str | None:
    """Why a command cannot have these files; None: they are different ones.

    Outputs may share the null device. Terminals and sockets are read and written at once.
    """
    read = {key: one.shown for one in inputs if (key := _key(one.where, _both_ways))}
    written: dict[object, str] = {}
    for one in outputs:
        if (key := _key(one.where, _both_ways)) in read:
            return f"{one.shown}: the same file as {read[key]}, which is read"
        key = _key(one.where, _null)
        if key is not None and key in written:
            return f"{one.shown}: the same file as {written[key]}, which is written"
        written[key] = one.shown
    return _at_stdout(outputs, read, written)


def _at_stdout(
    outputs: Sequence[Named], read: dict[object, str], written: dict[object, str]
) -> str | None:
    """The same of standard output, if it is a file; who names it knows what else goes there."""
    if any(_number(one.where) == STDOUT for one in outputs):
        return None
    key = _key(STDOUT, _no_regular)
    if key is None:
        return None
    if key in read:
        return f"standard output: the same file as {read[key]}, which is read"
    if key in written:
        return f"{written[key]}: the same file as standard output"
    return None


def same_file(a: str, b: str) -> bool:
    """Both names lead to one file, which is more than a way to pass octets on."""
    key = _key(a, _both_ways)
    return key is not None and key == _key(b, _both_ways)


def _key(where: str | int, harmless: Callable[[os.stat_result], bool]) -> object:
    """What is equal for names of one file; None: it may have any number of users."""
    number = _number(where)
    try:
        found = os.stat(where) if number is None else os.fstat(number)
    except (OSError, ValueError):
        return None if number is not None else _place(str(where))
    return None if harmless(found) else (found.st_dev, found.st_ino)


def _number(where: str | int) -> int | None:
    return where if isinstance(where, int) else descriptor(where)


def _place(path: str) -> str:
    try:
        return os.path.realpath(path)
    except ValueError:  # no name of a file: whoever opens it will say so
        return path


def _both_ways(found: os.stat_result) -> bool:
    return stat.S_ISCHR(found.st_mode) or stat.S_ISSOCK(found.st_mode)


def _null(found: os.stat_result) -> bool:
    return stat.S_ISCHR(found.st_mode) and found.st_rdev == os.stat(os.devnull).st_rdev


def _no_regular(found: os.stat_result) -> bool:
    return not stat.S_ISREG(found.st_mode)
