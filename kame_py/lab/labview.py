# SPDX-License-Identifier: BSD-3-Clause
"""What the report page shows of a lab: gathered while it runs, from frames, kernels and outcomes.

No KAME counterpart. A message of mobility is told once, where it was made and where it ended; the
routers between are left out unless they drop it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kame_py.kern.clock import NS
from kame_py.kern.drop import D
from kame_py.kern.mbuf import Fate, Mbuf
from kame_py.lab.handover import Handover
from kame_py.netinet6.scope6 import in6_clearscope
from kame_py.replay.bindings import Bindings
from kame_py.replay.explain import option_wire
from kame_py.replay.ladder import Message
from kame_py.replay.signal import RA, RS, find_signal
from kame_py.replay.view import Table, View
from kame_py.wire.codecs import EtherHeader
from kame_py.wire.const import ETHERTYPE_IPV6
from kame_py.wire.malformed import Malformed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kame_py.lab.lan import Port
    from kame_py.lab.node import Node
    from kame_py.lab.runner import LabRun
    from kame_py.replay.signal import Signal

#: Not for the station that got the frame: a switch in doubt sends it everywhere.
_NOT_MEANT: Final = frozenset({D.ETHER_NOTFORUS.name, D.ETHER_MCAST.name, D.IP6_NOTMEMBER.name})
LOST: Final = "lost"
_HANDOVER_HEAD: Final = (
    *("at", "node", "from", "to", "solicited", "advertised", "care-of address", "update sent"),
    *("acknowledged", "first packet", "lost"),
)
_MARKS: Final = ("rs", "ra", "coa", "bu", "ba", "packet")


class LabView:
    """Looks on while a lab runs: an observer of its frames, told of its nodes by ``watch``."""

    def __init__(self, title: str) -> None:
        self.view = View(title)
        self.view.rates.start_ns = 0
        self._nodes: dict[str, Node] = {}
        self._bindings: dict[str, Bindings] = {}
        self._owners: dict[bytes, str] = {}  # by address or MAC address
        self._arriving: tuple[bytes, Message, bool] | None = None

    def watch(self, node: Node) -> None:
        """See what becomes of the node's binding cache."""
        self._nodes[node.name] = node
        self.view.ladder.lane(node.name, node.name)
        bindings = self._bindings[node.name] = Bindings(node.name)
        before = node.on_kick

        def look(node: Node) -> None:
            if before is not None:
                before(node)
            bindings.look(node.kernel, node.world.now())

        node.on_kick = look

    # -- frames -------------------------------------------------------------------------------

    def sent(self, port: Port, frame: bytes, m: Mbuf | None, note: str) -> None:
        """A station put a frame on its link; only what is lost there is told here."""
        if not note.startswith(LOST):
            return
        node = self._node(port)
        found = self._signal(node, frame)
        if found is not None and found.kind != RA:  # the next advertisement comes by itself
            to = self._owner(found.dst) or node.name
            src, now = self._lane(self._speaker(found, frame, node)), node.world.now()
            self.view.ladder.add(Message(now, src, [self._lane(to)], found, end=note))

    def received(self, port: Port, frame: bytes, m: Mbuf | None) -> None:
        """A station took a frame."""
        node = self._node(port)
        now = node.world.now()
        if m is not None and m.fate is not None:
            if m.reason is not None and m.reason.name in _NOT_MEANT:
                return
            self.view.rates.add(now, m.fate.value)
        found = self._signal(node, frame)
        if found is None or m is None or m.fate is Fate.FORWARDED:
            return
        self._bindings[node.name].look(node.kernel, now, found)
        if not self.view.ladder.news(found, node.name):
            return
        speaker = self._speaker(found, frame, node)
        if found.kind == RS:
            self.view.ladder.asks(speaker)
        src, to = self._lane(speaker), self._lane(node.name)
        if self._arriving is not None:  # the same frame at another station
            octets, message, good = self._arriving
            if octets is frame and message.t_ns == now and good == (m.fate is not Fate.DROPPED):
                message.dst.append(to)
                return
        message = Message(now, src, [to], found, m)
        self._arriving = frame, message, m.fate is not Fate.DROPPED
        self.view.ladder.add(message)

    def _signal(self, node: Node, frame: bytes) -> Signal | None:
        ether = EtherHeader.parse(frame)
        if isinstance(ether, Malformed) or ether.ether_type != ETHERTYPE_IPV6:
            return None
        return find_signal(frame[EtherHeader.SIZE :], option_wire(node.kernel))

    def _node(self, port: Port) -> Node:
        return self._nodes[port.name.partition(".")[0]]

    def _lane(self, name: str) -> str:
        return self.view.ladder.lane(name, name)

    def _speaker(self, found: Signal, frame: bytes, receiver: Node) -> str:
        """Who made a message: the owner of its address, else of the frame."""
        ether = EtherHeader.unpack(frame)
        owner = self._owner(found.src) or self._owner(ether.ether_shost)
        return owner or receiver.name

    def _owner(self, addr: bytes) -> str | None:
        if addr not in self._owners:
            for node in self._nodes.values():
                self._owners.update(dict.fromkeys(_addresses(node), node.name))
        return self._owners.get(addr)

    # -- the end ------------------------------------------------------------------------------

    def finish(self, run: LabRun) -> View:
        """The view, complete."""
        view, now = self.view, run.world.now()
        for node in self._nodes.values():
            kern, bindings = node.kernel, self._bindings[node.name]
            bindings.finish(kern, now)
            view.spans += bindings.spans
            view.spans_left_out += bindings.left_out
            view.fates[node.name] = {fate.value: n for fate, n in kern.fates.items() if n}
            view.drops[node.name] = {name: n for name, n in kern.drops.items() if n}
            view.counters[node.name] = kern.stats.nonzero()
        view.ladder.prune(lambda message: message.m is None or message.m.fate is not Fate.FORWARDED)
        view.spans.sort(key=lambda span: span.from_ns)
        view.names = {addr: name for name, addrs in run.lab.hosts.items() for addr in addrs}
        view.end_ns = now
        held = sum(outcome.ok for outcome in run.outcomes)
        view.facts = [
            ("virtual time", f"{now / NS:g} s"),
            ("frames sent", f"{run.packets:,}"),
            ("nodes", f"{len(self._nodes)}"),
            ("expectations held", f"{held} of {len(run.outcomes)}"),
        ]
        view.problems = [*run.problems, *run.crashes]
        view.tables = [_expectations(run), _handovers(run)]
        return view


