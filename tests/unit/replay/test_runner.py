# SPDX-License-Identifier: BSD-3-Clause
"""A capture played to a kernel: fates, time, identity, replies."""

from __future__ import annotations

import io

import pytest

from kame_py.fast.cpu import JIT
from kame_py.kern.clock import NS
from kame_py.kern.conf import KernConf
from kame_py.replay import ReplayError, ReplayOptions, ReplayResult, Verdict, replay
from kame_py.replay.pcap import PcapWriter, Record, open_capture
from kame_py.replay.pcapng import PcapngWriter
from kame_py.replay.report import addresses, default_routers
from kame_py.replay.runner import STAMP_MAX_NS, Fast
from kame_py.replay.watch import Watch, Watches
from kame_py.trace.format import frame_summary
from kame_py.wire.codecs import Ip6Hdr, Ip6Rthdr0
from kame_py.wire.const import IPPROTO_ICMPV6, IPPROTO_ROUTING
from kame_py.wire.in6addr import ETHER_BROADCAST, ether_multicast
from tests.unit.replay.captures import (
    GLOBAL,
    OTHER_MAC,
    PEER,
    PEER_MAC,
    T0,
    US,
    US_MAC,
    addr,
    capture,
    echo,
    ether,
    fragments,
    ip6,
    ns,
    ra,
)

BE_US = ReplayOptions(lladdr=US_MAC)
RAW = 101
SLL = 113


def play(
    f: io.BytesIO, options: ReplayOptions = BE_US
) -> tuple[ReplayResult, list[Verdict], list[Record]]:
    verdicts: list[Verdict] = []
    out = io.BytesIO()
    result = replay(f, options, out=out, verdicts=verdicts.append)
    out.seek(0)
    assert [v.n for v in verdicts] == list(range(1, result.packets + 1))
    assert sum(result.fates.values()) == result.packets
    assert sum(result.drops.values()) == result.fates["dropped"]
    return result, verdicts, list(open_capture(out))


def endings(verdicts: list[Verdict]) -> list[tuple[str, str | None]]:
    return [(v.fate, v.reason) for v in verdicts]


def test_each_packet_has_the_fate_that_its_frame_deserves() -> None:
    frames = (
        ether(echo()),
        ether(echo(), dst=OTHER_MAC),
        ether(echo(), dst=PEER_MAC, src=US_MAC),
        ether(bytes(28), ethertype=0x0806),
        b"\x33\x33",
        ether(echo(), dst=ether_multicast(GLOBAL)),
    )
    _, verdicts, _ = play(capture(*((i * 0.1, f) for i, f in enumerate(frames))))
    assert endings(verdicts) == [
        ("consumed", None),
        ("dropped", "ETHER_NOTFORUS"),
        ("own", None),
        ("dropped", "ETHER_TYPE"),
        ("dropped", "ETHER_RUNT"),
        ("dropped", "ETHER_MCAST"),
    ]


def test_the_node_is_ready_before_the_first_stamp_and_says_so_in_absolute_time() -> None:
    result, _, sent = play(capture((0, ns(US)), (1, ns(US))))
    words = [frame_summary(r.data) for r in sent]
    boot = [w for r, w in zip(sent, words, strict=True) if r.t_ns < T0]
    assert sum("who has fe80::ff:fe00:55" in w for w in boot) == 1, words
    assert sum("router solicitation" in w for w in boot) == 1, words
    assert all(T0 - 5 * NS < r.t_ns <= T0 + NS for r in sent)
    assert [r.t_ns for r in sent if r.t_ns >= T0] == [T0, T0 + NS]
    assert result.replies == len(sent)
    assert result.fates["consumed"] == 2


def test_an_advertisement_gives_address_and_router() -> None:
    result, verdicts, _ = play(capture((0.5, ra()), (3, ra())))
    assert endings(verdicts) == [("consumed", None)] * 2
    assert "2001:db8:1::ff:fe00:55/64 autoconf" in addresses(result)
    assert default_routers(result.kern) == ["fe80::ff:fe00:a0%fxp0"]


def test_the_run_ends_at_the_last_stamp() -> None:
    result, _, _ = play(capture((0.5, ra()), (0.6, ra())))
    assert "2001:db8:1::ff:fe00:55/64 tentative autoconf" in addresses(result)
    assert result.kern.clock.realtime() == T0 + 600_000_000


def test_timers_run_at_their_time_between_packets() -> None:
    _, _, sent = play(capture((0, ether(echo())), (60, ether(echo()))))
    solicits = [r.t_ns - T0 for r in sent if "who has fe80::ff:fe00:a0" in frame_summary(r.data)]
    assert solicits[:3] == [0, NS, 2 * NS]


def test_fragments_take_the_fate_of_the_whole() -> None:
    first, second = fragments(echo(size=100), 48)
    _, verdicts, _ = play(capture((0, ether(first)), (1, ether(echo())), (2, ether(second))))
    assert endings(verdicts) == [("consumed", None)] * 3


