# SPDX-License-Identifier: BSD-3-Clause
"""Sockets in the file system: made where a dead process left one, and nothing else ever removed.

No KAME counterpart. A socket stays when its process is killed; to connect to it is refused then,
but so it is to a file of any other kind. Read first: unix(7).
"""

from __future__ import annotations

import errno
import os
import socket
import stat
from pathlib import Path
from typing import Final

PATH_MAX: Final = 107  # octets of a socket's path


def clear_socket(path: Path) -> bool:
    """Remove a socket, and nothing that is none. False: it is none, or it is still there."""
    try:
        if not stat.S_ISSOCK(os.lstat(path).st_mode):
            return False
        os.unlink(path)
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return True


def bind_socket(sock: socket.socket, path: str) -> None:
    """Bind to a path, also to that of a dead process's socket. OSError with the path in it."""
    if len(os.fsencode(path)) > PATH_MAX:
        why = f"a socket's path has at most {PATH_MAX} octets"
        raise OSError(errno.ENAMETOOLONG, why, path)
    try:
        try:
            sock.bind(path)
        except OSError as problem:
            if problem.errno != errno.EADDRINUSE or not _dead(sock, path):
                raise
            clear_socket(Path(path))
            sock.bind(path)
    except OSError as problem:
        why = problem.strerror or str(problem)
        if problem.errno == errno.EADDRINUSE and not Path(path).is_socket():
            why = "there is something that is no socket"
        raise OSError(problem.errno, why, path) from problem


def _dead(sock: socket.socket, path: str) -> bool:
    """Whether a socket is nobody's any more."""
    with socket.socket(socket.AF_UNIX, sock.type) as probe:
        probe.setblocking(False)
        try:
            probe.connect(path)
        except ConnectionRefusedError:
            return Path(path).is_socket()
        except OSError:
            return False
    return False
