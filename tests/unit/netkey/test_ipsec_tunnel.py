# SPDX-License-Identifier: BSD-3-Clause
"""Tunnel mode between gateways: outer headers, sizes, congestion marks, whose tunnel it is."""

from __future__ import annotations

import pytest

from kame_py.kern.mbuf import M_AUTHIPDGM, M_AUTHIPHDR, Fate, Mbuf, m_get
from kame_py.net.route import RTF_GATEWAY, RTM_ADD, rtrequest
from kame_py.netinet6.ip6_output import ip6_output, ip6_pkt
from kame_py.netkey.ipsec_output import Step, ipsec6_inner_mtu
from kame_py.netkey.ipsec_tunnel import ip6_ecn_egress, ip6_ecn_ingress, ip6_tclass
from kame_py.netkey.keydb import Ipsecrequest
from kame_py.wire import pfkeyv2 as k
from kame_py.wire.codecs import Icmp6Hdr, Ip6Hdr
from kame_py.wire.const import (
    ICMP6_PACKET_TOO_BIG,
    IPPROTO_AH,
    IPPROTO_ESP,
    IPPROTO_FRAGMENT,
    IPPROTO_ICMPV6,
    IPPROTO_IPV6,
    IPPROTO_UDP,
)
from kame_py.wire.errno import EHOSTUNREACH
from tests.unit.netinet6.ip6_node import PEER1, PEER2, US1, US2, addr, echo, fate, ip6
from tests.unit.netinet6.test_gif import INNER_PEER, INNER_US, PING, tunnel
from tests.unit.netkey.ipsec_node import (
    AES,
    AH,
    ANY,
    DES,
    ESP,
    IN,
    KEYS,
    MD5,
    NULL,
    OUT,
    REQUIRE,
    SHA1,
    TRANSPORT,
    TUNNEL,
    USE,
    IpsecNode,
    protected,
    request,
    signed,
)

HERE = addr("2001:db8:1::5")  # behind rip0, inside
THERE = addr("2001:db8:9::5")  # behind the other gateway
ANSWERED = (Fate.CONSUMED, "")


def gateway(enc: int = AES, auth: int = SHA1, level: int = k.IPSEC_LEVEL_REQUIRE) -> IpsecNode:
    """US2 on rip1 tunnels what goes between the two sites to and from PEER2."""
    node = IpsecNode(forwarding=1)
    for spi, src, dst in ((0x2000, US2, PEER2), (0x1000, PEER2, US2)):
        node.sa(ESP, spi, auth, enc=enc, enckey=KEYS[enc], src=src, dst=dst, mode=TUNNEL)
    site, far = "2001:db8:1::/64", "2001:db8:9::/64"
    node.policy(OUT, request(ESP, TUNNEL, level, US2, PEER2), src=site, dst=far)
    node.policy(IN, request(ESP, TUNNEL, level, PEER2, US2), src=far, dst=site)
    rtrequest(node.kern, RTM_ADD, addr("2001:db8:9::"), 64, PEER2, RTF_GATEWAY)
    node.quiet()
    return node


def inner(size: int = 100, hlim: int = 64, flow: int = 0x60000000) -> bytes:
    return ip6(bytes(size), IPPROTO_UDP, HERE, THERE, hlim, flow=flow)


def opened(node: IpsecNode, packet: bytes) -> bytes:
    """The packet inside ESP that this node sent, by its own association."""
    (sav,) = node.kern.key.sad[(ESP, PEER2, 0x2000)]
    assert sav.cipher is not None
    body = packet[40 : len(packet) - (sav.mackey.icvlen if sav.mackey is not None else 0)]
    start = 8 + sav.cipher.ivlen
    clear = sav.cipher.decrypt(body[8:start], body[start:])
    assert clear[-1] == IPPROTO_IPV6
    return clear[: len(clear) - 2 - clear[-2]]


# -- out ---------------------------------------------------------------------------------------


def test_a_packet_that_passes_goes_into_the_tunnel() -> None:
    node = gateway()
    m = node.receive(inner())
    assert fate(m) == (Fate.FORWARDED, "")
    ((where, packet),) = node.sent()
    outer = Ip6Hdr.unpack(packet)
    assert where == "rip1"
    assert (outer.ip6_src, outer.ip6_dst) == (US2, PEER2)
    assert (outer.ip6_nxt, outer.ip6_hlim) == (IPPROTO_ESP, 64)
    assert outer.ip6_plen == len(packet) - 40
    assert opened(node, packet) == inner(hlim=63)
    assert node.counters()["ip6.ip6s_forward"] == 1
    assert node.counters()["ipsec6.out_success"] == 1


