# SPDX-License-Identifier: BSD-3-Clause
"""Filter expressions: what each chooses, what is refused, and that nothing else ever happens."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from kame_py.lib.pcapfilter import FilterError, Packet, parse
from kame_py.wire import codecs as c
from kame_py.wire.const import ETHERTYPE_IPV6, IPPROTO_DSTOPTS, IPPROTO_ICMPV6, IPPROTO_UDP
from kame_py.wire.in6addr import mac_aton, pton
from kame_py.wire.ip6ext import build_options, build_rthdr0
from kame_py.wire.mip6 import HomeAddress
from kame_py.wire.mip6_draft15 import WIRE

A, B, GROUP = (pton(text) or b"" for text in ("2001:db8::a", "2001:db8:1::b", "ff02::1"))
MAC_A, MAC_B = mac_aton("0:a0:24:0:0:a") or b"", mac_aton("0:a0:24:0:0:b") or b""


def ip6(nxt: int, payload: bytes, src: bytes = A, dst: bytes = B, outbound: bool = False) -> Packet:
    head = c.Ip6Hdr(
        ip6_plen=len(payload), ip6_nxt=nxt, ip6_hlim=64, ip6_src=src, ip6_dst=dst
    ).pack()
    size = c.EtherHeader.SIZE + len(head) + len(payload)
    return Packet(head + payload, ETHERTYPE_IPV6, size, (MAC_B, MAC_A), outbound)


ECHO = ip6(IPPROTO_ICMPV6, c.Icmp6Echo().pack())
DNS = ip6(IPPROTO_UDP, c.Udphdr(uh_sport=1024, uh_dport=53, uh_ulen=8).pack(), outbound=True)
MOBILE = ip6(
    IPPROTO_DSTOPTS,
    build_options(IPPROTO_UDP, [WIRE.aligned(HomeAddress(B))])
    + c.Udphdr(uh_sport=53, uh_dport=9, uh_ulen=8).pack(),
)
ADVERT = ip6(IPPROTO_ICMPV6, c.NdRouterAdvert().pack(), dst=GROUP)
ROUTED = ip6(43, build_rthdr0(6, [B], 1) + c.Tcphdr(th_sport=53, th_dport=80).pack(), src=B, dst=A)
ARP = Packet(b"\0" * 28, 0x0806, 42, (b"\xff" * 6, MAC_A))
PACKETS = {
    "echo": ECHO,
    "dns": DNS,
    "mobile": MOBILE,
    "advert": ADVERT,
    "routed": ROUTED,
    "arp": ARP,
}


def chosen(expression: str, **names: bytes) -> str:
    found = parse([expression])
    assert set(found.names) == set(names)
    for name, addr in names.items():
        found.names[name] = (addr,)
    return " ".join(name for name, packet in PACKETS.items() if found.matches(packet))


@pytest.mark.parametrize(
    ("expression", "names"),
    [
        ("", "echo dns mobile advert routed arp"),
        ("ip6", "echo dns mobile advert routed"),
        ("icmp6", "echo advert"),
        ("udp", "dns mobile"),
        ("tcp", "routed"),
        ("ip6 proto 60", "mobile"),
        ("ip6 proto \\dstopts", "mobile"),
        ("proto route", "routed"),
        ("ip6 protochain 17", "dns mobile"),
        ("esp or ah", ""),
        ("mip6", "mobile"),
        ("host 2001:db8::a", "echo dns mobile advert routed"),
        ("2001:db8:1::b", "echo dns mobile routed"),
        ("src host 2001:db8::a", "echo dns mobile advert"),
        ("src 2001:db8:1::b", "routed"),
        ("dst ff02::1", "advert"),
        ("src or dst host ff02::1", "advert"),
        ("src and dst net 2001:db8::/32", "echo dns mobile routed"),
        ("src and dst net 2001:db8::/48", ""),
        ("net 2001:db8:1::/48", "echo dns mobile routed"),
        ("dst net ff00::/8", "advert"),
        ("ip6 host 2001:db8:1::b and tcp", "routed"),
        ("port 53", "dns mobile routed"),
        ("udp port 53", "dns mobile"),
        ("udp src port 53", "mobile"),
        ("dst port 0x35", "dns"),
        ("ether host 00:a0:24:00:00:0b", "echo dns mobile advert routed"),
        ("ether src 0:a0:24:0:0:b", ""),
        ("ether proto 0x0806", "arp"),
        ("ether proto \\ip6", "echo dns mobile advert routed"),
        ("ether broadcast", "arp"),
        ("broadcast", "arp"),
        ("multicast", "advert arp"),
        ("ip6 multicast", "advert"),
        ("outbound", "dns"),
        ("inbound and udp", "mobile"),
        ("less 42", "arp"),
        ("greater 80", "mobile routed"),
        ("not ip6", "arp"),
        ("! icmp6 && !udp", "routed arp"),
        ("not (icmp6 or udp)", "routed arp"),
        ("udp and port 53 or tcp", "dns mobile routed"),
        ("tcp or udp and src port 53", "mobile routed"),
        ("host ff02::1 or 2001:db8:1::b", "echo dns mobile advert routed"),
        ("dst port 9 or 80", "mobile routed"),
    ],
)
def test_expression_chooses(expression: str, names: str) -> None:
    assert chosen(expression) == names


def test_and_and_or_have_one_precedence() -> None:
    assert chosen("tcp or udp and src port 80") == ""
    assert chosen("tcp or (udp and src port 80)") == "routed"


def test_host_names_are_left_to_the_caller() -> None:
    assert chosen("src host mn and udp", mn=A) == "dns mobile"
    assert chosen("mn", mn=GROUP) == "advert"


@pytest.mark.parametrize(
    ("expression", "why"),
    [
        ("icmp6[0] = 134", "icmp6[0]: not understood"),
        ("(udp", ") is expected at the end"),
        ("udp)", "`and` or `or` is expected before )"),
        ("udp tcp", "`and` or `or` is expected before tcp"),
        ("udp and", "a condition is expected at the end"),
        ("or udp", "a condition is expected before or"),
        ("not", "a condition is expected at the end"),
        ("udp host ::1", "udp host: does not go together"),
        ("ether port 4", "ether port: does not go together"),
        ("src proto 6", "src proto: does not go together"),
        ("host", "a value behind host is expected at the end"),
        ("host (udp)", "a value behind host is expected before ("),
        ("host 1::2::3", "1::2::3: not an address or a host name"),
        ("net mn/64", "mn/64: not a prefix"),
        ("net 2001::/129", "129: more than 128"),
        ("port dns", "dns: not a number"),
        ("port 65536", "65536: more than 65535"),
        ("ip6 proto 256", "256: more than 255"),
        ("ether host 1:2:3", "1:2:3: not an Ethernet address"),
        ("less", "a length behind less is expected at the end"),
        ("(" * 60 + "udp" + ")" * 60, "too long an expression"),
        ("not " * 60 + "udp", "too long an expression"),
        ("udp or " * 300 + "udp", "too long an expression"),
    ],
)
def test_what_is_not_an_expression_is_told(expression: str, why: str) -> None:
    with pytest.raises(FilterError) as e:
        parse([expression])
    assert str(e.value) == why


WORDS = st.sampled_from(
    [
        *("and", "or", "not", "(", ")", "!", "&&", "||", "src", "dst", "host", "net", "port"),
        *("proto", "protochain", "ether", "ip6", "udp", "tcp", "icmp6", "ah", "esp", "mip6"),
        *("inbound", "less", "greater", "multicast", "broadcast", "53", "0x35", "2001:db8::a"),
        *("fe80::/10", "0:1:2:3:4:5", "mn", "\\ip6", "::1%fxp0"),
    ]
)


@given(st.lists(WORDS, max_size=12))
@example(["ether"])
@example(["src", "or", "dst"])
def test_words_in_any_order_choose_or_are_refused(words: list[str]) -> None:
    try:
        found = parse(words)
    except FilterError as e:
        assert "\n" not in str(e)
        return
    for packet in PACKETS.values():
        assert found.matches(packet) in (True, False)


@given(st.text(max_size=40))
def test_any_text_chooses_or_is_refused(text: str) -> None:
    try:
        parse([text])
    except FilterError:
        return


@given(st.binary(max_size=120), st.integers(0, 255))
def test_any_octets_can_be_asked(octets: bytes, nxt: int) -> None:
    found = parse(["mip6 or udp port 53 or ip6 proto 44 or net ::/0 or ether multicast"])
    for packet in (Packet(octets, ETHERTYPE_IPV6, len(octets)), ip6(nxt, octets)):
        assert found.matches(packet) in (True, False)
