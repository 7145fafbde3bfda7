# SPDX-License-Identifier: BSD-3-Clause
"""The IPsec conformance tests of TAHI for routers: security gateways in tunnel mode."""

from __future__ import annotations

from typing import Any, Final

import pytest

from kame_py.kern.mbuf import Fate, Mbuf
from kame_py.net.route import RTF_GATEWAY, RTM_ADD, rtrequest
from kame_py.wire.codecs import Ip6Hdr
from kame_py.wire.const import (
    IPPROTO_DSTOPTS,
    IPPROTO_ESP,
    IPPROTO_IPV6,
    IPPROTO_UDP,
)
from tests.scenario.ipsec_ct import (
    CIPHERS,
    CT,
    THERE,
    algorithms,
    case,
    inside,
)
from tests.unit.netinet6.ip6_node import PEER1, PEER2, US2, addr, fate, ip6
from tests.unit.netkey.ipsec_node import (
    AH,
    AUTH_KEYS,
    DES,
    ESP,
    IN,
    KEYS,
    MD5,
    NULL,
    OUT,
    SHA1,
    TUNNEL,
    IpsecNode,
    protected,
    request,
    signed,
)

# -- router ------------------------------------------------------------------------------------


def router(*savs: tuple[int, int, int, int, bytes, bytes], policy: bool = True) -> IpsecNode:
    """A security gateway: US2 outside, rip0 inside; (protocol, spi, auth, cipher, src, dst)."""
    node = IpsecNode(forwarding=1)
    for proto, spi, auth, enc, src, dst in savs:
        node.sa(proto, spi, auth, enc=enc, enckey=KEYS.get(enc, b""), src=src, dst=dst, mode=TUNNEL)
        if not policy:
            continue
        far = "2001:db8:9::/64" if PEER2 in (src, dst) else "2001:db8:a::/64"
        near = "2001:db8:1::/64"
        steps = request(proto, TUNNEL, src=src, dst=dst)
        if dst == US2:
            node.policy(IN, steps, src=far, dst=near)
        else:
            node.policy(OUT, steps, src=near, dst=far)
    rtrequest(node.kern, RTM_ADD, bytes(16), 0, PEER2, RTF_GATEWAY)
    return node


OTHER: Final = addr("2001:db8:2::8")  # another gateway
FAR: Final = {PEER2: THERE, OTHER: addr("2001:db8:a::5")}


def tunnelled(node: IpsecNode, proto: int, spi: int, src: bytes = PEER2, **more: Any) -> Mbuf:
    """A packet of a far site arrives by its tunnel."""
    inner = ip6(bytes(8), IPPROTO_UDP, FAR[src], PEER1)
    found = node.kern.key.sad[(proto, US2, spi)]
    (sav,) = [s for s in found if s.saidx.src == src]
    if proto == AH:
        packet = signed(sav, payload=inner, nxt=IPPROTO_IPV6, src=src, dst=US2, **more)
    else:
        body = protected(sav, payload=inner, nxt=IPPROTO_IPV6, **more)[40:]
        packet = ip6(body, IPPROTO_ESP, src, US2)
    return node.receive(packet, node.rip1)


PASSED: Final = (Fate.FORWARDED, "")


@pytest.mark.parametrize(
    ("proto", "enc", "auth"),
    [
        case("RTU_A_In", AH, 0, MD5),
        case("RTU_A_In_hmacmd5", AH, 0, MD5),
        case("RTU_A_In_hmacsha1", AH, 0, SHA1),
        case("RTU_E_In", ESP, DES, MD5),
        *(
            pytest.param(ESP, *p.values, id=p.id, marks=p.marks)
            for p in algorithms("RTU_E_In", ciphers="null descbc 3descbc", auths="hmacmd5 hmacsha1")
        ),
    ],
)
def test_a_router_opens_its_tunnel(proto: int, enc: int, auth: int) -> None:
    node = router((proto, 0x1000, auth, enc, PEER2, US2))
    assert fate(tunnelled(node, proto, 0x1000)) == PASSED
    ((where, packet),) = node.sent()
    assert (where, packet) == ("rip0", ip6(bytes(8), IPPROTO_UDP, THERE, PEER1, 63))
    bare = ip6(bytes(8), IPPROTO_UDP, THERE, PEER1)
    assert fate(node.receive(bare, node.rip1)) == (Fate.DROPPED, "IPSEC_INPOLICY")


