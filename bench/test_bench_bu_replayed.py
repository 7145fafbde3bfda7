# SPDX-License-Identifier: BSD-3-Clause
"""A million signed binding updates are replayed, from file to answers: how many in a second.

``replay`` itself is run, as ``kame replay --fast on`` runs it; its time counts from the moment at
which the keys are entered. Beside it, in the same run, the slow path with fewer updates. Seconds
are the processor's.
"""

from __future__ import annotations

import io
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from bench.mobile_nodes import BAD, OLD, enter_keys, options, write_updates
from kame_py.replay.runner import Fast, ReplayResult, replay
from kame_py.replay.watch import Watch

if TYPE_CHECKING:
    from kame_py.kern.kernel import Kernel
    from kame_py.kern.mbuf import Mbuf
    from kame_py.replay.capture import Record

NODES: Final = 50_000
TURNS: Final = 20
FEW: Final = 1000  # nodes, for the slow path
ROUNDS: Final = 2
PATIENCE_S: Final = 1200  # of a busy machine, with all that is made ready
FLOOR_MPS: Final = 0.1  # the aim is 0.2
SLACK: Final = 2  # a benchmark fails below its floor by more than this


class Keys(Watch):
    """Enters the keys behind the first packet; the clock starts then."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.start = 0.0

    def fed(self, kern: Kernel, record: Record, m: Mbuf | None) -> None:
        if record.n == 1:
            enter_keys(kern, self.count)
            self.start = time.process_time()


def played(path: Path, count: int, fast: Fast) -> tuple[float, ReplayResult]:
    """Seconds of a replay, and what came of it."""
    keys = Keys(count)
    with path.open("rb") as f:
        result = replay(f, options(count, fast), out=io.BytesIO(), watch=keys)
    return time.process_time() - keys.start, result


@pytest.fixture(scope="module")
def captures(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    many = tmp_path_factory.mktemp("updates") / "many.pcap"
    few = many.with_name("few.pcap")
    write_updates(many, NODES, TURNS)
    write_updates(few, FEW, TURNS)
    return many, few


@pytest.mark.timeout(PATIENCE_S)
def test_a_million_updates_are_replayed(
    benchmark: BenchmarkFixture, captures: tuple[Path, Path]
) -> None:
    many, few = captures
    count = NODES * TURNS
    seconds: list[float] = []
    slow: list[float] = []

    def one() -> ReplayResult:
        took, result = played(many, NODES, Fast.ON)
        seconds.append(took)
        return result

    def beside() -> None:
        slow.append(played(few, FEW, Fast.OFF)[0])

    result = benchmark.pedantic(one, setup=beside, rounds=ROUNDS)
    assert result.drops["MIP6_BUBADAUTH"] == pytest.approx(count * BAD, rel=0.1)
    assert result.drops["MIP6_BUSEQNO"] == pytest.approx(count * OLD, rel=0.2)
    assert result.in_bulk > 0.99 * count
    mps = count / min(seconds) / 1e6
    each = min(slow) / (FEW * TURNS) * 1e6
    benchmark.extra_info["goals"] = {"updates_mps": round(mps, 3)}
    told = f"{mps:.3f} M updates/s, {1 / mps:.1f} us each; one by one {each:.1f} us"
    benchmark.extra_info["line"] = told
    print(f"\n{told}; punts {result.punts}")
    assert mps * SLACK > FLOOR_MPS, told
