# SPDX-License-Identifier: BSD-3-Clause
"""Outbound policy: what is refused, what goes unprotected, what sockets and mobility add."""

from __future__ import annotations

import pytest

from kame_py.kern.mbuf import IP6A_AH, Fate, Mbuf, m_get
from kame_py.kern.uipc_socket import Socket, soconnect, socreate, soreceive, sosend, sosetopt
from kame_py.netinet6.ip6_output import ip6_output, ip6_pkt
from kame_py.netkey.key_sad import key_sa_chgstate
from kame_py.netkey.key_sastate import SaEv
from kame_py.netkey.key_spd import key_delsp
from kame_py.wire import pfkeyv2 as k
from kame_py.wire.codecs import Esp, Icmp6Hdr
from kame_py.wire.const import (
    ICMP6_DST_UNREACH,
    ICMP6_PACKET_TOO_BIG,
    IPPROTO_AH,
    IPPROTO_DSTOPTS,
    IPPROTO_ESP,
    IPPROTO_ICMPV6,
    IPPROTO_NONE,
    IPPROTO_UDP,
)
from kame_py.wire.errno import ECONNREFUSED, ENOENT, KError
from kame_py.wire.pfkey import (
    SadbMsg,
    SadbXPolicy,
    XIpsecrequest,
    build_policy,
    build_sadb,
    parse_sadb,
    sadb,
)
from kame_py.wire.sockaddr import (
    AF_INET6,
    AF_KEY,
    IPV6_IPSEC_POLICY,
    SOCK_DGRAM,
    SOCK_RAW,
    SockaddrIn6,
)
from kame_py.wire.sockaddr import IPPROTO_IPV6 as SOL_IPV6
from tests.unit.netinet6.ip6_node import PEER1, PEER2, US1, Node, echo, error, fate, ip6
from tests.unit.netkey.ipsec_node import (
    AES,
    AH,
    ESP,
    IN,
    KEYS,
    MD5,
    NULL,
    OUT,
    SHA1,
    UNIQUE,
    USE,
    IpsecNode,
    request,
)


def made(node: Node, payload: bytes = b"", nxt: int = IPPROTO_NONE, dst: bytes = PEER1) -> Mbuf:
    m = m_get(node.kern, ip6_pkt(US1, dst, nxt, payload, 64))
    m.src, m.dst = US1, dst
    return m


def send(node: Node, payload: bytes = b"", nxt: int = IPPROTO_NONE, dst: bytes = PEER1) -> Mbuf:
    m = made(node, payload, nxt, dst)
    assert ip6_output(node.kern, m) == 0
    node.kern.run_softintr()
    node.conserved()
    return m


def first_headers(node: Node) -> list[int]:
    return [packet[6] for _, packet in node.sent()]


def listener(node: Node) -> Socket:
    """A key management program that wants to be asked for AH associations."""
    so = socreate(node.kern, AF_KEY, SOCK_RAW, k.PF_KEY_V2)
    sosend(node.kern, so, build_sadb(sadb(k.SADB_REGISTER, k.SADB_SATYPE_AH)))
    soreceive(node.kern, so)
    return so


@pytest.mark.parametrize("mode", [k.IPSEC_MODE_TRANSPORT, k.IPSEC_MODE_TUNNEL])
def test_the_way_of_a_packet_names_the_policy_and_the_association(mode: int) -> None:
    node = IpsecNode()
    node.policy(OUT, request(AH, mode, src=US1, dst=PEER1))
    node.sa(AH, 0x2000, SHA1, src=US1, dst=PEER1)
    node.kern.tracing = True
    path = send(node).path or []
    said = [line for line in path if line.startswith(("policy ", "ah6_output "))]
    named = "transport" if mode == k.IPSEC_MODE_TRANSPORT else "tunnel"
    assert [line.partition(" out: ")[2] for line in said[:1]] == [f"ipsec ah/{named}"]
    assert said[1:] == ["ah6_output spi 0x2000 hmac-sha1 src=2001:db8:1::1 dst=2001:db8:1::9"]


