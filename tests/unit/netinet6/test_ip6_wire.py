# SPDX-License-Identifier: BSD-3-Clause
"""Kernels on one Ethernet: resolution, ping, forwarding, redirect, from power-on."""

from __future__ import annotations

from kame_py.boot import boot, ether_attach
from kame_py.kern.clock import NS, VirtualClock
from kame_py.kern.conf import KernConf
from kame_py.kern.kernel import Kernel
from kame_py.kern.mbuf import Fate, Mbuf, m_get
from kame_py.net.if_ import Ifnet
from kame_py.net.route import RTF_GATEWAY, RTM_ADD, rtrequest
from kame_py.netinet6.in6 import in6_update_ifa
from kame_py.netinet6.in6_ifattach import if_up
from kame_py.netinet6.ip6_output import ip6_output
from kame_py.netinet6.scope6 import in6_addrzone
from kame_py.wire.const import ICMP6_ECHO_REPLY, IPPROTO_ICMPV6, ND_REDIRECT
from kame_py.wire.snap import INFINITE
from tests.unit.netinet6.ip6_node import addr, echo, echo_reply, ip6

NET1 = "2001:db8:1::"
NET2 = "2001:db8:2::"


class Wire:
    """Kernels joined by hubs: what one sends on a segment all others on it hear at once."""

    def __init__(self) -> None:
        self.clock = VirtualClock()
        self.kernels: list[Kernel] = []
        self.segment: dict[Ifnet, tuple[Kernel, int]] = {}
        self.log: list[tuple[str, bytes]] = []

    def node(self, name: str, *links: tuple[int, str]) -> Kernel:
        """A kernel with fxp0, fxp1 ... on the given (segment, address)."""
        kern = boot(name, KernConf(), self.clock)
        self.kernels.append(kern)
        for unit, (segment, text) in enumerate(links):
            mac = bytes([2, 0, 0, segment, unit, len(self.kernels)])
            ifp = ether_attach(kern, f"fxp{unit}", mac)
            self.segment[ifp] = (kern, segment)
            if_up(kern, ifp)
            in6_update_ifa(kern, ifp, addr(text), 64, 0, INFINITE, INFINITE, None)
        return kern

    def pump(self) -> None:
        """Carry frames until the wires are silent."""
        busy = True
        while busy:
            busy = False
            for kern in self.kernels:
                kern.run_softintr()
                for ifp, frame, _ in list(kern.poll_tx()):
                    busy = True
                    self.log.append((kern.name, frame))
                    for other, (peer, segment) in self.segment.items():
                        if other is not ifp and segment == self.segment[ifp][1]:
                            peer.if_input(other, frame)

    def run(self, seconds: int) -> None:
        """Let all kernels live for a while."""
        end = self.clock.t + seconds * NS
        self.pump()
        while True:
            due = [d for k in self.kernels if (d := k.next_deadline()) is not None and d <= end]
            if not due:
                break
            self.clock.t = max(self.clock.t, min(due))
            for kern in self.kernels:
                kern.advance(self.clock.t)
            self.pump()
        self.clock.t = end

    def ping(self, kern: Kernel, src: str, dst: str, data: bytes = b"ping") -> Mbuf:
        """Send one echo request and carry what follows from it."""
        a, b = addr(src), addr(dst)
        m = m_get(kern, ip6(echo(a, b, data), IPPROTO_ICMPV6, a, b))
        m.src, m.dst = a, b
        assert ip6_output(kern, m) == 0
        self.pump()
        return m

    def packets(self, name: str) -> list[bytes]:
        """What a node has sent, without Ethernet headers; forgets it."""
        got = [frame[14:] for who, frame in self.log if who == name]
        self.log.clear()
        return got

    def conserved(self) -> None:
        for kern in self.kernels:
            assert sum(kern.fates.values()) == kern.created


