# SPDX-License-Identifier: BSD-3-Clause
"""A pytest plugin for networks of one's own: fixtures ``world`` and ``lab``, checks, captures.

No KAME counterpart. pytest finds it by itself where kame-py is installed; a test that uses none of
its fixtures pays for importing this file only, since nothing of kame-py is loaded before.

After each test that used a fixture: every packet of every kernel has exactly one fate, and no
program on any node has raised an exception. ``--kame-seed N`` is the seed of the worlds,
``--kame-pcap DIR`` keeps a capture of each test that fails.
"""

from __future__ import annotations

import json
import re
import shutil
import tempfile
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final, Protocol

import pytest

if TYPE_CHECKING:
    from kame_py.lab.expect import Outcome
    from kame_py.lab.journal import Journal
    from kame_py.lab.node import Node
    from kame_py.lab.report import Json
    from kame_py.lab.runner import LabRun
    from kame_py.lab.schema import LabFile
    from kame_py.lab.world import World

_SEED_OPTION: Final = "--kame-seed"
_PCAP_OPTION: Final = "--kame-pcap"
_NAME_MAX: Final = 150  # characters of a capture's name; file systems take 255 octets
_NO_NAME: Final = re.compile(r"[^A-Za-z0-9_.=-]+")


# -- checks ---------------------------------------------------------------------------------------


def out(node: Node, command: str, status: int = 0) -> str:
    """Run a command on a node to its end: what it wrote to standard output.

    AssertionError when its exit status is another, with all that it wrote.
    """
    __tracebackhide__ = True
    done = node.run(command)
    if done.status != status:
        raise AssertionError(
            f"{node.name}: {command}: exit status {done.status}, not {status}\n{done.out}{done.err}"
        )
    return done.out


def rows(node: Node, command: str) -> list[dict[str, Json]]:
    """Run a tool with ``--json``: the rows of its table; a single object is one row."""
    __tracebackhide__ = True
    value = json.loads(out(node, f"{command} --json"))
    return value if isinstance(value, list) else [value]


def drops(node: Node) -> dict[str, int]:
    """The packets that a kernel dropped so far by reason, only reasons that occurred."""
    return {name: n for name, n in sorted(node.kernel.drops.items()) if n}


def assert_conserved(world: World) -> None:
    """Every packet that a kernel of the world made or took has exactly one fate."""
    __tracebackhide__ = True
    for node in world.nodes.values():
        kern = node.kernel
        settled = sum(kern.fates.values())
        if kern.created != settled:
            fates = {fate.value: n for fate, n in kern.fates.items() if n}
            raise AssertionError(f"{node.name}: {kern.created} packets, {settled} fates: {fates}")


def assert_no_crash(world: World) -> None:
    """No program of the world raised an exception; an ``assert`` of yours counts as one.

    ``node.processes.crashed.clear()`` forgives a crash that the test wanted.
    """
    __tracebackhide__ = True
    for node in world.nodes.values():
        for proc in node.processes.crashed:
            what = f"{node.name}: {proc.name}: {proc.exception!r}"
            raise AssertionError(what) from proc.exception


# -- labs -----------------------------------------------------------------------------------------


class Lab:
    """A lab file in a test. ``run()`` it; then its world goes on from there as you like."""

    def __init__(self, lab_run: LabRun) -> None:
        self.lab_run = lab_run

    @property
    def world(self) -> World:
        return self.lab_run.world

    @property
    def nodes(self) -> dict[str, Node]:
        """The nodes by name."""
        return self.lab_run.world.nodes

    @property
    def outcomes(self) -> list[Outcome]:
        """The expectations that were reached, by time."""
        return self.lab_run.outcomes

    def run(self, check: bool = True) -> Lab:
        """The whole lab, once. AssertionError with all expectations that do not hold.

        check False leaves the judgement to you: see ``outcomes``.
        """
        __tracebackhide__ = True
        self.lab_run.run()
        if check:
            self.assert_good()
        return self

    def assert_good(self) -> None:
        """Every expectation that was reached holds."""
        __tracebackhide__ = True
        failed = [o for o in self.outcomes if not o.ok]
        if failed:
            head = f"{self.lab_run.lab.name}: {len(failed)} of {len(self.outcomes)} do not hold"
            raise AssertionError("\n".join([head, *map(_outcome_text, failed)]))


class LabFactory(Protocol):
    """The fixture ``lab``."""

    def __call__(
        self, source: str | Path, *, seed: int | None = None, until: float | None = None
    ) -> Lab:
        """A lab that has not run yet.

        source: a path, which may be relative to the test's own file; the name of a shipped lab;
        or the text of a lab file (anything with a line break). seed, until (virtual seconds):
        instead of the file's. A lab file with errors fails the test with all of them.
        """
        ...


