# SPDX-License-Identifier: BSD-3-Clause
"""Captures in and out, and a kernel run over one.

``from kame_py.replay import ReplayOptions, replay``. The names are loaded when they are asked for,
so that a reader of captures loads no kernel.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kame_py.replay.capture import CaptureError as CaptureError
    from kame_py.replay.runner import ReplayError as ReplayError
    from kame_py.replay.runner import ReplayOptions as ReplayOptions
    from kame_py.replay.runner import ReplayResult as ReplayResult
    from kame_py.replay.runner import replay as replay
    from kame_py.replay.verdict import Verdict as Verdict

_MODULES = {
    "CaptureError": "kame_py.replay.capture",
    "ReplayError": "kame_py.replay.runner",
    "ReplayOptions": "kame_py.replay.runner",
    "ReplayResult": "kame_py.replay.runner",
    "Verdict": "kame_py.replay.verdict",
    "replay": "kame_py.replay.runner",
}
__all__ = [
    "CaptureError",
    "ReplayError",
    "ReplayOptions",
    "ReplayResult",
    "Verdict",
    "replay",
]


def __getattr__(name: str) -> object:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_MODULES[name]), name)
