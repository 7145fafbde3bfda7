# SPDX-License-Identifier: BSD-3-Clause
"""The IPsec conformance tests of TAHI for hosts: transport mode, and what AH notices anywhere."""

from __future__ import annotations

from typing import Any, Final

import pytest

from kame_py.kern.mbuf import Fate
from kame_py.netkey.keydb import Secasvar, Seclifetime
from kame_py.wire import pfkeyv2 as k
from kame_py.wire.codecs import Ah, Esp, Tcphdr
from kame_py.wire.const import (
    IPPROTO_AH,
    IPPROTO_DSTOPTS,
    IPPROTO_ESP,
    IPPROTO_FRAGMENT,
    IPPROTO_HOPOPTS,
    IPPROTO_ICMPV6,
    IPPROTO_IPV6,
    IPPROTO_ROUTING,
    IPPROTO_TCP,
    IPPROTO_UDP,
)
from kame_py.wire.ip6ext import build_rthdr0
from tests.scenario.ipsec_ct import (
    ANSWERED,
    AUTHS,
    CIPHERS,
    CT,
    THERE,
    THIRD,
    algorithms,
    case,
    inside,
    send,
)
from tests.unit.netinet6.ip6_node import PEER1, PEER2, US1, echo, fate, ip6
from tests.unit.netinet6.udp_node import bound, udp
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
    TRANSPORT,
    TUNNEL,
    UNIQUE,
    IpsecNode,
    protected,
    request,
    signed,
)

# -- host: algorithms --------------------------------------------------------------------------


@pytest.mark.parametrize(("enc", "auth"), list(algorithms("HTR_E_In")))
def test_a_request_under_esp_is_answered(enc: int, auth: int) -> None:
    node = IpsecNode()
    sav = node.sa(ESP, 0x1000, auth, enc=enc, enckey=KEYS[enc])
    node.policy(IN, request(ESP), src="2001:db8:1::9")
    assert fate(node.receive(protected(sav))) == ANSWERED
    assert fate(node.receive(ip6(echo(), IPPROTO_ICMPV6))) == (Fate.DROPPED, "IPSEC_INPOLICY")
    assert len(node.sent()) == 1


@pytest.mark.parametrize(("enc", "auth"), list(algorithms("HTR_E_Out")))
def test_the_answer_leaves_under_esp(enc: int, auth: int) -> None:
    node = IpsecNode()
    sav = node.sa(ESP, 0x2000, auth, enc=enc, enckey=KEYS[enc], src=US1, dst=PEER1)
    node.policy(OUT, request(ESP), dst="2001:db8:1::9")
    node.receive(ip6(echo(data=b"data"), IPPROTO_ICMPV6))
    ((_, packet),) = node.sent()
    assert inside(sav, packet) == (IPPROTO_ICMPV6, echo(US1, PEER1, b"data", 129))


@pytest.mark.parametrize("auth", [case("HTR_A_In_hmacmd5", MD5), case("HTR_A_In_hmacsha1", SHA1)])
def test_a_request_under_ah_is_answered(auth: int) -> None:
    node = IpsecNode()
    sav = node.sa(AH, 0x1000, auth)
    node.policy(IN, request(AH), src="2001:db8:1::9")
    assert fate(node.receive(signed(sav))) == ANSWERED


@pytest.mark.parametrize("auth", [case("HTR_A_Out_hmacmd5", MD5), case("HTR_A_Out_hmacsha1", SHA1)])
def test_the_answer_leaves_under_ah(auth: int) -> None:
    node, peer = IpsecNode(), IpsecNode()
    peer.have(PEER1)
    for n in (node, peer):
        n.sa(AH, 0x2000, auth, src=US1, dst=PEER1)
    node.policy(OUT, request(AH), dst="2001:db8:1::9")
    node.receive(ip6(echo(), IPPROTO_ICMPV6))
    ((_, packet),) = node.sent()
    peer.receive(packet)
    assert packet[6] == IPPROTO_AH
    assert peer.counters()["ipsec6.in_ahauthsucc"] == 1


# -- host: padding -----------------------------------------------------------------------------