def test_a_fragment_whose_rest_is_missing_is_held_then_dropped() -> None:
    first, _ = fragments(echo(size=100), 48)
    _, verdicts, _ = play(capture((0, ether(first)), (1, ether(echo()))))
    assert endings(verdicts) == [("held", None), ("consumed", None)]
    _, verdicts, _ = play(capture((0, ether(first)), (100, ether(echo()))))
    assert endings(verdicts) == [("dropped", "FRAG6_TIMEOUT"), ("consumed", None)]


def test_a_routing_header_may_name_the_node_twice_even_in_a_broadcast() -> None:
    whole = echo()
    via = Ip6Rthdr0(ip6r0_nxt=IPPROTO_ICMPV6, ip6r0_len=2, ip6r0_segleft=1).pack() + US
    hop = ip6(via + whole[Ip6Hdr.SIZE :], IPPROTO_ROUTING, dst=US)
    options = ReplayOptions(lladdr=US_MAC, conf=KernConf(frozenset({"MIP6"})))
    for dst in (US_MAC, ETHER_BROADCAST):
        _, verdicts, _ = play(capture((0, ether(hop, dst=dst))), options)
        assert endings(verdicts) == [("consumed", None)]
        away = ip6(via[: -len(US)] + GLOBAL, IPPROTO_ROUTING, dst=US)
        _, verdicts, _ = play(capture((0, ether(away, dst=dst))), options)
        expected = "IP6_FWDMCAST" if dst == ETHER_BROADCAST else "IP6_FWDNOROUTE"
        assert endings(verdicts) == [("dropped", expected)]


def test_time_does_not_go_back() -> None:
    result, verdicts, _ = play(capture((5, ether(echo())), (1, ether(echo())), (6, ether(echo()))))
    assert endings(verdicts) == [("consumed", None)] * 3
    assert [v.t_ns - T0 for v in verdicts] == [5 * NS, NS, 6 * NS]
    assert result.end_ns == T0 + 6 * NS
    result, _, _ = play(capture((5, ether(echo())), (1, ether(echo()))))
    assert result.end_ns == T0 + 5 * NS
    assert result.kern.clock.realtime() == T0 + 5 * NS


def test_as_takes_the_place_of_a_captured_host() -> None:
    f = capture((0, ether(echo(GLOBAL, PEER), dst=PEER_MAC, src=OTHER_MAC)), (1, ra()))
    result, verdicts, _ = play(f, ReplayOptions(addr=PEER))
    assert endings(verdicts) == [("consumed", None), ("own", None)]
    assert result.kern.ifnets[1].if_hwaddr == PEER_MAC


def test_as_gives_the_address_with_the_prefix_length_of_the_advertisement() -> None:
    f = capture((0, ether(echo(PEER, GLOBAL))), (0.1, ra("2001:db8::", 32)))
    result, verdicts, _ = play(f, ReplayOptions(addr=GLOBAL))
    assert "2001:db8:1::5/32" in addresses(result)
    assert verdicts[0].fate == "consumed"


def test_as_one_of_several_hosts_behind_one_mac_tells_own_packets_by_address() -> None:
    f = capture(
        (0, ether(echo(GLOBAL, PEER), dst=US_MAC, src=PEER_MAC)),
        (1, ether(echo(PEER, GLOBAL), dst=US_MAC, src=PEER_MAC)),
        (2, ether(echo(GLOBAL, PEER), dst=OTHER_MAC, src=PEER_MAC)),
    )
    result, verdicts, sent = play(f, ReplayOptions(addr=PEER))
    assert endings(verdicts) == [("consumed", None), ("own", None), ("consumed", None)]
    assert result.kern.ifnets[1].if_hwaddr == US_MAC
    assert len(result.doubts) == 1 and "is shared" in result.doubts[0]
    assert sent


def test_as_a_router_forwarded_packets_from_its_mac_stay_own() -> None:
    f = capture(
        (0, ether(echo(US, PEER), dst=PEER_MAC, src=US_MAC)),
        (1, ether(echo(PEER, US), dst=US_MAC, src=PEER_MAC)),
        (2, ether(echo(GLOBAL, US), dst=US_MAC, src=PEER_MAC)),
    )
    result, verdicts, _ = play(f, ReplayOptions(addr=PEER))
    assert endings(verdicts) == [("consumed", None), ("own", None), ("own", None)]
    assert result.doubts == []


def test_as_an_address_that_is_not_there_is_refused() -> None:
    with pytest.raises(ReplayError, match="2001:db8:1::5 is not in the capture"):
        replay(capture((0, ether(echo()))), ReplayOptions(addr=GLOBAL))


def test_the_default_mac_belongs_to_nobody() -> None:
    result, _, _ = play(capture((0, ether(echo()))), ReplayOptions())
    assert result.fates["own"] == 0
    assert result.drops == {"ETHER_NOTFORUS": 1}


