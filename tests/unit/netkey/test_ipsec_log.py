# SPDX-License-Identifier: BSD-3-Clause
"""What net.inet6.ipsec6.debug tells of AH and ESP that are refused."""

from __future__ import annotations

from kame_py.wire.const import IPPROTO_AH, IPPROTO_ESP
from tests.unit.netinet6.ip6_node import ip6
from tests.unit.netkey.ipsec_node import AH, ESP, NULL, SHA1, IpsecNode, protected, signed

PACKET = "packet(SPI=4096 src=2001:db8:1::9 dst=2001:db8:1::1)"
SA = "SA(SPI=4096 src=2001:db8:1::9 dst=2001:db8:1::1)"


def said(node: IpsecNode) -> list[str]:
    return [line.text for line in node.kern.log.lines]


def test_kames_words_for_each_reason() -> None:
    node = IpsecNode("IPSEC", "IPSEC_ESP", "IPSEC_DEBUG")
    ah, esp = node.sa(AH, 0x1000, SHA1, window=4), node.sa(ESP, 0x1000, SHA1, enc=NULL, window=4)
    before = len(said(node))
    good, secret = signed(ah), protected(esp)
    for packet in (
        good,
        good,
        signed(ah, 2)[:-1] + b"!",
        good[:41] + b"\x05" + good[42:],
        signed(ah, spi=0x1001),
        ip6(good[40:50], IPPROTO_AH),
        secret,
        secret,
        protected(esp, 2)[:-1] + b"!",
        secret[:43] + b"\x07" + secret[44:],
        ip6(secret[40:50], IPPROTO_ESP),
    ):
        node.receive(packet)
    assert said(node)[before:] == [
        f"replay packet in IPv6 AH input: {PACKET} {SA}",
        f"checksum mismatch in IPv6 AH input: {PACKET} {SA}",
        f"sum length mismatch in IPv6 AH input: {PACKET}",
        "IPv6 AH input: no key association found for spi 4097",
        "IPv6 AH input: AH runs past the packet",
        f"replay packet in IPv6 ESP input: {PACKET} {SA}",
        f"auth fail in IPv6 ESP input: {PACKET} {SA}",
        "IPv6 ESP input: no key association found for spi 4103",
        f"IPv6 ESP input: too short for ESP: {PACKET}",
    ]


def test_without_debugging_nothing_is_said() -> None:
    node = IpsecNode()
    sav = node.sa(AH, 0x1000, SHA1)
    before = len(said(node))
    node.receive(signed(sav)[:-1] + b"!")
    assert len(said(node)) == before
    node.kern.sysctl.write("net.inet6.ipsec6.debug", 1)
    node.receive(signed(sav)[:-1] + b"!")
    assert len(said(node)) == before + 1
