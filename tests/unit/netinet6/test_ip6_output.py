# SPDX-License-Identifier: BSD-3-Clause
"""ip6_output: headers in order, the way out, multicast, path MTU and fragments."""

from __future__ import annotations

import pytest

from kame_py.kern.drop import D, drop
from kame_py.kern.hooks import IPSEC_SILENT
from kame_py.kern.kernel import Kernel
from kame_py.kern.mbuf import Fate, Mbuf, m_get
from kame_py.net.if_ import IFF_MULTICAST, Ifnet
from kame_py.net.route import (
    RTF_BLACKHOLE,
    RTF_GATEWAY,
    RTF_REJECT,
    RTM_ADD,
    LinkAddr,
    Rtentry,
    rtrequest,
)
from kame_py.netinet6.in6 import in6_addmulti
from kame_py.netinet6.ip6_output import ip6_chain, ip6_output, ip6_pkt
from kame_py.netinet6.ip6_var import IPV6_DADOUTPUT, IPV6_MINMTU, Exthdrs, Ip6Moptions, Ip6Pktopts
from kame_py.wire.codecs import Ip6Frag
from kame_py.wire.const import (
    IPPROTO_DSTOPTS,
    IPPROTO_FRAGMENT,
    IPPROTO_HOPOPTS,
    IPPROTO_ICMPV6,
    IPPROTO_ROUTING,
    IPPROTO_UDP,
)
from kame_py.wire.errno import EHOSTUNREACH, EMSGSIZE, ENETUNREACH, EOPNOTSUPP
from kame_py.wire.in6addr import embed_zone
from kame_py.wire.ip6ext import build_rthdr0
from tests.unit.netinet6.ip6_node import (
    PEER1,
    PEER2,
    STRANGER,
    US1,
    US2,
    Node,
    addr,
    echo,
    echo_reply,
    fate,
    ip6,
)

GROUP = addr("ff02::1:2")
GLOBAL_GROUP = addr("ff0e::77")
HBH = bytes([0, 0]) + bytes.fromhex("05 02 00 00 01 00")
DEST = bytes([0, 0]) + bytes.fromhex("01 04 00 00 00 00")


def made(
    node: Node, payload: bytes = b"data", src: bytes = US1, dst: bytes = PEER1, hlim: int = 64
) -> Mbuf:
    m = m_get(node.kern, ip6_pkt(src, dst, IPPROTO_UDP, payload, hlim))
    m.src, m.dst = src, dst
    return m


def test_a_packet_goes_out_by_its_route() -> None:
    node = Node()
    m = made(node)
    assert ip6_output(node.kern, m) == 0
    assert fate(m) == (Fate.TRANSMITTED, "")
    assert node.sent() == [("rip0", ip6(b"data", IPPROTO_UDP, US1, PEER1))]
    assert node.counters() == {"ip6.ip6s_localout": 1}
    assert node.ifcounters(node.rip0) == {"ifs6_out_request": 1}
    node.conserved()


def test_the_chain_is_in_wire_order() -> None:
    hdrs = Exthdrs(HBH, DEST, build_rthdr0(0, [PEER2], 1), DEST, DEST)
    packet = ip6_chain(ip6(), IPPROTO_UDP, hdrs, b"data")
    nxts = [packet[6], packet[40], packet[48], packet[56], packet[80], packet[88]]
    assert nxts == [
        IPPROTO_HOPOPTS,
        IPPROTO_DSTOPTS,
        IPPROTO_ROUTING,
        IPPROTO_DSTOPTS,
        IPPROTO_DSTOPTS,
        IPPROTO_UDP,
    ]
    assert packet[4:6] == (len(packet) - 40).to_bytes(2, "big")
    assert packet.endswith(b"data")


def test_options_of_the_sender_become_headers() -> None:
    node = Node()
    opt = Ip6Pktopts(ip6po_hbh=HBH, ip6po_dest1=DEST, ip6po_dest2=DEST)
    ip6_output(node.kern, made(node), opt)
    body = bytes([IPPROTO_DSTOPTS]) + HBH[1:] + bytes([IPPROTO_UDP]) + DEST[1:] + b"data"
    assert node.sent() == [("rip0", ip6(body, IPPROTO_HOPOPTS, US1, PEER1))]  # dest1 needs a RH


