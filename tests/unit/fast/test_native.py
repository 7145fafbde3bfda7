# SPDX-License-Identifier: BSD-3-Clause
"""Kernels come from files of machine code: called as Python functions, without numba."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

import numpy as np
import pytest

from kame_py.fast import kernels
from kame_py.fast.batch import I64
from kame_py.fast.cpu import JIT
from tests.support import PROJECT_ROOT

if not JIT:
    pytest.skip("no numba", allow_module_level=True)

from kame_py.fast import native, native_build

Kernel = Callable[..., object]
STAMPS: Final = [5, 3, 9]


@pytest.fixture(scope="module")
def code() -> bytes:
    """Of a kernel with arrays and numbers."""
    kernel = kernels.written("in_order")
    kernel(_numbers(STAMPS), 0, 0, _numbers([]))
    made = native_build.build(kernel)
    assert made is not None
    return made


@pytest.fixture
def in_order(code: bytes) -> Kernel:
    return native.linked("in_order", code)


def _numbers(values: list[int]) -> I64:
    return np.array(values, np.int64)


def test_a_kernel_from_a_file_does_its_work(in_order: Kernel) -> None:
    out = _numbers([0, 0, 0])
    assert in_order(_numbers(STAMPS), 3, 4, out) is None
    assert out.tolist() == [5, 5, 9]


def test_tuples_and_numbers_come_back() -> None:
    table, env = np.zeros((8, 8), np.int64), np.zeros(64, np.int64)
    octets, columns = np.zeros(64, np.uint8), np.zeros(4, np.uint32)
    found = kernels.find_row(table, columns, env, 1, 2)
    assert (type(found), found) == (int, 0)
    more = kernels.pcap(octets, 3, 3, False, 1, env, columns, columns, env)
    assert more == (0, 3, 1)
    assert {type(n) for n in more} == {int}


@pytest.mark.parametrize(
    ("argument", "wrong", "error"),
    [
        (0, np.zeros(3, np.int32), TypeError),
        (0, np.zeros((3, 1), np.int64), TypeError),
        (0, np.zeros(6, np.int64)[::2], ValueError),
        (0, np.zeros(25, np.uint8)[1:].view(np.int64), TypeError),
        (0, [5, 3, 9], TypeError),
        (1, 1.0, TypeError),
        (1, 1 << 63, OverflowError),
        (1, "3", TypeError),
    ],
    ids=["items", "rank", "strided", "unaligned", "list", "float", "too large", "text"],
)
def test_arguments_of_another_kind_are_refused(
    in_order: Kernel, argument: int, wrong: object, error: type[Exception]
) -> None:
    out = _numbers([1, 1, 1])
    arguments: list[object] = [_numbers(STAMPS), 3, 0, out]
    arguments[argument] = wrong
    with pytest.raises(error):
        in_order(*arguments)
    assert out.tolist() == [1, 1, 1]


@pytest.mark.parametrize("count", [0, 3, 5])
def test_so_are_more_or_fewer_arguments(in_order: Kernel, count: int) -> None:
    arguments = [_numbers(STAMPS), 3, 0, _numbers([0, 0, 0]), 1]
    with pytest.raises(TypeError):
        in_order(*arguments[:count])


def test_no_argument_is_kept(in_order: Kernel) -> None:
    stamps, out = _numbers(STAMPS), _numbers([0, 0, 0])
    before = sys.getrefcount(stamps), sys.getrefcount(out)
    for _ in range(100):
        in_order(stamps, 3, 0, out)
        with pytest.raises(TypeError):
            in_order(stamps, 3, out, out)
    assert (sys.getrefcount(stamps), sys.getrefcount(out)) == before


def test_a_damaged_file_is_no_kernel(
    code: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(native, "_place", lambda: (tmp_path, ".kernel"))
    path = tmp_path / "in_order.kernel"
    assert native.load("in_order") is None
    native.keep("in_order", code)
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]
    assert native.load("in_order") is not None
    octets = bytearray(path.read_bytes())
    octets[-1] ^= 1
    path.write_bytes(octets)
    assert native.load("in_order") is None
    path.write_bytes(octets[:10])
    assert native.load("in_order") is None


def test_where_nothing_can_be_written_nothing_is_kept(
    code: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(native, "_place", lambda: (tmp_path / "absent", ".kernel"))
    native.keep("in_order", code)
    monkeypatch.setattr(native, "_place", lambda: None)
    native.keep("in_order", code)
    assert native.load("in_order") is None


def test_a_name_that_is_no_kernel_is_an_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = kernels.nothing


STARTED = """
import sys
import numpy as np
from kame_py.fast import kernels
out = np.zeros(2, np.int64)
for turn in (1, 2):
    kernels.in_order(np.array([3, 2]), 2, turn, out)
    print(*out, type(kernels.in_order).__name__, "numba" in sys.modules)
"""


BY_NUMBA: Final = """
import numpy as np
from kame_py.fast import kernels
kernels.written("in_order")(np.array([3, 2]), 2, 1, np.zeros(2, np.int64))
"""


def _started(folder: Path, cpu: str = "", program: str = STARTED) -> list[str]:
    env = {**os.environ, "NUMBA_CACHE_DIR": str(folder), "KAME_CPU": cpu}
    argv = [sys.executable, "-c", program]
    done = subprocess.run(
        argv, env=env, cwd=PROJECT_ROOT, capture_output=True, text=True, check=True
    )
    return done.stdout.splitlines()


@pytest.mark.slow
def test_a_second_start_does_without_numba(tmp_path: Path) -> None:
    """The first one has the file's function from the second call on."""
    line = "3 3 builtin_function_or_method"
    assert _started(tmp_path) == [f"{line} True"] * 2
    assert _started(tmp_path) == [f"{line} False"] * 2


@pytest.mark.slow
def test_what_numba_has_kept_already_is_compiled_again_for_a_file(tmp_path: Path) -> None:
    _started(tmp_path, program=BY_NUMBA)
    assert _started(tmp_path)[-1].endswith("True")
    assert _started(tmp_path)[-1].endswith("False")


@pytest.mark.slow
def test_files_for_one_processor_are_not_for_another(tmp_path: Path) -> None:
    _started(tmp_path)
    assert _started(tmp_path, "plain")[-1].endswith("True")
    assert len(list(tmp_path.glob("kame-py/*/in_order-*.kernel"))) == 2
    assert _started(tmp_path, "none") == ["3 3 function False"] * 2
