# SPDX-License-Identifier: BSD-3-Clause
"""Nodes that run: a lab's world in time, its wires to the machine, its control socket.

No KAME counterpart. Everything happens in one event loop; a signal ends it in order, with the
capture written, the programs told and the sockets removed.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from kame_py.ctl.codec import Value
from kame_py.host.ctlserver import ControlServer
from kame_py.host.netdev import DeviceProblem, open_device
from kame_py.host.pacer import Pacer, RealTime, VirtualTime
from kame_py.host.uplink import Uplink
from kame_py.wire.errno import EBUSY, EINVAL, ENODEV, ENXIO, EPERM, KError

if TYPE_CHECKING:
    from kame_py.lab.lan import Lan
    from kame_py.lab.runner import LabRun


@dataclass(slots=True)
class LiveOptions:
    """wires: link of the lab -> wire of the machine (``tap:tap0``). socket: where to listen."""

    socket: Path
    wires: dict[str, str] = field(default_factory=dict)
    virtual: bool = False


class Live:
    """One process full of nodes. ``tell`` gets lines for whoever started it."""

    def __init__(self, run: LabRun, options: LiveOptions, tell: Callable[[str], None]) -> None:
        self.run = run
        self.world = run.world
        self.options = options
        self._tell = tell
        self._began = False
        self._uplinks: dict[str, Uplink] = {}
        self._plugged: set[str] = set()  # links that are there for a plug
        self._stop: asyncio.Event = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self.server = ControlServer(self.world, self._loop)
        self.server.commands.update(stop=self._stop_command, plug=self._plug, unplug=self._unplug)
        self.pacer: Pacer = (
            VirtualTime(self.world, self._loop, lambda: self.server.hungry)
            if options.virtual
            else RealTime(self.world, self._loop)
        )
        self.server.pacer = self.pacer

    async def serve(self, ready: Callable[[], None]) -> None:
        """Until a signal or ``kame stop``. DeviceProblem, OSError when it cannot begin."""
        try:
            for link, spec in self.options.wires.items():
                self._wire(self.world.links[link], spec)
            await self.server.listen(self.options.socket)
            ends = [signal.SIGINT, signal.SIGTERM]
            if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # as nohup(1) wants it
                ends.append(signal.SIGHUP)
            for sig in ends:
                self._loop.add_signal_handler(sig, self._stop.set)
            self.run.begin()
            self._began = True
            self.pacer.start()
            ready()
            await self._stop.wait()
        finally:
            self._close()

    def _close(self) -> None:
        if self._began:
            self.pacer.touch()
        self.pacer.stop()
        for uplink in self._uplinks.values():
            uplink.close()
        self._uplinks.clear()
        self.run.end()
        self.server.close()  # who sees that knows that everything else is done

    # -- wires --------------------------------------------------------------------------------

    def _wire(self, link: Lan, spec: str) -> None:
        self._uplinks[link.name] = Uplink(
            link, open_device(spec), self.pacer, self._loop, self._gone
        )

    def _gone(self, uplink: Uplink, problem: OSError) -> None:
        """A wire was taken away: its link goes on inside, and can be given a new one."""
        self._uplinks.pop(uplink.link.name, None)
        why = problem.strerror or str(problem)
        self._tell(f"{uplink.device.name}: gone ({why}); link {uplink.link.name} goes on without")

    def _link(self, name: str) -> Lan:
        """A link of the world, or a new one on a wire that the name describes."""
        known = self.world.links.get(name)
        if known is not None and (name not in self._plugged or name in self._uplinks):
            return known
        link = known if known is not None else self.world.add_link(name)
        link.observer = self.world.observer
        self._plugged.add(name)
        try:
            self._wire(link, name)
        except DeviceProblem as problem:
            self._prune()
            raise KError(EPERM if problem.permission else ENODEV) from problem
        return link

    def _prune(self) -> None:
        """Wires that were opened for a plug are closed when the last plug is out."""
        for name in list(self._plugged):
            link = self.world.links[name]
            uplink = self._uplinks.get(name)
            if any(port.station is not uplink for port in link.ports):
                continue
            if uplink is not None:
                uplink.close()
                del self._uplinks[name]
            del self.world.links[name]
            self._plugged.discard(name)

    # -- calls about the nodes ----------------------------------------------------------------

    def _stop_command(self, args: tuple[Value, ...]) -> Value:
        self._loop.call_soon(self._stop.set)
        return None

    def _plug(self, args: tuple[Value, ...]) -> Value:
        """(node, interface, link or wire): pull the plug where it is and put it in there."""
        node = self.server.node_arg(args)
        match args:
            case (_, str(ifname), str(where)) if ifname in node.ports:
                before = self._uplinks.get(where)
                link = self._link(where)
                self.pacer.touch()
                if node.ports[ifname].link is not link:
                    self.world.move(node, ifname, link)
                    self._prune()
                elif self._uplinks.get(where) is before:
                    raise KError(EBUSY)
                self.pacer.settle()
                return None
            case (_, str(_), str(_)):
                raise KError(ENXIO)
        raise KError(EINVAL)

    def _unplug(self, args: tuple[Value, ...]) -> Value:
        """(node, interface)"""
        node = self.server.node_arg(args)
        match args:
            case (_, str(ifname)) if ifname in node.ports:
                self.pacer.touch()
                node.unplug(ifname)
                self._prune()
                self.pacer.settle()
                return None
            case (_, str(_)):
                raise KError(ENXIO)
        raise KError(EINVAL)
