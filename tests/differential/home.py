# SPDX-License-Identifier: BSD-3-Clause
"""Captures of a home agent's wire, made here, and what a replay of them leaves."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, BinaryIO, Final, NamedTuple

from kame_py.kern.conf import KernConf
from kame_py.lab.filetree import FileTree
from kame_py.lab.job import Job
from kame_py.lab.process import ProcessTable
from kame_py.lab.rc import Command, parse_rc
from kame_py.lab.shell import Shell
from kame_py.replay.pcap import LINKTYPE_ETHERNET, PcapWriter
from kame_py.replay.runner import Fast, ReplayOptions, ReplayResult, replay
from kame_py.replay.verdict import Verdict
from kame_py.replay.watch import Watch
from kame_py.wire.codecs import EtherHeader
from kame_py.wire.const import ETHERTYPE_IPV6
from kame_py.wire.in6addr import pton
from tests.differential.snapshot import differences, snapshot

if TYPE_CHECKING:
    from kame_py.kern.kernel import Kernel
    from kame_py.kern.mbuf import Mbuf
    from kame_py.replay.capture import Record

MAC: Final = bytes.fromhex("00a024660077")
ROUTER_MAC: Final = bytes.fromhex("0090270000a1")
OTHER_MAC: Final = bytes.fromhex("009027000001")
HA: Final = "2001:db8:1::1"
ROUTER: Final = "2001:db8:1::fe"
NEIGHBOUR: Final = "2001:db8:1::9"  # on the home link, known for ever
CN: Final = "2001:db8:f::1"
FAR: Final = "2001:db8:e::1"
OPTIONS: Final = frozenset({"MIP6"})
START_NS: Final = 1_012_435_200 * 10**9
NS: Final = 10**9
MS: Final = 10**6

RC: Final = f"""
sysctl -w net.inet6.ip6.forwarding=1
sysctl -w net.inet6.ip6.dad_count=0
ifconfig fxp0 inet6 {HA} prefixlen 64 alias
ndp -s {ROUTER} 0:90:27:0:0:a1
ndp -s {NEIGHBOUR} 0:90:27:0:0:1
route add -inet6 default {ROUTER}
mip6control -S 0 -T 0
mip6control -g
"""


class Node(NamedTuple):
    """Who plays: an rc (None: a host's), a kernel, a MAC address; addr: the address it takes."""

    text: str | None = RC
    conf: KernConf = KernConf(OPTIONS)
    lladdr: bytes | None = MAC
    addr: str | None = None

    def options(self, fast: Fast) -> ReplayOptions:
        return ReplayOptions(
            conf=self.conf,
            rc=None if self.text is None else rc(self.text),
            lladdr=self.lladdr,
            addr=None if self.addr is None else pton(self.addr),
            fast=fast,
        )


#: Commands that somebody types in the middle of a capture: (ns since its start, rc text).
Steps = Sequence[tuple[int, str]]


class Outcome(NamedTuple):
    """All that may be compared. said: what commands printed."""

    out: bytes
    verdicts: list[Verdict]
    fates: dict[str, int]
    drops: dict[str, int]
    replies: int
    error: str | None
    last: tuple[int, int, int, int, int]
    doubts: list[str]
    said: str
    state: dict[str, object]


class Typist(Watch):
    """Types commands while a capture is played, each at its time, as a program would."""

    def __init__(self, steps: Steps) -> None:
        self._steps = [(t_ns, rc(text)) for t_ns, text in steps]
        self._jobs: list[Job] = []

    def fed(self, kern: Kernel, record: Record, m: Mbuf | None) -> None:
        if record.n != 1 or not self._steps:
            return
        processes = ProcessTable(kern, FileTree())
        shell, start = Shell(processes), kern.now()
        for t_ns, commands in self._steps:
            job = Job(shell, commands, None)
            self._jobs.append(job)
            kern.callouts.at(start + t_ns, self._begin, processes, job)

    @staticmethod
    def _begin(processes: ProcessTable, job: Job) -> None:
        proc = processes.spawn("sh", job.main, [], "", _nobody, _nobody)
        proc.exit_hooks.append(lambda proc: job.finish(proc.status or 0))

    @property
    def said(self) -> str:
        return "".join(f"{job.status}: {job.output}\n" for job in self._jobs)


def _nobody(text: str) -> None:
    """The shell itself says nothing."""


def frame(
    packet: bytes, src: bytes = ROUTER_MAC, dst: bytes = MAC, kind: int = ETHERTYPE_IPV6
) -> bytes:
    """An Ethernet frame, by default from the router to the node."""
    return EtherHeader(ether_dhost=dst, ether_shost=src, ether_type=kind).pack() + packet


def capture(frames: Iterable[tuple[int, bytes]], linktype: int = LINKTYPE_ETHERNET) -> bytes:
    """A capture of (ns since the start, frame)."""
    f = io.BytesIO()
    writer = PcapWriter(f, linktype)
    for t_ns, data in frames:
        writer.write(START_NS + t_ns, data)
    return f.getvalue()


def rc(text: str) -> list[Command]:
    """The commands of an rc."""
    commands = parse_rc(text)
    assert isinstance(commands, list), commands
    return commands


def play(
    pcap: bytes | BinaryIO, fast: Fast, node: Node | None = None, steps: Steps = ()
) -> tuple[Outcome, ReplayResult]:
    """Replay with or without the vector path."""
    out = io.BytesIO()
    verdicts: list[Verdict] = []
    typist = Typist(steps)
    source = io.BytesIO(pcap) if isinstance(pcap, bytes) else pcap
    how = (node or Node()).options(fast)
    result = replay(source, how, out=out, verdicts=verdicts.append, watch=typist)
    assert not result.problems, result.problems
    last = result.packets, result.left_out, result.last_good, result.start_ns, result.end_ns
    outcome = Outcome(
        out.getvalue(),
        verdicts,
        result.fates,
        result.drops,
        result.replies,
        result.error,
        last,
        result.doubts,
        result.rc_output + typist.said,
        snapshot(result.kern),
    )
    return outcome, result


def compared(pcap: bytes, node: Node | None = None, steps: Steps = ()) -> ReplayResult:
    """Play it both ways, compare everything; the fast one's result."""
    slow, _ = play(pcap, Fast.OFF, node, steps)
    fast, result = play(pcap, Fast.ON, node, steps)
    assert_equal(slow, fast)
    return result


def assert_equal(slow: Outcome, fast: Outcome) -> None:
    """Every difference at once."""
    pairs = zip(slow.verdicts, fast.verdicts, strict=False)
    first = next(((a, b) for a, b in pairs if a != b), None)
    assert first is None, f"verdicts differ first at {first}"
    assert differences(slow.state, fast.state) == {}
    for name in Outcome._fields:
        assert getattr(slow, name) == getattr(fast, name), name