def test_two_kernels_resolve_each_other_and_ping() -> None:
    wire = Wire()
    a = wire.node("a", (1, NET1 + "a"))
    b = wire.node("b", (1, NET1 + "b"))
    wire.run(10)
    wire.log.clear()
    m = wire.ping(a, NET1 + "a", NET1 + "b")
    assert m.fate is Fate.TRANSMITTED
    kinds = [(who, frame[14 + 40]) for who, frame in wire.log]
    assert kinds == [("a", 135), ("b", 136), ("a", 128), ("b", 129)]
    assert wire.log[-1][1][14:] == echo_reply(src=addr(NET1 + "b"), dst=addr(NET1 + "a"))
    assert b.stats.icp6s_inhist[128] == 1
    assert a.stats.icp6s_inhist[129] == 1
    wire.run(100)
    wire.conserved()


def test_a_large_ping_is_fragmented_both_ways() -> None:
    wire = Wire()
    a = wire.node("a", (1, NET1 + "a"))
    wire.node("b", (1, NET1 + "b"))
    wire.run(10)
    wire.ping(a, NET1 + "a", NET1 + "b")
    wire.log.clear()
    wire.ping(a, NET1 + "a", NET1 + "b", bytes(4000))
    assert [who for who, _ in wire.log] == ["a", "a", "a", "b", "b", "b"]
    assert a.stats.ip6["ip6s_reassembled"] == 1
    assert a.stats.icp6s_inhist[ICMP6_ECHO_REPLY] == 2


def routed() -> tuple[Wire, Kernel, Kernel, Kernel]:
    """a - r - b, with default routes to r."""
    wire = Wire()
    a = wire.node("a", (1, NET1 + "a"))
    r = wire.node("r", (1, NET1 + "1"), (2, NET2 + "1"))
    b = wire.node("b", (2, NET2 + "b"))
    r.ip6.ip6_forwarding = 1
    wire.run(10)
    rtrequest(a, RTM_ADD, bytes(16), 0, addr(NET1 + "1"), RTF_GATEWAY)
    rtrequest(b, RTM_ADD, bytes(16), 0, addr(NET2 + "1"), RTF_GATEWAY)
    wire.log.clear()
    return wire, a, r, b


def test_a_router_passes_a_ping_and_its_answer() -> None:
    wire, a, r, _ = routed()
    wire.ping(a, NET1 + "a", NET2 + "b")
    assert a.stats.icp6s_inhist[ICMP6_ECHO_REPLY] == 1
    assert r.fates[Fate.FORWARDED] == 2
    assert r.stats.ip6["ip6s_forward"] == 2
    forwarded = [p for p in wire.packets("r") if p[40] in (128, 129)]
    assert [p[7] for p in forwarded] == [63, 63]
    wire.conserved()


def test_a_destination_that_is_silent_is_reported_unreachable() -> None:
    wire, a, r, _ = routed()
    wire.ping(a, NET1 + "a", NET2 + "dead")
    wire.run(10)
    assert a.stats.icp6s_inhist[1] == 1
    assert r.drops["ND6_UNREACH"] == 1
    wire.conserved()


def test_a_better_first_hop_on_the_same_link_is_told_by_redirect() -> None:
    wire, a, r, _ = routed()
    c = wire.node("c", (1, NET1 + "c"))
    wire.run(10)
    gateway = next(a.ia_addr for a in c.ifnets[1].in6_addrs if in6_addrzone(a.ia_addr))
    rtrequest(r, RTM_ADD, addr("2001:db8:3::"), 64, gateway, RTF_GATEWAY)
    wire.log.clear()
    wire.ping(a, NET1 + "a", "2001:db8:3::9")
    assert r.stats.ip6["ip6s_redirectsent"] == 1
    kinds = [p[40] for p in wire.packets("r")]
    assert ND_REDIRECT in kinds
    assert c.drops["IP6_NOTFORUS"] == 1
    wire.conserved()
