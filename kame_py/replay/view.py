# SPDX-License-Identifier: BSD-3-Clause
"""What a report page shows of one run, as values; and who gathers them while a capture is played.

No KAME counterpart. The same view is filled by a replay, of one node, and by a lab, of many.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

from kame_py.netinet6.scope6 import in6_clearscope
from kame_py.replay.bindings import Bindings, Span
from kame_py.replay.explain import option_wire
from kame_py.replay.ladder import Ladder, Message
from kame_py.replay.linktype import Frame, link_strip
from kame_py.replay.rates import Rates
from kame_py.replay.report import address_texts, default_routers, neighbor_texts
from kame_py.replay.signal import RS, Signal, may_bind, signal_in
from kame_py.replay.verdict import OWN, seconds_text
from kame_py.replay.watch import Watch
from kame_py.wire.codecs import Ip6Hdr
from kame_py.wire.const import ETHERTYPE_IPV6
from kame_py.wire.in6addr import IN6_IS_ADDR_MULTICAST, ntop
from kame_py.wire.malformed import Malformed
from kame_py.wire.pcapfmt import LINKTYPE_ETHERNET, LINKTYPE_RAW

if TYPE_CHECKING:
    from kame_py.kern.kernel import Kernel
    from kame_py.kern.mbuf import Mbuf
    from kame_py.replay.capture import Record
    from kame_py.replay.runner import ReplayResult
    from kame_py.replay.verdict import Verdict

SELF: Final = "node"  # the lane of the node that is played to
GROUPS: Final = "multicast"  # the lane of all groups
ROWS_MAX: Final = 200  # of a table of state


class Table(NamedTuple):
    """Rows for people. bad: which rows tell of a failure. first: it stands at the top.

    folded: what stands for the rows until somebody wants to see them.
    """

    title: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    bad: frozenset[int] = frozenset()
    first: bool = False
    folded: str = ""


@dataclass(slots=True)
class View:
    """One run. fates, drops, counters: by node, then by name. explained: title and lines."""

    title: str
    facts: list[tuple[str, str]] = field(default_factory=list)
    fates: dict[str, Mapping[str, int]] = field(default_factory=dict)
    drops: dict[str, Mapping[str, int]] = field(default_factory=dict)
    counters: dict[str, Mapping[str, int]] = field(default_factory=dict)
    rates: Rates = field(default_factory=Rates)
    ladder: Ladder = field(default_factory=Ladder)
    spans: list[Span] = field(default_factory=list)
    spans_left_out: int = 0
    names: Mapping[bytes, str] = field(default_factory=dict)
    punts: Mapping[str, int] = field(default_factory=dict)
    tables: list[Table] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    explained: list[tuple[str, Sequence[str]]] = field(default_factory=list)
    start_ns: int = 0
    end_ns: int = 0

    def name(self, addr: bytes) -> str:
        """An address as its host is called, if it is."""
        return self.names.get(addr) or ntop(addr)


class ViewWatch(Watch):
    """Fills the view of a replay; ``verdict`` goes to the replay's sink, ``finish`` ends it.

    Binding caches are looked at where a timer was due and where a packet may have changed them, so
    that it does not matter which of the others were handled in bulk.
    """

    signals = True

    def __init__(self, title: str) -> None:
        self.view = View(title)
        self._bindings = Bindings(SELF)
        self._begun = False
        self._answers: list[Message] | None = None  # to the packet that is being fed
        self.view.ladder.lane(SELF, SELF)

    def verdict(self, verdict: Verdict) -> None:
        """A packet has ended."""
        self.view.rates.add(verdict.t_ns, verdict.fate)

    def feeds(self, record: Record) -> None:
        self._begun = True
        self._answers = []

    def fed(self, kern: Kernel, record: Record, m: Mbuf | None) -> None:
        found = signal_in(record.linktype, record.data, option_wire(kern))
        if found is not None or _may_bind(kern, record):
            self._bindings.look(kern, kern.clock.realtime(), found)
        if found is not None and self.view.ladder.news(found, SELF):
            self._heard(kern, record, m, found)
        for answer in self._answers or ():
            self._add(answer)
        self._answers = None

    def stepped(self, kern: Kernel) -> None:
        if self._begun:
            self._bindings.look(kern, kern.clock.realtime())

    def _heard(self, kern: Kernel, record: Record, m: Mbuf | None, found: Signal) -> None:
        if m is None and found.kind == RS:
            self.view.ladder.asks(SELF)
        if m is None:
            src, dst = SELF, self._lane(found.dst)
        elif IN6_IS_ADDR_MULTICAST(found.dst) or _has(kern, found.dst):
            src, dst = self._lane(found.src), SELF
        else:  # the node hears what two others say, or forwards it
            src, dst = self._lane(found.src), self._lane(found.dst)
        end = OWN if m is None else ""
        self.view.ladder.add(Message(record.t_ns, src, [dst], found, m, end, record.n))

    def sent(self, kern: Kernel, frame: bytes) -> None:
        linktype = LINKTYPE_ETHERNET if any(ifp.if_hwaddr for ifp in kern.ifnets) else LINKTYPE_RAW
        found = signal_in(linktype, frame, option_wire(kern))
        if found is None or not self._begun or not _has(kern, found.src):
            return
        message = Message(kern.clock.realtime(), SELF, [], found, end="sent")
        if self._answers is None:
            self._add(message)
        else:  # stands behind what it answers
            self._answers.append(message)

    def _add(self, message: Message) -> None:
        """A message that the node sends."""
        if message.signal.kind == RS:
            self.view.ladder.asks(SELF)
        message.dst.append(self._lane(message.signal.dst))
        self.view.ladder.add(message)

    def _lane(self, addr: bytes) -> str:
        name = GROUPS if IN6_IS_ADDR_MULTICAST(addr) else ntop(addr)
        return self.view.ladder.lane(name, name)

    def finish(self, result: ReplayResult, seconds: float) -> View:
        """The view, complete."""
        view = self.view
        self._bindings.finish(result.kern, result.end_ns)
        view.spans, view.spans_left_out = self._bindings.spans, self._bindings.left_out
        view.start_ns, view.end_ns = result.start_ns, result.end_ns
        view.fates, view.drops = {SELF: result.fates}, {SELF: result.drops}
        view.counters = {SELF: result.kern.stats.nonzero()}
        view.punts = result.punts
        view.problems = [*result.problems, *result.doubts]
        if result.error is not None:
            view.problems.append(f"{result.error}; last good packet {result.last_good}")
        view.explained = [(f"Packet {n}", lines) for n, lines in result.traces.items()]
        view.tables = [_state_table(result)]
        view.facts = _facts(result, seconds)
        return view


def _facts(result: ReplayResult, seconds: float) -> list[tuple[str, str]]:
    span = result.end_ns - result.start_ns
    facts = [("packets", f"{result.packets:,}"), ("over", f"{_trimmed(seconds_text(span))} s")]
    if result.left_out:
        facts.append(("left out by the filter", f"{result.left_out:,}"))
    facts += [("frames sent", f"{result.replies:,}"), ("replayed in", f"{seconds:.2f} s")]
    if result.in_bulk:
        facts.append(("in bulk", f"{result.in_bulk:,}"))
    return facts


def _trimmed(number: str) -> str:
    return number.rstrip("0").rstrip(".")


def _state_table(result: ReplayResult) -> Table:
    kern, ifname = result.kern, result.ifname
    rows = [("address", text) for text in address_texts(kern, ifname)]
    rows += [("default router", text) for text in default_routers(kern)]
    rows += [("neighbor", text) for text in neighbor_texts(kern, ifname)]
    more = len(rows) - ROWS_MAX
    if more > 0:
        rows[ROWS_MAX:] = [("", f"and {more} more")]
    return Table("The node at the end", ("", ""), rows)


def _may_bind(kern: Kernel, record: Record) -> bool:
    """For the node, and may change its bindings unseen: such packets are never handled in bulk."""
    frame = link_strip(record.linktype, record.data)
    if not isinstance(frame, Frame) or frame.ethertype != ETHERTYPE_IPV6:
        return False
    ip6 = Ip6Hdr.parse(frame.payload)
    return not isinstance(ip6, Malformed) and may_bind(frame.payload) and _has(kern, ip6.ip6_dst)


def _has(kern: Kernel, addr: bytes) -> bool:
    return any(in6_clearscope(ia.ia_addr) == addr for ifp in kern.ifnets for ia in ifp.in6_addrs)
