# SPDX-License-Identifier: BSD-3-Clause
"""``kame replay``: what a kernel makes of the packets of a capture.

No KAME counterpart. Exit status 0 when the header of the capture could be read, 1 when it or an
argument cannot be used. Output files appear under their names when they are whole.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, BinaryIO, Final, NoReturn

from kame_py.cli.lab import FileProblem, whole_file
from kame_py.cli.main import add_version
from kame_py.lab.filetree import FileTree
from kame_py.wire.errno import EISDIR, ENOENT, KError
from kame_py.wire.in6addr import IN6_IS_ADDR_MULTICAST, IN6_IS_ADDR_UNSPECIFIED, mac_aton, pton
from kame_py.wire.pcapfmt import is_group_mac

if TYPE_CHECKING:
    from kame_py.kern.conf import KernConf
    from kame_py.lab.rc import Command
    from kame_py.replay.runner import ReplayOptions, ReplayResult
    from kame_py.replay.verdict import Verdict, VerdictSink

EX_OK: Final = 0
EX_ERROR: Final = 1
IFNAMSIZ: Final = 16
STDIN: Final = "-"


class _Parser(argparse.ArgumentParser):
    """Wrong usage ends with status 1, as every other unusable argument does."""

    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        self.exit(EX_ERROR, f"kame: replay: {message}\n")


def main(argv: list[str]) -> int:
    """``kame replay ...``."""
    args = _parser().parse_args(argv)
    try:
        return _replay(args)
    except FileProblem as problem:
        sys.stderr.write(f"kame: {problem}\n")
        return EX_ERROR


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="kame replay",
        description="Play a capture to a KAME kernel: one verdict for every packet.",
        epilog="Without --rc the node is a host: it accepts router advertisements and runs rtsol.",
    )
    add = parser.add_argument
    add("capture", metavar="CAPTURE", help="pcap or pcapng file, also gzipped; - reads stdin")
    add("--rc", metavar="FILE", help="commands to run at boot; file names in it are relative to it")
    add("--options", metavar="LIST", default="", help="kernel options: MIP6,IPSEC,...,hif N")
    add("--kernconf", metavar="FILE", help="kernel options from a config(8) file")
    add("--ifname", metavar="NAME", type=_ifname, default="fxp0", help="interface (%(default)s)")
    add("--lladdr", metavar="MAC", type=_lladdr, help="MAC address of the interface")
    add("--as", metavar="ADDR", dest="addr", type=_addr, help="be the captured host that has ADDR")
    add("--json", action="store_true", help="one JSON object instead of a report")
    add("--verdicts", metavar="OUT", help="write the verdict of each packet as a line of JSON")
    add("--out", metavar="REPLIES", help="write the frames that the node sends to a pcapng file")
    add(
        "--explain",
        "--trace",
        metavar="N",
        dest="trace",
        type=int,
        action="append",
        default=[],
        help="what packet N met in the kernel, what it counted, changed and was answered",
    )
    add("--seed", metavar="N", type=int, default=0, help="seed of the node's random numbers")
    add_version(parser)
    return parser


def _ifname(text: str) -> str:
    named = text[:1].isalpha() and text[-1:].isdigit() and text.isalnum() and text.isascii()
    if not named or len(text) >= IFNAMSIZ or text == "lo0":
        raise argparse.ArgumentTypeError(f"{text}: not a name for an interface, such as fxp0")
    return text


def _lladdr(text: str) -> bytes:
    mac = mac_aton(text)
    if mac is None:
        raise argparse.ArgumentTypeError(f"{text}: not a MAC address such as 02:00:00:00:00:55")
    if is_group_mac(mac):
        raise argparse.ArgumentTypeError(f"{text}: a group address, no station's")
    return mac


def _addr(text: str) -> bytes:
    addr = pton(text.partition("%")[0])
    if addr is None:
        raise argparse.ArgumentTypeError(f"{text}: not an IPv6 address")
    if IN6_IS_ADDR_MULTICAST(addr) or IN6_IS_ADDR_UNSPECIFIED(addr):
        raise argparse.ArgumentTypeError(f"{text}: no host's address")
    return addr


# -- arguments that are files or lists ------------------------------------------------------------


def _conf(args: argparse.Namespace) -> KernConf:
    """Kernel options of --options and --kernconf together."""
    from kame_py.kern.conf import KernConf
    from kame_py.lab.kernconf import parse_kernel_text, parse_options_argument

    given = parse_options_argument(args.options)
    for error in given.errors:
        raise FileProblem(f"--options: {error.text}")
    for note in given.notes:
        sys.stderr.write(f"kame: --options: {note.text}\n")
    if args.kernconf is None:
        return given.conf
    read = parse_kernel_text(_text(args.kernconf))
    for error in read.errors:
        raise FileProblem(f"{args.kernconf}:{error.line}: {error.text}")
    a, b = given.conf, read.conf
    return KernConf(a.options | b.options, max(a.hif, b.hif), max(a.gif, b.gif))


def _text(path: str) -> str:
    try:
        with open(path, encoding="utf-8") as f:
            return f.read()
    except UnicodeDecodeError as problem:
        raise FileProblem(f"{path}: not UTF-8 text: {problem.reason}") from None
    except (OSError, ValueError) as problem:
        raise FileProblem(f"{path}: {_why(problem)}") from None


def _why(problem: Exception) -> str:
    return (problem.strerror if isinstance(problem, OSError) else None) or str(problem)


def _rc(path: str | None) -> Sequence[Command] | None:
    from kame_py.lab.rc import RcError, parse_rc

    if path is None:
        return None
    commands = parse_rc(_text(path))
    if isinstance(commands, RcError):
        raise FileProblem(f"{path}:{commands.line}: {commands.text}")
    return commands


class RcFiles(FileTree):
    """The node's files: names that it did not write itself are files beside the rc file."""

    __slots__ = ("_folder",)

    def __init__(self, folder: str) -> None:
        super().__init__()
        self._folder = folder

    def read(self, path: str) -> str:
        try:
            return super().read(path)
        except KError as missing:
            if missing.errno != ENOENT:
                raise
        try:
            with open(os.path.join(self._folder, path), encoding="utf-8") as f:
                return f.read()
        except IsADirectoryError:
            raise KError(EISDIR) from None
        except (OSError, ValueError):
            raise KError(ENOENT) from None


