# SPDX-License-Identifier: BSD-3-Clause
"""Folders of machine code do not pile up, and nobody loses one that is in use."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from kame_py.fast import old_code
from kame_py.fast.cpu import cache_dir
from kame_py.fast.old_code import JUST_NOW_S, KEPT, NAME_LEN, hold, prune
from tests.support import PROJECT_ROOT

NOW_S: Final = 1_700_000_000


def folder(base: Path, n: int, age_s: int) -> Path:
    """Used so long ago, with a file in it."""
    path = base / f"{n:0{NAME_LEN}x}"
    path.mkdir()
    (path / "run.kernel").write_bytes(b"code")
    os.utime(path, (NOW_S - age_s, NOW_S - age_s))
    return path


def left(base: Path) -> list[str]:
    return sorted(path.name.lstrip("0") for path in base.iterdir())


def test_the_last_used_ones_stay(tmp_path: Path) -> None:
    for n in (3, 1, 5, 2, 4, 6):
        folder(tmp_path, n, n * 2 * JUST_NOW_S)
    prune(folder(tmp_path, 9, 0))
    assert left(tmp_path) == ["1", "2", "3", "9"]
    assert len(left(tmp_path)) == KEPT


def test_so_does_what_was_used_just_now(tmp_path: Path) -> None:
    for n in range(1, 8):
        folder(tmp_path, n, n)
    folder(tmp_path, 8, JUST_NOW_S)
    folder(tmp_path, 9, JUST_NOW_S + 1)
    prune(folder(tmp_path, 10, 0))
    assert left(tmp_path) == ["1", "2", "3", "4", "5", "6", "7", "8", "a"]


def test_what_is_not_such_a_folder_stays(tmp_path: Path) -> None:
    for n in range(1, KEPT):
        folder(tmp_path, n, JUST_NOW_S * 2)
    elsewhere = folder(tmp_path, 0xE, JUST_NOW_S * 9).rename(tmp_path / "elsewhere")
    others = ["g" * NAME_LEN, "a" * (NAME_LEN + 1), "vms"]
    for name in others:
        (tmp_path / name).mkdir()
        os.utime(tmp_path / name, (0, 0))
    (tmp_path / ("f" * NAME_LEN)).write_text("a file")
    (tmp_path / ("d" * NAME_LEN)).symlink_to(elsewhere)
    os.utime(elsewhere, (0, 0))
    before = left(tmp_path)
    newest = folder(tmp_path, 9, 0)
    prune(newest)
    assert left(tmp_path) == sorted([*before, "9"])
    assert list(elsewhere.iterdir())


HOLDER: Final = """
import sys
from pathlib import Path
from kame_py.fast.old_code import hold
print(hold(Path(sys.argv[1])), flush=True)
sys.stdin.read()
"""


def test_what_another_process_uses_stays_until_it_ends(tmp_path: Path) -> None:
    for n in range(1, KEPT):
        folder(tmp_path, n, JUST_NOW_S * 2)
    used = folder(tmp_path, 8, 0)
    newest = folder(tmp_path, 9, 0)
    argv = [sys.executable, "-c", HOLDER, str(used)]
    with subprocess.Popen(
        argv, cwd=PROJECT_ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "True\n"
        os.utime(used, (0, 0))
        prune(newest)
        assert list(used.iterdir())
        other.communicate()
    prune(newest)
    assert not used.exists()


def test_nobody_takes_up_what_is_being_deleted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = folder(tmp_path, 1, JUST_NOW_S * 2)
    held: list[bool] = []
    monkeypatch.setattr("shutil.rmtree", lambda path, ignore_errors: held.append(hold(path)))
    monkeypatch.setattr(old_code, "KEPT", 1)
    prune(folder(tmp_path, 9, 0))
    assert held == [False]
    assert old.exists()


def test_use_is_noted(tmp_path: Path) -> None:
    path = folder(tmp_path, 1, 0)
    assert hold(path)
    assert path.stat().st_mtime > NOW_S


def test_one_lock_is_enough(tmp_path: Path) -> None:
    path = folder(tmp_path, 1, 0)
    fds = Path("/dev/fd")
    assert hold(path)
    before = len(list(fds.iterdir()))
    assert hold(path)
    assert len(list(fds.iterdir())) == before


def test_another_process_deletes_them_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = [folder(tmp_path, n, JUST_NOW_S * (n + 1)) for n in range(1, KEPT + 2)]
    newest = folder(tmp_path, 9, 0)

    def raced(path: Path) -> bool:
        if path == old[0]:
            shutil.rmtree(path)
        return path.name.startswith("0")

    monkeypatch.setattr(old_code, "_is_ours", raced)
    prune(newest)
    assert left(tmp_path) == ["2", "3", "4", "9"]


def test_failures_are_silent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for n in range(1, KEPT):
        folder(tmp_path, n, JUST_NOW_S * 2)
    locked, gone = folder(tmp_path, 7, JUST_NOW_S * 3), folder(tmp_path, 8, JUST_NOW_S * 4)
    newest = folder(tmp_path, 9, 0)

    def refused(path: object, *args: object, **more: object) -> None:
        raise PermissionError(path)

    with monkeypatch.context() as patch:
        patch.setattr(os, "open", refused)
        prune(newest)
    with monkeypatch.context() as patch:
        patch.setattr(os, "unlink", refused)
        prune(newest)
    assert list(locked.iterdir())
    assert list(gone.iterdir())
    prune(newest)
    assert not locked.exists()
    assert not gone.exists()


def test_a_new_version_deletes_others_and_an_old_one_does_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = tmp_path / "kame-py"
    base.mkdir()
    old = [folder(base, n, JUST_NOW_S * n) for n in range(2, 9)]
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    path = cache_dir()
    assert path is not None
    assert set(base.iterdir()) == {path, *old[: KEPT - 1]}
    again = folder(base, 0xA, JUST_NOW_S * 99)
    assert cache_dir() == path
    assert again.exists()
