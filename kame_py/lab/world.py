# SPDX-License-Identifier: BSD-3-Clause
"""Many kernels on many links in one virtual time.

No KAME counterpart. One heap holds every event of every kernel: frames on their way, the next
timer of each node, what the script wants. Equal times run in the order in which they were
scheduled, and nothing else decides anything: the same seed gives the same run, byte for byte.
An idle network costs nothing.

    world = World(seed=1)
    lan = world.add_link("lan", delay_ns=1_000_000)
    a, b = world.add_node("a"), world.add_node("b")
    a.attach("fxp0", lan)
    b.attach("fxp0", lan)
    a.run("ifconfig fxp0 inet6 2001:db8::a prefixlen 64 alias")
    b.run("ifconfig fxp0 inet6 2001:db8::b prefixlen 64 alias")
    print(a.run("ping6 -c 3 2001:db8::b").out)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from heapq import heappop, heappush

from kame_py.boot import boot
from kame_py.kern.clock import NS, VirtualClock
from kame_py.kern.conf import KernConf
from kame_py.lab.impair import Impairment
from kame_py.lab.kernconf import parse_kernel_list, parse_kernel_text
from kame_py.lab.lan import Lan, Observer
from kame_py.lab.node import Node


class World:
    """The clock, the links and the nodes of one simulation."""

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed
        self.clock = VirtualClock()
        self.links: dict[str, Lan] = {}
        self.nodes: dict[str, Node] = {}
        self.observer: Observer | None = None
        self.hosts: dict[str, tuple[bytes, ...]] = {}
        self.events = 0  # how many have run
        self._heap: list[tuple[int, int, Callable[..., object], tuple[object, ...]]] = []
        self._seq = 0

    # -- building -----------------------------------------------------------------------------

    def add_link(
        self,
        name: str,
        *,
        delay_ns: int = 0,
        jitter_ns: int = 0,
        loss: float = 0.0,
        duplicate: float = 0.0,
        reorder: float = 0.0,
        corrupt: float = 0.0,
        rate_bps: int | None = None,
        mtu: int | None = None,
    ) -> Lan:
        """A new link. ``mtu`` is also the default MTU of interfaces attached to it."""
        if name in self.links:
            raise ValueError(f"link {name} exists already")
        impairment = Impairment(delay_ns, jitter_ns, loss, duplicate, reorder, corrupt, rate_bps)
        lan = Lan(self, name, self.seed, impairment, mtu)
        lan.observer = self.observer
        self.links[name] = lan
        return lan

    def add_node(
        self,
        name: str,
        kernel: KernConf | str | Sequence[str] = (),
        files: Mapping[str, str] | None = None,
    ) -> Node:
        """A new node: a booted kernel without interfaces but lo0.

        kernel: a configuration, its text, or a list such as ("MIP6", "hif 1"). ValueError says
        what is wrong with it. files: path -> text.
        """
        if name in self.nodes:
            raise ValueError(f"node {name} exists already")
        kern = boot(name, _kernconf(kernel), self.clock, self.seed)
        node = Node(self, kern, len(self.nodes) + 1, files)
        self.nodes[name] = node
        return node

    def observe(self, observer: Observer | None) -> None:
        """Let a capture hear of every frame from now on."""
        self.observer = observer
        for lan in self.links.values():
            lan.observer = observer

    # -- time ---------------------------------------------------------------------------------

    def now(self) -> int:
        """Virtual nanoseconds since the world began."""
        return self.clock.t

    def schedule(self, t_ns: int, fn: Callable[..., object], *args: object) -> None:
        """Call ``fn(*args)`` at a virtual time; the past counts as now."""
        self._seq = seq = self._seq + 1
        now = self.clock.t
        heappush(self._heap, (t_ns if t_ns > now else now, seq, fn, args))

    def at(self, seconds: float, fn: Callable[[], object]) -> None:
        """Call ``fn()`` at a virtual time in seconds."""
        self.schedule(round(seconds * NS), fn)

    def run(self, until: float) -> None:
        """Go on to a virtual time in seconds."""
        self.run_ns(round(until * NS))

    def run_for(self, seconds: float) -> None:
        """Go on for some virtual seconds."""
        self.run_ns(self.clock.t + round(seconds * NS))

    def run_ns(self, until_ns: int, done: Callable[[], bool] | None = None) -> bool:
        """Run all events up to and including ``until_ns``, or until ``done()`` says so.

        True: ``done()`` ended it, and the clock stands at that moment.
        """
        heap = self._heap
        clock = self.clock
        if done is not None and done():
            return True
        while heap and heap[0][0] <= until_ns:
            clock.t, _, fn, args = heappop(heap)
            self.events += 1
            fn(*args)
            if done is not None and done():
                return True
        clock.t = max(clock.t, until_ns)
        return False

    def next_event_ns(self) -> int | None:
        """When something happens next, or None when nothing ever will."""
        return self._heap[0][0] if self._heap else None

    # -- script -------------------------------------------------------------------------------

    def move(self, node: Node, ifname: str, link: Lan | None, gap_ns: int = 0) -> None:
        """Unplug an interface (carrier falls) and plug it in elsewhere (carrier rises).

        None leaves it unplugged; gap_ns lies between the two.
        """
        node.unplug(ifname)
        if link is not None:
            if gap_ns:
                self.schedule(self.clock.t + gap_ns, node.plug, ifname, link)
            else:
                node.plug(ifname, link)

    def cut(self, link: Lan) -> None:
        """The link breaks: what is on its way is lost, its interfaces lose carrier."""
        link.cut()
        self._carrier(link, up=False)

    def restore(self, link: Lan) -> None:
        """A link that was cut works again."""
        link.restore()
        self._carrier(link, up=True)

    def _carrier(self, link: Lan, up: bool) -> None:
        for port in list(link.ports):
            port.station.carrier(port, up)


def _kernconf(kernel: KernConf | str | Sequence[str]) -> KernConf:
    if isinstance(kernel, KernConf):
        return kernel
    result = parse_kernel_text(kernel) if isinstance(kernel, str) else parse_kernel_list(kernel)
    if result.errors:
        raise ValueError("; ".join(error.text for error in result.errors))
    return result.conf
