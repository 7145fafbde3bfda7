# SPDX-License-Identifier: BSD-3-Clause
"""ESP: payloads of others, what is refused, what is sent and how it is padded."""

from __future__ import annotations

from typing import Any

import pytest

from kame_py.kern.mbuf import M_AUTHIPDGM, M_AUTHIPHDR, M_DECRYPTED, Fate, Mbuf, m_get
from kame_py.kern.rng import Stream
from kame_py.netinet6.ip6_output import ip6_output, ip6_pkt
from kame_py.netinet6.ip6_var import Ip6Pktopts
from kame_py.netkey.algorithms import ah_algorithm_lookup, esp_algorithm_lookup
from kame_py.netkey.esp_core import (
    EspClear,
    esp_auth,
    esp_open,
    esp_padding,
    esp_padlen,
    esp_randpadlen,
    esp_seal,
)
from kame_py.netkey.keydb import Secasindex, Secasvar
from kame_py.wire import pfkeyv2 as k
from kame_py.wire.codecs import Esp
from kame_py.wire.const import (
    IPPROTO_AH,
    IPPROTO_DSTOPTS,
    IPPROTO_ESP,
    IPPROTO_FRAGMENT,
    IPPROTO_HOPOPTS,
    IPPROTO_ICMPV6,
    IPPROTO_UDP,
)
from tests.unit.netinet6.ip6_node import PEER1, US1, Node, echo, fate, ip6
from tests.unit.netkey.ipsec_node import (
    AES,
    AH,
    CYCSEQ,
    DES,
    DES3,
    ESP,
    KEYS,
    MD5,
    NULL,
    OUT,
    SHA1,
    SHA256,
    IpsecNode,
    protected,
    request,
    vectors,
)

CIPHERS = sorted(KEYS)


def association(spi: int, enc: int, key: bytes, auth: int = 0, authkey: bytes = b"") -> Secasvar:
    """An association in no database."""
    sav = Secasvar(Secasindex(ESP, 0, 0, PEER1, US1), spi, alg_auth=auth, alg_enc=enc)
    cipher, mac = esp_algorithm_lookup(enc), ah_algorithm_lookup(auth)
    assert cipher is not None
    sav.cipher = cipher.setup(key)
    sav.mackey = mac.setup(authkey) if mac is not None else None
    return sav


def reopened(sav: Secasvar, esp: bytes) -> EspClear | None:
    """Verify and decrypt a whole ESP header."""
    assert esp_auth(sav, esp)
    assert sav.cipher is not None
    return esp_open(sav.cipher, esp[: -sav.mackey.icvlen] if sav.mackey is not None else esp)


# -- vectors -----------------------------------------------------------------------------------


@pytest.mark.parametrize("index", range(4), ids=["case5", "case6", "case7", "case8"])
def test_packets_of_rfc_3602_are_made_and_opened(index: int) -> None:
    found = vectors("rfc_ipsec_vectors.json")["rfc3602_esp_packets_ipv4"]
    assert len(found) == 4
    v = found[index]
    packet = bytes.fromhex(v["esp_packet"])
    esp = packet[20:]  # behind the IPv4 header
    sav = association(int(v["spi"], 16), AES, bytes.fromhex(v["key"]))
    inside = reopened(sav, esp)
    assert inside is not None
    clear = bytes.fromhex(v["pre_encryption"])
    assert clear.startswith(inside.payload)
    assert inside.nxt == (1 if v["mode"] == "transport" else 4)
    assert sav.cipher is not None
    iv, padding = bytes.fromhex(v["iv"]), clear[len(inside.payload) : -2]
    assert esp_seal(sav, sav.cipher, v["seq"], iv, inside, padding) == esp
    assert len(padding) == esp_padlen(len(inside.payload), 16)
    assert esp_padding(len(padding), 0, Stream(1)) == padding


