# SPDX-License-Identifier: BSD-3-Clause
"""Kernels fit the processor, and are compiled once."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from kame_py.fast.cpu import Cpu, cache_dir, choose
from kame_py.replay.pcap import PcapWriter
from tests.support import PROJECT_ROOT

AVX2 = frozenset({"sse2", "avx2"})
AVX512 = AVX2 | {"avx512f", "avx512bw", "avx512dq", "avx512vl"}


@pytest.mark.parametrize(
    ("asked", "features", "cpu"),
    [
        *((None, AVX512, Cpu.AVX512), ("", AVX512, Cpu.AVX512), ("AVX512", AVX512, Cpu.AVX512)),
        *((None, AVX512 - {"avx512bw"}, Cpu.AVX2), (None, AVX2, Cpu.AVX2)),
        *((None, frozenset({"neon"}), Cpu.PLAIN), ("avx512", AVX2, Cpu.AVX2)),
        *(("avx2", AVX512, Cpu.AVX2), ("plain", AVX512, Cpu.PLAIN), ("none", AVX512, Cpu.NONE)),
        *((None, None, Cpu.NONE), ("avx512", None, Cpu.NONE)),
    ],
)
def test_a_wish_cuts_what_the_processor_has(
    asked: str | None, features: frozenset[str] | None, cpu: Cpu
) -> None:
    assert choose(asked, features) is cpu


def test_a_wish_that_names_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="KAME_CPU=sse9: one of none, plain, avx2, avx512 exp"):
        choose("sse9", AVX2)


def test_the_folder_for_compiled_kernels_is_ours_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "cache"))
    path = cache_dir()
    assert path is not None
    assert path.parent == tmp_path / "cache" / "kame-py"
    assert path.stat().st_mode & 0o777 == 0o700
    assert list(path.iterdir()) == []


def test_without_a_folder_that_can_be_written_nothing_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "file"))
    assert cache_dir() is None


STARTED = """
from kame_py.fast import cpu
if cpu.JIT:
    import numba
    from kame_py.fast import cksum_kernels
    before = numba.config.CACHE_DIR
    assert cksum_kernels.one(b"abc") == 0x3b9d
    stats = cksum_kernels.one.stats
    print(sum(stats.cache_hits.values()), sum(stats.cache_misses.values()), before)
"""


@pytest.mark.slow
def test_a_second_start_compiles_nothing(tmp_path: Path) -> None:
    if not cache_dir():
        pytest.skip("no folder for compiled kernels")
    env = {**os.environ, "XDG_CACHE_HOME": str(tmp_path), "KAME_CPU": ""}
    env.pop("NUMBA_CACHE_DIR", None)
    starts = [
        subprocess.run(
            [sys.executable, "-c", STARTED],
            env=env,
            cwd=PROJECT_ROOT,
            capture_output=True,
            text=True,
            check=True,
        ).stdout.split()
        for _ in range(2)
    ]
    if starts == [[], []]:
        pytest.skip("no numba")
    assert starts == [["0", "1"], ["1", "0"]]


def test_kame_replay_says_so_in_one_line(tmp_path: Path) -> None:
    with (tmp_path / "one.pcap").open("wb") as f:
        PcapWriter(f).write(0, bytes(60))
    done = subprocess.run(
        [sys.executable, "-m", "kame_py", "replay", "--fast", "on", str(tmp_path / "one.pcap")],
        env={**os.environ, "KAME_CPU": "sse9"},
        cwd=PROJECT_ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.endswith(
        "one.pcap: KAME_CPU=sse9: one of none, plain, avx2, avx512 expected\n"
    )
    assert done.stderr.count("\n") == 1