@pytest.mark.parametrize(("enc", "auth"), list(algorithms("HTR_E_In_Padding", bare=MD5)))
def test_every_length_of_padding_is_taken_off(enc: int, auth: int) -> None:
    node = IpsecNode()
    sav = node.sa(ESP, 0x1000, auth, enc=enc, enckey=KEYS[enc])
    for size in range(17):
        m = node.receive(protected(sav, payload=echo(data=bytes(size))))
        assert fate(m) == ANSWERED
        assert m.data[40:] == echo(data=bytes(size))


@pytest.mark.parametrize(
    ("enc", "auth"), list(algorithms("HTR_E_Out_Padding", auths="hmacsha1 hmacsha2_256"))
)
def test_padding_is_the_least_and_counts_from_1(enc: int, auth: int) -> None:
    padding_out(enc, auth)


@pytest.mark.tahi(CT + "HTR_E_Out_Padding_null_hmacmd5")
def test_padding_of_the_null_cipher_aligns_to_4() -> None:
    padding_out(NULL, MD5)


def padding_out(enc: int, auth: int) -> None:
    node = IpsecNode()
    sav = node.sa(ESP, 0x2000, auth, enc=enc, enckey=KEYS[enc], src=US1, dst=PEER1)
    node.policy(OUT, request(ESP))
    bound_ = max(4, sav.cipher.blocklen if sav.cipher is not None else 0)
    for size in range(17):
        send(node, bytes(8 + size), IPPROTO_UDP)
        ((_, packet),) = node.sent()
        assert inside(sav, packet) == (IPPROTO_UDP, bytes(8 + size))
        icvlen = sav.mackey.icvlen if sav.mackey is not None else 0
        body = len(packet) - 48 - len(sav.iv) - icvlen
        assert body % bound_ == 0
        assert 0 <= body - (8 + size + 2) < bound_


@pytest.mark.parametrize(
    "enc", [case(f"HTR_E_In_PadLen255_{c}", CIPHERS[c]) for c in CIPHERS if c != "null"]
)
def test_padding_of_255_octets_is_taken_off(enc: int) -> None:
    node = IpsecNode()
    sav = node.sa(ESP, 0x1000, enc=enc, enckey=KEYS[enc])
    data = bytes(-(8 + 255 + 2) % 16)
    padding = bytes(range(1, 256))
    m = node.receive(protected(sav, payload=echo(data=data), padding=padding))
    assert fate(m) == ANSWERED
    assert m.data[40:] == echo(data=data)


# -- host: wrong keys --------------------------------------------------------------------------


@pytest.mark.parametrize("auth", [case(f"HTR_E_In_AuthKey_{a}", AUTHS[a]) for a in AUTHS if a])
def test_a_wrong_authentication_key_is_noticed(auth: int) -> None:
    node, other = IpsecNode(), IpsecNode()
    wrong = bytes(x ^ 0x55 for x in AUTH_KEYS[auth])
    node.sa(ESP, 0x1000, auth, enc=NULL)
    sav = other.sa(ESP, 0x1000, auth, wrong, NULL)
    assert fate(node.receive(protected(sav))) == (Fate.DROPPED, "ESP_BADICV")
    assert node.sent() == []


@pytest.mark.parametrize(
    "enc", [case(f"HTR_E_In_EncryptKey_{c}", CIPHERS[c]) for c in CIPHERS if c != "null"]
)
def test_under_a_wrong_encryption_key_nothing_is_answered(enc: int) -> None:
    node, other = IpsecNode(), IpsecNode()
    node.sa(ESP, 0x1000, enc=enc, enckey=KEYS[enc])
    sav = other.sa(ESP, 0x1000, enc=enc, enckey=bytes(x ^ 0x5A for x in KEYS[enc]))
    assert fate(node.receive(protected(sav)))[0] is Fate.DROPPED
    assert not [packet for _, packet in node.sent() if packet[40] == 129]


# -- host: sequence numbers, lifetimes ---------------------------------------------------------


def numbered(window: int, *numbers: int) -> list[str]:
    node = IpsecNode()
    sav = node.sa(ESP, 0x1000, MD5, enc=NULL, window=window)
    return [fate(node.receive(protected(sav, seq)))[1] for seq in numbers]


