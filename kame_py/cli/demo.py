# SPDX-License-Identifier: BSD-3-Clause
"""``kame demo``: a small network from its first second to a broken cable, then a capture.

No KAME counterpart. The lab is the shipped ``tour``; everything printed between the comments is
what the kernels and the tools said.
"""

from __future__ import annotations

import argparse
from importlib.resources import as_file, files
from typing import TYPE_CHECKING, Final

from kame_py.cli.lab import EX_FAILED, EX_OK, entry_line, load_lab, print_outcomes
from kame_py.cli.screen import Screen

if TYPE_CHECKING:
    from kame_py.lab.timeline import Entry

LAB: Final = "tour"
CAPTURE: Final = "nd-short.pcap"

#: (virtual second from which it is told, what the reader is about to see)
STEPS: Final = (
    (
        0,
        "Three KAME kernels boot: router r between two links, host a on the left one, host b on",
        "the right one. The router gets its addresses by hand and starts rtadvd; the hosts know",
        "nothing and start rtsold. Every new address is tentative until duplicate address",
        "detection has heard no objection for a second (RFC 2462).",
    ),
    (
        1,
        "Router solicitations, router advertisements: each host makes itself an address from the",
        "advertised prefix and its Ethernet address, and takes r as default router.",
    ),
    (
        12,
        "The lab file states what must be true now, and it is checked with the tools themselves.",
    ),
    (15, "Host a pings b through the router. Watch for icmp_seq."),
    (25, "The cable on the right is cut. Nothing arrives; nobody is told but the interfaces."),
    (32, "The cable is back. Packets flow again without anyone doing anything."),
    (46, "The ping has ended, the losses are counted."),
)


def main(argv: list[str]) -> int:
    """``kame demo``."""
    parser = argparse.ArgumentParser(prog="kame demo", description="See kame-py work.")
    parser.add_argument("--no-replay", action="store_true", help="only the network")
    args = parser.parse_args(argv)
    screen = Screen()
    status = _tour(screen)
    if not args.no_replay:
        _replay(screen)
    return status


class _Narrator:
    """Prints the entries of a lab with the comments of STEPS before their time."""

    def __init__(self, screen: Screen) -> None:
        self._screen = screen
        self._next = 0

    def __call__(self, entry: Entry) -> None:
        while self._next < len(STEPS) and entry.t_ns >= STEPS[self._next][0] * 1_000_000_000:
            self._say(*STEPS[self._next][1:])
            self._next += 1
        self._screen.line(*entry_line(entry))

    def _say(self, *lines: object) -> None:
        self._screen.line()
        for line in lines:
            self._screen.line(f"# {line}", "bold blue")


def _tour(screen: Screen) -> int:
    from kame_py.lab.runner import LabRun

    lab = load_lab(LAB)
    screen.line(lab.title, "bold underline")
    run = LabRun(lab, sink=_Narrator(screen))
    run.run()
    print_outcomes(screen, run)
    screen.line("# The same seed gives the same run, packet for packet.")
    screen.line("# Try: kame lab run tour --pcap tour.pcapng")
    return EX_OK if run.good else EX_FAILED


def _replay(screen: Screen) -> None:
    from kame_py.cli.replay import main as replay

    screen.line()
    screen.line("A capture through a kernel", "bold underline")
    for line in (
        "Sixteen neighbor discovery messages from the test suite of Zeek, most of them cut short.",
        "A kernel receives them one by one; every packet gets exactly one verdict with its reason.",
    ):
        screen.line(f"# {line}", "bold blue")
    with as_file(files("kame_py") / "labs" / "captures" / CAPTURE) as path:
        replay([str(path)])
