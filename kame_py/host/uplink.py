# SPDX-License-Identifier: BSD-3-Clause
"""A link of a world that goes on outside: frames pass between it and a wire of the machine.

No KAME counterpart. On the link the outside is one more station, which hears everything. While
frames follow each other closely the next one is waited for in a short loop: to go to sleep and to
be woken costs more than the answer to a ping.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from kame_py.lab.lan import Port
from kame_py.net.if_ import IFF_PROMISC, IFT_ETHER, Ifnet
from kame_py.wire.const import ETHER_ADDR_LEN

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop

    from kame_py.host.netdev import FrameDevice
    from kame_py.host.pacer import Pacer
    from kame_py.lab.lan import Lan

BURST: Final = 64  # frames read before others get their turn
UPLINK_MTU: Final = 65_535
SPIN_NS: Final = 50_000  # how long a next frame is waited for awake
CLOSE_NS: Final = 200_000  # frames that follow each other within that are worth it
TURNS: Final = 64  # spins until the other descriptors get their turn


@dataclass(slots=True)
class UplinkCounters:
    """Frames that came from outside, went there, and could not."""

    received: int = 0
    sent: int = 0
    lost: int = 0


class Uplink:
    """The outside as a station on one link. ``gone`` is told once when its wire is no more."""

    def __init__(
        self,
        link: Lan,
        device: FrameDevice,
        pacer: Pacer,
        loop: AbstractEventLoop,
        gone: Callable[[Uplink, OSError], None],
    ) -> None:
        self.link = link
        self.device = device
        self.counters = UplinkCounters()
        self._pacer = pacer
        self._loop = loop
        self._last_ns = 0  # when a frame came
        self._gone = gone
        self.closed = False
        ifp = Ifnet("wire", IFT_ETHER, UPLINK_MTU, IFF_PROMISC, bytes(ETHER_ADDR_LEN))
        self._port = Port(self, link.name, ifp)
        link.plug(self._port)
        loop.add_reader(device.fileno(), self._readable)

    def _readable(self) -> None:
        try:
            self._read()
        except OSError as problem:
            self._lose(problem)

    def _lose(self, problem: OSError) -> None:
        """The wire was taken away: the link goes on without it."""
        if not self.closed:
            self.close()
            self._gone(self, problem)

    def _read(self) -> None:
        frame = self.device.read()
        for _ in range(TURNS):
            if frame is None:
                return
            now = time.monotonic_ns()
            close = now - self._last_ns < CLOSE_NS
            self._last_ns = now
            self._burst(frame)
            frame = self._spin(now + CLOSE_NS) if close else None
        if frame is not None:
            self._burst(frame)

    def _burst(self, frame: bytes | None) -> None:
        """A frame, and what came after it so far."""
        self._pacer.touch()
        left = BURST
        try:
            while frame is not None and not self.closed:
                self.counters.received += 1
                self.link.send(self._port, frame, None)
                left -= 1
                frame = self.device.read() if left else None
        finally:
            self._pacer.settle()

    def _spin(self, until_ns: int) -> bytes | None:
        """The next frame, if it comes soon."""
        read = self.device.read
        clock = time.monotonic_ns
        until_ns = min(until_ns, clock() + SPIN_NS)
        while clock() < until_ns:
            frame = read()
            if frame is not None:
                return frame
        return None

    def receive(self, port: Port, frame: bytes) -> None:
        """A frame of the link goes outside."""
        try:
            sent = not self.closed and self.device.write(frame)
        except OSError as problem:
            self._loop.call_soon(self._lose, problem)  # the link is in the middle of its stations
            sent = False
        if sent:
            self.counters.sent += 1
        else:
            self.counters.lost += 1

    def carrier(self, port: Port, up: bool) -> None:
        """A wire of the machine stays as it is."""

    def close(self) -> None:
        if self.closed:
            return
        self.closed = True
        self._loop.remove_reader(self.device.fileno())
        self.link.unplug(self._port)
        self.device.close()