# -- the database ------------------------------------------------------------------------------


def test_discard_drops_and_tells_nobody_as_in_kame() -> None:
    node = IpsecNode()
    node.policy(OUT, dst="2001:db8:1::9", action=k.IPSEC_POLICY_DISCARD)
    assert fate(send(node)) == (Fate.DROPPED, "IPSEC_OUTPOLICY")
    assert node.counters()["ipsec6.out_polvio"] == 1
    assert fate(send(node, dst=PEER2))[0] is Fate.TRANSMITTED
    assert first_headers(node) == [IPPROTO_NONE]


def test_the_default_policy_may_be_to_discard_with_or_without_other_policies() -> None:
    node = IpsecNode(forwarding=1)
    node.kern.key.ip6_def_policy.policy = k.IPSEC_POLICY_DISCARD
    transit = ip6(bytes(8), IPPROTO_UDP, PEER1, PEER2)
    assert fate(node.receive(transit)) == (Fate.DROPPED, "IPSEC_INPOLICY")
    assert fate(send(node)) == (Fate.DROPPED, "IPSEC_OUTPOLICY")
    node.policy(IN, action=k.IPSEC_POLICY_NONE)
    assert fate(node.receive(transit)) == (Fate.DROPPED, "IPSEC_OUTPOLICY")
    assert fate(send(node)) == (Fate.DROPPED, "IPSEC_OUTPOLICY")
    node.policy(OUT, action=k.IPSEC_POLICY_NONE)
    assert fate(node.receive(transit)) == (Fate.FORWARDED, "")
    assert fate(send(node))[0] is Fate.TRANSMITTED


def test_a_required_association_that_is_not_there_stops_the_packet_and_is_asked_for() -> None:
    node = IpsecNode()
    node.policy(OUT, request(AH), dst="2001:db8:1::9")
    so = listener(node)
    assert fate(send(node, b"data", IPPROTO_UDP)) == (Fate.DROPPED, "IPSEC_OUTNOSA")
    msg = parse_sadb(soreceive(node.kern, so).data)
    assert isinstance(msg, SadbMsg)
    assert msg.type == k.SADB_ACQUIRE
    assert node.counters()["ipsec6.out_nosa"] == 1
    assert node.sent() == []


def test_the_sender_hears_of_it_as_of_an_answer_of_the_network() -> None:
    node = IpsecNode()
    node.policy(OUT, request(AH), dst="2001:db8:1::9")
    so = socreate(node.kern, AF_INET6, SOCK_DGRAM, 0)
    soconnect(node.kern, so, SockaddrIn6(PEER1, 5000))
    raw = socreate(node.kern, AF_INET6, SOCK_RAW, IPPROTO_ICMPV6)
    sosend(node.kern, so, b"data")
    node.kern.run_softintr()
    with pytest.raises(KError) as e:
        sosend(node.kern, so, b"data")
    assert e.value.errno == ECONNREFUSED
    assert Icmp6Hdr.unpack(soreceive(node.kern, raw).data).icmp6_type == ICMP6_DST_UNREACH
    assert node.sent() == []


def test_what_is_only_wished_for_goes_unprotected_until_it_is_there() -> None:
    node = IpsecNode()
    node.policy(OUT, request(AH, level=USE))
    send(node)
    node.sa(AH, 0x2000, SHA1, src=US1, dst=PEER1)
    send(node)
    assert first_headers(node) == [IPPROTO_NONE, IPPROTO_AH]


def test_a_bundle_lacks_what_is_only_wished_for() -> None:
    node = IpsecNode()
    node.policy(OUT, request(ESP, level=USE), request(AH))
    node.sa(AH, 0x2000, SHA1, src=US1, dst=PEER1)
    send(node)
    ((_, packet),) = node.sent()
    assert (packet[6], packet[40]) == (IPPROTO_AH, IPPROTO_NONE)