def test_links_without_addresses_have_no_filter() -> None:
    f = capture((0, echo(GLOBAL, PEER)), (1, b"\x45" + bytes(19)), (2, b"\x05"), linktype=RAW)
    result, verdicts, sent = play(f, ReplayOptions(addr=PEER))
    assert endings(verdicts) == [
        ("consumed", None),
        ("dropped", "ETHER_TYPE"),
        ("dropped", "IP6_BADVERS"),
    ]
    assert {r.linktype for r in sent} <= {RAW}
    assert f"{result.ifname}" in addresses(result)[0]


def test_without_link_addresses_the_source_address_tells_own_packets() -> None:
    _, verdicts, _ = play(capture((0, echo(PEER, US)), linktype=RAW), ReplayOptions(addr=PEER))
    assert endings(verdicts) == [("own", None)]


def test_packets_of_several_links_meet_on_one_interface() -> None:
    f = io.BytesIO()
    writer = PcapngWriter(f)
    lan, tun = writer.add_interface("lan0"), writer.add_interface("tun0", RAW)
    writer.write(lan, T0, ether(echo()))
    writer.write(tun, T0 + NS, echo())
    writer.write(tun, T0 + 2 * NS, echo(dst=addr("ff02::1")))
    writer.write(tun, T0 + 3 * NS, echo(dst=addr("ff02::7")))
    f.seek(0)
    _, verdicts, _ = play(f)
    assert endings(verdicts) == [("consumed", None)] * 3 + [("dropped", "ETHER_MCAST")]


def test_unknown_link_types_are_dropped() -> None:
    _, verdicts, _ = play(capture((0, bytes(40)), (1, b""), linktype=147))
    assert endings(verdicts) == [("dropped", "LINKTYPE")] * 2


def test_nothing_in_the_capture_is_a_good_run() -> None:
    result, _, _ = play(capture())
    assert result.packets == 0
    assert result.error is None
    assert any(a.startswith("fe80::ff:fe00:55") for a in addresses(result))


def test_a_cut_capture_counts_what_was_read() -> None:
    whole = capture((0, ether(echo())), (1, ether(echo()))).getvalue()
    result, _, _ = play(io.BytesIO(whole[:-5]))
    assert (result.packets, result.last_good) == (1, 1)
    assert result.error == "cut short in packet 2: 65 of 70 octets"


def test_the_way_of_a_traced_packet_ends_with_its_fate() -> None:
    options = ReplayOptions(lladdr=US_MAC, trace={2})
    result = replay(capture((0, ether(echo())), (1, ether(echo(), dst=OTHER_MAC))), options)
    assert list(result.traces) == [2]
    assert result.traces[2][-1].endswith("unicast to another station's address")


def test_stamps_of_the_year_zero_and_of_the_far_future_do_no_harm() -> None:
    f = io.BytesIO()
    writer = PcapWriter(f)
    for t_ns in (0, (2**32 - 1) * NS, 0):
        writer.write(t_ns, ether(echo()))
    f.seek(0)
    _, verdicts, _ = play(f)
    assert [v.fate for v in verdicts] == ["consumed"] * 3


def test_stamps_beyond_64_bits_of_nanoseconds_count_as_the_last_moment() -> None:
    f = io.BytesIO()
    writer = PcapngWriter(f)
    lan = writer.add_interface("lan0")
    writer.write(lan, T0, ether(echo()))
    writer.write(lan, 2**64 - 1, ether(echo()))
    f.seek(0)
    result, verdicts, _ = play(f)
    assert result.end_ns == STAMP_MAX_NS
    assert verdicts[1].t_ns == 2**64 - 1


def test_the_same_capture_gives_the_same_octets() -> None:
    def once() -> bytes:
        out = io.BytesIO()
        replay(capture((0.5, ra()), (3, ether(echo()))), ReplayOptions(), out=out)
        return out.getvalue()

    assert once() == once()


def test_cooked_captures_know_the_sender_only() -> None:
    head = b"\0\3\0\1\0\6" + OTHER_MAC + b"\0\0\x86\xdd"  # to another host
    f = capture((0, head + echo(GLOBAL, PEER)), (1, head[:9]), linktype=SLL)
    _, verdicts, _ = play(f, ReplayOptions(addr=PEER))
    assert endings(verdicts) == [("consumed", None), ("dropped", "ETHER_RUNT")]


class Waiting(Watch):
    """Notes why nothing will be heard for a while."""

    def __init__(self) -> None:
        self.why: list[str] = []

    def waits(self, why: str) -> None:
        self.why.append(why)


@pytest.mark.skipif(not JIT, reason="no kernels here")
@pytest.mark.parametrize("kept", [True, False])
def test_who_looks_on_is_told_when_kernels_are_compiled(
    kept: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    from kame_py.fast import kernels

    monkeypatch.setattr(kernels, "kept", lambda name: kept)
    watch = Waiting()
    options = ReplayOptions(fast=Fast.ON)
    replay(capture((0, ether(echo())), (1, ether(echo()))), options, watch=Watches([watch]))
    assert watch.why == ([] if kept else ["compiling kernels, this once"])
