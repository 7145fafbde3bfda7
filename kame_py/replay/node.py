# SPDX-License-Identifier: BSD-3-Clause
"""The node that a capture is played to: boot, rc, duplicate address detection, then packets.

No KAME counterpart. The node boots, its rc runs and its addresses become usable before the first
stamp of the capture, in virtual time; how long that takes is known from a first boot that is
thrown away, so that the node's clock shows the capture's time from its first moment.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from kame_py.boot import boot, ether_attach, rawip_attach
from kame_py.kern.clock import MS, NS, VirtualClock
from kame_py.lab.job import Job
from kame_py.lab.process import ProcessTable
from kame_py.lab.rc import Command
from kame_py.lab.shell import Shell
from kame_py.netinet6.in6_ifattach import if_up
from kame_py.wire.const import ND_ROUTER_SOLICIT
from kame_py.wire.in6addr import IN6_IS_ADDR_LINKLOCAL, ntop

if TYPE_CHECKING:
    from kame_py.kern.conf import KernConf
    from kame_py.kern.kernel import Kernel
    from kame_py.lab.filetree import FileTree
    from kame_py.net.if_ import Ifnet

NAME: Final = "node"
RC_PATIENCE_NS: Final = 3600 * NS  # virtual; then the capture begins beside the rc
DAD_PATIENCE_NS: Final = 60 * NS
RTSOL_PATIENCE_NS: Final = 10 * NS
SETTLE_NS: Final = 1 * MS  # between the end of the boot and the first stamp

#: What a host's rc does when none is given; {ifname} is the interface.
DEFAULT_RC: Final[tuple[tuple[str, ...], ...]] = (
    ("sysctl", "-w", "net.inet6.ip6.accept_rtadv=1"),
    ("rtsol", "{ifname}"),
)

#: (kernel, frame): the node sends it now.
FrameSink = Callable[["Kernel", bytes], None]


@dataclass(frozen=True, slots=True)
class NodeSpec:
    """What node to boot. rc None: DEFAULT_RC. addr: an address to take before the rc runs.

    files: makes the node's file tree; a trial boot must not leave anything in the next one's.
    lladdr b"": the links of the capture have no addresses, and so has the node's interface.
    """

    conf: KernConf
    ifname: str
    lladdr: bytes
    files: Callable[[], FileTree]
    rc: Sequence[Command] | None = None
    addr: bytes | None = None
    plen: int = 64
    seed: int = 0

    def commands(self) -> list[Command]:
        """All that runs at boot."""
        commands: list[Command] = []
        if self.addr is not None:
            scope = f"%{self.ifname}" if IN6_IS_ADDR_LINKLOCAL(self.addr) else ""
            start = ("ifconfig", self.ifname, "inet6", ntop(self.addr) + scope)
            commands.append(Command(0, (*start, "prefixlen", str(self.plen), "alias")))
        if self.rc is not None:
            return [*commands, *self.rc]
        for words in DEFAULT_RC:
            argv = tuple(word.format(ifname=self.ifname) for word in words)
            commands.append(Command(0, argv, background=argv[0] == "rtsol"))
        return commands


class ReplayNode:
    """A kernel with one interface and the programs that its rc started."""

    def __init__(self, spec: NodeSpec, epoch_ns: int, sink: FrameSink) -> None:
        self.clock = VirtualClock(0, epoch_ns)
        self.kern = boot(NAME, spec.conf, self.clock, spec.seed)
        self.ifp = self._attach(spec)
        self.processes = ProcessTable(self.kern, spec.files())
        self._late = False
        self._commands = spec.commands()
        self._job = Job(Shell(self.processes), self._commands, None)
        self._default = spec.rc is None
        self._sink = sink
        self.on_step: Callable[[Kernel], None] = _nobody  # told of each timer that was due
        self._boot()

    def _attach(self, spec: NodeSpec) -> Ifnet:
        if spec.lladdr:
            return ether_attach(self.kern, spec.ifname, spec.lladdr)
        return rawip_attach(self.kern, spec.ifname)

    # -- boot ---------------------------------------------------------------------------------

    def _boot(self) -> None:
        if_up(self.kern, self.ifp)
        job = self._job
        proc = self.processes.spawn("sh", job.main, [], "", _nowhere, _nowhere)
        proc.exit_hooks.append(lambda proc: job.finish(proc.status or 0))
        self._late = not self._run_until(lambda: job.done, RC_PATIENCE_NS)
        self._run_until(lambda: not self.kern.nd6.dadq, DAD_PATIENCE_NS)
        if self._default:
            self._run_until(self._solicited, RTSOL_PATIENCE_NS)
        self.advance(self.clock.t + SETTLE_NS)

    def _solicited(self) -> bool:
        """The router solicitation is out, or none will be."""
        return bool(self.kern.stats.icp6s_outhist[ND_ROUTER_SOLICIT]) or not self.processes.named(
            "rtsol"
        )

    def problems(self) -> list[str]:
        """What went wrong with the rc, in sentences."""
        found = [f"{p.name}: {p.exception!r}" for p in self.processes.crashed]
        if self._late:
            hours = RC_PATIENCE_NS // (3600 * NS)
            found.append(f"the rc was not done after {hours} h of virtual time")
        if not self._default:
            for command, p in zip(self._commands, self._job.processes, strict=False):
                if p.status and p.exception is None:
                    found.append(f"line {command.line}: {p.name}: exit status {p.status}")
        return found

    def output(self) -> str:
        """What the commands of the rc printed; of the default rc nothing."""
        return "" if self._default else self._job.output

    def _run_until(self, done: Callable[[], bool], patience_ns: int) -> bool:
        """Step from deadline to deadline until it is done or ``patience_ns`` have passed."""
        end = self.clock.t + patience_ns
        while not done():
            deadline = self.kern.next_deadline()
            if deadline is None or deadline > end:
                return False
            self._step(deadline)
        return True

    # -- time and packets ---------------------------------------------------------------------

    def _step(self, deadline: int) -> None:
        if deadline > self.clock.t:
            self.clock.t = deadline
        self.kern.advance(self.clock.t)
        if self.kern.txq:
            self.drain()
        self.on_step(self.kern)

    def advance(self, t: int) -> None:
        """Let time pass up to ``t``, every timer at its own time; it never goes back."""
        kern = self.kern
        while (deadline := kern.next_deadline()) is not None and deadline <= t:
            self._step(deadline)
        if t > self.clock.t:
            self.clock.t = t

    def drain(self) -> None:
        """Hand on the frames that the kernel wants to send by the interface."""
        for ifp, frame, _ in self.kern.poll_tx():
            if ifp is self.ifp:
                self._sink(self.kern, frame)


def boot_at(spec: NodeSpec, first_ns: int, sink: FrameSink) -> ReplayNode:
    """A node whose boot ends when its clock shows ``first_ns``."""
    trial = ReplayNode(spec, first_ns, _discard)
    return ReplayNode(spec, first_ns - trial.clock.t, sink)


def _nowhere(text: str) -> None:
    """The shell itself says nothing; its commands have their own streams."""


def _nobody(kern: Kernel) -> None:
    """Nobody wants to know."""


def _discard(kern: Kernel, frame: bytes) -> None:
    """A trial boot sends to nobody."""
