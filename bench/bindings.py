# SPDX-License-Identifier: BSD-3-Clause
"""Very many mobile nodes, and the binding updates that each of them sends."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from bench.correspondent import CN, COA, MN
from kame_py.boot import boot, ether_attach, rawip_attach
from kame_py.kern.clock import NS, VirtualClock
from kame_py.kern.conf import KernConf
from kame_py.kern.kernel import Kernel
from kame_py.mip6.mip6_var import MIP6_CONFIG_TYPE_HA, mip6_state
from kame_py.net.if_ import Ifnet
from kame_py.net.route import RTM_ADD, LinkAddr, rtrequest
from kame_py.netinet6.in6 import in6_update_ifa
from kame_py.netinet6.in6_ifattach import if_up
from kame_py.wire.codecs import EtherHeader, Ip6Hdr, Ip6OptHomeAddress
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
from kame_py.wire.mip6_draft15 import WIRE

LIFETIME_S: Final = 3600
MAC: Final = bytes.fromhex("00a024660077")
ROUTER_MAC: Final = bytes.fromhex("0090270000a1")
NUMBER: Final = 4  # octets of an address that tell mobile nodes apart
HOME_FLAGS: Final = IP6_MIP6_BU_ACK | IP6_MIP6_BU_HOME
MAX_ENTRIES: Final = 1 << 30


def _addr(text: str) -> bytes:
    addr = pton(text)
    assert addr is not None
    return addr


HA: Final = _addr("2001:db8:1::1")
ROUTER: Final = _addr("2001:db8:1::fe")
HOME: Final = _addr("2001:db8:1::1000:0")


def update(src: bytes, dst: bytes, hoa: bytes, flags: int, seqno: int, lifetime_s: int) -> bytes:
    """One packet: home address option and update, without authentication."""
    bu = BindingUpdate(flags, seqno, lifetime_s)
    options = [WIRE.aligned(HomeAddress(hoa)), WIRE.aligned(bu)]
    body = build_options(IPPROTO_NONE, options)
    ip6 = Ip6Hdr(ip6_plen=len(body), ip6_nxt=IPPROTO_DSTOPTS, ip6_hlim=64, ip6_src=src, ip6_dst=dst)
    return ip6.pack() + body


def numbered(packet: bytes, hoa: bytes, count: int, first: int = 0) -> Iterator[bytes]:
    """The packet for so many mobile nodes: care-of and home address end with their number."""
    src = Ip6Hdr.O_ip6_src + len(hoa)
    home = packet.index(hoa, src) + len(hoa)
    a, b, c = packet[: src - NUMBER], packet[src : home - NUMBER], packet[home:]
    for number in range(first, first + count):
        n = number.to_bytes(NUMBER, "big")
        yield a + n + b + n + c
