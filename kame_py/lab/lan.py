# SPDX-License-Identifier: BSD-3-Clause
"""A LAN: carries frames between the interfaces of many nodes.

No KAME counterpart. A frame goes to the interfaces that its destination address concerns, as a
switch with multicast snooping would do it, and all of them get the same bytes object: the price
of a frame is that of its receivers. Interfaces in promiscuous mode get everything.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from kame_py.lab.impair import Copy, Impairer, Impairment
from kame_py.net.if_ import IFF_ALLMULTI, IFF_PROMISC, Ifnet
from kame_py.wire.codecs import EtherHeader
from kame_py.wire.in6addr import ETHER_BROADCAST
from kame_py.wire.pcapfmt import is_group_mac

if TYPE_CHECKING:
    from kame_py.kern.mbuf import Mbuf

_DHOST: Final = slice(EtherHeader.O_ether_dhost, EtherHeader.O_ether_shost)


@dataclass(slots=True)
class LinkCounters:
    """Frames of one link. unknown: unicast to an address that no station has."""

    sent: int = 0
    octets: int = 0
    delivered: int = 0
    lost: int = 0
    cut: int = 0
    toobig: int = 0
    unknown: int = 0


class Station(Protocol):
    """What a link knows of a node."""

    def receive(self, port: Port, frame: bytes) -> None:
        """A frame arrives on one of the node's interfaces now."""
        ...

    def carrier(self, port: Port, up: bool) -> None:
        """The medium of one of the node's interfaces came or went."""
        ...


class Schedule(Protocol):
    """The part of the world that a link needs."""

    def now(self) -> int: ...
    def schedule(self, t_ns: int, fn: Callable[..., object], *args: object) -> None: ...


class Observer(Protocol):
    """Hears of every frame at both ends (a capture). note: what the link did to the frame."""

    def sent(self, port: Port, frame: bytes, m: Mbuf | None, note: str) -> None: ...
    def received(self, port: Port, frame: bytes, m: Mbuf | None) -> None: ...


class Observers:
    """Several observers as one."""

    def __init__(self, observers: Sequence[Observer]) -> None:
        self._observers = tuple(observers)

    @classmethod
    def of(cls, *observers: Observer | None) -> Observer | None:
        """Those that are there, as cheaply as possible."""
        there = [observer for observer in observers if observer is not None]
        return cls(there) if len(there) > 1 else next(iter(there), None)

    def sent(self, port: Port, frame: bytes, m: Mbuf | None, note: str) -> None:
        for observer in self._observers:
            observer.sent(port, frame, m, note)

    def received(self, port: Port, frame: bytes, m: Mbuf | None) -> None:
        for observer in self._observers:
            observer.received(port, frame, m)


class Port:
    """One interface of a node, plugged into a link or into nothing."""

    __slots__ = ("flags", "ifp", "link", "mac", "name", "station")

    def __init__(self, station: Station, node_name: str, ifp: Ifnet) -> None:
        self.station = station
        self.ifp = ifp
        self.name = f"{node_name}.{ifp.if_name}"
        self.link: Lan | None = None
        self.mac = ifp.if_hwaddr
        self.flags = ifp.if_flags & IFF_PROMISC


class Lan:
    """One link. ``mtu`` None carries frames of any size."""

    __slots__ = (
        "_by_mac",
        "_epoch",
        "_impairer",
        "_listeners",
        "_world",
        "counters",
        "mtu",
        "name",
        "observer",
        "ports",
        "up",
    )

    def __init__(
        self, world: Schedule, name: str, seed: int, impairment: Impairment, mtu: int | None
    ) -> None:
        self._world = world
        self.name = name
        self.mtu = mtu
        self.up = True
        self.ports: list[Port] = []
        self.counters = LinkCounters()
        self.observer: Observer | None = None
        self._epoch = 0  # counts the cuts: what was on its way at a cut does not arrive
        self._impairer = Impairer(name, seed, impairment)
        self._by_mac: dict[bytes, list[Port]] = {}
        self._listeners: list[Port] = []

    # -- stations -----------------------------------------------------------------------------

    def plug(self, port: Port) -> None:
        """Connect an interface; carrier is the caller's business."""
        port.link = self
        self.ports.append(port)
        self._file()

    def unplug(self, port: Port) -> None:
        port.link = None
        self.ports.remove(port)
        self._file()

    def refile(self, port: Port) -> None:
        """The address or the promiscuous flag of an interface changed."""
        port.mac = port.ifp.if_hwaddr
        port.flags = port.ifp.if_flags & IFF_PROMISC
        self._file()

    def _file(self) -> None:
        self._by_mac = {}
        for port in self.ports:
            self._by_mac.setdefault(port.mac, []).append(port)
        self._listeners = [port for port in self.ports if port.flags]

    # -- life ---------------------------------------------------------------------------------

    def cut(self) -> None:
        """The link carries nothing; frames on their way are gone."""
        self.up = False
        self._epoch += 1

    def restore(self) -> None:
        self.up = True

    @property
    def impairment(self) -> Impairment:
        return self._impairer.value

    def impair(self, **what: float | int | None) -> None:
        """Change members of ``impairment`` by name."""
        self._impairer.change(**what)

    # -- frames -------------------------------------------------------------------------------

    def send(self, port: Port, frame: bytes, m: Mbuf | None) -> None:
        """A station puts a frame on the link."""
        counters = self.counters
        counters.sent += 1
        counters.octets += len(frame)
        now = self._world.now()
        note = self._refusal(frame)
        copies: tuple[Copy, ...] = ()
        if not note and self._impairer.plain:
            delay_ns = self._impairer.value.delay_ns
            self._world.schedule(now + delay_ns, self._arrive, port, frame, self._epoch)
        elif not note:
            copies, note = self._impairer.pass_frame(now, frame)
            counters.lost += not copies
        if self.observer is not None:
            self.observer.sent(port, frame, m, note)
        for copy in copies:
            self._world.schedule(copy.t_ns, self._arrive, port, copy.frame, self._epoch)

    def _refusal(self, frame: bytes) -> str:
        if not self.up:
            self.counters.cut += 1
            return f"lost: link {self.name} is cut"
        if self.mtu is not None and len(frame) - EtherHeader.SIZE > self.mtu:
            self.counters.toobig += 1
            return f"lost: larger than the MTU of link {self.name}"
        return ""

    def _arrive(self, sender: Port, frame: bytes, epoch: int) -> None:
        if epoch != self._epoch:
            self.counters.cut += 1
            return
        receivers = self._receivers(sender, frame[_DHOST])
        self.counters.delivered += len(receivers)
        for port in receivers:
            if port.link is self:
                port.station.receive(port, frame)

    def _receivers(self, sender: Port, dst: bytes) -> list[Port]:
        """The interfaces a frame concerns, in the order in which they were plugged in."""
        if dst and is_group_mac(dst):
            return [p for p in self.ports if p is not sender and _listens(p.ifp, dst)]
        known = self._by_mac.get(dst, [])
        if not known:
            self.counters.unknown += 1
        if self._listeners:
            known = known + [p for p in self._listeners if p not in known]
        return [p for p in known if p is not sender]


def _listens(ifp: Ifnet, group: bytes) -> bool:
    return (
        ifp.macs.get(group, 0) > 0
        or bool(ifp.if_flags & (IFF_PROMISC | IFF_ALLMULTI))
        or group == ETHER_BROADCAST
    )
