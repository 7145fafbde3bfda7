# SPDX-License-Identifier: BSD-3-Clause
"""Ask our own kernel the same odd packets, in virtual time."""

from __future__ import annotations

from kame_py.boot import boot, ether_attach
from kame_py.kern.clock import MS, NS, VirtualClock
from kame_py.kern.conf import KernConf
from kame_py.kern.kernel import Kernel
from kame_py.kern.mbuf import Fate
from kame_py.net.if_ import Ifnet
from kame_py.netinet6.in6 import in6_update_ifa
from kame_py.netinet6.in6_ifattach import if_up
from kame_py.wire.cksum import in6_cksum
from kame_py.wire.codecs import EtherHeader, Ip6Hdr, NdNeighborAdvert, NdNeighborSolicit
from kame_py.wire.const import ETHERTYPE_IPV6, IPPROTO_ICMPV6, ND_NEIGHBOR_SOLICIT
from kame_py.wire.in6addr import IN6ADDR_ANY
from kame_py.wire.nd6opt import build_lladdr_opt
from kame_py.wire.patch import put_u16
from tests.differential.answers import summarise
from tests.differential.odd_packets import CASES, SENDER_MAC, VICTIM, VICTIM_MAC, Odd

SETTLE_NS = 5 * NS
ASK_NS = 20 * MS  # all cases together stay below the 60 s of reassembly


class KameVictim:
    """One kernel on a wire whose other end answers every neighbour solicitation."""

    def __init__(self) -> None:
        self.clock = VirtualClock()
        self.kern: Kernel = boot("victim", KernConf(), self.clock)
        self.kern.sysctl.write("net.inet6.icmp6.errppslimit", 0x7FFFFFFF)
        self.ifp: Ifnet = ether_attach(self.kern, "fxp0", VICTIM_MAC)
        if_up(self.kern, self.ifp)
        in6_update_ifa(self.kern, self.ifp, VICTIM, 64)
        self.run(SETTLE_NS)

    def run(self, span_ns: int) -> list[bytes]:
        """Let time pass; the frames that came out, solicitations answered on the way."""
        frames: list[bytes] = []
        end = self.clock.t + span_ns
        while True:
            for _ifp, frame, _m in self.kern.poll_tx():
                frames.append(frame)
                self._answer(frame)
            if self.kern.txq:
                continue
            due = self.kern.next_deadline()
            if due is None or due > end:
                break
            self.clock.t = max(self.clock.t, due)
            self.kern.advance(self.clock.t)
        self.clock.t = end
        return frames

    def _answer(self, frame: bytes) -> None:
        data = frame[EtherHeader.SIZE :]
        ip6, body = Ip6Hdr.unpack(data), data[Ip6Hdr.SIZE :]
        asks = ip6.ip6_nxt == IPPROTO_ICMPV6 and body[0] == ND_NEIGHBOR_SOLICIT
        if not asks or ip6.ip6_src == IN6ADDR_ANY:
            return
        target = NdNeighborSolicit.unpack(body).nd_ns_target
        advert = NdNeighborAdvert(nd_na_flags_reserved=0x60000000, nd_na_target=target).pack()
        advert += build_lladdr_opt(2, SENDER_MAC)
        advert = put_u16(advert, 2, in6_cksum(target, ip6.ip6_src, IPPROTO_ICMPV6, advert))
        head = Ip6Hdr(
            ip6_plen=len(advert),
            ip6_nxt=IPPROTO_ICMPV6,
            ip6_hlim=255,
            ip6_src=target,
            ip6_dst=ip6.ip6_src,
        )
        self.send(VICTIM_MAC, head.pack() + advert)

    def send(self, mac: bytes, packet: bytes) -> None:
        head = EtherHeader(ether_dhost=mac, ether_shost=SENDER_MAC, ether_type=ETHERTYPE_IPV6)
        self.kern.if_input(self.ifp, head.pack() + packet)

    def ask(self, case: Odd) -> list[str]:
        for packet in case.packets:
            self.send(case.mac, packet)
        return [line for frame in self.run(ASK_NS) if (line := summarise(frame)) is not None]


def ask_all() -> tuple[dict[str, list[str]], Kernel]:
    """Every case's answers, and the kernel after a minute more for reassembly timers."""
    victim = KameVictim()
    answers = {case.name: victim.ask(case) for case in CASES}
    victim.run(61 * NS)
    return answers, victim.kern


def balanced(kern: Kernel) -> bool:
    """Whether every packet of the kernel has exactly one fate, with none still waiting."""
    return kern.created == sum(kern.fates.values()) and not kern.fates[Fate.HELD]