def test_a_routing_header_sends_to_its_first_hop() -> None:
    node = Node()
    hops = [PEER1, STRANGER]
    opt = Ip6Pktopts(ip6po_rthdr=build_rthdr0(0, hops, 2), ip6po_dest1=DEST)
    m = made(node, dst=PEER2)
    assert ip6_output(node.kern, m, opt) == 0
    body = bytes([IPPROTO_ROUTING]) + DEST[1:]
    body += build_rthdr0(IPPROTO_UDP, [STRANGER, PEER2], 2) + b"data"
    assert node.sent() == [("rip0", ip6(body, IPPROTO_DSTOPTS, US1, PEER1))]
    assert m.dst == PEER1


def test_a_mobility_hook_adds_headers_and_exchanges_addresses_in_order() -> None:
    node = Node()
    calls: list[str] = []

    class Hooks(type(node.kern.mip6)):  # type: ignore[misc]  # a class made at run time
        def exthdr_create(self, kern: Kernel, m: Mbuf, hdrs: Exthdrs) -> int:
            calls.append("create")
            hdrs.haddr = DEST
            return 0

        def addr_exchange(self, kern: Kernel, m: Mbuf) -> None:
            calls.append(f"exchange {m.data[6]}")

    class Ipsec(type(node.kern.ipsec)):  # type: ignore[misc]  # a class made at run time
        def output(self, kern: Kernel, m: Mbuf, hdrs: Exthdrs, nxt: int, payload: bytes) -> int:
            calls.append(f"ipsec {nxt} {payload!r} {len(hdrs.haddr)}")
            return 0

        def tunnel(self, kern: Kernel, m: Mbuf, forwarding: bool) -> int:
            calls.append("tunnel")
            return 0

    node.kern.mip6, node.kern.ipsec = Hooks(), Ipsec()
    ip6_output(node.kern, made(node))
    assert calls == [
        "create",
        f"ipsec {IPPROTO_UDP} b'data' 8",
        f"exchange {IPPROTO_DSTOPTS}",
        "tunnel",
    ]
    node.conserved()


def test_a_hook_that_refuses_drops_the_packet() -> None:
    node = Node()

    class Hooks(type(node.kern.mip6)):  # type: ignore[misc]  # a class made at run time
        def exthdr_create(self, kern: Kernel, m: Mbuf, hdrs: Exthdrs) -> int:
            return EMSGSIZE

    node.kern.mip6 = Hooks()
    m = made(node)
    assert ip6_output(node.kern, m) == EMSGSIZE
    assert fate(m) == (Fate.DROPPED, "MIP6_EXTHDR")


@pytest.mark.parametrize(
    ("src", "flags", "reason"),
    [
        ("::", 0, "IP6_NOSRC"),
        ("ff02::1", 0, "IP6_OUTSCOPE"),
        ("::", IPV6_DADOUTPUT, None),
    ],
)
def test_a_source_must_be_an_address(src: str, flags: int, reason: str | None) -> None:
    node = Node()
    m = made(node, src=addr(src))
    assert ip6_output(node.kern, m, flags=flags) == (EOPNOTSUPP if reason else 0)
    assert fate(m) == ((Fate.DROPPED, reason) if reason else (Fate.TRANSMITTED, ""))


def test_no_route_is_an_error() -> None:
    node = Node()
    m = made(node, dst=STRANGER)
    assert ip6_output(node.kern, m) == EHOSTUNREACH
    assert fate(m) == (Fate.DROPPED, "IP6_NOROUTE")
    assert node.counters() == {"ip6.ip6s_localout": 1, "ip6.ip6s_noroute": 1}


@pytest.mark.parametrize(("flag", "errno"), [(RTF_REJECT, EHOSTUNREACH), (RTF_BLACKHOLE, 0)])
def test_a_route_may_refuse(flag: int, errno: int) -> None:
    node = Node()
    rtrequest(node.kern, RTM_ADD, STRANGER, 64, addr("::1"), RTF_GATEWAY | flag)
    m = made(node, dst=STRANGER)
    assert ip6_output(node.kern, m) == errno
    assert fate(m) == (Fate.DROPPED, "IP6_OUTREJECT")


