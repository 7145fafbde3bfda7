# SPDX-License-Identifier: BSD-3-Clause
"""All kernels by name, each loaded when it is asked for: from a file, or compiled once.

No KAME counterpart. ``from kame_py.fast import kernels``, then ``kernels.classify(...)``. Modules
that hold kernels import numba, which takes a third of a second; where there are files of an earlier
start nobody imports them. Without numba a kernel that is its own twin is the function as written.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Final

from kame_py.fast.cpu import CPU, Cpu

if TYPE_CHECKING:
    from collections.abc import Callable

    from kame_py.fast.ah_kernels import find_ah as find_ah
    from kame_py.fast.ah_kernels import take_ah as take_ah
    from kame_py.fast.annotate_kernels import annotate_batch as annotate_batch
    from kame_py.fast.bu_kernels import find_updates as find_updates
    from kame_py.fast.bu_kernels import make_acks as make_acks
    from kame_py.fast.bu_kernels import write_acks as write_acks
    from kame_py.fast.bu_renew import renew as renew
    from kame_py.fast.bulk import classify as classify
    from kame_py.fast.bulk import in_order as in_order
    from kame_py.fast.emit import run as run
    from kame_py.fast.ingest_kernels import pcap as pcap
    from kame_py.fast.ingest_kernels import pcapng as pcapng
    from kame_py.fast.rowtable import find_row as find_row
    from kame_py.fast.rowtable import is_marked as is_marked
    from kame_py.fast.rowtable import kill_rows as kill_rows
    from kame_py.fast.rowtable import mark as mark
    from kame_py.fast.rowtable import put_rows as put_rows
    from kame_py.fast.rowtable import take_marks as take_marks
    from kame_py.fast.sa_kernels import fill_index as fill_index
    from kame_py.fast.sight_kernels import spot as spot
    from kame_py.fast.sight_kernels import strangers as strangers

_MODULES: Final = {
    "annotate_batch": "annotate_kernels",
    "classify": "bulk",
    "fill_index": "sa_kernels",
    "find_ah": "ah_kernels",
    "find_row": "rowtable",
    "find_updates": "bu_kernels",
    "in_order": "bulk",
    "is_marked": "rowtable",
    "kill_rows": "rowtable",
    "make_acks": "bu_kernels",
    "mark": "rowtable",
    "pcap": "ingest_kernels",
    "pcapng": "ingest_kernels",
    "put_rows": "rowtable",
    "renew": "bu_renew",
    "run": "emit",
    "take_marks": "rowtable",
    "spot": "sight_kernels",
    "strangers": "sight_kernels",
    "take_ah": "ah_kernels",
    "write_acks": "bu_kernels",
}


def written(name: str) -> Callable[..., object]:
    """A kernel as its module has it: for numba, or a function of Python where there is none."""
    found: Callable[..., object] = getattr(import_module(f"kame_py.fast.{_MODULES[name]}"), name)
    return found


def kept(name: str) -> bool:
    """There is machine code of a kernel, so that nothing needs to be compiled."""
    from kame_py.fast import native

    return native.is_kept(name)


def _first(name: str) -> Callable[..., object]:
    """A kernel that is compiled, and kept, when its arguments are known."""

    def call(*args: object) -> object:
        from kame_py.fast import native, native_build

        kernel = written(name)
        result = kernel(*args)
        code = native_build.build(kernel)
        if code is not None:
            native.keep(name, code)
        globals()[name] = kernel if code is None else native.linked(name, code)
        return result

    return call


def __getattr__(name: str) -> object:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    if CPU is Cpu.NONE:
        found: object = written(name)
    else:
        from kame_py.fast import native

        found = native.load(name) or _first(name)
    globals()[name] = found  # so that it is asked for once
    return found
