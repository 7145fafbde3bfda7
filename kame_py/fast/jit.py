# SPDX-License-Identifier: BSD-3-Clause
"""The one door to numba: ``kernel`` compiles a function and keeps its type.

No KAME counterpart. Import this module, and what uses it, only where ``cpu.CPU`` is not none.
Kernels stand at module level and take intrinsics from module globals: numba never finds closures
in its cache.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, ParamSpec, TypeVar, cast

import numba
from numba.extending import intrinsic

from kame_py.fast.cpu import CUT, cache_dir

P = ParamSpec("P")
R = TypeVar("R")

_CACHE: Final = cache_dir()
if CUT is not None:
    vars(numba.config).update(CPU_NAME=CUT, CPU_FEATURES="")


def kernel(fn: Callable[P, R]) -> Callable[P, R]:
    """Compiled at the first call; runs without the interpreter's lock; kept on disk if possible."""
    return cast("Callable[P, R]", _compiler(numba.njit, fn, nogil=True))


def quick(fn: Callable[P, R]) -> Callable[P, R]:
    """A kernel so short that it keeps the interpreter's lock."""
    return cast("Callable[P, R]", _compiler(numba.njit, fn))


def inlined(fn: Callable[P, R]) -> Callable[P, R]:
    """A part of kernels, compiled into them."""
    return cast("Callable[P, R]", numba.njit(forceinline=True, nogil=True)(fn))


def primitive(fn: Callable[..., object]) -> object:
    """A function that LLVM code stands for, made by ``fn``; the caller says its type."""
    return cast("object", intrinsic(fn))


def _compiler(njit: Callable[..., Callable[..., object]], fn: object, **options: bool) -> object:
    """numba looks its folder up while it decorates; programs keep theirs."""
    if _CACHE is None:
        return njit(**options)(fn)
    config = vars(numba.config)
    before = config["CACHE_DIR"]
    config["CACHE_DIR"] = str(_CACHE)
    try:
        return njit(cache=True, **options)(fn)
    finally:
        config["CACHE_DIR"] = before
