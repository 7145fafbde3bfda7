# SPDX-License-Identifier: BSD-3-Clause
"""``kame replay``: what a kernel makes of the packets of captures.

No KAME counterpart. Exit status 0 when the headers of all captures could be read, 1 when one or a
file cannot be used or a command of the rc failed, 2 for a wrong command line, 130 after an
interrupt. Output files appear under their names when they are whole; an interrupt makes them whole
with what was done.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, BinaryIO, Final

from kame_py.cli.lab import FileProblem, keep_apart, whole_file, write_page
from kame_py.cli.main import EX_INTERRUPTED
from kame_py.cli.replay_args import EX_ERROR, parser, replay_options
from kame_py.cli.replay_files import STDIN, Captures, capture_file, find_captures, inputs
from kame_py.cli.replay_watch import Bar, Interrupt, Pace, progress_bar

if TYPE_CHECKING:
    from kame_py.cli.screen import Screen
    from kame_py.replay.runner import ReplayOptions, ReplayResult
    from kame_py.replay.totals import Played
    from kame_py.replay.verdict import Verdict, VerdictSink
    from kame_py.replay.view import View, ViewWatch
    from kame_py.replay.watch import Watch

EX_OK: Final = 0
_ELSEWHERE: Final = frozenset({"ETHER_NOTFORUS", "ETHER_MCAST", "ETHER_TYPE"})
RARELY: Final = 100_000  # objects that are made between two searches for circles


def main(argv: list[str]) -> int:
    """``kame replay ...``."""
    args = parser().parse_args(argv, argparse.Namespace(words=argv))
    try:
        with _few_searches():
            return _replay(args)
    except FileProblem as problem:
        sys.stderr.write(f"kame: {problem}\n")
        return EX_ERROR


@contextmanager
def _few_searches() -> Iterator[None]:
    """What is loaded and booted is not garbage: nobody looks whether it is, over and over."""
    before = gc.get_threshold()
    gc.set_threshold(RARELY, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)


def _replay(args: argparse.Namespace) -> int:
    captures = find_captures(args.captures)
    outputs = {"--out": args.out, "--verdicts": args.verdicts, "--report": args.report}
    keep_apart(outputs, inputs(captures, args.rc, args.kernconf))
    session = _Session(args, captures, replay_options(args))
    with ExitStack() as stack:
        session.open_files(stack)
        stack.enter_context(session.interrupt.listening())
        with progress_bar(captures.paths) as bar:
            session.play(bar)
        session.write_report()
    session.tell()
    return session.status()


class _Session:
    """All captures of one command."""

    def __init__(
        self, args: argparse.Namespace, captures: Captures, options: ReplayOptions
    ) -> None:
        self.interrupt = Interrupt()
        self._args = args
        self._captures = captures
        self._options = options
        self._out: BinaryIO | None = None
        self._verdicts: BinaryIO | None = None
        self._report: BinaryIO | None = None
        self._views: list[View] = []
        self._played: list[Played] = []
        self._pace: Pace | None = None
        if args.realtime or args.speed is not None:
            self._pace = Pace(args.speed or 1.0, lambda: not self.interrupt.came, self._flush)

    def open_files(self, stack: ExitStack) -> None:
        """The output files; they get their names when the stack is left."""
        if self._args.out:
            self._out = stack.enter_context(whole_file(self._args.out))
        if self._args.verdicts:
            self._verdicts = stack.enter_context(whole_file(self._args.verdicts))
        if self._args.report:
            self._report = stack.enter_context(whole_file(self._args.report))

    def _flush(self) -> None:
        """Who reads along at the pace of the capture shall not wait for a full buffer."""
        for f in (self._out, self._verdicts):
            if f is not None:
                f.flush()

    # -- playing ------------------------------------------------------------------------------

    def play(self, bar: Bar | None) -> None:
        """Every capture, until one interrupts. FileProblem for one that stands alone."""
        from kame_py.replay.capture import CaptureError
        from kame_py.replay.runner import ReplayError
        from kame_py.replay.totals import Played

        for path in self._captures.paths:
            if self.interrupt.came:
                return
            try:
                with capture_file(path) as f:
                    self._played.append(self._one(path, f, bar))
            except (CaptureError, ReplayError, FileProblem) as problem:
                text = str(problem).removeprefix(f"{path}: ")
                if not self._captures.several:
                    raise FileProblem(f"{path}: {text}") from None
                self._played.append(Played(path, None, problem=text))

    def _one(self, path: str, f: BinaryIO, bar: Bar | None) -> Played:
        from kame_py.replay.runner import replay
        from kame_py.replay.totals import Played

        if path == STDIN:
            f = self.interrupt.reader(f)
        view = self._viewer(path)
        watch = self._watch(path, f, bar, view)
        began = time.perf_counter()
        result = replay(
            f, self._options, out=self._out, verdicts=self._sink(path, view), watch=watch
        )
        seconds = time.perf_counter() - began
        if view is not None:
            self._views.append(view.finish(result, seconds))
        return Played(path, result, seconds)

    def _viewer(self, path: str) -> ViewWatch | None:
        from kame_py.replay.view import ViewWatch

        return ViewWatch(path) if self._report is not None else None

    def _sink(self, path: str, view: ViewWatch | None) -> VerdictSink | None:
        """Who hears the verdicts."""
        write = self._verdict_writer(path) if self._verdicts is not None else None
        if view is None:
            return write
        if write is None:
            return view.verdict

        def both(verdict: Verdict) -> None:
            write(verdict)
            view.verdict(verdict)

        return both

    def _watch(self, path: str, f: BinaryIO, bar: Bar | None, view: ViewWatch | None) -> Watch:
        from kame_py.replay.watch import Watches

        watches: list[Watch] = [self.interrupt]
        if view is not None:
            watches.append(view)
        if self._args.filter is not None:
            from kame_py.replay.sieve import Sieve

            watches.append(Sieve(self._args.filter))
        if self._pace is not None:
            self._pace.begin()
            watches.append(self._pace)
        if bar is not None:
            bar.begin(path, f)
            watches.append(bar)
        return Watches(watches) if len(watches) > 1 else self.interrupt

    def _verdict_writer(self, path: str) -> Callable[[Verdict], None]:
        f = self._verdicts
        assert f is not None
        head = f'{{"file": {json.dumps(path)}, ' if self._captures.several else "{"

        def write(verdict: Verdict) -> None:
            f.write((head + verdict.json_line()[1:]).encode())

        return write

    def write_report(self) -> None:
        """The page, of what was done."""
        if self._report is None:
            return
        notes = [f"{one.file}: {one.problem}" for one in self._played if one.problem]
        if self.interrupt.came:
            notes.append("interrupted: the page shows what was done until then")
        first = os.path.basename(self._captures.paths[0])
        title = f"{len(self._captures.paths)} captures" if len(self._captures.paths) > 1 else first
        words = ["replay", *self._args.words]
        write_page(self._report, f"Replay of {title}", words, self._views, notes)

    # -- telling ------------------------------------------------------------------------------

    def status(self) -> int:
        if self.interrupt.came:
            return EX_INTERRUPTED
        failed = any(one.result is None or one.result.problems for one in self._played)
        return EX_ERROR if failed else EX_OK

    def tell(self) -> None:
        """Problems to standard error, the report to standard output."""
        for one in self._played:
            if one.result is None:
                sys.stderr.write(f"kame: {one.file}: {one.problem}\n")
            else:
                self._warn(one.file, one.result)
        if self.interrupt.came:
            done = sum(one.result.packets for one in self._played if one.result is not None)
            sys.stderr.write(f"kame: interrupted after {done} packets\n")
        if self._args.json:
            self._tell_json()
        elif self._played:
            from kame_py.cli.screen import Screen

            self._tell_lines(Screen())

    def _warn(self, path: str, result: ReplayResult) -> None:
        err, args = sys.stderr.write, self._args
        err(result.rc_output)
        for problem in result.problems:
            err(f"kame: {args.rc or 'rc'}: {problem}\n")
        for doubt in result.doubts:
            err(f"kame: {path}: {doubt}\n")
        if args.addr is None and args.lladdr is None and _for_others(result):
            err(f"kame: {path}: no packet was for the node: --as ADDR makes it one of the hosts\n")
        for n in sorted(set(args.trace) - set(result.traces)):
            err(f"kame: {path}: --explain {n}: {_no_way(n, result)}\n")
        if result.error is not None and not self.interrupt.came:
            err(f"kame: {path}: {result.error}; last good packet {result.last_good}\n")

    def _tell_json(self) -> None:
        from kame_py.replay.report import json_text, to_json
        from kame_py.replay.totals import totals_json

        one = self._played[0] if len(self._played) == 1 else None
        if self._captures.several or one is None or one.result is None:
            report = totals_json(self._played, self.interrupt.came)
        else:
            report = to_json(one.result, one.seconds, self.interrupt.came)
        sys.stdout.write(json_text(report) + "\n")

    def _tell_lines(self, screen: Screen) -> None:
        from kame_py.replay.report import explain_lines, to_lines
        from kame_py.replay.totals import played_line, totals_lines

        if not self._captures.several:
            for one in self._played:
                if one.result is not None:
                    _print(screen, to_lines(one.result, one.seconds))
            return
        screen.line("    packets   dropped  capture", "bold")
        for one in self._played:
            screen.line(*played_line(one))
            if one.result is not None and one.result.traces:
                _print(screen, [*explain_lines(one.result), ("", "")])
        _print(screen, totals_lines(self._played))


def _print(screen: Screen, lines: list[tuple[str, str]]) -> None:
    for line in lines:
        screen.line(*line)


def _for_others(result: ReplayResult) -> bool:
    """Every packet went to other stations."""
    fates, drops = result.fates, result.drops
    return bool(drops) and fates["dropped"] == result.packets and drops.keys() <= _ELSEWHERE


def _no_way(n: int, result: ReplayResult) -> str:
    """Why packet n is not explained."""
    total = result.packets + result.left_out
    if 1 <= n <= total:
        return "left out by the filter"
    return f"no such packet; the capture has {total}, counted from 1"
