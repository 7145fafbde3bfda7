# SPDX-License-Identifier: BSD-3-Clause
"""ip6_forward: what passes, what is refused and how that is reported."""

from __future__ import annotations

import pytest

from kame_py.kern.drop import D, drop
from kame_py.kern.hooks import IPSEC_SILENT
from kame_py.kern.kernel import Kernel
from kame_py.kern.mbuf import M_FORWARDED, M_MCAST, Fate, Mbuf, settle
from kame_py.net.if_ import IFF_POINTOPOINT
from kame_py.net.route import RTF_BLACKHOLE, RTF_GATEWAY, RTF_REJECT, RTM_ADD, rtrequest
from kame_py.wire.codecs import Ip6Hdr
from kame_py.wire.const import (
    ICMP6_DST_UNREACH,
    ICMP6_DST_UNREACH_ADDR,
    ICMP6_DST_UNREACH_BEYONDSCOPE,
    ICMP6_DST_UNREACH_NOROUTE,
    ICMP6_PACKET_TOO_BIG,
    ICMP6_TIME_EXCEED_TRANSIT,
    ICMP6_TIME_EXCEEDED,
    IPPROTO_UDP,
)
from tests.unit.netinet6.ip6_node import PEER1, PEER2, STRANGER, US1, Node, addr, error, fate, ip6


def through(payload: bytes = b"", dst: bytes = PEER2, hlim: int = 64, src: bytes = PEER1) -> bytes:
    return ip6(payload, IPPROTO_UDP, src, dst, hlim)


def test_a_packet_passes_with_its_hop_limit_one_less() -> None:
    node = Node(forwarding=1)
    m = node.receive(through(b"data"))
    assert fate(m) == (Fate.FORWARDED, "")
    assert m.flags & M_FORWARDED
    assert node.sent() == [("rip1", through(b"data", hlim=63))]
    assert node.counters() == {"ip6.ip6s_total": 1, "ip6.ip6s_forward": 1}
    assert node.ifcounters(node.rip0) == {"ifs6_in_receive": 1}
    assert node.ifcounters(node.rip1) == {"ifs6_out_forward": 1}


def test_the_switch_is_read_for_each_packet() -> None:
    node = Node()
    assert fate(node.receive(through())) == (Fate.DROPPED, "IP6_NOTFORUS")
    node.kern.sysctl.write("net.inet6.ip6.forwarding", 1)
    assert fate(node.receive(through())) == (Fate.FORWARDED, "")


def refused(node: Node, packet: bytes, reason: str, kind: int, code: int, param: int = 0) -> None:
    """One error goes back; it quotes the packet with the hop limit it had then."""
    m = node.receive(packet)
    assert fate(m) == (Fate.DROPPED, reason)
    assert node.sent() == [("rip0", error(m.data, kind, code, param))]


@pytest.mark.parametrize("hlim", [0, 1])
def test_a_spent_hop_limit_is_reported(hlim: int) -> None:
    node = Node(forwarding=1)
    packet = through(hlim=hlim)
    refused(node, packet, "IP6_HLIM", ICMP6_TIME_EXCEEDED, ICMP6_TIME_EXCEED_TRANSIT)
    assert node.counters() == {
        "icmp6.icp6s_error": 1,
        "icmp6.icp6s_otime_exceed_transit": 1,
        "icmp6.icp6s_reflect": 1,
        "ip6.ip6s_cantforward": 1,
        "ip6.ip6s_localout": 1,
        "ip6.ip6s_total": 1,
    }


def test_hop_limit_2_passes() -> None:
    node = Node(forwarding=1)
    assert fate(node.receive(through(hlim=2))) == (Fate.FORWARDED, "")


def test_a_missing_route_is_reported() -> None:
    node = Node(forwarding=1)
    packet = through(dst=STRANGER)
    refused(node, packet, "IP6_FWDNOROUTE", ICMP6_DST_UNREACH, ICMP6_DST_UNREACH_NOROUTE)
    assert node.counters()["ip6.ip6s_noroute"] == 1


def test_a_rejecting_route_is_reported_and_a_blackhole_is_not() -> None:
    node = Node(forwarding=1)
    for text, flag in (("2001:db8:a::", RTF_REJECT), ("2001:db8:b::", RTF_BLACKHOLE)):
        gateway = addr("::1")
        rtrequest(node.kern, RTM_ADD, addr(text), 48, gateway, RTF_GATEWAY | flag)
    packet = through(dst=addr("2001:db8:a::1"))
    refused(node, packet, "IP6_FWDREJECT", ICMP6_DST_UNREACH, ICMP6_DST_UNREACH_ADDR)
    m = node.receive(through(dst=addr("2001:db8:b::1")))
    assert fate(m) == (Fate.DROPPED, "IP6_FWDREJECT")
    assert node.sent() == []


@pytest.mark.parametrize(("size", "fits"), [(1400 - 40, True), (1401 - 40, False)])
def test_a_packet_larger_than_the_next_link_is_reported_with_its_mtu(size: int, fits: bool) -> None:
    node = Node(forwarding=1)
    node.rip1.if_mtu = 1400
    packet = through(bytes(size))
    if fits:
        assert fate(node.receive(packet)) == (Fate.FORWARDED, "")
    else:
        refused(node, packet, "IP6_FWDTOOBIG", ICMP6_PACKET_TOO_BIG, 0, 1400)


