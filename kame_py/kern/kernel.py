# SPDX-License-Identifier: BSD-3-Clause
"""One KAME kernel as an object: bytes and time go in; bytes, deadlines and fates come out.

Nothing here reads a clock, a socket or a random device; twenty kernels in one process meet only
through links. ``boot.boot()`` makes a kernel and fills the tables; this class holds them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from kame_py.kern.callout import CalloutQueue
from kame_py.kern.changes import Changes
from kame_py.kern.clock import NS, Clock
from kame_py.kern.conf import KernConf
from kame_py.kern.hooks import IpsecHooks, Mip6Hooks, NullIpsecHooks, NullMip6Hooks
from kame_py.kern.log import Log
from kame_py.kern.mbuf import Fate, Mbuf
from kame_py.kern.protosw import Ip6Protosw, OptHandler, RthdrHandler
from kame_py.kern.rng import Rng
from kame_py.kern.stats import Stats
from kame_py.kern.sysctl import SysctlTree

if TYPE_CHECKING:
    from kame_py.kern.uipc_socket import SocketTable
    from kame_py.net.if_ import Ifnet, IfOutput
    from kame_py.net.route import RouteTable
    from kame_py.net.rtsock import Rtsock
    from kame_py.netinet6.frag6 import Frag6State
    from kame_py.netinet6.icmp6_var import Icmp6State
    from kame_py.netinet6.if_gif import GifState
    from kame_py.netinet6.in6_pcb import PcbTable
    from kame_py.netinet6.ip6_var import Ip6State
    from kame_py.netinet6.ip_encap import EncapTable
    from kame_py.netinet6.mld6 import Mld6State
    from kame_py.netinet6.nd6 import Nd6State
    from kame_py.netkey.keydb import KeyState


class Kernel:
    """The whole state of one node.

    ifnets: in order of attachment; ifindex: by index, which is never used twice. fates, drops: how
    many packets ended how. txq: frames for the outside, drained by ``poll_tx``. fate_sink: told of
    each packet's fate, if set (a replay, a journal).
    """

    __slots__ = (
        "bpf",
        "callouts",
        "changes",
        "clock",
        "cloners",
        "conf",
        "created",
        "destopts",
        "drops",
        "encap",
        "fate_sink",
        "fates",
        "frag6",
        "gif",
        "hbhopts",
        "icmp6",
        "if_inputsw",
        "if_lastindex",
        "if_lladdr_changed",
        "if_mtu_changed",
        "if_purge",
        "if_setup",
        "ifindex",
        "ifnets",
        "inet6sw",
        "ioctlsw",
        "ip6",
        "ip6intr",
        "ipsec",
        "key",
        "log",
        "mip6",
        "mld6",
        "name",
        "nd6",
        "nd6_output",
        "pcbs",
        "rng",
        "rt",
        "rthdrs",
        "rtsock",
        "sockets",
        "softintr",
        "stats",
        "sysctl",
        "tracing",
        "txq",
    )

    ip6: Ip6State
    icmp6: Icmp6State
    nd6: Nd6State
    frag6: Frag6State
    mld6: Mld6State
    rt: RouteTable
    rtsock: Rtsock
    sockets: SocketTable
    pcbs: PcbTable
    encap: EncapTable
    gif: GifState
    key: KeyState  # with options IPSEC
    if_setup: Callable[[Kernel, Ifnet, bool], None]  # IFF_UP changed; boot sets these four
    if_lladdr_changed: Callable[[Kernel, Ifnet], None]
    if_mtu_changed: Callable[[Kernel, Ifnet], None]
    if_purge: Callable[[Kernel, Ifnet], None]  # take the protocols off a dying interface
    ip6intr: Callable[[Kernel, Mbuf], None]  # where interfaces hand an IPv6 packet up (NETISR_IPV6)
    nd6_output: IfOutput  # the way from ip6_output to the link; set by boot, breaks a cycle

    def __init__(self, name: str, conf: KernConf, clock: Clock, rng: Rng) -> None:
        self.name = name
        self.conf = conf
        self.clock = clock
        self.rng = rng
        self.log = Log(clock)
        self.callouts = CalloutQueue()
        self.sysctl = SysctlTree()
        self.stats = Stats()
        self.changes = Changes()
        self.created = 0
        self.fates: dict[Fate, int] = dict.fromkeys(Fate, 0)
        self.drops: defaultdict[str, int] = defaultdict(int)
        self.tracing = False
        self.fate_sink: Callable[[Kernel, Mbuf], None] | None = None
        self.bpf: Callable[[Kernel, Ifnet, bytes, bool], None] | None = None
        self.ifnets: list[Ifnet] = []
        self.ifindex: dict[int, Ifnet] = {}
        self.if_lastindex = 0
        self.txq: list[tuple[Ifnet, bytes, Mbuf | None]] = []
        self.inet6sw: dict[int, Ip6Protosw] = {}
        self.destopts: dict[int, OptHandler] = {}
        self.hbhopts: dict[int, OptHandler] = {}
        self.rthdrs: dict[int, RthdrHandler] = {}
        self.mip6: Mip6Hooks = NullMip6Hooks()
        self.ipsec: IpsecHooks = NullIpsecHooks()
        self.if_inputsw: dict[int, Callable[[Kernel, Ifnet, bytes, object], Mbuf | None]] = {}
        self.cloners: dict[str, Callable[[Kernel, str], Ifnet]] = {}
        self.ioctlsw: dict[type, Callable[[Kernel, object], object]] = {}
        self.softintr: list[tuple[Callable[..., object], tuple[object, ...]]] = []

    # -- time ---------------------------------------------------------------------------------

    def now(self) -> int:
        """Monotonic nanoseconds."""
        return self.clock.now()

    def time_second(self) -> int:
        """Monotonic whole seconds, KAME's time_second without its epoch."""
        return self.clock.now() // NS

    def next_deadline(self) -> int | None:
        """When ``advance`` wants to be called next, ns; None when nothing waits."""
        return self.callouts.next_deadline()

    def advance(self, now: int) -> None:
        """Run the callouts that are due. The clock must already stand at ``now``."""
        self.callouts.run(now)
        self.run_softintr()

    # -- packets ------------------------------------------------------------------------------

    def if_input(self, ifp: Ifnet, frame: bytes, tag: object = None) -> Mbuf | None:
        """One frame arrives on ``ifp`` now. Returns the packet, which has a fate or is held.

        ``tag`` is put on the packet for the caller's own use. None: the interface type is unknown.
        """
        m = self.if_inputsw[ifp.if_type](self, ifp, frame, tag)
        if self.softintr:
            self.run_softintr()
        return m

    def schednetisr(self, fn: Callable[..., object], *args: object) -> None:
        """Run ``fn(*args)`` after the current packet: a software interrupt, so nothing recurses."""
        self.softintr.append((fn, args))

    def run_softintr(self) -> None:
        """Run what ``schednetisr`` queued, in order, until nothing is left."""
        queue = self.softintr
        while queue:
            pending = queue[:]
            queue.clear()
            for fn, args in pending:
                fn(*args)

    def poll_tx(self) -> Iterator[tuple[Ifnet, bytes, Mbuf | None]]:
        """Frames that the kernel wants on the wire, oldest first; empties the queue."""
        while self.txq:
            batch = self.txq
            self.txq = []
            yield from batch

    # -- interfaces ---------------------------------------------------------------------------

    def ifunit(self, name: str) -> Ifnet | None:
        """The interface of that name."""
        for ifp in self.ifnets:
            if ifp.if_name == name:
                return ifp
        return None

    def ifbyindex(self, index: int) -> Ifnet | None:
        """The interface of that index (from 1)."""
        return self.ifindex.get(index)