def test_a_binding_update_under_the_null_cipher() -> None:
    v = vectors("mobility-vectors.json")["C13.esp.null.bu.sha1"]
    covered = bytes.fromhex(v["esp_auth_input"])
    sav = association(0x4000, NULL, b"", SHA1, bytes.fromhex(v["key"]))
    inside = EspClear(135, covered[8:-4])
    assert sav.cipher is not None
    esp = esp_seal(sav, sav.cipher, 1, b"", inside, b"\x01\x02")
    assert esp == covered + bytes.fromhex(v["icv"])
    assert reopened(sav, esp) == inside


def test_a_home_test_init_in_a_tunnel() -> None:
    v = vectors("mobility-vectors.json")["C14.esp.aescbc.tunnel.hoti"]
    clear = bytes.fromhex(v["plaintext"])
    key, authkey = bytes.fromhex(v["enc_key"]), bytes.fromhex(v["auth_key"])
    sav = association(0x4001, AES, key, SHA1, authkey)
    assert sav.cipher is not None
    inside = EspClear(41, clear[:-8])
    esp = esp_seal(sav, sav.cipher, 2, bytes.fromhex(v["iv"]), inside, bytes(range(1, 7)))
    assert esp == bytes.fromhex(v["esp_auth_input"]) + bytes.fromhex(v["icv"])
    assert reopened(sav, esp) == inside


# -- in ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("enc", CIPHERS)
@pytest.mark.parametrize("auth", [0, SHA1, k.SADB_X_AALG_NULL])
def test_a_protected_ping_is_answered_and_counted(enc: int, auth: int) -> None:
    node = IpsecNode()
    sav = node.sa(ESP, 0x1000, auth, enc=enc, enckey=KEYS[enc])
    m = node.receive(protected(sav))
    assert fate(m) == (Fate.CONSUMED, "")
    assert (m.data[6], m.data[40:]) == (IPPROTO_ICMPV6, echo())
    assert m.data[4:6] == len(echo()).to_bytes(2, "big")
    marks = m.flags & (M_AUTHIPHDR | M_AUTHIPDGM | M_DECRYPTED)
    assert marks == M_DECRYPTED | (M_AUTHIPDGM if auth == SHA1 else 0)
    counters = {name: n for name, n in node.counters().items() if name.startswith("ipsec6")}
    want = {"ipsec6.in_success": 1, "ipsec6.in_espauthsucc": 1}
    assert counters == (want if auth == SHA1 else {"ipsec6.in_success": 1})
    assert dict(node.kern.stats.in_esphist) == {enc: 1}
    assert sav.lft_c.bytes == 40 + len(echo())


def test_each_fault_has_its_reason_and_counter() -> None:
    node = IpsecNode()
    plain = node.sa(ESP, 0x1000, enc=AES, enckey=KEYS[AES])
    sure = node.sa(ESP, 0x1001, SHA1, enc=DES, enckey=KEYS[DES])

    def why(packet: bytes) -> str:
        m = node.receive(packet)
        assert fate(m)[0] is Fate.DROPPED
        assert not m.flags & (M_AUTHIPDGM | M_DECRYPTED)
        return fate(m)[1]

    good = protected(sure)
    assert why(ip6(good[40:47], IPPROTO_ESP)) == "ESP_SHORT"
    assert why(ip6(good[40 : 40 + 8 + 8 + 12], IPPROTO_ESP)) == "ESP_SHORT"
    assert why(ip6(protected(plain, payload=bytes(40))[40:-3], IPPROTO_ESP)) == "ESP_BADLEN"
    assert why(good[:43] + b"\x99" + good[44:]) == "ESP_NOSA"
    assert why(good[:-1] + bytes([good[-1] ^ 1])) == "ESP_BADICV"
    assert why(good[:-20] + bytes([good[-20] ^ 1]) + good[-19:]) == "ESP_BADICV"
    assert plain.cipher is not None
    text = bytes(14) + b"\xff" + bytes([IPPROTO_ICMPV6])  # says 255 octets of padding
    esp = Esp(esp_spi=0x1000, esp_seq=1).pack() + bytes(16) + plain.cipher.encrypt(bytes(16), text)
    assert why(ip6(esp, IPPROTO_ESP)) == "ESP_BADPAD"
    counters = {name: n for name, n in node.counters().items() if name.startswith("ipsec6")}
    assert counters == {
        "ipsec6.in_inval": 4,
        "ipsec6.in_nosa": 1,
        "ipsec6.in_espauthfail": 2,
    }


