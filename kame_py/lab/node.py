# SPDX-License-Identifier: BSD-3-Clause
"""A node of a world: one kernel with its programs, its files and its plugs.

No KAME counterpart. Whoever touches the kernel from outside calls ``kick()`` afterwards: it takes
the frames that the kernel wants to send and makes sure that the world wakes the kernel in time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from kame_py.boot import ether_attach
from kame_py.kern.clock import NS
from kame_py.lab.filetree import FileTree
from kame_py.lab.job import CommandResult, Job, JobListener
from kame_py.lab.labnodes import MAC_OUI
from kame_py.lab.lan import Lan, Port
from kame_py.lab.process import ProcessTable
from kame_py.lab.rc import Command, RcError, parse_rc
from kame_py.lab.shell import Shell
from kame_py.net.if_ import ETHERMTU, IFF_PROMISC, Ifnet
from kame_py.netinet6.in6_ifattach import if_carrier, if_up
from kame_py.wire.const import ETHER_ADDR_LEN
from kame_py.wire.pcapfmt import is_group_mac

if TYPE_CHECKING:
    from kame_py.kern.kernel import Kernel
    from kame_py.lab.process import Main
    from kame_py.lab.world import World

RUN_TIMEOUT_S: Final = 3600  # virtual
_OCTET: Final = 256


class Node:
    """One machine. ``kernel`` is its kernel, ``ports`` its Ethernet interfaces by name."""

    def __init__(
        self, world: World, kernel: Kernel, number: int, files: Mapping[str, str] | None = None
    ) -> None:
        self.world = world
        self.kernel = kernel
        self.name = kernel.name
        self.number = number
        self.files = FileTree(files)
        self.processes = ProcessTable(kernel, self.files, world.hosts)
        self.shell = Shell(self.processes)
        self.ports: dict[str, Port] = {}
        self._by_ifp: dict[Ifnet, Port] = {}
        self.on_kick: Callable[[Node], None] | None = None  # a timeline looks at the addresses
        self._wake_ns: int | None = None  # the earliest wake-up that lies in the world's heap

    def __repr__(self) -> str:
        return f"<Node {self.name}>"

    # -- plugs --------------------------------------------------------------------------------

    def attach(
        self,
        ifname: str,
        link: Lan,
        mac: bytes | None = None,
        mtu: int | None = None,
        up: bool = True,
    ) -> Ifnet:
        """A new Ethernet interface plugged into ``link``.

        mac None: 00:a0:24, the node's number, the interface's number. mtu None: the link's.
        ValueError for a name that the node has already, or what is no station's address.
        """
        if self.kernel.ifunit(ifname) is not None:
            raise ValueError(f"{self.name} has an interface {ifname} already")
        if mac is not None and (len(mac) != ETHER_ADDR_LEN or is_group_mac(mac)):
            raise ValueError(f"{mac.hex(':')} is no station's MAC address")
        if mac is None:
            high, low = divmod(self.number, _OCTET)
            mac = MAC_OUI + bytes((high, low, len(self.ports) + 1))
        ifp = ether_attach(self.kernel, ifname, mac, mtu or link.mtu or ETHERMTU)
        port = Port(self, self.name, ifp)
        self.ports[ifname] = port
        self._by_ifp[ifp] = port
        ifp.carrier = link.up
        link.plug(port)
        if up:
            if_up(self.kernel, ifp)
        self.kick()
        return ifp

    def up(self) -> None:
        """Bring up every interface that is down, as the network script does before rc."""
        for port in self.ports.values():
            if not port.ifp.up:
                if_up(self.kernel, port.ifp)
        self.kick()

    def unplug(self, ifname: str) -> None:
        """Pull the plug: carrier falls, nothing arrives any more."""
        port = self.ports[ifname]
        if port.link is not None:
            port.link.unplug(port)
            self.carrier(port, up=False)

    def plug(self, ifname: str, link: Lan) -> None:
        """Put the plug into a link: carrier rises if the link is up."""
        port = self.ports[ifname]
        if port.link is not None:
            raise ValueError(f"{port.name} is plugged into {port.link.name}")
        link.plug(port)
        self.carrier(port, up=link.up)

    def carrier(self, port: Port, up: bool) -> None:
        """The medium of an interface came or went."""
        if_carrier(self.kernel, port.ifp, up)
        self.kick()

    # -- commands -----------------------------------------------------------------------------

    def add_program(self, name: str, main: Main) -> None:
        """Let commands of this node run ``async def main(argv, ops) -> int`` by ``name``.

        argv is without the name. It takes the place of a ported tool; ValueError for the name of
        a built-in of the shell.
        """
        if self.shell.is_builtin(name):
            raise ValueError(f"{name} is a built-in of the shell")
        self.shell.programs[name] = main

    def start(self, commands: str | Sequence[Command], listener: JobListener | None = None) -> Job:
        """Begin to run commands, one after another; the world must run for them to go on.

        A text is read like rc lines; ValueError says what cannot be run.
        """
        if isinstance(commands, str):
            parsed = parse_rc(commands)
            if isinstance(parsed, RcError):
                raise ValueError(str(parsed))
            commands = parsed
        job = Job(self.shell, commands, listener)
        proc = self.processes.spawn("sh", job.main, [], "", _nowhere, _nowhere)
        proc.exit_hooks.append(lambda proc: job.finish(proc.status or 0))
        self.kick()
        return job

    def run(
        self, commands: str | Sequence[Command], timeout_s: float = RUN_TIMEOUT_S
    ) -> CommandResult:
        """Run commands and the world until they have ended or gone into the background.

        TimeoutError after ``timeout_s`` virtual seconds.
        """
        job = self.start(commands)
        until_ns = self.world.now() + round(timeout_s * NS)
        if not self.world.run_ns(until_ns, lambda: job.done):
            raise TimeoutError(f"{self.name}: still running after {timeout_s:g} s: {commands}")
        return job.result()

    # -- what the world calls -----------------------------------------------------------------

    def receive(self, port: Port, frame: bytes) -> None:
        """A frame arrives on one of the interfaces now."""
        m = self.kernel.if_input(port.ifp, frame)
        observer = self.world.observer
        if observer is not None:
            observer.received(port, frame, m)
        self.kick()

    def kick(self) -> None:
        """After the kernel was touched: send what it wants to send, plan its next wake-up."""
        kern = self.kernel
        if kern.softintr:
            kern.run_softintr()
        if kern.txq:
            for ifp, frame, m in kern.poll_tx():
                port = self._by_ifp.get(ifp)
                if port is not None and port.link is not None:
                    port.link.send(port, frame, m)
        for port in self.ports.values():
            ifp = port.ifp
            if ifp.if_flags & IFF_PROMISC != port.flags or ifp.if_hwaddr is not port.mac:
                if port.link is not None:
                    port.link.refile(port)
        if self.on_kick is not None:
            self.on_kick(self)
        deadline = kern.next_deadline()
        if deadline is not None and (self._wake_ns is None or deadline < self._wake_ns):
            self._wake_ns = deadline
            self.world.schedule(deadline, self._wake, deadline)

    def _wake(self, planned: int) -> None:
        if planned != self._wake_ns:
            return  # an earlier one took its place
        self._wake_ns = None
        self.kernel.advance(self.world.clock.t)
        self.kick()


def _nowhere(text: str) -> None:
    """The shell itself says nothing; its commands have their own streams."""