@pytest.mark.tahi(CT + "HTR_E_In_DuplicateSequence")
def test_a_number_is_taken_once() -> None:
    assert numbered(4, 1, 1, 2) == ["", "ESP_REPLAY", ""]


@pytest.mark.tahi(CT + "HTR_E_In_ReceiveWindow")
def test_the_window_moves_with_the_highest_number() -> None:
    assert numbered(4, 10, 100, 69, 68, 100) == ["", "", "", "ESP_REPLAY", "ESP_REPLAY"]


@pytest.mark.tahi(CT + "HTR_E_In_SlideReceiveWindow")
def test_numbers_inside_the_window_may_come_late() -> None:
    assert numbered(8, 64, 1, 65, 1, 2) == ["", "", "", "ESP_REPLAY", ""]


@pytest.mark.tahi(CT + "HTR_E_Out_SeqCountOverFlow")
def test_after_the_last_number_nothing_is_sent() -> None:
    node = IpsecNode()
    sav = node.sa(ESP, 0x2000, MD5, enc=NULL, src=US1, dst=PEER1, flags=0)
    node.policy(OUT, request(ESP))
    sav.replay.count = 2**32 - 2
    assert fate(send(node, echo(US1, PEER1)))[0] is Fate.TRANSMITTED
    assert fate(send(node, echo(US1, PEER1))) == (Fate.DROPPED, "IPSEC_OUTSEQ")


@pytest.mark.tahi(CT + "HTR_E_In_LifetimeSAByte")
def test_an_association_ends_with_its_octets() -> None:
    node = IpsecNode()
    sav = node.sa(ESP, 0x1000, MD5, enc=NULL, hard=Seclifetime(bytes=100))
    packet = protected(sav)
    assert [fate(node.receive(packet))[1] for _ in range(3)] == ["", "", "ESP_NOSA"]


@pytest.mark.tahi(CT + "HTR_E_In_LifetimeSATime")
def test_an_association_ends_with_its_time() -> None:
    node = IpsecNode()
    sav = node.sa(ESP, 0x1000, MD5, enc=NULL, hard=Seclifetime(addtime=30))
    packet = protected(sav)
    assert fate(node.receive(packet)) == ANSWERED
    node.wait(29)
    assert fate(node.receive(packet)) == ANSWERED
    node.wait(3)
    assert fate(node.receive(packet)) == (Fate.DROPPED, "ESP_NOSA")


@pytest.mark.parametrize(
    ("hard", "seconds"),
    [
        case("HTR_E_Out_LifetimeSAByte", Seclifetime(bytes=60), 0),
        case("HTR_E_Out_LifetimeSATime", Seclifetime(addtime=30), 32),
    ],
)
def test_without_a_living_association_nothing_is_sent(hard: Seclifetime, seconds: int) -> None:
    node = IpsecNode()
    node.sa(ESP, 0x2000, MD5, enc=NULL, src=US1, dst=PEER1, hard=hard)
    node.policy(OUT, request(ESP), dst="2001:db8:1::9")
    assert fate(send(node, echo(US1, PEER1)))[0] is Fate.TRANSMITTED
    node.wait(seconds)
    assert fate(send(node, echo(US1, PEER1))) == (Fate.DROPPED, "IPSEC_OUTNOSA")


# -- host: which association, which policy -----------------------------------------------------


def two(node: IpsecNode, proto: int, enc: int, same: dict[str, Any]) -> list[Secasvar]:
    """Two associations of different keys, and SPIs unless ``same`` says one."""
    made = []
    for n in (0, 1):
        which: dict[str, Any] = {"src": (PEER1, THIRD)[n], "dst": US1} | same
        spi = which.pop("spi", 0x1000 + n)
        auth = MD5 if proto == AH else 0
        key = bytes(x ^ n for x in AUTH_KEYS[MD5]) if proto == AH else b""
        secret = bytes(x ^ n << 4 for x in KEYS.get(enc, b""))
        if "dsts" in which:
            which |= {"src": US1, "dst": which.pop("dsts")[n]}
        made.append(node.sa(proto, spi, auth, key, enc, secret, **which))
    return made


