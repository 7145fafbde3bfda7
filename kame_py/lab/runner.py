# SPDX-License-Identifier: BSD-3-Clause
"""Run a lab file from its first rc line to its last expectation.

No KAME counterpart. Virtual time only: a lab of an hour takes as long as its packets take. Rc of
all nodes starts at time zero in file order; events and expectations follow in file order where
their times are equal, events first.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, BinaryIO, Final

from kame_py.kern.clock import NS
from kame_py.lab.expect import Outcome, check_ping, check_run
from kame_py.lab.handover import Handovers, Ping, handover_json
from kame_py.lab.journal import Journal
from kame_py.lab.lan import Observers
from kame_py.lab.rc import command_text
from kame_py.lab.report import Json, node_report, seconds
from kame_py.lab.schema import Expect, MoveEvent, PingExpect, RunEvent, RunExpect
from kame_py.lab.timeline import EXPECT, FAIL, LINK, RUN, Entry, OutputTeller, Sink, Timeline
from kame_py.lab.topology import build, link_event, start_node
from kame_py.wire.in6addr import pton

if TYPE_CHECKING:
    from kame_py.lab.job import Job
    from kame_py.lab.labview import LabView
    from kame_py.lab.process import Process
    from kame_py.lab.rc import Command
    from kame_py.lab.schema import Event, LabFile

#: How long the commands of expectations may go on after the end of the lab.
PATIENCE_NS: Final = 60 * NS


class LabRun:
    """One run. ``capture`` gets a pcapng file; ``sink`` hears the timeline; ``view`` looks on."""

    def __init__(
        self,
        lab: LabFile,
        seed: int | None = None,
        until_s: float | None = None,
        capture: BinaryIO | None = None,
        sink: Sink | None = None,
        view: LabView | None = None,
    ) -> None:
        self.lab = lab
        self.until_ns = lab.until_ns if until_s is None else round(until_s * NS)
        self.outcomes: list[Outcome] = []
        self.crashes: list[str] = []
        self.problems: list[str] = []  # FILE:LINE of commands of rc and events that failed
        self.not_reached = 0
        self._began = False
        self.world = build(lab, seed)
        self.journal: Journal | None = None
        if capture is not None:
            names = {addr: [name] for name, addrs in lab.hosts.items() for addr in addrs}
            self.journal = Journal(capture, self.world.clock, names)
        self.handovers = Handovers(self.world)
        self._movers = {event.node for event in lab.events if isinstance(event, MoveEvent)}
        self._view = view
        observers = (self.journal, self.handovers if self._movers else None, view)
        self.world.observe(Observers.of(*observers))
        self._timeline = Timeline(self.world.now, sink if sink is not None else _nobody)
        self._quiet = sink is None
        self._ping_numbers = {
            node: {id(command): i for i, command in enumerate(lab.pings(node))}
            for node in lab.nodes
        }
        self._pings: dict[tuple[str, int], tuple[Command, Process]] = {}
        self._waiting: list[RunExpect] = []

    # -- running ------------------------------------------------------------------------------

    def run(self) -> None:
        """The whole lab; afterwards ``outcomes`` has every expectation that was reached.

        Once only: RuntimeError for a second time. The world may go on from there.
        """
        self.begin()
        world = self.world
        for expect in self.lab.expects:
            if expect.at_ns <= self.until_ns:
                world.schedule(expect.at_ns, self._expect, expect)
            else:
                self.not_reached += 1
        world.run_ns(self.until_ns)
        if self._waiting:
            world.run_ns(self.until_ns + PATIENCE_NS, lambda: not self._waiting)
        for expect in self._waiting:
            what = "; ".join(map(command_text, expect.commands))
            self._judged(
                Outcome(expect.line, expect.at_ns, expect.node, what, "its commands did not end")
            )
        self._finish()

    def begin(self) -> None:
        """Plan rc and events; whoever moves the world's time makes them happen."""
        if self._began:
            raise RuntimeError(f"{self.lab.name} has run already")
        self._began = True
        self._describe_ports()
        for name in self.lab.nodes:
            self.world.schedule(0, self._boot, name)
        for event in self.lab.events:
            self.world.schedule(event.at_ns, self._event, event)

    def end(self) -> None:
        """Write what the capture still holds."""
        if self.journal is not None:
            self.journal.close()

    def _describe_ports(self) -> None:
        for node in self.world.nodes.values():
            if not self._quiet:
                self._timeline.watch(node)
            if self.journal is not None:
                for port in node.ports.values():
                    self.journal.add_port(port)
            if node.name in self._movers:
                self.handovers.watch(node)
            if self._view is not None:
                self._view.watch(node)

    def _finish(self) -> None:
        if self.journal is not None:
            self.journal.close()
        self.handovers.finish(self._ping_targets())
        self.outcomes.sort(key=lambda o: (o.at_ns, o.line))
        for node in self.world.nodes.values():
            for proc in node.processes.crashed:
                self.crashes.append(f"{node.name}: {proc.name}: {proc.exception!r}")

    def _ping_targets(self) -> Iterator[Ping]:
        for (node, _), (command, proc) in self._pings.items():
            target = command.argv[-1]
            addrs = self.world.hosts.get(target) or (pton(target),)
            yield from (Ping(node, addr, proc) for addr in addrs[:1] if addr is not None)

    def _boot(self, name: str) -> None:
        spec = self.lab.nodes[name]
        node = self.world.nodes[name]
        start_node(node, spec)
        if spec.rc:
            node.start(spec.rc, _Teller(self, name))

    def _event(self, event: Event) -> None:
        if isinstance(event, RunEvent):
            self.world.nodes[event.node].start(event.commands, _Teller(self, event.node))
        else:
            if isinstance(event, MoveEvent):
                self.handovers.moved(self.world.nodes[event.node], event.interface, event.to)
            node, text = link_event(self.world, event)
            self._timeline.tell(node, LINK, text)

    # -- expectations -------------------------------------------------------------------------

    def _expect(self, expect: Expect) -> None:
        if isinstance(expect, PingExpect):
            _, ping = self._pings.get((expect.node, expect.which), (None, None))
            self._judged(check_ping(expect, ping, self.world.now()))
            return
        self._waiting.append(expect)
        job = self.world.nodes[expect.node].start(expect.commands)
        job.when_done(lambda job: self._answered(expect, job))

    def _answered(self, expect: RunExpect, job: Job) -> None:
        self._waiting.remove(expect)
        self._judged(check_run(expect, job.output, job.status or 0))

    def _judged(self, outcome: Outcome) -> None:
        self.outcomes.append(outcome)
        kind, word = (EXPECT, "holds") if outcome.ok else (FAIL, "FAILS")
        detail = "" if outcome.ok else f": {outcome.detail}"
        self._timeline.tell(outcome.node, kind, f"{word}: {outcome.what}{detail}")

    # -- what commands do, from _Teller -------------------------------------------------------

    def began(self, node: str, command: Command) -> None:
        """A command starts."""
        self._timeline.tell(node, RUN, command_text(command))

    def spawned(self, node: str, command: Command, proc: Process) -> None:
        """Its program is there; it is kept if it is a ping that expectations may ask about."""
        number = self._ping_numbers[node].get(id(command))
        if number is not None:
            self._pings[(node, number)] = (command, proc)

    def ended(self, node: str, command: Command, proc: Process) -> None:
        """Its program has ended; a failure is kept unless somebody asked for the end."""
        if proc.status and not proc.stopped:
            where = f"{self.lab.name}:{command.line}: {node}"
            self.problems.append(f"{where}: {command.argv[0]}: exit status {proc.status}")

    def teller(self, node: str) -> OutputTeller:
        return OutputTeller(self._timeline, node)

    # -- results ------------------------------------------------------------------------------

    @property
    def good(self) -> bool:
        """All expectations that were reached hold, and no program had a bug."""
        return all(outcome.ok for outcome in self.outcomes) and not self.crashes

    @property
    def packets(self) -> int:
        """Frames that were put on a link."""
        return sum(link.counters.sent for link in self.world.links.values())

    def summary(self) -> str:
        """How long and how much, in one line."""
        return f"{self.world.now() / NS:g} s of virtual time, {self.packets} packets"

    def report(self) -> dict[str, Json]:
        """Everything for JSON."""
        return {
            "time": self.world.now() / NS,
            "packets": self.packets,
            "expectations": [
                {
                    "at": seconds(o.at_ns),
                    "node": o.node,
                    "run": o.what,
                    "ok": o.ok,
                    "detail": o.detail,
                }
                for o in self.outcomes
            ],
            "handovers": [handover_json(h) for h in self.handovers.done],
            "problems": [*self.problems],
            "nodes": {node.name: node_report(node) for node in self.world.nodes.values()},
        }


class _Teller:
    """Listens to one job: its commands and their output go to the timeline."""

    def __init__(self, run: LabRun, node: str) -> None:
        self._run = run
        self._node = node
        self._tellers: dict[int, OutputTeller] = {}

    def began(self, command: Command) -> None:
        self._run.began(self._node, command)
        self._tellers[id(command)] = self._run.teller(self._node)

    def spawned(self, command: Command, proc: Process) -> None:
        self._run.spawned(self._node, command, proc)

    def wrote(self, command: Command, text: str) -> None:
        self._tellers[id(command)].write(text)

    def ended(self, command: Command, proc: Process) -> None:
        self._tellers[id(command)].end()
        self._run.ended(self._node, command, proc)


def _nobody(entry: Entry) -> None:
    """Nobody listens to the timeline."""
