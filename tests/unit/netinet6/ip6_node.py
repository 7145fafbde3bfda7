# SPDX-License-Identifier: BSD-3-Clause
"""A booted kernel on two links without link-layer addresses, and packets to throw at it."""

from __future__ import annotations

from kame_py.boot import boot, rawip_attach
from kame_py.kern.clock import NS, VirtualClock
from kame_py.kern.conf import KernConf
from kame_py.kern.kernel import Kernel
from kame_py.kern.mbuf import Fate, Mbuf
from kame_py.net.if_ import Ifnet
from kame_py.netinet6.in6 import in6_update_ifa
from kame_py.netinet6.in6_ifattach import if_up
from kame_py.wire.cksum import in6_cksum
from kame_py.wire.codecs import Icmp6Echo, Icmp6Hdr, Ip6Hdr
from kame_py.wire.const import ICMP6_ECHO_REPLY, ICMP6_ECHO_REQUEST, IPPROTO_ICMPV6
from kame_py.wire.in6addr import pton
from kame_py.wire.snap import INFINITE


def addr(text: str) -> bytes:
    """An address that the test knows to be one."""
    got = pton(text)
    assert got is not None
    return got


US1 = addr("2001:db8:1::1")  # on rip0
US2 = addr("2001:db8:2::1")  # on rip1
PEER1 = addr("2001:db8:1::9")  # beyond rip0
PEER2 = addr("2001:db8:2::9")  # beyond rip1
STRANGER = addr("2001:db8:dead::1")  # no route leads there


class Node:
    """kern with rip0 (index 2) and rip1 (index 3), quiet: nothing waits to be sent."""

    def __init__(self, *options: str, forwarding: int = 0, gif: int = 0) -> None:
        self.clock = VirtualClock()
        self.kern: Kernel = boot("n", KernConf(frozenset(options), gif=gif), self.clock, seed=1)
        kern = self.kern
        kern.ip6.ip6_dad_count = 0
        kern.ip6.ip6_forwarding = forwarding
        kern.icmp6.icmp6errppslim = -1
        self.rip0 = self._link("rip0", US1)
        self.rip1 = self._link("rip1", US2)
        self.wait(60)
        self.quiet()

    def _link(self, name: str, ours: bytes) -> Ifnet:
        ifp = rawip_attach(self.kern, name)
        if_up(self.kern, ifp)
        in6_update_ifa(self.kern, ifp, ours, 64, 0, INFINITE, INFINITE, None)
        return ifp

    def quiet(self) -> None:
        """Forget what happened until now."""
        kern = self.kern
        kern.run_softintr()
        list(kern.poll_tx())
        for table in (kern.stats.ip6, kern.stats.icmp6, kern.stats.udp6, kern.stats.rip6):
            table.clear()
        kern.drops.clear()
        for ifp in kern.ifnets:
            ifp.in6_ifstat.clear()
            ifp.icmp6_ifstat.clear()

    def wait(self, seconds: int) -> None:
        """Let time pass, deadline by deadline."""
        self.until(self.clock.t + seconds * NS)

    def until(self, end: int) -> None:
        while (due := self.kern.next_deadline()) is not None and due <= end:
            self.clock.t = max(due, self.clock.t)
            self.kern.advance(self.clock.t)
        self.clock.t = end

    def receive(self, packet: bytes, ifp: Ifnet | None = None) -> Mbuf:
        m = self.kern.if_input(ifp or self.rip0, packet)
        assert m is not None
        self.conserved()
        return m

    def sent(self) -> list[tuple[str, bytes]]:
        """What went out since the last call: (interface, packet)."""
        return [(ifp.if_name, frame) for ifp, frame, _ in self.kern.poll_tx()]

    def counters(self) -> dict[str, int]:
        return self.kern.stats.nonzero()

    def ifcounters(self, ifp: Ifnet) -> dict[str, int]:
        return {k: v for k, v in ifp.in6_ifstat.items() if v}

    def conserved(self) -> None:
        """Every packet that was made has one fate."""
        assert sum(self.kern.fates.values()) == self.kern.created


def ip6(
    payload: bytes = b"",
    nxt: int = 59,
    src: bytes = PEER1,
    dst: bytes = US1,
    hlim: int = 64,
    plen: int | None = None,
    flow: int = 0x60000000,
) -> bytes:
    """An IPv6 packet; plen None is the true length."""
    return (
        Ip6Hdr(
            ip6_flow=flow,
            ip6_plen=len(payload) if plen is None else plen,
            ip6_nxt=nxt,
            ip6_hlim=hlim,
            ip6_src=src,
            ip6_dst=dst,
        ).pack()
        + payload
    )


def icmp6(src: bytes, dst: bytes, message: bytes) -> bytes:
    """The message with its checksum."""
    head = Icmp6Hdr.unpack(message)
    head.icmp6_cksum = 0
    body = head.pack() + message[Icmp6Hdr.SIZE :]
    head.icmp6_cksum = in6_cksum(src, dst, IPPROTO_ICMPV6, body)
    return head.pack() + message[Icmp6Hdr.SIZE :]


def echo(
    src: bytes = PEER1, dst: bytes = US1, data: bytes = b"ping", kind: int = ICMP6_ECHO_REQUEST
) -> bytes:
    """An echo message, checksummed for these addresses."""
    head = Icmp6Echo(icmp6_type=kind, icmp6_id=7, icmp6_seq=1)
    return icmp6(src, dst, head.pack() + data)


def echo_reply(data: bytes = b"ping", src: bytes = US1, dst: bytes = PEER1) -> bytes:
    """The packet that answers ``echo``."""
    return ip6(echo(src, dst, data, ICMP6_ECHO_REPLY), IPPROTO_ICMPV6, src, dst)


def error(
    quoted: bytes, kind: int, code: int, param: int = 0, src: bytes = US1, dst: bytes = PEER1
) -> bytes:
    """The ICMPv6 error about ``quoted``, as this node sends it."""
    head = Icmp6Hdr(icmp6_type=kind, icmp6_code=code, icmp6_data32=param)
    return ip6(icmp6(src, dst, head.pack() + quoted[:1232]), IPPROTO_ICMPV6, src, dst)


def fate(m: Mbuf) -> tuple[Fate | None, str]:
    return m.fate, m.reason.name if m.reason is not None else ""


def name_bytes(value: object) -> str | None:
    """A short name for raw bytes in a test's parameters."""
    return f"{len(value)}octets" if isinstance(value, bytes) else None