@pytest.mark.tahi(CT + "RTU_A_In_NoSPD")
def test_a_router_opens_no_tunnel_that_no_policy_knows() -> None:
    node = router((AH, 0x1000, MD5, 0, PEER2, US2), policy=False)
    assert fate(tunnelled(node, AH, 0x1000)) == (Fate.DROPPED, "ENCAP6_NOTUNNEL")


@pytest.mark.parametrize(
    ("proto", "enc", "auth"),
    [
        case("RTU_A_Out_hmacmd5", AH, 0, MD5),
        case("RTU_A_Out_hmacsha1", AH, 0, SHA1),
        *(
            pytest.param(ESP, *p.values, id=p.id, marks=p.marks)
            for p in algorithms(
                "RTU_E_Out", ciphers="null descbc 3descbc", auths="hmacmd5 hmacsha1"
            )
        ),
    ],
)
def test_a_router_puts_packets_into_its_tunnel(proto: int, enc: int, auth: int) -> None:
    node = router((proto, 0x2000, auth, enc, US2, PEER2))
    packet = ip6(bytes(8), IPPROTO_UDP, PEER1, THERE)
    assert fate(node.receive(packet)) == PASSED
    ((where, sent),) = node.sent()
    outer = Ip6Hdr.unpack(sent)
    assert where == "rip1"
    assert (outer.ip6_src, outer.ip6_dst, outer.ip6_nxt) == (US2, PEER2, proto)
    inner = ip6(bytes(8), IPPROTO_UDP, PEER1, THERE, 63)
    if proto == AH:
        assert (sent[40], sent[64:]) == (IPPROTO_IPV6, inner)
    else:
        (sav,) = node.kern.key.sad[(ESP, PEER2, 0x2000)]
        assert inside(sav, sent) == (IPPROTO_IPV6, inner)


@pytest.mark.parametrize(
    "enc", [case(f"RTU_E_In_Padding_{c}", CIPHERS[c]) for c in ("null", "descbc", "3descbc")]
)
def test_a_router_takes_longer_padding_off(enc: int) -> None:
    node = router((ESP, 0x1000, MD5, enc, PEER2, US2))
    for blocks in range(4):
        padding = bytes(range(1, 1 + 6 + 8 * blocks))
        assert fate(tunnelled(node, ESP, 0x1000, padding=padding)) == PASSED


@pytest.mark.tahi(CT + "RTU_E_In_PadLen255")
def test_a_router_takes_padding_of_255_octets_off() -> None:
    node = router((ESP, 0x1000, MD5, NULL, PEER2, US2))
    (sav,) = node.kern.key.sad[(ESP, US2, 0x1000)]
    inner = ip6(bytes(11), IPPROTO_UDP, THERE, PEER1)
    body = protected(sav, payload=inner, nxt=IPPROTO_IPV6, padding=bytes(range(1, 256)))[40:]
    assert fate(node.receive(ip6(body, IPPROTO_ESP, PEER2, US2), node.rip1)) == PASSED


@pytest.mark.parametrize(
    "enc", [case(f"RTU_E_Out_Padding_{c}", CIPHERS[c]) for c in ("null", "descbc", "3descbc")]
)
def test_a_router_pads_to_the_block(enc: int) -> None:
    node = router((ESP, 0x2000, MD5, enc, US2, PEER2))
    (sav,) = node.kern.key.sad[(ESP, PEER2, 0x2000)]
    for size in range(9):
        node.receive(ip6(bytes(8 + size), IPPROTO_UDP, PEER1, THERE))
        ((_, sent),) = node.sent()
        assert inside(sav, sent)[1] == ip6(bytes(8 + size), IPPROTO_UDP, PEER1, THERE, 63)


