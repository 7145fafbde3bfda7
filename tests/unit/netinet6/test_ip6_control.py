# SPDX-License-Identifier: BSD-3-Clause
"""Ancillary data: only what the socket asked for, with the right values."""

from __future__ import annotations

import pytest

from kame_py.kern.mbuf import Mbuf
from kame_py.kern.uipc_socket import Socket
from kame_py.netinet6 import in6_pcb
from kame_py.netinet6.in6_pcb import In6pcb
from kame_py.netinet6.ip6_control import ip6_savecontrol
from kame_py.wire.const import IPPROTO_DSTOPTS, IPPROTO_HOPOPTS, IPPROTO_ROUTING, IPPROTO_UDP
from kame_py.wire.ip6ext import build_rthdr0
from kame_py.wire.sockaddr import (
    AF_INET6,
    IPPROTO_IPV6,
    IPV6_DSTOPTS,
    IPV6_HOPLIMIT,
    IPV6_HOPOPTS,
    IPV6_PKTINFO,
    IPV6_RTHDR,
    SO_TIMESTAMP,
    SOCK_DGRAM,
    SOL_SOCKET,
    Cmsg,
)
from tests.unit.netinet6.ip6_node import US1, Node, addr, ip6

PAD = bytes.fromhex("01 04 00 00 00 00")
HBH = bytes([IPPROTO_DSTOPTS, 0]) + PAD
DEST1 = bytes([IPPROTO_ROUTING, 0]) + PAD
RTHDR = build_rthdr0(IPPROTO_DSTOPTS, [US1], 0)
DEST2 = bytes([IPPROTO_UDP, 0]) + PAD
PACKET = ip6(HBH + DEST1 + RTHDR + DEST2 + bytes(8), IPPROTO_HOPOPTS, hlim=61)


def control(flags: int, options: int = 0, dst: bytes = US1) -> tuple[Cmsg, ...]:
    node = Node()
    so = Socket(AF_INET6, SOCK_DGRAM, 0, None)  # type: ignore[arg-type]  # the protocol is not asked
    so.pcb = In6pcb(so, in6p_flags=flags)
    so.so_options = options
    m = Mbuf(PACKET, node.rip0)
    m.dst = dst
    return ip6_savecontrol(node.kern, so, m)


@pytest.mark.parametrize(
    ("flag", "value"),
    [
        ("IN6P_PKTINFO", Cmsg(IPPROTO_IPV6, IPV6_PKTINFO, (US1, 2))),
        ("IN6P_HOPLIMIT", Cmsg(IPPROTO_IPV6, IPV6_HOPLIMIT, 61)),
        ("IN6P_HOPOPTS", Cmsg(IPPROTO_IPV6, IPV6_HOPOPTS, HBH)),
        ("IN6P_RTHDR", Cmsg(IPPROTO_IPV6, IPV6_RTHDR, RTHDR)),
        ("IN6P_DSTOPTS", Cmsg(IPPROTO_IPV6, IPV6_DSTOPTS, DEST2)),
        ("IN6P_RTHDRDSTOPTS", Cmsg(IPPROTO_IPV6, IPV6_DSTOPTS, DEST1)),
    ],
)
def test_each_flag_brings_its_datum(flag: str, value: Cmsg) -> None:
    assert control(getattr(in6_pcb, flag)) == (value,)


def test_nothing_asked_nothing_told() -> None:
    assert control(0) == ()


def test_a_scoped_destination_is_told_without_its_zone_but_with_the_interface() -> None:
    ((_, _, value),) = control(in6_pcb.IN6P_PKTINFO, dst=addr("fe80:3::1"))
    assert value == (addr("fe80::1"), 3)


def test_the_time_of_arrival_is_real_time() -> None:
    ((level, kind, value),) = control(0, SO_TIMESTAMP)
    assert (level, kind) == (SOL_SOCKET, SO_TIMESTAMP)
    assert isinstance(value, int)
    assert value > 10**18
