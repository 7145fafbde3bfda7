# SPDX-License-Identifier: BSD-3-Clause
"""A link of a world that goes on outside: frames pass between it and a wire of the machine.

No KAME counterpart. On the link the outside is one more station, which hears everything.
"""

from __future__ import annotations

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


@dataclass(slots=True)
class UplinkCounters:
    """Frames that came from outside, went there, and could not."""

    received: int = 0
    sent: int = 0
    lost: int = 0


class Uplink:
    """The outside as a station on one link."""

    def __init__(
        self, link: Lan, device: FrameDevice, pacer: Pacer, loop: AbstractEventLoop
    ) -> None:
        self.link = link
        self.device = device
        self.counters = UplinkCounters()
        self._pacer = pacer
        self._loop = loop
        ifp = Ifnet("wire", IFT_ETHER, UPLINK_MTU, IFF_PROMISC, bytes(ETHER_ADDR_LEN))
        self._port = Port(self, link.name, ifp)
        link.plug(self._port)
        loop.add_reader(device.fileno(), self._readable)

    def _readable(self) -> None:
        self._pacer.touch()
        for _ in range(BURST):
            frame = self.device.read()
            if frame is None:
                break
            self.counters.received += 1
            self.link.send(self._port, frame, None)
        self._pacer.settle()

    def receive(self, port: Port, frame: bytes) -> None:
        """A frame of the link goes outside."""
        if self.device.write(frame):
            self.counters.sent += 1
        else:
            self.counters.lost += 1

    def carrier(self, port: Port, up: bool) -> None:
        """A wire of the machine stays as it is."""

    def close(self) -> None:
        self._loop.remove_reader(self.device.fileno())
        self.link.unplug(self._port)
        self.device.close()