@pytest.mark.parametrize(
    ("auth", "enc", "why"),
    [case("RTU_E_In_AuthKey", MD5, NULL, "ESP_BADICV"), case("RTU_E_In_EncryptKey", 0, DES, "")],
)
def test_a_router_passes_nothing_on_under_a_wrong_key(auth: int, enc: int, why: str) -> None:
    node = router((ESP, 0x1000, auth, enc, PEER2, US2))
    key = bytes(x ^ 0x55 for x in AUTH_KEYS.get(auth, b""))
    secret = bytes(x ^ 0x5A for x in KEYS[enc])
    sav = IpsecNode().sa(ESP, 0x1000, auth, key, enc, secret)
    inner = ip6(bytes(8), IPPROTO_UDP, THERE, PEER1)
    body = protected(sav, payload=inner, nxt=IPPROTO_IPV6)[40:]
    m = node.receive(ip6(body, IPPROTO_ESP, PEER2, US2), node.rip1)
    assert fate(m)[0] is Fate.DROPPED
    assert fate(m)[1] == (why or fate(m)[1])
    assert not [where for where, _ in node.sent() if where == "rip0"]


@pytest.mark.parametrize(
    ("proto", "enc"), [case("RTU_A_In_Order_DSTH", AH, 0), case("RTU_E_In_Order_DSTH", ESP, NULL)]
)
def test_a_router_takes_destination_options_inside_the_tunnel(proto: int, enc: int) -> None:
    """Options between AH or ESP and the packet inside, and options in that packet."""
    node = router((proto, 0x1000, MD5, enc, PEER2, US2))
    (sav,) = node.kern.key.sad[(proto, US2, 0x1000)]
    options = bytes([IPPROTO_UDP, 0, 1, 4, 0, 0, 0, 0])
    inner = ip6(options + bytes(8), IPPROTO_DSTOPTS, THERE, PEER1)
    if proto == AH:
        packet = signed(sav, payload=inner, nxt=IPPROTO_IPV6, src=PEER2, dst=US2)
    else:
        body = protected(sav, payload=inner, nxt=IPPROTO_IPV6)[40:]
        packet = ip6(body, IPPROTO_ESP, PEER2, US2)
    assert fate(node.receive(packet, node.rip1)) == PASSED


@pytest.mark.parametrize(
    ("proto", "enc", "sources"),
    [
        case("RTU_A_In_2SA_DspiDipsrc", AH, 0, (PEER2, OTHER)),
        case("RTU_A_In_2SA_DspiSipsrc", AH, 0, (PEER2, PEER2)),
        case("RTU_E_In_2SA_DspiDipsrc", ESP, DES, (PEER2, OTHER)),
        case("RTU_E_In_2SA_DspiSipsrc", ESP, DES, (PEER2, PEER2)),
    ],
)
def test_a_router_has_several_tunnels(proto: int, enc: int, sources: tuple[bytes, bytes]) -> None:
    node = router(*((proto, 0x1000 + n, MD5, enc, src, US2) for n, src in enumerate(sources)))
    for n, src in enumerate(sources):
        assert fate(tunnelled(node, proto, 0x1000 + n, src)) == PASSED


@pytest.mark.tahi(CT + "RTU_C_In_2SA_SspiSipsrcDproto")
def test_a_routers_tunnels_of_ah_and_esp_may_share_an_spi() -> None:
    node = router((AH, 0x1000, MD5, 0, PEER2, US2), (ESP, 0x1000, MD5, DES, OTHER, US2))
    assert fate(tunnelled(node, AH, 0x1000)) == PASSED
    assert fate(tunnelled(node, ESP, 0x1000, OTHER)) == PASSED


@pytest.mark.parametrize(
    ("proto", "enc", "spis"),
    [
        case("RTU_A_Out_2SA_DspiDipdst", AH, 0, (0x2000, 0x2001)),
        case("RTU_A_Out_2SA_SspiDipdst", AH, 0, (0x2000, 0x2000)),
        case("RTU_E_Out_2SA_DspiDipdst", ESP, DES, (0x2000, 0x2001)),
        case("RTU_E_Out_2SA_SspiDipdst", ESP, DES, (0x2000, 0x2000)),
    ],
)
def test_a_router_chooses_the_tunnel_by_the_destination(
    proto: int, enc: int, spis: tuple[int, int]
) -> None:
    ends = (PEER2, OTHER)
    node = router(*((proto, spi, MD5, enc, US2, dst) for spi, dst in zip(spis, ends, strict=True)))
    for spi, dst in zip(spis, ends, strict=True):
        assert fate(node.receive(ip6(bytes(8), IPPROTO_UDP, PEER1, FAR[dst]))) == PASSED
        ((_, sent),) = node.sent()
        assert Ip6Hdr.unpack(sent).ip6_dst == dst
        assert sent[44 if proto == AH else 40 :][:4] == spi.to_bytes(4, "big")
