# SPDX-License-Identifier: BSD-3-Clause
"""The KAME IPv6, IPsec and Mobile IPv6 kernel in pure Python: sans-IO, virtual time.

The public names are in ``__all__`` and described in docs/api.md. Importing this package imports
nothing else, so that a tool starts fast: a name is loaded when it is first asked for.
``kame_py.boot`` and ``kame_py.replay`` are modules; the functions in them have the same names.
"""

from importlib import import_module
from typing import TYPE_CHECKING

__version__ = "0.1.0"

__all__ = [
    "CaptureError",
    "CommandResult",
    "DropReason",
    "Fate",
    "Impairment",
    "KError",
    "KernConf",
    "Kernel",
    "LabRun",
    "Lan",
    "Mbuf",
    "Node",
    "ProgOps",
    "ReplayError",
    "ReplayOptions",
    "ReplayResult",
    "Verdict",
    "VirtualClock",
    "World",
    "__version__",
    "boot",
    "replay",
]

_MODULES = ("boot", "replay")
_NAMES = {
    "CaptureError": "kame_py.replay.capture",
    "CommandResult": "kame_py.lab.job",
    "DropReason": "kame_py.kern.drop",
    "Fate": "kame_py.kern.mbuf",
    "Impairment": "kame_py.lab.impair",
    "KError": "kame_py.wire.errno",
    "KernConf": "kame_py.kern.conf",
    "Kernel": "kame_py.kern.kernel",
    "LabRun": "kame_py.lab.runner",
    "Lan": "kame_py.lab.lan",
    "Mbuf": "kame_py.kern.mbuf",
    "Node": "kame_py.lab.node",
    "ProgOps": "kame_py.ctl.ops",
    "ReplayError": "kame_py.replay.runner",
    "ReplayOptions": "kame_py.replay.runner",
    "ReplayResult": "kame_py.replay.runner",
    "Verdict": "kame_py.replay.verdict",
    "VirtualClock": "kame_py.kern.clock",
    "World": "kame_py.lab.world",
}

if TYPE_CHECKING:
    from kame_py import boot as boot
    from kame_py import replay as replay
    from kame_py.ctl.ops import ProgOps as ProgOps
    from kame_py.kern.clock import VirtualClock as VirtualClock
    from kame_py.kern.conf import KernConf as KernConf
    from kame_py.kern.drop import DropReason as DropReason
    from kame_py.kern.kernel import Kernel as Kernel
    from kame_py.kern.mbuf import Fate as Fate
    from kame_py.kern.mbuf import Mbuf as Mbuf
    from kame_py.lab.impair import Impairment as Impairment
    from kame_py.lab.job import CommandResult as CommandResult
    from kame_py.lab.lan import Lan as Lan
    from kame_py.lab.node import Node as Node
    from kame_py.lab.runner import LabRun as LabRun
    from kame_py.lab.world import World as World
    from kame_py.replay.capture import CaptureError as CaptureError
    from kame_py.replay.runner import ReplayError as ReplayError
    from kame_py.replay.runner import ReplayOptions as ReplayOptions
    from kame_py.replay.runner import ReplayResult as ReplayResult
    from kame_py.replay.verdict import Verdict as Verdict
    from kame_py.wire.errno import KError as KError
else:
    # Not for type checkers, which would take every misspelt name for one of these.

    def __getattr__(name: str) -> object:
        if name in _MODULES:
            return import_module(f"{__name__}.{name}")
        if name in _NAMES:
            return getattr(import_module(_NAMES[name]), name)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})
