# SPDX-License-Identifier: BSD-3-Clause
"""A pytest plugin that notes what kernels log during each test, into the file that LOGLISTEN names.

``pytest -p tests.scenario.loglisten TEST ...``: JSON, test -> list of [priority, text].
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from kame_py.kern.log import Log

_heard: dict[str, set[tuple[int, str]]] = {}
_now: list[str] = [""]
_log = Log.log


def _listen(self: Log, priority: int, text: str, ident: str = "kernel") -> None:
    if ident == "kernel":
        _heard.setdefault(_now[0], set()).add((priority, text))
    _log(self, priority, text, ident)


def pytest_configure(config: pytest.Config) -> None:
    Log.log = _listen  # type: ignore[method-assign]  # for this process


def pytest_runtest_logstart(nodeid: str) -> None:
    _now[0] = nodeid


def pytest_sessionfinish() -> None:
    heard = {nodeid: sorted(lines) for nodeid, lines in _heard.items()}
    Path(os.environ["LOGLISTEN"]).write_text(json.dumps(heard))
