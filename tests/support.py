# SPDX-License-Identifier: BSD-3-Clause
"""What tests ask of the machine: test data, external programs, network namespaces."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
from pathlib import Path

import pytest

PROJECT_ROOT = Path(__file__).resolve().parent.parent


def data_dir() -> Path:
    """The folder of captures and vectors; skips the calling test where it is absent."""
    path = _data_path()
    if not path.is_dir():
        pytest.skip(f"no test data at {path} (set KAME_TEST_DATA)")
    return path


def data_files(pattern: str) -> list[Path]:
    """Files of the test data by glob, for parametrize; empty where the data is absent."""
    return sorted(p for p in _data_path().glob(pattern) if p.is_file())


def needs_tool(name: str) -> str:
    """Path of an external program; skips the calling test where it is not installed."""
    path = shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    if path is None:
        pytest.skip(f"{name} is not installed")
    return path


def needs_netns() -> None:
    """Skip the calling test where network namespaces or TAP devices are not permitted."""
    reason = _netns_refusal()
    if reason is not None:
        pytest.skip(reason)


def run(*argv: str | Path, timeout_s: int = 60) -> subprocess.CompletedProcess[str]:
    """Run a program to its end, with its output as text and no terminal."""
    return subprocess.run(
        [str(a) for a in argv],
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=timeout_s,
        check=False,
    )


def _data_path() -> Path:
    given = os.environ.get("KAME_TEST_DATA")
    if given:
        return Path(given)
    return PROJECT_ROOT.parent / "shared" / "data"


@functools.cache
def _netns_refusal() -> str | None:
    unshare = shutil.which("unshare")
    if unshare is None:
        return "unshare is not installed"
    if shutil.which("ip", path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin") is None:
        return "iproute2 is not installed"
    probe = "ip link set lo up && ip tuntap add dev kprobe0 mode tap"
    done = run(unshare, "--net", "sh", "-c", probe, timeout_s=10)
    if done.returncode != 0:
        return f"network namespaces with TAP are not permitted: {done.stderr.strip()}"
    return None
