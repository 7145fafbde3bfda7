# SPDX-License-Identifier: BSD-3-Clause
"""``kame vm``: one node that runs until it is stopped, described on the command line.

No KAME counterpart. It is a lab of one node on one link; the link goes on outside by the wire that
is named. Exit status as of ``kame up``.
"""

from __future__ import annotations

import argparse
import re
import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Final

from kame_py.cli.lab import FileProblem
from kame_py.cli.up import SEED_BITS, add_common, guarded, pcap_apart, serve
from kame_py.cli.usage import Parser
from kame_py.host.runtime import NODE_NAME

if TYPE_CHECKING:
    from kame_py.kern.conf import KernConf
    from kame_py.lab.rc import Command

VM_LINK: Final = "wire"
VM_MAC_PREFIX: Final = bytes((0x02, 0xA0, 0x24))
MAC_TAIL: Final = 3
MAC_OCTETS: Final = 6
GROUP_BIT: Final = 0x01
IFNAME: Final = re.compile(r"(?=.{2,15}\Z)[a-z]+[0-9]+")
OWN_DEVICES: Final = re.compile(r"(lo|hif|gif)[0-9]+")
WIRES: Final = ("tap", "afpacket", "bus", "qemu")


def main(argv: list[str]) -> int:
    """``kame vm``."""
    parser = Parser(prog="kame vm", description="Run one node with one interface until stopped.")
    parser.add_argument("--name", required=True, help="the node's name")
    parser.add_argument("--options", default="", metavar="LIST", help="as in: MIP6,hif 1")
    parser.add_argument("--kernconf", metavar="FILE", help="a kernel configuration file")
    parser.add_argument("--rc", metavar="FILE", help="commands to run first")
    parser.add_argument("--ifname", default="fxp0", metavar="IF", help="its interface (fxp0)")
    parser.add_argument("--mac", metavar="MAC", help="the interface's address")
    parser.add_argument("--forwarding", action="store_true", help="a router")
    wire = parser.add_mutually_exclusive_group()
    wire.add_argument("--tap", metavar="NAME", help="a TAP interface of this machine")
    wire.add_argument("--afpacket", metavar="IFNAME", help="an interface of this machine")
    wire.add_argument("--bus", metavar="DIR", help="a bus of nodes in several processes")
    wire.add_argument("--qemu", metavar="MINE,PEER", help="a qemu guest's datagram socket")
    add_common(parser)
    args = parser.parse_args(argv)
    return guarded("vm", lambda: _vm(args))


def _vm(args: argparse.Namespace) -> int:
    from kame_py.lab.schema import InterfaceSpec, LabFile, LinkSpec, NodeSpec

    if not NODE_NAME.fullmatch(args.name):
        raise FileProblem(f"--name {args.name!r}: letters, digits, - and _, 200 at most")
    if not IFNAME.fullmatch(args.ifname):
        raise FileProblem(f"--ifname {args.ifname!r}: not like fxp0")
    if OWN_DEVICES.fullmatch(args.ifname):
        raise FileProblem(f"--ifname {args.ifname}: the kernel makes that one itself")
    pcap_apart(args.pcap, {"--rc": args.rc, "--kernconf": args.kernconf})
    named = [f"{kind}:{value}" for kind in WIRES if (value := getattr(args, kind)) is not None]
    wires = dict.fromkeys([VM_LINK], named[0]) if named else {}
    interface = InterfaceSpec(args.ifname, 0, VM_LINK, _mac(args.mac, args.name))
    node = NodeSpec(
        args.name,
        0,
        _kernel(args),
        {args.ifname: interface},
        {},
        _rc(args.rc),
        args.forwarding or None,
    )
    lab = LabFile(
        name=args.name,
        title=f"node {args.name}",
        seed=secrets.randbits(SEED_BITS),
        until_ns=0,
        links={VM_LINK: LinkSpec(VM_LINK, 0)},
        hosts={},
        nodes={args.name: node},
        events=(),
        expects=(),
        values={},
        notes=(),
    )
    return serve(lab, args, wires, seed=None)


def _kernel(args: argparse.Namespace) -> KernConf:
    from kame_py.lab.kernconf import parse_kernel_text, parse_options_argument

    if args.kernconf and args.options:
        raise FileProblem("--kernconf and --options: give one of them")
    if args.kernconf:
        result = parse_kernel_text(_text(args.kernconf))
        where = f"{args.kernconf}:"
    else:
        result = parse_options_argument(args.options)
        where = "--options "
    if result.errors:
        raise FileProblem("; ".join(f"{where}{e.line}: {e.text}" for e in result.errors))
    return result.conf


def _rc(path: str | None) -> tuple[Command, ...]:
    from kame_py.lab.rc import RcError, parse_rc

    if path is None:
        return ()
    parsed = parse_rc(_text(path))
    if isinstance(parsed, RcError):
        raise FileProblem(f"{path}:{parsed}")
    return tuple(parsed)


def _text(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8")
    except OSError as problem:
        raise FileProblem(f"{path}: {problem.strerror}") from None
    except UnicodeDecodeError:
        raise FileProblem(f"{path}: not a text in UTF-8") from None


def _mac(text: str | None, name: str) -> bytes:
    """The given address, or one that belongs to the name."""
    if text is None:
        from hashlib import sha256

        return VM_MAC_PREFIX + sha256(name.encode()).digest()[:MAC_TAIL]
    try:
        mac = bytes.fromhex(text.replace(":", ""))
    except ValueError:
        mac = b""
    if len(mac) != MAC_OCTETS or mac[0] & GROUP_BIT or not any(mac):
        raise FileProblem(f"--mac {text}: no station's MAC address")
    return mac
