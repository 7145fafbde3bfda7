# SPDX-License-Identifier: BSD-3-Clause
"""Machine code of kernels from an earlier start: they run without numba, which takes long to load.

No KAME counterpart. native_build.py makes the files: each holds a function that Python can call,
made of its stable interface (PEP 590's array of arguments, PEP 3118's buffers). It refuses
arrays of other types, those whose octets do not follow each other, and numbers that do not fit.
"""

from __future__ import annotations

import ctypes
import functools
import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, cast

from llvmlite import __version__ as llvmlite_version
from llvmlite import binding as untyped_binding

from kame_py.fast.cpu import CUT, cache_dir

ENTRY: Final = "kame_kernel"  # what the function is called in each file
binding: Final[Any] = untyped_binding
_SUM_LEN: Final = hashlib.sha256().digest_size
_METH_FASTCALL: Final = 0x80


class _Method(ctypes.Structure):
    """PyMethodDef."""

    _fields_ = (
        ("name", ctypes.c_char_p),
        ("function", ctypes.c_void_p),
        ("flags", ctypes.c_int),
        ("doc", ctypes.c_char_p),
    )


@functools.cache
def _place() -> tuple[Path, str] | None:
    """The folder, and how names of files end: as processor and LLVM are."""
    folder = cache_dir()
    if folder is None:
        return None
    cpu = CUT or f"{binding.get_host_cpu_name()} {binding.get_host_cpu_features().flatten()}"
    about = " ".join((llvmlite_version, binding.get_process_triple(), cpu))
    return folder, f"-{hashlib.sha256(about.encode()).hexdigest()[:16]}.kernel"


def is_kept(name: str) -> bool:
    """There is a file of this kernel."""
    place = _place()
    return place is not None and (place[0] / (name + place[1])).exists()


def load(name: str) -> Callable[..., object] | None:
    """The kernel of this name; None: there is no file that is whole."""
    place = _place()
    if place is None:
        return None
    try:
        octets = (place[0] / (name + place[1])).read_bytes()
    except OSError:
        return None
    code = octets[_SUM_LEN:]
    if hashlib.sha256(code).digest() != octets[:_SUM_LEN]:
        return None
    return linked(name, code)


def keep(name: str, code: bytes) -> None:
    """Write the file of a kernel, where that can be done."""
    place = _place()
    if place is None:
        return
    import tempfile

    try:
        with tempfile.NamedTemporaryFile(dir=place[0], delete=False) as f:
            f.write(hashlib.sha256(code).digest() + code)
        Path(f.name).replace(place[0] / (name + place[1]))
    except OSError:
        return


def linked(name: str, code: bytes) -> Callable[..., object]:
    """The function that lies in an object file."""
    binding.initialize_native_target()
    binding.initialize_native_asmprinter()
    machine = binding.Target.from_default_triple().create_target_machine()
    engine = binding.create_mcjit_compiler(binding.parse_assembly(""), machine)
    engine.add_object_file(binding.ObjectFileRef.from_data(code))
    engine.finalize_object()
    method = _Method(name.encode(), engine.get_function_address(ENTRY), _METH_FASTCALL, None)
    make = ctypes.pythonapi.PyCFunction_NewEx
    make.restype = ctypes.py_object
    make.argtypes = (ctypes.c_void_p, ctypes.py_object, ctypes.c_void_p)
    owner = method, engine  # as long as the function lives
    return cast("Callable[..., object]", make(ctypes.addressof(method), owner, None))
