# SPDX-License-Identifier: BSD-3-Clause
"""The parts of a handover: what a mobile node waits for between a move and its next packet.

No KAME counterpart. Nothing is assumed: each mark is a frame that a station sent or received, or
the moment when the kernel's care-of address became another. Read first:
draft-ietf-mobileip-ipv6-15 s.10.4 to s.10.9.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

from kame_py.kern.clock import NS
from kame_py.kern.mbuf import Fate, Mbuf
from kame_py.lab.handframe import Meaning, frame_meaning
from kame_py.lab.report import Json, seconds
from kame_py.mip6.mip6_subnet import hif_home_prefixes
from kame_py.mip6.mip6_var import MIP6_CONFIG_TYPE_MN, Mip6State, mip6_state
from kame_py.wire.const import (
    ND_NEIGHBOR_ADVERT,
    ND_NEIGHBOR_SOLICIT,
    ND_ROUTER_ADVERT,
    ND_ROUTER_SOLICIT,
)
from kame_py.wire.in6addr import IN6ADDR_ANY, ntop

if TYPE_CHECKING:
    from kame_py.lab.lan import Port
    from kame_py.lab.node import Node
    from kame_py.lab.process import Process
    from kame_py.lab.world import World

BU_HOME: Final = 0x40  # the H flag, draft-15 s.5.1; the same bit in draft-13
BA_REFUSED: Final = 128  # s.5.2: a status from here on
#: A request sent this short a time before the end is not lost yet.
GRACE_NS: Final = NS

#: The marks in the order of their causes, and what lies between each and the one before.
PARTS: Final = (
    ("rs", "poll"),
    ("ra", "advertisement"),
    ("coa", "detection"),
    ("bu", "update"),
    ("ba", "registration"),
)


class Ping(NamedTuple):
    """A ping6 of the lab: by whom, to what, and its process."""

    node: str
    target: bytes
    process: Process


@dataclass(slots=True)
class Handover:
    """One move. Times are ns; None: did not happen before the next move or the end."""

    at_ns: int
    node: str
    interface: str
    was: str
    to: str
    home_addrs: set[bytes]
    old_coa: bytes
    marks: dict[str, int] = field(default_factory=dict)
    probes: dict[bytes, int] = field(default_factory=dict)  # unanswered, by target
    coa: bytes | None = None
    nud_ns: int | None = None  # from the first unanswered probe to the new care-of address
    dad_ns: int | None = None  # what of the registration was the home agent's duplicate detection
    dad_began_ns: int | None = None
    ends_ns: int | None = None
    agent: bytes | None = None
    updates: set[tuple[bytes, int]] = field(default_factory=set)  # home registrations sent
    lost: int = 0

    def mark(self, name: str, t_ns: int) -> None:
        """Only the first time counts."""
        self.marks.setdefault(name, t_ns)

    def parts(self) -> Iterator[tuple[str, int | None]]:
        """(part, ns) in their order; the last one ends with the first packet.

        What came after its effect was no cause of it: a solicitation after the router's own
        advertisement, say.
        """
        before = self.at_ns
        for n, (mark, part) in enumerate(PARTS):
            t_ns = self.marks.get(mark)
            later = [self.marks[name] for name, _ in PARTS[n + 1 :] if name in self.marks]
            if t_ns is not None and t_ns > min(later, default=t_ns):
                t_ns = None
            yield part, None if t_ns is None else t_ns - before
            before = before if t_ns is None else t_ns
        packet = self.marks.get("packet")
        if packet is None:
            yield "packet", None
            return
        earlier = [t for name, _ in PARTS if (t := self.marks.get(name, packet + 1)) <= packet]
        yield "packet", packet - max(earlier, default=self.at_ns)

    def total_ns(self) -> int | None:
        """From the move to the first packet."""
        packet = self.marks.get("packet")
        return None if packet is None else packet - self.at_ns


class Handovers:
    """Hears of all frames of a world and of the moves of its mobile nodes."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.done: list[Handover] = []
        self._open: dict[str, Handover] = {}  # by node

    def watch(self, node: Node) -> None:
        """Hear of the care-of address of a node that may move."""
        before = node.on_kick

        def look(node: Node) -> None:
            if before is not None:
                before(node)
            self._look(node)

        node.on_kick = look

    def moved(self, node: Node, interface: str, to: str) -> None:
        """The plug of an interface is about to go elsewhere; only a mobile node has a handover."""
        now = self._world.now()
        last = self._open.pop(node.name, None)
        if last is not None:
            last.ends_ns = now
        state = _mobile(node)
        if state is None:
            return
        link = node.ports[interface].link
        homes = {
            mpfx.mpfx_haddr for sc in state.hif_softc_list for _, mpfx in hif_home_prefixes(sc)
        } - {IN6ADDR_ANY}
        was = link.name if link is not None else ""
        handover = Handover(now, node.name, interface, was, to, homes, state.hif_coa)
        self._open[node.name] = handover
        self.done.append(handover)

    def finish(self, pings: Iterable[Ping]) -> None:
        """The lab has ended: count the lost pings."""
        for ping in pings:
            for handover in self.done:
                if ping.node == handover.node or ping.target in handover.home_addrs:
                    handover.lost += _lost(ping.process, handover, self._world.now())

    def _look(self, node: Node) -> None:
        handover = self._open.get(node.name)
        if handover is None or handover.coa is not None:
            return
        state = _mobile(node)
        if state is None or state.hif_coa in (handover.old_coa, IN6ADDR_ANY):
            return
        now = self._world.now()
        handover.coa = state.hif_coa
        handover.mark("coa", now)
        if handover.probes:
            handover.nud_ns = now - min(handover.probes.values())

    # -- frames -------------------------------------------------------------------------------

    def sent(self, port: Port, frame: bytes, m: Mbuf | None, note: str) -> None:
        """A station put a frame on its link."""
        for handover in self._open.values():
            seen = self._meaning(handover, frame)
            if seen is None:
                continue
            if port.name == f"{handover.node}.{handover.interface}":
                self._node_sent(handover, seen)
            elif handover.agent is not None and "ba" not in handover.marks:
                self._agent_sent(handover, port, seen)

    def received(self, port: Port, frame: bytes, m: Mbuf | None) -> None:
        """A station took a frame."""
        if m is not None and m.fate is Fate.DROPPED:
            return
        for handover in self._open.values():
            seen = self._meaning(handover, frame)
            if seen is None:
                continue
            if port.name == f"{handover.node}.{handover.interface}":
                self._node_received(handover, seen)
            elif "correspondent" not in handover.marks:
                self._peer_received(handover, port, seen)

    def _meaning(self, handover: Handover, frame: bytes) -> Meaning | None:
        if {"packet", "ba", "correspondent"} <= handover.marks.keys():
            return None
        state = mip6_state(self._world.nodes[handover.node].kernel)
        return frame_meaning(frame, state.dialect.wire)

    def _node_sent(self, handover: Handover, seen: Meaning) -> None:
        now = self._world.now()
        if seen.nd_type == ND_ROUTER_SOLICIT:
            handover.mark("rs", now)
        elif seen.nd_type == ND_NEIGHBOR_SOLICIT and seen.nd_target is not None:
            if not seen.group and handover.coa is None:
                handover.probes.setdefault(seen.nd_target, now)
        elif seen.bu is not None and seen.bu.flags & BU_HOME and handover.coa is not None:
            handover.mark("bu", now)
            handover.agent = seen.dst
            handover.updates.add((seen.home or seen.src, seen.bu.seqno))

    def _node_received(self, handover: Handover, seen: Meaning) -> None:
        now = self._world.now()
        if seen.nd_type == ND_ROUTER_ADVERT:
            handover.mark("ra", now)
        elif seen.nd_type == ND_NEIGHBOR_ADVERT and seen.nd_target is not None:
            handover.probes.pop(seen.nd_target, None)
        elif seen.ba is not None and seen.ba.status < BA_REFUSED:
            if (seen.final, seen.ba.seqno) in handover.updates:
                handover.mark("ba", now)
        if seen.payload and seen.final in handover.home_addrs:
            handover.mark("packet", now)

    def _agent_sent(self, handover: Handover, port: Port, seen: Meaning) -> None:
        assert handover.agent is not None  # the caller asked
        if not _has(self._world, port, handover.agent):
            return
        now = self._world.now()
        if seen.nd_type == ND_NEIGHBOR_SOLICIT and seen.src == IN6ADDR_ANY:
            if handover.dad_began_ns is None:
                handover.dad_began_ns = now
        elif seen.ba is not None and handover.dad_ns is None:
            if handover.dad_began_ns is not None:
                handover.dad_ns = now - handover.dad_began_ns

    def _peer_received(self, handover: Handover, port: Port, seen: Meaning) -> None:
        bu = seen.bu
        if bu is None or bu.flags & BU_HOME or seen.home not in handover.home_addrs:
            return
        if handover.coa is not None and _has(self._world, port, seen.dst):
            handover.mark("correspondent", self._world.now())


