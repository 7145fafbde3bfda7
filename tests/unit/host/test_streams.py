# SPDX-License-Identifier: BSD-3-Clause
"""Standard streams that are closed, full or broken, under a tool that is a program of its own."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.support import PROJECT_ROOT


@pytest.mark.parametrize(
    ("redirection", "expected"),
    [
        ("> /dev/full", (1, "had: output: No space left on device\n")),
        (">&-", (0, "")),
        ("2>&-", (0, "")),
    ],
)
def test_a_tool_survives_its_streams(redirection: str, expected: tuple[int, str]) -> None:
    done = subprocess.run(
        f"{sys.executable} -m kame_py.tools.had --help {redirection}",
        shell=True,
        cwd=PROJECT_ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == expected