IN_TWO = [
    case("HTR_A_In_2SA_DspiDipsrc", AH, 0, {}),
    case("HTR_A_In_2SA_DspiSipsrc", AH, 0, {"src": PEER1}),
    *(
        case(f"HTR_E_In_2SA_{kind}_{c}", ESP, CIPHERS[c], same)
        for c in ("descbc", "3descbc", "rijndaelcbc")
        for kind, same in (("DspiDipsrc", {}), ("DspiSipsrc", {"src": PEER1}))
    ),
]


@pytest.mark.parametrize(("proto", "enc", "same"), IN_TWO)
def test_a_packet_is_opened_with_its_own_association(
    proto: int, enc: int, same: dict[str, Any]
) -> None:
    node = IpsecNode()
    for sav in two(node, proto, enc, same):
        src = sav.saidx.src
        message = echo(src)
        if proto == AH:
            packet = signed(sav, payload=message, src=src)
        else:
            packet = ip6(protected(sav, payload=message)[40:], IPPROTO_ESP, src)
        m = node.receive(packet)
        assert fate(m) == ANSWERED
        assert m.ipsec is not None
        assert m.ipsec.hist == [sav]


@pytest.mark.tahi(CT + "HTR_C_In_2SA_SspiSipsrcDproto")
def test_ah_and_esp_have_spis_of_their_own() -> None:
    node = IpsecNode()
    ah, esp = node.sa(AH, 0x1000, SHA1), node.sa(ESP, 0x1000, MD5, enc=DES, enckey=KEYS[DES])
    assert fate(node.receive(signed(ah))) == ANSWERED
    assert fate(node.receive(protected(esp))) == ANSWERED


OUT_TWO = [
    case("HTR_A_Out_2SA_DspiDipdst", AH, 0, {}),
    case("HTR_A_Out_2SA_SspiDipdst", AH, 0, {"spi": 0x2000}),
    *(
        case(f"HTR_E_Out_2SA_{kind}_{c}", ESP, CIPHERS[c], same)
        for c in ("descbc", "3descbc", "rijndaelcbc")
        for kind, same in (("DspiDipdst", {}), ("SspiDipdst", {"spi": 0x2000}))
    ),
]


@pytest.mark.parametrize(("proto", "enc", "same"), OUT_TWO)
def test_a_destination_has_its_own_association(proto: int, enc: int, same: dict[str, Any]) -> None:
    node = IpsecNode()
    savs = two(node, proto, enc, same | {"dsts": (PEER1, PEER2)})
    node.policy(OUT, request(proto))
    for sav in savs:
        dst = sav.saidx.dst
        send(node, echo(US1, dst), dst=dst)
        ((_, packet),) = node.sent()
        if proto == ESP:
            assert inside(sav, packet) == (IPPROTO_ICMPV6, echo(US1, dst))
        assert sav.lft_c.allocations == 1
        spi = Ah.unpack(packet, 40).ah_spi if proto == AH else Esp.unpack(packet, 40).esp_spi
        assert spi == sav.spi


def upper(name: str) -> tuple[int, bytes]:
    """(protocol, payload) of what a peer sends."""
    if name == "ICMP":
        return IPPROTO_ICMPV6, echo()
    if name == "UDP":
        return IPPROTO_UDP, udp()[40:]
    return IPPROTO_TCP, Tcphdr(th_sport=4000, th_dport=5000, th_off_x2=0x50).pack()


UPPER = [
    ("ICMP", (0, 0)),
    ("TCP", (0, 0)),
    ("TCPPort", (0, 5000)),
    ("UDP", (0, 0)),
    ("UDPPort", (0, 5000)),
]


@pytest.mark.parametrize(
    ("name", "ports"), [case(f"HTR_E_In_SelectUpperProt{n}", n, ports) for n, ports in UPPER]
)
def test_an_inbound_policy_may_be_for_one_protocol(name: str, ports: tuple[int, int]) -> None:
    proto, payload = upper(name.removesuffix("Port"))
    node = IpsecNode()
    bound(node)
    own = node.sa(ESP, 0x1000, MD5, enc=NULL, reqid=1)
    other = node.sa(ESP, 0x1001, MD5, enc=NULL, reqid=2)
    node.policy(IN, request(ESP, level=UNIQUE, reqid=1), proto=proto, ports=ports)
    node.policy(IN, request(ESP, level=UNIQUE, reqid=2))
    good = node.receive(protected(own, payload=payload, nxt=proto))
    assert fate(good)[1] != "IPSEC_INPOLICY"
    bad = node.receive(protected(other, payload=payload, nxt=proto))
    assert fate(bad) == (Fate.DROPPED, "IPSEC_INPOLICY")


