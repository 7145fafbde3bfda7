# SPDX-License-Identifier: BSD-3-Clause
"""Which kernels suit this processor, and where their machine code is kept.

No KAME counterpart. ``KAME_CPU`` (avx512, avx2, plain, none) cuts the choice; without numba it is
none: the twins in Python do the work. Compiled code lies in a folder named for the sources, so a
second start compiles nothing and a changed source compiles everything.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from enum import IntEnum
from pathlib import Path
from typing import Final

VARIABLE: Final = "KAME_CPU"
_AVX512: Final = frozenset({"avx512f", "avx512bw", "avx512dq", "avx512vl"})
_X86: Final = "x86_64"


class Cpu(IntEnum):
    """What kernels may use, least first."""

    NONE = 0  # no numba
    PLAIN = 1  # whatever LLVM makes of plain loops
    AVX2 = 2
    AVX512 = 3  # with masks on octets


#: LLVM's names of x86-64 processors that have no more than this.
_CUT_TO: Final = {Cpu.PLAIN: "x86-64", Cpu.AVX2: "x86-64-v3"}


def choose(asked: str | None, features: frozenset[str] | None) -> Cpu:
    """The kernels for a processor with these features; None: numba cannot be used.

    Raises ValueError for a wish that names no choice.
    """
    names = {cpu.name.lower(): cpu for cpu in Cpu}
    if asked and asked.lower() not in names:
        raise ValueError(f"{VARIABLE}={asked}: one of {', '.join(names)} expected")
    if features is None:
        return Cpu.NONE
    best = Cpu.PLAIN
    if features >= _AVX512:
        best = Cpu.AVX512
    elif "avx2" in features:
        best = Cpu.AVX2
    return min(best, names[asked.lower()]) if asked else best


def _features() -> frozenset[str] | None:
    """Of this processor, in LLVM's words."""
    try:
        import numba
        from llvmlite import binding  # type: ignore[import-untyped]  # it has no stubs
    except ImportError:
        return None
    if vars(numba.config)["DISABLE_JIT"]:
        return None
    try:
        found: dict[str, bool] = binding.get_host_cpu_features()
    except RuntimeError:  # LLVM does not know this processor
        return frozenset()
    return frozenset(name for name, has in found.items() if has)


def _detect(asked: str | None) -> Cpu:
    if asked and asked.lower() == Cpu.NONE.name.lower():
        return Cpu.NONE
    features = _features()
    cpu = choose(asked, features)
    if asked and cpu in _CUT_TO and features:
        _cut(_CUT_TO[cpu])
    return cpu


def _cut(name: str) -> None:
    """Let LLVM use no more than an older processor has, so that what runs there is tried here."""
    import numba
    from llvmlite import binding

    if binding.get_process_triple().startswith(_X86):
        vars(numba.config).update(CPU_NAME=name, CPU_FEATURES="")


def _sources_hash() -> str:
    """Of everything the kernels are made from; the codecs hold their offsets."""
    here = Path(__file__).parent
    digest = hashlib.sha256()
    for path in sorted(here.glob("*.py")) + sorted(here.parent.glob("wire/*.py")):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]


def cache_dir() -> Path | None:
    """The folder for compiled kernels, made if need be; None where none can be written.

    Below ``NUMBA_CACHE_DIR``, else ``XDG_CACHE_HOME``, else ``~/.cache``. Nobody else may write
    there, as what it holds is executed.
    """
    given = os.environ.get("NUMBA_CACHE_DIR")
    base = given or os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    path = Path(base) / "kame-py" / _sources_hash()
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        if path.stat().st_uid != os.getuid():
            return None
        with tempfile.TemporaryFile(dir=path):
            return path
    except OSError:
        return None


CPU: Final = _detect(os.environ.get(VARIABLE))

#: Kernels are compiled; else Python does the work.
JIT: Final = CPU is not Cpu.NONE