def test_other_traffic_stays_outside() -> None:
    node = gateway()
    node.receive(ip6(bytes(8), IPPROTO_UDP, HERE, PEER2))
    ((_, packet),) = node.sent()
    assert packet[6] == IPPROTO_UDP


def test_a_tunnel_without_association_is_closed() -> None:
    node = gateway()
    (sav,) = node.kern.key.sad[(ESP, PEER2, 0x2000)]
    sav.state = k.SADB_SASTATE_DEAD
    assert fate(node.receive(inner())) == (Fate.DROPPED, "IPSEC_OUTNOSA")
    assert node.counters()["ipsec6.out_nosa"] == 1
    assert node.sent() == []


def test_transit_may_be_discarded() -> None:
    node = IpsecNode(forwarding=1)
    node.policy(OUT, dst="2001:db8:2::/64", action=k.IPSEC_POLICY_DISCARD)
    m = node.receive(ip6(bytes(8), IPPROTO_UDP, HERE, PEER2))
    assert fate(m) == (Fate.DROPPED, "IPSEC_OUTPOLICY")
    node = IpsecNode(forwarding=1)
    node.policy(IN, request(AH), dst="2001:db8:2::/64")
    m = node.receive(ip6(bytes(8), IPPROTO_UDP, HERE, PEER2))
    assert fate(m) == (Fate.DROPPED, "IPSEC_INPOLICY")


def test_transport_mode_is_not_for_transit() -> None:
    node = IpsecNode(forwarding=1)
    node.sa(AH, 0x2000, SHA1, src=HERE, dst=PEER2)
    node.policy(OUT, request(AH), dst="2001:db8:2::/64")
    node.receive(ip6(bytes(8), IPPROTO_UDP, HERE, PEER2))
    ((_, packet),) = node.sent()
    assert packet[6] == IPPROTO_UDP


def made(node: IpsecNode, payload: bytes, dst: bytes = THERE) -> Mbuf:
    m = m_get(node.kern, ip6_pkt(US1, dst, IPPROTO_UDP, payload, 64))
    m.src, m.dst = US1, dst
    return m


def test_own_packets_go_into_the_tunnel_and_are_fragmented_outside() -> None:
    node = gateway()
    for size, parts in ((100, 1), (1440, 2)):
        assert ip6_output(node.kern, made(node, bytes(size))) == 0
        sent = [packet for _, packet in node.sent()]
        assert len(sent) == parts
        assert {packet[6] for packet in sent} == {IPPROTO_ESP if parts == 1 else IPPROTO_FRAGMENT}
        assert max(map(len, sent)) <= 1500


def test_own_packets_have_transport_mode_inside_and_outside() -> None:
    node = IpsecNode()
    node.sa(ESP, 0x2000, MD5, enc=NULL, src=US1, dst=THERE)
    node.sa(ESP, 0x2001, MD5, enc=NULL, src=US2, dst=PEER2, mode=TUNNEL)
    node.sa(AH, 0x2002, SHA1, src=US2, dst=PEER2)
    node.policy(OUT, request(ESP), request(ESP, TUNNEL, src=US2, dst=PEER2), request(AH))
    rtrequest(node.kern, RTM_ADD, bytes(16), 0, PEER2, RTF_GATEWAY)
    assert ip6_output(node.kern, made(node, b"data")) == 0
    ((where, packet),) = node.sent()
    assert where == "rip1"
    assert (packet[6], packet[40]) == (IPPROTO_AH, IPPROTO_ESP)
    tunnel = packet[64:]
    assert (tunnel[:4], tunnel[8 + 6]) == (bytes.fromhex("00002001"), IPPROTO_ESP)
    assert tunnel[8 + 40 : 8 + 44] == bytes.fromhex("00002000")


