# SPDX-License-Identifier: BSD-3-Clause
"""IPv6 Ready Phase 2, IPsec: end nodes and security gateways under 3DES-CBC with HMAC-SHA1."""

from __future__ import annotations

from typing import Final

import pytest

from kame_py.kern.mbuf import Fate
from kame_py.net.route import RTF_GATEWAY, RTM_ADD, rtrequest
from kame_py.netkey.keydb import Secasvar
from kame_py.wire import pfkeyv2 as k
from kame_py.wire.codecs import Esp, Icmp6Hdr, Ip6Hdr
from kame_py.wire.const import (
    ICMP6_PACKET_TOO_BIG,
    IPPROTO_ESP,
    IPPROTO_FRAGMENT,
    IPPROTO_ICMPV6,
    IPPROTO_IPV6,
    IPPROTO_NONE,
    IPPROTO_UDP,
)
from tests.scenario.ipsec_ct import ANSWERED, THERE, THIRD, inside, send
from tests.unit.netinet6.ip6_node import (
    PEER1,
    PEER2,
    US1,
    US2,
    addr,
    echo,
    error,
    fate,
    ip6,
)
from tests.unit.netkey.ipsec_node import (
    DES3,
    ESP,
    IN,
    KEYS,
    OUT,
    SHA1,
    TUNNEL,
    IpsecNode,
    protected,
    request,
)

P2: Final = "IPsec_Self_Test_P2/ipsec.p2:p2_"
END: Final = P2 + "HTR_E_"
SGW: Final = P2 + "SGW_E_"
PASSED: Final = (Fate.FORWARDED, "")
HOST: Final = PEER1  # behind the gateway that is tested
SITE, FAR = "2001:db8:1::/64", "2001:db8:9::/64"


def pair(node: IpsecNode, ours: bytes, peer: bytes, mode: int = 1) -> tuple[Secasvar, Secasvar]:
    """(to the node, from the node)."""
    return (
        node.sa(ESP, 0x1000, SHA1, enc=DES3, enckey=KEYS[DES3], src=peer, dst=ours, mode=mode),
        node.sa(ESP, 0x2000, SHA1, enc=DES3, enckey=KEYS[DES3], src=ours, dst=peer, mode=mode),
    )


def end_node(proto: int = k.IPSEC_ULPROTO_ANY) -> tuple[IpsecNode, Secasvar, Secasvar]:
    """A host that has ESP in transport mode with PEER1."""
    node = IpsecNode()
    there, back = pair(node, US1, PEER1)
    node.policy(IN, request(ESP), src="2001:db8:1::9", proto=proto)
    node.policy(OUT, request(ESP), dst="2001:db8:1::9", proto=proto)
    return node, there, back


def gateway() -> tuple[IpsecNode, Secasvar, Secasvar]:
    """A gateway with a tunnel to PEER2, behind which THERE is; HOST is behind itself."""
    node = IpsecNode(forwarding=1)
    there, back = pair(node, US2, PEER2, TUNNEL)
    node.policy(IN, request(ESP, TUNNEL, src=PEER2, dst=US2), src=FAR, dst=SITE)
    node.policy(OUT, request(ESP, TUNNEL, src=US2, dst=PEER2), src=SITE, dst=FAR)
    rtrequest(node.kern, RTM_ADD, bytes(16), 0, PEER2, RTF_GATEWAY)
    return node, there, back


def arrives(
    node: IpsecNode, sav: Secasvar, inner: bytes, nxt: int = IPPROTO_IPV6
) -> tuple[Fate | None, str]:
    body = protected(sav, payload=inner, nxt=nxt)[40:]
    return fate(node.receive(ip6(body, IPPROTO_ESP, PEER2, US2), node.rip1))


# -- end node ----------------------------------------------------------------------------------


@pytest.mark.tahi(END + "Common", END + "Padding")
def test_request_and_reply_are_protected_whatever_their_length() -> None:
    node, there, back = end_node()
    for size in range(20):
        assert fate(node.receive(protected(there, payload=echo(data=bytes(size))))) == ANSWERED
        ((_, packet),) = node.sent()
        assert inside(back, packet) == (IPPROTO_ICMPV6, echo(US1, PEER1, bytes(size), 129))


