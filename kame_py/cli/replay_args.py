# SPDX-License-Identifier: BSD-3-Clause
"""The arguments of ``kame replay``: words become addresses, kernel options, commands, filters.

No KAME counterpart.
"""

from __future__ import annotations

import argparse
import math
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from kame_py.cli.lab import FileProblem
from kame_py.cli.main import add_version
from kame_py.cli.usage import Parser
from kame_py.lab.filetree import FileTree
from kame_py.wire.errno import EISDIR, ENOENT, KError
from kame_py.wire.in6addr import IN6_IS_ADDR_MULTICAST, IN6_IS_ADDR_UNSPECIFIED, mac_aton, pton
from kame_py.wire.pcapfmt import is_group_mac

if TYPE_CHECKING:
    from kame_py.kern.conf import KernConf
    from kame_py.lab.rc import Command
    from kame_py.lib.pcapfilter import Filter
    from kame_py.replay.runner import ReplayOptions

EX_ERROR: Final = 1
IFNAMSIZ: Final = 16


def parser() -> argparse.ArgumentParser:
    """All options of ``kame replay``."""
    p = Parser(
        prog="kame replay",
        description="Play captures to a KAME kernel: one verdict for every packet.",
        epilog="Without --rc the node is a host: it accepts router advertisements and runs rtsol.",
    )
    p.add_argument(
        "captures",
        metavar="CAPTURE",
        nargs="+",
        help="pcap or pcapng file, also in gzip, zstd or xz; a directory of them; - reads stdin",
    )
    _add_node(p)
    _add_play(p)
    _add_output(p)
    add_version(p)
    return p


def _add_node(p: argparse.ArgumentParser) -> None:
    add = p.add_argument_group("the node").add_argument
    add("--rc", metavar="FILE", help="commands to run at boot; file names in it are relative to it")
    add("--options", metavar="LIST", default="", help="kernel options: MIP6,IPSEC,...,hif N")
    add("--kernconf", metavar="FILE", help="kernel options from a config(8) file")
    add("--ifname", metavar="NAME", type=_ifname, default="fxp0", help="interface (%(default)s)")
    add("--lladdr", metavar="MAC", type=_lladdr, help="MAC address of the interface")
    add("--as", metavar="ADDR", dest="addr", type=_addr, help="be the captured host that has ADDR")
    add("--seed", metavar="N", type=int, default=0, help="seed of the node's random numbers")


def _add_play(p: argparse.ArgumentParser) -> None:
    add = p.add_argument_group("what is played, and how").add_argument
    add("-f", "--filter", metavar="EXPR", type=_filter, help="only packets that match (tcpdump's)")
    add(
        "--fast",
        choices=("auto", "on", "off"),
        default="auto",
        help="many packets at a time where they change nothing (%(default)s); results are the same",
    )
    add("--realtime", action="store_true", help="at the pace of the capture")
    add("--speed", metavar="X", type=_speed, help="X times that pace (implies --realtime)")


def _add_output(p: argparse.ArgumentParser) -> None:
    add = p.add_argument_group("output").add_argument
    add("--json", action="store_true", help="one JSON object instead of a report")
    add("--verdicts", metavar="OUT", help="write the verdict of each packet as a line of JSON")
    add("--report", metavar="OUT", help="write a page about the run (HTML)")
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


# -- words ----------------------------------------------------------------------------------------


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


def _filter(text: str) -> Filter:
    from kame_py.lib.pcapfilter import FilterError, parse

    try:
        found = parse((text,))
    except FilterError as problem:
        raise argparse.ArgumentTypeError(str(problem)) from None
    for name in found.names:
        raise argparse.ArgumentTypeError(f"{name}: not an address, and names are not looked up")
    return found


def _speed(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not (value > 0 and math.isfinite(value)):
        raise argparse.ArgumentTypeError(f"{text}: not a number above 0")
    return value


# -- arguments that are files or lists ------------------------------------------------------------


def replay_options(args: argparse.Namespace) -> ReplayOptions:
    """What the arguments say of the node. FileProblem."""
    from kame_py.replay.runner import Fast, ReplayOptions

    folder = os.path.dirname(args.rc) if args.rc else "."
    return ReplayOptions(
        conf=_conf(args),
        rc=_rc(args.rc),
        files=(lambda: RcFiles(folder)) if args.rc else FileTree,
        ifname=args.ifname,
        lladdr=args.lladdr,
        addr=args.addr,
        trace=args.trace,
        seed=args.seed,
        fast=Fast(args.fast),
    )


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
        raise FileProblem(f"{path}: {why(problem)}") from None


def why(problem: Exception) -> str:
    """What the system says of a file that cannot be used."""
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
