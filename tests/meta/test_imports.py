# SPDX-License-Identifier: BSD-3-Clause
"""Any module of the package may be the first of its package that a program imports."""

from __future__ import annotations

import re
import sys
from importlib.util import find_spec

from tests.support import PROJECT_ROOT, run

#: Import each module with nothing of its own package there; print those that do not come.
PROGRAM = """
import importlib, pkgutil, sys
import kame_py

names = [m.name for m in pkgutil.walk_packages(kame_py.__path__, "kame_py.")]
print(len(names))
for name in names:
    top = name.split(".")[1]
    for known in [k for k in sys.modules if (k + ".").startswith(f"kame_py.{top}.")]:
        del sys.modules[known]
    if hasattr(kame_py, top):
        delattr(kame_py, top)
    try:
        importlib.import_module(name)
    except Exception as e:
        print(f"{name}: {e!r}")
"""


WITHOUT_NUMBA = re.compile(r"^kame_py\.fast\.\w+: .*No module named '(numba|llvmlite)")


def test_every_module_can_be_the_first_import() -> None:
    done = run(sys.executable, "-c", PROGRAM, timeout_s=120)
    assert done.returncode == 0, done.stderr
    count, *failed = done.stdout.splitlines()
    assert int(count) >= len(list((PROJECT_ROOT / "kame_py").glob("*/*.py"))) // 2
    if find_spec("numba") is None:  # kernels cannot do without it
        failed = [line for line in failed if not WITHOUT_NUMBA.search(line)]
    assert failed == []