def test_selectors_are_those_of_the_payload() -> None:
    node = IpsecNode()
    node.sa(AH, 0x2000, SHA1, src=US1, dst=PEER1)
    node.policy(OUT, request(AH), proto=IPPROTO_ICMPV6, ports=(128, 0))
    send(node, echo(US1, PEER1), IPPROTO_ICMPV6)
    send(node, echo(US1, PEER1, kind=129), IPPROTO_ICMPV6)
    send(node, bytes(8), IPPROTO_UDP)
    send(node)  # 59, a binding update of its own
    assert first_headers(node) == [IPPROTO_AH, IPPROTO_ICMPV6, IPPROTO_UDP, IPPROTO_NONE]


def test_a_unique_request_takes_its_own_association() -> None:
    node = IpsecNode()
    node.sa(AH, 0x2000, SHA1, src=US1, dst=PEER1, reqid=5)
    node.sa(AH, 0x2001, SHA1, src=US1, dst=PEER1, reqid=6)
    node.policy(OUT, request(AH, level=UNIQUE, reqid=5))
    send(node)
    ((_, packet),) = node.sent()
    assert packet[44:48] == bytes.fromhex("00002000")


def test_answers_of_the_kernel_are_under_policy_too() -> None:
    node = IpsecNode()
    node.sa(AH, 0x2000, SHA1, src=US1, dst=PEER1)
    node.policy(OUT, request(AH), proto=IPPROTO_ICMPV6)
    node.receive(ip6(echo(), IPPROTO_ICMPV6))
    assert first_headers(node) == [IPPROTO_AH]


def test_neighbour_discovery_is_not_exempt_as_in_kame() -> None:
    """A policy for any traffic that is required stops it; one for its types may let it pass."""
    node = IpsecNode()
    node.policy(OUT, request(AH))
    solicit = bytes([135, 0]) + bytes(22)
    assert fate(send(node, solicit, IPPROTO_ICMPV6)) == (Fate.DROPPED, "IPSEC_OUTNOSA")
    node = IpsecNode()
    node.policy(OUT, proto=IPPROTO_ICMPV6, ports=(135, 0), action=k.IPSEC_POLICY_NONE)
    node.policy(OUT, request(AH))
    assert fate(send(node, solicit, IPPROTO_ICMPV6))[0] is Fate.TRANSMITTED


# -- sockets -----------------------------------------------------------------------------------


def own(node: Node, so: Socket, type: int, *requests: XIpsecrequest) -> None:
    octets = build_policy(SadbXPolicy(type, OUT, 0, requests))
    sosetopt(node.kern, so, SOL_IPV6, IPV6_IPSEC_POLICY, octets)


@pytest.mark.parametrize("kind", [SOCK_DGRAM, SOCK_RAW])
def test_a_socket_may_protect_or_bypass(kind: int) -> None:
    node = IpsecNode()
    node.sa(AH, 0x2000, SHA1, src=US1, dst=PEER1)
    node.sa(ESP, 0x2001, MD5, enc=NULL, src=US1, dst=PEER1)
    node.policy(OUT, request(AH))
    so = socreate(node.kern, AF_INET6, kind, 0 if kind == SOCK_DGRAM else 89)
    to = SockaddrIn6(PEER1, 5000 if kind == SOCK_DGRAM else 0)
    seen = []
    for steps in ((), (k.IPSEC_POLICY_IPSEC, request(ESP)), (k.IPSEC_POLICY_BYPASS,)):
        if steps:
            own(node, so, *steps)  # type: ignore[arg-type]  # a type and requests
        sosend(node.kern, so, b"data", to)
        seen += first_headers(node)
    assert seen == [IPPROTO_AH, IPPROTO_ESP, IPPROTO_UDP if kind == SOCK_DGRAM else 89]


