# SPDX-License-Identifier: BSD-3-Clause
"""Contests in reading captures: the generator's mixes, and real ones again and again.

scapy, dpkt and PyTCP make objects and tshark prints fields, so those that do the like are the rows
to look at: capinfos (record headers only), tcpdump with a filter, and a walk in C that fills the
same columns. Slow ones get the first packets of the same capture.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from importlib import metadata
from itertools import cycle, islice
from pathlib import Path
from typing import Final

import dpkt
import numba
import numpy as np
import scapy
from scapy.layers import inet6, l2  # noqa: F401  # what PcapReader dissects with
from scapy.utils import PcapReader

from bench.peers.contest import (
    OURS,
    ROOT,
    Contender,
    Contest,
    Missing,
    Workers,
    compiled,
    first_line,
    installed,
    own,
    program,
    run_python,
)
from bench.peers.in_pytcp import pytcp
from kame_py.fast.annotate import annotate
from kame_py.fast.batch import U8, Batch
from kame_py.replay.bulk import open_walk
from kame_py.replay.pcap import PcapWriter, open_capture
from kame_py.wire.pcapfmt import LINKTYPE_ETHERNET

HERE: Final = Path(__file__).resolve().parent
REAL: Final = "real"
#: Packets of each capture, and of a short look; half a gigabyte at most.
PACKETS: Final = {
    "mobile": (1_000_000, 60_000),
    "small": (1_000_000, 0),
    "imix": (1_000_000, 0),
    "large": (350_000, 0),
    REAL: (1_000_000, 0),
}
WHAT: Final = {
    "mobile": "Mobile IPv6, 70 to 1502 octets",
    "small": "UDP, 78 octets",
    "imix": "UDP, 78, 576 and 1400 octets, 7:4:1",
    "large": "UDP, 1400 octets",
    REAL: "real captures, again and again",
}
#: Packets for those that take microseconds for each.
FEW: Final = {"scapy": 4_000, "dpkt": 40_000, "tshark": 40_000, "PyTCP": 20_000}
FEWER: Final = 4  # times, for a short look
FIELDS: Final = ("frame.time_epoch", "ipv6.src", "ipv6.dst", "ipv6.nxt", "frame.len")
FILTER: Final = "ip6 and (tcp or udp) and net 2001:db8:1::/48"  # what passes is written
GOALS: Final = {
    f"times_{name}": name for name in ("scapy", "dpkt", "tshark", "tcpdump", "capinfos")
}
VERIFIED: Final = f"{OURS}, checksums"


@dataclass
class Captures:
    """Files of packets: the whole, and its beginnings by number of packets."""

    folder: Path
    short: bool

    def packets(self, mix: str) -> int:
        return PACKETS[mix][self.short]

    def path(self, mix: str, packets: int) -> Path:
        path = self.folder / f"{mix}-{packets}.pcap"
        if path.exists():
            return path
        if mix == REAL:
            _again_and_again(path, packets)
        else:
            argv = ["tools/gen_capture.py", str(path), "--mix", mix, "--packets", str(packets)]
            run_python(*argv)
        return path


def _again_and_again(path: Path, packets: int) -> None:
    """The packets of the captures with the test data, which nobody here made up."""
    data = Path(os.environ.get("KAME_TEST_DATA", ROOT.parent / "shared" / "data")) / "captures"
    frames = []
    for capture in sorted(data.glob("*.pcap")):
        if capture.name.startswith("generated"):
            continue
        with capture.open("rb") as f:
            frames += [
                record.data for record in open_capture(f) if record.linktype == LINKTYPE_ETHERNET
            ]
    if not frames:
        raise Missing(f"no captures in {data.name} (KAME_TEST_DATA)")
    with path.open("wb") as out:
        writer = PcapWriter(out, LINKTYPE_ETHERNET)
        for n, frame in enumerate(islice(cycle(frames), packets)):
            writer.write(n * 1000, frame)


def contests(captures: Captures, crew: Workers) -> list[Contest]:
    """One for each mix."""
    return [reading(mix, captures, crew) for mix in PACKETS if captures.packets(mix)]


def reading(mix: str, captures: Captures, crew: Workers) -> Contest:
    """All who read one capture."""
    packets = captures.packets(mix)
    contest = Contest(f"read, {WHAT[mix]}", "packet")
    if mix == "mobile":
        contest.goals = GOALS
        contest.rates = {"ingest_mpps": OURS, "ingest_verified_mpps": VERIFIED}
    try:
        path = captures.path(mix, packets)
    except Missing as why:
        contest.missing[OURS] = str(why)
        return contest

    def few(name: str) -> tuple[Path, int]:
        count = FEW[name] // (FEWER if captures.short else 1)
        return captures.path(mix, count), count

    ours = "columns: offsets of headers, protocol, home address, routing header, flags"
    contest.contenders += [
        Contender(OURS, ours, own(annotated(path, False, packets)), packets),
        Contender(
            VERIFIED,
            "the same, transport checksums verified",
            own(annotated(path, True, packets)),
            packets,
        ),
        Contender("touch", "one load from each line of the file", own(touched(path)), packets),
    ]
    for name, word in (("C", ""), ("C, prefetch", "prefetch")):
        contest.enter(name, lambda n=name, w=word: c_walk(n, w, path, packets, captures.folder))
    contest.enter("capinfos", lambda: capinfos(path, packets))
    contest.enter("tcpdump", lambda: tcpdump(path, packets))
    contest.enter("tshark", lambda: tshark(*few("tshark")))
    contest.enter("dpkt", lambda: by_dpkt(*few("dpkt")))
    contest.enter("PyTCP", lambda: by_pytcp(crew, *few("PyTCP")))
    contest.enter("scapy", lambda: by_scapy(*few("scapy")))
    return contest


# -- ours -----------------------------------------------------------------------------------------


def annotated(path: Path, verify: bool, packets: int) -> Callable[[], int]:
    batch = Batch.empty()

    def run() -> int:
        count = 0
        with path.open("rb") as f:
            walk = open_walk(f)
            while walk.fill(batch):
                annotate(batch, walk.linktype, verify)
                count += batch.n
        return count

    if run() != packets:
        raise ValueError(f"{path.name}: not {packets} packets")
    return run


@numba.njit
def touch(octets: U8) -> int:
    """Load each line of memory."""
    total = 0
    for i in range(0, len(octets), 64):
        total += octets[i]
    return total


def touched(path: Path) -> Callable[[], object]:
    """The least that can be done with a mapped file."""
    return lambda: touch(np.memmap(path, np.uint8, "c"))


# -- peers ----------------------------------------------------------------------------------------


def c_walk(name: str, word: str, path: Path, packets: int, folder: Path) -> Contender:
    walk = str(compiled(HERE / "pcapwalk.c", folder))
    does = "the same columns, from a map of the file" + (", loads ahead" if word else "")
    turn = program(walk, str(path), *filter(None, [word]))
    return Contender(name, does, turn, packets, first_line("gcc", "--version"))


def capinfos(path: Path, packets: int) -> Contender:
    found = installed("capinfos", "wireshark-common")
    turn = program(found, "-c", str(path))
    return Contender("capinfos", "-c: record headers", turn, packets, first_line(found, "-v"))


def tcpdump(path: Path, packets: int) -> Contender:
    found = installed("tcpdump", "tcpdump")
    stay = ("-Z", "root") if os.geteuid() == 0 else ()  # it gives /dev/null to its own user else
    turn = program(found, *stay, "-n", "-r", str(path), "-w", "/dev/null", FILTER)
    does = f"-w /dev/null '{FILTER}'"
    return Contender("tcpdump", does, turn, packets, first_line(found, "--version"))


def tshark(path: Path, packets: int) -> Contender:
    found = installed("tshark", "tshark")
    fields = [part for field in FIELDS for part in ("-e", field)]
    turn = program(found, "-n", "-r", str(path), "-T", "fields", *fields)
    return Contender("tshark", "-T fields, five", turn, packets, first_line(found, "-v"))


def by_dpkt(path: Path, packets: int) -> Contender:
    def run() -> None:
        with path.open("rb") as f:
            for _, frame in dpkt.pcap.Reader(f):
                dpkt.ethernet.Ethernet(frame)

    return Contender("dpkt", "objects", own(run), packets, metadata.version("dpkt"))


def by_scapy(path: Path, packets: int) -> Contender:
    def run() -> None:
        with PcapReader(str(path)) as found:
            for _ in found:
                pass

    return Contender("scapy", "objects", own(run), packets, scapy.__version__)


def by_pytcp(crew: Workers, path: Path, packets: int) -> Contender:
    turn, version = pytcp(crew, "parse", str(path))
    does = "objects of Ethernet, IPv6, TCP, UDP; checksums; no extension headers"
    return Contender("PyTCP", does, turn, packets, version)
