# SPDX-License-Identifier: BSD-3-Clause
"""AH: what it covers, what it refuses, what it sends."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kame_py.kern.kernel import Kernel
from kame_py.kern.mbuf import M_AUTHIPDGM, M_AUTHIPHDR, Fate, Mbuf, m_get
from kame_py.net.route import RTF_GATEWAY, RTM_ADD, rtrequest
from kame_py.netinet6.ip6_output import ip6_output, ip6_pkt
from kame_py.netinet6.ip6_var import Exthdrs, Ip6Pktopts
from kame_py.netkey.ah_core import ah6_calccksum, ah6_immutable, ah_build, ah_hdrlen
from kame_py.netkey.keydb import MacKey, Secasvar
from kame_py.wire import pfkeyv2 as k
from kame_py.wire.codecs import Ah, Ip6Hdr
from kame_py.wire.const import (
    IPPROTO_AH,
    IPPROTO_DSTOPTS,
    IPPROTO_ESP,
    IPPROTO_FRAGMENT,
    IPPROTO_HOPOPTS,
    IPPROTO_ICMPV6,
    IPPROTO_ROUTING,
    IPPROTO_UDP,
)
from kame_py.wire.ip6ext import build_rthdr0, walk
from tests.unit.netinet6.ip6_node import PEER1, PEER2, US1, Node, addr, echo, fate, ip6
from tests.unit.netkey.ipsec_node import (
    AH,
    CYCSEQ,
    ESP,
    MD5,
    OUT,
    SHA1,
    SHA256,
    IpsecNode,
    reasons,
    request,
    signed,
    vectors,
)

KEY_OF = {"sha1": SHA1, "md5": MD5}
HBH_MUTABLE = bytes.fromhex("00 00 3e 04 de ad be ef")  # type 0x3e may change on the way
HBH_FIXED = bytes.fromhex("00 00 1e 04 de ad be ef")


class Spy:
    """An algorithm that tells what it was given."""

    def __init__(self, mac: MacKey) -> None:
        self.inner = mac
        self.icvlen = mac.icvlen
        self.seen: list[bytes] = []

    def mac(self, *parts: bytes) -> bytes:
        self.seen.append(b"".join(parts))
        return self.inner.mac(*parts)


def spy(sav: Secasvar) -> Spy:
    assert sav.mackey is not None
    watcher = Spy(sav.mackey)
    sav.mackey = watcher
    return watcher


def mobility_node(*addrs: bytes) -> IpsecNode:
    node = IpsecNode("IPSEC", "MIP6")
    node.have(*addrs)
    return node


def c_vectors() -> dict[str, Any]:
    found: dict[str, Any] = vectors("mobility-vectors.json")
    return {name: v for name, v in found.items() if ".ah." in name}


C_NAMES = [
    "C6.ah.hao.bu13.sha1",
    "C6.ah.hao.bu13.md5",
    "C7.ah.hao.bu13.altcoa.sha1",
    "C8.ah.rh0.ba13.sha1",
    "C8.ah.rh0.ba13.md5",
    "C9.ah.rh0.twohop.sha1",
    "C10.ah.hao.udp.sha1",
    "C11.ah.hbh.mutable.sha1",
]


def ah_of(packet: bytes) -> tuple[int, Ah]:
    """Where AH is in a packet, and its fixed part."""
    for ext in walk(packet, packet[6], 40, len(packet)).headers:
        if ext.nxt_type == IPPROTO_AH:
            return ext.off, Ah.unpack(packet, ext.off)
    raise AssertionError("no AH")


@pytest.mark.parametrize("name", C_NAMES)
def test_the_code_covers_the_packet_as_its_last_destination_sees_it(name: str) -> None:
    v = c_vectors()[name]
    packet, icv_input = bytes.fromhex(v["packet"]), bytes.fromhex(v["icv_input"])
    final = Ip6Hdr.unpack(icv_input)
    hops = [Ip6Hdr.unpack(packet).ip6_dst, final.ip6_dst]
    if "twohop" in name:
        hops.append(packet[48:64])
    node = mobility_node(*hops)
    spi = ah_of(packet)[1].ah_spi
    alg = MD5 if name.endswith("md5") else SHA1
    sav = node.sa(AH, spi, alg, bytes.fromhex(v["key"]), src=final.ip6_src, dst=final.ip6_dst)
    watcher = spy(sav)
    m = node.receive(packet)
    assert watcher.seen == [icv_input]
    assert node.counters()["ipsec6.in_ahauthsucc"] == 1
    assert dict(node.kern.stats.in_ahhist) == {alg: 1}
    assert m.flags & (M_AUTHIPHDR | M_AUTHIPDGM) == M_AUTHIPHDR | M_AUTHIPDGM
    assert not fate(m)[1].startswith(("AH_", "IPSEC_"))


def test_every_vector_of_ah_is_tested() -> None:
    assert sorted(c_vectors()) == sorted([*C_NAMES, "C12.ah.rh2.udp.sha1"])


def test_a_type_2_routing_header_counts_as_at_the_home_address() -> None:
    v = c_vectors()["C12.ah.rh2.udp.sha1"]
    packet = bytes.fromhex(v["packet"])
    coa, home = packet[24:40], packet[48:64]
    there = packet[:24] + home + packet[40:43] + b"\0" + packet[44:48] + coa + packet[64:]
    off, _ = ah_of(there)
    node = IpsecNode()
    sav = node.sa(AH, 0x3000, SHA1, bytes.fromhex(v["key"]))
    watcher = spy(sav)
    icv = ah6_calccksum(watcher, there[:off], there[off : off + 24], there[off + 24 :])
    assert watcher.seen == [bytes.fromhex(v["icv_input"])]
    assert icv == bytes.fromhex(v["icv"])


def test_a_type_2_routing_header_with_a_segment_left_is_not_served() -> None:
    packet = bytes.fromhex(c_vectors()["C12.ah.rh2.udp.sha1"]["packet"])
    node = mobility_node(packet[24:40])
    assert fate(node.receive(packet)) == (Fate.DROPPED, "ROUTE6_TYPE")


# -- sizes -------------------------------------------------------------------------------------


@pytest.mark.parametrize(("icvlen", "size"), [(12, 24), (16, 32), (24, 40), (32, 48)])
def test_the_header_is_a_multiple_of_8_octets(icvlen: int, size: int) -> None:
    assert ah_hdrlen(icvlen) == size
    ah = ah_build(59, 0x100, 1, icvlen)
    assert len(ah) == size == (Ah.unpack(ah).ah_len + 2) * 4


def test_headers_that_cannot_precede_ah_make_no_input() -> None:
    assert ah6_immutable(ip6(nxt=IPPROTO_AH)) is not None
    assert ah6_immutable(ip6(nxt=IPPROTO_UDP)) is None
    esp_first = bytes([IPPROTO_AH, 0]) + bytes(6)
    assert ah6_immutable(ip6(esp_first, IPPROTO_ESP)) is None
    cut = bytes([IPPROTO_AH, 3]) + bytes(6)
    assert ah6_immutable(ip6(cut, IPPROTO_DSTOPTS)) is None
    overrun = bytes([IPPROTO_AH, 0, 0x3E, 9]) + bytes(4)
    assert ah6_immutable(ip6(overrun, IPPROTO_HOPOPTS)) is None


# -- in ----------------------------------------------------------------------------------------


def test_a_protected_ping_is_answered_and_counted() -> None:
    node = IpsecNode()
    sav = node.sa(AH, 0x1000, SHA1)
    m = node.receive(signed(sav))
    assert fate(m) == (Fate.CONSUMED, "")
    assert m.data[6] == IPPROTO_ICMPV6
    assert m.data[40:] == echo()
    assert len(node.sent()) == 1
    counters = {name: n for name, n in node.counters().items() if name.startswith("ipsec6")}
    assert counters == {"ipsec6.in_ahauthsucc": 1, "ipsec6.in_success": 1}
    assert (sav.lft_c.allocations, sav.lft_c.bytes) == (1, 40 + len(echo()))


def test_options_that_may_change_are_not_covered_others_are() -> None:
    node = IpsecNode()
    sav = node.sa(AH, 0x1000, SHA1)
    for option, reason in ((HBH_MUTABLE, ""), (HBH_FIXED, "AH_BADICV")):
        before = bytes([IPPROTO_AH]) + option[1:]
        good = signed(sav, before=before, first=IPPROTO_HOPOPTS)
        assert fate(node.receive(good)) == (Fate.CONSUMED, "")
        changed = good.replace(bytes.fromhex("deadbeef"), bytes.fromhex("deadbeee"))
        assert fate(node.receive(changed))[1] == reason


@pytest.mark.parametrize(
    ("octet", "covered"),
    [
        (0, False),  # version stays, class changes
        (1, False),  # class and flow label
        (3, False),  # flow label
        (7, False),  # hop limit
        (8 + 15, True),  # source
        (40, True),  # next header of AH
        (42, True),  # reserved
        (51, True),  # sequence number
        (52, True),  # the code itself
        (63, True),
        (64, True),  # payload
        (-1, True),
    ],
)
def test_what_changes_on_the_way_is_not_covered_and_the_rest_is(octet: int, covered: bool) -> None:
    node = IpsecNode()
    packet = bytearray(signed(node.sa(AH, 0x1000, SHA1, src=PEER1)))
    packet[octet] ^= 0x01
    m = node.receive(bytes(packet))
    assert fate(m) == ((Fate.DROPPED, "AH_BADICV") if covered else (Fate.CONSUMED, ""))
    assert node.counters().get("ipsec6.in_ahauthfail", 0) == covered


def test_a_whole_datagram_in_one_fragment_is_verified_without_that_header() -> None:
    node = IpsecNode()
    sav = node.sa(AH, 0x1000, SHA1)
    plain = signed(sav)
    atomic = bytes([IPPROTO_AH, 0]) + bytes(2) + bytes.fromhex("00000007")
    assert fate(node.receive(ip6(atomic + plain[40:], IPPROTO_FRAGMENT))) == (Fate.CONSUMED, "")


def test_fragments_are_verified_once_they_are_whole() -> None:
    node = IpsecNode()
    sav = node.sa(AH, 0x1000, SHA1)
    whole = signed(sav, payload=echo(data=bytes(64)))[40:]
    first = bytes([IPPROTO_AH, 0, 0, 1]) + bytes(4) + whole[:64]
    last = bytes([IPPROTO_AH, 0, 0, 64]) + bytes(4) + whole[64:]
    assert fate(node.receive(ip6(first, IPPROTO_FRAGMENT)))[0] is Fate.HELD
    assert fate(node.receive(ip6(last, IPPROTO_FRAGMENT))) == (Fate.CONSUMED, "")


def test_ah_inside_ah_is_peeled_twice() -> None:
    node = IpsecNode()
    outer, inner = node.sa(AH, 0x1000, SHA1), node.sa(AH, 0x1001, MD5)
    inside = signed(inner)[40:]
    m = node.receive(signed(outer, payload=inside, nxt=IPPROTO_AH))
    assert fate(m) == (Fate.CONSUMED, "")
    assert m.ipsec is not None
    assert m.ipsec.hist == [outer, inner]


def refused(node: IpsecNode, packet: bytes) -> str:
    m = node.receive(packet)
    assert fate(m)[0] is Fate.DROPPED
    assert not m.flags & (M_AUTHIPHDR | M_AUTHIPDGM)
    return fate(m)[1]


def test_each_fault_has_its_reason_and_counter() -> None:
    node = IpsecNode()
    sav = node.sa(AH, 0x1000, SHA1)
    good = signed(sav)
    assert refused(node, ip6(good[40:51], IPPROTO_AH)) == "AH_SHORT"
    assert refused(node, ip6(good[40:60], IPPROTO_AH)) == "AH_SHORT"
    assert refused(node, signed(sav, spi=0x1001)) == "AH_NOSA"
    assert refused(node, signed(sav, spi=0)) == "AH_NOSA"
    assert refused(node, good[:41] + b"\x05" + good[42:]) == "AH_BADLEN"
    assert refused(node, good[:41] + b"\xff" + good[42:]) == "AH_BADLEN"
    assert refused(node, good[:-1] + b"!") == "AH_BADICV"
    counters = {name: n for name, n in node.counters().items() if name.startswith("ipsec6")}
    assert counters == {
        "ipsec6.in_inval": 4,
        "ipsec6.in_nosa": 2,
        "ipsec6.in_ahauthfail": 1,
    }
    assert sav.lft_c.allocations == 0


def test_an_association_to_another_address_is_not_used() -> None:
    node = IpsecNode()
    sav = node.sa(AH, 0x1000, SHA1, dst=PEER2)
    assert refused(node, signed(sav)) == "AH_NOSA"


def test_a_code_of_kames_length_without_padding_is_taken_too() -> None:
    """RFC 2402 wants 64-bit multiples; a KAME peer pads to 32 bits only."""
    node = IpsecNode()
    sav = node.sa(AH, 0x1000, SHA256)
    assert sav.mackey is not None
    ah = Ah(ah_nxt=IPPROTO_ICMPV6, ah_len=5, ah_spi=0x1000, ah_seq=1).pack() + bytes(16)
    packet = ip6(ah + echo(), IPPROTO_AH)
    icv = ah6_calccksum(sav.mackey, packet[:40], ah, echo())
    assert icv is not None
    assert fate(node.receive(packet[:52] + icv + packet[68:])) == (Fate.CONSUMED, "")


def test_without_the_option_ah_is_an_unknown_header() -> None:
    node = Node()
    other = IpsecNode()
    assert fate(node.receive(signed(other.sa(AH, 0x1000, SHA1)))) == (Fate.DROPPED, "AH_NOKERNEL")


# -- replays -----------------------------------------------------------------------------------


def test_the_window_takes_each_number_once() -> None:
    node = IpsecNode()
    sav = node.sa(AH, 0x1000, SHA1, window=4)  # 32 packets
    order = [5, 5, 3, 3, 36, 5, 4, 6, 37, 5, 2**31, 36, 2**31]
    outcome = [fate(node.receive(signed(sav, seq)))[1] for seq in order]
    replay = "AH_REPLAY"
    #       5  5       3   3       36  5       4       6   37  5       2^31 36      2^31
    want = ["", replay, "", replay, "", replay, replay, "", "", replay, "", replay, replay]
    assert [x if x else "" for x in outcome] == want
    assert node.counters()["ipsec6.in_ahreplay"] == want.count(replay)
    assert (sav.replay.lastseq, sav.replay.count) == (2**31, want.count(""))


def test_number_0_is_a_replay_and_a_forged_number_moves_nothing() -> None:
    node = IpsecNode()
    sav = node.sa(AH, 0x1000, SHA1, window=4)
    assert refused(node, signed(sav, 0)) == "AH_REPLAY"
    assert refused(node, signed(sav, 99)[:-1] + b"!") == "AH_BADICV"
    assert sav.replay.lastseq == 0
    assert fate(node.receive(signed(sav, 1)))[1] == ""


def test_without_a_window_every_number_passes() -> None:
    node = IpsecNode()
    sav = node.sa(AH, 0x1000, SHA1)
    assert [fate(node.receive(signed(sav, seq)))[1] for seq in (9, 9, 0)] == ["", "", ""]


def test_a_receiver_that_counted_to_the_end_goes_on_only_if_cyclic() -> None:
    node = IpsecNode()
    for flags, reason in ((0, "AH_REPLAY"), (CYCSEQ, "")):
        sav = node.sa(AH, 0x1000 + flags, SHA1, window=4, flags=flags)
        sav.replay.count = 0xFFFFFFFF
        assert fate(node.receive(signed(sav, 7)))[1] == reason
        assert sav.replay.overflow == 1


# -- out ---------------------------------------------------------------------------------------


def made(node: Node, payload: bytes = b"", nxt: int = 59) -> Mbuf:
    m = m_get(node.kern, ip6_pkt(US1, PEER1, nxt, payload, 64))
    m.src, m.dst = US1, PEER1
    return m


def sender(**more: Any) -> tuple[IpsecNode, Secasvar]:
    node = IpsecNode("IPSEC", "IPSEC_ESP")
    sav = node.sa(AH, 0x2000, SHA1, src=US1, dst=PEER1, **more)
    node.policy(OUT, request(AH))
    return node, sav


def test_what_is_sent_is_what_the_rules_say() -> None:
    node, sav = sender()
    watcher = spy(sav)
    assert ip6_output(node.kern, made(node, b"data", IPPROTO_UDP)) == 0
    ((_, packet),) = node.sent()
    off, ah = ah_of(packet)
    assert (ah.ah_nxt, ah.ah_spi, ah.ah_seq, ah.ah_reserve) == (IPPROTO_UDP, 0x2000, 1, 0)
    assert packet[4:6] == (24 + 4).to_bytes(2, "big")
    blank = packet[: off + 12] + bytes(12) + packet[off + 24 :]
    assert watcher.seen == [bytes([0x60, 0, 0, 0]) + blank[4:7] + b"\0" + blank[8:]]
    counters = {name: n for name, n in node.counters().items() if name.startswith("ipsec6")}
    assert counters == {"ipsec6.out_success": 1}
    assert dict(node.kern.stats.out_ahhist) == {SHA1: 1}
    assert (sav.lft_c.allocations, sav.lft_c.bytes) == (1, len(packet))


def test_all_extension_headers_stand_as_in_kame_and_the_receiver_agrees() -> None:
    node, _ = sender()
    options = bytes([0, 0, 0x1E, 4, 1, 2, 3, 4])
    opt = Ip6Pktopts(
        ip6po_hbh=HBH_MUTABLE,
        ip6po_dest1=options,
        ip6po_rthdr=build_rthdr0(0, [PEER2, addr("2001:db8:2::7")], 2),
        ip6po_dest2=options,
    )
    m = made(node, echo(US1, PEER1), IPPROTO_ICMPV6)
    assert ip6_output(node.kern, m, opt) == 0
    ((where, packet),) = node.sent()
    assert where == "rip1"
    assert packet[24:40] == PEER2  # the first hop
    types = [ext.nxt_type for ext in walk(packet, packet[6], 40, len(packet)).headers]
    assert types == [
        IPPROTO_HOPOPTS,
        IPPROTO_DSTOPTS,
        IPPROTO_ROUTING,
        IPPROTO_AH,
        IPPROTO_DSTOPTS,
    ]
    peer = mobility_node(PEER1, PEER2, addr("2001:db8:2::7"))  # all the hops are one node
    peer.sa(AH, 0x2000, SHA1, src=US1, dst=PEER1)
    m = peer.receive(packet)
    assert fate(m) == (Fate.CONSUMED, "")
    assert m.flags & M_AUTHIPHDR


@pytest.mark.parametrize("auth", [MD5, SHA1, SHA256])
def test_both_ends_agree_about_every_algorithm_and_in_fragments(auth: int) -> None:
    node, peer = IpsecNode(), IpsecNode()
    node.sa(AH, 0x2000, auth, src=US1, dst=PEER1)
    node.policy(OUT, request(AH))
    peer.have(PEER1)
    peer.sa(AH, 0x2000, auth, src=US1, dst=PEER1)
    body = echo(US1, PEER1, bytes(3000))
    ip6_output(node.kern, made(node, body, IPPROTO_ICMPV6))
    parts = [packet for _, packet in node.sent()]
    assert len(parts) == 3
    assert all(p[6] == IPPROTO_FRAGMENT for p in parts)
    assert [fate(peer.receive(p))[0] for p in parts] == [Fate.HELD, Fate.HELD, Fate.CONSUMED]


def test_sequence_numbers_end_unless_they_may_begin_again() -> None:
    node, sav = sender(flags=0)
    sav.replay.count = 0xFFFFFFFE
    assert ip6_output(node.kern, made(node)) == 0
    assert ah_of(node.sent()[0][1])[1].ah_seq == 0xFFFFFFFF
    m = made(node)
    assert ip6_output(node.kern, m) != 0
    assert fate(m) == (Fate.DROPPED, "IPSEC_OUTSEQ")
    assert node.counters()["ipsec6.out_inval"] == 1
    sav.flags = CYCSEQ
    assert ip6_output(node.kern, made(node)) == 0
    assert ah_of(node.sent()[0][1])[1].ah_seq == 0


def test_every_association_of_a_policy_counts_for_itself() -> None:
    node, first = sender()
    second = node.sa(AH, 0x3000, MD5, src=US1, dst=PEER2)
    for dst in (PEER1, PEER2, PEER1):
        m = m_get(node.kern, ip6_pkt(US1, dst, 59, b"", 64))
        m.src, m.dst = US1, dst
        assert ip6_output(node.kern, m) == 0
    seqs = [(ah.ah_spi, ah.ah_seq) for _, ah in (ah_of(p) for _, p in node.sent())]
    assert seqs == [(0x2000, 1), (0x3000, 1), (0x2000, 2)]
    assert (first.replay.count, second.replay.count) == (2, 1)
    assert reasons(node) == {}
    assert k.SADB_SASTATE_MATURE in (first.state, second.state)


# -- mobility: what leaves is the packet of the facts, octet by octet ----------------------------


class Home:
    """Mobility hooks of a mobile node that is away: home address option, then the exchange."""

    def __init__(self, careof: bytes) -> None:
        self.careof = careof

    def exthdr_create(self, kern: Kernel, m: Mbuf, hdrs: Exthdrs) -> int:
        hdrs.haddr = bytes([0, 2, 1, 2, 0, 0, 0xC9, 16]) + self.careof
        return 0

    def addr_exchange(self, kern: Kernel, m: Mbuf) -> None:
        off = m.data.index(self.careof)
        m.data = m.data[:8] + self.careof + m.data[24:off] + m.src + m.data[off + 16 :]


@pytest.mark.parametrize(
    "name", ["C6.ah.hao.bu13.sha1", "C6.ah.hao.bu13.md5", "C7.ah.hao.bu13.altcoa.sha1"]
)
def test_a_binding_update_leaves_as_the_vector_has_it(name: str) -> None:
    v = c_vectors()[name]
    packet, covered = bytes.fromhex(v["packet"]), bytes.fromhex(v["icv_input"])
    sent = away(packet, covered, v["key"], b"", 59, dest2=packet[88:])
    assert sent == packet


def test_a_datagram_with_class_and_label_leaves_as_the_vector_has_it() -> None:
    v = c_vectors()["C10.ah.hao.udp.sha1"]
    packet, covered = bytes.fromhex(v["packet"]), bytes.fromhex(v["icv_input"])
    sent = away(packet, covered, v["key"], packet[88:], IPPROTO_UDP, seq=9)
    assert sent == packet


def away(
    packet: bytes,
    covered: bytes,
    key: str,
    payload: bytes,
    nxt: int,
    seq: int = 1,
    dest2: bytes = b"",
) -> bytes:
    """Let a mobile node send the packet that a vector describes."""
    wire, final = Ip6Hdr.unpack(packet), Ip6Hdr.unpack(covered)
    node = IpsecNode("IPSEC")
    node.have(final.ip6_src)
    auth = KEY_OF["md5" if len(key) == 32 else "sha1"]
    spi = ah_of(packet)[1].ah_spi
    sav = node.sa(AH, spi, auth, bytes.fromhex(key), src=final.ip6_src, dst=final.ip6_dst)
    sav.replay.count = seq - 1
    node.policy(OUT, request(AH), proto=nxt)
    rtrequest(node.kern, RTM_ADD, bytes(16), 0, PEER2, RTF_GATEWAY)
    node.kern.mip6 = type("Away", (Home, type(node.kern.mip6)), {})(wire.ip6_src)
    m = m_get(
        node.kern,
        ip6_pkt(final.ip6_src, final.ip6_dst, nxt, payload, wire.ip6_hlim, wire.ip6_flow),
    )
    m.src, m.dst = final.ip6_src, final.ip6_dst
    assert ip6_output(node.kern, m, Ip6Pktopts(ip6po_dest2=dest2)) == 0
    ((_, sent),) = node.sent()
    return sent


def test_a_routing_header_is_covered_as_the_last_hop_will_see_it() -> None:
    v = c_vectors()["C9.ah.rh0.twohop.sha1"]
    packet, covered = bytes.fromhex(v["packet"]), bytes.fromhex(v["icv_input"])
    final = Ip6Hdr.unpack(covered)
    node = IpsecNode("IPSEC")
    node.have(final.ip6_src)
    sav = node.sa(AH, 0x2003, SHA1, bytes.fromhex(v["key"]), src=final.ip6_src, dst=final.ip6_dst)
    sav.replay.count = 6
    watcher = spy(sav)
    node.policy(OUT, request(AH))
    rtrequest(node.kern, RTM_ADD, bytes(16), 0, PEER2, RTF_GATEWAY)
    off, _ = ah_of(packet)
    hops = [packet[24:40], packet[48:64]]
    m = m_get(node.kern, ip6_pkt(final.ip6_src, final.ip6_dst, IPPROTO_UDP, packet[off + 24 :], 64))
    m.src, m.dst = final.ip6_src, final.ip6_dst
    opt = Ip6Pktopts(ip6po_rthdr=build_rthdr0(0, hops, 2))
    assert ip6_output(node.kern, m, opt) == 0
    assert watcher.seen == [covered]
    ((_, sent),) = node.sent()
    assert sent == packet


# -- anything at all ---------------------------------------------------------------------------


ANYTHING = IpsecNode("IPSEC", "IPSEC_ESP", "MIP6")
ANYTHING.sa(AH, 0x1000, SHA1, window=4)
ANYTHING.sa(ESP, 0x1000, enc=k.SADB_X_EALG_AES, enckey=bytes(16))


@given(octets=st.binary(max_size=120), proto=st.sampled_from([50, 51]), cut=st.integers(0, 200))
def test_no_octets_raise_and_each_packet_has_its_end(octets: bytes, proto: int, cut: int) -> None:
    node = ANYTHING
    spi = bytes.fromhex("00001000")
    head = octets[:4] + spi + octets[8:] if proto == AH else spi + octets[4:]
    for packet in (ip6(octets, proto), ip6(head, proto), ip6(head, proto)[: 40 + cut]):
        m = node.kern.if_input(node.rip0, packet)
        assert m is not None
        assert m.fate is not None
    node.conserved()