# -- mobility ----------------------------------------------------------------------------------


def marked(node: Node) -> Mbuf:
    m = made(node)
    m.auxdata().ip6a_flags |= IP6A_AH
    return m


def test_a_marked_packet_gets_ah_without_any_policy() -> None:
    node = IpsecNode()
    assert not node.kern.ipsec.ah_ready(node.kern, US1, PEER1)
    m = marked(node)
    assert ip6_output(node.kern, m) == ENOENT
    assert fate(m) == (Fate.DROPPED, "IPSEC_OUTNOSA")
    assert node.kern.stats.icmp6["icp6s_error"] == 0  # mobility hears it from the errno
    node.sa(AH, 0x2000, SHA1, src=US1, dst=PEER1)
    assert node.kern.ipsec.ah_ready(node.kern, US1, PEER1)
    assert ip6_output(node.kern, marked(node)) == 0
    assert first_headers(node) == [IPPROTO_AH]


def test_a_marked_packet_gets_what_the_policy_asks_for_besides() -> None:
    node = IpsecNode()
    node.sa(AH, 0x2000, SHA1, src=US1, dst=PEER1)
    node.sa(ESP, 0x2001, MD5, enc=NULL, src=US1, dst=PEER1)
    sp = node.policy(OUT, request(ESP))
    ip6_output(node.kern, marked(node))
    ((_, packet),) = node.sent()
    assert (packet[6], packet[40]) == (IPPROTO_AH, IPPROTO_ESP)
    node.kern.key.spd.clear()
    assert sp.req[0].proto == ESP


def test_a_policy_of_level_use_becomes_a_must_for_a_marked_packet() -> None:
    node = IpsecNode()
    sp = node.policy(OUT, request(AH, level=USE))
    assert ip6_output(node.kern, marked(node)) == ENOENT
    assert sp.req[0].level == USE
    assert fate(send(node))[0] is Fate.TRANSMITTED


def test_authentication_data_takes_the_association_of_the_policy_for_options() -> None:
    node = IpsecNode()
    hook = node.kern.ipsec
    assert hook.authdata_out(node.kern, US1, PEER1) is None
    node.policy(OUT, request(AH), proto=IPPROTO_DSTOPTS)
    so = listener(node)
    assert hook.authdata_out(node.kern, US1, PEER1) is None
    msg = parse_sadb(soreceive(node.kern, so).data)
    assert isinstance(msg, SadbMsg)
    assert msg.type == k.SADB_ACQUIRE
    sav = node.sa(AH, 0x2000, SHA1, src=US1, dst=PEER1)
    got = hook.authdata_out(node.kern, US1, PEER1)
    assert got is not None
    assert (got.spi, got.icvlen) == (0x2000, 12)
    assert sav.mackey is not None
    assert got.sign(b"abc") == sav.mackey.mac(b"abc")
    assert (sav.lft_c.allocations, sav.lft_c.bytes) == (1, 3)
    assert fate(send(node))[0] is Fate.TRANSMITTED  # the policy is for nothing else
    assert first_headers(node) == [IPPROTO_NONE]


def test_authentication_data_follows_the_databases() -> None:
    node = IpsecNode()
    kern, hook = node.kern, node.kern.ipsec
    first = node.sa(AH, 0x2000, SHA1, src=US1, dst=PEER1)
    sp = node.policy(OUT, request(AH), proto=IPPROTO_DSTOPTS)

    def spi() -> int | None:
        got = hook.authdata_out(kern, US1, PEER1)
        return None if got is None else got.spi

    assert (spi(), spi()) == (0x2000, 0x2000)
    second = node.sa(AH, 0x2001, SHA1, src=US1, dst=PEER1)
    assert spi() == 0x2000  # the older one first
    kern.sysctl.write("net.key.prefered_oldsa", 0)
    assert spi() == 0x2001
    key_sa_chgstate(kern, SaEv.DELETE, second)
    assert (spi(), spi()) == (0x2000, 0x2000)
    node.wait(3)
    assert spi() == 0x2000
    assert sp.lastused_ns == kern.now()
    key_sa_chgstate(kern, SaEv.DELETE, first)
    assert spi() is None
    node.sa(AH, 0x2002, SHA1, src=US1, dst=PEER1)
    assert spi() == 0x2002
    key_delsp(kern, sp)
    assert spi() is None