@pytest.mark.tahi(END + "Bypass", END + "Discard", END + "SelectSPD")
def test_each_peer_has_its_policy() -> None:
    node, there, back = end_node()
    node.policy(IN, src="2001:db8:1::7", action=k.IPSEC_POLICY_DISCARD)
    node.policy(OUT, dst="2001:db8:1::7", action=k.IPSEC_POLICY_DISCARD)
    refused = (Fate.DROPPED, "IPSEC_INPOLICY")
    assert fate(node.receive(ip6(echo(THIRD), IPPROTO_ICMPV6, THIRD))) == refused
    assert fate(send(node, echo(US1, THIRD), dst=THIRD)) == (Fate.DROPPED, "IPSEC_OUTPOLICY")
    assert fate(node.receive(ip6(echo(PEER2), IPPROTO_ICMPV6, PEER2))) == ANSWERED
    assert fate(node.receive(protected(there))) == ANSWERED
    plain, secret = (packet for _, packet in node.sent())
    assert plain[6] == IPPROTO_ICMPV6
    assert inside(back, secret)[0] == IPPROTO_ICMPV6


@pytest.mark.tahi(END + "SelectSPD_ICMP_Type")
def test_a_policy_may_be_for_one_type_of_icmpv6() -> None:
    node = IpsecNode()
    _, back = pair(node, US1, PEER1)
    node.policy(OUT, request(ESP), proto=IPPROTO_ICMPV6, ports=(129, 0))
    node.receive(ip6(echo(), IPPROTO_ICMPV6))  # its answer is of type 129
    send(node, echo(US1, PEER1))
    secret, plain = (packet for _, packet in node.sent())
    assert inside(back, secret)[0] == IPPROTO_ICMPV6
    assert plain[6] == IPPROTO_ICMPV6


@pytest.mark.tahi(END + "SequenceNumber")
def test_numbers_begin_with_1_and_grow_by_1() -> None:
    node, there, _ = end_node()
    for seq in range(1, 6):
        node.receive(protected(there, seq))
    assert [Esp.unpack(packet, 40).esp_seq for _, packet in node.sent()] == [1, 2, 3, 4, 5]


@pytest.mark.tahi(END + "invalidICV", END + "nonRegSPI")
def test_what_cannot_be_verified_is_not_answered() -> None:
    node, there, _ = end_node()
    good = protected(there)
    bad = good[:-1] + bytes([good[-1] ^ 1])
    assert fate(node.receive(bad)) == (Fate.DROPPED, "ESP_BADICV")
    strange = good[:40] + bytes.fromhex("00009999") + good[44:]
    assert fate(node.receive(strange)) == (Fate.DROPPED, "ESP_NOSA")
    assert node.sent() == []
    assert fate(node.receive(good)) == ANSWERED


@pytest.mark.tahi(END + "ReceiptOfNoNextHeader")
def test_a_dummy_packet_ends_in_silence() -> None:
    node, there, _ = end_node()
    dummy = protected(there, 1, payload=bytes(30), nxt=IPPROTO_NONE)
    assert fate(node.receive(dummy)) == (Fate.DROPPED, "IP6_NOPROTO")
    assert node.sent() == []
    assert fate(node.receive(protected(there, 2))) == ANSWERED


@pytest.mark.tahi(END + "PacketTooBigReception")
def test_a_packet_too_big_about_esp_is_believed() -> None:
    node = IpsecNode()
    there, _ = pair(node, US2, THERE)
    node.policy(OUT, request(ESP), dst="2001:db8:9::5")
    rtrequest(node.kern, RTM_ADD, bytes(16), 0, PEER2, RTF_GATEWAY)
    message = echo(THERE, US2, bytes(1360))
    body = protected(there, payload=message)[40:]
    packet = ip6(body, IPPROTO_ESP, THERE, US2)
    node.receive(packet, node.rip1)
    ((_, whole),) = node.sent()
    assert whole[6] == IPPROTO_ESP
    node.receive(error(whole, ICMP6_PACKET_TOO_BIG, 0, 1280, PEER2, US2), node.rip1)
    node.receive(packet, node.rip1)
    parts = [p for _, p in node.sent()]
    assert [p[6] for p in parts] == [IPPROTO_FRAGMENT] * 2
    assert max(map(len, parts)) <= 1280


@pytest.mark.tahi(END + "tunnelwEndNode", END + "tunnelPadding", END + "tunnelTFCPadding")
def test_a_tunnel_between_two_hosts() -> None:
    node = IpsecNode()
    there, back = pair(node, US1, PEER1, TUNNEL)
    node.policy(IN, request(ESP, TUNNEL, src=PEER1, dst=US1), src="2001:db8:1::9")
    node.policy(OUT, request(ESP, TUNNEL, src=US1, dst=PEER1), dst="2001:db8:1::9")
    for size in range(10):
        ping = ip6(echo(data=bytes(size)), IPPROTO_ICMPV6)
        tail = bytes(size * 8)  # padding against traffic analysis behind the packet inside
        m = node.receive(protected(there, payload=ping + tail, nxt=IPPROTO_IPV6))
        assert fate(m) == ANSWERED
        ((_, packet),) = node.sent()
        reply = ip6(echo(US1, PEER1, bytes(size), 129), IPPROTO_ICMPV6, US1, PEER1)
        assert inside(back, packet) == (IPPROTO_IPV6, reply)