def test_every_octet_of_esp_is_covered() -> None:
    node = IpsecNode()
    sav = node.sa(ESP, 0x1000, MD5, enc=DES3, enckey=KEYS[DES3])
    good = protected(sav)
    for off in range(44, len(good)):  # behind the SPI
        m = node.receive(good[:off] + bytes([good[off] ^ 0x80]) + good[off + 1 :])
        assert fate(m) == (Fate.DROPPED, "ESP_BADICV")
    for off in (1, 7, 8 + 15):  # ESP does not protect the IPv6 header
        m = node.receive(good[:off] + bytes([good[off] ^ 1]) + good[off + 1 :])
        assert not fate(m)[1].startswith("ESP_")


def test_the_window_is_for_authenticated_packets_only() -> None:
    node = IpsecNode()
    sure = node.sa(ESP, 0x1000, SHA1, enc=NULL, window=4)
    blind = node.sa(ESP, 0x1001, enc=NULL, window=4)
    assert [fate(node.receive(protected(sure, n)))[1] for n in (1, 1, 2, 0)] == [
        "",
        "ESP_REPLAY",
        "",
        "ESP_REPLAY",
    ]
    assert [fate(node.receive(protected(blind, n)))[1] for n in (1, 1)] == ["", ""]
    assert node.counters()["ipsec6.in_espreplay"] == 2
    assert (sure.replay.count, blind.replay.count) == (2, 0)


def test_longest_and_no_padding_are_taken_off() -> None:
    node = IpsecNode()
    sav = node.sa(ESP, 0x1000, SHA1, enc=NULL)
    short, long = echo(data=b"12"), echo(data=b"123")
    assert esp_padlen(len(short), 4) == 0
    for payload, padding in ((short, b""), (long, bytes(255))):
        m = node.receive(protected(sav, payload=payload, padding=padding))
        assert fate(m) == (Fate.CONSUMED, "")
        assert m.data[40:] == payload


def test_a_payload_without_anything_ends_there() -> None:
    node = IpsecNode()
    sav = node.sa(ESP, 0x1000, SHA1, enc=AES, enckey=KEYS[AES])
    assert fate(node.receive(protected(sav, payload=b"", nxt=59))) == (Fate.DROPPED, "IP6_NOPROTO")


def test_without_the_option_esp_is_an_unknown_header() -> None:
    node = IpsecNode("IPSEC")
    other = IpsecNode()
    sav = other.sa(ESP, 0x1000, SHA1, enc=NULL)
    assert fate(node.receive(protected(sav))) == (Fate.DROPPED, "ESP_NOKERNEL")


# -- out ---------------------------------------------------------------------------------------


def made(node: Node, payload: bytes, nxt: int = IPPROTO_UDP) -> Mbuf:
    m = m_get(node.kern, ip6_pkt(US1, PEER1, nxt, payload, 64))
    m.src, m.dst = US1, PEER1
    return m


def sender(enc: int = AES, auth: int = SHA1, **more: Any) -> tuple[IpsecNode, Secasvar]:
    node = IpsecNode()
    sav = node.sa(ESP, 0x2000, auth, enc=enc, enckey=KEYS[enc], src=US1, dst=PEER1, **more)
    node.policy(OUT, request(ESP))
    return node, sav