@pytest.mark.parametrize(
    ("name", "ports"), [case(f"HTR_E_Out_SelectUpperProt{n}", n, ports) for n, ports in UPPER]
)
def test_an_outbound_policy_may_be_for_one_protocol(name: str, ports: tuple[int, int]) -> None:
    proto, payload = upper(name.removesuffix("Port"))
    node = IpsecNode()
    for reqid in (1, 2):
        node.sa(ESP, 0x2000 + reqid, MD5, enc=NULL, src=US1, dst=PEER1, reqid=reqid)
    node.policy(OUT, request(ESP, level=UNIQUE, reqid=1), proto=proto, ports=ports)
    node.policy(OUT, request(ESP, level=UNIQUE, reqid=2))
    send(node, payload, proto)
    send(node, bytes(8), 253)
    spis = [Esp.unpack(packet, 40).esp_spi for _, packet in node.sent()]
    assert spis == [0x2001, 0x2002]


SPD = ["descbc", "3descbc", "rijndaelcbc"]


@pytest.mark.parametrize(
    ("proto", "enc"),
    [
        case("HTR_C_In_SPD_discard_none", AH, 0),
        *(case(f"HTR_C_In_{c}_SPD_discard_none", ESP, CIPHERS[c]) for c in SPD),
    ],
)
def test_inbound_policies_discard_protect_and_pass(proto: int, enc: int) -> None:
    node = IpsecNode()
    sav = node.sa(proto, 0x1000, MD5, enc=enc, enckey=KEYS.get(enc, b""))
    node.policy(IN, src="2001:db8:1::7", action=k.IPSEC_POLICY_DISCARD)
    node.policy(IN, request(proto), src="2001:db8:1::9")
    node.policy(IN, src="2001:db8:2::9", action=k.IPSEC_POLICY_NONE)
    covered = signed(sav) if proto == AH else protected(sav)
    for packet, ends in (
        (ip6(echo(THIRD), IPPROTO_ICMPV6, THIRD), (Fate.DROPPED, "IPSEC_INPOLICY")),
        (ip6(echo(), IPPROTO_ICMPV6), (Fate.DROPPED, "IPSEC_INPOLICY")),
        (covered, ANSWERED),
        (ip6(echo(PEER2), IPPROTO_ICMPV6, PEER2), ANSWERED),
    ):
        assert fate(node.receive(packet)) == ends


@pytest.mark.parametrize(
    ("proto", "enc"),
    [
        case("HTR_C_Out_SPD_discard_none", AH, 0),
        *(case(f"HTR_C_Out_{c}_SPD_discard_none", ESP, CIPHERS[c]) for c in SPD),
    ],
)
def test_outbound_policies_discard_protect_and_pass(proto: int, enc: int) -> None:
    node = IpsecNode()
    node.sa(proto, 0x2000, MD5, enc=enc, enckey=KEYS.get(enc, b""), src=US1, dst=PEER1)
    node.policy(OUT, dst="2001:db8:1::7", action=k.IPSEC_POLICY_DISCARD)
    node.policy(OUT, request(proto), dst="2001:db8:1::9")
    node.policy(OUT, dst="2001:db8:2::9", action=k.IPSEC_POLICY_NONE)
    assert fate(send(node, echo(US1, THIRD), dst=THIRD)) == (Fate.DROPPED, "IPSEC_OUTPOLICY")
    send(node, echo(US1, PEER1))
    send(node, echo(US1, PEER2), dst=PEER2)
    assert [packet[6] for _, packet in node.sent()] == [proto, IPPROTO_ICMPV6]


# -- host: order of headers --------------------------------------------------------------------


