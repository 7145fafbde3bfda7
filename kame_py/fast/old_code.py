# SPDX-License-Identifier: BSD-3-Clause
"""Machine code of other versions of the sources: folders that were not used for long are deleted.

No KAME counterpart. A process holds a lock on the folder that it uses, as long as it lives; what
somebody holds, or used within the last hour, stays.
"""

from __future__ import annotations

import fcntl
import functools
import os
from pathlib import Path
from typing import Final

KEPT: Final = 4  # folders, the newest one among them
JUST_NOW_S: Final = 3600
NAME_LEN: Final = 16  # hexadecimal digits
_DIGITS: Final = frozenset("0123456789abcdef")


@functools.cache
def hold(folder: Path) -> bool:
    """Lock the folder for this process, and note the use; False: it is being deleted."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    if not _locked(fd, fcntl.LOCK_SH):
        os.close(fd)
        return False
    os.utime(folder)
    return True


def prune(newest: Path) -> None:
    """Delete folders beside one that was used now, but the ``KEPT`` most recently used ones."""
    found = [(_used(folder), folder) for folder in newest.parent.iterdir() if _is_ours(folder)]
    others = sorted(((used, folder) for used, folder in found if folder != newest), reverse=True)
    for used, folder in others[KEPT - 1 :]:
        if used < _used(newest) - JUST_NOW_S:
            _delete(folder)


def _used(folder: Path) -> float:
    """When, in seconds; 0 for what another process has deleted meanwhile."""
    try:
        return folder.stat().st_mtime
    except OSError:
        return 0


def _is_ours(folder: Path) -> bool:
    """Named as ``cpu.cache_dir`` names them."""
    named = len(folder.name) == NAME_LEN and frozenset(folder.name) <= _DIGITS
    return named and folder.is_dir()


def _delete(folder: Path) -> None:
    """What can be deleted, unless somebody holds it."""
    import shutil

    try:
        fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except OSError:
        return
    try:
        if _locked(fd, fcntl.LOCK_EX):
            shutil.rmtree(folder, ignore_errors=True)
    finally:
        os.close(fd)


def _locked(fd: int, how: int) -> bool:
    try:
        fcntl.flock(fd, how | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
