# SPDX-License-Identifier: BSD-3-Clause
"""The line of a packet: words that tcpdump users grep for, and no surprise on bad input."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kame_py.replay.pcap import open_capture
from kame_py.trace.format import frame_summary, summary
from kame_py.wire import codecs as c
from kame_py.wire import mip6_draft13
from kame_py.wire.cksum import in6_cksum
from kame_py.wire.const import IPPROTO_ICMPV6
from kame_py.wire.in6addr import pton
from kame_py.wire.ip6ext import build_options, build_rthdr0
from kame_py.wire.mip6 import BindingUpdate, HomeAddress
from kame_py.wire.mip6_draft15 import WIRE
from kame_py.wire.nd6opt import build_mtu_opt
from kame_py.wire.patch import put, put_u16
from tests.support import data_dir, data_files


def ip6(payload: bytes, nxt: int = IPPROTO_ICMPV6, hlim: int = 64) -> bytes:
    head = c.Ip6Hdr(
        ip6_plen=len(payload),
        ip6_nxt=nxt,
        ip6_hlim=hlim,
        ip6_src=pton("2001:db8::1") or b"",
        ip6_dst=pton("2001:db8::2") or b"",
    )
    return head.pack() + payload


@pytest.mark.parametrize(
    ("payload", "text"),
    [
        (c.Icmp6Echo(), "icmp6: echo request"),
        (c.Icmp6PacketTooBig(icmp6_mtu=1280), "icmp6: too big 1280"),
        (
            c.NdNeighborSolicit(nd_ns_target=pton("fe80::7") or b""),
            "icmp6: neighbor sol: who has fe80::7",
        ),
        (c.NdRouterAdvert(), "icmp6: router advertisement"),
        (c.HaDiscovReq(ha_dreq_id=7), "icmp6: ha discovery request"),
        (c.HaDiscovRep(ha_drep_id=7), "icmp6: ha discovery reply"),
        (c.Icmp6Hdr(icmp6_type=155), "icmp6: type-#155"),
    ],
)
def test_icmp6_messages_have_tcpdumps_words(payload: c.Header, text: str) -> None:
    assert summary(ip6(payload.pack())) == f"2001:db8::1 > 2001:db8::2: {text}"


def test_an_unreachable_port_is_named_with_its_destination() -> None:
    quoted = ip6(c.Udphdr(uh_sport=9, uh_dport=53, uh_ulen=8).pack(), nxt=17)
    line = summary(ip6(c.Icmp6DstUnreach(icmp6_code=4).pack() + quoted))
    assert line.endswith("icmp6: 2001:db8::2 udp port 53 unreachable")


def test_discovered_home_agents_are_listed_when_verbose() -> None:
    reply = c.HaDiscovRep(ha_drep_id=7).pack() + (pton("2001:db8::a") or b"")
    text = summary(ip6(reply), verbose=True)
    assert "icmp6: ha discovery reply (id 7) 2001:db8::a" in text
    assert "ha discovery reply (id 7) [|icmp6]" in summary(ip6(reply[:-1]), verbose=True)
    assert "ha discovery request (id 9)" in summary(
        ip6(c.HaDiscovReq(ha_dreq_id=9).pack()), verbose=True
    )


def test_ports_stand_behind_the_addresses() -> None:
    udp = c.Udphdr(uh_sport=1024, uh_dport=53, uh_ulen=12).pack() + bytes(4)
    assert summary(ip6(udp, nxt=17)) == "2001:db8::1.1024 > 2001:db8::2.53: udp 4"


def test_a_low_hop_limit_is_shown_always_and_any_when_verbose() -> None:
    echo = c.Icmp6Echo().pack()
    assert summary(ip6(echo, hlim=1)).endswith(" [hlim 1]")
    assert "hlim" not in summary(ip6(echo, hlim=2))
    assert summary(ip6(echo), verbose=True).endswith("(len 8, hlim 64)")


def test_names_replace_addresses() -> None:
    assert summary(ip6(c.Icmp6Echo().pack()), names=lambda a: "x").startswith("x > x: ")


def test_mobility_options_are_decoded() -> None:
    path = data_dir() / "captures" / "generated-draft15.pcap"
    with path.open("rb") as f:
        lines = [frame_summary(r.data) for r in open_capture(f)]
    assert (
        "DSTOPT (HomeAddr 2001:db8:0:1::100) DSTOPT (BindUpd flg=AHD/d0 seq=42 life=600"
        in (lines[0])
    )
    assert any("(BindAck status=0 seq=42 life=600 refresh=480" in line for line in lines)
    assert any("srcrt (len=2, type=0, segleft=1, [0]2001:db8:0:1::100)" in line for line in lines)


def test_mobility_options_are_decoded_by_the_draft_that_is_asked_for() -> None:
    value = BindingUpdate(0xF0, 0x1234, 600, 64)
    option = build_options(59, [mip6_draft13.WIRE.aligned(value)])
    packet = ip6(option, nxt=60)
    assert "(BindUpd flg=AHRD/f0 plen=64 seq=4660 life=600)" in summary(
        packet, wire=mip6_draft13.WIRE
    )
    assert "(BindUpd flg=AHSD/f0 seq=52 life=600)" in summary(packet)


@pytest.mark.parametrize("path", data_files("captures/**/*.pcap"), ids=lambda p: p.name)
def test_every_known_packet_has_a_line_even_cut_short(path: Path) -> None:
    with path.open("rb") as f:
        for record in open_capture(f):
            for size in range(0, len(record.data), 7):
                assert frame_summary(record.data[:size], verbose=True)


@given(st.binary(max_size=120), st.sampled_from([0, 6, 17, 41, 43, 44, 50, 51, 58, 60]))
def test_any_octets_have_a_line(payload: bytes, nxt: int) -> None:
    assert summary(ip6(payload, nxt=nxt), verbose=2)


def test_unknown_options_of_an_advertisement_are_named_as_ever() -> None:
    odd = c.NdOptHdr(nd_opt_type=77, nd_opt_len=2).pack() + bytes(14)
    message = c.NdRouterAdvert().pack() + odd + build_mtu_opt(1280)
    line = summary(ip6(message), verbose=1)
    assert "(mtu: mtu=1280)(unknwon opt_type=77, opt_len=2) (len 40, hlim 64)" in line


def test_lengths_are_those_of_the_packet_when_a_capture_cut_it() -> None:
    tcp = c.Tcphdr(th_sport=1, th_dport=2, th_off_x2=0x50, th_flags=0x18).pack() + bytes(1000)
    assert "0:1000(1000)" in summary(ip6(tcp, nxt=6))
    assert "0:1000(1000)" in summary(ip6(tcp, nxt=6)[:80])
    assert summary(ip6(bytes(100), nxt=200)[:60]).endswith("ip-proto-200 100")


HOME, COA, PEER = (pton(f"2001:db8::{end}") or b"" for end in ("100", "1", "2"))


@pytest.mark.parametrize(
    ("src", "before"),
    [
        (COA, b""),
        (HOME, build_options(58, [WIRE.aligned(HomeAddress(HOME))])),
        (COA, build_rthdr0(58, [PEER], 1)),
    ],
    ids=["plain", "home address", "routing header"],
)
def test_checksum_is_judged_by_the_addresses_that_count(src: bytes, before: bytes) -> None:
    echo = c.Icmp6Echo(icmp6_id=7).pack()
    total = in6_cksum(src, PEER, IPPROTO_ICMPV6, echo)
    good = put_u16(echo, c.Icmp6Echo.O_icmp6_cksum, total)
    nxt = 58 if not before else 43 if src == COA else 60
    dst = HOME if nxt == 43 else PEER  # the first hop is another one
    packet = put(ip6(before + good, nxt=nxt), c.Ip6Hdr.O_ip6_dst, dst)
    assert " [cksum ok]" in summary(packet, verbose=2)
    assert " [bad cksum!]" in summary(packet.replace(good, echo), verbose=2)
    assert "cksum" not in summary(packet, verbose=1)
    assert "cksum" not in summary(packet[:-1], verbose=2)