def fragments(whole: bytes) -> list[bytes]:
    """A packet in two fragments."""
    head, body = whole[:40], whole[40:]
    cut = len(body) // 2 // 8 * 8
    out = []
    for start, end, more in ((0, cut, 1), (cut, len(body), 0)):
        frag = bytes([head[6], 0]) + (start | more).to_bytes(2, "big") + bytes(4)
        out.append(ip6(frag + body[start:end], IPPROTO_FRAGMENT, head[8:24], head[24:40]))
    return out


@pytest.mark.parametrize(
    ("proto", "auth"),
    [
        case("HTR_A_In_Fragment", AH, MD5),
        *(case(f"HTR_E_In_Fragment_{a}", ESP, AUTHS[a]) for a in AUTHS if a),
    ],
)
def test_what_was_fragmented_after_protection_is_put_together_first(proto: int, auth: int) -> None:
    node = IpsecNode()
    sav = node.sa(proto, 0x1000, auth, enc=NULL if proto == ESP else 0)
    node.policy(IN, request(proto))
    message = echo(data=bytes(200))
    whole = signed(sav, payload=message) if proto == AH else protected(sav, payload=message)
    first, last = fragments(whole)
    assert fate(node.receive(first))[0] is Fate.HELD
    assert fate(node.receive(last)) == ANSWERED


@pytest.mark.parametrize(
    ("proto", "auth"),
    [
        case("HTR_A_Out_Fragment", AH, MD5),
        *(case(f"HTR_E_Out_Fragment_{a}", ESP, AUTHS[a]) for a in AUTHS if a),
    ],
)
def test_fragments_are_made_after_protection(proto: int, auth: int) -> None:
    node = IpsecNode()
    node.sa(proto, 0x2000, auth, enc=NULL if proto == ESP else 0, src=US1, dst=PEER1)
    node.policy(OUT, request(proto))
    send(node, echo(US1, PEER1, bytes(2000)))
    parts = [packet for _, packet in node.sent()]
    assert [(p[6], p[40]) for p in parts] == [(IPPROTO_FRAGMENT, proto)] * 2


@pytest.mark.tahi(CT + "HTR_C_In_ah_esp")
def test_ah_around_esp_is_opened() -> None:
    node = IpsecNode()
    ah, esp = node.sa(AH, 0x1000, MD5), node.sa(ESP, 0x1001, enc=DES, enckey=KEYS[DES])
    node.policy(IN, request(ESP), request(AH))
    packet = signed(ah, payload=protected(esp)[40:], nxt=IPPROTO_ESP)
    assert fate(node.receive(packet)) == ANSWERED
    assert fate(node.receive(protected(esp))) == (Fate.DROPPED, "IPSEC_INPOLICY")


@pytest.mark.tahi(CT + "HTR_C_Out_ah_esp")
def test_ah_is_put_around_esp() -> None:
    node = IpsecNode()
    node.sa(AH, 0x2000, MD5, src=US1, dst=PEER1)
    node.sa(ESP, 0x2001, enc=DES, enckey=KEYS[DES], src=US1, dst=PEER1)
    node.policy(OUT, request(ESP), request(AH))
    send(node, echo(US1, PEER1))
    ((_, packet),) = node.sent()
    assert (packet[6], packet[40]) == (IPPROTO_AH, IPPROTO_ESP)


# -- what AH notices, for hosts and for routers ------------------------------------------------

OPTIONS: Final = bytes([IPPROTO_AH, 0, 0x1E, 4, 1, 2, 3, 4])  # in front of AH


def covered(node: IpsecNode, mode: int, **more: Any) -> bytes:
    """An AH packet to the node; in tunnel mode it holds one that the node forwards."""
    sav = node.sa(AH, 0x1000, MD5, mode=mode)
    if mode == TRANSPORT:
        return signed(sav, **more)
    inner = ip6(bytes(8), IPPROTO_UDP, THERE, PEER2)
    node.policy(IN, request(AH, TUNNEL, src=PEER1, dst=US1), src="2001:db8:9::/64")
    return signed(sav, payload=inner, nxt=IPPROTO_IPV6, **more)