def _addresses(node: Node) -> Iterator[bytes]:
    for ifp in node.kernel.ifnets:
        yield from (in6_clearscope(ia.ia_addr) for ia in ifp.in6_addrs)
        if ifp.if_hwaddr:
            yield ifp.if_hwaddr


def _expectations(run: LabRun) -> Table:
    rows = [
        (f"{o.at_ns / NS:g} s", o.node, o.what, "holds" if o.ok else f"line {o.line}: {o.detail}")
        for o in run.outcomes
    ]
    bad = frozenset(n for n, outcome in enumerate(run.outcomes) if not outcome.ok)
    summary = f"{len(rows) - len(bad)} hold, {len(bad)} failed"
    return Table("Expectations", ("at", "node", "what", "outcome"), rows, bad, True, summary)


def _handovers(run: LabRun) -> Table:
    rows = [_handover(h) for h in run.handovers.done]
    return Table("Handovers: seconds after the move", _HANDOVER_HEAD, rows)


def _handover(h: Handover) -> tuple[str, ...]:
    marks = (h.marks.get(name) for name in _MARKS)
    times = ("-" if t is None else f"{(t - h.at_ns) / NS:.3f}" for t in marks)
    return (f"{h.at_ns / NS:g}", h.node, h.was, h.to, *times, f"{h.lost}")
