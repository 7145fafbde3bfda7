# SPDX-License-Identifier: BSD-3-Clause
"""Where running nodes are found: a folder of control sockets that only the user can enter.

No KAME counterpart. ``$XDG_RUNTIME_DIR/kame``, or ``/tmp/kame-UID`` where there is none; the second
is taken only if it is a folder of the user's own and closed to others. ``KAME_RUNTIME_DIR`` names
another one.
"""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path
from typing import Final, NamedTuple

ENV_SERVER: Final = "KAME_SERVER"
ENV_NODE: Final = "KAME_NODE"
ENV_RUNTIME: Final = "KAME_RUNTIME_DIR"
SUFFIX: Final = ".sock"
SCHEME: Final = "unix://"
#: What a node may be called: it becomes a folder, a part of an address, a word of a shell.
NODE_NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,200}")
START_HINT: Final = "start one with: kame up labs/howto.toml"


class RuntimeProblem(Exception):
    """The folder cannot be used; the text is what to print."""


class Address(NamedTuple):
    """Which control socket, which node of it; None: the only one there."""

    path: Path | None
    node: str | None


def runtime_dir(create: bool = False) -> Path:
    """The folder of control sockets. RuntimeProblem when somebody else could enter it."""
    folder = _wanted()
    try:
        if create and not folder.exists():
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = folder.lstat()
    except FileNotFoundError:
        return folder
    except OSError as problem:
        raise RuntimeProblem(f"{folder}: {problem.strerror}") from problem
    if not stat.S_ISDIR(found.st_mode):
        raise RuntimeProblem(f"{folder}: not a directory")
    if found.st_uid != os.geteuid():
        raise RuntimeProblem(f"{folder}: belongs to another user")
    if found.st_mode & 0o077:
        raise RuntimeProblem(f"{folder}: others may enter it (chmod 700)")
    return folder


def node_dir(node: str) -> Path:
    """The folder of one node, made if need be: pid files, the programs of its shell.

    RuntimeProblem: no name for a folder, or it cannot be made.
    """
    if not NODE_NAME.fullmatch(node):
        raise RuntimeProblem(f"{node!r}: no name of a node")
    folder = runtime_dir(create=True) / node
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
    except OSError as problem:
        raise RuntimeProblem(f"{folder}: {problem.strerror}") from problem
    return folder


def _wanted() -> Path:
    chosen = os.environ.get(ENV_RUNTIME)
    if chosen:
        return Path(chosen)
    base = os.environ.get("XDG_RUNTIME_DIR")
    if base and os.access(base, os.W_OK):
        return Path(base) / "kame"
    return Path(f"/tmp/kame-{os.geteuid()}")


def parse_server(text: str) -> Address:
    """``unix:///path/w.sock#ha``, or a path; RuntimeProblem for another scheme."""
    where, _, node = text.partition("#")
    if "://" in where and not where.startswith(SCHEME):
        raise RuntimeProblem(f"{ENV_SERVER}={text}: not unix://PATH#NODE")
    path = where.removeprefix(SCHEME)
    if not path:
        raise RuntimeProblem(f"{ENV_SERVER}={text}: not unix://PATH#NODE")
    return Address(Path(path), node or None)


def wanted(node: str | None) -> Address:
    """What the environment asks for; ``node`` (from --node) goes before it."""
    text = os.environ.get(ENV_SERVER)
    asked = parse_server(text) if text else Address(None, None)
    return Address(asked.path, node or os.environ.get(ENV_NODE) or asked.node)


def sockets() -> list[Path]:
    """Control sockets in the folder, by name."""
    folder = runtime_dir()
    try:
        return sorted(path for path in folder.iterdir() if path.suffix == SUFFIX)
    except FileNotFoundError:
        return []
    except OSError as problem:
        raise RuntimeProblem(f"{folder}: {problem.strerror}") from problem