@pytest.mark.parametrize("enc", CIPHERS)
@pytest.mark.parametrize("auth", [0, MD5, SHA256])
def test_the_other_end_opens_what_is_sent(enc: int, auth: int) -> None:
    node, sav = sender(enc, auth)
    peer = IpsecNode()
    peer.have(PEER1)
    peer.sa(ESP, 0x2000, auth, enc=enc, enckey=KEYS[enc], src=US1, dst=PEER1)
    for size in range(20):
        assert ip6_output(node.kern, made(node, echo(US1, PEER1, bytes(size)), IPPROTO_ICMPV6)) == 0
        ((_, packet),) = node.sent()
        assert packet[4:6] == (len(packet) - 40).to_bytes(2, "big")
        assert Esp.unpack(packet, 40) == Esp(esp_spi=0x2000, esp_seq=size + 1)
        assert fate(peer.receive(packet)) == (Fate.CONSUMED, "")
        if enc != NULL:
            assert packet[48 : 48 + len(sav.iv)] == sav.iv
    assert dict(node.kern.stats.out_esphist) == {enc: 20}
    assert node.counters()["ipsec6.out_success"] == 20


def test_vectors_are_never_the_same() -> None:
    node, sav = sender()
    seen = set()
    for _ in range(5):
        ip6_output(node.kern, made(node, b"data"))
        seen.add(sav.iv)
    assert len(seen) == 5
    assert len({packet for _, packet in node.sent()}) == 5


def test_the_last_destination_options_are_hidden_and_the_others_stand_in_front() -> None:
    node, sav = sender()
    options = bytes([0, 0, 0x1E, 4, 1, 2, 3, 4])
    opt = Ip6Pktopts(ip6po_hbh=options, ip6po_dest2=options)
    assert ip6_output(node.kern, made(node, b"data"), opt) == 0
    ((_, packet),) = node.sent()
    assert packet[6] == IPPROTO_HOPOPTS
    assert packet[40:48] == bytes([IPPROTO_ESP]) + options[1:]
    inside = reopened(sav, packet[48:])
    assert inside == EspClear(IPPROTO_DSTOPTS, bytes([IPPROTO_UDP]) + options[1:] + b"data")


def test_a_bundle_has_its_first_request_innermost() -> None:
    node = IpsecNode()
    esp = node.sa(ESP, 0x2000, enc=AES, enckey=KEYS[AES], src=US1, dst=PEER1)
    node.sa(AH, 0x3000, SHA1, src=US1, dst=PEER1)
    node.policy(OUT, request(ESP), request(AH))
    ip6_output(node.kern, made(node, b"data"))
    ((_, packet),) = node.sent()
    assert (packet[6], packet[40]) == (IPPROTO_AH, IPPROTO_ESP)
    assert reopened(esp, packet[64:]) == EspClear(IPPROTO_UDP, b"data")


def test_a_bundle_the_other_way_round_is_opened_too() -> None:
    node, peer = IpsecNode(), IpsecNode()
    peer.have(PEER1)
    for n in (node, peer):
        n.sa(ESP, 0x2000, MD5, enc=AES, enckey=KEYS[AES], src=US1, dst=PEER1)
        n.sa(AH, 0x3000, SHA1, src=US1, dst=PEER1)
    node.policy(OUT, request(AH), request(ESP))
    ip6_output(node.kern, made(node, echo(US1, PEER1), IPPROTO_ICMPV6))
    ((_, packet),) = node.sent()
    assert packet[6] == IPPROTO_ESP
    m = peer.receive(packet)
    assert fate(m) == (Fate.CONSUMED, "")
    assert m.ipsec is not None
    assert [sav.saidx.proto for sav in m.ipsec.hist] == [ESP, AH]


def test_fragments_are_made_of_the_protected_packet() -> None:
    node, peer = sender()[0], IpsecNode()
    peer.have(PEER1)
    peer.sa(ESP, 0x2000, SHA1, enc=AES, enckey=KEYS[AES], src=US1, dst=PEER1)
    # 1452 fit the link unprotected
    ip6_output(node.kern, made(node, echo(US1, PEER1, bytes(1452 - 8)), IPPROTO_ICMPV6))
    parts = [packet for _, packet in node.sent()]
    assert [packet[6] for packet in parts] == [IPPROTO_FRAGMENT] * 2
    assert parts[0][40] == IPPROTO_ESP
    assert max(map(len, parts)) <= 1500
    assert [fate(peer.receive(p))[0] for p in parts] == [Fate.HELD, Fate.CONSUMED]