def test_a_link_local_address_leaves_by_its_own_link_only() -> None:
    node = Node()
    m = made(node, src=addr("fe80:3::1"))  # the zone of rip1
    assert ip6_output(node.kern, m) == EHOSTUNREACH
    assert fate(m) == (Fate.DROPPED, "IP6_OUTSCOPE")
    m = made(node, src=addr("::1"))
    ip6_output(node.kern, m)
    assert fate(m) == (Fate.DROPPED, "IP6_OUTSCOPE")


def test_a_packet_to_an_own_address_comes_back_through_the_loopback() -> None:
    node = Node()
    m = m_get(node.kern, ip6(echo(US1, US2), IPPROTO_ICMPV6, US1, US2))
    m.src, m.dst = US1, US2
    assert ip6_output(node.kern, m) == 0
    assert m.fate is None  # queued: nothing recurses
    node.kern.run_softintr()
    assert fate(m) == (Fate.CONSUMED, "")
    assert node.sent() == []
    assert node.kern.ifnets[0].if_data.ifi_ipackets >= 2  # request and answer
    node.conserved()


def test_multicast_leaves_by_the_zone_of_its_scope() -> None:
    node = Node()
    m = made(node, dst=embed_zone(GROUP, 3), src=US2)
    ip6_output(node.kern, m)
    assert node.sent() == [("rip1", ip6(b"data", IPPROTO_UDP, US2, GROUP))]
    assert node.ifcounters(node.rip1) == {"ifs6_out_request": 1, "ifs6_out_mcast": 1}


def test_multicast_leaves_by_the_interface_the_sender_chose() -> None:
    node = Node()
    im6o = Ip6Moptions(im6o_multicast_ifp=node.rip1)
    ip6_output(node.kern, made(node, dst=GLOBAL_GROUP), im6o=im6o)
    ip6_output(node.kern, made(node, dst=GROUP), Ip6Pktopts(ip6po_pktinfo_ifp=node.rip0), im6o=im6o)
    assert [where for where, _ in node.sent()] == ["rip1", "rip0"]


def test_multicast_needs_an_interface_that_can() -> None:
    node = Node()
    node.rip1.if_flags &= ~IFF_MULTICAST
    m = made(node, dst=embed_zone(GROUP, 3), src=US2)
    assert ip6_output(node.kern, m) == ENETUNREACH
    assert fate(m) == (Fate.DROPPED, "IP6_NOROUTE")


def test_a_member_hears_its_own_multicast_once() -> None:
    node = Node()
    in6_addmulti(node.kern, node.rip1, embed_zone(GROUP, 3))
    node.quiet()
    m = made(node, dst=embed_zone(GROUP, 3), src=US2)
    ip6_output(node.kern, m)
    node.kern.run_softintr()
    assert fate(m) == (Fate.TRANSMITTED, "")
    assert node.counters()["ip6.ip6s_total"] == 1
    assert node.ifcounters(node.rip1)["ifs6_in_mcast"] == 1
    node.conserved()


def test_multicast_loop_can_be_turned_off() -> None:
    node = Node()
    in6_addmulti(node.kern, node.rip1, embed_zone(GROUP, 3))
    node.quiet()
    im6o = Ip6Moptions(im6o_multicast_loop=False)
    ip6_output(node.kern, made(node, dst=embed_zone(GROUP, 3), src=US2), im6o=im6o)
    node.kern.run_softintr()
    assert node.counters() == {"ip6.ip6s_localout": 1}


@pytest.mark.parametrize("member", [True, False])
def test_multicast_with_hop_limit_0_stays_here(member: bool) -> None:
    node = Node()
    if member:
        in6_addmulti(node.kern, node.rip1, embed_zone(GROUP, 3))
        node.quiet()
    m = made(node, dst=embed_zone(GROUP, 3), src=US2, hlim=0)
    assert ip6_output(node.kern, m) == 0
    node.kern.run_softintr()
    assert node.sent() == []
    assert (fate(m) == (Fate.DROPPED, "IP6_OUTHLIM")) is not member
    node.conserved()