def _outcome_text(outcome: Outcome) -> str:
    at = outcome.at_ns / 1e9
    return f"  line {outcome.line}: {at:g} s {outcome.node}: {outcome.what}: {outcome.detail}"


def _lab_file(source: str | Path, folder: Path) -> LabFile:
    from kame_py.cli.lab import FileProblem, read_lab
    from kame_py.lab.labfile import load

    name, text, problem = "lab", str(source), ""
    if "\n" not in text:
        beside = folder / text
        try:
            name, text = read_lab(str(beside) if beside.is_file() else text)
        except FileProblem as e:
            problem = str(e)
    if problem:
        pytest.fail(problem, pytrace=False)
    lab = load(text, name)
    if isinstance(lab, list):
        pytest.fail("\n".join(str(error) for error in lab), pytrace=False)
    return lab


# -- what a test leaves behind --------------------------------------------------------------------


@dataclass(slots=True)
class _Recording:
    """One world of a test with the capture that may be kept of it."""

    world: World
    file: BinaryIO | None = None
    journal: Journal | None = None


@dataclass(slots=True)
class _Used:
    """The worlds of one test, and whether the test itself has passed so far."""

    recordings: list[_Recording] = field(default_factory=list)
    failed: bool = False


_USED: Final = pytest.StashKey[_Used]()


def _used(item: pytest.Item) -> _Used:
    return item.stash.setdefault(_USED, _Used())


def _check(used: _Used) -> None:
    __tracebackhide__ = True
    for recording in used.recordings:
        assert_no_crash(recording.world)
        assert_conserved(recording.world)


def _keep(item: pytest.Item, used: _Used) -> Iterator[str]:
    """Seeds of the worlds, captures of them where they are wanted."""
    name = _NO_NAME.sub("_", item.nodeid)[-_NAME_MAX:]
    for i, recording in enumerate(used.recordings):
        yield f"seed {recording.world.seed}"
        if recording.file is not None and recording.journal is not None:
            recording.journal.close()
            folder = Path(item.config.getoption(_PCAP_OPTION))
            path = folder / f"{name}{f'-{i + 1}' if i else ''}.pcapng"
            try:
                _copy(recording.file, path)
            except OSError as problem:
                yield f"no capture: {path}: {problem.strerror}"
            else:
                yield f"capture of all links: {path}"


def _copy(source: BinaryIO, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    source.seek(0)
    with path.open("wb") as f:
        shutil.copyfileobj(source, f)


def _capture_file(config: pytest.Config) -> BinaryIO | None:
    """A file without a name that lives until the test is over; None when no capture is wanted."""
    if config.getoption(_PCAP_OPTION) is None:
        return None
    return tempfile.TemporaryFile()  # noqa: SIM115  # _forget closes it


def _forget(used: _Used) -> None:
    for recording in used.recordings:
        if recording.file is not None:
            recording.file.close()
    used.recordings.clear()


# -- pytest's hooks and fixtures ------------------------------------------------------------------


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options of the plugin."""
    group = parser.getgroup("kame-py")
    group.addoption(
        _SEED_OPTION, type=int, metavar="N", help="seed of worlds and labs (0, the lab file's)"
    )
    group.addoption(
        _PCAP_OPTION, metavar="DIR", help="keep a pcapng of the links of each test that fails"
    )


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add to the report of a failed test how to see it again."""
    report = yield
    used = item.stash.get(_USED, None)
    if used is not None:
        if report.failed:
            used.failed = True
            kept = "\n".join(_keep(item, used))
            if kept:
                report.sections.append(("kame-py", kept))
        if report.when == "teardown":
            _forget(used)
    return report


@pytest.fixture
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    """An empty World; afterwards its packets and programs are checked."""
    from kame_py.lab.world import World

    used = _used(request.node)
    world = World(seed=request.config.getoption(_SEED_OPTION) or 0)
    recording = _Recording(world, _capture_file(request.config))
    if recording.file is not None:
        from kame_py.lab.journal import Journal

        recording.journal = Journal(recording.file, world.clock)
        world.observe(recording.journal)
    used.recordings.append(recording)
    yield world
    if not used.failed:
        _check(used)


@pytest.fixture
def lab(request: pytest.FixtureRequest) -> Iterator[LabFactory]:
    """Make labs of files, texts or shipped names; afterwards their worlds are checked."""
    used = _used(request.node)

    def make(source: str | Path, *, seed: int | None = None, until: float | None = None) -> Lab:
        from kame_py.lab.runner import LabRun

        lab_file = _lab_file(source, request.path.parent)
        if seed is None:
            seed = request.config.getoption(_SEED_OPTION)
        kept = _capture_file(request.config)
        lab_run = LabRun(lab_file, seed=seed, until_s=until, capture=kept)
        used.recordings.append(_Recording(lab_run.world, kept, lab_run.journal))
        return Lab(lab_run)

    yield make
    if not used.failed:
        _check(used)
