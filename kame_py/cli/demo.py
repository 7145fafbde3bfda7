# SPDX-License-Identifier: BSD-3-Clause
"""``kame demo``: a small network and a broken cable, a capture, and the Mobile IPv6 HowTo.

No KAME counterpart. The labs are the shipped ``tour`` and ``howto``; everything printed between
the comments is what the kernels and the tools said.
"""

from __future__ import annotations

import sys
from importlib.resources import as_file, files
from typing import TYPE_CHECKING, Final, NamedTuple

from kame_py.cli.lab import (
    EX_FAILED,
    EX_OK,
    FileProblem,
    entry_line,
    load_lab,
    print_outcomes,
    whole_file,
)
from kame_py.cli.main import add_version
from kame_py.cli.screen import Screen
from kame_py.cli.usage import Parser
from kame_py.kern.clock import NS

if TYPE_CHECKING:
    from kame_py.lab.timeline import Entry

LAB: Final = "tour"
HOWTO: Final = "howto"
HOWTO_PCAP: Final = "howto.pcapng"
CAPTURE: Final = "nd-short.pcap"

#: Whose kernel receives the capture.
VICTIM: Final = "fe80::2"


class Step(NamedTuple):
    """What the reader is about to see from a virtual second on."""

    at_s: int
    lines: tuple[str, ...]


TOUR_STEPS: Final = (
    Step(
        0,
        (
            "Three KAME kernels boot: router r between two links, host a on the left one, host b",
            "on the right one. The router gets its addresses by hand and starts rtadvd; the hosts",
            "know nothing and start rtsold. Every new address is tentative until duplicate",
            "address detection has heard no objection for a second (RFC 2462).",
        ),
    ),
    Step(
        1,
        (
            "Router solicitations, router advertisements: each host makes itself an address from",
            "the advertised prefix and its Ethernet address, and takes r as default router.",
        ),
    ),
    Step(12, ("The lab file says what must be true now; the tools themselves are asked.",)),
    Step(15, ("Host a pings b through the router.",)),
    Step(25, ("The cable on the right is cut. Nothing arrives any more.",)),
    Step(32, ("The cable is back. Packets flow again without anyone doing anything.",)),
    Step(46, ("The ping has ended; is b in the router's neighbour cache again?",)),
    Step(60, ("The lab ends: how many packets did the cut cost?",)),
)
HOWTO_STEPS: Final = (
    Step(
        0,
        (
            "The Mobile IPv6 HowTo of January 2002, typed line by line into seven kernels: a home",
            "agent (ha) with rtadvd -m and had, a mobile node (mn) at home, a correspondent (cn)",
            "that will ping it, two foreign links behind routers, and a second mobile node (mn2)",
            "that is switched on abroad and discovers its home agent by the anycast address.",
        ),
    ),
    Step(10, ("The correspondent pings the home address once a second, whatever happens.",)),
    Step(
        18,
        (
            "The mobile node's cable goes to the first foreign link. It hears a router, makes a",
            "care-of address, finds that its home router does not answer, and registers: the home",
            "agent tests the address for duplicates, answers for it on the home link and tunnels",
            "what arrives there. The correspondent gets a binding update and sends directly.",
        ),
    ),
    Step(34, ("Registered (AHD), proxied by the home agent, and known to the correspondent.",)),
    Step(36, ("On to the second foreign link; the same ping goes on.",)),
    Step(54, ("Home again: the bindings are taken back everywhere.",)),
    Step(72, ("Nothing of the journey is left in anybody's tables.",)),
)
BEFORE_REPLAY: Final = (
    "Sixteen Neighbor Discovery messages from the test suite of Zeek, most of them cut short.",
    f"A kernel that has the address {VICTIM} receives them one by one; each packet gets exactly",
    "one verdict. The way of the third through the kernel is shown stage by stage.",
)
AFTER_REPLAY: Final = (
    "Consumed: the kernel used it; the router advertisement made a default router, and its",
    "source link-layer address an entry of the neighbour cache.",
    "ICMP6_BADLEN: the message ends before its fixed part does.",
    "IP6_NOTMEMBER: sent to the solicited-node group of an address that is not ours.",
    "ND6_NOTENTRY: an advertisement about a neighbour that nobody asked for.",
    "ICMP6_REDIRBAD: a redirect that does not come from the router in use for that destination.",
    "Every reason is in docs/drops.md, and in the comments of the captures that labs write.",
)


def main(argv: list[str]) -> int:
    """``kame demo``."""
    parser = Parser(prog="kame demo", description="See kame-py work.")
    parser.add_argument("--no-replay", action="store_true", help="only the networks")
    parser.add_argument("--pcap", metavar="OUT", default=HOWTO_PCAP, help="capture of the HowTo")
    add_version(parser)
    args = parser.parse_args(argv)
    screen = Screen()
    good = _tour(screen)
    if not args.no_replay:
        _replay(screen)
    try:
        good = _howto(screen, args.pcap) and good
    except FileProblem as problem:
        sys.stderr.write(f"kame: {problem}\n")
        return EX_FAILED
    return EX_OK if good else EX_FAILED


class _Narrator:
    """Prints the entries of a lab with the comments of the steps before their time."""

    def __init__(self, screen: Screen, steps: tuple[Step, ...]) -> None:
        self._screen = screen
        self._steps = steps
        self._next = 0

    def __call__(self, entry: Entry) -> None:
        steps = self._steps
        while self._next < len(steps) and entry.t_ns >= steps[self._next].at_s * NS:
            _comment(self._screen, *steps[self._next].lines)
            self._next += 1
        self._screen.line(*entry_line(entry))


def _tour(screen: Screen) -> bool:
    from kame_py.lab.runner import LabRun

    lab = load_lab(LAB)
    screen.line(lab.title, "bold underline")
    run = LabRun(lab, sink=_Narrator(screen, TOUR_STEPS))
    run.run()
    print_outcomes(screen, run)
    screen.line("# The same seed gives the same run, packet for packet.")
    screen.line("# Try: kame lab run tour --pcap tour.pcapng")
    return run.good


def _howto(screen: Screen, pcap: str) -> bool:
    from kame_py.lab.runner import LabRun

    lab = load_lab(HOWTO)
    screen.line()
    screen.line(lab.title, "bold underline")
    with whole_file(pcap) as capture:
        run = LabRun(lab, capture=capture, sink=_Narrator(screen, HOWTO_STEPS))
        run.run()
    print_outcomes(screen, run)
    screen.line(f"# Every frame of it is in {pcap}; for Wireshark:")
    screen.line(f"# wireshark -X lua_script:tools/wireshark/kame_mip6.lua {pcap}")
    screen.line("# The HowTo side by side with what happens inside: docs/howto.md")
    return run.good


def _replay(screen: Screen) -> None:
    from kame_py.cli.replay import main as replay

    screen.line()
    screen.line("A capture through a kernel", "bold underline")
    _comment(screen, *BEFORE_REPLAY)
    with as_file(files("kame_py") / "labs" / "captures" / CAPTURE) as path:
        replay(["--as", VICTIM, "--explain", "3", str(path)])
    _comment(screen, *AFTER_REPLAY)


def _comment(screen: Screen, *lines: str) -> None:
    screen.line()
    for line in lines:
        screen.line(f"# {line}", "bold blue")