def test_an_ipsec_tunnel_may_run_in_a_generic_one() -> None:
    node = IpsecNode(gif=1)
    tunnel(node)
    node.sa(ESP, 0x2000, MD5, enc=NULL, src=INNER_US, dst=INNER_PEER, mode=TUNNEL)
    node.policy(OUT, request(ESP, TUNNEL, src=INNER_US, dst=INNER_PEER), dst="2001:db8:9::/64")
    rtrequest(node.kern, RTM_ADD, bytes(16), 0, PEER2, RTF_GATEWAY)
    assert ip6_output(node.kern, made(node, b"data")) == 0
    node.kern.run_softintr()
    ((where, packet),) = node.sent()
    assert where == "rip0"
    outer, middle = Ip6Hdr.unpack(packet), Ip6Hdr.unpack(packet, 40)
    assert (outer.ip6_dst, outer.ip6_nxt) == (PEER1, IPPROTO_IPV6)
    assert (middle.ip6_dst, middle.ip6_nxt) == (INNER_PEER, IPPROTO_ESP)
    assert Ip6Hdr.unpack(packet, 80 + 8).ip6_dst == THERE
    assert node.counters()["ipsec6.out_success"] == 1


def test_a_tunnel_that_no_route_leads_to_is_counted() -> None:
    node = IpsecNode()
    node.sa(ESP, 0x2000, MD5, enc=NULL, src=US1, dst=THERE, mode=TUNNEL)
    node.policy(OUT, request(ESP, TUNNEL, src=US1, dst=THERE))
    m = made(node, b"data", PEER1)
    assert ip6_output(node.kern, m) == EHOSTUNREACH
    assert fate(m) == (Fate.DROPPED, "IP6_NOROUTE")
    assert node.counters()["ipsec6.out_noroute"] == 1


def test_behind_a_tunnel_that_is_missing_and_only_wished_for_nothing_can_be_required() -> None:
    for level, ends in ((REQUIRE, "IPSEC_OUTNOSA"), (USE, "")):
        node = IpsecNode()
        node.sa(AH, 0x2002, SHA1, src=US1, dst=PEER1)
        node.policy(OUT, request(ESP, TUNNEL, USE, US2, PEER2), request(AH, level=level))
        m = made(node, b"data", PEER1)
        assert ip6_output(node.kern, m) == 0
        assert fate(m)[1] == ends
        assert [packet[6] for _, packet in node.sent()] == ([] if ends else [IPPROTO_UDP])


# -- sizes -------------------------------------------------------------------------------------


@pytest.mark.parametrize("enc", [AES, DES, NULL])
def test_what_does_not_fit_is_reported_with_the_size_that_does(enc: int) -> None:
    node = gateway(enc)
    m = node.receive(inner(1460))
    assert fate(m) == (Fate.DROPPED, "IP6_FWDTOOBIG")
    ((where, answer),) = node.sent()
    assert where == "rip0"
    icmp = Icmp6Hdr.unpack(answer, 40)
    assert icmp.icmp6_type == ICMP6_PACKET_TOO_BIG
    mtu = icmp.icmp6_data32
    assert 1400 < mtu < 1460
    assert fate(node.receive(inner(mtu - 40)))[0] is Fate.FORWARDED
    ((_, largest),) = node.sent()
    assert len(largest) <= 1500
    assert largest[6] == IPPROTO_ESP
    assert fate(node.receive(inner(mtu - 39))) == (Fate.DROPPED, "IP6_FWDTOOBIG")


def test_1280_octets_pass_by_fragments_where_nothing_smaller_may_be_told() -> None:
    node = gateway()
    node.rip1.ndi.linkmtu = 1280
    assert fate(node.receive(inner(1280 - 40)))[0] is Fate.FORWARDED
    parts = [packet for _, packet in node.sent()]
    assert [packet[6] for packet in parts] == [IPPROTO_FRAGMENT] * 2
    node.receive(inner(1281 - 40))
    ((_, answer),) = node.sent()
    assert Icmp6Hdr.unpack(answer, 40).icmp6_data32 == 1280


def test_room_in_a_bundle_is_exact() -> None:
    node = IpsecNode()
    esp = node.sa(ESP, 0x2000, SHA1, enc=AES, enckey=KEYS[AES])
    ah = node.sa(AH, 0x2001, MD5)
    steps = [Step(Ipsecrequest(ESP, TUNNEL), esp), Step(Ipsecrequest(AH, TRANSPORT), ah)]
    room = 1500 - 40 - 24 - 8 - 16 - 12  # 1400, in blocks of 16
    assert ipsec6_inner_mtu(steps, 1500) == room // 16 * 16 - 2
    assert ipsec6_inner_mtu([steps[1]], 1500) == 1476


# -- in ----------------------------------------------------------------------------------------