def test_a_large_packet_is_fragmented_to_the_path_mtu() -> None:
    node = Node()
    node.kern.ip6.ip6_id = 0x01020304
    payload = bytes(range(256)) * 12  # 3072 octets
    m = made(node, payload)
    assert ip6_output(node.kern, m) == 0
    sent = node.sent()
    room = 1448  # 1500 - 40 - 8, down to a multiple of 8
    assert sent == [
        (
            "rip0",
            ip6(
                Ip6Frag(
                    ip6f_nxt=IPPROTO_UDP, ip6f_offlg=at | (at < 2 * room), ip6f_ident=0x01020304
                ).pack()
                + payload[at : at + room],
                IPPROTO_FRAGMENT,
                US1,
                PEER1,
            ),
        )
        for at in (0, room, 2 * room)
    ]
    assert node.kern.ip6.ip6_id == 0x01020305
    assert node.counters() == {
        "ip6.ip6s_localout": 1,
        "ip6.ip6s_fragmented": 1,
        "ip6.ip6s_ofragments": 3,
    }
    assert node.ifcounters(node.rip0) == {
        "ifs6_out_request": 1,
        "ifs6_out_fragok": 1,
        "ifs6_out_fragcreat": 3,
    }
    node.conserved()


def test_headers_for_the_way_are_in_every_fragment_and_dest2_only_in_the_first() -> None:
    node = Node()
    opt = Ip6Pktopts(ip6po_hbh=HBH, ip6po_dest2=DEST)
    ip6_output(node.kern, made(node, bytes(2000)), opt)
    first, second = (packet for _, packet in node.sent())
    assert first[40:48] == second[40:48] == bytes([IPPROTO_FRAGMENT]) + HBH[1:]
    assert first[48] == second[48] == IPPROTO_DSTOPTS
    assert first[56:64] == bytes([IPPROTO_UDP]) + DEST[1:]


@pytest.mark.parametrize(("rmx_mtu", "flags", "size"), [(1400, 0, 1400), (600, 0, 1280)])
def test_the_route_knows_a_smaller_path_mtu(rmx_mtu: int, flags: int, size: int) -> None:
    node = Node()
    ip6_output(node.kern, made(node))
    node.quiet()
    rt = node.kern.rt.lookup(PEER1)
    assert rt is not None
    rt.rt_rmx.rmx_mtu = rmx_mtu
    ip6_output(node.kern, made(node, bytes(size - 40)), flags=flags)
    ip6_output(node.kern, made(node, bytes(size - 39)), flags=flags)
    assert [len(packet) for _, packet in node.sent()][0] == size
    assert node.counters()["ip6.ip6s_fragmented"] == 1


def test_a_sender_may_want_the_minimum_mtu() -> None:
    node = Node()
    ip6_output(node.kern, made(node, bytes(1241)), flags=IPV6_MINMTU)
    assert max(len(packet) for _, packet in node.sent()) <= 1280


def test_what_cannot_be_fragmented_is_an_error() -> None:
    node = Node()
    opt = Ip6Pktopts(ip6po_hbh=bytes([0, 180]) + bytes.fromhex("01 ff") + bytes(1444))
    m = made(node, bytes(100))
    assert ip6_output(node.kern, m, opt) == EMSGSIZE
    assert fate(m) == (Fate.DROPPED, "IP6_CANTFRAG")
    m = made(node)
    m.data = ip6(bytes(65536), plen=0, src=US1, dst=PEER1)
    assert ip6_output(node.kern, m) == EMSGSIZE


def test_our_own_fragments_are_put_together_again() -> None:
    node = Node()
    data = bytes(range(250)) * 20
    m = m_get(node.kern, ip6(echo(US1, PEER1, data), IPPROTO_ICMPV6, US1, PEER1))
    m.src, m.dst = US1, PEER1
    ip6_output(node.kern, m)
    other = Node()
    for _, packet in node.sent():
        mirrored = packet[:8] + PEER1 + US1 + packet[40:]  # the sum does not mind the order
        other.receive(mirrored)
    answers = other.sent()
    assert len(answers) == 4
    whole = b"".join(packet[48:] for _, packet in answers)
    assert whole == echo_reply(data)[40:]


@pytest.mark.parametrize("method", ["output", "tunnel"])
@pytest.mark.parametrize(("answer", "error"), [(EMSGSIZE, EMSGSIZE), (IPSEC_SILENT, 0)])
def test_what_ipsec_drops_has_ended_and_its_sender_may_hear_nothing(
    method: str, answer: int, error: int
) -> None:
    node = Node()

    def refuse(self: object, kern: Kernel, m: Mbuf, *args: object) -> int:
        drop(kern, m, D.IPSEC_OUTPOLICY)
        return answer

    node.kern.ipsec = type("Refuse", (type(node.kern.ipsec),), {method: refuse})()
    m = made(node)
    assert ip6_output(node.kern, m) == error
    assert fate(m) == (Fate.DROPPED, "IPSEC_OUTPOLICY")
    assert node.sent() == []