def _mobile(node: Node) -> Mip6State | None:
    if getattr(node.kernel.mip6, "state", None) is None:
        return None
    state = mip6_state(node.kernel)
    return state if state.config.mcfg_type == MIP6_CONFIG_TYPE_MN else None


def _has(world: World, port: Port, addr: bytes) -> bool:
    node = world.nodes[port.name.split(".")[0]]
    return any(ia.ia_addr == addr for ifp in node.kernel.ifnets for ia in ifp.in6_addrs)


def _lost(ping: Process, handover: Handover, now: int) -> int:
    """Requests sent between this move and the next (or the end) that nothing answered."""
    until = (now if ping.ended_ns is None else ping.ended_ns) - GRACE_NS
    answered = ping.reports.get("received", {})
    end = handover.ends_ns
    return sum(
        handover.at_ns <= t <= until and (end is None or t < end) and n not in answered
        for n, t in ping.reports.get("sent", {}).items()
    )


# -- as text and JSON -----------------------------------------------------------------------------


def handover_json(handover: Handover) -> dict[str, Json]:
    """Seconds: marks since the move, parts from mark to mark."""

    def since(t_ns: int | None) -> Json:
        return None if t_ns is None else seconds(t_ns - handover.at_ns)

    marks = (*(mark for mark, _ in PARTS), "correspondent", "packet")
    return {
        "at": seconds(handover.at_ns),
        "node": handover.node,
        "interface": handover.interface,
        "from": handover.was,
        "to": handover.to,
        "care_of": None if handover.coa is None else ntop(handover.coa),
        "marks": {name: since(handover.marks.get(name)) for name in marks},
        "parts": {name: _json(ns) for name, ns in handover.parts()},
        "nud": _json(handover.nud_ns),
        "dad": _json(handover.dad_ns),
        "total": _json(handover.total_ns()),
        "lost": handover.lost,
    }


