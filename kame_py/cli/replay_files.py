# SPDX-License-Identifier: BSD-3-Clause
"""Which files ``kame replay`` plays: those that are named, and all captures below a directory.

No KAME counterpart.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import BinaryIO, Final, NamedTuple

from kame_py.cli.lab import FileProblem
from kame_py.cli.replay_args import why
from kame_py.host.same_file import Named
from kame_py.replay.compressed import SUFFIXES

STDIN: Final = "-"
_STDIN: Final = 0  # its descriptor
CAPTURES: Final = (".pcap", ".pcapng", ".cap")
_ENDS: Final = tuple(name + packed for name in CAPTURES for packed in ("", *SUFFIXES))


class Captures(NamedTuple):
    """What to play. several: one capture among more, or what a directory holds."""

    paths: list[str]
    several: bool


def find_captures(names: Iterable[str]) -> Captures:
    """The captures that are meant, those of a directory sorted. FileProblem for an empty one."""
    paths: list[str] = []
    several = False
    for name in names:
        if not os.path.isdir(name):
            paths.append(name)
            continue
        several = True
        below = sorted(_below(name))
        if not below:
            raise FileProblem(f"{name}: no captures in it")
        paths += below
    return Captures(paths, several or len(paths) > 1)


def _below(folder: str) -> Iterator[str]:
    for where, _, files in os.walk(folder):
        for name in files:
            if name.lower().endswith(_ENDS):
                yield os.path.join(where, name)


def inputs(captures: Captures, rc: str | None, kernconf: str | None) -> Iterator[Named]:
    """All files that are read, as far as arguments tell."""
    for path in captures.paths:
        yield Named("standard input", _STDIN) if path == STDIN else Named(path, path)
    for option, named in (("--rc", rc), ("--kernconf", kernconf)):
        if named:
            yield Named(f"{option} {named}", named)


def size_of(path: str) -> int | None:
    """Octets of a file; None where nobody can say before it is read."""
    try:
        return os.path.getsize(path) if os.path.isfile(path) else None
    except OSError:
        return None


@contextmanager
def capture_file(path: str) -> Iterator[BinaryIO]:
    """The octets of a capture. FileProblem."""
    if path == STDIN:
        yield sys.stdin.buffer
        return
    try:
        f = open(path, "rb")  # noqa: SIM115 - what the caller raises is not this file's problem
    except (OSError, ValueError) as problem:
        raise FileProblem(f"{path}: {why(problem)}") from None
    with f:
        yield f
