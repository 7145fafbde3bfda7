# SPDX-License-Identifier: BSD-3-Clause
"""What was measured on, and how busy it was: every file of results says so."""

from __future__ import annotations

import datetime
import os
import platform
import re
import subprocess
from importlib import metadata
from pathlib import Path
from typing import Final

from kame_py.fast.cpu import CPU

ROOT: Final = Path(__file__).resolve().parent.parent
_CACHES: Final = Path("/sys/devices/system/cpu/cpu0/cache")
_PACKAGES: Final = ("numba", "llvmlite", "numpy")

Described = dict[str, object]


def describe() -> Described:
    """Hardware and software, the load before; ``finished`` adds the load after."""
    return {
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "commit": _commit(),
        "cpu": _cpu(),
        "cores": os.cpu_count(),
        "caches": _caches(),
        "memory_gb": _memory_gb(),
        "kernel": platform.release(),
        "python": platform.python_version(),
        **{name: _version(name) for name in _PACKAGES},
        "kernels_for": CPU.name.lower(),
        "load_before": [round(load, 2) for load in os.getloadavg()],
    }


def finished(machine: Described) -> Described:
    """The same at the end of the measurements."""
    return {**machine, "load_after": [round(load, 2) for load in os.getloadavg()]}


def _cpu() -> str:
    """The kernel's name for it; clouds do not tell the model, so family and number as well."""
    text = Path("/proc/cpuinfo").read_text() if Path("/proc/cpuinfo").exists() else ""
    found = dict(re.findall(r"^(model name|cpu family|model)\s*: (.*)$", text, re.MULTILINE))
    if "model name" not in found:
        return platform.machine()
    return f"{found['model name']}, family {found.get('cpu family')}, model {found.get('model')}"


def _caches() -> dict[str, str]:
    """Of the first core: level and kind with the size."""
    found = {}
    for index in sorted(_CACHES.glob("index*")):
        level, kind, size = (
            (index / name).read_text().strip() for name in ("level", "type", "size")
        )
        found[f"L{level} {kind.lower()}"] = size
    return found


def _memory_gb() -> float | None:
    try:
        octets = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError):
        return None
    return round(octets / 2**30, 1)


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _commit() -> str | None:
    """Of the source, where it is a checkout."""
    try:
        done = subprocess.run(
            ["git", "-C", str(ROOT), "rev-parse", "--short=12", "HEAD"],
            capture_output=True,
            text=True,
            check=False,
        )
    except OSError:
        return None
    return done.stdout.strip() or None