def arriving(node: IpsecNode, packet: bytes, spi: int = 0x1000, **outer: int) -> bytes:
    """The packet in the tunnel from the other gateway."""
    (sav,) = node.kern.key.sad[(ESP, US2, spi)]
    whole = protected(sav, payload=packet, nxt=IPPROTO_IPV6)[40:]
    return ip6(whole, IPPROTO_ESP, PEER2, US2, **outer)


def test_a_packet_out_of_the_tunnel_passes_on() -> None:
    node = gateway()
    packet = ip6(bytes(8), IPPROTO_UDP, THERE, HERE)
    m = node.receive(arriving(node, packet), node.rip1)
    assert fate(m) == (Fate.FORWARDED, "")
    assert m.encaps == 1
    ((where, sent),) = node.sent()
    assert (where, sent) == ("rip0", ip6(bytes(8), IPPROTO_UDP, THERE, HERE, 63))


def test_the_same_packet_outside_the_tunnel_is_refused() -> None:
    node = gateway()
    packet = ip6(bytes(8), IPPROTO_UDP, THERE, HERE)
    assert fate(node.receive(packet, node.rip1)) == (Fate.DROPPED, "IPSEC_INPOLICY")
    ping = ip6(echo(THERE, US1), IPPROTO_ICMPV6, THERE, US1)
    assert fate(node.receive(ping, node.rip1)) == (Fate.DROPPED, "IPSEC_INPOLICY")
    assert fate(node.receive(arriving(node, ping), node.rip1)) == ANSWERED


@pytest.mark.parametrize(("src", "dst"), [(PEER1, HERE), (THERE, PEER2)], ids=["src", "dst"])
def test_the_tunnel_is_for_the_addresses_of_its_policy_only(src: bytes, dst: bytes) -> None:
    node = gateway()
    m = node.receive(arriving(node, ip6(bytes(8), IPPROTO_UDP, src, dst)), node.rip1)
    assert fate(m) == (Fate.DROPPED, "ENCAP6_NOTUNNEL")


def test_a_transport_association_makes_no_tunnel() -> None:
    node = gateway()
    node.sa(ESP, 0x1001, enc=NULL, src=PEER2, dst=US2, mode=TRANSPORT)
    packet = ip6(bytes(8), IPPROTO_UDP, THERE, HERE)
    m = node.receive(arriving(node, packet, 0x1001), node.rip1)
    assert fate(m) == (Fate.DROPPED, "ENCAP6_NOTUNNEL")


def test_another_tunnel_does_not_satisfy_the_policy() -> None:
    """Both associations are good, but the packets of a site come from its own gateway."""
    node = gateway()
    node.sa(ESP, 0x1001, MD5, enc=NULL, src=PEER1, dst=US2, mode=TUNNEL)
    other = request(ESP, TUNNEL, USE, PEER1, US2)
    node.policy(IN, other, src="2001:db8:9::/64", dst="2001:db8:1::/64")
    packet = ip6(bytes(8), IPPROTO_UDP, THERE, HERE)
    (sav,) = node.kern.key.sad[(ESP, US2, 0x1001)]
    whole = protected(sav, payload=packet, nxt=IPPROTO_IPV6)[40:]
    m = node.receive(ip6(whole, IPPROTO_ESP, PEER1, US2))
    assert fate(m) == (Fate.DROPPED, "IPSEC_INPOLICY")


def test_the_inner_packet_does_not_keep_the_marks_of_the_outer_one() -> None:
    node = IpsecNode()
    sav = node.sa(AH, 0x1000, SHA1, mode=TUNNEL)
    node.policy(IN, request(AH, TUNNEL, USE, PEER1, US1))
    m = node.receive(signed(sav, payload=ip6(echo(), IPPROTO_ICMPV6), nxt=IPPROTO_IPV6))
    assert fate(m) == ANSWERED
    assert not m.flags & (M_AUTHIPHDR | M_AUTHIPDGM)
    assert m.ipsec is not None
    assert m.ipsec.hist == [sav]


def test_what_a_generic_tunnel_holds_is_unprotected_inside() -> None:
    """Transport mode around a gif tunnel says nothing about the packets in it."""
    node = IpsecNode(gif=1)
    tunnel(node)
    sav = node.sa(AH, 0x1000, SHA1)
    m = node.receive(signed(sav, payload=PING, nxt=IPPROTO_IPV6))
    assert fate(m) == ANSWERED
    assert m.ipsec is None
    node.policy(IN, request(AH), src="2001:db8:77::/64")
    m = node.receive(signed(sav, payload=PING, nxt=IPPROTO_IPV6))
    assert fate(m) == (Fate.DROPPED, "IPSEC_INPOLICY")


