# SPDX-License-Identifier: BSD-3-Clause
"""Very many mobile nodes, the nodes that bind them, and the binding updates that each sends."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from bench.correspondent import CN, COA, MN
from bench.home_agent import HA, HOME, MAC, ROUTER_MAC
from kame_py.boot import boot, ether_attach, rawip_attach
from kame_py.kern.clock import MS, NS, VirtualClock
from kame_py.kern.conf import KernConf
from kame_py.kern.kernel import Kernel
from kame_py.mip6.mip6_var import MIP6_CONFIG_TYPE_HA, Mip6State, mip6_state
from kame_py.net.if_ import Ifnet
from kame_py.net.route import (
    RTF_GATEWAY,
    RTF_HOST,
    RTF_LLINFO,
    RTF_STATIC,
    RTM_ADD,
    LinkAddr,
    rtrequest,
)
from kame_py.netinet6.in6 import in6_update_ifa
from kame_py.netinet6.in6_ifattach import if_up
from kame_py.wire.codecs import EtherHeader, Ip6Hdr
from kame_py.wire.const import (
    ETHERTYPE_IPV6,
    IP6_MIP6_BU_ACK,
    IP6_MIP6_BU_HOME,
    IPPROTO_DSTOPTS,
    IPPROTO_NONE,
)
from kame_py.wire.in6addr import IN6ADDR_ANY, pton
from kame_py.wire.ip6ext import build_options
from kame_py.wire.mip6 import BindingUpdate, HomeAddress
from kame_py.wire.mip6_draft15 import IP6_MIP6_BU_SINGLE, WIRE

LIFETIME_S: Final = 3600
NUMBER: Final = 4  # octets of an address that tell mobile nodes apart
HOME_FLAGS: Final = IP6_MIP6_BU_ACK | IP6_MIP6_BU_HOME | IP6_MIP6_BU_SINGLE
NO_LIMIT: Final = 1 << 30  # entries of a cache
UPDATES_PER_MS: Final = 1
SETTLED_NS: Final = 20 * NS  # then no advertisement or report is left to be repeated


def _addr(text: str) -> bytes:
    addr = pton(text)
    assert addr is not None
    return addr


ROUTER: Final = _addr("2001:db8:1::fe")


def _unlimited(kern: Kernel) -> Mip6State:
    state = mip6_state(kern)
    state.config.mcfg_use_authdata = 0  # mip6control -T 0
    state.bc_maxentries = state.hrbc_maxentries = NO_LIMIT
    return state


class Binder:
    """A node that takes binding updates."""

    def __init__(self, kern: Kernel, ifp: Ifnet, packet: bytes, hoa: bytes) -> None:
        self.kern = kern
        self.ifp = ifp
        self._packet = packet
        self._hoa = hoa
        self.wait(5 * NS)

    @property
    def clock(self) -> VirtualClock:
        clock = self.kern.clock
        assert isinstance(clock, VirtualClock)
        return clock

    def wait(self, ns: int) -> None:
        """Time passes, every timer at its own time; nobody reads what the node sends."""
        end = self.clock.t + ns
        while (deadline := self.kern.next_deadline()) is not None and deadline <= end:
            self.clock.t = max(self.clock.t, deadline)
            self.kern.advance(self.clock.t)
            self.kern.txq.clear()
        self.clock.t = end

    def bind(self, count: int, first: int = 0) -> None:
        """So many mobile nodes send their update, one in a millisecond."""
        kern, ifp = self.kern, self.ifp
        for frame in numbered(self._packet, self._hoa, count, first):
            kern.if_input(ifp, frame)
            kern.txq.clear()
            self.wait(MS // UPDATES_PER_MS)

    def homes(self, count: int) -> list[bytes]:
        """The home addresses of the first ones."""
        return list(numbered(self._hoa, self._hoa, count))


def correspondent() -> Binder:
    """On a link without addresses."""
    kern = boot("cn", KernConf(frozenset({"MIP6"})), VirtualClock())
    ifp = rawip_attach(kern, "tun0")
    if_up(kern, ifp)
    in6_update_ifa(kern, ifp, CN, 64)
    rtrequest(kern, RTM_ADD, IN6ADDR_ANY, 0, LinkAddr(ifp.if_index), 0, ifp)
    _unlimited(kern)
    return Binder(kern, ifp, update(COA, CN, MN, IP6_MIP6_BU_ACK), MN)


def home_agent() -> Binder:
    """On an Ethernet, with a router."""
    kern = boot("ha", KernConf(frozenset({"MIP6"})), VirtualClock())
    ifp = ether_attach(kern, "fxp0", MAC)
    kern.ip6.ip6_dad_count = 0
    kern.ip6.ip6_forwarding = 1
    if_up(kern, ifp)
    in6_update_ifa(kern, ifp, HA, 64)
    link = LinkAddr(ifp.if_index, ROUTER_MAC)
    rtrequest(kern, RTM_ADD, ROUTER, 128, link, RTF_STATIC | RTF_HOST | RTF_LLINFO, ifp)
    rtrequest(kern, RTM_ADD, IN6ADDR_ANY, 0, ROUTER, RTF_GATEWAY, ifp)
    _unlimited(kern).config.mcfg_type = MIP6_CONFIG_TYPE_HA
    ether = EtherHeader(ether_dhost=MAC, ether_shost=ROUTER_MAC, ether_type=ETHERTYPE_IPV6)
    return Binder(kern, ifp, ether.pack() + update(COA, HA, HOME, HOME_FLAGS), HOME)


def update(src: bytes, dst: bytes, hoa: bytes, flags: int) -> bytes:
    """One packet: home address option and update, without authentication."""
    bu = BindingUpdate(flags, 1, LIFETIME_S)
    body = build_options(IPPROTO_NONE, [WIRE.aligned(HomeAddress(hoa)), WIRE.aligned(bu)])
    ip6 = Ip6Hdr(ip6_plen=len(body), ip6_nxt=IPPROTO_DSTOPTS, ip6_hlim=64, ip6_src=src, ip6_dst=dst)
    return ip6.pack() + body


def numbered(packet: bytes, hoa: bytes, count: int, first: int = 0) -> Iterator[bytes]:
    """The packet for so many mobile nodes: care-of and home address end with their number."""
    parts = [part + addr[:-NUMBER] for part, addr in _cut(packet, (COA, hoa))]
    rest = packet[sum(map(len, parts)) + NUMBER * len(parts) :]
    for number in range(first, first + count):
        tail = number.to_bytes(NUMBER, "big")
        yield b"".join(part + tail for part in parts) + rest


def _cut(packet: bytes, addrs: tuple[bytes, ...]) -> Iterator[tuple[bytes, bytes]]:
    """What stands in front of each address that is in the packet."""
    at = 0
    for addr in addrs:
        found = packet.find(addr, at)
        if found >= 0:
            yield packet[at:found], addr
            at = found + len(addr)
