# SPDX-License-Identifier: BSD-3-Clause
"""A stage for conformance stories: a node under test, and a tester that plays everybody else.

The tester hears every frame of its links and sends whatever the story wants, in the name of any
station. All of it happens in virtual time.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from kame_py.kern.clock import NS
from kame_py.kern.conf import KernConf
from kame_py.lab.lan import Lan, Port
from kame_py.lab.world import World
from kame_py.net.if_ import IFF_PROMISC, IFF_UP, IFT_ETHER, Ifnet
from kame_py.net.route import Rtentry
from kame_py.netinet6.in6_var import In6Ifaddr
from kame_py.netinet6.nd6_state import STATE_NAMES
from kame_py.netinet6.nd6_var import LlinfoNd6
from kame_py.netinet6.scope6 import in6_clearscope, in6_embedscope
from kame_py.wire.codecs import EtherHeader, Ip6Hdr
from kame_py.wire.const import ETHERTYPE_IPV6
from kame_py.wire.in6addr import IN6_IS_ADDR_LINKLOCAL, ether_multicast, ntop
from tests.scenario.words import Heard, Want, addr, expect, na, tll

MAC: Final = bytes.fromhex("00a024660077")  # the node under test on lan
MAC2: Final = bytes.fromhex("00a024660088")  # and on lan2
PEER_MAC: Final = bytes.fromhex("009027000001")
PEER_MAC2: Final = bytes.fromhex("009027000002")
ROUTER_MAC: Final = bytes.fromhex("0090270000a1")
ROUTER2_MAC: Final = bytes.fromhex("0090270000a2")
LL: Final = "fe80::2a0:24ff:fe66:77"
GLOBAL: Final = "2001:db8:1::77"
AUTO: Final = "2001:db8:1:0:2a0:24ff:fe66:77"  # from an advertised 2001:db8:1::/64
GLOBAL2: Final = "2001:db8:2::77"  # on lan2
PEER: Final = "fe80::290:27ff:fe00:1"
PEER_G: Final = "2001:db8:1::9"
ROUTER: Final = "fe80::290:27ff:fe00:a1"
ROUTER2: Final = "fe80::290:27ff:fe00:a2"
FAR: Final = "2001:db8:f::1"  # beyond any router
ALLNODES: Final = "ff02::1"
MLD_NXT: Final = 0  # packets of MLD begin with a hop-by-hop header
_MCAST: Final = 0xFF


class Tester:
    """Everybody but the node under test, on one link.

    neighbours: address -> MAC for whom it answers solicitations.
    """

    def __init__(self, world: World, lan: Lan) -> None:
        self.world = world
        self.lan = lan
        self.neighbours: dict[str, bytes] = {}
        self.frames: list[Heard] = []
        ifp = Ifnet("tn0", IFT_ETHER, 1500, IFF_UP | IFF_PROMISC, bytes.fromhex("02000000ff01"))
        self.port = Port(self, "tn", ifp)
        lan.plug(self.port)

    def receive(self, port: Port, frame: bytes) -> None:
        heard = Heard(self.world.now(), frame)
        self.frames.append(heard)
        facts = heard.facts()
        target = facts.get("target")
        if facts.get("icmp6") == "ns" and isinstance(target, str) and target in self.neighbours:
            src = str(facts["src"])
            if src != "::":
                mac = self.neighbours[target]
                flags = "RSO" if mac in (ROUTER_MAC, ROUTER2_MAC) else "SO"
                answer = na(target, flags, target, src, tll(mac))
                self.send(answer, mac)

    def carrier(self, port: Port, up: bool) -> None: ...

    def send(self, packet: bytes, smac: bytes = PEER_MAC, dmac: bytes = b"") -> None:
        """Put a packet on the link now; dmac b"" is the node under test or the group."""
        dst = Ip6Hdr.unpack(packet).ip6_dst
        if not dmac:
            dmac = ether_multicast(dst) if dst[0] == _MCAST else self.target_mac
        head = EtherHeader(ether_dhost=dmac, ether_shost=smac, ether_type=ETHERTYPE_IPV6)
        self.lan.send(self.port, head.pack() + packet, None)

    target_mac = MAC


class Stage:
    """One node under test on ``lan``, and on ``lan2`` when ``links`` is 2; the tester on both.

    A host accepts router advertisements; a router forwards. Duplicate detection is over and the
    tester has forgotten what it heard, unless ``fresh``.
    """

    def __init__(
        self,
        *,
        router: bool = False,
        links: int = 1,
        globals_: bool = False,
        fresh: bool = False,
        seed: int = 1,
        kernel: KernConf | str = "",
        **ip6: int,
    ) -> None:
        self.world = World(seed)
        self.nut = self.world.add_node("nut", kernel or ())
        self.kern = self.nut.kernel
        self.kern.ip6.ip6_forwarding = int(router)
        self.kern.ip6.ip6_accept_rtadv = int(not router)
        for name, value in ip6.items():
            setattr(self.kern.ip6, name, value)
        self.lan = self.world.add_link("lan")
        self.tn = Tester(self.world, self.lan)
        self.ifp = self.nut.attach("fxp0", self.lan, MAC)
        if links == 2:
            lan2 = self.world.add_link("lan2")
            self.tn2 = Tester(self.world, lan2)
            self.tn2.target_mac = MAC2
            self.ifp2 = self.nut.attach("fxp1", lan2, MAC2)
        if globals_:
            self.run(f"ifconfig fxp0 inet6 {GLOBAL} prefixlen 64 alias")
            if links == 2:
                self.run(f"ifconfig fxp1 inet6 {GLOBAL2} prefixlen 64 alias")
        if not fresh:
            self.wait(60)
            self.forget()

    # -- time -------------------------------------------------------------------------------------

    def run(self, commands: str) -> str:
        """Commands on the node under test; their output."""
        done = self.nut.run(commands)
        assert done.status == 0, done
        return done.out

    @property
    def now(self) -> int:
        return self.world.now()

    def wait(self, seconds: float) -> None:
        self.world.run_ns(self.now + round(seconds * NS))

    def until(self, t_ns: int) -> None:
        assert t_ns >= self.now
        self.world.run_ns(t_ns)

    # -- talking ----------------------------------------------------------------------------------

    def send(self, packet: bytes, smac: bytes = PEER_MAC, dmac: bytes = b"") -> None:
        """The tester sends a packet; all that follows at this instant happens."""
        self.tn.send(packet, smac, dmac)
        self.settle()

    def send2(self, packet: bytes, smac: bytes = PEER_MAC) -> None:
        """The same on lan2."""
        self.tn2.send(packet, smac)
        self.settle()

    def settle(self) -> None:
        self.nut.kick()
        self.world.run_ns(self.now)

    def take(self, tn: Tester | None = None) -> list[Heard]:
        """What the tester heard since the last time, without multicast listener discovery."""
        tn = tn or self.tn
        heard, tn.frames = tn.frames, []
        return [h for h in heard if h.ip6.ip6_nxt != MLD_NXT]

    def only(self, *wants: Want, tn: Tester | None = None) -> Heard:
        """Exactly one frame was heard, and it fits."""
        heard = self.take(tn)
        assert len(heard) == 1, heard
        return expect(heard[0], *wants)

    def nothing(self, tn: Tester | None = None) -> None:
        assert self.take(tn) == []

    def find(self, want: Want, heard: Iterable[Heard] | None = None) -> list[Heard]:
        """The frames among those heard that fit."""
        return [h for h in (self.take() if heard is None else heard) if not want.misses(h)]

    def forget(self) -> None:
        """Forget frames and counters."""
        self.take()
        self.kern.stats.ip6.clear()
        self.kern.stats.icmp6.clear()
        self.kern.stats.udp6.clear()
        self.kern.stats.mip6.clear()
        self.kern.drops.clear()

    # -- looking ----------------------------------------------------------------------------------

    def drops(self) -> dict[str, int]:
        return {k: v for k, v in self.kern.drops.items() if v}

    def kernel_form(self, who: str) -> bytes:
        return in6_embedscope(addr(who), self.ifp.if_index)

    def route(self, who: str) -> Rtentry | None:
        return self.kern.rt.exact(self.kernel_form(who), 128)

    def entry(self, who: str = PEER) -> LlinfoNd6:
        rt = self.route(who)
        assert rt is not None and rt.rt_llinfo is not None
        return rt.rt_llinfo

    def state(self, who: str = PEER) -> str:
        """Name of the neighbour's state, "none" without an entry."""
        rt = self.route(who)
        if rt is None or rt.rt_llinfo is None:
            return "none"
        return STATE_NAMES[rt.rt_llinfo.ln_state]

    def ia(self, who: str) -> In6Ifaddr | None:
        want = self.kernel_form(who)
        return next((ia for ia in self.ifp.in6_addrs if ia.ia_addr == want), None)

    def addresses(self) -> list[str]:
        """Addresses of fxp0 but the link-local one."""
        addrs = [ia.ia_addr for ia in self.ifp.in6_addrs]
        return [ntop(a) for a in addrs if not IN6_IS_ADDR_LINKLOCAL(a)]

    def routers(self) -> list[str]:
        """The default router list."""
        return [ntop(in6_clearscope(dr.rtaddr)) for dr in self.kern.nd6.defrouters]

    def conserved(self) -> None:
        """Every packet has one fate."""
        assert sum(self.kern.fates.values()) == self.kern.created
