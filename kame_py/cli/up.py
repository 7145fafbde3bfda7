# SPDX-License-Identifier: BSD-3-Clause
"""``kame up``: the nodes of a lab file run until they are stopped.

No KAME counterpart. Exit status: 0 stopped by a signal or ``kame stop``, 2 the description cannot
be used, 3 a right is missing, 1 anything else that does not work.
"""

from __future__ import annotations

import argparse
import os
import re
import secrets
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

from kame_py.cli.lab import EX_FILE, FileProblem, LabProblem, entry_line, keep_apart, load_lab
from kame_py.cli.main import add_version
from kame_py.cli.usage import Parser
from kame_py.host.same_file import Named
from kame_py.host.streams import forget

if TYPE_CHECKING:
    from kame_py.cli.screen import Screen
    from kame_py.host.capturefile import CaptureFile
    from kame_py.lab.schema import LabFile
    from kame_py.lab.timeline import Entry

EX_OK: Final = 0
EX_FAILED: Final = 1
EX_RIGHTS: Final = 3
SEED_BITS: Final = 63
STEM_MAX: Final = 32
NOT_IN_STEM: Final = re.compile(r"[^A-Za-z0-9_.-]")


def main(argv: list[str]) -> int:
    """``kame up FILE``."""
    parser = Parser(
        prog="kame up", description="Run the nodes of a lab file in real time until stopped."
    )
    parser.add_argument("file", metavar="FILE", help="a lab file, or the name of a shipped lab")
    parser.add_argument(
        *("-w", "--wire"),
        action="append",
        default=[],
        metavar="LINK=WIRE",
        help="let a link go on outside: tap:NAME, afpacket:IFNAME, bus:DIR or qemu:MINE,PEER",
    )
    parser.add_argument(
        "--seed",
        type=int,
        metavar="N",
        help="random seed; the file's with --virtual, else one that nobody knows",
    )
    add_common(parser)
    args = parser.parse_args(argv)
    return guarded("up", lambda: _up(args))


def add_common(parser: argparse.ArgumentParser) -> None:
    """Options of every command that runs nodes."""
    parser.add_argument("--pcap", metavar="OUT", help="write every packet to a pcapng file")
    parser.add_argument("--socket", metavar="PATH", help="where tools find the nodes")
    parser.add_argument(
        "--virtual", action="store_true", help="time passes only while a tool waits for it"
    )
    parser.add_argument("-q", "--quiet", action="store_true", help="no timeline")
    add_version(parser)


def guarded(name: str, body: Callable[[], int]) -> int:
    """Run a command; what cannot be done becomes one line and an exit status."""
    from kame_py.host.netdev import DeviceProblem
    from kame_py.host.runtime import RuntimeProblem

    try:
        return body()
    except LabProblem as problem:
        sys.stderr.write(f"{problem}\n")
        return EX_FILE
    except FileProblem as problem:
        sys.stderr.write(f"kame {name}: {problem}\n")
        return EX_FILE
    except DeviceProblem as problem:
        sys.stderr.write(f"kame {name}: {problem}\n")
        return EX_RIGHTS if problem.permission else EX_FAILED
    except RuntimeProblem as problem:
        sys.stderr.write(f"kame {name}: {problem}\n")
        return EX_FAILED
    except OSError as problem:
        where = f"{problem.filename}: " if problem.filename is not None else ""
        sys.stderr.write(f"kame {name}: {where}{problem.strerror or problem}\n")
        return EX_FAILED


def _up(args: argparse.Namespace) -> int:
    pcap_apart(args.pcap, {"FILE": args.file})
    lab = load_lab(args.file)
    wires: dict[str, str] = {}
    for text in args.wire:
        link, equals, spec = text.partition("=")
        if not equals:
            raise FileProblem(f"--wire {text}: not LINK=WIRE")
        if link not in lab.links:
            raise FileProblem(f"--wire {text}: no link {link}: {', '.join(lab.links)}")
        if link in wires:
            raise FileProblem(f"--wire {text}: link {link} has a wire already")
        wires[link] = spec
    return serve(lab, args, wires, seed=_seed(args))


def pcap_apart(pcap: str | None, inputs: Mapping[str, str | None]) -> None:
    """FileProblem when the capture is to be one of the files that are read."""
    from kame_py.host.capturefile import STDOUT

    read = [Named(f"{option} {path}", path) for option, path in inputs.items() if path]
    keep_apart({"--pcap": None if pcap == STDOUT else pcap}, read)


def _seed(args: argparse.Namespace) -> int | None:
    """Real time gives no run twice, so that keys and numbers need not be guessable either."""
    if args.seed is not None or args.virtual:
        return None if args.seed is None else int(args.seed)
    return secrets.randbits(SEED_BITS)


def serve(lab: LabFile, args: argparse.Namespace, wires: dict[str, str], seed: int | None) -> int:
    """Run the nodes until they are stopped; the capture is readable at any moment."""
    import asyncio

    from kame_py.host.capturefile import STDOUT, CaptureFile

    listener = Listener()
    if args.pcap is None:
        return asyncio.run(_live(lab, args, wires, seed, listener, None))
    if args.pcap == STDOUT and sys.stdout.isatty():
        raise FileProblem("--pcap -: standard output is a terminal")
    try:
        f = CaptureFile(args.pcap, listener.line)
    except OSError as problem:
        raise FileProblem(f"{args.pcap}: {problem.strerror}") from None
    with f:
        return asyncio.run(_live(lab, args, wires, seed, listener, f))


class Listener:
    """Whoever started the nodes and may be gone: they run on without being listened to."""

    def __init__(self) -> None:
        from kame_py.cli.screen import Screen

        self._screen: Screen | None = Screen(sys.stderr)

    def line(self, text: str, style: str = "") -> None:
        try:
            if self._screen is not None:
                self._screen.line(text, style)
                sys.stderr.flush()
        except OSError:
            self._screen = None
            forget(sys.stderr)

    def entry(self, entry: Entry) -> None:
        self.line(*entry_line(entry))


async def _live(
    lab: LabFile,
    args: argparse.Namespace,
    wires: dict[str, str],
    seed: int | None,
    listener: Listener,
    capture: CaptureFile | None,
) -> int:
    from kame_py.host.live import Live, LiveOptions
    from kame_py.lab.runner import LabRun

    run = LabRun(lab, seed=seed, capture=capture, sink=None if args.quiet else listener.entry)
    if capture is not None and capture.problem is not None:
        return EX_FAILED  # not even its head: it has said so
    path = Path(args.socket) if args.socket else socket_path(lab.name)
    live = Live(run, LiveOptions(path, wires, args.virtual), listener.line)

    def ready() -> None:
        listener.line(f"{', '.join(lab.nodes)}: running; control socket {path}")

    await live.serve(ready)
    listener.line(f"{run.summary().replace(' of virtual time', '')}: stopped")
    return EX_OK


def socket_path(lab_name: str) -> Path:
    """Where the tools find the nodes of this process: short, and no word that needs quotes."""
    from kame_py.host.runtime import SUFFIX, runtime_dir

    stem = NOT_IN_STEM.sub("_", Path(lab_name).stem)[:STEM_MAX]
    return runtime_dir(create=True) / f"{stem}-{os.getpid()}{SUFFIX}"