@pytest.mark.tahi(END + "tunnelwSGW", END + "SelectSPD_w_1SGW", END + "tunnelwSGWFrag")
def test_a_tunnel_from_a_host_to_a_gateway() -> None:
    """Two hosts are behind it; the packets of the second may come in fragments of the tunnel."""
    node = IpsecNode()
    there, back = pair(node, US2, PEER2, TUNNEL)
    node.policy(IN, request(ESP, TUNNEL, src=PEER2, dst=US2), src=FAR)
    node.policy(OUT, request(ESP, TUNNEL, src=US2, dst=PEER2), dst=FAR)
    rtrequest(node.kern, RTM_ADD, bytes(16), 0, PEER2, RTF_GATEWAY)
    second = addr("2001:db8:9::6")
    for host in (THERE, second):
        ping = ip6(echo(host, US2, bytes(200)), IPPROTO_ICMPV6, host, US2)
        assert arrives(node, there, ping) == ANSWERED
        ((_, packet),) = node.sent()
        assert Ip6Hdr.unpack(packet).ip6_dst == PEER2
        assert Ip6Hdr.unpack(inside(back, packet)[1]).ip6_dst == host
    body = protected(there, payload=ping, nxt=IPPROTO_IPV6)[40:]
    for start, end, more in ((0, 160, 1), (160, len(body), 0)):
        frag = bytes([IPPROTO_ESP, 0]) + (start | more).to_bytes(2, "big") + bytes(4)
        part = ip6(frag + body[start:end], IPPROTO_FRAGMENT, PEER2, US2)
        ends = fate(node.receive(part, node.rip1))
    assert ends == ANSWERED


# -- security gateway --------------------------------------------------------------------------


@pytest.mark.tahi(SGW + "Common", SGW + "Padding", SGW + "TFC_Padding")
def test_both_directions_pass_the_tunnel() -> None:
    node, there, back = gateway()
    for size in range(10):
        inner = ip6(bytes(8 + size), IPPROTO_UDP, THERE, HOST)
        assert arrives(node, there, inner + bytes(size * 8)) == PASSED
        assert node.sent() == [("rip0", ip6(bytes(8 + size), IPPROTO_UDP, THERE, HOST, 63))]
        assert fate(node.receive(ip6(bytes(8 + size), IPPROTO_UDP, HOST, THERE))) == PASSED
        ((where, packet),) = node.sent()
        assert where == "rip1"
        inner = ip6(bytes(8 + size), IPPROTO_UDP, HOST, THERE, 63)
        assert inside(back, packet) == (IPPROTO_IPV6, inner)


@pytest.mark.tahi(SGW + "Bypass", SGW + "Discard", SGW + "SelectSPD", SGW + "SelectSPD_w_1SGW")
def test_the_gateway_has_a_policy_for_each_pair() -> None:
    node, _, back = gateway()
    node.policy(OUT, dst="2001:db8:d::/64", action=k.IPSEC_POLICY_DISCARD)
    away = addr("2001:db8:d::1")
    m = node.receive(ip6(bytes(8), IPPROTO_UDP, HOST, away))
    assert fate(m) == (Fate.DROPPED, "IPSEC_OUTPOLICY")
    for host in (THERE, addr("2001:db8:9::6")):
        assert fate(node.receive(ip6(bytes(8), IPPROTO_UDP, HOST, host))) == PASSED
        ((_, packet),) = node.sent()
        assert Ip6Hdr.unpack(inside(back, packet)[1]).ip6_dst == host
    assert fate(node.receive(ip6(bytes(8), IPPROTO_UDP, HOST, PEER2))) == PASSED
    ((_, packet),) = node.sent()
    assert packet[6] == IPPROTO_UDP