def _json(ns: int | None) -> Json:
    return None if ns is None else seconds(ns)


_COLUMNS: Final[tuple[tuple[str, Callable[[Handover], int | None]], ...]] = (
    ("RS", lambda h: dict(h.parts())["poll"]),
    ("RA", lambda h: dict(h.parts())["advertisement"]),
    ("CoA", lambda h: dict(h.parts())["detection"]),
    ("(NUD)", lambda h: h.nud_ns),
    ("BU", lambda h: dict(h.parts())["update"]),
    ("BA", lambda h: dict(h.parts())["registration"]),
    ("(DAD)", lambda h: h.dad_ns),
    ("packet", lambda h: dict(h.parts())["packet"]),
    ("all", lambda h: h.total_ns()),
)
LEGEND: Final = (
    "seconds from one to the next: rtsold solicits (RS), a router answers (RA), the care-of",
    "address is chosen (CoA; NUD: so long the old router was tested), the home agent is told (BU)",
    "and agrees (BA; DAD: its test of the address), the next packet comes. peer: when, after the",
    "move, a correspondent knew.",
)


def handover_table(handovers: Iterable[Handover]) -> list[str]:
    """Lines for people; none where nothing moved."""
    rows = [_row(h) for h in handovers]
    if not rows:
        return []
    titles = "".join(f"{title:>8}" for title, _ in _COLUMNS)
    return [f"  {'at':>6}  {'move':<20}{titles}{'peer':>8}{'lost':>6}", *rows]


def _row(h: Handover) -> str:
    peer = h.marks.get("correspondent")
    cells = [value(h) for _, value in _COLUMNS]
    cells.append(None if peer is None else peer - h.at_ns)
    text = "".join("       -" if ns is None else f"{ns / NS:8.3f}" for ns in cells)
    return f"  {h.at_ns / NS:6g}  {f'{h.node}: {h.was} > {h.to}':<20}{text}{h.lost:6}"