@pytest.mark.parametrize("outer_dst", [PEER2, STRANGER])
def test_an_ipsec_tunnel_takes_the_route_of_its_outer_header(outer_dst: bytes) -> None:
    node = Node()

    class Ipsec(type(node.kern.ipsec)):  # type: ignore[misc]  # a class made at run time
        def tunnel(self, kern: Kernel, m: Mbuf, forwarding: bool) -> int:
            m.data = ip6(m.data, IPPROTO_UDP, US2, outer_dst)
            m.src, m.dst = US2, outer_dst
            return 0

    node.kern.ipsec = Ipsec()
    m = made(node)
    error = ip6_output(node.kern, m)
    if outer_dst == STRANGER:
        assert error == EHOSTUNREACH
        assert fate(m) == (Fate.DROPPED, "IP6_NOROUTE")
        return
    inner = ip6(b"data", IPPROTO_UDP, US1, PEER1)
    assert node.sent() == [("rip1", ip6(inner, IPPROTO_UDP, US2, PEER2))]


def test_ipsec_may_put_back_an_encrypted_payload() -> None:
    node = Node()

    class Ipsec(type(node.kern.ipsec)):  # type: ignore[misc]  # a class made at run time
        def output(self, kern: Kernel, m: Mbuf, hdrs: Exthdrs, nxt: int, payload: bytes) -> int:
            hdrs.dest2 = b""
            m.data = ip6(b"cipher", 50, US1, PEER1)
            return 0

    node.kern.ipsec = Ipsec()
    ip6_output(node.kern, made(node), Ip6Pktopts(ip6po_hbh=HBH, ip6po_dest2=DEST))
    body = bytes([50]) + HBH[1:] + b"cipher"
    assert node.sent() == [("rip0", ip6(body, IPPROTO_HOPOPTS, US1, PEER1))]


def test_the_gateway_of_the_route_is_the_next_hop() -> None:
    node = Node()
    rtrequest(node.kern, RTM_ADD, bytes(16), 0, PEER2, RTF_GATEWAY)
    hops: list[bytes] = []
    link = node.kern.nd6_output

    def spy(kern: Kernel, ifp: Ifnet, m: Mbuf, dst: bytes, rt: Rtentry | None) -> None:
        hops.append(dst)
        link(kern, ifp, m, dst, rt)

    node.kern.nd6_output = spy
    ip6_output(node.kern, made(node, dst=STRANGER))
    ip6_output(node.kern, made(node, dst=PEER1))
    ip6_output(node.kern, made(node, dst=PEER1), Ip6Pktopts(ip6po_nexthop=PEER2))
    assert hops == [PEER2, PEER1, PEER2]


def test_multicast_without_interface_follows_the_routing_table() -> None:
    node = Node()
    m = made(node, dst=GLOBAL_GROUP)
    assert ip6_output(node.kern, m) == EHOSTUNREACH
    assert fate(m) == (Fate.DROPPED, "IP6_NOROUTE")
    rtrequest(node.kern, RTM_ADD, addr("ff0e::"), 16, LinkAddr(3), 0, node.rip1)
    assert ip6_output(node.kern, made(node, dst=GLOBAL_GROUP)) == 0
    assert [where for where, _ in node.sent()] == ["rip1"]


def test_a_refused_packet_counts_on_the_interface_it_would_have_left_by() -> None:
    node = Node()
    ip6_output(node.kern, made(node, src=addr("fe80:3::1")))
    assert node.ifcounters(node.rip0) == {"ifs6_out_discard": 1}


def test_the_path_mtu_of_the_final_destination_counts_behind_a_routing_header() -> None:
    node = Node()
    ip6_output(node.kern, made(node, dst=PEER2))
    rt = node.kern.rt.lookup(PEER2)
    assert rt is not None
    rt.rt_rmx.rmx_mtu = 1300
    node.quiet()
    opt = Ip6Pktopts(ip6po_rthdr=build_rthdr0(0, [PEER1], 1))
    ip6_output(node.kern, made(node, bytes(1300), dst=PEER2), opt)
    assert max(len(packet) for _, packet in node.sent()) <= 1300