def test_a_tunnel_in_a_tunnel() -> None:
    node = IpsecNode()
    first = node.sa(AH, 0x1000, SHA1, mode=TUNNEL)
    second = node.sa(AH, 0x1001, MD5, src=PEER2, dst=US1, mode=ANY)
    inside = request(AH, TUNNEL, src=PEER2, dst=US1)
    outside = request(AH, TUNNEL, src=PEER1, dst=US1)
    node.policy(IN, inside, outside, src="2001:db8:9::/64")
    ping = ip6(echo(THERE, US1), IPPROTO_ICMPV6, THERE, US1)
    middle = signed(second, payload=ping, nxt=IPPROTO_IPV6, src=PEER2)
    m = node.receive(signed(first, payload=middle, nxt=IPPROTO_IPV6))
    assert fate(m) == ANSWERED
    assert m.ipsec is not None
    assert m.ipsec.hist == [first, second]
    m = node.receive(middle)  # not in the outer tunnel
    assert fate(m) == (Fate.DROPPED, "IPSEC_INPOLICY")


def test_a_bundle_of_tunnel_and_transport_counts_whole() -> None:
    node = IpsecNode()
    ah = node.sa(AH, 0x1000, SHA1)
    esp = node.sa(ESP, 0x1001, MD5, enc=NULL, mode=TUNNEL)
    node.policy(IN, request(ESP, TUNNEL, src=PEER1, dst=US1), request(AH), src="2001:db8:9::/64")
    ping = ip6(echo(THERE, US1), IPPROTO_ICMPV6, THERE, US1)
    inside = protected(esp, payload=ping, nxt=IPPROTO_IPV6)[40:]
    assert fate(node.receive(signed(ah, payload=inside, nxt=IPPROTO_ESP))) == ANSWERED
    bare = ip6(inside, IPPROTO_ESP)
    assert fate(node.receive(bare)) == (Fate.DROPPED, "IPSEC_INPOLICY")


# -- congestion marks --------------------------------------------------------------------------

NOT_ECT, ECT1, ECT0, CE = range(4)


@pytest.mark.parametrize(
    ("mode", "inside", "outside"),
    [
        (1, 0xB8 | NOT_ECT, 0xB8 | NOT_ECT),
        (1, 0xB8 | ECT0, 0xB8 | ECT0),
        (1, 0xB8 | ECT1, 0xB8 | ECT1),
        (1, 0xB8 | CE, 0xB8 | ECT0),
        (0, 0xB8 | CE, 0xB8),
        (0, 0xB8 | ECT1, 0xB8),
        (-1, 0xB8 | CE, 0),
    ],
)
def test_marks_on_the_way_in(mode: int, inside: int, outside: int) -> None:
    assert ip6_ecn_ingress(mode, inside) == outside
    node = gateway()
    node.kern.sysctl.write("net.inet6.ipsec6.ecn", mode)
    node.receive(inner(flow=0x60000000 | inside << 20 | 0x12345))
    ((_, packet),) = node.sent()
    assert ip6_tclass(packet) == outside
    assert packet[1] & 0x0F == packet[2] == packet[3] == 0  # the label stays inside


@pytest.mark.parametrize(
    ("mode", "outer", "inside", "result"),
    [
        (1, CE, ECT0, CE),
        (1, CE, ECT1, CE),
        (1, CE, NOT_ECT, NOT_ECT),
        (1, ECT0, ECT1, ECT1),
        (0, CE, ECT0, ECT0),
        (-1, CE, ECT0, ECT0),
    ],
)
def test_marks_on_the_way_out(mode: int, outer: int, inside: int, result: int) -> None:
    assert ip6_ecn_egress(mode, outer, inside | 0xB8) == result | 0xB8
    node = gateway()
    node.kern.sysctl.write("net.inet6.ipsec6.ecn", mode)
    flow = 0x60000000 | (inside | 0xB8) << 20 | 0x12345
    packet = ip6(bytes(8), IPPROTO_UDP, THERE, HERE, flow=flow)
    node.receive(arriving(node, packet, flow=0x60000000 | outer << 20), node.rip1)
    ((_, sent),) = node.sent()
    assert Ip6Hdr.unpack(sent).ip6_flow == flow & ~(0xFF << 20) | (result | 0xB8) << 20