def test_a_link_local_source_does_not_leave_its_link() -> None:
    node = Node(forwarding=1)
    m = node.receive(through(src=addr("fe80::9")))
    assert fate(m) == (Fate.DROPPED, "IP6_FWDSCOPE")
    (where, packet) = node.sent()[0]
    assert where == "rip0"
    assert packet[40:42] == bytes([ICMP6_DST_UNREACH, ICMP6_DST_UNREACH_BEYONDSCOPE])
    assert node.counters()["ip6.ip6s_badscope"] == 1
    assert node.counters()["ip6.ip6s_cantforward"] == 1


def test_the_unspecified_source_is_not_forwarded() -> None:
    node = Node(forwarding=1)
    assert fate(node.receive(through(src=bytes(16)))) == (Fate.DROPPED, "IP6_FWDUNSPEC")
    assert node.sent() == []


def test_a_link_layer_multicast_is_not_forwarded() -> None:
    node = Node(forwarding=1)
    m = Mbuf(through(), node.rip0)
    node.kern.created += 1
    m.flags |= M_MCAST
    node.kern.ip6intr(node.kern, m)
    assert fate(m) == (Fate.DROPPED, "IP6_FWDMCAST")


def test_the_gateway_of_the_route_is_the_next_hop() -> None:
    node = Node(forwarding=1)
    rtrequest(node.kern, RTM_ADD, bytes(16), 0, PEER2, RTF_GATEWAY)
    hops: list[bytes] = []

    def link(kern: Kernel, ifp: object, m: Mbuf, dst: bytes, rt: object) -> None:
        hops.append(dst)
        settle(kern, m, Fate.FORWARDED)

    node.kern.nd6_output = link
    node.receive(through(dst=STRANGER))
    assert hops == [PEER2]


def test_back_over_a_point_to_point_link_is_a_loop() -> None:
    node = Node(forwarding=1)
    node.rip0.if_flags |= IFF_POINTOPOINT
    packet = through(dst=addr("2001:db8:1::77"))
    refused(node, packet, "IP6_FWDREJECT", ICMP6_DST_UNREACH, ICMP6_DST_UNREACH_ADDR)


def test_a_home_agent_hook_may_take_the_packet_with_its_hop_limit_already_less() -> None:
    node = Node(forwarding=1)
    taken: list[int] = []

    class Intercept(type(node.kern.mip6)):  # type: ignore[misc]  # a class made at run time
        def forward(self, kern: Kernel, m: Mbuf) -> bool:
            taken.append(Ip6Hdr.unpack(m.data).ip6_hlim)
            settle(kern, m, Fate.FORWARDED)
            return True

    node.kern.mip6 = Intercept()
    node.receive(through())
    assert taken == [63]
    assert node.sent() == []


def test_no_error_answers_an_error() -> None:
    node = Node(forwarding=1)
    packet = error(ip6(dst=PEER1, src=STRANGER), ICMP6_TIME_EXCEEDED, 0, src=PEER1, dst=STRANGER)
    assert fate(node.receive(packet)) == (Fate.DROPPED, "IP6_FWDNOROUTE")
    assert node.sent() == []
    assert US1 in node.kern.ip6.ifaddrs


@pytest.mark.parametrize(("outer_dst", "ends"), [(PEER1, None), (STRANGER, "IP6_NOROUTE")])
def test_an_ipsec_tunnel_takes_the_route_of_its_outer_header(
    outer_dst: bytes, ends: str | None
) -> None:
    node = Node(forwarding=1)

    class Ipsec(type(node.kern.ipsec)):  # type: ignore[misc]  # a class made at run time
        def tunnel(self, kern: Kernel, m: Mbuf, forwarding: bool) -> int:
            m.data = ip6(m.data, IPPROTO_UDP, US1, outer_dst)
            m.src, m.dst = US1, outer_dst
            return 0

    node.kern.ipsec = Ipsec()
    m = node.receive(through(src=addr("2001:db8:1::8")))
    if ends:
        assert fate(m) == (Fate.DROPPED, ends)
        return
    inner = through(src=addr("2001:db8:1::8"), hlim=63)
    assert node.sent() == [("rip0", ip6(inner, IPPROTO_UDP, US1, PEER1))]


def test_an_ipsec_policy_may_refuse() -> None:
    node = Node(forwarding=1)
    node.kern.ipsec = type("Refuse", (type(node.kern.ipsec),), {"fwd_reject": lambda *_: True})()
    assert fate(node.receive(through())) == (Fate.DROPPED, "IPSEC_INPOLICY")
    assert node.sent() == []


def test_what_ipsec_drops_instead_of_tunnelling_it_has_ended() -> None:
    node = Node(forwarding=1)

    class Ipsec(type(node.kern.ipsec)):  # type: ignore[misc]  # a class made at run time
        def tunnel(self, kern: Kernel, m: Mbuf, forwarding: bool) -> int:
            drop(kern, m, D.IPSEC_OUTNOSA)
            return IPSEC_SILENT

    node.kern.ipsec = Ipsec()
    assert fate(node.receive(through())) == (Fate.DROPPED, "IPSEC_OUTNOSA")
    assert node.sent() == []
