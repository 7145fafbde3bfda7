# SPDX-License-Identifier: BSD-3-Clause
"""PyTCP 2.7 as a peer: in an environment of its own, as bench/live has it."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Final

from bench.live.ping_round_trip import CannotRun, pytcp_python
from bench.peers.contest import Missing, Turn, Workers, first_line

WORKER: Final = Path(__file__).resolve().parent / "pytcp_worker.py"


@cache
def _environment() -> tuple[str, str]:
    """Its interpreter and what to call it; installed when it is not there yet."""
    python, version = pytcp_python()
    return str(python), f"{version}, {first_line(str(python), '--version')}"


def pytcp(crew: Workers, *words: str) -> tuple[Turn, str]:
    """A turn of its worker, and the version; raises Missing where it cannot be had."""
    try:
        python, version = _environment()
    except (CannotRun, OSError) as why:
        raise Missing(str(why).splitlines()[-1]) from why
    return crew.start(python, str(WORKER), *words), version
