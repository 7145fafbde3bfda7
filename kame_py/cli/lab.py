# SPDX-License-Identifier: BSD-3-Clause
"""``kame lab``: run, check, list and show labs.

No KAME counterpart. Exit status of run: 0 all expectations hold, 1 one does not, 2 the lab file
cannot be used. The capture is written beside its final name and renamed when it is whole.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, BinaryIO, Final

from kame_py.cli.main import add_version
from kame_py.cli.usage import Parser
from kame_py.host.same_file import Named, clash, descriptor

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

    from kame_py.cli.screen import Screen
    from kame_py.lab.expect import Outcome
    from kame_py.lab.runner import LabRun
    from kame_py.lab.schema import LabFile
    from kame_py.lab.timeline import Entry
    from kame_py.replay.view import View

EX_OK: Final = 0
EX_FAILED: Final = 1
EX_FILE: Final = 2
SUFFIX: Final = ".toml"
SECONDS_MAX: Final = 1e9

_STYLES: Final = {
    "run": "bold",
    "out": "",
    "link": "bold magenta",
    "log": "yellow",
    "addr": "cyan",
    "expect": "green",
    "fail": "bold red",
}


class FileProblem(Exception):
    """The lab or an output file cannot be used; the text is what to print."""


class LabProblem(FileProblem):
    """The errors of a lab file, as FILE:LINE."""


def main(argv: list[str]) -> int:
    """``kame lab ...``."""
    args = _parser().parse_args(argv, argparse.Namespace(words=argv))
    command: Callable[[argparse.Namespace], int] = args.command
    try:
        return command(args)
    except FileProblem as problem:
        head = "" if isinstance(problem, LabProblem) else "kame: "
        sys.stderr.write(f"{head}{problem}\n")
        return EX_FILE


def _parser() -> argparse.ArgumentParser:
    parser = Parser(prog="kame lab", description=main.__doc__)
    parser.description = "Networks of KAME kernels in virtual time, described in a TOML file."
    sub = parser.add_subparsers(required=True, metavar="COMMAND")
    run = sub.add_parser("run", help="run a lab and check its expectations")
    run.add_argument("file", metavar="FILE", help="a lab file, or the name of a shipped lab")
    run.add_argument("--until", type=_seconds, metavar="S", help="virtual seconds, not the file's")
    run.add_argument("--seed", type=int, metavar="N", help="random seed, instead of the file's")
    run.add_argument("--pcap", metavar="OUT", help="write every packet to a pcapng file")
    run.add_argument("--report", metavar="OUT", help="write a page about the run (HTML)")
    run.add_argument("--json", action="store_true", help="one JSON object instead of a timeline")
    run.add_argument("-q", "--quiet", action="store_true", help="only the expectations")
    run.set_defaults(command=_run)
    check = sub.add_parser("check", help="say what is wrong with a lab file, with line numbers")
    check.add_argument("file", metavar="FILE")
    check.set_defaults(command=_check)
    listing = sub.add_parser("list", help="the labs that come with kame-py")
    listing.set_defaults(command=_list)
    show = sub.add_parser("show", help="print a lab file")
    show.add_argument("file", metavar="NAME")
    show.set_defaults(command=_show)
    for one in (parser, run, check, listing, show):
        add_version(one)
    return parser


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value < SECONDS_MAX:
        raise argparse.ArgumentTypeError(f"{text}: not a number of seconds")
    return value


# -- files ----------------------------------------------------------------------------------------


def shipped() -> list[Traversable]:
    """The labs that come with the package, by name."""
    from importlib.resources import files

    folder = files("kame_py") / "labs"
    found = [entry for entry in folder.iterdir() if entry.name.endswith(SUFFIX)]
    return sorted(found, key=lambda entry: entry.name)


def read_lab(name: str) -> tuple[str, str]:
    """(name for messages, text) of a file or a shipped lab."""
    try:
        with open(name, encoding="utf-8") as f:
            return name, f.read()
    except FileNotFoundError as problem:
        wanted = name if name.endswith(SUFFIX) else name + SUFFIX
        for entry in shipped():
            if entry.name == wanted:
                return entry.name, entry.read_text(encoding="utf-8")
        raise FileProblem(f"{name}: {problem.strerror}{_close_lab(name)}") from None
    except UnicodeDecodeError as problem:
        raise FileProblem(f"{name}: not UTF-8 text: {problem.reason}") from None
    except (OSError, ValueError) as problem:
        raise FileProblem(f"{name}: {_why(problem)}") from None


def _why(problem: Exception) -> str:
    return (problem.strerror if isinstance(problem, OSError) else None) or str(problem)


def _close_lab(name: str) -> str:
    import difflib

    names = [entry.name.removesuffix(SUFFIX) for entry in shipped()]
    close = difflib.get_close_matches(name, names, n=1)
    return f"; did you mean the lab {close[0]}" if close else "; kame lab list names the labs"


def load_lab(name: str) -> LabFile:
    """The checked lab; FileProblem with all its errors."""
    from kame_py.lab.labfile import load

    shown, text = read_lab(name)
    lab = load(text, shown)
    if isinstance(lab, list):
        raise LabProblem("\n".join(str(error) for error in lab))
    return lab


def keep_apart(outputs: Mapping[str, str | None], inputs: Iterable[Named]) -> None:
    """FileProblem when the files that options name are not different from each other and inputs."""
    written = [Named(f"{option} {path}", path) for option, path in outputs.items() if path]
    problem = clash(written, inputs)
    if problem is not None:
        raise FileProblem(problem)


@contextmanager
def whole_file(path: str) -> Iterator[BinaryIO]:
    """A file that appears under its name only when it is complete. Devices are written to.

    What stands for an open file (/dev/stdout) is that one, whatever it leads to.
    """
    import tempfile

    number = descriptor(path)
    folder = os.path.dirname(path) or "."
    try:
        if os.path.isdir(path):
            raise FileProblem(f"{path}: Is a directory")
        if number is not None or (os.path.exists(path) and not os.path.isfile(path)):
            with open(path if number is None else os.dup(number), "wb") as device:
                yield device
            return
        handle, temporary = tempfile.mkstemp(dir=folder, prefix=".kame-", suffix=".tmp")
    except OSError as problem:
        raise FileProblem(f"{path}: {problem.strerror}") from None
    try:
        with os.fdopen(handle, "wb") as f:
            yield f
        mask = os.umask(0)
        os.umask(mask)
        os.chmod(temporary, 0o666 & ~mask)
        os.replace(temporary, path)
    except OSError as problem:
        os.unlink(temporary)
        raise FileProblem(f"{path}: {problem.strerror}") from None
    except BaseException:
        os.unlink(temporary)
        raise


# -- run ------------------------------------------------------------------------------------------


def _run(args: argparse.Namespace) -> int:
    outputs = {"--pcap": args.pcap, "--report": args.report}
    keep_apart(outputs, [Named(args.file, args.file)])
    lab = load_lab(args.file)
    for note in lab.notes:
        sys.stderr.write(f"{note}\n")
    with ExitStack() as stack:
        capture = stack.enter_context(whole_file(args.pcap)) if args.pcap else None
        report = stack.enter_context(whole_file(args.report)) if args.report else None
        return _run_lab(args, lab, capture, report)


def _run_lab(
    args: argparse.Namespace, lab: LabFile, capture: BinaryIO | None, report: BinaryIO | None
) -> int:
    from kame_py.cli.screen import Screen
    from kame_py.lab.labview import LabView
    from kame_py.lab.runner import LabRun

    screen = Screen()
    silent = args.json or args.quiet
    sink = _silence if silent else lambda entry: screen.line(*entry_line(entry))
    view = LabView(lab.title or lab.name) if report is not None else None
    run = LabRun(lab, seed=args.seed, until_s=args.until, capture=capture, sink=sink, view=view)
    if not silent:
        screen.line(lab.title or lab.name, "bold underline")
    run.run()
    if report is not None and view is not None:
        write_page(report, view.view.title, ["lab", *args.words], [view.finish(run)])
    if args.json:
        sys.stdout.write(json.dumps(run.report(), indent=2) + "\n")
    else:
        print_outcomes(screen, run)
    for problem in run.problems:
        sys.stderr.write(f"{problem}\n")
    for crash in run.crashes:
        sys.stderr.write(f"kame lab: a program failed: {crash}\n")
    return EX_OK if run.good else EX_FAILED


def write_page(
    f: BinaryIO, title: str, words: list[str], views: list[View], notes: Sequence[str] = ()
) -> None:
    """The report page of what a command did; words: the command."""
    from kame_py.replay.page import Page, page_html

    command = shlex.join(["kame", *words])
    f.write(page_html(Page(title, command, views, notes)).encode("utf-8", "replace"))


def _silence(entry: Entry) -> None:
    """With --json or -q nothing is told while the lab runs."""


def entry_line(entry: Entry) -> tuple[str, str]:
    """One entry of the timeline as a line, with its style."""
    text = {"run": f"$ {entry.text}", "out": f"  {entry.text}"}.get(entry.kind, entry.text)
    return f"{entry.t_ns / 1e9:10.3f}  {entry.node:<6} {text}", _STYLES[entry.kind]


def print_handovers(screen: Screen, run: LabRun) -> None:
    """Where the time of each handover went, if a mobile node moved."""
    from kame_py.lab.handover import LEGEND, handover_table

    lines = handover_table(run.handovers.done)
    if not lines:
        return
    screen.line()
    screen.line("Handovers", "bold")
    for line in lines:
        screen.line(line)
    for line in LEGEND:
        screen.line(f"  {line}", "dim")


def print_outcomes(screen: Screen, run: LabRun) -> None:
    """The handovers, the expectations and the last line."""
    print_handovers(screen, run)
    if run.outcomes:
        screen.line()
        screen.line("Expectations", "bold")
    for outcome in run.outcomes:
        screen.line(*outcome_line(outcome))
    failed = sum(not outcome.ok for outcome in run.outcomes)
    held = len(run.outcomes) - failed
    screen.line()
    style = "bold red" if failed else "bold green"
    screen.line(f"{run.summary()}; {_verdict(held, failed, run.not_reached)}", style)


def _verdict(held: int, failed: int, not_reached: int) -> str:
    """How the expectations fared, in a few words."""
    if held or failed:
        text = f"{_count(held, 'expectation')} held, {failed} failed"
        return f"{text}, {not_reached} not reached" if not_reached else text
    if not_reached:
        return f"the run ended before {_count(not_reached, 'expectation')}"
    return "the lab expects nothing"


def _count(n: int, noun: str) -> str:
    return f"1 {noun}" if n == 1 else f"{n} {noun}s"


def outcome_line(outcome: Outcome) -> tuple[str, str]:
    """One expectation as a line, with its style."""
    word = "ok  " if outcome.ok else "FAIL"
    text = f"  {word} {outcome.at_ns / 1e9:g} s {outcome.node}: {outcome.what}"
    if outcome.ok:
        return text, "green"
    return f"{text}\n       line {outcome.line}: {outcome.detail}", "red"


# -- check, list, show ----------------------------------------------------------------------------


def _check(args: argparse.Namespace) -> int:
    lab = load_lab(args.file)
    for note in lab.notes:
        print(note)
    counts = [
        _count(len(lab.nodes), "node"),
        _count(len(lab.links), "link"),
        _count(len(lab.expects), "expectation"),
    ]
    print(f"{lab.name}: good: {', '.join(counts)}")
    return EX_OK


def _list(args: argparse.Namespace) -> int:
    for entry in shipped():
        name = entry.name.removesuffix(SUFFIX)
        print(f"{name:<10} {load_lab(name).title}")
    return EX_OK


def _show(args: argparse.Namespace) -> int:
    sys.stdout.write(read_lab(args.file)[1])
    return EX_OK