@pytest.mark.tahi(SGW + "SelectSPD_ICMP_Type")
def test_a_tunnel_may_be_for_one_type_of_icmpv6() -> None:
    node = IpsecNode(forwarding=1)
    pair(node, US2, PEER2, TUNNEL)
    steps = request(ESP, TUNNEL, src=US2, dst=PEER2)
    node.policy(OUT, steps, proto=IPPROTO_ICMPV6, ports=(128, 0), dst=FAR)
    rtrequest(node.kern, RTM_ADD, bytes(16), 0, PEER2, RTF_GATEWAY)
    for kind in (128, 129):
        node.receive(ip6(echo(HOST, THERE, kind=kind), IPPROTO_ICMPV6, HOST, THERE))
    assert [packet[6] for _, packet in node.sent()] == [IPPROTO_ESP, IPPROTO_ICMPV6]


@pytest.mark.tahi(SGW + "SequenceNumber")
def test_numbers_of_a_tunnel_grow_by_1() -> None:
    node, _, _ = gateway()
    for _ in range(4):
        node.receive(ip6(bytes(8), IPPROTO_UDP, HOST, THERE))
    assert [Esp.unpack(packet, 40).esp_seq for _, packet in node.sent()] == [1, 2, 3, 4]


@pytest.mark.tahi(SGW + "invalidICV", SGW + "nonRegSPI", SGW + "ReceiptOfNoNextHeader")
def test_what_the_gateway_cannot_verify_or_use_goes_nowhere() -> None:
    node, there, _ = gateway()
    inner = ip6(bytes(8), IPPROTO_UDP, THERE, HOST)
    body = protected(there, payload=inner, nxt=IPPROTO_IPV6)[40:]
    for changed, why in (
        (body[:-1] + bytes([body[-1] ^ 1]), "ESP_BADICV"),
        (bytes.fromhex("00009999") + body[4:], "ESP_NOSA"),
    ):
        m = node.receive(ip6(changed, IPPROTO_ESP, PEER2, US2), node.rip1)
        assert fate(m) == (Fate.DROPPED, why)
    assert arrives(node, there, bytes(40), IPPROTO_NONE) == (Fate.DROPPED, "IP6_NOPROTO")
    assert node.sent() == []
    assert arrives(node, there, inner) == PASSED


@pytest.mark.tahi(SGW + "PacketTooBigTransmission")
def test_what_does_not_fit_the_tunnel_is_reported_to_its_source() -> None:
    node, _, _ = gateway()
    m = node.receive(ip6(bytes(1460), IPPROTO_UDP, HOST, THERE))
    assert fate(m) == (Fate.DROPPED, "IP6_FWDTOOBIG")
    ((where, answer),) = node.sent()
    assert (where, Ip6Hdr.unpack(answer).ip6_dst) == ("rip0", HOST)
    # 1500 - 40 outer - 8 ESP - 8 vector - 12 code, in blocks of 8, less the trailer
    assert Icmp6Hdr.unpack(answer, 40).icmp6_data32 == 1432 // 8 * 8 - 2


@pytest.mark.tahi(SGW + "PacketTooBigForwarding")
def test_a_packet_too_big_about_the_tunnel_reaches_the_next_source() -> None:
    """The error does not tell who sent what was inside; the next large packet is reported."""
    node, _, _ = gateway()
    large = ip6(bytes(1360), IPPROTO_UDP, HOST, THERE)
    assert fate(node.receive(large)) == PASSED
    ((_, outer),) = node.sent()
    node.receive(error(outer, ICMP6_PACKET_TOO_BIG, 0, 1400, PEER2, US2), node.rip1)
    assert fate(node.receive(large)) == (Fate.DROPPED, "IP6_FWDTOOBIG")
    ((where, answer),) = node.sent()
    assert where == "rip0"
    assert Icmp6Hdr.unpack(answer, 40).icmp6_data32 == (1400 - 68) // 8 * 8 - 2


@pytest.mark.tahi(SGW + "tunnelwEndNode")
def test_a_tunnel_from_a_gateway_to_a_host() -> None:
    node = IpsecNode(forwarding=1)
    there, back = pair(node, US2, PEER2, TUNNEL)
    node.policy(IN, request(ESP, TUNNEL, src=PEER2, dst=US2), src="2001:db8:2::9", dst=SITE)
    node.policy(OUT, request(ESP, TUNNEL, src=US2, dst=PEER2), src=SITE, dst="2001:db8:2::9")
    inner = ip6(bytes(8), IPPROTO_UDP, PEER2, HOST)
    assert arrives(node, there, inner) == PASSED
    assert [where for where, _ in node.sent()] == ["rip0"]
    assert fate(node.receive(ip6(bytes(8), IPPROTO_UDP, HOST, PEER2))) == PASSED
    ((_, packet),) = node.sent()
    assert inside(back, packet)[1] == ip6(bytes(8), IPPROTO_UDP, HOST, PEER2, 63)