def test_what_grows_too_large_is_not_sent() -> None:
    node, _ = sender()
    m = made(node, bytes(65530))
    assert ip6_output(node.kern, m) != 0
    assert fate(m) == (Fate.DROPPED, "IPSEC_OUTBIG")


def test_sequence_numbers_end_unless_they_may_begin_again() -> None:
    node, sav = sender(flags=0)
    sav.replay.count = 0xFFFFFFFF
    m = made(node, b"data")
    assert ip6_output(node.kern, m) != 0
    assert fate(m) == (Fate.DROPPED, "IPSEC_OUTSEQ")
    sav.flags = CYCSEQ
    assert ip6_output(node.kern, made(node, b"data")) == 0


# -- padding -----------------------------------------------------------------------------------


def test_padding_styles() -> None:
    rng = Stream(7)
    assert esp_padding(3, k.SADB_X_EXT_PSEQ | CYCSEQ, rng) == b"\x01\x02\x03"
    assert esp_padding(3, k.SADB_X_EXT_PZERO, rng) == bytes(3)
    assert esp_padding(255, 0, rng) == bytes(range(1, 256))
    drawn = esp_padding(8, k.SADB_X_EXT_PRAND, rng)
    assert len(drawn) == 8
    assert drawn != esp_padding(8, k.SADB_X_EXT_PRAND, rng)


@pytest.mark.parametrize("bound", [4, 8, 16])
def test_padding_fills_the_block(bound: int) -> None:
    for size in range(64):
        pad = esp_padlen(size, bound)
        assert 0 <= pad < bound
        assert (size + pad + 2) % bound == 0


@pytest.mark.parametrize("bound", [4, 8, 16])
def test_random_padding_fills_up_to_the_limit_and_255(bound: int) -> None:
    rng = Stream(3)
    for limit in (0, 40, 256, 1000):
        sizes = {esp_randpadlen(20, bound, limit, rng) for _ in range(300)}
        least = esp_padlen(20, bound)
        assert all(least <= pad <= 255 and (20 + pad + 2) % bound == 0 for pad in sizes)
        if limit > 20 + least + 2 + bound:
            assert len(sizes) > 1
            assert max(sizes) <= max(limit - 22, least)
        else:
            assert sizes == {least}
    assert esp_randpadlen(20, bound, -1, rng) == esp_padlen(20, bound)


def test_the_sysctl_draws_lengths() -> None:
    node, sav = sender(NULL)
    node.kern.key.ip6_esp_randpad = 200
    sizes = set()
    for _ in range(30):
        ip6_output(node.kern, made(node, b"data"))
        ((_, packet),) = node.sent()
        sizes.add(len(packet))
        assert reopened(sav, packet[40:]) == EspClear(IPPROTO_UDP, b"data")
    assert len(sizes) > 5
    assert max(sizes) <= 40 + 8 + 200 + 12


@pytest.mark.parametrize(
    ("style", "padding"),
    [
        (k.SADB_X_EXT_PSEQ, bytes(range(1, 11))),
        (k.SADB_X_EXT_PZERO, bytes(10)),
        (k.SADB_X_EXT_PRAND, None),
    ],
    ids=["seq", "zero", "random"],
)
def test_padding_is_that_of_the_association(style: int, padding: bytes | None) -> None:
    node, sav = sender(flags=CYCSEQ | style)
    ip6_output(node.kern, made(node, b"data"))
    ((_, packet),) = node.sent()
    assert sav.cipher is not None
    text = sav.cipher.decrypt(packet[48:64], packet[64:-12])
    assert (text[:4], text[-2:]) == (b"data", bytes([10, IPPROTO_UDP]))
    if padding is None:
        assert text[4:-2] not in (bytes(10), bytes(range(1, 11)))
    else:
        assert text[4:-2] == padding