@contextmanager
def _capture(path: str) -> Iterator[BinaryIO]:
    """The capture."""
    with ExitStack() as stack:
        try:
            if path == STDIN:
                f: BinaryIO = sys.stdin.buffer
            else:
                f = stack.enter_context(open(path, "rb"))
        except (OSError, ValueError) as problem:
            raise FileProblem(f"{path}: {_why(problem)}") from None
        yield f


# -- the run --------------------------------------------------------------------------------------


def _replay(args: argparse.Namespace) -> int:
    from kame_py.replay.capture import CaptureError
    from kame_py.replay.runner import ReplayError, ReplayOptions

    folder = os.path.dirname(args.rc) if args.rc else "."
    options = ReplayOptions(
        conf=_conf(args),
        rc=_rc(args.rc),
        files=(lambda: RcFiles(folder)) if args.rc else FileTree,
        ifname=args.ifname,
        lladdr=args.lladdr,
        addr=args.addr,
        trace=args.trace,
        seed=args.seed,
    )
    with _capture(args.capture) as capture:
        try:
            return _run(args, capture, options)
        except (CaptureError, ReplayError) as problem:
            raise FileProblem(f"{args.capture}: {problem}") from None


def _run(args: argparse.Namespace, capture: BinaryIO, options: ReplayOptions) -> int:
    from kame_py.replay.runner import replay

    with ExitStack() as stack:
        out = stack.enter_context(whole_file(args.out)) if args.out else None
        sink = None
        if args.verdicts:
            sink = _verdict_writer(stack.enter_context(whole_file(args.verdicts)))
        began = time.perf_counter()
        result = replay(capture, options, out=out, verdicts=sink)
        seconds = time.perf_counter() - began
    _tell(args, result, seconds)
    return EX_OK


def _verdict_writer(f: BinaryIO) -> VerdictSink:
    def write(verdict: Verdict) -> None:
        f.write(verdict.json_line().encode())

    return write


def _no_way(n: int, result: ReplayResult) -> str:
    """Why there is no way of packet n to show."""
    return f"no such packet; the capture has {result.packets}, counted from 1"


def _tell(args: argparse.Namespace, result: ReplayResult, seconds: float) -> None:
    from kame_py.cli.screen import Screen
    from kame_py.replay.report import to_json, to_lines

    sys.stderr.write(result.rc_output)
    for problem in result.problems:
        sys.stderr.write(f"kame: {args.rc or 'rc'}: {problem}\n")
    for doubt in result.doubts:
        sys.stderr.write(f"kame: {args.capture}: {doubt}\n")
    for n in sorted(set(args.trace) - set(result.traces)):
        sys.stderr.write(f"kame: --explain {n}: {_no_way(n, result)}\n")
    if result.error is not None:
        last = f"last good packet {result.last_good}"
        sys.stderr.write(f"kame: {args.capture}: {result.error}; {last}\n")
    if args.json:
        sys.stdout.write(json.dumps(to_json(result, seconds), indent=2) + "\n")
        return
    screen = Screen()
    for line in to_lines(result, seconds):
        screen.line(*line)