def test_authentication_data_is_never_esp() -> None:
    node = IpsecNode()
    node.sa(ESP, 0x2001, MD5, enc=AES, enckey=KEYS[AES], src=US1, dst=PEER1)
    node.policy(OUT, request(ESP), proto=IPPROTO_DSTOPTS)
    assert node.kern.ipsec.authdata_out(node.kern, US1, PEER1) is None


def test_authentication_data_is_verified_with_the_senders_association_only() -> None:
    node = IpsecNode()
    sav = node.sa(AH, 0x1000, SHA1)
    hook = node.kern.ipsec
    assert hook.authdata_in(node.kern, PEER2, US1, 0x1000) is None
    assert hook.authdata_in(node.kern, PEER1, US1, 0x1001) is None
    assert hook.authdata_known(node.kern, US1, 0x1000)
    assert not hook.authdata_known(node.kern, US1, 0x1001)
    got = hook.authdata_in(node.kern, PEER1, US1, 0x1000)
    assert got is not None
    assert sav.mackey is not None
    code = sav.mackey.mac(b"abc")
    assert got.verify(code, b"abc")
    assert not got.verify(code, b"abd")
    assert not got.verify(code[:4], b"abc")
    assert not got.verify(b"", b"abc")


def test_changes_of_associations_are_told() -> None:
    node = IpsecNode()
    told: list[int] = []
    node.kern.ipsec.on_key_change(node.kern, lambda: told.append(1))
    node.sa(AH, 0x1000, SHA1)
    assert told == [1]


# -- errors about what was sent ----------------------------------------------------------------


def test_a_packet_too_big_about_esp_lowers_the_path_mtu() -> None:
    node = IpsecNode()
    node.sa(ESP, 0x2001, MD5, enc=NULL, src=US1, dst=PEER2)
    node.kern.icmp6.icmp6_mtudisc_lowat = 0  # only what is known to be ours counts
    so = socreate(node.kern, AF_INET6, SOCK_DGRAM, 0)
    soconnect(node.kern, so, SockaddrIn6(PEER2, 5000))
    for spi, mtu in ((0x9999, 1500), (0x2001, 1300)):
        esp = Esp(esp_spi=spi, esp_seq=1).pack() + bytes(40)
        quoted = ip6(esp, IPPROTO_ESP, US1, PEER1 if spi == 0x9999 else PEER2)
        node.receive(error(quoted, ICMP6_PACKET_TOO_BIG, 0, 1300, src=PEER1, dst=US1))
        rt = node.kern.rt.lookup(PEER1 if spi == 0x9999 else PEER2)
        assert rt is not None
        assert (rt.rt_rmx.rmx_mtu or 1500) == mtu


def test_an_error_about_esp_reaches_every_socket_with_that_peer() -> None:
    node = IpsecNode()
    so, other = (socreate(node.kern, AF_INET6, SOCK_DGRAM, 0) for _ in range(2))
    soconnect(node.kern, so, SockaddrIn6(PEER1, 5000))
    soconnect(node.kern, other, SockaddrIn6(PEER2, 5000))
    esp = Esp(esp_spi=0x2001, esp_seq=1).pack() + bytes(40)
    quoted = ip6(esp, IPPROTO_ESP, US1, PEER1)
    node.receive(error(quoted, ICMP6_DST_UNREACH, 1, 0, src=PEER1, dst=US1))
    assert (so.so_error, other.so_error) == (ECONNREFUSED, 0)
