# SPDX-License-Identifier: BSD-3-Clause
"""Which kernels suit this processor, and where their machine code is kept.

No KAME counterpart. ``KAME_CPU`` (avx512, avx2, plain, none) cuts the choice; without numba it is
none: the twins in Python do the work. Compiled code lies in a folder named for the sources, so a
second start compiles nothing and a changed source compiles everything.
"""

from __future__ import annotations

import hashlib
import os
from enum import IntEnum
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from kame_py.fast import old_code

VARIABLE: Final = "KAME_CPU"
_AVX512: Final = frozenset({"avx512f", "avx512bw", "avx512dq", "avx512vl"})
_WORD: Final = 8
_X86: Final = "x86_64"
_DISABLED: Final = "NUMBA_DISABLE_JIT"


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
    """Of this processor, in LLVM's words. numba is not loaded: that takes long."""
    if not _has_numba():
        return None
    try:
        from llvmlite import binding

        found: dict[str, bool] = binding.get_host_cpu_features()
    except ImportError:
        return None
    except RuntimeError:  # LLVM does not know this processor
        return frozenset()
    return frozenset(name for name, has in found.items() if has)


def _has_numba() -> bool:
    """It is installed, and nobody has switched its compiler off."""
    if os.environ.get(_DISABLED, "0") not in ("", "0"):
        return False
    try:
        return find_spec("numba") is not None
    except ImportError:
        return False


def _cut(asked: str | None, cpu: Cpu) -> str | None:
    """The processor that LLVM shall compile for: what runs on older ones can be tried on this one.

    None: this one.
    """
    if not asked or cpu not in _CUT_TO:
        return None
    from llvmlite import binding

    return _CUT_TO[cpu] if binding.get_process_triple().startswith(_X86) else None


def secret(words: int) -> bytes:
    """Numbers of 64 bits that nobody can foretell, for hashes of tables.

    numpy has them too, but its random numbers take a tenth of a start to load.
    """
    return os.urandom(words * _WORD)


def _sources_hash() -> str:
    """Of everything the kernels are made from; the codecs hold their offsets."""
    here = Path(__file__).parent
    digest = hashlib.sha256()
    for path in sorted(here.glob("*.py")) + sorted(here.parent.glob("wire/*.py")):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[: old_code.NAME_LEN]


def cache_dir() -> Path | None:
    """The folder for compiled kernels, made if need be; None where none can be written.

    Below ``NUMBA_CACHE_DIR``, else ``XDG_CACHE_HOME``, else ``~/.cache``. Nobody else may write
    there, as what it holds is executed. Who makes it deletes those that nobody has used for long.
    """
    given = os.environ.get("NUMBA_CACHE_DIR")
    base = given or os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    path = Path(base) / "kame-py" / _sources_hash()
    try:
        new = not path.exists()
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        ours = path.stat().st_uid == os.getuid() and old_code.hold(path)
        if new:
            old_code.prune(path)
    except OSError:
        return None
    return path if ours and os.access(path, os.W_OK | os.X_OK) else None


def _detect(asked: str | None) -> Cpu:
    if asked and asked.lower() == Cpu.NONE.name.lower():
        return Cpu.NONE
    return choose(asked, _features())


CPU: Final = _detect(os.environ.get(VARIABLE))

#: LLVM's name of a processor to compile for; None: the one that this runs on.
CUT: Final = _cut(os.environ.get(VARIABLE), CPU)

#: Kernels are compiled; else Python does the work.
JIT: Final = CPU is not Cpu.NONE
