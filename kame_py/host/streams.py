# SPDX-License-Identifier: BSD-3-Clause
"""Standard streams that are closed, full or broken: one line and a status instead of a traceback.

No KAME counterpart (libc's stdio forgives all three).
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Final, TextIO

EX_OUTPUT: Final = 1
EX_INTERRUPTED: Final = 130  # 128 + SIGINT
EX_PIPE: Final = 141  # 128 + SIGPIPE


def with_streams(name: str, body: Callable[[], int], broken_pipe: int = EX_PIPE) -> int:
    """Run the body of a program: what goes wrong with its output becomes its exit status."""
    sys.stdout = sys.stdout or _nowhere()  # None when the caller closed it
    sys.stderr = sys.stderr or _nowhere()
    try:
        status = body()
        sys.stdout.flush()
    except BrokenPipeError:
        forget(sys.stdout)  # the reader is gone: nothing can be said any more
        return broken_pipe
    except OSError as problem:
        what = problem.filename if isinstance(problem.filename, str) else "output"
        sys.stderr.write(f"{name}: {what}: {problem.strerror or problem}\n")
        forget(sys.stdout)
        return EX_OUTPUT
    except KeyboardInterrupt:
        return EX_INTERRUPTED
    return status


def _nowhere() -> TextIO:
    return open(os.devnull, "w", encoding="utf-8")


def forget(stream: TextIO) -> None:
    """What waits to be written has no place to go, also not when the interpreter ends."""
    nowhere = _nowhere()
    try:
        os.dup2(nowhere.fileno(), stream.fileno())
    except (OSError, ValueError):  # it never had a descriptor, or has none any more
        return