#: name -> (headers in front, their type, octet to change, whether that is noticed)
CHANGES: Final = {
    "HBHH_opttype": (OPTIONS, IPPROTO_HOPOPTS, 42, True),
    "HBHH_optlen": (OPTIONS, IPPROTO_HOPOPTS, 43, True),
    "HBHH_optdata": (OPTIONS, IPPROTO_HOPOPTS, 45, True),
    "DSTH_opttype": (OPTIONS, IPPROTO_DSTOPTS, 42, True),
    "DSTH_optlen": (OPTIONS, IPPROTO_DSTOPTS, 43, True),
    "DSTH_optdata": (OPTIONS, IPPROTO_DSTOPTS, 45, True),
    "IPv6H_hlim": (b"", IPPROTO_AH, 7, False),
    "IPv6H_src": (b"", IPPROTO_AH, 23, True),
    "Payload": (b"", IPPROTO_AH, -1, True),
    "Inner_IPv6H_hlim": (b"", IPPROTO_AH, 64 + 7, True),
    "Inner_Payload": (b"", IPPROTO_AH, -1, True),
}
ONLY_ROUTERS: Final = ("Inner_IPv6H_hlim", "Inner_Payload")


@pytest.mark.parametrize(
    ("mode", "name"),
    [
        *(case(f"HTR_A_In_DM_{n}", TRANSPORT, n) for n in CHANGES if n not in ONLY_ROUTERS),
        *(case(f"RTU_A_In_DM_{n}", TUNNEL, n) for n in CHANGES if n != "Payload"),
    ],
)
def test_changes_on_the_way_are_noticed_where_ah_covers(mode: int, name: str) -> None:
    before, first, off, noticed = CHANGES[name]
    node = IpsecNode(forwarding=int(mode == TUNNEL))
    good = covered(node, mode, before=before, first=first)
    ends = (Fate.FORWARDED, "") if mode == TUNNEL else ANSWERED
    assert fate(node.receive(good)) == ends
    at = off % len(good)
    bad = good[:at] + bytes([good[at] ^ 0x01]) + good[at + 1 :]
    if name.endswith("optlen"):  # as long a header: one octet of data becomes an option
        bad = good[:43] + bytes([3]) + good[44:47] + bytes(1) + good[48:]
    m = node.receive(bad)
    assert fate(m) == ((Fate.DROPPED, "AH_BADICV") if noticed else ends)


@pytest.mark.parametrize(
    ("mode", "forged"),
    [
        case("HTR_A_In_DM_IPv6H_dst", TRANSPORT, False),
        case("RTU_A_In_DM_IPv6H_dst", TUNNEL, False),
        case("HTR_A_In_DM_RH_ipv6h_dst", TRANSPORT, True),
        case("RTU_A_In_DM_RH_ipv6h_dst", TUNNEL, True),
    ],
)
def test_another_destination_of_the_node_is_noticed(mode: int, forged: bool) -> None:
    node = IpsecNode(forwarding=int(mode == TUNNEL))
    node.have(THIRD)
    node.sa(AH, 0x1000, MD5, dst=THIRD, mode=mode)  # the same key for both addresses
    more: dict[str, Any] = {}
    if forged:
        rthdr = build_rthdr0(IPPROTO_AH, [PEER2], 0)
        more = {"before": rthdr, "first": IPPROTO_ROUTING}
    good = covered(node, mode, **more)
    assert fate(node.receive(good[:24] + THIRD + good[40:])) == (Fate.DROPPED, "AH_BADICV")


@pytest.mark.parametrize(
    "mode",
    [case("HTR_A_In_DM_RH_lastaddr", TRANSPORT), case("RTU_A_In_DM_RH_lastaddr", TUNNEL)],
)
def test_a_changed_address_in_a_used_routing_header_is_noticed(mode: int) -> None:
    node = IpsecNode(forwarding=int(mode == TUNNEL))
    rthdr = build_rthdr0(IPPROTO_AH, [PEER2], 0)
    good = covered(node, mode, before=rthdr, first=IPPROTO_ROUTING)
    assert fate(node.receive(good))[0] is (Fate.FORWARDED if mode == TUNNEL else Fate.CONSUMED)
    bad = good[:63] + bytes([good[63] ^ 1]) + good[64:]
    assert fate(node.receive(bad)) == (Fate.DROPPED, "AH_BADICV")
