# SPDX-License-Identifier: BSD-3-Clause
"""A replay on the vector path: batches instead of records.

No KAME counterpart. What comes of it is the same as with one packet after the other; see
kame_py/fast/engine.py. Import this module only where a replay shall be fast: it loads numba.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO, Final, Protocol

from kame_py.fast import kernels
from kame_py.fast.batch import P_REST, Batch
from kame_py.fast.cpu import CPU, Cpu
from kame_py.fast.engine import FATES, Engine
from kame_py.fast.headers import Leads
from kame_py.fast.ingest import PcapWalk
from kame_py.fast.layout import A_COUNT
from kame_py.fast.window import StreamWindow, Window, file_window
from kame_py.replay.capture import CaptureReader, Record, Source, Takeable
from kame_py.replay.explain import option_wire
from kame_py.replay.pcap import open_capture
from kame_py.replay.signal import ICMP6_TYPES, MAY, signal_in
from kame_py.replay.thrift import BLOCK, Thrift
from kame_py.replay.verdict import OWN, Key, VerdictLog
from kame_py.wire.pcapfmt import LINKTYPE_ETHERNET

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence

    from kame_py.fast.batch import U8
    from kame_py.replay.node import ReplayNode


#: The kernels are machine code here.
COMPILED: Final = CPU is not Cpu.NONE
#: By action of the kernels: the verdict.
KEYS: Final[tuple[Key, ...]] = tuple(
    (OWN, None) if end is None else (end[0].value, end[1].name if end[1] is not None else None)
    for end in FATES
)
IN_ORDER: Final = 8  # a packet whose code is computed saves so many times what others do


def ready() -> bool:
    """The kernels need no compiler any more, or never did."""
    return not COMPILED or kernels.kept("run")


class Player(Protocol):
    """The replay that this is a part of."""

    def packet(self, record: Record) -> None:
        """Feed one packet; the node's time is its own."""
        ...

    def wrote(self, blocks: memoryview, frames: int) -> None:
        """The node sent frames; ``blocks`` are for the file, if there is one."""
        ...


class BulkRun:
    """Batches of a capture for one node.

    direct: link types of packets that may be handled in bulk; others go one by one, as do those
    that ``alone`` picks by the range of their numbers. write: frames that leave are wanted. shows:
    somebody wants to see signalling. eager: in batches also where that does not pay.
    """

    def __init__(
        self,
        player: Player,
        node: ReplayNode,
        log: VerdictLog,
        walk: PcapWalk,
        direct: Collection[int],
        write: bool,
        shows: bool = False,
        eager: bool = False,
    ) -> None:
        self._player = player
        self._node = node
        self._log = log
        self._walk = walk
        self._direct = direct
        self._shows = shows
        self._signals = Leads(MAY, ICMP6_TYPES)
        self._thrift = Thrift(eager)
        self.engine = Engine(node.kern, node.ifp, node.clock.epoch_ns, self, write)

    def play(
        self,
        end_ns: int,
        goes_on: Callable[[int, int | None], bool],
        alone: Callable[[int, int], bool],
    ) -> int:
        """Play all batches; the last stamp."""
        walk, engine = self._walk, self.engine
        engine.last_ns = end_ns
        whole = Batch.empty(BLOCK)
        while goes_on(walk.last_good, walk.octets):
            room = BLOCK - walk.last_good % BLOCK  # however the octets come, the same is judged
            batch = whole if room == BLOCK else Batch.empty(room)
            if not walk.fill(batch):
                break
            one_by_one = walk.linktype not in self._direct
            one_by_one = one_by_one or alone(walk.first, walk.first + batch.n)
            if not one_by_one and self._thrift.rests:
                engine.punts[P_REST] += batch.n
                one_by_one = True
            gain = -self._gain()
            engine.run(batch, one_by_one, () if one_by_one else self._shown(batch))
            self._thrift.done(walk.last_good, 0 if one_by_one else gain + self._gain())
        engine.finish()
        return engine.last_ns

    def _gain(self) -> int:
        """Packets that the vector path saved time with, less those that it cost time with."""
        engine = self.engine
        return engine.packets + IN_ORDER * engine.in_order - sum(engine.punts)

    def _shown(self, batch: Batch) -> Sequence[int]:
        """The packets that somebody wants to see."""
        if not self._shows:
            return ()
        wire, linktype = option_wire(self._node.kern), self._walk.linktype
        found = self._signals.find(batch, linktype == LINKTYPE_ETHERNET)
        return [i for i in found if signal_in(linktype, self._record(batch, i).data, wire)]

    # -- what the engine asks -----------------------------------------------------------------

    def advance(self, stamp: int) -> None:
        self._node.advance(stamp - self._node.clock.epoch_ns)

    def at(self, stamp: int) -> None:
        clock = self._node.clock
        clock.t = max(clock.t, stamp - clock.epoch_ns)

    def slow(self, batch: Batch, i: int) -> None:
        self._player.packet(self._record(batch, i))

    def _record(self, batch: Batch, i: int) -> Record:
        walk = self._walk
        at, n = int(batch.off[i]), walk.first + i
        return Record(
            n,
            walk.odd_stamps.get(n, int(batch.ts[i])),
            walk.linktype,
            batch.arena[at : at + int(batch.caplen[i])].tobytes(),
            int(batch.wirelen[i]),
            int(walk.ifindex[i]),
            int(walk.pflags[i]),
        )

    def ran(self, batch: Batch, start: int, stop: int, act: U8) -> None:
        actions = act[start:stop].tobytes()
        first = actions[0]
        if actions.count(first) == len(actions):  # so it is with most
            ends = [(KEYS[first], len(actions))]
        else:
            ends = [(KEYS[a], count) for a in range(A_COUNT) if (count := actions.count(a))]
        self._log.ran(ends, self._each(batch, start, stop, act))

    def _each(self, batch: Batch, start: int, stop: int, act: U8) -> Iterator[tuple[int, Key]]:
        odd, first = self._walk.odd_stamps, self._walk.first
        stamps = batch.ts[start:stop].tolist()
        for i, (t_ns, a) in enumerate(zip(stamps, act[start:stop].tolist(), strict=True), start):
            yield odd.get(first + i, t_ns), KEYS[a]

    def output(self, blocks: memoryview, frames: int) -> None:
        self._player.wrote(blocks, frames)


def open_walk(f: BinaryIO) -> PcapWalk:
    """Batches of a pcap or pcapng file, compressed or not; CaptureError without a good header."""
    return walk_on(open_capture(f))


def walk_on(reader: CaptureReader, last_ns: int = 0) -> PcapWalk:
    """Batches of what the reader has not read yet; it must not be in the middle of a packet.

    last_ns: stamp of the packet that it has read last.
    """
    windows: list[Window] = []

    def window_over(source: Takeable) -> Window:
        assert isinstance(source, Source)
        windows.append(file_window(source.file) or StreamWindow(source))
        return windows[0]

    reader.read_from(window_over)
    return PcapWalk(reader, windows[0], last_ns)
